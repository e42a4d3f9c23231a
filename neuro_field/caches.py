"""Where this user keeps what can be made again."""

import os
from pathlib import Path

from platformdirs import user_cache_path

from neuro_field.errors import InputError

#: Names the folder outright.
VARIABLE = "NEURO_FIELD_CACHE"


class NoCacheError(InputError):
    """There is no place to keep anything for this user."""


def cache_home() -> Path:
    """The folder of everything this user keeps; not made by this.

    $NEURO_FIELD_CACHE, or neuro_field in $XDG_CACHE_HOME on every system, or in the system's own place for caches.

    Raises
    ------
    NoCacheError
        If the user has no home and no variable names a place.
    """
    named, shared = os.environ.get(VARIABLE), os.environ.get("XDG_CACHE_HOME")
    if named:
        return Path(named).absolute()
    if shared and Path(shared).is_absolute():
        return Path(shared) / "neuro_field"
    place = user_cache_path("neuro_field", appauthor=False, opinion=False)
    if not place.is_absolute():  # "~" of a user without a home
        raise NoCacheError(f"This user has no home folder, so nothing can be kept; name a folder in {VARIABLE}.")
    return place
