"""No file takes much more memory than its header owns up to, and what owns up to too much is refused unread."""

import gzip
import json
import struct
import tracemalloc

import nibabel as nib
import numpy as np
import pytest
from nibabel.arrayproxy import ArrayProxy

from neuro_field.errors import FileFormatError, InputError
from neuro_field.io import image_limits, json_text, m2m, msh_sections
from neuro_field.io.image_limits import storable
from neuro_field.io.images import read_image, read_labels, read_vectors, write_image
from neuro_field.io.msh import read_msh
from neuro_field.navigation.ant import read_ant
from neuro_field.navigation.nibs_bids import _check_frame, _matrix
from neuro_field.shelf.coils import read_coil

AFFINE = np.diag([2.0, 2.0, 2.0, 1.0]) + np.outer([-9.0, -8.0, -7.0, 0.0], [0, 0, 0, 1])


@pytest.fixture
def unread(monkeypatch):
    """No voxel may be read."""

    def read(self, *given, **how):
        raise AssertionError("voxels were read")

    for way in ("get_unscaled", "__array__"):
        monkeypatch.setattr(ArrayProxy, way, read)


def saved(path, values, slope=None, inter=0.0):
    image = nib.Nifti1Image(values, AFFINE, dtype=values.dtype)
    image.set_sform(AFFINE, code=1)
    if slope is not None:
        image.header.set_slope_inter(slope, inter)
    nib.save(image, path)
    return path


def peak_of(read, path):
    """Most bytes that reading took."""
    tracemalloc.start()
    try:
        read(path)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_numbers_that_are_not_real_are_refused_unread(tmp_path, unread):
    path = saved(tmp_path / "a.nii.gz", np.zeros((8, 8, 8), np.complex64))
    with pytest.raises(InputError, match="real numbers; instead it holds complex64"):
        read_image(path)


@pytest.mark.parametrize(("slope", "most"), [(0.5, 4 * 4096), (None, 4096)])
def test_an_image_is_weighed_as_it_will_be_kept_and_refused_unread(tmp_path, monkeypatch, unread, slope, most):
    path = saved(tmp_path / "a.nii.gz", np.zeros((16, 16, 16), np.uint8), slope)
    monkeypatch.setattr(image_limits, "MOST_BYTES", most - 1)
    for read in (read_image, read_labels):
        with pytest.raises(InputError, match="of memory; at most"):
            read(path)
    vectors = saved(tmp_path / "v.nii.gz", np.zeros((16, 16, 16, 3), np.uint8), slope)
    with pytest.raises(InputError, match="of memory; at most"):
        read_vectors(vectors)


@pytest.mark.parametrize("ending", [".nii", ".nii.gz"])
def test_a_header_that_claims_more_than_its_file_can_hold_is_refused_unread(tmp_path, unread, ending):
    path = saved(tmp_path / f"a{ending}", np.zeros((8, 8, 8), np.int16))
    raw = bytearray((gzip.decompress if ending == ".nii.gz" else bytes)(path.read_bytes()))
    raw[42:48] = np.array([500, 500, 500], dtype="<i2").tobytes()
    path.write_bytes(gzip.compress(bytes(raw)) if ending == ".nii.gz" else bytes(raw))
    with pytest.raises(FileFormatError, match="claims 250 MB, more than its file can hold"):
        read_image(path)


def with_additions(path, begin, length):
    """A NIfTI whose voxels begin at ``begin`` and whose first addition to the header claims ``length`` bytes."""
    raw = bytearray(gzip.decompress(saved(path, np.zeros((8, 8, 8), np.int16)).read_bytes()))
    raw[108:112] = struct.pack("<f", begin)
    raw[348:352] = b"\1\0\0\0"
    raw[352:360] = struct.pack("<ii", length, 4)
    path.write_bytes(gzip.compress(bytes(raw)))
    return path


@pytest.mark.parametrize(
    ("begin", "length", "words"),
    [
        (2e9, 32, "its voxels would begin"),
        *((1000, length, "an addition to its header") for length in (2_000_000_000, -8, 0)),
    ],
)
def test_what_stands_before_the_voxels_cannot_fill_the_memory(tmp_path, monkeypatch, begin, length, words):
    path = with_additions(tmp_path / "a.nii.gz", begin, length)
    monkeypatch.setattr(nib, "load", lambda path: pytest.fail("was opened"))
    for read in (read_image, read_coil):
        with pytest.raises(FileFormatError, match=f"is damaged: {words}"):
            read(path)


def test_an_honest_addition_to_a_header_is_no_obstacle(tmp_path):
    image = nib.Nifti1Image(np.ones((8, 8, 8), np.int16), AFFINE)
    image.set_sform(AFFINE, code=1)
    image.header.extensions.append(nib.nifti1.Nifti1Extension("comment", b"a scanner's own words"))
    for kind, name in ((nib.Nifti1Image, "a.nii.gz"), (nib.Nifti2Image, "b.nii")):
        nib.save(kind.from_image(image), tmp_path / name)
        assert read_image(tmp_path / name).values.sum() == 512


def test_an_mgz_that_claims_too_much_is_refused_before_it_is_unpacked(tmp_path, monkeypatch):
    path = tmp_path / "a.mgz"
    nib.save(nib.MGHImage(np.zeros((8, 8, 8), np.int16), AFFINE), path)
    raw = bytearray(gzip.decompress(path.read_bytes()))
    raw[4:16] = struct.pack(">3i", 20000, 20000, 20000)
    path.write_bytes(gzip.compress(bytes(raw)))
    monkeypatch.setattr(nib, "load", lambda path: pytest.fail("was opened"))
    with pytest.raises(FileFormatError, match="claims"):
        read_image(path)


def test_scaled_numbers_are_kept_in_single_precision_beside_the_stored_ones(tmp_path):
    values = np.arange(100**3, dtype=np.int16).reshape(100, 100, 100)
    path = saved(tmp_path / "a.nii.gz", values, 0.25, -3.0)
    image = read_image(path)
    assert image.values.dtype == np.float32
    np.testing.assert_allclose(image.values, values * 0.25 - 3.0, rtol=1e-6)
    assert peak_of(read_image, path) < 9e6  # 2 MB as stored, 4 MB as kept; in double precision and copied it was 20


@pytest.mark.parametrize("dtype", [np.int64, np.uint64])
def test_a_t1_of_64_bit_numbers_is_read_as_what_can_be_written(tmp_path, dtype):
    values = np.arange(512, dtype=dtype).reshape(8, 8, 8)
    image = read_image(saved(tmp_path / "a.nii.gz", values))
    assert image.values.dtype == np.int32
    write_image(tmp_path / "b.nii.gz", image.values, image.affine)
    np.testing.assert_array_equal(read_image(tmp_path / "b.nii.gz").values, values)
    large = read_image(saved(tmp_path / "c.nii.gz", values + dtype(2**40))).values
    assert large.dtype == np.float64
    np.testing.assert_array_equal(large, values + float(2**40))


@pytest.mark.parametrize("dtype", [bool, np.int8, np.uint32, np.int64, np.uint64, np.float16, np.longdouble])
def test_numbers_of_any_type_can_be_written(tmp_path, dtype):
    values = (np.arange(64) % 2).astype(dtype).reshape(4, 4, 4)
    try:
        write_image(tmp_path / "a.nii", values, AFFINE)
    except Exception as error:
        raise AssertionError(f"{dtype} was not written") from error
    np.testing.assert_array_equal(read_image(tmp_path / "a.nii").values, values.astype(float))
    assert storable(np.zeros(0, np.int64)).dtype == np.int32


@pytest.mark.parametrize("text", ["[" + "{}," * 200 + "{}]", '{"a": [' + "0," * 200 + "0]}"])
def test_json_of_too_many_items_is_refused_before_it_is_read(tmp_path, monkeypatch, text):
    monkeypatch.setattr(json_text, "MOST_ITEMS", 100)
    monkeypatch.setattr(json_text.json, "loads", lambda text: pytest.fail("was read"))
    (tmp_path / "a.tcd").write_text(text)
    with pytest.raises(FileFormatError, match=r"a\.tcd is not a \.tcd file \(JSON\): it holds 0 million items"):
        read_coil(tmp_path / "a.tcd")
    with pytest.raises(FileFormatError, match="is no sound JSON: it holds"):
        read_ant(text, "here")
    with pytest.raises(FileFormatError, match="is no sound JSON: it holds"):
        _check_frame(text, "here")
    with pytest.raises(FileFormatError, match="4x4"):
        _matrix(text)


def test_deeply_nested_json_is_refused_in_one_line():
    for text in ("[" * 100_000, '{"a":' * 100_000, "9" * 10_000):
        try:
            json_text.parsed(text)
        except FileFormatError as error:
            said = str(error)
        except (RecursionError, ValueError) as error:
            raise AssertionError("not refused by our own error") from error
        assert "\n" not in said
    assert json_text.parsed(json.dumps({"a": [1]})) == {"a": [1]}


def ascii_mesh(path, nodes=20_000):
    lines = ["$MeshFormat", "2.2 0 8", "$EndMeshFormat", "$Nodes", str(nodes)]
    lines += [f"{n + 1} {n % 7}.5 {n % 5}.25 {n % 3}.125" for n in range(nodes)]
    lines += ["$EndNodes", "$Elements", str(nodes)]
    lines += [f"{n + 1} 4 2 1 1 {n % 900 + 1} {n % 900 + 2} {n % 900 + 3} {n % 900 + 4}" for n in range(nodes)]
    path.write_text("\n".join([*lines, "$EndElements\n"]))
    return path


def test_a_mesh_as_text_is_taken_apart_piece_by_piece(tmp_path, monkeypatch):
    path = ascii_mesh(tmp_path / "a.msh")
    whole = msh_sections.read_sections(path)
    monkeypatch.setattr(msh_sections, "_PIECE", 10_000)
    again = msh_sections.read_sections(path)
    for name in ("node_numbers", "nodes", "tetrahedra", "tags"):
        np.testing.assert_array_equal(getattr(again, name), getattr(whole, name))
    assert again.nodes.shape == (20_000, 3)
    size = path.stat().st_size
    assert peak_of(msh_sections.read_sections, path) < 6 * size  # words of all lines at once took 17 times


def test_a_mesh_too_large_for_memory_is_refused_unread(tmp_path, monkeypatch):
    path = ascii_mesh(tmp_path / "a.msh", 10)
    monkeypatch.setattr(msh_sections, "MOST_FILE_BYTES", path.stat().st_size - 1)
    with pytest.raises(FileFormatError, match="are read"):
        read_msh(path)


def test_of_a_matrix_file_no_more_is_read_than_a_matrix_has(tmp_path):
    from neuro_field.geometry.mesh import TetMesh

    path = tmp_path / "MNI2conform_12DOF.txt"
    path.write_text("0 0 0 0\n" * 200_000)
    nodes = np.array([[0, 0, 0], [90, 0, 0], [0, 90, 0], [0, 0, 90.0]])
    mesh = TetMesh(nodes, np.array([[0, 1, 2, 3]]), np.array([5]))

    def read(path):
        with pytest.raises(FileFormatError, match="4x4"):
            m2m._own_affine(path, mesh)

    assert peak_of(read, path) < 2e6
