"""Brainsight: tab-separated tables behind a header that names version and coordinate system.

The file's coil looks out of the head with its x turned round: our axes are its x and z reversed.  Columns are found by
name, for every version orders them differently.  A NIfTI header can define two worlds (qform and sform), each of five
kinds; ``NIfTI:Aligned`` leaves open which form is meant, ``NIfTI:Q:Aligned`` and ``NIfTI:S:Aligned`` do not.
``World`` is the scanner's frame as DICOM counts it; ``Brainsight`` counts leftwards, backwards and upwards from a
corner of the image.  A spreadsheet that saved the file again may have put commas or semicolons for the tabs, cells in
quotes, and decimal commas.
"""

import re
from collections.abc import Iterator, Sequence

import numpy as np

from neuro_field.arrays import FloatArray
from neuro_field.coil.marker import Marker
from neuro_field.errors import FileFormatError, InputError, UnknownNameError
from neuro_field.navigation.frames import WORLDS, ImageFrames
from neuro_field.navigation.marks import (
    Gathering,
    NavigatorFile,
    cells,
    digits,
    fact,
    number,
    point_for_comma,
    unix_lines,
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
_PLACE, _AXES = _POSE[:3], _POSE[3:]
_SYSTEM = re.compile(r"NIfTI:(?:(?P<form>[QS]):)?(?P<world>.+)", re.IGNORECASE)
_NONE = "(null)"

#: Coordinate systems that no NIfTI header defines, and what can be computed for a known image.
OWN, DICOM = "Brainsight", "World"

#: The tables that hold poses: the name of their first column, and after it what parts the cells.
_TABLE = re.compile(r'"?#\s*(?:Target|Sample) Name"?\s*([\t,;])', re.IGNORECASE)

#: How a header may state its axes, by whether the system counts as DICOM does.
_DIRECTIONS = {
    True: "x=right->left,y=anterior->posterior,z=inferior->superior",
    False: "x=left->right,y=posterior->anterior,z=inferior->superior",
}


def read_brainsight(text: str, where: str, image: ImageFrames | None = None) -> NavigatorFile:
    """Targets and samples in the head frame; rows without a pose are left out.

    Without the image, a coordinate system that a NIfTI defines is taken to be the head frame, and a note says so; the
    others are refused.
    """
    text = unix_lines(text)
    parted = next((found[1] for line in text.split("\n") if (found := _TABLE.match(line))), "\t")
    header = _header(text, parted)
    if "version" not in header or "coordinate system" not in header:
        raise FileFormatError(f"{where} is no export of Brainsight: its header names no version or coordinate system.")
    system = header["coordinate system"]
    poses = Gathering(where)
    head_from_file, note = head_from_system(system, header.get("axes"), where, image)
    poses.notes += [note] if note else []
    commas = False
    for line, kind, row in _rows(text, parted):
        if kind.lower() not in ("target name", "sample name"):
            continue
        if kind.lower() == "sample name":
            poses.enter(f"line {line}", row | {"units": header.get("units", "")})
        if any(row.get(key, _NONE) == _NONE for key in _POSE):
            placed = all(row.get(key, _NONE) != _NONE for key in _PLACE)
            poses.pass_over("points without an orientation" if placed else "rows without a pose")
            continue
        with poses.pose(f"line {line}"):
            pose = _pose(row)
            commas |= any("," in row[key] for key in _POSE)
            power = fact(row.get("Stim. Power A", row.get("Stim. Power")), 100.0)
            session = row.get("Session Name", "").replace(_NONE, "")
            recorded = kind.lower() == "sample name"
            poses.add(row[kind], head_from_file @ pose @ AXES, recorded=recorded, session=session, output=power)
    if commas:
        poses.notes.append("decimal commas were read as points")
    return poses.file("brainsight", f"Brainsight version {header['version']}, {system}")


def _pose(row: dict[str, str]) -> FloatArray:
    """(4, 4) of a row's cells, its rotation made exact where only digits were lost."""
    values = [number(row[key], key) for key in _POSE]
    pose = np.eye(4)
    pose[:3, 3], pose[:3, :3] = values[:3], np.reshape(values[3:], (3, 3)).T
    decimals = max(len(point_for_comma(row[key]).partition(".")[2]) for key in _AXES)
    return unrounded(pose, 0.5 * 10.0**-decimals) if decimals >= 3 else pose


def _header(text: str, parted: str) -> dict[str, str]:
    """What the lines before the first table say, keys in small letters (versions spell them differently)."""
    out = {}
    for row in text[:4000].split("\n"):
        line = parted.join(filter(None, cells(row, parted)))
        if not line.startswith("#") or _TABLE.match(row):
            break
        key, colon, value = line.removeprefix("#").partition(":")
        if colon and "\t" not in line:
            out[key.strip().lower()] = value.strip()
        elif "->" in line:
            out["axes"] = "".join(line.removeprefix("#").split()).lower()
    return out


def _rows(text: str, parted: str) -> Iterator[tuple[int, str, dict[str, str]]]:
    """Line number, the name of the table's first column, and the row by column."""
    columns: list[str] = []
    for line, row in enumerate(text.split("\n"), start=1):
        values = cells(row, parted)
        if values[0].startswith("#"):
            columns = [values[0].removeprefix("#").strip(), *values[1:]]
        elif any(values) and columns:
            yield line, columns[0], dict(zip(columns, values, strict=False))


def head_from_system(
    system: str, axes: str | None, where: str, image: ImageFrames | None
) -> tuple[FloatArray, str | None]:
    """(4, 4) rigid, mm, from a coordinate system to the head frame, and what was assumed."""
    own, dicom = system.lower() == OWN.lower(), system.lower() == DICOM.lower()
    if axes is not None and axes != _DIRECTIONS[own or dicom]:
        raise FileFormatError(f"{where}: its coordinate system {system} cannot have the axes it states, {axes:.80}.")
    if not (own or dicom):
        parts = _parts(system, where)
        if image is None:
            note = f"{system} was taken as the head frame; name the T1 to have its qform and sform compared"
            return np.eye(4), note
        return image.head_from_world(*parts), None
    if image is None:
        raise InputError(
            f"{where} is in Brainsight's coordinate system {system}, which depends on the image it had loaded: name "
            "that T1 (--image), or export again as one of NIfTI:..."
        )
    if own:
        return image.head_from_corner(), f"{system} was counted from the right anterior lower voxel of {image.name}"
    return image.head_from_dicom(), f"{system} was taken for the scanner's frame of {image.name} as DICOM counts it"


def _parts(system: str, where: str) -> tuple[str, str]:
    """Form ("Q", "S" or "") and world of a coordinate system that a NIfTI defines."""
    match = _SYSTEM.fullmatch(system)
    worlds = {world.lower(): world for world in WORLDS.values()}
    if match is None or match["world"].lower() not in worlds:
        raise FileFormatError(
            f"{where}: the coordinate system must be one a NIfTI defines (NIfTI:Aligned, NIfTI:Scanner, "
            f"NIfTI:Q:..., NIfTI:S:...), {OWN} or {DICOM}; instead it is {system!r:.40}. Export it so again."
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
        ``Brainsight`` and ``World`` need the image.
    image : ImageFrames, optional
        The image Brainsight has loaded; without it the coordinate system is taken to be the head frame.
    """
    if version not in VERSIONS:
        raise UnknownNameError("version of brainsight_text", version, [str(known) for known in VERSIONS])
    system = system or usual_system(version, image)
    try:
        head_from_file, _ = head_from_system(system, None, "system of brainsight_text", image)
    except FileFormatError as error:
        raise InputError(str(error)) from None
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
    """The name, unless it would start a table, stand in quotes or be empty."""
    return marker.name.lstrip('#" ') or "unnamed"


def _cells(marker: Marker, file_from_head: FloatArray) -> list[str]:
    pose = file_from_head @ marker.placement.head_from_coil @ AXES
    return digits([*pose[:3, 3], *pose[:3, :3].T.ravel()])
