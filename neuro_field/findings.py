"""What has to be said of a head, a target, a plan or a patient, as data: a code, a level and values, never a sentence.

A finding is made where the decision is made, and carries its reason; `neuro_field.report.words` turns it into text.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

import numpy as np

from neuro_field.errors import InputError

#: stop: this side has no plan and no dose; warn: read first; note: good to know.  In this order, worst first.
LEVELS = ("stop", "warn", "note")

#: Findings are known by words with hyphens between, the first of them the room they belong to.
_CODE = re.compile(r"[a-z0-9]+(-[a-z0-9]+)+")

#: What a value may be if it is no number: a name without spaces, never a sentence.
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:/+-]{0,79}")

Value = bool | int | float | str | None | tuple["Value", ...]


@dataclass(frozen=True)
class Finding:
    """One thing that has to be said.

    Parameters
    ----------
    code : str
        Such as "target-moved-far"; `neuro_field.report.words` has a sentence for every one in each language.
    level : {"stop", "warn", "note"}
        stop: this side has no plan and no dose; warn: to be read first; note: good to know.
    values : mapping of str to number, bool, name, None, or tuple of these
        What the sentence is made with: numbers in the units of the sentence's source (mm, cm3, V/m, shares), names
        such as a side, a tissue or a coil; never prose.

    Raises
    ------
    InputError
        If the code, the level or a value is none of these.

    Examples
    --------
    >>> import neuro_field as nf
    >>> found = nf.Finding("target-moved-far", "warn", {"side": "left", "site": "m1-hand", "moved": 11.5})
    >>> found.values["moved"]
    11.5
    >>> nf.Finding("target-moved-far", "warn", {"why": "It was lost."})
    Traceback (most recent call last):
    neuro_field.errors.InputError: Value 'why' of a Finding must be a number or a name; instead received 'It was lost.'.
    """

    code: str
    level: str
    values: Mapping[str, Value] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not isinstance(self.code, str) or not _CODE.fullmatch(self.code):
            raise InputError(f"A Finding's code must be words with hyphens; instead received {self.code!r:.60}.")
        if self.level not in LEVELS:
            raise InputError(f"A Finding's level must be one of {', '.join(LEVELS)}; instead received {self.level!r}.")
        values = {name: _plain(name, value) for name, value in self.values.items()}
        object.__setattr__(self, "values", MappingProxyType(values))

    def __hash__(self) -> int:
        return hash((self.code, self.level, tuple(sorted(self.values))))

    def __reduce__(self) -> tuple[Any, ...]:
        return Finding, (self.code, self.level, dict(self.values))

    def plain(self) -> dict[str, Any]:
        """As JSON holds it; `of_plain` reads it again."""
        return {"code": self.code, "level": self.level, "values": dict(self.values)}

    @classmethod
    def of_plain(cls, row: Mapping[str, Any]) -> "Finding":
        """What `plain` wrote; raises InputError, KeyError or TypeError for what is none."""
        return cls(row["code"], row["level"], row["values"])

    def told_with(self, **more: Value) -> "Finding":
        """The same with further values, such as the role and side it is said of."""
        return replace(self, values={**self.values, **more})


class Refusal(InputError):
    """What a person gave cannot be used: findings that name the field and the reason.

    Attributes
    ----------
    findings : tuple of Finding
        Of level "stop".

    Examples
    --------
    >>> raise Refusal(Finding("intake-out-of-range", "stop", {"field": "rmt", "given": 120, "low": 1, "high": 100}))
    Traceback (most recent call last):
    neuro_field.findings.Refusal: intake-out-of-range: field rmt, given 120, low 1, high 100
    """

    def __init__(self, *findings: Finding) -> None:
        self.findings = findings
        super().__init__(*findings)

    def __str__(self) -> str:
        return "; ".join(
            f"{finding.code}: " + ", ".join(f"{name} {_shown(value)}" for name, value in finding.values.items())
            for finding in self.findings
        )


def worst_first(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Findings by level, each once, otherwise in their order."""
    once = dict.fromkeys((f.code, f.level, tuple(f.values.items())) for f in findings)
    found = [Finding(code, level, dict(values)) for code, level, values in once]
    return tuple(sorted(found, key=lambda finding: LEVELS.index(finding.level)))


def as_name(text: object) -> str:
    """Any text as a name that a finding can carry: what is not a letter, digit, dot or the like becomes a hyphen."""
    return re.sub(r"[^A-Za-z0-9_.:/+]+", "-", str(text)).strip("-./:+")[:80] or "unnamed"


def _shown(value: Value) -> str:
    return ", ".join(map(_shown, value)) if isinstance(value, tuple) else str(value)


def _plain(name: str, value: Any) -> Value:
    """A value as Python's own; arrays of numpy's numbers become tuples."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, list | tuple | np.ndarray):
        return tuple(_plain(name, each) for each in value)
    if value is None or isinstance(value, bool | int) or (isinstance(value, float) and np.isfinite(value)):
        return value
    if isinstance(value, str) and _NAME.fullmatch(value):
        return value
    raise InputError(f"Value {name!r} of a Finding must be a number or a name; instead received {value!r:.60}.")
