"""Whether places lie inside a head, its air cavities included."""

import numpy as np

from neuro_field.arrays import BoolArray, FloatArray
from neuro_field.geometry.locate import locate
from neuro_field.head.model import HeadModel


def inside_head(head: HeadModel, points: FloatArray) -> BoolArray:
    """(m,) which points (m, 3) mm lie within the scalp: in an element, or in a cavity that the scalp surrounds."""
    scalp = head.scalp
    out = np.zeros(len(points), dtype=bool)
    near = np.flatnonzero(scalp.within_hull(points))
    if not len(near):
        return out
    out[near] = locate(head.mesh, points[near])[0] >= 0
    left = near[~out[near]]
    vertex = scalp.tree.query(points[left])[1]
    behind = np.einsum("si,si->s", points[left] - scalp.points[vertex], scalp.vertex_normals[vertex]) < 0
    out[left[behind]] = scalp.encloses(points[left[behind]])
    return out
