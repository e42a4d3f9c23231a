"""The patient's own fissure: bent, tilted, mirrored, beside lesions, under a bad map, kept; and none in a sphere."""

from dataclasses import replace
from pathlib import Path

import nibabel
import numpy as np
import pytest
from phantoms import phantom_labels
from scipy.spatial.transform import Rotation
from strokes import Stroke, healthy, lesion_of, stroke_head
from tests_support import mirrored_head, small_head

import neuro_field as nf
from neuro_field.arrays import transformed
from neuro_field.errors import FileFormatError
from neuro_field.geometry.mesh import TetMesh
from neuro_field.head.fissure import Fissure, fissure_of_mesh, fissure_of_sides, fissure_of_tissues, voxel_sampler
from neuro_field.head.mapping import AffineMapping
from neuro_field.mri.build import prepare_labels
from neuro_field.mri.labels import TABLES, to_sides
from neuro_field.report.words import said
from neuro_field.shelf.examples import example_images
from neuro_field.store.heads import write_head

#: Only a mesh of 8 mm tells: it may be off by so much, mm, where its elements are 5 mm long.
OFF = 2.0

SHARED = Path(__file__).parents[2] / "shared" / "data" / "colin27" / "colin27_samseg_labels.nii.gz"


@pytest.fixture(scope="module")
def truth():
    """Centroids of the built-in head's grey matter, and which lie right of the fissure in its labels, by how much."""
    head = healthy()
    points = head.mesh.centroids[head.region("grey_matter")]
    return points, head.known_fissure.right_of(points)


def wrong_cm3(head, off, right):
    """Grey matter deeper than `OFF` mm on one side that is said to be on the other, cm3; ``off`` of the grey matter."""
    grey = head.region("grey_matter")
    bad = (np.sign(off) != np.sign(right)) & (np.abs(right) > OFF)
    return float(np.abs(head.mesh.volumes[grey][bad]).sum() / 1e3)


def moved_mesh(mesh, points):
    return TetMesh(points, mesh.tets, mesh.tags)


def test_a_mesh_alone_tells_the_fissure_that_its_labels_told(truth):
    head, (points, right) = healthy(), truth
    assert head.known_fissure.seen_cm2 > 100
    for mapping in (head.mapping, None):
        found = fissure_of_mesh(head.mesh, mapping)
        assert found.source == "csf"
        assert wrong_cm3(head, found.right_of(points), right) < 0.1


@pytest.mark.parametrize("turned", [(10, 12, -12)])
def test_a_tilted_head_without_a_map_keeps_its_sides(truth, turned):
    head, (points, right) = healthy(), truth
    pose = np.eye(4)
    pose[:3, :3] = Rotation.from_euler("xyz", turned, degrees=True).as_matrix()
    pose[:3, 3] = 15, -25, 30
    found = fissure_of_mesh(moved_mesh(head.mesh, transformed(head.mesh.nodes, pose)))
    assert found is not None
    assert wrong_cm3(head, found.right_of(transformed(points, pose)), right) < 0.1


@pytest.mark.parametrize("off", [-16.0, 12.0])
def test_a_map_that_is_off_does_not_carry_the_fissure_with_it_and_is_told(truth, off):
    shift = np.eye(4)
    shift[0, 3] = off
    head, (points, right) = replace(healthy(), mapping=AffineMapping(shift), known_fissure=None), truth
    assert wrong_cm3(head, head.right_of_midline(points), right) < 0.1
    told = {finding.code: finding for finding in head.findings}
    assert told["head-midline-off"].values["median"] == pytest.approx(abs(off), abs=2.0)
    assert "beside the patient's own fissure" in said(told["head-midline-off"])


def test_a_mirrored_head_has_the_mirrored_fissure(truth):
    head, (points, right) = healthy(), truth
    mirrored = mirrored_head(head)
    kept = mirrored.right_of_midline(points * [-1, 1, 1])
    assert np.allclose(kept, -right, atol=1e-6)
    asked = fissure_of_mesh(mirrored.mesh, head.mapping)
    assert wrong_cm3(head, -asked.right_of(points * [-1, 1, 1]), right) < 0.1


@pytest.mark.parametrize("way", [-1, 1])
def test_a_midline_shifted_by_8_mm_is_followed_in_the_labels(truth, way):
    head, (points, right) = healthy(), truth

    def push(places):
        far = ((places - [0, -20, 35]) / [40, 50, 30]) ** 2
        return np.outer(8 * way * np.exp(-far.sum(axis=1)), [1.0, 0, 0])

    def labels_at(places):
        there = places
        for _ in range(12):  # a contraction: the push changes by less than its size per mm
            there = places - push(there)
        return labels(there)

    image = example_images("colin27")["labels"]
    labels, pushed = voxel_sampler(image.values, image.affine), points + push(points)
    found = fissure_of_tissues(labels_at, np.zeros(3), head.mapping)
    assert wrong_cm3(head, found.right_of(pushed), right) < 0.1
    assert wrong_cm3(head, pushed[:, 0], right) > 5  # by MNI's midline


@pytest.mark.parametrize("side", ["left", "right"])
def test_a_large_lesion_of_the_medial_wall_does_not_take_the_fissure_with_it(truth, side):
    points, right = truth
    head = stroke_head(Stroke("aca", side, 70), known=False)
    left = ~head.region("lesion")[healthy().region("grey_matter")]
    assert wrong_cm3(healthy(), np.where(left, head.right_of_midline(points), right), right) < 0.2


def test_a_sphere_and_a_head_without_folds_have_no_fissure_and_say_so():
    sphere = nf.sphere_head((70, 80, 90), edge=9.0)
    assert sphere.fissure is None
    assert {finding.code: finding.level for finding in sphere.findings}["head-no-fissure"] == "warn"
    with pytest.raises(nf.InputError, match="Nothing tells left from right"):
        sphere.right_of_midline(np.zeros((1, 3)))
    with pytest.raises(nf.InputError, match="Nothing tells left from right"):
        nf.Target.ball(sphere, (0, 0, 60), radius=8, side="left")
    smooth = small_head()
    assert smooth.fissure is None
    assert smooth.right_of_midline(np.array([[3.0, 0, 0]]))[0] == 3.0  # MNI's midline, told in every target:
    named = nf.Target.named(smooth, "m1-leg", "left")
    assert "head-no-fissure" in [finding.code for finding in named.findings]
    assert (smooth.mesh.centroids[named.elements][:, 0] < 0).all()


def freesurfer_head(bend=5.0):
    """Labels of a phantom whose hemispheres, told apart by number, meet in a bent surface; and where."""
    labels, affine = phantom_labels(4.0)
    out = np.select([labels == tag for tag in (1, 2, 3, 4, 5)], [2, 3, 24, 165, 258])
    points = transformed(np.argwhere(labels > 0).astype(float), affine)
    border = bend * np.sin(points[:, 1] / 25)
    right = points[:, 0] > border
    values = out[labels > 0]
    values[right & (values == 2)], values[right & (values == 3)] = 41, 42
    out[labels > 0] = values
    return out, affine, points, points[:, 0] - border


def test_a_segmenters_left_and_right_are_followed_where_it_told_them():
    labels, affine, points, off = freesurfer_head()
    ready = prepare_labels(labels, affine)
    assert ready.fissure.source == "labels"
    clear = (np.abs(off) > 3) & np.isin(labels[labels > 0], (2, 3, 41, 42))  # voxels of 4 mm
    assert (np.sign(ready.fissure.right_of(points[clear])) == np.sign(off[clear])).all()
    lesion = np.zeros(labels.shape, bool)
    places = transformed(np.argwhere(labels >= 0).astype(float), affine).reshape(*labels.shape, 3)
    medial = (np.abs(places - [-9, -10, 20]) < [9, 35, 30]).all(axis=-1)  # along the medial wall
    lesion[medial & np.isin(labels, (2, 3))] = True
    labels[lesion] = 41  # what a segmenter makes of a lesion may be anything: it does not count
    hurt = prepare_labels(labels, affine, lesion.astype(np.uint8))
    assert (np.sign(hurt.fissure.right_of(points[clear])) == np.sign(off[clear])).all()


def test_labels_that_call_left_what_lies_right_are_refused():
    labels, affine, _, _ = freesurfer_head()
    with pytest.raises(nf.InputError, match="orientation in the image's header is wrong"):
        prepare_labels(labels, np.diag([-1.0, 1, 1, 1]) @ affine)


def test_the_tables_know_left_from_right():
    image = np.array([[[2, 41], [1005, 2005]], [[4, 43], [16, 258]]])
    assert to_sides(image, TABLES["freesurfer"]).ravel().tolist() == [-1, 1, -1, 1, 0, 0, 0, 0]
    assert not to_sides(np.array([[[1, 2], [3, 5]], [[1, 2], [3, 5]]]), TABLES["simnibs"]).any()


def test_a_head_that_is_kept_keeps_its_fissure(tmp_path):
    head = stroke_head(Stroke("aca", "left", 30))
    write_head(head, tmp_path / "HEAD", qc=False)
    again = nf.read_head(tmp_path / "HEAD")
    assert again.known_fissure is not None
    points = head.mesh.centroids[::50]
    assert np.allclose(again.known_fissure.right_of(points), head.known_fissure.right_of(points), atol=0.02)
    assert again.mesh.digest == head.mesh.digest
    card = tmp_path / "HEAD" / "head.json"
    card.write_text(card.read_text().replace('"step": 4.0', '"step": "wide"'))
    with pytest.raises(FileFormatError, match="damaged"):
        nf.read_head(tmp_path / "HEAD")


def test_what_changes_conductivity_keeps_the_fissure():
    head = stroke_head(Stroke("aca", "left", 30))
    assert head.with_conductivity({"bone": 0.02}).fissure is head.fissure
    assert head.without_lesion().fissure is head.fissure


def test_bad_fissures_are_refused():
    with pytest.raises(nf.InputError, match="offsets"):
        Fissure(np.eye(4), (0.0, 0.0), 4.0, np.zeros(5), 50.0, "csf")
    with pytest.raises(nf.InputError, match="scaled"):
        Fissure(np.diag([2.0, 1, 1, 1]), (0.0, 0.0), 4.0, np.zeros((5, 5)), 50.0, "csf")


@pytest.mark.shared
def test_the_sheet_of_fluid_lies_where_samseg_changes_from_left_to_right():
    if not SHARED.is_file():
        pytest.skip(f"{SHARED} is not there")
    image = nibabel.load(SHARED)
    labels = np.asarray(image.dataobj)
    sides = to_sides(labels, TABLES["freesurfer"])
    voxels = np.argwhere(sides)
    points, side = transformed(voxels.astype(float), image.affine), sides[tuple(voxels.T)]
    middles = [points[side == way].mean(axis=0) for way in (-1, 1)]
    grey = np.isin(labels[tuple(voxels.T)], (3, 42))
    for found, limit in (
        (fissure_of_sides(voxel_sampler(sides, image.affine), *middles), 0.2),
        (healthy().known_fissure, 0.2),
        (fissure_of_mesh(healthy().mesh, healthy().mapping), 1.0),
    ):
        wrong = np.sign(found.right_of(points)) != side
        assert (wrong & grey).sum() / 1e3 < limit  # cm3 of 600; MNI's midline: 2.7
        assert (wrong & (np.abs(found.right_of(points)) > 3)).sum() < 20
    assert ((np.sign(points[:, 0]) != side) & grey).sum() / 1e3 > 2


def test_strokes_are_what_they_say():
    for stroke in (Stroke("aca", "left", 30), Stroke("mca", "right", 250), Stroke("pons", "left", 2)):
        volume = healthy().mesh.volumes[lesion_of(stroke)].sum() / 1e3
        assert volume == pytest.approx(stroke.cm3, rel=0.1)
