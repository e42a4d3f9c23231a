"""A conforming tetrahedral mesh of any label image, without a clean surface in between.

A body-centred-cubic lattice, fine where tissue is thin and coarse in its depth, is cut along the interfaces
of smooth indicator fields (after Labelle and Shewchuk 2007, Isosurface stuffing, ACM Trans. Graph. 26:57, for
many labels and a graded lattice), smoothed and polished.  No step can fail on topology.  Cleaning labels is
not done here but in the room ``mri``.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from neuro_field.arrays import AnyArray, FloatArray, IntArray, transformed
from neuro_field.errors import InputError
from neuro_field.geometry.mesh import TetMesh
from neuro_field.geometry.voxels import as_affine
from neuro_field.head.mesher_cut import cut_lattice, fill_pinches, largest_piece
from neuro_field.head.mesher_fields import (
    blocked,
    blocks_of,
    coarsest_levels,
    cropped,
    indicator_fields,
    is_isotropic,
    isotropic_grid,
    wanted_levels,
)
from neuro_field.head.mesher_octree import lattice, lattice_shape, over_cells
from neuro_field.head.mesher_shape import shaped
from neuro_field.head.tissues import BY_TAG
from neuro_field.kernels.lattice_stars import orient
from neuro_field.kernels.morton import morton_codes, morton_order

#: Voxels, mm, and how square they are at least (`as_affine`): a lattice lies in any image, a sheared one too.
_VOXELS, _LEAST_SQUARE = (1e-3, 1e3), 1e-3

#: Called with the share done (0 to 1) and what is being done.
Progress = Callable[[float, str], Any]


def mesh_labels(
    labels: AnyArray,
    affine: AnyArray,
    *,
    edge: float = 1.9,
    tissue_edges: Mapping[str, float] | None = None,
    progress: Progress | None = None,
) -> TetMesh:
    """Mesh a label image.

    Parameters
    ----------
    labels : (i, j, k) integer array
        Tissue tag of each voxel (`neuro_field.head.tissues`); 0 is outside.  Only the largest piece of the
        head whose elements hang together through faces is meshed.
    affine : (4, 4) array
        Voxel indices to mm.  May turn, mirror, stretch or shear; where voxels are not cubes, the smoothed
        indicators are first interpolated on a grid of cubes as fine as the finest voxel axis. Voxels much finer than
        the edge are taken together, up to 1 mm.
    edge : float
        Edge of the finest lattice cell, mm; grey matter, lesions and thin tissue are meshed at it.
    tissue_edges : mapping of str to float, optional
        Longest edges wanted in tissues by name, mm, such as {"white_matter": 1.9, "scalp": 4.0}; at least ``edge``,
        and reached in steps of two. Where a tissue is thin or borders on a finer one its cells are finer.
    progress : callable, optional
        Called with the share done and a word on what comes next.

    Returns
    -------
    TetMesh
        In mm of the affine's world; every volume positive, nodes in Morton order, elements in the order of
        their centroids on the same curve.  The same bits for any number of threads.

    Raises
    ------
    InputError
        If labels are not three-dimensional integers, hold no tissue or an unknown tag, the affine is
        singular, or the edge is not positive, too fine for `mesher_octree.CELLS_LIMIT`, or too coarse to
        catch any tissue.

    Examples
    --------
    >>> import numpy as np
    >>> labels = np.zeros((12, 12, 12), dtype=np.int16)
    >>> labels[3:9, 3:9, 3:9] = 2
    >>> mesh = mesh_labels(labels, np.eye(4), edge=2.0)
    >>> bool((mesh.volumes > 0).all())
    True
    """
    labels, affine = _checked_labels(labels), _checked_affine(affine, "affine of mesh_labels")
    edge = checked_edge(edge)
    spacings = np.linalg.norm(affine[:3, :3], axis=0)
    blocks = blocks_of(spacings, edge)
    sizes = zip(blocks, spacings, strict=True)
    margin = tuple(block * (int(np.ceil(2 * edge / (block * spacing))) + 4) for block, spacing in sizes)
    labels, affine = blocked(*cropped(labels, affine, margin), blocks)
    shape, grid = tuple(count // block for count, block in zip(labels.shape, blocks, strict=True)), affine
    if not is_isotropic(affine):
        shape, grid = isotropic_grid(shape, affine)
    lattice_shape(shape, _spacing(grid), edge)  # refuse before the fields are made
    _tell(progress, 0.0, "smoothing labels")
    tags = np.unique(labels)
    coarsest = coarsest_levels(tags, edge, tissue_edges or {})
    fields, grid = indicator_fields(labels, tags, affine, blocks)
    _tell(progress, 0.05, "choosing cell sizes")
    best = fields.argmax(axis=0).astype(np.int8)
    wanted = wanted_levels(best, coarsest[best], edge / _spacing(grid))
    mesh = mesh_fields(fields, grid, edge=edge, wanted_level=wanted, progress=progress)
    return TetMesh(mesh.nodes, mesh.tets, tags[mesh.tags])


def mesh_fields(
    fields: AnyArray,
    world_from_voxel: FloatArray,
    *,
    edge: float,
    wanted_level: AnyArray | None = None,
    progress: Progress | None = None,
) -> TetMesh:
    """Mesh the regions in which each of several fields is the largest.

    Parameters
    ----------
    fields : (labels, i, j, k) float32 array
        At most 31; field 0 stands for the outside and must be the largest within two edges of the grid's
        border. Differences of fields should change sign with a slope, of the order of 1 per voxel, across
        interfaces.
    world_from_voxel : (4, 4) array
        Voxel indices to mm; voxels must be cubes (turned or mirrored at will).
    edge : float
        Edge of the finest lattice cell, mm.
    wanted_level : (i, j, k) int8 array, optional
        Cells may be 2**level edges wide there; level 0 everywhere when omitted.
    progress : callable, optional
        As for `mesh_labels`.

    Returns
    -------
    TetMesh
        Tagged by the number of the field; otherwise as for `mesh_labels`.

    Raises
    ------
    InputError
        As for `mesh_labels`.
    """
    fields = _checked_fields(fields)
    grid = _checked_affine(world_from_voxel, "world_from_voxel of mesh_fields")
    if not is_isotropic(grid):
        raise InputError("Input world_from_voxel of mesh_fields must have cubic voxels; resample the fields first.")
    spacing, edge = _spacing(grid), checked_edge(edge)
    cell = edge / spacing
    shape = lattice_shape(fields.shape[1:], spacing, edge)
    inside = fields.argmax(axis=0) > 0
    if not inside.any():
        raise InputError(
            "Input must hold a tissue wider than the smoothing (a voxel or two); instead the outside wins everywhere."
        )
    wanted = np.zeros(shape, dtype=np.int8)
    if wanted_level is not None:
        wanted = over_cells(np.asarray(wanted_level, dtype=np.int8), shape, cell, np.minimum)
    _tell(progress, 0.1, "laying the lattice")
    nodes, tets = lattice(wanted, over_cells(inside, shape, cell, np.logical_or), cell)
    _tell(progress, 0.2, "cutting along interfaces")
    nodes, tets, _, labels = cut_lattice(fields, nodes, tets)
    fill_pinches(tets, labels, len(nodes))
    if not (labels > 0).any():
        raise InputError(f"Input edge of {edge:g} mm is too coarse to catch any tissue; use a finer one.")
    _tell(progress, 0.5, "keeping one piece")
    nodes, tets, labels, outer = largest_piece(nodes, tets, labels)
    _tell(progress, 0.55, "improving elements")
    nodes, tets, labels = shaped(fields, nodes, tets, labels, outer, cell)
    _tell(progress, 0.95, "ordering nodes")
    return ordered(transformed(nodes, grid), tets, labels)


def ordered(nodes: FloatArray, tets: IntArray, labels: IntArray) -> TetMesh:
    """The mesh with nodes and elements along Morton curves and every volume positive."""
    order = morton_order(nodes)
    new = np.empty(len(order), dtype=np.int32)
    new[order] = np.arange(len(order), dtype=np.int32)
    nodes, tets = nodes[order], new[tets]
    orient(nodes, tets)
    element_order = np.argsort(morton_codes(nodes[tets].mean(axis=1)), kind="stable")
    return TetMesh(nodes, tets[element_order], labels[element_order].astype(np.int32))


def _tell(progress: Progress | None, share: float, what: str) -> None:
    if progress is not None:
        progress(share, what)


def _spacing(grid: FloatArray) -> float:
    """Edge of the cubes of an isotropic grid, mm."""
    return float(abs(np.linalg.det(grid[:3, :3])) ** (1 / 3))


def _checked_labels(labels: AnyArray) -> AnyArray:
    """A label image as a three-dimensional uint8 array of known tags."""
    given = np.asarray(labels)
    if given.ndim != 3:
        raise InputError(f"Input labels of mesh_labels must have shape (i, j, k); not {given.shape}.")
    if not np.issubdtype(given.dtype, np.integer):
        raise InputError(f"Input labels of mesh_labels must be integers; instead received {given.dtype}.")
    present = set(np.unique(given).tolist())
    unknown = sorted(present - {0, *BY_TAG})
    if unknown:
        raise InputError(
            f"Input labels of mesh_labels must be 0 or tissue tags {sorted(BY_TAG)}; "
            f"instead found {unknown[:10]} as well: map them to tissues first."
        )
    if present <= {0}:
        raise InputError("Input labels of mesh_labels must hold some tissue; instead every voxel is 0.")
    return given.astype(np.uint8)


def _checked_affine(affine: AnyArray, what: str) -> FloatArray:
    """An affine of any voxels, sheared ones too."""
    return as_affine(affine, what, voxels=_VOXELS, square=_LEAST_SQUARE)


def checked_edge(edge: float) -> float:
    """A positive, finite edge length."""
    try:
        value = float(edge)
    except (TypeError, ValueError):
        value = np.nan
    if not (np.isfinite(value) and value > 0):
        raise InputError(f"Input edge must be a positive length in mm; instead received {edge!r}.")
    return value


def _checked_fields(fields: AnyArray) -> AnyArray:
    """Fields as a C-ordered (labels, i, j, k) float32 array."""
    out = np.ascontiguousarray(fields, dtype=np.float32)
    if out.ndim != 4 or not 2 <= len(out) <= 31 or min(out.shape[1:]) < 2:
        raise InputError(f"Input fields of mesh_fields must have shape (2 to 31, i, j, k); not {out.shape}.")
    return out
