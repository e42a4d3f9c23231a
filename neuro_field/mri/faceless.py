"""Images without the face: of a T1 or of tissue labels, for what is shown to others."""

import numpy as np

from neuro_field.arrays import transformed
from neuro_field.head.face import KEPT, Face
from neuro_field.mri.volume import Volume


def faceless(image: Volume, face: Face, tissues: Volume) -> Volume:
    """An image that is 0 in a face, but where the tissue tags have brain, CSF or lesion."""
    values = image.values.copy()
    for i, plane in enumerate(values):  # one at a time: an image has millions of voxels
        places = np.argwhere(plane != 0)
        points = transformed(np.column_stack([np.full(len(places), i), places]).astype(np.float64), image.affine)
        inside = face.holds(points)
        places, points = places[inside], points[inside]
        if len(places):
            blank = places[~np.isin(tissues.at(points, 0), KEPT)]
            plane[blank[:, 0], blank[:, 1]] = 0
    return Volume(values, image.affine)
