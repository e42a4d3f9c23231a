"""The JSON schema of plan.json, made from its records; published as plan.schema.json beside this.

To write it anew after a record has changed:
``python -m neuro_field.store.plan_schema > neuro_field/store/plan.schema.json``.
"""

import json
from inspect import cleandoc
from typing import Any

import msgspec

from neuro_field.store.plan_structs import VERSION, PlanFile, StudyFile


def plan_schema() -> dict[str, Any]:
    """The schema (JSON Schema 2020-12) of plan.json; lengths mm, fields V/m at 1 A/us."""
    made = msgspec.json.schema(PlanFile | StudyFile)
    for record in made["$defs"].values():  # Python 3.13 takes the margin out of docstrings, earlier ones leave it
        if "description" in record:
            record["description"] = cleandoc(record["description"])
    made = msgspec.json.decode(msgspec.json.encode(made))  # defaults that are tuples are lists in a file
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "neuro_field plan",
        "description": f"plan.json, version {VERSION}, of a neuro_field plan folder: mm in the head frame (world RAS "
        "of the T1); head_from_coil: +z into the head, +y away from the handle; fields in V/m at 1 A/us. Research "
        "software, not a medical device.",
        **made,
    }


if __name__ == "__main__":
    print(json.dumps(plan_schema(), indent=1))
