"""What a segmenter made of a lesion: which tissues it called the voxels that a physician drew as lesion."""

import numpy as np

from neuro_field.arrays import AnyArray, FloatArray, transformed
from neuro_field.findings import Finding
from neuro_field.head.tissues import tags_of
from neuro_field.mri.labels import Labels
from neuro_field.mri.volume import Volume

#: Share of a lesion that may be called anything but brain and fluid (bone, scalp, air) before it is a warning.
MOST_OUTSIDE = 0.1


def lesion_labelled_as(tissues: Labels, affine: FloatArray, lesion: AnyArray, lesion_affine: FloatArray) -> Finding:
    """How labels, as they were given, call a lesion's voxels: "lesion-labelled-as", with shares by tissue.

    A warning where a tenth or more of it is called bone, scalp, eye or air: the segmenter was misled, or the mask lies
    elsewhere.

    Parameters
    ----------
    tissues : (i, j, k) uint8 array
        Tissue tags before cleaning and without the lesion.
    affine : (4, 4) array
        Their voxel index to world mm.
    lesion : (a, b, c) array
        The mask; everything above 0 counts.
    lesion_affine : (4, 4) array
        Its voxel index to world mm.
    """
    places = transformed(np.argwhere(np.asarray(lesion) > 0).astype(np.float64), lesion_affine)
    found = Volume(tissues, affine).at(places, 0)
    named = {name: float(np.isin(found, tags_of(name)).mean()) for name in ("brain", "csf", "bone", "scalp")}
    other = max(0.0, 1.0 - sum(named.values()))
    outside = named["bone"] + named["scalp"] + other
    level = "warn" if outside >= MOST_OUTSIDE else "note"
    return Finding("lesion-labelled-as", level, {**named, "other": other, "most": MOST_OUTSIDE})
