"""Diffusion tensors come out along the world's axes however programs wrote them; doubtful files are refused."""

import gzip

import nibabel as nib
import numpy as np
import pytest
from diffusion import (
    ORDERS,
    along_axes,
    directions,
    oblique,
    random_tensors,
    six,
    write_series,
    write_tensors,
)

import neuro_field as nf
from neuro_field.errors import FileFormatError, InputError
from neuro_field.io.gradient_files import read_gradients
from neuro_field.mri.tensor_axes import AXES, matrices
from neuro_field.report.words import said

SHAPE = (5, 4, 3)


@pytest.mark.parametrize("determinant", [1, -1])
@pytest.mark.parametrize("axes", AXES)
def test_a_series_gives_its_tensors_to_a_degree_and_a_percent(tmp_path, determinant, axes):
    affine = oblique(determinant)
    assert np.sign(np.linalg.det(affine)) == determinant
    tensors, values, vectors = random_tensors(SHAPE)
    found = nf.fit_tensors(*write_series(tmp_path, tensors, affine, axes), axes=axes)
    np.testing.assert_allclose(matrices(found.values), tensors, atol=1e-4 * tensors.max())
    own, along = np.linalg.eigh(matrices(found.values))
    np.testing.assert_allclose(own, values, rtol=1e-3)  # asked: 1 %
    cosines = np.abs((along * vectors).sum(axis=-2))
    assert np.degrees(np.arccos(np.clip(cosines, 0, 1))).max() < 0.1  # asked: 1 degree
    np.testing.assert_allclose(found.affine, affine, atol=1e-5)
    np.testing.assert_allclose(found.image.values, 1000.0, rtol=1e-5)


@pytest.mark.parametrize("determinant", [1, -1])
@pytest.mark.parametrize("axes", AXES)
@pytest.mark.parametrize("order", [*ORDERS, "nine"])
def test_tensors_of_every_order_and_axes_are_the_same_in_the_world(tmp_path, order, axes, determinant):
    affine = oblique(determinant)
    tensors = random_tensors(SHAPE, seed=3)[0]
    path = write_tensors(tmp_path / "T.nii.gz", tensors, affine, order, axes)
    found = nf.read_tensors(path, axes=axes)  # the order is found
    np.testing.assert_allclose(found.values, six(tensors), atol=1e-6 * tensors.max())
    assert found.findings == ()


def test_axes_that_are_not_said_are_those_of_the_order_or_asked_for(tmp_path):
    affine, tensors = oblique(1), random_tensors(SHAPE)[0]
    for order, axes in (("upper", "fsl"), ("diagonal", "world")):
        path = write_tensors(tmp_path / f"{order}.nii.gz", tensors, affine, order, axes)
        found = nf.read_tensors(path)
        np.testing.assert_allclose(found.values, six(tensors), atol=1e-6 * tensors.max())
        assert [each.code for each in found.findings] == ["tensor-axes-taken"]
        assert "if that is wrong, say --tensor-axes" in said(found.findings[0])
    for order in ("lower", "nine"):
        path = write_tensors(tmp_path / f"{order}.nii.gz", tensors, affine, order, "voxel")
        with pytest.raises(InputError, match="does not tell along which axes"):
            nf.read_tensors(path)


def test_another_order_than_the_one_said_is_refused(tmp_path):
    path = write_tensors(tmp_path / "T.nii.gz", random_tensors(SHAPE)[0], oblique(-1), "diagonal", "world")
    with pytest.raises(InputError, match=r"do not stand in the order upper.*they look like diagonal"):
        nf.read_tensors(path, order="upper")
    with pytest.raises(InputError, match="order of read_tensors must be one of"):
        nf.read_tensors(path, order="fsl")


@pytest.mark.parametrize("order", [None, "upper"])
def test_numbers_that_are_hardly_ever_a_tensor_are_refused(tmp_path, order):
    """One voxel in ten holds one, which tells the order; the rest is noise."""
    values = np.random.default_rng(3).normal(0, 1e-3, (*SHAPE, 6)).astype(np.float32)
    values[..., [0, 3, 5]] = -np.abs(values[..., [0, 3, 5]])
    good = six(random_tensors(SHAPE)[0])
    values.reshape(-1, 6)[::10] = good.reshape(-1, 6)[::10]
    nib.save(nib.Nifti1Image(values, oblique(1)), tmp_path / "T.nii.gz")
    with pytest.raises(InputError, match=r"must hold diffusion tensors, which are positive; instead .* upper 1\d%"):
        nf.read_tensors(tmp_path / "T.nii.gz", order=order)


@pytest.mark.parametrize("ending", ["bval", "bvec"])
def test_gradients_beyond_all_numbers_are_refused(tmp_path, ending):
    write_series(tmp_path, random_tensors((4, 4, 4))[0], oblique(1))
    path = tmp_path / f"dwi.{ending}"
    words = path.read_text().split()
    path.write_text(path.read_text().replace(words[-1], "1e200", 1))
    with pytest.raises(InputError, match=r"must be numbers up to 1e\+09; instead \d+ are beyond"):
        nf.fit_tensors(tmp_path / "dwi.nii.gz", tmp_path / "dwi.bval", tmp_path / "dwi.bvec")


def test_signals_that_are_no_numbers_are_lost_without_a_warning(tmp_path):
    """A signalling NaN, as damage makes one, is a NaN."""
    write_series(tmp_path, random_tensors((4, 4, 4))[0], oblique(1))
    image = nib.load(tmp_path / "dwi.nii.gz")
    values = np.asarray(image.dataobj).astype(np.float32)
    values.view(np.uint32)[1, 1, 1, 5] = 0x7F800001
    nib.save(nib.Nifti1Image(values, image.affine), tmp_path / "dwi.nii.gz")
    found = nf.fit_tensors(tmp_path / "dwi.nii.gz", tmp_path / "dwi.bval", tmp_path / "dwi.bvec")
    assert np.isfinite(found.values).all()


def test_an_order_that_nothing_tells_is_asked_for(tmp_path):
    values = np.full((*SHAPE, 6), 0.7e-3, dtype=np.float32)  # alike in every order, and positive in none
    nib.save(nib.Nifti1Image(values, oblique(1)), tmp_path / "T.nii.gz")
    with pytest.raises(InputError, match=r"The order of the six numbers in .* is not known"):
        nf.read_tensors(tmp_path / "T.nii.gz")


def _changed(path, change):
    image = nib.load(path)
    values = image.get_fdata(dtype=np.float32)
    change(values)
    nib.save(nib.Nifti1Image(values, image.affine), path)
    return path


def _infinite(values):
    values[0, 0, 0] = np.inf


def _part(values):
    values[0, 0, :2, 4] = np.nan


def _asymmetric(values):
    values[1, 1, 1:, 1] += 2e-4


@pytest.mark.parametrize(
    ("order", "change", "words"),
    [
        ("upper", _infinite, "0 are NaN in part and 1 infinite"),
        ("upper", _part, "2 are NaN in part and 0 infinite"),
        ("nine", _asymmetric, "must be symmetric; instead 2 are not"),
    ],
)
def test_tensors_that_are_none_are_refused_with_their_count(tmp_path, order, change, words):
    path = write_tensors(tmp_path / "T.nii.gz", random_tensors(SHAPE)[0], oblique(1), order, "fsl")
    with pytest.raises(InputError, match=words):
        nf.read_tensors(_changed(path, change), axes="fsl")


def test_voxels_of_zeros_and_of_nan_hold_no_tensor(tmp_path):
    path = write_tensors(
        tmp_path / "T.nii.gz", random_tensors(SHAPE)[0], np.diag([2.0, 2, 2, 1]) + 1e-3, "upper", "fsl"
    )

    def change(values):
        values[0], values[1] = 0.0, np.nan

    found = nf.read_tensors(_changed(path, change), axes="fsl")
    rows = np.array([[0, 1, 1, 1], [1, 1, 1, 1], [2, 1, 1, 1], [3, 1, 1, 1]], dtype=float) @ found.affine.T
    assert np.isnan(found.at(rows[:, :3])).all(axis=(1, 2)).tolist() == [True, True, False, False]


def _header_that_claims(path, shape):
    header = nib.Nifti1Header()
    header.set_data_dtype(np.float32)
    header.set_data_shape(shape)
    header.set_sform(oblique(1), code=1)
    header["vox_offset"], header["magic"] = 352, b"n+1"
    with gzip.open(path, "wb") as file:
        file.write(header.binaryblock + b"\0" * 4 + b"\0" * 1000)
    return path


def test_a_header_that_claims_more_than_its_file_holds_is_refused_before_memory_is_taken(tmp_path):
    path = _header_that_claims(tmp_path / "T.nii.gz", (400, 400, 400, 6))
    with pytest.raises(FileFormatError, match="more than its file can hold"):
        nf.read_tensors(path, axes="fsl")
    path = _header_that_claims(tmp_path / "dwi.nii.gz", (600, 600, 600, 60))
    (tmp_path / "bval").write_text(" ".join(["0"] + ["1000"] * 59))
    np.savetxt(tmp_path / "bvec", np.concatenate([np.zeros((1, 3)), directions(59)]).T)
    with pytest.raises(FileFormatError, match="more than its file can hold"):
        nf.fit_tensors(path, tmp_path / "bval", tmp_path / "bvec")


def test_a_series_that_ends_within_its_voxels_is_refused(tmp_path):
    dwi, bval, bvec = write_series(tmp_path, random_tensors(SHAPE)[0], oblique(1))
    dwi.write_bytes(gzip.compress(gzip.decompress(dwi.read_bytes())[:-40]))
    with pytest.raises(FileFormatError, match="truncated"):
        nf.fit_tensors(dwi, bval, bvec)


@pytest.mark.parametrize("shape", [(5, 4, 3), (5, 4, 3, 5), (5, 4, 3, 2, 6)])
def test_images_that_are_no_tensors_are_refused(tmp_path, shape):
    nib.save(nib.Nifti1Image(np.ones(shape, dtype=np.float32), oblique(1)), tmp_path / "T.nii.gz")
    with pytest.raises(InputError, match="six or nine numbers per voxel; instead its shape is"):
        nf.read_tensors(tmp_path / "T.nii.gz", axes="fsl")


# --- b-values and b-vectors -------------------------------------------------------------------------------------------

B = np.array([0.0, 5.0, *[1000.0] * 8])
WAYS = np.concatenate([np.zeros((2, 3)), directions(8)])


def _written(folder, b=None, ways=None, **options):
    np.savetxt(folder / "bval", B[None] if b is None else b, fmt="%g", **options)
    np.savetxt(folder / "bvec", WAYS.T if ways is None else ways, fmt="%.6f", **options)
    return folder / "bval", folder / "bvec"


@pytest.mark.parametrize("column", [False, True])
@pytest.mark.parametrize("delimiter", [" ", "\t", ",", ", "])
def test_rows_and_columns_say_the_same(tmp_path, column, delimiter):
    files = _written(
        tmp_path, B[:, None] if column else B[None], WAYS if column else WAYS.T, delimiter=delimiter, newline="\r\n"
    )
    for file in files:
        file.write_bytes(b"\xef\xbb\xbf# a remark\r\n" + file.read_bytes() + b"\r\n")
    found = read_gradients(*files, len(B))
    np.testing.assert_allclose(found.b, B)
    np.testing.assert_allclose(found.directions, WAYS, atol=2e-6)
    np.testing.assert_allclose(np.linalg.norm(found.directions[2:], axis=1), 1, atol=1e-12)


def test_what_stands_for_the_direction_of_no_weighting_does_not_matter(tmp_path):
    ways = WAYS.copy()
    ways[0], ways[1] = np.nan, 1.0
    assert not read_gradients(*_written(tmp_path, ways=ways.T), len(B)).directions[:2].any()


def _scaled(ways):
    ways[4] *= 0.7


def _lost(ways):
    ways[5] = np.nan


def _mean(ways):
    ways[6] = 0.0


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (_scaled, "1 of 8 have not, the first is number 5 with b = 1000 and length 0.7"),
        (_lost, "the first is number 6 with b = 1000 and length nan"),
        (_mean, "the first is number 7 with b = 1000 and length 0"),
    ],
)
def test_vectors_not_of_length_one_are_refused(tmp_path, change, words):
    ways = WAYS.copy()
    change(ways)
    with pytest.raises(InputError, match=words):
        read_gradients(*_written(tmp_path, ways=ways.T), len(B))


@pytest.mark.parametrize(
    ("b", "ways", "words"),
    [
        (B[None, :-1], None, "of 10 images must have as many .* holds 9 and .* 10"),
        (None, WAYS[:-2].T, "of 10 images must have as many .* holds 10 and .* 8"),
        (B[None] / 1000, None, "the largest 100 to 50000; instead it is 1"),
        (-B[None], None, "instead 9 of 10 are not"),
        (np.tile(B, (2, 1)), None, "one row or one column; instead they are 2 rows of 10"),
        (None, np.column_stack([WAYS, B]), "10 rows of 4 .a gradient table of MRtrix"),
    ],
)
def test_tables_that_do_not_agree_are_refused(tmp_path, b, ways, words):
    with pytest.raises(InputError, match=words):
        read_gradients(*_written(tmp_path, b, ways), len(B))


@pytest.mark.parametrize("text", ["0 0 1\n0 1\n", "0 one 1\n", "\n\n", ""])
def test_tables_without_numbers_are_refused(tmp_path, text):
    bval, bvec = _written(tmp_path)
    bval.write_text(text)
    with pytest.raises(FileFormatError, match=r"b-values .* must be"):
        read_gradients(bval, bvec, len(B))


# --- fitting ----------------------------------------------------------------------------------------------------------


def test_directions_that_determine_no_tensor_are_refused(tmp_path):
    tensors, affine = random_tensors(SHAPE)[0], oblique(1)
    files = write_series(tmp_path, tensors, affine, unweighted=0)
    with pytest.raises(InputError, match="20 images along 20 directions determine no tensor"):
        nf.fit_tensors(*files)  # one b-value alone
    ways = np.concatenate([np.zeros((2, 3)), directions(20)]) * [1, 1, 0]
    ways[2:] /= np.linalg.norm(ways[2:], axis=1, keepdims=True)
    files = write_series(tmp_path, tensors, affine)
    np.savetxt(files[2], ways.T)
    with pytest.raises(InputError, match="determine no tensor"):
        nf.fit_tensors(*files)  # all in one plane


def test_strong_weighting_is_left_out_where_the_rest_is_enough(tmp_path):
    affine = oblique(-1)
    tensors = random_tensors(SHAPE)[0]
    dwi, bval, bvec = write_series(tmp_path, tensors, affine, count=30)
    b = np.loadtxt(bval)
    image = nib.load(dwi)
    values = image.get_fdata(dtype=np.float32)
    b[-10:] = 3000.0  # and a signal that no tensor has
    values[..., -10:] = 500.0
    nib.save(nib.Nifti1Image(values, affine), dwi)
    np.savetxt(bval, b[None])
    found = nf.fit_tensors(dwi, bval, bvec)
    np.testing.assert_allclose(matrices(found.values), tensors, atol=1e-4 * tensors.max())
    assert dict(found.findings[0].values) == {"used": 22, "images": 32, "strongest": 1000.0}
    np.savetxt(bval, np.where(b > 0, 2500.0, 0.0)[None])
    assert [each.code for each in nf.fit_tensors(dwi, bval, bvec).findings] == [
        "tensor-fitted",
        "tensor-strong-weighting",
    ]


def test_the_fit_is_that_of_dipy(tmp_path):
    dti = pytest.importorskip("dipy.reconst.dti")
    gradient_table = pytest.importorskip("dipy.core.gradients").gradient_table
    affine = np.diag([-2.0, 2, 2, 1])  # where FSL's axes are the voxels'
    affine[:3, 3] = 7, -5, 3
    dwi, bval, bvec = write_series(tmp_path, random_tensors(SHAPE)[0], affine)
    image = nib.load(dwi)
    rng = np.random.default_rng(5)
    noisy = np.abs(image.get_fdata(dtype=np.float32) + rng.normal(0, 20, image.shape)).astype(np.float32)
    nib.save(nib.Nifti1Image(noisy, affine), dwi)
    table = gradient_table(np.loadtxt(bval), bvecs=np.loadtxt(bvec).T)
    theirs = dti.TensorModel(table, fit_method="WLS").fit(noisy).quadratic_form
    ours = along_axes(np.swapaxes(matrices(nf.fit_tensors(dwi, bval, bvec).values), -1, -2), "voxel", affine)
    ours = along_axes(np.swapaxes(ours, -1, -2), "voxel", affine)
    off = np.linalg.norm(ours - theirs, axis=(-2, -1)) / np.linalg.norm(theirs, axis=(-2, -1))
    assert np.median(off) < 0.01  # both weigh; by the measured and by the fitted signals first
    assert off.max() < 0.05
