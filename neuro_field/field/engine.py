"""What a solve is made of: the few operations that an engine has to offer, and the engine of compiled kernels.

Conjugate gradients and the multigrid cycle say what is done; an engine does it.  Vectors are blocks (n, width), one
right-hand side a column, made by the engine's own `empty`: an engine of another device keeps them there, uploads a
matrix when it sees it first, and needs nothing else of this room.
"""

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from neuro_field.arrays import AnyArray, FloatArray
from neuro_field.field.split import Split
from neuro_field.kernels import columns
from neuro_field.kernels import multigrid as kernels
from neuro_field.kernels.multigrid import CHUNKS, WIDTHS, kernels_of_width
from neuro_field.nouns import noun

#: A sparse matrix between two levels: CSR triplet.
Transfer = tuple[AnyArray, AnyArray, AnyArray]

#: Directions that `Engine.ascend` takes at once.
DIRECTIONS = 4


@noun
class Smoother:
    """One over the diagonal with which rows are relaxed (n,), and by how much that diagonal exceeds their own (n,)."""

    inverse: AnyArray
    excess: AnyArray


class Engine(Protocol):
    """Blocks of vectors, and what is done with them; a sum over rows comes back as (width,) in double precision."""

    def width(self, columns: int) -> int:
        """How wide a block is that holds some columns."""

    def empty(self, shape: tuple[int, int], dtype: Any) -> AnyArray:
        """A block with anything in it."""

    def put(self, values: FloatArray, first: int, factors: FloatArray, block: AnyArray) -> None:
        """Fill a block by columns of this machine's array (n, k), from ``first`` on, times factors; zeros follow."""

    def take(self, block: AnyArray, factors: FloatArray, first: int, out: FloatArray) -> None:
        """A block's first columns, times factors, into columns of an array (n, k) of this machine."""

    def product(self, matrix: Split, p: AnyArray, q: AnyArray) -> FloatArray:
        """q = A p; the sums of p.q."""

    def descend(self, alpha: FloatArray, q: AnyArray, r: AnyArray) -> FloatArray:
        """r -= alpha q; the sums of r.r."""

    def ascend(self, alphas: FloatArray, directions: Sequence[AnyArray], x: AnyArray) -> None:
        """x += alphas[m] directions[m], at most `DIRECTIONS` of them."""

    def turn(self, beta: FloatArray, z: AnyArray, p: AnyArray, out: AnyArray) -> None:
        """out = z + beta p."""

    def relax_forwards(self, matrix: Split, smoother: Smoother, b: AnyArray, x: AnyArray) -> None:
        """x = M^-1 b, M the smoother's diagonal and the couplings to earlier rows of a chunk."""

    def residual(self, matrix: Split, smoother: Smoother, x: AnyArray, r: AnyArray) -> None:
        """r = b - A x for the x that `relax_forwards` made of b."""

    def relax_backwards(self, matrix: Split, smoother: Smoother, b: AnyArray, old: AnyArray, x: AnyArray) -> FloatArray:
        """x = old + M^-T (b - A old); the sums of b.x."""

    def gather(self, transfer: Transfer, x: AnyArray, y: AnyArray) -> None:
        """y = T x."""

    def dots(self, a: AnyArray, b: AnyArray) -> FloatArray:
        """The sums of a.b."""

    def add(self, transfer: Transfer, x: AnyArray, y: AnyArray) -> None:
        """y += T x."""


class CompiledEngine:
    """Numba's kernels on all threads: the same bits whatever their number and the block's width."""

    def width(self, columns: int) -> int:
        return next((width for width in WIDTHS if width >= columns), WIDTHS[-1])

    def empty(self, shape: tuple[int, int], dtype: Any) -> AnyArray:
        return np.empty(shape, dtype)

    def put(self, values: FloatArray, first: int, factors: FloatArray, block: AnyArray) -> None:
        columns.fill(values, first, factors, block)

    def take(self, block: AnyArray, factors: FloatArray, first: int, out: FloatArray) -> None:
        columns.take(block, factors, first, out)

    def product(self, matrix: Split, p: AnyArray, q: AnyArray) -> FloatArray:
        partial = np.empty((CHUNKS, p.shape[1]))
        kernels_of_width(p.shape[1]).product(matrix.ends, matrix.places, matrix.values, matrix.sums, p, q, partial)
        return _total(partial)

    def descend(self, alpha: FloatArray, q: AnyArray, r: AnyArray) -> FloatArray:
        partial = np.empty((CHUNKS, r.shape[1]))
        kernels.descend(alpha.astype(r.dtype), q, r, partial)
        return _total(partial)

    def ascend(self, alphas: FloatArray, directions: Sequence[AnyArray], x: AnyArray) -> None:
        weights = np.zeros((DIRECTIONS, x.shape[1]))
        weights[: len(directions)] = alphas
        four = [directions[min(m, len(directions) - 1)] for m in range(DIRECTIONS)]
        kernels.ascend(weights, *four, x)

    def turn(self, beta: FloatArray, z: AnyArray, p: AnyArray, out: AnyArray) -> None:
        kernels.new_direction(beta.astype(p.dtype), z, p, out)

    def relax_forwards(self, matrix: Split, smoother: Smoother, b: AnyArray, x: AnyArray) -> None:
        kernels_of_width(b.shape[1]).relax_forwards(
            matrix.ends, matrix.starts, matrix.places, matrix.values, smoother.inverse, b, x
        )

    def residual(self, matrix: Split, smoother: Smoother, x: AnyArray, r: AnyArray) -> None:
        kernels_of_width(x.shape[1]).residual(
            matrix.ends, matrix.starts, matrix.places, matrix.values, smoother.excess, x, r
        )

    def relax_backwards(self, matrix: Split, smoother: Smoother, b: AnyArray, old: AnyArray, x: AnyArray) -> FloatArray:
        partial = np.empty((CHUNKS, b.shape[1]))
        kernels_of_width(b.shape[1]).relax_backwards(
            matrix.ends, matrix.starts, matrix.places, matrix.values, smoother.inverse, smoother.excess, b, old, x,
            partial,
        )  # fmt: skip
        return _total(partial)

    def gather(self, transfer: Transfer, x: AnyArray, y: AnyArray) -> None:
        kernels_of_width(x.shape[1]).gather(*transfer, x, y)

    def dots(self, a: AnyArray, b: AnyArray) -> FloatArray:
        partial = np.empty((CHUNKS, a.shape[1]))
        columns.column_dots(a, b, partial)
        return _total(partial)

    def add(self, transfer: Transfer, x: AnyArray, y: AnyArray) -> None:
        kernels_of_width(x.shape[1]).add(*transfer, x, y)


def _total(partial: FloatArray) -> FloatArray:
    """Sum over chunks, one after the other: numpy's own sum changes its order with the width."""
    return np.asarray(np.cumsum(partial, axis=0)[-1])


#: The engine of every solver that is given no other.
COMPILED = CompiledEngine()
