"""The placements that a plan compares: positions on the scalp, handle directions, gaps and tilts."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from neuro_field.aim.scalp import Spots, around, carried_onto, overall
from neuro_field.aim.target import Target
from neuro_field.arrays import AnyArray, BoolArray, FloatArray, IntArray
from neuro_field.coil.coil import Coil
from neuro_field.coil.fit import lifts_to_clear, lifts_while_turning
from neuro_field.errors import InputError
from neuro_field.head.model import HeadModel
from neuro_field.nouns import noun

#: More placements than this, each of 0.2 kB, are not compared at once.
MOST_PLACEMENTS = 5_000_000

#: A position at which a coil needs more lift than this at every angle, mm, cannot be reached.
MOST_LIFT = 40.0

#: Tilts beyond this, degrees, are no tilts.
MOST_TILT = 30.0

#: Rounds in which the point of the scalp under a tilted coil is found.
_TILTED = 5


@dataclass(frozen=True)
class Grid:
    """How candidates are spread.

    Parameters
    ----------
    radius : float, optional
        Of the patch of scalp around the point nearest to the target, mm; None for all the scalp that a coil can reach.
    spacing : float
        Of its positions, mm.
    angle_step : float
        Degrees between handle directions; must divide 360.
    gap : float
        Smallest distance from the scalp to the casing, mm (hair, cap).
    gaps : tuple of float
        Further gaps to compare, mm: what thicker hair would cost.
    tilts : tuple of pairs of float
        Tilts about the coil's own x and y axes to compare, degrees, each at every position, gap and angle.

    Raises
    ------
    InputError
        If a step or length is out of range, or the angle's step does not divide 360.

    Examples
    --------
    >>> import neuro_field as nf
    >>> grid = nf.Grid(radius=20, spacing=10, angle_step=30)
    >>> grid.gap  # mm
    4.0
    """

    radius: float | None = 30.0
    spacing: float = 5.0
    angle_step: float = 15.0
    gap: float = 4.0
    gaps: tuple[float, ...] = ()
    tilts: tuple[tuple[float, float], ...] = ((0.0, 0.0),)

    def __post_init__(self) -> None:
        widest = 150.0 if self.radius is None else self.radius
        if not (0.1 <= self.spacing <= widest <= 150):
            raise InputError(
                f"Input spacing and radius of Grid must satisfy 0.1 <= spacing <= radius <= 150 mm; "
                f"instead received {self.spacing} and {self.radius}."
            )
        if not 0 < self.angle_step <= 360 or abs(360 / self.angle_step - round(360 / self.angle_step)) > 1e-9:
            raise InputError(f"Input angle_step of Grid must divide 360 degrees; instead received {self.angle_step}.")
        every = (self.gap, *self.gaps)
        if not all(0 <= gap <= 50 for gap in every) or len(set(every)) < len(every):
            raise InputError(f"Input gap and gaps of Grid must be different lengths, 0 to 50 mm; instead {every}.")
        tilts = np.asarray(self.tilts, dtype=np.float64)
        if tilts.ndim != 2 or tilts.shape[1] != 2 or not (np.abs(tilts) <= MOST_TILT).all():
            raise InputError(
                f"Input tilts of Grid must be pairs of degrees up to {MOST_TILT:g} about x and y; not {self.tilts}."
            )
        if len(np.unique(tilts, axis=0)) < len(tilts):
            raise InputError(f"Input tilts of Grid must differ; instead received {self.tilts}.")


@noun
class Candidates:
    """Placements to compare: for each position every tilt, for each tilt every gap, for each gap every angle.

    Parameters
    ----------
    head_from_coil : (p, 4, 4) array
        mm.
    positions : (p,) int array
        Which scalp position each belongs to.
    angles : (p,) array
        Of the handle, degrees from straight back, clockwise seen from outside (to the left over the vertex); 0 to 360.
    lifts : (p,) array
        mm by which each stands farther than the gap, so that the casing does not cut the scalp.
    gaps : (p,) array
        mm.
    tilts : (p, 2) array
        Degrees about the coil's own x and y axes.
    """

    head_from_coil: FloatArray
    positions: IntArray
    angles: FloatArray
    lifts: FloatArray
    gaps: FloatArray
    tilts: FloatArray

    def __len__(self) -> int:
        return len(self.angles)


def candidates(head: HeadModel, coil: Coil, target: Target, grid: Grid | None = None) -> Candidates:
    """Placements of a coil on the scalp around a target.

    Positions form a square grid in the plane that touches the scalp over the target, carried onto the scalp along
    the plane's normal, or spread over the whole scalp above the brain; at each, the coil lies on the smoothed normal
    and its handle takes every direction that its symmetry tells apart (`turns_of`).

    A coil without a casing is taken to be flat and stands at the gap.

    Raises
    ------
    InputError
        If the scalp near the target offers no position, none where the coil's casing clears it, or there would be more
        placements than memory holds.
    """
    grid = grid or Grid()
    spots = (
        overall(head, target.center, grid.spacing)
        if grid.radius is None
        else around(head, target.center, grid.radius, grid.spacing)
    )
    turns = np.radians(turns_of(coil, target, grid.angle_step))
    gaps = (grid.gap, *grid.gaps)
    count = len(spots) * len(turns) * len(gaps) * len(grid.tilts)
    if count > MOST_PLACEMENTS:
        raise InputError(
            f"The grid would make {count} placements ({len(spots)} positions, {len(turns)} angles, {len(gaps)} gaps, "
            f"{len(grid.tilts)} tilts); at most {MOST_PLACEMENTS} are compared. Widen its steps or narrow its radius."
        )
    made = _placed(head, coil, spots, turns, gaps, grid.tilts)
    reachable = np.flatnonzero(made.lifts.reshape(len(spots), -1).min(axis=1) <= MOST_LIFT)
    if not len(reachable):
        raise InputError(
            f"No placement of {coil.name!r} clears the scalp around the target: at each of {len(spots)} positions it "
            f"must be lifted by at least {made.lifts.min():.0f} mm ({MOST_LIFT:g} allowed). Take a flatter coil."
        )
    return made if len(reachable) == len(spots) else _of_positions(made, reachable, len(spots))


def period_of(coil: Coil, target: Target) -> float | None:
    """Degrees after which a turned handle is the same one for a target: 360, 180, or None for a coil that has none.

    Half a turn of a two-fold coil turns its current round: the same only to a target that does not tell its sign.
    """
    if coil.symmetry == "continuous":
        return None
    return 180.0 if coil.symmetry == "two-fold" and not target.signed else 360.0


def turns_of(coil: Coil, target: Target, angle_step: float) -> FloatArray:
    """(a,) degrees from straight back at which a handle is tried, none of them the same as another.

    Of a pair that half a turn makes alike the one that points backwards, away from the face, stands for both; steps
    that do not meet after half a turn make no pairs.  Ascending round the circle of what is told apart.
    """
    turns = np.arange(0.0, 360.0 - 1e-9, angle_step)
    period = period_of(coil, target)
    if period is None:
        return turns[:1]
    if period == 360.0 or abs(180.0 / angle_step - round(180.0 / angle_step)) > 1e-9:
        return turns
    return turns[(turns <= 90.0 + 1e-9) | (turns > 270.0 + 1e-9)]


def finer(
    head: HeadModel, coil: Coil, poses: FloatArray, grid: Grid | None = None, *, gaps: FloatArray | None = None,
    spacing: float | None = None, angle_step: float | None = None,
) -> list[Candidates]:  # fmt: skip
    """Closer placements around some poses: within half a step of a grid, on the scalp, lifted to clear it.

    Parameters
    ----------
    head : HeadModel
    coil : Coil
    poses : (b, 4, 4) array
        mm; on the scalp or above it.  A tilt against the smoothed scalp is kept.
    grid : Grid, optional
        Whose steps are refined.
    gaps : (b,) array, optional
        The gap that each pose was made for, and keeps, mm; that of the grid when omitted.
    spacing, angle_step : float, optional
        Of the closer placements: 1 mm and 2.5 degrees, or half of the grid's steps where that is less.

    Returns
    -------
    list of Candidates
        One for each pose, and the pose itself among them.  Angles and tilts count from the frame of each position, as
        those of `candidates`.

    Raises
    ------
    InputError
        If a pose is not over the scalp, or a step is not positive or no finer than the grid's.

    Examples
    --------
    >>> import neuro_field as nf
    >>> from neuro_field.search.candidates import Grid, candidates, finer
    >>> head = nf.sphere_head((70, 80, 90), edge=9.0)
    >>> coil, target = nf.load_coil("figure8-70mm"), nf.Target.ball(head, (0, 0, 60), radius=8)
    >>> grid = Grid(radius=10, spacing=5, angle_step=15)
    >>> (closer,) = finer(head, coil, candidates(head, coil, target, grid).head_from_coil[:1], grid)
    >>> len(closer)  # 5 x 5 positions, 7 directions
    175
    """
    grid = grid or Grid()
    spacing = min(1.0, grid.spacing / 2) if spacing is None else spacing
    angle_step = min(2.5, grid.angle_step / 2) if angle_step is None else angle_step
    if not (0 < spacing < grid.spacing and 0 < angle_step < grid.angle_step):
        raise InputError(
            f"Steps of finer must be positive and below those of the grid ({grid.spacing:g} mm and "
            f"{grid.angle_step:g} degrees); instead received {spacing} and {angle_step}."
        )
    poses = np.asarray(poses, dtype=np.float64).reshape(-1, 4, 4)
    kept = np.full(len(poses), grid.gap) if gaps is None else np.asarray(gaps, dtype=np.float64)
    reach = grid.angle_step / 2 // angle_step
    steps = angle_step * np.arange(-reach, reach + 1) if coil.symmetry != "continuous" else np.zeros(1)
    out = []
    for pose, gap in zip(poses, kept.tolist(), strict=True):
        spots = _beside(head, pose, gap, grid.spacing / 2, spacing)
        tilt, angle = _against(spots.frames[0], pose[:3, :3])
        out.append(_placed(head, coil, spots, np.radians(angle + steps), (gap,), (tilt,)))
    return out


def lattice(
    head: HeadModel, coil: Coil, pose: FloatArray, *, gap: float, reach: float, spacing: float, turns: FloatArray,
    within: Callable[[FloatArray], BoolArray],
) -> tuple[Candidates, IntArray]:  # fmt: skip
    """Placements on a square lattice of the scalp around a pose (4, 4), and the steps (q, 2) of its positions.

    The lattice lies in the plane that touches the scalp under the pose and is carried onto the scalp along the plane's
    normal, as far as ``reach`` mm from the pose's own place, which is the first, and at places (q, 3) that are
    ``within`` what is asked.  Handles are those of the pose, carried along without a turn, and turned by ``turns``
    (a,), degrees; its gap and tilt are kept.
    """
    spots = _beside(head, pose, gap, reach, spacing)
    tilt, angle = _against(spots.frames[0], pose[:3, :3])
    steps = np.rint((spots.points - spots.points[0]) @ pose[:3, :2] * [1.0, -1.0] / spacing).astype(np.int64)
    near = (np.hypot(*steps.T) * spacing <= reach) & within(spots.points)
    near[0] = True
    spots, steps = spots.chosen(near), steps[near]
    own = spots.frames[0] @ Rotation.from_rotvec([0.0, 0.0, np.radians(angle)]).as_matrix()
    z = spots.frames[:, :, 2]
    y = own[:, 1] - (z @ own[:, 1])[:, None] * z
    y /= np.linalg.norm(y, axis=1, keepdims=True)
    spots = Spots(spots.points, np.stack([np.cross(y, z), y, z], axis=2))
    return _placed(head, coil, spots, np.radians(turns), (gap,), (tilt,)), steps


def _beside(head: HeadModel, pose: FloatArray, gap: float, reach: float, spacing: float) -> Spots:
    """Positions on the scalp in a square around the one that a pose stands on, that one first."""
    steps = spacing * np.arange(-(reach // spacing), reach // spacing + 1)
    u, v = (part.ravel() for part in np.meshgrid(steps, steps, indexing="ij"))
    places = np.stack([u, v], axis=1)[np.argsort(np.hypot(u, v), kind="stable")]
    axes = np.stack([pose[:3, 0], -pose[:3, 1], -pose[:3, 2]])
    normal = axes[2]
    for _ in range(_TILTED):  # a tilt is about the point above the scalp at the gap, along the scalp's own normal
        origin = pose[:3, 3] - gap * normal
        foot = head.scalp.points[head.scalp.tree.query(origin)[1]]
        origin = origin + ((foot - origin) @ axes[2]) * axes[2]
        points = carried_onto(head.scalp, origin, axes, places)
        spots = Spots.at(head, points, least_even=0.0)
        if not len(spots) or np.linalg.norm((spots.points[0] - origin) @ axes[:2].T) > 1e-6:
            raise InputError(f"The pose at {np.round(pose[:3, 3], 1).tolist()} mm does not stand over the scalp.")
        if np.allclose(spots.normals[0], normal, rtol=0, atol=1e-9):
            break
        normal = spots.normals[0]
    return spots


def _against(frame: FloatArray, rotation: FloatArray) -> tuple[tuple[float, float], float]:
    """The tilt about x and y, and the angle, degrees, that make a rotation of a position's frame."""
    turn, about_y, about_x = Rotation.from_matrix(frame.T @ rotation).as_euler("ZYX", degrees=True)
    tilt = tuple(0.0 if abs(part) < 1e-6 else float(part) for part in (about_x, about_y))
    return tilt, float(turn)  # type: ignore[return-value]


def _placed(
    head: HeadModel, coil: Coil, spots: Spots, turns: FloatArray, gaps: tuple[float, ...],
    tilts: tuple[tuple[float, float], ...],
) -> Candidates:  # fmt: skip
    """Every tilt, gap and turn (radians) at every position, lifted to clear."""
    q, t, g, a = len(spots), len(tilts), len(gaps), len(turns)
    flat = np.zeros((q, 4, 4))
    flat[:, :3, :3], flat[:, 3, 3] = spots.frames, 1.0
    poses, lifts = np.zeros((q, t, g, a, 4, 4)), np.zeros((q, t, g, a))
    poses[..., 3, 3] = 1.0
    turned = Rotation.from_rotvec(turns[:, None] * [0.0, 0.0, 1.0]).as_matrix()
    for i, (about_x, about_y) in enumerate(tilts):
        tilt = Rotation.from_euler("YX", (about_y, about_x), degrees=True).as_matrix()
        rotations = np.einsum("qij,ajk->qaik", spots.frames, turned @ tilt)
        for j, gap in enumerate(gaps):
            centres = spots.points + gap * spots.normals
            poses[:, i, j, :, :3, :3], poses[:, i, j, :, :3, 3] = rotations, centres[:, None]
            if coil.casing is None:
                continue
            if about_x == about_y == 0:
                flat[:, :3, 3] = centres
                lifts[:, i, j] = lifts_while_turning(head.scalp.points, coil.casing, flat, turns, gap)
            else:
                tilted = poses[:, i, j].reshape(-1, 4, 4)
                lifts[:, i, j] = lifts_to_clear(head.scalp.points, coil.casing, tilted, gap).reshape(q, a)
    poses[..., :3, 3] -= lifts[..., None] * poses[..., :3, 2]
    each = (q, t, g, a)
    return Candidates(
        poses.reshape(-1, 4, 4),
        np.repeat(np.arange(q, dtype=np.int32), t * g * a),
        np.broadcast_to(np.asarray(np.round(np.degrees(turns), 9) % 360, dtype=np.float64), each).ravel(),
        lifts.ravel(),
        np.broadcast_to(np.array(gaps)[:, None], each).ravel(),
        np.broadcast_to(np.array(tilts)[:, None, None], (*each, 2)).reshape(-1, 2),
    )


def _of_positions(made: Candidates, chosen: AnyArray, count: int) -> Candidates:
    """Those at some of the positions, numbered anew."""
    each = len(made) // count
    which = (chosen[:, None] * each + np.arange(each)).ravel()
    return Candidates(
        made.head_from_coil[which], np.repeat(np.arange(len(chosen), dtype=np.int32), each), made.angles[which],
        made.lifts[which], made.gaps[which], made.tilts[which],
    )  # fmt: skip
