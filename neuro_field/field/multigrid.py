"""Smoothed-aggregation multigrid as a preconditioner: pyamg's aggregates, our own block cycle in single precision."""

from typing import Any

import numpy as np
from scipy.sparse import csr_matrix, diags_array

from neuro_field.arrays import AnyArray, FloatArray
from neuro_field.field.buffers import Buffers
from neuro_field.field.engine import Engine, Smoother, Transfer
from neuro_field.field.split import Split, chunk_rows
from neuro_field.kernels.multigrid import row_sums
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
    """One level above the coarsest: its matrix and the way to the next, in single precision."""

    matrix: Split
    smoother: Smoother
    prolongation: Transfer
    restriction: Transfer
    coarse_size: int


@noun
class Multigrid:
    """A V(1,1) cycle of Gauss-Seidel sweeps, forwards before and backwards after, hence symmetric.

    ``coarsest`` is the inverse of the coarsest matrix, dense but kept as the others, so that its product too has one
    order of summation for every width.
    """

    levels: tuple[Level, ...]
    coarsest: Transfer

    def cycle(self, b: AnyArray, x: AnyArray, engine: Engine, buffers: Buffers, depth: int = 0) -> FloatArray:
        """One cycle from zero for a block b (n, width) of single precision into x; returns the sums of b.x."""
        if depth == len(self.levels):
            engine.gather(self.coarsest, b, x)
            return engine.dots(b, x)
        level = self.levels[depth]
        coarse = (level.coarse_size, b.shape[1])
        with buffers.lent((b.shape, np.float32), (coarse, np.float32), (coarse, np.float32)) as (old, down, up):
            engine.relax_forwards(level.matrix, level.smoother, b, old)
            engine.residual(level.matrix, level.smoother, old, x)
            engine.gather(level.restriction, x, down)
            self.cycle(down, up, engine, buffers, depth + 1)
            engine.add(level.prolongation, up, old)
            return engine.relax_backwards(level.matrix, level.smoother, b, old, x)


def transfer(matrix: Any) -> Transfer:
    """A sparse matrix as engines take those between levels: CSR triplet in single precision, columns ascending."""
    matrix = matrix.tocsr()
    matrix.sort_indices()
    return matrix.indptr.astype(np.uint32), matrix.indices.astype(np.uint32), matrix.data.astype(np.float32)


def _row_sums(matrix: csr_matrix, size: int = 1) -> tuple[FloatArray, FloatArray, FloatArray]:
    everywhere, elsewhere, diagonal = np.empty((3, matrix.shape[0]))
    row_sums(matrix.indptr, matrix.indices, matrix.data, size, everywhere, elsewhere, diagonal)
    return everywhere, elsewhere, diagonal


def relaxing(matrix: csr_matrix, size: int) -> Smoother:
    """The diagonal with which rows are relaxed: the matrix's own, raised where other chunks outweigh it.

    Across chunks the sweep takes old values, as Jacobi's would.  The cycle is positive definite when
    diagonal + 2 raise > sum of |a_ij| over other chunks (Baker, Falgout, Kolev & Yang, SIAM J Sci Comput
    2011;33:2864); slivers and small coarse levels need the raise, other rows none.  In
    chunks of one row it is Jacobi's by the sum of a row's magnitudes.
    """
    _, elsewhere, diagonal = _row_sums(matrix, size)
    excess = np.maximum(0.0, elsewhere - SAFE_SHARE * diagonal) / 2
    return Smoother((1 / (diagonal + excess)).astype(np.float32), excess.astype(np.float32))


def _prolongation(matrix: csr_matrix) -> csr_matrix:
    """From aggregates of strongly coupled nodes: constants on each, smoothed by one damped Jacobi step.

    Each row is damped by the sum of its magnitudes, a bound of the spectral radius that needs no iteration.
    """
    from pyamg.aggregation.aggregate import standard_aggregation
    from pyamg.strength import symmetric_strength_of_connection

    aggregates = standard_aggregation(symmetric_strength_of_connection(matrix, STRENGTH))[0]
    constant = csr_matrix(aggregates, dtype=np.float64)
    return constant - diags_array(DAMPING / _row_sums(matrix)[0]) @ (matrix @ constant)


def multigrid(matrix: csr_matrix, sequential: bool = True) -> Multigrid:
    """The hierarchy of a symmetric positive definite matrix (Vanek, Mandel & Brezina 1996).

    Rows are relaxed one after the other inside chunks, or, where not ``sequential``, all at once.
    """
    levels = []
    while matrix.shape[0] > COARSEST:
        prolongation = csr_matrix(_prolongation(matrix))
        if not 0 < prolongation.shape[1] < matrix.shape[0]:
            break
        restriction = prolongation.T.tocsr()
        size = chunk_rows(matrix.shape[0], sequential)
        levels.append(
            Level(
                Split.of(matrix, np.float32, size), relaxing(matrix, size), transfer(prolongation),
                transfer(restriction), prolongation.shape[1],
            )
        )  # fmt: skip
        matrix = restriction @ (matrix @ prolongation)
        matrix.sort_indices()
    return Multigrid(tuple(levels), transfer(csr_matrix(np.linalg.pinv(matrix.toarray(), hermitian=True))))
