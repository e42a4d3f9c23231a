"""The command line as its user meets it: what it writes, what it says, and how it refuses."""

import json
import re
from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from phantoms import phantom_labels
from test_claims import another
from tiny_study import tiny_head

from neuro_field.cli import main
from neuro_field.store.heads import read_head, write_head
from neuro_field.store.plans import read_plan, write_study


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A T1 and labels of ellipsoids, and images that are wrong each in its own way."""
    folder = tmp_path_factory.mktemp("images")
    labels, affine = phantom_labels(5.0)
    rng = np.random.default_rng(0)
    t1 = labels.astype(np.int16) * 100 + rng.integers(0, 20, labels.shape).astype(np.int16)

    def write(name, values, where=affine):
        image = nib.Nifti1Image(values, where)
        if where is None:
            image.set_sform(None, 0)
            image.set_qform(None, 0)
        nib.save(image, folder / name)

    write("T1.nii.gz", t1)
    write("colours.nii.gz", np.zeros(labels.shape, dtype=[("R", "u1"), ("G", "u1"), ("B", "u1")]))
    write("holes.nii.gz", np.where(labels == 3, np.nan, t1).astype(np.float32))
    write("shares.nii.gz", labels * np.float32(0.3))
    write("elsewhere.nii.gz", labels, affine + np.array([[0, 0, 0, 400]] + 3 * [4 * [0]]))
    write("numbers.nii.gz", labels.astype(np.int16) * 37)
    write("brain.nii.gz", np.isin(labels, (1, 2)).astype(np.uint8))
    twice = nib.Nifti1Image(t1, affine)
    twice.set_qform(affine + np.array([[0, 0, 0, 9]] + 3 * [4 * [0]]), 1)
    twice.set_sform(affine, 1)
    nib.save(twice, folder / "twice.nii.gz")
    (folder / "cut.nii.gz").write_bytes((folder / "T1.nii.gz").read_bytes()[:20000])
    write("labels.nii.gz", labels)
    write("flat.nii.gz", t1[:, :, 10])
    write("nowhere.nii.gz", t1, None)
    write("nothing_grey.nii.gz", np.where(labels == 2, 1, labels).astype(np.uint8))
    write("film.nii.gz", np.stack([t1, t1], axis=-1))
    ball = np.linalg.norm(np.moveaxis(np.indices(labels.shape), 0, -1) - [9, 22, 22], axis=-1) < 3
    write("mask.nii.gz", ball.astype(np.uint8))
    write("empty_mask.nii.gz", np.zeros(labels.shape, np.uint8))
    (folder / "text.nii.gz").write_text("not an image")
    return folder


@pytest.fixture(scope="module")
def head_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("head") / "HEAD"
    write_head(tiny_head(), folder)
    return folder


def refused(capsys, arguments, *words):
    """Runs a command that must fail: status 2, one line on stderr that holds every word, no traceback."""
    assert main([str(argument) for argument in arguments]) == 2
    said = capsys.readouterr().err.strip().splitlines()
    complaint = [line for line in said if line.startswith("neuro-field: ")]
    assert len(complaint) == 1
    assert "Traceback" not in "".join(said)
    for word in words:
        assert word in complaint[0], complaint[0]
    return complaint[0]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["missing.nii.gz", "--labels", "labels.nii.gz"], ["missing.nii.gz", "does not exist"]),
        (["T1.nii.gz", "--labels", "missing.nii.gz"], ["missing.nii.gz"]),
        (["flat.nii.gz", "--labels", "labels.nii.gz"], ["flat.nii.gz", "three"]),
        (["film.nii.gz", "--labels", "labels.nii.gz"], ["film.nii.gz"]),
        (["nowhere.nii.gz", "--labels", "labels.nii.gz"], ["nowhere.nii.gz", "where"]),
        (["T1.nii.gz", "--labels", "nowhere.nii.gz"], ["nowhere.nii.gz"]),
        (["T1.nii.gz", "--labels", "nothing_grey.nii.gz"], ["grey"]),
        (["T1.nii.gz", "--labels", "text.nii.gz"], ["text.nii.gz"]),
        (["T1.nii.gz", "--labels", "labels.nii.gz", "--lesion", "empty_mask.nii.gz"], ["lesion", "every voxel is 0"]),
        (["T1.nii.gz", "--labels", "labels.nii.gz", "--edge", "-1"], ["edge"]),
        (["example:colin28"], ["colin28", "colin27-stroke"]),
        (["colours.nii.gz", "--labels", "labels.nii.gz"], ["colours.nii.gz", "RGB"]),
        (["holes.nii.gz", "--labels", "labels.nii.gz"], ["holes.nii.gz", "NaN"]),
        (["cut.nii.gz", "--labels", "labels.nii.gz"], ["cut.nii.gz", "damaged"]),
        (["twice.nii.gz", "--labels", "labels.nii.gz"], ["twice.nii.gz", "9.0 mm"]),
        (["T1.nii.gz", "--labels", "shares.nii.gz"], ["shares.nii.gz", "nearest neighbour"]),
        (["T1.nii.gz", "--labels", "elsewhere.nii.gz"], ["one world", "0%"]),
        (["T1.nii.gz", "--labels", "numbers.nii.gz"], ["37 ("]),
        (["T1.nii.gz", "--labels", "labels.nii.gz", "--lesion", "elsewhere.nii.gz"], ["lies outside brain"]),
        (["T1.nii.gz", "--labels", "labels.nii.gz", "--lesion", "brain.nii.gz"], ["at most 40%"]),
        (["T1.nii.gz", "--labels", "labels.nii.gz", "--lesion", "mask.nii.gz", "--no-fill"], ["--no-fill", "--labels"]),
        (["T1.nii.gz", "--no-fill"], ["--no-fill", "goes with --lesion"]),
        (["T1.nii.gz", "--labels", "labels.nii.gz", "--lesion", "mask.nii.gz", "--rim", "50"], ["rim", "20 mm"]),
        (["T1.nii.gz", "--labels", "labels.nii.gz", "--tissue-edge", "scalp"], ["scalp=4.0"]),
        (["T1.nii.gz", "--labels", "labels.nii.gz", "--edge", "0.05"], ["over the limit", "at least"]),
        (["T1.nii.gz", "--labels", "labels.nii.gz", "--t2", "T1.nii.gz"], ["--t2"]),
        (["T1.nii.gz", "--labels", "labels.nii.gz", "--no-mapping", "--faceless"], ["--faceless finds the face by"]),
    ],
)
def test_head_refuses_bad_images_in_one_line_and_leaves_nothing(files, tmp_path, capsys, arguments, words):
    places = [files / word if word.endswith(".nii.gz") else word for word in arguments]
    refused(capsys, ["head", *places, "-o", tmp_path / "HEAD"], *words)
    assert list(tmp_path.iterdir()) == []


def test_a_head_from_a_users_files_is_planned(files, tmp_path, capsys):
    head, plan = tmp_path / "HEAD", tmp_path / "PLAN"
    images = ["--labels", files / "labels.nii.gz", "--lesion", files / "mask.nii.gz"]
    assert main([str(a) for a in ["head", files / "T1.nii.gz", *images, "--edge", 8, "-o", head]]) == 0
    assert "Lesion: " in capsys.readouterr().out
    assert {"head.msh", "head.json", "tissues.nii.gz", "T1.nii.gz"} <= {path.name for path in head.iterdir()}
    search = ["--radius", 15, "--spacing", 7.5, "--angle-step", 45, "--lesion-side", read_lesion_side(head)]
    assert main([str(a) for a in ["plan", head, "--preset", "contralesional-1hz-hand", *search, "-o", plan]]) == 0
    said = capsys.readouterr().out
    for word in ("Position:", "Handle:", "Current:", "Field in the target:", "10-10", "Stages:", "report.html"):
        assert word in said
    best = json.loads((plan / "plan.json").read_text())["plans"]["contralesional"]["ranking"][0]
    assert best["strength"] == pytest.approx(best["verified"], rel=0.01)


def read_lesion_side(folder):
    from neuro_field.head.lesion import lesion_summary

    return lesion_summary(read_head(folder)).side


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--preset", "contralesional-1hz-hands"], ["contralesional-1hz-hand"]),
        (["--preset", "contralesional-1hz-hand", "--coil", "figure8"], ["figure8", "figure8-70mm"]),
        (["--preset", "contralesional-1hz-hand", "--coil", "missing.ccd"], ["missing.ccd"]),
        (["--preset", "contralesional-1hz-hand", "--lesion-side", "right"], ["right", "left"]),
        (["--preset", "contralesional-1hz-hand", "--lesion-side", "up"], ["up"]),
        (["--preset", "contralesional-1hz-hand", "--rmt", "0"], ["Resting motor threshold", "1 to 100"]),
        (["--preset", "contralesional-1hz-hand", "--spacing", "0"], ["spacing"]),
        (["--preset", "contralesional-1hz-hand", "--contraindication", "pacemaker"], ["pacemaker"]),
        (["--preset", "executive-dlpfc"], ["side", "leaves it to the user"]),
        (["--target", "left:m1-hand"], ["With a target give the coil"]),
        (["--target", "nose", "--coil", "figure8-70mm"], ["A target is given as"]),
        ([], ["either a preset"]),
        (["--preset", "aphasia-1hz-hamilton", "--colour", "red"], ["--colour"]),
    ],
)
def test_plan_refuses_in_one_line_and_leaves_nothing(head_folder, tmp_path, capsys, arguments, words):
    refused(capsys, ["plan", head_folder, *arguments, "-o", tmp_path / "PLAN"], *words)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_with_other_things_in_it_is_left_alone(head_folder, tmp_path, capsys):
    (tmp_path / "PLAN").mkdir()
    (tmp_path / "PLAN" / "notes.txt").write_text("mine")
    for command in (
        ["plan", head_folder, "--preset", "contralesional-1hz-hand"],
        ["head", "example:colin27"],
        ["simulate", head_folder, "--coil", "figure8-70mm", "--at", "0,0,92", "--handle-towards", "0,-90,60"],
    ):
        refused(capsys, [*command, "-o", tmp_path / "PLAN"], "PLAN", "nothing was overwritten")
    assert [path.name for path in (tmp_path / "PLAN").iterdir()] == ["notes.txt"]
    assert (tmp_path / "PLAN" / "notes.txt").read_text() == "mine"


def test_a_head_that_is_none_is_refused(tmp_path, capsys):
    preset = ["--preset", "contralesional-1hz-hand"]
    refused(capsys, ["plan", tmp_path / "nobody", *preset, "-o", tmp_path / "PLAN"], "nobody")
    (tmp_path / "bad.msh").write_bytes(b"$MeshFormat\n4.1 1 8\n")
    refused(capsys, ["plan", tmp_path / "bad.msh", *preset, "-o", tmp_path / "PLAN"], "bad.msh")


def test_simulate_writes_a_field_and_tells_its_strength(head_folder, tmp_path, capsys):
    place = ["--coil", "figure8-70mm", "--at", "0,0,92", "--handle-towards", "0,-90,60"]
    assert main(["simulate", str(head_folder), *place, "-o", str(tmp_path / "OUT")]) == 0
    assert re.search(r"[0-9.]+ V/m", capsys.readouterr().out)
    assert any((tmp_path / "OUT").iterdir())
    refused(
        capsys,
        ["simulate", head_folder, *place[:3], "0,0", *place[4:], "-o", tmp_path / "OUT2"],
        "--at",
        "40,-20,65",
    )


@pytest.mark.parametrize("command", ["coils", "targets", "presets"])
def test_lists_name_what_there_is_and_where_it_comes_from(command, capsys):
    assert main([command]) == 0
    said = capsys.readouterr().out
    assert {"coils": "figure8-70mm", "targets": "m1-hand", "presets": "contralesional-1hz-hand"}[command] in said


def test_no_column_of_a_table_is_lost_on_a_narrow_terminal(monkeypatch, capsys):
    from neuro_field.console import table

    monkeypatch.setenv("COLUMNS", "80")
    words = "a long title of many words that has to be broken over lines"
    table(
        ("name", "a", "b", "what runs first, and where", "c", "title"),
        [("figure8-70mm", 1.25, 3.5, "away from", 7, words)],
    )
    said = capsys.readouterr().out
    for word in ("figure8-70mm", "1.25", "away from", "title", "many"):
        assert word in said


def test_one_coil_is_shown_and_an_unknown_one_is_not(capsys):
    assert main(["coils", "figure8-70mm"]) == 0
    said = capsys.readouterr().out
    assert "Deng" in said
    assert "V/m" in said
    refused(capsys, ["coils", "figure9"], "figure9")


@pytest.mark.parametrize(
    "command",
    [
        "head",
        "plan",
        "simulate",
        "view",
        "report",
        "export",
        "delivered",
        "coils",
        "targets",
        "presets",
        "validate",
        "cache",
    ],
)
def test_every_command_has_help(command, capsys):
    assert main([command, "--help"]) == 0
    said = capsys.readouterr().out
    assert "Usage" in said
    assert "Example" in said


@pytest.fixture(scope="module")
def plan_folder(tmp_path_factory):
    from tiny_study import tiny_study

    from neuro_field.store.plans import write_study

    folder = tmp_path_factory.mktemp("plan") / "PLAN"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("neuro_field.store.plans.study_pictures", lambda study, face=None: {})
        write_study(tiny_study(), folder)
    return folder


def test_export_writes_files_says_their_frames_and_overwrites_nothing(plan_folder, tmp_path, capsys):
    before = sorted(path.name for path in plan_folder.iterdir())
    assert main(["export", str(plan_folder), "--to", "localite, brainsight,ant", "-o", str(tmp_path / "out")]) == 0
    said = capsys.readouterr().out
    for word in ("localite: ", "RAS", "NIfTI:Scanner", "SimNIBS axes"):
        assert word in said
    assert len(list((tmp_path / "out").iterdir())) == 6
    assert sorted(path.name for path in plan_folder.iterdir()) == before
    refused(capsys, ["export", plan_folder, "--to", "ant", "-o", tmp_path / "out"], "nothing was overwritten")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    refused(capsys, ["export", plan_folder, "--to", "ant", "-o", tmp_path / "link"], "link to nothing")
    refused(capsys, ["export", plan_folder, "--to", "ant", "-o", tmp_path / "x" / "y"], "does not exist")
    code = "import sys, time; from pathlib import Path; from neuro_field.io.locks import locked\n"
    code += "with locked(Path(sys.argv[1])): print('writing', flush=True); time.sleep(60)"
    with another(tmp_path / "out", code):
        refused(capsys, ["export", plan_folder, "--to", "softaxic", "-o", tmp_path / "out"], "another run")
    assert len(list((tmp_path / "out").iterdir())) == 6
    refused(capsys, ["export", plan_folder, "--to", "ant,nexstim"], "nexstim", "localite", "nibs-bids")
    refused(capsys, ["export", plan_folder, "--to", " , "], "localite", "nibs-bids")
    refused(capsys, ["export", plan_folder, "--to", "ant", "--image", tmp_path / "no.nii"], "no.nii")
    refused(capsys, ["export", tmp_path, "--to", "ant"], "plan.json")
    assert main(["export", str(plan_folder), "--to", "softaxic"]) == 0
    assert len(list((plan_folder / "navigation").iterdir())) == 2


def test_delivered_holds_recorded_pulses_against_the_plan(head_folder, plan_folder, tmp_path, capsys):
    from tiny_study import tiny_study

    from neuro_field.coil.marker import Marker
    from neuro_field.navigation.localite import localite_text

    best = tiny_study().best.placement
    pulses = [Marker(f"{i}", best.moved(along_x=i), recorded=True, output=50.0) for i in (0, 4, 8)]
    (tmp_path / "day1.xml").write_text(localite_text(pulses))
    call = ["delivered", head_folder, "--plan", plan_folder, "--poses", tmp_path / "day1.xml"]
    assert main([str(a) for a in [*call, "-o", tmp_path / "ledger.csv"]]) == 0
    said = capsys.readouterr().out
    assert "day1: 3 pulses" in said
    rows = (tmp_path / "ledger.csv").read_text().splitlines()
    assert len(rows) == 4
    assert float(rows[1].split(",")[5]) == pytest.approx(1.0, abs=1e-6)
    refused(capsys, [*call, "-o", tmp_path / "ledger.csv"], "nothing was overwritten")
    refused(capsys, [*call, "--role", "left", "-o", tmp_path / "l.csv"], "left", "ipsilesional")
    refused(capsys, [*call, "--poses", tmp_path / "no.xml", "-o", tmp_path / "l.csv"], "no.xml")
    refused(capsys, [*call[:5], plan_folder / "plan.json", "-o", tmp_path / "l.csv"], "plan.json")


def delivered_around(placement, tmp_path, count=3):
    """A session's file of poses around a placement."""
    from neuro_field.coil.marker import Marker
    from neuro_field.navigation.localite import localite_text

    pulses = [Marker(f"{i}", placement.moved(along_x=i), recorded=True, output=50.0) for i in range(count)]
    path = tmp_path / f"day{len(list(tmp_path.iterdir()))}.xml"
    path.write_text(localite_text(pulses))
    return path


@pytest.mark.parametrize("recorded", ["contralesional", "ipsilesional"])
@pytest.mark.parametrize("planned", ["contralesional", "ipsilesional"])
def test_delivered_says_when_poses_belong_to_the_other_side(
    recorded, planned, head_folder, plan_folder, tmp_path, capsys
):
    """Of either side, and not of its own; the role named is the one to give."""
    from tiny_study import tiny_study

    poses = delivered_around(getattr(tiny_study(), recorded).best.placement, tmp_path)
    call = ["delivered", head_folder, "--plan", plan_folder, "--role", planned, "--poses", poses]
    assert main([str(a) for a in [*call, "-o", tmp_path / "l.tsv"]]) == 0
    said = capsys.readouterr().out
    assert ("Read first: 3 of 3 recorded poses" in said) == (recorded != planned)
    assert (f"--role {recorded}" in said) == (recorded != planned)


def test_delivered_tells_the_fields_of_the_report(head_folder, plan_folder, tmp_path, capsys):
    """The same numbers by the same statistics, on both sides."""
    from tiny_study import tiny_study

    from neuro_field.report.sentences import field_line

    page = (plan_folder / "report.html").read_text()
    for role in ("contralesional", "ipsilesional"):
        plan = getattr(tiny_study(), role)
        call = ["delivered", head_folder, "--plan", plan_folder, "--role", role, "--poses"]
        out = tmp_path / f"{role}.tsv"
        assert main([str(a) for a in [*call, delivered_around(plan.best.placement, tmp_path), "-o", out]]) == 0
        said = capsys.readouterr().out
        assert field_line(plan) in said
        assert field_line(plan).partition(": ")[2].replace("'", "&#39;") in page
        assert f"Planned: {plan.best.verified:.3f} V/m" in said
        assert "coil or head are not those of the plan" not in said


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"scalp": 0.3}, "conductivity differs"),
        ("tags", "tags"),
        ("mapping", "mapping differs"),
    ],
)
def test_another_head_than_the_plans_is_refused(change, says, plan_folder, tmp_path, capsys):
    """By its conductivity, tissues or map, on the same mesh; by delivered and by serve."""
    from tiny_study import tiny_head, tiny_study

    import neuro_field as nf
    from neuro_field.geometry.mesh import TetMesh
    from neuro_field.head.mapping import AffineMapping

    head = tiny_head()
    if change == "tags":
        tags = np.where(head.mesh.tags == 21, 2, head.mesh.tags)
        head = replace(
            nf.HeadModel.from_mesh(TetMesh(head.mesh.nodes, head.mesh.tets, tags), mapping=head.mapping), name="filled"
        )
    elif change == "mapping":
        moved = np.eye(4)
        moved[0, 3] = 5.0
        head = replace(head, mapping=AffineMapping(moved))
    else:
        head = head.with_conductivity(change)
    nf.write(head, tmp_path / "OTHER")
    poses = delivered_around(tiny_study().best.placement, tmp_path)
    call = ["delivered", tmp_path / "OTHER", "--plan", plan_folder, "--poses", poses, "-o", tmp_path / "l.tsv"]
    refused(capsys, call, says, "plan again")
    refused(capsys, ["serve", plan_folder, "--head", tmp_path / "OTHER"], says)


def test_a_report_is_made_again_from_the_folder(plan_folder, tmp_path, capsys):
    page = tmp_path / "page.html"
    assert main(["report", str(plan_folder), "-o", str(page)]) == 0
    assert page.read_text() == (plan_folder / "report.html").read_text()
    refused(capsys, ["report", plan_folder, "-o", page], "nothing was overwritten")
    refused(capsys, ["report", plan_folder, "--kind", "poster", "-o", tmp_path / "c.html"], "page, card")
    refused(capsys, ["report", tmp_path, "-o", tmp_path / "c.html"], "plan.json is missing")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["page.html"]


def test_a_report_of_version_2_says_its_old_sentences(tmp_path, capsys):
    (tmp_path / "plan.json").write_bytes((Path(__file__).parent / "version2_plan.json").read_bytes())
    assert main(["report", str(tmp_path), "-o", str(tmp_path / "page.html")]) == 0
    said = capsys.readouterr().out
    assert "Note: This plan is of version 2 of its schema" in said
    assert "English, kept by version 2: Ipsilesional motor evoked potentials are absent: inhibiting" in said


def test_presets_and_coils_are_planned_together_each_pair_in_its_folder(head_folder, tmp_path, capsys, monkeypatch):
    """One solver; a place is planned once a coil, however many presets aim at it."""
    from neuro_field.clinic import study as clinic
    from neuro_field.search import survey

    monkeypatch.setattr("neuro_field.store.plans.study_pictures", lambda study, face=None: {})
    made, solvers = [], []
    plan, solver = survey.plan, clinic.Solver
    monkeypatch.setattr(survey, "plan", lambda *a, **k: made.append(a[1].name) or plan(*a, **k))
    monkeypatch.setattr(clinic, "Solver", lambda *a, **k: solvers.append(a) or solver(*a, **k))
    presets, coils = ("contralesional-1hz-hand", "ipsilesional-10hz-hand"), ("circular-90mm", "figure8-70mm")
    call = ["plan", head_folder, "-o", tmp_path / "OUT", "--draws", 0, "--radius", 10, "--spacing", 10]
    call += ["--angle-step", 90, *(f"--preset={name}" for name in presets), *(f"--coil={name}" for name in coils)]
    assert main([str(part) for part in call]) == 0
    said = capsys.readouterr().out
    pairs = [f"{preset}_{coil}" for coil in coils for preset in presets]
    assert sorted(path.name for path in (tmp_path / "OUT").iterdir()) == sorted([*pairs, "index.tsv"])
    assert (sorted(made), len(solvers)) == ([coils[0]] * 2 + [coils[1]] * 2, 1)
    rows = [row.split("\t") for row in (tmp_path / "OUT" / "index.tsv").read_text().splitlines()]
    assert len(rows) == 1 + 2 * len(pairs)
    for pair in pairs:
        assert f"{pair}:" in said
        study = read_plan(tmp_path / "OUT" / pair)
        assert f"{study.preset.name}_{study.coil.name}" == pair
        told = [row for row in rows[1:] if row[0] == pair]
        assert {row[rows[0].index("role")]: row[rows[0].index("own")] for row in told} == {
            role: "yes" if role == study.own_side else "no" for role in study.plans
        }
    assert [path.name for path in tmp_path.iterdir()] == ["OUT"]


@pytest.mark.parametrize("gap", [0.0, 4.0, 9.0])
def test_serve_holds_the_coil_at_the_gap_of_the_plan(gap, head_folder, tmp_path, monkeypatch):
    pytest.importorskip("aiohttp", reason="aiohttp is not installed: pip install -e .[serve]")
    from tiny_study import tiny_study

    made = tiny_study().ipsilesional
    search = replace(made.search, grid=replace(made.search.grid, gap=gap))
    write_study(replace(made, field=None, search=search), tmp_path / "PLAN")
    served = []
    monkeypatch.setattr("neuro_field.desk.serving.serve", lambda page, **_: served.append(page.shown.steering))
    assert main(["serve", str(tmp_path / "PLAN"), "--head", str(head_folder)]) == 0
    assert [steering.gap for steering in served] == [gap]
    above = served[0].at(head_top(), 0.0)
    assert (above.placement.center - head_top()) @ -above.placement.axis >= gap - 1e-6


def head_top():
    scalp = tiny_head().scalp.points
    return scalp[scalp[:, 2].argmax()]
