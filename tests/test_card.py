"""The operator's card: all that it has to say is on it, its sides and hours agree with the pose, it shows no face."""

import re
from dataclasses import replace
from functools import lru_cache
from hashlib import sha256

import numpy as np
import pytest
from tiny_plan import tiny_plan
from tiny_study import tiny_head, tiny_study

from neuro_field.aim.atlas import other_side
from neuro_field.aim.tape import HeadTape
from neuro_field.clinic.answers import Answers
from neuro_field.clinic.presets import PRESETS
from neuro_field.clinic.tape_spot import with_tape
from neuro_field.coil.clock import clock_of, hour_of
from neuro_field.findings import Finding
from neuro_field.head.fiducials import Fiducials
from neuro_field.report.card import card_of
from neuro_field.report.facts import Facts
from neuro_field.report.kept import Kept
from neuro_field.report.page import card_page
from neuro_field.store.plans import render

NAMES = [preset.name for preset in PRESETS]


@lru_cache(maxsize=1)
def marked_study():
    """The small study in its head with nose, inion and ears, and the ways of a tape."""
    marks = {"Nz": (0, 90, -20), "Iz": (0, -90, -20), "LPA": (-90, 0, -20), "RPA": (90, 0, -20)}
    head = replace(tiny_head(), fiducials=Fiducials(marks))
    tape, made = HeadTape.of(head), tiny_study()
    return replace(made, head=head, **{role: with_tape(plan, tape) for role, plan in made.plans.items()})


def card_study(name, affected, **more):
    """That study as if it had been planned by a preset for a lesion of a side."""
    made, preset = marked_study(), next(each for each in PRESETS if each.name == name)
    right, left = made.contralesional, made.ipsilesional
    roles = {"contralesional": right, "ipsilesional": left}
    if affected == "right":
        roles = {"contralesional": left, "ipsilesional": right}
        made = replace(made, doses={"contralesional": made.doses["ipsilesional"],
                                    "ipsilesional": made.doses["contralesional"]})  # fmt: skip
    if preset.at_once:
        roles["bilateral"] = replace(right, target=replace(right.target, side=None))
    answers = Answers(dominant_side=affected, side=other_side(affected), mep="absent")
    return replace(made, preset=preset, affected=affected, answers=answers, **{**roles, **more})


def kept_of(study, **more):
    given = {"written": "2030-01-02 03:04 UTC", "digest": "0123456789abcdef" * 4, "subject": "07", "computed_by": "9.9"}
    return Kept(study, Facts.of(study), **{**given, **more})


def text_of(study, **more):
    """What is read on a card, without pictures."""
    page = card_page(kept_of(study, **more))
    page = re.sub(r"<(style|svg)\b.*?</\1>", " ", page, flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


@pytest.mark.parametrize("affected", ["left", "right"])
@pytest.mark.parametrize("name", NAMES)
def test_the_card_names_the_side_that_the_preset_stimulates(name, affected):
    study = card_study(name, affected)
    spots = card_of(kept_of(study))["spots"]
    sides = {
        "contralesional": [other_side(affected)], "ipsilesional": [affected], "not dominant": [other_side(affected)],
        "asked": [other_side(affected)], "both": ["both"] if study.preset.at_once else [other_side(affected), affected],
    }[study.preset.side]  # fmt: skip
    assert [spot["title"].split()[0] for spot in spots] == [side.upper() for side in sides]
    hand = other_side(affected)
    assert all(f"paretic hand {hand}" in spot["role"] for spot in spots if sides != ["both"])


@pytest.mark.parametrize("affected", ["left", "right"])
def test_steps_hour_and_pictures_agree_with_the_pose(affected):
    """The ear, the clock and the picture from above tell one side; that of the plan."""
    study = card_study("contralesional-1hz-hand", affected)
    plan, side = study.contralesional, other_side(affected)
    card = card_of(kept_of(study))
    (spot,) = card["spots"]
    sign = {"left": -1, "right": 1}[side]
    assert sign * plan.best.placement.center[0] > 20
    steps = {finding.code: finding.values for finding in plan.tape}
    aside, front = steps["tape-aside"]["right"], steps["tape-front"]["front"]
    assert f"From Cz {abs(aside) / 10:.1f} cm towards the {side.upper()} ear." in spot["where"]
    assert any(f"{abs(front) / 10:.1f} cm {'FORWARDS' if front > 0 else 'BACK'}" in line for line in spot["where"])
    degrees = clock_of(plan.best.placement.handle_direction, -plan.best.placement.axis, np.array([0.0, 1.0, 0.0]))
    assert spot["way"]["hour"] == f"{hour_of(degrees)} o'clock"
    assert f"{degrees:.0f}° clockwise" in spot["way"]["lines"]
    assert [picture["title"] for picture in card["pictures"]] == ["From above", f"From the {side}"]
    x = float(re.search(r'<circle class="spot" cx="([-0-9.]+)"', card["pictures"][0]["svg"])[1])
    assert sign * x > 20
    dial = re.search(r'<line class="handle" x1="0.0" y1="0.0" x2="([-0-9.]+)" y2="([-0-9.]+)"', spot["way"]["clock"])
    drawn = np.degrees(np.arctan2(float(dial[1]), -float(dial[2]))) % 360.0
    assert drawn == pytest.approx(degrees, abs=0.5)


def test_outputs_are_those_of_the_dose_and_blank_without_one():
    study = card_study("contralesional-1hz-hand", "left")
    dose = study.doses["contralesional"]
    (spot,) = card_of(kept_of(study))["spots"]
    assert [output for _, output, _ in spot["outputs"]] == [
        f"{value:.0f} %" for value in (dose.published, dose.matched, dose.begin)
    ]
    (spot,) = card_of(kept_of(replace(study, doses={})))["spots"]
    assert [output for _, output, _ in spot["outputs"]] == ["______"]
    none = replace(dose, begin=None)
    (spot,) = card_of(kept_of(replace(study, doses={"contralesional": none})))["spots"]
    assert spot["outputs"][-1][:2] == ("BEGIN AT", "none")


def test_stops_and_warnings_come_worst_first_and_what_does_not_fit_is_counted():
    warn = Finding("head-no-fissure", "warn", {"mapped": True})
    other = Finding("search-lifted", "warn", {"lift": 12.0, "least": 1.0, "role": "ipsilesional", "side": "left"})
    lost = Finding("target-lost", "stop", {"share": 0.9, "cm3": 1.0, "reach": 20.0, "role": "ipsilesional",
                                           "side": "left", "site": "m1-hand"})  # fmt: skip
    note = Finding("search-one-maximum", "note", {"positions": 3})
    study = card_study("contralesional-1hz-hand", "left", findings=(note, other, warn), why={"ipsilesional": lost})
    card = card_of(kept_of(study))
    assert [found["level"] for found in card["findings"]] == ["stop", "warn", "warn"]
    assert card["findings"][0]["text"].startswith("Left, not stimulated: Lesion took 90 % of the target")
    assert card["findings"][1]["text"].startswith("No midline seen")
    assert card["findings"][2]["text"].startswith("Left, not stimulated: Coil stands 12 mm")
    assert not card["more"]
    many = tuple(Finding("search-lifted", "warn", {"lift": float(i), "least": 1.0}) for i in range(10, 40))
    card = card_of(kept_of(replace(study, findings=many)))
    assert len(card["findings"]) + int(card["more"].split()[0]) == 31
    assert "STOP" in text_of(study)


def test_a_side_without_a_plan_is_told_to_have_none():
    lost = Finding("target-lost", "stop", {"share": 0.9, "cm3": 1.0, "reach": 20.0, "site": "m1-hand", "side": "left"})
    study = card_study("bihemispheric-hand", "left", ipsilesional=None, why={"ipsilesional": lost})
    text = text_of(study)
    assert text.count("NO PLAN on this side") == 1
    assert "LEFT hemisphere" in text
    assert "2" in [spot["number"] for spot in card_of(kept_of(study))["spots"]]


def test_the_head_has_to_be_signed_off():
    study = card_study("contralesional-1hz-hand", "left")
    assert "Head not signed off" in text_of(study)
    head = study.head
    signed = head.signed("A. B.", "2030-01-02T03:04Z")
    text = text_of(replace(study, head=signed))
    assert "Head not signed off" not in text
    assert "A. B., 2030-01-02 03:04 UTC" in text
    by_hand = replace(head, provenance={**head.provenance, "signed_off_by": "A. B."})  # of which head?
    changed = signed.with_conductivity({"bone": 0.02})
    for other in (by_hand, changed, replace(signed, mapping=None)):
        text = text_of(replace(study, head=other))
        assert "Head not signed off" in text
        assert "A. B." not in text


def test_the_card_carries_checksum_disclaimer_and_blanks():
    text = text_of(card_study("contralesional-1hz-hand", "left"))
    assert "Plan 0123-4567-89ab-cdef" in text
    assert "Not a medical device" in text
    for blank in ("Name", "ID", "Date, session", "Operator", "Output used", "Adverse events", "Head checked by"):
        assert blank in text


def test_names_from_outside_are_escaped():
    study = card_study("contralesional-1hz-hand", "left")
    coil = replace(study.coil, name="<script>alert(1)</script>")
    page = card_page(kept_of(replace(study, coil=coil), subject="<img src=x>", digest='"><b>'))
    assert "<script" not in page
    assert "<img" not in page
    assert "<b>" not in page


def test_the_card_shows_no_face():
    """Of the scalp nothing in front of the ears and below the brows is drawn but the root of the nose."""
    study = card_study("contralesional-1hz-hand", "left")
    facts = Facts.of(study).head
    side = card_of(kept_of(study))["pictures"][1]["svg"]  # from the right: the nose points right, up is up
    rim = re.search(r'<polygon class="rim" points="([^"]+)"', side)[1]
    points = np.array([[float(part) for part in pair.split(",")] for pair in rim.split()])
    nose, ear = facts.landmarks["Nz"], facts.landmarks["RPA"]
    face = (points[:, 0] > ear[1] + 5) & (-points[:, 1] < min(nose[2], ear[2]) - 5)
    assert not face.any()
    assert (facts.scalp.points[:, 2] < ear[2] - 40).any()  # there was more to show


def test_the_folder_alone_gives_the_card():
    card = render(tiny_plan(), kind="card")
    assert "Coil card" in card
    assert "<script" not in card
    digest = sha256((tiny_plan() / "plan.json").read_bytes()).hexdigest()
    assert f"Plan {digest[:4]}-{digest[4:8]}" in card
    assert card[card.index("<section") : card.rindex("</section>")] in render(tiny_plan())
