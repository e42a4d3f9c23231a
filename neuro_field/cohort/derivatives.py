"""What is written, named and described as BIDS derivatives: the validator passes it with nothing ignored.

Maps of |E| are ``fmap/*_magnitude.nii.gz`` (V/m, as their sidecars say), the lesion is ``anat/*_label-lesion_mask``,
tables are ``*_task-tms_desc-placements_beh.tsv``; folders of our own formats lie in ``sourcedata``, pages in ``docs``.
A map on fsaverage5 is an image of (10242, 1, 2): vertices of the left and of the right hemisphere.
"""

import json
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from neuro_field.arrays import AnyArray
from neuro_field.cohort.dataset import DESCRIPTION, OURS
from neuro_field.cohort.entities import Who
from neuro_field.cohort.fsaverage import NAME, VERTICES
from neuro_field.cohort.standard import TEMPLATE
from neuro_field.errors import InputError
from neuro_field.io.atomic import new_file
from neuro_field.io.images import write_image
from neuro_field.mri.template import template

#: Of the standard that names and descriptions follow.
BIDS_VERSION = "1.10.0"

#: In the output: folders of our own formats, logs, and pages.
OWN, LOGS, PAGES = f"sourcedata/{OURS}", "logs", "docs"

#: The group's table.
TABLE = "task-tms_desc-placements_beh"

_README = """\
Electric fields of transcranial magnetic stimulation and ranked coil placements, by neuro_field.

sub-*/[ses-*/]fmap/*_magnitude.nii.gz  |E| of each side's best placement at 1 A/us, V/m: in MNI152 (2 mm), and on
    fsaverage5 as (10242, 1, 2): the vertices of the left and of the right hemisphere.
sub-*/[ses-*/]anat/*_label-lesion_mask.nii.gz  the lesion in MNI152.
tpl-*/  mean and variance of the group, and how many lesions lie where; Flipped: right-sided ones turned to the left.
task-tms_desc-placements_beh.tsv  one row a placement, and one for everybody who has none, with the reason.
sourcedata/neuro_field/*/  HEAD and PLAN folders of neuro_field, reports among them.
docs/group.html  who failed and why, distributions, every plan by eye.
logs/  what each run said.

Research software. Not a medical device. Labels of participants are all that is told of persons; but the T1 images in
sourcedata show their faces, as T1 images do: treat the folder as patient data.
"""


def describe(out: Path, source: Path) -> None:
    """Make a folder a data set of derivatives of another.

    Raises
    ------
    InputError
        If it holds a data set of somebody else.
    """
    path = out / DESCRIPTION
    record = {
        "Name": "Electric fields and coil placements of neuro_field",
        "BIDSVersion": BIDS_VERSION,
        "DatasetType": "derivative",
        "License": "n/a",
        "Authors": ["unknown"],
        "GeneratedBy": [{"Name": OURS, "Version": version(OURS)}],
        "SourceDatasets": [{"URL": f"file:///{source.name}", "Version": "n/a"}],
    }
    if path.is_file():
        known = path.read_text(encoding="utf-8", errors="replace")
        if f'"Name": "{OURS}"' not in known:
            raise InputError(f"The folder {out} holds another data set; give a folder of its own.")
    elif out.is_dir() and any(each for each in out.iterdir() if not each.name.startswith(".")):
        raise InputError(f"The folder {out} is not empty and no data set of {OURS}; give a folder of its own.")
    out.mkdir(parents=True, exist_ok=True)
    keep_text(path, json.dumps(record, indent=1) + "\n")
    keep_text(out / "README.md", _README)


def keep_text(path: Path, text: str) -> None:
    """Write a text where it is not there word for word already; whole or not at all."""
    if path.is_file() and path.read_text(encoding="utf-8", errors="replace") == text:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with new_file(path) as beside:
        beside.write_text(text, encoding="utf-8", newline="\n")


def beside_table(described: Mapping[str, str]) -> str:
    """The sidecar of a table: what its columns mean."""
    return json.dumps({name: {"Description": words} for name, words in described.items()}, indent=1) + "\n"


def own_folder(out: Path, who: Who) -> Path:
    """Where one participant's folders of our own formats lie."""
    return out / OWN / who.label


def field_name(who: Who, space: str, acquisition: str, described: str) -> str:
    """``sub-01/fmap/sub-01_acq-x_space-y_desc-z_magnitude.nii.gz``."""
    return f"{who.folder}/fmap/{who.label}_acq-{acquisition}_space-{space}_desc-{described}_magnitude.nii.gz"


def table_name(who: Who, acquisition: str) -> str:
    """The table of one participant's plan."""
    return f"{who.folder}/beh/{who.label}_task-tms_acq-{acquisition}_desc-placements_beh.tsv"


def lesion_name(who: Who) -> str:
    """The lesion of one participant in MNI152."""
    return f"{who.folder}/anat/{who.label}_space-{TEMPLATE}_label-lesion_mask.nii.gz"


def group_name(space: str, acquisition: str, described: str) -> str:
    """``tpl-MNI152NLin2009aSym/fmap/tpl-MNI152NLin2009aSym_acq-x_desc-y_magnitude.nii.gz``."""
    return f"tpl-{space}/fmap/tpl-{space}_acq-{acquisition}_desc-{described}_magnitude.nii.gz"


def overlap_name(described: str) -> str:
    """How many lesions of the group lie where."""
    return f"tpl-{TEMPLATE}/anat/tpl-{TEMPLATE}_label-lesion_desc-{described}_probseg.nii.gz"


def write_map(out: Path, name: str, values: AnyArray, description: str, **more: Any) -> list[str]:
    """Write values in MNI152 (i, j, k), or on fsaverage5 (v, 2), with a sidecar; the names of both files."""
    path = out / name
    path.parent.mkdir(parents=True, exist_ok=True)
    surface = values.shape == (VERTICES, 2)
    where = (
        f"{NAME}: first index the vertex, last the hemisphere, left before right; middle of the cortex."
        if surface
        else "ICBM152 2009a nonlinear symmetric, 2 mm, as nilearn carries it."
    )
    if surface:
        write_image(path, values[:, None, :], np.eye(4), "mni")
    else:
        write_image(path, values, template().affine, "mni")
    record = {"Description": description, "SpatialReference": where, "SkullStripped": True} | more
    sidecar = name.removesuffix(".nii.gz") + ".json"
    keep_text(out / sidecar, json.dumps(record, indent=1) + "\n")
    return [name, sidecar]
