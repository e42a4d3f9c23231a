"""What people know of every participant, from a table: read and checked before any work, one line a fault."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from neuro_field.clinic.answers import DEFAULTS
from neuro_field.clinic.case import Case, intake, of_use
from neuro_field.clinic.typed_threshold import threshold_of
from neuro_field.cohort.entities import Who
from neuro_field.cohort.inputs import FILES
from neuro_field.coil.coil import Coil
from neuro_field.errors import FileFormatError, InputError
from neuro_field.findings import Finding, Refusal

#: The data set's own table; a larger one, bytes, is none.
TABLE, LARGEST = "participants.tsv", 20_000_000

#: Columns that say who a row is of.
WHOSE = ("participant_id", "session_id")

#: Columns beside the answers of `clinic.answers.Answers`: thresholds as typed for ``neuro-field plan``, with ; between.
THRESHOLD, STIMULATOR, OPEN_SKULL, LARGE_LESION = "threshold", "stimulator", "open_skull", "large_lesion"

#: Every column that is read; a table may have others.
COLUMNS = (*DEFAULTS, THRESHOLD, STIMULATOR, OPEN_SKULL, LARGE_LESION, *FILES)

#: How tables say that nothing is known.
_NOTHING = ("", "n/a", "na", "nan")

#: Answers that are numbers, and those that are several words.
_NUMBERS = ("fma_ue", "rmt", "frequency", "pulses", "intensity", "train_seconds")
_SEVERAL = ("contraindications", "confirmed")


@dataclass(frozen=True)
class Fault:
    """What is wrong with one answer of one participant: a finding, or an error's own line."""

    where: str
    finding: Finding | None = None
    text: str = ""


@dataclass(frozen=True)
class Table:
    """Rows of answers by participant and session; a row without a session is of all of theirs."""

    name: str
    rows: Mapping[tuple[str, str], Mapping[str, str]]
    columns: tuple[str, ...]

    def row_of(self, who: Who) -> dict[str, str]:
        """The answers on one participant, those of the session over those of all; empty where there are none."""
        keys = ((who.participant, ""), (who.participant, who.session or ""))
        return {name: text for key in keys for name, text in self.rows.get(key, {}).items()}


def read_table(path: Path | None, dataset: Path) -> Table:
    """A table of answers: as given, else the data set's participants.tsv, else an empty one.

    Raises
    ------
    InputError
        If it does not exist, or says something twice.
    FileFormatError
        If it is no table, or has no participant_id.
    """
    found = path or dataset / TABLE
    if path is None and not found.is_file():
        return Table(TABLE, {}, ())
    if not found.is_file():
        raise InputError(f"The table of answers {found} does not exist.")
    if found.stat().st_size > LARGEST:
        raise FileFormatError(f"{found} is larger than {LARGEST / 1e6:.0f} MB.")
    try:
        text = found.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise FileFormatError(f"{found} is not UTF-8 text; save it as one.") from None
    lines = [line for line in csv.reader(io.StringIO(text), delimiter="\t", quoting=csv.QUOTE_NONE) if any(line)]
    if not lines or WHOSE[0] not in lines[0]:
        raise FileFormatError(f"{found} has no column {WHOSE[0]}, or is not separated by tabs.")
    columns = [each.strip() for each in lines[0]]
    rows: dict[tuple[str, str], dict[str, str]] = {}
    for number, line in enumerate(lines[1:], start=2):
        if len(line) != len(columns):
            raise FileFormatError(f"{found}, line {number}, has {len(line)} cells; {len(columns)} are needed.")
        cells = {name: cell.strip() for name, cell in zip(columns, line, strict=True)}
        key = tuple(cells.get(each, "").removeprefix(cut) for each, cut in zip(WHOSE, ("sub-", "ses-"), strict=True))
        key = tuple("" if part.lower() in _NOTHING else part for part in key)
        if (key[0], key[1]) in rows:
            raise InputError(f"{found}, line {number}: {' '.join(filter(None, key))} stands there twice.")
        told = {name: cells[name] for name in COLUMNS if name in cells and cells[name].lower() not in _NOTHING}
        rows[key[0], key[1]] = told
    return Table(found.name, rows, tuple(name for name in columns if name in COLUMNS))


def cases_of_row(row: Mapping[str, str], presets: Sequence[str], coils: Sequence[Coil]) -> tuple[Case, ...]:
    """The cases of one participant: every preset with every coil, or with its own.

    Answers that none of the presets has a use for are left out: a table is made for more than one of them.

    Raises
    ------
    Refusal, InputError
        As `clinic.case.intake` and `clinic.typed_threshold.threshold_of`.
    """
    given: dict[str, Any] = {name: _value(name, row[name]) for name in DEFAULTS if name in row}
    thresholds = [threshold_of(text) for text in row.get(THRESHOLD, "").split(";") if text.strip()]
    kept = of_use(presets, given)
    if "rmt" not in kept:
        kept.pop("mt_method", None)
    stimulator = row.get(STIMULATOR) if thresholds or "rmt" in kept else None
    return intake(presets, coils, kept, thresholds=thresholds, stimulator=stimulator)


def faults_of(table: Table, people: Sequence[Who], presets: Sequence[str], coils: Sequence[Coil]) -> list[Fault]:
    """All that is wrong with the answers on some people, each fault told once a participant."""
    out: dict[Fault, None] = {}
    for who in people:
        row = table.row_of(who)
        where = f"{table.name}, {who.label}"
        try:
            cases_of_row(row, presets, coils)
        except Refusal as refused:
            out |= {Fault(where, finding): None for finding in refused.findings}
        except InputError as error:
            out[Fault(where, text=str(error))] = None
        for name in (OPEN_SKULL, LARGE_LESION):
            try:
                yes_or_no(row, name)
            except InputError as error:
                out[Fault(where, text=str(error))] = None
    return list(out)


def yes_or_no(row: Mapping[str, str], name: str) -> bool | None:
    """An answer that is yes or no; None where there is none."""
    text = row.get(name)
    if text is not None and text.lower() not in ("yes", "no"):
        raise InputError(f"Column {name} must be yes or no; instead it holds {text!r:.40}.")
    return None if text is None else text.lower() == "yes"


def _value(name: str, text: str) -> Any:
    """A cell as the intake takes it; what is no number stays a text, and is refused there."""
    if name in _SEVERAL:
        return tuple(part.strip() for part in text.replace(",", ";").split(";") if part.strip())
    if name in _NUMBERS:
        try:
            return float(text)
        except ValueError:
            return text
    return text
