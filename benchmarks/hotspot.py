"""How well motor maps find true sites in simulated sessions; `docs/hotspot.md` has the table.

Usage: python benchmarks/hotspot.py [--sessions 17] [--poses 400] [--next]
"""

import argparse
import sys
from pathlib import Path

import numpy as np

import neuro_field as nf

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
import hotspot_sessions as sessions

from neuro_field.hotspot import motor_map as mapping
from neuro_field.hotspot.curves import curve_everywhere, curves_of, logged
from neuro_field.hotspot.exposure import cortex_around, fields_at
from neuro_field.hotspot.next_pulses import foretold, telling

#: Finest edges of the meshes of truth and map, mm.
TRUE_EDGE, MAP_EDGE = 3.0, 4.0


def pool(side, count):
    """Poses of one side, the sites, true |E| there by times the noise, map points and |E| (m, p) there, and an edge."""
    coil, rng = nf.load_coil("figure8-70mm"), np.random.default_rng(5 if side == "left" else 6)
    mapped, true = (nf.example_head("colin27-stroke", edge=edge) for edge in (MAP_EDGE, TRUE_EDGE))
    sites = sessions.sites_of(true, side)
    center = nf.Target.named(mapped, "m1-hand", side).center
    poses = sessions.random_poses(mapped, coil, center, count, rng)
    points = cortex_around(mapped, center, mapping.REACH)
    fields = fields_at(nf.Solver(mapped), coil, [nf.Placement(pose) for pose in poses], points)
    solver = nf.Solver(true)
    there = {
        times: sessions.true_fields(solver, coil, sessions.disturbed(true, coil, poses, rng, times), sites)
        for times in (1.0, 2.0)
    }
    edge = mapping._edge(mapped, center)
    return np.stack(list(sites.values())), there, points, np.linalg.norm(fields, axis=2).T.astype(float), edge


def row(pools, pulses, times, count):
    """Distances, how often the area held the site, and how often shuffled answers had one."""
    distances, held, shuffled = [], 0, 0
    for sites, there, points, sizes, edge in pools:
        for s, site in enumerate(sites):
            nearest = np.argmin(np.linalg.norm(points - site, axis=1))
            for k in range(count):
                rng = np.random.default_rng([9, s, k])
                chosen = rng.choice(sizes.shape[1], pulses, replace=False)
                amplitudes, slopes = sessions.answers(there[times][chosen, s], rng, times)
                fields, answers = np.ascontiguousarray(sizes[:, chosen]) * slopes, logged(amplitudes)
                residual, curves = curve_everywhere(fields, answers)
                distances.append(np.linalg.norm(points[np.argmin(residual)] - site))
                area = mapping._area(fields, answers, residual, curves, mapping.RESAMPLED, rng)
                held += mapping._widened(points, area, edge)[nearest]
                shuffled += mapping._chance(fields, rng.permutation(answers), rng) <= mapping.CHANCE
    return np.array(distances), held, shuffled


def needed(pools, count, suggested, first=20, step=5, most=160):
    """Pulses until the site stays within 5 mm of the truth, of each session; suggested ones after the first."""
    out = []
    for sites, there, points, sizes, _ in pools:
        for s, site in enumerate(sites):
            for k in range(count):
                rng = np.random.default_rng([11, s, k])
                amplitudes, slopes = sessions.answers(there[1.0][:, s], rng)
                order = list(rng.permutation(sizes.shape[1]))
                used, left, near = order[:first], order[first:], []
                while len(used) <= most:
                    fields, answers = np.ascontiguousarray(sizes[:, used]) * slopes[used], logged(amplitudes[used])
                    residual, chosen = curve_everywhere(fields, answers)
                    near.append(np.linalg.norm(points[np.argmin(residual)] - site) <= 5.0)
                    pick = np.arange(step)
                    if suggested:
                        apart = len(used) * np.log(residual / residual.min())
                        likely = np.exp(-apart / 2)
                        some = np.flatnonzero(likely >= 1e-3)
                        at = sizes[np.ix_(some, left)] * slopes[left]
                        pick = telling(foretold(curves_of(fields, answers, chosen)[some], at), likely[some], 0.5, step)
                    used = used + [left[i] for i in pick]
                    left = [each for i, each in enumerate(left) if i not in set(pick)]
                late = np.flatnonzero(~np.array(near))
                out.append(first + step * (late[-1] + 1 if len(late) else 0))
    return np.array(out)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sessions", type=int, default=17)
    parser.add_argument("--poses", type=int, default=400)
    parser.add_argument("--next", action="store_true", help="Pulses needed, random and suggested.")
    given = parser.parse_args()
    pools = [pool(side, given.poses) for side in ("left", "right")]
    if given.next:
        for suggested in (False, True):
            found = needed(pools, given.sessions, suggested)
            print(f"{'suggested' if suggested else 'random'}: median {np.median(found):.0f}, mean {found.mean():.0f}")
        return
    for times in (1.0, 2.0):
        for pulses in (200, 60):
            distances, held, shuffled = row(pools, pulses, times, given.sessions)
            print(
                f"noise x{times:g}, {pulses} pulses: median {np.median(distances):.1f} mm, 90 % within "
                f"{np.percentile(distances, 90):.1f}; area holds {held} of {len(distances)}; shuffled with a site "
                f"{shuffled}"
            )


if __name__ == "__main__":
    main()
