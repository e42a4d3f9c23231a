"""Fields as files: on the T1's grid, on the cortex, on the mesh; what is read again is the field that was computed."""

import json
from dataclasses import replace
from functools import lru_cache

import nibabel as nib
import numpy as np
import pytest
from scipy.spatial.transform import Rotation
from tiny_study import tiny_study

import neuro_field as nf
from neuro_field.cli import main
from neuro_field.errors import InputError
from neuro_field.field.sampling import cortex, on_grid
from neuro_field.geometry.locate import locate
from neuro_field.io.images import Image, read_image
from neuro_field.io.msh import read_msh
from neuro_field.report.opengl import PictureError
from neuro_field.store import plans
from neuro_field.store.field_images import derivative_name, write_field_images
from neuro_field.store.fields import FORMATS, write_field
from neuro_field.store.heads import write_head
from neuro_field.store.plans import read_plan, write_study

RADII = (70.0, 76.0, 82.0)


@lru_cache(maxsize=1)
def small_field():
    head = nf.sphere_head(radii=RADII, edge=7.0)
    placement = nf.Placement.on(head.scalp, above=(20, 0, 80), handle_towards=(20, -90, 80), gap=6.0)
    return nf.Solver(head, tolerance=1e-6).solve(nf.load_coil("figure8-70mm"), placement, didt=5e7)


def oblique_grid(edge=9.0, count=24):
    """A grid turned and shifted against the head, left-handed as many T1 are."""
    affine = np.eye(4)
    turn = Rotation.from_euler("xyz", [20, -10, 30], degrees=True).as_matrix()
    affine[:3, :3] = turn @ np.diag([-edge, edge, 1.1 * edge])
    affine[:3, 3] = -affine[:3, :3] @ np.full(3, (count - 1) / 2) + [3.0, -2.0, 1.0]
    return Image(np.zeros((count, count, count), np.uint8), affine, "T1.nii.gz")


def test_voxels_hold_the_field_at_their_centres_in_the_head_frame():
    grid, field = oblique_grid(), small_field()
    values = on_grid(field, grid.affine, grid.values.shape)
    index = np.argwhere(np.ones(grid.values.shape, bool))
    points = index @ grid.affine[:3, :3].T + grid.affine[:3, 3]
    expected = np.nan_to_num(field.at(points)).astype(np.float32).reshape(values.shape)
    assert np.allclose(values, expected, rtol=1e-4, atol=1e-5 * np.abs(expected).max())
    outside = np.linalg.norm(points, axis=1) > RADII[-1]
    assert not values.reshape(-1, 3)[outside].any()
    brain = np.linalg.norm(points, axis=1) < 66
    exact = nf.analytic.sphere_field(points[brain], field.coil, field.placement, didt=5e7)
    assert np.linalg.norm(values.reshape(-1, 3)[brain] - exact) < 0.02 * np.linalg.norm(exact)


def test_chunks_change_nothing_and_a_grid_beside_the_head_is_refused(monkeypatch):
    grid, field = oblique_grid(), small_field()
    whole = on_grid(field, grid.affine, grid.values.shape)
    shares = []
    monkeypatch.setattr("neuro_field.field.sampling._AT_ONCE", 2000)
    assert np.allclose(on_grid(field, grid.affine, grid.values.shape, progress=shares.append), whole, rtol=1e-5)
    assert shares[-1] == 1.0
    assert len(shares) > 3
    away = grid.affine.copy()
    away[:3, 3] += 1000
    with pytest.raises(InputError, match="No voxel"):
        on_grid(field, away, grid.values.shape)


def test_images_are_named_described_and_placed(tmp_path):
    grid, field = oblique_grid(), small_field()
    paths = write_field_images(field, tmp_path, grid, role="contralesional", subject="07")
    assert [path.name for path in paths] == [
        "sub-07_space-T1w_desc-contralesionalMagnE_efield.nii.gz",
        "sub-07_space-T1w_desc-contralesionalE_efield.nii.gz",
    ]
    magnitude, vectors = (nib.load(path) for path in paths)
    assert np.allclose(magnitude.affine, grid.affine, atol=1e-4)
    assert magnitude.shape == grid.values.shape
    assert np.allclose(np.linalg.norm(vectors.get_fdata(), axis=-1), magnitude.get_fdata(), atol=1e-4)
    about = json.loads((tmp_path / paths[0].name.replace(".nii.gz", ".json")).read_text())
    assert (about["Units"], about["DIDT_A_per_s"]) == ("V/m", 5e7)
    with pytest.raises(InputError, match="letters and digits"):
        derivative_name("magnE", "efield", ".nii.gz", "John Doe")


def test_cortex_points_lie_in_grey_matter_just_inside_its_surface():
    head = small_field().head
    surface, points = cortex(head)
    assert np.allclose(np.linalg.norm(surface.points, axis=1), RADII[0], atol=1e-6)
    assert (np.einsum("mi,mi->m", surface.vertex_normals, surface.points) > 0).all()
    elements, _ = locate(head.mesh, points)
    assert head.region("grey_matter")[elements].all()
    assert np.linalg.norm(points - surface.points, axis=1).max() < 3.0
    with pytest.raises(InputError, match="no grey_matter"):
        cortex(nf.HeadModel.from_mesh(replace(head.mesh, tags=np.full(len(head.mesh.tags), 5))))


def test_points_of_a_cortex_that_reaches_the_end_of_the_mesh_lie_by_their_vertices():
    """As where an image ends in the brain: there no other tissue shares the surface's nodes."""
    mesh = nf.sphere_head((40, 46, 52), edge=8.0).mesh
    cut = replace(mesh, tags=np.where(mesh.centroids[:, 0] > 0, 2, 5).astype(np.int32))
    surface, points = cortex(nf.HeadModel.from_mesh(cut))
    elements = locate(cut, points)[0]
    assert (cut.tags[elements] == 2).all()
    own = np.linalg.norm(cut.nodes[cut.tets[elements]] - surface.points[:, None], axis=2).min(axis=1)
    assert own.max() == 0.0


def test_every_format_gives_the_field_back(tmp_path):
    import pyvista as pv

    field, grid = small_field(), oblique_grid()
    write_field(field, tmp_path / "OUT", formats=FORMATS, grid=grid)
    names = sorted(path.name for path in (tmp_path / "OUT").iterdir())
    assert names == [
        "field.msh", "simulation.json", "sub-01_space-T1w_desc-E_efield.func.gii",
        "sub-01_space-T1w_desc-E_efield.json", "sub-01_space-T1w_desc-E_efield.nii.gz",
        "sub-01_space-T1w_desc-E_efield.vtu", "sub-01_space-T1w_desc-greyOuter_mesh.surf.gii",
        "sub-01_space-T1w_desc-magnE_efield.json", "sub-01_space-T1w_desc-magnE_efield.nii.gz",
    ]  # fmt: skip
    out = tmp_path / "OUT"
    msh = read_msh(out / "field.msh")
    assert np.array_equal(msh.element_data["E"], field.E)
    assert np.array_equal(msh.element_data["magnE"], field.magnE)
    vtu = pv.read(out / "sub-01_space-T1w_desc-E_efield.vtu")
    assert vtu.n_cells == len(field.head.mesh.tets)
    assert np.allclose(vtu.cell_data["E"], field.E, rtol=1e-6)
    assert np.array_equal(vtu.cell_data["tissue"], field.head.mesh.tags)
    assert np.allclose(vtu.compute_cell_sizes()["Volume"], field.head.mesh.volumes, rtol=1e-3)
    surface, points = cortex(field.head)
    geometry = nib.load(out / names[6])
    assert np.allclose(geometry.agg_data("pointset"), surface.points, atol=1e-4)
    assert np.array_equal(geometry.agg_data("triangle"), surface.triangles)
    arrays = {array.meta["Name"]: array.data for array in nib.load(out / names[2]).darrays}
    assert list(arrays) == ["magnE", "E_x", "E_y", "E_z"]
    assert np.allclose(arrays["E_y"], field.at(points)[:, 1], rtol=1e-5, atol=1e-5)


def test_formats_are_checked_before_anything_is_written(tmp_path):
    with pytest.raises(InputError, match="msh, nifti, gifti, vtu; instead received 'stl'"):
        write_field(small_field(), tmp_path / "OUT", formats=["msh", "stl"])
    with pytest.raises(InputError, match="--image"):
        write_field(small_field(), tmp_path / "OUT", formats=["nifti"])
    assert list(tmp_path.iterdir()) == []


def test_simulate_writes_the_formats_asked_for_on_the_heads_t1(tmp_path, capsys):
    grid = oblique_grid()
    write_head(small_field().head, tmp_path / "HEAD", t1=grid)
    write_head(small_field().head, tmp_path / "BARE")
    place = ["--coil", "figure8-70mm", "--at", "20,0,80", "--handle-towards", "20,-90,80"]
    call = ["simulate", str(tmp_path / "HEAD"), *place, "--format", "nifti, gifti", "-o", str(tmp_path / "OUT")]
    assert main(call) == 0
    names = [path.name for path in (tmp_path / "OUT").iterdir()]
    assert "field.msh" not in names
    image = read_image(tmp_path / "OUT" / "sub-01_space-T1w_desc-magnE_efield.nii.gz")
    assert np.allclose(image.affine, grid.affine, atol=1e-4)
    for head, formats, word in (("HEAD", "stl", "gifti"), ("BARE", "nifti", "--image"), ("HEAD", ",", "gifti")):
        capsys.readouterr()
        refusal = ["simulate", str(tmp_path / head), *place, "--format", formats, "-o", str(tmp_path / "OUT2")]
        assert main(refusal) == 2
        assert word in capsys.readouterr().err
        assert not (tmp_path / "OUT2").exists()


def test_a_plan_writes_both_sides_best_fields_when_given_the_t1(tmp_path, monkeypatch):
    def none(study, face=None):
        raise PictureError("not here")

    monkeypatch.setattr(plans, "study_pictures", none)
    study, grid = tiny_study(), oblique_grid()
    write_study(study, tmp_path / "PLAN", grid=grid)
    names = sorted(path.name for path in (tmp_path / "PLAN" / "fields").glob("*.nii.gz"))
    assert names == [
        f"sub-01_space-T1w_desc-{role}{what}_efield.nii.gz"
        for role in ("contralesional", "ipsilesional")
        for what in ("E", "MagnE")
    ]
    magnitude = read_image(tmp_path / "PLAN" / "fields" / names[1])
    hot = np.array(np.unravel_index(np.argmax(magnitude.values), magnitude.values.shape))
    assert (grid.affine[:3, :3] @ hot + grid.affine[:3, 3])[0] > 0  # under the right-hand coil
    with pytest.raises(InputError, match="holds no field"):
        write_study(read_plan(tmp_path / "PLAN"), tmp_path / "AGAIN", grid=grid)
    assert not (tmp_path / "AGAIN").exists()
