"""Coils that turn about one axis: a few sums over charges give the response for every turn and lift of a family.

A family is a run of poses on one axis, as `neuro_field.search.candidates` lists them: every handle direction at one
scalp position, each lifted as far as its casing needs.  About the axis the coil's potential is a Fourier series; what
the charges sum of it is smooth, so that the sum is a short series in the turn (a figure-8 coil needs the harmonics 1,
3 and 5, a general one more: the series itself is asked) and a low polynomial in the lift.
"""

import logging

import numpy as np
from scipy.spatial import cKDTree

from neuro_field.arrays import AnyArray, BoolArray, FloatArray
from neuro_field.kernels import turning as kernel
from neuro_field.nouns import noun
from neuro_field.reciprocity.charges import Charges
from neuro_field.units import metres

LOG = logging.getLogger(__name__)

#: Of the grid in r and z on which the coil's potential is tabulated, mm.
SPACING = 3.0

#: A charge nearer than this, mm, to the circle a dipole draws would feel harmonics that no table holds.
CLEARANCE = 10.0

#: Highest harmonic looked at, and the share of the largest below which one is left out.
_HIGHEST = 15
_NEGLIGIBLE = 1e-4

#: Families whose harmonics are looked at, and poses checked term by term; what they may differ by, of the largest.
_LOOKED_AT = 24
_CHECKED = 16
_ALLOWED = 1e-3

#: Two poses are on one axis when their z axes differ by less than this and their centres by less than this aside, mm.
_SAME_AXIS = 1e-9
_SAME_LINE = 1e-6


@noun
class Families:
    """Runs of poses on one axis.

    Parameters
    ----------
    family : (p,) int array
        Which run each pose belongs to, ascending.
    first : (f,) int array
        The first pose of each; turns and lifts count from it.
    angles, lifts : (p,) arrays
        Radians about the coil's z axis, and mm back along it.
    """

    family: AnyArray
    first: AnyArray
    angles: FloatArray
    lifts: FloatArray

    @classmethod
    def of(cls, head_from_coil: FloatArray) -> "Families":
        """The runs in poses (p, 4, 4)."""
        axes, centres = head_from_coil[:, :3, 2], head_from_coil[:, :3, 3]
        step = np.diff(centres, axis=0)
        step -= np.einsum("pi,pi->p", step, axes[1:])[:, None] * axes[1:]
        apart = (np.abs(np.diff(axes, axis=0)).max(axis=1) > _SAME_AXIS) | (np.abs(step).max(axis=1) > _SAME_LINE)
        family = np.concatenate([[0], np.cumsum(apart)])
        first = np.concatenate([[0], np.flatnonzero(apart) + 1])
        start = first[family]
        x = head_from_coil[:, :3, 0]
        cosine = np.einsum("pi,pi->p", x, head_from_coil[start, :3, 0])
        sine = np.einsum("pi,pi->p", x, head_from_coil[start, :3, 1])
        lifts = -np.einsum("pi,pi->p", centres - centres[start], axes)
        return cls(family, first, np.arctan2(sine, cosine), lifts)


class Turning:
    """The potential of a coil's dipoles about its axis.

    Parameters
    ----------
    charges : Charges
    positions, moments : (s, 3) arrays
        Of the coil's dipoles, coil frame, mm and A m2.
    """

    def __init__(self, charges: Charges, positions: FloatArray, moments: FloatArray) -> None:
        self.charges = charges
        self.positions, self.moments = np.array(positions), np.array(moments)
        self._harmonics = np.arange(_HIGHEST + 1)
        self._reach = 0.0

    def sums(self, head_from_coil: FloatArray) -> tuple[FloatArray, BoolArray]:
        """Sums (p, k) of moment . Q_k over the dipoles, and (p,) which poses have one.

        Poses on an axis of their own, and families near whose dipoles' circles a charge lies, have none.
        """
        p = len(head_from_coil)
        out, found = np.empty((p, self.charges.strengths.shape[1])), np.zeros(p, dtype=bool)
        if p < 2:
            return out, found
        families = Families.of(head_from_coil)
        sizes = np.bincount(families.family)
        lows, highs = np.full((2, len(sizes)), np.nan)
        np.fmin.at(lows, families.family, families.lifts)
        np.fmax.at(highs, families.family, families.lifts)
        counts = np.where(highs - lows < 1e-6, 1, 3 + (highs - lows) // 4).astype(np.int64)
        chosen = np.flatnonzero(sizes > 2 * counts)
        if not len(chosen):
            return out, found
        self._tabulate(head_from_coil[families.first[chosen], :3, 3], float((highs - lows)[chosen].max()))
        poses, counts, lows, highs = head_from_coil[families.first[chosen]], counts[chosen], lows[chosen], highs[chosen]
        harmonics = self._needed(poses[:: max(1, len(poses) // _LOOKED_AT)])
        if not len(harmonics):
            return out, found
        series, clear = self._series(_nodes(poses, counts, lows, highs), harmonics)
        firsts = np.concatenate([[0], np.cumsum(counts)[:-1]])
        served = np.full(len(sizes), -1)
        served[chosen] = np.where(np.minimum.reduceat(clear, firsts), np.arange(len(chosen)), -1)
        whose = served[families.family]
        found = whose >= 0
        some = np.empty((np.count_nonzero(found), out.shape[1]))
        kernel.turned(
            whose[found], families.angles[found], families.lifts[found], lows, highs, firsts, counts, harmonics,
            series, some,
        )  # fmt: skip
        out[found] = some
        return out, self._checked(head_from_coil, out, found)

    def _tabulate(self, centres: FloatArray, lift: float) -> None:
        """Harmonics of the potential on a grid that reaches all charges from all axes."""
        low, high = self.charges.places.min(axis=0), self.charges.places.max(axis=0)
        reach = float(np.linalg.norm(np.maximum(high - centres.min(axis=0), centres.max(axis=0) - low))) + lift
        if reach <= self._reach:
            return
        self._reach = reach
        r = SPACING * np.arange(-1, reach // SPACING + 4)
        self._low = -SPACING * (reach // SPACING + 3)
        z = np.arange(self._low, reach + 3 * SPACING, SPACING)
        turns = 2 * _HIGHEST + 2
        turn = 2 * np.pi * np.arange(turns) / turns
        points = np.empty((len(r), len(z), turns, 3))
        points[..., 0] = r[:, None, None] * np.cos(turn)
        points[..., 1] = r[:, None, None] * np.sin(turn)
        points[..., 2] = z[:, None]
        values = np.empty(points.size // 3)
        kernel.coil_potential(metres(points.reshape(-1, 3)), metres(self.positions), self.moments, values)
        circles = np.stack([np.hypot(self.positions[:, 0], self.positions[:, 1]), self.positions[:, 2]], axis=1)
        places = np.stack(np.broadcast_arrays(np.abs(r)[:, None], z), axis=-1).reshape(-1, 2)
        self._near = (cKDTree(circles).query(places)[0] < CLEARANCE + SPACING).reshape(len(r), len(z))
        waves = self._harmonics[:, None] * turn
        scale = np.where(self._harmonics == 0, 1, 2)[:, None] / turns
        parts = np.stack([scale * np.cos(waves), scale * np.sin(waves)], axis=1).reshape(-1, turns)
        finite = np.where(np.isfinite(values), values, 0.0).reshape(len(r), len(z), turns)
        self._table = finite @ parts.T

    def _needed(self, poses: FloatArray) -> AnyArray:
        """The harmonics that say something at some poses; none if they do not end below the highest looked at."""
        series, clear = self._series(poses, self._harmonics)
        if not clear.any():
            return np.empty(0, dtype=np.int64)
        sizes = np.abs(series[clear]).max(axis=0).reshape(len(self._harmonics), -1).max(axis=1)
        needed = np.flatnonzero(sizes > _NEGLIGIBLE * sizes.max())
        return needed if needed.max(initial=0) < _HIGHEST - 1 else np.empty(0, dtype=np.int64)

    def _series(self, poses: FloatArray, harmonics: AnyArray) -> tuple[FloatArray, BoolArray]:
        terms = np.stack([2 * harmonics, 2 * harmonics + 1], axis=1).ravel()
        width = self.charges.strengths.shape[1]
        out, clear = np.empty((len(poses), len(terms), width)), np.empty(len(poses), dtype=bool)
        kernel.axis_series(
            np.ascontiguousarray(poses[:, :3, :3]), np.ascontiguousarray(poses[:, :3, 3]), self.charges.places,
            np.ascontiguousarray(self.charges.strengths), harmonics, np.ascontiguousarray(self._table[..., terms]),
            self._near, SPACING, self._low, out, clear,
        )  # fmt: skip
        return out, clear

    def _checked(self, poses: FloatArray, sums: FloatArray, found: BoolArray) -> BoolArray:
        """``found``, or nothing if some poses differ from the sum over their own dipoles."""
        which = np.flatnonzero(found)
        which = which[:: max(1, len(which) // _CHECKED)]
        if not len(which):
            return found
        rotations = poses[which, :3, :3]
        places = np.einsum("pij,sj->psi", rotations, self.positions) + poses[which, None, :3, 3]
        moments = np.einsum("pij,sj->psi", rotations, self.moments)
        field = self.charges.field(places.reshape(-1, 3)).reshape(*places.shape, -1)
        exact = np.einsum("psi,psik->pk", moments, field)
        error = float(np.abs(exact - sums[which]).max() / np.abs(exact).max())
        LOG.info("Turned poses differ from their own sums by up to %.1e of the largest.", error)
        return found if error <= _ALLOWED else np.zeros_like(found)


def _nodes(poses: FloatArray, counts: AnyArray, lows: FloatArray, highs: FloatArray) -> FloatArray:
    """The poses (q, 4, 4) of families at their Chebyshev nodes of lift, as `kernels.turning.turned` takes them."""
    out = np.repeat(poses, counts, axis=0)
    place = np.arange(len(out)) - np.repeat(np.cumsum(counts) - counts, counts)
    middle, half = np.repeat((lows + highs) / 2, counts), np.repeat((highs - lows) / 2, counts)
    lifts = middle - half * np.cos(np.pi * (place + 0.5) / np.repeat(counts, counts))
    out[:, :3, 3] -= lifts[:, None] * out[:, :3, 2]
    return out
