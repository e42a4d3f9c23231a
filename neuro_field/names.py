"""Names as people type them: capitals, blanks and hyphens are forgiven, makers' names known, near misses told."""

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches

from neuro_field.errors import UnknownNameError

#: Longer names are cut, and longer citations.
LONGEST, LONGEST_SOURCE = 200, 1300


def one_line(text: object, longest: int = LONGEST) -> str:
    """A name as it can be shown anywhere: one line of letters, runs of white space and control characters as a blank.

    Names come from files: of coils, heads, targets, masks, poses.

    Examples
    --------
    >>> one_line("Jane\\tDoe\\x1b[2J")
    'Jane Doe [2J'
    """
    return " ".join("".join(letter if letter.isprintable() else " " for letter in str(text)).split())[:longest]


def file_name(text: object) -> str:
    """A name as part of a file's name on any disk: letters, digits, dots and hyphens, none of them in front.

    Examples
    --------
    >>> file_name("../Figure 8: 70 mm")
    'Figure-8-70-mm'
    """
    return re.sub(r"[^A-Za-z0-9_.+]+", "-", one_line(text)).strip("-.")[:80] or "unnamed"


def resolved(kind: str, given: object, known: Iterable[str], also: Mapping[str, str] | None = None) -> str:
    """The name on a list that a person means.

    Parameters
    ----------
    kind : str
        What it is the name of, for the message.
    given : object
        As typed: "M1_Hand" and "m1 hand" mean "m1-hand".
    known : iterable of str
        The names there are.
    also : mapping of str to str, optional
        Other names of these.

    Raises
    ------
    UnknownNameError
        With the nearest name, where one is near, and the names there are.

    Examples
    --------
    >>> resolved("coil", "Double Cone", ["double-cone", "figure8-70mm"])
    'double-cone'
    >>> resolved("coil", "D70", ["double-cone", "figure8-70mm"], {"D70": "figure8-70mm"})
    'figure8-70mm'
    >>> nearest("m1-hnad", ["m1-hand", "m1-leg"])
    'm1-hand'
    """
    listed = list(known)
    meant = _meanings(listed, also)
    folded = _folded(given)
    if folded in meant and isinstance(given, str):
        return meant[folded]
    raise UnknownNameError(kind, given, listed, nearest(given, listed, also))


def nearest(given: object, known: Iterable[str], also: Mapping[str, str] | None = None) -> str | None:
    """The name on a list that is most like one that is not, or None."""
    meant = _meanings(list(known), also)
    found = get_close_matches(_folded(given), list(meant), n=1, cutoff=0.6)
    return meant[found[0]] if found else None


def _meanings(known: list[str], also: Mapping[str, str] | None) -> dict[str, str]:
    return {_folded(name): meant for name, meant in (also or {}).items()} | {_folded(name): name for name in known}


def _folded(text: object) -> str:
    """Letters and digits alone, small."""
    return "".join(letter for letter in str(text).casefold() if letter.isalnum())
