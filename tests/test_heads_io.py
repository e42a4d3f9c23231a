"""Heads on the disk: what is written is read back the same, and the built-in heads are kept and rebuilt."""

import json
from dataclasses import replace

import nibabel as nib
import numpy as np
import pytest
from phantoms import phantom_labels

from neuro_field.errors import InputError, UnknownNameError
from neuro_field.geometry.mesh import TetMesh
from neuro_field.head.mapping import AffineMapping
from neuro_field.head.model import HeadModel
from neuro_field.io.images import Image, read_image, write_image
from neuro_field.io.msh import write_msh
from neuro_field.mri.build import build_head
from neuro_field.shelf import examples
from neuro_field.shelf.library import names_on, shelf
from neuro_field.store.building import head_from_images
from neuro_field.store.heads import is_head, read_head, write_head

MAPPING = AffineMapping(np.array([[1.02, 0.01, 0, 3], [0, 0.98, 0.1, 1 / 3], [0, -0.1, 1.01, -2], [0, 0, 0, 1]]), "x")


@pytest.fixture(scope="module")
def head():
    labels, affine = phantom_labels(6.0)
    labels[8:11, 16:20, 14:18] = 21
    return build_head(labels, affine, edge=12.0, mapping=MAPPING, name="phantom")


def assert_same_head(one, other):
    for name in ("nodes", "tets", "tags"):
        np.testing.assert_array_equal(getattr(one.mesh, name), getattr(other.mesh, name))
    np.testing.assert_array_equal(one.conductivity, other.conductivity)
    assert one.name == other.name
    assert dict(one.provenance) == dict(other.provenance)
    np.testing.assert_array_equal(one.mapping.mni_from_head, other.mapping.mni_from_head)
    assert one.mapping.source == other.mapping.source


def test_a_head_written_is_the_head_read(tmp_path, head):
    write_head(head, tmp_path / "HEAD", qc=False)
    assert sorted(p.name for p in (tmp_path / "HEAD").iterdir()) == ["head.json", "head.msh"]
    assert is_head(tmp_path / "HEAD")
    assert_same_head(read_head(tmp_path / "HEAD"), head)


def test_conductivities_come_back_whether_per_tissue_per_element_or_tensor(tmp_path, head):
    rng = np.random.default_rng(2)
    scalars = rng.uniform(0.1, 2, len(head.mesh.tets))
    tensors = scalars[:, None, None] * np.eye(3) + 0.01 * np.ones((3, 3))
    for name, changed in {
        "tissue": head.with_conductivity({"lesion_cavity": 0.8, "bone": 1 / 137}),
        "element": replace(head, conductivity=scalars),
        "tensor": replace(head, conductivity=tensors),
    }.items():
        write_head(changed, tmp_path / name)
        assert_same_head(read_head(tmp_path / name), changed)
    card = json.loads((tmp_path / "tissue" / "head.json").read_text())
    rows = {row["name"]: row for row in card["tissues"]}
    assert rows["lesion_cavity"]["conductivity_S_per_m"] == 0.8
    assert "changed" in rows["bone"]["source"]
    assert "SimNIBS standard" in rows["scalp"]["source"]


def test_the_card_tells_lesion_side_and_mapping(tmp_path, head):
    write_head(head, tmp_path / "HEAD", qc=False)
    card = json.loads((tmp_path / "HEAD" / "head.json").read_text())
    assert card["lesion"]["side"] == "left"
    assert card["mapping"]["source"] == "x"
    write_head(replace(head.without_lesion(), mapping=None), tmp_path / "BARE")
    card = json.loads((tmp_path / "BARE" / "head.json").read_text())
    assert card["lesion"] is None
    assert read_head(tmp_path / "BARE").mapping is None


def test_nothing_is_overwritten_and_nothing_half_written_stays(tmp_path, head):
    (tmp_path / "HEAD").mkdir()
    (tmp_path / "HEAD" / "mine.txt").touch()
    with pytest.raises(FileExistsError, match="nothing was overwritten"):
        write_head(head, tmp_path / "HEAD", qc=False)
    with pytest.raises(InputError, match=r"provenance\.bad of a head must be"):
        write_head(replace(head, provenance={"bad": {1: object, (2, 3): 4}}), tmp_path / "NEW")
    assert [p.name for p in tmp_path.iterdir()] == ["HEAD"]


def test_images_of_a_head_stand_beside_it(tmp_path, monkeypatch):
    labels, affine = phantom_labels(6.0)
    lesion = np.zeros(labels.shape, dtype=np.uint8)
    lesion[8:11, 16:20, 14:18] = 1
    write_image(tmp_path / "T1.nii.gz", labels.astype(np.float32) * 100, affine)
    write_image(tmp_path / "labels.nii.gz", labels, affine)
    write_image(tmp_path / "lesion.nii.gz", lesion, affine)
    monkeypatch.setattr("neuro_field.mri.build.register_to_mni", lambda labels, affine, padding: MAPPING)
    made, files = head_from_images(
        tmp_path / "T1.nii.gz", tmp_path / "labels.nii.gz", lesion=tmp_path / "lesion.nii.gz", edge=12.0
    )
    write_head(made, tmp_path / "HEAD", **files)
    tissues = read_image(tmp_path / "HEAD" / "tissues.nii.gz")
    assert (tissues.values == 21).any()
    np.testing.assert_array_equal(read_image(tmp_path / "HEAD" / "T1.nii.gz").values, labels * 100.0)
    assert len(made.provenance["inputs"]["lesion"]["sha256"]) == 64
    assert_same_head(read_head(tmp_path / "HEAD"), made)


@pytest.fixture
def patient(tmp_path, monkeypatch):
    """A T1 whose sform is an atlas's, 42 % larger, and labels of it; the map to MNI is not looked for."""
    labels, affine = phantom_labels(6.0)
    image = nib.Nifti1Image(labels.astype(np.float32) * 100, affine)
    image.set_sform(np.diag([1.42, 1.42, 1.42, 1.0]) @ affine, code=4)
    image.set_qform(affine, code=1)
    nib.save(image, tmp_path / "T1.nii.gz")
    write_image(tmp_path / "labels.nii.gz", labels, affine)
    (tmp_path / "map.txt").write_text("1 0 0 0  0 1 0 0  0 0 1 0  0 0 0 1")
    monkeypatch.setattr("neuro_field.mri.given_mapping.LEAST_WHITE", 0.2)  # ellipsoids have no gyri
    return tmp_path, affine


def test_a_head_is_of_the_patients_size_and_the_atlas_is_kept_and_told(patient):
    folder, affine = patient
    made, files = head_from_images(folder / "T1.nii.gz", folder / "labels.nii.gz", edge=12.0, mapping=False)
    assert np.ptp(made.mesh.nodes[:, 1]) == pytest.approx(208, abs=12)  # the phantom's scalp
    told = {found.code: found for found in made.findings}
    assert "image-atlas-form" in told
    assert told["image-atlas-form"].values["size"] == pytest.approx(1.42, abs=0.01)
    assert "head-no-map" in told
    assert made.mapping is None
    assert made.provenance["mapping"] == "none was wanted"
    assert made.fissure is None or made.right_of_midline(np.array([[50.0, 0, 0]]))[0] > 0
    write_head(made, folder / "HEAD", **files, qc=False)
    kept = read_image(folder / "HEAD" / "T1.nii.gz")
    np.testing.assert_allclose(kept.affine, affine, atol=1e-4)
    np.testing.assert_allclose(kept.other_form.affine, np.diag([1.42, 1.42, 1.42, 1.0]) @ affine, atol=1e-3)
    assert (kept.code, kept.other_form.code) == (1, 4)


def test_a_map_that_was_given_is_used_and_its_file_kept_in_mind(patient):
    folder, _ = patient
    made, _ = head_from_images(
        folder / "T1.nii.gz", folder / "labels.nii.gz", edge=12.0, mapping=folder / "map.txt"
    )  # fmt: skip
    np.testing.assert_array_equal(made.mapping.mni_from_head, np.eye(4))
    assert "map.txt" in made.mapping.source
    assert len(made.provenance["inputs"]["mapping"]["sha256"]) == 64


def test_labels_of_another_world_than_the_t1_are_refused(tmp_path):
    labels, affine = phantom_labels(8.0)
    elsewhere = affine.copy()
    elsewhere[:3, 3] += 150
    write_image(tmp_path / "T1.nii.gz", labels, affine)
    write_image(tmp_path / "labels.nii.gz", labels, elsewhere)
    with pytest.raises(InputError, match="one head in one world"):
        head_from_images(tmp_path / "T1.nii.gz", tmp_path / "labels.nii.gz")


def test_a_plain_mesh_is_a_head_without_a_mapping(tmp_path, head):
    write_msh(tmp_path / "ernie.msh", head.mesh)
    read = read_head(tmp_path / "ernie.msh")
    np.testing.assert_array_equal(read.conductivity, head.conductivity)
    assert read.mapping is None
    assert read.name == "ernie"
    write_msh(tmp_path / "metres.msh", TetMesh(head.mesh.nodes / 1e3, head.mesh.tets, head.mesh.tags))
    with pytest.raises(InputError, match="must be in mm"):
        read_head(tmp_path / "metres.msh")
    write_msh(tmp_path / "rubber.msh", TetMesh(head.mesh.nodes, head.mesh.tets, head.mesh.tags + 100))
    with pytest.raises(InputError, match="Mesh tags"):
        read_head(tmp_path / "rubber.msh")


def test_damaged_head_folders_are_refused_in_one_line(tmp_path, head):
    write_head(head, tmp_path / "HEAD", qc=False)
    card = tmp_path / "HEAD" / "head.json"
    good = json.loads(card.read_text())
    cases = {
        "not json": "{",
        "no schema": json.dumps({"a": 1}),
        "newer": json.dumps(good | {"schema_version": 99}),
        "no tissues": json.dumps({key: value for key, value in good.items() if key != "tissues"}),
        "a tissue missing": json.dumps(good | {"tissues": good["tissues"][1:]}),
        "mapping of the wrong shape": json.dumps(good | {"mapping": {"mni_from_head": [1, 2], "source": ""}}),
    }
    for text in cases.values():
        card.write_text(text)
        with pytest.raises(InputError) as caught:
            read_head(tmp_path / "HEAD")
        assert "\n" not in str(caught.value)
    for path in (tmp_path / "none", tmp_path, card):
        with pytest.raises(InputError):
            read_head(path)
        assert not is_head(path)


def test_both_shelves_have_cards():
    assert names_on("meshes") == ["colin27", "sphere"]
    assert (shelf("meshes") / "colin27" / "NOTICE").read_text().count("Copyright (C) 1993-2004 Louis Collins") == 1


def test_a_built_in_head_is_kept_used_again_and_rebuilt_when_damaged(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    built = []

    def small(ready, edge, **keywords):
        built.append((edge, ready.labels.max()))
        labels, affine = phantom_labels(6.0)
        return build_head(labels, affine, edge=12.0, mapping=keywords["mapping"], name=keywords["name"])

    monkeypatch.setattr(examples, "build_prepared", small)
    first = examples.example_head("colin27")
    assert_same_head(examples.example_head("colin27"), first)
    assert built == [(1.9, 6)]
    (kept,) = (tmp_path / "neuro_field" / "heads").iterdir()
    kept.write_bytes(kept.read_bytes()[:5000])
    assert_same_head(replace(examples.example_head("colin27"), provenance=first.provenance), first)
    assert len(built) == 2
    examples.example_head("colin27-stroke")
    assert built[-1][1] == 21
    monkeypatch.setattr(examples, "MOST_KEPT", 2)
    for edge in (3.0, 4.0):
        examples.example_head("colin27", edge=edge)
    assert len(list((tmp_path / "neuro_field" / "heads").iterdir())) == 2
    with pytest.raises(UnknownNameError, match="colin27-stroke"):
        examples.example_head("colin28")


def test_a_head_whose_cache_cannot_be_written_is_built_all_the_same(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    nodes = np.array([[0, 0, 0], [90, 0, 0], [0, 90, 0], [0, 0, 90.0]])
    tiny = HeadModel.from_mesh(TetMesh(nodes, np.array([[0, 1, 2, 3]]), np.array([5])), name="colin27")
    monkeypatch.setattr(examples, "build_prepared", lambda *arguments, **keywords: tiny)
    made = examples.example_head("colin27")
    assert made.mesh is tiny.mesh
    assert {len(made.provenance["inputs"][what]["sha256"]) for what in ("t1", "labels")} == {64}


@pytest.mark.slow
def test_the_built_in_stroke_head_has_its_lesion_on_the_left(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    stroke = examples.example_head("colin27-stroke", edge=4.0)
    lesion = stroke.region("lesion_cavity")
    assert stroke.mesh.volumes[lesion].sum() == pytest.approx(40e3, rel=0.05)
    assert stroke.mesh.centroids[lesion][:, 0].max() < -2
    images = examples.example_images("colin27-stroke")
    assert isinstance(images["t1"], Image)
    assert np.count_nonzero(images["labels"].values == 21) == 40000
