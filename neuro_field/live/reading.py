"""Full solves read at the points of a cortex, again and again: what `Field.at` says, many times faster."""

from functools import cached_property

import numpy as np
from scipy.sparse import csr_matrix

from neuro_field.arrays import FloatArray
from neuro_field.coil.coil import Coil
from neuro_field.field.boxes import Boxes
from neuro_field.field.field import Field
from neuro_field.field.primary import add_dadt
from neuro_field.field.solver import Solver
from neuro_field.live.sheet import Sheet
from neuro_field.nouns import noun
from neuro_field.units import metres


@noun
class Reading:
    """Reads one solver's fields of one coil at the points of a sheet.

    Parameters
    ----------
    sheet : Sheet
        Of the solver's head; each of its points costs a hundred numbers of memory.
    coil : Coil
    solver : Solver
    """

    sheet: Sheet
    coil: Coil
    solver: Solver

    def of(self, field: Field) -> FloatArray:
        """E (n, 3) V/m at the sheet's points, as `Field.at`."""
        dadt = np.zeros((len(self.sheet.points), 3, 1))
        add_dadt([field.coil.carried(field.placement.head_from_coil)], self._boxes, dadt)
        return -np.asarray(self._gradient @ field.potential).reshape(-1, 3) - dadt[:, :, 0] * field.didt

    @cached_property
    def _gradient(self) -> csr_matrix:
        elements, shares = self.sheet.elements(self.solver.head)
        return self.solver.system.gradient_matrix(elements, shares, divergence_free=self.coil.divergence_free)

    @cached_property
    def _boxes(self) -> Boxes:
        return Boxes.of(metres(self.sheet.points))
