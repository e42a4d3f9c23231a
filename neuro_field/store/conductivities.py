"""Conductivities of elements as data of a .msh file, beside what it says else; those of tissues are for cards."""

import numpy as np

from neuro_field.arrays import AnyArray, FloatArray
from neuro_field.errors import FileFormatError
from neuro_field.head.model import HeadModel
from neuro_field.io.msh import MshFile

#: What the data is called in the file.
NAME = "conductivity"


def data_of(head: HeadModel) -> dict[str, AnyArray]:
    """The data to write, S/m; none where every tissue has its standard conductivity."""
    standard = HeadModel.from_mesh(head.mesh).conductivity
    same = head.conductivity.shape == standard.shape and bool((head.conductivity == standard).all())
    return {} if same else {NAME: head.conductivity}


def of_elements(file: MshFile, where: str) -> FloatArray | None:
    """(t,) or (t, 3, 3) S/m that a file holds; None where it holds none.

    Raises
    ------
    FileFormatError
        If it holds neither one number for each element nor a tensor.
    """
    values = file.element_data.get(NAME)
    if values is None:
        return None
    if values.ndim == 2 and values.shape[1] != 9:
        raise FileFormatError(f"The {NAME} in the mesh {where} must be 1 or 9 numbers for each element.")
    return np.asarray(values if values.ndim == 1 else values.reshape(-1, 3, 3), dtype=np.float64)
