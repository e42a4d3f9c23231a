"""The search: charges in place of sums over nodes, coils that turn, tables, positions, lifts and finer steps."""

from dataclasses import replace

import numba
import numpy as np
import pytest
import reference_search as reference
from scipy.spatial import Delaunay
from tests_support import all_threads, small_head

import neuro_field as nf
from neuro_field.aim.scalp import anatomical_axes, around, smoothed_normals
from neuro_field.coil.fit import CasingFace, lifts_to_clear, lifts_while_turning
from neuro_field.field.treecode import Treecode
from neuro_field.head.mapping import AffineMapping
from neuro_field.head.sphere import sphere_head
from neuro_field.kernels import charges as charge_kernel
from neuro_field.kernels import clearance, faces, patches, table, turning
from neuro_field.reciprocity.charges import Charges
from neuro_field.reciprocity.response import responses
from neuro_field.reciprocity.table import Table
from neuro_field.reciprocity.turning import Families, Turning
from neuro_field.search.candidates import Grid, candidates, finer
from neuro_field.units import MU0_OVER_4PI, metres

both_ways = pytest.mark.parametrize("compiled", [True, False], ids=["compiled", "python"])
RNG = np.random.default_rng(2)


def either(kernel, compiled):
    return kernel if compiled else kernel.py_func


@pytest.fixture(scope="module")
def head():
    return small_head()


@pytest.fixture(scope="module")
def coil():
    return nf.load_coil("figure8-70mm")


@pytest.fixture(scope="module")
def simple(coil):
    return coil.simplified(error=5e-3)


@pytest.fixture(scope="module")
def target(head):
    return nf.Target.ball(head, (40, -20, 52), radius=8)


@pytest.fixture(scope="module")
def choices(head, coil, target):
    return candidates(head, coil, target, Grid(radius=15, spacing=7.5, angle_step=15))


@pytest.fixture(scope="module")
def charges(head, target):
    """Of a solenoidal current that is none of a head's: a ring of four dipoles' worth of loops under the target."""
    turn = 2 * np.pi * np.arange(24) / 24
    ring = target.center + 4.0 * np.stack([np.cos(turn), np.sin(turn), 0 * turn], axis=1)
    along = np.stack([-np.sin(turn), np.cos(turn), 0 * turn], axis=1)
    other = target.center + 4.0 * np.stack([0 * turn, np.cos(turn), np.sin(turn)], axis=1)
    across = np.stack([0 * turn, -np.sin(turn), np.cos(turn)], axis=1)
    nothing = np.zeros_like(along)
    weights = np.stack([np.concatenate([along, nothing]), np.concatenate([nothing, across])], axis=1)
    tree = Treecode.of(metres(np.concatenate([ring, other])), weights)
    return Charges.fitted(head.scalp, target.center[None], tree), tree


@both_ways
def test_fields_of_charges_add_up(compiled):
    points, places, strengths = RNG.normal(size=(70, 3)) + 5, RNG.normal(size=(6, 3)), RNG.normal(size=(6, 3))
    out = np.empty((70, 3, 3))
    either(charge_kernel.charge_fields, compiled)(points, places, strengths, out)
    assert np.allclose(out, reference.charge_fields(points, places, strengths), rtol=1e-12)


@both_ways
def test_a_coils_potential_adds_up_and_is_what_its_charges_feel(compiled):
    points, positions, moments = RNG.normal(size=(9, 3)) + 5, RNG.normal(size=(4, 3)), RNG.normal(size=(4, 3))
    out = np.empty(9)
    either(turning.coil_potential, compiled)(points, positions, moments, out)
    assert np.allclose(out, reference.coil_potential(points, positions, moments), rtol=1e-12)
    strengths = RNG.normal(size=(9, 1))  # charge times potential of the dipoles is moment times field of the charges
    field = reference.charge_fields(positions, points, strengths)[..., 0]
    assert out @ strengths[:, 0] == pytest.approx((field * moments).sum(), rel=1e-12)


@both_ways
def test_mean_magnitude_is_the_mean_of_magnitudes(compiled):
    coefficients, basis, roots = RNG.normal(size=(70, 3)), RNG.normal(size=(3, 3, 11)), RNG.random(11)
    out = np.empty(70)
    either(table.mean_magnitude, compiled)(coefficients, basis, roots, out)
    assert np.allclose(out, reference.mean_magnitude(coefficients, basis, roots), rtol=1e-13)


@both_ways
def test_interpolation_is_exact_for_cubics(compiled):
    spacing, origin = 2.0, np.array([-9.0, -9.0, -9.0])
    grid = origin + spacing * np.argwhere(np.ones((10, 10, 10), dtype=bool))

    def cubic(x):
        return np.stack([x[:, 0] ** 3 - x[:, 1] * x[:, 2], x[:, 2] ** 2, 1 + x[:, 0]], axis=1)

    values = np.ascontiguousarray(cubic(grid)[:, :, None])
    row = np.arange(1000, dtype=np.int32).reshape(10, 10, 10)
    places, moments = RNG.uniform(-3, 3, (5, 3)), RNG.normal(size=(5, 3))
    out = np.empty((1, 1))
    either(table.contract, compiled)(
        np.eye(3)[None], np.zeros((1, 3)), places, moments, origin, spacing, row, values, out
    )
    assert out[0, 0] == pytest.approx((cubic(places) * moments).sum(), rel=1e-12)
    cells = np.zeros((10, 10, 10), dtype=bool)
    either(table.mark, compiled)(np.eye(3)[None], np.zeros((1, 3)), places[:1], origin, spacing, cells)
    assert np.argwhere(cells).tolist() == [((places[0] - origin) // spacing).astype(int).tolist()]


@both_ways
def test_patches_have_the_smoothed_normals_of_the_surface(head, compiled):
    scalp = head.scalp
    chosen = np.arange(0, len(scalp.points), 400 if compiled else 2500)
    given = np.array(scalp.points), np.array(scalp.vertex_normals), np.array(scalp.vertex_areas)
    normals, even = np.empty((len(chosen), 3)), np.empty(len(chosen))
    either(patches.patch_normals, compiled)(chosen, *given, 15.0, normals, even)
    expected = reference.patch_normals(chosen, *given, 15.0)
    assert np.allclose(normals, expected[0], atol=1e-12)
    assert np.allclose(even, expected[1], atol=1e-12)
    assert np.allclose(normals[0], scalp.smoothed_normal(scalp.points[chosen[0]]), atol=1e-12)


@both_ways
def test_elements_that_share_a_face_are_counted(compiled):
    points = RNG.normal(size=(12, 3))
    tets = Delaunay(points).simplices
    tets = np.ascontiguousarray(np.concatenate([tets, tets[:2, [1, 0, 2, 3]]]), dtype=np.int32)  # two of them twice
    tets.flags.writeable = False
    counts, slots = np.zeros(13, dtype=np.int64), np.empty(4 * len(tets), dtype=np.int32)
    others, shared = np.empty((4 * len(tets), 2), dtype=np.int32), np.empty(4 * len(tets), dtype=np.uint8)
    either(faces.sorted_into_bins, compiled)(tets, counts, others, slots)
    either(faces.sharers, compiled)(counts, others, slots, shared)
    assert np.array_equal(shared.reshape(-1, 4), reference.sharers_of_faces(tets))


def test_an_ear_is_less_even_than_the_vertex(head):
    scalp = head.scalp
    top = scalp.points[np.argmax(scalp.points[:, 2])]
    assert smoothed_normals(scalp, top[None])[1][0] > 0.97
    lobe = nf.sphere_head((6, 7), edge=4.0)  # as small as an ear's: its sides cancel
    assert smoothed_normals(lobe.scalp, lobe.scalp.points[:3])[1].max() < 0.1


def test_charges_have_the_field_of_the_currents_they_stand_for(charges, choices, simple):
    made, tree = charges
    poses = choices.head_from_coil[::150]
    sums = []
    for pose in poses:
        places = nf.Placement(pose).head_points(simple.dipoles[0])
        exact = MU0_OVER_4PI * np.moveaxis(tree.magnetic_sum(metres(places), opening=0.1), 2, 1)
        assert np.abs(made.field(places) - exact).max() < 1e-2 * np.abs(exact).max()
        sums.append(np.einsum("sd,sdk->k", simple.dipoles[1] @ pose[:3, :3].T, exact))
    found = own_sums(made, poses, simple)
    assert np.abs(found - sums).max() < 1e-3 * np.abs(sums).max()


def test_charges_lie_beneath_the_scalp(head, charges):
    distance, nearest = head.scalp.tree.query(charges[0].places)
    outwards = np.einsum("ji,ji->j", charges[0].places - head.scalp.points[nearest], head.scalp.vertex_normals[nearest])
    assert distance.min() > 5
    assert (outwards < 0).all()


def own_sums(charges, poses, coil):
    """Moment . Q over all dipoles of every pose, term by term."""
    out = []
    for pose in poses:
        positions, moments = coil.dipoles
        field = charges.field(nf.Placement(pose).head_points(positions))
        out.append(np.einsum("sd,sdk->k", moments @ pose[:3, :3].T, field))
    return np.array(out)


def test_the_table_answers_as_the_charges_do_and_grows(charges, choices, simple):
    made = Table(charges[0])
    near, far = choices.head_from_coil[:40:7], choices.head_from_coil[-40::7]
    for poses in (near, far, near):
        found = made.contracted(poses, *simple.dipoles)
        exact = own_sums(charges[0], poses, simple)
        assert np.abs(found - exact).max() < 1e-3 * np.abs(exact).max()
    filled = len(made.values)
    made.contracted(far, *simple.dipoles)
    assert len(made.values) == filled


@pytest.mark.parametrize("name", ["figure8-70mm", "circular-90mm"])
def test_turned_coils_are_answered_together_as_one_by_one(head, charges, target, name):
    coil = replace(nf.load_coil(name).simplified(error=5e-3), declared_symmetry="none")  # every turn is asked for
    poses = candidates(head, coil, target, Grid(radius=10, spacing=5, angle_step=15, gaps=(9.0,))).head_from_coil
    made = Turning(charges[0], *coil.dipoles)
    sums, found = made.sums(poses)
    assert found.all()
    exact = own_sums(charges[0], poses[::37], coil)
    assert np.abs(sums[::37] - exact).max() < 1e-3 * np.abs(exact).max()


def test_a_figure_of_eight_needs_odd_harmonics_only_and_a_general_coil_others(charges, choices, simple):
    poses = choices.head_from_coil[::24]
    made = Turning(charges[0], *simple.dipoles)
    made.sums(choices.head_from_coil)
    assert (made._needed(poses) % 2 == 1).all()
    positions, moments = simple.dipoles
    one_wing = positions[:, 0] > 0
    other = Turning(charges[0], positions[one_wing], moments[one_wing])
    other.sums(choices.head_from_coil)
    needed = other._needed(poses)
    assert 0 in needed
    assert 2 in needed


def test_poses_alone_on_their_axes_are_left_to_the_table(charges, choices, simple):
    sums, found = Turning(charges[0], *simple.dipoles).sums(choices.head_from_coil[::24])
    assert not found.any()
    assert sums.shape == (len(found), 2)


def test_a_coil_whose_wings_sweep_through_the_head_is_left_to_the_table(head, charges, target):
    coil = nf.load_coil("double-cone").simplified(error=5e-3)
    poses = candidates(head, coil, target, Grid(radius=10, spacing=5, angle_step=15)).head_from_coil
    deep = np.array(poses)
    deep[:, :3, 3] += 25.0 * deep[:, :3, 2]
    _, found = Turning(charges[0], *coil.dipoles).sums(deep)
    assert not found.all()


def test_families_are_runs_on_one_axis(choices):
    families = Families.of(choices.head_from_coil)
    assert np.array_equal(families.family, choices.positions)
    assert np.allclose(families.lifts, choices.lifts - choices.lifts[families.first[families.family]], atol=1e-9)
    turn = np.radians(choices.angles)
    assert np.allclose(np.cos(families.angles), np.cos(turn), atol=1e-9)
    assert np.allclose(np.sin(families.angles), np.sin(turn), atol=1e-9)


@both_ways
def test_series_and_polynomials_are_evaluated(compiled):
    families, angles, lifts = np.array([0, 0, 1]), np.array([0.3, 1.0, 2.0]), np.array([0.5, 2.5, 7.0])
    lows, highs, firsts, counts = np.array([0.0, 7.0]), np.array([3.0, 7.0]), np.array([0, 3]), np.array([3, 1])
    node = 1.5 - 1.5 * np.cos(np.pi * (np.arange(3) + 0.5) / 3)
    series = np.zeros((4, 4, 1))
    series[:3, 0, 0], series[:3, 3, 0] = node**2, 1.0  # lift^2 cos(angle) + sin(3 angle)
    series[3, 2, 0] = 2.0  # 2 cos(3 angle)
    out = np.empty((3, 1))
    given = families, angles, lifts, lows, highs, firsts, counts, np.array([1, 3]), series
    either(turning.turned, compiled)(*given, out)
    expected = [*(lifts[:2] ** 2 * np.cos(angles[:2]) + np.sin(3 * angles[:2])), 2 * np.cos(6.0)]
    assert np.allclose(out[:, 0], expected, rtol=1e-12)


@both_ways
def test_series_of_a_dipole_are_those_of_its_turned_potential(compiled):
    position, moment = np.array([[20.0, 0.0, -5.0]]), np.array([[0.0, 0.3, 1.0]])
    places, strengths = np.array([[5.0, 8.0, 30.0], [-9.0, 2.0, 41.0]]), np.array([[1.0], [-2.0]])
    made = Turning(Charges(places, strengths), position, moment)
    made._tabulate(np.zeros((1, 3)), 0.0)
    harmonics = np.arange(12)
    out, clear = np.empty((1, 24, 1)), np.empty(1, dtype=bool)
    either(turning.axis_series, compiled)(
        np.eye(3)[None], np.zeros((1, 3)), places, strengths, harmonics, np.ascontiguousarray(made._table[..., :24]),
        made._near, 3.0, made._low, out, clear,
    )  # fmt: skip
    assert clear[0]
    for angle in (0.0, 0.7, 3.0):
        turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1.0]])
        exact = reference.coil_potential(metres(places), metres(position @ turn.T), moment @ turn.T) @ strengths
        found = np.cos(harmonics * angle) @ out[0, ::2, 0] + np.sin(harmonics * angle) @ out[0, 1::2, 0]
        assert found == pytest.approx(exact[0], rel=2e-3)


@pytest.mark.parametrize("name", ["figure8-70mm", "double-cone", "circular-90mm"])
def test_lifts_while_turning_are_the_lifts_of_turned_poses(head, target, name):
    coil = nf.load_coil(name)
    grid = Grid(radius=60, spacing=30, angle_step=30)
    made = candidates(head, replace(coil, casing=None, declared_symmetry="none"), target, grid)
    turns = np.radians(np.arange(0, 360, 30))
    expected = lifts_to_clear(head.scalp.points, coil.casing, made.head_from_coil, 4.0).reshape(-1, 12)
    found = lifts_while_turning(head.scalp.points, coil.casing, made.head_from_coil[::12], turns, 4.0)
    assert found.shape == expected.shape
    # a point on the border of two squares of the casing's face may fall to either
    assert np.mean(np.abs(found - expected) > 1e-9) < 0.02
    assert np.abs(found - expected).max() < 1.0
    assert not lifts_while_turning(head.scalp.points, coil.casing, np.empty((0, 4, 4)), turns).size


def test_rings_bound_the_face_at_every_turn():
    face = CasingFace.of(nf.load_coil("double-cone").casing)
    lowest, highest = face.rings
    for _ in range(300):
        radius, turn = RNG.uniform(0, face.reach), RNG.uniform(0, 2 * np.pi)
        cell = np.floor((np.array([np.cos(turn), np.sin(turn)]) * radius - face.low) / 2.0).astype(int)
        inside = (cell >= 0).all() and (cell < face.heights.shape).all()
        height = face.heights[tuple(cell)] if inside else np.nan
        ring = int(radius / 2.0)
        if np.isnan(height):
            assert lowest[ring] == -np.inf
        else:
            assert lowest[ring] <= height <= highest[ring]


def test_the_kernel_of_turning_lifts_runs_as_python_too(head, coil, choices):
    face = CasingFace.of(coil.casing)
    given = (
        head.scalp.points[::40], choices.head_from_coil[:25:24, :3, 3].copy(),
        choices.head_from_coil[:25:24, :3, :3].copy(), np.cos([0.0, 0.5]), np.sin([0.0, 0.5]),
        np.array(face.heights), np.array(face.low), 2.0, *(np.array(ring) for ring in face.rings),
    )  # fmt: skip
    compiled, python = np.empty((2, 2)), np.empty((2, 2))
    clearance.turning_lifts(*given, compiled)
    clearance.turning_lifts.py_func(*given, python)
    assert np.allclose(compiled, python, atol=1e-12)


def test_gaps_and_tilts_are_compared_at_every_position(head, coil, target):
    grid = Grid(radius=8, spacing=8, angle_step=90, gaps=(10.0,), tilts=((0, 0), (8, 0), (0, -8)))
    made = candidates(head, coil, target, grid)
    per_position = 2 * 2 * 3
    assert len(made) == per_position * (made.positions.max() + 1)
    assert sorted(set(made.gaps)) == [4.0, 10.0]
    assert {tuple(tilt) for tilt in made.tilts} == {(0, 0), (8, 0), (0, -8)}
    flat = made.tilts.any(axis=1) == 0
    near, far = (made.head_from_coil[flat & (made.gaps == gap)] for gap in (4.0, 10.0))
    assert np.allclose(far[:, :3, 3] - near[:, :3, 3], -6.0 * near[:, :3, 2], atol=1e-9)
    plain = candidates(head, coil, target, replace(grid, gaps=(), tilts=((0, 0),)))
    assert np.allclose(near, plain.head_from_coil)
    one = np.flatnonzero((made.tilts[:, 0] == 8) & (made.gaps == 4))
    for i in one[:4]:
        flat_one = near[(made.positions[flat & (made.gaps == 4)] == made.positions[i])][made.angles[i] == [0, 90]]
        expected = nf.Placement(flat_one[0]).moved(tilted_x=8.0).head_from_coil[:3, :3]
        assert np.allclose(made.head_from_coil[i, :3, :3], expected, atol=1e-9)
    depth = lifts_to_clear(head.scalp.points, coil.casing, made.head_from_coil, 0.0)
    assert depth.max() < 1e-6


def test_the_whole_scalp_is_covered_evenly_and_nothing_else(head, coil, target):
    made = candidates(head, coil, target, Grid(radius=None, spacing=15, angle_step=90))
    points = made.head_from_coil[::2, :3, 3] + made.head_from_coil[::2, :3, 2] * (4.0 + made.lifts[::2, None])
    distance = np.linalg.norm(points[:, None] - points, axis=2) + 1e3 * np.eye(len(points))
    assert distance.min() > 0.9 * 15
    assert np.median(distance.min(axis=1)) < 1.2 * 15
    up = anatomical_axes(head)[2]
    assert (-made.head_from_coil[:, :3, 2] @ up).min() > -0.6
    top = head.scalp.points[head.scalp.points[:, 2] > head.scalp.points[:, 2].mean()]
    nearest = np.linalg.norm(top[:, None] - points, axis=2).min(axis=1)
    assert nearest.max() < 15  # no hole
    assert np.argmin(np.linalg.norm(points - target.center, axis=1)) == 0


def test_a_head_cut_open_has_no_places_on_its_cut(target):
    head = nf.sphere_head((70, 78, 86), edge=9.0)
    kept = head.mesh.centroids[:, 2] > -20
    used = np.unique(head.mesh.tets[kept])
    number = np.zeros(len(head.mesh.nodes), dtype=int)
    number[used] = np.arange(len(used))
    mesh = type(head.mesh)(head.mesh.nodes[used], number[head.mesh.tets[kept]], head.mesh.tags[kept])
    made = candidates(nf.HeadModel.from_mesh(mesh), replace(nf.load_coil("figure8-70mm"), casing=None), target,
                      Grid(radius=None, spacing=12, angle_step=90))  # fmt: skip
    assert len(made) > 100
    assert (-made.head_from_coil[:, 2, 2]).min() > -0.6


def test_finer_poses_hold_their_pose_and_lie_close_around_it(head, coil, target, choices):
    grid = Grid(radius=15, spacing=7.5, angle_step=15)
    chosen = choices.head_from_coil[[30, 100]]
    for pose, made in zip(chosen, finer(head, coil, chosen, grid, spacing=1.5, angle_step=5.0), strict=True):
        assert np.abs(made.head_from_coil - pose).max(axis=(1, 2)).min() < 1e-6
        shift = made.head_from_coil[:, :3, 3] - pose[:3, 3]
        aside = shift - (shift @ pose[:3, 2])[:, None] * pose[:3, 2]
        assert np.linalg.norm(aside, axis=1).max() < 1.6 * 3.75
        turned = np.degrees(np.arccos(np.clip(made.head_from_coil[:, :3, 1] @ pose[:3, 1], -1, 1)))
        assert turned.max() < 7.5 + 6
        assert len(np.unique(made.angles)) == 3
        assert len(made) == 3 * 25
        assert lifts_to_clear(head.scalp.points, coil.casing, made.head_from_coil, 4.0).max() < 1e-6


def test_finer_keeps_a_tilt(head, coil, target):
    grid = Grid(radius=8, spacing=8, angle_step=45, tilts=((0, 0), (10, 5)))
    made = candidates(head, coil, target, grid)
    i = int(np.flatnonzero(made.tilts[:, 0] == 10)[3])
    (close,) = finer(head, coil, made.head_from_coil[i : i + 1], grid, spacing=4.0, angle_step=10)
    assert np.allclose(close.tilts, [10, 5], atol=3)
    assert np.abs(close.head_from_coil - made.head_from_coil[i]).max(axis=(1, 2)).min() < 1e-6


def test_finer_keeps_each_gap_and_halves_small_steps(head, coil, target):
    grid = Grid(radius=8, spacing=1.0, angle_step=2.0, gap=4.0, gaps=(9.0,))
    made = candidates(head, coil, target, replace(grid, spacing=8.0, angle_step=180.0))
    i = np.flatnonzero(made.gaps == 9.0)[:1]
    (close,) = finer(head, coil, made.head_from_coil[i], grid, gaps=made.gaps[i])
    assert np.abs(close.head_from_coil - made.head_from_coil[i]).max(axis=(1, 2)).min() < 1e-6
    assert set(close.gaps) == {9.0}
    assert len(close) == 9 * 3  # half a millimetre, one degree


@pytest.mark.parametrize("keywords", [{"spacing": 0.0}, {"spacing": 9.0}, {"angle_step": 20.0}])
def test_steps_that_refine_nothing_are_refused(head, coil, choices, keywords):
    with pytest.raises(nf.InputError, match="Steps of finer"):
        finer(head, coil, choices.head_from_coil[:1], **keywords)


def test_a_pose_beside_the_head_is_not_refined(head, coil):
    away = np.eye(4)
    away[:3, 3] = (400.0, 0, 0)
    with pytest.raises(nf.InputError, match="not stand over the scalp"):
        finer(head, coil, away[None])


@pytest.mark.parametrize(
    ("keywords", "words"),
    [
        ({"gaps": (4.0,)}, "different lengths"),
        ({"gaps": (60.0,)}, "0 to 50 mm"),
        ({"tilts": ((0.0, 45.0),)}, "up to 30"),
        ({"tilts": (5.0,)}, "pairs of degrees"),
        ({"tilts": ((1.0, 0.0), (1.0, 0.0))}, "must differ"),
        ({"radius": None, "spacing": 0.01}, "0.1 <= spacing"),
    ],
)
def test_grids_without_sense_are_refused(keywords, words):
    with pytest.raises(nf.InputError, match=words):
        Grid(**keywords)


def test_more_placements_than_memory_holds_are_refused(head, coil, target):
    with pytest.raises(nf.InputError, match="at most 5000000"):
        candidates(head, coil, target, Grid(radius=60, spacing=0.7, angle_step=0.5))


def test_a_coil_that_clears_nowhere_is_refused(head, target):
    coil = nf.load_coil("figure8-70mm")
    deep = replace(coil, casing=type(coil.casing)(np.add(coil.casing.points, [0, 0, 60.0]), coil.casing.triangles))
    with pytest.raises(nf.InputError, match="must be lifted by at least 6"):
        candidates(head, deep, target, Grid(radius=8, spacing=8, angle_step=90))


def test_responses_share_their_samples(head, simple, target, choices):
    solver = nf.Solver(head, tolerance=1e-6)
    samples = [nf.Placement(pose) for pose in choices.head_from_coil[::60]]
    other = nf.Target.ball(head, (-40, -20, 52), radius=8)
    both = responses(solver, simple, [target, other], samples)
    some = choices.head_from_coil[7::90]
    for made, wanted in zip(both, (target, other), strict=True):
        (alone,) = responses(solver, simple, [wanted], samples)
        assert np.allclose(made.strengths(some), alone.strengths(some), rtol=1e-9)


def test_one_thread_and_two_rank_alike(head, charges, choices, simple):
    before = numba.get_num_threads()
    assert before == all_threads()
    many = Turning(charges[0], *simple.dipoles).sums(choices.head_from_coil)[0]
    table_many = Table(charges[0]).contracted(choices.head_from_coil[::5], *simple.dipoles)
    try:
        numba.set_num_threads(1)
        one = Turning(charges[0], *simple.dipoles).sums(choices.head_from_coil)[0]
        table_one = Table(charges[0]).contracted(choices.head_from_coil[::5], *simple.dipoles)
    finally:
        numba.set_num_threads(before)
    assert np.array_equal(one, many)
    assert np.array_equal(table_one, table_many)


def test_a_coil_is_not_put_under_the_head():
    """An image ends below the brain in a flat cut, the nearest scalp of a cerebellum; spheres have no below."""
    ball = sphere_head((60, 68, 76), edge=9.0)
    patient = replace(ball, mapping=AffineMapping(np.eye(4), "the head frame is MNI space"))
    deep = np.array([-12.0, -28.0, -48.0])
    for head, lowest in ((patient, -0.5), (ball, -1.0)):
        spots = around(head, deep, 30.0, 5.0)
        assert spots.normals[:, 2].min() >= lowest
    assert spots.normals[0, 2] < -0.7
    turned = np.diag([1.0, -1.0, -1.0, 1.0])  # the same patient upside down in the head frame
    over = replace(ball, mapping=AffineMapping(turned, "upside down"))
    assert around(over, deep, 30.0, 5.0).normals[0, 2] < -0.7
