"""Coils from few numbers: concentric loops or a spiral per wing, in layers, flat or bent towards the head.

The winding is drawn on a sheet with coordinates u (along x) and v (along y) and then bent about lines parallel to y:
flat to ``bend_start``, along an arc of radius ``bend_radius``, then straight, ``bend_angle`` degrees up from the
flat on either side.  Bending keeps lengths, so loops keep their shape on the sheet.
"""

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

from neuro_field.arrays import BoolArray, FloatArray, read_only
from neuro_field.coil.sources import Dipoles, Segments
from neuro_field.errors import InputError
from neuro_field.geometry.mesh import Surface
from neuro_field.units import MILLIMETRES_PER_METRE


@dataclass(frozen=True)
class Winding:
    """The winding of a coil.

    Parameters
    ----------
    radii : tuple of float
        Radii of the loops of one wing, mm.
    depths : tuple of float
        Distance of each layer of loops behind the casing face, mm.
    wings : tuple of (float, int)
        Sheet coordinate u of each wing's centre, mm, and the sense of its current: +1 by the right hand about
        +z, which is counter-clockwise for someone in the head who looks at the casing face.
    layers_in_series : bool
        True when every layer carries the coil current, False when the layers share it (one conductor as tall as
        the layers together).
    bend_angle, bend_start, bend_radius : float
        Angle of either side towards the head, degrees; where the bend begins, mm; radius of its arc, mm.
    offset_y : float
        How far the wings' centres lie off the centre of the casing face along y, mm: below 0 towards the handle.

    Raises
    ------
    InputError
        On lengths that are not positive, or senses other than +1 and -1.
    """

    radii: tuple[float, ...]
    depths: tuple[float, ...]
    wings: tuple[tuple[float, int], ...]
    layers_in_series: bool = False
    bend_angle: float = 0.0
    bend_start: float = 0.0
    bend_radius: float = 0.0
    offset_y: float = 0.0

    def __post_init__(self) -> None:
        lengths = np.array([*self.radii, *self.depths])
        if not (self.radii and self.depths and self.wings) or not (lengths > 0).all():
            raise InputError(f"Radii and depths of Winding must be positive, in mm; not {lengths.tolist()}.")
        if not (0 <= self.bend_angle < 80 and self.bend_start >= 0 and self.bend_radius >= 0):
            raise InputError(
                f"The bend of Winding must be 0 to 80 degrees from a start and radius of at least 0 mm; instead "
                f"received {self.bend_angle}, {self.bend_start}, {self.bend_radius}."
            )
        if not np.isfinite(self.offset_y):
            raise InputError(f"Input offset_y of Winding must be finite, in mm; instead received {self.offset_y}.")
        if not all(sense in (1, -1) and np.isfinite(u) for u, sense in self.wings):
            raise InputError(f"Wings of Winding must be pairs of a centre in mm and +1 or -1; not {self.wings}.")

    @property
    def layer_current(self) -> float:
        """Current of each layer per ampere of coil current."""
        return 1.0 if self.layers_in_series else 1.0 / len(self.depths)

    @property
    def area_turns(self) -> float:
        """Area times turns of one wing, m2: its magnetic moment per ampere when flat."""
        area = np.pi * np.square(self.radii).sum() / MILLIMETRES_PER_METRE**2
        return float(area * self.layer_current * len(self.depths))

    def wires(self, pieces: int = 72) -> Segments:
        """The loops as polygons of ``pieces`` straight wires each, of the area of the circle they stand for."""
        angle = 2 * np.pi * np.arange(pieces + 1) / pieces
        widen = np.sqrt(2 * np.pi / pieces / np.sin(2 * np.pi / pieces))
        return self._paths([(widen * radius * np.cos(angle), widen * radius * np.sin(angle)) for radius in self.radii])

    def spirals(self, pieces: int = 72) -> Segments:
        """Each layer of a wing as one spiral through its turns, closed by a straight wire from its end to its start.

        The radius grows by one pitch a turn (Archimedes), so that turn k runs from half a pitch inside the k-th loop
        to half a pitch outside of it.  Real leads run side by side and are left out.
        """
        radii = np.sort(self.radii)
        pitch = (radii[-1] - radii[0]) / (len(radii) - 1) if len(radii) > 1 else 0.0
        turn = np.arange(pieces * len(radii) + 1) / pieces
        radius = radii[0] + pitch * (turn - 0.5)
        angle = 2 * np.pi * turn
        u, v = radius * np.cos(angle), radius * np.sin(angle)
        return self._paths([(np.append(u, u[0]), np.append(v, v[0]))])

    def _paths(self, paths: list[tuple[FloatArray, FloatArray]]) -> Segments:
        """Closed polygons about the centre of a wing, laid in every layer of every wing; mirrored in wings at u < 0."""
        starts, ends, currents = [], [], []
        for depth in self.depths:
            for centre, sense in self.wings:
                outwards = -1.0 if centre < 0 else 1.0
                for u, v in paths:
                    corners = self.bent(centre + outwards * u, v, depth)
                    corners[-1] = corners[0]
                    starts.append(corners[:-1])
                    ends.append(corners[1:])
                    currents.append(np.full(len(u) - 1, outwards * sense * self.layer_current))
        return Segments(np.concatenate(starts), np.concatenate(ends), np.concatenate(currents))

    def dipoles(self, spacing: float = 6.0, hollow: float = 0.0) -> Dipoles:
        """The same field as magnetic dipoles about ``spacing`` mm apart on the discs the loops enclose.

        Rings of dipoles at the Gauss points of each wing's own area-turns as a function of radius squared, on two
        sheets that keep the mean and spread of the layers.  For flat coils the error falls exponentially with
        distance over spacing: at 6 mm the flux density agrees with that of the wires to 0.1 % at 12 mm from the
        nearest wire and to 1e-5 from 20 mm on.  A bend narrower than the spacing costs 0.2 to 0.8 %; at 2 mm
        0.15 %.

        A loop has the same field through any surface that it spans: inside the innermost loop of each wing the sheet
        is hollowed backwards by ``hollow`` mm in the middle, a paraboloid, for a head that reaches into the wing.
        """
        rings = self._rings(spacing) if not hollow else self._hollow_rings(spacing)
        inner = min(self.radii)
        positions, moments = [], []
        depths = self._sheets()
        current = self.layer_current * len(self.depths) / len(depths)
        for depth in depths:
            for centre, sense in self.wings:
                for index, (radius, share) in enumerate(zip(*rings, strict=True)):
                    count = max(6, int(np.ceil(2 * np.pi * radius / spacing)))
                    angle = 2 * np.pi * (np.arange(count) + 0.5 * (index % 2)) / count
                    outwards = -1.0 if centre < 0 else 1.0  # so that two wings are mirror images
                    across, v = outwards * radius * np.cos(angle), radius * np.sin(angle)
                    behind = depth + hollow * max(1.0 - (radius / inner) ** 2, 0.0)
                    steepness = -2.0 * hollow / inner**2 if radius < inner else 0.0
                    area = self._area_vectors(centre + across, behind, steepness * across, steepness * v)
                    positions.append(self.bent(centre + across, v, behind))
                    moments.append(sense * share * current / count * area)
        return Dipoles(np.concatenate(positions), np.concatenate(moments))

    def _area_vectors(self, u: FloatArray, depth: float, along_u: FloatArray, along_v: FloatArray) -> FloatArray:
        """(m, 3) area of a sheet behind the face over that of the face, towards the head, its depth's slopes given."""
        slope, stretch = self.slope(u), self.stretch(u, depth)
        tangents = np.stack([np.cos(slope), np.zeros_like(slope), np.sin(slope)], axis=-1)
        sideways = np.stack([np.zeros_like(slope), stretch * along_v, np.zeros_like(slope)], axis=-1)
        return stretch[:, None] * self.normals(u) + along_u[:, None] * tangents + sideways

    def _sheets(self) -> tuple[float, ...]:
        """Depths of one or two sheets that stand for the layers: the same mean and the same spread."""
        mean, spread = float(np.mean(self.depths)), float(np.std(self.depths))
        return (mean,) if spread == 0 else (mean - spread, mean + spread)

    def _hollow_rings(self, spacing: float) -> tuple[FloatArray, FloatArray]:
        """`_rings` that keep apart what lies inside the innermost loop, all of whose area counts alike."""
        inner = min(self.radii)
        node, weight = np.polynomial.legendre.leggauss(int(np.ceil(inner / spacing)) + 1)
        shares = len(self.radii) * np.pi * inner**2 * weight / 2 / MILLIMETRES_PER_METRE**2
        radii = inner * np.sqrt((node + 1) / 2)
        if len(set(self.radii)) == 1:
            return radii, shares
        outside = self._rings(spacing, inner)
        return np.concatenate([radii, outside[0]]), np.concatenate([shares, outside[1]])

    def _rings(self, spacing: float, start: float = 0.0) -> tuple[FloatArray, FloatArray]:
        """Radii (mm) and area-turns (m2) of rings that stand for one layer of one wing, from a radius ``start`` on.

        Gauss's rule of the measure N(s) ds on s = radius squared, N the number of loops outside, by Lanczos on a
        fine discretisation (Golub & Welsch 1969).
        """
        squares = np.unique(np.square(self.radii))
        edges = np.concatenate([[start**2], squares[squares > start**2]])
        loops = np.array([(np.square(self.radii) > (a + b) / 2).sum() for a, b in pairwise(edges)])
        count = int(np.ceil((np.sqrt(edges[-1]) - start) / spacing)) + 1
        node, weight = np.polynomial.legendre.leggauss(2 * count)
        s = (edges[:-1, None] + np.diff(edges)[:, None] * (node + 1) / 2).ravel()
        mass = (loops[:, None] * np.diff(edges)[:, None] * weight / 2).ravel()
        alpha, beta, previous = np.zeros(count), np.zeros(count), np.zeros_like(s)
        vector = np.sqrt(mass / mass.sum())
        basis = [vector]
        for k in range(count):
            alpha[k] = (vector * s) @ vector
            following = s * vector - alpha[k] * vector - beta[k - 1] * previous * (k > 0)
            for known in basis:  # rounding would turn them towards one another
                following -= (following @ known) * known
            beta[k] = np.linalg.norm(following)
            if k + 1 < count:
                previous, vector = vector, following / beta[k]
                basis.append(vector)
        values, vectors = np.linalg.eigh(np.diag(alpha) + np.diag(beta[:-1], 1) + np.diag(beta[:-1], -1))
        shares = np.pi * mass.sum() * vectors[0] ** 2 / MILLIMETRES_PER_METRE**2
        return np.sqrt(values), shares

    def slope(self, u: FloatArray) -> FloatArray:
        """Angle of the sheet at u, radians, positive where z grows with u."""
        full = np.deg2rad(self.bend_angle)
        if self.bend_radius == 0:
            return np.sign(u) * np.where(np.abs(u) >= self.bend_start, full, 0.0)
        return np.sign(u) * np.clip((np.abs(u) - self.bend_start) / self.bend_radius, 0, full)

    def normals(self, u: FloatArray) -> FloatArray:
        """(m, 3) normals of the sheet at u, towards the head."""
        slope = self.slope(u)
        return np.stack([-np.sin(slope), np.zeros_like(slope), np.cos(slope)], axis=-1)

    def bent(self, u: FloatArray, v: FloatArray, depth: float) -> FloatArray:
        """(m, 3) points of the coil frame, mm, of sheet points (u, v) ``depth`` mm behind the face."""
        size, angle = np.abs(u), np.abs(self.slope(u))
        flat = np.minimum(size, self.bend_start)
        straight = np.maximum(size - self.bend_start - self.bend_radius * np.deg2rad(self.bend_angle), 0)
        x = flat + self.bend_radius * np.sin(angle) + straight * np.cos(angle)
        z = self.bend_radius * (1 - np.cos(angle)) + straight * np.sin(angle)
        face = np.stack([np.sign(u) * x, self.offset_y + np.broadcast_to(v, u.shape), z], axis=-1)
        return face - depth * self.normals(u)

    def stretch(self, u: FloatArray, depth: float) -> FloatArray:
        """Area of a layer behind the face over the area on the face: more than one on the arc of a bend."""
        if self.bend_radius == 0:
            return np.ones_like(u)
        arc = np.abs(u) - self.bend_start
        on_arc = (arc > 0) & (arc < self.bend_radius * np.deg2rad(self.bend_angle))
        return np.where(on_arc, 1 + depth / self.bend_radius, 1.0)

    @cached_property
    def initial_y(self) -> int:
        """+1 when the primary field on the axis points along +y while the current rises, -1 along -y, 0 neither.

        Current in a wing at u > 0 that runs by the right hand about +z passes the centre along -y, and the
        primary field opposes it.
        """
        return int(np.sign(sum(np.sign(centre) * sense for centre, sense in self.wings)))

    def casing(
        self, *, margin: float = 6.0, thickness: float = 20.0, waist: float = 25.0, hole: float = 0.0
    ) -> Surface:
        """A closed housing around the winding, its face towards the head at depth 0.

        Its outline follows the wings at a distance of ``margin`` mm, no narrower than 2 x ``waist`` between
        them; its back lies ``thickness`` mm behind the face.  Each wing has a round opening of radius ``hole`` in
        its middle, into which a head may reach.  The handle is left out.

        Raises
        ------
        InputError
            If the opening meets a winding, or the openings of two wings one another.
        """
        u, width = self._outline(margin, waist, hole)
        shift, opening = self.offset_y, np.zeros_like(u)

        def ring(*edges: FloatArray) -> FloatArray:
            """(k, 4, 3) cross-sections between two edges, at the face and at the back."""
            low, high = edges
            corners = ((low, 0.0), (high, 0.0), (high, thickness), (low, thickness))
            return np.stack([self.bent(u, v, depth) for v, depth in corners], axis=1)

        if not hole:
            return _prism(ring(-width - shift, width - shift))
        for centre, _ in self.wings:
            opening = np.maximum(opening, np.sqrt(np.maximum(hole**2 - (u - centre) ** 2, 0)))
        opening[opening < 1e-3 * hole] = 0.0  # rounding at the rims
        return _pierced((ring(-opening, -width - shift), ring(opening, width - shift)), opening > 0)

    def _outline(self, margin: float, waist: float, hole: float) -> tuple[FloatArray, FloatArray]:
        """Where a casing is cut across (k,), its openings' rims among them, and half its width there (k,), mm."""
        centres, reach = [centre for centre, _ in self.wings], max(self.radii) + margin
        most = min(min(self.radii), np.diff(np.sort(centres)).min(initial=np.inf) / 2)
        if not 0 <= hole < most:
            raise InputError(
                f"Input hole of a casing must be 0 to below {most:g} mm, where a winding or the next wing's begins; "
                f"instead received {hole}."
            )
        low, high = min(centres) - reach, max(centres) + reach
        u = (low + high) / 2 - (high - low) / 2 * np.cos(np.pi * np.arange(1, 64) / 64)
        if hole:
            rims = [centre - hole * np.cos(np.pi * np.arange(25) / 24) for centre in centres]
            u = np.unique(np.concatenate([u, *rims]).round(6))
        across = [np.sqrt(np.maximum(reach**2 - (u - centre) ** 2, 0)) for centre in centres]
        between = (u > min(centres)) & (u < max(centres))
        return u, np.maximum(np.max(across, axis=0), np.where(between, min(waist, reach), 0))


def _pierced(halves: tuple[FloatArray, FloatArray], opened: BoolArray) -> Surface:
    """Closed surface of two halves (k, 4, 3) that meet along their first and last corners but where it is opened (k,).

    Each half is closed towards the other by the wall of an opening only; elsewhere the two share their corners.
    """
    points, triangles = [], []
    for half, rings in enumerate(halves):
        count, first = len(rings), half * 4 * len(rings)
        quads = []
        for station in range(count - 1):
            for side in range(4):
                if side < 3 or opened[station : station + 2].any():
                    a, b = 4 * station + side, 4 * station + (side + 1) % 4
                    quads += [[a, a + 4, b], [b, a + 4, b + 4]]
        last = 4 * (count - 1)
        quads += [[0, 1, 2], [0, 2, 3], [last, last + 2, last + 1], [last, last + 3, last + 2]]
        turned = np.array(quads)[:, :: 1 if half else -1]
        points.append(rings.reshape(-1, 3))
        triangles.append(turned + first)
    joined, owner = np.unique(np.concatenate(points).round(6), axis=0, return_inverse=True)
    corners = owner.ravel()[np.concatenate(triangles)]
    whole = (corners != np.roll(corners, 1, axis=1)).all(axis=1)
    return _outwards(Surface(joined, corners[whole]))


def _prism(rings: FloatArray) -> Surface:
    """Closed surface through quadrilateral cross-sections (k, 4, 3), normals outwards."""
    count = len(rings)
    triangles = []
    for station in range(count - 1):
        for side in range(4):
            a, b = 4 * station + side, 4 * station + (side + 1) % 4
            triangles += [[a, a + 4, b], [b, a + 4, b + 4]]
    last = 4 * (count - 1)
    triangles += [[0, 1, 2], [0, 2, 3], [last, last + 2, last + 1], [last, last + 3, last + 2]]
    return _outwards(Surface(rings.reshape(-1, 3), np.array(triangles)))


def _outwards(surface: Surface) -> Surface:
    """A closed surface with its normals outwards."""
    inward = np.einsum("fi,fi->", surface.points[surface.triangles[:, 0]], surface.area_vectors) < 0
    return Surface(surface.points, read_only(surface.triangles[:, ::-1])) if inward else surface
