"""Rank placements of a coil by what they do to one target, and check the best by full forward solves."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from neuro_field.aim.scalp import anatomical_axes
from neuro_field.aim.target import Target, check_same_mesh
from neuro_field.arrays import BoolArray, FloatArray, read_only
from neuro_field.coil.coil import Coil
from neuro_field.coil.placement import Placement
from neuro_field.errors import InputError
from neuro_field.field.error import numerical_error as error_of
from neuro_field.field.field import Field
from neuro_field.field.solver import Solver, peak_memory
from neuro_field.head.model import HeadModel
from neuro_field.reciprocity.response import Response, responses
from neuro_field.search.areas import of_areas
from neuro_field.search.candidates import Candidates, Grid, candidates, finer
from neuro_field.search.clock import Clock, Progress
from neuro_field.search.metrics import Surroundings
from neuro_field.search.plan import Candidate, Plan, PlanReport
from neuro_field.search.rules import RuleOfThumb, rules_of_thumb
from neuro_field.search.sensitivity import sensitivity
from neuro_field.search.stability import DRAWS, Case, compared_poses, stability

#: Two placements are different when their centres are farther apart than this, mm, or ...
DISTINCT_DISTANCE = 10.0

#: ... their handles (or, for an unsigned target, the lines of their handles) by more than this, degrees.
DISTINCT_ANGLE = 30.0

#: Distinct placements kept, best first; all of them are solved in full, in one block.
RANKED = 8

#: Placements kept to be followed through uncertain conductivities.
FOLLOWED = 50

#: Sample placements that span what the coil can do to the target.
_SAMPLES = 16

#: The coil may be simplified to this relative error for the ranking; the forward solves use it whole.
_COIL_ERROR = 1e-3


@dataclass(frozen=True)
class Avoidance:
    """Regions that must not be reached.

    A placement is excluded when the mean |E| in one of the ``regions`` exceeds ``share`` of what its target measures.
    """

    regions: tuple[Target, ...] = ()
    share: float = 1.0

    def __post_init__(self) -> None:
        if any(region.direction is not None for region in self.regions):
            raise InputError("Regions to avoid are judged by mean |E|; give them without a direction.")
        if not (np.isfinite(self.share) and self.share > 0):
            raise InputError(f"Input share of Avoidance must be a positive share; instead received {self.share!r}.")


def plan(
    solver: Solver,
    coil: Coil,
    target: Target,
    *,
    grid: Grid | None = None,
    avoid: Avoidance | None = None,
    homologous: Target | None = None,
    numerical_error: bool = False,
    progress: Progress | None = None,
) -> Plan:
    """Rank placements of a coil for a target by the mean field in it.

    Every position of a scalp grid around the target is combined with every handle direction (`candidates`); their
    fields in the target come from reciprocity (`response`); around the best distinct ones the search goes on in fine
    steps; these are then solved in full, measured elsewhere in the head, and misplaced to see what that costs.

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
    avoid : Avoidance, optional
        Regions that must not be reached.
    homologous : Target, optional
        In the other hemisphere: its field is told beside the target's.
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
        If an argument is of the wrong kind, a target is of another head's mesh, the scalp over the target offers no
        position, or every placement reaches a region to avoid.

    Examples
    --------
    >>> import neuro_field as nf
    >>> from neuro_field.search.candidates import Grid
    >>> head = nf.sphere_head((70, 80, 90), edge=9.0)
    >>> target = nf.Target.ball(head, center=(40, 0, 50), radius=8.0)
    >>> coarse = Grid(radius=20, spacing=10, angle_step=30)
    >>> made = nf.plan(nf.Solver(head), nf.load_coil("figure8-70mm"), target, grid=coarse)
    >>> made.report.placements >= 156  # 13 positions x 12 directions, and finer steps about the best
    True
    """
    for value, kind, name in ((solver, Solver, "solver"), (coil, Coil, "coil"), (target, Target, "target")):
        if not isinstance(value, kind):
            raise InputError(f"Input {name} of plan must be a {kind.__name__}; instead received {value!r:.80}.")
    if solver.order != 1:
        raise InputError(
            f"Input solver of plan must have elements of order 1; instead received order {solver.order}. For a check "
            "in second order give numerical_error=True."
        )
    clock, head, grid, avoid = Clock(progress), solver.head, grid or Grid(), avoid or Avoidance()
    for each in (target, *avoid.regions, *([] if homologous is None else [homologous])):
        check_same_mesh(head, each)
    with clock("placements"):
        choices = candidates(head, coil, target, grid)
    with clock("adjoint solves"):
        simple, samples = coil.simplified(error=_COIL_ERROR), _samples(choices)
        mapping, *avoided = responses(solver, simple, (target, *avoid.regions), samples)
    with clock("ranking") as advance:
        strengths = mapping.strengths(choices.head_from_coil, progress=advance)
        allowed = _allowed(avoid, avoided, choices.head_from_coil, strengths)
    with clock("refinement"):
        coarse = distinct(choices, np.where(allowed, strengths, -np.inf), target, anatomical_axes(head)[1])
        closer = finer(head, coil, choices.head_from_coil[coarse], grid, gaps=choices.gaps[coarse])
        best = _Best.of(closer, [_within(avoid, avoided, near, mapping) for near in closer])
    with clock("verification"):
        placements = [Placement(pose) for pose in best.head_from_coil]
        fields = solver.solve_many(coil, placements)
        around = Surroundings.of(head, target, homologous=homologous, avoid=avoid.regions)
        metrics = [around.measured(field) for field in fields]
    with clock("sensitivity"):
        shaken = sensitivity(mapping, coil, head.scalp, placements, gap=grid.gap)
        rules = _rules(head, coil, target, grid, mapping)
    ranking = tuple(
        Candidate(
            placement, float(best.strengths[i]), target.mean(fields[i]), target.magnitude(fields[i]),
            float(best.angles[i]), float(best.lifts[i]), metrics[i], shaken[i],
        )
        for i, placement in enumerate(placements)
    )  # fmt: skip
    report = PlanReport(
        placements=len(choices),
        positions=int(choices.positions.max()) + 1,
        refined=best.tried,
        excluded=int(np.count_nonzero(~allowed)),
        modes=mapping.basis.shape[1],
        truncation=mapping.truncation,
        largest_difference=max(abs(c.strength - c.verified) / max(abs(c.verified), 1e-12) for c in ranking),
        seconds=clock.seconds,
        peak_memory=peak_memory(),
    )
    made = Plan(
        target, coil, ranking, read_only(strengths), read_only(choices.head_from_coil[:, :3, 3]), fields[0], report,
        rules, mapping, compared_poses(placements, choices.head_from_coil[allowed], strengths[allowed], FOLLOWED),
    )  # fmt: skip
    made = replace(made, findings=(*made.findings, *of_areas(target, fields[0])))
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


def with_filled_lesion(plans: Sequence[Plan], solver: Solver) -> list[Plan]:
    """Plans of one head with what their ranked placements would do if the lesion were the tissue around it.

    Mesh, placements and target elements are the same: only conductivities differ.  A head without a lesion leaves the
    plans as they are.
    """
    head = solver.head
    if not head.region("lesion").any():
        return list(plans)
    filled = solver.retuned(head.without_lesion())
    out = []
    for plan in plans:
        if plan.coil is None:
            raise InputError("The coil of this plan is not known; plan again to compare it with a filled lesion.")
        fields: list[Field] = filled.solve_many(plan.coil, [candidate.placement for candidate in plan.ranking])
        ranking = (replace(c, filled=plan.target.mean(f)) for c, f in zip(plan.ranking, fields, strict=True))
        out.append(replace(plan, ranking=tuple(ranking)))
    return out


def with_stability(
    plans: Mapping[str, Plan], solver: Solver, *, draws: int = DRAWS, progress: Callable[[float], None] | None = None
) -> dict[str, Plan]:
    """Plans of one head and coil with what becomes of their rankings when conductivities vary (`stability`)."""
    cases = {}
    for role, made in plans.items():
        if made.response is None or made.followed is None or made.coil is None:
            raise InputError(
                "The stability of a plan read from files cannot be computed: it has no response; plan again."
            )
        cases[role] = Case(made.response, made.followed, len(made.ranking))
    coil = next(iter(plans.values())).coil
    assert coil is not None
    found = stability(solver, coil, cases, draws=draws, progress=progress)
    return {role: replace(made, stability=found[role]) for role, made in plans.items()}


def distinct(
    choices: Candidates, strengths: FloatArray, target: Target, anterior: FloatArray, count: int = RANKED
) -> list[int]:
    """Indices of the best placements that differ from one another, best first; those of strength -inf are left out.

    Unless the target is signed, a handle turned right round gives the same: of such a pair the one whose handle points
    backwards, away from the face, stands for both.
    """
    handles = -choices.head_from_coil[:, :3, 1]
    centers = choices.head_from_coil[:, :3, 3]
    allowed = np.isfinite(strengths)
    if not target.signed:
        allowed &= handles @ anterior <= 1e-6
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


def _allowed(avoid: Avoidance, avoided: Sequence[Response], poses: FloatArray, strengths: FloatArray) -> BoolArray:
    """(p,) which placements keep out of the regions to avoid; an error when none does."""
    allowed = np.ones(len(poses), dtype=bool)
    shares = []
    for mapping in avoided:
        share = mapping.strengths(poses) / np.maximum(np.abs(strengths), 1e-12)
        shares.append(share)
        allowed &= share <= avoid.share
    if not allowed.any():
        least = np.min(np.max(shares, axis=0))
        names = ", ".join(region.name for region in avoid.regions)
        raise InputError(
            f"No placement keeps the field in {names} below {avoid.share:.0%} of the target's; the least is "
            f"{least:.0%}. Allow more, or leave the region out."
        )
    return allowed


@dataclass(frozen=True, eq=False)
class _Best:
    """The distinct placements, best first: poses (r, 4, 4), strengths, angles and lifts (r,); poses tried beside."""

    head_from_coil: FloatArray
    strengths: FloatArray
    angles: FloatArray
    lifts: FloatArray
    tried: int

    @classmethod
    def of(cls, closer: Sequence[Candidates], strengths: Sequence[FloatArray]) -> "_Best":
        """The strongest around each of the coarse ones, the strongest of all first."""
        chosen = [int(np.argmax(each)) for each in strengths]
        found = np.array([each[i] for each, i in zip(strengths, chosen, strict=True)])
        order = np.argsort(-found, kind="stable")
        near = [(closer[k], chosen[k]) for k in order]
        return cls(
            np.stack([made.head_from_coil[i] for made, i in near]),
            found[order],
            np.array([made.angles[i] for made, i in near]) % 360.0,
            np.array([made.lifts[i] for made, i in near]),
            sum(len(each) for each in strengths),
        )


def _within(avoid: Avoidance, avoided: Sequence[Response], near: Candidates, mapping: Response) -> FloatArray:
    """(p,) strengths of closer placements, -inf where a region to avoid is reached."""
    strengths = mapping.strengths(near.head_from_coil)
    if not avoided:
        return strengths
    shares = [other.strengths(near.head_from_coil) / np.maximum(np.abs(strengths), 1e-12) for other in avoided]
    largest = np.max(shares, axis=0)
    return np.where(largest <= max(avoid.share, largest.min()), strengths, -np.inf)


def _rules(head: HeadModel, coil: Coil, target: Target, grid: Grid, mapping: Response) -> tuple[RuleOfThumb, ...]:
    named = rules_of_thumb(head, coil, target, grid.gap)
    strengths = mapping.strengths(np.stack([placement.head_from_coil for _, placement in named]))
    return tuple(
        RuleOfThumb(rule, placement, float(strength))
        for (rule, placement), strength in zip(named, strengths, strict=True)
    )


def _samples(choices: Candidates) -> Sequence[Placement]:
    """Placements spread evenly over positions and angles: a Kronecker sequence, the same every time."""
    positions = int(choices.positions.max()) + 1
    angles = len(choices) // positions
    step = np.arange(1, _SAMPLES + 1)
    which = (step * 0.7548776662466927 % 1 * positions).astype(int) * angles  # the plastic number's powers
    which += (step * 0.5698402909980532 % 1 * angles).astype(int)
    return [Placement(choices.head_from_coil[i]) for i in np.unique(which)]
