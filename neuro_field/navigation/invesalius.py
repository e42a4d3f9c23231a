"""InVesalius markers, .mkss version 4: tab-separated rows behind a quoted header.

The ``*_world`` columns hold the pose in the world of the image's affine: x, y, z in mm and Euler angles in degrees
about the fixed axes x, y, z in that order, of a coil that looks out of the head.  The columns without that ending are
in InVesalius's own space (voxel indices times voxel sizes, y counted from the other end, angles in the voxel axes);
these are what the program itself loads, and they can only be filled in for a known image whose voxel axes are
right-handed.
"""

import csv
import io
from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.spatial.transform import Rotation

from neuro_field.arrays import FloatArray
from neuro_field.coil.marker import Marker
from neuro_field.errors import FileFormatError
from neuro_field.navigation.frames import ImageFrames
from neuro_field.navigation.marks import NavigatorFile, checked_count, digits, left_out, marker_of, number

MAGIC = "##INVESALIUS3_MARKER_FILE_"
VERSION = 4

#: Our coil frame from the file's, and back: as Brainsight's.
AXES = np.diag([-1.0, 1.0, -1.0, 1.0])

#: InVesalius's numbers for a pose planned and for one recorded at a pulse.
_PLANNED, _RECORDED = 3, 4

_WORLD = ("x_world", "y_world", "z_world", "alpha_world", "beta_world", "gamma_world")
_OWN = ("x", "y", "z", "alpha", "beta", "gamma")
_COLUMNS = (
    "marker_id", *_OWN, "r", "g", "b", "size", "label", "x_seed", "y_seed", "z_seed", "is_target",
    "is_point_of_interest", "session_id", "x_cortex", "y_cortex", "z_cortex", "alpha_cortex", "beta_cortex",
    "gamma_cortex", "marker_type", "z_rotation", "z_offset", "mep_value", "brain_target_list", *_WORLD,
)  # fmt: skip
_MISSING = ("", "N/A", "None")


def read_invesalius(text: str, where: str) -> NavigatorFile:
    """Coil poses in the head frame; fiducials, landmarks and rows without a world pose are left out."""
    magic, _, rest = text.partition("\n")
    if magic.strip() != f"{MAGIC}{VERSION}":
        raise FileFormatError(f"{where} must begin with {MAGIC}{VERSION}; instead it begins with {magic[:40]!r}.")
    markers, other = [], 0
    try:
        rows = list(csv.DictReader(io.StringIO(rest), delimiter="\t"))
    except csv.Error as error:
        raise FileFormatError(f"{where} is no sound table: {error}.") from None
    for line, row in enumerate(rows, start=3):
        here = f"{where}, line {line}"
        missing = [key for key in (*_WORLD, "marker_type") if row.get(key) is None]
        if missing:
            raise FileFormatError(f"{here}: the column {missing[0]!r} is missing.")
        kind = row["marker_type"].strip()
        if kind not in (str(_PLANNED), str(_RECORDED)) or any(row[key].strip() in _MISSING for key in _WORLD):
            other += 1
            continue
        values = [number(row[key], f"{here}, {key}") for key in _WORLD]
        pose = np.eye(4)
        pose[:3, 3] = values[:3]
        pose[:3, :3] = Rotation.from_euler("xyz", values[3:], degrees=True).as_matrix()
        recorded = kind == str(_RECORDED)
        session = f"session {row['session_id']}" if recorded and row.get("session_id") else ""
        markers.append(marker_of(row.get("label") or "", pose @ AXES, here, recorded=recorded, session=session))
    notes = left_out(other, "markers that are no coil pose in the image's world were")
    return NavigatorFile("invesalius", "InVesalius .mkss 4, world columns", checked_count(markers, where), notes)


def own_frame(image: ImageFrames | None) -> FloatArray | None:
    """(4, 4) from the head frame to voxel indices times voxel sizes; None without an image whose axes are rigid."""
    if image is None:
        return None
    affine = image.head.copy()
    affine[:3, :3] /= np.linalg.norm(affine[:3, :3], axis=0)
    if np.linalg.det(affine[:3, :3]) <= 0:
        return None
    return np.asarray(np.linalg.inv(affine), dtype=np.float64)


def invesalius_text(markers: Sequence[Marker], image: ImageFrames | None = None) -> str:
    """A marker file; InVesalius's own columns are N/A where `own_frame` has none."""
    voxel_from_head = own_frame(image)
    lines = [f"{MAGIC}{VERSION}", "\t".join(f'"{name}"' for name in _COLUMNS)]
    sessions = {name: i for i, name in enumerate(dict.fromkeys(marker.session for marker in markers), start=1)}
    for index, marker in enumerate(markers):
        world = marker.placement.head_from_coil @ AXES
        own = ["N/A"] * 6
        if voxel_from_head is not None and image is not None:
            pose = voxel_from_head @ world
            length = float(np.linalg.norm(image.head[:3, 1])) * (image.shape[1] - 1)
            pose[1, 3] = length - pose[1, 3]
            own = _cells(pose)
        facts: dict[str, Any] = {
            "marker_id": index, "r": 0, "g": 1, "b": 0, "size": 2, "label": '"' + marker.name.replace('"', "'") + '"',
            "x_seed": 0, "y_seed": 0, "z_seed": 0, "is_target": False, "is_point_of_interest": False,
            "session_id": sessions[marker.session], "marker_type": _RECORDED if marker.recorded else _PLANNED,
            "z_rotation": 0.0, "z_offset": 0.0, "brain_target_list": [],
        }  # fmt: skip
        facts |= dict(zip(_OWN, own, strict=True)) | dict(zip(_WORLD, _cells(world), strict=True))
        lines.append("\t".join(str(facts.get(name)) for name in _COLUMNS))
    return "\n".join(lines) + "\n"


def _cells(pose: FloatArray) -> list[str]:
    """Centre, mm, and fixed-axes x, y, z angles, degrees."""
    return digits([*pose[:3, 3], *_euler(pose[:3, :3])])


def _euler(rotation: FloatArray) -> FloatArray:
    """Angles (3,) about fixed x, y, z; where the second is a right angle the third is zero, silently."""
    cosine = float(np.hypot(rotation[0, 0], rotation[1, 0]))
    if cosine > 1e-9:
        alpha, gamma = np.arctan2(rotation[2, 1], rotation[2, 2]), np.arctan2(rotation[1, 0], rotation[0, 0])
    else:
        alpha, gamma = np.arctan2(-rotation[1, 2], rotation[1, 1]), 0.0
    return np.degrees([alpha, np.arctan2(-rotation[2, 0], cosine), gamma])
