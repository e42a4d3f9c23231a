"""Fields of very many sources at far points, for several densities at once."""

from dataclasses import dataclass

import numpy as np

from neuro_field.arrays import AnyArray, FloatArray
from neuro_field.kernels import tree as kernel
from neuro_field.kernels.morton import morton_order

#: Sources in a box that is not split further.
_LEAF = 48

#: A box is far when its radius is below this share of its distance.  Adjoint currents nearly cancel, so the sums of
#: a real head err by more than single boxes do: 2e-3 at 0.2, 1e-2 at 0.33 (Colin27, hand target).
OPENING = 0.2


@dataclass(frozen=True, eq=False)
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
        order = morton_order(points)
        points = np.ascontiguousarray(points[order])
        flat = np.ascontiguousarray(weights[order].reshape(len(points), -1), dtype=np.float32)
        room = 16 * (len(points) // _LEAF + 8)
        first, last = np.empty(room, np.int64), np.empty(room, np.int64)
        children, counts = np.empty((room, 8), np.int64), np.empty(room, np.int64)
        centres, radii = np.empty((room, 3)), np.empty(room)
        boxes = kernel.build(points, _LEAF, first, last, children, counts, centres, radii)
        tree = tuple(part[:boxes].copy() for part in (first, last, children, counts, centres, radii))
        moment = np.empty((boxes, kernel.MOMENTS, flat.shape[1]), np.float32)
        kernel.moments(points, flat, tree[0], tree[1], tree[4], moment)
        return cls(order, points, flat, (*tree, moment))

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
