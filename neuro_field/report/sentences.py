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
from neuro_field.report.words import listed, named, names_side, phrase, said, worded
from neuro_field.search.plan import Candidate, Plan
from neuro_field.units import AMPERE_PER_MICROSECOND

#: Fields of a dose that its line tells.
_TOLD = (
    "published", "matched", "low", "high", "begin", "of_threshold", "target_field", "statistic", "at_target",
    "stokes_low", "stokes_high",
)  # fmt: skip


def head_lines(head: HeadModel, language: str = "en") -> list[str]:
    """A head in a few lines: size, volumes, lesion, and what building it had to note."""
    mesh = head.mesh
    volumes = [
        phrase("head.volume", language, tissue=named(name, language), cm3=cm3)
        for name, cm3 in head.tissue_volumes.items()
    ]
    lines = [
        phrase("head.size", language, name=head.name, nodes=len(mesh.nodes), elements=len(mesh.tets)),
        phrase("head.volumes", language, volumes=listed(volumes, language)),
    ]
    lesion = lesion_summary(head)
    if lesion is not None:
        key = "head.lesion" if lesion.side else "head.lesion-side-unknown"
        lines.append(phrase(key, language, cm3=lesion.volume_cm3, side=lesion.side))
    for kind, overlap in head.provenance.get("mapping_overlap", {}).items():
        fit = listed((f"{named(name, language)} {share:.2f}" for name, share in overlap.items()), language)
        lines.append(phrase("head.overlap", language, kind=kind, fit=fit))
    return lines + [leveled(found, language) for found in worst_first(head.findings)]


def leveled(finding: Finding, language: str = "en") -> str:
    """A finding with its level in front, for a terminal."""
    return phrase(f"level.{finding.level}", language, text=said(finding, language))


def study_lines(study: Study, language: str = "en") -> list[str]:
    """Both hemispheres' best placements, the preset's own side first, one statement a line, for a terminal."""
    facts, preset = HeadFacts.of(study.head), study.preset
    lines = [phrase("study.title", language, preset=preset.name, title=worded(preset.title, language))]
    for role in roles(study):
        title = role_title(study, role, language)
        lines += ["", phrase("role.own", language, title=title) if is_own(study, role) else title]
        plan = getattr(study, role)
        if plan is None:
            lines.append("  " + phrase("role.no-plan", language, why=said(study.why[role], language)))
            continue
        lines += ["  " + line for line in plan_lines(plan, facts, dose=study.doses.get(role), language=language)]
        lines += ["  " + line for line in tape_lines(plan, language)]
    lines += ["", *(phrase("level.warn", language, text=text) for text in told(study, "warn", language))]
    return lines + [phrase("level.note", language, text=text) for text in told(study, "note", language)]


def told(study: Study | Plan, level: str, language: str = "en") -> list[str]:
    """What has to be said with a study at one level, in words; what is said of both sides word for word, once."""
    found = study.findings if isinstance(study, Study) else (*study.findings, *study.target.findings)
    alike: dict[str, list[Finding]] = {}
    for finding in worst_first(found):
        if finding.level == level:
            alike.setdefault(said(finding, language), []).append(finding)
    return [_sided(text, findings, language) for text, findings in alike.items()]


def _sided(text: str, findings: list[Finding], language: str) -> str:
    """A text with its role in front where it does not name the side that it is said of; "Both sides" where of two."""
    if {"contralesional", "ipsilesional"} <= {finding.values.get("role") for finding in findings}:
        return phrase("role.both", language, text=text)
    role, side = (str(findings[0].values.get(name) or "") for name in ("role", "side"))
    if role not in ("contralesional", "ipsilesional") or names_side(text, role, side, language):
        return text
    return phrase("role.sided", language, role=role, side=side, text=text)


def plan_lines(
    plan: Plan, facts: HeadFacts | None = None, grey: GreyField | Strongest | None = None, *, dose: Dose | None = None,
    language: str = "en",
) -> list[str]:  # fmt: skip
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
    language : str
    """
    facts = facts or HeadFacts.of(plan_head(plan))
    if grey is None and plan.field is not None:
        grey = GreyField.of(plan.field)
    sure = [stability_line(plan, language), misplaced_line(plan.best, language), *rule_lines(plan, language)]
    error = error_line(plan.numerical_error, language) if plan.numerical_error is not None else ""
    return [
        *answer_lines(plan, facts, dose=dose, language=language),
        *filter(None, sure),
        *why_lines(plan, facts, grey, language),
        *filter(None, [error]),
    ]


def answer_lines(
    plan: Plan, facts: HeadFacts, *, dose: Dose | None = None, told: bool = False, language: str = "en"
) -> list[str]:
    """How the coil is held at the best placement, what it does there, and how strong.

    ``told`` where the way by tape names the nearest electrode beside it: then that is not said again.
    """
    lines = [
        position_line(plan.best.placement, facts, language),
        "" if told else landmark_line(plan.best.placement, facts, language),
        handle_line(plan, plan.best, facts, language),
        current_line(plan, plan.best, facts, language),
        field_line(plan, language),
        dose_line(dose, plan, language) if dose is not None else "",
        distance_line(plan.best.metrics.cortex_distance, plan.best.lift, language),
        zone_line(plan, facts.axes, language),
    ]
    return [line for line in lines if line]


def why_lines(plan: Plan, facts: HeadFacts, grey: GreyField | Strongest | None, language: str = "en") -> list[str]:
    """Where the target lies and how it was found, and where the field is strongest."""
    lines = [hot_spot_line(plan.target, grey, facts, language), target_line(plan.target, facts, language)]
    return [line for line in lines if line]


def tape_lines(plan: Plan, language: str = "en") -> list[str]:
    """How the best placement is found with a tape, one step a line as in "First: ..."; none of a plan without."""
    return [said(finding, language) for finding in plan.tape]


def field_lines(field: Field, language: str = "en") -> list[str]:
    """One computed field in plain words: where the coil stands, which way it points, where the field is strongest."""
    facts, grey = HeadFacts.of(field.head), GreyField.of(field)
    placement, slope = field.placement, field.didt / AMPERE_PER_MICROSECOND
    current = placement.initial_e_direction(field.coil) * (1.0 if field.didt >= 0 else -1.0)
    handle = direction_words(placement.handle_direction, facts.axes, None, language)
    runs = direction_words(current, facts.axes, None, language)
    lines = [
        position_line(placement, facts, language),
        landmark_line(placement, facts, language),
        phrase("handle.plain", language, way=handle),
        phrase("current.plain", language, slope=slope, way=runs),
        distance_line(cortex_distance(field.head, placement.center), language=language),
        phrase("strongest.plain", language, threshold=grey.threshold, slope=slope, centre=point_words(grey.hot_spot)),
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


def role_title(study: Study, role: str, language: str = "en") -> str:
    """As in "Contralesional (right) hemisphere"."""
    if role == "bilateral":
        return phrase("role.bilateral", language)
    if role == "target":
        made = study.target
        if made is None:
            return phrase("role.target", language)
        return phrase("role.target-named", language, target=target_title(made.target, language))
    return phrase("role.hemisphere", language, role=role, side=role_side(study, role))


def target_title(target: Target, language: str = "en") -> str:
    """The target with its side, as in "right m1-hand"."""
    return phrase("target.title", language, side=target.side, name=target.name)


def statistic(target: Target, language: str = "en") -> str:
    """What the placements are ranked by: the statistic and the radius."""
    if target.direction is None:
        return magnitude_statistic(target, language)
    key = "target.statistic-either-way" if target.either_way else "target.statistic"
    return phrase(key, language, where=_where(target, language))


def magnitude_statistic(target: Target, language: str = "en") -> str:
    """What a mean |E| in this target is."""
    return phrase("target.magnitude", language, where=_where(target, language))


def _where(target: Target, language: str) -> str:
    if target.parts is None:
        return phrase("target.where", language, radius=target.radius)
    first, second = target.part_names
    return phrase("target.where-parts", language, radius=target.radius, first=first, second=second)


def axis_words(target: Target, facts: HeadFacts, language: str = "en") -> str:
    """The wanted current axis and who says so; empty for a target without one."""
    if target.direction is None:
        return ""
    way = direction_words(target.direction, facts.axes, target.side, language)
    if target.either_way:
        way = phrase("axis.either-way", language, way=way)
    source = next((entry.current_source for entry in SITES if entry.name == target.name), "")
    if target.axis_source == "sulcus":
        key = "axis.sulcus" if source else "axis.sulcus-alone"
    elif target.axis_source == "site" and source:
        key = "axis.custom" if target.axis_offset is None else "axis.not-followed"
    else:
        return way
    return phrase(key, language, way=way, custom=worded(source, language), degrees=target.axis_offset)


def target_line(target: Target, facts: HeadFacts, language: str = "en") -> str:
    """Where the target lies and how it was found."""
    if target.parts is None:
        named_so = target_title(target, language)
        words = phrase("target.line", language, target=named_so, centre=point_words(target.center))
    else:
        first, second = target.part_names
        centres = map(point_words, target.centers)
        words = phrase(
            "target.line-parts", language, name=target.name, first=first, first_centre=next(centres), second=second,
            second_centre=next(centres),
        )  # fmt: skip
    if target.seed_mni is not None:
        words += phrase(
            "target.searched", language, seed=point_words(target.seed_mni, 0), source=worded(target.source, language),
            moved=target.moved, viable=target.viable_share,
        )  # fmt: skip
    words += phrase("full-stop", language)
    axis = axis_words(target, facts, language)
    return words + (phrase("target.axis", language, axis=axis) if axis else "")


def position_line(placement: Placement, facts: HeadFacts, language: str = "en") -> str:
    """The centre of the casing face in the head frame and in MNI152."""
    words = phrase("position.line", language, centre=point_words(placement.center))
    mni = facts.mni(placement.center)
    if mni is not None:
        words += phrase("position.mni", language, mni=point_words(mni, 0))
    return words + phrase("full-stop", language)


def landmark_line(placement: Placement, facts: HeadFacts, language: str = "en") -> str:
    """Where the scalp under the centre lies from the two nearest 10-10 positions."""
    near = facts.near(placement.center)
    if not near:
        return phrase("landmark.unknown", language, why=worded(facts.why.rstrip("."), language))
    places = [offset_words(offset, facts.axes, name, language) for name, _, offset in near]
    return phrase("landmark.line", language, places=phrase("landmark.between", language).join(places))


def handle_line(plan: Plan, candidate: Candidate, facts: HeadFacts, language: str = "en") -> str:
    """Which way the handle points, and whether another way is as good."""
    if plan.handle_free:
        return phrase("handle.free", language)
    way = direction_words(candidate.placement.handle_direction, facts.axes, plan.target.side, language)
    turn = turn_words(candidate.placement, facts.axes, language)
    words = phrase("handle.line", language, way=way, turn=turn)
    if plan.search is not None and plan.search.symmetry == "two-fold":
        words += phrase("handle.two-fold", language)
    return words + phrase("full-stop", language)


def current_words(
    coil: Coil | None, candidate: Candidate, facts: HeadFacts, side: str | None, language: str = "en"
) -> tuple[str, str] | None:
    """The initial direction of the induced current in words, and the same for a reversed coil current."""
    if coil is None:
        return None
    along = candidate.placement.initial_e_direction(coil)
    rising, falling = (direction_words(way, facts.axes, side, language) for way in (along, -along))
    return rising, falling


def current_line(plan: Plan, candidate: Candidate, facts: HeadFacts, language: str = "en") -> str:
    """Which way the induced current first runs, for both signs of the coil current."""
    if plan.handle_free:
        return phrase("current.ring", language)
    words = current_words(plan.coil, candidate, facts, plan.target.side, language)
    if words is None:
        return phrase("current.unknown", language)
    return phrase("current.line", language, rising=words[0], reversed=words[1])


def field_line(plan: Plan, language: str = "en") -> str:
    """The field in the target, per 1 A/us and at full output."""
    best, coil = plan.best, plan.coil
    words = phrase("field.line", language, field=best.magnitude)
    if coil is not None and coil.didt_max:
        slope = coil.didt_max / AMPERE_PER_MICROSECOND
        words += phrase("field.full", language, full=best.magnitude * slope, slope=slope)
    else:
        words += phrase("field.full-unknown", language)
    words += phrase("field.statistic", language, statistic=magnitude_statistic(plan.target, language))
    if plan.target.direction is not None:
        words += phrase("field.along", language, along=best.verified)
    return words + phrase("full-stop", language)


def distance_line(distance: float | None, lift: float = 0.0, language: str = "en") -> str:
    """How far, mm, the coil stands from the cortex; empty where there is none."""
    if distance is None:
        return ""
    words = phrase("distance.line", language, distance=distance)
    if lift > 0.05:
        words += phrase("distance.lift", language, lift=lift)
    return words + phrase("full-stop", language)


def hot_spot_line(target: Target, grey: GreyField | Strongest | None, facts: HeadFacts, language: str = "en") -> str:
    """Where the field is strongest, from the target."""
    if grey is None:
        return ""
    offsets = [np.asarray(grey.hot_spot) - centre for centre in target.centers]
    near = int(np.argmin([np.linalg.norm(offset) for offset in offsets]))
    if target.parts is None:
        of = phrase("strongest.of-target", language)
    else:
        of = phrase("strongest.of-part", language, part=target.part_names[near])
    where = offset_words(offsets[near], facts.axes, of, language)
    return phrase("strongest.line", language, threshold=grey.threshold, where=where)


def dose_line(dose: Dose, plan: Plan, language: str = "en") -> str:
    """The three outputs of a dose apart; where there is none, the reasons."""
    if dose.matched is None and dose.published is None:
        reasons = [found for found in dose.findings if found.code.startswith("dose-")]
        return " ".join(said(found, language) for found in reasons if found.level == reasons[0].level)
    told = {name: getattr(dose, name) for name in _TOLD}
    return said(Finding("dose-told", "note", told | {
        "needed_more": dose.needed is not None and dose.needed > 100,
        "other_hemisphere": any(finding.code == "dose-other-hemisphere" for finding in dose.findings),
        "radius": plan.target.radius,
    }), language)  # fmt: skip


#: What the points of a numerical error fill.
_PLACES = {MIDDLE: "error.middle", ALL: "error.all"}


def error_line(error: NumericalError, language: str = "en") -> str:
    """How far the field is from that on elements half as long, or of second order."""
    return phrase("error.line", language, how=error_words(error, language))


def error_words(error: NumericalError, language: str = "en") -> str:
    """The same without its label."""
    where = phrase(_PLACES[error.where], language) if error.where in _PLACES else error.where
    told = {"radius": error.radius, "unknowns": error.unknowns, "near": error.near_l2, "mean": error.near_mean}
    if error.relative_l2 is None or error.p999 is None:
        words = phrase("error.halved", language, where=where, **told)
    else:
        words = phrase("error.second-order", language, where=where, all=error.relative_l2, p999=error.p999, **told)
    return words + (phrase("error.target", language, target=error.target) if error.target is not None else "")
