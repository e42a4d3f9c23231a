"""Every example runs and prints one number that makes sense."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[1] / "examples"


@pytest.mark.parametrize(
    ("script", "arguments", "low", "high", "unit"),
    [
        ("1_sphere_against_closed_form.py", ["8"], 0.01, 1.0, "%"),
        pytest.param("2_field_of_one_placement.py", ["4"], 0.7, 1.6, "V/m", marks=pytest.mark.slow),
        pytest.param("3_best_placement_after_stroke.py", ["4"], 0.45, 0.7, "V/m", marks=pytest.mark.slow),
        ("4_head_from_labels.py", ["6"], 11.5, 15.5, "cm3"),
        pytest.param("5_what_the_lesion_changes.py", ["4"], 25.0, 75.0, "%", marks=pytest.mark.slow),
        pytest.param("6_delivered_field_of_a_session.py", ["4"], 95.0, 101.0, "%", marks=pytest.mark.slow),
    ],
)
def test_example_prints_its_number(script, arguments, low, high, unit):
    done = subprocess.run(
        [sys.executable, EXAMPLES / script, *arguments], capture_output=True, text=True, env=os.environ, check=False
    )
    assert done.returncode == 0, done.stderr
    number, said = done.stdout.split()
    assert low < float(number) < high
    assert said == unit


@pytest.mark.slow
def test_a_session_from_a_file_is_read(tmp_path):
    """The session example takes a navigator's own file instead of the one it makes."""
    script = EXAMPLES / "6_delivered_field_of_a_session.py"
    (tmp_path / "nothing.xml").write_text("<TriggerMarkerList/>")
    done = subprocess.run(
        [sys.executable, script, "4", tmp_path / "nothing.xml"], capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    assert "nothing.xml" in done.stderr.splitlines()[-1]


def test_every_example_is_tried():
    this = Path(__file__).read_text()
    assert all(path.name in this for path in EXAMPLES.glob("*.py"))
