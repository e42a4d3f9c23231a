"""A field where images and surfaces want it: at the voxels of a grid, and just inside the cortex."""

from collections.abc import Callable, Sequence

import numpy as np
from scipy.spatial import cKDTree

from neuro_field.arrays import AnyArray, FloatArray, read_only, transformed
from neuro_field.errors import InputError
from neuro_field.field.field import Field
from neuro_field.geometry.mesh import Surface
from neuro_field.head.model import HeadModel

#: Points evaluated together, so that the arrays stay small.
_AT_ONCE = 400_000

#: Cortex values are taken this share of the way from a vertex to the centroid of a grey element that has it.
_INWARDS = 0.25


def on_grid(
    field: Field, affine: FloatArray, shape: Sequence[int], *, progress: Callable[[float], None] | None = None
) -> AnyArray:
    """The recovered field at the centres of voxels.

    Parameters
    ----------
    field : Field
    affine : (4, 4) array
        Voxel indices to mm of the head frame.
    shape : three ints
    progress : callable, optional
        Called with the share that is done.

    Returns
    -------
    (i, j, k, 3) float32 array
        V/m, head frame (not voxel axes); 0 outside the head.

    Raises
    ------
    InputError
        If no voxel lies in the head.
    """
    nodes = field.head.mesh.nodes
    voxel_from_head = np.asarray(np.linalg.inv(affine), dtype=np.float64)
    corners = np.array(np.meshgrid(*zip(nodes.min(axis=0), nodes.max(axis=0), strict=True))).reshape(3, -1).T
    reached = transformed(corners, voxel_from_head)
    low = np.maximum(np.floor(reached.min(axis=0)).astype(int), 0)
    high = np.minimum(np.ceil(reached.max(axis=0)).astype(int) + 1, shape)
    out = np.zeros((*shape, 3), dtype=np.float32)
    extent = np.maximum(high - low, 0)
    layers = max(1, _AT_ONCE // max(1, int(extent[0] * extent[1])))
    for first in range(low[2], high[2], layers):
        last = min(first + layers, high[2])
        box = tuple(slice(a, b) for a, b in zip((*low[:2], first), (*high[:2], last), strict=True))
        voxels = np.stack(np.meshgrid(*(np.arange(s.start, s.stop) for s in box), indexing="ij"), axis=-1)
        values = field.at(transformed(voxels.reshape(-1, 3).astype(np.float64), affine))
        out[box] = np.nan_to_num(values).reshape(*voxels.shape[:3], 3)
        if progress:
            progress((last - low[2]) / extent[2])
    if not out.any():
        raise InputError(
            f"No voxel of the grid of shape {tuple(shape)} lies in the head {field.head.name!r}; give the T1 "
            "that the head was made from."
        )
    return out


def cortex(head: HeadModel) -> tuple[Surface, FloatArray]:
    """The outer surface of the grey matter, and for each of its vertices a point just inside.

    The surface encloses brain and lesion, its largest piece: sulci as far as the mesh resolves them, and the
    cerebellum.  The point (m, 3) lies in a grey element that has the vertex (where none has, in another element inside
    the surface): at the surface itself the field jumps, and which side a value belongs to would be left open.

    Raises
    ------
    InputError
        If the head has no grey matter.
    """
    mesh, grey = head.mesh, head.region("grey_matter")
    if not grey.any():
        raise InputError(f"The head {head.name!r} has no grey_matter, so there is no cortex.")
    inside = head.region("brain") | head.region("lesion")
    surface = mesh.boundary(inside).largest_piece()
    element = np.full(len(mesh.nodes), -1)
    for mask in (inside, grey):
        chosen = np.flatnonzero(mask)
        chosen = chosen[np.argsort(mesh.volumes[chosen], kind="stable")]
        element[mesh.tets[chosen].ravel()] = np.repeat(chosen, 4)  # the last, largest, stays
    known = np.flatnonzero(element >= 0)  # some of them are the surface's vertices, renumbered
    node = known[cKDTree(mesh.nodes[known]).query(surface.points, workers=-1)[1]]
    centroids = mesh.nodes[mesh.tets[element[node]]].mean(axis=1)
    return surface, read_only(surface.points + _INWARDS * (centroids - surface.points))
