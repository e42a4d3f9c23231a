"""Sigmoid curves fitted at many points by variable projection: what is linear in a curve is solved in closed form.

At a point, z_k = low + rise S(s (u_k - m)), S(t) = 1 / (1 + exp(-t)), with u the field there scaled to 0..1 over the
pulses.  For a midpoint m and a steepness s of a grid, low and rise follow from sums over the pulses.
"""

import math

import numpy as np
from numba import prange

from neuro_field.kernels.turns import parallel

#: Sums over pulses run in vector registers; their order does not depend on threads.
_VECTORS = {"reassoc", "nsz", "contract"}


@parallel(error_model="numpy", fastmath=_VECTORS)
def best_curves(fields, answers, weights, midpoints, steepness, out, chosen):
    """Residual of the best curve of each point, and which it is.

    fields (m, p); answers (p,); weights (p,) of their squares; midpoints (a,) and steepness (b,) of u; out (m,) sum of
    squares; chosen (m, 2) indices of midpoint and steepness, -1 where no curve climbs.
    """
    points, count = fields.shape
    total, mean, spread = 0.0, 0.0, 0.0
    for k in range(count):
        total += weights[k]
    for k in range(count):
        mean += weights[k] * answers[k] / total
    for k in range(count):
        spread += weights[k] * (answers[k] - mean) ** 2
    for i in prange(points):
        least, most = fields[i, 0], fields[i, 0]
        for k in range(count):
            least, most = min(least, fields[i, k]), max(most, fields[i, k])
        scale = 1.0 / max(most - least, 1e-300)
        decay = np.empty(count)
        best, at, steep = spread, -1, -1
        for b in range(len(steepness)):
            for k in range(count):
                decay[k] = math.exp(-steepness[b] * (fields[i, k] - least) * scale)
            for a in range(len(midpoints)):
                shift = math.exp(steepness[b] * midpoints[a])
                first, second, product = 0.0, 0.0, 0.0
                for k in range(count):
                    s = 1.0 / (1.0 + decay[k] * shift)
                    first += weights[k] * s
                    second += weights[k] * s * s
                    product += weights[k] * (answers[k] - mean) * s
                variance = second - first * first / total
                if product > 0.0 and variance > 1e-9 * total:
                    left = spread - product * product / variance
                    if left < best:
                        best, at, steep = left, a, b
        out[i] = best
        chosen[i, 0], chosen[i, 1] = at, steep
