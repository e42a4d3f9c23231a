"""Modes of a field in little memory: neighbouring points have a few modes of their own, in whole numbers.

The field of a moving coil over a few hundred points is told by a few dozen modes, fewer than over the whole cortex:
each patch of points keeps the directions that it needs, int16 numbers with a scale for each, and how the modes of the
whole make them up.  What a frame costs is the memory that it reads.
"""

from collections.abc import Iterable
from functools import cached_property

import numpy as np

from neuro_field.arrays import AnyArray, FloatArray, read_only, sealed
from neuro_field.kernels import packed as kernel
from neuro_field.nouns import noun

#: Points of a patch.
PATCH = 512

#: Largest whole number that is kept.
_LARGEST = 32767


@noun
class Packed:
    """Linear combinations of K fields of ``components`` numbers at n points, patch by patch.

    Parameters
    ----------
    components : int
    values : (v,) int16 array
        Of each patch its modes, of each mode its components, of each component its points.
    points, ranks : (q + 1,) int arrays
        Where the points, and the modes, of each patch begin.
    mixing : (r, K) float32 array
        From the K coefficients to those of all patches' modes, with the modes' scales.
    """

    components: int
    values: AnyArray
    points: AnyArray
    ranks: AnyArray
    mixing: AnyArray

    @classmethod
    def of(cls, patches: Iterable[tuple[FloatArray, FloatArray, float]], components: int, modes: int) -> "Packed":
        """Of fields (components m, modes), component after component, of one patch after the other.

        With each patch come weights (m,) of its points and how much of its energy may be left out, the sum over
        points and modes of weight times square.
        """
        values, mixing, points, ranks = [], [np.empty((0, modes), np.float32)], [0], [0]
        for fields, weights, allowed in patches:
            own, mixed = _reduced(fields, np.sqrt(np.tile(weights, components)), allowed)
            scale = np.maximum(np.abs(own).max(axis=0, initial=0.0), 1e-30) / _LARGEST
            values.append(np.rint(own / scale).astype(np.int16).T.ravel())
            mixing.append((mixed * scale[:, None]).astype(np.float32))
            points.append(points[-1] + len(weights))
            ranks.append(ranks[-1] + own.shape[1])
        return cls(
            components, sealed(np.concatenate([np.empty(0, np.int16), *values])), sealed(np.array(points)),
            sealed(np.array(ranks)), sealed(np.concatenate(mixing)),
        )  # fmt: skip

    @cached_property
    def _starts(self) -> AnyArray:
        sizes = self.components * np.diff(self.points) * np.diff(self.ranks)
        return np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int64)

    def fits(self, points: int) -> bool:
        """Whether patches, modes and numbers belong together, for so many points."""
        bounds = [(self.points, points), (self.ranks, len(self.mixing))]
        whole = all(
            len(each) > 1 and each[0] == 0 and each[-1] == last and (np.diff(each) > 0).all() for each, last in bounds
        )
        if not whole or len(self.points) != len(self.ranks):
            return False
        return len(self.values) == self.components * int(np.diff(self.points) @ np.diff(self.ranks))

    @property
    def nbytes(self) -> int:
        """What a frame reads."""
        return self.values.nbytes + self.mixing.nbytes

    def fields(self, coefficients: AnyArray) -> AnyArray:
        """(n, components) float32 for coefficients (K,)."""
        out = np.empty((int(self.points[-1]), self.components), np.float32)
        kernel.mode_sums(self.values, self._starts, self.points, self.ranks, self._own(coefficients), out)
        return out

    def magnitudes(self, coefficients: AnyArray) -> AnyArray:
        """(n,) float32 lengths of `fields` of three components."""
        out = np.empty(int(self.points[-1]), np.float32)
        kernel.mode_magnitudes(self.values, self._starts, self.points, self.ranks, self._own(coefficients), out)
        return out

    def _own(self, coefficients: AnyArray) -> AnyArray:
        # not by BLAS: its threads go on waiting for more, and the kernel's own get no processor for milliseconds
        return np.einsum("rk,k->r", self.mixing, np.asarray(coefficients, dtype=np.float32))

    def dense(self, chosen: AnyArray) -> AnyArray:
        """(components, m, K) float32: the K fields at some points (m,), ascending."""
        out = np.empty((self.components, len(chosen), self.mixing.shape[1]), np.float32)
        bounds = np.searchsorted(chosen, self.points)
        for p, start in enumerate(self._starts):
            low, high = bounds[p], bounds[p + 1]
            if low == high:
                continue
            count, rank = int(self.points[p + 1] - self.points[p]), int(self.ranks[p + 1] - self.ranks[p])
            modes = self.values[start : start + rank * count * self.components].reshape(rank, self.components, count)
            own = modes[:, :, chosen[low:high] - self.points[p]].astype(np.float32)
            out[:, low:high] = np.einsum("kcm,kj->cmj", own, self.mixing[self.ranks[p] : self.ranks[p + 1]])
        return out

    def thinned(self, chosen: AnyArray) -> "Packed":
        """The same at some points (m,), ascending, only."""
        bounds = np.searchsorted(chosen, self.points)
        parts, kept = [], []
        for p, start in enumerate(self._starts):
            count, rank = int(self.points[p + 1] - self.points[p]), int(self.ranks[p + 1] - self.ranks[p])
            if bounds[p] < bounds[p + 1]:
                modes = self.values[start : start + rank * count * self.components]
                own = chosen[bounds[p] : bounds[p + 1]] - self.points[p]
                parts.append(modes.reshape(rank, self.components, count)[:, :, own].ravel())
                kept.append(p)
        rows = np.concatenate([np.empty(0, int), *(np.arange(self.ranks[p], self.ranks[p + 1]) for p in kept)])
        return Packed(
            self.components, sealed(np.concatenate([np.empty(0, np.int16), *parts])),
            read_only(np.concatenate([bounds[kept], bounds[-1:]])),
            read_only(np.concatenate([[0], np.cumsum(np.diff(self.ranks)[kept])])), read_only(self.mixing[rows]),
        )  # fmt: skip


def _reduced(fields: FloatArray, roots: FloatArray, allowed: float) -> tuple[FloatArray, FloatArray]:
    """Modes (v, k) and what makes them (k, modes), so that their product is the fields but for what is allowed."""
    weighted = roots[:, None] * fields
    energies, turned = np.linalg.eigh(weighted.T @ weighted)
    kept = np.cumsum(np.maximum(energies, 0.0)) > allowed
    if not kept.any():
        kept[-1] = True  # a patch without any mode would have no field at all
    turned = turned[:, kept][:, ::-1]
    return fields @ turned, turned.T
