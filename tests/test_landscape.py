"""The ranking holds tops of the landscape that no small step betters, and the zone says how far one may stray."""

from dataclasses import replace

import numpy as np
import pytest
from tests_support import small_head
from tiny_study import tiny_head, tiny_study

import neuro_field as nf
from neuro_field.aim.scalp import anatomical_axes
from neuro_field.search.candidates import Candidates, Grid, candidates, finer, lattice, period_of, turns_of
from neuro_field.search.landscape import PROMINENCE, Landscape, Patch, climbed, feet_of, hills
from neuro_field.search.search import distinct
from neuro_field.search.zone import Zone, zone_around

GRID = Grid(radius=20, spacing=5, angle_step=30)
SPOT = (40, -20, 52)


@pytest.fixture(scope="module")
def head():
    return small_head()


@pytest.fixture(scope="module")
def coil():
    return nf.load_coil("figure8-70mm").simplified(error=5e-3)


@pytest.fixture(scope="module")
def bent():
    return nf.load_coil("mc-b70").simplified(error=5e-3)


@pytest.fixture(scope="module")
def solver(head):
    return nf.Solver(head, tolerance=1e-6)


@pytest.fixture(scope="module")
def target(head):
    return nf.Target.ball(head, SPOT, radius=8, direction=(-0.5, 0.7, 0.0), either_way=True)


@pytest.fixture(scope="module")
def plan(solver, coil, target):
    return nf.plan(solver, coil, target, grid=GRID)


@pytest.fixture(scope="module")
def round_plan(solver, head):
    round_coil = nf.load_coil("circular-90mm").simplified(error=5e-3)
    wanted = nf.Target.ball(head, SPOT, radius=5)
    return nf.plan(solver, round_coil, wanted, grid=Grid(radius=40, spacing=10, angle_step=30))


# handles that are tried


def test_a_round_coil_takes_one_handle_a_two_fold_one_half_of_them_and_others_all(head, coil, bent, target):
    round_coil = nf.load_coil("circular-90mm")
    signed = replace(target, either_way=False)
    assert turns_of(round_coil, target, 15).tolist() == [0.0]
    assert turns_of(coil, target, 45).tolist() == [0, 45, 90, 315]
    assert turns_of(coil, replace(target, direction=None), 45).tolist() == [0, 45, 90, 315]
    assert len(turns_of(coil, signed, 45)) == len(turns_of(bent, target, 45)) == 8
    assert len(turns_of(coil, target, 72)) == 5  # steps that make no pairs
    assert [period_of(c, t) for c, t in ((round_coil, target), (coil, target), (coil, signed), (bent, target))] == [
        None, 180.0, 360.0, 360.0,
    ]  # fmt: skip
    made = candidates(head, coil, target, GRID)
    handles = -made.head_from_coil[:, :3, 1]
    assert (handles @ anatomical_axes(head)[1] <= 1e-6).all()  # the backward one stands for both


# hills of a landscape


def a_landscape(*bumps, base=0.5, spacing=5.0, angles=12):
    """Placements on a plane and values with bumps (x mm, y mm, step of the handle, height) on them."""
    x, y = (part.ravel() for part in np.meshgrid(*[spacing * np.arange(-6, 7)] * 2, indexing="ij"))
    count = len(x) * angles
    poses = np.tile(np.eye(4), (count, 1, 1))
    poses[:, 0, 3], poses[:, 1, 3] = np.repeat(x, angles), np.repeat(y, angles)
    steps = np.tile(np.arange(angles), len(x))
    values = np.full(count, base)
    for bx, by, turn, height in bumps:
        around = np.abs((steps - turn + angles / 2) % angles - angles / 2)
        distance = ((poses[:, 0, 3] - bx) / 12) ** 2 + ((poses[:, 1, 3] - by) / 12) ** 2 + (around / 2.5) ** 2
        values = np.maximum(values, base + (height - base) * np.exp(-distance))
    zeros = np.zeros(count)
    made = Candidates(
        poses, np.repeat(np.arange(len(x)), angles), steps * (360.0 / angles), zeros, zeros, np.zeros((count, 2))
    )
    return made, values


def places(made, found):
    return [(*made.head_from_coil[i, :2, 3].tolist(), made.angles[i]) for i in found]


def test_each_hill_has_one_top_and_the_highest_comes_first():
    made, values = a_landscape((-20, 0, 3, 0.9), (20, 5, 8, 1.0))
    assert places(made, hills(made, values, 5.0)) == [(20, 5, 240), (-20, 0, 90)]


def test_a_hill_across_the_end_of_the_circle_is_one():
    made, values = a_landscape((0, 0, 11.6, 1.0))
    assert places(made, hills(made, values, 5.0)) == [(0, 0, 0)]


@pytest.mark.parametrize(("dip", "tops"), [(0.5, 1), (2.0, 2)])
def test_a_dip_shallower_than_a_share_of_the_best_parts_no_hills(dip, tops):
    made, values = a_landscape((0, 0, 3, 1.0))
    beside = np.flatnonzero((made.head_from_coil[:, 0, 3] == 25) & (made.head_from_coil[:, 1, 3] == 0))
    here = beside[made.angles[beside] == 90][0]
    around = np.flatnonzero(np.linalg.norm(feet_of(made) - feet_of(made)[here], axis=1) < 8)
    values[around] = 0.6
    values[here] = 0.6 + dip * PROMINENCE
    assert len(hills(made, values, 5.0)) == tops


def test_what_is_not_allowed_has_no_top():
    made, values = a_landscape((-20, 0, 3, 1.0), (20, 5, 8, 0.9))
    values[feet_of(made)[:, 0] < -5] = -np.inf
    assert places(made, hills(made, values, 5.0))[0] == (20, 5, 240)
    assert all(np.isfinite(values[hills(made, values, 5.0)]))


def test_poses_that_differ_are_kept_and_a_handle_counts_as_far_as_it_does():
    def pose(x, angle):
        return nf.Placement(np.eye(4)).moved(along_x=x, turned=angle).head_from_coil

    poses = np.array([pose(0, 0), pose(8, 10), pose(8, 40), pose(2, 180), pose(11, 0)])
    values = np.array([1.0, 0.9, 0.8, 0.7, 0.6])
    assert distinct(poses, values, period=360.0) == [0, 2, 3, 4]
    assert distinct(poses, values, period=180.0) == [0, 2, 4]
    assert distinct(poses, values, period=None) == [0, 4]
    assert distinct(poses, np.where(values > 0.85, -np.inf, values), period=360.0, count=2) == [2, 3]


# tops


def test_no_small_step_betters_a_ranked_placement(head, coil, solver, target, plan):
    assert 1 <= len(plan.ranking) <= 8
    for candidate in plan.ranking:
        pose = candidate.placement.head_from_coil
        near = finer(head, coil, pose[None], GRID)[0]
        assert plan.response.strengths(near.head_from_coil).max() <= candidate.strength * (1 + 1e-4)
    assert plan.best.strength >= plan.strengths.max() * (1 - 1e-4)


def test_a_coil_that_differs_when_turned_round_is_ranked_with_its_handle_forwards_too(bent):
    """And no two ranked placements are alike after refinement."""
    solver, wanted = nf.Solver(tiny_head(), tolerance=1e-4), tiny_study().contralesional.target
    made = nf.plan(solver, bent, wanted, grid=Grid(radius=15, spacing=7.5, angle_step=45))
    assert made.search.symmetry == "none"
    assert made.report.placements == 8 * made.report.positions  # steps of 45 degrees, all the way round
    best, poses = made.best.placement, [candidate.placement for candidate in made.ranking]
    assert min(pose.handle_direction @ best.handle_direction for pose in poses) < -0.9
    for i, one in enumerate(poses):
        for other in poses[:i]:
            turned = one.handle_direction @ other.handle_direction < np.cos(np.radians(30))
            assert turned or np.linalg.norm(one.center - other.center) > 10


def test_a_better_place_beyond_the_patch_is_told(head, coil, plan, target):
    choices = candidates(head, coil, target, GRID)
    feet = feet_of(choices)
    best = feet[np.linalg.norm(feet - plan.best.placement.center, axis=1).argmin()]
    far = np.linalg.norm(feet - best, axis=1) > 12
    start = int(np.flatnonzero(far)[np.argmax(plan.strengths[far])])
    land, patch = Landscape(plan.response), Patch(feet[far], GRID.spacing)
    stopped = climbed(head, coil, land, choices.head_from_coil[start], gap=4.0, grid=GRID, patch=patch)
    assert stopped.stopped
    assert stopped.value < 0.99 * plan.best.strength
    free = climbed(
        head, coil, land, choices.head_from_coil[start], gap=4.0, grid=GRID, patch=Patch.of(choices, GRID.spacing)
    )
    assert not free.stopped
    assert free.value == pytest.approx(plan.best.strength, rel=2e-3)
    assert np.linalg.norm(free.pose[:3, 3] - plan.best.placement.center) < 5


def test_a_search_beside_its_target_ends_at_the_rim_and_says_so(solver, coil, target):
    aside = replace(target, center=target.center + np.array([-25.0, 30.0, 10.0]))
    made = nf.plan(solver, coil, aside, grid=Grid(radius=15, spacing=5, angle_step=30))
    codes = {finding.code: finding for finding in made.findings}
    assert codes["search-stopped-at-rim"].level == "warn"
    assert codes["search-stopped-at-rim"].values["radius"] == 15
    assert not made.zone.closed


# the zone


def test_a_zone_keeps_its_share_inside_its_rim_and_loses_it_beyond_when_solved(solver, coil, target, plan):
    inside, beyond = plan.zone.rim(6)
    assert len(inside) == len(beyond) == 6
    for poses, low, high in ((inside, 0.945, 1.0), (beyond, 0.0, 0.955)):
        fields = solver.solve_many(coil, [nf.Placement(pose) for pose in poses])
        shares = np.array([target.mean(field) for field in fields]) / plan.best.verified
        assert (shares >= low).all()
        assert (shares <= high).all()
    apart = np.linalg.norm(inside[:, :3, 3] - beyond[:, :3, 3], axis=1)
    assert apart.max() < 5  # a step of the lattice, and what the lift differs by


def test_the_zone_answers_for_any_pose_on_the_scalp(head, coil, plan):
    patch = Patch.of(candidates(head, coil, plan.target, GRID), GRID.spacing)
    made, _ = lattice(
        head, coil, plan.best.placement.head_from_coil, gap=4.0, reach=14.0, spacing=3.7,
        turns=np.arange(-33.3, 34, 11.1), within=patch.holds,
    )  # fmt: skip
    shares = plan.response.strengths(made.head_from_coil) / plan.zone.strengths[0]
    held = plan.zone.holds(made.head_from_coil)
    sure = np.abs(shares - plan.zone.kept) > 0.01  # normals of so coarse a scalp jump from vertex to vertex
    assert (held == (shares >= plan.zone.kept))[sure].all()
    assert 20 < held.sum() < len(held) - 20
    assert np.mean(sure) > 0.75


def test_a_zone_holds_its_own_and_nothing_tilted_lifted_or_far(plan):
    best = plan.best.placement
    assert plan.zone.holds(best).tolist() == [True]
    moved = [best.moved(tilted_x=8.0), best.moved(along_z=-4.0), best.moved(along_x=60.0), best.moved(turned=80.0)]
    assert plan.zone.holds(moved).tolist() == [False] * 4
    assert plan.zone.holds(best.moved(turned=180.0)).tolist() == [True]  # two-fold, and either way
    assert replace(plan.zone, period=360.0).holds(best.moved(turned=180.0)).tolist() == [False]
    assert plan.zone.holds(plan.zone.poses).all()
    assert not plan.zone.holds(plan.zone.beyond).any()


def test_the_handle_sector_is_that_of_the_best_place(coil, plan):
    low, high = plan.zone.handle_low, plan.zone.handle_high
    angle = (plan.best.angle + 180) % 360 - 180
    assert low < angle < high
    lift = plan.best.lift
    for end, sign in ((low, 1), (high, -1)):
        turns = end - angle + sign * np.array([1.5, -1.5])
        poses = np.stack([plan.best.placement.moved(turned=turn).head_from_coil for turn in turns])
        within, without = plan.response.strengths(poses) / plan.best.strength
        assert without < within
        assert within > 0.95 - 0.005
        assert without < 0.95 + 0.005
    assert lift < 1.0  # so that a turn alone is what the search does


def test_a_zone_tells_its_extent(plan):
    zone = plan.zone
    assert (zone.strengths >= zone.least).all()
    assert (zone.beyond_strengths < zone.least).all()
    assert np.allclose(zone.poses[0], plan.best.placement.head_from_coil, atol=1e-6)
    places = len(np.unique(zone.cells[: len(zone.poses), :2], axis=0))
    assert zone.area_cm2 == pytest.approx(places * 0.04, rel=0.1)
    assert 0 < zone.share < 1
    inner = np.linalg.norm(feet_of(candidates_of(plan)) - foot(zone), axis=1)
    assert zone.share == pytest.approx(np.mean(inner < np.sqrt(zone.area_cm2 * 100 / np.pi)), abs=0.12)


def candidates_of(plan):
    made = candidates(small_head(), plan.coil, plan.target, GRID)
    first = np.flatnonzero(np.diff(made.positions, prepend=-1))
    return replace(
        made, head_from_coil=made.head_from_coil[first], positions=made.positions[first], angles=made.angles[first],
        lifts=made.lifts[first], gaps=made.gaps[first], tilts=made.tilts[first],
    )  # fmt: skip


def foot(zone):
    """Middle of the zone's places on the scalp."""
    return (zone.poses[:, :3, 3] + zone.heights[: len(zone.poses), None] * zone.poses[:, :3, 2]).mean(axis=0)


def test_a_zone_without_poses_or_cells_is_refused(plan):
    with pytest.raises(nf.InputError, match="needs poses"):
        replace(plan.zone, poses=plan.zone.poses[:0])
    with pytest.raises(nf.InputError, match="a cell and a height"):
        replace(plan.zone, heights=plan.zone.heights[:-1])
    with pytest.raises(nf.InputError, match="kept of Zone"):
        replace(plan.zone, kept=1.5)


def test_a_narrow_patch_cuts_the_zone_off(head, coil, plan):
    choices = candidates(head, coil, plan.target, GRID)
    pose = plan.best.placement.head_from_coil
    near = np.linalg.norm(feet_of(choices) - pose[:3, 3], axis=1)
    patch = Patch(feet_of(choices)[np.argsort(near)[:1]], GRID.spacing)
    top = climbed(head, coil, Landscape(plan.response), pose, gap=4.0, grid=GRID, patch=patch)
    zone = zone_around(head, coil, Landscape(plan.response), top, patch=patch, period=180.0)
    assert isinstance(zone, Zone)
    assert not zone.closed
    assert plan.zone.closed
    assert zone.area_cm2 < plan.zone.area_cm2


def test_a_round_coil_is_planned_without_a_handle(round_plan):
    assert round_plan.report.placements == round_plan.report.positions
    centers = np.array([candidate.placement.center for candidate in round_plan.ranking])
    apart = np.linalg.norm(centers[:, None] - centers, axis=2) + 1e3 * np.eye(len(centers))
    assert apart.min() > 10
    zone = round_plan.zone
    assert zone.handle_low is zone.handle_high is zone.period is None
    assert not zone.cells[:, 2].any()
    assert zone.holds(round_plan.best.placement.moved(turned=77.0)).tolist() == [True]
    assert "search-handle-free" in {finding.code for finding in round_plan.findings}


# what is ranked by


def test_a_ratio_is_the_targets_field_over_the_strongest_region(head, solver, coil, target):
    free = replace(target, direction=None, either_way=False)
    over = tuple(nf.Target.ball(head, center, radius=8, name=name) for name, center in (
        ("in-front", (38, 8, 52)), ("behind", (38, -45, 48)),
    ))  # fmt: skip
    coarse = Grid(radius=20, spacing=10, angle_step=45)
    made = nf.plan(solver, coil, free, grid=coarse, objective="ratio", over=over)
    by_strength = nf.plan(solver, coil, free, grid=coarse)
    assert made.best.ratio == pytest.approx(
        made.best.verified / max(region.magnitude(made.field) for region in over), rel=0.01
    )
    others = [region.magnitude(by_strength.field) for region in over]
    assert made.best.ratio > by_strength.best.verified / max(others)
    assert made.best.strength == pytest.approx(made.best.verified, rel=0.01)  # V/m, whatever it is ranked by
    assert made.best.strength >= 0.5 * made.strengths.max()
    assert (made.search.objective, made.search.over) == ("ratio", ("in-front", "behind"))
    assert made.zone.strengths[0] == pytest.approx(made.best.ratio, rel=1e-3)
    assert by_strength.best.ratio is None


@pytest.mark.parametrize(
    ("keywords", "words"),
    [
        ({"objective": "focality"}, "field of the whole cortex"),
        ({"objective": "ratio"}, "needs one region"),
        ({"objective": "nearness"}, "must be one of strength"),
    ],
)
def test_objectives_that_are_not_there_are_refused(solver, coil, target, keywords, words):
    with pytest.raises(nf.InputError, match=words):
        nf.plan(solver, coil, target, grid=GRID, **keywords)


def test_regions_of_a_ratio_go_with_it_and_have_no_direction(solver, coil, target):
    region = replace(target, direction=None, either_way=False)
    with pytest.raises(nf.InputError, match="goes with objective='ratio'"):
        nf.plan(solver, coil, target, grid=GRID, over=(region,))
    with pytest.raises(nf.InputError, match="without a direction"):
        nf.plan(solver, coil, target, grid=GRID, objective="ratio", over=(target,))


def test_what_was_searched_is_recorded(plan, target):
    assert plan.search.grid == GRID
    assert (plan.search.objective, plan.search.over, plan.search.avoided) == ("strength", (), ())
    assert plan.search.symmetry == "two-fold"
    assert plan.search.statistic == "recovered"
    with pytest.raises(nf.InputError, match="objective of SearchSettings"):
        replace(plan.search, objective="best")
    with pytest.raises(nf.InputError, match="symmetry of SearchSettings"):
        replace(plan.search, symmetry="mirror")


def test_seconds_of_landscape_and_zone_are_told_apart(plan):
    assert {"ranking", "landscape", "zone", "verification"} <= set(plan.report.seconds)
