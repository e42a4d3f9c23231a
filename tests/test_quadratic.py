"""Second-order elements: kernels against slow twins, the patch test, laws, and convergence to the closed form."""

from itertools import pairwise

import numpy as np
import pytest
import reference_field
import reference_quadratic as reference
from scipy.sparse import csr_matrix
from test_field_kernels import EITHER, GIVEN, NODES, OFFSETS, SLOTS, TETS, N, T, both_kinds, both_ways, either
from test_solver import COIL, TIGHT, assert_close, check_preconditioner

from neuro_field.arrays import transformed
from neuro_field.coil.placement import Placement
from neuro_field.errors import InputError
from neuro_field.field.analytic import sphere_field
from neuro_field.field.multigrid import SAFE_SHARE
from neuro_field.field.quadratic import QuadraticSystem
from neuro_field.field.solver import Solver
from neuro_field.field.validation import ball_points, relative
from neuro_field.geometry.locate import locate
from neuro_field.geometry.mesh import TetMesh
from neuro_field.head.model import HeadModel
from neuro_field.head.sphere import sphere_head
from neuro_field.kernels import quadratic as kernel
from neuro_field.kernels.multigrid import CHUNKS

RNG = np.random.default_rng(12)
ORDER = RNG.permutation(N)
NUMBERS, ENDS = reference.unknowns(TETS, ORDER)
U = len(ENDS)


def pattern():
    """The first-order pattern in the order, as `Solver` hands it over."""
    dense = reference_field.stiffness(NODES, TETS, np.ones(T))
    joined = csr_matrix(dense[np.ix_(ORDER, ORDER)] != 0)
    joined.sort_indices()
    return joined.indptr.astype(np.uint32), joined.indices.astype(np.uint32)


def numbering(compiled=True):
    indptr, indices = pattern()
    first, numbers = np.empty(N + 1, np.int32), np.empty((T, 10), np.int32)
    either(kernel.first_unknowns, compiled)(indptr, indices, first)
    tets = np.argsort(ORDER)[TETS].astype(np.int32)
    either(kernel.element_unknowns, compiled)(tets, indptr, indices, first, numbers)
    return first, numbers


FIRST, FOUND = numbering()


@both_ways
def test_unknowns_are_vertices_each_followed_by_its_later_edges(compiled):
    first, numbers = numbering(compiled)
    np.testing.assert_array_equal(numbers, NUMBERS)
    np.testing.assert_array_equal(first[:-1], np.flatnonzero(ENDS[:, 0] == ENDS[:, 1]))
    assert first[-1] == U


@both_ways
@both_kinds
def test_stiffness_agrees_with_quadrature(kind, compiled):
    products = np.empty((T, 6))
    either(kernel.edge_products, compiled)(NODES, TETS, *GIVEN[kind], products)
    around = (FOUND, OFFSETS, SLOTS, ORDER, FIRST)
    lengths = np.empty(U, np.int32)
    either(kernel.row_lengths, compiled)(*around, lengths)
    indptr = np.append(0, np.cumsum(lengths)).astype(np.uint32)
    indices, data = np.empty(indptr[-1], np.uint32), np.empty(indptr[-1])
    either(kernel.stiffness, compiled)(products, *around, indptr, indices, data)
    found = csr_matrix((data, indices.astype(np.int32), indptr.astype(np.int32)), shape=(U, U))
    assert all((np.diff(indices[a:b].astype(int)) > 0).all() for a, b in pairwise(indptr))
    assert_close(found.toarray(), reference.stiffness(NODES, TETS, EITHER[kind], NUMBERS, U), 1e-12)


@both_ways
@both_kinds
def test_load_agrees_with_quadrature(kind, compiled):
    dadt, out = RNG.normal(size=(U, 3, 3)), np.empty((U, 3))
    either(kernel.load, compiled)(
        NODES, TETS, *GIVEN[kind], FOUND, OFFSETS, SLOTS, ORDER, FIRST, dadt.transpose(0, 2, 1).copy(), out
    )
    assert_close(out, reference.load(NODES, TETS, EITHER[kind], NUMBERS, dadt), 1e-12)


@both_ways
@both_kinds
def test_the_loads_transpose_is_its_transpose(kind, compiled):
    adjoint, dadt, out = RNG.normal(size=(U, 2)), RNG.normal(size=(U, 3, 3)), np.empty((U, 2, 3))
    around = (FOUND, OFFSETS, SLOTS, ORDER, FIRST)
    either(kernel.load_transpose, compiled)(NODES, TETS, *GIVEN[kind], *around, adjoint, out)
    expected = adjoint.T @ reference.load(NODES, TETS, EITHER[kind], NUMBERS, dadt)
    assert_close(np.einsum("ukc,ujc->kj", out, dadt), expected, 1e-12)


@both_ways
def test_slopes_of_the_basis_make_the_gradient(compiled):
    elements, shares = RNG.integers(0, T, 9), RNG.dirichlet(np.ones(4), 9)
    values, out = RNG.normal(size=U), np.empty((9, 3, 10))
    either(kernel.gradient_slopes, compiled)(NODES, TETS, elements, shares, out)
    found = np.einsum("mci,mi->mc", out, values[NUMBERS[elements]])
    assert_close(found, reference.gradients(NODES, TETS, NUMBERS, values, elements, shares), 1e-12)


@both_ways
def test_gradients_agree_with_their_slow_twin(compiled):
    elements, shares = RNG.integers(0, T, 40), RNG.dirichlet(np.ones(4), 40)
    values, out = RNG.normal(size=U), np.empty((40, 3))
    either(kernel.gradients, compiled)(NODES, TETS, FOUND, values, elements, shares, out)
    assert_close(out, reference.gradients(NODES, TETS, NUMBERS, values, elements, shares), 1e-12)


@pytest.fixture(scope="module")
def head():
    return sphere_head((40, 46, 52), edge=9.0)


@pytest.fixture(scope="module")
def placement(head):
    return Placement.on(head.scalp, above=(10, 5, 60), handle_towards=(0, -60, 52))


@pytest.fixture(scope="module")
def solver(head):
    return Solver(head, tolerance=TIGHT, order=2)


@pytest.fixture(scope="module")
def field(solver, placement):
    return solver.solve(COIL, placement)


def dense(triplet, columns=None):
    indptr, indices, data = triplet
    shape = (len(indptr) - 1, columns or len(indptr) - 1)
    return csr_matrix((data, indices.astype(np.int32), indptr.astype(np.int32)), shape=shape)


def test_points_of_the_unknowns_are_nodes_and_middles_of_edges(solver, head):
    system = solver.system
    corners = head.mesh.nodes[head.mesh.tets]
    found = system.points[system.unknowns]
    np.testing.assert_array_equal(found[:, :4], corners)
    for e, (a, b) in enumerate(reference.edges()):
        np.testing.assert_allclose(found[:, 4 + e], (corners[:, a] + corners[:, b]) / 2, atol=1e-12)


@pytest.mark.parametrize("kind", ["numbers", "tensors"])
def test_quadratic_potentials_are_exact(head, kind):
    """The patch test: dA/dt = -grad f, f any quadratic, is answered by phi = f and no field, whatever conducts."""
    sigma = RNG.uniform(0.01, 2.0, len(head.mesh.tets))
    if kind == "tensors":
        sigma = sigma[:, None, None] * np.diag([1.0, 2.0, 0.3])
    solver = Solver(HeadModel(head.mesh, sigma), tolerance=1e-11, order=2)
    x = solver.system.points * 1e-3
    form = RNG.normal(size=(3, 3))
    slope = x @ (form + form.T) + [3e-2, -1e-2, 2e-2]
    phi = np.einsum("ui,ij,uj->u", x, form, x) + x @ [3e-2, -1e-2, 2e-2]
    found = solver.potentials(solver.system.load(-slope[:, None]))[0][:, 0]
    assert_close(found - found.mean(), phi - phi.mean(), 1e-8)
    inside = head.mesh.centroids
    expected = inside * 1e-3 @ (form + form.T) + [3e-2, -1e-2, 2e-2]
    assert_close(solver.system.element_field(found, 0 * slope), -expected, 1e-7)
    assert_close(solver.system.element_field(0 * found, slope), -expected, 1e-12)


def test_first_order_matrix_is_the_coarse_one(head, solver):
    """What p-multigrid rests on: interpolation carries one stiffness into the other, grounding included."""
    linear = Solver(head)
    interpolation = dense(solver._multigrid.levels[0].prolongation, len(head.mesh.nodes)).astype(float)
    matrix = linear._ordered()
    difference = interpolation.T @ solver._ordered() @ interpolation - matrix
    assert np.abs(difference).max() < 1e-13 * np.abs(matrix).max()


def test_smoothers_diagonal_agrees_with_its_formula():
    """Raised where other chunks outweigh it, or conjugate gradients would break down."""
    solver = Solver(sphere_head((20,), edge=12.0), order=2)
    matrix = solver._ordered().toarray()
    expected = reference.inverse_diagonal(matrix, CHUNKS, SAFE_SHARE)
    np.testing.assert_allclose(solver._multigrid.levels[0].smoother.inverse, expected, rtol=1e-6)
    assert (expected < 0.99 / np.diag(matrix)).any()


def test_preconditioner_is_symmetric_and_positive(solver):
    check_preconditioner(solver)


def test_report_tells_the_truth(solver, field):
    system = solver.system
    right = system.load(field.nodal_dadt[:, None])[:, 0]
    ungrounded = system.stiffness
    assert np.linalg.norm(right - ungrounded @ field.potential) < 2 * TIGHT * np.linalg.norm(right)
    assert field.report.residual <= TIGHT
    assert 0 < field.report.iterations < 40
    assert field.report.nodes == len(solver.head.mesh.nodes)


def test_field_is_linear_in_the_current(solver, field, placement):
    assert_close(solver.solve(COIL, placement, didt=-3e6).E, -3 * field.E, 1e-13)


def test_many_placements_get_the_answers_of_one_by_one(solver, field, placement):
    many = solver.solve_many(COIL, [placement.moved(turned=30.0), placement])
    np.testing.assert_array_equal(many[1].potential, field.potential)


def test_scaling_every_conductivity_leaves_the_field(head, field, placement):
    other = Solver(HeadModel(head.mesh, 7.3 * head.conductivity), tolerance=TIGHT, order=2).solve(COIL, placement)
    assert_close(other.E, field.E, 1e-7)


def test_numbering_of_nodes_and_elements_does_not_matter(head, field, placement):
    nodes, elements = RNG.permutation(len(head.mesh.nodes)), RNG.permutation(len(head.mesh.tets))
    mesh = TetMesh(head.mesh.nodes[nodes], np.argsort(nodes)[head.mesh.tets[elements]], head.mesh.tags[elements])
    other = Solver(HeadModel(mesh, head.conductivity[elements]), tolerance=TIGHT, order=2).solve(COIL, placement)
    assert_close(other.E, field.E[elements], 1e-7)


def test_moving_head_and_coil_together_turns_the_field(head, field, placement):
    rotation = np.linalg.qr(RNG.normal(size=(3, 3)))[0]
    rotation *= np.sign(np.linalg.det(rotation))
    motion = np.eye(4)
    motion[:3, :3], motion[:3, 3] = rotation, (120, -40, 15)
    mesh = TetMesh(transformed(head.mesh.nodes, motion), head.mesh.tets, head.mesh.tags)
    there = Placement(motion @ placement.head_from_coil)
    moved = Solver(HeadModel(mesh, head.conductivity), tolerance=TIGHT, order=2).solve(COIL, there)
    points = RNG.uniform(-20, 20, (50, 3))
    # far boxes of nodes lie otherwise in a turned head: dA/dt there agrees to some 1e-5
    assert_close(moved.at(transformed(points, motion)), field.at(points) @ rotation.T, 4e-5)


def test_element_values_are_means_and_those_of_a_few_are_those_of_all(solver, field, placement):
    chosen = RNG.choice(np.flatnonzero(solver.head.region("grey_matter")), 40)
    fresh = solver.solve(COIL, placement)
    few = fresh.in_elements(chosen)
    assert_close(few, fresh.E[chosen], 1e-12)
    np.testing.assert_allclose(fresh.magnE, np.linalg.norm(fresh.E, axis=1), rtol=1e-15)
    shares, weights = reference.quadrature(4)
    corners = solver.head.mesh.nodes[solver.head.mesh.tets[chosen]]
    inside = np.einsum("qa,rac->rqc", shares, corners)
    found = np.einsum("q,rqc->rc", weights, field.at(inside.reshape(-1, 3)).reshape(inside.shape))
    # `at` takes the coil's own dA/dt, element values its quadratic through ten points
    assert_close(few, found, 2e-3)


def test_raised_solver_is_that_of_second_order(head, solver, field, placement):
    linear = Solver(head, tolerance=TIGHT)
    raised = linear.raised()
    assert (linear.order, raised.order) == (1, 2)
    assert raised.raised() is raised
    assert isinstance(raised.system, QuadraticSystem)
    np.testing.assert_array_equal(raised.solve(COIL, placement).potential, field.potential)
    first_order = linear.solve(COIL, placement)  # still that of the first order
    assert len(first_order.potential) == len(head.mesh.nodes)


def test_halving_the_edge_quarters_the_error():
    """E of a homogeneous sphere away from its flat facets: second order; raw first-order elements: first."""
    points, errors = ball_points(30.0, 4000), []
    for edge in (10.0, 5.0):
        head = sphere_head((52.0,), edge=edge)
        linear = Solver(head, tolerance=1e-9)
        where = Placement(np.diag([1.0, -1.0, -1.0, 1.0]) + 64.0 * np.outer([0, 0, 1, 0], [0, 0, 0, 1]))
        exact = sphere_field(points, COIL, where)
        elements = locate(head.mesh, points)[0]
        centre = sphere_field(head.mesh.centroids[elements], COIL, where)
        coarse, fine = (made.solve(COIL, where) for made in (linear, linear.raised()))
        size = (head.mesh.volumes.sum() / len(head.mesh.tets)) ** (1 / 3)
        errors.append(
            [size, relative(coarse.in_elements(elements), centre), relative(coarse.at(points), exact),
             relative(fine.at(points), exact)]
        )  # fmt: skip
    size, raw, recovered, quadratic = np.array(errors).T
    orders = [np.log(e[0] / e[1]) / np.log(size[0] / size[1]) for e in (raw, recovered, quadratic)]
    assert orders[0] == pytest.approx(1, abs=0.2)  # measured 1.02, 1.87, 2.06
    assert orders[1] > 1.5
    assert orders[2] == pytest.approx(2, abs=0.3)
    assert (np.maximum(quadratic, recovered) < raw / 10).all()  # where the field is smooth, recovery is the better


@pytest.mark.parametrize("order", [0, 3, 1.5, "two", True, None])
def test_other_orders_are_refused(head, order):
    with pytest.raises(InputError, match="order of Solver must be 1 or 2"):
        Solver(head, order=order)


def test_loads_of_the_other_order_are_refused(head, solver):
    with pytest.raises(InputError, match=r"must have \d+ rows, one for each unknown of its elements of order 2"):
        solver.potentials(np.zeros((len(head.mesh.nodes), 1)))
