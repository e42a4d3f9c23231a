"""One intake: every mistake told at once, before any head, by the name of its field; the same in Python and typed."""

import numpy as np
import pytest
from tests_support import small_head

import neuro_field as nf
from neuro_field.cli import main
from neuro_field.clinic.answers import BLOCKED, CONFIRMABLE, EXCLUSIONS, Answers
from neuro_field.clinic.case import intake
from neuro_field.clinic.cautions import of_preset
from neuro_field.clinic.presets import PRESETS, by_hand, preset
from neuro_field.console import joined_points
from neuro_field.findings import Refusal
from neuro_field.report.words import said

HAND = "contralesional-1hz-hand"


def refused(presets, given, **more):
    """(code, field) of every finding an intake is refused with."""
    with pytest.raises(Refusal) as caught:
        intake(presets, [], given, **more)
    assert all(finding.level == "stop" and said(finding) for finding in caught.value.findings)
    return [(finding.code, finding.values.get("field")) for finding in caught.value.findings]


def test_every_mistake_is_told_at_once_by_its_field():
    given = {"rmt": 0.5, "fma_ue": 99, "mep": "perhaps", "lesion_side": "up", "contraindications": ("headache", "icd")}
    assert refused([HAND, "nonsense"], given) == [
        ("intake-not-among", "preset"), ("intake-out-of-range", "rmt"), ("intake-out-of-range", "fma_ue"),
        ("intake-not-among", "mep"), ("intake-not-among", "lesion_side"), ("intake-not-among", "contraindications"),
        ("intake-forbidden", "contraindications"),
    ]  # fmt: skip


@pytest.mark.parametrize("value", ["55", True, None.__class__, [55], float("nan"), float("inf"), 0, 101])
def test_a_number_is_a_number(value):
    assert [field for _, field in refused([HAND], {"rmt": value})] == ["rmt"]


def test_a_number_of_any_kind_is_taken():
    for value in (55, 55.0, np.float32(55), np.int64(55)):
        assert intake([HAND], [], {"rmt": value})[0].answers.rmt == 55.0


@pytest.mark.parametrize("entry", [entry.name for entry in PRESETS])
@pytest.mark.parametrize("answer", BLOCKED)
def test_what_forbids_stimulation_stops_every_preset(entry, answer):
    codes = refused([entry], {"contraindications": (answer,)})
    assert ("intake-forbidden", "contraindications") in codes


@pytest.mark.parametrize("answer", BLOCKED)
def test_what_forbids_stimulation_cannot_be_confirmed(answer):
    assert ("intake-not-among", "confirmed") in refused([HAND], {"confirmed": (answer,)})
    assert ("intake-forbidden", "contraindications") in refused(
        [by_hand("m1-hand", "figure8-70mm")], {"contraindications": (answer,)}
    )


@pytest.mark.parametrize("answer", CONFIRMABLE)
def test_an_implant_is_planned_with_only_when_it_is_confirmed_by_its_own_name(answer):
    other = CONFIRMABLE[CONFIRMABLE.index(answer) - 1]
    assert refused([HAND], {"contraindications": (answer,)}) == [("intake-unconfirmed", "confirmed")]
    assert refused([HAND], {"contraindications": (answer,), "confirmed": (other,)}) == [
        ("intake-unconfirmed", "confirmed")
    ]
    case = intake([HAND], [], {"contraindications": (answer,), "confirmed": (answer,)})[0]
    told = [finding for finding in case.findings if finding.code == "intake-confirmed"]
    assert [(finding.level, finding.values["answer"]) for finding in told] == [("warn", answer)]
    assert "clears nobody" in said(told[0])


@pytest.mark.parametrize("answer", EXCLUSIONS)
def test_exclusions_of_a_hospital_are_told_first_and_left_to_the_physician(answer):
    case = intake([HAND], [], {"contraindications": (answer,)})[0]
    told = [finding for finding in case.findings if finding.code == "intake-excluded"]
    assert [(finding.level, finding.values["answer"]) for finding in told] == [("warn", answer)]
    assert "[src]" in said(told[0])


@pytest.mark.parametrize(
    ("name", "given", "field"),
    [
        (HAND, {"fluency": "fluent"}, "fluency"), (HAND, {"dominant_side": "left"}, "dominant_side"),
        (HAND, {"side": "left"}, "side"), (HAND, {"frequency": 5.0}, "frequency"),
        ("bihemispheric-hand", {"train_seconds": 5.0}, "train_seconds"), ("lower-limb-10hz", {"mep": "absent"}, "mep"),
        ("dysphagia-3hz", {"fma_ue": 30}, "fma_ue"), ("lower-limb-10hz", {"side": "right"}, "side"),
        ("ipsilesional-itbs-hand", {"train_seconds": 2.0}, "train_seconds"),
    ],
)  # fmt: skip
def test_an_answer_of_no_use_is_refused_not_dropped(name, given, field):
    assert refused([name], given) == [("intake-not-applicable", field)]


def test_an_answer_of_use_for_one_of_several_presets_is_taken():
    given = {"fluency": "fluent", "dominant_side": "left", "mep": "absent"}
    try:
        cases = intake([HAND, "aphasia-1hz"], [nf.load_coil("c-b60"), nf.load_coil("d70")], given)
    except Refusal as refusal:
        cases = refusal.findings
    assert not [case for case in cases if isinstance(case, nf.Finding)]
    assert [(case.preset.name, case.coil.name) for case in cases] == [
        (HAND, "c-b60"), (HAND, "figure8-70mm"), ("aphasia-1hz", "c-b60"), ("aphasia-1hz", "figure8-70mm"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "fields"),
    [("aphasia-1hz", ["fluency", "dominant_side"]), ("executive-dlpfc", ["side"])],
)
def test_a_missing_answer_is_asked_for(name, fields):
    assert refused([name], {}) == [("intake-missing", field) for field in fields]


def test_what_needs_something_else_is_refused_alone():
    assert refused([HAND], {"mt_method": "twitch"}) == [("intake-needs", "mt_method")]
    assert refused(["lower-limb-10hz"], {}, hot_spot=(0, 0, 60)) == [("intake-needs", "hot_spot")]
    assert refused([HAND], {}, stimulator="Magstim Rapid") == [("intake-needs", "stimulator")]
    assert refused([HAND], {"paretic_hand": "left", "lesion_side": "left"}) == [
        ("intake-hand-contradicts-side", "paretic_hand")
    ]
    assert refused([HAND], {}, hot_spot="C3") == [("intake-hot-spot", "hot_spot")]


def test_what_a_preset_leaves_open_can_be_typed_and_is_told_where_it_is_not():
    given = {"side": "left", "frequency": 10.0, "train_seconds": 5.0, "pulses": 2000, "intensity": 1.1}
    case = intake(["executive-dlpfc"], [], given)[0]
    assert (case.preset.trains, case.preset.intensity) == (((10.0, 5.0),), 1.1)
    assert "2000" in case.preset.pulses
    assert not [finding for finding in case.findings if finding.code == "intake-left-open"]
    bare = intake(["executive-dlpfc"], [], {"side": "left", "rmt": 50})[0]
    told = {finding.code: finding for finding in bare.findings}
    assert told["intake-left-open"].values["fields"] == ("frequency", "pulses", "intensity")


def test_notes_say_what_a_preset_does():
    """Hand notes for hand presets alone; inhibiting is said of what inhibits."""
    absent, sides = Answers(mep="absent"), {"contralesional": "right", "ipsilesional": "left"}
    for entry in PRESETS:
        own = entry.side if entry.side in ("contralesional", "ipsilesional") else "contralesional"
        told = list(of_preset(entry, absent, own, sides))
        text = " ".join(said(finding) for finding in told)
        assert ("motor evoked" in text) == (entry.purpose == "hand"), entry.name
        inhibits = "inhibits" in {entry.effect(role) for role in ("contralesional", "ipsilesional")}
        warned = [finding for finding in told if finding.level == "warn"]
        assert bool(warned) == (entry.purpose == "hand" and inhibits and own == "contralesional"), entry.name
        if not inhibits:
            assert "inhibiting the contralesional" not in text, entry.name
    exciting = [finding.values for finding in of_preset(preset("bihemispheric-hand"), absent, "contralesional", sides)]
    assert {"role": "ipsilesional", "side": "left", "effect": "excites"} in exciting


def test_names_are_the_same_in_python_and_typed():
    import inspect

    from neuro_field.commands.plans import plan

    typed = set(inspect.signature(plan).parameters) | {"contraindications", "thresholds"}
    assert set(Answers.__dataclass_fields__) | {"hot_spot", "preset", "target", "coil", "avoid"} <= typed
    assert set(Answers.__dataclass_fields__) <= set(inspect.signature(nf.study).parameters)


@pytest.mark.parametrize("given", [["--preset", HAND], ["--target", "left:m1-hand", "--coil", "D70"],
                                   ["--target", "head:-40 -20 60", "--coil", "double cone"]])  # fmt: skip
@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (["--contraindication", "pacemaker"], "a pacemaker forbids"),
        (["--contraindication", "Aneurysm Coil"], "confirmed aneurysm-coil"),
        (["--rmt", "0"], "1 to 100"), (["--lesion-side", "up"], "left, right"), (["--mt-method", "guess"], "emg"),
        (["--fluency", "fluent"], "of no use"), (["--side", "left"], "of no use"), (["--spacing", "0"], "spacing"),
        (["--avoid-share", "0.5"], "of no use"), (["--avoid", "nose"], "nose"), (["--coil", "figure9"], "did you mean"),
        (["--hot-spot", "nowhere.xml"], "nowhere.xml"),
    ],
)  # fmt: skip
def test_mistakes_are_told_before_a_head_is_read(monkeypatch, tmp_path, capsys, given, wrong, words):
    def read(*arguments, **keywords):
        raise AssertionError("a head was read")

    monkeypatch.setattr("neuro_field.commands.plans.head_of", read)
    monkeypatch.setattr("neuro_field.commands.plans.grid_of", read)
    assert main(["plan", "example:colin27", *given, *wrong, "-o", str(tmp_path / "PLAN")]) == 2
    said_lines = capsys.readouterr().err.strip().splitlines()
    assert any(words in line for line in said_lines)
    for name in ("mep_", "lesion_side", "load_coil", "contraindications"):
        assert name not in " ".join(said_lines)
    assert list(tmp_path.iterdir()) == []


def test_a_current_direction_is_for_a_target_alone(tmp_path, capsys):
    assert main(["plan", "HEAD", "--preset", HAND, "--direction", "0,1,0", "-o", str(tmp_path / "PLAN")]) == 2
    assert "Direction is of no use" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("typed", "joined"),
    [
        (["--at", "-20", "40", "65", "-o", "X"], ["--at", "-20,40,65", "-o", "X"]),
        (["--at", "40", "-20", "65", "--gap", "4"], ["--at", "40,-20,65", "--gap", "4"]),
        (["--at", "40,", "-20,", "65"], ["--at", "40,-20,65"]),
        (["--at", "-20,40,65", "7"], ["--at", "-20,40,65", "7"]),
        (["--target", "head:-20", "-40", "6.5"], ["--target", "head:-20,-40,6.5"]),
        (["--hot-spot", "head:1", "2", "3", "4"], ["--hot-spot", "head:1,2,3", "4"]),
        (["--radius", "30", "40"], ["--radius", "30", "40"]),
        (["--at", "C3", "4"], ["--at", "C3", "4"]),
    ],
)
def test_a_point_may_be_typed_with_blanks_and_signs(typed, joined):
    assert joined_points(typed) == joined


def test_a_head_must_be_one():
    for head in ("colin27", None, 3):
        with pytest.raises(nf.InputError, match="must be a HeadModel"):
            nf.study(head, preset=HAND)
    with pytest.raises(nf.InputError, match="either a preset, or a target"):
        nf.study(small_head(), coil=nf.load_coil("d70"))


def test_lists_fit_a_terminal_of_80_columns(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "80")
    assert main(["presets"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    for entry in PRESETS:
        assert entry.name in lines


def test_a_hot_spot_is_a_point_or_a_named_pose_of_a_file(tmp_path):
    from neuro_field.coil.marker import Marker
    from neuro_field.commands.targets import hot_spot_of
    from neuro_field.navigation.localite import localite_text

    poses = [np.eye(4), np.eye(4)]
    poses[1][:3, 3] = (40, -20, 60)
    path = tmp_path / "day1.xml"
    path.write_text(localite_text([Marker(f"spot {i}", nf.Placement(pose)) for i, pose in enumerate(poses)]))
    assert np.allclose(hot_spot_of(f"{path}:Spot-1", None).head_from_coil, poses[1])
    assert hot_spot_of("head:-40 -20,65", None).tolist() == [-40, -20, 65]
    for text, words in ((str(path), "name the hot spot's"), (f"{path}:spt 1", "did you mean"), ("no.xml", "no file")):
        with pytest.raises(nf.InputError, match=words):
            hot_spot_of(text, None)
