"""From a head, a coil and a placement to the field: the forward problem."""

import copy
import importlib
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix

from neuro_field.arrays import AnyArray, FloatArray, IntArray, sealed, transformed
from neuro_field.coil.coil import Coil
from neuro_field.coil.fit import depths_in_casing
from neuro_field.coil.placement import Placement
from neuro_field.errors import InputError
from neuro_field.field.boxes import Boxes
from neuro_field.field.conjugate_gradients import Convergence, solve_block
from neuro_field.field.field import Field, SolveReport
from neuro_field.field.linear import LinearSystem
from neuro_field.field.multigrid import Multigrid, multigrid
from neuro_field.field.primary import add_dadt
from neuro_field.field.quadratic import QuadraticSystem, raised
from neuro_field.field.system import System
from neuro_field.head.inside import inside_head
from neuro_field.head.model import HeadModel
from neuro_field.kernels.multigrid import WIDTHS
from neuro_field.kernels.reorder import reordered
from neuro_field.nouns import copied
from neuro_field.units import metres

#: Sources deeper than this below the scalp, in mm, are inside the head.
_DEPTH_ALLOWED = 0.5

#: Scalp deeper than this in the casing, in mm, is cut by it: skin and hair give way, and tracked poses err as much.
_CUT_ALLOWED = 3.0

#: Radius of the face of a coil that comes as a sampled potential without a casing, mm.
_FACE = 40.0

#: Unknowns times right-hand sides of the largest block; each such number takes about 100 bytes on the way.
_MOST_NUMBERS = 32_000_000

#: A load's sum, as a share of the sum of its magnitudes, that is more than rounding.
_UNBALANCED = 1e-6


class Solver:
    """Computes the electric field of coils in one head.

    Solves div(sigma grad phi) = -div(sigma dA/dt) with no current through the scalp, in finite elements, by conjugate
    gradients with a multigrid preconditioner; then E = -dA/dt - grad phi.  The matrix and the hierarchy are made once,
    here, and serve every placement.

    Parameters
    ----------
    head : HeadModel
    tolerance : float
        Relative residual at which a solve stops.  1e-5 leaves a field within about 1e-5 of the converged one, a
        hundredth of the discretisation error; 1e-4 within 4e-5.
    order : 1 or 2
        Of the finite elements.  Quadratic ones have eight times the unknowns on the same mesh and err less: a check
        of what first order leaves out (`neuro_field.field.error` has figures).  A real head of 950,000 nodes (7.4
        million unknowns) takes half a minute on two cores and 6 GB.

    Raises
    ------
    InputError
        If the head cannot be solved: inverted or flat elements, loose nodes, several pieces.

    Examples
    --------
    >>> import neuro_field as nf
    >>> head = nf.sphere_head((70, 80, 90), edge=9.0)
    >>> coil = nf.load_coil("figure8-70mm")
    >>> placement = nf.Placement.on(head.scalp, above=(0, 0, 92), handle_towards=(0, -90, 92))
    >>> field = nf.Solver(head).solve(coil, placement)
    >>> field.E.shape[1]
    3
    """

    def __init__(self, head: HeadModel, tolerance: float = 1e-5, *, order: int = 1) -> None:
        if not isinstance(head, HeadModel):
            raise InputError(f"Input head of Solver must be a HeadModel; instead received {head!r:.80}.")
        self.tolerance = _as_tolerance(tolerance, "tolerance of Solver")
        if not (_is_number(order) and order in (1, 2)):
            raise InputError(f"Input order of Solver must be 1 or 2; instead received {order!r:.80}.")
        start = time.perf_counter()
        self.head = head
        linear = LinearSystem(head)
        self.system: System = linear
        self._boxes = Boxes.of(linear.nodes)
        matrix, entry = _reordered(linear.stiffness, self._boxes.order)
        self._entry: AnyArray | slice = entry
        self._order: AnyArray | slice = self._boxes.order
        self._place: AnyArray | slice = np.argsort(self._order)
        if (np.diff(self._boxes.order) == 1).all():
            self._order = self._place = slice(None)  # nodes come along the curve already, as our own meshes' do
        self._ground = float(matrix.data[0])  # of the first node: constants are no longer in the null space
        matrix.data[0] += self._ground
        self._multigrid: Multigrid = multigrid(matrix)
        self._matrix = matrix.indptr.astype(np.uint32), matrix.indices.astype(np.uint32), matrix.data
        if order == 2:
            self._raise(linear)
        self.setup_seconds = time.perf_counter() - start

    @property
    def order(self) -> int:
        """Of the finite elements."""
        return self.system.order

    def __repr__(self) -> str:
        unknowns = len(self._matrix[0]) - 1
        return f"Solver({self.head.name!r}, order={self.order}, {unknowns} unknowns, tolerance={self.tolerance:g})"

    def __reduce__(self) -> tuple[Any, ...]:
        """A pickle holds the head; the matrix and the hierarchy are made anew where it is opened."""
        return _made, (self.head, self.tolerance, self.order)

    __copy__ = copied

    def retuned(self, head: HeadModel) -> "Solver":
        """The same mesh with other conductivities, on the hierarchy that is here already.

        The answers are those of a new solver to its tolerance; they take more iterations the farther the
        conductivities are from this solver's, a few at factors of two.

        Raises
        ------
        InputError
            If the head's mesh is another.
        """
        mesh, mine = head.mesh, self.head.mesh
        if not (np.array_equal(mesh.nodes, mine.nodes) and np.array_equal(mesh.tets, mine.tets)):
            raise InputError("Input head of Solver.retuned must have the mesh of the solver's own head; make a Solver.")
        start, out = time.perf_counter(), copy.copy(self)
        out.head, out.system = head, self.system.retuned(head)
        out._matrix = *self._matrix[:2], out._grounded()
        out.setup_seconds = time.perf_counter() - start
        return out

    def _grounded(self) -> FloatArray:
        """The entries of `system`'s matrix in the hierarchy's order, with its grounding."""
        entries: FloatArray = self.system.stiffness.data[self._entry]
        entries[0] += self._ground  # the first entry of a sorted row that couples unknown 0 is its diagonal
        return entries

    def loosened(self, tolerance: float) -> "Solver":
        """The same head and hierarchy at a tolerance of at least the one given."""
        out = copy.copy(self)
        out.tolerance = max(self.tolerance, _as_tolerance(tolerance, "tolerance of Solver.loosened"))
        return out

    def raised(self) -> "Solver":
        """The same head and tolerance in second-order elements, on top of the hierarchy that is here already."""
        if self.order == 2:
            return self
        assert isinstance(self.system, LinearSystem)
        start, out = time.perf_counter(), copy.copy(self)
        out._raise(self.system)
        out.setup_seconds = time.perf_counter() - start
        return out

    def _raise(self, linear: LinearSystem) -> None:
        system = QuadraticSystem(linear, self._boxes.order, self._matrix[:2])
        self.system = system
        stiffness, self._entry = system.stiffness, slice(None)
        stiffness.data[0] += self._ground  # the same, so that the levels stay Galerkin's
        self._matrix = stiffness.indptr.view(np.uint32), stiffness.indices.view(np.uint32), stiffness.data
        self._multigrid = raised(self._multigrid, system, self._matrix)
        self._boxes = Boxes.of(metres(system.points))
        self._order = self._place = slice(None)  # its unknowns are numbered along the curve as they are

    def solve(
        self,
        coil: Coil,
        placement: Placement,
        didt: float = 1e6,
    ) -> Field:
        """The field of one placement.

        Parameters
        ----------
        coil : Coil
        placement : Placement
        didt : float
            Slope of the coil current, A/s; the field is linear in it.

        Returns
        -------
        Field

        Raises
        ------
        InputError
            If an argument is of the wrong kind, the coil's windings reach into the head, or its casing cuts more
            than 3 mm into the scalp.
        ConvergenceError
            If the tolerance is not reached.
        """
        return self.solve_many(coil, [placement], didt=didt)[0]

    def solve_many(
        self,
        coil: Coil,
        placements: Sequence[Placement],
        didt: float = 1e6,
    ) -> list[Field]:
        """The fields of several placements, the same answers as one by one, solved in blocks."""
        if isinstance(placements, Placement) or not isinstance(placements, Sequence):
            raise InputError(
                f"Input placements of Solver.solve_many must be a list of Placement; instead {placements!r:.80}."
            )
        self._check_drive(coil, didt)
        checked = [self.checked(coil, placement) for placement in placements]  # all of them before any work
        return list(self._each(coil, iter(checked), float(didt)))

    def solve_each(
        self,
        coil: Coil,
        placements: Iterable[Placement],
        didt: float = 1e6,
    ) -> Iterator[Field]:
        """The fields of `solve_many` one after the other, so that no more than a block of them need be kept.

        Placements are asked for a block at a time, and each is checked before its block is solved.

        Examples
        --------
        >>> import neuro_field as nf
        >>> head, coil = nf.sphere_head((70, 80, 90), edge=9.0), nf.load_coil("figure8-70mm")
        >>> first = nf.Placement.on(head.scalp, above=(0, 0, 92), handle_towards=(0, -90, 92))
        >>> lifted = (first.moved(along_z=-mm) for mm in range(20))
        >>> strongest = [float(field.magnE.max()) for field in nf.Solver(head).solve_each(coil, lifted)]
        >>> len(strongest), strongest[0] > strongest[-1]
        (20, True)
        """
        self._check_drive(coil, didt)
        checked = (self.checked(coil, placement) for placement in placements)
        return self._each(coil, checked, float(didt))

    def _each(self, coil: Coil, placements: Iterator[Placement], didt: float) -> Iterator[Field]:
        while block := list(islice(placements, self._columns)):
            yield from self._solve_block(coil, block, didt)

    def potentials(self, loads: FloatArray) -> tuple[FloatArray, Convergence]:
        """Solve K phi = b for right-hand sides (u, k), each summing to zero, A; phi in V with any constant.

        A row for each unknown of `system`: the nodes, and for second order the edges.

        Returns
        -------
        potentials : (u, k) array
        convergence : Convergence
        """
        unknowns = len(self._matrix[0]) - 1
        if loads.ndim != 2 or len(loads) != unknowns:
            raise InputError(
                f"Loads of Solver.potentials must have {unknowns} rows, one for each unknown of its elements of order "
                f"{self.order}; instead their shape is {loads.shape}."
            )
        sums, sizes = np.abs(loads.sum(axis=0)), np.abs(loads).sum(axis=0)
        if not np.isfinite(sizes).all():
            raise InputError("Loads of Solver.potentials must be finite; instead some are not.")
        if (sums > _UNBALANCED * sizes).any():
            worst = int(np.argmax(sums - _UNBALANCED * sizes))
            raise InputError(
                f"Loads of Solver.potentials must each sum to zero, for no current leaves the head; instead load "
                f"{worst} sums to {sums[worst]:.2g} of {sizes[worst]:.2g} A."
            )
        if not loads.shape[1]:
            return np.zeros(loads.shape), Convergence((), ())
        blocks: list[FloatArray] = []
        iterations: list[int] = []
        residuals: list[float] = []
        for first in range(0, loads.shape[1], self._columns):
            block = loads[self._order, first : first + self._columns]
            x, convergence = solve_block(self._matrix, self._multigrid.cycle, block, tolerance=self.tolerance)
            blocks.append(x[self._place])
            iterations.extend(convergence.iterations)
            residuals.extend(convergence.residuals)
        found = blocks[0] if len(blocks) == 1 else np.concatenate(blocks, axis=1)
        return found, Convergence(tuple(iterations), tuple(residuals))

    @property
    def _columns(self) -> int:
        """How many right-hand sides are solved together."""
        most = _MOST_NUMBERS // (len(self._matrix[0]) - 1)
        return max((width for width in WIDTHS if width <= most), default=1)

    def nodal_dadt(self, coils: Sequence[Coil]) -> FloatArray:
        """dA/dt (u, k, 3) at the unknowns' points of several coils in the head frame, V/m per A/s."""
        dadt = np.zeros((len(self._boxes.points), len(coils), 3))
        for column, coil in enumerate(coils):
            add_dadt(coil, self._boxes, dadt, column)
        return dadt

    def _solve_block(self, coil: Coil, placements: Sequence[Placement], didt: float) -> list[Field]:
        start = time.perf_counter()
        dadt = self.nodal_dadt([coil.carried(placement.head_from_coil) for placement in placements])
        primary = time.perf_counter()
        potentials, convergence = self.potentials(self.system.load(dadt))
        seconds = {"primary": primary - start, "solve": time.perf_counter() - primary}
        fields = [
            Field(
                system=self.system,
                coil=coil,
                placement=placement,
                didt=didt,
                potential=sealed(potentials[:, k] * didt),
                report=SolveReport(
                    nodes=len(self.head.mesh.nodes),
                    iterations=convergence.iterations[k],
                    residual=convergence.residuals[k],
                    tolerance=self.tolerance,
                    seconds={stage: value / len(placements) for stage, value in seconds.items()},
                    peak_memory=peak_memory(),
                ),
            )
            for k, placement in enumerate(placements)
        ]
        for k, field in enumerate(fields):
            field.__dict__["nodal_dadt"] = sealed(dadt[:, k] * didt)  # known here, and derived again elsewhere
        return fields

    def _check_drive(self, coil: Coil, didt: float) -> None:
        if not isinstance(coil, Coil):
            raise InputError(f"Input coil of Solver.solve must be a Coil; instead received {coil!r:.80}.")
        if not (_is_number(didt) and np.isfinite(didt)):
            raise InputError(f"Input didt of Solver.solve must be a finite number in A/s; instead received {didt!r}.")

    def checked(self, coil: Coil, placement: Placement) -> Placement:
        """The placement itself; InputError as of `solve` where the coil would reach into this head."""
        if not isinstance(placement, Placement):
            raise InputError(f"Input placement of Solver.solve must be a Placement; instead {placement!r:.80}.")
        sources = transformed(coil.source_points, placement.head_from_coil)
        scalp = self.head.scalp
        inside = np.flatnonzero(inside_head(self.head, sources))
        depth = max((float(np.linalg.norm(scalp.nearest(point) - point)) for point in sources[inside]), default=0.0)
        if depth > _DEPTH_ALLOWED:
            raise InputError(
                f"The coil must be outside the head; instead {len(inside)} of its {len(sources)} sources lie up to "
                f"{depth:.1f} mm inside the scalp. Raise its gap, or check the placement's z axis."
            )
        if coil.casing is None and coil.sampled:
            self._refuse_behind(coil, placement)
        if coil.casing is not None:
            depths = depths_in_casing(scalp.points, coil.casing, placement.head_from_coil)
            cut = np.flatnonzero(depths > _CUT_ALLOWED)
            if len(cut):
                raise InputError(
                    f"The coil's casing must not cut the scalp by more than {_CUT_ALLOWED:g} mm; instead {len(cut)} of "
                    f"{len(depths)} scalp vertices lie up to {depths.max():.1f} mm inside it, the first is {cut[0]}. "
                    f"Lift it: Placement.on(..., coil=coil), or placement.moved(along_z=-{np.ceil(depths.max()):g})."
                )
        return placement

    def _refuse_behind(self, coil: Coil, placement: Placement) -> None:
        """A sampled potential without a casing does not say where its windings are: behind the plane of its face."""
        local = placement.coil_points(self.head.scalp.points)
        above = (np.linalg.norm(local[:, :2], axis=1) < _FACE) & (local[:, 2] < -_CUT_ALLOWED)
        if above.any():
            raise InputError(
                f"The coil must be outside the head; instead {np.count_nonzero(above)} scalp vertices lie up to "
                f"{-local[above, 2].min():.1f} mm behind its face, where the windings of its sampled potential are. "
                "Raise its gap, check the placement's z axis, or give the coil a casing."
            )


def _reordered(matrix: csr_matrix, order: AnyArray) -> tuple[csr_matrix, IntArray]:
    """A square matrix with rows and columns in another order, and which old entry each of its entries is."""
    indptr = np.zeros(len(order) + 1, dtype=np.int32)
    np.cumsum(np.diff(matrix.indptr)[order], out=indptr[1:])
    indices, entry = np.empty((2, matrix.nnz), dtype=np.int32)
    reordered(matrix.indptr, matrix.indices, order, np.argsort(order), indptr, indices, entry)
    return csr_matrix((matrix.data[entry], indices, indptr), shape=matrix.shape), entry


def _made(head: HeadModel, tolerance: float, order: int) -> Solver:
    return Solver(head, tolerance, order=order)


def _as_tolerance(value: object, what: str) -> float:
    if not (_is_number(value) and 1e-12 <= value <= 1e-2):  # type: ignore[operator]
        raise InputError(f"Input {what} must be from 1e-12 to 1e-2; instead received {value!r:.60}.")
    return float(value)  # type: ignore[arg-type]


def _is_number(value: object) -> bool:
    return isinstance(value, int | float | np.floating | np.integer) and not isinstance(value, bool)


def peak_memory() -> int:
    """Largest resident size of this process so far, bytes; 0 where the system does not tell, as Windows."""
    try:
        resource = importlib.import_module("resource")
    except ImportError:
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(peak if sys.platform == "darwin" else peak * 1024)
