"""SAMSEG (Puonti et al., NeuroImage 2016;143:235-249) from PyPI, beside us or in an environment of its own.

Its wheels are for Python 3.11 and numpy below 2, so that it often cannot live where neuro_field does.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from neuro_field.caches import NoCacheError, cache_home
from neuro_field.errors import InputError
from neuro_field.io.locks import locked
from neuro_field.segment.python import find_python, find_uv
from neuro_field.threads import threads

#: Names a run_samseg, if it is not found by itself.
VARIABLE = "NEURO_FIELD_SAMSEG"

#: What goes into an environment of its own.
REQUIREMENTS = ("samseg==0.4a0", "numpy<2")

#: The Python its wheels are for.
PYTHON = (3, 11)

#: Marks an environment that was set up to its end.
_WHOLE = "whole"

#: How the last line of template.lta begins.
_LAST_OF_LTA = "cras"

#: Share of the time that has gone when the first iteration begins on the coarse and on the fine grid, and at the end.
_MILESTONES = (0.05, 0.35, 0.97)


class Samseg:
    """The backend "samseg"."""

    name = "samseg"

    def __init__(self) -> None:
        self._program: Path | None = None
        self._grid, self._reached = -1, 0.0

    @staticmethod
    def own_environment() -> Path:
        """Where `set_up` puts SAMSEG: in the user's cache."""
        return cache_home() / "samseg"

    def find(self) -> Path | None:
        """run_samseg as $NEURO_FIELD_SAMSEG names it, beside our Python, on the PATH, or in its own environment."""
        named = os.environ.get(VARIABLE)
        if named:
            if not Path(named).is_file():
                raise InputError(f"The variable {VARIABLE} must name the program run_samseg; instead it is {named!r}.")
            return Path(named).absolute()
        on_path = shutil.which("run_samseg")
        places = [Path(sys.executable).parent / _in(Path(), "run_samseg").name, *([Path(on_path)] if on_path else [])]
        with suppress(NoCacheError):
            own = self.own_environment()
            places += [_in(own, "run_samseg")] if (own / _WHOLE).is_file() else []
        return next((place for place in places if place.is_file()), None)

    def set_up(self, progress: Callable[[str, float], object]) -> Path:
        """Install SAMSEG in an environment of its own; once, about half a GB."""
        python, uv = find_python(PYTHON), find_uv()
        if python is None and uv is None:
            raise InputError(
                f"SAMSEG is not installed and needs Python 3.11, which is not here (looked for on the PATH, in pyenv, "
                f"with py -3.11 and with uv): install Python 3.11 or uv, which fetches one (or SAMSEG, and name its "
                f"run_samseg in {VARIABLE}), or give --labels made elsewhere."
            )
        folder, stage = self.own_environment(), "setting up SAMSEG, once"
        progress(stage, 0.0)
        folder.parent.mkdir(parents=True, exist_ok=True)
        with locked(folder, wait=lambda: progress("waiting for another run to set up SAMSEG", 0.0)):
            if self.find() is None:  # that run may have made it
                _install(folder, python, uv, lambda share: progress(stage, share))
        progress(stage, 1.0)
        found = self.find()
        if found is None:
            raise InputError(f"SAMSEG was installed in {folder}, but its program run_samseg is not there.")
        return found

    def ready(self, progress: Callable[[str, float], object]) -> str:
        """See `Backend`."""
        self._program = self.find() or self.set_up(progress)
        return f"samseg ({self._program})"

    def command(self, images: Sequence[Path], folder: Path) -> list[str]:
        """See `Backend`; goes on after the registration to the atlas if that is there."""
        out = folder / "samseg"
        registration = out / "template.lta"
        command = [str(self._program), "--input", *map(str, images), "--output", str(out)]
        command += ["--threads", str(threads())]
        if len(images) > 1:
            command += ["--coregister", "--pallidum-separate"]
        return [*command, "--reg", str(registration)] if _is_whole(registration) else command

    def environment(self) -> dict[str, str]:
        """See `Backend`; without our own Python paths."""
        kept = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "PYTHONHOME")}
        return kept | {"PYTHONUNBUFFERED": "1", "PYTHONNOUSERSITE": "1", "MPLBACKEND": "Agg"}

    def share(self, line: str) -> float | None:
        """See `Backend`."""
        if not line.startswith("iterationNumber"):
            return None
        if line.split()[-1] == "0" and self._grid < len(_MILESTONES) - 2:
            self._grid += 1
            self._reached = _MILESTONES[self._grid]
        else:
            self._reached += 0.12 * (_MILESTONES[self._grid + 1] - self._reached)
        return self._reached

    def labels(self, folder: Path) -> Path:
        """See `Backend`."""
        return folder / "samseg" / "seg.mgz"


def _is_whole(registration: Path) -> bool:
    """Whether a registration was written to its end: a run may have been killed while it wrote."""
    try:
        text = registration.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return _LAST_OF_LTA in text[text.find("dst volume info") :] if "dst volume info" in text else False


def _install(folder: Path, python: Path | None, uv: str | None, progress: Callable[[float], object]) -> None:
    """Make an environment with SAMSEG by one of both programs, and mark it as whole."""
    if python is not None:
        _done([str(python), "-m", "venv", "--clear", str(folder)])
    else:
        _done([str(uv), "venv", "--clear", "--seed", "--python", f"{PYTHON[0]}.{PYTHON[1]}", str(folder)])
    progress(0.1)
    _done([str(_in(folder, "python")), "-m", "pip", "install", "--quiet", *REQUIREMENTS])
    (folder / _WHOLE).touch()


def _in(environment: Path, program: str) -> Path:
    """A program of a virtual environment."""
    if sys.platform == "win32":
        return environment / "Scripts" / f"{program}.exe"
    return environment / "bin" / program


def _done(command: list[str]) -> None:
    """Run a command of the set-up to its end."""
    try:
        subprocess.run(
            command, check=True, capture_output=True, stdin=subprocess.DEVNULL, encoding="utf-8", errors="replace"
        )  # fmt: skip
    except (OSError, subprocess.CalledProcessError) as error:
        said = (getattr(error, "stderr", "") or str(error)).strip().splitlines()
        raise InputError(
            f"SAMSEG could not be set up ({said[-1][:200] if said else error}); it needs PyPI and a C compiler. "
            f"Install it yourself and name its run_samseg in {VARIABLE}, or give --labels made elsewhere."
        ) from None
