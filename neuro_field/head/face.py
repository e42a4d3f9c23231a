"""Where a head's face is: what a page leaves out that shall not show whose head it is."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from neuro_field.arrays import BoolArray, FloatArray, unit
from neuro_field.errors import InputError
from neuro_field.geometry.mesh import Surface
from neuro_field.head.landmarks import fiducials
from neuro_field.head.model import HeadModel
from neuro_field.head.tissues import tags_of

#: The cut rises from the ears to this far above the root of the nose, mm: over the brows, and below the positions Fp1,
#: Fpz and Fp2, where a coil or an electrode may stand.
ABOVE_NASION = 18.0

#: Tissues that are never left out: the base of the brain lies lower than the brows.
KEPT = (*tags_of("brain"), *tags_of("csf"), *tags_of("lesion"))

_NEEDED = ("Nz", "LPA", "RPA")


@dataclass(frozen=True, eq=False)
class Face:
    """What lies in front of the ears and below the brows.

    Parameters
    ----------
    ears : (3,) array
        Halfway between the preauricular points, mm, head frame.
    front, up : (3,) array
        Unit vectors: the face is where a point is before the ears along ``front`` and below them along ``up``, which is
        tilted so that the plane passes `ABOVE_NASION` above the root of the nose.
    """

    ears: FloatArray
    front: FloatArray
    up: FloatArray

    @classmethod
    def of(cls, head: HeadModel) -> "Face":
        """Of a head, by the root of the nose and the ears.

        Raises
        ------
        InputError
            If the head has no map to MNI, or its scalp ends above them: then nothing says where the face is.
        """
        try:
            return cls.between(fiducials(head, _NEEDED))
        except InputError as error:
            raise InputError(
                f"The face of {head.name!r} cannot be left out, for nothing says where it is. {error}"
            ) from None

    @classmethod
    def between(cls, landmarks: Mapping[str, FloatArray]) -> "Face":
        """Of 10-10 positions by name, mm, head frame: "Nz", "LPA" and "RPA"."""
        missing = [name for name in _NEEDED if name not in landmarks]
        if missing:
            raise InputError(f"The face is found by the positions {', '.join(_NEEDED)}; {missing[0]} is missing.")
        nose, left, right = (np.asarray(landmarks[name], dtype=np.float64) for name in _NEEDED)
        ears = (left + right) / 2
        across = unit(right - left, "the line between the ears")
        front = unit(nose - ears - ((nose - ears) @ across) * across, "the line from the ears to the nose")
        brows = nose - ears + ABOVE_NASION * np.cross(across, front)
        return cls(ears, front, unit(np.cross(across, brows), "the plane through ears and brows"))

    def holds(self, points: FloatArray) -> BoolArray:
        """(m,) which points (m, 3), mm of the head frame, lie in it."""
        away = points - self.ears
        return np.asarray((away @ self.front > 0) & (away @ self.up < 0))

    def trimmed(self, surface: Surface) -> Surface:
        """A surface without the triangles that have a corner in it: open where the face was."""
        left = ~self.holds(surface.points)[surface.triangles].any(axis=1)
        return Surface(surface.points, surface.triangles[left]).compacted()
