"""The coil's own part of the field at very many points, and the gauge it may be given in."""

import numpy as np
import pytest
from test_solver import COIL

from neuro_field.coil.coil import Coil
from neuro_field.coil.placement import Placement
from neuro_field.coil.sources import Dipoles, Grid, Segments
from neuro_field.errors import InputError
from neuro_field.field.analytic import sphere_field
from neuro_field.field.boxes import Boxes
from neuro_field.field.primary import add_dadt
from neuro_field.field.solver import Solver
from neuro_field.field.validation import ball_points, relative
from neuro_field.geometry.locate import locate
from neuro_field.geometry.mesh import TetMesh
from neuro_field.head.model import HeadModel
from neuro_field.head.sphere import sphere_head
from neuro_field.units import metres


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


def test_the_fast_sum_at_the_nodes_is_the_plain_one(head, placement):
    """Of dipoles, closed and open wires and a sampled potential together; other columns are left as they are."""
    wire = Segments([[0, 0, -6.0]], [[20, 0, -6.0]], [1.0])
    samples = 1e-7 * np.random.default_rng(1).normal(size=(4, 4, 4, 3))
    grid = Grid(samples, np.array([[150.0, 0, 0, -225], [0, 150, 0, -225], [0, 0, 150, -225], [0, 0, 0, 1]]))
    coil = Coil("all", (COIL.elements[0], ring_of_wire(), wire, grid))
    carried, boxes = coil.carried(placement.head_from_coil), Boxes.of(metres(head.mesh.nodes))
    expected, found = carried.dadt(head.mesh.nodes, didt=1.0), np.zeros((len(head.mesh.nodes), 3, 4))
    other = COIL.carried(placement.moved(along_z=-9).head_from_coil)
    add_dadt([other, carried, other], boxes, found)
    np.testing.assert_allclose(found[..., 1], expected, rtol=0, atol=1e-6 * np.abs(expected).max())
    theirs = other.dadt(head.mesh.nodes, didt=1.0)
    for column in (0, 2):
        np.testing.assert_allclose(found[..., column], theirs, rtol=0, atol=1e-6 * np.abs(theirs).max())
    np.testing.assert_array_equal(found[..., 3], 0)


def test_dipoles_on_a_node_are_refused(head):
    pin = Coil("pin", Dipoles(head.mesh.nodes[7:8], [[0, 0, 1e-3]]))
    boxes = Boxes.of(metres(head.mesh.nodes))
    with pytest.raises(InputError, match=f"instead 1 of {len(head.mesh.nodes)} coincide"):
        add_dadt([pin], boxes, np.zeros((len(head.mesh.nodes), 3, 1)))


def test_the_gauge_of_dadt_does_not_matter(solver, placement):
    """-dA/dt in the radial gauge about any point is a sphere's field about it; the equations answer E all the same."""
    points, off = ball_points(39.0, count=4000), np.array([9.0, -6.0, -9.0])
    field = solver.solve(COIL, placement)
    radial = -sphere_field(solver.head.mesh.nodes, COIL, placement, center=off)
    assert relative(radial, field.nodal_dadt) > 0.3
    phi = solver.potentials(solver.system.load(radial[:, None]))[0][:, 0]
    other = solver.system.element_field(phi, radial)
    brain = solver.head.region("grey_matter")
    assert relative(other[brain], field.E[brain]) < 3e-3  # 1.3e-3: the gradient between them is no quadratic
    elements, shares = locate(solver.head.mesh, points)
    found = sphere_field(points, COIL, placement, center=off) - solver.system.gradient_at(phi, elements, shares)
    exact = sphere_field(points, COIL, placement)
    assert relative(field.at(points), exact) < 0.01
    assert abs(relative(found, exact) / relative(field.at(points), exact) - 1) < 0.2


@pytest.mark.parametrize("radii", [(40, 46, 52), (40, 44, 48, 52), (52,)])
def test_inner_skull_sphere_is_that_of_the_shells(radii):
    head = sphere_head(radii, edge=8.0)
    shift = np.array([5.0, -20.0, 40.0])
    moved = HeadModel(TetMesh(head.mesh.nodes + shift, head.mesh.tets, head.mesh.tags), head.conductivity)
    centre, radius = moved.inner_skull_sphere
    np.testing.assert_allclose(centre, shift, atol=1e-9)
    assert radius == pytest.approx({3: 40, 4: 44, 1: 52}[len(radii)])
