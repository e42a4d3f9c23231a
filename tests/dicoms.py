"""DICOM series made from arrays, as scanners and archives write them: for tests of what reads them."""

import io
from pathlib import Path

import numpy as np
import pydicom
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.fileset import FileSet
from pydicom.sequence import Sequence
from pydicom.uid import (
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLosslessSV1,
    RLELossless,
    generate_uid,
)

MR = "1.2.840.10008.5.1.4.1.1.4"
CLASSES = {
    "MR": MR, "enhanced": "1.2.840.10008.5.1.4.1.1.4.1", "CT": "1.2.840.10008.5.1.4.1.1.2",
    "screenshot": "1.2.840.10008.5.1.4.1.1.7",
}  # fmt: skip

#: What must be found nowhere in what is kept.
SECRETS = ("Katz^Hedwig", "KATZ", "Hedwig", "PID-4711", "19391224", "20260315", "101112", "St. Elsewhere", "ACC-99")

#: How a T1, a T2, a FLAIR and others say what they are, by three makers' habits.
MPRAGE = {
    "ScanningSequence": ["GR", "IR"], "SequenceVariant": ["SK", "SP", "MP"], "MRAcquisitionType": "3D",
    "SequenceName": "*tfl3d1_16ns", "EchoTime": 2.98, "RepetitionTime": 2300, "InversionTime": 900, "FlipAngle": 9,
}  # fmt: skip
BRAVO = {
    "ScanningSequence": ["GR"], "SequenceVariant": ["SS", "SP", "SK"], "MRAcquisitionType": "3D",
    "EchoTime": 3.2, "RepetitionTime": 8.2, "InversionTime": 450, "FlipAngle": 12, "Manufacturer": "GE MEDICAL SYSTEMS",
}  # fmt: skip
FLAIR = {
    "ScanningSequence": ["SE", "IR"], "SequenceVariant": ["SK", "SP", "MP"], "MRAcquisitionType": "3D",
    "SequenceName": "*spcir_278ns", "EchoTime": 388, "RepetitionTime": 5000, "InversionTime": 1800, "FlipAngle": 120,
}  # fmt: skip
T2 = {
    "ScanningSequence": ["SE"], "SequenceVariant": ["SK", "SP"], "MRAcquisitionType": "3D",
    "SequenceName": "*spc_282ns", "EchoTime": 408, "RepetitionTime": 3200, "FlipAngle": 120,
}  # fmt: skip
T1_SPIN_ECHO = {
    "ScanningSequence": ["SE"], "SequenceVariant": ["SK"], "MRAcquisitionType": "2D", "EchoTime": 9,
    "RepetitionTime": 550, "FlipAngle": 90,
}  # fmt: skip
MP2RAGE = MPRAGE | {"RepetitionTime": 5000, "FlipAngle": 4}


def person(name="Katz^Hedwig", ident="PID-4711", birth="19391224"):
    """What a header says of a person."""
    return {"PatientName": name, "PatientID": ident, "PatientBirthDate": birth}


def _dataset(kind, uid, number, description, syntax, more):
    out = Dataset()
    out.file_meta = FileMetaDataset()
    out.file_meta.MediaStorageSOPClassUID = out.SOPClassUID = CLASSES[kind]
    out.file_meta.MediaStorageSOPInstanceUID = out.SOPInstanceUID = generate_uid()
    out.file_meta.TransferSyntaxUID = syntax
    told = {
        "StudyInstanceUID": "1.2.826.0.1.3680043.8.498.1", "StudyID": "1", "FrameOfReferenceUID": "1.2.3.4",
        "StudyDate": "20260315", "StudyTime": "101112.5", "AcquisitionDate": "20260315", "AcquisitionTime": "101112.5",
        "SeriesTime": "101112.5", "ContentTime": "101112.5", "InstitutionName": "St. Elsewhere",
        "AccessionNumber": "ACC-99", "ImageComments": "Hedwig, born 19391224", "Manufacturer": "SIEMENS",
        "ManufacturerModelName": "Prisma", "MagneticFieldStrength": 3, "PatientPosition": "HFS", "PatientSex": "F",
        "SeriesInstanceUID": uid, "SeriesNumber": number, "SeriesDescription": description,
        "ProtocolName": description, "Modality": "CT" if kind == "CT" else "MR",
        "ImageType": ["ORIGINAL", "PRIMARY", "AXIAL"] if kind == "CT" else ["ORIGINAL", "PRIMARY", "M", "ND", "NORM"],
        "SamplesPerPixel": 1, "PhotometricInterpretation": "MONOCHROME2", "BitsAllocated": 16, "BitsStored": 12,
        "HighBit": 11, "PixelRepresentation": 0,
    }  # fmt: skip
    for key, value in (told | person() | more).items():
        setattr(out, key, value)
    return out


def _geometry(affine):
    """Row and column directions, spacings and a slice's position, as DICOM says them (left, back, up)."""
    lps = np.diag([-1.0, -1.0, 1.0, 1.0]) @ affine
    sizes = np.linalg.norm(lps[:3, :3], axis=0)
    directions = lps[:3, :3] / sizes
    orientation = [f"{value:.10g}"[:16] for value in (*directions[:, 0], *directions[:, 1])]
    return lps, orientation, [float(sizes[1]), float(sizes[0])], float(sizes[2])


def _decimal(values):
    return [f"{value:.9g}"[:16] for value in values]


def write_series(
    folder, values, affine, description="t1_mprage_sag_p2_iso", number=3, *, kind="MR", syntax=ExplicitVRLittleEndian,
    uid=None, skip=(), names="IM{:05d}", **more,
):  # fmt: skip
    """A file a slice, ``values`` (i, j, k) on ``affine`` (4, 4), mm RAS: i along rows, j down, k the slices."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    lps, orientation, in_plane, between = _geometry(affine)
    uid = uid or generate_uid()
    slice_ = _dataset(kind, uid, number, description, syntax, {"SliceThickness": round(between, 6)} | more)
    slice_.Rows, slice_.Columns = values.shape[1], values.shape[0]
    slice_.ImageOrientationPatient, slice_.PixelSpacing = orientation, _decimal(in_plane)
    paths = []
    for k in sorted(set(range(values.shape[2])) - set(skip)):
        slice_.InstanceNumber, slice_.SOPInstanceUID = k + 1, generate_uid()
        slice_.file_meta.MediaStorageSOPInstanceUID = slice_.SOPInstanceUID
        slice_.ImagePositionPatient = _decimal((lps @ [0, 0, k, 1])[:3])
        _fill(slice_, [values[:, :, k].T], syntax)
        paths.append(folder / names.format(k + 1))
        slice_.save_as(paths[-1], enforce_file_format=True)
    return paths


def write_enhanced(path, values, affine, description="T1W_3D_TFE", number=3, **more):
    """All slices in one file, as Philips and newer scanners write them."""
    lps, orientation, in_plane, between = _geometry(affine)
    image = _dataset("enhanced", generate_uid(), number, description, ExplicitVRLittleEndian, {})
    image.Manufacturer, image.InstanceNumber = "Philips Medical Systems", 1
    image.ContentQualification, image.AcquisitionContrast = "RESEARCH", "T1"
    image.NumberOfFrames = values.shape[2]
    image.Rows, image.Columns = values.shape[1], values.shape[0]
    image.MRAcquisitionType, image.PulseSequenceName, image.EchoPulseSequence = "3D", "T1TFE", "GRADIENT"
    for key, value in more.items():
        setattr(image, key, value)
    image.DimensionIndexSequence = Sequence([_item(DimensionIndexPointer=0x00209057)])
    shared = Dataset()
    shared.PixelMeasuresSequence = Sequence(
        [_item(PixelSpacing=_decimal(in_plane), SpacingBetweenSlices=between, SliceThickness=between)]
    )
    shared.PlaneOrientationSequence = Sequence([_item(ImageOrientationPatient=orientation)])
    shared.MRTimingAndRelatedParametersSequence = Sequence([_item(RepetitionTime=8.1, FlipAngle=8.0)])
    shared.PixelValueTransformationSequence = Sequence([_item(RescaleIntercept=0, RescaleSlope=1, RescaleType="US")])
    image.SharedFunctionalGroupsSequence = Sequence([shared])
    frames = []
    for k in range(values.shape[2]):
        frame = Dataset()
        frame.FrameContentSequence = Sequence(
            [_item(StackID="1", InStackPositionNumber=k + 1, DimensionIndexValues=[k + 1], TemporalPositionIndex=1)]
        )
        frame.PlanePositionSequence = Sequence([_item(ImagePositionPatient=_decimal((lps @ [0, 0, k, 1])[:3]))])
        frame.MREchoSequence = Sequence([_item(EffectiveEchoTime=3.7)])
        frames.append(frame)
    image.PerFrameFunctionalGroupsSequence = Sequence(frames)
    _fill(image, [values[:, :, k].T for k in range(values.shape[2])], ExplicitVRLittleEndian)
    image.save_as(path, enforce_file_format=True)
    return path


def write_dicomdir(folder, paths):
    """A disk as hospitals burn it: DICOMDIR beside folders of files without suffix; the original files are removed."""
    files = FileSet()
    for path in paths:
        files.add(path)
    files.write(folder)
    files._stage["t"].cleanup()  # else only the garbage collector does, with a warning
    for path in paths:
        path.unlink()
    return Path(folder) / "DICOMDIR"


def _item(**values):
    out = Dataset()
    for key, value in values.items():
        setattr(out, key, value)
    return out


def _fill(image, slices, syntax):
    """Pixels, packed as the transfer syntax says."""
    slices = [np.ascontiguousarray(slice_, dtype="<u2") for slice_ in slices]
    if syntax == RLELossless:
        image.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        image.PixelData = b"".join(slice_.tobytes() for slice_ in slices)
        image.compress(RLELossless, generate_instance_uid=False)
    elif syntax in (ExplicitVRLittleEndian, ImplicitVRLittleEndian):
        image.PixelData = b"".join(slice_.tobytes() for slice_ in slices)
    else:
        pack = {JPEG2000Lossless: _jpeg2000, JPEGLosslessSV1: _jpeg_lossless}.get(syntax, np.ndarray.tobytes)
        image.PixelData = encapsulate([pack(slice_) for slice_ in slices])
    image["PixelData"].VR = "OW" if syntax in (ExplicitVRLittleEndian, ImplicitVRLittleEndian) else "OB"


def _jpeg2000(slice_):
    file = io.BytesIO()
    Image.fromarray(slice_).save(file, "JPEG2000", irreversible=False, no_jp2=True)
    return file.getvalue()


def _jpeg_lossless(slice_):
    """ITU T.81's lossless process with the left neighbour as predictor (SV1), one Huffman table of 17 equal codes."""
    values = slice_.astype(np.int64)
    predicted = np.empty_like(values)
    predicted[:, 1:] = values[:, :-1]
    predicted[1:, 0] = values[:-1, 0]
    predicted[0, 0] = 1 << 15
    bits = []
    for left in ((values - predicted + (1 << 15)) % (1 << 16) - (1 << 15)).ravel().tolist():
        size = abs(left).bit_length()
        bits.append(f"{size:05b}")
        if 0 < size < 16:
            bits.append(f"{left if left > 0 else left + (1 << size) - 1:0{size}b}")
    text = "".join(bits)
    text += "1" * (-len(text) % 8)
    packed = int(text, 2).to_bytes(len(text) // 8, "big").replace(b"\xff", b"\xff\x00")
    rows, columns = slice_.shape
    frame = bytes([16]) + rows.to_bytes(2, "big") + columns.to_bytes(2, "big") + bytes([1, 1, 0x11, 0])
    table = bytes([0, 0, 0, 0, 0, 17] + [0] * 11 + list(range(17)))
    segments = ((0xC3, frame), (0xC4, table), (0xDA, bytes([1, 1, 0, 1, 0, 0])))
    head = b"".join(bytes([0xFF, mark]) + (len(body) + 2).to_bytes(2, "big") + body for mark, body in segments)
    return b"\xff\xd8" + head + packed + b"\xff\xd9"


def tagged(path, **values):
    """Change a file's header."""
    image = pydicom.dcmread(path)
    for key, value in values.items():
        setattr(image, key, value)
    image.save_as(path)
