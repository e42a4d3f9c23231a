"""From a T1 to tissue labels: other people's programs, run as processes of their own and resumed when interrupted.

A backend says how its program is called, what its log means and where its labels lie; everything else is here.
"""

import json
import subprocess
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from neuro_field.errors import InputError, UnknownNameError
from neuro_field.findings import Finding
from neuro_field.io.atomic import new_file
from neuro_field.io.digest import digest, fingerprint
from neuro_field.io.images import read_image
from neuro_field.io.locks import locked
from neuro_field.mri.build import Progress, silent
from neuro_field.mri.drawn_lesion import DrawnLesion
from neuro_field.segment.filled import filled_images
from neuro_field.segment.samseg import Samseg

#: What the folder is of, what the program said, and the mark that it came to its end.
RECORD, LOG, FINISHED = "inputs.json", "segmentation.log", "finished.json"


class Backend(Protocol):
    """A program that segments images."""

    name: str

    def ready(self, progress: Progress) -> str:
        """Find the program, or set it up; its version. Raises InputError with the remedy."""

    def command(self, images: Sequence[Path], folder: Path) -> list[str]:
        """The call that writes labels into a folder, going on from what a broken run left there."""

    def environment(self) -> dict[str, str]:
        """Variables of the program's process."""

    def share(self, line: str) -> float | None:
        """The share of the work done when the log says a line; None if it does not tell."""

    def labels(self, folder: Path) -> Path:
        """Where the labels lie once they are there."""


#: The programs there are.
SEGMENTERS: dict[str, Callable[[], Backend]] = {"samseg": Samseg}


@dataclass(frozen=True)
class Segmentation:
    """Labels made by a program: where they and the log lie, the program, whether they were there already, and what has
    to be said of how a lesion was filled before."""

    labels: Path
    log: Path
    program: str
    reused: bool
    findings: tuple[Finding, ...] = ()


def segment(
    images: Sequence[str | Path],
    folder: str | Path,
    *,
    lesion: DrawnLesion | None = None,
    segmenter: str = "samseg",
    progress: Progress | None = None,
) -> Segmentation:
    """Tissue labels of one person's images.

    Parameters
    ----------
    images : sequence of paths
        The T1 first; others (a T2) may follow.
    folder : path
        For the program's files and log; kept, so that a second call with the same images and lesion goes on where the
        first was interrupted, or finds its labels.
    lesion : DrawnLesion, optional
        A lesion, where it lies in the T1, that is filled with healthy tissue before the program sees the images; see
        `neuro_field.mri.filling`.  The labels are then those of a brain without it.
    segmenter : {"samseg"}
    progress : callable, optional

    Raises
    ------
    InputError
        If an image is missing or not one of a head, the folder belongs to other images or another lesion, or another
        run is at it, the lesion lies outside the T1, the program is not there and cannot be set up, or it fails.
    UnknownNameError
        If there is no such segmenter.
    """
    if segmenter not in SEGMENTERS:
        raise UnknownNameError("segmenter", segmenter, list(SEGMENTERS))
    paths, folder = [Path(image).absolute() for image in images], Path(folder).absolute()
    read = [read_image(path) for path in paths]  # refuses what is no image of a head before minutes are spent
    tell = progress if progress is not None else silent
    backend = SEGMENTERS[segmenter]()
    record: dict[str, object] = {"segmenter": segmenter, "images": [_known_by(path) for path in paths]}
    if lesion is not None:
        record["filled"] = fingerprint(lesion.tags > 0, lesion.affine)
    if not folder.parent.is_dir():
        raise InputError(f"The folder {folder.parent} does not exist; create it, or give another output.")
    with locked(folder):
        _claim(folder, record)
        findings: tuple[Finding, ...] = ()
        if lesion is not None:
            tell("filling the lesion", 0.0)
            paths, findings = filled_images(read, lesion, folder)
            tell("filling the lesion", 1.0)
        labels, log = backend.labels(folder), folder / LOG
        if (folder / FINISHED).is_file() and labels.is_file():
            return Segmentation(labels, log, segmenter, True, findings)
        program = backend.ready(tell)
        _run(backend, backend.command(paths, folder), log, tell)
        if not labels.is_file():
            raise InputError(f"{program} ended without writing {labels.name}; its log is {log}.")
        with new_file(folder / FINISHED) as beside:  # labels without it are those of a run that was killed
            beside.write_text(json.dumps({"program": program}) + "\n", encoding="utf-8", newline="\n")
        return Segmentation(labels, log, program, False, findings)


def _known_by(path: Path) -> dict[str, str]:
    """How the record knows a file."""
    return {"name": path.name, "sha256": digest(path)}


def _claim(folder: Path, record: dict[str, object]) -> None:
    """Make the folder ours, or see that it is; refuses one that other images or other people use."""
    path = folder / RECORD
    if folder.is_dir() and any(folder.iterdir()):
        try:
            known = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            known = None
        if known != record:
            raise InputError(
                f"The folder {folder} holds something else than a segmentation of these images (and this lesion, "
                "filled or not); remove it or give another output."
            )
        return
    folder.mkdir(exist_ok=True)
    with new_file(path) as beside:
        beside.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8", newline="\n")


def _run(backend: Backend, command: list[str], log: Path, tell: Progress) -> None:
    """Run the program, keep what it says, and end it when we are interrupted."""
    stage = f"segmenting ({backend.name})"
    tell(stage, 0.0)
    last: deque[str] = deque(maxlen=1)
    with (
        log.open("a", encoding="utf-8", newline="\n") as kept,
        subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            encoding="utf-8", errors="replace", env=backend.environment(), cwd=log.parent,
        ) as process,
    ):  # fmt: skip
        assert process.stdout is not None
        try:
            for line in process.stdout:
                kept.write(line)
                if line.strip():
                    last.append(line.strip())
                share = backend.share(line)
                if share is not None:
                    tell(stage, share)
        except BaseException:
            process.terminate()
            raise
    if process.returncode:
        said = last[0][:200] if last else "nothing"
        raise InputError(f"{backend.name} failed (status {process.returncode}) and last said: {said}; see {log}.")
    tell(stage, 1.0)
