"""Where a coil may stand while it is moved by hand: anywhere over the brain, turned, tilted and lifted."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from neuro_field.aim.scalp import Spots, anatomical_axes, overall
from neuro_field.arrays import FloatArray
from neuro_field.coil.coil import Coil
from neuro_field.coil.fit import lifts_to_clear
from neuro_field.coil.placement import Placement
from neuro_field.errors import InputError
from neuro_field.field.solver import Solver
from neuro_field.head.model import HeadModel

#: Positions on the scalp are this far apart, mm; ...
SPACING = 4.0

#: ... gaps (hair, cap, a hand that hesitates) lie between these, mm, and tilts up to this, degrees.
GAPS, TILT = (2.0, 15.0), 15.0

#: A casing may press this far into the scalp, mm: just less than a solver refuses.
PRESSED = 2.5

#: A clearance above every room that a casing has over the scalp, mm.
_HIGH = 500.0


@dataclass(frozen=True)
class Range:
    """How far a coil strays: gaps between two lengths, mm, and tilts up to an angle, degrees."""

    gaps: tuple[float, float] = GAPS
    tilt: float = TILT


def spots_over(head: HeadModel) -> Spots:
    """Positions all over the scalp that lies over the brain."""
    mesh = head.mesh
    shared = np.bincount(mesh.tets[head.region("intracranial")].ravel(), minlength=len(mesh.nodes))
    middle = shared @ mesh.nodes / shared.sum()
    return overall(head, middle + 150.0 * anatomical_axes(head)[2], SPACING)


def poses_over(
    head: HeadModel, spots: Spots, coil: Coil, count: int, rng: np.random.Generator, within: Range | None = None
) -> FloatArray:
    """Poses (p, 4, 4), mm, at random over positions on a head's scalp (`spots_over`), in any direction.

    Where a casing would cut the scalp it is lifted: half of them until it has its gap all over, half until it is
    pressed in as far as hair and skin give way.  Some may still be where a solver refuses them.
    """
    within = within or Range()
    which = rng.integers(len(spots), size=count)
    turns = Rotation.from_rotvec(np.outer(rng.uniform(0, 2 * np.pi, count), [0.0, 0.0, 1.0]))
    angle, towards = np.radians(within.tilt) * np.sqrt(rng.uniform(size=count)), rng.uniform(0, 2 * np.pi, count)
    axes = np.stack([np.cos(towards), np.sin(towards), np.zeros(count)], axis=1)
    gaps = rng.uniform(*within.gaps, count)
    clearances = np.where(rng.uniform(size=count) < 0.5, -PRESSED, gaps)
    poses = np.tile(np.eye(4), (count, 1, 1))
    poses[:, :3, :3] = spots.frames[which] @ turns.as_matrix() @ Rotation.from_rotvec(angle[:, None] * axes).as_matrix()
    poses[:, :3, 3] = spots.points[which] + gaps[:, None] * spots.normals[which]
    if coil.casing is not None:
        needed = lifts_to_clear(head.scalp.points, coil.casing, poses, _HIGH) - _HIGH  # all at once; negative: room
        poses[:, :3, 3] -= np.maximum(needed + clearances, 0.0)[:, None] * poses[:, :3, 2]
    return poses


def allowed(solver: Solver, coil: Coil, poses: FloatArray) -> Iterator[Placement]:
    """Of some poses those at which the coil is outside the head."""
    for pose in poses:
        placement = Placement(pose)
        try:
            yield solver.checked(coil, placement)
        except InputError:
            continue
