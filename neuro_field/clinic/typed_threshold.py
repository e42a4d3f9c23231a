"""Motor thresholds as people type them: "percent=55 kind=rMT hand=right muscle=FDI coil=figure8-70mm"."""

import re
import shlex
from typing import Any

from neuro_field.clinic.threshold import KINDS, METHODS, Threshold
from neuro_field.errors import InputError

#: Shown whenever a text is not understood.
EXAMPLE = "percent=55 kind=rMT hand=right muscle=FDI method=emg coil=figure8-70mm stimulator='Magstim Rapid'"

KEYS = ("percent", "kind", "hand", "foot", "muscle", "method", "coil", "stimulator")

#: Other words for a key or a value.
_KEYS = {"mso": "percent", "output": "percent", "stim": "stimulator", "machine": "stimulator"}
_VALUES = {"r": "right", "l": "left", "visible": "twitch", "visibletwitch": "twitch", "electromyography": "emg"}


def threshold_of(text: str) -> Threshold:
    """A threshold from what a person typed.

    Parameters
    ----------
    text : str
        ``key=value`` with spaces or commas between, in any order and case, hyphens and % signs at will; values with
        spaces in quotes.  ``hand`` or ``foot`` names the side of the body.

    Raises
    ------
    InputError
        On an unknown, doubled or missing key, a bare left or right, or a value that `Threshold` refuses; with an
        example.

    Examples
    --------
    >>> read = threshold_of("Percent=55% kind=r-MT hand=Right muscle=fdi")
    >>> read.percent, read.kind, read.hemisphere, read.muscle
    (55.0, 'rMT', 'left', 'FDI')
    """
    given: dict[str, str] = {}
    for key, value in _pairs(text):
        if key in given:
            raise _misread(text, f"{key} stands twice")
        given[key] = value
    if "percent" not in given:
        raise _misread(text, "percent is missing")
    if ("hand" in given) == ("foot" in given):
        raise _misread(text, "say hand=left, hand=right, foot=left or foot=right, one of them: the side of the body")
    try:
        return Threshold(
            _percent(text, given.pop("percent")), **{key: _value(key, each) for key, each in given.items()}
        )
    except InputError as error:
        if EXAMPLE in str(error):
            raise
        raise InputError(f"Input --threshold {text!r:.120}: {error}") from None


def _pairs(text: str) -> list[tuple[str, str]]:
    """Keys, as they are known here, and values."""
    try:
        words = shlex.split(text.replace(",", " "))
    except ValueError:
        raise _misread(text, "a quote is not closed") from None
    out = []
    for word in words:
        name, equals, value = word.partition("=")
        bare = re.sub(r"[^a-z]", "", name.lower())
        if not equals and bare in ("left", "right"):
            raise _misread(text, f"a bare {bare} does not say of what: write hand={bare} or foot={bare}, of the body")
        key = _KEYS.get(bare, bare)
        if key not in KEYS:
            raise _misread(text, f"{name!r:.40} is not known; the keys are {', '.join(KEYS)}")
        if not value:
            raise _misread(text, f"{key} has no value: write {key}=VALUE")
        out.append((key, value))
    return out


def _percent(text: str, value: str) -> float:
    try:
        return float(value.rstrip("% "))
    except ValueError:
        raise _misread(text, f"percent must be a number; not {value!r:.40}") from None


def _value(key: str, given: str) -> Any:
    """A value by the spelling that it is known by; names of muscles and devices stay as they are."""
    bare = re.sub(r"[^a-z]", "", given.lower())
    choices = {"kind": KINDS, "method": METHODS, "hand": ("left", "right"), "foot": ("left", "right")}.get(key, ())
    known = {re.sub(r"[^a-z]", "", choice.lower()): choice for choice in choices}
    return known.get(_VALUES.get(bare, bare), given)


def _misread(text: str, why: str) -> InputError:
    return InputError(f'Input --threshold {text!r:.120} is not understood: {why}. Example: --threshold "{EXAMPLE}".')
