"""A motor threshold from a motor map: the output at which the pose that reaches the site best gives its threshold."""

from neuro_field.clinic.threshold import MUSCLES, Threshold
from neuro_field.coil.coil import Coil
from neuro_field.errors import InputError
from neuro_field.hotspot.motor_map import MotorMap
from neuro_field.units import AMPERE_PER_MICROSECOND


def mapped_threshold(
    found: MotorMap, coil: Coil, *, kind: str = "rMT", limb: str | None = None, stimulator: str | None = None
) -> Threshold:
    """The threshold of the map's muscle, with the pose it belongs to, as every dose takes it.

    ``percent`` is the output at which the recorded pose that reaches the site best gives the site the field where the
    fitted median amplitude is 50 uV; never the midpoint of the curve, which lies well above.

    Parameters
    ----------
    found : MotorMap
    coil : Coil
        That it was mapped with; knows the slope of its full output.
    kind : {"rMT", "aMT"}
    limb : {"hand", "foot"}, optional
        Whose muscle it is; needed where that is none of `threshold.MUSCLES`.
    stimulator : str, optional

    Raises
    ------
    InputError
        If the map has no site, threshold or side, its muscle's limb is not known, the coil is another or does not
        know its slope, or the output would be below 1 or above 100 %.

    Examples
    --------
    >>> import numpy as np, neuro_field as nf
    >>> head, coil = nf.sphere_head((70, 80, 90), edge=9.0), nf.load_coil("figure8-70mm")
    >>> first = nf.Placement.on(head.scalp, above=(0, 0, 92), handle_towards=(0, -90, 92))
    >>> poses = np.stack([first.moved(turned=9.0 * k).head_from_coil for k in range(20)])
    >>> pulses = nf.Pulses("FDI", poses, np.full(20, 60.0), np.zeros(20))  # the muscle never answered
    >>> still = nf.motor_map(nf.live_field(nf.Solver(head), coil, snapshots=20), coil, pulses, head=head)
    >>> try:
    ...     nf.mapped_threshold(still, coil)
    ... except nf.InputError as error:
    ...     print(error)
    The map has no threshold (its findings say why): give a measured one.
    """
    pulse = found.strongest_pulse
    if pulse is None or found.threshold is None or found.side is None:
        raise InputError("The map has no threshold (its findings say why): give a measured one.")
    if coil.name != found.coil:
        raise InputError(f"The map was made with the coil {found.coil!r}; instead received {coil.name!r}.")
    if not coil.didt_max:
        raise InputError(f"The largest slope of the coil {coil.name!r} is not known: a threshold in % cannot be told.")
    known = next((name for name, muscles in MUSCLES.items() if found.muscle.upper() in muscles), limb)
    if known not in MUSCLES or limb not in (None, known):
        raise InputError(
            f"Input limb of mapped_threshold must be hand or foot, that of {found.muscle}; instead "
            f"received {limb!r:.40}."
        )
    slope = float(found.pulses.slopes(coil)[pulse]) / AMPERE_PER_MICROSECOND
    percent = 100 * found.threshold * slope / float(found.fields[pulse]) / (coil.didt_max / AMPERE_PER_MICROSECOND)
    body = "left" if found.side == "right" else "right"
    return Threshold(
        percent, kind, hand=body if known == "hand" else None, foot=body if known == "foot" else None,
        muscle=found.muscle, coil=coil.name, stimulator=stimulator, pose=found.pulses.poses[pulse],
    )  # fmt: skip
