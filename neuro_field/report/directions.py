"""Directions, offsets and angles in the words of the ward, by the patient's own axes."""

import numpy as np

from neuro_field.arrays import FloatArray
from neuro_field.coil.placement import Placement
from neuro_field.coil.words import in_words

#: A coil whose face looks along the patient's front-back axis more than this (cosine: 45 degrees) is on the forehead or
#: the occiput.
_FACING_FRONT = float(np.sqrt(0.5))


def direction_words(direction: FloatArray, axes: FloatArray, side: str | None = None) -> str:
    """A direction in words, its largest part first.

    Parameters
    ----------
    direction : (3,) array
        Head frame, any length above zero.
    axes : (3, 3) array
        Unit vectors to the patient's right, front and top (rows), head frame.
    side : {"left", "right"}, optional
        The hemisphere it is said of: then left or right is also called lateral or medial.

    Examples
    --------
    >>> direction_words(np.array([-0.7, -0.69, -0.1]), np.eye(3), "left")
    'to the left (lateral) and back'
    """
    words = in_words(np.asarray(axes) @ direction).replace("front", "forwards")
    for word in ("left", "right"):
        if side is not None:
            words = words.replace(f"to the {word}", f"to the {word} ({'lateral' if word == side else 'medial'})")
    return words


def offset_words(offset: FloatArray, axes: FloatArray, of: str) -> str:
    """Where a point lies, as in "12 mm from C3 (in front and to the left)"; the offset from there in mm, head frame."""
    distance = float(np.linalg.norm(offset))
    if distance < 0.5:
        return f"at {of}"
    words = in_words(np.asarray(axes) @ offset)
    for plain, place in (("front", "in front"), ("back", "behind"), ("up", "above"), ("down", "below")):
        words = words.replace(plain, place)
    return f"{distance:.0f} mm from {of} ({words})"


def turn_words(placement: Placement, axes: FloatArray) -> str:
    """How a coil's handle is turned in the plane of the scalp, in words that hold all over the head.

    Counted from straight back, or from straight up where the coil faces the forehead or the occiput and back would lead
    into the head.  Which way is said by the patient's own axes: on the top of the head to the left or right, on the
    temples upwards or downwards.

    Parameters
    ----------
    placement : Placement
    axes : (3, 3) array
        Unit vectors to the patient's right, front and top (rows), head frame.

    Examples
    --------
    >>> over_vertex = Placement(np.diag([-1.0, 1.0, -1.0, 1.0]))
    >>> turn_words(over_vertex, np.eye(3)), turn_words(over_vertex.moved(turned=45), np.eye(3))
    ('straight back', "45° from straight back, towards the patient's left")
    """
    axes = np.asarray(axes)
    outward, handle = axes @ -placement.axis, axes @ placement.handle_direction  # right, front, top
    front = abs(outward[1]) > _FACING_FRONT
    straight = np.array([0.0, 0.0, 1.0]) if front else np.array([0.0, -1.0, 0.0])
    straight -= (straight @ outward) * outward
    straight /= np.linalg.norm(straight)
    word = "straight up" if front else "straight back"
    angle = float(np.degrees(np.arccos(np.clip(handle @ straight, -1.0, 1.0))))
    told = round(2.0 * angle) / 2.0
    if told == 0:
        return word
    if told == 180:
        return "straight down" if front else "straight forwards"
    aside = handle - (handle @ straight) * straight
    if abs(aside[0]) >= np.abs(aside).max() - 1e-9:
        return f"{told:g}° from {word}, towards the patient's {'right' if aside[0] > 0 else 'left'}"
    return f"{told:g}° from {word}, {'upwards' if aside[2] > 0 else 'downwards'}"


def sector_words(low: Placement, high: Placement, axes: FloatArray) -> str:
    """Two ends of a sector of handles, as of `turn_words`; what both share is said once.

    Examples
    --------
    >>> over_vertex = Placement(np.diag([-1.0, 1.0, -1.0, 1.0]))
    >>> sector_words(over_vertex.moved(turned=20), over_vertex.moved(turned=62.5), np.eye(3))
    "20° to 62.5° from straight back, towards the patient's left"
    >>> sector_words(over_vertex.moved(turned=-10), over_vertex.moved(turned=20), np.eye(3))
    "10° from straight back, towards the patient's right, to 20° from straight back, towards the patient's left"
    """
    first, second = turn_words(low, axes), turn_words(high, axes)
    (start, _, way), (end, _, other) = first.partition(" from "), second.partition(" from ")
    if not way or way != other:
        return f"{first}, to {second}"
    start, end = sorted((start, end), key=lambda told: float(told.rstrip("°")))
    return f"{start} to {end} from {way}"


def point_words(point: FloatArray, decimals: int = 1) -> str:
    """Coordinates as (x, y, z), without a negative zero."""
    return "(" + ", ".join(f"{value + 0.0:.{decimals}f}" for value in np.round(point, decimals)) + ")"
