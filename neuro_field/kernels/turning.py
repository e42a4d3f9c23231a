"""Sums over charges of a coil's potential, for every turn of the coil about its axis at once.

With the potential in cylinder coordinates about the axis, V = sum over h of A_h(r, z) cos h phi + B_h(r, z) sin h phi,
a turn by theta takes phi to phi - theta, and a sum over charges is a short trigonometric series in theta.
"""

import math

import numpy as np
from numba import njit, prange

from neuro_field.kernels.turns import parallel

#: Poses that one thread takes together.
CHUNK = 64


@njit(cache=True)
def _weights(t, out):
    """Lagrange weights of the nodes -1, 0, 1, 2 at t between 0 and 1."""
    out[0] = -t * (t - 1) * (t - 2) / 6
    out[1] = (t + 1) * (t - 1) * (t - 2) / 2
    out[2] = -(t + 1) * t * (t - 2) / 2
    out[3] = (t + 1) * t * (t - 1) / 6


@parallel(error_model="numpy", fastmath={"nsz", "contract", "arcp", "reassoc"})
def coil_potential(points, positions, moments, out):
    """out (m,) = sum over dipoles (s, 3) of moment . (r_s - x) / |r_s - x|^3 at points x (m, 3); one unit of length.

    Runs over dipoles in vector registers, 4 times faster; infinite at a dipole.
    """
    for i in prange(len(points)):
        px, py, pz = points[i, 0], points[i, 1], points[i, 2]
        total = 0.0
        for s in range(len(positions)):
            x, y, z = positions[s, 0] - px, positions[s, 1] - py, positions[s, 2] - pz
            square = x * x + y * y + z * z
            total += (moments[s, 0] * x + moments[s, 1] * y + moments[s, 2] * z) / (square * math.sqrt(square))
        out[i] = total


@parallel(error_model="numpy", fastmath={"contract"})
def axis_series(rotations, centres, places, strengths, harmonics, table, near, spacing, low, out, clear):
    """The series in the turn of a coil of the sum over charges of strength times potential, per axis g.

    rotations (g, 3, 3) and centres (g, 3): the coil's pose before the turn; places (j, 3) and strengths (j, k) of the
    charges; harmonics (h,) ascending; table (a, b, 2 h): A and B of each harmonic at r = (a - 1) spacing and
    z = low + b spacing; near (a, b) bool: whether a dipole passes by when the coil turns.  Into out (g, 2 h, k) the
    coefficients of cosine and sine of each harmonic; clear (g,) bool says whether all charges kept clear of what is
    near and within the table.  Lengths in one unit.
    """
    count, width, terms = len(centres), strengths.shape[1], table.shape[2]
    rows, columns = table.shape[0], table.shape[1]
    for g in prange(count):
        across, along, value = np.empty(4), np.empty(4), np.empty(terms)
        clear[g] = True
        for t in range(terms):
            for k in range(width):
                out[g, t, k] = 0.0
        for j in range(len(places)):
            dx, dy, dz = places[j, 0] - centres[g, 0], places[j, 1] - centres[g, 1], places[j, 2] - centres[g, 2]
            x = dx * rotations[g, 0, 0] + dy * rotations[g, 1, 0] + dz * rotations[g, 2, 0]
            y = dx * rotations[g, 0, 1] + dy * rotations[g, 1, 1] + dz * rotations[g, 2, 1]
            z = dx * rotations[g, 0, 2] + dy * rotations[g, 1, 2] + dz * rotations[g, 2, 2]
            r = math.sqrt(x * x + y * y)
            u, v = r / spacing + 1.0, (z - low) / spacing
            if not (u < rows - 2 and 1.0 <= v < columns - 2):
                clear[g] = False
                break
            a, b = int(u), int(v)
            if near[a, b]:
                clear[g] = False
                break
            _weights(u - a, across)
            _weights(v - b, along)
            for t in range(terms):
                value[t] = 0.0
            for i in range(4):
                for n in range(4):
                    weight = across[i] * along[n]
                    for t in range(terms):
                        value[t] += weight * table[a - 1 + i, b - 1 + n, t]
            c, s = (x / r, y / r) if r > 0.0 else (1.0, 0.0)
            cosine, sine, reached = 1.0, 0.0, 0
            for h in range(len(harmonics)):
                while reached < harmonics[h]:
                    cosine, sine = cosine * c - sine * s, sine * c + cosine * s
                    reached += 1
                for_cosine = value[2 * h] * cosine + value[2 * h + 1] * sine
                for_sine = value[2 * h] * sine - value[2 * h + 1] * cosine
                for k in range(width):
                    out[g, 2 * h, k] += strengths[j, k] * for_cosine
                    out[g, 2 * h + 1, k] += strengths[j, k] * for_sine


@parallel(error_model="numpy")
def turned(families, angles, lifts, lows, highs, firsts, counts, harmonics, series, out):
    """out (p, k): trigonometric in the angle and polynomial in the lift, for poses p of families f.

    families (p,) names each pose's family, angles (p,) in radians, lifts (p,).  Family f has ``counts[f]`` Chebyshev
    nodes of lift between lows[f] and highs[f], from row ``firsts[f]`` of ``series`` (q, 2 h, k): for each of the
    harmonics (h,) its cosine's and its sine's coefficients.
    """
    count, width = out.shape
    most = 0
    for f in range(len(counts)):
        most = max(most, counts[f])
    for chunk in prange((count + CHUNK - 1) // CHUNK):
        node, weight = np.empty(most), np.empty(most)
        for p in range(chunk * CHUNK, min(count, chunk * CHUNK + CHUNK)):
            f = families[p]
            nodes = counts[f]
            for i in range(nodes):
                turn = math.cos(math.pi * (i + 0.5) / nodes)
                node[i] = 0.5 * (lows[f] + highs[f]) - 0.5 * (highs[f] - lows[f]) * turn
            for i in range(nodes):
                weight[i] = 1.0
                for j in range(nodes):
                    if j != i:
                        weight[i] *= (lifts[p] - node[j]) / (node[i] - node[j])
            for k in range(width):
                out[p, k] = 0.0
            for h in range(len(harmonics)):
                cosine, sine = math.cos(harmonics[h] * angles[p]), math.sin(harmonics[h] * angles[p])
                for i in range(nodes):
                    for k in range(width):
                        out[p, k] += weight[i] * (
                            cosine * series[firsts[f] + i, 2 * h, k] + sine * series[firsts[f] + i, 2 * h + 1, k]
                        )
