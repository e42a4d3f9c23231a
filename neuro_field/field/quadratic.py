"""The discrete equations of a head in second-order elements, on the mesh of the first-order ones."""

from functools import cached_property

import numpy as np
from scipy.sparse import csr_matrix

from neuro_field.arrays import AnyArray, FloatArray, IntArray, read_only
from neuro_field.field.multigrid import Level, Multigrid, inverse_diagonal, single
from neuro_field.field.system import System, unwritable
from neuro_field.head.model import HeadModel
from neuro_field.kernels import quadratic as kernel
from neuro_field.nouns import noun


@noun
class QuadraticSystem:
    """Straight-sided elements of ten nodes: K phi = b with phi quadratic in each element.

    Unknowns are numbered along ``order``: each vertex, then its edges to later vertices (`kernels.quadratic`).

    Parameters
    ----------
    linear : System
        The same head in first-order elements, whose checks hold for these too.
    order : (n,) int array
        Vertices along a curve that keeps neighbours near.
    pattern : pair of arrays
        indptr (n + 1,) and indices of the first-order stiffness in that order, indices ascending.
    """

    linear: System
    order: IntArray
    pattern: tuple[AnyArray, AnyArray]

    @property
    def head(self) -> HeadModel:
        """The head whose equations these are."""
        return self.linear.head

    @cached_property
    def first(self) -> IntArray:
        """(n + 1,) the unknown of each vertex in `order`, and at last their number."""
        out = np.empty(len(self.order) + 1, dtype=np.int32)
        kernel.first_unknowns(*self.pattern, out)
        return out

    @cached_property
    def unknowns(self) -> IntArray:
        """(t, 10) unknowns of each element: its vertices, then the edges 01, 02, 03, 12, 13, 23."""
        tets = self.head.mesh.tets
        places = np.empty(len(self.order), dtype=np.int32)
        places[self.order] = np.arange(len(self.order), dtype=np.int32)
        out = np.empty((len(tets), 10), dtype=np.int32)
        kernel.element_unknowns(places[tets], *self.pattern, self.first, out)
        return out

    @cached_property
    def ends(self) -> IntArray:
        """(u, 2) vertices, in `order`, in whose middle each unknown lies: twice the same for a vertex."""
        indptr, indices = self.pattern
        later = indices > np.repeat(np.arange(len(self.order)), np.diff(indptr))
        out = np.repeat(np.arange(len(self.order), dtype=np.int32), np.diff(self.first))[:, None].repeat(2, axis=1)
        on_edge = np.ones(len(out), dtype=bool)
        on_edge[self.first[:-1]] = False
        out[on_edge, 1] = indices[later]
        return read_only(out)

    @cached_property
    def points(self) -> FloatArray:
        """(u, 3) where the unknowns lie, mm, head frame."""
        nodes = self.head.mesh.nodes[self.order]
        return (nodes[self.ends[:, 0]] + nodes[self.ends[:, 1]]) / 2

    def stiffness(self) -> tuple[AnyArray, AnyArray, FloatArray]:
        """(u, u) K in S as CSR (indptr and indices uint32), symmetric, with constants in its null space."""
        mesh, linear = self.head.mesh, self.linear
        around = (self.unknowns, linear.offsets, linear.slots, self.order, self.first)
        lengths = np.empty(self.first[-1], dtype=np.int32)
        kernel.row_lengths(*around, lengths)
        indptr = np.zeros(len(lengths) + 1, dtype=np.uint32)
        np.cumsum(lengths, out=indptr[1:])
        products = np.empty((len(mesh.tets), 6))
        kernel.edge_products(linear.nodes, mesh.tets, *linear.conductivity, products)
        indices, data = np.empty(indptr[-1], dtype=np.uint32), np.empty(indptr[-1])
        kernel.stiffness(products, *around, indptr, indices, data)
        return indptr, indices, data

    def load(self, dadt: FloatArray) -> FloatArray:
        """Right-hand sides (u, k) of k fields dA/dt given at `points`, (u, k, 3) V/m."""
        linear = self.linear
        out = np.empty(dadt.shape[:2])
        kernel.load(
            linear.nodes, self.head.mesh.tets, *linear.conductivity, self.unknowns, linear.offsets, linear.slots,
            self.order, self.first, unwritable(dadt), out,
        )  # fmt: skip
        return out

    def element_field(self, potential: FloatArray, dadt: FloatArray) -> FloatArray:
        """E = -grad phi - dA/dt (t, 3), V/m, of phi (u,) V and dA/dt (u, 3) V/m: the mean over each element."""
        return -self.element_gradient(potential) - self.element_mean(dadt)

    def element_gradient(self, values: FloatArray, elements: IntArray | None = None) -> FloatArray:
        """Mean gradient of a field (u,) in some elements, or all, per metre: that at their centroids."""
        chosen = np.arange(len(self.head.mesh.tets), dtype=np.int32) if elements is None else elements
        return self.gradient_at(values, chosen, np.full((len(chosen), 4), 0.25))

    def gradient_at(self, values: FloatArray, elements: IntArray, shares: FloatArray) -> FloatArray:
        """Gradient (m, 3) of a field (u,) at points given by element (m,) and barycentric coordinates (m, 4)."""
        out = np.empty((len(elements), 3))
        kernel.gradients(
            self.linear.nodes, self.head.mesh.tets, self.unknowns, unwritable(values),
            np.asarray(elements, dtype=np.int64), shares, out,
        )  # fmt: skip
        return out

    def element_mean(self, values: AnyArray, elements: IntArray | slice = slice(None)) -> FloatArray:
        """Mean of a field (u, ...) over elements: -1/20 of each vertex and 1/5 of each edge."""
        unknowns = self.unknowns[elements]
        out: FloatArray = np.zeros((len(unknowns), *values.shape[1:]))
        for local in range(10):
            out += values[unknowns[:, local]] * (-0.05 if local < 4 else 0.2)
        return out


def raised(linear: Multigrid, system: QuadraticSystem, matrix: tuple[AnyArray, AnyArray, FloatArray]) -> Multigrid:
    """A hierarchy of second-order elements above that of the first-order ones (p-multigrid).

    First-order functions are second-order ones whose value in the middle of an edge is the mean of its ends', so that
    the first-order matrix is exactly the coarse one of Galerkin.
    """
    u, n = len(system.ends), len(system.order)
    values = np.full(2 * u, 0.5)
    both = (values, system.ends.flatten(), np.arange(0, 2 * u + 1, 2))
    prolongation = csr_matrix(both, shape=(u, n))
    prolongation.sum_duplicates()
    finest = Level(
        (matrix[0], matrix[1], matrix[2].astype(np.float32)),
        inverse_diagonal(*matrix),
        single(prolongation),
        single(prolongation.T),
        n,
    )
    return Multigrid((finest, *linear.levels), linear.coarsest)
