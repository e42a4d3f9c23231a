"""Version 2 of plan.json, which held English sentences, as a record of version 3 and those sentences beside it."""

from typing import Any

import msgspec

from neuro_field.clinic.presets import PRESETS
from neuro_field.clinic.study import ROLES
from neuro_field.errors import FileFormatError
from neuro_field.field.error import ALL, MIDDLE
from neuro_field.findings import as_name
from neuro_field.store.plan_records import cites, text_of
from neuro_field.store.plan_structs import SCHEMA, VERSION, CoilRecord, PlanFile, StudyFile

#: Of nouns, what version 2 did not know.
_TARGET: dict[str, Any] = {
    "parts": None, "part_centers": None, "part_names": [], "findings": [], "mesh": "", "axis_source": None,
    "axis_offset": None,
}  # fmt: skip
#: Its stability was averaged over all conductivities that a cavity may have, of which none is likelier: left out.
_PLAN: dict[str, Any] = {"stability": None, "zone": None, "findings": [], "search": None, "field": None, "rules": []}
_ANSWERS: dict[str, Any] = {
    "paretic_hand": None, "confirmed": [], "frequency": None, "pulses": None, "intensity": None, "train_seconds": None,
}  # fmt: skip
_LESION = {"left_cm3": None, "right_cm3": None, "infratentorial_cm3": None}
_DOSE = {
    "published": None, "needed": None, "begin": None, "ratio_magnitude": None, "ratio_along": None,
    "statistic": "magnitude", "anchor": None, "at_target": False, "stimulator": None,
}  # fmt: skip

#: Said of its coil, in place of the card's digest that it did not record.
_ANY_CARD = "0" * 64


def from_version2(data: bytes, where: str) -> tuple[PlanFile | StudyFile, tuple[str, ...]]:
    """The record that plan.json would be now, and the sentences it holds, word for word.

    Raises
    ------
    FileFormatError
        If an entry is missing or of the wrong kind.
    """
    old = msgspec.json.decode(data)
    words: list[str] = []
    try:
        record = _file(old, words)
    except (KeyError, TypeError, AttributeError, IndexError, ValueError) as error:
        raise FileFormatError(
            f"{where} is of version 2, and an entry is missing or damaged: {str(error)[:80]}"
        ) from None
    return msgspec.convert(record, PlanFile | StudyFile), tuple(words)


def _file(old: dict[str, Any], words: list[str]) -> dict[str, Any]:
    day, clock = old["written"].split()[:2]
    record = {
        "schema": SCHEMA, "version": VERSION, "kind": old["kind"], "written": f"{day}T{clock}Z",
        "computed_by": {"neuro_field": old["neuro_field"]}, "status": "research-software-not-a-medical-device",
        "subject": "01", "coil": _coil(old["coil"]), "head": None,
        "remarks": [
            {"code": code, "level": "note", "values": {}} for code in ("plan-old-version", "plan-no-field")
        ],
    }  # fmt: skip
    if old["kind"] == "plan":
        return record | {"plan": _plan(old["plan"], words)}
    words += [*old["warnings"], *old["notes"]]
    for role, reason in old["why"].items():
        words.append(f"{role}: {reason}")
    plans = {role: _plan(plan, words) if plan is not None else None for role, plan in old["plans"].items()}
    doses = {role: _dose(role, dose, words) for role, dose in old["doses"].items()}
    why = {role: {"code": "plan-old-reason", "level": "stop", "values": {"role": role}} for role in old["why"]}
    answers = dict(old["answers"])
    answers["mep"] = answers.pop("mep_ipsilesional")
    answers |= _ANSWERS
    return record | {
        "preset": _preset(old["preset"], words),
        "answers": answers,
        "affected": answers["lesion_side"],
        "thresholds": [],
        "lesion": old["lesion"] | _LESION if old["lesion"] is not None else None,
        "plans": dict.fromkeys(ROLES) | plans,
        "why": dict.fromkeys(ROLES) | why,
        "doses": dict.fromkeys(ROLES) | doses,
        "findings": list(why.values()),
    }


def _coil(old: dict[str, Any] | None) -> dict[str, Any] | None:
    if old is None:
        return None
    return {
        "name": as_name(old["name"]), "shelf": old["shelf"], "card": _ANY_CARD if old["shelf"] else None, "file": None,
        "source": as_name(old["source"]) if old["source"] else None,
        "citation": old["citation"] if cites(old["citation"]) else None, "didt_max": old["didt_max"],
        "declared_symmetry": None,
        "initial_e_direction": old["initial_e_direction"],
    }  # fmt: skip


def is_version2_coil(record: CoilRecord) -> bool:
    """Whether only the direction of its first field tells if the shelf's coil is still the one that was meant."""
    return record.card == _ANY_CARD


def _plan(old: dict[str, Any], words: list[str]) -> dict[str, Any]:
    target = old["target"]
    for rule in old["rules"]:
        words.append(
            f"Rule of thumb, {target['side'] or ''} {target['name']}: {rule['name']}: {rule['strength']:.3f} V/m"
        )
    place = target["seed_mni"] if target["seed_mni"] is not None else target["center"]
    kind = "mni" if target["seed_mni"] is not None else "head"
    recipe = {"kind": kind, "site": None, "side": target["side"], "place": place, "radius": target["radius"]}
    error = old["numerical_error"]
    report = old["report"]
    return (
        old
        | _PLAN
        | {
            "target": target
            | _TARGET
            | {"name": as_name(target["name"]), "source": text_of(target["source"]), "recipe": recipe},
            "ranking": [_candidate(candidate) for candidate in old["ranking"]],
            "report": report | {"seconds": {as_name(stage): took for stage, took in report["seconds"].items()}},
            "numerical_error": error | {"where": MIDDLE if "middle" in error["where"] else ALL}
            if error is not None
            else None,
        }
    )


def _candidate(old: dict[str, Any]) -> dict[str, Any]:
    avoided = {as_name(name): value for name, value in old["metrics"]["avoided"].items()}
    return old | {"ratio": None, "metrics": old["metrics"] | {"avoided": avoided, "off_target_distance": None}}


def _preset(old: dict[str, Any], words: list[str]) -> dict[str, Any]:
    here = next((preset for preset in PRESETS if preset.name == old["name"]), None)
    new = {key: value for key, value in old.items() if key != "title"}
    for key in ("frequency", "pulses", "course", "source", "note"):
        if not cites(old[key]):
            new[key] = None
            if old[key] and (here is None or getattr(here, key) != old[key]):
                words.append(f"{old['title']}: {key}: {old[key]}")
    return new | {"side": as_name(old["side"]), "pattern": here.pattern if here is not None else "regular"}


def _dose(role: str, old: dict[str, Any], words: list[str]) -> dict[str, Any]:
    """The field-matched output that version 2 gave; its reason and cautions are among the words."""
    words.append(f"Dose, {role}: {old['reason']}")
    kept = ("low", "high", "of_threshold", "target_field", "stokes_low", "stokes_high")
    note = {"code": "plan-old-dose", "level": "note", "values": {"role": role}}
    return _DOSE | {key: old[key] for key in kept} | {"matched": old["output"], "findings": [note]}
