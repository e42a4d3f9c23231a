"""Fields of very many sources at far points, for several densities at once."""

import numpy as np

from neuro_field.arrays import AnyArray, FloatArray
from neuro_field.field.boxes import Boxes
from neuro_field.kernels import tree as kernel
from neuro_field.nouns import noun

#: Sources in a box that is not split further.
_LEAF = 100

#: A box is far when its radius is below this share of its distance.  Adjoint currents nearly cancel, so the sums of
#: a real head err by more than single boxes do: 3e-4 at 0.12, 6e-3 at 0.15, 1e-2 at 0.2 (Colin27, hand target).
OPENING = 0.12


@noun
class Treecode:
    """Boxes of point sources with vector-valued weights; `magnetic_sum` evaluates them.

    Parameters
    ----------
    order : (n,) int array
        Morton order of the sources.
    points : (n, 3) array
        In that order, m.
    weights : (n, 3 k) float32 array
        In that order; k vector densities, components innermost.
    boxes : tuple of arrays
        first, last, children, counts, centres, radii, moments.
    """

    order: AnyArray
    points: FloatArray
    weights: AnyArray
    boxes: tuple[AnyArray, ...]

    @classmethod
    def of(cls, points: FloatArray, weights: FloatArray) -> "Treecode":
        """Boxes of sources at points (n, 3) m with vector weights (n, k, 3)."""
        boxes = Boxes.of(points, _LEAF)
        flat = np.ascontiguousarray(weights[boxes.order].reshape(len(points), -1), dtype=np.float32)
        radii, moments = (
            np.empty(len(boxes.first)),
            np.empty((len(boxes.first), kernel.MOMENTS, flat.shape[1]), np.float32),
        )
        kernel.moments(boxes.points, flat, boxes.first, boxes.last, boxes.centres, radii, moments)
        tree = (boxes.first, boxes.last, boxes.children, boxes.counts, boxes.centres, radii, moments)
        return cls(boxes.order, boxes.points, flat, tree)

    @property
    def densities(self) -> AnyArray:
        """(n, k, 3) float32 weights in the order in which the sources were given."""
        out = np.empty_like(self.weights)
        out[self.order] = self.weights
        return out.reshape(len(out), -1, 3)

    def magnetic_sum(self, targets: FloatArray, opening: float = OPENING) -> FloatArray:
        """Q_k(x) = sum_n W_nk x (x - r_n) / |x - r_n|^3 at targets (m, 3) m; (m, k, 3) array."""
        out = np.empty((len(targets), 3, self.weights.shape[1]), np.float32)
        first, last, children, counts, centres, radii, moments = self.boxes
        kernel.evaluate(
            np.ascontiguousarray(targets), self.points, self.weights,
            first, last, children, counts, centres, radii, moments, opening, out,
        )  # fmt: skip
        by_component = out.reshape(len(targets), 3, -1, 3).astype(np.float64)  # (m, d of x - r, k, c of W)
        d = [by_component[:, i] for i in range(3)]
        return np.stack(
            [d[2][..., 1] - d[1][..., 2], d[0][..., 2] - d[2][..., 0], d[1][..., 0] - d[0][..., 1]], axis=-1
        )
