"""Lesions: clipped to brain and CSF, refused when doubtful, and on the side they are said to be."""

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from phantoms import phantom_labels
from scipy.spatial import cKDTree

from neuro_field.arrays import transformed
from neuro_field.errors import InputError, UnknownNameError
from neuro_field.geometry.mesh import TetMesh
from neuro_field.head.lesion import lesion_summary
from neuro_field.head.mapping import AffineMapping
from neuro_field.head.model import HeadModel
from neuro_field.mri.lesion import place_lesion, synthetic_lesion

IDENTITY = AffineMapping(np.eye(4))


def ball(labels, affine, centre, radius):
    """Mask of the voxels within a ball, world mm."""
    world = transformed(np.indices(labels.shape).reshape(3, -1).T.astype(float), affine)
    return (np.linalg.norm(world - centre, axis=1) <= radius).reshape(labels.shape)


def voxel_head(labels, affine, mapping=IDENTITY):
    """A head of five tetrahedra per voxel, enough for volumes and places."""
    index = np.argwhere(labels > 0)
    corners = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [1, 1, 0], [0, 0, 1], [1, 0, 1], [0, 1, 1], [1, 1, 1]])
    five = np.array([[0, 3, 5, 6], [0, 1, 3, 5], [0, 3, 2, 6], [0, 5, 6, 4], [3, 5, 7, 6]])
    nodes = transformed((index[:, None] + corners - 0.5).reshape(-1, 3), affine)
    tets = (np.arange(len(index))[:, None, None] * 8 + five).reshape(-1, 4)
    a, b, c, d = (nodes[tets[:, i]] for i in range(4))
    wrong = np.einsum("ti,ti->t", np.cross(b - a, c - a), d - a) < 0
    tets[wrong] = tets[wrong][:, [0, 2, 1, 3]]
    tags = np.repeat(labels[labels > 0], 5)
    return HeadModel.from_mesh(TetMesh(nodes, tets, tags), mapping=mapping)


def test_a_mask_becomes_a_cavity_and_never_takes_bone_or_scalp():
    labels, affine = phantom_labels(3.0)
    mask = ball(labels, affine, (-55, -18, 8), 30)
    placed = place_lesion(labels, affine, mask)
    for tag in (0, 4, 5):
        np.testing.assert_array_equal(placed.labels == tag, labels == tag)
    np.testing.assert_array_equal(placed.labels == 21, mask & np.isin(labels, (1, 2, 3)))
    assert placed.volume_cm3 == pytest.approx(np.count_nonzero(placed.labels == 21) * 0.027)
    assert placed.drawn_cm3 == pytest.approx(mask.sum() * 0.027)
    assert placed.findings[0].code == "lesion-clipped"


def test_a_rim_is_the_brain_within_its_width_of_the_cavity():
    labels, affine = phantom_labels(2.0)
    centre = (-25, -18, 8)
    placed = place_lesion(labels, affine, ball(labels, affine, centre, 15), rim=4.0)
    rim = placed.labels == 22
    assert (labels[rim] <= 2).all()
    np.testing.assert_array_equal(placed.labels == 21, ball(labels, affine, centre, 15) & (labels > 0))
    cavity, brain = (
        np.argwhere(placed.labels == 21) * 2.0,
        np.argwhere(np.isin(labels, (1, 2)) & ~(placed.labels == 21)),
    )
    within = cKDTree(cavity).query(brain * 2.0)[0] <= 4.0
    assert rim.sum() == within.sum() > 1000
    assert rim[tuple(brain[within].T)].all()
    assert placed.volume_cm3 == pytest.approx(4 / 3 * np.pi * 1.5**3, rel=0.02)  # the rim is no part of what was drawn
    with pytest.raises(InputError, match="rim"):
        place_lesion(labels, affine, ball(labels, affine, centre, 15), rim=-1.0)


def test_lesion_labels_keep_their_kind():
    numbers = (21, 22, 23)
    labels, affine = phantom_labels(4.0)
    lesion = np.zeros(labels.shape, dtype=np.int16)
    for number, radius in zip(reversed(numbers), (20, 15, 10), strict=True):
        lesion[ball(labels, affine, (-30, -18, 8), radius)] = number
    placed = place_lesion(labels, affine, lesion)
    for tag, number in zip((21, 22, 23), numbers, strict=True):
        np.testing.assert_array_equal(placed.labels == tag, lesion == number)
    assert placed.findings == ()


def test_a_mask_on_another_grid_lands_in_the_same_world_place():
    labels, affine = phantom_labels(3.0)
    fine, fine_affine = phantom_labels((1.5, 2.0, 2.5), margin=1.0)
    flipped = np.diag([-1.0, 1.0, 1.0, 1.0])
    flipped[0, 3] = fine.shape[0] - 1
    mask = ball(fine, fine_affine, (-30, -10, 20), 15)[::-1]
    placed = place_lesion(labels, affine, mask, fine_affine @ flipped)
    centre = transformed(np.argwhere(placed.labels == 21).astype(float), affine).mean(axis=0)
    np.testing.assert_allclose(centre, (-30, -10, 20), atol=0.5)
    assert placed.volume_cm3 == pytest.approx(4 / 3 * np.pi * 1.5**3, rel=0.05)


@pytest.mark.parametrize(
    ("lesion", "message"),
    [
        (lambda labels, affine: np.zeros(labels.shape), "at least one voxel"),
        (lambda labels, affine: ball(labels, affine, (0, -18, 90), 6), "outside brain and CSF"),
        (lambda labels, affine: np.isin(labels, (1, 2)), r"at most 40% of the brain; instead it takes 100%"),
        (lambda labels, affine: -1 * ball(labels, affine, (-30, 0, 0), 9), "no negative numbers"),
        (lambda labels, affine: ball(labels, affine, (-30, 0, 0), 9)[1:], "shape of the labels"),
    ],
)
def test_doubtful_lesions_are_refused_in_one_line(lesion, message):
    labels, affine = phantom_labels(4.0)
    with pytest.raises(InputError, match=message) as caught:
        place_lesion(labels, affine, lesion(labels, affine))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("side", "sign"), [("left", -1), ("right", 1)])
def test_a_synthetic_stroke_has_its_volume_keeps_its_side_and_spares_bone(side, sign):
    labels, affine = phantom_labels(3.0)
    mask = synthetic_lesion(labels, affine, mapping=IDENTITY, side=side, volume_cm3=40)
    assert mask.sum() * 0.027 == pytest.approx(40, abs=0.03)
    assert np.isin(labels[mask], (1, 2, 3)).all()
    world = transformed(np.argwhere(mask).astype(float), affine)
    assert (world[:, 0] * sign).min() >= 8
    again = synthetic_lesion(labels, affine, mapping=IDENTITY, side=side, volume_cm3=40)
    np.testing.assert_array_equal(mask, again)


def test_synthetic_strokes_mirror_and_nest():
    labels, affine = phantom_labels(3.0)
    left = synthetic_lesion(labels, affine, mapping=IDENTITY, volume_cm3=40)
    right = synthetic_lesion(labels, affine, mapping=IDENTITY, side="right", volume_cm3=40)
    assert np.count_nonzero(left[::-1] != right) <= 0.01 * left.sum()  # ties may fall either way
    small = synthetic_lesion(labels, affine, mapping=IDENTITY, volume_cm3=10)
    assert not (small & ~left).any()


def test_the_synthetic_stroke_follows_the_mapping_not_the_head_frame():
    labels, affine = phantom_labels(4.0)
    shift = np.eye(4)
    shift[:3, 3] = (200.0, -50.0, 30.0)
    moved = synthetic_lesion(labels, shift @ affine, mapping=AffineMapping(np.linalg.inv(shift)), volume_cm3=30)
    here = synthetic_lesion(labels, affine, mapping=IDENTITY, volume_cm3=30)
    assert np.count_nonzero(moved != here) <= 2  # rounding at ties


def test_a_head_gets_the_lesion_as_tags_and_conductivity():
    labels, affine = phantom_labels(5.0)
    head = voxel_head(labels, affine)
    stroke = synthetic_lesion(head, side="left", volume_cm3=40)
    lesion = stroke.region("lesion_cavity")
    assert np.isin(head.mesh.tags[lesion], (1, 2, 3)).all()
    np.testing.assert_array_equal(stroke.conductivity[lesion], 1.654)
    np.testing.assert_array_equal(stroke.conductivity[~lesion], head.conductivity[~lesion])
    np.testing.assert_array_equal(stroke.mesh.tets, head.mesh.tets)
    summary = lesion_summary(stroke)
    assert summary.volume_cm3 == pytest.approx(40, abs=0.1)
    assert summary.side == "left"
    assert summary.centroid_mni[0] < -20
    assert summary.tissues_cm3 == {"lesion_cavity": pytest.approx(summary.volume_cm3)}


def test_the_summary_of_a_drawn_lesion_is_its_centroid_and_volume():
    labels, affine = phantom_labels(4.0)
    placed = place_lesion(labels, affine, ball(labels, affine, (40, -20, 10), 12))
    summary = lesion_summary(voxel_head(placed.labels, affine))
    np.testing.assert_allclose(summary.centroid, (40, -20, 10), atol=0.5)
    assert summary.volume_cm3 == pytest.approx(placed.volume_cm3)
    assert summary.side == "right"
    unmapped = lesion_summary(voxel_head(placed.labels, affine, mapping=None))
    assert unmapped.side is None
    assert unmapped.centroid_mni is None
    middle = place_lesion(labels, affine, ball(labels, affine, (0, -20, 10), 12))
    assert lesion_summary(voxel_head(middle.labels, affine)).side == "both"  # 3.6 cm3 on either side
    small = place_lesion(labels, affine, ball(labels, affine, (0, -20, 10), 7))
    assert lesion_summary(voxel_head(small.labels, affine)).side == "midline"  # less than 1 cm3 on either side
    beside = place_lesion(labels, affine, ball(labels, affine, (10, -20, 10), 6))  # 0.9 cm3, 4 mm from the midline
    assert lesion_summary(voxel_head(beside.labels, affine)).side == "right"
    assert lesion_summary(voxel_head(labels, affine)) is None


def test_what_no_synthetic_stroke_can_be_is_refused():
    labels, affine = phantom_labels(6.0)
    with pytest.raises(UnknownNameError, match="mca"):
        synthetic_lesion(labels, affine, mapping=IDENTITY, territory="pca")
    with pytest.raises(UnknownNameError, match="left, right"):
        synthetic_lesion(labels, affine, mapping=IDENTITY, side="both")
    with pytest.raises(InputError, match=r"0\.1 to 400"):
        synthetic_lesion(labels, affine, mapping=IDENTITY, volume_cm3=-3)
    with pytest.raises(InputError, match="at most"):
        synthetic_lesion(labels, affine, mapping=IDENTITY, volume_cm3=399)
    with pytest.raises(InputError, match="affine and mapping"):
        synthetic_lesion(labels)
    with pytest.raises(InputError, match="no mapping"):
        synthetic_lesion(voxel_head(labels, affine, mapping=None))


def test_the_built_in_stroke_takes_part_of_the_left_hand_knob_and_spares_the_rest():
    image = nib.load(Path(__file__).parents[1] / "meshes" / "colin27" / "colin27_labels.nii.gz")
    labels = np.asarray(image.dataobj)
    mask = synthetic_lesion(labels, image.affine, mapping=IDENTITY, volume_cm3=40)
    grey = np.argwhere(labels == 2)
    knob = grey[np.linalg.norm(transformed(grey.astype(float), image.affine) - [-37, -21, 58], axis=1) < 8]
    assert 0.1 < mask[tuple(knob.T)].mean() < 0.9
