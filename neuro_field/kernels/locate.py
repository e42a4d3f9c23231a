"""Which element holds each point: the points are binned, and every element looks into the bins it overlaps."""

import numpy as np
from numba import njit


@njit(cache=True)
def locate(nodes, tets, points, order, starts, origin, cell, shape, found, shares):
    """Fill the first element (lowest index) that holds each point, and the point's barycentric coordinates in it.

    nodes (n, 3); points (m, 3) in the same unit; order (m,) sorts the points by bin, ``starts`` (bins + 1,) is where
    each bin begins in it, bins of edge ``cell`` from ``origin`` in C order over ``shape``.  found (m,) int32, -1 on
    entry and left so outside the mesh; shares (m, 4).  Points on a face belong to it (tolerance 1e-9).
    """
    low, high = np.empty(3, np.int64), np.empty(3, np.int64)
    share = np.empty(4)
    for t in range(len(tets)):
        outside = False
        for c in range(3):
            smallest, largest = nodes[tets[t, 0], c], nodes[tets[t, 0], c]
            for a in range(1, 4):
                smallest = min(smallest, nodes[tets[t, a], c])
                largest = max(largest, nodes[tets[t, a], c])
            low[c] = max(0, int(np.floor((smallest - origin[c]) / cell)))
            high[c] = min(shape[c] - 1, int(np.floor((largest - origin[c]) / cell)))
            outside |= low[c] > high[c]
        if outside:
            continue
        for i in range(low[0], high[0] + 1):
            for j in range(low[1], high[1] + 1):
                first = (i * shape[1] + j) * shape[2]
                for place in range(starts[first + low[2]], starts[first + high[2] + 1]):
                    m = order[place]
                    if found[m] < 0 and barycentric(nodes, tets[t], points[m], share):
                        found[m] = t
                        for a in range(4):
                            shares[m, a] = share[a]


@njit(cache=True)
def barycentric(nodes, tet, point, share):
    """Barycentric coordinates of a point; true when it lies in the element or on its faces."""
    d = nodes[tet[3]]
    ax, ay, az = nodes[tet[0], 0] - d[0], nodes[tet[0], 1] - d[1], nodes[tet[0], 2] - d[2]
    bx, by, bz = nodes[tet[1], 0] - d[0], nodes[tet[1], 1] - d[1], nodes[tet[1], 2] - d[2]
    cx, cy, cz = nodes[tet[2], 0] - d[0], nodes[tet[2], 1] - d[1], nodes[tet[2], 2] - d[2]
    px, py, pz = point[0] - d[0], point[1] - d[1], point[2] - d[2]
    ux, uy, uz = by * cz - bz * cy, bz * cx - bx * cz, bx * cy - by * cx
    determinant = ax * ux + ay * uy + az * uz
    if determinant == 0.0:
        return False
    share[0] = (px * ux + py * uy + pz * uz) / determinant
    vx, vy, vz = ay * pz - az * py, az * px - ax * pz, ax * py - ay * px
    share[1] = (cx * vx + cy * vy + cz * vz) / determinant
    share[2] = -(bx * vx + by * vy + bz * vz) / determinant
    share[3] = 1.0 - share[0] - share[1] - share[2]
    return min(min(share[0], share[1]), min(share[2], share[3])) >= -1e-9
