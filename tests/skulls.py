"""Skulls after surgery and brains after strokes, made in any tissue labels: flaps, burr holes, islands, blood, T1s."""

import numpy as np
from scipy import ndimage

#: Brightness of tissues in a T1, by tag: bone dark, fat in the scalp bright.
BRIGHTNESS = {0: 1.0, 1: 112.0, 2: 88.0, 3: 40.0, 4: 24.0, 5: 90.0, 6: 30.0, 9: 80.0, 21: 32.0, 22: 70.0, 23: 75.0}

#: From the middle of the brain towards a flap of the left side: to the side, back, and up.
TOWARDS = np.array([-0.75, -0.1, 0.65])

#: The skull, and what lies within it.
SKULL, INSIDE = (4, 7, 8), (1, 2, 3, 9, 21, 22, 23)


def world(shape, affine):
    """(i, j, k, 3) places of voxels, mm."""
    return np.moveaxis(np.indices(shape), 0, -1) @ affine[:3, :3].T + affine[:3, 3]


def towards(side):
    """Unit vector to the middle of a flap."""
    out = TOWARDS * [1.0 if side == "left" else -1.0, 1.0, 1.0]
    return out / np.linalg.norm(out)


def flap_of(labels, affine, area, side="left", direction=None):
    """(i, j, k) the bone over ``area`` cm2 of dura, as a craniectomy takes it away, and the middle of that, mm.

    A ball about a point of a sphere cuts pi r^2 out of it, whatever the sphere.
    """
    inside = ndimage.binary_fill_holes(np.isin(labels, INSIDE))
    middle = np.argwhere(inside).mean(axis=0) @ affine[:3, :3].T + affine[:3, 3]
    unit = towards(side) if direction is None else np.asarray(direction) / np.linalg.norm(direction)
    distances = np.arange(30.0, 140.0, 0.5)
    voxels = np.rint((middle + distances[:, None] * unit - affine[:3, 3]) @ np.linalg.inv(affine[:3, :3]).T).astype(int)
    voxels = voxels[((voxels >= 0) & (voxels < labels.shape)).all(axis=1)]
    place = middle + distances[np.flatnonzero(inside[tuple(voxels.T)])[-1]] * unit
    near = np.linalg.norm(world(labels.shape, affine) - place, axis=-1) < np.sqrt(100 * area / np.pi)
    return near & np.isin(labels, SKULL), place


def craniectomy(labels, affine, area, side="left", direction=None):
    """Labels with a flap of ``area`` cm2 gone and soft tissue in its place, and where its middle is."""
    gone, place = flap_of(labels, affine, area, side, direction)
    return np.where(gone, np.uint8(5), labels), place


def t1_of(labels, affine=None, *, noise=3.0, gone=None, seed=0):
    """A T1 of labels: each tissue in its brightness, borders mixed, noise; ``gone`` is bone that is soft tissue."""
    table = np.zeros(256)
    table[list(BRIGHTNESS)] = list(BRIGHTNESS.values())
    values = table[labels]
    if gone is not None:
        values[gone] = 75.0
    blurred = ndimage.gaussian_filter(values, 0.4)
    return np.clip(blurred + np.random.default_rng(seed).normal(0, noise, labels.shape), 0, None)


def island(labels, affine, cm3=10.0, cavity_cm3=60.0, side="left", direction=None):
    """A cavity in the brain with an island of living brain in its middle: masks (i, j, k) of cavity and island."""
    brain = np.isin(labels, (1, 2))
    places = world(labels.shape, affine)
    middle = places[brain].mean(axis=0)
    unit = towards(side) if direction is None else np.asarray(direction) / np.linalg.norm(direction)
    near = np.linalg.norm(places - (middle + 34.0 * unit), axis=-1)
    voxel = abs(np.linalg.det(affine[:3, :3])) / 1e3
    order = np.argsort(np.where(brain, near, np.inf), axis=None, kind="stable")
    masks = np.zeros((2, labels.size), dtype=bool)
    masks[1, order[: round(cm3 / voxel)]] = True
    shell = order[round(cm3 / voxel) : round((cm3 + cavity_cm3) / voxel)]
    masks[0, shell] = True
    cavity, kept = masks.reshape(2, *labels.shape)
    return cavity, kept


def bleeding_outside(labels, affine, cm3=8.0, side="left"):
    """Labels with blood under the scalp, outside the skull."""
    scalp = labels == 5
    skull = np.isin(labels, SKULL)
    place = flap_of(labels, affine, 1.0, side)[1]
    near = np.where(scalp & ndimage.binary_dilation(skull, iterations=2), 0.0, np.inf)
    near += np.linalg.norm(world(labels.shape, affine) - place, axis=-1)
    voxel = abs(np.linalg.det(affine[:3, :3])) / 1e3
    out = labels.copy()
    out.ravel()[np.argsort(near, axis=None, kind="stable")[: round(cm3 / voxel)]] = 9
    return out


def faceless(labels, affine):
    """(i, j, k) what a defacing program takes away: all in front of and below a plane under the forehead."""
    inside = np.isin(labels, INSIDE)
    places = world(labels.shape, affine)
    brain = places[np.isin(labels, (1, 2))]
    front, low = np.percentile(brain[:, 1], 99.5), np.percentile(brain[:, 2], 30)
    return (places[..., 1] - front > 0.9 * (places[..., 2] - low)) & ~inside & (places[..., 2] < low + 15)
