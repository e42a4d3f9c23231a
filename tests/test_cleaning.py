"""Cleaning: closed layers of the promised thickness, in millimetres, whatever the voxel size."""

import numpy as np
import pytest
from phantoms import phantom_labels
from scipy import ndimage

from neuro_field.errors import InputError
from neuro_field.mri.cleaning import MARGIN, clean_labels
from neuro_field.mri.volume import voxel_sizes

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
