"""Write beside, then rename: what a person finds on the disk is whole or not there."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from neuro_field.errors import InputError, printable


class ExistsError(InputError, FileExistsError):
    """The place is taken; nothing was overwritten."""

    def __str__(self) -> str:
        return printable(str(self.args[0]))


def _parent(path: Path) -> Path:
    """The existing folder that will hold a path."""
    parent = path.absolute().parent
    if not parent.is_dir():
        raise InputError(f"The folder {parent} does not exist; create it, or give another place for {path.name}.")
    return parent


def _readable_by_others(path: Path, mode: int) -> None:
    """Permissions as an ordinary new file would have them; temporary ones are private."""
    mask = os.umask(0)
    os.umask(mask)
    path.chmod(mode & ~mask)


@contextmanager
def new_file(path: str | Path) -> Iterator[Path]:
    """A place to write a file to, renamed to ``path`` at success and removed at failure.

    An existing file is replaced in one step. The temporary name ends as ``path`` does, so that writers which
    look at the suffix see it.

    Raises
    ------
    InputError
        If the folder of ``path`` does not exist, or ``path`` is a folder.
    """
    path = Path(path)
    parent = _parent(path)
    if path.is_dir():
        raise ExistsError(f"{path} is a folder; give the name of a file.")
    handle, name = tempfile.mkstemp(prefix=".writing-", suffix="-" + path.name, dir=parent)
    os.close(handle)
    beside = Path(name)
    try:
        yield beside
        _readable_by_others(beside, 0o666)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def check_new_folder(path: str | Path) -> Path:
    """The folder that will hold a new folder; refuses at once what `new_folder` would refuse after the work."""
    path = Path(path)
    parent = _parent(path)
    if path.is_file() or (path.is_dir() and any(path.iterdir())):
        kind = "file" if path.is_file() else "folder that is not empty"
        raise ExistsError(f"{path} is already a {kind}; nothing was overwritten: remove it or give another name.")
    return parent


@contextmanager
def new_folder(path: str | Path) -> Iterator[Path]:
    """A folder to fill, renamed to ``path`` at success and removed with all it holds at failure.

    Raises
    ------
    InputError
        If ``path`` exists and is not an empty folder (also a FileExistsError), or its own folder does not
        exist.
    """
    path = Path(path)
    parent = check_new_folder(path)
    beside = Path(tempfile.mkdtemp(prefix=".writing-", suffix="-" + path.name, dir=parent))
    try:
        yield beside
        _readable_by_others(beside, 0o777)
        if path.is_dir():
            path.rmdir()  # empty, or this refuses
        beside.rename(path)
    finally:
        if beside.exists():
            shutil.rmtree(beside, ignore_errors=True)
