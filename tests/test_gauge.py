"""The gauge of dA/dt: what must not change with it, what must, and where it cannot."""

import numpy as np
import pytest
from test_solver import COIL

from neuro_field.coil.coil import Coil
from neuro_field.coil.placement import Placement
from neuro_field.coil.sources import Dipoles, Grid, Segments
from neuro_field.errors import InputError, UnknownNameError
from neuro_field.field.analytic import sphere_field
from neuro_field.field.boxes import Boxes
from neuro_field.field.gauge import primary_field
from neuro_field.field.solver import Solver
from neuro_field.field.validation import ball_points, relative
from neuro_field.geometry.mesh import TetMesh
from neuro_field.head.model import HeadModel
from neuro_field.head.sphere import sphere_head
from neuro_field.kernels.sphere import ray_clearance
from neuro_field.units import metres

OFF = np.array([9.0, -6.0, -9.0])  # a gauge centre the sphere's field is not exact about


@pytest.fixture(scope="module")
def head():
    return sphere_head((40, 46, 52), edge=6.0)


@pytest.fixture(scope="module")
def solver(head):
    return Solver(head, tolerance=1e-8)


@pytest.fixture(scope="module")
def placement(head):
    return Placement.on(head.scalp, above=(10, 5, 60), handle_towards=(0, -60, 52))


def ring_of_wire(radius=30.0, count=60, height=-6.0):
    angle = np.linspace(0, 2 * np.pi, count + 1)
    ring = np.stack([radius * np.cos(angle), radius * np.sin(angle), np.full(count + 1, height)], axis=1)
    ring[-1] = ring[0]
    return Segments(ring[:-1], ring[1:], np.ones(count))


def jacobian(function, points, step=0.05):
    """d f_i / d x_j (m, 3, 3) per m by central differences over ``step`` mm."""
    parts = [(function(points + step * e) - function(points - step * e)) / (2e-3 * step) for e in np.eye(3)]
    return np.stack(parts, axis=2)


def curl(j):
    return np.stack([j[:, 2, 1] - j[:, 1, 2], j[:, 0, 2] - j[:, 2, 0], j[:, 1, 0] - j[:, 0, 1]], axis=1)


@pytest.mark.parametrize("source", [COIL, Coil("ring", ring_of_wire())], ids=["dipoles", "wire"])
def test_change_of_gauge_keeps_the_flux_density_and_takes_the_radial_part(head, placement, source):
    points = ball_points(45.0, count=40) + OFF / 4
    primary = primary_field(head, source, placement, center=OFF)
    assert primary.radial is not None
    flux = source.carried(placement.head_from_coil).flux_density_rate(points, didt=1.0)
    found = curl(jacobian(primary.dadt, points))
    np.testing.assert_allclose(found, flux, rtol=0, atol=1e-4 * np.abs(flux).max())  # (0.05 mm / 10 mm)^2
    along = np.abs(np.einsum("mi,mi->m", primary.dadt(points), points - OFF))
    size = np.linalg.norm(primary.dadt(points), axis=1) * np.linalg.norm(points - OFF, axis=1)
    # dipoles on a cone amount to the wire to about a thousandth
    assert (along < (1e-12 if source is COIL else 1e-2) * size.max()).all()


def test_radial_gauge_is_the_more_accurate_one_though_its_centre_is_off(solver, placement):
    points = ball_points(39.0, count=4000)
    exact = sphere_field(points, COIL, placement)
    radial = solver.solve(COIL, placement, gauge_center=OFF)
    coulomb = solver.solve(COIL, placement, gauge="coulomb")
    error = {name: relative(field.at(points), exact) for name, field in (("radial", radial), ("coulomb", coulomb))}
    assert error["radial"] < 0.6 * error["coulomb"] < 0.01
    assert np.linalg.norm(radial.nodal_dadt) < np.linalg.norm(coulomb.nodal_dadt)
    raw = [field.E[solver.head.region("grey_matter")] for field in (radial, coulomb)]
    assert relative(*raw) > 1e-3  # they are two discrete solutions, not one twice


def test_gauges_agree_in_a_head_that_is_no_sphere(head, placement):
    """To the numerical error, as they must; a field without its grad phi misses by the half."""
    mesh = TetMesh(head.mesh.nodes * [1.0, 1.2, 0.9], head.mesh.tets, head.mesh.tags)
    lopsided = Solver(HeadModel(mesh, head.conductivity * np.where(mesh.centroids[:, 0] > 0, 1.0, 3.0)), tolerance=1e-8)
    points = ball_points(30.0, count=2000)
    radial, coulomb = (lopsided.solve(COIL, placement, gauge=gauge) for gauge in ("radial", "coulomb"))
    assert relative(radial.at(points), coulomb.at(points)) < 0.03
    assert relative(-radial.primary.dadt(points, didt=1e6), radial.at(points)) > 0.05


def test_dipoles_that_hide_part_of_the_head_stay_in_the_coulomb_gauge(head, solver, placement):
    """From a centre behind the coil, part of the head lies straight beyond its inner dipoles, none beyond the outer."""
    behind = placement.head_from_coil[:3, 3] - 30.0 * placement.head_from_coil[:3, 2]
    primary = primary_field(head, COIL, placement, center=behind)
    positions = np.concatenate([primary.radial.positions, primary.rest.dipoles[0]])
    assert len(positions) == len(COIL.dipoles[0])
    middle = placement.head_from_coil[:3, 3]
    reach = [np.linalg.norm(p - middle, axis=1).max() for p in (primary.rest.dipoles[0], primary.radial.positions)]
    assert reach[0] < reach[1]
    inner = Coil("inner", Dipoles([[0, 0, -6.0]], [[0, 0, 1e-3]]))
    assert primary_field(head, inner, placement, center=behind).radial is None
    field = solver.solve(inner, placement, gauge_center=behind)
    np.testing.assert_array_equal(field.potential, solver.solve(inner, placement, gauge="coulomb").potential)


def test_ray_clearance_is_the_least_cosine():
    rng = np.random.default_rng(5)
    points, positions, found = rng.normal(size=(300, 3)), rng.normal((0, 0, 2), size=(40, 3)), np.empty(40)
    points = points[np.argsort(points[:, 2])]  # so that neighbours stand together, and whole runs lie this side
    away = positions[:, None] - points
    norms = np.linalg.norm(away, axis=2) * np.linalg.norm(positions, axis=1)[:, None]
    expected = (np.einsum("smi,si->sm", away, positions) / norms).min(axis=1)
    expected[expected >= 0] = 1.0
    assert (expected < 0).any()
    assert (expected == 1).any()
    for kernel in (ray_clearance, ray_clearance.py_func):
        kernel(points, positions, found)
        np.testing.assert_allclose(found, expected, rtol=1e-12)
    ray_clearance(np.empty((0, 3)), positions, found)
    np.testing.assert_array_equal(found, 1.0)


def test_open_wires_and_sampled_potentials_stay_as_they_come(head, placement):
    wire = Segments([[0, 0, -6.0]], [[20, 0, -6.0]], [1.0])
    grid = Grid(np.random.default_rng(1).normal(size=(4, 4, 4, 3)), np.diag([90.0, 90, 90, 1]) - 150 * np.eye(4, k=3))
    for source in (wire, grid):
        primary = primary_field(head, Coil("source", source), placement)
        assert primary.radial is None
        assert type(primary.rest.elements[0]) is type(source)
        assert len(primary.rest.elements) == 1
    both = primary_field(head, Coil("both", (wire, COIL.elements[0])), placement)
    assert isinstance(both.radial, Dipoles)
    assert len(both.rest.elements) == 1


@pytest.mark.parametrize("gauge", ["radial", "coulomb"])
def test_the_fast_sum_at_the_nodes_is_the_plain_one(head, placement, gauge):
    """Of dipoles, closed and open wires and a sampled potential together; other columns are left as they are."""
    wire = Segments([[0, 0, -6.0]], [[20, 0, -6.0]], [1.0])
    samples = 1e-7 * np.random.default_rng(1).normal(size=(4, 4, 4, 3))
    grid = Grid(samples, np.array([[150.0, 0, 0, -225], [0, 150, 0, -225], [0, 0, 150, -225], [0, 0, 0, 1]]))
    coil = Coil("all", (COIL.elements[0], ring_of_wire(), wire, grid))
    primary, boxes = primary_field(head, coil, placement, gauge), Boxes.of(metres(head.mesh.nodes))
    expected, found = primary.dadt(head.mesh.nodes), np.zeros((len(head.mesh.nodes), 2, 3))
    primary.add_dadt(boxes, found, 1)
    np.testing.assert_allclose(found[:, 1], expected, rtol=0, atol=1e-6 * np.abs(expected).max())
    np.testing.assert_array_equal(found[:, 0], 0)


def test_dipoles_on_a_node_are_refused(head):
    pin = Coil("pin", Dipoles(head.mesh.nodes[7:8], [[0, 0, 1e-3]]))
    primary = primary_field(head, pin, Placement(np.eye(4)), "coulomb")
    boxes = Boxes.of(metres(head.mesh.nodes))
    with pytest.raises(InputError, match=f"instead 1 of {len(head.mesh.nodes)} coincide"):
        primary.add_dadt(boxes, np.zeros((len(head.mesh.nodes), 1, 3)), 0)


def test_unknown_gauges_and_useless_centres_are_refused(solver, placement):
    with pytest.raises(UnknownNameError, match="gauge must be one of radial, coulomb; instead received 'Lorenz'"):
        solver.solve(COIL, placement, gauge="Lorenz")
    with pytest.raises(InputError, match="Coulomb gauge has no centre"):
        solver.solve(COIL, placement, gauge="coulomb", gauge_center=(0, 0, 0))
    with pytest.raises(InputError, match="gauge_center must be three finite numbers"):
        solver.solve(COIL, placement, gauge_center=(0, 0, np.nan))


@pytest.mark.parametrize("radii", [(40, 46, 52), (40, 44, 48, 52), (52,)])
def test_inner_skull_sphere_is_that_of_the_shells(radii):
    head = sphere_head(radii, edge=8.0)
    shift = np.array([5.0, -20.0, 40.0])
    moved = HeadModel(TetMesh(head.mesh.nodes + shift, head.mesh.tets, head.mesh.tags), head.conductivity)
    centre, radius = moved.inner_skull_sphere
    np.testing.assert_allclose(centre, shift, atol=1e-9)
    assert radius == pytest.approx({3: 40, 4: 44, 1: 52}[len(radii)])
