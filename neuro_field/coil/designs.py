"""The kinds of coil that there are, from the numbers that papers print: diameters, turns, layers, angles, distances.

Lengths in mm, angles in degrees.  The turns of a wing lie side by side between its inner and outer diameter.
"""

import numpy as np

from neuro_field.coil.winding import Winding
from neuro_field.errors import InputError


def turns_between(inner: float, outer: float, turns: int) -> tuple[float, ...]:
    """Radii of the middles of turns that fill a ring from an inner to an outer diameter.

    Examples
    --------
    >>> turns_between(35, 75, 5)
    (19.5, 23.5, 27.5, 31.5, 35.5)
    """
    if not (0 <= inner < outer < np.inf and turns >= 1):
        raise InputError(
            f"A winding needs an inner below an outer diameter, in mm, and a turn or more; instead received {inner}, "
            f"{outer} and {turns}."
        )
    width = (outer - inner) / 2 / turns
    return tuple(float(inner / 2 + width * (k + 0.5)) for k in range(turns))


def layers_behind(distance: float, height: float, layers: int) -> tuple[float, ...]:
    """Depths behind the face of the middles of ``layers`` that fill ``height`` from ``distance`` on."""
    if not (distance >= 0 and height > 0 and layers >= 1):
        raise InputError(
            f"Layers need a distance of at least 0 mm, a height above 0 mm and a layer or more; instead received "
            f"{distance}, {height} and {layers}."
        )
    return tuple(float(distance + height * (k + 0.5) / layers) for k in range(layers))


def circular(radii: tuple[float, ...], depths: tuple[float, ...], *, sense: int = 1, series: bool = True) -> Winding:
    """One round wing; ``sense`` of its current +1 by the right hand about +z, into the head."""
    return Winding(radii, depths, ((0.0, sense),), layers_in_series=series)


def figure_8(
    radii: tuple[float, ...],
    depths: tuple[float, ...],
    *,
    centres: float,
    field: str = "+y",
    series: bool = True,
    offset_y: float = 0.0,
) -> Winding:
    """Two flat wings, their centres ``centres`` mm either side of the middle.

    ``field`` is the direction of the primary field on the axis while the current rises: ``"+y"`` away from the
    handle, ``"-y"`` towards it.
    """
    return Winding(radii, depths, _wings(centres, field), layers_in_series=series, offset_y=offset_y)


def bent_figure_8(
    radii: tuple[float, ...],
    depths: tuple[float, ...],
    *,
    centres: float,
    angle: float,
    arc: float,
    start: float = 0.0,
    field: str = "+y",
    series: bool = True,
    offset_y: float = 0.0,
) -> Winding:
    """A figure-8, each side bent ``angle`` degrees to the head, from ``start`` along an arc of radius ``arc``.

    ``centres`` is measured along the bent sheet.
    """
    return Winding(
        radii, depths, _wings(centres, field), layers_in_series=series, bend_angle=angle, bend_start=start,
        bend_radius=arc, offset_y=offset_y,
    )  # fmt: skip


def double_cone(
    radii: tuple[float, ...],
    depths: tuple[float, ...],
    *,
    centres: float,
    between: float = 100.0,
    field: str = "-y",
    arc: float = 6.0,
    start: float = 7.5,
) -> Winding:
    """Two wings with an angle of ``between`` degrees between them, the head in its opening.

    Flat to ``start`` mm from the middle, then along an ``arc`` of that radius; ``centres`` is measured along the sheet.
    """
    return bent_figure_8(radii, depths, centres=centres, angle=(180.0 - between) / 2, arc=arc, start=start, field=field)


def twin(
    radii: tuple[float, ...],
    depths: tuple[float, ...],
    *,
    centres: float,
    tilt: float,
    field: str = "-y",
) -> Winding:
    """Two round wings apart from one another, each flat and tilted ``tilt`` degrees to the head.

    They are hinged half-way between the middle and their inner rims; ``centres`` is measured along the sheet and must
    exceed their largest radius.
    """
    rim = centres - max(radii, default=0.0)
    if not rim > 0:
        raise InputError(
            f"The wings of a twin coil must not meet; instead their rims lie {rim:.1f} mm from the middle."
        )
    return bent_figure_8(radii, depths, centres=centres, angle=tilt, arc=0.0, start=rim / 2, field=field)


def _wings(centres: float, field: str) -> tuple[tuple[float, int], ...]:
    if field not in ("+y", "-y"):
        raise InputError(f"Input field of a coil's design must be '+y' or '-y'; instead received {field!r}.")
    if not centres > 0:
        raise InputError(f"The wings' centres must lie above 0 mm from the middle; instead received {centres}.")
    sense = 1 if field == "+y" else -1
    return ((-centres, -sense), (centres, sense))
