"""From a folder of DICOM to one anonymous NIfTI image: series found, one of them converted by dcm2niix.

dcm2niix (Li et al., J Neurosci Methods 2016;264:47-56) knows the makers' habits and the compressions; it also copies
comments and times from the headers into its files, so that only voxels and affine of them are taken.
"""

import os
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from neuro_field.arrays import FloatArray
from neuro_field.errors import FileFormatError, InputError
from neuro_field.io.dicom_headers import REMEDY, Header, is_dicom, pydicom_module, read_header
from neuro_field.io.digest import fingerprint
from neuro_field.io.images import SUFFIXES, Image, read_image, write_image
from neuro_field.io.nifti_forms import open_nifti, qform_of
from neuro_field.io.scratch import scratch_folder
from neuro_field.segment.series import Series, persons_of, series_of
from neuro_field.segment.upright import set_upright

#: How far (mm) the converted image may lie from where the headers say; they round to 0.001 mm or so.
PLACES_AGREE = 0.1

#: What the converter calls its images.
_NAME = "image"

#: Most names of files that a message lists.
_SHOWN = 3


@dataclass(frozen=True)
class Scan:
    """A converted series: the image, which lives as long as the folder it was written to, and what a head keeps of it.

    ``facts`` are plain values without name, number, date, place or description.
    """

    path: Path
    series: Series
    facts: dict[str, Any]


def holds_dicom(path: str | Path) -> bool:
    """Whether a path is one to look for DICOM at: any folder, or a file that begins as DICOM does."""
    path = Path(path)
    return path.is_dir() or (path.is_file() and not path.name.lower().endswith(SUFFIXES) and is_dicom(path))


@dataclass(frozen=True)
class Found:
    """Series of one person by number, and how many files were left out because their headers are damaged."""

    series: tuple[Series, ...]
    damaged: int = 0


def find_series(path: str | Path, progress: Callable[[str, float], Any] | None = None) -> Found:
    """All series of DICOM images in a folder and the folders in it, or the one that a file belongs to.

    Parameters
    ----------
    path : path
        A folder; a disk's DICOMDIR, which stands for its folder; or any file of a series.
    progress : callable, optional
        Called with the stage at hand and the share of it that is done.

    Returns
    -------
    Found

    Raises
    ------
    InputError
        If there is no DICOM image, or the images are of several persons; if pydicom is not installed.
    FileFormatError
        If all of them, or the file given, are damaged.
    """
    path = Path(path)
    pydicom_module()
    own = read_header(path) if path.is_file() else None
    folder = path if path.is_dir() else path.parent
    headers, damaged = _headers(folder, progress)
    if own is not None:
        headers = [header for header in headers if header.series == own.series]
    persons = persons_of(headers)
    if persons > 1:
        raise InputError(
            f"The folder {folder} must hold images of one person; instead its headers speak of {persons} persons: give "
            "the folder of one of them."
        )
    return Found(tuple(series_of(headers)), damaged)


def _headers(folder: Path, progress: Callable[[str, float], Any] | None) -> tuple[list[Header], int]:
    """Headers of a folder's images, each image once, however many copies of it there are; and how many are damaged."""
    files = list(_files(folder))
    known: set[str] = set()
    found: list[Header] = []
    damaged: list[FileFormatError] = []
    for done, file in enumerate(sorted(files)):
        if progress is not None and done % 50 == 0:
            progress("looking for series", done / len(files))
        if not is_dicom(file):
            continue
        try:
            header = read_header(file)
        except FileFormatError as trouble:
            damaged.append(trouble)
            continue
        if header is None or header.instance in known:
            continue
        known |= {header.instance} - {""}
        found.append(header)
    if progress is not None:
        progress("looking for series", 1.0)
    if damaged and not found:
        raise damaged[0]
    if not found:
        raise InputError(_nothing(folder, files))
    return found, len(damaged)


def _files(folder: Path) -> Iterator[Path]:
    """All files of a folder and the folders in it, without hidden ones: waste baskets, environments of programs."""
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from (Path(place) / name for name in names if not name.startswith("."))


def _nothing(folder: Path, files: Sequence[Path]) -> str:
    """What a folder without DICOM holds instead, and what to do about it."""
    start = f"The folder {folder} holds no head (head.json, or m2m_<ID> with <ID>.msh) and no DICOM images"
    images = sorted(str(file) for file in files if file.name.lower().endswith(SUFFIXES))
    if images:
        more = f" or one of {len(images) - _SHOWN} more" if len(images) > _SHOWN else ""
        return f"{start}: give one image of it: {', '.join(images[:_SHOWN])}{more}."
    if not files:
        return f"{start}: it is empty."
    kinds = Counter(file.suffix.lower() or "without suffix" for file in files)
    held = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common(_SHOWN))
    if kinds.keys() & {".zip", ".7z", ".tar", ".gz", ".tgz", ".rar", ".iso"}:
        return f"{start}, but {held}: unpack the archive first."
    return f"{start}, but {held}: ask for the original DICOM images; pictures made of them cannot be placed in a head."


def converter() -> Path:
    """dcm2niix: the program in the Python package of that name, or the one on the PATH.

    Raises
    ------
    InputError
        If it is neither.
    """
    try:
        from dcm2niix import bin_path
    except ImportError:
        bin_path = None
    for place in (bin_path, shutil.which("dcm2niix")):
        if place is not None and Path(place).is_file():
            return Path(place)
    raise InputError(f"DICOM is converted by dcm2niix, which is not installed: {REMEDY}.")


@contextmanager
def converted(series: Series) -> Iterator[Scan]:
    """One series as an anonymous NIfTI image ``T1.nii.gz``, in a folder that is removed at the end.

    Raises
    ------
    InputError
        If dcm2niix is not installed, cannot convert the series, or makes several images of it.
    FileFormatError
        If the image does not lie where the series' own headers say.
    """
    with scratch_folder() as place:
        yield convert(series, place / "T1.nii.gz")


def convert(series: Series, path: Path) -> Scan:
    """Write one series as an anonymous NIfTI image: voxels and affine, and nothing else of its headers.

    The slices of a tilted gantry are set upright.  Errors are those of `converted`, and InputError for a series that
    is no whole image in one place.
    """
    program, damage = converter(), series.damage()
    if damage is not None:
        raise InputError(f"{series.name.capitalize()} cannot be converted: {damage}.")
    with scratch_folder() as place:
        given, made = place / "given", place / "made"
        given.mkdir()
        made.mkdir()
        for number, file in enumerate(series.files):
            _lend(file.absolute(), given / f"{number:06d}.dcm")
        said = _run(program, series, given, made)
        values, affine = _placed(series, _the_image(series, made))
        values = values.astype(np.float32) if values.dtype == np.float64 else values
        write_image(path, values, affine)
    return Scan(path, series, _facts(series, values, affine) | {"converter": said})


def _placed(series: Series, path: Path) -> tuple[Any, FloatArray]:
    """Voxels and affine of a converted image; a leaning stack of slices set upright."""
    if not series.row.lean:
        image = _checked_place(series, read_image(path))
        return image.values, image.affine
    header, voxels = open_nifti(path)
    axes, _ = qform_of(header, path.name)  # the order of its voxels; its sform can have the slices reversed
    if axes is None:
        raise FileFormatError(f"The converted image of {series.name} does not say where it lies.")
    return set_upright(np.asarray(voxels), axes, series)


def _lend(file: Path, place: Path) -> None:
    """Name a file in another folder; copy it where links are not allowed."""
    try:
        place.symlink_to(file)
    except OSError:
        shutil.copyfile(file, place)


def _run(program: Path, series: Series, given: Path, made: Path) -> str:
    """Run the converter; its name and version.  No defaults of its user, no side files, no comments of the header."""
    options = ["-g", "i", "-z", "n", "-b", "n", "-c", "", "-f", _NAME, "-o", str(made)]
    ran = subprocess.run(
        [str(program), *options, str(given)],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, encoding="utf-8", errors="replace", check=False,
    )  # fmt: skip
    if ran.returncode or not any(made.glob("*.nii")):
        lines = [line for line in (ran.stdout + ran.stderr).splitlines() if line.startswith(("Error", "Warning"))]
        said = lines[-1].replace(str(given), "")[:160] if lines else f"status {ran.returncode}"
        raise InputError(
            f"dcm2niix cannot convert {series.name} ({_syntax(series)}) and says: {said.strip()}; copy it again, "
            "or ask for it as uncompressed DICOM (Explicit VR Little Endian)."
        )
    words = (ran.stdout.splitlines() or [""])[0].split()
    return " ".join(["dcm2niix", *(word for word in words if word[:1] == "v" and word[1:2].isdigit())])


def _the_image(series: Series, made: Path) -> Path:
    """The one image that the converter made, without those that it resampled of it."""
    images = sorted(image for image in made.glob("*.nii") if "_Tilt" not in image.name and "_Eq" not in image.name)
    if len(images) > 1:
        raise InputError(
            f"{series.name.capitalize()} must be one image; instead it holds {len(images)} (echoes, parts or times): "
            "export the one you want as a series of its own."
        )
    return images[0]


def _checked_place(series: Series, image: Image) -> Image:
    """Refuse an image that does not lie where the headers of its slices say, left and right included."""
    ends = np.array(np.meshgrid(*[(0, count - 1) for count in image.values.shape], indexing="ij")).reshape(3, -1)
    corners = (image.affine[:3, :3] @ ends).T + image.affine[:3, 3]
    gaps = np.linalg.norm(corners[:, None] - np.array(series.corners)[None], axis=2)
    gap = float(max(gaps.min(axis=0).max(), gaps.min(axis=1).max()))
    if gap > PLACES_AGREE:
        raise FileFormatError(
            f"The converted image of {series.name} must lie where its headers say; instead it lies {gap:.1f} mm off: "
            "export the series again."
        )
    return image


def _syntax(series: Series) -> str:
    """How the voxels are packed, by DICOM's name for it."""
    uid: Any = pydicom_module().uid.UID(series.kind.syntax)
    return str(uid.name) if series.kind.syntax else "not stated"


def _facts(series: Series, values: Any, affine: FloatArray) -> dict[str, Any]:
    """What a head may keep of a series: how it was made, and a digest of voxels and place."""
    kind = series.kind
    return {
        "modality": kind.modality,
        "kind": kind.code,
        "acquisition": kind.acquisition,
        "size": list(series.shape),
        "spacing_mm": [round(step, 4) for step in series.spacing],
        "contrast_agent": kind.agent,
        "derived": kind.derived,
        "lossy": kind.lossy,
        "maker": kind.maker,
        "field_T": kind.field_strength,
        "echo_time_ms": kind.echo_time,
        "repetition_time_ms": kind.repetition_time,
        "inversion_time_ms": kind.inversion_time,
        "flip_angle_degrees": kind.flip_angle,
        "transfer_syntax": _syntax(series),
        "sha256": fingerprint(np.asarray(values), affine),
    }
