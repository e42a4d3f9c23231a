"""How much memory an image may take, told from its header before a voxel is read; and in which numbers it is kept."""

import gzip
import struct
import zlib
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from neuro_field.arrays import AnyArray
from neuro_field.errors import FileFormatError, InputError

#: A whole head has fewer at 0.4 mm: more mean damage, or an image this package has no use for.
MOST_VOXELS = 270_000_000

#: Of an image once it is read and scaled; reading it takes as much again for a moment.
MOST_BYTES = 1_100_000_000

#: Before the voxels of a NIfTI: its header and what programs add to it.
MOST_HEADER = 16_000_000

#: Deflate packs no more bytes than this into one.
_TIGHTEST = 1032

#: Bytes of a number by the type numbers of .mgh.
_MGH_BYTES = {0: 1, 1: 4, 3: 4, 4: 2}

#: What NIfTI does not know, or its readers do not, and what is kept instead.
_WIDE = {"?": np.uint8, "e": np.float32, "g": np.float64}


def checked_start(path: Path) -> None:
    """Refuse a file whose beginning claims so much that reading its header alone would fill the memory.

    Raises
    ------
    FileFormatError
        If what stands before its voxels, or all of them, would be larger than any image.
    """
    packed = path.name.lower().endswith((".gz", ".mgz"))
    try:
        with gzip.open(path, "rb") if packed else path.open("rb") as file:
            if path.name.lower().endswith((".mgz", ".mgh")):
                _check_mgh(file.read(32), path)  # type: ignore[arg-type]
            else:
                _check_nifti(file, path)  # type: ignore[arg-type]
    except (OSError, EOFError, zlib.error, struct.error):
        return  # whoever reads it as an image says what is wrong


def _check_mgh(start: bytes, path: Path) -> None:
    *shape, kind = struct.unpack(">5i", start[4:24])
    claimed = np.prod([float(size) for size in shape]) * _MGH_BYTES.get(kind, 1)
    if not 0 <= claimed <= MOST_BYTES:
        raise _claims(path, tuple(shape))


def _check_nifti(file: BinaryIO, path: Path) -> None:
    start = file.read(4)
    order = {348: "<", 540: "<"}.get(int.from_bytes(start, "little"), ">")
    size = struct.unpack(f"{order}i", start)[0]
    if size not in (348, 540):
        return
    header = start + file.read(size - 4)
    form, place = ("f", 108) if size == 348 else ("q", 168)
    voxels = struct.unpack_from(order + form, header, place)[0]
    if not voxels <= MOST_HEADER:
        raise FileFormatError(f"The image {path} is damaged: its voxels would begin at {voxels:.0f} bytes.")
    added, left = file.read(4)[:1] not in (b"", b"\0"), voxels - size - 4
    while added and left >= 16:
        length = struct.unpack(f"{order}i", file.read(8)[:4])[0]
        if not 8 <= length <= left:
            raise FileFormatError(f"The image {path} is damaged: an addition to its header claims {length} bytes.")
        file.read(length - 8)
        left -= length


def checked_room(image: Any, path: Path, numbers: int) -> None:
    """Refuse an image of so many numbers that does not fit into memory, or claims more than its file can hold.

    Raises
    ------
    InputError
        If it holds no real numbers, or is too large.
    FileFormatError
        If its file is too short for it.
    """
    kind = image.get_data_dtype()
    if kind.kind not in "biuf":
        raise InputError(f"The image {path} must hold real numbers; instead it holds {kind}.")
    checked_claim(path, numbers * kind.itemsize)
    needed = numbers * max(kind.itemsize, _kept(image, kind).itemsize)
    if needed > MOST_BYTES:
        raise InputError(
            f"The image {path} would take {needed / 1e9:.1f} GB of memory; at most {MOST_BYTES / 1e9:.1f} GB are read: "
            "resample it more coarsely, or store it in smaller numbers."
        )


def checked_claim(path: Path, claimed: int) -> None:
    """Refuse an image whose header claims more bytes than its file can hold; raises FileFormatError."""
    packed = path.name.lower().endswith((".gz", ".mgz"))
    if claimed > path.stat().st_size * (_TIGHTEST if packed else 1):
        raise FileFormatError(
            f"The image {path} is truncated or damaged: its header claims {claimed / 1e6:.3g} MB, more than its file "
            "can hold."
        )


def _claims(path: Path, shape: tuple[int, ...]) -> FileFormatError:
    return FileFormatError(f"The header of {path} claims {shape} voxels, over {MOST_VOXELS}; it is damaged.")


def checked_count(path: Path, shape: tuple[int, ...]) -> None:
    """Refuse more voxels than a head has."""
    if np.prod(shape, dtype=float) > MOST_VOXELS:
        raise _claims(path, shape)


def _scaling(image: Any) -> tuple[float, float]:
    return float(getattr(image.dataobj, "slope", 1.0)), float(getattr(image.dataobj, "inter", 0.0))


def _kept(image: Any, stored: np.dtype) -> np.dtype:
    """The type that the numbers of an image get: single precision where they are scaled, else as they are stored."""
    if _scaling(image) == (1.0, 0.0):
        return stored.newbyteorder("=")
    return np.dtype(np.float64 if stored.kind == "f" and stored.itemsize > 4 else np.float32)


def scaled(image: Any, shape: tuple[int, ...]) -> AnyArray:
    """The numbers of an image in a shape, as one array in the machine's order beside the stored ones."""
    stored = np.asanyarray(image.dataobj.get_unscaled()).reshape(shape)
    out = np.empty(shape, _kept(image, stored.dtype))
    slope, inter = _scaling(image)
    if (slope, inter) == (1.0, 0.0):
        out[...] = stored
        return out
    with np.errstate(over="ignore", invalid="ignore"):  # what is not finite is refused by who reads it
        np.multiply(stored, out.dtype.type(slope), out=out, casting="same_kind")
        out += out.dtype.type(inter)
    return out


def storable(values: AnyArray) -> AnyArray:
    """Numbers in a type that every reader of NIfTI knows: 64-bit whole ones in 32 bits, or as reals where too large."""
    values = np.asarray(values)
    if values.dtype.char in _WIDE:
        return values.astype(_WIDE[values.dtype.char])
    if values.dtype.kind not in "iu" or values.dtype.itemsize < 8:
        return values
    low, high = (int(values.min()), int(values.max())) if values.size else (0, 0)
    fits = np.iinfo(np.int32).min <= low and high <= np.iinfo(np.int32).max
    return values.astype(np.int32 if fits else np.float64)
