"""What is wrong with a pose that came from elsewhere: a navigator, another program, a file in another frame.

Coil frames differ between programs, and a wrong one looks right in the numbers.  Every fault is one line with the
number and the likely cause; none means that the pose is sound, not that it is the one that was meant.
"""

from typing import Any

import numpy as np

from neuro_field.arrays import FloatArray
from neuro_field.coil.coil import Coil
from neuro_field.coil.fit import lifts_to_clear
from neuro_field.coil.placement import Placement
from neuro_field.errors import InputError
from neuro_field.geometry.mesh import Surface

#: Limits beyond which a pose is called wrong: length of axes, their angles and the tilt in degrees, distances in mm.
SCALE, SHEAR, TILT = 0.001, 0.1, 45.0
DEEPEST, FARTHEST = 2.0, 40.0


def pose_faults(head_from_coil: Any, scalp: Surface, coil: Coil | None = None) -> tuple[str, ...]:
    """Everything that is wrong with a pose, a line each; empty when nothing is.

    Parameters
    ----------
    head_from_coil : (4, 4) array
        mm, columns x, y, z and centre of the coil in the head frame; need not be rigid.
    scalp : Surface
        mm, head frame, closed, normals outwards.
    coil : Coil, optional
        Given one with a casing, whether that cuts the scalp.

    Raises
    ------
    InputError
        If it is no finite 4x4 matrix with a last row of 0 0 0 1.

    Examples
    --------
    >>> from neuro_field.geometry.mesh import Surface
    >>> tent = Surface([[-90, -90, 0], [90, -90, 0], [0, 90, 0], [0, 0, 80.0]],
    ...                [[0, 2, 1], [0, 1, 3], [1, 2, 3], [2, 0, 3]])
    >>> pose_faults(np.diag([2.0, 2.0, 2.0, 1.0]) + np.eye(4, k=3) * 500.0, tent)[0]
    'The axes have lengths 2, 2, 2: scaled, where 1 is due; voxels or another unit?'
    """
    matrix = _matrix(head_from_coil)
    axes, centre = matrix[:3, :3], matrix[:3, 3]
    if np.array_equal(matrix, np.eye(4)):
        return ("The matrix is the identity: a marker that was never tracked.",)
    faults = _shape_faults(axes)
    distance = _signed_distance(scalp, centre)
    if distance < -DEEPEST:
        faults.append(
            f"The centre lies {-distance:.1f} mm inside the head; another origin, or a tip instead of a coil?"
        )
    elif distance > FARTHEST:
        faults.append(
            f"The centre lies {distance:.0f} mm from the scalp, farther than {FARTHEST:g} mm{_guess(scalp, centre)}."
        )
    else:
        faults += _tilt_faults(axes, scalp.smoothed_normal(centre))
    if coil is not None and coil.casing is not None and not faults:
        lift = float(lifts_to_clear(scalp.points, coil.casing, matrix[None])[0])
        if lift > 1.0:
            faults.append(
                f"The casing of {coil.name} cuts {lift:.1f} mm into the scalp; lift or tilt it, or check the coil."
            )
    return tuple(faults)


def checked_placement(head_from_coil: Any, scalp: Surface, coil: Coil | None = None) -> Placement:
    """The placement of a pose without faults.

    Raises
    ------
    InputError
        With the first of `pose_faults`.
    """
    faults = pose_faults(head_from_coil, scalp, coil)
    if faults:
        more = f" ({len(faults) - 1} more)" if len(faults) > 1 else ""
        raise InputError(f"The pose cannot be used: {faults[0]}{more}")
    return Placement(head_from_coil)


def _matrix(given: Any) -> FloatArray:
    try:
        matrix = np.array(given, dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError(f"A pose must be a 4x4 matrix of numbers; instead received {given!r:.60}.") from None
    if matrix.shape != (4, 4) or not np.isfinite(matrix).all() or np.abs(matrix[3] - [0, 0, 0, 1]).max() > 1e-9:
        raise InputError(f"A pose must be a finite 4x4 matrix, its last row 0 0 0 1; instead received {given!r:.60}.")
    return matrix


def _shape_faults(axes: FloatArray) -> list[str]:
    lengths = np.linalg.norm(axes, axis=0)
    faults = []
    if np.abs(lengths - 1).max() > SCALE:
        said = ", ".join(f"{length:.4g}" for length in lengths)
        faults.append(f"The axes have lengths {said}: scaled, where 1 is due; voxels or another unit?")
    if lengths.min() < 1e-6:
        return faults
    unit = axes / lengths
    cosines = np.array([unit[:, i] @ unit[:, j] for i, j in ((0, 1), (1, 2), (0, 2))])
    shear = float(np.degrees(np.abs(np.arcsin(np.clip(cosines, -1, 1))).max()))
    if shear > SHEAR:
        faults.append(
            f"The axes miss their right angles by up to {shear:.2g} degrees: sheared; an affine registration?"
        )
    determinant = float(np.linalg.det(unit))
    if determinant < 0:
        faults.append(
            f"The axes are left-handed (determinant {determinant:.2g}): mirrored; turn one axis round, or LPS for RAS?"
        )
    return faults


def _tilt_faults(axes: FloatArray, normal: FloatArray) -> list[str]:
    z = axes[:, 2] / max(float(np.linalg.norm(axes[:, 2])), 1e-12)
    tilt = float(np.degrees(np.arccos(np.clip(-(z @ normal), -1, 1))))
    if tilt > 180 - TILT:
        return [
            f"The z axis points out of the head, {tilt:.0f} degrees from the scalp's inward normal: flipped; "
            f"Brainsight and InVesalius need diag(-1, 1, -1, 1) from the right."
        ]
    if tilt > TILT:
        return [
            f"The z axis lies {tilt:.0f} degrees from the scalp's inward normal, more than {TILT:g}: axes in another "
            f"order? Localite's x is our z."
        ]
    return []


def _signed_distance(scalp: Surface, point: FloatArray) -> float:
    """Distance to the scalp, mm, negative inside (solid angle, van Oosterom & Strackee 1983).

    Within a centimetre to the plane of the nearest vertex, farther off to that vertex itself.
    """
    to_vertex, nearest = scalp.tree.query(point)
    to_plane = abs(float((point - scalp.points[nearest]) @ scalp.vertex_normals[nearest]))
    distance = to_plane if to_vertex < 10.0 else float(to_vertex)
    a, b, c = (scalp.points[scalp.triangles[:, i]] - point for i in range(3))
    la, lb, lc = (np.linalg.norm(side, axis=1) for side in (a, b, c))
    dot = [np.einsum("fi,fi->f", p, q) for p, q in ((a, b), (b, c), (c, a))]
    above = np.einsum("fi,fi->f", a, np.cross(b, c))
    below = la * lb * lc + dot[0] * lc + dot[1] * la + dot[2] * lb
    turns = float(np.arctan2(above, below).sum()) / (2 * np.pi)
    return -distance if turns > 0.5 else distance


def _guess(scalp: Surface, centre: FloatArray) -> str:
    """A frame in which the same centre would lie at the scalp."""
    others = {
        "in LPS instead of RAS": centre * [-1, -1, 1],
        "in metres instead of mm": centre * 1000.0,
    }
    for words, other in others.items():
        if float(scalp.tree.query(other)[0]) <= FARTHEST:
            return f"; as if it were {words}"
    return "; another frame or another head?"
