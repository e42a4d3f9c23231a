"""Cut a lattice along the interfaces between labels, and give every element its label."""

import numpy as np

from neuro_field.arrays import AnyArray, BoolArray, FloatArray, IntArray
from neuro_field.geometry.mesh import FACES
from neuro_field.kernels.lattice_cut import bisect_tetrahedra, snap_nodes
from neuro_field.kernels.lattice_fields import cut_edges, labels_at
from neuro_field.kernels.lattice_pieces import number_pieces
from neuro_field.kernels.lattice_stars import build_stars, uncut_edge_keys

#: A node moves onto a cut nearer than this share of the edge (below it, slivers would be cut off).
SNAP_REACH = 0.36
#: A snap that takes an element below this mean-ratio quality is left to the cutting.
SNAP_FLOOR = 0.1
#: Cuts keep this share of the edge away from its ends.
CUT_MARGIN = 0.1


def stars_of(tets: IntArray, n: int) -> tuple[AnyArray, IntArray]:
    """Elements around each of ``n`` nodes, as ``offsets`` (n + 1,) and ``star`` (4 t,)."""
    offsets, star = np.zeros(n + 1, dtype=np.int64), np.empty(4 * len(tets), dtype=np.int32)
    build_stars(tets, offsets, star)
    return offsets, star


def used_nodes(tets: IntArray, n: int) -> BoolArray:
    """(n,) mask of the nodes that some element uses."""
    used = np.zeros(n, dtype=bool)
    used[tets.ravel()] = True
    return used


def compacted(nodes: FloatArray, tets: IntArray) -> tuple[FloatArray, IntArray]:
    """Nodes and elements without the nodes that no element uses."""
    used = used_nodes(tets, len(nodes))
    new = (np.cumsum(used) - 1).astype(np.int32)
    return nodes[used], new[tets]


def _crossing_edges(
    fields: AnyArray, nodes: FloatArray, tets: IntArray, label_sets: IntArray
) -> tuple[AnyArray, IntArray, FloatArray, AnyArray, AnyArray]:
    """Edges whose ends share no label: keys, (e, 2) ends, place of the cut on each, the two labels there."""
    near = tets[common_labels(tets, label_sets) == 0]
    keys = np.empty(uncut_edge_keys(near, label_sets, np.empty(0, dtype=np.int64)), dtype=np.int64)
    uncut_edge_keys(near, label_sets, keys)
    keys.sort()
    keys = keys[np.diff(keys, prepend=-1) > 0]
    edges = np.stack([keys >> 32, keys & 0xFFFFFFFF], axis=1).astype(np.int32)
    fraction = np.empty(len(edges))
    first, second = np.empty(len(edges), dtype=np.int8), np.empty(len(edges), dtype=np.int8)
    cut_edges(fields, nodes, label_sets, edges, fraction, first, second)
    return keys, edges, fraction, first, second


def cut_lattice(fields: AnyArray, nodes: FloatArray, tets: IntArray) -> tuple[FloatArray, IntArray, IntArray, AnyArray]:
    """Move lattice nodes onto interfaces and split the edges that still cross one.

    Parameters
    ----------
    fields : (labels, i, j, k) float32 array
    nodes : (n, 3) array
        In voxels; changed in place.
    tets : (t, 4) int32 array

    Returns
    -------
    nodes, tets : (n', 3), (t', 4) arrays
    label_sets : (n',) int32 array
        The labels whose regions touch each node, as bits.
    element_labels : (t',) int8 array
        0 outside.
    """
    everything = np.full(len(nodes), (1 << len(fields)) - 1, dtype=np.int32)
    node_labels = np.empty(len(nodes), dtype=np.int8)
    labels_at(fields, nodes, everything, node_labels)
    label_sets = np.left_shift(np.int32(1), node_labels.astype(np.int32), dtype=np.int32)
    offsets, star = stars_of(tets, len(nodes))
    for _ in range(2):
        _, edges, fraction, first, second = _crossing_edges(fields, nodes, tets, label_sets)
        snap_nodes(tets, offsets, star, edges, fraction, first, second, SNAP_REACH, SNAP_FLOOR, nodes, label_sets)
    nodes, tets, label_sets = _bisected(fields, nodes, tets, label_sets)
    labels = _element_labels(fields, nodes, tets, label_sets)
    _give_flat_elements_to_their_neighbours(nodes, tets, label_sets, labels)
    return nodes, tets, label_sets, labels


def _bisected(
    fields: AnyArray, nodes: FloatArray, tets: IntArray, label_sets: IntArray
) -> tuple[FloatArray, IntArray, IntArray]:
    """The mesh with a new node on every edge that crosses an interface."""
    keys, edges, fraction, first, second = _crossing_edges(fields, nodes, tets, label_sets)
    along = nodes[edges[:, 1]] - nodes[edges[:, 0]]
    cuts = nodes[edges[:, 0]] + np.clip(fraction, CUT_MARGIN, 1 - CUT_MARGIN)[:, None] * along
    lengths = np.sqrt(np.einsum("ei,ei->e", along, along))
    new_nodes = np.arange(len(nodes), len(nodes) + len(edges), dtype=np.int32)
    on_cut = np.zeros(len(nodes) + len(edges), dtype=bool)
    on_cut[edges.ravel()] = True
    count = bisect_tetrahedra(tets, keys, lengths, new_nodes, on_cut, np.empty((0, 4), dtype=np.int32))
    out = np.empty((count, 4), dtype=np.int32)
    bisect_tetrahedra(tets, keys, lengths, new_nodes, on_cut, out)
    new_sets = np.left_shift(1, first.astype(np.int32)) | np.left_shift(1, second.astype(np.int32))
    return np.concatenate([nodes, cuts]), out, np.concatenate([label_sets, new_sets]).astype(np.int32)


def common_labels(tets: IntArray, label_sets: IntArray) -> IntArray:
    """(t,) labels, as bits, that all corners of each element touch."""
    a, b, c, d = (label_sets[tets[:, corner]] for corner in range(4))
    return a & b & c & d


def _element_labels(fields: AnyArray, nodes: FloatArray, tets: IntArray, label_sets: IntArray) -> AnyArray:
    """The label all corners of an element touch; of several in common, the best at its centroid."""
    common = common_labels(tets, label_sets)
    labels = np.zeros(len(tets), dtype=np.int8)
    for label in range(len(fields)):
        labels[common == 1 << label] = label
    unclear = np.flatnonzero((common == 0) | (common & (common - 1) != 0))
    tets, common = tets[unclear], common[unclear]
    common = np.where(common == 0, np.bitwise_or.reduce(label_sets[tets], axis=1), common)
    best = np.empty(len(tets), dtype=np.int8)
    labels_at(fields, nodes[tets].mean(axis=1), common.astype(np.int32), best)
    labels[unclear] = best
    return labels


def face_keys(triangles: AnyArray) -> AnyArray:
    """(f,) uint64 keys that are equal for equal node triples; nodes below 2**21, else rows are compared."""
    ordered = np.sort(triangles, axis=1).astype(np.uint64)
    if ordered.size and ordered.max() >= 2**21:
        return np.unique(ordered, axis=0, return_inverse=True)[1].ravel().astype(np.uint64)
    return (ordered[:, 0] << np.uint64(42)) | (ordered[:, 1] << np.uint64(21)) | ordered[:, 2]


def touching_pairs(tets: IntArray) -> tuple[AnyArray, AnyArray, AnyArray]:
    """Elements of a list that share a face: first and second of each pair, and the face's (p, 3) nodes."""
    triangles = tets[:, FACES].reshape(-1, 3)
    keys = face_keys(triangles)
    order = np.argsort(keys, kind="stable")
    same = np.flatnonzero(keys[order][1:] == keys[order][:-1])
    return order[same] // 4, order[same + 1] // 4, triangles[order[same]]


def _give_flat_elements_to_their_neighbours(
    nodes: FloatArray, tets: IntArray, label_sets: IntArray, labels: IntArray, rounds: int = 3
) -> None:
    """Relabel, in place, elements whose four corners all lie on one interface.

    Nothing inside such an element tells its side; it takes the label, of those its corners share, that it
    touches with the larger area, so that the interface neither dents nor bulges there.
    """
    common = common_labels(tets, label_sets)
    flat = (common & (common - 1)) != 0
    if not flat.any():
        return
    touched = np.zeros(len(nodes), dtype=bool)
    touched[tets[flat].ravel()] = True
    near = np.flatnonzero(touched[tets].sum(axis=1) >= 3)
    position = np.full(len(tets), -1, dtype=np.int64)
    position[flat] = np.arange(np.count_nonzero(flat))
    one, two, triangles = touching_pairs(tets[near])
    one, two = near[one], near[two]
    a, b, c = (nodes[triangles[:, i]] for i in range(3))
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1)
    of, beside, area = np.concatenate([one, two]), np.concatenate([two, one]), np.concatenate([area, area])
    of, beside, area = of[flat[of]], beside[flat[of]], area[flat[of]]
    kinds = int(labels.max()) + 1
    allowed = (common[flat][:, None] >> np.arange(kinds)) & 1
    for turn in range(rounds):
        shared = np.bincount(position[of] * kinds + labels[beside], area, len(allowed) * kinds)
        shared = shared.reshape(-1, kinds) * allowed
        now = labels[flat]
        change = shared.max(axis=1) > shared[np.arange(len(now)), now] * 1.0001
        if turn == 0:
            change[1::2] = False  # neighbours that would swap labels for ever
        labels[flat] = np.where(change, shared.argmax(axis=1), now)


def fill_pinches(tets: IntArray, labels: IntArray, n: int, rounds: int = 20) -> int:
    """Give, in place, outside elements around edges where the outer surface meets itself to the tissue there.

    Returns how many elements were filled.  Every round only adds to the head, so it ends.
    """
    filled = 0
    for _ in range(rounds):
        sides = np.zeros((2, n), dtype=bool)
        sides[0][tets[labels == 0].ravel()] = True
        sides[1][tets[labels > 0].ravel()] = True
        surface = sides[0] & sides[1]
        near = np.flatnonzero(surface[tets].sum(axis=1) >= 2)
        one, two, triangles = touching_pairs(tets[near])
        one, two = near[one], near[two]
        outer = (labels[one] == 0) != (labels[two] == 0)
        inner = np.where(labels[one] > 0, one, two)[outer]
        keys = edge_keys(triangles[outer][:, [[0, 1], [1, 2], [0, 2]]].reshape(-1, 2))
        pinched, first, count = np.unique(keys, return_index=True, return_counts=True)
        pinched, owner = pinched[count > 2], inner[first[count > 2] // 3]
        if not len(pinched):
            break
        outside = near[labels[near] == 0]
        pairs = edge_keys(tets[outside][:, [[0, 1], [0, 2], [0, 3], [1, 2], [1, 3], [2, 3]]].reshape(-1, 2))
        at = np.minimum(np.searchsorted(pinched, pairs), len(pinched) - 1)
        hit = np.flatnonzero(pinched[at] == pairs)
        labels[outside[hit // 6]] = labels[owner[at[hit]]]
        filled += len(np.unique(hit // 6))
    return filled


def edge_keys(edges: AnyArray) -> AnyArray:
    """(e,) int64 keys that are equal for equal node pairs."""
    return (edges.min(axis=1).astype(np.int64) << 32) | edges.max(axis=1)


def largest_piece(
    nodes: FloatArray, tets: IntArray, labels: IntArray
) -> tuple[FloatArray, IntArray, IntArray, BoolArray]:
    """The face-connected piece of most elements, without the outside, and (n,) which nodes its surface has."""
    inside = np.flatnonzero(labels > 0)
    offsets, star = stars_of(tets[inside], len(nodes))
    piece, queue = np.full(len(inside), -1, dtype=np.int32), np.empty(len(inside), dtype=np.int32)
    if number_pieces(tets[inside], offsets, star, queue, piece) > 1:
        inside = inside[piece == np.argmax(np.bincount(piece))]
    left_out = np.ones(len(tets), dtype=bool)
    left_out[inside] = False
    outer = np.zeros(len(nodes), dtype=bool)
    outer[tets[left_out].ravel()] = True
    tets = tets[inside]
    outer = outer[used_nodes(tets, len(nodes))]
    nodes, tets = compacted(nodes, tets)
    return nodes, tets, labels[inside], outer
