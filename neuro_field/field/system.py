"""The discrete equations of a head, of whichever order: what a solver, a response and a field ask of them."""

from typing import Protocol

import numpy as np
from scipy.sparse import csr_matrix

from neuro_field.arrays import AnyArray, BoolArray, FloatArray, IntArray, unwritable
from neuro_field.head.model import HeadModel
from neuro_field.kernels import assembly

#: Every row.
ALL = slice(None)


class System(Protocol):
    """K phi = b, with K_ij = integral of grad(N_i) . sigma grad(N_j) and b linear in dA/dt at the unknowns' points.

    `neuro_field.field.linear.LinearSystem` has unknowns at the nodes, `neuro_field.field.quadratic.QuadraticSystem` at
    the nodes and the middles of the edges.
    """

    @property
    def order(self) -> int:
        """Of the elements: 1 or 2."""

    @property
    def head(self) -> HeadModel:
        """Whose equations these are."""

    @property
    def points(self) -> FloatArray:
        """(u, 3) where the unknowns lie, mm, head frame."""

    @property
    def used(self) -> AnyArray:
        """(u,) which unknowns of the whole head these are: all, but for a `part`."""

    @property
    def stiffness(self) -> csr_matrix:
        """(u, u) K in S, symmetric, with constants in its null space."""

    def load(self, dadt: FloatArray) -> FloatArray:
        """Right-hand sides (u, k), A, of k fields dA/dt given at `points`, (u, k, 3) V/m."""

    def load_transpose(self, adjoint: FloatArray) -> FloatArray:
        """Vectors (u, k, 3) whose products with dA/dt at `points` sum to adjoint (u, k) . load."""

    def product(self, potentials: AnyArray, rows: slice = ALL) -> FloatArray:
        """Rows (r, N) of the stiffness times potentials (u, N) V: the currents that would drive them, A."""

    def element_field(self, potential: FloatArray, dadt: FloatArray, elements: IntArray | None = None) -> FloatArray:
        """E = -grad phi - dA/dt (t, 3), V/m, its mean over some elements, or each, of phi (u,) V and dA/dt (u, 3)."""

    def gradient_at(
        self, potential: FloatArray, elements: IntArray, shares: FloatArray, *, divergence_free: bool = True
    ) -> FloatArray:
        """Gradient (m, 3) of phi (u,), V/m, at points given by element (m,) and barycentric coordinates (m, 4).

        The best these elements have: recovered in first order, where it matters whether dA/dt is ``divergence_free``.
        """

    def gradient_matrix(self, elements: IntArray, shares: FloatArray, *, divergence_free: bool = True) -> csr_matrix:
        """(3 m, u) `gradient_at` as a matrix, row 3 i + c the component c at point i."""

    def part(self, elements: BoolArray) -> "System":
        """The share of these equations that some elements (t,) contribute, on their own unknowns, which `used` names.

        Shares of disjoint sets of elements add up.
        """

    def retuned(self, head: HeadModel) -> "System":
        """These equations with the conductivities of another head on the same mesh; what the mesh decides is shared."""


def times(matrix: csr_matrix, values: AnyArray, rows: slice = ALL) -> FloatArray:
    """(r, N) some rows of a matrix times values (u, N) of either precision, summed in double, on all threads."""
    first, last, _ = rows.indices(matrix.shape[0])
    out = np.empty((max(last - first, 0), values.shape[1]))
    triplet = (unwritable(part) for part in (matrix.indptr[first : last + 1], matrix.indices, matrix.data))
    assembly.product(*triplet, unwritable(values), out)
    return out
