"""The closed-form electric field of magnetic dipoles in a conducting sphere: minus dA/dt in the radial gauge."""

import math

import numpy as np
from numba import njit, prange

#: Lets the sum over sources run in vector registers: 12 times faster, differences of 1e-14; NaN and inf stay true.
_VECTORS = {"reassoc", "nsz", "contract", "arcp"}


@njit(cache=True, parallel=True, error_model="numpy", fastmath=_VECTORS)
def sphere_field(points, positions, moments, out):
    """E in a sphere centred at the origin, summed over dipoles outside it (Heller & van Hulsteyn 1992).

    By reciprocity from Sarvas 1987:  a = r2 - r,  F = a (|r2| a + r2.a),
    gF = (a^2/|r2| + r2.a/a + 2a + 2|r2|) r2 - (a + 2|r2| + r2.a/a) r,
    E = -(mu0/4pi) / F^2 [F (r x m) - (m.gF)(r x r2)].
    points, positions (., 3) m; moments (s, 3) A m2/s; out (m, 3) V/m.  Not finite on the ray from r2 away from the
    origin, where F = 0.
    """
    px, py, pz = positions[:, 0].copy(), positions[:, 1].copy(), positions[:, 2].copy()
    mx, my, mz = moments[:, 0].copy(), moments[:, 1].copy(), moments[:, 2].copy()
    r2 = np.sqrt(px * px + py * py + pz * pz)
    nearness, m_r2 = 1.0 / r2, mx * px + my * py + mz * pz
    for i in prange(len(points)):
        x, y, z = points[i, 0], points[i, 1], points[i, 2]
        vx = vy = vz = 0.0  # E = r x v
        for s in range(len(px)):
            ax, ay, az = px[s] - x, py[s] - y, pz[s] - z
            square = ax * ax + ay * ay + az * az
            a, dot = math.sqrt(square), px[s] * ax + py[s] * ay + pz[s] * az
            by_a = r2[s] * a + dot
            inverse = 1.0 / (a * by_a)
            common = dot * inverse * by_a + 2.0 * (a + r2[s])
            m_gf = (square * nearness[s] + common) * m_r2[s] - (common - a) * (mx[s] * x + my[s] * y + mz[s] * z)
            weight = m_gf * inverse * inverse
            vx += weight * px[s] - inverse * mx[s]
            vy += weight * py[s] - inverse * my[s]
            vz += weight * pz[s] - inverse * mz[s]
        out[i, 0] = 1e-7 * (y * vz - z * vy)
        out[i, 1] = 1e-7 * (z * vx - x * vz)
        out[i, 2] = 1e-7 * (x * vy - y * vx)


@njit(cache=True, parallel=True, error_model="numpy")
def ray_clearance(points, positions, out):
    """For each source the least cosine between r2 and r2 - r over points r: -1 where one lies straight beyond it.

    points (m, 3), positions (s, 3) from the origin in one unit; out (s,), 1 where there are no points.
    """
    for s in prange(len(positions)):
        px, py, pz = positions[s, 0], positions[s, 1], positions[s, 2]
        least = 1.0
        for i in range(len(points)):
            ax, ay, az = px - points[i, 0], py - points[i, 1], pz - points[i, 2]
            dot = px * ax + py * ay + pz * az
            square = (px * px + py * py + pz * pz) * (ax * ax + ay * ay + az * az)
            least = min(least, dot / math.sqrt(square))
        out[s] = least
