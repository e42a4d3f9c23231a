"""Plans beside one another: what differs is told, what is of another head is told apart."""

from dataclasses import replace

import pytest
from tests_support import refusal
from tiny_plan import tiny_plan

from neuro_field.cli import main
from neuro_field.report.comparison import COLUMNS, compared, comparison_findings, comparison_page, comparison_table
from neuro_field.report.words import LANGUAGES
from neuro_field.store.plans import read_kept


@pytest.fixture(scope="module")
def kept():
    return read_kept(tiny_plan())


def another(kept, letter="0", **more):
    """The same folder as if it had been written on another day."""
    return replace(kept, digest=letter * 64, **more)


def rows_of(heads):
    table = comparison_table(heads)
    assert table[0] == COLUMNS
    return [dict(zip(COLUMNS, row, strict=True)) for row in table[1:]]


def turned(kept, degrees, along=0.0):
    """With the best placement of the stimulated side turned and moved, as on another day."""
    study = kept.study
    plan = study.contralesional
    best = replace(plan.best, placement=plan.best.placement.moved(along_x=along, turned=degrees))
    return replace(kept.study, contralesional=replace(plan, ranking=(best, *plan.ranking[1:])))


def test_plans_of_one_head_are_measured_against_the_first(kept):
    friday, sunday = another(kept, study=turned(kept, 30.0, 7.0)), another(kept, "1", study=turned(kept, 0.0, 20.0))
    heads = compared([("monday", kept), ("friday", friday), ("sunday", sunday)])
    assert len(heads) == 1
    assert comparison_findings(heads) == ()
    rows = rows_of(heads)
    assert [(row["plan"], row["role"], row["number"], row["stimulated"]) for row in rows] == [
        ("monday", "contralesional", "1", "yes"), ("monday", "ipsilesional", "2", "no"),
        ("friday", "contralesional", "3", "yes"), ("friday", "ipsilesional", "4", "no"),
        ("sunday", "contralesional", "5", "yes"), ("sunday", "ipsilesional", "6", "no"),
    ]  # fmt: skip
    assert {row["from_first_mm"] for row in rows[:2]} == {"n/a"}
    assert float(rows[2]["from_first_mm"]) == pytest.approx(7.0, abs=1e-3)
    assert float(rows[2]["handle_from_first_deg"]) == pytest.approx(30.0, abs=1e-3)
    assert float(rows[4]["from_first_mm"]) == pytest.approx(20.0, abs=1e-3)
    assert float(rows[4]["handle_from_first_deg"]) == pytest.approx(0.0, abs=1e-3)
    assert float(rows[3]["from_first_mm"]) == pytest.approx(0.0, abs=1e-6)
    clock = [float(rows[i]["handle_clock_deg"]) for i in (0, 2)]
    assert (clock[1] - clock[0]) % 360 == pytest.approx(30.0, abs=0.1)
    dose = kept.study.doses["contralesional"]
    assert float(rows[0]["matched"]) == pytest.approx(dose.matched, rel=1e-5)
    assert {row["head"] for row in rows} == {"A"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_plans_of_different_heads_are_told_apart_and_not_measured_against_each_other(kept, language):
    other = another(kept, head_digest={**kept.head_digest, "mesh": "f" * 64})
    unknown = another(kept, "1", head_digest={})
    heads = compared([("one", kept), ("two", other), ("old", unknown)])
    assert [len(plans) for plans in heads] == [2, 2, 2]
    (found,) = comparison_findings(heads)
    assert (found.code, found.level, found.values["heads"]) == ("compare-other-heads", "warn", 3)
    rows = rows_of(heads)
    assert [row["head"] for row in rows] == ["A", "A", "B", "B", "C", "C"]
    assert {row["from_first_mm"] for row in rows} == {"n/a"}
    page = comparison_page(heads, language)
    assert page.count("<table>") == 3
    assert ("3 different heads" in page) == (language == "en")


@pytest.mark.parametrize(("part", "code"), [("tags", "tissues"), ("conductivity", "conductivities")])
def test_other_tissues_and_conductivities_of_one_head_are_said(kept, part, code):
    other = another(kept, head_digest={**kept.head_digest, part: "e" * 64})
    heads = compared([("with", kept), ("without", other)])
    assert [found.code for found in comparison_findings(heads)] == [f"compare-other-{code}"]
    refined = another(kept, head_digest={"mesh": kept.head_digest["mesh"]})
    assert comparison_findings(compared([("one", kept), ("refined", refined)])) == ()


def test_what_cannot_be_compared_is_refused(kept):
    assert "At least two" in refusal(compared, [("one", kept)])
    assert "given twice" in refusal(compared, [("one", kept), ("two", kept)])


def test_names_from_outside_are_escaped(kept):
    page = comparison_page(compared([("<script>x</script>", kept), ("b", another(kept))]))
    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_spots_on_one_another_share_a_mark(kept):
    page = comparison_page(
        compared([("a", kept), ("b", another(kept)), ("c", another(kept, "2", study=turned(kept, 60)))])
    )
    assert ">1,3<" in page
    assert ">5<" in page


def test_the_command_writes_page_and_table_and_overwrites_neither(tmp_path, capsys):
    other = tmp_path / "SECOND"
    other.mkdir()
    text = (tiny_plan() / "plan.json").read_text()
    (other / "plan.json").write_text(text.replace('"subject": "07"', '"subject": "08"'))
    call = ["compare", str(tiny_plan()), str(other), "-o", str(tmp_path / "c.html")]
    assert main(call) == 0
    lines = (tmp_path / "c.tsv").read_text().splitlines()
    assert len(lines) == 5
    assert lines[0].split("\t") == list(COLUMNS)
    assert {len(line.split("\t")) for line in lines} == {len(COLUMNS)}
    assert "SECOND" in (tmp_path / "c.html").read_text()
    assert main(call) == 2
    assert "nothing was overwritten" in capsys.readouterr().err
    assert main([*call[:-1], str(tmp_path / "d.tsv")]) == 2
    assert "names the page" in capsys.readouterr().err
