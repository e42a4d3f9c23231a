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
from neuro_field.head.doubts import LEAST_OVERLAP
from neuro_field.mri.mapping import MapRefused, register_to_mni
from neuro_field.mri.overlap import overlap_of

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


def test_a_turned_shifted_and_stretched_copy_is_found_within_half_a_millimetre(colin27, mapping):
    labels, affine, places = colin27
    moved = np.eye(4)
    turn = Rotation.from_euler("xyz", (12, -8, 20), degrees=True).as_matrix()
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
    hurt[cavity] = 3  # the same hole taken for CSF pulls more: the mask is what protects
    unmasked = register_to_mni(hurt, affine)
    pulled = np.linalg.norm(unmasked.to_mni(places) - mapping.to_mni(places), axis=1).mean()
    assert pulled > 2 * np.linalg.norm(found.to_mni(places) - mapping.to_mni(places), axis=1).mean()


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


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("LPS read as RAS", r"left and right and front and back exchanged \(LPS read as RAS\)"),
        ("lying, 90 degrees", "axes exchanged"),
    ],
)
def test_an_image_whose_axes_are_exchanged_is_refused_with_what_fits(name, says):
    message = refused(doors.named(name), "axes-exchanged")
    assert re.search(says, message)
    fits, claimed = (float(number) for number in re.search(r"by (0\.\d\d), as .* by (0\.\d\d);", message).groups())
    assert fits > claimed + 0.1


@pytest.mark.parametrize("turn", [("x", 35), ("z", 30)])
def test_a_head_that_lies_tilted_is_not_taken_for_one_with_exchanged_axes(mapping, turn):
    scene = doors.colin27(2).moved(doors.turned(*turn))
    assert knob_error(scene, mapping, register_to_mni(scene.labels, scene.affine)) < 0.5


@pytest.mark.parametrize(("axis", "ends"), [(2, {"low": -20}), (0, {"high": 40})])
def test_what_the_image_does_not_show_does_not_pull_the_map(mapping, axis, ends):
    scene = doors.cut(2, axis, **ends)
    found = register_to_mni(scene.labels, scene.affine)
    assert knob_error(scene, mapping, found) < 2.0
    assert overlap_of(scene.labels, scene.affine, found).white > 0.65  # as of the whole head


def test_padding_is_not_taken_for_what_the_image_shows(mapping):
    scene = doors.cut(2, 2, high=45)
    padding = ((0, 0), (0, 0), (0, 12))
    padded = np.pad(scene.labels, padding)
    found = register_to_mni(padded, scene.affine, padding=padding)
    assert knob_error(scene, mapping, found) < 2.0
    assert overlap_of(padded, scene.affine, found, padding).white > 0.65
    as_air = register_to_mni(padded, scene.affine)
    assert knob_error(scene, mapping, as_air) > 5.0


@pytest.mark.parametrize("grown", [6, 12])
def test_large_ventricles_are_mapped_and_at_most_doubted(mapping, grown):
    scene = doors.ventricles(2, grown)
    found = register_to_mni(scene.labels, scene.affine)
    assert knob_error(scene, mapping, found) < 1.0
    assert overlap_of(scene.labels, scene.affine, found).white > 0.55


def test_exchanged_tissues_and_a_size_that_is_no_persons_are_refused():
    assert "say which numbers" in refused(doors.relabelled(2, {1: 2, 2: 1}), "tissues-exchanged")
    assert "1.4" in refused(doors.colin27(2).moved(doors.scaled(1.42, 1.42, 1.42)), "size")


def test_a_cavity_that_nobody_marked_is_told_or_refused_when_it_pulls_the_map():
    told = doors.cavity(2, 250, masked=False)
    assert overlap_of(told.labels, told.affine, register_to_mni(told.labels, told.affine)).white < LEAST_OVERLAP
    assert "--lesion" in refused(doors.cavity(2, 400, masked=False), "overlap")
