"""What turns about their axes leave coils as they are: declared on cards, held to the field, measured otherwise."""

from dataclasses import replace

import numpy as np
import pytest

import neuro_field as nf
from neuro_field.coil.sources import Dipoles, Grid
from neuro_field.coil.symmetry import LARGEST_CHANGE
from neuro_field.geometry.mesh import Surface
from neuro_field.shelf.coils import coil_card, coil_names, coil_of_card

RNG = np.random.default_rng(11)
UNDER = RNG.uniform((-45, -45, 20), (45, 45, 60), (200, 3))


def turned(coil, angle, points):
    """|dA/dt| of the coil turned about its axis by an angle in degrees."""
    pose = nf.Placement(np.eye(4)).moved(turned=angle)
    return np.linalg.norm(coil.dadt(pose.coil_points(points)), axis=1)


@pytest.mark.parametrize("name", coil_names())
def test_every_card_keeps_what_it_declares(name):
    """Of the size of the field at points the measure does not look at; the casing is measured with it below."""
    coil = nf.load_coil(name)
    assert coil.symmetry == coil_card(name)["symmetry"]
    own = turned(coil, 0, UNDER)
    change = {angle: np.abs(turned(coil, angle, UNDER) - own).max() / own.max() for angle in (37.0, 90.0, 180.0)}
    kept = {angle for angle, share in change.items() if share <= LARGEST_CHANGE}
    assert kept == {"continuous": {37.0, 90.0, 180.0}, "two-fold": {180.0}, "none": set()}[coil.symmetry]


@pytest.mark.parametrize("name", coil_names())
def test_what_is_measured_is_what_cards_declare(name):
    coil = nf.load_coil(name)
    assert replace(coil, declared_symmetry=None).symmetry == coil.symmetry


def test_a_file_that_says_nothing_is_measured(tmp_path):
    for name, expected in (("figure8-70mm", "two-fold"), ("mc-b70", "none"), ("circular-90mm", "continuous")):
        nf.write(nf.load_coil(name), tmp_path / f"{name}.ccd")
        read = nf.read_coil(tmp_path / f"{name}.ccd")
        assert read.declared_symmetry is None
        assert read.symmetry == expected


def test_a_housing_that_differs_when_turned_takes_the_symmetry():
    coil = replace(nf.load_coil("figure8-70mm"), declared_symmetry=None)
    box = coil.casing
    handle = np.array([[-20, -130, 0], [20, -130, 0], [20, -30, 0], [-20, -30, 0], [0, -80, -20]], dtype=float)
    triangles = np.array([[0, 1, 2], [0, 2, 3], [0, 1, 4], [1, 2, 4], [2, 3, 4], [3, 0, 4]]) + len(box.points)
    with_handle = Surface(np.concatenate([box.points, handle]), np.concatenate([box.triangles, triangles]))
    assert coil.symmetry == "two-fold"
    assert replace(coil, casing=with_handle).symmetry == "none"


def test_other_currents_are_measured_anew():
    wings = (Dipoles([[-40, 0, -10]], [[0, 0, 1e-2]]), Dipoles([[40, 0, -10]], [[0, 0, -1e-2]]))
    coil = nf.Coil("two", wings, declared_symmetry="two-fold")
    assert coil.driven([1, 1]).symmetry == "two-fold"  # an oval is one as well
    assert coil.driven([1, 0]).symmetry == "none"
    assert coil.simplified().declared_symmetry == "two-fold"


def test_a_potential_that_is_sampled_nowhere_below_the_face_has_none():
    above = np.diag([10.0, 10.0, 10.0, 1.0])
    above[:3, 3] = (-50, -50, -60)
    assert nf.Coil("sampled", Grid(RNG.normal(size=(11, 11, 4, 3)), above)).symmetry == "none"


def test_other_words_are_refused():
    with pytest.raises(nf.InputError, match="declared_symmetry"):
        replace(nf.load_coil("figure8-70mm"), declared_symmetry="mirror")
    card = coil_card("figure8-70mm") | {"symmetry": "round"}
    with pytest.raises(nf.InputError, match="round"):
        coil_of_card(card)
