"""Which of the patient's directions a vector runs in, by name; words for a person are made of these upstairs."""

from typing import Any

import numpy as np

from neuro_field.arrays import unit
from neuro_field.errors import InputError

_NAMES = (("right", "left"), ("front", "back"), ("up", "down"))

#: A part of a direction shorter than this (of a length of one) is left out: 15 degrees.
_SMALL = float(np.sin(np.deg2rad(15.0)))


def bearing(direction: Any, normal: Any = None) -> tuple[str, ...]:
    """Names of a direction's parts, the largest first: "right" or "left", "front" or "back", "up" or "down".

    Parameters
    ----------
    direction : (3,) array
        Head frame: +x right, +y front, +z up.
    normal : (3,) array, optional
        Outward normal of the scalp; given, only the part of the direction along the scalp is told.

    Returns
    -------
    tuple of str
        Parts within 15 degrees of none are left out.

    Raises
    ------
    InputError
        For a zero direction, or one straight along the normal.

    Examples
    --------
    >>> bearing([-0.7, -0.7, 0.0])
    ('back', 'left')
    >>> bearing([0.0, 1.0, 0.9])
    ('front', 'up')
    """
    told = unit(direction, "direction of bearing")
    if normal is not None:
        outward = unit(normal, "normal of bearing")
        told = told - (told @ outward) * outward
        if np.linalg.norm(told) < 1e-3:
            raise InputError("Input direction of bearing must not lie straight along the normal of the scalp.")
        told = told / np.linalg.norm(told)
    parts = [(abs(told[axis]), _NAMES[axis][int(told[axis] < 0)]) for axis in (1, 0, 2)]
    return tuple(name for size, name in sorted(parts, key=lambda part: -round(part[0], 3)) if size > _SMALL)
