"""The page on which the coil is led: in a real browser it moves, is judged at once and exactly, and is kept private."""

import re

import numpy as np
import pytest
from browser import Tab, browser, picture_folder
from serving import Bench, folders_in, live_in, served, skip_without_aiohttp
from tiny_study import tiny_head, tiny_study

import neuro_field as nf
from neuro_field.navigation.files import read_navigator

skip_without_aiohttp()


@pytest.fixture(scope="module")
def chromium():
    with browser() as running:
        yield running


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return picture_folder(tmp_path_factory.mktemp("screenshots"))


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    return folders_in(tmp_path_factory.mktemp("serving"))


@pytest.fixture(scope="module")
def live(folders):
    return live_in(folders)


@pytest.fixture(scope="module")
def address(chromium, folders):
    with served(folders) as found:
        yield found


@pytest.fixture
def bench(chromium, address):
    tab = Tab(chromium)
    made = Bench(tab, address)
    made.wait("exact")  # where the test before has left it
    made.lead(made.page.get_by_role("button", name="Planned 1").click)
    made.wait("exact")
    yield made
    assert tab.complaints == []
    origin = address.split("/lead/")[0]
    assert all(url.startswith((origin, origin.replace("http", "ws"))) for url in tab.requests)
    tab.context.close()


def test_the_planned_placement_is_shown_with_the_plans_own_value(bench, folder):
    best = tiny_study().contralesional.best
    assert bench.value == pytest.approx(best.verified, rel=2e-3)
    assert np.abs(bench.pose - best.placement.head_from_coil).max() < 2e-4
    assert bench.page.inner_text("#share") == "100 %"
    assert bench.page.inner_text("#off-along").startswith("0.0 mm")
    assert "differed by" in bench.page.inner_text("#status")
    bench.tab.shot(folder, "serve-best")


def test_keys_lead_the_coil_and_the_value_follows_at_once_and_exactly(bench, folder):
    start = bench.pose
    bench.lead(lambda: bench.page.keyboard.press("Shift+ArrowUp"))
    assert bench.kind == "guess"
    assert "guess" in bench.page.inner_text("#status")
    guessed, moved = bench.value, bench.pose
    step = moved[:3, 3] - start[:3, 3]
    assert 3 < np.linalg.norm(step) < 8
    assert step[1] > 2.5  # towards the patient's front
    along = float(bench.page.inner_text("#off-along").split()[0])
    assert along == pytest.approx(np.linalg.norm(step), abs=0.8)  # the first step seats the coil on facets of 9 mm
    assert re.search(r"[3-7]\.\d front", bench.page.inner_text("#off-along"))
    bench.wait("exact")
    field = nf.Solver(tiny_head(), tolerance=1e-4).solve(tiny_study().coil, nf.Placement(moved))
    assert bench.value == pytest.approx(tiny_study().contralesional.target.mean(field), rel=5e-3)
    assert guessed == pytest.approx(bench.value, rel=0.02)
    bench.tab.shot(folder, "serve-moved")


def test_turning_keeps_the_place_and_is_told(bench):
    start = bench.pose
    bench.lead(bench.page.get_by_role("button", name="turn ↻").click)
    bench.wait("exact")
    turned = bench.pose
    assert np.linalg.norm((turned - start)[:3, 3]) < 2.0  # but for its lift
    angle = np.degrees(np.arccos(np.clip(turned[:3, 1] @ start[:3, 1], -1, 1)))
    assert angle == pytest.approx(5.0, abs=4.0)  # the plan's own placement lies on the finer search's normal
    assert re.match(r"[4-6]°\s+clockwise", bench.page.inner_text("#off-handle"))


def test_a_click_on_the_head_brings_the_coil_there_and_a_drag_of_the_coil_leads_it(bench, folder):
    start = bench.pose
    box = bench.page.locator("#space").bounding_box()
    place = box["x"] + 0.5 * box["width"], box["y"] + 0.35 * box["height"]
    bench.lead(lambda: bench.page.mouse.click(*place))
    moved = bench.pose
    assert np.linalg.norm((moved - start)[:3, 3]) > 3
    foot = moved[:3, 3] + 4.0 * moved[:3, 2]
    assert np.linalg.norm(foot) == pytest.approx(92.0, abs=4.0)
    bench.wait("exact")
    bench.page.mouse.move(*place)
    bench.page.mouse.down()
    bench.lead(lambda: bench.page.mouse.move(place[0] + 40, place[1] + 20, steps=4))
    bench.page.mouse.up()
    bench.wait("exact")
    assert 5 < np.linalg.norm((bench.pose - moved)[:3, 3]) < 60
    bench.tab.shot(folder, "serve-dragged")


def test_a_saved_pose_is_the_one_shown_and_overwrites_nothing(bench, folders):
    kept = folders / "PLAN_led"
    before = set(kept.glob("*")) if kept.exists() else set()
    for _ in range(2):
        bench.page.click("#save")
        bench.until(lambda: "pose-" in bench.page.inner_text("#saved"))
        bench.page.evaluate("document.getElementById('saved').textContent = ''")
    new = sorted(path.name for path in set(kept.glob("*")) - before)
    assert new == ["pose-1_brainsight.txt", "pose-1_localite.xml", "pose-2_brainsight.txt", "pose-2_localite.xml"]
    for name in new:
        (marker,) = read_navigator(kept / name).markers
        assert np.abs(marker.placement.head_from_coil - bench.pose).max() < 1e-4


@pytest.mark.parametrize("size", [(768, 1024), (1024, 768)])
def test_on_a_tablet_nothing_is_cut_and_buttons_are_large(bench, folder, size):
    bench.page.set_viewport_size({"width": size[0], "height": size[1]})
    bench.page.wait_for_timeout(300)
    assert bench.page.evaluate("document.documentElement.scrollWidth") <= size[0]
    for part in ("#space", "#strength", "#bullseye"):
        box = bench.page.locator(part).bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= size[0]
    heights = bench.page.evaluate("[...document.querySelectorAll('.pad button')].map((b) => b.offsetHeight)")
    assert min(heights) >= 36
    bench.tab.shot(folder, f"serve-tablet-{size[0]}")


def test_without_the_token_nobody_sees_the_head(chromium, address):
    for place in (address.split("#")[0], address.split("#")[0] + "#wrong", address.split("lead/")[0]):
        tab = Tab(chromium)
        tab.page.goto(place)
        tab.page.get_by_text("lacks its key").wait_for()
        assert tab.page.evaluate("window.bench === undefined")
        assert tab.page.locator(".space > canvas").count() == 0
        tab.context.close()


def test_with_a_live_field_the_page_shows_it_then_the_exact_one(chromium, folders, live, folder):
    with served(folders, "--live", str(folders / "LIVE"), name="live") as address:
        tab = Tab(chromium)
        bench = Bench(tab, address)
        bench.wait("exact")
        bench.lead(lambda: bench.page.keyboard.press("ArrowLeft"))
        bench.until(lambda: bench.page.evaluate("bench.values !== null"))
        assert bench.kind in ("live", "exact")
        shown = bench.page.evaluate("Array.from(bench.values)"), bench.page.evaluate("bench.step")
        placement = nf.Placement(bench.pose)
        values = (np.array(shown[0]) - 1) * shown[1]
        head, coil = tiny_head(), tiny_study().coil
        if bench.kind == "live":
            expected = live.magnE(placement)
            assert len(values) == len(expected)
            assert np.abs(values - expected).max() < 1e-3 * expected.max()
        bench.wait("exact")
        bench.page.wait_for_timeout(300)
        values = (np.array(bench.page.evaluate("Array.from(bench.values)")) - 1) * bench.page.evaluate("bench.step")
        exact = np.linalg.norm(nf.Solver(head, tolerance=1e-4).solve(coil, placement).at(live.points), axis=1)
        assert np.abs(values - exact).max() < 3e-3 * exact.max()
        off = np.square(live.magnE(placement) - exact) @ live.sheet.volumes
        share = 100 * np.sqrt(off / (np.square(exact) @ live.sheet.volumes))
        assert float(re.search(r"differed by ([\d.]+) %", bench.page.inner_text("#status"))[1]) == pytest.approx(
            share, abs=0.3
        )
        bench.tab.shot(folder, "serve-live")
        assert tab.complaints == []
        tab.context.close()
