"""Give a cut lattice good elements: smooth, collapse poor stars, polish what is left."""

import numpy as np

from neuro_field.arrays import AnyArray, BoolArray, FloatArray, IntArray
from neuro_field.head.mesher_cut import compacted, outer_nodes, stars_of
from neuro_field.kernels.lattice_collapse import collapse_nodes
from neuro_field.kernels.lattice_smooth import polish_nodes, smooth_nodes
from neuro_field.kernels.lattice_stars import collect_label_sets

#: Smoothing moves a node this share of the way to its neighbours' mean, and need not defend better elements than
#: this mean-ratio quality.
SMOOTHING_SHARE, GOOD = 0.6, 0.45
#: Stars below these mean-ratio qualities are collapsed, and polished.
POOR_TO_COLLAPSE, POOR_TO_POLISH = 0.4, 0.5
#: Polishing keeps nodes where three tissues meet within this distance, in finest edges; others within four times.
LEASH = 0.1


def node_label_sets(tets: IntArray, labels: IntArray, n: int, outer: BoolArray) -> IntArray:
    """The labels each node touches, as bits; bit 0, the outside, on nodes of the outer surface."""
    label_sets = np.zeros(n, dtype=np.int32)
    collect_label_sets(tets, labels, label_sets)
    label_sets[outer] |= 1
    return label_sets


def shaped(
    fields: AnyArray, nodes: FloatArray, tets: IntArray, labels: IntArray, cell: float
) -> tuple[FloatArray, IntArray, IntArray]:
    """Nodes (voxels), elements and labels of a mesh with the same interfaces and better elements.

    ``cell`` is the edge of the finest lattice cell, voxels.
    """
    outer = np.zeros(len(nodes), dtype=bool)
    outer[outer_nodes(tets)] = True
    label_sets = node_label_sets(tets, labels, len(nodes), outer)
    offsets, star = stars_of(tets, len(nodes))
    smooth_nodes(fields, tets, offsets, star, label_sets, 3, SMOOTHING_SHARE, GOOD, 0.4, nodes)
    for _ in range(2):
        dead = np.zeros(len(tets), dtype=bool)
        count = collapse_nodes(nodes, labels, offsets, star, label_sets, POOR_TO_COLLAPSE, tets, dead)
        tets, labels = tets[~dead], labels[~dead]
        used = np.zeros(len(nodes), dtype=bool)
        used[tets.ravel()] = True
        outer = outer[used]
        nodes, tets = compacted(nodes, tets)
        label_sets = node_label_sets(tets, labels, len(nodes), outer)
        offsets, star = stars_of(tets, len(nodes))
        if count < 20:
            break
    smooth_nodes(fields, tets, offsets, star, label_sets, 3, SMOOTHING_SHARE, GOOD, 0.4, nodes)
    polish_nodes(fields, tets, offsets, star, label_sets, POOR_TO_POLISH, 3, LEASH * cell, nodes)
    return nodes, tets, labels
