"""Order points along a Morton (Z-order) curve, so that neighbours in space become neighbours in memory."""

import numpy as np

from neuro_field.arrays import AnyArray, FloatArray

#: Shift and mask of each step that spreads 21 bits so that two zero bits follow each.
_SPREAD = (
    (32, 0x001F00000000FFFF),
    (16, 0x001F0000FF0000FF),
    (8, 0x100F00F00F00F00F),
    (4, 0x10C30C30C30C30C3),
    (2, 0x1249249249249249),
)


def morton_codes(points: FloatArray) -> AnyArray:
    """Position of each point along the Z-order curve of the cube that bounds them all.

    Parameters
    ----------
    points : (m, 3) array
        Finite positions, in any one unit.

    Returns
    -------
    (m,) uint64 array
        21 bits of each coordinate, interleaved with x as the most significant; points closer than the cube's
        side / 2**21 may share a code.

    References
    ----------
    Morton G.M. (1966) A computer oriented geodetic data base. IBM, Ottawa.
    """
    points = np.asarray(points, dtype=np.float64)
    if not len(points):
        return np.zeros(0, dtype=np.uint64)
    low = points.min(axis=0)
    side = float((points.max(axis=0) - low).max())
    scale = (2**21 - 1) / side if side > 0 else 0.0
    codes = np.zeros(len(points), dtype=np.uint64)
    for axis in range(3):
        spread = ((points[:, axis] - low[axis]) * scale).astype(np.uint64)
        for shift, mask in _SPREAD:
            spread = (spread | (spread << np.uint64(shift))) & np.uint64(mask)
        codes |= spread << np.uint64(2 - axis)
    return codes


def morton_order(points: FloatArray) -> AnyArray:
    """Permutation that sorts points (m, 3) along the Z-order curve: ``points[morton_order(points)]``.

    Equal codes keep the order they came in, so the result is the same on every machine.
    """
    return np.argsort(morton_codes(points), kind="stable")
