"""The operator's card in words: labels, steps and directions, as few as will do."""

from collections.abc import Mapping
from typing import Any

#: Shorter steps are none, cm.
_NONE = 0.05


def _aside(values: Mapping[str, Any]) -> str:
    if abs(values["right"]) < _NONE:
        return "Stay at the vertex (Cz)."
    return f"From Cz {abs(values['right']):.1f} cm towards the {_ear(values)} ear."


def _ear(values: Mapping[str, Any]) -> str:
    return "RIGHT" if values["right"] > 0 else "LEFT"


def _front(values: Mapping[str, Any]) -> str:
    front = values["front"]
    if abs(front) < _NONE:
        return "The spot is there."
    return f"Then {abs(front):.1f} cm {'FORWARDS' if front > 0 else 'BACK'}, at a right angle."


def _electrode(values: Mapping[str, Any]) -> str:
    return f"{'From' if values['far'] else 'Or from'} {{electrode}}: {_offset(values)}."


def _hot_spot(values: Mapping[str, Any]) -> str:
    return f"Or from the hot spot: {_offset(values)}."


def _offset(values: Mapping[str, Any]) -> str:
    right, front = values["right"], values["front"]
    parts = []
    if abs(right) >= _NONE:
        parts.append(f"{abs(right):.1f} cm {'right' if right > 0 else 'left'}")
    if abs(front) >= _NONE:
        parts.append(f"{abs(front):.1f} cm {'forwards' if front > 0 else 'back'}")
    return ", ".join(parts) or "the spot is there"


def _doubt(values: Mapping[str, Any]) -> str:
    kept = "" if values["kept"] is None else "; keeps {kept:.0%}"
    return f"Tape: within {{place:.1f}} cm{kept}."


def _hemisphere(values: Mapping[str, Any]) -> str:
    if values["side"] == "both":
        return "BOTH hemispheres at once"
    return f"{str(values['side']).upper()} hemisphere"


def _told(values: Mapping[str, Any]) -> str:
    """A word of a role, with the hand that is paretic."""
    return "{role}; paretic hand {hand}" if values["hand"] else "{role}"


SENTENCES = {
    "card-head-unsigned": "Nobody has signed this head off: look at its qc.html before it is used.",
}

SHORT = {
    "card-head-unsigned": "Head not signed off: look at qc.html.",
}

PHRASES = {
    "card.title": "Coil card",
    "card.sides": "",
    "card.hemisphere": _hemisphere,
    "card.role": _told,
    "card.target": "{name!s}",
    "card.person.name": "Name",
    "card.person.id": "ID",
    "card.person.date": "Date, session",
    "card.person.operator": "Operator",
    "card.stop": "STOP",
    "card.warn": "!",
    "card.note": "Note",
    "card.more": "{count} more: read the report first.",
    "card.none": "Nothing to stop or warn of. That clears nobody.",
    "card.side": "{side!s}: {text!s}",
    "card.other-side": "{side!s}, not stimulated: {text!s}",
    "card.side.left": "Left",
    "card.side.right": "Right",
    "card.no-plan": "NO PLAN on this side",
    "card.old-words": "{count} sentences of an older version: read the report.",
    "card.where": "Where",
    "card.above": "From above",
    "card.from.left": "From the left",
    "card.from.right": "From the right",
    "card.left": "left",
    "card.right": "right",
    "card.nose": "nose",
    "card.handle": "handle",
    "card.legend": "Left and right: the patient's. Bar: handle; dashes: tape; grey: 95 % of the field. Clock: 12 "
    "towards the nose.",
    "card.alt": "{view!s}: 10-20 positions, spot, tape, handle",
    "card.alt-dial": "Clock on the scalp: handle at {hour!s}",
    "card.arcs": "Check: nasion–inion {nasion_inion:.1f} cm, ear–ear {ear_ear:.1f} cm; over 1 cm off: stop.",
    "card.aside": _aside,
    "card.front": _front,
    "card.electrode": _electrode,
    "card.hot-spot": _hot_spot,
    "card.far": "Far from Cz: go from the electrode.",
    "card.doubt": _doubt,
    "card.no-tape": "With a tape: not known. Use a navigator.",
    "card.near": "Nearest: {name!s}, {distance:.1f} cm away.",
    "card.way": "Which way",
    "card.clock": "{hour!s} o'clock",
    "card.degrees": "{degrees:.0f}° clockwise",
    "card.points": "points {words!s}",
    "card.hours": "{kept:.0%} from {low!s} to {high!s}",
    "card.any": "Handle: any direction.",
    "card.no-clock": "No clock here: go by words and pictures.",
    "card.current": "induced current first to {hour!s}",
    "card.strong": "How strong",
    "card.published": "Published ({share:.0%} {threshold!s})",
    "card.unpublished": "Published",
    "card.matched": "Field-matched",
    "card.interval": "{low:.0f} to {high:.0f}",
    "card.begin": "BEGIN AT",
    "card.unknown": "none",
    "card.on": "Outputs: % of {stimulator}.",
    "card.on-read": "Outputs: % of the stimulator that read the threshold.",
    "card.pulses": "{hertz!s} Hz; pulses: {pulses!s}",
    "card.typed": "______",
    "card.session": "This session",
    "card.session.threshold": "Threshold, %",
    "card.session.output": "Output used, %",
    "card.session.pulses": "Pulses given",
    "card.session.aside": "mm left/right of Cz",
    "card.session.front": "mm front/back",
    "card.session.handle": "Handle, o'clock",
    "card.session.adverse": "Adverse events",
    "card.checked": "Head checked by",
    "card.sum": "Plan {digest!s}, {written!s}, neuro_field {version!s}",
}  # fmt: skip
