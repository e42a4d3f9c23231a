"""The page of the small plan, served by the command in a process of its own, and what tests ask of it."""

import os
import re
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tiny_study import tiny_head, tiny_study

import neuro_field as nf


def free_port():
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        return probe.getsockname()[1]


@contextmanager
def served(room, *options, name="out"):
    """The address that the command prints for room/PLAN and room/HEAD."""
    command = [sys.executable, "-m", "neuro_field.cli", "serve", str(room / "PLAN"), "--head", str(room / "HEAD")]
    here = os.environ | {"PYTHONPATH": str(Path(nf.__file__).parents[1]), "PYTHONUNBUFFERED": "1"}
    out = room / f"{name}.log"
    with out.open("w") as log, subprocess.Popen(
        [*command, "--port", str(free_port()), *options], stdout=log, stderr=subprocess.STDOUT, env=here
    ) as running:  # fmt: skip
        try:
            for _ in range(1200):
                found = re.search(r"Open (http\S+)", out.read_text())
                if found or running.poll() is not None:
                    break
                time.sleep(0.1)
            assert found, out.read_text()
            yield found[1]
        finally:
            running.kill()
            running.wait(30)


class Bench:
    """A tab on the page."""

    def __init__(self, tab, address):
        self.tab, self.page = tab, tab.page
        tab.page.goto(address)
        tab.page.wait_for_selector("html[data-page=ready]", timeout=180_000)

    @property
    def kind(self):
        return self.page.evaluate("document.body.className").split()[0]

    @property
    def moves(self):
        return int(self.page.get_attribute("#status", "data-moves"))

    @property
    def value(self):
        return float(self.page.inner_text("#strength"))

    @property
    def pose(self):
        return np.array([[float(part) for part in row.split()] for row in self.page.inner_text("#pose").splitlines()])

    @property
    def veil(self):
        return self.page.inner_text("#veil")

    def wait(self, kind, seconds=180):
        self.page.wait_for_selector(f"body.{kind}", timeout=1000 * seconds)

    def lead(self, action):
        """Do something that moves the coil, and wait until the page tells of the new place."""
        before = self.moves
        action()
        self.until(lambda: self.moves > before)

    def until(self, true, seconds=120):
        """Wait; the page's own policy forbids a browser to be given expressions to wait for."""
        end = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < end, self.page.inner_text("body")
            self.page.wait_for_timeout(20)

    def painted(self):
        """How many vertices have a colour of the field, not the grey of none."""
        return self.page.evaluate(
            "(() => { const c = bench.space.cortex.geometry.getAttribute('color').array; let n = 0;"
            "for (let i = 0; i < c.length; i += 3) if (c[i] !== 214 || c[i + 1] !== 208) n++; return n; })()"
        )


def folders_in(room):
    """HEAD and PLAN of the tiny study in a folder, which is returned."""
    nf.write(tiny_head(), room / "HEAD")
    nf.write(tiny_study(), room / "PLAN")
    return room


def live_in(room):
    """LIVE beside them, of few snapshots, taken at its word up to more than it should be."""
    made = nf.live_field(nf.Solver(tiny_head(), tolerance=1e-4), tiny_study().coil, snapshots=40)
    made = replace(made, most_unspanned=2.0)
    nf.write(made, room / "LIVE")
    return made


def skip_without_aiohttp():
    pytest.importorskip("aiohttp", reason="aiohttp is not installed: pip install -e .[serve]")
