"""All that a page or a card is made from: what a plan's folder holds, with neither head nor field."""

from collections.abc import Mapping
from dataclasses import field
from typing import Any

from neuro_field.clinic.study import Study
from neuro_field.findings import Finding
from neuro_field.nouns import noun
from neuro_field.report.facts import Facts
from neuro_field.search.plan import Plan


@noun
class Kept:
    """All that a page is made from: what a plan's folder holds, with neither head nor field.

    Parameters
    ----------
    study : Study or Plan
    facts : Facts
        What is told of the head and of the fields.
    view : mapping, optional
        What can be turned, as `interactive.view_of` made it; None where there was no field to show.
    pictures : mapping of str to bytes
        PNG, as `study_pictures` made them.
    remarks : tuple of Finding
        What has to be said of the folder itself, such as why there are no pictures.
    old_words : tuple of str
        English sentences that a plan of version 2 holds, shown as they are.
    written : str
        Date and time, UTC.
    digest : str
        SHA-256 of plan.json.
    subject : str
        Label of the patient, no name.
    computed_by : str
        Version of neuro_field that computed it.
    head_digest : mapping of str to str or None
        SHA-256 of the head in parts, "mesh" before any refinement; empty where none is kept.
    """

    study: Study | Plan
    facts: Facts
    view: Mapping[str, Any] | None = None
    pictures: Mapping[str, bytes] = field(default_factory=dict)
    remarks: tuple[Finding, ...] = ()
    old_words: tuple[str, ...] = ()
    written: str = ""
    digest: str = ""
    subject: str = ""
    computed_by: str = ""
    head_digest: Mapping[str, str | None] = field(default_factory=dict)
