"""JSON of other people: what it may hold is counted before it is read, for an item takes many times its text."""

import json
from pathlib import Path
from typing import Any

from neuro_field.errors import FileFormatError

#: Numbers, names, lists and objects in one text; each takes about 80 bytes once it is read.
MOST_ITEMS = 12_000_000


def parsed(text: str) -> Any:
    """What a JSON text holds.

    Raises
    ------
    FileFormatError
        If it is none, nests too deeply or holds more than `MOST_ITEMS`; the message does not name the file.

    Examples
    --------
    >>> parsed('{"coils": [1, 2]}')
    {'coils': [1, 2]}
    """
    items = sum(text.count(mark) for mark in ",:[{")
    if items > MOST_ITEMS:
        raise FileFormatError(f"it holds {items / 1e6:.0f} million items; at most {MOST_ITEMS / 1e6:.0f} are read")
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:  # also numbers of thousands of digits
        raise FileFormatError(" ".join(str(error).split())[:100]) from None


def record_in(path: Path, largest: int) -> dict[str, Any]:
    """The object in a file; empty where there is no file, it is longer than so many bytes, damaged or no object."""
    try:
        if path.stat().st_size > largest:
            return {}
        told = parsed(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, FileFormatError):
        return {}
    return told if isinstance(told, dict) else {}
