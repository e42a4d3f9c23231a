"""Sessions of motor mapping, simulated: poses, what the muscle at a true site answers, and what a navigator recorded.

The noise was fixed before the method (`docs/hotspot.md`): amplitudes vary by a log10 SD of 0.25, the
threshold by 5 % from pulse to pulse, recorded poses by 2 mm and 3 degrees along and about each of the coil's axes, and
one pulse in ten finds no answer.  True fields come from another mesh than the map's.
"""

import numpy as np
from scipy.spatial.transform import Rotation

import neuro_field as nf
from neuro_field.aim.aims import at_mni
from neuro_field.coil.fit import lifts_to_clear
from neuro_field.hotspot.exposure import cortex_around, fields_at

#: Of the simulation, never of the method: log10 of an amplitude, share of the threshold, mm, degrees, share of zeros.
LOG_SD, THRESHOLD_SD, MILLIMETRES, DEGREES, ZEROS = 0.25, 0.05, 2.0, 3.0, 0.1

#: The muscle: amplitudes far below and far above, uV, and how steeply log10 of them climbs per share of the midpoint.
LOWEST, HIGHEST, STEEP = 8.0, 3000.0, 9.0

#: MNI152 seeds on three gyri, left; the right ones are their mirror images.
GYRI = {"precentral": (-37, -21, 58), "postcentral": (-44, -31, 56), "middle-frontal": (-31, -5, 58)}

#: The patch of scalp that poses are drawn from, mm.
PATCH = 25.0


def random_poses(head, coil, center, count, rng, patch=PATCH):
    """(p, 4, 4) poses flat on the scalp, anywhere within the patch and turned anyhow."""
    above = head.scalp.points[head.scalp.tree.query(center)[1]]
    normal = head.scalp.smoothed_normal(above)
    u = np.cross(normal, [0.0, 1.0, 0.0])
    u /= np.linalg.norm(u)
    v = np.cross(normal, u)
    out = []
    for _ in range(count):
        radius, angle, turn = patch * np.sqrt(rng.random()), *(2 * np.pi * rng.random(2))
        place = above + radius * (np.cos(angle) * u + np.sin(angle) * v)
        towards = place + 80 * (np.cos(turn) * u + np.sin(turn) * v)
        out.append(nf.Placement.on(head.scalp, above=place, handle_towards=towards, coil=coil).head_from_coil)
    return np.stack(out)


def disturbed(head, coil, poses, rng, times=1.0):
    """Where the coil really was: recorded poses moved and turned by the noise, lifted off the scalp."""
    out = np.array(poses)
    for pose in out:
        step = np.eye(4)
        step[:3, 3] = times * MILLIMETRES * rng.standard_normal(3)
        step[:3, :3] = Rotation.from_rotvec(np.radians(times * DEGREES) * rng.standard_normal(3)).as_matrix()
        pose[:] = pose @ step
    out[:, :3, 3] -= lifts_to_clear(head.scalp.points, coil.casing, out)[:, None] * out[:, :3, 2]
    return out


def sites_of(head, side):
    """Name and (3,) point in the middle of the cortex, mm, of each true site that the head still has."""
    sign = 1 if side == "left" else -1
    out = {}
    for name, seed in GYRI.items():
        center = at_mni(head, np.array(seed) * [sign, 1, 1], 5.0, name=name).center
        points = cortex_around(head, center, 12.0)
        out[name] = points[np.argmin(np.linalg.norm(points - center, axis=1))]
    return out


def true_fields(solver, coil, poses, sites):
    """(p, k) |E| at the sites, V/m at 1 A/us."""
    placements = [nf.Placement(pose) for pose in poses]
    return np.linalg.norm(fields_at(solver, coil, placements, np.stack(list(sites.values()))), axis=2)


def answers(true, rng, times=1.0, intensity=None):
    """Amplitudes, uV, of pulses whose true |E| at the site are (p,) V/m at 1 A/us, and their slopes, A/us.

    The intensity is set once for the session as an experimenter would, so that pulses right over the site answer well:
    the midpoint of the muscle's curve lies at 0.7 of the 95th percentile.
    """
    slope = 70.0 if intensity is None else intensity
    field = slope * true
    midpoint = 0.7 * np.percentile(field, 95)
    threshold = midpoint * (1 + times * THRESHOLD_SD * rng.standard_normal(len(field)))
    rise = 1 / (1 + np.exp(-STEEP * (field / threshold - 1)))
    log = np.log10(LOWEST) + (np.log10(HIGHEST) - np.log10(LOWEST)) * rise
    amplitudes = 10 ** (log + times * LOG_SD * rng.standard_normal(len(field)))
    amplitudes[rng.random(len(field)) < times * ZEROS] = 0.0
    return amplitudes, np.full(len(field), slope)
