"""Cases planned in a head: hot spots, targets made by hand, several cases at once, and what is said of each."""

from functools import lru_cache

import numpy as np
import pytest
from tiny_study import tiny_head

import neuro_field as nf
from neuro_field.aim.atlas import SIDES, other_side
from neuro_field.aim.target import Target
from neuro_field.clinic import study as room
from neuro_field.clinic.aiming import aims
from neuro_field.clinic.case import intake
from neuro_field.clinic.presets import by_hand
from neuro_field.clinic.study import studies
from neuro_field.findings import LEVELS, Refusal
from neuro_field.report.words import said

GRID = nf.Grid(radius=15, spacing=15, angle_step=90)
HAND = "contralesional-1hz-hand"


@lru_cache(maxsize=1)
def coil():
    return nf.load_coil("figure8-70mm").simplified(error=5e-3)


def aim_of(hot_spot, given=None, preset=HAND):
    return aims(tiny_head(), intake([preset], [coil()], given or {}, hot_spot=hot_spot)[0])


@pytest.mark.parametrize("side", SIDES)
def test_a_measured_point_is_where_that_hand_area_is_aimed_at(side):
    expected = nf.Target.named(tiny_head(), "m1-hand", side).center
    for shift, level in (([0.0, 4.0, 3.0], "note"), ([0.0, 30.0, 0.0], "warn")):
        aim = aim_of(expected + shift)
        role = "ipsilesional" if side == aim.affected else "contralesional"
        moved = aim.targets[role]
        other = aim.targets["contralesional" if role == "ipsilesional" else "ipsilesional"]
        assert (moved.name, moved.side, moved.source) == ("m1-hand", side, "measured hot spot")
        assert other.source != "measured hot spot"
        told = [finding for finding in aim.findings if finding.code == "study-hot-spot"]
        assert [finding.level for finding in told] == [level]
        offset = moved.center - expected
        assert told[0].values["side"] == side
        assert told[0].values["distance"] == pytest.approx(np.linalg.norm(offset))
        assert told[0].values["anterior"] == pytest.approx(offset[1], abs=1e-6)
        assert told[0].values["right"] == pytest.approx(offset[0], abs=1e-6)
        assert f"{np.linalg.norm(offset):.0f} mm" in said(told[0])
        assert "anterior" in said(told[0])


@pytest.mark.parametrize("side", SIDES)
def test_a_measured_pose_aims_at_the_cortex_under_its_axis(side):
    head = tiny_head()
    expected = nf.Target.named(head, "m1-hand", side).center
    pose = nf.Placement.on(head.scalp, above=expected * 1.1 + [0, 8, 0], handle_towards=(0, -90, 60))
    moved = next(target for target in aim_of(pose).targets.values() if target.side == side)
    beside = np.cross(moved.center - pose.center, pose.head_from_coil[:3, 2])
    assert np.linalg.norm(beside) <= 5.0
    deeper = moved.center + 10 * pose.head_from_coil[:3, 2]
    assert np.linalg.norm(moved.center) > np.linalg.norm(deeper)  # the first grey matter, not what lies behind it


def test_a_hot_spot_off_the_head_is_refused_in_one_line():
    out = np.diag([1.0, -1.0, -1.0, 1.0])
    out[:3, 3] = (0, 0, 96)
    outwards = nf.Placement(out @ np.diag([1.0, -1.0, -1.0, 1.0]))
    for hot_spot, code in (((0, 0, 300), "intake-hot-spot-far"), (outwards, "intake-hot-spot-off-head")):
        with pytest.raises(Refusal) as refused:
            aim_of(hot_spot)
        assert [finding.code for finding in refused.value.findings] == [code]
        assert "\n" not in said(refused.value.findings[0])


@pytest.fixture(scope="module")
def both():
    """The hand preset and the one for both hands, by one coil, with a threshold and a hot spot on the right."""
    built = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("neuro_field.search.survey.Solver", None)  # there is one already
        patch.setattr(room, "Solver", lambda *a, **k: built.append(nf.Solver(*a, **k)) or built[-1])
        hot_spot = nf.Target.named(tiny_head(), "m1-hand", "right").center + np.array([0, 6, 0])
        cases = intake([HAND, "bihemispheric-hand"], [coil()], {"rmt": 50, "mep": "absent"}, hot_spot=hot_spot)
        made = list(studies(tiny_head(), cases, grid=GRID, draws=0, tolerance=1e-3))
    return made, built


def test_several_cases_share_a_solver_and_the_plan_of_each_target(both):
    made, built = both
    assert len(built) == 1
    assert [study.preset.name for study in made] == [HAND, "bihemispheric-hand"]
    for role in ("contralesional", "ipsilesional"):
        assert getattr(made[0], role) is getattr(made[1], role)


def test_findings_come_worst_first_with_role_and_side(both):
    for study in both[0]:
        levels = [LEVELS.index(finding.level) for finding in study.findings]
        assert levels == sorted(levels)
        assert all(said(finding) for finding in study.findings)
        for finding in study.findings:
            if finding.values.get("role") in study.plans and "side" in finding.values:
                assert finding.values["side"] == study.side_of(finding.values["role"])
        told = {finding.code for finding in study.findings}
        assert {"study-hot-spot", "preset-inhibits-without-mep", "intake-clears-nobody"} <= told
        of_doses = {finding.code for dose in study.doses.values() for finding in dose.findings}
        assert of_doses <= told


@pytest.mark.parametrize("side", SIDES)
def test_a_target_made_by_hand_has_answers_doses_and_findings(side):
    head = tiny_head()
    target = Target.ball(head, nf.Target.named(head, "m1-hand", side).center, radius=12, name="m1-hand", side=side)
    read = nf.Threshold(50, hand=other_side(side), muscle="FDI")
    made = nf.study(
        head, target=target, coil=coil(), thresholds=[read], intensity=0.9, frequency=10.0, train_seconds=9.0,
        confirmed=["plate"], grid=GRID, draws=0, tolerance=1e-3,
    )  # fmt: skip
    assert (made.own_side, made.side_of("target"), set(made.plans)) == ("target", side, {"target"})
    assert made.best is made.target.best
    assert made.doses["target"].matched == pytest.approx(45.0)
    codes = {finding.code: finding.level for finding in made.findings}
    assert codes["intake-confirmed"] == "warn"
    assert codes["envelope-outside"] == "warn"


@pytest.mark.parametrize("answer", ["pacemaker", "stent"])
def test_a_target_made_by_hand_is_refused_like_a_preset(answer):
    target = Target.ball(tiny_head(), (60, 0, 50), radius=12)
    for given in ({"preset": HAND}, {"target": target, "coil": coil()}):
        with pytest.raises(Refusal) as refused:
            nf.study(tiny_head(), contraindications=[answer], **given)
        assert refused.value.findings[0].values["answer"] == answer


def test_a_bare_threshold_of_a_head_without_a_side_is_asked_whose_it_is():
    whole = tiny_head().without_lesion()
    target = Target.ball(whole, (60, 0, 50), radius=12)
    case = intake([by_hand("point", "figure8-70mm")], [coil()], {"rmt": 50, "intensity": 0.9})[0]
    with pytest.raises(Refusal) as refused:
        aims(whole, case, target)
    assert refused.value.findings[0].values["field"] == "lesion_side"
    told = intake([by_hand("point", "figure8-70mm")], [coil()], {"rmt": 50, "intensity": 0.9, "paretic_hand": "left"})
    assert aims(whole, told[0], target).affected == "right"
