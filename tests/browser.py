"""A headless Chromium for the tests of pages, with every complaint and every request it makes written down."""

import os
import shutil
from contextlib import contextmanager
from pathlib import Path

import pytest

#: Debian's, Ubuntu's and Google's names.
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

#: WebGL without a graphics card.
FLAGS = ("--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist")


@contextmanager
def browser():
    """A running browser; skips the test where there is none."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: pip install -e .[dev]")
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        pytest.skip("no Chromium is installed: apt-get install chromium")
    with playwright.sync_playwright() as play:
        running = play.chromium.launch(executable_path=path, args=FLAGS)
        try:
            yield running
        finally:
            running.close()


class Tab:
    """One page in the browser: ``complaints`` are console errors and uncaught exceptions, ``requests`` addresses."""

    def __init__(self, running, **options):
        self.context = running.new_context(viewport={"width": 1280, "height": 1000}, **options)
        self.page = self.context.new_page()
        self.complaints, self.requests = [], []
        self.page.on("console", lambda line: line.type == "error" and self.complaints.append(line.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))

    def shot(self, folder, name):
        """Keep a picture of what is seen."""
        self.page.screenshot(path=Path(folder) / f"{name}.png")


def picture_folder(temporary):
    """Where pictures are kept: $NEURO_FIELD_SCREENSHOTS, or a temporary folder."""
    folder = Path(os.environ.get("NEURO_FIELD_SCREENSHOTS") or temporary).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    return folder
