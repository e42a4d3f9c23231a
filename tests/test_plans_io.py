"""Plans on the disk: what is written is read again, whole or not at all, and damage gets one line."""

import csv
import io
import json
from dataclasses import fields, is_dataclass, replace
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from PIL import Image
from tiny_study import tiny_study

from neuro_field.clinic.study import Study
from neuro_field.coil.coil import Coil
from neuro_field.errors import FileFormatError, InputError
from neuro_field.report.opengl import PictureError
from neuro_field.search.plan import Plan
from neuro_field.store import plans
from neuro_field.store.plan_records import record_of
from neuro_field.store.plan_schema import plan_schema
from neuro_field.store.plans import read_plan, write_study

FORGOTTEN = ("head", "field", "response", "followed")


def a_picture():
    """A PNG of one pixel."""
    out = io.BytesIO()
    Image.new("RGB", (1, 1)).save(out, "png")
    return out.getvalue()


def no_pictures(study):
    raise PictureError("no OpenGL here")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("plans") / "PLAN"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plans, "study_pictures", lambda study: {"contralesional_side": a_picture()})
        write_study(tiny_study(), path)
    return path


def assert_same(given, read, where=""):
    """Equal in everything but head and field; arrays to rounding, for directions are made unit again."""
    if isinstance(given, Coil):
        assert given.name == read.name, where
        assert given.didt_max == read.didt_max, where
    elif is_dataclass(given):
        assert type(given) is type(read), where
        for entry in fields(given):
            if entry.name not in FORGOTTEN:
                assert_same(getattr(given, entry.name), getattr(read, entry.name), f"{where}.{entry.name}")
    elif isinstance(given, np.ndarray):
        assert np.allclose(given, read, rtol=1e-14, atol=1e-14), where
    elif isinstance(given, dict):
        assert dict(given).keys() == dict(read).keys(), where
        for key in given:
            assert_same(given[key], read[key], f"{where}[{key}]")
    elif isinstance(given, tuple | list):
        assert len(given) == len(read), where
        for i, (one, other) in enumerate(zip(given, read, strict=True)):
            assert_same(one, other, f"{where}[{i}]")
    else:
        assert given == read, where


def test_a_study_is_read_as_it_was_written(folder):
    read = read_plan(folder)
    assert isinstance(read, Study)
    assert_same(tiny_study(), read)
    assert read.head is None
    assert read.contralesional.field is None
    assert read.best.placement.center[0] > 0


def test_the_folder_holds_plan_table_report_and_pictures(folder):
    assert sorted(path.name for path in folder.iterdir()) == ["pictures", "plan.json", "plan.tsv", "report.html"]
    assert [path.name for path in (folder / "pictures").iterdir()] == ["contralesional_side.png"]


def test_the_record_is_versioned_plain_json_without_the_lesion_or_head_images(folder):
    record = json.loads((folder / "plan.json").read_text())
    assert (record["schema"], record["version"], record["kind"]) == ("neuro_field/plan", 2, "study")
    assert record["coil"]["shelf"] == "figure8-70mm"
    best = record["plans"]["contralesional"]["ranking"][0]
    assert np.allclose(-np.array(best["head_from_coil"])[:3, 1], best["handle_direction"])
    assert "not a medical device" in record["disclaimer"].lower()


def test_the_table_has_one_row_per_ranked_placement_with_its_pose(folder):
    with (folder / "plan.tsv").open(newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    made = tiny_study()
    assert len(rows) == len(made.contralesional.ranking) + len(made.ipsilesional.ranking)
    assert rows[0]["role"] == "contralesional"
    assert rows[0]["side"] == "right"
    matrix = np.array([[float(rows[0][f"head_from_coil_{i}{j}"]) for j in range(4)] for i in range(4)])
    assert np.allclose(matrix, made.best.placement.head_from_coil, atol=1e-6)  # six decimals
    assert float(rows[0]["handle_x"]) == pytest.approx(-matrix[0, 1], abs=1e-6)
    assert float(rows[0]["solved_V_per_m"]) == pytest.approx(made.best.verified, abs=1e-6)
    assert rows[-1]["role"] == "ipsilesional"
    assert float(rows[-1]["center_x_mm"]) < 0


def test_a_bare_plan_is_written_and_read_too_and_again(tmp_path):
    plan = replace(tiny_study().ipsilesional, field=None)
    write_study(plan, tmp_path / "a")
    read = read_plan(tmp_path / "a")
    assert isinstance(read, Plan)
    assert_same(plan, read)
    write_study(read, tmp_path / "b")
    assert_same(read, read_plan(tmp_path / "b"))


def test_a_coil_that_is_not_on_the_shelf_is_left_out(tmp_path):
    plan = tiny_study().ipsilesional
    plan = replace(plan, field=None, coil=replace(plan.coil, provenance={}))
    write_study(plan, tmp_path / "a")
    assert read_plan(tmp_path / "a").coil is None


def test_a_shelf_coil_that_now_induces_the_other_way_is_left_out(tmp_path):
    plan = tiny_study().ipsilesional
    write_study(replace(plan, field=None, coil=plan.coil.reversed_current()), tmp_path / "a")
    assert read_plan(tmp_path / "a").coil is None


def test_without_opengl_the_report_is_written_and_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(plans, "study_pictures", no_pictures)
    write_study(tiny_study(), tmp_path / "PLAN")
    assert "No pictures:</strong> no OpenGL here" in (tmp_path / "PLAN" / "report.html").read_text()
    assert not (tmp_path / "PLAN" / "pictures").exists()


def test_a_folder_that_holds_something_is_refused_and_left_alone(folder):
    before = (folder / "plan.json").read_bytes()
    with pytest.raises(InputError, match="not empty"):
        write_study(tiny_study(), folder)
    assert (folder / "plan.json").read_bytes() == before


def test_nothing_half_written_is_left_behind(tmp_path, monkeypatch):
    def fail(*args, **keywords):
        raise OSError("the disk is full")

    monkeypatch.setattr(plans, "study_pictures", no_pictures)
    monkeypatch.setattr(plans, "study_page", fail)
    with pytest.raises(OSError, match="disk is full"):
        write_study(tiny_study(), tmp_path / "PLAN")
    assert list(tmp_path.iterdir()) == []


def damage(path, change):
    record = json.loads((path / "plan.json").read_text())
    change(record)
    return record


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda r: r.update(schema="other"), "no plan of neuro_field"),
        (lambda r: r.update(version=1), "reads version 2"),
        (lambda r: r.pop("answers"), "'answers' is missing"),
        (lambda r: r["plans"]["contralesional"]["ranking"][0].pop("strength"), "'strength' is missing"),
        (lambda r: r["plans"]["contralesional"].update(ranking=[]), "at least one placement"),
        (lambda r: r["plans"]["contralesional"]["ranking"][0].update(verified="high"), "'verified' must be"),
        (lambda r: r["plans"]["contralesional"]["ranking"][0]["head_from_coil"][0].__setitem__(0, 7.0), "scaled"),
        (lambda r: r["plans"]["contralesional"]["ranking"][0].update(head_from_coil=[[1, 2], [3]]), "shape"),
        (lambda r: r["plans"]["contralesional"].update(strengths=[1.0]), "'strengths' must be finite numbers"),
        (lambda r: r["plans"]["contralesional"]["target"].update(center=[1, None, 2]), "'center' must be"),
        (lambda r: r["plans"]["contralesional"]["report"].update(placements=-1), "'placements' must be a whole"),
        (lambda r: r["answers"].update(lesion_side="up"), "lesion_side"),
        (lambda r: r.update(plans=[]), "JSON object"),
        (lambda r: r.update(warnings=[1]), "'warnings' must be"),
    ],
)
def test_a_damaged_record_gets_one_line_naming_the_entry(folder, tmp_path, change, says):
    (tmp_path / "plan.json").write_text(json.dumps(damage(folder, change)))
    with pytest.raises(FileFormatError, match=says) as caught:
        read_plan(tmp_path)
    assert "\n" not in str(caught.value)
    assert "plan.json" in str(caught.value)


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, '{"schema": NaN}', "\udcff", "[]", "1e999"])
def test_text_that_is_no_plan_gets_one_line(tmp_path, text):
    (tmp_path / "plan.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(FileFormatError, match=r"plan\.json") as caught:
        read_plan(tmp_path)
    assert "\n" not in str(caught.value)


def test_a_place_without_a_plan_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="no folder"):
        read_plan(tmp_path / "nowhere")
    with pytest.raises(FileFormatError, match=r"plan\.json is missing"):
        read_plan(tmp_path)


def test_a_file_too_large_for_a_plan_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr(plans, "LARGEST", 10)
    (tmp_path / "plan.json").write_text(" " * 11)
    with pytest.raises(FileFormatError, match="at most"):
        read_plan(tmp_path)


def test_only_studies_and_plans_are_written(tmp_path):
    with pytest.raises(InputError, match="must be a Study or Plan"):
        write_study("plan", tmp_path / "x")


def test_the_record_obeys_the_published_schema(folder):
    published = json.loads((Path(plans.__file__).parent / "plan.schema.json").read_text(encoding="utf-8"))
    assert published == plan_schema()  # python -m neuro_field.store.plan_schema writes it
    check = jsonschema.Draft202012Validator(published)
    record = json.loads((folder / "plan.json").read_text(encoding="utf-8"))
    check.validate(record)
    for change in (
        lambda r: r["plans"]["contralesional"]["ranking"][0].pop("metrics"),
        lambda r: r["doses"]["contralesional"].update(matched="high"),
        lambda r: r.update(kind="plan"),
        lambda r: r["plans"].update(ipsilesional=3),
    ):
        assert not check.is_valid(damage(folder, change))


def test_a_single_plan_obeys_the_schema_too(tmp_path):
    record = json.loads(json.dumps(record_of(tiny_study().contralesional)))
    stamp = {"written": "", "neuro_field": "", "disclaimer": ""}
    jsonschema.Draft202012Validator(plan_schema()).validate(record | stamp)


def test_the_same_input_gives_the_same_record_times_aside():
    def record(study):
        made = record_of(study)
        for plan in made["plans"].values():
            if plan is not None:
                del plan["report"]["seconds"], plan["report"]["peak_memory"]
        return json.dumps(made)

    assert record(tiny_study.__wrapped__()) == record(tiny_study())
