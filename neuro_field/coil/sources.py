"""What a coil is made of: magnetic dipoles, straight wires, or a potential sampled on a grid.

Each is given in the coil frame in mm, per ampere of coil current, and answers for its vector potential (T m/A) and
flux density (T/A) at points in mm.  The three share the protocol `Source`; they know nothing of coils or heads.
"""

from copy import copy
from dataclasses import field, replace
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from scipy.ndimage import map_coordinates, spline_filter

from neuro_field.arrays import BoolArray, FloatArray, as_points, read_only
from neuro_field.coil.loops import dipoles_of, loops_of, merged, turns_of
from neuro_field.errors import InputError
from neuro_field.kernels.biot import (
    dipole_flux_density,
    dipole_potential,
    segment_flux_density,
    segment_potential,
)
from neuro_field.nouns import noun
from neuro_field.units import MILLIMETRES_PER_METRE, metres

#: Samples above this, T m/A, are not of a coil (those of coils are about 1e-6), nor lengths above this, mm.
MOST_POTENTIAL = 1e6
FARTHEST = 1e9

#: A sampled potential in the Coulomb gauge has a divergence of up to 4e-4 of its gradient (samples 2 to 5 mm apart);
#: one to which a gradient of a twentieth of its size was added has 0.37.
DIVERGENT = 0.01

#: Places along a wire are this far apart, mm.
ALONG = 2.0


class Source(Protocol):
    """What every element of a coil can do."""

    @property
    def stimulator(self) -> int:
        """Number of the stimulator channel that drives it."""

    def potential(self, points: FloatArray) -> FloatArray:
        """(m, 3) vector potential at points (m, 3) in mm, T m per A."""

    def flux_density(self, points: FloatArray) -> FloatArray:
        """(m, 3) flux density at points (m, 3) in mm, T per A."""

    @property
    def places(self) -> FloatArray:
        """(s, 3) mm, where its currents flow, as far as it tells: dipoles, and points along wires."""

    @property
    def divergence_free(self) -> bool:
        """Whether its vector potential has no divergence away from its currents (the Coulomb gauge)."""

    def as_dipoles(self) -> "Dipoles":
        """The same source as magnetic dipoles; raises InputError where that cannot be."""

    def scaled(self, factor: float) -> "Source":
        """The same source with ``factor`` times the current."""

    def carried(self, matrix: FloatArray) -> "Source":
        """The same source moved by a rigid 4x4, mm."""


@noun
class Dipoles:
    """Magnetic dipoles.

    Parameters
    ----------
    positions : (s, 3) array
        mm, coil frame.
    moments : (s, 3) array
        A m2 per A of coil current.
    stimulator : int
        Channel that drives them.

    Raises
    ------
    InputError
        On shapes that differ, or numbers that are not finite.
    """

    positions: FloatArray
    moments: FloatArray
    stimulator: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "positions", read_only(as_points(self.positions, "positions of Dipoles")))
        object.__setattr__(self, "moments", read_only(as_points(self.moments, "moments of Dipoles")))
        if self.positions.shape != self.moments.shape or not len(self.positions):
            raise InputError(
                f"Inputs positions and moments of Dipoles must have one shape (s, 3), s > 0; "
                f"instead received {self.positions.shape} and {self.moments.shape}."
            )

    @cached_property
    def _metres(self) -> FloatArray:
        return metres(self.positions)

    def potential(self, points: FloatArray) -> FloatArray:
        """(m, 3) vector potential, T m per A; NaN at a dipole itself."""
        out = np.empty(points.shape)
        dipole_potential(metres(points), self._metres, np.array(self.moments), out)
        return out

    def flux_density(self, points: FloatArray) -> FloatArray:
        """(m, 3) flux density, T per A; NaN at a dipole itself."""
        out = np.empty(points.shape)
        dipole_flux_density(metres(points), self._metres, np.array(self.moments), out)
        return out

    @property
    def places(self) -> FloatArray:
        """(s, 3) mm, its dipoles."""
        return self.positions

    @property
    def divergence_free(self) -> bool:
        """It is: the curl of something."""
        return True

    def as_dipoles(self) -> "Dipoles":
        """Itself."""
        return self

    def scaled(self, factor: float) -> "Dipoles":
        """The same dipoles with ``factor`` times the moments."""
        return replace(self, moments=self.moments * factor)

    def carried(self, matrix: FloatArray) -> "Dipoles":
        """The same dipoles moved by a rigid 4x4, mm."""
        rotation = matrix[:3, :3]
        return replace(self, positions=self.positions @ rotation.T + matrix[:3, 3], moments=self.moments @ rotation.T)


@noun
class Segments:
    """Straight pieces of thin wire.

    Parameters
    ----------
    starts, ends : (s, 3) arrays
        mm, coil frame; current flows from start to end.
    currents : (s,) array
        A per A of coil current (a negative one flows backwards).
    stimulator : int
        Channel that drives them.

    Raises
    ------
    InputError
        On shapes that differ, or numbers that are not finite.
    """

    starts: FloatArray
    ends: FloatArray
    currents: FloatArray
    stimulator: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "starts", read_only(as_points(self.starts, "starts of Segments")))
        object.__setattr__(self, "ends", read_only(as_points(self.ends, "ends of Segments")))
        object.__setattr__(self, "currents", read_only(self.currents, np.float64))
        s = len(self.starts)
        if not s or self.ends.shape != (s, 3) or self.currents.shape != (s,):
            raise InputError(
                f"Inputs of Segments must have shapes (s, 3), (s, 3) and (s,), s > 0; instead received "
                f"{self.starts.shape}, {self.ends.shape} and {self.currents.shape}."
            )
        if not np.isfinite(self.currents).all():
            raise InputError("Input currents of Segments must be finite.")

    @cached_property
    def _wires(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        return metres(self.starts), metres(self.ends), np.array(self.currents)

    def potential(self, points: FloatArray) -> FloatArray:
        """(m, 3) vector potential, T m per A; nearer than 1e-3 mm to a wire the value there."""
        out = np.empty(points.shape)
        segment_potential(metres(points), *self._wires, out)
        return out

    def flux_density(self, points: FloatArray) -> FloatArray:
        """(m, 3) flux density, T per A; a wire gives nothing to points within 1e-3 mm of it."""
        out = np.empty(points.shape)
        segment_flux_density(metres(points), *self._wires, out)
        return out

    @cached_property
    def places(self) -> FloatArray:
        """(q, 3) mm, points along the wires no farther apart than `ALONG`, their ends among them."""
        lengths = np.linalg.norm(self.ends - self.starts, axis=1)
        counts = np.maximum(np.ceil(lengths / ALONG), 1).astype(np.int64)
        which = np.repeat(np.arange(len(counts)), counts)
        share = (np.arange(len(which)) - np.repeat(np.cumsum(counts) - counts, counts)) / counts[which]
        along = self.starts[which] + share[:, None] * (self.ends - self.starts)[which]
        return read_only(np.concatenate([along, self.ends]))

    def as_dipoles(self, spacing: float = 3.0) -> Dipoles:
        """Magnetic dipoles on surfaces that span the turns of the wire, with the same field (Ampere's equivalence).

        Each turn is spanned from its own middle (`neuro_field.coil.loops`), so that the surface stays where the turn
        is; dipoles of all turns within a cell of ``spacing`` (mm) are one.  At distances above 4 x spacing from the
        surfaces the field agrees to about 0.1 %.

        Raises
        ------
        InputError
            If the wire is not closed: open wires are no set of dipoles.
        """
        self._refuse_open_wire()
        parts = [
            merged(*dipoles_of(turn, current, spacing), spacing)
            for path, current in loops_of(self.starts, self.ends, self.currents)
            for turn in turns_of(path)
        ]
        positions, moments = (np.concatenate([part[i] for part in parts]) for i in range(2))
        return Dipoles(*merged(positions, moments, spacing), self.stimulator)

    @cached_property
    def _left_over(self) -> float:
        """The largest current that enters one end of a wire and does not leave it, A per A."""
        ends = np.round(np.concatenate([self.starts, self.ends]), 6)
        _, node = np.unique(ends, axis=0, return_inverse=True)
        balance = np.bincount(node.ravel(), np.concatenate([self.currents, -self.currents]))
        return float(np.abs(balance).max())

    @property
    def closed(self) -> bool:
        """Whether all current that enters an end also leaves it."""
        return self._left_over <= 1e-9 * float(np.abs(self.currents).max())

    @property
    def divergence_free(self) -> bool:
        """Of closed wires: at open ends the potential of a wire diverges all around."""
        return self.closed

    def _refuse_open_wire(self) -> None:
        if not self.closed:
            raise InputError(
                f"Wires that do not close cannot become dipoles: at one end {self._left_over:.3g} of the coil current "
                f"is left over; close the path, or give dipoles."
            )

    def scaled(self, factor: float) -> "Segments":
        """The same wires with ``factor`` times the current."""
        return replace(self, currents=self.currents * factor)

    def carried(self, matrix: FloatArray) -> "Segments":
        """The same wires moved by a rigid 4x4, mm."""
        rotation, shift = matrix[:3, :3], matrix[:3, 3]
        return replace(self, starts=self.starts @ rotation.T + shift, ends=self.ends @ rotation.T + shift)


@noun
class Grid:
    """A vector potential sampled on a regular grid.

    Parameters
    ----------
    data : (i, j, k, 3) array
        Vector potential, T m per A, components in the coil frame.
    affine : (4, 4) array
        Voxel index to mm of the coil frame; invertible.
    order : int
        1 trilinear, 3 cubic splines.
    stimulator : int
        Channel that drives it.

    Raises
    ------
    InputError
        On wrong shapes, fewer than two samples along an axis, numbers that are not finite; and at points outside
        the grid, where nothing is known.
    """

    data: FloatArray
    affine: FloatArray
    order: int = 3
    stimulator: int = 0
    _coefficients: tuple[FloatArray, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "data", read_only(self.data, np.float64))
        object.__setattr__(self, "affine", read_only(self.affine, np.float64))
        if self.data.ndim != 4 or self.data.shape[3] != 3 or min(self.data.shape[:3]) < 2:
            raise InputError(f"Input data of Grid must have shape (i, j, k, 3), each > 1; not {self.data.shape}.")
        if not (np.abs(self.data) <= MOST_POTENTIAL).all():
            raise InputError(
                f"Input data of Grid must be finite, up to {MOST_POTENTIAL:g} T m/A; some samples are not."
            )
        if self.affine.shape != (4, 4) or not (np.abs(self.affine) <= FARTHEST).all():
            raise InputError(f"Input affine of Grid must be a 4x4 matrix of numbers up to {FARTHEST:g} mm.")
        if self.affine[3].tolist() != [0, 0, 0, 1] or not abs(np.linalg.det(self.affine[:3, :3])) > 1e-12:
            raise InputError("Input affine of Grid must be invertible, its last row 0 0 0 1.")
        if self.order not in (1, 3):
            raise InputError(f"Input order of Grid must be 1 or 3; instead received {self.order!r}.")
        parts = (self.data[..., i] for i in range(3))
        filtered = tuple(spline_filter(p, 3, mode="mirror") if self.order == 3 else p for p in parts)
        object.__setattr__(self, "_coefficients", filtered)

    def _voxels(self, points: FloatArray) -> FloatArray:
        inverse = np.linalg.inv(self.affine)
        voxels = points @ inverse[:3, :3].T + inverse[:3, 3]
        top = np.array(self.data.shape[:3]) - 1
        outside = int(((voxels < -1e-6) | (voxels > top + 1e-6)).any(axis=1).sum())
        if outside:
            first = points[((voxels < -1e-6) | (voxels > top + 1e-6)).any(axis=1)][0]
            low, high = np.round(voxels.min(axis=0), 1), np.round(voxels.max(axis=0), 1)
            raise InputError(
                f"The sampled potential of this coil has voxels 0 to {top.tolist()}; instead {outside} of "
                f"{len(points)} points lie outside, the first at {np.round(first, 1).tolist()} mm, from voxel "
                f"{low.tolist()} to {high.tolist()}."
            )
        return np.clip(voxels, 0, top)

    @cached_property
    def divergence_free(self) -> bool:
        """Whether the samples' divergence is small: its median against that of their gradient, below `DIVERGENT`."""
        inverse = np.linalg.inv(self.affine[:3, :3])
        slopes = np.stack([np.stack([*np.gradient(self.data[..., c])], -1) @ inverse for c in range(3)], axis=-2)
        inner = tuple(slice(1, -1) if n > 4 else slice(None) for n in self.data.shape[:3])
        divergence = np.abs(np.trace(slopes, axis1=-2, axis2=-1)[inner])
        return bool(np.median(divergence) <= DIVERGENT * np.median(np.linalg.norm(slopes[inner], axis=(-2, -1))))

    def holds(self, points: FloatArray) -> BoolArray:
        """(m,) whether points (m, 3), mm, lie where the potential is known."""
        inverse = np.linalg.inv(self.affine)
        voxels = points @ inverse[:3, :3].T + inverse[:3, 3]
        return ((voxels >= -1e-6) & (voxels <= np.array(self.data.shape[:3]) - 1 + 1e-6)).all(axis=1)

    def potential(self, points: FloatArray) -> FloatArray:
        """(m, 3) interpolated vector potential, T m per A; refuses points outside the grid."""
        voxels = self._voxels(points).T
        keywords: dict[str, Any] = {"order": self.order, "mode": "mirror", "prefilter": False}
        return np.stack([map_coordinates(part, voxels, **keywords) for part in self._coefficients], axis=1)

    def flux_density(self, points: FloatArray) -> FloatArray:
        """(m, 3) curl of the interpolated potential, T per A, by differences over a tenth of a voxel."""
        step = 0.1 * float(np.linalg.norm(self.affine[:3, :3], axis=0).min())
        gradient = np.empty((len(points), 3, 3))
        for axis in range(3):
            shift = np.eye(3)[axis] * step / 2
            span = step / MILLIMETRES_PER_METRE
            gradient[:, axis] = (self.potential(points + shift) - self.potential(points - shift)) / span
        g = gradient
        return np.stack([g[:, 1, 2] - g[:, 2, 1], g[:, 2, 0] - g[:, 0, 2], g[:, 0, 1] - g[:, 1, 0]], axis=1)

    @property
    def places(self) -> FloatArray:
        """(0, 3): a sampled potential does not say where its windings are."""
        return np.empty((0, 3))

    def as_dipoles(self) -> Dipoles:
        """Refused: a sampled potential does not say where its windings are."""
        raise InputError(
            "A coil given as a sampled potential has no dipoles; use its .ccd or .tcd file for this computation."
        )

    def scaled(self, factor: float) -> "Grid":
        """The same grid with ``factor`` times the potential."""
        return self._with(np.eye(3) * factor, self.affine)

    def carried(self, matrix: FloatArray) -> "Grid":
        """The same grid moved by a rigid 4x4, mm."""
        return self._with(matrix[:3, :3], matrix @ self.affine)

    def _with(self, turn: FloatArray, affine: FloatArray) -> "Grid":
        """The same grid elsewhere, its vectors times a 3x3: splines are linear, and need not be fitted again."""
        out = copy(self)
        coefficients = tuple(read_only(sum(turn[i, j] * self._coefficients[j] for j in range(3))) for i in range(3))
        for name, value in (
            ("data", read_only(self.data @ turn.T)), ("affine", read_only(affine)), ("_coefficients", coefficients),
        ):  # fmt: skip
            object.__setattr__(out, name, value)
        return out
