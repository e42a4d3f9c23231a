"""Windings from few numbers: published values, dipoles against wires, bends that keep lengths."""

import numpy as np
import pytest

from neuro_field.coil import designs
from neuro_field.coil.coil import Coil
from neuro_field.coil.inductance import inductance
from neuro_field.coil.winding import Winding
from neuro_field.errors import InputError

FIGURE_8 = Winding(tuple(range(28, 45, 2)), (4.17, 6.5, 8.83), ((-45.0, -1), (45.0, 1)))
BENT = Winding(
    tuple(np.linspace(14, 52, 10)), (8.0,), ((-28.0, 1), (28.0, -1)), bend_angle=14, bend_start=3, bend_radius=27
)
CONE = Winding(
    tuple(np.linspace(49, 61, 7)), (6.0,), ((-60.0, 1), (60.0, -1)), bend_angle=40, bend_start=6, bend_radius=6
)
PLANE = np.stack([*(axis.ravel() for axis in np.mgrid[-80:81:10, -60:61:10]), np.zeros(221)], axis=1)


def test_figure_8_has_its_published_area_turns_and_field():
    assert FIGURE_8.area_turns == pytest.approx(0.0374, rel=1e-3)
    primary = -Coil("figure-8", (FIGURE_8.wires(),)).dadt([[0, 0, 15.0]])[0]
    np.testing.assert_allclose(primary, [0, 2.456, 0], rtol=1e-3, atol=1e-9)  # V/m at 1 A/us


@pytest.mark.parametrize(("height", "tolerance"), [(10, 2e-4), (15, 2e-5), (30, 5e-6)])
def test_dipoles_have_the_field_of_the_wires(height, tolerance):
    points = PLANE + np.array([0, 0, height])
    wires, dipoles = Coil("w", (FIGURE_8.wires(),)), Coil("d", (FIGURE_8.dipoles(),))
    for what in ("dadt", "flux_density_rate"):
        a, b = getattr(wires, what)(points), getattr(dipoles, what)(points)
        assert np.linalg.norm(a - b) < tolerance * np.linalg.norm(a)


@pytest.mark.parametrize(("winding", "height"), [(BENT, 35), (CONE, 100)])
def test_dipoles_of_bent_wings_have_the_field_of_their_wires(winding, height):
    points = PLANE * 0.5 + np.array([0, 0, height])
    wires = Coil("w", (winding.wires(288),)).dadt(points)
    for spacing, tolerance in ((6.0, 0.01), (2.0, 0.002)):  # the arc of a bend is narrower than 6 mm
        dipoles = Coil("d", (winding.dipoles(spacing),)).dadt(points)
        assert np.linalg.norm(wires - dipoles) < tolerance * np.linalg.norm(wires)


def test_double_cone_opens_at_100_degrees():
    left, right = CONE.normals(np.array([-60.0])), CONE.normals(np.array([60.0]))
    assert 180 - np.degrees(np.arccos((left @ right.T).item())) == pytest.approx(100)
    rim = CONE.bent(np.array([-120.0, 120.0]), np.zeros(2), 0.0)
    assert (rim[:, 2] > 60).all()  # the wings reach down towards the head


def test_bending_keeps_lengths():
    u = np.linspace(-90, 90, 2001)
    line = BENT.bent(u, np.zeros_like(u), 0.0)
    length = np.linalg.norm(np.diff(line, axis=0), axis=1).sum()
    assert length == pytest.approx(180, rel=1e-6)
    np.testing.assert_allclose(BENT.bent(np.zeros(1), np.zeros(1), 0.0), 0, atol=1e-12)


@pytest.mark.parametrize("winding", [FIGURE_8, BENT, CONE])
def test_mirror_symmetric_winding_has_a_mirror_symmetric_field(winding):
    coil = Coil("c", (winding.dipoles(),))
    points = PLANE * 0.4 + np.array([3, 2, 95])
    mirror = np.array([-1.0, 1, 1])
    a, b = coil.dadt(points * mirror) * mirror, coil.dadt(points)
    np.testing.assert_allclose(a, b, rtol=0, atol=1e-12 * np.abs(a).max())


@pytest.mark.parametrize(("senses", "expected"), [((-1, 1), 1), ((1, -1), -1)])
def test_sense_of_the_wings_sets_the_direction_of_the_field(senses, expected):
    winding = Winding((30.0, 40.0), (5.0,), ((-45.0, senses[0]), (45.0, senses[1])))
    assert winding.initial_y == expected
    direction = Coil("c", (winding.dipoles(),)).initial_e_direction
    np.testing.assert_allclose(direction, [0, expected, 0], atol=1e-6)


def test_shared_layers_divide_the_current_and_layers_in_series_do_not():
    shared = Winding((30.0,), (5.0, 8.0), ((0.0, 1),))
    series = Winding((30.0,), (5.0, 8.0), ((0.0, 1),), layers_in_series=True)
    assert series.area_turns == pytest.approx(2 * shared.area_turns)
    assert series.dipoles().moments.sum() == pytest.approx(2 * shared.dipoles().moments.sum())
    assert shared.dipoles().moments.sum(axis=0)[2] == pytest.approx(shared.area_turns)


@pytest.mark.parametrize("winding", [FIGURE_8, BENT, CONE])
def test_casing_is_closed_encloses_its_winding_and_faces_the_head(winding):
    casing = winding.casing()
    edges = np.sort(casing.triangles[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1)
    assert set(np.unique(edges, axis=0, return_counts=True)[1]) == {2}
    np.testing.assert_allclose(casing.area_vectors.sum(axis=0), 0, atol=1e-8)
    volume = np.einsum("fi,fi->", casing.points[casing.triangles[:, 0]], casing.area_vectors) / 3
    assert volume > 1e5
    wires = winding.wires().starts
    corner = casing.points[:, None] - wires[None, ::50]
    solid = solid_angles(corner, casing.triangles)
    np.testing.assert_allclose(solid / (4 * np.pi), 1, atol=1e-6)
    face = winding.bent(np.zeros(1), np.zeros(1), 0.0)
    middle = np.abs(casing.points[:, 0]) < 10
    assert 0 <= casing.points[middle, 2].max() - face[0, 2] < 3  # 3 mm up where the double cone begins to bend


def solid_angles(corner, triangles):
    """Solid angle of a closed surface from each point: 4 pi inside, 0 outside (van Oosterom & Strackee 1983)."""
    a, b, c = (corner[triangles[:, i]] for i in range(3))
    la, lb, lc = (np.linalg.norm(side, axis=-1) for side in (a, b, c))
    numerator = np.einsum("fmi,fmi->fm", a, np.cross(b, c))
    dot = lambda p, q: np.einsum("fmi,fmi->fm", p, q)  # noqa: E731
    denominator = la * lb * lc + dot(a, b) * lc + dot(b, c) * la + dot(c, a) * lb
    return 2 * np.arctan2(numerator, denominator).sum(axis=0)


@pytest.mark.parametrize(
    "keywords",
    [
        {"radii": (0.0,)},
        {"depths": (-5.0,)},
        {"radii": ()},
        {"wings": ((0.0, 2),)},
        {"bend_angle": 95.0},
    ],
)
def test_impossible_windings_are_refused(keywords):
    with pytest.raises(InputError):
        Winding(**({"radii": (30.0,), "depths": (5.0,), "wings": ((0.0, 1),)} | keywords))


TWIN = designs.twin(designs.turns_between(60, 120, 10), (6.0,), centres=80.0, tilt=30.0)
DESIGNS = {
    "circular": designs.circular(designs.turns_between(66, 123, 14), (6.5,)),
    "figure-8": designs.figure_8(designs.turns_between(35, 75, 5), designs.layers_behind(4.65, 12, 2), centres=37.9),
    "bent figure-8": designs.bent_figure_8(
        designs.turns_between(24, 108, 10), (8.0,), centres=28, angle=14, arc=27, field="-y", offset_y=-2.2
    ),
    "double cone": designs.double_cone(designs.turns_between(96, 125, 7), (6.0,), centres=63.9),
    "twin": TWIN,
}


def test_designs_give_the_numbers_on_the_shelf():
    assert designs.turns_between(35, 75, 5) == (19.5, 23.5, 27.5, 31.5, 35.5)
    assert DESIGNS["figure-8"].depths == (7.65, 13.65)
    np.testing.assert_allclose(designs.turns_between(66, 123, 14)[::13], [34.018, 60.482], atol=5e-4)
    cone = DESIGNS["double cone"]
    across = cone.normals(np.array([-63.9])) @ cone.normals(np.array([63.9])).T
    assert 180 - np.degrees(np.arccos(across.item())) == pytest.approx(100)


@pytest.mark.parametrize("name", DESIGNS)
def test_every_design_is_the_same_coil_as_wires_spirals_and_dipoles(name):
    """Loops and dipoles to 0.5 %; a spiral is another coil, by about half a pitch of asymmetry: 4 %."""
    winding = DESIGNS[name]
    deepest = winding.wires(12).ends[:, 2].max()
    points = PLANE * 0.4 + np.array([0, 0, max(deepest, 0) + 25])
    loops, spirals, dipoles = (
        Coil("c", (part,)).dadt(points) for part in (winding.wires(), winding.spirals(), winding.dipoles())
    )
    assert np.linalg.norm(loops - dipoles) < 0.005 * np.linalg.norm(loops)
    assert 1e-4 < np.linalg.norm(loops - spirals) / np.linalg.norm(loops) < 0.04


def test_spiral_has_the_area_turns_of_its_loops():
    winding = designs.circular(designs.turns_between(66, 123, 14), (6.5,))
    moment = winding.spirals(360).as_dipoles().moments.sum(axis=0)
    np.testing.assert_allclose(moment[2], winding.area_turns, rtol=0.002)  # the mean of r^2 over a turn: pitch^2 / 12


def test_wings_of_a_twin_coil_are_flat_and_apart():
    normals = TWIN.normals(np.linspace(20, 140, 30))
    np.testing.assert_allclose(normals, normals[:1].repeat(30, axis=0), atol=1e-12)
    assert np.degrees(np.arccos(normals[0, 2])) == pytest.approx(30)
    assert TWIN.initial_y == -1


def test_offset_moves_the_whole_field_along_the_handle():
    shifted = Winding(BENT.radii, BENT.depths, BENT.wings, bend_angle=14, bend_start=3, bend_radius=27, offset_y=-5.0)
    points = PLANE * 0.5 + np.array([0, 0, 60])
    a = Coil("a", (shifted.dipoles(),)).dadt(points - np.array([0, 5.0, 0]))
    np.testing.assert_allclose(a, Coil("b", (BENT.dipoles(),)).dadt(points), rtol=0, atol=1e-12 * np.abs(a).max())
    np.testing.assert_allclose(shifted.casing().points, BENT.casing().points, atol=1e-12)


def test_inductance_of_one_turn_is_the_textbook_one():
    ring = designs.circular((50.0,), (5.0,))
    wire = 0.2235 * 2.0  # geometric mean distance of a square of 1 mm
    assert inductance(ring, (1.0, 1.0)) == pytest.approx(4e-7 * np.pi * 0.05 * (np.log(400 / wire) - 2), rel=1e-3)


def test_inductance_of_the_figure_8_is_near_its_catalogues():
    """16.35 uH in the catalogue, leads and cable included; the winding alone must be less, by up to a tenth."""
    assert 0.90 * 16.35e-6 < inductance(FIGURE_8) < 16.35e-6
    one = Winding(FIGURE_8.radii, FIGURE_8.depths, ((45.0, 1),))
    assert inductance(FIGURE_8) > 2 * inductance(one)  # opposed wings side by side help one another
    along = Winding(FIGURE_8.radii, FIGURE_8.depths, ((-45.0, 1), (45.0, 1)))
    assert inductance(FIGURE_8) + inductance(along) == pytest.approx(4 * inductance(one), rel=1e-6)


def test_inductance_grows_with_the_square_of_the_turns_current():
    shared = Winding((30.0, 33.0), (5.0, 8.0), ((0.0, 1),))
    series = Winding((30.0, 33.0), (5.0, 8.0), ((0.0, 1),), layers_in_series=True)
    assert inductance(series) == pytest.approx(4 * inductance(shared))


@pytest.mark.parametrize(
    "call",
    [
        lambda: designs.turns_between(75, 35, 5),
        lambda: designs.layers_behind(5, 0, 2),
        lambda: designs.figure_8((30.0,), (5.0,), centres=-40),
        lambda: designs.figure_8((30.0,), (5.0,), centres=40, field="up"),
        lambda: designs.twin((60.0,), (5.0,), centres=50, tilt=20),
    ],
)
def test_impossible_designs_are_refused(call):
    with pytest.raises(InputError, match="instead"):
        call()
