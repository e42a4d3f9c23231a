"""Navigators' files as they reach us: saved again by spreadsheets, in other codings, of old versions and drafts."""

import json
import re

import numpy as np
import pytest
from test_navigation import SAMPLES, STRAIGHT, assert_same_poses, image_file, markers, write_files
from tests_support import accepted, refusal

from neuro_field.coil.marker import Marker
from neuro_field.errors import FileFormatError, InputError
from neuro_field.navigation.brainsight import brainsight_text
from neuro_field.navigation.files import WRITERS, Export, export_plan, read_navigator
from neuro_field.navigation.invesalius import DOUBT, invesalius_text
from neuro_field.navigation.localite import localite_text
from neuro_field.navigation.sessions import recorded_poses


def written(path, text, coding="utf-8"):
    path.write_bytes(text.encode(coding))
    return path


def saved_again(text, parted="\t", comma=False, quote_all=False, padded=True):
    """What a spreadsheet makes of a tab-separated text: a rectangle, some cells in quotes."""
    rows = [line.split("\t") for line in text.rstrip("\n").split("\n")]
    width = max(map(len, rows)) if padded else 0

    def cell(value):
        number = value.replace(".", "", 1).replace("-", "", 1).isdigit()
        value = value.replace(".", ",") if comma and number else value
        return f'"{value.replace(chr(34), chr(34) * 2)}"' if quote_all or parted in value or '"' in value else value

    return "".join(parted.join(map(cell, row + [""] * (width - len(row)))) + "\r\n" for row in rows)


@pytest.mark.parametrize("parted", ["\t", ",", ";"])
@pytest.mark.parametrize("comma", [False, True])
@pytest.mark.parametrize("quote_all", [False, True])
@pytest.mark.parametrize("coding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_brainsight_saved_again_by_a_spreadsheet_is_the_same(tmp_path, parted, comma, quote_all, coding):
    made = [Marker("Größe, left", m.placement) for m in markers(2)] + markers(3, recorded=True)
    text = saved_again(brainsight_text(made), parted, comma, quote_all)
    read = accepted(read_navigator, written(tmp_path / "again.txt", text, coding))
    assert_same_poses(made, read.markers)
    assert [marker.name for marker in read.markers] == [marker.name for marker in made]
    assert [marker.output for marker in read.markers] == [None] * 2 + [45.5] * 3
    assert ("decimal commas were read as points" in read.notes) == comma


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("system", WRITERS)
def test_line_ends_of_every_machine_are_line_ends(tmp_path, system, ends):
    made = markers(3)
    path = write_files(tmp_path, system, made)
    path.write_bytes(path.read_text().replace("\n", ends).encode())
    assert_same_poses(made, accepted(read_navigator, path).markers)


def test_a_file_without_any_pose_says_so(tmp_path):
    for name, text in (("a.txt", brainsight_text([])), ("a.xml", localite_text([]))):
        read = accepted(read_navigator, written(tmp_path / name, text))
        assert read.markers == ()
        assert "it holds no coil poses" in read.notes
        with pytest.raises(InputError, match=rf"No coil pose was found in {name} \(.*it holds no coil poses\)"):
            recorded_poses([tmp_path / name])


def without(text, name):
    """A Brainsight text whose first target has no orientation."""
    lines = text.split("\n")
    row = next(i for i, line in enumerate(lines) if line.startswith(name))
    cells = lines[row].split("\t")
    lines[row] = "\t".join(cells[:4] + ["(null)"] * 9 + cells[13:])
    return "\n".join(lines)


def test_targets_without_an_orientation_are_left_out_and_counted(tmp_path):
    made = [Marker(f"target {i}", m.placement) for i, m in enumerate(markers(3))]
    read = accepted(read_navigator, written(tmp_path / "a.txt", without(brainsight_text(made), "target 0")))
    assert_same_poses(made[1:], read.markers)
    assert "1 points without an orientation were left out" in read.notes


def test_a_table_of_targets_without_columns_of_orientation_does_not_take_the_samples_with_it(tmp_path):
    made = markers(3, recorded=True)
    text = brainsight_text(made)
    head = "# Target Name\tLoc. X\tLoc. Y\tLoc. Z"
    lines = [
        f"{head}\nspot\t1.0\t2.0\t3.0\nother\t4.0\t5.0\t(null)" if line.startswith("# Target Name") else line
        for line in text.split("\n")
    ]
    read = accepted(read_navigator, written(tmp_path / "a.txt", "\n".join(lines)))
    assert_same_poses(made, read.markers)
    assert "1 points without an orientation were left out" in read.notes
    assert "1 rows without a pose were left out" in read.notes


@pytest.mark.parametrize("system", ["brainsight", "invesalius", "nibs-bids"])
def test_a_lone_quote_swallows_no_rows(tmp_path, system):
    made = markers(3, recorded=True)
    path = write_files(tmp_path, system, made)
    text = path.read_text().replace("mark <&", '"mark ')
    path.write_text(text)
    assert_same_poses(made, accepted(read_navigator, path).markers)
    path.write_text(re.sub(r"\"mark ['\"]*", '"one ', text))  # no other closes it
    assert_same_poses(made, accepted(read_navigator, path).markers)


@pytest.mark.parametrize("system", ["brainsight", "invesalius", "nibs-bids"])
def test_a_row_that_is_cut_is_left_out_and_told(tmp_path, system):
    made = markers(3)
    path = write_files(tmp_path, system, made)
    lines = path.read_text().rstrip("\n").split("\n")
    path.write_text("\n".join([*lines[:-1], "\t".join(lines[-1].split("\t")[:4])]))
    read = accepted(read_navigator, path)
    assert_same_poses(made[:2], read.markers)
    assert any("left out" in note for note in read.notes)


# --- Localite -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("declared", "coding", "name"),
    [
        ("ISO-8859-1", "latin-1", "Größe"),
        ("iso-8859-2", "iso-8859-2", "Łódź"),
        ("windows-1252", "cp1252", "„Größe“"),
        ("UTF-8", "latin-1", "Größe"),  # it says so, and is not
        ("UTF-8", "utf-8", "右手"),
    ],
)
def test_localite_keeps_its_names_in_the_coding_it_declares(tmp_path, declared, coding, name):
    made = [Marker(name, m.placement) for m in markers(2)]
    text = localite_text(made).replace('encoding="UTF-8"', f'encoding="{declared}"')
    read = accepted(read_navigator, written(tmp_path / "a.xml", text, coding))
    assert_same_poses(made, read.markers)
    assert [marker.name for marker in read.markers] == [name] * 2


@pytest.mark.parametrize("space", ["RAS", "LPS"])
def test_localites_space_is_read_in_small_letters(tmp_path, space):
    made = markers(2)
    text = localite_text(made, space)
    for change in (space.lower(), space.title(), f" {space} "):
        read = accepted(read_navigator, written(tmp_path / "a.xml", text.replace(f'"{space}"', f'"{change}"')))
        assert_same_poses(made, read.markers)
    read = accepted(read_navigator, written(tmp_path / "a.xml", text.replace("coordinateSpace", "coordinatespace")))
    assert_same_poses(made, read.markers)
    with pytest.raises(FileFormatError, match="must be RAS or LPS; instead it is 'RSA'"):
        read_navigator(written(tmp_path / "a.xml", text.replace(f'"{space}"', '"RSA"')))


def test_a_list_of_localite_is_planned_or_recorded():
    with pytest.raises(InputError, match="two files"):
        localite_text([*markers(1), *markers(1, recorded=True)])


# --- InVesalius -----------------------------------------------------------------------------------------------------


def old_invesalius(made, version, image=None, world=True):
    """A file of an early version: no type of a marker, and perhaps no world columns."""
    lines = invesalius_text(made, image).split("\n")
    columns = [cell.strip('"') for cell in lines[1].split("\t")]
    dropped = {"marker_type", "marker_id", "mep_value", "brain_target_list", "z_rotation", "z_offset"}
    if not world:
        dropped |= {name for name in columns if name.endswith("_world")}
    kept = [i for i, name in enumerate(columns) if name not in dropped]
    rows = ["\t".join(line.split("\t")[i] for i in kept) for line in lines[1:] if line]
    return "\n".join([f"##INVESALIUS3_MARKER_FILE_{version}", *rows, ""])


def fiducial_and_landmark(text):
    """Two rows more: a fiducial with angles, and a landmark without, whose world angles the program fills in."""
    lines = text.rstrip("\n").split("\n")
    columns = [cell.strip('"') for cell in lines[1].split("\t")]
    row = dict(zip(columns, lines[-1].split("\t"), strict=True))
    fiducial = row | {"label": '"NAI"'}
    landmark = row | {"label": '"spot"', "alpha": "None", "beta": "None", "gamma": "None"}
    return "\n".join([*lines, *("\t".join(extra[c] for c in columns) for extra in (fiducial, landmark)), ""])


@pytest.mark.parametrize("version", [0, 1, 2, 3, 4])
@pytest.mark.parametrize("world", [True, False])
def test_invesalius_of_every_version_is_read(tmp_path, version, world):
    image = image_file(tmp_path / "T1.nii.gz", (STRAIGHT["RAS"], 1), (STRAIGHT["RAS"], 1))
    made = markers(3)
    text = old_invesalius(made, version, image, world)
    path = written(tmp_path / "old.mkss", fiducial_and_landmark(text))
    read = accepted(read_navigator, path, image)
    assert_same_poses(made, read.markers, tolerance=2e-5)
    assert not any(marker.recorded for marker in read.markers)
    assert read.notes == (DOUBT, "2 markers that are no coil pose in the image's world were left out")
    assert f".mkss {version}" in read.convention
    if not world:
        with pytest.raises(InputError, match="without world columns: name the T1"):
            read_navigator(path)
        mirrored = image_file(tmp_path / "two.nii.gz", (np.diag([-1.0, 1, 1, 1]) @ STRAIGHT["RAS"], 1))
        with pytest.raises(InputError, match="left-handed"):
            read_navigator(path, mirrored)


def test_invesalius_of_a_later_version_is_refused(tmp_path):
    text = invesalius_text(markers(1)).replace("FILE_4", "FILE_5")
    with pytest.raises(FileFormatError, match="must begin with ##INVESALIUS3_MARKER_FILE_0 to 4"):
        read_navigator(written(tmp_path / "a.mkss", text))


# --- NIBS-BIDS ------------------------------------------------------------------------------------------------------


def old_draft(folder, made):
    """Files of version 6.2: a matrix per pose, pulses by target."""
    rows = ["target_id\ttarget_label\ttarget_x\ttarget_y\ttarget_z\tcoil_transform"]
    pulses = ["event_id\ttarget_id\tcoil_id"]
    for i, marker in enumerate(made, start=1):
        matrix = json.dumps(marker.placement.head_from_coil.tolist())
        rows.append(f"target-{i}\t{marker.name}\t1.0\t-2.5\t{i - 1}\t{matrix}")
        pulses += [f"pulse-{i}\ttarget-{i}\tcoil-1"] if marker.recorded else []
    frame = WRITERS["nibs-bids"]([], Export())["_coordsystem.json"].replace("6.3", "6.2")
    written(folder / "sub-01_coordsystem.json", frame)
    written(folder / "sub-01_task-x_stimsys-tms_nibs.tsv", "\n".join([*pulses, ""]))
    return written(
        folder / "sub-01_task-x_stimsys-tms_markers.tsv", "\n".join([*rows, "target-9\tnone\tn/a\tn/a\tn/a\tn/a", ""])
    )


def test_both_drafts_are_read_and_named(tmp_path):
    made = [*markers(2), *markers(3, recorded=True)[2:]]
    old = accepted(read_navigator, old_draft(tmp_path, made))
    new = accepted(read_navigator, write_files(tmp_path, "nibs-bids", made))
    for read, draft in ((old, "6.2"), (new, "6.3")):
        assert_same_poses(made, read.markers)
        assert [marker.recorded for marker in read.markers] == [False, False, True]
        assert [marker.aim.tolist() for marker in read.markers] == [[1.0, -2.5, i] for i in range(3)]
        assert read.convention == f"NIBS-BIDS (BEP037 draft {draft}), our coil axes"
    assert old.notes == ("1 rows without a coil pose were left out",)


@pytest.mark.parametrize(
    ("said", "instead"),
    [
        ("simnibs: +z into the head, +y away from the handle", "brainsight: +z out of the head"),
        ('"NIBSCoordinateUnits": "mm"', '"NIBSCoordinateUnits": "m"'),
        ("CoilAxesConvention", "Axes"),
        ("}", ""),
    ],
)
def test_a_frame_whose_axes_or_unit_may_be_others_is_refused(tmp_path, said, instead):
    path = write_files(tmp_path, "nibs-bids", markers(2))
    frame = tmp_path / "sub-01_task-x_coordsystem.json"
    assert said in frame.read_text()
    frame.write_text(frame.read_text().replace(said, instead))
    assert "coordsystem.json" in refusal(read_navigator, path)


def test_the_new_draft_is_written_with_its_names_and_axes():
    made = markers(2, recorded=True)
    files = WRITERS["nibs-bids"](made, Export())
    header, row = (line.split("\t") for line in files["_markers.tsv"].split("\n")[:2])
    cells = dict(zip(header, row, strict=True))
    assert cells["nibs_position_id"] == "position-1"
    ours = made[0].placement.head_from_coil
    for name, column in (("centre", 3), ("xdir", 0), ("ydir", 1), ("zdir", 2)):
        np.testing.assert_array_equal([float(cells[f"element_{name}_{axis}"]) for axis in "xyz"], ours[:3, column])
    assert "target_id" not in cells
    assert files["_nibs.tsv"].split("\n")[0].split("\t")[:2] == ["nibs_event_id", "nibs_position_id"]
    assert json.loads(files["_coordsystem.json"])["NIBSBIDSDraft"] == "BEP037 draft 6.3"


def test_every_pulse_at_one_position_is_one_marker(tmp_path):
    path = write_files(tmp_path, "nibs-bids", markers(2))
    events = "onset\tduration\tnibs_event_id\tnibs_position_id\n" + "".join(
        f"{i}.0\t0\tsingle\t{'position-2' if i < 3 else 'position-1|position-2'}\n" for i in range(4)
    )
    written(tmp_path / "sub-01_task-x_events.tsv", events)
    read = accepted(read_navigator, path)
    first, second = markers(2)
    assert_same_poses([first] + [second] * 4, read.markers)
    assert all(marker.recorded for marker in read.markers)


@pytest.mark.parametrize(("unit", "output"), [("%MSO", 45.5), ("mA", None), ("rMT", None), ("n/a", None)])
def test_an_intensity_is_an_output_only_where_its_unit_says_so(tmp_path, unit, output):
    path = write_files(tmp_path, "nibs-bids", markers(1, recorded=True))
    pulses = tmp_path / "sub-01_task-x_nibs.tsv"
    pulses.write_text(pulses.read_text().replace("%MSO", unit))
    assert accepted(read_navigator, path).markers[0].output == output


def test_without_a_table_of_pulses_it_is_said_that_nothing_tells(tmp_path):
    path = write_files(tmp_path, "nibs-bids", markers(2, recorded=True))
    (tmp_path / "sub-01_task-x_nibs.tsv").unlink()
    read = accepted(read_navigator, path)
    assert not any(marker.recorded for marker in read.markers)
    assert "no *_events.tsv or *_nibs.tsv beside it says which of its poses were recorded" in read.notes


# --- commands -------------------------------------------------------------------------------------------------------


def test_recorded_poses_bring_the_count_and_the_reason(tmp_path):
    made = markers(3, recorded=True)
    text = localite_text(made).replace('data03="', 'data03="9e9', 1)
    found, notes = recorded_poses([written(tmp_path / "pulses.xml", text)])
    assert_same_poses(made[1:], found)
    assert any(
        note.startswith("pulses.xml: 1 of 3 poses cannot be used and were left out: marker 0: ") for note in notes
    )


class OneFolder:
    """Stands for a study of one plan of two placements."""


def test_an_export_overwrites_nothing(tmp_path, monkeypatch):
    made = {"plan": tuple(markers(2))}
    monkeypatch.setattr("neuro_field.navigation.files.plan_markers", lambda study: made)
    written(tmp_path / "plain", "a file")
    with pytest.raises(FileExistsError, match="is a file"):
        export_plan(OneFolder(), ["ant"], tmp_path / "plain", Export())
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "plan_rank1-2_ant.mrk").symlink_to(tmp_path / "nowhere")
    with pytest.raises(FileExistsError, match="nothing was overwritten"):
        export_plan(OneFolder(), ["localite", "ant"], folder, Export())
    assert [path.name for path in folder.iterdir()] == ["plan_rank1-2_ant.mrk"]
    names = [path.name for path in export_plan(OneFolder(), ["nibs-bids"], folder, Export())["nibs-bids"]]
    assert all("stimsys" not in name for name in names)
    assert_same_poses(made["plan"], accepted(read_navigator, next(folder.glob("*_markers.tsv"))).markers)


# --- real files -----------------------------------------------------------------------------------------------------


@pytest.mark.shared
@pytest.mark.parametrize("name", ["brainsight_NIfTI-Aligned.txt", "brainsight_v14_NIfTI-Q-Aligned.txt"])
@pytest.mark.parametrize("parted", ["\t", ",", ";"])
def test_real_exports_saved_again_are_the_same(tmp_path, name, parted):
    if not SAMPLES.is_dir():
        pytest.skip(f"the makers' real files are not there: {SAMPLES}")
    real = accepted(read_navigator, SAMPLES / name)
    text = saved_again((SAMPLES / name).read_text(), parted, comma=parted != ",")
    again = accepted(read_navigator, written(tmp_path / "again.txt", text, "utf-16"))
    assert_same_poses(real.markers, again.markers)
    assert [m.recorded for m in again.markers] == [m.recorded for m in real.markers]
