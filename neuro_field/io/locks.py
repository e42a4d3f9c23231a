"""Hold a place on the disk against other processes: an operating system's lock, which dies with its process.

The lock is on a hidden empty file beside the place, so that it also holds between machines that share a drive; the file
goes when the lock does.
"""

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path

from filelock import lock_descriptor, unlock_descriptor

from neuro_field.errors import InputError

LOG = logging.getLogger(__name__)

#: Seconds between two looks at a lock that another process holds.
_PAUSE = 0.2

#: How often this process holds a lock, and its descriptor; a lock of ours is no obstacle to ourselves.
_HELD: dict[Path, tuple[int, int]] = {}
_GUARD = threading.Lock()


class TakenError(InputError, BlockingIOError):
    """Another process works on this place now."""

    def __str__(self) -> str:
        return str(self.args[0])


@contextmanager
def locked(path: Path, *, wait: Callable[[], object] | None = None) -> Iterator[bool]:
    """Hold the lock of a file or folder that is to be written.

    Parameters
    ----------
    path : Path
        Its own folder must exist; the place itself need not.
    wait : callable, optional
        Wait for another process to let go instead of refusing, and call this at each look.

    Yields
    ------
    bool
        Whether this call took the lock; False where this process held it already, or the disk knows no locks.

    Raises
    ------
    TakenError
        If another process holds it, and ``wait`` is not given.
    OSError
        If no file can be made beside ``path``.
    """
    lock = lock_file(path)
    took, knows_locks = _taken(lock, path, wait)
    try:
        yield took
    finally:
        if knows_locks:
            _let_go(lock)


def lock_file(path: Path) -> Path:
    """The hidden file beside a place by which it is locked."""
    folder = Path(os.path.realpath(path.absolute().parent))  # one place, by whatever links it was named
    return folder / f".writing-{path.name}.lock"


def _taken(lock: Path, path: Path, wait: Callable[[], object] | None) -> tuple[bool, bool]:
    """Whether the lock was taken now, and whether it has to be let go: not where the disk knows none."""
    while True:
        with _GUARD:
            if lock in _HELD:
                times, descriptor = _HELD[lock]
                _HELD[lock] = times + 1, descriptor
                return False, True
            try:
                found = _locked_descriptor(lock)
            except _NoLocksError as error:
                _warn_of(lock.parent.stat().st_dev, str(error))
                return False, False
            if found is not None:
                _HELD[lock] = 1, found
                return True, True
        if wait is None:
            raise TakenError(f"{path} is being written by another run now; wait until it ends, or give another name.")
        wait()
        time.sleep(_PAUSE)


@lru_cache(maxsize=16)  # once for each disk
def _warn_of(disk: int, why: str) -> None:
    LOG.warning("The disk of the output knows no locks (%s): let no two runs write the same thing there.", why)


class _NoLocksError(Exception):
    """The disk knows no locks, as some network drives."""


def _locked_descriptor(lock: Path) -> int | None:
    """An open and locked file; None where another process holds it."""
    while True:
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o666)
        try:
            if not lock_descriptor(descriptor, blocking=False):
                os.close(descriptor)
                return None
            # whoever let go removed the file: a lock on one that nobody else can see holds nobody off
            if os.path.samestat(os.fstat(descriptor), os.stat(lock)):
                return descriptor
        except FileNotFoundError:
            pass
        except OSError as error:
            os.close(descriptor)
            lock.unlink(missing_ok=True)
            raise _NoLocksError(error.strerror or str(error)) from None
        os.close(descriptor)


def _let_go(lock: Path) -> None:
    with _GUARD:
        times, descriptor = _HELD[lock]
        if times > 1:
            _HELD[lock] = times - 1, descriptor
            return
        del _HELD[lock]
        with suppress(OSError):  # Windows removes no open file
            lock.unlink()
        with suppress(OSError):
            unlock_descriptor(descriptor)
        os.close(descriptor)
        if os.name == "nt":
            with suppress(OSError):  # it stays if another process waits on it, and goes with that one
                lock.unlink()
