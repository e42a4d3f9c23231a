"""The same operations in NumPy and SciPy: what the compiled engine is held against, and the pattern for another."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix, diags_array
from scipy.sparse.linalg import splu

from neuro_field.arrays import AnyArray, FloatArray
from neuro_field.field.engine import Smoother, Transfer
from neuro_field.field.split import Split


class PlainEngine:
    """Slow, and as the equations are written; any width, and every product in the precision of its factors."""

    def width(self, columns: int) -> int:
        return columns

    def empty(self, shape: tuple[int, int], dtype: Any) -> AnyArray:
        return np.empty(shape, dtype)

    def put(self, values: FloatArray, first: int, factors: FloatArray, block: AnyArray) -> None:
        count = len(factors)
        block[:, :count] = values[:, first : first + count] * factors
        block[:, count:] = 0

    def take(self, block: AnyArray, factors: FloatArray, first: int, out: FloatArray) -> None:
        out[:, first : first + len(factors)] = block[:, : len(factors)] * factors

    def product(self, matrix: Split, p: AnyArray, q: AnyArray) -> FloatArray:
        whole = sum(matrix.parts[1:], matrix.parts[0])
        own = matrix.sums - np.asarray(whole.sum(axis=1)).ravel()
        q[:] = whole @ p + own[:, None] * p
        return _dots(p, q)

    def descend(self, alpha: FloatArray, q: AnyArray, r: AnyArray) -> FloatArray:
        r -= (alpha * q).astype(r.dtype)
        return _dots(r, r)

    def ascend(self, alphas: FloatArray, directions: Sequence[AnyArray], x: AnyArray) -> None:
        for alpha, direction in zip(alphas, directions, strict=True):
            x += alpha * direction

    def turn(self, beta: FloatArray, z: AnyArray, p: AnyArray, out: AnyArray) -> None:
        out[:] = z + beta * p

    def relax_forwards(self, matrix: Split, smoother: Smoother, b: AnyArray, x: AnyArray) -> None:
        x[:] = _solved(matrix.parts[0], smoother, b)

    def residual(self, matrix: Split, smoother: Smoother, x: AnyArray, r: AnyArray) -> None:
        r[:] = smoother.excess[:, None] * x - (matrix.parts[1] + matrix.parts[2]) @ x

    def relax_backwards(self, matrix: Split, smoother: Smoother, b: AnyArray, old: AnyArray, x: AnyArray) -> FloatArray:
        earlier, others, later = matrix.parts
        right = b + smoother.excess[:, None] * old - (earlier + others) @ old
        x[:] = _solved(later, smoother, right)
        return _dots(b, x)

    def gather(self, transfer: Transfer, x: AnyArray, y: AnyArray) -> None:
        y[:] = _matrix(transfer, y, x) @ x

    def dots(self, a: AnyArray, b: AnyArray) -> FloatArray:
        return _dots(a, b)

    def add(self, transfer: Transfer, x: AnyArray, y: AnyArray) -> None:
        y += _matrix(transfer, y, x) @ x


def _solved(triangle: csr_matrix, smoother: Smoother, b: AnyArray) -> AnyArray:
    """x of (triangle + the smoother's diagonal) x = b."""
    whole = (triangle + diags_array(1 / smoother.inverse.astype(float))).tocsc()
    return splu(whole, permc_spec="NATURAL", diag_pivot_thresh=0, options={"SymmetricMode": True}).solve(
        b.astype(float)
    )


def _dots(a: AnyArray, b: AnyArray) -> FloatArray:
    return np.einsum("nk,nk->k", a, b, dtype=np.float64)


def _matrix(transfer: Transfer, y: AnyArray, x: AnyArray) -> csr_matrix:
    indptr, indices, data = transfer
    return csr_matrix((data, indices.astype(np.int32), indptr.astype(np.int32)), shape=(len(y), len(x)))
