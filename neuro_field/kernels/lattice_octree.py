"""Tetrahedra of a graded body-centred-cubic lattice: a node at every corner and centre of an octree's leaves.

Positions are in half cells of the finest level, so that corners and centres are all integers.
"""

import numpy as np
from numba import njit


@njit(cache=True)
def mark_lattice_nodes(levels, active, numbers):
    """Set ``numbers`` (2i+1, 2j+1, 2k+1) int32 to 1 at every corner and centre of an active leaf.

    ``levels`` (i, j, k) int8 is the level of the leaf that holds each finest cell, ``active`` (i, j, k) bool
    is constant on each leaf.
    """
    for i in range(levels.shape[0]):
        for j in range(levels.shape[1]):
            for k in range(levels.shape[2]):
                size = 1 << levels[i, j, k]
                if i % size or j % size or k % size or not active[i, j, k]:
                    continue
                for corner in range(8):
                    x = 2 * (i + size * (corner & 1))
                    y = 2 * (j + size * ((corner >> 1) & 1))
                    z = 2 * (k + size * (corner >> 2))
                    numbers[x, y, z] = 1
                numbers[2 * i + size, 2 * j + size, 2 * k + size] = 1


@njit(cache=True)
def _put(out, at, a, b, c, d):
    """Write one tetrahedron, unless ``out`` is too short because tetrahedra are only being counted."""
    if at < len(out):
        out[at, 0] = a
        out[at, 1] = b
        out[at, 2] = c
        out[at, 3] = d
    return at + 1


@njit(cache=True)
def emit_lattice_tetrahedra(levels, active, numbers, out):
    """Fill every face between two active leaves with tetrahedra; returns how many there are.

    Between leaves of one size, each edge of their common face makes a tetrahedron with the two centres (two
    of them where a smaller leaf put a node in the middle of the edge).  Where the neighbour is twice as
    large, the small face is halved by the diagonal through the large face's centre, and each half is joined
    to both centres. With leaves balanced 2:1 across faces, edges and corners the result is conforming.

    Parameters
    ----------
    levels, active : (i, j, k) int8 and bool arrays
        As in `mark_lattice_nodes`.
    numbers : (2i+1, 2j+1, 2k+1) int32 array
        Node number at each half-cell position, -1 where there is none.
    out : (t, 4) int32 array
        The tetrahedra, of either orientation; pass length 0 to count first.
    """
    count = 0
    corners = np.empty((4, 3), np.int64)
    origin = np.empty(3, np.int64)
    other = np.empty(3, np.int64)
    for i in range(levels.shape[0]):
        for j in range(levels.shape[1]):
            for k in range(levels.shape[2]):
                level = levels[i, j, k]
                size = 1 << level
                if i % size or j % size or k % size or not active[i, j, k]:
                    continue
                origin[0] = i
                origin[1] = j
                origin[2] = k
                centre = numbers[2 * i + size, 2 * j + size, 2 * k + size]
                for face in range(6):
                    axis = face >> 1
                    side = face & 1
                    u = (axis + 1) % 3
                    v = (axis + 2) % 3
                    for axis_2 in range(3):
                        other[axis_2] = origin[axis_2]
                    other[axis] = origin[axis] + size if side else origin[axis] - 1
                    if other[axis] < 0 or other[axis] >= levels.shape[axis]:
                        continue
                    if not active[other[0], other[1], other[2]]:
                        continue
                    their_level = levels[other[0], other[1], other[2]]
                    if their_level < level or (their_level == level and side == 0):
                        continue  # the other leaf fills this face
                    their_size = 1 << their_level
                    for axis_2 in range(3):
                        other[axis_2] = 2 * ((other[axis_2] >> their_level) << their_level) + their_size
                    their_centre = numbers[other[0], other[1], other[2]]
                    for m in range(4):  # the corners of the common face, in turn
                        corners[m, axis] = 2 * (origin[axis] + side * size)
                        corners[m, u] = 2 * (origin[u] + (size if m == 1 or m == 2 else 0))
                        corners[m, v] = 2 * (origin[v] + (size if m >= 2 else 0))
                    if their_level == level:
                        for m in range(4):
                            p = corners[m]
                            q = corners[(m + 1) % 4]
                            first = numbers[p[0], p[1], p[2]]
                            last = numbers[q[0], q[1], q[2]]
                            middle = -1
                            if level > 0:
                                middle = numbers[(p[0] + q[0]) // 2, (p[1] + q[1]) // 2, (p[2] + q[2]) // 2]
                            if middle < 0:
                                count = _put(out, count, centre, their_centre, first, last)
                            else:
                                count = _put(out, count, centre, their_centre, first, middle)
                                count = _put(out, count, centre, their_centre, middle, last)
                    else:
                        shared = 0  # the corner common to both faces; opposite it lies the large face's centre
                        for m in range(4):
                            if corners[m, u] != other[u] and corners[m, v] != other[v]:
                                shared = m
                        p = corners[shared]
                        q = corners[(shared + 2) % 4]
                        first = numbers[p[0], p[1], p[2]]
                        last = numbers[q[0], q[1], q[2]]
                        for turn in (1, 3):
                            e = corners[(shared + turn) % 4]
                            edge = numbers[e[0], e[1], e[2]]
                            count = _put(out, count, centre, first, last, edge)
                            count = _put(out, count, their_centre, first, last, edge)
    return count
