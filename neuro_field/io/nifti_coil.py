"""Coils as a sampled vector potential in NIfTI: (i, j, k, 3) in T m per A, affine to mm of the coil frame.

The header must say where the grid lies: without a form, programs differ by a mirroring and half its size.
"""

import zlib
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from nibabel.filebasedimages import ImageFileError
from nibabel.spatialimages import HeaderDataError

from neuro_field.arrays import FloatArray
from neuro_field.coil.coil import Coil
from neuro_field.coil.sources import Grid
from neuro_field.errors import FileFormatError, InputError
from neuro_field.geometry.voxels import as_affine
from neuro_field.io.coil_limits import FORMS_AGREE, checked_samples, checked_sides, grid_corners
from neuro_field.io.nifti_forms import open_nifti, qform_of, sform_of

#: What nibabel lets through from a damaged file.
_DAMAGE = (ImageFileError, HeaderDataError, OSError, EOFError, ValueError, OverflowError, MemoryError, zlib.error)

#: Units of length that a header can state and that are not mm, by number (nifti1.h).
_OTHER_UNITS = {1: "metres", 3: "micrometres"}

#: Edges of cells, mm: a potential far from its coil is smooth, and may be sampled more coarsely than a head.
SPACINGS = (0.2, 100.0)


def read_nifti_coil(path: Path) -> Coil:
    """A coil from a sampled potential; its dI/dt limit is unknown, and it has no dipoles.

    The three components may stand on the fourth axis, or on the fifth as NIfTI wants it of vectors.

    Raises
    ------
    FileFormatError
        If it is no such image, is too large for memory, or its header does not say in mm where it lies, or says two
        different things.
    """
    name = path.name.removesuffix(".gz").removesuffix(".nii")
    try:
        header, samples = open_nifti(path)
        shape = _checked_shape(header, path)
        affine = _affine(header, path, shape)
        checked_samples(shape, path.name)
        data = np.asarray(samples, dtype=np.float64).reshape(shape)
    except InputError as error:
        raise FileFormatError(str(error)) from None
    except _DAMAGE as error:
        why = " ".join(str(error).split())
        raise FileFormatError(f"{path.name} is not a NIfTI image, or is damaged: {why:.80}") from None
    try:
        return Coil(name, (Grid(data, affine),), provenance={"source": path.name})
    except InputError as error:
        raise FileFormatError(f"{path.name}: {error}") from None


def _checked_shape(header: Any, path: Path) -> tuple[int, ...]:
    """(i, j, k, 3) of an image of three real numbers per voxel."""
    shape = given = tuple(int(size) for size in header.get_data_shape())
    if len(shape) == 5 and shape[3] == 1:
        shape = (*shape[:3], shape[4])
    if len(shape) != 4 or shape[3] != 3 or min(shape) < 2:
        raise FileFormatError(f"{path.name}: a coil's potential must have shape (i, j, k, 3); instead {given}.")
    if header.get_data_dtype().kind not in "iuf":
        raise FileFormatError(f"{path.name} must hold real numbers; instead it holds {header.get_data_dtype()}.")
    return shape


def _affine(header: Any, path: Path, shape: tuple[int, ...]) -> FloatArray:
    """The one position in mm that a header states."""
    qform, _ = qform_of(header, path.name)
    sform, _ = sform_of(header)
    affine = qform if sform is None else sform
    if affine is None:
        raise FileFormatError(
            f"{path.name} does not say where its samples lie (qform_code and sform_code are 0): left and right of the "
            "coil cannot be known; store the affine to mm of the coil frame in its sform."
        )
    unit = _OTHER_UNITS.get(int(header["xyzt_units"]) & 7)
    if unit is not None:
        raise FileFormatError(f"{path.name}: its header states {unit}; store its affine in mm.")
    corners = grid_corners(affine, shape)
    if qform is not None and sform is not None:
        gap = float(np.linalg.norm(corners - grid_corners(qform, shape), axis=1).max())
        if not gap <= FORMS_AGREE:
            raise FileFormatError(
                f"{path.name}: the two positions in its header (qform and sform) differ by {gap:.1f} mm; copy the "
                "right one over the other."
            )
    checked_sides(corners, f"{path.name}: its grid")
    return as_affine(affine, f"affine of {path.name}", voxels=SPACINGS)


def nifti_of_coil(coil: Coil) -> nib.Nifti1Image:
    """The sampled potential of a coil as an image that `read_nifti_coil` takes.

    Raises
    ------
    InputError
        If the coil is not one sampled potential.
    """
    if len(coil.elements) != 1 or not isinstance(coil.elements[0], Grid):
        raise InputError(f"The coil {coil.name!r} is no sampled potential; write it as .tcd or .ccd instead.")
    grid = coil.elements[0]
    image = nib.Nifti1Image(np.array(grid.data), np.array(grid.affine))
    image.header.set_xyzt_units("mm")
    return image
