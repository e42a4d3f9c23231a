"""What the header of a DICOM file says: the frames' places, how they were made, and of whom, for telling persons apart.

Headers only: voxels are brought by a converter (`neuro_field.segment.dicom`), which knows makers and compressions.
"""

import re
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from neuro_field.arrays import FloatArray, read_only
from neuro_field.errors import FileFormatError, InputError
from neuro_field.nouns import noun

#: What installs all that reads DICOM.
REMEDY = 'pip install "neuro_field[dicom]"'

#: The contents of a disk (DICOMDIR) and pictures of the screen, as DICOM numbers kinds of files.
_CONTENTS, _PICTURES = "1.2.840.10008.1.3.10", "1.2.840.10008.5.1.4.1.1.7"

#: Transfer syntaxes that do not pack the voxels: implicit, explicit, big-endian; none is stated by old files.
_UNPACKED = ("", "1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2")

#: The whole file packed, header included.
_DEFLATED = "1.2.840.10008.1.2.1.99"

#: Those that lose something always: JPEG baseline and extended; the others tell it of themselves.
_LOSSY = ("1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51")

#: Words in the field of a contrast agent that say there was none.
_NO_AGENT = {"", "no", "none", "nil", "n/a", "na", "-", "0", "without", "ohne", "unknown"}

#: All that is asked of a header; the rest is not read.
_TAGS = (
    "SOPClassUID", "SOPInstanceUID", "SeriesInstanceUID", "SeriesNumber", "SeriesDescription",
    "ProtocolName", "SequenceName", "PulseSequenceName", "Modality", "ImageType", "Manufacturer",
    "MagneticFieldStrength", "MRAcquisitionType", "ScanningSequence", "EchoPulseSequence", "AcquisitionContrast",
    "EchoTime", "RepetitionTime", "InversionTime", "InversionTimes", "FlipAngle", "AngioFlag", "ContrastBolusAgent",
    "ContrastBolusAgentSequence", "DiffusionBValue", "LossyImageCompression", "Rows", "Columns", "BitsAllocated",
    "SamplesPerPixel", "NumberOfFrames", "PixelSpacing", "ImagePositionPatient", "ImageOrientationPatient",
    "SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence", "PatientID", "PatientName",
    "PatientBirthDate", "SpecificCharacterSet",
)  # fmt: skip


@dataclass(frozen=True)
class Person:
    """Whose image it is, in memory only: to tell whether a folder holds one person's images; never shown or kept."""

    ident: str = field(repr=False)
    name: str = field(repr=False)
    birth: str = field(repr=False)

    def is_same(self, other: "Person") -> bool:
        """Whether two headers may speak of one person: the same number or name, and no other date of birth."""
        if self == other:
            return True
        if self.birth and other.birth and self.birth != other.birth:
            return False
        return bool(self.ident and self.ident == other.ident) or bool(self.name and self.name == other.name)


@noun
class Header:
    """What one DICOM file says.

    ``positions`` (n, 3) and ``orientations`` (n, 6) of its frames, mm, DICOM's axes (leftwards, backwards, upwards);
    ``in_plane`` mm between columns and between rows; times in ms, angles in degrees, None where not told; ``whole``
    says whether the file is as long as its image needs.
    """

    path: Path
    instance: str
    series: str
    person: Person
    number: int | None = None
    description: str = ""
    protocol: str = ""
    sequence: str = ""
    modality: str = ""
    picture: bool = False
    image_type: tuple[str, ...] = ()
    manufacturer: str = ""
    field_strength: float | None = None
    acquisition: str = ""
    scanning: tuple[str, ...] = ()
    contrast: str = ""
    echo_time: float | None = None
    repetition_time: float | None = None
    inversion_time: float | None = None
    flip_angle: float | None = None
    angiography: bool = False
    agent: bool = False
    diffusion: bool = False
    syntax: str = ""
    lossy: bool = False
    whole: bool = True
    columns: int = 0
    rows: int = 0
    in_plane: tuple[float, float] = (0.0, 0.0)
    positions: FloatArray = field(default_factory=lambda: np.empty((0, 3)))
    orientations: FloatArray = field(default_factory=lambda: np.empty((0, 6)))


def pydicom_module() -> ModuleType:
    """pydicom, or the one line that says how to get it."""
    try:
        import pydicom
    except ImportError:
        raise InputError(f"DICOM needs pydicom and dcm2niix, which are not installed: {REMEDY}.") from None
    return pydicom


def is_dicom(path: Path) -> bool:
    """Whether a file begins as DICOM does: with the word at byte 128, or, in old files, with the first group."""
    try:
        with path.open("rb") as file:
            start = file.read(132)
    except OSError:
        return False
    if start[128:] == b"DICM":
        return True
    return len(start) == 132 and start[:2] in (b"\x08\x00", b"\x02\x00") and start[3] == 0 and start[2] < 0x40


def read_header(path: Path) -> Header | None:
    """The header of a DICOM file; None of one that lists others (DICOMDIR).

    Raises
    ------
    FileFormatError
        If it is damaged before its image.
    InputError
        If pydicom is not installed.
    """
    pydicom = pydicom_module()
    try:
        with warnings.catch_warnings(), path.open("rb") as file:
            warnings.simplefilter("ignore")  # makers break rules of format that are none of ours
            read = pydicom.dcmread(file, stop_before_pixels=True, force=True, specific_tags=list(_TAGS))
            left = path.stat().st_size - file.tell()
            found = _header(path, read, left)
            if found is not None and not found.series:  # cut before it said what it belongs to
                raise EOFError
            return found
    except Exception as trouble:  # pydicom promises no kind of error for damaged files
        raise FileFormatError(
            f"The DICOM file {path} is damaged in its header ({type(trouble).__name__}); copy it again."
        ) from None


def _header(path: Path, read: Any, left: int) -> Header | None:
    kind = _text(read, "SOPClassUID") or str(getattr(read.file_meta, "MediaStorageSOPClassUID", ""))
    if kind == _CONTENTS:
        return None
    syntax = str(getattr(read.file_meta, "TransferSyntaxUID", ""))
    positions, orientations, spacing = _places(read)
    first, number = _frames(read)[:1], _number(read.get("SeriesNumber"))
    times = {name: _number(_asked(read, first, *where)) for name, where in _TIMES.items()}
    return Header(
        path,
        _text(read, "SOPInstanceUID"),
        _text(read, "SeriesInstanceUID"),
        _person(read),
        number=None if number is None else int(number),
        description=_text(read, "SeriesDescription"),
        protocol=_text(read, "ProtocolName"),
        sequence=f"{_text(read, 'SequenceName')} {_text(read, 'PulseSequenceName')}".strip(),
        modality=_text(read, "Modality"),
        picture=kind.startswith(_PICTURES) or (_number(read.get("SamplesPerPixel")) or 1) > 1,
        image_type=tuple(word.upper() for word in _texts(read, "ImageType")),
        manufacturer=_text(read, "Manufacturer"),
        field_strength=_number(read.get("MagneticFieldStrength")),
        acquisition=_text(read, "MRAcquisitionType").upper(),
        scanning=tuple(_texts(read, "ScanningSequence")) or _pulses(read),
        contrast=_text(read, "AcquisitionContrast").upper(),
        angiography=_text(read, "AngioFlag").upper() == "Y",
        agent=_agent(read),
        diffusion=read.get("DiffusionBValue") is not None,
        syntax=syntax,
        lossy=syntax in _LOSSY or _text(read, "LossyImageCompression") == "01",
        whole=_is_whole(read, syntax, left),
        columns=int(_number(read.get("Columns")) or 0),
        rows=int(_number(read.get("Rows")) or 0),
        in_plane=spacing,
        positions=positions,
        orientations=orientations,
        **times,
    )


#: Where a time or angle stands: at the top, or in a group of the frames and under which name there.
_TIMES = {
    "echo_time": ("EchoTime", "MREchoSequence", "EffectiveEchoTime"),
    "repetition_time": ("RepetitionTime", "MRTimingAndRelatedParametersSequence", "RepetitionTime"),
    "inversion_time": ("InversionTime", "MRModifierSequence", "InversionTimes"),
    "flip_angle": ("FlipAngle", "MRTimingAndRelatedParametersSequence", "FlipAngle"),
}


def _frames(read: Any) -> list[tuple[Any, ...]]:
    """For each frame of an enhanced file the groups that hold for it: its own before the shared ones."""
    shared = read.get("SharedFunctionalGroupsSequence") or [None]
    return [(own, shared[0]) for own in read.get("PerFrameFunctionalGroupsSequence") or ()]


def _group(groups: tuple[Any, ...], sequence: str, name: str) -> Any:
    for group in groups:
        items = None if group is None else group.get(sequence)
        if items and items[0].get(name) is not None:
            return items[0].get(name)
    return None


def _asked(read: Any, first: list[tuple[Any, ...]], top: str, sequence: str, name: str) -> Any:
    """A value from the top of a header, or from its first frame's groups."""
    value = read.get(top)
    return value if value is not None or not first else _group(first[0], sequence, name)


def _places(read: Any) -> tuple[FloatArray, FloatArray, tuple[float, float]]:
    """Positions, orientations and mm in the plane; none where the file does not say where it lies."""
    frames = _frames(read)
    if frames:
        asked = (("PlanePositionSequence", "ImagePositionPatient"), ("PlaneOrientationSequence", _ORIENTATION))
        found = [[_group(groups, *where) for where in asked] for groups in frames]
        spacing = _group(frames[0], "PixelMeasuresSequence", "PixelSpacing")
    else:
        found = [[read.get("ImagePositionPatient"), read.get(_ORIENTATION)]]
        spacing = read.get("PixelSpacing")
    if not spacing or any(not value for frame in found for value in frame):
        return np.empty((0, 3)), np.empty((0, 6)), (0.0, 0.0)
    positions = np.array([[float(x) for x in frame[0]] for frame in found]).reshape(-1, 3)
    orientations = np.array([[float(x) for x in frame[1]] for frame in found]).reshape(-1, 6)
    return read_only(positions), read_only(orientations), (float(spacing[1]), float(spacing[0]))


_ORIENTATION = "ImageOrientationPatient"


def _person(read: Any) -> Person:
    """Spelling apart: capitals, blanks and what stands behind the first spelling of a name do not count."""
    name = _text(read, "PatientName").split("=")[0]
    plain = [re.sub(r"[\W_]+", "", text).casefold() for text in (_text(read, "PatientID"), name)]
    return Person(plain[0].lstrip("0"), plain[1], _text(read, "PatientBirthDate"))


def _agent(read: Any) -> bool:
    """Whether the header says that a contrast agent was given."""
    if read.get("ContrastBolusAgentSequence"):
        return True
    return _text(read, "ContrastBolusAgent").strip().casefold() not in _NO_AGENT


def _pulses(read: Any) -> tuple[str, ...]:
    """Echoes of an enhanced file in the letters of the older ones."""
    echoes = {"SPIN": ("SE",), "GRADIENT": ("GR",), "BOTH": ("SE", "GR")}
    return echoes.get(_text(read, "EchoPulseSequence").upper(), ())


def _is_whole(read: Any, syntax: str, left: int) -> bool:
    """Whether a file goes on after its header as far as its voxels need; of packed ones only that it goes on."""
    if syntax == _DEFLATED:
        return True  # was read to its end to be unpacked
    least = 1 if _text(read, "Modality") in ("MR", "CT") else 0
    return left >= max(least, _bytes(read) if syntax in _UNPACKED else 0)


def _bytes(read: Any) -> int:
    """What the voxels take unpacked."""
    sizes = [int(_number(read.get(name)) or 0) for name in ("Rows", "Columns", "BitsAllocated")]
    more = [int(_number(read.get(name)) or 1) for name in ("SamplesPerPixel", "NumberOfFrames")]
    return sizes[0] * sizes[1] * sizes[2] // 8 * more[0] * more[1]


def _texts(read: Any, name: str) -> list[str]:
    value = read.get(name)
    if value is None:
        return []
    return [str(value)] if isinstance(value, str) or not hasattr(value, "__iter__") else [str(each) for each in value]


def _text(read: Any, name: str) -> str:
    """A value as one line; nothing where it is missing."""
    return " ".join("".join(c if c.isprintable() else " " for c in " ".join(_texts(read, name))).split())


def _number(value: Any) -> float | None:
    """A number, the first of several; None for anything else."""
    try:
        first: Any = value if isinstance(value, int | float | str) or value is None else next(iter(value))
        number = float(first)
    except (TypeError, ValueError, StopIteration):
        return None
    return number if np.isfinite(number) else None
