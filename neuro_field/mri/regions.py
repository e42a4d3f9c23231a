"""Masks of tissue labels that several steps of cleaning share: groups of tags, pieces, what is outside and inside."""

from collections.abc import Sequence

import numpy as np
from scipy import ndimage

from neuro_field.arrays import BoolArray, FloatArray
from neuro_field.head.tissues import tags_of
from neuro_field.mri.labels import Labels

AIR, CSF, BONE, SCALP, EYES, BLOOD = 0, 3, 4, 5, 6, 9
LESION = tags_of("lesion")
BRAIN = (*tags_of("brain"), *LESION)
INTRACRANIAL = (*BRAIN, CSF, BLOOD)
SKULL = tags_of("skull")

FACE = ndimage.generate_binary_structure(3, 1)
EVERY_NEIGHBOUR = ndimage.generate_binary_structure(3, 3)


def mask_of(labels: Labels, tags: Sequence[int]) -> BoolArray:
    """Mask of the voxels that carry one of the tags."""
    table = np.zeros(256, dtype=bool)
    table[list(tags)] = True
    return table[labels]


def largest(mask: BoolArray) -> BoolArray:
    """The largest face-connected piece of a mask."""
    pieces, count = ndimage.label(mask, FACE)
    if count <= 1:
        return mask
    sizes = np.bincount(pieces.ravel())
    sizes[0] = 0
    return np.asarray(pieces == sizes.argmax())


def outside_air(labels: Labels) -> BoolArray:
    """Air that reaches the border of the image, so not the sinuses."""
    pieces, _ = ndimage.label(np.pad(labels == AIR, 1, constant_values=True), FACE)
    return np.asarray(pieces == pieces[0, 0, 0])[1:-1, 1:-1, 1:-1]


def blood_outside(labels: Labels) -> BoolArray:
    """Blood that lies outside the skull: pieces that touch soft tissue and air more than brain and CSF."""
    blood = labels == BLOOD
    pieces, count = ndimage.label(blood, FACE)
    if not count:
        return blood
    inner, outer = np.zeros((2, count + 1))
    within, without = mask_of(labels, (*BRAIN, CSF)), ~mask_of(labels, (*INTRACRANIAL, *SKULL))
    for axis in range(3):
        for one, other in ((np.s_[1:], np.s_[:-1]), (np.s_[:-1], np.s_[1:])):
            here, there = (tuple(part if a == axis else np.s_[:] for a in range(3)) for part in (one, other))
            inner += np.bincount(pieces[here][within[there]], minlength=count + 1)
            outer += np.bincount(pieces[here][without[there]], minlength=count + 1)
    out = outer > inner
    out[0] = False
    return np.asarray(out[pieces])


def inside_dura(labels: Labels) -> BoolArray:
    """What lies inside the dura: the largest piece of brain, lesion, CSF and blood, with all that it encloses."""
    inside = largest(mask_of(labels, INTRACRANIAL) & ~blood_outside(labels))
    around, _ = ndimage.label(np.pad(~inside, 1, constant_values=True), FACE)
    return np.asarray(around != around[0, 0, 0])[1:-1, 1:-1, 1:-1]


def volume_of(mask: BoolArray, sizes: FloatArray) -> float:
    """cm3 of a mask."""
    return float(np.count_nonzero(mask) * sizes.prod() / 1e3)
