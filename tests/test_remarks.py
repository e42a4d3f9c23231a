"""What a plan has to say of itself: when, with which numbers, and in words."""

from dataclasses import replace

import numpy as np
import pytest
from tiny_study import tiny_study

from neuro_field.report.words import said
from neuro_field.search.remarks import of_search, of_stability
from neuro_field.search.stability import Stability


@pytest.fixture(scope="module")
def plan():
    return tiny_study().ipsilesional


def told(plan, *, stopped=False, least_lift=0.0):
    return {finding.code: finding for finding in of_search(plan, stopped=stopped, least_lift=least_lift)}


def with_best(plan, **values):
    return replace(plan, ranking=(replace(plan.best, **values), *plan.ranking[1:]))


@pytest.mark.parametrize(("verified", "expected"), [(0.69, True), (0.73, False)])
def test_a_field_that_runs_aside_of_the_wanted_axis_is_told(plan, verified, expected):
    turned = with_best(plan, verified=verified, magnitude=1.0)
    free = replace(turned, target=replace(turned.target, direction=None))
    assert ("search-aside-of-axis" in told(turned)) is expected
    assert "search-aside-of-axis" not in told(free)


@pytest.mark.parametrize(("lift", "least", "expected"), [(9.0, 3.0, True), (7.9, 3.0, False), (6.0, 6.0, False)])
def test_a_lift_above_the_least_of_the_patch_is_told_in_mm(plan, lift, least, expected):
    found = told(with_best(plan, lift=lift), least_lift=least).get("search-lifted")
    assert (found is not None) is expected
    if found is not None:
        assert dict(found.values) == {"lift": lift, "least": least}
        assert found.level == "warn"


@pytest.mark.parametrize(("elsewhere", "expected"), [(0.871, True), (0.5, False), (None, False)])
def test_a_field_that_is_stronger_elsewhere_is_told_with_both(plan, elsewhere, expected):
    metrics = replace(plan.best.metrics, off_target=elsewhere, off_target_distance=41.0)
    found = told(with_best(plan, metrics=metrics, magnitude=0.577, verified=0.577)).get("search-stronger-elsewhere")
    assert (found is not None) is expected
    if found is not None:
        assert {"target": 0.577, "elsewhere": 0.871, "away": 41.0}.items() <= dict(found.values).items()
        assert "0.871 V/m" in said(found)
        assert "41 mm" in said(found)


def test_where_it_is_stronger_is_the_place_of_that_field(plan):
    metrics, field, head = plan.best.metrics, plan.field, plan.field.head
    grey = np.flatnonzero(head.region("grey_matter"))
    distance = np.linalg.norm(head.mesh.centroids[grey] - plan.target.center, axis=1)
    there = np.abs(distance - metrics.off_target_distance) < 1e-6
    assert field.magnE[grey][there] == pytest.approx(metrics.off_target, rel=1e-6)
    assert metrics.off_target_distance > 20


@pytest.mark.parametrize(("difference", "expected"), [(0.02, True), (0.009, False)])
def test_solved_values_that_differ_are_told(plan, difference, expected):
    found = told(replace(plan, report=replace(plan.report, largest_difference=difference)))
    assert ("search-solved-differs" in found) is expected


def test_one_top_and_a_round_coil_are_told(plan):
    assert ("search-one-maximum" in told(plan)) is (len(plan.ranking) == 1)
    assert "search-one-maximum" in told(replace(plan, ranking=plan.ranking[:1]))
    assert "search-handle-free" not in told(plan)
    assert "search-handle-free" in told(replace(plan, search=replace(plan.search, symmetry="continuous")))


def test_the_rim_of_the_search_is_told(plan):
    assert told(plan, stopped=True)["search-stopped-at-rim"].values["radius"] == plan.search.grid.radius
    assert "search-stopped-at-rim" not in told(plan)
    everywhere = replace(plan, search=replace(plan.search, grid=replace(plan.search.grid, radius=None)))
    assert "scalp" in said(told(everywhere, stopped=True)["search-stopped-at-rim"])
    assert ("zone-open" in told(plan)) is (not plan.zone.closed)
    assert "zone-open" not in told(replace(plan, zone=replace(plan.zone, closed=True)))


def followed(plan, *, first=(0.9, 0.9, 0.9), median=(1.0, 1.0, 1.0), lost=(0.01, 0.01, 0.01), error=0.001):
    """The plan with a stability of its own: of the best placement for every conductivity of the cavity."""
    rows = [(share, 1.0 - share) for share in first]
    fields = [(value, 0.9) for value in median]
    found = Stability(
        draws=10, lesion_values=(0.275, 0.8, 1.654)[: len(first)] if len(first) > 1 else (), compared=5,
        first=tuple(rows), median=tuple(fields), low=tuple(fields), high=tuple(fields), loss_mean=tuple(lost),
        loss_p95=tuple(lost), magnitude=np.ones(10), reduced_error=error,
    )  # fmt: skip
    return {finding.code: finding for finding in of_stability(replace(plan, stability=found))}


def test_an_order_that_the_cavity_decides_is_told_by_its_conductivity_and_never_averaged(plan):
    """First in none, most and nearly all of the draws is not first in 60 %."""
    found = followed(plan, first=(0.0, 0.81, 0.97))
    assert found["stability-cavity-decides"].level == "warn"
    assert found["stability-cavity-decides"].values["lesion_values"] == (0.275, 0.8, 1.654)
    assert found["stability-first-open"].values["first"] == (0.0, 0.81, 0.97)
    assert "0 % of the draws of conductivities with 0.275 S/m, 81 % with 0.8 S/m, 97 % with 1.654 S/m" in said(
        found["stability-first-open"]
    )
    assert "which placement" in said(found["stability-cavity-decides"])


@pytest.mark.parametrize(
    ("keywords", "expected"),
    [
        ({"median": (1.0, 1.05, 1.09)}, False),
        ({"median": (1.0, 1.05, 1.12)}, True),
        ({"lost": (0.06, 0.01, 0.0)}, True),
        ({"lost": (0.06, 0.07, 0.08)}, False),  # the tissues decide, whatever the cavity conducts
        ({}, False),
    ],
)
def test_a_field_that_the_cavity_decides_is_told(plan, keywords, expected):
    assert ("stability-cavity-decides" in followed(plan, **keywords)) is expected


@pytest.mark.parametrize(
    ("lost", "told"),
    [
        ((0.013, 0.0, 0.0), "1.3 % of the field with 0.275 S/m ("),
        ((0.0, 0.004, 0.062), "6.2 % of the field with 1.654 S/m ("),
        ((0.02, 0.0, 0.03), "2.0 % of the field with 0.275 S/m, 3.0 % with 1.654 S/m ("),
        ((0.0, 0.0, 0.004), None),
    ],
)
def test_a_cost_is_told_only_of_the_conductivities_where_it_matters(plan, lost, told):
    words = said(followed(plan, median=(1.0, 1.05, 1.2), lost=lost)["stability-cavity-decides"])
    assert "V/m at 1 A/µs, 1.000 with 0.275 S/m, 1.050 with 0.8 S/m, 1.200 with 1.654 S/m in it" in words
    assert "0.0 %" not in words
    assert ("costs" in words) is (told is not None)
    assert told is None or f"costs up to {told}" in words


def test_other_findings_of_conductivities(plan):
    costly = followed(plan, lost=(0.06, 0.07, 0.08))["stability-costly"]
    assert "6.0 % of the field with 0.275 S/m, 7.0 % with 0.8 S/m, 8.0 % with 1.654 S/m in the" in said(costly)
    whole = followed(plan, first=(0.4,), median=(1.0,), lost=(0.07,), error=0.01)  # a head without a cavity
    assert {"stability-costly", "stability-first-open", "stability-reduced"} <= set(whole)
    assert "cavity" not in " ".join(said(whole[code]) for code in whole if code.startswith("stability"))
    assert not [code for code in followed(plan) if code.startswith("stability")]


def test_findings_of_an_earlier_stability_go(plan):
    earlier = of_stability(replace(plan, stability=plan.stability))
    first = replace(plan, findings=tuple(followed(plan, first=(0.0, 0.8, 0.9)).values()))
    again = of_stability(replace(first, stability=plan.stability))
    assert {f.code for f in again if f.code.startswith("stability")} == {
        f.code for f in earlier if f.code.startswith("stability")
    }
    assert {f.code for f in again} >= {f.code for f in plan.findings if not f.code.startswith("stability")}


def test_every_finding_is_said_with_and_without_its_side(plan):
    strange = with_best(
        plan, lift=20.0, magnitude=0.4, verified=0.1, metrics=replace(plan.best.metrics, off_target=0.9)
    )
    strange = replace(strange, report=replace(strange.report, largest_difference=0.05))
    found = [*told(strange, stopped=True).values(), *followed(plan, first=(0.0, 0.8, 0.9), error=0.01).values()]
    for finding in found:
        alone, of_side = said(finding), said(finding.told_with(role="ipsilesional", side="left"))
        assert alone[0].isupper()
        assert alone.endswith(".")
        assert "{" not in alone + of_side
        if finding.code not in ("search-handle-free",):
            assert "ipsilesional" in of_side
