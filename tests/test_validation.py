"""The validation suite on small meshes, that it can fail, and the accuracy the project promises."""

import numpy as np
import pytest
from test_solver import COIL

from neuro_field.coil.coil import Coil
from neuro_field.coil.placement import Placement
from neuro_field.coil.sources import Dipoles
from neuro_field.errors import InputError, UnknownNameError
from neuro_field.field import validation
from neuro_field.field.analytic import sphere_field
from neuro_field.field.solver import Solver
from neuro_field.field.validation import LIMITS, ValidationRow, both_sides, convergence, metrics, relative, validate
from neuro_field.field.validation_laws import laws
from neuro_field.field.validation_shells import dipole_scalp_potential
from neuro_field.head.model import HeadModel
from neuro_field.head.sphere import sphere_head
from neuro_field.shelf.coils import load_coil
from neuro_field.store.validation import write_validation

COARSE = (40.0, 52.0, 64.0, 76.0)
RNG = np.random.default_rng(4)


@pytest.fixture(scope="module")
def shells():
    return Solver(sphere_head(COARSE, edge=9.0), tolerance=1e-8)


def only(rows):
    return {row.case: row for row in rows}


def test_current_through_shells_follows_every_conductivity(shells):
    rows = only(validation.current_through_shells(shells, 9.0, COARSE))
    # flat facets of 9 mm on spheres of 40 to 76 mm; a shell 10 % off changes the potential by more than twice this
    assert all(row.value < 0.01 for row in rows.values())


@pytest.mark.parametrize("tissue", ["csf", "bone", "scalp"])
def test_current_through_shells_notices_a_wrong_conductivity(shells, tissue):
    """What the concentric sphere under a coil cannot: a solver that takes one shell for 10 % better."""
    wrong = Solver(shells.head.with_conductivity({tissue: 1.1 * _sigma(shells.head, tissue)}), tolerance=1e-8)
    object.__setattr__(wrong, "head", shells.head)  # the closed form is told the right ones
    rows = only(validation.current_through_shells(wrong, 9.0, COARSE))
    assert max(row.value for row in rows.values()) > 0.02


def _sigma(head, tissue):
    return float(head.conductivity[head.region(tissue)][0])


def test_spherical_inclusion_has_its_jump():
    rows = only(validation.spherical_inclusion(8.0))
    # measured 0.5 and 1.1 % at 8 mm; a field without the jump misses by 40 %
    assert [row.value < 0.02 for row in rows.values()][:2] == [True, True]
    assert rows["spherical inclusion, boundary from inside"].value < 0.03
    assert rows["spherical inclusion, boundary from outside"].value < 0.03
    assert all(row.nodes < 10_000 for row in rows.values())


@pytest.mark.slow
def test_normal_jump_is_within_a_hundredth_at_the_promised_edge():
    """1 % of the jump and 2 % on both sides at 2.8 mm; 0.9, 0.34 and 0.50 % are measured."""
    rows = {(row.case.removeprefix("spherical inclusion, boundary"), row.metric): row.value
            for row in validation.spherical_inclusion(2.8)}  # fmt: skip
    assert rows["", "normal jump"] < 0.01
    assert max(rows[" from inside", "L2 recovered"], rows[" from outside", "L2 recovered"]) < 0.02


def test_electrodes_and_dipoles_have_their_potentials(shells):
    rows = only(validation.electrodes_and_dipole(shells, 9.0, COARSE))
    assert rows["scalp electrode, brain"].value < 0.03
    assert rows["current dipole in the brain, scalp"].value < 0.06


def test_series_of_one_shell_are_the_closed_forms_of_a_homogeneous_sphere():
    """Of equal conductivities nothing is left but one sphere: Yao 2000 has its surface potential without a series."""
    radii, place, moment, sigma = np.array([0.04, 0.05, 0.07, 0.09]), np.array([0, 0, 0.03]), 1e-8, 0.3
    points = RNG.normal(size=(50, 3))
    points *= 0.09 / np.linalg.norm(points, axis=1, keepdims=True)
    found = dipole_scalp_potential(points, place, moment, radii, np.full(4, sigma))
    s, r0, r = points - place, 0.03, 0.09
    distance, cosine = np.linalg.norm(s, axis=1), points[:, 2] / r
    exact = moment / (4 * np.pi * sigma) * (2 * (r * cosine - r0) / distance**3 + (r / distance - 1) / (r * r0))
    np.testing.assert_allclose(found, exact, rtol=1e-9, atol=1e-9 * np.abs(exact).max())


@pytest.mark.parametrize("tissue", ["csf", "bone", "scalp"])
def test_electrodes_and_dipoles_notice_a_wrong_conductivity(shells, tissue):
    wrong = Solver(shells.head.with_conductivity({tissue: 1.3 * _sigma(shells.head, tissue)}), tolerance=1e-8)
    object.__setattr__(wrong, "head", shells.head)  # the closed form is told the right ones
    right = only(validation.electrodes_and_dipole(shells, 9.0, COARSE))
    rows = only(validation.electrodes_and_dipole(wrong, 9.0, COARSE))
    assert max(rows[case].value - right[case].value for case in rows) > 0.02


def test_laws_hold_and_can_be_broken():
    head = sphere_head((40, 46, 52), edge=8.0)
    placement = Placement.on(head.scalp, above=(10, 5, 60), handle_towards=(0, -60, 52))
    found = {law: (value, limit) for law, value, limit in laws(head, COIL, placement)}
    assert len(found) == 7
    assert all(value <= limit for value, limit in found.values())
    lopsided = HeadModel(head.mesh, head.conductivity * np.where(head.mesh.centroids[:, 0] > 0, 1.0, 3.0))
    assert all(value <= limit for _, value, limit in laws(lopsided, COIL, placement))


def test_second_order_elements_gain_an_order(monkeypatch):
    monkeypatch.setattr(validation, "_ORDER_EDGES", (16.0, 8.0))
    raw, recovered, second = convergence(COIL)
    assert [row.metric for row in (raw, recovered, second)] == ["order short of 1"] * 2 + ["order short of 2"]
    assert all(row.passed for row in (raw, recovered, second))
    orders = [float(row.case.split()[-1]) for row in (raw, second)]
    assert 0.8 < orders[0] < 1.2
    assert 1.8 < orders[1] < 2.4


def test_nodes_on_boundaries_are_seen_from_every_tissue_they_touch():
    head = sphere_head((40, 46, 52), edge=8.0)
    nodes, elements = both_sides(head)
    radius = np.linalg.norm(head.mesh.nodes[nodes], axis=1)
    inner, outer = np.isclose(radius, 40), np.isclose(radius, 46)
    assert (inner | outer).mean() > 0.99  # a few stay off their sphere where a move would invert an element
    assert set(head.mesh.tags[elements[inner]]) == {2, 4}
    assert set(head.mesh.tags[elements[outer]]) == {4, 5}
    assert (head.mesh.tets[elements] == nodes[:, None]).any(axis=1).all()
    pairs = np.stack([nodes, head.mesh.tags[elements]], axis=1)
    assert len(np.unique(pairs, axis=0)) == len(pairs)


def test_results_are_written_as_a_table_and_a_plot(tmp_path):
    rows = [ValidationRow("good", 10, 4.0, "L2", 1e-3, 1e-2), ValidationRow("bad", 10, 4.0, "L2", 0.1, 1e-2)]
    write_validation(rows, tmp_path / "out")
    lines = (tmp_path / "out" / "validation.tsv").read_text().splitlines()
    assert [line.split("\t") for line in lines[1:]] == [
        ["good", "10", "4", "L2", "0.001", "0.01", "True"],
        ["bad", "10", "4", "L2", "0.1", "0.01", "False"],
    ]
    assert (tmp_path / "out" / "validation.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(InputError, match="nothing to plot"):
        write_validation([], tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_ellipsoid_has_the_field_of_its_axes():
    (row,) = validation.ellipsoid(10.0)
    assert row.value < 0.004


def test_surface_load_of_a_uniform_current_is_its_closed_form(shells):
    """Integrals of hat functions: their first moments are the projected volume, by Gauss' theorem."""
    head = shells.head
    load = validation.surface_load(head, lambda points: np.broadcast_to([0.0, 0.0, 2.0], points.shape))
    assert abs(load.sum()) < 1e-15
    moment = load @ head.mesh.nodes * 1e-3
    np.testing.assert_allclose(moment, [0, 0, 2.0 * head.mesh.volumes.sum() * 1e-9], rtol=1e-9, atol=1e-12)


def test_metrics_of_the_exact_field_are_zero_and_of_a_scaled_one_its_scale():
    exact = RNG.normal(size=(500, 3))
    assert max(metrics(exact, exact).values()) < 1e-12
    scaled = metrics(1.1 * exact, exact)
    assert scaled["L2 recovered"] == pytest.approx(0.1)
    assert scaled["p99 relative, E >= 10 % of max"] == pytest.approx(0.1)
    assert scaled["max error / peak"] == pytest.approx(0.1)
    assert scaled["RDM recovered"] == pytest.approx(0, abs=1e-12)
    assert scaled["|lnMAG| recovered"] == pytest.approx(np.log(1.1))
    assert scaled["|E| p99.9 relative"] == pytest.approx(0.1)
    assert set(scaled) | {"L2 raw", "L2 recovered, tissue boundaries"} == set(LIMITS)


def test_metrics_tell_direction_from_size():
    exact = np.tile([1.0, 0, 0], (10, 1))
    turned = np.tile([0.0, 1, 0], (10, 1))
    found = metrics(turned, exact)
    assert found["RDM recovered"] == pytest.approx(np.sqrt(2))
    assert found["|lnMAG| recovered"] == pytest.approx(0, abs=1e-12)
    assert relative(turned, exact) == pytest.approx(np.sqrt(2))


def test_rows_pass_below_their_limit_only():
    row = ValidationRow("case", 121_410, 4.0, "metric", 0.01, 0.01)
    assert row.passed
    assert row.mesh == "121k nodes, 4 mm"
    assert not ValidationRow("case", 1, 4.0, "metric", 0.011, 0.01).passed
    assert not ValidationRow("case", 1, 4.0, "metric", np.nan, 0.01).passed


def test_points_fill_the_ball_evenly():
    points = validation.ball_points(10.0)
    r = np.linalg.norm(points, axis=1)
    assert r.max() <= 10.0
    assert (r < 5.0).mean() == pytest.approx(1 / 8, abs=0.006)
    np.testing.assert_array_equal(points, validation.ball_points(10.0))


def test_validation_refuses_unknown_sizes_and_coils():
    coil = Coil("one dipole", Dipoles([[0, 0, -10]], [[0, 0, 1e-2]]))
    with pytest.raises(UnknownNameError, match="size must be one of small, medium, large; instead received 'huge'"):
        validate(coil, size="huge")
    with pytest.raises(InputError, match="coil of validate must be a Coil; instead received 'figure8-70mm'"):
        validate("figure8-70mm")


def test_validation_runs_every_check_and_tells_its_progress(monkeypatch):
    """On coarse cells, beyond its limits; that all pass at the small size is the example of `validate` itself."""
    monkeypatch.setitem(validation.EDGES, "small", 9.0)
    monkeypatch.setattr(validation, "_ORDER_EDGES", (16.0, 9.0))
    stages = []
    rows = validate(load_coil("figure8-70mm"), progress=lambda stage, share: stages.append(share))
    assert stages == sorted(stages)
    assert stages[-1] == 1.0
    assert len(rows) == 3 * len(LIMITS) + 24
    assert all(np.isfinite(row.value) and row.limit >= 0 for row in rows)
    assert len({(row.case, row.metric) for row in rows}) == len(rows)


@pytest.mark.slow
def test_field_in_the_brain_of_a_sphere_is_within_two_parts_in_a_thousand():
    """The promise is 2 % on 3 mm cells; 0.09 % is measured (280k nodes)."""
    head = sphere_head((78, 81, 87, 92), edge=3.0)
    coil = load_coil("figure8-70mm")
    placement = Placement.on(head.scalp, above=(0, 0, 92), handle_towards=(0, -90, 92), coil=coil)
    field = Solver(head).solve(coil, placement)
    centroids = head.mesh.centroids[head.region("grey_matter")][::10]
    exact = sphere_field(centroids, coil, placement)
    assert relative(field.at(centroids), exact) < 0.002
    raw = field.E[head.region("grey_matter")][::10]
    assert relative(raw, exact) < 0.02
