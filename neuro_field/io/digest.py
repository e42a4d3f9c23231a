"""SHA-256 of files, by which a record tells later which ones were meant."""

import hashlib
from collections.abc import Mapping
from pathlib import Path


def digest(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def digests(paths: Mapping[str, Path]) -> dict[str, dict[str, str]]:
    """What a head's provenance says of the files it was made from, by what they are."""
    return {what: {"sha256": digest(path)} for what, path in paths.items()}
