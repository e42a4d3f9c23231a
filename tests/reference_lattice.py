"""Slow NumPy twins of the lattice kernels, written from their definitions and from nothing else."""

import numpy as np
from scipy import ndimage

EDGES = [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)]


def sampled(field, points):
    """Trilinear values of one field at points (m, 3) in voxels, constant beyond the image."""
    return ndimage.map_coordinates(field.astype(np.float64), points.T, order=1, mode="nearest")


def best_labels(fields, points, allowed):
    """Of each point's set of labels, the one whose field is largest there."""
    values = np.stack([sampled(field, points) for field in fields], axis=1)
    barred = (allowed[:, None] >> np.arange(len(fields))) & 1 == 0
    return np.where(barred, -np.inf, values).argmax(axis=1)


def morton_codes(points):
    """Interleave the bits of 21-bit coordinates one by one."""
    points = np.asarray(points, dtype=float)
    side = (points.max(axis=0) - points.min(axis=0)).max()
    whole = ((points - points.min(axis=0)) * ((2**21 - 1) / side)).astype(np.int64)
    codes = []
    for x, y, z in whole.tolist():
        code = 0
        for bit in range(20, -1, -1):
            for value in (x, y, z):
                code = (code << 1) | ((value >> bit) & 1)
        codes.append(code)
    return np.array(codes, dtype=np.uint64)


def volumes(nodes, tets):
    """Signed volumes by determinant."""
    corners = nodes[tets]
    return np.linalg.det(corners[:, 1:] - corners[:, :1]) / 6


def mean_ratio(nodes, tets):
    """12 (3 V)^(2/3) / sum of squared edges, of positive elements."""
    squares = sum(((nodes[tets[:, i]] - nodes[tets[:, j]]) ** 2).sum(axis=1) for i, j in EDGES)
    return 12 * (3 * volumes(nodes, tets)) ** (2 / 3) / squares


def bisected(tets, cuts, lengths, new_nodes):
    """Split elements at marked edges {(low, high): number}, longest first, ties to the higher number."""
    done, waiting = [], [tuple(tet) for tet in tets.tolist()]
    while waiting:
        tet = waiting.pop()
        marked = [(lengths[cuts[key]], cuts[key], i, j) for i, j in EDGES if (key := edge_key(tet, i, j)) in cuts]
        if not marked:
            done.append(tet)
            continue
        _, number, i, j = max(marked)
        for gone in (i, j):
            waiting.append(tuple(int(new_nodes[number]) if k == gone else tet[k] for k in range(4)))
    return np.array(done)


def edge_key(tet, i, j):
    """Lower and higher node of one edge of an element."""
    return min(tet[i], tet[j]), max(tet[i], tet[j])


def edges_without_common_label(tets, label_sets):
    """Set of node pairs (low, high) joined by an element's edge and sharing no label."""
    pairs = {edge_key(tet, i, j) for tet in tets.tolist() for i, j in EDGES}
    return {(a, b) for a, b in pairs if label_sets[a] & label_sets[b] == 0}


def piece_numbers(tets):
    """Face-connected pieces by a dictionary of faces, numbered in order of their first element."""
    owners = {}
    for t, tet in enumerate(tets.tolist()):
        for gone in range(4):
            owners.setdefault(frozenset(tet[:gone] + tet[gone + 1 :]), []).append(t)
    beside = [[] for _ in tets]
    for pair in owners.values():
        for t in pair:
            beside[t].extend(pair)
    piece, count = np.full(len(tets), -1), 0
    for seed in range(len(tets)):
        waiting = [seed] if piece[seed] < 0 else []
        count += bool(waiting)
        while waiting:
            t = waiting.pop()
            if piece[t] < 0:
                piece[t] = count - 1
                waiting.extend(beside[t])
    return piece
