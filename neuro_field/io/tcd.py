"""Coil files of several elements and stimulators in JSON, ``.tcd``.

Moving coils (``deformList``) are read at a value of each of their motions, an element's motions applied in the order
it lists them; what is written stands still.
"""

import base64
import binascii
import json
import zlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from neuro_field.arrays import AnyArray, FloatArray, transformed
from neuro_field.coil.coil import Coil
from neuro_field.coil.sources import Dipoles, Grid, Segments, Source
from neuro_field.coil.stimulator import Stimulator, Waveform
from neuro_field.errors import FileFormatError, InputError
from neuro_field.geometry.mesh import Surface
from neuro_field.io.ccd import LARGEST, MOST_DIPOLES
from neuro_field.io.coil_limits import (
    MOST_SAMPLES,
    bounded_bytes,
    checked_casing,
    checked_samples,
    checked_sides,
    checked_slope,
    grid_corners,
    text_of,
)
from neuro_field.io.json_text import parsed
from neuro_field.names import LONGEST_SOURCE, one_line

#: Most bytes that all packed arrays of a file may unpack to: beyond is taken for damage or an attack.
MOST_UNPACKED_BYTES = 8 * MOST_SAMPLES

_DIPOLES, _SEGMENTS, _GRID = 1, 2, 3


def read_tcd(path: Path, motions: Sequence[float] | None = None) -> Coil:
    """A coil from a .tcd file.

    Parameters
    ----------
    path : Path
    motions : sequence of float, optional
        Value of each motion of ``deformRangeList`` (of ``deformList`` where there is none): mm along an axis, degrees
        about one; the file's initial values when omitted.

    Raises
    ------
    FileFormatError
        Naming the file and the key that is wrong.
    """
    data = bounded_bytes(path)
    try:
        content = parsed(text_of(data))
    except InputError as error:
        raise FileFormatError(f"{path.name} is not a .tcd file (JSON): {error!s:.80}") from None
    try:
        return _coil(_Keys(content, "", _Room(MOST_UNPACKED_BYTES)), path, motions)
    except _MotionError as error:
        raise InputError(f"{path.name}: {error}") from None
    except InputError as error:
        raise FileFormatError(f"{path.name}: {error}") from None


class _MotionError(InputError):
    """The motions asked for are not those of the file."""


class _Room:
    """How many bytes the packed arrays of one file may still unpack to."""

    def __init__(self, left: int) -> None:
        self.left = left

    def unpacked(self, text: str, place: str, most: int, what: str) -> bytes:
        """Bytes of a base64 text of zlib data: never more than ``most``, which ``what`` takes, nor than the room."""
        if most > self.left:
            most, what = self.left, f"the {self.left / 1e6:g} MB that are left for this file"
        try:
            unpack = zlib.decompressobj()
            out = unpack.decompress(base64.b64decode(text, validate=True), most + 1)
        except (binascii.Error, ValueError, zlib.error):
            raise FileFormatError(f"{place} must be a list or base64 of zlib data; instead it is damaged.") from None
        if len(out) > most:
            raise FileFormatError(f"{place} unpacks to more than {what}.")
        if not unpack.eof:
            raise FileFormatError(f"{place} is cut short.")
        if len(out) % 8:
            raise FileFormatError(f"{place} must unpack to 8-byte numbers; instead it has {len(out)} bytes.")
        self.left -= len(out)
        return out


class _Keys:
    """A JSON object that knows where it stands in the file, and how much the file may still unpack."""

    def __init__(self, value: Any, place: str, room: _Room) -> None:
        if not isinstance(value, dict):
            raise FileFormatError(f"{place or 'the file'} must be an object; instead it is {value!r:.40}.")
        self.value, self.place, self.room = value, place, room

    def at(self, key: str) -> str:
        return f"{self.place}.{key}" if self.place else key

    def text(self, key: str, default: str = "") -> str:
        value = self.value.get(key)
        return default if value is None else one_line(str(value), LONGEST_SOURCE)

    def objects(self, key: str) -> list["_Keys"]:
        value = self.value.get(key)
        if value is None:
            return []
        if not isinstance(value, list):
            raise FileFormatError(f"{self.at(key)} must be a list; instead it is {value!r:.40}.")
        return [_Keys(item, f"{self.at(key)}[{index}]", self.room) for index, item in enumerate(value)]

    def number(self, key: str, default: float | None = None) -> float | None:
        value = self.value.get(key, default)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= LARGEST:
            raise FileFormatError(f"{self.at(key)} must be a number up to {LARGEST:g}; instead it is {value!r:.40}.")
        return float(value)

    def index(self, key: str, count: int, what: str) -> int | None:
        value = self.value.get(key)
        if value is None:
            return None
        return _index(value, count, self.at(key), what)

    def array(self, key: str, columns: int | None = 3, dtype: str = "<f8") -> AnyArray:
        """The numbers under a key, (k, columns), or (k,) when columns is None."""
        value, place = self.value.get(key), self.at(key)
        if isinstance(value, str):
            most = 4 * MOST_DIPOLES
            out = np.frombuffer(self.room.unpacked(value, place, 8 * most, f"{most} numbers"), dtype)
            if columns and len(out) % columns:
                raise FileFormatError(f"{place} must hold a multiple of {columns} numbers; not {len(out)}.")
            out = out.reshape(-1, columns) if columns else out
        else:
            out = _numbers(value, place, np.float64 if dtype == "<f8" else np.int64)
        _check_size(out, place)
        if (out.ndim != 2 or out.shape[1] != columns) if columns else out.ndim != 1:
            raise FileFormatError(f"{place} must have {columns or 1} columns; instead its shape is {out.shape}.")
        return out


def _numbers(value: Any, place: str, dtype: type) -> AnyArray:
    try:
        return np.array(value, dtype=dtype)
    except (TypeError, ValueError, OverflowError):
        raise FileFormatError(f"{place} must hold numbers; instead it is {value!r:.40}.") from None


def _check_size(numbers: AnyArray, place: str) -> None:
    if not (np.abs(numbers) <= LARGEST).all():
        raise FileFormatError(f"{place} must hold finite numbers up to {LARGEST:g}; instead some are not.")


def _index(value: Any, count: int, place: str, what: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < count:
        raise FileFormatError(f"{place} must be the number of one of {count} {what}; instead it is {value!r:.40}.")
    return value


def _coil(keys: _Keys, path: Path, asked: Sequence[float] | None) -> Coil:
    stimulators = tuple(_stimulator(item) for item in keys.objects("stimulatorList"))
    models = [_model(item) for item in keys.objects("coilModels")]
    values, motions = _motions(keys, asked)
    elements: list[Source] = []
    housings: list[Surface] = []
    coil_casing = keys.index("coilCasing", len(models), "coilModels")
    if coil_casing is not None:
        housings.append(models[coil_casing])
    for item in keys.objects("coilElementList"):
        moved = np.eye(4)
        listed = item.value.get("deformations") or []
        if not isinstance(listed, list):
            raise FileFormatError(f"{item.at('deformations')} must be a list; instead it is {listed!r:.40}.")
        for number in listed:
            moved = motions[_index(number, len(motions), item.at("deformations"), "deformList")] @ moved
        channel = item.index("stimulator", max(len(stimulators), 1), "stimulators") or 0
        elements.append(_element(item, channel, keys).carried(moved))
        casing = item.index("elementCasing", len(models), "coilModels")
        if casing is not None:
            housings.append(Surface(transformed(models[casing].points, moved), models[casing].triangles))
    if not elements:
        raise FileFormatError("coilElementList must hold at least one element.")
    known = [stimulator.didt_max for stimulator in stimulators if stimulator.didt_max is not None]
    provenance: dict[str, Any] = {"maker": keys.text("brand"), "source": path.name, "version": keys.text("version")}
    extents = {"limits": 2, "resolution": None}
    provenance |= {k: keys.array(k, n).tolist() for k, n in extents.items() if keys.value.get(k) is not None}
    if values:
        provenance["motions"] = values
    return Coil(
        keys.text("name") or path.stem,
        tuple(elements),
        min(known) if known else None,
        checked_casing(_joined(housings), "coilModels: the housing"),
        stimulators,
        provenance,
    )


def _element(item: _Keys, channel: int, file: _Keys) -> Source:
    kind = item.value.get("type")
    if kind == _DIPOLES:
        return Dipoles(item.array("points"), item.array("values"), channel)
    if kind == _SEGMENTS:
        starts, vectors = item.array("points"), item.array("values")
        if starts.shape != vectors.shape:
            raise FileFormatError(f"{item.place}: points and values must be of one length.")
        return Segments(starts, starts + vectors, np.ones(len(starts)), channel)
    if kind == _GRID:
        samples, affine = _samples(item, file), _matrix(item)
        checked_samples(samples.shape, item.at("data"))
        if samples.ndim == 4:
            checked_sides(grid_corners(affine, samples.shape), f"{item.place}: its grid")
        return Grid(samples, affine, stimulator=channel)
    raise FileFormatError(f"{item.at('type')} must be 1, 2 or 3; instead it is {kind!r:.40}.")


def _samples(item: _Keys, file: _Keys) -> FloatArray:
    """Samples of a potential (i, j, k, 3): nested lists, or packed when the file's limits say how many per axis."""
    value, place = item.value.get("data"), item.at("data")
    if isinstance(value, str):
        shape = _grid_shape(file, place)
        checked_samples(shape, place)
        stated = f"the {shape} numbers of limits and resolution"
        flat = np.frombuffer(item.room.unpacked(value, place, 8 * int(np.prod(shape, dtype=np.int64)), stated), "<f8")
        if len(flat) != np.prod(shape, dtype=object):
            raise FileFormatError(f"{place} must hold {shape} numbers by limits and resolution; instead {len(flat)}.")
        out = flat.reshape(shape)
    elif isinstance(value, list):
        out = _numbers(value, place, np.float64)
    else:
        raise FileFormatError(f"{place} must be nested lists (i, j, k, 3); instead it is {value!r:.40}.")
    _check_size(out, place)
    return out


def _grid_shape(file: _Keys, place: str) -> tuple[int, ...]:
    """Samples per axis from ``limits`` (3, 2) and ``resolution`` (3,), mm, both ends counted, and 3 components."""
    if any(file.value.get(key) is None for key in ("limits", "resolution")):
        raise FileFormatError(f"{place} is packed, so the file must say limits and resolution; or give nested lists.")
    limits, resolution = file.array("limits", 2), file.array("resolution", None)
    if (
        limits.shape != (3, 2)
        or resolution.shape != (3,)
        or not ((resolution > 0).all() and (np.diff(limits) > 0).all())
    ):
        raise FileFormatError(
            f"limits must be three rising pairs and resolution three numbers above 0 to unpack {place}."
        )
    return (*(int(count) for count in np.round((limits[:, 1] - limits[:, 0]) / resolution) + 1), 3)


def _matrix(item: _Keys) -> FloatArray:
    out = item.array("affine", 4)
    if out.shape != (4, 4):
        raise FileFormatError(f"{item.at('affine')} must be 4x4; instead its shape is {out.shape}.")
    return out


def _stimulator(item: _Keys) -> Stimulator:
    waveforms = []
    for wave in item.objects("waveformList"):
        fit = wave.array("fit", None) if wave.value.get("fit") is not None else None
        waveforms.append(Waveform(wave.text("name"), wave.array("time", None), wave.array("signal", None), fit))
    slope = item.number("maxdIdt")
    didt_max = None if slope is None else checked_slope(slope, 1.0, item.at("maxdIdt"))
    return Stimulator(item.text("name"), item.text("brand"), didt_max, tuple(waveforms))


def _model(item: _Keys) -> Surface:
    return Surface(item.array("points"), item.array("faces", dtype="<i8"))


def _joined(surfaces: list[Surface]) -> Surface | None:
    if not surfaces:
        return None
    offsets = np.cumsum([0, *(len(surface.points) for surface in surfaces[:-1])])
    triangles = [surface.triangles + offset for surface, offset in zip(surfaces, offsets, strict=True)]
    return Surface(np.concatenate([surface.points for surface in surfaces]), np.concatenate(triangles))


def _motions(keys: _Keys, asked: Sequence[float] | None) -> tuple[list[dict[str, float]], list[FloatArray]]:
    """Low, high and value of each parameter, and the transform of each entry of deformList."""
    listed, ranges = keys.objects("deformList"), keys.objects("deformRangeList")
    parameters = [_parameter(item) for item in ranges or listed]
    if asked is not None:
        _set(parameters, asked)
    out = []
    for number, item in enumerate(listed):
        linked = item.index("deformRange", len(ranges), "deformRangeList") if ranges else number
        value = parameters[linked]["value"] if linked is not None else (item.number("initial", 0.0) or 0.0)
        out.append(_motion(item, value))
    return parameters, out


def _parameter(item: _Keys) -> dict[str, float]:
    out = {"value": item.number("initial", 0.0) or 0.0}
    if item.value.get("range") is not None:
        ends = item.array("range", None)
        if ends.shape != (2,) or ends[0] > ends[1]:
            raise FileFormatError(f"{item.at('range')} must be its lower and upper end; instead it is {ends.tolist()}.")
        out |= {"low": float(ends[0]), "high": float(ends[1])}
    return out


def _set(parameters: list[dict[str, float]], asked: Sequence[float]) -> None:
    if len(asked) != len(parameters):
        raise _MotionError(f"Input motions must hold {len(parameters)} values, one per motion; not {len(asked)}.")
    for number, (parameter, value) in enumerate(zip(parameters, asked, strict=True)):
        low, high = parameter.get("low", -LARGEST), parameter.get("high", LARGEST)
        if not low <= value <= high:
            raise _MotionError(f"Motion {number} must be {low:g} to {high:g}; instead received {value}.")
        parameter["value"] = float(value)


def _motion(item: _Keys, value: float) -> FloatArray:
    kind = item.value.get("type")
    matrix = np.eye(4)
    if kind in ("x", "y", "z"):
        matrix["xyz".index(kind), 3] = value
        return matrix
    if kind != "rot2p":
        raise FileFormatError(f"{item.at('type')} must be x, y, z or rot2p; instead it is {kind!r:.40}.")
    first, second = item.array("point1", None), item.array("point2", None)
    if first.shape != (3,) or second.shape != (3,) or not np.linalg.norm(second - first) > 0:
        raise FileFormatError(f"{item.place}: point1 and point2 must be two different points.")
    x, y, z = (second - first) / np.linalg.norm(second - first)
    across = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    angle = np.deg2rad(value)  # Rodrigues' formula
    matrix[:3, :3] = np.eye(3) + np.sin(angle) * across + (1 - np.cos(angle)) * across @ across
    matrix[:3, 3] = first - matrix[:3, :3] @ first
    return matrix


def tcd_text(coil: Coil) -> str:
    """JSON text of a .tcd file of a coil, numbers as plain lists."""
    content: dict[str, Any] = {
        "name": coil.name,
        "brand": str(coil.provenance.get("maker", "")),
        "version": "1.0",
    }
    content |= {key: coil.provenance[key] for key in ("limits", "resolution") if key in coil.provenance}
    content["coilElementList"] = [_element_keys(element) for element in coil.elements]
    stimulators = coil.stimulators or (Stimulator(""),)
    if all(stimulator.didt_max is None for stimulator in stimulators):
        stimulators = (replace(stimulators[0], didt_max=coil.didt_max), *stimulators[1:])
    most = max(element.stimulator for element in coil.elements)
    stimulators += tuple(Stimulator(f"channel {number}") for number in range(len(stimulators), most + 1))
    content["stimulatorList"] = [_stimulator_keys(stimulator) for stimulator in stimulators]
    if coil.casing is not None:
        points, faces = coil.casing.points.tolist(), coil.casing.triangles.tolist()
        content |= {"coilCasing": 0, "coilModels": [{"points": points, "faces": faces}]}
    return json.dumps(content, allow_nan=False)


def _element_keys(element: Source) -> dict[str, Any]:
    keys: dict[str, Any] = {"stimulator": element.stimulator}
    if isinstance(element, Dipoles):
        return keys | {
            "type": _DIPOLES,
            "points": element.positions.tolist(),
            "values": element.moments.tolist(),
        }
    if isinstance(element, Segments):
        return _segment_keys(element, keys)
    assert isinstance(element, Grid)
    return keys | {"type": _GRID, "data": element.data.tolist(), "affine": element.affine.tolist()}


def _segment_keys(element: Segments, keys: dict[str, Any]) -> dict[str, Any]:
    """Segments carry the coil current in the file: another current is a longer vector only for dipoles."""
    if not np.allclose(np.abs(element.currents), 1, rtol=1e-9):
        dipoles = element.as_dipoles()
        return _element_keys(dipoles)
    forward = element.currents > 0
    starts = np.where(forward[:, None], element.starts, element.ends)
    vectors = np.where(forward[:, None], 1, -1) * (element.ends - element.starts)
    return keys | {"type": _SEGMENTS, "points": starts.tolist(), "values": vectors.tolist()}


def _stimulator_keys(stimulator: Stimulator) -> dict[str, Any]:
    keys: dict[str, Any] = {"name": stimulator.name, "brand": stimulator.brand}
    if stimulator.didt_max is not None:
        keys["maxdIdt"] = stimulator.didt_max
    waves = []
    for wave in stimulator.waveforms:
        one = {"name": wave.name, "time": wave.time.tolist(), "signal": wave.signal.tolist()}
        waves.append(one if wave.fit is None else one | {"fit": wave.fit.tolist()})
    return keys | {"waveformList": waves} if waves else keys
