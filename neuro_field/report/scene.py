"""What the pictures of a plan show, as shapes in the head frame: surfaces, coil, arrows, target and lesion."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.spatial import cKDTree

from neuro_field.arrays import FloatArray, IntArray
from neuro_field.errors import InputError
from neuro_field.field.field import Field
from neuro_field.field.stored import StoredField
from neuro_field.geometry.mesh import Surface
from neuro_field.head.model import HeadModel
from neuro_field.planning.plan import Plan
from neuro_field.planning.scalp import anatomical_axes
from neuro_field.report.facts import GreyField

#: Colours that stay apart for colour-blind eyes (Okabe and Ito), on a yellow-to-red field.
COLOURS = {
    "handle": "#000000",
    "current": "#0072B2",
    "target": "#009E73",
    "lesion": "#8E5AA8",
    "casing": "#6F7B86",
    "scalp": "#D9C2AE",
}

#: Light for weak, dark for strong; distinct in grey and to colour-blind eyes.
FIELD_MAP = "YlOrRd"

#: Letters' words along and against right, anterior and superior.
EDGE_WORDS = (("Right", "Left"), ("Front", "Back"), ("Top", "Bottom"))


def polydata(surface: Surface) -> Any:
    """A surface for drawing."""
    import pyvista

    faces = np.column_stack([np.full(len(surface.triangles), 3, dtype=np.int64), surface.triangles])
    return pyvista.PolyData(np.array(surface.points), faces.ravel())


@dataclass(frozen=True, eq=False)
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
    def of(cls, head: HeadModel) -> "Anatomy":
        """Of a head with grey matter."""
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
            polydata(head.scalp), polydata(head.mesh.boundary(lesion)) if lesion.any() else None,
        )  # fmt: skip


@dataclass(frozen=True, eq=False)
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
    target_centre: FloatArray | None = None
    target_radius: float = 0.0

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
        return cls(
            anatomy, field, grey, values.threshold, values.hot_spot, side, plan.target.center, plan.target.radius
        )

    @property
    def axes(self) -> FloatArray:
        """(3, 3) right, anterior and superior of the head."""
        return self.anatomy.axes

    @property
    def focus(self) -> FloatArray:
        """(3,) what it is about: the target's centre, else the scalp under the coil."""
        return self.target_centre if self.target_centre is not None else self.field.placement.center

    @property
    def middle(self) -> FloatArray:
        """(3,) where in the head that is: the target's centre, else where the field is strongest."""
        return self.target_centre if self.target_centre is not None else self.hot_spot


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

    Both start at the coil's centre; the current is the one that this dI/dt first induces.
    """
    placement = field.placement
    out = {"handle": (placement.center, placement.handle_direction)}
    if field.coil is not None:
        current = placement.initial_e_direction(field.coil)
        out["current"] = (placement.center, current if field.didt >= 0 else -current)
    return out


def edge_words(view: FloatArray, up: FloatArray, axes: FloatArray) -> dict[str, str]:
    """The anatomical word for each edge of a picture taken along ``view`` with ``up`` upwards."""
    view = view / np.linalg.norm(view)
    upwards = up - (up @ view) * view
    upwards /= np.linalg.norm(upwards)
    rightwards = np.cross(view, upwards)
    out = {}
    for edge, direction in (("right", rightwards), ("left", -rightwards), ("top", upwards), ("bottom", -upwards)):
        parts = axes @ direction
        axis = int(np.argmax(np.abs(parts)))
        out[edge] = EDGE_WORDS[axis][0 if parts[axis] > 0 else 1]
    return out
