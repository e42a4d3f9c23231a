"""A window, or a PNG file, that shows a head, a field, a plan or a study."""

import os
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from neuro_field.arrays import FloatArray
from neuro_field.errors import InputError
from neuro_field.field.field import Field
from neuro_field.head.model import HeadModel
from neuro_field.planning.plan import Plan
from neuro_field.planning.study import Study
from neuro_field.report.drawing import View, picture, target, whole_head, window
from neuro_field.report.facts import HeadFacts
from neuro_field.report.opengl import PictureError, check_opengl
from neuro_field.report.pictures import position_view, positions, side_view
from neuro_field.report.scene import COLOURS, Scene, polydata


def view(thing: HeadModel | Field | Plan | Study, *, screenshot: str | Path | None = None) -> None:
    """Show a head, a field, a plan, or the plan of a study's own side.

    A plan read from files has neither head nor field: its positions, target and handle are shown.

    Parameters
    ----------
    thing : HeadModel, Field, Plan or Study
    screenshot : str or Path, optional
        A .png file to write, instead of opening a window.

    Raises
    ------
    InputError
        If the thing is of another kind, or the file does not end in .png.
    PictureError
        If this machine has no OpenGL library, or no screen for a window.

    Examples
    --------
    >>> import neuro_field as nf
    >>> nf.view(nf.sphere_head((70, 80, 90), edge=9.0), screenshot="head.png")
    >>> Path("head.png").read_bytes()[1:4]
    b'PNG'
    """
    if screenshot is not None and Path(screenshot).suffix.lower() != ".png":
        raise InputError(f"Input screenshot of view must end in .png; instead received {str(screenshot)!r}.")
    where, axes, draw = _shown(thing)
    if screenshot is None:
        _check_screen()
        turned = replace(where, in_front=0.0)
        window(turned, axes, lambda plotter: draw(plotter, turned))
    else:
        check_opengl()
        Path(screenshot).write_bytes(picture(where, axes, lambda plotter: draw(plotter, where)))


def head_picture(head: HeadModel) -> bytes:
    """PNG of a head: grey matter and lesion under a translucent scalp; raises PictureError."""
    where, axes, draw = _head(head)
    check_opengl()
    return picture(where, axes, lambda plotter: draw(plotter, where))


def _shown(thing: Any) -> tuple[View, FloatArray, Callable[[Any, View], None]]:
    """From where a thing is seen, the patient's axes, and what draws it."""
    if isinstance(thing, Study):
        plan = thing.plans.get(thing.own_side) or next(iter(thing.plans.values()), None)
        if plan is None:
            raise InputError("There is nothing to show: the study has no plan on either side.")
        return _shown(plan)
    if isinstance(thing, HeadModel):
        return _head(thing)
    if isinstance(thing, Plan) and thing.field is None:
        return _read_plan(thing)
    if isinstance(thing, Plan) and thing.field is not None:
        scene = Scene.of(thing.field, thing)
    elif isinstance(thing, Field):
        scene = Scene.of(thing)
    else:
        raise InputError(f"Input thing of view must be a HeadModel, Field, Plan or Study; instead {thing!r:.80}.")
    return side_view(scene), scene.axes, lambda plotter, where: whole_head(plotter, scene, where)


def _head(head: HeadModel) -> tuple[View, FloatArray, Callable[[Any, View], None]]:
    """Grey matter and lesion under a translucent scalp, from the lesion's side, else from the left."""
    right, anterior, superior = axes = HeadFacts.of(head, landmarks=False).axes
    centre = (head.scalp.points.max(axis=0) + head.scalp.points.min(axis=0)) / 2
    lesion = head.mesh.centroids[head.region("lesion")]
    side = 1 if len(lesion) and (lesion.mean(axis=0) - centre) @ right > 0 else -1
    into = -(0.84 * side * right + 0.2 * anterior + 0.5 * superior)

    def draw(plotter: Any, where: View) -> None:
        plotter.enable_depth_peeling(4)
        plotter.add_mesh(polydata(head.scalp), color=COLOURS["scalp"], opacity=0.25, smooth_shading=True)
        for region, colour in (("grey_matter", "#E8DCC0"), ("lesion", COLOURS["lesion"])):
            inside = head.region(region)
            if inside.any():
                plotter.add_mesh(polydata(head.mesh.boundary(inside)), color=colour, smooth_shading=True, ambient=0.2)

    title = f"Seen from the patient's {'right' if side > 0 else 'left'}, slightly above"
    return View(into, superior, centre, 290.0, title), axes, draw


def _read_plan(plan: Plan) -> tuple[View, FloatArray, Callable[[Any, View], None]]:
    """Positions, target and handle of a plan without its head."""
    axes = HeadFacts.of(None).axes
    where = position_view(plan, axes)

    def draw(plotter: Any, where: View) -> None:
        positions(plotter, plan, where)
        target(plotter, plan.target.center + where.nearer, plan.target.radius, where.into)

    return where, axes, draw


def _check_screen() -> None:
    """Raise PictureError on a machine where no window can open."""
    if sys.platform.startswith("linux") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        raise PictureError('There is no screen to open a window on; ask for a picture instead: screenshot="view.png".')
