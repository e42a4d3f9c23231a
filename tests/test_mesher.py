"""The mesher keeps its promises on any label image: conforming, positive, in place, the same for any threads."""

import tracemalloc
from pathlib import Path

import numba
import numpy as np
import pytest
import reference_lattice as reference
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import ndimage

from neuro_field.errors import InputError
from neuro_field.geometry.mesh import FACES, TetMesh
from neuro_field.geometry.quality import bending_angles, non_manifold_edges, smallest_dihedral_angles
from neuro_field.head.mesher import mesh_fields, mesh_labels
from neuro_field.head.mesher_cut import cut_lattice, stars_of
from neuro_field.head.mesher_fields import blocks_of, indicator_fields
from neuro_field.head.mesher_octree import balanced_levels, lattice
from neuro_field.kernels.lattice_collapse import collapse_nodes
from neuro_field.kernels.lattice_cut import bisect_tetrahedra, snap_nodes
from neuro_field.kernels.lattice_fields import cut_edges, labels_at
from neuro_field.kernels.lattice_octree import emit_lattice_tetrahedra, mark_lattice_nodes
from neuro_field.kernels.lattice_pieces import number_pieces
from neuro_field.kernels.lattice_smooth import polish_nodes, smooth_nodes
from neuro_field.kernels.lattice_stars import collect_label_sets, orient, quality, uncut_edge_keys
from neuro_field.kernels.morton import morton_codes, morton_order
from neuro_field.shelf.examples import example_images

SHARED = Path(__file__).parents[2] / "shared" / "data"


def ball(shape, center, radius, spacing=(1, 1, 1)):
    """Voxels whose centre lies within a radius (mm) of a point (mm) of a grid at the origin."""
    place = np.stack(np.meshgrid(*[np.arange(n) * s for n, s in zip(shape, spacing, strict=True)], indexing="ij"))
    return ((place - np.reshape(center, (3, 1, 1, 1))) ** 2).sum(axis=0) < radius**2


def nested(shape=(28, 28, 28), spacing=(1, 1, 1)):
    """White matter in grey matter in CSF."""
    labels = np.zeros(shape, dtype=np.int16)
    center = (np.array(shape) - 1) / 2 * np.array(spacing)
    for tag, radius in ((3, 10.5), (2, 8.0), (1, 4.0)):
        labels[ball(shape, center, radius, spacing)] = tag
    return labels


def assert_sound(mesh):
    """Positive volumes, one face-connected piece, every face shared by at most two, and a closed surface."""
    assert mesh.volumes.min() > 0
    _, count = np.unique(np.sort(mesh.tets[:, FACES].reshape(-1, 3), axis=1), axis=0, return_counts=True)
    assert count.max() <= 2
    surface = mesh.boundary()
    # a hanging node would leave cracks: a crack-free boundary encloses exactly the volume of the elements
    enclosed = np.einsum("fi,fi->", surface.points[surface.triangles].mean(axis=1), surface.area_vectors) / 3
    assert enclosed == pytest.approx(mesh.volumes.sum(), rel=1e-9)
    np.testing.assert_allclose(surface.area_vectors.sum(axis=0), 0, atol=1e-8 * surface.areas.sum())
    edges = np.sort(surface.triangles[:, [[0, 1], [1, 2], [0, 2]]].reshape(-1, 2), axis=1)
    assert (np.unique(edges, axis=0, return_counts=True)[1] % 2 == 0).all()
    assert reference.piece_numbers(mesh.tets).max() == 0


# ---------------------------------------------------------------- what a mesh is


IMAGES = given(
    seed=st.integers(0, 2**32 - 1),
    side=st.integers(12, 18),
    blur=st.sampled_from([0.0, 0.8, 1.6]),
    edge=st.sampled_from([1.7, 2.0, 3.1]),
)


def assert_any_image_is_meshed(seed, side, blur, edge):
    """Random labels, from voxel noise to blobs, that reach the border."""
    rng = np.random.default_rng(seed)
    tags = np.array([0, 1, 2, 3, 4, 5, 21, 23])
    noise = rng.random((len(tags), side, side, side))
    labels = tags[ndimage.gaussian_filter(noise, (0, blur, blur, blur)).argmax(axis=0)]
    mesh = mesh_labels(labels, np.eye(4), edge=edge)
    assert_sound(mesh)
    assert set(np.unique(mesh.tags)) <= set(np.unique(labels)) - {0}


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@IMAGES
def test_any_label_image_makes_a_sound_mesh(seed, side, blur, edge):
    assert_any_image_is_meshed(seed, side, blur, edge)


@pytest.mark.slow
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@IMAGES
def test_two_hundred_label_images_make_sound_meshes(seed, side, blur, edge):
    assert_any_image_is_meshed(seed, side, blur, edge)


@pytest.mark.parametrize(
    "name", ["checkerboard", "thin sheet", "single voxel", "touching border", "blocks meeting at an edge"]
)
def test_awkward_shapes_make_a_sound_mesh(name):
    labels = np.zeros((16, 16, 16), dtype=np.uint8)
    i, j, k = np.indices(labels.shape)
    if name == "checkerboard":
        labels[:] = np.where((i // 2 + j // 2 + k // 2) % 2, 2, 4)
    elif name == "thin sheet":
        labels[2:14, 2:14, 2:14], labels[:, :, 8] = 5, 4
    elif name == "single voxel":
        labels[3:13, 3:13, 3:13], labels[8, 8, 8] = 2, 3
    elif name == "touching border":
        labels[:] = 5
    else:
        labels[2:8, 2:8, 2:14], labels[8:14, 8:14, 2:14] = 5, 5
    mesh = mesh_labels(labels, np.eye(4), edge=1.5)
    assert_sound(mesh)
    assert len(non_manifold_edges(mesh.boundary())) == 0


def test_tissues_keep_their_volume_and_place():
    labels = nested()
    mesh = mesh_labels(labels, np.eye(4), edge=1.5)
    for tag, radius in ((1, 4.0), (2, 8.0), (3, 10.5)):
        enclosed = mesh.volumes[mesh.tags <= tag].sum()
        voxels = ((labels > 0) & (labels <= tag)).sum()
        # smoothing by a voxel and the bias of thin tissues move an interface by less than 0.15 voxel
        assert enclosed == pytest.approx(voxels, rel=3 * 0.15 / radius)
    nearest = labels[tuple(np.round(mesh.centroids).astype(int).T)]
    wrong = nearest != mesh.tags
    # elements cross voxel corners only where a voxel touches an interface
    assert mesh.volumes[wrong].sum() < 0.1 * mesh.volumes.sum()
    np.testing.assert_allclose(mesh.centroids.T @ mesh.volumes / mesh.volumes.sum(), 13.5, atol=0.05)


def test_elements_are_well_shaped():
    mesh = mesh_labels(nested(), np.eye(4), edge=1.5)
    assert smallest_dihedral_angles(mesh).min() > 10


@pytest.mark.parametrize(
    ("corner", "stride", "edge"), [((75, 66, 82), (2, 1, 1), 1.9), ((120, 33, 89), (1, 1, 2), 3.0)]
)
def test_no_sliver_is_left_flat_in_an_interface_of_oblong_voxels(corner, stride, edge):
    labels = example_images("colin27")["labels"].values
    block = labels[tuple(slice(c, c + 40 * s, s) for c, s in zip(corner, stride, strict=True))]
    mesh = mesh_labels(np.pad(block, 3), np.diag([*map(float, stride), 1.0]), edge=edge)
    assert smallest_dihedral_angles(mesh).min() > 12  # 5 and 9 degrees if every node stays on its interface


def test_outer_surface_of_a_ball_has_no_pits():
    mesh = mesh_labels(nested(), np.eye(4), edge=1.5)
    _, angles = bending_angles(mesh.boundary())
    # edges of 1.5 on a radius of 10 bend 9 degrees, voxel stairs add some
    assert angles.max() < 45


def test_depth_is_meshed_coarsely():
    labels = np.zeros((64, 64, 64), dtype=np.uint8)
    labels[ball(labels.shape, (32, 32, 32), 28)] = 5
    mesh = mesh_labels(labels, np.eye(4), edge=1.5)
    depth = 28 - np.linalg.norm(mesh.centroids - 32, axis=1)
    assert np.median(mesh.volumes[depth > 20]) > 10 * np.median(mesh.volumes[depth < 1])


def test_an_edge_can_be_wanted_for_one_tissue():
    labels = np.zeros((64, 64, 64), dtype=np.uint8)
    labels[ball(labels.shape, (32, 32, 32), 28)] = 5
    labels[ball(labels.shape, (32, 32, 32), 16)] = 1
    for edges, edge in (({}, 3.0), ({"white_matter": 2.9}, 1.5), ({"white_matter": 1.5, "bone": 4.0}, 1.5)):
        mesh = mesh_labels(labels, np.eye(4), edge=1.5, tissue_edges=edges)
        assert mesh.volumes.min() > 0
        deep = np.linalg.norm(mesh.centroids - 32, axis=1) < 10
        # a lattice cell of edge h holds 12 tetrahedra of h^3 / 12
        assert np.median(mesh.volumes[deep]) == pytest.approx(edge**3 / 12, rel=0.05)


@pytest.mark.parametrize(("edges", "word"), [({"white_matter": 1.0}, "at least"), ({"bones": 3.0}, "bones")])
def test_edges_that_cannot_be_are_refused(edges, word):
    with pytest.raises(InputError, match=word):
        mesh_labels(nested(), np.eye(4), edge=1.5, tissue_edges=edges)


def test_only_the_largest_piece_is_kept():
    labels = np.zeros((30, 16, 16), dtype=np.uint8)
    labels[2:16, 2:14, 2:14], labels[22:28, 4:10, 4:10] = 5, 5
    mesh = mesh_labels(labels, np.eye(4), edge=2.0)
    assert mesh.nodes[:, 0].max() < 18


# ---------------------------------------------------------------- where it lies


def turned(angle, axis):
    """Rotation by an angle (radian) about a coordinate axis."""
    i, j = [a for a in range(3) if a != axis]
    out = np.eye(3)
    out[i, i] = out[j, j] = np.cos(angle)
    out[i, j], out[j, i] = -np.sin(angle), np.sin(angle)
    return out


@pytest.mark.parametrize(
    "matrix",
    [
        np.diag([-1.0, 1.0, 1.0]),
        np.diag([0.8, 0.8, 0.8]),
        np.eye(3)[[2, 0, 1]] * 1.5,
        turned(0.4, 0) @ turned(-0.7, 2),
        turned(0.4, 0) @ np.diag([1.0, -1.3, 2.0]),
        np.array([[1.0, 0.3, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.2]]),
    ],
    ids=["mirrored", "fine", "permuted", "oblique", "oblique anisotropic mirrored", "sheared"],
)
def test_mesh_lies_where_the_affine_says(matrix):
    affine = np.eye(4)
    affine[:3, :3], affine[:3, 3] = matrix, (10, -20, 30)
    shape = (26, 30, 28)
    world = np.einsum("ab,bijk->aijk", matrix, np.indices(shape)) + affine[:3, 3].reshape(3, 1, 1, 1)
    center = affine[:3, :3] @ ((np.array(shape) - 1) / 2) + affine[:3, 3]
    radius = 8.0
    labels = np.where(((world - center.reshape(3, 1, 1, 1)) ** 2).sum(axis=0) < radius**2, 5, 0)
    mesh = mesh_labels(labels, affine, edge=1.8)
    assert mesh.volumes.min() > 0
    np.testing.assert_allclose(mesh.centroids.T @ mesh.volumes / mesh.volumes.sum(), center, atol=0.1)
    away = np.linalg.norm(mesh.boundary().points - center, axis=1)
    assert abs(away - radius).max() < 0.6 * np.linalg.norm(matrix, axis=0).max()


def test_edge_is_in_millimetres_not_voxels():
    labels = nested()
    fine = mesh_labels(labels, np.diag([2.0, 2.0, 2.0, 1.0]), edge=4.0)
    same = mesh_labels(labels, np.eye(4), edge=2.0)
    np.testing.assert_allclose(fine.nodes, 2 * same.nodes, atol=1e-9)


# ---------------------------------------------------------------- order and repeatability


def test_the_same_bits_for_any_number_of_threads():
    labels = nested()
    before = numba.get_num_threads()
    try:
        numba.set_num_threads(1)
        one = mesh_labels(labels, np.eye(4), edge=2.0)
        numba.set_num_threads(min(2, numba.config.NUMBA_NUM_THREADS))
        two = mesh_labels(labels, np.eye(4), edge=2.0)
    finally:
        numba.set_num_threads(before)
    assert (one.nodes == two.nodes).all()
    assert (one.tets == two.tets).all()
    assert (one.tags == two.tags).all()


def test_nodes_and_elements_follow_a_morton_curve():
    mesh = mesh_labels(nested(), np.eye(4), edge=2.0)
    assert (np.diff(morton_codes(mesh.nodes).astype(np.int64)) >= 0).all()
    assert (np.diff(morton_codes(mesh.nodes[mesh.tets].mean(axis=1)).astype(np.int64)) >= 0).all()


def test_morton_codes_interleave_bits():
    points = np.random.default_rng(1).normal(size=(200, 3))
    np.testing.assert_array_equal(morton_codes(points), reference.morton_codes(points))


def test_morton_order_of_a_cube_counts_its_corners():
    corners = np.stack(np.meshgrid([0.0, 1.0], [0.0, 1.0], [0.0, 1.0], indexing="ij"), axis=-1).reshape(-1, 3)
    shuffled = np.random.default_rng(2).permutation(corners)
    np.testing.assert_array_equal(shuffled[morton_order(shuffled)], corners)
    assert len(morton_order(np.empty((0, 3)))) == 0
    np.testing.assert_array_equal(morton_order(np.ones((3, 3))), [0, 1, 2])


def test_progress_rises_to_the_end():
    shares = []
    mesh_labels(nested(), np.eye(4), edge=3.0, progress=lambda share, what: shares.append(share))
    assert shares == sorted(shares)
    assert shares[0] >= 0
    assert shares[-1] <= 1


# ---------------------------------------------------------------- what is refused


def refused_inputs():
    """Labels, affine, edge, and a word of the refusal."""
    labels = nested()
    singular = np.diag([1.0, 1.0, 0.0, 1.0])
    return [
        (labels[0], np.eye(4), 2.0, "shape"),
        (labels.astype(float), np.eye(4), 2.0, "integers"),
        (labels * 0, np.eye(4), 2.0, "some tissue"),
        (np.where(labels == 3, 99, labels), np.eye(4), 2.0, "99"),
        (-labels, np.eye(4), 2.0, "-3"),
        (labels, singular, 2.0, "voxels of"),
        (labels, np.eye(3), 2.0, "4x4"),
        (labels, np.full((4, 4), np.nan), 2.0, "numbers up to"),
        (labels, np.eye(4), 0.0, "positive length"),
        (labels, np.eye(4), -1.0, "positive length"),
        (labels, np.eye(4), np.nan, "positive length"),
        (labels, np.eye(4), "fine", "positive length"),
        (labels, np.eye(4), 0.02, "use an edge of at least"),
    ]


@pytest.mark.parametrize(("labels", "affine", "edge", "word"), refused_inputs(), ids=lambda value: str(value)[:12])
def test_unusable_input_is_refused_in_one_line(labels, affine, edge, word):
    with pytest.raises(InputError, match=word) as refusal:
        mesh_labels(labels, affine, edge=edge)
    assert "\n" not in str(refusal.value)


def test_the_edge_named_in_the_refusal_is_accepted():
    with pytest.raises(InputError) as refusal:
        mesh_labels(nested(), np.eye(4), edge=0.02)
    assert float(str(refusal.value).split("at least ")[1].split(" mm")[0]) > 0.02


def test_fields_on_oblong_voxels_are_refused():
    with pytest.raises(InputError, match="cubic"):
        mesh_fields(np.zeros((2, 9, 9, 9)), np.diag([1.0, 1.0, 2.0, 1.0]), edge=2.0)


def test_a_head_of_one_voxel_is_refused():
    labels = np.zeros((9, 9, 9), dtype=np.uint8)
    labels[4, 4, 4] = 1
    with pytest.raises(InputError, match="tissue wider"):
        mesh_labels(labels, np.eye(4), edge=1.0)


def test_fields_without_tissue_are_refused():
    fields = np.stack([np.ones((9, 9, 9)), np.zeros((9, 9, 9))])
    with pytest.raises(InputError, match="tissue wider"):
        mesh_fields(fields, np.eye(4), edge=2.0)


# ---------------------------------------------------------------- kernels against their twins


def interpreted(kernel):
    """The Python source of a kernel."""
    return kernel.py_func


COMPILED = pytest.mark.parametrize("run", [lambda kernel: kernel, interpreted], ids=["compiled", "interpreted"])


@pytest.fixture(scope="module")
def rough():
    """Fields of three random labels on 8^3 voxels, and a two-level lattice cut along them but not smoothed."""
    rng = np.random.default_rng(5)
    fields = ndimage.gaussian_filter(rng.random((3, 12, 12, 12)), (0, 1.5, 1.5, 1.5)).astype(np.float32) * 10
    wanted = np.zeros((8, 8, 8), dtype=np.int8)
    wanted[4:] = 2
    nodes, tets = lattice(wanted, np.ones((8, 8, 8), dtype=bool), 1.4)
    return fields, nodes, tets


def test_lattice_fills_space_once():
    rng = np.random.default_rng(3)
    wanted = rng.integers(0, 4, (4, 4, 4)).repeat(8, 0).repeat(8, 1).repeat(8, 2).astype(np.int8)
    nodes, tets = lattice(wanted, np.ones((32, 32, 32), dtype=bool), 1.0)
    mesh = TetMesh(nodes, tets, np.ones(len(tets)))
    assert_sound(mesh)
    levels = balanced_levels(wanted)
    assert (levels <= wanted).all()
    assert len(np.unique(levels)) > 2
    # only the pyramids from leaf centres to the faces on the border are left open
    assert mesh.volumes.sum() == pytest.approx(32**3 - _border_volume(levels), rel=1e-12)


def _border_volume(levels):
    """Volume of the pyramids from leaf centres to the faces on the border: each finest face times half a leaf / 3."""
    total = 0.0
    for axis in range(3):
        for side in (0, -1):
            total += (2.0 ** levels.take(side, axis=axis) / 2 / 3).sum()
    return total


@COMPILED
def test_lattice_kernels(run):
    levels = np.zeros((4, 4, 4), dtype=np.int8)
    levels[2:] = 1
    active = np.ones(levels.shape, dtype=bool)
    numbers = np.full((9, 9, 9), -1, dtype=np.int32)
    run(mark_lattice_nodes)(levels, active, numbers)
    # 32 small leaves with 3x5x5 corners, 4 large with 9 more corners, and as many centres
    assert (numbers == 1).sum() == 75 + 9 + 32 + 4
    numbers[numbers > 0] = np.arange((numbers > 0).sum())
    count = run(emit_lattice_tetrahedra)(levels, active, numbers, np.empty((0, 4), np.int32))
    tets = np.empty((count, 4), np.int32)
    assert run(emit_lattice_tetrahedra)(levels, active, numbers, tets) == count
    volumes = abs(reference.volumes(np.argwhere(numbers >= 0) / 2, tets))
    assert volumes.min() > 0
    assert volumes.sum() == pytest.approx(64 - _border_volume(levels))


@COMPILED
def test_labels_at(run, rough):
    fields = rough[0]
    rng = np.random.default_rng(6)
    points, allowed = rng.uniform(0, 10.9, (60, 3)), rng.integers(1, 8, 60).astype(np.int32)
    out = np.empty(60, dtype=np.int8)
    run(labels_at)(fields, points, allowed, out)
    np.testing.assert_array_equal(out, reference.best_labels(fields, points, allowed))


@COMPILED
def test_cut_edges_lie_where_fields_are_equal(run, rough):
    fields, nodes, tets = rough
    labels = reference.best_labels(fields, nodes, np.full(len(nodes), 7))
    sets = (1 << labels).astype(np.int32)
    edges = np.array(sorted(reference.edges_without_common_label(tets, sets)), dtype=np.int32)[:80]
    place, one, two = np.empty(len(edges)), np.empty(len(edges), np.int8), np.empty(len(edges), np.int8)
    run(cut_edges)(fields, nodes, sets, edges, place, one, two)
    np.testing.assert_array_equal(one, labels[edges[:, 0]])
    np.testing.assert_array_equal(two, labels[edges[:, 1]])
    points = nodes[edges[:, 0]] + place[:, None] * (nodes[edges[:, 1]] - nodes[edges[:, 0]])
    index = np.arange(len(edges))
    values = np.stack([reference.sampled(field, points) for field in fields])
    # twelve halvings of an edge of 2.8 voxels, fields of slope below 3 per voxel
    assert abs(values[one, index] - values[two, index]).max() < 3 * 2.8 / 2**12


@COMPILED
def test_uncut_edges_and_bisection(run, rough):
    fields, nodes, tets = rough
    tets = tets[::7].copy()
    sets = (1 << reference.best_labels(fields, nodes, np.full(len(nodes), 7))).astype(np.int32)
    keys = np.empty(run(uncut_edge_keys)(tets, sets, np.empty(0, np.int64)), dtype=np.int64)
    run(uncut_edge_keys)(tets, sets, keys)
    keys = np.unique(keys)
    pairs = list(zip((keys >> 32).tolist(), (keys & 0xFFFFFFFF).tolist(), strict=True))
    assert set(pairs) == reference.edges_without_common_label(tets, sets)
    lengths = np.round(np.linalg.norm(nodes[[a for a, _ in pairs]] - nodes[[b for _, b in pairs]], axis=1), 6)
    new_nodes = np.arange(len(nodes), len(nodes) + len(keys), dtype=np.int32)
    on_cut = np.zeros(len(nodes) + len(keys), dtype=bool)
    on_cut[np.array(pairs).ravel()] = True
    count = run(bisect_tetrahedra)(tets, keys, lengths, new_nodes, on_cut, np.empty((0, 4), np.int32))
    out = np.empty((count, 4), np.int32)
    run(bisect_tetrahedra)(tets, keys, lengths, new_nodes, on_cut, out)
    expected = reference.bisected(tets, dict(zip(pairs, range(len(pairs)), strict=True)), lengths, new_nodes)
    assert sorted(map(tuple, out.tolist())) == sorted(map(tuple, expected.tolist()))


@COMPILED
def test_number_pieces(run, rough):
    tets = rough[2][np.random.default_rng(4).random(len(rough[2])) < 0.4]
    offsets, star = stars_of(tets, len(rough[1]))
    piece = np.full(len(tets), -1, np.int32)
    count = run(number_pieces)(tets, offsets, star, np.empty(len(tets), np.int32), piece)
    assert count == piece.max() + 1 > 1
    np.testing.assert_array_equal(piece, reference.piece_numbers(tets))


@COMPILED
def test_quality_and_orientation(run, rough):
    nodes, tets = rough[1], rough[2][:50].copy()
    found = [run(quality)(nodes, *tet) for tet in tets]
    np.testing.assert_allclose(found, reference.mean_ratio(nodes, tets), rtol=1e-12)
    regular = np.array([[1.0, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]])
    assert run(quality)(regular, 0, 1, 2, 3) == pytest.approx(1) or run(quality)(regular, 0, 1, 3, 2) == pytest.approx(
        1
    )
    mirrored = tets[:, [0, 1, 3, 2]].copy()
    run(orient)(nodes, mirrored)
    np.testing.assert_array_equal(mirrored, tets)


@COMPILED
def test_stars_and_label_sets(run, rough):
    tets = rough[2]
    offsets, star = stars_of(tets, len(rough[1]))
    labels = (np.arange(len(tets)) % 3).astype(np.int8)
    sets = np.zeros(len(rough[1]), dtype=np.int32)
    run(collect_label_sets)(tets, labels, sets)
    for node in range(0, len(rough[1]), 97):
        around = np.flatnonzero((tets == node).any(axis=1))
        np.testing.assert_array_equal(star[offsets[node] : offsets[node + 1]], around)
        assert sets[node] == sum(1 << label for label in set(labels[around].tolist()))


@pytest.mark.parametrize("kernel", [snap_nodes, smooth_nodes, polish_nodes, collapse_nodes], ids=lambda k: k.__name__)
def test_moving_kernels_improve_alike_compiled_and_interpreted(kernel, rough):
    results = [_moved(kernel, run, rough) for run in (lambda k: k, interpreted)]
    (nodes, tets, worst, before), (nodes_2, tets_2, _, _) = results
    np.testing.assert_allclose(nodes, nodes_2, atol=1e-9)
    np.testing.assert_array_equal(tets, tets_2)
    assert reference.volumes(nodes, tets).min() > 0
    if kernel is snap_nodes:
        assert worst >= 0.1  # its floor
        assert (nodes != rough[1]).any()
    elif kernel is polish_nodes:
        assert worst > before
    else:
        assert worst >= before


def _moved(kernel, run, rough):
    """Nodes, elements, worst quality after and before one kernel on the rough lattice."""
    fields, nodes, tets = rough[0], rough[1].copy(), rough[2]
    everything = np.full(len(nodes), 7, dtype=np.int32)
    if kernel is snap_nodes:
        labels = reference.best_labels(fields, nodes, everything)
        sets = (1 << labels).astype(np.int32)
        edges = np.array(sorted(reference.edges_without_common_label(tets, sets)), dtype=np.int32)
        place, one, two = np.empty(len(edges)), np.empty(len(edges), np.int8), np.empty(len(edges), np.int8)
        cut_edges(fields, nodes, sets, edges, place, one, two)
        offsets, star = stars_of(tets, len(nodes))
        before = reference.mean_ratio(nodes, tets).min()
        run(snap_nodes)(tets, offsets, star, edges, place, one, two, 0.36, 0.1, nodes, sets)
        return nodes, tets, reference.mean_ratio(nodes, tets).min(), before
    nodes, tets, _, labels = cut_lattice(fields, nodes, tets)
    sets = np.zeros(len(nodes), dtype=np.int32)
    collect_label_sets(tets, labels, sets)
    offsets, star = stars_of(tets, len(nodes))
    before = reference.mean_ratio(nodes, tets).min()
    if kernel is collapse_nodes:
        dead = np.zeros(len(tets), dtype=bool)
        tets = tets.copy()
        assert run(collapse_nodes)(nodes, labels + 1, offsets, star, sets << 1, 0.6, tets, dead) > 0
        tets = tets[~dead]
    elif kernel is smooth_nodes:
        run(smooth_nodes)(fields, tets, offsets, star, sets, 1, 0.6, 0.45, 0.75, 0.4, nodes)
    else:
        run(polish_nodes)(fields, tets, offsets, star, sets, 0.3, 1, 0.2, False, nodes)
    return nodes, tets, reference.mean_ratio(nodes, tets).min(), before


UPRIGHT = np.eye(3)


def shells(spacing, turned=UPRIGHT):
    """Concentric balls of white and grey matter, CSF, bone and scalp on voxels of a size; and the affine."""
    count = round(44 / spacing)
    affine = np.eye(4)
    affine[:3, :3] = turned * spacing
    affine[:3, 3] = -turned @ np.full(3, (count - 1) / 2 * spacing)
    places = (np.moveaxis(np.indices((count,) * 3), 0, -1) - (count - 1) / 2) * spacing
    radius = np.linalg.norm(places, axis=-1)
    labels = np.zeros(radius.shape, dtype=np.uint8)
    for tag, limit in ((5, 20.0), (4, 17.0), (3, 14.5), (2, 12.5), (1, 8.5)):
        labels[radius < limit] = tag
    return labels, affine


@pytest.mark.parametrize("factors", [(2, 2, 2), (3, 1, 2)])
def test_voxels_finer_than_the_mesh_can_show_are_taken_together(factors):
    """The same labels on split voxels give the same bits, for a split voxel's shares are those of the whole."""
    labels, affine = shells(1.0, np.array([[0, -1, 0], [1, 0, 0], [0, 0, 1.0]]))
    whole = mesh_labels(labels, affine, edge=1.9)
    split, finer = labels, affine @ np.diag([*(1 / np.array(factors)), 1.0])
    finer[:3, 3] += finer[:3, :3] @ ((1 - np.array(factors)) / 2)
    for axis, factor in enumerate(factors):
        split = split.repeat(factor, axis)
    made = mesh_labels(split, finer, edge=1.9)
    np.testing.assert_array_equal(made.tets, whole.tets)
    np.testing.assert_array_equal(made.tags, whole.tags)
    np.testing.assert_allclose(made.nodes, whole.nodes, atol=1e-9)


def test_finer_voxels_give_truer_volumes_in_the_same_memory():
    """Shares of 0.5 mm voxels know where within a millimetre an interface runs."""
    radii = {1: (0, 8.5), 2: (8.5, 12.5), 3: (12.5, 14.5), 4: (14.5, 17.0), 5: (17.0, 20.0)}
    errors = {}
    for spacing in (1.0, 0.5):
        labels, affine = shells(spacing)
        mesh = mesh_labels(labels, affine, edge=1.9)
        volumes = [mesh.volumes[mesh.tags == tag].sum() for tag in radii]
        truth = [4 / 3 * np.pi * (outer**3 - inner**3) for inner, outer in radii.values()]
        errors[spacing] = np.abs(np.array(volumes) / truth - 1)
        assert errors[spacing].max() < 0.05
    assert errors[0.5].mean() < 1.2 * errors[1.0].mean()


@pytest.mark.parametrize(
    ("spacing", "edge", "expected"),
    [
        (1.0, 1.9, 1), (1.0, 8.0, 1), (0.8, 1.9, 1), (0.5, 1.9, 2), (0.5, 4.0, 2), (0.5, 1.8, 1), (0.25, 1.9, 4),
        (0.25, 1.0, 2), (2.0, 1.9, 1),
    ],
)  # fmt: skip
def test_blocks_are_at_most_a_millimetre_and_a_part_of_the_edge(spacing, edge, expected):
    assert blocks_of(np.full(3, spacing), edge) == (expected,) * 3


def test_fields_of_fine_labels_take_the_memory_of_coarse_ones():
    peaks = {}
    for spacing in (1.0, 0.5):
        labels, affine = shells(spacing)
        blocks = blocks_of(np.full(3, spacing), 1.9)
        tracemalloc.start()
        indicator_fields(labels, np.unique(labels), affine, blocks)
        peaks[spacing] = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peaks[0.5] < 1.5 * peaks[1.0]  # eight times as much where every voxel has its own
