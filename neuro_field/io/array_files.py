"""Arrays as .npz files that hold nothing but arrays, as large as the file says."""

import tokenize
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from neuro_field.arrays import AnyArray, sealed
from neuro_field.errors import FileFormatError
from neuro_field.io.atomic import new_file

#: What zipfile, zlib and numpy's reader of headers, which are Python's literals, raise on what is none.
UNREADABLE = (
    OSError, ValueError, EOFError, TypeError, KeyError, SyntaxError, RuntimeError, MemoryError, OverflowError,
    zipfile.BadZipFile, zlib.error, tokenize.TokenError,
)  # fmt: skip


def write_arrays(path: Path, arrays: Mapping[str, AnyArray]) -> None:
    """Write arrays, not compressed; the file appears whole or not at all."""
    with new_file(path) as beside, beside.open("wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]


def read_arrays(path: Path, largest: int) -> dict[str, AnyArray]:
    """The arrays of a file of at most ``largest`` bytes.

    Raises
    ------
    FileFormatError
        If it is missing, larger, packed, damaged, or holds other things than arrays; the message ends without a stop.
    """
    if not path.is_file():
        raise FileFormatError(f"{path} is missing")
    size = path.stat().st_size
    try:
        with zipfile.ZipFile(path) as members:
            unpacked = sum(member.file_size for member in members.infolist())
        if size > largest or unpacked > size:
            raise FileFormatError(f"{path} is not what was written there")
        with np.load(path, allow_pickle=False) as found:
            return {name: found[name] for name in found.files}
    except UNREADABLE as error:
        reason = str(error).splitlines()[0][:120] if str(error) else type(error).__name__
        raise FileFormatError(f"{path}: {reason}") from None


def array_of(arrays: Mapping[str, AnyArray], name: str, where: str, dtype: type, *shape: int | None) -> AnyArray:
    """One of the arrays, read-only, of a type and a shape, None for any length; its numbers are finite.

    Raises
    ------
    FileFormatError
        If it is missing or another one.
    """
    found = arrays.get(name)
    fits = found is not None and found.dtype == dtype and found.ndim == len(shape) and np.isfinite(found).all()
    if found is None or not fits or any(n not in (None, m) for n, m in zip(shape, found.shape, strict=True)):
        raise FileFormatError(f"{where}: the array {name!r} is missing or not as it was written")
    return sealed(found)
