"""The head of one participant, from whatever images and labels there are, as a HEAD folder."""

import logging
from collections.abc import Mapping
from pathlib import Path

from neuro_field.cohort.inputs import Inputs
from neuro_field.cohort.options import Options
from neuro_field.findings import Finding
from neuro_field.head.model import HeadModel
from neuro_field.io.images import Image, read_image
from neuro_field.mri.lesion import LARGEST_ASKED, LARGEST_SHARE
from neuro_field.segment.segmentation import segment
from neuro_field.store.building import drawn_for, head_from_images, head_given_lesion
from neuro_field.store.heads import head_images, read_head, write_head

LOG = logging.getLogger(__name__)


def built_head(inputs: Inputs, own: Path, options: Options, open_skull: bool | None, large_lesion: bool | None) -> None:
    """Build a head and write it to ``own/head``: from SimNIBS's folder, from labels, or from labels made now.

    Parameters
    ----------
    inputs : Inputs
    own : Path
        The participant's folder; a segmenter works, and goes on where it was interrupted, in ``own/segmentation``.
    options : Options
    open_skull, large_lesion : bool, optional
        As people answered.

    Raises
    ------
    InputError
        As `store.building.head_from_images`, `segment.segmentation.segment` and `store.heads.read_head`.
    """
    largest = LARGEST_ASKED if large_lesion else LARGEST_SHARE
    if inputs.m2m is not None:
        head, images = read_head(inputs.m2m), head_images(inputs.m2m)
        if inputs.lesion is not None:
            head, images = head_given_lesion(
                head, images, inputs.lesion, lesion_image=inputs.lesion_image, rim=options.rim, largest_lesion=largest
            )
        _kept(head, images, own, options)
        return
    labels, t2 = inputs.labels, None
    said: tuple[Finding, ...] = ()
    if labels is None:
        LOG.info("segmenting")
        t2 = inputs.t2
        lesion = inputs.lesion
        drawn = None if lesion is None else drawn_for(lesion, inputs.lesion_image, read_image(inputs.t1))
        images_given = [inputs.t1] if t2 is None else [inputs.t1, t2]
        made = segment(images_given, own / "segmentation", lesion=drawn, segmenter=options.segmenter)
        labels, said = made.labels, made.findings
    head, images = head_from_images(
        inputs.t1, labels, lesion=inputs.lesion, lesion_image=inputs.lesion_image,
        rim=options.rim if inputs.lesion is not None else 0.0, largest_lesion=largest, edge=options.edge,
        nonlinear=options.nonlinear, open_skull=open_skull, t2=t2, findings=said,
    )  # fmt: skip
    _kept(head, images, own, options)


def _kept(head: HeadModel, images: Mapping[str, Image], own: Path, options: Options) -> None:
    write_head(
        head, own / "head", t1=images.get("t1"), labels=images.get("labels"), faceless=options.faceless,
        language=options.language,
    )  # fmt: skip
