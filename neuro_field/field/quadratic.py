"""The discrete equations of a head in second-order elements, on the mesh of the first-order ones."""

from functools import cached_property

import numpy as np
from scipy.sparse import csr_matrix

from neuro_field.arrays import AnyArray, BoolArray, FloatArray, IntArray, read_only, unwritable
from neuro_field.field.engine import Smoother
from neuro_field.field.linear import LinearSystem
from neuro_field.field.multigrid import Level, Multigrid, transfer
from neuro_field.field.split import Split
from neuro_field.field.system import ALL, times
from neuro_field.head.model import HeadModel
from neuro_field.kernels import quadratic as kernel
from neuro_field.nouns import noun


@noun
class QuadraticSystem:
    """A `System` of second order: straight-sided elements of ten nodes, phi quadratic in each.

    Unknowns are numbered along ``along``: each vertex, then its edges to later vertices (`kernels.quadratic`).

    Parameters
    ----------
    linear : LinearSystem
        The same head in first-order elements, whose checks hold for these too.
    along : (n,) int array
        Vertices along a curve that keeps neighbours near.
    pattern : pair of arrays
        indptr (n + 1,) and indices of the first-order stiffness in that order, indices ascending.
    """

    linear: LinearSystem
    along: IntArray
    pattern: tuple[AnyArray, AnyArray]

    order = 2

    @property
    def head(self) -> HeadModel:
        """The head whose equations these are."""
        return self.linear.head

    @cached_property
    def first(self) -> IntArray:
        """(n + 1,) the unknown of each vertex in `along`, and at last their number."""
        out = np.empty(len(self.along) + 1, dtype=np.int32)
        kernel.first_unknowns(*self.pattern, out)
        return out

    @cached_property
    def unknowns(self) -> IntArray:
        """(t, 10) unknowns of each element: its vertices, then the edges 01, 02, 03, 12, 13, 23."""
        tets = self.linear.tets
        places = np.empty(len(self.along), dtype=np.int32)
        places[self.along] = np.arange(len(self.along), dtype=np.int32)
        out = np.empty((len(tets), 10), dtype=np.int32)
        kernel.element_unknowns(places[tets], *self.pattern, self.first, out)
        return out

    @cached_property
    def ends(self) -> IntArray:
        """(u, 2) vertices, in `along`, in whose middle each unknown lies: twice the same for a vertex."""
        indptr, indices = self.pattern
        later = indices > np.repeat(np.arange(len(self.along)), np.diff(indptr))
        out = np.repeat(np.arange(len(self.along), dtype=np.int32), np.diff(self.first))[:, None].repeat(2, axis=1)
        on_edge = np.ones(len(out), dtype=bool)
        on_edge[self.first[:-1]] = False
        out[on_edge, 1] = indices[later]
        return read_only(out)

    @cached_property
    def points(self) -> FloatArray:
        """(u, 3) where the unknowns lie, mm, head frame."""
        nodes = self.head.mesh.nodes[self.linear.used][self.along]
        return (nodes[self.ends[:, 0]] + nodes[self.ends[:, 1]]) / 2

    @property
    def stiffness(self) -> csr_matrix:
        """(u, u) K in S, symmetric, with constants in its null space; made anew each time, for it is large."""
        linear = self.linear
        around = (self.unknowns, linear.offsets, linear.slots, self.along, self.first)
        lengths = np.empty(self.first[-1], dtype=np.int32)
        kernel.row_lengths(*around, lengths)
        indptr = np.zeros(len(lengths) + 1, dtype=np.int32)
        np.cumsum(lengths, out=indptr[1:])
        products = np.empty((len(linear.tets), 6))
        kernel.edge_products(linear.nodes, linear.tets, *linear.conductivity, products)
        indices, data = np.empty(indptr[-1], dtype=np.int32), np.empty(indptr[-1])
        kernel.stiffness(products, *around, indptr.view(np.uint32), indices.view(np.uint32), data)
        return csr_matrix((data, indices, indptr), shape=2 * (len(lengths),))

    def load(self, dadt: FloatArray) -> FloatArray:
        """Right-hand sides (u, k) of k fields dA/dt given at `points`, (u, k, 3) V/m."""
        linear = self.linear
        out = np.empty(dadt.shape[:2])
        kernel.load(
            linear.nodes, linear.tets, *linear.conductivity, self.unknowns, linear.offsets, linear.slots,
            self.along, self.first, unwritable(dadt.transpose(0, 2, 1)), out,
        )  # fmt: skip
        return out

    def load_transpose(self, adjoint: FloatArray) -> FloatArray:
        """Vectors (u, k, 3) whose products with dA/dt at `points` sum to adjoint (u, k) . load."""
        linear = self.linear
        out = np.empty((*adjoint.shape, 3))
        kernel.load_transpose(
            linear.nodes, linear.tets, *linear.conductivity, self.unknowns, linear.offsets, linear.slots,
            self.along, self.first, unwritable(adjoint), out,
        )  # fmt: skip
        return out

    def product(self, potentials: AnyArray, rows: slice = ALL) -> FloatArray:
        """Rows (r, N) of the stiffness times potentials (u, N) V, A."""
        return times(self.stiffness, potentials, rows)

    def element_field(self, potential: FloatArray, dadt: FloatArray, elements: IntArray | None = None) -> FloatArray:
        """E = -grad phi - dA/dt (t, 3), V/m, of phi (u,) V and dA/dt (u, 3) V/m: its mean over some elements, or each.

        The mean of a quadratic over an element is -1/20 of each vertex and 1/5 of each edge; its gradient's is that at
        the centroid.
        """
        chosen = np.arange(len(self.linear.tets), dtype=np.int32) if elements is None else elements
        unknowns = self.unknowns[chosen]
        out = -self.gradient_at(potential, chosen, np.full((len(chosen), 4), 0.25))
        for local in range(10):
            out -= dadt[unknowns[:, local]] * (-0.05 if local < 4 else 0.2)
        return out

    def gradient_at(
        self, potential: FloatArray, elements: IntArray, shares: FloatArray, *, divergence_free: bool = True
    ) -> FloatArray:
        """Gradient (m, 3) of phi (u,) at points given by element (m,) and barycentric coordinates (m, 4), V/m."""
        out = np.empty((len(elements), 3))
        kernel.gradients(
            self.linear.nodes, self.linear.tets, self.unknowns, unwritable(potential),
            np.asarray(elements, dtype=np.int64), shares, out,
        )  # fmt: skip
        return out

    def gradient_matrix(self, elements: IntArray, shares: FloatArray, *, divergence_free: bool = True) -> csr_matrix:
        """(3 m, u) `gradient_at` as a matrix, row 3 i + c the component c at point i."""
        slopes = np.empty((len(elements), 3, 10))
        kernel.gradient_slopes(
            self.linear.nodes, self.linear.tets, np.asarray(elements, dtype=np.int64), shares, slopes
        )
        columns = self.unknowns[elements][:, None].repeat(3, axis=1)
        ends = np.arange(3 * len(slopes) + 1) * 10
        return csr_matrix((slopes.ravel(), columns.ravel(), ends), shape=(3 * len(slopes), self.first[-1]))

    def part(self, elements: BoolArray) -> "QuadraticSystem":
        """The share of these equations that some elements (t,) contribute, on their own unknowns."""
        linear = self.linear.part(elements)
        places = np.empty(len(self.along), dtype=np.int32)
        places[self.along] = np.arange(len(self.along), dtype=np.int32)
        along = np.argsort(places[linear.used], kind="stable").astype(np.int32)
        pattern = linear.stiffness[along][:, along].sorted_indices()
        out = QuadraticSystem(linear, along, (pattern.indptr, pattern.indices))
        used = np.empty(out.first[-1], dtype=np.int32)
        used[out.unknowns] = self.unknowns[elements]
        out.__dict__["used"] = used
        return out

    def retuned(self, head: HeadModel) -> "QuadraticSystem":
        """These equations with the conductivities of another head on the same mesh."""
        out = QuadraticSystem(self.linear.retuned(head), self.along, self.pattern)
        for name in ("first", "unknowns", "ends", "points"):
            if name in self.__dict__:
                out.__dict__[name] = self.__dict__[name]
        return out

    @cached_property
    def used(self) -> AnyArray:
        """(u,) which unknowns of the whole head these are: all, but for a `part`."""
        return np.arange(self.first[-1])


def raised(linear: Multigrid, system: QuadraticSystem, matrix: Split, smoother: Smoother) -> Multigrid:
    """A hierarchy of second-order elements above that of the first-order ones (p-multigrid).

    First-order functions are second-order ones whose value in the middle of an edge is the mean of its ends', so that
    the first-order matrix is exactly the coarse one of Galerkin.
    """
    u, n = len(system.ends), len(system.along)
    values = np.full(2 * u, 0.5)
    both = (values, system.ends.flatten(), np.arange(0, 2 * u + 1, 2))
    prolongation = csr_matrix(both, shape=(u, n))
    prolongation.sum_duplicates()
    finest = Level(matrix, smoother, transfer(prolongation), transfer(prolongation.T), n)
    return Multigrid((finest, *linear.levels), linear.coarsest)
