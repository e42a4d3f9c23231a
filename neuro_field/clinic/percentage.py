"""What a protocol's intensity is a percentage of: kind of threshold, limb, muscle, side and coil, as published."""

from dataclasses import dataclass

from neuro_field.aim.atlas import other_side
from neuro_field.clinic.presets import Preset


@dataclass(frozen=True)
class Percentage:
    """A share of a motor threshold, and of which.

    Parameters
    ----------
    share : float, optional
        0.9 for 90 %; None where nothing is published and the user must type it.
    kind : {"rMT", "aMT"}
    limb : {"hand", "foot"}, optional
        Whose muscle; None where the source does not say, or the user typed the share.
    muscle : str, optional
        None where no one muscle is named.
    hemisphere : {"left", "right"}, optional
        Whose threshold is meant; None where the source does not say.
    coil : str, optional
        Of the shelf, by which the threshold is read in the protocol.
    mark : str
        How far it can be trusted: "src", "lit", "to-be-re-read", or "typed".
    stimulates : bool
        Whether the protocol stimulates the target that is dosed; the other side's is planned for comparison only.
    """

    share: float | None
    kind: str = "rMT"
    limb: str | None = None
    muscle: str | None = None
    hemisphere: str | None = None
    coil: str | None = None
    mark: str = "typed"
    stimulates: bool = True


#: Limb, muscle, hemisphere and trust mark of each preset's percentage; the share itself stands with the preset.
_OF: dict[str, tuple[str | None, str | None, str | None, str]] = {
    "contralesional-1hz-hand": ("hand", "FDI", "contralesional", "lit"),
    "bihemispheric-hand": ("hand", None, None, "lit"),
    "ipsilesional-10hz-hand": ("hand", None, None, "lit"),
    "ipsilesional-itbs-hand": ("hand", None, None, "lit"),
    "aphasia-1hz": ("hand", None, None, "lit"),
    "lower-limb-10hz": ("foot", None, None, "to-be-re-read"),
    "dysphagia-3hz": ("hand", None, None, "lit"),
}


def percentage_of(preset: Preset, affected: str | None) -> Percentage:
    """What a preset's intensity is a percentage of, in a patient with that hemisphere affected."""
    limb, muscle, role, mark = _OF.get(preset.name, (None, None, None, "typed"))
    hemisphere = None
    if role is not None and affected is not None:
        hemisphere = other_side(affected) if role == "contralesional" else affected
    return Percentage(preset.intensity, preset.threshold, limb, muscle, hemisphere, preset.coil, mark)


def trains_of(preset: Preset, role: str) -> tuple[tuple[float, float | None], ...]:
    """Trains that a preset gives to one side, (Hz, seconds): of two for both in turn the first is contralesional."""
    if preset.side == "both" and not preset.at_once and len(preset.trains) == 2:
        return (preset.trains[0 if role == "contralesional" else 1],)
    return preset.trains
