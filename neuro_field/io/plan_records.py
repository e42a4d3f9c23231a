"""Plans and studies as plain values for JSON and back, with every value checked on the way in."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from neuro_field.arrays import AnyArray, FloatArray, read_only
from neuro_field.coil.coil import Coil
from neuro_field.coil.placement import Placement
from neuro_field.errors import FileFormatError, InputError
from neuro_field.field.error import NumericalError
from neuro_field.head.lesion import LesionSummary
from neuro_field.head.model import HeadModel
from neuro_field.io.coils import coil_names, load_coil
from neuro_field.planning.dose import Dose
from neuro_field.planning.plan import Candidate, Plan, PlanReport
from neuro_field.planning.presets import Preset
from neuro_field.planning.study import Answers, Study
from neuro_field.planning.target import Target
from neuro_field.report.sentences import ROLES

SCHEMA = "neuro_field/plan"
VERSION = 1

#: A coil read again whose initial field turns away from the recorded one by more than this is another coil.
_SAME_DIRECTION = 0.999


def record_of(study: Study | Plan) -> dict[str, Any]:
    """A study or plan as plain values; all lengths mm in the head frame, all fields V/m at 1 A/us."""
    record: dict[str, Any] = {"schema": SCHEMA, "version": VERSION}
    record["frame"] = "mm, head frame (world RAS of the T1); head_from_coil: +z into the head, +y away from the handle"
    record["strengths"] = "V/m at 1 A/us"
    coil = study.coil
    record["coil"] = _coil_record(coil) if coil is not None else None
    if isinstance(study, Plan):
        head = study.field.head if study.field is not None else None
        return record | {"kind": "plan", "head": _head_record(head), "plan": _plan_record(study, head)}
    plans = {role: getattr(study, role) for role in ROLES}
    return record | {
        "kind": "study",
        "head": _head_record(study.head),
        "preset": asdict(study.preset),
        "answers": asdict(study.answers),
        "lesion": _lesion_record(study.lesion),
        "plans": {role: _plan_record(plan, study.head) if plan is not None else None for role, plan in plans.items()},
        "why": dict(study.why),
        "doses": {role: asdict(dose) for role, dose in study.doses.items()},
        "warnings": list(study.warnings),
    }


def _coil_record(coil: Coil) -> dict[str, Any]:
    source = str(coil.provenance.get("source", ""))
    shelf = Path(source).stem if source.endswith(".toml") and Path(source).stem in coil_names() else None
    return {
        "name": coil.name,
        "shelf": shelf,
        "source": Path(source).name,
        "citation": str(coil.provenance.get("citation", "")),
        "didt_max": coil.didt_max,
        "initial_e_direction": coil.initial_e_direction.tolist(),
    }


def _head_record(head: HeadModel | None) -> dict[str, Any] | None:
    if head is None:
        return None
    mapping = head.mapping.mni_from_head.tolist() if head.mapping is not None else None
    return {
        "name": head.name,
        "nodes": len(head.mesh.nodes),
        "tetrahedra": len(head.mesh.tets),
        "mni_from_head": mapping,
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
    }


def _plan_record(plan: Plan, head: HeadModel | None) -> dict[str, Any]:
    target = {entry.name: getattr(plan.target, entry.name) for entry in fields(Target)}
    target = {key: value.tolist() if isinstance(value, np.ndarray) else value for key, value in target.items()}
    return {
        "target": target,
        "ranking": [_candidate_record(candidate, plan.coil, head) for candidate in plan.ranking],
        "report": asdict(plan.report),
        "numerical_error": asdict(plan.numerical_error) if plan.numerical_error is not None else None,
        "strengths": plan.strengths.tolist(),
        "centers": plan.centers.tolist(),
    }


def _candidate_record(candidate: Candidate, coil: Coil | None, head: HeadModel | None) -> dict[str, Any]:
    placement = candidate.placement
    mapped = head is not None and head.mapping is not None
    return {
        "strength": candidate.strength,
        "verified": candidate.verified,
        "magnitude": candidate.magnitude,
        "angle": candidate.angle,
        "lift": candidate.lift,
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
        coil = _coil_of(entries.child("coil", optional=True))
        if entries.text("kind") == "plan":
            return _plan_of(_required(entries.child("plan")), coil)
        return _study_of(entries, coil)
    except FileFormatError:
        raise
    except InputError as error:  # a value of the right kind that its noun refuses
        raise FileFormatError(f"{where}: {error}") from None


class Entries:
    """The entries of one JSON object; each getter checks the kind and names the place when it is wrong."""

    def __init__(self, record: Mapping[str, Any], where: str) -> None:
        self.record, self.where = record, where

    @classmethod
    def of(cls, record: Any, where: str) -> "Entries":
        """Of a value that must be an object."""
        if not isinstance(record, dict):
            raise FileFormatError(f"{where} must be a JSON object; instead it is {record!r:.40}.")
        return cls(record, where)

    def value(self, key: str) -> Any:
        """Whatever stands there; an error when nothing does."""
        if key not in self.record:
            raise FileFormatError(f"{self.where}: the entry {key!r} is missing.")
        return self.record[key]

    def child(self, key: str, optional: bool = False) -> "Entries | None":
        """An object, or None for null where that is allowed."""
        value = self.value(key)
        return None if value is None and optional else Entries.of(value, f"{self.where}, {key}")

    def children(self, key: str) -> "list[Entries]":
        """A list of objects."""
        value = self.value(key)
        if not isinstance(value, list):
            raise self._wrong(key, "a list")
        return [Entries.of(entry, f"{self.where}, {key}[{i}]") for i, entry in enumerate(value)]

    def text(self, key: str) -> str:
        """A string."""
        return self._checked(key, "text", lambda value: isinstance(value, str))

    def text_or_none(self, key: str) -> str | None:
        """A string or null."""
        return self._checked(key, "text or null", lambda value: value is None or isinstance(value, str))

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of strings."""
        return tuple(self._checked(
            key, "a list of texts", lambda value: isinstance(value, list) and all(isinstance(e, str) for e in value)
        ))  # fmt: skip

    def number(self, key: str) -> float:
        """A finite number."""
        return float(self._checked(key, "a finite number", _is_number))

    def number_or_none(self, key: str) -> float | None:
        """A finite number or null."""
        value = self._checked(key, "a finite number or null", lambda value: value is None or _is_number(value))
        return None if value is None else float(value)

    def flag(self, key: str) -> bool:
        """True or false."""
        return bool(self._checked(key, "true or false", lambda value: isinstance(value, bool)))

    def count(self, key: str) -> int:
        """A whole number from zero."""
        return int(self._checked(key, "a whole number", lambda v: isinstance(v, int) and _is_number(v) and v >= 0))

    def array(self, key: str, shape: tuple[int | None, ...], whole: bool = False) -> AnyArray:
        """Finite numbers of a shape, None for any length."""
        try:
            out = np.array(self.value(key))
        except (ValueError, OverflowError):
            raise self._wrong(key, f"numbers of shape {_shape(shape)}") from None
        if out.size == 0:
            out = out.reshape([n or 0 for n in shape]).astype(np.float64)
        fits = len(out.shape) == len(shape) and all(
            want is None or want == have for want, have in zip(shape, out.shape, strict=True)
        )
        if not fits or out.dtype.kind not in "if" or not np.isfinite(out).all() or (whole and (out % 1).any()):
            raise self._wrong(key, f"finite {'whole ' if whole else ''}numbers of shape {_shape(shape)}")
        return out.astype(np.int64 if whole else np.float64)

    def array_or_none(self, key: str, shape: tuple[int | None, ...]) -> FloatArray | None:
        """The same, or None for null."""
        return None if self.value(key) is None else self.array(key, shape)

    def numbers(self, key: str) -> dict[str, float]:
        """An object of finite numbers."""
        child = _required(self.child(key))
        return {name: child.number(name) for name in child.record}

    def _checked(self, key: str, what: str, good: Callable[[Any], bool]) -> Any:
        value = self.value(key)
        if not good(value):
            raise self._wrong(key, what)
        return value

    def _wrong(self, key: str, what: str) -> FileFormatError:
        return FileFormatError(f"{self.where}: {key!r} must be {what}; instead it is {self.record[key]!r:.40}.")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300


def _shape(shape: tuple[int | None, ...]) -> str:
    return "(" + ", ".join("any" if n is None else str(n) for n in shape) + ")"


def _required(entries: Entries | None) -> Entries:
    assert entries is not None
    return entries


def _coil_of(entries: Entries | None) -> Coil | None:
    """The coil from the shelf, if it is there and still induces in the recorded direction; else None."""
    if entries is None:
        return None
    shelf, didt_max = entries.text_or_none("shelf"), entries.number_or_none("didt_max")
    direction = entries.array("initial_e_direction", (3,))
    if shelf is None or shelf not in coil_names():
        return None
    coil = load_coil(shelf)
    return replace(coil, didt_max=didt_max) if coil.initial_e_direction @ direction > _SAME_DIRECTION else None


def _study_of(entries: Entries, coil: Coil | None) -> Study:
    plans, doses = _required(entries.child("plans")), _required(entries.child("doses"))
    made = {role: plans.child(role, optional=True) for role in ROLES}
    why = _required(entries.child("why"))
    lesion = entries.child("lesion", optional=True)
    return Study(
        preset=_preset_of(_required(entries.child("preset"))),
        coil=coil,
        head=None,
        lesion=_lesion_of(lesion) if lesion is not None else None,
        answers=_answers_of(_required(entries.child("answers"))),
        contralesional=_plan_of(made["contralesional"], coil) if made["contralesional"] is not None else None,
        ipsilesional=_plan_of(made["ipsilesional"], coil) if made["ipsilesional"] is not None else None,
        why={role: why.text(role) for role in why.record},
        doses={role: _dose_of(_required(doses.child(role))) for role in doses.record},
        warnings=entries.texts("warnings"),
    )


def _preset_of(entries: Entries) -> Preset:
    words = ("name", "title", "side", "coil", "frequency", "pulses", "course", "source", "threshold", "note")
    return Preset(
        **{key: entries.text(key) for key in words},
        sites=entries.texts("sites"),
        intensity=entries.number_or_none("intensity"),
    )


def _answers_of(entries: Entries) -> Answers:
    return Answers(
        lesion_side=entries.text_or_none("lesion_side"),
        fluency=entries.text_or_none("fluency"),
        dominant_side=entries.text_or_none("dominant_side"),
        side=entries.text_or_none("side"),
        rmt=entries.number_or_none("rmt"),
        fma_ue=entries.number_or_none("fma_ue"),
        contraindications=entries.texts("contraindications"),
        mep_ipsilesional=entries.text("mep_ipsilesional"),
    )


def _lesion_of(entries: Entries) -> LesionSummary:
    return LesionSummary(
        entries.number("volume_cm3"), read_only(entries.array("centroid", (3,))),
        entries.array_or_none("centroid_mni", (3,)), entries.text_or_none("side"), entries.numbers("tissues_cm3"),
    )  # fmt: skip


def _dose_of(entries: Entries) -> Dose:
    return Dose(
        entries.number_or_none("output"), entries.number_or_none("of_threshold"),
        entries.number_or_none("target_field"), entries.text("reason"),
    )  # fmt: skip


def _plan_of(entries: Entries, coil: Coil | None) -> Plan:
    ranking = tuple(_candidate_of(entry) for entry in entries.children("ranking"))
    if not ranking:
        raise FileFormatError(f"{entries.where}: 'ranking' must hold at least one placement.")
    report = _report_of(_required(entries.child("report")))
    strengths = entries.array("strengths", (report.placements,))
    centers = entries.array("centers", (report.placements, 3))
    target = _target_of(_required(entries.child("target")))
    error = _error_of(entries)
    return Plan(target, coil, ranking, read_only(strengths), read_only(centers), None, report, error)


def _error_of(entries: Entries) -> NumericalError | None:
    """The numerical error of a plan; None where it was not asked for, or the file is older than it."""
    error = entries.child("numerical_error", optional=True) if "numerical_error" in entries.record else None
    if error is None:
        return None
    x, y, z = error.array("near", (3,)).tolist()
    return NumericalError(
        where=error.text("where"),
        points=error.count("points"),
        relative_l2=error.number("relative_l2"),
        p999=error.number("p999"),
        near_l2=error.number("near_l2"),
        near_mean=error.number("near_mean"),
        near=(x, y, z),
        radius=error.number("radius"),
        near_points=error.count("near_points"),
        unknowns=error.count("unknowns"),
        target=error.number_or_none("target"),
    )


def _candidate_of(entries: Entries) -> Candidate:
    return Candidate(
        Placement(entries.array("head_from_coil", (4, 4))), entries.number("strength"), entries.number("verified"),
        entries.number("magnitude"), entries.number("angle"), entries.number("lift"),
    )  # fmt: skip


def _target_of(entries: Entries) -> Target:
    elements = entries.array("elements", (None,), whole=True)
    return Target(
        name=entries.text("name"),
        center=entries.array("center", (3,)),
        radius=entries.number("radius"),
        elements=elements,
        weights=entries.array("weights", (len(elements),)),
        direction=entries.array_or_none("direction", (3,)),
        either_way=entries.flag("either_way"),
        side=entries.text_or_none("side"),
        seed=entries.array_or_none("seed", (3,)),
        seed_mni=entries.array_or_none("seed_mni", (3,)),
        moved=entries.number("moved"),
        viable_share=entries.number("viable_share"),
        source=entries.text("source"),
    )


def _report_of(entries: Entries) -> PlanReport:
    return PlanReport(
        entries.count("placements"), entries.count("positions"), entries.count("modes"), entries.number("truncation"),
        entries.number("largest_difference"), entries.numbers("seconds"), entries.count("peak_memory"),
    )  # fmt: skip
