"""How well a map brings a head's tissues onto those of MNI152, within what the image shows of the head."""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from neuro_field.arrays import AnyArray, BoolArray, FloatArray, transformed
from neuro_field.head.mapping import MniMapping, WarpedMapping
from neuro_field.head.tissues import tags_of
from neuro_field.mri.template import template

#: How many voxels of a label image, at the low and high end of each axis, were added around the view of the image.
Padding = tuple[tuple[int, int], ...]
NOT_PADDED: Padding = ((0, 0), (0, 0), (0, 0))


@dataclass(frozen=True)
class Overlap:
    """Shares (Dice) of a head's tissue and the template's: ``brain``, ``white``, ``grey``.

    ``exchanged``, the mean of white on grey and grey on white, is larger than theirs where labels call one the other.
    """

    brain: float
    white: float
    grey: float
    exchanged: float


def unseen(labels: AnyArray, affine: FloatArray, padding: Padding, points: FloatArray) -> BoolArray:
    """(m,) which points (m, 3) mm an image does not show: they lie beyond an end of its view at which the head goes on.

    ``padding``: how many voxels of the labels, at the low and high end of each axis, were added around the view.
    """
    voxels = np.round(transformed(points, np.asarray(np.linalg.inv(affine), dtype=np.float64))).astype(np.int64)
    first = np.array([ends[0] for ends in padding])
    last = np.array(labels.shape) - 1 - [ends[1] for ends in padding]
    nearest = np.clip(voxels, first, last)
    beyond = (nearest != voxels).any(axis=1)
    out = np.zeros(len(points), dtype=bool)
    out[beyond] = labels[tuple(nearest[beyond].T)] > 0
    return out


def overlap_of(labels: AnyArray, affine: FloatArray, mapping: MniMapping, padding: Padding = NOT_PADDED) -> Overlap:
    """Compared at the points of the template's 2 mm grid, but where the head has a lesion or the image no view.

    Parameters
    ----------
    labels : (i, j, k) uint8 array
        Tissue tags.
    affine : (4, 4) array
        Voxel index to world mm (RAS).
    mapping : AffineMapping or WarpedMapping
    padding : three pairs of int
        Voxels of the labels that were added around the view.
    """
    target = template()
    points = transformed(np.argwhere(np.ones(target.image.shape, dtype=bool)).astype(np.float64), target.affine)
    places = mapping.from_mni(points)
    voxels = transformed(places, np.asarray(np.linalg.inv(affine), dtype=np.float64))
    drawn = ndimage.map_coordinates(labels, voxels.T, order=0, cval=0)
    compared = ~np.isin(drawn, tags_of("lesion")) & ~unseen(labels, affine, padding, places)
    drawn, wanted = drawn[compared], target.tissues.ravel()[compared]
    (white,), (grey,) = tags_of("white_matter"), tags_of("grey_matter")
    crossed = _dice(drawn == white, wanted == grey), _dice(drawn == grey, wanted == white)
    return Overlap(
        _dice(np.isin(drawn, (white, grey)), wanted > 0),
        _dice(drawn == white, wanted == white),
        _dice(drawn == grey, wanted == grey),
        sum(crossed) / 2,
    )


def _dice(one: BoolArray, other: BoolArray) -> float:
    either = np.count_nonzero(one) + np.count_nonzero(other)
    return float(2 * np.count_nonzero(one & other) / either) if either else 0.0


def tissue_overlap(
    labels: AnyArray, affine: FloatArray, mapping: MniMapping, padding: Padding = NOT_PADDED
) -> dict[str, float]:
    """White and grey matter of `overlap_of`, by name."""
    found = overlap_of(labels, affine, mapping, padding)
    return {"white_matter": round(found.white, 4), "grey_matter": round(found.grey, 4)}


def mapping_overlap(
    labels: AnyArray, affine: FloatArray, mapping: MniMapping, padding: Padding = NOT_PADDED
) -> dict[str, dict[str, float]]:
    """`tissue_overlap` of a map and, for a non-linear one, of its affine part: ``affine`` and ``nonlinear``."""
    if isinstance(mapping, WarpedMapping):
        return {
            "affine": tissue_overlap(labels, affine, mapping.affine, padding),
            "nonlinear": tissue_overlap(labels, affine, mapping, padding),
        }
    return {"affine": tissue_overlap(labels, affine, mapping, padding)}
