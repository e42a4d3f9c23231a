"""Directions, offsets and angles in the words of the ward, by the patient's own axes."""

import numpy as np

from neuro_field.arrays import FloatArray
from neuro_field.coil.words import in_words


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


def turn_words(angle: float) -> str:
    """A handle's angle (degrees from straight back, positive to the patient's left) in words."""
    signed = (angle + 180.0) % 360.0 - 180.0
    if abs(signed) < 0.5:
        return "straight back"
    if abs(signed) > 179.5:
        return "straight forwards"
    return f"{abs(signed):g}° from straight back, towards the patient's {'left' if signed > 0 else 'right'}"


def point_words(point: FloatArray, decimals: int = 1) -> str:
    """Coordinates as (x, y, z), without a negative zero."""
    return "(" + ", ".join(f"{value + 0.0:.{decimals}f}" for value in np.round(point, decimals)) + ")"
