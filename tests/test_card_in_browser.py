"""The operator's card in a real browser: one A4 page, nothing clipped, no glyph missing, few words."""

import re
from dataclasses import replace
from itertools import product

import pytest
from browser import Tab, browser, picture_folder
from test_card import NAMES, card_study, kept_of
from test_short_words import CODES, long_values

from neuro_field.findings import Finding
from neuro_field.head.sign_off import LONGEST
from neuro_field.report.page import card_page, study_page
from neuro_field.report.words import LANGUAGES, said_short

#: A4 in CSS pixels.
WIDTH, HEIGHT = 794, 1123

#: What a card may hold at most: words of English, letters of Japanese (figures and Latin names are none).
MOST = {"en": 300, "ja": 900}

#: What is larger than its box, or reaches beyond the sheet.
CLIPPED = """() => {
  const out = [];
  for (const part of document.querySelectorAll(".sheet, .sheet *")) {
    const box = part.closest(".sheet").getBoundingClientRect();
    const is = part.getBoundingClientRect(), name = part.tagName + "." + (part.className.baseVal ?? part.className);
    if (is.right > box.right + 1 || is.bottom > box.bottom + 1 || is.left < box.left - 1 || is.top < box.top - 1)
      out.push(name + " beyond the sheet");
    if (part.clientHeight && !(part instanceof SVGElement)
        && (part.scrollHeight > part.clientHeight + 1 || part.scrollWidth > part.clientWidth + 1))
      out.push(name + " overflows");
    const svg = part.ownerSVGElement?.getBoundingClientRect();
    if (svg && (is.left < svg.left - 1 || is.right > svg.right + 1
        || is.top < svg.top - 1 || is.bottom > svg.bottom + 1))
      out.push(name + " " + part.textContent + " beyond its picture");
  }
  return out;
}"""

#: Letters that are drawn as what no font has.
MISSING = """() => {
  const canvas = document.createElement("canvas"), pen = canvas.getContext("2d", {willReadFrequently: true});
  canvas.width = canvas.height = 40;
  const drawn = (letter) => {
    pen.clearRect(0, 0, 40, 40);
    pen.font = "24px " + getComputedStyle(document.querySelector(".sheet")).fontFamily;
    pen.fillText(letter, 4, 30);
    return pen.getImageData(0, 0, 40, 40).data.join();
  };
  const none = drawn("\\u{10FFFD}");
  const text = [...document.querySelectorAll(".sheet")].map((sheet) => sheet.textContent).join("");
  return [...new Set(text)].filter((letter) => letter.trim() && drawn(letter) === none);
}"""


@pytest.fixture(scope="module")
def chromium():
    with browser() as running:
        yield running


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return picture_folder(tmp_path_factory.mktemp("cards"))


@pytest.fixture(scope="module")
def tab(chromium):
    made = Tab(chromium)
    yield made
    made.context.close()


def longest(language, count=14):
    """The longest stops and warnings there are, some of one side."""
    found = [Finding(code, "warn", next(long_values(code, language))) for code in CODES]
    found.sort(key=lambda finding: -len(said_short(finding, language)))
    sides = ({"role": "contralesional", "side": "right"}, {"role": "ipsilesional", "side": "left"}, {})
    return tuple(
        Finding(each.code, "stop" if i < 2 else "warn", {**each.values, **sides[i % 3]})
        for i, each in enumerate(found[:count])
    )


def shown(tab, page, path):
    """The card in the browser; its PDF."""
    path.write_text(page, encoding="utf-8")
    tab.page.set_viewport_size({"width": WIDTH, "height": HEIGHT})
    tab.page.goto(path.as_uri())
    return tab.page.pdf(prefer_css_page_size=True)


def pages(pdf):
    return len(re.findall(rb"/Type\s*/Page[^s]", pdf))


def sizes(tab, language):
    """Words of English, letters of Japanese, on each card but in its pictures."""
    texts = tab.page.evaluate("""() => [...document.querySelectorAll(".sheet")].map((sheet) => {
      const copy = sheet.cloneNode(true);
      copy.querySelectorAll("svg").forEach((picture) => picture.remove());
      for (const part of copy.querySelectorAll("*")) part.append(" ");
      return copy.textContent;
    })""")
    if language == "en":
        return [len([word for word in text.split() if re.search("[A-Za-z]", word)]) for text in texts]
    return [len(re.sub(r"[\s!-~]", "", text)) for text in texts]


def sheet_of(page):
    """The card of a page that begins with one."""
    return page[page.index('<section class="sheet') : page.index("</footer>")] + "</footer>\n</section>"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_card_is_one_page_with_the_longest_warnings(tab, folder, language):
    """Of all presets and sides, one after another: as many pages as cards."""
    findings, cards = longest(language), []
    for name, affected in product(NAMES, ("left", "right")):
        study = card_study(name, affected, findings=findings)
        study = replace(study, coil=replace(study.coil, name="coil-" + 75 * "x"))
        if affected == "left":  # the longest names, with letters that no limit counts
            signed = {"en": "漢", "ja": "M"}[language] * LONGEST
            study = replace(study, head=study.head.signed(signed, "2030-01-02T03:04Z"))
        cards.append(card_page(kept_of(study, subject=80 * "W"), language))
    first, sheets = cards[0], [sheet_of(card) for card in cards]
    assert pages(shown(tab, first, folder / f"card-{language}.html")) == 1
    tab.shot(folder, f"card-{language}")
    pdf = shown(tab, first.replace(sheets[0], "".join(sheets)), folder / f"cards-{language}.html")
    assert pages(pdf) == len(cards) == tab.page.locator(".sheet").count()
    assert b"/MediaBox [0 0 59" in pdf
    assert tab.page.evaluate(CLIPPED) == []
    assert tab.page.evaluate(MISSING) == []
    assert max(sizes(tab, language)) <= MOST[language]
    assert tab.complaints == []


def test_what_is_clipped_or_missing_would_be_seen(tab, folder):
    """The test's own eyes: a box too small, a letter that no font has, a second page."""
    page = card_page(kept_of(card_study(NAMES[0], "left", findings=longest("en"))))
    shown(tab, page.replace("Operator", "\U0010fffc"), folder / "wrong.html")
    assert tab.page.evaluate(MISSING) == ["\U0010fffc"]
    shown(tab, page.replace("9.5pt/1.3", "14pt/1.5"), folder / "wrong.html")
    assert tab.page.evaluate(CLIPPED)
    assert pages(shown(tab, page.replace("</body>", "<p>more</p></body>"), folder / "wrong.html")) == 2


def test_the_report_begins_with_the_card_on_a_page_of_its_own(tab, folder):
    study = card_study(NAMES[0], "left")
    page = study_page(kept_of(study))
    assert sheet_of(card_page(kept_of(study))) == sheet_of(page)
    pdf = shown(tab, page, folder / "card-in-page.html")
    assert tab.page.evaluate(CLIPPED) == []
    alone = re.sub(r"(?s)(<body>.*?</footer>\s*</section>).*?</body>", r"\1</body>", page)
    assert pages(shown(tab, alone, folder / "first.html")) == 1
    assert pages(pdf) > 1
