"""Which way a sulcus runs near a point, and the axis across its walls, from the outer surface of the grey matter.

Both walls of a sulcus face one another, so their normals n, seen in the plane of the scalp above, share an axis: the
first principal axis of the tensor sum of area n n'.  Crowns and fundi face along the scalp's normal and drop out.
"""

import numpy as np

from neuro_field.arrays import FloatArray, as_vector, read_only
from neuro_field.errors import InputError
from neuro_field.head.model import HeadModel
from neuro_field.nouns import noun

#: Surface within this distance of the point counts, mm.
REACH = 10.0

#: An axis is told when its share of the walls' area, against the axis along the sulcus, exceeds this.
LEAST_DISTINCT = 0.2

#: Less of the surface than this standing upright, as seen along the axis, is no wall.
LEAST_STEEP = 0.1


@noun
class SulcalAxis:
    """The axis across the walls.

    ``axis`` (3,) unit vector, head frame, in the plane of the scalp above the point, its sense without meaning;
    ``distinct`` from 0, walls face all ways, to 1, they face one axis only; ``area`` of the surface judged, mm2.
    """

    axis: FloatArray
    distinct: float
    area: float


def sulcal_axis(head: HeadModel, point: object, reach: float = REACH) -> SulcalAxis:
    """The axis perpendicular to the sulcal walls around a point of the cortex.

    Parameters
    ----------
    head : HeadModel
    point : (3,) array
        mm, head frame.
    reach : float
        mm.

    Raises
    ------
    InputError
        If no outer surface of grey matter lies within reach, it has no walls, or these face no one axis: with figures.
    """
    point = as_vector(point, "point of sulcal_axis")
    triangles = _outer_triangles(head, point, reach)
    if not len(triangles):
        raise InputError(f"No outer surface of grey matter lies within {reach:g} mm of {np.round(point, 1).tolist()}.")
    twice = np.cross(triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0])
    area = np.linalg.norm(twice, axis=1) / 2
    normals = twice / np.maximum(2 * area, 1e-12)[:, None]
    up = head.scalp.smoothed_normal(head.scalp.points[head.scalp.tree.query(point)[1]])
    level = normals - (normals @ up)[:, None] * up
    sizes, axes = np.linalg.eigh(np.einsum("f,fi,fj->ij", area, level, level))
    distinct = float((sizes[2] - sizes[1]) / max(sizes[2] + sizes[1], 1e-12))
    if sizes[2] < LEAST_STEEP * area.sum():
        raise InputError(
            f"The cortex within {reach:g} mm of {np.round(point, 1).tolist()} has no sulcal wall: only "
            f"{sizes[2] / area.sum():.0%} of its surface stands up; give the direction, or rank by the field's size."
        )
    if distinct < LEAST_DISTINCT:
        raise InputError(
            f"The sulcal walls within {reach:g} mm of {np.round(point, 1).tolist()} face no one axis (distinctness "
            f"{distinct:.2f}, {LEAST_DISTINCT:g} needed); give the direction, or rank by the size of the field."
        )
    return SulcalAxis(read_only(axes[:, 2]), distinct, float(area.sum()))


def _outer_triangles(head: HeadModel, point: FloatArray, reach: float) -> FloatArray:
    """(f, 3, 3) triangles between grey matter and what lies outside the brain, near a point."""
    mesh = head.mesh
    near = np.flatnonzero(np.linalg.norm(mesh.centroids - point, axis=1) <= reach + 5.0)
    tets = mesh.tets[near]
    grey, inner = head.region("grey_matter")[near], (head.region("brain") | head.region("lesion"))[near]
    faces = np.sort(tets[:, [[1, 2, 3], [0, 2, 3], [0, 1, 3], [0, 1, 2]]].reshape(-1, 3), axis=1)
    owner = np.repeat(np.arange(len(near)), 4)
    order = np.lexsort(faces.T)
    faces, owner = faces[order], owner[order]
    pairs = np.flatnonzero((faces[1:] == faces[:-1]).all(axis=1))
    one, other = owner[pairs], owner[pairs + 1]
    border = (grey[one] & ~inner[other]) | (grey[other] & ~inner[one])
    triangles = mesh.nodes[faces[pairs[border]]]
    return triangles[np.linalg.norm(triangles.mean(axis=1) - point, axis=1) <= reach]
