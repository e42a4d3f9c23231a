"""Points in the middle of the cortical sheet, where fields are read for statistics."""

import numpy as np
from scipy.spatial import cKDTree

from neuro_field.arrays import BoolArray, FloatArray
from neuro_field.errors import InputError
from neuro_field.geometry.locate import locate
from neuro_field.geometry.mesh import Surface, TetMesh

#: Steps towards the middle between the nearest points of both surfaces.
_STEPS = 8

#: A point is in the middle when its two distances differ by less than this share of their sum.
_BALANCE = 0.1

#: Thicker than any cortex, mm: such a point lies in a nucleus or at a cut.
_THICKEST = 8.0


def mid_grey_points(mesh: TetMesh, grey: BoolArray, white: BoolArray, beside: BoolArray) -> FloatArray:
    """Points (m, 3) mm of grey matter as far from its outer surface as from its inner one.

    One point starts at each vertex of the outer surface and moves to the middle between the nearest points of both
    until it stays.  Points that do not come within a tenth of the middle, leave the grey matter, or lie in more than
    8 mm of it are left out.

    Parameters
    ----------
    mesh : TetMesh
    grey, white, beside : (t,) bool arrays
        Grey matter; white matter, whose surface is the inner one; what else counts as inside the outer surface
        (lesions).
    """
    if not (grey.any() and white.any()):
        raise InputError("Middle points of the cortex need grey and white matter; instead one of them is missing.")
    cortex = mesh.boundary(grey | white | beside)
    outer, inner = cKDTree(_dense(cortex)), cKDTree(_dense(mesh.boundary(white)))
    points = np.array(cortex.points)
    for _ in range(_STEPS):
        points = (outer.data[outer.query(points)[1]] + inner.data[inner.query(points)[1]]) / 2
    out, into = outer.query(points)[0], inner.query(points)[0]
    total = out + into
    points = np.unique(points[(np.abs(out - into) < _BALANCE * total) & (total < _THICKEST)], axis=0)
    elements = locate(mesh, points)[0]
    return points[(elements >= 0) & grey[elements]]


def _dense(surface: Surface) -> FloatArray:
    """Vertices, middles of edges and of triangles."""
    a, b, c = (surface.points[surface.triangles[:, i]] for i in range(3))
    return np.concatenate([surface.points, (a + b) / 2, (b + c) / 2, (c + a) / 2, (a + b + c) / 3])
