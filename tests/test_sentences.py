"""What a plan says in words: sides, directions, units, and nothing it does not know."""

import re
from dataclasses import replace

import numpy as np
import pytest
from tiny_plan import page_of
from tiny_study import ranked_study, tiny_head, tiny_study

from neuro_field.findings import Finding
from neuro_field.navigation.files import pose_notes
from neuro_field.report import sentences
from neuro_field.report.directions import direction_words, offset_words, point_words
from neuro_field.report.facts import Facts, GreyField, HeadFacts, cortex_distance
from neuro_field.report.page import _study_parts
from neuro_field.report.scene import arrows
from neuro_field.report.surety import sure_lines, zone_line
from neuro_field.shelf.coils import load_coil
from neuro_field.store.plan_tables import COLUMNS, plan_table


@pytest.mark.parametrize(
    ("direction", "side", "words"),
    [
        ((-1, 0, 0), "left", "to the left (lateral)"),
        ((-1, 0, 0), "right", "to the left (medial)"),
        ((1, 0, 0), "right", "to the right (lateral)"),
        ((0, -1, 0), None, "back"),
        ((0, 1, 0), None, "forwards"),
        ((0, 0, -1), None, "down"),
        ((0.6, -0.8, 0), None, "back and to the right"),
    ],
)
def test_directions_are_named_by_the_patients_sides(direction, side, words):
    assert direction_words(np.array(direction, float), np.eye(3), side) == words


def test_directions_follow_the_axes_of_a_turned_head():
    turned = np.array([[0.0, 1, 0], [-1, 0, 0], [0, 0, 1]])  # the face looks along -x
    assert direction_words(np.array([-1.0, 0, 0]), turned) == "forwards"


def test_offsets_say_how_far_and_where():
    assert offset_words(np.array([0, 12.0, 0]), np.eye(3), "C3") == "12 mm from C3 (in front)"
    assert offset_words(np.zeros(3), np.eye(3), "C3") == "at C3"


def test_no_negative_zero_is_printed():
    assert point_words(np.array([-0.01, 1, 2])) == "(0.0, 1.0, 2.0)"


def test_the_presets_own_side_comes_first_and_is_opposite_the_lesion():
    text = "\n".join(sentences.study_lines(tiny_study()))
    assert text.index("Contralesional (right)") < text.index("Ipsilesional (left)")
    assert "Contralesional (right) hemisphere - the preset's own side" in text
    assert "Read first: Ipsilesional motor evoked potentials are absent" in text


def test_each_placement_lies_on_the_side_it_is_said_to_lie_on():
    made = tiny_study()
    assert made.contralesional.best.placement.center[0] > 20
    assert made.ipsilesional.best.placement.center[0] < -20
    assert any("MNI152 (3" in line or "MNI152 (4" in line or "MNI152 (5" in line or "MNI152 (6" in line
               for line in sentences.plan_lines(made.contralesional) if line.startswith("Position"))  # fmt: skip


def test_handle_and_current_words_agree_with_the_pose():
    made = tiny_study().contralesional
    facts = HeadFacts.of(tiny_head())
    forward, reverse = sentences.current_words(made.coil, made.best, facts, "right")
    # this coil's first current runs away from its handle, so reversed it runs the handle's way
    assert made.coil.initial_e_direction[1] > 0.99
    assert reverse == direction_words(made.best.placement.handle_direction, facts.axes, "right")
    assert forward != reverse
    line = sentences.current_line(made, made.best, facts)
    assert line.index(forward) < line.index("reversed") < line.rindex(reverse)


def test_full_output_scales_the_field_by_the_coils_slope():
    made = tiny_study().contralesional
    line = sentences.field_line(made)
    assert f"{made.best.magnitude:.3f} V/m at 1 A/µs" in line
    assert f"{100 * made.best.magnitude:.0f} V/m at 100 % output (100.00 A/µs)" in line
    assert "mean |E| over the grey matter within 5 mm" in line
    unknown = sentences.field_line(replace(made, coil=replace(made.coil, didt_max=None)))
    assert "at 100 % output not known" in unknown


def test_a_plan_without_head_and_coil_says_what_it_does_not_know():
    made = replace(tiny_study().contralesional, field=None, coil=None)
    text = "\n".join(sentences.plan_lines(made))
    assert "coil is not on the shelf" in text
    assert "MNI152 mm" not in text
    assert "Coil-cortex distance" in text  # it is among the figures of the placement
    assert "Strongest field" not in text


def test_the_coil_cortex_distance_is_that_of_the_sphere():
    assert cortex_distance(tiny_head(), np.array([100.0, 0, 0])) == pytest.approx(20.0, abs=0.7)  # nodes are 9 mm apart


def test_the_hot_spot_is_the_strongest_thousandth_of_the_grey_matter():
    field = tiny_study().contralesional.field
    grey = GreyField.of(field)
    volumes = field.head.mesh.volumes[grey.elements]
    above = volumes[grey.strength >= grey.threshold].sum() / volumes.sum()
    largest = volumes.max() / volumes.sum()
    assert 0.001 - largest <= above <= 0.001 + 2 * largest
    assert grey.hot_spot[0] > 20  # under the coil, on the right


def test_one_field_is_put_in_words_with_its_own_slope():
    field = tiny_study().contralesional.field
    text = "\n".join(sentences.field_lines(field))
    assert "1 A/µs" in text
    assert "Handle: points" in text
    assert "Coil-cortex distance" in text


@pytest.mark.parametrize(("role", "side"), [("contralesional", "right"), ("ipsilesional", "left")])
def test_what_is_said_of_one_side_names_it(role, side):
    """In front, where the sentence itself names neither role nor side."""
    bare = Finding("dose-stokes-contradicts", "warn", {"low": 40, "high": 41, "needed": 74, "role": role, "side": side})
    named = Finding("search-solved-differs", "warn", {"difference": 0.1, "role": role, "side": side})
    first, second = sentences.told(replace(tiny_study(), findings=(bare, named)), "warn")
    assert first.startswith(f"{role.capitalize()} ({side}): ")
    assert role in second
    assert not second.startswith(f"{role.capitalize()} (")


@pytest.mark.parametrize("first", ["contralesional", "ipsilesional"])
def test_what_is_said_of_both_sides_word_for_word_is_told_once(first):
    """What differs in a number is told of each."""
    sides = {"contralesional": "right", "ipsilesional": "left"}
    findings = [
        found.told_with(role=role, side=sides[role])
        for role in sorted(sides, key=lambda role: role != first)
        for found in (
            Finding("dose-stokes-contradicts", "note", {"low": 40, "high": 41, "needed": 74}),
            Finding("dose-stokes-contradicts", "note", {"low": 40, "high": 41, "needed": 50 + len(role)}),
        )
    ]
    made = replace(tiny_study(), findings=tuple(findings))
    both, *each = sentences.told(made, "note")
    assert both.startswith("Both sides: By depth")
    assert sorted(text.partition(" (")[0] for text in each) == ["Contralesional", "Ipsilesional"]
    assert sum("Both sides: By depth" in line for line in sentences.study_lines(made)) == 1
    assert page_of(made).count(both.removeprefix("Both sides: ")) == 1
    once = sentences.told(replace(made, findings=tuple(findings[:1])), "note")
    assert once == [f"{first.capitalize()} ({sides[first]}): {both.removeprefix('Both sides: ')}"]


@pytest.mark.parametrize(
    ("costs", "clauses"),
    [
        ((0.03, 0.0004, 0.011), ["3.0 % on average;", "nothing;", "1.1 % on average."]),
        ((0.0, 0.0004, 0.0), ["nothing with any of them."]),
    ],
)
def test_stability_is_a_clause_for_each_conductivity_of_the_cavity(costs, clauses):
    plan = tiny_study().ipsilesional
    found = replace(plan.stability, loss_mean=costs, low=((0.549,), (0.5,), (0.4,)), high=((0.661,), (0.6,), (0.5,)))
    line = sentences.stability_line(replace(plan, stability=found))
    assert "0.275 S/m: 0.549-0.661 V/m" in line
    assert line.count("S/m: ") == 3
    assert "0.0 %" not in line
    told = line.split("keeping the first costs ")[1:]
    assert len(told) == len(clauses)
    assert all(part.startswith(clause) for part, clause in zip(told, clauses, strict=True))
    assert len(line) < 350


def test_shares_are_written_alike_everywhere():
    """As "5 %", by whichever file says them."""
    made = ranked_study()
    texts = [
        *sentences.study_lines(made),
        *sure_lines(made.ipsilesional),
        re.sub(r"<style>.*?</style>", "", page_of(made), flags=re.S),
    ]
    assert not [found for text in texts for found in re.findall(r".{20}\d%.{10}", text)]
    assert any(" %" in text for text in texts)


def round_study():
    """The small study as if a circular coil had been searched for."""
    coil, made = load_coil("circular-90mm"), tiny_study()
    plans = {
        role: replace(
            plan, coil=coil, field=replace(plan.field, coil=coil), search=replace(plan.search, symmetry="continuous")
        )
        for role, plan in made.plans.items()
    }
    return replace(made, coil=coil, **plans)


def page_parts(study):
    return _study_parts(study, Facts.of(study), {}, "en")


def with_zone(plan, **values):
    return replace(plan, zone=replace(plan.zone, **values))


@pytest.mark.parametrize(("role", "side"), [("contralesional", "right"), ("ipsilesional", "left")])
def test_the_zone_is_said_with_its_scalp_share_and_handles(role, side):
    """Its handles to the side that the best one points to, the smaller angle first; on terminal and page."""
    made = tiny_study()
    plan, axes = getattr(made, role), HeadFacts.of(tiny_head()).axes
    line = zone_line(plan, axes)
    assert f"within {plan.zone.area_cm2:.1f} cm2 of scalp ({100 * plan.zone.share:.0f} % of the positions" in line
    words = rf"handles from (\S+)° to (\S+)° from straight back, towards the patient's {side},"
    low, high = re.search(words, line).groups()
    best = float(re.search(r"\((\S+)°", sentences.handle_line(plan, plan.best, HeadFacts.of(tiny_head())))[1])
    assert float(low) < best < float(high)
    ends = plan.zone.handle_high - plan.zone.handle_low
    assert float(high) - float(low) == pytest.approx(ends, abs=1.0)
    own = (plan.best.angle + 180) % 360 - 180
    uneven = zone_line(with_zone(plan, handle_low=own - 5, handle_high=own + 20), axes)
    low, high = map(float, re.search(words, uneven).groups())
    nearer, farther = (5, 20) if side == "left" else (20, 5)  # angles grow to the patient's left
    assert (best - low, high - best) == pytest.approx((nearer, farther), abs=1.0)
    assert "at least 95 % of the best field in the target" in line
    assert any(line in each for each in sentences.study_lines(made))
    assert line.removeprefix("Zone: ").replace("'", "&#39;") in page_of(made)


def test_the_zone_says_where_it_is_cut_off_and_where_handles_do_not_matter():
    plan, axes = tiny_study().ipsilesional, np.eye(3)
    assert "cut off" in zone_line(with_zone(plan, closed=False), axes)
    assert "cut off" not in zone_line(with_zone(plan, closed=True), axes)
    assert "with any handle" in zone_line(with_zone(plan, handle_low=-40.0, handle_high=140.0), axes)
    assert "with handles" in zone_line(with_zone(plan, handle_low=-40.0, handle_high=110.0), axes)
    assert "handle" not in zone_line(with_zone(plan, handle_low=None, handle_high=None, period=None), axes)
    ratio = replace(plan, search=replace(plan.search, objective="ratio"))
    assert "of the best ratio" in zone_line(ratio, axes)
    assert zone_line(replace(plan, zone=None), axes) == ""


@pytest.mark.parametrize("role", ["contralesional", "ipsilesional"])
def test_a_coil_that_is_the_same_all_round_is_given_no_handle_and_no_current(role):
    """On terminal and page, in table, pictures, view and with the poses for navigators."""
    study = round_study()
    plan, other = getattr(study, role), getattr(tiny_study(), role)
    text = " ".join(sentences.plan_lines(plan, HeadFacts.of(tiny_head())))
    assert "any direction is the same" in text
    assert "runs in a ring" in text
    assert "Handle: points" not in text
    assert "first runs" not in text
    assert "Rule of thumb: over" in text
    assert "handle back and 45" not in text
    assert "handle back and 45" in " ".join(sentences.plan_lines(other, HeadFacts.of(tiny_head())))
    row = next(part for part in page_parts(study) if part["id"] == role)["rows"][0]
    assert (row["handle"], row["turn"], row["current"]) == ("any", "any", "in a ring")
    table = [dict(zip(COLUMNS, line.split("\t"), strict=True)) for line in plan_table(study, "01").splitlines()[1:]]
    told = next(line for line in table if line["role"] == role)
    unknown = {name for name in COLUMNS if name.startswith(("handle_", "initial_current_", "angle_"))}
    assert {told[name] for name in unknown} == {"n/a"}
    assert len(unknown) == 7
    assert told["head_from_coil_00"] != "n/a"
    assert arrows(plan.field) == {}
    assert set(arrows(other.field)) == {"handle", "current"}
    assert any(role in note and "arbitrary" in note for note in pose_notes(study))
    assert pose_notes(tiny_study()) == []


def test_only_a_two_fold_coil_may_be_turned_round():
    plan, facts = tiny_study().ipsilesional, HeadFacts.of(tiny_head())
    assert "180° this coil gives the same |E|" in sentences.handle_line(plan, plan.best, facts)
    one_way = replace(plan, search=replace(plan.search, symmetry="none"))
    assert "180°" not in sentences.handle_line(one_way, plan.best, facts)


@pytest.mark.parametrize("role", ["contralesional", "ipsilesional"])
def test_the_wanted_axis_says_whose_it_is(role):
    """An axis across the patient's own sulcus is not told as the customary 45 degrees, nor the other way round."""
    target = getattr(tiny_study(), role).target
    facts = HeadFacts.of(tiny_head())

    def said(**axis):
        return sentences.axis_words(replace(target, name="m1-hand", direction=(0.6, 0.8, 0.0), **axis), facts)

    own = said(axis_source="sulcus", axis_offset=18.6)
    assert "across the patient's own sulcus, 19 degrees from the customary axis" in own
    custom = said(axis_source="site", axis_offset=None)
    assert "patient's own" not in custom
    assert "about 45 degrees to the midline" in custom
    refused = said(axis_source="site", axis_offset=52.0)
    assert "52 degrees" in refused
    assert "not followed" in refused
    assert "degrees" not in said(axis_source="given", axis_offset=None)
