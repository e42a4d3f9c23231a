"""Adjoint potentials for every conductivity of a family, from a few that were solved: a reduced basis.

The stiffness is a sum over parts of the head, K(s) = sum_q s_q K_q, with s_q the conductivity of part q as a multiple
of the head's own, and so is every load.  Potentials solved for a few s span a space V in which all others are found
by Galerkin's method: (V' K(s) V) y = V' g, psi = V y (Rozza, Huynh & Patera 2008, Arch Comput Methods Eng 15:229).
"""

from collections.abc import Iterator, Sequence

import numpy as np

from neuro_field.arrays import AnyArray, BoolArray, FloatArray, IntArray
from neuro_field.field.solver import Solver
from neuro_field.field.system import System
from neuro_field.head.model import HeadModel
from neuro_field.nouns import noun

#: Directions of the space whose energy is below this share of the largest are rounding.
_NEGLIGIBLE = 1e-12

#: Potentials that only span the space are solved to this tolerance: draws err by a few thousandths anyhow.
_SNAPSHOT_TOLERANCE = 1e-4

#: Rows of a space that are looked at together.
_ROWS = 50_000


@noun
class Reduced:
    """A space of potentials and the equations in it.

    Parameters
    ----------
    parts : tuple of System
        The equations' shares (`System.part`).
    spaces : tuple of (u, N) float32 arrays
        Potentials at each part's own unknowns, V, orthonormal in the energy of the head as it is.
    stiffness : (q, N, N) array
        The parts' in the space.
    loads : (N, k) array
        Of the adjoint problems, in the space.
    """

    parts: tuple[System, ...]
    spaces: tuple[AnyArray, ...]
    stiffness: FloatArray
    loads: FloatArray

    def potentials(self, scales: FloatArray) -> FloatArray:
        """Coordinates (N, k) in the space of the potentials under conductivities ``scales`` (q,)."""
        return np.linalg.solve(np.tensordot(scales, self.stiffness, axes=1), self.loads).astype(np.float64, copy=False)

    def couplings(self, dadt: FloatArray, potentials: FloatArray) -> FloatArray:
        """(q, N, p): the space met with what each part's load of dA/dt (u, p, 3) V/m leaves of potentials (u, p) V.

        A load less the stiffness times a potential near the answer is small, and so is what an error of the adjoint
        makes of it.
        """
        beside = dadt.transpose(0, 2, 1)  # as it lies in memory (`Solver.nodal_dadt`), so that a part is copied once
        return np.stack([
            own.T @ (part.load(beside[part.used].transpose(0, 2, 1)) - part.product(potentials[part.used])).astype(
                np.float32
            )
            for part, own in zip(self.parts, self.spaces, strict=True)
        ])  # fmt: skip


def reduced(
    solver: Solver, loads: Sequence[FloatArray], heads: Sequence[HeadModel], parts: Sequence[BoolArray]
) -> list[Reduced]:
    """Reduced equations of several sets of adjoint problems.

    Parameters
    ----------
    solver : Solver
        Of the head as it is.
    loads : sequence of (n, k) arrays
        One set each; every column sums to zero.
    heads : sequence of HeadModel
        The head's mesh with other conductivities of the family; the head as it is comes on top.
    parts : sequence of (t,) bool arrays
        Disjoint, and together the whole head.

    Returns
    -------
    list of Reduced
        One for each set.
    """
    ends = np.cumsum([0, *(load.shape[1] for load in loads)])
    together = np.concatenate(loads, axis=1)
    own = solver.potentials(together)[0]
    spaces = [np.empty((len(own), (1 + len(heads)) * load.shape[1]), np.float32) for load in loads]
    _fill(spaces, 0, ends, own)
    for place, head in enumerate(heads, start=1):
        other = solver.retuned(head).loosened(_SNAPSHOT_TOLERANCE).potentials(together)[0]
        _fill(spaces, place, ends, np.subtract(other, own, out=other))
    del own
    shares = tuple(solver.system.part(part) for part in parts)
    spaces.reverse()  # one after the other goes
    return [_orthonormal(spaces.pop(), shares, load) for load in loads]


def _fill(spaces: Sequence[AnyArray], place: int, ends: IntArray, potentials: FloatArray) -> None:
    """Put potentials (u, k) of all sets into their spaces, as the block at a place."""
    for space, first, last in zip(spaces, ends[:-1], ends[1:], strict=True):
        space[:, place * (last - first) : (place + 1) * (last - first)] = potentials[:, first:last]


def _orthonormal(space: AnyArray, parts: tuple[System, ...], loads: FloatArray) -> Reduced:
    """The equations in directions that are orthonormal in energy, without those that are rounding."""
    stiffness = np.stack([_met(space[part.used], part) for part in parts])
    size = 1 / np.sqrt(np.diag(stiffness.sum(axis=0)))
    energy, directions = np.linalg.eigh(stiffness.sum(axis=0) * size * size[:, None])
    kept = energy > _NEGLIGIBLE * energy[-1]
    change = size[:, None] * directions[:, kept] / np.sqrt(energy[kept])
    met = sum(space[at].T @ loads[at] for at in _runs(len(space)))
    return Reduced(
        parts, tuple(_changed(space, part.used, change) for part in parts),
        change.T @ stiffness @ change, change.T @ met,
    )  # fmt: skip


def _changed(space: AnyArray, rows: IntArray, change: AnyArray) -> AnyArray:
    """(m, N) some rows of a space in other directions."""
    out = np.empty((len(rows), change.shape[1]), np.float32)
    for at in _runs(len(rows)):
        out[at] = space[rows[at]] @ change
    return out


def _runs(count: int) -> Iterator[slice]:
    """Rows, some after the other."""
    return (slice(first, first + _ROWS) for first in range(0, count, _ROWS))


def _met(space: AnyArray, part: System) -> FloatArray:
    """(N, N) a part's stiffness in a space (n, N) on its unknowns."""
    out = np.zeros(2 * (space.shape[1],))
    for at in _runs(len(space)):
        out += space[at].T.astype(np.float64) @ part.product(space, at)
    return (out + out.T) / 2
