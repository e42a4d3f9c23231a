"""The words of findings: one folder a language, in it one file a family of codes; nothing else holds sentences of them.

A sentence is a format string over the finding's values, as in ``"{side} {site} moved {moved:.0f} mm"``: names are
looked up in the language's ``NAMES`` first, a value may be missing only where another sentence is chosen for that.
Where one string does not do, it is a function of the values that gives one.
"""

import re
import string
from collections.abc import Callable, Mapping
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from neuro_field.errors import UnknownNameError
from neuro_field.findings import Finding, Value

LANGUAGES = ("en",)

#: A sentence, or how one is chosen from the values.
Sentence = str | Callable[[Mapping[str, Value]], str]


class _Words(string.Formatter):
    """Formats numbers as they are, shares as "5 %", and names in the words of a language."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = names

    def format_field(self, value: Any, spec: str) -> str:
        if isinstance(value, tuple):
            return ", ".join(self.format_field(each, spec) for each in value)
        if isinstance(value, str):
            return str(super().format_field(self._names.get(value, value), spec))
        return str(super().format_field(value, spec)).replace("%", " %")


@cache
def catalogue(language: str = "en") -> tuple[dict[str, Sentence], dict[str, str]]:
    """Sentences by code, and names by what findings call them."""
    if language not in LANGUAGES:
        raise UnknownNameError("language", language, list(LANGUAGES))
    room = import_module(f"neuro_field.report.words.{language}")
    sentences: dict[str, Sentence] = {}
    for found in iter_modules(room.__path__):
        sentences |= getattr(import_module(f"{room.__name__}.{found.name}"), "SENTENCES", {})
    return sentences, room.NAMES


@cache
def phrases(language: str = "en") -> dict[str, Sentence]:
    """A page's own words by key."""
    return _collected(language, "PHRASES")


@cache
def short(language: str = "en") -> dict[str, Sentence]:
    """Sentences of at most 12 words, by the codes that are ever told at level "stop" or "warn"."""
    return _collected(language, "SHORT")


def _collected(language: str, name: str) -> dict[str, Any]:
    """The mappings of that name from every file of a language."""
    room: Any = import_module(f"neuro_field.report.words.{language}")
    out: dict[str, Any] = {}
    for found in iter_modules(room.__path__):
        out |= getattr(import_module(f"{room.__name__}.{found.name}"), name, {})
    return out


def phrase(key: str, language: str = "en", **values: Any) -> str:
    """A page's own words of a key, filled with values."""
    sentence, names = phrases(language)[key], catalogue(language)[1]
    text = sentence if isinstance(sentence, str) else sentence(values)
    return _Words(names).vformat(text, (), values)


def said_short(finding: Finding, language: str = "en") -> str:
    """A stop or a warning in at most 12 words, for the operator's card.

    Examples
    --------
    >>> said_short(Finding("target-moved-far", "warn", {"moved": 11.5}))
    'Target lies 12 mm from its site: near it only.'
    """
    sentence, names = short(language)[finding.code], catalogue(language)[1]
    text = sentence if isinstance(sentence, str) else sentence(finding.values)
    words = _Words(names).vformat(text, (), finding.values)
    return words[:1].upper() + words[1:]


def named(name: str, language: str = "en") -> str:
    """What a tissue or another thing with a name in findings is called.

    Examples
    --------
    >>> named("csf"), named("grey_matter"), named("tag-77")
    ('CSF', 'grey matter', 'tag 77')
    """
    return catalogue(language)[1].get(name, re.sub(r"^tag-", "tag ", name).replace("_", " "))


def said(finding: Finding, language: str = "en") -> str:
    """A finding in words; one line, with a capital and a full stop.

    Examples
    --------
    >>> said(Finding("intake-out-of-range", "stop", {"field": "rmt", "given": 120, "low": 1, "high": 100}))
    'Resting motor threshold must be 1 to 100; instead received 120.'
    """
    sentences, names = catalogue(language)
    sentence = sentences[finding.code]
    text = sentence if isinstance(sentence, str) else sentence(finding.values)
    words = _Words(names).vformat(text, (), finding.values)
    return words[:1].upper() + words[1:]
