"""What is kept of a page: poses that a person saves, as navigators' files, and a session of all that was seen."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

import numpy as np

from neuro_field.coil.marker import Marker
from neuro_field.coil.placement import Placement
from neuro_field.io.atomic import ExistsError, held_folder
from neuro_field.navigation.files import WRITERS, Export
from neuro_field.navigation.own_sessions import LOST, PULSE, SEEN, session_head, session_line

#: Poses of a session are at least so far apart, s; one file holds no more lines.
APART, LINES = 0.095, 90_000

#: Numbers of files that are tried.
_MOST = 100_000


class Keeper:
    """A folder beside the plan, to which files are added and in which none is overwritten."""

    def __init__(self, folder: Path, systems: Sequence[str], how: Export) -> None:
        self.folder, self.systems, self.how = folder, tuple(systems), how

    def pose(self, placement: Placement) -> list[Path]:
        """Write a pose for every navigator; the files.

        Raises
        ------
        InputError
            If the folder cannot be made or written to.
        """
        number = self._free("pose")
        marker = Marker(f"led-{number}", placement)
        texts = {
            self.folder / f"pose-{number}_{system}{ending}": text
            for system in self.systems
            for ending, text in WRITERS[system]((marker,), self.how).items()
        }
        with held_folder(self.folder):
            for path, text in texts.items():
                with path.open("x", encoding="utf-8", newline="\n") as file:
                    file.write(text)
        return list(texts)

    def session(self, coil: str) -> "Recorder":
        """A new file of what is seen from now on."""
        return Recorder(self, coil)

    def new(self, name: str, ending: str) -> tuple[Path, TextIO]:
        """A new file of a name and the next free number, open to be written to."""
        with held_folder(self.folder):
            path = self.folder / f"{name}-{self._free(name)}{ending}"
            return path, path.open("x", encoding="utf-8", newline="\n")

    def _free(self, name: str) -> int:
        taken = {path.name.split(".")[0].split("_")[0] for path in self.folder.glob(f"{name}-*")}
        for number in range(1, _MOST):
            if f"{name}-{number}" not in taken:
                return number
        raise ExistsError(f"{self.folder} holds {_MOST} files called {name}-...; name another folder.")


class Recorder:
    """Writes a session, line by line, each on the disk before the next one comes.

    The file is made with its first line: who never sees a coil leaves none.
    """

    def __init__(self, keeper: Keeper, coil: str) -> None:
        self.path: Path | None = None
        self._keeper, self._coil = keeper, coil
        self._file: TextIO | None = None
        self._began, self._last, self._lines = time.monotonic(), -np.inf, 0
        self._lost = False

    @property
    def ready(self) -> bool:
        """Whether a pose that is seen now would be written."""
        return self._lost or time.monotonic() - self._last >= APART

    def seen(self, placement: Placement, gap: float, strength: float) -> None:
        """Where the coil is seen, ten times a second at most."""
        if self.ready:
            self._last, self._lost = time.monotonic(), False
            self._write(SEEN, placement, (gap, strength))

    def pulse(self, placement: Placement, gap: float, strength: float) -> None:
        """A pulse was given there."""
        self._write(PULSE, placement, (gap, strength))

    def lost(self) -> None:
        """The coil is not seen any more; told once."""
        if self._file is not None and not self._lost:
            self._lost = True
            self._write(LOST, None, (np.nan, np.nan))

    def close(self) -> None:
        """No more lines."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _write(self, what: str, placement: Placement | None, figures: tuple[float, float]) -> None:
        if self._file is None or self._lines >= LINES:
            self.close()
            self.path, self._file = self._keeper.new("session", ".tsv")
            self._file.write(session_head(self._coil))
            self._began, self._lines = time.monotonic(), 0
        self._file.write(session_line(time.monotonic() - self._began, what, placement, figures))
        self._file.flush()
        self._lines += 1
