"""Smoothed-aggregation multigrid as a preconditioner: pyamg's aggregates, our own block cycle in single precision."""

from typing import Any

import numpy as np
from scipy.sparse import csr_matrix, diags_array

from neuro_field.arrays import AnyArray, FloatArray
from neuro_field.kernels.multigrid import kernels_of_width, row_sums
from neuro_field.nouns import noun

#: Neighbours i, j count as strongly coupled when |a_ij| > STRENGTH sqrt(a_ii a_jj).
STRENGTH = 0.02

#: Of the Jacobi step that smooths the prolongation, in units of 1 / (sum of a row's magnitudes); below 2.
DAMPING = 1.5

#: Unknowns of the coarsest level, which is inverted directly.
COARSEST = 300

#: A row whose neighbours in other chunks add up to less than this share of its diagonal is smoothed as it stands.
SAFE_SHARE = 0.9


@noun
class Level:
    """One level above the coarsest: its matrix and the way to the next; CSR triplets in single precision."""

    matrix: tuple[AnyArray, AnyArray, AnyArray]
    inverse_diagonal: AnyArray
    prolongation: tuple[AnyArray, AnyArray, AnyArray]
    restriction: tuple[AnyArray, AnyArray, AnyArray]
    coarse_size: int


@noun
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
        kernels.residual(*level.matrix, level.inverse_diagonal, x, r)
        coarse = np.zeros((level.coarse_size, b.shape[1]), np.float32)
        kernels.transfer(*level.restriction, r, coarse)
        kernels.transfer(*level.prolongation, self.cycle(coarse, depth + 1), x)
        kernels.relax_backwards(*level.matrix, level.inverse_diagonal, b, x, r)
        return r


def single(matrix: Any) -> tuple[AnyArray, AnyArray, AnyArray]:
    """A sparse matrix as the cycle takes it: CSR triplet in single precision, columns ascending."""
    matrix = matrix.tocsr()
    matrix.sort_indices()
    return matrix.indptr.astype(np.uint32), matrix.indices.astype(np.uint32), matrix.data.astype(np.float32)


def _row_sums(indptr: AnyArray, indices: AnyArray, data: AnyArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    everywhere, elsewhere, diagonal = np.empty((3, len(indptr) - 1))
    row_sums(indptr, indices, data, everywhere, elsewhere, diagonal)
    return everywhere, elsewhere, diagonal


def inverse_diagonal(indptr: AnyArray, indices: AnyArray, data: AnyArray) -> AnyArray:
    """One over the diagonal of the smoother's triangle: the matrix's own, raised where other chunks outweigh it.

    Across chunks the sweep takes old values, as Jacobi's would.  The cycle is positive definite when
    diagonal + 2 raise > sum of |a_ij| over other chunks (Baker, Falgout, Kolev & Yang, SIAM J Sci Comput
    2011;33:2864); slivers and small coarse levels need the raise, other rows none.
    """
    _, elsewhere, diagonal = _row_sums(indptr, indices, data)
    return (1 / (diagonal + np.maximum(0.0, elsewhere - SAFE_SHARE * diagonal) / 2)).astype(np.float32)


def _prolongation(matrix: csr_matrix) -> csr_matrix:
    """From aggregates of strongly coupled nodes: constants on each, smoothed by one damped Jacobi step.

    Each row is damped by the sum of its magnitudes, a bound of the spectral radius that needs no iteration.
    """
    from pyamg.aggregation.aggregate import standard_aggregation
    from pyamg.strength import symmetric_strength_of_connection

    aggregates = standard_aggregation(symmetric_strength_of_connection(matrix, STRENGTH))[0]
    constant = csr_matrix(aggregates, dtype=np.float64)
    return constant - diags_array(DAMPING / _row_sums(matrix.indptr, matrix.indices, matrix.data)[0]) @ (
        matrix @ constant
    )


def multigrid(matrix: csr_matrix) -> Multigrid:
    """The hierarchy of a symmetric positive definite matrix (Vanek, Mandel & Brezina 1996)."""
    levels = []
    while matrix.shape[0] > COARSEST:
        prolongation = csr_matrix(_prolongation(matrix))
        if not 0 < prolongation.shape[1] < matrix.shape[0]:
            break
        restriction = prolongation.T.tocsr()
        inverse = inverse_diagonal(matrix.indptr, matrix.indices, matrix.data)
        level = single(matrix), inverse, single(prolongation), single(restriction), prolongation.shape[1]
        levels.append(Level(*level))
        matrix = restriction @ (matrix @ prolongation)
        matrix.sort_indices()
    return Multigrid(tuple(levels), single(csr_matrix(np.linalg.pinv(matrix.toarray(), hermitian=True))))
