"""A coil led by hand stays on the scalp, goes where it is sent, and is judged as the plan judges."""

from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest
from tiny_study import tiny_head, tiny_study

from neuro_field.errors import InputError
from neuro_field.field.solver import Solver
from neuro_field.search.steering import Steering


@lru_cache(maxsize=1)
def solver():
    return Solver(tiny_head(), tolerance=1e-4)


@lru_cache(maxsize=1)
def steering():
    plan = tiny_study().contralesional
    return Steering.of(solver(), plan.coil, plan)


def held():
    return steering().holding(tiny_study().contralesional.best.placement)


def test_a_plans_placement_is_held_as_it_is():
    best = tiny_study().contralesional.best
    assert held().placement is best.placement
    assert np.linalg.norm(held().foot) == pytest.approx(92.0, abs=1.5)
    assert (held().angle - best.angle + 180) % 360 - 180 == pytest.approx(0.0, abs=3.0)


@pytest.mark.parametrize(("name", "axis"), [("forwards", 1), ("right", 0)])
def test_a_step_leads_along_the_scalp_and_back(name, axis):
    start = steering().at(np.array([0.0, 0.0, 92.0]), 30.0)
    moved = steering().stepped(start, **{name: 6.0})
    step = moved.foot - start.foot
    assert step[axis] == pytest.approx(6.0, abs=0.4)
    assert abs(step[1 - axis]) < 0.4
    assert np.linalg.norm(moved.foot) == pytest.approx(92.0, abs=1.5)
    assert moved.angle == 30.0
    back = steering().stepped(moved, **{name: -6.0})
    assert back.foot == pytest.approx(start.foot, abs=0.7)


def test_a_small_step_moves_although_the_mesh_is_coarse():
    start = steering().at(np.array([0.0, 0.0, 92.0]), 0.0)
    assert steering().stepped(start, right=0.5).foot[0] == pytest.approx(start.foot[0] + 0.5, abs=0.05)


def test_a_turn_is_clockwise_for_someone_who_looks_at_the_head():
    start = steering().at(np.array([0.0, 0.0, 92.0]), 0.0)
    assert start.placement.handle_direction == pytest.approx([0, -1, 0], abs=0.1)
    quarter = steering().stepped(start, turned=90.0)
    assert quarter.placement.handle_direction == pytest.approx([-1, 0, 0], abs=0.1)  # from straight back to the left
    assert quarter.angle == 90.0


def test_the_casing_keeps_clear_of_the_scalp():
    placement = steering().at(np.array([60.0, 0.0, 69.0]), 20.0).placement
    casing = placement.head_points(steering().coil.casing.points)
    assert np.linalg.norm(casing, axis=1).min() > 92.0 + 3.0


def test_strength_and_rank_are_the_plans_own():
    plan = tiny_study().contralesional
    for candidate in plan.ranking[:3]:
        assert steering().strength(candidate.placement) == pytest.approx(candidate.strength, rel=0.01)
    assert steering().rank(plan.strengths.max() * 1.01) == 1
    assert steering().rank(plan.strengths.min() * 0.99) == len(plan.strengths) + 1


def test_a_plan_read_from_files_steers_alike():
    plan = tiny_study().contralesional
    bare = Steering.of(solver(), plan.coil, replace(plan, field=None, response=None, followed=None))
    moved = bare.stepped(bare.holding(plan.best.placement), forwards=4.0, turned=10.0).placement
    assert bare.strength(moved) == pytest.approx(steering().strength(moved), rel=0.02)


def test_a_plan_by_another_statistic_is_converted():
    """Plans of earlier versions hold means of raw elements: their figures are no scale for recovered ones."""
    plan = tiny_study().contralesional
    best = replace(plan.best, strength=1.1 * plan.best.strength, verified=1.1 * plan.best.verified)
    older = replace(
        plan, strengths=1.1 * plan.strengths, ranking=(best, *plan.ranking[1:]),
        search=replace(plan.search, statistic="element-means"),
    )  # fmt: skip
    of_older = Steering.of(solver(), plan.coil, older)
    assert of_older.planned == steering().planned == pytest.approx(plan.best.strength, rel=1e-3)
    np.testing.assert_allclose(of_older.tried, steering().tried, rtol=1e-3)


def test_the_estimate_is_near_the_solved_field_of_a_sphere():
    placement = tiny_study().contralesional.best.placement
    points = np.array([[x, y, z] for x in (20.0, 40.0) for y in (-30.0, 0.0) for z in (30.0, 50.0)])
    solved = np.linalg.norm(tiny_study().contralesional.field.at(points), axis=1)
    assert steering().estimate(points, placement) == pytest.approx(solved, rel=0.06)
    beyond = np.array([[0.0, 0.0, 400.0]])
    assert np.isfinite(steering().estimate(beyond, placement)).all()


def test_a_step_off_the_head_is_refused():
    with pytest.raises(InputError, match="There is no scalp 300 mm in front"):
        steering().stepped(held(), forwards=300.0)
