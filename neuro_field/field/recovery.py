"""The potential's gradient at points, recovered inside each tissue and never across a tissue boundary."""

from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_matrix

from neuro_field.arrays import AnyArray, BoolArray, FloatArray, IntArray, unwritable
from neuro_field.kernels import recovery as kernel
from neuro_field.kernels.recovery import COEFFICIENTS
from neuro_field.nouns import noun

if TYPE_CHECKING:
    from neuro_field.field.linear import LinearSystem

#: More than any tissue tag.
_TAGS = 2**31


@noun
class Recovery:
    """The polynomials around the nodes of the elements that hold some points, and how points draw on them.

    At every node of those elements a cubic is fitted to the potential over the node's two rings of neighbours in the
    element's own tissue: harmonic, since the potential is; any cubic where it is not: where conductivity varies within
    the tissue, or dA/dt diverges.  Where a tissue conducts as one tensor the potential is harmonic in stretched
    positions (`LinearSystem.stretches`), and all is done in these.  The gradients of the four nodes' cubics at the
    point are averaged by its barycentric coordinates.

    Relative L2 error of E (and, over |E| >= 10 % of its largest, the 99th percentile of the pointwise one), %, on
    concentric spheres (`sphere_head`, 121k / 280k nodes, edge 4 / 3 mm) under a figure-8 at 4 mm:

    ==================  =========================  =========================
    points              this                       element values
    ==================  =========================  =========================
    brain               0.10 (0.30) / 0.06 (0.21)  3.9 (10.0) / 3.0 (7.7)
    its outer 2 mm      0.22 (0.54) / 0.14 (0.47)  4.0 (10.5) / 3.0 (8.2)
    its surface nodes   0.40 (1.30) / 0.31 (1.16)
    ==================  =========================  =========================

    Wider weights do still better on spheres and worse where a boundary folds within a few elements: on a brain with a
    jagged grey-white boundary (elements of 6 mm, against the same mesh cut eightfold) widths of 0.4 / 0.5 / 0.6 / 0.7 /
    1.0 mean edges leave 2.4 / 1.9 / 2.1 / 2.6 / 3.3 %, averages over patches 3.2 %.

    Parameters
    ----------
    system : LinearSystem
    elements : (m,) int array
        Holding each point; none negative.
    shares : (m, 4) array
        Barycentric coordinates.
    nodes, tags : (q,) arrays
        Different pairs of a node and the tissue it is looked at from.
    places : (m, 4) int array
        Which of these each node of an element is.
    harmonic : (q,) bool array
    stretch : (q, 3, 3) array
    """

    system: "LinearSystem"
    elements: IntArray
    shares: FloatArray
    nodes: AnyArray
    tags: AnyArray
    places: AnyArray
    harmonic: BoolArray
    stretch: FloatArray

    @classmethod
    def of(cls, system: "LinearSystem", elements: IntArray, shares: FloatArray, divergence_free: bool) -> "Recovery":
        """For points given by element (m,) and barycentric coordinates (m, 4), and a potential that dA/dt drives."""
        mesh = system.head.mesh
        slots = mesh.tets[elements].astype(np.int64) * _TAGS + mesh.tags[elements, None]
        different, places = np.unique(slots, return_inverse=True)
        nodes, tags = different // _TAGS, different % _TAGS
        alike, stretches = system.stretches
        row = np.searchsorted(alike, tags)
        harmonic = np.isin(tags, alike) & divergence_free
        stretch = np.broadcast_to(np.eye(3), (len(tags), 3, 3)).copy()
        stretch[harmonic] = stretches[row[harmonic]]
        return cls(system, elements, shares, nodes, tags, places.reshape(-1, 4), harmonic, stretch)

    def gradient(self, potential: FloatArray) -> FloatArray:
        """(m, 3) gradient of a nodal potential (n,) V at the points, V/m."""
        mesh, system = self.system.head.mesh, self.system
        polynomials, out = np.empty((len(self.nodes), COEFFICIENTS)), np.empty((len(self.elements), 3))
        kernel.fitted_polynomials(
            *self._mesh, unwritable(potential), self.nodes, self.tags, self.harmonic, self.stretch, polynomials
        )
        kernel.blended_gradients(
            system.nodes, mesh.tets, self.elements, self.shares, self.places, polynomials, self.stretch, out
        )
        return out

    def matrix(self) -> csr_matrix:
        """(3 m, n) the same as a matrix, row 3 i + c the component c at point i."""
        count = np.empty(len(self.nodes), np.int64)
        kernel.patch_sizes(*self._mesh, self.nodes, self.tags, count)
        starts = np.concatenate([[0], np.cumsum(count)])
        columns, maps = np.empty(starts[-1], np.int64), np.empty((starts[-1], COEFFICIENTS))
        kernel.fitted_maps(*self._mesh, self.nodes, self.tags, self.harmonic, self.stretch, starts, columns, maps)
        terms = np.empty((len(self.elements), 3, 4, COEFFICIENTS))
        mesh, system = self.system.head.mesh, self.system
        kernel.gradient_terms(system.nodes, mesh.tets, self.elements, self.shares, self.places, self.stretch, terms)
        count = np.empty(len(self.elements), np.int64)
        kernel.gradient_sizes(self.places, starts, columns, count)
        ends = np.concatenate([[0], np.cumsum(np.repeat(count, 3))])
        indices, data = np.empty(ends[-1], np.int32), np.empty(ends[-1])
        kernel.gradient_rows(self.places, starts, columns, maps, terms, ends, indices, data)
        out = csr_matrix((data, indices, ends), shape=(3 * len(terms), len(system.nodes)))
        out.has_sorted_indices = True
        return out

    @property
    def _mesh(self) -> tuple[AnyArray, ...]:
        mesh, system = self.system.head.mesh, self.system
        return system.nodes, mesh.tets, mesh.tags, system.offsets, system.slots
