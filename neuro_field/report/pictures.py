"""Pictures of a plan as PNG bytes, drawn without a screen."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from neuro_field.arrays import FloatArray
from neuro_field.clinic.study import Study
from neuro_field.errors import InputError
from neuro_field.head.face import Face
from neuro_field.report.drawing import View, arrow, bar, grey_matter, marks, picture
from neuro_field.report.looks import whole_head
from neuro_field.report.opengl import check_opengl
from neuro_field.report.scene import COLOURS, FIELD_MAP, Anatomy, Scene, arrows
from neuro_field.search.plan import Plan
from neuro_field.search.zone import Zone


def study_pictures(study: Study | Plan, face: Face | None = None) -> dict[str, bytes]:
    """Four pictures of each plan's best placement.

    Parameters
    ----------
    study : Study or Plan
        With its fields, as just computed.
    face : Face, optional
        Left out of the scalp.

    Returns
    -------
    dict of str to bytes
        PNG by name: "side", "above", "cortex" and "positions", for a study with the role in front, as in
        "contralesional_side".

    Raises
    ------
    PictureError
        If this machine has no OpenGL library; the message names the packages.
    InputError
        If the study was read from files and holds no field.
    """
    plans = {"": study} if isinstance(study, Plan) else {f"{role}_": made for role, made in study.plans.items()}
    if all(made.field is None for made in plans.values()):
        raise InputError("There is nothing to draw: a plan read from files holds neither the head nor the field.")
    check_opengl()
    scenes: dict[str, Scene] = {}
    anatomy = None
    for prefix, made in plans.items():
        if made.field is not None:
            anatomy = anatomy or Anatomy.of(made.field.head, face)
            scenes[prefix] = Scene.of(made.field, made, anatomy)
    strongest = max(scene.strongest for scene in scenes.values())  # one scale, so that sides can be compared
    return {
        prefix + name: draw(replace(scene, strongest=strongest), plans[prefix])
        for prefix, scene in scenes.items()
        for name, draw in _SCENES.items()
    }


def side_view(scene: Scene) -> View:
    """From the target's side, slightly above and in front."""
    right, anterior, superior = scene.axes
    into = -(0.84 * scene.side * right + 0.2 * anterior + 0.5 * superior)
    focus = scene.anatomy.centre + 12 * superior
    return View(into, superior, focus, 250.0)


def _from_the_side(scene: Scene, plan: Plan) -> bytes:
    view = side_view(scene)
    return picture(view, scene.axes, lambda plotter: whole_head(plotter, scene, view))


def _from_above(scene: Scene, plan: Plan) -> bytes:
    _, anterior, superior = scene.axes
    view = View(-superior, anterior, scene.anatomy.centre, 290.0)
    return picture(view, scene.axes, lambda plotter: whole_head(plotter, scene, view))


def _cortex(scene: Scene, plan: Plan) -> bytes:
    placement = plan.best.placement
    _, anterior, superior = scene.axes
    up = anterior if abs(placement.axis @ superior) > 0.8 else superior
    view = View(placement.axis, up, scene.focus, 110.0)

    def draw(plotter: Any) -> None:
        grey_matter(plotter, scene)
        marks(plotter, scene, view)
        if "current" in (known := arrows(scene.field)):
            start, direction = known["current"]
            arrow(plotter, "current", start, direction, 26.0, view=view)

    return picture(view, scene.axes, draw)


def _positions(scene: Scene, plan: Plan) -> bytes:
    view = position_view(plan, scene.axes)

    def draw(plotter: Any) -> None:
        plotter.add_mesh(scene.anatomy.scalp, color=COLOURS["scalp"], smooth_shading=True, ambient=0.35)
        positions(plotter, plan, view)

    return picture(view, scene.axes, draw)


def position_view(plan: Plan, axes: FloatArray) -> View:
    """Along the best placement's axis, wide enough for all positions."""
    placement = plan.best.placement
    up = axes[1] if abs(placement.axis @ axes[2]) > 0.8 else axes[2]
    across = 2.6 * float(np.linalg.norm(plan.centers - placement.center, axis=1).max()) + 60
    return View(placement.axis, up, placement.center, float(np.clip(across, 150.0, 200.0)))


def positions(plotter: Any, plan: Plan, view: View) -> None:
    """Dots at the positions tried, coloured by what each reaches with its best handle direction."""
    import pyvista

    strengths = plan.strengths.reshape(plan.report.positions, -1)
    best = strengths.argmax(axis=1)
    centres = plan.centers.reshape(plan.report.positions, -1, 3)[np.arange(len(best)), best]
    dots = pyvista.PolyData(centres)
    dots["E"] = strengths.max(axis=1)
    balls = dots.glyph(geom=pyvista.Sphere(radius=0.42 * _spacing(centres)), scale=False, orient=False)
    plotter.add_mesh(balls, scalars="E", cmap=FIELD_MAP, lighting=False, scalar_bar_args=bar("V/m, 1 A/µs"))
    if plan.zone is not None:
        _zone(plotter, plan.zone, view)
    placement = plan.best.placement
    if not plan.handle_free:
        arrow(plotter, "handle", placement.center, placement.handle_direction, 40.0, view=view)


def zone_outline(zone: Zone) -> FloatArray:
    """(s, 2, 3) ends of the lines around a zone's positions, mm, head frame: of squares, one for each position.

    A position belongs to it with any handle; its square is a step of the lattice wide and lies where the coil's centre
    stands.
    """
    places, first = np.unique(zone.cells[: len(zone.poses), :2], axis=0, return_index=True)
    inside = {tuple(place) for place in places.tolist()}
    along = zone.poses[0][:3, :2].T * [[1.0], [-1.0]] * zone.spacing / 2  # half a step along the plane's two axes
    lines = []
    for place, centre in zip(places.tolist(), zone.poses[first, :3, 3], strict=True):
        for axis, way in ((0, -1), (0, 1), (1, -1), (1, 1)):
            beside = [*place]
            beside[axis] += way
            if tuple(beside) not in inside:
                middle = centre + way * along[axis]
                lines.append((middle - along[1 - axis], middle + along[1 - axis]))
    return np.array(lines)


def _zone(plotter: Any, zone: Zone, view: View) -> None:
    """White between black: seen on light and dark dots, in grey as well."""
    import pyvista

    ends = zone_outline(zone) + view.nearer / 2  # behind the arrow
    lines = np.column_stack([np.full(len(ends), 2), np.arange(2 * len(ends)).reshape(-1, 2)]).ravel()
    shape = pyvista.PolyData(ends.reshape(-1, 3), lines=lines)
    plotter.add_mesh(shape.tube(radius=0.9, capping=True), color=COLOURS["handle"], lighting=False)
    white = shape.translate(view.nearer / 100, inplace=False).tube(radius=0.45, capping=True)
    plotter.add_mesh(white, color=COLOURS["zone"], lighting=False)


_SCENES: dict[str, Callable[[Scene, Plan], bytes]] = {
    "side": _from_the_side,
    "above": _from_above,
    "cortex": _cortex,
    "positions": _positions,
}


def _spacing(points: FloatArray) -> float:
    """Typical distance between neighbours, mm."""
    from scipy.spatial import cKDTree

    if len(points) < 2:
        return 5.0
    return float(np.median(cKDTree(points).query(points, k=2)[0][:, 1]))
