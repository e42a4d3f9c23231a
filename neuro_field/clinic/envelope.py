"""Whether trains lie within what was tested for safety in healthy people, at every output that is told.

Longest train tested in seconds, by frequency and intensity: Rossi et al., Clin Neurophysiol 2009;120:2008, table 4
[lit].  The limits come from healthy brains; a lesion raises the risk of a seizure.
"""

from collections.abc import Iterable, Mapping

from neuro_field.findings import Finding, Value

#: Intensities of the columns, share of the resting motor threshold.
INTENSITIES = (0.9, 1.0, 1.1, 1.2, 1.3)

#: Seconds tested without harm at each; 1 and 5 Hz, and 10 Hz to 110 %, were tested at least so long.
LONGEST = {
    1.0: (1800.0, 1800.0, 1800.0, 360.0, 50.0),
    5.0: (10.0, 10.0, 10.0, 10.0, 10.0),
    10.0: (5.0, 5.0, 5.0, 4.2, 2.9),
    20.0: (2.05, 2.05, 1.6, 1.0, 0.55),
    25.0: (1.28, 1.28, 0.84, 0.4, 0.24),
}

#: Shares and frequencies nearer than this are the same: 0.9 x 50 / 50 is 0.9.
_ROUNDING = 1e-9


def tested_row(hertz: float) -> float | None:
    """The frequency of the table that a train is judged by: its own, or the next above it; None beyond the table."""
    return next((listed for listed in sorted(LONGEST) if listed >= hertz - _ROUNDING), None)


def longest_train(hertz: float, share: float) -> float | None:
    """Seconds tested at this frequency and share of rMT, or the next of the table above them; None beyond the table."""
    row = tested_row(hertz)
    column = next((i for i, listed in enumerate(INTENSITIES) if listed >= share - _ROUNDING), None)
    return None if row is None or column is None else LONGEST[row][column]


def envelope_findings(
    trains: Iterable[tuple[float, float | None]], outputs: Mapping[str, float | None], *, kind: str = "rMT"
) -> tuple[Finding, ...]:
    """What has to be said of trains at each output that is told.

    Parameters
    ----------
    trains : iterable of (Hz, seconds)
        Uninterrupted trains; seconds are None where nobody says them.
    outputs : mapping of str to float
        Shares of the motor threshold by what they are: "published", "matched", "begin"; None where one is not told.
    kind : {"rMT", "aMT"}
        Which threshold they are shares of; the table knows the resting one only.

    Examples
    --------
    >>> from neuro_field.clinic.envelope import envelope_findings
    >>> [(found.code, found.level) for found in envelope_findings([(10.0, 10.0)], {"published": 0.9})]
    [('envelope-outside', 'warn')]
    """
    trains = tuple(trains)
    told = {name: share for name, share in outputs.items() if share is not None}
    if not trains:
        return (Finding("envelope-unknown", "note", {"why": "no-trains"}),)
    if not told:
        return (Finding("envelope-unknown", "note", {"why": "no-share"}),)
    if kind != "rMT":
        return (Finding("envelope-unknown", "note", {"why": "active-threshold"}),)
    return tuple(found for hertz, seconds in trains for found in _of_train(hertz, seconds, told))


def _of_train(hertz: float, seconds: float | None, told: Mapping[str, float]) -> list[Finding]:
    """One finding for all outputs that have the same limit."""
    limits: dict[float | None, list[str]] = {}
    for name, share in told.items():
        limits.setdefault(longest_train(hertz, share), []).append(name)
    return [_judged(hertz, seconds, limit, {name: told[name] for name in names}) for limit, names in limits.items()]


def _judged(hertz: float, seconds: float | None, limit: float | None, told: Mapping[str, float]) -> Finding:
    values: dict[str, Value] = {
        "outputs": tuple(f"output-{name}" for name in told), "shares": tuple(told.values()), "hertz": hertz,
        "seconds": seconds, "limit": limit, "listed": tested_row(hertz),
    }  # fmt: skip
    if tested_row(hertz) is None:
        return Finding("envelope-too-fast", "warn", values)
    if limit is None:
        return Finding("envelope-too-strong", "warn", values)
    if seconds is None:
        return Finding("envelope-no-length", "note", values)
    if seconds > limit + _ROUNDING:
        return Finding("envelope-outside", "warn", values)
    return Finding("envelope-inside", "note", values)
