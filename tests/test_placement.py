"""Placements: frames and signs from anatomy, refusals, mirror images, casings that clear the scalp."""

import numpy as np
import pytest

from neuro_field.coil.bearing import bearing
from neuro_field.coil.coil import Coil
from neuro_field.coil.fit import CasingFace, lifts_to_clear
from neuro_field.coil.placement import Placement
from neuro_field.coil.winding import Winding
from neuro_field.errors import InputError
from neuro_field.geometry.mesh import Surface
from neuro_field.kernels.clearance import lifts

RADIUS = 90.0
FLAT = Winding(tuple(range(28, 45, 2)), (9.37,), ((-45.0, -1), (45.0, 1)))
CONE = Winding(
    tuple(np.linspace(49, 61, 7)), (6.0,), ((-60.0, 1), (60.0, -1)), bend_angle=40, bend_start=6, bend_radius=6
)


def sphere(radius=RADIUS, rings=61):
    """A closed sphere of triangles, normals outwards."""
    polar, around = np.linspace(0, np.pi, rings)[1:-1], 2 * np.pi * np.arange(2 * rings) / (2 * rings)
    p, a = np.meshgrid(polar, around, indexing="ij")
    points = np.stack([np.sin(p) * np.cos(a), np.sin(p) * np.sin(a), np.cos(p)], axis=-1).reshape(-1, 3)
    points = radius * np.concatenate([points, [[0, 0, 1.0], [0, 0, -1.0]]])
    n, rows, triangles = len(around), len(polar), []
    for i in range(rows - 1):
        for j in range(n):
            a, b, c, d = i * n + j, i * n + (j + 1) % n, (i + 1) * n + j, (i + 1) * n + (j + 1) % n
            triangles += [[a, c, b], [b, c, d]]
    for j in range(n):
        last = (rows - 1) * n
        triangles += [[rows * n, j, (j + 1) % n], [rows * n + 1, last + (j + 1) % n, last + j]]
    return Surface(points, np.array(triangles))


SCALP = sphere()
LEFT_M1 = np.array([-45.0, -5.0, 75.0])
BACK_LEFT = LEFT_M1 + np.array([-60, -60, 0])


def coil(winding, name="c"):
    return Coil(name, (winding.dipoles(),), casing=winding.casing())


def test_left_motor_cortex_with_the_handle_back_and_lateral():
    """The textbook pose: on the left at 45 degrees the coil's y points to the front and the right."""
    p = Placement.on(SCALP, above=LEFT_M1, handle_towards=BACK_LEFT)
    y = p.head_from_coil[:3, 1]
    assert y[0] > 0.5
    assert y[1] > 0.5
    np.testing.assert_allclose(p.handle_direction, -y)
    assert p.axis @ (0 - p.center) > 0  # z points into the head
    assert bearing(p.handle_direction, -p.axis)[:2] == ("back", "left")


def test_centre_stands_its_gap_outside_the_scalp():
    for gap in (0.0, 4.0, 10.0):
        p = Placement.on(SCALP, above=LEFT_M1, handle_towards=[-200, -200, 0], gap=gap)
        # the sphere of triangles lies up to radius * (pi / 120)^2 = 0.07 mm inside the round one
        assert np.linalg.norm(p.center) == pytest.approx(RADIUS + gap, abs=0.1)
        np.testing.assert_allclose(p.center / np.linalg.norm(p.center), LEFT_M1 / np.linalg.norm(LEFT_M1), atol=0.01)


def test_axes_are_a_right_handed_frame():
    p = Placement.on(SCALP, above=LEFT_M1, handle_towards=[-200, -200, 0])
    x, y, z = p.head_from_coil[:3, :3].T
    np.testing.assert_allclose(np.cross(y, z), x, atol=1e-12)


def test_points_go_to_the_head_and_back():
    p = Placement.on(SCALP, above=LEFT_M1, handle_towards=[-200, -200, 0])
    points = np.random.default_rng(1).uniform(-100, 100, (20, 3))
    np.testing.assert_allclose(p.coil_points(p.head_points(points)), points, atol=1e-10)
    np.testing.assert_allclose(p.head_points([[0, -1.0, 0]])[0] - p.center, p.handle_direction, atol=1e-12)
    np.testing.assert_allclose(p.coil_points([[0, 0, 0]])[0, :2], 0, atol=4)  # normals of 5 mm triangles: 2 degrees


def test_initial_field_direction_turns_with_the_coil():
    figure_8 = coil(FLAT)
    p = Placement.on(SCALP, above=LEFT_M1, handle_towards=BACK_LEFT)
    np.testing.assert_allclose(p.initial_e_direction(figure_8), -p.handle_direction, atol=1e-6)
    np.testing.assert_allclose(p.initial_e_direction(figure_8.reversed_current()), p.handle_direction, atol=1e-6)


def test_moves_are_along_the_coils_own_axes():
    p = Placement.on(SCALP, above=LEFT_M1, handle_towards=[-200, -200, 0])
    x, y, z = p.head_from_coil[:3, :3].T
    np.testing.assert_allclose(p.moved(2, -3, 4).center - p.center, 2 * x - 3 * y + 4 * z, atol=1e-12)
    np.testing.assert_allclose(p.moved(turned=90).head_from_coil[:3, 0], y, atol=1e-12)
    np.testing.assert_allclose(p.moved(turned=90).head_from_coil[:3, 2], z, atol=1e-12)
    np.testing.assert_allclose(p.moved(tilted_x=90).head_from_coil[:3, 1], z, atol=1e-12)
    np.testing.assert_allclose(p.moved(tilted_y=90).head_from_coil[:3, 2], x, atol=1e-12)
    back = p.moved(turned=30).moved(turned=-30)
    np.testing.assert_allclose(back.head_from_coil, p.head_from_coil, atol=1e-12)


def test_mirrored_placement_gives_the_mirrored_field():
    p = Placement.on(SCALP, above=LEFT_M1, handle_towards=BACK_LEFT)
    q = p.mirrored()
    mirror = np.array([-1.0, 1, 1])
    for name in ("center", "handle_direction", "axis"):
        np.testing.assert_allclose(getattr(q, name), getattr(p, name) * mirror, atol=1e-12)
    np.testing.assert_allclose(q.head_from_coil[:3, 0], -p.head_from_coil[:3, 0] * mirror, atol=1e-12)
    figure_8, points = coil(FLAT), np.random.default_rng(2).uniform(-40, 40, (10, 3))
    here = figure_8.dadt(p.coil_points(points)) @ p.head_from_coil[:3, :3].T
    there = figure_8.dadt(q.coil_points(points * mirror)) @ q.head_from_coil[:3, :3].T
    np.testing.assert_allclose(there, here * mirror, atol=1e-12 * np.abs(here).max())
    np.testing.assert_allclose(q.mirrored().head_from_coil, p.head_from_coil, atol=1e-12)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (lambda m: m @ np.diag([1.1, 1.1, 1.1, 1]), "scaled"),
        (lambda m: m @ np.diag([-1.0, 1, 1, 1]), "mirrored"),
        (lambda m: m + np.eye(4)[[1, 0, 2, 3]] * [[0.05], [0], [0], [0]], "sheared|scaled"),
        (lambda m: m * np.nan, "finite"),
        (lambda m: m[:3], "4x4"),
    ],
)
def test_matrix_that_is_no_pose_is_refused(change, word):
    with pytest.raises(InputError, match=word):
        Placement(change(np.eye(4)))


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"handle_towards": 3 * LEFT_M1}, "straight"),
        ({"above": [0, 0, 400]}, "mm away"),
        ({"gap": -1.0}, "0 to 100 mm"),
        ({"above": [0, 0]}, "three"),
        ({"scalp": Surface(SCALP.points, SCALP.triangles[:, ::-1])}, "outwards"),
    ],
)
def test_doubtful_placements_are_refused(keywords, message):
    with pytest.raises(InputError, match=message):
        Placement.on(**({"scalp": SCALP, "above": LEFT_M1, "handle_towards": [-200, -200, 0]} | keywords))


def lift(made, placement, clearance=0.0):
    return float(lifts_to_clear(SCALP.points, made.casing, placement.head_from_coil[None], clearance)[0])


def test_flat_casing_touches_a_sphere_at_its_centre_only():
    p = Placement.on(SCALP, above=LEFT_M1, handle_towards=[-200, -200, 0], gap=3.0)
    assert lift(coil(FLAT), p) == 0.0
    # moved 5 mm inwards from 3 mm out it is 2 mm inside; vertices lie up to 2.4 mm beside the axis: 0.1 mm lower
    assert lift(coil(FLAT), p.moved(along_z=5.0)) == pytest.approx(2.0, abs=0.1)


def test_double_cone_is_lifted_by_its_wings():
    """Wings at 40 degrees touch a sphere of radius R where its centre is R / cos 40 below the edge of the V."""
    cone, radius = coil(CONE), 90.0
    p = Placement.on(SCALP, above=[0, 0, 90], handle_towards=[0, -200, 90], gap=0.0)
    edge = CONE.bent(np.array([60.0]), np.zeros(1), 0.0)[0]
    v_depth = edge[2] - edge[0] * np.tan(np.deg2rad(40))  # where the wings' planes would meet, on the axis
    expected = radius / np.cos(np.deg2rad(40)) + v_depth - radius
    assert v_depth < 0
    found = lift(cone, p)
    assert found == pytest.approx(expected, abs=1.7)  # squares of 2 mm on a slope of 40 degrees: 2 tan 40
    assert found >= expected - 0.2
    lifted = Placement.on(SCALP, above=[0, 0, 90], handle_towards=[0, -200, 90], gap=2.0, coil=cone)
    assert lift(cone, lifted) == 0.0
    assert lift(cone, lifted, clearance=2.5) == pytest.approx(0.5, abs=1e-9)


def test_many_lifts_are_the_lifts_of_each():
    p = Placement.on(SCALP, above=LEFT_M1, handle_towards=[-200, -200, 0], gap=0.0)
    poses = [p.moved(along_z=depth, turned=angle, tilted_x=angle / 9) for depth in (-2, 3) for angle in (0, 50, 90)]
    matrices = np.array([pose.head_from_coil for pose in poses])
    cone = coil(CONE)
    many = lifts_to_clear(SCALP.points, cone.casing, matrices)
    np.testing.assert_array_equal(many, [lift(cone, pose) for pose in poses])
    assert len(set(many.round(6))) > 1


def test_clearance_kernel_agrees_with_its_slow_twin():
    face = CasingFace.of(CONE.casing())
    p = Placement.on(SCALP, above=LEFT_M1, handle_towards=[-200, -200, 0], gap=0.0).moved(turned=20, tilted_y=8)
    local = p.coil_points(SCALP.points[::7])
    cells = np.floor((local[:, :2] - face.low) / 2.0).astype(int)
    inside = ((cells >= 0) & (cells < face.heights.shape)).all(axis=1)
    slow = np.nanmax(face.heights[tuple(cells[inside].T)] - local[inside, 2])
    for kernel in (lifts, lifts.py_func):
        out = np.empty(1)
        kernel(
            np.array(SCALP.points[::7]),
            p.head_from_coil[None].copy(),
            np.array(face.heights),
            np.array(face.low),
            2.0,
            out,
        )
        assert out[0] == pytest.approx(slow, abs=1e-9)


def test_direction_without_a_bearing_is_refused():
    with pytest.raises(InputError, match="straight along"):
        bearing([0, 0, 2], [0, 0, 1])
    with pytest.raises(InputError, match="direction"):
        bearing([0, 0, 0])


def test_a_pose_read_again_is_the_same_to_the_bit():
    rng = np.random.default_rng(11)
    for _ in range(200):
        matrix = np.eye(4)
        matrix[:3, :3] = np.linalg.qr(rng.normal(size=(3, 3)))[0]
        matrix[:3, :3] *= np.sign(np.linalg.det(matrix[:3, :3]))
        matrix[:3, 3] = rng.normal(size=3) * 90
        once = Placement(np.round(matrix, 6)).head_from_coil
        np.testing.assert_array_equal(Placement(once).head_from_coil, once)
