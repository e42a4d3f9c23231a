"""Directions in the head in words a person at the bedside can use."""

from typing import Any

import numpy as np

from neuro_field.arrays import unit
from neuro_field.errors import InputError

_WORDS = (("right", "left"), ("front", "back"), ("up", "down"))

#: A part of a direction shorter than this (of a length of one) is left unsaid: 15 degrees.
_SMALL = float(np.sin(np.deg2rad(15.0)))


def in_words(direction: Any, normal: Any = None) -> str:
    """A direction of the head frame in words, the largest part first: "back and to the left", "front and up".

    Parameters
    ----------
    direction : (3,) array
        Head frame: +x right, +y front, +z up.
    normal : (3,) array, optional
        Outward normal of the scalp; given, only the part of the direction along the scalp is told.

    Returns
    -------
    str
        Parts within 15 degrees of none are left out.

    Raises
    ------
    InputError
        For a zero direction, or one straight along the normal.

    Examples
    --------
    >>> in_words([-0.7, -0.7, 0.0])
    'back and to the left'
    >>> in_words([0.0, 1.0, 0.9])
    'front and up'
    """
    told = unit(direction, "direction of in_words")
    if normal is not None:
        outward = unit(normal, "normal of in_words")
        told = told - (told @ outward) * outward
        if np.linalg.norm(told) < 1e-3:
            raise InputError("Input direction of in_words must not lie straight along the normal of the scalp.")
        told = told / np.linalg.norm(told)
    parts = [(abs(told[axis]), _WORDS[axis][int(told[axis] < 0)], axis) for axis in (1, 0, 2)]
    spoken = [(word, axis) for size, word, axis in sorted(parts, key=lambda part: -round(part[0], 3)) if size > _SMALL]
    words = [f"to the {word}" if axis == 0 else word for word, axis in spoken]
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1]
