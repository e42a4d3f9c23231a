"""What must hold on Windows, as far as it can be held anywhere else."""

import ast
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from phantoms import phantom_labels
from test_architecture import FILES

from neuro_field.errors import InputError
from neuro_field.names import file_name
from neuro_field.shelf.coils import load_coil
from neuro_field.store import coil_folder
from neuro_field.store.plans import write_studies

#: Letters that no name on Windows has, names of its devices, and ends that it drops.
REFUSED = re.compile(r'.*[<>:"|?*\\\x00-\x1f].*|.*[. ]|(con|prn|aux|nul|(com|lpt)[0-9])(\..*)?', re.IGNORECASE)

#: A Python without what Windows lacks, and with file systems as strict.
WITHOUT = """
import os, sys

class Hidden:
    def find_spec(self, name, path=None, target=None):
        if name in ("fcntl", "resource"):
            raise ImportError(f"No module named {name!r}")

sys.meta_path.insert(0, Hidden())
for name in ("fcntl", "resource"):
    sys.modules.pop(name, None)
for name in ("sched_getaffinity", "sched_setaffinity", "O_NOFOLLOW"):
    if hasattr(os, name):
        delattr(os, name)

real = os.rename
def onto_nothing(source, target, **how):
    if os.path.lexists(target):
        raise FileExistsError(17, "Cannot create a file when that file already exists", target)
    real(source, target, **how)
os.rename = onto_nothing

from neuro_field.cli import main
for command in open(sys.argv[1], encoding="utf-8").read().splitlines():
    status = main(command.split())
    if status:
        sys.exit(f"{command}: {status}")
"""


def allowed(folder):
    """Every name in a folder can be one on Windows, and none differs from another by capitals alone."""
    for path in folder.rglob("*"):
        assert not REFUSED.fullmatch(path.name), path
        assert [path.name.casefold() for path in path.parent.iterdir()].count(path.name.casefold()) == 1, path
    return True


@pytest.mark.slow
def test_head_plan_report_and_export_run_without_what_windows_lacks(tmp_path):
    labels, affine = phantom_labels(5.0)
    nib.save(nib.Nifti1Image(labels.astype(np.uint8), affine), tmp_path / "labels.nii.gz")
    nib.save(nib.Nifti1Image(labels.astype(np.int16) * 100, affine), tmp_path / "T1.nii.gz")
    search = "--draws 0 --radius 10 --spacing 10 --angle-step 60"
    (tmp_path / "commands").write_text(
        "head T1.nii.gz --labels labels.nii.gz --edge 9 -o HEAD\n"
        f"plan HEAD --target left:m1-hand --coil figure8-70mm {search} -o PLAN\n"
        "report PLAN -o page.html\n"
        "export PLAN --to all\n"
    )
    environment = os.environ | {"PYTHONPATH": str(Path(coil_folder.__file__).parents[2])}
    run = subprocess.run(
        [sys.executable, "-c", WITHOUT, "commands"], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr[-2000:]
    assert "Traceback" not in run.stderr
    assert (tmp_path / "page.html").read_bytes() == (tmp_path / "PLAN" / "report.html").read_bytes()
    assert {path.name for path in tmp_path.iterdir()} == {
        "HEAD", "PLAN", "T1.nii.gz", "commands", "labels.nii.gz", "page.html",
    }  # fmt: skip
    assert len(list((tmp_path / "PLAN" / "navigation").iterdir())) > 5
    assert allowed(tmp_path)


@pytest.mark.parametrize(
    "name",
    [
        "a:b",
        "C-B60?",
        "..",
        "x.",
        "x ",
        "CON",
        "nul.tcd",
        "Lpt3",
        "a\0b",
        "a\\b",
        "ü",
        "",
        "x" * 300,
        "tab\there",
        "a/b",
    ],
)
def test_any_name_becomes_one_that_every_system_takes(name):
    made = file_name(name)
    assert made
    assert len(made) <= 81
    assert not REFUSED.fullmatch(made)
    assert "/" not in made
    assert made.isascii()
    assert file_name(made) == made


def test_pictures_of_coils_have_names_that_every_system_takes(tmp_path, monkeypatch):
    """Names in files are free: one that is a device, one with what Windows refuses, two that differ by capitals."""
    coil = load_coil("figure8-70mm")
    names = ["CON", "A:B?", "d70", "D70", "a\0b"]
    figures = coil_folder.CoilFigures.of(coil)
    shown = {name: coil_folder.ShownCoil(replace(coil, name=name), None, {"name": name}, figures) for name in names}
    monkeypatch.setattr(coil_folder, "shown_coil", shown.__getitem__)
    monkeypatch.setattr(coil_folder, "coil_picture", lambda coil, winding: b"png")
    monkeypatch.setattr(coil_folder, "coils_page", lambda pages, language: "page")
    try:
        coil_folder.write_coil_pages(names, tmp_path / "COILS")
    except (OSError, ValueError) as error:
        raise AssertionError("a name was taken as it is") from error
    assert allowed(tmp_path)
    assert len(list((tmp_path / "COILS").iterdir())) == 6


@pytest.mark.parametrize("names", [["a:b"], ["CON"], ["Index.tsv"], ["x", "X"], ["x."]])
def test_folders_of_studies_have_names_that_every_system_takes(tmp_path, monkeypatch, names):
    monkeypatch.setattr("neuro_field.store.plans.write_study", lambda study, folder, **keep: None)
    monkeypatch.setattr("neuro_field.store.plans.index_rows", lambda name, study, subject: [])
    with pytest.raises(InputError, match="folder of its own"):
        write_studies([(name, None) for name in names], tmp_path / "OUT")
    assert not any(tmp_path.iterdir())


def calls(path):
    """Calls in a file: name of the function, its keywords, its arguments, the line."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            constants = [arg.value for arg in node.args if isinstance(arg, ast.Constant)]
            yield name, {word.arg for word in node.keywords}, constants, node.lineno


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_text_has_its_coding_and_line_ends_said(path):
    """Else both are the system's: cp1252 and CR LF on Windows."""
    for name, keywords, constants, line in calls(path):
        where = f"{path.name}:{line} {name}"
        if name in ("write_text", "read_text"):
            assert "encoding" in keywords, where
        if name == "write_text" or (name == "open" and {"w", "a", "x"} & set(constants)):
            assert {"encoding", "newline"} <= keywords, where
        if name in ("run", "Popen", "check_output"):
            assert ("text" not in keywords and "universal_newlines" not in keywords) or "encoding" in keywords, where
