"""How sure a ranking is: reduced answers against full solves, misplacement against moved coils, figures of a field."""

from dataclasses import replace

import numpy as np
import pytest
from tiny_study import tiny_head, tiny_study

import neuro_field as nf
from neuro_field.field.reduced import reduced
from neuro_field.reciprocity.response import probe_of
from neuro_field.search.candidates import Grid
from neuro_field.search.metrics import Surroundings, percentile_by_volume
from neuro_field.search.rules import ANGLE, rules_of_thumb
from neuro_field.search.search import Avoidance, with_filled_lesion
from neuro_field.search.sensitivity import sensitivity
from neuro_field.search.stability import Case, stability
from neuro_field.search.uncertainty import LESION, VARIATION, Family


@pytest.fixture(scope="module")
def solver():
    return nf.Solver(tiny_head(), tolerance=1e-7)


@pytest.fixture(scope="module")
def made():
    return tiny_study().ipsilesional


@pytest.fixture(scope="module")
def family():
    return Family.of(tiny_head())


@pytest.mark.parametrize("order", [1, 2])
def test_the_parts_of_a_head_add_up_to_it(solver, family, order):
    solver = solver if order == 1 else solver.raised()
    assert (np.sum(family.parts, axis=0) == 1).all()
    whole = solver.system.stiffness
    shares = [solver.system.part(part) for part in family.parts]
    x, dadt = np.random.default_rng(3).standard_normal((2, len(solver.system.points), 3))
    product, loads = np.zeros_like(x), np.zeros((len(x), 1))
    for share in shares:
        product[share.used] += share.stiffness @ x[share.used]
        loads[share.used] += share.load(dadt[share.used][:, None])
    assert np.allclose(product, whole @ x, rtol=1e-9, atol=1e-12 * np.abs(product).max())
    assert np.allclose(loads, solver.system.load(dadt[:, None]), rtol=1e-9, atol=1e-12 * np.abs(loads).max())


def test_a_solver_made_of_another_shares_what_the_mesh_decides(solver, family):
    """A hierarchy takes seconds on a real head: `copy.copy` went by the pickle, which leaves it behind."""
    _ = solver.system.offsets
    head = family.head_with(family.scales(1, seed=5)[0])
    for other in (solver.loosened(1e-3), solver.retuned(head), solver.retuned(head).loosened(1e-3)):
        assert other._multigrid is solver._multigrid
        assert other.system.offsets is solver.system.offsets
    assert solver.loosened(1e-3).system is solver.system
    assert solver.raised()._multigrid.coarsest is solver._multigrid.coarsest


def test_a_retuned_solver_of_second_order_answers_as_a_new_one(solver, family, made):
    head, raised = family.head_with(family.scales(1, seed=5)[0]), solver.raised()
    again, new = (
        each.solve(made.coil, made.best.placement) for each in (raised.retuned(head), nf.Solver(head, order=2))
    )
    assert np.abs(again.E - new.E).max() < 1e-4 * np.abs(new.E).max()
    assert np.abs(again.E - raised.solve(made.coil, made.best.placement).E).max() > 1e-3 * np.abs(new.E).max()


def test_a_retuned_solver_answers_as_a_new_one(solver, family, made):
    head = family.head_with(family.scales(1, seed=5)[0])
    placement = made.best.placement
    new = nf.Solver(head, tolerance=1e-7).solve(made.coil, placement)
    again = solver.retuned(head).solve(made.coil, placement)
    assert np.abs(again.E - new.E).max() < 1e-5 * np.abs(new.E).max()
    assert np.abs(again.E - solver.solve(made.coil, placement).E).max() > 1e-3 * np.abs(new.E).max()


def test_a_solver_is_not_retuned_to_another_mesh(solver):
    with pytest.raises(nf.InputError, match="must have the mesh"):
        solver.retuned(nf.sphere_head((60, 70, 80), edge=12.0))


def test_the_reduced_space_holds_its_snapshots_and_comes_near_other_draws(solver, family, made):
    target = made.target
    roots = target.roots[:, None, None]
    loads = probe_of(solver, target).adjoint_loads(roots * made.response.basis[:, :3].reshape(len(target.roots), 3, -1))
    corners = family.corners()  # their solutions are taken into the space as solved to 1e-4 of their loads
    space = reduced(solver, [loads], [family.head_with(row) for row in corners], family.parts)[0]
    whole = np.empty((len(loads), space.loads.shape[0]))
    for part, own in zip(space.parts, space.spaces, strict=True):
        whole[part.used] = own
    energy = (solver.system.stiffness @ whole).T @ whole
    assert np.allclose(energy, np.eye(len(energy)), atol=1e-6)
    for row, tolerance in [(np.ones(len(family.parts)), 1e-4), (corners[-1], 4e-4), (family.scales(1)[0], 1e-2)]:
        full = solver.retuned(family.head_with(row)).potentials(loads)[0]
        found = whole @ space.potentials(row)
        gap = (found - full) - (found - full).mean(axis=0)
        assert np.linalg.norm(gap) < tolerance * np.linalg.norm(full - full.mean(axis=0))


def test_draws_vary_each_tissue_as_stated_and_step_the_lesion(family):
    scales = family.scales(4000)
    assert len(scales) == 3 * 4000
    first = scales[:4000]
    for name, cv in VARIATION.items():
        if name in family.names:
            drawn = first[:, family.names.index(name)]
            assert np.std(drawn) / np.mean(drawn) == pytest.approx(cv, rel=0.06)
            assert np.median(drawn) == pytest.approx(1.0, abs=0.03)
    lesion = scales[::4000, family.names.index(LESION)] * 1.654
    assert np.allclose(lesion, [0.275, 0.8, 1.654])
    assert scales.shape[1] == len(family.parts)
    assert np.array_equal(family.scales(7), family.scales(7))


def test_stability_agrees_with_full_solves_and_counts_its_draws(solver, family, made):
    case = Case(made.response, made.followed[:12], len(made.ranking))
    found = stability(solver, made.coil, {"a": case}, draws=8)["a"]
    assert found.reduced_error < 0.005
    assert np.shape(found.first) == (3, len(made.ranking))  # of every lesion value by itself
    assert np.sum(found.first, axis=1) == pytest.approx(1.0)
    assert len(found.magnitude) == 8 * 3
    assert (np.array(found.low) <= found.median).all()
    assert (np.array(found.median) <= found.high).all()
    assert all(0 <= mean <= p95 < 0.1 for mean, p95 in zip(found.loss_mean, found.loss_p95, strict=True))
    scales = family.scales(8)
    fields = [solver.retuned(family.head_with(scales[i])).solve(made.coil, made.best.placement) for i in (3, 17)]
    assert [made.target.magnitude(f) for f in fields] == pytest.approx(found.magnitude[[3, 17]], rel=5e-3)


def test_what_only_another_lesion_calls_up_is_followed_too(solver, family, made, monkeypatch):
    """The head as it is may not know where the current goes beside a cavity that conducts less."""
    response = replace(made.response, basis=made.response.basis[:, :2])
    case, row = Case(response, made.followed[:8], len(made.ranking)), family.scales(2)[0]
    assert row[family.names.index(LESION)] < 0.2
    full = made.target.magnitude(solver.retuned(family.head_with(row)).solve(made.coil, made.best.placement))
    errors = []
    for most in (8, 0):
        monkeypatch.setattr("neuro_field.search.stability._MOST_MODES", most)
        found = stability(solver, made.coil, {"a": case}, draws=2)["a"]
        errors.append(abs(found.magnitude[0] / full - 1))
    assert errors[0] < 0.005
    assert errors[1] > 3 * errors[0]


def test_two_targets_meet_the_same_draws(solver, made):
    case = Case(made.response, made.followed[:8], 8)
    found = stability(solver, made.coil, {"a": case, "b": case}, draws=4)
    assert np.allclose(found["a"].magnitude, found["b"].magnitude, rtol=1e-6)


def test_misplacement_is_that_of_moved_coils(solver, made):
    flat = replace(made.coil, casing=None)  # nothing to clear: the moves are rigid
    told = sensitivity(made.response, flat, solver.head.scalp, [made.best.placement])[0]
    own = made.target.mean(solver.solve(flat, made.best.placement))
    shifted = [
        made.target.mean(solver.solve(flat, made.best.placement.moved(along_x=5 * np.cos(a), along_y=5 * np.sin(a))))
        for a in np.pi / 4 * np.arange(8)
    ]
    turned = [made.target.mean(solver.solve(flat, made.best.placement.moved(turned=angle))) for angle in (-10, 10)]
    assert told.shift == pytest.approx(min(shifted) / own, abs=0.01)
    assert told.turn == pytest.approx(min(turned) / own, abs=0.01)
    assert told.worst <= min(told.shift, told.turn, told.tilt)
    assert told.worst < told.mean < 1.05


def test_percentiles_go_by_volume():
    values, volumes = np.array([3.0, 1.0, 2.0]), np.array([0.2, 98.0, 1.8])
    assert percentile_by_volume(values, volumes, 99.9) == 3.0
    assert percentile_by_volume(values, volumes, 99.0) == 2.0
    assert percentile_by_volume(values, volumes, 50.0) == 1.0
    rng = np.random.default_rng(3)
    values, volumes = rng.gamma(2.0, size=4000).round(2), rng.random(4000) ** 3
    order = np.argsort(values, kind="stable")
    share = 100 * np.cumsum(volumes[order]) / volumes.sum()
    for percentile in (0.0, 3.0, 50.0, 97.9, 98.0, 98.1, 99.9, 99.99):
        expected = values[order[np.searchsorted(share, percentile)]]
        assert percentile_by_volume(values, volumes, percentile) == expected
    assert percentile_by_volume(values, volumes, 100.0) == values.max()


def test_figures_of_a_field_follow_their_definitions(solver, made):
    head, field = solver.head, made.field
    other = tiny_study().contralesional.target
    metrics = Surroundings.of(head, made.target, homologous=other, avoid=(made.target,)).measured(field)
    grey = head.region("grey_matter")
    strong = grey & (field.magnE >= made.target.magnitude(field) / 2)
    assert metrics.half_volume == pytest.approx(head.mesh.volumes[strong].sum() / 1e3)
    assert metrics.off_target <= metrics.peak <= field.magnE[grey].max()
    assert metrics.homologous == pytest.approx(other.magnitude(field))
    assert metrics.homologous < made.target.magnitude(field)
    assert metrics.avoided == {made.target.name: pytest.approx(made.target.magnitude(field))}
    cavity = head.region("lesion_cavity")
    assert metrics.lesion == pytest.approx(np.average(field.magnE[cavity], weights=head.mesh.volumes[cavity]))
    assert metrics.cortex_distance > 4.0
    slower = Surroundings.of(head, made.target).measured(solver.solve(made.coil, made.best.placement, didt=5e5))
    assert slower.peak == pytest.approx(metrics.peak, rel=1e-4)  # the study was solved to 1e-4


def test_a_filled_lesion_changes_conductivity_only(solver, made):
    again = with_filled_lesion([made], solver)[0]
    filled = nf.Solver(solver.head.without_lesion(), tolerance=1e-7)
    assert again.best.filled == pytest.approx(made.target.mean(filled.solve(made.coil, made.best.placement)), rel=1e-4)
    assert again.best.filled != pytest.approx(made.best.verified, rel=1e-4)


def test_rules_of_thumb_point_the_handle_back_and_outwards(solver, made):
    named = rules_of_thumb(solver.head, made.coil, made.target, 4.0)
    nearest = named[0][1]
    handle = nearest.handle_direction
    assert [rule.code for rule, _ in named][:1] == ["rule-nearest"]
    assert named[0][0].values["handle"] == ANGLE
    assert handle[1] < 0  # back
    assert handle[0] < 0  # and, on the left side, to the left
    assert np.degrees(np.arctan2(-handle[0], -handle[1])) == pytest.approx(ANGLE, abs=12)  # seen from above
    assert all(rule.strength <= made.best.strength * 1.02 for rule in made.rules)


def test_a_region_to_avoid_excludes_placements_or_says_what_is_least(solver, made):
    beside = nf.Target.ball(solver.head, made.target.center + np.array([0.0, 25.0, -10.0]), radius=8, name="beside")
    grid = Grid(radius=15, spacing=7.5, angle_step=45)
    free = nf.plan(solver, made.coil, replace(made.target, direction=None), grid=grid)
    share = Surroundings.of(solver.head, made.target, avoid=(beside,)).measured(free.field).avoided["beside"]
    limit = 0.97 * share / free.best.magnitude
    kept = nf.plan(
        solver, made.coil, replace(made.target, direction=None), grid=grid, avoid=Avoidance((beside,), limit)
    )
    assert kept.report.excluded > 0
    assert kept.best.metrics.avoided["beside"] <= 1.02 * limit * kept.best.magnitude
    with pytest.raises(nf.InputError, match="the least is"):
        nf.plan(solver, made.coil, made.target, grid=grid, avoid=Avoidance((beside,), 1e-3))


def test_a_retuned_head_keeps_the_surfaces_of_its_mesh():
    head = tiny_head()
    again = head.retuned(2 * head.conductivity)
    assert again.scalp is head.scalp
    assert head.without_lesion().scalp is head.scalp
    fresh = nf.HeadModel(again.mesh, again.conductivity)
    assert np.array_equal(fresh.scalp.points, again.scalp.points)
