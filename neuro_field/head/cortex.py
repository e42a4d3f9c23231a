"""Points in the middle of the cortical sheet, where fields are read for statistics."""

import numpy as np
from scipy.spatial import cKDTree

from neuro_field.arrays import AnyArray, BoolArray, FloatArray
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
    points, elements = towards_middle(mesh, mesh.boundary(grey | white | beside), grey, white)
    return np.unique(points[elements >= 0], axis=0)


def towards_middle(mesh: TetMesh, surface: Surface, grey: BoolArray, white: BoolArray) -> tuple[FloatArray, AnyArray]:
    """For each vertex of the grey matter's outer surface the middle (m, 3) under it, and the grey element it lies in.

    Arguments as of `mid_grey_points`; the element is -1 where the vertex has no middle.
    """
    outer, inner = (cKDTree(_dense(each)) for each in (surface, mesh.boundary(white)))
    points = np.array(surface.points)
    moving = np.arange(len(points))
    for _ in range(_STEPS):
        nearest = [tree.data[tree.query(points[moving], workers=-1)[1]] for tree in (outer, inner)]
        middle = (nearest[0] + nearest[1]) / 2
        stays = (middle == points[moving]).all(axis=1)  # and would for ever
        points[moving] = middle
        moving = moving[~stays]
    out, into = outer.query(points, workers=-1)[0], inner.query(points, workers=-1)[0]
    total = out + into
    elements = np.full(len(points), -1)
    good = np.flatnonzero((np.abs(out - into) < _BALANCE * total) & (total < _THICKEST))
    elements[good] = locate(mesh, points[good])[0]
    elements[(elements >= 0) & ~grey[elements]] = -1
    return points, elements


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


def outwards(mesh: TetMesh, brain: BoolArray, points: FloatArray) -> FloatArray:
    """(m, 3) unit normals of the cortex at points (m, 3) mm: those of its outer surface where it is nearest.

    Parameters
    ----------
    mesh : TetMesh
    brain : (t,) bool array
        What the outer surface bounds: grey and white matter, and lesions.
    points : (m, 3) array
    """
    surface = mesh.boundary(brain)
    out: FloatArray = surface.vertex_normals[cKDTree(surface.points).query(points)[1]]
    return out


def _dense(surface: Surface) -> FloatArray:
    """Vertices, middles of edges and of triangles."""
    a, b, c = (surface.points[surface.triangles[:, i]] for i in range(3))
    return np.concatenate([surface.points, (a + b) / 2, (b + c) / 2, (c + a) / 2, (a + b + c) / 3])
