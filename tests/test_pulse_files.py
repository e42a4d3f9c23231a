"""Pulses from navigators' files: every row told, matched by order and time, or refused with numbers."""

import numpy as np
import pytest
from tests_support import accepted, refusal

import neuro_field as nf
from neuro_field.navigation.brainsight import brainsight_text
from neuro_field.navigation.localite import localite_text
from neuro_field.navigation.nibs_bids import nibs_bids_files

#: Into the head, from above.
DOWN = nf.Placement(np.array([[1.0, 0, 0, 0], [0, -1, 0, 0], [0, 0, -1, 90], [0, 0, 0, 1]]))


def recorded(count, **facts):
    return [nf.Marker(f"s{i}", DOWN.moved(along_x=i), recorded=True, **facts) for i in range(count)]


def brainsight(tmp_path, cells=(("1", "310"), ("2", "0"), ("3", "(null)"), ("4", "90000")), extra=""):
    """An export with amplitudes of one channel: the columns that public exports have."""
    lines = brainsight_text(recorded(len(cells), output=52.0)).split("\n")
    start = next(i for i, line in enumerate(lines) if line.startswith("# Sample Name"))
    lines[start] += "\tEMG Peak-to-peak 1" + extra
    for i, (_, value) in enumerate(cells):
        lines[start + 1 + i] += f"\t{value}" + ("\t1" if extra else "")
    path = tmp_path / "session.txt"
    path.write_text("\n".join(lines))
    return path


def table(tmp_path, text, name="meps.tsv"):
    path = tmp_path / name
    path.write_text(text)
    return path


def test_brainsight_holds_poses_intensities_and_amplitudes_in_one_row(tmp_path):
    pulses = accepted(lambda path: nf.read_pulses(path, muscle="FDI"), brainsight(tmp_path))
    assert pulses.amplitudes.tolist() == [310.0, 0.0]  # a zero is an answer, and stays one
    assert pulses.unit == "%MSO"
    assert pulses.intensities.tolist() == [52.0, 52.0]
    assert np.allclose(pulses.poses[1], DOWN.moved(along_x=1).head_from_coil)
    assert [(each.pulse, each.reason) for each in pulses.left_out] == [(2, "no-amplitude"), (3, "outlier")]


def test_several_channels_are_asked_for(tmp_path):
    path = brainsight(tmp_path, extra="\tEMG Peak-to-peak 2")
    assert "channels 1, 2" in refusal(nf.read_pulses, path, muscle="FDI")
    assert nf.read_pulses(path, muscle="FDI", channel=1).amplitudes[0] == 310


def test_amplitudes_without_their_unit_are_asked_for(tmp_path):
    path = brainsight(tmp_path)
    path.write_text(path.read_text().replace("microvolts", "feet"))
    assert "microvolts" in refusal(nf.read_pulses, path, muscle="FDI")
    poses = table(tmp_path, localite_text(recorded(2, didt=60e6)), "poses.xml")
    assert "amplitude_uV or amplitude_mV" in refusal(
        nf.read_pulses, poses, muscle="FDI", amplitudes=table(tmp_path, "amplitude\n1\n2\n")
    )
    assert "table" in refusal(nf.read_pulses, poses, muscle="FDI")


def test_localite_takes_a_table_by_number_and_muscle_in_either_unit(tmp_path):
    poses = table(tmp_path, localite_text(recorded(3, didt=60e6)), "poses.xml")
    meps = table(tmp_path, "pulse\tmuscle\tamplitude_mV\n3\tFDI\t0,5\n1\tADM\t9\n1\tfdi\t0\n", "meps.csv")
    pulses = nf.read_pulses(poses, muscle="FDI", amplitudes=meps)
    assert pulses.amplitudes.tolist() == [0.0, 500.0]
    meps.write_text(meps.read_text().replace("amplitude_mV", "MEP_mV"))
    assert nf.read_pulses(poses, muscle="FDI", amplitudes=meps).amplitudes.tolist() == [0.0, 500.0]
    assert pulses.unit == "A/us"
    assert pulses.intensities.tolist() == [60.0, 60.0]
    assert pulses.left_out[0].reason == "no-amplitude"


def test_untracked_pulses_keep_their_place_in_the_order(tmp_path):
    text = localite_text(
        [*recorded(1, didt=60e6), nf.Marker("x", DOWN, recorded=True, didt=60e6), *recorded(1, didt=60e6)]
    )
    cells = " ".join(f'data{i}{j}="{float(i == j)}"' for i in range(4) for j in range(4))
    head, middle, tail = text.partition('description="x"')
    before, matrix, after = tail.partition("<Matrix4D ")
    text = head + middle + before + matrix + cells + " />" + after.partition("/>")[2]
    poses = table(tmp_path, text, "poses.xml")
    pulses = nf.read_pulses(poses, muscle="FDI", amplitudes=table(tmp_path, "amplitude_uV\n100\n200\n300\n"))
    assert pulses.amplitudes.tolist() == [100.0, 300.0]
    assert [(each.pulse, each.reason) for each in pulses.left_out] == [(1, "no-pose")]


def test_tables_that_do_not_fit_are_refused_with_their_numbers(tmp_path):
    path = brainsight(tmp_path)
    lines = path.read_text().split("\n")
    time = next(line for line in lines if line.startswith("# Sample")).split("\t").index("Time")
    rows = [i for i, line in enumerate(lines) if line.startswith("s")]
    for i, row in enumerate(rows):
        parts = lines[row].split("\t")
        parts[time] = f"11:48:{10 + 5 * i:02d}.5"
        lines[row] = "\t".join(parts)
    path.write_text("\n".join(lines))
    good = "time_s\tamplitude_uV\n100\t1\n105\t2\n110.4\t3\n115\t4\n"
    assert len(nf.read_pulses(path, muscle="FDI", amplitudes=table(tmp_path, good))) == 4
    shifted = good.replace("110.4", "114.0")
    assert "pulse 3" in (line := refusal(nf.read_pulses, path, muscle="FDI", amplitudes=table(tmp_path, shifted)))
    assert "4.0 s" in line
    fewer = "amplitude_uV\n1\n2\n3\n"
    assert "3 amplitudes" in refusal(nf.read_pulses, path, muscle="FDI", amplitudes=table(tmp_path, fewer))
    twice = "pulse\tamplitude_uV\n1\t2\n1\t3\n"
    assert "twice" in refusal(nf.read_pulses, path, muscle="FDI", amplitudes=table(tmp_path, twice))


def test_activity_before_the_pulse_is_listed_where_a_column_tells(tmp_path):
    text = "amplitude_uV\tprestimulus_uV\n1\t10\n2\t80\n3\tn/a\n4\t0\n"
    pulses = nf.read_pulses(brainsight(tmp_path), muscle="FDI", amplitudes=table(tmp_path, text))
    assert [(each.pulse, each.reason, each.value) for each in pulses.left_out] == [(1, "pre-activation", 80.0)]


def test_nibs_bids_pulses_take_a_table(tmp_path):
    for ending, text in nibs_bids_files(recorded(2, didt=60e6)).items():
        (tmp_path / f"sub-01{ending}").write_text(text)
    meps = table(tmp_path, "amplitude_uV\n100\n200\n")
    pulses = nf.read_pulses(tmp_path / "sub-01_markers.tsv", muscle="FDI", amplitudes=meps)
    assert pulses.amplitudes.tolist() == [100.0, 200.0]
    assert pulses.intensities.tolist() == [60.0, 60.0]


@pytest.mark.parametrize(
    "text",
    [
        "", "amplitude_uV", "amplitude_uV\nfive\n2\n3\n4\n", "amplitude_uV\n-1\n2\n3\n4\n", "amplitude_uV\n1\t2\n",
        "amplitude_uV\tamplitude_uV\n1\t2\n", "pulse\tamplitude_uV\n9\t1\n", "amplitude_uV\n1e400\n2\n3\n4\n",
        "\x00\x01",
        "pulse\tamplitude_uV\n\u0663\t1\n", "muscle\tamplitude_uV\nADM\t1\n",
    ],
)  # fmt: skip
def test_damaged_tables_are_refused_in_one_line(tmp_path, text):
    path = brainsight(tmp_path)
    assert refusal(nf.read_pulses, path, muscle="FDI", amplitudes=table(tmp_path, text))


def test_intensities_nobody_wrote_down_are_asked_for(tmp_path):
    poses = table(tmp_path, localite_text(recorded(2)), "poses.xml")
    line = refusal(nf.read_pulses, poses, muscle="FDI", amplitudes=table(tmp_path, "amplitude_uV\n1\n2\n"))
    assert "how strong" in line


OWN = [f"{letter}{row}" for row in range(3) for letter in ("x", "y", "z", "centre")]


def own_table(tmp_path, *, frame="RAS", count=3, columns="pulse\tamplitude_uV\tdidt_A_per_us", cells="310\t60"):
    """A plain table of poses and amplitudes with the columns of a recorded session."""
    rows = [f"frame\t{columns}\t" + "\t".join(OWN)]
    flip = np.diag([-1.0, -1.0, 1.0, 1.0]) if frame == "LPS" else np.eye(4)
    for k, marker in enumerate(recorded(count)):
        pose = (flip @ marker.placement.head_from_coil)[:3].ravel()
        rows.append("\t".join([frame, str(k + 1), cells, *map(repr, pose.tolist())]))
    return table(tmp_path, "\n".join(rows) + "\n", "session.tsv")


@pytest.mark.parametrize("frame", ["RAS", "LPS"])
def test_a_plain_table_holds_poses_in_the_frame_it_names(tmp_path, frame):
    pulses = accepted(lambda path: nf.read_pulses(path, muscle="FDI"), own_table(tmp_path, frame=frame))
    assert np.allclose(pulses.poses, [marker.placement.head_from_coil for marker in recorded(3)])
    assert (pulses.unit, pulses.intensities.tolist(), pulses.amplitudes.tolist()) == ("A/us", [60.0] * 3, [310.0] * 3)


def test_a_plain_table_with_the_names_of_nibs_bids_says_its_coils_axes(tmp_path):
    axes = [f"{what}_{axis}" for what in ("element_centre", *(f"element_{d}dir" for d in "xyz")) for axis in "xyz"]
    pose = DOWN.moved(along_x=5, turned=30).head_from_coil
    cells = map(repr, [*pose[:3, 3].tolist(), *pose[:3, :3].T.ravel().tolist()])
    text = "frame,coil_axes,amplitude_mV,output_percent," + ",".join(axes) + "\nRAS,simnibs,0.5,61," + ",".join(cells)
    path = table(tmp_path, text, "session.csv")
    pulses = nf.read_pulses(path, muscle="FDI")
    assert np.allclose(pulses.poses[0], pose)
    assert (pulses.amplitudes[0], pulses.intensities[0], pulses.unit) == (500.0, 61.0, "%MSO")
    path.write_text(text.replace("simnibs", "localite"))
    assert "coil_axes" in refusal(nf.read_pulses, path, muscle="FDI")


def test_a_plain_table_that_leaves_something_open_is_asked(tmp_path):
    path = own_table(tmp_path)
    text = path.read_text()
    for wrong, why in (
        (text.replace("frame\t", "space\t"), "frame of session.tsv must say RAS or LPS"),
        (text.replace("RAS", "LPS", 1), "says 'lps, ras'"),
        (text.replace("RAS", "MNI"), "frame"),
        (text.replace("centre2", "depth"), "no column centre2"),
        (text.replace("didt_A_per_us", "intensity"), "intensity of session.tsv does not say its unit"),
        (text.replace("didt_A_per_us", "mood"), "how strong it was"),
        (text.replace("amplitude_uV", "amplitude"), "amplitude_uV or amplitude_mV"),
        (text.replace("pulse", "output_percent"), "one column of intensities"),
        ("amplitude_uV\tframe\n1\tRAS\n", "no column"),
    ):
        path.write_text(wrong)
        assert why in refusal(nf.read_pulses, path, muscle="FDI")


def test_rows_of_a_plain_table_without_a_pose_are_listed(tmp_path):
    path = own_table(tmp_path)
    lines = path.read_text().split("\n")
    lines[2] = "\t".join([*lines[2].split("\t")[:4], *["n/a"] * 12])
    lines[3] = lines[3].replace("90.0", "ninety")
    path.write_text("\n".join(lines))
    pulses = nf.read_pulses(path, muscle="FDI")
    assert [(each.pulse, each.reason) for each in pulses.left_out] == [(1, "no-pose"), (2, "no-pose")]


def test_a_session_without_intensities_takes_them_from_the_table(tmp_path):
    poses = table(tmp_path, localite_text(recorded(2)), "poses.xml")
    meps = table(tmp_path, "amplitude_uV\toutput_percent\n1\t55\n2\t56\n")
    pulses = nf.read_pulses(poses, muscle="FDI", amplitudes=meps)
    assert (pulses.intensities.tolist(), pulses.unit) == ([55.0, 56.0], "%MSO")
    poses.write_text(localite_text(recorded(2, didt=60e6)))
    assert "Both poses.xml and meps.tsv" in refusal(nf.read_pulses, poses, muscle="FDI", amplitudes=meps)


def test_a_muscle_that_a_table_does_not_name_is_refused(tmp_path):
    path = own_table(tmp_path, columns="muscle\tamplitude_uV\tdidt_A_per_us")
    assert "does not name 'FDI': it has 1, 2, 3" in refusal(nf.read_pulses, path, muscle="FDI")
