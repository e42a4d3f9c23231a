"""What a tracker says of a tool in one message, before anything is believed of it."""

import numpy as np

from neuro_field.arrays import FloatArray
from neuro_field.nouns import noun

#: A pose nearer to the identity than this in every number is no pose: trackers send it for a tool they do not see.
_IDENTITY = 1e-6

#: Numbers of a message beyond this are damage.
_LARGEST = 1e6


@noun
class Sighting:
    """One message about the coil.

    Parameters
    ----------
    pose : (4, 4) array or None
        As sent: from the tool to the frame of the sender, in the sender's units; None where it is not seen.
    why : str
        Why there is none: "identity", "null", "blocked", "damaged", "reference" (the head's tool is not seen).
    stamp : float, optional
        When it was measured, seconds, by the sender's clock.
    reference : (4, 4) array, optional
        The head's tool in the same frame, where a sender knows nothing but tools.
    system : str
        The coordinate system it names; empty where it names none.
    pulse : bool
        Whether it tells of a pulse, given where the coil was seen last, and of no pose.
    """

    pose: FloatArray | None
    why: str = ""
    stamp: float | None = None
    reference: FloatArray | None = None
    system: str = ""
    pulse: bool = False

    @classmethod
    def of(cls, pose: object, *, stamp: float | None = None, system: str = "") -> "Sighting":
        """Of numbers as they came: a 4x4 of rows, or what stands for none."""
        matrix, why = matrix_of(pose)
        return cls(matrix, why, stamp, None, system)

    def beside(self, reference: object) -> "Sighting":
        """The same, seen beside the head's own tool."""
        matrix, why = matrix_of(reference)
        if matrix is None:
            return Sighting(None, "reference" if self.pose is not None else self.why or why, self.stamp)
        return Sighting(self.pose, self.why, self.stamp, matrix, self.system)


def matrix_of(pose: object) -> tuple[FloatArray | None, str]:
    """A (4, 4) of numbers, or None and why there is none."""
    if pose is None:
        return None, "null"
    try:
        out = np.array(pose, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        return None, "damaged"
    if out.shape == (16,):
        out = out.reshape(4, 4)
    if out.shape != (4, 4) or not (np.abs(out) <= _LARGEST).all():
        return None, "damaged"
    if not out.any():
        return None, "null"
    if np.abs(out - np.eye(4)).max() < _IDENTITY:
        return None, "identity"
    return out, ""


class Clock:
    """How late a message is, by a clock that is not ours: against the quickest one of the same connection."""

    def __init__(self) -> None:
        self._quickest: float | None = None

    def late(self, stamp: float | None, arrived: float) -> float:
        """Seconds that a message lay about before it arrived, at least; 0 where the sender tells no time."""
        if stamp is None:
            return 0.0
        took = arrived - stamp
        self._quickest = took if self._quickest is None else min(self._quickest, took)
        return took - self._quickest
