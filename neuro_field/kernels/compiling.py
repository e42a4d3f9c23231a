"""How numba compiles and runs the kernels here: with how many threads, and where it keeps what it compiled.

It keeps compiled kernels beside their source, where it may. Where it may not (a read-only installation), and has no
home to keep them in either, it would refuse to define them.
"""

import atexit
import logging
import os
import shutil
import sys
import tempfile
from pathlib import Path

from neuro_field.threads import VARIABLE, threads

LOG = logging.getLogger(__name__)

#: Names numba's own place.
_PLACE = "NUMBA_CACHE_DIR"


def set_up() -> None:
    """Tell numba its threads and its place for compiled kernels, unless the user has."""
    _set_threads(threads())
    beside = Path(__file__).parent / "__pycache__"
    if not os.environ.get(_PLACE) and not _writable(beside):
        _set_place(_place())


def _set_threads(number: int) -> None:
    """No more threads than that: by the variable where numba starts later, else as its own limit."""
    loaded = sys.modules.get("numba")
    if loaded is not None:
        loaded.set_num_threads(min(number, loaded.get_num_threads()))
    elif not os.environ.get(VARIABLE):
        os.environ[VARIABLE] = str(number)


def _place() -> Path:
    """A folder for compiled kernels: in the user's cache, or one that goes when this process ends."""
    from neuro_field.caches import NoCacheError, cache_home  # seldom needed, and every import of kernels waits for it

    try:
        place = cache_home() / "kernels"
        if _writable(place):
            return place
    except NoCacheError:
        pass
    place = Path(tempfile.mkdtemp(prefix="neuro_field-kernels-"))  # of this user alone: what lies there is executed
    atexit.register(shutil.rmtree, place, ignore_errors=True)
    LOG.warning("Nothing can be kept for this user: kernels are compiled anew, a minute or two; see NEURO_FIELD_CACHE.")
    return place


def _set_place(place: Path) -> None:
    os.environ[_PLACE] = str(place)
    loaded = sys.modules.get("numba")
    if loaded is not None:
        loaded.config.CACHE_DIR = str(place)


def _writable(folder: Path) -> bool:
    """Whether a file can be made in a folder, which is made for it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False
