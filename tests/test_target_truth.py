"""Targets that stay theirs: on their side of the fissure, along the cortex, named for what they are, causes apart."""

from dataclasses import replace

import numpy as np
import pytest
from strokes import STROKES, Stroke, healthy, stroke_head
from test_aims import folded_slab
from tests_support import mirrored_head, small_head

import neuro_field as nf
from neuro_field.aim.aims import at_mni, homologous, masked
from neuro_field.aim.atlas import SITES, site
from neuro_field.aim.axis import directed
from neuro_field.aim.seat import NoTargetError, seat_of
from neuro_field.aim.target import check_same_mesh
from neuro_field.clinic.presets import PRESETS
from neuro_field.geometry.mesh import TetMesh
from neuro_field.head.mapping import AffineMapping, WarpedMapping
from neuro_field.report.words import said
from neuro_field.search.candidates import Grid
from neuro_field.search.rules import rules_of_thumb
from neuro_field.search.survey import survey

SIDES = {"left": -1, "right": 1}
PRESET_SITES = sorted({name for preset in PRESETS for name in preset.sites})


def codes(target):
    return {finding.code: finding for finding in target.findings}


def beyond(target, head=None):
    """Whether any of its elements lies beyond the healthy head's fissure; by 2 mm, where only a mesh of 8 mm tells."""
    allowed = 0.0 if head is None else 2.0
    head = healthy() if head is None else head
    right = healthy().known_fissure.right_of(head.mesh.centroids[target.elements])
    return bool((right * SIDES[target.side] < -allowed).any())


def found_or_lost(head, name, side):
    """The target, or None where the refusal says that it is lost to the lesion, and how much of it."""
    try:
        return directed(head, nf.Target.named(head, name, side))
    except NoTargetError as error:
        refusal = error
    assert "lost to the lesion" in str(refusal)
    assert (refusal.finding.code, refusal.finding.level) == ("target-lost", "stop")  # the map is good
    assert refusal.finding.values["cm3"] > 0
    assert f"{refusal.finding.values['cm3']:.1f} cm³" in said(refusal.finding)
    return None


@pytest.mark.parametrize("stroke", STROKES, ids=str)
def test_targets_of_all_presets_in_forty_strokes(stroke):
    head = stroke_head(stroke)
    for name in PRESET_SITES:
        for side in SIDES:
            target = found_or_lost(head, name, side)
            if target is None:
                continue
            assert not beyond(target)
            assert not head.region("lesion")[target.elements].any()
            assert target.mesh == head.mesh.digest
            far = {"target-moved-far", "target-other-gyrus"} & set(codes(target))
            assert target.name == ("near:" if far else "") + name
            assert target.moved <= 8 or far
            assert "target-no-grey-at-seed" not in codes(target)
            assert (target.viable_share < 0.99) == ("target-lost" in codes(target))
            assert not (far and target.direction is not None)


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("known", [True, False])
def test_the_leg_area_of_a_medial_stroke_stays_in_its_hemisphere(side, known):
    head = stroke_head(Stroke("aca", side, 70), known=known)
    seat = seat_of(head, site("m1-leg").seed(side), 5.0, side=side, site="m1-leg")  # the head lies in MNI space
    assert head.right_of_midline(seat.center[None])[0] * SIDES[side] > 0
    target = nf.Target.named(head, "m1-leg", side)
    assert not beyond(target, None if known else head)
    assert "target-lost" in codes(target)
    other = homologous(head, target)
    assert other.side != side
    assert other.name == "m1-leg"
    assert not np.intersect1d(target.elements, other.elements).size


@pytest.mark.parametrize("side", ["left", "right"])
def test_a_hand_area_moved_far_is_not_the_hand_area_any_more(side):
    head = stroke_head(Stroke("hand", side, 4))
    target = directed(head, nf.Target.named(head, "m1-hand", side))
    assert target.name == "near:m1-hand"
    assert target.site == "m1-hand"
    assert target.direction is None
    assert target.axis_source is None
    told = codes(target)["target-moved-far"]
    assert told.level == "warn"
    assert told.values["moved"] == pytest.approx(target.moved)
    assert f"{target.moved:.0f} mm" in said(told)
    coil = nf.load_coil("figure8-ideal")
    assert len(rules_of_thumb(head, coil, target, 4.0)) == 1  # not over C3 or C4
    assert homologous(head, target).name == "m1-hand"
    where = head.to_mni(target.center[None])[0]
    again = at_mni(head, nf.Target.named(healthy(), "m1-hand", side).seed_mni, name="mine")
    assert again.name == "near:mine"
    assert np.allclose(head.to_mni(again.center[None])[0], where)


def test_a_bad_map_is_not_blamed_on_the_lesion():
    shift = np.eye(4)
    shift[:3, 3] = 0, 0, -22  # MNI's vertex lies above the patient's
    for head, lost in ((healthy(), False), (stroke_head(Stroke("pca", "left", 45)), False)):
        off = replace(head, mapping=AffineMapping(shift))
        target = nf.Target.named(off, "m1-hand", "left")
        assert target.viable_share == 1.0
        assert ("target-lost" in codes(target)) == lost
        told = codes(target)["target-no-grey-at-seed"]
        assert told.values["mm"] > 5
        assert "no lesion took it" in said(told)
        assert "target-moved-far" in codes(target)
    shift[2, 3] = -60
    with pytest.raises(NoTargetError, match="no lesion took it") as caught:
        nf.Target.named(replace(healthy(), mapping=AffineMapping(shift)), "m1-hand", "left")
    assert caught.value.finding.code == "target-no-grey"


def test_affine_and_warped_places_are_compared():
    displacement = np.zeros((12, 12, 12, 3), dtype=np.float32)
    displacement[2:6, ..., 1] = 10.0
    grid = np.diag([20.0, 20.0, 20.0, 1.0])
    grid[:3, 3] = -110, -130, -90
    warped = WarpedMapping(healthy().mapping, displacement, grid)
    head = replace(healthy(), mapping=warped)
    told = codes(nf.Target.named(head, "m1-hand", "left")).get("target-map-disagrees")
    assert told is not None
    assert told.values["mm"] == pytest.approx(10, abs=0.5)
    assert "target-map-disagrees" not in codes(nf.Target.named(head, "m1-hand", "right"))


def hurt_slab(lost):
    """A slab with a sulcus along y, its walls at x = -2.5 and 2.5, and a lesion in it."""
    slab = folded_slab(0.0)
    tags = np.where(lost(slab.mesh.centroids) & slab.region("grey_matter"), 21, slab.mesh.tags)
    return nf.HeadModel.from_mesh(TetMesh(slab.mesh.nodes, slab.mesh.tets, tags))


@pytest.mark.parametrize("bank", [-1, 1])
def test_the_search_goes_along_the_bank_and_not_across_the_sulcus(bank):
    head = hurt_slab(lambda c: (c[:, 0] * bank > 0) & (np.abs(c[:, 1]) < 9))
    seed = np.array([4.0 * bank, 0.5, 1.0])
    found = seat_of(head, seed, 3.0, side=None, site="bank")
    assert found.center[0] * bank > 0
    across = head.mesh.centroids[head.region("grey_matter")]
    assert np.linalg.norm(across[across[:, 0] * bank < 0] - seed, axis=1).min() < found.moved


@pytest.mark.parametrize("bank", [-1, 1])
def test_what_lies_straight_across_a_sulcus_is_another_gyrus(bank):
    head = hurt_slab(lambda c: (c[:, 0] * bank > 0) | (c[:, 2] < -3))
    found = seat_of(head, np.array([3.0 * bank, 0.0, 0.0]), 3.0, side=None, site="bank")
    assert found.center[0] * bank < 0
    assert found.moved <= 8 < found.along
    assert found.far
    assert [finding.code for finding in found.findings] == ["target-lost", "target-other-gyrus"]


def slab_target(turn, side):
    """A hand area at a sulcus that runs so that the axis across it is ``turn`` degrees from right towards the front."""
    slab = folded_slab(np.radians(turn))
    head = replace(slab, mapping=AffineMapping(np.eye(4), "made there"))
    ball = nf.Target.ball(head, (0.0, 0.0, 4.0), 6.0)
    return head, replace(ball, name="m1-hand", side=side)


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize(
    ("off", "source", "code", "level"),
    [
        (0, "sulcus", "target-axis-sulcal", "note"),
        (-18, "sulcus", "target-axis-sulcal", "note"),
        (36, "sulcus", "target-axis-sulcal", "warn"),
        (60, "site", "target-axis-implausible", "warn"),
    ],
)
def test_the_current_crosses_the_patients_own_sulcus(side, off, source, code, level):
    turn = 45 + off if side == "left" else 135 - off
    aimed = directed(*slab_target(turn, side))
    assert aimed.axis_source == source
    assert aimed.axis_offset == pytest.approx(abs(off), abs=6)
    told = codes(aimed)[code]
    assert told.level == level
    assert told.values["degrees"] == pytest.approx(aimed.axis_offset)
    axis = np.radians(turn if source == "sulcus" else 45 if side == "left" else 135)
    assert abs(aimed.direction @ [np.cos(axis), np.sin(axis), 0]) > 0.99
    assert aimed.either_way


def test_without_a_sulcus_the_customary_axis_holds_and_is_told():
    aimed = directed(small_head(), nf.Target.named(small_head(), "m1-hand", "right"))
    assert aimed.axis_source == "site"
    assert aimed.axis_offset is None
    assert "target-axis-customary" in codes(aimed)


def test_the_axis_mirrors():
    for edge in (8.0,):
        here = healthy(edge)
        there = mirrored_head(here)
        one = directed(here, nf.Target.named(here, "m1-hand", "left"))
        other = directed(there, nf.Target.named(there, "m1-hand", "right"))
        assert other.axis_source == one.axis_source
        assert np.allclose(other.direction, one.direction * [-1, 1, 1], atol=1e-6)


def test_a_mask_of_one_side_keeps_to_it_and_says_what_it_left_out():
    head, affine = healthy(), np.diag([4.0, 4.0, 4.0, 1.0])
    affine[:3, 3] = -100, -130, -90
    places = np.moveaxis(np.indices((50, 60, 50)), 0, -1) * 4.0 + affine[:3, 3]
    across = np.linalg.norm(places - [2.0, -30, 65], axis=-1) < 14
    both = masked(head, across, affine)
    assert both.side is None
    for side in SIDES:
        own = masked(head, across, affine, side=side)
        assert not beyond(own)
        assert 0 < len(own.elements) < len(both.elements)
        assert codes(own)["target-beyond-fissure"].values["cm3"] > 0.1


def test_a_coordinate_near_the_midline_keeps_its_ball_on_its_side():
    for side, sign in SIDES.items():
        assert not beyond(at_mni(healthy(), (1.5 * sign, -30, 66), 8.0))
        ball = nf.Target.ball(healthy(), (0.0, -30, 66), 8.0, side=side)
        assert not beyond(ball)
    free = nf.Target.ball(healthy(), (0.0, -30, 66), 8.0)
    right = healthy().right_of_midline(healthy().mesh.centroids[free.elements])
    assert (right < 0).any()
    assert (right > 0).any()


def test_targets_of_another_head_are_refused_everywhere():
    head = nf.sphere_head((70, 80, 90), edge=9.0)
    other = nf.sphere_head((69, 80, 90), edge=9.0)
    coil, grid = nf.load_coil("figure8-ideal"), Grid(radius=10, spacing=10, angle_step=90)
    target, foreign = (nf.Target.ball(each, (40, 0, 50), radius=8) for each in (head, other))
    for wrong in ({"target": foreign}, {"homologous": foreign}):
        with pytest.raises(nf.InputError, match=f"{foreign.mesh[:8]}.*{head.mesh.digest[:8]}"):
            nf.plan(nf.Solver(head), coil, wrong.get("target", target), grid=grid, homologous=wrong.get("homologous"))
    stages = []
    with pytest.raises(nf.InputError, match="another mesh"):
        survey(head, coil, {"one": target, "two": foreign}, grid=grid, progress=lambda *told: stages.append(told))
    assert stages == []  # before any work
    check_same_mesh(head.with_conductivity({"bone": 0.02}), target)
    check_same_mesh(head, replace(target, mesh=""))
    with pytest.raises(nf.InputError, match="another mesh"):
        check_same_mesh(other, replace(target, mesh=""))


def test_every_site_has_both_sides_in_the_healthy_head():
    for place in SITES:
        for side in SIDES:
            target = nf.Target.named(healthy(), place.name, side)
            assert target.name == place.name
            assert not beyond(target)
            assert not codes(target)
