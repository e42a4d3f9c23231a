"""Kernels of quadratic (10-node, straight-sided) tetrahedra: numbering, stiffness rows, load vectors and gradients.

The unknowns are the values at vertices and at the middles of edges.  Unknowns are numbered vertex by vertex along the
vertices' order: first the vertex, then its edges to later vertices.  So neighbours in space are neighbours in memory,
one outer index owns each row, and one thread and many give the same bits.

Of an element, locals 0 to 3 are its vertices a, with basis l_a (2 l_a - 1), and 4 to 9 its edges `EDGES`, with basis
4 l_a l_b; their gradients are (4 l_a - 1) g_a and 4 (l_a g_b + l_b g_a), g the constant gradients of the barycentric
coordinates l.
"""

import numpy as np
from numba import njit, prange

from neuro_field.kernels.assembly import conducted, weighted_gradient
from neuro_field.kernels.multigrid import CHUNKS
from neuro_field.kernels.turns import parallel

#: Local vertices of the six edges of an element, and the local number of the edge between two vertices.
EDGES = np.array([[0, 1], [0, 2], [0, 3], [1, 2], [1, 3], [2, 3]])
BETWEEN = np.array([[-1, 4, 5, 6], [4, -1, 7, 8], [5, 7, -1, 9], [6, 8, 9, -1]])


def _coefficients():
    """C (10, 10, 6): the element's stiffness is sum_e C[i, j, e] (V g_a . sigma g_b), e the edge ab.

    By the integrals of l_a l_b, V (1 + [a = b]) / 20, and of l_a, V / 4; g_a . g_a is minus the sum of its others.
    """
    second = (np.ones((4, 4)) + np.eye(4)) / 20
    gradient = np.zeros((10, 4, 4, 5))  # of basis i: sum over b of (sum_a c_a l_a + c_4) g_b, as [i, b, :, a]
    for a in range(4):
        gradient[a, a, 0, a], gradient[a, a, 0, 4] = 4.0, -1.0
    for e, (a, b) in enumerate(EDGES):
        gradient[4 + e, b, 0, a] = gradient[4 + e, a, 0, b] = 4.0
    moments = np.ones((5, 5))  # of l_0 .. l_3 and 1
    moments[:4, :4] = second
    moments[4, :4] = moments[:4, 4] = 0.25
    pairs = np.einsum("iam,mn,jbn->ijab", gradient[:, :, 0], moments, gradient[:, :, 0])
    out = np.empty((10, 10, 6))
    for e, (a, b) in enumerate(EDGES):
        out[:, :, e] = pairs[:, :, a, b] + pairs[:, :, b, a] - pairs[:, :, a, a] - pairs[:, :, b, b]
    return out


_STIFFNESS = _coefficients()


@njit(cache=True)
def first_unknowns(indptr, indices, first):
    """``first[i]`` is the unknown of the i-th vertex, followed by those of its edges to later ones; first (n + 1,).

    indptr, indices: the vertices' neighbours and themselves, ascending (the pattern of linear elements).
    """
    first[0] = 0
    for i in range(len(first) - 1):
        later = 0
        for place in range(indptr[i], indptr[i + 1]):
            later += indices[place] > i
        first[i + 1] = first[i] + 1 + later


@parallel()
def element_unknowns(tets, indptr, indices, first, out):
    """The ten unknowns of each element, vertices before edges; tets (t, 4) numbered along the order, out (t, 10)."""
    for t in prange(len(tets)):
        for a in range(4):
            out[t, a] = first[tets[t, a]]
        for e in range(6):
            i, j = tets[t, EDGES[e, 0]], tets[t, EDGES[e, 1]]
            low, high = min(i, j), max(i, j)
            begin = indptr[low + 1] - (first[low + 1] - first[low] - 1)
            rank = np.searchsorted(indices[begin : indptr[low + 1]], high)
            out[t, 4 + e] = first[low] + 1 + rank


@parallel()
def edge_products(nodes, tets, sigma, tensor, out):
    """V g_a . sigma g_b for the six edges ab of each element; nodes m, out (t, 6) S."""
    for t in prange(len(tets)):
        gradients, conducting = np.empty((4, 3)), np.empty((4, 3))
        for a in range(4):
            weighted_gradient(nodes, tets, t, a, gradients[a])
            weighted_gradient(nodes, tets, t, a, conducting[a])
            conducted(sigma, tensor, t, conducting[a])
        volume = 0.0
        for c in range(3):
            volume += gradients[0, c] * (nodes[tets[t, 0], c] - nodes[tets[t, 1], c])
        for e in range(6):
            a, b = EDGES[e, 0], EDGES[e, 1]
            total = 0.0
            for c in range(3):
                total += gradients[a, c] * conducting[b, c]
            out[t, e] = total / volume


@njit(cache=True)
def _around(unknowns, slots, columns, places):
    """Different unknowns of the elements in ``slots``, ascending, into ``columns``; their number.

    places (u,), zero on entry, tells where each stands there, counted from one.
    """
    count = 0
    for s in range(len(slots)):
        for local in range(10):
            j = unknowns[slots[s] >> 2, local]
            if places[j] == 0:
                places[j] = 1
                at = count
                while at > 0 and columns[at - 1] > j:
                    columns[at] = columns[at - 1]
                    at -= 1
                columns[at] = j
                count += 1
    for at in range(count):
        places[columns[at]] = at + 1
    return count


@njit(cache=True, inline="always")
def _owned(unknowns, t, a, b, first, i):
    """Local number and row, among those of the i-th vertex, of the edge from its local a to b (itself where b is a).

    The row is negative where another vertex owns the edge.
    """
    local = a if b == a else BETWEEN[a, b]
    row = unknowns[t, local] - first[i]
    return local, row if row < first[i + 1] - first[i] else -1


@parallel()
def row_lengths(unknowns, offsets, slots, order, first, lengths):
    """Entries of each row; offsets and slots as `assembly.incidence` has them, order (n,) the vertices' order."""
    size = (len(order) + CHUNKS - 1) // CHUNKS
    for chunk in prange(CHUNKS):
        places = np.zeros(first[len(order)], np.int32)
        for i in range(chunk * size, min(len(order), chunk * size + size)):
            near = slots[offsets[order[i]] : offsets[order[i] + 1]]
            columns = np.empty(10 * len(near), np.int32)
            count = _around(unknowns, near, columns, places)
            seen = np.zeros((first[i + 1] - first[i], count), np.bool_)
            for s in range(len(near)):
                t = near[s] >> 2
                for b in range(4):
                    _, row = _owned(unknowns, t, near[s] & 3, b, first, i)
                    if row >= 0:
                        for column in range(10):
                            seen[row, places[unknowns[t, column]] - 1] = True
            for row in range(len(seen)):
                total = 0
                for at in range(count):
                    total += seen[row, at]
                lengths[first[i] + row] = total
            for at in range(count):
                places[columns[at]] = 0


@parallel()
def stiffness(products, unknowns, offsets, slots, order, first, indptr, indices, data):
    """Rows of K_ij = sum_t integral of grad(N_i) . sigma grad(N_j) in CSR, columns ascending.

    products (t, 6) of `edge_products`; indptr given; indices and data filled.
    """
    size = (len(order) + CHUNKS - 1) // CHUNKS
    for chunk in prange(CHUNKS):
        places = np.zeros(first[len(order)], np.int32)
        for i in range(chunk * size, min(len(order), chunk * size + size)):
            near = slots[offsets[order[i]] : offsets[order[i] + 1]]
            columns = np.empty(10 * len(near), np.int32)
            count = _around(unknowns, near, columns, places)
            seen = np.zeros((first[i + 1] - first[i], count), np.bool_)
            values = np.zeros((len(seen), count))
            for s in range(len(near)):
                t = near[s] >> 2
                for b in range(4):
                    local, row = _owned(unknowns, t, near[s] & 3, b, first, i)
                    if row < 0:
                        continue
                    for column in range(10):
                        value = 0.0
                        for e in range(6):
                            value += _STIFFNESS[local, column, e] * products[t, e]
                        at = places[unknowns[t, column]] - 1
                        seen[row, at] = True
                        values[row, at] += value
            for row in range(len(seen)):
                entry = np.int64(indptr[first[i] + row])
                for at in range(count):
                    if seen[row, at]:
                        indices[entry], data[entry] = columns[at], values[row, at]
                        entry += 1
            for at in range(count):
                places[columns[at]] = 0


@njit(cache=True, inline="always")
def _first_moments(unknowns, t, potential, k, moments):
    """Integrals of l_a A over the element, a part of its volume: A quadratic; moments (4, 3).

    Integrals of l_a times a basis: -V/60 of another vertex, 0 of a's own, V/15 of an edge at a, V/30 of another.
    """
    for c in range(3):
        vertices, edges = 0.0, 0.0
        for b in range(4):
            vertices += potential[unknowns[t, b], c, k]
        for e in range(4, 10):
            edges += potential[unknowns[t, e], c, k]
        for a in range(4):
            near = 0.0
            for b in range(4):
                if b != a:
                    near += potential[unknowns[t, BETWEEN[a, b]], c, k]
            moments[a, c] = (edges + near) / 30.0 - (vertices - potential[unknowns[t, a], c, k]) / 60.0


@njit(cache=True, inline="always")
def _conducting_hats(nodes, tets, sigma, tensor, t, out):
    """Volume times sigma times the gradients (4, 3) of an element's barycentric coordinates."""
    for b in range(4):
        weighted_gradient(nodes, tets, t, b, out[b])
        conducted(sigma, tensor, t, out[b])


@parallel()
def load(nodes, tets, sigma, tensor, unknowns, offsets, slots, order, first, potential, out):
    """Right-hand sides b_i = -sum_t integral of grad(N_i) . sigma dA/dt, exact for the quadratic through its values.

    potential (u, 3, k) V/m at the points of the unknowns; out (u, k) A.
    """
    width = potential.shape[2]
    for i in prange(len(order)):
        gradients, moments = np.empty((4, 3)), np.empty((4, 3))
        for u in range(first[i], first[i + 1]):
            for k in range(width):
                out[u, k] = 0.0
        for s in range(offsets[order[i]], offsets[order[i] + 1]):
            t, a = slots[s] >> 2, slots[s] & 3
            _conducting_hats(nodes, tets, sigma, tensor, t, gradients)
            for k in range(width):
                _first_moments(unknowns, t, potential, k, moments)
                for c in range(3):
                    total = moments[0, c] + moments[1, c] + moments[2, c] + moments[3, c]
                    out[first[i], k] -= gradients[a, c] * (4.0 * moments[a, c] - total)
                for b in range(4):
                    if b == a:
                        continue
                    u = unknowns[t, BETWEEN[a, b]]
                    if first[i] <= u < first[i + 1]:
                        for c in range(3):
                            out[u, k] -= 4.0 * (gradients[b, c] * moments[a, c] + gradients[a, c] * moments[b, c])


@njit(cache=True, inline="always")
def _moment_weights(unknowns, t, gradients, adjoint, k, weights):
    """What `load` asks of the first moments of an element, met with an adjoint: weights (4, 3)."""
    for c in range(3):
        whole = 0.0
        for b in range(4):
            whole += adjoint[unknowns[t, b], k] * gradients[b, c]
        for a in range(4):
            total = 4.0 * adjoint[unknowns[t, a], k] * gradients[a, c] - whole
            for b in range(4):
                if b != a:
                    total += 4.0 * adjoint[unknowns[t, BETWEEN[a, b]], k] * gradients[b, c]
            weights[a, c] = -total


@njit(cache=True, inline="always")
def _share_of_moments(weights, a, b, c):
    """Those weights times what the value at a vertex (b = a) or edge ab adds to the moments (`_first_moments`)."""
    total = 0.0
    for d in range(4):
        total += weights[d, c]
    return (weights[a, c] - total) / 60.0 if b == a else (total + weights[a, c] + weights[b, c]) / 30.0


@parallel()
def load_transpose(nodes, tets, sigma, tensor, unknowns, offsets, slots, order, first, adjoint, out):
    """Vectors c_u with sum_u c_u . dA/dt_u = adjoint . `load`; adjoint (u, k), out (u, k, 3)."""
    width = adjoint.shape[1]
    for i in prange(len(order)):
        gradients, weights = np.empty((4, 3)), np.empty((4, 3))
        for u in range(first[i], first[i + 1]):
            out[u, :, :] = 0.0
        for s in range(offsets[order[i]], offsets[order[i] + 1]):
            t, a = slots[s] >> 2, slots[s] & 3
            _conducting_hats(nodes, tets, sigma, tensor, t, gradients)
            for k in range(width):
                _moment_weights(unknowns, t, gradients, adjoint, k, weights)
                for b in range(4):
                    u = unknowns[t, a if b == a else BETWEEN[a, b]]
                    if first[i] <= u < first[i + 1]:
                        for c in range(3):
                            out[u, k, c] += _share_of_moments(weights, a, b, c)


@njit(cache=True, inline="always")
def _hats(nodes, tets, t, out):
    """Gradients (4, 3) of an element's barycentric coordinates."""
    volume = 0.0
    for a in range(4):
        weighted_gradient(nodes, tets, t, a, out[a])
    for c in range(3):
        volume += out[0, c] * (nodes[tets[t, 0], c] - nodes[tets[t, 1], c])
    for a in range(4):
        for c in range(3):
            out[a, c] /= volume


@parallel()
def gradient_slopes(nodes, tets, elements, shares, out):
    """Gradients of an element's ten basis functions at points by element (m,) and shares (m, 4); out (m, 3, 10)."""
    for m in prange(len(elements)):
        hats = np.empty((4, 3))
        _hats(nodes, tets, elements[m], hats)
        for c in range(3):
            for a in range(4):
                out[m, c, a] = (4.0 * shares[m, a] - 1.0) * hats[a, c]
            for e in range(6):
                a, b = EDGES[e, 0], EDGES[e, 1]
                out[m, c, 4 + e] = 4.0 * (shares[m, a] * hats[b, c] + shares[m, b] * hats[a, c])


@parallel()
def gradients(nodes, tets, unknowns, values, elements, shares, out):
    """Gradient of a quadratic field at points given by element (m,) and barycentric coordinates (m, 4); out (m, 3)."""
    for m in prange(len(elements)):
        t, hats = elements[m], np.empty((4, 3))
        _hats(nodes, tets, t, hats)
        out[m, :] = 0.0
        for a in range(4):
            slope = (4.0 * shares[m, a] - 1.0) * values[unknowns[t, a]]
            for b in range(4):
                if b != a:
                    slope += 4.0 * shares[m, b] * values[unknowns[t, BETWEEN[a, b]]]
            for c in range(3):
                out[m, c] += slope * hats[a, c]
