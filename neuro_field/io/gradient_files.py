"""The text files of a diffusion series: b-values and b-vectors, in rows or columns, as FSL and BIDS have them."""

import re
from pathlib import Path

import numpy as np

from neuro_field.arrays import FARTHEST, FloatArray
from neuro_field.errors import FileFormatError, InputError
from neuro_field.mri.gradients import Gradients, gradients

#: Longer files, bytes, are none of b-values.
LARGEST = 2_000_000


def read_gradients(bval: str | Path, bvec: str | Path, images: int) -> Gradients:
    """b-values and b-vectors of a series.

    Parameters
    ----------
    bval : path
        One number an image, s/mm2, in a row or a column.
    bvec : path
        Three numbers an image: three rows, or three columns; of length one.
    images : int
        How many images the series has.

    Raises
    ------
    InputError
        If the counts do not agree, b-values are in another unit, or b-vectors of weighted images not of length one.
    FileFormatError
        If a file holds no numbers.
    """
    b, vectors = _table(Path(bval), "b-values"), _table(Path(bvec), "b-vectors")
    if min(b.shape) != 1:
        raise InputError(f"The b-values {bval} must stand in one row or one column; instead they are {_shape(b)}.")
    if 3 not in vectors.shape:
        hint = " (a gradient table of MRtrix? Give it as bvec and bval)" if 4 in vectors.shape else ""
        raise InputError(f"The b-vectors {bvec} must be three rows or three columns; instead {_shape(vectors)}{hint}.")
    by_row = vectors.shape[0] == 3
    counts = b.size, vectors.shape[1 if by_row else 0]
    if counts != (images, images):
        raise InputError(
            f"A series of {images} images must have as many b-values and b-vectors; instead {bval} holds {counts[0]} "
            f"and {bvec} {counts[1]}: give the files that were written with the series."
        )
    return gradients(b.ravel(), vectors.T if by_row else vectors, f"b-values {bval}")


def _shape(table: FloatArray) -> str:
    return f"{table.shape[0]} rows of {table.shape[1]}"


def _table(path: Path, what: str) -> FloatArray:
    """The numbers of a text file by rows, parted by blanks, tabs or commas; what follows a # is a remark."""
    if not path.is_file():
        raise InputError(f"The {what} {path} do not exist.")
    if path.stat().st_size > LARGEST:
        raise FileFormatError(f"The file {path} is larger than {LARGEST / 1e6:.0f} MB; it holds no {what}.")
    text = path.read_bytes().decode("utf-8-sig", errors="replace")
    rows = [re.split(r"[\s,;]+", line.partition("#")[0].strip(" \t,;")) for line in text.splitlines()]
    rows = [row for row in rows if row != [""]]
    if not rows or len({len(row) for row in rows}) != 1:
        raise FileFormatError(f"The {what} {path} must be rows of numbers, all of one length; instead they are not.")
    try:
        table = np.array([[float(word) for word in row] for row in rows])
    except ValueError as trouble:
        raise FileFormatError(f"The {what} {path} must be numbers: {str(trouble)[:80]}.") from None
    beyond = int(np.count_nonzero(np.abs(table) > FARTHEST))  # NaN, of an image without weighting, is none that is
    if beyond:
        raise InputError(f"The {what} {path} must be numbers up to {FARTHEST:g}; instead {beyond} are beyond.")
    return table
