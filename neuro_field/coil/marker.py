"""A pose of the coil as navigators keep it: planned before a session or recorded at a pulse."""

from dataclasses import dataclass

import numpy as np

from neuro_field.arrays import FloatArray, as_vector, read_only
from neuro_field.coil.placement import Placement
from neuro_field.errors import InputError
from neuro_field.names import one_line


@dataclass(frozen=True, eq=False)
class Marker:
    """One planned or recorded pose.

    Parameters
    ----------
    name : str
        One line of text without tabs; runs of white space become single blanks.
    placement : Placement
    recorded : bool
        True for a pose that was there when a pulse or a sample was taken, False for one that was planned.
    session : str
        Which session it was recorded in; empty where nothing says so.
    didt : float, optional
        Current slope of the pulse, A/s.
    output : float, optional
        Stimulator output of the pulse, % of its maximum.
    aim : (3,) array, optional
        The point the pose is meant for, mm, head frame.

    Raises
    ------
    InputError
        On a slope that is negative or not finite, or an output outside 0 to 100 %.

    Examples
    --------
    >>> import numpy as np, neuro_field as nf
    >>> pulse = nf.Marker("pulse 17", nf.Placement(np.eye(4)), recorded=True, session="day 1", output=52.0)
    >>> pulse.output, pulse.didt
    (52.0, None)
    """

    name: str
    placement: Placement
    recorded: bool = False
    session: str = ""
    didt: float | None = None
    output: float | None = None
    aim: FloatArray | None = None

    def __post_init__(self) -> None:
        for key in ("name", "session"):
            object.__setattr__(self, key, one_line(getattr(self, key)))
        if self.didt is not None and not (np.isfinite(self.didt) and self.didt >= 0):
            raise InputError(f"Input didt of Marker must be at least 0 A/s; instead received {self.didt!r}.")
        if self.output is not None and not 0 <= self.output <= 100:
            raise InputError(f"Input output of Marker must be 0 to 100 %; instead received {self.output!r}.")
        if self.aim is not None:
            object.__setattr__(self, "aim", read_only(as_vector(self.aim, "aim of Marker")))
