"""Cubic interpolation of vectors on a sparse regular grid, contracted with the moments of many dipoles.

And what becomes of the outcome: the mean magnitude of a field over a region.
"""

import math

import numpy as np
from numba import njit, prange

from neuro_field.kernels.turns import parallel

#: Poses that one thread takes together.
CHUNK = 64

#: Lets sums over a region's elements run in vector registers, 4 times faster; their order does not depend on threads.
_VECTORS = {"reassoc", "nsz", "contract"}


@njit(cache=True)
def _weights(t, out):
    """Lagrange weights of the nodes -1, 0, 1, 2 at t between 0 and 1."""
    out[0] = -t * (t - 1) * (t - 2) / 6
    out[1] = (t + 1) * (t - 1) * (t - 2) / 2
    out[2] = -(t + 1) * t * (t - 2) / 2
    out[3] = (t + 1) * t * (t - 1) / 6


@njit(cache=True)
def mark(rotations, centres, positions, origin, spacing, cells):
    """Mark the grid cell of every dipole of every pose; cells (a, b, c) bool; arguments as `contract`."""
    for p in range(len(centres)):
        for s in range(len(positions)):
            x, y, z = positions[s, 0], positions[s, 1], positions[s, 2]
            i = centres[p, 0] + rotations[p, 0, 0] * x + rotations[p, 0, 1] * y + rotations[p, 0, 2] * z
            j = centres[p, 1] + rotations[p, 1, 0] * x + rotations[p, 1, 1] * y + rotations[p, 1, 2] * z
            k = centres[p, 2] + rotations[p, 2, 0] * x + rotations[p, 2, 1] * y + rotations[p, 2, 2] * z
            cells[int((i - origin[0]) / spacing), int((j - origin[1]) / spacing), int((k - origin[2]) / spacing)] = True


@parallel(error_model="numpy", fastmath={"contract"})
def contract(rotations, centres, positions, moments, origin, spacing, row, values, out):
    """out (p, k) = sum over dipoles of moment . Q_k(place), Q interpolated, for poses p of one set of dipoles.

    rotations (p, 3, 3), centres (p, 3); positions, moments (s, 3) in the coil frame; row (a, b, c) int32 names the
    row of ``values`` (q, 3, k) that each grid node has.  Lengths in one unit.
    """
    count, width = len(centres), values.shape[2]
    flat = values.reshape(len(values), 3 * width)
    for chunk in prange((count + CHUNK - 1) // CHUNK):
        place, moment, weight = np.empty(3), np.empty(3), np.empty((3, 4))
        base, q = np.empty(3, np.int64), np.empty(3 * width)
        for p in range(chunk * CHUNK, min(count, chunk * CHUNK + CHUNK)):
            for k in range(width):
                out[p, k] = 0.0
            for s in range(len(positions)):
                for c in range(3):
                    place[c] = centres[p, c]
                    moment[c] = 0.0
                    for d in range(3):
                        place[c] += rotations[p, c, d] * positions[s, d]
                        moment[c] += rotations[p, c, d] * moments[s, d]
                    x = (place[c] - origin[c]) / spacing
                    base[c] = int(x) - 1
                    _weights(x - int(x), weight[c])
                for k in range(3 * width):
                    q[k] = 0.0
                for a in range(4):
                    for b in range(4):
                        for c in range(4):
                            w = weight[0, a] * weight[1, b] * weight[2, c]
                            node = row[base[0] + a, base[1] + b, base[2] + c]
                            for k in range(3 * width):
                                q[k] += w * flat[node, k]
                for d in range(3):
                    for k in range(width):
                        out[p, k] += moment[d] * q[d * width + k]


@parallel(error_model="numpy", fastmath=_VECTORS)
def mean_magnitude(coefficients, basis, roots, out):
    """out (p,) = sum over elements of root |field|, fields (r, 3) = sum over k of coefficient times basis (3, k, r)."""
    count, width = coefficients.shape
    elements = len(roots)
    for chunk in prange((count + CHUNK - 1) // CHUNK):
        x, y, z = np.empty(elements), np.empty(elements), np.empty(elements)
        for p in range(chunk * CHUNK, min(count, chunk * CHUNK + CHUNK)):
            x[:], y[:], z[:] = 0.0, 0.0, 0.0
            for k in range(width):
                c = coefficients[p, k]
                for r in range(elements):
                    x[r] += c * basis[0, k, r]
                    y[r] += c * basis[1, k, r]
                    z[r] += c * basis[2, k, r]
            total = 0.0
            for r in range(elements):
                total += roots[r] * math.sqrt(x[r] * x[r] + y[r] * y[r] + z[r] * z[r])
            out[p] = total
