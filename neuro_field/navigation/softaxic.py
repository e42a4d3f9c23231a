"""SofTaxic: XML of stimulation points.  Our rotation is the file's, its x and y turned by a quarter about z."""

from collections.abc import Sequence
from xml.etree.ElementTree import Element, SubElement, indent, tostring

import numpy as np

from neuro_field.coil.marker import Marker
from neuro_field.errors import FileFormatError
from neuro_field.navigation.marks import Gathering, NavigatorFile, digits, number, xml_root

#: Our coil frame from SofTaxic's.
AXES = np.array([[0, 1, 0, 0], [-1, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]], dtype=np.float64)

_CELLS = [f"m{i}{j}" for i in range(3) for j in range(3)]


def read_softaxic(text: str, where: str) -> NavigatorFile:
    """Points in the head frame, named as the file numbers them; points without a coil are left out."""
    root = xml_root(text, where)
    if root.tag != "stmp":
        raise FileFormatError(f"{where} must be a SofTaxic file, stmp; instead its root is {root.tag!r:.40}.")
    poses = Gathering(where)
    for place, entry in enumerate(root.iter("fmp")):
        point = entry.find("fp")
        if point is None:
            poses.pass_over("points without a coil pose")
            continue
        with poses.pose(f"point {place}"):
            pose = np.eye(4)
            pose[:3, :3] = np.reshape([number(point.get(cell), cell) for cell in _CELLS], (3, 3))
            pose[:3, 3] = [number(point.get(axis), axis) for axis in "xyz"]
            poses.add(entry.get("id") or f"point {place}", pose @ AXES)
    return poses.file("softaxic", "SofTaxic, RAS")


def softaxic_text(markers: Sequence[Marker]) -> str:
    """A file of stimulation points, without times."""
    root = Element("stmp")
    group = SubElement(root, "fmpm", dataset="neuro_field")
    for marker in markers:
        pose = marker.placement.head_from_coil @ AXES.T
        point = SubElement(SubElement(group, "fmp", {"global": "0", "id": marker.name}), "fp", id="0", ts="0")
        for key, value in zip(_CELLS, digits(pose[:3, :3].ravel()), strict=True):
            point.set(key, value)
        for key, value in zip("xyz", digits(pose[:3, 3]), strict=True):
            point.set(key, value)
    indent(root, " ")
    return "<!DOCTYPE stmp>\n" + tostring(root, encoding="unicode") + "\n"
