"""Segmenting by a program of others: found, run, logged, resumed, and its failures told in one line.

A small script plays SAMSEG here; the real one takes ten minutes.
"""

import sys

import nibabel as nib
import numpy as np
import pytest
from phantoms import phantom_labels

from neuro_field.cli import main
from neuro_field.errors import InputError, UnknownNameError
from neuro_field.io.locks import TakenError
from neuro_field.segment.samseg import VARIABLE, Samseg
from neuro_field.segment.segmentation import segment
from neuro_field.store.heads import read_head

#: Plays run_samseg: registers (unless told not to), breaks if a file "break" lies beside it, and writes seg.mgz.
PLAYER = """
import sys
from pathlib import Path
import nibabel as nib
import numpy as np
here, words = Path(__file__).parent, sys.argv[1:]
out = Path(words[words.index("--output") + 1])
out.mkdir(exist_ok=True)
print("ready")
if "--reg" not in words:
    (out / "template.lta").write_text("registered")
    print("registered")
for n in range(3):
    print("iterationNumber:", n)
if (here / "break").exists():
    sys.exit("RuntimeError: out of luck")
t1 = nib.load(words[words.index("--input") + 1])
numbers = np.array([0, 2, 3, 24, 165, 258], dtype=np.int32)
nib.save(nib.MGHImage(numbers[np.asarray(t1.dataobj).astype(int) // 100], t1.affine), out / "seg.mgz")
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
    nib.save(nib.Nifti1Image(labels.astype(np.int16) * 100 + 5, affine), path)
    return path


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


def test_without_a_python_for_it_the_remedy_is_told(tmp_path, monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setattr(sys, "version_info", (3, 13, 0, "final", 0))
    assert Samseg().find() is None
    with pytest.raises(InputError, match=r"Python 3\.11.*--labels"):
        Samseg().ready(lambda stage, share: None)


def test_a_failed_set_up_says_what_it_needs(tmp_path, monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setattr(sys, "version_info", (3, 11, 9, "final", 0))
    (tmp_path / "python").write_text("#!/bin/sh\necho 'ERROR: Failed building wheel for surfa' >&2\nexit 1\n")
    (tmp_path / "python").chmod(0o755)
    with pytest.raises(InputError, match=r"building wheel for surfa.*C compiler.*--labels"):
        Samseg().ready(lambda stage, share: None)


def test_a_half_made_environment_is_not_taken_for_samseg(tmp_path, monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
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


def test_a_head_from_a_t1_alone(t1, player, tmp_path, capsys):
    assert main(["head", str(t1), "--edge", "8", "-o", str(tmp_path / "HEAD")]) == 0
    assert "Labels made" in capsys.readouterr().out
    head = read_head(tmp_path / "HEAD")
    assert head.provenance["label_table"] == "freesurfer"
    assert (tmp_path / "HEAD.segmentation" / "segmentation.log").is_file()


def test_two_runs_do_not_segment_into_one_folder(player, t1, tmp_path):
    from test_claims import another

    code = "import sys, time; from pathlib import Path; from neuro_field.io.locks import locked\n"
    code += "with locked(Path(sys.argv[1])): print('writing', flush=True); time.sleep(60)"
    with another(tmp_path / "out", code), pytest.raises(TakenError, match="another run"):
        segment([t1], tmp_path / "out")
    assert not (tmp_path / "out").exists()
    assert segment([t1], tmp_path / "out").labels.is_file()
    assert not list(tmp_path.glob(".writing-*"))
