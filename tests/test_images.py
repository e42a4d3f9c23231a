"""Images: every way a header can lie gets one line, and a good file its world."""

import gzip
import struct

import nibabel as nib
import numpy as np
import pytest
from tests_support import accepted, said_once

from neuro_field.errors import FileFormatError, InputError
from neuro_field.io.atomic import new_file, new_folder
from neuro_field.io.images import read_image, read_labels, write_image

AFFINE = np.array([[0, -2.0, 0, 90], [1.5, 0, 0, -126], [0, 0, 3, -72], [0, 0, 0, 1]])
VALUES = np.arange(4 * 5 * 6, dtype=np.int16).reshape(4, 5, 6)


def saved(path, values=VALUES, affine=AFFINE, qcode=1, scode=1, qform=None, kind=nib.Nifti1Image):
    image = kind(values, affine)
    image.set_sform(affine, code=scode)
    image.set_qform(affine if qform is None else qform, code=qcode)
    nib.save(image, path)
    return path


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
@pytest.mark.parametrize("codes", [(1, 0), (0, 1), (1, 1), (2, 4)])
def test_a_good_nifti_gives_its_values_and_its_world(tmp_path, name, codes):
    image = read_image(saved(tmp_path / name, qcode=codes[0], scode=codes[1]))
    np.testing.assert_array_equal(image.values, VALUES)
    np.testing.assert_allclose(image.affine, AFFINE, atol=1e-4)  # qform keeps single precision
    np.testing.assert_allclose(image.voxel_sizes, [1.5, 2, 3], rtol=1e-5)


def test_an_mgz_gives_the_same_world(tmp_path):
    nib.save(nib.MGHImage(VALUES, AFFINE), tmp_path / "a.mgz")
    image = read_labels(tmp_path / "a.mgz")
    np.testing.assert_allclose(image.affine, AFFINE, atol=1e-4)
    np.testing.assert_array_equal(image.values, VALUES)


def test_what_is_written_is_read_back(tmp_path):
    write_image(tmp_path / "b.nii.gz", VALUES, AFFINE)
    image = read_image(tmp_path / "b.nii.gz")
    np.testing.assert_array_equal(image.values, VALUES)
    np.testing.assert_allclose(image.affine, AFFINE, atol=1e-4)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["b.nii.gz"]


def test_an_affine_that_shears_is_written_so_that_it_can_be_read(tmp_path):
    sheared = AFFINE.copy()
    sheared[0, 2] = 0.8  # no qform can say this
    write_image(tmp_path / "c.nii.gz", VALUES, sheared)
    np.testing.assert_allclose(read_image(tmp_path / "c.nii.gz").affine, sheared, atol=1e-4)


def test_a_big_endian_image_is_read_in_native_order(tmp_path):
    header = nib.Nifti1Header(endianness=">")
    header.set_data_dtype(np.dtype(">i2"))
    image = nib.Nifti1Image(VALUES.astype(">i2"), AFFINE, header)
    nib.save(image, tmp_path / "big.nii")
    assert (tmp_path / "big.nii").read_bytes()[:4] == b"\x00\x00\x01\x5c"
    read = read_image(tmp_path / "big.nii")
    np.testing.assert_array_equal(read.values, VALUES)
    assert read.values.dtype.isnative


def test_a_trailing_singleton_axis_is_dropped(tmp_path):
    assert read_image(saved(tmp_path / "a.nii", VALUES[..., None])).values.shape == (4, 5, 6)


def test_an_image_that_does_not_say_where_it_lies_is_refused_with_the_remedy(tmp_path):
    with pytest.raises(InputError, match=r"left and right cannot be known.*dcm2niix"):
        read_image(saved(tmp_path / "a.nii", qcode=0, scode=0))


def shifted(millimetres):
    out = AFFINE.copy()
    out[0, 3] += millimetres
    return out


@pytest.mark.parametrize("codes", [(1, 1), (1, 2), (2, 1), (4, 4), (3, 3)])
def test_two_positions_in_one_world_must_agree(tmp_path, codes):
    with pytest.raises(InputError, match=r"differ by 7\.0 mm"):
        read_image(saved(tmp_path / "a.nii", qform=shifted(7), qcode=codes[0], scode=codes[1]))
    with pytest.raises(InputError, match=r"differ by 0\.3 mm"):
        read_image(saved(tmp_path / "b.nii", qform=shifted(0.3), qcode=codes[0], scode=codes[1]))


@pytest.mark.parametrize("patient", [1, 2])
@pytest.mark.parametrize("atlas", [3, 4, 5])
def test_the_patients_world_goes_before_an_atlas_and_both_are_kept(tmp_path, patient, atlas):
    larger = np.diag([1.42, 1.42, 1.42, 1.0]) @ AFFINE
    by_qform = read_image(saved(tmp_path / "q.nii", affine=larger, qform=AFFINE, qcode=patient, scode=atlas))
    by_sform = read_image(saved(tmp_path / "s.nii", affine=AFFINE, qform=larger, qcode=atlas, scode=patient))
    for image, other in ((by_qform, "sform"), (by_sform, "qform")):
        np.testing.assert_allclose(image.affine, AFFINE, atol=1e-4)
        assert image.other_form is not None
        assert image.other_form.name == other
        np.testing.assert_allclose(image.other_form.affine, larger, atol=1e-4)
        (found,) = image.findings("t1")
        assert (found.code, found.level, found.values["form_code"]) == ("image-atlas-form", "warn", atlas)
        assert found.values["size"] == pytest.approx(1.42, abs=1e-4)
        assert found.values["apart"] == pytest.approx(0.42 * np.linalg.norm([90, 126, 72]), rel=0.01)
        write_image(tmp_path / "again.nii.gz", image.values, image.affine, image.code, image.other_form)
        again = read_image(tmp_path / "again.nii.gz")
        np.testing.assert_allclose(again.affine, AFFINE, atol=1e-4)
        np.testing.assert_allclose(again.other_form.affine, larger, atol=1e-4)
        assert (again.code, again.other_form.code) == (patient, atlas)


def test_an_image_in_an_atlas_alone_is_read_and_said_to_lie_there(tmp_path):
    for codes in ((0, 4), (4, 0), (4, 4), (1, 4)):  # the last: both the same place, so the scanner's is none
        image = read_image(saved(tmp_path / "a.nii", qcode=codes[0], scode=codes[1]))
        assert said_once(image.findings("t1"), "image-atlas-only").values["form_code"] == 4
    assert not read_image(saved(tmp_path / "b.nii", qcode=1, scode=2)).findings("t1")


@pytest.mark.parametrize("signs", [(1, 1, 1), (-1, -1, 1)])
def test_a_header_that_lost_its_place_is_refused(tmp_path, signs):
    bare = np.diag([*signs, 1.0])
    with pytest.raises(InputError, match=r"lost its place.*left and right cannot be known.*fslcpgeom"):
        read_image(saved(tmp_path / "a.nii", affine=bare))
    turned = bare[[1, 0, 2, 3]]
    np.testing.assert_allclose(read_image(saved(tmp_path / "b.nii", affine=turned)).affine, turned, atol=1e-6)


def test_an_mgz_that_does_not_say_where_it_lies_is_refused(tmp_path):
    nib.save(nib.MGHImage(VALUES, AFFINE), tmp_path / "a.mgz")
    raw = bytearray(gzip.decompress((tmp_path / "a.mgz").read_bytes()))
    raw[28:30] = b"\x00\x00"
    (tmp_path / "b.mgz").write_bytes(gzip.compress(raw))
    with pytest.raises(InputError, match="goodRASFlag is 0"):
        read_image(tmp_path / "b.mgz")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (VALUES[:, :, 0], "three-dimensional; instead it is a single slice"),
        (VALUES[:, :, :1], "single slice"),
        (np.zeros((4, 4, 4, 3), dtype=np.float32), "time series"),
        (np.zeros((4, 4, 4), dtype=[("R", "u1"), ("G", "u1"), ("B", "u1")]), "colours"),
        (np.full((4, 4, 4), np.nan, dtype=np.float32), "64 voxels"),
        (np.zeros((4, 4, 4), dtype=np.complex64), "real numbers"),
    ],
)
def test_images_of_the_wrong_kind_are_refused(tmp_path, values, message):
    with pytest.raises(InputError, match=message) as caught:
        read_image(saved(tmp_path / "a.nii", values))
    assert "\n" not in str(caught.value)


def test_labels_must_be_whole_numbers_in_range(tmp_path):
    with pytest.raises(InputError, match="nearest neighbour"):
        read_labels(saved(tmp_path / "a.nii", VALUES + np.float32(0.5)))
    with pytest.raises(InputError, match="-1 to"):
        read_labels(saved(tmp_path / "b.nii", VALUES - np.int16(1)))
    assert read_labels(saved(tmp_path / "c.nii", VALUES.astype(np.float32))).values.dtype == np.uint16


def scaled(path, slope, intercept=0.0):
    """Whole numbers 0 to 5 in a file whose header scales them."""
    saved(path, VALUES % 6)
    data = bytearray(path.read_bytes())
    struct.pack_into("<ff", data, 112, slope, intercept)
    path.write_bytes(data)
    return path


def test_labels_that_the_header_scales_are_read_where_their_numbers_are_sure(tmp_path):
    np.testing.assert_array_equal(accepted(read_labels, scaled(tmp_path / "a.nii", 1.0000001)).values, VALUES % 6)
    packed = nib.Nifti1Image(np.choose(VALUES % 6, [0.0, 2, 41, 165, 258, 2035]), AFFINE)
    packed.set_data_dtype(np.int16)  # nibabel packs them into steps of 0.03
    packed.set_sform(AFFINE, code=1)
    nib.save(packed, tmp_path / "b.nii")
    assert nib.load(tmp_path / "b.nii").dataobj.slope == pytest.approx(2035 / 65535, rel=1e-3)
    read = accepted(read_labels, tmp_path / "b.nii").values
    np.testing.assert_array_equal(read, np.choose(VALUES % 6, [0, 2, 41, 165, 258, 2035]))


@pytest.mark.parametrize(("slope", "intercept"), [(2, 0), (0.5, 0), (1 / 255, 0), (1e-4, 0), (1, 1), (1, -1), (-1, 5)])
def test_labels_that_the_header_makes_others_are_refused_with_the_scale(tmp_path, slope, intercept):
    with pytest.raises(InputError, match=r"scl_slope, scl_inter\): save the labels as integers") as caught:
        read_labels(scaled(tmp_path / "a.nii", slope, intercept))
    assert f"by {slope:.6g} and adds {intercept:.6g}" in str(caught.value)


def test_missing_foreign_and_damaged_files_are_refused_in_one_line(tmp_path):
    good = saved(tmp_path / "good.nii.gz")
    whole = gzip.decompress(good.read_bytes())
    (tmp_path / "cut.nii").write_bytes(whole[: len(whole) - 40])
    (tmp_path / "cut.nii.gz").write_bytes(good.read_bytes()[:-20])
    (tmp_path / "noise.nii.gz").write_bytes(b"not gzip at all" * 40)
    (tmp_path / "noise.nii").write_bytes(bytes(range(256)) * 4)
    (tmp_path / "empty.nii").write_bytes(b"")
    (tmp_path / "noise.mgz").write_bytes(gzip.compress(b"\x00" * 300))
    for name in ("cut.nii", "cut.nii.gz", "noise.nii.gz", "noise.nii", "empty.nii", "noise.mgz"):
        with pytest.raises(InputError, match=name) as caught:
            read_image(tmp_path / name)
        assert "\n" not in str(caught.value)
    for name, message in (("none.nii", "does not exist"), (".", "folder"), ("a.dcm", "must be one of")):
        (tmp_path / "a.dcm").touch()
        with pytest.raises(InputError, match=message):
            read_image(tmp_path / name)


def test_a_header_that_claims_too_much_is_refused_before_the_data_is_read(tmp_path):
    path = saved(tmp_path / "a.nii")
    raw = bytearray(path.read_bytes())
    raw[42:48] = np.array([32000, 32000, 32000], dtype="<i2").tobytes()
    path.write_bytes(bytes(raw))
    with pytest.raises(FileFormatError, match="claims"):
        read_image(path)


def test_voxels_in_metres_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"0\.2 to 10 mm; instead \[0\.001, 0\.001, 0\.001\] \(metres"):
        read_image(saved(tmp_path / "a.nii", affine=np.diag([0.001, 0.001, 0.001, 1.0])))


def test_a_file_is_whole_or_absent(tmp_path):
    def fail():
        with new_file(tmp_path / "x.txt") as beside:
            beside.write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert list(tmp_path.iterdir()) == []
    with new_file(tmp_path / "x.txt") as beside:
        beside.write_text("whole")
    assert (tmp_path / "x.txt").read_text() == "whole"
    with pytest.raises(InputError, match="does not exist"), new_file(tmp_path / "no" / "x"):
        pass


def test_a_folder_is_whole_or_absent_and_nothing_is_overwritten(tmp_path):
    def fail():
        with new_folder(tmp_path / "out") as beside:
            (beside / "half").touch()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "out").mkdir()  # an empty folder may be filled
    with new_folder(tmp_path / "out") as beside:
        (beside / "one").touch()
        assert not any((tmp_path / "out").iterdir())
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["one"]
    with pytest.raises(FileExistsError, match="not empty"), new_folder(tmp_path / "out"):
        pass
    assert [p.name for p in tmp_path.iterdir()] == ["out"]
