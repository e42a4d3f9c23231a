"""A field that was read from a file: what it was in each element, without the equations it came from."""

from functools import cached_property

import numpy as np

from neuro_field.arrays import FloatArray, IntArray, as_points, read_only
from neuro_field.coil.coil import Coil
from neuro_field.coil.placement import Placement
from neuro_field.errors import InputError
from neuro_field.geometry.locate import locate
from neuro_field.head.model import HeadModel
from neuro_field.nouns import noun

#: No field of a coil is stronger, V/m, and no current steeper, A/s: what is beyond comes of damage.
STRONGEST, STEEPEST = 1e9, 1e15


@noun
class StoredField:
    """E of each element of a head, V/m, head frame.

    Parameters
    ----------
    head : HeadModel
        With the conductivities that the field was computed with, and without a mapping.
    coil : Coil, optional
        None where the file's coil is not known here.
    placement : Placement
    didt : float
        A/s.
    E : (t, 3) array

    Raises
    ------
    InputError
        If ``E`` is not one finite vector for each element.
    """

    head: HeadModel
    coil: Coil | None
    placement: Placement
    didt: float
    E: FloatArray

    def __post_init__(self) -> None:
        object.__setattr__(self, "E", read_only(self.E, np.float64))
        wanted = (len(self.head.mesh.tets), 3)
        if self.E.shape != wanted or not (np.abs(self.E) <= STRONGEST).all():  # false for NaN too
            raise InputError(
                f"Input E of StoredField must be of shape {wanted}, finite and up to {STRONGEST:g} V/m; instead "
                f"{self.E.shape}, up to {np.abs(self.E).max(initial=0.0):.3g}."
            )
        if not 0 <= abs(self.didt) <= STEEPEST:
            raise InputError(f"Input didt of StoredField must be up to {STEEPEST:g} A/s; instead {self.didt!r:.40}.")

    @cached_property
    def magnE(self) -> FloatArray:
        """(t,) magnitude of `E`, V/m."""
        return read_only(np.linalg.norm(self.E, axis=1))

    def in_elements(self, elements: IntArray) -> FloatArray:
        """(r, 3) V/m in some elements."""
        return self.E[elements]

    def at(self, points: FloatArray) -> FloatArray:
        """(m, 3) V/m of the elements that hold the points (m, 3) mm; NaN outside. Raw: `Field.at` is finer."""
        elements = locate(self.head.mesh, as_points(points, "points of StoredField.at"))[0]
        out = np.full((len(elements), 3), np.nan)
        out[elements >= 0] = self.E[elements[elements >= 0]]
        return out
