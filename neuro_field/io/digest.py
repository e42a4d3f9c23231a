"""SHA-256 of files and of nouns, by which a record tells later which ones were meant."""

import hashlib
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np


def digest(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def digests(paths: Mapping[str, Path]) -> dict[str, dict[str, str]]:
    """What a head's provenance says of the files it was made from, by what they are."""
    return {what: {"sha256": digest(path)} for what, path in paths.items()}


def fingerprint(*values: Any) -> str:
    """SHA-256 of what values say: numbers, texts, arrays, and nouns of them, but for what is told in reports only."""
    state = hashlib.sha256()
    _add(state, values)
    return state.hexdigest()


def _add(state: Any, value: Any) -> None:
    if isinstance(value, np.ndarray):
        state.update(f"array {value.dtype.str} {value.shape}".encode())
        state.update(np.ascontiguousarray(value).data)
    elif isinstance(value, np.generic):
        _add(state, value.item())
    elif is_dataclass(value):
        state.update(type(value).__name__.encode())
        _add(state, {entry.name: getattr(value, entry.name) for entry in fields(value) if entry.name != "provenance"})
    elif isinstance(value, Mapping):
        state.update(f"mapping {len(value)}".encode())
        for key in value:
            _add(state, key)
            _add(state, value[key])
    elif isinstance(value, tuple | list):
        state.update(f"list {len(value)}".encode())
        for entry in value:
            _add(state, entry)
    elif value is None or isinstance(value, str | bool | int | float):
        text = repr(value)
        state.update(f"{type(value).__name__} {len(text)} {text}".encode())
    else:
        raise TypeError(f"No fingerprint is known of {value!r:.80}.")
