"""What every navigator's reader and writer shares: what was read, bounded files, text to numbers, safe XML.

A pose that cannot be used is left out, counted and told; it never takes the others of its file with it.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, ParseError

import numpy as np
from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from neuro_field.arrays import FloatArray
from neuro_field.coil.marker import Marker
from neuro_field.coil.placement import Placement
from neuro_field.errors import FileFormatError, InputError
from neuro_field.nouns import noun

#: A larger file is not read, bytes: 50,000 recorded pulses of the wordiest format are smaller.
LARGEST = 64_000_000

#: No coordinate of a pose is larger: mm, degrees, parts of axes.
LARGEST_NUMBER = 1e6

#: More poses than this in one file are no course of stimulation.
MOST_POSES = 100_000

#: So many reasons are told for poses that were left out; the others are counted.
_TOLD = 3

_DECIMAL_COMMA = re.compile(r"[+-]?[0-9]*,[0-9]+(?:[eE][+-]?[0-9]+)?")
#: Codings that an XML may declare beside UTF-8: of one byte a letter.
_EIGHT_BITS = ("iso-8859-", "iso8859-", "latin", "windows-125", "cp125", "us-ascii", "ascii", "mac")

_DECLARED = re.compile(r"""\s*<\?xml[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")


@noun
class Entry:
    """One recorded row of a file: its place, what its cells say by column, and its marker; None without a pose."""

    place: str
    facts: Mapping[str, str]
    marker: Marker | None = None


@noun
class NavigatorFile:
    """What a navigator's file says.

    ``system`` as in `neuro_field.navigation.files`; ``convention`` the frame its poses were in, in words;
    ``markers`` in the head frame; ``notes`` what was left out or assumed, one line each; ``left_out`` the place and
    reason of every pose that is in the file and cannot be used, one line each (``notes`` tell their number and the
    first of them); ``entries`` every recorded row in its order, also those without a pose.
    """

    system: str
    convention: str
    markers: tuple[Marker, ...]
    notes: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    entries: tuple[Entry, ...] = ()


class Gathering:
    """The poses of one file while it is read: good ones, bad ones with their reasons, and entries that are none."""

    def __init__(self, where: str) -> None:
        self.where = where
        self.markers: list[Marker] = []
        self.notes: list[str] = []
        self._bad: list[str] = []
        self._other: Counter[str] = Counter()
        self._entries: list[Entry] = []

    def enter(self, place: str, facts: Mapping[str, str]) -> None:
        """Keep what a recorded row says; a marker that is added next is its pose."""
        self._entries.append(Entry(place, facts))

    @contextmanager
    def pose(self, place: str) -> Iterator[None]:
        """Read one pose: what goes wrong leaves out this one, and is told with its place in the file."""
        try:
            yield
        except InputError as error:
            self._bad.append(f"{place}: {error}")

    def add(self, name: str, head_from_coil: FloatArray, **facts: Any) -> None:
        """A marker at a pose; one that is sheared, scaled or mirrored raises InputError with its number."""
        self.markers.append(Marker(name, Placement(head_from_coil), **facts))
        if self._entries and facts.get("recorded"):
            self._entries[-1] = replace(self._entries[-1], marker=self.markers[-1])

    def pass_over(self, what: str) -> None:
        """Count an entry that is no pose: ``what`` as in "untracked pulses"."""
        self._other[what] += 1

    def file(self, system: str, convention: str) -> NavigatorFile:
        """What was read.

        Raises
        ------
        FileFormatError
            If there are more poses than can be, or not one of those in the file can be used.
        """
        good, bad = len(self.markers), len(self._bad)
        if good + bad > MOST_POSES:
            raise FileFormatError(f"{self.where} holds {good + bad} poses; at most {MOST_POSES} are read.")
        told = "; ".join(reason.rstrip(".") for reason in self._bad[:_TOLD])
        if bad and not good:
            which = "the one pose" if bad == 1 else f"none of the {bad} poses"
            verb = "cannot be used" if bad == 1 else "can be used"
            raise FileFormatError(f"{self.where}: {which} in it {verb}: {told}.")
        notes = [*self.notes, *(f"{count} {what} were left out" for what, count in self._other.items())]
        if bad:
            rest = f"; and {bad - _TOLD} more" if bad > _TOLD else ""
            notes.append(f"{bad} of {good + bad} poses cannot be used and were left out: {told}{rest}")
        if not good and not self._other:
            notes.append("it holds no coil poses")
        return NavigatorFile(
            system, convention, tuple(self.markers), tuple(notes), tuple(self._bad), tuple(self._entries)
        )


def bounded_text(path: Path) -> str:
    """The text of a file of a size that can be one, its lines ended by line feeds; a byte-order mark is dropped."""
    if not path.is_file():
        raise FileNotFoundError(f"There is no navigator file {str(path)!r}.")
    size = path.stat().st_size
    if size > LARGEST:
        raise FileFormatError(f"{path} is {size / 1e6:.0f} MB; a navigator's file has at most {LARGEST / 1e6:.0f} MB.")
    return unix_lines(_decoded(path.read_bytes(), path))


def unix_lines(text: str) -> str:
    """A text with line feeds for the line ends of Windows and of old Macintoshes."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _decoded(data: bytes, path: Path) -> str:
    """Text in UTF-8 or UTF-16, in what an XML declares, or as western Windows and Latin-1 have it."""
    declared = _DECLARED.match(data[:200].decode("ascii", "replace"))
    codings = ["utf-16"] if data[:2] in (b"\xff\xfe", b"\xfe\xff") else ["utf-8-sig", "cp1252", "latin-1"]
    if declared and declared[1].lower().startswith(_EIGHT_BITS):
        codings.insert(0, declared[1])
    for coding in codings:
        try:
            text = data.decode(coding)
        except (UnicodeError, LookupError):
            continue
        if any(letter < " " and letter not in "\t\n\r\f\v" for letter in text):
            break
        return text
    raise FileFormatError(f"{path} is no text: it holds bytes that no coding of text has.")


def cells(line: str, delimiter: str) -> list[str]:
    """The cells of one line; a cell may stand in quotes, which a spreadsheet adds, and other quotes are letters.

    Unlike a reader of CSV this never runs on into the next line: a lone quote cannot swallow rows.
    """
    out, rest = [], line
    while True:
        quoted = re.match(rf'"((?:[^"]|"")*)"(?={re.escape(delimiter)}|$)', rest)
        if quoted:
            out.append(quoted[1].replace('""', '"').strip())
            rest = rest[quoted.end() :]
        else:
            cell, found, after = rest.partition(delimiter)
            out.append(cell.strip())
            rest = found + after
        if not rest:
            return out
        rest = rest[len(delimiter) :]


def xml_root(text: str, where: str) -> Element:
    """The root of an XML text, decoded already; one that defines entities is refused unread."""
    declared = _DECLARED.match(text)
    if declared:  # what it declares was its coding on the disk
        text = text[: declared.start(1)] + "utf-8" + text[declared.end(1) :]
    try:
        root: Element = fromstring(text.encode("utf-8", "replace"))
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        reason = " ".join(str(error).split())[:120] or type(error).__name__
        raise FileFormatError(f"{where} is no sound XML: {reason}.") from None
    return root


def point_for_comma(value: Any) -> Any:
    """A number's text with its decimal comma, if it has one, as a point."""
    if isinstance(value, str):
        value = value.strip().replace("\u2212", "-")
        return value.replace(",", ".") if _DECIMAL_COMMA.fullmatch(value) else value
    return value


def number(value: Any, what: str) -> float:
    """A number of a text, of a size that a pose can have; ``what`` names it in the message."""
    try:
        out = np.nan if isinstance(value, bool) else float(point_for_comma(value))
    except (TypeError, ValueError, OverflowError):
        out = np.nan
    if not abs(out) <= LARGEST_NUMBER:
        raise FileFormatError(f"{what} must be a number up to {LARGEST_NUMBER:g}; instead it is {value!r:.40}.")
    return out


def fact(value: Any, largest: float) -> float | None:
    """A number from 0 to a largest of a text, or None where there is none: no reason to refuse the pose beside it."""
    try:
        out = float(point_for_comma(value))
    except (TypeError, ValueError, OverflowError):
        return None
    return out if 0 <= out <= largest else None


def unrounded(pose: FloatArray, half_unit: float) -> FloatArray:
    """A pose whose rotation is made exact where no number of it moves by more than two half units of its last digit.

    Three decimals leave axes up to 0.0017 from perpendicular; farther off than rounding explains, it stays as it is.
    """
    u, _, vt = np.linalg.svd(pose[:3, :3])
    nearest = u @ vt
    out = pose.copy()
    if np.linalg.det(nearest) > 0 and np.abs(nearest - pose[:3, :3]).max() <= 2 * half_unit:
        out[:3, :3] = nearest
    return out


def digits(values: Iterable[float]) -> list[str]:
    """Numbers as text, 1e-12 exact: a pose read again is the one that was written."""
    return [f"{value + 0.0:.12f}" for value in values]
