"""Remove poor stars: pull a node onto a neighbour, so that the elements between them vanish."""

import numpy as np
from numba import njit

from neuro_field.kernels.lattice_stars import quality, star_quality


@njit(cache=True)
def _holds(tet, node):
    """Whether a tetrahedron has a node among its corners."""
    return tet[0] == node or tet[1] == node or tet[2] == node or tet[3] == node


@njit(cache=True)
def _quality_after(nodes, tets, offsets, star, gone, kept, floor):
    """Worst quality of what stays of a node's star once the node sits on another; -1 if nothing stays."""
    worst = 1e9
    for at in range(offsets[gone], offsets[gone + 1]):
        tet = tets[star[at]]
        if _holds(tet, kept):
            continue
        a = kept if tet[0] == gone else tet[0]
        b = kept if tet[1] == gone else tet[1]
        c = kept if tet[2] == gone else tet[2]
        d = kept if tet[3] == gone else tet[3]
        worst = min(worst, quality(nodes, a, b, c, d))
        if worst <= floor:
            break
    return worst if worst < 1e8 else -1.0


@njit(cache=True)
def _best_partner(nodes, tets, offsets, star, label_sets, gone, floor):
    """The neighbour that touches all labels of a node and leaves the best star, or -1."""
    partner = -1
    for at in range(offsets[gone], offsets[gone + 1]):
        for corner in range(4):
            kept = tets[star[at], corner]
            if kept in (gone, partner) or label_sets[gone] & label_sets[kept] != label_sets[gone]:
                continue
            after = _quality_after(nodes, tets, offsets, star, gone, kept, floor)
            if after > floor:
                floor = after
                partner = kept
    return partner


@njit(cache=True)
def collapse_nodes(nodes, labels, offsets, star, label_sets, poor, tets, dead):
    """Collapse edges in place where that raises the worst quality of a poor star by 15 %; returns how many.

    A node moves only along an edge that lies on every interface it lies on itself, nodes of the outer surface
    (label 0 in their set) not at all, and no element is touched twice in one pass.

    Parameters
    ----------
    nodes : (n, 3) array
    labels : (t,) int8 array
        Label of each element.
    offsets, star, label_sets : arrays of `lattice_stars`
    poor : float
    tets : (t, 4) int32 array
        Changed in place.
    dead : (t,) bool array
        Out: elements that are gone; comes in as False.
    """
    locked = np.zeros(len(nodes), np.bool_)
    collapsed = 0
    for gone in range(len(nodes)):
        if locked[gone] or label_sets[gone] & 1:
            continue
        before = star_quality(nodes, tets, offsets, star, gone, -1e9)
        if before > poor:
            continue
        free = True
        for at in range(offsets[gone], offsets[gone + 1]):
            for corner in range(4):
                free = free and not locked[tets[star[at], corner]]
        if not free:
            continue
        partner = _best_partner(nodes, tets, offsets, star, label_sets, gone, before * 1.15)
        if partner < 0:
            continue
        around = 0
        for at in range(offsets[gone], offsets[gone + 1]):
            if _holds(tets[star[at]], partner):
                around |= 1 << labels[star[at]]
        if around & label_sets[gone] != label_sets[gone]:
            continue  # the edge leaves an interface of the node
        for at in range(offsets[gone], offsets[gone + 1]):
            tet = star[at]
            for corner in range(4):
                locked[tets[tet, corner]] = True
            if _holds(tets[tet], partner):
                dead[tet] = True
            else:
                for corner in range(4):
                    if tets[tet, corner] == gone:
                        tets[tet, corner] = partner
        collapsed += 1
    return collapsed
