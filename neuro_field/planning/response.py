"""What any coil does to one target, from a few adjoint solves: reciprocity.

The field in the elements of a target depends linearly on the coil's dipoles.  Fields of a few sample placements
span, to a thousandth, what this coil can do there; each vector u of their orthonormal basis becomes the source of one
adjoint solve.  With psi that solution and C its nodal vectors, the part of any field along u is
sum over dipoles of m . Q(x),  Q(x) = mu0/4pi sum_n C_n x (x - r_n)/|x - r_n|^3,
with the same discrete dA/dt as a forward solve in the Coulomb gauge, so both agree to the solver's tolerance; in that
gauge Q is a sum over points that a treecode can do (Koponen & Stenroos 2019; Gomez et al. 2021 use reciprocity for the
mean vector only; with one direction per axis and no samples this is that).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from neuro_field.arrays import FloatArray, IntArray
from neuro_field.coil.coil import Coil
from neuro_field.coil.placement import Placement
from neuro_field.field.solver import Solver
from neuro_field.field.treecode import Treecode
from neuro_field.kernels import table as kernel
from neuro_field.planning.target import Target
from neuro_field.units import MU0_OVER_4PI, metres

#: Basis vectors beyond this relative size, against the first, are dropped.
TRUNCATION = 3e-4

#: Most basis vectors: one block of adjoint solves.
MOST_MODES = 8

#: Of the grid on which the adjoint sums are tabulated, mm.
SPACING = 4.0

#: Placements, and grid nodes, evaluated together, so that the arrays stay small.
_BATCH = 256
_NODES_AT_ONCE = 4096


@dataclass(frozen=True, eq=False)
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
    tree : Treecode
        The adjoint currents.
    truncation : float
        Relative size of the first basis vector left out.
    """

    target: Target
    positions: FloatArray
    moments: FloatArray
    basis: FloatArray
    tree: Treecode
    truncation: float

    def strengths(
        self, head_from_coil: FloatArray, didt: float = 1e6, progress: Callable[[float], None] | None = None
    ) -> FloatArray:
        """What the target measures (mean |E|, or the mean along its direction) under poses (p, 4, 4); (p,) V/m.

        The sums Q are tabulated on a grid of `SPACING` mm around the dipoles' places and interpolated cubically.
        """
        rotations = np.ascontiguousarray(head_from_coil[:, :3, :3])
        centres = np.ascontiguousarray(head_from_coil[:, :3, 3])
        table = _Table.around(self, rotations, centres, progress)
        coefficients = np.empty((len(centres), self.basis.shape[1]))
        kernel.contract(
            rotations, centres, self.positions, self.moments, table.origin, SPACING, table.row, table.values,
            coefficients,
        )  # fmt: skip
        return self._measured(coefficients) * didt

    def strengths_untabulated(self, head_from_coil: FloatArray, didt: float = 1e6) -> FloatArray:
        """The same with Q summed at every dipole instead of interpolated: for few poses, and to check the table."""
        places = np.einsum("pij,sj->psi", head_from_coil[:, :3, :3], self.positions) + head_from_coil[:, None, :3, 3]
        moments = np.einsum("pij,sj->psi", head_from_coil[:, :3, :3], self.moments)
        q = self.tree.magnetic_sum(metres(places.reshape(-1, 3))).reshape(*places.shape[:2], -1, 3)
        return self._measured(MU0_OVER_4PI * np.einsum("psi,pski->pk", moments, q)) * didt

    def _measured(self, coefficients: FloatArray) -> FloatArray:
        out = np.empty(len(coefficients))
        for first in range(0, len(out), _BATCH):
            part = slice(first, first + _BATCH)
            out[part] = self.target.seen((coefficients[part] @ self.basis.T).reshape(len(out[part]), -1, 3))
        return out


@dataclass(frozen=True, eq=False)
class _Table:
    """Q on the grid nodes that interpolation needs: ``row`` (a, b, c) names each node's row of values (q, 3, k)."""

    origin: FloatArray
    row: IntArray
    values: FloatArray

    @classmethod
    def around(
        cls, response: Response, rotations: FloatArray, centres: FloatArray, progress: Callable[[float], None] | None
    ) -> "_Table":
        places = (np.einsum("pij,sj->psi", rotations, response.positions) + centres[:, None]).reshape(-1, 3)
        origin = places.min(axis=0) - 2 * SPACING
        shape = ((places.max(axis=0) - origin) / SPACING).astype(int) + 4
        needed = np.zeros(shape, dtype=bool)
        kernel.mark(places, origin, SPACING, needed)
        row = np.cumsum(needed.ravel(), dtype=np.int32).reshape(shape) - 1
        nodes = origin + SPACING * np.argwhere(needed)
        values = np.empty((len(nodes), 3, response.basis.shape[1]))
        for first in range(0, len(nodes), _NODES_AT_ONCE):
            part = slice(first, first + _NODES_AT_ONCE)
            values[part] = MU0_OVER_4PI * np.moveaxis(response.tree.magnetic_sum(metres(nodes[part])), 2, 1)
            if progress:
                progress(min(1.0, (first + _NODES_AT_ONCE) / len(nodes)))
        return cls(origin, row, values)


def response(solver: Solver, coil: Coil, target: Target, samples: Sequence[Placement]) -> Response:
    """Sample, reduce, solve the adjoints, and box their currents.

    Parameters
    ----------
    solver : Solver
    coil : Coil
        Made of dipoles, or of wires that close.
    target : Target
    samples : sequence of Placement
        Spread over the candidates; two to three times as many as basis vectors wanted.
    """
    system = solver.system
    root = target.roots
    fields = solver.solve_many(coil, samples, didt=1.0, gauge="coulomb")
    snapshots = np.stack([(root[:, None] * target.values(field)).ravel() for field in fields], axis=1)
    u, sizes, _ = np.linalg.svd(snapshots, full_matrices=False)
    kept = min(int(np.count_nonzero(sizes > TRUNCATION * sizes[0])), MOST_MODES)
    basis = u[:, :kept]
    weighted = root[:, None, None] * basis.reshape(len(root), 3, kept)  # (r, 3, k)
    potentials, _ = solver.potentials(adjoint_loads(solver, target, weighted))
    currents = system.adjoint_sources(potentials)
    for corner in range(4):
        np.add.at(currents, system.head.mesh.tets[target.elements, corner], -0.25 * np.moveaxis(weighted, 2, 1))
    positions, moments = coil.dipoles
    return Response(
        target, positions, moments, basis, Treecode.of(system.nodes, currents),
        float(sizes[kept] / sizes[0]) if kept < len(sizes) else 0.0,
    )  # fmt: skip


def adjoint_loads(solver: Solver, target: Target, weighted: FloatArray) -> FloatArray:
    """Sources (n, k) of the adjoint potentials: sum over the target's elements of weight . grad(l_i)."""
    tets = solver.head.mesh.tets[target.elements]
    corners = solver.system.nodes[tets]
    inverse = np.linalg.inv(corners[:, 1:] - corners[:, :1])  # its columns are the gradients of l_1, l_2, l_3
    gradients = np.concatenate([-inverse.sum(axis=2, keepdims=True), inverse], axis=2)
    loads = np.zeros((len(solver.system.nodes), weighted.shape[2]))
    for corner in range(4):
        np.add.at(loads, tets[:, corner], np.einsum("ri,rik->rk", gradients[:, :, corner], weighted))
    return loads
