"""The kernels of elements, sphere, recovery, locating and multigrid against slow twins and laws."""

import numpy as np
import pytest
import reference_field as reference
from scipy.linalg import block_diag
from scipy.sparse import csr_matrix, eye, random
from scipy.spatial import Delaunay

from neuro_field.field.engine import COMPILED, Smoother
from neuro_field.field.split import Split, chunk_rows
from neuro_field.kernels import assembly, columns, locate, multigrid, recovery, reorder, sphere

SCALAR, TENSOR = "scalar", "tensor"


def small_mesh(count=60, seed=3):
    """A conforming mesh of random points, its flattest slivers dropped and all elements turned positive."""
    rng = np.random.default_rng(seed)
    nodes = rng.uniform(-0.05, 0.05, (count, 3))
    tets = Delaunay(nodes).simplices.astype(np.int32)
    volumes = np.linalg.det(nodes[tets[:, 1:]] - nodes[tets[:, :1]])
    tets[volumes < 0] = tets[volumes < 0][:, [0, 1, 3, 2]]
    return nodes, np.ascontiguousarray(tets[np.abs(volumes) > 1e-4 * np.abs(volumes).max()])


def unwritable(array):
    """As the room ``field`` hands arrays to kernels, so that tests do not compile them a second time."""
    array.flags.writeable = False
    return array


NODES, TETS = small_mesh()
TETS = unwritable(TETS)
N, T = len(NODES), len(TETS)
RNG = np.random.default_rng(5)
SIGMA = unwritable(RNG.uniform(0.01, 2.0, T))
ROOTS = RNG.normal(size=(T, 3, 3))
TENSORS = unwritable(np.einsum("tij,tkj->tik", ROOTS, ROOTS) + 0.1 * np.eye(3))
GIVEN = {SCALAR: (SIGMA, unwritable(np.empty((0, 3, 3)))), TENSOR: (unwritable(np.empty(0)), TENSORS)}
EITHER = {SCALAR: SIGMA, TENSOR: TENSORS}
both_ways = pytest.mark.parametrize("compiled", [True, False], ids=["compiled", "python"])
both_kinds = pytest.mark.parametrize("kind", [SCALAR, TENSOR])


def either(kernel, compiled):
    return kernel if compiled else kernel.py_func


def incidence(compiled=True):
    offsets, slots = np.zeros(N + 1, np.int32), np.empty(4 * T, np.int32)
    either(assembly.incidence, compiled)(TETS, offsets, slots)
    return offsets, slots


OFFSETS, SLOTS = incidence()


@both_ways
def test_incidence_lists_the_elements_of_every_node(compiled):
    offsets, slots = incidence(compiled)
    found = [slots[offsets[i] : offsets[i + 1]].tolist() for i in range(N)]
    assert found == reference.incidence(TETS, N)


def assembled(kind, compiled):
    lengths = np.empty(N, np.int32)
    either(assembly.row_lengths, compiled)(TETS, OFFSETS, SLOTS, lengths)
    indptr = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    indices, data, couplings = np.full(indptr[-1], -1, np.int32), np.full(indptr[-1], np.nan), np.empty((indptr[-1], 3))
    either(assembly.pattern, compiled)(TETS, OFFSETS, SLOTS, indptr, indices)
    for some in ((data, couplings[:0]), (data[:0], couplings)):
        either(assembly.stiffness, compiled)(NODES, TETS, *GIVEN[kind], OFFSETS, SLOTS, indptr, indices, *some)
    return csr_matrix((data, indices, indptr), shape=(N, N)), couplings


@both_ways
@both_kinds
def test_stiffness_agrees_with_its_slow_twin(kind, compiled):
    found, _ = assembled(kind, compiled)
    expected = reference.stiffness(NODES, TETS, EITHER[kind])
    # slivers make entries many times the typical one; rounding is relative to the largest
    np.testing.assert_allclose(found.toarray(), expected, rtol=1e-9, atol=1e-12 * np.abs(expected).max())
    assert found.has_canonical_format
    np.testing.assert_allclose(found @ np.ones(N), 0, atol=1e-11 * np.abs(found.data).max())


@both_ways
@both_kinds
def test_load_agrees_with_its_slow_twin(kind, compiled):
    dadt = unwritable(RNG.normal(size=(N, 2, 3)))
    matrix, couplings = assembled(kind, compiled)
    found = np.empty((N, 2))
    either(assembly.load, compiled)(
        matrix.indptr, matrix.indices, couplings, unwritable(dadt.transpose(0, 2, 1)), found
    )
    expected = reference.load(NODES, TETS, EITHER[kind], dadt)
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12 * np.abs(expected).max())


@both_ways
@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_rows_of_a_matrix_are_met_with_values(kind, compiled):
    matrix, values = random(40, 30, density=0.2, format="csr", random_state=1), RNG.normal(size=(30, 5)).astype(kind)
    found = np.empty((11, 5))
    triplet = (unwritable(part) for part in (matrix.indptr[7:19], matrix.indices, matrix.data))
    either(assembly.product, compiled)(*triplet, unwritable(values), found)
    np.testing.assert_allclose(found, matrix.toarray()[7:18] @ values.astype(float), rtol=1e-12, atol=1e-14)


@both_ways
@both_kinds
def test_the_loads_transpose_is_its_transpose(kind, compiled):
    adjoint, dadt = unwritable(RNG.normal(size=(N, 2))), RNG.normal(size=(N, 1, 3))
    found = np.empty((N, 2, 3))
    either(assembly.load_transpose, compiled)(NODES, TETS, *GIVEN[kind], OFFSETS, SLOTS, adjoint, found)
    expected = adjoint.T @ reference.load(NODES, TETS, EITHER[kind], dadt)[:, 0]
    np.testing.assert_allclose(np.einsum("nkc,nc->k", found, dadt[:, 0]), expected, rtol=1e-9)


@both_ways
@both_kinds
def test_a_gradient_in_dadt_is_answered_by_the_potential_at_the_nodes(kind, compiled):
    """The gradient of any quadratic chi: its load is that of phi = -chi, and both together have no field."""
    form = RNG.normal(size=(3, 3))
    chi = np.einsum("ni,ij,nj->n", NODES, form + form.T, NODES) / 2 + NODES @ [3.0, -1.0, 2.0]
    slope = unwritable((NODES @ (form + form.T) + [3.0, -1.0, 2.0])[:, :, None])
    matrix, couplings = assembled(kind, compiled)
    found, left = np.empty((N, 1)), np.empty((T, 3))
    either(assembly.load, compiled)(matrix.indptr, matrix.indices, couplings, slope, found)
    np.testing.assert_allclose(found[:, 0], -(matrix @ chi), rtol=0, atol=1e-10 * np.abs(found).max())
    either(assembly.element_fields, compiled)(NODES, TETS, unwritable(-chi), unwritable(slope[:, :, 0]), left)
    np.testing.assert_allclose(left, 0, atol=1e-9 * np.abs(slope).max())


@both_ways
def test_gradient_of_a_linear_function_is_exact(compiled):
    found = np.empty((T, 3))
    values, none = unwritable(NODES @ [1.0, -2.0, 3.0] + 4.0), unwritable(np.zeros((N, 3)))
    either(assembly.element_fields, compiled)(NODES, TETS, values, none, found)
    np.testing.assert_allclose(found, np.broadcast_to([-1.0, 2.0, -3.0], (T, 3)), rtol=0, atol=1e-8)


@both_ways
def test_sphere_field_is_the_radial_gauge_integral(compiled):
    rng = np.random.default_rng(8)
    directions = rng.normal(size=(9, 3))
    points = 0.08 * rng.random((9, 1)) * directions / np.linalg.norm(directions, axis=1, keepdims=True)
    positions, moments = rng.normal(size=(2, 4, 3))
    positions *= 0.1 / np.linalg.norm(positions, axis=1, keepdims=True)
    found = np.empty((9, 3))
    either(sphere.sphere_field, compiled)(points, positions, moments, found)
    expected = reference.sphere_field(points, positions, moments)
    np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-12 * np.abs(expected).max())


@both_ways
def test_barycentric_coordinates_agree_with_their_slow_twin(compiled):
    rng = np.random.default_rng(9)
    for tet in TETS[::15]:
        point = rng.dirichlet(np.ones(4)) @ NODES[tet]
        share = np.empty(4)
        assert either(locate.barycentric, compiled)(NODES, tet, point, share)
        np.testing.assert_allclose(share, reference.barycentric(NODES, tet, point), atol=1e-9)
        assert not either(locate.barycentric, compiled)(NODES, tet, point + 0.2, share)


def lattice(steps=5, spacing=0.01, seed=6):
    """A box of cubes cut into six, its nodes shaken: patches of about 65 nodes."""
    index = np.stack(np.meshgrid(*[np.arange(steps + 1)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    nodes = spacing * (index - steps / 2 + np.random.default_rng(seed).uniform(-0.1, 0.1, index.shape))
    place = np.array([(steps + 1) ** 2, steps + 1, 1])
    cubes = index[(index < steps).all(axis=1)] @ place
    paths = [[0, a, a + b, 7] for a in (1, 2, 4) for b in (1, 2, 4) if a != b]
    corner = np.array([[c >> 2 & 1, c >> 1 & 1, c & 1] for c in range(8)]) @ place
    tets = (cubes[:, None, None] + corner[np.array(paths)]).reshape(-1, 4)
    negative = np.linalg.det(nodes[tets[:, 1:]] - nodes[tets[:, :1]]) < 0
    tets[negative] = tets[negative][:, [0, 1, 3, 2]]
    return nodes, unwritable(tets.astype(np.int32))


BOX_NODES, BOX = lattice()
BOX_OFFSETS, BOX_SLOTS = np.zeros(len(BOX_NODES) + 1, np.int32), np.empty(BOX.size, np.int32)
assembly.incidence(BOX, BOX_OFFSETS, BOX_SLOTS)
CENTRAL = np.argsort(np.linalg.norm(BOX_NODES, axis=1), kind="stable")[:12]


def slots(nodes, tag, harmonic, stretch=None):
    """Which polynomials are asked for, as the kernels take them."""
    stretch = np.eye(3) if stretch is None else stretch
    return (
        np.asarray(nodes, np.int64), np.full(len(nodes), tag, np.int64), np.full(len(nodes), harmonic),
        np.broadcast_to(stretch, (len(nodes), 3, 3)).copy(),
    )  # fmt: skip


def fit(potential, nodes, tag=0, harmonic=True, tags=None, compiled=True, stretch=None):
    """Coefficients (q, 19) of the polynomials at nodes as one tissue sees them."""
    tags = unwritable(np.zeros(len(BOX), np.int32) if tags is None else tags)
    out = np.empty((len(nodes), recovery.COEFFICIENTS))
    either(recovery.fitted_polynomials, compiled)(
        BOX_NODES, BOX, tags, BOX_OFFSETS, BOX_SLOTS, unwritable(potential.copy()),
        *slots(nodes, tag, harmonic, stretch), out,
    )  # fmt: skip
    return out


POLYNOMIALS = {  # value, gradient, is it harmonic
    "linear": (lambda x, y, z: x - 2 * y + 3 * z + 5, lambda x, y, z: (1 + 0 * x, -2 + 0 * x, 3 + 0 * x), True),
    "xy": (lambda x, y, z: x * y, lambda x, y, z: (y, x, 0 * x), True),
    "2zz-xx-yy": (lambda x, y, z: 2 * z * z - x * x - y * y, lambda x, y, z: (-2 * x, -2 * y, 4 * z), True),
    "xyz": (lambda x, y, z: x * y * z, lambda x, y, z: (y * z, x * z, x * y), True),
    "y(4zz-xx-yy)": (
        lambda x, y, z: y * (4 * z * z - x * x - y * y),
        lambda x, y, z: (-2 * x * y, 4 * z * z - x * x - 3 * y * y, 8 * y * z),
        True,
    ),
    "x^3-3xyy": (
        lambda x, y, z: x**3 - 3 * x * y * y,
        lambda x, y, z: (3 * x * x - 3 * y * y, -6 * x * y, 0 * x),
        True,
    ),
    "xx+2yz": (lambda x, y, z: x * x + 2 * y * z, lambda x, y, z: (2 * x, 2 * z, 2 * y), False),
    "x^3": (lambda x, y, z: x**3, lambda x, y, z: (3 * x * x, 0 * x, 0 * x), False),
    "zz(y-2z)": (
        lambda x, y, z: z * z * (y - 2 * z),
        lambda x, y, z: (0 * x, z * z, 2 * z * y - 6 * z * z),
        False,
    ),
}


@both_ways
@pytest.mark.parametrize("name", POLYNOMIALS)
def test_recovery_reproduces_polynomials_anywhere(name, compiled):
    value, gradient, harmonic = POLYNOMIALS[name]
    elements = np.flatnonzero(np.isin(BOX, CENTRAL).all(axis=1)).astype(np.int32)[:6]
    shares = np.random.default_rng(1).dirichlet(np.ones(4), len(elements))
    nodes, places = np.unique(BOX[elements], return_inverse=True)
    polynomials = fit(value(*BOX_NODES.T), nodes, harmonic=harmonic, compiled=compiled)
    found = np.empty((len(elements), 3))
    either(recovery.blended_gradients, compiled)(
        BOX_NODES, BOX, elements, shares, places.reshape(-1, 4), polynomials, slots(nodes, 0, harmonic)[3], found
    )
    points = np.einsum("ma,mac->mc", shares, BOX_NODES[BOX[elements]])
    scale = np.abs(np.stack(gradient(*BOX_NODES[CENTRAL].T))).max()
    # the ridge that steadies flat patches takes about a thousandth of quadratics and cubics
    tolerance = 1e-9 if name == "linear" else 5e-3
    np.testing.assert_allclose(found, np.stack(gradient(*points.T), axis=1), rtol=0, atol=tolerance * scale)


@both_ways
@pytest.mark.parametrize("harmonic", [True, False])
def test_recovery_is_a_linear_map_of_the_potential(harmonic, compiled):
    """Polynomials and gradients by the maps that adjoints go through, against those fitted to a potential."""
    turned = np.linalg.qr(RNG.normal(size=(3, 3)))[0] * [1.0, 0.5, 2.0]
    potential, nodes = RNG.normal(size=len(BOX_NODES)), np.unique(BOX[:3])
    mesh, asked = (
        (BOX_NODES, BOX, unwritable(np.zeros(len(BOX), np.int32)), BOX_OFFSETS, BOX_SLOTS),
        slots(nodes, 0, harmonic, turned),
    )
    count = np.empty(len(nodes), np.int64)
    either(recovery.patch_sizes, compiled)(*mesh, *asked[:2], count)
    starts = np.concatenate([[0], np.cumsum(count)])
    columns, maps = np.empty(starts[-1], np.int64), np.empty((starts[-1], recovery.COEFFICIENTS))
    either(recovery.fitted_maps, compiled)(*mesh, *asked, starts, columns, maps)
    polynomials = fit(potential, nodes, harmonic=harmonic, compiled=compiled, stretch=turned)
    mapped = np.add.reduceat(maps * potential[columns][:, None], starts[:-1])
    scale = np.abs(polynomials).max(axis=0) + 1e-300
    np.testing.assert_allclose(mapped / scale, polynomials / scale, rtol=0, atol=1e-9)
    elements, shares = np.arange(3, dtype=np.int32), RNG.dirichlet(np.ones(4), 3)
    places = np.searchsorted(nodes, BOX[:3])
    terms, found = np.empty((3, 3, 4, recovery.COEFFICIENTS)), np.empty((3, 3))
    either(recovery.gradient_terms, compiled)(BOX_NODES, BOX, elements, shares, places, asked[3], terms)
    either(recovery.blended_gradients, compiled)(BOX_NODES, BOX, elements, shares, places, polynomials, asked[3], found)
    expected = np.einsum("mcai,mai->mc", terms, polynomials[places])
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12 * np.abs(expected).max())
    sizes = np.empty(len(places), np.int64)
    either(recovery.gradient_sizes, compiled)(places, starts, columns, sizes)
    drawn = [np.unique(np.concatenate([columns[starts[q] : starts[q + 1]] for q in four])) for four in places]
    assert sizes.tolist() == [len(each) for each in drawn]
    ends = np.concatenate([[0], np.cumsum(np.repeat(sizes, 3))])
    indices, data = np.empty(ends[-1], np.int32), np.empty(ends[-1])
    either(recovery.gradient_rows, compiled)(places, starts, columns, maps, terms, ends, indices, data)
    matrix = csr_matrix((data, indices, ends), shape=(9, len(potential)))
    assert matrix.has_canonical_format
    np.testing.assert_allclose(matrix @ potential, expected.ravel(), rtol=0, atol=1e-9 * np.abs(expected).max())


def test_recovery_of_a_harmonic_potential_beats_its_element_gradients_tenfold():
    """A cubic is not of the fourth degree: this one is left over, and sets the error."""
    x, y, z = BOX_NODES.T
    value = np.exp(30 * x) * np.sin(30 * y)
    expected = 30 * np.stack([value, np.exp(30 * x) * np.cos(30 * y), 0 * z], axis=1)[CENTRAL]
    raw = reference.element_gradients(BOX_NODES, BOX, value)
    around = [raw[BOX_SLOTS[BOX_OFFSETS[i]] >> 2] for i in CENTRAL]
    error, raw_error = (np.linalg.norm(a - expected) for a in (fit(value, CENTRAL)[:, :3], around))
    assert 10 * error < raw_error


def test_recovery_never_looks_across_a_tissue_boundary():
    tags = np.where(BOX_NODES[BOX].mean(axis=1)[:, 0] > 0, 2, 1).astype(np.int32)
    potential = RNG.normal(size=len(BOX_NODES))
    shared = np.intersect1d(BOX[tags == 1], BOX[tags == 2])
    before = fit(potential, shared, 1, tags=tags)
    beyond = np.setdiff1d(BOX[tags == 2], BOX[tags == 1])
    potential[beyond] += 100.0
    np.testing.assert_array_equal(fit(potential, shared, 1, tags=tags), before)
    assert (fit(potential, shared, 2, tags=tags)[:, 0] != before[:, 0]).all()


@pytest.mark.parametrize(("elements", "degree"), [(1, 1), (6, 1), (40, 3)])
def test_small_patches_get_polynomials_they_can_carry(elements, degree):
    node = CENTRAL[0]
    of_node = BOX_SLOTS[BOX_OFFSETS[node] : BOX_OFFSETS[node + 1]] >> 2
    centroids = BOX_NODES[BOX].mean(axis=1)
    nearest = np.argsort(np.linalg.norm(centroids - centroids[of_node[0]], axis=1))[:elements]
    tags = np.zeros(len(BOX), np.int32)
    tags[nearest] = tags[of_node[0]] = 1
    found = fit(BOX_NODES @ [1.0, 2.0, 3.0], [node], 1, tags=tags)[0]
    np.testing.assert_allclose(found[:3], [1.0, 2.0, 3.0], atol=1e-6)
    if degree == 1:
        np.testing.assert_array_equal(found[3:], 0)


def test_rings_of_a_patch_are_the_neighbours_in_the_tissue():
    tags = (np.arange(T) % 2).astype(np.int32)
    for node in range(8):
        patch = np.empty(200, np.int32)
        patch[0] = node
        first = recovery._add_ring(TETS, tags, OFFSETS, SLOTS, 1, patch, 0, 1)
        second = recovery._add_ring(TETS, tags, OFFSETS, SLOTS, 1, patch, 1, first)
        one = reference.ring(TETS, tags, 1, {node})
        assert set(patch[:first].tolist()) == one
        assert set(patch[:second].tolist()) == reference.ring(TETS, tags, 1, one)
        assert len(set(patch[:second].tolist())) == second


def test_cholesky_solves_a_positive_definite_system():
    root = RNG.normal(size=(7, 7))
    matrix, right = root @ root.T + np.eye(7), RNG.normal(size=7)
    answer = right.copy()
    factor = matrix.copy()
    recovery._factor(factor, 7)
    recovery._substitute(factor, answer, 7)
    np.testing.assert_allclose(matrix @ answer, right, rtol=1e-10)


def spd(n, seed):
    """A sparse symmetric positive definite matrix, dense, with entries across chunks."""
    rng = np.random.default_rng(seed)
    dense = np.where(rng.random((n, n)) < 0.05, rng.normal(size=(n, n)), 0.0)
    dense += dense.T
    return dense + np.diag(np.abs(dense).sum(axis=1) + 1.0)


def split(dense, kind=np.float32):
    return Split.of(csr_matrix(dense), kind, chunk_rows(len(dense)))


@pytest.mark.parametrize("width", multigrid.WIDTHS)
def test_sweeps_and_transfers_agree_with_their_slow_twins(width):
    n = 200  # 64 chunks of 4 rows, the last ones empty
    dense, rng = spd(n, 1), np.random.default_rng(2)
    matrix, smoother = split(dense), Smoother((1 / np.diag(dense)).astype(np.float32), np.zeros(n, np.float32))
    b, x = rng.normal(size=(2, n, width)).astype(np.float32)
    out = np.empty_like(b)
    close = {"rtol": 1e-4, "atol": 1e-5}  # single precision, rows of a dozen entries
    COMPILED.relax_forwards(matrix, smoother, b, out)
    np.testing.assert_allclose(out, reference.relax_forwards(dense, np.diag(dense), b, multigrid.CHUNKS), **close)
    dots = COMPILED.relax_backwards(matrix, smoother, b, x, out)
    expected = reference.relax_backwards(dense, np.diag(dense), b, x, multigrid.CHUNKS)
    np.testing.assert_allclose(out, expected, **close)
    np.testing.assert_allclose(dots, (b.astype(float) * out).sum(axis=0), rtol=1e-12)

    raised = Smoother((0.9 / np.diag(dense)).astype(np.float32), (np.diag(dense) / 9).astype(np.float32))
    COMPILED.relax_forwards(matrix, raised, b, x)
    COMPILED.residual(matrix, raised, x, out)
    np.testing.assert_allclose(out, b - dense @ x, rtol=1e-4, atol=1e-4)
    COMPILED.relax_backwards(matrix, raised, b, x, out)
    expected = reference.relax_backwards(dense, np.diag(dense) / 0.9, b, x, multigrid.CHUNKS)
    np.testing.assert_allclose(out, expected, **close)

    transfer, coarse = cut_off(dense, 50), np.ones((50, width), np.float32)
    COMPILED.add(transfer, x, coarse)
    np.testing.assert_allclose(coarse, 1 + dense[:50] @ x, rtol=1e-4, atol=1e-4)
    COMPILED.gather(transfer, x, coarse)
    np.testing.assert_allclose(coarse, dense[:50] @ x, rtol=1e-4, atol=1e-4)


def cut_off(dense, rows):
    """The first rows as a transfer between levels."""
    m = csr_matrix(dense[:rows])
    return m.indptr.astype(np.uint32), m.indices.astype(np.uint32), m.data.astype(np.float32)


@pytest.mark.parametrize(("kind", "close"), [(np.float32, 2e-5), (np.float64, 1e-12)])
@pytest.mark.parametrize("width", multigrid.WIDTHS)
def test_steps_of_conjugate_gradients_agree_with_numpy(width, kind, close):
    n, rng = 200, np.random.default_rng(4)
    dense = spd(n, 3)
    p, q, x, r = rng.normal(size=(4, n, width)).astype(kind)
    found = np.empty_like(p)
    dots = COMPILED.product(split(dense, kind), p, found)
    np.testing.assert_allclose(found, dense @ p, rtol=0, atol=close * np.abs(dense @ p).max())
    np.testing.assert_allclose(dots, (p.astype(float) * found).sum(axis=0), rtol=1e-12)

    alpha, r_new = rng.normal(size=width), r.copy()
    squares = COMPILED.descend(alpha, q, r_new)
    np.testing.assert_allclose(r_new, r - alpha * q, rtol=0, atol=close)
    np.testing.assert_allclose(squares, (r_new.astype(float) ** 2).sum(axis=0), rtol=1e-12)
    for count in range(1, 5):
        alphas, directions, ascended = rng.normal(size=(count, width)), [p, q, r, found][:count], x.astype(float)
        COMPILED.ascend(alphas, directions, ascended)
        expected = x + sum(a * direction.astype(float) for a, direction in zip(alphas, directions, strict=True))
        np.testing.assert_allclose(ascended, expected, rtol=0, atol=1e-12 * np.abs(expected).max())
    turned = np.empty_like(p)
    COMPILED.turn(alpha, q, p, turned)
    np.testing.assert_allclose(turned, q + alpha * p, rtol=0, atol=close)


def test_a_product_of_differences_keeps_what_a_constant_would_drown():
    """Rows that sum to nothing, on 1000 plus a thousandth: single precision would leave a tenth of that."""
    n, rng = 300, np.random.default_rng(6)
    dense = spd(n, 5)
    np.fill_diagonal(dense, 0.0)
    np.fill_diagonal(dense, -dense.sum(axis=1))
    small = rng.normal(size=(n, 1)) * 1e-3
    p = (1000 + small).astype(np.float32)
    found = np.empty_like(p)
    COMPILED.product(split(dense), p, found)
    expected = dense @ (p.astype(float) - 1000)
    assert np.abs(found - expected).max() < 1e-6 * np.abs(expected).max()


@both_ways
def test_rows_are_split_into_what_their_chunk_sees(compiled):
    n = 3 * multigrid.CHUNKS - 5  # three rows to a chunk
    matrix = csr_matrix(spd(n, 7))
    starts, places = np.empty((n, 2), int), np.empty(matrix.nnz - n, int)
    values, sums = np.empty(matrix.nnz - n), np.empty(n)
    either(multigrid.split_rows, compiled)(matrix.indptr, matrix.indices, matrix.data, 3, starts, places, values, sums)
    np.testing.assert_allclose(sums, matrix.toarray().sum(axis=1), atol=1e-12)
    chunk = np.arange(n) // 3
    for i in range(n):
        begin, end = matrix.indptr[i] - i, matrix.indptr[i + 1] - i - 1
        earlier, others, later = np.split(places[begin:end], starts[i] - begin)
        row = np.setdiff1d(matrix[i].indices, [i])
        assert set(earlier) == set(row[(chunk[row] == chunk[i]) & (row < i)])
        assert set(others) == set(row[chunk[row] != chunk[i]])
        assert set(later) == set(row[(chunk[row] == chunk[i]) & (row > i)])
        np.testing.assert_array_equal(values[begin:end], matrix[i].toarray()[0, places[begin:end]])


def test_parts_of_a_split_matrix_add_up_to_it():
    dense = spd(200, 8)
    parts = sum(part.toarray() for part in split(dense, float).parts)
    np.testing.assert_array_equal(parts + np.diag(np.diag(dense)), dense)


@both_ways
def test_columns_are_filled_taken_and_measured(compiled):
    values, factors = RNG.normal(size=(150, 5)), np.array([2.0, -0.5])
    block, out, one = np.full((150, 4), np.nan), np.zeros((150, 6)), np.empty((150, 3))
    either(columns.fill, compiled)(values, 2, factors, block)
    np.testing.assert_array_equal(block, np.column_stack([values[:, 2:4] * factors, np.zeros((150, 2))]))
    either(columns.take, compiled)(block, 1 / factors, 3, out)
    np.testing.assert_array_equal(out, np.column_stack([np.zeros((150, 3)), values[:, 2:4], np.zeros((150, 1))]))
    either(columns.column, compiled)(values, 1, 3.0, one)
    np.testing.assert_array_equal(one, 3.0 * values[:, 1:4])
    sums, sizes, largest = np.empty((3, multigrid.CHUNKS, 5))
    either(columns.column_sizes, compiled)(values, sums, sizes, largest)
    np.testing.assert_allclose(sums.sum(axis=0), values.sum(axis=0), atol=1e-12)
    np.testing.assert_allclose(sizes.sum(axis=0), np.abs(values).sum(axis=0))
    np.testing.assert_array_equal(largest.max(axis=0), np.abs(values).max(axis=0))
    either(columns.column_dots, compiled)(values, values[::-1].copy(), sums)
    np.testing.assert_allclose(sums.sum(axis=0), (values * values[::-1]).sum(axis=0), atol=1e-12)


def test_only_compiled_widths_are_offered():
    with pytest.raises(ValueError, match="width must be one of"):
        multigrid.kernels_of_width(3)


@both_ways
def test_volumes_are_determinants_with_their_sign(compiled):
    tets = np.array(TETS)
    tets[::3] = tets[::3][:, [1, 0, 2, 3]]
    found = np.empty(T)
    either(assembly.volumes, compiled)(unwritable(NODES.copy()), unwritable(tets), found)
    expected = np.linalg.det(NODES[tets[:, 1:]] - NODES[tets[:, :1]]) / 6
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    assert (found[::3] < 0).all()


@both_ways
def test_element_fields_are_their_gradients_and_means(compiled):
    potential, dadt, found = unwritable(RNG.normal(size=N)), unwritable(RNG.normal(size=(N, 3))), np.empty((T, 3))
    either(assembly.element_fields, compiled)(NODES, TETS, potential, dadt, found)
    own = np.array([reference.edge_mean(NODES, tet, dadt[tet]) for tet in TETS])
    expected = -reference.element_gradients(NODES, TETS, potential) - own
    np.testing.assert_allclose(found, expected, rtol=1e-8, atol=1e-10 * np.abs(expected).max())


@both_ways
def test_pieces_are_the_connected_components(compiled):
    blocks = [np.ones((3, 3)), np.ones((1, 1)), np.array([[1, 1, 0], [1, 1, 1], [0, 1, 1]])]
    order = np.array([3, 0, 5, 2, 6, 1, 4])
    pattern = csr_matrix(block_diag(*blocks)[order][:, order])
    out = np.empty(7, np.int32)
    assert either(assembly.pieces, compiled)(pattern.indptr, pattern.indices, out) == 3
    np.testing.assert_array_equal(out, [0, 1, 2, 1, 2, 1, 2])


@both_ways
def test_row_sums_agree_with_dense_ones(compiled):
    n = 3 * multigrid.CHUNKS - 5  # three rows to a chunk
    dense = RNG.normal(size=(n, n)) * (RNG.random((n, n)) < 0.1) + 3 * np.eye(n)
    matrix, (everywhere, elsewhere, diagonal) = csr_matrix(dense), np.empty((3, n))
    either(multigrid.row_sums, compiled)(matrix.indptr, matrix.indices, matrix.data, 3, everywhere, elsewhere, diagonal)
    np.testing.assert_allclose(everywhere, np.abs(dense).sum(axis=1))
    np.testing.assert_allclose(diagonal, np.diag(dense))
    inside = np.abs(reference.in_chunks(dense, multigrid.CHUNKS)).sum(axis=1)
    np.testing.assert_allclose(elsewhere, np.abs(dense).sum(axis=1) - inside, atol=1e-12)


@both_ways
def test_a_reordered_matrix_is_the_old_one_with_rows_and_columns_exchanged(compiled):
    rng = np.random.default_rng(8)
    matrix = random(40, 40, density=0.2, random_state=9, format="csr") + eye(40, format="csr")
    order = rng.permutation(40)
    wanted = reference.reordered(matrix.toarray(), order)
    indptr = np.zeros(41, dtype=np.int32)
    np.cumsum(np.diff(matrix.indptr)[order], out=indptr[1:])
    indices, entry = np.empty((2, matrix.nnz), dtype=np.int32)
    either(reorder.reordered, compiled)(matrix.indptr, matrix.indices, order, np.argsort(order), indptr, indices, entry)
    made = csr_matrix((matrix.data[entry], indices, indptr), shape=(40, 40))
    assert np.array_equal(made.toarray(), wanted)
    assert all((np.diff(indices[indptr[i] : indptr[i + 1]]) > 0).all() for i in range(40))
