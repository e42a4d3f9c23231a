"""Six people from images to the group, on Dask, killed in the middle; the standard's validators; SLURM's own check."""

import csv
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from cohorts import PRESET, SETTINGS, differences, make_dataset

import neuro_field as nf
from neuro_field.cli import main
from neuro_field.cohort.entities import Who
from neuro_field.cohort.options import Options
from neuro_field.cohort.slurm import slurm_file

ROOT = Path(nf.__file__).parents[1]
DASK = ("--dask", "local", "--workers", "2")


def call(dataset, out, *more):
    command = [sys.executable, "-m", "neuro_field.cli", "cohort", str(dataset), str(out), "participant"]
    return [*command, "--preset", PRESET, *SETTINGS, *more]


def environment():
    return os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests")])}


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return make_dataset(tmp_path_factory.mktemp("data") / "ds")


@pytest.fixture(scope="module")
def unbroken(dataset, tmp_path_factory):
    """Everybody, one after another, and the group."""
    out = tmp_path_factory.mktemp("unbroken") / "out"
    made = subprocess.run(call(dataset, out), env=environment(), capture_output=True, text=True, check=False)
    assert made.returncode == 1, made.stderr  # two of the six cannot be planned
    assert main(["cohort", str(dataset), str(out), "group"]) == 0
    return out


def workers_of(process):
    """The processes of Dask that compute for a command."""
    return [
        each
        for each in psutil.Process(process.pid).children(recursive=True)
        if "spawn_main" in " ".join(each.cmdline())
    ]


def wait_for(there, process, seconds=1800):
    """Wait until something is there; a command that ends before fails the test."""
    until = time.monotonic() + seconds
    while not there():
        assert process.poll() is None, "the command ended before it could be interrupted"
        assert time.monotonic() < until
        time.sleep(0.1)


@pytest.mark.full
@pytest.mark.timeout(7200)
def test_a_run_that_was_killed_ends_as_one_that_was_not(dataset, unbroken, tmp_path):
    """A worker is killed, then the process of the scheduler; the same command finishes, and all is the same."""
    out = tmp_path / "out"
    broken = subprocess.Popen(call(dataset, out, *DASK), env=environment())
    try:
        wait_for(lambda: list(out.glob("sourcedata/neuro_field/*/head.json")), broken)
        workers = workers_of(broken)
        workers[0].send_signal(signal.SIGKILL)
        wait_for(lambda: list(out.rglob("plans.unfinished/*-m1-hand-*.json")), broken)
    finally:
        broken.kill()
        broken.wait()
    psutil.wait_procs(workers, timeout=60)
    assert not any(each.is_running() and each.status() != psutil.STATUS_ZOMBIE for each in workers)
    again = subprocess.run(call(dataset, out, *DASK), env=environment(), capture_output=True, text=True, check=False)
    assert again.returncode == 1, again.stderr
    assert main(["cohort", str(dataset), str(out), "group"]) == 0
    assert differences(unbroken, out) == []
    times = {path: path.stat().st_mtime_ns for path in out.rglob("*") if path.is_file() and "logs" not in path.parts}
    assert subprocess.run(call(dataset, out), env=environment(), capture_output=True, check=False).returncode == 1
    changed = [path for path, when in times.items() if path.stat().st_mtime_ns != when]
    assert changed == []


@pytest.mark.full
def test_the_broken_ones_are_in_the_table_with_their_reason(unbroken):
    with (unbroken / "task-tms_desc-placements_beh.tsv").open() as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    reasons = {row["participant"]: row["reason"] for row in rows if row["status"] == "failed"}
    assert reasons.keys() == {"05", "06"}
    assert "truncated" in reasons["05"]
    assert "no T1" in reasons["06"]
    done = [row for row in rows if row["status"] == "done"]
    assert {row["participant"] for row in done} == {"01", "02", "03", "04"}
    own = {row["participant"]: row for row in done if row["stimulated"] == "yes"}
    assert (own["01"]["side"], own["02"]["side"]) == ("right", "left")
    assert float(own["01"]["field_V_per_m"]) == pytest.approx(float(own["02"]["field_V_per_m"]), rel=0.1)


@pytest.mark.full
def test_a_person_and_their_mirror_image_are_one_when_turned(unbroken):
    """Of the mirrored head |E| of the contralesional side, turned over, is that of the head itself."""
    import nibabel as nib
    import numpy as np

    def values(label, described):
        name = f"sub-{label}/fmap/*_space-MNI152*_desc-{described}_magnitude.nii.gz"
        return np.asarray(nib.load(next(unbroken.glob(name))).dataobj).ravel()

    own = values("01", "contralesionalE")
    for described, least, most in (("contralesionalEFlipped", 0.97, 1.0), ("contralesionalE", -1.0, 0.5)):
        other = values("02", described)
        known = np.isfinite(own) & np.isfinite(other) & (own > 0) & (other > 0)
        assert least <= np.corrcoef(own[known], other[known])[0, 1] <= most


@pytest.mark.full
def test_the_validator_passes_input_and_derivatives(dataset, unbroken):
    """Nothing is ignored: neither has a .bidsignore, and every image and table is among the files that are judged."""
    validator = shutil.which("bids-validator-deno")
    if validator is None:
        pytest.skip("bids-validator-deno is not installed: pip install bids-validator-deno")
    for root in (dataset, unbroken):
        assert not list(root.rglob(".bidsignore"))
        run = subprocess.run([validator, str(root), "--format", "json"], capture_output=True, text=True, check=False)
        told = json.loads(run.stdout)
        errors = [each for each in told["issues"]["issues"] if each["severity"] == "error"]
        assert errors == []
        assert told["summary"]["totalFiles"] > 10


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_many_take_little_beside_their_solves(tmp_path):
    """Participants whose solves are left out: what finding, hashing, sending, logging and recording takes of each."""
    count = 200
    dataset = many_people(tmp_path / "ds", count)
    with cluster_of_stubs(tmp_path) as (file, scheduler, worker):
        used = []
        for out in ("first", "second"):  # the first also takes the worker's imports
            before = _processor_seconds(scheduler) + _processor_seconds(worker) + _of_children()
            run = subprocess.run(
                call(dataset, tmp_path / out, "--dask", str(file)), env=environment(), capture_output=True, text=True,
                check=False,
            )  # fmt: skip
            assert run.returncode == 0, run.stderr
            used.append(_processor_seconds(scheduler) + _processor_seconds(worker) + _of_children() - before)
        assert scheduler.memory_info().rss < 1e9
        assert used[1] / count < 0.05 + 8 / count  # eight seconds for the command itself to begin and end


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_lost_scheduler_is_told_in_a_line(tmp_path):
    """Status 1, no traceback, and what was finished is kept."""
    dataset, out = many_people(tmp_path / "ds", 200), tmp_path / "out"
    with cluster_of_stubs(tmp_path) as (file, scheduler, _):
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True}
        run = subprocess.Popen(call(dataset, out, "--dask", str(file)), env=environment(), **quiet)
        wait_for(lambda: list(out.glob("logs/*.json")), run)
        scheduler.kill()
        said = run.communicate(timeout=300)[1]
    assert run.returncode == 1
    assert said.splitlines()[-1].startswith("neuro-field: The Dask scheduler was lost")
    assert "Traceback" not in said
    assert list(out.glob("sourcedata/neuro_field/*/plans/*.json"))


def many_people(dataset, count):
    """A data set of so many who share one person's files."""
    make_dataset(dataset, ["01"])
    rows = ["participant_id\trmt", *(f"sub-{number:04d}\t50" for number in range(count))]
    for folder in (dataset, *(dataset / "derivatives").glob("*")):
        for path in [each for each in (folder / "sub-01").rglob("*") if each.is_file()]:
            for number in range(count):
                other = folder / f"sub-{number:04d}" / "anat" / path.name.replace("sub-01", f"sub-{number:04d}")
                other.parent.mkdir(parents=True, exist_ok=True)
                os.link(path, other)
        shutil.rmtree(folder / "sub-01")
    (dataset / "participants.tsv").write_text("\n".join(rows) + "\n")
    return dataset


def _processor_seconds(process):
    """Of a process and those it has begun; on a busy machine the clock on the wall tells of others."""
    times = [each.cpu_times() for each in (process, *process.children(recursive=True))]
    return sum(each.user + each.system for each in times)


def _of_children():
    """Of this process's own children that have ended."""
    times = os.times()
    return times.children_user + times.children_system


@contextmanager
def cluster_of_stubs(folder):
    """A scheduler of Dask and one worker without solves: the file that leads there, and both processes."""
    dask = [sys.executable, "-m", "dask"]
    file, quiet = folder / "scheduler.json", {"env": environment(), "stderr": subprocess.DEVNULL}
    scheduler = subprocess.Popen(
        [*dask, "scheduler", "--scheduler-file", str(file), "--host", "127.0.0.1", "--port", "0", "--no-dashboard"],
        **quiet,
    )
    worker = subprocess.Popen(
        [*dask, "worker", "--scheduler-file", str(file), "--nworkers", "1", "--nthreads", "1", "--local-directory",
         str(folder), "--preload", "stubbed_solves", "--no-dashboard"], **quiet,
    )  # fmt: skip
    try:
        wait_for(file.is_file, scheduler, 60)
        yield file, psutil.Process(scheduler.pid), psutil.Process(worker.pid)
    finally:
        for process in (worker, scheduler):
            process.terminate()
            process.wait()


@pytest.mark.slow
def test_slurm_would_take_the_job_array(tmp_path):
    """SLURM's own programs, set up for the test on this machine, where Debian's are installed and we may run them."""
    programs = {name: shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin") for name in SLURM}
    if None in programs.values() or os.geteuid() != 0:
        pytest.skip("SLURM is not installed here, or this is not root: apt-get install slurmctld slurmd munge")
    script = tmp_path / "job.sh"
    people = [Who("01"), Who("02"), Who("03", "a")]
    (tmp_path / "out" / "logs").mkdir(parents=True)
    script.write_text(slurm_file(people, tmp_path, tmp_path / "out", Options((PRESET,)), memory=5e8, processors=1))
    assert subprocess.run(["bash", "-n", str(script)], check=False).returncode == 0
    with slurm(tmp_path, programs) as variables:
        tested = asked(programs["sbatch"], script, variables)
        assert tested.returncode == 0, tested.stderr
        assert "to start at" in tested.stderr
        wrong = tmp_path / "wrong.sh"
        wrong.write_text(script.read_text().replace("--mem=500M", "--mem=900000000M"))
        assert asked(programs["sbatch"], wrong, variables).returncode != 0


def asked(sbatch, script, variables):
    """What SLURM says of a script that is not submitted."""
    command = [sbatch, "--test-only", str(script)]
    return subprocess.run(command, env=os.environ | variables, capture_output=True, text=True, check=False)


SLURM = ("sbatch", "sinfo", "slurmctld", "slurmd", "munged")


@contextmanager
def slurm(folder, programs):
    """A cluster of this machine alone, its files in a folder; the variables that lead there."""
    host, port = socket.gethostname().split(".")[0], 16817
    settings = folder / "slurm.conf"
    key, wire = folder / "munge.key", folder / "munge.sock"
    key.write_bytes(os.urandom(128))
    key.chmod(0o400)
    settings.write_text(f"""\
ClusterName=made
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmctldPort={port}
SlurmdPort={port + 1}
AuthType=auth/munge
AuthInfo=socket={wire}
CryptoType=crypto/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
ReturnToService=2
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
NodeName={host} NodeAddr=127.0.0.1 CPUs=1 RealMemory=1000 State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
""")
    for name in ("state", "spool"):
        (folder / name).mkdir()
    variables, quiet = {"SLURM_CONF": str(settings)}, {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    begun = []
    try:
        begun.append(subprocess.Popen([
            programs["munged"], "--foreground", "--force", f"--key-file={key}", f"--socket={wire}",
            f"--pid-file={folder}/munge.pid", f"--log-file={folder}/munge.log", f"--seed-file={folder}/munge.seed",
        ], **quiet))  # fmt: skip
        wait_for(wire.exists, begun[0], 30)
        for name in ("slurmctld", "slurmd"):
            begun.append(subprocess.Popen([programs[name], "-D"], env=os.environ | variables, **quiet))

        def is_up():
            question = [programs["sinfo"], "--noheader", "--format=%T"]
            told = subprocess.run(question, env=os.environ | variables, capture_output=True, text=True, check=False)
            return told.stdout.strip() == "idle"

        wait_for(is_up, begun[1], 60)
        yield variables
    finally:
        for process in reversed(begun):
            process.terminate()
            process.wait()
