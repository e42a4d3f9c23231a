"""A series of diffusion-weighted images from a NIfTI, one image at a time: it may be far larger than the memory."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from nibabel.openers import ImageOpener

from neuro_field.arrays import AnyArray, FloatArray
from neuro_field.errors import FileFormatError, InputError
from neuro_field.findings import Finding
from neuro_field.io.gradient_files import read_gradients
from neuro_field.io.image_limits import checked_claim, checked_room
from neuro_field.io.images import UNREADABLE, Image, open_numbers
from neuro_field.mri.tensor_fit import fitted_tensors
from neuro_field.mri.tensor_image import TensorImage
from neuro_field.nouns import noun

#: Images of a series: fewer do not make a tensor, more are damage.
IMAGES = (7, 3000)


@noun
class Series:
    """Images in a file: ``shape`` (i, j, k, n), ``affine`` (4, 4) voxel index to world mm; `images` reads them."""

    path: Path
    shape: tuple[int, ...]
    affine: FloatArray
    code: int
    kind: np.dtype
    start: int
    scale: tuple[float, float]

    def images(self) -> Iterator[AnyArray]:
        """The images (i, j, k) in their order; raises FileFormatError where the file ends before them."""
        size = int(np.prod(self.shape[:3]))
        slope, intercept = self.scale
        try:
            with ImageOpener(str(self.path)) as file:
                file.seek(self.start)
                for _ in range(self.shape[3]):
                    data = file.read(size * self.kind.itemsize)
                    if len(data) < size * self.kind.itemsize:
                        raise FileFormatError(f"The image {self.path} is truncated: it ends within its voxels.")
                    stored = np.frombuffer(data, self.kind).reshape(self.shape[:3], order="F")
                    yield (
                        stored
                        if (slope, intercept) == (1.0, 0.0)
                        else stored * np.float32(slope) + np.float32(intercept)
                    )
        except FileFormatError:
            raise
        except UNREADABLE as trouble:
            reason = str(trouble).splitlines()[0][:120] if str(trouble) else type(trouble).__name__
            raise FileFormatError(f"The image {self.path} is truncated or damaged: {reason}.") from None


def read_series(path: str | Path) -> Series:
    """The header of a series of images.

    Raises
    ------
    InputError
        If it does not exist, is no series of real numbers, or does not say where it lies.
    FileFormatError
        If it is damaged, or claims more than its file can hold.
    """
    least, most = IMAGES
    what = f"a series of {least} to {most} diffusion-weighted images"
    image, shape, form = open_numbers(path, range(least, most + 1), what)
    data = image.dataobj
    if data.dtype.kind not in "iuf":
        raise InputError(f"The image {path} must hold real numbers; instead it holds {data.dtype}.")
    size = int(np.prod(shape[:3], dtype=np.int64))
    checked_claim(Path(path), size * shape[3] * data.dtype.itemsize)
    checked_room(image, Path(path), size)
    scale = float(data.slope), float(data.inter)
    return Series(Path(path), shape, form.affine, form.code, data.dtype, int(data.offset), scale)


def fit_tensors(dwi: str | Path, bval: str | Path, bvec: str | Path, *, axes: str = "fsl") -> TensorImage:
    """Diffusion tensors of a series of diffusion-weighted images, as they are: nothing is corrected.

    Parameters
    ----------
    dwi : path
        .nii or .nii.gz of seven images and more.
    bval, bvec : path
        Its b-values, s/mm2, and b-vectors, in rows or columns.
    axes : {"fsl", "voxel", "world", "lps"}
        Of the b-vectors, as in `neuro_field.read_tensors`; FSL's are BIDS's and dcm2niix's too.

    Returns
    -------
    TensorImage
        mm2/s, along the world's axes. `TensorImage.moved_to` brings it to a T1 by the images without weighting.

    Raises
    ------
    InputError
        If the three do not belong together, or determine no tensor.
    FileFormatError
        If a file is damaged or truncated.

    Examples
    --------
    >>> import nibabel
    >>> ways = np.array([[0, 0, 0], [1, 1, 0], [1, -1, 0], [1, 0, 1], [1, 0, -1], [0, 1, 1], [0, 1, -1]]) / 2**0.5
    >>> b, diffusion = np.array([0.0] + 6 * [1000.0]), np.diag([1.7e-3, 0.3e-3, 0.3e-3])
    >>> signal = 1000 * np.exp(-b * np.einsum("ni,ij,nj->n", ways, diffusion, ways))
    >>> nibabel.save(nibabel.Nifti1Image(np.tile(signal, (4, 4, 4, 1)), np.diag([2.0, 2.0, 2.0, 1.0])), "dwi.nii.gz")
    >>> np.savetxt("dwi.bval", b[None]), np.savetxt("dwi.bvec", ways.T)
    (None, None)
    >>> fit_tensors("dwi.nii.gz", "dwi.bval", "dwi.bvec").at(np.array([[3.0, 3.0, 3.0]]))[0].diagonal().round(6)
    array([0.0017, 0.0003, 0.0003])
    """
    series = read_series(dwi)
    gradients = read_gradients(bval, bvec, series.shape[3])
    found = fitted_tensors(series.images, gradients, series.affine, axes)
    assert found.image is not None
    code = Image(found.image.values, series.affine, series.path, series.code).atlas_code
    if code is None:
        return found
    return replace(found, findings=(*found.findings, Finding("tensor-atlas", "warn", {"form_code": code})))
