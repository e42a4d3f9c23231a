"""Adjoint potentials for every conductivity of a family, from a few that were solved: a reduced basis.

The stiffness is a sum over parts of the head, K(s) = sum_q s_q K_q, with s_q the conductivity of part q as a multiple
of the head's own, and so is every load.  Potentials solved for a few s span a space V in which all others are found
by Galerkin's method: (V' K(s) V) y = V' g, psi = V y (Rozza, Huynh & Patera 2008, Arch Comput Methods Eng 15:229).
"""

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from neuro_field.arrays import BoolArray, FloatArray
from neuro_field.field.solver import Solver
from neuro_field.field.system import System
from neuro_field.head.model import HeadModel
from neuro_field.nouns import noun

#: Directions of the space whose energy is below this share of the largest are rounding.
_NEGLIGIBLE = 1e-12

#: Potentials that only span the space are solved to this tolerance: draws err by a few thousandths anyhow.
_SNAPSHOT_TOLERANCE = 1e-4


@noun
class Reduced:
    """A space of potentials and the equations in it.

    Parameters
    ----------
    space : (u, N) array
        Potentials at the unknowns' points, V, orthonormal in the energy of the head as it is.
    parts : tuple of System
        The equations' shares (`System.part`), and
    stiffness : (q, N, N) array
        theirs in the space.
    loads : (N, k) array
        Of the adjoint problems, in the space.
    """

    space: FloatArray
    parts: tuple[System, ...]
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
        return np.stack([
            own.T @ (part.load(dadt[part.used]) - part.product(potentials[part.used])).astype(np.float32)
            for part, own in zip(self.parts, self._spaces, strict=True)
        ])  # fmt: skip

    @cached_property
    def _spaces(self) -> tuple[FloatArray, ...]:
        """The space on each part's own unknowns, in single precision: what it is met with is small already."""
        return tuple(self.space[part.used].astype(np.float32) for part in self.parts)


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
    ends = np.cumsum([load.shape[1] for load in loads])[:-1]
    together = np.concatenate(loads, axis=1)
    solved = [solver.potentials(together)[0]]
    for head in heads:
        solved.append(solver.retuned(head).loosened(_SNAPSHOT_TOLERANCE).potentials(together)[0])
    spaces = [
        np.concatenate([found[0], *(other - found[0] for other in found[1:])], axis=1)
        for found in zip(*(np.split(potentials, ends, axis=1) for potentials in solved), strict=True)
    ]
    del solved
    shares = tuple(solver.system.part(part) for part in parts)
    stiffness = [np.zeros((len(parts), space.shape[1], space.shape[1])) for space in spaces]
    for q, share in enumerate(shares):
        for space, each in zip(spaces, stiffness, strict=True):
            own = space[share.used]
            each[q] = own.T @ share.product(own)
    return [_orthonormal(space, shares, each, load) for space, each, load in zip(spaces, stiffness, loads, strict=True)]


def _orthonormal(space: FloatArray, parts: tuple[System, ...], stiffness: FloatArray, loads: FloatArray) -> Reduced:
    """The equations in directions that are orthonormal in energy, without those that are rounding."""
    size = 1 / np.sqrt(np.diag(stiffness.sum(axis=0)))
    energy, directions = np.linalg.eigh(stiffness.sum(axis=0) * size * size[:, None])
    kept = energy > _NEGLIGIBLE * energy[-1]
    change = size[:, None] * directions[:, kept] / np.sqrt(energy[kept])
    space = space @ change
    return Reduced(space, parts, change.T @ stiffness @ change, space.T @ loads)
