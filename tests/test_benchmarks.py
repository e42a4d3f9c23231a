"""The benchmark script runs, measures what it says and keeps it."""

import json
import runpy
from pathlib import Path

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
    assert "pyamg solve / solve in a block of 8" in capsys.readouterr().out
    (path,) = tmp_path.iterdir()
    kept = json.loads(path.read_text())
    assert [row["name"] for row in kept["runs"][0]["rows"]] == [row.name for row in rows]
    script["main"](["--small", "assembly", "--results", str(tmp_path)])
    assert len(json.loads(path.read_text())["runs"]) == 2


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
