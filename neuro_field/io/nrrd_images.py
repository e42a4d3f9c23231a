"""NRRD images of masks (.nrrd, .nhdr; .seg.nrrd of 3D Slicer): voxels in world RAS, and segments with names.

The header is pynrrd's to parse; voxels are unpacked here, never more of them than the header tells.
"""

import bz2
import re
import sys
import zlib
from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import Any

import numpy as np

from neuro_field.arrays import FARTHEST, AnyArray, FloatArray, read_only
from neuro_field.errors import FileFormatError, InputError
from neuro_field.mri.drawn_lesion import CAVITY, kind_of_name
from neuro_field.nouns import noun

SUFFIXES = (".nrrd", ".nhdr")

#: A longer header than this, bytes, is none.
_LONGEST_HEADER = 4_000_000

#: More bytes of voxels than this are damage, or no mask.
MOST_BYTES = 4 * 1024**3

#: Packed bytes read at a time.
_BLOCK = 1 << 20

#: Signs that bring the axes of a space to right, anterior, superior.
_SPACES = {
    "right-anterior-superior": (1, 1, 1),
    "ras": (1, 1, 1),
    "left-anterior-superior": (-1, 1, 1),
    "las": (-1, 1, 1),
    "left-posterior-superior": (-1, -1, 1),
    "lps": (-1, -1, 1),
}

#: NumPy's names of the types that NRRD knows under several.
_TYPES = {
    **dict.fromkeys(("signed char", "int8", "int8_t"), "i1"),
    **dict.fromkeys(("uchar", "unsigned char", "uint8", "uint8_t"), "u1"),
    **dict.fromkeys(("short", "short int", "signed short", "signed short int", "int16", "int16_t"), "i2"),
    **dict.fromkeys(("ushort", "unsigned short", "unsigned short int", "uint16", "uint16_t"), "u2"),
    **dict.fromkeys(("int", "signed int", "int32", "int32_t"), "i4"),
    **dict.fromkeys(("uint", "unsigned int", "uint32", "uint32_t"), "u4"),
    "float": "f4",
    "double": "f8",
}


@noun
class NrrdImage:
    """``values`` (i, j, k); ``affine`` (4, 4) voxel index to world mm, RAS; ``names`` of segments by their number."""

    values: AnyArray
    affine: FloatArray
    names: Mapping[int, str] = field(default_factory=dict)


def read_nrrd(path: Path) -> NrrdImage:
    """An image from a NRRD file.

    Segments that overlap come as layers; where they do, a cavity goes before an acute lesion, that before a rim.

    Raises
    ------
    InputError
        If it does not say where it lies, is not three-dimensional, or its voxels lie elsewhere than beside it.
    FileFormatError
        If it is damaged or truncated.
    """
    header, start = _header(path)
    shape = _shape(header, path)
    affine = _affine(header, len(shape), path)
    values = _voxels(header, start, shape, path)
    segments = _segments(header)
    if len(shape) == 3 and not segments:
        return NrrdImage(read_only(values), affine)
    layers = values if len(shape) == 4 else values[None]
    flat, names = _flattened(layers, segments, path)
    return NrrdImage(read_only(flat), affine, names)


def _header(path: Path) -> tuple[dict[str, Any], int]:
    """The header, and where in the file voxels begin."""
    import nrrd

    with path.open("rb") as file:
        text = file.read(_LONGEST_HEADER)
    end = re.search(rb"\r?\n\r?\n", text)
    lines = text[: end.start() if end else len(text)].splitlines()
    if not text.startswith(b"NRRD") or (end is None and len(text) == _LONGEST_HEADER):
        raise FileFormatError(f"The image {path} is not a NRRD file: it has no header.")
    try:
        with np.errstate(invalid="ignore"):  # sizes that are no numbers become negative ones, which are refused
            header = dict(nrrd.read_header([line.decode("utf-8", "replace") for line in lines]))
    except (nrrd.NRRDError, ValueError, KeyError, IndexError, TypeError) as trouble:
        reason = str(trouble).splitlines()[0][:120] if str(trouble) else type(trouble).__name__
        raise FileFormatError(f"The header of {path} is damaged: {reason}.") from None
    return header, end.end() if end else len(text)


def _shape(header: Mapping[str, Any], path: Path) -> tuple[int, ...]:
    """(i, j, k), or (layers, i, j, k) where segments overlap."""
    try:
        shape = tuple(int(n) for n in header["sizes"])
        dtype = np.dtype(_TYPES[str(header["type"]).lower()])
    except (KeyError, TypeError, ValueError):
        raise FileFormatError(f"The header of {path} is damaged: it tells no sizes or no type of numbers.") from None
    if len(shape) == 4 and not str((header.get("kinds") or ["?"])[0]).lower() == "list":
        raise InputError(f"The image {path} must be three-dimensional; instead its shape is {shape}.")
    if len(shape) not in (3, 4) or min(shape[-3:]) < 2 or shape[0] < 1:
        raise InputError(f"The image {path} must be three-dimensional and hold voxels; instead its shape is {shape}.")
    size = float(np.prod(shape, dtype=float)) * dtype.itemsize
    if size > MOST_BYTES:
        raise FileFormatError(f"The header of {path} claims {size / 1e9:.1f} GB of voxels; it is damaged.")
    return shape


def _affine(header: Mapping[str, Any], axes: int, path: Path) -> FloatArray:
    """Voxel index to world mm, RAS."""
    space = str(header.get("space", "")).lower()
    if space not in _SPACES or "space directions" not in header or "space origin" not in header:
        raise InputError(
            f"The image {path} does not say where it lies in the patient (space, its directions and origin), so left "
            "and right cannot be known; save it from 3D Slicer as .nii.gz or .nrrd with the patient's image loaded."
        )
    try:
        directions = np.array(
            [[np.nan] * 3 if row is None else row for row in header["space directions"]], dtype=np.float64
        )[axes - 3 :]
        origin = np.array(header["space origin"], dtype=np.float64)
    except (TypeError, ValueError):
        raise FileFormatError(f"The header of {path} is damaged: its directions are no vectors.") from None
    if directions.shape != (3, 3) or origin.shape != (3,):
        raise FileFormatError(f"The header of {path} is damaged: its directions are no three vectors.")
    units = {str(unit).strip('"').lower() for unit in header.get("space units", [])} - {"", "mm", "millimeter"}
    if units:
        raise InputError(f"The image {path} must be in mm; instead in {', '.join(sorted(units))}.")
    affine = np.eye(4)
    affine[:3, :3], affine[:3, 3] = directions.T, origin
    signs = np.array([*_SPACES[space], 1.0])
    if not (np.abs(affine) <= FARTHEST).all() or np.linalg.det(affine[:3, :3]) == 0:  # NaN is none that is
        raise FileFormatError(
            f"The directions in the header of {path} are not numbers up to {FARTHEST:g} and independent; it is damaged."
        )
    return read_only(signs[:, None] * affine)


def _voxels(header: Mapping[str, Any], start: int, shape: tuple[int, ...], path: Path) -> AnyArray:
    """The voxels, in the machine's byte order; no more is unpacked than the header tells."""
    kind = np.dtype(_TYPES[str(header["type"]).lower()])
    swapped = str(header.get("endian", sys.byteorder)).lower() != sys.byteorder
    wanted = int(np.prod(shape, dtype=np.int64)) * kind.itemsize
    source, start = _source(header, start, path)
    encoding = str(header.get("encoding", "")).lower()
    try:
        with source.open("rb") as file:
            file.seek(start)
            data = _unpacked(file, encoding, wanted, path)
    except (OSError, zlib.error, EOFError) as trouble:
        raise FileFormatError(f"The voxels of {source} cannot be unpacked: {trouble}.") from None
    if len(data) < wanted:
        raise FileFormatError(f"The image {path} is truncated: {len(data)} of {wanted} bytes of voxels are there.")
    values = np.frombuffer(data[:wanted], dtype=kind).reshape(shape, order="F")
    return np.ascontiguousarray(values.byteswap() if swapped else values)


def _source(header: Mapping[str, Any], start: int, path: Path) -> tuple[Path, int]:
    """The file that holds the voxels, which lies beside the header or is the same, and where they begin."""
    if any(int(header.get(skip, header.get(skip.replace(" ", ""), 0))) for skip in ("byte skip", "line skip")):
        raise InputError(f"The image {path} skips bytes before its voxels; save it again from 3D Slicer.")
    name = header.get("data file", header.get("datafile"))
    if name is None:
        return path, start
    name = str(name)
    if re.search(r"[\\/:%\s]", name) or name in ("", ".", "..") or name.upper() == "LIST":
        raise InputError(
            f"The voxels of {path} must be in one file beside it; instead its header names {name[:60]!r}: save it as "
            ".nrrd in one file."
        )
    if not (path.parent / name).is_file():
        raise InputError(f"The voxels of {path} must be beside it, in {name}, which is not there.")
    return path.parent / name, 0


def _unpacked(file: Any, encoding: str, wanted: int, path: Path) -> bytes:
    """At most ``wanted`` bytes of what a file holds from here on."""
    if encoding == "raw":
        return bytes(file.read(wanted))
    if encoding not in ("gzip", "gz", "bzip2", "bz2"):
        raise InputError(f"The image {path} must be raw, gzip or bzip2; instead its encoding is {encoding[:40]!r}.")
    unpack = _gunzipped if encoding in ("gzip", "gz") else _unzipped_by_bzip2
    return unpack(file, wanted)


def _gunzipped(file: Any, wanted: int) -> bytes:
    unpacker, out = zlib.decompressobj(zlib.MAX_WBITS | 16), bytearray()
    while len(out) < wanted and not unpacker.eof:
        waiting = unpacker.unconsumed_tail + file.read(_BLOCK)
        if not waiting:
            break
        out += unpacker.decompress(waiting, wanted - len(out))
    return bytes(out)


def _unzipped_by_bzip2(file: Any, wanted: int) -> bytes:
    unpacker, out = bz2.BZ2Decompressor(), bytearray()
    while len(out) < wanted and not unpacker.eof:
        block = file.read(_BLOCK) if unpacker.needs_input else b""
        if not block and unpacker.needs_input:
            break
        out += unpacker.decompress(block, wanted - len(out))
    return bytes(out)


def _segments(header: Mapping[str, Any]) -> list[tuple[int, int, str]]:
    """(layer, number in it, name) of each segment."""
    found = []
    for key in header:
        match = re.fullmatch(r"(Segment\d+_)Name", key)
        if match:
            layer, number = header.get(f"{match[1]}Layer", "0"), header.get(f"{match[1]}LabelValue", "1")
            if str(layer).isdigit() and str(number).isdigit():
                found.append((int(layer), int(number), str(header[key])))
    return found


def _flattened(layers: AnyArray, segments: list[tuple[int, int, str]], path: Path) -> tuple[AnyArray, dict[int, str]]:
    """Layers of segments as one image (i, j, k) of numbers from 1, and what they are called.

    A cavity is the likeliest of what overlaps it: it is hollow, whatever is drawn over it.
    """
    if layers.dtype.kind == "f":
        raise InputError(f"The segments of {path} must be whole numbers; instead they hold fractions.")
    out = np.zeros(layers.shape[1:], dtype=np.uint16)
    rank = {None: 0, 0: -1, CAVITY: 3, CAVITY + 2: 2, CAVITY + 1: 1}
    names = {}
    for number, (layer, value, name) in enumerate(sorted(segments, key=lambda s: rank[kind_of_name(s[2])]), start=1):
        if layer >= len(layers):
            raise FileFormatError(f"The header of {path} is damaged: its segment {name[:40]!r} is in no layer.")
        mask = layers[layer] == value
        out[mask] = number
        if mask.any():
            names[number] = name
    known = np.zeros(layers.shape[1:], dtype=bool)
    for layer, values in enumerate(layers):
        known |= (values != 0) & ~np.isin(values, [value for at, value, _ in segments if at == layer])
    if known.any():
        raise InputError(f"The image {path} must hold named segments only; {known.sum()} voxels belong to none.")
    return out, names
