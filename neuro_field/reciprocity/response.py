"""What any coil does to one target, from a few adjoint solves: reciprocity.

The field in the elements of a target depends linearly on the coil's dipoles.  Fields of a few sample placements
span, to a thousandth, what this coil can do there; each vector u of their orthonormal basis becomes the source of one
adjoint solve (a target with a direction is asked for one component of each of its areas, and needs no more).  With
psi that solution and C its nodal vectors, the part of any field along u is
sum over dipoles of m . Q(x),  Q(x) = mu0/4pi sum_n C_n x (x - r_n)/|x - r_n|^3,
with the same discrete dA/dt as a forward solve, so both agree to the solver's tolerance (Koponen &
Stenroos 2019; Gomez et al. 2021 use reciprocity for the mean vector only).  Outside the head few charges stand for
all nodes (`neuro_field.reciprocity.charges`); coils that turn about one axis are answered together
(`neuro_field.reciprocity.turning`), all others by a table (`neuro_field.reciprocity.table`).
"""

from collections.abc import Callable, Sequence
from functools import cached_property

import numpy as np

from neuro_field.aim.target import Target
from neuro_field.arrays import FloatArray
from neuro_field.coil.coil import Coil
from neuro_field.coil.placement import Placement
from neuro_field.coil.sources import Dipoles
from neuro_field.field.field import Field
from neuro_field.field.probe import Probe
from neuro_field.field.solver import Solver
from neuro_field.field.treecode import Treecode
from neuro_field.kernels.table import mean_magnitude
from neuro_field.nouns import noun
from neuro_field.reciprocity.charges import Charges
from neuro_field.reciprocity.table import Table
from neuro_field.reciprocity.turning import Turning
from neuro_field.units import MILLIMETRES_PER_METRE

#: Basis vectors beyond this relative size, against the first, are rounding.
TRUNCATION = 1e-10

#: Most basis vectors: one block of adjoint solves.
MOST_MODES = 8

#: The samples need only span the fields: they are solved to this tolerance, under a coil simplified to this error.
SAMPLE_TOLERANCE = 3e-3
_SAMPLE_COIL_ERROR = 0.05

#: Nodes whose adjoint vectors are met with dA/dt together.
_NODES_AT_ONCE = 100_000


@noun
class Response:
    """The map from a coil's pose to the field in a target.

    Parameters
    ----------
    target : Target
    positions : (s, 3) array
        Of the coil's dipoles, coil frame, mm.
    moments : (s, 3) array
        A m2 per A.
    basis : (3 r, k) array
        Orthonormal; fields in the target, each element scaled by the root of its weight.
    sought : (3 r, w) array
        The vectors along which fields are computed: the basis, or what a target with a direction measures, one for each
        of its areas.
    tree : Treecode
        The adjoint currents of those vectors.
    charges : Charges
        Their magnetic fields outside the head.
    truncation : float
        Relative size of the first basis vector left out.
    """

    target: Target
    positions: FloatArray
    moments: FloatArray
    basis: FloatArray
    sought: FloatArray
    tree: Treecode
    charges: Charges
    truncation: float

    def strengths(
        self, head_from_coil: FloatArray, didt: float = 1e6, progress: Callable[[float], None] | None = None
    ) -> FloatArray:
        """What the target measures (mean |E|, or the mean along its direction) under poses (p, 4, 4); (p,) V/m.

        The coil must be outside the head.  What is computed for some poses is kept for those of later calls.
        """
        sums, found = self._turning.sums(head_from_coil)
        if not found.all():
            sums[~found] = self._table.contracted(head_from_coil[~found], self.positions, self.moments, progress)
        return self._measured(sums) * didt

    def strengths_untabulated(self, head_from_coil: FloatArray, didt: float = 1e6) -> FloatArray:
        """The same by the sum over all of them, as a forward solve; a second for each pose."""
        sums = np.empty((len(head_from_coil), self.sought.shape[1]))
        dipoles = Dipoles(self.positions, self.moments)
        points = self.tree.points * MILLIMETRES_PER_METRE
        for p, pose in enumerate(head_from_coil):
            dadt, total = dipoles.carried(pose).potential(points), np.zeros(sums.shape[1])
            for first in range(0, len(points), _NODES_AT_ONCE):
                part = slice(first, first + _NODES_AT_ONCE)
                weights = self.tree.weights[part].astype(np.float64)
                total += np.einsum("nd,nkd->k", dadt[part], weights.reshape(len(weights), -1, 3), optimize=True)
            sums[p] = total
        return self._measured(sums) * didt

    @cached_property
    def _table(self) -> Table:
        return Table(self.charges)

    @cached_property
    def _turning(self) -> Turning:
        return Turning(self.charges, self.positions, self.moments)

    def _measured(self, sums: FloatArray) -> FloatArray:
        """What the target sees of fields given by their parts (p, w) along the vectors sought."""
        areas, along = self.target.areas, self.target.direction
        vectors = self.sought.reshape(len(areas), 3, -1)
        if along is not None:
            means = sums @ np.einsum("ra,rdw,d->wa", areas, vectors, along)
            return (np.abs(means) if self.target.either_way else means).min(axis=1)
        weakest = np.full(len(sums), np.inf)
        for area in areas.T:
            own, out = np.flatnonzero(area), np.empty(len(sums))
            within = np.ascontiguousarray(vectors[own].transpose(1, 2, 0))
            mean_magnitude(np.ascontiguousarray(sums), within, area[own], out)
            weakest = np.minimum(weakest, out)
        return weakest


def response(
    solver: Solver, coil: Coil, target: Target, samples: Sequence[Placement], *, modes: int = MOST_MODES
) -> Response:
    """Sample, reduce, solve the adjoints, and find the charges that stand for their currents.

    Parameters
    ----------
    solver : Solver
    coil : Coil
        Made of dipoles, or of wires that close.
    target : Target
    samples : sequence of Placement
        Spread over the candidates; at least as many as basis vectors wanted.
    modes : int
        Most basis vectors; all of three times the target's elements leave nothing out.
    """
    return responses(solver, coil, [target], samples, modes=modes)[0]


def responses(
    solver: Solver, coil: Coil, targets: Sequence[Target], samples: Sequence[Placement], *, modes: int = MOST_MODES
) -> list[Response]:
    """The responses of several targets to one coil: the samples are solved once."""
    simple = coil.simplified(error=_SAMPLE_COIL_ERROR)
    if all(target.direction is not None for target in targets):  # ranked without the basis, which others look at
        samples = samples[:: max(1, len(samples) // modes)]
    fields = solver.loosened(SAMPLE_TOLERANCE).solve_many(simple, samples, didt=1.0)
    positions, moments = coil.dipoles
    out = []
    for target in targets:
        u, sizes, _ = np.linalg.svd(snapshots(target, fields), full_matrices=False)
        kept = min(int(np.count_nonzero(sizes > TRUNCATION * sizes[0])), modes)
        basis = u[:, :kept]
        along = target.direction
        sought = basis if along is None else _directed(target, along)
        tree = _adjoint_currents(solver, target, sought)
        charges = Charges.fitted(solver.head.scalp, solver.head.mesh.centroids[target.elements], tree)
        truncation = float(sizes[kept] / sizes[0]) if kept < len(sizes) else 0.0
        out.append(Response(target, positions, moments, basis, sought, tree, charges, truncation))
    return out


def _directed(target: Target, along: FloatArray) -> FloatArray:
    """(3 r, k) orthonormal vectors whose parts of a field are the mean along a direction, one for each area."""
    vectors = np.einsum("ra,d->rda", target.areas, along).reshape(-1, target.areas.shape[1])
    return vectors / np.linalg.norm(vectors, axis=0)


def snapshots(target: Target, fields: Sequence[Field]) -> FloatArray:
    """(3 r, f) fields in a target, each element scaled by the root of its weight."""
    return np.stack([(target.roots[:, None] * target.values(field)).ravel() for field in fields], axis=1)


def probe_of(solver: Solver, target: Target) -> Probe:
    """What a target measures, as a linear map of what the solver solves for."""
    return Probe(solver.system, target.elements)


def _adjoint_currents(solver: Solver, target: Target, sought: FloatArray) -> Treecode:
    """Vectors whose products with dA/dt sum to the parts of the target's field along some vectors."""
    probe = probe_of(solver, target)
    weighted = target.roots[:, None, None] * sought.reshape(len(target.roots), 3, -1)  # (r, 3, w)
    return probe.currents(weighted, solver.potentials(probe.adjoint_loads(weighted))[0])
