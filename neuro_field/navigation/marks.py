"""What every navigator's reader and writer shares: what was read, bounded files, text to numbers, safe XML."""

from collections.abc import Iterable
from dataclasses import dataclass
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

#: A larger file is not read, bytes: 50,000 recorded pulses of the wordiest format are smaller.
LARGEST = 64_000_000

#: No coordinate of a pose is larger: mm, degrees, parts of axes.
LARGEST_NUMBER = 1e6

#: More poses than this in one file are no course of stimulation.
MOST_POSES = 100_000


@dataclass(frozen=True, eq=False)
class NavigatorFile:
    """What a navigator's file says.

    ``system`` as in `neuro_field.navigation.files`; ``convention`` the frame its poses were in, in words;
    ``markers`` in the head frame; ``notes`` what was left out or assumed, one line each.
    """

    system: str
    convention: str
    markers: tuple[Marker, ...]
    notes: tuple[str, ...] = ()


def bounded_text(path: Path) -> str:
    """The text of a file of a size that can be one; a byte-order mark is dropped."""
    if not path.is_file():
        raise FileNotFoundError(f"There is no navigator file {str(path)!r}.")
    size = path.stat().st_size
    if size > LARGEST:
        raise FileFormatError(f"{path} is {size / 1e6:.0f} MB; a navigator's file has at most {LARGEST / 1e6:.0f} MB.")
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FileFormatError(f"{path} is no text in UTF-8: byte {error.start} is not.") from None


def xml_root(text: str, where: str) -> Element:
    """The root of an XML text; one that defines entities is refused unread."""
    try:
        root: Element = fromstring(text.encode("utf-8", "replace"))
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        reason = " ".join(str(error).split())[:120] or type(error).__name__
        raise FileFormatError(f"{where} is no sound XML: {reason}.") from None
    return root


def number(value: Any, where: str) -> float:
    """A number of a text, of a size that a pose can have."""
    try:
        out = float(value)
    except (TypeError, ValueError, OverflowError):
        out = np.nan
    if not abs(out) <= LARGEST_NUMBER:
        raise FileFormatError(f"{where} must be a number up to {LARGEST_NUMBER:g}; instead it is {value!r:.40}.")
    return out


def fact(value: Any, largest: float) -> float | None:
    """A number from 0 to a largest of a text, or None where there is none: no reason to refuse the pose beside it."""
    try:
        out = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return out if 0 <= out <= largest else None


def marker_of(name: str, head_from_coil: FloatArray, where: str, **facts: Any) -> Marker:
    """A marker at a pose; a pose that is sheared, scaled or mirrored is refused with its number and place."""
    try:
        return Marker(name, Placement(head_from_coil), **facts)
    except InputError as error:
        raise FileFormatError(f"{where}: {error}") from None


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


def checked_count(markers: list[Marker], where: str) -> tuple[Marker, ...]:
    """The markers, unless there are more than can be."""
    if len(markers) > MOST_POSES:
        raise FileFormatError(f"{where} holds {len(markers)} poses; at most {MOST_POSES} are read.")
    return tuple(markers)


def digits(values: Iterable[float]) -> list[str]:
    """Numbers as text, 1e-12 exact: a pose read again is the one that was written."""
    return [f"{value + 0.0:.12f}" for value in values]


def left_out(count: int, what: str) -> tuple[str, ...]:
    """A note on what was left out, if anything was."""
    return (f"{count} {what} left out",) if count else ()
