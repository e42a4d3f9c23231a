"""What the pictures of a plan show, as shapes in the head frame: surfaces, coil, arrows, target and lesion."""

from typing import Any

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from neuro_field.aim.scalp import anatomical_axes
from neuro_field.aim.target import Target
from neuro_field.arrays import FloatArray, IntArray
from neuro_field.errors import InputError
from neuro_field.field.field import Field
from neuro_field.field.stored import StoredField
from neuro_field.geometry.mesh import Surface
from neuro_field.head.face import Face
from neuro_field.head.model import HeadModel
from neuro_field.nouns import noun
from neuro_field.report.facts import GreyField
from neuro_field.search.plan import Plan

#: Colours that stay apart for colour-blind eyes (Okabe and Ito), on a yellow-to-red field.
COLOURS = {
    "handle": "#000000",
    "current": "#0072B2",
    "target": "#009E73",
    "lesion": "#8E5AA8",
    "casing": "#6F7B86",
    "scalp": "#D9C2AE",
    "zone": "#FFFFFF",
}

#: Parts of a target farther from one another than this, mm, or than two elements, are marked each on its own.
APART = 6.0

#: Light for weak, dark for strong; distinct in grey and to colour-blind eyes.
FIELD_MAP = "YlOrRd"

#: Letters along and against right, anterior and superior, as on clinical images: they need no translation.
EDGE_LETTERS = (("R", "L"), ("A", "P"), ("S", "I"))


def polydata(surface: Surface) -> Any:
    """A surface for drawing."""
    import pyvista

    faces = np.column_stack([np.full(len(surface.triangles), 3, dtype=np.int64), surface.triangles])
    return pyvista.PolyData(np.array(surface.points), faces.ravel())


@noun
class Anatomy:
    """The surfaces of one head, made once for all its pictures.

    ``axes`` (3, 3) its right, anterior and superior; ``centre`` (3,) of the grey matter, mm; ``grey``, ``scalp`` and
    ``lesion`` (None without one) for drawing; ``grey_nodes`` (m,) the mesh node of each vertex of ``grey``.
    """

    head: HeadModel
    axes: FloatArray
    centre: FloatArray
    grey: Any
    grey_nodes: IntArray
    scalp: Any
    lesion: Any

    @classmethod
    def of(cls, head: HeadModel, face: Face | None = None) -> "Anatomy":
        """Of a head with grey matter; without a face that is to be left out."""
        inside, lesion = head.region("grey_matter"), head.region("lesion")
        if not inside.any():
            raise InputError(f"The head {head.name!r} has no grey_matter to show a field in.")
        surface = head.mesh.boundary(inside)
        used = np.unique(head.mesh.tets[inside])
        distance, place = cKDTree(head.mesh.nodes[used]).query(surface.points)
        if distance.max(initial=0.0) > 1e-6:
            raise InputError("The grey-matter surface and the mesh do not share their nodes.")
        grey = polydata(surface).compute_normals(cell_normals=False, split_vertices=False, auto_orient_normals=False)
        return cls(
            head, anatomical_axes(head), surface.points.mean(axis=0), grey, used[place].astype(np.int32),
            polydata(head.scalp if face is None else face.trimmed(head.scalp)),
            polydata(head.mesh.boundary(lesion)) if lesion.any() else None,
        )  # fmt: skip


@noun
class Scene:
    """One head with a field in it, ready to draw.

    ``grey`` holds the field as point values "E", V/m; ``strongest`` is the end of its colours, ``hot_spot`` (3,) the
    middle of the grey matter above it, mm; ``side`` is -1 for a target on the patient's left and 1 for one on the
    right, by place and not by name.
    """

    anatomy: Anatomy
    field: Field | StoredField
    grey: Any
    strongest: float
    hot_spot: FloatArray
    side: int
    target: Target | None = None

    @classmethod
    def of(cls, field: Field | StoredField, plan: Plan | None = None, anatomy: Anatomy | None = None) -> "Scene":
        """Of a field, and of the plan it is the best of; ``anatomy`` of the same head may be handed over."""
        anatomy = anatomy or Anatomy.of(field.head)
        values = GreyField.of(field)
        grey = anatomy.grey.copy(deep=False)
        grey["E"] = node_values(field.head, values)[anatomy.grey_nodes]
        focus = plan.target.center if plan else field.placement.center
        side = 1 if (focus - anatomy.centre) @ anatomy.axes[0] > 0 else -1
        if plan is None:
            return cls(anatomy, field, grey, values.threshold, values.hot_spot, side)
        return cls(anatomy, field, grey, values.threshold, values.hot_spot, side, plan.target)

    @property
    def axes(self) -> FloatArray:
        """(3, 3) right, anterior and superior of the head."""
        return self.anatomy.axes

    @property
    def focus(self) -> FloatArray:
        """(3,) what it is about: the target's centre, else the scalp under the coil."""
        return self.target.center if self.target is not None else self.field.placement.center

    @property
    def target_balls(self) -> list[tuple[FloatArray, float]]:
        """`target_balls` of the target; none without one."""
        return [] if self.target is None else target_balls(self.anatomy.head, self.target)

    @property
    def middle(self) -> FloatArray:
        """(3,) where in the head that is: the target's centre, else where the field is strongest."""
        return self.target.center if self.target is not None else self.hot_spot


def target_balls(head: HeadModel, target: Target) -> list[tuple[FloatArray, float]]:
    """Centre (3,) and radius, mm, of the target's ball, or of a ball around each of its parts that lie apart."""
    if target.parts is not None:
        return [(centre, target.radius) for centre in target.centers]
    points = head.mesh.centroids[target.elements]
    apart = max(APART, 2.0 * float(np.cbrt(head.mesh.volumes[target.elements].max())))
    pairs = cKDTree(points).query_pairs(apart, output_type="ndarray")
    graph = coo_array((np.ones(len(pairs), dtype=bool), (pairs[:, 0], pairs[:, 1])), shape=(len(points),) * 2)
    count, part = connected_components(graph, directed=False)
    if count == 1:
        return [(target.center, target.radius)]
    out = []
    for number in range(count):
        inside = part == number
        centre = np.average(points[inside], axis=0, weights=target.weights[inside])
        out.append((centre, max(float(np.linalg.norm(points[inside] - centre, axis=1).max()), 1.0)))
    return out


def node_values(head: HeadModel, grey: GreyField) -> FloatArray:
    """(n,) |E| at the nodes, V/m: the volume mean of the grey matter around each; 0 where there is none."""
    tets = head.mesh.tets[grey.elements].ravel()
    volumes = head.mesh.volumes[grey.elements]
    n = len(head.mesh.nodes)
    total = np.bincount(tets, np.repeat(volumes * grey.strength, 4), n)
    return total / np.maximum(np.bincount(tets, np.repeat(volumes, 4), n), 1e-30)


def coil_shape(field: Field | StoredField) -> Any:
    """The coil's casing in the head frame; the places of its sources where it has none; None where it is not known."""
    import pyvista

    coil, placement = field.coil, field.placement
    if coil is None:
        return None
    if coil.casing is not None:
        return polydata(Surface(placement.head_points(coil.casing.points), coil.casing.triangles))
    if not len(coil.source_points):
        return None
    points = np.unique(np.round(placement.head_points(coil.source_points), 2), axis=0)
    return pyvista.PolyData(points).glyph(geom=pyvista.Sphere(radius=1.2, theta_resolution=6, phi_resolution=6),
                                          scale=False, orient=False)  # fmt: skip


def arrows(field: Field | StoredField) -> dict[str, tuple[FloatArray, FloatArray]]:
    """Start and direction (3,) of the arrows "handle" and "current" (of a known coil), head frame.

    Both start at the coil's centre; the current is the one that this dI/dt first induces.  A coil of continuous
    symmetry has neither.
    """
    placement = field.placement
    if field.coil is not None and field.coil.symmetry == "continuous":
        return {}
    out = {"handle": (placement.center, placement.handle_direction)}
    if field.coil is not None:
        current = placement.initial_e_direction(field.coil)
        out["current"] = (placement.center, current if field.didt >= 0 else -current)
    return out


def edge_letters(view: FloatArray, up: FloatArray, axes: FloatArray) -> dict[str, str]:
    """The anatomical letter for each edge of a picture taken along ``view`` with ``up`` upwards."""
    view = view / np.linalg.norm(view)
    upwards = up - (up @ view) * view
    upwards /= np.linalg.norm(upwards)
    rightwards = np.cross(view, upwards)
    out = {}
    for edge, direction in (("right", rightwards), ("left", -rightwards), ("top", upwards), ("bottom", -upwards)):
        parts = axes @ direction
        axis = int(np.argmax(np.abs(parts)))
        out[edge] = EDGE_LETTERS[axis][0 if parts[axis] > 0 else 1]
    return out
