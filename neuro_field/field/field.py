"""The electric field of one placement in one head."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from neuro_field.arrays import FloatArray, IntArray, as_points, read_only
from neuro_field.coil.coil import Coil
from neuro_field.coil.placement import Placement
from neuro_field.field.gauge import Primary
from neuro_field.field.recovery import recovered_gradient
from neuro_field.field.system import System
from neuro_field.geometry.locate import locate
from neuro_field.head.model import HeadModel


@dataclass(frozen=True)
class SolveReport:
    """What one solve cost: unknowns, iterations, relative residual, seconds by stage, peak memory in bytes."""

    nodes: int
    iterations: int
    residual: float
    tolerance: float
    seconds: Mapping[str, float]
    peak_memory: int


@dataclass(frozen=True, eq=False)
class Field:
    """E = -dA/dt - grad phi in a head, V/m, head frame.

    Made by `Solver.solve`.  Element values (`E`, `magnE`) are the raw finite-element field; `at` is the recovered
    one and is more accurate.

    Parameters
    ----------
    system : System
        The head's discrete equations.
    coil, placement : Coil, Placement
    didt : float
        A/s.
    primary : Primary
        The coil's own part, in the gauge of the solve.
    potential : (n,) array
        phi at the nodes, V, in that gauge: E is the same in every gauge but for the numerical error.
    nodal_dadt : (n, 3) array
        dA/dt at the nodes, V/m, in that gauge.
    report : SolveReport
    """

    system: System
    coil: Coil
    placement: Placement
    didt: float
    primary: Primary
    potential: FloatArray
    nodal_dadt: FloatArray
    report: SolveReport

    @property
    def head(self) -> HeadModel:
        """The head it was computed in."""
        return self.system.head

    @cached_property
    def E(self) -> FloatArray:
        """(t, 3) field of each element, V/m: constant grad phi, dA/dt as the mean of its nodes."""
        return read_only(self.system.element_field(self.potential, self.nodal_dadt))

    @cached_property
    def magnE(self) -> FloatArray:
        """(t,) magnitude of `E`, V/m."""
        return read_only(np.linalg.norm(self.E, axis=1))

    def in_elements(self, elements: IntArray) -> FloatArray:
        """`E` of some elements only, (r, 3) V/m, without computing the others."""
        if "E" in self.__dict__:
            return self.E[elements]
        mesh = self.head.mesh
        corners = self.system.nodes[mesh.tets[elements]]
        edges = corners[:, 1:] - corners[:, :1]
        steps = self.potential[mesh.tets[elements]]
        gradient = np.linalg.solve(edges, (steps[:, 1:] - steps[:, :1])[..., None])[..., 0]
        return -gradient - self.system.element_mean(self.nodal_dadt, elements)

    def at(self, points: FloatArray) -> FloatArray:
        """The recovered field at points.

        Exact -dA/dt of the coil minus the gradient of phi recovered within the tissue of the element that holds the
        point (`neuro_field.field.recovery`); a point on a tissue boundary takes the tissue of the element of lowest
        index.

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
            dadt = self.primary.dadt(points[inside], didt=self.didt)
            out[inside] = -dadt - recovered_gradient(self.system, self.potential, elements[inside], shares[inside])
        return out
