"""Kernels of the block multigrid cycle and of block conjugate gradients, in widths fixed at compilation.

Right-hand sides stand side by side in rows, (n, width).  Each column's arithmetic has one order, whatever the width
and the number of threads: rows are cut into a fixed number of chunks, Gauss-Seidel runs inside a chunk and takes old
values from the others, and dot products are summed chunk by chunk.

A matrix comes in parts, as `split_rows` cuts it: of each row first what couples it to earlier rows of its chunk, then
to other chunks, then to later rows of its chunk; the diagonal apart.  So each loop below runs over one stretch of
memory, with nothing to compare on the way.  The product is that of differences, sum a_ij (p_j - p_i) plus the row's sum
times p_i: the equations' rows sum to nothing, and single precision keeps what a constant would drown.
"""

from functools import cache
from types import SimpleNamespace

import numpy as np
from numba import prange

from neuro_field.kernels.lanes import ahead, double, less, load, minus, nothing, plus, store, times
from neuro_field.kernels.turns import parallel

CHUNKS = 64

#: Widths that are compiled; a block of another width is padded to the next one.
WIDTHS = (1, 4, 8, 16)

#: Rows a sweep asks for this far ahead: a row is first seen by a neighbour anywhere before it, which no cache foresees.
AHEAD = 4096


@parallel()
def descend(alpha, q, r, partial):
    """r -= alpha q column by column; chunk sums of r.r into partial, in double precision."""
    n, width = r.shape
    size = (n + CHUNKS - 1) // CHUNKS
    for chunk in prange(CHUNKS):
        for k in range(width):
            partial[chunk, k] = 0.0
        for i in range(chunk * size, min(n, chunk * size + size)):
            for k in range(width):
                value = r[i, k] - alpha[k] * q[i, k]
                r[i, k] = value
                partial[chunk, k] += np.float64(value) * np.float64(value)


@parallel()
def ascend(alphas, first, second, third, fourth, x):
    """x += the four directions, column by column with alphas (4, width); x in double precision."""
    n, width = x.shape
    for i in prange(n):
        for k in range(width):
            x[i, k] += (
                alphas[0, k] * first[i, k] + alphas[1, k] * second[i, k]
                + alphas[2, k] * third[i, k] + alphas[3, k] * fourth[i, k]
            )  # fmt: skip


@parallel()
def new_direction(beta, z, p, out):
    """out = z + beta p, columns apart."""
    n, width = p.shape
    for i in prange(n):
        for k in range(width):
            out[i, k] = z[i, k] + beta[k] * p[i, k]


@parallel()
def row_sums(indptr, indices, data, size, everywhere, elsewhere, diagonal):
    """Of each row: the sum of |a_ij|, that over columns outside its own chunk of ``size`` rows, and a_ii; each (n,)."""
    n = len(diagonal)
    for i in prange(n):
        total, outside, own = 0.0, 0.0, 0.0
        for place in range(indptr[i], indptr[i + 1]):
            j, a = indices[place], abs(data[place])
            total += a
            if j == i:
                own = data[place]
            if j // size != i // size:
                outside += a
        everywhere[i], elsewhere[i], diagonal[i] = total, outside, own


@parallel()
def split_rows(indptr, indices, data, size, starts, places, values, sums):
    """Cut a matrix with sorted rows, each with a diagonal, into the parts that chunks of ``size`` rows see.

    Filled: starts (n, 2), where a row's couplings to other chunks begin, and those to later rows of its own; the row
    itself goes from indptr[i] - i to indptr[i + 1] - i - 1.  places, values (e - n,) columns and entries; sums (n,).
    """
    for i in prange(len(sums)):
        first = (i // size) * size
        last = first + size
        earlier = elsewhere = 0
        total = 0.0
        for place in range(indptr[i], indptr[i + 1]):
            j = indices[place]
            total += data[place]
            earlier += first <= j < i
            elsewhere += j < first or j >= last
        at = indptr[i] - i
        own, others, later = at, at + earlier, at + earlier + elsewhere
        starts[i, 0], starts[i, 1], sums[i] = others, later, total
        for place in range(indptr[i], indptr[i + 1]):
            j = indices[place]
            if j == i:
                continue
            if j < first or j >= last:
                to = others
                others += 1
            elif j < i:
                to = own
                own += 1
            else:
                to = later
                later += 1
            places[to], values[to] = j, data[place]


def _kernels_of_width(width: int) -> SimpleNamespace:
    @parallel()
    def relax_forwards(ends, starts, places, values, inverse, b, x):
        """x = (lower triangle inside each chunk)^-1 b: a Gauss-Seidel sweep from zero, rows upwards."""
        n = len(inverse)
        size = (n + CHUNKS - 1) // CHUNKS
        for chunk in prange(CHUNKS):
            for i in range(chunk * size, min(n, chunk * size + size)):
                total = load(b, i, width)
                for place in range(ends[i], starts[i, 0]):
                    total = minus(total, values[place], load(x, places[place], width))
                store(x, i, times(inverse[i], total))

    @parallel()
    def residual(ends, starts, places, values, excess, x, r):
        """r = b - A x after `relax_forwards` from b to x: what its triangle, solved, has left out of A."""
        n = len(excess)
        size = (n + CHUNKS - 1) // CHUNKS
        for chunk in prange(CHUNKS):
            for i in range(chunk * size, min(n, chunk * size + size)):
                ahead(x, min(i + AHEAD, n - 1))
                total = times(excess[i], load(x, i, width))
                for place in range(starts[i, 0], ends[i + 1]):
                    total = minus(total, values[place], load(x, places[place], width))
                store(r, i, total)

    @parallel()
    def relax_backwards(ends, starts, places, values, inverse, excess, b, old, x, partial):
        """A Gauss-Seidel sweep of A x = b, rows downwards; other chunks are seen at their ``old`` values.

        Chunk sums of b.x into partial, in double precision.
        """
        n = len(inverse)
        size = (n + CHUNKS - 1) // CHUNKS
        for chunk in prange(CHUNKS):
            along = nothing(partial, width)
            first, last = chunk * size, min(n, chunk * size + size)
            for step in range(last - first):
                i = last - 1 - step
                ahead(old, max(i - AHEAD, 0))
                ahead(b, max(i - AHEAD, 0))
                right = load(b, i, width)
                total = plus(right, excess[i], load(old, i, width))
                for place in range(ends[i], starts[i, 1]):
                    total = minus(total, values[place], load(old, places[place], width))
                for place in range(starts[i, 1], ends[i + 1]):
                    total = minus(total, values[place], load(x, places[place], width))
                total = times(inverse[i], total)
                store(x, i, total)
                along = plus(along, double(right), double(total))
            store(partial, chunk, along)

    @parallel()
    def gather(indptr, indices, data, x, y):
        """y = M x: restriction by the transposed prolongation, and the coarsest level's inverse."""
        n = len(y)
        size = (n + CHUNKS - 1) // CHUNKS
        for chunk in prange(CHUNKS):
            for i in range(chunk * size, min(n, chunk * size + size)):
                total = nothing(x, width)
                for place in range(indptr[i], indptr[i + 1]):
                    total = plus(total, data[place], load(x, indices[place], width))
                store(y, i, total)

    @parallel()
    def add(indptr, indices, data, x, y):
        """y += M x: prolongation."""
        n = len(y)
        size = (n + CHUNKS - 1) // CHUNKS
        for chunk in prange(CHUNKS):
            for i in range(chunk * size, min(n, chunk * size + size)):
                total = load(y, i, width)
                for place in range(indptr[i], indptr[i + 1]):
                    total = plus(total, data[place], load(x, indices[place], width))
                store(y, i, total)

    @parallel()
    def product(ends, places, values, sums, p, q, partial):
        """q = A p by differences, sums (n,) its rows' own; chunk sums of p.q into partial, in double precision."""
        n = len(q)
        size = (n + CHUNKS - 1) // CHUNKS
        for chunk in prange(CHUNKS):
            along = nothing(partial, width)
            for i in range(chunk * size, min(n, chunk * size + size)):
                ahead(p, min(i + AHEAD, n - 1))
                own = load(p, i, width)
                total = times(sums[i], own)
                for place in range(ends[i], ends[i + 1]):
                    total = plus(total, values[place], less(load(p, places[place], width), own))
                store(q, i, total)
                along = plus(along, double(own), double(total))
            store(partial, chunk, along)

    return SimpleNamespace(
        relax_forwards=relax_forwards,
        relax_backwards=relax_backwards,
        residual=residual,
        gather=gather,
        add=add,
        product=product,
    )


@cache
def kernels_of_width(width: int) -> SimpleNamespace:
    """The matrix kernels (two sweeps, residual, two transfers, product) for one of `WIDTHS` columns."""
    if width not in WIDTHS:
        raise ValueError(f"Input width must be one of {WIDTHS}; instead received {width}.")
    return _kernels_of_width(width)
