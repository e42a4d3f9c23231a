"""All words that people read: one folder a language, in it one file a family; nothing else holds sentences.

Three kinds of words, each with its own door: what a finding says (`said`, from ``SENTENCES`` by its code), the page's
and the terminal's own words (`phrase`, from ``PHRASES`` by a key), and texts that presets, sites and tissues carry with
their sources (`worded`, from ``TEXTS`` by the English text itself, for a person may have typed another).

A sentence is a format string over its values, as in ``"{side} {site} moved {moved:.0f} mm"``: names are looked up in
the language's ``NAMES`` first, or taken as they are with ``!s``; a value may be missing only where another sentence is
chosen for that. Where one string does not do, it is a function of the values that gives one.

The language is an argument everywhere, never a setting.
"""

import re
import string
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from neuro_field.errors import UnknownNameError
from neuro_field.findings import Finding

LANGUAGES = ("en", "ja")

#: A sentence, or how one is chosen from the values.
Sentence = str | Callable[[Mapping[str, Any]], str]


#: What `clinic.case.typed` puts behind a number that a person gave.
_BY_HAND = ", as typed"


class _AsItIs(str):
    """A name that is not looked up."""

    __slots__ = ()


class _Words(string.Formatter):
    """Formats numbers as they are, shares as "5 %", and names in the words of a language."""

    def __init__(self, names: Mapping[str, str], comma: str) -> None:
        self._names, self._comma = names, comma

    def convert_field(self, value: Any, conversion: Any) -> Any:
        return _AsItIs(value) if conversion == "s" else super().convert_field(value, conversion)

    def format_field(self, value: Any, spec: str) -> str:
        if isinstance(value, tuple):
            return self._comma.join(self.format_field(each, spec) for each in value)
        if isinstance(value, _AsItIs):
            return str(super().format_field(str(value), spec))
        if isinstance(value, str):
            return str(super().format_field(self._names.get(value, value), spec))
        return str(super().format_field(value, spec)).replace("%", " %")


@cache
def catalogue(language: str = "en") -> tuple[dict[str, Sentence], dict[str, str]]:
    """Sentences of findings by code, and names by what findings call them."""
    return _collected(language, "SENTENCES"), _room(language).NAMES


@cache
def phrases(language: str = "en") -> dict[str, Sentence]:
    """The page's and the terminal's own words by key."""
    return _collected(language, "PHRASES")


@cache
def texts(language: str = "en") -> dict[str, str]:
    """Texts that presets, sites and tissues carry, by their English; none of English."""
    return _collected(language, "TEXTS")


def check_language(language: str) -> None:
    """Raises InputError for a language that there is not; the message lists those there are."""
    if language not in LANGUAGES:
        raise UnknownNameError("language", language, list(LANGUAGES))


@cache
def _room(language: str) -> Any:
    check_language(language)
    return import_module(f"neuro_field.report.words.{language}")


def _collected(language: str, name: str) -> dict[str, Any]:
    """The mappings of that name from every file of a language; a key stands in one of them only."""
    room = _room(language)
    out: dict[str, Any] = {}
    for found in iter_modules(room.__path__):
        more = getattr(import_module(f"{room.__name__}.{found.name}"), name, {})
        assert not out.keys() & more.keys(), f"twice among {name}: {out.keys() & more.keys()}"
        out |= more
    return out


@cache
def short(language: str = "en") -> dict[str, Sentence]:
    """Sentences of at most 12 words, by the codes that are ever told at level "stop" or "warn"."""
    return _collected(language, "SHORT")


def said_short(finding: Finding, language: str = "en") -> str:
    """A stop or a warning in at most 12 words, for the operator's card.

    Examples
    --------
    >>> said_short(Finding("target-moved-far", "warn", {"moved": 11.5}))
    'Target lies 12 mm from its site: near it only.'
    """
    return _capital(_filled(short(language)[finding.code], language, finding.values), language)


def named(name: str, language: str = "en") -> str:
    """What a tissue or another thing with a name in findings is called.

    Examples
    --------
    >>> named("csf"), named("grey_matter"), named("tag-77"), named("csf", "ja")
    ('CSF', 'grey matter', 'tag 77', '脳脊髄液')
    """
    names = _room(language).NAMES
    return names.get(name) or re.sub(r"^tag-", f"{names['tag']} ", name).replace("_", " ")


def said(finding: Finding, language: str = "en") -> str:
    """A finding in words; one line, with a capital and a full stop.

    Examples
    --------
    >>> wrong = Finding("intake-out-of-range", "stop", {"field": "rmt", "given": 120, "low": 1, "high": 100})
    >>> said(wrong)
    'Resting motor threshold must be 1 to 100; instead received 120.'
    >>> said(wrong, "ja")
    '安静時運動閾値は 1 〜 100 でなければなりません。入力は 120 でした。'
    """
    return _capital(_filled(catalogue(language)[0][finding.code], language, finding.values), language)


def phrase(key: str, language: str = "en", **values: Any) -> str:
    """The page's or the terminal's own words of a key, filled with values.

    Examples
    --------
    >>> phrase("level.warn", text="Look."), phrase("level.note", "ja", text="…")
    ('Read first: Look.', '注意: …')
    """
    return _filled(phrases(language)[key], language, values)


def worded(text: str, language: str = "en") -> str:
    """A text that a preset, a site or a tissue carries; as it is, where it is another's.

    Examples
    --------
    >>> worded("primary motor cortex, hand", "ja"), worded("of another's", "ja"), worded("5 Hz, as typed", "ja")
    ('一次運動野 (手)', "of another's", '5 Hz (入力値)')
    """
    own = text.removesuffix(_BY_HAND)
    return texts(language).get(text, text) if own == text else phrase("typed", language, text=own)


def names_side(text: str, role: str, side: str, language: str = "en") -> bool:
    """Whether a text in that language names the hemisphere that it is said of by its role or side."""
    _room(language)
    return bool(import_module(f"neuro_field.report.words.{language}.hemispheres").names_side(text, role, side))


def listed(parts: Iterable[str], language: str = "en") -> str:
    """Parts with the language's comma between."""
    return str(_room(language).COMMA.join(parts))


def _capital(words: str, language: str) -> str:
    return words[:1].upper() + words[1:] if _room(language).CAPITALS else words


def _filled(sentence: Sentence, language: str, values: Mapping[str, Any]) -> str:
    room = _room(language)
    text = sentence if isinstance(sentence, str) else sentence(values)
    return _Words(room.NAMES, room.COMMA).vformat(text, (), values)
