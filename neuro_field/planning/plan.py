"""Rank placements of a coil by what they do to one target, and check the best by full forward solves."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from neuro_field.arrays import FloatArray, read_only
from neuro_field.coil.coil import Coil
from neuro_field.coil.placement import Placement
from neuro_field.errors import InputError
from neuro_field.field.error import NumericalError
from neuro_field.field.error import numerical_error as error_of
from neuro_field.field.field import Field
from neuro_field.field.solver import Solver, peak_memory
from neuro_field.planning.candidates import Candidates, Grid, anatomical_axes, candidates
from neuro_field.planning.response import response
from neuro_field.planning.target import Target

#: Two placements are different when their centres are farther apart than this, mm, or ...
DISTINCT_DISTANCE = 10.0

#: ... their handles (or, for an unsigned target, the lines of their handles) by more than this, degrees.
DISTINCT_ANGLE = 30.0

#: Distinct placements kept, best first; all of them are solved in full, in one block.
RANKED = 8

#: Sample placements that span what the coil can do to the target.
_SAMPLES = 16

#: The coil may be simplified to this relative error for the ranking; the forward solves use it whole.
_COIL_ERROR = 1e-3

Progress = Callable[[str, float], None]


@dataclass(frozen=True, eq=False)
class Candidate:
    """One ranked placement.

    Parameters
    ----------
    placement : Placement
    strength : float
        V/m in the target at 1 A/us, as ranked (by reciprocity).
    verified : float
        The same by a full forward solve.
    magnitude : float
        Mean |E| over the target by that solve, V/m, whatever the target's direction.
    angle : float
        Of the handle, degrees from straight back, positive to the patient's left.
    lift : float
        mm by which it stands farther off than the gap, so that the casing clears the scalp.
    """

    placement: Placement
    strength: float
    verified: float
    magnitude: float
    angle: float
    lift: float


@dataclass(frozen=True)
class PlanReport:
    """How a plan was computed.

    ``placements`` were ranked, at ``positions`` scalp positions; the field in the target was reduced to ``modes``
    vectors, the first left out being ``truncation`` of the largest; ranked and solved values of the best placements
    differ by at most ``largest_difference`` (relative); seconds by stage; peak memory in bytes.
    """

    placements: int
    positions: int
    modes: int
    truncation: float
    largest_difference: float
    seconds: dict[str, float]
    peak_memory: int


@dataclass(frozen=True, eq=False)
class Plan:
    """Ranked distinct placements for one target.

    Parameters
    ----------
    target : Target
    coil : Coil
    ranking : tuple of Candidate
        Distinct ones, best first.
    strengths : (p,) array
        V/m at 1 A/us of every placement ranked, and
    centers : (p, 3) array
        where each stood, mm, head frame.
    field : Field, optional
        Of the best placement at 1 A/us; None for a plan read from files.
    report : PlanReport
    numerical_error : NumericalError, optional
        Of the best placement's field, when it was asked for (`with_numerical_error`).
    """

    target: Target
    coil: Coil | None
    ranking: tuple[Candidate, ...]
    strengths: FloatArray
    centers: FloatArray
    field: Field | None
    report: PlanReport
    numerical_error: NumericalError | None = None

    @property
    def best(self) -> Candidate:
        """The first of the ranking."""
        return self.ranking[0]


def plan(
    solver: Solver,
    coil: Coil,
    target: Target,
    *,
    grid: Grid | None = None,
    numerical_error: bool = False,
    progress: Progress | None = None,
) -> Plan:
    """Rank placements of a coil for a target by the mean field in it.

    Every position of a scalp grid around the target is combined with every handle direction (`candidates`); their
    fields in the target come from reciprocity (`response`); the best distinct ones are then solved in full.

    Parameters
    ----------
    solver : Solver
        With elements of first order.
    coil : Coil
        Made of dipoles or closed wires.
    target : Target
        Of the solver's head.
    grid : Grid, optional
        Extent and steps of the search; 30 mm, 5 mm, 15 degrees and a 4 mm gap when omitted.
    numerical_error : bool
        Solve the best placement again in second-order elements and record the difference; takes most of a minute
        and 6 GB on a head of 950,000 nodes.
    progress : callable, optional
        Called with a stage's name and the share of it that is done.

    Returns
    -------
    Plan

    Raises
    ------
    InputError
        If an argument is of the wrong kind, or the scalp over the target offers no position.
    """
    for value, kind, name in ((solver, Solver, "solver"), (coil, Coil, "coil"), (target, Target, "target")):
        if not isinstance(value, kind):
            raise InputError(f"Input {name} of plan must be a {kind.__name__}; instead received {value!r:.80}.")
    if solver.order != 1:
        raise InputError(
            f"Input solver of plan must have elements of order 1; instead received order {solver.order}. For a check "
            "in second order give numerical_error=True."
        )
    clock = _Clock(progress)
    with clock("placements"):
        choices = candidates(solver.head, coil, target, grid)
    with clock("adjoint solves"):
        simple = coil.simplified(error=_COIL_ERROR)
        mapping = response(solver, simple, target, _samples(choices))
    with clock("ranking") as advance:
        strengths = mapping.strengths(choices.head_from_coil, progress=advance)
    with clock("verification"):
        chosen = distinct(choices, strengths, target, anatomical_axes(solver.head)[1])
        placements = [Placement(choices.head_from_coil[i]) for i in chosen]
        fields = solver.solve_many(coil, placements)
    ranking = tuple(
        Candidate(
            placement, float(strengths[i]), target.mean(field), target.magnitude(field),
            float(choices.angles[i]), float(choices.lifts[i]),
        )
        for i, placement, field in zip(chosen, placements, fields, strict=True)
    )  # fmt: skip
    differences = [abs(c.strength - c.verified) / max(abs(c.verified), 1e-12) for c in ranking]
    report = PlanReport(
        len(choices), int(choices.positions.max()) + 1, mapping.basis.shape[1], mapping.truncation,
        max(differences), clock.seconds, peak_memory(),
    )  # fmt: skip
    centers = read_only(choices.head_from_coil[:, :3, 3])
    made = Plan(target, coil, ranking, read_only(strengths), centers, fields[0], report)
    if not numerical_error:
        return made
    with clock("numerical error"):
        return with_numerical_error(made, solver.raised())


def with_numerical_error(plan: Plan, fine: Solver) -> Plan:
    """The plan with the numerical error of its best placement's field, judged by the raised solver of that field."""
    if plan.field is None:
        raise InputError("The numerical error of a plan read from files cannot be computed: it has no field.")
    field, target = plan.field, plan.target
    reference = fine.solve(field.coil, field.placement, didt=field.didt)
    error = error_of(field, reference, near=target.center)
    return replace(
        plan,
        numerical_error=replace(error, target=target.magnitude(field) / target.magnitude(reference) - 1),
    )


def distinct(
    choices: Candidates, strengths: FloatArray, target: Target, anterior: FloatArray, count: int = RANKED
) -> list[int]:
    """Indices of the best placements that differ from one another, best first.

    Unless the target is signed, a handle turned right round gives the same: of such a pair the one whose handle points
    backwards, away from the face, stands for both.
    """
    handles = -choices.head_from_coil[:, :3, 1]
    centers = choices.head_from_coil[:, :3, 3]
    allowed = np.ones(len(choices), dtype=bool) if target.signed else handles @ anterior <= 1e-6
    chosen: list[int] = []
    closest = np.cos(np.radians(DISTINCT_ANGLE))
    for i in np.argsort(-strengths, kind="stable"):
        if not allowed[i]:
            continue
        cosines = handles[chosen] @ handles[i]
        if not target.signed:
            cosines = np.abs(cosines)
        near = np.linalg.norm(centers[chosen] - centers[i], axis=1) <= DISTINCT_DISTANCE
        if not (near & (cosines >= closest)).any():
            chosen.append(int(i))
        if len(chosen) == count:
            break
    return chosen


def _samples(choices: Candidates) -> Sequence[Placement]:
    """Placements spread evenly over positions and angles: a Kronecker sequence, the same every time."""
    positions = int(choices.positions.max()) + 1
    angles = len(choices) // positions
    step = np.arange(1, _SAMPLES + 1)
    which = (step * 0.7548776662466927 % 1 * positions).astype(int) * angles  # the plastic number's powers
    which += (step * 0.5698402909980532 % 1 * angles).astype(int)
    return [Placement(choices.head_from_coil[i]) for i in np.unique(which)]


class _Clock:
    """Times named stages and passes their progress on."""

    def __init__(self, progress: Progress | None) -> None:
        self.seconds: dict[str, float] = {}
        self._progress = progress

    def __call__(self, stage: str) -> "_Clock":
        self._stage, self._start = stage, time.perf_counter()
        return self

    def __enter__(self) -> Callable[[float], None]:
        stage = self._stage
        if self._progress is None:
            return lambda share: None
        report = self._progress
        report(stage, 0.0)
        return lambda share: report(stage, share)

    def __exit__(self, *error: object) -> None:
        self.seconds[self._stage] = time.perf_counter() - self._start
        if self._progress and error[0] is None:
            self._progress(self._stage, 1.0)
