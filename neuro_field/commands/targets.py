"""Targets as people type them: a site, a coordinate, a mask or an atlas label, and the direction of the current."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from neuro_field.aim.aims import at_mni, labelled, masked
from neuro_field.aim.atlas import SIDES, SITES
from neuro_field.aim.sulcus import sulcal_axis
from neuro_field.aim.target import RADIUS, Target
from neuro_field.errors import InputError
from neuro_field.head.model import HeadModel
from neuro_field.io.images import Image, read_image

#: What `target_of` understands.
FORMS = (
    "left:m1-hand (a site of `neuro-field targets`), head:x,y,z, mni:x,y,z, mask:FILE, mni-mask:FILE, "
    "label:FILE:VALUE or mni-label:FILE:VALUE"
)


def target_of(head: HeadModel, text: str, *, radius: float = RADIUS) -> Target:
    """The target that a text names, in one of the `FORMS`.

    Raises
    ------
    InputError
        If the text has none of these forms, or there is nothing to aim at.
    """
    kind, _, rest = text.partition(":")
    kind = kind.strip().lower()
    if kind in SIDES:
        return Target.named(head, rest.strip(), kind, radius=radius)
    if kind == "head":
        return Target.ball(head, _point(rest, text), radius, name="point")
    if kind == "mni":
        return at_mni(head, _point(rest, text), radius, name="point")
    space = "mni" if kind.startswith("mni-") else "head"
    if kind in ("mask", "mni-mask"):
        image = _image(rest)
        return masked(head, image.values, image.affine, space=space, name=Path(rest).name.partition(".")[0])
    if kind in ("label", "mni-label"):
        path, _, value = rest.rpartition(":")
        if not path or not value.strip().lstrip("-").isdigit():
            raise InputError(f"A label is given as {kind}:FILE:VALUE with a whole number; instead received {text!r}.")
        image = _image(path)
        return labelled(head, image.values, image.affine, int(value), space=space)
    raise InputError(f"A target is given as {FORMS}; instead received {text!r}.")


def regions_of(head: HeadModel, texts: list[str]) -> tuple[Target, ...]:
    """Regions to avoid: as `target_of`, and a site without a side stands for both."""
    sites = {entry.name for entry in SITES}
    spread = [each for text in texts for each in ([f"{side}:{text}" for side in SIDES] if text in sites else [text])]
    regions = [target_of(head, text) for text in spread]
    return tuple(
        replace(region, name=f"{region.side} {region.name}" if region.side else region.name) for region in regions
    )


def aimed(head: HeadModel, target: Target, direction: str) -> Target:
    """The target with a wanted current direction: none, sulcal (across the nearest sulcus), or x,y,z in the head."""
    if direction == "none":
        return replace(target, direction=None, either_way=False)
    if direction == "sulcal":
        return replace(target, direction=sulcal_axis(head, target.center).axis, either_way=True)
    return replace(target, direction=_point(direction, direction), either_way=False)


def _point(text: str, whole: str) -> np.ndarray:
    try:
        point = np.array([float(part) for part in text.split(",")])
    except ValueError:
        point = np.empty(0)
    if point.shape != (3,) or not np.isfinite(point).all():
        raise InputError(f"Three numbers x,y,z in mm are needed; instead received {whole!r}.")
    return point


def _image(path: str) -> Image:
    return read_image(path)
