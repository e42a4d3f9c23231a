"""Read T1, label and mask images with suspicion: what cannot be placed in the patient's world is refused."""

import os
import zlib
from collections.abc import Container
from dataclasses import replace
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from nibabel.filebasedimages import ImageFileError
from nibabel.freesurfer.mghformat import MGHError
from nibabel.openers import ImageOpener
from nibabel.spatialimages import HeaderDataError

from neuro_field.arrays import AnyArray, FloatArray, read_only
from neuro_field.errors import FileFormatError, InputError
from neuro_field.findings import Finding, Value
from neuro_field.geometry.voxels import VOXELS, as_affine
from neuro_field.io.atomic import new_file
from neuro_field.io.image_limits import MOST_BYTES, checked_count, checked_room, checked_start, scaled, storable
from neuro_field.io.nifti_forms import PATIENT, Form, forms_of
from neuro_field.mri.labels import WHOLE, as_labels
from neuro_field.nouns import noun

SUFFIXES = (".nii", ".nii.gz", ".mgz", ".mgh")

#: Steps finer than this between whole numbers are a packing of them.
FINE = 0.2

#: Voxels of maps, mm: they are smooth, and may be given far more coarsely than a head is shown.
MAP_VOXELS = (0.2, 50.0)

#: How far apart (mm) the two affines of a NIfTI header may put a corner of the image.
AFFINES_AGREE = 0.1

#: The code of MNI space, and the grids of its templates as FSL, SPM, nilearn and TemplateFlow bring them: by shape, the
#: voxel's edge and how far the first voxel lies from the origin, mm.
MNI_CODE = 4
MNI_GRIDS: dict[tuple[int, ...], tuple[float, float, float, float]] = {
    (91, 109, 91): (2.0, 90.0, 126.0, 72.0),
    (182, 218, 182): (1.0, 90.0, 126.0, 72.0),
    (181, 217, 181): (1.0, 90.0, 126.0, 72.0),
    (193, 229, 193): (1.0, 96.0, 132.0, 78.0),
    (97, 115, 97): (2.0, 96.0, 132.0, 78.0),
    (197, 233, 189): (1.0, 98.0, 134.0, 72.0),
    (99, 117, 95): (2.0, 98.0, 134.0, 72.0),
    (79, 95, 79): (2.0, 78.0, 112.0, 70.0),
    (157, 189, 156): (1.0, 78.0, 112.0, 70.0),
    (121, 145, 121): (1.5, 90.0, 126.0, 72.0),
}

#: Where the header of a .mgh file says whether it states a place: two bytes.
GOOD_RAS = 28

#: A second position in an atlas that puts a corner farther away than this, mm, is told as a warning: other programs may
#: go by it.
FAR = 2.0


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


@noun
class Image:
    """A three-dimensional image.

    ``values`` (i, j, k), or (i, j, k, 3) where `read_vectors` gave it; ``affine`` (4, 4) voxel index to world mm, RAS;
    ``path`` it was read from; ``code`` (nifti1.h) of the world that ``affine`` leads to, ``other_form`` the position in
    an atlas that the header states beside it.
    """

    values: AnyArray
    affine: FloatArray
    path: Path
    code: int = 1
    other_form: Form | None = None

    @property
    def atlas_code(self) -> int | None:
        """The code of the atlas in whose world ``affine`` lies, None for the patient's own world.

        Two positions that agree, one of them an atlas's, are the atlas's: a scanner's would be another.  So is the grid
        of a well-known template, whatever its code.
        """
        if self.code not in PATIENT:
            return self.code
        if on_mni_grid(self.values.shape, self.affine):
            return MNI_CODE
        return self.other_form.code if self.other_form is not None and self._apart <= AFFINES_AGREE else None

    @property
    def _apart(self) -> float:
        """How far apart, mm, the two positions put a corner; 0 where there is one."""
        other = self.affine if self.other_form is None else self.other_form.affine
        return _apart(self.affine, other, self.values.shape[:3])

    def findings(self, role: str) -> tuple[Finding, ...]:
        """What has to be said of the world of this image, which is a "t1", "labels" or "lesion"."""
        if self.atlas_code is not None:
            return (Finding("image-atlas-only", "warn", {"image": role, "form_code": self.atlas_code}),)
        if self.other_form is None:
            return ()
        size = float(np.cbrt(abs(np.linalg.det(self.other_form.affine[:3, :3]) / np.linalg.det(self.affine[:3, :3]))))
        values: dict[str, Value] = {"image": role, "other": self.other_form.name, "form_code": self.other_form.code}
        values |= {"size": size, "apart": self._apart}
        return (Finding("image-atlas-form", "warn" if self._apart > FAR else "note", values),)

    @property
    def voxel_sizes(self) -> FloatArray:
        """(3,) mm."""
        return np.asarray(np.linalg.norm(self.affine[:3, :3], axis=0), dtype=np.float64)


def on_mni_grid(shape: tuple[int, ...], affine: FloatArray) -> bool:
    """Whether a grid is that of a template of MNI space, stored from left to right or from right to left."""
    known = MNI_GRIDS.get(shape[:3])
    if known is None:
        return False
    size, *first = known
    turn = affine[:3, :3] / size
    offsets = np.abs(affine[:3, 3]), np.abs(first)
    return bool(np.abs(np.abs(turn) - np.eye(3)).max() < 1e-3 and np.abs(offsets[0] - offsets[1]).max() < 1e-2)


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


def _apart(one: FloatArray, other: FloatArray, shape: tuple[int, ...]) -> float:
    """How far apart, mm, two affines put a corner of an image."""
    return float(np.linalg.norm(_corners(one, shape) - _corners(other, shape), axis=1).max())


def _nifti_forms(image: Any, path: Path, shape: tuple[int, ...]) -> list[Form]:
    """The positions that a NIfTI header states, the one to go by first; a second only where it is another world."""
    forms = forms_of(image.header, str(path))
    if not forms:
        raise InputError(
            f"The image {path} does not say where it lies in the patient (qform_code and sform_code are 0), so left "
            "and right cannot be known; convert it again from DICOM with dcm2niix, or, if it was drawn on another "
            "image, save it with that image's header (fslcpgeom IMAGE MASK)."
        )
    if len(forms) == 1:
        return forms
    gap = _apart(forms[0].affine, forms[1].affine, shape)
    one_world = (forms[0].is_patient and forms[1].is_patient) or forms[0].code == forms[1].code
    if one_world and gap > AFFINES_AGREE:
        raise InputError(
            f"The two positions in the header of {path} (qform and sform) differ by {gap:.1f} mm, so its place is "
            "ambiguous and programs will disagree on it; copy the right one over the other, for instance with "
            "fslorient -copysform2qform."
        )
    return forms[:1] if one_world else forms


def _checked_place(affine: FloatArray, path: Path) -> FloatArray:
    """An affine that can be, and that somebody stated."""
    affine = as_affine(affine, f"affine of the image {path}")
    turn = affine[:3, :3]
    if not affine[:3, 3].any() and np.array_equal(turn, np.diag(np.diag(turn))):
        raise InputError(
            f"The header of the image {path} has lost its place (no turn, and its first voxel at 0, 0, 0), so left and "
            "right cannot be known; convert it again from DICOM with dcm2niix, or, if it was drawn on another image, "
            "save it with that image's header (fslcpgeom IMAGE MASK)."
        )
    return affine


def _placed(image: Any, path: Path, shape: tuple[int, ...]) -> list[Form]:
    """Where an image of any kind lies; see `_nifti_forms`."""
    if isinstance(image, nib.Nifti1Pair):
        forms = _nifti_forms(image, path, shape)
    else:
        with ImageOpener(
            str(path)
        ) as file:  # nibabel puts another place where none is stated, and says that it is good
            file.seek(GOOD_RAS)
            good = any(file.read(2))
        if not good:
            raise InputError(
                f"The image {path} does not say where it lies in the patient (its goodRASFlag is 0), so left and right "
                "cannot be known; convert it again from DICOM with dcm2niix or mri_convert."
            )
        forms = [Form("vox2ras", np.asarray(image.affine, dtype=np.float64), PATIENT[0])]
    return [replace(forms[0], affine=_checked_place(forms[0].affine, path)), *forms[1:]]


def _loaded(path: Path) -> Any:
    checked_start(path)
    try:
        with np.errstate(all="ignore"):  # of sizes and axes beyond a float: not finite, and refused for that
            if not path.name.lower().endswith(".mgh"):
                return nib.load(path)
            if path.stat().st_size > MOST_BYTES:
                raise FileFormatError(
                    f"The image {path} is larger than {MOST_BYTES / 1e9:.1f} GB; it is no image of a head."
                )
            return nib.MGHImage.from_bytes(path.read_bytes())  # nibabel never closes such a file itself
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
        it lies (both codes 0, goodRASFlag 0, or no turn and no shift) or says two different things of one world (qform
        against sform). Where it names the patient's world and an atlas, the patient's is taken.
    FileFormatError
        If it is damaged or truncated.
    """
    path = _existing(path)
    image = _loaded(path)
    shape = _checked_shape(image, path)
    form, *others = _placed(image, path, shape)
    values = _data(image, path, shape)
    if values.dtype.kind == "f":
        wrong = np.isinf if blank else lambda slab: ~np.isfinite(slab)
        bad = sum(int(np.count_nonzero(wrong(slab))) for slab in values)
        if bad:
            raise InputError(f"The image {path} must hold finite numbers; instead {bad} voxels do not (NaN).")
    return Image(read_only(values), read_only(form.affine), path, form.code, others[0] if others else None)


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
        return replace(image, values=read_only(as_labels(image.values, f"label image {path}")))
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
    return replace(image, values=read_only(values))


def _scale_of_whole_numbers(path: Path) -> tuple[float, float] | None:
    """Slope and intercept that a header applies to whole numbers; None where it leaves them as they are."""
    data = _loaded(path).dataobj
    slope, intercept = (float(getattr(data, name, default)) for name, default in (("slope", 1.0), ("inter", 0.0)))
    if getattr(data, "dtype", np.dtype(float)).kind not in "iu" or (slope, intercept) == (1.0, 0.0):
        return None
    return slope, intercept


def check_worlds(mask: Image, t1: Image) -> None:
    """Refuse a mask that says that it lies in an atlas where the T1 does not, or the other way round.

    On one grid both are one image's, whatever its codes.

    Raises
    ------
    InputError
        Naming both worlds and the remedy.
    """
    if (mask.atlas_code is None) == (t1.atlas_code is None):
        return
    same_shape = mask.values.shape[:3] == t1.values.shape[:3]
    if same_shape and _apart(mask.affine, t1.affine, t1.values.shape[:3]) <= AFFINES_AGREE:
        return
    shown = [
        "the patient's own" if image.atlas_code is None else f"an atlas's (code {image.atlas_code})"
        for image in (mask, t1)
    ]
    raise InputError(
        f"The mask {mask.path} and the T1 {t1.path} must lie in one world; instead the mask's is {shown[0]}, the T1's "
        f"{shown[1]}: give the mask as it was drawn on this T1, or bring it back to it (nearest neighbour)."
    )


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
    image, shape, form = open_numbers(path, (3,), "three numbers per voxel", voxels=MAP_VOXELS)
    path = Path(path)
    values = _data(image, path, shape)
    bad = sum(int(np.count_nonzero(~np.isfinite(slab).all(axis=2))) for slab in values)
    if bad:
        raise InputError(f"The image {path} must hold finite numbers; instead {bad} voxels do not (NaN).")
    return Image(read_only(values), read_only(form.affine), path)


def open_numbers(
    path: str | Path, counts: Container[int], what: str, *, voxels: tuple[float, float] = VOXELS
) -> tuple[Any, tuple[int, ...], Form]:
    """A NIfTI image of several numbers per voxel, of which only the header is read.

    Parameters
    ----------
    path : path
    counts : container of int
        How many numbers there may be.
    what : str
        The same in words, for the message.
    voxels : two floats
        Shortest and longest edge of its voxels, mm.

    Returns
    -------
    image : nibabel image
    shape : tuple of int
        (i, j, k, n); a fourth axis of length one before the numbers, as NIfTI wants it of vectors, is dropped.
    form : Form
        Where it lies; its affine is one that can be.

    Raises
    ------
    InputError
        If it does not exist, has another shape, or does not say where it lies.
    FileFormatError
        If it is damaged.
    """
    path = _existing(path)
    image = _loaded(path)
    shape = tuple(int(n) for n in image.shape)
    if len(shape) == 5 and shape[3] == 1:
        shape = (*shape[:3], shape[4])
    nifti = isinstance(image, nib.Nifti1Pair) and image.get_data_dtype().fields is None
    if len(shape) != 4 or shape[3] not in counts or min(shape) < 2 or not nifti:
        raise InputError(f"The image {path} must be a NIfTI of {what}; instead its shape is {shape}.")
    checked_count(path, shape[:3])
    form = _nifti_forms(image, path, shape[:3])[0]
    return image, shape, replace(form, affine=as_affine(form.affine, f"affine of the image {path}", voxels=voxels))


def write_image(
    path: str | Path,
    values: AnyArray,
    affine: FloatArray,
    space: str | int = "scanner",
    other_form: Form | None = None,
) -> None:
    """Write a NIfTI image (``.nii`` or ``.nii.gz``), qform and sform alike; whole or not at all.

    An affine that shears, which a qform cannot say, stands in the sform alone. ``space`` is "scanner" for the patient's
    own world, "mni" for MNI152, or a code of nifti1.h; ``other_form`` a position in another world, kept in its place.
    """
    if not str(path).lower().endswith((".nii", ".nii.gz")):
        raise InputError(f"The image {path} must be named .nii or .nii.gz.")
    image = nib.Nifti1Image(storable(values), np.asarray(affine))
    image.set_qform(affine, code=space)
    gap = _apart(image.get_qform(), np.asarray(affine), image.shape[:3])
    if gap > 0.1 * AFFINES_AGREE:
        image.set_qform(None)
    image.set_sform(affine, code=space)
    if other_form is not None:
        keep = image.set_sform if other_form.name == "sform" else image.set_qform
        keep(other_form.affine, code=other_form.code)
    image.header.set_xyzt_units("mm")
    with new_file(path) as beside:
        nib.save(image, beside)
