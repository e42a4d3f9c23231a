"""What of one participant is done already: a record beside each result, of what it was made from.

A result counts as done for the same key only, and while every file of it is there as long as it was.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from neuro_field.cohort.derivatives import write_text

SCHEMA, VERSION, LARGEST = "neuro_field/cohort-stage", 1, 1_000_000


def is_done(record: Path, key: str, out: Path) -> bool:
    """Whether a result was made from what the key tells, and is whole."""
    told = _told(record)
    try:
        return told.get("key") == key and all(
            (out / name).stat().st_size == size for name, size in told["files"].items()
        )
    except (OSError, KeyError, TypeError):
        return False


def _told(record: Path) -> dict[str, Any]:
    """What a record says; nothing where it is none of ours."""
    try:
        if record.stat().st_size > LARGEST:
            return {}
        told = json.loads(record.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    ours = isinstance(told, dict) and (told.get("schema"), told.get("version")) == (SCHEMA, VERSION)
    return told if ours and isinstance(told.get("files"), dict) else {}


def mark_done(record: Path, key: str, out: Path, files: Iterable[str]) -> None:
    """Say that a result is whole: its files, relative to the output."""
    sizes = {name: (out / name).stat().st_size for name in sorted(files)}
    told = {"schema": SCHEMA, "version": VERSION, "key": key, "files": sizes}
    write_text(record, json.dumps(told, indent=1) + "\n")


def discard(record: Path, out: Path) -> None:
    """Remove a result that is out of date: the files its record names, and the record."""
    for name in _told(record).get("files", {}):
        path = out / name
        if path.parent.resolve().is_relative_to(out.resolve()):  # a record is a file from outside as any other
            path.unlink(missing_ok=True)
    record.unlink(missing_ok=True)


def files_in(folder: Path, out: Path) -> list[str]:
    """Every file of a folder, relative to the output."""
    return [path.relative_to(out).as_posix() for path in sorted(folder.rglob("*")) if path.is_file()]
