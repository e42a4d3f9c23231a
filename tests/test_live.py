"""A live field follows full solves, says where it does not, and is the same after a rest."""

from dataclasses import replace
from itertools import islice

import numpy as np
import pytest
import reference_packed as reference
from tiny_study import tiny_head

import neuro_field as nf
from neuro_field.cli import main
from neuro_field.coil.sources import Grid
from neuro_field.errors import FileFormatError, InputError
from neuro_field.field.sampling import cortex
from neuro_field.geometry.locate import locate
from neuro_field.head.inside import inside_head
from neuro_field.io.array_files import read_arrays, write_arrays
from neuro_field.io.atomic import ExistsError
from neuro_field.kernels import packed as kernel
from neuro_field.live import building
from neuro_field.live.exact import Exact
from neuro_field.live.packed import Packed
from neuro_field.live.places import PRESSED, Range, allowed, poses_over, spots_over
from neuro_field.live.reader import greedy
from neuro_field.live.sheet import Sheet
from neuro_field.search.landscape import LEAST_OF_STRONGEST
from neuro_field.search.whole_cortex import WholeCortex, half_volumes, over_cortex
from neuro_field.store.heads import write_head
from neuro_field.store.unfinished_live import UnfinishedLive

COIL = nf.load_coil("figure8-70mm")
SNAPSHOTS = building.SNAPSHOTS
both_ways = pytest.mark.parametrize("compiled", [True, False], ids=["compiled", "python"])


@pytest.fixture(scope="module")
def solver():
    return nf.Solver(tiny_head(), tolerance=1e-4)


@pytest.fixture(scope="module")
def live(solver):
    return nf.live_field(solver, COIL, snapshots=SNAPSHOTS)


@pytest.fixture
def quick(monkeypatch):
    """Fewer placements to choose from, and to judge by."""
    for name, value in (("_POOL", 200), ("HELD_OUT", 10), ("STRANGE", 10)):
        monkeypatch.setattr(building, name, value)


def unseen(solver, coil, count, within=None, seed=11):
    poses = poses_over(solver.head, spots_over(solver.head), coil, 6 * count, np.random.default_rng(seed), within)
    return list(islice(allowed(solver, coil, poses), count))


def relative(found, full, volumes):
    off = np.square(found - full).sum(axis=1) @ volumes
    return float(np.sqrt(off / (np.square(full).sum(axis=1) @ volumes)))


def errors_of(live, solver, coil, placements):
    """By `Field.at` of full solves."""
    return [
        relative(live.field(placement, coil=coil), field.at(live.points), live.sheet.volumes)
        for placement, field in zip(placements, solver.solve_many(coil, placements), strict=True)
    ]


def patches(seed=0):
    """Two patches of modes as kernels take them."""
    rng = np.random.default_rng(seed)
    points, ranks = np.array([0, 5, 12]), np.array([0, 6, 7])  # one rank is no multiple of four
    sizes = 3 * np.diff(points) * np.diff(ranks)
    values = rng.integers(-30000, 30000, sizes.sum()).astype(np.int16)
    return values, np.array([0, sizes[0]]), points, ranks, rng.normal(size=7).astype(np.float32)


@both_ways
def test_modes_are_summed_as_by_the_twins(compiled):
    given = patches()
    sums, lengths = np.empty((12, 3), np.float32), np.empty(12, np.float32)
    if compiled:
        kernel.mode_sums(*given, sums)
        kernel.mode_magnitudes(*given, lengths)
        np.testing.assert_allclose(sums, reference.mode_sums(*given, 3), rtol=0, atol=0.02)  # of 30,000
        np.testing.assert_allclose(lengths, reference.mode_magnitudes(*given), rtol=0, atol=0.02)
    else:
        values = kernel._add_modes.py_func
        out = np.empty(15, np.float32)
        values(given[0], 0, 15, 6, given[4], 0, out)
        np.testing.assert_allclose(out.reshape(3, 5).T, reference.mode_sums(*given, 3)[:5], rtol=0, atol=0.02)


@both_ways
def test_volumes_reached_are_summed_as_by_the_twin(compiled):
    rng = np.random.default_rng(2)
    vectors, volumes = rng.normal(size=(3, 4, 50)).astype(np.float32), rng.uniform(size=50).astype(np.float32)
    thresholds, out = np.array([0.5, 1.0, 2.0, 9.0], np.float32), np.ones(4)
    (kernel.reached_volumes if compiled else kernel.reached_volumes.py_func)(*vectors, thresholds, volumes, out)
    np.testing.assert_allclose(out, 1 + reference.reached_volumes(*vectors, thresholds, volumes), rtol=1e-5)


def test_packing_leaves_out_no_more_energy_than_is_allowed():
    rng = np.random.default_rng(4)
    fields = [rng.normal(size=(3 * m, 3)) @ rng.normal(size=(3, 10)) * 0.6 ** np.arange(10) for m in (40, 17)]
    weights = [rng.uniform(0.5, 2, m) for m in (40, 17)]
    energy = [np.square(np.sqrt(np.tile(w, 3))[:, None] * f).sum() for f, w in zip(fields, weights, strict=True)]
    for share, atol in ((1e-10, 2e-4), (1e-2, 0.1)):
        packed = Packed.of(zip(fields, weights, [share * e for e in energy], strict=True), 3, 10)
        dense = packed.dense(np.arange(57))
        for f, w, part in zip(fields, weights, (slice(0, 40), slice(40, 57)), strict=True):
            off = dense[:, part].reshape(f.shape) - f
            assert np.sqrt(np.square(np.sqrt(np.tile(w, 3))[:, None] * off).sum() / energy[len(w) == 17]) < max(
                atol, 1e-4
            )
    exact = Packed.of(zip(fields, weights, [0.0, 0.0], strict=True), 3, 10)
    assert np.diff(packed.ranks).max() <= np.diff(exact.ranks).min() <= 10
    coefficients = rng.normal(size=10)
    whole = exact.fields(coefficients)
    np.testing.assert_allclose(exact.magnitudes(coefficients), np.linalg.norm(whole, axis=1), rtol=1e-5)
    some = np.array([0, 3, 39, 40, 56])
    np.testing.assert_array_equal(exact.thinned(some).fields(coefficients), whole[some])


def test_field_is_that_of_full_solves_at_placements_never_seen(live, solver):
    errors = errors_of(live, solver, COIL, unseen(solver, COIL, 10))
    assert max(errors) < 1.5 * live.report.error_max < 0.06
    assert np.mean(errors) < 1.5 * live.report.error_mean


def test_magnitude_and_normal_component_are_those_of_the_field_and_linear_in_the_slope(live, solver):
    placement = unseen(solver, COIL, 1)[0]
    field = live.field(placement, 2e6)
    np.testing.assert_allclose(live.magnE(placement, -2e6), np.linalg.norm(field, axis=1), rtol=1e-5)
    np.testing.assert_allclose(field, 2 * live.field(placement), rtol=1e-6)
    outwards = np.einsum("nd,nd->n", field, live.sheet.normals)
    np.testing.assert_allclose(live.normal_component(placement, 2e6), outwards, rtol=1e-6)
    every = np.arange(len(live.points))
    many = live.magnitudes(np.stack([placement.head_from_coil] * 2), every, 2e6)
    np.testing.assert_allclose(many[1], live.magnE(placement, 2e6), rtol=1e-4, atol=1e-6)


def test_nothing_far_off_is_trusted_and_what_is_right_is(live, solver):
    small = nf.load_coil("figure8-25mm")
    found = []
    for coil, within in ((COIL, Range((2.0, 40.0), 60.0)), (small, Range((2.0, 15.0), 30.0))):
        placements = unseen(solver, coil, 16, within)
        errors = errors_of(live, solver, coil, placements)
        found += [(error, live.trusts(each, coil)) for error, each in zip(errors, placements, strict=True)]
    errors, trusted = np.array([each[0] for each in found]), np.array([each[1] for each in found])
    assert errors.max() > 0.03  # there is something not to be trusted
    assert not trusted[errors > 0.03].any()
    assert trusted[errors < 0.01].mean() >= 0.95


def test_snapshots_stand_outside_the_head_over_the_brain(solver):
    head = solver.head
    for placement in unseen(solver, COIL, 30, seed=5):
        assert not inside_head(head, placement.head_points(COIL.source_points)).any()
        depth = -placement.coil_points(head.scalp.points)[:, 2]
        under = np.linalg.norm(placement.coil_points(head.scalp.points)[:, :2], axis=1) < 20
        assert depth[under].max() < PRESSED + 1e-6
    tilts = [np.degrees(np.arccos(p.axis @ -p.center / np.linalg.norm(p.center))) for p in unseen(solver, COIL, 60)]
    assert 10 < max(tilts) < 18  # smoothed normals of a coarse sphere err by 2 degrees


def test_the_next_snapshot_is_the_one_that_is_spanned_least():
    rng = np.random.default_rng(0)
    seen = rng.normal(size=(40, 12)) * 0.5 ** np.arange(12)
    unit = seen / np.linalg.norm(seen, axis=1, keepdims=True)
    order = greedy(seen, 6)
    assert len(set(order)) == 6
    for k in range(1, 6):
        basis = np.linalg.qr(unit[order[:k]].T)[0]
        left = np.linalg.norm(unit - unit @ basis @ basis.T, axis=1)
        assert left[order[k]] == pytest.approx(left.max(), rel=1e-3)


def test_points_of_the_sheet_lie_in_grey_matter_and_stand_for_all_of_it(live):
    head = live.head
    assert head.region("grey_matter")[locate(head.mesh, live.points)[0]].all()
    surface = cortex(head)[0]
    assert sorted(map(tuple, live.sheet.surface.points)) == sorted(map(tuple, surface.points))
    assert live.sheet.surface.area_vectors.sum(axis=0) == pytest.approx(surface.area_vectors.sum(axis=0), abs=1e-6)
    thin = live.thinned(500)
    assert thin.sheet.volumes.sum() == pytest.approx(live.sheet.volumes.sum())


def test_cortex_of_a_head_with_white_matter_is_read_in_its_middle():
    shells = nf.sphere_head((30, 34, 38), edge=4.0)
    tags = np.array([0, 0, 1, 0, 2, 3])[shells.mesh.tags]  # white, grey, CSF
    head = nf.HeadModel.from_mesh(replace(shells.mesh, tags=tags))
    radius = np.linalg.norm(Sheet.of(head).points, axis=1)
    assert np.median(radius) == pytest.approx(32.0, abs=0.1)
    assert np.mean(np.abs(radius - 32.0) < 0.3) > 0.9


@pytest.fixture(scope="module")
def tensor_solver():
    head = tiny_head()
    sigma = head.conductivity[:, None, None] * np.eye(3)
    sigma[head.region("grey_matter")] *= np.diag([1.6, 0.8, 0.9])
    return nf.Solver(replace(head, conductivity=sigma), tolerance=1e-4)


def sampled():
    """A small figure-8 as a potential on a grid that holds any head."""
    axis = np.arange(-240.0, 241.0, 8.0)
    points = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1)
    points[..., 2] += 105.0
    data = nf.load_coil("figure8-ideal").dadt(points.reshape(-1, 3) + 0.013, didt=1.0).reshape(*points.shape)
    affine = np.diag([8.0, 8.0, 8.0, 1.0])
    affine[:3, 3] = points[0, 0, 0]
    return nf.Coil("sampled", Grid(data, affine))


def errors_at_snapshots(solver, coil):
    """What is left of the fields that a live field was made of: packing, and the solver's tolerance."""
    made = nf.live_field(solver, coil, snapshots=20)
    return errors_of(made, solver, coil, building._placements(solver, coil, 20, made.reader.probes)[:20:7])


def test_anisotropic_heads_are_followed(tensor_solver, quick):
    assert max(errors_at_snapshots(tensor_solver, COIL)) < 0.01


def test_a_sampled_potential_is_followed(solver, quick):
    assert max(errors_at_snapshots(solver, sampled())) < 0.01


def test_certified_is_the_full_solve_and_tells_the_difference(live, solver):
    exact = Exact(live.thinned(400), solver)
    placement = unseen(solver, COIL, 1, seed=3)[0]
    full = solver.solve(COIL, placement, didt=3e6).at(exact.live.points)
    found = exact.solved(placement, didt=3e6)
    np.testing.assert_allclose(found.E, full, atol=1e-3 * np.abs(full).max())
    told = relative(exact.live.field(placement, 3e6), full, exact.live.sheet.volumes)
    assert found.difference == pytest.approx(told, rel=0.05)
    assert found.iterations > 2
    other = nf.Solver(solver.head.with_conductivity({"scalp": 0.3}))
    with pytest.raises(InputError, match="of the live field's own head"):
        Exact(live, other)


class Cut:
    """A keeper that is interrupted right after it has kept so many blocks."""

    def __init__(self, keeper, times):
        self.keeper, self.times = keeper, times

    def kept(self, first):
        return self.keeper.kept(first)

    def keep(self, first, potentials):
        self.keeper.keep(first, potentials)
        self.times -= 1
        if self.times == 0:
            raise KeyboardInterrupt


def test_an_interrupted_live_field_goes_on_where_it_was_and_ends_the_same(solver, tmp_path, monkeypatch, quick):
    whole = nf.live_field(solver, COIL, snapshots=20)
    keeper = UnfinishedLive(tmp_path / "LIVE.unfinished", solver, COIL, 20)
    with pytest.raises(KeyboardInterrupt):
        nf.live_field(solver, COIL, snapshots=20, keeper=Cut(keeper, 2))
    assert keeper.count() == 2
    assert UnfinishedLive(tmp_path / "LIVE.unfinished", solver, COIL, 21).count() == 0  # another task's
    with monkeypatch.context() as changed:  # or another making's: those would be solves of other placements
        changed.setattr(building, "_POOL", 150)
        assert UnfinishedLive(tmp_path / "LIVE.unfinished", solver, COIL, 20).count() == 0
    solved, each = [], nf.Solver.potentials
    monkeypatch.setattr(nf.Solver, "potentials", lambda *given: solved.append(1) or each(*given))
    damaged = next((tmp_path / "LIVE.unfinished").glob("solves-*-0.npz"))
    damaged.write_bytes(damaged.read_bytes()[:-100])
    again = nf.live_field(solver, COIL, snapshots=20, keeper=keeper)
    assert len(solved) == 2  # of three blocks one was kept whole
    for one, other in ((whole.packed, again.packed), (whole.reader, again.reader)):
        for name, value in vars(one).items():
            if isinstance(value, np.ndarray):
                np.testing.assert_array_equal(value, getattr(other, name))
    keeper.discard()
    assert not (tmp_path / "LIVE.unfinished").exists()


def test_a_live_field_is_the_same_after_its_folder(live, solver, tmp_path):
    nf.write(live, tmp_path / "LIVE")
    again = nf.read_live(tmp_path / "LIVE", solver.head)
    placement = unseen(solver, COIL, 1)[0]
    np.testing.assert_array_equal(again.field(placement), live.field(placement))
    assert again.report == live.report
    assert again.trusts(placement) == live.trusts(placement)
    with pytest.raises(ExistsError):
        nf.write(live, tmp_path / "LIVE")


def read_arrays_of(kept, path):
    """The arrays of a file's bytes, put back in its place."""
    path.write_bytes(kept)
    return read_arrays(path, 10**9)


def test_a_live_field_of_another_head_coil_or_version_is_refused(live, solver, tmp_path, monkeypatch):
    folder = tmp_path / "LIVE"
    nf.write(live, folder)
    with pytest.raises(InputError, match="is of another head"):
        nf.read_live(folder, solver.head.with_conductivity({"scalp": 0.3}))
    with monkeypatch.context() as patch:
        patch.setattr("neuro_field.store.lives.version", lambda name: "0.0.1")
        with pytest.raises(InputError, match="was made by neuro_field"):
            nf.read_live(folder, solver.head)
    with monkeypatch.context() as patch:
        patch.setattr("neuro_field.store.plan_coils.card_digest", lambda name: "0" * 64)
        with pytest.raises(InputError, match="is not on the shelf as it was"):
            nf.read_live(folder, solver.head)
    card = folder / "live.json"
    text = card.read_text()
    for wrong in (text.replace('"version": 1', '"version": 7'), text[:-40], text.replace('"head_name"', '"name"'), "3"):
        assert wrong != text
        card.write_text(wrong)
        with pytest.raises(FileFormatError):
            nf.read_live(folder, solver.head)
    card.write_text(text)
    modes = folder / "modes.npz"
    kept = modes.read_bytes()
    for wrong in (kept[:-50], kept[:3000] + bytes([kept[3000] ^ 1]) + kept[3001:]):
        modes.write_bytes(wrong)
        with pytest.raises(FileFormatError, match="make it again"):
            nf.read_live(folder, solver.head)
    arrays = read_arrays_of(kept, modes)
    modes.unlink()
    write_arrays(modes, arrays | {"values": -arrays["values"]})  # whole, and the field turned round
    with pytest.raises(FileFormatError, match="is not the file that was written with"):
        nf.read_live(folder, solver.head)
    modes.unlink()
    with pytest.raises(FileFormatError, match=r"modes\.npz is missing"):
        nf.read_live(folder, solver.head)


def test_placements_are_ranked_by_the_cortex_they_reach(live, solver):
    head = solver.head
    target = nf.Target.ball(head, center=(45, -15, 62), radius=9.0)
    grid = nf.Grid(radius=25, spacing=12.5, angle_step=45)
    strongest = nf.plan(solver, COIL, target, grid=grid)
    made = nf.plan(solver, COIL, target, grid=grid, objective="focality", live=live)
    assert made.search.objective == "focality"
    best, other = made.best, strongest.best
    assert best.strength >= LEAST_OF_STRONGEST * strongest.strengths.max()
    assert best.strength == pytest.approx(best.verified, rel=0.01)
    poses = np.stack([c.placement.head_from_coil for c in (best, other)])
    fields = solver.solve_many(COIL, [best.placement, other.placement])
    cortex = WholeCortex.of(live, head, COIL)
    means = np.array([target.magnitude(field) for field in fields])
    found = half_volumes(cortex, poses, means)
    size = cortex.live.sheet.volumes
    full = [
        size[np.linalg.norm(field.at(cortex.live.points), axis=1) >= mean / 2].sum() / 1e3
        for field, mean in zip(fields, means, strict=True)
    ]
    np.testing.assert_allclose(found, full, rtol=0.03)
    assert found[0] <= found[1]
    reached = over_cortex(
        live, poses, lambda strength, points, volumes: np.array([v @ (s >= m / 2) for s, m, v in zip(
            strength, means, [volumes] * 2, strict=True)]) / 1e3
    )  # fmt: skip
    np.testing.assert_allclose(reached, found, rtol=1e-3)


def test_a_target_with_a_direction_is_ranked_by_the_size_of_its_field(live, solver):
    target = nf.Target.ball(solver.head, center=(45, -15, 62), radius=9.0, direction=(0.0, 1.0, 0.0))
    grid = nf.Grid(radius=12.5, spacing=12.5, angle_step=90)
    made = nf.plan(solver, COIL, target, grid=grid, objective="focality", live=live)
    cortex = WholeCortex.of(live, solver.head, COIL)
    pose = made.best.placement.head_from_coil[None]
    volume = half_volumes(cortex, pose, np.array([made.best.magnitude]))[0]
    assert made.zone.strengths.max() == pytest.approx(1 / volume, rel=0.02)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"objective": "focality"}, "goes with objective='focality'"),
        ({"live": True}, "goes with objective='focality'"),
        ({"objective": "focality", "live": 3}, "must be a LiveField"),
        ({"objective": "focality", "live": True, "coil": "figure8-25mm"}, "is of the coil"),
        ({"objective": "focality", "live": True, "scalp": 0.3}, "is of the head"),
    ],
)
def test_a_focality_without_the_right_live_field_is_refused(live, solver, more, message):
    given = dict(more)
    coil = nf.load_coil(given.pop("coil")) if "coil" in given else COIL
    if "scalp" in given:
        solver = solver.retuned(solver.head.with_conductivity({"scalp": given.pop("scalp")}))
    if given.get("live") is True:
        given["live"] = live
    target = nf.Target.ball(solver.head, center=(45, -15, 62), radius=9.0)
    with pytest.raises(InputError, match=message):
        nf.plan(solver, coil, target, **given)


@pytest.mark.parametrize("snapshots", [19, 2001, True, 20.5, "many"])
def test_wrong_input_is_refused_before_the_work(solver, snapshots, monkeypatch):
    monkeypatch.setattr(building, "Sheet", None)
    with pytest.raises(InputError, match="snapshots of live_field must be 20 to 2000"):
        nf.live_field(solver, COIL, snapshots=snapshots)
    with pytest.raises(InputError, match="coil of live_field must be a Coil"):
        nf.live_field(solver, "figure8-70mm")


def test_a_pose_or_slope_that_is_none_is_refused(live):
    with pytest.raises(InputError, match="must be a Placement"):
        live.field(np.eye(4))
    with pytest.raises(InputError, match="must be a finite number in A/s"):
        live.magnE(nf.Placement(np.eye(4)), didt=np.nan)
    with pytest.raises(InputError, match="must be a Coil"):
        live.trusts(nf.Placement(np.eye(4)), coil="figure8-70mm")


def test_the_command_writes_a_live_field_and_says_how_well_it_does(solver, tmp_path, capsys, quick):
    write_head(solver.head, tmp_path / "HEAD")
    live = ["live", str(tmp_path / "HEAD"), "--coil", "figure8-70mm"]
    assert main([*live, "--snapshots", "20", "-o", str(tmp_path / "LIVE")]) == 0
    said = capsys.readouterr().out
    assert "20 full solves became" in said
    assert "differs from full solves by" in said
    assert not (tmp_path / "LIVE.unfinished").exists()
    head = nf.read_head(tmp_path / "HEAD")
    assert nf.read_live(tmp_path / "LIVE", head).report.snapshots == 20
    assert main([*live, "--snapshots", "3", "-o", str(tmp_path / "NEW")]) == 2
    assert "must be 20 to 2000" in capsys.readouterr().err


def test_an_interrupted_command_says_what_is_kept(solver, tmp_path, capsys, monkeypatch, quick):
    write_head(solver.head, tmp_path / "HEAD")
    keep, times = UnfinishedLive.keep, []

    def cut(keeper, first, potentials):
        keep(keeper, first, potentials)
        times.append(first)
        raise KeyboardInterrupt

    call = ["live", str(tmp_path / "HEAD"), "--coil", "figure8-70mm", "--snapshots", "20", "-o", str(tmp_path / "LIVE")]
    with monkeypatch.context() as patch:
        patch.setattr(UnfinishedLive, "keep", cut)
        assert main(call) == 130
    assert "1 blocks of solves are kept" in capsys.readouterr().err
    assert not (tmp_path / "LIVE").exists()
    monkeypatch.setattr(UnfinishedLive, "keep", lambda keeper, first, potentials: times.append(first))
    assert main(call) == 0
    assert times == [0, 16, 32]  # the first block is not solved again


@pytest.mark.full
def test_the_cortex_of_a_real_head_is_followed_within_half_a_percent():
    head = nf.example_head("colin27-stroke")
    solver = nf.Solver(head, tolerance=1e-4)
    for name in ("figure8-70mm", "double-cone"):
        coil = nf.load_coil(name)
        live = nf.live_field(solver, coil).thinned(20_000)
        exact = Exact(live, solver)
        placements = unseen(solver, coil, 100)
        errors = []
        for placement, field in zip(placements, solver.solve_each(coil, placements), strict=True):
            errors.append(relative(live.field(placement), exact.of(field), live.sheet.volumes))
        assert np.mean(errors) <= 0.005
        assert max(errors) <= 0.015
