"""The forward solve against laws of physics, itself in other words, and bad input."""

import os
import subprocess
import sys
import textwrap
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial import Delaunay
from tests_support import all_threads, computing_in

from neuro_field.arrays import transformed
from neuro_field.coil.coil import Coil
from neuro_field.coil.fit import depths_in_casing
from neuro_field.coil.placement import Placement
from neuro_field.coil.sources import Dipoles, Grid, Segments
from neuro_field.errors import ConvergenceError, InputError
from neuro_field.field.buffers import Buffers
from neuro_field.field.conjugate_gradients import solve_block
from neuro_field.field.engine import COMPILED, CompiledEngine
from neuro_field.field.plain_engine import PlainEngine
from neuro_field.field.probe import Probe
from neuro_field.field.solver import Solver
from neuro_field.field.validation import relative
from neuro_field.geometry.locate import locate
from neuro_field.geometry.mesh import Surface, TetMesh
from neuro_field.head.inside import inside_head
from neuro_field.head.model import HeadModel
from neuro_field.head.sphere import sphere_head

TIGHT = 1e-10
RNG = np.random.default_rng(77)


def ring_pair(radius=35.0, count=24, height=-6.0):
    """Two rings of dipoles side by side and opposed: the shape of a figure-8, in few sources."""
    angle = np.arange(count) * 2 * np.pi / count
    ring = np.stack([radius * np.cos(angle), radius * np.sin(angle), np.full(count, height)], axis=1)
    positions = np.concatenate([ring + np.array([radius, 0, 0]), ring - np.array([radius, 0, 0])])
    moments = np.zeros((2 * count, 3))
    moments[:count, 2], moments[count:, 2] = 2e-3, -2e-3
    return Coil("ring pair", Dipoles(positions, moments))


COIL = ring_pair()
HALVES = tuple(
    Coil(name, Dipoles(COIL.dipoles[0][part], COIL.dipoles[1][part]))
    for name, part in (("left", slice(None, 24)), ("right", slice(24, None)))
)


@pytest.fixture(scope="module")
def head():
    return sphere_head((40, 46, 52), edge=6.0)


@pytest.fixture(scope="module")
def placement(head):
    return Placement.on(head.scalp, above=(10, 5, 60), handle_towards=(0, -60, 52))


@pytest.fixture(scope="module")
def solver(head):
    return Solver(head, tolerance=TIGHT)


@pytest.fixture(scope="module")
def field(solver, placement):
    return solver.solve(COIL, placement)


def assert_close(found, expected, share):
    """Largest difference, as a share of the largest expected value."""
    np.testing.assert_allclose(found, expected, rtol=0, atol=share * np.abs(expected).max())


def hat_gradients(corners):
    """Gradients (t, 4, 3) of the hat functions of elements with corners (t, 4, 3)."""
    out = np.empty((len(corners), 4, 3))
    out[:, 1:] = np.linalg.inv(corners[:, 1:] - corners[:, :1]).transpose(0, 2, 1)
    out[:, 0] = -out[:, 1:].sum(axis=1)
    return out


def test_report_tells_the_truth(solver, field, placement):
    right = solver.system.load(field.nodal_dadt[:, None])[:, 0]
    left_over = right - solver.system.stiffness @ field.potential
    residual = np.linalg.norm(left_over) / np.linalg.norm(right)
    # the grounded row too, so this is the equation of the head and not of its matrix; no current leaves the scalp,
    # for the scalp's nodes are among the rows
    assert residual < 2 * TIGHT
    assert field.report.residual <= TIGHT
    assert field.report.nodes == len(solver.head.mesh.nodes)
    assert 0 < field.report.iterations < 60
    assert set(field.report.seconds) == {"primary", "solve"}


def test_current_is_conserved_in_every_patch_of_elements(solver, field):
    """The current density's divergence, tested with each hat function, is zero."""
    mesh = solver.head.mesh
    current = (solver.head.conductivity * mesh.volumes * 1e-9)[:, None] * field.E
    gradients = hat_gradients(solver.system.nodes[mesh.tets])
    through = np.bincount(mesh.tets.ravel(), np.einsum("tac,tc->ta", gradients, current).ravel())
    scale = np.linalg.norm(solver.system.load(field.nodal_dadt[:, None]))
    assert np.linalg.norm(through) < 2 * TIGHT * scale


def test_field_is_linear_in_the_current(solver, field, placement):
    assert_close(solver.solve(COIL, placement, didt=-3e6).E, -3 * field.E, 1e-13)
    np.testing.assert_array_equal(solver.solve(COIL, placement, didt=0).E, 0)


def test_scaling_every_conductivity_leaves_the_field(head, field, placement):
    other = Solver(HeadModel(head.mesh, 7.3 * head.conductivity), tolerance=TIGHT).solve(COIL, placement)
    assert_close(other.E, field.E, 1e-8)


def test_conductivity_ratio_matters_off_a_concentric_sphere(head, field, placement):
    lopsided = head.conductivity * np.where(head.mesh.centroids[:, 0] > 0, 1.0, 3.0)
    other = Solver(HeadModel(head.mesh, lopsided), tolerance=TIGHT).solve(COIL, placement)
    assert np.abs(other.E - field.E).max() > 0.1 * np.abs(field.E).max()


def test_recovery_asks_whether_the_potential_is_harmonic(head, solver):
    """It is where conductivity is one number all over a tissue; a slope inside one is respected, not smoothed away."""
    every = np.unique(head.mesh.tags).tolist()
    same = Solver(HeadModel(head.mesh, head.conductivity[:, None, None] * np.eye(3)))
    for system in (solver.system, same.system):
        assert system.stretches[0].tolist() == every
        np.testing.assert_array_equal(system.stretches[1], np.broadcast_to(np.eye(3), (3, 3, 3)))
    noisy, uneven, along = (
        np.array(head.conductivity),
        np.array(head.conductivity),
        np.eye(3) * np.ones((len(head.mesh.tets), 1, 1)),
    )
    first = int(np.flatnonzero(head.mesh.tags == every[0])[0])
    noisy[first] *= 1 + 1e-12
    uneven[first] *= 1.01
    along[first, 0, 0] = 2.0
    assert Solver(HeadModel(head.mesh, noisy)).system.stretches[0].tolist() == every
    for other in (uneven, along):
        assert Solver(HeadModel(head.mesh, other)).system.stretches[0].tolist() == every[1:]
    slope = np.exp(0.02 * head.mesh.centroids[:, 2])
    varied = Solver(HeadModel(head.mesh, head.conductivity * slope), tolerance=TIGHT)
    assert not varied.system.stretches[0].size
    # with sigma = exp(k z) the current density -sigma grad(phi), phi = exp(-k z), is uniform: no load inside
    exact = -20.0 * np.exp(-20.0 * np.array([[0, 0, -0.01], [0, 0, 0.0], [0, 0, 0.01]])[:, 2])
    elements, shares = locate(head.mesh, [[0, 0, -10.0], [0, 0, 0], [0, 0, 10.0]])
    found = varied.system.gradient_at(np.exp(-20.0 * varied.system.nodes[:, 2]), elements, shares)
    np.testing.assert_allclose(found[:, 2], exact, rtol=2e-3)  # third order: (20 / m x 6 mm)^2 / 6


def test_what_recovery_asks_of_a_head_takes_no_memory_of_a_tensor_each(head):
    """It is asked for every draw of the conductivities: nine numbers an element, times three, were 0.9 GB and 3 s."""
    system = Solver(HeadModel(head.mesh, head.conductivity)).system
    tracemalloc.start()
    _ = system.stretches
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 60 * len(head.mesh.tets)


def test_isotropic_tensors_give_the_field_of_their_number(head, field, placement):
    tensors = head.conductivity[:, None, None] * np.eye(3)
    other = Solver(HeadModel(head.mesh, tensors), tolerance=TIGHT).solve(COIL, placement)
    assert_close(other.E, field.E, 1e-8)


def test_fields_of_two_coils_add_up(solver, field, placement):
    total = sum(solver.solve(half, placement).E for half in HALVES)
    assert_close(total, field.E, 1e-8)


def test_reversed_current_reverses_the_field(solver, field, placement):
    assert_close(solver.solve(COIL.reversed_current(), placement).E, -field.E, 1e-12)


def test_moving_head_and_coil_together_turns_the_field(head, field, placement):
    rotation = np.linalg.qr(RNG.normal(size=(3, 3)))[0]
    rotation *= np.sign(np.linalg.det(rotation))
    motion = np.eye(4)
    motion[:3, :3], motion[:3, 3] = rotation, (120, -40, 15)
    mesh = TetMesh(transformed(head.mesh.nodes, motion), head.mesh.tets, head.mesh.tags)
    moved = Solver(HeadModel(mesh, head.conductivity), tolerance=TIGHT).solve(
        COIL, Placement(motion @ placement.head_from_coil)
    )
    assert_close(moved.E, field.E @ rotation.T, 1e-7)
    points = RNG.uniform(-20, 20, (50, 3))
    assert_close(moved.at(transformed(points, motion)), field.at(points) @ rotation.T, 1e-6)


def test_numbering_of_nodes_and_elements_does_not_matter(head, field, placement):
    nodes, elements = RNG.permutation(len(head.mesh.nodes)), RNG.permutation(len(head.mesh.tets))
    mesh = TetMesh(head.mesh.nodes[nodes], np.argsort(nodes)[head.mesh.tets[elements]], head.mesh.tags[elements])
    other = Solver(HeadModel(mesh, head.conductivity[elements]), tolerance=TIGHT).solve(COIL, placement)
    assert_close(other.E, field.E[elements], 1e-7)


@pytest.mark.parametrize("order", [1, 2])
def test_sources_and_targets_change_places(solver, field, placement, order):
    """Reciprocity: the adjoint of a functional of E, met with dA/dt, is that functional of the forward field."""
    if order == 2:
        solver = solver.raised()
        field = solver.solve(COIL, placement)
    elements = np.flatnonzero(solver.head.region("grey_matter"))[::7]
    weights = RNG.normal(size=(len(elements), 3)) * solver.head.mesh.volumes[elements][:, None]
    probe = Probe(solver.system, elements)
    adjoint = solver.potentials(probe.adjoint_loads(weights[:, :, None]))[0]
    conduction = -np.sum(solver.system.load_transpose(adjoint)[:, 0] * field.nodal_dadt)
    primary = -np.sum(weights * field.dadt(probe.points))
    functional = np.sum(weights * field.recovered(elements))
    assert functional == pytest.approx(primary + conduction, rel=1e-6)
    np.testing.assert_allclose(field.recovered(elements), field.at(probe.points), rtol=0, atol=1e-9)


def test_a_tensor_is_a_number_in_a_stretched_head(head):
    """sigma = R s R' everywhere: positions times sigma^(-1/2), dA/dt times sigma^(1/2), and all is isotropic."""
    turn = np.linalg.qr(np.random.default_rng(7).normal(size=(3, 3)))[0]
    sigma = (turn * [0.1, 0.4, 1.0]) @ turn.T
    root = (turn * np.sqrt([0.1, 0.4, 1.0])) @ turn.T
    stretch = np.linalg.inv(root) * np.linalg.det(root) ** (1 / 3)
    mesh = head.mesh
    tensors = Solver(HeadModel(mesh, np.broadcast_to(sigma, (len(mesh.tets), 3, 3))), tolerance=1e-12)
    moved = TetMesh(mesh.nodes @ stretch.T, mesh.tets, mesh.tags)
    size = np.linalg.det(sigma) ** (1 / 3)
    numbers = Solver(HeadModel(moved, np.full(len(mesh.tets), size)), tolerance=1e-12)
    np.testing.assert_allclose(tensors.system.stretches[1], np.broadcast_to(stretch, (3, 3, 3)), rtol=1e-12)
    dadt = RNG.normal(size=(len(mesh.nodes), 3))
    elements, shares = RNG.integers(0, len(mesh.tets), 40).astype(np.int32), RNG.dirichlet(np.ones(4), 40)
    found = []
    for each, own in ((tensors, dadt), (numbers, dadt @ np.linalg.inv(stretch))):
        phi = each.potentials(each.system.load(own[:, None]))[0][:, 0]
        gradient = each.system.gradient_at(phi, elements, shares)
        found.append((phi - phi.mean(), each.system.element_field(phi, own), gradient))
    (phi, raw, slope), (other, raw_other, slope_other) = found
    assert_close(other, phi, 1e-10)
    assert_close(raw_other @ stretch, raw, 1e-10)
    assert_close(slope_other @ stretch, slope, 1e-9)


@pytest.mark.parametrize("order", [1, 2])
def test_a_gradient_at_points_is_a_matrix_of_the_potential(solver, field, order):
    system = solver.system if order == 1 else solver.raised().system
    rng = np.random.default_rng(4)
    elements, shares = rng.integers(0, len(solver.head.mesh.tets), 30), rng.dirichlet(np.ones(4), 30)
    values = rng.normal(size=len(system.points))
    for free in (True, False):
        found = system.gradient_matrix(elements, shares, divergence_free=free) @ values
        expected = system.gradient_at(values, elements, shares, divergence_free=free).ravel()
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-9 * np.abs(expected).max())


def test_many_placements_get_the_answers_of_one_by_one(solver, placement):
    """Bit for bit, in every width of block and across two blocks."""
    placements = [placement.moved(turned=20.0 * k, along_x=k) for k in range(11)]
    with computing_in(all_threads()):
        many = solver.solve_many(COIL, placements)
    for one, found in zip(placements, many, strict=True):
        alone = solver.solve(COIL, one)
        np.testing.assert_array_equal(found.potential, alone.potential)
        assert found.report.iterations == alone.report.iterations
    assert solver.solve_many(COIL, []) == []
    np.testing.assert_array_equal(solver.solve_many(COIL, placements[:3])[2].potential, many[2].potential)


@pytest.mark.parametrize("order", ["1", "2"])
def test_one_thread_and_two_give_the_same_bits(tmp_path, order):
    script = textwrap.dedent("""
        import sys
        import numpy as np
        sys.path.insert(0, sys.argv[2])
        from test_solver import COIL
        from neuro_field.coil.placement import Placement
        from neuro_field.field.solver import Solver
        from neuro_field.head.sphere import sphere_head
        head = sphere_head((30,), edge=6.0)
        placement = Placement.on(head.scalp, above=(0, 0, 40), handle_towards=(0, -60, 30))
        field = Solver(head, order=int(sys.argv[3])).solve(COIL, placement)
        points = np.random.default_rng(0).uniform(-15, 15, (20, 3))
        np.savez(sys.argv[1], potential=field.potential, E=field.E, at=field.at(points))
    """)
    here = str(Path(__file__).parent)
    for threads in ("1", "2"):
        environment = {**os.environ, "NUMBA_NUM_THREADS": threads}
        target = str(tmp_path / f"{threads}.npz")
        subprocess.run([sys.executable, "-c", script, target, here, order], check=True, env=environment, timeout=300)
    one, two = (np.load(tmp_path / f"{threads}.npz") for threads in ("1", "2"))
    for name in one.files:
        np.testing.assert_array_equal(one[name], two[name])


def test_element_values_of_a_few_are_those_of_all(solver, placement):
    chosen = RNG.integers(0, len(solver.head.mesh.tets), 40)
    fresh = solver.solve(COIL, placement)
    few = fresh.in_elements(chosen)
    assert_close(few, fresh.E[chosen], 1e-12)
    np.testing.assert_allclose(fresh.magnE, np.linalg.norm(fresh.E, axis=1))
    np.testing.assert_array_equal(fresh.in_elements(chosen), fresh.E[chosen])


def test_field_outside_the_head_is_not_a_number(field):
    found = field.at([[0, 0, 51.0], [0, 0, 53.0], [500.0, 0, 0]])
    assert np.isfinite(found[0]).all()
    assert np.isnan(found[1:]).all()
    assert field.at(np.empty((0, 3))).shape == (0, 3)


def test_dadt_at_the_nodes_is_turned_into_the_head_frame(head, solver, placement):
    found = solver.solve(COIL, placement).nodal_dadt[:50]
    in_coil = np.linalg.inv(placement.head_from_coil)
    expected = COIL.dadt(transformed(head.mesh.nodes[:50], in_coil)) @ placement.head_from_coil[:3, :3].T
    assert_close(found, expected, 1e-12)


def test_inverted_elements_are_refused(head):
    tets = np.array(head.mesh.tets)
    tets[5] = tets[5][[1, 0, 2, 3]]
    with pytest.raises(InputError, match=r"instead 1 of .* inverted or flat, the first is element 5"):
        Solver(HeadModel(TetMesh(head.mesh.nodes, tets, head.mesh.tags), head.conductivity))


def test_loose_nodes_are_refused(head):
    nodes = np.concatenate([head.mesh.nodes, [[1.0, 2.0, 3.0]]])
    with pytest.raises(InputError, match=f"1 of {len(nodes)} belong to none, the first is node {len(nodes) - 1}"):
        Solver(HeadModel(TetMesh(nodes, head.mesh.tets, head.mesh.tags), head.conductivity))


def test_heads_in_pieces_are_refused(head):
    far = np.array([[300, 0, 0], [301, 0, 0], [300, 1, 0], [300, 0, 1.0]])
    n = len(head.mesh.nodes)
    mesh = TetMesh(
        np.concatenate([head.mesh.nodes, far]),
        np.concatenate([head.mesh.tets, [[n, n + 1, n + 2, n + 3]]]),
        np.append(head.mesh.tags, 5),
    )
    with pytest.raises(InputError, match=r"it has 2, .* the smallest of 4 nodes"):
        Solver(HeadModel(mesh, np.append(head.conductivity, 0.465)))


def test_coils_inside_the_head_are_refused_with_their_depth(solver, placement):
    with pytest.raises(InputError, match=r"must be outside the head; instead .* up to \d+\.\d mm inside"):
        solver.solve(COIL, placement.moved(along_z=25.0))
    with pytest.raises(InputError, match="must be outside the head"):  # z axis away from the head
        solver.solve(COIL, placement.moved(tilted_x=180.0, along_z=4.0))


def test_casings_that_cut_the_scalp_are_refused_with_counts_and_the_remedy(head, solver, placement):
    box = np.array([[x, y, z] for x in (-70.0, 70) for y in (-35.0, 35) for z in (-12.0, 0)])
    faces = [[0, 2, 3], [0, 3, 1], [4, 5, 7], [4, 7, 6], [0, 1, 5], [0, 5, 4]]
    faces += [[2, 6, 7], [2, 7, 3], [0, 4, 6], [0, 6, 2], [1, 3, 7], [1, 7, 5]]
    cased = Coil("cased", COIL.elements, casing=Surface(box, faces))
    pushed = placement.moved(along_z=8.0)
    with pytest.raises(
        InputError, match=r"more than 3 mm; instead \d+ of \d+ scalp vertices .* first is \d+"
    ) as caught:
        solver.solve(cased, pushed)
    deep = depths_in_casing(head.scalp.points, cased.casing, pushed.head_from_coil)
    assert f"instead {np.count_nonzero(deep > 3.0)} of" in str(caught.value)
    solver.solve(cased, pushed.moved(along_z=-np.ceil(deep.max())))  # what it tells one to do
    solver.solve(COIL, pushed)
    assert depths_in_casing(head.scalp.points, cased.casing, pushed.moved(along_z=150.0).head_from_coil).max() == 0


def test_conductivities_that_are_none_are_refused_before_any_solve(head):
    for value, count in ((np.nan, 2), (-0.1, 1), (0.0, 3), (np.inf, 1)):
        sigma = np.array(head.conductivity)
        sigma[7 : 7 + count] = value
        with pytest.raises(InputError, match=rf"positive and finite .* {count} of {len(sigma)} .* first is element 7"):
            HeadModel(head.mesh, sigma)


def test_flat_elements_are_refused(head):
    tets = np.array(head.mesh.tets)
    tets[3, 3], tets[8, 1] = tets[3, 2], tets[8, 0]
    with pytest.raises(InputError, match=r"instead 2 of .* inverted or flat, the first is element 3 "):
        Solver(HeadModel(TetMesh(head.mesh.nodes, tets, head.mesh.tags), head.conductivity))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (dict(coil=3.2), "Input coil of Solver.solve must be a Coil; instead received 3.2"),
        (dict(placement=np.eye(4)), "Input placement of Solver.solve must be a Placement"),
        (dict(didt=np.nan), "Input didt of Solver.solve must be a finite number in A/s; instead received nan"),
        (dict(didt="fast"), "Input didt of Solver.solve"),
        (dict(didt=True), "Input didt of Solver.solve"),
    ],
)
def test_solve_refuses_wrong_arguments(solver, placement, arguments, message):
    with pytest.raises(InputError, match=message):
        solver.solve(**{"coil": COIL, "placement": placement, **arguments})


def test_one_placement_is_no_list_of_them(solver, placement):
    with pytest.raises(InputError, match="must be a list of Placement"):
        solver.solve_many(COIL, placement)


@pytest.mark.parametrize("tolerance", [0.0, -1e-5, 0.1, np.nan, "small", True, None])
def test_solver_refuses_tolerances_it_cannot_mean(head, tolerance):
    with pytest.raises(InputError, match="tolerance of Solver must be from 1e-12 to 1e-2"):
        Solver(head, tolerance=tolerance)


def test_solver_refuses_what_is_not_a_head():
    with pytest.raises(InputError, match="head of Solver must be a HeadModel"):
        Solver("colin27")


def test_loads_that_do_not_balance_are_refused(solver):
    load = np.zeros((len(solver.head.mesh.nodes), 2))
    load[:2, 0] = 1.0, -1.0
    load[3, 1] = 1.0
    with pytest.raises(InputError, match=r"must each sum to zero, .* load 1 sums to 1"):
        solver.potentials(load)
    with pytest.raises(InputError, match="must be finite"):
        solver.potentials(np.full((len(load), 1), np.nan))


def test_sampled_coils_that_do_not_reach_the_head_are_refused(solver, placement):
    small = Coil("small grid", Grid(np.ones((2, 2, 2, 3)), np.eye(4)))
    with pytest.raises(InputError, match="points lie outside"):
        solver.solve(small, placement)


def test_failure_to_converge_carries_its_numbers(solver):
    right = RNG.normal(size=(len(solver.head.mesh.nodes), 2))
    with pytest.raises(ConvergenceError, match="stopped after 2 iterations") as caught:
        solve_block(
            solver._double, solver._multigrid, right, np.empty_like(right), first=0, scales=np.ones(2),
            engine=COMPILED, buffers=Buffers(COMPILED), tolerance=1e-9, most_iterations=2,
        )  # fmt: skip
    assert caught.value.iterations == 2
    assert len(caught.value.residuals) == 2
    assert min(caught.value.residuals) > 1e-9


def test_preconditioner_is_symmetric_and_positive_on_every_level(solver):
    """What conjugate gradients ask of it, in single precision."""
    for own in (solver, Solver(solver.head, smoother="jacobi")):
        check_preconditioner(own)


def check_preconditioner(solver):
    x = RNG.normal(size=(len(solver.system.points), 4)).astype(np.float32)
    z = np.empty_like(x)
    solver._multigrid.cycle(x, z, COMPILED, Buffers(COMPILED))
    product = x.T.astype(np.float64) @ z
    np.testing.assert_allclose(product, product.T, rtol=0, atol=1e-4 * np.abs(product).max())
    assert np.linalg.eigvalsh((product + product.T) / 2).min() > 0


def test_meshes_with_slivers_are_solved():
    """Delaunay meshes of scattered points hold slivers, whose rows are far from diagonally dominant."""
    nodes = RNG.normal(size=(4000, 3))
    nodes *= 40 * RNG.random((4000, 1)) ** (1 / 3) / np.linalg.norm(nodes, axis=1, keepdims=True)
    tets = Delaunay(nodes).simplices
    volumes = np.linalg.det(nodes[tets[:, 1:]] - nodes[tets[:, :1]])
    tets = np.where((volumes < 0)[:, None], tets[:, [0, 1, 3, 2]], tets)[np.abs(volumes) > 1e-4]
    head = HeadModel(TetMesh(nodes, tets, np.full(len(tets), 2)), np.full(len(tets), 0.3))
    above = np.diag([1.0, -1.0, -1.0, 1.0])
    above[2, 3] = 60.0
    found = Solver(head, tolerance=1e-8).solve(COIL, Placement(above))
    assert found.report.residual <= 1e-8


@pytest.mark.parametrize(("columns", "width"), [(1, 1), (2, 4), (4, 4), (5, 8), (8, 8), (9, 16)])
def test_blocks_are_padded_to_a_compiled_width(columns, width):
    assert COMPILED.width(columns) == width


@pytest.mark.parametrize("smoother", ["gauss-seidel", "jacobi"])
def test_a_plain_engine_solves_the_same(placement, smoother):
    """NumPy and SciPy through the same nine operations: agreement to 1e-10 where both have converged."""
    head = sphere_head((40, 46, 52), edge=12.0)
    plain, compiled = (
        Solver(head, tolerance=1e-12, engine=engine, smoother=smoother).solve(COIL, placement)
        for engine in (PlainEngine(), None)
    )
    assert relative(plain.E, compiled.E) < 1e-10
    assert abs(plain.report.iterations - compiled.report.iterations) <= 1


def test_single_precision_reaches_its_tolerance_in_truth(solver, placement):
    """The residual that is told is the one that is there, and the field is the one of double precision."""
    solver = Solver(solver.head)
    field, exact = solver.solve(COIL, placement), Solver(solver.head, tolerance=1e-11).solve(COIL, placement)
    right = solver.system.load(field.nodal_dadt[:, None])[:, 0]
    left_over = np.linalg.norm(right - solver.system.stiffness @ field.potential) / np.linalg.norm(right)
    assert solver._matrix.values.dtype == np.float32
    assert "_double" not in solver.__dict__
    assert left_over == pytest.approx(field.report.residual, rel=0.02)
    assert relative(field.E, exact.E) < 2e-5


def test_a_head_smaller_than_the_coarsest_level_is_solved(placement):
    """Its preconditioner is the inverse itself, and one step does it."""
    small = Solver(sphere_head((30,), edge=12.0))
    assert not small._multigrid.levels
    field = small.solve(COIL, placement)
    assert field.report.iterations <= 3
    assert field.report.residual <= 1e-5


def test_an_unknown_smoother_is_refused(solver):
    with pytest.raises(InputError, match="one of gauss-seidel, jacobi"):
        Solver(solver.head, smoother="gauss")


def test_solving_again_takes_no_new_blocks(placement):
    """Memory touched for the first time is dear: what a solve has borrowed it gives back, and the next one takes it."""

    class Counting(CompiledEngine):
        made = 0

        def empty(self, shape, dtype):
            self.made += 1
            return super().empty(shape, dtype)

    engine = Counting()
    solver = Solver(sphere_head((40, 46, 52), edge=9.0), engine=engine)
    wide = solver.solve_many(COIL, [placement.moved(along_z=-gap) for gap in range(4)])
    made = engine.made
    assert made > 8
    narrow = solver.solve(COIL, placement)  # in a part of the same blocks
    assert engine.made == made
    assert np.array_equal(narrow.potential, wide[0].potential)
    solver.solve_many(COIL, [placement] * 6)  # wider ones come in their place
    assert sum(map(len, solver._buffers._free.values())) == made


@pytest.mark.parametrize("place", [(0, 0, 50.0), (50.5, 0, 0), (0, 0, 0), (-30, 25, 30)])
def test_every_source_inside_the_head_is_refused(head, solver, place):
    """Dipoles wherever they lie, and wires all along: not only where a vertex's plane tells."""
    at = Placement(np.eye(4))
    dipole = Coil("one", Dipoles([place], [[0, 0, 1e-2]]))
    wire = Coil("through", Segments([[-150.0, 1, 1], [150.0, 1, 1]], [[150.0, 1, 1], [-150.0, 1, 1]], [1, 1]))
    for coil in (dipole, wire):
        with pytest.raises(InputError, match="outside the head"):
            solver.solve(coil, at)


def test_sources_in_a_cavity_of_the_head_are_inside_it(head):
    """A sinus holds no element, and yet no coil stands in it."""
    mesh = head.mesh
    kept = np.linalg.norm(mesh.centroids - [0, 25.0, 0], axis=1) > 14.0
    used, tets = np.unique(mesh.tets[kept], return_inverse=True)
    hollow = HeadModel.from_mesh(TetMesh(mesh.nodes[used], tets.reshape(-1, 4), mesh.tags[kept]))
    points = np.array([[0, 25.0, 0], [0, -25.0, 0], [0, 56.0, 0], [0, 0, 300.0]])
    assert inside_head(hollow, points).tolist() == [True, True, False, False]


@pytest.mark.parametrize("depth", [0.2, 2.0])
def test_a_dipole_may_touch_the_scalp_and_no_more(solver, depth):
    """Half a millimetre is how far scalp triangles lie from a round head; two are in it."""
    top = solver.head.scalp.nearest(np.array([0.0, 0.0, 60.0]))
    coil, pose = Coil("pin", Dipoles([[0.0, 0, 0]], [[0, 0, 1e-3]])), np.eye(4)
    pose[:3, 3] = top - [0, 0, depth]
    if depth < 1:
        solver.solve(coil, Placement(pose))
    else:
        with pytest.raises(InputError, match=r"1 of its 1 sources lie up to 2\.0 mm inside"):
            solver.solve(coil, Placement(pose))


@pytest.mark.parametrize("edge", [9.0, 5.0])
def test_iterations_hardly_grow_with_the_mesh(placement, edge):
    """Multigrid: 10 to 13 at 1e-5 on any mesh; without the smoothed prolongation twice as many."""
    finer = Solver(sphere_head((40, 46, 52), edge=edge))
    found = finer.solve(COIL, placement).report.iterations
    assert found <= 13


def test_a_sampled_coil_whose_face_lies_in_the_head_is_refused(solver):
    """A sampled potential has no places to test: what lies behind its face is tested instead."""
    affine = np.diag([100.0, 100, 100, 1])
    affine[:3, 3] = -400
    grid = Coil("sampled", Grid(np.ones((9, 9, 9, 3)) * 1e-6, affine))
    on = Placement.on(solver.head.scalp, above=(0, 0, 54), handle_towards=(0, -50, 54))
    solver.solve(grid, on)
    with pytest.raises(InputError, match="behind its face"):
        solver.solve(grid, on.moved(along_z=12.0))


@pytest.mark.parametrize("entry", [(0, 1), (2, 0)])
@pytest.mark.parametrize("value", [np.nan, 0.0331])
def test_tensors_that_are_not_symmetric_are_refused(head, entry, value):
    sigma = np.repeat(0.33 * np.eye(3)[None], len(head.mesh.tets), axis=0)
    sigma[5][entry] = value
    with pytest.raises(InputError, match="symmetric tensors; instead 1 of"):
        HeadModel(head.mesh, sigma)


def test_a_gradient_in_the_potential_is_seen_and_respected(head, solver, placement):
    """dA/dt with a gradient added has the same E; a potential that is not harmonic is not fitted as if it were."""
    axes = [np.arange(-80.0, 81.0, 4.0)] * 2 + [np.arange(-8.0, 121.0, 4.0)]
    points = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
    sampled = COIL.dadt(points.reshape(-1, 3), 1.0).reshape(points.shape)
    affine = np.diag([4.0, 4.0, 4.0, 1.0])
    affine[:3, 3] = -80, -80, -8
    inside = COIL.dadt(placement.coil_points(head.mesh.nodes), 1.0)
    slope = points - np.array([0, 0, 55.0])
    near = placement.coil_points(head.mesh.nodes) - np.array([0, 0, 55.0])
    grown = sampled + slope * np.linalg.norm(inside) / np.linalg.norm(near)  # of equal size in L2 over the head
    plain, diverging = (Coil("sampled", Grid(data, affine)) for data in (sampled, grown))
    assert plain.elements[0].divergence_free
    assert not diverging.elements[0].divergence_free
    at = head.mesh.nodes[np.linalg.norm(head.mesh.nodes, axis=1) < 38.0]
    first, second = (solver.solve(coil, placement).at(at) for coil in (plain, diverging))
    difference = np.linalg.norm(first - second) / np.linalg.norm(first)
    assert difference < 0.004  # 0.0025, of cubics that are not harmonic; fitted as if they were it is far off


@pytest.mark.parametrize("exponent", [-250, -30, 8])
def test_sources_of_any_strength_are_solved(solver, field, placement, exponent):
    """Single precision ends at 1e-38: columns are scaled before they meet it."""
    weak = Coil("weak", Dipoles(COIL.dipoles[0], COIL.dipoles[1] * 10.0**exponent))
    found = solver.solve(weak, placement)
    np.testing.assert_allclose(found.potential / 10.0**exponent, field.potential, rtol=1e-6, atol=1e-12)


def test_nothing_to_solve_is_answered_by_nothing(solver):
    found, convergence = solver.potentials(np.zeros((len(solver.head.mesh.nodes), 0)))
    assert found.shape == (len(solver.head.mesh.nodes), 0)
    assert convergence.iterations == ()


@pytest.mark.parametrize("tolerance", [2.0, 0.0, float("nan"), "1e-5"])
def test_a_solver_is_not_loosened_to_nonsense(solver, tolerance):
    with pytest.raises(InputError, match=r"tolerance of Solver\.loosened must be from 1e-12 to 1e-2"):
        solver.loosened(tolerance)


def test_elements_that_are_there_twice_are_refused(head):
    mesh = head.mesh
    doubled = TetMesh(
        mesh.nodes, np.concatenate([mesh.tets, mesh.tets[7:9]]), np.concatenate([mesh.tags, mesh.tags[7:9]])
    )
    with pytest.raises(InputError, match=r"must not overlap; instead \d+ of \d+ have a face that three or more share"):
        Solver(HeadModel.from_mesh(doubled))


def test_a_slit_is_refused(head):
    """Elements on one side of a plane get nodes of their own on it: no current would cross."""
    mesh = head.mesh
    above = mesh.centroids[:, 2] > 10.0
    middle = np.linalg.norm(mesh.centroids[:, :2], axis=1) < 25.0
    upper, lower = np.unique(mesh.tets[above & middle]), np.unique(mesh.tets[~above & middle])
    cut = np.setdiff1d(np.intersect1d(upper, lower), mesh.tets[~middle])
    assert len(cut) > 5
    own = np.arange(len(mesh.nodes))
    own[cut] = len(mesh.nodes) + np.arange(len(cut))
    tets = np.where((above & middle)[:, None], own[mesh.tets], mesh.tets)
    torn = TetMesh(np.concatenate([mesh.nodes, mesh.nodes[cut]]), tets, mesh.tags)
    with pytest.raises(InputError, match=f"instead {2 * len(cut)} nodes of its surface lie where another node lies"):
        Solver(HeadModel.from_mesh(torn))


@pytest.mark.parametrize(
    ("tets", "tags", "message"),
    [
        ([[0, 1, 2, 3.5]], [1], "tets of TetMesh must be whole numbers"),
        ([[0, 1, 2, 3]], [1.5], "tags of TetMesh must be whole numbers"),
        ([[0, 1, 2, 3]], [2**40], "tags of TetMesh must be whole numbers"),
        ([[0, 1, 2, 3]], [-4], "tags of TetMesh must be 0 or more"),
    ],
)
def test_meshes_of_numbers_that_are_none_are_refused(tets, tags, message):
    with pytest.raises(InputError, match=message):
        TetMesh(np.eye(4)[:, :3], np.array(tets), np.array(tags))
