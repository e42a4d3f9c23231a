"""What a live field costs and how well it follows full solves of the same run.

    python benchmarks/live.py [--small] [--coil NAME] [--head NAME] [PATTERN]

Colin27 at its default edge, or at 4 mm.  Errors are relative L2 over the cortex by volume, at placements the live field
has not seen.  Ratios compare with a solve in a block of 16 of the same run, frames with how fast memory is read.
Results are added to benchmarks/results/<machine>.json.
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path

import numpy as np
from run import RESULTS, Row, keep, shown

import neuro_field as nf
from neuro_field.aim.scalp import Spots
from neuro_field.field.solver import peak_memory
from neuro_field.live.building import BLOCK, FAR
from neuro_field.live.exact import Exact
from neuro_field.live.places import Range, allowed, poses_over, spots_over
from neuro_field.search.candidates import candidates
from neuro_field.search.whole_cortex import WholeCortex, half_volumes

#: Placements solved in full: unseen ones in the range of the snapshots, for trust, and for focality.
UNSEEN, DOUBTFUL, RANKED = 100, 300, 30

#: Coils other than the live field's own.
OTHERS = ("circular-90mm", "figure8-25mm")


@dataclass
class Case:
    """A head, a coil, and what the rows share."""

    small: bool
    coil_name: str = "figure8-70mm"
    head_name: str = "colin27"

    @cached_property
    def head(self) -> nf.HeadModel:
        """The head."""
        return nf.example_head(self.head_name, edge=4.0 if self.small else 1.9)

    @cached_property
    def coil(self) -> nf.Coil:
        """The coil."""
        return nf.load_coil(self.coil_name)

    @cached_property
    def spots(self) -> Spots:
        """Where coils may stand."""
        return spots_over(self.head)

    @cached_property
    def solver(self) -> nf.Solver:
        """For everything."""
        return nf.Solver(self.head, tolerance=1e-4)

    @cached_property
    def live(self) -> nf.LiveField:
        """The live field; its report has the seconds."""
        return nf.live_field(self.solver, self.coil)

    @cached_property
    def thin(self) -> nf.LiveField:
        """At 20,000 points, where full solves are compared."""
        return self.live.thinned(20_000)

    @cached_property
    def exact(self) -> Exact:
        """Full solves at these points."""
        return Exact(self.thin, self.solver)

    @cached_property
    def block_seconds(self) -> float:
        """Of one solve in a block, the median of five."""
        block = self.placements(self.coil, BLOCK, 1)
        self.solver.solve_many(self.coil, block)
        seconds = []
        for _ in range(5):
            start = time.perf_counter()
            self.solver.solve_many(self.coil, block)
            seconds.append((time.perf_counter() - start) / BLOCK)
        return float(np.median(seconds))

    def placements(self, coil: nf.Coil, count: int, seed: int, within: Range | None = None) -> list[nf.Placement]:
        """Placements that the live field has not seen."""
        poses = poses_over(self.head, self.spots, coil, 8 * count, np.random.default_rng([7, seed]), within)
        return list(islice(allowed(self.solver, coil, poses), count))

    def errors(self, coil: nf.Coil, placements: list[nf.Placement]) -> tuple[np.ndarray, np.ndarray]:
        """Relative L2 over the cortex, and within 20 mm of the strongest point."""
        volumes, points, out = self.thin.sheet.volumes, self.thin.points, []
        for placement, field in zip(placements, self.solver.solve_each(coil, placements), strict=True):
            full = self.exact.of(field)
            off = np.square(self.thin.field(placement, coil=coil) - full).sum(axis=1) * volumes
            size = np.square(full).sum(axis=1)
            near = np.linalg.norm(points - points[size.argmax()], axis=1) <= 20.0
            size *= volumes
            out.append((np.sqrt(off.sum() / size.sum()), np.sqrt(off[near].sum() / size[near].sum())))
        return tuple(np.array(out).T)  # type: ignore[return-value]


def row(case: Case, name: str, seconds: float, *, error: float | None = None, note: str = "") -> Row:
    """A row of this head."""
    return Row(name, len(case.head.mesh.nodes), seconds, peak_memory() / 1e6, error=error, note=note)


def build(case: Case) -> Row:
    """Seconds from a solver to a live field."""
    each, report = case.block_seconds, case.live.report
    stages = ", ".join(f"{name} {seconds:.0f} s" for name, seconds in report.seconds_by_stage.items())
    note = (
        f"{report.seconds / each:.0f} block solves of {each:.3f} s; {len(case.live.points)} points, {report.modes} "
        f"modes, {report.bytes_read / 1e6:.0f} MB a frame; {stages}"
    )
    return row(case, "build", report.seconds, error=report.error_max, note=note)


def unseen(case: Case) -> Row:
    """Errors at placements in the range of the snapshots."""
    placements = case.placements(case.coil, UNSEEN, 2)
    start = time.perf_counter()
    errors, near = case.errors(case.coil, placements)
    note = f"mean {errors.mean():.2%}, worst {errors.max():.2%}, within 20 mm of the strongest point {near.max():.2%}"
    return row(case, "unseen placements", time.perf_counter() - start, error=float(errors.max()), note=note)


def trust(case: Case) -> Row:
    """Whether what is trusted is right, and what is right is trusted: far placements and other coils."""
    shares = [(case.coil, FAR, DOUBTFUL // 2)]
    shares += [(nf.load_coil(name), FAR, DOUBTFUL // 4) for name in OTHERS]
    found, start = [], time.perf_counter()
    for number, (coil, within, count) in enumerate(shares):
        placements = case.placements(coil, count, 3 + number, within)
        errors = case.errors(coil, placements)[0]
        found += [(error, case.live.trusts(each, coil)) for error, each in zip(errors, placements, strict=True)]
    error, trusted = np.array([each[0] for each in found]), np.array([each[1] for each in found])
    good = error < 0.01
    note = (
        f"{len(found)} solved: {np.count_nonzero(trusted & (error > 0.03))} trusted that err by more than 3 %, "
        f"{trusted[good].mean():.1%} of {good.sum()} trusted that err by less than 1 %"
    )
    return row(case, "trust", time.perf_counter() - start, error=float(error[trusted].max()), note=note)


def frame(case: Case, live: nf.LiveField, name: str) -> Row:
    """Median milliseconds from a pose to |E|, beside how fast memory is read."""
    placements, seconds = case.placements(case.coil, 40, 6), []
    for placement in placements:
        start = time.perf_counter()
        live.magnE(placement)
        seconds.append(time.perf_counter() - start)
    spare = np.ones(200_000_000 // 8)
    copies = []
    for _ in range(5):
        start = time.perf_counter()
        spare.sum()
        copies.append(time.perf_counter() - start)
    speed, least = spare.nbytes / min(copies), live.packed.nbytes / (spare.nbytes / min(copies))
    median = float(np.median(seconds))
    note = (
        f"{len(live.points)} points, {1e3 * median:.2f} ms; {live.packed.nbytes / 1e6:.1f} MB, which one thread "
        f"reads in {1e3 * least:.2f} ms at {speed / 1e9:.1f} GB/s ({least / median:.0%} of it)"
    )
    return row(case, name, median, note=note)


def certified(case: Case) -> Row:
    """Seconds from a pose to its full solve at 20,000 points."""
    placements = case.placements(case.coil, 4, 8)
    case.exact.solved(placements[0])
    found = [case.exact.solved(placement) for placement in placements[1:]]
    note = f"{found[0].iterations} iterations"
    return row(case, "certified", found[0].seconds, error=max(each.difference for each in found), note=note)


def focality(case: Case) -> Row:
    """Seconds to rank 100,000 placements by focality, and how well that holds."""
    target = nf.Target.named(case.head, "m1-hand", "right")
    fine = candidates(case.head, case.coil, target, nf.Grid(30, 1.25, 3.0))
    rng = np.random.default_rng(5)
    poses = fine.head_from_coil[rng.permutation(len(fine))[:100_000]]
    cortex = WholeCortex.of(case.live, case.head, case.coil)
    chosen = poses[:RANKED]
    fields = case.solver.solve_many(case.coil, [nf.Placement(pose) for pose in chosen])
    means = np.array([target.magnitude(field) for field in fields])
    points = case.thin
    full = np.array([
        points.sheet.volumes[np.linalg.norm(case.exact.of(field), axis=1) >= mean / 2].sum() / 1e3
        for field, mean in zip(fields, means, strict=True)
    ])  # fmt: skip
    del fields
    found = half_volumes(cortex, chosen, means)
    place = int(np.argsort(np.argsort(full))[np.argmin(found)]) + 1
    start = time.perf_counter()
    half_volumes(cortex, poses, np.full(len(poses), float(means.mean())))
    seconds = time.perf_counter() - start
    note = (
        f"{len(poses)} placements x {len(points.points)} points; the best of {RANKED} is number {place} of full solves"
    )
    return row(case, "focality", seconds, error=float(np.abs(found / full - 1).max()), note=note)


ROWS: dict[str, Callable[[Case], Row]] = {
    "build": build,
    "unseen placements": unseen,
    "trust": trust,
    "frame of 20,000 points": lambda case: frame(case, case.thin, "frame of 20,000 points"),
    "frame of all points": lambda case: frame(case, case.live, "frame of all points"),
    "certified": certified,
    "focality": focality,
}


def main(arguments: list[str] | None = None) -> list[Row]:
    """Run rows, print them and keep them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pattern", nargs="?", default="")
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--coil", default="figure8-70mm")
    parser.add_argument("--head", default="colin27")
    parser.add_argument("--results", type=Path, default=RESULTS)
    options = parser.parse_args(arguments)
    chosen = {name: run for name, run in ROWS.items() if options.pattern in name}
    if not chosen:
        parser.error(f"no row holds {options.pattern!r}; there are {', '.join(ROWS)}")
    case, rows = Case(options.small, options.coil, options.head), []
    print(f"{'row':28} {'nodes':>8} {'seconds':>9} {'peak MB':>9} {'iterations':>10} {'error':>9}")
    for run in chosen.values():
        rows.append(run(case))
        print(shown(rows[-1]), flush=True)
    ratios = {f"one block solve / {each.name}": case.block_seconds / each.seconds for each in rows if each.seconds}
    for name, ratio in ratios.items():
        print(f"{name}: {ratio:.3g}")
    keep(options.results, rows, ratios)
    return rows


if __name__ == "__main__":
    main()
