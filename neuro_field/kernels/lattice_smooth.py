"""Better shapes without new elements: guarded smoothing, and a search for the places of nodes in poor stars.

Both keep every element positive and every interface node on its interface.
"""

import numpy as np
from numba import njit

from neuro_field.kernels.lattice_fields import step_to_interface
from neuro_field.kernels.lattice_stars import star_quality


@njit(cache=True)
def _several(labels):
    """Whether a set has more than one label."""
    return labels & (labels - 1) != 0


@njit(cache=True)
def _has_level(labels):
    """Whether a field vanishes on what a set of several labels share: two labels, or the outside."""
    rest = labels & (labels - 1)
    return labels & 1 != 0 or rest & (rest - 1) == 0


@njit(cache=True)
def _mean_neighbour(tets, offsets, star, label_sets, nodes, v, mean):
    """Mean of the neighbours of a node (for an interface node: of those on all its interfaces); how many."""
    count = 0
    mean[:] = 0.0
    several = _several(label_sets[v])
    for at in range(offsets[v], offsets[v + 1]):
        for corner in range(4):
            u = tets[star[at], corner]
            if u == v or (several and label_sets[u] & label_sets[v] != label_sets[v]):
                continue
            for c in range(3):
                mean[c] += nodes[u, c]
            count += 1
    if count:
        mean /= count
    return count


@njit(cache=True)
def smooth_nodes(fields, tets, offsets, star, label_sets, rounds, share, good, at_rest, reach, nodes):
    """Move nodes a share of the way to the mean of their neighbours, in place; returns how many moves held.

    Interface nodes average over neighbours on the same interfaces and then step back onto the level set.  A
    move (or half, or a quarter of it) holds if the worst element around the node stays ``good`` or gets no
    worse.

    Parameters
    ----------
    fields : (labels, i, j, k) float32 array
    tets, offsets, star, label_sets : arrays of `lattice_stars`
    rounds : int
        Inner nodes of good stars rest in all but the first.
    share : float
    good : float
        Quality that need not be defended.
    at_rest : float
        Quality above which inner nodes rest in the first round too.
    reach : float
        Longest single step back onto the level set, voxels.
    nodes : (n, 3) array
        In voxels.
    """
    moved = 0
    old = np.empty(3)
    new = np.empty(3)
    for turn in range(rounds):
        for v in range(len(nodes)):
            before = star_quality(nodes, tets, offsets, star, v, -1e9)
            several = _several(label_sets[v])
            if not several and before > (good if turn else at_rest):
                continue
            if not _mean_neighbour(tets, offsets, star, label_sets, nodes, v, new):
                continue
            for c in range(3):
                old[c] = nodes[v, c]
                new[c] = old[c] + share * (new[c] - old[c])
            if several and _has_level(label_sets[v]):
                step_to_interface(fields, label_sets[v], new, reach, 2)
            floor = min(before, good)
            step = 1.0
            held = False
            for _ in range(3):
                for c in range(3):
                    nodes[v, c] = old[c] + step * (new[c] - old[c])
                held = star_quality(nodes, tets, offsets, star, v, floor) >= floor
                if held:
                    break
                step *= 0.5
            if held:
                moved += 1
            else:
                for c in range(3):
                    nodes[v, c] = old[c]
    return moved


@njit(cache=True)
def _mean_edge(tets, offsets, star, nodes, v):
    """Mean distance of a node to the other corners of its elements."""
    total = 0.0
    count = 0
    for at in range(offsets[v], offsets[v + 1]):
        for corner in range(4):
            u = tets[star[at], corner]
            if u != v:
                x = nodes[u, 0] - nodes[v, 0]
                y = nodes[u, 1] - nodes[v, 1]
                z = nodes[u, 2] - nodes[v, 2]
                total += np.sqrt(x * x + y * y + z * z)
                count += 1
    return total / count


@njit(cache=True)
def _direction(number, out):
    """The axes (0-5) and the space diagonals (6-13) as unit vectors."""
    out[:] = 0.0
    if number < 6:
        out[number // 2] = 1.0 if number % 2 else -1.0
    else:
        for c in range(3):
            out[c] = 0.57735 if ((number - 6) >> c) & 1 else -0.57735


@njit(cache=True)
def polish_nodes(fields, tets, offsets, star, label_sets, poor, rounds, leash, loose, nodes):
    """Search around the nodes of poor stars for a place of better worst quality, in place; counts the gains.

    Interface nodes search on their interface only (each trial steps back onto the level set and counts only
    if it gets there); nodes where three tissues meet, which have no level set, stay within ``leash``.

    Parameters
    ----------
    fields, tets, offsets, star, label_sets
        As in `smooth_nodes`.
    poor : float
        Stars whose worst quality lies below this are searched.
    rounds : int
    leash : float
        How far a node of three tissues may go from where it was, voxels; others may go four times as far.
    loose : bool
        Interface nodes may leave their interface by ``leash`` instead.
    nodes : (n, 3) array
        In voxels.
    """
    gains = 0
    home = nodes.copy()
    old = np.empty(3)
    best = np.empty(3)
    direction = np.empty(3)
    for _ in range(rounds):
        for v in range(len(nodes)):
            before = star_quality(nodes, tets, offsets, star, v, -1e9)
            if before > poor:
                continue
            several = _several(label_sets[v])
            has_level = several and _has_level(label_sets[v]) and not loose
            radius = leash if several and not has_level else 4 * leash
            step = 0.2 * _mean_edge(tets, offsets, star, nodes, v)
            for _ in range(4):
                for c in range(3):
                    old[c] = nodes[v, c]
                largest = before
                for number in range(14):
                    _direction(number, direction)
                    for c in range(3):
                        nodes[v, c] = old[c] + step * direction[c]
                    if has_level and not 0 <= step_to_interface(fields, label_sets[v], nodes[v], step, 2) < 0.1:
                        continue
                    far = 0.0
                    for c in range(3):
                        far += (nodes[v, c] - home[v, c]) ** 2
                    if far > radius * radius:
                        continue
                    found = star_quality(nodes, tets, offsets, star, v, largest)
                    if found > largest * 1.001 + 1e-6:
                        largest = found
                        for c in range(3):
                            best[c] = nodes[v, c]
                better = largest > before
                for c in range(3):
                    nodes[v, c] = best[c] if better else old[c]
                if better:
                    before = largest
                    gains += 1
                else:
                    step *= 0.5
    return gains
