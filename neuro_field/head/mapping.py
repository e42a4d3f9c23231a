"""The map between a head and MNI152 space; how it is found is for the room ``mri``."""

from dataclasses import dataclass

import numpy as np

from neuro_field.arrays import FloatArray, as_points, read_only, transformed
from neuro_field.errors import InputError


@dataclass(frozen=True, eq=False)
class AffineMapping:
    """An affine map to MNI152.

    Parameters
    ----------
    mni_from_head : (4, 4) array
        mm to mm; must be invertible and must not mirror.
    source : str
        How it was found, for reports.
    """

    mni_from_head: FloatArray
    source: str = "given"

    def __post_init__(self) -> None:
        matrix = read_only(self.mni_from_head, np.float64)
        object.__setattr__(self, "mni_from_head", matrix)
        if matrix.shape != (4, 4) or not np.isfinite(matrix).all():
            raise InputError(f"Input mni_from_head must be a finite 4x4 matrix; instead received {matrix.shape}.")
        scale = float(np.linalg.det(matrix[:3, :3]))
        if not 0.2 < scale < 5.0:
            raise InputError(f"Input mni_from_head must scale volumes by 0.2 to 5 (no mirror); instead by {scale:.3g}.")

    def to_mni(self, points: FloatArray) -> FloatArray:
        """Points (m, 3) of the head frame, carried to MNI152, mm."""
        return transformed(as_points(points, "points of to_mni"), self.mni_from_head)

    def from_mni(self, points: FloatArray) -> FloatArray:
        """Points (m, 3) of MNI152, carried to the head frame, mm."""
        head_from_mni = np.linalg.inv(self.mni_from_head).astype(np.float64)
        return transformed(as_points(points, "points of from_mni"), head_from_mni)
