"""A lesion in a T1 is filled with the other side's tissue, mirrored, and from around it where that cannot serve."""

from functools import lru_cache

import numpy as np
import pytest
from scipy import ndimage
from tests_support import refusal

from neuro_field.arrays import transformed
from neuro_field.errors import InputError
from neuro_field.mri.filling import Filling, plan_filling
from neuro_field.mri.volume import Volume

#: Turns the head 6 degrees in the image (yaw) and 4 (roll), and moves it.
TURN = np.array([[np.cos(0.1), -np.sin(0.1), 0], [np.sin(0.1), np.cos(0.1), 0], [0, 0, 1]]) @ np.array(
    [[np.cos(0.07), 0, np.sin(0.07)], [0, 1, 0], [-np.sin(0.07), 0, np.cos(0.07)]]
)
MOVED = np.array([4.0, -17.0, 12.0])

#: Half-axes and brightness of scalp, bone, CSF and brain, mm.
SHELLS = (((86, 104, 92), 150.0), ((79, 97, 85), 12.0), ((72, 90, 78), 36.0), ((69, 87, 75), 100.0))

#: Noise of the images, and the middle and radius of the lesion in the head's own frame (x to the right), mm.
NOISE, LESION, RADIUS = 1.0, (-40.0, 5.0, 25.0), 17.0


def grid(spacing, order=(0, 1, 2), flip=(1, 1, 1)):
    """Shape and affine of an image about the head, its axes in any order and direction."""
    half = np.array([100.0, 120.0, 106.0])
    shape = np.ceil(2 * half / spacing).astype(int)
    affine = np.eye(4)
    affine[:3, :3] = spacing * np.diag(flip)[:, list(order)]
    shape = shape[list(order)]
    affine[:3, 3] = MOVED - affine[:3, :3] @ ((shape - 1) / 2)
    return tuple(shape), affine


def own_places(shape, affine):
    """(i, j, k, 3) places of the voxels in the head's own frame, whose mirror plane is x = 0."""
    world = transformed(np.moveaxis(np.indices(shape), 0, -1).reshape(-1, 3).astype(float), affine)
    return ((world - MOVED) @ TURN).reshape(*shape, 3)


def drawn(places, inverted=False):
    """A head that is its own mirror image: shells, ventricles and a pattern in the brain."""
    x, y, z = np.moveaxis(places, -1, 0)
    out = np.zeros(places.shape[:3])
    for axes, brightness in SHELLS:
        out[((places / axes) ** 2).sum(axis=-1) < 1] = brightness
    pattern = 12 * np.cos(np.abs(x) / 6) * np.cos(y / 7) * np.cos(z / 5)
    brain = out == 100.0
    out[brain] += pattern[brain]
    ventricle = ((np.abs(x) - 10) / 6) ** 2 + (y / 28) ** 2 + ((z - 6) / 10) ** 2 < 1
    out[ventricle] = 36.0
    return np.where(inverted & (out > 0), 160 - out, out)


def ball(places, middle, radius=RADIUS):
    return np.linalg.norm(places - np.asarray(middle), axis=-1) < radius


def noisy(image, seed=0):
    return image + NOISE * np.random.default_rng(seed).standard_normal(image.shape) * (image > 0)


@lru_cache(maxsize=4)
def scene(side=1.0, spacing=3.0):
    """(places, affine, healthy image, lesion) of the tilted head; side -1 puts the lesion on the right."""
    shape, affine = grid(spacing, (1, 0, 2), (-1, 1, 1))
    places = own_places(shape, affine)
    return places, affine, drawn(places), ball(places, np.array(LESION) * [side, 1, 1])


@pytest.mark.parametrize(("side", "darker"), [(1.0, 1.0), (-1.0, 0.85)])
def test_a_head_that_is_its_own_mirror_image_is_restored(side, darker):
    """Also where one half of the image is darker, as coils make it."""
    places, affine, healthy, lesion = scene(side)
    healthy = np.where(places[..., 0] < 0, darker, 1.0) * healthy
    t1 = noisy(np.where(lesion, 30.0, healthy))
    filling = plan_filling(Volume(t1, affine), Volume(lesion, affine))
    tilt = np.degrees(np.arccos(abs(filling.mirror.normal @ TURN[:, 0])))
    assert tilt < 0.5
    assert abs(filling.mirror.normal @ MOVED - filling.mirror.offset) < 0.3
    assert abs(filling.shift) <= 0.5
    assert filling.why == ()
    assert 0.0 <= filling.nearby_cm3 < 0.05  # never less than nothing
    assert filling.mirrored_cm3 == pytest.approx(lesion.sum() * 0.027, rel=1e-3)
    filled = filling.applied(t1, affine)
    off = filled - healthy
    assert np.std(off[lesion]) < 2 * NOISE
    assert abs(np.mean(off[lesion])) < 0.5
    far = ndimage.distance_transform_edt(~lesion, sampling=3.0) > 2.0
    assert (filled[far] == t1[far]).all()


def test_a_lesion_opposite_is_not_mirrored():
    places, affine, healthy, left = scene()
    right = ball(places, (40.0, 5.0, 35.0))
    lesion = left | right
    t1 = noisy(np.where(lesion, 30.0, healthy))
    filling = plan_filling(Volume(t1, affine), Volume(lesion, affine))
    assert filling.why == ("lesion-opposite",)
    both = left & ball(places * [-1, 1, 1], (40.0, 5.0, 35.0), RADIUS - 4)
    alone = left & ~ball(places * [-1, 1, 1], (40.0, 5.0, 35.0), RADIUS + 5)
    assert filling.mirrored.values[both].max() == 0
    assert filling.mirrored.values[alone].min() > 0.9
    filled = filling.applied(t1, affine)
    assert abs(np.mean((filled - healthy)[alone])) < 1.0
    assert filled[both].min() > 80  # tissue, not the fluid of the lesion opposite
    assert filled[both].max() < 115
    (note,) = filling.findings
    assert (note.code, note.level, note.values["why"]) == ("lesion-filled", "warn", ("lesion-opposite",))
    assert note.values["mirrored_cm3"] + note.values["nearby_cm3"] == pytest.approx(lesion.sum() * 0.027)


def holed(places, image, side):
    """An image with the bone taken away over a lesion's place on a side."""
    outward = np.array(LESION) * [-side, 1, 1]
    beside = places / np.linalg.norm(places, axis=-1, keepdims=True) @ (outward / np.linalg.norm(outward)) > 0.75
    hole = beside & (image == 12.0)
    return np.where(hole, 75.0, image), hole


def test_no_tissue_is_taken_from_under_a_hole_in_the_skull():
    places, affine, healthy, lesion = scene()
    healthy, _ = holed(places, healthy, 1.0)
    t1 = noisy(np.where(lesion, 30.0, healthy))
    filling = plan_filling(Volume(t1, affine), Volume(lesion, affine))
    assert filling.why == ("skull-open-opposite",)
    assert filling.mirrored_cm3 < 0.05 * lesion.sum() * 0.027
    filled = filling.applied(t1, affine)
    assert abs(np.mean((filled - healthy)[lesion])) < 5.0


def test_a_hole_over_the_lesion_stays_a_hole():
    places, affine, healthy, _ = scene(1.0, 1.8)  # voxels so small that what fades out beyond the mask reaches the hole
    healthy, hole = holed(places, healthy, -1.0)
    lesion = ball(places, (-52.0, 5.0, 33.0)) & ~hole & (healthy > 30) & (healthy < 120)
    t1 = noisy(np.where(lesion, 30.0, healthy))
    filling = plan_filling(Volume(t1, affine), Volume(lesion, affine))
    filled = filling.applied(t1, affine)
    assert filling.nearby_cm3 < 0.05 * filling.mirrored_cm3
    assert np.mean(filled[lesion & (healthy > 80)] > 80) > 0.95
    assert (filled[hole] == t1[hole]).all()


@pytest.mark.parametrize(("shift", "mirrored"), [(3.0, True), (9.0, False)])
def test_a_shifted_midline_forbids_the_mirror(shift, mirrored):
    places, affine, _, lesion = scene()
    inside = np.clip(1 - ((places / (69, 87, 75)) ** 2).sum(axis=-1), 0, 1)
    moved = places - np.stack([shift * np.minimum(1, 2 * inside), 0 * inside, 0 * inside], axis=-1)
    t1 = noisy(np.where(lesion, 30.0, drawn(moved)))
    filling = plan_filling(Volume(t1, affine), Volume(lesion, affine))
    assert filling.shift == pytest.approx(shift, abs=1.0)
    assert (filling.mirrored_cm3 > 0) is mirrored
    assert filling.why == (() if mirrored else ("midline-shifted",))
    warned = [found for found in filling.findings if found.code == "lesion-midline-shifted"]
    assert bool(warned) is not mirrored
    filled = filling.applied(t1, affine)
    assert abs(np.mean(filled[lesion]) - 100) < 6


def test_a_head_unlike_its_mirror_image_is_filled_from_around():
    places, affine, healthy, lesion = scene()
    t1 = np.where(lesion, 30.0, healthy * (1 + 0.9 * np.sin(places[..., 0] / 12) * np.sin(places[..., 1] / 12)))
    filling = plan_filling(Volume(t1, affine), Volume(lesion, affine))
    assert filling.mirror.alike < 0.6
    assert "no-symmetry" in filling.why
    assert filling.mirrored_cm3 == 0


def test_another_contrast_on_another_grid_is_filled_alike():
    _, affine, healthy, lesion = scene()
    t1 = noisy(np.where(lesion, 30.0, healthy))
    filling = plan_filling(Volume(t1, affine), Volume(lesion, affine))
    shape, other = grid(3.4)
    there = own_places(shape, other)
    hurt = ball(there, LESION)
    t2 = np.where(hurt, 150, drawn(there, inverted=True)).astype(np.int16)
    filled = filling.applied(t2, other)
    assert filled.dtype == np.int16
    assert np.std((filled - drawn(there, inverted=True))[ball(there, LESION, RADIUS - 3)]) < 2.5


def test_the_mask_may_lie_on_any_grid_but_in_the_image():
    _, affine, healthy, lesion = scene()
    t1 = np.where(lesion, 30.0, healthy)
    shape, other = grid(4.0)
    filling = plan_filling(Volume(t1, affine), Volume(ball(own_places(shape, other), LESION).astype(np.uint8), other))
    assert isinstance(filling, Filling)
    assert 2 * np.count_nonzero(filling.lesion.values & lesion) / (filling.lesion.values.sum() + lesion.sum()) > 0.9
    away = np.array(other)
    away[:3, 3] += 500
    for mask in (Volume(np.zeros(shape), other), Volume(np.ones(shape), away)):
        with pytest.raises(InputError, match="at least one voxel"):
            plan_filling(Volume(t1, affine), mask)
    with pytest.raises(InputError, match="head"):
        plan_filling(Volume(np.zeros_like(t1), affine), Volume(lesion, affine))
    assert "lies outside it" in refusal(filling.applied, np.ones(shape), away)
