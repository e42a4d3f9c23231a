"""From the images of a person to a head: read, held against each other, prepared, built; keeping it is for heads.py."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np

from neuro_field.head.mapping import MniMapping
from neuro_field.head.model import HeadModel
from neuro_field.head.tissues import tags_of
from neuro_field.io.affine_files import read_affine
from neuro_field.io.digest import digests
from neuro_field.io.images import Image, check_worlds, read_image, read_labels
from neuro_field.mri.agreement import check_labels, check_lesion
from neuro_field.mri.build import Progress, build_prepared, checked_mapping, prepare_labels
from neuro_field.mri.given_mapping import given_mapping
from neuro_field.mri.labels import TableChoice
from neuro_field.mri.volume import Volume


def head_from_images(
    t1: str | Path,
    labels: str | Path,
    *,
    lesion: str | Path | None = None,
    rim: float = 0.0,
    edge: float = 1.9,
    tissue_edges: Mapping[str, float] | None = None,
    table: TableChoice | None = None,
    nonlinear: bool = False,
    mapping: str | Path | Literal[False] | None = None,
    t2: str | Path | None = None,
    progress: Progress | None = None,
) -> tuple[HeadModel, dict[str, Image]]:
    """A head from a T1, the label image of its segmentation and, if there is one, a lesion mask.

    ``table`` says what the labels' numbers mean, as in `neuro_field.build_head`. ``mapping`` is the file of an affine
    map to MNI152, whichever way it goes, or False for a head without one; it is found from the labels when omitted. Of
    a T2 that helped to make the labels only the SHA-256 is kept.

    Returns
    -------
    HeadModel
        Its provenance holds the SHA-256 of every file.
    dict
        The images `write_head` takes: ``t1``, and ``labels``, the tissues that were meshed.

    Raises
    ------
    InputError
        As `neuro_field.build_head`, and if the labels or the lesion do not lie on the T1 as it looks.
    """
    checked_mapping(False if mapping is False else None, nonlinear)
    matrix = None if mapping is None or mapping is False else read_affine(mapping)
    t1_image, label_image = read_image(t1), read_labels(labels)
    lesion_image = None if lesion is None else read_labels(lesion)
    if lesion_image is not None:
        check_worlds(lesion_image, t1_image)
    t1_volume = Volume(t1_image.values, t1_image.affine)
    if progress is not None:
        progress("cleaning", 0.0)
    ready = prepare_labels(
        label_image.values,
        label_image.affine,
        None if lesion_image is None else lesion_image.values,
        lesion_affine=None if lesion_image is None else lesion_image.affine,
        rim=rim,
        table=table,
        t1=t1_volume,
    )
    if progress is not None:
        progress("cleaning", 1.0)
    where = f"The labels {label_image.path} and the T1 {t1_image.path}"
    found = check_labels(Volume(ready.labels, ready.affine), t1_volume, where)
    ready.record["findings"] += [each.plain() for each in (*t1_image.findings("t1"), *found)]
    known: MniMapping | Literal[False] | None = False if mapping is False else None
    if matrix is not None:
        known = given_mapping(matrix, Path(str(mapping)).name, ready.labels, ready.affine, ready.padding)
    head = build_prepared(
        ready, edge, tissue_edges=tissue_edges, mapping=known, nonlinear=nonlinear, progress=progress
    )  # fmt: skip
    if lesion_image is not None and head.mapping is not None:
        brain = Volume(np.isin(ready.labels, tags_of("brain") + tags_of("lesion")).astype(np.uint8), ready.affine)
        said = check_lesion(Volume(lesion_image.values, lesion_image.affine), t1_volume, brain, head.mapping)
        rows = [*head.provenance["findings"], *(each.plain() for each in said)]
        head = replace(head, provenance=dict(head.provenance) | {"findings": rows})
    paths = {"t1": t1_image.path, "labels": label_image.path}
    if lesion_image is not None:
        paths["lesion"] = lesion_image.path
    if t2 is not None:
        paths["t2"] = Path(t2)
    if matrix is not None:
        paths["mapping"] = Path(str(mapping))
    head = replace(head, provenance=dict(head.provenance) | {"inputs": digests(paths)})
    return head, {"t1": t1_image, "labels": Image(ready.labels, ready.affine, label_image.path, t1_image.code)}
