"""An interrupted plan goes on where it was, and only there."""

import json
from dataclasses import replace

import numpy as np
import pytest
from tiny_plan import timeless
from tiny_study import tiny_head

from neuro_field.aim.target import Target
from neuro_field.cli import main
from neuro_field.clinic.study import study
from neuro_field.errors import FileFormatError, InputError
from neuro_field.field.solver import Solver
from neuro_field.io.atomic import ExistsError
from neuro_field.io.digest import fingerprint
from neuro_field.search import survey as survey_room
from neuro_field.search.candidates import Grid
from neuro_field.search.search import Avoidance
from neuro_field.search.survey import Task
from neuro_field.shelf.coils import load_coil
from neuro_field.store.heads import write_head
from neuro_field.store.plans import read_plan
from neuro_field.store.unfinished import UnfinishedPlan
from neuro_field.store.unfinished_folder import MARK

COIL = load_coil("figure8-70mm")
GRID = Grid(radius=15, spacing=7.5, angle_step=45)


def planned(keeper=None, **more):
    given = {"rmt": 50.0, "grid": GRID, "tolerance": 1e-4, "draws": 4} | more
    return study(tiny_head(), preset="contralesional-1hz-hand", coil=COIL, keeper=keeper, **given)


@pytest.fixture(scope="module")
def uninterrupted():
    return planned()


class Cut:
    """A keeper that is interrupted right after it has kept so many plans."""

    def __init__(self, keeper, times):
        self.keeper, self.times = keeper, times

    def kept(self, role, task):
        return self.keeper.kept(role, task)

    def keep(self, role, task, made):
        self.keeper.keep(role, task, made)
        self.times -= 1
        if self.times == 0:
            raise KeyboardInterrupt


@pytest.mark.parametrize(("times", "replanned"), [(1, 1), (2, 0), (6, 0)])
def test_an_interrupted_study_ends_as_the_whole_one(tmp_path, monkeypatch, uninterrupted, times, replanned):
    folder = tmp_path / "PLAN.unfinished"
    with pytest.raises(KeyboardInterrupt):
        planned(Cut(UnfinishedPlan(folder), times))
    calls = []
    monkeypatch.setattr(survey_room, "plan", lambda *a, **k: calls.append(a) or PLAN(*a, **k))
    monkeypatch.setattr(survey_room, "with_stability", lambda *a, **k: calls.append("s") or STABILITY(*a, **k))
    told = []
    made = planned(UnfinishedPlan(folder), progress=lambda stage, share: told.append(stage))
    assert len([call for call in calls if call != "s"]) == replanned
    assert ("s" in calls) == (times < 6)
    assert "right-m1-hand: kept from before" in told
    assert timeless(made) == timeless(uninterrupted)
    for role, plan in uninterrupted.plans.items():
        np.testing.assert_array_equal(made.plans[role].field.E, plan.field.E)
        np.testing.assert_array_equal(made.plans[role].field.at([[30, 0, 60]]), plan.field.at([[30, 0, 60]]))
        poses = plan.followed[:3]
        np.testing.assert_allclose(  # series that earlier calls have begun round otherwise
            made.plans[role].response.strengths(poses), plan.response.strengths(poses), rtol=1e-13
        )
        np.testing.assert_array_equal(
            made.plans[role].response.strengths_untabulated(poses[:1]), plan.response.strengths_untabulated(poses[:1])
        )


PLAN, STABILITY = survey_room.plan, survey_room.with_stability


@pytest.fixture(scope="module")
def task():
    head = tiny_head()
    target = Target.ball(head, center=(40, 0, 55), radius=9.0)
    coarse = Grid(radius=10, spacing=10, angle_step=90)
    return Task(Solver(head, tolerance=1e-3), COIL, target, coarse, Avoidance(), None, 0, False)


@pytest.fixture(scope="module")
def made(task):
    return PLAN(task.solver, task.coil, task.target, grid=task.grid)


def test_a_plan_is_kept_for_its_own_task_alone(tmp_path, task, made, caplog):
    keeper = UnfinishedPlan(tmp_path / "kept")
    assert keeper.kept("plan", task) is None
    keeper.keep("plan", task, made)
    assert keeper.roles() == ["plan"]
    assert keeper.kept("other", task) is None
    found = UnfinishedPlan(keeper.folder).kept("plan", task)
    assert found.best.placement.head_from_coil.tolist() == made.best.placement.head_from_coil.tolist()
    assert found.field.report == made.field.report
    head = task.solver.head
    others = (
        replace(task, solver=Solver(head.with_conductivity({"grey_matter": 0.3}), tolerance=1e-3)),
        replace(task, solver=Solver(head, tolerance=1e-4)),
        replace(task, coil=load_coil("circular-90mm")),
        replace(task, target=replace(task.target, direction=np.array([0.0, 1, 0]))),
        replace(task, grid=replace(task.grid, gap=5.0)),
        replace(task, avoid=Avoidance(share=0.5)),
        replace(task, homologous=task.target),
        replace(task, draws=1),
        replace(task, numerical_error=True),
    )
    assert not caplog.text
    assert all(keeper.kept("plan", other) is None for other in others)
    assert caplog.text.count("plan is planned anew: what") == len(others)
    keeper.keep("plan", others[2], made)  # the same place with another coil
    assert keeper.kept("plan", task) is not None
    assert keeper.kept("plan", others[2]) is not None
    assert (keeper.roles(), len(list(keeper.folder.glob("plan-*.npz")))) == (["plan"], 2)
    keeper.discard()
    assert not keeper.folder.exists()
    with pytest.raises(InputError, match="read from files has neither field nor response"):
        keeper.keep("plan", task, replace(made, field=None))
    assert not keeper.folder.exists()


def test_the_fingerprint_tells_kinds_and_places_apart():
    prints = [fingerprint(*values) for values in (
        (1, 2), ((1, 2),), (1.0, 2), ("1", 2), ("1 2",), (True, 2), (None,), ({"a": 1},), ({"b": 1},),
        (np.arange(4),), (np.arange(4.0),), (np.arange(4).reshape(2, 2),),
    )]  # fmt: skip
    assert len(set(prints)) == len(prints)
    assert fingerprint({"a": np.eye(2)}) == fingerprint({"a": np.eye(2)})
    assert fingerprint(np.int64(3), np.float64(0.5)) == fingerprint(3, 0.5)
    with pytest.raises(TypeError, match="No fingerprint is known"):
        fingerprint(object())


def damage(folder, how):
    record, arrays = next(folder.glob("plan-*.json")), next(folder.glob("plan-*.npz"))
    if how == "cut record":
        record.write_text(record.read_text()[:-40])
    elif how == "no entry":
        record.write_text(json.dumps({k: v for k, v in json.loads(record.read_text()).items() if k != "didt"}))
    elif how == "cut arrays":
        arrays.write_bytes(arrays.read_bytes()[:-500])
    elif how == "no arrays":
        arrays.unlink()
    else:
        found = dict(np.load(arrays))
        if how == "other length":
            found["potential"] = found["potential"][1:]
        elif how == "other kind":
            found["densities"] = found["densities"].astype(np.float64)
        elif how == "not finite":
            found["potential"][5] = np.nan
        elif how == "pickled":
            found["followed"] = np.array([{}], dtype=object)
        elif how == "packed":
            np.savez_compressed(arrays, **{name: np.zeros(1_000_000) for name in found})
            return
        np.savez(arrays, **found)


@pytest.mark.parametrize("how", [
    "cut record", "no entry", "cut arrays", "no arrays", "other length", "other kind", "not finite", "pickled",
    "packed",
])  # fmt: skip
def test_damaged_ones_are_refused_with_the_remedy(tmp_path, task, made, how):
    keeper = UnfinishedPlan(tmp_path / "kept")
    keeper.keep("plan", task, made)
    damage(keeper.folder, how)
    with pytest.raises(FileFormatError) as refusal:
        keeper.kept("plan", task)
    assert str(refusal.value).endswith(f"Remove {keeper.folder} and plan again.")
    assert "\n" not in str(refusal.value)


def test_a_folder_of_other_things_is_left_alone(tmp_path, task, made):
    folder = tmp_path / "kept"
    folder.mkdir()
    keeper = UnfinishedPlan(folder)  # empty: nothing is lost
    (folder / "mine.txt").write_text("mine")
    with pytest.raises(ExistsError, match="holds something else; move that away"):
        UnfinishedPlan(folder)
    keeper.discard()
    assert [path.name for path in folder.iterdir()] == ["mine.txt"]
    (folder / "mine.txt").unlink()
    keeper.keep("plan", task, made)
    assert (folder / MARK).is_file()
    (tmp_path / "file").write_text("mine")
    with pytest.raises(ExistsError, match="holds something else"):
        UnfinishedPlan(tmp_path / "file")


def test_a_disk_that_takes_nothing_stops_no_plan(tmp_path, task, made, caplog):
    keeper = UnfinishedPlan(tmp_path / "missing" / "kept")
    keeper.keep("plan", task, made)
    assert "plan is not kept for an interrupted run" in caplog.text
    assert keeper.kept("plan", task) is None


def test_the_command_says_what_it_kept_and_goes_on(tmp_path, monkeypatch, capsys):
    write_head(tiny_head(), tmp_path / "HEAD")
    command = [
        "plan", str(tmp_path / "HEAD"), "--preset", "contralesional-1hz-hand", "-o", str(tmp_path / "PLAN"),
        "--draws", "4", "--radius", "15", "--spacing", "7.5", "--angle-step", "45",
    ]  # fmt: skip

    def stopped(*arguments, **keywords):
        raise KeyboardInterrupt

    monkeypatch.setattr(survey_room, "with_stability", stopped)
    assert main(command) == 130
    said = capsys.readouterr().err.splitlines()[-1]
    assert "no plan was written. What was finished (left-m1-hand, right-m1-hand) is kept in" in said
    assert sorted(path.name for path in tmp_path.iterdir()) == ["HEAD", "PLAN.unfinished"]
    monkeypatch.setattr(survey_room, "with_stability", STABILITY)
    monkeypatch.setattr(survey_room, "plan", stopped)
    assert main(command) == 0
    assert "right-m1-hand: kept from before" in capsys.readouterr().out
    assert sorted(path.name for path in tmp_path.iterdir()) == ["HEAD", "PLAN"]
    assert read_plan(tmp_path / "PLAN").contralesional.stability.draws == 4


def test_an_interruption_before_anything_is_kept_says_so(tmp_path, monkeypatch, capsys):
    write_head(tiny_head(), tmp_path / "HEAD")

    def stopped(*arguments, **keywords):
        raise KeyboardInterrupt

    monkeypatch.setattr(survey_room, "plan", stopped)
    options = ["--preset", "contralesional-1hz-hand", "-o", str(tmp_path / "PLAN")]
    assert main(["plan", str(tmp_path / "HEAD"), *options]) == 130
    assert capsys.readouterr().err.splitlines()[-1] == "neuro-field: Interrupted; nothing was written."
    assert [path.name for path in tmp_path.iterdir()] == ["HEAD"]
