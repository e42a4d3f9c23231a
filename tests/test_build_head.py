"""From a label image to a head: every step is taken, recorded and refused in one line where it cannot be."""

import json

import numpy as np
import pytest
from phantoms import phantom_labels
from scipy import ndimage

from neuro_field.errors import InputError
from neuro_field.geometry.locate import locate
from neuro_field.head.lesion import lesion_summary
from neuro_field.head.mapping import AffineMapping
from neuro_field.mri.build import build_head, prepare_labels

IDENTITY = AffineMapping(np.eye(4), "the phantom's own")
EDGE = 8.0


@pytest.fixture(scope="module")
def lesioned():
    """A phantom with a mask of a ball on its left, its labels, affine and mask."""
    labels, affine = phantom_labels(4.0)
    world = np.moveaxis(np.indices(labels.shape), 0, -1) @ affine[:3, :3].T + affine[:3, 3]
    mask = np.linalg.norm(world - [-35, -18, 8], axis=-1) < 18
    return build_head(labels, affine, mask, EDGE, mapping=IDENTITY, name="phantom"), labels, affine, mask


def test_a_head_has_the_tissues_of_its_labels_where_the_labels_have_them(lesioned):
    head, labels, affine, mask = lesioned
    assert (head.mesh.volumes > 0).all()
    prepared = prepare_labels(labels, affine, mask).record["label_volumes_cm3"]
    for name, cm3 in prepared.items():
        # cells of 8 mm on shells of 5 mm: thin tissue keeps its volume to a quarter, thick to a few per cent
        assert head.tissue_volumes[name] == pytest.approx(cm3, rel=0.25), name
    low, high = head.scalp.points.min(axis=0), head.scalp.points.max(axis=0)
    np.testing.assert_allclose((low + high) / 2, [0, -18, 8], atol=1.5)
    np.testing.assert_allclose(high - low, 2 * np.array([86, 104, 89]), atol=5)


def test_the_lesion_is_where_the_mask_was_on_the_left(lesioned):
    summary = lesion_summary(lesioned[0])
    assert summary.side == "left"
    np.testing.assert_allclose(summary.centroid, [-35, -18, 8], atol=1.5)
    # chords of 8 mm cut off a seventh of a ball of 18 mm radius
    assert summary.volume_cm3 == pytest.approx(4 / 3 * np.pi * 1.8**3, rel=0.18)


def test_the_record_of_every_step_travels_with_the_head_as_plain_values(lesioned):
    record = lesioned[0].provenance
    assert json.loads(json.dumps(record)) == record
    assert record["label_table"] == "simnibs"
    assert record["cleaning"]["after_cm3"]["bone"] > 0
    assert record["lesion"]["placed_cm3"] == pytest.approx(24.4, rel=0.05)
    assert record["mapping"] == "the phantom's own"
    assert record["mesh"]["tetrahedra"] == len(lesioned[0].mesh.tets)
    assert {"cleaning", "lesion", "meshing"} <= set(record["seconds"])


def test_freesurfer_numbers_and_a_mirrored_grid_give_the_same_head(lesioned):
    _, labels, affine, _ = lesioned
    numbers = np.array([0, 41, 42, 24, 165, 258])[labels]
    mirrored = affine @ np.diag([-1.0, 1.0, 1.0, 1.0])
    mirrored[:3, 3] += affine[:3, 0] * (labels.shape[0] - 1)
    lesion = np.zeros(labels.shape, dtype=bool)
    lesion[labels.shape[0] // 2 + 6 : labels.shape[0] // 2 + 10, 20:30, 20:26] = True  # first axis runs leftwards
    ready = prepare_labels(numbers[::-1], mirrored, lesion)
    x = ready.affine[0, 0] * np.argwhere(ready.labels == 21)[:, 0] + ready.affine[0, 3]
    assert x.max() < 0
    np.testing.assert_array_equal(ready.labels[::-1] == 5, prepare_labels(labels, affine).labels == 5)


def test_progress_names_each_stage_and_ends_it():
    labels, affine = phantom_labels(6.0)
    told = []
    build_head(labels, affine, edge=12.0, mapping=IDENTITY, progress=lambda stage, share: told.append((stage, share)))
    for stage in ("cleaning", "meshing"):
        shares = [share for name, share in told if name == stage]
        assert shares[0] == 0.0
        assert shares[-1] == 1.0
        assert shares == sorted(shares)


def test_a_lesion_on_the_given_grid_follows_when_the_image_is_padded():
    labels, affine = phantom_labels(4.0)
    left = int(np.flatnonzero((labels > 0).any(axis=(1, 2)))[0])
    cut, moved = labels[left + 1 :], affine.copy()
    moved[0, 3] += 4.0 * (left + 1)
    lesion = np.zeros(cut.shape, dtype=np.uint8)
    lesion[8:12, 20:26, 20:26] = 1
    ready = prepare_labels(cut, moved, lesion)
    assert ready.labels.shape[0] > cut.shape[0]
    found = np.argwhere(ready.labels == 21).mean(axis=0) @ ready.affine[:3, :3].T + ready.affine[:3, 3]
    wanted = np.argwhere(lesion).mean(axis=0) @ moved[:3, :3].T + moved[:3, 3]
    np.testing.assert_allclose(found, wanted, atol=1e-9)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda labels, affine: {"labels": labels[:, :, 0]}, "three-dimensional"),
        (lambda labels, affine: {"labels": np.where(labels == 2, 1, labels)}, "by simnibs no grey matter"),
        (lambda labels, affine: {"labels": np.where(labels == 5, 0, labels)}, "by simnibs no scalp"),
        (
            lambda labels, affine: {"labels": np.where(labels == 2, 1, labels), "table": "simnibs"},
            "hold no grey matter,",
        ),
        (
            lambda labels, affine: {"labels": np.where(labels > 3, 0, labels), "table": "simnibs"},
            "no skull and no scalp",
        ),
        (lambda labels, affine: {"affine": None}, "affine of build_head"),
        (lambda labels, affine: {"affine": np.zeros((4, 4))}, "affine of build_head"),
        (lambda labels, affine: {"edge": 0}, "edge"),
        (lambda labels, affine: {"edge": "fine"}, "edge"),
        (lambda labels, affine: {"mapping": np.eye(4)}, "AffineMapping"),
        (lambda labels, affine: {"lesion": np.zeros(labels.shape)}, "at least one voxel"),
        (lambda labels, affine: {"lesion": np.ones((3, 3, 3))}, "shape of the labels"),
    ],
)
def test_what_no_head_can_be_built_of_is_refused_in_one_line(change, message):
    labels, affine = phantom_labels(8.0)
    inputs = {"labels": labels, "affine": affine, "edge": 12.0, "mapping": IDENTITY} | change(labels, affine)
    with pytest.raises(InputError, match=message) as caught:
        build_head(**inputs)
    assert "\n" not in str(caught.value)


def centre_of(mesh, tag):
    """Centre of a tissue's volume, mm."""
    chosen = mesh.tags == tag
    return np.average(mesh.centroids[chosen], axis=0, weights=mesh.volumes[chosen])


@pytest.mark.slow
def test_a_turned_flipped_and_oblong_copy_gives_the_same_head():
    labels, affine = phantom_labels(2.0)
    head = build_head(labels, affine, edge=5.0, mapping=IDENTITY)
    # the same tissues drawn on a grid that is turned by 20 degrees, runs leftwards and has voxels of 1.6 x 2 x 2.6 mm
    angle = np.radians(20)
    turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    other = np.eye(4)
    other[:3, :3] = turn @ np.diag([-1.6, 2.0, 2.6])
    corner = np.array([150.0, -140.0, -110.0])
    other[:3, 3] = turn @ corner + [0, -18, 8]
    shape = (188, 141, 85)
    own_from_other = np.linalg.inv(affine) @ other
    copy = ndimage.affine_transform(labels, own_from_other[:3, :3], own_from_other[:3, 3], shape, order=0)
    same = build_head(copy, other, edge=5.0, mapping=IDENTITY)
    for name, cm3 in head.tissue_volumes.items():
        assert same.tissue_volumes[name] == pytest.approx(cm3, rel=0.04), name
    for tag in np.unique(head.mesh.tags):
        np.testing.assert_allclose(centre_of(head.mesh, tag), centre_of(same.mesh, tag), atol=0.5)
    found, _ = locate(same.mesh, head.mesh.centroids)
    agree = (found >= 0) & (same.mesh.tags[np.maximum(found, 0)] == head.mesh.tags)
    assert head.mesh.volumes[agree].sum() > 0.93 * head.mesh.volumes.sum()


@pytest.mark.slow
def test_the_stairs_of_voxels_do_not_survive_into_the_field():
    """Spheres drawn in voxels of 1 mm and meshed as any head, against the closed form."""
    import neuro_field as nf

    points = np.moveaxis(np.indices((193, 193, 193)), 0, -1) - 96.0
    radius = np.linalg.norm(points, axis=-1)
    labels = np.zeros(radius.shape, dtype=np.uint8)
    for tag, limit in ((5, 92), (4, 87), (3, 81), (2, 78), (1, 65)):
        labels[radius < limit] = tag
    affine = np.eye(4)
    affine[:3, 3] = -96
    head = build_head(labels, affine, edge=3.0, mapping=IDENTITY)
    coil = nf.load_coil("figure8-70mm")
    placement = nf.Placement.on(head.scalp, above=(0, 0, 92), handle_towards=(0, -100, 60), gap=4.0, coil=coil)
    brain = head.mesh.centroids[head.region("brain")]
    expected = nf.analytic.sphere_field(brain, coil, placement)
    found = nf.Solver(head).solve(coil, placement).at(brain)
    assert np.linalg.norm(found - expected) / np.linalg.norm(expected) < 0.03
