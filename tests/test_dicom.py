"""DICOM in: Colin27's T1, written as scanners and archives do, comes back voxel by voxel at its place, and alone."""

import base64
import gzip
import re
import shutil
import sys
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from scipy import ndimage

pytest.importorskip("pydicom")
pytest.importorskip("dcm2niix")

import dicoms as make
import pydicom
from pydicom.uid import MPEG2MPML, ImplicitVRLittleEndian, JPEG2000Lossless, JPEGLosslessSV1, RLELossless
from tests_support import accepted, refusal

import neuro_field as nf
from neuro_field.cli import main
from neuro_field.commands.scans import given_image
from neuro_field.console import Stages
from neuro_field.errors import FileFormatError, InputError
from neuro_field.io.dicom_headers import read_header
from neuro_field.io.images import read_image, write_image
from neuro_field.segment import dicom
from neuro_field.segment.samseg import VARIABLE
from neuro_field.segment.series import series_of
from neuro_field.segment.series_choice import chosen_series, rows_of
from neuro_field.store.heads import head_images, read_head

COLIN = Path(__file__).parents[1] / "meshes" / "colin27"


@pytest.fixture(scope="module")
def t1():
    """Every fourth voxel of Colin27 with some air, 12 bits, on a tilted grid of unequal spacings: (values, affine)."""
    image = nib.load(COLIN / "colin27_T1.nii.gz")
    values = np.pad(np.asarray(image.dataobj)[::4, ::4, ::4].astype(np.uint16) * 15, ((7, 3), (0, 0), (2, 5))) + 7
    c, s, c2, s2 = np.cos(0.2), np.sin(0.2), np.cos(-0.1), np.sin(-0.1)
    turned = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]) @ np.array([[1, 0, 0], [0, c2, -s2], [0, s2, c2]])
    affine = np.eye(4)
    affine[:3, :3] = turned @ np.diag([1.9, 1.86, 1.95])
    affine[:3, 3] = [-62.5, -71.25, -33.125]
    return values, affine


@pytest.fixture(scope="module")
def sagittal(t1):
    """The same head in sagittal slices from right to left, rows from above downwards."""
    values, affine = t1
    flipped = values.transpose(1, 2, 0)[:, ::-1, ::-1]
    order = np.zeros((4, 4))
    order[:3, :3] = [[0, 0, -1], [1, 0, 0], [0, -1, 0]]
    order[:, 3] = [values.shape[0] - 1, 0, values.shape[2] - 1, 1]
    return np.ascontiguousarray(flipped), affine @ order


#: Plays run_samseg, whose labels nobody reads here.
SEGMENTER = """
import sys
from pathlib import Path
out = Path(sys.argv[sys.argv.index("--output") + 1])
out.mkdir()
(out / "seg.mgz").touch()
print(sys.argv)
"""


def converted(folder, tmp_path, series=None):
    scan = dicom.convert(chosen_series(dicom.find_series(folder).series, series), tmp_path / "T1.nii.gz")
    return scan, read_image(scan.path)


def assert_same(image, values, affine):
    """Every voxel of the source is in the image, at its place in mm, with its value."""
    assert sorted(image.values.shape) == sorted(values.shape)
    there = np.argwhere(np.ones(values.shape, dtype=bool))
    world = there @ affine[:3, :3].T + affine[:3, 3]
    back = np.linalg.inv(image.affine)
    voxels = world @ back[:3, :3].T + back[:3, 3]
    off = np.abs(voxels - np.round(voxels)).max()
    assert off < 1e-3
    inside = np.round(voxels).astype(int)
    assert (inside >= 0).all()
    assert (inside < image.values.shape).all()
    np.testing.assert_array_equal(image.values[tuple(inside.T)], values[tuple(there.T)])


def secrets_in(folder):
    """What must not be kept, found in the names and bytes of files, unpacked; four letters of base64 are no name."""
    found = set()
    for path in [p for p in Path(folder).rglob("*") if p.is_file()]:
        raw = path.read_bytes()
        text = (gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw) + path.name.encode()
        text = re.sub(rb"base64,([A-Za-z0-9+/=]+)", lambda found: base64.b64decode(found[1]), text)
        found |= {(path.name, secret) for secret in make.SECRETS if secret.encode() in text}
    return found


@pytest.mark.parametrize("view", ["t1", "sagittal"])
def test_voxels_come_back_at_their_places(view, request, tmp_path):
    values, affine = request.getfixturevalue(view)
    make.write_series(tmp_path / "disk" / "A" / "B", values, affine, **make.MPRAGE)
    scan, image = accepted(converted, tmp_path / "disk", tmp_path)
    assert_same(image, values, affine)
    shutil.rmtree(tmp_path / "disk")
    assert secrets_in(tmp_path) == set()
    header = nib.load(scan.path).header
    assert (int(header["qform_code"]), int(header["sform_code"])) == (1, 1)
    np.testing.assert_allclose(header.get_qform(), header.get_sform(), atol=1e-4)
    facts = scan.facts
    assert (facts["kind"], facts["maker"], facts["field_T"], facts["acquisition"]) == ("t1", "Siemens", 3.0, "3D")
    assert facts["transfer_syntax"] == "Explicit VR Little Endian"
    assert facts["converter"].startswith("dcm2niix v")
    assert facts["spacing_mm"] == pytest.approx(np.linalg.norm(affine[:3, :3], axis=0), abs=1e-3)


def test_left_stays_left(t1, tmp_path):
    values, affine = t1
    marked = values.copy()
    left = tuple(np.round(np.linalg.inv(affine) @ [-40, 10, 20, 1]).astype(int)[:3])
    marked[left] = 4095
    make.write_series(tmp_path / "disk", marked, affine, **make.MPRAGE)
    _, image = accepted(converted, tmp_path / "disk", tmp_path)
    found = image.affine @ [*np.unravel_index(image.values.argmax(), image.values.shape), 1]
    assert np.linalg.norm(found[:3] - [-40, 10, 20]) < 2


def test_all_slices_in_one_file(t1, tmp_path):
    values, affine = t1
    path = make.write_enhanced(tmp_path / "IM_0001", values, affine)
    scan, image = accepted(converted, path, tmp_path)
    assert_same(image, values, affine)
    assert (scan.facts["maker"], scan.facts["echo_time_ms"], scan.facts["acquisition"]) == ("Philips", 3.7, "3D")


@pytest.mark.parametrize(
    ("syntax", "name"), [(RLELossless, "RLE"), (JPEG2000Lossless, "JPEG 2000"), (JPEGLosslessSV1, "JPEG Lossless")]
)
def test_packed_voxels(t1, tmp_path, syntax, name):
    values, affine = t1
    make.write_series(tmp_path / "disk", values, affine, syntax=syntax, **make.MPRAGE)
    scan, image = accepted(converted, tmp_path / "disk", tmp_path)
    assert_same(image, values, affine)
    assert name in scan.facts["transfer_syntax"]


def test_a_packing_that_the_converter_does_not_know_is_told_with_the_remedy(t1, tmp_path):
    values, affine = t1
    make.write_series(tmp_path / "disk", values, affine, syntax=MPEG2MPML, **make.MPRAGE)
    with pytest.raises(InputError, match=r"series 3 \(MPEG2.*\).*uncompressed DICOM"):
        converted(tmp_path / "disk", tmp_path)
    paths = make.write_series(tmp_path / "cut", values, affine, syntax=JPEG2000Lossless, **make.MPRAGE)
    paths[9].write_bytes(paths[9].read_bytes()[:-30])
    with pytest.raises(InputError, match="copy it again") as refusal:
        converted(tmp_path / "cut", tmp_path)
    assert "neuro_field-" not in str(refusal.value)  # the folder it worked in


def test_a_disk_with_its_list_and_a_single_file_of_a_series_stand_for_what_they_belong_to(t1, tmp_path):
    values, affine = t1
    paths = make.write_series(tmp_path / "made", values, affine, **make.MPRAGE)
    paths += make.write_series(tmp_path / "more", values[:, :, :5], affine, "t2_spc", 4, **make.T2)
    listing = make.write_dicomdir(tmp_path / "disk", paths)
    assert [each.number for each in accepted(dicom.find_series, listing).series] == [3, 4]
    assert dicom.holds_dicom(listing)
    _, image = accepted(converted, listing, tmp_path)
    assert_same(image, values, affine)
    one_of_them = chosen_series(dicom.find_series(listing).series).files[9]
    make.write_series(one_of_them.parent, values[:, :, :5], affine, number=9)
    found = dicom.find_series(one_of_them).series
    assert [(one.number, one.row.slices) for one in found] == [(3, values.shape[2])]


def test_copies_of_one_file_count_once(t1, tmp_path):
    values, affine = t1
    make.write_series(tmp_path / "disk" / "a", values, affine, **make.MPRAGE)
    shutil.copytree(tmp_path / "disk" / "a", tmp_path / "disk" / "b")
    (series,) = dicom.find_series(tmp_path / "disk").series
    assert (series.row.volumes, len(series.files)) == (1, values.shape[2])


@pytest.mark.parametrize("lean", [15, -15])
@pytest.mark.parametrize("directions", [(-1, -1), (1, -1), (1, 1)])  # the first as scanners have them
def test_a_tilted_gantry_is_set_upright(t1, tmp_path, lean, directions):
    """Slices turned about x, stepping straight along the table: what lies at a place in mm still lies there."""
    angle = np.radians(lean)
    c, s = np.cos(angle), np.sin(angle)
    leaning = np.diag([2.0 * directions[0], 2.0 * directions[1], 4.0, 1.0])
    leaning[:3, :3] = np.array([[1, 0, 0], [0, c, -s], [0, s, c]]) @ leaning[:3, :3]
    leaning[:3, 2] = [0, 0, 4 / c]
    leaning[:3, 3] = [-55 * directions[0], -60 * directions[1], -70]
    values = np.pad(t1[0][:50, :50, ::2], 5)
    make.write_series(tmp_path / "disk", values, leaning, "head", 2, kind="CT", GantryDetectorTilt=lean)
    (series,) = dicom.find_series(tmp_path / "disk").series
    assert series.kind.code == "ct"
    assert series.row.lean == pytest.approx(15, abs=0.01)
    image = read_image(accepted(dicom.convert, series, tmp_path / "CT.nii.gz").path)
    axes = image.affine[:3, :3] / np.linalg.norm(image.affine[:3, :3], axis=0)
    np.testing.assert_allclose(axes.T @ axes, np.eye(3), atol=1e-5)
    there = np.argwhere(np.ones(values.shape, dtype=bool))
    upright = np.linalg.inv(image.affine) @ leaning @ np.column_stack([there, np.ones(len(there))]).T
    found = ndimage.map_coordinates(image.values, upright[:3], order=1, mode="nearest")
    assert np.corrcoef(found, values[tuple(there.T)])[0, 1] > 0.98  # twice interpolated; 0.7 a voxel beside it


def test_what_the_converter_misplaces_is_refused(t1, tmp_path, monkeypatch):
    values, affine = t1
    make.write_series(tmp_path / "disk", values, affine, **make.MPRAGE)
    read = dicom.read_image

    def mirrored(path):
        image = read(path)
        return type(image)(image.values, np.diag([-1.0, 1, 1, 1]) @ image.affine, image.path)

    monkeypatch.setattr(dicom, "read_image", mirrored)
    with pytest.raises(FileFormatError, match="mm off"):
        converted(tmp_path / "disk", tmp_path)


def test_a_series_of_which_several_images_are_made_is_refused(t1, tmp_path, monkeypatch):
    """By echoes, say: the first of them may be no T1."""
    values, affine = t1
    make.write_series(tmp_path / "disk", values[:20, :20], affine, **make.MPRAGE)
    (series,) = dicom.find_series(tmp_path / "disk").series

    def ran(program, series, given, made):
        for name in ("image", "image_e2"):
            write_image(made / f"{name}.nii", values[:20, :20], affine)
        return "dcm2niix v1"

    monkeypatch.setattr(dicom, "_run", ran)
    assert "must be one image; instead it holds 2" in refusal(dicom.convert, series, tmp_path / "T1.nii.gz")


def test_cut_and_missing_files_are_refused(t1, tmp_path):
    values, affine = t1
    paths = make.write_series(tmp_path / "cut", values, affine, **make.MPRAGE)
    paths[7].write_bytes(paths[7].read_bytes()[:-200])
    with pytest.raises(InputError, match="1 of its 53 files are cut short"):
        converted(tmp_path / "cut", tmp_path)
    paths[7].write_bytes(paths[7].read_bytes()[: -len(paths[7].read_bytes()) // 2])
    with pytest.raises(InputError, match="1 of its 53 files are cut short"):
        converted(tmp_path / "cut", tmp_path)
    paths[7].write_bytes(paths[7].read_bytes()[:400])
    assert dicom.find_series(tmp_path / "cut").damaged == 1
    with pytest.raises(InputError, match="1 of its 53 slices are missing"):
        converted(tmp_path / "cut", tmp_path)
    with pytest.raises(InputError, match="cannot be converted: 1 of its 53 slices"):
        dicom.convert(dicom.find_series(tmp_path / "cut").series[0], tmp_path / "T1.nii.gz")


def test_damaged_headers_are_told_or_read_as_something(t1, tmp_path):
    """Bytes changed, lost and added in headers: our own error, or a header that series are made of."""
    values, affine = t1
    path = tmp_path / "IM"
    sources = [
        make.write_series(tmp_path / "a", values[:8, :8, :1], affine, **make.MPRAGE)[0].read_bytes(),
        make.write_enhanced(path, values[:8, :8, :4], affine).read_bytes(),
    ]
    rng = np.random.default_rng(5)
    for turn in range(150):
        raw = bytearray(sources[turn % 2])
        for place in rng.integers(132, len(raw), 1 + turn % 5):
            raw[place : place + rng.integers(3)] = bytes(rng.integers(0, 256, rng.integers(3), dtype=np.uint8))
        path.write_bytes(bytes(raw[: rng.integers(200, len(raw))] if turn % 7 == 0 else raw))
        try:
            header = read_header(path)
        except FileFormatError as trouble:
            header, said = None, str(trouble)
        if header is None:
            assert "\n" not in said
            continue
        assert [len(rows_of([series])[1]) for series in series_of([header])] == [1]


def test_odd_spellings_do_not_matter(t1, tmp_path):
    """No preamble and no part about the file, a comma in a number, names in two scripts."""
    values, affine = t1
    for path in make.write_series(tmp_path, values, affine, syntax=ImplicitVRLittleEndian, **make.MPRAGE):
        raw = path.read_bytes().replace(b"2.98", b"2,98")
        path.write_bytes(raw[144 + int.from_bytes(raw[140:144], "little") :])
    scan, image = accepted(converted, tmp_path, tmp_path)
    assert_same(image, values, affine)
    assert scan.facts["echo_time_ms"] is None
    first = pydicom.dcmread(tmp_path / "IM00001", force=True)
    first.SpecificCharacterSet, first.PatientName = ["", "ISO 2022 IR 87"], "Katz^Hedwig=山田^太郎"
    first.PatientID = "another number"
    first.save_as(tmp_path / "IM00001", implicit_vr=True, little_endian=True)
    assert len(accepted(dicom.find_series, tmp_path).series) == 1


def test_several_persons_are_counted_and_not_named(t1, tmp_path):
    values, affine = t1
    make.write_series(tmp_path / "disk" / "a", values[:, :, :5], affine, **make.MPRAGE)
    other = make.person("Doe^Jane", "PID-1", "19500101")
    make.write_series(tmp_path / "disk" / "b", values[:, :, :5], affine, number=4, **make.MPRAGE, **other)
    with pytest.raises(InputError, match="speak of 2 persons") as refusal:
        dicom.find_series(tmp_path / "disk")
    assert not any(word in str(refusal.value) for word in ("Doe", "Katz", "PID"))


def test_folders_without_dicom_are_told_what_they_hold(tmp_path, capsys):
    def said():
        with pytest.raises(InputError) as refusal:
            dicom.find_series(tmp_path)
        return str(refusal.value)

    assert "it is empty" in said()
    assert main(["head", str(tmp_path), "-o", str(tmp_path / "HEAD")]) == 2
    assert "it is empty" in capsys.readouterr().err.replace("\n", " ")
    (tmp_path / ".waste").mkdir()
    (tmp_path / ".waste" / "scan").write_bytes(bytes(128) + b"DICM" + bytes(200))
    assert "it is empty" in said()
    (tmp_path / "a.jpg").write_bytes(b"\xff\xd8" + bytes(200))
    (tmp_path / "b.jpg").write_bytes(b"\xff\xd8" + bytes(200))
    assert "2 .jpg: ask for the original DICOM" in said()
    (tmp_path / "study.zip").write_bytes(b"PK" + bytes(200))
    assert "unpack the archive" in said()
    nib.save(nib.Nifti1Image(np.zeros((3, 3, 3), np.uint8), np.eye(4)), tmp_path / "t1.nii.gz")
    assert f"give one image of it: {tmp_path / 't1.nii.gz'}." in said()


def test_what_is_not_installed_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "dcm2niix", None)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InputError, match=r'pip install "neuro_field\[dicom\]"'):
        dicom.converter()
    (tmp_path / "dcm2niix").write_text("#!/bin/sh\n")
    (tmp_path / "dcm2niix").chmod(0o755)
    if sys.platform != "win32":
        assert dicom.converter() == tmp_path / "dcm2niix"
    monkeypatch.setitem(sys.modules, "pydicom", None)
    assert 'pip install "neuro_field[dicom]"' in refusal(dicom.find_series, tmp_path)


def test_a_hospitals_folder_becomes_a_head_without_the_patients_name(t1, tmp_path, capsys, monkeypatch):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    ball = nf.sphere_head((70, 80, 90), edge=12.0)
    monkeypatch.setattr(
        "neuro_field.store.building.head_from_images", lambda path, labels, **more: (ball, {"t1": read_image(path)})
    )
    monkeypatch.setattr("neuro_field.store.heads._qc_page", lambda *given: "")
    values, affine = t1
    segmenter = tmp_path / "run_samseg"
    segmenter.write_text(f"#!{sys.executable}\n{SEGMENTER}")
    segmenter.chmod(0o755)
    monkeypatch.setenv(VARIABLE, str(segmenter))
    disk, agent, small = tmp_path / "Katz Hedwig 19391224", {"ContrastBolusAgent": "Gadovist"}, values[::4, ::4, ::16]
    make.write_series(disk / "1", values, affine, "t1_mprage_sag", 3, **make.MPRAGE, **agent)
    make.write_series(disk / "2", small, affine, "spc_dark_fluid", 4, **make.FLAIR)
    make.write_series(disk / "3", small, affine, "head", 6, kind="CT")
    turned = affine @ np.array([[0, 0, 1, 0], [1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 1.0]])
    for k, place in enumerate((affine, turned)):
        make.write_series(disk / "4", small, place, "localizer", 1, uid="1.2.3.99", names=f"L{k}{{:03d}}", **make.BRAVO)
    assert main(["head", str(disk), "-o", str(tmp_path / "HEAD")]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "Taken: series 3, 3-D T1, contrast agent" in told
    assert re.search(r"Beside it: 3-D FLAIR \(series 4, \S+ mm\), CT \(series 6, \S+ mm\)\.", told)
    assert "localizer" in told
    assert "after a contrast agent" in told
    head = read_head(tmp_path / "HEAD")
    assert "scan-contrast" in {finding.code for finding in head.findings}
    assert head.provenance["scan"]["kind"] == "t1"
    assert_same(head_images(tmp_path / "HEAD")["t1"], values, affine)
    assert secrets_in(disk) != set()  # what is looked for can be found
    assert secrets_in(tmp_path / "HEAD") | secrets_in(tmp_path / "HEAD.segmentation") == set()
    assert list(scratch.iterdir()) == []
    shutil.rmtree(tmp_path / "HEAD")
    assert main(["head", str(disk), "-o", str(tmp_path / "HEAD")]) == 0
    assert "Labels found" in capsys.readouterr().out  # the same image to the byte, or they would be another's


def test_the_command_refuses_in_one_line_after_the_table(t1, tmp_path, capsys):
    values, affine = t1
    thick = affine @ np.diag([1.0, 1, 3, 1])  # 5.85 mm
    make.write_series(tmp_path / "disk", values[:, :, ::3], thick, "t1_se_tra", 2, **make.T1_SPIN_ECHO)
    assert main(["head", str(tmp_path / "disk"), "-o", str(tmp_path / "HEAD")]) == 2
    out, err = capsys.readouterr()
    assert "2-D T1" in out
    last = [line for line in err.splitlines() if line.startswith("neuro-field: ")]
    assert last == ["neuro-field: No T1 fits a head: series 2 is one, but 5.9 mm slices: order a 3-D T1 of 1 mm "
                    "(docs/mri-order.md)."]  # fmt: skip
    assert not (tmp_path / "HEAD").exists()


def test_series_is_an_option_of_dicom_alone(tmp_path):
    path = tmp_path / "T1.nii.gz"
    nib.save(nib.Nifti1Image(np.zeros((3, 3, 3), np.uint8), np.eye(4)), path)
    with Stages() as stages:
        with pytest.raises(InputError, match="--series is for DICOM"), given_image(str(path), "3", stages):
            pass
        with given_image(str(path), None, stages) as given:
            assert given.path == str(path)
            assert given.told_to("head") == "head"


@pytest.mark.slow
def test_colin27_whole_comes_through_dicom_as_it_is(tmp_path):
    """Sagittal slices of the head as published, with its labels: the head's T1 is the source's, voxel by voxel."""
    image = nib.load(COLIN / "colin27_T1.nii.gz")
    values = np.asarray(image.dataobj).astype(np.uint16) * 10
    i, j, k = values.shape
    order = np.array([[0, 0, -1, i - 1], [-1, 0, 0, j - 1], [0, -1, 0, k - 1], [0, 0, 0, 1.0]])
    slices = values.transpose(1, 2, 0)[::-1, ::-1, ::-1]
    make.write_series(tmp_path / "disk", slices, image.affine @ order, "t1_mprage_sag", 3, **make.MPRAGE)
    labels = str(COLIN / "colin27_labels.nii.gz")
    out = str(tmp_path / "HEAD")
    assert main(["head", str(tmp_path / "disk"), "--labels", labels, "-o", out, "--edge", "6"]) == 0
    assert_same(head_images(out)["t1"], values, image.affine)
    assert secrets_in(out) == set()
