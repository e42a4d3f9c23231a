"""Curves at every point of the cortex, of answers weighed by what each tells."""

from functools import cached_property

import numpy as np

from neuro_field.arrays import AnyArray, FloatArray
from neuro_field.hotspot.curves import curve_everywhere, curves_of
from neuro_field.hotspot.noise import Noise, foretold, weighed
from neuro_field.nouns import noun


@noun
class Fit:
    """The best curve at each of m points.

    Parameters
    ----------
    fields : (m, p) array
        V/m.
    answers, weights : (p,) arrays
        log10 uV, and what each tells.
    residual : (m,) array
        Weighted sum of squares that the curve leaves.
    chosen : (m, 2) array
        Which curve of the grid.
    noise : Noise
    """

    fields: FloatArray
    answers: FloatArray
    weights: FloatArray
    residual: FloatArray
    chosen: AnyArray
    noise: Noise

    @classmethod
    def of(cls, fields: FloatArray, answers: FloatArray) -> "Fit":
        """Of fields (m, p), V/m, and answers (p,), log10 uV."""
        fields = np.ascontiguousarray(fields, dtype=np.float64)
        weights, noise = weighed(fields, answers)
        return cls(fields, answers, weights, *curve_everywhere(fields, answers, weights), noise)

    @cached_property
    def r2(self) -> FloatArray:
        """(m,) share of the weighted variance that is explained, 0 where no curve climbs."""
        mean = np.average(self.answers, weights=self.weights)
        out: FloatArray = np.maximum(1 - self.residual / (self.weights @ (self.answers - mean) ** 2), 0.0)
        return out

    @property
    def best(self) -> int:
        """The point that is explained most."""
        return int(np.argmin(self.residual))

    @property
    def apart(self) -> FloatArray:
        """(m,) p log(residual / least), the likelihood ratio of a normal model: 0 at the best point."""
        out: FloatArray = len(self.answers) * np.log(self.residual / self.residual.min())
        return out

    @cached_property
    def curves(self) -> FloatArray:
        """(m, 4) as `curves_of`."""
        return curves_of(self.fields, self.answers, self.weights, self.chosen)

    def misfit(self, error: float) -> float:
        """What the site's own curve leaves for fields that err by a share, of the least that any curve leaves.

        Fields of a mesh err from point to point: where the muscle truly is they may explain less than beside it.
        """
        slopes = foretold(self.curves[self.best][None], self.fields[self.best][None])[1][0]
        return float(error**2 * (self.weights @ slopes**2) / max(self.residual.min(), 1e-300))
