"""How a muscle's answers climb with the field at a point: sigmoids of log10 amplitude, fitted at every point.

z = log10(max(amplitude, 20 uV)); z = low + rise / (1 + exp(-s (u - m))), u the field scaled to 0..1 over the pulses.
Amplitudes vary by factors, so that logs have one spread (Goetz 2014), and the fitted curve is that of their median.
For fixed (s, m) low and rise are solved in closed form (variable projection), here on a grid, and the best curve of
all is then refined by damped Gauss-Newton steps in all four.
"""

import numpy as np

from neuro_field.arrays import AnyArray, FloatArray
from neuro_field.kernels.sigmoid import best_curves
from neuro_field.nouns import noun

#: Smaller answers are not told from the noise of electromyography, uV: they count as this.
FLOOR = 20.0

#: The amplitude that defines a motor threshold, uV (Rossini 2015).
CRITERION = 50.0

#: The grid: midpoints and steepness over the range of the field.
MIDPOINTS = np.linspace(0.05, 1.3, 16)
STEEPNESS = np.array([3.0, 6.0, 10.0, 16.0, 26.0, 45.0])

_ROUNDS = 30


def logged(amplitudes: FloatArray) -> FloatArray:
    """(p,) log10 of amplitudes, uV, none below the floor."""
    out: FloatArray = np.log10(np.maximum(amplitudes, FLOOR))
    return out


def scaled(fields: FloatArray) -> FloatArray:
    """(..., p) fields from 0 to 1 over the pulses."""
    low, high = fields.min(axis=-1, keepdims=True), fields.max(axis=-1, keepdims=True)
    out: FloatArray = (fields - low) / np.maximum(high - low, 1e-300)
    return out


def curve_everywhere(fields: FloatArray, answers: FloatArray, weights: FloatArray) -> tuple[FloatArray, AnyArray]:
    """(m,) weighted sum of squares that the best climbing curve leaves at each point, and (m, 2) which of the grid."""
    residual, chosen = np.empty(len(fields)), np.empty((len(fields), 2), dtype=np.int64)
    best_curves(
        np.ascontiguousarray(fields, dtype=np.float64), answers, weights, MIDPOINTS, STEEPNESS, residual, chosen
    )
    return residual, chosen


def curves_of(fields: FloatArray, answers: FloatArray, weights: FloatArray, chosen: AnyArray) -> FloatArray:
    """(m, 4) low, rise, midpoint (V/m) and steepness (per V/m) of the chosen curve at each point.

    Where no curve climbs the rise is 0.
    """
    least, span = fields.min(axis=1), np.maximum(np.ptp(fields, axis=1), 1e-300)
    u, steep, middle = scaled(fields), STEEPNESS[chosen[:, 1]], MIDPOINTS[chosen[:, 0]]
    shares = weights / weights.sum()
    shape = 1 / (1 + np.exp(-steep[:, None] * (u - middle[:, None])))
    means = shape @ shares
    centered = (shape - means[:, None]) * shares
    rise = centered @ answers / np.maximum(np.einsum("mp,mp->m", centered, shape), 1e-12)
    rise[chosen[:, 0] < 0] = 0.0
    return np.stack([shares @ answers - rise * means, rise, least + span * middle, steep / span], axis=1)


@noun
class Curve:
    """A fitted curve: log10 uV far below and the ``rise`` above it; ``midpoint`` V/m; ``steepness`` per V/m."""

    low: float
    rise: float
    midpoint: float
    steepness: float

    def at(self, fields: FloatArray) -> FloatArray:
        """Median amplitude, uV, at fields in V/m."""
        t = np.clip(self.steepness * (fields - self.midpoint), -500, 500)
        out: FloatArray = 10 ** (self.low + self.rise / (1 + np.exp(-t)))
        return out

    def reaching(self, amplitude: float) -> float | None:
        """V/m at which the median is so many uV; None where the curve never is."""
        share = (np.log10(amplitude) - self.low) / self.rise
        if not 0 < share < 1:
            return None
        return float(self.midpoint - np.log(1 / share - 1) / self.steepness)


def refined(fields: FloatArray, answers: FloatArray, weights: FloatArray, chosen: AnyArray) -> Curve:
    """The curve at one point, fields (p,) V/m, from that of the grid by damped Gauss-Newton steps (Levenberg)."""
    u, roots = scaled(fields), np.sqrt(weights)
    shape = 1 / (1 + np.exp(-STEEPNESS[chosen[1]] * (u - MIDPOINTS[chosen[0]])))
    low, rise = np.linalg.lstsq(np.stack([roots, roots * shape], axis=1), roots * answers, rcond=None)[0]
    now = np.array([low, rise, MIDPOINTS[chosen[0]], np.log(STEEPNESS[chosen[1]])])
    left, damping = _left(now, u, answers, weights), 1e-3
    for _ in range(_ROUNDS):
        residual, slope = _linear(now, u, answers)
        normal = slope.T @ (weights[:, None] * slope)
        step = np.linalg.solve(normal + damping * np.diag(np.diag(normal) + 1e-12), slope.T @ (weights * residual))
        tried = now + step
        inside = -0.2 <= tried[2] <= 2.0 and abs(tried[3]) <= np.log(200.0) and tried[1] > 0
        if inside and _left(tried, u, answers, weights) < left:
            now, left, damping = tried, _left(tried, u, answers, weights), damping / 5
        else:
            damping *= 5
    least, span = float(fields.min()), float(np.ptp(fields))
    return Curve(float(now[0]), float(now[1]), least + span * float(now[2]), float(np.exp(now[3])) / span)


def _linear(now: FloatArray, u: FloatArray, answers: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Residuals (p,), and (p, 4) how the curve changes with low, rise, midpoint and log of the steepness."""
    steep = np.exp(now[3])
    shape = 1 / (1 + np.exp(-np.clip(steep * (u - now[2]), -500, 500)))
    bend = now[1] * shape * (1 - shape)
    slope = np.stack([np.ones(len(u)), shape, -steep * bend, steep * (u - now[2]) * bend], axis=1)
    return answers - now[0] - now[1] * shape, slope


def _left(now: FloatArray, u: FloatArray, answers: FloatArray, weights: FloatArray) -> float:
    residual, _ = _linear(now, u, answers)
    return float(weights @ residual**2)


def shapes_near(fields: FloatArray, chosen: AnyArray) -> AnyArray:
    """(m, 9, p) float32: curves of the grid next to the chosen one of each point, between 0 and 1."""
    u = scaled(fields)
    out = np.empty((len(fields), 9, fields.shape[1]), dtype=np.float32)
    for k in range(9):
        a = np.clip(chosen[:, 0] + k // 3 - 1, 0, len(MIDPOINTS) - 1)
        b = np.clip(chosen[:, 1] + k % 3 - 1, 0, len(STEEPNESS) - 1)
        out[:, k] = 1 / (1 + np.exp(-STEEPNESS[b, None] * (u - MIDPOINTS[a, None])))
    return out


def residuals_of(shapes: AnyArray, answers: FloatArray, counts: FloatArray) -> FloatArray:
    """(m, b) residual of the best of the curves (m, q, p), each pulse weighed as counts (b, p) say."""
    total = counts.sum(axis=1)
    mean = counts @ answers / total
    spread = counts @ answers**2 - total * mean**2
    weights = counts.T.astype(np.float32)
    centered = answers - answers.mean()
    first, second = shapes @ weights, (shapes * shapes) @ weights
    product = (shapes * centered.astype(np.float32)) @ weights - first * (mean - answers.mean())
    variance = np.maximum(second - first * first / total, 1e-6 * total)
    gained = np.where(product > 0, product**2 / variance, 0.0).max(axis=1)
    out: FloatArray = np.maximum(spread - gained, 1e-9 * np.maximum(spread, 1e-300))
    return out


def most_explained(fields: FloatArray, orders: FloatArray) -> FloatArray:
    """(b,) the largest R2 of any curve of a coarse grid at any point, for each row of answers (b, p).

    All rows hold the same answers in different orders.
    """
    u, best = scaled(fields).astype(np.float32), np.zeros(len(orders))
    centered = (orders - orders.mean(axis=1, keepdims=True)).astype(np.float32)
    spread = np.maximum((centered**2).sum(axis=1), 1e-30)
    for steep in STEEPNESS[::2]:
        for middle in MIDPOINTS[::3]:
            shape = 1 / (1 + np.exp(-steep * (u - middle)))
            shape -= shape.mean(axis=1, keepdims=True)
            product = shape @ centered.T
            variance = np.maximum((shape**2).sum(axis=1), 1e-6)[:, None]
            best = np.maximum(best, (np.where(product > 0, product, 0) ** 2 / variance).max(axis=0) / spread)
    return best
