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

#: The same of the middle half of the sheet.
_MIDDLE_HALF = 0.5

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


def sheet_points(
    mesh: TetMesh, grey: BoolArray, white: BoolArray, beside: BoolArray, *, center: FloatArray, reach: float,
    spacing: float,
) -> FloatArray:  # fmt: skip
    """Points (m, 3) mm of a lattice in the middle half of the cortical sheet, within ``reach`` mm of a place.

    However coarse the mesh, they are ``spacing`` mm apart.  Arguments otherwise as those of `mid_grey_points`.
    """
    if not (grey.any() and white.any()):
        raise InputError("Points of the cortex need grey and white matter; instead one of them is missing.")
    steps = spacing * np.arange(-int(reach // spacing), int(reach // spacing) + 1)
    points = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1).reshape(-1, 3)
    points = center + points[np.linalg.norm(points, axis=1) <= reach]
    elements = locate(mesh, points)[0]
    points = points[(elements >= 0) & grey[elements]]
    surfaces = (mesh.boundary(grey | white | beside), mesh.boundary(white))
    out, into = (cKDTree(_dense(surface)).query(points)[0] for surface in surfaces)
    return points[(np.abs(out - into) < _MIDDLE_HALF * (out + into)) & (out + into < _THICKEST)]


def _dense(surface: Surface) -> FloatArray:
    """Vertices, middles of edges and of triangles."""
    a, b, c = (surface.points[surface.triangles[:, i]] for i in range(3))
    return np.concatenate([surface.points, (a + b) / 2, (b + c) / 2, (c + a) / 2, (a + b + c) / 3])
