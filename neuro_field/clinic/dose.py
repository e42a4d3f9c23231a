"""How strongly to drive the coil: the motor threshold's field, carried from the hand area to the target."""

from dataclasses import dataclass

import numpy as np

from neuro_field.clinic.presets import Preset
from neuro_field.coil.coil import Coil
from neuro_field.findings import Finding
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
    """Outputs of the stimulator, told apart, and what has to be said with them.

    All outputs are % of the maximum of the stimulator that treats, with the coil that is planned with.

    Parameters
    ----------
    published : float, optional
        The protocol as published: its share of the threshold, of the muscle, kind and coil it names; None where the
        threshold given is another.
    matched : float, optional
        The field-matched output, at most 100: what gives the target that share of the threshold's field.
    needed : float, optional
        The same uncapped.
    low, high : float, optional
        Interval of the matched output over uncertain conductivities (and, by a threshold of the other hemisphere, over
        what that leaves open), at most 100; None where there is none.
    begin : float, optional
        The output to begin at: the lowest of those told, less the excess of a threshold by visible twitch; None where
        none is given.
    of_threshold : float, optional
        The matched output as a share of the threshold that this coil would have.
    target_field : float, optional
        V/m in the target at the matched output, by `statistic`.
    ratio_magnitude, ratio_along : float, optional
        Field at the anchor over field in the target, by mean |E|, and along the wanted current axes where both have
        one; at 1 A/us each.
    statistic : {"magnitude", "along"}
        Which of them the dose is matched by: what the placements are ranked by.
    stokes_low, stokes_high : float, optional
        The output by the depths of anchor and target under the scalp alone (Stokes), %; figure-8 coils only.
    anchor : {"pose", "hot-spot", "best-placement"}, optional
        Where the threshold's field was computed: at the pose where it was read, at a measured hot spot, or at the
        model's best placement over the area, which stands in.
    at_target : bool
        Whether the anchor is this very target and placement.
    stimulator : str, optional
        That treats; None where it is not known: then outputs are those of the machine the threshold was read with.
    findings : tuple of Finding
    """

    published: float | None = None
    matched: float | None = None
    needed: float | None = None
    low: float | None = None
    high: float | None = None
    begin: float | None = None
    of_threshold: float | None = None
    target_field: float | None = None
    ratio_magnitude: float | None = None
    ratio_along: float | None = None
    statistic: str = "magnitude"
    stokes_low: float | None = None
    stokes_high: float | None = None
    anchor: str | None = None
    at_target: bool = False
    stimulator: str | None = None
    findings: tuple[Finding, ...] = ()


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
        return Dose(findings=(Finding("dose-other-kind", "note", {"wanted": preset.threshold, "given": "rMT"}),))
    if plan.target.viable_share < LEAST_VIABLE:
        return Dose(findings=(Finding("dose-target-lost", "warn", {"viable": plan.target.viable_share}),))
    k = preset.intensity
    ratio = anchor.best.magnitude / plan.best.magnitude
    wanted = k * rmt * ratio
    output = min(wanted, 100.0)
    low, high = _interval(k * rmt, anchor, plan, TWITCH if mt_method == "twitch" else 1.0)
    deeper = plan.best.metrics.cortex_distance - anchor.best.metrics.cortex_distance
    stokes = sorted(k * (rmt + slope * deeper) for slope in STOKES)
    field = plan.best.magnitude * output / 100 * coil.didt_max / AMPERE_PER_MICROSECOND if coil.didt_max else None
    findings = [Finding("dose-capped", "warn", {"needed": wanted})] if wanted > 100 else []
    return Dose(
        k * rmt, output, wanted, low, high, low, output / rmt, field, ratio, None, "magnitude", stokes[0], stokes[1],
        "best-placement", anchor is plan, None, tuple(findings),
    )  # fmt: skip


def _interval(scaled: float, anchor: Plan, plan: Plan, lower: float) -> tuple[float | None, float | None]:
    """5th and 95th percentile of the output over conductivities, % and at most 100, the low one divided."""
    if anchor.stability is None or plan.stability is None:
        return None, None
    ratios = anchor.stability.magnitude / plan.stability.magnitude
    low, high = np.percentile(scaled * ratios, [5, 95])
    return float(min(low / lower, 100.0)), float(min(high, 100.0))
