"""One picture for the browser: what is told as JSON, and the field at the vertices as 16-bit steps after it."""

import json
import struct
from typing import Any

import numpy as np

from neuro_field.arrays import FloatArray
from neuro_field.coil.placement import Placement
from neuro_field.nouns import noun

#: The largest step; 0 stands for no field.
_STEPS = 65_534


@noun
class Picture:
    """A coil and what it does, as shown.

    Parameters
    ----------
    number : int
        Larger than that of all before it.
    placement : Placement
    kind : str
        As in `neuro_field.desk.shown`; "unknown" where no field is shown.
    values : (m,) array or None
        |E|, V/m at 1 A/us.
    strength : float
        In the target, V/m at 1 A/us.
    told : dict
        What the page writes.
    arrived : float
        When the pose came, by the monotonic clock.
    """

    number: int
    placement: Placement
    kind: str
    values: FloatArray | None
    strength: float
    told: dict[str, Any]
    arrived: float


def packed_picture(picture: Picture, *, same: bool = False) -> bytes:
    """A picture as bytes; ``same`` where the browser has its values already, so that they are left out.

    Four bytes tell how long the JSON is, little-endian; its length and theirs together are even.
    """
    values = picture.values
    told = picture.told | {"number": picture.number, "kind": picture.kind, "same": same, "step": 0.0}
    body = b""
    if values is not None and not same:
        largest = max(float(values.max(initial=0.0)), 1e-12)
        told["step"] = largest / (_STEPS - 1)
        body = (1 + np.round(values * ((_STEPS - 1) / largest))).astype("<u2").tobytes()
    head = json.dumps(told, allow_nan=False, separators=(",", ":")).encode("utf-8")
    head += b" " * (len(head) % 2)
    return struct.pack("<I", len(head)) + head + body


def near(a: Placement, b: Placement) -> bool:
    """Whether two placements are one for a person's hand: within half a mm and half a degree."""
    turn = a.head_from_coil[:3, :3].T @ b.head_from_coil[:3, :3]
    cosine = (float(np.trace(turn)) - 1.0) / 2.0
    return float(np.linalg.norm(a.center - b.center)) <= 0.5 and cosine >= np.cos(np.deg2rad(0.5))
