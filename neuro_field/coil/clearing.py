"""A casing that cuts the head: how far to lift the coil, or how to tilt it, so that it clears."""

import numpy as np

from neuro_field.coil.coil import Coil
from neuro_field.coil.fit import lifts_to_clear
from neuro_field.coil.placement import Placement
from neuro_field.errors import InputError
from neuro_field.geometry.mesh import Surface
from neuro_field.nouns import noun

#: Lift that a degree of tilt must spare to be worth it, mm.
WORTH = 0.1


@noun
class Cleared:
    """A pose whose casing clears the scalp.

    ``lift`` mm back along the coil's axis, after a tilt of ``tilted_x`` and ``tilted_y`` degrees about the coil's own
    axes; all 0 where it was clear.
    """

    placement: Placement
    lift: float
    tilted_x: float = 0.0
    tilted_y: float = 0.0

    @property
    def tilt(self) -> float:
        """Angle between the axes before and after, degrees."""
        across, along = np.deg2rad(self.tilted_x), np.deg2rad(self.tilted_y)
        return float(np.degrees(np.arccos(np.clip(np.cos(across) * np.cos(along), -1, 1))))

    @property
    def words(self) -> str:
        """What was done, in a sentence."""
        done = [f"tilted {self.tilt:.0f} degrees"] if self.tilt > 0 else []
        done += [f"lifted {self.lift:.1f} mm"] if self.lift > 0.05 else []
        if not done:
            return "The casing clears the scalp as asked."
        return f"The casing would cut the scalp: the coil was {' and '.join(done)} to clear it."


def cleared(placement: Placement, coil: Coil, scalp: Surface, gap: float = 0.0, most_tilt: float = 0.0) -> Cleared:
    """The nearest pose at which a coil's casing keeps its distance from the scalp.

    Parameters
    ----------
    placement : Placement
    coil : Coil
        With a casing.
    scalp : Surface
        mm, head frame.
    gap : float
        Distance along the coil's axis to keep between casing and scalp, mm (hair, cap).
    most_tilt : float
        Largest tilt about each of the coil's x and y axes, degrees, in steps of one; 0 lifts only.

    Returns
    -------
    Cleared
        Of all tilts the one that needs the least lift, a degree counting as 0.1 mm; the centre of the face moves by
        the lift only.

    Raises
    ------
    InputError
        If the coil has no casing, or the tilt is not within 0 to 30 degrees.
    """
    if coil.casing is None:
        raise InputError(f"The coil {coil.name!r} has no casing, so it is unknown whether it clears the scalp.")
    if not 0 <= most_tilt <= 30:
        raise InputError(f"Input most_tilt of cleared must be 0 to 30 degrees; instead received {most_tilt}.")
    steps = np.arange(-np.floor(most_tilt), np.floor(most_tilt) + 1)
    about_x, about_y = (axis.ravel() for axis in np.meshgrid(steps, steps, indexing="ij"))
    tilted = [placement.moved(tilted_x=x, tilted_y=y) for x, y in zip(about_x, about_y, strict=True)]
    lifts = lifts_to_clear(scalp.points, coil.casing, np.array([pose.head_from_coil for pose in tilted]), gap)
    best = int(np.argmin(lifts + WORTH * np.hypot(about_x, about_y)))
    lift = float(lifts[best])
    return Cleared(tilted[best].moved(along_z=-lift), lift, float(about_x[best]), float(about_y[best]))
