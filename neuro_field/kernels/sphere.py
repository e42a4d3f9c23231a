"""The closed-form electric field of magnetic dipoles in a conducting sphere: minus dA/dt in the radial gauge."""

import math

import numpy as np
from numba import njit, prange

from neuro_field.kernels.biot import VECTORS, K
from neuro_field.kernels.turns import parallel


@njit(cache=True, error_model="numpy")
def radial_sources(positions, moments):
    """Dipoles (s, 3), (s, 3) as `radial_field` takes them: rows p, m, |p|, 1/|p| and m.p of a table (9, s)."""
    out = np.empty((9, len(positions)))
    for s in range(len(positions)):
        for c in range(3):
            out[c, s], out[3 + c, s] = positions[s, c], moments[s, c]
        x, y, z = positions[s, 0], positions[s, 1], positions[s, 2]
        out[6, s] = math.sqrt(x * x + y * y + z * z)
        out[7, s] = 1.0 / out[6, s]
        out[8, s] = moments[s, 0] * x + moments[s, 1] * y + moments[s, 2] * z
    return out


@njit(cache=True, inline="always", error_model="numpy", fastmath=VECTORS)
def radial_field(sources, count, x, y, z):
    """E of the first ``count`` dipoles of `radial_sources` at one point; as `sphere_field`."""
    vx = vy = vz = 0.0  # E = r x v
    for s in range(count):
        px, py, pz = sources[0, s], sources[1, s], sources[2, s]
        mx, my, mz = sources[3, s], sources[4, s], sources[5, s]
        r2 = sources[6, s]
        ax, ay, az = px - x, py - y, pz - z
        square = ax * ax + ay * ay + az * az
        a, dot = math.sqrt(square), px * ax + py * ay + pz * az
        by_a = r2 * a + dot
        inverse = 1.0 / (a * by_a)
        common = dot * inverse * by_a + 2.0 * (a + r2)
        m_gf = (square * sources[7, s] + common) * sources[8, s] - (common - a) * (mx * x + my * y + mz * z)
        weight = m_gf * inverse * inverse
        vx += weight * px - inverse * mx
        vy += weight * py - inverse * my
        vz += weight * pz - inverse * mz
    return K * (y * vz - z * vy), K * (z * vx - x * vz), K * (x * vy - y * vx)


@parallel(error_model="numpy", fastmath=VECTORS)
def sphere_field(points, positions, moments, out):
    """E in a sphere centred at the origin, summed over dipoles outside it (Heller & van Hulsteyn 1992).

    By reciprocity from Sarvas 1987:  a = r2 - r,  F = a (|r2| a + r2.a),
    gF = (a^2/|r2| + r2.a/a + 2a + 2|r2|) r2 - (a + 2|r2| + r2.a/a) r,
    E = -(mu0/4pi) / F^2 [F (r x m) - (m.gF)(r x r2)].
    points, positions (., 3) m; moments (s, 3) A m2/s; out (m, 3) V/m.  Not finite on the ray from r2 away from the
    origin, where F = 0.
    """
    sources = radial_sources(positions, moments)
    for i in prange(len(points)):
        out[i, 0], out[i, 1], out[i, 2] = radial_field(
            sources, len(positions), points[i, 0], points[i, 1], points[i, 2]
        )
