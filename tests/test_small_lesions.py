"""Small and thin lesions are in the mesh with their volume, or it is said that they are not; nothing else changes."""

import re
from dataclasses import replace

import numpy as np
import pytest
from phantoms import phantom_labels
from tests_support import only

from neuro_field.geometry.bisection import bisected, edge_lengths
from neuro_field.geometry.locate import locate
from neuro_field.geometry.mesh import TetMesh
from neuro_field.geometry.quality import smallest_dihedral_angles
from neuro_field.head.lesion_elements import filled_shares, with_small_lesions
from neuro_field.head.mesher import mesh_labels
from neuro_field.head.model import HeadModel
from neuro_field.mri.build import meshed, silent
from neuro_field.mri.kept import told_of_pieces, told_of_tissues
from neuro_field.mri.volume import Volume
from neuro_field.report.head_page import head_page
from neuro_field.report.words import said

EDGE = 1.9
SHAPE = (42, 42, 42)
GRID = np.moveaxis(np.indices(SHAPE).astype(float), 0, -1)


def small_head(mask=None):
    """A head of 1 mm voxels and a brain of 14 mm, with or without a lesion."""
    labels = np.zeros(SHAPE, dtype=np.uint8)
    distance = np.linalg.norm(GRID - 20.5, axis=-1)
    for tag, radius in ((5, 19.5), (4, 18), (3, 15.5), (2, 14), (1, 8)):
        labels[distance < radius] = tag
    if mask is not None:
        labels[mask & (labels > 0)] = 21
    return labels


def box(*sides):
    mask = np.zeros(SHAPE, dtype=bool)
    mask[tuple(slice(*side) for side in sides)] = True
    return mask


SEVEN = box((30, 32), (19, 21), (19, 21)) & ~box((30, 31), (19, 20), (19, 20))  # 7 mm3
SHEET = box((31, 33), (13, 27), (15, 27)) & (small_head() == 2)  # 2 mm wide
BALL = np.linalg.norm(GRID - 20.5, axis=-1) < 7  # 1.4 cm3


@pytest.fixture(scope="module")
def meshes():
    return {
        name: mesh_labels(small_head(mask), np.eye(4), edge=EDGE)
        for name, mask in (("seven", SEVEN), ("sheet", SHEET), ("ball", BALL), ("none", None))
    }


def conforms(mesh, other):
    """A mesh that does not conform has a surface inside."""
    return mesh.boundary().areas.sum() == pytest.approx(other.boundary().areas.sum())


@pytest.mark.parametrize(("name", "mask"), [("seven", SEVEN), ("sheet", SHEET)])
def test_what_the_mesher_loses_is_meshed_with_its_volume_and_place(meshes, name, mask):
    before = meshes[name]
    lost = before.volumes[before.tags == 21].sum()
    assert lost < 0.85 * mask.sum()
    pieces = with_small_lesions(before, small_head(mask), np.eye(4), EDGE)
    mesh = pieces.mesh
    assert mesh.volumes[mesh.tags == 21].sum() == pytest.approx(mask.sum(), rel=0.02)
    assert mesh.volumes.min() > 0
    assert mesh.volumes.sum() == pytest.approx(before.volumes.sum())
    assert conforms(mesh, before)
    assert smallest_dihedral_angles(mesh).min() > 8
    shares, _ = filled_shares(mesh.nodes, mesh.tets[mesh.tags == 21], mask.astype(np.uint8), np.eye(4))
    assert np.average(shares, weights=mesh.volumes[mesh.tags == 21]) > 0.75
    assert len(mesh.tets) < len(before.tets) + 100_000
    told = only(told_of_pieces(pieces))
    assert (told.code, told.level, told.values["pieces"]) == ("lesion-meshed-finer", "note", 1)
    assert told.values["before_cm3"] == pytest.approx(lost / 1e3)


def test_far_from_it_nothing_changes(meshes):
    before = meshes["seven"]
    mesh = with_small_lesions(before, small_head(SEVEN), np.eye(4), EDGE).mesh
    far = np.linalg.norm(before.centroids - [31, 20, 20], axis=1) > 12
    kept = {tuple(row) for row in np.round(mesh.centroids, 9)}
    assert all(tuple(row) in kept for row in np.round(before.centroids[far], 9))


@pytest.mark.parametrize(("name", "mask"), [("ball", BALL), ("none", None)])
def test_a_mesh_that_lost_nothing_comes_back_as_it_is(meshes, name, mask):
    pieces = with_small_lesions(meshes[name], small_head(mask), np.eye(4), EDGE)
    assert pieces.mesh is meshes[name]
    assert told_of_pieces(pieces) == ()


def test_one_piece_lost_among_others_is_mended_alone(meshes):
    both = BALL | SEVEN
    mesh = mesh_labels(small_head(both), np.eye(4), edge=EDGE)
    pieces = with_small_lesions(mesh, small_head(both), np.eye(4), EDGE)
    np.testing.assert_allclose(pieces.labels_cm3, [0.007])
    ball, same = (each.volumes[(each.tags == 21) & (each.centroids[:, 0] < 29)].sum() for each in (mesh, pieces.mesh))
    assert same == pytest.approx(ball)


def test_a_piece_that_cannot_be_held_and_a_tissue_that_is_gone_are_told_with_cm3(meshes):
    labels = small_head(SHEET)
    pieces = with_small_lesions(meshes["sheet"], labels, np.eye(4), EDGE)
    poor = replace(pieces, after_cm3=0.1 * pieces.labels_cm3)
    told = only(told_of_pieces(poor))
    assert (told.code, told.level) == ("lesion-lost-in-mesh", "warn")
    assert told.values["after_cm3"] == pytest.approx(0.1 * SHEET.sum() / 1e3)
    told = told_of_tissues(meshes["none"], labels, np.eye(4))
    assert [found.values["tissue"] for found in told] == ["lesion_cavity"]
    gone = only(told)
    assert gone.values["labels_cm3"] == pytest.approx(SHEET.sum() / 1e3)
    assert "the mesh holds 0.00 cm³ only" in said(gone)
    assert told_of_tissues(meshes["ball"], small_head(BALL), np.eye(4)) == ()


def test_bisection_halves_what_is_wanted_and_conforms(meshes):
    mesh = meshes["none"]
    fine = bisected(mesh, lambda part: np.linalg.norm(part.centroids - [31, 20, 20], axis=1) < 3, 0.9)
    wanted = np.linalg.norm(fine.centroids - [31, 20, 20], axis=1) < 3
    assert edge_lengths(fine.nodes, fine.tets[wanted]).max() <= 0.9
    assert smallest_dihedral_angles(fine).min() > 12  # 15; below 9 where neighbours' longest edges do not go first
    assert conforms(fine, mesh)
    points = np.random.default_rng(0).uniform(4, 37, (4000, 3))
    old, new = (locate(each, points)[0] for each in (mesh, fine))
    np.testing.assert_array_equal(mesh.tags[old[old >= 0]], fine.tags[new[old >= 0]])


def test_shares_of_elements_are_those_of_the_voxels_in_them():
    one = TetMesh(np.array([[0.0, 0, 0], [8, 0, 0], [0, 8, 0], [0, 0, 8]]), np.array([[0, 1, 2, 3]]), np.array([1]))
    half = np.zeros((12, 12, 12), dtype=np.uint8)
    half[:2] = 22
    half[2:3] = 21
    affine = np.eye(4)
    affine[:3, 3] = 0.5
    share, kind = filled_shares(one.nodes, one.tets, half, affine)
    assert share[0] == pytest.approx(1 - (5 / 8) ** 3, abs=0.12)
    assert kind[0] == 22


def test_the_page_tells_a_tissue_that_is_gone(meshes):
    page = head_page(HeadModel.from_mesh(meshes["none"]), labels=Volume(small_head(SHEET), np.eye(4)))
    assert re.search(r"The mesh holds 100 % less lesion cavity than the labels \(0\.0 instead of [\d.]+ cm³\)", page)
    assert "not in the mesh" in page


def test_meshing_labels_holds_a_lesion_smaller_than_its_cells_and_records_it():
    labels, affine = phantom_labels(4.0)
    labels = np.array(labels)
    labels[14:16, 22:24, 22:24] = 21  # 0.5 cm3 against cells of 8 mm
    record = {"seconds": {}}
    mesh = meshed(labels, affine, 8.0, None, record, silent)
    assert mesh.volumes[mesh.tags == 21].sum() / 1e3 == pytest.approx(8 * 0.064, rel=0.2)
    assert [row["code"] for row in record["findings"]] == ["lesion-meshed-finer"]
