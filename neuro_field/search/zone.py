"""Where the best placement of a plan may be held and still keep most of its field: positions and handles, as data."""

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from scipy.ndimage import binary_dilation, label
from scipy.spatial import cKDTree

from neuro_field.arrays import AnyArray, BoolArray, FloatArray, IntArray, read_only
from neuro_field.coil.coil import Coil
from neuro_field.coil.placement import Placement
from neuro_field.errors import InputError
from neuro_field.head.model import HeadModel
from neuro_field.nouns import noun
from neuro_field.search.candidates import Candidates, lattice
from neuro_field.search.landscape import Landscape, Patch, Top, feet_of

#: A zone holds all that keeps this share of the best.
KEPT = 0.95

#: Of the lattice: mm between places, degrees between handles.  Between two poses a field bends by a tenth of a percent.
SPACING, ANGLE_STEP = 2.0, 5.0

#: How far the lattice reaches at first, mm and degrees either way; it grows while the zone meets its end.
_REACH, _SECTOR = 16.0, 30.0

#: A pose belongs to the lattice when its axis runs along (cosine) and its height agrees, mm.
_SAME_AXIS, _HIGHER = float(np.cos(np.radians(3.0))), 2.0

#: Places of the scalp farther above or below a plane than this, mm, are not those that the lattice was laid on.
_SAME_SIDE = 60.0


@noun
class Zone:
    """The poses around the best that keep a share of it, joined to it without a gap, on a fine lattice.

    Places of the lattice are a square grid in the plane that touches the scalp under the best placement, carried onto
    the scalp along the plane's normal; at each the coil lies flat at the plan's gap, lifted to clear the scalp, its
    handle turned in steps from the best one's angle.

    Parameters
    ----------
    poses : (p, 4, 4) array
        Those that keep the share, mm, head frame; the best of the lattice first.
    strengths : (p,) array
        What each is ranked by: V/m in the target at 1 A/us, or the ratio.
    kept : float
        The share of the best, 0 to 1.
    share : float
        Of the positions of the patch that was searched, those in the zone with some handle, 0 to 1.
    area_cm2 : float
        Of the scalp on which the coil's centre may stand.
    handle_low, handle_high : float, optional
        Handles that keep the share at the best one's own position: degrees from straight back, positive to the
        patient's left, low below high, around the best's own angle; None for a coil of continuous symmetry.
    closed : bool
        False where the zone reaches the rim of the search and may go on.
    beyond : (q, 4, 4) array
        The neighbours of the zone on the lattice, that keep less, and
    beyond_strengths : (q,) array
        what they are ranked by.
    cells : (p + q, 3) int array
        Steps of every pose, those of the zone first, from the best's place along the plane's two axes, and of its
        handle.
    heights : (p + q,) array
        Of the coil's face above the scalp along its own axis, mm: gap and lift.
    spacing, angle_step : float
        Of the lattice, mm and degrees.
    period : float, optional
        Degrees after which a turned handle is the same one: 360, 180 (two-fold coil), None (continuous).
    """

    poses: FloatArray
    strengths: FloatArray
    kept: float
    share: float
    area_cm2: float
    handle_low: float | None
    handle_high: float | None
    closed: bool
    beyond: FloatArray
    beyond_strengths: FloatArray
    cells: IntArray
    heights: FloatArray
    spacing: float
    angle_step: float
    period: float | None

    def __post_init__(self) -> None:
        for name in ("poses", "strengths", "beyond", "beyond_strengths", "heights"):
            object.__setattr__(self, name, read_only(getattr(self, name), np.float64))
        object.__setattr__(self, "cells", read_only(self.cells, np.int32))
        p, q = len(self.strengths), len(self.beyond_strengths)
        if not p or self.poses.shape != (p, 4, 4) or self.beyond.shape != (q, 4, 4):
            raise InputError(f"A Zone needs poses (p, 4, 4) with strengths (p,); not {self.poses.shape} and {p}.")
        if self.cells.shape != (p + q, 3) or self.heights.shape != (p + q,):
            raise InputError(f"A Zone needs a cell and a height for each of its {p + q} poses; not {self.cells.shape}.")
        if not 0 < self.kept < 1:
            raise InputError(f"Input kept of Zone must be a share between 0 and 1; instead received {self.kept!r}.")

    @cached_property
    def least(self) -> float:
        """What a pose of the zone is ranked by at least, V/m at 1 A/us or the ratio."""
        return self.kept * float(self.strengths[0])

    @cached_property
    def turns(self) -> FloatArray:
        """(p,) degrees by which the handle of each pose is turned from the best one's, as carried onto its place."""
        return read_only(self.angle_step * self.cells[: len(self.poses), 2], np.float64)

    def rim(self, count: int = 20) -> tuple[FloatArray, FloatArray]:
        """Poses just inside the zone's rim and just beyond it, (c, 4, 4) each and pair by pair a lattice step apart.

        Spread over the rim as evenly as ``count`` pairs can be; fewer where there are no more, none beyond a zone that
        is cut off all round.  The same every time.
        """
        inside, beyond = self._pairs
        if not len(inside):
            return np.empty((0, 4, 4)), np.empty((0, 4, 4))
        places = self.cells[inside].astype(np.float64)
        chosen = [int(np.argmax(np.linalg.norm(places, axis=1)))]
        distance = np.linalg.norm(places - places[chosen[0]], axis=1)
        while len(chosen) < min(count, len(inside)) and distance.max() > 0:
            chosen.append(int(np.argmax(distance)))
            distance = np.minimum(distance, np.linalg.norm(places - places[chosen[-1]], axis=1))
        return self.poses[inside[chosen]], self.beyond[beyond[chosen]]

    def holds(self, poses: FloatArray | Placement | Sequence[Placement]) -> BoolArray:
        """(m,) whether poses (m, 4, 4), mm, or placements keep the share, by interpolation on the lattice.

        A pose that is tilted by more than 3 degrees, or stands more than 2 mm higher or lower than the zone's own poses
        there, is none of them.
        """
        given = _as_poses(poses)
        return np.array([self._held(pose) for pose in given], dtype=bool)

    @cached_property
    def _pairs(self) -> tuple[IntArray, IntArray]:
        """Indices of neighbours across the rim, into ``poses`` and ``beyond``, each pose of the zone once."""
        p, inside, beyond = len(self.poses), [], []
        for i, cell in enumerate(self.cells[:p]):
            for step in np.concatenate([np.eye(3, dtype=int), -np.eye(3, dtype=int)]):
                other = self._index.get(self._cell(cell + step), -1)
                if other >= p:
                    inside.append(i)
                    beyond.append(other - p)
                    break
        return np.array(inside, dtype=np.int64), np.array(beyond, dtype=np.int64)

    def _cell(self, steps: IntArray) -> tuple[int, ...]:
        """Steps on the lattice (3,), the handle's within half its period."""
        i, j, k = steps.tolist()
        if self.period is not None:
            half = round(self.period / 2 / self.angle_step)
            k = (k + half) % (2 * half) - half
        return i, j, k

    @cached_property
    def _index(self) -> dict[tuple[int, ...], int]:
        return {tuple(cell): i for i, cell in enumerate(self.cells.tolist())}

    @cached_property
    def _feet(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """All poses and the places on the scalp that they stand over, and those places in steps of the lattice."""
        every = np.concatenate([self.poses, self.beyond])
        feet = every[:, :3, 3] + self.heights[:, None] * every[:, :3, 2]
        return every, feet, self.cells[:, :2].astype(np.float64)

    def _held(self, pose: FloatArray) -> bool:
        """One pose: three poses of the lattice around it say where it stands, eight what it is worth."""
        every, feet, steps = self._feet
        offsets = feet - pose[:3, 3]
        aside = offsets - (offsets @ pose[:3, 2])[:, None] * pose[:3, 2]
        near = int(np.argmin(np.linalg.norm(aside, axis=1)))
        if np.linalg.norm(aside[near]) > self.spacing * 1.5:
            return False
        column = np.flatnonzero((self.cells[:, :2] == self.cells[near, :2]).all(axis=1))
        turn = 0.0 if self.period is None else self._turn(pose, every[near], int(self.cells[near, 2]))
        own = column[np.argmin(np.abs(self.cells[column, 2] - turn))]
        height = float(offsets[own] @ pose[:3, 2])
        if every[own, :3, 2] @ pose[:3, 2] < _SAME_AXIS or abs(height - self.heights[own]) > _HIGHER:
            return False
        axes = self.poses[0][:3, :2] * [1.0, -1.0]
        place = steps[near] - (aside[near] @ axes) / self.spacing
        return self._interpolated(np.append(place, turn)) >= self.least

    def _turn(self, pose: FloatArray, other: FloatArray, step: int) -> float:
        """Steps of a pose's handle on the lattice, from that of a pose of the lattice beside it."""
        assert self.period is not None
        y = pose[:3, 1]
        degrees = np.degrees(np.arctan2(-(y @ other[:3, 0]), y @ other[:3, 1])) + step * self.angle_step
        return float((degrees + self.period / 2) % self.period - self.period / 2) / self.angle_step

    def _interpolated(self, place: FloatArray) -> float:
        """Trilinear, of the lattice's values; minus infinity beside a pose that is not known."""
        low = np.floor(place).astype(int)
        part, values = place - low, np.concatenate([self.strengths, self.beyond_strengths])
        total = 0.0
        for corner in np.ndindex(2, 2, 2):
            weight = float(np.prod(np.where(corner, part, 1 - part)))
            if weight < 1e-9:
                continue
            i = self._index.get(self._cell(low + corner))
            if i is None:
                return -np.inf
            total += weight * float(values[i])
        return total


def _as_poses(given: FloatArray | Placement | Sequence[Placement]) -> FloatArray:
    """Placements or poses as (m, 4, 4)."""
    if isinstance(given, Placement):
        given = [given]
    if not isinstance(given, np.ndarray):
        given = np.array([each.head_from_coil if isinstance(each, Placement) else each for each in given])
    return np.asarray(given, dtype=np.float64).reshape(-1, 4, 4)


def zone_around(
    head: HeadModel, coil: Coil, landscape: Landscape, top: Top, *, patch: Patch, period: float | None,
    kept: float = KEPT,
) -> Zone:  # fmt: skip
    """The zone around the top of a hill.

    Parameters
    ----------
    head : HeadModel
    coil : Coil
    landscape : Landscape
    top : Top
    patch : Patch
        That was searched; the zone does not leave it.
    period : float, optional
        As of `Zone`.
    kept : float
        Share of the top's value.
    """
    reach, sector = _REACH, _SECTOR
    while True:
        found = _Lattice.of(head, coil, landscape, top, patch, reach=reach, sector=sector, period=period)
        members = found.members(kept)
        wider, turned = found.touched(members)
        if not (wider or turned):
            return found.zone(members, patch, top, kept)
        reach, sector = (reach * 1.5 if wider else reach), (sector * 2 if turned else sector)


@noun
class _Lattice:
    """Values (i, j, k) around a top, NaN where none are known; which placement each is, -1 for none."""

    choices: Candidates
    values: FloatArray
    number: AnyArray
    middle: tuple[int, int, int]
    period: float | None
    whole_circle: bool
    whole_patch: bool

    @classmethod
    def of(
        cls, head: HeadModel, coil: Coil, landscape: Landscape, top: Top, patch: Patch, *, reach: float, sector: float,
        period: float | None,
    ) -> "_Lattice":  # fmt: skip
        """Every place within reach, mm, and every handle within a sector, degrees either way."""
        half = int(min(sector, (period or 0.0) / 2) // ANGLE_STEP)
        whole_circle = period is None or sector >= period / 2
        ks: AnyArray = np.arange(-half, half + (0 if whole_circle and period is not None else 1))
        turns = np.asarray(ANGLE_STEP * ks, dtype=np.float64)
        choices, steps = lattice(
            head, coil, top.pose, gap=top.gap, reach=reach, spacing=SPACING, turns=turns, within=patch.holds
        )
        values = landscape.values(choices.head_from_coil)
        known = np.isfinite(values)
        side = int(reach // SPACING) + 1
        shape = (2 * side + 1, 2 * side + 1, len(ks))
        cells = np.column_stack([np.repeat(steps, len(ks), axis=0) + side, np.tile(np.arange(len(ks)), len(steps))])
        grid, number = np.full(shape, np.nan), np.full(shape, -1, dtype=np.int64)
        grid[tuple(cells[known].T)], number[tuple(cells[known].T)] = values[known], np.flatnonzero(known)
        farthest = np.linalg.norm(patch.feet - feet_of(choices)[0], axis=1).max()
        return cls(choices, grid, number, (side, side, half), period, whole_circle, reach > farthest + patch.spacing)

    def members(self, kept: float) -> BoolArray:
        """Which keep the share and are joined to the top."""
        enough = np.nan_to_num(self.values, nan=-np.inf) >= kept * self.values[self.middle]
        labels = label(enough, structure=np.ones((3, 3, 3)))[0]
        if self.whole_circle and self.values.shape[2] > 1:  # round the circle: the last handle lies beside the first
            for a, b in np.unique(np.stack([labels[..., 0], labels[..., -1]], axis=-1).reshape(-1, 2), axis=0):
                if a and b and a != b:
                    labels[labels == b] = a
        joined: BoolArray = labels == labels[self.middle]
        return joined

    def _widened(self, members: BoolArray) -> BoolArray:
        """With all neighbours in place and handle, round the circle where it is whole."""
        wide: BoolArray = binary_dilation(members, np.ones((3, 3, 1)))
        more = np.pad(wide, ((0, 0), (0, 0), (1, 1)), mode="wrap" if self.whole_circle else "constant")
        return wide | more[..., :-2] | more[..., 2:]

    def touched(self, members: BoolArray) -> tuple[bool, bool]:
        """Whether the zone meets the end of the lattice's places, or of its handles, where there are more."""
        i, j, _ = (axis - middle for axis, middle in zip(np.nonzero(members), self.middle, strict=True))
        wide = bool((np.hypot(i, j) >= self.middle[0] - 2).any()) and not self.whole_patch
        return wide, not self.whole_circle and bool(members[..., [0, -1]].any())

    def zone(self, members: BoolArray, patch: Patch, top: Top, kept: float) -> Zone:
        """The noun."""
        shell = self._widened(members) & ~members
        known = self.number >= 0
        inside, beyond = np.argwhere(members), np.argwhere(shell & known)
        inside = inside[np.argsort(~(inside == self.middle).all(axis=1), kind="stable")]  # the top first
        cells = np.concatenate([inside, beyond])
        which, p = self.number[tuple(cells.T)], len(inside)
        poses, values = self.choices.head_from_coil[which], self.values[tuple(cells.T)]
        places = np.unique(inside[:, :2], axis=0)
        normal = top.pose[:3, 2]
        one_each = self.choices.head_from_coil[self.number[members.any(axis=2)].max(axis=1)]
        low, high = self._sector(members, top.angle, kept)
        return Zone(
            poses[:p], values[:p], kept, _covered(patch, top, feet_of(self.choices)[0], places - self.middle[:2]),
            float((SPACING**2 / np.abs(one_each[:, :3, 2] @ normal)).sum() / 100), low, high,
            not (shell & ~known).any(), poses[p:], values[p:], np.asarray(cells - self.middle, dtype=np.int32),
            (self.choices.gaps + self.choices.lifts)[which], SPACING, ANGLE_STEP, self.period,
        )  # fmt: skip

    def _sector(self, members: BoolArray, angle: float, kept: float) -> tuple[float | None, float | None]:
        """Handles that keep the share where the top stands, degrees; where the share is crossed between two steps."""
        if self.period is None:
            return None, None
        i, j, k = self.middle
        held, values = members[i, j], self.values[i, j]
        least, ends, own = kept * values[k], [], (angle + 180.0) % 360.0 - 180.0
        if held.all() and self.whole_circle:
            return own - self.period / 2, own + self.period / 2
        for way in (-1, 1):
            end = k
            while 0 <= end + way < len(held) and held[end + way]:
                end += way
            over = values[end + way] if 0 <= end + way < len(held) else np.nan
            part = (values[end] - least) / (values[end] - over) if np.isfinite(over) else 0.0
            ends.append(own + ANGLE_STEP * (end - k + way * float(part)))
        return ends[0], ends[1]


def _covered(patch: Patch, top: Top, foot: FloatArray, places: AnyArray) -> float:
    """Share of the patch's positions that the places of a zone, in steps from the top's, stand for."""
    axes = top.pose[:3, :2] * [1.0, -1.0]
    nearest = cKDTree(places * SPACING).query((patch.feet - foot) @ axes)[0]
    level = np.abs((patch.feet - foot) @ top.pose[:3, 2]) < _SAME_SIDE
    return float(np.mean((nearest <= SPACING / np.sqrt(2)) & level))
