"""Pulses and a muscle's answers from navigators' files, with a table of amplitudes beside them where it takes one."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from neuro_field.coil.marker import Marker
from neuro_field.errors import FileFormatError, InputError
from neuro_field.hotspot.pulses import LARGEST_AMPLITUDE, LeftOut, Pulses
from neuro_field.navigation.files import read_navigator
from neuro_field.navigation.frames import ImageFrames
from neuro_field.navigation.marks import Entry, point_for_comma
from neuro_field.navigation.tables import INTENSITIES, NONE, is_plain_table, poses_of_table, table_rows
from neuro_field.units import AMPERE_PER_MICROSECOND

#: Brainsight's column of a channel's amplitude, uV, before the channel's number.
_PEAK = "EMG Peak-to-peak "

#: Columns of a table, in small letters, and uV in one of them.
_AMPLITUDES = {"amplitude_uv": 1.0, "mep_uv": 1.0, "amplitude_mv": 1000.0, "mep_mv": 1000.0}

#: Columns of an intensity that leave its unit open.
_WITHOUT_UNIT = ("intensity", "stimulus_intensity", "didt", "mso", "output", "stimulator_output")

#: Seconds that two clocks may part by between a session's pulses.
_APART = 1.0

#: Root mean square before the pulse, uV, above which the muscle was not at rest.
_AT_REST = 50.0


def read_pulses(
    path: str | Path, *, muscle: str, amplitudes: str | Path | None = None, image: ImageFrames | None = None,
    channel: int | None = None,
) -> Pulses:  # fmt: skip
    """Pulses of a session with the amplitudes of one muscle.

    A Brainsight export holds both: columns ``EMG Peak-to-peak n`` (uV), ``Stim. Power A`` or ``Stim. Power`` (%MSO) and
    ``Time``, as public readers of such exports name them (seen in exports' headers on GitHub).  Localite's trigger
    markers (``valueA`` A/us, ``amplitudeA`` %MSO: its own sample) and NIBS-BIDS (``didt``, ``stimulus_intensity``) hold
    poses and intensities, our own recorded sessions poses, and the amplitudes come in a table, .tsv or .csv, of our own
    column names: ``amplitude_uV`` or ``amplitude_mV``, and ``pulse`` (from 1), ``muscle``, ``time_s``,
    ``prestimulus_uV``, and ``didt_A_per_us`` or ``output_percent`` (%MSO) where there are.  A plain table may hold all
    of it: then ``frame`` says RAS or LPS, and a pose is the twelve columns of a recorded session (``x0``, ``y0``,
    ``z0``, ``centre0``, ...), or of NIBS-BIDS (``element_centre_x``, ...; BEP037 draft 6.3) beside ``coil_axes``, which
    says simnibs.  Untried, for no outside file has been seen with it: Localite's ``recordingTime``, ms, and poses and
    amplitudes in one plain table.

    Parameters
    ----------
    path : str or Path
        A navigator's file of recorded poses (`read_navigator`), or a plain table.
    muscle : str
        Whose answers: "FDI".
    amplitudes : str or Path, optional
        The table; needed where the file itself holds no amplitudes.
    image : ImageFrames, optional
        The T1 the navigator had loaded.
    channel : int, optional
        Of electromyography, where a Brainsight export has several.

    Raises
    ------
    InputError
        If amplitudes or intensities are missing or without a unit, the table does not fit the poses (their numbers
        differ, or times part by more than 1 s), or a plain table does not name its frame.

    Examples
    --------
    >>> import numpy as np, neuro_field as nf
    >>> from neuro_field.navigation.localite import localite_text
    >>> pose = nf.Placement(np.diag([1.0, -1.0, -1.0, 1.0])).moved(along_x=1)
    >>> recorded = [nf.Marker("1", pose, recorded=True, output=52.0)]
    >>> Path("poses.xml").write_text(localite_text(recorded)) > 0
    True
    >>> Path("meps.tsv").write_text("pulse\\tamplitude_uV\\n1\\t310\\n") > 0
    True
    >>> pulses = nf.read_pulses("poses.xml", muscle="FDI", amplitudes="meps.tsv")
    >>> pulses.amplitudes.tolist(), pulses.intensities.tolist(), pulses.unit
    ([310.0], [52.0], '%MSO')
    """
    path = Path(path)
    rows = _of_muscle(table_rows(path), muscle, path.name) if is_plain_table(path) else None
    entries = (read_navigator(path, image) if rows is None else poses_of_table(rows, path.name)).entries
    if not entries:
        raise InputError(f"{path.name} holds no recorded pulses; give the navigator's file of recorded samples.")
    where, places = path.name, list(range(len(entries)))
    if amplitudes is not None:
        where = Path(amplitudes).name
        rows = _of_muscle(table_rows(Path(amplitudes)), muscle, where)
        places = _places(rows, len(entries), where)
        _check_times(rows, places, entries, where)
    rest, given = np.full((2, len(entries)), np.nan)
    if rows is None:
        found, named = _own_amplitudes(entries, path.name, muscle, channel), None
    else:
        found, rest = _amplitudes_of_rows(rows, places, len(entries), where)
        given, named = _intensities_of_rows(rows, places, len(entries), where)
    if amplitudes is not None and named and any(_strong(entry.marker) for entry in entries):
        raise InputError(
            f"Both {path.name} and {where} say how strong the pulses were: leave the column out of {where}."
        )
    intensities, unit = (given, named) if named else _intensities(entries, path.name)
    return _pulses(entries, muscle, found, rest, intensities, unit, path.name)


def _pulses(
    entries: Sequence[Entry], muscle: str, found: np.ndarray, rest: np.ndarray, intensities: np.ndarray, unit: str,
    where: str,
) -> Pulses:  # fmt: skip
    """Those of the entries that can be mapped, and why the others cannot."""
    left, kept = [], []
    for index, entry in enumerate(entries):
        if entry.marker is None:
            left.append(LeftOut(index, "no-pose"))
        elif np.isnan(found[index]):
            left.append(LeftOut(index, "no-amplitude"))
        elif np.isnan(intensities[index]):
            left.append(LeftOut(index, "no-intensity"))
        elif found[index] > LARGEST_AMPLITUDE:
            left.append(LeftOut(index, "outlier", float(found[index])))
        elif rest[index] > _AT_REST:
            left.append(LeftOut(index, "pre-activation", float(rest[index])))
        else:
            kept.append(index)
    if not kept:
        reasons = ", ".join(sorted({each.reason for each in left}))
        raise InputError(f"None of {len(entries)} pulses in {where} can be mapped ({reasons}).")
    poses = np.stack([entries[index].marker.placement.head_from_coil for index in kept])  # type: ignore[union-attr]
    times = np.array([_time(entry.facts) for entry in entries])[kept]
    return Pulses(
        muscle, poses, intensities[kept], found[kept], unit=unit, times=None if np.isnan(times).all() else times,
        left_out=tuple(left),
    )  # fmt: skip


def _own_amplitudes(entries: Sequence[Entry], where: str, muscle: str, channel: int | None) -> np.ndarray:
    """(p,) uV of a Brainsight export's own columns; NaN where a cell is empty."""
    channels = sorted({key.removeprefix(_PEAK) for entry in entries for key in entry.facts if key.startswith(_PEAK)})
    if not channels:
        raise InputError(f"{where} holds no amplitudes ({_PEAK}n): give their table, amplitudes= or --amplitudes.")
    chosen = channels[0] if channel is None and len(channels) == 1 else str(channel)
    if chosen not in channels:
        raise InputError(
            f"{where} has the channels {', '.join(channels)} of electromyography: say which is {muscle!r:.40}, "
            "channel= or --channel."
        )
    if "microvolt" not in entries[0].facts.get("units", "").lower():
        raise InputError(f"The header of {where} does not say that amplitudes are microvolts; give them as a table.")
    return np.array([_cell(entry.facts.get(_PEAK + chosen, ""), entry.place, _PEAK + chosen) for entry in entries])


def _of_muscle(rows: list[dict[str, str]], muscle: str, where: str) -> list[dict[str, str]]:
    """The rows of one muscle; all of them where no column names any."""
    if "muscle" not in rows[0]:
        return rows
    out = [row for row in rows if row["muscle"].lower() == muscle.lower()]
    if not out:
        named = ", ".join(sorted({row["muscle"] for row in rows}))
        raise InputError(f"Column muscle of {where} does not name {muscle!r:.40}: it has {named[:80]}.")
    return out


def _amplitudes_of_rows(
    rows: list[dict[str, str]], places: list[int], count: int, where: str
) -> tuple[np.ndarray, np.ndarray]:
    """(p,) amplitudes and (p,) activity before the pulse, uV, of a table, in the order of the entries."""
    named = _one_column(rows[0], _AMPLITUDES, "amplitudes", "amplitude_uV or amplitude_mV", where)
    if named is None:
        raise InputError(
            f"{where} must have one column of amplitudes with its unit, amplitude_uV or amplitude_mV; instead its "
            f"columns are {', '.join(rows[0])[:200]}."
        )
    found, rest = np.full((2, count), np.nan)
    for line, (place, row) in enumerate(zip(places, rows, strict=True), start=1):
        found[place] = _cell(row[named], f"{where}, row {line}", named) * _AMPLITUDES[named]
        rest[place] = _cell(row.get("prestimulus_uv", ""), f"{where}, row {line}", "prestimulus_uV")
    return found, rest


def _intensities_of_rows(
    rows: list[dict[str, str]], places: list[int], count: int, where: str
) -> tuple[np.ndarray, str | None]:
    """(p,) intensities of a table, in the order of the entries, and their unit; None where it has no such column."""
    named = _one_column(rows[0], INTENSITIES, "intensities", "didt_A_per_us or output_percent", where)
    if named is None and (unasked := [key for key in rows[0] if key in _WITHOUT_UNIT]):
        raise InputError(
            f"Column {unasked[0]} of {where} does not say its unit: name it didt_A_per_us or output_percent (%MSO)."
        )
    out = np.full(count, np.nan)
    if named is None:
        return out, None
    for line, (place, row) in enumerate(zip(places, rows, strict=True), start=1):
        out[place] = _cell(row[named], f"{where}, row {line}", named)
    return out, INTENSITIES[named]


def _one_column(row: dict[str, str], known: Iterable[str], what: str, names: str, where: str) -> str | None:
    """The one column of some that a table has; None where it has none of them."""
    found = [key for key in row if key in known]
    if len(found) > 1:
        raise InputError(f"{where} must have one column of {what}, {names}; instead it has {', '.join(found)}.")
    return found[0] if found else None


def _places(rows: list[dict[str, str]], count: int, where: str) -> list[int]:
    """Which entry each row of a table is of: by its number, else by order."""
    if rows and "pulse" in rows[0]:
        places = [int(p) - 1 if (p := row["pulse"]).isascii() and p.isdigit() and len(p) < 7 else -1 for row in rows]
        wrong = [row["pulse"] for place, row in zip(places, rows, strict=True) if not 0 <= place < count]
        if wrong or len(set(places)) < len(places):
            which = f"{wrong[0]!r:.20}" if wrong else "a number twice"
            raise InputError(f"Column pulse of {where} must count the {count} recorded pulses from 1; instead {which}.")
        return places
    if len(rows) != count:
        raise InputError(
            f"{where} has {len(rows)} amplitudes and the poses' file {count} pulses: give a column pulse that says "
            "which is whose, for shifted by one a map is of chance."
        )
    return list(range(count))


def _check_times(rows: list[dict[str, str]], places: list[int], entries: Sequence[Entry], where: str) -> None:
    """Refuse a table whose clock and the navigator's part during the session, once their first pulses agree."""
    theirs = np.array([_cell(row.get("time_s", ""), where, "time_s") for row in rows])
    ours = np.array([_time(entries[place].facts) for place in places])
    both = np.flatnonzero(~np.isnan(theirs) & ~np.isnan(ours))
    if not len(both):
        return
    parted = (theirs - ours)[both] - np.median((theirs - ours)[both])
    worst = int(np.argmax(np.abs(parted)))
    if abs(parted[worst]) > _APART:
        raise InputError(
            f"The amplitude of pulse {places[both[worst]] + 1} in {where} was recorded {abs(parted[worst]):.1f} s off "
            f"its pose, more than {_APART:g} s: a pulse is missing in one of both files; give a column pulse."
        )


def _intensities(entries: Sequence[Entry], where: str) -> tuple[np.ndarray, str]:
    """(p,) slopes, A/us, or else outputs, %MSO, and which they are."""
    markers = [entry.marker for entry in entries]
    slopes = np.array([np.nan if m is None or m.didt is None else m.didt / AMPERE_PER_MICROSECOND for m in markers])
    outputs = np.array([np.nan if m is None or m.output is None else m.output for m in markers])
    if np.count_nonzero(~np.isnan(slopes)) >= np.count_nonzero(~np.isnan(outputs)) and not np.isnan(slopes).all():
        return slopes, "A/us"
    if np.isnan(outputs).all():
        raise InputError(
            f"{where} says of no pulse how strong it was: give a column didt_A_per_us or output_percent (%MSO) in the "
            "table of amplitudes."
        )
    return outputs, "%MSO"


def _strong(marker: Marker | None) -> bool:
    """Whether a recorded row says how strong its pulse was."""
    return marker is not None and (marker.didt is not None or marker.output is not None)


def _cell(text: str, place: str, column: str) -> float:
    """A number from 0 up; NaN for an empty cell."""
    if text.strip().lower() in NONE:
        return np.nan
    try:
        value = float(point_for_comma(text))
    except ValueError:
        value = -1.0
    if not 0 <= value < 1e9:
        raise FileFormatError(f"{place}: {column} must be a number from 0 up; instead it is {text!r:.40}.")
    return value


def _time(facts: object) -> float:
    """Seconds of a recorded row; NaN where it has none."""
    said = dict(facts)  # type: ignore[call-overload]
    parts = said.get("Time", "").split(":")
    try:
        if len(parts) == 3:
            return 3600 * float(parts[0]) + 60 * float(parts[1]) + float(parts[2])
        if "time_s" in said:
            return float(point_for_comma(said["time_s"]))
        return float(said["recordingTime"]) / 1000
    except (KeyError, ValueError):
        return np.nan
