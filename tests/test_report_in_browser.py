"""The report in a real browser: it opens fast, asks nothing of any network, and shows what it says it shows."""

import re
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from browser import Tab, browser, picture_folder
from tiny_plan import warped_head
from tiny_study import LESION, ranked_study, tiny_head

from neuro_field.geometry.locate import locate
from neuro_field.io.images import Image
from neuro_field.store.plans import render, write_study

#: Promised of every report: seconds to the first view, bytes.
SECONDS, SIZE = 3.0, 25_000_000

NO_WEBGL = """
const real = HTMLCanvasElement.prototype.getContext;
HTMLCanvasElement.prototype.getContext = function (kind, ...rest) {
  return kind.startsWith("webgl") ? null : real.call(this, kind, ...rest);
};
"""


@pytest.fixture(scope="module")
def chromium():
    with browser() as running:
        yield running


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return picture_folder(tmp_path_factory.mktemp("screenshots"))


def t1():
    """An image of the small head: bright on the patient's right."""
    axis = np.arange(-100.0, 101.0, 2.0)
    x, y, z = np.meshgrid(axis, axis, axis, indexing="ij")
    values = np.where(x**2 + y**2 + z**2 < 92**2, 100.0 + x, 0.0)
    affine = np.diag([2.0, 2.0, 2.0, 1.0])
    affine[:3, 3] = -100.0
    return Image(values, affine, Path("T1.nii.gz"))


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    folder = tmp_path_factory.mktemp("report") / "PLAN"
    write_study(ranked_study(), folder, t1=t1())
    return folder / "report.html"


def opened(chromium, path, **options):
    tab = Tab(chromium, **options)
    tab.page.goto(path.as_uri())
    tab.page.wait_for_selector("html[data-view=ready]", timeout=30_000)
    return tab


@pytest.fixture
def tab(chromium, report):
    made = opened(chromium, report)
    yield made
    assert made.complaints == []
    assert made.requests == [report.as_uri()]
    made.context.close()


def reading(tab):
    """The crossing point (3,) mm, and the line about it."""
    words = tab.page.inner_text("#view .read")
    return np.array([float(part) for part in re.match(r"\((.*?)\)", words)[1].split(",")]), words


def click(part, across, down):
    """A click on a part of the page at shares of its width and height."""
    part.scroll_into_view_if_needed()
    box = part.bounding_box()
    part.click(position={"x": across * box["width"], "y": down * box["height"]})


def middle(box):
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def press(tab, words):
    tab.page.get_by_role("button", name=words, exact=True).first.click()


def test_it_opens_within_three_seconds_and_is_small(chromium, report):
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        tab = opened(chromium, report)
        seconds.append(time.perf_counter() - start)
        tab.context.close()
    assert min(seconds) <= SECONDS
    assert report.stat().st_size <= SIZE


def test_clicking_through_it_shows_both_hemispheres_and_every_placement(tab, folder):
    page = tab.page
    tab.shot(folder, "report-top")
    page.locator("#view").scroll_into_view_if_needed()
    tab.shot(folder, "report-view")
    titles = page.locator("[data-choose=plan] button").all_inner_texts()
    assert titles == ["Contralesional (right) hemisphere", "Ipsilesional (left) hemisphere"]
    for title, role in zip(titles, ("contralesional", "ipsilesional"), strict=True):
        press(tab, title)
        plan = getattr(ranked_study(), role)
        point, _ = reading(tab)
        assert np.abs(point - plan.target.center).max() <= 0.5  # rounded to whole mm
        for rank, candidate in enumerate(plan.ranking, start=1):
            page.locator("[data-choose=rank] button").nth(rank - 1).click()
            said = page.inner_text("#view .placed")
            assert said.startswith(f"Placement {rank} of {len(plan.ranking)}: {candidate.verified:.3f} V/m")
            chosen = page.locator("tr.chosen").evaluate_all("rows => rows.map((row) => row.dataset)")
            assert {(row["plan"], row["rank"]) for row in chosen} == {(role, str(rank))}
        tab.shot(folder, f"report-{role}")


def test_a_row_of_the_table_shows_its_placement_in_the_view(tab, folder):
    page = tab.page
    row = page.locator("tr[data-plan=ipsilesional][data-rank='2']").first
    row.locator("td").first.click()
    assert page.inner_text("#view .placed").startswith("Placement 2 of")
    pressed = page.locator("[data-choose=plan] button[aria-pressed=true]").inner_text()
    assert pressed == "Ipsilesional (left) hemisphere"
    assert page.locator("#view button.label.rank[aria-pressed=true]").inner_text() == "2"
    assert -5 < page.locator("#view").bounding_box()["y"] < 500
    tab.shot(folder, "report-row")


def test_the_head_turns_enlarges_and_goes_back_without_a_pointer(tab, folder):
    page = tab.page

    def drawn():
        """The view's pixels, and where the label of the handle lies."""
        return page.evaluate("document.querySelector('.space canvas').toDataURL()")

    def placed():
        box = page.locator("#view .label.handle").bounding_box()
        return np.array([box["x"], box["y"]]) - np.array([space()["x"], space()["y"]])

    def space():
        return page.locator("#view .space").bounding_box()

    page.locator("[data-from=coil]").focus()
    for _ in range(20):  # by Tab, as a person without a mouse
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement === document.querySelector('.space canvas')"):
            break
    canvas = page.locator(".space > canvas")
    assert page.evaluate("document.activeElement === document.querySelector('.space canvas')")
    assert canvas.evaluate("canvas => getComputedStyle(canvas).outlineStyle") == "solid"  # the focus is seen
    tab.shot(folder, "report-focus")
    name = canvas.get_attribute("aria-label")
    assert "Contralesional (right) hemisphere" in name
    assert "Placement 1 of" in name
    assert "arrow keys" in name.lower()
    top, start, here = page.evaluate("scrollY"), drawn(), placed()
    for key, back in (("ArrowLeft", "ArrowRight"), ("ArrowUp", "ArrowDown"), ("+", "-")):
        page.keyboard.press(key)
        assert drawn() != start
        assert np.linalg.norm(placed() - here) > 3.0
        page.keyboard.press(back)
        assert np.linalg.norm(placed() - here) < 1.0
    for key in ("ArrowLeft", "ArrowDown", "+", "ArrowDown"):
        page.keyboard.press(key)
    page.keyboard.press("0")
    assert np.linalg.norm(placed() - here) < 1.0
    assert page.evaluate("scrollY") == top  # keys for the head do not move the page
    press(tab, "Ipsilesional (left) hemisphere")
    assert "Ipsilesional (left) hemisphere" in canvas.get_attribute("aria-label")


def test_the_value_under_the_crossing_point_is_the_computed_field(tab):
    coronal = tab.page.locator(".planes canvas").nth(1)
    press(tab, "Contralesional (right) hemisphere")
    field, head = ranked_study().contralesional.field, tiny_head()
    low = head.scalp.points.min(axis=0) - 3.0
    seen = set()
    for across in (0.3, 0.55, 0.72, 0.8):
        click(coronal, across, 0.4)
        point, words = reading(tab)
        found = re.search(r"\|E\| = ([\d.]+) V/m at 1 A", words)
        if not found:
            continue
        seen.add(found[1])
        voxel = low + 1.5 * np.round((point - low) / 1.5)
        near = voxel + 1.5 * np.stack(np.meshgrid(*[[-1, 0, 1]] * 3), axis=-1).reshape(-1, 3)  # the line rounds to mm
        elements = locate(head.mesh, near)[0]
        values = np.linalg.norm(field.in_elements(elements[elements >= 0]), axis=1)
        assert values.min() - 0.01 <= float(found[1]) <= values.max() + 0.01
    assert len(seen) >= 2


def test_slices_are_linked_and_left_is_left(tab):
    page = tab.page
    axial = page.locator(".planes canvas").nth(0)
    click(axial, 0.25, 0.25)
    point, _ = reading(tab)
    assert point[0] < -20  # the left of the picture is the patient's left
    assert point[1] > 20  # its top the front
    axial.press("ArrowRight")
    assert reading(tab)[0][0] == point[0] + 1
    axial.press("PageUp")
    assert reading(tab)[0][2] == point[2] + 1
    click(page.locator(".planes canvas").nth(2), 0.25, 0.25)
    moved, _ = reading(tab)
    assert moved[0] == point[0] + 1  # a click on the sagittal slice does not move it
    assert moved[1] < -20
    assert moved[2] > 20


def test_the_image_is_bright_on_the_patients_right(tab):
    brightness = """(canvas) => [0.35, 0.65].map((x) => canvas.getContext('2d').getImageData(
        Math.round(x * canvas.width), Math.round(0.7 * canvas.height), 1, 1).data[0])"""
    tab.page.locator("[data-show=field]").uncheck()
    left, right = tab.page.locator(".planes canvas").nth(0).evaluate(brightness)
    assert right > left + 20


def test_the_lesion_is_named_where_it_lies(tab):
    page = tab.page
    press(tab, "Ipsilesional (left) hemisphere")
    low, high = tiny_head().scalp.points.min(axis=0) - 3.0, tiny_head().scalp.points.max(axis=0) + 3.0
    share = (np.array(LESION[0]) - low) / (high - low)
    click(page.locator(".planes canvas").nth(0), share[0], 1 - share[1])
    click(page.locator(".planes canvas").nth(1), share[0], 1 - share[2])
    assert "lesion cavity" in reading(tab)[1]


@pytest.mark.parametrize(
    ("way", "words"),
    [
        ("above", ["Left", "Right", "Front", "Back"]),
        ("left", ["Front", "Back", "Top", "Bottom"]),
        ("right", ["Back", "Front", "Top", "Bottom"]),
        ("front", ["Right", "Left", "Top", "Bottom"]),
    ],
)
def test_the_edges_say_which_side_of_the_patient_is_where(tab, folder, way, words):
    page = tab.page
    page.locator(f"[data-from={way}]").click()
    assert [page.inner_text(f"#view .edge.{edge}") for edge in ("left", "right", "top", "bottom")] == words
    tab.shot(folder, f"report-from-{way}")


def test_from_above_the_right_hemispheres_placements_lie_on_the_right(tab):
    page = tab.page
    page.locator("[data-from=above]").click()
    centre, _ = middle(page.locator("#view .space").bounding_box())
    assert middle(page.locator("#view button.label.rank").first.bounding_box())[0] > centre + 20
    press(tab, "Ipsilesional (left) hemisphere")
    page.locator("[data-from=above]").click()
    assert middle(page.locator("#view button.label.rank").first.bounding_box())[0] < centre - 20


def test_a_click_on_the_brain_moves_the_slices_there(tab):
    page = tab.page
    page.locator("[data-from=above]").click()
    page.locator("[data-show=coil]").uncheck()
    page.locator("[data-show=ranks]").uncheck()
    click(page.locator("#view .space > canvas"), 0.44, 0.58)
    point, _ = reading(tab)
    assert point[0] < -10
    assert point[1] < -5
    assert point[2] > 20


def test_without_webgl_the_slices_still_work_and_the_page_says_so(chromium, report, folder):
    tab = Tab(chromium)
    tab.context.add_init_script(NO_WEBGL)
    tab.page.goto(report.as_uri())
    tab.page.wait_for_selector("html[data-view=ready]", timeout=30_000)
    assert "offers no WebGL" in tab.page.inner_text("#view-absent")
    assert not tab.page.locator("#view .space").is_visible()
    assert not tab.page.get_by_text("Seen from").is_visible()
    press(tab, "Ipsilesional (left) hemisphere")
    assert reading(tab)[0][0] < 0
    tab.shot(folder, "report-without-webgl")
    assert [words for words in tab.complaints if "WebGL" not in words] == []
    tab.context.close()


def test_without_javascript_the_page_reads_on(chromium, report, folder):
    tab = Tab(chromium, java_script_enabled=False)
    tab.page.goto(report.as_uri())
    assert tab.page.get_by_text("need JavaScript, which is off here").is_visible()
    assert not tab.page.locator("#view").is_visible()
    assert tab.page.locator("#contralesional").is_visible()
    tab.shot(folder, "report-without-javascript")
    tab.context.close()


def test_without_a_t1_the_slices_are_cut_through_the_tissues(chromium, tmp_path, folder):
    path = tmp_path / "report.html"
    path.write_text(render(ranked_study()), encoding="utf-8")
    tab = opened(chromium, path)
    assert "slices of the tissues of the mesh" in tab.page.inner_text("#view")
    tab.page.locator("#view").scroll_into_view_if_needed()
    tab.shot(folder, "report-tissues")
    assert tab.complaints == []
    tab.context.close()


def test_the_printed_page_has_no_empty_view(chromium, report):
    tab = opened(chromium, report)
    tab.page.emulate_media(media="print")
    assert not tab.page.locator("#view").is_visible()
    assert tab.page.locator("#contralesional").is_visible()
    tab.context.close()


def test_slices_tell_the_mni_coordinate_of_the_table_on_a_warped_head(chromium, tmp_path):
    """On both sides: what the slices read at the target, and the table's centre of the best placement, by one map."""
    head = warped_head(6.0)
    write_study(replace(ranked_study(), head=head), tmp_path / "PLAN")
    tab = opened(chromium, tmp_path / "PLAN" / "report.html")
    for title, role in (("Contralesional (right) hemisphere", "contralesional"),
                        ("Ipsilesional (left) hemisphere", "ipsilesional")):  # fmt: skip
        press(tab, title)
        plan = getattr(ranked_study(), role)
        _, words = reading(tab)
        told = np.array([float(part) for part in re.search(r"MNI152 \((.*?)\)", words)[1].split(",")])
        exact = head.to_mni(plan.target.center[None])[0]
        assert np.abs(told - exact).max() <= 1.0 + 0.5  # rounded to whole mm
        assert np.abs(exact - plan.target.center).max() > 2.0  # the affine part would be seen
        cells = tab.page.locator(f"tr[data-plan={role}][data-rank='1'] td").all_inner_texts()
        listed = [np.array(list(map(float, re.findall(r"-?\d+", cell)))) for cell in cells]
        center = head.to_mni(plan.best.placement.center[None])[0]
        assert any(len(cell) == 3 and np.abs(cell - center).max() <= 1.5 for cell in listed)
    assert tab.complaints == []
    tab.context.close()
