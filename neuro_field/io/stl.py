"""Triangle surfaces in .stl files, mm, binary or text."""

from pathlib import Path

import numpy as np

from neuro_field.arrays import FloatArray
from neuro_field.errors import FileFormatError
from neuro_field.geometry.mesh import Surface
from neuro_field.io.coil_limits import bounded_bytes

#: No corner lies farther out, mm: single precision, in which they are written, ends at 3e38.
FARTHEST = 1e9

_RECORD = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])


def read_stl(path: Path) -> Surface:
    """A surface, equal corners joined; raises FileFormatError on a damaged file."""
    data = bounded_bytes(path)
    count = int.from_bytes(data[80:84], "little") if len(data) >= 84 else -1
    if count >= 0 and len(data) == 84 + count * _RECORD.itemsize:
        with np.errstate(invalid="ignore"):  # of NaN, which is refused below
            corners = np.frombuffer(data, _RECORD, count, 84)["corners"].astype(np.float64)
    elif data.lstrip()[:5].lower() == b"solid":
        corners = _text_corners(path, data)
    else:
        raise FileFormatError(f"{path.name} is not an .stl file, or is cut short.")
    if not len(corners) or not (np.abs(corners) <= FARTHEST).all():  # false for NaN too
        raise FileFormatError(f"{path.name} must hold triangles with corners up to {FARTHEST:g}; it does not.")
    points, index = np.unique(corners.reshape(-1, 3), axis=0, return_inverse=True)
    return Surface(points, index.reshape(-1, 3).astype(np.int32))


def stl_bytes(surface: Surface) -> bytes:
    """A surface as a binary .stl file (single precision)."""
    records = np.zeros(len(surface.triangles), _RECORD)
    records["corners"] = surface.points[surface.triangles]
    records["normal"] = surface.area_vectors / np.maximum(surface.areas, 1e-30)[:, None]
    return bytes(80) + len(records).to_bytes(4, "little") + records.tobytes()


def _text_corners(path: Path, data: bytes) -> FloatArray:
    corners = []
    for number, line in enumerate(data.decode("ascii", "replace").splitlines(), 1):
        words = line.split()
        if words[:1] != ["vertex"]:
            continue
        try:
            x, y, z = (float(word) for word in words[1:])
        except ValueError:
            raise FileFormatError(f"{path.name}, line {number}: a vertex must be three numbers.") from None
        corners.append([x, y, z])
    if len(corners) % 3:
        raise FileFormatError(f"{path.name} is cut short: {len(corners)} corners are no whole number of triangles.")
    return np.array(corners).reshape(-1, 3, 3)
