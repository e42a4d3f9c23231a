"""Pieces of tissue that lie apart: specks join their neighbours, what floats goes, brain that may be alive stays."""

from collections.abc import Sequence

import numpy as np
from scipy import ndimage
from scipy.spatial import cKDTree

from neuro_field.arrays import BoolArray, FloatArray
from neuro_field.mri.labels import Labels
from neuro_field.mri.regions import (
    AIR,
    BRAIN,
    CSF,
    EVERY_NEIGHBOUR,
    EYES,
    FACE,
    INTRACRANIAL,
    LESION,
    SCALP,
    SKULL,
    inside_dura,
    largest,
    mask_of,
)  # fmt: skip

#: Islands smaller than this join their neighbours, mm3; lesions are the physician's drawing and are kept.
SMALLEST_ISLAND = {AIR: 1000.0, 1: 50.0, 2: 50.0, EYES: 1000.0, SCALP: 1000.0} | dict.fromkeys(LESION, 0.0)
SMALLEST_OTHER_ISLAND = 200.0

#: Brain apart from the rest, inside the dura and of this volume at least, mm3, is an island that a stroke left.
VIABLE_ISLAND = 500.0


def to_neighbours(labels: Labels, bad: BoolArray, sizes: FloatArray) -> None:
    """Give every voxel of a mask the label of the nearest voxel outside it, in place."""
    if not bad.any():
        return
    rim = ndimage.binary_dilation(bad, FACE) & ~bad
    donors = np.argwhere(rim)
    nearest = cKDTree(donors * sizes).query(np.argwhere(bad) * sizes)[1]
    labels[bad] = labels[tuple(donors[nearest].T)]


def present(labels: Labels) -> list[int]:
    """Tags that occur, in order."""
    return [int(tag) for tag in np.flatnonzero(np.bincount(labels.ravel()))]


def join_islands(labels: Labels, sizes: FloatArray) -> None:
    """Small islands of every label take the labels around them, in place; the largest piece always stays."""
    _join_islands_of(labels, present(labels), sizes, FACE)


def join_outer_islands(labels: Labels, sizes: FloatArray) -> None:
    """The same for air and soft tissue, which layers may have broken; thin ones may hang on by a corner."""
    tags = [tag for tag in present(labels) if tag not in (*INTRACRANIAL, *SKULL, EYES)]
    _join_islands_of(labels, tags, sizes, EVERY_NEIGHBOUR)


def _join_islands_of(labels: Labels, tags: Sequence[int], sizes: FloatArray, neighbours: BoolArray) -> None:
    bad = np.zeros(labels.shape, dtype=bool)
    for tag in tags:
        smallest = SMALLEST_ISLAND.get(tag, SMALLEST_OTHER_ISLAND) / sizes.prod()
        pieces, count = ndimage.label(labels == tag, FACE if tag == AIR else neighbours)
        if count > 1:
            voxels = np.bincount(pieces.ravel())
            island = voxels < smallest
            island[0] = island[1 + voxels[1:].argmax()] = False
            bad |= island[pieces]
    to_neighbours(labels, bad, sizes)


def one_head(labels: Labels, sizes: FloatArray) -> None:
    """Drop what floats outside the head, in place."""
    labels[~largest(labels > 0)] = AIR


def one_brain(labels: Labels, sizes: FloatArray) -> None:
    """Take away brain apart from the brain, in place; a lesion stays where it was drawn.

    Inside the dura pieces of half a cubic centimetre and more stay, for a stroke leaves such islands of living cortex
    in its cavity; smaller ones become CSF.  What is called brain or CSF outside the dura, such as bits of eye and
    neck, takes the labels around it.
    """
    brain, lesion, inside = mask_of(labels, BRAIN), mask_of(labels, LESION), inside_dura(labels)
    pieces, _ = ndimage.label(brain & inside, FACE)
    specks = np.bincount(pieces.ravel()) < VIABLE_ISLAND / sizes.prod()
    specks[0] = False
    labels[specks[pieces] & ~lesion] = CSF
    to_neighbours(labels, mask_of(labels, (*BRAIN, CSF)) & ~inside & ~lesion, sizes)
