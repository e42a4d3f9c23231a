"""A file of a patient's own landmarks, nasion, inion and the points before the ears, as marked in a viewer."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from neuro_field.arrays import FloatArray
from neuro_field.errors import FileFormatError, InputError
from neuro_field.head.fiducials import NAMES, Fiducials
from neuro_field.navigation.marks import bounded_text, cells, number

#: What the four are called, in small letters without spaces or marks.
CALLED = {
    "Nz": ("nz", "nas", "nasion"),
    "Iz": ("iz", "ini", "inion"),
    "LPA": ("lpa", "leftpreauricular", "preauricularleft", "leftear", "t9"),
    "RPA": ("rpa", "rightpreauricular", "preauricularright", "rightear", "t10"),
}

#: Frames by their names in files: the sign of the first two axes against the head frame (RAS).
FRAMES = {"ras": 1.0, "scanras": 1.0, "0": 1.0, "lps": -1.0, "1": -1.0}

#: Keys of tables and objects for the three coordinates.
_AXES = (("x", "y", "z"), ("x_mm", "y_mm", "z_mm"), ("r", "a", "s"), ("l", "p", "s"))

#: Columns that name their frame: the sign of the first two.
_BY_COLUMNS = {("r", "a", "s"): 1.0, ("l", "p", "s"): -1.0}

#: Files of these endings are read.
ENDINGS = (".tsv", ".csv", ".json", ".fcsv")

#: No file of landmarks has more rows.
_MOST_ROWS = 10_000


def read_fiducials(path: str | Path) -> Fiducials:
    """The landmarks of a .tsv, .csv, .json or .fcsv file, in the head frame.

    Tables have a column ``name`` and three of x, y, z in mm, or r, a, s, or l, p, s; a column or a line
    ``# CoordinateSystem = LPS`` names another frame than RAS, the T1's world.  .fcsv is 3D Slicer's; .json is an object
    of names with three numbers each, beside ``"frame": "LPS"`` where it is that, or 3D Slicer's markups (.mrk.json).

    Parameters
    ----------
    path : str or Path

    Raises
    ------
    FileFormatError
        If the file does not hold each of the four once: with what it holds.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import neuro_field as nf
    >>> text = "name,x,y,z" + chr(10) + "Nz,0,85,-40" + chr(10) + "Iz,0,-118,-23" + chr(10)
    >>> text += "LPA,-86,-20,-48" + chr(10) + "RPA,85,-20,-48" + chr(10)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "landmarks.csv"
    ...     _ = path.write_text(text)
    ...     marks = nf.read_fiducials(path)
    >>> marks.points["RPA"]
    array([ 85., -20., -48.])
    """
    found, rows = _known(Path(path))
    missing = [name for name in NAMES if name not in found]
    if missing:
        held = ", ".join(rows[:8])[:120] or "no points"
        raise FileFormatError(
            f"{path} must hold the landmarks Nz (nasion), Iz (inion), LPA and RPA; instead {', '.join(missing)} "
            f"{'is' if len(missing) == 1 else 'are'} missing, and it holds {held}."
        )
    try:
        return Fiducials(found)
    except InputError as error:
        raise FileFormatError(f"{path}: {error}") from None


def read_touched(path: str | Path) -> dict[str, FloatArray]:
    """Landmarks by name as they were touched, in a frame of their own: three or four of Nz, Iz, LPA, RPA, mm.

    Raises
    ------
    FileFormatError
        If the file holds fewer.
    """
    found, rows = _known(Path(path))
    if len(found) < 3:
        held = ", ".join(rows[:8])[:120] or "no points"
        raise FileFormatError(
            f"{path} must hold three of the landmarks {', '.join(NAMES)} as they were touched; instead it holds {held}."
        )
    return found


def _known(path: Path) -> tuple[dict[str, FloatArray], list[str]]:
    """The landmarks of a file by name, and the names of all its points."""
    ending = path.suffix.lower()
    if ending not in ENDINGS:
        raise InputError(
            f"The file of landmarks {path} must end in {', '.join(ENDINGS)}; instead it ends in {ending!r}."
        )
    text = bounded_text(path)
    rows = _of_json(text, str(path)) if ending == ".json" else _of_table(text, str(path), ending)
    found: dict[str, FloatArray] = {}
    for name, place in rows:
        known = next((key for key, names in CALLED.items() if _plain(name) in names), None)
        if known is None:
            continue
        if known in found:
            raise FileFormatError(f"{path} holds the landmark {known} twice; leave one.")
        found[known] = place
    return found, [name for name, _ in rows]


def _plain(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter.isalnum())


def _sign(frame: str, where: str) -> float:
    sign = FRAMES.get(_plain(frame))
    if sign is None:
        raise FileFormatError(f"{where} names the frame {frame!r:.40}; landmarks are read in RAS or LPS.")
    return sign


def _placed(values: list[Any], sign: float, where: str) -> FloatArray:
    place = np.array([number(value, f"{where}, coordinate {i + 1}") for i, value in enumerate(values)])
    return np.asarray(place * [sign, sign, 1.0])


def _of_table(text: str, where: str, ending: str) -> list[tuple[str, FloatArray]]:
    """Names and points of the rows of a table."""
    sign, header = 1.0, None
    rows: list[tuple[str, FloatArray]] = []
    for i, line in enumerate(text.split("\n"), start=1):
        if line.startswith("#"):
            key, _, value = line.lstrip("# ").partition("=")
            if _plain(key) == "coordinatesystem":
                sign = _sign(value.strip(), where)
            elif _plain(key) == "columns":
                header = [_plain(cell) for cell in value.strip().split(",")]
            continue
        if not line.strip():
            continue
        delimiter = "\t" if ending == ".tsv" else ";" if ";" in line and ending == ".csv" else ","
        row = cells(line, delimiter)
        if header is None:
            header = [cell.lower().strip() for cell in row]
            continue
        if len(rows) >= _MOST_ROWS:
            raise FileFormatError(f"{where} holds more than {_MOST_ROWS} rows; that is no file of landmarks.")
        rows.append(_row(header, row, sign, f"{where}, line {i}"))
    return rows


def _row(header: list[str], row: list[str], sign: float, where: str) -> tuple[str, FloatArray]:
    """One row of a table: its name, and its point in the head frame."""
    entry = dict(zip(header, row, strict=False))
    name = next((entry[key] for key in ("name", "label", "landmark") if key in entry), None)
    axes = next((axes for axes in _AXES if all(axis in entry for axis in axes)), None)
    if name is None or axes is None:
        raise FileFormatError(f"{where} must have the columns name, x, y and z; instead {', '.join(header)[:80]}.")
    frame = next((entry[key] for key in ("frame", "coordinatesystem", "space") if entry.get(key)), None)
    by_row = _sign(frame, where) if frame is not None else sign
    by_columns = _BY_COLUMNS.get(axes, by_row)
    if by_columns != by_row and (frame is not None or by_row < 0):
        raise FileFormatError(f"{where} has the columns {', '.join(axes)} and names another frame; which one is right?")
    return name, _placed([entry[axis] for axis in axes], by_columns, where)


def _of_json(text: str, where: str) -> list[tuple[str, FloatArray]]:
    """Names and points of an object: of names, or 3D Slicer's markups."""
    try:
        record = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise FileFormatError(f"{where} is no sound JSON: {str(error)[:80]}.") from None
    if not isinstance(record, dict):
        raise FileFormatError(f"{where} must be a JSON object of landmarks; instead it is {type(record).__name__}.")
    if isinstance(record.get("markups"), list):
        return [row for entry in record["markups"][:100] for row in _of_markups(entry, where)]
    frame = next((record[key] for key in ("frame", "coordinateSystem", "coordinate_system") if key in record), "RAS")
    sign, points = _sign(str(frame), where), record.get("points", record)
    if not isinstance(points, dict):
        raise FileFormatError(f"{where}: points must be an object of names; instead it is {type(points).__name__}.")
    known = {name: place for name, place in points.items() if isinstance(place, list) and len(place) == 3}
    return [(name, _placed(place, sign, f"{where}, {name:.40}")) for name, place in known.items()]


def _of_markups(entry: Any, where: str) -> list[tuple[str, FloatArray]]:
    if not isinstance(entry, dict) or not isinstance(entry.get("controlPoints"), list):
        raise FileFormatError(f"{where}: every one of its markups must have controlPoints.")
    sign = _sign(str(entry.get("coordinateSystem", "LPS")), where)
    rows = []
    for point in entry["controlPoints"][:_MOST_ROWS]:
        if not isinstance(point, dict) or not isinstance(point.get("position"), list) or len(point["position"]) != 3:
            raise FileFormatError(f"{where}: every control point must have a position of three numbers.")
        name = str(point.get("label", ""))
        rows.append((name, _placed(point["position"], sign, f"{where}, {name:.40}")))
    return rows
