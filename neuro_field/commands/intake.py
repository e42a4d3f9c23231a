"""What is typed for a plan, brought to the clinic's intake before any head is read."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from neuro_field.clinic.case import Case, intake
from neuro_field.clinic.presets import Preset, by_hand
from neuro_field.clinic.typed_threshold import threshold_of
from neuro_field.coil.coil import Coil
from neuro_field.commands.arguments import coil_of
from neuro_field.commands.targets import hot_spot_of, site_of
from neuro_field.errors import UnknownNameError
from neuro_field.findings import Finding, Value, as_name


@dataclass(frozen=True)
class Typed:
    """Options of `plan` that go together: as typed, None or nothing where they were not."""

    presets: tuple[str, ...] = ()
    target: str | None = None
    coils: tuple[str, ...] = ()
    hot_spot: str | None = None
    direction: str | None = None
    idle_share: float | None = None
    thresholds: tuple[str, ...] = ()
    stimulator: str | None = None


def cases_of(typed: Typed, given: Mapping[str, Any], image: Path | None = None) -> tuple[Case, ...]:
    """The cases that are typed: every preset with every coil.

    Parameters
    ----------
    typed : Typed
    given : mapping of str to anything
        Fields of `neuro_field.clinic.answers.Answers`.
    image : Path, optional
        The T1 that the navigator of a hot spot had loaded.

    Raises
    ------
    Refusal
        With a finding for everything that cannot be used.
    """
    wrong = list(_together(typed))
    coils, unknown = _coils(typed.coils)
    wrong += unknown
    presets: list[str | Preset] = list(dict.fromkeys(typed.presets))
    if typed.target is not None and not presets:
        presets = [by_hand(site_of(typed.target), coils[0].name if coils else "none")]
    hot_spot = hot_spot_of(typed.hot_spot, image) if typed.hot_spot is not None else None
    thresholds = [threshold_of(text) for text in typed.thresholds]
    return intake(
        presets, coils, given, thresholds=thresholds, hot_spot=hot_spot, stimulator=typed.stimulator, wrong=wrong
    )


def _together(typed: Typed) -> Iterator[Finding]:
    """Options that exclude or need one another."""
    if bool(typed.presets) == (typed.target is not None):
        yield Finding("intake-preset-or-target", "stop", {"field": "preset"})
    elif typed.target is not None and not typed.coils:
        yield Finding("intake-target-needs-coil", "stop", {"field": "coil"})
    if typed.presets and typed.direction is not None:
        of: dict[str, Value] = {"field": "direction", "preset": tuple(map(as_name, typed.presets))}
        yield Finding("intake-not-applicable", "stop", of)
    if typed.idle_share is not None:
        yield Finding("intake-needs", "stop", {"field": "avoid_share", "needs": "avoid"})


def _coils(names: Sequence[str]) -> tuple[list[Coil], list[Finding]]:
    """The coils of names or files, each once, and a finding for each name that is none."""
    coils: dict[str, Coil] = {}
    wrong = []
    for name in names:
        try:
            coil = coil_of(name)
            coils.setdefault(coil.name, coil)
        except UnknownNameError as error:
            of = {"field": "coil", "given": as_name(name), "known": tuple(error.known), "nearest": error.nearest}
            wrong.append(Finding("intake-not-among", "stop", of))
    return list(coils.values()), wrong
