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

#: Coefficients of one polynomial: 3 linear, 5 harmonic quadratics, r^2, 7 harmonic cubics, r^2 times x, y and z.
COEFFICIENTS = 19


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
    if harmonic:
        return 16 if count >= 24 else 9 if count >= 12 else 4
    return 20 if count >= 30 else 10 if count >= 13 else 4


@njit(cache=True)
def _basis(x, y, z, terms, out):
    """Polynomials: 4 linear, 9 harmonic quadratics, 10 all quadratics, 16 harmonic cubics, 20 all cubics."""
    out[0], out[1], out[2], out[3] = 1.0, x, y, z
    if terms > 4:
        out[4], out[5], out[6] = x * y, y * z, z * x
        out[7], out[8] = 0.5 * (x * x - y * y), _F * (z * z - 0.5 * (x * x + y * y))
    square = x * x + y * y + z * z
    at = 9
    if terms == 10 or terms == 20:
        out[9] = square
        at = 10
    if terms > 10:
        flat = 4 * z * z - x * x - y * y
        out[at], out[at + 1] = _A * x * (x * x - 3 * y * y), _A * y * (3 * x * x - y * y)
        out[at + 2], out[at + 3] = 0.5 * z * (x * x - y * y), x * y * z
        out[at + 4], out[at + 5] = _B * x * flat, _B * y * flat
        out[at + 6] = _C * z * (2 * z * z - 3 * x * x - 3 * y * y)
    if terms == 20:
        out[17], out[18], out[19] = square * x, square * y, square * z


@njit(cache=True)
def _spread(found, terms, reach, out):
    """The coefficients of `_basis` (terms,), fitted at a scale of ``reach`` m, in their places (19,), V/m^degree."""
    out[:] = 0.0
    quadratics = min(terms, 9)
    for i in range(1, quadratics):
        out[i - 1] = found[i] / (reach if i < 4 else reach**2)
    at = 9
    if terms == 10 or terms == 20:
        out[8] = found[9] / reach**2
        at = 10
    for i in range(at, terms if terms > 10 else at):
        out[i - at + 9] = found[i] / reach**3


@njit(cache=True)
def _add_gradient(c, x, y, z, share, out):
    """Add ``share`` times the gradient of the polynomial of coefficients ``c`` (`fitted_polynomials`) at x, y, z."""
    xx, yy, zz = x * x, y * y, z * z
    square, along = xx + yy + zz, 2 * (c[16] * x + c[17] * y + c[18] * z)
    out[0] += share * (
        c[0] + c[3] * y + c[5] * z + (c[6] - _F * c[7] + 2 * c[8]) * x
        + 3 * _A * (c[9] * (xx - yy) + 2 * c[10] * x * y) + c[11] * x * z + c[12] * y * z
        + _B * (c[13] * (4 * zz - 3 * xx - yy) - 2 * c[14] * x * y) - 6 * _C * c[15] * x * z
        + c[16] * square + along * x
    )  # fmt: skip
    out[1] += share * (
        c[1] + c[3] * x + c[4] * z + (2 * c[8] - c[6] - _F * c[7]) * y
        + 3 * _A * (c[10] * (xx - yy) - 2 * c[9] * x * y) - c[11] * y * z + c[12] * x * z
        + _B * (c[14] * (4 * zz - xx - 3 * yy) - 2 * c[13] * x * y) - 6 * _C * c[15] * y * z
        + c[17] * square + along * y
    )  # fmt: skip
    out[2] += share * (
        c[2] + c[4] * y + c[5] * x + 2 * (_F * c[7] + c[8]) * z
        + 0.5 * c[11] * (xx - yy) + c[12] * x * y
        + 8 * _B * (c[13] * x * z + c[14] * y * z) + 3 * _C * c[15] * (2 * zz - xx - yy)
        + c[18] * square + along * z
    )  # fmt: skip


@njit(cache=True)
def _factor(matrix, size):
    """Cholesky's factor of a symmetric positive definite matrix, in its lower half."""
    floor = 1e-12 * matrix[0, 0]
    for i in range(size):
        for j in range(i + 1):
            total = matrix[i, j]
            for k in range(j):
                total -= matrix[i, k] * matrix[j, k]
            matrix[i, j] = np.sqrt(max(total, floor)) if i == j else total / matrix[j, j]


@njit(cache=True)
def _substitute(factor, rhs, size):
    """Solve for the matrix of a factor; the answer replaces ``rhs``."""
    for i in range(size):
        for k in range(i):
            rhs[i] -= factor[i, k] * rhs[k]
        rhs[i] /= factor[i, i]
    for i in range(size - 1, -1, -1):
        for k in range(i + 1, size):
            rhs[i] -= factor[k, i] * rhs[k]
        rhs[i] /= factor[i, i]


@njit(cache=True)
def _offset(nodes, stretch, i, centre, out):
    """Where node i lies from a centre, stretched."""
    for c in range(3):
        out[c] = 0.0
        for d in range(3):
            out[c] += stretch[c, d] * (nodes[i, d] - nodes[centre, d])


@njit(cache=True)
def _patch(nodes, tets, tags, offsets, slots, node, tag, stretch, patch):
    """Two rings of a node in a tissue into ``patch``; their number, and the root mean square of the first's edges."""
    patch[0] = node
    first = _add_ring(tets, tags, offsets, slots, tag, patch, 0, 1)
    count = _add_ring(tets, tags, offsets, slots, tag, patch, 1, first)
    step, total = np.empty(3), 0.0
    for p in range(1, first):
        _offset(nodes, stretch, patch[p], node, step)
        total += step[0] ** 2 + step[1] ** 2 + step[2] ** 2
    return count, np.sqrt(total / (first - 1))


@njit(cache=True)
def _weighted_rows(nodes, patch, count, stretch, reach, terms, rows):
    """The polynomials at every node of a patch, and each node's weight behind them: rows (count, 21)."""
    step = np.empty(3)
    for p in range(count):
        _offset(nodes, stretch, patch[p], patch[0], step)
        x, y, z = step[0] / reach, step[1] / reach, step[2] / reach
        _basis(x, y, z, terms, rows[p])
        rows[p, 20] = np.exp(-0.5 * (x * x + y * y + z * z) / _WIDTH**2)


@njit(cache=True)
def _normal(rows, count, terms, matrix):
    """The factor of the least-squares problem of a patch."""
    matrix[:, :] = 0.0
    for p in range(count):
        for i in range(terms):
            share = rows[p, 20] * rows[p, i]
            for j in range(i + 1):
                matrix[i, j] += share * rows[p, j]
    for i in range(terms):  # a patch of one flat layer does not see every polynomial
        matrix[i, i] += (1e-10 if i < 4 else _RIDGE) * matrix[0, 0]
    _factor(matrix, terms)


@njit(cache=True)
def _problem(nodes, tets, tags, offsets, slots, node, tag, harmonic, stretch, patch, rows, matrix):
    """The least-squares problem of a node's patch: fills ``patch``, ``rows`` and ``matrix`` (its factor).

    Returns how many nodes it has, of how many terms, and the length that positions are measured in, m.
    """
    count, reach = _patch(nodes, tets, tags, offsets, slots, node, tag, stretch, patch)
    terms = _terms(count, harmonic)
    _weighted_rows(nodes, patch, count, stretch, reach, terms, rows)
    _normal(rows, count, terms, matrix)
    return count, terms, reach


@parallel()
def fitted_polynomials(nodes, tets, tags, offsets, slots, potential, slot_nodes, slot_tags, harmonic, stretch, out):
    """The potential around a node as one of its tissues sees it.

    A harmonic cubic (any cubic where ``harmonic`` says no) is fitted to the potential at the two rings of nodes that
    the tissue's elements join to the node; fewer nodes get a lower degree.  Nodes beyond a tissue boundary are never
    used.  nodes (n, 3) m; potential (n,) V; slot_nodes, slot_tags (q,); harmonic (q,) bool; stretch (q, 3, 3), what
    positions are multiplied by first; out (q, 19): coefficients of `_basis` but for its constant, r^2 before the
    harmonic cubics, V/m^degree of the stretched x, y, z from the node.
    """
    for q in prange(len(slot_nodes)):
        patch, rows = np.empty(_CAPACITY, np.int32), np.empty((_CAPACITY, 21))
        matrix, rhs = np.empty((20, 20)), np.zeros(20)
        count, terms, reach = _problem(
            nodes, tets, tags, offsets, slots, slot_nodes[q], slot_tags[q], harmonic[q], stretch[q], patch, rows, matrix
        )
        for p in range(count):
            for i in range(terms):
                rhs[i] += rows[p, 20] * rows[p, i] * (potential[patch[p]] - potential[patch[0]])
        _substitute(matrix, rhs, terms)
        _spread(rhs, terms, reach, out[q])


@parallel()
def patch_sizes(nodes, tets, tags, offsets, slots, slot_nodes, slot_tags, out):
    """How many nodes each polynomial of `fitted_polynomials` rests on, out (q,)."""
    for q in prange(len(slot_nodes)):
        patch = np.empty(_CAPACITY, np.int32)
        count, _ = _patch(nodes, tets, tags, offsets, slots, slot_nodes[q], slot_tags[q], np.eye(3), patch)
        out[q] = count


@parallel()
def fitted_maps(nodes, tets, tags, offsets, slots, slot_nodes, slot_tags, harmonic, stretch, starts, columns, out):
    """`fitted_polynomials` as linear maps of the potential: polynomial q is the sum over its nodes of potential * map.

    starts (q + 1,) where each polynomial's nodes begin; columns (starts[-1],) the nodes; out (starts[-1], 19).
    """
    for q in prange(len(slot_nodes)):
        patch, rows = np.empty(_CAPACITY, np.int32), np.empty((_CAPACITY, 21))
        matrix, rhs = np.empty((20, 20)), np.empty(20)
        count, terms, reach = _problem(
            nodes, tets, tags, offsets, slots, slot_nodes[q], slot_tags[q], harmonic[q], stretch[q], patch, rows, matrix
        )
        begin = starts[q]
        out[begin, :] = 0.0
        columns[begin] = patch[0]
        for p in range(1, count):
            for i in range(terms):
                rhs[i] = rows[p, 20] * rows[p, i]
            _substitute(matrix, rhs, terms)
            columns[begin + p] = patch[p]
            _spread(rhs, terms, reach, out[begin + p])
            for c in range(COEFFICIENTS):
                out[begin, c] -= out[begin + p, c]


@njit(cache=True)
def _point(nodes, tet, shares, out):
    """The place of barycentric coordinates in an element."""
    for c in range(3):
        out[c] = 0.0
        for a in range(4):
            out[c] += shares[a] * nodes[tet[a], c]


@njit(cache=True)
def _add_stretched_gradient(nodes, node, stretch, polynomial, point, share, out):
    """Add ``share`` times the gradient at a point of a polynomial that is one of stretched positions from a node."""
    step, slope = np.zeros(3), np.zeros(3)
    for c in range(3):
        for d in range(3):
            step[c] += stretch[c, d] * (point[d] - nodes[node, d])
    _add_gradient(polynomial, step[0], step[1], step[2], share, slope)
    for c in range(3):
        for d in range(3):
            out[c] += stretch[d, c] * slope[d]


@parallel()
def blended_gradients(nodes, tets, elements, shares, places, polynomials, stretch, out):
    """Gradients of the four polynomials of an element's nodes at points, weighted by their barycentric coordinates.

    elements (m,); shares (m, 4); places (m, 4) rows of ``polynomials`` (q, 19) and of ``stretch`` (q, 3, 3) for the
    nodes; out (m, 3) V/m.
    """
    for m in prange(len(elements)):
        tet, point = tets[elements[m]], np.empty(3)
        _point(nodes, tet, shares[m], point)
        out[m, :] = 0.0
        for a in range(4):
            q = places[m, a]
            _add_stretched_gradient(nodes, tet[a], stretch[q], polynomials[q], point, shares[m, a], out[m])


@parallel()
def gradient_terms(nodes, tets, elements, shares, places, stretch, out):
    """What `blended_gradients` adds for every coefficient of an element's four polynomials; out (m, 3, 4, 19)."""
    for m in prange(len(elements)):
        tet, point = tets[elements[m]], np.empty(3)
        _point(nodes, tet, shares[m], point)
        polynomial, found = np.zeros(COEFFICIENTS), np.empty(3)
        for a in range(4):
            for i in range(COEFFICIENTS):
                polynomial[i], found[:] = 1.0, 0.0
                _add_stretched_gradient(nodes, tet[a], stretch[places[m, a]], polynomial, point, shares[m, a], found)
                polynomial[i] = 0.0
                for c in range(3):
                    out[m, c, a, i] = found[c]


@njit(cache=True)
def _different(places, starts, columns):
    """The nodes that four polynomials (4,) rest on, each once and ascending."""
    count = 0
    for a in range(4):
        count += starts[places[a] + 1] - starts[places[a]]
    found, at = np.empty(count, np.int64), 0
    for a in range(4):
        for p in range(starts[places[a]], starts[places[a] + 1]):
            found[at] = columns[p]
            at += 1
    found.sort()
    kept = 1
    for p in range(1, count):
        if found[p] != found[kept - 1]:
            found[kept] = found[p]
            kept += 1
    return found[:kept]


@parallel()
def gradient_sizes(places, starts, columns, out):
    """How many nodes the gradient at each point draws on, out (m,); arguments as of `gradient_rows`."""
    for m in prange(len(places)):
        out[m] = len(_different(places[m], starts, columns))


@parallel()
def gradient_rows(places, starts, columns, maps, terms, ends, indices, data):
    """`blended_gradients` as rows of a sparse matrix: row 3 m + c the component c at point m.

    places (m, 4) of an element's nodes among the polynomials; starts, columns, maps as `fitted_maps` filled them; terms
    (m, 3, 4, 19) of `gradient_terms`; ends (3 m + 1,) where rows begin.  Filled: indices and data (ends[-1],).
    """
    for m in prange(len(places)):
        nodes = _different(places[m], starts, columns)
        for c in range(3):
            begin = ends[3 * m + c]
            for p in range(len(nodes)):
                indices[begin + p] = nodes[p]
                data[begin + p] = 0.0
        for a in range(4):
            for p in range(starts[places[m, a]], starts[places[m, a] + 1]):
                at = np.searchsorted(nodes, columns[p])
                for c in range(3):
                    total = 0.0
                    for i in range(COEFFICIENTS):
                        total += terms[m, c, a, i] * maps[p, i]
                    data[ends[3 * m + c] + at] += total
