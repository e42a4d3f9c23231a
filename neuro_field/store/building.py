"""From the images of a person to a head: read, held against each other, prepared, built; keeping it is for heads.py."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np

from neuro_field.errors import InputError
from neuro_field.findings import Finding
from neuro_field.head.mapping import MniMapping
from neuro_field.head.model import HeadModel
from neuro_field.head.tissues import tags_of
from neuro_field.io.affine_files import read_affine
from neuro_field.io.digest import digests
from neuro_field.io.images import Image, check_worlds, read_image, read_labels
from neuro_field.io.masks import read_mask
from neuro_field.mri.agreement import check_labels, check_lesion
from neuro_field.mri.another_lesion import relesioned
from neuro_field.mri.build import (
    PreparedLabels,
    Progress,
    build_prepared,
    checked_mapping,
    prepare_labels,
    silent,
)
from neuro_field.mri.drawn_lesion import DrawnLesion
from neuro_field.mri.given_mapping import given_mapping
from neuro_field.mri.labels import TableChoice
from neuro_field.mri.lesion import LARGEST_SHARE
from neuro_field.mri.lesion_image import carried_to_t1, grid_findings
from neuro_field.mri.volume import Volume
from neuro_field.nouns import noun


@noun
class PreparedImages:
    """Images of a person that were held against each other.

    ``t1`` and ``labels`` as they were read; ``drawn`` the lesion on the T1, if there is one; ``ready`` the labels to be
    meshed, in whose record the findings stand.
    """

    t1: Image
    labels: Image
    drawn: DrawnLesion | None
    ready: PreparedLabels

    def lesion_findings(self, mapping: MniMapping | None) -> tuple[Finding, ...]:
        """What has to be said of where the lesion lies, once the map to MNI152 is known."""
        if self.drawn is None:
            return ()
        return _of_place(self.drawn, self.t1, Volume(self.ready.labels, self.ready.affine), mapping)


def _of_place(drawn: DrawnLesion, t1: Image, tissues: Volume, mapping: MniMapping | None) -> tuple[Finding, ...]:
    """What the T1 tells of where a lesion lies, by the tags of its tissues and its map to MNI152."""
    if mapping is None:
        return ()
    brain = np.isin(tissues.values, tags_of("brain") + tags_of("lesion")).astype(np.uint8)
    mask, image = Volume(drawn.tags, drawn.affine), Volume(t1.values, t1.affine)
    return check_lesion(mask, image, Volume(brain, tissues.affine), mapping)


def drawn_for(
    lesion: str | Path, lesion_image: str | Path | None, t1: Image | None, progress: Progress = silent
) -> DrawnLesion:
    """A lesion mask in the world of the T1: as it lies, or as the image it was drawn on is brought there.

    Raises
    ------
    InputError
        As `read_mask` and `carried_to_t1`, and if there is no T1 to bring the image to.
    """
    mask = read_mask(lesion)
    image = t1 if lesion_image is None else read_image(lesion_image)
    if image is not None:
        check_worlds(mask.image, image)
    if lesion_image is None or image is None:
        return mask.drawn()
    if t1 is None:
        raise InputError("There is no T1 beside this head to which the lesion's image could be brought.")
    drawn, stage = mask.drawn(), "moving the lesion to the T1"
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
    said = [] if lesion_image is not None else [*grid_findings(drawn, *(image.affine for image in images.values()))]
    tissues = None if labels is None else Volume(labels.values, labels.affine)
    made = relesioned(head, drawn, tissues, rim=rim, largest_lesion=largest_lesion, progress=progress)
    inputs = dict(made.head.provenance.get("inputs") or {}) | digests(_lesion_paths(lesion, lesion_image))
    if labels is not None and "t1" in images:
        said += _of_place(drawn, images["t1"], Volume(labels.values, labels.affine), head.mapping)
    rows = [*made.head.provenance.get("findings", ()), *(each.plain() for each in said)]
    out = replace(made.head, provenance=dict(made.head.provenance) | {"inputs": inputs, "findings": rows})
    if labels is None or made.labels is None:
        return out, dict(images)
    return out, dict(images) | {"labels": Image(made.labels.values, made.labels.affine, labels.path)}


def prepared_images(
    t1: str | Path,
    labels: str | Path,
    *,
    lesion: str | Path | None = None,
    lesion_image: str | Path | None = None,
    rim: float = 0.0,
    largest_lesion: float = LARGEST_SHARE,
    table: TableChoice | None = None,
    open_skull: bool | None = None,
    progress: Progress | None = None,
) -> PreparedImages:
    """The part of `head_from_images` before the map and the mesh, with the same parameters and errors."""
    t1_image, label_image = read_image(t1), read_labels(labels)
    t1_volume = Volume(t1_image.values, t1_image.affine)
    drawn = None if lesion is None else drawn_for(lesion, lesion_image, t1_image, progress or silent)
    said: tuple[Finding, ...] = ()
    if drawn is not None and lesion_image is None:
        said = grid_findings(drawn, t1_image.affine, label_image.affine)
    if progress is not None:
        progress("cleaning", 0.0)
    ready = prepare_labels(
        label_image.values, label_image.affine, drawn, rim=rim, largest_lesion=largest_lesion, open_skull=open_skull,
        table=table, t1=t1_volume,
    )  # fmt: skip
    if progress is not None:
        progress("cleaning", 1.0)
    where = f"The labels {label_image.path} and the T1 {t1_image.path}"
    found = check_labels(Volume(ready.labels, ready.affine), t1_volume, where)
    ready.record["findings"] += [each.plain() for each in (*t1_image.findings("t1"), *found, *said)]
    return PreparedImages(t1_image, label_image, drawn, ready)


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
    mapping: str | Path | Literal[False] | None = None,
    open_skull: bool | None = None,
    t2: str | Path | None = None,
    findings: Sequence[Finding] = (),
    progress: Progress | None = None,
) -> tuple[HeadModel, dict[str, Image]]:
    """A head from a T1, the label image of its segmentation and, if there is one, a lesion mask.

    A lesion drawn on another image of the same person comes with that image, ``lesion_image``; ``table`` says what the
    labels' numbers mean, as in `neuro_field.build_head`. ``mapping`` is the file of an affine map to MNI152, whichever
    way it goes, or False for a head without one; it is found from the labels when omitted. Of a T2 that helped to make
    the labels only the SHA-256 is kept. ``findings`` are those of making the labels; the head's begin with them.

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
    images = prepared_images(
        t1, labels, lesion=lesion, lesion_image=lesion_image, rim=rim, largest_lesion=largest_lesion, table=table,
        open_skull=open_skull, progress=progress,
    )  # fmt: skip
    ready = images.ready
    known: MniMapping | Literal[False] | None = False if mapping is False else None
    if matrix is not None:
        known = given_mapping(matrix, Path(str(mapping)).name, ready.labels, ready.affine, ready.padding)
    head = build_prepared(
        ready, edge, tissue_edges=tissue_edges, mapping=known, nonlinear=nonlinear, progress=progress
    )  # fmt: skip
    said = images.lesion_findings(head.mapping)
    rows = [each.plain() for each in findings] + head.provenance["findings"] + [each.plain() for each in said]
    paths = {"t1": images.t1.path, "labels": images.labels.path}
    paths |= _lesion_paths(lesion, lesion_image)
    if t2 is not None:
        paths["t2"] = Path(t2)
    if matrix is not None:
        paths["mapping"] = Path(str(mapping))
    head = replace(head, provenance=dict(head.provenance) | {"findings": rows, "inputs": digests(paths)})
    return head, {"t1": images.t1, "labels": Image(ready.labels, ready.affine, images.labels.path, images.t1.code)}
