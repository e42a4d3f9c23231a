"""The kernels of free-space sources against slow twins, closed forms and Maxwell's equations."""

import numpy as np
import pytest
import reference_biot as reference

from neuro_field.kernels import biot

RNG = np.random.default_rng(20)
POINTS = RNG.uniform(-0.08, 0.08, (7, 3)) + np.array([0, 0, 0.1])
STARTS, ENDS = RNG.uniform(-0.05, 0.05, (2, 5, 3)) * [1, 1, 0.2]
WEIGHTS = RNG.normal(size=5)
MOMENTS = RNG.normal(size=(5, 3)) * 1e-3

CASES = {
    "dipole_potential": (STARTS, MOMENTS),
    "dipole_flux_density": (STARTS, MOMENTS),
    "segment_potential": (STARTS, ENDS, WEIGHTS),
    "segment_flux_density": (STARTS, ENDS, WEIGHTS),
}


def run(name, points, *sources, compiled=True):
    kernel = getattr(biot, name)
    out = np.empty((len(points), 3))
    (kernel if compiled else kernel.py_func)(np.array(points, dtype=float), *sources, out)
    return out


@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize("name", CASES)
def test_kernel_agrees_with_its_slow_twin(name, compiled):
    expected = getattr(reference, name)(POINTS, *CASES[name])
    found = run(name, POINTS, *CASES[name], compiled=compiled)
    # the wires' twin integrates numerically: 60 Gauss points, points at least half a wire length away
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12 * np.abs(expected).max())


def curl(name, *sources, step=1e-4):
    jacobian = np.empty((len(POINTS), 3, 3))
    for axis in range(3):
        shift = np.eye(3)[axis] * step
        jacobian[:, axis] = (run(name, POINTS + shift, *sources) - run(name, POINTS - shift, *sources)) / (2 * step)
    j = jacobian
    return np.stack([j[:, 1, 2] - j[:, 2, 1], j[:, 2, 0] - j[:, 0, 2], j[:, 0, 1] - j[:, 1, 0]], axis=1), j


@pytest.mark.parametrize("kind", ["dipole", "segment"])
def test_flux_density_is_the_curl_of_the_potential(kind):
    sources = CASES[f"{kind}_potential"]
    turned, jacobian = curl(f"{kind}_potential", *sources)
    flux = run(f"{kind}_flux_density", POINTS, *sources)
    # central differences: error (step / distance)^2 ~ (1e-4 / 0.03)^2
    np.testing.assert_allclose(turned, flux, rtol=0, atol=1e-4 * np.abs(flux).max())
    if kind == "dipole":  # Coulomb gauge; an open wire has ends, where its potential diverges
        assert np.abs(np.trace(jacobian, axis1=1, axis2=2)).max() < 1e-4 * np.abs(jacobian).max()


def test_dipole_at_a_right_angle_has_the_textbook_potential():
    found = run("dipole_potential", [[0.1, 0, 0]], np.zeros((1, 3)), np.array([[0.0, 0, 2.0]]))
    np.testing.assert_allclose(found, [[0, 1e-7 * 2.0 / 0.1**2, 0]], rtol=1e-14)


def test_polygon_of_wires_has_the_flux_density_of_a_ring_on_its_axis():
    radius, height, count = 0.03, 0.02, 720
    angle = np.linspace(0, 2 * np.pi, count + 1)
    ring = np.stack([radius * np.cos(angle), radius * np.sin(angle), 0 * angle], axis=1)
    found = run("segment_flux_density", [[0, 0, height]], ring[:-1].copy(), ring[1:].copy(), np.ones(count))
    expected = 2 * np.pi * 1e-7 * radius**2 / (radius**2 + height**2) ** 1.5
    # a polygon of n sides lacks (2 pi / n)^2 / 6 of the circle
    np.testing.assert_allclose(found, [[0, 0, expected]], rtol=3e-5, atol=1e-18)


def test_long_wire_follows_amperes_law():
    found = run("segment_flux_density", [[0.01, 0, 0]], np.array([[0, 0, -50.0]]), np.array([[0, 0, 50.0]]), np.ones(1))
    np.testing.assert_allclose(found, [[0, 2e-7 / 0.01, 0]], rtol=1e-7, atol=1e-20)


def test_points_on_a_wire_get_finite_numbers():
    wire = np.zeros((1, 3)), np.array([[0.1, 0, 0]]), np.ones(1)
    singular = [[0.05, 0, 0], [0, 0, 0], [0.1, 0, 0], [0.2, 0, 0], [-0.1, 0, 0]]
    potential = run("segment_potential", singular, *wire)
    assert np.isfinite(potential).all()
    near = run("segment_potential", [[0.05, 1e-6, 0]], *wire)
    np.testing.assert_allclose(potential[0], near[0], rtol=1e-3)
    np.testing.assert_array_equal(run("segment_flux_density", singular, *wire), 0)


def test_wire_without_length_gives_nothing():
    wire = np.full((1, 3), 0.01), np.full((1, 3), 0.01), np.ones(1)
    for name in ("segment_potential", "segment_flux_density"):
        np.testing.assert_array_equal(run(name, [[0.01, 0.01, 0.01], [0, 0, 0]], *wire), 0)


def test_dipole_itself_is_not_a_number():
    for name in ("dipole_potential", "dipole_flux_density"):
        assert np.isnan(run(name, STARTS[:1], *CASES[name])).all()
