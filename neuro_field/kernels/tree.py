"""Kernels of a treecode: fields of many sources at many far points, by boxes of neighbouring sources.

Computes f_dj(x) = sum_n W_nj (x - r_n)_d / |x - r_n|^3 for many densities j at once.  Boxes are those of
`kernels.boxes`, sources in their order.  Far boxes act through their moments up to second order about the box centre,
near ones source by source.  Sums are in single precision with double coordinates.
"""

import numpy as np
from numba import njit, prange

from neuro_field.kernels.turns import parallel

#: Columns of the moments: mass, dipole, quadrupole xx yy zz xy xz yz.
MOMENTS = 10


@parallel()
def moments(points, densities, first, last, centres, radii, out):
    """Moments (b, 10, j) and radii (b,) of every box; points (n, 3) double, densities (n, j) single precision."""
    width = densities.shape[1]
    for box in prange(len(first)):
        farthest = 0.0
        out[box, :, :] = 0.0
        for n in range(first[box], last[box]):
            square = 0.0
            for c in range(3):
                square += (points[n, c] - centres[box, c]) ** 2
            farthest = max(farthest, square)
            x = np.float32(points[n, 0] - centres[box, 0])
            y = np.float32(points[n, 1] - centres[box, 1])
            z = np.float32(points[n, 2] - centres[box, 2])
            for j in range(width):
                w = densities[n, j]
                out[box, 0, j] += w
                out[box, 1, j] += w * x
                out[box, 2, j] += w * y
                out[box, 3, j] += w * z
                out[box, 4, j] += w * x * x
                out[box, 5, j] += w * y * y
                out[box, 6, j] += w * z * z
                out[box, 7, j] += w * x * y
                out[box, 8, j] += w * x * z
                out[box, 9, j] += w * y * z
        radii[box] = np.sqrt(farthest)


@njit(cache=True, error_model="numpy")
def _far(dx, dy, dz, moment, out):
    """Add a box's field, expanded to second order in the source's offset from the centre."""
    square = dx * dx + dy * dy + dz * dz
    inverse = 1.0 / np.sqrt(square)
    cube = inverse * inverse * inverse
    a3, a5 = np.float32(cube), np.float32(3.0 * cube * inverse * inverse)
    a7 = np.float32(15.0 * cube * inverse**4)
    x, y, z = np.float32(dx), np.float32(dy), np.float32(dz)
    half = np.float32(0.5)
    for j in range(moment.shape[1]):
        dipole = x * moment[1, j] + y * moment[2, j] + z * moment[3, j]
        qx = x * moment[4, j] + y * moment[7, j] + z * moment[8, j]
        qy = x * moment[7, j] + y * moment[5, j] + z * moment[9, j]
        qz = x * moment[8, j] + y * moment[9, j] + z * moment[6, j]
        trace = moment[4, j] + moment[5, j] + moment[6, j]
        s = a3 * moment[0, j] + a5 * dipole + half * (a7 * (x * qx + y * qy + z * qz) - a5 * trace)
        out[0, j] += x * s - a3 * moment[1, j] - a5 * qx
        out[1, j] += y * s - a3 * moment[2, j] - a5 * qy
        out[2, j] += z * s - a3 * moment[3, j] - a5 * qz


@njit(cache=True, error_model="numpy")
def _near(x, y, z, points, densities, begin, end, out):
    """Add the fields of sources one by one."""
    for n in range(begin, end):
        dx, dy, dz = x - points[n, 0], y - points[n, 1], z - points[n, 2]
        square = dx * dx + dy * dy + dz * dz
        cube = np.float32(1.0 / (square * np.sqrt(square)))
        fx, fy, fz = np.float32(dx) * cube, np.float32(dy) * cube, np.float32(dz) * cube
        for j in range(densities.shape[1]):
            out[0, j] += fx * densities[n, j]
            out[1, j] += fy * densities[n, j]
            out[2, j] += fz * densities[n, j]


@parallel()
def evaluate(targets, points, densities, first, last, children, counts, centres, radii, moment, opening, out):
    """f_dj at targets (m, 3), into out (m, 3, j); a box is far when its radius < opening times its distance."""
    for m in prange(len(targets)):
        stack = np.empty(512, np.int64)
        stack[0], height = 0, 1
        x, y, z = targets[m, 0], targets[m, 1], targets[m, 2]
        out[m, :, :] = 0.0
        while height > 0:
            height -= 1
            box = stack[height]
            dx, dy, dz = x - centres[box, 0], y - centres[box, 1], z - centres[box, 2]
            if radii[box] ** 2 < opening**2 * (dx * dx + dy * dy + dz * dz):
                _far(dx, dy, dz, moment[box], out[m])
            elif counts[box] > 0:
                for c in range(counts[box]):
                    stack[height] = children[box] + c
                    height += 1
            else:
                _near(x, y, z, points, densities, first[box], last[box], out[m])
