"""Rows and columns of a sparse matrix in another order, its entries sorted by column within each row."""

from numba import prange

from neuro_field.kernels.turns import parallel


@parallel()
def reordered(indptr, indices, order, place, out_indptr, out_indices, entry):
    """Where the entries of a reordered matrix stand in the old one.

    indptr (n + 1,), indices of the old matrix; order (n,) the old row of each new one, place (n,) the new row of each
    old one; out_indptr (n + 1,) given; out_indices and entry are filled: the new columns, and for each the entry of
    the old matrix that belongs there.
    """
    for row in prange(len(order)):
        old, first = order[row], out_indptr[row]
        for count, source in enumerate(range(indptr[old], indptr[old + 1])):
            column = place[indices[source]]
            slot = first + count
            while slot > first and out_indices[slot - 1] > column:  # a row has some fifteen entries
                out_indices[slot] = out_indices[slot - 1]
                entry[slot] = entry[slot - 1]
                slot -= 1
            out_indices[slot] = column
            entry[slot] = source
