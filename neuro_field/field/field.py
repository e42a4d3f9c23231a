"""The electric field of one placement in one head."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from neuro_field.arrays import FloatArray, IntArray, as_points, sealed
from neuro_field.coil.coil import Coil
from neuro_field.coil.placement import Placement
from neuro_field.field.boxes import Boxes
from neuro_field.field.primary import add_dadt
from neuro_field.field.system import System
from neuro_field.geometry.locate import locate
from neuro_field.head.model import HeadModel
from neuro_field.nouns import noun
from neuro_field.units import metres


@dataclass(frozen=True)
class SolveReport:
    """What one solve cost: unknowns, iterations, relative residual, seconds by stage, peak memory in bytes.

    ``nodes`` are the mesh's nodes; second-order elements add an unknown for each of its edges.
    """

    nodes: int
    iterations: int
    residual: float
    tolerance: float
    seconds: Mapping[str, float]
    peak_memory: int


@noun
class Field:
    """E = -dA/dt - grad phi in a head, V/m, head frame.

    Made by `Solver.solve`.  Element values (`E`, `magnE`) are the raw finite-element field; `at` is the recovered
    one and is more accurate.

    Parameters
    ----------
    system : System
        The head's discrete equations, with elements of first or second order.
    coil, placement : Coil, Placement
    didt : float
        A/s.
    potential : (u,) array
        phi at the unknowns' points (`system.points`: the nodes, and the middles of edges in second order), V.
    report : SolveReport

    Examples
    --------
    >>> import neuro_field as nf
    >>> head, coil = nf.sphere_head((70, 80, 90), edge=9.0), nf.load_coil("figure8-70mm")
    >>> placement = nf.Placement.on(head.scalp, above=(0, 0, 92), handle_towards=(0, -90, 92))
    >>> field = nf.Solver(head).solve(coil, placement, didt=1e6)
    >>> float(field.at([[0, 0, 60]])[0, 1].round(1))  # V/m away from the handle
    0.6
    >>> field.at([[0, 0, 120]]).tolist()  # outside the head
    [[nan, nan, nan]]
    >>> field.report.residual <= 1e-5
    True
    """

    system: System
    coil: Coil
    placement: Placement
    didt: float
    potential: FloatArray
    report: SolveReport

    @property
    def head(self) -> HeadModel:
        """The head it was computed in."""
        return self.system.head

    @cached_property
    def _carried(self) -> Coil:
        """The coil where it stands, head frame."""
        return self.coil.carried(self.placement.head_from_coil)

    def dadt(self, points: FloatArray) -> FloatArray:
        """The coil's own part, dA/dt (m, 3) V/m, at points (m, 3) mm of the head frame."""
        return self._carried.dadt(points, didt=self.didt)

    @cached_property
    def nodal_dadt(self) -> FloatArray:
        """(u, 3) dA/dt at the unknowns' points, V/m."""
        boxes = Boxes.of(metres(self.system.points))
        out = np.zeros((len(boxes.points), 3, 1))
        add_dadt([self._carried], boxes, out)
        return sealed(out[:, :, 0] * self.didt)

    @cached_property
    def E(self) -> FloatArray:
        """(t, 3) field of each element, V/m: its mean grad phi, and the mean of dA/dt as the equations take it."""
        return sealed(self.system.element_field(self.potential, self.nodal_dadt))

    @cached_property
    def magnE(self) -> FloatArray:
        """(t,) magnitude of `E`, V/m."""
        return sealed(np.sqrt(np.einsum("tc,tc->t", self.E, self.E)))

    def in_elements(self, elements: IntArray) -> FloatArray:
        """`E` of some elements only, (r, 3) V/m, without computing the others."""
        if "E" in self.__dict__:
            return self.E[elements]
        return self.system.element_field(self.potential, self.nodal_dadt, elements)

    def recovered(self, elements: IntArray) -> FloatArray:
        """The field `at` the centroids of some elements, (r, 3) V/m: what a target is judged by."""
        return self._recovered(self.head.mesh.centroids[elements], elements, np.full((len(elements), 4), 0.25))

    def at(self, points: FloatArray) -> FloatArray:
        """The field at points, recovered where elements are of first order.

        Exact -dA/dt of the coil minus the gradient of phi: recovered within the tissue of the element that holds the
        point (`neuro_field.field.recovery`), or, of second-order elements, that of phi in this element.  A point on a
        boundary takes the element of lowest index.

        Parameters
        ----------
        points : (m, 3) array
            mm, head frame.

        Returns
        -------
        (m, 3) array
            V/m; NaN for points outside the head.
        """
        points = as_points(points, "points of Field.at")
        elements, shares = locate(self.head.mesh, points)
        inside = elements >= 0
        out = np.full(points.shape, np.nan)
        if inside.any():
            out[inside] = self._recovered(points[inside], elements[inside], shares[inside])
        return out

    def _recovered(self, points: FloatArray, elements: IntArray, shares: FloatArray) -> FloatArray:
        free = self.coil.divergence_free
        return -self.dadt(points) - self.system.gradient_at(self.potential, elements, shares, divergence_free=free)
