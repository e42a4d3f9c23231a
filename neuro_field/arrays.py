"""The arrays that rooms hand to one another: their types, and the checks made where a person passes them in."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuro_field.errors import InputError

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int32]
BoolArray = NDArray[np.bool_]
AnyArray = NDArray[Any]


#: No coordinate is larger, in any unit, nor is a part of a pose: what is beyond comes of damage, and overflows.
FARTHEST = 1e9


def read_only(array: Any, dtype: Any = None) -> AnyArray:
    """A C-ordered array that nobody can write to: the same memory when it already is one, else a copy."""
    given = np.asarray(array)
    out = np.ascontiguousarray(given, dtype=dtype if dtype is not None else given.dtype)
    if out.flags.writeable:
        if out is array or out.base is not None:
            out = out.copy()
        out.flags.writeable = False
    return out


def sealed(array: AnyArray) -> AnyArray:
    """An array that its maker hands out for good: the same memory, which nobody can write to from now on."""
    array.flags.writeable = False
    return array


def unwritable(array: AnyArray) -> AnyArray:
    """A C-ordered view nobody writes through: kernels are compiled anew for each mixture of these and others."""
    view = np.ascontiguousarray(array).view()
    view.flags.writeable = False
    return view


def as_points(points: Any, what: str) -> FloatArray:
    """Points as a finite (m, 3) float64 array in the unit they came in.

    ``what`` names the argument in the message, as in ``"points of Coil.dadt"``.
    """
    try:
        out = np.ascontiguousarray(points, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        raise InputError(f"Input {what} must be numbers of shape (m, 3); instead received {points!r:.80}.") from None
    if out.ndim != 2 or out.shape[1] != 3:
        raise InputError(f"Input {what} must have shape (m, 3); instead received shape {out.shape}.")
    bad = int(np.count_nonzero(~(np.abs(out) <= FARTHEST).all(axis=1)))  # NaN is none that is
    if bad:
        raise InputError(f"Input {what} must be finite, up to {FARTHEST:g}; instead {bad} of {len(out)} are not.")
    return out


def as_vector(vector: Any, what: str) -> FloatArray:
    """One finite vector or point as a (3,) float64 array."""
    try:
        out = np.array(vector, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        raise InputError(f"Input {what} must be three numbers; instead received {vector!r:.80}.") from None
    if out.shape != (3,) or not (np.abs(out) <= FARTHEST).all():
        raise InputError(
            f"Input {what} must be three finite numbers up to {FARTHEST:g}; instead received {vector!r:.80}."
        )
    return out


def unit(vector: Any, what: str) -> FloatArray:
    """A (3,) vector scaled to length one; refuses the zero vector."""
    out = as_vector(vector, what)
    length = float(np.linalg.norm(out))
    if length < 1e-12:
        raise InputError(f"Input {what} must have a direction; instead received a vector of length {length:.1e}.")
    return out / length


def as_rigid(matrix: Any, what: str, tolerance: float = 1e-3) -> FloatArray:
    """A proper rigid 4x4 transform; says by how much a sheared, scaled or mirrored one fails."""
    try:
        out = np.array(matrix, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        raise InputError(f"Input {what} must be a 4x4 matrix; instead received {matrix!r:.80}.") from None
    if out.shape != (4, 4) or not (np.abs(out) <= FARTHEST).all():
        raise InputError(
            f"Input {what} must be a finite 4x4 matrix, numbers up to {FARTHEST:g}; instead received shape {out.shape}."
        )
    if np.abs(out[3] - [0, 0, 0, 1]).max() > 1e-9:
        raise InputError(f"The last row of {what} must be 0 0 0 1; instead received {out[3]}.")
    rotation = out[:3, :3]
    lengths = np.linalg.norm(rotation, axis=0)
    if np.abs(lengths - 1).max() > tolerance:
        raise InputError(f"The axes of {what} must have length 1; instead they have {np.round(lengths, 4)} (scaled).")
    shear = float(np.abs(rotation.T @ rotation - np.eye(3)).max())
    if shear > tolerance:
        raise InputError(f"The axes of {what} must be perpendicular; instead they miss by {shear:.2g} (sheared).")
    if np.linalg.det(rotation) < 0:
        raise InputError(f"The axes of {what} must be right-handed; instead the determinant is -1 (mirrored).")
    return out


def transformed(points: FloatArray, matrix: FloatArray) -> FloatArray:
    """Points (m, 3) carried by a 4x4 transform, ``b_from_a`` applied to points in a."""
    return points @ matrix[:3, :3].T + matrix[:3, 3]
