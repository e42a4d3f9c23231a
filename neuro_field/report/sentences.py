"""A plan in plain words: where the coil stands, which way it points, what it does there and how sure that is."""

import numpy as np

from neuro_field.aim.atlas import SITES
from neuro_field.aim.target import Target
from neuro_field.clinic.dose import Dose
from neuro_field.clinic.sides import stimulated_roles
from neuro_field.clinic.study import ROLES, Study
from neuro_field.coil.coil import Coil
from neuro_field.coil.placement import Placement
from neuro_field.field.error import ALL, MIDDLE, NumericalError
from neuro_field.field.field import Field
from neuro_field.findings import Finding, worst_first
from neuro_field.head.lesion import lesion_summary
from neuro_field.head.model import HeadModel
from neuro_field.report.directions import direction_words, offset_words, point_words, turn_words
from neuro_field.report.facts import GreyField, HeadFacts, Strongest, cortex_distance, plan_head
from neuro_field.report.surety import misplaced_line, rule_lines, stability_line, zone_line
from neuro_field.report.words import named, said
from neuro_field.search.plan import Candidate, Plan
from neuro_field.units import AMPERE_PER_MICROSECOND

#: Fields of a dose that its line tells.
_TOLD = (
    "published", "matched", "low", "high", "begin", "of_threshold", "target_field", "statistic", "at_target",
    "stokes_low", "stokes_high",
)  # fmt: skip


def head_lines(head: HeadModel) -> list[str]:
    """A head in a few lines: size, volumes, lesion, and what building it had to note."""
    mesh = head.mesh
    lines = [f"{head.name}: {len(mesh.nodes):,} nodes, {len(mesh.tets):,} elements."]
    lines.append(
        "Volumes: " + ", ".join(f"{named(name)} {cm3:.0f} cm3" for name, cm3 in head.tissue_volumes.items()) + "."
    )
    lesion = lesion_summary(head)
    if lesion is not None:
        lines.append(f"Lesion: {lesion.volume_cm3:.1f} cm3, {lesion.side or 'side unknown'}.")
    for kind, overlap in head.provenance.get("mapping_overlap", {}).items():
        fit = ", ".join(f"{name.replace('_', ' ')} {share:.2f}" for name, share in overlap.items())
        lines.append(f"Overlap with the MNI152 template ({kind} map): {fit}.")
    lines += [f"Read first: {said(found)}" for found in head.findings if found.level != "note"]
    return lines + [f"Note: {said(found)}" for found in head.findings if found.level == "note"]


def study_lines(study: Study) -> list[str]:
    """Both hemispheres' best placements, the preset's own side first, one statement a line, for a terminal."""
    facts = HeadFacts.of(study.head)
    lines = [f"{study.preset.name}: {study.preset.title}"]
    for role in roles(study):
        lines += ["", role_title(study, role) + (" - the preset's own side" if is_own(study, role) else "")]
        plan = getattr(study, role)
        if plan is None:
            lines.append(f"  no plan: {said(study.why[role])}")
            continue
        lines += ["  " + line for line in plan_lines(plan, facts, dose=study.doses.get(role))]
        lines += ["  " + line for line in tape_lines(plan)]
    lines += ["", *(f"Read first: {text}" for text in told(study, "warn"))]
    return lines + [f"Note: {text}" for text in told(study, "note")]


def told(study: Study | Plan, level: str) -> list[str]:
    """What has to be said with a study at one level, in words; what is said of both sides word for word, once."""
    found = study.findings if isinstance(study, Study) else (*study.findings, *study.target.findings)
    alike: dict[str, list[Finding]] = {}
    for finding in worst_first(found):
        if finding.level == level:
            alike.setdefault(said(finding), []).append(finding)
    return [_sided(text, findings) for text, findings in alike.items()]


def _sided(text: str, findings: list[Finding]) -> str:
    """A text with its role in front where it does not name the side that it is said of; "Both sides" where of two."""
    if {"contralesional", "ipsilesional"} <= {finding.values.get("role") for finding in findings}:
        return f"Both sides: {text}"
    role, side = str(findings[0].values.get("role", "")), findings[0].values.get("side")
    if role not in ("contralesional", "ipsilesional") or role in text.lower() or (side and f"{side} " in text):
        return text
    return f"{role.capitalize()}{f' ({side})' if side else ''}: {text}"


def plan_lines(
    plan: Plan, facts: HeadFacts | None = None, grey: GreyField | Strongest | None = None, *, dose: Dose | None = None
) -> list[str]:
    """The best placement of one plan, one statement a line.

    Parameters
    ----------
    plan : Plan
        Read from files or just computed; what needs head or field is left out of the former.
    facts : HeadFacts, optional
    grey : GreyField or Strongest, optional
        Of the best placement; both are computed when omitted.
    dose : Dose, optional
        For this plan.
    """
    facts = facts or HeadFacts.of(plan_head(plan))
    if grey is None and plan.field is not None:
        grey = GreyField.of(plan.field)
    lines = [
        position_line(plan.best.placement, facts),
        landmark_line(plan.best.placement, facts),
        handle_line(plan, plan.best, facts),
        current_line(plan, plan.best, facts),
        field_line(plan),
        dose_line(dose, plan) if dose is not None else "",
        distance_line(plan.best.metrics.cortex_distance, plan.best.lift),
        zone_line(plan, facts.axes),
        stability_line(plan),
        misplaced_line(plan.best),
        *rule_lines(plan),
        hot_spot_line(plan.target, grey, facts),
        target_line(plan.target, facts),
        error_line(plan.numerical_error) if plan.numerical_error is not None else "",
    ]
    return [line for line in lines if line]


def tape_lines(plan: Plan) -> list[str]:
    """How the best placement is found with a tape, one step a line as in "First: ..."; none of a plan without."""
    return [said(finding) for finding in plan.tape]


def field_lines(field: Field) -> list[str]:
    """One computed field in plain words: where the coil stands, which way it points, where the field is strongest."""
    facts, grey = HeadFacts.of(field.head), GreyField.of(field)
    placement, slope = field.placement, field.didt / AMPERE_PER_MICROSECOND
    current = placement.initial_e_direction(field.coil) * (1.0 if field.didt >= 0 else -1.0)
    lines = [
        position_line(placement, facts),
        landmark_line(placement, facts),
        f"Handle: points {direction_words(placement.handle_direction, facts.axes)}.",
        f"Current: at this dI/dt of {slope:g} A/µs the induced current under the coil first runs "
        f"{direction_words(current, facts.axes)}.",
        distance_line(cortex_distance(field.head, placement.center)),
        f"Strongest field: 0.1 % of the grey matter lies above {grey.threshold:.2f} V/m at {slope:g} A/µs; its centre "
        f"is at {point_words(grey.hot_spot)} mm in the head frame.",
    ]
    return [line for line in lines if line]


def roles(study: Study) -> tuple[str, ...]:
    """The roles that this study has or should have had a plan for, the preset's own first."""
    known = [role for role in ROLES if role in study.plans or role in study.why]
    return tuple(sorted(known, key=lambda role: role != study.own_side))


def is_own(study: Study, role: str) -> bool:
    """Whether the preset stimulates this side."""
    return role in stimulated_roles(study.preset, study.answers, study.affected)


def role_side(study: Study, role: str) -> str:
    """Which side of the body a role is here."""
    return study.side_of(role)


def role_title(study: Study, role: str) -> str:
    """As in "Contralesional (right) hemisphere"."""
    if role == "bilateral":
        return "Both hemispheres at once"
    if role == "target":
        made = study.target
        return f"Target: {target_title(made.target)}" if made is not None else "Target"
    return f"{role.capitalize()} ({role_side(study, role)}) hemisphere"


def target_title(target: Target) -> str:
    """The target with its side, as in "right m1-hand"."""
    return f"{target.side} {target.name}" if target.side else target.name


def statistic(target: Target) -> str:
    """What the placements are ranked by: the statistic and the radius."""
    if target.direction is None:
        return magnitude_statistic(target)
    what = "size of the mean of E" if target.either_way else "mean of E"
    return f"{what} along the wanted current axis, {_where(target)}"


def magnitude_statistic(target: Target) -> str:
    """What a mean |E| in this target is."""
    return f"mean |E| {_where(target)}"


def _where(target: Target) -> str:
    if target.parts is not None:
        areas = " and ".join(target.part_names)
        return (
            f"over the grey matter within {target.radius:g} mm of the centre of each area ({areas}), the weaker area's"
        )
    return f"over the grey matter within {target.radius:g} mm of the target's centre"


def axis_words(target: Target, facts: HeadFacts) -> str:
    """The wanted current axis and who says so; empty for a target without one."""
    if target.direction is None:
        return ""
    words = direction_words(target.direction, facts.axes, target.side) + (", or against that" * target.either_way)
    custom = next((entry.current_source for entry in SITES if entry.name == target.name), "")
    offset = None if target.axis_offset is None else f"{target.axis_offset:.0f} degrees from the customary axis"
    if target.axis_source == "sulcus":
        return f"{words}: across the patient's own sulcus, {offset} ({custom})"
    if target.axis_source != "site" or not custom:
        return words
    return f"{words}: {custom}" + (f"; the sulcus found there lies {offset} and was not followed" if offset else "")


def target_line(target: Target, facts: HeadFacts) -> str:
    """Where the target lies and how it was found."""
    words = f"Target: {target_title(target)}, centre {point_words(target.center)} mm in the head frame"
    if target.parts is not None:
        pairs = zip(target.part_names, target.centers, strict=True)
        centres = " and ".join(f"{name} centre {point_words(centre)}" for name, centre in pairs)
        words = f"Target: {target.name} of both sides at once, {centres} mm in the head frame"
    if target.seed_mni is not None:
        words += (
            f"; searched around MNI152 {point_words(target.seed_mni, 0)} ({target.source}) and moved "
            f"{target.moved:.1f} mm to the nearest viable grey matter; {100 * target.viable_share:.0f} % of the "
            "grey matter there is viable"
        )
    axis = axis_words(target, facts)
    return f"{words}." + (f" Wanted current axis: {axis}." if axis else "")


def position_line(placement: Placement, facts: HeadFacts) -> str:
    """The centre of the casing face in the head frame and in MNI152."""
    words = f"Position: centre of the casing face at {point_words(placement.center)} mm in the head frame"
    mni = facts.mni(placement.center)
    return words + (f", MNI152 {point_words(mni, 0)} mm." if mni is not None else ".")


def landmark_line(placement: Placement, facts: HeadFacts) -> str:
    """Where the scalp under the centre lies from the two nearest 10-10 positions."""
    near = facts.near(placement.center)
    if not near:
        return f"Nearest 10-10 position: not known ({facts.why.rstrip('.')})."
    said = [offset_words(offset, facts.axes, name) for name, _, offset in near]
    return f"Scalp under the centre: {'; '.join(said)} of the 10-10 system."


def handle_line(plan: Plan, candidate: Candidate, facts: HeadFacts) -> str:
    """Which way the handle points, and whether another way is as good."""
    if plan.handle_free:
        return "Handle: any direction is the same, for turning this coil about its axis changes nothing."
    words = direction_words(candidate.placement.handle_direction, facts.axes, plan.target.side)
    told = f"Handle: points {words} ({turn_words(candidate.placement, facts.axes)})"
    if plan.search is not None and plan.search.symmetry == "two-fold":
        told += "; turned round by 180° this coil gives the same |E|, the current reversed"
    return f"{told}."


def current_words(
    coil: Coil | None, candidate: Candidate, facts: HeadFacts, side: str | None
) -> tuple[str, str] | None:
    """The initial direction of the induced current in words, and the same for a reversed coil current."""
    if coil is None:
        return None
    direction = candidate.placement.initial_e_direction(coil)
    return direction_words(direction, facts.axes, side), direction_words(-direction, facts.axes, side)


def current_line(plan: Plan, candidate: Candidate, facts: HeadFacts) -> str:
    """Which way the induced current first runs, for both signs of the coil current."""
    if plan.handle_free:
        return (
            "Current: under this coil the induced current runs in a ring below the winding, against a rising coil "
            "current; it has no one direction."
        )
    words = current_words(plan.coil, candidate, facts, plan.target.side)
    if words is None:
        return "Current: the coil is not on the shelf, so its initial current direction is not known here."
    return (
        f"Current: with rising coil current (dI/dt above 0) the induced current under the coil first runs {words[0]}; "
        f"with the coil current reversed, {words[1]}."
    )


def field_line(plan: Plan) -> str:
    """The field in the target, per 1 A/us and at full output."""
    best, coil = plan.best, plan.coil
    words = f"Field in the target: {best.magnitude:.3f} V/m at 1 A/µs"
    if coil is not None and coil.didt_max:
        full = best.magnitude * coil.didt_max / AMPERE_PER_MICROSECOND
        words += f", {full:.0f} V/m at 100 % output ({coil.didt_max / AMPERE_PER_MICROSECOND:.2f} A/µs)"
    else:
        words += ", at 100 % output not known, for the coil's largest dI/dt is not"
    words += f" ({magnitude_statistic(plan.target)})"
    if plan.target.direction is not None:
        words += f"; {best.verified:.3f} V/m at 1 A/µs along the wanted current axis, by which placements are ranked"
    return words + "."


def distance_line(distance: float | None, lift: float = 0.0) -> str:
    """How far, mm, the coil stands from the cortex; empty where there is none."""
    if distance is None:
        return ""
    words = f"Coil-cortex distance: {distance:.1f} mm from the centre of the casing face to the nearest grey matter"
    if lift > 0.05:
        words += f"; it stands {lift:.1f} mm farther off than asked, so that the casing clears the scalp"
    return words + "."


def hot_spot_line(target: Target, grey: GreyField | Strongest | None, facts: HeadFacts) -> str:
    """Where the field is strongest, from the target."""
    if grey is None:
        return ""
    offsets = [np.asarray(grey.hot_spot) - centre for centre in target.centers]
    near = int(np.argmin([np.linalg.norm(offset) for offset in offsets]))
    of = "the target's centre" if target.parts is None else f"the {target.part_names[near]} area's centre, the nearer"
    where = offset_words(offsets[near], facts.axes, of)
    return f"Strongest field: the 0.1 % of grey matter above {grey.threshold:.2f} V/m at 1 A/µs has its centre {where}."


def dose_line(dose: Dose, plan: Plan) -> str:
    """The three outputs of a dose apart; where there is none, the reasons."""
    if dose.matched is None and dose.published is None:
        reasons = [found for found in dose.findings if found.code.startswith("dose-")]
        return " ".join(said(found) for found in reasons if found.level == reasons[0].level)
    told = {name: getattr(dose, name) for name in _TOLD}
    return said(Finding("dose-told", "note", told | {
        "needed_more": dose.needed is not None and dose.needed > 100,
        "other_hemisphere": any(finding.code == "dose-other-hemisphere" for finding in dose.findings),
        "radius": plan.target.radius,
    }))  # fmt: skip


#: What the points of a numerical error fill.
_PLACES = {MIDDLE: "the middle of the grey matter", ALL: "the grey matter"}


def error_line(error: NumericalError) -> str:
    """How far the field is from that on elements half as long, or of second order."""
    where, case = _PLACES.get(error.where, error.where), "Numerical error of this case"
    near = f"{100 * error.near_l2:.1f} %", f"its mean size by {100 * error.near_mean:+.1f} %"
    if error.relative_l2 is None or error.p999 is None:
        words = (
            f"{case}: against elements half as long within {error.radius:g} mm of the target ({error.unknowns} "
            f"unknowns) E differs there by {near[0]} (relative L2) over {where}, so that the error itself may be up to "
            f"twice that; {near[1]}"
        )
    else:
        words = (
            f"{case}: against second-order elements on the same mesh ({error.unknowns} unknowns) E differs by "
            f"{100 * error.relative_l2:.1f} % (relative L2) over {where}, its 99.9th percentile by "
            f"{100 * error.p999:+.1f} %; within {error.radius:g} mm of the target E differs by {near[0]}, {near[1]}"
        )
    if error.target is not None:
        words += f"; the mean |E| quoted for the target by {100 * error.target:+.1f} %"
    return f"{words}."
