"""The operator's card: one A4 side that says where, which way and how strong, made from a plan's folder alone."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from neuro_field.aim.atlas import other_side
from neuro_field.aim.tape import VERTEX
from neuro_field.clinic.dose import Dose
from neuro_field.clinic.sides import stimulated_roles
from neuro_field.clinic.study import Study
from neuro_field.coil.clock import clock_of, hour_of
from neuro_field.coil.placement import Placement
from neuro_field.findings import Finding, worst_first
from neuro_field.report import sentences
from neuro_field.report.card_pictures import Drawn, clock_picture, head_picture, spot_of, view_names
from neuro_field.report.directions import direction_words
from neuro_field.report.facts import HeadFacts
from neuro_field.report.kept import Kept
from neuro_field.report.words import named, phrase, said_short, worded
from neuro_field.search.plan import Plan

#: Words of findings that fit, of a card with one spot and with two; so many letters of a language without blanks make
#: a word.
ROOM, LETTERS = {1: 75, 2: 34}, {"ja": 3}

#: Of the plan's digest so many letters stand on the card, in groups.
_DIGEST, _GROUP = 16, 4

#: Steps of the tape that stand on a card, and which of their values are lengths, mm.
_STEPS = {
    "tape-far": "card.far", "tape-aside": "card.aside", "tape-front": "card.front", "tape-electrode": "card.electrode",
    "tape-hot-spot": "card.hot-spot", "tape-doubt": "card.doubt",
}  # fmt: skip
_LENGTHS = ("right", "front", "nasion_inion", "ear_ear", "place")

#: A sector of handles so wide, degrees, is all of the clock.
_ALL_ROUND = 359.0


def card_of(kept: Kept, language: str = "en") -> dict[str, Any]:
    """What ``sections/card.html.j2`` shows.

    Parameters
    ----------
    kept : Kept
    language : {"en", "ja"}
    """
    study, facts = kept.study, kept.facts.head
    plans = _plans(study)
    there = {role: plan for role, plan in plans.items() if plan is not None}
    numbers = {role: str(i) if len(plans) > 1 else "" for i, role in enumerate(plans, start=1)}
    told = [_told(finding, tuple(plans), language) for finding in _findings(kept)]
    shown = _fitting(told, ROOM[min(len(plans), 2)], language)
    return {
        "title": _heading(study, language),
        "coil": study.coil.name if study.coil is not None else "",
        "head": facts.figures.name if facts.figures is not None else "",
        "subject": kept.subject,
        "spots": [_spot(study, role, plan, facts, numbers[role], language) for role, plan in plans.items()],
        "pictures": _pictures(there, numbers, facts, language),
        "findings": told[:shown],
        "arcs": _arcs(there, language),
        "on": _stimulator(study, tuple(there), language),
        "more": phrase("card.more", language, count=len(told) - shown) if len(told) > shown else "",
        "old_words": phrase("card.old-words", language, count=len(kept.old_words)) if kept.old_words else "",
        "signed": signed_off(facts),
        "unsigned": "" if signed_off(facts) else said_short(Finding("card-head-unsigned", "note"), language),
        "sum": phrase(
            "card.sum", language, digest=_grouped(kept.digest), written=kept.written, version=kept.computed_by
        ),
    }  # fmt: skip


def _heading(study: Study | Plan, language: str) -> str:
    """The protocol, with the sides where its words would leave them open; or the target."""
    if isinstance(study, Plan):
        return sentences.target_title(study.target, language)
    title = worded(study.preset.title, language)
    if study.affected is None:
        return title
    spared = other_side(study.affected)
    return title + phrase("card.sides", language, hand=spared, spared=spared, affected=study.affected)


def signed_off(facts: HeadFacts) -> str:
    """Who has looked at the head and signed it off, and when; empty where nobody has."""
    made = facts.figures.signed_off if facts.figures is not None else None
    return "" if made is None else made.told


def _plans(study: Study | Plan) -> dict[str, Plan | None]:
    """The plans that the protocol stimulates by, by role; None for a side that has none."""
    if isinstance(study, Plan):
        return {"plan": study}
    return {role: getattr(study, role) for role in stimulated_roles(study.preset, study.answers, study.affected)}


def _findings(kept: Kept) -> list[Finding]:
    """All stops and warnings, worst first; of one level what concerns a spot of the card before the other side's."""
    study = kept.study
    own = _plans(study)
    said = (
        (*study.findings, *study.why.values())
        if isinstance(study, Study)
        else (*study.findings, *study.target.findings)
    )
    elsewhere = [found for found in said if found.values.get("role") not in (None, *own)]
    ordered = [found for found in said if found not in elsewhere] + elsewhere
    return [found for found in worst_first((*ordered, *kept.remarks)) if found.level != "note"]


def _told(finding: Finding, own: tuple[str, ...], language: str) -> dict[str, str]:
    """A finding as a line of the card, with its side in front where it is said of one."""
    text, side, role = said_short(finding, language), finding.values.get("side"), finding.values.get("role")
    if side in ("left", "right") and role is not None:
        key = "card.side" if role in own else "card.other-side"
        text = phrase(key, language, side=phrase(f"card.side.{side}", language), text=text)
    return {"level": finding.level, "text": text}


def _fitting(told: Sequence[Mapping[str, str]], room: int, language: str) -> int:
    """How many of the lines fit, at least one; all of them, or as many as leave room to say how many more."""
    used = 0
    for shown, line in enumerate(told):
        words = line["text"].split()
        used += sum(map(len, words)) // LETTERS[language] if language in LETTERS else len(words)
        if used > room:
            return max(shown, 1)
    return len(told)


def _spot(
    study: Study | Plan, role: str, plan: Plan | None, facts: HeadFacts, number: str, language: str
) -> dict[str, Any]:
    """One place of the coil: where, which way and how strong."""
    out: dict[str, Any] = {
        "number": number,
        "title": _title(study, role, plan, language),
        "role": _role(study, role, language),
        "why": "",
        "plan": plan,
    }
    if plan is None:
        assert isinstance(study, Study)
        return out | {"why": said_short(study.why[role], language) if role in study.why else ""}
    dose = study.doses.get(role) if isinstance(study, Study) else None
    return out | {
        "where": list(_where(plan, facts, language)),
        "way": _way(plan, facts, language),
        "outputs": list(_outputs(study, dose, language)),
        "pulses": _pulses(study, role, language),
    }


def _title(study: Study | Plan, role: str, plan: Plan | None, language: str) -> str:
    """Which hemisphere, never without left or right, and what of it."""
    if role in ("plan", "target"):
        assert plan is not None
        return phrase("card.target", language, name=sentences.target_title(plan.target, language))
    assert isinstance(study, Study)
    hemisphere = phrase("card.hemisphere", language, side=study.side_of(role))
    return f"{hemisphere}: {named(plan.target.site, language)}" if plan is not None else hemisphere


def _role(study: Study | Plan, role: str, language: str) -> str:
    """What the hemisphere is to the lesion, with the hand that is paretic; nothing of both, and of a target by hand."""
    if not isinstance(study, Study) or role not in ("contralesional", "ipsilesional"):
        return ""
    hand = other_side(study.affected) if study.affected is not None else None
    return phrase("card.role", language, role=role, hand=hand)


def _arcs(plans: Mapping[str, Plan], language: str) -> str:
    """The two lengths of the head by which it is checked, one pair for all spots."""
    for finding in (finding for plan in plans.values() for finding in plan.tape if finding.code == "tape-arcs"):
        return phrase("card.arcs", language, **_in_cm(finding))
    return ""


def _where(plan: Plan, facts: HeadFacts, language: str) -> Iterator[str]:
    """The steps of the tape in cm; without them the nearest 10-10 position."""
    found = [finding for finding in plan.tape if finding.code in _STEPS]
    far = any(finding.code == "tape-far" for finding in found)
    for finding in found:
        yield phrase(_STEPS[finding.code], language, **{"far": far, **_in_cm(finding)})
    if not found:
        yield phrase("card.no-tape", language)
        near = facts.near(plan.best.placement.center, 1)
        if near:
            yield phrase("card.near", language, name=near[0][0], distance=near[0][1] / 10)


def _in_cm(finding: Finding) -> dict[str, Any]:
    """A finding's values, its lengths in cm."""
    return {name: float(str(value)) / 10 if name in _LENGTHS else value for name, value in finding.values.items()}


def _way(plan: Plan, facts: HeadFacts, language: str) -> dict[str, Any]:
    """The handle by the clock, in degrees and in words."""
    placement, axes = plan.best.placement, np.asarray(facts.axes)
    if plan.handle_free:
        return {"hour": "", "lines": [phrase("card.any", language)], "clock": ""}
    words = phrase("card.points", language, words=direction_words(placement.handle_direction, axes, None, language))
    degrees = clock_of(placement.handle_direction, -placement.axis, axes[1])
    if degrees is None:
        return {"hour": "", "lines": [phrase("card.no-clock", language), words], "clock": ""}
    hour, ends = hour_of(degrees), _ends(plan, degrees)
    told = [phrase("card.degrees", language, degrees=degrees), words]
    if ends is not None and plan.zone is not None and ends[1] - ends[0] < _ALL_ROUND:
        low, high = (hour_of(end % 360.0) for end in ends)
        told.append(phrase("card.hours", language, kept=plan.zone.kept, low=low, high=high))
    if plan.coil is not None:
        current = clock_of(placement.initial_e_direction(plan.coil), -placement.axis, axes[1])
        told += [phrase("card.current", language, hour=hour_of(current))] if current is not None else []
    picture = clock_picture(
        degrees, vertex=_vertex(placement, facts), ends=ends,
        words={
            "nose": phrase("card.nose", language), "handle": phrase("card.handle", language),
            "alt": phrase("card.alt-dial", language, hour=hour),
        },
    )  # fmt: skip
    return {"hour": phrase("card.clock", language, hour=hour), "lines": told, "clock": picture}


def _ends(plan: Plan, degrees: float) -> tuple[float, float] | None:
    """The sector of handles that keep the zone's share, degrees of the clock; None where it is not known."""
    zone = plan.zone
    if zone is None or zone.handle_low is None or zone.handle_high is None:
        return None
    own = (plan.best.angle + 180.0) % 360.0 - 180.0
    return degrees + zone.handle_low - own, degrees + zone.handle_high - own


def _vertex(placement: Placement, facts: HeadFacts) -> float | None:
    """Where Cz lies on the clock; None over it, or where it is not known."""
    place = facts.landmarks.get(VERTEX)
    if place is None:
        return None
    away = place - placement.center
    if np.linalg.norm(away - (away @ placement.axis) * placement.axis) < 15.0:
        return None
    return clock_of(away, -placement.axis, np.asarray(facts.axes)[1])


def _outputs(study: Study | Plan, dose: Dose | None, language: str) -> Iterator[tuple[str, str, str]]:
    """What, the number, and its interval: as published, field-matched, to begin at; blank to be filled in by hand."""
    if not isinstance(study, Study):
        return
    blank, none = phrase("card.typed", language), phrase("card.unknown", language)
    preset, told = study.preset, dose is not None and (dose.matched is not None or dose.published is not None)
    published = phrase("card.unpublished", language)
    if preset.intensity is not None:
        published = phrase("card.published", language, share=preset.intensity, threshold=preset.threshold)
    if not told or dose is None:
        yield published, blank, ""
        return
    yield published, _percent(dose.published, none), ""
    interval = ""
    if dose.low is not None and dose.high is not None and round(dose.low) != round(dose.high):
        interval = phrase("card.interval", language, low=dose.low, high=dose.high)
    yield phrase("card.matched", language), _percent(dose.matched, none), interval
    yield phrase("card.begin", language), _percent(dose.begin, none), ""


def _percent(output: float | None, none: str) -> str:
    return none if output is None else f"{output:.0f} %"


def _stimulator(study: Study | Plan, roles: tuple[str, ...], language: str) -> str:
    """Whose % the outputs are."""
    doses = [study.doses[role] for role in roles if role in study.doses] if isinstance(study, Study) else []
    told = [dose for dose in doses if dose.matched is not None or dose.published is not None]
    if not told:
        return ""
    if told[0].stimulator is None:
        return phrase("card.on-read", language)
    return phrase("card.on", language, stimulator=told[0].stimulator)


def _pulses(study: Study | Plan, role: str, language: str) -> str:
    """How often and how many; blanks where nothing is published."""
    if not isinstance(study, Study):
        return ""
    blank, preset = phrase("card.typed", language), study.preset
    hertz = preset.hertz(role)
    given = study.answers.pulses
    pulses = f"{given:g}" if given is not None else _published(worded(preset.pulses, language)) or blank
    return phrase("card.pulses", language, hertz=blank if hertz is None else f"{hertz:g}", pulses=pulses)


def _published(text: str) -> str:
    """A published number, without the mark of its source; empty where the user has to type it."""
    bare = text.partition("[")[0].strip()
    return bare if bare[:1].isdigit() else ""


def _pictures(
    plans: Mapping[str, Plan], numbers: Mapping[str, str], facts: HeadFacts, language: str
) -> list[dict[str, str]]:
    """The head from above, and from each side that has a spot."""
    drawn = Drawn.of(facts)
    if drawn is None or not plans:
        return []
    return views_of(drawn, [(numbers[role], plan) for role, plan in plans.items()], language)


def views_of(drawn: Drawn, marked: Sequence[tuple[str, Plan]], language: str) -> list[dict[str, str]]:
    """The head from above, and from each side that has one of the plans' spots, with what is written beside each."""
    spots = [spot_of(plan, drawn.facts.scalp) for _, plan in marked]
    words = {key: phrase(f"card.{key}", language) for key in ("left", "right", "nose")}
    out = []
    for name in view_names(spots, np.asarray(drawn.facts.axes), drawn.middle):
        title = phrase("card.above" if name == "above" else f"card.from.{name}", language)
        alt = phrase("card.alt", language, view=title)
        out.append({"title": title, "svg": head_picture(drawn, marked, name, words | {"alt": alt})})
    return out


def _grouped(digest: str) -> str:
    """The first letters of a digest, in groups that can be compared by eye."""
    first = digest[:_DIGEST]
    return "-".join(first[i : i + _GROUP] for i in range(0, len(first), _GROUP))
