"""ANT visor2: JSON markers in our own coil frame, in the world of the qform of the image they belong to."""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from neuro_field.arrays import AnyArray
from neuro_field.coil.marker import Marker
from neuro_field.errors import FileFormatError, InputError
from neuro_field.io.json_text import parsed
from neuro_field.navigation.frames import ImageFrames
from neuro_field.navigation.marks import Gathering, NavigatorFile, number

#: How far apart, mm, the stated offset of the image may lie from the given image's.
_SAME_IMAGE = 0.1

#: What every target must state of its frame.
_STATED = {"CoordinateSystem": "ASSOCIATED_IMAGE", "PositionalUnit": "mm", "CoilAxesConvention": "simnibs"}

_CONVENTION = "ANT visor2, world of the associated image's qform, coil axes as SimNIBS"


def read_ant(text: str, where: str, image: ImageFrames | None = None) -> NavigatorFile:
    """Targets in the head frame.

    Without the image its qform's world is taken to be the head frame, and a note says so.
    """
    try:
        record = parsed(text)
    except FileFormatError as error:
        raise FileFormatError(f"{where} is no sound JSON: {error}.") from None
    if not isinstance(record, dict) or not isinstance(record.get("TargetMarkers"), list):
        raise FileFormatError(f"{where} is no marker file of ANT visor2: it has no list TargetMarkers.")
    poses = Gathering(where)
    if image is None:
        head_from_file = np.eye(4)
        poses.notes.append("the world of its image's qform was taken as the head frame; name the T1 to compare them")
    else:
        _check_image(record, image, where)
        head_from_file = image.head_from_qform()
    for place, entry in enumerate(record["TargetMarkers"]):
        with poses.pose(f"target {place}"):
            target = entry.get("CoilTarget") if isinstance(entry, dict) else None
            if not isinstance(target, dict):
                raise FileFormatError("the entry CoilTarget is missing.")
            for key, known in _STATED.items():
                if target.get(key) != known:
                    raise FileFormatError(f"{key} must be {known}; instead it is {target.get(key)!r:.40}.")
            pose = target.get("CoilPose")
            matrix = pose.get("RigidTransformMatrix4x4") if isinstance(pose, dict) else None
            poses.add(str(target.get("Name") or f"target {place}"), head_from_file @ _matrix(matrix))
    return poses.file("ant", _CONVENTION)


def _matrix(value: Any) -> AnyArray:
    if not isinstance(value, list) or len(value) != 4 or any(not isinstance(r, list) or len(r) != 4 for r in value):
        raise FileFormatError(f"RigidTransformMatrix4x4 must be four rows of four; not {value!r:.40}.")
    return np.array([[number(cell, "RigidTransformMatrix4x4") for cell in row] for row in value])


def _check_image(record: dict[str, Any], image: ImageFrames, where: str) -> None:
    """Refuse markers that belong to another image."""
    configuration = record.get("Configuration")
    stated = configuration.get("AssociatedImageInfo") if isinstance(configuration, dict) else None
    if image.qform is None or not isinstance(stated, dict):
        return
    offset = stated.get("NIfTI_qoffset")
    if not isinstance(offset, list) or len(offset) != 3:
        return
    apart = max(abs(number(a, f"{where}, NIfTI_qoffset") - b) for a, b in zip(offset, image.qform[:3, 3], strict=True))
    if apart > _SAME_IMAGE:
        raise InputError(f"{where} belongs to another image than {image.name}: their origins differ by {apart:.1f} mm.")


def ant_text(markers: Sequence[Marker], image: ImageFrames | None = None, coil_name: str = "") -> str:
    """A marker file; without the image it does not say which image it belongs to."""
    file_from_head = np.eye(4) if image is None else np.linalg.inv(image.head_from_qform())
    associated = {} if image is None else {"AssociatedImageInfo": _image_info(image)}
    targets = [
        {
            "CoilTarget": {
                "Name": marker.name,
                "CoordinateSystem": "ASSOCIATED_IMAGE",
                "PositionalUnit": "mm",
                "CoilAxesConvention": "simnibs",
                "CoilInfo": {"Type": coil_name, "Id": ""},
                "CoilPose": {
                    "RigidTransformMatrix4x4": (file_from_head @ marker.placement.head_from_coil + 0.0).tolist()
                },
            }
        }
        for marker in markers
    ]
    source = {"SourceInfo": {"AppName": "neuro_field", "AppVersion": ""}}
    return json.dumps({"Configuration": source | associated, "TargetMarkers": targets}, indent=2) + "\n"


def _image_info(image: ImageFrames) -> dict[str, list[float]]:
    """Quaternion, offset and voxel sizes of an image's qform, as NIfTI headers keep them."""
    import nibabel as nib

    header = nib.Nifti1Header()
    header.set_qform(image.qform, code="scanner")
    return {
        "NIfTI_quatern": [float(header[f"quatern_{letter}"]) for letter in "bcd"],
        "NIfTI_qoffset": [float(header[f"qoffset_{letter}"]) for letter in "xyz"],
        "NIfTI_pixdim": [float(size) for size in header["pixdim"][:4]],
    }
