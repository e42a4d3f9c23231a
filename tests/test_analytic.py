"""The closed form of the sphere against Maxwell's equations, itself in another gauge, and a number."""

import numpy as np
import pytest
import reference_field as reference

from neuro_field.arrays import transformed
from neuro_field.coil.coil import Coil
from neuro_field.coil.placement import Placement
from neuro_field.coil.sources import Dipoles, Grid, Segments
from neuro_field.errors import InputError
from neuro_field.field.analytic import sphere_field

RNG = np.random.default_rng(31)
DIPOLES = Dipoles(RNG.normal(size=(6, 3)) * [30, 30, 3] - [0, 0, 8], RNG.normal(size=(6, 3)) * 1e-3)
COIL = Coil("six dipoles", DIPOLES)
POINTS = RNG.normal(size=(40, 3))
POINTS *= 84 * RNG.random((40, 1)) ** (1 / 3) / np.linalg.norm(POINTS, axis=1, keepdims=True)


def above(height=96.0, tilt=12.0):
    """A coil over the top of a sphere, +z down."""
    matrix = np.diag([1.0, -1.0, -1.0, 1.0])
    matrix[2, 3] = height
    return Placement(matrix).moved(turned=33.0, tilted_y=tilt)


PLACEMENT = above()


def test_one_dipole_induces_the_known_field():
    """r = (0, 0, 0.07) m, dipole at (0, 0, 0.1) m with moment rate (1, 0, 0) A m2/s, by hand.

    a = 0.03 m, F = a (|r2| a + r2.a) = 0.03 x 0.006 m3 = 1.8e-4 m3, m.gF = 0 and r x r2 = 0, so
    E = -1e-7 (r x m) / F with r x m = (0, 0.07, 0).
    """
    coil = Coil("one dipole", Dipoles([[0, 0, 0.0]], [[1.0, 0, 0]]))
    matrix = np.eye(4)
    matrix[2, 3] = 100.0
    found = sphere_field([[0, 0, 70.0]], coil, Placement(matrix), didt=1.0)
    np.testing.assert_allclose(found, [[0, -1e-7 * 0.07 / 1.8e-4, 0]], rtol=1e-12, atol=1e-20)
    assert found[0, 1] == pytest.approx(-3.88889e-5, rel=1e-6)


def test_field_has_no_radial_component_and_vanishes_at_the_centre():
    field = sphere_field(POINTS, COIL, PLACEMENT)
    radial = np.abs(np.einsum("mc,mc->m", field, POINTS)) / np.linalg.norm(POINTS, axis=1)
    assert radial.max() < 1e-13 * np.abs(field).max()
    np.testing.assert_array_equal(sphere_field([[0, 0, 0]], COIL, PLACEMENT), 0)


def jacobian(function, points, step=0.05):
    """(m, 3, 3) derivatives d f_j / d x_i per metre, by fourth-order differences over ``step`` mm."""
    out = np.empty((len(points), 3, 3))
    for axis in range(3):
        h = np.eye(3)[axis] * step
        near, far = function(points + h) - function(points - h), function(points + 2 * h) - function(points - 2 * h)
        out[:, axis] = (8 * near - far) / (12 * step * 1e-3)
    return out


def curl(j):
    return np.stack([j[:, 1, 2] - j[:, 2, 1], j[:, 2, 0] - j[:, 0, 2], j[:, 0, 1] - j[:, 1, 0]], axis=1)


def test_field_obeys_faraday_and_holds_no_charge():
    j = jacobian(lambda points: sphere_field(points, COIL, PLACEMENT), POINTS)
    rotation = PLACEMENT.head_from_coil[:3, :3]
    flux_rate = COIL.flux_density_rate(PLACEMENT.coil_points(POINTS)) @ rotation.T
    # differences: rounding 1e-16 / (5e-5 m / 0.1 m), truncation (0.05 mm / 10 mm)^4
    np.testing.assert_allclose(curl(j), -flux_rate, rtol=0, atol=1e-8 * np.abs(flux_rate).max())
    assert np.abs(np.trace(j, axis1=1, axis2=2)).max() < 1e-8 * np.abs(j).max()


def test_secondary_field_is_a_gradient():
    """E + dA/dt = -grad phi: its derivatives are symmetric, which ties the formula to the coil's own dA/dt."""

    def secondary(points):
        rotation = PLACEMENT.head_from_coil[:3, :3]
        return sphere_field(points, COIL, PLACEMENT) + COIL.dadt(PLACEMENT.coil_points(points)) @ rotation.T

    j = jacobian(secondary, POINTS)
    assert np.abs(curl(j)).max() < 1e-8 * np.abs(j).max()


def test_field_is_the_radial_gauge_integral():
    found = sphere_field(POINTS, COIL, PLACEMENT)
    positions = transformed(DIPOLES.positions, PLACEMENT.head_from_coil) / 1e3
    moments = DIPOLES.moments @ PLACEMENT.head_from_coil[:3, :3].T * 1e6
    expected = reference.sphere_field(POINTS / 1e3, positions, moments)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-10 * np.abs(expected).max())


def test_radial_dipoles_induce_what_their_vector_potential_does():
    """A radial dipole's dA/dt is tangential already: it needs no charges, in the sphere E = -dA/dt."""
    coil, matrix = Coil("radial", Dipoles([[0, 0, 0.0]], [[0, 0, 2.0]])), np.eye(4)
    matrix[2, 3] = 97.0
    placement = Placement(matrix)
    np.testing.assert_allclose(
        sphere_field(POINTS, coil, placement), -coil.dadt(placement.coil_points(POINTS)), rtol=1e-9, atol=1e-12
    )


def test_field_follows_the_centre_and_turns_with_the_scene():
    shift = np.array([12.0, -30.0, 44.0])
    moved = np.array(PLACEMENT.head_from_coil)
    moved[:3, 3] += shift
    expected = sphere_field(POINTS, COIL, PLACEMENT)
    found = sphere_field(POINTS + shift, COIL, Placement(moved), center=shift)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-11 * np.abs(expected).max())
    turn = np.eye(4)
    turn[:3, :3] = [[0, -1, 0], [0, 0, -1], [1, 0, 0]]
    found = sphere_field(transformed(POINTS, turn), COIL, Placement(turn @ PLACEMENT.head_from_coil))
    np.testing.assert_allclose(found, expected @ turn[:3, :3].T, rtol=0, atol=1e-11 * np.abs(expected).max())


def test_wires_and_their_dipoles_agree():
    angle = np.linspace(0, 2 * np.pi, 61)
    ring = np.stack([30 * np.cos(angle), 30 * np.sin(angle), np.full(61, -5.0)], axis=1)
    wire = Segments(ring[:-1], ring[1:], np.ones(60))
    found = sphere_field(POINTS, Coil("wire", wire), PLACEMENT)
    expected = sphere_field(POINTS, Coil("dipoles", wire.as_dipoles(spacing=1.0)), PLACEMENT)
    np.testing.assert_allclose(found, expected, rtol=0, atol=2e-3 * np.abs(expected).max())


def test_linear_in_the_current():
    np.testing.assert_allclose(
        sphere_field(POINTS, COIL, PLACEMENT, didt=-2e6), -2 * sphere_field(POINTS, COIL, PLACEMENT), rtol=1e-12
    )


def test_points_beyond_the_nearest_source_are_refused():
    with pytest.raises(InputError, match=r"nearer to the centre than every source; instead one lies 150\.0"):
        sphere_field([[150.0, 0, 0]], COIL, PLACEMENT)


def test_sampled_coils_are_refused():
    with pytest.raises(InputError, match="has no dipoles"):
        sphere_field(POINTS, Coil("grid", Grid(np.ones((2, 2, 2, 3)), np.eye(4))), PLACEMENT)


@pytest.mark.parametrize("points", [[[1, 2]], [[np.inf, 0, 0]], "centre"])
def test_what_is_not_points_is_refused(points):
    with pytest.raises(InputError, match="points of sphere_field"):
        sphere_field(points, COIL, PLACEMENT)
