"""The images that a segmenter sees of a head with a lesion: copies with the lesion filled, kept with its files."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from neuro_field.findings import Finding
from neuro_field.io.atomic import new_file
from neuro_field.io.images import Image, read_image, write_image
from neuro_field.mri.drawn_lesion import DrawnLesion
from neuro_field.mri.filling import plan_filling
from neuro_field.mri.volume import Volume

#: How the lesion was filled, and what the copies are called after: the T1 is the first.
FILLING, COPY = "filling.json", "{name}_filled.nii.gz"


def filled_images(images: Sequence[Image], lesion: DrawnLesion, folder: Path) -> tuple[list[Path], tuple[Finding, ...]]:
    """Copies of a person's images with the lesion filled, and what has to be said of it.

    Parameters
    ----------
    images : sequence of Image
        The T1 first; it tells how the lesion is filled.
    lesion : DrawnLesion
        Where it lies in the T1, on any grid.
    folder : Path
        Where the copies go, and the record of the filling; copies that are there already are taken.
    """
    record = folder / FILLING
    copies = [folder / COPY.format(name="T1" if not number else f"T{number + 1}") for number in range(len(images))]
    if not record.is_file():
        t1 = images[0]
        filling = plan_filling(Volume(t1.values, t1.affine), Volume(lesion.tags > 0, lesion.affine))
        for image, copy in zip(images, copies, strict=True):
            filled = filling.applied(image.values, image.affine)
            whole = filled.astype(np.float32) if filled.dtype.itemsize == 8 or filled.dtype == bool else filled
            write_image(copy, whole, image.affine)
        said = filling.plain() | {"findings": [found.plain() for found in filling.findings]}
        with new_file(record) as beside:
            beside.write_text(json.dumps(said, indent=1) + "\n", encoding="utf-8", newline="\n")
    for copy in copies:
        read_image(copy)
    known = json.loads(record.read_text(encoding="utf-8"))
    return copies, tuple(Finding.of_plain(row) for row in known["findings"])
