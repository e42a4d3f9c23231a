"""Coil files: units and frames as written, round trips, damage named by file and place."""

import base64
import json
import zlib
from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from neuro_field.coil.coil import Coil
from neuro_field.coil.sources import Grid, Segments
from neuro_field.coil.stimulator import Stimulator, Waveform
from neuro_field.coil.winding import Winding
from neuro_field.errors import FileFormatError, InputError
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
    "coilModels": [{"points": np.eye(3).tolist(), "faces": [[0, 1, 2]]}],
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
    np.testing.assert_allclose(coil.casing.points, [[0, 1, 0], [-1, 0, 0], [0, 0, 1]], atol=1e-12)  # moves along
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
    refused(written(tmp_path, "b.tcd", json.dumps(wrong)), r"\(5, 4, 4, 3\) numbers.*instead 360")
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
        ({"coilElementList": [element()], "deformList": [{"type": "spin"}]}, r"deformList\[0\].type"),
        ({"coilElementList": [element(type=3, data=7, affine=np.eye(4).tolist())]}, "nested lists"),
        ({"coilElementList": [element(type=3, data="x", affine=np.eye(4).tolist())]}, "limits and resolution"),
    ],
)
def test_damaged_tcd_is_named_with_its_key(tmp_path, content, message):
    text = content if isinstance(content, str) else json.dumps(content)
    refused(written(tmp_path, "bad.tcd", text), message)


def test_packed_array_that_grows_without_limit_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(tcd, "MOST_ARRAY_BYTES", 24_000)
    bomb = {"coilElementList": [element(points=packed(np.zeros(30_000)))]}
    refused(written(tmp_path, "bomb.tcd", json.dumps(bomb)), "unpacks to more than")


def test_cut_packed_array_is_refused(tmp_path):
    whole = zlib.compress(np.zeros(300).tobytes())
    cut = {"coilElementList": [element(points=base64.b64encode(whole[:-6]).decode())]}
    refused(written(tmp_path, "cut.tcd", json.dumps(cut)), "cut short")


def test_image_that_is_no_potential_is_refused(tmp_path):
    nib.save(nib.Nifti1Image(np.zeros((4, 4, 4), np.float32), np.eye(4)), tmp_path / "t1.nii")
    refused(tmp_path / "t1.nii", r"\(i, j, k, 3\)")
    refused(written(tmp_path, "noise.nii", b"no image" * 100), "not a NIfTI image")
    nib.save(nib.Nifti1Image(np.zeros((4, 4, 4, 3), np.float32), np.eye(4)), tmp_path / "a.nii")
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
