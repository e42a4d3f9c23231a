"""From a label image to what the mesher reads: smooth indicators on a grid of cubes, and how fine to be."""

from collections.abc import Mapping

import numpy as np
from scipy import ndimage

from neuro_field.arrays import AnyArray, FloatArray
from neuro_field.errors import InputError
from neuro_field.head.mesher_octree import COARSEST_LEVEL
from neuro_field.head.tissues import tags_of

#: Width (voxels) of the Gaussian that smooths the indicator of a tissue's tag: enough to hide voxel stairs, yet
#: narrow in the brain, whose sulci are a voxel or two wide.
SMOOTHING = {1: 0.5, 2: 0.5, 3: 0.5, 4: 0.5, 5: 0.7, 6: 1.0}
SMOOTHING_OF_OTHERS = 0.7
#: Width (voxels) for the outline of the whole head, whose gentle slopes would otherwise come out as terraces.
OUTLINE_SMOOTHING = 1.5
#: Factors on the indicators of thin tissues, which a lattice of wider cells would otherwise lose to what is around
#: them: with these, CSF and white matter keep their volume within 3 % on a head of 1 mm voxels at 1.9 mm edges.
WEIGHT = {1: 1.08, 3: 1.15}
#: Voxels finer than this (mm), and than this part of an edge, are taken together in blocks: the widths and factors
#: above are those of a head of 1 mm voxels at 1.9 mm edges, and finer fields would cost gigabytes and show nothing.
BLOCK, VOXELS_PER_EDGE = 1.0, 1.9
#: Tissues meshed at the finest level unless an edge is given for them, beside everything thin.
FINEST = ("grey_matter", "lesion")


def cropped(labels: AnyArray, world_from_voxel: FloatArray, margin: tuple[int, ...]) -> tuple[AnyArray, FloatArray]:
    """The box around all tissue, with ``margin`` voxels of outside along each axis, and its affine."""
    box = ndimage.find_objects((labels > 0).astype(np.uint8))[0]
    corner = np.array([side.start for side in box]) - np.array(margin)
    affine = world_from_voxel.copy()
    affine[:3, 3] += world_from_voxel[:3, :3] @ corner
    return np.pad(labels[box], [(width, width) for width in margin]), affine


def blocks_of(spacings: FloatArray, edge: float) -> tuple[int, int, int]:
    """How many voxels along each axis are taken together: more than one where they are finer than the mesh can show.

    Blocks are at most `BLOCK` mm wide, and at least `VOXELS_PER_EDGE` of them make an edge, so that voxels of 1 mm and
    coarser are left as they are.
    """
    widest = min(BLOCK, edge / VOXELS_PER_EDGE) + 1e-6
    i, j, k = (max(1, int(widest / spacing)) for spacing in spacings.tolist())
    return i, j, k


def blocked(labels: AnyArray, world_from_voxel: FloatArray, blocks: tuple[int, ...]) -> tuple[AnyArray, FloatArray]:
    """Labels filled up with outside to whole blocks, and the affine of the blocks."""
    missing = [-count % size for count, size in zip(labels.shape, blocks, strict=True)]
    voxel_from_block = np.diag([*map(float, blocks), 1.0])
    voxel_from_block[:3, 3] = (np.array(blocks) - 1) / 2
    padded = np.pad(labels, [(0, count) for count in missing]) if any(missing) else labels
    return padded, world_from_voxel @ voxel_from_block if max(blocks) > 1 else world_from_voxel


def _share(labels: AnyArray, tag: int | None, blocks: tuple[int, ...]) -> AnyArray:
    """Share of each block of voxels that has a tag, or any tag but 0; float32."""
    out: AnyArray | None = None
    for corner in np.ndindex(*blocks):
        some = labels[tuple(slice(start, None, size) for start, size in zip(corner, blocks, strict=True))]
        mask = (some > 0 if tag is None else some == tag).astype(np.float32)
        out = mask if out is None else np.add(out, mask, out=out)
    assert out is not None
    return out / np.float32(np.prod(blocks)) if max(blocks) > 1 else out


def is_isotropic(world_from_voxel: FloatArray, tolerance: float = 1e-3) -> bool:
    """Whether voxels are cubes, in whatever orientation, within a relative tolerance."""
    gram = world_from_voxel[:3, :3].T @ world_from_voxel[:3, :3]
    return float(np.abs(gram / np.trace(gram) * 3 - np.eye(3)).max()) < tolerance


def isotropic_grid(shape: tuple[int, ...], world_from_voxel: FloatArray) -> tuple[tuple[int, ...], FloatArray]:
    """A grid of cubes as fine as the finest voxel axis, turned like the image and covering it."""
    matrix = world_from_voxel[:3, :3]
    left, stretch, right = np.linalg.svd(matrix)
    rotation = left @ right
    spacing = float(stretch.min())
    corners = np.array(np.meshgrid(*[(0, count - 1) for count in shape], indexing="ij")).reshape(3, -1)
    along = rotation.T @ matrix @ corners / spacing
    affine = np.eye(4)
    affine[:3, :3] = rotation * spacing
    affine[:3, 3] = world_from_voxel[:3, 3] + affine[:3, :3] @ along.min(axis=1)
    return tuple(int(count) + 1 for count in np.ceil(np.ptp(along, axis=1) - 1e-6)), affine


def indicator_fields(
    labels: AnyArray, tags: AnyArray, world_from_voxel: FloatArray, blocks: tuple[int, ...] = (1, 1, 1)
) -> tuple[AnyArray, FloatArray]:
    """Smooth fields of the outside and of each tag, (labels, i, j, k) float32, on a grid of cubes, and its affine.

    With h the smoothed indicator of the head and s_k those of its tissues, field k is h s_k and the outside's is
    (1 - h) max s_k, so that the head's outline is where h = 1/2, whatever tissues meet there, and inside it the
    largest s_k wins.  Voxels that are not cubes (anisotropic or sheared) are smoothed as they are and then
    interpolated linearly.

    Parameters
    ----------
    labels : (i, j, k) array
        With enough 0 (outside) around it.
    tags : (labels,) array
        The values of ``labels``, 0 first.
    world_from_voxel : (4, 4) array
        Of the blocks.
    blocks : tuple of int
        Voxels along each axis that are taken together first: a voxel of the fields is such a block, and the indicators
        are shares of it.
    """
    outline = ndimage.gaussian_filter(_share(labels, None, blocks), OUTLINE_SMOOTHING)
    fields = np.empty((len(tags), *outline.shape), dtype=np.float32)
    largest = np.full(outline.shape, 0.3, dtype=np.float32)  # the least that three tissues have where they meet
    for index, tag in enumerate(tags.tolist()):
        if tag == 0:
            continue
        field = fields[index]
        ndimage.gaussian_filter(_share(labels, tag, blocks), SMOOTHING.get(tag, SMOOTHING_OF_OTHERS), output=field)
        field *= np.float32(WEIGHT.get(tag, 1.0))
        np.maximum(largest, field, out=largest)
        field *= outline
    fields[0] = (1 - outline) * largest
    if is_isotropic(world_from_voxel):
        return fields, world_from_voxel
    return _interpolated(fields, world_from_voxel)


def _interpolated(fields: AnyArray, world_from_voxel: FloatArray) -> tuple[AnyArray, FloatArray]:
    """The same fields on a grid of cubes, and its affine."""
    shape, grid = isotropic_grid(fields.shape[1:], world_from_voxel)
    voxel_from_grid = np.linalg.inv(world_from_voxel) @ grid
    matrix, offset = voxel_from_grid[:3, :3], voxel_from_grid[:3, 3]
    out = np.empty((len(fields), *shape), dtype=np.float32)
    for field, result in zip(fields, out, strict=True):
        ndimage.affine_transform(field, matrix, offset, shape, output=result, order=1, mode="nearest")
    return out, grid


def _boxed(mask: AnyArray, radius: int, *, shrink: bool = False) -> AnyArray:
    """Dilate (or erode) a mask by a cube of ``radius`` voxels."""
    filter_1d = ndimage.minimum_filter1d if shrink else ndimage.maximum_filter1d
    for axis in range(3):
        mask = filter_1d(mask, 2 * radius + 1, axis=axis)
    return mask


def wanted_levels(labels: AnyArray, coarsest: AnyArray, cell: float) -> AnyArray:
    """Octree level wanted in each voxel, (i, j, k) int8: 0 where fineness pays, coarser away from interfaces.

    Parameters
    ----------
    labels : (i, j, k) array
        0 outside.
    coarsest : (i, j, k) int8 array
        The highest level allowed; in every tissue thinner than two cells it is 0.
    cell : float
        Edge of the finest cell, voxels.
    """
    interface = np.zeros(labels.shape, dtype=np.uint8)
    for axis in range(3):
        one = tuple(slice(None, -1) if a == axis else slice(None) for a in range(3))
        two = tuple(slice(1, None) if a == axis else slice(None) for a in range(3))
        differ = labels[one] != labels[two]
        interface[one] |= differ
        interface[two] |= differ
    wanted = np.full(labels.shape, COARSEST_LEVEL, dtype=np.int8)
    for level in range(COARSEST_LEVEL - 1, 0, -1):
        wanted[_boxed(interface, max(1, round(0.8 * cell * 2**level))) > 0] = level
    for level in np.unique(coarsest)[::-1].tolist():
        if level < COARSEST_LEVEL:
            near = _boxed((coarsest == level).astype(np.uint8), max(1, round(0.5 * cell))) > 0
            np.minimum(wanted, np.int8(level), out=wanted, where=near)
    radius = max(1, round(cell))
    for label in range(1, int(labels.max()) + 1):
        mask = (labels == label).astype(np.uint8)
        opened = _boxed(_boxed(mask, radius, shrink=True), radius)
        wanted[(mask > 0) & (opened == 0)] = 0
    return wanted


def coarsest_levels(tags: AnyArray, edge: float, tissue_edges: Mapping[str, float]) -> AnyArray:
    """(labels,) int8, the coarsest octree level that each tag's cells may have.

    Parameters
    ----------
    tags : (labels,) array
    edge : float
        Of the finest cell, mm.
    tissue_edges : mapping of str to float
        Longest edges wanted in tissues or groups of tissues, mm; `FINEST` have ``edge`` unless named here.

    Raises
    ------
    InputError
        If one is shorter than ``edge``.
    UnknownNameError
        If a name is no tissue.
    """
    levels = np.full(len(tags), COARSEST_LEVEL, dtype=np.int8)
    for name, longest in (dict.fromkeys(FINEST, edge) | dict(tissue_edges)).items():
        if not np.isfinite(longest) or longest < edge:
            raise InputError(f"The edge wanted in {name} must be at least edge, {edge:g} mm; not {longest!r:.20}.")
        level = min(int(np.floor(np.log2(longest / edge) + 1e-9)), COARSEST_LEVEL)
        levels[np.isin(tags, tags_of(name))] = level
    return levels
