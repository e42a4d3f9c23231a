"""Plain tables of a session, .tsv and .csv: rows by column, and the poses that their columns hold.

Column names are our own, but for ``element_...`` of NIBS-BIDS (BEP037 draft 6.3); no outside file has been seen with
poses and amplitudes in one such table.
"""

from pathlib import Path

import numpy as np

from neuro_field.arrays import FloatArray
from neuro_field.errors import FileFormatError, InputError
from neuro_field.navigation.marks import MOST_POSES, Gathering, NavigatorFile, bounded_text, cells, fact, number
from neuro_field.navigation.nibs_bids import POSE as NIBS_POSE
from neuro_field.navigation.own_sessions import POSE as OWN_POSE
from neuro_field.units import AMPERE_PER_MICROSECOND

#: Files of these endings are tables.
ENDINGS = (".tsv", ".csv", ".txt")

#: Cells without a value.
NONE = ("", "(null)", "n/a", "na", "nan", "none")

#: Columns of an intensity and the unit each names.
INTENSITIES = {"didt_a_per_us": "A/us", "output_percent": "%MSO"}

#: Frames by their names: what turns a pose in it into one of the head frame.
FRAMES = {"ras": np.diag([1.0, 1.0, 1.0, 1.0]), "lps": np.diag([-1.0, -1.0, 1.0, 1.0])}

#: The only axes of a coil that a table of NIBS-BIDS names may be in: z into the head, y away from the handle.
AXES = "simnibs"


def table_rows(path: Path) -> list[dict[str, str]]:
    """Rows of a .tsv or .csv file by column, names in small letters."""
    if path.suffix.lower() not in ENDINGS:
        raise InputError(f"The table {path.name} must be named .tsv or .csv.")
    lines = [(i, line) for i, line in enumerate(bounded_text(path).split("\n"), start=1) if line.strip()]
    if len(lines) < 2 or len(lines) > MOST_POSES:
        raise FileFormatError(f"{path.name} has {max(len(lines) - 1, 0)} rows; 1 to {MOST_POSES} are read.")
    delimiter = next((each for each in ("\t", ";", ",") if each in lines[0][1]), "\t")
    columns = [name.lower() for name in cells(lines[0][1], delimiter)]
    if len(set(columns)) < len(columns):
        raise FileFormatError(f"{path.name} has a column twice.")
    out = []
    for line, text in lines[1:]:
        values = cells(text, delimiter)
        if len(values) != len(columns):
            raise FileFormatError(f"{path.name}, line {line}: it has {len(values)} of {len(columns)} cells.")
        out.append(dict(zip(columns, values, strict=True)))
    return out


def is_plain_table(path: Path) -> bool:
    """Whether a file is a table without a navigator's own head: .tsv or .csv, of no session and of no NIBS-BIDS."""
    if path.suffix.lower() not in (".tsv", ".csv") or path.name.endswith("_markers.tsv"):
        return False
    return not bounded_text(path).lstrip().startswith(("#", '"#', "<", "{"))


def poses_of_table(rows: list[dict[str, str]], where: str) -> NavigatorFile:
    """The poses of a table that names its frame: an entry for every row.

    Raises
    ------
    FileFormatError
        If a column of a pose is missing, a cell is no number, or no pose can be used.
    InputError
        If the table does not say which frame its poses, or with NIBS-BIDS names its coil's axes, are in.
    """
    names = OWN_POSE if any(name in rows[0] for name in OWN_POSE) else NIBS_POSE
    missing = [name for name in names if name not in rows[0]]
    if missing:
        raise FileFormatError(f"{where} has no column {missing[0]}: a pose takes {', '.join(names)}.")
    head_from_world = FRAMES[_named(rows, "frame", tuple(FRAMES), where)]
    if names is NIBS_POSE:
        _named(rows, "coil_axes", (AXES,), where)
    poses = Gathering(where)
    for index, row in enumerate(rows, start=1):
        place = f"row {index}"
        poses.enter(place, row)
        values = [row[name] for name in names]
        if all(value.lower() in NONE for value in values):
            poses.pass_over("pulses without a pose")
            continue
        with poses.pose(place):
            pose = np.eye(4)
            numbers = [number(value, name) for value, name in zip(values, names, strict=True)]
            pose[:3] = _matrix(numbers, names is OWN_POSE)
            slope = fact(row.get("didt_a_per_us"), 1e4)
            poses.add(
                row.get("pulse", str(index)), head_from_world @ pose, recorded=True,
                didt=None if slope is None else slope * AMPERE_PER_MICROSECOND,
                output=fact(row.get("output_percent"), 100.0),
            )  # fmt: skip
    return poses.file("table", "plain table")


def _matrix(numbers: list[float], by_rows: bool) -> FloatArray:
    """(3, 4): of our own columns row by row, of NIBS-BIDS's the centre and then each axis."""
    if by_rows:
        return np.reshape(numbers, (3, 4))
    return np.concatenate([np.reshape(numbers[3:], (3, 3)).T, np.reshape(numbers[:3], (3, 1))], axis=1)


def _named(rows: list[dict[str, str]], column: str, known: tuple[str, ...], where: str) -> str:
    """The one name that a column has in all rows, in small letters."""
    given = sorted({row.get(column, "").lower() for row in rows})
    if len(given) != 1 or given[0] not in known:
        said = ", ".join(given) if any(given) else "nothing"
        raise InputError(
            f"Column {column} of {where} must say {' or '.join(name.upper() for name in known)} in every row, for a "
            f"pose alone does not tell; instead it says {said!r:.60}."
        )
    return given[0]
