"""What a person has said of a head's tape landmarks: where they lie, and how long the two arcs over it are."""

from collections.abc import Mapping
from dataclasses import field

import numpy as np

from neuro_field.arrays import FloatArray, as_vector, read_only
from neuro_field.errors import InputError
from neuro_field.nouns import noun

#: The root of the nose, the bump at the back of the head, and the points before the left and the right ear.
NAMES = ("Nz", "Iz", "LPA", "RPA")

#: Arcs over a head, mm; small children and the largest heads lie between.
SHORTEST_ARC, LONGEST_ARC = 200.0, 500.0


@noun
class Fiducials:
    """A patient's own fiducials.

    Parameters
    ----------
    points : mapping of str to (3,) array
        Nz (nasion), Iz (inion), LPA and RPA (before the left and the right ear), mm, head frame: all four, or none for
        a head whose map to MNI152 says where they lie.
    nasion_inion, ear_ear : float, optional
        The arcs as measured on the patient with a tape, over the vertex, mm.

    Raises
    ------
    InputError
        If one of the four is missing, left and right or front and back are exchanged, or an arc is none of a head.

    Examples
    --------
    >>> import neuro_field as nf
    >>> nf.Fiducials(nasion_inion=352, ear_ear=364).nasion_inion
    352.0
    """

    points: Mapping[str, FloatArray] = field(default_factory=dict)
    nasion_inion: float | None = None
    ear_ear: float | None = None

    def __post_init__(self) -> None:
        points = {
            name: read_only(as_vector(place, f"point {name} of Fiducials")) for name, place in self.points.items()
        }
        if points and set(points) != set(NAMES):
            missing = [name for name in NAMES if name not in points]
            told = (
                f"{', '.join(missing)} missing" if missing else f"{', '.join(sorted(set(points) - set(NAMES)))} as well"
            )
            raise InputError(f"Landmarks of a head must be Nz, Iz, LPA and RPA; instead received {told}.")
        if points:
            _check_sides(points)
        object.__setattr__(self, "points", points)
        for name in ("nasion_inion", "ear_ear"):
            value = getattr(self, name)
            if value is None:
                continue
            if not (isinstance(value, int | float | np.number) and SHORTEST_ARC <= value <= LONGEST_ARC):
                raise InputError(
                    f"Input {name} must be {SHORTEST_ARC:g} to {LONGEST_ARC:g} mm, as a tape reads it over the vertex; "
                    f"instead received {value!r:.40}. Give millimetres."
                )
            object.__setattr__(self, name, float(value))


def _check_sides(points: Mapping[str, FloatArray]) -> None:
    """Refuse landmarks whose axes are not those of the head frame: rightwards, forwards, upwards."""
    for axis, low, high, how in ((0, "LPA", "RPA", "to the right of"), (1, "Iz", "Nz", "in front of")):
        apart = float(points[high][axis] - points[low][axis])
        if apart <= 0:
            raise InputError(
                f"Landmark {high} must lie {how} {low}; instead it lies {-apart:.0f} mm the other way: left and right "
                "or front and back are exchanged, or the file's frame (RAS, LPS) is another one than it says."
            )
