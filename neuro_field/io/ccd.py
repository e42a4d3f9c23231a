"""Coil files of magnetic dipoles in text, ``.ccd``: metres and A m2 per A outside, mm inside.

The keys of the first line are read whatever their case, and the text in UTF-8, with a byte-order mark or without, or
in Latin-1.
"""

from pathlib import Path

import numpy as np

from neuro_field.coil.coil import Coil
from neuro_field.coil.sources import Dipoles
from neuro_field.coil.stimulator import Stimulator, Waveform
from neuro_field.errors import FileFormatError, InputError
from neuro_field.geometry.mesh import Surface
from neuro_field.io.coil_limits import bounded_bytes, checked_casing, checked_slope, text_of
from neuro_field.io.stl import read_stl
from neuro_field.names import LONGEST_SOURCE, one_line
from neuro_field.units import AMPERE_PER_MICROSECOND, MILLIMETRES_PER_METRE, metres

#: More dipoles than this are taken for damage.
MOST_DIPOLES = 2_000_000

#: Larger numbers than this are no lengths, moments or slopes, whatever their unit.
LARGEST = 1e15

#: Keys of the first line, as they are written.
_KEYS = ("dIdtmax", "dIdtstim", "x", "y", "z", "resolution", "stimulator", "brand", "coilname")

#: What stands for a value that is not known.
_UNKNOWN = ("", "none", "n/a", "na", "unknown")


def read_ccd(path: Path) -> Coil:
    """A coil from a .ccd file, with its housing (.stl) and waveform (.tsv) where they lie beside it.

    Raises
    ------
    FileFormatError
        Naming the file and the line that is wrong.
    """
    lines = _lines(path)
    header = _header(lines[0] if lines else "", path)
    rows = [(number, line.strip()) for number, line in enumerate(lines, 1)]
    rows = [(number, line) for number, line in rows if line and not line.startswith("#")]
    numbers = _dipole_rows(path, rows)
    didt_max = _didt_max(path, header)
    casing = _casing(path.with_suffix(".stl"))
    waveforms = _waveform(path.with_suffix(".tsv"))
    maker = header.get("brand", "")
    stimulator = Stimulator(header.get("stimulator", ""), maker, didt_max, waveforms, source=path.name)
    return Coil(
        header.get("coilname") or path.stem,
        (Dipoles(numbers[:, :3] * MILLIMETRES_PER_METRE, numbers[:, 3:]),),
        didt_max,
        casing,
        (stimulator,),
        provenance={"maker": maker, "source": path.name, "header": header},
    )


def ccd_text(coil: Coil, file_name: str) -> str:
    """Text of a .ccd file of a coil's dipoles; refuses coils that have none."""
    positions, moments = coil.dipoles
    header = coil.provenance.get("header", {})
    keys = {key: value for key, value in header.items() if key not in ("dIdtmax", "stimulator", "brand", "coilname")}
    if coil.didt_max is not None:
        keys["dIdtmax"] = repr(float(coil.didt_max) / AMPERE_PER_MICROSECOND)
    if coil.stimulators and coil.stimulators[0].name:
        keys["stimulator"] = coil.stimulators[0].name
    if coil.provenance.get("maker"):
        keys["brand"] = str(coil.provenance["maker"])
    keys["coilname"] = coil.name
    settings = "".join(f"{key}={_clean(value)};" for key, value in keys.items())
    lines = [f"# {file_name} version 1.0 number of elements; {settings}", str(len(positions))]
    lines.append("# centers and weighted directions of the elements (magnetic dipoles)")
    table = np.concatenate([metres(positions), moments], axis=1)
    lines += [" ".join(f"{number:.17e}" for number in row) for row in table]
    return "\n".join(lines) + "\n"


def waveform_text(wave: Waveform) -> str:
    """Text of the table beside a .ccd file: columns time, signal and, if any, fit."""
    columns = {"time": wave.time, "signal": wave.signal} | ({} if wave.fit is None else {"fit": wave.fit})
    rows = zip(*(column.tolist() for column in columns.values()), strict=True)
    return "\n".join(["\t".join(columns), *("\t".join(map(repr, row)) for row in rows)]) + "\n"


def _clean(value: object) -> str:
    """One line of a value that ends no key."""
    return one_line(str(value).replace(";", ","), LONGEST_SOURCE)


def _header(line: str, path: Path) -> dict[str, str]:
    """The key=value pairs of the first line whose value is known, keys spelled as `_KEYS`; none when it holds none."""
    spelling = {key.lower(): key for key in _KEYS}
    out: dict[str, str] = {}
    for part in line.split(";")[1:]:
        key, equals, value = (one_line(text, LONGEST_SOURCE) for text in part.partition("="))
        key = spelling.get(key.lower(), key)
        if not equals or value.lower() in _UNKNOWN:
            continue
        if out.setdefault(key, value) != value:
            raise FileFormatError(f"{path.name}, line 1: {key} stands there twice, {out[key]:.40} and {value:.40}.")
    return out


def _didt_max(path: Path, header: dict[str, str]) -> float | None:
    given = header.get("dIdtmax")
    if given is None:
        return None
    where = f"{path.name}, line 1: dIdtmax"
    try:
        value = _number(given)
    except ValueError:
        raise FileFormatError(f"{where} must be a number of A/us; instead it is {given!r:.40}.") from None
    try:
        return checked_slope(value, AMPERE_PER_MICROSECOND, where)
    except InputError as error:
        raise FileFormatError(str(error)) from None


def _casing(path: Path) -> Surface | None:
    """The housing beside a .ccd file, if there is one."""
    if not path.is_file():
        return None
    try:
        return checked_casing(read_stl(path), f"{path.name}: the housing")
    except InputError as error:
        raise FileFormatError(str(error)) from None


def _dipole_rows(path: Path, rows: list[tuple[int, str]]) -> np.ndarray:
    """(s, 6) numbers of the file, checked against the count it states."""
    if not rows:
        raise FileFormatError(f"{path.name} holds no dipoles.")
    (line, stated), rows = rows[0], rows[1:]
    try:
        count = int(stated)
    except ValueError:
        raise FileFormatError(
            f"{path.name}, line {line}: must be the number of dipoles; instead it is {stated[:40]!r}."
        ) from None
    if not 0 < count <= MOST_DIPOLES:
        raise FileFormatError(f"{path.name}, line {line}: must count 1 to {MOST_DIPOLES} dipoles; not {count}.")
    if len(rows) != count:
        raise FileFormatError(f"{path.name} states {count} dipoles in line {line}; instead it holds {len(rows)}.")
    out = np.empty((count, 6))
    for index, (number, text) in enumerate(rows):
        words = text.split()
        try:
            out[index] = [_number(word) for word in words]
        except ValueError:
            raise FileFormatError(
                f"{path.name}, line {number}: must be six numbers x y z mx my mz; instead it is {text[:60]!r}."
            ) from None
        if not np.isfinite(out[index]).all():
            raise FileFormatError(f"{path.name}, line {number}: must be finite; instead it is {text[:60]!r}.")
    farthest = float(np.abs(out[:, :3]).max())
    if farthest > 1.0:
        raise FileFormatError(
            f"{path.name}: positions are metres in a .ccd file; instead one lies {farthest:g} from the origin (mm?)."
        )
    return out


def _waveform(path: Path) -> tuple[Waveform, ...]:
    """The waveform in a table with columns time, signal and, if any, fit."""
    if not path.is_file():
        return ()
    lines = _lines(path)
    names = lines[0].split("\t") if lines else []
    wanted = [names.index(name) for name in ("time", "signal", "fit") if name in names]
    if "time" not in names or "signal" not in names:
        raise FileFormatError(f"{path.name}, line 1: must name the columns time and signal; not {names!s:.60}.")
    table = []
    for number, line in enumerate(lines[1:], 2):
        if not line.strip():
            continue
        words = line.split("\t")
        try:
            table.append([_number(words[column]) for column in wanted])
        except (ValueError, IndexError):
            raise FileFormatError(f"{path.name}, line {number}: must hold a number in each column.") from None
    columns = np.array(table).reshape(-1, len(wanted)).T
    try:
        return (Waveform(path.stem, *columns),)
    except InputError as error:
        raise FileFormatError(f"{path.name}: {error}") from None


def _lines(path: Path) -> list[str]:
    """Lines of a text; what holds other control characters than blanks and line ends is none."""
    text = text_of(bounded_bytes(path))
    if any(letter < " " and letter not in "\t\n\r\f\v" for letter in text):
        raise FileFormatError(f"{path.name} is not a {path.suffix} file: it is not text.")
    return text.splitlines()


def _number(word: str) -> float:
    """A number as files write it: Python's own would also take 1_0 and digits of other scripts."""
    value = float(word)
    if "_" in word or not word.isascii() or abs(value) > LARGEST:
        raise ValueError(word)
    return value
