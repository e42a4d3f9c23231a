"""Whether a preset's trains lie within what was tested for safety in healthy people.

Longest train tested in seconds, by frequency and intensity: Rossi et al., Clin Neurophysiol 2009;120:2008, table 4
[lit].  The limits come from healthy brains; a lesion raises the risk of a seizure.
"""

from neuro_field.clinic.presets import Preset

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

_SOURCE = "Rossi 2009 table 4 [lit], healthy brains; a lesion raises the risk of a seizure"


def longest_train(hertz: float, intensity: float) -> float | None:
    """Seconds tested at this frequency, or the next in the table above it, and intensity; None beyond the table."""
    row = next((LONGEST[listed] for listed in sorted(LONGEST) if listed >= hertz - 1e-9), None)
    column = next((i for i, listed in enumerate(INTENSITIES) if listed >= intensity - 1e-9), None)
    return None if row is None or column is None else row[column]


def envelope_notes(preset: Preset) -> list[str]:
    """What has to be said of a preset's trains, one sentence each."""
    if preset.threshold != "rMT" or preset.intensity is None or not preset.trains:
        return [f"Whether the trains of {preset.name} lie within the tested envelope is not known ({_SOURCE})."]
    return [_note(hertz, seconds, preset.intensity) for hertz, seconds in preset.trains]


def _note(hertz: float, seconds: float | None, intensity: float) -> str:
    limit = longest_train(hertz, intensity)
    what = f"{hertz:g} Hz at {intensity:.0%} of rMT"
    if limit is None:
        return f"{what} is outside the tested envelope: the table ends before it ({_SOURCE})."
    listed = "" if hertz in LONGEST else ", by the next frequency listed,"
    if seconds is None:
        return f"{what}: trains to {limit:g} s were tested{listed}; this preset's are not published ({_SOURCE})."
    if seconds > limit:
        return f"{what} in trains of {seconds:g} s is outside the tested envelope, {limit:g} s{listed} ({_SOURCE})."
    return f"{what} in trains of {seconds:g} s is within the tested envelope, {limit:g} s{listed} ({_SOURCE})."
