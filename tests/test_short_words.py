"""Every stop and warning has a short sentence in every language, as short as the card has room for."""

import ast
import re
import string
from pathlib import Path

import pytest

import neuro_field as nf
from neuro_field.clinic.answers import CONTRAINDICATIONS
from neuro_field.findings import Finding
from neuro_field.report.words import LANGUAGES, catalogue, said_short, short

PACKAGE = Path(nf.__file__).parent

#: Words, or letters of a language that writes without blanks between them.
MOST = {"en": 12, "ja": 46}

#: Values that make sentences long, and what chooses between sentences.
NUMBERS = {"reach": 20.0, "away": 21.0, "change_cm3": -125.0, "numbers": (1, 2), "pieces": 12}


#: Rooms whose findings are never of a plan, and so never on a card: of trackers, pages that run, and what is typed.
NEVER = ("navigation", "desk", "commands", "console")


def severe():
    """Codes that are told of a plan at level "stop" or "warn", or at one that is found out later."""
    for path in sorted(PACKAGE.rglob("*.py")):
        if path.relative_to(PACKAGE).parts[0] in NEVER:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            code, level = made(node)
            if code is None or _texts(level) == {"note"}:
                continue
            yield from (text for text in _texts(code) if "-" in text)


def made(node):
    """The code and level of a finding that is made there, or written as a record of plan.json is."""
    if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Finding" and len(node.args) > 1:
        return node.args[0], node.args[1]
    if isinstance(node, ast.Dict):
        entries = {getattr(key, "value", None): value for key, value in zip(node.keys, node.values, strict=True)}
        if {"code", "level", "values"} <= entries.keys():
            return entries["code"], entries["level"]
    return None, None


def _texts(node):
    return {each.value for each in ast.walk(node) if isinstance(each, ast.Constant) and isinstance(each.value, str)}


CODES = sorted(set(severe()))


def long_values(code, language):
    """Values that a sentence may be filled with, names among them as long as they come."""
    sentence = short(language)[code]
    texts = [sentence] if isinstance(sentence, str) else [sentence({**NUMBERS, "side": "left"})]
    fields = {(name, spec) for text in texts for _, name, spec, _ in string.Formatter().parse(text) if name}
    names = {"answer": CONTRAINDICATIONS, "preset": ("contralesional-1hz-hand",), "field": ("fma_ue", "train_seconds")}
    names |= {"tissue": ("lesion_cavity",), "wanted": ("rMT",), "given": ("aMT",), "needs": ("rmt",), "other": ("rmt",)}
    for i in range(max(map(len, names.values()))):
        values = {}
        for name, spec in fields:
            choice = names.get(name, ("left",))
            values[name] = NUMBERS.get(name, 123.4) if spec else NUMBERS.get(name, choice[i % len(choice)])
        yield {**NUMBERS, **values}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_stop_and_warning_has_a_short_sentence(language):
    assert CODES
    assert not [code for code in CODES if code not in short(language)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_short_sentences_are_short(language):
    for code in short(language):
        for values in long_values(code, language):
            text = said_short(Finding(code, "warn", values), language)
            size = len(text.split()) if language == "en" else len(re.sub(r"\s", "", text))
            assert size <= MOST[language], f"{code}: {text}"


@pytest.mark.parametrize("language", LANGUAGES)
def test_short_sentences_ask_for_what_the_long_ones_are_made_with(language):
    """A value that a short sentence needs is one of those that its finding carries wherever it is made."""
    from test_findings import FOUND

    for code, keys, place in FOUND:
        sentence = short(language).get(code)
        if keys is None or not isinstance(sentence, str):
            continue
        asked = {name for _, name, _, _ in string.Formatter().parse(sentence) if name}
        assert not asked - keys - {"role", "side"}, f"{code} ({place})"


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_short_sentence_is_of_a_code_that_is_not_told(language):
    known = catalogue(language)[0]
    assert not [code for code in short(language) if code not in known]
