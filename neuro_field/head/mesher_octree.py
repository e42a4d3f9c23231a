"""The graded lattice a head is cut from: how fine it is where, and its nodes and tetrahedra.

Positions are in voxels of the field grid; the lattice knows nothing of tissues beyond a wanted level per
voxel.
"""

from typing import Any

import numpy as np
from scipy import ndimage

from neuro_field.arrays import AnyArray, BoolArray, FloatArray, IntArray
from neuro_field.errors import InputError
from neuro_field.kernels.lattice_octree import emit_lattice_tetrahedra, mark_lattice_nodes
from neuro_field.kernels.lattice_stars import orient

#: Coarsest level of the octree: its cells are 2**3 times the finest.
COARSEST_LEVEL = 3
#: Finest cells of the box around the head that a mesh may have; they cost about 50 bytes each.
CELLS_LIMIT = 40_000_000


def lattice_shape(shape: tuple[int, ...], spacing: float, edge: float) -> tuple[int, ...]:
    """Number of finest cells along each axis, whole coarsest blocks; refuses more than CELLS_LIMIT."""
    block = 2**COARSEST_LEVEL
    cells = [int(np.ceil(count * spacing / edge / block)) * block for count in shape]
    total = float(np.prod([float(count) for count in cells]))
    if total > CELLS_LIMIT:
        remedy = edge * (total / CELLS_LIMIT) ** (1 / 3)
        raise InputError(
            f"Input edge of {edge:g} mm would need {total / 1e6:.0f} million lattice cells, "
            f"over the limit of {CELLS_LIMIT / 1e6:.0f} million; use an edge of at least {remedy:.2g} mm."
        )
    return tuple(cells)


def over_cells(values: AnyArray, shape: tuple[int, ...], cell: float, reduce: np.ufunc) -> AnyArray:
    """Reduce a voxel map over each lattice cell: the voxels centred in it, or the one at its centre.

    ``cell`` is the cell's edge in voxels; cells beyond the image take its border.
    """
    for axis, count in enumerate(shape):
        length = values.shape[axis]
        starts = np.ceil(np.arange(count + 1) * cell - 0.5).astype(np.int64)
        first, last = starts[:-1], starts[1:]
        centre = ((np.arange(count) + 0.5) * cell).astype(np.int64)
        empty = last <= first
        first = np.minimum(np.where(empty, centre, first), length - 1)
        last = np.clip(np.where(empty, centre + 1, last), first + 1, length)
        widened = np.concatenate([values, values.take([-1], axis=axis)], axis=axis)
        values = reduce.reduceat(widened, np.stack([first, last], axis=1).ravel(), axis=axis)
        values = values.take(np.arange(0, 2 * count, 2), axis=axis)
    return values


def _over_blocks(values: AnyArray, size: int, reduce: Any) -> AnyArray:
    """Reduce a map over cubes of ``size`` cells."""
    i, j, k = (count // size for count in values.shape)
    return reduce(values.reshape(i, size, j, size, k, size), axis=(1, 3, 5))


def _spread(values: AnyArray, size: int) -> AnyArray:
    """Repeat each block's value over its cells."""
    return values.repeat(size, axis=0).repeat(size, axis=1).repeat(size, axis=2)


def balanced_levels(wanted: AnyArray) -> AnyArray:
    """Level of the leaf that holds each finest cell, (i, j, k) int8: no coarser than wanted anywhere in it.

    Neighbours across a face, an edge or a corner differ by one level at most.
    """
    levels = np.zeros(wanted.shape, dtype=np.int8)
    for level in range(1, COARSEST_LEVEL + 1):
        size = 2**level
        may_grow = _over_blocks(wanted, size, np.min) >= level
        around = ndimage.minimum_filter(_over_blocks(levels, size, np.min), 3, mode="nearest")
        levels[_spread(may_grow & (around >= level - 1), size)] = level
    return levels


def _whole_leaves(cells: BoolArray, levels: AnyArray) -> BoolArray:
    """The cells of every leaf that holds one of these."""
    out = cells.copy()
    for level in range(1, COARSEST_LEVEL + 1):
        size = 2**level
        out |= (levels == level) & _spread(_over_blocks(cells, size, np.any), size)
    return out


def lattice(wanted: AnyArray, occupied: BoolArray, cell: float) -> tuple[FloatArray, IntArray]:
    """Nodes (n, 3) in voxels and positive tetrahedra (t, 4) of the lattice around the occupied cells.

    Parameters
    ----------
    wanted : (i, j, k) int8 array
        Level wanted in each finest cell, 0 the finest; sides are whole coarsest blocks.
    occupied : (i, j, k) bool array
        Cells that must be meshed; one more leaf is added on every side.
    cell : float
        Edge of the finest cell, voxels; the corner of the first cell is the corner of the first voxel.
    """
    levels = balanced_levels(wanted)
    around = ndimage.binary_dilation(_whole_leaves(occupied, levels), np.ones((3, 3, 3), dtype=bool))
    active = _whole_leaves(around, levels)
    numbers = np.full([2 * count + 1 for count in levels.shape], -1, dtype=np.int32)
    mark_lattice_nodes(levels, active, numbers)
    used = numbers > 0
    nodes = np.asarray(np.argwhere(used) * (cell / 2) - 0.5, dtype=np.float64)
    numbers[used] = np.arange(len(nodes), dtype=np.int32)
    count = emit_lattice_tetrahedra(levels, active, numbers, np.empty((0, 4), dtype=np.int32))
    tets = np.empty((count, 4), dtype=np.int32)
    emit_lattice_tetrahedra(levels, active, numbers, tets)
    orient(nodes, tets)
    return nodes, tets
