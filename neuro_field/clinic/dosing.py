"""Which threshold doses which plan, where its field is known, and the doses of all plans of a study."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from neuro_field.aim.target import Target
from neuro_field.clinic.anchor import Anchor, anchor_at
from neuro_field.clinic.dose import Dose, dose
from neuro_field.clinic.envelope import envelope_findings
from neuro_field.clinic.percentage import Percentage
from neuro_field.clinic.threshold import Threshold
from neuro_field.coil.coil import Coil
from neuro_field.field.solver import Solver
from neuro_field.findings import Finding, worst_first
from neuro_field.search.candidates import Grid
from neuro_field.search.plan import Plan
from neuro_field.search.search import plan as planned

#: A cortical area: its name, and the side of the brain.
Area = tuple[str, str]


def threshold_for(thresholds: Iterable[Threshold], percentage: Percentage, side: str | None) -> Threshold | None:
    """The threshold that doses a target of one side (None: of both); None where none is of the kind that is asked for.

    One of the limb that the percentage names goes first, then one of the target's own hemisphere, then one of the
    muscle, then one whose pose is known.
    """
    fitting = [each for each in thresholds if each.kind == percentage.kind]

    def unlike(each: Threshold) -> tuple[bool, bool, bool, bool]:
        return (
            percentage.limb not in (None, each.limb),
            (side or percentage.hemisphere or each.hemisphere) != each.hemisphere,
            percentage.muscle not in (None, each.muscle),
            each.pose is None,
        )

    return min(fitting, key=unlike, default=None)


def areas_needed(
    thresholds: Sequence[Threshold], percentage: Percentage, targets: Mapping[str, Target]
) -> tuple[Area, ...]:
    """Areas that must be planned beside the targets, for the thresholds that dose them lie there."""
    there = {(target.name, target.side) for target in targets.values()}
    used = (threshold_for(thresholds, percentage, target.side) for target in targets.values())
    wanted = dict.fromkeys((each.site, each.hemisphere) for each in used if each is not None)
    return () if percentage.share is None else tuple(area for area in wanted if area not in there)


def anchor_of(
    threshold: Threshold,
    plan: Plan,
    *,
    coil: Coil | None = None,
    solver: Solver | None = None,
    hot_spot: object = None,
    grid: Grid | None = None,
) -> Anchor:
    """Where the field of a threshold is known.

    At the threshold's own pose where it has one; else at a measured ``hot_spot`` (a (4, 4) head_from_coil) of its
    hemisphere; else at the best placement over its area.

    Parameters
    ----------
    threshold : Threshold
    plan : Plan
        Of the coil that treats, for the threshold's area.
    coil : Coil, optional
        The threshold was read with; None: the coil that treats.
    solver : Solver, optional
        Of the plan's head; made from it when it is needed and omitted.
    hot_spot : (4, 4) array, optional
    grid : Grid, optional
        Of the search with the threshold's coil, where that is another.
    """
    read = coil or plan.coil
    assert read is not None
    pose, how = (threshold.pose, "pose") if threshold.pose is not None else (hot_spot, "hot-spot")
    same = plan.coil is not None and read.name == plan.coil.name
    if pose is None and same:
        return Anchor.on(plan)
    if solver is None:
        assert plan.field is not None  # plans read from files have no head to solve in
        solver = Solver(plan.field.head)
    if pose is not None:
        return anchor_at(solver, read, pose, plan.target, how=how, plan=plan)
    return Anchor.on(planned(solver, read, plan.target, grid=grid), treating=plan)


def doses(
    percentage: Percentage,
    thresholds: Sequence[Threshold],
    plans: Mapping[str, Plan],
    anchors: Mapping[Area, Anchor | Finding],
    *,
    stimulator: str | None = None,
    stimulated: Collection[str],
    trains: Mapping[str, tuple[tuple[float, float | None], ...]],
) -> dict[str, Dose]:
    """A dose for every plan, or the reason why there is none, by role.

    Parameters
    ----------
    percentage : Percentage
    thresholds : sequence of Threshold
    plans : mapping of str to Plan
        By role.
    anchors : mapping of (site, hemisphere) to Anchor, or the Finding why there is none
        For the areas of the thresholds.
    stimulator : str, optional
    stimulated : collection of str
        The roles that the protocol stimulates.
    trains : mapping of str to trains
        By role, (Hz, seconds).
    """
    of_role = {role: replace(percentage, stimulates=role in stimulated) for role in plans}
    return {
        role: _dose(of_role[role], thresholds, made, anchors, stimulator=stimulator, trains=trains.get(role, ()))
        for role, made in plans.items()
    }


def _dose(
    percentage: Percentage,
    thresholds: Sequence[Threshold],
    made: Plan,
    anchors: Mapping[Area, Anchor | Finding],
    *,
    stimulator: str | None,
    trains: tuple[tuple[float, float | None], ...],
) -> Dose:
    chosen = threshold_for(thresholds, percentage, made.target.side)
    if not thresholds:
        why = Finding("dose-no-threshold", "note", {"kind": percentage.kind})
    elif percentage.share is None:
        why = Finding("dose-no-intensity", "warn", {})
    elif chosen is None:
        why = Finding("dose-other-kind", "warn", {"wanted": percentage.kind, "given": thresholds[0].kind})
    else:
        anchor = anchors[chosen.site, chosen.hemisphere]
        if isinstance(anchor, Anchor):
            return dose(percentage, chosen, anchor, made, stimulator=stimulator, trains=trains)
        why = anchor
    judged = envelope_findings(trains, {"published": percentage.share}, kind=percentage.kind)
    return Dose(findings=worst_first((why, *judged)))
