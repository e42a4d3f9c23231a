"""The pulse generator behind a coil: how steep its current can be, and its shape in time."""

from dataclasses import dataclass

import numpy as np

from neuro_field.arrays import FloatArray, read_only
from neuro_field.errors import InputError
from neuro_field.names import one_line


@dataclass(frozen=True, eq=False)
class Waveform:
    """A recorded pulse.

    Parameters
    ----------
    name : str
    time : (k,) array
        As recorded; makers' files use s or us and do not say which.
    signal : (k,) array
        In the recorder's unit; its shape is what matters.
    fit : (k,) array, optional
        A smooth curve through the signal.
    """

    name: str
    time: FloatArray
    signal: FloatArray
    fit: FloatArray | None = None

    def __post_init__(self) -> None:
        for what in ("time", "signal", "fit"):
            given = getattr(self, what)
            if given is None and what == "fit":
                continue
            array = read_only(given, np.float64)
            if array.ndim != 1 or len(array) != len(self.time) or not np.isfinite(array).all():
                raise InputError(f"Input {what} of Waveform {self.name!r} must be finite numbers, one per time.")
            object.__setattr__(self, what, array)


@dataclass(frozen=True, eq=False)
class Stimulator:
    """A stimulator, or one channel of it.

    Parameters
    ----------
    name, brand : str
    didt_max : float, optional
        Slope of the coil current at 100 % output, A/s; None when unknown.
    waveforms : tuple of Waveform
    source : str
        Where ``didt_max`` was read.
    """

    name: str
    brand: str = ""
    didt_max: float | None = None
    waveforms: tuple[Waveform, ...] = ()
    source: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", one_line(self.name))
        object.__setattr__(self, "brand", one_line(self.brand))
        if self.didt_max is not None and not (np.isfinite(self.didt_max) and self.didt_max > 0):
            raise InputError(
                f"Input didt_max of Stimulator {self.name!r} must be positive, in A/s; not {self.didt_max}."
            )
