"""A symmetric matrix cut into the parts that sweeps and products run over."""

from functools import cached_property
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix

from neuro_field.arrays import AnyArray
from neuro_field.kernels.multigrid import CHUNKS, split_rows
from neuro_field.nouns import noun


def chunk_rows(rows: int, sequential: bool = True) -> int:
    """Rows that are relaxed one after the other: a fixed number of chunks, whoever shares them; or one."""
    return (rows + CHUNKS - 1) // CHUNKS if sequential else 1


@noun
class Split:
    """A square matrix, its diagonal apart; of each row what couples it to its chunk's earlier rows comes first.

    Parameters
    ----------
    ends : (n + 1,) array
        Row i's entries lie from ends[i] to ends[i + 1].
    starts : (n, 2) array
        Where its couplings to other chunks begin, and where those to later rows of its own do.
    places : (e,) array
        Columns.
    values : (e,) array
        Entries.
    sums : (n,) array
        Of whole rows, diagonal included.
    """

    ends: AnyArray
    starts: AnyArray
    places: AnyArray
    values: AnyArray
    sums: AnyArray

    @classmethod
    def of(cls, matrix: csr_matrix, kind: type[np.floating[Any]], size: int) -> "Split":
        """A matrix with ascending columns and a full diagonal, in single precision or double, by ``size`` rows."""
        n = matrix.shape[0]
        starts, sums = np.empty((n, 2), np.uint32), np.empty(n, kind)
        places, values = np.empty(matrix.nnz - n, np.uint32), np.empty(matrix.nnz - n, kind)
        split_rows(matrix.indptr, matrix.indices, matrix.data, size, starts, places, values, sums)
        return cls((matrix.indptr - np.arange(n + 1)).astype(np.uint32), starts, places, values, sums)

    def __len__(self) -> int:
        return len(self.sums)

    @property
    def nbytes(self) -> int:
        """Bytes of all of it."""
        return sum(part.nbytes for part in (self.ends, self.starts, self.places, self.values, self.sums))

    @cached_property
    def parts(self) -> tuple[csr_matrix, csr_matrix, csr_matrix]:
        """Couplings to earlier rows of a chunk, to other chunks, and to later rows, each (n, n)."""
        borders = np.column_stack([self.ends[:-1], self.starts, self.ends[1:]]).astype(np.int64)
        kinds = np.repeat(np.tile(np.arange(3), len(self)), (borders[:, 1:] - borders[:, :-1]).ravel())
        rows = np.repeat(np.arange(len(self)), (self.ends[1:] - self.ends[:-1]).astype(np.int64))
        shape = (len(self), len(self))
        earlier, others, later = (
            csr_matrix((self.values[kinds == k], (rows[kinds == k], self.places[kinds == k])), shape=shape)
            for k in range(3)
        )
        return earlier, others, later
