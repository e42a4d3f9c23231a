"""Normals of patches of a surface around many points."""

import math

from numba import prange

from neuro_field.kernels.turns import parallel


@parallel(error_model="numpy")
def patch_normals(chosen, vertices, normals, areas, radius, out, evenness):
    """Mean normals of the vertices within a radius of some of them, into ``out`` (q, 3), unit vectors.

    ``chosen`` (q,) names the middles among ``vertices`` (m, 3); ``normals`` (m, 3) and ``areas`` (m,).  Only vertices
    that face the middle's way count (`Surface.smoothed_normal`).  ``evenness`` (q,): length of the sum of area times
    normal of all vertices within the radius, over the area: 1 on a plane, far less on an ear.
    """
    for q in prange(len(chosen)):
        middle = chosen[q]
        x = y = z = 0.0
        ax = ay = az = area = 0.0
        for i in range(len(vertices)):
            dx = vertices[i, 0] - vertices[middle, 0]
            if abs(dx) > radius:
                continue
            dy, dz = vertices[i, 1] - vertices[middle, 1], vertices[i, 2] - vertices[middle, 2]
            if dx * dx + dy * dy + dz * dz > radius * radius:
                continue
            nx, ny, nz = areas[i] * normals[i, 0], areas[i] * normals[i, 1], areas[i] * normals[i, 2]
            ax += nx
            ay += ny
            az += nz
            area += areas[i]
            if nx * normals[middle, 0] + ny * normals[middle, 1] + nz * normals[middle, 2] > 0.0:
                x += nx
                y += ny
                z += nz
        length = math.sqrt(x * x + y * y + z * z)
        out[q, 0], out[q, 1], out[q, 2] = x / length, y / length, z / length
        evenness[q] = math.sqrt(ax * ax + ay * ay + az * az) / area
