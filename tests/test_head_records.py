"""head.json: what is written comes back, whatever it says; what is damaged is refused in one line."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests_support import accepted

from neuro_field.errors import FileFormatError, InputError
from neuro_field.findings import Finding
from neuro_field.geometry.mesh import TetMesh
from neuro_field.head.fissure import Fissure
from neuro_field.head.mapping import AffineMapping, WarpedMapping
from neuro_field.head.model import HeadModel
from neuro_field.store.head_records import DEEPEST, LARGEST
from neuro_field.store.heads import read_head, write_head

NODES = np.array([[0, 0, 0], [60, 0, 0], [0, 60, 0], [0, 0, 60.0], [50, 50, 50]])
MESH = TetMesh(NODES, np.array([[0, 1, 2, 3], [1, 2, 3, 4]]), np.array([2, 5]))
FISSURE = Fissure(np.eye(4), (-3.0, 1 / 3), 4.0, np.arange(6).reshape(2, 3) / 7, 71.123456, "labels")
MAPPING = AffineMapping(np.eye(4) + 0.01 / 3, "found by hand")
FOUND = Finding(
    "build-label-table", "note", {"table": "spm", "others": ("simnibs", "roast"), "white": 1 / 3, "grey": 2}
)
HEAD = HeadModel.from_mesh(
    MESH, name="a head", mapping=MAPPING, known_fissure=FISSURE,
    provenance={
        "findings": [FOUND.plain()],
        "inputs": {"t1": {"sha256": 64 * "a"}},
        "mapping_overlap": {"affine": {"white_matter": 0.7, "grey_matter": 0.6}},
        "cleaning": {"before_cm3": {"csf": 1.0}, "after_cm3": {"csf": 2.0}, "moved_cm3": {"one brain": 0.5}},
        "seconds": {"meshing": 1.25},
    },
)  # fmt: skip

TEXTS = st.text(st.characters(blacklist_categories=("Cs", "Cc")), max_size=40)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**53), 2**53)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=12,
)
KNOWN = ("findings", "inputs", "mapping_overlap", "cleaning", "warnings")
RECORDS = st.dictionaries(TEXTS.filter(lambda key: key not in KNOWN), VALUES, max_size=5)
MATRICES = st.lists(st.floats(-0.1, 0.1), min_size=12, max_size=12)
NAMES = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.:/+-]{0,20}", fullmatch=True)
SCALARS = st.none() | st.booleans() | NUMBERS | NAMES
FINDINGS = st.builds(
    Finding,
    st.from_regex(r"[a-z]{1,5}-[a-z0-9]{1,5}", fullmatch=True),
    st.sampled_from(("stop", "warn", "note")),
    st.dictionaries(NAMES, SCALARS | st.lists(SCALARS, max_size=3).map(tuple), max_size=3),
)


def assert_same(one, other):
    np.testing.assert_array_equal(one.mesh.nodes, other.mesh.nodes)
    np.testing.assert_array_equal(one.mesh.tags, other.mesh.tags)
    np.testing.assert_array_equal(one.conductivity, other.conductivity)
    assert (one.name, one.provenance) == (other.name, other.provenance)
    assert (one.mapping is None) == (other.mapping is None)
    if one.mapping is not None:
        assert type(one.mapping) is type(other.mapping)
        assert one.mapping.source == other.mapping.source
        np.testing.assert_array_equal(one.mapping.mni_from_head, other.mapping.mni_from_head)
    assert (one.known_fissure is None) == (other.known_fissure is None)
    if one.known_fissure is not None:
        assert one.known_fissure.plain() == other.known_fissure.plain()
        np.testing.assert_array_equal(one.known_fissure.offsets, other.known_fissure.offsets)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    name=TEXTS,
    record=RECORDS,
    found=st.none() | st.lists(FINDINGS, max_size=3),
    matrix=st.none() | MATRICES,
    source=TEXTS,
    sigma=st.lists(st.floats(1e-6, 1e6), min_size=2, max_size=2),
    offsets=st.none() | st.lists(st.floats(-30, 30), min_size=6, max_size=6),
)
def test_a_head_comes_back_whole(tmp_path_factory, name, record, found, matrix, source, sigma, offsets):
    mapping = None if matrix is None else AffineMapping(np.eye(4) + np.reshape([*matrix, 0, 0, 0, 0], (4, 4)), source)
    fissure = None if offsets is None else replace(FISSURE, offsets=np.reshape(offsets, (2, 3)))
    record = record | ({} if found is None else {"findings": [each.plain() for each in found]})
    head = HeadModel(MESH, np.array(sigma), name=name, mapping=mapping, known_fissure=fissure, provenance=record)
    folder = tmp_path_factory.mktemp("heads") / "HEAD"
    write_head(head, folder, qc=False)
    assert_same(read_head(folder), head)


def test_a_warped_head_comes_back_whole(tmp_path):
    warp = WarpedMapping(MAPPING, np.zeros((3, 3, 3, 3), np.float32), np.diag([20.0, 20, 20, 1]), "warped")
    write_head(replace(HEAD, mapping=warp), tmp_path / "HEAD", qc=False)
    read = read_head(tmp_path / "HEAD")
    assert_same(read, replace(HEAD, mapping=warp))
    assert read.mapping.affine.source == "found by hand"


@pytest.fixture
def card(tmp_path):
    write_head(HEAD, tmp_path / "HEAD", qc=False)
    return tmp_path / "HEAD" / "head.json"


def assert_refused_in_one_line(card):
    try:
        head = read_head(card.parent)
        said = f"it was read, and says {head.findings}"
    except FileFormatError as error:
        said = str(error)
    except Exception as error:  # a traceback for whoever gave the folder
        said = f"\n{type(error).__name__}"
    assert str(card.parent) in said
    assert "\n" not in said
    assert len(said) < 500


def changed(card, *keys, to):
    """The card with one entry changed, as text."""
    record = json.loads(card.read_text())
    inner = record
    for key in keys[:-1]:
        inner = inner[key]
    if to is ...:
        del inner[keys[-1]]
    else:
        inner[keys[-1]] = to
    return json.dumps(record)


DAMAGE = {
    "an entry too many": (("colour",), "red"),
    "an entry missing": (("mesh",), ...),
    "a name that is a number": (("name",), 7),
    "a name of two lines": (("name",), "a\nb"),
    "a conductivity that is text": (("tissues", 0, "conductivity_S_per_m"), "0.3"),
    "a conductivity below zero": (("tissues", 0, "conductivity_S_per_m"), -0.3),
    "no conductivity": (("tissues", 0, "conductivity_S_per_m"), None),
    "a tag that is text": (("tissues", 0, "tag"), "2"),
    "tissues that are no list": (("tissues",), {}),
    "a map of nine numbers": (("mapping", "mni_from_head"), [[1, 0, 0], [0, 1, 0], [0, 0, 1]]),
    "a map that mirrors": (("mapping", "mni_from_head", 0, 0), -1.0),
    "a map that is text": (("mapping",), "affine"),
    "a warp that lies elsewhere": (("mapping", "warp"), "../../warp.nii.gz"),
    "a warp that is not there": (("mapping", "warp"), "mni_warp.nii.gz"),
    "a fissure without a step": (("fissure", "step"), 0),
    "a fissure of ragged rows": (("fissure", "offsets"), [[1, 2, 3], [1, 2]]),
    "a fissure that is sheared": (("fissure", "head_from_grid", 0, 1), 0.5),
    "provenance that is a list": (("provenance",), []),
    "findings that are sentences": (("provenance", "findings"), ["the skull was closed"]),
    "a finding without a level": (("provenance", "findings", 0, "level"), ...),
    "a finding of prose": (("provenance", "findings", 0, "values", "table"), "two words"),
    "an overlap that is a number": (("provenance", "mapping_overlap"), 0.7),
    "an overlap of text": (("provenance", "mapping_overlap", "affine", "white_matter"), "much"),
    "cleaning without volumes": (("provenance", "cleaning"), {"moved_cm3": {}}),
    "a hash that is none": (("provenance", "inputs", "t1", "sha256"), "aa"),
    "another schema": (("schema",), "neuro_field/plan"),
    "a later version": (("schema_version",), 3),
    "a version that is a list": (("schema_version",), [2]),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_card_is_refused_in_one_line(card, damage):
    keys, to = DAMAGE[damage]
    card.write_text(changed(card, *keys, to=to))
    assert_refused_in_one_line(card)


def nested(depth):
    return {"a": nested(depth - 1)} if depth else 0


@pytest.mark.parametrize(
    "make",
    [
        lambda text: text[:-30],
        lambda text: "[]",
        lambda text: "null",
        lambda text: text.replace('"step": 4.0', '"step": NaN'),
        lambda text: text.replace('"step": 4.0', '"step": 1e999'),
        lambda text: text.replace('"a head"', '"\\ud800"'),
        lambda text: text.replace('"meshing": 1.25', '"meshing": ' + 100_000 * "[" + 100_000 * "]"),
        lambda text: text.replace('"meshing": 1.25', '"meshing": ' + json.dumps(nested(DEEPEST))),
        lambda text: text.replace('"meshing": 1.25', '"meshing": ' + json.dumps(list(range(30_000)))),
        lambda text: text.replace('"meshing": 1.25', '"meshing": ' + 400 * "9"),
        lambda text: text + " " * LARGEST,
        lambda text: text.encode("utf-16"),
        lambda text: text.replace("a head", "é").encode("latin-1"),
        lambda text: b"",
    ],
)
def test_a_damaged_text_is_refused_in_one_line(card, make):
    made = make(card.read_text(encoding="utf-8"))
    card.write_bytes(made if isinstance(made, bytes) else made.encode())
    assert_refused_in_one_line(card)


def test_heads_of_the_version_before_are_read(card):
    """Version 1 kept findings beside sentences, knew no null warp, and told seconds."""
    record = json.loads(card.read_text())
    record |= {"schema_version": 1, "written": "2026-11-28T22:18:36+00:00", "lesion": {"side": "left"}}
    record["mapping"] = {key: value for key, value in record["mapping"].items() if key not in ("warp", "affine_source")}
    record["provenance"]["warnings"] = ["a.msh: volume 1 is grey_matter by its name 'gray', not SimNIBS's white_matter"]
    del record["fissure"]
    card.write_text(json.dumps(record))
    head = accepted(read_head, card.parent)
    told = Finding("head-told-before", "note", {"count": 1})
    assert_same(
        head,
        replace(
            HEAD, known_fissure=None, provenance=HEAD.provenance | {"findings": [FOUND.plain(), told.plain()]}
        ),
    )  # fmt: skip
    assert told in head.findings
    for keys, to in ((("mapping", "mni_from_head"), [1, 2]), (("provenance",), 3), (("written",), "yesterday")):
        card.write_text(json.dumps(record))
        card.write_text(changed(card, *keys, to=to))
        with pytest.raises(FileFormatError, match="damaged"):
            read_head(card.parent)


@pytest.mark.parametrize(
    "provenance",
    [
        {"a": float("nan")}, {"a": np.array([1, np.inf])}, {"a": object()}, {1: 2}, {"a": 2**60}, nested(DEEPEST + 1),
        {"a": list(range(30_000))}, {"mapping_overlap": 3}, {"findings": ["said"]}, {"a": "\ud800"},
    ],
)  # fmt: skip
def test_what_a_card_cannot_tell_is_refused_before_anything_is_written(tmp_path, provenance):
    with pytest.raises(InputError) as caught:
        write_head(replace(HEAD, provenance=provenance), tmp_path / "HEAD", qc=False)
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())
