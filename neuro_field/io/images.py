"""Read T1, label and mask images with suspicion: what cannot be placed in the patient's world is refused."""

import os
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from nibabel.filebasedimages import ImageFileError
from nibabel.freesurfer.mghformat import MGHError
from nibabel.spatialimages import HeaderDataError

from neuro_field.arrays import AnyArray, FloatArray, read_only
from neuro_field.errors import FileFormatError, InputError
from neuro_field.io.atomic import new_file
from neuro_field.io.image_limits import checked_count, checked_room, checked_start, scaled, storable
from neuro_field.mri.labels import WHOLE, as_labels

SUFFIXES = (".nii", ".nii.gz", ".mgz", ".mgh")

#: Steps finer than this between whole numbers are a packing of them.
FINE = 0.2

#: How far apart (mm) the two affines of a NIfTI header may put a corner of the image.
AFFINES_AGREE = 0.1


#: What nibabel and the decompressors raise on files that are not what their names say.
UNREADABLE = (
    ImageFileError,
    HeaderDataError,
    MGHError,
    OSError,
    EOFError,
    ValueError,
    TypeError,
    KeyError,
    zlib.error,
    MemoryError,
    OverflowError,
)


@dataclass(frozen=True, eq=False)
class Image:
    """A three-dimensional image.

    ``values`` (i, j, k), or (i, j, k, 3) where `read_vectors` gave it; ``affine`` (4, 4) voxel index to world mm, RAS;
    ``path`` it was read from.
    """

    values: AnyArray
    affine: FloatArray
    path: Path

    @property
    def voxel_sizes(self) -> FloatArray:
        """(3,) mm."""
        return np.asarray(np.linalg.norm(self.affine[:3, :3], axis=0), dtype=np.float64)


def _existing(path: str | Path) -> Path:
    path = Path(path)
    if not os.path.exists(path):  # Path.exists raises on a name too long for the disk
        raise InputError(f"The image {path} does not exist.")
    if path.is_dir():
        raise InputError(f"{path} is a folder; give one image file ({', '.join(SUFFIXES)}).")
    if not path.name.lower().endswith(SUFFIXES):
        raise InputError(f"The image {path} must be one of {', '.join(SUFFIXES)}; convert DICOM with dcm2niix.")
    return path


def _checked_shape(image: Any, path: Path) -> tuple[int, int, int]:
    """The three sizes of an image, from its header alone."""
    shape = tuple(int(n) for n in image.shape)
    if image.get_data_dtype().fields is not None:
        raise InputError(f"The image {path} must hold one number per voxel; instead it holds colours (RGB).")
    if len(shape) >= 4 and all(n == 1 for n in shape[3:]):
        shape = shape[:3]
    if len(shape) != 3 or min(shape) < 2:
        what = "a time series or vector image" if len(shape) > 3 else "a single slice"
        raise InputError(f"The image {path} must be three-dimensional; instead it is {what} of shape {shape}.")
    checked_count(path, shape)
    return shape[0], shape[1], shape[2]


def _corners(affine: FloatArray, shape: tuple[int, ...]) -> FloatArray:
    ends = np.array(np.meshgrid(*[(0, n - 1) for n in shape], indexing="ij")).reshape(3, -1)
    return np.asarray((affine[:3, :3] @ ends).T + affine[:3, 3], dtype=np.float64)


def _nifti_affine(image: Any, path: Path, shape: tuple[int, ...]) -> FloatArray:
    """The affine of a NIfTI header that states one, and only one."""
    header = image.header
    qform, qcode = header.get_qform(coded=True)
    sform, scode = header.get_sform(coded=True)
    if not qcode and not scode:
        raise InputError(
            f"The image {path} does not say where it lies in the patient (qform_code and sform_code are 0), "
            "so left "
            "and right cannot be known; convert it again from DICOM with dcm2niix."
        )
    if qcode and scode:
        gap = float(np.linalg.norm(_corners(qform, shape) - _corners(sform, shape), axis=1).max())
        # codes 1 and 2 both mean this patient's scanner space; sform 3 and 4 name an atlas, and lie elsewhere
        # rightly
        if gap > AFFINES_AGREE and int(scode) <= 2:
            raise InputError(
                f"The two positions in the header of {path} (qform and sform) differ by {gap:.1f} mm, so its "
                "place "
                "is ambiguous and programs will disagree on it; copy the right one over the other, for "
                "instance with "
                "fslorient -copysform2qform."
            )
    return np.asarray(sform if scode else qform, dtype=np.float64)


def _checked_affine(affine: FloatArray, path: Path) -> FloatArray:
    """An affine with real voxels and perpendicular axes."""
    if not np.isfinite(affine).all() or np.linalg.det(affine[:3, :3]) == 0:
        raise FileFormatError(f"The affine in the header of {path} is not finite and invertible; it is damaged.")
    sizes = np.linalg.norm(affine[:3, :3], axis=0)
    if sizes.min() < 0.05 or sizes.max() > 20:
        raise InputError(
            f"The image {path} must have voxels of 0.05 to 20 mm; instead {np.round(sizes, 4).tolist()} "
            "(metres or micrometres in the header?)."
        )
    return affine


def _loaded(path: Path) -> Any:
    checked_start(path)
    try:
        with np.errstate(all="ignore"):  # of sizes and axes beyond a float: not finite, and refused for that
            return nib.load(path)
    except UNREADABLE as trouble:
        reason = str(trouble).splitlines()[0][:120] if str(trouble) else type(trouble).__name__
        raise FileFormatError(f"The image {path} cannot be read: {reason}.") from None


def _data(image: Any, path: Path, shape: tuple[int, ...]) -> AnyArray:
    """The voxels, in the machine's byte order."""
    checked_room(image, path, int(np.prod(shape, dtype=np.int64)))
    try:
        with np.errstate(over="ignore", invalid="ignore"):  # scaled beyond a float: not finite, and refused for that
            values = storable(scaled(image, shape))
    except UNREADABLE as trouble:
        reason = str(trouble).splitlines()[0][:120] if str(trouble) else type(trouble).__name__
        raise FileFormatError(f"The image {path} is truncated or damaged: {reason}.") from None
    return values


def read_image(path: str | Path, *, blank: bool = False) -> Image:
    """An image in its world coordinates.

    Parameters
    ----------
    path : path
        .nii, .nii.gz, .mgz or .mgh; three-dimensional, a fourth axis of length one is dropped.
    blank : bool
        Let voxels hold no number (NaN), as masks do outside.

    Raises
    ------
    InputError
        If it does not exist, is not three-dimensional, holds colours or NaN, or its header does not say where
        it lies (both codes 0) or says two different things (qform against sform).
    FileFormatError
        If it is damaged or truncated.
    """
    path = _existing(path)
    image = _loaded(path)
    shape = _checked_shape(image, path)
    is_nifti = isinstance(image, nib.Nifti1Pair)
    affine = _nifti_affine(image, path, shape) if is_nifti else np.asarray(image.affine, dtype=np.float64)
    affine = _checked_affine(affine, path)
    values = _data(image, path, shape)
    if values.dtype.kind == "f":
        wrong = np.isinf if blank else lambda slab: ~np.isfinite(slab)
        bad = sum(int(np.count_nonzero(wrong(slab))) for slab in values)
        if bad:
            raise InputError(f"The image {path} must hold finite numbers; instead {bad} voxels do not (NaN).")
    return Image(read_only(values), read_only(affine), path)


def read_labels(path: str | Path) -> Image:
    """A label image or mask: `read_image`, and whole numbers from 0 to 65535 as uint16.

    Raises
    ------
    InputError
        As `read_image`, and if voxels hold fractions or numbers out of range, or numbers that the header multiplies.
    """
    image = read_image(path)
    scale = _scale_of_whole_numbers(Path(path))
    if scale is None:
        return Image(read_only(as_labels(image.values, f"label image {path}")), image.affine, image.path)
    slope, intercept = scale
    said = f"its header multiplies what is stored by {slope:.6g} and adds {intercept:.6g} (scl_slope, scl_inter)"
    remedy = "save the labels as integers without scaling"
    try:  # a program that packs into small integers leaves an error of half a step
        values = as_labels(
            image.values, f"label image {path}", max(WHOLE, 0.51 * abs(slope)) if abs(slope) < FINE else WHOLE
        )
    except InputError as error:
        raise InputError(f"The label image {path} must hold whole numbers; {said}: {remedy}.") from error
    if abs(slope) > FINE and max(abs(slope - 1), abs(intercept)) > WHOLE:
        raise InputError(f"Of the label image {path} it is not known which numbers are meant; {said}: {remedy}.")
    return Image(read_only(values), image.affine, image.path)


def _scale_of_whole_numbers(path: Path) -> tuple[float, float] | None:
    """Slope and intercept that a header applies to whole numbers; None where it leaves them as they are."""
    data = _loaded(path).dataobj
    slope, intercept = (float(getattr(data, name, default)) for name, default in (("slope", 1.0), ("inter", 0.0)))
    if getattr(data, "dtype", np.dtype(float)).kind not in "iu" or (slope, intercept) == (1.0, 0.0):
        return None
    return slope, intercept


def read_vectors(path: str | Path) -> Image:
    """Three finite numbers per voxel, ``values`` (i, j, k, 3): coordinates or displacements, mm.

    A fourth axis of length one before the numbers, as NIfTI wants it of vectors, is dropped.

    Raises
    ------
    InputError
        If it does not exist, has another shape, does not say where it lies, or holds numbers that are not finite.
    FileFormatError
        If it is damaged or truncated.
    """
    path = _existing(path)
    image = _loaded(path)
    shape = tuple(int(n) for n in image.shape)
    if len(shape) == 5 and shape[3] == 1:
        shape = (*shape[:3], shape[4])
    if len(shape) != 4 or shape[3] != 3 or min(shape) < 2 or not isinstance(image, nib.Nifti1Pair):
        raise InputError(f"The image {path} must be a NIfTI of three numbers per voxel; instead its shape is {shape}.")
    checked_count(path, shape)
    affine = _checked_affine(_nifti_affine(image, path, shape[:3]), path)
    values = _data(image, path, shape)
    bad = sum(int(np.count_nonzero(~np.isfinite(slab).all(axis=2))) for slab in values)
    if bad:
        raise InputError(f"The image {path} must hold finite numbers; instead {bad} voxels do not (NaN).")
    return Image(read_only(values), read_only(affine), path)


def write_image(path: str | Path, values: AnyArray, affine: FloatArray, space: str = "scanner") -> None:
    """Write a NIfTI image (``.nii`` or ``.nii.gz``), qform and sform alike; whole or not at all.

    An affine that shears, which a qform cannot say, stands in the sform alone. ``space`` is "scanner" for the patient's
    own world, "mni" for MNI152.
    """
    if not str(path).lower().endswith((".nii", ".nii.gz")):
        raise InputError(f"The image {path} must be named .nii or .nii.gz.")
    image = nib.Nifti1Image(storable(values), np.asarray(affine))
    image.set_qform(affine, code=space)
    gap = np.abs(_corners(image.get_qform(), image.shape[:3]) - _corners(np.asarray(affine), image.shape[:3])).max()
    if gap > 0.1 * AFFINES_AGREE:
        image.set_qform(None)
    image.set_sform(affine, code=space)
    image.header.set_xyzt_units("mm")
    with new_file(path) as beside:
        nib.save(image, beside)
