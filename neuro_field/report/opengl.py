"""Whether this machine can draw at all.  VTK without an OpenGL library ends the process, so a small one asks first."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

#: Draws one empty picture the way the scenes are drawn.
_TRIAL = """
import vtkmodules.vtkRenderingOpenGL2
from vtkmodules.vtkRenderingCore import vtkRenderWindow
window = vtkRenderWindow()
window.SetOffScreenRendering(1)
window.SetSize(8, 8)
window.Render()
print("drawn")
"""

#: Which library VTK opens first for pictures without a screen.
_CHOICE = "VTK_DEFAULT_OPENGL_WINDOW"


class PictureError(RuntimeError):
    """Pictures cannot be drawn on this machine; the message names what to install."""


def check_opengl() -> None:
    """Raise PictureError where no picture can be drawn; asked once per process."""
    if not _draws():
        raise PictureError(
            "Pictures cannot be drawn: VTK found no working OpenGL library on this machine. On Debian or Ubuntu "
            "install it with: apt-get install libegl1 libgl1"
        )


@lru_cache(maxsize=1)
def _draws() -> bool:
    if not sys.platform.startswith("linux"):
        return True  # macOS and Windows bring OpenGL
    with off_screen():
        trial = subprocess.run(
            [sys.executable, "-c", _TRIAL], capture_output=True, encoding="utf-8", errors="replace", timeout=120,
            check=False,
        )  # fmt: skip
    return trial.returncode == 0 and "drawn" in trial.stdout


@contextmanager
def off_screen() -> Iterator[None]:
    """Lets VTK draw without a screen by EGL, rather than try X first and complain, where no screen is there."""
    if not sys.platform.startswith("linux") or os.environ.get("DISPLAY") or _CHOICE in os.environ:
        yield
        return
    os.environ[_CHOICE] = "vtkEGLRenderWindow"
    try:
        yield
    finally:
        del os.environ[_CHOICE]
