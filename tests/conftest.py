"""What holds for every test of this folder."""

import os
from pathlib import Path

#: Whether other workers compute on the same cores.
SHARED = "PYTEST_XDIST_WORKER" in os.environ
if SHARED:
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy is loaded

os.environ["LC_ALL"] = "C.UTF-8"  # the command line speaks the machine's language; tests read English

import numba  # noqa: E402
import pytest  # noqa: E402
from compiled_once import compile_once  # noqa: E402
from tests_support import all_threads, leaks  # noqa: E402

#: Files that take longest, first: what comes last should be short, or other workers wait for it.
LONGEST = (
    "cli", "fuzz", "docstrings", "plans_io", "documentation", "report_in_browser", "examples", "navigation", "solver",
    "search", "cohort", "nesting", "aims", "craniectomy", "target_truth", "mesher", "processes", "dose", "agreement",
)  # fmt: skip

#: Every patcher there was since the module began; held, for one that is thrown away never takes its patches back.
_PATCHES: list[pytest.MonkeyPatch] = []
_begin = pytest.MonkeyPatch.__init__


def _remembered(self: pytest.MonkeyPatch) -> None:
    _begin(self)
    _PATCHES.append(self)


pytest.MonkeyPatch.__init__ = _remembered  # type: ignore[method-assign]


def pytest_configure(config):
    """Kernels are compiled by one of the workers."""
    if SHARED:
        compile_once(Path(config.option.basetemp).parent / "compiling")


@pytest.fixture(scope="module", autouse=True)
def no_patch_outlives_its_module():
    """A patch that stays would fake what later tests of the same worker see."""
    _PATCHES.clear()
    yield
    left = leaks(_PATCHES)
    assert not left, f"patched and never undone: {', '.join(left)}"


def pytest_runtest_setup(item):
    """A thread each for workers that share the cores, where two would wait for each other's turn at every kernel.

    Tests of kernels and of threads, and those on real heads, take all threads that users have.
    """
    if SHARED:
        numba.set_num_threads(all_threads() if takes_all_threads(item) else 1)


def takes_all_threads(item):
    """Whether a test is of kernels or of threads, by what its file imports, or on a real head."""
    things = vars(item.module).values()
    homes = {str(getattr(thing, "__module__", None) or getattr(thing, "__name__", "")) for thing in things}
    kernels = any(home.startswith(("numba", "neuro_field.kernels")) for home in homes)
    return kernels or any(item.get_closest_marker(mark) for mark in ("slow", "full"))


def pytest_collection_modifyitems(items):
    """Sort them; within a file they keep their order."""
    ranks = {f"test_{name}.py": rank for rank, name in enumerate(LONGEST)}
    items.sort(key=lambda item: ranks.get(item.path.name, len(ranks)))
