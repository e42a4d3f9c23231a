"""Mapping to MNI: from labels alone, the same every time, and left stays left."""

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from phantoms import phantom_labels
from scipy.spatial.transform import Rotation

from neuro_field.arrays import transformed
from neuro_field.errors import InputError
from neuro_field.mri.mapping import register_to_mni

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
