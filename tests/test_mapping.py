"""Mapping to MNI: from labels alone, the same every time, and left stays left."""

import pickle
import re
from pathlib import Path

import doors
import nibabel as nib
import numpy as np
import pytest
from phantoms import phantom_labels
from scipy.spatial.transform import Rotation

from neuro_field.arrays import transformed
from neuro_field.errors import InputError
from neuro_field.mri.mapping import MapRefused, _check, _turned, register_to_mni
from neuro_field.mri.overlap import Overlap, overlap_of

COLIN27 = Path(__file__).parents[1] / "meshes" / "colin27" / "colin27_labels.nii.gz"


@pytest.fixture(scope="module")
def colin27():
    """Labels at 2 mm (every other voxel), their affine, and 700 places of the brain in world mm."""
    image = nib.load(COLIN27)
    labels = np.asarray(image.dataobj)[::2, ::2, ::2]
    affine = image.affine @ np.diag([2.0, 2.0, 2.0, 1.0])
    brain = np.argwhere(np.isin(labels, (1, 2)))[::250].astype(float)
    return labels, affine, transformed(brain, affine)


@pytest.fixture(scope="module")
def mapping(colin27):
    """The map found for Colin27."""
    return register_to_mni(*colin27[:2])


def test_a_head_that_is_in_mni_space_maps_to_nearly_itself(colin27, mapping):
    moved = np.linalg.norm(mapping.to_mni(colin27[2]) - colin27[2], axis=1)
    assert moved.mean() < 3.0  # Colin27's brain is 2 to 3 % larger than the average: 2 mm at its rim
    assert "overlap 0.9" in mapping.source


def test_left_stays_left_and_front_stays_front(mapping):
    image = mapping.to_mni(np.array([[-40.0, -20.0, 50.0], [40.0, -20.0, 50.0], [0.0, 60.0, 0.0]]))
    assert image[0, 0] < -30
    assert image[1, 0] > 30
    assert image[2, 1] > 50


def test_a_tilted_shifted_and_stretched_copy_is_found_and_not_taken_for_one_with_exchanged_axes(colin27, mapping):
    labels, affine, places = colin27
    moved = np.eye(4)
    turn = Rotation.from_euler("xyz", (35, -8, 20), degrees=True).as_matrix()
    moved[:3, :3] = turn @ np.diag((1.08, 0.95, 1.03))
    moved[:3, 3] = (15, -25, 30)
    found = register_to_mni(labels, moved @ affine)
    error = np.linalg.norm(found.to_mni(transformed(places, moved)) - mapping.to_mni(places), axis=1)
    assert error.max() < 0.5


def test_a_large_lesion_hardly_pulls_the_map_and_the_answer_repeats(colin27, mapping):
    labels, affine, places = colin27
    hurt = labels.copy()
    world = transformed(np.argwhere(labels >= 0).astype(float), affine).reshape(*labels.shape, 3)
    cavity = (np.linalg.norm(world - [-45, -15, 30], axis=-1) < 25) & np.isin(labels, (1, 2, 3))
    hurt[cavity] = 21
    found = register_to_mni(hurt, affine)
    assert np.linalg.norm(found.to_mni(places) - mapping.to_mni(places), axis=1).mean() < 0.3
    np.testing.assert_array_equal(register_to_mni(hurt, affine).mni_from_head, found.mni_from_head)


def test_what_cannot_be_mapped_is_refused(colin27):
    labels, affine, _ = colin27
    with pytest.raises(InputError, match="white or grey"):
        register_to_mni(np.where(labels == 4, 4, 0), affine)
    half, _ = phantom_labels(6.0)
    half[:, : half.shape[1] // 2 + 6] = 0
    with pytest.raises(InputError, match="could not be mapped"):
        register_to_mni(half, phantom_labels(6.0)[1])


def refused(scene, kind):
    """How a scene is refused; not refusing fails."""
    with pytest.raises(MapRefused) as caught:
        register_to_mni(scene.labels, scene.affine)
    assert caught.value.kind == kind
    assert "\n" not in str(caught.value)
    again = pickle.loads(pickle.dumps(caught.value))
    assert (again.kind, str(again)) == (kind, str(caught.value))
    return str(caught.value)


def knob_error(scene, mapping, found):
    """How far, mm, a map of a scene puts the hand knobs from where the map of the untouched head puts them."""
    truth = transformed(mapping.from_mni(doors.HAND_KNOBS), scene.world)
    return float(np.linalg.norm(found.from_mni(doors.HAND_KNOBS) - truth, axis=1).max())


def test_an_lps_image_read_as_ras_is_refused_with_what_fits():
    message = refused(doors.colin27(2).moved(doors.flipped(0, 1)), "axes-exchanged")
    assert "left and right and front and back exchanged (LPS read as RAS)" in message
    fits, claimed = (float(number) for number in re.search(r"by (0\.\d\d), as .* by (0\.\d\d);", message).groups())
    assert fits > claimed + 0.1


def test_every_exchange_of_axes_is_named_by_what_is_where():
    fits = Overlap(0.9, 0.7, 0.7, 0.3)
    upside_down = _turned(np.diag([-1.0, 1.0, -1.0]), fits, None)
    assert "has left and right and up and down exchanged:" in upside_down
    assert "in no way" in upside_down
    lying = np.array([[1.0, 0, 0], [0, 0, -1.0], [0, 1.0, 0]])  # the top is where the file says front
    assert "axes exchanged (right is its right, front is its bottom, top is its front)" in _turned(lying, fits, fits)


def test_what_the_image_does_not_show_does_not_pull_the_map_padded_or_not(mapping):
    scene = doors.cut(2, 0, high=40)
    padding = ((0, 12), (0, 0), (0, 0))
    padded = np.pad(scene.labels, padding)
    found = register_to_mni(padded, scene.affine, padding=padding)
    assert knob_error(scene, mapping, found) < 2.0
    assert overlap_of(padded, scene.affine, found, padding).white > 0.65  # as of the whole head
    assert overlap_of(padded, scene.affine, found, padding).brain > 0.9
    assert overlap_of(scene.labels, scene.affine, found).white > 0.65
    assert overlap_of(padded, scene.affine, found).brain < 0.87  # what was added is no view of the image


def test_exchanged_tissues_and_a_size_that_is_no_persons_are_refused(mapping):
    scene = doors.relabelled(2, {1: 2, 2: 1})
    matrix, swapped = mapping.mni_from_head, overlap_of(scene.labels, scene.affine, mapping)
    right = overlap_of(doors.colin27(2).labels, scene.affine, mapping)
    _check(matrix, right, upright=True)
    for given, size, kind, says in (
        (swapped, 1.0, "tissues-exchanged", "say which numbers"),
        (right, 0.68, "size", r"is 1\.4\d times as long"),
        (right, 1.6, "size", r"is 0\.6\d times as long"),
        (Overlap(0.9, 0.4, 0.5, 0.3), 1.0, "overlap", r"by 0\.40 \(0\.45 is needed\).*--lesion"),
        (Overlap(0.6, 0.5, 0.5, 0.3), 1.0, "overlap", "its brain by 0.60"),
    ):
        with pytest.raises(MapRefused, match=says) as caught:
            _check(np.diag([size, size, size, 1.0]) @ matrix, given, upright=True)
        assert caught.value.kind == kind
    with pytest.raises(MapRefused, match="could not be mapped"):
        _check(matrix, right, upright=False)
