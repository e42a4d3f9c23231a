"""Coils as sums of sources: units, signs, gauge, fewer dipoles."""

import numpy as np
import pytest

from neuro_field.arrays import transformed
from neuro_field.coil.coil import Coil
from neuro_field.coil.sources import Dipoles, Grid, Segments
from neuro_field.coil.winding import Winding
from neuro_field.errors import InputError

FIGURE_8 = Winding(tuple(range(28, 45, 2)), (4.17, 6.5, 8.83), ((-45.0, -1), (45.0, 1)))
POINTS = np.random.default_rng(4).uniform(-40, 40, (30, 3)) + np.array([0, 0, 55])


def ring(radius=30.0, height=-5.0, pieces=120):
    angle = 2 * np.pi * np.arange(pieces + 1) / pieces
    corners = np.stack([radius * np.cos(angle), radius * np.sin(angle), np.full_like(angle, height)], axis=1)
    corners[-1] = corners[0]
    return Segments(corners[:-1], corners[1:], np.ones(pieces))


def grid_of(coil, step=4.0):
    axes = np.arange(-60, 61, step), np.arange(-60, 61, step), np.arange(0, 121, step)
    affine = np.diag([step, step, step, 1.0])
    affine[:3, 3] = -60, -60, 0
    nodes = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
    return Grid(coil.dadt(nodes.reshape(-1, 3), 1.0).reshape(nodes.shape), affine)


def test_millimetres_and_amperes_become_volts_per_metre():
    coil = Coil("one", (Dipoles([[0, 0, 0]], [[0, 0, 1.0]]),))
    # 1e-7 * 1 A m2/A * 1e6 A/s / (0.1 m)^2 = 10 V/m
    np.testing.assert_allclose(coil.dadt([[100.0, 0, 0]], didt=1e6), [[0, 10.0, 0]], rtol=1e-14)
    np.testing.assert_allclose(coil.flux_density_rate([[0, 0, 100.0]], didt=1e6), [[0, 0, 200.0]], rtol=1e-14)


def test_field_is_linear_in_the_slope_and_turns_with_the_current():
    coil = Coil("figure-8", (FIGURE_8.dipoles(),))
    np.testing.assert_allclose(coil.dadt(POINTS, 3e6), 3 * coil.dadt(POINTS, 1e6), rtol=1e-14)
    np.testing.assert_array_equal(coil.reversed_current().dadt(POINTS), -coil.dadt(POINTS))
    np.testing.assert_array_equal(coil.reversed_current().initial_e_direction, -coil.initial_e_direction)


def test_elements_add_up():
    dipoles, wire = FIGURE_8.dipoles(), ring()
    both = Coil("both", (dipoles, wire)).dadt(POINTS)
    np.testing.assert_allclose(both, Coil("a", (dipoles,)).dadt(POINTS) + Coil("b", (wire,)).dadt(POINTS), rtol=1e-12)


def test_elements_can_be_driven_apart():
    dipoles, wire = FIGURE_8.dipoles(), ring()
    a, b = Coil("a", (dipoles,)).dadt(POINTS), Coil("b", (wire,)).dadt(POINTS)
    both = Coil("both", (dipoles, wire), 1e8)
    for currents in ([1, 0], [0, 1], [2, -0.5]):
        driven = both.driven(currents)
        np.testing.assert_allclose(driven.dadt(POINTS), currents[0] * a + currents[1] * b, rtol=0, atol=1e-12)
        assert (driven.provenance["currents"], driven.didt_max) == (currents, 1e8)
    np.testing.assert_array_equal(both.driven([1, 1]).dadt(POINTS), both.dadt(POINTS))
    for wrong in ([1], [0, 0], [1, np.nan], [[1, 2]]):
        with pytest.raises(InputError, match="2 finite numbers"):
            both.driven(wrong)


def test_wires_dipoles_and_grid_agree_at_20_mm():
    wires = Coil("wires", (Winding((36.0,), (9.0,), ((-45.0, -1), (45.0, 1))).wires(),))
    dipoles = Coil("dipoles", (wires.elements[0].as_dipoles(),))
    sampled = Coil("grid", (grid_of(dipoles),))
    x, y = (axis.ravel() for axis in np.mgrid[-40:41:5, -40:41:5])
    plane = np.stack([x, y, np.full(len(x), 20.0)], axis=1)
    wanted = wires.dadt(plane)
    for coil in (dipoles, sampled):
        assert np.linalg.norm(coil.dadt(plane) - wanted, axis=1).max() < 2e-3 * np.linalg.norm(wanted, axis=1).max()


def test_line_integral_of_dadt_is_the_change_of_flux():
    """Stokes: around a circle, and over its disc."""
    coil, radius, height = Coil("figure-8", (FIGURE_8.dipoles(),)), 20.0, 30.0
    angle = 2 * np.pi * np.arange(64) / 64
    circle = np.stack([25 + radius * np.cos(angle), radius * np.sin(angle), np.full(64, height)], axis=1)
    tangent = np.stack([-np.sin(angle), np.cos(angle), 0 * angle], axis=1)
    around = (coil.dadt(circle) * tangent).sum() * 2 * np.pi * radius * 1e-3 / 64
    node, weight = np.polynomial.legendre.leggauss(12)
    r = radius * (node + 1) / 2
    disc = np.stack([25 + np.outer(r, np.cos(angle)), np.outer(r, np.sin(angle)), np.full((12, 64), height)], axis=-1)
    rate = coil.flux_density_rate(disc.reshape(-1, 3))[:, 2].reshape(12, 64).mean(axis=1)
    through = (rate * 2 * np.pi * r * weight).sum() * radius / 2 * 1e-6
    assert around == pytest.approx(through, rel=1e-6)


def test_wire_ring_has_the_field_of_its_dipoles():
    wire = ring()
    far = POINTS[np.linalg.norm(POINTS - [0, 0, -5], axis=1) > 30]
    a, b = Coil("wire", (wire,)).dadt(far), Coil("dipoles", (wire.as_dipoles(),)).dadt(far)
    assert np.linalg.norm(a - b) < 1e-3 * np.linalg.norm(a)
    moment = wire.as_dipoles().moments.sum(axis=0)
    np.testing.assert_allclose(moment, [0, 0, np.pi * 0.03**2], rtol=1e-3, atol=1e-12)  # the polygon's area


def test_open_wire_is_refused_as_dipoles():
    wire = ring()
    with pytest.raises(InputError, match=r"do not close.*1 of the coil current"):
        Segments(wire.starts[:-1], wire.ends[:-1], wire.currents[:-1]).as_dipoles()


def test_grid_interpolates_the_potential_and_its_curl():
    coil = Coil("figure-8", (FIGURE_8.dipoles(),))
    sampled = Coil("sampled", (grid_of(coil),))
    inner = POINTS[POINTS[:, 2] > 25]
    for what, tolerance in (("dadt", 1e-4), ("flux_density_rate", 5e-3)):  # cubic splines at 4 mm, 30 mm from wires
        a, b = getattr(coil, what)(inner), getattr(sampled, what)(inner)
        assert np.linalg.norm(a - b) < tolerance * np.linalg.norm(a)


def test_grid_refuses_points_outside_and_has_no_dipoles():
    sampled = Coil("sampled", (grid_of(Coil("f", (FIGURE_8.dipoles(),)), step=20.0),))
    with pytest.raises(InputError, match=r"1 of 2 points lie outside"):
        sampled.dadt([[0, 0, 10], [0, 0, 121.0]])
    with pytest.raises(InputError, match="no dipoles"):
        _ = sampled.dipoles


@pytest.mark.parametrize("make", [FIGURE_8.dipoles, ring, lambda: grid_of(Coil("f", (FIGURE_8.dipoles(),)))])
def test_moving_a_source_carries_its_field_along(make):
    turn = np.array([[0, -1.0, 0, 5], [1, 0, 0, -3], [0, 0, 1, 2], [0, 0, 0, 1]])
    source, points = make(), POINTS[np.abs(POINTS[:, :2]).max(axis=1) < 35][:8]
    moved = source.carried(turn).potential(transformed(points, turn))
    np.testing.assert_allclose(moved, source.potential(points) @ turn[:3, :3].T, atol=1e-12 * np.abs(moved).max())


def test_points_on_a_dipole_are_refused_with_their_number():
    coil = Coil("one", (Dipoles([[10, 0, -5]], [[0, 0, 1.0]]),))
    with pytest.raises(InputError, match="1 of 2 coincide"):
        coil.dadt([[10, 0, -5], [0, 0, 10]])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Coil("none", ()), "at least one source"),
        (lambda: Coil("text", ("dipoles",)), "not str"),
        (lambda: Coil("slope", (ring(),), didt_max=-1.0), "positive, in A/s"),
        (lambda: Coil("c", (ring(),)).dadt([0, 0, 10]), r"shape \(m, 3\)"),
        (lambda: Coil("c", (ring(),)).dadt([[0, 0, 10]], didt=np.nan), "didt must be finite"),
        (lambda: Dipoles([[0, 0, 0]], [[0, 0, 1], [0, 0, 1]]), "one shape"),
        (lambda: Dipoles(np.zeros((0, 3)), np.zeros((0, 3))), "s > 0"),
        (lambda: Grid(np.zeros((3, 3, 3)), np.eye(4)), r"\(i, j, k, 3\)"),
        (lambda: Grid(np.zeros((3, 3, 3, 3)), np.zeros((4, 4))), "invertible"),
        (lambda: Grid(np.full((3, 3, 3, 3), 1e9), np.eye(4)), "T m/A"),
        (lambda: Grid(np.zeros((3, 3, 3, 3)), np.full((4, 4), np.nan)), "4x4 matrix"),
        (lambda: Coil("c", (ring(),)).simplified(2.0), "1e-5 to 0.5"),
    ],
)
def test_doubtful_input_gets_one_clear_line(call, message):
    with pytest.raises(InputError, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)


def test_arrays_handed_out_are_read_only():
    coil = Coil("figure-8", (FIGURE_8.dipoles(),))
    for array in (*coil.dipoles, coil.initial_e_direction):
        assert not array.flags.writeable


def test_circular_coil_has_its_direction_under_its_rim():
    coil = Coil("circular", (Winding((30.0, 40.0), (5.0,), ((0.0, 1),)).dipoles(),))
    # current by the right hand about +z runs along +y at the +x rim; the primary field opposes its rise
    np.testing.assert_allclose(coil.initial_e_direction, [0, -1, 0], atol=1e-6)


def test_simplified_coil_has_the_field_of_the_full_one():
    full = Coil("figure-8", (FIGURE_8.dipoles(8.0),), didt_max=1e8)
    fewer = full.simplified(0.005)
    note = fewer.provenance["simplified"]
    assert note["dipoles"] == len(fewer.dipoles[0]) < len(full.dipoles[0]) / 4
    assert 0 < note["error"] <= 0.005
    assert fewer.didt_max == full.didt_max
    x, y = (axis.ravel() for axis in np.mgrid[-50:51:7, -50:51:7])
    scalp = np.stack([x, y, 6 + (x**2 + y**2) / 170], axis=1)  # a patch of a head that took no part in the fit
    for what in ("dadt", "flux_density_rate"):
        a, b = getattr(full, what)(scalp), getattr(fewer, what)(scalp)
        assert np.linalg.norm(a - b) < 0.005 * np.linalg.norm(a)
    again = full.simplified(0.005)
    np.testing.assert_array_equal(again.dipoles[1], fewer.dipoles[1])


def test_coil_that_cannot_be_simplified_is_returned_whole():
    coil = Coil("two", (Dipoles([[-40, 0, -5], [40, 0, -5]], [[0, 0, -1], [0, 0, 1.0]]),))
    same = coil.simplified(0.001)
    assert same.provenance["simplified"] == {"error": 0.0, "dipoles": 2, "dipoles_before": 2}
    np.testing.assert_array_equal(same.dipoles[1], coil.dipoles[1])


def test_a_sampled_coil_of_little_reach_has_its_direction():
    """Where the potential ends, beside the axis, nothing is asked of it."""
    dipoles = Dipoles([[-40, 0, -10], [40, 0, -10]], [[0, 0, 1e-2], [0, 0, -1e-2]])
    axes = [np.arange(-70.0, 71.0, 5.0), np.arange(-70.0, 71.0, 5.0), np.arange(0.0, 61.0, 5.0)]
    points = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
    affine = np.diag([5.0, 5.0, 5.0, 1.0])
    affine[:3, 3] = [-70, -70, 0]
    sampled = Coil("sampled", Grid(dipoles.potential(points.reshape(-1, 3)).reshape(points.shape), affine))
    np.testing.assert_allclose(sampled.initial_e_direction, Coil("whole", dipoles).initial_e_direction, atol=1e-2)


def test_a_carried_grid_is_the_grid_fitted_there():
    """Vectors turn, splines are linear: the carried one answers as one made of turned samples."""
    rng = np.random.default_rng(8)
    affine = np.diag([4.0, 5.0, 6.0, 1.0])
    grid = Grid(rng.normal(size=(7, 6, 5, 3)) * 1e-7, affine)
    turn = np.eye(4)
    turn[:3, :3] = [[0, -1, 0], [0.6, 0, -0.8], [0.8, 0, 0.6]]
    turn[:3, 3] = [10, -5, 3]
    anew = Grid(grid.data @ turn[:3, :3].T, turn @ affine)
    points = transformed(np.array([[10.0, 11.0, 12.0], [3.0, 4.0, 20.0]]), turn)
    np.testing.assert_allclose(grid.carried(turn).potential(points), anew.potential(points), rtol=1e-9)
    np.testing.assert_allclose(
        grid.scaled(-2.0).potential(np.array([[10.0, 11, 12]])),
        -2 * grid.potential(np.array([[10.0, 11, 12]])),
        rtol=1e-9,
    )


def test_the_direction_is_read_at_the_depth_of_the_cortex():
    """A small figure-8 in a large one of opposite current: 17.5 mm down the small one wins, at 40 mm the other."""
    sides = np.array([[10.0, 0, 0], [-10.0, 0, 0], [60.0, 0, 0], [-60.0, 0, 0]])
    coil = Coil("two figures of eight", Dipoles(sides, np.array([[0, 0, 1.0], [0, 0, -1], [0, 0, -2], [0, 0, 2]])))
    alone = Coil("small", Dipoles(sides[:2], np.array([[0, 0, 1.0], [0, 0, -1]])))
    np.testing.assert_allclose(coil.initial_e_direction, alone.initial_e_direction, atol=1e-9)
    deep = [each.dadt([[0, 0, 40.0]])[0] for each in (coil, alone)]
    assert deep[0] @ deep[1] < 0
