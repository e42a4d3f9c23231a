"""JSON that navigators send while they run: Brainsight's packets, Localite's answers, NaviNIBS's tools.

None of them has a public specification.  Brainsight's fields and framing are those that a public logger reads
(``session-polaris-update``, 16 numbers row by row, packets that end in byte 0x1E), Localite's those of a public client
(quaternion q0, qx, qy, qz and x, y, z; "BLOCKED"), NaviNIBS's those of its own server (PUB on 18950).
"""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import numpy as np
from scipy.spatial.transform import Rotation

from neuro_field.errors import FileFormatError
from neuro_field.navigation.sightings import Sighting

#: Ends a packet of Brainsight.
RECORD_END = b"\x1e"

#: No packet is longer, bytes.
LARGEST = 4_000_000

#: Streams that are asked of Brainsight.
STREAMS = ("stream:session-polaris-update", "stream:sample-creation")

_UPDATE, _SAMPLE = STREAMS


def stream_requests(uuids: Iterator[str]) -> bytes:
    """What Brainsight is sent so that it begins to tell."""
    asked = [
        {"packet-name": "request:set-stream-option", "packet-uuid": next(uuids), "stream-name": name,
         "stream-value": True}
        for name in STREAMS
    ]  # fmt: skip
    return b"".join(json.dumps(packet).encode("utf-8") + RECORD_END for packet in asked)


class BrainsightReader:
    """Sightings of one tool, by its serial number, from Brainsight's packets; of any where none is named."""

    def __init__(self, tool: str = "") -> None:
        self.tool = tool
        self.met: set[str] = set()
        self._left = b""

    def feed(self, data: bytes) -> Iterator[Sighting]:
        """Those that the next bytes complete; raises FileFormatError where they are no such packets."""
        *packets, self._left = (self._left + data).split(RECORD_END)
        if len(self._left) > LARGEST:
            raise FileFormatError(f"A packet of Brainsight has at most {LARGEST} bytes; this one goes on.")
        for packet in packets:
            if packet.strip():
                yield from self._read(_object(packet))

    def _read(self, packet: dict[str, Any]) -> Iterator[Sighting]:
        name = packet.get("packet-name")
        if name not in STREAMS:
            return
        if name == _SAMPLE:
            yield Sighting(None, "sample", _seconds(packet.get("timestamp")), pulse=True)
            return
        tool = str(packet.get("serial-number", ""))
        if len(self.met) < 50:
            self.met.add(tool)
        if not self.tool or tool == self.tool:
            system = str(packet.get("coordinate-system", ""))
            yield Sighting.of(packet.get("tool-in-desired"), stamp=_seconds(packet.get("timestamp")), system=system)


class LocaliteReader:
    """Sightings from Localite's answers, objects one after another without a mark between."""

    def __init__(self, coil: str = "coil_0") -> None:
        self.coil = coil
        self.met: set[str] = set()
        self._left = ""
        self._blocked: dict[str, bool] = {}

    def questions(self) -> list[bytes]:
        """What is asked again and again."""
        asked = (f"{self.coil}_status", "reference_status", f"{self.coil}_position")
        return [json.dumps({"get": what}).encode("ascii") for what in asked]

    def feed(self, data: bytes) -> Iterator[Sighting]:
        """Those that the next bytes complete; raises FileFormatError where they are no such objects."""
        self._left += data.decode("utf-8", "replace")
        decoder = json.JSONDecoder()
        while self._left.lstrip():
            self._left = self._left.lstrip()
            try:
                found, end = decoder.raw_decode(self._left)
            except (ValueError, RecursionError):
                if self._left[0] != "{" or len(self._left) > LARGEST:
                    raise FileFormatError("These are no answers of Localite: they must be JSON objects.") from None
                return
            self._left = self._left[end:]
            if isinstance(found, dict):
                yield from self._read(found)

    def _read(self, told: dict[str, Any]) -> Iterator[Sighting]:
        for key, value in told.items():
            if key in (f"{self.coil}_status", "reference_status"):
                self._blocked[key] = str(value).upper() == "BLOCKED"
            if key == f"{self.coil}_position":
                if self._blocked.get("reference_status"):
                    yield Sighting(None, "reference")
                elif self._blocked.get(f"{self.coil}_status"):
                    yield Sighting(None, "blocked")
                else:
                    yield _of_quaternion(value)


def navinibs_sighting(data: bytes, coil: str, reference: str) -> Sighting | None:
    """Of one message of NaviNIBS, the coil's tool beside the head's; None where it does not tell of the coil.

    Raises
    ------
    FileFormatError
        If it is none.
    """
    tools = _object(data)
    if coil not in tools:
        return None
    pose, stamp = _in_world(tools, coil)
    head, older = _in_world(tools, reference)
    oldest = min([time for time in (stamp, older) if time is not None], default=None)
    return Sighting.of(pose, stamp=oldest).beside(head)


def _in_world(tools: dict[str, Any], name: str, depth: int = 8) -> tuple[Any, float | None]:
    """A tool's rows in the world of the tracker, carried over what it is told relative to, and the oldest time."""
    entry = tools.get(name)
    if not isinstance(entry, dict) or entry.get("transf") is None or depth == 0:
        return None, None
    stamp = entry["time"] if isinstance(entry.get("time"), int | float) else None
    beside = entry.get("relativeTo", "world")
    if beside == "world":
        return entry["transf"], stamp
    other, older = _in_world(tools, str(beside), depth - 1)
    if other is None:
        return None, stamp
    try:
        pose = np.array(other, dtype=np.float64) @ np.array(entry["transf"], dtype=np.float64)
    except (TypeError, ValueError):
        return "damaged", stamp
    return pose, min([time for time in (stamp, older) if time is not None], default=None)


def _of_quaternion(value: Any) -> Sighting:
    if not isinstance(value, dict):
        return Sighting(None, "null")
    try:
        numbers = [float(value[key]) for key in ("q0", "qx", "qy", "qz", "x", "y", "z")]
    except (KeyError, TypeError, ValueError):
        return Sighting(None, "damaged")
    length = float(np.linalg.norm(numbers[:4]))
    if not 0 < length < 1e6:
        return Sighting(None, "null")
    pose = np.eye(4)
    # a quaternion of another length scales the axes by its square, so that it is refused as what it is
    pose[:3, :3] = length**2 * Rotation.from_quat([*numbers[1:4], numbers[0]]).as_matrix()
    pose[:3, 3] = numbers[4:]
    return Sighting.of(pose)


def _object(data: bytes) -> dict[str, Any]:
    try:
        out = json.loads(data.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise FileFormatError(f"A message is no sound JSON: {str(error)[:80]}.") from None
    if not isinstance(out, dict):
        raise FileFormatError(f"A message must be a JSON object; instead it is {type(out).__name__}.")
    return out


def _seconds(text: Any) -> float | None:
    """Of a time as ISO 8601 writes it."""
    try:
        return datetime.fromisoformat(str(text).replace("Z", "+00:00")).timestamp()
    except ValueError:
        return None
