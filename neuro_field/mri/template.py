"""The brain that heads are mapped to: MNI152, drawn as heads are."""

from functools import cache

import numpy as np

from neuro_field.arrays import AnyArray, BoolArray, FloatArray, read_only
from neuro_field.nouns import noun

#: Voxel of the images that are compared, mm.
GRID = 2.0

#: Brightness of the pseudo-image: white over grey as in a T1, CSF and all else dark.
BRIGHTNESS = {1: 1.0, 2: 0.6}


@noun
class Template:
    """The symmetric ICBM152 2009 template that nilearn carries (Fonov et al., NeuroImage 2011;54:313), at 2 mm.

    ``image`` (i, j, k) drawn from its white and grey matter maps as heads are; ``brain`` (i, j, k) mask; ``tissues``
    (i, j, k) the more likely of white and grey matter in the brain, as tags; ``affine`` (4, 4) voxel index to MNI mm.
    """

    image: AnyArray
    brain: BoolArray
    tissues: AnyArray
    affine: FloatArray


@cache
def template() -> Template:
    """The template that heads are mapped to."""
    from nilearn import datasets

    images = (datasets.load_mni152_wm_template(resolution=2), datasets.load_mni152_gm_template(resolution=2))
    white, grey = (read_only(image.dataobj, np.float32) for image in images)
    brain = white + grey > 0.5
    tissues = np.where(brain, np.where(white > grey, 1, 2), 0).astype(np.uint8)
    affine = read_only(images[0].affine, np.float64)
    return Template(
        read_only(BRIGHTNESS[1] * white + BRIGHTNESS[2] * grey), read_only(brain), read_only(tissues), affine
    )
