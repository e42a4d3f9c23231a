"""NIfTI headers and the two positions that they can state, read so that rounding does not refuse them."""

from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from nibabel.arrayproxy import ArrayProxy
from nibabel.openers import ImageOpener
from nibabel.quaternions import quat2mat
from nibabel.wrapstruct import WrapStructError

from neuro_field.arrays import FloatArray
from neuro_field.errors import FileFormatError
from neuro_field.io.image_limits import checked_start

#: A quaternion's three numbers may be longer than one by this: single precision, or digits lost in a text.
ROUNDING = 1e-3


#: Sizes that the headers of version 1 and 2 state of themselves.
_HEADERS = {348: nib.Nifti1Header, 540: nib.Nifti2Header}


def open_nifti(path: Path) -> tuple[Any, ArrayProxy]:
    """The header of a .nii or .nii.gz file and its voxels, none of them read yet.

    Loading it as an image would ask the header for its affine, and so refuse a quaternion longer than one.
    """
    checked_start(path)
    with ImageOpener(str(path)) as file:
        start = file.read(4)
        sizes = [int.from_bytes(start, order) for order in ("little", "big")]  # type: ignore[arg-type]
        kinds = [_HEADERS[size] for size in sizes if size in _HEADERS]
        if not kinds:
            raise FileFormatError(f"{path.name} is not a NIfTI image: its header is neither of version 1 nor 2.")
        file.seek(0)
        try:
            header = kinds[0].from_fileobj(file)
        except WrapStructError:
            raise FileFormatError(f"{path.name} is cut short: its header is not whole.") from None
    return header, ArrayProxy(str(path), header)


def qform_of(header: Any, where: str) -> tuple[FloatArray | None, int]:
    """(4, 4) voxel index to mm by the header's quaternion, and its code; None where the code is 0.

    A header keeps three of a quaternion's four numbers, and the fourth makes its length one.  Three that are longer
    than one by rounding, as at a half turn, are shortened.

    Raises
    ------
    FileFormatError
        If they are longer by more.
    """
    code = int(header["qform_code"])
    if not code:
        return None, 0
    vector = np.array([float(header[f"quatern_{letter}"]) for letter in "bcd"])
    length = float(np.linalg.norm(vector))
    if not length <= 1 + ROUNDING:  # false for NaN too
        raise FileFormatError(
            f"The quaternion in the header of {where} has length {length:.3g}; it must be at most 1, so where the "
            "image lies cannot be known from its qform."
        )
    vector = vector / max(length, 1.0)
    rest = np.sqrt(max(0.0, 1.0 - float(vector @ vector)))
    sizes = np.array([float(size) for size in header["pixdim"][:4]])
    out = np.eye(4)
    out[:3, :3] = quat2mat([rest, *vector]) * (np.abs(sizes[1:]) * [1, 1, -1 if sizes[0] < 0 else 1])
    out[:3, 3] = [float(header[f"qoffset_{letter}"]) for letter in "xyz"]
    return out, code


def sform_of(header: Any) -> tuple[FloatArray | None, int]:
    """(4, 4) voxel index to mm by the header's rows, and its code; None where the code is 0."""
    code = int(header["sform_code"])
    return (np.array(header.get_sform(), dtype=np.float64), code) if code else (None, 0)
