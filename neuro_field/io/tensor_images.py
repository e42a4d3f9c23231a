"""Diffusion tensors from NIfTI images, in the orders and along the axes that programs write them."""

from pathlib import Path

import numpy as np

from neuro_field.arrays import AnyArray
from neuro_field.errors import FileFormatError, InputError, UnknownNameError
from neuro_field.findings import Finding
from neuro_field.head.anisotropy import positive_definite
from neuro_field.io.image_limits import checked_room, scaled
from neuro_field.io.images import UNREADABLE, Image, open_numbers
from neuro_field.mri.tensor_axes import AXES, COLUMNS, ROWS, turned, world_from_axes
from neuro_field.mri.tensor_image import TensorImage

#: Where xx, xy, xz, yy, yz and zz stand among six volumes.  upper: the upper triangle by rows, as FSL's dtifit and so
#: SimNIBS write it; diagonal: xx yy zz xy xz yz, as MRtrix; lower: the lower triangle by rows, NIfTI's symmetric
#: matrix, as ANTs, dipy, Camino and AFNI.
ORDERS = {"upper": (0, 1, 2, 3, 4, 5), "diagonal": (0, 3, 4, 1, 5, 2), "lower": (0, 1, 3, 2, 4, 5)}

#: The axes of the best-known program of an order; several programs with several axes write the lower triangle.
AXES_OF = {"upper": "fsl", "diagonal": "world"}

#: Tensors looked at to tell the order, and how many times more of them must be positive in one than in the next.
_LOOKED, _TELLING = 50_000, 1.1

#: Share of an image's tensors that are positive at least, in some order: beside the head there may be noise.
_FEWEST = 0.2

#: Entries on either side of the diagonal of nine may differ by this share of the largest: they are single precision.
_SYMMETRIC = 1e-4


def read_tensors(path: str | Path, *, order: str | None = None, axes: str | None = None) -> TensorImage:
    """A diffusion tensor image.

    Parameters
    ----------
    path : path
        .nii or .nii.gz with six numbers per voxel, or all nine by rows; voxels without a tensor are 0 or NaN.
    order : {"upper", "diagonal", "lower"}, optional
        Of six: ``upper`` xx xy xz yy yz zz (FSL, SimNIBS), ``diagonal`` xx yy zz xy xz yz (MRtrix), ``lower`` xx xy yy
        xz yz zz (NIfTI's symmetric matrix: ANTs, dipy, AFNI). When omitted it is the one in which the tensors are
        positive.
    axes : {"fsl", "voxel", "world", "lps"}, optional
        Along which x, y and z run: FSL's and BIDS's (voxel axes, the first reversed where the affine's determinant is
        positive), the voxel axes, or the scanner's to the right, front and up, or to the left, back and up. When
        omitted FSL's for ``upper`` and the scanner's for ``diagonal``; ``lower`` and nine numbers do not tell.

    Returns
    -------
    TensorImage
        Along the axes of the world.

    Raises
    ------
    InputError
        If the image is none of tensors, does not say where it lies, is asymmetric or holds infinite numbers, its order
        is another than the one said, or its axes are not known.
    FileFormatError
        If it is damaged or truncated.

    Examples
    --------
    >>> import nibabel
    >>> values = np.tile(np.float32([1.7e-3, 0.1e-3, 0.0, 0.3e-3, 0.0, 0.3e-3]), (4, 4, 4, 1))
    >>> nibabel.save(nibabel.Nifti1Image(values, np.diag([-2.0, 2.0, 2.0, 1.0])), "dti_tensor.nii.gz")
    >>> tensors = read_tensors("dti_tensor.nii.gz")
    >>> tensors.axes, tensors.values[0, 0, 0, :2]
    ('fsl', array([ 0.0017, -0.0001], dtype=float32))
    """
    for given, known, what in ((order, ORDERS, "order"), (axes, AXES, "axes")):
        if given is not None and given not in known:
            raise UnknownNameError(f"{what} of read_tensors", given, list(known))
    path = Path(path)
    image, shape, form = open_numbers(path, (6, 9), "six or nine numbers per voxel")
    checked_room(image, path, int(np.prod(shape, dtype=np.int64)))
    try:
        values = scaled(image, shape)
    except UNREADABLE as trouble:
        reason = str(trouble).splitlines()[0][:120] if str(trouble) else type(trouble).__name__
        raise FileFormatError(f"The image {path} is truncated or damaged: {reason}.") from None
    values = values.astype(np.float32) if values.dtype.kind != "f" else values
    _check_finite(values, path)
    found = "full" if shape[3] == 9 else _order(values, order, path)
    values = _of_nine(values, path) if found == "full" else values[..., list(ORDERS[found])]
    along = axes or AXES_OF.get(found)
    if along is None:
        raise InputError(
            f"The image {path} does not tell along which axes its tensors were written, and programs differ: say it "
            "with --tensor-axes: fsl where they were fitted with the b-vectors of FSL or BIDS (as dipy does), voxel, "
            "world (right, front, up) or lps."
        )
    told = [] if axes else [Finding("tensor-axes-taken", "note", {"order": found, "axes": along})]
    where = Image(values, form.affine, path, form.code)
    told += [Finding("tensor-atlas", "warn", {"form_code": where.atlas_code})] if where.atlas_code is not None else []
    return TensorImage(
        turned(values, world_from_axes(along, form.affine)), form.affine, axes=along, findings=tuple(told)
    )


def _check_finite(values: AnyArray, path: Path) -> None:
    """NaN all through says that there is no tensor; infinite numbers, and NaN in part, are refused."""
    infinite = part = 0
    for slab in values:
        infinite += int(np.count_nonzero(np.isinf(slab).any(axis=-1)))
        none = np.isnan(slab)
        part += int(np.count_nonzero(none.any(axis=-1) & ~none.all(axis=-1)))
    if infinite or part:
        raise InputError(
            f"The tensors of {path} must be finite, or NaN all through where there is none; instead {part} are NaN in "
            f"part and {infinite} infinite: fit them again."
        )


def _order(values: AnyArray, said: str | None, path: Path) -> str:
    """The order in which six numbers make positive tensors; refuses none, two, and another than was said."""
    flat = values.reshape(-1, 6)
    some = np.flatnonzero((np.nan_to_num(flat) != 0).any(axis=1))
    some = some[:: max(1, len(some) // _LOOKED)]
    if not len(some):
        raise InputError(f"The image {path} holds no tensors: all its voxels are 0 or NaN.")
    looked = flat[some].astype(np.float64).T
    positive = {
        name: int(np.count_nonzero(positive_definite(*(looked[place] for place in places))))
        for name, places in ORDERS.items()
    }
    first, second, _ = sorted(positive, key=lambda name: -positive[name])
    shown = ", ".join(f"{name} {positive[name] / len(some):.0%}" for name in ORDERS)
    sure = positive[first] > _TELLING * positive[second]
    if said is None and not sure:
        raise InputError(
            f"The order of the six numbers in {path} is not known: so many tensors would be positive: {shown}; say it "
            "with --tensor-order."
        )
    if said is not None and sure and first != said:
        raise InputError(
            f"The six numbers in {path} do not stand in the order {said}: so many tensors would be positive: {shown}; "
            f"they look like {first}."
        )
    if positive[said or first] < _FEWEST * len(some):
        raise InputError(
            f"The image {path} must hold diffusion tensors, which are positive; instead so many are, by the order of "
            f"the components: {shown}: fit them again."
        )
    return said or first


def _of_nine(values: AnyArray, path: Path) -> AnyArray:
    """Six components of nine; refuses those that are not symmetric."""
    square = values.reshape(*values.shape[:3], 3, 3)
    bad = 0
    for slab in square:
        scale = np.abs(slab).max(axis=(-2, -1))
        bad += int(np.count_nonzero(np.abs(slab - slab.swapaxes(-2, -1)).max(axis=(-2, -1)) > _SYMMETRIC * scale))
    if bad:
        raise InputError(f"The tensors of {path} must be symmetric; instead {bad} are not: nine numbers, by rows.")
    return np.ascontiguousarray(square[..., ROWS, COLUMNS])
