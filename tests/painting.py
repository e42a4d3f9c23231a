"""States after a stroke painted into Colin27's T1, for trials through a real segmenter: no patient, no edited labels.

`flap_and_island` and `open_cavity` take the T1 and tissue labels of it, return what was painted and where; the same
input gives the same image. What is painted: fluid as dark as the ventricles, partial-volume edges, noise.
"""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from neuro_field.arrays import transformed
from neuro_field.head.mapping import AffineMapping
from neuro_field.mri.lesion import synthetic_lesion

#: Brightness of Colin27's T1, by percentiles of SAMSEG's labels away from borders: the ventricles (median 31), and
#: muscle and dura as they lie on the brain (scalp's lower quartile to median, 66 to 83).
FLUID, SOFT_TISSUE = 31.0, 75.0

#: Noise: standard deviation of the brightness, its grain (Gaussian width, mm), and the width of painted borders, mm.
NOISE, GRAIN, BORDER = 2.0, 0.7, 0.8

#: The hand knob of the left hemisphere (clinical.md's m1-hand), world mm.
HAND = (-37.0, -21.0, 58.0)

#: A ball of this radius about a point of the skull, mm, cuts 50 cm2 out of it: on a sphere of any size a ball about a
#: point of it cuts pi radius**2.
FLAP_AT, FLAP_RADIUS = (-62.0, -22.0, 50.0), 39.9

#: The scalp over the flap has sunk by this much in its middle, mm.
SUNKEN = 5.0

#: The island about the hand knob, mm, and the volume of the cavity that cuts it off on all sides, cm3.
ISLAND, SHELL_CM3 = 15.5, 40.0

#: The large cavity, cm3, and the passage from it into the right lateral ventricle: ends and radius, mm.
LARGE_CM3 = 150.0
PASSAGE, PASSAGE_RADIUS = ((46.0, -14.0, 30.0), (12.0, -16.0, 24.0)), 6.0


@dataclass(frozen=True, eq=False)
class Painted:
    """A painted T1: ``values`` (i, j, k), ``lesion`` mask of the cavity, ``changed`` mask of all that was painted,
    ``bone`` mask of the removed bone (none for a closed skull), ``island`` mask of the brain inside the cavity."""

    values: np.ndarray
    lesion: np.ndarray
    changed: np.ndarray
    bone: np.ndarray
    island: np.ndarray


def _world(shape, affine):
    """(i, j, k, 3) world mm of the voxels."""
    return transformed(np.moveaxis(np.indices(shape), 0, -1).reshape(-1, 3).astype(float), affine).reshape(*shape, 3)


def _noise(shape, seed):
    """Grained noise of standard deviation 1."""
    grains = ndimage.gaussian_filter(np.random.default_rng(seed).standard_normal(shape), GRAIN)
    return grains / grains.std()


def _covered(values, mask, brightness, seed):
    """Values with a mask painted over in one noisy brightness, mixed at the border as in partial volumes."""
    share = ndimage.gaussian_filter(mask.astype(float), BORDER)
    return values + share * (brightness + NOISE * _noise(values.shape, seed) - values)


def _nearest(distance, allowed, cm3):
    """The allowed voxels (of 1 mm3) of least distance that hold a volume."""
    order = np.argsort(np.where(allowed, distance, np.inf), axis=None, kind="stable")[: int(cm3 * 1e3)]
    chosen = np.zeros(distance.shape, dtype=bool)
    chosen.ravel()[order] = True
    return chosen & allowed


def _finished(t1, painted, lesion, bone, island):
    """The painted values in the T1's own type, and where they differ from it by more than noise."""
    values = np.clip(np.rint(painted), 0, 255).astype(t1.dtype)
    return Painted(values, lesion, np.abs(values - t1.astype(float)) > 2 * NOISE, bone, island)


def flap_and_island(t1, labels, affine):
    """50 cm2 of bone missing on the left with the scalp sunken over it, and below it an island of viable cortex (the
    hand knob) inside a cavity of 40 cm3.

    Parameters
    ----------
    t1 : (i, j, k) array
        Colin27's T1, of 1 mm voxels.
    labels : (i, j, k) array
        Its tissues on the same grid (1 white, 2 grey, 3 CSF, 4 bone, 5 scalp).
    affine : (4, 4) array
        Voxel index to world mm.
    """
    places = _world(t1.shape, affine)
    from_hand = np.linalg.norm(places - HAND, axis=-1)
    soft = np.isin(labels, (1, 2, 3))
    lesion = _nearest(from_hand, soft & (from_hand > ISLAND), SHELL_CM3)
    island = (from_hand <= ISLAND) & np.isin(labels, (1, 2))
    painted = _covered(t1.astype(float), lesion, FLUID, 1)
    from_flap = np.linalg.norm(places - FLAP_AT, axis=-1)
    bone = (labels == 4) & (from_flap < FLAP_RADIUS)
    painted = _covered(painted, bone, SOFT_TISSUE, 2)
    return _finished(t1, _sunken(painted, labels, affine, places, from_flap), lesion, bone, island)


def _sunken(values, labels, affine, places, from_flap):
    """Values with the scalp over the flap moved inward, most in the middle; nothing inside the dura moves."""
    inside = ndimage.binary_fill_holes(np.isin(labels, (1, 2, 3)))
    outward = np.asarray(FLAP_AT) - transformed(np.argwhere(inside).astype(float), affine).mean(axis=0)
    outward /= np.linalg.norm(outward)
    deep = np.clip(1 - (from_flap / FLAP_RADIUS) ** 2, 0, None) * np.where(inside, 0.0, SUNKEN)
    drawn_from = transformed((places + deep[..., None] * outward).reshape(-1, 3), np.linalg.inv(affine))
    moved = ndimage.map_coordinates(values, drawn_from.T, order=1, mode="nearest").reshape(values.shape)
    return np.where(deep > 0, moved, values)


def open_cavity(t1, labels, affine):
    """A cavity of 150 cm3 on the right that is open to the lateral ventricle; the skull is whole.

    Parameters are those of `flap_and_island`; the head lies in MNI space.
    """
    places = _world(t1.shape, affine)
    grown = synthetic_lesion(
        labels,
        affine,
        mapping=AffineMapping(np.eye(4), "Colin27 lies in MNI space"),
        side="right",
        volume_cm3=LARGE_CM3,
    )
    start, end = map(np.asarray, PASSAGE)
    along = np.clip((places - start) @ (end - start) / ((end - start) @ (end - start)), 0, 1)
    passage = np.linalg.norm(places - start - along[..., None] * (end - start), axis=-1) < PASSAGE_RADIUS
    lesion = grown | (passage & np.isin(labels, (1, 2)))
    nothing = np.zeros(t1.shape, dtype=bool)
    return _finished(t1, _covered(t1.astype(float), lesion, FLUID, 3), lesion, nothing, nothing)
