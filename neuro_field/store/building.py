"""From the images of a person to a head: read, held against each other, prepared, built; keeping it is for heads.py."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from neuro_field.arrays import transformed
from neuro_field.errors import InputError
from neuro_field.findings import Finding
from neuro_field.head.model import HeadModel
from neuro_field.io.digest import digests
from neuro_field.io.images import Image, read_image, read_labels
from neuro_field.mri.build import Progress, build_prepared, checked_mapping, prepare_labels
from neuro_field.mri.labels import TableChoice
from neuro_field.mri.volume import Volume

#: Share of the labelled head that must lie within the T1.
LEAST_SHARED = 0.8


def _checked_world(labels: Image, t1: Image) -> None:
    """Refuse labels that lie elsewhere than the T1 they are said to belong to."""
    inside = 2.0 * np.argwhere(labels.values[::2, ::2, ::2] > 0).astype(np.float64)
    t1_from_world = np.asarray(np.linalg.inv(t1.affine), dtype=np.float64)
    voxels = transformed(transformed(inside, labels.affine), t1_from_world)
    shape = np.array(t1.values.shape)
    shared = float(((voxels > -1) & (voxels < shape)).all(axis=1).mean()) if len(inside) else 1.0
    if shared < LEAST_SHARED:
        raise InputError(
            f"The labels {labels.path} and the T1 {t1.path} must show one head in one world; instead "
            f"{shared:.0%} of the labels lie within the T1."
        )


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
    t2: str | Path | None = None,
    findings: Sequence[Finding] = (),
    progress: Progress | None = None,
) -> tuple[HeadModel, dict[str, Image]]:
    """A head from a T1, the label image of its segmentation and, if there is one, a lesion mask.

    ``table`` says what the labels' numbers mean, as in `neuro_field.build_head`. Of a T2 that helped to make the labels
    only the SHA-256 is kept. ``findings`` are those of making the labels; the head's begin with them.

    Returns
    -------
    HeadModel
        Its provenance holds the SHA-256 of every file.
    dict
        The images `write_head` takes: ``t1``, and ``labels``, the tissues that were meshed.

    Raises
    ------
    InputError
        As `neuro_field.build_head`, and if the labels lie outside the T1.
    """
    checked_mapping(None, nonlinear)
    t1_image, label_image = read_image(t1), read_labels(labels)
    lesion_image = None if lesion is None else read_labels(lesion)
    _checked_world(label_image, t1_image)
    if progress is not None:
        progress("cleaning", 0.0)
    ready = prepare_labels(
        label_image.values,
        label_image.affine,
        None if lesion_image is None else lesion_image.values,
        lesion_affine=None if lesion_image is None else lesion_image.affine,
        rim=rim,
        table=table,
        t1=Volume(t1_image.values, t1_image.affine),
    )
    if progress is not None:
        progress("cleaning", 1.0)
    head = build_prepared(ready, edge, tissue_edges=tissue_edges, nonlinear=nonlinear, progress=progress)
    paths = {"t1": t1_image.path, "labels": label_image.path}
    if lesion_image is not None:
        paths["lesion"] = lesion_image.path
    if t2 is not None:
        paths["t2"] = Path(t2)
    said = [found.plain() for found in findings] + list(head.provenance.get("findings", ()))
    head = replace(head, provenance=dict(head.provenance) | {"inputs": digests(paths), "findings": said})
    return head, {"t1": t1_image, "labels": Image(ready.labels, ready.affine, label_image.path)}
