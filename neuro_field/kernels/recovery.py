"""Gradients at nodes, recovered from the potential of one tissue by a least-squares harmonic polynomial."""

import numpy as np
from numba import njit, prange

#: Neighbour nodes a patch can hold; a third ring is never needed.
_CAPACITY = 600


@njit(cache=True)
def _add_ring(tets, tags, offsets, slots, tag, patch, begin, end):
    """Append to ``patch`` the nodes that share an element of the tissue with patch[begin:end]; the new length."""
    count = end
    for place in range(begin, end):
        node = patch[place]
        for s in range(offsets[node], offsets[node + 1]):
            t = slots[s] >> 2
            if tags[t] != tag:
                continue
            for b in range(4):
                j = tets[t, b]
                known = False
                for q in range(count):
                    if patch[q] == j:
                        known = True
                        break
                if not known and count < len(patch):
                    patch[count] = j
                    count += 1
    return count


@njit(cache=True)
def _basis(x, y, z, terms, out):
    """Linear terms, then the five harmonic quadratics, then r^2 for tissues where the potential is not harmonic."""
    out[0], out[1], out[2], out[3] = 1.0, x, y, z
    if terms > 4:
        out[4], out[5], out[6] = x * y, y * z, z * x
        out[7], out[8] = 0.5 * (x * x - y * y), z * z - 0.5 * (x * x + y * y)
    if terms > 9:
        out[9] = x * x + y * y + z * z


@njit(cache=True)
def _cholesky_solve(matrix, rhs, size):
    """Solve in place for a symmetric positive definite matrix; the answer replaces ``rhs``."""
    floor = 1e-12 * matrix[0, 0]
    for i in range(size):
        for j in range(i + 1):
            total = matrix[i, j]
            for k in range(j):
                total -= matrix[i, k] * matrix[j, k]
            matrix[i, j] = np.sqrt(max(total, floor)) if i == j else total / matrix[j, j]
    for i in range(size):
        for k in range(i):
            rhs[i] -= matrix[i, k] * rhs[k]
        rhs[i] /= matrix[i, i]
    for i in range(size - 1, -1, -1):
        for k in range(i + 1, size):
            rhs[i] -= matrix[k, i] * rhs[k]
        rhs[i] /= matrix[i, i]


@njit(cache=True, parallel=True)
def fitted_gradients(nodes, tets, tags, offsets, slots, potential, slot_nodes, slot_tags, harmonic, out):
    """Gradient of the potential at a node as seen from one of its tissues.

    A quadratic (harmonic where the tissue is isotropic) is fitted to the potential at the nodes that the tissue's
    elements join to the node: the first ring, and the second where the first has too few.  Nodes beyond a tissue
    boundary are never used.  nodes (n, 3) m; slot_nodes, slot_tags (q,); harmonic (q,) bool; out (q, 3) V/m.
    """
    for q in prange(len(slot_nodes)):
        patch = np.empty(_CAPACITY, np.int32)
        patch[0] = slot_nodes[q]
        first = _add_ring(tets, tags, offsets, slots, slot_tags[q], patch, 0, 1)
        count = _add_ring(tets, tags, offsets, slots, slot_tags[q], patch, 1, first)
        terms = 9 if harmonic[q] else 10
        if count < terms + 3:
            terms = 4
        centre = nodes[patch[0]]
        reach = 0.0
        for p in range(1, first):
            for c in range(3):
                reach += (nodes[patch[p], c] - centre[c]) ** 2
        reach = np.sqrt(reach / (first - 1))
        matrix, rhs, row = np.zeros((10, 10)), np.zeros(10), np.empty(10)
        for p in range(count):
            x = (nodes[patch[p], 0] - centre[0]) / reach
            y = (nodes[patch[p], 1] - centre[1]) / reach
            z = (nodes[patch[p], 2] - centre[2]) / reach
            weight = np.exp(-0.5 * (x * x + y * y + z * z))
            _basis(x, y, z, terms, row)
            for i in range(terms):
                rhs[i] += weight * row[i] * (potential[patch[p]] - potential[patch[0]])
                for j in range(i + 1):
                    matrix[i, j] += weight * row[i] * row[j]
        for i in range(terms):  # a patch of one flat layer does not see every quadratic
            matrix[i, i] += (1e-10 if i < 4 else 1e-4) * matrix[0, 0]
        _cholesky_solve(matrix, rhs, terms)
        for c in range(3):
            out[q, c] = rhs[1 + c] / reach
