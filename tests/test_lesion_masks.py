"""Lesion masks: what their numbers mean is never guessed in silence, whatever format they come in."""

import bz2
import gzip
import json
import re
import tracemalloc

import nibabel as nib
import nrrd
import numpy as np
import pytest
from phantoms import phantom_labels
from tests_support import accepted, refusal, said_once

from neuro_field.arrays import transformed
from neuro_field.errors import FileFormatError, InputError
from neuro_field.io.masks import read_mask
from neuro_field.mri.build import prepare_labels
from neuro_field.mri.drawn_lesion import drawn_lesion
from neuro_field.mri.lesion import place_lesion
from neuro_field.report.words import said

AFFINE = np.array([[-1.0, 0, 0, 10], [0, 2.0, 0, -20], [0, 0, 3.0, 5], [0, 0, 0, 1]])


def boxes(*numbers, shape=(12, 14, 16), dtype=np.int16):
    """Three separate boxes of 27, 8 and 8 voxels with given numbers."""
    image = np.zeros(shape, dtype=dtype)
    places = (slice(1, 4), slice(5, 7), slice(9, 11))
    for number, place in zip(numbers, places, strict=False):
        image[place, place, place] = number
    return image


def read_as(values, **more):
    drawn = accepted(lambda: drawn_lesion(values, AFFINE, **more))
    return drawn.tags, {found.code: found for found in drawn.findings}


def said_of(findings, code):
    assert code in findings, f"{code} is not said"
    return findings[code]


@pytest.mark.parametrize("number", [1, 255, True])
def test_a_plain_mask_is_a_cavity_and_nothing_is_said(number):
    tags, told = read_as(boxes(number))
    np.testing.assert_array_equal(tags, np.where(boxes(1) == 1, 21, 0))
    assert told == {}


@pytest.mark.parametrize("number", [2, 3, 100, 254])
def test_a_mask_of_any_one_number_is_a_cavity_and_that_is_said(number):
    tags, told = read_as(boxes(number))
    np.testing.assert_array_equal(tags, np.where(boxes(1) == 1, 21, 0))
    found = said_of(told, "lesion-numbers")
    assert (found.level, found.values["numbers"], found.values["pieces"]) == ("note", (number,), (1,))
    assert f"{number} (0.16 cm³, 1 piece)" in said(found)


def test_three_pieces_numbered_1_to_3_are_three_cavities_and_that_is_said_first():
    tags, told = read_as(boxes(1, 2, 3))
    assert set(np.unique(tags)) == {0, 21}
    found = said_of(told, "lesion-numbers")
    assert found.level == "warn"
    assert found.values["numbers"] == (1, 2, 3)
    assert found.values["cm3"] == pytest.approx((27 * 0.006, 8 * 0.006, 8 * 0.006))
    assert "21, 22 and 23" in said(found)


def test_21_to_23_are_kinds_and_other_numbers_beside_them_are_said():
    tags, told = read_as(boxes(23, 21, 22))
    np.testing.assert_array_equal(tags, boxes(23, 21, 22))
    assert told == {}
    tags, told = read_as(boxes(22, 7))
    np.testing.assert_array_equal(tags, boxes(22, 21))
    assert told["lesion-numbers"].values["numbers"] == (7,)


def test_pieces_counted_beyond_20_stay_pieces():
    image = np.zeros((60, 6, 6), dtype=np.uint8)
    for number in range(1, 26):
        image[2 * number : 2 * number + 1, 1:3, 1:3] = number
    tags, told = read_as(image)
    assert set(np.unique(tags)) == {0, 21}
    assert told["lesion-numbers"].values["more"] == 25 - 8


def test_nan_outside_is_outside_and_nan_within_is_refused():
    image = boxes(1, dtype=np.float32)
    image[6:] = np.nan
    tags, told = read_as(image)
    assert np.count_nonzero(tags) == 27
    assert told["lesion-blank"].values["share"] == pytest.approx(0.5)
    image[2, 2, 2] = np.nan
    with pytest.raises(InputError, match=r"1 voxels \(0\.01 cm3\) surrounded"):
        drawn_lesion(image, AFFINE)
    one = boxes(1, dtype=np.float32)
    one[-1, -1, -1] = np.nan
    assert read_as(one)[1] == {}


@pytest.mark.parametrize("scale", [1.0, 100.0, 255.0])
def test_shares_are_cut_at_a_half_and_what_hangs_on_it_is_said(scale):
    shares = np.zeros((20, 20, 20), dtype=np.float32)
    shares[2:18, 2:18, 2:18], shares[5:15, 5:15, 5:15], shares[7:13, 7:13, 7:13] = 0.3, 0.601, 0.997
    shares[7, 7, 7] = 1.0
    tags, told = read_as(shares * np.float32(scale))
    assert np.count_nonzero(tags) == 1000
    values = told["lesion-threshold"].values
    assert told["lesion-threshold"].level == "warn"
    assert values["threshold"] == 0.5 * scale
    assert (values["lower_cm3"], values["cm3"], values["higher_cm3"]) == pytest.approx((24.576, 6.0, 1.296))
    assert "6.0 cm³ (from" in said(told["lesion-threshold"])
    whole = np.arange(8000).reshape(20, 20, 20) % 101  # percent without fractions
    assert np.count_nonzero(read_as(whole)[0]) == np.count_nonzero(whole >= 50)


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (boxes(1) * 0.3, r"probability of 0\.5 somewhere; instead it reaches 0\.30"),
        (boxes(1) * 7.5, r"fractions up to 7\.5"),
        (boxes(-1), "no negative numbers; instead 27"),
        (np.where(boxes(1) > 0, np.inf, 0), "finite"),
        (np.full((4, 4, 4), np.nan), "at least one voxel"),
        (boxes(1)[0], "three-dimensional"),
        (boxes(70000, dtype=np.int32), "65535"),
    ],
)
def test_what_no_mask_can_be_is_refused_in_one_line(image, message):
    assert re.search(message, refusal(drawn_lesion, image, AFFINE))


def test_names_tell_kinds_and_names_that_tell_nothing_go_only_alone():
    tags, told = read_as(boxes(1, 2, 3), names={1: "acute infarct", 2: "Rim", 3: "background"})
    np.testing.assert_array_equal(tags, boxes(23, 22))
    assert told["lesion-named"].values["kinds"] == ("acute", "rim", "none")
    tags, _ = read_as(boxes(1, 2), names={1: "Segment_1", 2: "Segment_2"})
    np.testing.assert_array_equal(tags, boxes(21, 21))
    with pytest.raises(InputError, match="ventricle"):
        drawn_lesion(boxes(1, 2), AFFINE, {1: "cavity", 2: "ventricle"})
    assert "none for 2" in refusal(drawn_lesion, boxes(1, 2), AFFINE, {1: "cavity"})


def test_the_word_of_the_mask_reaches_the_head():
    labels, affine = phantom_labels(4.0)
    mask = np.zeros(labels.shape, dtype=np.uint8)
    mask[12:16, 20:26, 20:26] = 2
    record = prepare_labels(labels, affine, mask).record
    assert "lesion-numbers" in [row["code"] for row in record["findings"]]


def test_half_a_brain_goes_only_where_it_was_asked_for():
    labels, affine = phantom_labels(4.0)
    x = affine[0, 3] + 4.0 * np.arange(len(labels))
    half = np.isin(labels, (1, 2)) & (x < -4)[:, None, None]
    with pytest.raises(InputError, match=r"at most 40% of the brain; instead it takes 4\d%.*--large-lesion"):
        prepare_labels(labels, affine, half)
    placed = accepted(lambda: place_lesion(labels, affine, half, largest=0.6))
    assert [found.code for found in placed.findings] == ["lesion-large"]
    np.testing.assert_array_equal(placed.labels == 21, half)
    with pytest.raises(InputError, match="largest_lesion"):
        prepare_labels(labels, affine, half, largest_lesion=1.0)
    with pytest.raises(InputError, match="at most 75%"):
        place_lesion(labels, affine, np.isin(labels, (1, 2)), largest=0.75)


def test_what_lies_outside_is_told_in_cm3_even_where_it_is_a_small_share():
    labels, affine = phantom_labels(4.0)
    brain = np.argwhere(np.isin(labels, (1, 2)) & (np.indices(labels.shape)[0] < 16))
    mask = np.zeros(labels.shape, dtype=bool)
    mask[tuple(brain.T)] = True
    outside = np.argwhere(labels == 4)[:90]
    mask[tuple(outside.T)] = True
    told = {found.code: found for found in place_lesion(labels, affine, mask).findings}
    assert "lesion-clipped" in told
    assert told["lesion-clipped"].level == "note"
    assert told["lesion-clipped"].values["lost_cm3"] == pytest.approx(90 * 0.064)


def test_pieces_that_got_lost_are_counted():
    labels, affine = phantom_labels(4.0)
    mask = np.zeros(labels.shape, dtype=bool)
    mask[12:16, 20:26, 20:26] = True
    mask[tuple(np.argwhere(labels == 5)[0])] = True  # a voxel of scalp: a share of nothing
    found = said_once(place_lesion(labels, affine, mask).findings, "lesion-pieces-lost")
    assert (found.level, found.values["pieces"]) == ("warn", 1)
    assert found.values["cm3"] == pytest.approx(0.064)
    fine = affine @ np.diag([0.25, 0.25, 0.25, 1])
    small = np.zeros((80, 80, 80), dtype=bool)
    small[40:60, 60:80, 60:80], small[20, 50, 50] = True, True  # 1 mm between voxels of 4 mm
    fine[:3, 3] = affine[:3, 3] + 4 * np.array([8.1, 8.1, 8.1])
    codes = [found.code for found in place_lesion(labels, affine, small, fine).findings]
    assert codes == ["lesion-pieces-lost"]


# --- files


def saved_nifti(path, values=None):
    image = nib.Nifti1Image(boxes(1, 2) if values is None else values, AFFINE)
    image.set_sform(AFFINE, code=1)
    image.set_qform(AFFINE, code=1)
    nib.save(image, path)
    return path


def saved_nrrd(path, values, space="left-posterior-superior", affine=AFFINE, **more):
    signs = {"left-posterior-superior": (-1, -1, 1), "right-anterior-superior": (1, 1, 1)}[space]
    own = np.diag([*signs, 1.0]) @ affine
    directions = own[:3, :3].T
    kinds = ["domain"] * 3
    if values.ndim == 4:
        directions, kinds = np.vstack([np.full(3, np.nan), directions]), ["list", *kinds]
    header = {"space": space, "space directions": directions, "space origin": own[:3, 3], "kinds": kinds}
    nrrd.write(str(path), values, header | more, detached_header=path.suffix == ".nhdr")
    return path


def segments(*rows):
    """Slicer's fields for (name, number, layer)."""
    return {
        f"Segment{at}_{what}": str(value)
        for at, row in enumerate(rows)
        for what, value in zip(("Name", "LabelValue", "Layer"), row, strict=True)
    }


@pytest.mark.parametrize("space", ["left-posterior-superior", "right-anterior-superior"])
@pytest.mark.parametrize("encoding", ["raw", "gzip", "bzip2"])
def test_a_nrrd_lies_where_its_nifti_lies(tmp_path, space, encoding):
    values = boxes(21, 22)
    mask = read_mask(saved_nrrd(tmp_path / "m.nrrd", values, space, encoding=encoding))
    other = read_mask(saved_nifti(tmp_path / "m.nii.gz", values))
    np.testing.assert_array_equal(mask.image.values, other.image.values)
    np.testing.assert_allclose(mask.image.affine, other.image.affine, atol=1e-4)
    assert mask.names is None


def test_a_big_endian_nrrd_keeps_its_numbers(tmp_path):
    path = saved_nrrd(tmp_path / "m.nrrd", boxes(300).astype(">i2"), encoding="raw", endian="big")
    assert read_mask(path).image.values.max() == 300


def test_segments_tell_by_their_names(tmp_path):
    path = saved_nrrd(tmp_path / "s.seg.nrrd", boxes(4, 9), **segments(("gliotic rim", 4, 0), ("Cavity", 9, 0)))
    drawn = read_mask(path).drawn()
    np.testing.assert_array_equal(drawn.tags, boxes(22, 21))
    named = drawn.findings[0]
    assert "gliotic-rim as rim (0.16 cm³), Cavity as cavity (0.05 cm³)" in said(named)


def test_of_segments_that_overlap_the_cavity_wins(tmp_path):
    layers = np.stack([boxes(1), np.zeros_like(boxes(1))])
    layers[1, :3] = 1
    fields = segments(("cavity", 1, 0), ("rim", 1, 1))
    mask = read_mask(saved_nrrd(tmp_path / "s.seg.nrrd", layers, **fields))
    tags = mask.drawn().tags
    np.testing.assert_array_equal(tags == 21, boxes(1) == 1)
    np.testing.assert_array_equal(tags == 22, (layers[1] == 1) & (boxes(1) == 0))
    np.testing.assert_allclose(transformed(np.array([[1.0, 1, 1]]), mask.image.affine), [[9, -18, 8]])


def test_voxels_of_a_header_are_taken_from_beside_it_only(tmp_path):
    path = saved_nrrd(tmp_path / "m.nhdr", boxes(1))
    np.testing.assert_array_equal(read_mask(path).image.values, boxes(1))
    inside = tmp_path / "deeper"
    inside.mkdir()
    text = path.read_text()
    for name in ("../m.raw.gz", str(tmp_path / "m.raw.gz"), "LIST", "m%d.raw 1 2 1"):
        (inside / "m.nhdr").write_text(text.replace("data file: m.raw.gz", f"data file: {name}"))
        with pytest.raises(InputError, match="beside it"):
            read_mask(inside / "m.nhdr")


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda b: b.replace(b"space: left-posterior-superior\n", b""), InputError, "does not say where it lies"),
        (lambda b: b.replace(b"sizes: 12 14 16", b"sizes: 99999 99999 99999"), FileFormatError, "damaged"),
        (lambda b: b.replace(b"sizes: 12 14 16", b"sizes: 12 14 17"), FileFormatError, "truncated"),
        (lambda b: b[:-40], FileFormatError, "truncated|unpacked"),
        (lambda b: b.replace(b"type: int16", b"type: block"), FileFormatError, "no type of numbers"),
        (lambda b: b"NIFT" + b[4:], FileFormatError, "not a NRRD"),
        (lambda b: b.replace(b"encoding: gzip", b"encoding: hex"), InputError, "hex"),
        (lambda b: b.replace(b"dimension: 3", b"dimension 3"), FileFormatError, "damaged"),
    ],
)
def test_damaged_nrrd_files_get_one_line(tmp_path, change, error, message):
    path = saved_nrrd(tmp_path / "m.nrrd", boxes(1))
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(error, match=message) as caught:
        read_mask(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("encoding", "pack"), [("gzip", gzip.compress), ("bzip2", bz2.compress)])
def test_no_more_is_unpacked_than_the_header_tells(tmp_path, encoding, pack):
    path = saved_nrrd(tmp_path / "m.nrrd", boxes(1), encoding=encoding)
    head = path.read_bytes().partition(b"\n\n")[0]
    path.write_bytes(head + b"\n\n" + pack(boxes(1).tobytes(order="F") + bytes(200_000_000)))
    tracemalloc.start()
    values = read_mask(path).image.values
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    np.testing.assert_array_equal(values, boxes(1))
    assert most < 50e6


def test_a_voi_of_mricron_is_a_gzipped_nifti(tmp_path):
    saved_nifti(tmp_path / "m.nii.gz").rename(tmp_path / "m.voi")
    mask = accepted(read_mask, tmp_path / "m.voi")
    np.testing.assert_array_equal(mask.image.values, boxes(1, 2))
    np.testing.assert_allclose(mask.image.affine, AFFINE, atol=1e-4)
    assert mask.image.path == tmp_path / "m.voi"
    (tmp_path / "text.voi").write_text("FileVersion: 4\n")  # BrainVoyager's are text
    with pytest.raises(InputError, match="MRIcron"):
        read_mask(tmp_path / "text.voi")
    (tmp_path / "cut.voi").write_bytes((tmp_path / "m.voi").read_bytes()[:60])
    with pytest.raises(InputError, match=r"cut\.voi"):
        read_mask(tmp_path / "cut.voi")


@pytest.mark.parametrize("name", ["m.nii.gz", "m.voi"])
def test_a_mask_that_holds_no_numbers_outside_is_read(tmp_path, name):
    values = np.where(boxes(1) > 0, 1, np.nan).astype(np.float32)
    saved_nifti(tmp_path / "m.nii.gz", values).rename(tmp_path / name)
    np.testing.assert_array_equal(accepted(read_mask, tmp_path / name).drawn().tags, boxes(21))


def test_a_file_beside_the_mask_tells_what_its_numbers_mean(tmp_path):
    path = saved_nifti(tmp_path / "sub-1_lesion.nii.gz")
    beside = tmp_path / "sub-1_lesion.json"
    beside.write_text(json.dumps({"RawSources": ["T1"]}))
    assert read_mask(path).names is None
    beside.write_text(json.dumps({"lesion": {"1": "rim", "2": "cavity"}}))
    np.testing.assert_array_equal(read_mask(path).drawn().tags, boxes(22, 21))
    beside.write_text("{")
    with pytest.raises(FileFormatError, match=r"sub-1_lesion\.json"):
        read_mask(path)
    beside.unlink()
    (tmp_path / "sub-1_lesion.tsv").write_text("index\tname\n1\tacute\n2\trim\n")
    np.testing.assert_array_equal(read_mask(path).drawn().tags, boxes(23, 22))


def test_scaled_integers_are_what_they_mean(tmp_path):
    image = nib.Nifti1Image(boxes(255, dtype=np.uint8), AFFINE)
    image.set_sform(AFFINE, code=1)
    image.header.set_slope_inter(1 / 255, 0)
    nib.save(image, tmp_path / "m.nii")
    mask = read_mask(tmp_path / "m.nii")
    assert mask.image.values.dtype.kind == "f"
    assert mask.image.values.max() == pytest.approx(1)  # as rounding has it
    np.testing.assert_array_equal(mask.drawn().tags, boxes(21))
    assert mask.drawn().findings == ()
    rounded = boxes(1) * np.float32(1.0002)  # still a mask, not a map of probabilities
    assert read_as(rounded)[1] == {}


def test_files_that_are_no_masks_are_refused(tmp_path):
    for name, message in (("no.nii.gz", "does not exist"), ("m.png", "must be a file in one of")):
        if message != "does not exist":
            (tmp_path / name).write_bytes(b"x")
        with pytest.raises(InputError, match=message):
            read_mask(tmp_path / name)
