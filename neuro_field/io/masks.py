"""Lesion masks in the formats people draw them in, with what came beside them to say what their numbers mean.

Beside ``LESION.nii.gz`` a file ``LESION.json`` with ``{"lesion": {"1": "cavity", "2": "rim", "3": "acute"}}`` or BIDS's
``LESION.tsv`` with the columns ``index`` and ``name`` tells.
"""

import csv
import json
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from neuro_field.errors import FileFormatError, InputError
from neuro_field.io.images import SUFFIXES, Image, read_image
from neuro_field.io.nrrd_images import SUFFIXES as NRRD_SUFFIXES
from neuro_field.io.nrrd_images import read_nrrd
from neuro_field.io.scratch import scratch_folder
from neuro_field.mri.drawn_lesion import DrawnLesion, drawn_lesion
from neuro_field.nouns import noun

#: MRIcron's volumes of interest are gzipped NIfTI images.
VOI = ".voi"

#: A longer sidecar than this, bytes, is none.
_LONGEST_SIDECAR = 1_000_000


@noun
class Mask:
    """A lesion mask as it stands in a file: its ``image``, and ``names`` of its numbers where something tells them."""

    image: Image
    names: Mapping[int, str] | None = None

    def drawn(self) -> DrawnLesion:
        """What its numbers mean."""
        try:
            return drawn_lesion(self.image.values, self.image.affine, self.names)
        except InputError as trouble:
            raise InputError(f"{self.image.path}: {trouble}") from None


def read_mask(path: str | Path) -> Mask:
    """A lesion mask.

    Parameters
    ----------
    path : path
        .nii, .nii.gz, .mgz, .mgh, .voi (MRIcron), .nrrd, .seg.nrrd (3D Slicer) or .nhdr with its voxels beside it.

    Raises
    ------
    InputError
        If it does not exist, is not three-dimensional, does not say where it lies, or its sidecar is none.
    FileFormatError
        If it is damaged or truncated.
    """
    path = Path(path)
    name = path.name.lower()
    if not path.exists():
        raise InputError(f"The lesion mask {path} does not exist.")
    if path.is_dir() or not name.endswith((*SUFFIXES, *NRRD_SUFFIXES, VOI)):
        raise InputError(
            f"The lesion mask {path} must be a file in one of {', '.join((*SUFFIXES, VOI, *NRRD_SUFFIXES))}."
        )
    if name.endswith(NRRD_SUFFIXES):
        found = read_nrrd(path)
        return Mask(Image(found.values, found.affine, path), _names_beside(path) or found.names or None)
    return Mask(_mricron(path) if name.endswith(VOI) else read_image(path, blank=True), _names_beside(path))


def _mricron(path: Path) -> Image:
    """An image of MRIcron, read under the name that its format has."""
    with path.open("rb") as file:
        if file.read(2) != b"\x1f\x8b":
            raise InputError(
                f"The lesion mask {path} is not one of MRIcron (a gzipped NIfTI); save it as .nii.gz, which any "
                "program for images can."
            )
    with scratch_folder() as folder:
        copy = folder / "mask.nii.gz"
        shutil.copyfile(path, copy)
        try:
            image = read_image(copy, blank=True)
        except InputError as trouble:
            raise type(trouble)(str(trouble).replace(str(copy), str(path))) from None
    return replace(image, path=path)


def _stem(path: Path) -> str:
    """The name of a mask without the endings that say its format."""
    name = path.name
    for suffix in (".seg.nrrd", ".nii.gz", *SUFFIXES, *NRRD_SUFFIXES, VOI):
        if name.lower().endswith(suffix):
            return name[: -len(suffix)]
    return path.stem


def _names_beside(path: Path) -> dict[int, str] | None:
    """Names of a mask's numbers from the JSON or TSV file beside it; None without one that tells."""
    beside = {suffix: path.with_name(_stem(path) + suffix) for suffix in (".json", ".tsv")}
    for suffix, file in beside.items():
        if not file.is_file():
            continue
        if file.stat().st_size > _LONGEST_SIDECAR:
            raise FileFormatError(f"The file {file} beside the lesion mask is too long to name its numbers.")
        try:
            text = file.read_text(encoding="utf-8-sig")
            names = _of_json(text) if suffix == ".json" else _of_table(text)
        except (UnicodeDecodeError, ValueError, TypeError, AttributeError, RecursionError) as trouble:
            reason = str(trouble).splitlines()[0][:80] if str(trouble) else type(trouble).__name__
            raise FileFormatError(f"The file {file} beside the lesion mask cannot be read: {reason}.") from None
        if names is not None:
            return names
    return None


def _of_json(text: str) -> dict[int, str] | None:
    """Of ``{"lesion": {"1": "cavity"}}``; None of JSON that says nothing of a lesion, as BIDS's often does."""
    told = json.loads(text)
    rows = told.get("lesion") if isinstance(told, dict) else None
    if rows is None:
        return None
    if not isinstance(rows, dict) or not all(isinstance(name, str) for name in rows.values()):
        raise ValueError('"lesion" must map numbers to names')
    return {int(number): name for number, name in rows.items()}


def _of_table(text: str) -> dict[int, str] | None:
    """Of a tab-separated table with the columns ``index`` and ``name``."""
    rows = list(csv.DictReader(text.splitlines(), delimiter="\t"))
    if not rows or not {"index", "name"} <= set(rows[0]):
        return None
    return {int(row["index"]): str(row["name"]) for row in rows}
