"""Navigators' files: poses come back to 1e-6 mm, real files read by their makers' rules, damage gets one line."""

import json
import re
import time
from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation
from tests_support import accepted, refusal
from tiny_study import tiny_study

from neuro_field.coil.marker import Marker
from neuro_field.coil.placement import Placement
from neuro_field.errors import FileFormatError, InputError
from neuro_field.io.images import read_image
from neuro_field.navigation.brainsight import brainsight_text, read_brainsight
from neuro_field.navigation.files import WRITERS, Export, convention, export_plan, plan_markers, read_navigator
from neuro_field.navigation.frames import ImageFrames
from neuro_field.navigation.localite import AXES, localite_text
from neuro_field.navigation.sessions import recorded_poses

SAMPLES = Path(__file__).parents[2] / "shared" / "data" / "navigation"
SYSTEMS = list(WRITERS)


#: What each system's files say of a recorded pose beyond its place.  A session of InVesalius is a number.
_LOCALITE, _BRAINSIGHT = ("localite", "localite-lps"), ("brainsight", "brainsight-12")
TELLS = {
    "recorded": (*_LOCALITE, *_BRAINSIGHT, "invesalius", "nibs-bids"),
    "didt": (*_LOCALITE, "nibs-bids"),
    "output": (*_LOCALITE, *_BRAINSIGHT, "nibs-bids"),
    "session": (*_BRAINSIGHT, "invesalius"),
}


def pose(seed):
    """A random pose."""
    rng = np.random.default_rng(seed)
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.random(random_state=seed).as_matrix()
    matrix[:3, 3] = rng.uniform(-120, 120, 3)
    return matrix


def markers(count=5, recorded=False):
    known = {"didt": 62.5e6, "output": 45.5, "session": "session 1"} if recorded else {}
    return [
        Marker(f"mark <&\"'{i}", Placement(pose(i)), recorded=recorded, aim=np.array([1.0, -2.5, i]), **known)
        for i in range(count)
    ]


def image_file(path, qform=None, sform=None):
    """A NIfTI whose forms have the given (affine, code)."""
    image = nib.Nifti1Image(np.zeros((40, 50, 60), np.uint8), None)
    for form, setter in ((qform, image.set_qform), (sform, image.set_sform)):
        setter(None, 0) if form is None else setter(form[0], form[1])
    nib.save(image, path)
    return ImageFrames.read(path)


def scanner(offset=(-70.0, -90.0, -60.0), turned=0.0, size=(1.0, 1.2, 0.9)):
    """An affine as a scanner makes them."""
    affine = np.eye(4)
    affine[:3, :3] = Rotation.from_euler("xyz", [turned, 3, -2], degrees=True).as_matrix() @ np.diag(size)
    affine[:3, 3] = offset
    return affine


def write_files(folder, system, given_markers, how=None):
    """One system's files in a folder; the one to read."""
    paths = {}
    for ending, text in WRITERS[system](given_markers, how or Export()).items():
        paths[ending] = folder / f"sub-01_task-x{ending}"
        paths[ending].write_text(text, encoding="utf-8")
    return paths.get("_markers.tsv") or next(iter(paths.values()))


def assert_same_poses(one, other, tolerance=1e-6):
    """Points of a coil as large as a coil land in the same places."""
    assert len(one) == len(other)
    corners = 100.0 * np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]])
    for a, b in zip(one, other, strict=True):
        apart = np.abs(a.placement.head_points(corners) - b.placement.head_points(corners)).max()
        assert apart <= tolerance, f"{a.name}: {apart:.2g} mm"


@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize("recorded", [False, True])
def test_poses_come_back_to_a_millionth_of_a_millimetre(tmp_path, system, recorded):
    made = markers(recorded=recorded)
    read = read_navigator(write_files(tmp_path, system, made))
    assert read.system == system.replace("-12", "")
    assert_same_poses(made, read.markers)
    assert [marker.recorded for marker in read.markers] == [recorded and system in TELLS["recorded"]] * 5
    assert [marker.name for marker in read.markers] == [
        marker.name.replace('"', "'") if system == "invesalius" else marker.name for marker in made
    ]
    for key in ("didt", "output", "session"):
        empty = "" if key == "session" else None
        told = recorded and system in TELLS[key]
        assert [getattr(marker, key) for marker in read.markers] == [getattr(made[0], key) if told else empty] * 5
    aims = [None if marker.aim is None else marker.aim.tolist() for marker in read.markers]
    assert aims == [marker.aim.tolist() if system == "nibs-bids" else None for marker in made]
    again = read_navigator(write_files(tmp_path, system, read.markers))  # what one trip keeps, the next does too
    assert [(m.name, m.recorded, m.didt, m.output, m.session) for m in again.markers] == [
        (m.name, m.recorded, m.didt, m.output, m.session) for m in read.markers
    ]


@pytest.mark.parametrize("side", [-1, 1])
@pytest.mark.parametrize("system", SYSTEMS)
def test_a_coil_on_either_hand_area_comes_back_on_its_side_with_its_handle(tmp_path, system, side):
    z = np.array([-side * 0.6, 0.0, -0.8])
    y = np.array([-side * 0.5, 0.7, 0.0])
    y -= (y @ z) * z
    y /= np.linalg.norm(y)
    ours = np.eye(4)
    ours[:3] = np.stack([np.cross(y, z), y, z, [side * 45.0, -15.0, 75.0]], axis=1)
    (found,) = read_navigator(write_files(tmp_path, system, [Marker("hand", Placement(ours))])).markers
    np.testing.assert_allclose(found.placement.head_from_coil, ours, atol=1e-6)
    assert found.placement.center[0] * side > 0
    assert found.placement.handle_direction @ [side, 0, 0] > 0  # the handle points outwards
    assert found.placement.axis[2] < 0


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.floats(-180, 180), min_size=3, max_size=3), st.lists(st.floats(-300, 300), min_size=3, max_size=3),
    st.sampled_from(SYSTEMS),
)  # fmt: skip
def test_any_rigid_pose_comes_back(tmp_path_factory, angles, centre, system):
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_euler("xyz", angles, degrees=True).as_matrix()
    matrix[:3, 3] = centre
    made = [Marker("one", Placement(matrix))]
    assert_same_poses(made, read_navigator(write_files(tmp_path_factory.mktemp("pose"), system, made)).markers)


@pytest.mark.parametrize("recorded", [False, True])
@pytest.mark.parametrize("system", SYSTEMS)
def test_files_are_the_same_at_another_time_by_another_person(monkeypatch, system, recorded):
    """Nothing of the clock, the account or the machine goes into them."""
    made = markers(recorded=recorded)
    before = WRITERS[system](made, Export())
    for name in ("USER", "LOGNAME", "USERNAME", "HOME", "HOSTNAME"):
        monkeypatch.setenv(name, "janedoe")
    monkeypatch.setattr("socket.gethostname", lambda: "janedoe")
    monkeypatch.setattr("time.time", lambda: 4e9)
    monkeypatch.setattr("time.localtime", lambda *_: time.struct_time((2096, 10, 2, 7, 6, 40, 1, 276, 0)))
    after = WRITERS[system](made, Export())
    assert after == before
    for text in after.values():
        assert "janedoe" not in text
        assert not re.search(r"20[0-9]{2}-[0-9]{2}-[0-9]{2}|[0-9]{2}:[0-9]{2}:[0-9]{2}", text)


# --- what each maker's frame means ----------------------------------------------------------------------------------


def first_matrix(text):
    cells = dict(re.findall(r'data(\d\d)="([^"]+)"', text))
    return np.array([[float(cells[f"{i}{j}"]) for j in range(4)] for i in range(4)])


def test_localites_x_axis_is_our_z_and_lps_turns_two_axes_round():
    ours = pose(3)
    given_marker = [Marker("one", Placement(ours))]
    ras, lps = (first_matrix(localite_text(given_marker, space)) for space in ("RAS", "LPS"))
    assert np.allclose(ras[:3, 0], ours[:3, 2], atol=1e-9)
    assert np.allclose(ras[:3, 1], -ours[:3, 1], atol=1e-9)
    assert np.allclose(ras[:3, 2], ours[:3, 0], atol=1e-9)
    assert np.allclose(lps, np.diag([-1, -1, 1, 1]) @ ras, atol=1e-9)


def test_brainsights_coil_looks_out_of_the_head():
    ours = pose(4)
    row = brainsight_text([Marker("one", Placement(ours))]).splitlines()[-1].split("\t")
    values = np.array([float(cell) for cell in row[1:]])
    assert np.allclose(values[:3], ours[:3, 3])
    assert np.allclose(values[3:6], -ours[:3, 0])
    assert np.allclose(values[6:9], ours[:3, 1])
    assert np.allclose(values[9:], -ours[:3, 2])


def test_visor2_keeps_our_matrix(tmp_path):
    record = json.loads(write_files(tmp_path, "ant", markers(1)).read_text())
    kept = record["TargetMarkers"][0]["CoilTarget"]["CoilPose"]["RigidTransformMatrix4x4"]
    assert np.allclose(kept, pose(0), atol=1e-12)


def test_softaxics_rotation_is_ours_turned_a_quarter(tmp_path):
    text = write_files(tmp_path, "softaxic", markers(1)).read_text()
    cells = dict(re.findall(r'(m\d\d)="([^"]+)"', text))
    theirs = np.array([[float(cells[f"m{i}{j}"]) for j in range(3)] for i in range(3)])
    assert np.allclose(theirs @ [[0, 1, 0], [-1, 0, 0], [0, 0, 1]], pose(0)[:3, :3], atol=1e-9)


def test_invesalius_world_angles_turn_about_fixed_axes(tmp_path):
    header, row = write_files(tmp_path, "invesalius", markers(1)).read_text().splitlines()[1:]
    cells = dict(zip(header.replace('"', "").split("\t"), row.split("\t"), strict=True))
    a, b, c = (np.radians(float(cells[f"{name}_world"])) for name in ("alpha", "beta", "gamma"))
    about_x = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    about_y = np.array([[np.cos(b), 0, np.sin(b)], [0, 1, 0], [-np.sin(b), 0, np.cos(b)]])
    about_z = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
    assert np.allclose(about_z @ about_y @ about_x @ np.diag([-1, 1, -1]), pose(0)[:3, :3], atol=1e-9)
    assert cells["x"] == "N/A"


def test_invesalius_own_columns_count_y_from_the_other_end(tmp_path):
    affine = np.diag([1.0, 2.0, 1.0, 1.0])
    affine[:3, 3] = -20, -50, -30
    image = image_file(tmp_path / "T1.nii.gz", sform=(affine, 1), qform=(affine, 1))
    header, row = write_files(tmp_path, "invesalius", markers(1), Export(image)).read_text().splitlines()[1:]
    cells = dict(zip(header.replace('"', "").split("\t"), row.split("\t"), strict=True))
    x, y, z = pose(0)[:3, 3]
    assert float(cells["x"]) == pytest.approx(x + 20)
    assert float(cells["y"]) == pytest.approx(2.0 * 49 - (y + 50))
    assert float(cells["z"]) == pytest.approx(z + 30)
    assert [cells[n] for n in ("alpha", "beta", "gamma")] == [cells[f"{n}_world"] for n in ("alpha", "beta", "gamma")]


# --- worlds of one image --------------------------------------------------------------------------------------------

WORLD_NAMES = {1: "Scanner", 2: "Aligned", 3: "Talairach", 4: "MNI-152", 5: "Other-Template"}


@pytest.mark.parametrize("code", WORLD_NAMES)
@pytest.mark.parametrize("form", ["", "Q:", "S:"])
def test_every_world_a_nifti_defines_is_written_and_read(tmp_path, code, form):
    qform, sform = scanner(turned=0), scanner((-60.0, -80.0, -75.0), turned=12)
    other = 2 if code != 2 else 1
    codes = {"Q:": (code, other), "S:": (other, code), "": (other, code)}[form]
    image = image_file(tmp_path / "T1.nii.gz", (qform, codes[0]), (sform, codes[1]))
    system = f"NIfTI:{form}{WORLD_NAMES[code]}"
    made = markers(3)
    text = brainsight_text(made, system=system, image=image)
    assert f"# Coordinate system: {system}\n" in text
    assert_same_poses(made, read_brainsight(text, "file", image).markers)
    stored = read_brainsight(text, "file").markers[0].placement.center  # as if the world were the head frame
    affine = {"Q:": image.qform, "S:": image.sform, "": image.sform}[form]
    expected = affine @ np.linalg.inv(image.head) @ [*made[0].placement.center, 1]
    assert np.allclose(stored, expected[:3], atol=1e-4)


def test_qform_and_sform_are_not_taken_for_one_another(tmp_path):
    image = image_file(tmp_path / "T1.nii.gz", (scanner((-60.0, -80.0, -75.0), turned=12), 4), (scanner(), 1))
    made = markers(3)
    text = brainsight_text(made, system="NIfTI:MNI-152", image=image)
    assert_same_poses(made, read_brainsight(text, "file", image).markers)
    apart = read_brainsight(text, "file").markers[0].placement.center - made[0].placement.center
    assert np.linalg.norm(apart) > 5
    path = write_files(tmp_path, "ant", made, Export(image))
    assert_same_poses(made, read_navigator(path, image).markers)
    stored = json.loads(path.read_text())["TargetMarkers"][0]["CoilTarget"]["CoilPose"]["RigidTransformMatrix4x4"]
    assert np.linalg.norm(np.array(stored)[:3, 3] - made[0].placement.center) > 5


def test_visor2_is_told_the_qform(tmp_path):
    image = image_file(tmp_path / "T1.nii.gz", (scanner(), 1), (scanner(), 1))
    told = json.loads(write_files(tmp_path, "ant", markers(1), Export(image)).read_text())["Configuration"]
    info = told["AssociatedImageInfo"]
    assert info["NIfTI_qoffset"] == pytest.approx([-70, -90, -60])
    assert info["NIfTI_pixdim"][1:] == pytest.approx([1.0, 1.2, 0.9])
    b, c, d = info["NIfTI_quatern"]
    turn = Rotation.from_quat([b, c, d, np.sqrt(1 - b * b - c * c - d * d)]).as_matrix()
    assert np.allclose(turn * info["NIfTI_pixdim"][1:], scanner()[:3, :3], atol=1e-5)


@pytest.mark.parametrize(
    ("system", "says"),
    [("MNI", "one a NIfTI defines"), ("NIfTI:Q:Aligned", "has qform Scanner"), ("Brainsight", "is tilted")],
)
def test_a_world_the_image_does_not_define_is_refused(tmp_path, system, says):
    image = image_file(tmp_path / "T1.nii.gz", (scanner(), 1), (scanner(), 1))
    text = brainsight_text(markers(1)).replace("NIfTI:Scanner", system)
    with pytest.raises(InputError, match=says):
        read_brainsight(text, "file", image)
    with pytest.raises(InputError, match=says):
        brainsight_text(markers(1), system=system, image=image)


#: Straight affines of images that lie in their files in every order of axes and directions that differ.
STRAIGHT = {
    "RAS": np.array([[1.0, 0, 0, -20], [0, 1.2, 0, -30], [0, 0, 0.9, -25], [0, 0, 0, 1]]),
    "LPS": np.array([[-1.0, 0, 0, 19], [0, -1.2, 0, 28.8], [0, 0, 0.9, -25], [0, 0, 0, 1]]),
    "PSR": np.array([[0, 0, 1.1, -20], [-1.2, 0, 0, 28.8], [0, 0.9, 0, -25], [0, 0, 0, 1]]),
    "AIL": np.array([[0, 0, -1.1, 44.9], [1.2, 0, 0, -18], [0, -0.9, 0, 19.1], [0, 0, 0, 1]]),
}


@pytest.mark.parametrize("order", STRAIGHT)
def test_brainsights_own_coordinates_run_left_back_and_up_from_a_corner(tmp_path, order):
    """Its exports say so: X=right->left, Y=anterior->posterior, Z=inferior->superior."""
    affine = STRAIGHT[order]
    image = image_file(tmp_path / "T1.nii.gz", (affine, 1), (affine, 2))
    ends = affine @ np.array([[0, 0, 0, 1], [39, 49, 59, 1.0]]).T
    right, anterior, lower = ends[0].max(), ends[1].max(), ends[2].min()
    made = markers(3)
    text = brainsight_text(made, system="Brainsight", image=image)
    cell = [float(cell) for cell in text.splitlines()[-1].split("\t")[1:4]]
    x, y, z = made[-1].placement.center
    np.testing.assert_allclose(cell, [right - x, anterior - y, z - lower], atol=1e-5)
    read = accepted(read_brainsight, text, "file", image)
    assert_same_poses(made, read.markers, tolerance=2e-5)  # headers keep single precision
    assert read.notes == ("Brainsight was counted from the right anterior lower voxel of T1.nii.gz",)
    assert re.search(r"depends on the image.*--image", refusal(read_brainsight, text, "file"))


def test_world_is_the_scanners_frame_as_dicom_counts_it(tmp_path):
    image = image_file(tmp_path / "T1.nii.gz", (scanner(), 1), (scanner((-60.0, -80.0, -75.0), turned=12), 4))
    made = markers(3)
    world, plain = (brainsight_text(made, system=name, image=image) for name in ("World", "NIfTI:Scanner"))
    one, other = (np.array([float(c) for c in t.splitlines()[-1].split("\t")[1:]]) for t in (world, plain))
    np.testing.assert_allclose(one, other * np.tile([-1, -1, 1], 4), atol=1e-9)
    assert_same_poses(made, read_brainsight(world, "file", image).markers)
    assert "as DICOM counts it" in read_brainsight(world, "file", image).notes[0]
    with pytest.raises(InputError, match="depends on the image"):
        read_brainsight(world, "file")
    aligned = image_file(tmp_path / "two.nii.gz", (scanner(), 2), (scanner(), 2))
    with pytest.raises(InputError, match="no world Scanner"):
        read_brainsight(world, "file", aligned)


def test_axes_that_a_header_states_must_be_those_of_its_system(tmp_path):
    image = image_file(tmp_path / "T1.nii.gz", (STRAIGHT["LPS"], 1), (STRAIGHT["LPS"], 1))
    made = markers(3)
    for system, axes in (
        ("Brainsight", "X=right->left, Y=anterior->posterior, Z=inferior->superior"),
        ("NIfTI:Scanner", "X=left->right, Y=posterior->anterior, Z=inferior->superior"),
    ):
        plain = brainsight_text(made, system=system, image=image)
        text = plain.replace("# Created", f"# {axes}\n# Created")
        assert_same_poses(made, read_brainsight(text, "file", image).markers, tolerance=2e-5)
        wrong = text.replace(f"# {axes}", "# X=left->right, Y=anterior->posterior, Z=superior->inferior")
        with pytest.raises(FileFormatError, match="cannot have the axes it states"):
            read_brainsight(wrong, "file", image)


def test_a_quaternion_a_little_longer_than_one_is_no_damage(tmp_path):
    turned = np.diag([-1.0, 1.0, -1.0, 1.0])
    image_file(tmp_path / "T1.nii", qform=(turned, 1))
    raw = bytearray((tmp_path / "T1.nii").read_bytes())
    raw[260:264] = np.float32(1.0004).tobytes()
    (tmp_path / "T1.nii").write_bytes(raw)
    np.testing.assert_allclose(accepted(ImageFrames.read, tmp_path / "T1.nii").head, turned, atol=1e-6)
    raw[260:264] = np.float32(1.3).tobytes()
    (tmp_path / "T1.nii").write_bytes(raw)
    with pytest.raises(InputError, match=r"quaternion in the header of T1.nii has length 1\.3"):
        ImageFrames.read(tmp_path / "T1.nii")


def test_an_atlas_form_that_scales_the_head_is_refused(tmp_path):
    stretched = scanner() @ np.diag([1.1, 1.1, 1.1, 1])
    image = image_file(tmp_path / "T1.nii.gz", (scanner(), 1), (stretched, 4))
    with pytest.raises(InputError, match="scaled"):
        brainsight_text(markers(1), system="NIfTI:MNI-152", image=image)


@pytest.mark.parametrize("qform_is_the_scanners", [True, False])
def test_the_head_frame_is_the_scanners_whichever_form_an_atlas_has(tmp_path, qform_is_the_scanners):
    stretched = scanner() @ np.diag([1.1, 1.1, 1.1, 1])
    forms = ((scanner(), 1), (stretched, 4))
    image = image_file(tmp_path / "T1.nii.gz", *(forms if qform_is_the_scanners else forms[::-1]))
    np.testing.assert_allclose(image.head, scanner(), atol=1e-4)
    np.testing.assert_allclose(read_image(tmp_path / "T1.nii.gz").affine, image.head)
    letter = "Q" if qform_is_the_scanners else "S"
    assert image.head_world == f"NIfTI:{letter}:Scanner"
    np.testing.assert_array_equal(image.head_from_world("", "Scanner"), np.eye(4))
    made = markers(2)
    text = brainsight_text(made, system="NIfTI:Scanner", image=image)
    assert_same_poses(made, read_brainsight(text, "file", image).markers)


def test_an_image_without_the_form_a_navigator_goes_by_is_refused(tmp_path):
    image = image_file(tmp_path / "T1.nii.gz", sform=(scanner(), 1))
    with pytest.raises(InputError, match=r"no qform .*copysform2qform"):
        WRITERS["ant"](markers(1), Export(image))


def test_markers_of_another_image_are_refused(tmp_path):
    one = image_file(tmp_path / "one.nii.gz", (scanner(), 1), (scanner(), 1))
    other = image_file(tmp_path / "two.nii.gz", (scanner((-71.0, -90, -60)), 1), (scanner((-71.0, -90, -60)), 1))
    with pytest.raises(InputError, match="another image"):
        read_navigator(write_files(tmp_path, "ant", markers(1), Export(one)), other)


# --- refusals -------------------------------------------------------------------------------------------------------


class Crooked:
    """Stands for a placement, and is none: lets a writer write a matrix that Placement would refuse."""

    def __init__(self, matrix):
        self.head_from_coil = matrix


def crooked(change):
    matrix = pose(1)
    matrix[:3, :3] = matrix[:3, :3] @ change
    made = Marker("crooked", Placement(pose(1)))
    object.__setattr__(made, "placement", Crooked(matrix))
    return made


SHEAR = np.array([[1, 0.1, 0], [0, np.sqrt(0.99), 0], [0, 0, 1]])


CROOKED = [
    (SHEAR, r"miss by 0\.1 \(sheared\)"),
    (np.diag([1, 1, -1.0]), "determinant is -1"),
    (1.1 * np.eye(3), r"1\.1"),
]


@pytest.mark.parametrize("system", [name for name in SYSTEMS if name != "invesalius"])  # angles cannot be crooked
@pytest.mark.parametrize(("change", "says"), CROOKED)
def test_a_crooked_pose_is_left_out_counted_and_told_with_its_number(tmp_path, system, change, says):
    made = markers(4)
    read = accepted(read_navigator, write_files(tmp_path, system, [*made[:2], crooked(change), *made[2:]]))
    assert_same_poses(made, read.markers)
    (reason,) = read.left_out
    assert re.search(says, reason)
    assert re.match(r"(line|marker|target|point) [0-9]+: ", reason)
    assert any(note.startswith("1 of 5 poses cannot be used and were left out: ") and reason[:-1] in note
               for note in read.notes)  # fmt: skip


@pytest.mark.parametrize("system", [name for name in SYSTEMS if name != "invesalius"])
def test_a_file_of_crooked_poses_alone_is_refused_in_one_line(tmp_path, system):
    path = write_files(tmp_path, system, [crooked(SHEAR)] * 5)
    with pytest.raises(FileFormatError, match=r"none of the 5 poses in it can be used: .*sheared") as caught:
        read_navigator(path)
    assert "\n" not in str(caught.value)
    assert path.name in str(caught.value)
    path = write_files(tmp_path, system, [crooked(SHEAR)])
    with pytest.raises(FileFormatError, match="the one pose in it cannot be used"):
        read_navigator(path)


@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize("word", ["nan", "inf", "1e999", "x", ""])
def test_a_pose_of_no_numbers_is_left_out_counted_and_told(tmp_path, system, word):
    matrix = pose(1)
    matrix[2, 3] = 77.25
    made = [markers(1)[0], Marker("bad", Placement(matrix)), markers(3)[2]]
    path = write_files(tmp_path, system, made)
    path.write_text(re.sub(r"\b77\.250*\b", '"x"' if system == "ant" else word, path.read_text()))
    read = accepted(read_navigator, path)
    assert_same_poses([made[0], made[2]], read.markers)
    if system == "invesalius" and not word:
        assert any("1 markers that are no coil pose" in note for note in read.notes)
    else:
        assert len(read.left_out) == 1
        assert any("1 of 3 poses cannot be used" in note for note in read.notes)


def test_many_reasons_are_counted_and_three_told(tmp_path):
    read = read_navigator(write_files(tmp_path, "localite", [*markers(2), *[crooked(SHEAR)] * 5]))
    assert len(read.left_out) == 5
    assert read.notes[-1].endswith("; and 2 more")
    assert read.notes[-1].count("sheared") == 3


@pytest.mark.parametrize(
    "text", ["", "x", "<", "<a/>", "{", "[]", "{}", "#", "\x00", "<!DOCTYPE stmp><stmp", "[" * 10**5]
)
def test_text_that_is_no_navigators_gets_one_line(tmp_path, text):
    (tmp_path / "file.xml").write_text(text)
    with pytest.raises(FileFormatError) as caught:
        read_navigator(tmp_path / "file.xml")
    assert "\n" not in str(caught.value)


def test_xml_that_swells_or_reaches_out_is_refused_unread(tmp_path):
    bomb = '<!DOCTYPE l [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><InstrumentMarkerList coordinateSpace="&b;"/>'
    outside = '<!DOCTYPE l [<!ENTITY a SYSTEM "file:///etc/hostname">]><InstrumentMarkerList coordinateSpace="&a;"/>'
    for text in (bomb, outside):
        (tmp_path / "file.xml").write_text(text)
        with pytest.raises(FileFormatError, match="no sound XML"):
            read_navigator(tmp_path / "file.xml")


def test_a_file_too_large_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr("neuro_field.navigation.marks.LARGEST", 10)
    with pytest.raises(FileFormatError, match="at most"):
        read_navigator(write_files(tmp_path, "localite", markers(1)))


def test_three_decimals_are_no_shear_but_a_hundredth_is():
    rows = [line for line in brainsight_text(markers(40)).splitlines() if not line.startswith("#")]
    head = brainsight_text([])
    rounded = ["\t".join([r.split("\t")[0], *(f"{float(c):.3f}" for c in r.split("\t")[1:])]) for r in rows]
    read = read_brainsight(head + "\n".join(rounded), "file").markers
    assert_same_poses(markers(40), read, tolerance=0.12)  # 1e-3 of a turn at 100 mm
    matrix = pose(1)
    matrix[:3, 0] += 0.01 * matrix[:3, 1]
    made = markers(1)[0]
    object.__setattr__(made, "placement", Crooked(matrix))
    with pytest.raises(FileFormatError, match="sheared"):
        read_brainsight(brainsight_text([made]), "file")


# --- plans ----------------------------------------------------------------------------------------------------------


def test_a_plan_is_written_for_every_system_named_by_role_and_rank(tmp_path):
    study = tiny_study()
    written = export_plan(study, SYSTEMS, tmp_path / "navigation", Export(coil_name="figure8-70mm"))
    assert set(written) == set(SYSTEMS)
    expected = plan_markers(study)
    for system, paths in written.items():
        poses = [path for path in paths if path.suffix not in (".json",) and not path.name.endswith("_nibs.tsv")]
        assert len(poses) == 2
        for role, path in zip(expected, sorted(poses), strict=True):
            assert role in path.name
            assert "rank" in path.name
            read = read_navigator(path)
            assert_same_poses(expected[role], read.markers)
            assert [marker.name for marker in read.markers] == [f"{role}-rank{i + 1}" for i in range(len(read.markers))]
            assert read.system == system.replace("-12", "")


@pytest.mark.parametrize("system", SYSTEMS)
def test_the_zones_rim_is_written_for_every_system_when_asked(system, tmp_path):
    """After the ranked ones, on both sides; each pose is one of the zone."""
    study, how = tiny_study(), Export(coil_name="figure8-70mm", zone=True)
    paths = export_plan(study, [system], tmp_path / "navigation", how)[system]
    poses = [path for path in paths if path.suffix not in (".json",) and not path.name.endswith("_nibs.tsv")]
    for role, path in zip(plan_markers(study), sorted(poses), strict=True):
        assert "zone" in path.name
        plan, ranked = getattr(study, role), plan_markers(study)[role]
        rim = read_navigator(path).markers[len(ranked) :]
        assert 5 < len(rim) <= 20
        assert [marker.name for marker in rim] == [f"{role}-zone-{i + 1}" for i in range(len(rim))]
        expected = [Marker(marker.name, Placement(pose)) for marker, pose in zip(rim, plan.zone.rim()[0], strict=True)]
        assert_same_poses(expected, rim)
        assert plan.zone.holds([marker.placement for marker in expected]).all()


def test_a_zone_that_is_not_there_is_refused_only_when_asked_for(tmp_path):
    study = replace(tiny_study(), ipsilesional=replace(tiny_study().ipsilesional, zone=None))
    with pytest.raises(InputError, match="ipsilesional placements have no zone"):
        export_plan(study, ["localite"], tmp_path / "navigation", Export(zone=True))
    assert not (tmp_path / "navigation").exists()
    assert export_plan(study, ["localite"], tmp_path / "navigation", Export())


def test_nothing_is_overwritten_not_even_in_part(tmp_path):
    study, how = tiny_study(), Export()
    export_plan(study, ["localite"], tmp_path / "navigation", how)
    before = {path: path.read_bytes() for path in (tmp_path / "navigation").iterdir()}
    with pytest.raises(FileExistsError, match="nothing was overwritten"):
        export_plan(study, ["brainsight", "localite"], tmp_path / "navigation", how)
    assert {path: path.read_bytes() for path in (tmp_path / "navigation").iterdir()} == before
    export_plan(study, ["brainsight"], tmp_path / "navigation", how)  # beside them there is room


def test_an_unknown_navigator_is_refused_with_the_known_ones(tmp_path):
    with pytest.raises(InputError, match=r"localite, .*nibs-bids.*'nexstim'"):
        export_plan(tiny_study(), ["localite", "nexstim"], tmp_path / "navigation", Export())
    assert not (tmp_path / "navigation").exists()


@pytest.mark.parametrize("system", SYSTEMS)
def test_every_convention_is_said_in_one_line(system, tmp_path):
    image = image_file(tmp_path / "T1.nii.gz", (scanner(), 1), (scanner(), 2))
    for how in (Export(), Export(image)):
        assert "\n" not in convention(system, how)
        assert ("quarter turn" in convention(system, how)) == (system == "invesalius")
    if system.startswith("brainsight"):
        named = "NIfTI:Aligned" if system.endswith("12") else "NIfTI:S:Aligned"
        assert named in convention(system, Export(image))
        assert f"# Coordinate system: {named}\n" in WRITERS[system](markers(1), Export(image))[".txt"]


# --- real files -----------------------------------------------------------------------------------------------------


def real(name):
    if not SAMPLES.is_dir():
        pytest.skip(f"the makers' real files are not there: {SAMPLES}")
    return read_navigator(SAMPLES / name)


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "count", "first"),
    [
        ("localite_RAS_InstrumentMarker.xml", 6, (-41.837675, -34.111560, 88.609167)),
        ("localite_LPS_InstrumentMarker.xml", 4, (-36.237571, -35.691391, 101.916610)),
        ("brainsight_NIfTI-Aligned.txt", 108, (15.020, 53.062, 87.219)),
        ("brainsight_NIfTI-Scanner.txt", 108, (15.020, 53.062, 87.219)),
        ("brainsight_v14_NIfTI-Q-Aligned.txt", 5, (34.4660, 26.1880, 63.4670)),
        ("ant_visor2.mrk", 7, (-70.0, -10.0, 60.0)),
        ("softaxic.stmpx", 4, (-51.3255, 2.26082, 68.1565)),
    ],
)
def test_real_files_read_to_coils_that_look_into_the_head(name, count, first):
    read = real(name)
    assert len(read.markers) == count
    assert np.allclose(read.markers[0].placement.center, first, atol=1e-5)
    centres = np.array([marker.placement.center for marker in read.markers])
    axes = np.array([marker.placement.axis for marker in read.markers])
    inwards = np.einsum("pi,pi->p", axes, np.array([0.0, 0.0, 20.0]) - centres)
    assert (inwards > 0).all()


@pytest.mark.shared
def test_real_poses_are_those_of_the_rules():
    ras = real("localite_RAS_InstrumentMarker.xml").markers[0].placement.head_from_coil
    assert np.allclose(ras[:3, 2], [0.7265942667645653, 0.04949249463932184, -0.685319504116932], atol=1e-4)
    assert np.allclose(ras[:3, 1], [0.5155009532533439, 0.6201864008744066, 0.5913367514447083], atol=1e-4)
    lps = real("localite_LPS_InstrumentMarker.xml").markers[0].placement.head_from_coil
    assert np.allclose(lps[:3, 2], [0.3490561406131818, 0.010511085286115066, -0.9370765165681478], atol=1e-4)
    sample = real("brainsight_NIfTI-Aligned.txt").markers[1].placement.head_from_coil
    assert np.allclose(sample[:3, 2], [0.624, -0.469, -0.624], atol=2e-3)
    assert np.allclose(sample[:3, 1], [0.321, 0.883, -0.342], atol=2e-3)
    point = real("softaxic.stmpx").markers[0].placement.head_from_coil
    assert np.allclose(point[:3, 1], [-0.171625, 0.967445, -0.186001], atol=1e-4)
    target = real("ant_visor2.mrk").markers[0].placement.head_from_coil
    assert np.allclose(target[:3, 0], [-0.55403229, 0.14845251, -0.81915204], atol=1e-7)


@pytest.mark.shared
def test_real_lists_without_poses_say_so():
    assert real("localite_TriggerMarkers_Coil0.xml").markers == ()
    with pytest.raises(FileFormatError, match="holds no coil poses"):
        real("localite_EntryTarget.xml")


# --- sessions -------------------------------------------------------------------------------------------------------


def test_sessions_take_recorded_poses_and_are_named_by_file_where_the_file_does_not(tmp_path):
    one, two = tmp_path / "one.txt", tmp_path / "two.xml"
    one.write_text(brainsight_text([*markers(2), *markers(3, recorded=True)]))
    two.write_text(localite_text(markers(4, recorded=True)))
    alone, _ = recorded_poses([one])
    assert [marker.session for marker in alone] == ["session 1"] * 3
    both, notes = recorded_poses([one, two])
    assert [marker.session for marker in both] == ["one: session 1"] * 3 + ["two"] * 4
    assert any("NIfTI:Scanner was taken as the head frame" in note for note in notes)
    with pytest.raises(InputError, match="twice"):
        recorded_poses([one, one])


def test_planned_poses_are_taken_where_no_pose_is_marked_recorded_and_none_is_refused(tmp_path):
    (tmp_path / "planned.xml").write_text(localite_text(markers(2)))
    found, notes = recorded_poses([tmp_path / "planned.xml"])
    assert len(found) == 2
    assert "does not say which" in notes[-1]
    (tmp_path / "none.xml").write_text(localite_text([]))
    with pytest.raises(InputError, match="No coil pose"):
        recorded_poses([tmp_path / "none.xml"])


def test_untracked_pulses_are_left_out_and_counted(tmp_path):
    class Still:
        head_from_coil = np.linalg.inv(AXES)

    lost = markers(1, recorded=True)[0]
    object.__setattr__(lost, "placement", Still())
    (tmp_path / "pulses.xml").write_text(localite_text([lost, *markers(2, recorded=True)]))
    read = read_navigator(tmp_path / "pulses.xml")
    assert len(read.markers) == 2
    assert read.notes == ("1 untracked pulses were left out",)
