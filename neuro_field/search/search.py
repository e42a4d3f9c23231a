"""Rank placements of a coil by what they do to one target, and check the best by full forward solves."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from neuro_field.aim.scalp import anatomical_axes
from neuro_field.aim.target import Target, check_same_mesh
from neuro_field.arrays import FloatArray, read_only
from neuro_field.coil.coil import Coil
from neuro_field.coil.placement import Placement
from neuro_field.errors import InputError
from neuro_field.field.error import carried_on
from neuro_field.field.error import numerical_error as error_of
from neuro_field.field.field import Field
from neuro_field.field.solver import Solver, peak_memory
from neuro_field.findings import worst_first
from neuro_field.head.doubts import check_usable
from neuro_field.head.model import HeadModel
from neuro_field.live.live_field import LiveField
from neuro_field.reciprocity.response import Response, responses
from neuro_field.search.areas import of_areas
from neuro_field.search.candidates import Candidates, Grid, candidates, period_of
from neuro_field.search.clock import Clock, Progress
from neuro_field.search.landscape import Landscape, Patch, Top, climbed, hills
from neuro_field.search.metrics import Surroundings
from neuro_field.search.plan import Candidate, Plan, PlanReport, SearchSettings
from neuro_field.search.remarks import of_search, of_stability
from neuro_field.search.rules import RuleOfThumb, rules_of_thumb
from neuro_field.search.sensitivity import sensitivity
from neuro_field.search.stability import DRAWS, Case, compared_poses, stability
from neuro_field.search.whole_cortex import WholeCortex
from neuro_field.search.zone import zone_around

#: Two placements are different when their centres are farther apart than this, mm, or ...
DISTINCT_DISTANCE = 10.0

#: ... their handles (or, for an unsigned target, the lines of their handles) by more than this, degrees.
DISTINCT_ANGLE = 30.0

#: Distinct placements kept, best first; all of them are solved in full, in one block.
RANKED = 8

#: Hills that are climbed, the highest coarse ones first.
MOST_CLIMBS = 24

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

    Raises
    ------
    InputError
        If a region has a direction, or the share is not positive.

    Examples
    --------
    >>> import neuro_field as nf
    >>> head = nf.sphere_head((70, 80, 90), edge=9.0)
    >>> spared = nf.Avoidance((nf.Target.ball(head, center=(-40, 0, 50), radius=8.0),), share=0.5)
    >>> spared.share
    0.5
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
    objective: str = "strength",
    over: Sequence[Target] = (),
    live: LiveField | None = None,
    numerical_error: bool = False,
    progress: Progress | None = None,
) -> Plan:
    """Rank placements of a coil for a target by the mean field in it.

    Every position of a scalp grid around the target is combined with every handle direction (`candidates`); their
    fields in the target come from reciprocity (`response`); from the top of every hill of that landscape the search
    goes on in fine steps until none is better.  The ranking holds these tops, which are more than 10 mm or 30 degrees
    apart, and is often one; `Plan.zone` says where the best of them may be held.  Each is solved in full, measured
    elsewhere in the head, and misplaced to see what that costs.

    Parameters
    ----------
    solver : Solver
        With elements of either order.
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
    objective : {"strength", "ratio", "focality"}
        What placements are ranked by.  strength: what the target measures; ratio: that over the strongest mean |E| of
        the regions ``over``; focality: how little of the cortex has at least half of the target's mean |E|, by
        ``live``; the last two among placements with at least half of the strongest field in the target.
    over : sequence of Target
        Regions of the ratio, without a direction.
    live : LiveField, optional
        Of this head and coil, for the focality (`live_field`).
    numerical_error : bool
        Solve the best placement again on elements half as long around the target and record the difference; takes as
        long as the solver's set-up.
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
    >>> made.report.placements  # 13 positions x 6 directions: half a turn of this coil makes no difference here
    78
    """
    for value, kind, name in ((solver, Solver, "solver"), (coil, Coil, "coil"), (target, Target, "target")):
        if not isinstance(value, kind):
            raise InputError(f"Input {name} of plan must be a {kind.__name__}; instead received {value!r:.80}.")
    check_usable(solver.head)
    avoid, settings = avoid or Avoidance(), _settings(coil, grid or Grid(), avoid or Avoidance(), objective, over, live)
    clock, head, grid = Clock(progress), solver.head, settings.grid
    for each in (target, *avoid.regions, *over, *([] if homologous is None else [homologous])):
        check_same_mesh(head, each)
    finer = judge_of(head, [target]) if numerical_error else head  # refuses before the work
    cortex = WholeCortex.of(live, head, coil) if live is not None else None
    undirected = [replace(target, direction=None, either_way=False)] if cortex and target.direction is not None else []
    with clock("placements"):
        choices = candidates(head, coil, target, grid)
    with clock("adjoint solves"):
        simple, samples = coil.simplified(error=_COIL_ERROR), _samples(choices)
        mapping, *others = responses(solver, simple, (target, *avoid.regions, *over, *undirected), samples)
    with clock("ranking") as advance:
        strengths = mapping.strengths(choices.head_from_coil, progress=advance)
        kept_out, compared = others[: len(avoid.regions)], others[len(avoid.regions) :][: len(over)]
        land, values = Landscape(
            mapping, kept_out, avoid.share, compared, cortex=cortex, magnitude=others[-1] if undirected else None
        ).surveyed(choices.head_from_coil, strengths)
    with clock("landscape"):
        patch = Patch.of(choices, grid.spacing)
        tops = _ranked(head, coil, target, land, choices, values, patch, grid)
    with clock("zone"):
        zone = zone_around(head, coil, land, tops[0], patch=patch, period=period_of(coil, target))
    with clock("verification"):
        placements = [Placement(top.pose) for top in tops]
        fields = solver.solve_many(coil, placements)
        around = Surroundings.of(head, target, homologous=homologous, avoid=avoid.regions)
        metrics = [around.measured(field) for field in fields]
    with clock("sensitivity"):
        shaken = sensitivity(mapping, coil, head.scalp, placements, gap=grid.gap)
        rules = _rules(head, coil, target, grid, mapping)
    ranked = mapping.strengths(np.stack([top.pose for top in tops]))
    ranking = tuple(
        Candidate(
            placement, top.value if objective == "strength" else float(strength), target.mean(field),
            target.magnitude(field), top.angle, top.lift, measured, shares, ratio=top.value if over else None,
        )
        for top, placement, strength, field, measured, shares in zip(
            tops, placements, ranked, fields, metrics, shaken, strict=True
        )
    )  # fmt: skip
    allowed = np.isfinite(values)
    report = PlanReport(
        placements=len(choices),
        positions=int(choices.positions.max()) + 1,
        refined=sum(top.tried for top in tops),
        excluded=int(np.count_nonzero(~allowed)),
        modes=mapping.basis.shape[1],
        truncation=mapping.truncation,
        largest_difference=max(abs(c.strength - c.verified) / max(abs(c.verified), 1e-12) for c in ranking),
        seconds=clock.seconds,
        peak_memory=peak_memory(),
    )
    made = Plan(
        target, coil, ranking, read_only(strengths), read_only(choices.head_from_coil[:, :3, 3]), fields[0], report,
        rules, mapping, compared_poses(placements, choices.head_from_coil[allowed], values[allowed], FOLLOWED),
        zone=zone, search=settings,
    )  # fmt: skip
    told = of_search(made, stopped=tops[0].stopped, least_lift=float(choices.lifts.min()))
    made = replace(made, findings=worst_first((*told, *of_areas(target, fields[0]))))
    if not numerical_error:
        return made
    with clock("numerical error"):
        return with_numerical_error(made, Solver(finer, tolerance=solver.tolerance, order=solver.order))


def finer_around(head: HeadModel, targets: Iterable[Target]) -> HeadModel:
    """The head with elements half as long around some targets."""
    return head.refined(near=np.unique(np.concatenate([target.centers for target in targets]), axis=0))


def judge_of(head: HeadModel, targets: Iterable[Target]) -> HeadModel:
    """The head, be it refined already, that the numerical errors of plans for some targets are judged on."""
    return finer_around(replace(head, refinement=None), targets)


def with_numerical_error(plan: Plan, fine: Solver) -> Plan:
    """The plan with the numerical error of its best placement's field, by a solver that errs less (`judge_of`)."""
    if plan.field is None:
        raise InputError("The numerical error of a plan read from files cannot be computed: it has no field.")
    field, target = plan.field, plan.target
    reference = fine.solve(field.coil, field.placement, didt=field.didt)
    error = error_of(field, reference, near=target.centers)
    own = reference.head is field.head
    there = target if own else target.carried(field.head, reference.head)
    factor = carried_on(None if own else reference.head.refinement)
    off = factor * (target.magnitude(field) / there.magnitude(reference) - 1)
    return replace(
        plan,
        numerical_error=replace(error, target=off),
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
    told = {role: replace(made, stability=found[role]) for role, made in plans.items()}
    return {role: replace(made, findings=of_stability(made)) for role, made in told.items()}


def distinct(poses: FloatArray, values: FloatArray, *, period: float | None, count: int = RANKED) -> list[int]:
    """Indices of the best poses (p, 4, 4) that differ from one another, best first; values -inf are left out.

    Two differ that are more than 10 mm apart or whose handles are, by more than 30 degrees.  ``period`` is the turn, in
    degrees, after which a handle is the same one: 360, 180, or None for a coil whose handle does not count.
    """
    handles, centers = -poses[:, :3, 1], poses[:, :3, 3]
    chosen: list[int] = []
    closest = np.cos(np.radians(DISTINCT_ANGLE))
    for i in np.argsort(-values, kind="stable"):
        if not np.isfinite(values[i]) or len(chosen) == count:
            break
        cosines = handles[chosen] @ handles[i]
        if period == 180.0:
            cosines = np.abs(cosines)
        alike = cosines >= closest if period is not None else np.ones(len(chosen), dtype=bool)
        if not (alike & (np.linalg.norm(centers[chosen] - centers[i], axis=1) <= DISTINCT_DISTANCE)).any():
            chosen.append(int(i))
    return chosen


def _settings(
    coil: Coil, grid: Grid, avoid: Avoidance, objective: str, over: Sequence[Target], live: LiveField | None
) -> SearchSettings:
    """What is asked for, checked."""
    if (objective == "focality") != (live is not None):
        raise InputError(
            "Input live of plan goes with objective='focality', which needs the field of the whole cortex under every "
            f"placement (live_field); instead received objective={objective!r:.40} and live={live!r:.60}."
        )
    if (objective == "ratio") != bool(over):
        raise InputError(
            "Input over of plan goes with objective='ratio', which needs one region or more; instead received "
            f"objective={objective!r:.40} and {len(over)} regions."
        )
    if any(region.direction is not None for region in over):
        raise InputError("Regions of a ratio are judged by mean |E|; give them without a direction.")
    compared, avoided = (tuple(_region(region) for region in regions) for regions in (over, avoid.regions))
    return SearchSettings(grid, objective, compared, avoided, avoid.share, coil.symmetry)


def _region(region: Target) -> str:
    return region.name if region.side is None else f"{region.side}:{region.name}"


def _ranked(
    head: HeadModel, coil: Coil, target: Target, land: Landscape, choices: Candidates, values: FloatArray,
    patch: Patch, grid: Grid,
) -> list[Top]:  # fmt: skip
    """Tops of the landscape's hills that differ from one another, best first.

    A hill whose search stopped at the rim of the patch has its top elsewhere: it is told only where it is the best.
    """
    period, anterior = period_of(coil, target), anatomical_axes(head)[1]
    tops = []
    for i in hills(choices, values, grid.spacing)[:MOST_CLIMBS]:
        start, gap = choices.head_from_coil[i], float(choices.gaps[i])
        top = climbed(head, coil, land, start, gap=gap, grid=grid, patch=patch)
        tops.append(_backwards(land, top, anterior) if period == 180.0 else top)
    best = max(tops, key=lambda top: top.value)
    tops = [top for top in tops if top is best or not top.stopped]
    found = np.stack([top.pose for top in tops]), np.array([top.value for top in tops])
    return [tops[i] for i in distinct(*found, period=period)]


def _backwards(land: Landscape, top: Top, anterior: FloatArray) -> Top:
    """The top with its handle away from the face; half a turn makes no difference to it."""
    if -top.pose[:3, 1] @ anterior <= 1e-6:
        return top
    pose = top.pose * np.array([-1.0, -1.0, 1.0, 1.0])
    value = float(land.values(pose[None])[0])
    return replace(top, pose=pose, value=value, angle=(top.angle + 180.0) % 360.0)


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
