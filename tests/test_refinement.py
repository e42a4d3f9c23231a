"""Finer elements around a place: what they keep, what they change, and what they are for."""

import numpy as np
import pytest
from tiny_study import ranked_study, tiny_head

import neuro_field as nf
from neuro_field.aim.target import check_same_mesh
from neuro_field.cli import main
from neuro_field.commands.fields import _planned
from neuro_field.errors import InputError
from neuro_field.field.analytic import sphere_field
from neuro_field.field.validation import relative
from neuro_field.geometry import bisection
from neuro_field.geometry.locate import locate
from neuro_field.geometry.quality import smallest_dihedral_angles
from neuro_field.head.model import HeadModel
from neuro_field.head.sphere import sphere_head
from neuro_field.search.candidates import Grid
from neuro_field.store.heads import write_head
from neuro_field.store.plans import planned_head, write_study

NEAR = (20.0, 10.0, 62.0)


@pytest.fixture(scope="module")
def head():
    return sphere_head((70, 80, 90), edge=9.0)


@pytest.fixture(scope="module")
def finer(head):
    return head.refined(near=NEAR, radius=15.0)


def within(head, radius):
    near = np.linalg.norm(head.mesh.centroids - NEAR, axis=1) < radius
    return near & np.isin(head.mesh.tags, (1, 2, 3))


def test_refining_keeps_tissues_and_halves_their_elements(head, finer):
    assert finer.tissue_volumes == pytest.approx(head.tissue_volumes, rel=1e-9)
    before, after = (np.cbrt(np.median(each.mesh.volumes[within(each, 10.0)])) for each in (head, finer))
    assert 0.33 < after / before < 0.6  # 0.39: the longest tenth sets the edges
    far = [np.linalg.norm(each.mesh.nodes - NEAR, axis=1) > 45.0 for each in (head, finer)]
    assert far[0].sum() == far[1].sum()
    assert len(finer.mesh.nodes) < 1.6 * len(head.mesh.nodes)
    quality = [smallest_dihedral_angles(each.mesh).min() for each in (head, finer)]
    assert quality[1] > 0.4 * quality[0]  # bisection makes no slivers


def test_the_finer_head_is_the_same_every_time(head, finer):
    again = head.refined(near=[NEAR], radius=15.0)
    assert again.mesh.digest == finer.mesh.digest
    assert again.mesh.digest != head.mesh.digest


def test_element_fields_near_the_place_err_half_as_much(head, finer):
    coil = nf.load_coil("figure8-70mm")
    placement = nf.Placement.on(head.scalp, above=(26, 13, 87), handle_towards=(26, -60, 87), coil=coil)
    errors = []
    for each in (head, finer):
        field, there = nf.Solver(each).solve(coil, placement), np.flatnonzero(within(each, 8.0))
        errors.append(relative(field.E[there], sphere_field(each.mesh.centroids[there], coil, placement)))
    assert 0.35 < errors[1] / errors[0] < 0.65


def test_conductivities_stay_where_they_are(head):
    sigma = 0.1 + 0.01 * np.arange(len(head.mesh.tets)) / len(head.mesh.tets)
    uneven = HeadModel(head.mesh, sigma)
    made = uneven.refined(near=NEAR, radius=12.0)
    inside = np.array([[20.0, 10.0, 61.0], [0.0, 0.0, -60.0]])
    found, expected = (each.conductivity[locate(each.mesh, inside)[0]] for each in (made, uneven))
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"near": (0, 0)}, r"near of HeadModel\.refined"),
        ({"near": "M1"}, r"near of HeadModel\.refined"),
        ({"near": (0, 0, np.nan)}, r"near of HeadModel\.refined"),
        ({"near": (0, 0, 60), "radius": 0.5}, "radius .* must be 2 to 60 mm"),
        ({"near": (0, 0, 60), "levels": True}, "levels .* must be 1, 2 or 3"),
        ({"near": (0, 0, 200)}, r"Nothing inside the skull lies within 20 mm"),
    ],
)
def test_what_cannot_be_refined_is_refused(head, arguments, words):
    with pytest.raises(InputError, match=words):
        head.refined(**arguments)


def test_a_region_is_the_same_in_the_finer_head(head, finer):
    target = nf.Target.ball(head, center=NEAR, radius=9.0, tissue="grey_matter", direction=(0, 1, 0))
    carried = target.carried(head, finer)
    volumes = [each.mesh.volumes[one.elements].sum() for each, one in ((head, target), (finer, carried))]
    assert volumes[1] == pytest.approx(volumes[0], rel=1e-9)
    assert carried.weights.sum() == pytest.approx(1.0)
    middle = [one.weights @ each.mesh.centroids[one.elements] for each, one in ((head, target), (finer, carried))]
    np.testing.assert_allclose(middle[1], middle[0], atol=1e-9)
    assert (carried.mesh, carried.name) == (finer.mesh.digest, target.name)
    with pytest.raises(InputError, match="another mesh"):
        carried.carried(head, finer)


def test_a_head_is_refined_once(finer):
    with pytest.raises(InputError, match="refined already; refine the head it was made from"):
        finer.refined(near=NEAR)


def test_a_refined_plan_is_rebuilt_from_the_head_it_was_made_on(tmp_path, capsys):
    """The record holds the recipe; another head gets another digest, and is refused."""
    head = tiny_head()
    made = nf.study(
        head, preset="contralesional-1hz-hand", coil=nf.load_coil("figure8-70mm"), rmt=50.0, draws=0, refine=True,
        grid=Grid(radius=8, spacing=8, angle_step=90), tolerance=1e-4,
    )  # fmt: skip
    assert made.head.refinement is not None
    assert made.contralesional.target.mesh == made.head.mesh.digest != head.mesh.digest
    assert made.contralesional.report.largest_difference < 0.01
    write_study(made, tmp_path / "PLAN")
    again = planned_head(tmp_path / "PLAN", tiny_head())
    assert again.mesh.digest == made.head.mesh.digest
    assert planned_head(tmp_path / "PLAN", again) is again
    check_same_mesh(again, nf.read_plan(tmp_path / "PLAN").contralesional.target)
    with pytest.raises(InputError, match=r"is not the one that .* was made for: conductivity differs"):
        planned_head(tmp_path / "PLAN", head.with_conductivity({"bone": 0.02}))
    _simulates_the_best(made.contralesional, head, tmp_path, capsys)


def _simulates_the_best(plan, head, folder, capsys):
    """The command's field of a ranked placement, on the refined mesh, is the one that verified it."""
    write_head(head, folder / "HEAD")
    call = ["simulate", str(folder / "HEAD"), "--plan", str(folder / "PLAN")]
    assert main([*call, "-o", str(folder / "FIELD")]) == 0
    assert "Placement 1 of " in capsys.readouterr().out
    solved = nf.read_field(folder / "FIELD")
    assert len(solved.E) == len(plan.field.E) > len(head.mesh.tets)
    np.testing.assert_allclose(solved.placement.head_from_coil, plan.best.placement.head_from_coil, atol=1e-6)
    elements = plan.target.elements
    mean = np.average(np.linalg.norm(solved.E, axis=1)[elements], weights=plan.target.weights)
    assert mean == pytest.approx(plan.best.magnitude, rel=0.1)  # of elements, against the recovered field
    for more, words in (
        (["--rank", "99"], "instead --rank is 99"),
        (["--at", "C3"], "leave out --at, or --plan"),
        (["--role", "left"], "role must be one of contralesional, ipsilesional"),
    ):
        assert main([*call, *more, "-o", str(folder / "NO")]) == 2
        assert words in capsys.readouterr().err
    assert main(["simulate", str(folder / "HEAD"), "--coil", "figure8-70mm", "-o", str(folder / "NO")]) == 2
    assert "--at, --handle-towards is not given" in capsys.readouterr().err
    assert not (folder / "NO").exists()


def test_a_rank_names_its_placement(tmp_path):
    write_study(ranked_study(), tmp_path / "PLAN")
    for role, plan in ranked_study().plans.items():
        for rank in (1, 2):
            _, coil, placement, words = _planned(tmp_path / "PLAN", rank, role, {})(ranked_study().head)
            meant = plan.ranking[rank - 1].placement
            np.testing.assert_allclose(placement.head_from_coil, meant.head_from_coil, atol=1e-6)
            assert coil.name == plan.coil.name
            assert words.startswith(f"Placement {rank} of 2 in")


def test_a_mesh_does_not_grow_beyond_bounds(head, monkeypatch):
    monkeypatch.setattr("neuro_field.head.refinement.ANYHOW", 0)
    with pytest.raises(InputError, match="more than 60 %; take a smaller radius or fewer levels"):
        head.refined(near=(0, 0, 0), radius=60)


@pytest.mark.parametrize("rings", [(0, 1), (1, 4)])
def test_halving_in_a_part_is_halving_in_the_whole(head, monkeypatch, rings):
    """Longest edges call for others farther away: a part that they leave is not enough, and is seen to be not."""
    meshes = []
    for tried in ((), rings):
        monkeypatch.setattr(bisection, "_RINGS", tried)
        meshes.append(bisection.bisected(head.mesh, lambda mesh: beside(mesh, 12.0), 2.0))
    whole, part = meshes
    assert len(part.tets) > len(head.mesh.tets) + 5000
    for name in ("nodes", "tets", "tags"):
        np.testing.assert_array_equal(getattr(part, name), getattr(whole, name))


def beside(mesh, radius):
    return np.linalg.norm(mesh.centroids - NEAR, axis=1) < radius
