"""What a view of a head or a field may show beyond the plain picture: cuts, tissues, mid-grey, vectors, cones."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.spatial import cKDTree

from neuro_field.arrays import AnyArray, FloatArray
from neuro_field.errors import InputError, UnknownNameError
from neuro_field.head.face import Face
from neuro_field.head.model import HeadModel
from neuro_field.head.tissues import BY_TAG, GROUPS, tags_of
from neuro_field.nouns import noun
from neuro_field.report.drawing import SIZE, View, arrow, bar, field_title, grey_matter, marks
from neuro_field.report.facts import GreyField
from neuro_field.report.scene import COLOURS, FIELD_MAP, Scene, arrows, coil_shape, polydata
from neuro_field.report.skull_page import OpeningsOfHead
from neuro_field.report.slices import OPENING
from neuro_field.search.plan import Plan

#: The planes a head may be cut along: which of its axes (right, anterior, superior) goes through each.
CUTS = {"sagittal": 0, "coronal": 1, "axial": 2}

#: Tissues on a cut and as surfaces, in grey and muted colours that leave the field its own.
TINTS = {
    "white_matter": "#F2F0EA", "grey_matter": "#CFC6B4", "csf": "#BFD9E6", "skull": "#EFE6CF", "scalp": "#D9C2AE",
    "eyes": "#A9BACB", "blood": "#B08080", "muscle": "#C79A8B", "lesion": COLOURS["lesion"],
}  # fmt: skip

#: Field vectors are drawn where |E| is at least this share of the strongest, one in so many mm, so long where it is
#: strongest, and so far off the surface, mm.
VECTORS_FROM, VECTORS_APART, LONGEST, OFF = 0.5, 5.0, 11.0, 2.0

#: Of the arrows, mm.
LENGTHS = {"handle": 85.0, "current": 40.0}

#: Radius of the cone of handle directions, mm, and the step in which they are tried, degrees.
CONE, STEP = 62.0, 5.0


@dataclass(frozen=True)
class Look:
    """How a view differs from the plain one.

    Parameters
    ----------
    cut : {"axial", "coronal", "sagittal"}, optional
        Take away the half of the head above, in front of, or on the near side of what the view is about.
    opacity : mapping of str to float
        0 to 1 by tissue or group of tissues; those named are drawn beside or instead of the usual ones.
    mid_grey : bool
        Show the field at points in the middle of the cortical sheet instead of on the grey matter's surface.
    vectors : bool
        Show the field's direction there where it is strong.
    cone : float, optional
        Of a plan just computed: show the positions, and at the best one the cone of handle directions, that keep this
        share of the best strength.

    Raises
    ------
    InputError
        On a share or opacity out of range, or a cut that is not known.
    """

    cut: str | None = None
    opacity: Mapping[str, float] = field(default_factory=dict)
    mid_grey: bool = False
    vectors: bool = False
    cone: float | None = None

    def __post_init__(self) -> None:
        if self.cut is not None and self.cut not in CUTS:
            raise UnknownNameError("cut", self.cut, list(CUTS))
        for name, value in self.opacity.items():
            tags_of(name)
            if not 0 <= value <= 1:
                raise InputError(f"Opacity of {name} must be 0 to 1; instead received {value!r}.")
        if self.cone is not None and not 0 < self.cone < 1:
            raise InputError(f"Input cone must be a share between 0 and 1; instead received {self.cone!r}.")

    @property
    def plain(self) -> bool:
        """Whether nothing differs."""
        return not (self.cut or self.opacity or self.mid_grey or self.vectors or self.cone)


def cut_view(look: Look, axes: FloatArray, focus: FloatArray, side: int) -> View:
    """From where a cut is seen: obliquely from the half that was taken away."""
    assert look.cut is not None
    right, anterior, superior = axes
    out = {"axial": superior, "coronal": anterior, "sagittal": side * right}[look.cut]
    lean = {"axial": -0.15 * anterior, "coronal": 0.2 * superior + 0.25 * side * right, "sagittal": 0.25 * superior}
    up = anterior if look.cut == "axial" else superior
    x, y, z = focus
    return View(-(out + lean[look.cut]), up, focus, 260.0, f"({x:.0f}, {y:.0f}, {z:.0f}) mm")


@noun
class Cut:
    """A plane through a head: what lies on the side of ``normal`` (3,) from ``origin`` (3,), mm, is taken away."""

    origin: FloatArray
    normal: FloatArray

    @classmethod
    def of(cls, look: Look, axes: FloatArray, focus: FloatArray, side: int) -> "Cut | None":
        """As a look wants it."""
        if look.cut is None:
            return None
        return cls(focus, axes[CUTS[look.cut]] * (side if look.cut == "sagittal" else 1))

    def left_of(self, surface: Any) -> Any:
        """A surface without what is taken away."""
        return surface.clip(normal=self.normal, origin=self.origin)

    def keeps(self, points: FloatArray) -> AnyArray:
        """(m,) which points stay."""
        return (points - self.origin) @ self.normal <= 0


def whole_head(plotter: Any, scene: Scene, view: View, look: Look | None = None) -> None:
    """Cortex with its field under a translucent scalp, the coil over it, and where handle and current point."""
    plotter.enable_depth_peeling(4)
    look, head = look or Look(), scene.anatomy.head
    cut = Cut.of(look, scene.axes, scene.middle, scene.side)
    if look.mid_grey:
        _mid_grey(plotter, scene, view, cut)
    elif look.opacity.get("grey_matter", 1.0) > 0:
        grey = scene.grey if cut is None else cut.left_of(scene.grey)
        grey_matter(plotter, scene, grey, opacity=look.opacity.get("grey_matter", 1.0))
    named = {"scalp": 0.2, **look.opacity}
    around = {name: value for name, value in named.items() if name != "grey_matter"}
    _tissues(plotter, head, around, cut, scene.anatomy.scalp)
    if cut is not None:
        _cut_face(plotter, head, cut, scene)
    if look.vectors:
        _vectors(plotter, scene, cut)
    coil = coil_shape(scene.field)
    if coil is not None:
        plotter.add_mesh(coil, color=COLOURS["casing"], opacity=0.17, smooth_shading=True)
        plotter.add_silhouette(coil, color=COLOURS["casing"], line_width=3.0)
    marks(plotter, scene, view, lesion=cut is None and "lesion" not in look.opacity)
    for name, (start, direction) in arrows(scene.field).items():
        arrow(plotter, name, start, direction, LENGTHS[name], view=view)


def bare_head(
    plotter: Any, head: HeadModel, axes: FloatArray, focus: FloatArray, side: int, look: Look, face: Face | None = None
) -> None:
    """A head without a field, as a look wants it, and without a face that is to be left out."""
    plotter.enable_depth_peeling(4)
    cut = Cut.of(look, axes, focus, side)
    scalp = polydata(head.scalp if face is None else face.trimmed(head.scalp))
    _tissues(plotter, head, {"scalp": 0.25, "grey_matter": 1.0, "lesion": 1.0, **look.opacity}, cut, scalp)
    if cut is not None:
        _cut_face(plotter, head, cut, None)
    opened = OpeningsOfHead.of(head).points
    if len(opened):
        plotter.add_points(opened, color=OPENING, point_size=7.0, render_points_as_spheres=True)


def _tissues(plotter: Any, head: HeadModel, opacity: Mapping[str, float], cut: Cut | None, scalp: Any) -> None:
    """Surfaces of tissues or groups of them; the scalp as the head's outside, which is given."""
    for name, value in opacity.items():
        inside = head.region(name)
        if not value or not inside.any():
            continue
        surface = scalp if name == "scalp" else polydata(head.mesh.boundary(inside))
        if cut is not None:
            surface = cut.left_of(surface)
        if surface.n_points:
            plotter.add_mesh(surface, color=_tint(name), opacity=value, smooth_shading=True, ambient=0.25)


def _tint(name: str) -> str:
    if name in TINTS:
        return TINTS[name]
    return next((TINTS[group] for group, members in GROUPS.items() if name in members and group in TINTS), "#C8C8C8")


def _cut_face(plotter: Any, head: HeadModel, cut: Cut, scene: Scene | None) -> None:
    """The face of a cut: tissues in their tints, and the field in the grey matter and the white."""
    import matplotlib
    import pyvista

    mesh = head.mesh
    heights = (mesh.nodes - cut.origin) @ cut.normal
    of_corners = heights[mesh.tets]
    crossed = np.flatnonzero((of_corners.min(axis=1) <= 0) & (of_corners.max(axis=1) >= 0))
    colours = np.zeros((len(crossed), 3), dtype=np.uint8)
    tags = mesh.tags[crossed]
    for tag in np.unique(tags):
        tint = _tint(BY_TAG[int(tag)].name) if int(tag) in BY_TAG else "#C8C8C8"
        colours[tags == tag] = [int(tint[i : i + 2], 16) for i in (1, 3, 5)]
    if scene is not None:
        brain = np.isin(tags, tags_of("brain"))
        strength = np.linalg.norm(scene.field.in_elements(crossed[brain].astype(np.int32)), axis=1)
        shades = matplotlib.colormaps[FIELD_MAP](np.clip(strength / scene.strongest, 0, 1))[:, :3]
        colours[brain] = np.round(255 * shades)
    cells = pyvista.UnstructuredGrid({pyvista.CellType.TETRA: mesh.tets[crossed]}, mesh.nodes)
    cells.cell_data["colour"] = colours
    face = cells.slice(normal=cut.normal, origin=cut.origin)
    if face.n_cells:
        plotter.add_mesh(face, scalars="colour", rgb=True, lighting=False)


def _mid_grey(plotter: Any, scene: Scene, view: View, cut: Cut | None) -> None:
    """The field at points in the middle of the cortical sheet."""
    import pyvista

    points = scene.anatomy.head.mid_grey
    if not len(points):
        raise InputError("The head has no points amid its cortical sheet: the grey matter is too thick or too coarse.")
    if cut is not None:
        points = points[cut.keeps(points)]
    cloud = pyvista.PolyData(np.array(points))
    cloud["E"] = np.nan_to_num(np.linalg.norm(scene.field.at(points), axis=1))
    plotter.add_mesh(
        cloud, scalars="E", cmap=FIELD_MAP, clim=(0.0, scene.strongest), style="points",
        render_points_as_spheres=True, point_size=3.2 * 1.5 * SIZE[1] / view.across,
        scalar_bar_args=bar(field_title(scene)),
    )  # fmt: skip


def _vectors(plotter: Any, scene: Scene, cut: Cut | None) -> None:
    """The field as arrows just off the strong grey matter's surface, thinned to an even spacing."""
    import pyvista

    head, elements = scene.anatomy.head, GreyField.of(scene.field).elements
    points, normals = np.asarray(scene.anatomy.grey.points), np.asarray(scene.anatomy.grey.point_normals)
    shown = np.asarray(scene.grey["E"]) >= VECTORS_FROM * scene.strongest
    if cut is not None:
        shown &= cut.keeps(points)
    points, normals = points[shown], normals[shown]
    _, first = np.unique(np.floor(points / VECTORS_APART).astype(int), axis=0, return_index=True)
    if not len(first):
        return
    points, normals = points[first], normals[first]
    nearest = elements[cKDTree(head.mesh.centroids[elements]).query(points)[1]]
    cloud = pyvista.PolyData(points + OFF * normals)
    cloud["vector"] = scene.field.in_elements(nearest) / scene.strongest
    shape = cloud.glyph(
        orient="vector", scale="vector", factor=LONGEST,
        geom=pyvista.Arrow(tip_length=0.35, tip_radius=0.16, shaft_radius=0.06),
    )  # fmt: skip
    plotter.add_mesh(shape, color="#14324A", ambient=0.3)


def sensitivity_cone(plotter: Any, plan: Plan, share: float) -> None:
    """What keeps a share of the best strength: positions as dots, and at the best one the handle's directions."""
    import pyvista

    centres, sectors = kept_positions(plan, share)
    balls = pyvista.PolyData(centres).glyph(geom=pyvista.Sphere(radius=1.6), scale=False, orient=False)
    plotter.add_mesh(balls, color=COLOURS["current"], lighting=False)
    for sector in sectors:
        triangles = np.column_stack(
            [np.full(len(sector) - 2, 3), np.zeros(len(sector) - 2, int), np.arange(1, len(sector) - 1),
             np.arange(2, len(sector))]
        )  # fmt: skip
        plotter.add_mesh(
            pyvista.PolyData(sector, triangles.ravel()), color=COLOURS["current"], opacity=0.45, lighting=False
        )


def kept_positions(plan: Plan, share: float) -> tuple[FloatArray, list[FloatArray]]:
    """Positions (m, 3) that keep a share of the plan's strongest at some angle, and the sectors of the handle that do.

    A sector is a polygon: the best placement's centre, and points on an arc around it in the coil's plane; the coil is
    turned there about its axis in `STEP` degrees.

    Raises
    ------
    InputError
        If the plan was read from files, which do not hold the response that tells the turned coil's strength.
    """
    if plan.response is None:
        raise InputError("The cone of a plan read from files is not known: it has no response; plan again.")
    by_position = plan.strengths.reshape(plan.report.positions, -1)
    centres = plan.centers.reshape(*by_position.shape, 3)[np.arange(len(by_position)), by_position.argmax(axis=1)]
    kept_centres = centres[by_position.max(axis=1) >= share * by_position.max()]
    placement, turns = plan.best.placement, round(360 / STEP)
    turned = [placement.moved(turned=STEP * i) for i in range(turns)]
    strengths = plan.response.strengths(np.array([pose.head_from_coil for pose in turned]))
    kept = strengths >= share * strengths[0]
    sectors = []
    for first in [0] if kept.all() else np.flatnonzero(kept & ~np.roll(kept, 1)):
        last = first
        while last + 1 - first < turns and kept[(last + 1) % turns]:
            last += 1
        angles = np.linspace((first - 0.5) * STEP, (last + 0.5) * STEP, 2 * (last - first) + 3)
        arc = [placement.moved(turned=angle).handle_direction for angle in angles]
        sectors.append(placement.center + np.vstack([np.zeros(3), CONE * np.array(arc)]))
    return kept_centres, sectors
