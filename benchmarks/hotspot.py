"""How well motor maps find true sites in simulated sessions, and how long one takes; `docs/hotspot.md` has the tables.

    python benchmarks/hotspot.py [--small] [--keep FILE] [--sessions 12] [--seed 1] [--next | --speed]

Maps are made on the built-in heads at their default edge through live fields; true fields come from live fields on
other, finer meshes of the same heads.  Sites lie on three gyri: of both sides of the healthy head, and of the lesion's
own side of the stroke head.  The noise is that of tests/hotspot_sessions.py.  --keep keeps the fields of the poses,
which take minutes, for another run.  Results are added to benchmarks/results/<machine>.json.
"""

import argparse
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from run import RESULTS, Row, keep, peak_since_reset, reset_peak, shown

import neuro_field as nf

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
import hotspot_sessions as sessions

from neuro_field.hotspot.curves import logged
from neuro_field.hotspot.fit import Fit
from neuro_field.hotspot.motor_map import CHANCE, REACH, RESAMPLED
from neuro_field.hotspot.next_pulses import LEAST_WEIGHT, choice, doubts
from neuro_field.hotspot.sureness import FIELD_ERROR, area_of, chance_of, edge_at

#: Heads, the sides that are mapped, and finest edges of the meshes of map and truth, mm.
HEADS = {"colin27": ("left", "right"), "colin27-stroke": ("left",)}
EDGES, SMALL = (1.9, 1.6), (3.0, 2.4)

#: A site this near to the truth is reached, mm; pulses before any are suggested, in a round, and at most.
REACHED, FIRST, STEP, MOST = 5.0, 20, 10, 120

#: Of the speed rows.
PULSES, POINTS = 300, 20_000


@dataclass
class Pool:
    """Poses of one side, |E| (m, p) V/m at 1 A/us at points of the map, true |E| (p, s) at the sites by the noise."""

    name: str
    gyri: list[str]
    sites: np.ndarray
    points: np.ndarray
    sizes: np.ndarray
    there: dict[float, np.ndarray]
    edge: float


def pools_of(name: str, edges: tuple[float, float], count: int, seed: int) -> list[Pool]:
    """The pools of a head's sides."""
    coil, out = nf.load_coil("figure8-70mm"), []
    mapped, true = (nf.example_head(name, edge=edge) for edge in edges)
    seen, real = (nf.live_field(nf.Solver(head, tolerance=1e-4), coil) for head in (mapped, true))
    for side in HEADS[name]:
        rng = np.random.default_rng([seed, side == "left"])
        center = nf.Target.named(mapped, "m1-hand", side).center
        poses = sessions.random_poses(mapped, coil, center, count, rng)
        wanted = sessions.sites_of(true, side)
        which = [int(np.argmin(np.linalg.norm(real.points - site, axis=1))) for site in wanted.values()]
        chosen, order = np.unique(which, return_inverse=True)
        few, near = real.chosen(chosen), np.flatnonzero(np.linalg.norm(seen.points - center, axis=1) <= REACH)
        there = {}
        for times in (1.0, 2.0):
            stood = sessions.disturbed(true, coil, poses, rng, times)
            there[times] = few.magnitudes(stood, np.arange(len(chosen)))[:, order]
        sizes = seen.magnitudes(poses, near).T
        out.append(
            Pool(
                f"{name} {side}", list(wanted), real.points[which], seen.points[near], sizes, there,
                edge_at(mapped, center),
            )
        )  # fmt: skip
    return out


def kept_pools(path: Path | None, edges: tuple[float, float], count: int, seed: int) -> list[Pool]:
    """Those of a file, or made and kept there."""
    import pickle

    if path is not None and path.exists():
        return [Pool(**each) for each in pickle.loads(path.read_bytes())]
    out = [pool for name in HEADS for pool in pools_of(name, edges, count, seed)]
    if path is not None:
        path.write_bytes(pickle.dumps([asdict(pool) for pool in out], protocol=5))
    return out


def session(
    pool: Pool, site: int, pulses: int, times: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Fields (m, pulses), V/m, of poses drawn at random, and what the muscle answered, log10 uV."""
    drawn = rng.choice(pool.sizes.shape[1], pulses, replace=False)
    amplitudes, slopes = sessions.answers(pool.there[times][drawn, site], rng, times)
    return pool.sizes[:, drawn].astype(float) * slopes, logged(amplitudes)


def accuracy(pools: list[Pool], pulses: int, times: float, count: int, seed: int) -> tuple[Row, dict[str, float]]:
    """Distances of sessions, and shares: of areas that held the site, and of sessions and shuffled ones with a site."""
    distances, held, sites, shuffled, among, start = {}, 0, 0, 0, [], time.process_time()
    reset_peak()
    for pool in pools:
        for s, gyrus in enumerate(pool.gyri):
            nearest = np.argmin(np.linalg.norm(pool.points - pool.sites[s], axis=1))
            for k in range(count):
                rng = np.random.default_rng([seed, s, k, pulses, round(times)])
                fields, answers = session(pool, s, pulses, times, rng)
                fit = Fit.of(fields, answers)
                off = float(np.linalg.norm(pool.points[fit.best] - pool.sites[s]))
                distances.setdefault(f"{pool.name} {gyrus}", []).append(off)
                area = area_of(fit, pool.points, RESAMPLED, pool.edge, rng)
                held, among = held + bool(area[nearest]), [*among, np.count_nonzero(area)]
                sites += chance_of(fields, answers, rng) <= CHANCE
                shuffled += chance_of(fields, rng.permutation(answers), rng) <= CHANCE
    every = np.concatenate(list(distances.values()))
    note = (
        f"median {np.median(every):.1f} mm, 90 % within {np.percentile(every, 90):.1f}; area holds {held}, a site "
        f"{sites}, shuffled {shuffled} of {len(every)}; points of the area {np.median(among):.0f}"
    )
    name, each = f"map {pulses} pulses noise x{times:g}", (time.process_time() - start) / len(every)
    row = Row(name, len(pools[0].points), each, peak_since_reset() / 1e6, error=float(np.median(every)), note=note)
    print(
        shown(row),
        *(f"    {where}: median {np.median(values):.1f} mm" for where, values in distances.items()),
        sep="\n",
    )
    return row, {name: value / len(every) for name, value in (("held", held), ("sites", sites), ("shuffled", shuffled))}


def path_of(pool: Pool, site: int, suggested: bool, rng: np.random.Generator) -> list[float]:
    """Distances from the truth after 20, 30, ... pulses; suggested ones after the first, or random ones."""
    amplitudes, slopes = sessions.answers(pool.there[1.0][:, site], rng)
    order = list(rng.permutation(pool.sizes.shape[1]))
    used, left, out = order[:FIRST], order[FIRST : FIRST + 400], []
    while len(used) <= MOST:
        fit = Fit.of(pool.sizes[:, used].astype(float) * slopes[used], logged(amplitudes[used]))
        out.append(float(np.linalg.norm(pool.points[fit.best] - pool.sites[site])))
        pick = np.arange(STEP)
        if suggested:
            likely = doubts(fit.residual, len(used), fit.misfit(FIELD_ERROR * pool.edge))
            some = np.flatnonzero(likely >= LEAST_WEIGHT * likely.max())
            offered = pool.sizes[np.ix_(some, left)].astype(float) * slopes[left]
            pick = choice(fit.curves[some], offered, likely[some], fit.noise, STEP)
        taken = {left[i] for i in pick}
        used, left = [*used, *taken], [each for each in left if each not in taken]
    return out


def needed(paths: np.ndarray) -> np.ndarray:
    """Pulses from which the site stays within 5 mm of the truth, of paths (n, rounds); the most where it never does.

    Some sites are never told to 5 mm, for the field there hardly varies with the pose: medians know them, means do not.
    """
    far = paths > REACHED
    last = np.where(far.any(axis=1), paths.shape[1] - np.argmax(far[:, ::-1], axis=1), 0)
    return np.minimum(FIRST + STEP * last, MOST)


def suggestions(pools: list[Pool], count: int, seed: int) -> list[Row]:
    """Pulses until the site is within 5 mm, by random and by suggested ones, of the same sessions."""
    out, found = [], {}
    for name, suggested in (("random", False), ("suggested", True)):
        reset_peak()
        start = time.process_time()
        paths = np.array([
            path_of(pool, s, suggested, np.random.default_rng([seed, s, k, 7]))
            for pool in pools for s in range(len(pool.gyri)) for k in range(count)
        ])  # fmt: skip
        found[name] = paths
        middle = np.median(paths, axis=0)
        typical = needed(middle[None])[0]
        stays = needed(paths)
        note = (
            f"median distance stays within {REACHED:g} mm from {typical} pulses; each session's own: median "
            f"{np.median(stays):.0f}, mean {stays.mean():.1f} of {len(paths)}; within it after 40, 60, 100: "
            + ", ".join(f"{np.mean(paths[:, (n - FIRST) // STEP] <= REACHED):.0%}" for n in (40, 60, 100))
        )
        each = (time.process_time() - start) / len(paths)
        out.append(
            Row(
                f"next {name}",
                len(pools[0].points),
                each,
                peak_since_reset() / 1e6,
                error=float(stays.mean()),
                note=note,
            )
        )
    fewer = 1 - np.median(needed(found["suggested"])) / np.median(needed(found["random"]))
    sessions_of = len(found["random"])
    print(f"suggested pulses reach {REACHED:g} mm with {fewer:.0%} fewer, in the median of {sessions_of} sessions")
    return out


def speed(edges: tuple[float, float], processor: bool) -> list[Row]:
    """A map of 300 pulses: by a live field at 20,000 points, and by solves against as many block solves of this run."""
    clock = time.process_time if processor else time.perf_counter
    head, coil = nf.example_head("colin27", edge=edges[0]), nf.load_coil("figure8-70mm")
    solver, rng = nf.Solver(head, tolerance=1e-4), np.random.default_rng(3)
    center = nf.Target.named(head, "m1-hand", "left").center
    live = nf.live_field(solver, coil)
    poses = sessions.random_poses(head, coil, center, PULSES, rng)
    at = int(np.argmin(np.linalg.norm(live.points - center, axis=1)))
    amplitudes, slopes = sessions.answers(live.magnitudes(poses, np.array([at]))[:, 0], rng)
    pulses = nf.Pulses("FDI", poses, slopes, amplitudes)
    reach = float(np.sort(np.linalg.norm(live.points - center, axis=1))[min(POINTS, len(live.points) - 1)]) + 5.0
    out = []
    for name, source, given in (
        ("map live", live, {"head": head, "reach": reach}), ("map solves", solver, {}),
    ):  # fmt: skip
        reset_peak()
        start = clock()
        found = nf.motor_map(source, coil, pulses, **given)
        seconds, peak = clock() - start, peak_since_reset() / 1e6
        error = float(np.linalg.norm(found.best - live.points[at]))
        note = f"the error is mm; the live field took {live.report.seconds:.0f} s"
        if name == "map solves":
            start = clock()
            for _ in solver.solve_each(coil, pulses.placements):
                pass
            error, note = seconds / (clock() - start), f"the error is the ratio to {PULSES} block solves of this run"
        note += f"; {len(found.points)} points, {PULSES} pulses, {RESAMPLED} resampled"
        note += "; seconds of the processor" if processor else ""
        out.append(Row(name, len(head.mesh.nodes), seconds, peak, error=error, note=note))
    return out


def main(arguments: list[str] | None = None) -> list[Row]:
    """Run what is asked for, print it and keep it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--small", action="store_true", help="coarse meshes")
    parser.add_argument("--keep", type=Path, help="file of the poses' fields, made when it is not there")
    parser.add_argument("--sessions", type=int, default=12, help="of each site")
    parser.add_argument("--poses", type=int, default=1500, help="of each side, that sessions draw from")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--next", action="store_true", help="pulses needed, random and suggested")
    parser.add_argument("--speed", action="store_true", help="seconds and memory of one map")
    parser.add_argument("--cpu", action="store_true", help="seconds of the processor, on a machine that is busy")
    given = parser.parse_args(arguments)
    edges, rows = SMALL if given.small else EDGES, []
    if given.speed:
        rows = speed(edges, given.cpu)
    else:
        pools = kept_pools(given.keep, edges, given.poses, given.seed)
        if given.next:
            rows = suggestions(pools, given.sessions, given.seed)
        else:
            for times in (1.0, 2.0):
                for pulses in (200, 60):
                    rows.append(accuracy(pools, pulses, times, given.sessions, given.seed)[0])
    if given.next or given.speed:
        for row in rows:
            print(shown(row))
    keep(RESULTS, rows, {})
    return rows


if __name__ == "__main__":
    main()
