"""Coil files: units and frames as written, round trips, damage named by file and place."""

import base64
import json
import tracemalloc
import zlib
from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from tests_support import accepted

from neuro_field.coil.coil import Coil
from neuro_field.coil.sources import Grid, Segments
from neuro_field.coil.stimulator import Stimulator, Waveform
from neuro_field.coil.winding import Winding
from neuro_field.errors import FileFormatError, InputError
from neuro_field.geometry.mesh import Surface
from neuro_field.io import tcd
from neuro_field.io.stl import read_stl, stl_bytes
from neuro_field.shelf.coils import read_coil, write_coil

SHARED = Path(__file__).parents[2] / "shared" / "data" / "coils"
WINDING = Winding((30.0, 40.0), (6.0,), ((-45.0, -1), (45.0, 1)))
WAVE = Waveform("biphasic", np.linspace(0, 1, 5), np.sin(np.linspace(0, 6, 5)), np.zeros(5))
COIL = Coil(
    "figure-8",
    (WINDING.dipoles(),),
    1.2e8,
    WINDING.casing(),
    (Stimulator("generator", "maker", 1.2e8, (WAVE,)),),
    {"maker": "maker"},
)
POINTS = np.random.default_rng(3).uniform(-40, 40, (9, 3)) + np.array([0, 0, 60])
CCD = """# test.ccd version 1.0 number of elements; dIdtmax=114.73;x=-300,300;stimulator=Rapid;brand=Maker;coilname=T;
2
# centers and weighted directions of the elements (magnetic dipoles)
-4.5e-02 0 -6.5e-03 0 0 -1e-2
4.5e-02 0 -6.5e-03 0 0 1e-2
"""


def written(tmp_path, name, text):
    path = tmp_path / name
    path.write_text(text) if isinstance(text, str) else path.write_bytes(text)
    return path


def packed(array):
    return base64.b64encode(zlib.compress(np.ascontiguousarray(array).tobytes())).decode()


def test_ccd_metres_become_millimetres_and_microseconds_seconds(tmp_path):
    coil = read_coil(written(tmp_path, "test.ccd", CCD))
    positions, moments = coil.dipoles
    np.testing.assert_allclose(positions, [[-45, 0, -6.5], [45, 0, -6.5]])
    np.testing.assert_allclose(moments[:, 2], [-0.01, 0.01])
    assert coil.didt_max == pytest.approx(114.73e6)
    assert (coil.name, coil.provenance["maker"], coil.stimulators[0].name) == ("T", "Maker", "Rapid")
    np.testing.assert_allclose(coil.initial_e_direction, [0, 1, 0], atol=1e-12)


def test_ccd_header_keys_are_optional(tmp_path):
    bare = "# any.ccd version 1.0 number of elements\n1\n0 0 -0.01 0 0 1e-3\n"
    coil = read_coil(written(tmp_path, "bare.ccd", bare))
    assert (coil.name, coil.didt_max, coil.casing, len(coil.dipoles[0])) == ("bare", None, None, 1)


@pytest.mark.parametrize("ending", [".ccd", ".tcd"])
def test_written_coil_is_read_back(tmp_path, ending):
    path = tmp_path / f"coil{ending}"
    write_coil(COIL, path)
    again = read_coil(path)
    np.testing.assert_allclose(again.dadt(POINTS), COIL.dadt(POINTS), rtol=1e-12, atol=1e-15)
    assert (again.name, again.didt_max) == (COIL.name, pytest.approx(COIL.didt_max, rel=1e-15))
    assert again.provenance["maker"] == "maker"
    assert again.stimulators[0].name == "generator"
    # .stl holds single precision and joins equal corners
    np.testing.assert_allclose(again.casing.points.max(axis=0), COIL.casing.points.max(axis=0), rtol=1e-6)
    assert again.casing.areas.sum() == pytest.approx(COIL.casing.areas.sum(), rel=1e-6)
    leftovers = {p.name for p in tmp_path.iterdir()} - {"coil.ccd", "coil.stl", "coil.tcd", "coil.tsv"}
    assert not leftovers
    (wave,) = again.stimulators[0].waveforms
    for what in ("time", "signal", "fit"):
        np.testing.assert_array_equal(getattr(wave, what), getattr(WAVE, what))


def test_tcd_keeps_elements_stimulators_and_waveforms(tmp_path):
    wire = WINDING.wires(12)
    sampled = Grid(np.random.default_rng(0).normal(size=(5, 4, 6, 3)), _affine())
    coil = Coil(
        "three",
        (WINDING.dipoles(), Segments(wire.starts, wire.ends, wire.currents, 1), sampled),
        1e8,
        stimulators=(Stimulator("a", didt_max=1e8, waveforms=(WAVE,)), Stimulator("b", "m", 2e8)),
    )
    write_coil(coil, tmp_path / "three.tcd")
    again = read_coil(tmp_path / "three.tcd")
    np.testing.assert_allclose(again.dadt(POINTS), coil.dadt(POINTS), rtol=1e-12)
    assert [type(e).__name__ for e in again.elements] == ["Dipoles", "Segments", "Grid"]
    assert [e.stimulator for e in again.elements] == [0, 1, 0]
    assert [s.didt_max for s in again.stimulators] == [1e8, 2e8]
    np.testing.assert_array_equal(again.stimulators[0].waveforms[0].signal, WAVE.signal)


def _affine():
    out = np.diag([30.0, 40.0, 30.0, 1.0])
    out[:3, 3] = -60, -60, 0
    return out


def element(**keys):
    return {"type": 1, "points": [[0, 0, -10.0]], "values": [[0, 0, 1e-2]]} | keys


def test_tcd_packed_arrays_are_the_plain_ones(tmp_path):
    positions, moments = COIL.dipoles
    content = {"coilElementList": [element(points=packed(positions), values=packed(moments))]}
    coil = read_coil(written(tmp_path, "packed.tcd", json.dumps(content)))
    np.testing.assert_array_equal(coil.dipoles[0], positions)
    np.testing.assert_array_equal(coil.dipoles[1], moments)


def test_tcd_motions_are_applied_at_their_initial_values(tmp_path):
    content = {
        "coilElementList": [element(deformations=[0, 1])],
        "deformRangeList": [{"initial": 90.0, "range": [0, 90]}, {"initial": 5.0, "range": [0, 9]}],
        "deformList": [
            {"deformRange": 0, "type": "rot2p", "point1": [0, 0, 0], "point2": [1, 0, 0]},
            {"deformRange": 1, "type": "z"},
        ],
    }
    coil = read_coil(written(tmp_path, "moved.tcd", json.dumps(content)))
    # 90 degrees about +x carries (0, 0, -10) to (0, 10, 0), then 5 mm up
    np.testing.assert_allclose(coil.dipoles[0], [[0, 10, 5]], atol=1e-12)
    np.testing.assert_allclose(coil.dipoles[1], [[0, -1e-2, 0]], atol=1e-12)


SWING = {
    "coilElementList": [element(deformations=[0], elementCasing=0), element(deformations=[1])],
    "coilModels": [{"points": (30 * np.eye(3)).tolist(), "faces": [[0, 1, 2]]}],
    "deformRangeList": [{"initial": 0.0, "range": [-10, 90]}, {"initial": 5.0, "range": [0, 9]}],
    "deformList": [
        {"deformRange": 0, "type": "rot2p", "point1": [0, 0, 0], "point2": [0, 0, 1]},
        {"deformRange": 1, "type": "x"},
    ],
}


def test_tcd_motions_are_set_by_parameter(tmp_path):
    path = written(tmp_path, "swing.tcd", json.dumps(SWING))
    np.testing.assert_allclose(read_coil(path).dipoles[0], [[0, 0, -10], [5, 0, -10]], atol=1e-12)
    coil = read_coil(path, motions=[90.0, 2.0])
    np.testing.assert_allclose(coil.dipoles[0], [[0, 0, -10], [2, 0, -10]], atol=1e-12)
    np.testing.assert_allclose(coil.casing.points, [[0, 30, 0], [-30, 0, 0], [0, 0, 30]], atol=1e-12)  # moves along
    assert coil.provenance["motions"] == [
        {"value": 90.0, "low": -10.0, "high": 90.0},
        {"value": 2.0, "low": 0.0, "high": 9.0},
    ]


def test_motions_beyond_their_range_are_refused(tmp_path):
    path = written(tmp_path, "swing.tcd", json.dumps(SWING))
    for motions, message in (([91, 0], "Motion 0 must be -10 to 90; instead received 91"), ([1], "2 values"),
                             ([0, float("nan")], "Motion 1")):  # fmt: skip
        with pytest.raises(InputError, match=message):
            read_coil(path, motions=motions)
    with pytest.raises(InputError, match=r"\.tcd file"):
        read_coil(written(tmp_path, "test.ccd", CCD), motions=[1])
    backwards = SWING | {"deformRangeList": [{"range": [5, 1]}, {"initial": 0}]}
    refused(written(tmp_path, "bad.tcd", json.dumps(backwards)), r"deformRangeList\[0\].range must be")


def test_packed_grid_is_unpacked_by_the_limits_of_the_file(tmp_path):
    data = np.random.default_rng(0).normal(size=(5, 4, 6, 3))
    grid = {"type": 3, "data": packed(data), "affine": _affine().tolist()}
    limits = {"limits": [[-60, 60], [-60, 60], [0, 150]], "resolution": [30, 40, 30]}
    coil = read_coil(written(tmp_path, "packed.tcd", json.dumps({"coilElementList": [grid]} | limits)))
    np.testing.assert_array_equal(coil.elements[0].data, data)
    refused(written(tmp_path, "a.tcd", json.dumps({"coilElementList": [grid]})), "must say limits and resolution")
    wrong = {"coilElementList": [grid]} | limits | {"resolution": [30, 40, 50]}
    refused(written(tmp_path, "b.tcd", json.dumps(wrong)), r"unpacks to more than the \(5, 4, 4, 3\) numbers")
    larger = {"coilElementList": [grid]} | limits | {"resolution": [30, 40, 25]}
    refused(written(tmp_path, "d.tcd", json.dumps(larger)), r"\(5, 4, 7, 3\) numbers.*instead 360")
    odd = {"coilElementList": [grid]} | limits | {"resolution": [30, 0, 50]}
    refused(written(tmp_path, "c.tcd", json.dumps(odd)), "above 0")


def test_limit_of_a_coil_without_one_per_stimulator_is_kept(tmp_path):
    coil = Coil("a", (WINDING.dipoles(),), 1.5e8, stimulators=(Stimulator("no limit"),))
    write_coil(coil, tmp_path / "a.tcd")
    again = read_coil(tmp_path / "a.tcd")
    assert (again.didt_max, again.stimulators[0].name) == (1.5e8, "no limit")


def test_channels_without_a_stimulator_are_kept(tmp_path):
    coil = Coil("a", (WINDING.dipoles(), replace(WINDING.dipoles(), stimulator=2)), 1.5e8)
    write_coil(coil, tmp_path / "a.tcd")
    assert [part.stimulator for part in read_coil(tmp_path / "a.tcd").elements] == [0, 2]


def test_sampled_coil_goes_through_nifti(tmp_path):
    grid = Grid(np.random.default_rng(0).normal(size=(5, 4, 6, 3)), _affine())
    for name in ("a.nii", "a.nii.gz"):
        write_coil(Coil("a", (grid,)), tmp_path / name)
        again = read_coil(tmp_path / name)
        assert again.name == "a"
        np.testing.assert_array_equal(again.elements[0].data, grid.data)
        np.testing.assert_array_equal(again.elements[0].affine, grid.affine)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no dipoles"),
        ("# x\nmany\n", "line 2: must be the number"),
        ("# x\n-3\n", "line 2"),
        ("# x\n999999999999\n0 0 0 0 0 0\n", "line 2: must count"),
        (CCD.replace("\n2\n", "\n3\n"), "states 3 dipoles in line 2; instead it holds 2"),
        (CCD.replace("-1e-2", "-1e-2 7"), "line 4: must be six numbers"),
        (CCD.replace("-1e-2", "one"), "line 4: must be six numbers"),
        (CCD.replace("-1e-2", "nan"), "line 4: must be finite"),
        (CCD.replace("114.73", "fast"), "line 1: dIdtmax"),
        (CCD.replace("-4.5e-02", "-45"), "metres"),
        (CCD.replace("114.73", "117e6"), "line 1: dIdtmax must be in A/us.*given in A/s. Then write 117"),
        (CCD.replace("114.73", "0"), "line 1: dIdtmax must be positive"),
        (CCD.replace("114.73", "114.73;didtmax=90"), "line 1: dIdtmax stands there twice, 114.73 and 90"),
        (b"\xff\xfe\x00\x01", "not text"),
    ],
)
def test_damaged_ccd_is_named_with_its_line(tmp_path, text, message):
    refused(written(tmp_path, "bad.ccd", text), message)


def refused(path, message):
    with pytest.raises(FileFormatError, match=message) as caught:
        read_coil(path)
    assert path.name in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "JSON"),
        ("[" * 100_000, "JSON"),
        ([], "must be an object"),
        ({}, "at least one element"),
        ({"coilElementList": {}}, "coilElementList must be a list"),
        ({"coilElementList": [element(type=7)]}, r"coilElementList\[0\].type"),
        ({"coilElementList": [element(points="???")]}, r"coilElementList\[0\].points"),
        ({"coilElementList": [element(points=packed(np.zeros(4)))]}, "multiple of 3"),
        ({"coilElementList": [element(values=[[0, 0]])]}, r"coilElementList\[0\].values"),
        ({"coilElementList": [element(points=[[0, 0, None]])]}, "finite"),
        ({"coilElementList": [element(stimulator=3)]}, r"stimulator must be the number of one of 1"),
        ({"coilElementList": [element(deformations=[0])]}, "deformations"),
        ({"coilElementList": [element()], "coilCasing": 0}, "coilCasing"),
        ({"coilElementList": [element()], "stimulatorList": [{"maxdIdt": "x"}]}, r"stimulatorList\[0\].maxdIdt"),
        ({"coilElementList": [element()], "stimulatorList": [{"maxdIdt": -1}]}, "positive"),
        ({"coilElementList": [element()], "stimulatorList": [{"maxdIdt": 117}]}, r"in A/us. Then write 1\.17e\+08"),
        ({"coilElementList": [element()], "stimulatorList": [{"maxdIdt": 1.17e14}]}, "maxdIdt must be in A/s"),
        (
            {"coilElementList": [element(type=3, data=np.ones((2, 2, 2, 3)).tolist(), affine=np.eye(4).tolist())]},
            r"coilElementList\[0\]: its grid must be in mm",
        ),
        (
            {
                "coilElementList": [element()],
                "coilCasing": 0,
                "coilModels": [{"points": (0.1 * np.eye(3)).tolist(), "faces": [[0, 1, 2]]}],
            },
            "housing must be in mm",
        ),
        ({"coilElementList": [element()], "deformList": [{"type": "spin"}]}, r"deformList\[0\].type"),
        ({"coilElementList": [element(type=3, data=7, affine=np.eye(4).tolist())]}, "nested lists"),
        ({"coilElementList": [element(type=3, data="x", affine=np.eye(4).tolist())]}, "limits and resolution"),
    ],
)
def test_damaged_tcd_is_named_with_its_key(tmp_path, content, message):
    text = content if isinstance(content, str) else json.dumps(content)
    refused(written(tmp_path, "bad.tcd", text), message)


def peak_of(path, message):
    """Most bytes taken while a file is refused."""
    tracemalloc.start()
    try:
        refused(path, message)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_packed_arrays_that_grow_without_limit_are_refused_before_they_are_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr(tcd, "MOST_UNPACKED_BYTES", 2_000_000)
    bomb = packed(np.zeros((1_000_000, 3)))  # 24 MB of 31 kB
    path = written(tmp_path, "bomb.tcd", json.dumps({"coilElementList": [element(points=bomb)]}))
    assert peak_of(path, "unpacks to more than the 2 MB that are left") < 8_000_000
    many = [element(points=packed(np.zeros((20_000, 3))), values=packed(np.ones((20_000, 3)))) for _ in range(5)]
    path = written(tmp_path, "many.tcd", json.dumps({"coilElementList": many}))
    refused(path, r"coilElementList\[2\].points unpacks to more than the 0.08 MB that are left")


def test_packed_grid_larger_than_the_file_says_or_than_memory_is_refused_by_its_shape(tmp_path):
    bomb = {"type": 3, "data": packed(np.zeros((100, 100, 100, 3))), "affine": _affine().tolist()}
    limits = {"limits": [[-60, 60], [-60, 60], [0, 150]], "resolution": [30, 40, 30]}
    path = written(tmp_path, "bomb.tcd", json.dumps({"coilElementList": [bomb]} | limits))
    assert peak_of(path, r"more than the \(5, 4, 6, 3\) numbers") < 2_000_000
    fine = {"coilElementList": [bomb]} | limits | {"resolution": [0.1, 0.1, 0.1]}
    assert peak_of(written(tmp_path, "fine.tcd", json.dumps(fine)), "sample it more coarsely") < 2_000_000
    back = {"coilElementList": [bomb]} | limits | {"limits": [[60, -60], [60, -60], [0, 150]]}
    refused(written(tmp_path, "back.tcd", json.dumps(back)), "three rising pairs")


def test_cut_packed_array_is_refused(tmp_path):
    whole = zlib.compress(np.zeros(300).tobytes())
    cut = {"coilElementList": [element(points=base64.b64encode(whole[:-6]).decode())]}
    refused(written(tmp_path, "cut.tcd", json.dumps(cut)), "cut short")


def potential_file(path, affine=None, shape=(5, 4, 6, 3), codes=(0, 2), qform=None, unit="mm"):
    """A potential in NIfTI with the given forms; its samples count up."""
    affine = _affine() if affine is None else affine
    image = nib.Nifti1Image(1e-9 * np.arange(np.prod(shape), dtype=np.float64).reshape(shape), None)
    image.set_qform(None, 0) if not codes[0] else image.set_qform(affine if qform is None else qform, codes[0])
    image.set_sform(None, 0) if not codes[1] else image.set_sform(affine, codes[1])
    image.header.set_xyzt_units(unit)
    nib.save(image, path)
    return path


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
@pytest.mark.parametrize("codes", [(0, 2), (1, 0), (1, 1), (2, 4)])
def test_a_potential_lies_where_either_form_says(tmp_path, name, codes):
    grid = accepted(read_coil, potential_file(tmp_path / name, codes=codes)).elements[0]
    np.testing.assert_allclose(grid.affine, _affine(), atol=1e-4)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"codes": (0, 0)}, r"does not say where its samples lie \(qform_code and sform_code are 0\)"),
        ({"codes": (1, 2), "qform": _affine() + np.array([[0, 0, 0, 30.0], *[[0] * 4] * 3])}, "differ by 30.0 mm"),
        ({"codes": (1, 2), "qform": np.diag([-1.0, 1, 1, 1]) @ _affine()}, r"qform and sform\) differ"),
        ({"affine": np.diag([1e-3, 1e-3, 1e-3, 1]) @ _affine()}, r"must be in mm.*instead it is 0\.15"),
        ({"affine": np.diag([1e3, 1e3, 1e3, 1]) @ _affine()}, "must be in mm"),
        ({"unit": "meter"}, "states metres"),
        ({"unit": "micron"}, "states micrometres"),
    ],
)
def test_a_potential_whose_place_is_not_sure_is_refused(tmp_path, keys, message):
    refused(potential_file(tmp_path / "a.nii.gz", **keys), message)


def test_a_potential_on_the_fifth_axis_is_that_on_the_fourth(tmp_path):
    usual = read_coil(potential_file(tmp_path / "a.nii")).elements[0]
    image = nib.load(tmp_path / "a.nii")
    vectors = nib.Nifti1Image(np.asarray(image.dataobj)[:, :, :, None], None, image.header)
    vectors.header.set_intent("vector")
    nib.save(vectors, tmp_path / "b.nii")
    assert nib.load(tmp_path / "b.nii").shape == (5, 4, 6, 1, 3)
    found = accepted(read_coil, tmp_path / "b.nii").elements[0]
    np.testing.assert_array_equal(found.data, usual.data)
    np.testing.assert_array_equal(found.affine, usual.affine)
    refused(potential_file(tmp_path / "c.nii", shape=(5, 4, 6, 2, 3)), r"instead \(5, 4, 6, 2, 3\)")


def test_a_potential_of_other_numbers_or_too_many_is_refused_before_memory_is_taken(tmp_path):
    complex_image = nib.Nifti1Image(np.ones((4, 4, 4, 3), np.complex64), _affine())
    nib.save(complex_image, tmp_path / "complex.nii")
    refused(tmp_path / "complex.nii", "must hold real numbers")
    header = nib.Nifti1Header()
    header.set_data_dtype(np.uint8)
    header.set_data_shape((400, 400, 400, 3))
    header.set_sform(np.diag([0.5, 0.5, 0.5, 1]), 2)
    header["magic"], header["vox_offset"] = b"n+1", 352
    path = written(tmp_path, "large.nii", header.binaryblock + bytes(4) + bytes(1000))
    assert peak_of(path, r"states \(400, 400, 400, 3\) samples; at most 40 million") < 2_000_000


def test_a_quaternion_a_little_longer_than_one_is_rounding_and_one_much_longer_damage(tmp_path):
    turned = np.diag([-30.0, 40.0, -30.0, 1.0])  # half a turn about y: quaternion 0, 1, 0
    raw = bytearray(potential_file(tmp_path / "a.nii", turned, codes=(1, 0)).read_bytes())
    raw[260:264] = np.float32(1.0004).tobytes()
    found = accepted(read_coil, written(tmp_path, "a.nii", bytes(raw))).elements[0]
    np.testing.assert_allclose(found.affine, turned, atol=1e-4)
    raw[260:264] = np.float32(1.4).tobytes()
    refused(written(tmp_path, "b.nii", bytes(raw)), "quaternion in the header of b.nii has length 1.4")


@pytest.mark.parametrize("value", ["none", "None", "n/a", ""])
def test_a_slope_that_is_not_known_is_none(tmp_path, value):
    text = CCD.replace("114.73", value).replace("Rapid", "none")
    coil = accepted(read_coil, written(tmp_path, "test.ccd", text))
    assert (coil.didt_max, coil.stimulators[0].name) == (None, "")


@pytest.mark.parametrize("case", [str.lower, str.upper])
def test_keys_are_read_whatever_their_case(tmp_path, case):
    text = CCD
    for key in ("dIdtmax", "stimulator", "brand", "coilname"):
        text = text.replace(f"{key}=", f"{case(key)}=")
    coil = accepted(read_coil, written(tmp_path, "test.ccd", text))
    assert coil.didt_max == pytest.approx(114.73e6)
    assert (coil.name, coil.provenance["maker"], coil.stimulators[0].name) == ("T", "Maker", "Rapid")


@pytest.mark.parametrize("coding", ["utf-8", "utf-8-sig", "latin-1"])
def test_text_is_read_in_the_codings_that_editors_save(tmp_path, coding):
    text = CCD.replace("brand=Maker", "brand=Größe")
    coil = accepted(read_coil, written(tmp_path, "test.ccd", text.encode(coding)))
    assert (coil.didt_max, coil.provenance["maker"]) == (pytest.approx(114.73e6), "Größe")
    plain = json.dumps({"brand": "Größe", "coilElementList": [element()]}, ensure_ascii=False)
    coil = accepted(read_coil, written(tmp_path, "a.tcd", plain.encode(coding)))
    assert coil.provenance["maker"] == "Größe"


@pytest.mark.parametrize("name", ["test.ccd", "test.stl", "test.tsv", "a.tcd"])
def test_a_file_larger_than_a_coils_is_not_read(tmp_path, monkeypatch, name):
    for own, text in (("test.ccd", CCD), ("a.tcd", json.dumps({"coilElementList": [element()]}))):
        written(tmp_path, own, text)
    monkeypatch.setattr("neuro_field.io.coil_limits.MOST_FILE_BYTES", 600)
    read_coil(tmp_path / "test.ccd"), read_coil(tmp_path / "a.tcd")
    written(tmp_path, name, b" " * 700)
    with pytest.raises(FileFormatError, match=rf"{name} is 0 MB; at most 0 MB are read"):
        read_coil(tmp_path / (name if name == "a.tcd" else "test.ccd"))


def test_names_of_files_are_one_line_that_can_be_shown(tmp_path):
    names = {"name": "a\x00b\x1b[31m\n c", "brand": "x\u2028y", "stimulatorList": [{"name": "s\tt\x07"}]}
    coil = read_coil(written(tmp_path, "a.tcd", json.dumps(names | {"coilElementList": [element()]})))
    assert (coil.name, coil.provenance["maker"], coil.stimulators[0].name) == ("a b [31m c", "x y", "s t")


def test_a_housing_in_metres_is_refused(tmp_path):
    small = Surface(WINDING.casing().points / 1000, WINDING.casing().triangles)
    written(tmp_path, "test.stl", stl_bytes(small))
    with pytest.raises(FileFormatError, match=r"test\.stl: the housing must be in mm"):
        read_coil(written(tmp_path, "test.ccd", CCD))


@pytest.mark.parametrize("ending", [".stl", ".tsv"])
@pytest.mark.parametrize("own", [True, False])
def test_files_of_others_beside_a_coil_are_neither_overwritten_nor_adopted(tmp_path, ending, own):
    """A coil without a housing or waveform would be read with those that lie there."""
    other = written(tmp_path, f"coil{ending}", "time\tsignal\n0\t1\n" if ending == ".tsv" else "a patient's head")
    before = other.read_bytes()
    coil = COIL if own else Coil("bare", (WINDING.dipoles(),), 1e8)
    with pytest.raises(FileExistsError, match=f"coil{ending} is there already and is not this coil's"):
        write_coil(coil, tmp_path / "coil.ccd")
    assert [path.name for path in tmp_path.iterdir()] == [other.name]
    assert other.read_bytes() == before


def test_the_same_coil_is_written_again_over_itself(tmp_path):
    write_coil(COIL, tmp_path / "coil.ccd")
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert set(before) == {"coil.ccd", "coil.stl", "coil.tsv"}
    write_coil(COIL, tmp_path / "coil.ccd")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize(
    ("coil", "says"),
    [
        (Coil("a", (WINDING.dipoles(),), 117.0), "didt_max of the coil 'a' must be in A/s"),
        (Coil("a", (WINDING.dipoles(),), casing=Surface(np.eye(3), [[0, 1, 2]])), "housing of the coil 'a'"),
        (Coil("a", (Grid(np.zeros((2, 2, 2, 3)), np.eye(4)),)), "grid of the coil 'a'"),
    ],
)
def test_nothing_is_written_that_would_be_refused_when_read(tmp_path, coil, says):
    for name in ("a.tcd", "a.nii" if isinstance(coil.elements[0], Grid) else "a.ccd"):
        with pytest.raises(InputError, match=says):
            write_coil(coil, tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_a_slope_taken_from_a_coil_does_not_come_back_with_its_header(tmp_path):
    coil = replace(read_coil(written(tmp_path, "test.ccd", CCD)), name="x\x00;y", didt_max=None, stimulators=())
    write_coil(coil, tmp_path / "again.ccd")
    again = read_coil(tmp_path / "again.ccd")
    assert (again.name, again.didt_max, again.stimulators[0].name) == ("x ,y", None, "")
    assert again.provenance["header"]["x"] == "-300,300"


def test_image_that_is_no_potential_is_refused(tmp_path):
    nib.save(nib.Nifti1Image(np.zeros((4, 4, 4), np.float32), np.eye(4)), tmp_path / "t1.nii")
    refused(tmp_path / "t1.nii", r"\(i, j, k, 3\)")
    refused(written(tmp_path, "noise.nii", b"no image" * 100), "not a NIfTI image")
    nib.save(nib.Nifti1Image(np.zeros((4, 4, 4, 3), np.float32), _affine()), tmp_path / "a.nii")
    refused(written(tmp_path, "cut.nii", (tmp_path / "a.nii").read_bytes()[:600]), "damaged")
    refused(written(tmp_path, "cut.nii.gz", b"\x1f\x8b\x08\x00rest"), "damaged")


def test_wrong_endings_and_missing_files_say_what_to_do(tmp_path):
    with pytest.raises(FileNotFoundError, match="load_coil"):
        read_coil(tmp_path / "none.ccd")
    refused(written(tmp_path, "coil.txt", CCD), "must end in")
    with pytest.raises(InputError, match="must end in"):
        write_coil(COIL, tmp_path / "coil.txt")
    with pytest.raises(InputError, match="write it as"):
        write_coil(COIL, tmp_path / "coil.nii.gz")
    with pytest.raises(InputError, match="does not exist"):
        write_coil(COIL, tmp_path / "nowhere" / "coil.ccd")
    with pytest.raises(InputError, match="no dipoles"):
        write_coil(Coil("a", (Grid(np.zeros((2, 2, 2, 3)), _affine()),)), tmp_path / "a.ccd")


def test_waveform_beside_a_ccd_is_read(tmp_path):
    written(tmp_path, "test.tsv", "time\tsignal\tfit\n0\t1\t1.5\n1\t0\t0.5\n")
    wave = read_coil(written(tmp_path, "test.ccd", CCD)).stimulators[0].waveforms[0]
    np.testing.assert_array_equal(wave.signal, [1, 0])
    np.testing.assert_array_equal(wave.fit, [1.5, 0.5])
    written(tmp_path, "test.tsv", "time\tsignal\n0\n")
    with pytest.raises(FileFormatError, match=r"test\.tsv, line 2"):
        read_coil(tmp_path / "test.ccd")


def test_stl_in_text_is_the_binary_one(tmp_path):
    casing = WINDING.casing()
    binary = read_stl(written(tmp_path, "b.stl", stl_bytes(casing)))
    lines = ["solid casing"]
    for a, b, c in casing.points[casing.triangles].astype(np.float32):
        lines += ["facet normal 0 0 0", "outer loop"]
        lines += [f"vertex {x!s} {y!s} {z!s}" for x, y, z in (a, b, c)] + ["endloop", "endfacet"]
    text = read_stl(written(tmp_path, "t.stl", "\n".join(lines)))
    np.testing.assert_allclose(text.points, binary.points, rtol=1e-6)
    np.testing.assert_array_equal(text.triangles, binary.triangles)
    with pytest.raises(FileFormatError, match="cut short"):
        read_stl(written(tmp_path, "cut.stl", stl_bytes(casing)[:-10]))


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "sign", "didt_max"),
    [
        ("MagStim_D70.ccd", 1, 114.73e6),
        ("MagStim_DCC.ccd", -1, 84.37e6),
        ("MagVenture_C-B60.ccd", -1, 155.40e6),
        ("MagVenture_MC-B70.ccd", -1, 155.33e6),
        ("Magstim_70mm_Fig8.ccd", 1, None),
        ("Magstim_70mm_Fig8.nii.gz", 1, None),
        ("MagVenture_MST-Twin.tcd", -1, 200.08e6),
    ],
)
def test_files_of_other_makers_have_their_sign_and_limit(name, sign, didt_max):
    coil = read_coil(maker_file(name))
    assert coil.didt_max == (None if didt_max is None else pytest.approx(didt_max))
    # the wings of the twin coil are askew at their initial angles: 8 degrees towards the head
    assert sign * coil.initial_e_direction[1] > 0.98


def maker_file(name):
    if not (SHARED / name).is_file():
        pytest.skip(f"{name} of its maker is not beside the repository")
    return SHARED / name


@pytest.mark.shared
def test_sampled_potential_of_a_maker_is_that_of_its_dipoles():
    """Two files of one coil: the dipoles in metres, and their potential on a 5 mm grid."""
    dipoles = read_coil(maker_file("Magstim_70mm_Fig8.ccd"))
    sampled = read_coil(maker_file("Magstim_70mm_Fig8.nii.gz"))
    points = POINTS - [0, 0, 30]
    points = points[points[:, 2] > 12]
    a, b = dipoles.dadt(points), sampled.dadt(points)
    assert np.linalg.norm(a - b) < 0.01 * np.linalg.norm(a)
    assert np.linalg.norm(a) / np.linalg.norm(b) == pytest.approx(1, abs=0.005)


@pytest.mark.shared
def test_formats_of_one_real_coil_agree_under_its_centre(tmp_path):
    """.ccd, .tcd and .nii.gz of the D70 within 2 % at 20 mm; potential sampled every 4 mm."""
    d70 = read_coil(maker_file("MagStim_D70.ccd"))
    write_coil(d70, tmp_path / "d70.tcd")
    axes = np.arange(-60, 61, 4.0), np.arange(-60, 61, 4.0), np.arange(4, 65, 4.0)
    nodes = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
    affine = np.diag([4.0, 4.0, 4.0, 1.0])
    affine[:3, 3] = -60, -60, 4
    sampled = Grid(d70.dadt(nodes.reshape(-1, 3), 1.0).reshape(nodes.shape), affine)
    write_coil(Coil("sampled", (sampled,)), tmp_path / "d70.nii.gz")
    x, y = (axis.ravel() for axis in np.mgrid[-30:31:5, -30:31:5])
    plane = np.stack([x, y, np.full(len(x), 20.0)], axis=1)
    wanted = d70.dadt(plane)
    for name in ("d70.tcd", "d70.nii.gz"):
        found = read_coil(tmp_path / name).dadt(plane)
        assert np.linalg.norm(found - wanted, axis=1).max() < 0.02 * np.linalg.norm(wanted, axis=1).max()
    legacy = [read_coil(maker_file(f"Magstim_70mm_Fig8.{ending}")).dadt(plane) for ending in ("ccd", "nii.gz")]
    assert np.linalg.norm(legacy[0] - legacy[1], axis=1).max() < 0.02 * np.linalg.norm(legacy[0], axis=1).max()


@pytest.mark.shared
def test_wings_of_a_real_twin_coil_move():
    path = maker_file("MagVenture_MST-Twin.tcd")
    still, moved = read_coil(path), read_coil(path, motions=[13, 0, 0, 13, 0, 0])
    # motion 3 mirrors motion 0: both wings swing towards the head, and stay mirror images to 3 mm, as they are at rest
    for coil in (still, moved):
        left, right = (part.positions.mean(axis=0) for part in coil.elements)
        np.testing.assert_allclose(left * [-1, 1, 1], right, atol=3)
    rise = [
        m.positions[:, 2].mean() - s.positions[:, 2].mean() for m, s in zip(moved.elements, still.elements, strict=True)
    ]
    np.testing.assert_allclose(rise, 17.8, atol=0.5)
    with pytest.raises(InputError, match="-13 to 13"):
        read_coil(path, motions=[14, 0, 0, 0, 0, 0])


@pytest.mark.shared
def test_maker_file_written_again_is_the_same_coil(tmp_path):
    twin = read_coil(maker_file("MagVenture_MST-Twin.tcd"))
    write_coil(twin, tmp_path / "twin.tcd")
    again = read_coil(tmp_path / "twin.tcd")
    np.testing.assert_array_equal(again.dipoles[0], twin.dipoles[0])
    np.testing.assert_array_equal(again.casing.points, twin.casing.points)
    d70 = read_coil(maker_file("MagStim_D70.ccd"))
    assert d70.casing.points[:, 2].max() <= 0  # the housing lies behind the face
    write_coil(d70, tmp_path / "d70.ccd")
    np.testing.assert_allclose(read_coil(tmp_path / "d70.ccd").dadt(POINTS), d70.dadt(POINTS), rtol=1e-12, atol=1e-15)
