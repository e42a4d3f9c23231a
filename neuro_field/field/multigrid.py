"""Smoothed-aggregation multigrid as a preconditioner: pyamg's hierarchy, our own block cycle in single precision."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix

from neuro_field.arrays import AnyArray
from neuro_field.kernels.multigrid import CHUNKS, kernels_of_width

#: Neighbours i, j count as strongly coupled when |a_ij| > STRENGTH sqrt(a_ii a_jj).
STRENGTH = 0.02

#: Unknowns of the coarsest level, which is inverted directly.
COARSEST = 300

#: A row whose neighbours in other chunks add up to less than this share of its diagonal is smoothed as it stands.
_SAFE_SHARE = 0.9


@dataclass(frozen=True, eq=False)
class Level:
    """One level above the coarsest: its matrix and the way to the next; CSR triplets in single precision."""

    matrix: tuple[AnyArray, AnyArray, AnyArray]
    inverse_diagonal: AnyArray
    prolongation: tuple[AnyArray, AnyArray, AnyArray]
    restriction: tuple[AnyArray, AnyArray, AnyArray]
    coarse_size: int


@dataclass(frozen=True, eq=False)
class Multigrid:
    """A V(1,1) cycle of Gauss-Seidel sweeps, forwards before and backwards after, hence symmetric.

    ``coarsest`` is the inverse of the coarsest matrix, dense but kept as the others, so that its product too has one
    order of summation for every width.
    """

    levels: tuple[Level, ...]
    coarsest: tuple[AnyArray, AnyArray, AnyArray]

    def cycle(self, b: AnyArray, depth: int = 0) -> AnyArray:
        """One cycle from zero for b (n, width) float32, width one of `kernels.multigrid.WIDTHS`; returns x."""
        if depth == len(self.levels):
            x = np.zeros_like(b)
            kernels_of_width(b.shape[1]).transfer(*self.coarsest, b, x)
            return x
        level, kernels = self.levels[depth], kernels_of_width(b.shape[1])
        x, r = np.empty_like(b), np.empty_like(b)
        kernels.relax_forwards(*level.matrix, level.inverse_diagonal, b, x)
        kernels.residual(*level.matrix, b, x, r)
        coarse = np.zeros((level.coarse_size, b.shape[1]), np.float32)
        kernels.transfer(*level.restriction, r, coarse)
        kernels.transfer(*level.prolongation, self.cycle(coarse, depth + 1), x)
        kernels.relax_backwards(*level.matrix, level.inverse_diagonal, b, x, r)
        return r


def _single(matrix: Any) -> tuple[AnyArray, AnyArray, AnyArray]:
    matrix = matrix.tocsr()
    matrix.sort_indices()
    return matrix.indptr.astype(np.uint32), matrix.indices.astype(np.uint32), matrix.data.astype(np.float32)


def _smoothing_diagonal(matrix: csr_matrix) -> AnyArray:
    """The diagonal of the smoother's triangle: the matrix's own, raised where other chunks outweigh it.

    Across chunks the sweep takes old values, as Jacobi's would.  The cycle is positive definite when
    diagonal + 2 raise > sum of |a_ij| over other chunks (Baker, Falgout, Kolev & Yang, SIAM J Sci Comput
    2011;33:2864); slivers and small coarse levels need the raise, other rows none.
    """
    n = matrix.shape[0]
    size = (n + CHUNKS - 1) // CHUNKS
    row = np.repeat(np.arange(n), np.diff(matrix.indptr))
    elsewhere = np.bincount(row, np.abs(matrix.data) * (row // size != matrix.indices // size), minlength=n)
    diagonal = matrix.diagonal()
    return diagonal + np.maximum(0.0, elsewhere - _SAFE_SHARE * diagonal) / 2


def multigrid(matrix: csr_matrix) -> Multigrid:
    """The hierarchy of a symmetric positive definite matrix (Vanek, Mandel & Brezina 1996)."""
    import pyamg

    with warnings.catch_warnings(), _seeded():
        warnings.simplefilter("ignore")  # pyamg warns of its own scipy calls
        hierarchy = pyamg.smoothed_aggregation_solver(
            matrix, strength=("symmetric", {"theta": STRENGTH}), max_coarse=COARSEST
        )
    levels = []
    for fine, coarse in zip(hierarchy.levels[:-1], hierarchy.levels[1:], strict=True):
        levels.append(
            Level(
                _single(fine.A),
                (1 / _smoothing_diagonal(fine.A.tocsr())).astype(np.float32),
                _single(fine.P),
                _single(fine.P.T),
                coarse.A.shape[0],
            )
        )
    inverse = np.linalg.pinv(hierarchy.levels[-1].A.toarray(), hermitian=True)
    return Multigrid(tuple(levels), _single(csr_matrix(inverse)))


@contextmanager
def _seeded() -> Iterator[None]:
    """The same random start of pyamg's spectral-radius estimates every time; the caller's generator is put back."""
    state = np.random.get_state()  # noqa: NPY002
    np.random.seed(0)  # noqa: NPY002
    try:
        yield
    finally:
        np.random.set_state(state)  # noqa: NPY002
