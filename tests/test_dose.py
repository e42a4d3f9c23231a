"""Doses: three outputs apart, across coils, sides, stimulators and muscles, and what is said where there is none."""

import itertools
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from tests_support import small_head

import neuro_field as nf
from neuro_field.aim.target import Target
from neuro_field.clinic.anchor import Anchor, anchor_at, depth_under_scalp
from neuro_field.clinic.dose import Dose, dose
from neuro_field.clinic.dosing import anchor_of, areas_needed, doses, threshold_for
from neuro_field.clinic.percentage import Percentage, percentage_of, trains_of
from neuro_field.clinic.presets import PRESETS
from neuro_field.clinic.threshold import Threshold
from neuro_field.errors import InputError
from neuro_field.findings import Finding
from neuro_field.head.mapping import AffineMapping
from neuro_field.report.sentences import dose_line
from neuro_field.report.words import said
from neuro_field.report.words.en import dose as dose_words
from neuro_field.report.words.en import envelope as envelope_words
from neuro_field.search.metrics import Metrics
from neuro_field.search.plan import Candidate, Plan, PlanReport
from neuro_field.search.sensitivity import Sensitivity
from neuro_field.search.stability import Stability

COIL = nf.load_coil("figure8-70mm")
CONE = nf.load_coil("double-cone")
HAND = Percentage(0.9, limb="hand", muscle="FDI", mark="lit")
RMT = Threshold(55, hand="right", muscle="FDI")


def stability_of(magnitude, values=()):
    magnitude = np.asarray(magnitude, dtype=float)
    draws = len(magnitude) // max(len(values), 1)
    row, one = ((1.0,),), (0.0,)
    return Stability(
        draws=draws, lesion_values=tuple(values), compared=8, first=row, median=row, low=row, high=row, loss_mean=one,
        loss_p95=one, magnitude=magnitude, reduced_error=0.0,
    )  # fmt: skip


def plan_of(
    coil=COIL, magnitude=1.0, *, along=None, side="left", site="m1-hand", viable=1.0, draws=None, values=(), head=None,
    center=(0.0, 0.0, 60.0),
):  # fmt: skip
    """A plan of one placement with these strengths, without a search."""
    direction = None if along is None else (0.0, 1.0, 0.0)
    if head is None:
        target = Target(site, center, 5.0, [0, 1], [0.5, 0.5], direction=direction, side=side, viable_share=viable)
    else:
        target = Target.ball(
            head, center, 5.0, tissue="brain", direction=direction, name=site, side=side, viable_share=viable
        )
    best = Candidate(
        nf.Placement(np.eye(4)), magnitude if along is None else along, magnitude if along is None else along,
        magnitude, 0.0, 0.0, Metrics(1.0, None, 1.0, None, None, None, 7.0), Sensitivity(1, 1, 1, 1, 1),
    )  # fmt: skip
    report = PlanReport(1, 1, 0, 0, 1, 0.0, 0.0, {}, 0)
    field = None if head is None else SimpleNamespace(head=head)
    stability = None if draws is None else stability_of(draws, values)
    return Plan(target, coil, (best,), np.ones(1), np.zeros((1, 3)), field, report, stability=stability)


def codes(made):
    return {finding.code for finding in made.findings}


def value(made, code):
    return next(finding.values for finding in made.findings if finding.code == code)


def test_at_its_own_hand_area_the_three_outputs_are_one():
    plan = plan_of()
    made = dose(HAND, RMT, Anchor.on(plan), plan)
    assert (made.published, made.matched, made.needed, made.begin) == pytest.approx((49.5,) * 4)
    assert made.of_threshold == pytest.approx(0.9)
    assert made.at_target
    assert made.anchor == "best-placement"
    assert made.target_field == pytest.approx(1.0 * 0.495 * 114.73)


def across(read, read_on, treating, treating_on, *, here=1.0, there=1.0, own=1.0, percent=55.0, share=0.9):
    """A dose by a threshold of another coil, for a target without an axis."""
    threshold = Threshold(percent, hand="right", stimulator=read_on)
    anchor = Anchor.on(plan_of(read, here), treating=plan_of(treating, own))
    plan = plan_of(treating, there, site="ifg-triangularis")
    return dose(Percentage(share), threshold, anchor, plan, stimulator=treating_on)


def test_a_threshold_by_figure_8_doses_the_double_cone_by_fields_and_slopes():
    """The double cone's own field over the hand area, 1.677 of that in the leg's, would have given 83 %."""
    made = across(COIL, None, CONE, None, here=1.1142, own=1.677, there=1.0)
    assert made.needed == pytest.approx(75.0, abs=0.02)
    assert made.needed == pytest.approx(0.9 * 55 * (1.1142 * 114.73) / (1.0 * 84.37))
    assert made.published is None
    assert "dose-other-coil" in codes(made)
    assert made.of_threshold == pytest.approx(0.9 * 1.677)  # of what the double cone would need over the hand


@pytest.mark.parametrize(
    ("read", "read_on", "treating", "treating_on", "factor"),
    [
        ("figure8-70mm", None, "double-cone", None, 114.73 / 84.37),
        ("double-cone", None, "figure8-70mm", None, 84.37 / 114.73),
        ("figure8-70mm", "magstim rapid", "mc-b70", "MagPro-X100", 114.73 / 155.33),
        ("mc-b70", "MagVenture MagPro X100", "cool-b65", None, 155.33 / 149.77),
        ("mc-b70", None, "mc-b70", None, 1.0),
        ("circular-90mm", "Some machine", "circular-90mm", "some machine", 1.0),
        ("circular-90mm", None, "circular-90mm", None, 1.0),
        ("figure8-70mm", None, "mc-b70", None, None),  # two machines, and nobody said which
        ("figure8-70mm", "Magstim Rapid", "mc-b70", None, None),  # not known on that one
        ("circular-90mm", "Some machine", "circular-90mm", "Another", None),
    ],
)
def test_outputs_are_compared_by_the_slopes_of_coil_and_stimulator(read, read_on, treating, treating_on, factor):
    coils = nf.load_coil(read), nf.load_coil(treating)
    made = across(coils[0], read_on, coils[1], treating_on, here=0.8, there=0.5)
    if factor is None:
        assert (made.needed, made.matched, made.begin, made.published) == (None,) * 4
        assert "dose-stimulator-unknown" in codes(made)
        assert "no output" in dose_line(made, plan_of(coils[1])).lower()
    else:
        assert made.needed == pytest.approx(49.5 * factor * 0.8 / 0.5)
        assert "dose-stimulator-unknown" not in codes(made)


def test_an_output_of_another_stimulator_is_published_for_the_one_that_treats():
    coil = replace(COIL, stimulators=(*COIL.stimulators, replace(COIL.stimulators[0], name="Other", didt_max=2e8)))
    plan = plan_of(coil)
    made = dose(HAND, replace(RMT, stimulator="Other"), Anchor.on(plan), plan, stimulator="Magstim Rapid")
    assert made.published == pytest.approx(49.5 * 200 / 114.73)
    assert made.stimulator == "Magstim Rapid"
    assert "dose-other-stimulator" in codes(made)
    assert made.target_field == pytest.approx(0.495 * 200)


def test_doubling_the_threshold_doubles_the_outputs_and_swapping_coils_inverts_them():
    once, twice = (across(COIL, None, CONE, None, here=0.6, percent=percent) for percent in (20, 40))
    assert twice.needed == pytest.approx(2 * once.needed)
    assert twice.begin == pytest.approx(2 * once.begin)
    assert twice.of_threshold == pytest.approx(once.of_threshold)
    published = [dose(HAND, replace(RMT, percent=p), Anchor.on(plan_of()), plan_of()).published for p in (20, 40)]
    assert published[1] == pytest.approx(2 * published[0])
    there = across(COIL, None, CONE, None, here=0.6, there=0.7, share=1.0)
    back = across(CONE, None, COIL, None, here=0.7, there=0.6, share=1.0)
    assert there.needed / 55 * back.needed / 55 == pytest.approx(1.0)
    stronger = across(COIL, None, CONE, None, here=1.2, there=1.4, share=1.0)
    assert stronger.needed == pytest.approx(there.needed)


@pytest.mark.parametrize("side", ["left", "right"])
def test_the_hemisphere_is_the_opposite_of_the_body_s_side(side):
    other = {"left": "right", "right": "left"}[side]
    assert Threshold(50, hand=side).hemisphere == Threshold(50, foot=side).hemisphere == other
    plan = plan_of(side=other)
    told = [said(found) for found in dose(HAND, Threshold(50, hand=side), Anchor.on(plan), plan).findings]
    assert any(f"{side} hand" in line and f"{other} hemisphere" in line for line in told)


# Ranked and dosed by the same quantity


def test_what_ranks_also_doses_and_the_other_ratio_is_told():
    anchor = Anchor.on(plan_of(magnitude=1.0, along=0.9))
    plan = plan_of(magnitude=1.0, along=0.6, side="right")
    made = dose(HAND, RMT, anchor, plan)
    assert made.statistic == "along"
    assert (made.ratio_along, made.ratio_magnitude) == pytest.approx((1.5, 1.0))
    assert made.needed == pytest.approx(49.5 * 1.5)
    assert made.target_field == pytest.approx(0.6 * made.matched / 100 * 114.73)  # V/m of the same quantity
    assert value(made, "dose-ratios-differ") == {
        "along": pytest.approx(74.25), "magnitude": pytest.approx(49.5),
    }  # fmt: skip
    without = dose(HAND, RMT, anchor, plan_of(magnitude=0.5))
    assert (without.statistic, without.ratio_along) == ("magnitude", None)
    assert without.needed == pytest.approx(99.0)


@pytest.mark.parametrize(("ratio", "told"), [(1.09, False), (1.11, True), (0.91, False), (0.89, True)])
def test_ratios_more_than_a_tenth_apart_are_told(ratio, told):
    made = dose(HAND, RMT, Anchor.on(plan_of(along=0.9)), plan_of(along=0.9 / ratio, site="x"))
    assert ("dose-ratios-differ" in codes(made)) == told


# Caps, limits, the low end


@pytest.mark.parametrize("side", ["left", "right"])
def test_a_capped_output_says_what_was_needed_and_nothing_of_conductivities(side):
    anchor = Anchor.on(plan_of(magnitude=1.0, draws=[1.0, 1.02, 0.98]))
    plan = plan_of(magnitude=0.3, side=side, draws=[0.3, 0.306, 0.294])
    made = dose(HAND, RMT, anchor, plan)
    assert made.matched == 100
    assert made.needed == pytest.approx(165)
    assert value(made, "dose-capped")["needed"] == pytest.approx(165)
    assert "100 to 100 %" not in dose_line(made, plan)
    unpublished = dose(Percentage(0.9, limb="foot"), RMT, anchor, plan)
    assert (unpublished.low, unpublished.high) == (100, 100)
    assert "100 to 100 %" not in dose_line(unpublished, plan)
    everything = " ".join([dose_line(made, plan), *map(said, made.findings)])
    assert "whatever the conductivities" not in everything
    assert "165 %" in everything
    assert {found.level for found in made.findings if found.code == "dose-capped"} == {"warn"}


def test_at_its_own_area_conductivities_change_nothing_unless_the_output_is_capped():
    plan = plan_of(draws=[1.0, 1.2, 0.8])
    free, capped = (dose(replace(HAND, share=1.2), replace(RMT, percent=p), Anchor.on(plan), plan) for p in (80, 90))
    assert free.at_target
    assert capped.at_target
    assert (free.low, free.high) == pytest.approx((96.0, 96.0))
    assert "whatever the conductivities" in dose_line(free, plan)
    assert "whatever the conductivities" not in dose_line(capped, plan)
    lucky = dose(HAND, RMT, Anchor.on(plan), plan_of(site="x", draws=[1.0, 1.2, 0.8]))  # a narrow interval by chance
    assert lucky.low == lucky.high
    assert "whatever the conductivities" not in dose_line(lucky, plan)


def at_share(share, kind="rMT"):
    """A dose whose matched output is this share of the threshold."""
    threshold = Threshold(40, kind, hand="right", muscle="FDI")
    plan = plan_of(magnitude=0.5, site="dlpfc")
    return dose(Percentage(0.5 * share, kind), threshold, Anchor.on(plan_of(magnitude=1.0)), plan)


@pytest.mark.parametrize(
    ("share", "high", "begins"),
    [(1.0, False, True), (1.199, False, True), (1.201, True, True), (1.299, True, True), (1.301, False, False)],
)
@pytest.mark.parametrize("kind", ["rMT", "aMT"])
def test_above_120_percent_is_told_and_above_130_nothing_is_given_to_begin_at(share, high, begins, kind):
    made = at_share(share, kind)
    assert made.of_threshold == pytest.approx(share)
    assert ("dose-high" in codes(made)) == high
    assert (made.begin is not None) == begins
    assert ("dose-above-table" in codes(made)) != begins
    assert made.matched == pytest.approx(40 * share)  # the ratio is shown all the same
    if not begins:
        words = said(next(found for found in made.findings if found.code == "dose-above-table"))
        assert "pauses" in words
        assert "130%" in words.replace(" ", "")


@pytest.mark.parametrize("method", ["emg", "twitch"])
def test_the_output_to_begin_at_is_the_lowest_told_and_lower_after_a_visible_twitch(method):
    threshold = replace(RMT, method=method)
    less = 1.113 if method == "twitch" else 1.0
    anchor = Anchor.on(plan_of(magnitude=1.0))
    shallow, deep = (dose(HAND, threshold, anchor, plan_of(magnitude=each, site="x")) for each in (1.1, 0.9))
    assert shallow.begin == pytest.approx(49.5 / 1.1 / less)  # the matched one
    assert deep.begin == pytest.approx(49.5 / less)  # the published one
    assert shallow.low is None
    assert "dose-no-draws" in codes(shallow)
    assert ("dose-twitch" in codes(shallow)) == (method == "twitch")
    draws = np.linspace(0.8, 1.2, 101)
    spread = dose(
        HAND, threshold, Anchor.on(plan_of(draws=np.ones(101))), plan_of(site="x", draws=draws)
    )  # fmt: skip
    assert spread.low == pytest.approx(49.5 / 1.18)
    assert spread.high == pytest.approx(49.5 / 0.82)
    assert spread.begin == pytest.approx(49.5 / 1.18 / less)


def test_the_interval_spans_the_cavity_s_values_and_is_never_pooled_over_them():
    """One of three values that lowers the field by a third moves the whole end of the interval, not a third of it."""
    there = np.concatenate([np.ones(40), np.full(40, 1.01), np.full(40, 2 / 3)])
    anchor = Anchor.on(plan_of(draws=np.ones(120), values=(0.275, 0.8, 1.654)))
    made = dose(HAND, RMT, anchor, plan_of(site="x", draws=there, values=(0.275, 0.8, 1.654)))
    assert (made.low, made.high) == pytest.approx((49.5 / 1.01, 49.5 * 1.5))


@pytest.mark.parametrize("side", ["left", "right"])
def test_a_threshold_of_the_other_hemisphere_gives_an_interval_even_without_draws(side):
    threshold = Threshold(55, hand=side, muscle="FDI")  # of the other hemisphere than `side`'s target
    anchor = Anchor.on(plan_of(side=threshold.hemisphere, along=0.9))
    plan = plan_of(side=side, magnitude=0.9, along=0.75)
    made = dose(HAND, threshold, anchor, plan)
    assert (made.low, made.high) == pytest.approx((49.5, 49.5 * 0.9 / 0.75))
    assert value(made, "dose-other-hemisphere")["hemisphere"] == threshold.hemisphere
    line = dose_line(made, plan)
    assert "50 to 59 %" in line
    assert "no single number" in line
    free = plan_of(side=side, magnitude=0.9)  # without an axis, a published output or depths there is one output only
    single = dose(Percentage(0.9, limb="foot"), threshold, anchor, free)
    assert (single.low, single.high) == (None, None)
    assert "no single number" in dose_line(single, free)


@pytest.mark.parametrize(("viable", "given"), [(0.5, True), (0.499, False), (0.2, False), (0.8, True)])
def test_less_than_half_of_the_target_viable_gives_no_dose_but_the_share_and_the_volume(viable, given):
    head = small_head()
    plan = plan_of(viable=viable, head=head, center=(-40.0, -20.0, 52.0))
    made = dose(HAND, RMT, Anchor.on(plan), plan)
    assert (made.matched is not None) == given
    if not given:
        assert (made.published, made.begin) == (None, None)
        told = value(made, "dose-target-lost")
        assert told["viable"] == viable
        assert told["cm3"] == pytest.approx(head.mesh.volumes[plan.target.elements].sum() / 1000)
        assert "cm3" in dose_line(made, plan)


# Stokes


def test_stokes_goes_by_the_depth_of_the_target_itself_for_a_figure_8():
    """Not by the nearest grey matter of any gyrus, and not by where the coil stands."""
    head = small_head()
    anchor, plan = plan_of(head=head, center=(0.0, 0.0, 66.0)), plan_of(head=head, center=(0.0, 0.0, 50.0), site="x")
    deeper = depth_under_scalp(head, plan.target) - depth_under_scalp(head, anchor.target)
    assert deeper > 8
    made = dose(HAND, RMT, Anchor.on(anchor), plan)
    assert made.stokes_low == pytest.approx(0.9 * (55 + 2.7 * deeper))
    assert made.stokes_high == pytest.approx(0.9 * (55 + 3.0 * deeper))
    lifted = replace(plan, ranking=(replace(plan.best, lift=15.0, placement=nf.Placement(np.diag([1, 1, 1, 1.0]))),))
    assert dose(HAND, RMT, Anchor.on(anchor), lifted).stokes_low == made.stokes_low
    assert "dose-stokes-contradicts" in codes(made)  # the fields say no more is needed
    back = dose(HAND, RMT, Anchor.on(plan), anchor)
    assert back.stokes_high == pytest.approx(0.9 * (55 - 2.7 * deeper))
    assert back.stokes_low == pytest.approx(0.9 * (55 - 3.0 * deeper))


@pytest.mark.parametrize(("offset", "told"), [(9.9, False), (10.1, True), (-9.9, False), (-10.1, True)])
def test_outputs_ten_percent_apart_from_stokes_contradict(offset, told):
    head = small_head()
    anchor = plan_of(head=head, center=(0.0, 0.0, 60.0))
    plan = plan_of(magnitude=49.5 / (49.5 + offset), head=head, center=(0.0, 0.0, 60.0), site="x")
    assert ("dose-stokes-contradicts" in codes(dose(HAND, RMT, Anchor.on(anchor), plan))) == told


@pytest.mark.parametrize(
    ("coil", "threshold", "why"),
    [
        ("double-cone", RMT, "stokes-coil"),
        ("circular-90mm", RMT, "stokes-coil"),
        ("mc-b70", RMT, "stokes-stimulator"),
        ("figure8-70mm", Threshold(55, "aMT", hand="right"), "stokes-active"),
        ("figure8-70mm", RMT, "stokes-depth"),
    ],
)
def test_stokes_is_absent_where_it_does_not_hold_and_says_why(coil, threshold, why):
    plan = plan_of(nf.load_coil(coil))
    made = dose(replace(HAND, kind=threshold.kind), threshold, Anchor.on(plan), plan)
    assert made.stokes_low is None
    assert value(made, "dose-stokes-absent")["why"] == why


@pytest.mark.parametrize(
    ("read", "treating", "why"),
    [("mc-b70", "c-b60", "stokes-two-coils"), ("figure8-70mm", "double-cone", "stokes-coil")],
)
def test_stokes_is_absent_across_coils_for_the_reason_that_holds(read, treating, why):
    made = across(nf.load_coil(read), None, nf.load_coil(treating), None)
    assert value(made, "dose-stokes-absent")["why"] == why
    assert why not in said(next(each for each in made.findings if each.code == "dose-stokes-absent"))


# Muscles, sides, kinds


@pytest.mark.parametrize(
    ("threshold", "percentage", "code"),
    [
        (replace(RMT, muscle="APB"), HAND, "dose-other-muscle"),
        (Threshold(55, foot="right", muscle="TA"), HAND, "dose-other-muscle"),
        (RMT, Percentage(0.9, limb="foot"), "dose-other-muscle"),
        (RMT, replace(HAND, hemisphere="right"), "dose-other-side"),
    ],
)
def test_a_threshold_of_another_muscle_or_side_gives_the_field_matched_line_only(threshold, percentage, code):
    made = dose(percentage, threshold, Anchor.on(plan_of()), plan_of(site="x"))
    assert made.published is None
    assert made.needed == pytest.approx(49.5)
    assert code in codes(made)
    assert "as published" not in dose_line(made, plan_of())


@pytest.mark.parametrize("own", ["contralesional", "ipsilesional"])
def test_a_side_that_the_protocol_does_not_stimulate_has_no_published_output(own):
    """Its plan is for comparison; the matched output, and how low to begin, stay as they are."""
    plans = {"contralesional": plan_of(side="left"), "ipsilesional": plan_of(side="right", magnitude=0.9)}
    anchors = {("m1-hand", "left"): Anchor.on(plans["contralesional"])}
    both, one = (
        doses(HAND, [RMT], plans, anchors, stimulated=roles, trains=dict.fromkeys(plans, ((1.0, 1200.0),)))
        for roles in (tuple(plans), (own,))
    )
    for role, made in one.items():
        assert (made.published is None) == (role != own)
        assert ("dose-not-of-protocol" in codes(made)) == (role != own)
        assert ("as published" in dose_line(made, plans[role])) == (role == own)
        assert (made.matched, made.low, made.high, made.begin) == (
            both[role].matched, both[role].low, both[role].high, both[role].begin
        )  # fmt: skip
        judged = [finding for finding in made.findings if finding.code == "envelope-inside"]
        assert ("published" in str([dict(finding.values) for finding in judged])) == (role == own)


def test_an_active_threshold_doses_an_active_preset_only():
    plan = plan_of()
    theta = Percentage(0.8, "aMT", limb="hand")
    assert dose(theta, replace(RMT, kind="aMT"), Anchor.on(plan), plan).matched == pytest.approx(44.0)
    for percentage, kind in ((theta, "rMT"), (HAND, "aMT")):
        refused = dose(percentage, replace(RMT, kind=kind), Anchor.on(plan), plan)
        assert refused.matched is None
        assert value(refused, "dose-other-kind") == {"wanted": percentage.kind, "given": kind}


def test_the_threshold_of_the_right_limb_and_hemisphere_is_chosen_first():
    left, right = Threshold(50, hand="right", muscle="FDI"), Threshold(60, hand="left", muscle="FDI")
    foot, active = Threshold(70, foot="right"), Threshold(40, "aMT", hand="right")
    every = (active, foot, right, left)
    for order in itertools.permutations(every):
        assert threshold_for(order, HAND, "left") is left
        assert threshold_for(order, HAND, "right") is right
        assert threshold_for(order, replace(HAND, kind="aMT"), "left") is active
        assert threshold_for(order, Percentage(0.9, limb="foot"), None) is foot
    assert threshold_for([left], HAND, "right") is left  # the other hemisphere's anchors both
    assert threshold_for([left], replace(HAND, kind="aMT"), "left") is None
    assert threshold_for([replace(left, muscle="APB"), left], HAND, "left") is left
    posed = replace(left, pose=np.eye(4))
    assert threshold_for([left, posed], HAND, "left") is posed
    targets = {"ipsilesional": plan_of(side="left").target, "contralesional": plan_of(side="right").target}
    assert areas_needed(every, HAND, targets) == ()
    assert areas_needed(every, Percentage(0.9, limb="foot"), targets) == (("m1-leg", "left"),)
    assert areas_needed(every, Percentage(None), targets) == ()


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
@pytest.mark.parametrize("lesion", ["left", "right"])
@pytest.mark.parametrize("given", [(), ("rMT",), ("aMT",), ("rMT", "aMT")])
def test_every_preset_gives_a_dose_or_says_why_not(preset, lesion, given):
    thresholds = [Threshold(50, kind, hand=lesion, muscle="FDI") for kind in given]
    other = {"left": "right", "right": "left"}[lesion]
    plans = {"contralesional": plan_of(side=other), "ipsilesional": plan_of(side=lesion, magnitude=0.9)}
    anchors = {("m1-hand", other): Anchor.on(plan_of(side=other))}
    percentage = percentage_of(preset, lesion)
    trains = {role: trains_of(preset, role) for role in plans}
    found = doses(percentage, thresholds, plans, anchors, stimulated=tuple(plans), trains=trains)
    for role, made in found.items():
        told = preset.threshold in given and preset.intensity is not None
        assert (made.matched is not None) == told
        if not told:
            reasons = {"dose-no-threshold", "dose-other-kind", "dose-no-intensity"} & codes(made)
            assert len(reasons) == 1
            assert dose_line(made, plans[role]).startswith("No dose")
        assert any(code.startswith("envelope-") for code in codes(made))
    lost = {("m1-hand", other): Finding("dose-no-anchor", "warn", {"site": "m1-hand", "hemisphere": other})}
    if preset.threshold in given and preset.intensity is not None:
        without = doses(percentage, thresholds, plans, lost, stimulated=(), trains=trains)
        assert all("dose-no-anchor" in codes(made) for made in without.values())


def test_trains_of_both_sides_in_turn_are_judged_on_their_own_side():
    both = next(preset for preset in PRESETS if preset.name == "bihemispheric-hand")
    assert trains_of(both, "contralesional") == ((1.0, 2000.0),)
    assert trains_of(both, "ipsilesional") == ((10.0, None),)


def test_the_trains_are_judged_at_every_output_told():
    plan = plan_of(magnitude=0.75, site="x")
    made = dose(HAND, RMT, Anchor.on(plan_of()), plan, trains=((10.0, 4.5),))
    judged = [found for found in made.findings if found.code.startswith("envelope-")]
    # 90 % of rMT as published and to begin at: 5 s; 120 % as matched: 4.2 s
    assert {(found.code, found.values["outputs"]) for found in judged} == {
        ("envelope-inside", ("output-published", "output-begin")),
        ("envelope-outside", ("output-matched",)),
    }


# The anchor


@pytest.fixture(scope="module")
def head():
    mapping = AffineMapping(np.eye(4), "the head frame is MNI space")
    return replace(nf.sphere_head((70, 80, 90), edge=9.0), mapping=mapping)


@pytest.fixture(scope="module")
def solver(head):
    return nf.Solver(head, tolerance=1e-4)


SIMPLE = COIL.simplified(error=2e-2)


@pytest.mark.parametrize("side", ["left", "right"])
def test_the_measured_pose_is_the_anchor_and_is_solved_there(head, solver, side):
    sign = {"left": -1, "right": 1}[side]
    target = Target.ball(
        head, (sign * 36, -20, 46), 8.0, direction=(1, 0, 0), either_way=True, side=side, name="m1-hand"
    )
    over = nf.Placement.on(head.scalp, above=target.center, handle_towards=(0, -90, 60), gap=6.0, coil=SIMPLE)
    aside = over.moved(along_y=12.0)
    field = solver.solve(SIMPLE, over)
    best = Candidate(
        over, target.mean(field), target.mean(field), target.magnitude(field), 0.0, 0.0,
        Metrics(1.0, None, 1.0, None, None, None, 7.0), Sensitivity(1, 1, 1, 1, 1),
    )  # fmt: skip
    plan = replace(plan_of(), target=target, coil=SIMPLE, ranking=(best,), field=field)
    threshold = Threshold(55, hand={"left": "right", "right": "left"}[side], muscle="FDI", pose=over.head_from_coil)
    made = dose(HAND, threshold, anchor_of(threshold, plan, solver=solver), plan)
    assert made.anchor == "pose"
    assert "dose-anchor-stands-in" not in codes(made)
    assert made.needed == pytest.approx(49.5, rel=1e-3)
    elsewhere = replace(threshold, pose=aside.head_from_coil)
    anchor = anchor_of(elsewhere, plan, solver=solver)
    solved = solver.solve(SIMPLE, anchor.placement)
    assert anchor.magnitude == pytest.approx(target.magnitude(solved), rel=1e-4)
    assert anchor.along == pytest.approx(target.mean(solved), rel=1e-4)
    off = dose(HAND, elsewhere, anchor, plan)
    assert off.needed == pytest.approx(49.5 * target.mean(solved) / target.mean(field), rel=1e-3)
    assert off.needed < 49.5
    spot = anchor_of(replace(threshold, pose=None), plan, solver=solver, hot_spot=over.head_from_coil)
    assert spot.how == "hot-spot"
    assert "dose-anchor-stands-in" in codes(dose(HAND, RMT, anchor_of(RMT, plan), plan))


def test_a_pose_that_is_not_at_the_area_is_refused_or_told(head, solver):
    target = Target.ball(head, (36, -20, 46), 8.0, name="m1-hand", side="right")
    over = nf.Placement.on(head.scalp, above=target.center, handle_towards=(0, -90, 60), gap=6.0, coil=SIMPLE)
    pose = over.head_from_coil.copy()
    pose[:3, 3] -= 100 * pose[:3, 2]
    with pytest.raises(InputError, match="mm from the scalp"):
        anchor_at(solver, SIMPLE, pose, target)
    turned = over.head_from_coil @ np.diag([1.0, -1, -1, 1])
    with pytest.raises(InputError, match="points out of the head"):
        anchor_at(solver, SIMPLE, turned, target)
    sunk = over.head_from_coil.copy()
    sunk[:3, 3] += 12 * sunk[:3, 2]
    found = anchor_at(solver, SIMPLE, sunk, target).findings
    assert [each.code for each in found] == ["dose-pose-lifted"]
    assert 3 < found[0].values["lift"] < 12
    left = nf.Placement.on(head.scalp, above=(-40, -20, 52), handle_towards=(0, -90, 60), gap=6.0, coil=SIMPLE)
    assert [each.code for each in anchor_at(solver, SIMPLE, left.head_from_coil, target).findings] == ["dose-pose-far"]


# What is said


def scenarios():
    """Doses that have between them everything to say that a dose can."""
    hand, other = Anchor.on(plan_of()), plan_of(site="x", magnitude=0.5)
    yield dose(replace(HAND, stimulates=False), RMT, Anchor.on(plan_of()), plan_of())
    yield dose(HAND, RMT, hand, plan_of(viable=0.1))
    yield dose(Percentage(None), RMT, hand, other)
    yield dose(HAND, RMT, hand, plan_of(site="x", magnitude=0.4))
    yield dose(replace(HAND, kind="aMT"), RMT, hand, other)
    yield dose(HAND, replace(RMT, method="twitch", muscle=None), hand, other, trains=((10.0, 10.0), (30.0, 1.0)))
    yield dose(
        HAND, replace(RMT, muscle="APB", method="twitch"), hand, plan_of(site="x"), trains=((3.0, None), (1.0, 9.0))
    )
    yield dose(replace(HAND, hemisphere="right"), RMT, hand, plan_of(site="x", magnitude=0.7, side="right"))
    yield dose(Percentage(0.9, limb="foot", mark="to-be-re-read"), Threshold(50, foot="left"), hand, other)
    yield dose(HAND, RMT, Anchor.on(plan_of(along=0.9)), plan_of(along=0.5, site="x"))
    yield dose(HAND, RMT, Anchor.on(plan_of(draws=[1, 1.1])), plan_of(magnitude=0.95, site="x", draws=[1, 1.2]))
    yield across(COIL, None, CONE, None)
    yield across(COIL, None, nf.load_coil("mc-b70"), None)
    yield across(COIL, None, nf.load_coil("circular-90mm"), "Other")
    yield across(CONE, "Magstim Rapid", COIL, None)
    two = replace(COIL, stimulators=(*COIL.stimulators, replace(COIL.stimulators[0], name="Other", didt_max=2e8)))
    yield dose(
        HAND, replace(RMT, stimulator="Other"), Anchor.on(plan_of(two)), plan_of(two), stimulator="Magstim Rapid"
    )
    unplanned = replace(Anchor.on(plan_of()), plan=None)
    yield dose(HAND, RMT, unplanned, plan_of(CONE, site="x"))
    head = small_head()
    deep = plan_of(head=head, center=(0.0, 0.0, 50.0), site="x")
    yield dose(HAND, RMT, Anchor.on(plan_of(head=head, center=(0.0, 0.0, 66.0))), deep)
    more = (
        Finding("dose-pose-lifted", "note", {"lift": 3.0}),
        Finding("dose-pose-far", "warn", {"distance": 50.0, "limit": 30.0, "hemisphere": "left", "site": "m1-hand"}),
    )
    yield dose(HAND, RMT, replace(Anchor.on(plan_of()), how="pose", findings=more), other)
    yield Dose(findings=(Finding("dose-no-threshold", "note", {"kind": "rMT"}),))
    yield Dose(findings=(Finding("dose-no-anchor", "warn", {"site": "m1-hand", "hemisphere": "left"}),))


SCENARIOS = list(scenarios())


def test_the_scenarios_raise_every_finding_there_are_words_for():
    raised = set().union(*map(codes, SCENARIOS))
    assert raised == (set(dose_words.SENTENCES) | set(envelope_words.SENTENCES)) - {"dose-told"}


@pytest.mark.parametrize("made", SCENARIOS)
def test_all_that_is_said_is_whole_and_plain(made):
    for line in (dose_line(made, plan_of()), *map(said, made.findings)):
        assert line.endswith(".")
        assert line[0].isupper() or line[0].isdigit()
        for fault in ("None", "{", "}", ",;", ", ;", " .", "..", "  ", "nan", "output-", "anchor-", "stokes-"):
            assert fault not in line, line


def test_a_level_is_given_to_what_must_be_read_first():
    read_first = {
        "dose-capped", "dose-high", "dose-above-table", "dose-stokes-contradicts", "dose-ratios-differ",
        "dose-target-lost", "dose-other-hemisphere", "dose-stimulator-unknown", "dose-pose-far", "dose-other-kind",
        "dose-no-intensity", "dose-share-unknown", "dose-no-anchor", "envelope-outside", "envelope-too-fast",
        "envelope-too-strong",
    }  # fmt: skip
    for found in itertools.chain.from_iterable(made.findings for made in SCENARIOS):
        assert (found.level == "warn") == (found.code in read_first), found.code
