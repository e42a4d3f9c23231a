"""The JSON schema of plan.json, made from the nouns that are written there; published as plan.schema.json beside this.

To write it anew after a noun has changed:
``python -m neuro_field.store.plan_schema > neuro_field/store/plan.schema.json``.
"""

import json
from collections.abc import Mapping
from dataclasses import fields
from typing import Any, get_type_hints

from neuro_field.arrays import FloatArray
from neuro_field.clinic.answers import Answers
from neuro_field.clinic.dose import Dose
from neuro_field.clinic.presets import Preset
from neuro_field.clinic.study import ROLES
from neuro_field.field.error import NumericalError
from neuro_field.findings import LEVELS, Finding
from neuro_field.search.metrics import Metrics
from neuro_field.search.plan import PlanReport
from neuro_field.search.sensitivity import Sensitivity
from neuro_field.search.stability import Stability
from neuro_field.store.plan_records import SCHEMA, VERSION

_NUMBER, _TEXT = {"type": "number"}, {"type": "string"}
_NUMBERS = {"type": "object", "additionalProperties": _NUMBER}


def _list(of: dict[str, Any], length: int | None = None) -> dict[str, Any]:
    return {"type": "array", "items": of} | ({} if length is None else {"minItems": length, "maxItems": length})


def _or_null(of: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [of, {"type": "null"}]}


_OF_TYPE: dict[Any, dict[str, Any]] = {
    float: _NUMBER,
    float | None: _or_null(_NUMBER),
    int: {"type": "integer", "minimum": 0},
    bool: {"type": "boolean"},
    str: _TEXT,
    str | None: _or_null(_TEXT),
    tuple[str, ...]: _list(_TEXT),
    tuple[float, ...]: _list(_NUMBER),
    tuple[float, float, float]: _list(_NUMBER, 3),
    tuple[tuple[float, ...], ...]: _list(_list(_NUMBER)),
    tuple[tuple[float, float | None], ...]: _list(_list(_or_null(_NUMBER), 2)),
    dict[str, float]: _NUMBERS,
    Mapping[str, float]: _NUMBERS,
    FloatArray: _list(_NUMBER),
    tuple[Finding, ...]: _list({
        "type": "object", "required": ["code", "level", "values"],
        "properties": {"code": _TEXT, "level": {"enum": list(LEVELS)}, "values": {"type": "object"}},
    }),
}  # fmt: skip

_VECTOR = _list(_NUMBER, 3)
_POSE = _list(_list(_NUMBER, 4), 4)


def _object(properties: dict[str, Any], **more: Any) -> dict[str, Any]:
    """An object that has all of these, and may have others."""
    return {"type": "object", "required": list(properties), "properties": properties, **more}


def _noun(kind: type) -> dict[str, Any]:
    hints = get_type_hints(kind)
    return _object({entry.name: _OF_TYPE[hints[entry.name]] for entry in fields(kind)})  # type: ignore[arg-type]


_FINDING = _object({"code": _TEXT, "level": _TEXT, "values": {"type": "object"}})


def plan_schema() -> dict[str, Any]:
    """The schema (JSON Schema 2020-12) of version `VERSION` of plan.json; lengths mm, fields V/m at 1 A/us."""
    candidate = _object({
        "strength": _NUMBER, "verified": _NUMBER, "magnitude": _NUMBER, "filled": _or_null(_NUMBER),
        "angle": _NUMBER, "lift": {"type": "number", "minimum": 0},
        "metrics": _noun(Metrics), "sensitivity": _noun(Sensitivity), "head_from_coil": _POSE,
        "center_mni": _or_null(_VECTOR), "handle_direction": _VECTOR, "initial_e_direction": _or_null(_VECTOR),
    })  # fmt: skip
    target = _object({
        "name": _TEXT, "center": _VECTOR, "radius": _NUMBER, "elements": _list({"type": "integer", "minimum": 0}),
        "weights": _list(_NUMBER), "direction": _or_null(_VECTOR), "either_way": {"type": "boolean"},
        "side": _or_null(_TEXT), "seed": _or_null(_VECTOR), "seed_mni": _or_null(_VECTOR), "moved": _NUMBER,
        "viable_share": _NUMBER, "source": _TEXT, "findings": _list(_FINDING), "mesh": _TEXT,
        "axis_source": _or_null(_TEXT), "axis_offset": _or_null(_NUMBER),
        "parts": _or_null(_list({"type": "integer", "minimum": 0})),
        "part_centers": _or_null(_list(_VECTOR)), "part_names": _list(_TEXT),
    })  # fmt: skip
    plan = _object({
        "target": target, "ranking": _list(candidate) | {"minItems": 1},
        "rules": _list(_object({
            "code": _TEXT, "values": {"type": "object"}, "strength": _NUMBER, "head_from_coil": _POSE,
        })),
        "stability": _or_null(_noun(Stability)), "report": _noun(PlanReport),
        "numerical_error": _or_null(_noun(NumericalError)), "strengths": _list(_NUMBER), "centers": _list(_VECTOR),
    })  # fmt: skip
    lesion = _object({
        "volume_cm3": _NUMBER, "centroid": _VECTOR, "centroid_mni": _or_null(_VECTOR), "side": _or_null(_TEXT),
        "tissues_cm3": _NUMBERS, "left_cm3": _or_null(_NUMBER), "right_cm3": _or_null(_NUMBER),
        "infratentorial_cm3": _or_null(_NUMBER),
    })  # fmt: skip
    coil = _object({
        "name": _TEXT, "shelf": _or_null(_TEXT), "source": _TEXT, "citation": _TEXT, "didt_max": _or_null(_NUMBER),
        "initial_e_direction": _VECTOR,
    })  # fmt: skip
    head = _object({
        "name": _TEXT, "nodes": {"type": "integer"}, "tetrahedra": {"type": "integer"},
        "mni_from_head": _or_null(_POSE), "mapping": _or_null(_TEXT),
    })  # fmt: skip
    every = {
        "schema": {"const": SCHEMA}, "version": {"const": VERSION}, "frame": _TEXT, "strengths": _TEXT,
        "coil": _or_null(coil), "head": _or_null(head), "written": _TEXT, "neuro_field": _TEXT, "disclaimer": _TEXT,
    }  # fmt: skip
    study = {
        "kind": {"const": "study"}, "preset": _noun(Preset), "answers": _noun(Answers), "lesion": _or_null(lesion),
        "plans": _object({role: _or_null({"$ref": "#/$defs/plan"}) for role in ROLES}),
        "why": {"type": "object", "additionalProperties": _TEXT},
        "doses": {"type": "object", "additionalProperties": _noun(Dose)},
        "warnings": _list(_TEXT), "notes": _list(_TEXT),
    }  # fmt: skip
    alone = {"kind": {"const": "plan"}, "plan": {"$ref": "#/$defs/plan"}}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "neuro_field plan",
        "description": "plan.json of a neuro_field plan folder: mm in the head frame (world RAS of the T1); fields in "
        "V/m at 1 A/us. Research software, not a medical device.",
        **_object(every, oneOf=[_object(study), _object(alone)]),
        "$defs": {"plan": plan},
    }


if __name__ == "__main__":
    print(json.dumps(plan_schema(), indent=1))
