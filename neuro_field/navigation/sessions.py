"""Recorded poses of a course, from as many navigators' files as it took."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from neuro_field.coil.marker import Marker
from neuro_field.errors import InputError
from neuro_field.navigation.files import read_navigator
from neuro_field.navigation.frames import ImageFrames


def recorded_poses(paths: Sequence[str | Path], image: ImageFrames | None = None) -> tuple[list[Marker], list[str]]:
    """Markers of all files in the head frame, and notes on what was assumed or left out, each with its count.

    Of a file that tells recorded poses from planned ones, the recorded ones; of another, all.  A session is named as
    the file says; where it says nothing, or several files are given, by the file.

    Raises
    ------
    InputError
        If no file holds a pose, or one is given twice.
    """
    files = [Path(path) for path in paths]
    if len({path.resolve() for path in files}) < len(files):
        raise InputError("A file of recorded poses is given twice; its pulses would count twice.")
    markers: list[Marker] = []
    notes: list[str] = []
    for path in files:
        read = read_navigator(path, image)
        notes += [f"{path.name}: {note}" for note in read.notes]
        found = [marker for marker in read.markers if marker.recorded]
        if not found and read.markers:
            found = list(read.markers)
            notes.append(f"{path.name}: {read.system} does not say which of its poses were recorded; all were taken")
        for marker in found:
            parts = [path.stem] if len(files) > 1 or not marker.session else []
            session = ": ".join(parts + ([marker.session] if marker.session else []))
            markers.append(replace(marker, session=session))
    if not markers:
        told = f" ({'; '.join(notes)})" if notes else ""
        raise InputError(f"No coil pose was found in {', '.join(path.name for path in files)}{told}.")
    return markers, notes
