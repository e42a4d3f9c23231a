"""Pictures show the right side: what lies on the patient's left is where the picture says L."""

import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from tiny_study import LESION, tiny_head, tiny_study

from neuro_field.aim.aims import joint
from neuro_field.aim.scalp import anatomical_axes
from neuro_field.aim.target import Target
from neuro_field.errors import InputError
from neuro_field.report import opengl
from neuro_field.report.drawing import SIZE
from neuro_field.report.opengl import PictureError, check_opengl
from neuro_field.report.pictures import position_view, study_pictures, zone_outline
from neuro_field.report.scene import COLOURS, edge_letters, target_balls
from neuro_field.report.view import view


@pytest.fixture(scope="module")
def pictures():
    try:
        return study_pictures(tiny_study())
    except PictureError as error:
        pytest.skip(str(error))


def pixels(data):
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).astype(int)


def place_of(image, colour, tolerance=40):
    """Median column and row of the pixels of a colour, and how many there are."""
    wanted = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)])
    rows, columns = np.nonzero(np.abs(image - wanted).max(axis=2) < tolerance)
    return (np.median(columns), np.median(rows), len(rows)) if len(rows) else (np.nan, np.nan, 0)


def test_both_sides_get_four_pictures_that_are_not_blank(pictures):
    assert set(pictures) == {
        f"{role}_{name}" for role in ("contralesional", "ipsilesional")
        for name in ("side", "above", "cortex", "positions")
    }  # fmt: skip
    for name, data in pictures.items():
        image = pixels(data)
        assert image.shape == (SIZE[1], SIZE[0], 3), name
        assert 0.05 < (image.std(axis=2) > 10).mean() < 0.98, name


@pytest.mark.parametrize(("role", "sign"), [("contralesional", 1), ("ipsilesional", -1)])
def test_from_above_the_right_hemispheres_target_lies_on_the_right_of_the_picture(pictures, role, sign):
    column, _, count = place_of(pixels(pictures[f"{role}_above"]), COLOURS["target"])
    assert count > 50
    assert sign * (column - SIZE[0] / 2) > 40


def test_from_above_the_left_lesion_lies_on_the_left_of_the_picture(pictures):
    assert LESION[0][0] < 0
    image = pixels(pictures["contralesional_above"])
    column, _, count = place_of(image, COLOURS["lesion"], tolerance=30)
    assert count > 20
    assert column < SIZE[0] / 2 - 40


@pytest.mark.parametrize("role", ["contralesional", "ipsilesional"])
def test_the_current_is_drawn_to_the_side_it_runs_to(pictures, role):
    placement = getattr(tiny_study(), role).best.placement
    current = placement.initial_e_direction(tiny_study().coil)
    assert abs(current[0]) > 0.3  # so that from above it has a side
    column, _, count = place_of(pixels(pictures[f"{role}_above"]), COLOURS["current"], 60)
    middle = tiny_head().mesh.nodes.mean(axis=0)
    start = SIZE[0] / 2 + SIZE[1] / 290.0 * (placement.center - middle)[0]  # 290 mm fill the picture's height
    assert count > 50
    assert np.sign(column - start) == np.sign(current[0])


@pytest.mark.parametrize(
    ("into", "up", "letters"),
    [
        ((0, 0, -1), (0, 1, 0), {"left": "L", "right": "R", "top": "A", "bottom": "P"}),
        ((1, 0, 0), (0, 0, 1), {"left": "A", "right": "P", "top": "S", "bottom": "I"}),
        ((-1, 0, 0), (0, 0, 1), {"left": "P", "right": "A", "top": "S", "bottom": "I"}),
        ((0, -1, 0), (0, 0, 1), {"left": "R", "right": "L", "top": "S", "bottom": "I"}),
    ],
)
def test_edges_are_named_as_someone_at_the_bedside_sees_them(into, up, letters):
    assert edge_letters(np.array(into, float), np.array(up, float), np.eye(3)) == letters


@pytest.mark.parametrize("role", ["contralesional", "ipsilesional"])
def test_the_zone_is_outlined_where_it_lies_in_light_and_in_dark(pictures, role):
    plan = getattr(tiny_study(), role)
    bare = replace(plan, zone=None)
    without = pixels(study_pictures(bare)["positions"])
    image = pixels(pictures[f"{role}_positions"])
    rows, columns = np.nonzero(np.abs(image - without).max(axis=2) > 30)
    changed = image[rows, columns]
    assert (changed.min(axis=1) > 225).sum() > 300  # white, ...
    assert (changed.max(axis=1) < 40).sum() > 300  # ... and black beside it: also in grey, on any dot
    view = position_view(plan, anatomical_axes(tiny_head()))
    offsets = zone_outline(plan.zone).reshape(-1, 3) - view.focus
    into = view.into / np.linalg.norm(view.into)
    scale = SIZE[1] / view.across
    across = SIZE[0] / 2 + scale * offsets @ np.cross(into, view.upwards)
    down = SIZE[1] / 2 - scale * offsets @ view.upwards
    assert [columns.min(), columns.max()] == pytest.approx([across.min(), across.max()], abs=1.5 * scale)
    assert [rows.min(), rows.max()] == pytest.approx([down.min(), down.max()], abs=1.5 * scale)


def test_a_zones_outline_is_closed_and_holds_its_area():
    zone = tiny_study().ipsilesional.zone
    lines = zone_outline(zone)
    assert np.linalg.norm(lines[:, 1] - lines[:, 0], axis=1) == pytest.approx(zone.spacing)
    places = len(np.unique(zone.cells[: len(zone.poses), :2], axis=0))
    axes = zone.poses[0][:3, :2]
    flat = (lines - zone.poses[0][:3, 3]) @ axes / zone.spacing
    assert places > 4
    assert 4 * np.sqrt(places) <= len(lines) < 4 * places  # none between two positions of the zone
    assert np.abs(flat).max() < np.abs(zone.cells[:, :2]).max() + 1


def test_parts_of_a_target_that_lie_apart_are_marked_each_on_its_own():
    head = tiny_head()
    left, right = (Target.ball(head, (x, -15, 55), 12.0, tissue="grey_matter") for x in (-40, 40))
    ((centre, radius),) = target_balls(head, left)
    assert centre is left.center
    assert radius == 12.0
    parts = sorted(target_balls(head, joint(left, right)), key=lambda ball: ball[0][0])
    assert len(parts) == 2
    for (centre, radius), ball in zip(parts, (left, right), strict=True):
        assert np.linalg.norm(centre - ball.center) < 5
        assert 5 < radius < 15


def test_a_study_read_from_files_has_nothing_to_draw():
    made = tiny_study()
    bare = replace(
        made, head=None, contralesional=replace(made.contralesional, field=None),
        ipsilesional=replace(made.ipsilesional, field=None),
    )  # fmt: skip
    with pytest.raises(InputError, match="neither the head nor the field"):
        study_pictures(bare)


@pytest.mark.skipif(not opengl.sys.platform.startswith("linux"), reason="only Linux may lack OpenGL")
def test_a_machine_without_opengl_gets_one_line_that_names_the_package(monkeypatch):
    opengl._draws.cache_clear()
    monkeypatch.setattr(opengl, "_TRIAL", "import os; os.abort()")  # what VTK does without the library
    try:
        with pytest.raises(PictureError, match="apt-get install libegl1 libgl1") as caught:
            check_opengl()
    finally:
        opengl._draws.cache_clear()
    assert "\n" not in str(caught.value)


def test_view_writes_a_picture_of_each_noun(tmp_path, pictures):
    made = tiny_study()
    bare = replace(made.contralesional, field=None)
    for name, thing in (("head", tiny_head()), ("field", made.contralesional.field), ("study", made), ("read", bare)):
        path = tmp_path / f"{name}.png"
        view(thing, screenshot=path)
        assert (pixels(path.read_bytes()).std(axis=2) > 5).mean() > 0.01, name


def test_view_without_a_screen_says_to_ask_for_a_picture(monkeypatch):
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setattr("neuro_field.report.view.in_notebook", lambda: False)
    with pytest.raises(PictureError, match="screenshot="):
        view(replace(tiny_study().contralesional, field=None))
