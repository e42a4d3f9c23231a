"""Along which axes programs write the components of tensors and b-vectors, and the turn from them to the world's."""

import numpy as np

from neuro_field.arrays import AnyArray, FloatArray
from neuro_field.errors import UnknownNameError

#: fsl: the image's voxel axes, the first one reversed where the affine keeps handedness (its determinant is positive);
#: so are FSL's bvecs, BIDS's, and what is fitted from them without a turn.  voxel: the voxel axes as they are.  world:
#: the scanner's, right, front, up (RAS), as MRtrix has them.  lps: the same to left and back, as DICOM and ITK do.
AXES = ("fsl", "voxel", "world", "lps")

#: Rows and columns of the six components of a tensor as they are kept here: xx, xy, xz, yy, yz, zz.
ROWS, COLUMNS = (0, 0, 0, 1, 1, 2), (0, 1, 2, 1, 2, 2)


def world_from_axes(axes: str, affine: FloatArray) -> FloatArray:
    """(3, 3) rotation, or rotation and mirror image, from the axes of a name to the world's (RAS).

    Parameters
    ----------
    axes : {"fsl", "voxel", "world", "lps"}
    affine : (4, 4) array
        Voxel index to mm of the image that the components belong to; of slightly sheared axes the nearest perpendicular
        ones count.

    Raises
    ------
    UnknownNameError
        On another name.

    Examples
    --------
    >>> world_from_axes("fsl", np.diag([2.0, 2.0, 2.0, 1.0])).diagonal()
    array([-1.,  1.,  1.])
    >>> world_from_axes("fsl", np.diag([-2.0, 2.0, 2.0, 1.0])).diagonal()
    array([-1.,  1.,  1.])
    """
    if axes not in AXES:
        raise UnknownNameError("axes of tensors", axes, list(AXES))
    if axes == "world":
        return np.eye(3)
    if axes == "lps":
        return np.diag([-1.0, -1.0, 1.0])
    turn = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    left, _, right = np.linalg.svd(turn)
    out = np.asarray(left @ right, dtype=np.float64)
    if axes == "fsl" and np.linalg.det(affine[:3, :3]) > 0:
        out = out * [-1.0, 1.0, 1.0]
    return out


def matrices(components: AnyArray) -> FloatArray:
    """(..., 3, 3) tensors of their components (..., 6)."""
    out = np.empty((*components.shape[:-1], 3, 3))
    out[..., ROWS, COLUMNS] = components
    out[..., COLUMNS, ROWS] = components
    return out


def components(tensors: FloatArray) -> FloatArray:
    """Components (..., 6) of symmetric tensors (..., 3, 3)."""
    return np.asarray(tensors[..., ROWS, COLUMNS])


def turned(given: AnyArray, turn: FloatArray) -> AnyArray:
    """Components (..., 6) after a turn (3, 3) of the tensors: R D R^T; in the numbers' own precision."""
    step = np.zeros((6, 6))  # of the components: linear in them
    for column in range(6):
        unit = np.zeros(6)
        unit[column] = 1.0
        step[:, column] = components(turn @ matrices(unit) @ turn.T)
    return given @ step.T.astype(given.dtype)
