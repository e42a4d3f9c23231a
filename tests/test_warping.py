"""Non-linear maps to MNI: both ways are each other's inverse, nothing folds, tissue fits better, no pull."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from phantoms import phantom_labels
from scipy import ndimage

from neuro_field.arrays import transformed
from neuro_field.cli import main
from neuro_field.errors import FileFormatError, InputError
from neuro_field.head.mapping import AffineMapping, WarpedMapping
from neuro_field.io.images import Image, read_vectors, write_image
from neuro_field.mri import warping
from neuro_field.mri.build import build_head, build_prepared, prepare_labels
from neuro_field.mri.mapping import register_to_mni, template
from neuro_field.mri.warping import tissue_overlap, warp_to_mni
from neuro_field.report.facts import HeadFacts
from neuro_field.store.heads import read_head, write_head
from neuro_field.store.plan_records import head_record

COLIN27 = Path(__file__).parents[1] / "meshes" / "colin27" / "colin27_labels.nii.gz"

AFFINE = AffineMapping(
    np.array([[0.98, 0.1, 0, 3], [-0.12, 0.9, 0.1, 5], [0, -0.1, 1.05, -2], [0, 0, 0, 1]]), "an affine map"
)

#: A grid of MNI space that runs leftwards and is turned and oblong.
GRID = np.array([[-4.0, 0.4, 0, 60], [0.3, 5, 0, -70], [0, 0.2, 6, -50], [0, 0, 0, 1]])


def random_displacement(seed, shape=(24, 26, 20), width=1.5, least=0.1):
    """A smooth random field, mm, as strong as keeps the Jacobian determinant above a bound."""
    rng = np.random.default_rng(seed)
    field = np.stack([ndimage.gaussian_filter(rng.normal(size=shape), width) for _ in range(3)], axis=-1)
    field *= 20 / np.abs(field).max()
    while True:
        try:
            warped = WarpedMapping(AFFINE, field, GRID)
        except InputError:
            field = 0.8 * field
            continue
        if least_jacobian(warped) >= least:
            return warped
        field = 0.95 * field


def least_jacobian(warped):
    """By differences of the mapped grid and a row beyond it, apart from the code's own bookkeeping."""
    shape = np.array(warped.displacement.shape[:3])
    index = np.moveaxis(np.indices(shape + 2), 0, -1) - 1
    mapped = index @ GRID[:3, :3].T + GRID[:3, 3]
    mapped = mapped + warped.displacement[tuple(np.moveaxis(np.clip(index, 0, shape - 1), -1, 0))]
    slopes = np.stack([np.diff(mapped, axis=a)[tuple(slice(-1) if b != a else slice(None) for b in range(3))]
                       for a in range(3)], axis=-1)  # fmt: skip
    return (np.linalg.det(slopes) / np.linalg.det(GRID[:3, :3])).min()


@pytest.fixture(scope="module")
def warped():
    return random_displacement(1)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), width=st.sampled_from([1.0, 1.5, 3.0]))
@example(seed=8388607, width=1.5)  # whole steps go round in a circle beyond the grid
def test_to_and_from_mni_are_each_others_inverse_within_and_beyond_the_grid(seed, width):
    mapping = random_displacement(seed, width=width)
    assert np.linalg.norm(mapping.displacement, axis=-1).max() > 1.5
    points = np.random.default_rng(seed).uniform(-150, 150, (3000, 3))
    np.testing.assert_allclose(mapping.from_mni(mapping.to_mni(points)), points, atol=0.01)
    np.testing.assert_allclose(mapping.to_mni(mapping.from_mni(points)), points, atol=0.1)


def test_grid_points_go_where_the_displacement_says(warped):
    index = np.array([[3, 4, 5], [0, 0, 0], [23, 25, 19], [12, 20, 8]])
    places = transformed(index.astype(float), GRID)
    expected = AFFINE.from_mni(places + warped.displacement[tuple(index.T)])
    np.testing.assert_allclose(warped.from_mni(places), expected, atol=1e-4)
    np.testing.assert_array_equal(warped.mni_from_head, AFFINE.mni_from_head)


def test_slopes_are_those_of_finite_differences(warped):
    index = np.random.default_rng(0).uniform(0.1, 0.9, (50, 3)) + np.random.default_rng(1).integers(0, 18, (50, 3))
    points, h = transformed(index, GRID), 1e-3
    for axis in range(3):
        step = h * np.eye(3)[axis]
        difference = (warped._displacement(points + step) - warped._displacement(points - step)) / (2 * h)
        np.testing.assert_allclose(warped._slope(points)[:, :, axis], difference, atol=1e-4)


def test_no_displacement_is_the_affine_map():
    still = WarpedMapping(AFFINE, np.zeros((5, 5, 5, 3)), GRID)
    points = np.random.default_rng(0).uniform(-100, 100, (50, 3))
    np.testing.assert_allclose(still.to_mni(points), AFFINE.to_mni(points))
    np.testing.assert_allclose(still.from_mni(points), AFFINE.from_mni(points))


def test_a_displacement_that_folds_is_refused_with_its_number():
    field = np.zeros((8, 8, 8, 3))
    field[4, 4, 4] = 1.5 * GRID[:3, 0]  # a point pushed past its neighbour
    with pytest.raises(InputError, match=r"Jacobian determinant falls to -0\.5.*in \d+ cells"):
        WarpedMapping(AFFINE, field, GRID)
    field[4, 4, 4] = 0.5 * GRID[:3, 0]
    WarpedMapping(AFFINE, field, GRID)


@pytest.mark.parametrize(("degrees", "folds"), [(80, False), (100, True)])
def test_a_turn_of_the_whole_grid_folds_where_the_displacement_stops_growing(degrees, folds):
    c, s = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    places = np.moveaxis(np.indices((6, 6, 6)), 0, -1).astype(float)
    field = places @ (np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]) - np.eye(3)).T
    if folds:
        with pytest.raises(InputError, match=r"Jacobian determinant falls to -0\.17"):
            WarpedMapping(AFFINE, field, np.eye(4))
    else:
        WarpedMapping(AFFINE, field, np.eye(4))


@pytest.mark.parametrize(
    ("field", "grid", "message"),
    [
        (np.zeros((5, 5, 5)), GRID, "shape"),
        (np.zeros((5, 5, 1, 3)), GRID, "shape"),
        (np.full((5, 5, 5, 3), np.nan), GRID, "finite"),
        (np.zeros((5, 5, 5, 3)), np.zeros((4, 4)), "invertible"),
    ],
)
def test_what_is_no_warp_is_refused(field, grid, message):
    with pytest.raises(InputError, match=message):
        WarpedMapping(AFFINE, field, grid)


# ---------------------------------------------------------------- finding one


@pytest.fixture(scope="module")
def colin27():
    """Labels at 2 mm (every other voxel), their affine and their affine map."""
    image = nib.load(COLIN27)
    labels = np.asarray(image.dataobj)[::2, ::2, ::2].astype(np.uint8)
    affine = image.affine @ np.diag([2.0, 2.0, 2.0, 1.0])
    return labels, affine, register_to_mni(labels, affine)


def test_a_short_registration_already_fits_better_and_tells_its_progress(colin27, monkeypatch):
    monkeypatch.setattr(warping, "ITERATIONS", (10, 3))
    labels, affine, mapping = colin27
    told = []
    found = warp_to_mni(labels, affine, mapping, told.append)
    before, after = (tissue_overlap(labels, affine, used) for used in (mapping, found))
    assert after["white_matter"] > before["white_matter"] + 0.04
    assert after["grey_matter"] > before["grey_matter"] + 0.04
    assert told == sorted(told)
    assert told[-1] == 1.0
    assert "SyN" in found.source
    assert mapping.source in found.source


def test_a_map_that_fits_worse_is_refused(colin27, monkeypatch):
    labels, affine, mapping = colin27
    shift = np.zeros((*template().image.shape, 3), dtype=np.float32)
    shift[..., 0] = 9.0
    monkeypatch.setattr(warping, "_normalised", lambda *arguments: shift)
    with pytest.raises(InputError, match="fits worse than the affine one"):
        warp_to_mni(labels, affine, mapping)


def test_overlap_is_whole_for_the_template_itself_and_leaves_a_lesion_out():
    target = template()
    identity = AffineMapping(np.eye(4))
    assert tissue_overlap(target.tissues, target.affine, identity) == {"white_matter": 1.0, "grey_matter": 1.0}
    hurt = target.tissues.copy()
    hurt[20:40, 40:70, 40:60] = 21
    assert tissue_overlap(hurt, target.affine, identity) == {"white_matter": 1.0, "grey_matter": 1.0}
    hurt[hurt == 21] = 3
    assert tissue_overlap(hurt, target.affine, identity)["white_matter"] < 0.97


def test_without_the_library_one_line_names_the_extra_before_any_work(monkeypatch, tmp_path, capsys):
    monkeypatch.setitem(sys.modules, "dipy.align", None)
    labels, affine = phantom_labels(8.0)
    with pytest.raises(InputError, match=r"neuro_field\[nonlinear\]"):
        build_head(labels, affine, edge=12.0, nonlinear=True)
    write_image(tmp_path / "T1.nii.gz", labels, affine)
    command = ["head", str(tmp_path / "T1.nii.gz"), "--nonlinear", "-o", str(tmp_path / "HEAD")]
    assert main(command) == 2
    assert "neuro_field[nonlinear]" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["T1.nii.gz"]


def test_a_warp_upon_a_warp_is_refused_and_a_mesh_cannot_be_warped(warped, tmp_path, capsys):
    labels, affine = phantom_labels(8.0)
    with pytest.raises(InputError, match="non-linear already"):
        build_head(labels, affine, edge=12.0, mapping=warped, nonlinear=True)
    assert main(["head", "example:colin27", "--nonlinear", "-o", str(tmp_path / "HEAD")]) == 2
    assert "--nonlinear" in capsys.readouterr().err


# ---------------------------------------------------------------- in a head


def test_a_warped_head_is_written_shown_and_read_back_the_same(warped, tmp_path):
    labels, affine = phantom_labels(6.0)
    ready = prepare_labels(labels, affine)
    head = build_prepared(ready, 12.0, mapping=warped, name="phantom")
    assert set(head.provenance["mapping_overlap"]) == {"affine", "nonlinear"}
    write_head(head, tmp_path / "HEAD", labels=Image(ready.labels, ready.affine, tmp_path / "labels.nii.gz"))
    read = read_head(tmp_path / "HEAD")
    np.testing.assert_array_equal(read.mapping.displacement, warped.displacement)
    np.testing.assert_allclose(read.mapping.mni_from_voxel, GRID, atol=1e-5)
    np.testing.assert_array_equal(read.mapping.mni_from_head, AFFINE.mni_from_head)
    assert (read.mapping.source, read.mapping.affine.source) == (warped.source, AFFINE.source)
    points = np.random.default_rng(0).uniform(-60, 60, (100, 3))
    np.testing.assert_allclose(read.to_mni(points), head.to_mni(points), atol=1e-3)
    page = (tmp_path / "HEAD" / "qc.html").read_text()
    assert "Above the affine map, below the non-linear one" in page
    assert f"{head.provenance['mapping_overlap']['nonlinear']['grey_matter']:.3f}" in page
    assert nib.load(tmp_path / "HEAD" / "mni_warp.nii.gz").header["sform_code"] == 4  # MNI152
    (tmp_path / "HEAD" / "mni_warp.nii.gz").unlink()
    with pytest.raises(InputError, match=r"mni_warp\.nii\.gz does not exist"):
        read_head(tmp_path / "HEAD")


def test_an_affine_head_has_no_warp_beside_it(tmp_path):
    labels, affine = phantom_labels(6.0)
    head = build_head(labels, affine, edge=12.0, mapping=AFFINE)
    write_head(head, tmp_path / "HEAD", qc=False)
    assert not (tmp_path / "HEAD" / "mni_warp.nii.gz").exists()
    card = json.loads((tmp_path / "HEAD" / "head.json").read_text())
    assert card["mapping"]["warp"] is None


def test_images_of_vectors_are_read_whole_or_refused(tmp_path):
    field = np.arange(2 * 3 * 4 * 3, dtype=np.float32).reshape(2, 3, 4, 3)
    write_image(tmp_path / "a.nii.gz", field, GRID)
    np.testing.assert_array_equal(read_vectors(tmp_path / "a.nii.gz").values, field)
    write_image(tmp_path / "b.nii.gz", field[:, :, :, None], GRID)
    np.testing.assert_array_equal(read_vectors(tmp_path / "b.nii.gz").values, field)
    for name, values, message in (
        ("c", field[..., :2], "three numbers per voxel"),
        ("d", field[..., 0], "three numbers per voxel"),
        ("e", np.where(field > 60, np.nan, field), "4 voxels do not"),
    ):
        write_image(tmp_path / f"{name}.nii.gz", values, GRID)
        with pytest.raises(InputError, match=message):
            read_vectors(tmp_path / f"{name}.nii.gz")
    (tmp_path / "f.nii.gz").write_bytes((tmp_path / "a.nii.gz").read_bytes()[:-20])
    with pytest.raises(FileFormatError, match="cannot be read"):
        read_vectors(tmp_path / "f.nii.gz")


def test_a_plan_names_the_map_its_coordinates_went_through(warped):
    labels, affine = phantom_labels(6.0)
    head = build_head(labels, affine, edge=12.0, mapping=replace(warped, source="warped"))
    assert head_record(head, HeadFacts.of(head))["mapping"] == "warped"


@pytest.mark.slow
def test_colin27_fits_the_template_and_a_stroke_does_not_pull_its_map(colin27):
    labels, affine, mapping = colin27
    world = transformed(np.argwhere(labels >= 0).astype(float), affine).reshape(*labels.shape, 3)
    away = np.linalg.norm(world - [-45, -15, 30], axis=-1)
    cavity = (away < 22) & np.isin(labels, (1, 2, 3))
    near = world[(away > 24) & (away < 36) & np.isin(labels, (1, 2))][::3]
    hurt = {tag: np.where(cavity, np.uint8(tag), labels) for tag in (21, 3)}
    whole = warp_to_mni(labels, affine, mapping)
    masked = warp_to_mni(hurt[21], affine, register_to_mni(hurt[21], affine))
    as_fluid = warp_to_mni(hurt[3], affine, register_to_mni(hurt[3], affine))
    overlap = tissue_overlap(labels, affine, whole)
    assert overlap["white_matter"] > 0.79
    assert overlap["grey_matter"] > 0.77
    pulled, unmasked = (
        np.linalg.norm(found.to_mni(near) - whole.to_mni(near), axis=1).mean() for found in (masked, as_fluid)
    )
    assert pulled < 1.0  # mm, where the map itself moves brain by 3
    assert pulled < 0.5 * unmasked
    points = world[labels > 0][::5]
    np.testing.assert_allclose(whole.from_mni(whole.to_mni(points)), points, atol=0.01)
    np.testing.assert_allclose(whole.to_mni(whole.from_mni(points)), points, atol=0.1)
    np.testing.assert_array_equal(warp_to_mni(labels, affine, mapping).displacement, whole.displacement)
