"""Give a cut lattice good elements: smooth, collapse poor stars, polish what is left."""

import numpy as np

from neuro_field.arrays import AnyArray, BoolArray, FloatArray, IntArray
from neuro_field.geometry.mesh import FACES
from neuro_field.head.mesher_cut import compacted, edge_keys, face_keys, stars_of, used_nodes
from neuro_field.kernels.lattice_collapse import collapse_nodes
from neuro_field.kernels.lattice_smooth import polish_nodes, smooth_nodes
from neuro_field.kernels.lattice_stars import collect_label_sets

#: Smoothing moves a node this share of the way to its neighbours' mean, and need not defend better elements
#: than this mean-ratio quality.
SMOOTHING_SHARE, GOOD = 0.6, 0.45
#: Inner nodes whose elements are all better than this, as in the untouched lattice, are not smoothed.
AT_REST = 0.75
#: Stars below these mean-ratio qualities are collapsed, and polished.
POOR_TO_COLLAPSE, POOR_TO_POLISH = 0.4, 0.5
#: Polishing keeps nodes where three tissues meet within this distance, in finest edges; others within four times.
LEASH = 0.15
#: The few stars still worse than this quality are polished again on a longer leash.
WORST_TO_POLISH, LAST_LEASH = 0.28, 0.6
#: What then remains below this quality, slivers that lie flat in an interface, is polished by letting nodes leave their
#: interface by so much; a hundred nodes of a head.
SLIVERS_TO_POLISH, LOOSE_LEASH = 0.45, 0.15
#: Two faces of the outer surface whose normals have this cosine or more lie flat side by side.
FLAT = 0.75


def node_label_sets(tets: IntArray, labels: IntArray, n: int, outer: BoolArray) -> IntArray:
    """The labels each node touches, as bits; bit 0, the outside, on nodes of the outer surface."""
    label_sets = np.zeros(n, dtype=np.int32)
    collect_label_sets(tets, labels, label_sets)
    label_sets[outer] |= 1
    return label_sets


def shaped(
    fields: AnyArray, nodes: FloatArray, tets: IntArray, labels: IntArray, outer: BoolArray, cell: float
) -> tuple[FloatArray, IntArray, IntArray]:
    """A mesh with the same interfaces and better elements: nodes (voxels), elements, labels.

    Parameters
    ----------
    fields : (labels, i, j, k) float32 array
    nodes, tets, labels : (n, 3), (t, 4), (t,) arrays
    outer : (n,) bool array
        Nodes of the outer surface.
    cell : float
        Edge of the finest lattice cell, voxels.
    """
    label_sets = node_label_sets(tets, labels, len(nodes), outer)
    offsets, star = stars_of(tets, len(nodes))
    smooth_nodes(fields, tets, offsets, star, label_sets, 3, SMOOTHING_SHARE, GOOD, AT_REST, 0.4, nodes)
    for last in (False, False, True):
        dead = np.zeros(len(tets), dtype=bool)
        if not last:
            collapse_nodes(nodes, labels, offsets, star, label_sets, POOR_TO_COLLAPSE, tets, dead)
        dead[~dead] = flat_on_surface(nodes, tets[~dead], outer)
        tets, labels = tets[~dead], labels[~dead]
        outer = outer[used_nodes(tets, len(nodes))]
        nodes, tets = compacted(nodes, tets)
        label_sets = node_label_sets(tets, labels, len(nodes), outer)
        offsets, star = stars_of(tets, len(nodes))
        smooth_nodes(fields, tets, offsets, star, label_sets, 1, SMOOTHING_SHARE, GOOD, AT_REST, 0.4, nodes)
    polish_nodes(fields, tets, offsets, star, label_sets, POOR_TO_POLISH, 3, LEASH * cell, False, nodes)
    polish_nodes(fields, tets, offsets, star, label_sets, WORST_TO_POLISH, 4, LAST_LEASH * cell, False, nodes)
    polish_nodes(fields, tets, offsets, star, label_sets, SLIVERS_TO_POLISH, 2, LOOSE_LEASH * cell, True, nodes)
    return nodes, tets, labels


def flat_on_surface(nodes: FloatArray, tets: IntArray, outer: BoolArray) -> BoolArray:
    """(t,) elements that lie flat on the outer surface: two of their faces on it, bending little between them.

    Without them the surface only has the other diagonal of the same four nodes.  One whose other diagonal is an
    edge of the surface already, or that meets another such element, is left.
    """
    out = np.zeros(len(tets), dtype=bool)
    near = np.flatnonzero(outer[tets].sum(axis=1) >= 3)
    triangles = tets[near][:, FACES].reshape(-1, 3)
    on_surface = outer[triangles].all(axis=1)
    _, face, count = np.unique(face_keys(triangles), return_index=True, return_counts=True)
    single = np.zeros(len(triangles), dtype=bool)
    single[face[count == 1]] = True
    single &= on_surface
    surface_edges = np.unique(edge_keys(triangles[single][:, [[0, 1], [1, 2], [0, 2]]].reshape(-1, 2)))
    exposed = single.reshape(-1, 4)
    two = np.flatnonzero(exposed.sum(axis=1) == 2)
    # a face is opposite the corner of its number: the corners of exposed faces span the hidden diagonal
    corners = tets[near[two]]
    ends = corners[exposed[two]].reshape(-1, 2)
    vectors = nodes[triangles[:, 1]] - nodes[triangles[:, 0]], nodes[triangles[:, 2]] - nodes[triangles[:, 0]]
    normals = np.cross(*vectors).reshape(-1, 4, 3)[two][exposed[two]].reshape(-1, 2, 3)
    normals /= np.linalg.norm(normals, axis=2, keepdims=True)
    flat = np.einsum("ti,ti->t", normals[:, 0], normals[:, 1]) > FLAT
    flat &= ~np.isin(edge_keys(ends), surface_edges)
    chosen, corners = near[two[flat]], corners[flat]
    first = np.full(len(nodes), len(tets))
    np.minimum.at(first, corners, chosen[:, None])
    out[chosen[(first[corners] == chosen[:, None]).all(axis=1)]] = True
    return out
