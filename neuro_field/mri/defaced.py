"""Whether a program has taken the face away from the images, as is done before they are shared."""

import numpy as np
from scipy import ndimage

from neuro_field.arrays import FloatArray, transformed
from neuro_field.findings import Finding
from neuro_field.head.tissues import tags_of
from neuro_field.mri.labels import Labels
from neuro_field.mri.regions import mask_of
from neuro_field.mri.volume import Volume

#: Where a head has nose, orbits and cheeks: mm to each side of the middle of the brain, before and behind the front of
#: the brain, and below its middle.
BESIDE, BEFORE, BELOW = 30.0, (-15.0, 15.0), (25.0, 65.0)

#: Share of that which tissue fills at least: 0.70 to 0.90 in a head tilted by up to 20 degrees, 0 to 0.49 without face.
LEAST_FACE = 0.5

#: Share of it that may be labelled where the T1 is empty.
MOST_EMPTY = 0.15

#: Step between the places that are looked at, mm.
STEP = 3.0


def of_face(labels: Labels, affine: FloatArray, t1: Volume | None = None) -> tuple[Finding, ...]:
    """Whether the face is missing from the labels, or was labelled where the T1 holds nothing.

    Parameters
    ----------
    labels : (i, j, k) uint8 array
        Tissue tags before any layer is closed.
    affine : (4, 4) array
    t1 : Volume, optional
        Programs that remove faces write one number there, the lowest of the image.
    """
    brain = mask_of(labels, (*tags_of("brain"), *tags_of("lesion")))
    places = transformed(np.argwhere(brain)[::7].astype(np.float64), affine)
    places = _places(places.mean(axis=0), float(np.percentile(places[:, 1], 99.8)))
    voxels = np.rint(transformed(places, np.asarray(np.linalg.inv(affine), dtype=np.float64))).astype(np.int32)
    within = ((voxels >= 0) & (voxels < labels.shape)).all(axis=1)
    if within.mean() < 0.5:  # the image ends there: that is said of its borders
        return ()
    tissue = labels[tuple(voxels[within].T)] > 0
    empty = 0.0
    if t1 is not None:
        nothing = ndimage.maximum_filter(t1.values, 3) <= t1.values.min()
        empty = float((Volume(nothing, t1.affine).at(places[within], 0) * tissue).mean())
    if tissue.mean() >= LEAST_FACE and empty <= MOST_EMPTY:
        return ()
    return (Finding("build-face-removed", "warn", {"filled": float(tissue.mean()), "empty": empty}),)


def _places(middle: FloatArray, front: float) -> FloatArray:
    """(m, 3) places where a head has its face, mm, world."""
    x = middle[0] + np.arange(-BESIDE, BESIDE + 1, STEP)
    y = front + np.arange(*BEFORE, STEP)
    z = middle[2] - np.arange(*BELOW, STEP)
    return np.stack(np.meshgrid(x, y, z, indexing="ij"), axis=-1).reshape(-1, 3)
