"""The coil's own part of the field, -dA/dt, and the gauge it is taken in.

Any A' with curl A' = B gives the same E; what changes is how much of E is left for grad phi, the part that finite
elements approximate.  In the radial gauge about a point o, (r - o) . A' = 0, and -dA'/dt is the field in a conducting
sphere about o: with o in the middle of the inner skull little is left for phi.
"""

import numpy as np

from neuro_field.arrays import FloatArray, as_vector
from neuro_field.coil.coil import Coil, refuse_singular
from neuro_field.coil.placement import Placement
from neuro_field.coil.sources import Dipoles, Segments, Source
from neuro_field.errors import InputError, UnknownNameError
from neuro_field.field.boxes import Boxes
from neuro_field.head.model import HeadModel
from neuro_field.kernels import local
from neuro_field.kernels.biot import dipole_sources, wire_sources
from neuro_field.kernels.sphere import radial_sources, ray_clearance, sphere_field
from neuro_field.nouns import noun
from neuro_field.units import MILLIMETRES_PER_METRE, metres

GAUGES = ("radial", "coulomb")

#: A dipole changes gauge when no point of the head lies beyond it within this cosine of its ray: there A' is singular.
_CLEARANCE = -0.5


@noun
class Primary:
    """dA/dt of a coil that stands on a head, in one gauge (`primary_field` makes it).

    Parameters
    ----------
    center : (3,) array
        Of the radial gauge, mm, head frame.
    radial : Dipoles or None
        In the radial gauge, head frame.
    rest : Coil or None
        In the gauge its elements come in, the Coulomb one but for sampled potentials; head frame.
    """

    center: FloatArray
    radial: Dipoles | None
    rest: Coil | None

    @property
    def divergence_free(self) -> bool:
        """Whether dA/dt has no divergence in the head, so that phi is harmonic where conductivity is one number."""
        return all(element.divergence_free for element in self.rest.elements) if self.rest else True

    def dadt(self, points: FloatArray, didt: float = 1.0) -> FloatArray:
        """dA/dt (m, 3) V/m at points (m, 3) mm of the head frame, for a slope of the coil current in A/s."""
        if self.radial is None:
            return self.rest.dadt(points, didt=didt) if self.rest else np.zeros(np.shape(points))
        out = np.empty(np.shape(points))
        moments = np.array(self.radial.moments) * -didt  # dA/dt is minus the sphere's field
        sphere_field(metres(points - self.center), metres(self.radial.positions - self.center), moments, out)
        if self.rest:
            out += self.rest.dadt(points, didt=didt)
        return out

    def add_dadt(self, boxes: Boxes, out: FloatArray, column: int) -> None:
        """Add dA/dt per A/s at the points of boxes (m of the head frame) to out (n, k, 3) at its ``column``.

        Dipoles and wires to about 1e-6 of what `dadt` gives (`Boxes.add_field`), and many times faster.

        Raises
        ------
        InputError
            If points coincide with a dipole, or lie outside a sampled potential.
        """
        if self.radial is not None:
            positions = metres(self.radial.positions - self.center)
            table = radial_sources(positions, -self.radial.moments)  # dA/dt is minus the sphere's field
            boxes.add_field(local.RADIAL, table, metres(self.center), out, column)
        origin = np.zeros(3)
        for element in self.rest.elements if self.rest else ():
            if isinstance(element, Dipoles):
                table = dipole_sources(metres(element.positions), np.array(element.moments))
                boxes.add_field(local.DIPOLE, table, origin, out, column)
            elif isinstance(element, Segments):
                table = wire_sources(metres(element.starts), metres(element.ends), np.array(element.currents))
                boxes.add_field(local.WIRE, table, origin, out, column)
            else:
                out[boxes.order, column] += element.potential(boxes.points * MILLIMETRES_PER_METRE)
        refuse_singular(out[:, column])


def primary_field(
    head: HeadModel, coil: Coil, placement: Placement, gauge: str = "radial", center: FloatArray | None = None
) -> Primary:
    """dA/dt of a coil on a head.

    Parameters
    ----------
    head : HeadModel
    coil : Coil
    placement : Placement
    gauge : "radial" or "coulomb"
        Radial: every dipole changes to the radial gauge but those straight beyond which, seen from the centre, part
        of the head lies (a wing behind an ear): A' is singular there, and they stay in the Coulomb gauge.  Closed
        wires change by the gauge function of the dipoles they amount to, so that their flux density stays exact.
        Open wires and sampled potentials stay as they come.
    center : (3,) array, optional
        Of the radial gauge, mm; that of `HeadModel.inner_skull_sphere` when omitted.
    """
    if gauge not in GAUGES:
        raise UnknownNameError("gauge", gauge, list(GAUGES))
    carried = coil.carried(placement.head_from_coil)
    if gauge == "coulomb":
        if center is not None:
            raise InputError("Input gauge_center goes with gauge='radial'; the Coulomb gauge has no centre.")
        return Primary(np.zeros(3), None, carried)
    middle = head.inner_skull_sphere[0] if center is None else as_vector(center, "gauge_center")
    radial: list[Dipoles] = []
    rest: list[Source] = []
    for element in carried.elements:
        if isinstance(element, Dipoles):
            free, bound = _parted(head, middle, element)
            rest += bound
        else:
            free = _parted(head, middle, element.as_dipoles())[0] if _is_closed_wire(element) else []
            rest += [element, *(dipoles.scaled(-1.0) for dipoles in free)]
        radial += free
    return Primary(middle, _joined(radial) if radial else None, Coil(coil.name, tuple(rest)) if rest else None)


def _is_closed_wire(element: Source) -> bool:
    return isinstance(element, Segments) and element.closed


def _parted(head: HeadModel, center: FloatArray, dipoles: Dipoles) -> tuple[list[Dipoles], list[Dipoles]]:
    """The dipoles that can change to the radial gauge, and those that cannot; lists of one or none."""
    positions, scalp = dipoles.positions - center, head.scalp.points - center
    cosines = np.empty(len(positions))
    ray_clearance(scalp, positions, cosines)
    free = cosines > _CLEARANCE
    return tuple(  # type: ignore[return-value]
        [Dipoles(dipoles.positions[part], dipoles.moments[part])] if part.any() else [] for part in (free, ~free)
    )


def _joined(dipoles: list[Dipoles]) -> Dipoles:
    return Dipoles(np.concatenate([d.positions for d in dipoles]), np.concatenate([d.moments for d in dipoles]))
