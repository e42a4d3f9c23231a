"""Slices of a tilted gantry set upright: moved within their planes until they lie straight behind one another.

dcm2niix does it too (its ``_Tilt`` images), but 1.0.20260724 puts those 33 mm off when the gantry tilts one way and the
headers state directions as scanners do, and 20 to 70 mm off for other directions of rows and columns.
"""

import numpy as np
from scipy import ndimage

from neuro_field.arrays import AnyArray, FloatArray
from neuro_field.segment.series import Series


def set_upright(values: AnyArray, affine: FloatArray, series: Series) -> tuple[AnyArray, FloatArray]:
    """A leaning stack of slices on an upright grid.

    Parameters
    ----------
    values : (i, j, k) array
        Voxels of the series, k its slices; any axis may be reversed.
    affine : (4, 4) array
        Of which only the signs of the axes are used.
    series : Series
        Where the slices lie, by their headers.

    Returns
    -------
    (i, j, k) float32 array
        Larger in the plane, by as much as the stack leans; the least value where no slice was. Each slice is
        interpolated linearly in its plane, none is mixed with another.
    (4, 4) array
        Voxel index to mm, RAS; perpendicular.
    """
    corners = np.array(series.corners)
    counts = np.array(series.shape)
    steps = (corners[[2, 1, 4]] - corners[0]) / (counts - 1)[:, None]  # along rows, down, from slice to slice
    for axis, step in enumerate(steps):
        if affine[:3, axis] @ step < 0:
            values = np.flip(values, axis)
    in_plane = steps[:2]
    drift = np.array([step @ steps[2] / (step @ step) for step in in_plane])  # voxels a slice
    upwards = steps[2] - drift @ in_plane
    whole = drift * (counts[2] - 1)
    start = np.minimum(0.0, whole)
    size = counts[:2] + np.ceil(np.abs(whole)).astype(int)
    out = np.full((*size, counts[2]), values.min(), dtype=np.float32)
    for k in range(counts[2]):
        padded = np.full(size, values.min(), dtype=np.float32)
        padded[: counts[0], : counts[1]] = values[:, :, k]
        out[:, :, k] = ndimage.shift(padded, drift * k - start, order=1, mode="constant", cval=float(values.min()))
    upright = np.eye(4)
    upright[:3, :3] = np.column_stack([*in_plane, upwards])
    upright[:3, 3] = corners[0] + start @ in_plane
    return out, upright
