"""Cubic interpolation of vectors on a sparse regular grid, contracted with the moments of many dipoles."""

import numpy as np
from numba import njit, prange


@njit(cache=True)
def _weights(t, out):
    """Lagrange weights of the nodes -1, 0, 1, 2 at t between 0 and 1."""
    out[0] = -t * (t - 1) * (t - 2) / 6
    out[1] = (t + 1) * (t - 1) * (t - 2) / 2
    out[2] = -(t + 1) * t * (t - 2) / 2
    out[3] = (t + 1) * t * (t - 1) / 6


@njit(cache=True)
def mark(points, origin, spacing, needed):
    """Mark the 4 x 4 x 4 grid nodes around every point; needed (a, b, c) bool, points (m, 3) well inside it."""
    for m in range(len(points)):
        i = int((points[m, 0] - origin[0]) / spacing) - 1
        j = int((points[m, 1] - origin[1]) / spacing) - 1
        k = int((points[m, 2] - origin[2]) / spacing) - 1
        for a in range(4):
            for b in range(4):
                for c in range(4):
                    needed[i + a, j + b, k + c] = True


@njit(cache=True, parallel=True)
def contract(rotations, centres, positions, moments, origin, spacing, row, values, out):
    """out (p, k) = sum over dipoles of moment . Q_k(place), Q interpolated, for poses p of one set of dipoles.

    rotations (p, 3, 3), centres (p, 3); positions, moments (s, 3) in the coil frame; row (a, b, c) int32 names the
    row of ``values`` (q, 3, k) that each grid node has.  Lengths in one unit.
    """
    width = values.shape[2]
    for p in prange(len(centres)):
        place, moment, weight = np.empty(3), np.empty(3), np.empty((3, 4))
        base = np.empty(3, np.int64)
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
            for a in range(4):
                for b in range(4):
                    for c in range(4):
                        w = weight[0, a] * weight[1, b] * weight[2, c]
                        q = row[base[0] + a, base[1] + b, base[2] + c]
                        for d in range(3):
                            factor = w * moment[d]
                            for k in range(width):
                                out[p, k] += factor * values[q, d, k]
