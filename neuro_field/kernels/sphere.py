"""The closed-form electric field of magnetic dipoles in a conducting sphere."""

import numpy as np
from numba import njit, prange


@njit(cache=True, parallel=True)
def sphere_field(points, positions, moments, out):
    """E in a sphere centred at the origin, summed over dipoles outside it (Heller & van Hulsteyn 1992).

    By reciprocity from Sarvas 1987:  a = r2 - r,  F = a (|r2| a + r2.a),
    gF = (a^2/|r2| + r2.a/a + 2a + 2|r2|) r2 - (a + 2|r2| + r2.a/a) r,
    E = -(mu0/4pi) / F^2 [F (r x m) - (m.gF)(r x r2)].
    points, positions (., 3) m; moments (s, 3) A m2/s; out (m, 3) V/m.
    """
    for i in prange(len(points)):
        x, y, z = points[i, 0], points[i, 1], points[i, 2]
        ex, ey, ez = 0.0, 0.0, 0.0
        for s in range(len(positions)):
            px, py, pz = positions[s, 0], positions[s, 1], positions[s, 2]
            mx, my, mz = moments[s, 0], moments[s, 1], moments[s, 2]
            ax, ay, az = px - x, py - y, pz - z
            a = np.sqrt(ax * ax + ay * ay + az * az)
            r2 = np.sqrt(px * px + py * py + pz * pz)
            dot = px * ax + py * ay + pz * az
            f = a * (r2 * a + dot)
            of_r2 = a * a / r2 + dot / a + 2 * a + 2 * r2
            of_r = a + 2 * r2 + dot / a
            m_dot = of_r2 * (mx * px + my * py + mz * pz) - of_r * (mx * x + my * y + mz * z)
            first, second = -1e-7 / f, 1e-7 * m_dot / (f * f)
            ex += first * (y * mz - z * my) + second * (y * pz - z * py)
            ey += first * (z * mx - x * mz) + second * (z * px - x * pz)
            ez += first * (x * my - y * mx) + second * (x * py - y * px)
        out[i, 0], out[i, 1], out[i, 2] = ex, ey, ez
