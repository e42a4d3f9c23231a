"""How strongly to drive the coil: the motor threshold's field, carried from the hand area to the target."""

from dataclasses import dataclass

import numpy as np

from neuro_field.clinic.presets import Preset
from neuro_field.coil.coil import Coil
from neuro_field.search.plan import Plan
from neuro_field.units import AMPERE_PER_MICROSECOND

#: A target of which less than this is viable is given no dose.
LEAST_VIABLE = 0.5

#: Above this share of the motor threshold a warning is due.
HIGH = 1.2

#: %MSO per mm by which the threshold grows with the distance to the cortex, lowest and highest published
#: (Stokes 2005, 2007, 2013 [src]).
STOKES = (2.7, 3.0)

#: A threshold read by visible twitch is this much higher than one by electromyography [src].
TWITCH = 1.113

#: Field-matched and distance-matched outputs farther apart than this, %MSO, contradict one another.
_APART = 10.0


@dataclass(frozen=True)
class Dose:
    """A stimulator output and how far it can be trusted.

    Parameters
    ----------
    output : float, optional
        % of maximum stimulator output, capped at 100; None where `reason` says why.
    low, high : float, optional
        Its interval, %: 5th to 95th percentile over uncertain conductivities, the lower end widened where the
        threshold was read by visible twitch; None where stability was not computed.
    of_threshold : float, optional
        The output as a share of the motor threshold.
    target_field : float, optional
        V/m in the target at that output (volume mean of |E| in the target's ball), where didt_max is known.
    headroom : float, optional
        100 less the high end of the interval, or less the output where there is none; %.
    stokes_low, stokes_high : float, optional
        The same by the distances to the cortex alone, %: MT + m (D_target - D_M1), m 2.7 to 3.0 %MSO per mm.
    reason : str
        Why there is no output, or how it came about; for people.
    """

    output: float | None
    low: float | None
    high: float | None
    of_threshold: float | None
    target_field: float | None
    headroom: float | None
    stokes_low: float | None
    stokes_high: float | None
    reason: str

    @classmethod
    def none(cls, reason: str) -> "Dose":
        """No dose, and why."""
        return cls(None, None, None, None, None, None, None, None, reason)


def dose(preset: Preset, coil: Coil, rmt: float, anchor: Plan, plan: Plan, *, mt_method: str = "emg") -> Dose:
    """Field-matched output: MSO = k rMT e_M1 / e_target, with e the mean |E| per A/us (HBM 2026 e70550 [src]).

    Parameters
    ----------
    preset : Preset
        Whose ``intensity`` is k.
    coil : Coil
    rmt : float
        Resting motor threshold, % of maximum output.
    anchor : Plan
        For the hand area where the threshold was measured.
    plan : Plan
        For the target.  With the stability of both, under the same draws, the dose has an interval.
    mt_method : {"emg", "twitch"}
        How the threshold was read.
    """
    assert preset.intensity is not None
    if preset.threshold != "rMT":
        return Dose.none(f"the preset is dosed by {preset.threshold}, and only rMT was given")
    if plan.target.viable_share < LEAST_VIABLE:
        return Dose.none(f"only {plan.target.viable_share:.0%} of the target is viable: no dose is matched")
    k = preset.intensity
    ratio = anchor.best.magnitude / plan.best.magnitude
    wanted = k * rmt * ratio
    output = min(wanted, 100.0)
    words = [f"{k:g} x rMT {rmt:g} % x field at the hand area / field at the target ({ratio:.2f})"]
    low, high = _interval(k * rmt, anchor, plan, TWITCH if mt_method == "twitch" else 1.0)
    deeper = plan.best.metrics.cortex_distance - anchor.best.metrics.cortex_distance
    stokes = sorted(k * (rmt + slope * deeper) for slope in STOKES)
    if wanted > 100:
        words.append(f"{wanted:.0f} % would be needed: capped at 100 %")
    if wanted / rmt > HIGH:
        words.append(f"{wanted / rmt:.0%} of rMT is above 120 %")
    if not stokes[0] - _APART <= wanted <= stokes[1] + _APART:
        words.append(
            f"by the distances to the cortex alone (Stokes) it would be {stokes[0]:.0f} to {stokes[1]:.0f} %: they "
            "contradict one another, so begin low"
        )
    if mt_method == "twitch":
        words.append("the threshold was read by visible twitch, 11.3 % above that by EMG [src]: the low end allows it")
    field = plan.best.magnitude * output / 100 * coil.didt_max / AMPERE_PER_MICROSECOND if coil.didt_max else None
    headroom = 100.0 - min(high if high is not None else output, 100.0)
    return Dose(output, low, high, output / rmt, field, headroom, stokes[0], stokes[1], "; ".join(words))


def _interval(scaled: float, anchor: Plan, plan: Plan, lower: float) -> tuple[float | None, float | None]:
    """5th and 95th percentile of the output over conductivities, % and at most 100, the low one divided."""
    if anchor.stability is None or plan.stability is None:
        return None, None
    ratios = anchor.stability.magnitude / plan.stability.magnitude
    low, high = np.percentile(scaled * ratios, [5, 95])
    return float(min(low / lower, 100.0)), float(min(high, 100.0))
