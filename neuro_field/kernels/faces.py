"""How many elements of a tetrahedral mesh have each of their faces."""

import numpy as np
from numba import njit, prange

from neuro_field.kernels.turns import parallel


@njit(cache=True)
def sorted_into_bins(tets, counts, others, slots):
    """Every face in the bin of its lowest node.

    ``counts`` (n + 1,) zeros on entry: where each node's bin begins, on return; ``others`` (4 t, 2) the face's two
    higher nodes, ascending; ``slots`` (4 t,) 4 * element + the local node that the face lies opposite to.
    """
    n, face = len(counts) - 1, np.empty(3, np.int32)
    place = np.zeros(n + 1, np.int64)
    for fill in range(2):
        for t in range(len(tets)):
            for opposite in range(4):
                k = 0
                for corner in range(4):
                    if corner != opposite:
                        face[k] = tets[t, corner]
                        k += 1
                a, b, c = face[0], face[1], face[2]
                low, high = min(a, b, c), max(a, b, c)
                if fill == 0:
                    counts[low + 1] += 1
                else:
                    slot = place[low]
                    place[low] += 1
                    others[slot, 0], others[slot, 1] = a + b + c - low - high, high
                    slots[slot] = 4 * t + opposite
        if fill == 0:
            for i in range(n):
                counts[i + 1] += counts[i]
                place[i] = counts[i]


@parallel()
def sharers(counts, others, slots, out):
    """Into ``out`` (4 t,) uint8, by slot, how many elements have the face; arguments of `sorted_into_bins`."""
    for node in prange(len(counts) - 1):
        for i in range(counts[node], counts[node + 1]):
            have = 0
            for j in range(counts[node], counts[node + 1]):
                if others[i, 0] == others[j, 0] and others[i, 1] == others[j, 1]:
                    have += 1
            out[slots[i]] = min(have, 255)
