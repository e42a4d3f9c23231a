"""InVesalius markers, .mkss versions 0 to 4: tab-separated rows behind a quoted header.

The ``*_world`` columns hold the pose in the world of the image's affine: x, y, z in mm and Euler angles in degrees
about the fixed axes x, y, z in that order, of a coil that looks out of the head.  The columns without that ending are
in InVesalius's own space (voxel indices times voxel sizes, y counted from the other end, angles in the voxel axes);
these are what the program itself loads, and they can only be filled in for a known image whose voxel axes are
right-handed.  Files of the first versions may hold these alone, and they do not say what kind a marker is: fiducials
are known by their labels, and a marker with angles is a planned pose of the coil.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy.spatial.transform import Rotation

from neuro_field.arrays import FloatArray
from neuro_field.coil.marker import Marker
from neuro_field.errors import FileFormatError, InputError
from neuro_field.navigation.frames import ImageFrames
from neuro_field.navigation.marks import Gathering, NavigatorFile, cells, digits, number

MAGIC = "##INVESALIUS3_MARKER_FILE_"

#: The version that is written; all up to it are read.
VERSION = 4

#: Our coil frame from the file's, and back: as Brainsight's, by the programs that exchange its files.
AXES = np.diag([-1.0, 1.0, -1.0, 1.0])

#: What cannot be settled from outside: a later integration of InVesalius itself reads its x where others read its y.
DOUBT = (
    "public sources differ by a quarter turn about the coil's axis: see that the handle on InVesalius's screen points "
    "as planned"
)

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
_FIDUCIALS = ("LEI", "REI", "NAI")


def read_invesalius(text: str, where: str, image: ImageFrames | None = None) -> NavigatorFile:
    """Coil poses in the head frame; fiducials, landmarks and markers without angles are left out.

    Parameters
    ----------
    text : str
    where : str
        The file's name.
    image : ImageFrames, optional
        The image InVesalius had loaded: needed where the file holds no world columns.
    """
    magic, *lines = text.split("\n")
    version = magic.strip().removeprefix(MAGIC)
    if not magic.startswith(MAGIC) or version not in map(str, range(VERSION + 1)):
        raise FileFormatError(f"{where} must begin with {MAGIC}0 to {VERSION}; instead it begins with {magic[:40]!r}.")
    columns = cells(lines[0], "\t") if lines else []
    in_world = set(_WORLD) <= set(columns)
    if not in_world and not set(_OWN) <= set(columns):
        missing = next(name for name in _OWN if name not in columns)
        raise FileFormatError(f"{where}, line 2: the column {missing!r} is missing.")
    head_from_own = None if in_world else _head_from_own(image, where)
    poses = Gathering(where)
    for line, text_of_row in enumerate(lines[1:], start=3):
        if not text_of_row.strip():
            continue
        with poses.pose(f"line {line}"):
            values = cells(text_of_row, "\t")
            if len(values) < len(columns):
                raise FileFormatError(f"it has {len(values)} of {len(columns)} cells.")
            row = dict(zip(columns, values, strict=False))
            if not _is_pose(row, in_world):
                poses.pass_over("markers that are no coil pose in the image's world")
                continue
            recorded = row.get("marker_type") == str(_RECORDED)
            session = f"session {row['session_id']}" if recorded and row.get("session_id") else ""
            world = _pose(row, _WORLD) if head_from_own is None else _from_own(_pose(row, _OWN), head_from_own, image)
            poses.add(row.get("label", ""), world @ AXES, recorded=recorded, session=session)
    if poses.markers:
        poses.notes.append(DOUBT)
    told = "world columns" if in_world else "own columns by the image given"
    return poses.file("invesalius", f"InVesalius .mkss {version}, {told}")


def _is_pose(row: dict[str, str], in_world: bool) -> bool:
    """Whether a marker is a pose of the coil, by its type or, where the version has none, by its angles."""
    kind = row.get("marker_type")
    if kind is None:
        typed = row.get("label") not in _FIDUCIALS and all(row.get(key, "") not in _MISSING for key in _OWN[3:])
    else:
        typed = kind in (str(_PLANNED), str(_RECORDED)) and "None" not in [row.get(key) for key in _OWN[3:]]
    return typed and all(row[key] not in _MISSING for key in (_WORLD if in_world else _OWN))


def _pose(row: Mapping[str, Any], columns: Sequence[str]) -> FloatArray:
    """(4, 4) of the cells of centre and angles."""
    values = [number(row[key], key) for key in columns]
    pose = np.eye(4)
    pose[:3, 3] = values[:3]
    pose[:3, :3] = Rotation.from_euler("xyz", values[3:], degrees=True).as_matrix()
    return pose


def live_pose(coordinates: object, image: ImageFrames | None) -> FloatArray:
    """(4, 4) mm, head frame, of InVesalius's own six numbers: x, y, z and three angles, its coil looking outwards.

    Raises
    ------
    InputError
        If they are no six numbers, or the image that it had loaded is not known or has left-handed axes.
    """
    if not isinstance(coordinates, list | tuple) or len(coordinates) != 6:
        raise InputError(f"A pose of InVesalius must be six numbers; instead it is {coordinates!r:.60}.")
    row = {key: number(value, key) for key, value in zip(_OWN, coordinates, strict=True)}
    return _from_own(_pose(row, _OWN), _head_from_own(image, "InVesalius"), image)


def _head_from_own(image: ImageFrames | None, where: str) -> FloatArray:
    own = own_frame(image)
    if own is None:
        why = "name the T1 that it had loaded" if image is None else "the voxel axes of the image given are left-handed"
        raise InputError(f"{where} holds poses in InVesalius's own space alone, without world columns: {why}.")
    return np.asarray(np.linalg.inv(own), dtype=np.float64)


def _from_own(pose: FloatArray, head_from_own: FloatArray, image: ImageFrames | None) -> FloatArray:
    """A pose of InVesalius's own space in the head frame: y is counted from the other end."""
    assert image is not None
    out = pose.copy()
    out[1, 3] = _length_y(image) - pose[1, 3]
    return head_from_own @ out


def _length_y(image: ImageFrames) -> float:
    """From the first to the last voxel along the second axis, mm."""
    return float(np.linalg.norm(image.head[:3, 1])) * (image.shape[1] - 1)


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
            pose[1, 3] = _length_y(image) - pose[1, 3]
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
