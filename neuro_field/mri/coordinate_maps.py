"""Make a map to MNI152 of an image of coordinates, as SimNIBS and others leave it, whichever way it goes."""

import numpy as np
from scipy import ndimage

from neuro_field.arrays import AnyArray, FloatArray, transformed
from neuro_field.errors import InputError
from neuro_field.head.mapping import AffineMapping, WarpedMapping, least_jacobian
from neuro_field.mri.template import template

#: Points of the grid are kept at least this far apart, mm: maps to MNI are smooth.
SPACING = 2.0

#: Median distance, mm, between the coordinates and those of the affine map, over the brain: more is another head.
FARTHEST = 20.0

#: The wrong way must be this many times as far from the affine map as the right one, and so many mm more.
CLEARLY = (2.0, 2.0)

#: Widths of smoothing, mm, that are tried on coordinates that fold: rounding and cut tetrahedra leave such places.
WIDTHS = (0.0, 2.0, 4.0)


def coordinate_mapping(
    coordinates: AnyArray, affine: FloatArray, mapping: AffineMapping, where: str, brain: FloatArray
) -> WarpedMapping:
    """The map to MNI152 that an image of coordinates holds.

    An image on a grid of MNI space holds where in the head each voxel comes from, one on a grid of the head holds where
    in MNI152 it goes: whichever lies nearer to the affine map over the brain is taken, the second is inverted.
    Voxels of three zeros mean that nothing is known there; they move as the nearest voxel that is known.

    Parameters
    ----------
    coordinates : (i, j, k, 3) array
        mm.
    affine : (4, 4) array
        Voxel index to mm of the grid's own space.
    mapping : AffineMapping
        Of the same head.
    where : str
        The file, for messages and the mapping's ``source``.
    brain : (m, 3) array
        Points all over the brain, mm, head frame.

    Raises
    ------
    InputError
        If the coordinates are those of another head, both ways fit, or they fold even when they are smoothed by 4 mm.
    """
    values, grid = _thinned(coordinates, affine)
    unknown = (values == 0).all(axis=3)
    if unknown.all():
        raise InputError(f"The map {where} must hold coordinates in mm; instead every voxel is 0.")
    back = AffineMapping(np.asarray(np.linalg.inv(mapping.mni_from_head), dtype=np.float64), mapping.source)
    to_head = _gap(values, unknown, grid, mapping, mapping.to_mni(brain))
    to_mni = _gap(values, unknown, grid, back, brain)
    near, far = sorted((to_head, to_mni))
    if near > FARTHEST:
        raise InputError(
            f"The map {where} lies {near:.0f} mm away from {mapping.source} over the brain ({FARTHEST:.0f} mm at "
            "most); it belongs to another head: remove it to use the affine map."
        )
    if far < CLEARLY[0] * near + CLEARLY[1]:
        raise InputError(
            f"The map {where} does not tell which way it goes: read as a map from MNI it lies {to_head:.1f} mm from "
            f"{mapping.source} over the brain, read as a map to MNI {to_mni:.1f} mm; remove it to use the affine map."
        )
    if to_head < to_mni:
        return _unfolded(values, unknown, grid, mapping, where)
    reverse = _unfolded(values, unknown, grid, back, where)
    target = template()
    points = _points(target.image.shape, target.affine)
    found = mapping.to_mni(reverse.to_mni(points)) - points
    return _smooth_enough(found.reshape(*target.image.shape, 3), target.affine, mapping, reverse.source)


def _thinned(coordinates: AnyArray, affine: FloatArray) -> tuple[AnyArray, FloatArray]:
    """Every how many-th voxel of a grid finer than is needed."""
    sizes = np.linalg.norm(affine[:3, :3], axis=0)
    steps = [
        max(1, min(round(SPACING / size), (n - 1) // 2)) for size, n in zip(sizes, coordinates.shape, strict=False)
    ]
    thinned = coordinates[:: steps[0], :: steps[1], :: steps[2]].astype(np.float64)
    return thinned, affine @ np.diag([*map(float, steps), 1.0])


def _points(shape: tuple[int, ...], affine: FloatArray) -> FloatArray:
    """(m, 3) the points of a grid, mm."""
    return transformed(np.moveaxis(np.indices(shape[:3]), 0, -1).reshape(-1, 3).astype(np.float64), affine)


def _gap(values: AnyArray, unknown: AnyArray, grid: FloatArray, mapping: AffineMapping, at: FloatArray) -> float:
    """Median distance, mm, of coordinates at points of the grid's space from those ``mapping.from_mni`` gives there."""
    voxels = np.round(transformed(at, np.asarray(np.linalg.inv(grid), dtype=np.float64))).astype(np.int64)
    inside = ((voxels >= 0) & (voxels < values.shape[:3])).all(axis=1)
    voxels = voxels[inside]
    voxels = voxels[~unknown[tuple(voxels.T)]]
    if 2 * len(voxels) < len(at):
        return np.inf  # most of the brain lies where the grid holds nothing
    expected = mapping.from_mni(transformed(voxels.astype(np.float64), grid))
    return float(np.median(np.linalg.norm(values[tuple(voxels.T)] - expected, axis=1)))


def _unfolded(
    values: AnyArray, unknown: AnyArray, grid: FloatArray, mapping: AffineMapping, where: str
) -> WarpedMapping:
    """A warp around an affine map that gives coordinates at the points of a grid."""
    displacement = mapping.to_mni(values.reshape(-1, 3)) - _points(values.shape, grid)
    displacement = displacement.reshape(values.shape)
    if unknown.any():
        nearest = ndimage.distance_transform_edt(unknown, return_distances=False, return_indices=True)
        displacement = displacement[tuple(nearest)]
    return _smooth_enough(displacement, grid, mapping, where)


def _smooth_enough(displacement: AnyArray, grid: FloatArray, mapping: AffineMapping, where: str) -> WarpedMapping:
    """A warp, smoothed as little as keeps it from folding; how much, its source tells."""
    sizes = np.linalg.norm(grid[:3, :3], axis=0)
    for width in WIDTHS:
        smoothed = (
            ndimage.gaussian_filter(displacement, (*(width / sizes), 0), mode="nearest") if width else displacement
        )
        if not least_jacobian(smoothed, grid)[1]:
            break
    change = f", smoothed by {width:g} mm because it folded" if width else ""
    return WarpedMapping(mapping, smoothed, grid, f"{where}{change}; affine part: {mapping.source}")
