"""OpenIGTLink, versions 1 to 3: transforms from bytes.

A message is a header of 58 bytes, big-endian (version, type, device, time stamp, size and CRC of the body), and its
body; from version 2 on the body has a header of its own and may end in metadata.  TRANSFORM holds twelve float32, a 3x4
matrix column by column, mm.  Senders mark a tool that is not seen by an exact identity, or by a status in the metadata.
http://openigtlink.org/developers/spec
"""

import struct
from collections.abc import Iterator

import numpy as np

from neuro_field.arrays import FloatArray
from neuro_field.errors import FileFormatError
from neuro_field.navigation.sightings import Sighting

_HEADER = struct.Struct(">H12s20sQQQ")
_EXTENDED = struct.Struct(">HHII")
_PAIR = struct.Struct(">HHI")

#: A larger body is no transform and no status: a stream of images, or no OpenIGTLink at all.
LARGEST = 64_000_000

#: The coil's and the head's tool are seen together within this, s.
APART = 0.1

#: What a status of the metadata says of a tool that is seen.
_SEEN = ("ok", "valid", "")

#: CRC-64 of ECMA-182, most significant bit first.
_POLYNOMIAL = 0x42F0E1EBA9EA3693
_ALL = 0xFFFFFFFFFFFFFFFF


def _table() -> tuple[int, ...]:
    out = []
    for byte in range(256):
        crc = byte << 56
        for _ in range(8):
            crc = ((crc << 1) & _ALL) ^ (_POLYNOMIAL if crc >> 63 else 0)
        out.append(crc)
    return tuple(out)


_CRC = _table()


def crc64(body: bytes) -> int:
    """The check of a body."""
    crc = 0
    for byte in body:
        crc = ((crc << 8) & _ALL) ^ _CRC[(crc >> 56) ^ byte]
    return crc


class IgtlReader:
    """Sightings of one device from a stream of bytes, and how the other devices that were met are called.

    With a ``reference``, the device of the head's tool, each is told beside the newest of that.
    """

    def __init__(self, device: str, reference: str = "") -> None:
        self.device, self.reference = device, reference
        self._head = Sighting(None, "reference")
        self.met: set[str] = set()
        self._left = bytearray()
        self._skip = 0

    def feed(self, data: bytes) -> Iterator[Sighting]:
        """Those that the next bytes complete.

        Raises
        ------
        FileFormatError
            If these are no bytes of OpenIGTLink, or were damaged on their way.
        """
        self._left += data
        while True:
            if self._skip:
                gone = min(self._skip, len(self._left))
                del self._left[:gone]
                self._skip -= gone
            if self._skip or len(self._left) < _HEADER.size:
                return
            version, kind, device, stamp, size, crc = _HEADER.unpack_from(self._left)
            if version not in (1, 2, 3) or size > LARGEST:
                raise FileFormatError(f"These are no bytes of OpenIGTLink: version {version}, a body of {size} bytes.")
            name = device.split(b"\0")[0].decode("ascii", "replace")
            if kind.split(b"\0")[0] != b"TRANSFORM" or size > 4096:
                del self._left[: _HEADER.size]
                self._skip = size
                continue
            if len(self._left) < _HEADER.size + size:
                return
            body = bytes(self._left[_HEADER.size : _HEADER.size + size])
            del self._left[: _HEADER.size + size]
            if crc and crc64(body) != crc:
                raise FileFormatError("A message of OpenIGTLink was damaged on its way: its check does not fit.")
            if len(self.met) < 50:
                self.met.add(name)
            if name == self.device:
                found = _transform(version, body, stamp)
                yield found.beside(self._beside(found)) if self.reference else found
            elif name == self.reference:
                self._head = _transform(version, body, stamp)

    def _beside(self, found: Sighting) -> FloatArray | None:
        """The head's tool at the time of a sighting; None where it was not seen then, or no time says so."""
        head = self._head
        if head.stamp is None or found.stamp is None or abs(head.stamp - found.stamp) > APART:
            return None
        return head.pose


def _transform(version: int, body: bytes, stamp: int) -> Sighting:
    seconds = (stamp >> 32) + (stamp & 0xFFFFFFFF) / 2**32 if stamp else None
    status = ""
    if version > 1:
        if len(body) < _EXTENDED.size:
            return Sighting(None, "damaged", seconds)
        own, pairs, told, _ = _EXTENDED.unpack_from(body)
        whole = body[own : len(body) - pairs - told]
        status = _status(body[len(body) - pairs - told :])
    else:
        whole = body
    if len(whole) != 48:
        return Sighting(None, "damaged", seconds)
    if status not in _SEEN:
        return Sighting(None, "blocked", seconds)
    pose = np.eye(4)
    pose[:3] = np.frombuffer(whole, dtype=">f4").reshape(4, 3).T
    return Sighting.of(pose, stamp=seconds)


def _status(metadata: bytes) -> str:
    """What the metadata says of whether the tool is seen, in small letters; empty where it says nothing."""
    try:
        (count,) = struct.unpack_from(">H", metadata)
        sizes = [_PAIR.unpack_from(metadata, 2 + i * _PAIR.size) for i in range(count)]
        place = 2 + count * _PAIR.size
        for key_size, _, value_size in sizes:
            key = metadata[place : place + key_size].decode("utf-8", "replace")
            value = metadata[place + key_size : place + key_size + value_size].decode("utf-8", "replace")
            place += key_size + value_size
            if key.lower().endswith("status"):
                return value.strip().lower()
    except struct.error:
        return ""
    return ""
