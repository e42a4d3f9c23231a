"""A T1 tells whether its labels and its lesion mask lie on it as they are said to."""

from dataclasses import replace

import doors
import numpy as np
import pytest
from tests_support import only, refusal

from neuro_field.errors import InputError
from neuro_field.head.mapping import AffineMapping
from neuro_field.io.images import Image, check_worlds, write_image
from neuro_field.mri.agreement import check_labels, check_lesion, fits_of
from neuro_field.mri.volume import Volume
from neuro_field.store.building import drawn_for


@pytest.fixture(scope="module")
def scene():
    """The upper part of the head in voxels of 4 mm: enough to tell, and quick."""
    return doors.cut(4, 2, low=0)


def volumes(scene, world=None):
    return Volume(scene.labels, scene.affine if world is None else world @ scene.affine), Volume(
        scene.t1, scene.t1_affine
    )


def test_labels_on_their_own_t1_are_taken_and_explain_it_best_where_they_lie(scene):
    labels, t1 = volumes(scene)
    given, *others = fits_of(labels, t1)
    assert given.turned == "as-given"
    assert given.ratio > 0.5
    assert max(others, key=lambda fit: fit.ratio).away == 0
    assert max(fit.ratio for fit in others if fit.turned != "as-given") < 0.85 * given.ratio
    assert check_labels(labels, t1, "both") == ()


@pytest.mark.parametrize(
    ("world", "says"),
    [
        (doors.flipped(0), r"fit the T1 mirrored left-right \(0\.\d\d against 0\.\d\d"),
        (doors.flipped(0, 1), r"LPS read as RAS\) and moved by \d\d mm"),
        (doors.shifted(0, 0, -8), r"fit the T1 moved by 8 mm"),
        (doors.shifted(0, 140, 0), r" [234]\d% of the labels lie within the T1"),
    ],
)
def test_labels_that_lie_elsewhere_are_refused_with_what_fits_better(scene, world, says):
    with pytest.raises(InputError, match=says) as caught:
        check_labels(*volumes(scene, world), "The labels a and the T1 b")
    assert "\n" not in str(caught.value)


def test_a_t1_that_the_labels_do_not_explain_is_told(scene):
    noise = np.random.default_rng(1).normal(100, 10, scene.t1.shape)
    found = only(check_labels(Volume(scene.labels, scene.affine), Volume(noise, scene.t1_affine), "both"))
    assert found.code == "image-labels-unlike-t1"


def test_a_mask_drawn_in_mni_space_is_told_and_one_that_lies_right_is_not():
    scene = doors.cavity(4, 50, masked=True)
    brain = Volume(np.isin(scene.labels, (1, 2)) | (scene.lesion > 0), scene.affine)
    mapping = AffineMapping(np.linalg.inv(doors.shifted(9, -8, 7)))  # the head lies 14 mm from MNI space
    head = Volume(scene.t1, doors.shifted(9, -8, 7) @ scene.t1_affine)
    brain = replace(brain, affine=doors.shifted(9, -8, 7) @ brain.affine)
    as_drawn = Volume(scene.lesion, doors.shifted(9, -8, 7) @ scene.affine)
    assert check_lesion(as_drawn, head, brain, mapping) == ()
    found = only(check_lesion(Volume(scene.lesion, scene.affine), head, brain, mapping))
    assert found.code == "lesion-in-atlas"
    assert found.values["apart"] == pytest.approx(np.linalg.norm([9, -8, 7]), abs=0.1)
    dull = Volume(np.ones_like(scene.t1), head.affine)  # a lesion that the T1 does not show
    assert check_lesion(Volume(scene.lesion, scene.affine), dull, brain, mapping) == ()


def test_a_mask_in_an_atlas_on_a_t1_of_the_patient_is_refused(tmp_path):
    values = np.ones((91, 109, 91), dtype=np.uint8)
    mni = np.diag([-2.0, 2.0, 2.0, 1.0])
    mni[:3, 3] = 90, -126, -72
    own = doors.shifted(-88.3, -120.1, -70.2) @ np.diag([2.0, 2.0, 2.0, 1.0])
    t1 = Image(values, own, tmp_path / "T1.nii.gz")
    assert t1.atlas_code is None
    for mask in (
        Image(values, mni, tmp_path / "m.nii.gz"),  # MNI's grid, whatever its code
        Image(values[1:], own, tmp_path / "m.nii.gz", code=4),
    ):
        assert mask.atlas_code == 4
        with pytest.raises(InputError, match=r"must lie in one world.*code 4.*nearest neighbour"):
            check_worlds(mask, t1)
    check_worlds(Image(values, own, tmp_path / "m.nii.gz", code=4), t1)  # on the T1's own grid it is the T1's
    check_worlds(Image(values, mni, tmp_path / "m.nii.gz"), Image(values, mni, tmp_path / "T1.nii.gz", code=4))


def test_the_worlds_of_a_mask_and_its_image_are_compared_when_it_is_taken(tmp_path):
    own = doors.shifted(-8, -9, -7) @ np.diag([2.0, 2.0, 2.0, 1.0])
    write_image(tmp_path / "mask.nii.gz", np.ones((9, 9, 9), dtype=np.uint8), own, 4)
    t1 = Image(np.ones((8, 9, 9)), own, tmp_path / "T1.nii.gz")
    assert "must lie in one world" in refusal(drawn_for, tmp_path / "mask.nii.gz", None, t1)
