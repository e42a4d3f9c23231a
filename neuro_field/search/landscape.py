"""What placements are ranked by, as a landscape over position and handle: its hills, and the way up to their tops.

Neighbouring placements differ by a step along the scalp, of the handle, or both.  A hill counts when one must come
down from its top by a share of the best to reach a higher one: a shallower dip is less than the mesh's own error.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy.spatial import cKDTree

from neuro_field.arrays import AnyArray, BoolArray, FloatArray
from neuro_field.coil.coil import Coil
from neuro_field.errors import InputError
from neuro_field.head.model import HeadModel
from neuro_field.nouns import noun
from neuro_field.reciprocity.response import Response
from neuro_field.search.candidates import Candidates, Grid, finer
from neuro_field.search.whole_cortex import WholeCortex, half_volumes

#: A hill is one when the dip between it and a higher one is at least this share of the best.
PROMINENCE = 0.01

#: Ranked by a ratio, a placement counts only if it reaches this share of the strongest field in the target.
LEAST_OF_STRONGEST = 0.5

#: Positions no farther apart than this many spacings are neighbours: a square's corners on sloping scalp.
_NEIGHBOURS = 1.6

#: A pose belongs to the patch that was searched when one of its positions is no farther than this many spacings.
_WITHIN = 0.75

#: Fine searches on the way up from one coarse placement; each reaches half a coarse step.
_ROUNDS = 30


@noun
class Landscape:
    """What decides a rank: the target's response, regions to stay out of, and regions to compare with.

    Parameters
    ----------
    response : Response
        Of the target.
    avoided : sequence of Response
        Of regions whose mean |E| may have at most ``avoid_share`` of what the target measures.
    avoid_share : float
    over : sequence of Response
        Ranked by the ratio of the target to the strongest of these regions' mean |E|; by strength when empty.
    least : float
        Of the strength in the target, V/m at 1 A/us; what has less is not ranked.
    cortex : WholeCortex, optional
        Ranked by how little of it has at least half of the target's mean |E|, instead: by the reciprocal of these cm3.
    magnitude : Response, optional
        Of the target without its direction, for that.
    """

    response: Response
    avoided: Sequence[Response] = ()
    avoid_share: float = 1.0
    over: Sequence[Response] = ()
    least: float = -np.inf
    cortex: WholeCortex | None = None
    magnitude: Response | None = None

    def values(self, poses: FloatArray, strengths: FloatArray | None = None) -> FloatArray:
        """(p,) what poses (p, 4, 4) are ranked by, -inf where they may not be; ``strengths`` where they are known."""
        if strengths is None:
            strengths = self.response.strengths(poses)
        values = np.array(strengths, dtype=np.float64)
        if self.over:
            values /= np.maximum(np.max([other.strengths(poses) for other in self.over], axis=0), 1e-12)
        allowed = strengths >= self.least
        if self.cortex is not None:
            values[allowed] = self._focality(poses[allowed], strengths[allowed])
        values[~allowed] = -np.inf
        if self.avoided:
            values[self._shares(poses, strengths).max(axis=0) > self.avoid_share] = -np.inf
        return values

    def surveyed(self, poses: FloatArray, strengths: FloatArray) -> tuple["Landscape", FloatArray]:
        """The landscape with its least strength, and the values of all coarse placements; an error if none may be."""
        allowed = np.ones(len(poses), dtype=bool)
        if self.avoided:
            shares = self._shares(poses, strengths).max(axis=0)
            allowed = shares <= self.avoid_share
            if not allowed.any():
                names = ", ".join(other.target.name for other in self.avoided)
                raise InputError(
                    f"No placement keeps the field in {names} below {self.avoid_share:.0%} of the target's; the least "
                    f"is {shares.min():.0%}. Allow more, or leave the region out."
                )
        known = (
            replace(self, least=LEAST_OF_STRONGEST * float(strengths[allowed].max()))
            if self.over or self.cortex is not None
            else self
        )
        return known, known.values(poses, strengths)

    def _focality(self, poses: FloatArray, strengths: FloatArray) -> FloatArray:
        """(p,) 1/cm3: the smaller the volume reached, the better; -inf where the live field does not know it."""
        assert self.cortex is not None
        magnitudes = strengths if self.magnitude is None else self.magnitude.strengths(poses)
        volumes = half_volumes(self.cortex, poses, magnitudes)
        return np.where(np.isfinite(volumes), 1 / np.maximum(volumes, 1e-6), -np.inf)

    def _shares(self, poses: FloatArray, strengths: FloatArray) -> FloatArray:
        """(a, p) mean |E| in every region to avoid, as shares of what the target measures."""
        return np.stack([other.strengths(poses) / np.maximum(np.abs(strengths), 1e-12) for other in self.avoided])


@noun
class Patch:
    """The part of the scalp that is searched: the positions (q, 3) of the coarse placements, mm, and their spacing."""

    feet: FloatArray
    spacing: float

    @classmethod
    def of(cls, choices: Candidates, spacing: float) -> "Patch":
        """Of the coarse placements."""
        first = np.flatnonzero(np.diff(choices.positions, prepend=-1))
        return cls(feet_of(choices)[first], spacing)

    def holds(self, feet: FloatArray) -> BoolArray:
        """(p,) whether places on the scalp (p, 3) lie in the patch."""
        held: BoolArray = cKDTree(self.feet).query(feet)[0] <= _WITHIN * self.spacing
        return held


@noun
class Top:
    """The top of a hill: pose (4, 4), what it is ranked by, handle in degrees, lift and gap in mm.

    ``stopped`` where the search ended at the rim of its patch with more beyond; ``tried`` counts the fine placements.
    """

    pose: FloatArray
    value: float
    angle: float
    lift: float
    gap: float
    stopped: bool
    tried: int


def feet_of(choices: Candidates) -> FloatArray:
    """(p, 3) the places on the scalp that placements stand over, mm."""
    poses = choices.head_from_coil
    return poses[:, :3, 3] + (choices.gaps + choices.lifts)[:, None] * poses[:, :3, 2]


def hills(choices: Candidates, values: FloatArray, spacing: float) -> list[int]:
    """Indices of the coarse placements on top of a hill of the landscape ``values`` (p,), highest first.

    Of several gaps and tilts at one position and handle the best stands for all.
    """
    first = np.flatnonzero(np.diff(choices.positions, prepend=-1))
    angles = len(np.unique(choices.angles))
    layers = np.arange(len(values)).reshape(len(first), -1, angles)
    best = np.take_along_axis(layers, values[layers].argmax(axis=1)[:, None], axis=1)[:, 0]  # (q, a)
    heights = values[best]
    around = _neighbours(feet_of(choices)[first], _NEIGHBOURS * spacing)
    tops = _prominent(heights, around, PROMINENCE * abs(float(heights.max())))
    return [int(i) for i in best.ravel()[tops]]


def _neighbours(points: FloatArray, reach: float) -> AnyArray:
    """(q, k) the positions within reach of each, filled up with itself."""
    near = cKDTree(points).query_ball_point(points, reach)
    out = np.repeat(np.arange(len(points))[:, None], max(map(len, near)), axis=1)
    for i, found in enumerate(near):
        out[i, : len(found)] = found
    return out


def _prominent(heights: FloatArray, around: AnyArray, least: float) -> AnyArray:
    """Nodes of (q, a) heights, flattened, that rise by ``least`` or more above the way to any higher one, by height."""
    number = np.arange(heights.size).reshape(heights.shape)
    steps = [(around[:, k], turn) for k in range(around.shape[1]) for turn in (-1, 0, 1)]
    highest, towards = heights.copy(), number.copy()
    for there, turn in steps:
        other = np.roll(heights[there], turn, axis=1)
        up = other > highest
        highest[up], towards[up] = other[up], np.roll(number[there], turn, axis=1)[up]
    hill = towards.ravel()
    while (hill[hill] != hill).any():
        hill = hill[hill]
    hills_of = hill.reshape(heights.shape)
    passes: list[tuple[float, int, int]] = []
    for there, turn in steps:
        other = np.roll(hills_of[there], turn, axis=1)
        saddle = np.minimum(heights, np.roll(heights[there], turn, axis=1))
        apart = (other != hills_of) & np.isfinite(saddle)
        pairs, which = np.unique(np.stack([hills_of[apart], other[apart]], axis=1), axis=0, return_inverse=True)
        over = np.full(len(pairs), -np.inf)
        np.maximum.at(over, which.ravel(), saddle[apart])
        passes += [(float(height), int(a), int(b)) for height, (a, b) in zip(over, pairs, strict=True)]
    return _surviving(heights.ravel(), np.unique(hills_of[np.isfinite(heights)]), passes, least)


def _surviving(heights: FloatArray, tops: AnyArray, passes: Sequence[tuple[float, int, int]], least: float) -> AnyArray:
    """The tops that are left when lower ones are joined to higher ones over the highest passes first."""
    whose = {int(top): int(top) for top in tops}
    prominence = {top: np.inf for top in whose}

    def root(top: int) -> int:
        while whose[top] != top:
            top = whose[top]
        return top

    for height, a, b in sorted(passes, reverse=True):
        low, high = sorted((root(a), root(b)), key=lambda top: (heights[top], -top))
        if low != high:
            prominence[low], whose[low] = heights[low] - height, high
    kept = [top for top, rise in prominence.items() if rise >= least]
    return np.array(sorted(kept, key=lambda top: (-heights[top], top)), dtype=np.int64)


def climbed(
    head: HeadModel, coil: Coil, landscape: Landscape, start: FloatArray, *, gap: float, grid: Grid, patch: Patch
) -> Top:
    """From a coarse pose (4, 4) up in fine steps, until none around it is better: the top of its hill.

    It leads no farther than the patch; where a better pose lies beyond, the top is told to be ``stopped``.
    """
    pose, tried, last = start, 0, -np.inf
    for _ in range(_ROUNDS):
        (near,) = finer(head, coil, pose[None], grid, gaps=np.array([gap]))
        values = landscape.values(near.head_from_coil)
        inside = patch.holds(feet_of(near))
        tried += len(near)
        own = int(np.abs(near.head_from_coil - pose).max(axis=(1, 2)).argmin())
        if not np.isfinite(values[own]):  # at the limit of what is allowed, where rounding decides
            values[own] = last
        best = int(np.where(inside, values, -np.inf).argmax())
        stopped = bool(values.max() > values[best])
        if best == own or values[best] <= last:
            best = own
            break
        pose, last = near.head_from_coil[best], float(values[best])
    return Top(
        near.head_from_coil[best], float(values[best]), float(near.angles[best] % 360.0), float(near.lifts[best]), gap,
        stopped, tried,
    )  # fmt: skip
