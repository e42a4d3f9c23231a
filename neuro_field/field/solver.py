"""From a head, a coil and a placement to the field: the forward problem."""

import copy
import importlib
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import islice
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix

from neuro_field.arrays import AnyArray, FloatArray, sealed, transformed
from neuro_field.coil.coil import Coil
from neuro_field.coil.fit import depths_in_casing
from neuro_field.coil.placement import Placement
from neuro_field.errors import InputError, UnknownNameError
from neuro_field.field.boxes import Boxes
from neuro_field.field.buffers import Buffers
from neuro_field.field.conjugate_gradients import SINGLE, Convergence, solve_block
from neuro_field.field.engine import COMPILED, Engine
from neuro_field.field.field import Field, SolveReport
from neuro_field.field.linear import LinearSystem
from neuro_field.field.multigrid import multigrid, relaxing
from neuro_field.field.primary import add_dadt
from neuro_field.field.quadratic import QuadraticSystem, raised
from neuro_field.field.split import Split, chunk_rows
from neuro_field.field.system import System
from neuro_field.head.inside import inside_head
from neuro_field.head.model import HeadModel
from neuro_field.kernels.columns import column, column_sizes
from neuro_field.kernels.multigrid import CHUNKS, WIDTHS
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

#: How rows are relaxed.
SMOOTHERS = ("gauss-seidel", "jacobi")

#: Powers of two beyond which right-hand sides are not scaled: the factors, too, are numbers.
_STRONGEST = 1000


class Solver:
    """Computes the electric field of coils in one head.

    Solves div(sigma grad phi) = -div(sigma dA/dt) with no current through the scalp, in finite elements, by conjugate
    gradients with a multigrid preconditioner; then E = -dA/dt - grad phi.  The matrix and the hierarchy are made once,
    here, and serve every placement.

    Parameters
    ----------
    head : HeadModel
    tolerance : float
        Relative residual at which a solve stops.  1e-5 leaves a field within 1e-5 of the converged one in grey
        matter (a head of 950,000 nodes), 1e-4 within 5e-5: a hundredth of the discretisation error.
    order : 1 or 2
        Of the finite elements.  Quadratic ones have eight times the unknowns on the same mesh and err less: a check
        of what first order leaves out (`neuro_field.field.error` has figures).  A real head of 950,000 nodes (7.4
        million unknowns) takes half a minute on two cores and 6 GB.
    engine : Engine
        What does the arithmetic (`neuro_field.field.engine`); None for the compiled kernels.
    smoother : "gauss-seidel" or "jacobi"
        How rows are relaxed: one after the other inside 64 chunks, or all at once, for devices of many threads: 14
        iterations instead of 12 on a real head.

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

    def __init__(
        self, head: HeadModel, tolerance: float = 1e-5, *, order: int = 1, engine: Engine | None = None,
        smoother: str = SMOOTHERS[0],
    ) -> None:  # fmt: skip
        if not isinstance(head, HeadModel):
            raise InputError(f"Input head of Solver must be a HeadModel; instead received {head!r:.80}.")
        self.tolerance = _as_tolerance(tolerance, "tolerance of Solver")
        if not (_is_number(order) and order in (1, 2)):
            raise InputError(f"Input order of Solver must be 1 or 2; instead received {order!r:.80}.")
        if smoother not in SMOOTHERS:
            raise UnknownNameError("smoother", smoother, list(SMOOTHERS))
        start = time.perf_counter()
        self.head, self._engine, self._smoother = head, engine or COMPILED, smoother
        self._buffers = Buffers(self._engine)
        linear = LinearSystem(head)
        self.system: System = linear
        self._boxes = Boxes.of(linear.nodes)
        self._order: AnyArray | slice = self._boxes.order
        self._place: AnyArray | slice = np.argsort(self._order)
        if (np.diff(self._boxes.order) == 1).all():
            self._order = self._place = slice(None)  # nodes come along the curve already, as our own meshes' do
        self._ground = float(linear.stiffness.diagonal()[self._boxes.order[0]])
        matrix = self._ordered()
        self._pattern = matrix.indptr, matrix.indices
        grounded = csr_matrix((matrix.data.copy(), matrix.indices, matrix.indptr), shape=matrix.shape)
        grounded.data[0] += self._ground  # the first entry of a sorted row that couples unknown 0 is its diagonal
        self._multigrid = multigrid(grounded, sequential=smoother == SMOOTHERS[0])
        levels = self._multigrid.levels
        self._matrix = levels[0].matrix if levels else self._split(matrix, np.float32)
        if order == 2:
            self._raise(linear)
        self.setup_seconds = time.perf_counter() - start

    @property
    def order(self) -> int:
        """Of the finite elements."""
        return self.system.order

    def __repr__(self) -> str:
        unknowns = len(self._matrix)
        return f"Solver({self.head.name!r}, order={self.order}, {unknowns} unknowns, tolerance={self.tolerance:g})"

    def __reduce__(self) -> tuple[Any, ...]:
        """A pickle holds the head; the matrix and the hierarchy are made anew where it is opened."""
        return _made, (self.head, self.tolerance, self.order, self._engine, self._smoother)

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
        out.__dict__.pop("_double", None)
        out._matrix = out._split(out._ordered(), np.float32)
        out.setup_seconds = time.perf_counter() - start
        return out

    def _ordered(self) -> csr_matrix:
        """The system's matrix in the hierarchy's order."""
        matrix = self.system.stiffness
        return matrix if isinstance(self._order, slice) else _reordered(matrix, self._order)

    @cached_property
    def _double(self) -> Split:
        """The matrix in double precision, for tolerances that single precision does not reach."""
        return self._split(self._ordered(), np.float64)

    def _split(self, matrix: csr_matrix, kind: type[np.floating[Any]]) -> Split:
        """A matrix in the hierarchy's order, grounded: constants are no longer in its null space."""
        out = Split.of(matrix, kind, self._rows(matrix))
        out.sums[0] += self._ground
        return out

    def _rows(self, matrix: csr_matrix) -> int:
        """How many rows are relaxed one after the other."""
        return chunk_rows(matrix.shape[0], self._smoother == SMOOTHERS[0])

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
        system = QuadraticSystem(linear, self._boxes.order, self._pattern)
        self.system = system
        self.__dict__.pop("_double", None)
        self._boxes = Boxes.of(metres(system.points))
        self._order = self._place = slice(None)  # its unknowns are numbered along the curve as they are
        matrix = self._ordered()
        self._matrix = self._split(matrix, np.float32)
        self._multigrid = raised(self._multigrid, system, self._matrix, relaxing(matrix, self._rows(matrix)))

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
        unknowns = len(self._matrix)
        if loads.ndim != 2 or len(loads) != unknowns:
            raise InputError(
                f"Loads of Solver.potentials must have {unknowns} rows, one for each unknown of its elements of order "
                f"{self.order}; instead their shape is {loads.shape}."
            )
        sums, sizes, largest = _sizes(loads)
        if not np.isfinite(sizes).all():
            raise InputError("Loads of Solver.potentials must be finite; instead some are not.")
        if (sums > _UNBALANCED * sizes).any():
            worst = int(np.argmax(sums - _UNBALANCED * sizes))
            raise InputError(
                f"Loads of Solver.potentials must each sum to zero, for no current leaves the head; instead load "
                f"{worst} sums to {sums[worst]:.2g} of {sizes[worst]:.2g} A."
            )
        matrix = self._matrix if self.tolerance >= SINGLE else self._double
        loads, found, done = np.ascontiguousarray(loads[self._order]), np.empty(loads.shape), Convergence((), ())
        scales = np.ldexp(1.0, -np.clip(np.frexp(largest)[1], -_STRONGEST, _STRONGEST))
        for first in range(0, loads.shape[1], self._columns):
            done += solve_block(
                matrix, self._multigrid, loads, found, first=first, scales=scales[first : first + self._columns],
                engine=self._engine, buffers=self._buffers, tolerance=self.tolerance,
            )  # fmt: skip
        return found[self._place], done

    @property
    def _columns(self) -> int:
        """How many right-hand sides are solved together."""
        most = _MOST_NUMBERS // len(self._matrix)
        return max((width for width in WIDTHS if width <= most), default=1)

    def nodal_dadt(self, coils: Sequence[Coil]) -> FloatArray:
        """dA/dt (u, k, 3) at the unknowns' points of several coils in the head frame, V/m per A/s.

        In memory coils are side by side, as `System.load` reads them.
        """
        dadt = np.zeros((len(self._boxes.points), 3, len(coils)))
        add_dadt(coils, self._boxes, dadt)
        return dadt.transpose(0, 2, 1)

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
                potential=sealed(_column(potentials, k, 1, didt)[:, 0]),
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
        whole = dadt.transpose(0, 2, 1).reshape(-1, len(placements))
        for k, field in enumerate(fields):
            own = _column(whole, k, 1, didt).reshape(-1, 3)
            field.__dict__["nodal_dadt"] = sealed(own)  # known here, and derived elsewhere
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


def _reordered(matrix: csr_matrix, order: AnyArray) -> csr_matrix:
    """A square matrix with rows and columns in another order."""
    indptr = np.zeros(len(order) + 1, dtype=np.int32)
    np.cumsum(np.diff(matrix.indptr)[order], out=indptr[1:])
    indices, entry = np.empty((2, matrix.nnz), dtype=np.int32)
    reordered(matrix.indptr, matrix.indices, order, np.argsort(order), indptr, indices, entry)
    return csr_matrix((matrix.data[entry], indices, indptr), shape=matrix.shape)


def _sizes(loads: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Of each column (u, k): the magnitude of its sum, the sum of its magnitudes and the largest of them."""
    sums, sizes, largest = np.empty((3, CHUNKS, loads.shape[1]))
    column_sizes(loads, sums, sizes, largest)
    return np.abs(sums.sum(axis=0)), sizes.sum(axis=0), largest.max(axis=0)


def _column(values: FloatArray, first: int, count: int, factor: float) -> FloatArray:
    """(n, count) columns of values (n, k) times a factor."""
    out = np.empty((len(values), count))
    column(values, first, factor, out)
    return out


def _made(head: HeadModel, tolerance: float, order: int, engine: Engine, smoother: str) -> Solver:
    return Solver(head, tolerance, order=order, engine=engine, smoother=smoother)


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
