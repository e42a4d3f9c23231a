"""NIBS-BIDS, the draft BIDS extension 37: its version 6.3 is written, 6.3 and 6.2 are read.

``*_markers.tsv`` holds poses and points aimed at, ``*_nibs.tsv`` one row per pulse recorded, ``*_nibs.json`` coil and
programs, ``*_coordsystem.json`` the frame.  Both versions leave open which way along its handle the coil's y axis runs,
so a file is read only where its ``*_coordsystem.json`` says that the axes are ours.  Version 6.2 has the pose as one
matrix, 6.3 as a centre and three axes, z into the head.
"""

import json
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

import numpy as np

from neuro_field.arrays import AnyArray, FloatArray
from neuro_field.coil.marker import Marker
from neuro_field.errors import FileFormatError
from neuro_field.io.json_text import parsed
from neuro_field.navigation.marks import LARGEST_NUMBER, Gathering, NavigatorFile, cells, fact, number

#: The version that is written, and that which is read too.
DRAFT, OLD_DRAFT = "BEP037 draft 6.3", "BEP037 draft 6.2"

#: Our coil's axes, as ``*_coordsystem.json`` names them.
AXES_KEY, AXES_WORDS = "CoilAxesConvention", "simnibs: +z into the head, +y away from the handle"

_MISSING = "n/a"
_AXES = ("element_xdir", "element_ydir", "element_zdir")
POSE = tuple(f"{what}_{axis}" for what in ("element_centre", *_AXES) for axis in "xyz")
_AIM = ("target_x", "target_y", "target_z")
_COLUMNS = ("nibs_position_id", "nibs_element_id", "position_description", *POSE, *_AIM)
_PULSES = (
    "nibs_event_id", "nibs_position_id", "nibs_element_id", "stimulus_intensity", "stimulus_intensity_units", "didt",
)  # fmt: skip
_COIL = "coil-1"

#: The one unit of an intensity that is an output of the stimulator; others may be mA, or shares of a threshold.
_PERCENT = "%MSO"

#: A/s; no stimulator's slope is larger.
_STEEPEST = 1e10


def read_nibs_bids(text: str, coordinates: str, where: str, pulses: Sequence[str] = ()) -> NavigatorFile:
    """Poses of a ``*_markers.tsv``; rows without one are left out.

    Parameters
    ----------
    text : str
        Of the ``*_markers.tsv``.
    coordinates : str
        Text of its ``*_coordsystem.json``.
    where : str
        The file's name.
    pulses : sequence of str
        Texts of its ``*_events.tsv`` and ``*_nibs.tsv``: the first that names positions has a row for every pulse
        recorded, and there are as many markers.  Without one a note says that nothing tells.
    """
    _check_frame(coordinates, where)
    columns, rows = _table_of(text)
    new = "element_centre_x" in columns
    if not new and "coil_transform" not in columns:
        raise FileFormatError(f"{where}, line 1: the column element_centre_x ({DRAFT}) or coil_transform is missing.")
    key = "nibs_position_id" if new else "target_id"
    recorded = next((_recorded(*table, key) for table in map(_table_of, pulses) if key in table[0]), None)
    poses = Gathering(where)
    if recorded is None:
        poses.notes.append("no *_events.tsv or *_nibs.tsv beside it says which of its poses were recorded")
    for line, values in rows:
        with poses.pose(f"line {line}"):
            if len(values) < len(columns):
                raise FileFormatError(f"it has {len(values)} of {len(columns)} cells.")
            row = dict(zip(columns, values, strict=False))
            pose = _axes(row) if new else _matrix(row["coil_transform"])
            if pose is None:
                poses.pass_over("rows without a coil pose")
                continue
            aimed = [row.get(axis) or _MISSING for axis in _AIM]
            aim = None if _MISSING in aimed else np.array([number(cell, "target") for cell in aimed])
            named = ("position_description", "position_label") if new else ("target_label",)
            name = next((row[n] for n in named if row.get(n, _MISSING) != _MISSING), row.get(key, ""))
            for facts in (recorded or {}).get(row.get(key, ""), [{"recorded": False}]):
                if facts["recorded"]:
                    poses.enter(f"line {line}", row)
                poses.add(name, pose, aim=aim, **facts)
    draft = DRAFT if new else OLD_DRAFT
    return poses.file("nibs-bids", f"NIBS-BIDS ({draft}), our coil axes")


def _check_frame(coordinates: str, where: str) -> None:
    """Refuse a frame whose axes, or unit, may not be ours."""
    try:
        frame = parsed(coordinates)
    except FileFormatError as error:
        raise FileFormatError(f"The coordsystem.json of {where} is no sound JSON: {error}.") from None
    if not isinstance(frame, dict) or frame.get(AXES_KEY) != AXES_WORDS or frame.get("NIBSCoordinateUnits") != "mm":
        raise FileFormatError(
            f"The coordsystem.json of {where} must state {AXES_KEY} {AXES_WORDS!r} in mm; without that the draft "
            "leaves the coil's axes open."
        )


def _table_of(text: str) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Names of the columns, and line number and cells of every row."""
    lines = [(line, cells(row, "\t")) for line, row in enumerate(text.split("\n"), start=1) if row.strip()]
    return (lines[0][1], lines[1:]) if lines else ([], [])


def _recorded(columns: list[str], rows: list[tuple[int, list[str]]], key: str) -> dict[str, list[dict[str, Any]]]:
    """What is known of every pulse by the position it was recorded at; a pulse of two coils names two."""
    out: dict[str, list[dict[str, Any]]] = {}
    for _, values in rows:
        row = dict(zip(columns, values, strict=False))
        percent = row.get("stimulus_intensity_units") == _PERCENT
        output = fact(row.get("stimulus_intensity"), 100.0) if percent else None
        facts = {"recorded": True, "didt": fact(row.get("didt"), _STEEPEST), "output": output}
        for position in row.get(key, _MISSING).split("|"):
            out.setdefault(position, []).append(facts)
    out.pop(_MISSING, None)
    return out


def _axes(row: dict[str, str]) -> FloatArray | None:
    """(4, 4) of the columns of version 6.3; None where the row has no pose."""
    values = [row.get(name, _MISSING) for name in POSE]
    if _MISSING in values:
        return None
    numbers = [number(value, name) for value, name in zip(values, POSE, strict=True)]
    pose = np.eye(4)
    pose[:3, 3], pose[:3, :3] = numbers[:3], np.reshape(numbers[3:], (3, 3)).T
    return pose


def _matrix(text: str) -> AnyArray | None:
    """(4, 4) of the column of version 6.2; None where the row has no pose."""
    if text == _MISSING:
        return None
    try:
        value = np.array(parsed(text), dtype=np.float64)
    except (ValueError, TypeError, OverflowError):
        value = np.full((4, 4), np.nan)
    if value.shape != (4, 4) or not (np.abs(value) <= LARGEST_NUMBER).all():
        raise FileFormatError(f"coil_transform must be a 4x4 array; instead it is {text!r:.40}.")
    return value


def nibs_bids_files(markers: Sequence[Marker], coil_name: str = "", subject: str = "01") -> dict[str, str]:
    """Texts by ending (``_markers.tsv``, ``_nibs.tsv``, ...); nothing in them says who or when."""
    rows = [_row(index, marker) for index, marker in enumerate(markers, start=1)]
    pulses = [
        (f"pulse-{index}", f"position-{index}", _COIL, _cell(marker.output), _PERCENT, _cell(marker.didt))
        for index, marker in enumerate(markers, start=1)
        if marker.recorded
    ]
    coordinates = {
        "NIBSBIDSDraft": DRAFT,
        "NIBSCoordinateSystem": "IndividualMRI",
        "NIBSCoordinateUnits": "mm",
        "NIBSCoordinateSystemDescription": "World RAS of the T1-weighted image (its affine), mm.",
        AXES_KEY: AXES_WORDS,
        "IntendedFor": f"bids::sub-{subject}/anat/sub-{subject}_T1w.nii.gz",
    }
    columns = {
        "position_description": {"Description": "Name of the pose."},
        "element_centre_x": {"Description": "element_centre_x, _y, _z: centre of the coil's face at the head, mm."},
        "element_xdir_x": {"Description": "element_xdir_x, _y, _z: the coil's x axis, its y cross its z."},
        "element_ydir_x": {"Description": "element_ydir_x, _y, _z: the coil's +y axis, away from the handle."},
        "element_zdir_x": {"Description": "element_zdir_x, _y, _z: the coil's +z axis, into the head."},
        "target_x": {"Description": "target_x, _y, _z: the point the pose is meant for, mm."},
    }
    about = {
        "NIBSBIDSDraft": DRAFT,
        "ElementSet": [{"ElementID": _COIL, "ElementType": coil_name}],
        "SoftwareVersion": f"neuro_field {version('neuro_field')}",
        "Description": "Rows are pulses that were recorded, without their times; planned poses have none.",
        "stimulus_intensity": {"Description": "Output of the stimulator, % of its maximum."},
        "didt": {"Description": "Slope of the coil's current.", "Units": "A/s"},
    }
    return {
        "_markers.tsv": _table(_COLUMNS, rows),
        "_markers.json": json.dumps(columns, indent=2) + "\n",
        "_nibs.tsv": _table(_PULSES, pulses),
        "_nibs.json": json.dumps(about, indent=2) + "\n",
        "_coordsystem.json": json.dumps(coordinates, indent=2) + "\n",
    }


def _row(index: int, marker: Marker) -> list[str]:
    pose = marker.placement.head_from_coil + 0.0
    aim = [_MISSING] * 3 if marker.aim is None else [_cell(value) for value in marker.aim]
    numbers = [_cell(value) for value in np.concatenate([pose[:3, 3], pose[:3, :3].T.ravel()])]
    return [f"position-{index}", _COIL, _name(marker.name), *numbers, *aim]


def _name(name: str) -> str:
    """A name as a cell: in quotes where its own would be taken for such."""
    if name.startswith('"'):
        return '"' + name.replace('"', '""') + '"'
    return name or _MISSING


def _cell(value: float | None) -> str:
    return _MISSING if value is None else repr(float(value))


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return "".join("\t".join(row) + "\n" for row in [columns, *rows])
