"""What only people know of a patient: the answers that a study asks for."""

from dataclasses import dataclass

from neuro_field.aim.atlas import SIDES, other_side
from neuro_field.clinic.presets import Preset
from neuro_field.errors import InputError

#: Answers that forbid stimulation: with one of these nothing is planned.
CONTRAINDICATIONS = ("pacemaker", "icd", "cochlear-implant", "intracranial-clip")


@dataclass(frozen=True)
class Answers:
    """What only people know.

    ``lesion_side`` left or right, if no mask says it; ``fluency`` fluent or non-fluent and ``dominant_side`` (of
    language, on fMRI) for aphasia; ``side`` where the preset leaves it to the user; ``rmt`` the resting motor
    threshold of the unaffected hand, % of maximum stimulator output, and ``mt_method`` how it was read, emg or twitch;
    ``contraindications`` any of `CONTRAINDICATIONS`; ``mep`` present, absent or untested; ``fma_ue`` 0
    to 66.
    """

    lesion_side: str | None = None
    fluency: str | None = None
    dominant_side: str | None = None
    side: str | None = None
    rmt: float | None = None
    contraindications: tuple[str, ...] = ()
    mep: str = "untested"
    fma_ue: float | None = None
    mt_method: str = "emg"

    def __post_init__(self) -> None:
        choices: tuple[tuple[str, tuple[str | None, ...]], ...] = (
            ("lesion_side", (None, *SIDES)), ("fluency", (None, "fluent", "non-fluent")),
            ("dominant_side", (None, *SIDES)), ("side", (None, *SIDES)),
            ("mep", ("present", "absent", "untested")), ("mt_method", ("emg", "twitch")),
        )  # fmt: skip
        for name, allowed in choices:
            if getattr(self, name) not in allowed:
                known = ", ".join(str(value) for value in allowed if value)
                raise InputError(f"Input {name} must be one of {known}; instead received {getattr(self, name)!r}.")
        if self.rmt is not None and not 1 <= self.rmt <= 100:
            raise InputError(f"Input rmt must be 1 to 100 % of maximum output; instead received {self.rmt!r}.")
        if self.fma_ue is not None and not 0 <= self.fma_ue <= 66:
            raise InputError(f"Input fma_ue must be 0 to 66; instead received {self.fma_ue!r}.")
        unknown = [answer for answer in self.contraindications if answer not in CONTRAINDICATIONS]
        if unknown:
            raise InputError(f"Contraindications must be among {', '.join(CONTRAINDICATIONS)}; not {unknown[0]!r}.")


def own_role(preset: Preset, answers: Answers) -> str:
    """The role whose side a preset stimulates (first); "bilateral" where it is both sides at once."""
    if preset.at_once:
        return "bilateral"
    if preset.side in ("contralesional", "ipsilesional"):
        return preset.side
    if preset.side == "both":
        return "contralesional"
    wanted = answers.side if preset.side == "asked" else other_side(str(answers.dominant_side))
    return "ipsilesional" if wanted == answers.lesion_side else "contralesional"
