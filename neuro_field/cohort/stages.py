"""What of one participant is done already: a record beside each result, of what it was made from.

A result counts as done for the same key only, and while every file of it is there.  Files are written whole or not at
all, so that one that is there is whole.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from neuro_field.cohort.derivatives import keep_text
from neuro_field.io.json_text import record_in

SCHEMA, VERSION, LARGEST = "neuro_field/cohort-stage", 1, 1_000_000


def is_done(record: Path, key: str, out: Path) -> bool:
    """Whether a result was made from what the key tells, and is whole."""
    told = _told(record)
    return bool(told) and told.get("key") == key and all((out / name).is_file() for name in told["files"])


def _told(record: Path) -> dict[str, Any]:
    """What a record says; nothing where it is none of ours."""
    told = record_in(record, LARGEST)
    ours = (told.get("schema"), told.get("version")) == (SCHEMA, VERSION)
    names = told.get("files") if ours else None
    return told if isinstance(names, list) and all(isinstance(name, str) for name in names) else {}


def mark_done(record: Path, key: str, files: Iterable[str]) -> None:
    """Say that a result is whole: its files, relative to the output."""
    told = {"schema": SCHEMA, "version": VERSION, "key": key, "files": sorted(files)}
    keep_text(record, json.dumps(told, indent=1) + "\n")


def discard(record: Path, out: Path) -> None:
    """Remove a result that is out of date: the files its record names, and the record."""
    for name in _told(record).get("files", ()):
        path = out / name
        if path.parent.resolve().is_relative_to(out.resolve()):  # a record is a file from outside as any other
            path.unlink(missing_ok=True)
    record.unlink(missing_ok=True)


def files_in(folder: Path, out: Path) -> list[str]:
    """Every file of a folder, relative to the output."""
    return [path.relative_to(out).as_posix() for path in sorted(folder.rglob("*")) if path.is_file()]
