"""Segmenting by a program of others: found, run, logged, resumed, told in one line; a lesion is filled before.

A small script plays SAMSEG here; the real one takes ten minutes.
"""

import json
import sys

import nibabel as nib
import numpy as np
import pytest
from phantoms import phantom_labels
from tests_support import accepted

from neuro_field.cli import main
from neuro_field.errors import InputError, UnknownNameError
from neuro_field.io.locks import TakenError
from neuro_field.io.masks import read_mask
from neuro_field.segment.python import find_python
from neuro_field.segment.samseg import VARIABLE, Samseg
from neuro_field.segment.segmentation import segment
from neuro_field.store.heads import read_head

#: Brightness of the image's tissues (0 air, 1 white, 2 grey, 3 CSF, 4 bone, 5 scalp), as in a T1.
BRIGHTNESS = np.array([5, 165, 125, 65, 25, 205], dtype=np.int16)

#: Plays run_samseg: registers (unless told not to), breaks if a file "break" lies beside it, and writes seg.mgz; dies
#: half through that if a file "die" lies there.
PLAYER = """
import os, signal, sys
from pathlib import Path
import nibabel as nib
import numpy as np
here, words = Path(__file__).parent, sys.argv[1:]
out = Path(words[words.index("--output") + 1])
out.mkdir(exist_ok=True)
print("ready")
if "--reg" not in words:
    (out / "template.lta").write_text("dst volume info\\nvalid = 1\\ncras   = 0 0 0\\n")
    print("registered")
for n in range(3):
    print("iterationNumber:", n)
if (here / "break").exists():
    sys.exit("RuntimeError: out of luck")
t1 = nib.load(words[words.index("--input") + 1])
if (here / "die").exists():
    (out / "seg.mgz").write_bytes(b"half a file")
    os.kill(os.getpid(), signal.SIGKILL)
numbers = np.array([0, 165, 24, 3, 2, 258], dtype=np.int32)
kinds = np.digitize(np.asarray(t1.dataobj), [15, 45, 95, 145, 185])
nib.save(nib.MGHImage(numbers[kinds], t1.affine), out / "seg.mgz")
"""


@pytest.fixture
def player(tmp_path, monkeypatch):
    folder = tmp_path / "program"
    folder.mkdir()
    script = folder / "run_samseg"
    script.write_text(f"#!{sys.executable}\n{PLAYER}")
    script.chmod(0o755)
    monkeypatch.setenv(VARIABLE, str(script))
    return folder


@pytest.fixture
def t1(tmp_path):
    labels, affine = phantom_labels(5.0)
    path = tmp_path / "T1.nii.gz"
    nib.save(nib.Nifti1Image(BRIGHTNESS[labels], affine), path)
    return path


def stroke(folder, t1, name="lesion", middle=(-35.0, -15.0, 30.0)):
    """A T1 with a dark ball in it, and the mask of the ball."""
    image = nib.load(t1)
    places = np.moveaxis(np.indices(image.shape), 0, -1) @ image.affine[:3, :3].T + image.affine[:3, 3]
    ball = np.linalg.norm(places - np.asarray(middle), axis=-1) < 18
    t1 = folder / f"{name}_T1.nii.gz"
    nib.save(nib.Nifti1Image(np.where(ball, np.int16(60), np.asarray(image.dataobj)), image.affine), t1)
    nib.save(nib.Nifti1Image(ball.astype(np.uint8), image.affine), folder / f"{name}.nii.gz")
    return t1, folder / f"{name}.nii.gz", ball


def test_labels_are_made_once_with_progress_and_a_log(t1, player, tmp_path):
    told = []
    made = segment([t1], tmp_path / "work", progress=lambda stage, share: told.append((stage, share)))
    assert not made.reused
    assert np.unique(np.asarray(nib.load(made.labels).dataobj)).tolist() == [0, 2, 3, 24, 165, 258]
    assert "iterationNumber: 2" in made.log.read_text()
    shares = [share for stage, share in told if stage == "segmenting (samseg)"]
    assert shares == sorted(shares)
    assert len(set(shares)) >= 4
    assert shares[-1] == 1.0
    before = made.labels.stat().st_mtime_ns
    again = segment([t1], tmp_path / "work")
    assert again.reused
    assert again.labels.stat().st_mtime_ns == before


def test_a_broken_run_tells_its_last_word_and_goes_on_after_the_registration(t1, player, tmp_path):
    (player / "break").touch()
    with pytest.raises(InputError, match=r"status 1.*out of luck.*segmentation\.log"):
        segment([t1], tmp_path / "work")
    assert "registered" in (tmp_path / "work" / "segmentation.log").read_text()
    (player / "break").unlink()
    made = segment([t1], tmp_path / "work")
    assert not made.reused
    assert made.log.read_text().count("registered") == 1  # the second run was given the first's registration


def test_a_folder_of_other_images_or_other_things_is_refused(t1, player, tmp_path):
    segment([t1], tmp_path / "work")
    image = nib.load(t1)
    nib.save(nib.Nifti1Image(np.asarray(image.dataobj) + 1, image.affine), tmp_path / "T1b.nii.gz")
    with pytest.raises(InputError, match="something else"):
        segment([tmp_path / "T1b.nii.gz"], tmp_path / "work")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match="something else"):
        segment([t1], tmp_path / "mine")
    assert (tmp_path / "mine" / "notes.txt").read_text() == "mine"


def test_what_is_missing_is_named(t1, tmp_path, monkeypatch):
    with pytest.raises(UnknownNameError, match="samseg"):
        segment([t1], tmp_path / "work", segmenter="charm")
    with pytest.raises(InputError, match=r"missing\.nii"):
        segment([tmp_path / "missing.nii.gz"], tmp_path / "work")
    monkeypatch.setenv(VARIABLE, str(tmp_path / "nowhere"))
    with pytest.raises(InputError, match=VARIABLE):
        segment([t1], tmp_path / "work")


def test_labels_of_a_killed_run_are_never_taken(t1, player, tmp_path):
    (player / "die").touch()
    with pytest.raises(InputError, match="status -9"):
        segment([t1], tmp_path / "work")
    assert (tmp_path / "work" / "samseg" / "seg.mgz").read_bytes() == b"half a file"
    (player / "die").unlink()
    made = segment([t1], tmp_path / "work")
    assert not made.reused
    assert np.unique(np.asarray(nib.load(made.labels).dataobj)).tolist() == [0, 2, 3, 24, 165, 258]
    assert made.log.read_text().count("registered") == 1  # gone on after the registration
    assert segment([t1], tmp_path / "work").reused


def test_a_registration_that_was_half_written_is_made_again(t1, player, tmp_path):
    backend = Samseg()
    backend.ready(lambda stage, share: None)
    lta = tmp_path / "samseg" / "template.lta"
    lta.parent.mkdir()
    for text, whole in (("", False), ("src volume info\ncras = 0 0 0\ndst volume info\nvalid = 1\n", False),
                        ("dst volume info\nvalid = 1\ncras   = 0 0 0\n", True)):  # fmt: skip
        lta.write_text(text)
        assert ("--reg" in backend.command([t1], tmp_path)) is whole


def test_the_segmenter_sees_the_lesion_filled(t1, player, tmp_path):
    hurt, mask, ball = stroke(tmp_path, t1)
    made = segment([hurt], tmp_path / "work", lesion=read_mask(mask).drawn())
    labels = np.asarray(nib.load(made.labels).dataobj)
    assert np.mean(np.isin(labels[ball], (2, 3))) > 0.99  # brain, where the T1 is as dark as fluid
    as_it_is = segment([hurt], tmp_path / "unfilled")
    assert np.mean(np.asarray(nib.load(as_it_is.labels).dataobj)[ball] == 24) > 0.99
    assert as_it_is.findings == ()
    (told,) = made.findings
    assert told.code == "lesion-filled"
    again = segment([hurt], tmp_path / "work", lesion=read_mask(mask).drawn())
    assert again.reused
    assert again.findings == made.findings
    record = json.loads((tmp_path / "work" / "filling.json").read_text())
    assert record["mirrored_cm3"] == pytest.approx(ball.sum() * 0.125, rel=0.02)
    _, other, _ = stroke(tmp_path, t1, "other", (35.0, -15.0, 30.0))
    for lesion in (read_mask(other).drawn(), None):
        with pytest.raises(InputError, match="something else"):
            segment([hurt], tmp_path / "work", lesion=lesion)


def test_a_filling_that_was_interrupted_is_made_again(t1, player, tmp_path):
    hurt, mask, ball = stroke(tmp_path, t1)
    (player / "break").touch()
    with pytest.raises(InputError, match="out of luck"):
        segment([hurt], tmp_path / "work", lesion=read_mask(mask).drawn())
    (tmp_path / "work" / "filling.json").unlink()  # as if ended between the copy and its record
    (tmp_path / "work" / "T1_filled.nii.gz").write_bytes(b"half a file")
    (player / "break").unlink()
    made = segment([hurt], tmp_path / "work", lesion=read_mask(mask).drawn())
    assert np.mean(np.isin(np.asarray(nib.load(made.labels).dataobj)[ball], (2, 3))) > 0.99


def bare(monkeypatch, tmp_path, version):
    """A machine without SAMSEG, where our Python is of a version and nothing else is to be found."""
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.delenv("PYENV_ROOT", raising=False)
    for variable in ("XDG_CACHE_HOME", "PATH", "HOME", "USERPROFILE"):
        monkeypatch.setenv(variable, str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setattr(sys, "version_info", (*version, 0, "final", 0))


def program(path, text):
    """A program of a few lines of shell."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def test_without_a_python_for_it_the_remedy_is_told(tmp_path, monkeypatch):
    bare(monkeypatch, tmp_path, (3, 13))
    assert Samseg().find() is None
    with pytest.raises(InputError, match=r"Python 3\.11.*uv.*--labels"):
        Samseg().ready(lambda stage, share: None)


def test_any_python_of_the_version_is_found(tmp_path, monkeypatch):
    bare(monkeypatch, tmp_path, (3, 13))
    assert find_python((3, 11)) is None
    by_uv, by_launcher = (program(tmp_path / name / "python", "echo 3.11") for name in ("uvs", "windows"))
    program(tmp_path / "uv", f'[ "$1 $2 $3" = "python find 3.11" ] && echo {by_uv}')
    assert find_python((3, 11)) == by_uv
    program(tmp_path / "py", f'[ "$1" = "-3.11" ] && echo {by_launcher}')
    assert find_python((3, 11)) == by_launcher
    older, newer = (
        program(tmp_path / ".pyenv/versions" / n / "bin/python", "echo 3.11") for n in ("3.11.9", "3.11.10")
    )
    program(tmp_path / ".pyenv/versions/3.11.11/bin/python", "exit 1")  # broken
    assert find_python((3, 11)) == newer
    newer.unlink()
    assert find_python((3, 11)) == older
    shim = program(tmp_path / "python3.11", "echo 'command not found'; exit 127")  # of pyenv, the version not chosen
    assert find_python((3, 11)) == older
    program(shim, "echo 3.11")
    assert find_python((3, 11)) == shim
    monkeypatch.setattr(sys, "version_info", (3, 11, 9, "final", 0))
    assert find_python((3, 11)) == tmp_path / "python"


def test_uv_makes_the_environment_where_there_is_no_python(tmp_path, monkeypatch):
    bare(monkeypatch, tmp_path, (3, 13))
    folder = Samseg.own_environment()
    pip = program(tmp_path / "pip", f"echo $* > {folder}/asked; : > {folder}/bin/run_samseg")
    program(
        tmp_path / "uv",
        f'[ "$1" = python ] && exit 2\n[ "$*" = "venv --clear --seed --python 3.11 {folder}" ] || exit 1\n'
        f"/bin/mkdir -p {folder}/bin && /bin/cp {pip} {folder}/bin/python",
    )
    assert Samseg().set_up(lambda stage, share: None) == folder / "bin" / "run_samseg"
    assert (folder / "asked").read_text().split() == ["-m", "pip", "install", "--quiet", "samseg==0.4a0", "numpy<2"]


def test_a_second_set_up_waits_for_the_first_and_takes_what_it_made(tmp_path, monkeypatch):
    from test_claims import another

    real = sys.executable
    bare(monkeypatch, tmp_path, (3, 11))
    fake = program(tmp_path / "python", "exit 1")  # would fail if it were asked
    monkeypatch.setattr(sys, "executable", real)
    folder, told = Samseg.own_environment(), []
    folder.parent.mkdir(parents=True, exist_ok=True)
    code = "import sys, time; from pathlib import Path; from neuro_field.io.locks import locked\n"
    code += "with locked(Path(sys.argv[1])): print('writing', flush=True); time.sleep(60)"
    with another(folder, code) as process:
        monkeypatch.setattr(sys, "executable", str(fake))

        def tell(stage, share):
            told.append(stage)
            if stage.startswith("waiting"):
                program(folder / "bin" / "run_samseg", "")
                (folder / "whole").touch()
                process.kill()

        assert accepted(Samseg().ready, tell) == f"samseg ({folder / 'bin' / 'run_samseg'})"
    assert any("another run" in stage for stage in told)


def test_a_failed_set_up_says_what_it_needs(tmp_path, monkeypatch):
    bare(monkeypatch, tmp_path, (3, 11))
    (tmp_path / "python").write_text("#!/bin/sh\necho 'ERROR: Failed building wheel for surfa' >&2\nexit 1\n")
    (tmp_path / "python").chmod(0o755)
    with pytest.raises(InputError, match=r"building wheel for surfa.*C compiler.*--labels"):
        Samseg().ready(lambda stage, share: None)


def test_a_half_made_environment_is_not_taken_for_samseg(tmp_path, monkeypatch):
    bare(monkeypatch, tmp_path, (3, 11))
    script = Samseg.own_environment() / "bin" / "run_samseg"
    script.parent.mkdir(parents=True)
    script.touch()
    assert Samseg().find() is None
    (Samseg.own_environment() / "whole").touch()
    assert Samseg().find() == script


def test_a_t2_is_registered_to_the_t1_and_our_paths_stay_ours(t1, player, tmp_path, monkeypatch):
    backend = Samseg()
    backend.ready(lambda stage, share: None)
    command = backend.command([t1, tmp_path / "T2.nii.gz"], tmp_path)
    assert {"--coregister", "--pallidum-separate"} <= set(command)
    monkeypatch.setenv("PYTHONPATH", "/ours")
    assert "PYTHONPATH" not in backend.environment()


def test_a_head_from_a_t1_and_its_lesion(t1, player, tmp_path, capsys, monkeypatch):
    hurt, mask, ball = stroke(tmp_path, t1)
    given = ["head", str(hurt), "--lesion", str(mask), "--edge", "8", "-o"]
    assert main([*given, str(tmp_path / "HEAD")]) == 0
    said = capsys.readouterr().out
    assert "Labels made" in said
    assert "mirrored tissue" in said
    head = read_head(tmp_path / "HEAD")
    assert head.provenance["label_table"] == "freesurfer"
    assert (tmp_path / "HEAD.segmentation" / "segmentation.log").is_file()
    assert head.tissue_volumes["lesion_cavity"] == pytest.approx(ball.sum() * 0.125, rel=0.3)  # coarse cells
    found = {finding.code: finding for finding in head.findings}
    assert found["lesion-filled"].values["mirrored_cm3"] > 20
    assert found["lesion-labelled-as"].values["brain"] > 0.99  # the segmenter's labels are those of a healthy brain
    asked = []

    def asks(images, folder, *, lesion, **others):
        asked.append(lesion)
        raise InputError("enough")

    monkeypatch.setattr("neuro_field.segment.segmentation.segment", asks)
    assert main([*given, str(tmp_path / "OTHER"), "--no-fill"]) == 2
    assert main([*given, str(tmp_path / "OTHER")]) == 2
    assert asked[0] is None
    assert (asked[1].tags > 0).sum() == ball.sum()


def test_two_runs_do_not_segment_into_one_folder(player, t1, tmp_path):
    from test_claims import another

    code = "import sys, time; from pathlib import Path; from neuro_field.io.locks import locked\n"
    code += "with locked(Path(sys.argv[1])): print('writing', flush=True); time.sleep(60)"
    with another(tmp_path / "out", code), pytest.raises(TakenError, match="another run"):
        segment([t1], tmp_path / "out")
    assert not (tmp_path / "out").exists()
    assert segment([t1], tmp_path / "out").labels.is_file()
    assert not list(tmp_path.glob(".writing-*"))
