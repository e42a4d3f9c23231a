"""What is lost when the coil is not held exactly where it was planned."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from scipy.spatial.transform import Rotation

from neuro_field.arrays import FloatArray
from neuro_field.coil.coil import Coil
from neuro_field.coil.fit import lifts_to_clear
from neuro_field.coil.placement import Placement
from neuro_field.geometry.mesh import Surface
from neuro_field.reciprocity.response import Response

#: How far off a coil may be held: along the scalp, mm, and turned or tilted, degrees.
SHIFT, TURN = 5.0, 10.0

#: Directions in which it is shifted.
_DIRECTIONS = 8


@dataclass(frozen=True)
class Sensitivity:
    """The field in the target of misplaced coils, as shares of that of the placement itself.

    The coil is shifted by 5 mm along the scalp, turned by 10 degrees about its axis and tilted by 10 degrees about
    its own x or y: one at a time, and all together; where it would cut the scalp it is lifted off.

    Parameters
    ----------
    shift, turn, tilt : float
        Worst of those moved in this one way.
    worst, mean : float
        Of all combinations.
    """

    shift: float
    turn: float
    tilt: float
    worst: float
    mean: float


def sensitivity(
    response: Response, coil: Coil, scalp: Surface, placements: Sequence[Placement], gap: float = 0.0
) -> list[Sensitivity]:
    """How much each placement's field in the target suffers from misplacement.

    Parameters
    ----------
    response : Response
        Of the target.
    coil : Coil
        Whose casing must clear the scalp.
    scalp : Surface
    placements : sequence of Placement
    gap : float
        That the casing keeps from the scalp, mm.
    """
    moves, kinds = _moves()
    poses = np.concatenate([placement.head_from_coil @ moves for placement in placements])
    if coil.casing is not None:
        poses[:, :3, 3] -= lifts_to_clear(scalp.points, coil.casing, poses, clearance=gap)[:, None] * poses[:, :3, 2]
    strengths = response.strengths(poses).reshape(len(placements), len(moves))
    shares = strengths / strengths[:, :1]
    return [
        Sensitivity(
            shift=float(row[kinds == "shift"].min()),
            turn=float(row[kinds == "turn"].min()),
            tilt=float(row[kinds == "tilt"].min()),
            worst=float(row.min()),
            mean=float(row[1:].mean()),
        )
        for row in shares
    ]


def _moves() -> tuple[FloatArray, FloatArray]:
    """Rigid moves (m, 4, 4) in the coil's frame, the one that moves nothing first, and what kind each is."""
    around = 2 * np.pi * np.arange(_DIRECTIONS) / _DIRECTIONS
    shifts = [(0.0, 0.0), *((SHIFT * np.cos(a), SHIFT * np.sin(a)) for a in around)]
    turns = (0.0, -TURN, TURN)
    tilts = ((0.0, 0.0), (-TURN, 0.0), (TURN, 0.0), (0.0, -TURN), (0.0, TURN))
    moves, kinds = [], []
    for shift, turn, tilt in product(shifts, turns, tilts):
        move = np.eye(4)
        move[:3, :3] = Rotation.from_euler("ZXY", (turn, *tilt), degrees=True).as_matrix()
        move[:2, 3] = shift
        moves.append(move)
        moved = [name for name, value in (("shift", any(shift)), ("turn", turn != 0), ("tilt", any(tilt))) if value]
        kinds.append(moved[0] if len(moved) == 1 else "none" if not moved else "several")
    return np.array(moves), np.array(kinds)
