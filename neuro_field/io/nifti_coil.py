"""Coils as a sampled vector potential in NIfTI: (i, j, k, 3) in T m per A, affine to mm of the coil frame."""

import zlib
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from nibabel.filebasedimages import ImageFileError
from nibabel.spatialimages import HeaderDataError

from neuro_field.coil.coil import Coil
from neuro_field.coil.sources import Grid
from neuro_field.errors import FileFormatError, InputError

#: More samples than this are taken for damage.
MOST_SAMPLES = 200_000_000

#: What nibabel lets through from a damaged file.
_DAMAGE = (ImageFileError, HeaderDataError, OSError, EOFError, ValueError, OverflowError, MemoryError, zlib.error)


def read_nifti_coil(path: Path) -> Coil:
    """A coil from a sampled potential; its dI/dt limit is unknown, and it has no dipoles.

    Raises
    ------
    FileFormatError
        If it is no such image.
    """
    try:
        image: Any = nib.load(path)
        shape = tuple(int(size) for size in image.shape)
        if len(shape) != 4 or shape[3] != 3 or min(shape) < 2:
            raise FileFormatError(f"{path.name}: a coil's potential must have shape (i, j, k, 3); instead {shape}.")
        if int(np.prod(shape, dtype=np.int64)) > MOST_SAMPLES:
            raise FileFormatError(f"{path.name} states {shape} samples, more than {MOST_SAMPLES}; taken for damage.")
        data = np.asarray(image.dataobj, dtype=np.float64)
        affine = np.array(image.affine, dtype=np.float64)
    except FileFormatError:
        raise
    except _DAMAGE as error:
        why = " ".join(str(error).split())
        raise FileFormatError(f"{path.name} is not a NIfTI image, or is damaged: {why:.80}") from None
    name = path.name.removesuffix(".gz").removesuffix(".nii")
    try:
        return Coil(name, (Grid(data, affine),), provenance={"source": path.name})
    except InputError as error:
        raise FileFormatError(f"{path.name}: {error}") from None


def nifti_of_coil(coil: Coil) -> nib.Nifti1Image:
    """The sampled potential of a coil as an image; refuses coils that are not one sampled potential."""
    if len(coil.elements) != 1 or not isinstance(coil.elements[0], Grid):
        raise InputError(f"The coil {coil.name!r} is no sampled potential; write it as .tcd or .ccd instead.")
    return nib.Nifti1Image(np.array(coil.elements[0].data), np.array(coil.elements[0].affine))
