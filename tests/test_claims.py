"""Where something will be written is made, locked and swept before any work for it begins."""

import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from neuro_field.cli import main
from neuro_field.errors import InputError
from neuro_field.io import atomic, locks
from neuro_field.io.atomic import (
    ExistsError,
    check_new_folder,
    claimed_file,
    claimed_folder,
    held_folder,
    new_file,
    new_folder,
)
from neuro_field.io.locks import TakenError, lock_file, locked

KILLED = """
import sys, time
from pathlib import Path
from neuro_field.io.atomic import new_folder, new_file
with new_folder(Path(sys.argv[1])) as beside:
    (beside / "face.nii").write_bytes(b"a patient")
    print("writing", flush=True)
    time.sleep(60)
"""


@contextmanager
def another(path, code=KILLED):
    """A process that is in the middle of writing a folder; killed at the end."""
    with subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout.readline().strip() == "writing"
            yield process
        finally:
            process.kill()


def refusal(act, *given, kind=InputError):
    """The one line that refuses."""
    try:
        act(*given)
    except InputError as error:
        refused = error
    else:
        raise AssertionError(f"{given} was not refused")
    assert isinstance(refused, kind), repr(refused)
    assert "\n" not in str(refused)
    return str(refused)


def hold(claim, path):
    with claim(path):
        pass


@pytest.mark.parametrize("claim", [claimed_folder, claimed_file])
def test_a_place_that_is_no_place_is_refused_before_the_work(tmp_path, monkeypatch, claim):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("mine")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").touch()
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    (tmp_path / "link").symlink_to(tmp_path / "full")
    before = sorted(tmp_path.rglob("*"))
    for path in ("dangling", "link", "file", "full"):
        refusal(hold, claim, Path(path), kind=ExistsError)
    for path in (".", "..", "/", "", "full/.."):
        assert "is no name for something new" in refusal(hold, claim, Path(path))
    for path in ("absent/x", "file/x"):
        assert "does not exist" in refusal(hold, claim, Path(path))
    assert "File name too long" in refusal(hold, claim, Path("x" * 300))
    assert sorted(tmp_path.rglob("*")) == before
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    for path in (".", "../empty", "x/..", tmp_path / "empty"):  # the folder one stands in cannot be exchanged
        refusal(hold, claim, Path(path))
        assert Path("../empty").is_dir()
    assert not list(tmp_path.rglob(".writing-*"))


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="a folder that even root cannot write to")
@pytest.mark.parametrize("claim", [claimed_folder, claimed_file, held_folder])
def test_a_folder_that_cannot_be_written_to_is_refused(claim):
    assert "Nothing can be written to /proc" in refusal(hold, claim, Path("/proc/PLAN"))


@pytest.mark.parametrize("claim", [claimed_folder, claimed_file, held_folder])
def test_a_full_disk_is_refused(tmp_path, monkeypatch, claim):
    full = atomic.shutil._ntuple_diskusage(10**9, 10**9 - 4096, 4096)
    monkeypatch.setattr(atomic.shutil, "disk_usage", lambda path: full)
    assert "has 0 MB left" in refusal(hold, claim, tmp_path / "PLAN")
    assert not any(tmp_path.iterdir())


def test_a_place_that_can_be_locked_but_not_made_is_refused(tmp_path, monkeypatch):
    def busy(self):
        raise OSError(16, "Device or resource busy")

    (tmp_path / "mounted").mkdir()
    monkeypatch.setattr(Path, "rmdir", busy)
    assert "Device or resource busy" in refusal(check_new_folder, tmp_path / "mounted")
    assert [path.name for path in tmp_path.iterdir()] == ["mounted"]


def test_nothing_is_left_behind(tmp_path):
    (tmp_path / "empty").mkdir()
    for name in ("new", "empty"):
        with claimed_folder(tmp_path / name), claimed_folder(tmp_path / name):
            with new_folder(tmp_path / name) as beside:
                (beside / "one").touch()
            assert [path.name for path in (tmp_path / name).iterdir()] == ["one"]
    with claimed_file(tmp_path / "page.html"), new_file(tmp_path / "page.html") as beside:
        beside.write_text("whole")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty", "new", "page.html"]
    with claimed_folder(tmp_path / "other"):
        assert not (tmp_path / "other").exists()  # an interruption leaves no empty folder
    assert len(list(tmp_path.iterdir())) == 3


def test_a_second_run_into_one_place_is_refused_at_once_and_the_living_ones_files_are_left(tmp_path):
    with another(tmp_path / "PLAN"):
        living = sorted(path.name for path in tmp_path.iterdir())
        assert len(living) == 2, living
        assert "another run" in refusal(check_new_folder, tmp_path / "PLAN", kind=TakenError)
        arguments = ["plan", "example:colin27", "--preset", "contralesional-1hz-hand", "-o", str(tmp_path / "PLAN")]
        assert main(arguments) == 2  # before the head is meshed
        check_new_folder(tmp_path / "PLAN2")
        (tmp_path / "again").symlink_to(tmp_path)
        assert "another run" in refusal(check_new_folder, tmp_path / "again" / "PLAN", kind=TakenError)
        (tmp_path / "again").unlink()
        assert sorted(path.name for path in tmp_path.iterdir()) == living


def test_what_a_killed_run_left_is_no_obstacle_and_goes(tmp_path):
    with another(tmp_path / "PLAN") as process:
        os.kill(process.pid, signal.SIGKILL)
    (tmp_path / ".writing-abcdefgh-MY-PLAN").mkdir()  # of another place
    (tmp_path / ".writing-abcdefgh-PLAN").write_text("of a file")
    assert len(list(tmp_path.glob(".writing-*-PLAN/face.nii"))) == 1
    with new_folder(tmp_path / "PLAN") as beside:
        (beside / "plan.json").touch()
    assert sorted(path.name for path in tmp_path.iterdir()) == [".writing-abcdefgh-MY-PLAN", "PLAN"]


def test_a_disk_without_locks_is_told_and_written_to_but_not_swept(tmp_path, monkeypatch, caplog):
    def refuse(descriptor, blocking):
        raise OSError(37, "No locks available")

    monkeypatch.setattr(locks, "lock_descriptor", refuse)
    locks._warn_of.cache_clear()
    (tmp_path / ".writing-abcdefgh-PLAN").mkdir()  # of a run that may live, for all that can be known
    with new_folder(tmp_path / "PLAN") as beside:
        (beside / "plan.json").touch()
    assert sorted(path.name for path in tmp_path.iterdir()) == [".writing-abcdefgh-PLAN", "PLAN"]
    with new_file(tmp_path / "again"):
        pass
    assert caplog.text.count("knows no locks (No locks available)") == 1


def test_a_lock_on_a_file_that_was_removed_meanwhile_holds_nobody_off_and_is_not_taken(tmp_path, monkeypatch):
    path, real, removed = tmp_path / "PLAN", locks.lock_descriptor, []

    def late(descriptor, blocking):
        if not removed:
            removed.append(lock_file(path).unlink())  # the one who held it let go between our opening and locking
        return real(descriptor, blocking=blocking)

    monkeypatch.setattr(locks, "lock_descriptor", late)
    with locked(path):
        assert removed
        assert lock_file(path).exists()


def test_who_waits_gets_the_lock_when_the_other_process_ends(tmp_path):
    with another(tmp_path / "PLAN") as process:
        looks = []

        def end():
            looks.append(process.poll())
            process.kill()

        with locked(tmp_path / "PLAN", wait=end) as took:
            assert took
        assert looks[0] is None


def test_a_file_that_another_program_has_open_is_tried_again(tmp_path, monkeypatch):
    real, tries = Path.replace, []

    def held_open(self, target):  # as Windows answers while a viewer or virus scanner has the target open
        tries.append(target)
        if len(tries) < 3:
            raise PermissionError(13, "Access is denied")
        return real(self, target)

    monkeypatch.setattr(Path, "replace", held_open)
    monkeypatch.setattr(atomic, "_PATIENCE", (0.0, 0.0, 0.0))
    try:
        with new_file(tmp_path / "a.txt") as beside:
            beside.write_text("whole")
    except PermissionError:
        raise AssertionError("not tried again") from None
    assert (tmp_path / "a.txt").read_text() == "whole"
    monkeypatch.setattr(Path, "replace", lambda self, target: (_ for _ in ()).throw(PermissionError(13, "denied")))
    with pytest.raises(PermissionError), new_file(tmp_path / "a.txt") as beside:
        beside.write_text("other")
    assert (tmp_path / "a.txt").read_text() == "whole"


def test_commands_refuse_their_output_before_they_read_their_input(tmp_path, capsys):
    (tmp_path / "dangling.html").symlink_to(tmp_path / "nowhere")
    there, absent = tmp_path / "there.html", tmp_path / "absent"
    there.touch()
    for output in (tmp_path / "dangling.html", there):
        assert main(["report", str(absent), "-o", str(output)]) == 2
        assert f"{output.name} is there already" in " ".join(capsys.readouterr().err.split())
        assert main(["view", "example:colin27", "--screenshot", str(output)]) == 2
        assert f"{output.name} is there already" in " ".join(capsys.readouterr().err.split())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dangling.html", "there.html"]
