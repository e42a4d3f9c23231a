"""Targets as people type them: a site, a coordinate, a mask or an atlas label, and the direction of the current."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from neuro_field.aim.aims import at_mni, labelled, masked
from neuro_field.aim.atlas import SIDES, site
from neuro_field.aim.sulcus import sulcal_axis
from neuro_field.aim.tape import TapePlace
from neuro_field.aim.target import RADIUS, Target
from neuro_field.arrays import FloatArray
from neuro_field.coil.placement import Placement
from neuro_field.console import numbers
from neuro_field.errors import InputError
from neuro_field.head.landmarks import CORONAL, MIDLINE, RING_LEFT, RING_RIGHT, ROWS, landmarks_1010
from neuro_field.head.model import HeadModel
from neuro_field.io.images import read_image
from neuro_field.names import resolved
from neuro_field.navigation.files import read_navigator
from neuro_field.navigation.frames import ImageFrames
from neuro_field.store.maps import read_map

#: What `target_form` understands.
FORMS = (
    "left:m1-hand (a site of `neuro-field targets`), head:x,y,z, mni:x,y,z, mask:FILE, mni-mask:FILE, "
    "label:FILE:VALUE, mni-label:FILE:VALUE or map:MAP (of `neuro-field map`)"
)


#: Positions of the 10-10 system that a place can be named by.
POSITIONS_1010 = tuple(
    dict.fromkeys(
        (
            *MIDLINE,
            *CORONAL,
            *RING_LEFT,
            *RING_RIGHT,
            *(name for _, left, _, right, _ in ROWS for name in (*left, *right)),
        )
    )
)

#: How a place by tape is typed, and the longest of its steps, mm.
EXAMPLE, FARTHEST_STEP = "Cz 58 right, 4 front", 250.0

#: Words for the steps: which of them, and its sign.
_WAYS = {
    "right": ("right", 1.0), "left": ("right", -1.0), "front": ("front", 1.0), "forward": ("front", 1.0),
    "forwards": ("front", 1.0), "anterior": ("front", 1.0), "back": ("front", -1.0), "backwards": ("front", -1.0),
    "behind": ("front", -1.0), "posterior": ("front", -1.0), "右": ("right", 1.0), "左": ("right", -1.0),
    "前": ("front", 1.0), "後": ("front", -1.0),
}  # fmt: skip
_MILLIMETRES = re.compile(r"[0-9]{1,4}(\.[0-9]{1,3})?")

#: Makes something of the head that is read later.
Maker = Callable[[HeadModel], Target]


def target_form(text: str, *, radius: float = RADIUS) -> Maker:
    """What makes the target that a text names, in one of the `FORMS`; names, numbers and files are checked at once.

    Raises
    ------
    InputError
        If the text has none of these forms, or its file cannot be read.
    """
    kind, _, rest = text.partition(":")
    kind = kind.strip().lower()
    if kind in SIDES:
        name = site(rest.strip()).name
        return lambda head: Target.named(head, name, kind, radius=radius)
    if kind in ("head", "mni"):
        point = numbers(rest, 3, text)
        if kind == "head":
            return lambda head: Target.ball(head, point, radius, name="point")
        return lambda head: at_mni(head, point, radius, name="point")
    space = "mni" if kind.startswith("mni-") else "head"
    if kind in ("mask", "mni-mask"):
        image, named = read_image(rest), Path(rest).name.partition(".")[0]
        return lambda head: masked(head, image.values, image.affine, space=space, name=named)
    if kind in ("label", "mni-label"):
        path, _, value = rest.rpartition(":")
        if not path or not value.strip().lstrip("-").isdigit():
            raise InputError(f"A label is given as {kind}:FILE:VALUE with a whole number; instead received {text!r}.")
        atlas = read_image(path)
        return lambda head: labelled(head, atlas.values, atlas.affine, int(value), space=space)
    if kind == "map":
        found = read_map(rest)
        return lambda head: Target.at_map(head, found, radius=radius)
    raise InputError(f"A target is given as {FORMS}; instead received {text!r}.")


def site_of(text: str) -> str:
    """The site that a target's text names, or "point" for one that names none."""
    kind, _, rest = text.partition(":")
    return site(rest.strip()).name if kind.strip().lower() in SIDES else "point"


def region_forms(texts: list[str]) -> Callable[[HeadModel], tuple[Target, ...]]:
    """What makes the regions to avoid: as `target_form`, and a site without a side stands for both."""
    makers = [target_form(each) for text in texts for each in _both_sides(text)]

    def made(head: HeadModel) -> tuple[Target, ...]:
        regions = (maker(head) for maker in makers)
        return tuple(replace(each, name=f"{each.side} {each.name}" if each.side else each.name) for each in regions)

    return made


def _both_sides(text: str) -> list[str]:
    return [text] if ":" in text else [f"{side}:{text}" for side in SIDES]


def direction_form(text: str) -> Callable[[HeadModel, Target], Target]:
    """What gives a target its wanted current: none, sulcal (across the nearest sulcus), or x,y,z in the head."""
    word = text.strip().lower()
    if word == "none":
        return lambda head, target: replace(target, direction=None, either_way=False)
    if word == "sulcal":
        return lambda head, target: replace(target, direction=sulcal_axis(head, target.center).axis, either_way=True)
    along = numbers(text, 3, "--direction", "none, sulcal or 0,1,0")
    return lambda head, target: replace(target, direction=along, either_way=False)


def place_form(text: str, option: str) -> Callable[[HeadModel], FloatArray]:
    """What gives the point that a text names: [head:]x,y,z mm in the head frame, or a 10-10 position such as C3."""
    kind, colon, rest = text.partition(":")
    framed = bool(colon) and kind.strip().lower() == "head"
    if framed or (any(letter.isdigit() for letter in text) and not text.strip()[:1].isalpha()):
        point = numbers(rest if framed else text, 3, option)
        return lambda head: point
    name = resolved(f"{option} (or x,y,z in mm)", text, POSITIONS_1010)
    return lambda head: landmarks_1010(head)[name]


def tape_place(text: str, option: str) -> TapePlace:
    """The place by tape that a text names, as in "Cz 58 right, 4 front": millimetres from a 10-10 position.

    Both steps or one; right, left, front, forwards, back and their like once each; mm may be written, cm may not.

    Raises
    ------
    InputError
        If it cannot be read: with an example.
    """
    words = text.replace(",", " ").split()
    example = f"as in '{EXAMPLE}': millimetres right or left, then front or back, from Cz or another 10-10 position"
    numbers_of = [word.removesuffix("mm") for word in words[1:] if word.lower() != "mm"]
    if not words or len(numbers_of) not in (2, 4):
        raise InputError(f"Option {option} must read {example}; instead received {text.strip()!r:.60}.")
    steps: dict[str, float] = {}
    for size, way in zip(numbers_of[::2], numbers_of[1::2], strict=True):
        axis, sign = _WAYS.get(way.lower(), ("", 0.0))
        length = float(size) if _MILLIMETRES.fullmatch(size) else np.inf
        if not axis or axis in steps or length > FARTHEST_STEP:
            raise InputError(
                f"Option {option} must read {example}, each once and at most {FARTHEST_STEP:g}; instead {size!r:.20} "
                f"{way!r:.20} in {text.strip()!r:.60}."
            )
        steps[axis] = sign * length
    origin = resolved(f"10-10 position in {option}", words[0], POSITIONS_1010)
    return TapePlace(origin, steps.get("right", 0.0), steps.get("front", 0.0))


def hot_spot_of(text: str, image: Path | None) -> Placement | TapePlace | FloatArray:
    """The measured hot spot that a text names: head:x,y,z, a place by tape, or a navigator's file with a pose's name.

    Raises
    ------
    InputError
        If there is no such file or pose, or several and none named.
    """
    kind, _, rest = text.partition(":")
    if kind.strip().lower() == "head":
        return numbers(rest, 3, "--hot-spot", "head:-40,-20,65")
    if kind.strip().lower() == "tape":
        return tape_place(rest, "--hot-spot 'tape: ...'")
    path, name = (text, "") if Path(text).is_file() else (text.rpartition(":")[0] or text, text.rpartition(":")[2])
    if not Path(path).is_file():
        raise InputError(
            f"There is no file {path!r} for --hot-spot; give FILE, FILE:NAME, head:x,y,z or 'tape: {EXAMPLE}'."
        )
    markers = read_navigator(path, ImageFrames.read(image) if image else None).markers
    names = [marker.name for marker in markers]
    if not markers:
        raise InputError(f"The file {path} holds no pose for --hot-spot.")
    if name:
        return markers[names.index(resolved("name of a pose in --hot-spot", name, names))].placement
    if len(markers) > 1:
        raise InputError(
            f"The file {path} holds {len(markers)} poses: name the hot spot's as FILE:NAME, one of "
            f"{', '.join(names[:8])}{' ...' if len(names) > 8 else ''}."
        )
    return markers[0].placement
