"""Our own file of a session: a line for every pose that was seen, written as it comes.

Every line stands for itself, so that a program that is killed leaves a file that is read up to its last whole line.  It
holds no name and no date: times count from its beginning.
"""

from collections.abc import Iterable

import numpy as np

from neuro_field.arrays import FloatArray
from neuro_field.coil.placement import Placement
from neuro_field.errors import FileFormatError
from neuro_field.names import one_line
from neuro_field.navigation.marks import Gathering, NavigatorFile, cells, digits, number

MAGIC = "# neuro_field session "
VERSION = 1

#: What a line tells of.
SEEN, PULSE, LOST = "seen", "pulse", "lost"

POSE = tuple(f"{letter}{row}" for row in range(3) for letter in ("x", "y", "z", "centre"))
COLUMNS = ("time_s", "what", *POSE, "gap_mm", "target_V_per_m")


def session_head(coil: str) -> str:
    """How such a file begins."""
    lines = [
        f"{MAGIC}{VERSION}",
        "# mm of the head frame (RAS of its image); the coil's z points into the head, its y away from the handle",
        f"# coil: {one_line(coil)}",
        "\t".join(COLUMNS),
    ]
    return "\n".join(lines) + "\n"


def session_line(seconds: float, what: str, placement: Placement | None, figures: Iterable[float]) -> str:
    """One line; ``figures`` the gap, mm, and the field in the target, V/m at 1 A/us."""
    pose = [""] * len(POSE) if placement is None else digits(placement.head_from_coil[:3].ravel())
    return "\t".join([f"{seconds:.3f}", what, *pose, *(f"{value:.4f}" for value in figures)]) + "\n"


def timed_poses(text: str, where: str) -> list[tuple[float, Placement | None]]:
    """Seconds and poses of a session, None where the coil was not seen; for a replay."""
    return [(seconds, placement) for seconds, what, placement in _rows(text, where) if what != PULSE]


def read_own_session(text: str, where: str) -> NavigatorFile:
    """Its pulses, or where it tells of none, all poses that were seen."""
    rows = list(_rows(text, where))
    pulses = any(what == PULSE for _, what, _ in rows)
    poses = Gathering(where)
    for line, (seconds, what, placement) in enumerate(rows, start=1):
        if placement is None:
            poses.pass_over("times at which the coil was not seen")
        elif pulses and what != PULSE:
            poses.pass_over("poses between pulses")
        else:
            hours, rest = divmod(seconds, 3600)
            minutes, left = divmod(rest, 60)
            poses.enter(f"pose {line}", {"Time": f"{hours:.0f}:{minutes:.0f}:{left:.3f}"})
            poses.add(f"{what} {line}", placement.head_from_coil, recorded=True)
    if not text.endswith("\n"):
        poses.notes.append("its last line was not written to the end and was left out")
    if not pulses and rows:
        poses.notes.append("it tells of no pulses: every pose that was seen counts as one")
    return poses.file("neuro_field", f"neuro_field session {VERSION}")


def _rows(text: str, where: str) -> list[tuple[float, str, Placement | None]]:
    """Seconds, what, and the pose of every whole line."""
    lines = text.split("\n")[:-1]
    version = lines[0].removeprefix(MAGIC) if lines else ""
    if version != str(VERSION):
        raise FileFormatError(f"{where} is a session of version {version!r:.20}; version {VERSION} is read.")
    kept = [(i, line) for i, line in enumerate(lines, start=1) if line and not line.startswith("#")]
    if not kept or tuple(cells(kept[0][1], "\t")) != COLUMNS:
        raise FileFormatError(f"{where} must have the columns {', '.join(COLUMNS[:3])}, ... of a session.")
    return [_row(cells(line, "\t"), f"{where}, line {i}") for i, line in kept[1:]]


def _row(values: list[str], place: str) -> tuple[float, str, Placement | None]:
    if len(values) != len(COLUMNS) or values[1] not in (SEEN, PULSE, LOST):
        raise FileFormatError(f"{place}: it is no line of a session.")
    seconds = number(values[0], f"{place}: time_s")
    if values[1] == LOST:
        return seconds, LOST, None
    pose: FloatArray = np.eye(4)
    pose[:3] = np.reshape([number(value, f"{place}: a pose") for value in values[2:14]], (3, 4))
    return seconds, values[1], Placement(pose)
