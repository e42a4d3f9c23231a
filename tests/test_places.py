"""Caches, homes, read-only installations and shares of a machine: what is there is used, what is not stops nothing."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import neuro_field
from neuro_field import caches
from neuro_field.caches import NoCacheError, cache_home
from neuro_field.geometry.mesh import TetMesh
from neuro_field.head.model import HeadModel
from neuro_field.kernels import compiling
from neuro_field.segment.samseg import Samseg
from neuro_field.shelf import examples
from neuro_field.threads import threads

PACKAGE = Path(neuro_field.__file__).parent


def written(root, **texts):
    """A file system where some files are."""
    for name, text in texts.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def test_threads_are_what_was_told_or_the_least_of_all_shares(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(16)), raising=False)
    assert threads({}, tmp_path) == 16
    assert threads({"NUMBA_NUM_THREADS": "24"}, tmp_path) == 24
    assert threads({"SLURM_CPUS_PER_TASK": "6"}, tmp_path) == 6
    assert threads({"SLURM_CPUS_PER_TASK": "60"}, tmp_path) == 16
    for nonsense in ("", "0", "-3", "many", "٣", "9" * 5000):
        assert threads({"SLURM_CPUS_PER_TASK": nonsense, "NUMBA_NUM_THREADS": nonsense}, tmp_path) == 16
    monkeypatch.delattr(os, "sched_getaffinity")  # Windows, macOS
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert threads({}, tmp_path) == 1


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "150000 100000\n"}, 2),
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "max 100000\n"}, 16),
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "5000 100000\n"}, 1),
        ({"proc/self/cgroup": "0::/a/b\n", "sys/fs/cgroup/a/cpu.max": "300000 100000\n"}, 3),  # of a group above
        ({"proc/self/cgroup": "0::/docker/unseen\n", "sys/fs/cgroup/cpu.max": "400000 100000\n"}, 4),
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "rubbish"}, 16),
        (
            {
                "proc/self/cgroup": "3:cpu,cpuacct:/job\n0::/\n",
                "sys/fs/cgroup/cpu,cpuacct/job/cpu.cfs_quota_us": "500000\n",
                "sys/fs/cgroup/cpu,cpuacct/job/cpu.cfs_period_us": "100000\n",
            },
            5,
        ),
        (
            {
                "proc/self/cgroup": "4:cpuset:/\n1:cpu:/docker/unseen\n",
                "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "250000\n",
                "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
            },
            3,
        ),
        (
            {
                "proc/self/cgroup": "1:cpu:/\n",
                "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n",
                "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
            },
            16,
        ),
    ],
)
def test_a_containers_share_limits_the_threads(tmp_path, monkeypatch, files, expected):
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(16)), raising=False)
    assert threads({}, written(tmp_path, **files)) == expected


def test_the_segmenter_and_numba_take_the_same_share(tmp_path):
    code = "from neuro_field.kernels import sphere; import numba; from neuro_field.segment.samseg import Samseg;"
    code += "print(numba.get_num_threads(), Samseg().command([], __import__('pathlib').Path('x'))[-1])"
    kept = {key: value for key, value in os.environ.items() if key != "NUMBA_NUM_THREADS"}
    for before in ("", "import numba;"):
        environment = kept | {"SLURM_CPUS_PER_TASK": "1"}
        run = subprocess.run([sys.executable, "-c", before + code], env=environment, capture_output=True, text=True)
        assert run.stdout.split() == ["1", "1"], run.stderr


def test_the_cache_is_where_the_user_says_and_never_in_a_folder_called_tilde(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "shared"))
    monkeypatch.delenv("NEURO_FIELD_CACHE", raising=False)
    assert cache_home() == tmp_path / "shared" / "neuro_field"
    monkeypatch.setenv("NEURO_FIELD_CACHE", str(tmp_path / "own"))
    assert (cache_home(), examples.cache_folder()) == (tmp_path / "own", tmp_path / "own" / "heads")
    assert Samseg.own_environment() == tmp_path / "own" / "samseg"
    monkeypatch.delenv("NEURO_FIELD_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")  # the standard has such ignored
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert cache_home().is_absolute()
    assert "relative" not in str(cache_home())
    monkeypatch.setattr(caches, "user_cache_path", lambda *given, **how: Path("~/.cache/neuro_field"))
    with pytest.raises(NoCacheError, match="NEURO_FIELD_CACHE"):
        cache_home()
    assert Samseg().find() is None or Samseg().find().is_file()


def quickly(monkeypatch, built):
    """Heads are meshed as one tetrahedron, each counted; labels are not looked at."""
    nodes = np.array([[0, 0, 0], [90, 0, 0], [0, 90, 0], [0, 0, 90.0]])

    def small(ready, edge, **keywords):
        built.append(edge)
        return HeadModel.from_mesh(TetMesh(nodes, np.array([[0, 1, 2, 3]]), np.array([5])), name="colin27")

    monkeypatch.setattr(examples, "build_prepared", small)
    monkeypatch.setattr(examples, "_prepared", lambda *given: None)


def test_a_user_without_a_home_gets_a_built_in_head(monkeypatch):
    built = []
    quickly(monkeypatch, built)
    monkeypatch.setattr(examples, "cache_home", lambda: (_ for _ in ()).throw(NoCacheError("no home")))
    try:
        examples.example_head("colin27", edge=11.0)
    except NoCacheError as error:
        raise AssertionError("refused for want of a home") from error
    assert built == [11.0]


def test_a_kept_head_that_cannot_be_touched_is_no_damaged_one(tmp_path, monkeypatch):
    monkeypatch.setenv("NEURO_FIELD_CACHE", str(tmp_path))
    built = []
    quickly(monkeypatch, built)
    first = examples.example_head("colin27", edge=11.0)

    def refuse(self, *given, **how):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "touch", refuse)
    again = examples.example_head("colin27", edge=11.0)
    assert built == [11.0]
    np.testing.assert_array_equal(again.mesh.nodes, first.mesh.nodes)


MESHING = """
import sys
from _pytest.monkeypatch import MonkeyPatch
from test_places import quickly
from neuro_field.shelf import examples

class Slowly(list):
    def append(self, edge):
        print("meshing", flush=True)
        sys.stdin.readline()

quickly(MonkeyPatch(), Slowly())
examples.example_head("colin27", edge=11.0)
print("done", flush=True)
"""


def test_of_two_runs_that_want_one_head_the_second_waits_and_reads(tmp_path, monkeypatch):
    monkeypatch.setenv("NEURO_FIELD_CACHE", str(tmp_path))
    built, told = [], []
    quickly(monkeypatch, built)
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(PACKAGE.parent), str(Path(__file__).parent)])}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "env": environment}
    with subprocess.Popen([sys.executable, "-c", MESHING], **pipes) as other:
        try:
            assert other.stdout.readline().strip() == "meshing"

            def tell(stage, share):
                if not told:
                    other.stdin.write("\n")
                    other.stdin.flush()
                told.append((stage, share))

            examples.example_head("colin27", edge=11.0, progress=tell)
            assert other.stdout.readline().strip() == "done"
        finally:
            other.kill()
    assert built == []
    assert {stage for stage, _ in told} == {"waiting for another run to mesh this head"}
    assert [path.suffix for path in (tmp_path / "heads").iterdir()] == [".npz"]


def test_what_is_being_written_is_no_kept_head(tmp_path, monkeypatch):
    monkeypatch.setenv("NEURO_FIELD_CACHE", str(tmp_path))
    (tmp_path / "heads").mkdir()
    (tmp_path / "heads" / ".writing-abcdefgh-colin27-0.npz").touch()
    assert examples.clear_cache() == 0
    assert (tmp_path / "heads" / ".writing-abcdefgh-colin27-0.npz").exists()


def test_kernels_are_defined_where_nothing_can_be_kept(tmp_path):
    """A copy of the package whose folder of compiled code cannot be made, run by a user without a home."""
    copy = tmp_path / "neuro_field"
    (copy / "kernels").mkdir(parents=True)
    for name in ("errors.py", "threads.py", "caches.py", "kernels/__init__.py", "kernels/compiling.py"):
        shutil.copy(PACKAGE / name, copy / name)
    (copy / "__init__.py").touch()
    (copy / "kernels" / "tiny.py").write_text(
        "from numba import njit\n@njit(cache=True)\ndef one():\n    return 1\nprint(one())\n"
    )
    (copy / "kernels" / "__pycache__").touch()  # a file: root may write anywhere, but not into this
    (tmp_path / "home").touch()
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path / "home"), "PYTHONPATH": str(tmp_path)}
    environment |= {"PYTHONDONTWRITEBYTECODE": "1", "TMPDIR": str(tmp_path)}
    call = [sys.executable, "-c", "import neuro_field.kernels.tiny"]
    run = subprocess.run(call, env=environment, capture_output=True, text=True, cwd=tmp_path)
    assert run.stdout.strip() == "1", run.stderr
    assert "compiled anew" in run.stderr
    assert not list(tmp_path.glob("neuro_field-kernels-*"))
    environment["NEURO_FIELD_CACHE"] = str(tmp_path / "cache")
    run = subprocess.run(call, env=environment, capture_output=True, text=True, cwd=tmp_path)
    assert (run.stdout.strip(), run.stderr) == ("1", "")
    assert list((tmp_path / "cache" / "kernels").rglob("*.nbi"))


def test_a_user_without_a_home_gets_a_place_for_kernels_that_goes(tmp_path, monkeypatch):
    def homeless():
        raise NoCacheError("This user has no home folder.")

    monkeypatch.setattr(caches, "cache_home", homeless)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    try:
        place = compiling._place()
    except NoCacheError:
        pytest.fail("nothing was found to compile kernels in")
    assert place.parent == tmp_path
    assert place.is_dir()


def test_the_set_up_of_kernels_takes_no_time(monkeypatch):
    start = time.perf_counter()
    compiling.set_up()
    assert time.perf_counter() - start < 0.2  # a few milliseconds
