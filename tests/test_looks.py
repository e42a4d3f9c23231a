"""Views beyond the plain picture: what is cut away, shown in tissues, turned, kept as text, and refused."""

import io
import json
import re
from dataclasses import replace
from functools import lru_cache
from itertools import pairwise
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image
from tiny_study import LESION, tiny_head, tiny_study

import neuro_field as nf
from neuro_field.cli import main
from neuro_field.errors import FileFormatError, InputError, UnknownNameError
from neuro_field.field.stored import StoredField
from neuro_field.report import view as view_module
from neuro_field.report.looks import Cut, Look, kept_positions
from neuro_field.report.opengl import PictureError, check_opengl
from neuro_field.report.scene import COLOURS, Scene
from neuro_field.report.view import view
from neuro_field.store.fields import write_field


@pytest.fixture(scope="module")
def drawing():
    try:
        check_opengl()
    except PictureError as error:
        pytest.skip(str(error))


def pixels(path):
    return np.asarray(Image.open(io.BytesIO(path.read_bytes())).convert("RGB")).astype(int)


def count(image, colour, tolerance=30):
    wanted = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)])
    return int((np.abs(image - wanted).max(axis=2) < tolerance).sum())


@pytest.mark.parametrize(("name", "axis"), [("sagittal", 0), ("coronal", 1), ("axial", 2)])
def test_a_cut_takes_away_the_half_above_in_front_or_on_the_near_side(name, axis):
    scene = Scene.of(tiny_study().ipsilesional.field, tiny_study().ipsilesional)
    cut = Cut.of(Look(cut=name), np.eye(3), scene.middle, scene.side)
    sign = -1 if name == "sagittal" else 1  # the ipsilesional target lies on the left
    points = np.asarray(cut.left_of(scene.grey).points)
    assert (sign * points[:, axis]).max() <= sign * scene.middle[axis] + 1e-3
    kept = cut.keeps(np.asarray(scene.grey.points))
    assert 0 < kept.sum() < len(kept)


def test_a_cut_through_the_lesion_shows_it(tmp_path, drawing):
    view(tiny_head(), screenshot=tmp_path / "whole.png", opacity={"grey_matter": 1.0, "lesion": 0.0})
    view(tiny_head(), screenshot=tmp_path / "cut.png", cut="coronal", opacity={"lesion": 0.0})
    assert count(pixels(tmp_path / "whole.png"), COLOURS["lesion"], 12) == 0
    assert count(pixels(tmp_path / "cut.png"), COLOURS["lesion"], 12) > 500


def test_an_opaque_skull_hides_the_brain(tmp_path, drawing):
    field = tiny_study().contralesional.field
    colourful = []
    for name, opacity in (("clear", {"skull": 0.0}), ("hidden", {"skull": 1.0, "scalp": 0.0})):
        view(field, screenshot=tmp_path / f"{name}.png", opacity=opacity)
        image = pixels(tmp_path / f"{name}.png")[250:700, 300:800]
        colourful.append((image[..., 0] - image[..., 2] > 60).mean())  # yellow to red
    assert colourful[1] < 0.5 * colourful[0]


@lru_cache(maxsize=1)
def layered_field():
    """A sphere with white matter inside the grey."""
    head = nf.sphere_head(radii=(64, 70, 80, 90), edge=8.0)
    tags = np.array([0, 0, 1, 2, 4, 5])[head.mesh.tags]  # what was CSF is the cortex of 6 mm
    head = nf.HeadModel.from_mesh(replace(head.mesh, tags=tags), name="layers")
    placement = nf.Placement.on(head.scalp, above=(0, 0, 90), handle_towards=(0, -90, 90))
    return nf.Solver(head, tolerance=1e-4).solve(nf.load_coil("figure8-70mm"), placement)


def test_mid_grey_and_vectors_change_the_picture(tmp_path, drawing):
    field = layered_field()
    images = []
    for name, how in (("plain", {}), ("points", {"mid_grey": True}), ("vectors", {"vectors": True})):
        view(field, screenshot=tmp_path / f"{name}.png", **how)
        images.append(pixels(tmp_path / f"{name}.png"))
    for other in images[1:]:
        assert (np.abs(images[0] - other).max(axis=2) > 30).mean() > 0.002


def test_a_film_turns_the_head_once(tmp_path, drawing, monkeypatch):
    monkeypatch.setattr(view_module, "FRAMES", 4)
    view(tiny_study().contralesional, screenshot=tmp_path / "head.gif")
    with Image.open(tmp_path / "head.gif") as film:
        assert film.n_frames == 4
        frames = []
        for number in range(4):
            film.seek(number)
            frames.append(np.asarray(film.convert("RGB")).astype(int))
    for one, other in pairwise(frames):
        assert np.abs(one - other).max() > 60


def test_words_stay_text_in_an_svg(tmp_path, drawing):
    view(tiny_study().contralesional, screenshot=tmp_path / "plan.svg")
    text = (tmp_path / "plan.svg").read_text()
    ElementTree.fromstring(text)
    for letter in ("H", "E", "T", "A", "P"):
        assert re.search(rf"<text[^>]*>{letter}<", text), letter


def angle_of(plan, direction):
    """Degrees of a direction from the best handle, clockwise for someone who looks at the head."""
    placement = plan.best.placement
    aside = np.cross(placement.handle_direction, placement.axis)
    return np.degrees(np.arctan2(-direction @ aside, direction @ placement.handle_direction))


@pytest.mark.parametrize("share", [0.9, 0.7])
def test_a_cone_holds_the_directions_that_keep_the_share(share):
    plan = tiny_study().contralesional
    kept, sectors = kept_positions(plan, share)
    assert len(sectors) == 2  # the target's axis is unsigned: the turned coil does as well
    field_at = {}
    for angle in np.arange(-90, 90, 5.0):
        pose = plan.best.placement.moved(turned=angle).head_from_coil
        field_at[angle] = plan.response.strengths(pose[None])[0] / plan.best.strength
    inside = [angle for angle, value in field_at.items() if value >= share * field_at[0.0]]
    arcs = [(sector[1:] - sector[0]) / np.linalg.norm(sector[1:] - sector[0], axis=1)[:, None] for sector in sectors]
    near = min(([angle_of(plan, way) for way in arc] for arc in arcs), key=lambda angles: np.abs(angles).min())
    assert min(near) == pytest.approx(min(inside) - 2.5, abs=0.1)
    assert max(near) == pytest.approx(max(inside) + 2.5, abs=0.1)
    strongest = plan.strengths.reshape(plan.report.positions, -1).max(axis=1)
    assert len(kept) == (strongest >= share * strongest.max()).sum()


def test_a_cone_is_drawn_around_the_handle(tmp_path, drawing):
    plan = tiny_study().contralesional
    view(plan, screenshot=tmp_path / "plain.png")
    view(plan, screenshot=tmp_path / "cone.png", cone=0.8)
    images = [pixels(tmp_path / f"{name}.png") for name in ("plain", "cone")]
    blue = [int((image[..., 2] - image[..., 0] > 50).sum()) for image in images]
    assert blue[1] > blue[0] + 500


def test_what_cannot_be_shown_is_refused(tmp_path):
    made = tiny_study().contralesional
    with pytest.raises(InputError, match=r"must end in \.png, \.svg, \.gif"):
        view(tiny_head(), screenshot=tmp_path / "x.jpg")
    with pytest.raises(InputError, match="must be a HeadModel, Field, Plan or Study"):
        view(3.2, screenshot=tmp_path / "x.png")
    with pytest.raises(InputError, match="needs a Plan or Study"):
        view(made.field, screenshot=tmp_path / "x.png", cone=0.9)
    with pytest.raises(InputError, match="neither head nor field"):
        view(replace(made, field=None), screenshot=tmp_path / "x.png", cut="axial")
    with pytest.raises(InputError, match="it has no response"):
        kept_positions(replace(made, response=None), 0.9)
    with pytest.raises(InputError, match="head without a field"):
        view(tiny_head(), screenshot=tmp_path / "x.png", vectors=True)
    with pytest.raises(UnknownNameError, match="oblique"):
        Look(cut="oblique")
    with pytest.raises(UnknownNameError, match="bones"):
        Look(opacity={"bones": 0.5})
    with pytest.raises(InputError, match=r"must be 0 to 1; instead received 1\.5"):
        Look(opacity={"skull": 1.5})
    with pytest.raises(InputError, match="share between 0 and 1"):
        Look(cone=2.0)


def test_a_notebook_gets_its_cell_without_a_screen(monkeypatch, drawing):
    shown = []
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.setattr(view_module, "in_notebook", lambda: True)
    monkeypatch.setattr("pyvista.Plotter.show", lambda self: shown.append(self))
    view(tiny_head())
    assert len(shown) == 1
    shown[0].close()


def test_a_field_is_read_again_as_it_was_written(tmp_path):
    field = tiny_study().contralesional.field
    write_field(field, tmp_path / "FIELD", formats=("msh",))
    read = nf.read_field(tmp_path / "FIELD")
    assert read.coil is not None
    assert isinstance(read, StoredField)
    assert np.allclose(read.E, field.E, rtol=1e-6)
    assert np.allclose(read.placement.head_from_coil, field.placement.head_from_coil)
    assert read.coil.name == field.coil.name
    assert read.didt == field.didt
    assert (read.head.mesh.tags == field.head.mesh.tags).all()
    inside = field.head.mesh.centroids[::500]
    assert np.allclose(read.at(inside), field.E[::500], rtol=1e-6)
    assert np.isnan(read.at(np.array([[500.0, 0, 0]]))).all()


def test_the_coil_of_a_field_is_known_again_only_while_its_card_is_unchanged(tmp_path):
    """Another coil may induce in the same direction."""
    field = tiny_study().contralesional.field
    write_field(field, tmp_path / "FIELD", formats=("msh",))
    card = tmp_path / "FIELD" / "simulation.json"
    record = json.loads(card.read_text())
    assert nf.read_field(tmp_path / "FIELD").coil is not None
    card.write_text(json.dumps(record | {"coil_record": record["coil_record"] | {"card": 64 * "0"}}))
    assert nf.read_field(tmp_path / "FIELD").coil is None
    del record["coil_record"]["card"]  # as it was written before
    card.write_text(json.dumps(record))
    assert nf.read_field(tmp_path / "FIELD").coil is not None
    record["coil_record"]["initial_e_direction"] = [1.0, 0, 0]
    card.write_text(json.dumps(record))
    assert nf.read_field(tmp_path / "FIELD").coil is None
    grown = replace(field.coil, elements=tuple(element for element in field.coil.elements[:1]) * 2)
    write_field(replace(field, coil=grown), tmp_path / "GROWN", formats=("msh",))
    assert nf.read_field(tmp_path / "GROWN").coil is None


@pytest.mark.parametrize("kind", ["tissue", "element", "tensor"])
def test_a_field_is_read_with_the_conductivities_it_was_computed_with(tmp_path, kind):
    field = tiny_study().contralesional.field
    head = field.head
    spread = head.conductivity * np.linspace(0.8, 1.2, len(head.mesh.tets))
    other = {
        "tissue": head.with_conductivity({"lesion_cavity": 0.8, "bone": 1 / 137}),
        "element": replace(head, conductivity=spread),
        "tensor": replace(head, conductivity=spread[:, None, None] * np.diag([1.0, 2.0, 0.5])),
    }[kind]
    write_field(replace(field, system=replace(field.system, head=other)), tmp_path / "FIELD", formats=("msh",))
    np.testing.assert_array_equal(nf.read_field(tmp_path / "FIELD").head.conductivity, other.conductivity)


def test_the_command_shows_a_field(tmp_path, drawing, capsys):
    write_field(tiny_study().contralesional.field, tmp_path / "FIELD", formats=("msh",))
    out = tmp_path / "field.png"
    arguments = ["view", str(tmp_path / "FIELD"), "--screenshot", str(out), "--cut", "coronal", "--vectors"]
    assert main([*arguments, "--opacity", "skull=0.3"]) == 0
    assert f"Picture written to {out}" in capsys.readouterr().out
    image = pixels(out)
    assert (image[..., 0] - image[..., 2] > 60).mean() > 0.02
    assert main(["view", str(tmp_path / "FIELD"), "--screenshot", str(tmp_path / "x.png"), "--cut", "up"]) == 2
    assert "axial" in capsys.readouterr().err


def test_damaged_folders_of_fields_end_in_one_line(tmp_path):
    with pytest.raises(FileNotFoundError, match="neuro-field simulate"):
        nf.read_field(tmp_path / "none")
    folder = tmp_path / "FIELD"
    write_field(tiny_study().contralesional.field, folder, formats=("msh",))
    card = folder / "simulation.json"
    good = card.read_text()
    for damage, words in (
        ("{", "is damaged"),
        ("[]", "must be a JSON object"),
        (good.replace("neuro_field/simulation", "other"), "its schema is 'other'"),
        (re.sub(r'"didt_A_per_s": [^,]+', '"didt_A_per_s": "much"', good), "'didt_A_per_s' must be a finite number"),
        (re.sub(r'("head_from_coil_mm": \[\s*\[\s*)[-\d.e]+', r"\g<1>7.0", good), "head_from_coil"),
    ):
        card.write_text(damage)
        with pytest.raises(FileFormatError, match=words):
            nf.read_field(folder)
    card.write_text(good)
    (folder / "field.msh").unlink()
    with pytest.raises(FileFormatError, match=r"holds no field\.msh; simulate again with msh"):
        nf.read_field(folder)


def test_the_lesion_of_the_tests_lies_where_they_say():
    lesion = tiny_head().mesh.centroids[tiny_head().region("lesion")]
    assert np.abs(lesion.mean(axis=0) - LESION[0]).max() < 6
