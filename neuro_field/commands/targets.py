"""Targets as people type them: a site, a coordinate, a mask or an atlas label, and the direction of the current."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from neuro_field.aim.aims import at_mni, labelled, masked
from neuro_field.aim.atlas import SIDES, site
from neuro_field.aim.sulcus import sulcal_axis
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

#: What `target_form` understands.
FORMS = (
    "left:m1-hand (a site of `neuro-field targets`), head:x,y,z, mni:x,y,z, mask:FILE, mni-mask:FILE, "
    "label:FILE:VALUE or mni-label:FILE:VALUE"
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


def hot_spot_of(text: str, image: Path | None) -> Placement | FloatArray:
    """The measured hot spot that a text names: head:x,y,z, or a navigator's file with the name of the pose behind it.

    Raises
    ------
    InputError
        If there is no such file or pose, or several and none named.
    """
    kind, _, rest = text.partition(":")
    if kind.strip().lower() == "head":
        return numbers(rest, 3, "--hot-spot", "head:-40,-20,65")
    path, name = (text, "") if Path(text).is_file() else (text.rpartition(":")[0] or text, text.rpartition(":")[2])
    if not Path(path).is_file():
        raise InputError(f"There is no file {path!r} for --hot-spot; give FILE, FILE:NAME or head:x,y,z.")
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
