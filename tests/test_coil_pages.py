"""Coils on paper: the figures are those of the coil, the words have the right sign, the page stands alone."""

import re

import numpy as np
import pytest

from neuro_field.coil.coil import Coil
from neuro_field.coil.sources import Grid
from neuro_field.console import fail_plainly
from neuro_field.errors import InputError
from neuro_field.report.coil_pages import (
    CoilFigures,
    CoilOnPaper,
    coil_facts,
    coil_picture,
    coils_page,
    primary_field,
)
from neuro_field.report.opengl import PictureError, check_opengl
from neuro_field.shelf.coils import coil_card, coil_names, load_coil, write_coil
from neuro_field.store.coil_folder import shelf_rows, shown_coil, write_coil_pages


def test_facts_show_field_depth_and_spread_beside_the_published_values():
    facts = shown_coil("figure8-ideal").facts
    assert facts["primary |E| at 15 mm"].startswith("2.456 V/m at 1 A/us, 282 V/m at 100 %")
    assert "published 1.41 cm (-0.1 %)" in facts["half-value depth d1/2"]
    assert "published 14.8 cm2 (+0.7 %)" in facts["spread S1/2"]
    assert facts["first current"] == "away from the handle (+y) at dI/dt above 0"
    assert "9 turns, radius 28 to 44 mm, 3 layers sharing the current" in facts["geometry"]
    assert "114.73 A/us" in facts["largest dI/dt, Magstim Rapid"]


def test_unknown_limit_and_circular_field_are_told():
    facts = shown_coil("circular-90mm").facts
    assert facts["largest dI/dt"].startswith("not known")
    assert "mm beside the axis" in facts["primary |E| at 15 mm"]
    assert "none on the axis" in facts["first current"]


def test_double_cone_is_quoted_on_its_axis_and_not_at_its_wires():
    cone = load_coil("double-cone")
    np.testing.assert_array_equal(cone.reference_point(15.0), [0, 0, 15])
    assert primary_field(cone, 15.0) == pytest.approx(2.89, abs=0.02)


def test_list_holds_every_coil_with_its_polarity():
    headings, rows = shelf_rows()
    assert [row[0] for row in rows] == coil_names()
    assert all(len(row) == len(headings) for row in rows)
    assert {row[0]: row[-1] for row in rows}["mc-b70"] == "towards"


def test_coil_of_a_file_is_shown(tmp_path):
    write_coil(load_coil("figure8-25mm"), tmp_path / "small.ccd")
    facts = shown_coil(str(tmp_path / "small.ccd")).facts
    assert facts["primary |E| at 15 mm"] == shown_coil("figure8-25mm").facts["primary |E| at 15 mm"]
    sampled = Coil("sampled", Grid(np.random.default_rng(0).normal(size=(9, 9, 9, 3)), np.diag([20.0, 20, 20, 1])))
    assert "not computed" in coil_facts(sampled)["depth and spread"]


def drawable():
    try:
        check_opengl()
    except PictureError as error:
        pytest.skip(str(error))


def test_picture_and_page_are_written(tmp_path):
    from PIL import Image

    drawable()
    write_coil_pages(["mc-b70"], tmp_path / "out")
    drawn = np.asarray(Image.open(tmp_path / "out" / "mc-b70.png").convert("RGB")).astype(int)
    brown = (np.abs(drawn - [181, 101, 29]).sum(axis=2) < 90).sum()
    blue = (np.abs(drawn - [0, 114, 178]).sum(axis=2) < 90).sum()
    assert brown > 1500  # the winding
    assert blue > 500  # the current
    page = (tmp_path / "out" / "coils.html").read_text()
    assert "data:image/png;base64," in page
    assert not re.search(r"https?:|<script|url\(", page)
    assert "half-value depth" in page
    with pytest.raises(InputError, match="not empty"):
        write_coil_pages(["mc-b70"], tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_sampled_potential_has_no_picture():
    drawable()
    with pytest.raises(InputError, match="nothing of it to draw"):
        coil_picture(Coil("sampled", Grid(np.ones((3, 3, 3, 3)), np.eye(4))))


def test_command_lists_shows_and_refuses(capsys):
    from neuro_field.cli import app

    assert fail_plainly(app, ["coils"]) == 0
    assert fail_plainly(app, ["coils", "figure8-25mm"]) == 0
    assert "half-value depth" in capsys.readouterr().out
    assert fail_plainly(app, ["coils", "figure-9"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_coils_are_compared_in_one_table_by_the_figures_of_each():
    cards = {name: coil_card(name) for name in ("figure8-70mm", "circular-90mm", "mc-b70")}
    coils = [
        CoilOnPaper(name, {"coil": name}, CoilFigures.of(load_coil(name), card), b"") for name, card in cards.items()
    ]
    sampled = Coil("<i>sampled", Grid(np.ones((9, 9, 9, 3)), np.diag([20.0, 20, 20, 1])))
    coils.append(CoilOnPaper(sampled.name, {"coil": sampled.name}, CoilFigures.of(sampled), b""))
    for language, away, ring, none in (
        ("en", "away from the handle", "in a ring", "not known"),
        ("ja", "ハンドルから離れる向き", "輪のように", "不明"),
    ):
        page = coils_page(coils, language)
        assert f'<html lang="{language}">' in page
        assert "<i>sampled" not in page
        figure, circle, other, unknown = re.findall(r'<tr><td><a href="#coil-\d">.*?</tr>', page)
        for told in ("114.73", "2.19 (251)", "1.43 (1.41)", "15.5 (14.8)", away):
            assert told in figure
        assert away not in other  # its first current runs towards the handle
        assert none in circle
        assert ring in circle
        assert unknown.count(none) == 3
    assert "#coil-0" not in coils_page(coils[:1])  # there is nothing to compare
