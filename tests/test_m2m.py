"""SimNIBS folders: mesh, tissues, T1 and maps to MNI are read as they lie there, and what cannot be told is refused."""

import json
from dataclasses import replace

import nibabel as nib
import numpy as np
import pytest
from phantoms import CENTRE, HALF_AXES, phantom_labels
from scipy import ndimage
from tests_support import accepted, only

from neuro_field.arrays import transformed
from neuro_field.cli import main
from neuro_field.errors import FileFormatError, InputError
from neuro_field.findings import Finding
from neuro_field.head.mapping import AffineMapping, WarpedMapping
from neuro_field.io import m2m
from neuro_field.io.images import write_image
from neuro_field.io.msh import write_msh
from neuro_field.mri.build import build_head
from neuro_field.mri.coordinate_maps import coordinate_mapping
from neuro_field.mri.mapping import MapRefused
from neuro_field.store import heads
from neuro_field.store.heads import head_images, is_head, read_head

MAPPING = AffineMapping(np.array([[1.02, 0.01, 0, 3], [0, 0.98, 0.1, 1 / 3], [0, -0.1, 1.01, -2], [0, 0, 0, 1]]), "x")

#: Grids of 4 mm: of MNI space running leftwards as SimNIBS has it, and of the head, turned.
MNI_GRID = np.array([[-4.0, 0, 0, 96], [0, 4, 0, -132], [0, 0, 4, -96], [0, 0, 0, 1]])
HEAD_GRID = np.array([[4.0, 0.4, 0, -110], [-0.4, 4, 0, -120], [0, 0, 4, -100], [0, 0, 0, 1]])
MNI_SHAPE, HEAD_SHAPE = (49, 62, 56), (56, 60, 54)


@pytest.fixture(scope="module")
def head():
    labels, affine = phantom_labels(6.0)
    return build_head(labels, affine, edge=12.0, mapping=MAPPING, name="phantom")


@pytest.fixture(scope="module")
def truth():
    """A map to MNI that bends the head by up to 8 mm."""
    rng = np.random.default_rng(5)
    field = np.stack([ndimage.gaussian_filter(rng.normal(size=MNI_SHAPE), 4) for _ in range(3)], axis=-1)
    return WarpedMapping(MAPPING, 8 * field / np.abs(field).max(), MNI_GRID)


@pytest.fixture(scope="module")
def brain():
    """Points all over the phantom's brain, mm."""
    points = np.random.default_rng(0).uniform(-1, 1, (3000, 3))
    return points[(points**2).sum(axis=1) < 1] * HALF_AXES[2] + CENTRE


def grid_points(shape, affine):
    return transformed(np.moveaxis(np.indices(shape), 0, -1).reshape(-1, 3).astype(float), affine)


def coordinates(truth, kind):
    """SimNIBS's image of coordinates: of the head on the grid of MNI space, or the other way round."""
    if kind == "MNI2Conform":
        return truth.from_mni(grid_points(MNI_SHAPE, MNI_GRID)).reshape(*MNI_SHAPE, 3), MNI_GRID
    return truth.to_mni(grid_points(HEAD_SHAPE, HEAD_GRID)).reshape(*HEAD_SHAPE, 3), HEAD_GRID


@pytest.fixture
def folder(tmp_path, head):
    """A minimal m2m folder without maps: mesh, T1 and tissues of the phantom."""
    folder = tmp_path / "m2m_ernie"
    (folder / "toMNI").mkdir(parents=True)
    write_msh(folder / "ernie.msh", head.mesh)
    labels, affine = phantom_labels(6.0)
    write_image(folder / "final_tissues.nii.gz", labels, affine)
    write_image(folder / "T1.nii.gz", labels.astype(np.float32) * 50, affine)
    return folder


def put(folder, truth, kinds=("MNI2Conform", "Conform2MNI"), affine=True, axis=False):
    """Add SimNIBS's maps; ``axis`` with the extra axis that NIfTI wants of vectors."""
    if affine:
        np.savetxt(folder / "toMNI" / "MNI2conform_12DOF.txt", np.linalg.inv(MAPPING.mni_from_head))
    for kind in kinds:
        values, grid = coordinates(truth, kind)
        values = values[:, :, :, None] if axis else values
        write_image(folder / "toMNI" / f"{kind}_nonl.nii.gz", values.astype(np.float32), grid)


def test_parcels_of_a_folder_tell_its_left_from_its_right(folder):
    """Its mesh of ellipsoids has no fissure to be seen."""
    np.savetxt(folder / "toMNI" / "MNI2conform_12DOF.txt", np.linalg.inv(MAPPING.mni_from_head))
    assert read_head(folder).fissure is None
    labels, affine = phantom_labels(6.0)
    right = transformed(np.moveaxis(np.indices(labels.shape), 0, -1).reshape(-1, 3).astype(float), affine)[:, 0] > 5
    sided = np.array([[0, 2, 3, 24, 515, 511], [0, 41, 42, 24, 515, 511]])[
        right.reshape(labels.shape).astype(int), labels
    ]
    (folder / "segmentation").mkdir()
    write_image(folder / "segmentation" / "labeling.nii.gz", sided.astype(np.int16), affine)
    head = read_head(folder)
    assert head.known_fissure is not None
    assert head.known_fissure.source == "labels"
    np.testing.assert_allclose(head.right_of_midline(np.array([[40.0, -18, 40], [-40, -18, 40]])), [35, -45], atol=4)
    other_way = np.choose(np.isin(sided, (2, 3)) + 2 * np.isin(sided, (41, 42)), [sided, sided + 39, sided - 39])
    write_image(folder / "segmentation" / "labeling.nii.gz", other_way.astype(np.int16), affine)
    with pytest.raises(InputError, match="orientation in the image's header is wrong"):
        read_head(folder)


@pytest.mark.parametrize("mapping", [None, False])
def test_what_mesh_image_and_map_have_to_say_is_all_said(folder, monkeypatch, mapping):
    """Of a folder: its mesh's own findings, those of the T1's header, and a map that is refused."""
    of_mesh = Finding("head-mesh-curved", "note", {"order": 2})
    file = heads.read_msh(folder / "ernie.msh")
    monkeypatch.setattr(heads, "read_msh", lambda path: replace(file, findings=(of_mesh,)))
    t1 = nib.load(folder / "T1.nii.gz")
    t1 = nib.Nifti1Image(np.asarray(t1.dataobj), t1.affine)
    t1.set_qform(t1.affine, 1)
    t1.set_sform(np.diag([1.2, 1.2, 1.2, 1]) @ t1.affine, 4)
    nib.save(t1, folder / "T1.nii.gz")

    def refused(labels, affine):
        raise MapRefused("overlap", "no")

    monkeypatch.setattr(m2m, "register_to_mni", refused)
    found = {row["code"] for row in read_head(folder, mapping=mapping).provenance["findings"]}
    assert found == {"head-mesh-curved", "image-atlas-form"} | ({"head-map-refused"} if mapping is None else set())


@pytest.mark.parametrize("axis", [False, True])
def test_a_minimal_folder_comes_back_with_mesh_tissues_t1_and_map(folder, head, truth, brain, axis):
    put(folder, truth, axis=axis)
    assert is_head(folder)
    read = read_head(folder)
    np.testing.assert_array_equal(read.mesh.tags, head.mesh.tags)
    assert read.name == "m2m_ernie"
    np.testing.assert_allclose(read.to_mni(brain), truth.to_mni(brain), atol=0.01)
    np.testing.assert_allclose(read.from_mni(truth.to_mni(brain)), brain, atol=0.01)
    assert set(read.provenance["inputs"]) == {"t1", "labels", "affine", "coordinates"}
    assert set(read.provenance["mapping_overlap"]) == {"affine", "nonlinear"}
    assert "MNI2Conform_nonl" in read.mapping.source
    images = head_images(folder)
    np.testing.assert_array_equal(images["labels"].values, phantom_labels(6.0)[0])
    assert images["t1"].values.max() == 250


def test_the_command_keeps_all_of_it_and_shows_it(folder, truth, brain, tmp_path, capsys):
    put(folder, truth)
    assert main(["head", str(folder), "-o", str(tmp_path / "HEAD")]) == 0
    assert "nonlinear map" in capsys.readouterr().out
    names = {path.name for path in (tmp_path / "HEAD").iterdir()}
    assert names == {"head.msh", "head.json", "qc.html", "T1.nii.gz", "tissues.nii.gz", "mni_warp.nii.gz"}
    again = read_head(tmp_path / "HEAD")
    np.testing.assert_allclose(again.to_mni(brain), truth.to_mni(brain), atol=0.01)
    page = (tmp_path / "HEAD" / "qc.html").read_text()
    assert "Above the affine map, below the non-linear one" in page
    assert "There is no label image" not in page
    tissues = json.loads((tmp_path / "HEAD" / "head.json").read_text())["provenance"]["inputs"]
    assert len(tissues["labels"]["sha256"]) == 64


def test_a_map_that_goes_to_mni_is_inverted_whatever_its_name(folder, truth, brain):
    put(folder, truth, kinds=("Conform2MNI",))
    first = read_head(folder)
    # the map is sampled at 4 mm, inverted, and sampled again at 2 mm
    np.testing.assert_allclose(first.to_mni(brain), truth.to_mni(brain), atol=0.5)
    np.testing.assert_allclose(first.from_mni(first.to_mni(brain)), brain, atol=0.01)
    toMNI = folder / "toMNI"
    (toMNI / "Conform2MNI_nonl.nii.gz").rename(toMNI / "MNI2Conform_nonl.nii.gz")
    np.testing.assert_array_equal(read_head(folder).mapping.displacement, first.mapping.displacement)


def test_maps_of_which_nobody_can_tell_the_way_are_refused(folder, head, brain):
    straight = WarpedMapping(AffineMapping(np.eye(4)), np.zeros((*MNI_SHAPE, 3)), MNI_GRID)
    put(folder, straight, kinds=("MNI2Conform",), affine=False)
    np.savetxt(folder / "toMNI" / "MNI2conform_12DOF.txt", np.eye(4))
    with pytest.raises(InputError, match=r"does not tell which way.*0\.0 mm.*0\.0 mm.*remove it"):
        read_head(folder)


def test_a_map_of_another_head_is_refused(folder, truth):
    put(folder, truth, kinds=())
    values, grid = coordinates(truth, "MNI2Conform")
    write_image(folder / "toMNI" / "MNI2Conform_nonl.nii.gz", (values + np.array([40, 0, 30])).astype(np.float32), grid)
    with pytest.raises(InputError, match=r"lies \d+ mm away.*another head"):
        read_head(folder)


def test_a_map_without_anything_to_tell_its_way_by_is_refused(folder, truth):
    put(folder, truth, affine=False)
    (folder / "final_tissues.nii.gz").unlink()
    with pytest.raises(InputError, match=r"neither MNI2conform_12DOF\.txt nor final_tissues"):
        read_head(folder)


def test_a_folder_whose_map_is_refused_is_read_without_one_and_says_so(folder):
    labels, affine = phantom_labels(6.0)
    (folder / "final_tissues.nii.gz").unlink()
    grown = np.array([1.5, 1.5, 1.5, 1.0])
    write_image(folder / "final_tissues.nii.gz", labels, np.diag(grown) @ affine)
    read = accepted(read_head, folder)
    assert read.mapping is None
    found = only([finding for finding in read.findings if finding.code == "head-map-refused"])
    assert found.values["kind"] == "size"
    assert "voxel size" in read.provenance["mapping"]
    without = read_head(folder, mapping=False)
    assert without.mapping is None
    assert "head-map-refused" not in {finding.code for finding in without.findings}


def test_damaged_maps_are_refused_in_one_line(folder, truth):
    put(folder, truth, kinds=())
    path = folder / "toMNI" / "MNI2Conform_nonl.nii.gz"
    for values in (np.zeros((*MNI_SHAPE, 3)), np.zeros(MNI_SHAPE), np.full((*MNI_SHAPE, 3), np.nan)):
        write_image(path, values.astype(np.float32), MNI_GRID)
        with pytest.raises(InputError, match="MNI2Conform_nonl") as caught:
            read_head(folder)
        assert "\n" not in str(caught.value)
    path.write_bytes(b"nothing of the kind")
    with pytest.raises(FileFormatError, match="MNI2Conform_nonl"):
        read_head(folder)


def test_places_that_are_not_known_move_with_their_neighbours(truth, brain):
    values, grid = coordinates(truth, "MNI2Conform")
    outside = np.linalg.norm(grid_points(MNI_SHAPE, MNI_GRID) - CENTRE, axis=1) > 110
    values.reshape(-1, 3)[outside] = 0
    found = coordinate_mapping(values, grid, MAPPING, "a.nii.gz", brain)
    np.testing.assert_allclose(found.to_mni(brain), truth.to_mni(brain), atol=0.01)
    assert np.linalg.norm(found.displacement, axis=-1).max() < 16  # not the 100 mm that zeros would be


def test_a_grid_of_one_millimetre_is_thinned_to_two(truth, brain):
    grid = MNI_GRID @ np.diag([0.25, 0.25, 0.25, 1.0])
    shape = tuple(4 * n - 3 for n in MNI_SHAPE)
    values = np.empty((*shape, 3), dtype=np.float32)
    for i in range(shape[0]):
        slab = grid.copy()
        slab[:3, 3] += i * grid[:3, 0]
        values[i] = truth.from_mni(grid_points((1, *shape[1:]), slab)).reshape(*shape[1:], 3)
    found = coordinate_mapping(values, grid, MAPPING, "a.nii.gz", brain)
    assert found.displacement.shape == (*((n + 1) // 2 for n in shape), 3)
    np.testing.assert_allclose(found.to_mni(brain), truth.to_mni(brain), atol=0.01)


def test_a_map_that_folds_in_places_is_smoothed_and_says_so(truth, brain):
    values, grid = coordinates(truth, "MNI2Conform")
    values[20, 20, 20] += [6.0, 0, 0]  # past its neighbour
    found = coordinate_mapping(values, grid, MAPPING, "a.nii.gz", brain)
    assert "smoothed by 2 mm because it folded" in found.source
    assert np.linalg.norm(found.to_mni(brain) - truth.to_mni(brain), axis=1).mean() < 0.3
    values[20:28] = values[20:28][::-1]  # left for right
    with pytest.raises(InputError, match="must not fold"):
        coordinate_mapping(values, grid, MAPPING, "a.nii.gz", brain)


def test_an_m2m_folder_brings_its_affine_turned_the_right_way(tmp_path, head):
    folder = tmp_path / "m2m_ernie"
    (folder / "toMNI").mkdir(parents=True)
    write_msh(folder / "ernie.msh", head.mesh)
    head_from_mni = np.linalg.inv(MAPPING.mni_from_head)
    np.savetxt(folder / "toMNI" / "MNI2conform_12DOF.txt", head_from_mni)
    assert is_head(folder)
    read = read_head(folder)
    np.testing.assert_allclose(read.mapping.mni_from_head, MAPPING.mni_from_head, atol=1e-9)
    assert "SimNIBS" in read.mapping.source
    away = head_from_mni.copy()
    away[:3, 3] += 80
    np.savetxt(folder / "toMNI" / "MNI2conform_12DOF.txt", away)
    with pytest.raises(InputError, match="does not belong"):
        read_head(folder)
    (folder / "toMNI" / "MNI2conform_12DOF.txt").write_text("not a matrix")
    with pytest.raises(FileFormatError, match="MNI2conform"):
        read_head(folder)


def test_an_m2m_folder_without_an_affine_is_mapped_by_its_labels(tmp_path, head, monkeypatch):
    folder = tmp_path / "m2m_ernie"
    folder.mkdir()
    write_msh(folder / "ernie.msh", head.mesh)
    assert read_head(folder).mapping is None
    labels, affine = phantom_labels(6.0)
    write_image(folder / "final_tissues.nii.gz", labels, affine)
    seen = []
    monkeypatch.setattr(
        "neuro_field.io.m2m.register_to_mni", lambda labels, affine: seen.append(labels.max()) or MAPPING
    )
    assert read_head(folder).mapping is MAPPING
    assert seen == [5]
