"""Findings are data, and every code that is raised anywhere has its sentence in every language."""

import ast
import pickle
import string
from pathlib import Path

import numpy as np
import pytest

import neuro_field as nf
from neuro_field.errors import InputError
from neuro_field.findings import Finding, Refusal, as_name, worst_first
from neuro_field.report.words import LANGUAGES, catalogue, said

PACKAGE = Path(nf.__file__).parent


def raised():
    """(code, names of values or None where they are not written out, place) of every Finding made in the package."""
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Finding" and node.args:
                codes = [each.value for each in ast.walk(node.args[0]) if isinstance(each, ast.Constant)]
                values = node.args[2] if len(node.args) > 2 else None
                keys = [key.value for key in values.keys if key] if isinstance(values, ast.Dict) else None
                whole = isinstance(values, ast.Dict) and all(values.keys)
                for code in codes:
                    if isinstance(code, str) and "-" in code:
                        yield code, set(keys) if whole else None, f"{path.name}:{node.lineno}"


FOUND = sorted(raised(), key=lambda entry: (entry[0], entry[2]))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_code_has_its_sentence(language):
    sentences, _ = catalogue(language)
    missing = {f"{code} ({place})" for code, _, place in FOUND if code not in sentences}
    assert not missing


@pytest.mark.parametrize("language", LANGUAGES)
def test_sentences_ask_for_values_that_are_there(language):
    """``role`` and ``side`` may come later, by `told_with`."""
    sentences, _ = catalogue(language)
    wrong = []
    for code, keys, place in FOUND:
        sentence = sentences.get(code)
        if keys is None or not isinstance(sentence, str):
            continue
        asked = {name for _, name, _, _ in string.Formatter().parse(sentence) if name}
        if asked - keys - {"role", "side"}:
            wrong.append(f"{code} ({place}) lacks {sorted(asked - keys)}")
    assert not wrong


def test_values_are_numbers_or_names():
    found = Finding("target-moved", "warn", {"moved": np.float32(1.5), "sides": ["left", "right"], "n": np.int64(3)})
    assert found.values == {"moved": 1.5, "sides": ("left", "right"), "n": 3}
    for value in ("two words", "", float("nan"), object(), ["a b"]):
        with pytest.raises(InputError, match="number or a name"):
            Finding("target-moved", "warn", {"value": value})
    with pytest.raises(InputError, match="level"):
        Finding("target-moved", "error", {})
    with pytest.raises(InputError, match="code"):
        Finding("Target moved", "warn", {})


def test_findings_are_sealed_and_survive_a_pickle():
    found = Finding("target-moved", "warn", {"moved": 1.5})
    with pytest.raises(TypeError):
        found.values["moved"] = 2.0
    assert pickle.loads(pickle.dumps(found)) == found
    assert found.told_with(side="left").values == {"moved": 1.5, "side": "left"}
    refusal = pickle.loads(pickle.dumps(Refusal(found)))
    assert refusal.findings == (found,)
    assert "moved 1.5" in str(refusal)


def test_the_worst_comes_first_and_each_once():
    note, warn = Finding("a-b", "note", {}), Finding("c-d", "warn", {"x": 1})
    assert worst_first([note, warn, warn, note]) == (warn, note)


def test_any_text_becomes_a_name():
    assert as_name("Mask of <b>Mr. X</b>") == "Mask-of-b-Mr.-X-/b"
    assert Finding("a-b", "note", {"name": as_name("  ")}).values["name"] == "unnamed"


def test_names_are_said_in_words():
    assert said(Finding("intake-out-of-range", "stop", {"field": "rmt", "given": 0, "low": 1, "high": 100})) == (
        "Resting motor threshold must be 1 to 100; instead received 0."
    )
