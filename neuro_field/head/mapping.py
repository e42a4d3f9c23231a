"""The map between a head and MNI152 space; how it is found is for the room ``mri``."""

from functools import cached_property
from itertools import product
from typing import Protocol

import numpy as np
from scipy.ndimage import map_coordinates

from neuro_field.arrays import AnyArray, FloatArray, as_points, read_only, transformed
from neuro_field.errors import InputError
from neuro_field.names import LONGEST_SOURCE, one_line
from neuro_field.nouns import noun

#: A warp is inverted to this distance, mm.
INVERTED = 1e-3

#: Newton steps towards one place at most, and into how many places the way is divided where they go round in a circle.
MOST_STEPS = 30
DIVISIONS = (1, 8, 64, 512)

#: No number of a map to MNI is larger, mm and parts of axes: a scanner is a thousand.
FARTHEST = 1e5


class MniMapping(Protocol):
    """What a head needs of its map to MNI152: an `AffineMapping` or a `WarpedMapping`."""

    @property
    def mni_from_head(self) -> AnyArray:
        """(4, 4) the affine map, or the affine part of a warp; mm to mm."""

    @property
    def source(self) -> str:
        """How it was found, for reports."""

    def to_mni(self, points: FloatArray) -> FloatArray:
        """Points (m, 3) of the head frame, carried to MNI152, mm."""

    def from_mni(self, points: FloatArray) -> FloatArray:
        """Points (m, 3) of MNI152, carried to the head frame, mm."""


@noun
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
        object.__setattr__(self, "source", one_line(self.source, LONGEST_SOURCE))
        if matrix.shape != (4, 4) or not (np.abs(matrix) <= FARTHEST).all():  # false for NaN too
            raise InputError(
                f"Input mni_from_head must be a 4x4 matrix of numbers up to {FARTHEST:g}; instead received one of "
                f"shape {matrix.shape} and up to {float(np.abs(matrix).max(initial=0.0)):.3g}."
            )
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


@noun
class WarpedMapping:
    """A non-linear map to MNI152: an affine one, and a displacement of MNI space before it.

    A point y of MNI space comes from ``affine.from_mni(y + u(y))``; u is interpolated linearly between grid points and
    keeps its value beyond the grid. The way to MNI is the inverse of this, found by Newton's method; where its steps go
    round in a circle between cells, the wanted place is approached in small pieces.

    Parameters
    ----------
    affine : AffineMapping
    displacement : (i, j, k, 3) array
        u on a grid of MNI space, mm.
    mni_from_voxel : (4, 4) array
        Grid index to MNI152 mm.
    source : str
        How it was found, for reports.

    Raises
    ------
    InputError
        On shapes that do not fit, numbers that are not finite, or a displacement that folds: y + u(y) must keep the
        orientation of every corner of every grid cell, and beyond the grid (a positive Jacobian determinant), or it has
        no inverse.
    """

    affine: AffineMapping
    displacement: AnyArray
    mni_from_voxel: FloatArray
    source: str = "given"

    def __post_init__(self) -> None:
        object.__setattr__(self, "displacement", read_only(self.displacement, np.float32))
        object.__setattr__(self, "mni_from_voxel", read_only(self.mni_from_voxel, np.float64))
        object.__setattr__(self, "source", one_line(self.source, LONGEST_SOURCE))
        u, grid = self.displacement, self.mni_from_voxel
        if u.ndim != 4 or u.shape[3] != 3 or min(u.shape) < 2:
            raise InputError(f"Input displacement must have shape (i, j, k, 3); instead received {u.shape}.")
        if not (np.abs(u) <= FARTHEST).all():  # false for NaN too
            raise InputError(
                f"Input displacement must be finite, up to {FARTHEST:g} mm; instead it reaches {np.abs(u).max():.3g}."
            )
        if grid.shape != (4, 4) or not (np.abs(grid) <= FARTHEST).all() or np.linalg.det(grid[:3, :3]) == 0:
            raise InputError(
                f"Input mni_from_voxel must be an invertible 4x4 matrix of numbers up to {FARTHEST:g}; it is not."
            )
        least, folded = least_jacobian(u, grid)
        if folded:
            raise InputError(
                f"Input displacement must not fold; instead its Jacobian determinant falls to {least:.2f} and is not "
                f"positive in {folded} cells: smooth it, or use the affine map."
            )

    @property
    def mni_from_head(self) -> FloatArray:
        """(4, 4) the affine part, mm to mm."""
        return self.affine.mni_from_head

    @cached_property
    def _voxel_from_mni(self) -> FloatArray:
        return read_only(np.linalg.inv(self.mni_from_voxel))

    @cached_property
    def _components(self) -> AnyArray:
        """The displacement as three images."""
        return read_only(np.moveaxis(self.displacement, 3, 0))

    def from_mni(self, points: FloatArray) -> FloatArray:
        """Points (m, 3) of MNI152, carried to the head frame, mm."""
        points = as_points(points, "points of from_mni")
        return self.affine.from_mni(points + self._displacement(points))

    def to_mni(self, points: FloatArray) -> FloatArray:
        """Points (m, 3) of the head frame, carried to MNI152, mm; the inverse of `from_mni` to a thousandth of a mm."""
        wanted = self.affine.to_mni(points)
        found = wanted - self._displacement(wanted)
        left = np.arange(len(wanted))
        for pieces in DIVISIONS:
            start = found[left] + self._displacement(found[left])
            for share in np.linspace(0, 1, pieces + 1)[1:, None]:
                found[left] = self._nearer(found[left], start + share * (wanted[left] - start))
            error = np.linalg.norm(found[left] + self._displacement(found[left]) - wanted[left], axis=1)
            left = left[error > INVERTED]
            if not len(left):
                return found
        raise InputError(
            f"The warp to MNI could not be inverted at {len(left)} of {len(wanted)} points, by up to "
            f"{error.max():.2g} mm after {DIVISIONS[-1]} times {MOST_STEPS} steps; use the affine map."
        )

    def _nearer(self, found: FloatArray, wanted: FloatArray) -> FloatArray:
        """Points y (m, 3) moved by Newton's method until y + u(y) is as wanted, none by more than a cell at once."""
        found, left = found.copy(), np.arange(len(found))
        longest = float(np.linalg.norm(self.mni_from_voxel[:3, :3], axis=0).max())
        for _ in range(MOST_STEPS):
            error = found[left] + self._displacement(found[left]) - wanted[left]
            far = np.linalg.norm(error, axis=1) > INVERTED
            left, error = left[far], error[far]
            if not len(left):
                break
            move = np.linalg.solve(np.eye(3) + self._slope(found[left]), error[..., None])[..., 0]
            move *= np.minimum(1.0, longest / np.maximum(np.linalg.norm(move, axis=1), 1e-12))[:, None]
            found[left] -= move
        return found

    def _displacement(self, points: FloatArray) -> FloatArray:
        """u (m, 3) at MNI points, mm."""
        voxels = transformed(points, self._voxel_from_mni).T
        out = np.empty((len(points), 3))
        for component, values in zip(self._components, out.T, strict=True):
            map_coordinates(component, voxels, output=values, order=1, mode="nearest")
        return out

    def _slope(self, points: FloatArray) -> FloatArray:
        """(m, 3, 3) how component a of u changes along axis b at MNI points, per mm."""
        shape = np.array(self.displacement.shape[:3])
        voxels = transformed(points, self._voxel_from_mni)
        inside = np.clip(voxels, 0, shape - 1)
        first = np.minimum(inside.astype(np.int64), shape - 2)
        (i, j, k), end = first.T[:, :, None, None, None], np.arange(2)
        corners = self.displacement[i + end[:, None, None], j + end[:, None], k + end].astype(np.float64)
        slope = np.empty((len(points), 3, 3))
        for axis in range(3):
            along = np.diff(corners, axis=1 + axis)
            for other in (other for other in range(3) if other != axis):
                share = (inside - first)[:, other, None, None, None, None]
                low, high = np.split(along, 2, axis=1 + other)
                along = low + share * (high - low)
            slope[:, :, axis] = along[:, 0, 0, 0] * (inside == voxels)[:, axis, None]
        return slope @ self._voxel_from_mni[:3, :3]


def least_jacobian(displacement: AnyArray, mni_from_voxel: FloatArray) -> tuple[float, int]:
    """The least Jacobian determinant of y + u(y) at the corners of all grid cells, and how many cells fold.

    A row of cells beyond the grid, where u keeps its value, is looked at too.
    """
    displacement = np.pad(displacement, ((1, 1), (1, 1), (1, 1), (0, 0)), mode="edge")
    axes = mni_from_voxel[:3, :3].astype(displacement.dtype)
    edges = [np.diff(displacement, axis=axis) + axes[:, axis] for axis in range(3)]
    volume = float(np.linalg.det(mni_from_voxel[:3, :3]))
    least, folds = np.inf, np.zeros([n - 1 for n in displacement.shape[:3]], dtype=bool)
    for corner in product((0, 1), repeat=3):
        a, b, c = (edges[axis][_beside(corner, axis)] for axis in range(3))
        determinant = np.einsum("...i,...i->...", a, np.cross(b, c)) / volume
        least = min(least, float(determinant.min()))
        folds |= determinant <= 0
    return least, int(np.count_nonzero(folds))


def _beside(corner: tuple[int, ...], axis: int) -> tuple[slice, ...]:
    """Which of the edges along an axis start at, or lead to, one corner of each cell."""
    return tuple(
        slice(None) if other == axis else slice(1, None) if end else slice(-1) for other, end in enumerate(corner)
    )
