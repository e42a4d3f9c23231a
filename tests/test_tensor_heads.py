"""Heads with conductivity tensors: made by the command, kept, drawn, planned in, and laws that they obey."""

from functools import lru_cache

import numpy as np
import pytest
from diffusion import write_series, write_tensors
from scipy.spatial.transform import Rotation
from test_tensors import WAY, given, stick, tiny_head, told_of

import neuro_field as nf
from neuro_field.arrays import transformed
from neuro_field.cli import main
from neuro_field.coil.sources import Grid
from neuro_field.geometry.mesh import TetMesh
from neuro_field.head.sphere import sphere_head
from neuro_field.report.direction_pictures import direction_pictures, has_directions
from neuro_field.report.head_page import head_page
from neuro_field.search.candidates import Grid as Candidates
from neuro_field.search.search import with_stability
from neuro_field.store.heads import write_head


@lru_cache(maxsize=1)
def tensor_head():
    """White matter of the small sphere conducts ten times as well along one way as across it."""
    return tiny_head().with_tensors(given(tiny_head(), stick(1.0, 0.1)))


# --- kept and shown ---------------------------------------------------------------------------------------------------


def test_a_head_with_tensors_is_the_same_when_read_again(tmp_path):
    head = tensor_head()
    write_head(head, tmp_path / "HEAD", qc=False)
    again = nf.read_head(tmp_path / "HEAD")
    np.testing.assert_array_equal(again.conductivity, head.conductivity)
    assert again.provenance["tensors"] == head.provenance["tensors"]
    assert told_of(again)["tensor-used"] == told_of(head)["tensor-used"]


def test_the_page_draws_directions_where_there_are_some():
    page = head_page(tensor_head())
    assert "Directions of conductivity" in page
    assert page.count("Wrong on purpose") == 2
    assert not has_directions(tiny_head())
    assert not has_directions(tiny_head().with_tensors(given(tiny_head(), stick(1.0, 0.1)), rule="mc"))


def test_colours_are_red_across_green_along_and_blue_up(monkeypatch):
    shown = []
    monkeypatch.setattr("neuro_field.report.direction_pictures.as_png", lambda figure: shown.append(figure) or b"")
    for axis in range(3):
        head = tiny_head().with_tensors(given(tiny_head(), stick(1.0, 0.1, np.eye(3)[axis])))
        assert list(direction_pictures(head, None)) == [
            "axial", "axial-mirrored", "coronal", "coronal-mirrored", "sagittal",
        ]  # fmt: skip
        (axes,) = shown[-5].axes
        (image,) = axes.images
        middle = np.asarray(image.get_array())[tuple(n // 2 for n in image.get_array().shape[:2])]
        np.testing.assert_allclose(middle, np.eye(3)[axis], atol=1e-6)


def test_lines_lie_along_the_principal_direction_and_the_wrong_ones_mirrored(monkeypatch):
    shown = []
    monkeypatch.setattr("neuro_field.report.direction_pictures.as_png", lambda figure: shown.append(figure) or b"")
    direction_pictures(tensor_head(), None)
    slopes = []
    for figure in shown[:2]:
        ends = np.array(figure.axes[0].collections[0].get_segments())
        steps = ends[:, 1] - ends[:, 0]
        slopes.append(steps[:, 1] / steps[:, 0])
    np.testing.assert_allclose(slopes[0], WAY[1] / WAY[0], rtol=1e-6)  # axial: x to the right, y up
    np.testing.assert_allclose(slopes[1], -WAY[1] / WAY[0], rtol=1e-6)


# --- the command ------------------------------------------------------------------------------------------------------

AFFINE = np.diag([-8.0, 8.0, 8.0, 1.0])
AFFINE[:3, 3] = 88, -88, -88
SHAPE = (23, 23, 23)


def deep():
    places = transformed(np.indices(SHAPE).reshape(3, -1).T.astype(float), AFFINE)
    return (np.linalg.norm(places, axis=1) < 55).reshape(SHAPE)


@pytest.fixture
def plain(tmp_path, monkeypatch):
    """A HEAD folder of the small sphere, to work beside."""
    monkeypatch.chdir(tmp_path)
    write_head(tiny_head(), tmp_path / "PLAIN", qc=False)
    monkeypatch.setattr("neuro_field.store.heads._qc_page", lambda *arguments: "")
    return tmp_path


def world_tensors():
    return np.where(deep()[..., None, None], stick(1.5e-3, 0.3e-3), stick(0.8e-3, 0.75e-3))


def test_the_command_gives_a_finished_head_tensors(plain, capsys):
    write_tensors(plain / "T.nii.gz", world_tensors(), AFFINE, "lower", "voxel")
    assert main(["head", "PLAIN", "--tensors", "T.nii.gz", "-o", "OUT"]) == 2
    assert "does not tell along which axes" in capsys.readouterr().err
    options = ["--tensors", "T.nii.gz", "--tensor-axes", "voxel", "--tensor-rule", "dir"]
    assert main(["head", "PLAIN", *options, "-o", "OUT"]) == 0
    assert "conduct by diffusion tensors in 100 % of their volume (direct:" in capsys.readouterr().out.replace(
        "\n", " "
    )
    head = nf.read_head(plain / "OUT")
    assert head.provenance["tensors"]["rule"] == "dir"
    assert set(head.provenance["inputs"]) == {"tensors"}
    middle = head.conductivity[np.argmin(np.linalg.norm(head.mesh.centroids, axis=1))]
    np.testing.assert_allclose(
        np.linalg.eigh(middle)[1][:, 2] * np.sign(np.linalg.eigh(middle)[1][0, 2]), WAY, atol=1e-4
    )


def test_the_command_fits_tensors_to_images_and_asks_for_the_t1(plain, capsys):
    write_series(plain, world_tensors(), AFFINE)
    assert main(["head", "PLAIN", "--dwi", "dwi.nii.gz", "-o", "OUT"]) == 2  # bval and bvec lie beside it
    assert "There is no T1 beside this head" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--bval", "dwi.bval"], "go with --tensors or --dwi"),
        (["--tensor-rule", "vn"], "go with --tensors or --dwi"),
        (["--tensors", "T.nii.gz", "--dwi", "dwi.nii.gz"], "exclude each other"),
        (["--tensors", "T.nii.gz", "--bvec", "dwi.bvec"], "go with --dwi"),
        (["--dwi", "dwi.nii.gz", "--tensor-order", "upper"], "go with --tensors"),
        (["--dwi", "dwi.nii.gz"], "dwi.bval does not exist; name it with --bval"),
        (["--tensors", "T.nii.gz", "--tensor-rule", "VN"], "must be one of vn, dir, mc"),
        (["--tensors", "T.nii.gz", "--tensor-axes", "ras"], "must be one of fsl, voxel, world, lps"),
        (["--tensors", "T.nii.gz"], "T.nii.gz does not exist"),
    ],
)
def test_options_that_do_not_go_together_are_refused_before_any_work(plain, capsys, options, words):
    assert main(["head", "PLAIN", *options, "-o", "OUT"]) == 2
    assert words in " ".join(capsys.readouterr().err.split())
    assert not (plain / "OUT").exists()


def test_a_plan_in_ten_to_one_white_matter_follows_its_draws():
    head = tensor_head()
    values = np.linalg.eigvalsh(head.conductivity[head.region("white_matter")])
    np.testing.assert_allclose(values[:, 2] / values[:, 0], 10.0)
    solver = nf.Solver(head, tolerance=1e-5)
    target = nf.Target.ball(head, center=(0, 10, 65), radius=8.0)
    coil = nf.load_coil("figure8-70mm")
    made = nf.plan(solver, coil, target, grid=Candidates(radius=8, spacing=8, angle_step=90))
    field = solver.solve(coil, made.best.placement)
    assert target.mean(field) == pytest.approx(made.best.strength, rel=0.01)
    told = with_stability({"target": made}, solver, draws=3)["target"].stability
    assert told.reduced_error < 0.01  # against solves with the draws' conductivities
    assert told.low[0][0] < told.median[0][0] < told.high[0][0]


# --- laws -------------------------------------------------------------------------------------------------------------


def ball(edge=14.0):
    """A ball of one tissue in front of a coil's face: its mesh, and its centre, mm."""
    mesh = sphere_head((60, 70), edge=edge).mesh
    centre = np.array([0.0, 0.0, 90.0])
    return TetMesh(mesh.nodes + centre, mesh.tets, np.full(len(mesh.tets), 2)), centre


def uniform(rate):
    """A flux density that is the same everywhere and rises by ``rate`` (3,) T/s per A/s: A = B x r / 2, sampled."""
    affine = np.diag([20.0, 20.0, 20.0, 1.0])
    affine[:3, 3] = -180, -180, 0
    places = np.moveaxis(np.indices((19, 19, 19)), 0, -1).reshape(-1, 3) @ affine[:3, :3] + affine[:3, 3]
    return nf.Coil("uniform", (Grid(0.5 * np.cross(rate, places * 1e-3).reshape(19, 19, 19, 3), affine),))


@pytest.mark.parametrize("order", [1, 2])
def test_an_anisotropic_ball_in_a_uniform_flux_has_its_closed_form(order):
    """E = sigma^-1 (k x r) has no sources and flows along the surface; its curl is -B: k_x (1/s_y + 1/s_z) = -B_x."""
    mesh, centre = ball()
    sigma, rate = np.array([1.0, 0.1, 0.3]), np.array([0.3, -1.0, 0.7])
    head = nf.HeadModel(mesh, np.tile(np.diag(sigma), (len(mesh.tets), 1, 1)))
    field = nf.Solver(head, tolerance=1e-9, order=order).solve(uniform(rate), nf.Placement(np.eye(4)), didt=1.0)
    other = 1 / sigma
    k = -rate / (other.sum() - other)
    exact = np.cross(k, (mesh.centroids - centre) * 1e-3) / sigma
    volumes = mesh.volumes[:, None]
    off = np.sqrt((volumes * (field.E - exact) ** 2).sum() / (volumes * exact**2).sum())
    assert off < (0.05 if order == 1 else 0.006)  # 0.039 and 0.004; half of the former at half the edge


def test_turning_head_tensors_and_coil_together_changes_nothing():
    head = tensor_head()
    move = np.eye(4)
    move[:3, :3], move[:3, 3] = Rotation.from_euler("xyz", [20, -35, 50], degrees=True).as_matrix(), (12, 5, -30)
    turn = move[:3, :3]
    turned = nf.HeadModel(
        TetMesh(transformed(head.mesh.nodes, move), head.mesh.tets, head.mesh.tags), turn @ head.conductivity @ turn.T
    )
    coil = nf.load_coil("figure8-70mm")
    placement = nf.Placement.on(head.scalp, above=(60, 10, 80), handle_towards=(0, -90, 60))
    one = nf.Solver(head, tolerance=1e-12).solve(coil, placement)
    other = nf.Solver(turned, tolerance=1e-12).solve(coil, nf.Placement(move @ placement.head_from_coil))
    off = np.linalg.norm(one.E @ turn.T - other.E) / np.linalg.norm(one.E)
    assert off < 1e-8
    straight = nf.Solver(tiny_head(), tolerance=1e-6).solve(coil, placement)
    assert np.linalg.norm(one.E - straight.E) / np.linalg.norm(one.E) > 0.05  # the tensors do something
