"""Points in a tetrahedral mesh: which element holds each, and where in it."""

import numpy as np

from neuro_field.arrays import FloatArray, IntArray, as_points
from neuro_field.geometry.mesh import TetMesh
from neuro_field.kernels import locate as kernel

#: Bins for points: about this many, so that the bins fit a cache and few elements overlap many.
_MOST_BINS = 2_000_000
_SMALLEST_BIN = 1.0

#: Points farther than this, mm, beyond the mesh's box are not in it; nearer ones are judged by the elements.
_BESIDE = 1e-3


def locate(mesh: TetMesh, points: FloatArray) -> tuple[IntArray, FloatArray]:
    """The element that holds each point.

    Parameters
    ----------
    mesh : TetMesh
    points : (m, 3) array
        mm, the mesh's frame.

    Returns
    -------
    elements : (m,) int array
        Index of the element, the lowest where a point lies on a shared face; -1 outside the mesh.
    shares : (m, 4) array
        Barycentric coordinates in it; zeros outside.
    """
    points = as_points(points, "points of locate")
    elements = np.full(len(points), -1, dtype=np.int32)
    shares = np.zeros((len(points), 4))
    low, high = mesh.nodes.min(axis=0), mesh.nodes.max(axis=0)  # stray points beyond do not stretch the bins
    near = np.flatnonzero(((points >= low - _BESIDE) & (points <= high + _BESIDE)).all(axis=1))
    if len(near):
        origin = points[near].min(axis=0)
        extent = np.maximum(np.ptp(points[near], axis=0), 1e-6)
        cell = max(_SMALLEST_BIN, float(np.cbrt(np.prod(np.maximum(extent, _SMALLEST_BIN)) / _MOST_BINS)))
        shape = np.floor(extent / cell).astype(np.int64) + 1
        places = np.floor((points[near] - origin) / cell).astype(np.int64)  # the kernel's rounding, not that of //
        bins = np.ravel_multi_index(tuple(places.T), tuple(shape))
        by_bin = np.argsort(bins, kind="stable")
        starts = np.searchsorted(bins[by_bin], np.arange(int(np.prod(shape)) + 1))
        order = near[by_bin]
        kernel.locate(mesh.nodes, mesh.tets, points, order, starts, origin, cell, shape, elements, shares)
    return elements, shares
