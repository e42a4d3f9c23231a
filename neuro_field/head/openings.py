"""Openings of the skull: where soft tissue lies on the dura with no bone between, as after a craniectomy."""

from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from neuro_field.arrays import AnyArray, BoolArray, FloatArray, read_only
from neuro_field.geometry.mesh import FACES
from neuro_field.nouns import noun

if TYPE_CHECKING:
    from neuro_field.head.model import HeadModel

#: Smaller openings, cm2, are burr holes and faults of a mesh, and are not told.
LEAST = 5.0

#: Openings lower than this share of the inner skull's radius below its middle are those of the base: orbits, foramina.
BASE = 0.2


@noun
class Opening:
    """One opening: ``area`` in cm2 and ``center`` (3,) mm, head frame."""

    area: float
    center: FloatArray


def skull_openings(head: "HeadModel", least: float = LEAST) -> tuple[Opening, ...]:
    """Openings of the vault, largest first; none for a head without bone.

    Parameters
    ----------
    head : HeadModel
        The axis upwards is that of its map to MNI152, or of the head frame without one.
    least : float
        cm2.
    """
    blood, bone = head.region("blood"), head.region("skull")  # blood may lie on either side of the skull
    inner = head.region("intracranial") & ~blood
    soft = ~inner & ~bone & ~blood & ~head.region("eyes")
    if not bone.any() or not inner.any():
        return ()
    mesh, (middle, radius) = head.mesh, head.inner_skull_sphere
    touching = mesh.touched(inner) & mesh.touched(soft) & ((mesh.nodes - middle) @ _upwards(head) > -BASE * radius)
    near = np.flatnonzero(touching[mesh.tets].sum(axis=1) >= 3)
    faces = _between(mesh.tets[near], inner[near], soft[near])
    faces = faces[touching[faces].all(axis=1)]
    return _pieces(mesh.nodes[faces], faces, least) if len(faces) else ()


def _upwards(head: "HeadModel") -> FloatArray:
    if head.mapping is None:
        return np.array([0.0, 0.0, 1.0])
    ends = head.from_mni(np.array([[0.0, 0.0, 0.0], [0.0, 0.0, 1.0]]))
    return (ends[1] - ends[0]) / np.linalg.norm(ends[1] - ends[0])


def _between(tets: AnyArray, one: BoolArray, other: BoolArray) -> AnyArray:
    """(f, 3) nodes of the faces that an element of one mask shares with one of the other."""
    faces = np.sort(tets[:, FACES].reshape(-1, 3), axis=1)
    owner = np.repeat(np.arange(len(tets)), len(FACES))
    order = np.lexsort(faces.T)
    faces, owner = faces[order], owner[order]
    twice = np.flatnonzero((faces[1:] == faces[:-1]).all(axis=1))
    first, second = owner[twice], owner[twice + 1]
    return faces[twice[(one[first] & other[second]) | (one[second] & other[first])]]


def _pieces(corners: FloatArray, faces: AnyArray, least: float) -> tuple[Opening, ...]:
    """Faces joined by a shared node make one opening; corners (f, 3, 3) in mm."""
    nodes, number = np.unique(faces, return_inverse=True)
    number = number.reshape(faces.shape)
    ends = number[:, [0, 1]].ravel(), number[:, [1, 2]].ravel()
    links = coo_matrix((np.ones(2 * len(faces)), ends), (len(nodes),) * 2)
    piece = connected_components(links, directed=False)[1][number[:, 0]]
    areas = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1) / 200
    found = []
    for each in np.unique(piece):
        mine = piece == each
        if areas[mine].sum() >= least:
            center = np.average(corners[mine].mean(axis=1), axis=0, weights=areas[mine])
            found.append(Opening(float(areas[mine].sum()), read_only(center)))
    return tuple(sorted(found, key=lambda opening: -opening.area))
