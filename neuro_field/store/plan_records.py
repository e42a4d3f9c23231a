"""Plans and studies as plain values for JSON and back, with every value checked on the way in."""

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

import numpy as np

from neuro_field.aim.target import Target
from neuro_field.arrays import FloatArray, read_only
from neuro_field.clinic.answers import Answers
from neuro_field.clinic.dose import Dose
from neuro_field.clinic.presets import Preset
from neuro_field.clinic.study import ROLES, Study
from neuro_field.coil.coil import Coil
from neuro_field.coil.placement import Placement
from neuro_field.errors import FileFormatError, InputError
from neuro_field.field.error import NumericalError
from neuro_field.findings import Finding
from neuro_field.head.lesion import LesionSummary
from neuro_field.head.model import HeadModel
from neuro_field.io.entries import Entries
from neuro_field.search.metrics import Metrics
from neuro_field.search.plan import Candidate, Plan, PlanReport
from neuro_field.search.rules import RuleOfThumb
from neuro_field.search.sensitivity import Sensitivity
from neuro_field.search.stability import Stability
from neuro_field.store.coil_records import coil_of, coil_record

SCHEMA = "neuro_field/plan"
VERSION = 2


def record_of(study: Study | Plan) -> dict[str, Any]:
    """A study or plan as plain values; all lengths mm in the head frame, all fields V/m at 1 A/us."""
    record: dict[str, Any] = {"schema": SCHEMA, "version": VERSION}
    record["frame"] = "mm, head frame (world RAS of the T1); head_from_coil: +z into the head, +y away from the handle"
    record["strengths"] = "V/m at 1 A/us"
    coil = study.coil
    record["coil"] = coil_record(coil) if coil is not None else None
    if isinstance(study, Plan):
        head = study.field.head if study.field is not None else None
        return record | {"kind": "plan", "head": _head_record(head), "plan": plan_record(study, head)}
    plans = {role: getattr(study, role) for role in ROLES}
    return record | {
        "kind": "study",
        "head": _head_record(study.head),
        "preset": asdict(study.preset),
        "answers": asdict(study.answers),
        "lesion": _lesion_record(study.lesion),
        "plans": {role: plan_record(plan, study.head) if plan is not None else None for role, plan in plans.items()},
        "why": dict(study.why),
        "doses": {role: _dose_record(dose) for role, dose in study.doses.items()},
        "warnings": list(study.warnings),
        "notes": list(study.notes),
    }


def _dose_record(dose: Dose) -> dict[str, Any]:
    found = [{"code": one.code, "level": one.level, "values": dict(one.values)} for one in dose.findings]
    return {entry.name: getattr(dose, entry.name) for entry in fields(Dose)} | {"findings": found}


def _dose_of(entries: Entries) -> Dose:
    found = (
        Finding(one.text("code"), one.text("level"), one.required("values").record)
        for one in entries.children("findings")
    )
    return entries.noun(Dose, findings=tuple(found))


def _head_record(head: HeadModel | None) -> dict[str, Any] | None:
    if head is None:
        return None
    mapping = head.mapping
    return {
        "name": head.name,
        "nodes": len(head.mesh.nodes),
        "tetrahedra": len(head.mesh.tets),
        "mni_from_head": mapping.mni_from_head.tolist() if mapping is not None else None,
        "mapping": mapping.source if mapping is not None else None,
    }


def _lesion_record(lesion: LesionSummary | None) -> dict[str, Any] | None:
    if lesion is None:
        return None
    return {
        "volume_cm3": lesion.volume_cm3,
        "centroid": lesion.centroid.tolist(),
        "centroid_mni": _list_or_none(lesion.centroid_mni),
        "side": lesion.side,
        "tissues_cm3": dict(lesion.tissues_cm3),
        "left_cm3": lesion.left_cm3,
        "right_cm3": lesion.right_cm3,
        "infratentorial_cm3": lesion.infratentorial_cm3,
    }


def plan_record(plan: Plan, head: HeadModel | None) -> dict[str, Any]:
    """A plan alone as plain values."""
    target = {entry.name: getattr(plan.target, entry.name) for entry in fields(Target)}
    return {
        "target": {key: _plain(value) for key, value in target.items()},
        "ranking": [_candidate_record(candidate, plan.coil, head) for candidate in plan.ranking],
        "rules": [
            {
                "code": rule.rule.code,
                "values": dict(rule.rule.values),
                "strength": rule.strength,
                "head_from_coil": rule.placement.head_from_coil.tolist(),
            }
            for rule in plan.rules
        ],
        "stability": _record_of_noun(plan.stability),
        "report": asdict(plan.report),
        "numerical_error": _record_of_noun(plan.numerical_error),
        "strengths": plan.strengths.tolist(),
        "centers": plan.centers.tolist(),
    }


def _record_of_noun(noun: Any) -> dict[str, Any] | None:
    """The fields of a noun of plain values and arrays, by name."""
    return None if noun is None else {entry.name: _plain(getattr(noun, entry.name)) for entry in fields(noun)}


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, tuple) and all(isinstance(each, Finding) for each in value):
        return [{"code": each.code, "level": each.level, "values": dict(each.values)} for each in value]
    return dict(value) if isinstance(value, Mapping) else value


def _candidate_record(candidate: Candidate, coil: Coil | None, head: HeadModel | None) -> dict[str, Any]:
    placement = candidate.placement
    mapped = head is not None and head.mapping is not None
    return {
        "strength": candidate.strength,
        "verified": candidate.verified,
        "magnitude": candidate.magnitude,
        "filled": candidate.filled,
        "angle": candidate.angle,
        "lift": candidate.lift,
        "metrics": _record_of_noun(candidate.metrics),
        "sensitivity": _record_of_noun(candidate.sensitivity),
        "head_from_coil": placement.head_from_coil.tolist(),
        "center_mni": head.to_mni(placement.center[None])[0].tolist() if head is not None and mapped else None,
        "handle_direction": placement.handle_direction.tolist(),
        "initial_e_direction": placement.initial_e_direction(coil).tolist() if coil is not None else None,
    }


def _list_or_none(array: FloatArray | None) -> list[float] | None:
    return None if array is None else array.tolist()


def study_of(record: Any, where: str) -> Study | Plan:
    """The study or plan of a record.

    Raises
    ------
    FileFormatError
        Naming the file ``where`` and the entry that is missing or wrong.
    """
    entries = Entries.of(record, where)
    if entries.record.get("schema") != SCHEMA:
        raise FileFormatError(f"{where} is no plan of neuro_field: its schema is {entries.record.get('schema')!r:.60}.")
    if entries.record.get("version") != VERSION:
        raise FileFormatError(
            f"{where} has version {entries.record.get('version')!r:.20} of the plan's schema; this neuro_field reads "
            f"version {VERSION}. Read it with the neuro_field that wrote it, or plan again."
        )
    try:
        coil = coil_of(entries.child("coil", optional=True))
        if entries.text("kind") == "plan":
            return plan_from(entries.required("plan"), coil)
        return _study_of(entries, coil)
    except FileFormatError:
        raise
    except InputError as error:  # a value of the right kind that its noun refuses
        raise FileFormatError(f"{where}: {error}") from None


def _study_of(entries: Entries, coil: Coil | None) -> Study:
    plans, doses, why = entries.required("plans"), entries.required("doses"), entries.required("why")
    records = {role: plans.child(role, optional=True) for role in ROLES}
    made = {role: plan_from(record, coil) if record is not None else None for role, record in records.items()}
    lesion = entries.child("lesion", optional=True)
    return Study(
        preset=_preset_of(entries.required("preset")),
        coil=coil,
        head=None,
        lesion=_lesion_of(lesion) if lesion is not None else None,
        answers=entries.required("answers").noun(Answers),
        why={role: why.text(role) for role in why.record},
        doses={role: _dose_of(doses.required(role)) for role in doses.record},
        warnings=entries.texts("warnings"),
        notes=entries.texts("notes"),
        **made,
    )


def _preset_of(entries: Entries) -> Preset:
    trains = entries.value("trains")
    if not isinstance(trains, list) or any(not isinstance(train, list) or len(train) != 2 for train in trains):
        raise FileFormatError(f"{entries.where}: 'trains' must be pairs of Hz and seconds.")
    pairs = [Entries({"hertz": train[0], "seconds": train[1]}, entries.where) for train in trains]
    known = tuple((pair.number("hertz"), pair.number_or_none("seconds")) for pair in pairs)
    return entries.noun(Preset, trains=known)


def _lesion_of(entries: Entries) -> LesionSummary:
    return entries.noun(
        LesionSummary,
        centroid=read_only(entries.array("centroid", (3,))),
        centroid_mni=entries.array_or_none("centroid_mni", (3,)),
    )


def plan_from(entries: Entries, coil: Coil | None) -> Plan:
    """The plan of its entries, without field and response."""
    ranking = tuple(_candidate_of(entry) for entry in entries.children("ranking"))
    if not ranking:
        raise FileFormatError(f"{entries.where}: 'ranking' must hold at least one placement.")
    report = entries.required("report").noun(PlanReport)
    error, stability = (entries.child(key, optional=True) for key in ("numerical_error", "stability"))
    return Plan(
        target=_target_of(entries.required("target")),
        coil=coil,
        ranking=ranking,
        strengths=read_only(entries.array("strengths", (report.placements,))),
        centers=read_only(entries.array("centers", (report.placements, 3))),
        field=None,
        report=report,
        rules=tuple(
            RuleOfThumb(
                Finding(rule.text("code"), "note", rule.required("values").record),
                Placement(rule.array("head_from_coil", (4, 4))),
                rule.number("strength"),
            )
            for rule in entries.children("rules")
        ),
        stability=stability.noun(Stability) if stability is not None else None,
        numerical_error=error.noun(NumericalError) if error is not None else None,
    )


def _candidate_of(entries: Entries) -> Candidate:
    return entries.noun(
        Candidate,
        placement=Placement(entries.array("head_from_coil", (4, 4))),
        metrics=entries.required("metrics").noun(Metrics),
        sensitivity=entries.required("sensitivity").noun(Sensitivity),
    )


def _target_of(entries: Entries) -> Target:
    elements = entries.array("elements", (None,), whole=True)
    return entries.noun(
        Target,
        center=entries.array("center", (3,)),
        elements=elements,
        weights=entries.array("weights", (len(elements),)),
        direction=entries.array_or_none("direction", (3,)),
        seed=entries.array_or_none("seed", (3,)),
        seed_mni=entries.array_or_none("seed_mni", (3,)),
        findings=tuple(
            Finding(each.text("code"), each.text("level"), each.required("values").record)
            for each in entries.children("findings")
        ),
        parts=entries.array("parts", (len(elements),), whole=True) if entries.value("parts") is not None else None,
        part_centers=entries.array_or_none("part_centers", (None, 3)),
    )
