"""Which elements hang together through their faces."""

from numba import njit


@njit(cache=True)
def _across(tets, offsets, star, tet, corner):
    """The element on the other side of the face opposite a corner, or -1 at the boundary."""
    a = tets[tet, (corner + 1) & 3]
    b = tets[tet, (corner + 2) & 3]
    c = tets[tet, (corner + 3) & 3]
    for at in range(offsets[a], offsets[a + 1]):
        other = star[at]
        if other == tet:
            continue
        found = 0
        for k in range(4):
            node = tets[other, k]
            if node in (b, c):
                found += 1
        if found == 2:
            return other
    return -1


@njit(cache=True)
def number_pieces(tets, offsets, star, queue, piece):
    """Number the face-connected pieces of a mesh from 0; returns how many there are.

    ``offsets`` and ``star`` are those of `lattice_stars.build_stars`, ``queue`` (t,) int32 is scratch space,
    ``piece`` (t,) int32 comes in as -1.
    """
    pieces = 0
    for seed in range(len(tets)):
        if piece[seed] >= 0:
            continue
        piece[seed] = pieces
        queue[0] = seed
        first = 0
        last = 1
        while first < last:
            tet = queue[first]
            first += 1
            for corner in range(4):
                other = _across(tets, offsets, star, tet, corner)
                if other >= 0 and piece[other] < 0:
                    piece[other] = pieces
                    queue[last] = other
                    last += 1
        pieces += 1
    return pieces
