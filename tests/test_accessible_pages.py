"""Every page that is written, in a real browser: axe-core finds nothing grave, and the report is short."""

import re
from pathlib import Path

import numpy as np
import pytest
from axe import grave_findings
from browser import Tab, browser
from phantoms import phantom_labels
from test_card import kept_of, marked_study
from test_card_in_browser import pages as printed_pages
from test_comparison import another
from test_filled_card import two_days
from test_map_page import made
from tiny_plan import tiny_plan
from tiny_study import ranked_study

import neuro_field as nf
from neuro_field.head.mapping import AffineMapping
from neuro_field.mri.build import build_prepared, prepare_labels
from neuro_field.mri.volume import Volume
from neuro_field.report.coil_pages import CoilFigures, CoilOnPaper, coil_facts, coils_page
from neuro_field.report.comparison import compared, comparison_page
from neuro_field.report.facts import Facts
from neuro_field.report.group_page import Shown, group_page
from neuro_field.report.head_page import head_page
from neuro_field.report.ledger_page import ledger_page
from neuro_field.report.page import card_page
from neuro_field.report.words import LANGUAGES
from neuro_field.shelf.coils import load_coil
from neuro_field.store.plans import read_kept, render

#: Promised of the report: English words outside tables, printed pages.
WORDS, PAGES = 1800, 6

#: What is read of a page outside its tables and pictures.
PROSE = """() => {
  const copy = document.body.cloneNode(true);
  copy.querySelectorAll("table, script, svg, [hidden]").forEach((part) => part.remove());
  for (const part of copy.querySelectorAll("*")) part.append(" ");
  return copy.textContent;
}"""


@pytest.fixture(scope="module")
def chromium():
    with browser() as running:
        yield running


def qc_page(language):
    labels, affine = phantom_labels(6.0)
    world = np.moveaxis(np.indices(labels.shape), 0, -1) @ affine[:3, :3].T + affine[:3, 3]
    ready = prepare_labels(labels, affine, np.linalg.norm(world - [-35, -18, 40], axis=-1) < 18)
    head = build_prepared(ready, 10.0, mapping=AffineMapping(np.eye(4), "identity"), name="phantom")
    return head_page(head, labels=Volume(ready.labels, ready.affine), no_picture="not asked for", language=language)


def paper_coils(language):
    coils = [load_coil(name) for name in ("figure8-70mm", "circular-90mm")]
    return coils_page([CoilOnPaper(c.name, coil_facts(c), CoilFigures.of(c), b"") for c in coils], language)


def compared_plans(language):
    kept = read_kept(tiny_plan())
    return comparison_page(compared([("a", another(kept)), ("b", another(kept, "1"))]), language)


def course(language):
    ledger, study, plan = two_days()
    return ledger_page(ledger, plan, Facts.of(study).head, ["a line"], subject="07", language=language)


def motor_map(language):
    return render(made(nf.sphere_head((70, 80, 90), edge=9.0)), language=language)


def group(language):
    row = {"participant": "sub-01", "session": None, "preset": "p", "coil": "c", "role": "contralesional"}
    rows = [{**row, "field_V_per_m": 0.6}, {**row, "participant": "sub-02", "field_V_per_m": 0.7}]
    maps = [{**row, "file": "m.nii.gz", "space": "MNI152", "kind": "mean", "turned": False, "n": 2}]
    shown = [Shown("sub-01", (), ("sub-01/report.html",), ("preset-mep",))]
    return group_page(shown, rows, maps, {"sub-03": "no T1"}, ["sub-04"], language)


PAGE_OF = {
    "report": lambda language: render(ranked_study(), language=language),
    "card": lambda language: card_page(kept_of(marked_study()), language),
    "qc": qc_page,
    "coils": paper_coils,
    "compare": compared_plans,
    "ledger": course,
    "map": motor_map,
    "group": group,
}


def opened(chromium, page, folder):
    tab = Tab(chromium)
    path = Path(folder) / "page.html"
    path.write_text(page, encoding="utf-8")
    tab.page.goto(path.as_uri())
    if 'id="view-data"' in page:
        tab.page.wait_for_selector("html[data-view=ready]", timeout=30_000)
    return tab


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", PAGE_OF)
def test_nothing_grave_is_found_of_any_page(chromium, tmp_path, name, language):
    tab = opened(chromium, PAGE_OF[name](language), tmp_path)
    tab.page.set_viewport_size({"width": 400, "height": 900})  # on a telephone tables scroll
    assert grave_findings(tab.page) == []
    assert all(picture.strip() for picture in tab.page.eval_on_selector_all("img", "all => all.map((one) => one.alt)"))
    assert tab.page.locator("main").count() == 1
    tab.context.close()


def test_what_is_grave_would_be_found(chromium, tmp_path):
    page = card_page(kept_of(marked_study())).replace("</footer>", '<img src="data:,"><a href="#"></a></footer>')
    tab = opened(chromium, page, tmp_path)
    assert {rule.partition(":")[0] for rule in grave_findings(tab.page)} == {"image-alt", "link-name"}
    tab.context.close()


def test_the_report_says_little_outside_its_tables_and_prints_on_few_pages(chromium, tmp_path):
    tab = opened(chromium, PAGE_OF["report"]("en"), tmp_path)
    assert len([word for word in tab.page.evaluate(PROSE).split() if re.search("[A-Za-z]", word)]) <= WORDS
    assert 1 < printed_pages(tab.page.pdf(prefer_css_page_size=True)) <= PAGES
    for anchor in tab.page.eval_on_selector_all("nav a", "all => all.map((one) => one.hash)"):
        assert tab.page.locator(anchor).count() == 1
    tab.context.close()
