"""The discrete equations of a head in first-order elements."""

import copy
from functools import cached_property
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix

from neuro_field.arrays import AnyArray, BoolArray, FloatArray, IntArray, unwritable
from neuro_field.errors import InputError
from neuro_field.field.recovery import Recovery
from neuro_field.field.system import ALL, times
from neuro_field.head.model import HeadModel
from neuro_field.kernels import assembly
from neuro_field.nouns import noun
from neuro_field.units import metres

#: An element is flat when its volume is below this share of the mean: rounding gives flat ones a volume of either sign.
_FLAT = 1e-10

#: Conductivities of one tissue that differ by no more than this share are one number.
ROUNDING = 1e-6


@noun
class LinearSystem:
    """A `System` of first order: K phi = b with K_ij = sum_t V grad(l_i) . sigma grad(l_j), unknowns at the nodes.

    The mesh is refused, with counts and the first index, when an element is inverted or flat, a node belongs to no
    element, or the head falls into pieces.
    """

    head: HeadModel

    order = 1

    def __post_init__(self) -> None:
        mesh = self.head.mesh
        flat = np.flatnonzero(mesh.volumes <= _FLAT * abs(mesh.volumes.mean()))
        if len(flat):
            raise InputError(
                f"Every element must have a positive volume; instead {len(flat)} of {len(mesh.tets)} are inverted or "
                f"flat, the first is element {flat[0]} ({mesh.volumes[flat[0]]:.3g} mm3). Rebuild or repair the mesh."
            )
        doubled, torn = mesh.conformity()
        if len(doubled):
            raise InputError(
                f"Elements must not overlap; instead {len(doubled)} of {len(mesh.tets)} have a face that three or more "
                f"share, the first is element {doubled[0]}. Remove elements that are there twice."
            )
        if len(torn):
            raise InputError(
                f"The head must be whole; instead {len(torn)} nodes of its surface lie where another node lies, the "
                f"first is node {torn[0]}: a slit, across which no current would flow. Join these nodes."
            )
        unused = np.flatnonzero(np.diff(self.offsets) == 0)
        if len(unused):
            raise InputError(
                f"Every node must belong to an element; instead {len(unused)} of {len(mesh.nodes)} belong to none, "
                f"the first is node {unused[0]}. Remove them from the mesh."
            )
        piece = np.empty(len(mesh.nodes), dtype=np.int32)
        pieces = assembly.pieces(self.stiffness.indptr, self.stiffness.indices, piece)
        if pieces > 1:
            sizes = np.bincount(piece)
            raise InputError(
                f"The head must be one piece; instead it has {pieces}, the largest of {sizes.max()} and the smallest "
                f"of {sizes.min()} nodes (node {np.argmin(sizes[piece])}). Keep the largest piece only."
            )

    def __getstate__(self) -> dict[str, Any]:
        """The head, and of a `part` what it is about; all else is derived again."""
        if len(self.tets) == len(self.head.mesh.tets):
            return {"head": self.head}
        return {name: getattr(self, name) for name in ("head", "used", "nodes", "tets", "conductivity")}

    def retuned(self, head: HeadModel) -> "LinearSystem":
        """These equations with the conductivities of another head on the same mesh; what the mesh decides is shared."""
        out = copy.copy(self)
        for name in ("conductivity", "stretches", "stiffness", "_couplings"):
            out.__dict__.pop(name, None)
        out.__dict__["head"] = head
        return out

    def part(self, elements: BoolArray) -> "LinearSystem":
        """The share of these equations that some elements (t,) contribute, on their own nodes; `used` names these."""
        out = copy.copy(self)
        for name in ("stretches", "stiffness", "_couplings", "_incidence", "_pattern"):
            out.__dict__.pop(name, None)
        used, tets = np.unique(self.tets[elements], return_inverse=True)
        out.__dict__.update(
            used=used,
            nodes=self.nodes[used],
            tets=unwritable(tets.reshape(-1, 4).astype(np.int32)),
            conductivity=tuple(unwritable(sigma[elements]) if len(sigma) else sigma for sigma in self.conductivity),
        )
        return out

    @cached_property
    def used(self) -> AnyArray:
        """(n,) which nodes of the head these equations are about: all, but for a `part`."""
        return np.arange(len(self.head.mesh.nodes))

    @cached_property
    def tets(self) -> AnyArray:
        """(t, 4) the elements, by their nodes here."""
        return self.head.mesh.tets

    @property
    def points(self) -> FloatArray:
        """(n, 3) where the unknowns lie, mm, head frame: the nodes."""
        return self.head.mesh.nodes

    @cached_property
    def nodes(self) -> FloatArray:
        """(n, 3) node positions in m."""
        return metres(self.head.mesh.nodes)

    @cached_property
    def _incidence(self) -> tuple[IntArray, IntArray]:
        offsets = np.zeros(len(self.nodes) + 1, dtype=np.int32)
        slots = np.empty(4 * len(self.tets), dtype=np.int32)
        assembly.incidence(self.tets, offsets, slots)
        return offsets, slots

    @property
    def offsets(self) -> IntArray:
        """(n + 1,) where each node's elements begin in `slots`."""
        return self._incidence[0]

    @property
    def slots(self) -> IntArray:
        """(4 t,) for each node its elements, as 4 * element + local index of the node."""
        return self._incidence[1]

    @cached_property
    def conductivity(self) -> tuple[FloatArray, FloatArray]:
        """The head's, S/m, as kernels take it: (t,) and nothing, or nothing and (t, 3, 3)."""
        sigma = self.head.conductivity
        return (sigma, unwritable(np.empty((0, 3, 3)))) if sigma.ndim == 1 else (unwritable(np.empty(0)), sigma)

    @cached_property
    def stretches(self) -> tuple[IntArray, FloatArray]:
        """Tags (k,) of tissues that conduct alike all over, and for each (3, 3) how to stretch positions first.

        In stretched positions S r, S = sigma^(-1/2) to determinant one, a potential without sources is harmonic.
        """
        sigma, tags = self.head.conductivity, self.head.mesh.tags
        there, first, which = np.unique(tags, return_index=True, return_inverse=True)
        entries = sigma.reshape(len(sigma), -1)  # one number of each element, or nine
        most = np.zeros(len(there))
        for entry in entries.T:
            np.maximum.at(most, which, np.abs(entry - entry[first][which]))
        alike = most <= ROUNDING * np.abs(entries[first]).max(axis=1)
        stretches = np.array([_stretch(np.atleast_2d(one)) for one in sigma[first[alike]]]).reshape(-1, 3, 3)
        return there[alike].astype(np.int32), stretches

    @cached_property
    def _pattern(self) -> tuple[IntArray, IntArray]:
        """indptr and indices of `stiffness`: which nodes share an element."""
        n = len(self.nodes)
        lengths = np.empty(n, dtype=np.int32)
        assembly.row_lengths(self.tets, self.offsets, self.slots, lengths)
        indptr = np.zeros(n + 1, dtype=np.int32)
        np.cumsum(lengths, out=indptr[1:])
        indices = np.empty(indptr[-1], dtype=np.int32)
        assembly.pattern(self.tets, self.offsets, self.slots, indptr, indices)
        return indptr, indices

    def _assemble(self, data: FloatArray, couplings: FloatArray) -> None:
        assembly.stiffness(
            self.nodes, self.tets, *self.conductivity, self.offsets, self.slots, *self._pattern, data, couplings
        )

    @cached_property
    def stiffness(self) -> csr_matrix:
        """(n, n) K in S, symmetric, with constants in its null space."""
        indptr, indices = self._pattern
        data = np.empty(len(indices))
        self._assemble(data, np.empty((0, 3)))
        return csr_matrix((data, indices, indptr), shape=2 * (len(self.nodes),))

    @cached_property
    def _couplings(self) -> FloatArray:
        """(e, 3) for each entry of `stiffness` what couples dA/dt at the column's node to the row's load, S m."""
        out = np.empty((len(self._pattern[1]), 3))
        self._assemble(np.empty(0), out)
        return out

    def load(self, dadt: FloatArray) -> FloatArray:
        """Right-hand sides (n, k) of k fields dA/dt given at the nodes, (n, k, 3) V/m."""
        out = np.empty(dadt.shape[:2])
        assembly.load(*self._pattern, self._couplings, unwritable(dadt.transpose(0, 2, 1)), out)
        return out

    def load_transpose(self, adjoint: FloatArray) -> FloatArray:
        """Nodal vectors (n, k, 3) whose products with dA/dt at the nodes sum to adjoint (n, k) . load."""
        out = np.empty((*adjoint.shape, 3))
        assembly.load_transpose(
            self.nodes, self.tets, *self.conductivity, self.offsets, self.slots, unwritable(adjoint), out
        )
        return out

    def product(self, potentials: AnyArray, rows: slice = ALL) -> FloatArray:
        """Rows (r, N) of the stiffness times nodal potentials (n, N) V, A."""
        return times(self.stiffness, potentials, rows)

    def element_field(self, potential: FloatArray, dadt: FloatArray, elements: IntArray | None = None) -> FloatArray:
        """E = -grad phi - dA/dt (t, 3), V/m, of nodal phi (n,) V and dA/dt (n, 3) V/m: its mean over the elements."""
        tets = self.tets if elements is None else self.tets[elements]
        out = np.empty((len(tets), 3))
        assembly.element_fields(self.nodes, unwritable(tets), unwritable(potential), unwritable(dadt), out)
        return out

    def gradient_at(
        self, potential: FloatArray, elements: IntArray, shares: FloatArray, *, divergence_free: bool = True
    ) -> FloatArray:
        """Recovered gradient (m, 3) of a nodal potential (`neuro_field.field.recovery`)."""
        return Recovery.of(self, elements, shares, divergence_free).gradient(potential)

    def gradient_matrix(self, elements: IntArray, shares: FloatArray, *, divergence_free: bool = True) -> csr_matrix:
        """(3 m, n) `gradient_at` as a matrix."""
        return Recovery.of(self, elements, shares, divergence_free).matrix()


def _stretch(sigma: FloatArray) -> FloatArray:
    """sigma^(-1/2) to determinant one of a tensor (3, 3); unity of a number (1, 1)."""
    if sigma.shape == (1, 1) or (sigma == sigma[0, 0] * np.eye(3)).all():
        return np.eye(3)
    sizes, axes = np.linalg.eigh(sigma)
    roots = 1 / np.sqrt(sizes)
    return np.asarray((axes * (roots / np.prod(roots) ** (1 / 3))) @ axes.T)
