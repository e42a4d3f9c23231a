"""Fields of a coil's sources at very many points: by polynomials in boxes that are far from a source, plainly near it.

Away from its source a field is analytic.  Over a box it is taken as a polynomial of degree 4 in each coordinate,
through 5 x 5 x 5 Chebyshev points, once the source is at least `OPENING` times the box's longest side away.  That errs
by at most 5e-4 of a single dipole's largest value in the box where it is just far, and less by (d / h)^-5 at distance
d from a box of side h (Trefethen, Approximation Theory and Approximation Practice, 2013, chapter 8); what a coil's
dipoles leave together is about 1e-5 of its field.  A box takes over the polynomial of its parent, adds the sources that
are far from it and were not from its parent, and hands the others on; the points of the last boxes add theirs one by
one.  Whether a source is far depends on the box and this source alone, so the sum is as linear in the sources as the
plain one.  Boxes are those of `kernels.boxes`.
"""

import math

import numpy as np
from numba import njit, prange

from neuro_field.kernels.biot import VECTORS, K, dipole_field, wire_field
from neuro_field.kernels.turns import parallel

#: What the sources are, as their tables come from `dipole_sources` and `wire_sources`.
DIPOLE, WIRE = 0, 1

#: A source is far from a box at this many times the box's longest side (a wire: and its own length).
OPENING = 2.0

#: Points of the polynomials along each axis, and in a box.
DEGREES, TERMS = 5, 125

#: Points of a box that is not split, at most.
LEAF = 216

#: Half sides below this, m, count as this.
_THIN = 1e-9

_CHEBYSHEV = np.cos((np.arange(DEGREES) + 0.5) * np.pi / DEGREES)
_FROM_VALUES = np.linalg.inv(np.vander(_CHEBYSHEV, increasing=True))


@njit(cache=True, inline="always", error_model="numpy", fastmath=VECTORS)
def _far_wire_field(sources, count, px, py, pz):
    """As `wire_field` where u = length / (a + b) is below 1/4: ln((1 + u) / (1 - u)) by its series, to 1e-13."""
    ax = ay = az = 0.0
    for j in range(count):
        tx, ty, tz = sources[3, j], sources[4, j], sources[5, j]
        x, y, z = px - sources[0, j], py - sources[1, j], pz - sources[2, j]
        u, v, w = x - tx, y - ty, z - tz
        both = 1.0 / (math.sqrt(x * x + y * y + z * z) + math.sqrt(u * u + v * v + w * w))
        s = sources[6, j] * both
        s *= s
        series = 1.0 / 11.0 + s * (1.0 / 13.0 + s * (1.0 / 15.0 + s * (1.0 / 17.0 + s / 19.0)))
        series = 1.0 + s * (1.0 / 3.0 + s * (1.0 / 5.0 + s * (1.0 / 7.0 + s * (1.0 / 9.0 + s * series))))
        weight = 2.0 * sources[7, j] * both * series
        ax += weight * tx
        ay += weight * ty
        az += weight * tz
    return K * ax, K * ay, K * az


@njit(cache=True, error_model="numpy")
def _clearance(kind, sources, s, centre, half):
    """At most the distance from a box to where the field of source s is singular, m: it, or its wire."""
    x, y, z = sources[0, s], sources[1, s], sources[2, s]
    if kind == WIRE:
        x, y, z = x + 0.5 * sources[3, s], y + 0.5 * sources[4, s], z + 0.5 * sources[5, s]
    dx, dy, dz = centre[0] - x, centre[1] - y, centre[2] - z
    dx, dy, dz = max(abs(dx) - half[0], 0.0), max(abs(dy) - half[1], 0.0), max(abs(dz) - half[2], 0.0)
    distance = math.sqrt(dx * dx + dy * dy + dz * dz)
    return distance - 0.5 * sources[6, s] if kind == WIRE else distance


@njit(cache=True, error_model="numpy", fastmath=VECTORS)
def _values(kind, sources, count, centre, half, out):
    """Fields (3, TERMS) of far sources at the Chebyshev points of a box."""
    for i in range(DEGREES):
        x = centre[0] + half[0] * _CHEBYSHEV[i]
        for j in range(DEGREES):
            y = centre[1] + half[1] * _CHEBYSHEV[j]
            for k in range(DEGREES):
                z = centre[2] + half[2] * _CHEBYSHEV[k]
                if kind == DIPOLE:
                    field = dipole_field(sources, count, x, y, z)
                else:
                    field = _far_wire_field(sources, count, x, y, z)
                for c in range(3):
                    out[c, (i * DEGREES + j) * DEGREES + k] = field[c]


@njit(cache=True, inline="always")
def _five(row, at):
    return row[at], row[at + 1], row[at + 2], row[at + 3], row[at + 4]


@njit(cache=True, error_model="numpy", fastmath=VECTORS)
def _turned(matrix, source, out):
    """Contract the first axis of source (125,), which goes last in out (125,)."""
    for i in range(DEGREES):
        a = _five(matrix[i], 0)
        for r in range(25):
            out[DEGREES * r + i] = (
                a[0] * source[r] + a[1] * source[25 + r] + a[2] * source[50 + r] + a[3] * source[75 + r]
                + a[4] * source[100 + r]
            )  # fmt: skip


@njit(cache=True)
def _add_transformed(matrices, source, scratch, out):
    """Add source (3, 125), each axis transformed by its matrix (3, 5, 5), to out (3, 125)."""
    for c in range(3):
        _turned(matrices[0], source[c], scratch[0])
        _turned(matrices[1], scratch[0], scratch[1])
        _turned(matrices[2], scratch[1], scratch[0])
        for r in range(TERMS):
            out[c, r] += scratch[0, r]


@njit(cache=True)
def _from_parent(centre, half, above, wide, out):
    """Per axis the matrix (3, 5, 5) from the coefficients in a parent box (centre above, half wide) to those in its."""
    for axis in range(3):
        for i in range(DEGREES):
            for m in range(DEGREES):
                out[axis, i, m] = 0.0
        for j in range(DEGREES):
            t = (centre[axis] + half[axis] * _CHEBYSHEV[j] - above[axis]) / wide[axis]
            for i in range(DEGREES):
                power = _FROM_VALUES[i, j]
                for m in range(DEGREES):
                    out[axis, i, m] += power
                    power *= t


@njit(cache=True)
def _thick(halves, out):
    for c in range(3):
        out[c] = max(halves[c], _THIN)


@parallel(error_model="numpy", fastmath=VECTORS)
def expand(kind, sources, parents, centres, halves, inner, levels, place, coefficients, near, counts):
    """Polynomials of the boxes that are split, from the root down, for several tables of sources.

    sources (k, ., s) tables; parents, centres, halves of boxes; inner (i,) those that are split,
    by level, levels (l + 1,) where each level begins; place (b,) of a box among them, -1 for others.  Filled:
    coefficients (i, k, 3, 125) of x^a y^b z^c in units of the half sides, near (i, k, s) the sources that are not far
    from a box, counts (i, k) their number.
    """
    tables, _, width = sources.shape
    for level in range(len(levels) - 1):
        for both in prange(levels[level] * tables, levels[level + 1] * tables):
            at, table = both // tables, both % tables
            own = sources[table]
            box = inner[at]
            above = place[parents[box]] if parents[box] >= 0 else -1
            centre, half, values = np.empty(3), np.empty(3), np.empty((3, TERMS))
            for c in range(3):
                centre[c] = centres[box, c]
            _thick(halves[box], half)
            side = 2.0 * max(half[0], half[1], half[2])
            given = width if above < 0 else counts[above, table]
            far = np.empty((len(own), given))
            kept = gone = np.int64(0)  # a literal would have `_values` compiled a second time
            for k in range(given):
                s = k if above < 0 else near[above, table, k]
                reach = max(side, own[6, s]) if kind == WIRE else side
                if _clearance(kind, own, s, centre, half) >= OPENING * reach:
                    for c in range(len(own)):
                        far[c, gone] = own[c, s]
                    gone += 1
                else:
                    near[at, table, kept] = s
                    kept += 1
            counts[at, table] = kept
            coefficients[at, table, :, :] = 0.0
            matrices, scratch = np.empty((3, DEGREES, DEGREES)), np.empty((2, TERMS))
            if above >= 0:
                middle, wide = np.empty(3), np.empty(3)
                for c in range(3):
                    middle[c] = centres[parents[box], c]
                _thick(halves[parents[box]], wide)
                _from_parent(centre, half, middle, wide, matrices)
                _add_transformed(matrices, coefficients[above, table], scratch, coefficients[at, table])
            if gone > 0:
                _values(kind, far, gone, centre, half, values)
                for axis in range(3):
                    for i in range(DEGREES):
                        for j in range(DEGREES):
                            matrices[axis, i, j] = _FROM_VALUES[i, j]
                _add_transformed(matrices, values, scratch, coefficients[at, table])


@njit(cache=True, inline="always")
def _line(c, z):
    return c[0] + z * (c[1] + z * (c[2] + z * (c[3] + z * c[4])))


@njit(cache=True, error_model="numpy", fastmath=VECTORS)
def _polynomial(coefficients, x, y, z, out):
    """Values (m,) of the polynomial with coefficients (125,) at x, y, z (m,): Horner's rule, in vector registers."""
    out[:] = 0.0
    for i in range(4, -1, -1):
        c0, c1, c2 = _five(coefficients, 25 * i), _five(coefficients, 25 * i + 5), _five(coefficients, 25 * i + 10)
        c3, c4 = _five(coefficients, 25 * i + 15), _five(coefficients, 25 * i + 20)
        for n in range(len(out)):
            high = _line(c2, z[n]) + y[n] * (_line(c3, z[n]) + y[n] * _line(c4, z[n]))
            out[n] = out[n] * x[n] + (_line(c0, z[n]) + y[n] * (_line(c1, z[n]) + y[n] * high))


@njit(cache=True)
def _finite(value):
    """Compiled by itself: among reassociated sums, x - x is 0 whatever x."""
    return math.isfinite(value)


@parallel(error_model="numpy", fastmath=VECTORS)
def add_at_points(
    kind, sources, points, order, first, last, parents, centres, halves, leaves, place,
    coefficients, near, counts, columns, out, singular,
):  # fmt: skip
    """Add the fields to out (n, 3, .) at columns (k,), row order[n] for point n; arguments as `expand` filled them.

    points (n, 3) in the order of the boxes; leaves (l,) the boxes that are not split; singular (l,), filled: at how
    many points of a leaf, table by table, the field is not finite.  A leaf's rows stay in a cache for all tables.
    """
    for leaf in prange(len(leaves)):
        box = leaves[leaf]
        begin, size = first[box], last[box] - first[box]
        above = place[parents[box]] if parents[box] >= 0 else -1
        local, wide = np.empty((3, size)), np.empty(3)
        if above >= 0:
            _thick(halves[parents[box]], wide)
            for c in range(3):
                for n in range(size):
                    local[c, n] = (points[begin + n, c] - centres[parents[box], c]) / wide[c]
        singular[leaf] = 0
        for table in range(len(sources)):
            own, field = sources[table], np.zeros((3, size))
            if above >= 0:
                for c in range(3):
                    _polynomial(coefficients[above, table, c], local[0], local[1], local[2], field[c])
            count = own.shape[1] if above < 0 else counts[above, table]
            close = np.empty((len(own), count))
            for k in range(count):
                for c in range(len(own)):
                    close[c, k] = own[c, k if above < 0 else near[above, table, k]]
            for n in range(size if count else 0):
                x, y, z = points[begin + n, 0], points[begin + n, 1], points[begin + n, 2]
                one = dipole_field(close, count, x, y, z) if kind == DIPOLE else wire_field(close, count, x, y, z)
                for c in range(3):
                    field[c, n] += one[c]
            for n in range(size):
                for c in range(3):
                    out[order[begin + n], c, columns[table]] += field[c, n]
                singular[leaf] += not (_finite(field[0, n]) and _finite(field[1, n]) and _finite(field[2, n]))
