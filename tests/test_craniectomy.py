"""A skull that is open is found in labels and T1, measured, asked about, and kept open or closed as answered."""

from dataclasses import replace
from functools import lru_cache

import doors
import numpy as np
import pytest
from phantoms import phantom_labels
from skulls import craniectomy, flap_of, t1_of, world
from tests_support import only

import neuro_field as nf
from neuro_field.errors import InputError
from neuro_field.findings import Refusal
from neuro_field.head.mapping import AffineMapping
from neuro_field.head.openings import skull_openings
from neuro_field.mri.build import build_prepared, prepare_labels
from neuro_field.mri.skull_holes import skull_holes
from neuro_field.mri.volume import Volume
from neuro_field.report.words import said
from neuro_field.search.survey import survey

MAPPING = AffineMapping(np.eye(4), "the phantom lies in MNI space")
SIDES = ("left", "right")


@lru_cache(maxsize=2)
def whole(spacing=4.0):
    return phantom_labels(spacing)


def found_in(record, code):
    return [row for row in record["findings"] if row["code"] == code]


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("area", [20, 50, 80])
def test_missing_bone_is_found_in_labels_with_its_side_and_area(side, area):
    labels, affine = whole()
    opened, place = craniectomy(labels, affine, area, side)
    record = prepare_labels(opened, affine).record
    told = only(found_in(record, "build-skull-open"))
    assert told["values"]["opening_side"] == side
    assert told["values"]["area_cm2"] == pytest.approx(area, rel=0.2)
    assert told["values"]["seen"] == "labels"
    assert np.linalg.norm([told["values"][axis] for axis in "xyz"] - place) < 15


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("area", [20, 50, 80])
def test_bone_that_a_segmenter_made_up_is_found_in_the_t1(side, area):
    labels, affine = whole()
    t1 = Volume(t1_of(labels, gone=flap_of(labels, affine, area, side)[0]), affine)
    told = only(found_in(prepare_labels(labels, affine, t1=t1).record, "build-skull-open"))
    assert told["values"]["opening_side"] == side
    assert told["values"]["area_cm2"] == pytest.approx(area, rel=0.2)
    assert told["values"]["seen"] == "t1"


def test_a_whole_skull_a_burr_hole_and_the_base_are_not_told():
    labels, affine = whole()
    assert skull_holes(labels, affine, Volume(t1_of(labels, noise=8.0), affine)) == ()
    assert skull_holes(craniectomy(labels, affine, 2.0)[0], affine) == ()
    assert skull_holes(craniectomy(labels, affine, 30.0, direction=(0.3, 0.2, -1.0))[0], affine) == ()
    assert skull_holes(craniectomy(labels, affine, 2.0)[0], affine, least=0.5)  # it is there, only small


def test_fatty_marrow_between_two_tables_is_bone():
    labels, affine = whole()
    marrow = labels == 4
    around = np.pad(labels, 1)
    for axis in range(3):
        for step in (-1, 1):
            marrow &= np.roll(around, step, axis)[1:-1, 1:-1, 1:-1] == 4
    t1 = t1_of(labels, noise=2.0)
    t1[marrow] = 130.0
    assert marrow.any()
    assert skull_holes(labels, affine, Volume(t1, affine)) == ()


@pytest.mark.parametrize("side", SIDES)
def test_a_coil_that_is_nearer_to_one_side_neither_hides_nor_makes_an_opening(side):
    labels, affine = whole()
    nearer = 1.0 + (0.4 if side == "left" else -0.4) * np.linspace(-1, 1, labels.shape[0])[:, None, None]
    assert skull_holes(labels, affine, Volume(t1_of(labels) * nearer, affine)) == ()
    for dim_or_bright in SIDES:
        gone, _ = flap_of(labels, affine, 50, dim_or_bright)
        hole = only(skull_holes(labels, affine, Volume(t1_of(labels, gone=gone) * nearer, affine)))
        assert hole.opening.area == pytest.approx(50, rel=0.2)


def test_a_segmenters_bone_in_the_fluid_at_the_border_of_a_flap_is_part_of_its_opening():
    labels, affine = whole()
    gone, place = flap_of(labels, affine, 50)
    t1 = t1_of(labels, gone=gone, noise=0.0)
    border = gone & (np.linalg.norm(world(labels.shape, affine) - place, axis=-1) > np.sqrt(2000 / np.pi))
    t1[border] = 40.0  # fluid: a quarter of the way from bone to grey matter
    hole = only(skull_holes(labels, affine, Volume(t1, affine)))
    assert hole.opening.area == pytest.approx(50, rel=0.2)


def test_fluid_beneath_thin_bone_opens_nothing():
    labels, affine = whole()
    gone, _ = flap_of(labels, affine, 50)
    t1 = t1_of(labels, noise=0.0)
    t1[gone] = 40.0
    assert skull_holes(labels, affine, Volume(t1, affine)) == ()


def test_openings_come_largest_first():
    labels, affine = whole()
    small, large = flap_of(labels, affine, 20, "right")[0], flap_of(labels, affine, 50, "left")[0]
    both = np.where(small | large, np.uint8(5), labels)
    assert [hole.opening.area > 35 for hole in skull_holes(both, affine)] == [True, False]
    assert [hole.opening.area > 35 for hole in skull_holes(both[::-1], affine)] == [True, False]


def test_an_image_that_shows_no_bone_is_said_and_not_believed():
    labels, affine = whole()
    bright = t1_of(labels)
    bright[labels == 4] = 95.0
    record = prepare_labels(labels, affine, t1=Volume(bright, affine)).record
    assert found_in(record, "build-bone-not-seen")
    assert not found_in(record, "build-skull-open")
    assert not found_in(prepare_labels(labels, affine, t1=Volume(t1_of(labels), affine)).record, "build-bone-not-seen")


@pytest.fixture(scope="module", params=["labels", "t1"])
def seen(request):
    """Where a flap of 50 cm2 on the right is seen to be missing."""
    return request.param


@lru_cache(maxsize=2)
def opened(seen):
    """Labels, the T1 that shows them, the missing bone and its middle."""
    labels, affine = whole(2.5)
    gone, place = flap_of(labels, affine, 50, "right")
    t1 = Volume(t1_of(labels, gone=gone), affine)
    return (np.where(gone, np.uint8(5), labels) if seen == "labels" else labels), affine, t1, gone, place


@lru_cache(maxsize=8)
def built(seen, answer):
    labels, affine, t1, *_ = opened(seen)
    ready = prepare_labels(labels, affine, t1=t1, open_skull=answer)
    return ready, build_prepared(ready, 5.0, mapping=MAPPING)


def test_an_opening_that_is_answered_stays_open_there_and_only_there(seen):
    _, affine, _, gone, place = opened(seen)
    ready, head = built(seen, True)
    closed = prepare_labels(whole(2.5)[0], affine)
    over_flap = gone & (ready.labels == 4)
    assert np.count_nonzero(over_flap) < 0.15 * np.count_nonzero(gone)  # the rim
    lost = (closed.labels == 4) & (ready.labels != 4)
    places = np.argwhere(lost) @ affine[:3, :3].T + affine[:3, 3]
    assert np.linalg.norm(places - place, axis=1).max() < 10 * np.sqrt(50 / np.pi) + 12
    assert not np.isin(ready.labels[gone], (0, 1, 2)).any()
    opening = only(skull_openings(head))
    assert opening.area == pytest.approx(50, rel=0.35)  # of elements of 5 mm
    assert [found.level for found in head.findings if found.code == "build-skull-open"] == ["note"]
    assert not [found for found in head.findings if found.level == "stop"]


def test_an_opening_that_is_denied_is_closed_and_said(seen):
    ready, head = built(seen, False)
    assert skull_openings(head) == ()
    told = only([found for found in head.findings if found.code == "build-skull-open"])
    assert told.level == "warn"
    assert "closed with bone, as answered" in said(told)
    assert not [found for found in head.findings if found.level == "stop"]
    assert ready.record["skull"]["open_skull"] is False


def test_nothing_is_planned_while_an_opening_is_unanswered(seen, monkeypatch):
    _, head = built(seen, None)
    assert skull_openings(head) == ()  # closed, to be looked at
    assert [found.code for found in head.findings if found.level == "stop"] == ["head-open-skull-unanswered"]
    coil = nf.load_coil("figure8-70mm")
    target = nf.Target.ball(head, center=(-45, -18, 55), radius=10.0)
    grid = nf.Grid(radius=10, spacing=10, angle_step=90)
    solver = nf.Solver(head)
    pulses = nf.Pulses("FDI", np.tile(np.eye(4), (20, 1, 1)), np.full(20, 60.0), np.full(20, 400.0))

    def worked(*given, **named):
        pytest.fail("work was done before the refusal")

    solver.solve_many = solver.solve_each = solver.solve = worked
    for room in ("search.survey", "clinic.study"):
        monkeypatch.setattr(f"neuro_field.{room}.Solver", worked)
    for refused in (
        lambda: nf.plan(solver, coil, target, grid=grid),
        lambda: nf.live_field(solver, coil),
        lambda: nf.motor_map(solver, coil, pulses),
        lambda: nf.study(head, target=target, coil=coil, confirmed=["no-plates-or-clips"], grid=grid, draws=0),
        lambda: survey(head, coil, {"target": target}, grid=grid, draws=0),
    ):
        with pytest.raises(Refusal) as refusal:
            refused()
        assert [found.code for found in refusal.value.findings] == ["head-open-skull-unanswered"]


@pytest.mark.parametrize("answer", [True, False])
def test_plates_and_clips_are_asked_for_by_name_where_the_skull_was_opened(seen, answer):
    from neuro_field.clinic.answers import Answers, implants, of_open_skull
    from neuro_field.head.doubts import open_area

    _, head = built(seen, answer)
    area = open_area(head)
    assert area == pytest.approx(50, rel=0.35)
    assert [found.code for found in of_open_skull(Answers(), area)] == ["intake-open-skull"]
    assert not list(of_open_skull(Answers(), 0.0))
    for answers in (Answers(confirmed=("plate",)), Answers(confirmed=("no-plates-or-clips",))):
        assert not list(of_open_skull(answers, area))
        assert not [found for found in implants(answers) if found.level == "stop"]
    both = Answers(contraindications=("intracranial-clip",), confirmed=("no-plates-or-clips",))
    assert "intake-metal-contradicts" in [found.code for found in implants(both)]
    target = nf.Target.ball(head, center=(-45, -18, 55), radius=10.0)
    with pytest.raises(Refusal, match="intake-open-skull"):
        nf.study(head, target=target, coil=nf.load_coil("figure8-70mm"), draws=0)


def test_a_mesh_that_is_open_is_asked_about_too(seen):
    from neuro_field.head.doubts import open_area

    _, head = built(seen, True)
    bare = replace(head, provenance={})
    assert open_area(bare) == pytest.approx(50, rel=0.35)


def test_an_answer_for_a_whole_skull_and_answers_that_are_none():
    labels, affine = whole()
    assert found_in(prepare_labels(labels, affine, open_skull=True).record, "build-no-opening")
    assert not found_in(prepare_labels(labels, affine, open_skull=False).record, "build-no-opening")
    with pytest.raises(InputError, match="open_skull must be True, False or None"):
        prepare_labels(labels, affine, open_skull="yes")
    with pytest.raises(InputError, match="clean=False"):
        prepare_labels(labels, affine, open_skull=True, clean=False)


def test_a_head_tilted_to_its_side_is_not_taken_for_open():
    """Its base rises above the middle of the brain on one side: orbits and canals are no openings of the vault."""
    scene = doors.named("head tilted by 30 degrees", 2)
    assert skull_holes(scene.labels, scene.affine, Volume(scene.t1, scene.t1_affine)) == ()


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("drawn_closed", [True, False])
def test_thin_bone_beside_an_opening_is_bone_in_large_voxels(side, drawn_closed):
    """Mixed with what lies beside it, it is brighter than the bone of a fine image."""
    scene = doors.opened(2, 20.0, side, drawn_closed)
    hole = only(skull_holes(scene.labels, scene.affine, Volume(scene.t1, scene.t1_affine)))
    assert hole.opening.area == pytest.approx(20, rel=0.2)


def test_a_noisy_image_neither_hides_nor_makes_an_opening():
    """One voxel of noise, however dark, is no bone; nor is bone brighter for being compared with the darkest of it."""
    labels, affine = phantom_labels(1.0, scale=0.6)
    assert skull_holes(labels, affine, Volume(t1_of(labels, noise=40.0), affine)) == ()
    scene = doors.opened(1, 50.0, "right", True)
    noise = np.random.default_rng(0).normal(0, 40.0, scene.t1.shape)
    hole = only(skull_holes(scene.labels, scene.affine, Volume(np.clip(scene.t1 + noise, 0, None), scene.t1_affine)))
    assert hole.opening.area == pytest.approx(50, rel=0.1)


def test_bone_is_not_blurred_away():
    scene = doors.opened(1, 20.0, "left", True)
    hole = only(skull_holes(scene.labels, scene.affine, Volume(scene.t1, scene.t1_affine)))
    assert hole.opening.area == pytest.approx(20, rel=0.2)
