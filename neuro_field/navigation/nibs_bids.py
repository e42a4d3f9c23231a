"""NIBS-BIDS, the draft BIDS extension 37 in its version 6.2: four files per plan or session.

``*_markers.tsv`` holds poses in our own coil frame and points aimed at, ``*_nibs.tsv`` one row per pulse recorded,
``*_nibs.json`` coil and programs, ``*_coordsystem.json`` the frame.  The draft leaves the coil's axes open, so a file
is read only where its ``*_coordsystem.json`` says that they are ours.
"""

import csv
import io
import json
from collections.abc import Sequence
from importlib.metadata import version

import numpy as np

from neuro_field.arrays import AnyArray
from neuro_field.coil.marker import Marker
from neuro_field.errors import FileFormatError
from neuro_field.navigation.marks import LARGEST_NUMBER, NavigatorFile, checked_count, left_out, marker_of, number

DRAFT = "BEP037 draft 6.2"

#: Our coil's axes, as ``*_coordsystem.json`` names them.
AXES_KEY, AXES_WORDS = "CoilAxesConvention", "simnibs: +z into the head, +y away from the handle"

_MISSING = "n/a"
_POSE = ("coil_x", "coil_y", "coil_z", "normal_x", "normal_y", "normal_z", "direction_x", "direction_y", "direction_z")
_COLUMNS = ("target_id", "target_label", "target_x", "target_y", "target_z", "coil_transform", *_POSE)


def read_nibs_bids(text: str, coordinates: str, where: str) -> NavigatorFile:
    """Poses of a ``*_markers.tsv``, given the text of its ``*_coordsystem.json`` too; rows without one are left out."""
    try:
        frame = json.loads(coordinates)
    except (ValueError, RecursionError) as error:
        raise FileFormatError(f"The coordsystem.json of {where} is no sound JSON: {str(error)[:80]}.") from None
    if not isinstance(frame, dict) or frame.get(AXES_KEY) != AXES_WORDS or frame.get("NIBSCoordinateUnits") != "mm":
        raise FileFormatError(
            f"The coordsystem.json of {where} must state {AXES_KEY} {AXES_WORDS!r} in mm; without that the draft "
            "leaves the coil's axes open."
        )
    markers, empty = [], 0
    try:
        rows = list(csv.DictReader(io.StringIO(text), delimiter="\t"))
    except csv.Error as error:
        raise FileFormatError(f"{where} is no sound table: {error}.") from None
    for line, row in enumerate(rows, start=2):
        here = f"{where}, line {line}"
        matrix = row.get("coil_transform")
        if matrix is None:
            raise FileFormatError(f"{here}: the column coil_transform is missing.")
        if matrix == _MISSING:
            empty += 1
            continue
        aimed = [row.get(f"target_{axis}") or _MISSING for axis in "xyz"]
        aim = None if _MISSING in aimed else np.array([number(cell, f"{here}, target") for cell in aimed])
        name = str(row.get("target_label") or row.get("target_id") or "")
        markers.append(marker_of(name, _matrix(matrix, here), here, aim=aim))
    notes = left_out(empty, "rows without a coil_transform were")
    return NavigatorFile("nibs-bids", f"NIBS-BIDS ({DRAFT}), our coil axes", checked_count(markers, where), notes)


def _matrix(text: str, where: str) -> AnyArray:
    try:
        value = np.array(json.loads(text), dtype=np.float64)
    except (ValueError, TypeError, OverflowError, RecursionError):
        value = np.full((4, 4), np.nan)
    if value.shape != (4, 4) or not (np.abs(value) <= LARGEST_NUMBER).all():
        raise FileFormatError(f"{where}: coil_transform must be a 4x4 array; instead it is {text!r:.40}.")
    return value


def nibs_bids_files(markers: Sequence[Marker], coil_name: str = "", subject: str = "01") -> dict[str, str]:
    """Texts by ending (``_markers.tsv``, ``_nibs.tsv``, ...); nothing in them says who or when."""
    rows = [_row(index, marker) for index, marker in enumerate(markers, start=1)]
    pulses = [(f"pulse-{index}", f"target-{index}", "coil-1") for index, m in enumerate(markers, start=1) if m.recorded]
    coordinates = {
        "NIBSBIDSDraft": DRAFT,
        "NIBSCoordinateSystem": "IndividualMRI",
        "NIBSCoordinateUnits": "mm",
        "NIBSCoordinateSystemDescription": "World RAS of the T1-weighted image (its affine), mm.",
        AXES_KEY: AXES_WORDS,
        "IntendedFor": f"bids::sub-{subject}/anat/sub-{subject}_T1w.nii.gz",
    }
    columns = {
        "coil_transform": {"Description": f"Head frame from coil frame, 4x4, mm; coil axes: {AXES_WORDS}."},
        "normal_x": {"Description": "normal_x, _y, _z: the coil's +z axis, into the head."},
        "direction_x": {"Description": "direction_x, _y, _z: the coil's +y axis, away from the handle."},
    }
    about = {
        "NIBSBIDSDraft": DRAFT,
        "StimulationSystem": "tms",
        "CoilSet": [{"CoilID": "coil-1", "CoilType": coil_name}],
        "SoftwareVersion": f"neuro_field {version('neuro_field')}",
        "Description": "Poses planned by simulation; rows of the _nibs.tsv are pulses that were recorded.",
    }
    return {
        "_markers.tsv": _table(_COLUMNS, rows),
        "_markers.json": json.dumps(columns, indent=2) + "\n",
        "_nibs.tsv": _table(("event_id", "target_id", "coil_id"), pulses),
        "_nibs.json": json.dumps(about, indent=2) + "\n",
        "_coordsystem.json": json.dumps(coordinates, indent=2) + "\n",
    }


def _row(index: int, marker: Marker) -> list[str]:
    pose = marker.placement.head_from_coil + 0.0
    aim = [_MISSING] * 3 if marker.aim is None else [repr(float(value)) for value in marker.aim]
    vectors = np.concatenate([pose[:3, 3], pose[:3, 2], pose[:3, 1]])
    numbers = [repr(float(value)) for value in vectors]
    return [f"target-{index}", marker.name or _MISSING, *aim, json.dumps(pose.tolist()), *numbers]


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return "".join("\t".join(row) + "\n" for row in [columns, *rows])
