"""What holds for every test of this folder."""

import pytest
from tests_support import leaks

#: Every patcher there was since the module began; held, for one that is thrown away never takes its patches back.
_PATCHES: list[pytest.MonkeyPatch] = []
_begin = pytest.MonkeyPatch.__init__


def _remembered(self: pytest.MonkeyPatch) -> None:
    _begin(self)
    _PATCHES.append(self)


pytest.MonkeyPatch.__init__ = _remembered  # type: ignore[method-assign]


@pytest.fixture(scope="module", autouse=True)
def no_patch_outlives_its_module():
    """A patch that stays would fake what later tests of the same worker see."""
    _PATCHES.clear()
    yield
    left = leaks(_PATCHES)
    assert not left, f"patched and never undone: {', '.join(left)}"
