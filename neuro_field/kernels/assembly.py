"""Kernels of linear tetrahedra: incidence, stiffness rows, load vectors and element fields.

Every parallel loop runs over an outer index that owns its output, so that one thread and many give the same bits.
Rows are gathered over the elements around a node instead of scattered from elements.  The product of an element's
volume and the gradient of its i-th hat function is the inward area vector of the opposite face divided by 3: no
division is needed until the stiffness itself.
"""

import numpy as np
from numba import njit, prange

from neuro_field.kernels.turns import parallel


@njit(cache=True)
def incidence(tets, offsets, slots):
    """Elements around each node: ``slots[offsets[i]:offsets[i+1]]`` are ``4 * element + local index``, ascending.

    tets (t, 4) int32; offsets (n + 1,) int32, zero on entry; slots (4 t,) int32.
    """
    for t in range(len(tets)):
        for a in range(4):
            offsets[tets[t, a] + 1] += 1
    for i in range(len(offsets) - 1):
        offsets[i + 1] += offsets[i]
    for t in range(len(tets)):
        for a in range(4):
            i = tets[t, a]
            slots[offsets[i]] = 4 * t + a
            offsets[i] += 1
    for i in range(len(offsets) - 1, 0, -1):
        offsets[i] = offsets[i - 1]
    offsets[0] = 0


@njit(cache=True, inline="always")
def weighted_gradient(nodes, tets, t, a, out):
    """``out`` = volume times the gradient of the a-th hat function of element t (a third of the inward face area)."""
    i, j, k = tets[t, (a + 1) & 3], tets[t, (a + 2) & 3], tets[t, (a + 3) & 3]
    ux, uy, uz = nodes[j, 0] - nodes[i, 0], nodes[j, 1] - nodes[i, 1], nodes[j, 2] - nodes[i, 2]
    vx, vy, vz = nodes[k, 0] - nodes[i, 0], nodes[k, 1] - nodes[i, 1], nodes[k, 2] - nodes[i, 2]
    s = -1.0 / 6.0 if a & 1 == 0 else 1.0 / 6.0
    out[0] = s * (uy * vz - uz * vy)
    out[1] = s * (uz * vx - ux * vz)
    out[2] = s * (ux * vy - uy * vx)


@njit(cache=True, inline="always")
def conducted(sigma, tensor, t, vector):
    """``vector`` (3,) becomes conductivity times itself; ``tensor`` (0 or t, 3, 3) rules where it is not empty."""
    if len(tensor):
        x, y, z = vector[0], vector[1], vector[2]
        for c in range(3):
            vector[c] = tensor[t, c, 0] * x + tensor[t, c, 1] * y + tensor[t, c, 2] * z
    else:
        for c in range(3):
            vector[c] *= sigma[t]


@njit(cache=True)
def _empty_table(elements):
    """Room to look up the nodes of some elements, twice as much as they can fill: a power of two; -1 is free."""
    size = 32
    while size < 8 * elements:
        size *= 2
    return np.full(size, -1, np.int32)


@njit(cache=True, inline="always")
def _slot(table, node):
    """Where a node stands in a table, or the free place where it would."""
    slot = (node * 40503) & (len(table) - 1)
    while table[slot] >= 0 and table[slot] != node:
        slot = (slot + 1) & (len(table) - 1)
    return slot


@parallel()
def row_lengths(tets, offsets, slots, lengths):
    """Number of different nodes in the elements around each node, itself included; lengths (n,) int32."""
    for i in prange(len(lengths)):
        table = _empty_table(offsets[i + 1] - offsets[i])
        count = 0
        for s in range(offsets[i], offsets[i + 1]):
            for b in range(4):
                slot = _slot(table, tets[slots[s] >> 2, b])
                if table[slot] < 0:
                    table[slot] = tets[slots[s] >> 2, b]
                    count += 1
        lengths[i] = count


@njit(cache=True, inline="always")
def _sorted_row(tets, slots, table, indices, start):
    """The nodes of elements around one, ascending, into a row of ``indices``; each is in ``table`` then."""
    count = start
    for s in range(len(slots)):
        for b in range(4):
            j = tets[slots[s] >> 2, b]
            slot = _slot(table, j)
            if table[slot] < 0:
                table[slot] = j
                place = count
                while place > start and indices[place - 1] > j:
                    indices[place] = indices[place - 1]
                    place -= 1
                indices[place] = j
                count += 1


@parallel()
def pattern(tets, offsets, slots, indptr, indices):
    """Columns of the rows of a matrix over nodes that share an element, ascending; indptr (n + 1,) given."""
    for i in prange(len(indptr) - 1):
        around = slots[offsets[i] : offsets[i + 1]]
        _sorted_row(tets, around, _empty_table(len(around)), indices, indptr[i])


@parallel(error_model="numpy")
def stiffness(nodes, tets, sigma, tensor, offsets, slots, indptr, indices, data, couplings):
    """Rows of K_ij = sum_t V grad(l_i) . sigma grad(l_j) in CSR, or what couples dA/dt to loads, or both.

    An element takes dA/dt as its line integrals say, along each edge the mean of both ends times the edge: its mean is
    sum_edges a_ij (grad(l_j) - grad(l_i)) / 4 (Whitney's forms).  A gradient's line integrals are the differences of
    its potential, so that a gradient added to dA/dt is answered by phi at the nodes, and E stays.

    nodes (n, 3) m; sigma (t,) S/m; tensor (0 or t, 3, 3) S/m; indptr, indices of `pattern`; data (e,) filled, or empty.
    couplings (e, 3), filled, or empty: sum_t (K_ij (centroid - node j) / 2 - V sigma grad(l_i) / 8) over the elements t
    that hold i and j, S m.
    """
    for i in prange(len(indptr) - 1):
        around = slots[offsets[i] : offsets[i + 1]]
        table = _empty_table(len(around))
        where = np.empty(len(table), np.int32)
        wanted, coupled = len(data) > 0, len(couplings) > 0
        for place in range(indptr[i], indptr[i + 1]):
            slot = _slot(table, indices[place])
            table[slot], where[slot] = indices[place], place
            if wanted:
                data[place] = 0.0
            for c in range(3 if coupled else 0):
                couplings[place, c] = 0.0
        x, y, z = nodes[i, 0], nodes[i, 1], nodes[i, 2]
        own, values = np.empty(3), np.empty(4)
        for s in range(len(around)):
            t, a = around[s] >> 2, around[s] & 3
            j, k, m = tets[t, (a + 1) & 3], tets[t, (a + 2) & 3], tets[t, (a + 3) & 3]
            ux, uy, uz = nodes[j, 0] - x, nodes[j, 1] - y, nodes[j, 2] - z
            vx, vy, vz = nodes[k, 0] - x, nodes[k, 1] - y, nodes[k, 2] - z
            wx, wy, wz = nodes[m, 0] - x, nodes[m, 1] - y, nodes[m, 2] - z
            ax, ay, az = vy * wz - vz * wy, vz * wx - vx * wz, vx * wy - vy * wx  # gradients times 6 V, but for a sign
            bx, by, bz = wy * uz - wz * uy, wz * ux - wx * uz, wx * uy - wy * ux
            cx, cy, cz = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
            own[0], own[1], own[2] = -ax - bx - cx, -ay - by - cy, -az - bz - cz  # the four add up to nothing
            conducted(sigma, tensor, t, own)
            scale = 1.0 / (6.0 * abs(ux * ax + uy * ay + uz * az))
            values[1] = scale * (own[0] * ax + own[1] * ay + own[2] * az)
            values[2] = scale * (own[0] * bx + own[1] * by + own[2] * bz)
            values[3] = scale * (own[0] * cx + own[1] * cy + own[2] * cz)
            values[0] = -values[1] - values[2] - values[3]
            eighth = -1.0 / 48.0 if a & 1 == 0 else 1.0 / 48.0
            for b in range(4):
                node = tets[t, (a + b) & 3]
                place = where[_slot(table, node)]
                if wanted:
                    data[place] += values[b]
                for c in range(3 if coupled else 0):
                    middle = 0.25 * (nodes[i, c] + nodes[j, c] + nodes[k, c] + nodes[m, c])
                    couplings[place, c] += eighth * own[c] + 0.5 * values[b] * (middle - nodes[node, c])


@njit(cache=True)
def pieces(indptr, indices, out):
    """Number the connected pieces of a symmetric pattern from 0, rows (n,) into ``out`` int32; returns their count."""
    out[:] = -1
    queue = np.empty(len(out), np.int32)
    count = 0
    for seed in range(len(out)):
        if out[seed] >= 0:
            continue
        out[seed] = count
        queue[0], first, last = seed, 0, 1
        while first < last:
            i = queue[first]
            first += 1
            for place in range(indptr[i], indptr[i + 1]):
                j = indices[place]
                if out[j] < 0:
                    out[j] = count
                    queue[last] = j
                    last += 1
        count += 1
    return count


@parallel()
def load(indptr, indices, couplings, dadt, out):
    """Right-hand sides b_i = -sum_t V grad(l_i) . sigma (mean of dA/dt over the element, by its edges: `stiffness`).

    indptr, indices, couplings of `stiffness`; dadt (n, 3, k) V/m, k right-hand sides; out (n, k) A.
    """
    width = dadt.shape[2]
    for i in prange(len(out)):
        for k in range(width):
            out[i, k] = 0.0
        for place in range(indptr[i], indptr[i + 1]):
            j = indices[place]
            x, y, z = couplings[place, 0], couplings[place, 1], couplings[place, 2]
            for k in range(width):
                out[i, k] += x * dadt[j, 0, k] + y * dadt[j, 1, k] + z * dadt[j, 2, k]


@parallel()
def product(indptr, indices, data, values, out):
    """Rows of a sparse matrix times values (n, k) into out (r, k); indptr (r + 1,) of these rows alone."""
    width = values.shape[1]
    for i in prange(len(out)):
        for k in range(width):
            out[i, k] = 0.0
        for place in range(indptr[i], indptr[i + 1]):
            j, entry = indices[place], data[place]
            for k in range(width):
                out[i, k] += entry * values[j, k]


@njit(cache=True, inline="always", error_model="numpy")
def _gradient(nodes, tets, t, a, b, c, d):
    """Gradient in element t of a, b, c, d at its nodes: with u, v, w its edges, (v x w, w x u, u x v) / det."""
    i, j, k, m = tets[t, 0], tets[t, 1], tets[t, 2], tets[t, 3]
    x, y, z = nodes[i, 0], nodes[i, 1], nodes[i, 2]
    ux, uy, uz = nodes[j, 0] - x, nodes[j, 1] - y, nodes[j, 2] - z
    vx, vy, vz = nodes[k, 0] - x, nodes[k, 1] - y, nodes[k, 2] - z
    wx, wy, wz = nodes[m, 0] - x, nodes[m, 1] - y, nodes[m, 2] - z
    px, py, pz = vy * wz - vz * wy, vz * wx - vx * wz, vx * wy - vy * wx
    inverse = 1.0 / (ux * px + uy * py + uz * pz)
    b, c, d = inverse * (b - a), inverse * (c - a), inverse * (d - a)
    return (
        b * px + c * (wy * uz - wz * uy) + d * (uy * vz - uz * vy),
        b * py + c * (wz * ux - wx * uz) + d * (uz * vx - ux * vz),
        b * pz + c * (wx * uy - wy * ux) + d * (ux * vy - uy * vx),
    )


@njit(cache=True, inline="always")
def _inwards(x, y, z, nodes, dadt, i):
    """dA/dt at node i along the way from there to the centroid x, y, z of an element: V."""
    return (x - nodes[i, 0]) * dadt[i, 0] + (y - nodes[i, 1]) * dadt[i, 1] + (z - nodes[i, 2]) * dadt[i, 2]


@parallel(error_model="numpy", fastmath={"contract"})
def element_fields(nodes, tets, potential, dadt, out):
    """E = -grad(phi) - dA/dt, its mean by the edges (`stiffness`); nodes m, potential (n,) V, dadt (n, 3), out (t, 3).

    That mean is half the nodes' mean, less half the gradient of what `_inwards` gives at them.
    """
    for t in prange(len(tets)):
        i, j, k, m = tets[t, 0], tets[t, 1], tets[t, 2], tets[t, 3]
        x = 0.25 * (nodes[i, 0] + nodes[j, 0] + nodes[k, 0] + nodes[m, 0])
        y = 0.25 * (nodes[i, 1] + nodes[j, 1] + nodes[k, 1] + nodes[m, 1])
        z = 0.25 * (nodes[i, 2] + nodes[j, 2] + nodes[k, 2] + nodes[m, 2])
        a = potential[i] - 0.5 * _inwards(x, y, z, nodes, dadt, i)
        b = potential[j] - 0.5 * _inwards(x, y, z, nodes, dadt, j)
        c = potential[k] - 0.5 * _inwards(x, y, z, nodes, dadt, k)
        d = potential[m] - 0.5 * _inwards(x, y, z, nodes, dadt, m)
        ex, ey, ez = _gradient(nodes, tets, t, a, b, c, d)
        out[t, 0] = -ex - 0.125 * (dadt[i, 0] + dadt[j, 0] + dadt[k, 0] + dadt[m, 0])
        out[t, 1] = -ey - 0.125 * (dadt[i, 1] + dadt[j, 1] + dadt[k, 1] + dadt[m, 1])
        out[t, 2] = -ez - 0.125 * (dadt[i, 2] + dadt[j, 2] + dadt[k, 2] + dadt[m, 2])


@parallel()
def volumes(nodes, tets, out):
    """Signed volumes (t,) of elements, in the cube of the nodes' unit."""
    for t in prange(len(tets)):
        i, j, k, m = tets[t, 0], tets[t, 1], tets[t, 2], tets[t, 3]
        ux, uy, uz = nodes[j, 0] - nodes[i, 0], nodes[j, 1] - nodes[i, 1], nodes[j, 2] - nodes[i, 2]
        vx, vy, vz = nodes[k, 0] - nodes[i, 0], nodes[k, 1] - nodes[i, 1], nodes[k, 2] - nodes[i, 2]
        wx, wy, wz = nodes[m, 0] - nodes[i, 0], nodes[m, 1] - nodes[i, 1], nodes[m, 2] - nodes[i, 2]
        out[t] = ((uy * vz - uz * vy) * wx + (uz * vx - ux * vz) * wy + (ux * vy - uy * vx) * wz) / 6.0


@parallel()
def load_transpose(nodes, tets, sigma, tensor, offsets, slots, adjoint, out):
    """Nodal vectors c_n with sum_n c_n . dA/dt_n = adjoint . `load`, the conduction part of reciprocity.

    adjoint (n, k); out (n, k, 3): with J = V sigma grad(adjoint), the sum over a node's elements of
    (grad(l_n) . J) (centroid - node n) / 2 - J / 8.
    """
    width = adjoint.shape[1]
    for i in prange(len(out)):
        own, current, middle = np.empty(3), np.empty((width, 3)), np.empty(3)
        out[i, :, :] = 0.0
        for s in range(offsets[i], offsets[i + 1]):
            t, a = slots[s] >> 2, slots[s] & 3
            current[:, :] = 0.0
            middle[:] = 0.0
            for b in range(4):
                weighted_gradient(nodes, tets, t, b, own)
                conducted(sigma, tensor, t, own)
                j = tets[t, b]
                for c in range(3):
                    middle[c] += 0.25 * nodes[j, c]
                    for k in range(width):
                        current[k, c] += own[c] * adjoint[j, k]
            weighted_gradient(nodes, tets, t, a, own)
            volume = 0.0
            for c in range(3):
                volume += own[c] * (nodes[i, c] - nodes[tets[t, (a + 1) & 3], c])
            for k in range(width):
                along = 0.0
                for c in range(3):
                    along += own[c] * current[k, c]
                for c in range(3):
                    out[i, k, c] += 0.5 * along / volume * (middle[c] - nodes[i, c]) - 0.125 * current[k, c]
