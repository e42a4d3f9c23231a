"""An affine map to MNI152 that was found elsewhere: which way it goes is told by what it brings where."""

import numpy as np

from neuro_field.arrays import AnyArray, FloatArray
from neuro_field.errors import InputError
from neuro_field.head.mapping import AffineMapping
from neuro_field.mri.mapping import LEAST_WHITE
from neuro_field.mri.overlap import NOT_PADDED, Padding, overlap_of


def given_mapping(
    matrix: FloatArray, where: str, labels: AnyArray, affine: FloatArray, padding: Padding = NOT_PADDED
) -> AffineMapping:
    """The map to MNI152 that a matrix means, in the direction in which white matter comes to lie on white matter.

    Parameters
    ----------
    matrix : (4, 4) array
        mm of one space to mm of the other, RAS.
    where : str
        The file, for messages and the map's ``source``.
    labels, affine, padding
        Of the head; see `neuro_field.mri.mapping.register_to_mni`.

    Raises
    ------
    InputError
        If it fits in neither direction.
    """
    ways = []
    for what, way in (("head to MNI", matrix), ("MNI to head, inverted", np.linalg.inv(matrix))):
        try:
            mapping = AffineMapping(np.asarray(way, dtype=np.float64), f"{where} ({what})")
        except InputError:  # a mirror image, or another size
            continue
        ways.append((overlap_of(labels, affine, mapping, padding).white, mapping))
    best = max(ways, key=lambda way: way[0], default=None)
    if best is None or best[0] < LEAST_WHITE:
        shown = "it mirrors, or scales volumes by more than 5" if best is None else f"{best[0]:.2f} at best"
        raise InputError(
            f"The map {where} must bring this head's white matter onto MNI's, by {LEAST_WHITE} (Dice) at least, from "
            f"head to MNI or back; instead {shown}: give a matrix between mm of the T1's world and MNI152 (one of FSL "
            "flirt counts in the voxels of its images: convert it with c3d_affine_tool -fsl2ras)."
        )
    return best[1]
