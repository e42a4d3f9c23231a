"""How strongly to drive the coil: the motor threshold's field, carried from the hand area to the target."""

from dataclasses import dataclass

from neuro_field.coil.coil import Coil
from neuro_field.planning.plan import Plan
from neuro_field.planning.presets import Preset

#: A target of which less than this is viable is given no dose.
LEAST_VIABLE = 0.5

#: Above this share of the motor threshold a warning is due.
HIGH = 1.2


@dataclass(frozen=True)
class Dose:
    """A stimulator output.

    Parameters
    ----------
    output : float, optional
        % of maximum stimulator output, capped at 100; None where `reason` says why.
    of_threshold : float, optional
        The same as a share of the motor threshold.
    target_field : float, optional
        V/m in the target at that output (volume mean of |E| in the target's ball), where didt_max is known.
    reason : str
        Why there is no output, or how it came about; for people.
    """

    output: float | None
    of_threshold: float | None
    target_field: float | None
    reason: str


def dose(preset: Preset, coil: Coil, rmt: float, anchor: Plan, plan: Plan) -> Dose:
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
        For the target.
    """
    assert preset.intensity is not None
    if preset.threshold != "rMT":
        return Dose(None, None, None, f"the preset is dosed by {preset.threshold}, and only rMT was given")
    if plan.target.viable_share < LEAST_VIABLE:
        share = f"{plan.target.viable_share:.0%}"
        return Dose(None, None, None, f"only {share} of the target is viable: no dose is matched")
    ratio = anchor.best.magnitude / plan.best.magnitude
    wanted = preset.intensity * rmt * ratio
    output = min(wanted, 100.0)
    words = [f"{preset.intensity:g} x rMT {rmt:g} % x field at the hand area / field at the target ({ratio:.2f})"]
    if wanted > 100:
        words.append(f"{wanted:.0f} % would be needed: capped at 100 %")
    if wanted / rmt > HIGH:
        words.append(f"{wanted / rmt:.0%} of rMT is above 120 %")
    field = plan.best.magnitude * output / 100 * coil.didt_max / 1e6 if coil.didt_max else None
    return Dose(output, output / rmt, field, "; ".join(words))
