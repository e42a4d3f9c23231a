"""Which elements of a mesh are lesion, from the voxels of one; and finer ones where it is too small for the others.

The mesher smooths labels over a voxel and cuts at the middle between tissues: a lesion of a few voxels, or a thin
sheet, then vanishes.  Elements are given to it here by the share of them that it fills.
"""

from dataclasses import dataclass
from itertools import product

import numpy as np
from scipy import ndimage

from neuro_field.arrays import AnyArray, BoolArray, FloatArray, IntArray, transformed
from neuro_field.geometry.bisection import bisected
from neuro_field.geometry.mesh import TetMesh
from neuro_field.head.mesher import ordered
from neuro_field.head.tissues import tags_of

LESION = tags_of("lesion")

#: What a lesion may take the place of.
REPLACEABLE = (*tags_of("brain"), *tags_of("csf"), *LESION)

#: A piece that the mesh holds less of than this is given elements, if it is small; any piece, below the second share.
SMALL_KEPT, KEPT = 0.9, 0.7

#: Small pieces, cm3.
SMALL_CM3 = 2.0

#: Edges around such pieces, as a share of the finest of the mesh and mm, whichever is longer.
FINER, FINEST_MM = 0.5, 0.8

#: Elements that may be made for them at most.
MOST_ELEMENTS = 200_000

#: Where in an element its share is looked up: places (p, 4) with barycentric coordinates of 1/16 to 13/16.
_PLACES = np.array([c for c in product(range(5), repeat=4) if sum(c) == 4]) / 4.0 * 0.75 + 0.0625


@dataclass(frozen=True, eq=False)
class MeshedPieces:
    """A mesh, and the pieces of a lesion that needed help: ``labels_cm3``, ``before_cm3`` and ``after_cm3`` (p,)."""

    mesh: TetMesh
    labels_cm3: FloatArray
    before_cm3: FloatArray
    after_cm3: FloatArray


def filled_shares(
    nodes: FloatArray, tets: IntArray, lesion: AnyArray, affine: FloatArray
) -> tuple[FloatArray, IntArray]:
    """Share (t,) of elements that voxels other than 0 fill, and the commonest of their numbers (t,), 0 where none.

    Looked up at 35 places of each element.

    Parameters
    ----------
    nodes, tets : (n, 3) mm, (t, 4)
    lesion : (i, j, k) array of whole numbers from 0 to 255
    affine : (4, 4) array
        Voxel index to mm.
    """
    voxel_from_mm = np.asarray(np.linalg.inv(affine), dtype=np.float64)
    counts = np.zeros((len(tets), int(lesion.max()) + 1), dtype=np.int16)
    rows = np.arange(len(tets))
    for place in _PLACES:
        index = np.round(transformed(np.einsum("c,tci->ti", place, nodes[tets]), voxel_from_mm)).astype(np.int64)
        within = ((index >= 0) & (index < lesion.shape)).all(axis=1)
        found = np.zeros(len(tets), dtype=np.int64)
        found[within] = lesion[tuple(index[within].T)]
        counts[rows, found] += 1
    counts[:, 0] = 0
    return counts.sum(axis=1) / len(_PLACES), np.where(counts.any(axis=1), counts.argmax(axis=1), 0).astype(np.int32)


def with_small_lesions(mesh: TetMesh, labels: AnyArray, affine: FloatArray, edge: float) -> MeshedPieces:
    """The mesh with elements for the pieces of a lesion that meshing lost.

    Elements near such a piece are halved until their edges are half the finest ones, and those that it fills most
    become lesion until they have its volume.  A mesh that lost no piece comes back as it is.

    Parameters
    ----------
    mesh : TetMesh
        As `neuro_field.head.mesher.mesh_labels` made it of the labels.
    labels : (i, j, k) array
        Tissue tags.
    affine : (4, 4) array
        Voxel index to mm.
    edge : float
        Edge of the finest cells, mm.
    """
    if not np.isin(labels, LESION).any():
        return MeshedPieces(mesh, *np.zeros((3, 0)))
    labels, affine = _around_lesion(labels, affine)
    pieces, tags = _pieces(labels)
    drawn, before, lost = _lost(mesh, pieces, tags, affine)
    if not len(lost):
        return MeshedPieces(mesh, *np.zeros((3, 0)))
    chosen = np.where(np.isin(pieces, lost + 1), pieces, 0)
    fine = _finer(mesh, chosen > 0, affine, edge)
    made = np.array(fine.tags)
    boxes = element_boxes(fine.nodes, fine.tets)
    for piece in lost.tolist():
        here = np.where(chosen == piece + 1, tags[piece + 1], 0)
        _fill(fine, made, boxes, here, affine, drawn[piece] - before[piece])
    out = ordered(fine.nodes, fine.tets, made)
    return MeshedPieces(out, drawn[lost], before[lost], _meshed(out, pieces, tags, affine)[lost])


def _around_lesion(labels: AnyArray, affine: FloatArray) -> tuple[AnyArray, FloatArray]:
    """The part of an image that holds a lesion, with four voxels around it, and its affine."""
    box = ndimage.find_objects(np.isin(labels, LESION).astype(np.uint8))[0]
    box = tuple(slice(max(0, side.start - 4), side.stop + 4) for side in box)
    own = affine.copy()
    own[:3, 3] += affine[:3, :3] @ [side.start for side in box]
    return labels[box], own


def lost_pieces(mesh: TetMesh, labels: AnyArray, affine: FloatArray) -> int:
    """How many pieces of a lesion in labels a mesh holds too little of."""
    if not np.isin(labels, LESION).any():
        return 0
    labels, affine = _around_lesion(labels, affine)
    return len(_lost(mesh, *_pieces(labels), affine)[2])


def _lost(
    mesh: TetMesh, pieces: AnyArray, tags: AnyArray, affine: FloatArray
) -> tuple[FloatArray, FloatArray, AnyArray]:
    """cm3 of every piece as drawn and in the mesh, and which of them, from 0, the mesh lost."""
    drawn = np.bincount(pieces.ravel(), minlength=len(tags))[1:].astype(np.float64) * _voxel_cm3(affine)
    before = _meshed(mesh, pieces, tags, affine)
    lost = np.flatnonzero(((before < SMALL_KEPT * drawn) & (drawn <= SMALL_CM3)) | (before < KEPT * drawn))
    return drawn, before, lost


def _voxel_cm3(affine: FloatArray) -> float:
    return abs(float(np.linalg.det(affine[:3, :3]))) / 1e3


def _pieces(labels: AnyArray) -> tuple[AnyArray, AnyArray]:
    """Connected pieces of each kind of lesion, numbered from 1, and the tag of each number."""
    out, tags = np.zeros(labels.shape, dtype=np.int32), [0]
    for tag in LESION:
        numbered, count = ndimage.label(labels == tag, np.ones((3, 3, 3)))
        out += np.where(numbered > 0, numbered + len(tags) - 1, 0)
        tags += [tag] * count
    return out, np.array(tags)


def _meshed(mesh: TetMesh, pieces: AnyArray, tags: AnyArray, affine: FloatArray) -> FloatArray:
    """(p,) cm3 that the mesh holds of each piece: elements of its kind in it or within two voxels of it."""
    out = np.zeros(len(tags))
    box = tuple(
        slice(max(0, side.start - 3), side.stop + 3) for side in ndimage.find_objects((pieces > 0).astype(np.uint8))[0]
    )
    around = ndimage.maximum_filter(pieces[box], 5)
    exact = np.where(pieces[box] > 0, pieces[box], around)
    lesion = np.flatnonzero(np.isin(mesh.tags, LESION))
    centres = mesh.nodes[mesh.tets[lesion]].mean(axis=1)
    first = np.array([side.start for side in box])
    index = np.round(transformed(centres, np.asarray(np.linalg.inv(affine)))).astype(np.int64) - first
    within = ((index >= 0) & (index < exact.shape)).all(axis=1)
    found = exact[tuple(index[within].T)]
    same = tags[found] == mesh.tags[lesion[within]]
    np.add.at(out, found[same], mesh.volumes[lesion[within]][same] / 1e3)
    return out[1:]


def _finer(mesh: TetMesh, mask: BoolArray, affine: FloatArray, edge: float) -> TetMesh:
    """The mesh with short edges where a mask of lost pieces lies; longer ones where these would be too many."""
    wide = ndimage.binary_dilation(mask, np.ones((3, 3, 3)))
    mm3 = np.count_nonzero(wide) * _voxel_cm3(affine) * 1e3
    longest = max(FINER * edge, FINEST_MM, float(np.cbrt(12.0 * mm3 / MOST_ELEMENTS)))

    def near(part: TetMesh) -> BoolArray:
        out = np.zeros(len(part.tets), dtype=bool)
        at = touching(element_boxes(part.nodes, part.tets), wide, affine)
        out[at] = filled_shares(part.nodes, part.tets[at], wide.astype(np.uint8), affine)[0] > 0
        return out

    return bisected(mesh, near, longest)


def _fill(
    mesh: TetMesh, tags: IntArray, boxes: tuple[FloatArray, FloatArray], piece: AnyArray, affine: FloatArray,
    missing_cm3: float,
) -> None:  # fmt: skip
    """Give a piece (its tag where it lies, else 0) the elements that it fills most, until it has its volume."""
    near = touching(boxes, piece, affine)
    free = near[np.isin(tags[near], REPLACEABLE) & ~np.isin(tags[near], LESION)]
    shares, kinds = filled_shares(mesh.nodes, mesh.tets[free], piece, affine)
    order = np.argsort(-shares, kind="stable")[: np.count_nonzero(shares)]
    grown = np.cumsum(mesh.volumes[free[order]]) / 1e3
    taken = order[: np.searchsorted(grown, missing_cm3) + 1]
    tags[free[taken]] = kinds[taken]


def element_boxes(nodes: FloatArray, tets: IntArray) -> tuple[FloatArray, FloatArray]:
    """Lowest and highest (t, 3) mm of each element."""
    low, high = nodes[tets[:, 0]], nodes[tets[:, 0]]
    for corner in (1, 2, 3):
        at = nodes[tets[:, corner]]
        np.minimum(low, at, out=low)
        np.maximum(high, at, out=high)
    return low, high


def touching(boxes: tuple[FloatArray, FloatArray], values: AnyArray, affine: FloatArray) -> AnyArray:
    """Elements whose boxes touch the one around the voxels of an image that are not 0."""
    low, high = boxes
    inside = transformed(np.argwhere(values).astype(np.float64), affine)
    reach = np.abs(affine[:3, :3]).sum(axis=1)
    return np.flatnonzero(((high > inside.min(axis=0) - reach) & (low < inside.max(axis=0) + reach)).all(axis=1))
