"""Names as people type them: capitals, blanks and hyphens are forgiven, makers' names known, near misses told."""

import re
from collections.abc import Collection, Iterable, Mapping
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


#: Names that Windows keeps for devices, whatever their ending.
_DEVICES = re.compile(r"(con|prn|aux|nul|(com|lpt)[0-9])(\..*)?", re.IGNORECASE)


def file_name(text: object, taken: Collection[str] = ()) -> str:
    """Any text as the name of a file or folder that every system takes, without an ending.

    Parameters
    ----------
    text : object
        A coil's name from a file, say: what is no letter, digit, dot or the like becomes a hyphen.
    taken : collection of str
        Names given out already; one that differs from them in capitals alone gets a number.

    Examples
    --------
    >>> file_name("Cool-B65: A/P?"), file_name("aux.tcd"), file_name("B70", ["b70"])
    ('Cool-B65-A-P', '_aux.tcd', 'B70-2')
    """
    name = re.sub(r"[^A-Za-z0-9_.+-]+", "-", str(text)).strip("-.+")[:80].rstrip("-.+") or "unnamed"
    name, known = f"_{name}" if _DEVICES.fullmatch(name) else name, {other.casefold() for other in taken}
    number, out = 1, name
    while out.casefold() in known:
        number += 1
        out = f"{name}-{number}"
    return out


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
