"""Sums of modes that are packed patch by patch: int16 numbers, a coefficient for each mode of each patch.

What limits them is how fast the numbers come from memory, so each is read once, in order.  The numbers of a patch lie
mode after mode, and within a mode component after component, so that the inner loops run over neighbours.
"""

import math

import numpy as np
from numba import njit, prange

from neuro_field.kernels.turns import parallel

#: Modes that are added in one sweep over a patch.
TOGETHER = 4


@njit(cache=True, inline="always")
def _add_modes(values, start, width, rank, coefficients, first, sums):
    """sums[:width] = the coefficients' sum over a patch's modes."""
    for i in range(width):
        sums[i] = np.float32(0.0)
    whole = rank - rank % TOGETHER
    for k in range(0, whole, TOGETHER):
        c0, c1 = coefficients[first + k], coefficients[first + k + 1]
        c2, c3 = coefficients[first + k + 2], coefficients[first + k + 3]
        at0 = values[start + k * width : start + (k + 1) * width]
        at1 = values[start + (k + 1) * width : start + (k + 2) * width]
        at2 = values[start + (k + 2) * width : start + (k + 3) * width]
        at3 = values[start + (k + 3) * width : start + (k + 4) * width]
        for i in range(width):
            sums[i] += (
                c0 * np.float32(at0[i]) + c1 * np.float32(at1[i]) + c2 * np.float32(at2[i]) + c3 * np.float32(at3[i])
            )
    for k in range(whole, rank):
        c0 = coefficients[first + k]
        at0 = values[start + k * width : start + (k + 1) * width]
        for i in range(width):
            sums[i] += c0 * np.float32(at0[i])


@parallel()
def mode_sums(values, starts, points, ranks, coefficients, out):
    """out (n, d) float32: the sum of each patch's modes at its points.

    ``values`` int16; of patch p, with ``points[p]`` to ``points[p + 1]`` its points and ``ranks[p]`` to
    ``ranks[p + 1]`` its modes, they begin at ``starts[p]``; ``coefficients`` float32, one for each of all modes.
    """
    d = out.shape[1]
    for p in prange(len(starts)):
        low, count = points[p], points[p + 1] - points[p]
        sums = np.empty(d * count, np.float32)
        _add_modes(values, starts[p], d * count, ranks[p + 1] - ranks[p], coefficients, ranks[p], sums)
        for c in range(d):
            for i in range(count):
                out[low + i, c] = sums[c * count + i]


@parallel()
def mode_magnitudes(values, starts, points, ranks, coefficients, out):
    """out (n,) float32: the length of the vectors that `mode_sums` gives for d = 3."""
    for p in prange(len(starts)):
        low, count = points[p], points[p + 1] - points[p]
        sums = np.empty(3 * count, np.float32)
        _add_modes(values, starts[p], 3 * count, ranks[p + 1] - ranks[p], coefficients, ranks[p], sums)
        for i in range(count):
            x, y, z = sums[i], sums[count + i], sums[2 * count + i]
            out[low + i] = math.sqrt(x * x + y * y + z * z)


@parallel(fastmath={"reassoc", "nsz", "contract"})
def reached_volumes(x, y, z, thresholds, volumes, out):
    """Add to out (p,) the volumes (m,) of points at which the vectors x, y, z (p, m) are at least thresholds (p,) long.

    All of them float32 but out: some thousand points at a time, whose sums keep six digits.
    """
    for p in prange(x.shape[0]):
        least, total = thresholds[p] * thresholds[p], np.float32(0.0)
        for i in range(x.shape[1]):
            square = x[p, i] * x[p, i] + y[p, i] * y[p, i] + z[p, i] * z[p, i]
            total += volumes[i] if square >= least else np.float32(0.0)
        out[p] += total
