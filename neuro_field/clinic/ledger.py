"""What recorded pulses did to a target, against what was planned: a ledger over a course's sessions.

A few recorded poses are solved in full; they and the adjoint solves they lead to (`neuro_field.reciprocity.response`)
give the field of all the others, and further full solves say how well.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from neuro_field.aim.atlas import SIDES
from neuro_field.aim.scalp import anatomical_axes
from neuro_field.aim.target import Target, check_same_mesh
from neuro_field.arrays import AnyArray, BoolArray, FloatArray, read_only
from neuro_field.clinic.study import Study
from neuro_field.coil.coil import Coil
from neuro_field.coil.fit import lifts_to_clear
from neuro_field.coil.marker import Marker
from neuro_field.coil.placement import Placement
from neuro_field.errors import InputError
from neuro_field.field.solver import Solver
from neuro_field.findings import Finding, Value
from neuro_field.geometry.mesh import Surface
from neuro_field.head.model import HeadModel
from neuro_field.nouns import noun
from neuro_field.reciprocity.response import response
from neuro_field.search.plan import Plan
from neuro_field.units import AMPERE_PER_MICROSECOND

#: A coil whose centre is farther from the scalp than this, mm, or this deep below it, was not held to the head.
FARTHEST, DEEPEST = 40.0, 20.0

#: Poses nearer to the middle than this are on neither side, mm.
MIDDLE = 5.0

#: Recorded poses that span what the coil did; as many as `neuro_field.search.plan` uses.
_SAMPLES = 16

#: Poses checked by full solves: one block.
_CHECKED = 8

#: The coil may be simplified to this relative error; full solves use it whole.
_COIL_ERROR = 1e-3

#: One degree turns a coil about as much as this shifts it, mm: for spreading samples only.
_MM_PER_RADIAN = 60.0

Progress = Callable[[str, float], None]


@dataclass(frozen=True)
class Session:
    """One session in a ledger.

    ``pulses`` recorded, of which ``off_head`` were not over the head; over the others, as shares of the planned
    strength at the same slope, the ``mean``, the ``worst`` and which pulse (index into the ledger) that was; ``field``
    the mean V/m in the target over pulses whose slope is known.  NaN and -1 where there are none.
    """

    name: str
    pulses: int
    off_head: int
    mean: float
    worst: float
    worst_pulse: int
    field: float


@dataclass(frozen=True)
class LedgerReport:
    """How a ledger was computed.

    ``modes`` vectors the field was reduced to, 0 where every pose was solved in full; ``checked`` poses solved in full,
    their ``largest_difference`` from the ledger's values as a share of the planned strength; ``seconds`` by stage.
    """

    modes: int
    checked: int
    largest_difference: float
    seconds: dict[str, float]


@noun
class Ledger:
    """Pulses and what each did to one target.

    Parameters
    ----------
    target : Target
    markers : tuple of Marker
        p of them.
    planned : float
        V/m in the target at 1 A/us under the planned placement.
    planned_field : float
        The same at the planned slope; NaN where no dose was planned.
    strengths : (p,) array
        V/m in the target at 1 A/us; NaN for coils that were not over the head.
    slopes : (p,) array
        A/s of each pulse; NaN where it is not known.
    distances : (p,) array
        From the planned centre, mm.
    turns : (p,) array
        Between planned and recorded handle, degrees, 0 to 180.
    lifts : (p,) array
        mm by which a pose was moved back along its axis because its casing cut the scalp (registration, pressure).
    report : LedgerReport
    lateral : (p,) array
        How far each pose lies to the patient's right of the middle of the scalp, mm.
    """

    target: Target
    markers: tuple[Marker, ...]
    planned: float
    planned_field: float
    strengths: FloatArray
    slopes: FloatArray
    distances: FloatArray
    turns: FloatArray
    lifts: FloatArray
    report: LedgerReport
    lateral: FloatArray

    @property
    def shares(self) -> FloatArray:
        """(p,) strength as a share of the planned one, at the same slope."""
        return self.strengths / self.planned

    @property
    def fields(self) -> FloatArray:
        """(p,) V/m at the pulse's own slope; NaN where strength or slope is."""
        return self.strengths * (self.slopes / AMPERE_PER_MICROSECOND)

    @property
    def off_head(self) -> BoolArray:
        """(p,) whether the coil was not over the head."""
        return np.isnan(self.strengths)

    def sessions(self) -> tuple[Session, ...]:
        """Every session, in the order of its first pulse."""
        names = list(dict.fromkeys(marker.session for marker in self.markers))
        of_pulse = np.array([names.index(marker.session) for marker in self.markers])
        return tuple(self._session(name, np.flatnonzero(of_pulse == i)) for i, name in enumerate(names))

    def _session(self, name: str, pulses: AnyArray) -> Session:
        there = pulses[~self.off_head[pulses]]
        known = there[~np.isnan(self.fields[there])]
        worst = int(there[np.argmin(self.shares[there])]) if len(there) else -1
        return Session(
            name, len(pulses), len(pulses) - len(there),
            float(self.shares[there].mean()) if len(there) else np.nan,
            float(self.shares[worst]) if len(there) else np.nan, worst,
            float(self.fields[known].mean()) if len(known) else np.nan,
        )  # fmt: skip


def delivered(
    solver: Solver,
    coil: Coil,
    target: Target,
    planned: Placement,
    markers: Sequence[Marker],
    *,
    planned_didt: float | None = None,
    progress: Progress | None = None,
) -> Ledger:
    """What recorded pulses did to a target.

    Parameters
    ----------
    solver : Solver
        Of the head the target was made for.
    coil : Coil
        Made of dipoles or closed wires; its ``didt_max`` turns outputs into slopes.
    target : Target
    planned : Placement
        What was asked for.
    markers : sequence of Marker
        One per pulse, in the head frame.
    planned_didt : float, optional
        A/s, where a dose was planned.
    progress : callable, optional
        Called with a stage's name and the share of it that is done.

    Raises
    ------
    InputError
        If there are no markers, the target belongs to another mesh, no pose lies at the head, or most of them look out
        of it, which means that they were read by another convention than they were written by.

    Examples
    --------
    >>> import neuro_field as nf
    >>> head, coil = nf.sphere_head((70, 80, 90), edge=9.0), nf.load_coil("figure8-70mm")
    >>> target = nf.Target.ball(head, center=(0, 0, 60), radius=8.0)
    >>> planned = nf.Placement.on(head.scalp, above=(0, 0, 92), handle_towards=(0, -90, 92))
    >>> pulses = [nf.Marker(f"{i}", planned.moved(along_x=i), recorded=True, output=50.0) for i in (0, 5, 10)]
    >>> ledger = nf.delivered(nf.Solver(head), coil, target, planned, pulses)
    >>> ledger.distances.round(1).tolist()  # mm from the plan
    [0.0, 5.0, 10.0]
    >>> bool(1 == ledger.shares[0] > ledger.shares[1] > ledger.shares[2])  # of the planned strength
    True
    """
    markers = tuple(markers)
    if not markers:
        raise InputError("There are no recorded poses to compare with the plan.")
    check_same_mesh(solver.head, target)
    clock = _Clock(progress)
    poses = np.stack([marker.placement.head_from_coil for marker in markers])
    there = _over_the_head(solver.head.scalp, poses)
    lifts = np.zeros(len(poses))
    lifts[there] = lifts_to_clear(solver.head.scalp.points, _face(coil), poses[there])
    held = poses[there]
    held[:, :3, 3] -= lifts[there, None] * held[:, :3, 2]
    everything = np.concatenate([planned.head_from_coil[None], held])
    values, report = _strengths(solver, coil, target, everything, clock)
    strengths = np.full(len(poses), np.nan)
    strengths[there] = values[1:]
    slopes = np.array([_slope(marker, coil) for marker in markers])
    handles = poses[:, :3, 1] @ planned.head_from_coil[:3, 1]
    dose = np.nan if planned_didt is None else float(values[0]) * planned_didt / AMPERE_PER_MICROSECOND
    return Ledger(
        target, markers, float(values[0]), dose,
        read_only(strengths), read_only(slopes),
        read_only(np.linalg.norm(poses[:, :3, 3] - planned.center, axis=1)),
        read_only(np.degrees(np.arccos(np.clip(handles, -1, 1)))), read_only(lifts), report,
        read_only(_lateral(solver.head, poses[:, :3, 3])),
    )  # fmt: skip


def _lateral(head: HeadModel, points: FloatArray) -> FloatArray:
    """(p,) mm to the patient's right of the middle of the scalp, at points (p, 3)."""
    right = anatomical_axes(head)[0]
    reach = head.scalp.points @ right
    return points @ right - (reach.min() + reach.max()) / 2


def other_side_findings(ledger: Ledger, study: Study | Plan, role: str | None = None) -> tuple[Finding, ...]:
    """That most of the poses over the head lie on the side that this plan is not for, with the role that is for it.

    Parameters
    ----------
    ledger : Ledger
    study : Study or Plan
        Whose plan it was compared with, and
    role : str, optional
        which of them; the preset's own when omitted.
    """
    planned, there = ledger.target.side, ~ledger.off_head
    if planned not in SIDES or not there.any():
        return ()
    on_left, on_right = (there & (sign * ledger.lateral > MIDDLE) for sign in (-1, 1))
    recorded, count = max(("left", on_left.sum()), ("right", on_right.sum()), key=lambda each: each[1])
    if recorded == planned or 2 * count <= there.sum():
        return ()
    values: dict[str, Value] = {
        "there": int(count),
        "poses": int(there.sum()),
        "recorded": recorded,
        "planned": planned,
    }
    plans = study.plans if isinstance(study, Study) else {}
    fitting = [name for name, plan in plans.items() if plan.target.side == recorded and name != role]
    if fitting:
        return (Finding("plan-other-side", "warn", {**values, "role": fitting[0]}),)
    return (Finding("plan-other-side-only", "warn", values),)


def _over_the_head(scalp: Surface, poses: FloatArray) -> AnyArray:
    """Indices of the poses that were held to the head."""
    distance, nearest = scalp.tree.query(poses[:, :3, 3])
    height = np.einsum("pi,pi->p", poses[:, :3, 3] - scalp.points[nearest], scalp.vertex_normals[nearest])
    near = (distance <= FARTHEST) & (height >= -DEEPEST)
    if not near.any():
        raise InputError(
            f"None of {len(poses)} poses lies within {FARTHEST:g} mm of the scalp; the nearest is "
            f"{distance.min():.0f} mm away. Check that they were read in the frame of this head."
        )
    inwards = -np.einsum("pi,pi->p", poses[:, :3, 2], scalp.vertex_normals[nearest]) > 0
    if np.count_nonzero(near & inwards) * 2 < np.count_nonzero(near):
        raise InputError(
            f"The z axis of {np.count_nonzero(near & ~inwards)} of {np.count_nonzero(near)} poses points out of the "
            "head; it must point into it. The file was written by another convention than it was read by."
        )
    return np.flatnonzero(near & inwards)


def _face(coil: Coil) -> Surface:
    """The coil's casing; for one without, the rectangle of its sources in the plane of its face."""
    if coil.casing is not None:
        return coil.casing
    (x0, y0), (x1, y1) = coil.source_points[:, :2].min(axis=0), coil.source_points[:, :2].max(axis=0)
    corners = np.array([[x0, y0, 0.0], [x1, y0, 0.0], [x1, y1, 0.0], [x0, y1, 0.0]])
    return Surface(corners, np.array([[0, 1, 2], [0, 2, 3]]))


def _slope(marker: Marker, coil: Coil) -> float:
    """A/s of a pulse, from its slope or its output; NaN where neither is known."""
    if marker.didt is not None:
        return marker.didt
    if marker.output is not None and coil.didt_max:
        return marker.output / 100 * coil.didt_max
    return np.nan


def _strengths(
    solver: Solver, coil: Coil, target: Target, poses: FloatArray, clock: "_Clock"
) -> tuple[FloatArray, LedgerReport]:
    """V/m in the target at 1 A/us under poses (p, 4, 4), and how they were found."""
    different, back = np.unique(poses.reshape(len(poses), -1).round(9), axis=0, return_inverse=True)
    first = np.array([np.flatnonzero(back == i)[0] for i in range(len(different))])
    if len(first) <= _SAMPLES + _CHECKED:
        clock("full solves")
        values = np.array([target.mean(field) for field in solver.solve_many(coil, _placements(poses[first]))])
        clock("")
        return values[back], LedgerReport(0, len(first), 0.0, clock.seconds)
    order = first[_spread(poses[first], int(back[0]), _SAMPLES + _CHECKED - 2)]
    clock("adjoint solves")
    mapping = response(solver, coil.simplified(error=_COIL_ERROR), target, _placements(poses[order[:_SAMPLES]]))
    clock("all poses")
    values = mapping.strengths(poses[first])[back]
    clock("check")
    checked = np.concatenate([order[_SAMPLES:], [np.argmin(values), np.argmax(values)]])
    exact = np.array([target.mean(field) for field in solver.solve_many(coil, _placements(poses[checked]))])
    clock("")
    difference = float(np.abs(values[checked] - exact).max() / abs(values[0]))
    return values, LedgerReport(mapping.basis.shape[1], len(checked), difference, clock.seconds)


def _placements(poses: FloatArray) -> list[Placement]:
    return [Placement(pose) for pose in poses]


def _spread(poses: FloatArray, start: int, count: int) -> AnyArray:
    """Indices of poses far from one another, each the farthest from those before it."""
    places = np.concatenate(
        [poses[:, :3, 3], _MM_PER_RADIAN * poses[:, :3, 1], _MM_PER_RADIAN * poses[:, :3, 2]], axis=1
    )
    chosen = [start]
    distance = np.linalg.norm(places - places[start], axis=1)
    while len(chosen) < count:
        chosen.append(int(np.argmax(distance)))
        distance = np.minimum(distance, np.linalg.norm(places - places[chosen[-1]], axis=1))
    return np.array(chosen)


class _Clock:
    """Tells a stage when it begins and keeps the seconds of the one before."""

    def __init__(self, progress: Progress | None) -> None:
        self.seconds: dict[str, float] = {}
        self._tell = progress or (lambda stage, share: None)
        self._stage, self._since = "", time.perf_counter()

    def __call__(self, stage: str) -> None:
        now = time.perf_counter()
        if self._stage:
            self.seconds[self._stage] = now - self._since
            self._tell(self._stage, 1.0)
        if stage:
            self._tell(stage, 0.0)
        self._stage, self._since = stage, now
