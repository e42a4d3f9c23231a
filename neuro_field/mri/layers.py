"""The layers of a head closed from inside out: CSF around the brain, bone around that, scalp towards the air."""

import numpy as np
from scipy import ndimage

from neuro_field.arrays import BoolArray, FloatArray
from neuro_field.mri.labels import Labels
from neuro_field.mri.regions import (
    BLOOD,
    BONE,
    BRAIN,
    CSF,
    EYES,
    FACE,
    SCALP,
    SKULL,
    inside_dura,
    mask_of,
    outside_air,
)  # fmt: skip


def within(mask: BoolArray, distance: float, sizes: FloatArray) -> BoolArray:
    """Voxels outside a mask with their centre within a distance (mm) of it, at least its face neighbours."""
    reach = np.maximum(np.floor(distance / sizes + 1e-9), 1).astype(int)
    offsets = np.meshgrid(*(np.arange(-r, r + 1) for r in reach), indexing="ij")
    squares = sum((offset * size) ** 2 for offset, size in zip(offsets, sizes, strict=True))
    ball = squares <= (distance + 1e-6) ** 2
    ball |= sum(np.abs(offset) for offset in offsets) <= 1
    rim = mask & ~ndimage.binary_erosion(mask, FACE, border_value=1)
    grown = np.zeros(np.array(mask.shape) + 2 * reach, dtype=bool)
    points = np.flatnonzero(np.pad(rim, [(r, r) for r in reach]))
    strides = np.array([grown.shape[1] * grown.shape[2], grown.shape[2], 1])
    for step in np.argwhere(ball) - reach:
        grown.ravel()[points + int(step @ strides)] = True
    inner = grown[tuple(slice(r, -r) for r in reach)]
    return np.asarray(inner & ~mask)


def fill_dura(labels: Labels, sizes: FloatArray) -> None:
    """Bone, soft tissue or air enclosed by brain and CSF becomes CSF, in place."""
    labels[inside_dura(labels) & ~mask_of(labels, (*BRAIN, CSF, BLOOD))] = CSF


def close_csf(labels: Labels, sizes: FloatArray) -> None:
    """At least one voxel of CSF around the brain, in place; eyes stay."""
    near = within(mask_of(labels, BRAIN), 1.5 * float(sizes.min()), sizes)
    labels[near & (labels != EYES) & (labels != BLOOD)] = CSF


def close_skull(labels: Labels, sizes: FloatArray, thickness: float, opening: BoolArray) -> None:
    """At least ``thickness`` mm of bone around the dura, in place, except over an ``opening``; any bone counts."""
    near = within(inside_dura(labels), thickness, sizes)
    labels[near & ~opening & ~mask_of(labels, SKULL)] = BONE


def close_scalp(labels: Labels, sizes: FloatArray, thickness: float) -> None:
    """At least ``thickness`` mm of scalp between bone and dura and the air outside, in place."""
    near = within(inside_dura(labels) | mask_of(labels, SKULL), thickness, sizes)
    labels[near & outside_air(labels)] = SCALP
