"""Both leg areas under one coil: ranked by the weaker one, told as what they are, held as wards hold the coil."""

from dataclasses import replace

import numpy as np
import pytest
from tiny_study import tiny_head

import neuro_field as nf
from neuro_field.aim.aims import homologous, joint
from neuro_field.coil.placement import Placement
from neuro_field.findings import Refusal
from neuro_field.reciprocity.response import response
from neuro_field.report import sentences
from neuro_field.report.directions import turn_words
from neuro_field.report.facts import HeadFacts
from neuro_field.report.scene import target_balls
from neuro_field.report.words import said
from neuro_field.search import rules
from neuro_field.search.areas import EVEN, of_areas
from neuro_field.search.candidates import Grid
from neuro_field.search.metrics import Surroundings
from neuro_field.search.rules import ANGLE, rules_of_thumb
from neuro_field.search.search import with_stability

GRID = Grid(radius=16, spacing=8, angle_step=45)

#: Of 260 dipoles: quick, and any coil will do.
CONE = nf.load_coil("double-cone").simplified(error=0.05)


@pytest.fixture(scope="module")
def solver():
    return nf.Solver(tiny_head(), tolerance=1e-6)


@pytest.fixture(scope="module")
def areas():
    return [nf.Target.named(tiny_head(), "m1-leg", side) for side in ("left", "right")]


@pytest.fixture(scope="module")
def both(areas):
    return joint(*areas)


@pytest.fixture(scope="module")
def made(solver, both):
    return nf.plan(solver, CONE, both, grid=GRID)


def test_both_areas_are_ranked_by_the_weaker_and_ranked_as_solved(made, areas):
    means = [area.magnitude(made.field) for area in areas]
    assert made.best.verified == made.best.magnitude == pytest.approx(min(means))
    assert made.target.part_means(made.field) == pytest.approx(means)
    assert made.report.largest_difference < 0.005
    assert made.best.strength >= max(rule.strength for rule in made.rules)


def test_what_is_left_out_of_the_basis_does_not_change_the_weaker_area(solver, both, made):
    poses = np.stack([candidate.placement.head_from_coil for candidate in made.ranking])
    samples = [candidate.placement.moved(turned=turn) for candidate in made.ranking for turn in (0.0, 60.0, 120.0)]
    whole = response(solver, made.coil, both, samples, modes=len(samples))
    assert made.response.strengths(poses) == pytest.approx(whole.strengths(poses), rel=0.005)


@pytest.mark.parametrize("either_way", [True, False])
def test_areas_with_a_wanted_direction_are_ranked_as_solved_too(solver, areas, either_way):
    """One component of each area is asked for; the weaker (or, signed, the lower) counts."""
    along = [replace(area, direction=(0.0, 1.0, 0.0), either_way=either_way) for area in areas]
    target, coil = joint(*along), nf.load_coil("figure8-70mm")
    placements = [
        Placement.on(tiny_head().scalp, above=point, handle_towards=(20.0, -90.0, 60.0), gap=4.0, coil=coil)
        for point in ((-25.0, -20.0, 85.0), (20.0, -40.0, 85.0))
    ]
    mapping = response(solver, coil, target, placements)
    assert np.allclose(mapping.sought.T @ mapping.sought, np.eye(2), atol=1e-9)
    solved = [target.mean(field) for field in solver.solve_many(coil, placements)]
    assert mapping.strengths(np.stack([each.head_from_coil for each in placements])) == pytest.approx(solved, rel=5e-3)
    parts = [[area.mean(field) for area in along] for field in solver.solve_many(coil, placements)]
    assert solved == pytest.approx(np.min(parts, axis=1))


def test_draws_of_conductivities_follow_the_weaker_area(solver, made):
    told = with_stability({"bilateral": made}, solver, draws=3)["bilateral"].stability
    assert told.reduced_error < 0.01
    assert np.median(told.magnitude) == pytest.approx(made.best.magnitude, rel=0.3)


@pytest.mark.parametrize(("factor", "code"), [(0.9, "leg-even"), (0.5, "leg-uneven")])
@pytest.mark.parametrize("weak", [0, 1])
def test_an_uneven_field_is_a_warning_that_names_the_weaker_side(both, made, factor, code, weak):
    class Scaled:
        didt = 2e6

        def recovered(self, elements):
            even = np.tile([0.0, 0.0, 2.0], (len(elements), 1))
            return even * np.where(both.parts == weak, factor, 1.0)[:, None]

    (found,) = of_areas(both, Scaled())
    assert found.code == code
    assert found.level == ("warn" if factor < EVEN else "note")
    assert found.values["weaker_side"] == ("left", "right")[weak]
    assert found.values["weaker"] == pytest.approx(factor)  # at 1 A/us
    assert found.values["stronger"] == pytest.approx(1.0)
    words = said(found)
    assert f"{factor:.3f} V/m at 1 A/µs on the {('left', 'right')[weak]}" in words
    assert f"{100 * factor:.0f} %" in words


def test_a_plan_of_both_says_how_even_it_is_and_a_plan_of_one_does_not(made, areas):
    assert [found.code for found in made.findings if found.code.startswith("leg-")] in (["leg-even"], ["leg-uneven"])
    assert of_areas(areas[0], made.field) == ()


def test_off_target_is_away_from_both_areas(both):
    head = tiny_head()
    away = head.mesh.centroids[Surroundings.of(head, both).away]
    for centre in both.centers:
        assert np.linalg.norm(away - centre, axis=1).min() > 20.0


def test_both_areas_are_told_as_two_balls(both, made):
    head = tiny_head()
    words = sentences.magnitude_statistic(both)
    assert (
        words
        == "mean |E| over the grey matter within 5 mm of the centre of each area (left and right), the weaker area's"
    )
    assert sentences.statistic(both) == words
    assert len(target_balls(head, both)) == 2
    line = sentences.target_line(both, HeadFacts.of(head, landmarks=False))
    assert "left centre" in line
    assert "right centre" in line


def test_a_target_on_both_sides_has_no_other_side(both):
    with pytest.raises(nf.InputError, match="no other side"):
        homologous(tiny_head(), both)


def test_joined_targets_keep_what_is_said_of_each(areas):
    said_of_left = nf.Finding("target-moved-far", "warn", {"moved": 12.0})
    told = joint(replace(areas[0], findings=(said_of_left,)), replace(areas[1], findings=())).findings
    assert [(found.code, found.values["side"]) for found in told] == [("target-moved-far", "left")]


@pytest.fixture
def electrodes(monkeypatch):
    points = {"Cz": (0.0, 0.0, 92.0), "C3": (-65.0, 0.0, 65.0), "C4": (65.0, 0.0, 65.0)}
    points = {name: np.array(point) for name, point in points.items()}
    monkeypatch.setattr(rules, "landmarks_1010", lambda head: points)
    return points


@pytest.mark.parametrize("which", ["left", "right", "both"])
def test_over_the_leg_the_handle_points_straight_back_over_the_vertex(electrodes, areas, both, which):
    target = {"left": areas[0], "right": areas[1], "both": both}[which]
    named = rules_of_thumb(tiny_head(), CONE, target, 4.0)
    assert [(rule.code, rule.values.get("electrode")) for rule, _ in named] == [
        ("rule-nearest", None),
        ("rule-electrode", "Cz"),
    ]
    for rule, placement in named:
        assert rule.values["handle"] == 0
        assert turn_words(placement, np.eye(3)) == "straight back"
        text = said(rule.told_with(strength=1.0, share=0.8))
        assert "handle straight back" in text
        assert "1.000 V/m, 80 % of the plan's best" in text
    assert np.linalg.norm(named[1][1].center[:2]) < 8


@pytest.mark.parametrize(("side", "electrode"), [("left", "C3"), ("right", "C4")])
def test_over_the_hand_the_handle_points_back_and_away_from_the_midline(electrodes, side, electrode):
    target = nf.Target.named(tiny_head(), "m1-hand", side)
    rule, placement = rules_of_thumb(tiny_head(), nf.load_coil("figure8-70mm"), target, 4.0)[1]
    assert rule.values == {"electrode": electrode, "handle": ANGLE}
    assert turn_words(placement, np.eye(3)) == f"45° from straight back, towards the patient's {side}"
    assert f"over {electrode}, handle back and 45 degrees outwards" in said(rule.told_with(strength=1.0, share=0.8))


def study(**more):
    return nf.study(
        tiny_head(), preset="lower-limb-10hz", coil=CONE, draws=0, tolerance=1e-4,
        grid=Grid(radius=8, spacing=8, angle_step=90), **more,
    )  # fmt: skip


def test_the_lower_limb_is_planned_without_an_axis_on_each_side_and_both():
    found = study()
    assert set(found.plans) == {"contralesional", "ipsilesional", "bilateral"}
    assert all(made.target.direction is None for made in found.plans.values())
    codes = {(finding.code, finding.values.get("role")) for finding in found.findings}
    assert ("leg-no-orientation", None) in codes
    assert {("leg-even", "bilateral"), ("leg-uneven", "bilateral")} & codes
    assert "No direction of the current is published" in "\n".join(sentences.study_lines(found))


def test_sides_that_fall_together_are_refused_for_that(monkeypatch):
    """As where one leg area is lost and its target has moved to the other one's."""
    named = nf.Target.named
    monkeypatch.setattr(
        nf.Target, "named",
        lambda head, name, side, **more: replace(named(head, name, "right", **more), side=side, moved=9.0),
    )  # fmt: skip
    with pytest.raises(nf.InputError) as caught:
        study()
    assert isinstance(caught.value, Refusal)
    (found,) = caught.value.findings
    assert found.code == "leg-areas-overlap"
    assert found.values["shared"] == len(named(tiny_head(), "m1-leg", "right").elements)
    assert "9.0 mm" in said(found)
