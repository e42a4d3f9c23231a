"""A filled-in card typed back: read, put on the head where the plan was, and told beside what was planned."""

import re
from dataclasses import replace

import numpy as np
import pytest
from test_card import marked_study
from tests_support import refusal
from tiny_plan import tiny_plan
from tiny_study import tiny_study

import neuro_field as nf
from neuro_field.cli import main
from neuro_field.clinic.filled_card import by_tape_finding
from neuro_field.clinic.ledger import delivered
from neuro_field.clinic.tape_spot import tape_as_told
from neuro_field.coil.clock import clock_of
from neuro_field.coil.marker import Marker
from neuro_field.commands.cards import EXAMPLE, filled_cards
from neuro_field.field.solver import Solver
from neuro_field.findings import Refusal
from neuro_field.navigation.localite import localite_text
from neuro_field.report.facts import Facts
from neuro_field.report.ledger_page import ledger_page
from neuro_field.report.words import said
from neuro_field.store import plans

FRONT = np.array([0.0, 1.0, 0.0])


def hour_text(degrees):
    minutes = round(degrees * 2)
    return f"{minutes // 60 or 12}:{minutes % 60:02d}"


def written(plan, session=""):
    """What an operator who did exactly as planned writes on the card."""
    steps = {finding.code: finding.values for finding in plan.tape}
    right, front = steps["tape-aside"]["right"], steps["tape-front"]["front"]
    placed = plan.best.placement
    hour = hour_text(clock_of(placed.handle_direction, -placed.axis, FRONT))
    return (
        f"{session}Cz {abs(right):.0f} {'right' if right > 0 else 'left'} {abs(front):.0f} "
        f"{'front' if front > 0 else 'back'}, handle {hour}"
    )


def tape_for(study, plan):
    facts = Facts.of(study).head
    return tape_as_told(plan, facts.scalp, facts.landmarks)


@pytest.mark.parametrize("role", ["contralesional", "ipsilesional"])
def test_what_the_card_told_comes_back_as_the_planned_pose(role):
    study = marked_study()
    plan = getattr(study, role)
    (card,) = filled_cards([written(plan)], [52.0])
    marker = card.marker(study.head, tape_for(study, plan), plan, study.coil)
    assert (marker.output, marker.recorded, marker.session) == (52.0, True, "card 1")
    assert np.linalg.norm(marker.placement.center - plan.best.placement.center) < 2.0
    turned = np.degrees(np.arccos(marker.placement.handle_direction @ plan.best.placement.handle_direction))
    assert turned < 3.0


def test_arcs_as_measured_on_the_patient_are_undone():
    """The plan's tape was stretched by the patient's own arcs; a card is read with the same tape."""
    study = marked_study()
    plan = study.contralesional
    plain = tape_for(study, plan)
    arcs = plan.tape[0]
    longer = replace(arcs, values={**arcs.values, "ear_ear": 1.02 * float(arcs.values["ear_ear"]), "scaled": True})
    scaled = tape_for(study, replace(plan, tape=(longer, *plan.tape[1:])))
    assert scaled.scale_right == pytest.approx(1.02)
    assert (plain.scale_right, plain.scale_front) == (pytest.approx(1.0), pytest.approx(1.0))


@pytest.mark.parametrize(
    ("text", "place", "degrees", "session"),
    [
        (EXAMPLE, ("Cz", 61.0, 3.0), 120.0, "card 1"),
        ("day 3: Cz 61 left 3 back handle 7:30", ("Cz", -61.0, -3.0), 225.0, "day 3"),
        ("C4 12 left, handle 12", ("C4", -12.0, 0.0), 0.0, "card 1"),
        ("Cz 61 right 3 front handle 4", ("Cz", 61.0, 3.0), 120.0, "card 1"),
        ("Ｃｚ ６１ 右 ３ 前、ハンドル ４：３０", ("Cz", 61.0, 3.0), 135.0, "card 1"),
        ("２日目: Cz 61 左 3 後, ハンドル 7:00", ("Cz", -61.0, -3.0), 210.0, "2日目"),
    ],
)
def test_a_card_is_read_as_it_is_written(text, place, degrees, session):
    (card,) = filled_cards([text], [])
    assert (card.place.origin, card.place.right, card.place.front) == place
    assert (card.degrees, card.session, card.output) == (degrees, session, None)


@pytest.mark.parametrize(
    "text",
    [
        "", "handle 4:00", "Cz 61 right 3 front", "Cz 6.1 cm right, handle 4:00", "Cz 61 richt, handle 4:00",
        "Cz 61 right, handle 25:00", "Cz 61 right, handle 4:75", "Cz 61 right, handle up", "Xz 61 right, handle 4:00",
        "Cz 61 right 3 right, handle 4:00", "Cz 61 right, handle", "Cz 9999 right, handle 4:00",
    ],
)  # fmt: skip
def test_what_cannot_be_read_gets_one_line_with_an_example(text):
    assert EXAMPLE in refusal(filled_cards, [text], [])


def test_outputs_belong_to_cards():
    assert "--mso" in refusal(filled_cards, [EXAMPLE, EXAMPLE], [50.0])
    assert "--mso" in refusal(filled_cards, [EXAMPLE], [120.0])
    (card,) = filled_cards(["Cz 61 right 3 front"], [50.0], handle_free=True)
    assert card.degrees is None


def test_steps_off_the_scalp_and_heads_without_landmarks_are_refused():
    study = marked_study()
    plan = study.contralesional
    (card,) = filled_cards(["Cz 240 right, handle 4:00"], [])
    with pytest.raises(Refusal) as caught:
        card.marker(study.head, tape_for(study, plan), plan, study.coil)
    assert said(caught.value.findings[0]).startswith("The delivered place by tape lies off the scalp")
    bare = tiny_study()
    (card,) = filled_cards([EXAMPLE], [])
    assert tape_as_told(bare.contralesional, bare.head.scalp, {}) is None
    with pytest.raises(Refusal) as caught:
        card.marker(bare.head, None, bare.contralesional, bare.coil)
    assert caught.value.findings[0].code == "tape-no-landmarks"


def two_days():
    """A ledger of two sessions, the second 12 mm to the right as seen from outside; its study and plan."""
    study = marked_study()
    plan = study.contralesional
    best = plan.best.placement
    texts = [written(plan, "day 1: "), written(plan, "day 2: ")]
    cards = filled_cards(texts, [50.0, 40.0])
    markers = [card.marker(study.head, tape_for(study, plan), plan, study.coil) for card in cards]
    up = FRONT - (FRONT @ best.axis) * best.axis
    across = np.cross(up / np.linalg.norm(up), -best.axis)
    pose = best.head_from_coil.copy()
    pose[:3, 3] += 12.0 * across
    markers[1] = replace(markers[1], placement=type(best)(pose), session="<b>day 2")
    return delivered(Solver(study.head), study.coil, plan.target, best, markers), study, plan


def test_the_page_draws_each_session_where_it_was():
    """On the clock's own plane: up is towards the nose, right is right as seen from outside."""
    ledger, study, plan = two_days()
    right_and_front = {"day 1": (0.0, 0.0), "<b>day 2": (12.0, 0.0)}
    page = ledger_page(ledger, plan, Facts.of(study).head, ["said <i>"], subject="07")
    assert "<b>day" not in page
    assert "<i>" not in page
    assert "<script" not in page
    dots = [(float(x), float(y)) for x, y in re.findall(r'<circle class="pulse" cx="([-0-9.]+)" cy="([-0-9.]+)"', page)]
    assert len(dots) == len(right_and_front)
    assert np.allclose(dots[0], (0, 0), atol=2.0)
    assert np.allclose(dots[1], (12.0, 0), atol=0.2)
    means = re.findall(r'<circle class="mean" cx="([-0-9.]+)" cy="([-0-9.]+)"', page)
    assert float(means[0][1]) < float(means[1][1])  # the second got less, and stands lower
    row = [f"{share:.0f} %" for share in 100 * ledger.shares]
    assert all(text in page for text in row)


def test_what_is_typed_is_read_before_the_head(tmp_path, capsys):
    call = ["delivered", str(tmp_path / "NO-HEAD"), "--plan", str(tiny_plan()), "-o", str(tmp_path / "l.tsv")]
    for more, says in (
        ([], "--poses"),
        (["--at", "Cz 61 richt, handle 4:00"], EXAMPLE),
        (["--at", "Cz 61 right"], EXAMPLE),
    ):
        assert main([*call, *more]) == 2
        line = capsys.readouterr().err
        assert says in line
        assert line.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_the_command_takes_cards_and_navigators_poses_into_one_ledger(tmp_path, monkeypatch, capsys):
    """The head on the disk need not know the landmarks: the plan does."""
    monkeypatch.setattr(plans, "study_pictures", lambda study, face=None: {})
    study = marked_study()
    nf.write(replace(study.head, fiducials=None), tmp_path / "HEAD")
    plans.write_study(study, tmp_path / "PLAN")
    best = study.contralesional.best.placement
    recorded = [Marker("pulse", best, recorded=True, session="navigated", output=50.0)]
    (tmp_path / "poses.xml").write_text(localite_text(recorded))
    text = written(study.contralesional, "by card: ")
    call = ["delivered", str(tmp_path / "HEAD"), "--plan", str(tmp_path / "PLAN"), "--at", text, "--mso", "50"]
    call += ["--poses", str(tmp_path / "poses.xml"), "-o", str(tmp_path / "l.tsv"), "--page", str(tmp_path / "l.html")]
    assert main(call) == 0, capsys.readouterr().err
    head, *rows = [line.split("\t") for line in (tmp_path / "l.tsv").read_text().splitlines()]
    told = [dict(zip(head, row, strict=True)) for row in rows]
    assert len(told) == 2
    by_card = next(row for row in told if "by card" in row["session"])
    assert float(by_card["share_of_planned"]) == pytest.approx(1.0, abs=0.03)
    assert float(by_card["from_planned_mm"]) < 2.0
    out = capsys.readouterr().out
    assert "1 poses were typed from cards" in out
    assert "by card" in (tmp_path / "l.html").read_text()


def test_it_is_said_how_well_a_card_tells_the_place():
    plan = marked_study().contralesional
    doubt = next(finding.values for finding in plan.tape if finding.code == "tape-doubt")
    text = said(by_tape_finding(plan, 3))
    assert text.startswith("3 poses were typed from cards")
    assert f"{doubt['place']:.0f} mm" in text
