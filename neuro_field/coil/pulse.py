"""Pulse shapes of the coil current, and which of their phases stimulates: what a sign of the field means."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from neuro_field.arrays import FloatArray
from neuro_field.coil.stimulator import Waveform
from neuro_field.errors import InputError

#: A phase weaker than this, of the strongest, is no phase of its own but the tail of one.
_TAIL = 0.25


@dataclass(frozen=True)
class Phase:
    """A stretch of a pulse in which the induced field keeps its direction.

    ``start`` and ``end`` in the waveform's own time; ``peak`` the largest slope of the current in it, over the first
    phase's: its sign is that of the induced field against the coil's `initial_e_direction`.
    """

    start: float
    end: float
    peak: float


def monophasic(rise: float, decay: float, samples: int = 400) -> Waveform:
    """Slope of a monophasic current over its first: a quarter of a sine up, then an exponential fall.

    Parameters
    ----------
    rise : float
        Time to the peak of the current, s.
    decay : float
        Time constant of its fall, s; longer than the rise.
    samples : int
    """
    if not (0 < rise < decay < np.inf):
        raise InputError(f"A monophasic pulse needs 0 < rise < decay, in s; instead received {rise} and {decay}.")
    time = np.linspace(0, rise + 5 * decay, samples)
    angular = np.pi / 2 / rise
    falling = -np.exp(-(time - rise) / decay) / (decay * angular)
    return Waveform("monophasic", time, np.where(time <= rise, np.cos(angular * time), falling))


def biphasic(period: float, damping: float = 0.0, samples: int = 400) -> Waveform:
    """Slope of a biphasic current over its first: one period of e^(-damping t) sin(2 pi t / period).

    Parameters
    ----------
    period : float
        s.
    damping : float
        1/s.
    samples : int
    """
    if not (0 < period < np.inf and 0 <= damping * period < 2 * np.pi):
        raise InputError(
            f"A biphasic pulse needs a period above 0 s and a damping below 2 pi / period; not {period}, {damping}."
        )
    time = np.linspace(0, period, samples)
    angular = 2 * np.pi / period
    slope = np.exp(-damping * time) * (np.cos(angular * time) - damping / angular * np.sin(angular * time))
    return Waveform("biphasic", time, slope)


def phases(waveform: Waveform) -> tuple[Phase, ...]:
    """Phases of a waveform whose signal is the slope of the current (the induced field), in order.

    The fit is taken where there is one.  Phases weaker than a quarter of the strongest are left out.

    Raises
    ------
    InputError
        If the signal is zero throughout.
    """
    signal = np.asarray(waveform.signal if waveform.fit is None else waveform.fit)
    strongest = float(np.abs(signal).max(initial=0.0))
    if not strongest > 0:
        raise InputError(f"The waveform {waveform.name!r} is zero throughout; it has no phases.")
    edges = np.concatenate([[0], np.flatnonzero(np.diff(np.sign(signal)) != 0) + 1, [len(signal)]])
    stretches = [(a, b, _peak(signal[a:b])) for a, b in pairwise(edges) if b > a]
    kept = [each for each in stretches if abs(each[2]) >= _TAIL * strongest]
    first = kept[0][2]
    return tuple(Phase(float(waveform.time[a]), float(waveform.time[b - 1]), peak / first) for a, b, peak in kept)


def counting_phase(waveform: Waveform) -> int:
    """Number of the phase that stimulates, from 1: the first of a monophasic pulse, the second of a longer one.

    A biphasic pulse's second phase lasts twice as long as its first, and stimulates (Kammer et al., Clin Neurophysiol
    2001;112:250-258 [lit]); so the field that counts points against the coil's `initial_e_direction`.
    """
    return 1 if len(phases(waveform)) == 1 else 2


def _peak(part: FloatArray) -> float:
    return float(part[np.argmax(np.abs(part))])
