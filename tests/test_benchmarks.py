"""The benchmark script runs, measures what it says and keeps it."""

import json
import runpy
from pathlib import Path

import numpy as np
import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
SCRIPT = BENCHMARKS / "run.py"


@pytest.fixture(scope="module")
def script():
    return runpy.run_path(str(SCRIPT))


def test_small_run_of_one_pattern_is_printed_and_kept(script, tmp_path, capsys):
    rows = script["main"](["--small", "solve", "--results", str(tmp_path)])
    assert [row.name for row in rows] == ["solve", "solve in a block of 8", "pyamg solve"]
    assert all(row.seconds > 0 and row.peak_mb > 10 and row.error <= 1e-5 and row.iterations > 0 for row in rows)
    assert all(0.0 < row.bandwidth < 1.5 for row in rows[:2])
    assert "pyamg solve / solve in a block of 8" in capsys.readouterr().out
    (path,) = tmp_path.iterdir()
    kept = json.loads(path.read_text())
    assert [row["name"] for row in kept["runs"][0]["rows"]] == [row.name for row in rows]
    script["main"](["--small", "assembly", "--results", str(tmp_path)])
    assert len(json.loads(path.read_text())["runs"]) == 2


def test_every_row_tells_its_own_peak(script):
    """What an earlier row took is not told of a later one."""
    if not script["reset_peak"]():
        pytest.skip("this system does not count peaks anew")
    block = np.ones(60_000_000)
    assert script["peak_since_reset"]() > block.nbytes
    before = script["peak_since_reset"]()
    del block
    script["reset_peak"]()
    assert script["peak_since_reset"]() < before - 300_000_000


def test_wires_and_their_turns_as_dipoles_agree(script, tmp_path):
    (row,) = script["main"](["--small", "wires", "--results", str(tmp_path)])
    assert row.error < 5e-3
    assert row.iterations > 0


def test_unknown_patterns_are_refused_with_the_rows(script, tmp_path, capsys):
    with pytest.raises(SystemExit):
        script["main"](["nothing", "--results", str(tmp_path)])
    assert "there are assembly, set-up" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_meshers_are_measured_in_processes_of_their_own_and_a_failure_is_a_row(capsys, monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))  # the processes that are started look the script up by its name
    import meshers

    labels, affine = meshers.block(14)
    row = meshers.apart("neuro_field", labels, affine, 3.0, 300.0)
    assert row.note == ""
    assert row.nodes > 100
    assert row.smallest_angle > 10
    assert all(0.5 < share <= 1 for share in row.dice.values())
    assert meshers.apart("neuro_field", labels * 0, affine, 3.0, 300.0).note.startswith("failed: InputError")
    shown = meshers.table([row, meshers.Row("other", note="not done")])
    assert len({line.count("|") for line in shown.splitlines()}) == 1
    with pytest.raises(SystemExit):
        meshers.main(["nothing"])
    assert "there are neuro_field, fTetWild" in capsys.readouterr().err


def test_the_search_is_measured_beside_forward_solves(tmp_path, capsys, monkeypatch):
    monkeypatch.syspath_prepend(str(SCRIPT.parent))
    search = runpy.run_path(str(SCRIPT.parent / "search.py"))
    rows = search["main"](["--small", "--results", str(tmp_path)])
    assert [row.name for row in rows] == list(search["ROWS"])
    assert all(row.seconds > 0 and row.peak_mb > 10 for row in rows)
    assert [row.error is not None and row.error < 1e-2 for row in rows] == [False, True, False, True]
    assert "one forward solve / one of 100,000 placements" in capsys.readouterr().out
    (path,) = tmp_path.iterdir()
    assert len(json.loads(path.read_text())["runs"][0]["ratios"]) == 3


@pytest.fixture(scope="module")
def door():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BENCHMARKS))
        import door
    return door


def test_a_case_at_the_door_goes_the_way_of_a_build_and_is_kept_in_a_table(door, tmp_path, capsys):
    assert not door.main(["42 % larger", "--stride", "4", "--into", str(tmp_path / "door.md")])
    table = (tmp_path / "door.md").read_text(encoding="utf-8")
    assert table == capsys.readouterr().out
    assert "Of 1 right cases 0 were refused, 0 told to have a doubtful map." in table
    beside, alone = table.splitlines()[2:4]
    assert "| right | told | " in beside
    assert "image-atlas-form" in beside
    assert float(beside.split("|")[-2]) < 2.0
    assert "| wrong | refused | The brain in the labels is 1.38 times" in alone  # Colin27's is 3 % smaller than MNI's


def test_silence_and_what_is_not_said_are_faults_at_the_door(door):
    case = door.doors.Case("a case", "doubtful", door.doors.colin27, says="build-skull-open")
    warned, said = {"build-volume-changed"}, frozenset({"build-volume-changed", "build-skull-open"})
    assert door.faults_of(case, warned, said, 4.0) == ()
    assert door.faults_of(case, warned, said, 6.0) == ("silently 6 mm off",)  # another warning does not tell of that
    assert door.faults_of(case, {"head-map-doubtful"}, said, 6.0) == ()
    assert door.faults_of(case, warned, frozenset(), 0.0) == ("build-skull-open is not said",)
    wrong = door.doors.Case("another", "wrong", door.doors.colin27)
    assert door.faults_of(wrong, set(), frozenset(), 0.0) == ("a wrong case is taken",)


def test_an_opening_at_the_door_is_held_to_its_area_and_side(door):
    case = door.doors.Case("craniectomy of 50 cm2, left, open", "right", door.doors.colin27, area=50.0)
    row = {"area_cm2": 48.0, "side": "left", "seen": "t1"}
    assert door.opening_of(case, [row]) == ("48.0 cm², left, by the t1", ())
    assert door.opening_of(case, [row | {"side": "right"}])[1] == ("an opening on the right",)
    assert door.opening_of(case, []) == ("no opening", ("its area is wrong",))
