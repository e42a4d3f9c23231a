"""A handle by the clock: 12 is towards the nose along the scalp, and hours run as on a clock seen from outside."""

import numpy as np

from neuro_field.arrays import FloatArray, read_only

#: A coil that looks along the front-back axis closer than this (sine: 10 degrees) has no nose to turn towards.
_NO_NOSE = float(np.sin(np.radians(10.0)))


def clock_of(direction: FloatArray, outward: FloatArray, forwards: FloatArray) -> float | None:
    """Degrees of a direction by the clock on the scalp.

    Parameters
    ----------
    direction : (3,) array
        Such as of the handle; its part along the scalp counts.
    outward : (3,) array
        Unit normal of the scalp.
    forwards : (3,) array
        Unit vector to the patient's front, head frame.

    Returns
    -------
    float or None
        0 to 360, clockwise seen from outside, 0 towards the nose along the scalp.  None where the scalp faces straight
        to the front or the back, so that forwards leads neither way along it.

    Examples
    --------
    >>> top, front = np.array([0.0, 0.0, 1.0]), np.array([0.0, 1.0, 0.0])
    >>> clock_of(np.array([1.0, -1.0, 0.0]), top, front)  # to the right and back
    135.0
    >>> clock_of(front, front, front) is None
    True
    """
    axes = _dial(outward, forwards)
    if axes is None:
        return None
    nose, right = axes
    degrees = float(np.degrees(np.arctan2(direction @ right, direction @ nose)) % 360.0)
    return 0.0 if degrees == 360.0 else degrees  # of a rounding below zero


def direction_at(degrees: float, outward: FloatArray, forwards: FloatArray) -> FloatArray | None:
    """(3,) unit vector along the scalp at degrees of the clock; None as of `clock_of`, whose reverse it is."""
    axes = _dial(outward, forwards)
    if axes is None:
        return None
    nose, right = axes
    angle = np.radians(degrees)
    return read_only(np.cos(angle) * nose + np.sin(angle) * right)


def hour_of(degrees: float) -> str:
    """The nearest half hour.

    Examples
    --------
    >>> hour_of(135.0), hour_of(0.0), hour_of(358.0), hour_of(127.4)
    ('4:30', '12:00', '12:00', '4:00')
    """
    halves = int(np.floor(degrees / 15.0 + 0.5)) % 24
    return f"{halves // 2 or 12}:{'30' if halves % 2 else '00'}"


def _dial(outward: FloatArray, forwards: FloatArray) -> tuple[FloatArray, FloatArray] | None:
    """Unit vectors along the scalp to 12 and 3 o'clock."""
    nose = forwards - (forwards @ outward) * outward
    length = float(np.linalg.norm(nose))
    if length < _NO_NOSE:
        return None
    nose = nose / length
    return nose, np.cross(nose, outward)
