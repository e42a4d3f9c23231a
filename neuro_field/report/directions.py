"""Directions, offsets and angles in the words of the ward, by the patient's own axes."""

import numpy as np

from neuro_field.arrays import FloatArray
from neuro_field.coil.bearing import bearing
from neuro_field.coil.placement import Placement
from neuro_field.nouns import noun
from neuro_field.report.words import phrase

#: A coil whose face looks along the patient's front-back axis more than this (cosine: 45 degrees) is on the forehead or
#: the occiput.
_FACING_FRONT = float(np.sqrt(0.5))


def direction_words(direction: FloatArray, axes: FloatArray, side: str | None = None, language: str = "en") -> str:
    """A direction in words, its largest part first.

    Parameters
    ----------
    direction : (3,) array
        Head frame, any length above zero.
    axes : (3, 3) array
        Unit vectors to the patient's right, front and top (rows), head frame.
    side : {"left", "right"}, optional
        The hemisphere it is said of: then left or right is also called lateral or medial.
    language : str

    Examples
    --------
    >>> direction_words(np.array([-0.7, -0.69, -0.1]), np.eye(3), "left")
    'to the left (lateral) and back'
    >>> direction_words(np.array([-0.7, -0.69, -0.1]), np.eye(3), "left", "ja")
    '左 (外側)・後ろ'
    """
    return phrase("way.direction", language, parts=bearing(np.asarray(axes) @ direction), side=side)


def offset_words(offset: FloatArray, axes: FloatArray, of: str, language: str = "en") -> str:
    """Where a point lies, as in "12 mm from C3 (in front and to the left)"; the offset from there in mm, head frame."""
    distance = float(np.linalg.norm(offset))
    if distance < 0.5:
        return phrase("way.at", language, of=of)
    return phrase("way.offset", language, mm=distance, of=of, parts=bearing(np.asarray(axes) @ offset))


@noun
class Turn:
    """How a handle is turned in the plane of the scalp: degrees to halves, from straight "back" or "up", which way.

    ``aside`` is "left", "right", "up" or "down"; None where the handle points straight there or straight away.
    """

    angle: float
    straight: str
    aside: str | None

    @classmethod
    def of(cls, placement: Placement, axes: FloatArray) -> "Turn":
        """Of a placement; see `turn_words`."""
        axes = np.asarray(axes)
        outward, handle = axes @ -placement.axis, axes @ placement.handle_direction  # right, front, top
        front = abs(outward[1]) > _FACING_FRONT
        straight = np.array([0.0, 0.0, 1.0]) if front else np.array([0.0, -1.0, 0.0])
        straight -= (straight @ outward) * outward
        straight /= np.linalg.norm(straight)
        angle = float(np.degrees(np.arccos(np.clip(handle @ straight, -1.0, 1.0))))
        told, name = round(2.0 * angle) / 2.0, "up" if front else "back"
        if told in (0, 180):
            return cls(told, name, None)
        aside = handle - (handle @ straight) * straight
        if abs(aside[0]) >= np.abs(aside).max() - 1e-9:
            return cls(told, name, "right" if aside[0] > 0 else "left")
        return cls(told, name, "up" if aside[2] > 0 else "down")

    def words(self, language: str) -> str:
        """In words."""
        if self.aside is None:
            return phrase(f"way.straight-{'to' if self.angle == 0 else 'from'}-{self.straight}", language)
        return phrase(f"way.turn-{self.straight}-{self.aside}", language, angle=self.angle)


def turn_words(placement: Placement, axes: FloatArray, language: str = "en") -> str:
    """How a coil's handle is turned in the plane of the scalp, in words that hold all over the head.

    Counted from straight back, or from straight up where the coil faces the forehead or the occiput and back would lead
    into the head.  Which way is said by the patient's own axes: on the top of the head to the left or right, on the
    temples upwards or downwards.

    Parameters
    ----------
    placement : Placement
    axes : (3, 3) array
        Unit vectors to the patient's right, front and top (rows), head frame.
    language : str

    Examples
    --------
    >>> over_vertex = Placement(np.diag([-1.0, 1.0, -1.0, 1.0]))
    >>> turn_words(over_vertex, np.eye(3)), turn_words(over_vertex.moved(turned=45), np.eye(3))
    ('straight back', "45° from straight back, towards the patient's left")
    >>> turn_words(over_vertex.moved(turned=45), np.eye(3), "ja")
    '真後ろから患者の左へ 45°'
    """
    return Turn.of(placement, axes).words(language)


def sector_words(low: Placement, high: Placement, axes: FloatArray, language: str = "en") -> str:
    """Two ends of a sector of handles, as of `turn_words`; what both share is said once.

    Examples
    --------
    >>> over_vertex = Placement(np.diag([-1.0, 1.0, -1.0, 1.0]))
    >>> sector_words(over_vertex.moved(turned=20), over_vertex.moved(turned=62.5), np.eye(3))
    "20° to 62.5° from straight back, towards the patient's left"
    >>> sector_words(over_vertex.moved(turned=-10), over_vertex.moved(turned=20), np.eye(3))
    "10° from straight back, towards the patient's right, to 20° from straight back, towards the patient's left"
    """
    first, second = Turn.of(low, axes), Turn.of(high, axes)
    if first.aside is None or (first.straight, first.aside) != (second.straight, second.aside):
        return phrase("way.two", language, low=first.words(language), high=second.words(language))
    least, most = sorted((first.angle, second.angle))
    return phrase(f"way.sector-{first.straight}-{first.aside}", language, low=least, high=most)


def point_words(point: FloatArray, decimals: int = 1) -> str:
    """Coordinates as (x, y, z), without a negative zero."""
    return "(" + ", ".join(f"{value + 0.0:.{decimals}f}" for value in np.round(point, decimals)) + ")"
