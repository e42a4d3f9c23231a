"""Write beside, then rename: what a person finds on the disk is whole or not there.

A place is claimed before the work for it begins: made and removed again, so that what would fail at the end fails at
once, and locked, so that two runs never work for the same one.
"""

import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from neuro_field.errors import InputError, printable
from neuro_field.io.locks import TakenError, locked

#: Less than this on a disk is room for nothing that is written here, bytes.
LEAST_ROOM = 20_000_000

#: What is written beside before it is renamed begins so.
_BESIDE = ".writing-"

#: Seconds to wait, one after another, for a file that another program has open: Windows renames onto none.
_PATIENCE = (0.05, 0.1, 0.2, 0.4, 0.8)


class ExistsError(InputError, FileExistsError):
    """The place is taken; nothing was overwritten."""

    def __str__(self) -> str:
        return printable(str(self.args[0]))


def _parent(path: Path) -> Path:
    """The existing folder that will hold a path."""
    if path.name in ("", ".."):
        raise InputError(f"{str(path)!r} is no name for something new; give the name of a file or folder.")
    parent = path.absolute().parent
    if not parent.is_dir():
        raise InputError(f"The folder {parent} does not exist; create it, or give another place for {path.name}.")
    return parent


def _readable_by_others(path: Path, mode: int) -> None:
    """Permissions as an ordinary new file would have them; temporary ones are private."""
    mask = os.umask(0)
    os.umask(mask)
    path.chmod(mode & ~mask)


def _moved(beside: Path, path: Path) -> None:
    """Rename, in one step where a file is replaced; waits a little for a program that has it open."""
    for pause in (*_PATIENCE, None):
        try:
            beside.replace(path)
            return
        except PermissionError:
            if pause is None:
                raise
        time.sleep(pause)


def _sweep(path: Path, parent: Path) -> None:
    """Remove what killed runs left beside a place; only its lock tells that they live no more."""
    left = re.compile(rf"{re.escape(_BESIDE)}[a-z0-9_]{{8}}-{re.escape(path.name)}")
    for found in parent.iterdir():
        if left.fullmatch(found.name):
            if found.is_dir() and not found.is_symlink():
                shutil.rmtree(found, ignore_errors=True)
            else:
                found.unlink(missing_ok=True)


@contextmanager
def _held(path: Path, parent: Path) -> Iterator[None]:
    """The lock of a place, swept of what killed runs left."""
    with ExitStack() as stack:
        try:
            if stack.enter_context(locked(path)):
                _sweep(path, parent)
        except TakenError:
            raise
        except OSError as error:
            raise _unwritable(parent, error) from None
        yield


def _unwritable(place: Path, error: OSError) -> InputError:
    return InputError(
        f"Nothing can be written to {place} ({error.strerror or error}); give a place that can be written to."
    )


def _check_room(parent: Path) -> None:
    disk = shutil.disk_usage(parent)
    if disk.total and disk.free < LEAST_ROOM:
        raise InputError(
            f"The disk of {parent} has {disk.free / 1e6:.0f} MB left, and at least {LEAST_ROOM / 1e6:.0f} MB are "
            "needed; make room, or give another place."
        )


@contextmanager
def claimed_file(path: str | Path) -> Iterator[None]:
    """Hold the place of a new file from before the work for it until it is written.

    Raises
    ------
    InputError
        If it is there already, is a link, or cannot be made (also a FileExistsError); if its folder does not exist or
        cannot be written to, its disk is full, or another run is at it.
    """
    path = Path(path)
    parent = _parent(path)
    with _held(path, parent):
        if path.exists() or path.is_symlink():
            raise ExistsError(f"{path} is there already; nothing was overwritten: remove it or give another name.")
        _check_room(parent)
        try:
            path.open("xb").close()
            path.unlink()
        except OSError as error:
            raise _unwritable(path, error) from None
        yield


@contextmanager
def new_file(path: str | Path) -> Iterator[Path]:
    """A place to write a file to, renamed to ``path`` at success and removed at failure.

    An existing file is replaced in one step. The temporary name ends as ``path`` does, so that writers which
    look at the suffix see it.

    Raises
    ------
    InputError
        If the folder of ``path`` does not exist or cannot be written to, ``path`` is a folder, or another run writes it
        now.
    """
    path = Path(path)
    parent = _parent(path)
    if path.is_dir():
        raise ExistsError(f"{path} is a folder; give the name of a file.")
    with _held(path, parent):
        handle, name = tempfile.mkstemp(prefix=_BESIDE, suffix="-" + path.name, dir=parent)
        os.close(handle)
        beside = Path(name)
        try:
            yield beside
            _readable_by_others(beside, 0o666)
            _moved(beside, path)
        finally:
            beside.unlink(missing_ok=True)


def check_new_folder(path: str | Path) -> None:
    """Refuse at once what `new_folder` would refuse after the work."""
    with claimed_folder(path):
        pass


@contextmanager
def claimed_folder(path: str | Path) -> Iterator[None]:
    """Hold the place of a new folder from before the work for it until it is written.

    The folder is made and removed again, in the way in which `new_folder` makes it.

    Raises
    ------
    InputError
        If ``path`` exists and is not an empty folder (also a FileExistsError), is a link or the folder this runs in, or
        cannot be made; if its own folder does not exist or cannot be written to, its disk is full, or another run is at
        it.
    """
    path = Path(path)
    parent = _parent(path)
    with _held(path, parent):
        if path.is_symlink():
            raise ExistsError(f"{path} is a link; nothing was written: name the folder itself, or another.")
        if path.exists() and (not path.is_dir() or any(path.iterdir())):
            kind = "folder that is not empty" if path.is_dir() else "file"
            raise ExistsError(f"{path} is already a {kind}; nothing was overwritten: remove it or give another name.")
        was_there = path.is_dir()
        if was_there and path.samefile(Path.cwd()):
            raise ExistsError(f"{path} is the folder this runs in, which cannot be exchanged; name a folder in it.")
        _check_room(parent)
        try:
            _become(Path(tempfile.mkdtemp(prefix=_BESIDE, suffix="-" + path.name, dir=parent)), path)
            if not was_there:
                path.rmdir()
        except OSError as error:
            raise _unwritable(path, error) from None
        yield


@contextmanager
def held_folder(path: str | Path) -> Iterator[None]:
    """Hold a folder to add files to, which may hold some already; it is made if it is not there.

    Raises
    ------
    InputError
        If ``path`` is a file or a link to nothing (also a FileExistsError), or cannot be made; if its own folder does
        not exist or cannot be written to, its disk is full, or another run is at it.
    """
    path = Path(path)
    parent = _parent(path)
    with _held(path, parent):
        if not path.is_dir() and (path.exists() or path.is_symlink()):
            kind = "link to nothing" if path.is_symlink() else "file"
            raise ExistsError(f"{path} is a {kind}; nothing was overwritten: name another folder.")
        _check_room(parent)
        try:
            path.mkdir(exist_ok=True)
        except OSError as error:
            raise _unwritable(path, error) from None
        yield


def _become(beside: Path, path: Path) -> None:
    """Rename a folder to its place, which may be an empty folder."""
    try:
        _readable_by_others(beside, 0o777)
        if path.is_dir():
            path.rmdir()  # empty, or this refuses
        _moved(beside, path)
    finally:
        if beside.exists():
            shutil.rmtree(beside, ignore_errors=True)


@contextmanager
def new_folder(path: str | Path) -> Iterator[Path]:
    """A folder to fill, renamed to ``path`` at success and removed with all it holds at failure.

    Raises
    ------
    InputError
        As of `claimed_folder`.
    """
    path = Path(path)
    with claimed_folder(path):
        beside = Path(tempfile.mkdtemp(prefix=_BESIDE, suffix="-" + path.name, dir=path.absolute().parent))
        try:
            yield beside
        except BaseException:
            shutil.rmtree(beside, ignore_errors=True)
            raise
        _become(beside, path)
