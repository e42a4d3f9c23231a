"""What labels, as they were given, call the voxels of a lesion is told, and warned of where it is no brain."""

import numpy as np
import pytest
from phantoms import phantom_labels

from neuro_field.findings import Finding
from neuro_field.mri.build import prepare_labels
from neuro_field.mri.labelled import lesion_labelled_as
from neuro_field.report.words import said


def ball(affine, shape, middle, radius=14.0):
    places = np.moveaxis(np.indices(shape), 0, -1) @ affine[:3, :3].T + affine[:3, 3]
    return np.linalg.norm(places - np.asarray(middle), axis=-1) < radius


def told(labels, affine, mask):
    """The finding in the record of what `build_head` would mesh."""
    found = [Finding.of_plain(row) for row in prepare_labels(labels, affine, mask).record["findings"]]
    (one,) = [finding for finding in found if finding.code == "lesion-labelled-as"]
    return one


def test_a_lesion_that_is_called_brain_is_a_note():
    labels, affine = phantom_labels(5.0)
    found = told(labels, affine, ball(affine, labels.shape, (-30, -20, 30)))
    assert found.level == "note"
    assert found.values["brain"] == 1.0
    assert "100 % brain" in said(found)
    assert "misled" not in said(found)


def test_a_lesion_that_the_segmenter_called_bone_is_a_warning():
    """As SAMSEG may call a cavity below the skull; cleaning may mend it, what was given is told."""
    labels, affine = phantom_labels(5.0)
    mask = ball(affine, labels.shape, (-30, -20, 30))
    wrong = np.where(mask & (np.indices(labels.shape)[2] % 2 == 0), np.uint8(4), labels)
    found = told(wrong, affine, mask)
    assert found.level == "warn"
    assert found.values["bone"] == pytest.approx(0.5, abs=0.1)
    assert "look at both" in said(found)


def test_a_mask_on_another_grid_and_beyond_the_image_counts_too():
    labels, affine = phantom_labels(5.0)
    fine = np.diag([2.0, 2.0, 2.0, 1.0])
    fine[:3, 3] = (-110.0, -30.0, 0.0)
    found = lesion_labelled_as(labels, affine, np.ones((20, 10, 10)), fine)
    assert found.level == "warn"
    assert found.values["other"] > 0.2  # air beside the head
    assert sum(found.values[name] for name in ("brain", "csf", "bone", "scalp", "other")) == pytest.approx(1.0)
