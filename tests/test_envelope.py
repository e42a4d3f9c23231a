"""Trains against Rossi's table 4, at every output that is told."""

import itertools

import pytest

from neuro_field.clinic.envelope import INTENSITIES, LONGEST, envelope_findings, longest_train
from neuro_field.report.words import said

#: Printed there: seconds at 90, 100, 110, 120, 130 % of rMT.
PRINTED = """
1   1800 1800 1800 360 50
5   10   10   10   10  10
10  5    5    5    4.2 2.9
20  2.05 2.05 1.6  1.0 0.55
25  1.28 1.28 0.84 0.4 0.24
"""


@pytest.mark.parametrize("line", PRINTED.split("\n")[1:-1])
def test_the_table_is_as_printed(line):
    hertz, *seconds = map(float, line.split())
    assert list(LONGEST[hertz]) == seconds
    for share, limit in zip((0.9, 1.0, 1.1, 1.2, 1.3), seconds, strict=True):
        assert longest_train(hertz, share) == limit
        assert longest_train(hertz, share - 0.05) == limit  # by the next column above
        assert longest_train(hertz, 0.9 * share / 0.9) == limit  # whatever the rounding


def test_between_the_lines_the_stricter_one_holds_and_beyond_them_none():
    assert longest_train(3.0, 0.9) == 10.0
    assert longest_train(12.0, 1.01) == 1.6
    assert longest_train(0.5, 1.25) == 50.0
    assert longest_train(25.1, 0.9) is None
    assert longest_train(1.0, 1.301) is None
    for slow, fast in itertools.pairwise(sorted(LONGEST)):
        for share in INTENSITIES:
            assert longest_train((slow + fast) / 2, share) == longest_train(fast, share)


@pytest.mark.parametrize(
    ("hertz", "seconds", "share", "code", "level"),
    [
        (1.0, 1800.0, 0.9, "envelope-inside", "note"),
        (1.0, 2400.0, 0.9, "envelope-outside", "warn"),
        (1.0, 361.0, 1.2, "envelope-outside", "warn"),
        (10.0, 10.0, 0.9, "envelope-outside", "warn"),
        (10.0, 5.0, 1.1, "envelope-inside", "note"),
        (10.0, None, 0.9, "envelope-no-length", "note"),
        (3.0, None, 1.3, "envelope-no-length", "note"),
        (30.0, None, 0.9, "envelope-too-fast", "warn"),
        (1.0, None, 1.31, "envelope-too-strong", "warn"),
    ],
)
@pytest.mark.parametrize("output", ["published", "matched", "begin"])
def test_each_output_is_judged(hertz, seconds, share, code, level, output):
    found = envelope_findings([(hertz, seconds)], {output: share, "other": None})
    assert [(each.code, each.level) for each in found] == [(code, level)]
    assert found[0].values["outputs"] == (f"output-{output}",)
    words = said(found[0])
    assert f"at {100 * share:.0f} % of rMT (" in words
    assert "Rossi" in words
    assert "a lesion raises the risk" in words
    for fault in (",;", " ,", "None", "output-", "{", "}"):
        assert fault not in words
    assert ("next frequency listed, 5 Hz" in words) == (hertz == 3.0)


def test_outputs_of_one_verdict_are_told_together_and_others_apart():
    found = envelope_findings([(1.0, 400.0)], {"published": 0.9, "matched": 1.15, "begin": 1.0})
    assert {(each.code, each.values["outputs"]) for each in found} == {
        ("envelope-inside", ("output-published", "output-begin")),
        ("envelope-outside", ("output-matched",)),
    }
    inside = next(each for each in found if each.code == "envelope-inside")
    assert "90 % of rMT (as published), 100 % of rMT (to begin at)" in said(inside)
    two = envelope_findings([(1.0, 400.0), (10.0, 1.0)], {"published": 0.9})
    assert len(two) == 2


@pytest.mark.parametrize(
    ("trains", "outputs", "kind", "why"),
    [
        ((), {"published": 0.8}, "aMT", "no-trains"),
        (((1.0, 1.0),), {"published": None}, "rMT", "no-share"),
        (((1.0, 1.0),), {"published": 0.8}, "aMT", "active-threshold"),
    ],
)
def test_what_the_table_does_not_know_is_told_with_its_reason(trains, outputs, kind, why):
    (found,) = envelope_findings(trains, outputs, kind=kind)
    assert (found.code, found.level, found.values["why"]) == ("envelope-unknown", "note", why)
    assert why not in said(found)
