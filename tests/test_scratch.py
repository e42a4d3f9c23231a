"""Folders of a running command: gone with it, or with the next one of its user."""

import os
import signal
import subprocess
import sys

import pytest

from neuro_field.errors import InputError
from neuro_field.io.scratch import scratch_folder

LIVING = """
import sys
from neuro_field.io.scratch import scratch_folder
with scratch_folder() as folder:
    (folder / "T1.nii.gz").write_bytes(b"a face")
    print(folder, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


def names(place):
    return sorted(path.name for path in place.iterdir())


def test_a_folder_is_its_users_alone_and_goes_whatever_happens(place):
    def fails(folder):
        (folder / "T1.nii.gz").touch()
        assert os.name == "nt" or folder.stat().st_mode & 0o077 == 0
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), scratch_folder() as folder:
        fails(folder)
    assert names(place) == []


def test_what_a_killed_run_left_goes_with_the_next_and_what_lives_stays(place):
    def run():
        environment = {**os.environ, "TMPDIR": str(place), "TEMP": str(place)}
        program = [sys.executable, "-c", LIVING]
        process = subprocess.Popen(
            program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, text=True, cwd=os.getcwd()
        )
        return process, process.stdout.readline().strip()

    (place / "neuro_field-of-somebody").mkdir()
    (place / "neuro_field-scratch-0123456789abcdef").symlink_to(place / "neuro_field-of-somebody")
    (killed, left), (living, held) = run(), run()
    try:
        killed.send_signal(getattr(signal, "SIGKILL", signal.SIGTERM))
        killed.wait()
        assert os.path.exists(os.path.join(left, "T1.nii.gz"))
        with scratch_folder() as folder:
            assert not os.path.exists(left)
            assert os.path.exists(os.path.join(held, "T1.nii.gz"))
            assert folder.is_dir()
    finally:
        for process in (killed, living):
            process.communicate()
    assert names(place) == ["neuro_field-of-somebody", "neuro_field-scratch-0123456789abcdef"]


def test_a_place_that_cannot_be_written_to_is_told_with_the_remedy(place, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(place / "not there"))
    with pytest.raises(InputError, match="TMPDIR"), scratch_folder():
        pass
