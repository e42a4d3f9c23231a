"""Boxes of neighbouring points: an octree over points that come in Morton order, each box a range of them."""

import numpy as np
from numba import njit

#: Bits of a Morton code, three to a level.
_BITS = 63


@njit(cache=True)
def build(codes, points, leaf, first, last, parents, children, counts, centres, halves):
    """Split boxes into octants while more than ``leaf`` points are in one, breadth first; returns their number.

    codes (n,) uint64 ascending, points (n, 3) in that order.  The other arrays have room for every box: first and last
    (b,) of its points, parents (b,), -1 for the root, children (b,) the first of its children, which follow one
    another, counts (b,) of children, centres and halves (b, 3) of the bounding box of its points.  Octants that hold
    all points of their box are passed over; points of one code stay together.
    """
    first[0], last[0], parents[0] = 0, len(points), -1
    boxes, box = 1, 0
    while box < boxes:
        a, b = first[box], last[box]
        for c in range(3):
            low, high = np.inf, -np.inf
            for n in range(a, b):
                low, high = min(low, points[n, c]), max(high, points[n, c])
            centres[box, c], halves[box, c] = 0.5 * (low + high), 0.5 * (high - low)
        children[box], counts[box] = boxes, 0
        if b - a > leaf and codes[a] != codes[b - 1]:
            shift = np.uint64(_BITS - 3)
            while codes[a] >> shift == codes[b - 1] >> shift:
                shift -= np.uint64(3)
            begin = a
            while begin < b:
                end, beyond = begin, b  # the last point of the octant lies from end up to before beyond
                while beyond - end > 1:
                    middle = (end + beyond) // 2
                    if codes[middle] >> shift == codes[begin] >> shift:
                        end = middle
                    else:
                        beyond = middle
                first[boxes], last[boxes], parents[boxes] = begin, beyond, box
                boxes += 1
                counts[box] += 1
                begin = beyond
        box += 1
    return boxes
