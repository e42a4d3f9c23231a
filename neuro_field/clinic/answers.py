"""What only people know of a patient: the answers that a plan asks for, each checked as it is given."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from neuro_field.aim.atlas import SIDES
from neuro_field.errors import UnknownNameError
from neuro_field.findings import Finding, Refusal, as_name
from neuro_field.names import resolved

#: Implants with one of which nothing is planned.
BLOCKED = (
    "pacemaker", "icd", "cochlear-implant", "intracranial-clip", "deep-brain-stimulator", "vagus-nerve-stimulator",
    "implanted-stimulator", "implanted-pump", "programmable-shunt", "intracranial-metal",
)  # fmt: skip

#: Implants with one of which nothing is planned until the physician has confirmed it by its name.
CONFIRMABLE = ("aneurysm-coil", "stent", "plate")

#: What the physician confirms of an opened skull that holds neither.
NO_METAL = "no-plates-or-clips"

#: What a partner hospital leaves out of its programme [src]: told, and left to the physician.
EXCLUSIONS = ("convulsion-within-1-year", "dialysis", "depression", "dementia", "under-16", "bilateral-paresis")

#: What may hold a bone flap, or lie under one.
METAL_OF_A_FLAP = ("plate", "intracranial-clip", "intracranial-metal")

#: All that can be named.
CONTRAINDICATIONS = (*BLOCKED, *CONFIRMABLE, *EXCLUSIONS)

#: Other names of these.
_ALSO = {
    "dbs": "deep-brain-stimulator", "vns": "vagus-nerve-stimulator", "defibrillator": "icd",
    "clip": "intracranial-clip", "aneurysm-clip": "intracranial-clip",
    "stimulator": "implanted-stimulator", "pump": "implanted-pump",
    "shunt": "programmable-shunt", "shunt-valve": "programmable-shunt", "programmable-valve": "programmable-shunt",
    "metal": "intracranial-metal", "coil": "aneurysm-coil", "coils": "aneurysm-coil", "aneurysm-coils": "aneurysm-coil",
    "stents": "stent", "plates": "plate", "convulsion": "convulsion-within-1-year",
    "seizure": "convulsion-within-1-year", "age-under-16": "under-16",
}  # fmt: skip

#: Answers that are one of a few words.
_CHOICES: dict[str, tuple[str, ...]] = {
    "lesion_side": SIDES, "paretic_hand": SIDES, "dominant_side": SIDES, "side": SIDES,
    "fluency": ("fluent", "non-fluent"), "mep": ("present", "absent", "untested"), "mt_method": ("emg", "twitch"),
}  # fmt: skip

#: Answers that are numbers, and their limits: %, points, Hz, pulses, shares, seconds.
_LIMITS: dict[str, tuple[float, float]] = {
    "rmt": (1, 100), "fma_ue": (0, 66), "frequency": (0.1, 100), "pulses": (1, 20000), "intensity": (0.3, 1.5),
    "train_seconds": (0.1, 7200),
}  # fmt: skip


@dataclass(frozen=True)
class Answers:
    """What only people know; capitals, blanks and hyphens are forgiven.

    Parameters
    ----------
    lesion_side : {"left", "right"}, optional
        Where the head's mask does not say it.
    paretic_hand : {"left", "right"}, optional
        Which hand is weak: it decides where the lesion is on both sides, in the midline, in pons or cerebellum.
    side : {"left", "right"}, optional
        Where the preset leaves it to the user.
    fluency : {"fluent", "non-fluent"}, optional
    dominant_side : {"left", "right"}, optional
        Of language, on fMRI.
    mep : {"present", "absent", "untested"}
        Motor evoked potential of the paretic hand, from the ipsilesional hemisphere.
    fma_ue : float, optional
        Fugl-Meyer, upper extremity, 0 to 66.
    rmt : float, optional
        Resting motor threshold of the hand that is not paretic, % of maximum output.
    mt_method : {"emg", "twitch"}
        How ``rmt`` was read.
    contraindications : tuple of str
        Any of `CONTRAINDICATIONS`.
    confirmed : tuple of str
        Those of `CONFIRMABLE` that the physician has confirmed, or "no-plates-or-clips" for a skull that was opened.
    frequency, pulses, intensity, train_seconds : float, optional
        Of the protocol, where the preset leaves them open or another value is used: Hz, pulses a session, share of the
        motor threshold, seconds of one train.

    Raises
    ------
    Refusal
        With a finding for every answer that is none.

    Examples
    --------
    >>> import neuro_field as nf
    >>> nf.Answers(lesion_side="Left", fluency="non fluent").fluency
    'non-fluent'
    """

    lesion_side: str | None = None
    paretic_hand: str | None = None
    side: str | None = None
    fluency: str | None = None
    dominant_side: str | None = None
    mep: str = "untested"
    fma_ue: float | None = None
    rmt: float | None = None
    mt_method: str = "emg"
    contraindications: tuple[str, ...] = ()
    confirmed: tuple[str, ...] = ()
    frequency: float | None = None
    pulses: float | None = None
    intensity: float | None = None
    train_seconds: float | None = None

    def __post_init__(self) -> None:
        values, wrong = checked({entry.name: getattr(self, entry.name) for entry in fields(self)})
        if wrong:
            raise Refusal(*wrong)
        for name, value in values.items():
            object.__setattr__(self, name, value)

    @property
    def named(self) -> tuple[str, ...]:
        """Contraindications and confirmed implants, each once."""
        return tuple(dict.fromkeys((*self.contraindications, *self.confirmed)))


#: What is taken where nothing is given.
DEFAULTS = {entry.name: entry.default for entry in fields(Answers)}


def checked(given: Mapping[str, Any]) -> tuple[dict[str, Any], list[Finding]]:
    """Answers as they are kept, and a finding for each that is none, which is left out of the former."""
    values: dict[str, Any] = {}
    wrong: list[Finding] = []
    for name, value in given.items():
        if value is None and DEFAULTS[name] is None:
            continue
        found: Any
        if name in _CHOICES:
            found, says = _chosen(name, value, _CHOICES[name])
        elif name in _LIMITS:
            found, says = _number(name, value, *_LIMITS[name])
        else:
            known = (*CONFIRMABLE, NO_METAL) if name == "confirmed" else CONTRAINDICATIONS
            listed = (value,) if isinstance(value, str) else tuple(value or ())
            each = [_chosen(name, one, known) for one in listed]
            found, says = (
                tuple(dict.fromkeys(one for one, _ in each if one)),
                [said for _, some in each for said in some],
            )
        wrong += says
        if not says or found:  # of several contraindications the known ones still count
            values[name] = found
    return values, wrong


def implants(answers: Answers) -> Iterator[Finding]:
    """What the named contraindications mean: nothing is planned, or it is said first; never that all is well."""
    for name in answers.named:
        if name == NO_METAL:
            yield from _no_metal(answers)
        elif name in BLOCKED:
            yield Finding("intake-forbidden", "stop", {"field": "contraindications", "answer": name})
        elif name in EXCLUSIONS:
            yield Finding("intake-excluded", "warn", {"answer": name})
        elif name not in answers.confirmed:
            yield Finding("intake-unconfirmed", "stop", {"field": "confirmed", "answer": name})
        else:
            yield Finding("intake-confirmed", "warn", {"answer": name})


def _no_metal(answers: Answers) -> Iterator[Finding]:
    """Neither plates nor clips: not when one is named all the same."""
    for name in answers.named:
        if name in METAL_OF_A_FLAP:
            yield Finding("intake-metal-contradicts", "stop", {"field": "confirmed", "answer": name})
    yield Finding("intake-no-metal", "note", {})


def of_open_skull(answers: Answers, area: float) -> Iterator[Finding]:
    """Whether plates and clips were asked for by name, where the skull is or was open over ``area`` cm2."""
    if area > 0 and not {NO_METAL, *METAL_OF_A_FLAP} & set(answers.named):
        yield Finding("intake-open-skull", "stop", {"field": "confirmed", "area_cm2": area, "absent": NO_METAL})


def _chosen(name: str, value: object, known: tuple[str, ...]) -> tuple[str | None, list[Finding]]:
    try:
        return resolved(name, value, known, _ALSO if known[0] not in SIDES else None), []
    except UnknownNameError as error:
        values = {"field": name, "given": as_name(value), "known": known, "nearest": error.nearest}
        return None, [Finding("intake-not-among", "stop", values)]


def _number(name: str, value: object, low: float, high: float) -> tuple[float | None, list[Finding]]:
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
        return None, [Finding("intake-not-a-number", "stop", {"field": name, "given": as_name(value)})]
    if not low <= value <= high:
        values = {"field": name, "given": float(value) if np.isfinite(value) else str(value), "low": low, "high": high}
        return None, [Finding("intake-out-of-range", "stop", values)]
    return float(value), []
