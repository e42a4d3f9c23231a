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
from neuro_field.io.masks import read_mask
from neuro_field.mri.another_lesion import relesioned
from neuro_field.mri.build import Progress, build_prepared, checked_mapping, prepare_labels, silent
from neuro_field.mri.drawn_lesion import DrawnLesion
from neuro_field.mri.labels import TableChoice
from neuro_field.mri.lesion import LARGEST_SHARE
from neuro_field.mri.lesion_image import carried_to_t1
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


def drawn_for(
    lesion: str | Path, lesion_image: str | Path | None, t1: Image | None, progress: Progress = silent
) -> DrawnLesion:
    """A lesion mask in the world of the T1: as it lies, or as the image it was drawn on is brought there.

    Raises
    ------
    InputError
        As `read_mask` and `carried_to_t1`, and if there is no T1 to bring the image to.
    """
    drawn = read_mask(lesion).drawn()
    if lesion_image is None:
        return drawn
    if t1 is None:
        raise InputError("There is no T1 beside this head to which the lesion's image could be brought.")
    image, stage = read_image(lesion_image), "moving the lesion to the T1"
    progress(stage, 0.0)
    carried = carried_to_t1(drawn, Volume(image.values, image.affine), Volume(t1.values, t1.affine))
    progress(stage, 1.0)
    return carried


def _lesion_paths(lesion: str | Path | None, lesion_image: str | Path | None) -> dict[str, Path]:
    """The files a lesion came from, by what they are."""
    given = {"lesion": lesion, "lesion_image": lesion_image}
    return {what: Path(path) for what, path in given.items() if path is not None}


def head_given_lesion(
    head: HeadModel,
    images: Mapping[str, Image],
    lesion: str | Path,
    *,
    lesion_image: str | Path | None = None,
    rim: float = 0.0,
    largest_lesion: float = LARGEST_SHARE,
    progress: Progress | None = None,
) -> tuple[HeadModel, dict[str, Image]]:
    """A finished head with another lesion, and the images that go with it; see `head_with_lesion`.

    Parameters
    ----------
    head : HeadModel
    images : mapping
        Its ``t1`` and ``labels``, those that are there.
    lesion, lesion_image : path
        The mask, and the image it was drawn on where that is not the T1.

    Raises
    ------
    InputError
        As `head_with_lesion` and `drawn_for`.
    """
    drawn = drawn_for(lesion, lesion_image, images.get("t1"), progress or silent)
    labels = images.get("labels")
    tissues = None if labels is None else Volume(labels.values, labels.affine)
    made = relesioned(head, drawn, tissues, rim=rim, largest_lesion=largest_lesion, progress=progress)
    inputs = dict(made.head.provenance.get("inputs") or {}) | digests(_lesion_paths(lesion, lesion_image))
    out = replace(made.head, provenance=dict(made.head.provenance) | {"inputs": inputs})
    if labels is None or made.labels is None:
        return out, dict(images)
    return out, dict(images) | {"labels": Image(made.labels.values, made.labels.affine, labels.path)}


def head_from_images(
    t1: str | Path,
    labels: str | Path,
    *,
    lesion: str | Path | None = None,
    lesion_image: str | Path | None = None,
    rim: float = 0.0,
    largest_lesion: float = LARGEST_SHARE,
    edge: float = 1.9,
    tissue_edges: Mapping[str, float] | None = None,
    table: TableChoice | None = None,
    nonlinear: bool = False,
    open_skull: bool | None = None,
    t2: str | Path | None = None,
    findings: Sequence[Finding] = (),
    progress: Progress | None = None,
) -> tuple[HeadModel, dict[str, Image]]:
    """A head from a T1, the label image of its segmentation and, if there is one, a lesion mask.

    A lesion drawn on another image of the same person comes with that image, ``lesion_image``; ``table`` says what the
    labels' numbers mean, as in `neuro_field.build_head`. Of a T2 that helped to make the labels only the SHA-256 is
    kept. ``findings`` are those of making the labels; the head's begin with them.

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
    drawn = None if lesion is None else drawn_for(lesion, lesion_image, t1_image, progress or silent)
    _checked_world(label_image, t1_image)
    if progress is not None:
        progress("cleaning", 0.0)
    ready = prepare_labels(
        label_image.values,
        label_image.affine,
        drawn,
        rim=rim,
        largest_lesion=largest_lesion,
        open_skull=open_skull,
        table=table,
        t1=Volume(t1_image.values, t1_image.affine),
    )
    if progress is not None:
        progress("cleaning", 1.0)
    head = build_prepared(ready, edge, tissue_edges=tissue_edges, nonlinear=nonlinear, progress=progress)
    paths = {"t1": t1_image.path, "labels": label_image.path}
    paths |= _lesion_paths(lesion, lesion_image)
    if t2 is not None:
        paths["t2"] = Path(t2)
    said = [found.plain() for found in findings] + list(head.provenance.get("findings", ()))
    head = replace(head, provenance=dict(head.provenance) | {"inputs": digests(paths), "findings": said})
    return head, {"t1": t1_image, "labels": Image(ready.labels, ready.affine, label_image.path)}
