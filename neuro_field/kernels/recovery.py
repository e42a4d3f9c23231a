"""Gradients recovered from the potential of one tissue by least-squares polynomials around nodes."""

import numpy as np
from numba import njit, prange

from neuro_field.kernels.turns import parallel

#: Neighbour nodes a patch can hold; two rings of a good mesh hold 50 to 150, the rest of a larger one is left out.
_CAPACITY = 600

#: A neighbour weighs exp(-(distance / (_WIDTH mean edge))^2 / 2).  Wider fits are better on smooth boundaries and
#: worse on folded ones: see `neuro_field.field.recovery`.
_WIDTH = 0.6

#: Added to the normal matrix of quadratics and cubics, as a share of the sum of the weights.
_RIDGE = 1e-4

#: Factors that give the harmonics of one degree the same mean square on a sphere, so that the ridge has no direction.
_F = 1 / np.sqrt(3)
_A, _B, _C = 1 / np.sqrt(24), 1 / np.sqrt(40), 1 / np.sqrt(60)

#: Coefficients of one polynomial: 3 linear, 5 harmonic quadratics, r^2, 7 harmonic cubics.
COEFFICIENTS = 16


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
def _terms(count, harmonic):
    """The most terms of `_basis` that a patch of ``count`` nodes determines with some to spare."""
    if harmonic and count >= 24:
        return 16
    if harmonic and count >= 12:
        return 9
    return 10 if not harmonic and count >= 13 else 4


@njit(cache=True)
def _basis(x, y, z, terms, out):
    """Polynomials up to ``terms``: 4 linear, 9 harmonic quadratics, 10 all quadratics, 16 harmonic cubics."""
    out[0], out[1], out[2], out[3] = 1.0, x, y, z
    if terms > 4:
        out[4], out[5], out[6] = x * y, y * z, z * x
        out[7], out[8] = 0.5 * (x * x - y * y), _F * (z * z - 0.5 * (x * x + y * y))
    if terms == 10:
        out[9] = x * x + y * y + z * z
    if terms > 10:
        flat = 4 * z * z - x * x - y * y
        out[9], out[10] = _A * x * (x * x - 3 * y * y), _A * y * (3 * x * x - y * y)
        out[11], out[12] = 0.5 * z * (x * x - y * y), x * y * z
        out[13], out[14] = _B * x * flat, _B * y * flat
        out[15] = _C * z * (2 * z * z - 3 * x * x - 3 * y * y)


@njit(cache=True)
def _add_gradient(c, x, y, z, share, out):
    """Add ``share`` times the gradient of the polynomial of coefficients ``c`` (`fitted_polynomials`) at x, y, z."""
    xx, yy, zz = x * x, y * y, z * z
    out[0] += share * (
        c[0] + c[3] * y + c[5] * z + (c[6] - _F * c[7] + 2 * c[8]) * x
        + 3 * _A * (c[9] * (xx - yy) + 2 * c[10] * x * y) + c[11] * x * z + c[12] * y * z
        + _B * (c[13] * (4 * zz - 3 * xx - yy) - 2 * c[14] * x * y) - 6 * _C * c[15] * x * z
    )  # fmt: skip
    out[1] += share * (
        c[1] + c[3] * x + c[4] * z + (2 * c[8] - c[6] - _F * c[7]) * y
        + 3 * _A * (c[10] * (xx - yy) - 2 * c[9] * x * y) - c[11] * y * z + c[12] * x * z
        + _B * (c[14] * (4 * zz - xx - 3 * yy) - 2 * c[13] * x * y) - 6 * _C * c[15] * y * z
    )  # fmt: skip
    out[2] += share * (
        c[2] + c[4] * y + c[5] * x + 2 * (_F * c[7] + c[8]) * z
        + 0.5 * c[11] * (xx - yy) + c[12] * x * y
        + 8 * _B * (c[13] * x * z + c[14] * y * z) + 3 * _C * c[15] * (2 * zz - xx - yy)
    )  # fmt: skip


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


@parallel()
def fitted_polynomials(nodes, tets, tags, offsets, slots, potential, slot_nodes, slot_tags, harmonic, out):
    """The potential around a node as one of its tissues sees it.

    A harmonic cubic (a general quadratic where ``harmonic`` says no) is fitted to the potential at the two rings of
    nodes that the tissue's elements join to the node; fewer nodes get a lower degree.  Nodes beyond a tissue boundary
    are never used.  nodes (n, 3) m; potential (n,) V; slot_nodes, slot_tags (q,); harmonic (q,) bool; out (q, 16):
    coefficients of `_basis` but for its constant, xx+yy+zz before the cubics, V/m^degree, x, y, z in m from the node.
    """
    for q in prange(len(slot_nodes)):
        patch = np.empty(_CAPACITY, np.int32)
        patch[0] = slot_nodes[q]
        first = _add_ring(tets, tags, offsets, slots, slot_tags[q], patch, 0, 1)
        count = _add_ring(tets, tags, offsets, slots, slot_tags[q], patch, 1, first)
        terms = _terms(count, harmonic[q])
        centre = nodes[patch[0]]
        reach = 0.0
        for p in range(1, first):
            for c in range(3):
                reach += (nodes[patch[p], c] - centre[c]) ** 2
        reach = np.sqrt(reach / (first - 1))
        matrix, rhs, row = np.zeros((16, 16)), np.zeros(16), np.empty(16)
        for p in range(count):
            x = (nodes[patch[p], 0] - centre[0]) / reach
            y = (nodes[patch[p], 1] - centre[1]) / reach
            z = (nodes[patch[p], 2] - centre[2]) / reach
            weight = np.exp(-0.5 * (x * x + y * y + z * z) / _WIDTH**2)
            _basis(x, y, z, terms, row)
            for i in range(terms):
                rhs[i] += weight * row[i] * (potential[patch[p]] - potential[patch[0]])
                for j in range(i + 1):
                    matrix[i, j] += weight * row[i] * row[j]
        for i in range(terms):  # a patch of one flat layer does not see every polynomial
            matrix[i, i] += (1e-10 if i < 4 else _RIDGE) * matrix[0, 0]
        _cholesky_solve(matrix, rhs, terms)
        out[q, :] = 0.0
        for i in range(1, min(terms, 9)):
            out[q, i - 1] = rhs[i] / (reach if i < 4 else reach**2)
        if terms == 10:
            out[q, 8] = rhs[9] / reach**2
        for i in range(9, terms if terms > 10 else 9):
            out[q, i] = rhs[i] / reach**3


@parallel()
def blended_gradients(nodes, tets, elements, shares, places, polynomials, out):
    """Gradients of the four polynomials of an element's nodes at points, weighted by their barycentric coordinates.

    elements (m,); shares (m, 4); places (m, 4) rows of ``polynomials`` (q, 16) for the nodes; out (m, 3) V/m.
    """
    for m in prange(len(elements)):
        tet = tets[elements[m]]
        x, y, z = 0.0, 0.0, 0.0
        for a in range(4):
            x += shares[m, a] * nodes[tet[a], 0]
            y += shares[m, a] * nodes[tet[a], 1]
            z += shares[m, a] * nodes[tet[a], 2]
        out[m, :] = 0.0
        for a in range(4):
            c, node = polynomials[places[m, a]], nodes[tet[a]]
            _add_gradient(c, x - node[0], y - node[1], z - node[2], shares[m, a], out[m])
