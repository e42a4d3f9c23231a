"""How the parts of a picture are drawn: shapes, marks, words and the eye's place."""

import io
from collections.abc import Callable
from typing import Any

import numpy as np

from neuro_field.arrays import FloatArray
from neuro_field.nouns import noun
from neuro_field.report.opengl import off_screen
from neuro_field.report.scene import COLOURS, FIELD_MAP, Scene, edge_letters
from neuro_field.units import AMPERE_PER_MICROSECOND

#: Width and height of a picture in pixels, ...
SIZE = (1120, 896)

#: ... and how many times larger it is drawn, so that its edges come out smooth.
FINER = 1.5

#: What is written beside a mark: letters, which need no translation; captions tell them.
LETTERS = {"handle": "H", "current": "E", "target": "T", "lesion": "X"}

#: Marks are drawn this much nearer to the viewer than what they mark, mm.
IN_FRONT = 400.0


@noun
class View:
    """Where a picture is taken from.

    ``into`` the picture and ``up`` (3,), head frame; ``focus`` (3,) in its middle; ``across`` its height in mm;
    marks are drawn ``in_front`` mm nearer to the viewer than what they mark (0 for a window that can be turned).
    """

    into: FloatArray
    up: FloatArray
    focus: FloatArray
    across: float
    title: str = ""
    in_front: float = IN_FRONT

    @property
    def upwards(self) -> FloatArray:
        """(3,) unit vector towards the picture's upper edge."""
        into = self.into / np.linalg.norm(self.into)
        out = self.up - (self.up @ into) * into
        return out / np.linalg.norm(out)

    @property
    def nearer(self) -> FloatArray:
        """(3,) what brings a mark in front of everything, mm: the projection is parallel, so it stays in place."""
        return -self.in_front * self.into / np.linalg.norm(self.into)


def grey_matter(plotter: Any, scene: Scene, grey: Any = None, *, opacity: float = 1.0) -> None:
    """The grey-matter surface, or what a cut left of it, coloured by the field, with the bar of its colours."""
    plotter.add_mesh(
        scene.grey if grey is None else grey, scalars="E", cmap=FIELD_MAP, clim=(0.0, scene.strongest),
        smooth_shading=True, scalar_bar_args=bar(field_title(scene)), ambient=0.25, opacity=opacity,
    )  # fmt: skip


def field_title(scene: Scene) -> str:
    """What the colours of the field mean."""
    return f"V/m, {scene.field.didt / AMPERE_PER_MICROSECOND:g} A/µs"


def marks(plotter: Any, scene: Scene, view: View, *, lesion: bool = True) -> None:
    """The target as a ring, the lesion in its colour (unless others draw it), and their names."""
    into = view.into / np.linalg.norm(view.into)
    aside = np.cross(scene.field.placement.handle_direction, into)
    aside /= float(np.linalg.norm(aside)) + 1e-9
    for number, (centre, radius) in enumerate(scene.target_balls):
        target(plotter, centre + view.nearer, radius, into)
        if number == 0:
            _label(plotter, "target", centre + view.nearer + (radius + 9) * aside)
    if lesion and scene.anatomy.lesion is not None:
        plotter.add_mesh(scene.anatomy.lesion, color=COLOURS["lesion"], smooth_shading=True, ambient=0.35)
        points = np.asarray(scene.anatomy.lesion.points)
        height = (points - view.focus) @ view.upwards / view.across
        aside = (points - view.focus) @ np.cross(into, view.upwards) / view.across
        inside = points[(height > -0.3) & (height < 0.35) & (np.abs(aside) < 0.5)]
        if len(inside) and (points.mean(axis=0) - scene.anatomy.centre) @ into < 10.0:  # on the half that faces us
            nearest = inside[inside @ into < (inside @ into).min() + 15.0]
            offset = nearest - scene.focus
            away = np.linalg.norm(offset - (offset @ into)[:, None] * into, axis=1)
            _label(plotter, "lesion", nearest[np.argmax(away)])  # clear of the target's name


def target(plotter: Any, middle: FloatArray, radius: float, into: FloatArray) -> None:
    """A ring around a target."""
    import pyvista

    ring = pyvista.Disc(center=middle, inner=radius, outer=radius + 1.6, normal=into, c_res=60)
    plotter.add_mesh(ring, color=COLOURS["target"], lighting=False)


def arrow(plotter: Any, name: str, start: FloatArray, direction: FloatArray, length: float, *, view: View) -> None:
    """An arrow with its name at its tip."""
    import pyvista

    start = start + view.nearer
    shape = pyvista.Arrow(
        start=start, direction=direction, scale=length, tip_length=0.25, tip_radius=3.6 / length,
        shaft_radius=1.3 / length,
    )  # fmt: skip
    plotter.add_mesh(shape, color=COLOURS[name], ambient=0.4)
    _label(plotter, name, start + (length + 4) * direction)


def _label(plotter: Any, name: str, place: FloatArray) -> None:
    plotter.add_point_labels(
        np.asarray(place)[None], [LETTERS[name]], text_color=COLOURS[name], font_size=36, bold=True, show_points=False,
        always_visible=True, shape="rounded_rect", shape_color="white", shape_opacity=0.75, margin=4,
    )  # fmt: skip


def bar(title: str) -> dict[str, Any]:
    """Settings of a colour bar with its title, below the picture."""
    return {
        "title": title, "vertical": False, "position_x": 0.3, "position_y": 0.02, "width": 0.4, "height": 0.1,
        "title_font_size": 34, "label_font_size": 30, "fmt": "%.2f", "n_labels": 4, "color": "black", "fill": True,
        "background_color": "white",
    }  # fmt: skip


def picture(view: View, axes: FloatArray | None, draw: Callable[[Any], None]) -> bytes:
    """A PNG with letters for the patient's sides (``axes`` (3, 3): right, anterior, superior) at its edges, if any."""
    from PIL import Image  # comes with pyvista

    out = io.BytesIO()
    with off_screen():
        plotter = stage(view, axes, draw, seen=False)
        try:
            drawn = Image.fromarray(np.asarray(plotter.screenshot(None, return_img=True)))
        finally:
            plotter.close()
    drawn.resize(SIZE, Image.Resampling.LANCZOS).save(out, format="PNG")
    return out.getvalue()


def window(view: View, axes: FloatArray, draw: Callable[[Any], None]) -> None:
    """The same in a window, or a notebook's cell, that can be turned; returns when the window is closed."""
    with off_screen():
        plotter = stage(view, axes, draw, seen=True)
        plotter.add_axes(xlabel="Right", ylabel="Front", zlabel="Top")
        plotter.show()


def stage(view: View, axes: FloatArray | None, draw: Callable[[Any], None], *, seen: bool) -> Any:
    """A plotter with everything on it."""
    import pyvista

    plotter: Any = pyvista.Plotter(off_screen=not seen, window_size=[round(FINER * side) for side in SIZE])
    plotter.set_background("white")
    plotter.disable_anti_aliasing()  # VTK's own either breaks translucency or costs ten times as much without a GPU
    draw(plotter)
    aim(plotter, view)
    for scalar_bar in plotter.scalar_bars.values():
        scalar_bar.SetVerticalTitleSeparation(20)
    if not seen:
        write_edges(plotter, view, axes)
    return plotter


def aim(plotter: Any, view: View) -> None:
    """Parallel projection, so that lengths in the picture can be compared."""
    into = view.into / np.linalg.norm(view.into)
    plotter.camera.focal_point = view.focus
    plotter.camera.position = np.asarray(view.focus) - 2 * IN_FRONT * into
    plotter.camera.up = view.up
    plotter.camera.parallel_projection = True
    plotter.camera.parallel_scale = view.across / 2
    plotter.renderer.reset_camera_clipping_range()


def write_edges(plotter: Any, view: View, axes: FloatArray | None) -> None:
    """Title, and letters for the patient's sides at the edges."""
    places = {"left": (0.02, 0.8), "right": (0.98, 0.8), "top": (0.5, 0.9), "bottom": (0.5, 0.13)}
    letters = {} if axes is None else edge_letters(view.into, view.up, axes)
    for edge, letter in letters.items():
        _text(plotter, letter, places[edge], 27, edge)
    if view.title:
        _text(plotter, view.title, (0.5, 0.955), 20, "centre")


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
