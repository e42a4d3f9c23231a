"""A lesion drawn on a FLAIR comes to the T1 by rotation and shift, and what does not fit is refused."""

from functools import lru_cache
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from scipy import ndimage
from tests_support import only

from neuro_field.arrays import transformed
from neuro_field.errors import InputError
from neuro_field.mri import lesion_image, rigid
from neuro_field.mri.drawn_lesion import drawn_lesion
from neuro_field.mri.lesion_image import carried_to_t1
from neuro_field.mri.rigid import matrix_of, register_rigid
from neuro_field.mri.volume import Volume
from neuro_field.report.words import said

COLIN = Path(__file__).parents[1] / "meshes" / "colin27"

#: A FLAIR's brightness of tissues: fluid dark, grey over white, the reverse of a T1.
BRIGHTNESS = {1: 90, 2: 130, 3: 12, 4: 25, 5: 110, 6: 20, 9: 60}

CENTRE = np.array([0.0, -18, 10])
CORNERS = np.array([[x, y, z] for x in (-60, 60) for y in (-90, 60) for z in (-30, 70)], dtype=float)


@lru_cache(maxsize=1)
def t1():
    image = nib.load(COLIN / "colin27_T1.nii.gz")
    return Volume(np.asarray(image.dataobj)[::2, ::2, ::2], image.affine @ np.diag([2, 2, 2, 1]))


def flair(t1_from_flair, slices=5.0, noise=8.0, mirrored=False, inside=True):
    """An image of Colin27's labels in FLAIR's contrast, with slices of 5 mm, a bias and noise."""
    image = nib.load(COLIN / "colin27_labels.nii.gz")
    table = np.zeros(256)
    table[list(BRIGHTNESS)] = list(BRIGHTNESS.values())
    labels = np.asarray(image.dataobj)
    bright = table[labels] if inside else 60.0 * (labels > 0)
    affine = np.diag([2.0, 2.0, slices, 1.0])
    affine[:3, 3] = -100, -125, -75
    shape = (100, 115, int(170 / slices))
    voxel = np.linalg.inv(image.affine) @ t1_from_flair @ affine
    bright = ndimage.gaussian_filter(bright, (0.8, 0.8, 0.4 * slices))
    values = ndimage.affine_transform(bright, voxel[:3, :3], voxel[:3, 3], output_shape=shape, order=1)
    random = np.random.default_rng(3)
    values *= np.linspace(0.8, 1.2, shape[0])[:, None, None]
    if not inside:
        values *= np.clip(1 + random.normal(size=shape), 0, 3)
    values = np.abs(values + random.normal(size=shape) * noise)
    return Volume((values[::-1] if mirrored else values).astype(np.float32), affine)


def pose(degrees, mm, seed):
    random = np.random.default_rng(seed)
    axis, way = (v / np.linalg.norm(v) for v in random.normal(size=(2, 3)))
    return matrix_of(np.concatenate([axis * np.radians(degrees) * 60, way * mm]), CENTRE)


@pytest.fixture(autouse=True)
def fewer_points(monkeypatch):
    """A third of the points, for speed; the figures of docs come from all of them."""
    monkeypatch.setattr(rigid, "MOST_POINTS", 10_000)


def test_an_offset_of_20_degrees_and_30_mm_is_found_within_a_millimetre_and_a_degree():
    truth = pose(20, 30, 1)
    fit = register_rigid(flair(truth), t1())
    off = np.linalg.norm(transformed(CORNERS, fit.t1_from_image) - transformed(CORNERS, truth), axis=1)
    assert off.max() < 1.0
    turn = fit.t1_from_image[:3, :3] @ truth[:3, :3].T
    assert np.degrees(np.arccos(min(1.0, (np.trace(turn) - 1) / 2))) < 1.0
    assert fit.angle == pytest.approx(20, abs=1.0)
    assert fit.shared > fit.as_given + 0.05


def test_a_mirrored_image_is_refused():
    with pytest.raises(InputError, match="left and right in its header are exchanged"):
        register_rigid(flair(pose(5, 8, 4), mirrored=True), t1())


def test_an_image_without_this_head_in_it_is_refused():
    with pytest.raises(InputError, match="too little"):
        register_rigid(flair(pose(5, 5, 5), inside=False), t1())
    with pytest.raises(InputError, match="alike"):
        register_rigid(Volume(np.ones((9, 9, 9)), np.eye(4)), t1())


@pytest.mark.parametrize("mm", [3, 15])
def test_the_lesion_moves_with_the_image_it_was_drawn_on(monkeypatch, mm):
    truth = pose(2, mm, 6)
    fit = rigid.RigidFit(truth, 2.0, float(mm), 1.1, 1.02, 0.08)
    monkeypatch.setattr(lesion_image, "register_rigid", lambda image, t1: fit)
    image = flair(truth)
    mask = np.zeros(image.values.shape, dtype=np.uint8)
    mask[60:66, 60:66, 20:23] = 1
    drawn = carried_to_t1(drawn_lesion(mask, image.affine), image, t1())
    places = transformed(np.argwhere(mask).astype(float), image.affine)
    found = transformed(np.argwhere(drawn.tags).astype(float), drawn.affine)
    wanted = transformed(places, truth)
    np.testing.assert_allclose(found, wanted)
    told = only(drawn.findings)
    moved = np.linalg.norm(wanted - places, axis=1).mean()
    assert told.code == "lesion-image-moved"
    assert told.level == ("warn" if moved > 10 else "note")
    assert told.values["moved"] == pytest.approx(moved)
    assert f"moved by {told.values['moved']:.1f} mm" in said(told)


def test_a_lesion_that_is_not_in_the_image_is_refused_before_any_work():
    image = flair(np.eye(4))
    affine = image.affine.copy()
    affine[:3, 3] += 150
    mask = np.zeros(image.values.shape, dtype=np.uint8)
    mask[60:66, 60:66, 20:23] = 1
    with pytest.raises(InputError, match="instead 0% of it does"):
        carried_to_t1(drawn_lesion(mask, affine), image, t1())
