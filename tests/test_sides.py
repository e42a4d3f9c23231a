"""Which hemisphere is the affected one, and when the paretic hand has to be asked for: both sides alike."""

from dataclasses import replace

import numpy as np
import pytest

import neuro_field as nf
from neuro_field.aim.atlas import SIDES, other_side
from neuro_field.clinic.answers import Answers
from neuro_field.clinic.presets import PRESETS, preset
from neuro_field.clinic.sides import affected_hemisphere, own_role, side_of
from neuro_field.findings import Refusal
from neuro_field.head.lesion import LesionSummary
from neuro_field.report.words import said


def lesion(left=0.0, right=0.0, below=0.0, side=None):
    """A lesion of so many cm3 a side, and below the tentorium."""
    if side is None:
        side = "infratentorial" if left + right == 0 else "left" if left > right else "right"
    whole = left + right + below
    return LesionSummary(whole, np.zeros(3), np.zeros(3), side, {"lesion_cavity": whole}, left, right, below)


def on(side, more, less=0.0, **kinds):
    return lesion(**{side: more, other_side(side): less, **kinds})


def stopped(found, answers, near=None):
    with pytest.raises(Refusal) as refused:
        affected_hemisphere(found, answers, near)
    assert len(refused.value.findings) == 1
    return refused.value.findings[0]


@pytest.mark.parametrize("side", SIDES)
def test_a_lesion_on_one_side_says_it_and_agrees_with_the_answers(side):
    for answers in (Answers(), Answers(lesion_side=side), Answers(paretic_hand=other_side(side))):
        try:
            found = affected_hemisphere(on(side, 40.0), answers)
        except Refusal as refusal:
            found = refusal.findings
        assert found == (side, ())


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("less", [1.0, 12.0])
def test_a_lesion_on_both_sides_asks_for_the_paretic_hand_with_both_volumes(side, less):
    found = on(side, 40.0, less)
    for answers in (Answers(), Answers(lesion_side=side)):
        asked = stopped(found, answers)
        assert (asked.code, asked.values["field"]) == ("intake-which-hand", "paretic_hand")
        text = said(asked)
        assert "40.0 cm³" in text
        assert f"{less:.1f} cm³" in text
        assert "which hand is paretic?" in text
    for hand in SIDES:
        affected, told = affected_hemisphere(found, Answers(paretic_hand=hand))
        assert affected == other_side(hand)
        assert [(finding.code, finding.level) for finding in told] == [("study-lesion-on-both-sides", "warn")]
        assert "unaffected" not in said(told[0])
        assert "neither hemisphere is intact" in said(told[0])


@pytest.mark.parametrize("side", SIDES)
def test_a_little_across_is_a_note_unless_it_comes_near_a_target(side):
    found, across = on(side, 40.0, 0.4), other_side(side)
    affected, told = affected_hemisphere(found, Answers(), {side: 3.0, across: 10.5})
    assert affected == side
    assert [(finding.code, finding.level) for finding in told] == [("study-lesion-little-across", "note")]
    assert "0.4 cm³" in said(told[0])
    assert stopped(found, Answers(), {across: 9.5}).code == "intake-which-hand"


@pytest.mark.parametrize("hand", SIDES)
@pytest.mark.parametrize("side", ["infratentorial", "midline"])
def test_pons_cerebellum_and_midline_leave_it_to_the_paretic_hand(hand, side):
    found = lesion(below=8.0, side=side)
    for answers in (Answers(), Answers(lesion_side="left")):
        assert stopped(found, answers).code == "intake-which-hand"
    affected, told = affected_hemisphere(found, Answers(paretic_hand=hand))
    assert affected == other_side(hand)
    assert [finding.code for finding in told] == ["study-side-by-hand"]


@pytest.mark.parametrize("side", SIDES)
def test_answers_that_contradict_the_lesion_are_refused_with_its_volumes(side):
    for answers, field in (
        (Answers(lesion_side=other_side(side)), "lesion_side"),
        (Answers(paretic_hand=side), "paretic_hand"),
    ):
        told = stopped(on(side, 31.5), answers)
        assert (told.code, told.values["field"]) == ("intake-contradicts-lesion", field)
        assert "31.5 cm³" in said(told)


def test_without_a_lesion_or_a_map_the_reason_is_the_true_one():
    assert stopped(None, Answers()).code == "intake-no-side"
    unmapped = replace(lesion(5.0), side=None, left_cm3=None, right_cm3=None, infratentorial_cm3=None)
    told = stopped(unmapped, Answers())
    assert told.code == "intake-side-not-told"
    assert "no map" in said(told)
    assert "no lesion" not in said(told)
    for found in (None, unmapped):
        assert affected_hemisphere(found, Answers(lesion_side="right")) == ("right", ())


def test_roles_are_named_after_the_affected_hemisphere():
    for affected in SIDES:
        assert side_of("ipsilesional", affected) == affected
        assert side_of("contralesional", affected) == other_side(affected)
        for entry in PRESETS:
            answers = Answers(side=affected, dominant_side=affected)
            role = own_role(entry, answers, affected)
            expected = {"contralesional": "contralesional", "ipsilesional": "ipsilesional", "asked": "ipsilesional",
                        "not dominant": "contralesional"}.get(entry.side, "contralesional")  # fmt: skip
            assert role == ("bilateral" if entry.at_once else expected)


def test_no_title_calls_a_hemisphere_unaffected():
    assert not [entry.name for entry in PRESETS if "affected" in entry.title]
    assert preset("contralesional-1hz-hand").title.endswith("contralesional hemisphere")


def test_a_head_with_a_lesion_and_no_map_says_that_the_map_is_missing():
    from tiny_study import tiny_head

    with pytest.raises(nf.Refusal) as refused:
        nf.study(replace(tiny_head(), mapping=None), preset="contralesional-1hz-hand")
    assert [finding.code for finding in refused.value.findings] == ["intake-no-map"]
    assert "no map to MNI" in said(refused.value.findings[0])
