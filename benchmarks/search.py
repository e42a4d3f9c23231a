"""How long it takes to rank placements, and how well ranked values agree with forward solves of the same run.

    python benchmarks/search.py [--small] [PATTERN]

Rows begin cold: a head in memory, nothing derived from it.  They end with a sorted list.  The error is the largest
relative difference of ranked values from forward solves at 50 random placements and the best.
Results are added to benchmarks/results/<machine>.json.
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from run import RESULTS, Row, keep, shown

import neuro_field as nf
from neuro_field.field.solver import peak_memory
from neuro_field.reciprocity.response import response
from neuro_field.search.candidates import Candidates, Grid, candidates
from neuro_field.search.search import _COIL_ERROR, _samples

#: Random placements that are solved in full.
CHECKED = 50


@dataclass
class Case:
    """A head, a coil, and what two rows need of one another."""

    small: bool

    @cached_property
    def whole(self) -> nf.HeadModel:
        """Colin27 at its default edge, or a coarse sphere."""
        if self.small:
            return nf.sphere_head((78, 81, 87, 92), edge=9.0)
        return nf.example_head("colin27")

    @cached_property
    def coil(self) -> nf.Coil:
        """A figure-8."""
        return nf.load_coil("figure8-70mm")

    def head(self) -> nf.HeadModel:
        """The head as if just read."""
        mesh = self.whole.mesh
        return replace(self.whole, mesh=type(mesh)(mesh.nodes, mesh.tets, mesh.tags))

    def target(self, head: nf.HeadModel) -> nf.Target:
        """A hand area; on the sphere, a ball under its top."""
        if self.small:
            return nf.Target.ball(head, (0, 0, 74), radius=8)
        return nf.Target.named(head, "m1-hand", "right")

    @cached_property
    def solver(self) -> nf.Solver:
        """For forward solves; not part of any other row's time."""
        return nf.Solver(self.head())

    def forward(self, target: nf.Target, choices: Candidates, strengths: np.ndarray) -> float:
        """Largest relative difference from forward solves at random placements and at the best."""
        rng = np.random.default_rng(5)
        which = [int(np.argmax(strengths)), *rng.choice(len(choices), CHECKED, replace=False)]
        solved = []
        for first in range(0, len(which), 8):  # a field of Colin27 takes 30 MB: none is kept
            placements = [nf.Placement(choices.head_from_coil[i]) for i in which[first : first + 8]]
            solved += [target.mean(field) for field in self.solver.solve_many(self.coil, placements)]
        return float(np.abs(strengths[which] / np.array(solved) - 1).max())


def ranked(case: Case, name: str, grid: Grid, axis: tuple[float, float, float] | None = None) -> Row:
    """Seconds from the head to the sorted list."""
    head = case.head()
    start, processor = time.perf_counter(), time.process_time()
    solver = nf.Solver(head)
    target = replace(case.target(head), direction=axis, either_way=axis is not None)
    choices = candidates(head, case.coil, target, grid)
    mapping = response(solver, case.coil.simplified(error=_COIL_ERROR), target, _samples(choices))
    strengths = mapping.strengths(choices.head_from_coil)
    order = np.argsort(-strengths, kind="stable")
    seconds, processor = time.perf_counter() - start, time.process_time() - processor
    peak = peak_memory() / 1e6
    assert strengths[order[0]] == strengths.max()
    note = f"{len(choices)} placements, {1e6 * seconds / len(choices):.1f} us each; {processor:.1f} s of processor time"
    error = None if axis else case.forward(target, choices, strengths)  # one component may vanish: not relative
    return Row(name, len(head.mesh.nodes), seconds, peak, error=error, note=note)


def forward(case: Case) -> Row:
    """Seconds for one placement of eight solved together."""
    choices = candidates(case.solver.head, case.coil, case.target(case.solver.head))
    placements = [nf.Placement(pose) for pose in choices.head_from_coil[:: max(1, len(choices) // 8)][:8]]
    case.solver.solve_many(case.coil, placements[:1])
    start = time.perf_counter()
    fields = case.solver.solve_many(case.coil, placements)
    target = case.target(case.solver.head)
    values = [target.mean(field) for field in fields]
    seconds = (time.perf_counter() - start) / len(placements)
    note = f"{len(case.coil.dipoles[0])} dipoles, {min(values):.3g} to {max(values):.3g} V/m"
    return Row("forward solves in blocks", len(case.solver.head.mesh.nodes), seconds, peak_memory() / 1e6, note=note)


def grid(case: Case, radius: float, spacing: float, angle_step: float) -> Grid:
    """A grid, or a coarse one."""
    return Grid(20, 5, 30) if case.small else Grid(radius, spacing, angle_step)


ROWS: dict[str, Callable[[Case], Row]] = {
    "forward solves in blocks": forward,
    "100,000 placements": lambda case: ranked(case, "100,000 placements", grid(case, 30, 1.25, 6)),
    "100,000 along one axis": lambda case: ranked(
        case, "100,000 along one axis", grid(case, 30, 1.25, 6), (0.0, 1.0, 0.0)
    ),
    "2,100,000 placements": lambda case: ranked(case, "2,100,000 placements", grid(case, 61, 1, 2)),
}


def main(arguments: list[str] | None = None) -> list[Row]:
    """Run the rows asked for, print them and keep them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pattern", nargs="?", default="", help="rows whose name holds this")
    parser.add_argument("--small", action="store_true", help="a coarse sphere and a few hundred placements")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder for the results")
    options = parser.parse_args(arguments)
    chosen = {name: run for name, run in ROWS.items() if options.pattern in name}
    if not chosen:
        parser.error(f"no row holds {options.pattern!r}; there are {', '.join(ROWS)}")
    case, rows = Case(options.small), []
    print(f"{'row':28} {'nodes':>8} {'seconds':>9} {'peak MB':>9} {'iterations':>10} {'error':>9}")
    for run in chosen.values():
        rows.append(run(case))
        print(shown(rows[-1]), flush=True)
    ratios = {}
    if rows[0].name == "forward solves in blocks":
        for row in rows[1:]:
            each = row.seconds / int(row.note.split()[0])
            ratios[f"one forward solve / one of {row.name}"] = rows[0].seconds / each
    for name, ratio in ratios.items():
        print(f"{name}: {ratio:.0f}")
    keep(options.results, rows, ratios)
    return rows


if __name__ == "__main__":
    main()
