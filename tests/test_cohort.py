"""Many people: what is found in a data set, which answers are taken, what is done again, what a group's maps mean."""

import csv
import json
import re
import shlex
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from cohorts import PRESET, SETTINGS, make_dataset
from dying import dies_for_02
from tests_support import accepted, mirrored_head, refusal, small_head
from threadpoolctl import threadpool_info, threadpool_limits
from tiny_study import tiny_head, tiny_study

import neuro_field as nf
from neuro_field.cli import main
from neuro_field.cohort import fsaverage as average
from neuro_field.cohort import one_by_one as alone
from neuro_field.cohort import participant
from neuro_field.cohort.answers import COLUMNS as ANSWERS
from neuro_field.cohort.answers import cases_of_row, faults_of, read_table
from neuro_field.cohort.dataset import Dataset, Named
from neuro_field.cohort.derivatives import describe, field_name, write_map
from neuro_field.cohort.entities import BidsName, Who, as_label, checked_label
from neuro_field.cohort.fsaverage import NAME, VERTICES, fsaverage, registered_points
from neuro_field.cohort.group_maps import Sums, write_group_maps
from neuro_field.cohort.inputs import find_inputs, is_lesion_mask
from neuro_field.cohort.job import Job, Outcome
from neuro_field.cohort.options import Options
from neuro_field.cohort.participant import run_participant
from neuro_field.cohort.slurm import MOST_TASKS, option_words, slurm_file
from neuro_field.cohort.stages import discard, is_done, mark_done
from neuro_field.cohort.standard import TEMPLATE, Standard, brain_points
from neuro_field.cohort.table import COLUMNS, rows_of, rows_of_text, table_text
from neuro_field.report.facts import Facts


def named(name):
    return Named(Path(name), BidsName.of(name))


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return make_dataset(tmp_path_factory.mktemp("data") / "ds")


def test_everybody_is_found_with_their_files(dataset):
    data = Dataset.of(dataset)
    people = data.people()
    assert [who.label for who in people] == ["sub-01", "sub-02", "sub-03_ses-a", "sub-04", "sub-05", "sub-06"]
    found = find_inputs(data, people[2], {})
    assert found.t1.name == "sub-03_ses-a_T1w.nii.gz"
    assert found.labels.name == "sub-03_ses-a_dseg.nii.gz"
    assert found.lesion.name == "sub-03_ses-a_label-lesion_mask.nii.gz"
    drawn = find_inputs(data, people[3], {})
    assert (drawn.lesion_image, drawn.lesion_image.name) == (drawn.flair, "sub-04_FLAIR.nii.gz")
    assert "no T1 of sub-06" in refusal(find_inputs, data, people[5], {})


@pytest.mark.parametrize(("name", "is_one"), [
    ("sub-01_label-lesion_mask.nii.gz", True), ("sub-01_ses-1_space-T1w_label-lesion_mask.nii.gz", True),
    ("sub-r1_ses-1_space-MNI152NLin2009aSym_label-L_desc-T1lesion_mask.nii.gz", True),
    ("sub-01_T1w_label-lesion_roi.nii.gz", True), ("sub-01_desc-lesion_mask.nii", True),
    ("sub-01_lesion_mask.nii.gz", True), ("sub-01_lesionmask.nii.gz", True), ("sub-01_T1w_lesion.voi", True),
    ("sub-01_desc-brain_mask.nii.gz", False), ("sub-01_label-L_dseg.json", False), ("sub-01_T1w.nii.gz", False),
    ("sub-01_label-LH_mask.nii.gz", False), ("sub-01_label-L_mask.nii.gz", True),
])  # fmt: skip
def test_lesion_masks_are_known_by_their_names(name, is_one):
    assert is_lesion_mask(named(name)) is is_one


def test_what_is_meant_is_never_guessed(tmp_path):
    data = Dataset.of(make_dataset(tmp_path / "ds", ["01"]))
    who, folder = Who("01"), tmp_path / "ds" / "derivatives" / "lesions" / "sub-01" / "anat"
    (folder / "sub-01_desc-lesion_mask.nii.gz").write_bytes(b"")
    line = refusal(find_inputs, data, who, {})
    assert "There are 2 files that may be the lesion mask" in line
    assert "column lesion" in line
    chosen = "derivatives/lesions/sub-01/anat/sub-01_label-lesion_mask.nii.gz"
    assert find_inputs(data, who, {"lesion": chosen}).lesion.name == Path(chosen).name
    assert "outside the data set" in refusal(find_inputs, data, who, {"lesion": "../../../etc/passwd"})
    for each in folder.glob("*mask*"):
        each.rename(each.with_name("sub-01_space-MNI152NLin6Asym_label-lesion_mask.nii.gz"))
    assert "space 'MNI152NLin6Asym'" in refusal(find_inputs, data, who, {})


def test_folders_of_simnibs_and_freesurfer_are_found_and_count_by_what_they_hold(tmp_path):
    root = make_dataset(tmp_path / "ds", ["01"])
    m2m = root / "derivatives" / "simnibs" / "sub-01" / "m2m_sub-01"
    surf = root / "derivatives" / "freesurfer" / "sub-01" / "surf"
    for folder in (m2m, surf):
        folder.mkdir(parents=True)
    m2m.with_name("sub-01.msh").write_text("mesh")
    for side in "lr":
        for kind in ("white", "pial", "sphere.reg"):
            (surf / f"{side}h.{kind}").write_text(kind)
    found = find_inputs(Dataset.of(root), Who("01"), {})
    assert (found.m2m, found.labels, found.surfaces) == (m2m, None, surf)
    before = found.digests()
    assert {"m2m/sub-01.msh", "surfaces/lh.sphere.reg", "t1", "lesion"} <= before.keys()
    m2m.with_name("sub-01.msh").write_text("another")
    assert {what for what, now in found.digests().items() if now != before[what]} == {"m2m/sub-01.msh"}
    (surf / "rh.pial").unlink()
    assert find_inputs(Dataset.of(root), Who("01"), {}).surfaces is None


def test_our_own_derivatives_are_no_input(tmp_path):
    root = make_dataset(tmp_path / "ds", ["01"])
    ours = root / "derivatives" / "nf"
    describe(ours, root)
    mask = ours / "sub-01" / "anat" / "sub-01_label-lesion_mask.nii.gz"
    mask.parent.mkdir(parents=True)
    mask.write_bytes(b"")
    assert ours not in Dataset.of(root).derivatives
    assert find_inputs(Dataset.of(root), Who("01"), {}).lesion != mask
    (root / "derivatives" / "segmenter" / "sub-01" / "anat" / "sub-01_dseg.nii.gz").unlink()
    assert find_inputs(Dataset.of(root), Who("01"), {}).labels is None


def test_another_program_is_not_overwritten(tmp_path):
    root = make_dataset(tmp_path / "ds", [])
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.doc").write_text("mine")
    assert "is not empty" in refusal(describe, tmp_path / "full", root)
    assert "another data set" in refusal(describe, root, root)


def test_labels_are_letters_and_digits():
    assert checked_label("participant", "sub-P01") == "P01"
    for wrong in ("../x", "", "a b", "01_ses-a", "x" * 65):
        assert "letters and digits" in refusal(checked_label, "participant", wrong)
    assert as_label("a-b_c") == "aBC"


def test_every_fault_of_the_table_is_a_line_before_any_work(tmp_path, capsys):
    root = make_dataset(tmp_path / "ds", ["01", "02"])
    rows = [
        "participant_id\trmt\tmep\tthreshold\topen_skull",
        "sub-01\t120\tmaybe\tn/a\tn/a",
        "sub-02\tn/a\t\tx=1\tperhaps",
    ]
    (root / "participants.tsv").write_text("\n".join(rows) + "\n")
    call = ["cohort", str(root), str(tmp_path / "out"), "participant", "--preset", PRESET, *SETTINGS]
    assert main(call) == 2
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(": ")[1] for line in lines] == ["participants.tsv, sub-01"] * 2 + [
        "participants.tsv, sub-02"
    ] * 2
    assert "must be 1 to 100; instead received 120" in lines[1]
    assert not (tmp_path / "out").exists()


def test_answers_of_other_presets_are_left_out_and_sessions_win(tmp_path):
    path = tmp_path / "table.tsv"
    path.write_text(
        "participant_id\tsession_id\trmt\tfluency\tage\nsub-01\tn/a\t50\tfluent\t7\nsub-01\tses-b\t60\t\t\n"
    )
    table = read_table(path, tmp_path)
    assert table.row_of(Who("01", "b")) == {"rmt": "60", "fluency": "fluent"}
    assert table.row_of(Who("01", "c"))["rmt"] == "50"
    assert table.row_of(Who("02")) == {}
    assert accepted(cases_of_row, table.row_of(Who("01", "b")), [PRESET], [])[0].answers.rmt == 60
    assert not faults_of(table, [Who("01", "b")], [PRESET], [])
    assert faults_of(table, [Who("01", "b")], ["aphasia-1hz"], [])[0].finding.values["field"] == "dominant_side"
    for text in ("a,b\n", "participant_id\tx\n1\n", "participant_id\nsub-1\n1\n"):
        path.write_text(text)
        assert str(path) in refusal(read_table, path, tmp_path)


def test_results_count_for_their_key_and_while_they_are_whole(tmp_path):
    (tmp_path / "a").write_text("x")
    record = tmp_path / "record.json"
    mark_done(record, "key", ["a"])
    assert is_done(record, "key", tmp_path)
    assert not is_done(record, "other", tmp_path)
    told = json.loads(record.read_text())
    outside = tmp_path.parent / "outside"
    outside.write_text("stays")
    record.write_text(json.dumps(told | {"files": ["a", "../outside"]}))
    discard(record, tmp_path)
    assert outside.exists()
    assert not (tmp_path / "a").exists()
    assert not is_done(record, "key", tmp_path)
    for text in ("", "[]", '{"files": 3}', "{" * 10000):
        record.write_text(text)
        assert not is_done(record, "key", tmp_path)


def test_jobs_and_outcomes_are_plain():
    job = Job("in", "out", Who("01", "a"), Options((PRESET,), coils=("x.tcd",), edge=4.0), {"rmt": "50"}, ("d",))
    assert Job.of_plain(json.loads(json.dumps(job.plain()))) == job
    outcome = Outcome(Who("01"), 1, "why", False, 2.0)
    assert Outcome.of_plain(json.loads(json.dumps(outcome.plain()))) == outcome


def test_one_that_fails_is_told_without_the_machines_folders(dataset, tmp_path):
    describe(tmp_path / "out", dataset)
    options = Options((PRESET,), nonlinear=False)
    outcome = run_participant(Job(str(dataset), str(tmp_path / "out"), Who("05"), options, {}))
    assert (outcome.status, str(tmp_path) in outcome.reason) == (1, False)
    assert outcome.reason.startswith("The image BIDS_DIR/sub-05/anat/sub-05_T1w.nii.gz is truncated")
    assert "truncated" in (tmp_path / "out" / "logs" / "sub-05.log").read_text()
    assert json.loads((tmp_path / "out" / "logs" / "sub-05.json").read_text())["reason"] == outcome.reason


def test_last_bits_do_not_depend_on_the_threads_of_an_engine(dataset, tmp_path, monkeypatch):
    found = []

    def work(job, own):
        found.extend(each["num_threads"] for each in threadpool_info() if each["user_api"] == "blas")
        return False, []

    monkeypatch.setattr(participant, "_work", work)
    with threadpool_limits(2, user_api="blas"):
        run_participant(Job(str(dataset), str(tmp_path), Who("01"), Options((PRESET,)), {}))
        assert {each["num_threads"] for each in threadpool_info() if each["user_api"] == "blas"} == {2}
    assert set(found) == {1}


def test_a_process_that_dies_ends_one_participant(tmp_path, monkeypatch):
    monkeypatch.setattr(alone, "done_in_worker", dies_for_02)
    options = Options((PRESET,))
    (tmp_path / "logs").mkdir()
    jobs = [Job("in", str(tmp_path), Who(label), options, {}) for label in ("01", "02", "03")]
    found = {}
    try:
        found |= {outcome.who.label: outcome for outcome in alone.one_by_one(jobs)}
    except BrokenProcessPool:
        pytest.fail("the death of one ended the others")
    assert {label: outcome.status for label, outcome in found.items()} == {"sub-01": 0, "sub-02": 1, "sub-03": 0}
    assert "ended before it was done" in json.loads((tmp_path / "logs" / "sub-02.json").read_text())["reason"]


def test_exit_statuses(dataset, tmp_path, capsys):
    call = ["cohort", str(dataset), str(tmp_path / "out"), "participant", "--preset", PRESET, *SETTINGS]
    assert main([*call, "--participant-label", "05", "06"]) == 1
    assert main([*call, "--participant-label", "nobody"]) == 2
    assert "no folder sub-nobody" in capsys.readouterr().err
    assert main(["cohort", str(tmp_path), str(tmp_path / "out"), "participant"]) == 2
    assert main(["cohort", str(dataset), str(tmp_path / "out"), "group", "--participant-label", "05", "06"]) == 0
    page = (tmp_path / "out" / "docs" / "group.html").read_text()
    assert "sub-05" in page
    assert "truncated" in page
    with (tmp_path / "out" / "task-tms_desc-placements_beh.tsv").open() as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    assert [(row["participant"], row["status"]) for row in rows] == [("05", "failed"), ("06", "failed")]
    assert rows[1]["reason"].startswith("There is no T1")


def test_a_table_is_ready_for_pandas():
    columns = nf.table({"01": tiny_study(), "x": tiny_study().contralesional})
    assert list(columns) == list(COLUMNS)
    assert {len(values) for values in columns.values()} == {3}
    assert columns["role"] == ["contralesional", "ipsilesional", None]
    assert columns["matched_percent"][0] == tiny_study().doses["contralesional"].matched
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(columns)
    assert frame.groupby("participant").field_V_per_m.mean()["x"] == tiny_study().contralesional.best.magnitude
    assert "no" not in refusal(nf.table, [3.0]).split()[:1]


def test_the_table_is_the_same_when_it_is_read_again():
    rows = rows_of(tiny_study(), Facts.of(tiny_study()), participant="01", session="a")
    again = rows_of_text(table_text(rows))
    assert table_text(again) == table_text(rows)
    assert rows_of_text("a\tb\n1\t2\n") == []
    assert (again[0]["participant"], again[0]["affected"], again[0]["side"]) == ("01", "left", "right")


def test_a_mirrored_head_turned_over_is_the_head_itself():
    head = small_head()
    other = mirrored_head(head)
    plain, turned = Standard(head), Standard(other, flipped=True)
    np.testing.assert_allclose(turned.brain, plain.brain * [-1, 1, 1], atol=1e-9)
    np.testing.assert_allclose(turned._snapped[1], plain._snapped[1], atol=1e-6)
    far = np.abs(Standard(other)._snapped[1] - plain._snapped[1])
    assert far.max() > 1.0  # fsaverage itself is not its own mirror image


def test_vertices_stay_on_their_side():
    head = small_head()
    points, distances = Standard(head)._snapped
    known = np.isfinite(points).all(axis=1)
    assert (points[known & fsaverage().left, 0] <= 0).all()
    assert (points[known & ~fsaverage().left, 0] >= 0).all()
    assert (distances[known] <= 10).all()
    fit = Standard(head).fit
    assert fit.how == "affine"
    assert 0 < fit.mean < fit.p95


def test_maps_keep_left_left():
    """Of a field that is 1 V/m in the right half of the head and nothing in the left."""

    class Field:
        def at(self, points):
            return (points > 0) * np.array([1.0, 0.0, 0.0])

    head, (mask, places) = small_head(), brain_points()
    for flipped in (False, True):
        standard = Standard(head, flipped=flipped)
        in_mni, on_cortex = standard.in_mni(Field()), standard.on_fsaverage(Field())
        right = places[:, 0] > 0
        assert in_mni[mask][right].mean() == (0.0 if flipped else 1.0)
        assert np.nanmean(on_cortex, axis=0).tolist() == ([1.0, 0.0] if flipped else [0.0, 1.0])


def test_the_lesion_is_where_it_is():
    head = tiny_head()
    mask = Standard(head).lesion
    lies = np.linalg.norm(brain_points()[1] - [-52, -15, 20], axis=1) < 12
    assert mask[brain_points()[0]][lies].mean() > 0.7
    assert (Standard(head, flipped=True).lesion == mask[::-1]).mean() > 0.999


def test_sphere_registration_finds_the_vertices(tmp_path):
    """A person whose cortex is fsaverage5's own, moved, with other vertex numbers."""
    own, shift, rng = fsaverage(), np.array([3.0, -2.0, 5.0]), np.random.default_rng(1)
    for side, first in (("l", 0), ("r", VERTICES)):
        order = rng.permutation(VERTICES)
        triangles = np.array([[0, 1, 2]])
        middle, sphere = own.points[first : first + VERTICES][order], own.sphere[first : first + VERTICES]
        volume = {"head": [2, 0, 20], "valid": "1  # volume info valid", "filename": "x", "volume": [256] * 3,
                  "voxelsize": [1.0] * 3, "xras": [-1.0, 0, 0], "yras": [0, 0, -1.0], "zras": [0, 1.0, 0],
                  "cras": shift}  # fmt: skip
        for kind, points in (
            ("white", middle - 1.0), ("pial", middle + 1.0), ("sphere.reg", sphere[order]),
        ):  # fmt: skip
            nib.freesurfer.write_geometry(tmp_path / f"{side}h.{kind}", points, triangles, volume_info=volume)
    np.testing.assert_allclose(registered_points(tmp_path), own.points + shift, atol=1e-3)
    (tmp_path / "lh.pial").write_bytes(b"damaged")
    assert "lh.pial is damaged" in refusal(registered_points, tmp_path)


def test_mean_and_variance_are_those_of_all_at_once():
    rng = np.random.default_rng(0)
    images = rng.normal(size=(5, 40))
    images[rng.random(images.shape) < 0.3] = np.nan
    images[:, 0], images[1:, 1] = np.nan, np.nan
    images[0, 1] = 2.0
    sums = Sums()
    for number, image in enumerate(images):
        sums.add(f"{number}", image, {})
    known = sums.count > 0
    np.testing.assert_allclose(sums.mean[known], np.nanmean(images[:, known], axis=0))
    several = sums.count > 1
    np.testing.assert_allclose(sums.variance[several], np.nanvar(images[:, several], axis=0, ddof=1))
    assert np.isnan(sums.variance[~several]).all()


def test_group_maps_are_by_role_and_turned_to_one_side(tmp_path):
    """Two people, a mirror of each other: turned over they are one, as they lie they are two."""
    brain = brain_points()[0]
    rng = np.random.default_rng(0)
    surface, left = rng.random((VERTICES, 2)).astype("f4"), np.where(brain, rng.random(brain.shape), 0).astype("f4")
    people = {"01": ("left", left), "02": ("right", left[::-1])}
    for label, (affected, image) in people.items():
        who = Who(label)
        about = {"Role": "contralesional", "Preset": PRESET, "Coil": "c", "Affected": affected}
        turned = {"Flipped": image[::-1]} if affected == "right" else {}
        for word, values in ({"": image} | turned).items():
            for space, shown in ((TEMPLATE, values), (NAME, surface)):
                name = field_name(who, space, "x", f"contralesionalE{word}")
                write_map(tmp_path, name, shown, "x", Flipped=bool(word), **about)
    made = {
        (row["space"], row["kind"], row["turned"]): row
        for row in write_group_maps(tmp_path, [(Who(label).folder, Who(label).label) for label in people])
    }
    assert {row["n"] for row in made.values()} == {2}
    assert len(made) == 8

    def values(*key):
        return np.asarray(nib.load(tmp_path / made[key]["file"]).dataobj)

    np.testing.assert_allclose(values(TEMPLATE, "mean", True), left, rtol=1e-6)
    np.testing.assert_allclose(values(TEMPLATE, "mean", False), (left + left[::-1]) / 2, rtol=1e-5)
    assert values(TEMPLATE, "variance", True)[brain].max() < 1e-12 < values(TEMPLATE, "variance", False)[brain].max()
    assert values(NAME, "mean", True).shape == (VERTICES, 1, 2)
    told = json.loads((tmp_path / made[TEMPLATE, "mean", True]["file"].replace(".nii.gz", ".json")).read_text())
    assert (told["N"], told["Units"], told["Participants"]) == (2, "V/m", ["sub-01", "sub-02"])


def test_a_job_array_calls_the_command_for_everybody(tmp_path):
    people = [*(Who(f"{n:04d}") for n in range(MOST_TASKS + 1)), Who("x", "b")]
    options = Options((PRESET, "dlpfc"), ("double-cone",), edge=2.5, nonlinear=False)
    text = slurm_file(people, tmp_path / "a b", tmp_path / "o", options, memory=6e9, time="1-02:00:00", processors=3)
    directives = dict(re.findall(r"^#SBATCH --([a-z-]+)=(.*)$", text, re.MULTILINE))
    assert directives["array"] == f"0-{MOST_TASKS - 1}"
    assert (directives["mem"], directives["time"], directives["cpus-per-task"]) == ("6000M", "1-02:00:00", "3")
    command = shlex.split(re.search(r"^command=\((.*)\)$", text, re.MULTILINE)[1])
    assert command[3:6] == ["cohort", str(tmp_path / "a b"), str(tmp_path / "o")]
    assert command[7:] == option_words(options)
    assert "must be a limit" in refusal(slurm_file, people, tmp_path, tmp_path, options, time="soon")
    assert "cannot stand" in refusal(slurm_file, people, tmp_path / 'x"y', tmp_path, options)


def test_what_is_documented_is_what_is_read():
    text = (Path(nf.__file__).parents[1] / "docs" / "cohort.md").read_text()
    told = set(re.findall(r"^\| `(\w+)`", text, re.MULTILINE))
    assert set(ANSWERS) | set(COLUMNS) <= told


def test_the_average_cortex_lies_in_the_brain():
    points = fsaverage().points
    mask, places = brain_points()
    assert points.shape == (2 * VERTICES, 3)
    assert average.NAME == "fsaverage5"
    inside = np.linalg.inv(nib.affines.from_matvec(np.eye(3) * 2, places.min(axis=0) * 0 - [98, 134, 72]))
    voxels = np.round(nib.affines.apply_affine(inside, points)).astype(int)
    assert mask[tuple(voxels.T)].mean() > 0.9
