"""Planning: reciprocity against forward solves, the search, targets, sides, doses and what is refused."""

from dataclasses import replace

import numpy as np
import pytest
from tests_support import mirrored_head, small_head

import neuro_field as nf
from neuro_field.aim.atlas import SITES, site
from neuro_field.aim.axis import directed
from neuro_field.clinic.presets import PRESETS
from neuro_field.findings import Refusal
from neuro_field.geometry.mesh import TetMesh
from neuro_field.head.mapping import AffineMapping
from neuro_field.reciprocity.response import response
from neuro_field.search.candidates import Grid, candidates
from neuro_field.search.search import with_stability

GRID = Grid(radius=15, spacing=7.5, angle_step=45)


@pytest.fixture(scope="module")
def head():
    return small_head()


@pytest.fixture(scope="module")
def coil():
    return nf.load_coil("figure8-70mm").simplified(error=5e-3)


@pytest.fixture(scope="module")
def solver(head):
    return nf.Solver(head, tolerance=1e-7)


@pytest.fixture(scope="module")
def target(head):
    return nf.Target.ball(head, (40, -20, 52), radius=8)


@pytest.fixture(scope="module")
def choices(head, coil, target):
    return candidates(head, coil, target, GRID)


@pytest.fixture(scope="module")
def mapping(solver, coil, target, choices):
    samples = [nf.Placement(choices.head_from_coil[i]) for i in range(0, len(choices), 5)][:16]
    return response(solver, coil, target, samples)


def test_reciprocity_equals_forward_solves(solver, coil, target, choices, mapping):
    some = choices.head_from_coil[3::17][:4]
    solved = [target.mean(solver.solve(coil, nf.Placement(pose))) for pose in some]
    # the basis drops parts below 2e-3 of the largest; what the charges leave out is part of the mesh's own error
    assert np.allclose(mapping.strengths(choices.head_from_coil)[3::17][:4], solved, rtol=2e-3)


def test_a_plan_in_second_order_is_one_of_its_own_fields(head, coil, target, choices):
    """Ranking, verification and stability go by what a solver solves, whatever its order."""
    raised = nf.Solver(head, tolerance=1e-7, order=2)
    made = nf.plan(raised, coil, target, grid=GRID)
    assert made.field.system.order == 2
    assert made.report.largest_difference < 2e-3
    pose = made.best.placement
    assert made.best.verified == pytest.approx(target.mean(raised.solve(coil, pose)), rel=1e-6)
    first = target.mean(nf.Solver(head).solve(coil, pose))
    assert abs(made.best.verified / first - 1) > 1e-3  # it is not the first-order one
    told = with_stability({"one": made}, raised, draws=20)["one"].stability
    assert told.reduced_error < 0.02
    assert told.low[0][0] < made.best.verified < told.high[0][0]


def test_the_sum_over_nodes_is_the_forward_solve_to_the_tolerance_of_the_solver(solver, coil, target, choices, mapping):
    some = choices.head_from_coil[3::29][:2]
    for direction, limit in ((None, 1e-3), ((0.6, 0.8, 0.0), 1e-5)):  # a direction is one vector: nothing is left out
        wanted = replace(target, direction=direction)
        samples = [nf.Placement(pose) for pose in choices.head_from_coil[:2]]
        made = mapping if direction is None else response(solver, coil, wanted, samples)
        solved = [wanted.mean(solver.solve(coil, nf.Placement(pose))) for pose in some]
        assert np.allclose(made.strengths_untabulated(some), solved, rtol=limit)


def test_a_full_basis_leaves_nothing_out(head, solver, coil, choices):
    small = nf.Target.ball(head, (40, -20, 52), radius=2.5)
    samples = [nf.Placement(pose) for pose in choices.head_from_coil[::2]]
    assert 3 * len(small.elements) <= min(len(samples), 24)
    made = response(solver, coil, small, samples, modes=3 * len(small.elements))
    some = choices.head_from_coil[5::31][:2]
    solved = [small.mean(solver.solve(coil, nf.Placement(pose))) for pose in some]
    assert np.allclose(made.strengths_untabulated(some), solved, rtol=1e-5)


def test_a_plan_ranks_every_candidate_and_checks_the_best(solver, coil, target, choices):
    plan = nf.plan(solver, coil, target, grid=GRID)
    assert plan.report.placements == len(plan.strengths) == len(choices)
    assert [c.strength for c in plan.ranking] == sorted((c.strength for c in plan.ranking), reverse=True)
    assert plan.strengths.max() * 0.9999 <= plan.best.strength <= 1.1 * plan.strengths.max()  # finer steps find more
    assert plan.report.refined > 100
    assert plan.best.strength == pytest.approx(plan.best.verified, rel=0.01)
    assert plan.best.verified == pytest.approx(target.mean(plan.field), rel=1e-12)
    nearest = np.linalg.norm(plan.best.placement.center - target.center)
    assert nearest < 45  # over the target, not elsewhere


def test_candidates_lie_on_the_scalp_at_the_gap_and_into_the_head(head, coil, choices):
    centers = choices.head_from_coil[:, :3, 3]
    distance, _ = head.scalp.tree.query(centers)
    assert distance.min() > 3.5
    assert (choices.lifts >= 0).all()
    inward = head.mesh.nodes.mean(axis=0) - centers
    assert (np.einsum("pi,pi->p", inward, choices.head_from_coil[:, :3, 2]) > 0).all()
    assert np.allclose(np.linalg.det(choices.head_from_coil[:, :3, :3]), 1.0)
    scalp = head.scalp.points
    for pose in choices.head_from_coil[::29]:
        local = nf.Placement(pose).coil_points(scalp)
        under = (np.abs(local[:, 0]) < 80) & (np.abs(local[:, 1]) < 25)
        assert local[under, 2].min() > 3.9


def test_angles_count_from_back_to_the_left(choices):
    handles = -choices.head_from_coil[:, :3, 1]
    assert (handles[choices.angles == 0] @ [0, -1, 0] > 0.8).all()
    assert (handles[choices.angles == 90] @ [-1, 0, 0] > 0.3).all()


def test_the_mirrored_head_gives_the_mirrored_plan(head, coil, solver, target):
    other = mirrored_head(head)
    mirror = np.array([-1.0, 1.0, 1.0])
    there = nf.Target.ball(other, target.center * mirror, radius=8)
    pose = nf.Placement.on(head.scalp, above=(60, -20, 60), handle_towards=(100, -90, 50), gap=6.0)
    field = solver.solve(coil, pose)
    mirrored = nf.Solver(other, tolerance=1e-7).solve(coil, pose.mirrored())
    assert there.mean(mirrored) == pytest.approx(target.mean(field), rel=1e-3)
    assert np.allclose(pose.mirrored().center, pose.center * mirror)
    assert np.allclose(pose.mirrored().handle_direction, pose.handle_direction * mirror)


def test_a_ball_weighs_its_elements_by_volume(head, target):
    assert target.weights.sum() == pytest.approx(1.0)
    distance = np.linalg.norm(head.mesh.centroids[target.elements] - target.center, axis=1)
    assert distance.max() <= 8
    assert head.region("grey_matter")[target.elements].all()


def test_named_targets_lie_on_their_side_in_grey_matter(head):
    for side, sign in (("left", -1), ("right", 1)):
        named = nf.Target.named(head, "m1-hand", side)
        assert np.sign(named.center[0]) == sign
        assert named.moved <= 20
        assert named.viable_share == 1.0
        assert named.moved == pytest.approx(np.linalg.norm(named.center - named.seed))


def test_a_lesion_moves_the_target_and_takes_its_share(head):
    intact = nf.Target.named(head, "m1-hand", "left")
    inside = np.linalg.norm(head.mesh.centroids - intact.center, axis=1) < 9
    tags = np.where(inside & head.region("brain"), 21, head.mesh.tags)
    hurt = nf.HeadModel.from_mesh(TetMesh(head.mesh.nodes, head.mesh.tets, tags), mapping=head.mapping)
    moved = nf.Target.named(hurt, "m1-hand", "left")
    assert moved.moved > intact.moved
    assert moved.viable_share < 0.5
    assert not hurt.region("lesion")[moved.elements].any()
    assert nf.Target.named(hurt, "m1-hand", "right").viable_share == 1.0


def test_a_target_lost_altogether_is_refused(head):
    seed = site("m1-hand").seed("left")
    inside = np.linalg.norm(head.mesh.centroids - seed, axis=1) < 30
    tags = np.where(inside & head.region("brain"), 21, head.mesh.tags)
    hurt = nf.HeadModel.from_mesh(TetMesh(head.mesh.nodes, head.mesh.tets, tags), mapping=head.mapping)
    with pytest.raises(nf.InputError, match="no viable grey matter within 20 mm"):
        nf.Target.named(hurt, "m1-hand", "left")


def test_the_hand_preset_wants_current_forwards_and_to_the_midline(head):
    for side, midwards in (("left", 1), ("right", -1)):
        aimed = directed(head, nf.Target.named(head, "m1-hand", side))
        assert aimed.direction[0] * midwards > 0.3
        assert aimed.direction[1] > 0.5
        assert aimed.either_way
        assert not aimed.signed
    assert directed(head, nf.Target.named(head, "dlpfc", "left")).direction is None


def test_either_way_counts_size_and_a_plain_direction_counts_sign(head, target, solver, coil):
    pose = nf.Placement.on(head.scalp, above=(60, -20, 60), handle_towards=(60, -100, 60), gap=6.0)
    field = solver.solve(coil, pose)
    along = replace(target, direction=(0, 1, 0))
    against = replace(target, direction=(0, -1, 0))
    assert along.mean(field) == pytest.approx(-against.mean(field))
    assert along.mean(field) > 0  # the handle points back, so the first current runs forwards
    assert replace(against, either_way=True).mean(field) == pytest.approx(along.mean(field))
    assert abs(along.mean(field)) <= target.mean(field) == pytest.approx(target.magnitude(field))


@pytest.fixture(scope="module")
def study(head, coil):
    return nf.study(head, preset="contralesional-1hz-hand", coil=coil, lesion_side="left", rmt=50, grid=GRID)


def test_a_study_plans_both_sides_and_stands_by_its_own(study):
    assert study.contralesional.target.side == "right"
    assert study.ipsilesional.target.side == "left"
    assert study.best is study.contralesional.best
    handle = study.best.placement.handle_direction
    assert study.best.placement.center[0] > 30
    assert handle[1] < 0 < handle[0]  # back and lateral on the right


def test_a_dose_at_the_hand_area_is_the_preset_share_of_the_threshold(study):
    assert study.doses["contralesional"].matched == pytest.approx(45.0)
    expected = 0.45 * study.coil.didt_max / 1e6 * study.best.verified  # along the axis, by which it is ranked
    assert study.doses["contralesional"].target_field == pytest.approx(expected)


def test_what_a_dose_has_to_say_is_told_with_its_role_and_side(study):
    for role, side in (("contralesional", "right"), ("ipsilesional", "left")):
        told = [found for found in study.findings if found.values.get("role") == role and "dose-" in found.code]
        assert {found.code for found in told} >= {"dose-anchored", "dose-anchor-stands-in"}
        assert all(found.values["side"] == side for found in told)
        anchored = next(found for found in told if found.code == "dose-anchor-stands-in")
        assert anchored.values["hemisphere"] == "right"  # the unaffected hand's, whatever side it doses
        other = [found for found in told if found.code == "dose-other-hemisphere"]
        assert bool(other) == (role == "ipsilesional")


def test_a_side_that_contradicts_the_lesion_is_refused(head, coil):
    inside = np.linalg.norm(head.mesh.centroids - [-45, -20, 30], axis=1) < 15
    tags = np.where(inside & head.region("brain"), 21, head.mesh.tags)
    hurt = nf.HeadModel.from_mesh(TetMesh(head.mesh.nodes, head.mesh.tets, tags), mapping=head.mapping)
    with pytest.raises(Refusal) as refused:
        nf.study(hurt, preset="contralesional-1hz-hand", coil=coil, lesion_side="right")
    values = refused.value.findings[0].values
    assert (values["typed"], values["found"], values["right_cm3"]) == ("right", "left", 0)
    assert values["left_cm3"] > 1


def test_a_head_without_a_mapping_is_refused(head, coil):
    with pytest.raises(Refusal, match="intake-no-map"):
        nf.study(replace(head, mapping=None), preset="contralesional-1hz-hand", coil=coil, lesion_side="left")


def test_an_mni_mapping_that_moves_the_head_moves_the_seed(head):
    shift = np.eye(4)
    shift[:3, 3] = (0, 0, -5)
    moved = replace(head, mapping=AffineMapping(shift))
    assert nf.Target.named(moved, "m1-hand", "left").seed == pytest.approx(
        site("m1-hand").seed("left") + np.array([0, 0, 5])
    )


@pytest.mark.parametrize(
    ("center", "radius", "words"),
    [((200, 0, 0), 5, "holds no grey_matter"), ((40, -20, 52), 0.1, "0.5 to 50"), ((40, np.nan, 52), 5, "finite")],
)
def test_bad_balls_are_refused(head, center, radius, words):
    with pytest.raises(nf.InputError, match=words):
        nf.Target.ball(head, center, radius=radius)


@pytest.mark.parametrize("keywords", [{"spacing": 0}, {"angle_step": 7}, {"gap": -1}, {"radius": 3}])
def test_bad_grids_are_refused(keywords):
    with pytest.raises(nf.InputError):
        Grid(**keywords)


def test_wrong_kinds_are_refused(solver, coil, target):
    with pytest.raises(nf.InputError, match="must be a Solver"):
        nf.plan(None, coil, target)
    with pytest.raises(nf.InputError, match="must be a Target"):
        nf.plan(solver, coil, "m1-hand")


def test_every_preset_names_known_sites_and_a_coil_on_the_shelf():
    for preset in PRESETS:
        for name in preset.sites:
            assert site(name).seed("left")[0] < 0 < site(name).seed("right")[0]
        assert nf.load_coil(preset.coil)
        assert preset.source
    assert len({entry.name for entry in SITES}) == len(SITES)
