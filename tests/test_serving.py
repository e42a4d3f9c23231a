"""The page on which the coil is led: in a real browser it moves, is judged at once and exactly, and is kept private."""

import os
import re
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from browser import Tab, browser, picture_folder
from tiny_study import tiny_head, tiny_study

import neuro_field as nf
from neuro_field.cli import main
from neuro_field.desk import serving
from neuro_field.report.opengl import PictureError, check_opengl

pytest.importorskip("trame.widgets.vtk", reason="trame is not installed: pip install -e .[serve]")


@pytest.fixture(scope="module")
def chromium():
    try:
        check_opengl()
    except PictureError as error:
        pytest.skip(str(error))
    with browser() as running:
        yield running


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return picture_folder(tmp_path_factory.mktemp("screenshots"))


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    room = tmp_path_factory.mktemp("serving")
    nf.write(tiny_head(), room / "HEAD")
    nf.write(tiny_study(), room / "PLAN")
    return room


def free_port():
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="module")
def address(chromium, folders):
    """Of the page of the small plan, served by the command as a user would."""
    command = [sys.executable, "-m", "neuro_field.cli", "serve", str(folders / "PLAN"), "--head", str(folders / "HEAD")]
    here = os.environ | {"PYTHONPATH": str(Path(serving.__file__).parents[2]), "PYTHONUNBUFFERED": "1"}
    out = folders / "out"
    with out.open("w") as log, subprocess.Popen(
        [*command, "--port", str(free_port())], stdout=log, stderr=subprocess.STDOUT, env=here
    ) as running:  # fmt: skip
        try:
            for _ in range(600):
                found = re.search(r"Open (http\S+)", out.read_text())
                if found or running.poll() is not None:
                    break
                time.sleep(0.5)
            assert found, out.read_text()
            yield found[1]
        finally:
            running.terminate()
            running.wait(30)


@pytest.fixture
def tab(chromium, address):
    made = Tab(chromium)
    made.page.goto(address)
    made.page.wait_for_selector(".panel .value", timeout=60_000)
    lead(made, made.page.get_by_role("button", name="1", exact=True).click)
    settled(made)
    yield made
    assert made.complaints == []
    assert all(url.startswith(address.split("/index")[0]) for url in made.requests)
    made.context.close()


def lead(tab, action):
    """Do something that moves the coil, and wait until the page tells of the new place."""
    before = int(tab.page.get_attribute(".status", "data-move"))
    action()
    tab.page.wait_for_selector(f".status[data-move='{before + 1}']", timeout=30_000)


def settled(tab):
    tab.page.get_by_text(re.compile(r"^solved in")).wait_for(timeout=60_000)


def value(tab):
    return float(tab.page.inner_text(".value").split()[0])


def pose(tab):
    return np.array([[float(part) for part in row.split()] for row in tab.page.inner_text(".panel pre").splitlines()])


def test_the_planned_placement_is_shown_with_the_plans_own_value(tab, folder):
    best = tiny_study().contralesional.best
    assert value(tab) == pytest.approx(best.verified, rel=2e-3)
    assert np.abs(pose(tab) - best.placement.head_from_coil).max() < 2e-4
    assert "100 % of the best placement planned" in tab.page.inner_text(".panel")
    tab.shot(folder, "serve-best")


def test_keys_lead_the_coil_and_the_value_follows_at_once_and_exactly(tab, folder):
    start = pose(tab)
    tab.page.locator(".bench").focus()
    lead(tab, lambda: tab.page.keyboard.press("Shift+ArrowUp"))
    guessed, moved = value(tab), pose(tab)
    step = moved[:3, 3] - start[:3, 3]
    assert 3 < np.linalg.norm(step) < 8
    assert step[1] > 2.5  # towards the patient's front
    settled(tab)
    field = nf.Solver(tiny_head(), tolerance=1e-4).solve(tiny_study().coil, nf.Placement(moved))
    assert value(tab) == pytest.approx(tiny_study().contralesional.target.mean(field), rel=5e-3)
    assert guessed == pytest.approx(value(tab), rel=0.02)
    tab.shot(folder, "serve-moved")


def test_turning_keeps_the_place(tab):
    start = pose(tab)
    lead(tab, tab.page.get_by_role("button", name="turn ↻").click)
    settled(tab)
    turned = pose(tab)
    assert np.linalg.norm((turned - start)[:3, 3]) < 2.0  # but for its lift
    angle = np.degrees(np.arccos(np.clip(turned[:3, 1] @ start[:3, 1], -1, 1)))
    assert angle == pytest.approx(5.0, abs=4.0)  # the plan's own placement lies on the finer search's normal


def test_a_click_on_the_head_brings_the_coil_there(tab, folder):
    start = pose(tab)
    box = tab.page.locator(".space").bounding_box()
    place = box["x"] + 0.5 * box["width"], box["y"] + 0.35 * box["height"]
    lead(tab, lambda: tab.page.mouse.click(*place))
    moved = pose(tab)
    assert np.linalg.norm((moved - start)[:3, 3]) > 3
    foot = moved[:3, 3] + 4.0 * moved[:3, 2]
    assert np.linalg.norm(foot) == pytest.approx(92.0, abs=4.0)
    settled(tab)
    tab.shot(folder, "serve-clicked")


def test_without_the_token_nobody_sees_the_head(chromium, address):
    for query in ("", "?secret=wrong", "?sessionURL=" + re.search(r"sessionURL=([^&]+)", address)[1]):
        tab = Tab(chromium)
        tab.page.goto(address.split("?")[0] + query)
        tab.page.wait_for_timeout(4000)
        assert tab.page.locator(".panel").count() == 0
        assert any("Authentication failed" in words for words in tab.complaints)
        tab.context.close()


def test_every_start_has_another_token(address):
    token = re.search(r"secret=([\w-]+)", address)[1]
    assert len(token) >= 32
    assert token != "wslink-secret"


def test_mistakes_end_in_one_line(folders, capsys, monkeypatch):
    assert main(["serve", str(folders / "PLAN")]) == 2
    assert "name it: neuro-field serve PLAN --head HEAD" in capsys.readouterr().err
    assert main(["serve", str(folders / "HEAD")]) == 2
    assert "--side left or right" in capsys.readouterr().err
    monkeypatch.setitem(sys.modules, "trame.app", None)
    assert main(["serve", str(folders / "PLAN"), "--head", str(folders / "HEAD")]) == 2
    assert "pip install 'neuro_field[serve]'" in capsys.readouterr().err
