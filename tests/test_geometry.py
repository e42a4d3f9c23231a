"""Meshes, surfaces and the search for the element of a point."""

import numpy as np
import pytest
import reference_field as reference
from scipy.spatial import Delaunay

import neuro_field as nf
from neuro_field.errors import InputError
from neuro_field.geometry.locate import locate
from neuro_field.geometry.mesh import Surface, TetMesh

RNG = np.random.default_rng(12)


def oriented(nodes, tets):
    volumes = np.linalg.det(nodes[tets[:, 1:]] - nodes[tets[:, :1]])
    tets = np.where((volumes < 0)[:, None], tets[:, [0, 1, 3, 2]], tets)
    return tets[np.abs(volumes) > 1e-6]


def ball(count=150, radius=50.0):
    """A Delaunay mesh of a ball; the outer half of its radius has tag 2."""
    directions = RNG.normal(size=(count, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    nodes = np.concatenate([directions * radius, directions[::2] * radius * RNG.random((count // 2, 1))])
    tets = oriented(nodes, Delaunay(nodes).simplices)
    outer = np.linalg.norm(nodes[tets].mean(axis=1), axis=1) > radius / 2
    return TetMesh(nodes, tets, 1 + outer)


BALL = ball()
ONE = TetMesh(np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1.0]]), [[0, 1, 2, 3]], [1])


def enclosed(surface):
    """Volume inside a closed surface by Gauss' theorem, negative when it is inside out."""
    return np.einsum("fi,fi->", surface.points[surface.triangles[:, 0]], surface.area_vectors) / 3


def edge_counts(surface):
    edges = np.concatenate([surface.triangles[:, [0, 1]], surface.triangles[:, [1, 2]], surface.triangles[:, [2, 0]]])
    return np.unique(np.sort(edges, axis=1), axis=0, return_counts=True)[1]


def test_reference_tetrahedron_has_volume_one_sixth_and_four_faces_outwards():
    surface = ONE.boundary()
    assert ONE.volumes == pytest.approx([1 / 6], rel=1e-14)
    assert ONE.centroids.tolist() == [[0.25, 0.25, 0.25]]
    assert len(surface.triangles) == 4
    middle = surface.points[surface.triangles].mean(axis=1)
    assert (np.einsum("fi,fi->f", surface.area_vectors, middle - 0.25) > 0).all()
    assert surface.areas.sum() == pytest.approx(1.5 + np.sqrt(3) / 2)


@pytest.mark.parametrize("tag", [None, 1, 2])
def test_boundary_is_closed_outwards_and_holds_the_volume_of_its_elements(tag):
    mask = None if tag is None else BALL.tags == tag
    surface = BALL.boundary(mask)
    assert (edge_counts(surface) % 2 == 0).all()
    np.testing.assert_allclose(surface.area_vectors.sum(axis=0), 0, atol=1e-9)
    expected = BALL.volumes.sum() if mask is None else BALL.volumes[mask].sum()
    assert enclosed(surface) == pytest.approx(expected, rel=1e-12)


def test_boundary_vertices_are_mesh_nodes():
    nodes = {tuple(p) for p in BALL.nodes.tolist()}
    assert {tuple(p) for p in BALL.boundary().points.tolist()} <= nodes


def test_vertex_areas_sum_to_the_area():
    surface = BALL.boundary()
    assert surface.vertex_areas.sum() == pytest.approx(surface.areas.sum())
    np.testing.assert_allclose(np.linalg.norm(surface.vertex_normals, axis=1), 1)


def latitude_sphere(radius=80.0, rows=40):
    """A sphere of quadrangles cut in two, poles left open."""
    polar, around = np.meshgrid(np.linspace(0.1, np.pi - 0.1, rows), np.arange(2 * rows) * np.pi / rows, indexing="ij")
    points = radius * np.stack([np.sin(polar) * np.cos(around), np.sin(polar) * np.sin(around), np.cos(polar)], axis=2)
    index = np.arange(points[..., 0].size).reshape(polar.shape)
    a, b = index[:-1], index[1:]
    c, d = np.roll(b, -1, axis=1), np.roll(a, -1, axis=1)
    triangles = np.concatenate([np.stack([a, b, c], -1).reshape(-1, 3), np.stack([a, c, d], -1).reshape(-1, 3)])
    return Surface(points.reshape(-1, 3), triangles)


def test_smoothed_normal_of_a_sphere_is_its_radius():
    sphere = latitude_sphere()
    for direction in ([1.0, 0, 0], [0, -1.0, 0], [0.6, 0, 0.8], [-0.48, 0.64, 0.6]):
        normal = sphere.smoothed_normal(np.multiply(direction, 85.0))
        # the patch is centred at the nearest vertex, up to half a spacing (3 mm of 80) from the point
        assert np.degrees(np.arccos(normal @ direction)) < 3.5


def test_smoothed_normal_ignores_the_other_side_of_a_thin_sheet():
    x, y = np.meshgrid(np.arange(-30.0, 31, 3), np.arange(-30.0, 31, 3), indexing="ij")
    index = np.arange(x.size).reshape(x.shape)
    a, b, c, d = index[:-1, :-1], index[1:, :-1], index[1:, 1:], index[:-1, 1:]
    up = np.concatenate([np.stack([a, b, c], -1).reshape(-1, 3), np.stack([a, c, d], -1).reshape(-1, 3)])
    top = np.stack([x.ravel(), y.ravel(), np.full(x.size, 2.0)], axis=1)
    sheet = Surface(np.concatenate([top, top - [0, 0, 4]]), np.concatenate([up, up[:, ::-1] + x.size]))
    np.testing.assert_allclose(sheet.smoothed_normal([0, 0, 10]), [0, 0, 1], atol=1e-12)
    np.testing.assert_allclose(sheet.smoothed_normal([0, 0, -10]), [0, 0, -1], atol=1e-12)


def test_largest_piece_leaves_the_smaller_one_behind():
    big, small = ONE.boundary(), ONE.boundary()
    both = Surface(
        np.concatenate([small.points * 0.5 + 9, big.points]), np.concatenate([small.triangles, big.triangles + 4])
    )
    piece = both.largest_piece()
    assert piece.areas.sum() == pytest.approx(big.areas.sum())
    assert len(piece.points) == 4


def test_located_points_are_the_weighted_mean_of_their_nodes():
    elements = RNG.integers(0, len(BALL.tets), 300)
    points = np.einsum("ma,mac->mc", RNG.dirichlet(np.ones(4), 300), BALL.nodes[BALL.tets[elements]])
    found, shares = locate(BALL, points)
    assert (found >= 0).all()
    np.testing.assert_allclose(shares.sum(axis=1), 1, rtol=1e-12)
    assert shares.min() >= -1e-9
    np.testing.assert_allclose(np.einsum("ma,mac->mc", shares, BALL.nodes[BALL.tets[found]]), points, atol=1e-9)
    np.testing.assert_array_equal(found, elements)


def test_location_agrees_with_its_slow_twin_also_outside_and_on_nodes():
    points = np.concatenate([RNG.uniform(-60, 60, (40, 3)), BALL.nodes[:20], BALL.centroids[:5]])
    found, shares = locate(BALL, points)
    expected, expected_shares = reference.locate(BALL.nodes, BALL.tets, points)
    assert -1 in expected
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_allclose(shares, expected_shares, atol=1e-8)


def test_points_on_a_lattice_of_shared_faces_are_all_found():
    steps = np.arange(0.0, 1.01, 0.1)  # decimal steps, where floor(x / c) and x // c differ
    corners = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [1, 1, 0], [0, 0, 1], [1, 0, 1], [0, 1, 1], [1, 1, 1.0]])
    paths = [[0, 1, 3, 7], [0, 1, 5, 7], [0, 2, 3, 7], [0, 2, 6, 7], [0, 4, 5, 7], [0, 4, 6, 7]]
    tets = oriented(corners, np.array(paths))
    for scale in (1.0, 7.0, 100.0):
        mesh = TetMesh(corners * scale, tets, np.ones(6))
        points = scale * np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(-1, 3)
        assert (locate(mesh, np.minimum(points, scale))[0] >= 0).all()


def test_no_points_and_far_points_are_no_trouble():
    found, shares = locate(BALL, np.empty((0, 3)))
    assert found.shape == (0,)
    assert shares.shape == (0, 4)
    assert locate(BALL, [[1e6, 0, 0], [0, 0, 0]])[0].tolist()[0] == -1


@pytest.mark.parametrize(
    ("nodes", "tets", "tags", "message"),
    [
        (np.zeros((4, 2)), [[0, 1, 2, 3]], [1], r"nodes of TetMesh must have shape \(n, 3\)"),
        (ONE.nodes, [[0, 1, 2]], [1], r"tets of TetMesh must have shape \(t, 4\)"),
        (ONE.nodes, np.empty((0, 4)), [], r"tets of TetMesh must have shape \(t, 4\)"),
        (ONE.nodes, [[0, 1, 2, 3]], [1, 2], r"tags of TetMesh must have shape \(1,\)"),
        (ONE.nodes, [[0, 1, 2, 4]], [1], "must index its 4 nodes; instead indices run from 0 to 4"),
        (ONE.nodes, [[-1, 1, 2, 3]], [1], "from -1 to 3"),
        (ONE.nodes * [np.nan, 1, 1], [[0, 1, 2, 3]], [1], "must be finite; instead 4 are not, the first is 0"),
    ],
)
def test_meshes_refuse_bad_input(nodes, tets, tags, message):
    with pytest.raises(InputError, match=message):
        TetMesh(nodes, tets, tags)


@pytest.mark.parametrize(
    ("points", "triangles", "message"),
    [
        (np.zeros((3, 2)), [[0, 1, 2]], r"points of Surface must have shape \(m, 3\)"),
        (np.zeros((3, 3)), [[0, 1, 2, 0]], r"triangles of Surface must have shape \(f, 3\)"),
        (np.zeros((3, 3)), [[0, 1, 3]], "must index its 3 points"),
    ],
)
def test_surfaces_refuse_bad_input(points, triangles, message):
    with pytest.raises(InputError, match=message):
        Surface(points, triangles)


@pytest.mark.parametrize("points", [[[np.nan, 0, 0]], [[0, 0]], "here"])
def test_locate_refuses_what_is_not_points(points):
    with pytest.raises(InputError, match="points of locate"):
        locate(BALL, points)


def test_arrays_of_a_mesh_cannot_be_written_and_are_not_the_callers():
    nodes = np.array(ONE.nodes)
    mesh = TetMesh(nodes, [[0, 1, 2, 3]], [1])
    nodes[0] = 7.0
    assert mesh.nodes[0].tolist() == [0, 0, 0]
    for array in (mesh.nodes, mesh.tets, mesh.tags, mesh.volumes, mesh.boundary().points):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0


def test_a_stray_point_does_not_slow_or_swell_the_search():
    """Points far outside lie in no element, and bins do not stretch to them."""
    mesh = nf.sphere_head((70, 80, 90), edge=9.0).mesh
    points = np.array([[0.0, 0.0, 60.0], [10.0, 20.0, 30.0], [9e8, 0.0, 0.0], [0.0, -9e8, 5.0]])
    elements, shares = locate(mesh, points)
    alone = locate(mesh, points[:2])
    assert elements[:2].tolist() == alone[0].tolist()
    assert np.array_equal(shares[:2], alone[1])
    assert elements[2:].tolist() == [-1, -1]


@pytest.mark.parametrize("turn", [np.eye(3), np.array([[0, 1, 0], [-0.6, 0, 0.8], [0.8, 0, 0.6]])])
def test_a_surface_knows_what_it_encloses(turn):
    """A ball with a bite: within its hull is not within it."""
    mesh = nf.sphere_head((70, 80, 90), edge=9.0).mesh
    bitten = mesh.boundary(np.linalg.norm(mesh.centroids - [60.0, 0.0, 0.0], axis=1) > 45.0)
    surface = Surface(bitten.points @ turn.T, bitten.triangles)
    points = np.array([[0, 0, 0], [60, 0, 0], [0, 0, 85], [0, 0, 95], [0, -80, 0], [-88.0, 0, 0]]) @ turn.T
    assert surface.encloses(points).tolist() == [True, False, True, False, True, True]
    assert surface.within_hull(points).tolist() == [True, True, True, False, True, True]


def test_the_nearest_point_of_a_surface_is_as_near_as_any():
    surface = nf.sphere_head((70, 80, 90), edge=9.0).scalp
    corners = surface.points[surface.triangles]
    for point in np.random.default_rng(3).normal(size=(20, 3)) * 80:
        found = surface.nearest(point)
        weights = np.random.default_rng(4).dirichlet((1, 1, 1), 20)
        every = np.einsum("qc,tcx->tqx", weights, corners).reshape(-1, 3)
        assert np.linalg.norm(found - point) <= np.linalg.norm(every - point, axis=1).min() + 1e-9
