"""Find a Python of a wanted version on this machine, for programs that need another one than ours."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

#: What asks a Python which one it is, and how long it may take, s.
_ASKED, _PATIENCE = "import sys; print('%d.%d' % sys.version_info[:2])", 30


def find_python(version: tuple[int, int]) -> Path | None:
    """The first Python of a version that is found and answers so.

    Looked for as: our own; ``python3.11`` on the PATH; pyenv's (``$PYENV_ROOT`` or ``~/.pyenv``), newest first; what
    Windows' launcher (``py -3.11``) starts; what ``uv python find`` knows.  Nothing is downloaded.

    Parameters
    ----------
    version : (int, int)
        Such as (3, 11).

    Examples
    --------
    >>> import sys
    >>> from neuro_field.segment.python import find_python
    >>> find_python(sys.version_info[:2]) is not None
    True
    >>> find_python((2, 3)) is None
    True
    """
    if sys.version_info[:2] == version:
        return Path(sys.executable)
    wanted = f"{version[0]}.{version[1]}"
    for place in _places(wanted):
        if place.is_file() and _said([str(place), "-c", _ASKED]) == wanted:
            return place
    return None


def find_uv() -> str | None:
    """The program uv, if it is on the PATH; it can fetch a Python of its own."""
    return shutil.which("uv")


def _places(wanted: str) -> Iterator[Path]:
    """Where a Python of a version may lie."""
    on_path = shutil.which(f"python{wanted}")
    if on_path:
        yield Path(on_path)
    root = Path(os.environ.get("PYENV_ROOT") or Path("~/.pyenv").expanduser())
    for name in ("pyenv-win/versions", "versions"):
        folders = sorted((root / name).glob(f"{wanted}*"), key=_patch, reverse=True)
        yield from (folder / ("python.exe" if sys.platform == "win32" else "bin/python") for folder in folders)
    for command in ([shutil.which("py"), f"-{wanted}", "-c", "import sys; print(sys.executable)"],
                    [find_uv(), "python", "find", wanted]):  # fmt: skip
        if command[0]:
            said = _said([part for part in command if part])
            if said:
                yield Path(said)


def _patch(folder: Path) -> tuple[int, ...]:
    """Numbers of a version folder's name, for sorting 3.11.10 behind 3.11.9."""
    return tuple(int(part) for part in folder.name.split(".") if part.isdigit())


def _said(command: list[str]) -> str:
    """The last line that a command says; nothing if it fails."""
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
            stdin=subprocess.DEVNULL,
            timeout=_PATIENCE,
            check=True,
        )
    except (OSError, ValueError, subprocess.SubprocessError):
        return ""
    lines = done.stdout.strip().splitlines()
    return lines[-1].strip() if lines else ""
