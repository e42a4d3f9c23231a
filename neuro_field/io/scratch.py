"""Folders for what a command needs while it runs: a patient's images lie in them, so none outlives its run for long.

A run that is killed leaves its own behind; the next that makes one removes it.  A lock tells that a run still lives.
"""

import os
import re
import secrets
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from neuro_field.errors import InputError
from neuro_field.io.locks import locked

_NAMES = re.compile(r"neuro_field-scratch-[0-9a-f]{16}")


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """A new folder of this user alone where the system keeps such; it is removed at the end.

    Raises
    ------
    InputError
        If none can be made there.
    """
    place = Path(tempfile.gettempdir())
    folder = place / f"neuro_field-scratch-{secrets.token_hex(8)}"
    with ExitStack() as stack:
        try:
            _remove_left(place)
            stack.enter_context(locked(folder))  # before it is there: nobody finds it without its lock
            folder.mkdir(mode=0o700)
        except OSError as error:
            raise InputError(
                f"Nothing can be written to {place} ({error.strerror or error}); name another place in TMPDIR."
            ) from None
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        yield folder


def _remove_left(place: Path) -> None:
    """Remove what runs of this user left that were killed."""
    for found in place.iterdir():
        if not _NAMES.fullmatch(found.name) or not _own(found):
            continue
        with suppress(InputError, OSError), locked(found) as took:
            if took:
                shutil.rmtree(found, ignore_errors=True)


def _own(folder: Path) -> bool:
    """Whether it is a folder, not a link, and of this user, where a system has users."""
    try:
        status = folder.lstat()
    except OSError:
        return False
    mine = not hasattr(os, "getuid") or status.st_uid == os.getuid()
    return mine and stat.S_ISDIR(status.st_mode)
