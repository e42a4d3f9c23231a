"""What is painted into Colin27's T1 for trials through a real segmenter is what its docstrings say."""

import numpy as np
import painting
import pytest
from scipy import ndimage

from neuro_field.mri.volume import Volume
from neuro_field.shelf.examples import example_images

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def colin():
    images = example_images("colin27")
    t1, labels = images["t1"], images["labels"]
    places = np.moveaxis(np.indices(t1.values.shape), 0, -1).reshape(-1, 3) @ t1.affine[:3, :3].T + t1.affine[:3, 3]
    return t1.values, Volume(labels.values, labels.affine).at(places, 0).reshape(t1.values.shape), t1.affine


def test_a_flap_of_50_cm2_and_an_island_that_is_cut_off(colin):
    t1, labels, affine = colin
    painted = painting.flap_and_island(t1, labels, affine)
    assert painted.lesion.sum() / 1e3 == pytest.approx(40.0, abs=0.01)
    assert 10 < painted.island.sum() / 1e3 < 25
    pieces, _ = ndimage.label(np.isin(labels, (1, 2)) & ~painted.lesion)
    inside = set(np.unique(pieces[painted.island])) - {0}
    assert not inside & set(np.unique(pieces[np.isin(labels, (1, 2)) & ~painted.lesion & ~painted.island]))
    skull = labels == 4
    outer = skull & ~ndimage.binary_erosion(skull)
    thickness = 2 * ndimage.distance_transform_edt(skull)[painted.bone].max()
    assert painted.bone.sum() / 1e3 / (0.1 * thickness) < 50 < outer[painted.bone].sum() / 1e2
    assert np.median(painted.values[painted.bone]) > 60  # no longer dark
    assert (painted.values[~painted.changed] == t1[~painted.changed]).mean() > 0.99


def test_a_cavity_of_150_cm3_that_is_open_to_the_ventricle(colin):
    t1, labels, affine = colin
    painted = painting.open_cavity(t1, labels, affine)
    assert painted.lesion.sum() / 1e3 == pytest.approx(150.0, abs=1.0)
    dark, _ = ndimage.label((painted.values < 45) & np.isin(labels, (1, 2, 3)))
    ventricle = dark[tuple(np.rint(np.linalg.inv(affine) @ [8.0, 10.0, 18.0, 1.0]).astype(int)[:3])]
    assert ventricle
    assert (dark[painted.lesion] == ventricle).mean() > 0.9
    assert not painted.bone.any()
