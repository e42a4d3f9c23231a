"""One intake: all that people give for a plan, checked before any head is read, every mistake told at once."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from neuro_field.aim.tape import TapePlace
from neuro_field.arrays import FloatArray
from neuro_field.clinic.answers import CONTRAINDICATIONS, DEFAULTS, Answers, checked, implants
from neuro_field.clinic.presets import Preset
from neuro_field.clinic.presets import preset as preset_of
from neuro_field.clinic.threshold import Threshold
from neuro_field.coil.coil import Coil
from neuro_field.coil.placement import Placement
from neuro_field.errors import UnknownNameError
from neuro_field.findings import Finding, Refusal, Value, as_name
from neuro_field.nouns import noun
from neuro_field.shelf.coils import is_coil_file, load_coil, read_coil

#: The site whose hot spot is measured.
HAND = "m1-hand"

#: For which presets an answer is of use; the others are of use for all.
_FOR: dict[str, Callable[[Preset], bool]] = {
    "side": lambda preset: preset.side == "asked",
    "fluency": lambda preset: preset.side == "not dominant",
    "dominant_side": lambda preset: preset.side == "not dominant",
    "mep": lambda preset: preset.purpose == "hand",
    "fma_ue": lambda preset: preset.purpose == "hand",
    "frequency": lambda preset: not preset.trains and preset.pattern == "regular",
    "train_seconds": lambda preset: len(preset.trains) < 2 and preset.pattern == "regular",
}

#: Answers that a preset cannot do without, by what it says of its side.
_NEEDED = {"not dominant": ("fluency", "dominant_side"), "asked": ("side",)}


@noun
class Case:
    """One protocol with one coil for one patient, as far as it can be known without the head.

    Parameters
    ----------
    preset : Preset
        With the values that were typed in place of those it leaves open.
    coil : Coil
    answers : Answers
    thresholds : tuple of Threshold
    hot_spot : Placement, TapePlace or (3,) array, optional
        Where the largest response of the hand was measured: the coil's pose, a place by tape, or a point of the head
        frame, mm.
    stimulator : str, optional
        That treats.

    Raises
    ------
    Refusal
        If the answers forbid the plan, or one that the preset needs is missing.
    """

    preset: Preset
    coil: Coil
    answers: Answers
    thresholds: tuple[Threshold, ...] = ()
    hot_spot: Placement | TapePlace | FloatArray | None = None
    stimulator: str | None = None

    def __post_init__(self) -> None:
        stops = [f for f in (*implants(self.answers), *_missing(self.preset, self.answers)) if f.level == "stop"]
        if stops:
            raise Refusal(*stops)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What the answers alone give to say."""
        told = [*implants(self.answers), *_open(self.preset)]
        return (*told, Finding("intake-clears-nobody", "note", {"asked": CONTRAINDICATIONS}))


def intake(
    presets: Sequence[str | Preset],
    coils: Sequence[Coil],
    given: Mapping[str, Any],
    *,
    thresholds: Sequence[Threshold] = (),
    hot_spot: Any = None,
    stimulator: str | None = None,
    wrong: Sequence[Finding] = (),
) -> tuple[Case, ...]:
    """Every preset with every coil, or with its own where none is given.

    Parameters
    ----------
    presets : sequence of str or Preset
    coils : sequence of Coil
    given : mapping of str to anything
        Fields of `Answers`, as typed.
    thresholds : sequence of Threshold
    hot_spot : Placement, TapePlace or (3,) array, optional
    stimulator : str, optional
    wrong : sequence of Finding
        What is known to be wrong already; told with the rest.

    Raises
    ------
    Refusal
        With a finding for everything that cannot be used: an answer that is none, that is missing, that none of the
        presets has a use for, that forbids the plan.

    Examples
    --------
    >>> from neuro_field.clinic.case import intake
    >>> cases = intake(["Contralesional 1Hz hand"], [], {"rmt": 55})
    >>> cases[0].preset.name, cases[0].coil.name
    ('contralesional-1hz-hand', 'figure8-70mm')
    """
    wrong = [*wrong, *(Finding("intake-unknown", "stop", {"field": name}) for name in given if name not in DEFAULTS)]
    values, says = checked({name: value for name, value in given.items() if name in DEFAULTS})
    answers, chosen = Answers(**values), []
    for entry in presets:
        try:
            chosen.append(entry if isinstance(entry, Preset) else preset_of(entry))
        except UnknownNameError as error:
            of = {"field": "preset", "given": as_name(entry), "known": tuple(error.known), "nearest": error.nearest}
            wrong.append(Finding("intake-not-among", "stop", of))
    wrong += [*says, *_kinds(coils, thresholds), *implants(answers)]
    unsure = {finding.values["field"] for finding in says}
    missing = [finding for preset in chosen for finding in _missing(preset, answers)]
    wrong += [finding for finding in missing if finding.values["field"] not in unsure]
    wrong += _useless(chosen, answers)
    place, off = _place(hot_spot)
    if thresholds and answers.rmt:
        wrong.append(Finding("intake-one-of", "stop", {"field": "rmt", "other": "thresholds"}))
    if not (thresholds or answers.rmt):
        hands = any(HAND in preset.sites and preset.side != "given" for preset in chosen)
        needing = {"hot_spot": hot_spot is not None and not hands, "stimulator": stimulator is not None}
        wrong += [
            Finding("intake-needs", "stop", {"field": n, "needs": "thresholds"}) for n, so in needing.items() if so
        ]
    stops = [finding for finding in (*wrong, *off) if finding.level == "stop"]
    if stops:
        raise Refusal(*dict.fromkeys(stops))
    return tuple(
        Case(typed(preset, answers, thresholds), coil, answers, tuple(thresholds), place, stimulator)
        for preset in chosen
        for coil in (coils or (load_coil(preset.coil),))
    )


def typed(preset: Preset, answers: Answers, thresholds: Sequence[Threshold] = ()) -> Preset:
    """The preset with the values that a person typed in place of its own."""
    out = preset
    if answers.frequency is not None:
        out = replace(out, frequency=f"{answers.frequency:g} Hz, as typed", trains=((answers.frequency, None),))
    if answers.train_seconds is not None and out.trains:
        out = replace(out, trains=((out.trains[0][0], answers.train_seconds),))
    if answers.pulses is not None:
        out = replace(out, pulses=f"{answers.pulses:.0f}, as typed")
    if answers.intensity is not None:
        out = replace(out, intensity=answers.intensity)
    kinds = {threshold.kind for threshold in thresholds}
    if preset.intensity is None and kinds == {"aMT"} and answers.rmt is None:
        out = replace(out, threshold="aMT")
    return out


def of_use(presets: Sequence[str | Preset], given: Mapping[str, Any]) -> dict[str, Any]:
    """Those of some answers that one of the presets has a use for; of presets that are not known, all."""
    try:
        chosen = [entry if isinstance(entry, Preset) else preset_of(entry) for entry in presets]
    except UnknownNameError:
        return dict(given)
    return {
        name: value for name, value in given.items() if name not in _FOR or any(_FOR[name](preset) for preset in chosen)
    }


def coil_named(source: str | None) -> Coil | None:
    """The coil of a threshold: of the shelf, or a file; None for the coil that is planned with."""
    if source is None:
        return None
    return read_coil(source) if is_coil_file(source) else load_coil(source)


def _missing(preset: Preset, answers: Answers) -> Iterator[Finding]:
    for name in _NEEDED.get(preset.side, ()):
        if getattr(answers, name) is None:
            yield Finding("intake-missing", "stop", {"field": name, "preset": preset.name})
    fits = preset.pattern == "regular" and not preset.trains
    if answers.train_seconds is not None and fits and answers.frequency is None:
        yield Finding("intake-missing", "stop", {"field": "frequency", "preset": preset.name})


def _useless(presets: Sequence[Preset], answers: Answers) -> Iterator[Finding]:
    """Answers that none of the presets has a use for, or that contradict one another."""
    if answers.paretic_hand and answers.paretic_hand == answers.lesion_side:
        values = {"field": "paretic_hand", "hand": answers.paretic_hand, "lesion_side": answers.lesion_side}
        yield Finding("intake-hand-contradicts-side", "stop", values)
    if answers.mt_method != DEFAULTS["mt_method"] and answers.rmt is None:
        yield Finding("intake-needs", "stop", {"field": "mt_method", "needs": "rmt"})
    for name, fits in _FOR.items():
        if presets and getattr(answers, name) != DEFAULTS[name] and not any(fits(preset) for preset in presets):
            names = tuple(dict.fromkeys(preset.name for preset in presets))
            yield Finding("intake-not-applicable", "stop", {"field": name, "preset": names})


def _open(preset: Preset) -> Iterator[Finding]:
    """What neither the preset nor a person has said of the protocol."""
    known = {"frequency": preset.trains or preset.pattern != "regular", "pulses": "type it" not in preset.pulses}
    left = tuple(name for name, is_known in {**known, "intensity": preset.intensity}.items() if not is_known)
    if left:
        yield Finding("intake-left-open", "note", {"preset": preset.name, "fields": left})


def _kinds(coils: Sequence[object], thresholds: Sequence[object]) -> Iterator[Finding]:
    for field, values, kind in (("coil", coils, Coil), ("thresholds", thresholds, Threshold)):
        for value in values:
            if not isinstance(value, kind):
                of = {"field": field, "wanted": kind.__name__, "given": as_name(value)}
                yield Finding("intake-wrong-kind", "stop", of)
    for threshold in thresholds:
        try:
            coil_named(threshold.coil if isinstance(threshold, Threshold) else None)
        except UnknownNameError as error:
            told: dict[str, Value] = {"field": "threshold_coil", "given": as_name(error.name)}
            told |= {"known": tuple(error.known), "nearest": error.nearest}
            yield Finding("intake-not-among", "stop", told)


def _place(hot_spot: Any) -> tuple[Placement | TapePlace | FloatArray | None, list[Finding]]:
    if hot_spot is None or isinstance(hot_spot, Placement | TapePlace):
        return hot_spot, []
    try:
        point = np.array(hot_spot, dtype=np.float64)
    except (TypeError, ValueError):
        point = np.empty(0)
    if point.shape != (3,) or not np.isfinite(point).all():
        return None, [Finding("intake-hot-spot", "stop", {"field": "hot_spot"})]
    return point, []
