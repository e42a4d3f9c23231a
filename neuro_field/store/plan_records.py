"""Plans and studies as the records of plan.json and back; whoever writes `plan_structs` anew changes this with it."""

from collections.abc import Mapping
from dataclasses import asdict, fields, is_dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any, get_type_hints

import msgspec
import numpy as np

from neuro_field.aim.atlas import SITES
from neuro_field.aim.target import Target
from neuro_field.arrays import AnyArray, FloatArray, IntArray, read_only
from neuro_field.clinic.answers import Answers
from neuro_field.clinic.case import typed
from neuro_field.clinic.dose import Dose
from neuro_field.clinic.presets import PRESETS, Preset, by_hand
from neuro_field.clinic.study import ROLES, Study
from neuro_field.clinic.threshold import Threshold
from neuro_field.coil.coil import Coil
from neuro_field.coil.placement import Placement
from neuro_field.errors import InputError
from neuro_field.field.error import NumericalError
from neuro_field.field.field import SolveReport
from neuro_field.findings import Finding, as_name
from neuro_field.head.lesion import LesionSummary
from neuro_field.head.model import HeadModel
from neuro_field.head.sign_off import SignOff
from neuro_field.io.digest import fingerprint
from neuro_field.report.facts import Facts, HeadFacts, HeadFigures, PlanFacts, Strongest, TissueFigures, head_of
from neuro_field.report.interactive import mni_map, unpacked_surface
from neuro_field.search.candidates import Grid
from neuro_field.search.metrics import Metrics
from neuro_field.search.plan import Candidate, Plan, PlanReport, SearchSettings
from neuro_field.search.rules import RuleOfThumb
from neuro_field.search.sensitivity import Sensitivity
from neuro_field.search.stability import Stability
from neuro_field.search.zone import Zone
from neuro_field.store import plan_structs as structs
from neuro_field.store import record_words

#: Versions of these decide the numbers.
COMPUTED_BY = ("neuro_field", "numpy", "scipy", "numba", "pyamg")

#: The noun that each record is of; their entries have the names of its fields.
NOUNS: dict[type[msgspec.Struct], type] = {
    record_words.FindingRecord: Finding,
    structs.TargetRecord: Target,
    structs.MetricsRecord: Metrics,
    structs.SensitivityRecord: Sensitivity,
    structs.CandidateRecord: Candidate,
    structs.RuleRecord: RuleOfThumb,
    structs.StabilityRecord: Stability,
    structs.ReportRecord: PlanReport,
    structs.ErrorRecord: NumericalError,
    structs.SolveRecord: SolveReport,
    structs.GridRecord: Grid,
    structs.SearchRecord: SearchSettings,
    structs.ZoneRecord: Zone,
    structs.PlanRecord: Plan,
    structs.PresetRecord: Preset,
    structs.AnswersRecord: Answers,
    structs.ThresholdRecord: Threshold,
    structs.StudyFile: Study,
    structs.LesionRecord: LesionSummary,
    structs.DoseRecord: Dose,
    structs.TissueRecord: TissueFigures,
    structs.SignOffRecord: SignOff,
}

#: Fields of nouns that no record holds, and why.
LEFT_OUT = {
    Study: dict.fromkeys(ROLES, "among the plans"),
    Plan: {
        "coil": "one for all plans of a file",
        "field": "gigabytes; its figures stand in the record's own field",
        "response": "of the solver's memory only",
        "followed": "the ranking's and the zone's poses",
    },
    Candidate: {"placement": "as head_from_coil"},
    RuleOfThumb: {"placement": "as head_from_coil"},
    Preset: {"title": "words of the programme, found by name"},
}

_ARRAYS: dict[Any, Any] = {
    FloatArray: np.float64, FloatArray | None: np.float64, IntArray: np.int64, IntArray | None: np.int64,
    AnyArray: None, AnyArray | None: None,
}  # fmt: skip

#: Sources of targets that people gave, by their names.
_GIVEN = {
    as_name(words): words
    for words in ("given coordinate", "given mask", "given MNI coordinate", "measured hot spot", "measured map")
}

#: Of a preset: what is stored where it cites a source, and is the programme's own otherwise.
_CITED = ("frequency", "pulses", "course", "source", "note")


def file_of(
    study: Study | Plan, facts: Facts, coil: structs.CoilRecord | None, *, subject: str, remarks: tuple[Finding, ...]
) -> structs.PlanFile | structs.StudyFile:
    """What plan.json says of a study or plan.

    Raises
    ------
    InputError
        If something of it cannot be told by the records: with the entry.
    """
    head = head_of(study)
    record: dict[str, Any] = {
        "schema": structs.SCHEMA,
        "version": structs.VERSION,
        "written": datetime.now(UTC).strftime("%Y-%m-%dT%H:%MZ"),
        "computed_by": {name: version(name) for name in COMPUTED_BY},
        "status": "research-software-not-a-medical-device",
        "subject": as_name(subject),
        "coil": coil,
        "head": head_record(head, facts.head) if head is not None else None,
        "remarks": plain(remarks),
    }
    if isinstance(study, Plan):
        record |= {"kind": "plan", "plan": plan_record(study, facts.head, facts.plans.get("plan"))}
    else:
        record |= {"kind": "study"} | _study_record(study, facts)
    try:
        return msgspec.convert(record, structs.PlanFile | structs.StudyFile)
    except msgspec.ValidationError as error:
        raise InputError(f"This plan cannot be written to plan.json: {error}.") from None


def _study_record(study: Study, facts: Facts) -> dict[str, Any]:
    plans = {role: getattr(study, role) for role in ROLES}
    return {
        "preset": preset_record(study.preset),
        "answers": plain(study.answers),
        "affected": study.affected,
        "thresholds": plain(study.thresholds),
        "lesion": plain(study.lesion),
        "plans": {
            role: plan_record(plan, facts.head, facts.plans.get(role)) if plan is not None else None
            for role, plan in plans.items()
        },
        "why": {role: plain(study.why.get(role)) for role in ROLES},
        "doses": {role: plain(study.doses.get(role)) for role in ROLES},
        "findings": plain(study.findings),
    }


def plain(value: Any) -> Any:
    """A noun or value as what records are made from; texts that are no name become one, unless they cite a source."""
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    if isinstance(value, Finding):
        return {"code": value.code, "level": value.level, "values": dict(value.values)}
    if is_dataclass(value):
        return {entry.name: plain(getattr(value, entry.name)) for entry in fields(value)}
    if isinstance(value, Mapping):
        return {as_name(key): plain(entry) for key, entry in value.items()}
    if isinstance(value, tuple | list):
        return [plain(entry) for entry in value]
    return text_of(value) if isinstance(value, str) else value


def text_of(text: str) -> str:
    """A text as a record holds it: itself where it cites a source, else a name; empty stays empty."""
    return text if not text or cites(text) else as_name(text)


def cites(text: str) -> bool:
    """Whether a text bears a trust mark."""
    return any(f"[{mark}" in text for mark in ("src", "lit", "calc"))


def preset_record(preset: Preset) -> dict[str, Any]:
    """Its name, numbers and citations."""
    cited = {name: getattr(preset, name) for name in _CITED}
    record = plain(preset) | {name: text if cites(text) else None for name, text in cited.items()}
    del record["title"]
    return record


def plan_record(plan: Plan, head: HeadFacts, facts: PlanFacts | None) -> dict[str, Any]:
    """One plan; ``facts`` are what is told of its field."""
    given = {
        "target": plain(plan.target) | {"recipe": _recipe(plan.target)},
        "ranking": [_candidate_record(candidate, plan.coil, head) for candidate in plan.ranking],
        "rules": [_posed(rule) for rule in plan.rules],
        "field": None if facts is None else {
            "threshold": facts.strongest.threshold,
            "hot_spot": facts.strongest.hot_spot.tolist(),
            "solve": plain(facts.solve),
        },
    }  # fmt: skip
    names = [name for name in structs.PlanRecord.__struct_fields__ if name not in given]
    return given | {name: plain(getattr(plan, name)) for name in names}


def _posed(noun: Candidate | RuleOfThumb) -> dict[str, Any]:
    """A noun with its pose in place of its placement."""
    record = {entry.name: plain(getattr(noun, entry.name)) for entry in fields(noun) if entry.name != "placement"}
    return record | {"head_from_coil": noun.placement.head_from_coil.tolist()}


def _candidate_record(candidate: Candidate, coil: Coil | None, head: HeadFacts) -> dict[str, Any]:
    placement, mni = candidate.placement, head.mni(candidate.placement.center)
    return _posed(candidate) | {
        "center_mni": mni.tolist() if mni is not None else None,
        "handle_direction": placement.handle_direction.tolist(),
        "initial_e_direction": placement.initial_e_direction(coil).tolist() if coil is not None else None,
    }


def _recipe(target: Target) -> dict[str, Any]:
    """How the target would be aimed at again."""
    known = any(site.name == target.name for site in SITES)
    site, side = target.name if known else None, target.side
    if target.parts is not None or target.source == "given mask":
        return {"kind": "elements", "site": site, "side": side, "place": None, "radius": target.radius}
    if known and side is not None and target.seed_mni is not None:
        return {"kind": "site", "site": site, "side": side, "place": plain(target.seed_mni), "radius": target.radius}
    kind, place = ("mni", target.seed_mni) if target.seed_mni is not None else ("head", target.center)
    return {"kind": kind, "site": None, "side": side, "place": plain(place), "radius": target.radius}


def head_record(head: HeadModel, facts: HeadFacts) -> dict[str, Any]:
    """A head in figures, with its digests and 10-10 positions."""
    mapping = head.mapping
    return plain(facts.figures) | {
        "digest": head_digest(head),
        "axes": facts.axes.tolist(),
        "landmarks": {name: place.tolist() for name, place in facts.landmarks.items()},
        "mni_from_head": mapping.mni_from_head.tolist() if mapping is not None else None,
        "refinement": plain(head.refinement) if head.refinement is not None else None,
        "signed_off": asdict(head.sign_off) if head.sign_off is not None else None,  # a person's name stays whole
    }


def head_digest(head: HeadModel) -> dict[str, str | None]:
    """SHA-256 of a head in parts: what is different in another one can be named."""
    mapping = head.mapping
    return {
        "mesh": head.mesh.digest,
        "tags": fingerprint(np.asarray(head.mesh.tags, dtype=np.int64)),
        "conductivity": fingerprint(head.conductivity),
        "mapping": fingerprint(mapping.mni_from_head, getattr(mapping, "displacement", None)) if mapping else None,
    }


def study_from(record: structs.PlanFile | structs.StudyFile, coil: Coil | None) -> Study | Plan:
    """The study or plan of a record, without head, fields and responses.

    Raises
    ------
    InputError
        If a value is one that its noun refuses, or lists that belong together differ in length.
    """
    if isinstance(record, structs.PlanFile):
        return plan_from(record.plan, coil)
    plans = {role: getattr(record.plans, role) for role in ROLES}
    doses = {role: getattr(record.doses, role) for role in ROLES}
    why = {role: getattr(record.why, role) for role in ROLES}
    answers, thresholds = noun_from(record.answers), tuple(noun_from(each) for each in record.thresholds)
    return Study(
        preset=preset_from(record.preset, answers, thresholds),
        coil=coil,
        head=None,
        lesion=noun_from(record.lesion) if record.lesion is not None else None,
        answers=answers,
        affected=record.affected,
        thresholds=thresholds,
        why={role: noun_from(finding) for role, finding in why.items() if finding is not None},
        doses={role: noun_from(dose) for role, dose in doses.items() if dose is not None},
        findings=tuple(noun_from(finding) for finding in record.findings),
        **{role: plan_from(plan, coil) if plan is not None else None for role, plan in plans.items()},  # type: ignore[arg-type]
    )


def noun_from(record: record_words.Record, **given: Any) -> Any:
    """The noun of a record, field by field, but for those that are given."""
    kind = NOUNS[type(record)]
    hints = get_type_hints(kind)
    names = [entry.name for entry in fields(kind) if entry.init and entry.name not in given]
    return kind(**{name: _value(getattr(record, name), hints[name]) for name in names}, **given)


def _value(value: Any, hint: Any) -> Any:
    if hint in _ARRAYS and value is not None:
        return read_only(np.array(value), _ARRAYS[hint])
    if isinstance(value, record_words.Record):
        return noun_from(value)
    if isinstance(value, tuple):
        return tuple(_value(entry, None) for entry in value)
    return value


def preset_from(
    record: structs.PresetRecord, answers: Answers | None = None, thresholds: tuple[Threshold, ...] = ()
) -> Preset:
    """The preset of a record; what it does not hold is as the programme of its name, or the answers typed, say here."""
    here = next((preset for preset in PRESETS if preset.name == record.name), None)
    if record.side == "given" and record.sites:
        here = by_hand(record.sites[0], record.coil)
    if here is not None and answers is not None:
        here = typed(here, answers, thresholds)
    cited = {name: getattr(record, name) for name in _CITED}
    words = {name: text or (getattr(here, name) if here else "") for name, text in cited.items()}
    side = "not dominant" if record.side == "not-dominant" else record.side
    return noun_from(record, title=here.title if here else record.name, side=side, **words)


def plan_from(record: structs.PlanRecord, coil: Coil | None) -> Plan:
    """The plan of a record, without field and response."""
    target, report = record.target, record.report
    for name, found, wanted in (
        ("target.weights", len(target.weights), len(target.elements)),
        ("strengths", len(record.strengths), report.placements),
        ("centers", len(record.centers), report.placements),
    ):
        if found != wanted:
            raise InputError(f"{name} must have {wanted} entries; instead it has {found}.")
    return noun_from(
        record,
        coil=coil, field=None, response=None, followed=None,
        target=noun_from(target, source=_GIVEN.get(target.source, target.source)),
        ranking=tuple(noun_from(each, placement=Placement(np.array(each.head_from_coil))) for each in record.ranking),
        rules=tuple(noun_from(each, placement=Placement(np.array(each.head_from_coil))) for each in record.rules),
        centers=read_only(np.array(record.centers, dtype=np.float64).reshape(-1, 3)),
    )  # fmt: skip


def facts_from(record: structs.PlanFile | structs.StudyFile, view: Mapping[str, Any] | None) -> Facts:
    """What is told of the head and the fields; surfaces and the map to MNI152 come from the view."""
    if isinstance(record, structs.PlanFile):
        plans = {"plan": record.plan}
    else:
        plans = {role: made for role in ROLES if (made := getattr(record.plans, role)) is not None}
    told = {
        role: PlanFacts(
            Strongest(made.field.threshold, read_only(np.array(made.field.hot_spot))), noun_from(made.field.solve)
        )
        for role, made in plans.items()
        if made.field is not None
    }
    head = record.head
    if head is None:
        return Facts(HeadFacts.of(None), told)
    figures = HeadFigures(
        head.name, head.nodes, head.tetrahedra, head.mapping, tuple(map(noun_from, head.tissues)), head.provenance,
        None if head.signed_off is None else noun_from(head.signed_off),
    )  # fmt: skip
    to_mni = mni_map(view["mni"]) if view is not None and view["mni"] is not None else None
    scalp = unpacked_surface(view["scalp"]) if view is not None else None
    places = {name: read_only(np.array(place)) for name, place in head.landmarks.items()}
    why = "" if places else "they cannot be laid out on this head"
    return Facts(HeadFacts(read_only(np.array(head.axes)), places, why, scalp, to_mni, figures), told)
