"""How sure the site of a motor map is: chance, the area that holds it, what cannot be told apart, convergence."""

import numpy as np
from scipy.spatial import cKDTree

from neuro_field.arrays import BoolArray, FloatArray
from neuro_field.head.model import HeadModel
from neuro_field.hotspot.curves import most_explained, residuals_of, shapes_near
from neuro_field.hotspot.fit import Fit

#: Points whose |E| over the pulses correlate above this with the best point's cannot be told from it.
ALIKE = 0.98

#: Shuffles, and points they are tried at.
SHUFFLES, _TRIED = 199, 1000

#: By how much of the field a mesh errs from point to point, for each mm of its elements' edge: chosen on sessions that
#: are not those the documentation tells of; two meshes of Colin27 part by 1 to 5 % a mm at sites of the motor cortex.
FIELD_ERROR = 0.025

#: The share of resampled sessions that the area holds.
HELD = 0.95

#: Points whose residual is farther above the least than this (p log of the ratio) win in no resampled session.
_FARTHEST = 60.0
_MOST_POINTS = 2500


def chance_of(fields: FloatArray, answers: FloatArray, rng: np.random.Generator) -> float:
    """The share of shuffled sessions, this one among them, that explain as much as this; all answers weigh the same."""
    orders = np.stack([answers, *(rng.permutation(answers) for _ in range(SHUFFLES))])
    explained = most_explained(fields[:: max(1, len(fields) // _TRIED)], orders)
    return float(np.mean(explained >= explained[0]))


def area_of(fit: Fit, points: FloatArray, resampled: int, edge: float, rng: np.random.Generator) -> BoolArray:
    """(m,) points of the cortex (m, 3) mm that hold the site in 95 % of sessions.

    Those whose residual is no farther above the least than the best point's is in 95 % of resampled sessions, and than
    the errors of a mesh with elements of an ``edge`` can make it; and what is within an edge of these, for resampling
    knows the pulses' noise and not the mesh's.  What is compared is p log(residual / least), the likelihood ratio of a
    normal model.
    """
    count, apart = len(fit.answers), fit.apart
    near = np.argsort(apart, kind="stable")[:_MOST_POINTS]
    near = near[apart[near] <= _FARTHEST]
    counts = rng.multinomial(count, np.full(count, 1 / count), size=resampled) * fit.weights
    left = np.concatenate([
        residuals_of(shapes_near(fit.fields[some], fit.chosen[some]), fit.answers, counts)
        for some in np.array_split(near, max(1, len(near) // 200))
    ])  # fmt: skip
    gap = count * np.log(left[0] / left.min(axis=0))  # the first is the best point
    inside = apart <= np.quantile(gap, HELD) + count * np.log1p(fit.misfit(FIELD_ERROR * edge))
    out: BoolArray = cKDTree(points[inside]).query(points)[0] <= edge
    return out


def edge_at(head: HeadModel, point: FloatArray) -> float:
    """Mean edge of the elements within 10 mm of a point, mm, as of regular tetrahedra of their mean volume."""
    near = np.linalg.norm(head.mesh.centroids - point, axis=1) <= 10.0
    return float((head.mesh.volumes[near].mean() * 6 * np.sqrt(2)) ** (1 / 3))


def alike(fields: FloatArray, best: int) -> BoolArray:
    """(m,) points whose |E| over the pulses correlates with the best point's."""
    centered = fields - fields.mean(axis=1, keepdims=True)
    lengths = np.maximum(np.linalg.norm(centered, axis=1), 1e-300)
    out: BoolArray = centered @ centered[best] / (lengths * lengths[best]) > ALIKE
    return out


def convergence_of(fit: Fit, points: FloatArray, least: int) -> tuple[tuple[int, float], ...]:
    """By numbers of pulses: how far from the site the first so many would have put it, mm."""
    out = []
    for count in np.unique(np.linspace(least, len(fit.answers), 7).astype(int)):
        first = Fit.of(fit.fields[:, :count], fit.answers[:count]) if count < len(fit.answers) else fit
        out.append((int(count), float(np.linalg.norm(points[first.best] - points[fit.best]))))
    return tuple(out)
