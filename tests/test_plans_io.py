"""Plans on the disk: what is written is read again, whole or not at all, and damage gets one line."""

import csv
import gzip
import json
import re
from dataclasses import fields, is_dataclass, replace
from pathlib import Path

import jsonschema
import msgspec
import numpy as np
import pytest
from tests_support import all_threads, computing_in
from tiny_plan import ROLES, timeless, tiny_plan, warped_head
from tiny_study import tiny_head, tiny_study

from neuro_field.aim.target import Target
from neuro_field.clinic.presets import PRESETS
from neuro_field.clinic.study import Study
from neuro_field.coil.coil import Coil
from neuro_field.errors import FileFormatError, InputError
from neuro_field.findings import Finding
from neuro_field.io.digest import fingerprint
from neuro_field.report.interactive import mni_map, view_of
from neuro_field.report.opengl import PictureError
from neuro_field.report.words import said
from neuro_field.search.plan import Plan
from neuro_field.shelf.coils import load_coil
from neuro_field.store import plan_structs, plans, view_structs
from neuro_field.store.plan_records import LEFT_OUT, NOUNS, file_of, preset_from, preset_record
from neuro_field.store.plan_schema import plan_schema
from neuro_field.store.plan_tables import zone_table
from neuro_field.store.plans import read_kept, read_plan, render, write_studies, write_study

FORGOTTEN = ("head", "field", "response", "followed")

#: Made by tests/make_version2_plan.py.
VERSION2 = Path(__file__).parent / "version2_plan.json"


def no_pictures(study, face=None):
    raise PictureError("no OpenGL here")


@pytest.fixture(scope="module")
def folder():
    return tiny_plan()


@pytest.fixture
def version2(tmp_path):
    made = tmp_path / "OLD"
    made.mkdir()
    (made / "plan.json").write_bytes(VERSION2.read_bytes())
    return made


def assert_same(given, read, where=""):
    """Equal in everything but head and field; arrays to rounding, for directions are made unit again."""
    if isinstance(given, Coil):
        assert given.name == read.name, where
        assert given.didt_max == read.didt_max, where
        assert given.symmetry == read.symmetry, where
    elif is_dataclass(given):
        assert type(given) is type(read), where
        for entry in fields(given):
            if entry.name not in FORGOTTEN:
                assert_same(getattr(given, entry.name), getattr(read, entry.name), f"{where}.{entry.name}")
    elif isinstance(given, np.ndarray):
        assert np.allclose(given, read, rtol=1e-14, atol=1e-14), where
    elif isinstance(given, dict):
        names = [key.replace(" ", "-") for key in given]
        assert names == list(read), where
        for key, name in zip(given, names, strict=True):
            assert_same(given[key], read[name], f"{where}[{key}]")
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


def test_the_folder_holds_plan_view_table_report_and_pictures(folder):
    names = ["pictures", "plan.json", "plan.tsv", "report.html", "view.json.gz", "zone.tsv"]
    assert sorted(path.name for path in folder.iterdir()) == names
    assert len(list((folder / "pictures").iterdir())) == 8


def test_the_record_is_versioned_plain_json_of_the_whole_plan(folder):
    record = json.loads((folder / "plan.json").read_text())
    assert (record["schema"], record["version"], record["kind"]) == ("neuro_field/plan", 3, "study")
    assert (record["subject"], record["coil"]["name"]) == ("07", "figure8-70mm")
    best = record["plans"]["contralesional"]["ranking"][0]
    assert np.allclose(-np.array(best["head_from_coil"])[:3, 1], best["handle_direction"])
    assert record["status"] == "research-software-not-a-medical-device"
    assert record["head"]["digest"]["mesh"] == tiny_head().mesh.digest
    assert record["plans"]["ipsilesional"]["target"]["recipe"]["kind"] == "site"
    assert record["plans"]["contralesional"]["field"]["solve"]["nodes"] == len(tiny_head().mesh.nodes)


# ---- the page from the folder alone


def without_date(page):
    return re.sub(r"(Plan( [0-9a-f]{4}|-[0-9a-f]{4})+, )?\d{4}-\d\d-\d\d \d\d:\d\d UTC", "", page)


def test_the_page_is_made_again_from_the_folder_alone(folder, monkeypatch):
    """Neither a head nor a solve: both are out of reach."""
    from neuro_field.field.solver import Solver
    from neuro_field.head.model import HeadModel

    def refuse(*args, **keywords):
        raise AssertionError("the page needed more than the folder")

    monkeypatch.setattr(Solver, "__init__", refuse)
    monkeypatch.setattr(HeadModel, "__post_init__", refuse)
    page = render(folder)
    assert page == (folder / "report.html").read_text(encoding="utf-8")
    for words in ("C4", "MNI152", "Strongest field", "iterations to a relative residual", 'id="view-data"'):
        assert words in page


@pytest.mark.parametrize("role", ["contralesional", "ipsilesional"])
def test_the_page_of_a_plan_in_memory_is_that_of_its_folder(role, tmp_path, monkeypatch):
    monkeypatch.setattr(plans, "study_pictures", no_pictures)
    made = getattr(tiny_study(), role)
    write_study(made, tmp_path / "PLAN")
    assert without_date(render(made)) == without_date(render(tmp_path / "PLAN"))


@pytest.mark.parametrize(
    ("kind", "language", "says"), [("poster", "en", "page, card"), ("page", "xx", "en"), ("card", "xx", "en")]
)
def test_only_what_there_is_can_be_rendered(folder, kind, language, says):
    with pytest.raises(InputError, match=says):
        render(folder, kind=kind, language=language)


def test_a_damaged_view_or_picture_gets_one_line(folder, tmp_path, monkeypatch):
    for name, data, says in (
        ("view.json.gz", b"no gzip", "damaged"),
        ("view.json.gz", gzip.compress(b"{}"), "missing required field"),
        ("view.json.gz", gzip.compress(b" " * 2000), "unpacks to more"),
        ("pictures/contralesional_side.png", b"no picture", "damaged"),
    ):
        copy = tmp_path / f"{len(list(tmp_path.iterdir()))}"
        (copy / "pictures").mkdir(parents=True)
        (copy / "plan.json").write_bytes((folder / "plan.json").read_bytes())
        (copy / name).write_bytes(data)
        monkeypatch.setattr(plans, "LARGEST_UNPACKED", 1000)
        with pytest.raises(FileFormatError, match=says) as caught:
            render(copy)
        assert "\n" not in str(caught.value)


def test_packed_numbers_are_not_unpacked_beyond_their_shape():
    from neuro_field.report.interactive import packed, unpacked

    small = packed(np.zeros(4, dtype=np.uint16))
    assert unpacked(small).tolist() == [0, 0, 0, 0]
    for shape in ([3], [5], [100_000_000, 100_000_000]):
        with pytest.raises(FileFormatError):
            unpacked(small | {"shape": shape})


def test_slices_and_tables_tell_one_mni_coordinate():
    """What the page's slices tell is within 1 mm of the head's own map, all over the head, where a warp pushes 6 mm."""
    head = warped_head(6.0)
    view = view_of(head, {})
    points = np.concatenate([head.mesh.nodes[::7], head.scalp.points])
    exact = head.to_mni(points)
    assert np.linalg.norm(mni_map(view["mni"])(points) - exact, axis=1).max() < 1.0
    assert np.linalg.norm(points - exact, axis=1).max() > 3.0  # the affine part alone is off


# ---- no sentences


def strings_of(schema, found, path=""):
    """Every place of a schema that may hold a text."""
    if isinstance(schema, dict):
        if schema.get("type") == "string":
            found[path] = schema
        for key, entry in schema.items():
            strings_of(entry, found, f"{path}.{key}")
        names = schema.get("propertyNames")
        if "additionalProperties" in schema and isinstance(schema["additionalProperties"], dict):
            found[f"{path}.keys"] = names or {}
    elif isinstance(schema, list):
        for entry in schema:
            strings_of(entry, found, path)


@pytest.mark.parametrize("schema", [plan_schema(), msgspec.json.schema(view_structs.View)], ids=["plan", "view"])
def test_every_text_of_the_schema_is_one_of_a_few_or_has_a_pattern(schema):
    found = {}
    strings_of(schema, found)
    assert len(found) >= 3
    for path, entry in found.items():
        assert "pattern" in entry or "enum" in entry, path


def texts(record, path="$"):
    """Every text of a record, keys included, with its place."""
    if isinstance(record, str):
        yield path, record
    elif isinstance(record, dict):
        for key, entry in record.items():
            yield f"{path}.{key}", key
            yield from texts(entry, f"{path}.{key}")
    elif isinstance(record, list):
        for i, entry in enumerate(record):
            yield from texts(entry, f"{path}[{i}]")


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
def test_no_preset_puts_a_sentence_into_a_plan(preset):
    """A text with spaces is a citation with its mark; the preset is the same when it is read again."""
    facts_of = plans.Facts.of(tiny_study())
    made = file_of(replace(tiny_study(), preset=preset), facts_of, None, subject="a b", remarks=())
    for path, text in texts(msgspec.to_builtins(made)):
        assert " " not in text or re.search(r"\[(src|lit|calc)", text), path
    record = msgspec.convert(preset_record(preset), plan_structs.PresetRecord)
    assert preset_from(record) == preset


def test_a_sentence_is_refused_wherever_it_stands(folder):
    """In every text of a plan that is no choice of a few."""
    record = json.loads((folder / "plan.json").read_text())
    sentence = "This is a sentence about the plan."
    for path, _ in texts({key: record[key] for key in ("subject", "coil", "head", "preset", "answers", "lesion")}):
        parts = path.split(".")[1:]
        holder = json.loads(json.dumps(record))
        place = holder
        for part in parts[:-1]:
            if "[" in part or part not in place:
                break
            place = place[part]
        else:
            if isinstance(place.get(parts[-1]), str):
                place[parts[-1]] = sentence
                with pytest.raises(msgspec.ValidationError):
                    msgspec.convert(holder, plan_structs.PlanFile | plan_structs.StudyFile)


@pytest.mark.parametrize(("record", "noun"), NOUNS.items(), ids=lambda each: each.__name__)
def test_every_field_of_a_noun_is_in_its_record_or_left_out_for_a_reason(record, noun):
    names, left_out = {entry.name for entry in fields(noun)}, set(LEFT_OUT.get(noun, ()))
    entries = set(record.__struct_fields__)
    assert names - left_out <= entries, f"{noun.__name__} has fields that {record.__name__} does not"
    assert left_out <= names
    assert not left_out & (entries - {"field"})


# ---- tables


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


def test_the_table_says_whose_it_is_and_the_dose_of_each_side(folder):
    with (folder / "plan.tsv").open(newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    for row in rows:
        side = {"contralesional": "right", "ipsilesional": "left"}[row["role"]]
        assert (row["subject"], row["preset"], row["coil"]) == ("07", "contralesional-1hz-hand", "figure8-70mm")
        assert row["target"] == f"{side}-m1-hand"
        assert row["matched_percent"] == f"{tiny_study().doses[row['role']].matched:.6f}"


@pytest.mark.parametrize("role", ROLES)
def test_the_zones_poses_are_a_table_best_first(role):
    plan = getattr(tiny_study(), role)
    with (tiny_plan() / "zone.tsv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file, delimiter="\t") if row["role"] == role]
    assert len(rows) == len(plan.zone.poses)
    assert {row["side"] for row in rows} == {plan.target.side}
    shares = np.array([float(row["share_of_best"]) for row in rows])
    assert shares[0] == 1.0
    assert shares.min() >= plan.zone.kept - 1e-6
    poses = np.array([[float(row[f"head_from_coil_{i}{j}"]) for i in range(4) for j in range(4)] for row in rows])
    assert poses.reshape(-1, 4, 4) == pytest.approx(plan.zone.poses, abs=1e-6)
    here = np.flatnonzero((plan.zone.cells[: len(rows), :2] == 0).all(axis=1))
    angles = (np.array([float(row["angle_deg"]) for row in rows])[here] + 180) % 360 - 180
    assert plan.zone.handle_low - 1e-6 <= angles.min() < angles.max() <= plan.zone.handle_high + 1e-6
    handles = np.array([[float(row[f"handle_{axis}"]) for axis in "xyz"] for row in rows])
    assert handles == pytest.approx(-plan.zone.poses[:, :3, 1], abs=1e-6)


def test_a_plan_without_a_zone_has_no_table_of_it():
    made = tiny_study()
    bare = replace(made, **{role: replace(plan, zone=None) for role, plan in made.plans.items()})
    assert zone_table(bare, "01") == ""
    one = replace(made, ipsilesional=replace(made.ipsilesional, zone=None))
    assert {line.split("\t")[4] for line in zone_table(one, "01").splitlines()[1:]} == {"contralesional"}


def test_several_studies_lie_in_a_folder_each_with_one_index(tmp_path, monkeypatch):
    monkeypatch.setattr(plans, "study_pictures", no_pictures)
    made = {"hand_figure8-70mm": tiny_study(), "point_figure8-70mm": tiny_study().ipsilesional}
    write_studies(made, tmp_path / "OUT", subject="09")
    assert sorted(path.name for path in (tmp_path / "OUT").iterdir()) == sorted([*made, "index.tsv"])
    with (tmp_path / "OUT" / "index.tsv").open(newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    assert [(row["folder"], row["role"], row["own"]) for row in rows] == [
        ("hand_figure8-70mm", "contralesional", "yes"), ("hand_figure8-70mm", "ipsilesional", "no"),
        ("point_figure8-70mm", "n/a", "yes"),
    ]  # fmt: skip
    assert {row["subject"] for row in rows} == {"09"}
    assert_same(tiny_study(), read_plan(tmp_path / "OUT" / "hand_figure8-70mm"))
    with pytest.raises(InputError, match="not empty"):
        write_studies(made, tmp_path / "OUT")
    with pytest.raises(InputError, match="name of a folder of its own"):
        write_studies({"../x": tiny_study()}, tmp_path / "OTHER")
    assert not (tmp_path / "OTHER").exists()


# ---- coils


def test_a_bare_plan_is_written_and_read_too_and_again(tmp_path):
    plan = replace(tiny_study().ipsilesional, field=None)
    write_study(plan, tmp_path / "a")
    read = read_plan(tmp_path / "a")
    assert isinstance(read, Plan)
    assert_same(plan, read)
    write_study(read, tmp_path / "b")
    assert_same(read, read_plan(tmp_path / "b"))


@pytest.mark.parametrize("change", [lambda coil: replace(coil, provenance={}), lambda coil: coil.reversed_current()])
def test_a_coil_that_is_not_the_shelfs_is_read_from_the_folder(tmp_path, change):
    """One of unknown source, and one of the shelf's name that induces the other way."""
    plan = tiny_study().ipsilesional
    coil = change(plan.coil)
    write_study(replace(plan, field=None, coil=coil), tmp_path / "a")
    read = read_plan(tmp_path / "a").coil
    assert read is not None
    points = np.array([[0.0, 10.0, 30.0], [20.0, -15.0, 40.0]])
    assert (read.name, read.didt_max) == (coil.name, coil.didt_max)
    assert np.allclose(read.dadt(points), coil.dadt(points), rtol=1e-6)
    kept = tmp_path / "a" / "coil.tcd"
    kept.write_text(kept.read_text() + " ")
    with pytest.raises(FileFormatError, match=r"coil\.tcd is not the file that was written"):
        read_plan(tmp_path / "a")
    kept.unlink()
    assert read_plan(tmp_path / "a").coil is None


@pytest.mark.parametrize("name", ["figure8-70mm", "double-cone"])
def test_a_coil_of_the_shelf_is_found_there_while_its_card_is_unchanged(name, tmp_path):
    coil = replace(load_coil(name), didt_max=9e7)
    write_study(replace(tiny_study().ipsilesional, field=None, coil=coil), tmp_path / "a")
    assert not (tmp_path / "a" / "coil.tcd").exists()
    assert fingerprint(read_plan(tmp_path / "a").coil) == fingerprint(coil)
    card = tmp_path / "a" / "plan.json"
    record = json.loads(card.read_text())
    record["coil"]["card"] = "f" * 64
    card.write_text(json.dumps(record))
    assert read_plan(tmp_path / "a").coil is None


# ---- writing whole or not at all


def test_without_opengl_the_report_is_written_and_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(plans, "study_pictures", no_pictures)
    write_study(tiny_study(), tmp_path / "PLAN")
    assert said(Finding("plan-no-pictures", "note")) in (tmp_path / "PLAN" / "report.html").read_text()
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


# ---- damage


def damage(path, change):
    record = json.loads((path / "plan.json").read_text())
    change(record)
    return record


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda r: r.update(schema="other"), "no plan of neuro_field"),
        (lambda r: r.update(version=1), "reads versions 2 and 3"),
        (lambda r: r.pop("answers"), "missing required field `answers`"),
        (lambda r: r["plans"]["contralesional"]["ranking"][0].pop("strength"), r"`strength`.*contralesional\.ranking"),
        (lambda r: r["plans"]["contralesional"].update(ranking=[]), r"length >= 1 - at `\$\.plans\.contralesional"),
        (lambda r: r["plans"]["contralesional"]["ranking"][0].update(verified="high"), r"ranking\[.*\]\.verified"),
        (lambda r: r["plans"]["contralesional"]["ranking"][0]["head_from_coil"][0].__setitem__(0, 7.0), "scaled"),
        (lambda r: r["plans"]["contralesional"]["ranking"][0].update(head_from_coil=[[1, 2], [3]]), "head_from_coil"),
        (lambda r: r["plans"]["contralesional"].update(strengths=[1.0]), "strengths must have"),
        (lambda r: r["plans"]["contralesional"]["target"].update(center=[1, None, 2]), r"target\.center"),
        (lambda r: r["plans"]["contralesional"]["target"].update(weights=[0.5]), "weights must have"),
        (lambda r: r["plans"]["contralesional"]["report"].update(placements=-1), r"report\.placements"),
        (lambda r: r["answers"].update(lesion_side="up"), r"answers\.lesion_side"),
        (lambda r: r.update(plans=[]), r"at `\$\.plans`"),
        (lambda r: r.update(findings=[{"code": "a-b", "level": "note", "values": {"a": "A sentence."}}]), "findings"),
        (lambda r: r.update(warnings=["A sentence."]), "unknown field `warnings`"),
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


# ---- the published schema


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
        lambda r: r["head"].update(name="A sentence."),
    ):
        assert not check.is_valid(damage(folder, change))


def test_a_single_plan_obeys_the_schema_too(tmp_path):
    plan = tiny_study().contralesional
    record = file_of(plan, plans.Facts.of(plan), None, subject="01", remarks=())
    jsonschema.Draft202012Validator(plan_schema()).validate(json.loads(msgspec.json.encode(record)))


def test_the_same_input_gives_the_same_record_times_aside():
    """In one thread and in all of them."""
    before = timeless(tiny_study())
    with computing_in(all_threads()):
        assert timeless(tiny_study.__wrapped__()) == before


# ---- version 2


def test_a_plan_of_version_2_is_read(version2):
    old, study = json.loads(VERSION2.read_text()), read_plan(version2)
    assert isinstance(study, Study)
    for role in ("contralesional", "ipsilesional"):
        was, plan = old["plans"][role], getattr(study, role)
        assert [candidate.verified for candidate in plan.ranking] == [each["verified"] for each in was["ranking"]]
        assert np.allclose(plan.best.placement.head_from_coil, was["ranking"][0]["head_from_coil"])
        assert plan.target.side == was["target"]["side"]
        assert (plan.search, plan.zone) == (None, None)
        assert study.doses[role].matched == old["doses"][role]["output"]
    assert (study.preset.name, study.answers.mep, study.coil.name) == (
        "contralesional-1hz-hand", "absent", "figure8-70mm",
    )  # fmt: skip


def test_the_sentences_of_version_2_are_shown_word_for_word_and_marked_as_its_english(version2):
    old, kept = json.loads(VERSION2.read_text()), read_kept(version2)
    page = render(version2).replace("&#39;", "'")
    assert "English, as version 2 of this plan's schema kept it" in page
    spoken = [*old["warnings"], *old["notes"], *(dose["reason"] for dose in old["doses"].values())]
    spoken += [rule["name"] for plan in old["plans"].values() if plan for rule in plan["rules"]]
    assert len(spoken) >= 9
    for sentence in spoken:
        assert any(sentence in words for words in kept.old_words)
        assert sentence in page
    assert said(Finding("plan-old-version", "note")) in page


def test_a_side_without_a_plan_in_version_2_keeps_its_reason(version2):
    record = json.loads(VERSION2.read_text())
    record["plans"]["ipsilesional"], record["why"] = None, {"ipsilesional": "it is lost to <the> lesion"}
    (version2 / "plan.json").write_text(json.dumps(record))
    assert read_plan(version2).why["ipsilesional"].level == "stop"
    page = render(version2)
    assert "ipsilesional: it is lost to &lt;the&gt; lesion" in page


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda r: r.pop("answers"), "'answers'"),
        (lambda r: r["plans"]["contralesional"]["ranking"][0].update(verified="high"), "verified"),
        (lambda r: r.update(plans=[]), "version 2"),
        (lambda r: r["coil"].update(shelf=3), "shelf"),
    ],
)
def test_a_damaged_plan_of_version_2_gets_one_line(version2, change, says):
    record = json.loads(VERSION2.read_text())
    change(record)
    (version2 / "plan.json").write_text(json.dumps(record))
    with pytest.raises(FileFormatError, match=says) as caught:
        read_plan(version2)
    assert "\n" not in str(caught.value)


def test_a_given_target_is_known_again_as_given(tmp_path):
    target = Target.ball(tiny_head(), center=(50, 0, 40), radius=8.0)
    plan = replace(tiny_study().contralesional, field=None, target=target)
    write_study(plan, tmp_path / "a")
    assert read_plan(tmp_path / "a").target.source == target.source
