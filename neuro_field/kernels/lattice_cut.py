"""Make the lattice follow interfaces: move nodes that lie near one onto it, split edges that still cross."""

import numpy as np
from numba import njit

from neuro_field.kernels.lattice_stars import EDGES, star_quality


@njit(cache=True)
def snap_nodes(tets, offsets, star, edges, fraction, first_label, second_label, reach, floor, nodes, label_sets):
    """Move nodes onto their nearest cut if closer than ``reach`` of the edge; returns how many moved.

    Parameters
    ----------
    tets : (t, 4) int32 array
    offsets, star : arrays of `lattice_stars.build_stars`
    edges, fraction, first_label, second_label : arrays of `lattice_fields.cut_edges`
    reach : float
        Largest move, as a fraction of the edge.
    floor : float
        A move that takes an element around the node below this quality is undone.
    nodes : (n, 3), label_sets : (n,) int32 arrays
        Changed in place: a moved node touches both labels of its cut.
    """
    n = len(nodes)
    nearest = np.full(n, 2.0)
    chosen = np.full(n, -1, np.int64)
    for e in range(len(edges)):
        a = edges[e, 0]
        b = edges[e, 1]
        if fraction[e] < reach and fraction[e] < nearest[a]:
            nearest[a] = fraction[e]
            chosen[a] = e
        if 1 - fraction[e] < reach and 1 - fraction[e] < nearest[b]:
            nearest[b] = 1 - fraction[e]
            chosen[b] = e
    moved = 0
    old = np.empty(3)
    for v in range(n):
        e = chosen[v]
        if e < 0 or label_sets[edges[e, 0]] & label_sets[edges[e, 1]]:
            continue  # far from any cut, or the other end has already come to this one
        other = edges[e, 1] if v == edges[e, 0] else edges[e, 0]
        for c in range(3):
            old[c] = nodes[v, c]
            nodes[v, c] += nearest[v] * (nodes[other, c] - nodes[v, c])
        if star_quality(nodes, tets, offsets, star, v, floor) >= floor:
            label_sets[v] |= (1 << first_label[e]) | (1 << second_label[e])
            moved += 1
        else:
            for c in range(3):
                nodes[v, c] = old[c]
    return moved


@njit(cache=True)
def _longest_cut(tet, keys, lengths, on_cut):
    """Which edge of a tetrahedron to split next: (corner pair, key index), or (-1, -1)."""
    corner_pair = -1
    cut = -1
    for e in range(6):
        a = tet[EDGES[e, 0]]
        b = tet[EDGES[e, 1]]
        if not (on_cut[a] and on_cut[b]):
            continue
        key = (np.int64(min(a, b)) << 32) | max(a, b)
        at = np.searchsorted(keys, key)
        if at == len(keys) or keys[at] != key:
            continue
        if cut < 0 or lengths[at] > lengths[cut] or (lengths[at] == lengths[cut] and at > cut):
            cut = at
            corner_pair = e
    return corner_pair, cut


@njit(cache=True)
def bisect_tetrahedra(tets, keys, lengths, new_nodes, on_cut, out):
    """Split every tetrahedron at its marked edges, longest first; returns how many there are then.

    One order for all (length, then key) cuts a face shared by two elements alike from both sides, so the
    result conforms (cf. Plaza and Carey 2000, Appl. Numer. Math. 32:195, longest-edge bisection).

    Parameters
    ----------
    tets : (t, 4) int32 array
    keys : (e,) int64 array
        Marked edges, rising, as of `lattice_stars.uncut_edge_keys`.
    lengths : (e,) array
    new_nodes : (e,) int32 array
        Node to put on each marked edge.
    on_cut : (n,) bool array
        Nodes at an end of a marked edge, new nodes included as False.
    out : (u, 4) int32 array
        The elements, oriented like their parents; pass length 0 to count first.
    """
    count = 0
    stack = np.empty((64, 4), np.int32)
    for i in range(len(tets)):
        for corner in range(4):
            stack[0, corner] = tets[i, corner]
        height = 1
        while height > 0:
            height -= 1
            corner_pair, cut = _longest_cut(stack[height], keys, lengths, on_cut)
            if cut < 0:
                for corner in range(4 if count < len(out) else 0):
                    out[count, corner] = stack[height, corner]
                count += 1
                continue
            for corner in range(4):
                stack[height + 1, corner] = stack[height, corner]
            stack[height, EDGES[corner_pair, 0]] = new_nodes[cut]
            stack[height + 1, EDGES[corner_pair, 1]] = new_nodes[cut]
            height += 2
    return count
