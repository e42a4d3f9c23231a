"""The full solve beside the live field: what was shown at once, certified a moment later.

A solve that begins with the live potential takes as many iterations as one that begins with nothing: modes that tell
the field of the brain to a thousandth leave most of the potential right under the coil, in the scalp, open, and it is
that part which conjugate gradients spend their iterations on.  So it begins with nothing.
"""

import time
from functools import cached_property

import numpy as np

from neuro_field.arrays import FloatArray, sealed
from neuro_field.coil.placement import Placement
from neuro_field.errors import InputError
from neuro_field.field.field import Field
from neuro_field.field.solver import Solver
from neuro_field.live.live_field import LiveField
from neuro_field.live.reading import Reading
from neuro_field.nouns import noun

#: A solve to this tolerance leaves a field within 4e-5 of the converged one, a hundredth of what the live field errs.
TOLERANCE = 1e-4


@noun
class Certified:
    """The field of one placement by a full solve.

    Parameters
    ----------
    E : (n, 3) array
        V/m at the live field's points, as `Field.at`.
    difference : float
        Relative L2 of the live field against it, by volume.
    iterations : int
    seconds : float
    """

    E: FloatArray
    difference: float
    iterations: int
    seconds: float


@noun
class Exact:
    """Solves in full what a live field shows.

    Parameters
    ----------
    live : LiveField
        Thinned to what is looked at (`LiveField.thinned`): each point costs a hundred numbers of memory.
    solver : Solver
        Of the same head.

    Examples
    --------
    >>> import neuro_field as nf
    >>> from neuro_field.live.exact import Exact
    >>> head, coil = nf.sphere_head((70, 80, 90), edge=9.0), nf.load_coil("figure8-70mm")
    >>> solver = nf.Solver(head)
    >>> exact = Exact(nf.live_field(solver, coil, snapshots=20).thinned(500), solver)
    >>> placement = nf.Placement.on(head.scalp, above=(0, 0, 92), handle_towards=(0, -90, 92))
    >>> certified = exact.solved(placement)
    >>> certified.E.shape == exact.live.points.shape, certified.difference < 1
    (True, True)
    """

    live: LiveField
    solver: Solver

    def __post_init__(self) -> None:
        mine, theirs = self.live.head, self.solver.head
        same = np.array_equal(mine.mesh.nodes, theirs.mesh.nodes) and np.array_equal(mine.mesh.tets, theirs.mesh.tets)
        if not (same and np.array_equal(mine.conductivity, theirs.conductivity)):
            raise InputError("Input solver of Exact must be of the live field's own head; make one of `live.head`.")

    def solved(self, placement: Placement, didt: float = 1e6) -> Certified:
        """The full solve of a placement, and what the live field lacks.

        Raises
        ------
        InputError
            As of `Solver.solve`: the coil would reach into the head.
        ConvergenceError
            If the tolerance is not reached.
        """
        began, coil = time.perf_counter(), self.live.coil
        full = self.solver.loosened(TOLERANCE).solve(coil, placement, didt=didt)
        field = self.of(full)
        volumes = self.live.sheet.volumes
        off = np.square(self.live.field(placement, didt) - field).sum(axis=1) @ volumes
        size = max(float(np.square(field).sum(axis=1) @ volumes), 1e-300)
        return Certified(sealed(field), float(np.sqrt(off / size)), full.report.iterations, time.perf_counter() - began)

    def of(self, field: Field) -> FloatArray:
        """What `Field.at` says of a solver's field at the live field's points, (n, 3) V/m, many times faster."""
        return self._reading.of(field)

    @cached_property
    def _reading(self) -> Reading:
        return Reading(self.live.sheet, self.live.coil, self.solver)
