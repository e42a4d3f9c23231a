"""A window, a notebook's cell or a picture that shows a head, a field, a plan or a study."""

import io
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from neuro_field.arrays import FloatArray
from neuro_field.clinic.study import Study
from neuro_field.errors import InputError
from neuro_field.field.field import Field
from neuro_field.field.stored import StoredField
from neuro_field.head.face import Face
from neuro_field.head.model import HeadModel
from neuro_field.nouns import noun
from neuro_field.report.drawing import View, picture, stage, target, window
from neuro_field.report.facts import HeadFacts
from neuro_field.report.looks import Look, bare_head, cut_view, sensitivity_cone, whole_head
from neuro_field.report.opengl import PictureError, check_opengl, off_screen
from neuro_field.report.pictures import position_view, positions, side_view
from neuro_field.report.scene import Scene
from neuro_field.report.skull_page import OpeningsOfHead
from neuro_field.search.plan import Plan

#: What a screenshot may be: a picture, one whose words stay text, a film of the head turning once.
ENDINGS = (".png", ".svg", ".gif")

#: Of a film: pictures, and the seconds that each stays.
FRAMES, FRAME_SECONDS = 30, 0.1


@noun
class Shown:
    """Something to see: from where, the patient's axes (3, 3), and what draws it on a plotter."""

    where: View
    axes: FloatArray
    draw: Callable[[Any, View], None]


def view(
    thing: HeadModel | Field | StoredField | Plan | Study,
    *,
    screenshot: str | Path | None = None,
    cut: str | None = None,
    opacity: Mapping[str, float] | None = None,
    mid_grey: bool = False,
    vectors: bool = False,
    cone: float | None = None,
) -> None:
    """Show a head, a field, a plan, or the plan of a study's own side.

    In a window; inside a Jupyter notebook in its cell (one that turns with the extra ``serve``, else a still picture);
    or as a file.  A plan read from files has neither head nor field: its positions, target and handle are shown.

    Parameters
    ----------
    thing : HeadModel, Field, StoredField, Plan or Study
    screenshot : str or Path, optional
        A file to write instead: .png; .svg, whose words stay text; or .gif, the head turning once.
    cut : {"axial", "coronal", "sagittal"}, optional
        Take away the half of the head in front of the target, the coil or the lesion and show the face of the cut.
    opacity : mapping of str to float, optional
        0 to 1 by tissue or group, as ``{"scalp": 0.1, "skull": 0.3, "grey_matter": 1.0}``.
    mid_grey : bool
        The field at points in the middle of the cortical sheet instead of on the grey matter's surface.
    vectors : bool
        The field's direction where it is strong.
    cone : float, optional
        Of a plan just computed, a share such as 0.9: the positions that keep it of the best strength, as dots, and at
        the best placement the cone of handle directions that do.

    Raises
    ------
    InputError
        If the thing is of another kind, the file ends in something else, or the thing cannot be shown so.
    PictureError
        If this machine has no OpenGL library, or no screen for a window.

    Examples
    --------
    >>> import neuro_field as nf
    >>> nf.view(nf.sphere_head((70, 80, 90), edge=9.0), screenshot="head.png", cut="axial")
    >>> Path("head.png").read_bytes()[1:4]
    b'PNG'
    """
    if screenshot is not None and Path(screenshot).suffix.lower() not in ENDINGS:
        raise InputError(
            f"Input screenshot of view must end in {', '.join(ENDINGS)}; instead received {str(screenshot)!r}."
        )
    shown = _shown(thing, Look(cut, opacity or {}, mid_grey, vectors, cone))
    if screenshot is not None:
        check_opengl()
        _write(shown, Path(screenshot))
        return
    turned = replace(shown.where, in_front=0.0)
    if in_notebook():
        check_opengl()
    else:
        _check_screen()
    window(turned, shown.axes, lambda plotter: shown.draw(plotter, turned))


def head_picture(head: HeadModel, face: Face | None = None) -> bytes:
    """PNG of a head: grey matter and lesion under a translucent scalp, without a face if given; raises PictureError."""
    shown = _head(head, Look(), face)
    check_opengl()
    return _png(shown)


def in_notebook() -> bool:
    """Whether this runs in a Jupyter kernel."""
    shell = sys.modules.get("IPython")
    return shell is not None and type(shell.get_ipython()).__name__ == "ZMQInteractiveShell"


def _png(shown: Shown) -> bytes:
    return picture(shown.where, shown.axes, lambda plotter: shown.draw(plotter, shown.where))


def _write(shown: Shown, path: Path) -> None:
    """The picture or film as a file."""
    ending = path.suffix.lower()
    if ending == ".png":
        path.write_bytes(_png(shown))
    elif ending == ".gif":
        path.write_bytes(_film(shown))
    else:
        with off_screen():
            plotter = stage(shown.where, shown.axes, lambda plotter: shown.draw(plotter, shown.where), seen=False)
            try:
                plotter.show(auto_close=False)
                plotter.save_graphic(path.with_suffix(".svg"), title=shown.where.title)
            finally:
                plotter.close()


def _film(shown: Shown) -> bytes:
    """An animated GIF: once around the patient's long axis."""
    from PIL import Image

    turned = replace(shown.where, in_front=0.0, title="")
    frames = []
    with off_screen():
        plotter = stage(turned, None, lambda plotter: shown.draw(plotter, turned), seen=False)
        try:
            for number in range(FRAMES):
                _orbit(plotter, turned, shown.axes[2], 2 * np.pi * number / FRAMES)
                plotter.render()
                drawn = Image.fromarray(np.asarray(plotter.screenshot(None, return_img=True)))
                frames.append(drawn.resize((drawn.width // 2, drawn.height // 2), Image.Resampling.LANCZOS))
        finally:
            plotter.close()
    out = io.BytesIO()
    frames[0].save(
        out, format="GIF", save_all=True, append_images=frames[1:], duration=round(1000 * FRAME_SECONDS), loop=0
    )
    return out.getvalue()


def _orbit(plotter: Any, where: View, axis: FloatArray, angle: float) -> None:
    """Turns the eye about an axis through the middle of the picture."""
    from scipy.spatial.transform import Rotation

    turn = Rotation.from_rotvec(angle * axis / np.linalg.norm(axis)).as_matrix()
    plotter.camera.position = np.asarray(where.focus) - 800 * turn @ where.into / np.linalg.norm(where.into)
    plotter.camera.up = turn @ where.up
    plotter.renderer.reset_camera_clipping_range()


def _shown(thing: Any, look: Look) -> Shown:
    """From where a thing is seen, the patient's axes, and what draws it."""
    if isinstance(thing, Study):
        return _shown(_own_plan(thing), look)
    if isinstance(thing, Plan) and thing.field is None:
        return _read_plan(thing, look)
    if look.cone is not None and not isinstance(thing, Plan):
        raise InputError(f"Input cone of view needs a Plan or Study; instead received a {type(thing).__name__}.")
    if isinstance(thing, HeadModel):
        return _head(thing, look)
    if isinstance(thing, Plan) and thing.field is not None:
        scene = Scene.of(thing.field, thing)
    elif isinstance(thing, Field | StoredField):
        scene = Scene.of(thing)
    else:
        raise InputError(f"Input thing of view must be a HeadModel, Field, Plan or Study; instead {thing!r:.80}.")

    def draw(plotter: Any, where: View) -> None:
        whole_head(plotter, scene, where, look)
        if look.cone is not None:
            sensitivity_cone(plotter, thing, look.cone)

    where = side_view(scene) if look.cut is None else cut_view(look, scene.axes, scene.middle, scene.side)
    return Shown(where, scene.axes, draw)


def _own_plan(study: Study) -> Plan:
    """The plan of a study's own side, else of the other."""
    plans = study.plans
    if not plans:
        raise InputError("There is nothing to show: the study has no plan on either side.")
    return plans.get(study.own_side) or next(iter(plans.values()))


def _head(head: HeadModel, look: Look, face: Face | None = None) -> Shown:
    """Grey matter and lesion under a translucent scalp, from the side of lesion or open skull, else the left."""
    if look.mid_grey or look.vectors:
        raise InputError("A head without a field has nothing to show at mid-grey points or as vectors; give a field.")
    right, anterior, superior = axes = HeadFacts.of(head, landmarks=False).axes
    centre = (head.scalp.points.max(axis=0) + head.scalp.points.min(axis=0)) / 2
    lesion = head.mesh.centroids[head.region("lesion")]
    opened = OpeningsOfHead.of(head).points
    about = next((points.mean(axis=0) for points in (lesion, opened) if len(points)), None)
    side = 1 if about is not None and (about - centre) @ right > 0 else -1
    focus = lesion.mean(axis=0) if len(lesion) and look.cut else centre
    into = -(0.84 * side * right + 0.2 * anterior + 0.5 * superior)
    where = View(into, superior, centre, 290.0) if look.cut is None else cut_view(look, axes, focus, side)
    return Shown(where, axes, lambda plotter, where: bare_head(plotter, head, axes, focus, side, look, face))


def _read_plan(plan: Plan, look: Look) -> Shown:
    """Positions, target and handle of a plan without its head."""
    if not look.plain:
        raise InputError("A plan read from files has neither head nor field: it can only be shown as it is.")
    axes = HeadFacts.of(None).axes

    def draw(plotter: Any, where: View) -> None:
        positions(plotter, plan, where)
        for centre in plan.target.centers:
            target(plotter, centre + where.nearer, plan.target.radius, where.into)

    return Shown(position_view(plan, axes), axes, draw)


def _check_screen() -> None:
    """Raise PictureError on a machine where no window can open."""
    if sys.platform.startswith("linux") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        raise PictureError('There is no screen to open a window on; ask for a picture instead: screenshot="view.png".')
