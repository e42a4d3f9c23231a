"""The doses of a case: whose thresholds, where their fields are known, and what is planned for that."""

from collections.abc import Mapping

from neuro_field.aim.axis import directed
from neuro_field.aim.target import Target
from neuro_field.clinic.aiming import Aims
from neuro_field.clinic.anchor import Anchor, check_pose
from neuro_field.clinic.case import HAND, Case, coil_named
from neuro_field.clinic.dose import Dose
from neuro_field.clinic.dosing import Area, anchor_of, areas_needed, doses, threshold_for
from neuro_field.clinic.percentage import Percentage, percentage_of, trains_of
from neuro_field.clinic.sides import stimulated_roles
from neuro_field.clinic.threshold import Threshold
from neuro_field.coil.placement import Placement
from neuro_field.errors import InputError
from neuro_field.field.solver import Solver
from neuro_field.findings import Finding
from neuro_field.head.model import HeadModel
from neuro_field.search.candidates import Grid
from neuro_field.search.plan import Plan


def thresholds_of(case: Case, aim: Aims) -> tuple[Threshold, ...]:
    """As given; a bare ``rmt`` is of the unaffected hand, which is on the affected hemisphere's side of the body."""
    answers = case.answers
    if case.thresholds or answers.rmt is None or aim.affected is None:
        return case.thresholds
    return (Threshold(answers.rmt, hand=aim.affected, method=answers.mt_method),)


def check_poses(head: HeadModel, case: Case) -> None:
    """Refuse a threshold's pose, or a measured hot spot's, that no coil was held in on this head."""
    for threshold in case.thresholds:
        if threshold.pose is not None:
            check_pose(head.scalp, Placement(threshold.pose))
    if isinstance(case.hot_spot, Placement):
        check_pose(head.scalp, case.hot_spot)


def anchor_areas(head: HeadModel, case: Case, aim: Aims) -> dict[str, Target]:
    """Targets of the areas whose thresholds dose the case and that it does not aim at, by "side-site".

    Areas that are lost, or that no map leads to, are left out: their doses say so.
    """
    found = {}
    for name, side in areas_needed(thresholds_of(case, aim), _percentage(case, aim), aim.targets):
        target = _area(head, aim, name, side)
        if target is not None:
            found[f"{side}-{name}"] = target
    return found


def case_doses(
    solver: Solver, case: Case, aim: Aims, made: Mapping[str, Plan], *, plans: Mapping[str, Plan], grid: Grid | None
) -> dict[str, Dose]:
    """A dose for every plan of a case, or the reason why there is none, by role.

    Parameters
    ----------
    solver : Solver
    case : Case
    aim : Aims
    made : mapping of str to Plan
        By role.
    plans : mapping of str to Plan
        All that was planned, `anchor_areas` among them.
    grid : Grid, optional
        Of the search with a threshold's own coil.
    """
    percentage, thresholds = _percentage(case, aim), thresholds_of(case, aim)
    known = {(plan.target.name, plan.target.side): plan for plan in (*plans.values(), *made.values())}
    anchors: dict[Area, Anchor | Finding] = {}
    for plan in made.values() if percentage.share is not None else ():
        threshold = threshold_for(thresholds, percentage, plan.target.side)
        if threshold is None or (threshold.site, threshold.hemisphere) in anchors:
            continue
        area = (threshold.site, threshold.hemisphere)
        there = known.get(area)
        anchors[area] = (
            Finding("dose-no-anchor", "warn", {"site": area[0], "hemisphere": area[1]})
            if there is None
            else anchor_of(
                threshold, there, coil=coil_named(threshold.coil), solver=solver,
                hot_spot=_measured_pose(case, aim, area), grid=grid,
            )
        )  # fmt: skip
    trains = {role: trains_of(case.preset, role) for role in made}
    stimulated = stimulated_roles(case.preset, case.answers, aim.affected)
    return doses(
        percentage, thresholds, made, anchors, stimulator=case.stimulator, stimulated=stimulated, trains=trains
    )


def _percentage(case: Case, aim: Aims) -> Percentage:
    return percentage_of(case.preset, aim.affected)


def _area(head: HeadModel, aim: Aims, name: str, side: str) -> Target | None:
    if name == HAND and side in aim.hands:
        return aim.hands[side]
    try:
        return directed(head, Target.named(head, name, side))
    except InputError:
        return None


def _measured_pose(case: Case, aim: Aims, area: Area) -> object:
    """The pose over the measured hot spot, where the threshold's area is that."""
    if isinstance(case.hot_spot, Placement) and area[0] == HAND and area[1] in aim.hands:
        return case.hot_spot.head_from_coil
    return None
