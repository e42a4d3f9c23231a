"""Damaged coil files: whatever is in them, only our own one-line error comes out."""

import json
import warnings

import nibabel as nib
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from neuro_field.coil.coil import Coil
from neuro_field.coil.sources import Dipoles, Grid
from neuro_field.coil.stimulator import Stimulator, Waveform
from neuro_field.errors import InputError
from neuro_field.geometry.mesh import Surface
from neuro_field.shelf.coils import read_coil, write_coil

WAVE = Waveform("pulse", np.arange(3.0), np.arange(3.0), np.arange(3.0))
SMALL = Coil(
    "small",
    (Dipoles([[0, 0, -5.0], [1, 2, -3]], np.ones((2, 3))),),
    1e8,
    Surface(90 * np.eye(3), [[0, 1, 2]]),
    (Stimulator("a", "b", 1e8, (WAVE,)),),
)
SAMPLED = Coil("sampled", (Grid(np.random.default_rng(0).normal(size=(3, 3, 3, 3)), np.diag([20.0, 20, 20, 1])),))
CONTENT = {
    "coilElementList": [
        {"type": 1, "points": [[0, 0, -9.0]], "values": [[0, 0, 1.0]], "stimulator": 0, "deformations": [0]},
        {"type": 2, "points": [[0, 0, 0.0]], "values": [[1, 0, 0.0]], "elementCasing": 0},
        {"type": 3, "data": np.ones((2, 2, 2, 3)).tolist(), "affine": np.diag([50.0, 50, 50, 1]).tolist()},
    ],
    "deformRangeList": [{"initial": 1.0, "range": [0, 9]}],
    "deformList": [{"deformRange": 0, "type": "rot2p", "point1": [0, 0, 0], "point2": [1, 0, 0]}],
    "stimulatorList": [{"name": "a", "maxdIdt": 1e8, "waveformList": [{"time": [0, 1], "signal": [0, 1]}]}],
    "coilModels": [{"points": (50 * np.eye(3)).tolist(), "faces": [[0, 1, 2]]}],
    "coilCasing": 0,
    "limits": [[0, 1], [0, 1], [0, 1]],
    "resolution": [1, 1, 1],
}
WRONG = st.sampled_from(
    [None, True, -1, 0, 1e308, float("nan"), float("inf"), 10**400, 10**5000, 2**40, "", "x", "AAAA", "\ud800"]
) | st.recursive(st.none() | st.floats() | st.integers() | st.text(max_size=4), st.lists, max_leaves=6)
TOKENS = st.sampled_from([b"nan", b"1e999", b"-", b"#", b";", b"=", b"\n", b"\t", b"\x00", b"\xff", b"1_0", b"9" * 400])
QUICK = settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture(scope="module")
def samples(tmp_path_factory):
    """Bytes of one good file of each kind."""
    folder = tmp_path_factory.mktemp("good")
    for coil, name in ((SMALL, "a.ccd"), (SMALL, "a.tcd"), (SAMPLED, "a.nii"), (SAMPLED, "a.nii.gz")):
        write_coil(coil, folder / name)
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def read_or_refuse(path):
    """Read a coil and ask for its field: both answer, or raise our error in one line."""
    nib.imageglobals.logger.disabled = True  # it tells stderr what it mends
    said = ""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            coil = read_coil(path)
            assert np.isfinite(coil.dadt([[0.5, 0.5, 0.5]])).all()
    except InputError as error:
        said = str(error)
    finally:
        nib.imageglobals.logger.disabled = False
    assert "\n" not in said
    assert len(said) < 400


@pytest.mark.parametrize("name", ["a.ccd", "a.stl", "a.tsv", "a.tcd", "a.nii", "a.nii.gz"])
@QUICK
@given(data=st.data())
def test_damaged_bytes_give_a_coil_or_our_error(tmp_path, samples, name, data):
    content = bytearray(samples[name])
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(content)))
        kind = data.draw(st.sampled_from(["cut", "token", "byte", "drop"]))
        if kind == "cut":
            content = content[:place]
        elif kind == "token":
            content[place : place + data.draw(st.integers(0, 8))] = data.draw(TOKENS)
        elif kind == "byte":
            content[place : place + 1] = data.draw(st.binary(min_size=1, max_size=1))
        else:
            del content[place : place + data.draw(st.integers(1, 40))]
    (tmp_path / "a.ccd").write_bytes(samples["a.ccd"])  # the one the .stl and .tsv lie beside
    (tmp_path / name).write_bytes(bytes(content))
    read_or_refuse(tmp_path / ("a.ccd" if name in ("a.stl", "a.tsv") else name))


def places(node, path=()):
    """Paths to everything in a JSON value."""
    if path:
        yield path
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in items:
        yield from places(value, (*path, key))


@settings(QUICK, max_examples=400)
@given(data=st.data())
def test_wrong_values_in_a_tcd_give_a_coil_or_our_error(tmp_path, data):
    content = json.loads(json.dumps(CONTENT))
    for _ in range(data.draw(st.integers(1, 2))):
        *way, last = data.draw(st.sampled_from(list(places(content))))
        node = content
        for key in way:
            node = node[key]
        if data.draw(st.booleans()):
            node[last] = data.draw(WRONG)
        else:
            del node[last]
    path = tmp_path / "a.tcd"
    path.write_bytes(json_text(content).encode("utf-8", "surrogatepass"))
    read_or_refuse(path)


def json_text(content):
    """JSON also of integers too long for Python to print."""
    if isinstance(content, dict):
        return "{" + ",".join(f"{json.dumps(key)}:{json_text(value)}" for key, value in content.items()) + "}"
    if isinstance(content, list):
        return "[" + ",".join(json_text(value) for value in content) + "]"
    if type(content) is int and abs(content) > 10**4000:
        return "1" + "0" * 5000
    return json.dumps(content)
