"""A TMS coil: what it induces around it, per slope of its current, in its own frame.

Coil frame (mm): origin at the centre of the casing face that touches the head, +z into the head, +y away from the
handle.  Where the coil stands on a head is for `neuro_field.coil.placement`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import field, replace
from functools import cached_property
from typing import Any

import numpy as np
from scipy.spatial import cKDTree

from neuro_field.arrays import FloatArray, as_points, read_only, transformed
from neuro_field.coil.simplify import simplified_dipoles
from neuro_field.coil.sources import Dipoles, Grid, Segments, Source
from neuro_field.coil.stimulator import Stimulator
from neuro_field.coil.symmetry import SYMMETRIES, measured_symmetry
from neuro_field.errors import InputError
from neuro_field.geometry.mesh import Surface
from neuro_field.names import one_line
from neuro_field.nouns import noun

#: Depth below the casing face, mm, at which the direction of a coil's field is read.
DIRECTION_DEPTH = 17.5

#: Nearer than this to a wire, mm, a field says more of that wire than of the coil.
NEAR = 10.0


@noun
class Coil:
    """A coil.

    Parameters
    ----------
    name : str
        For people and reports.
    elements : Dipoles, Segments, Grid or a tuple of them
        What it is made of, per ampere of coil current; all are driven by the same current, unless the coil is the
        outcome of `driven`.
    didt_max : float, optional
        Slope of the current at 100 % stimulator output, A/s; None when its file does not say.
    casing : Surface, optional
        Outline of the housing, mm, coil frame.
    stimulators : tuple of Stimulator
        The channels that the elements' ``stimulator`` counts, when known.
    provenance : mapping of str to plain values
        maker, citation, source, notes. For reports.
    declared_symmetry : {"continuous", "two-fold", "none"}, optional
        What turns about its axis leave the coil as it is, where its card says so; `symmetry` measures it otherwise.

    Raises
    ------
    InputError
        If there is no element, ``didt_max`` is not positive, or the symmetry is none of these.

    Examples
    --------
    >>> import neuro_field as nf
    >>> coil = nf.load_coil("figure8-70mm")
    >>> coil.didt_max  # A/s
    114730000.0
    >>> float(abs(coil.dadt([[0, 0, 15]], didt=1e6)).max().round(1))  # V/m at 1 A/us, 15 mm below the face
    2.2
    """

    name: str
    elements: tuple[Source, ...]
    didt_max: float | None = None
    casing: Surface | None = None
    stimulators: tuple[Stimulator, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=dict)
    declared_symmetry: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", one_line(self.name))
        given = (self.elements,) if isinstance(self.elements, Dipoles | Segments | Grid) else tuple(self.elements)
        for element in given:
            if not isinstance(element, Dipoles | Segments | Grid):
                raise InputError(f"Elements of Coil must be Dipoles, Segments or Grid; not {type(element).__name__}.")
        if not given:
            raise InputError("Input elements of Coil must hold at least one source; instead there is none.")
        object.__setattr__(self, "elements", given)
        if self.didt_max is not None and not (np.isfinite(self.didt_max) and self.didt_max > 0):
            raise InputError(f"Input didt_max of Coil must be positive, in A/s; instead received {self.didt_max}.")
        if self.casing is not None and not isinstance(self.casing, Surface):
            raise InputError(f"Input casing of Coil must be a Surface; instead received {type(self.casing).__name__}.")
        if self.declared_symmetry is not None and self.declared_symmetry not in SYMMETRIES:
            raise InputError(
                f"Input declared_symmetry of Coil must be one of {', '.join(SYMMETRIES)}, or None; instead received "
                f"{self.declared_symmetry!r:.60}."
            )

    def dadt(self, points: Any, didt: float = 1e6) -> FloatArray:
        """Rate of change of the vector potential; the primary electric field is its negative.

        Parameters
        ----------
        points : (m, 3) array
            mm, coil frame.
        didt : float
            Slope of the coil current, A/s; 1e6 is 1 A/us.

        Returns
        -------
        (m, 3) array
            dA/dt in V/m, components in the coil frame; in the Coulomb gauge but for what a sampled potential adds.

        Raises
        ------
        InputError
            If points coincide with a dipole of the coil, or lie outside a sampled potential.

        Examples
        --------
        >>> from neuro_field.coil.sources import Dipoles
        >>> coil = Coil("one dipole", Dipoles([[0, 0, -10]], [[0, 0, 1e-2]]))
        >>> coil.dadt([[10.0, 0, 0]]).round(3).tolist()
        [[0.0, 3.536, 0.0]]
        """
        return self._sum("potential", as_points(points, "points of Coil.dadt"), didt)

    def flux_density_rate(self, points: Any, didt: float = 1e6) -> FloatArray:
        """Rate of change of the flux density, dB/dt = curl dA/dt, (m, 3) in T/s; arguments and errors as `dadt`."""
        return self._sum("flux_density", as_points(points, "points of Coil.flux_density_rate"), didt)

    def _sum(self, what: str, points: FloatArray, didt: float) -> FloatArray:
        if not np.isfinite(didt):
            raise InputError(f"Input didt must be finite, in A/s; instead received {didt}.")
        total = np.zeros(points.shape)
        for element in self.elements:
            total += getattr(element, what)(points)
        if not np.isfinite(total.sum()):
            refuse_singular(int(np.count_nonzero(~np.isfinite(total).all(axis=1))), len(total))
        return total * didt

    @cached_property
    def dipoles(self) -> tuple[FloatArray, FloatArray]:
        """(s, 3) positions in mm and (s, 3) moments in A m2 per A of all elements, read-only.

        Raises
        ------
        InputError
            If an element cannot be written as dipoles (a sampled potential, an open wire).
        """
        parts = [element.as_dipoles() for element in self.elements]
        positions = np.concatenate([part.positions for part in parts])
        return read_only(positions), read_only(np.concatenate([part.moments for part in parts]))

    @cached_property
    def source_points(self) -> FloatArray:
        """(s, 3) places of dipoles and points along wires, mm, coil frame; none for a sampled potential."""
        return read_only(np.concatenate([np.empty((0, 3)), *(element.places for element in self.elements)]))

    @property
    def divergence_free(self) -> bool:
        """Whether its dA/dt has no divergence away from its currents, so that phi is harmonic in an even conductor."""
        return all(element.divergence_free for element in self.elements)

    @property
    def sampled(self) -> bool:
        """Whether part of it is a sampled potential, which does not say where its windings are."""
        return any(isinstance(element, Grid) for element in self.elements)

    @cached_property
    def initial_e_direction(self) -> FloatArray:
        """(3,) unit vector, coil frame: the primary field -dA/dt under the coil while its current rises.

        Read on the axis, 17.5 mm below the casing face.  A coil whose field there is below a tenth of its
        strongest at that depth (a circular coil) has no direction on its axis: then it is read where the field
        is strongest along the +x axis at that depth.
        """
        primary = -self.dadt(self.reference_point(DIRECTION_DEPTH)[None])[0]
        return read_only(primary / np.linalg.norm(primary))

    @cached_property
    def symmetry(self) -> str:
        """What turns about its axis leave the coil as it is, for the size of its field and for its casing.

        "continuous": every turn (a circular coil: it has no handle direction); "two-fold": half a turn, but for the
        sign of its current (most figure-8 coils); "none": no turn (wings off the middle).  As declared by its card,
        or measured on rings below its face (`neuro_field.coil.symmetry`).

        Examples
        --------
        >>> import neuro_field as nf
        >>> [nf.load_coil(name).symmetry for name in ("circular-90mm", "figure8-70mm", "mc-b70")]
        ['continuous', 'two-fold', 'none']
        """
        return self.declared_symmetry or measured_symmetry(self.dadt, self.source_points, self.casing)

    def reference_point(self, depth: float) -> FloatArray:
        """(3,) where the field ``depth`` mm below the face is quoted, mm: on the axis, or as for `initial_e_direction`.

        Points within 10 mm of a wire or dipole, in the wings of a double cone, do not count as under the coil.
        """
        reach = np.arange(0.0, 80.0, 2.0)
        points = np.stack([reach, np.zeros_like(reach), np.full_like(reach, depth)], axis=1)
        if len(self.source_points):
            clear = cKDTree(self.source_points).query(points)[0] >= NEAR
            clear[0] = True
            points = points[clear]
        for sampled in (each for each in self.elements if isinstance(each, Grid)):
            known = sampled.holds(points)
            known[0] = True  # refused with its reason where it is not
            points = points[known]
        strength = np.linalg.norm(self.dadt(points), axis=1)
        strongest = int(np.argmax(strength))
        if not strength[strongest] > 0:
            raise InputError(f"The coil {self.name!r} has no field {depth:g} mm below its face.")
        return points[0 if strength[0] > 0.1 * strength[strongest] else strongest]

    def didt_at(self, output: float) -> float:
        """Slope of the current at ``output`` % of the stimulator's maximum, A/s.

        Raises
        ------
        InputError
            If the coil's largest slope is not known, or the output is not 0 to 100 %.
        """
        if self.didt_max is None:
            raise InputError(f"The largest dI/dt of the coil {self.name!r} is not known; give didt_max from its maker.")
        if not 0 <= output <= 100:
            raise InputError(f"Input output of Coil.didt_at must be 0 to 100 %; instead received {output}.")
        return self.didt_max * output / 100

    def simplified(self, error: float = 0.002) -> "Coil":
        """A coil of fewer dipoles whose field in a head differs by at most ``error``.

        Parameters
        ----------
        error : float
            Relative L2 error allowed in both A and B over the near half of a ball of 85 mm radius, its top 4 mm
            below the casing face.

        Returns
        -------
        Coil
            The same every time.  ``provenance["simplified"]`` holds the measured error and the numbers of
            dipoles before and after; where nothing is gained they are equal and the error is 0.

        Raises
        ------
        InputError
            If the coil has no dipoles (a sampled potential), or its channels differ.
        """
        channels = {element.stimulator for element in self.elements}
        if len(channels) > 1:
            raise InputError(f"A coil with {len(channels)} stimulator channels cannot be simplified as one.")
        full = Dipoles(*self.dipoles, stimulator=channels.pop())
        fewer, measured = simplified_dipoles(full, error)
        note = {"error": measured, "dipoles": len(fewer.positions), "dipoles_before": len(full.positions)}
        return replace(self, elements=(fewer,), provenance={**self.provenance, "simplified": note})

    def carried(self, head_from_coil: FloatArray) -> "Coil":
        """The same coil described in the frame a rigid 4x4 leads to, mm: its field is then asked for at head points."""
        casing = self.casing
        if casing is not None:
            casing = Surface(transformed(casing.points, head_from_coil), casing.triangles)
        elements = tuple(part.carried(head_from_coil) for part in self.elements)
        return replace(self, elements=elements, casing=casing, declared_symmetry=None)

    def driven(self, currents: Sequence[float]) -> "Coil":
        """The same coil with a current of its own in each element.

        Parameters
        ----------
        currents : sequence of float
            Current of each element per ampere of what ``didt`` then stands for: 1 leaves an element as it is, 0
            switches it off, -1 turns its current round.

        Raises
        ------
        InputError
            If there is not one finite current per element, or all are 0.

        Examples
        --------
        >>> from neuro_field.coil.sources import Dipoles
        >>> left, right = Dipoles([[-40, 0, -10]], [[0, 0, 1e-2]]), Dipoles([[40, 0, -10]], [[0, 0, 1e-2]])
        >>> Coil("two", (left, right)).driven([-1, 1]).initial_e_direction.round().astype(int).tolist()
        [0, 1, 0]
        """
        shares = np.array(currents, dtype=np.float64)
        if shares.shape != (len(self.elements),) or not np.isfinite(shares).all() or not shares.any():
            raise InputError(
                f"Input currents of Coil.driven must be {len(self.elements)} finite numbers, one per element, not all "
                f"0; instead received {currents!r:.80}."
            )
        driven = tuple(part.scaled(float(share)) for part, share in zip(self.elements, shares, strict=True))
        provenance = {**self.provenance, "currents": shares.tolist()}
        return replace(self, elements=driven, provenance=provenance, declared_symmetry=None)

    def reversed_current(self) -> "Coil":
        """The same coil with its current, and so its field, the other way round."""
        return replace(self, elements=tuple(element.scaled(-1.0) for element in self.elements))


def refuse_singular(singular: int, points: int) -> None:
    """Raise InputError if the field of a coil is not finite at some of so many points."""
    if singular:
        raise InputError(
            f"Points must keep clear of the coil's dipoles; instead {singular} of {points} coincide with one."
        )
