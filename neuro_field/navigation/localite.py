"""Localite TMS Navigator: XML lists of instrument markers (planned) and trigger markers (one per pulse).

The file's x axis runs along our z, its y against our y, its z along our x: one matrix, its own inverse.  The root's
``coordinateSpace`` says RAS or LPS, in capitals or not.  What kind of list it is the root's tag says, never the name
of the file.
"""

from collections.abc import Sequence
from xml.etree.ElementTree import Element, SubElement, indent, tostring

import numpy as np

from neuro_field.arrays import FloatArray
from neuro_field.coil.marker import Marker
from neuro_field.errors import FileFormatError, InputError, UnknownNameError
from neuro_field.navigation.marks import Gathering, NavigatorFile, digits, fact, number, xml_root
from neuro_field.units import AMPERE_PER_MICROSECOND

#: Our coil frame from Localite's, and back.
AXES = np.array([[0, 0, 1, 0], [0, -1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 1]], dtype=np.float64)

#: RAS from either space, and back.
SPACES = {"RAS": np.eye(4), "LPS": np.diag([-1.0, -1.0, 1.0, 1.0])}

#: Root tags, and whether their markers were recorded.
LISTS = {"InstrumentMarkerList": False, "TriggerMarkerList": True}

#: A/us; Localite's own scale ends at 200.
_STEEPEST = 10_000.0


def read_localite(text: str, where: str) -> NavigatorFile:
    """Markers of a list in the head frame; pulses without tracking (identity matrices) are left out."""
    root = xml_root(text, where)
    if root.tag not in LISTS:
        raise FileFormatError(
            f"{where} must be a Localite {' or '.join(LISTS)}; instead it is {root.tag!r:.40}, "
            "which holds no coil poses."
        )
    stated = {key.lower(): value for key, value in root.attrib.items()}.get("coordinatespace", "")
    space = stated.strip().upper()
    if space not in SPACES:
        raise FileFormatError(f"{where}: coordinateSpace must be RAS or LPS; instead it is {stated!r:.20}.")
    recorded = LISTS[root.tag]
    poses = Gathering(where)
    for place, entry in enumerate(root.iter(root.tag.removesuffix("List"))):
        inner = entry if recorded else entry.find("Marker")
        matrix = None if inner is None else inner.find("Matrix4D")
        if recorded:
            said = {str(value.get("key")): str(value.get("response")) for value in entry.iter("Value")}
            poses.enter(f"marker {place}", said | {key: str(value) for key, value in entry.attrib.items()})
        if inner is None or matrix is None or inner.get("set") == "false":
            poses.pass_over("markers that are not set")
            continue
        with poses.pose(f"marker {place}"):
            pose = _matrix(matrix)
            if np.array_equal(pose, np.eye(4)):
                poses.pass_over("untracked pulses")
                continue
            values = {value.get("key"): value.get("response") for value in entry.iter("Value")}
            slope, output = fact(values.get("valueA"), _STEEPEST), fact(values.get("amplitudeA"), 100.0)
            poses.add(
                inner.get("description") or f"marker {place}", SPACES[space] @ pose @ AXES, recorded=recorded,
                didt=None if slope is None else slope * AMPERE_PER_MICROSECOND, output=output,
            )  # fmt: skip
    return poses.file("localite" if space == "RAS" else "localite-lps", f"Localite {space}")


def _matrix(element: Element) -> FloatArray:
    return np.array([[number(element.get(f"data{i}{j}"), f"data{i}{j}") for j in range(4)] for i in range(4)])


def localite_text(markers: Sequence[Marker], space: str = "RAS") -> str:
    """An instrument marker list of planned poses, or a trigger marker list of recorded ones.

    Raises
    ------
    InputError
        If some were planned and others recorded: one list cannot say which.
    """
    if len({marker.recorded for marker in markers}) > 1:
        raise InputError("A list of Localite holds planned or recorded poses; write them to two files.")
    if space not in SPACES:
        raise UnknownNameError("space of localite_text", space, list(SPACES))
    recorded = bool(markers) and all(marker.recorded for marker in markers)
    tag = "TriggerMarker" if recorded else "InstrumentMarker"
    root = Element(f"{tag}List", coordinateSpace=space)
    for index, marker in enumerate(markers):
        if recorded:
            inner = SubElement(root, tag, description=marker.name, set="true")
            _responses(inner, marker)
        else:
            outer = SubElement(root, tag, alwaysVisible="false", index=str(index), selected="false")
            look = {"additionalInformation": "", "color": "#ff0000"}
            inner = SubElement(outer, "Marker", look, description=marker.name, set="true")
        pose = SPACES[space] @ marker.placement.head_from_coil @ AXES
        cells = zip((f"data{i}{j}" for i in range(4) for j in range(4)), digits(pose.ravel()), strict=True)
        SubElement(inner, "Matrix4D", dict(cells))
    indent(root, " " * 4)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(root, encoding="unicode") + "\n"


def _responses(element: Element, marker: Marker) -> None:
    """Slope, A/us, and output, %, of a pulse where they are known."""
    slope = None if marker.didt is None else marker.didt / AMPERE_PER_MICROSECOND
    known = {"valueA": slope, "amplitudeA": marker.output}
    values = SubElement(element, "ResponseValues")
    for key, value in known.items():
        if value is not None:
            SubElement(values, "Value", key=key, response=repr(float(value)))
