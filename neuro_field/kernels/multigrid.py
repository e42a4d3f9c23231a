"""Kernels of the block multigrid cycle and of block conjugate gradients, in widths fixed at compilation.

Right-hand sides stand side by side in rows, (n, width).  Each column's arithmetic has one order, whatever the width
and the number of threads: rows are cut into a fixed number of chunks, Gauss-Seidel runs inside a chunk and takes old
values from the others, and dot products are summed chunk by chunk.
"""

from functools import cache
from types import SimpleNamespace

from numba import prange

from neuro_field.kernels.lanes import load, minus, plus, store, times
from neuro_field.kernels.turns import parallel

CHUNKS = 64

#: Widths that are compiled; a block of another width is padded to the next one.
WIDTHS = (1, 4, 8, 16)


@parallel()
def add_product(alpha, p, q, x, r, r_single, partial):
    """x += alpha p and r -= alpha q column by column; r in single precision; chunk sums of r.r into partial."""
    n, width = x.shape
    size = (n + CHUNKS - 1) // CHUNKS
    for chunk in prange(CHUNKS):
        for k in range(width):
            partial[chunk, k] = 0.0
        for i in range(chunk * size, min(n, chunk * size + size)):
            for k in range(width):
                x[i, k] += alpha[k] * p[i, k]
                value = r[i, k] - alpha[k] * q[i, k]
                r[i, k] = value
                r_single[i, k] = value
                partial[chunk, k] += value * value


@parallel()
def chunk_dots(r, z, partial):
    """Chunk sums of r.z, columns apart; r double, z single precision."""
    n, width = r.shape
    size = (n + CHUNKS - 1) // CHUNKS
    for chunk in prange(CHUNKS):
        for k in range(width):
            partial[chunk, k] = 0.0
        for i in range(chunk * size, min(n, chunk * size + size)):
            for k in range(width):
                partial[chunk, k] += r[i, k] * z[i, k]


@parallel()
def new_direction(beta, z, p):
    """p = z + beta p, columns apart."""
    n, width = p.shape
    for i in prange(n):
        for k in range(width):
            p[i, k] = z[i, k] + beta[k] * p[i, k]


@parallel()
def row_sums(indptr, indices, data, everywhere, elsewhere, diagonal):
    """Of each row: the sum of |a_ij|, that over columns outside its own chunk, and a_ii; each (n,)."""
    n = len(diagonal)
    size = (n + CHUNKS - 1) // CHUNKS
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


def _kernels_of_width(width: int) -> SimpleNamespace:
    @parallel()
    def relax_forwards(indptr, indices, data, inverse_diagonal, b, x):
        """x = (lower triangle inside each chunk)^-1 b: a Gauss-Seidel sweep from zero, rows upwards."""
        n = len(inverse_diagonal)
        size = (n + CHUNKS - 1) // CHUNKS
        for chunk in prange(CHUNKS):
            first = chunk * size
            for i in range(first, min(n, first + size)):
                total = load(b, i, width)
                for place in range(indptr[i], indptr[i + 1]):
                    j = indices[place]
                    if j >= i:
                        break
                    if j >= first:
                        total = minus(total, data[place], load(x, j, width))
                store(x, i, times(inverse_diagonal[i], total))

    @parallel()
    def residual(indptr, indices, data, inverse_diagonal, x, r):
        """r = b - A x after `relax_forwards` from b to x: what its triangle, solved, has left out of A."""
        n = len(r)
        size = (n + CHUNKS - 1) // CHUNKS
        for chunk in prange(CHUNKS):
            first = chunk * size
            for i in range(first, min(n, first + size)):
                start, place = indptr[i], indptr[i + 1] - 1
                total = times(0.0, load(x, i, width))
                while indices[place] > i:
                    total = minus(total, data[place], load(x, indices[place], width))
                    place -= 1
                total = plus(total, 1 / inverse_diagonal[i] - data[place], load(x, i, width))
                while indices[start] < first:
                    total = minus(total, data[start], load(x, indices[start], width))
                    start += 1
                store(r, i, total)

    @parallel()
    def relax_backwards(indptr, indices, data, inverse_diagonal, b, old, x):
        """A Gauss-Seidel sweep of A x = b, rows downwards; other chunks are seen at their ``old`` values."""
        n = len(inverse_diagonal)
        size = (n + CHUNKS - 1) // CHUNKS
        for chunk in prange(CHUNKS):
            first, last = chunk * size, min(n, chunk * size + size)
            for step in range(last - first):
                i = last - 1 - step
                total = load(b, i, width)
                place, end = indptr[i], indptr[i + 1]
                while place < end and indices[place] <= i:
                    total = minus(total, data[place], load(old, indices[place], width))
                    place += 1
                while place < end and indices[place] < last:
                    total = minus(total, data[place], load(x, indices[place], width))
                    place += 1
                while place < end:
                    total = minus(total, data[place], load(old, indices[place], width))
                    place += 1
                store(x, i, plus(load(old, i, width), inverse_diagonal[i], total))

    @parallel()
    def transfer(indptr, indices, data, x, y):
        """y += M x: prolongation, and restriction by the transposed matrix."""
        n = len(y)
        size = (n + CHUNKS - 1) // CHUNKS
        for chunk in prange(CHUNKS):
            for i in range(chunk * size, min(n, chunk * size + size)):
                total = load(y, i, width)
                for place in range(indptr[i], indptr[i + 1]):
                    total = plus(total, data[place], load(x, indices[place], width))
                store(y, i, total)

    @parallel()
    def product(indptr, indices, data, p, q, partial):
        """q = A p in double precision; chunk sums of p.q into partial."""
        n = len(q)
        size = (n + CHUNKS - 1) // CHUNKS
        for chunk in prange(CHUNKS):
            for k in range(width):
                partial[chunk, k] = 0.0
            nothing = load(partial, chunk, width)
            along = nothing
            for i in range(chunk * size, min(n, chunk * size + size)):
                total = nothing
                for place in range(indptr[i], indptr[i + 1]):
                    total = plus(total, data[place], load(p, indices[place], width))
                store(q, i, total)
                along = plus(along, load(p, i, width), total)
            store(partial, chunk, along)

    return SimpleNamespace(
        relax_forwards=relax_forwards,
        relax_backwards=relax_backwards,
        residual=residual,
        transfer=transfer,
        product=product,
    )


@cache
def kernels_of_width(width: int) -> SimpleNamespace:
    """The matrix kernels (two sweeps, residual, transfer, product) for one of `WIDTHS` columns."""
    if width not in WIDTHS:
        raise ValueError(f"Input width must be one of {WIDTHS}; instead received {width}.")
    return _kernels_of_width(width)
