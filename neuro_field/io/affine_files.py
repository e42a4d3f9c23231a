"""Affine maps between the worlds of two images, as other programs leave them; which way they go is for others."""

import json
from pathlib import Path

import numpy as np
from scipy.io import loadmat

from neuro_field.arrays import FloatArray
from neuro_field.errors import FileFormatError, InputError

#: The largest file that is read, bytes: a matrix takes a thousand, our head.json a hundred times that.
MOST_BYTES = 2_000_000

#: RAS from the axes of ITK (leftwards, backwards, upwards), and back.
_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])


def read_affine(path: str | Path) -> FloatArray:
    """(4, 4) mm to mm, RAS, of a file.

    Sixteen numbers in a text; ITK's text, or the .mat that ANTs writes, of an affine transform (there counted leftwards
    and backwards); or ``mni_from_head`` of a .json, such as our own head.json.

    Raises
    ------
    InputError
        If it does not exist.
    FileFormatError
        If it is none of these, or its matrix cannot be inverted.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"The map {path} does not exist.")
    if path.stat().st_size > MOST_BYTES:
        raise FileFormatError(
            f"The map {path} is {path.stat().st_size / 1e6:.0f} MB; a matrix has a few hundred bytes."
        )
    try:
        matrix = _matrix(path)
    except (
        OSError,
        ValueError,
        TypeError,
        KeyError,
        IndexError,
        AttributeError,
        StopIteration,
        NotImplementedError,
        RecursionError,
    ):
        raise FileFormatError(
            f"The map {path} must hold the sixteen numbers of a 4x4 matrix in a text, an affine transform of ITK or "
            "ANTs, or mni_from_head in a .json; instead it holds none of these."
        ) from None
    if matrix.shape != (4, 4) or not np.isfinite(matrix).all() or np.abs(matrix[3] - [0, 0, 0, 1]).max() > 1e-6:
        raise FileFormatError(f"The map {path} must hold a finite affine 4x4 matrix; it does not.")
    if abs(np.linalg.det(matrix)) < 1e-6:
        raise FileFormatError(f"The map {path} must hold a matrix that can be inverted; it does not.")
    return matrix


def _matrix(path: Path) -> FloatArray:
    raw = path.read_bytes()
    if path.suffix.lower() == ".mat" and not raw[:2000].isascii():
        held = loadmat(path)
        name = next(name for name in held if "AffineTransform" in name or "MatrixOffset" in name)
        return _of_itk(held[name].ravel(), held["fixed"].ravel())
    text = raw.decode("utf-8-sig")
    if path.suffix.lower() == ".json":
        card = json.loads(text)
        return np.array((card.get("mapping") or card)["mni_from_head"], dtype=np.float64)
    if text.startswith("#Insight Transform File"):
        rows = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
        return _of_itk(*(np.array(rows[name].split(), dtype=float) for name in ("Parameters", "FixedParameters")))
    return np.array(text.replace(",", " ").split(), dtype=np.float64).reshape(4, 4)


def _of_itk(parameters: FloatArray, center: FloatArray) -> FloatArray:
    """(4, 4) RAS of ITK's twelve numbers: a matrix about a centre, and a shift."""
    out = np.eye(4)
    out[:3, :3] = np.asarray(parameters[:9], dtype=np.float64).reshape(3, 3)
    out[:3, 3] = parameters[9:12] + center[:3] - out[:3, :3] @ center[:3]
    return _LPS @ out @ _LPS
