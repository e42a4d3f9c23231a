"""Brainsight: tab-separated tables behind a header that names version and coordinate system.

The file's coil looks out of the head with its x turned round: our axes are its x and z reversed.  Columns are found by
name, for every version orders them differently.  A NIfTI header can define two worlds (qform and sform), each of five
kinds; ``NIfTI:Aligned`` leaves open which form is meant, ``NIfTI:Q:Aligned`` and ``NIfTI:S:Aligned`` do not.
"""

import re
from collections.abc import Iterator, Sequence

import numpy as np

from neuro_field.arrays import FloatArray
from neuro_field.coil.marker import Marker
from neuro_field.errors import FileFormatError, InputError, UnknownNameError
from neuro_field.navigation.frames import WORLDS, ImageFrames
from neuro_field.navigation.marks import (
    NavigatorFile,
    checked_count,
    digits,
    fact,
    left_out,
    marker_of,
    number,
    unrounded,
)

#: Our coil frame from Brainsight's, and back.
AXES = np.diag([-1.0, 1.0, -1.0, 1.0])

#: Versions of the export that are written.
VERSIONS = (12, 14)

#: The world that plain NIfTI conversion gives an image, for files written without knowing the image.
COMMON_WORLD = "NIfTI:Scanner"

_POSE = ("Loc. X", "Loc. Y", "Loc. Z", *(f"m{i}n{j}" for i in range(3) for j in range(3)))
_SAMPLE = ("Sample Name", "Session Name", "Index", "Assoc. Target", *_POSE)
_ERRORS = ("Dist. to Target", "Target Error", "Angular Error", "Twist Error")
_COLUMNS = {
    12: (
        *_SAMPLE, *_ERRORS, "Stim. Power A", "Stim. Pulse Interval", "Stim. Power B", "Date", "Time", "Creation Cause",
        "Crosshairs Driver", "Offset", "Comment", "EMG Channels",
    ),
    14: (
        *_SAMPLE, *_ERRORS, "Stim. Power A", "Stim. Pulse Interval", "Stim. Power B", "Date", "Time", "Creation Cause",
        "Crosshairs Driver", "Chamber Name", "Chamber Grid Name", "Chamber IndexX", "Chamber IndexY", "Offset",
        "Comment", "EMG Channels", "EMG Window Start", "EMG Window End",
    ),
}  # fmt: skip
_SYSTEM = re.compile(r"NIfTI:(?:(?P<form>[QS]):)?(?P<world>.+)", re.IGNORECASE)
_NONE = "(null)"


def read_brainsight(text: str, where: str, image: ImageFrames | None = None) -> NavigatorFile:
    """Targets and samples in the head frame; rows without a pose are left out.

    Without the image, the coordinate system is taken to be the head frame, and a note says so.
    """
    header = _header(text)
    if "version" not in header or "coordinate system" not in header:
        raise FileFormatError(f"{where} is no export of Brainsight: its header names no version or coordinate system.")
    system = header["coordinate system"]
    notes: tuple[str, ...] = ()
    if image is None:
        _parts(system, where)
        head_from_file: FloatArray = np.eye(4)
        notes = (f"{system} was taken as the head frame; name the T1 to have its qform and sform compared",)
    else:
        head_from_file = image.head_from_world(*_parts(system, where))
    markers, empty = [], 0
    for line, kind, row in _rows(text):
        if kind not in ("Target Name", "Sample Name"):
            continue
        here = f"{where}, line {line}"
        missing = [key for key in _POSE if key not in row]
        if missing:
            raise FileFormatError(f"{here}: the column {missing[0]!r} is missing.")
        if any(row[key] == _NONE for key in _POSE):
            empty += 1
            continue
        values = [number(row[key], f"{here}, {key}") for key in _POSE]
        pose = np.eye(4)
        pose[:3, 3], pose[:3, :3] = values[:3], np.reshape(values[3:], (3, 3)).T
        decimals = max(len(row[key].partition(".")[2]) for key in _POSE[3:])
        pose = unrounded(pose, 0.5 * 10.0**-decimals) if decimals >= 3 else pose
        power = fact(row.get("Stim. Power A", row.get("Stim. Power")), 100.0)
        markers.append(marker_of(
            row[kind], head_from_file @ pose @ AXES, here, recorded=kind == "Sample Name",
            session=row.get("Session Name", "").replace(_NONE, ""), output=power,
        ))  # fmt: skip
    notes += left_out(empty, "rows without a pose were")
    convention = f"Brainsight version {header['version']}, {system}"
    return NavigatorFile("brainsight", convention, checked_count(markers, where), notes)


def _header(text: str) -> dict[str, str]:
    """What the lines before the first table say, keys in small letters (versions spell them differently)."""
    out = {}
    for line in text[:4000].splitlines():
        key, colon, value = line.removeprefix("#").partition(":")
        if not line.startswith("#") or "\t" in line or not colon:
            break
        out[key.strip().lower()] = value.strip()
    return out


def _rows(text: str) -> Iterator[tuple[int, str, dict[str, str]]]:
    """Line number, the name of the table's first column, and the row by column."""
    columns: list[str] = []
    for line, row in enumerate(text.split("\n"), start=1):
        if row.startswith("#"):
            columns = [cell.strip() for cell in row.removeprefix("#").split("\t")]
        elif row.strip() and columns:
            cells = [cell.strip() for cell in row.split("\t")]
            yield line, columns[0], dict(zip(columns, cells, strict=False))


def _parts(system: str, where: str) -> tuple[str, str]:
    """Form ("Q", "S" or "") and world of a coordinate system."""
    match = _SYSTEM.fullmatch(system)
    worlds = {world.lower(): world for world in WORLDS.values()}
    if match is None or match["world"].lower() not in worlds:
        raise FileFormatError(
            f"{where}: the coordinate system must be one a NIfTI defines (NIfTI:Aligned, NIfTI:Scanner, "
            f"NIfTI:Q:..., NIfTI:S:...); instead it is {system!r:.40}. Export it again from Brainsight as one of these."
        )
    return (match["form"] or "").upper(), worlds[match["world"].lower()]


def usual_system(version: int, image: ImageFrames | None) -> str:
    """The coordinate system to write where none is asked for; before version 13 names leave the form open."""
    if image is None:
        return COMMON_WORLD
    return image.head_world if version >= 13 else re.sub(":[QS]:", ":", image.head_world)


def brainsight_text(
    markers: Sequence[Marker], *, version: int = 14, system: str | None = None, image: ImageFrames | None = None
) -> str:
    """Planned poses as targets, recorded ones as samples.

    Parameters
    ----------
    markers : sequence of Marker
    version : {12, 14}
    system : str, optional
        Coordinate system; when omitted that of the image's head frame, without an image ``NIfTI:Scanner``.
    image : ImageFrames, optional
        The image Brainsight has loaded; without it the coordinate system is taken to be the head frame.
    """
    if version not in VERSIONS:
        raise UnknownNameError("version of brainsight_text", version, [str(known) for known in VERSIONS])
    system = system or usual_system(version, image)
    try:
        form, world = _parts(system, "system of brainsight_text")
    except FileFormatError as error:
        raise InputError(str(error)) from None
    head_from_file = np.eye(4) if image is None else image.head_from_world(form, world)
    file_from_head = np.asarray(np.linalg.inv(head_from_file), dtype=np.float64)
    lines = [
        f"# Version: {version}", f"# Coordinate system: {system}", "# Created by: neuro_field",
        "# Units: millimetres, degrees, milliseconds, and microvolts", "# Encoding: UTF-8",
        "# Notes: Each column is delimited by a tab. Each value within a column is delimited by a semicolon.",
        "# " + "\t".join(("Target Name", *_POSE)),
    ]  # fmt: skip
    lines += ["\t".join((_name(m), *_cells(m, file_from_head))) for m in markers if not m.recorded]
    samples = [marker for marker in markers if marker.recorded]
    if samples:
        lines.append("# " + "\t".join(_COLUMNS[version]))
    for index, marker in enumerate(samples, start=1):
        power = _NONE if marker.output is None else repr(float(marker.output))
        facts = {"Sample Name": _name(marker), "Session Name": marker.session or _NONE, "Index": str(index)}
        facts |= {"Stim. Power A": power} | dict(zip(_POSE, _cells(marker, file_from_head), strict=True))
        lines.append("\t".join(facts.get(column, _NONE) for column in _COLUMNS[version]))
    return "\n".join(lines) + "\n"


def _name(marker: Marker) -> str:
    """The name, unless it would start a table or be empty."""
    return marker.name.lstrip("# ") or "unnamed"


def _cells(marker: Marker, file_from_head: FloatArray) -> list[str]:
    pose = file_from_head @ marker.placement.head_from_coil @ AXES
    return digits([*pose[:3, 3], *pose[:3, :3].T.ravel()])
