"""10-10 positions: where the published ones lie on Colin27, and laws that hold on any head."""

from itertools import pairwise
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import pyvista as pv
from scipy.spatial import ConvexHull
from scipy.spatial.transform import Rotation

from neuro_field.arrays import transformed
from neuro_field.commands.targets import place_form
from neuro_field.errors import InputError
from neuro_field.geometry.mesh import TetMesh
from neuro_field.head.landmarks import FIDUCIALS_MNI, landmarks_1010, nearest_landmark
from neuro_field.head.mapping import AffineMapping
from neuro_field.head.model import HeadModel

COLIN27 = Path(__file__).parents[1] / "meshes" / "colin27" / "colin27_labels.nii.gz"

#: standard_1005 positions on the Colin27 head, mm.
PUBLISHED = {
    "C3": (-65.4, -11.6, 64.4),
    "C4": (67.1, -10.9, 63.6),
    "Cz": (0.4, -9.2, 100.2),
    "Fz": (0.3, 58.5, 66.5),
    "Pz": (0.3, -81.1, 82.6),
}


def head_of_surface(points, triangles, world=None):
    """A head with a given closed scalp: every triangle joined to one node inside."""
    world = np.eye(4) if world is None else world
    nodes = transformed(np.vstack([points, points.mean(axis=0)]), world)
    tets = np.column_stack([np.full(len(triangles), len(points)), triangles])
    mesh = TetMesh(nodes, tets, np.full(len(tets), 5))
    return HeadModel.from_mesh(mesh, mapping=AffineMapping(np.linalg.inv(world)))


def ellipsoid(world=None, lowest=-1.0, count=20000):
    """A scalp of the size of a head around the MNI origin, cut flat below ``lowest`` of its half-height."""
    turn = np.pi * (1 + 5**0.5) * np.arange(count)
    z = 1 - 2 * (np.arange(count) + 0.5) / count
    ring = np.sqrt(1 - z**2)
    ball = np.column_stack([ring * np.cos(turn), ring * np.sin(turn), z])
    ball = np.vstack([ball, ball * [-1, 1, 1]])  # left and right alike
    shape = ball * [84.0, 106.0, 104.0] + [0.0, -16.0, 0.0]
    hull = ConvexHull(shape[ball[:, 2] > lowest])
    return head_of_surface(shape[ball[:, 2] > lowest], hull.simplices, world)


@pytest.fixture(scope="module")
def round_landmarks():
    return landmarks_1010(ellipsoid())


@pytest.fixture(scope="module")
def colin27():
    image = nib.load(COLIN27)
    inside = (np.asarray(image.dataobj)[::2, ::2, ::2] > 0).astype(np.float32)
    grid = pv.wrap(np.pad(inside, 1))
    surface = grid.contour([0.5]).connectivity("largest")
    affine = image.affine @ np.diag([2.0, 2.0, 2.0, 1.0])
    triangles = surface.regular_faces if hasattr(surface, "regular_faces") else surface.faces.reshape(-1, 4)[:, 1:]
    return head_of_surface(transformed(np.asarray(surface.points, dtype=float) - 1, affine), triangles)


def test_positions_on_colin27_lie_where_they_were_published(colin27):
    found = landmarks_1010(colin27)
    for name, place in PUBLISHED.items():
        # 2 mm voxels, and the published positions were not measured on this scalp
        assert np.linalg.norm(found[name] - place) < 4.0, name


def test_left_is_left_and_front_is_front(round_landmarks):
    assert len(round_landmarks) == 65
    for name, (x, y, _) in round_landmarks.items():
        if name[-1] in "13579" and name[0] != "R":
            assert x < -15, name
        if name[-1] in "02468":
            assert x > 15, name
        if name.startswith(("Fp", "AF")):
            assert y > 50, name
        if name.startswith(("O", "PO")):
            assert y < -60, name
    assert round_landmarks["LPA"][0] < 0 < round_landmarks["RPA"][0]


def test_a_symmetric_head_has_symmetric_positions(round_landmarks):
    pairs = {"C3": "C4", "F7": "F8", "P5": "P6", "O1": "O2", "FC1": "FC2", "AF3": "AF4", "T7": "T8"}
    for left, right in pairs.items():
        mirrored = round_landmarks[right] * [-1, 1, 1]
        # the fiducials themselves are 0.3 mm from symmetric
        np.testing.assert_allclose(round_landmarks[left], mirrored, atol=0.6, err_msg=left)


def test_steps_along_the_midline_are_tenths_of_it(round_landmarks):
    names = ["Fpz", "AFz", "Fz", "FCz", "Cz", "CPz", "Pz", "POz", "Oz"]
    chords = [np.linalg.norm(round_landmarks[a] - round_landmarks[b]) for a, b in pairwise(names)]
    # equal arcs of about 37 mm with radii of curvature of 100 to 112 mm have chords that differ by 0.1 mm
    np.testing.assert_allclose(chords, np.mean(chords), rtol=0.01)


def test_every_position_lies_on_the_scalp(round_landmarks):
    for name, place in round_landmarks.items():
        level = np.linalg.norm((place - [0, -16, 0]) / [84, 106, 104])
        assert level == pytest.approx(1.0, abs=0.003), name


def test_positions_turn_with_the_head(round_landmarks):
    world = np.eye(4)
    world[:3, :3] = Rotation.from_euler("xyz", (20, -35, 50), degrees=True).as_matrix()
    world[:3, 3] = (30, -200, 70)
    turned = landmarks_1010(ellipsoid(world))
    for name, place in round_landmarks.items():
        np.testing.assert_allclose(turned[name], transformed(place[None], world)[0], atol=0.05, err_msg=name)


def test_a_pit_in_the_scalp_hardly_moves_the_positions(round_landmarks):
    head = ellipsoid()
    nodes = head.mesh.nodes.copy()
    near = np.linalg.norm(nodes - [-20, 10, 98], axis=1) < 15  # between FCz and C1
    nodes[near] *= 0.93
    found = landmarks_1010(HeadModel.from_mesh(TetMesh(nodes, head.mesh.tets, head.mesh.tags), mapping=head.mapping))
    for name in ("Cz", "C3", "Fz", "T7"):
        np.testing.assert_allclose(found[name], round_landmarks[name], atol=1.0, err_msg=name)


def test_the_nearest_landmark_of_a_landmark_is_itself(round_landmarks):
    head = ellipsoid()
    name, distance = nearest_landmark(head, round_landmarks["C3"] + [0, 0, 3.0], round_landmarks)
    assert name == "C3"
    assert distance == pytest.approx(3.0)
    assert nearest_landmark(head, FIDUCIALS_MNI["Nz"])[0] == "Nz"


def test_a_scalp_that_ends_above_the_ears_is_refused():
    with pytest.raises(InputError, match="ends too high"):
        landmarks_1010(ellipsoid(lowest=0.1))


def test_a_head_without_a_mapping_is_refused():
    head = ellipsoid(count=2000)
    with pytest.raises(InputError, match="no mapping"):
        landmarks_1010(HeadModel.from_mesh(head.mesh))


@pytest.mark.parametrize("typed", ["C3", "c4", "fcz"])
def test_a_place_is_typed_by_its_position_in_any_case_or_by_numbers(typed):
    head = ellipsoid()
    assert np.array_equal(
        place_form(typed, "--at")(head), landmarks_1010(head)[{"c4": "C4", "fcz": "FCz"}.get(typed, typed)]
    )
    assert place_form("-20,40,65", "--at")(head).tolist() == [-20, 40, 65]
    assert place_form("head:-20, 40,65", "--at")(head).tolist() == [-20, 40, 65]
    with pytest.raises(InputError, match="C3"):
        place_form("C33", "--at")
