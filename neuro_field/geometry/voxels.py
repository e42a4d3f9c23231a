"""Where the voxels of an image lie: the one check of its affine."""

import numpy as np

from neuro_field.arrays import FARTHEST, FloatArray
from neuro_field.errors import InputError

#: Edges of voxels, mm, that an image of a head can have: beyond them the header counts in another unit.
VOXELS = (0.2, 10.0)

#: Volume of a voxel over the product of its edges; less means that its axes are sheared.
LEAST_SQUARE = 0.9


def as_affine(
    affine: object, what: str, *, voxels: tuple[float, float] = VOXELS, square: float = LEAST_SQUARE
) -> FloatArray:
    """A voxel-to-millimetre affine: finite, invertible, with voxels of a size that can be and perpendicular axes.

    ``voxels``: shortest and longest edge, mm, where it is not an image of a head; ``square``: least `LEAST_SQUARE`.
    """
    try:
        matrix = np.array(affine, dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError(f"Input {what} must be a 4x4 matrix; instead received a {type(affine).__name__}.") from None
    if (
        matrix.shape != (4, 4)
        or not (np.abs(matrix) <= FARTHEST).all()
        or np.abs(matrix[3] - [0, 0, 0, 1]).max() > 1e-9
    ):
        raise InputError(
            f"Input {what} must be a 4x4 affine (voxel to mm) of numbers up to {FARTHEST:g}; instead shape "
            f"{matrix.shape}, {np.abs(matrix).max(initial=0):.3g} the largest."
        )
    sizes = voxel_sizes(matrix)
    if sizes.min() < voxels[0] or sizes.max() > voxels[1]:
        raise InputError(
            f"Input {what} must have voxels of {voxels[0]:g} to {voxels[1]:g} mm; instead "
            f"{np.round(sizes, 4).tolist()} (metres or micrometres in the header?)."
        )
    volume = abs(float(np.linalg.det(matrix[:3, :3]))) / float(sizes.prod())
    if volume < square:
        raise InputError(f"Input {what} must have perpendicular axes; instead they are sheared ({volume:.2f} of 1).")
    return matrix


def voxel_sizes(affine: FloatArray) -> FloatArray:
    """(3,) voxel edge lengths, mm."""
    return np.asarray(np.linalg.norm(affine[:3, :3], axis=0), dtype=np.float64)
