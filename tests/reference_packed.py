"""A slow NumPy twin of `neuro_field.kernels.packed`: each patch's modes as a matrix."""

import numpy as np


def mode_sums(values, starts, points, ranks, coefficients, components):
    out = np.empty((points[-1], components))
    for p, start in enumerate(starts):
        count, rank = points[p + 1] - points[p], ranks[p + 1] - ranks[p]
        modes = values[start : start + rank * count * components].reshape(rank, components, count).astype(float)
        own = coefficients[ranks[p] : ranks[p + 1]].astype(float)
        out[points[p] : points[p + 1]] = np.einsum("k,kcm->mc", own, modes)
    return out


def mode_magnitudes(values, starts, points, ranks, coefficients):
    return np.linalg.norm(mode_sums(values, starts, points, ranks, coefficients, 3), axis=1)


def reached_volumes(x, y, z, thresholds, volumes):
    return np.array([volumes[x[p] ** 2 + y[p] ** 2 + z[p] ** 2 >= t**2].sum() for p, t in enumerate(thresholds)])
