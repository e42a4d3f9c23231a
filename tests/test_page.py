"""The report page: whole in itself, honest, escaped, and with every placement on it."""

import re
from dataclasses import replace
from html import unescape
from pathlib import Path

import pytest
from tiny_plan import page_of, tiny_plan
from tiny_study import tiny_study

from neuro_field.findings import Finding
from neuro_field.report import page as page_module
from neuro_field.report.beside import beside
from neuro_field.report.page import study_page
from neuro_field.report.words import phrase, said
from neuro_field.store.plans import read_kept

DISCLAIMER = phrase("disclaimer")
WHY = Finding("study-one-target-missing", "stop", {"role": "ipsilesional", "side": "left"})


def without_scripts(page):
    """The page as a browser without JavaScript sees it."""
    return re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)


@pytest.fixture(scope="module")
def page():
    return study_page(read_kept(tiny_plan()))


def test_the_page_asks_nothing_of_any_network(page):
    still = without_scripts(page)
    assert not re.search(r"https?:", still)
    assert not re.search(r"(src|href)\s*=\s*[\"'](?!data:|#)", still)
    assert "@import" not in still
    assert "url(" not in still
    assert still.count("data:image/webp;base64,") == 8
    assert not re.search(r"<script[^>]*src", page)
    assert "default-src 'none'; img-src data:;" in page


def test_without_javascript_the_page_says_why_nothing_turns(page):
    still = without_scripts(page)
    assert "need JavaScript, which is off here" in still
    assert '<section id="view" hidden>' in still


def test_a_plan_without_its_head_says_that_there_is_nothing_to_turn():
    page = unescape(page_of(replace(tiny_study().contralesional, field=None)))
    assert "There is no head to turn here: this plan's folder keeps neither surfaces nor field" in page
    assert "<script" not in page


def test_the_libraries_licence_goes_with_it(page):
    assert "three.js 0.187.0, MIT licence" in page
    room = Path(page_module.__file__).parent / "scripts"
    assert "Permission is hereby granted, free of charge" in (room / "LICENSE-three").read_text()


def test_the_disclaimer_is_on_every_report_word_for_word(page):
    assert DISCLAIMER == (
        "Research software. Not a medical device; not cleared or approved by any authority. Simulated fields are "
        "estimates with patient-specific error. Site, intensity and safety remain the decision of the responsible "
        "physician under an approved protocol."
    )
    assert DISCLAIMER in page
    assert DISCLAIMER in page_of(replace(tiny_study().contralesional, field=None))


def test_the_page_is_not_affiliated_and_claims_no_effect(page):
    assert "not affiliated with, and not, NEURO(R)" in page
    for word in ("proves", "proven", "demonstrates efficacy", "cleared for", "safe to"):
        assert word not in page


def test_the_answer_comes_first_the_own_side_before_the_other(page):
    order = ['class="sheet', "<nav", 'id="answer"', "Read first", 'id="contralesional"', 'id="ipsilesional"',
             'id="why"', 'id="sure"', 'id="ranking"', 'id="notes"', 'id="computed"', 'id="limits"',
             DISCLAIMER]  # fmt: skip
    page = page[page.index("<body>") :].replace(DISCLAIMER, "", 1)  # the card has its own
    places = [page.index(words) for words in order]
    assert places == sorted(places)


def test_every_ranked_placement_of_both_sides_is_listed(page):
    for role in ("contralesional", "ipsilesional"):
        for candidate in getattr(tiny_study(), role).ranking:
            x, y, z = candidate.placement.center
            assert f"({x:.1f}, {y:.1f}, {z:.1f})" in page
            assert f"{candidate.verified:.3f}" in page
    assert page.count("<summary>4×4</summary>") == sum(
        len(getattr(tiny_study(), role).ranking) for role in ("contralesional", "ipsilesional")
    )


def test_trust_marks_are_kept(page):
    for words in ("1 Hz [src]", "Mayka 2006 mean [lit]", "Kakuda 2012", "Di Pino 2014 [src]"):
        assert words in page


def test_what_was_computed_with_is_on_the_page(page):
    for words in ("sha256:0123", "figure8-70mm", "0.275", "iterations", "lesion cavity", "50 % of maximum output"):
        assert words in page
    assert "set for this head" not in page
    wetter = replace(tiny_study(), head=tiny_study().head.with_conductivity({"lesion_cavity": 0.8}))
    assert "set for this head" in page_of(wetter)


def test_names_are_escaped():
    made = tiny_study()
    evil = '<img src="x" onerror=alert(1)>'
    head = replace(made.head, name=evil, provenance={evil: evil})
    preset = replace(made.preset, name=evil, title=evil, frequency=evil, source=evil)
    target = replace(made.contralesional.target, name=evil, source=evil)
    named = replace(made, head=head, preset=preset, contralesional=replace(made.contralesional, target=target))
    page = page_of(named, old_words=(evil,))
    assert "<img src=" not in page.replace('<img alt="', "")
    assert page.count("&lt;img src=") >= 6


def test_a_side_without_a_plan_says_why():
    made = replace(tiny_study(), ipsilesional=None, why={"ipsilesional": WHY})
    assert f"No plan on this side:</strong> {said(WHY)}" in page_of(made)


def test_a_page_without_pictures_says_so():
    remark = Finding("plan-no-pictures", "note")
    page = page_of(tiny_study(), remarks=(remark,))
    assert said(remark) in page
    assert "data:image" not in without_scripts(page)


def test_folders_stay_off_the_page():
    head = replace(tiny_study().head, provenance={"T1": "/home/ward/Patient_Name/T1.nii.gz"})
    page = page_of(replace(tiny_study(), head=head))
    assert "Patient_Name" not in page
    assert "T1.nii.gz" in page


def test_worst_findings_are_read_first_and_notes_stand_below():
    """For each level and role; the sentences of the findings are the page's own."""
    found = (
        Finding("search-stopped-at-rim", "warn", {"radius": 30.0, "role": "ipsilesional", "side": "left"}),
        Finding("study-one-target-missing", "stop", {"role": "bilateral", "side": "both"}),
        Finding("preset-fma-ue", "note", {"fma_ue": 12}),
    )
    page = page_of(replace(tiny_study(), findings=found))
    assert all(said(finding) in page for finding in found)
    rim, lost, note = (page.index(said(finding)) for finding in found)
    assert page.index("Read first") < lost < rim < page.index('id="notes"') < note


def test_a_single_plan_says_its_own_findings():
    plan = tiny_study().contralesional
    on_plan = Finding("search-stopped-at-rim", "warn", {"radius": 30.0})
    on_target = Finding("preset-mep", "note", {"mep": "present"})
    made = replace(plan, findings=(on_plan,), target=replace(plan.target, findings=(on_target,)))
    page = page_of(made)
    assert said(on_plan) in page
    assert said(on_target) in page
    assert page.index("Read first") < page.index(said(on_plan)) < page.index(said(on_target))


def test_statements_stand_side_by_side_and_what_all_have_alike_stands_once():
    rows = beside([["A: x", "B: 1", "B: 2"], ["A: x", "B: 3", "no label"]])
    assert rows == [
        {"label": "A", "cells": [["x"], ["x"]], "same": True},
        {"label": "B", "cells": [["1", "2"], ["3"]], "same": False},
        {"label": "", "cells": [[], ["no label"]], "same": False},
    ]
    assert not beside([["A: x"]])[0]["same"]


def test_the_answers_of_both_hemispheres_stand_in_one_table_and_measures_are_told_once(page):
    """What is measured alike on both sides is said once, below all tables."""
    answer = page[page.index('id="answer"') : page.index('id="view-title"')]
    table = re.search(r'<table class="beside">.*?</table>', answer, flags=re.DOTALL)[0]
    titles = re.findall(r'<th scope="col">(.*?)</th>', table)
    assert titles == ["Contralesional (right) hemisphere", "Ipsilesional (left) hemisphere"]
    handles = re.search(r'<th scope="row">Handle</th><td>(.*?)</td><td>(.*?)</td></tr>', table)
    assert handles[1] != handles[2]
    assert page.count("solved and ranked: ") == 1
    for picture in re.findall(r'<img alt="(.*?)"', page):
        assert "hemisphere: " in picture
        assert re.search(r"points |V/m|cm²", picture)  # what is seen, not that there is a picture
