"""The stars of a mesh: which elements meet at each node, how good they are, which labels they bear."""

import numpy as np
from numba import njit

#: The six edges of a tetrahedron as pairs of its corners.
EDGES = np.array([[0, 1], [0, 2], [0, 3], [1, 2], [1, 3], [2, 3]], dtype=np.int32)


@njit(cache=True)
def quality(nodes, a, b, c, d):
    """Mean-ratio quality of a tetrahedron: 1 when regular, below zero when inverted.

    12 (3 V)^(2/3) / sum of squared edges (Liu and Joe 1994, BIT 34:268, eq. 2.3).
    """
    x1 = nodes[b, 0] - nodes[a, 0]
    y1 = nodes[b, 1] - nodes[a, 1]
    z1 = nodes[b, 2] - nodes[a, 2]
    x2 = nodes[c, 0] - nodes[a, 0]
    y2 = nodes[c, 1] - nodes[a, 1]
    z2 = nodes[c, 2] - nodes[a, 2]
    x3 = nodes[d, 0] - nodes[a, 0]
    y3 = nodes[d, 1] - nodes[a, 1]
    z3 = nodes[d, 2] - nodes[a, 2]
    volume3 = (x1 * (y2 * z3 - z2 * y3) + y1 * (z2 * x3 - x2 * z3) + z1 * (x2 * y3 - y2 * x3)) / 2
    if volume3 <= 0:
        return min(volume3, -1e-9)
    squares = x1 * x1 + y1 * y1 + z1 * z1 + x2 * x2 + y2 * y2 + z2 * z2 + x3 * x3 + y3 * y3 + z3 * z3
    squares += (x2 - x1) ** 2 + (y2 - y1) ** 2 + (z2 - z1) ** 2
    squares += (x3 - x1) ** 2 + (y3 - y1) ** 2 + (z3 - z1) ** 2
    squares += (x3 - x2) ** 2 + (y3 - y2) ** 2 + (z3 - z2) ** 2
    return 12.0 * volume3 ** (2.0 / 3.0) / squares


@njit(cache=True)
def star_quality(nodes, tets, offsets, star, node, floor):
    """Worst quality of the elements around a node; stops looking once one falls below ``floor``."""
    worst = 1e9
    for at in range(offsets[node], offsets[node + 1]):
        tet = tets[star[at]]
        worst = min(worst, quality(nodes, tet[0], tet[1], tet[2], tet[3]))
        if worst < floor:
            break
    return worst


@njit(cache=True)
def orient(nodes, tets):
    """Swap two corners of every element of negative volume, in place."""
    for i in range(len(tets)):
        if quality(nodes, tets[i, 0], tets[i, 1], tets[i, 2], tets[i, 3]) < 0:
            last = tets[i, 3]
            tets[i, 3] = tets[i, 2]
            tets[i, 2] = last


@njit(cache=True)
def build_stars(tets, offsets, star):
    """Elements around each node: of node v, ``star[offsets[v]:offsets[v + 1]]``, in rising order.

    ``offsets`` (n + 1,) int64 comes in as zeros, ``star`` (4 t,) int32.
    """
    n = len(offsets) - 1
    for i in range(len(tets)):
        for corner in range(4):
            offsets[tets[i, corner]] += 1
    total = 0
    for v in range(n):
        total += offsets[v]
        offsets[v] = total
    offsets[n] = total
    for back in range(len(tets)):
        i = len(tets) - 1 - back
        for corner in range(4):
            v = tets[i, corner]
            offsets[v] -= 1
            star[offsets[v]] = i


@njit(cache=True)
def collect_label_sets(tets, labels, out):
    """Labels of the elements around each node, as bits in ``out`` (n,) int32, which comes in as zeros."""
    for i in range(len(tets)):
        for corner in range(4):
            out[tets[i, corner]] |= 1 << labels[i]


@njit(cache=True)
def uncut_edge_keys(tets, label_sets, out):
    """Keys (lower node << 32 | higher node) of the edges whose ends share no label, once per element.

    Returns how many there are; ``out`` (c,) int64 takes as many as it can hold (length 0 to count first).
    """
    count = 0
    for i in range(len(tets)):
        for e in range(6):
            a = tets[i, EDGES[e, 0]]
            b = tets[i, EDGES[e, 1]]
            if label_sets[a] & label_sets[b] == 0:
                if count < len(out):
                    out[count] = (np.int64(min(a, b)) << 32) | max(a, b)
                count += 1
    return count
