"""Look up indicator fields, one per label, of which the largest says what is there; lengths in voxels."""

import numpy as np
from numba import njit, prange

from neuro_field.kernels.turns import parallel


@njit(cache=True)
def sample_field(field, x, y, z):
    """Trilinear value of one field (i, j, k) at a position in voxels, held constant beyond the image."""
    x = min(max(x, 0.0), field.shape[0] - 1.001)
    y = min(max(y, 0.0), field.shape[1] - 1.001)
    z = min(max(z, 0.0), field.shape[2] - 1.001)
    i = int(x)
    j = int(y)
    k = int(z)
    a = x - i
    b = y - j
    c = z - k
    low = (field[i, j, k] * (1 - a) + field[i + 1, j, k] * a) * (1 - b)
    low += (field[i, j + 1, k] * (1 - a) + field[i + 1, j + 1, k] * a) * b
    high = (field[i, j, k + 1] * (1 - a) + field[i + 1, j, k + 1] * a) * (1 - b)
    high += (field[i, j + 1, k + 1] * (1 - a) + field[i + 1, j + 1, k + 1] * a) * b
    return low * (1 - c) + high * c


@njit(cache=True)
def best_label(fields, allowed, x, y, z):
    """The label of a set (bit k: label k) whose field is largest at a position; ties go to the lower."""
    if allowed & (allowed - 1) == 0:
        label = 0
        while (allowed >> label) & 1 == 0:
            label += 1
        return label
    best = 0
    largest = -np.inf
    for label in range(len(fields)):
        if (allowed >> label) & 1:
            value = sample_field(fields[label], x, y, z)
            if value > largest:
                largest = value
                best = label
    return best


@parallel()
def labels_at(fields, points, allowed, out):
    """Best label of each point's own set.

    Parameters
    ----------
    fields : (labels, i, j, k) float32 array
    points : (m, 3) array
        In voxels.
    allowed : (m,) int32 array
        Set of labels to choose from, as bits.
    out : (m,) int8 array
    """
    for m in prange(len(points)):
        out[m] = best_label(fields, allowed[m], points[m, 0], points[m, 1], points[m, 2])


@parallel()
def cut_edges(fields, nodes, label_sets, edges, fraction, first_label, second_label):
    """Where along each edge the best label of its first end's set stops being ahead of the second's.

    Parameters
    ----------
    fields : (labels, i, j, k) float32 array
    nodes : (n, 3) array
        In voxels.
    label_sets : (n,) int32 array
        The labels whose region touches each node, as bits; the two ends of an edge share none.
    edges : (e, 2) int32 array
    fraction, first_label, second_label : (e,) float64, int8, int8 arrays
        Out: the place (0 at the first end, 1 at the second, found by twelve halvings) and the two labels
        there.
    """
    for e in prange(len(edges)):
        a = edges[e, 0]
        b = edges[e, 1]
        low = 0.0
        high = 1.0
        one = 0
        two = 0
        for _ in range(12):
            t = (low + high) / 2
            x = nodes[a, 0] + t * (nodes[b, 0] - nodes[a, 0])
            y = nodes[a, 1] + t * (nodes[b, 1] - nodes[a, 1])
            z = nodes[a, 2] + t * (nodes[b, 2] - nodes[a, 2])
            one = best_label(fields, label_sets[a], x, y, z)
            two = best_label(fields, label_sets[b], x, y, z)
            if sample_field(fields[one], x, y, z) >= sample_field(fields[two], x, y, z):
                low = t
            else:
                high = t
        fraction[e] = (low + high) / 2
        first_label[e] = one
        second_label[e] = two


@njit(cache=True)
def interface_value(fields, labels, x, y, z):
    """What vanishes on the interface of a set of labels: first minus the largest of the others.

    With two labels that is the difference of their fields; with label 0 (outside) and several more it is the
    head's outer surface.
    """
    first = -1
    value = 0.0
    largest = -np.inf
    for label in range(len(fields)):
        if (labels >> label) & 1:
            sample = sample_field(fields[label], x, y, z)
            if first < 0:
                first = label
                value = sample
            else:
                largest = max(largest, sample)
    return value - largest


@njit(cache=True)
def step_to_interface(fields, labels, point, reach, repeats):
    """Newton steps along the gradient onto the interface of a set of labels.

    ``point`` (3,) in voxels is moved in place; each step is at most ``reach`` voxels.  Returns the distance
    that was still missing before the last step, or -1 where the fields have no gradient to follow.
    """
    missing = 0.0
    for _ in range(repeats):
        x = point[0]
        y = point[1]
        z = point[2]
        value = interface_value(fields, labels, x, y, z)
        h = 0.5
        gx = interface_value(fields, labels, x + h, y, z) - interface_value(fields, labels, x - h, y, z)
        gy = interface_value(fields, labels, x, y + h, z) - interface_value(fields, labels, x, y - h, z)
        gz = interface_value(fields, labels, x, y, z + h) - interface_value(fields, labels, x, y, z - h)
        square = gx * gx + gy * gy + gz * gz  # (2 h = 1 voxel)
        if square < 1e-3:
            return -1.0
        step = -value / square
        missing = abs(step) * np.sqrt(square)
        if missing > reach:
            step *= reach / missing
        point[0] += step * gx
        point[1] += step * gy
        point[2] += step * gz
    return missing
