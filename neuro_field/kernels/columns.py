"""Kernels that look at blocks of right-hand sides (n, k) column by column, on all threads and without copies."""

import numpy as np
from numba import prange

from neuro_field.kernels.multigrid import CHUNKS
from neuro_field.kernels.turns import parallel


@parallel()
def column_sizes(values, sums, sizes, largest):
    """Of each column of values (n, k): its sum, that of its magnitudes and their largest; each (CHUNKS, k) by chunk."""
    n, width = values.shape
    size = (n + CHUNKS - 1) // CHUNKS
    for chunk in prange(CHUNKS):
        for k in range(width):
            sums[chunk, k] = sizes[chunk, k] = largest[chunk, k] = 0.0
        for i in range(chunk * size, min(n, chunk * size + size)):
            for k in range(width):
                value = values[i, k]
                sums[chunk, k] += value
                sizes[chunk, k] += abs(value)
                largest[chunk, k] = max(largest[chunk, k], abs(value))


@parallel()
def column_dots(a, b, partial):
    """Sums of a.b (n, k) over chunks of rows, column by column, in double precision, into partial (CHUNKS, k)."""
    n, width = a.shape
    size = (n + CHUNKS - 1) // CHUNKS
    for chunk in prange(CHUNKS):
        for k in range(width):
            partial[chunk, k] = 0.0
        for i in range(chunk * size, min(n, chunk * size + size)):
            for k in range(width):
                partial[chunk, k] += np.float64(a[i, k]) * np.float64(b[i, k])


@parallel()
def fill(values, first, factors, block):
    """Columns of values (n, k) from ``first`` on, times factors (m,), into a block (n, w); zeros into its last ones."""
    n, width = block.shape
    count = len(factors)
    for i in prange(n):
        for k in range(count):
            block[i, k] = factors[k] * values[i, first + k]
        for k in range(count, width):
            block[i, k] = 0.0


@parallel()
def take(block, factors, first, out):
    """The first columns of a block, times factors (m,), into columns of out (n, k) from ``first`` on."""
    count = len(factors)
    for i in prange(len(block)):
        for k in range(count):
            out[i, first + k] = factors[k] * block[i, k]


@parallel()
def column(values, first, factor, out):
    """Columns of values (n, k) from ``first`` on, times a factor, into out (n, c)."""
    n, count = out.shape
    for i in prange(n):
        for k in range(count):
            out[i, k] = factor * values[i, first + k]
