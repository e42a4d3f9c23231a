"""Cleaning: closed layers of the promised thickness, in millimetres, whatever the voxel size."""

import numpy as np
import pytest
from phantoms import phantom_labels
from scipy import ndimage
from skulls import bleeding_outside, craniectomy, faceless, island, t1_of
from tests_support import only

from neuro_field.errors import InputError
from neuro_field.geometry.voxels import voxel_sizes
from neuro_field.mri.build import prepare_labels
from neuro_field.mri.cleaning import MARGIN, clean_labels
from neuro_field.mri.defaced import of_face
from neuro_field.mri.regions import inside_dura
from neuro_field.mri.volume import Volume

SPACINGS = [3.0, (2.0, 2.0, 4.0)]


def distance_to(mask, affine):
    """Distance of every voxel to the nearest voxel of a mask, mm."""
    return ndimage.distance_transform_edt(~mask, sampling=voxel_sizes(affine))


@pytest.mark.parametrize("spacing", SPACINGS)
def test_no_brain_touches_bone_and_no_csf_touches_scalp_after_cleaning(spacing):
    labels, affine = phantom_labels(spacing)
    holed = labels.copy()
    middle = labels.shape[1] // 2
    holed[:, middle - 4 : middle + 4][labels[:, middle - 4 : middle + 4] == 4] = 5  # a gap in the skull
    holed[:, :, -20:][labels[:, :, -20:] == 3] = 2  # brain up to the bone at the top
    cleaned = clean_labels(holed, affine)
    face = ndimage.generate_binary_structure(3, 1)
    around_brain = ndimage.binary_dilation(np.isin(cleaned.labels, (1, 2)), face)
    assert not (around_brain & np.isin(cleaned.labels, (0, 4, 5))).any()
    around_csf = ndimage.binary_dilation(np.isin(cleaned.labels, (1, 2, 3)), face)
    assert not (around_csf & np.isin(cleaned.labels, (0, 5))).any()
    bone_or_deeper = np.isin(cleaned.labels, (1, 2, 3, 4))
    assert distance_to(np.isin(cleaned.labels, (1, 2, 3)), affine)[~bone_or_deeper].min() > 2.0
    assert distance_to(bone_or_deeper, affine)[cleaned.labels == 0].min() > 2.0


def test_a_clean_head_is_left_almost_alone():
    labels, affine = phantom_labels(2.0, eyes=True)
    cleaned = clean_labels(labels, affine)
    np.testing.assert_array_equal(cleaned.affine, affine)
    assert cleaned.labels.shape == labels.shape
    for tag in (1, 2, 3, 6):
        np.testing.assert_array_equal(cleaned.labels == tag, labels == tag)
    changed = np.count_nonzero(cleaned.labels != labels) / np.count_nonzero(labels)
    assert changed < 0.01  # smoothing at 0.8 mm takes the odd staircase voxel
    assert cleaned.report.findings == ()


def test_a_head_cut_at_the_top_is_padded_and_closed_and_the_affine_follows():
    labels, affine = phantom_labels(2.0)
    top = int(np.flatnonzero((labels == 4).any(axis=(0, 1)))[-1])
    cut = labels[:, :, : top - 1]  # no scalp and half the bone left at the vertex
    cleaned = clean_labels(cut, affine)
    assert cleaned.report.padding[2] == (0, int(MARGIN / 2))
    np.testing.assert_array_equal(cleaned.affine, affine)  # padding above leaves the first voxel where it was
    above = cleaned.labels[cut.shape[0] // 2, cut.shape[1] // 2, cut.shape[2] - 3 :]
    assert list(above[above > 0][-1:]) == [5]
    bone_or_deeper = np.isin(cleaned.labels, (1, 2, 3, 4))
    assert distance_to(bone_or_deeper, affine)[cleaned.labels == 0].min() > 2.0
    assert cleaned.report.findings[0].values["end"] == "top"


def test_padding_at_a_low_end_shifts_the_affine_so_that_world_places_stay():
    labels, affine = phantom_labels(3.0)
    first = int(np.flatnonzero((labels > 0).any(axis=(1, 2)))[0])
    cut, moved = labels[first + 2 :], affine.copy()
    moved[0, 3] += 3.0 * (first + 2)
    cleaned = clean_labels(cut, moved)
    (before, _), *_ = cleaned.report.padding
    assert before == 2
    voxel = np.argwhere(cleaned.labels == 1).mean(axis=0)
    np.testing.assert_allclose(cleaned.affine[:3, :3] @ voxel + cleaned.affine[:3, 3], [0, -18, 8], atol=0.1)
    assert cleaned.report.findings[0].values["end"] == "left"


def test_the_side_below_is_read_from_the_affine_and_stays_open():
    labels, affine = phantom_labels(3.0)
    low = labels.shape[2] // 2 - 12
    cut, moved = labels[:, :, low:], affine.copy()
    moved[2, 3] += 3.0 * low
    assert clean_labels(cut, moved).report.padding[2] == (0, 0)
    upside_down = moved @ np.diag([1.0, 1.0, -1.0, 1.0])
    upside_down[:3, 3] = moved[:3, 3] + moved[:3, 2] * (cut.shape[2] - 1)
    flipped = clean_labels(cut[:, :, ::-1], upside_down)
    assert flipped.report.padding[2] == (0, 0)
    np.testing.assert_array_equal(flipped.labels[:, :, ::-1], clean_labels(cut, moved).labels)


def test_specks_and_second_heads_go_and_eyes_stay():
    labels, affine = phantom_labels(2.0, eyes=True)
    dirty = labels.copy()
    centre = np.array(labels.shape) // 2
    dirty[tuple(centre)] = 5  # scalp inside white matter
    dirty[centre[0], centre[1], centre[2] + 4] = 0  # air inside white matter
    dirty[0:2, 0:2, 0:2] = 5  # something floating in the corner
    cleaned = clean_labels(dirty, affine)
    assert cleaned.labels[tuple(centre)] == 1
    assert cleaned.labels[centre[0], centre[1], centre[2] + 4] == 1
    assert not cleaned.labels[0:2, 0:2, 0:2].any()
    np.testing.assert_array_equal(cleaned.labels == 6, labels == 6)


def test_a_lesion_drawn_in_the_labels_is_not_cleaned_away():
    labels, affine = phantom_labels(3.0)
    centre = np.array(labels.shape) // 2
    labels[centre[0] - 8, centre[1], centre[2]] = 21
    assert np.count_nonzero(clean_labels(labels, affine).labels == 21) == 1


def told(findings, code):
    return [dict(found.values) for found in findings if found.code == code]


def ball(labels, affine, center, radius):
    """Voxels within a distance of a place, mm."""
    places = np.moveaxis(np.indices(labels.shape), 0, -1) @ affine[:3, :3].T + affine[:3, 3]
    return np.linalg.norm(places - center, axis=-1) < radius


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("masked", [True, False])
def test_an_island_of_brain_in_a_cavity_lives(side, masked):
    labels, affine = phantom_labels(3.0)
    cavity, kept = island(labels, affine, side=side)
    if not masked:
        labels = np.where(cavity, np.uint8(3), labels)
    ready = prepare_labels(labels, affine, cavity if masked else None)
    assert np.isin(ready.labels[kept], (1, 2)).mean() > 0.99
    assert (ready.labels[cavity] == (21 if masked else 3)).mean() > 0.85 + 0.15 * masked - 1e-9


def test_brain_away_from_the_brain_goes_and_what_may_matter_is_said():
    labels, affine = phantom_labels(2.0)
    cavity, _ = island(labels, affine, cm3=0.0)
    within = np.argwhere(cavity).mean(axis=0) @ affine[:3, :3].T + affine[:3, 3]
    speck = ball(labels, affine, within, 3.2)  # 0.14 cm3
    outside = ball(labels, affine, (0.0, 81.0, 8.0), 7.0) & (labels == 5)  # as an eye is taken for brain
    labels = np.where(cavity, np.uint8(3), labels)
    labels[speck | outside] = 2
    cleaned = clean_labels(labels, affine)
    assert (cleaned.labels[speck] == 3).all()
    assert not np.isin(cleaned.labels[outside], (1, 2, 3)).any()
    removed = only(told(cleaned.report.findings, "build-brain-removed"))
    assert removed["cm3"] == pytest.approx(np.count_nonzero(speck | outside) * 0.008, rel=0.05)
    assert np.linalg.norm([removed["x"], removed["y"] - 81.0, removed["z"] - 8.0]) < 8


def test_a_cavity_taken_for_air_or_bone_is_inside_the_dura():
    labels, affine = phantom_labels(3.0)
    for tag in (0, 4, 5):
        cavity, _ = island(labels, affine, cm3=0.0, cavity_cm3=20.0)
        drawn = np.where(cavity, np.uint8(tag), labels)
        assert (clean_labels(drawn, affine).labels[cavity] == 3).all()
        ready = prepare_labels(drawn, affine, cavity)
        assert (ready.labels[cavity] == 21).all()
        assert ready.record["lesion"]["placed_cm3"] == pytest.approx(20.0, rel=0.01)


def test_layers_leave_no_crumbs_of_soft_tissue_behind():
    labels, affine = phantom_labels(2.0)
    inside = np.isin(labels, (1, 2, 3))
    lens = ball(labels, affine, (70.0, -18.0, 8.0), 10.5) & (labels == 4)
    lens &= ndimage.distance_transform_edt(~inside, sampling=2.0) < 5.0
    labels[lens] = 5  # soft tissue between dura and bone: the bone that is closed around the dura breaks it up
    assert np.count_nonzero(lens) * 0.008 > 1.0
    cleaned = clean_labels(labels, affine)
    pieces = ndimage.label(cleaned.labels == 5, np.ones((3, 3, 3)))[1]
    assert pieces == 1


def test_what_hung_on_by_a_thread_does_not_float_beside_the_head():
    labels, affine = phantom_labels(1.0, scale=0.5, margin=26.0)
    beside = ball(labels, affine, (0.0, -18.0, 68.0), 9.0)  # the head ends at 52.5
    column = np.rint(np.linalg.inv(affine) @ [0.0, -18.0, 0.0, 1.0])[:2].astype(int)
    top = int(np.flatnonzero(beside.any(axis=(0, 1)))[0])
    thread = labels[column[0], column[1], top // 2 : top]
    thread[thread == 0] = 5
    labels[beside] = 5
    assert ndimage.label(labels > 0)[1] == 1
    cleaned = clean_labels(labels, affine)
    assert ndimage.label(cleaned.labels > 0)[1] == 1
    assert not cleaned.labels[:, :, : labels.shape[2]][beside].any()


def test_blood_outside_the_skull_is_not_wrapped_in_bone():
    labels, affine = phantom_labels(2.0)
    bled = bleeding_outside(labels, affine)
    cleaned, plain = clean_labels(bled, affine), clean_labels(labels, affine)
    assert np.count_nonzero(cleaned.labels == 9) > 0.9 * np.count_nonzero(bled == 9)
    assert abs(np.count_nonzero(cleaned.labels == 4) - np.count_nonzero(plain.labels == 4)) * 0.008 < 0.5
    within = np.where(ball(labels, affine, (66.0, -18.0, 8.0), 12.0) & (labels == 3), np.uint8(9), labels)
    inside = clean_labels(within, affine)  # under the skull it is closed in as brain and CSF are
    assert (distance_to(inside.labels == 9, affine)[inside.labels == 5] > 2.0).all()


def test_blood_that_comes_out_through_an_opening_of_the_skull_is_outside():
    labels, affine = phantom_labels(3.0)
    bled = bleeding_outside(craniectomy(labels, affine, 6.0)[0], affine, cm3=12.0)
    touching = ndimage.binary_dilation(bled == 9) & (bled == 3)
    assert touching.any()
    assert not (inside_dura(bled) & (bled == 9)).any()


def test_layers_that_are_made_up_are_told_in_cubic_centimetres():
    labels, affine = phantom_labels(3.0)
    bare = np.where(
        (labels == 5) & (np.moveaxis(np.indices(labels.shape), 0, -1)[..., 2] > labels.shape[2] * 0.75), 0, labels
    )
    cleaned = clean_labels(bare, affine)
    told_of = only(told(cleaned.report.findings, "build-layers-invented"))
    assert told_of["tissue"] == "scalp"
    assert told_of["cm3"] == pytest.approx(cleaned.report.invented_cm3["scalp"])
    assert told_of["above_cm3"] > 5
    assert told_of["z"] > 60
    assert not told(clean_labels(labels, affine).report.findings, "build-layers-invented")


@pytest.mark.parametrize("where", ["below", "above"])
def test_much_below_and_little_above_the_middle_are_told(where):
    labels, affine = phantom_labels(3.0)
    height = affine[2, 2] * np.arange(labels.shape[2]) + affine[2, 3]
    bare = (labels == 5) & (height < -40.0 if where == "below" else height > 75.0)
    found = only(told(clean_labels(np.where(bare, 0, labels), affine).report.findings, "build-layers-invented"))
    assert (found["cm3"] > 40) == (where == "below")
    assert (found["above_cm3"] > 5) == (where == "above")


def test_a_stem_that_the_image_ends_in_is_as_it_should_be():
    labels, affine = phantom_labels(3.0)
    brain = np.isin(labels, (1, 2)).sum(axis=(0, 1)) * 0.09
    low = int(np.flatnonzero(brain > 0)[0])
    assert 0 < brain[low] < 8.0
    moved = affine.copy()
    moved[2, 3] += 3.0 * low
    assert not told(clean_labels(labels[:, :, low:], moved).report.findings, "build-image-cuts-brain")


def test_an_image_that_ends_in_the_brain_is_told():
    labels, affine = phantom_labels(3.0)
    low = labels.shape[2] // 2 - 8
    moved = affine.copy()
    moved[2, 3] += 3.0 * low
    cut = only(told(clean_labels(labels[:, :, low:], moved).report.findings, "build-image-cuts-brain"))
    area = np.count_nonzero(np.isin(labels[:, :, low], (1, 2))) * 0.09
    assert cut["area_cm2"] == pytest.approx(area)


def test_a_face_that_was_removed_is_told():
    labels, affine = phantom_labels(3.0, eyes=True)
    gone = faceless(labels, affine)
    t1 = t1_of(labels)
    assert of_face(labels, affine, Volume(t1, affine)) == ()
    found = only(of_face(np.where(gone, np.uint8(0), labels), affine))
    assert found.values["filled"] < 0.5
    found = only(of_face(labels, affine, Volume(np.where(gone, 0.0, t1 + 1.0), affine)))
    assert found.values["empty"] > 0.3
    record = prepare_labels(np.where(gone, np.uint8(0), labels), affine, table="simnibs").record
    assert "build-face-removed" in [row["code"] for row in record["findings"]]


def test_an_image_that_ends_above_the_mouth_says_nothing_of_the_face():
    labels, affine = phantom_labels(3.0, eyes=True)
    middle = np.argwhere(np.isin(labels, (1, 2))).mean(axis=0).astype(int)
    gone = labels.copy()
    gone[:, middle[1] + 15 :, : middle[2]] = 0
    assert of_face(gone, affine) != ()
    low = middle[2] - 10
    moved = affine.copy()
    moved[2, 3] += 3.0 * low
    assert of_face(gone[:, :, low:], moved) == ()


def test_a_change_is_told_by_its_volume_whatever_its_share():
    labels, affine = phantom_labels(3.0)
    ring = (labels == 4) & (ndimage.binary_dilation(labels == 5, iterations=1))
    grown = labels.copy()
    grown[ring] = 5  # bone thinner by a voxel: smoothing and layers change little of it
    assert told(clean_labels(grown, affine).report.findings, "build-volume-changed") == []
    from neuro_field.mri.cleaning import _large_changes

    change = only(_large_changes({"scalp": 1500.0, "csf": 300.0}, {"scalp": 1445.0, "csf": 320.0}))
    assert (change.values["tissue"], change.values["change_cm3"]) == ("scalp", -55.0)
    for before, after, said in ((100.0, 112.0, True), (100.0, 108.0, False), (10.0, 14.0, False), (10.0, 16.0, True)):
        assert bool(_large_changes({"bone": before}, {"bone": after})) == said


def test_the_report_accounts_for_every_cubic_centimetre():
    labels, affine = phantom_labels(3.0)
    rng = np.random.default_rng(3)
    speck = rng.random(labels.shape) < 0.002
    labels[speck & (labels > 0)] = 4
    cleaned = clean_labels(labels, affine)
    report = cleaned.report
    assert report.before_cm3["bone"] == pytest.approx(np.count_nonzero(labels == 4) * 0.027)
    assert report.after_cm3["bone"] == pytest.approx(np.count_nonzero(cleaned.labels == 4) * 0.027)
    assert report.change_cm3["bone"] < 0
    assert report.moved_cm3["islands"] > 0


def test_a_large_change_is_told():
    labels, affine = phantom_labels(3.0)
    holed = np.where((labels == 4) & (np.indices(labels.shape)[0] < labels.shape[0] // 2), 5, labels)
    told = {(found.code, found.values["tissue"]) for found in clean_labels(holed, affine).report.findings}
    assert ("build-volume-changed", "bone") in told
    assert clean_labels(labels, affine).report.findings == ()


@pytest.mark.parametrize(("tag", "name"), [(2, "grey matter"), (4, "bone"), (5, "scalp")])
def test_labels_without_a_needed_tissue_are_refused(tag, name):
    labels, affine = phantom_labels(6.0)
    labels[labels == tag] = 0
    with pytest.raises(InputError, match=f"must hold {name}"):
        clean_labels(labels, affine)


def test_affines_that_cannot_be_right_are_refused():
    labels, affine = phantom_labels(6.0)
    with pytest.raises(InputError, match="4x4"):
        clean_labels(labels, np.eye(3))
    with pytest.raises(InputError, match=r"0\.2 to 10 mm"):
        clean_labels(labels, np.diag([0.001, 0.001, 0.001, 1]))
    sheared = affine.copy()
    sheared[0, 1] = 6.0
    with pytest.raises(InputError, match="sheared"):
        clean_labels(labels, sheared)
