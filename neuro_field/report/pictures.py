"""Pictures of a plan as PNG bytes, drawn without a screen."""

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from neuro_field.arrays import FloatArray
from neuro_field.errors import InputError
from neuro_field.planning.plan import Plan
from neuro_field.planning.study import Study
from neuro_field.report.opengl import check_opengl, off_screen
from neuro_field.report.scene import COLOURS, FIELD_MAP, Scene, arrows, coil_shape, edge_words

#: Width and height in pixels.
SIZE = (1200, 960)

#: Marks are drawn this much nearer to the viewer than what they mark, mm.
IN_FRONT = 400.0

_BAR = "Electric field strength in V/m at 1 A/µs"


@dataclass(frozen=True, eq=False)
class View:
    """Where a picture is taken from: unit vectors into the picture and upwards, its focus, mm across, and a title."""

    into: FloatArray
    up: FloatArray
    focus: FloatArray
    across: float
    title: str


def study_pictures(study: Study | Plan) -> dict[str, bytes]:
    """Four pictures of each plan's best placement.

    Parameters
    ----------
    study : Study or Plan
        With its fields, as just computed.

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
    plans = {"": study} if isinstance(study, Plan) else {
        f"{role}_": made for role in ("contralesional", "ipsilesional") if (made := getattr(study, role)) is not None
    }  # fmt: skip
    if all(made.field is None for made in plans.values()):
        raise InputError("There is nothing to draw: a plan read from files holds neither the head nor the field.")
    check_opengl()
    out = {}
    with off_screen():
        for prefix, made in plans.items():
            if made.field is None:
                continue
            scene = Scene.of(made.field, made)
            for name, draw in _SCENES.items():
                out[prefix + name] = draw(scene, made)
    return out


def _from_the_side(scene: Scene, plan: Plan) -> bytes:
    right, anterior, superior = scene.axes
    into = -(0.84 * scene.side * right + 0.2 * anterior + 0.5 * superior)
    word = "right" if scene.side > 0 else "left"
    view = View(into, superior, scene.centre + 12 * superior, 250.0, f"Seen from the patient's {word}, slightly above")
    return _picture(view, scene, lambda plotter: _whole_head(plotter, scene, view))


def _from_above(scene: Scene, plan: Plan) -> bytes:
    _, anterior, superior = scene.axes
    view = View(-superior, anterior, scene.centre, 270.0, "Seen from above, the face at the top")
    return _picture(view, scene, lambda plotter: _whole_head(plotter, scene, view))


def _cortex(scene: Scene, plan: Plan) -> bytes:
    placement = plan.best.placement
    _, anterior, superior = scene.axes
    up = anterior if abs(placement.axis @ superior) > 0.8 else superior
    view = View(placement.axis, up, scene.focus, 110.0, "Grey matter around the target, seen along the coil's axis")

    def draw(plotter: Any) -> None:
        _grey(plotter, scene)
        _marks(plotter, scene, view)
        start, direction = arrows(scene.field)["current"]
        _arrow(plotter, "current", start, direction, 26.0, view=view)

    return _picture(view, scene, draw)


def _positions(scene: Scene, plan: Plan) -> bytes:
    """The strength that each scalp position reaches with its best handle direction."""
    import pyvista

    strengths = plan.strengths.reshape(plan.report.positions, -1)
    centres = plan.centers.reshape(plan.report.positions, -1, 3)
    best = strengths.argmax(axis=1)
    dots = pyvista.PolyData(centres[np.arange(len(best)), best])
    dots["E"] = strengths.max(axis=1)
    placement = plan.best.placement
    _, anterior, superior = scene.axes
    up = anterior if abs(placement.axis @ superior) > 0.8 else superior
    across = 2.6 * float(np.linalg.norm(plan.centers - placement.center, axis=1).max()) + 60
    view = View(placement.axis, up, placement.center, min(across, 200.0),
                "Field in the target by coil position, each with its best handle direction")  # fmt: skip

    def draw(plotter: Any) -> None:
        plotter.add_mesh(scene.scalp, color=COLOURS["scalp"], smooth_shading=True, ambient=0.35)
        spacing = _spacing(dots.points)
        balls = dots.glyph(geom=pyvista.Sphere(radius=0.42 * spacing), scale=False, orient=False)
        title = f"Mean {'strength' if plan.target.direction is None else 'component'} in the target in V/m at 1 A/µs"
        plotter.add_mesh(balls, scalars="E", cmap=FIELD_MAP, lighting=False, scalar_bar_args=_bar(title))
        _arrow(plotter, "handle", placement.center, placement.handle_direction, 40.0, view=view)

    return _picture(view, scene, draw)


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


def _whole_head(plotter: Any, scene: Scene, view: View) -> None:
    """Cortex with its field under a translucent scalp, the coil over it, and where handle and current point."""
    _grey(plotter, scene)
    plotter.add_mesh(scene.scalp, color=COLOURS["scalp"], opacity=0.2, smooth_shading=True)
    coil = coil_shape(scene.field)
    if coil is not None:
        plotter.add_mesh(coil, color=COLOURS["casing"], opacity=0.35, smooth_shading=True)
    _marks(plotter, scene, view)
    for name, length in (("handle", 85.0), ("current", 40.0)):
        start, direction = arrows(scene.field)[name]
        _arrow(plotter, name, start, direction, length, view=view)


def _grey(plotter: Any, scene: Scene) -> None:
    plotter.add_mesh(
        scene.grey, scalars="E", cmap=FIELD_MAP, clim=(0.0, scene.strongest), smooth_shading=True,
        scalar_bar_args=_bar(_BAR), ambient=0.25,
    )  # fmt: skip


def _marks(plotter: Any, scene: Scene, view: View) -> None:
    """The target as a ring in front of everything, the lesion in its colour, and their names."""
    import pyvista

    into = view.into / np.linalg.norm(view.into)
    if scene.target_centre is not None:
        middle = scene.target_centre - IN_FRONT * into
        ring = pyvista.Disc(
            center=middle, inner=scene.target_radius, outer=scene.target_radius + 1.6, normal=into, c_res=60
        )
        plotter.add_mesh(ring, color=COLOURS["target"], lighting=False)
        aside = np.cross(into, scene.field.placement.initial_e_direction(scene.field.coil))
        _label(plotter, "target", middle + (scene.target_radius + 9) * aside / (float(np.linalg.norm(aside)) + 1e-9))
    if scene.lesion is not None:
        plotter.add_mesh(scene.lesion, color=COLOURS["lesion"], smooth_shading=True, ambient=0.35)
        points = np.asarray(scene.lesion.points)
        if (points.mean(axis=0) - scene.centre) @ into < 10.0:  # on the half of the head that faces the viewer
            _label(plotter, "lesion", points[np.argmin(points @ into)])


def _arrow(
    plotter: Any, name: str, start: FloatArray, direction: FloatArray, length: float, *, view: View
) -> None:
    """An arrow with its name, brought in front of everything along the view: the projection is parallel."""
    import pyvista

    start = start - IN_FRONT * view.into / np.linalg.norm(view.into)
    shape = pyvista.Arrow(
        start=start, direction=direction, scale=length, tip_length=0.25, tip_radius=3.6 / length,
        shaft_radius=1.3 / length,
    )  # fmt: skip
    plotter.add_mesh(shape, color=COLOURS[name], ambient=0.4)
    _label(plotter, name, start + (length + 4) * direction)


def _label(plotter: Any, name: str, place: FloatArray) -> None:
    plotter.add_point_labels(
        np.asarray(place)[None], [name], text_color=COLOURS[name], font_size=26, bold=True, show_points=False,
        always_visible=True, shape="rounded_rect", shape_color="white", shape_opacity=0.75, margin=3,
    )  # fmt: skip


def _bar(title: str) -> dict[str, Any]:
    return {
        "title": title, "vertical": False, "position_x": 0.3, "position_y": 0.02, "width": 0.4, "height": 0.07,
        "title_font_size": 24, "label_font_size": 22, "fmt": "%.2f", "n_labels": 4, "color": "black", "fill": True,
        "background_color": "white",
    }  # fmt: skip


def _picture(view: View, scene: Scene, draw: Callable[[Any], None]) -> bytes:
    """One picture with the patient's sides written at its edges."""
    import pyvista

    out = io.BytesIO()
    plotter: Any = pyvista.Plotter(off_screen=True, window_size=list(SIZE))
    try:
        plotter.set_background("white")
        plotter.enable_depth_peeling(4)
        plotter.enable_anti_aliasing("ssaa")
        draw(plotter)
        _aim(plotter, view)
        _write_edges(plotter, view, scene.axes)
        plotter.screenshot(out, return_img=False)
    finally:
        plotter.close()
    return out.getvalue()


def _aim(plotter: Any, view: View) -> None:
    """Parallel projection, so that lengths in the picture can be compared."""
    into = view.into / np.linalg.norm(view.into)
    plotter.camera.focal_point = view.focus
    plotter.camera.position = np.asarray(view.focus) - 2 * IN_FRONT * into
    plotter.camera.up = view.up
    plotter.camera.parallel_projection = True
    plotter.camera.parallel_scale = view.across / 2
    plotter.renderer.reset_camera_clipping_range()


def _write_edges(plotter: Any, view: View, axes: FloatArray) -> None:
    """Title, and the patient's sides in words at the edges."""
    places = {"left": (0.02, 0.5), "right": (0.98, 0.5), "top": (0.5, 0.9), "bottom": (0.5, 0.13)}
    for edge, word in edge_words(view.into, view.up, axes).items():
        _text(plotter, word, places[edge], 20, edge)
    _text(plotter, view.title, (0.5, 0.955), 15, "centre")


def _text(plotter: Any, words: str, place: tuple[float, float], size: int, align: str) -> None:
    actor = plotter.add_text(words, position=place, viewport=True, font_size=size, color="black")
    style = actor.GetTextProperty()
    style.SetBold(True)
    style.SetBackgroundColor(1.0, 1.0, 1.0)
    style.SetBackgroundOpacity(0.7)
    if align == "right":
        style.SetJustificationToRight()
    elif align != "left":
        style.SetJustificationToCentered()
