"""A page as PDF, by a browser that is installed; nothing is downloaded."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from neuro_field.errors import InputError
from neuro_field.io.scratch import scratch_folder

#: Names of Chromium, Chrome and Edge on the PATH, and where Windows and macOS keep them.
NAMES = (
    "chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge",
    "microsoft-edge-stable", "msedge",
)  # fmt: skip
PLACES = (
    r"%PROGRAMFILES%\Google\Chrome\Application\chrome.exe",
    r"%PROGRAMFILES(X86)%\Google\Chrome\Application\chrome.exe",
    r"%LOCALAPPDATA%\Google\Chrome\Application\chrome.exe",
    r"%PROGRAMFILES(X86)%\Microsoft\Edge\Application\msedge.exe",
    r"%PROGRAMFILES%\Microsoft\Edge\Application\msedge.exe",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
)

#: A browser that has not printed by then is stopped, s.
PATIENCE = 60.0

_PRINT = "write the page without --pdf, open it in any browser and print it from there, on A4"


def printed(page: str, path: Path) -> None:
    """Write a page as PDF.

    The browser gets a profile folder of its own that is removed again, and no network beyond what the page asks for,
    which is none.

    Parameters
    ----------
    page : str
        Self-contained HTML.
    path : Path
        Of the PDF.

    Raises
    ------
    InputError
        If no Chromium, Chrome or Edge is found, or it does not print: with what to do instead.
    """
    browser = next(_browsers(), None)
    if browser is None:
        raise InputError(f"No Chromium, Chrome or Edge was found to make a PDF: {_PRINT}.")
    with scratch_folder() as folder:
        source, made = folder / "page.html", folder / "page.pdf"
        source.write_text(page, encoding="utf-8", newline="\n")
        said = _run([
            browser, "--headless", "--disable-gpu", "--disable-extensions", "--no-first-run",
            "--no-default-browser-check",
            *(["--no-sandbox"] if getattr(os, "geteuid", lambda: 1)() == 0 else []),  # it refuses the superuser's own
            f"--user-data-dir={folder / 'profile'}", "--no-pdf-header-footer", f"--print-to-pdf={made}",
            source.absolute().as_uri(),
        ])  # fmt: skip
        if not made.is_file() or not made.read_bytes().startswith(b"%PDF"):
            raise InputError(f"{browser} made no PDF ({said}): {_PRINT}.")
        shutil.copyfile(made, path)


def _browsers() -> Iterator[str]:
    yield from filter(None, map(shutil.which, NAMES))
    for place in map(os.path.expandvars, PLACES):
        if Path(place).is_file():
            yield place


def _run(command: list[str]) -> str:
    """How a browser ended, in a few words; it and all that it started are stopped when it takes too long."""
    try:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=sys.platform != "win32",
        )  # fmt: skip
    except OSError as error:
        return error.strerror or "it could not be started"
    try:
        return f"status {process.wait(PATIENCE)}"
    except subprocess.TimeoutExpired:
        return f"stopped after {PATIENCE:g} s"
    finally:
        if process.poll() is None:
            _stop(process)


def _stop(process: subprocess.Popen[bytes]) -> None:
    if sys.platform == "win32":
        process.kill()
    else:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
