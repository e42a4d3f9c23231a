"""A motor map as a folder: map.json, a versioned record of msgspec, its page, and files for other programs."""

from dataclasses import fields as fields_of
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from neuro_field.errors import FileFormatError, InputError
from neuro_field.findings import Finding
from neuro_field.head.model import HeadModel
from neuro_field.hotspot.curves import Curve
from neuro_field.hotspot.exposure import COMPONENTS
from neuro_field.hotspot.motor_map import MotorMap
from neuro_field.hotspot.pulses import LeftOut, Pulses
from neuro_field.io.atomic import new_folder
from neuro_field.report.map_page import map_page
from neuro_field.store.map_images import write_map_surface, write_map_volumes
from neuro_field.store.record_words import FindingRecord

SCHEMA, VERSION = "neuro_field/motor-map", 1

#: The file in the folder, and the largest that is read, bytes.
RECORD, LARGEST = "map.json", 64_000_000

#: The page.
PAGE = "map.html"

_Point = tuple[float, float, float]


class _Record(msgspec.Struct, forbid_unknown_fields=True):
    pass


class LeftOutRecord(_Record):
    """A pulse that was not mapped; ``value`` None for what is missing."""

    pulse: int
    reason: str
    value: float | None = None


class PulsesRecord(_Record):
    """Pulses that were mapped: poses row by row, mm."""

    muscle: str
    unit: str
    poses: list[list[list[float]]]
    intensities: list[float]
    amplitudes: list[float]
    times: list[float | None] | None
    left_out: list[LeftOutRecord]


class MapFile(_Record, tag_field="schema", tag=SCHEMA):
    """map.json: mm in the head frame, V/m, log10 uV."""

    version: int
    muscle: str
    side: str | None
    coil: str
    mesh: str
    points: list[_Point]
    r2: list[float]
    best: _Point | None
    area: list[bool]
    alike: list[bool]
    curve: dict[str, float] | None
    threshold: float | None
    midpoint: float | None
    chance: float
    curves: list[tuple[float, float, float, float]]
    fields: list[float]
    convergence: list[tuple[int, float]]
    pulses: PulsesRecord
    findings: list[FindingRecord]
    component: str = "magnitude"
    spread: float = 0.25
    sway: float = 0.0
    misfit: float = 0.0


def write_map(
    found: MotorMap, folder: str | Path, *, head: HeadModel | None = None, language: str = "en"
) -> None:  # fmt: skip
    """Write map.json, map.tsv, map.html, r2.nii.gz and area95.nii.gz into a new folder, which appears whole or not.

    With the ``head`` it is of also cortex.surf.gii and map.shape.gii.
    """
    if head is not None and head.mesh.digest != found.mesh:
        raise InputError(f"The map is of another mesh than the head {head.name!r}: give the head it was made of.")
    pulses = found.pulses
    names = {each.name for each in fields_of(MotorMap)} - {"pulses", "curve", "findings"}
    record: dict[str, Any] = {name: _plain(getattr(found, name)) for name in names}
    record |= {
        "version": VERSION,
        "midpoint": found.midpoint,
        "curve": None if found.curve is None else {k.name: getattr(found.curve, k.name) for k in fields_of(Curve)},
        "findings": [finding.plain() for finding in found.findings],
        "pulses": {
            "muscle": pulses.muscle, "unit": pulses.unit, "poses": pulses.poses.tolist(),
            "intensities": pulses.intensities.tolist(), "amplitudes": pulses.amplitudes.tolist(),
            "times": None if pulses.times is None else [None if np.isnan(t) else float(t) for t in pulses.times],
            "left_out": [
                {"pulse": each.pulse, "reason": each.reason, "value": None if np.isnan(each.value) else each.value}
                for each in pulses.left_out
            ],
        },
    }  # fmt: skip
    text = msgspec.json.format(msgspec.json.encode({"schema": SCHEMA, **record}), indent=1)
    rows = ["x\ty\tz\tr2\tin_area95\talike"]
    for point, r2, area, alike in zip(found.points, found.r2, found.area, found.alike, strict=True):
        rows.append("\t".join([*(f"{value:.3f}" for value in point), f"{r2:.5f}", str(int(area)), str(int(alike))]))
    with new_folder(folder) as beside:
        (beside / RECORD).write_bytes(text + b"\n")
        (beside / "map.tsv").write_text("\n".join(rows) + "\n", encoding="utf-8", newline="\n")
        (beside / PAGE).write_text(map_page(found, language), encoding="utf-8", newline="\n")
        write_map_volumes(found, beside)
        if head is not None:
            write_map_surface(found, head, beside)


def is_map(folder: str | Path) -> bool:
    """Whether a folder, or a file, is that of a motor map."""
    path = Path(folder)
    return (path / RECORD).is_file() or path.name == RECORD


def read_map(folder: str | Path) -> MotorMap:
    """A map that `write_map` wrote: MAP, or its map.json.

    Raises
    ------
    FileNotFoundError
        If there is none.
    FileFormatError
        If it is damaged or of another version.

    Examples
    --------
    >>> import neuro_field as nf
    >>> nf.read_map("MAP")
    Traceback (most recent call last):
    FileNotFoundError: There is no map 'MAP'; `neuro-field map` makes one.
    """
    path = Path(folder) / RECORD if Path(folder).is_dir() else Path(folder)
    if not path.is_file():
        raise FileNotFoundError(f"There is no map {str(path)!r}; `neuro-field map` makes one.")
    if path.stat().st_size > LARGEST:
        raise FileFormatError(
            f"{path} is {path.stat().st_size / 1e6:.0f} MB; a map has at most {LARGEST / 1e6:.0f} MB."
        )
    try:
        record = msgspec.json.decode(path.read_bytes(), type=MapFile)
        if record.version != VERSION:
            raise InputError(f"it is of version {record.version}, and {VERSION} is read")
        return _noun(record)
    except (msgspec.MsgspecError, InputError, UnicodeError, RecursionError, ValueError) as error:
        raise FileFormatError(f"{path} is no map of this program: {str(error).rstrip('.')[:200]}.") from None


def _noun(record: MapFile) -> MotorMap:
    given, size = record.pulses, len(record.points)
    times = None if given.times is None else np.array([np.nan if t is None else t for t in given.times])
    left = tuple(LeftOut(e.pulse, e.reason, np.nan if e.value is None else e.value) for e in given.left_out)
    pulses = Pulses(
        given.muscle, np.array(given.poses), np.array(given.intensities), np.array(given.amplitudes), unit=given.unit,
        times=times, left_out=left,
    )  # fmt: skip
    lengths = (len(record.r2), len(record.area), len(record.alike), len(record.curves))
    if set(lengths) != {size} or len(record.fields) not in (0, len(pulses)):
        raise InputError(f"its {size} points have {lengths} values, or its {len(pulses)} pulses {len(record.fields)}")
    findings = tuple(Finding(each.code, each.level, each.values) for each in record.findings)
    curve = None if record.curve is None else Curve(**record.curve) if set(record.curve) == _CURVE else None
    if record.component not in COMPONENTS:
        raise InputError(f"its component is {record.component!r:.40}, none of {', '.join(COMPONENTS)}")
    if (record.curve is None) != (record.best is None) or (curve is None) != (record.curve is None):
        raise InputError("its site and its curve do not go together")
    return MotorMap(
        record.muscle, record.side, np.array(record.points), np.array(record.r2),
        None if record.best is None else np.array(record.best), np.array(record.area, dtype=bool),
        np.array(record.alike, dtype=bool), curve, record.threshold, record.chance, np.array(record.curves),
        np.array(record.fields), tuple(record.convergence), pulses, record.coil, record.mesh, findings,
        record.component, record.spread, record.sway, record.misfit,
    )  # fmt: skip


_CURVE = {each.name for each in fields_of(Curve)}


def _plain(value: Any) -> Any:
    return value.tolist() if isinstance(value, np.ndarray) else value
