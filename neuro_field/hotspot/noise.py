"""How much each answer tells: they scatter by factors, farther where the curve is steep, and some fail for any field.

An amplitude varies by a log-normal factor.  Poses and the threshold vary too, by some share of the field, which moves
an answer by that share times how steeply the curve climbs there.  And some pulses find no answer however strong the
field was: one that ought to have answered says little about where the muscle is.  Both spreads and the share of
failures are fitted to the session, at the points that can still be the site, and each answer is weighed by what it
tells.
"""

import numpy as np
from scipy.special import ndtr

from neuro_field.arrays import AnyArray, FloatArray
from neuro_field.hotspot.curves import FLOOR, curve_everywhere, curves_of
from neuro_field.nouns import noun

#: Rounds of fitting curves and weighing answers: weights stay within some hundredths from then on.
ROUNDS = 3

#: Variances tried: of log10 amplitude, and of the share by which the field sways.
SPREADS = np.array([0.03, 0.045, 0.0625, 0.09, 0.13, 0.18, 0.25])
SWAYS = np.array([0.0, 0.001, 0.0025, 0.005, 0.01, 0.02, 0.04])

#: Points whose curves are fitted in all rounds: those that explained most in the first.
_NEAR = 1000

#: Points that can still be the site: so many at most, down to this of the likeliest.
_POINTS, _LEAST = 200, 1e-3

#: Rounds for the share of failures, and its least.
_STEPS, _RAREST = 20, 1e-3


@noun
class Noise:
    """Standard deviations: of log10 amplitude, and of the field as a share of it."""

    spread: float
    sway: float

    def variance(self, slope: FloatArray) -> FloatArray:
        """Of log10 amplitude where it climbs by so much per share of the field."""
        out: FloatArray = self.spread**2 + (self.sway * slope) ** 2
        return out


def weighed(fields: FloatArray, answers: FloatArray) -> tuple[FloatArray, Noise]:
    """(p,) how much each answer (p,) log10 uV tells, 1 on average, under fields (m, p), V/m; and the noise."""
    weights = np.ones(len(answers))
    for _ in range(ROUNDS):
        residual, chosen = curve_everywhere(fields, answers, weights)
        if len(fields) > _NEAR:  # the first round finds the points that matter to the next
            fields = np.ascontiguousarray(fields[near := np.argpartition(residual, _NEAR)[:_NEAR]])
            residual, chosen = residual[near], chosen[near]
        expected, slope = _foretold(fields, answers, weights, likelihoods(residual, len(answers)), chosen)
        weights, noise = _weights(answers, expected, slope)
    return weights, noise


def foretold(curves: FloatArray, fields: FloatArray) -> tuple[FloatArray, FloatArray]:
    """(m, q) log10 uV of curves (m, 4) at fields (m, q), V/m, and (m, q) how much it climbs per share of the field."""
    low, rise, middle, steep = (column[:, None] for column in curves.T)
    climbed = 1 / (1 + np.exp(-np.clip(steep * (fields - middle), -500, 500)))
    return low + rise * climbed, rise * climbed * (1 - climbed) * steep * fields


def likelihoods(residual: FloatArray, count: int) -> FloatArray:
    """(m,) how likely each point is the site, summing to 1, of a normal model, by what its curve leaves (m,)."""
    left = np.maximum(residual, 1e-12 * max(float(residual.max()), 1e-300))
    out: FloatArray = np.exp(-count * np.log(left / left.min()) / 2)
    return out / out.sum()


def _foretold(
    fields: FloatArray, answers: FloatArray, weights: FloatArray, likely: FloatArray, chosen: AnyArray
) -> tuple[FloatArray, FloatArray]:
    """(p,) log10 uV that the likely points foretell, and (p,) root mean square of how much per share of the field."""
    some = np.argsort(-likely, kind="stable")[:_POINTS]
    some = some[likely[some] > _LEAST * likely.max()]
    values, slopes = foretold(curves_of(fields[some], answers, weights, chosen[some]), fields[some])
    shares = likely[some] / likely[some].sum()
    return shares @ values, np.sqrt(shares @ slopes**2)


def _weights(answers: FloatArray, expected: FloatArray, slope: FloatArray) -> tuple[FloatArray, Noise]:
    """(p,) chance that an answer is none of the failures, over its variance, 1 on average; and the noise."""
    floor = np.log10(FLOOR)
    silent = answers <= floor
    heard, off = ~silent, np.square(answers - expected)
    variance = SPREADS[:, None, None] + SWAYS[:, None] * slope[heard] ** 2  # (spreads, sways, heard)
    likelihood = -(np.log(variance) + off[heard] / variance).sum(axis=2)
    spread, sway = np.unravel_index(int(np.argmax(likelihood)), likelihood.shape)
    noise = Noise(float(np.sqrt(SPREADS[spread])), float(np.sqrt(SWAYS[sway])))
    variance = noise.variance(slope)
    small = np.maximum(ndtr((floor - expected) / np.sqrt(variance)), 1e-12)  # chance of no answer that is no failure
    share = max(float(silent.mean()) / 2, _RAREST)
    failed = np.zeros(len(answers))
    for _ in range(_STEPS):
        failed = np.where(silent, share / (share + (1 - share) * small), 0.0)
        share = max(float(failed.mean()), _RAREST)
    weights = (1 - failed) / variance
    return weights / weights.mean(), noise
