"""Every language says the same: no key without its words, the same numbers, and never the other side."""

import inspect
import re
import string
from dataclasses import replace
from html import unescape
from pathlib import Path

import numpy as np
import pytest
from tiny_plan import page_of, tiny_plan
from tiny_study import tiny_head, tiny_study

from neuro_field.aim.atlas import SITES
from neuro_field.cli import main
from neuro_field.clinic.answers import CONTRAINDICATIONS
from neuro_field.clinic.presets import PRESETS, by_hand
from neuro_field.console import language_of
from neuro_field.errors import InputError
from neuro_field.findings import Finding
from neuro_field.head.tissues import GROUPS, TISSUES
from neuro_field.report.directions import direction_words, offset_words
from neuro_field.report.head_page import head_page
from neuro_field.report.sentences import head_lines, role_title, study_lines
from neuro_field.report.words import LANGUAGES, catalogue, named, phrase, phrases, said, short, worded

LEFT_RIGHT = {"en": ("left", "right"), "ja": ("左", "右")}
JAPANESE = re.compile("[\u3040-\u30ff\u4e00-\u9fff]")
#: Scripts fill in their names themselves.
SCRIPT = "script."


def placeholders(sentence):
    """Names with their formats; what stands in brackets or behind dots counts as the name."""
    fields = string.Formatter().parse(sentence)
    return sorted((name, spec) for _, name, spec, _ in fields if name)


def pairs(kind):
    """Key, English and Japanese of all that are strings in both."""
    english, japanese = kind("en"), kind("ja")
    return [(key, english[key], japanese[key]) for key in sorted(english.keys() & japanese.keys())]


def sentences(language):
    return catalogue(language)[0]


@pytest.mark.parametrize("kind", [sentences, phrases, short])
def test_every_language_has_words_for_the_same_keys(kind):
    for language in LANGUAGES:
        assert kind(language).keys() == kind("en").keys(), language


@pytest.mark.parametrize("kind", [sentences, phrases, short])
def test_languages_ask_for_the_same_values_in_the_same_form(kind):
    """Hemispheres' names may be looked up in one and taken as they are in another, so conversions may differ."""
    wrong = [
        key
        for key, english, japanese in pairs(kind)
        if isinstance(english, str)
        and isinstance(japanese, str)
        and english  # what only Japanese has to say
        and placeholders(english) != placeholders(japanese)
    ]
    assert not wrong


@pytest.mark.parametrize("kind", [sentences, phrases])
def test_no_english_stands_in_for_japanese(kind):
    """But for what is the same in both: units, names of space and of files."""
    same = {"ranking.magnitude", "ranking.mni", "head.volume", "sure.median", "sure.with", "sure.range", "sure.between",
            "sure.v-peak", "landmark.between", "full-stop", "view.image-t1", "script.mni", "script.field",
            "serve.scale", "typed", "ledger.of-target", "study.title", "position.mni", "field.statistic", "axis.custom",
            "given.fma-ue-of", "card.interval", "card.target", "card.typed", "card.pulses", "card.person.id",
            "card.side", "lead.volts"}  # fmt: skip
    bare = [key for key, _, text in pairs(kind) if isinstance(text, str) and not JAPANESE.search(text)]
    assert set(bare) <= same


def test_sides_tissues_sites_and_implants_have_japanese_names():
    names = [tissue.name for tissue in TISSUES] + [*GROUPS, *CONTRAINDICATIONS, "left", "right", "both"]
    names += [site.name for site in SITES] + ["contralesional", "ipsilesional", "bilateral"]
    assert [name for name in names if not JAPANESE.search(named(name, "ja"))] == []
    english = {name for name in catalogue("en")[1] if not re.search(r"^(Magstim|MagPro)", name)}
    assert sorted(name for name in english if not JAPANESE.search(named(name, "ja"))) == []


def test_what_presets_sites_and_tissues_carry_has_its_japanese():
    """Papers keep their names: all but a source with its year, or a number with its mark, is said anew."""
    carried = {getattr(entry, name) for entry in (*PRESETS, by_hand("m1-hand", "figure8-70mm"))
               for name in ("title", "side", "frequency", "pulses", "course", "note", "source")}  # fmt: skip
    carried |= {text for site in SITES for text in (site.title, site.source, site.note, site.current_source)}
    carried |= {tissue.source for tissue in TISSUES}
    as_it_is = re.compile(r"-?|\d+ Hz \[src\]|\[calc\]|Sasaki, KAKEN \d+|(\w+ \d{4}[ \w]*[:\w() =]*;? ?|\[lit\])+")
    missing = {text for text in carried if not as_it_is.fullmatch(text) and not JAPANESE.search(worded(text, "ja"))}
    assert not missing


#: Findings that are said of a side, with values that give their sentences.
OF_A_SIDE = [
    ("target-lost", {"side": "left", "site": "m1-hand", "share": 0.4, "cm3": 1.25, "reach": None}),
    ("target-moved-far", {"side": "left", "site": "m1-hand", "moved": 11.5, "along": 14.0, "least": 10.0}),
    ("target-no-grey", {"side": "left", "site": "m1-leg", "reach": 20.0}),
    ("target-axis-sulcal", {"side": "left", "site": "m1-hand", "degrees": 19.0, "customary": 45.0}),
    ("target-beyond-fissure", {"side": "left", "site": "mask", "cm3": 0.31}),
    ("study-hot-spot-alone", {"side": "left"}),
    ("dose-anchor-stands-in", {"hemisphere": "left", "site": "m1-hand"}),
    ("dose-no-anchor", {"hemisphere": "left", "site": "m1-hand"}),
    ("tape-aside", {"right": -58.0, "front": 4.0}),
    ("tape-electrode", {"right": -12.0, "front": 0.0, "electrode": "C3"}),
    ("tape-hot-spot", {"right": -7.0, "front": 0.0}),
    ("tape-rule", {"aside": 104.0, "front": 32.0, "side": "left", "distance": 9.0}),
    ("tape-off-scalp", {"right": -258.0, "front": 4.0, "origin": "Cz", "field": "hot_spot"}),
    ("intake-hand-contradicts-side", {"hand": "left"}),
    ("lesion-small-other-side", {"other": "left", "cm3": 0.7, "least": 1.0}),
    ("head-open-skull", {"opening_side": "left", "area_cm2": 12.0, "x": 1.0, "y": 2.0, "z": 3.0}),
    ("build-skull-open", {"opening_side": "left", "area_cm2": 12.0, "x": 1.0, "y": 2.0, "z": 3.0, "seen": "t1",
                          "answer": "open"}),
    ("build-image-cuts-head", {"end": "left", "area_cm2": 12.5}),
]  # fmt: skip


def mirrored(values):
    """The same of the other side."""
    other = {"left": "right", "right": "left"}
    out = {name: other.get(value, value) if isinstance(value, str) else value for name, value in values.items()}
    return out | ({"right": -values["right"]} if isinstance(values.get("right"), float) else {})


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("code", "values"), OF_A_SIDE, ids=[code for code, _ in OF_A_SIDE])
def test_what_is_said_of_one_side_never_names_the_other(language, code, values):
    left, right = LEFT_RIGHT[language]
    of_left, of_right = (said(Finding(code, "warn", told), language) for told in (values, mirrored(values)))
    aside = r"左右の耳|左右|Cz 58 right|at a right angle|bright|left out"
    plain = [re.sub(aside, "", text) for text in (of_left, of_right)]
    assert left in plain[0]
    assert right not in plain[0]
    assert right in plain[1]
    assert left not in plain[1]


@pytest.mark.parametrize(("code", "values"), OF_A_SIDE, ids=[code for code, _ in OF_A_SIDE])
def test_both_languages_tell_the_same_numbers(code, values):
    texts = [said(Finding(code, "warn", values), language) for language in LANGUAGES]
    numbers = [sorted(re.findall(r"\d+\.?\d*", text)) for text in texts]
    assert numbers[0] == numbers[1]


@pytest.mark.parametrize(("side", "word", "other"), [("left", "左", "右"), ("right", "右", "左")])
def test_a_hemisphere_stands_with_its_side_and_the_paretic_hand(side, word, other):
    """The spared hemisphere is on the side of the paretic hand, the affected one opposite."""
    assert phrase("role.hemisphere", "ja", role="contralesional", side=side) == f"健側大脳半球 ({word}、麻痺手は{word})"
    assert phrase("role.hemisphere", "ja", role="ipsilesional", side=side) == f"病側大脳半球 ({word}、麻痺手は{other})"
    finding = Finding("preset-recovery-models", "note", {"role": "contralesional", "side": side, "effect": "inhibits"})
    assert f"健側大脳半球 ({word}、麻痺手は{word})" in said(finding, "ja")


def test_an_anchor_names_the_hand_and_the_hemisphere_that_moves_it():
    values = {"percent": 55, "kind": "rMT", "body": "right", "limb": "hand", "muscle": "FDI", "method": "emg",
              "hemisphere": "left", "coil": "figure8-70mm", "anchor": "anchor-pose"}  # fmt: skip
    text = said(Finding("dose-anchored", "note", values), "ja")
    assert "右手の FDI" in text
    assert "左大脳半球" in text
    assert text.count("右") == text.count("左") == 1


def test_a_hand_area_is_its_hemispheres_and_not_the_hands():
    """The right hand area could be taken for the right hand's, which lies on the left."""
    finding = Finding(
        "target-lost", "warn", {"side": "right", "site": "m1-hand", "share": 0.4, "cm3": 1, "reach": None}
    )
    assert "右大脳半球の手の運動野" in said(finding, "ja")
    assert "right-hemisphere hand area" in said(finding)


@pytest.mark.parametrize(("way", "english", "japanese"), [
    ((-1, 0, 0), "to the left (lateral)", "左 (外側)"), ((1, 0, 0), "to the right (medial)", "右 (内側)"),
    ((0, -1, 0), "back", "後ろ"), ((0, 1, 0), "forwards", "前"), ((0, 0, 1), "up", "上"), ((0, 0, -1), "down", "下"),
])  # fmt: skip
def test_directions_are_the_same_in_both_languages(way, english, japanese):
    told = np.array(way, float)
    assert direction_words(told, np.eye(3), "left") == english
    assert direction_words(told, np.eye(3), "left", "ja") == japanese
    assert japanese[0] in offset_words(12 * told, np.eye(3), "C3", "ja")


@pytest.fixture(scope="module")
def page():
    return page_of(tiny_study(), language="ja")


def test_the_japanese_page_is_in_japanese(page):
    """But for what a coil's maker and papers say of it."""
    assert '<html lang="ja">' in page
    assert phrase("disclaimer", "ja") in page
    assert role_title(tiny_study(), "contralesional", "ja") in page
    still = unescape(re.sub(r"<(script|style|pre).*?</\1>", "", page, flags=re.DOTALL))
    for text in (*tiny_study().coil.provenance.values(), *(each.source for each in tiny_study().coil.stimulators)):
        still = still.replace(str(text), "")
    lines = [line for line in re.sub(r"<[^>]*>", "\n", still).splitlines() if re.search(r"([A-Za-z]{3,} ){4}", line)]
    assert not [line for line in lines if not JAPANESE.search(line)]


def test_the_page_of_a_head_is_in_japanese():
    """But for where its map comes from."""
    page = unescape(head_page(tiny_head(), no_picture="", language="ja")).replace(tiny_head().mapping.source, "")
    assert '<html lang="ja">' in page
    assert phrase("qc.question", "ja") in page
    still = re.sub(r"<(script|style|pre).*?</\1>", "", page, flags=re.DOTALL)
    lines = [line for line in re.sub(r"<[^>]*>", "\n", still).splitlines() if re.search(r"([A-Za-z]{3,} ){3}", line)]
    assert not [line for line in lines if not JAPANESE.search(line)]
    terminal = head_lines(tiny_head(), "ja")
    assert all(JAPANESE.search(line) for line in terminal)


def test_the_terminal_speaks_the_language_of_the_study():
    text = "\n".join(study_lines(tiny_study(), "ja"))
    assert text.index("健側大脳半球 (右") < text.index("病側大脳半球 (左")
    assert "最初にお読みください: " in text
    assert "contralesional (" not in text


def test_numbers_on_the_page_are_those_of_the_english_page(page):
    """What differs in a number between the languages would be a mistake in one of them."""

    def numbers(text):
        still = re.sub(r"<(script|style).*?</\1>", "", text, flags=re.DOTALL)
        return set(re.findall(r"\d+\.\d+", re.sub(r"<[^>]*>", " ", still)))

    assert numbers(page) == numbers(page_of(tiny_study()))


def test_a_language_that_there_is_not_is_refused():
    with pytest.raises(InputError, match="en, ja"):
        said(Finding("dose-no-intensity", "warn"), "de")
    with pytest.raises(InputError, match="en, ja"):
        language_of("de")


@pytest.mark.parametrize(("locale", "spoken"), [
    ({"LANG": "ja_JP.UTF-8"}, "ja"), ({"LANG": "en_GB.UTF-8"}, "en"), ({"LANG": "C"}, "en"), ({}, "en"),
    ({"LC_ALL": "C.UTF-8", "LANG": "ja_JP.UTF-8"}, "en"), ({"LC_MESSAGES": "ja", "LANG": "de_DE"}, "ja"),
    ({"LC_ALL": "", "LANG": "ja_JP"}, "ja"), ({"LANG": "jam_JM"}, "en"),
])  # fmt: skip
def test_the_locale_decides_where_nobody_does(monkeypatch, locale, spoken):
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in locale.items():
        monkeypatch.setenv(name, value)
    assert language_of("") == spoken
    assert language_of("en") == "en"


def test_a_typed_frequency_is_said_as_typed():
    made = replace(tiny_study(), preset=replace(tiny_study().preset, frequency="5 Hz, as typed"))
    assert "5 Hz (入力値)" in page_of(made, language="ja")


def test_the_command_line_writes_and_refuses_in_the_language_asked_for(tmp_path, capsys):
    assert main(["report", str(tiny_plan()), "--language", "ja", "-o", str(tmp_path / "page.html")]) == 0
    assert '<html lang="ja">' in (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "レポート: " in capsys.readouterr().out
    asked = ["plan", "example:colin27-stroke", "--preset", "aphasia-1hz", "--rmt", "50", "-o", str(tmp_path / "PLAN")]
    for typed in (["--language", "ja"], ["--language=ja"]):
        assert main([*asked, *typed]) == 2
        assert "失語症の型" in capsys.readouterr().err
    assert main([*asked, "--language", "en"]) == 2
    assert "aphasia-1hz needs the fluency" in capsys.readouterr().err.replace("Aphasia", "aphasia")
    assert main(["report", str(tiny_plan()), "--language", "de", "-o", str(tmp_path / "other.html")]) == 2
    assert "en, ja" in capsys.readouterr().err


def test_stages_are_told_in_japanese():
    """Every stage that is named in the code has its Japanese name."""
    package = Path(inspect.getfile(worded)).parents[2]
    named = re.compile(r'\b(?:say|tell|told|stages?|progress)\(\s*"([^".]+)", ')
    plain = re.compile(r'\.stage\("([^"]+)"\)')
    rooms = ("search", "clinic", "live", "hotspot", "head", "mri", "segment", "store", "commands")
    texts = [path.read_text() for room in rooms for path in sorted((package / room).glob("*.py"))]
    found = {name for text in texts for pattern in (named, plain) for name in pattern.findall(text)}
    assert len(found) > 25
    assert sorted(name for name in found if worded(name, "ja") == name) == []


@pytest.mark.parametrize("typed", [["view", "nowhere"], ["plan", "--nonsense"], ["nonsense"]])
def test_refusals_that_are_english_say_so_in_japanese(typed, capsys, monkeypatch):
    monkeypatch.setenv("LC_ALL", "ja_JP.UTF-8")
    assert main(typed) == 2
    assert "理由は英語" in capsys.readouterr().err
