"""The field of every pulse at points of the cortex around where the coil was held.

Exact by full solves in blocks, or by anything that has `points` and `field` (`Fields`), such as a live field.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol, runtime_checkable

import numpy as np
from scipy.spatial import cKDTree

from neuro_field.arrays import AnyArray, FloatArray
from neuro_field.coil.coil import Coil
from neuro_field.coil.placement import Placement
from neuro_field.errors import InputError
from neuro_field.field.solver import Solver
from neuro_field.geometry.locate import locate
from neuro_field.head.cortex import outwards, sheet_points
from neuro_field.head.model import HeadModel
from neuro_field.units import AMPERE_PER_MICROSECOND

#: Of the lattice of points of the cortex, mm.
SPACING = 2.0

#: The coil's own part is taken from fewer dipoles with this relative error, hundredth of the discretisation's.
_COIL_ERROR = 1e-3

#: What of the field answers are regressed on: its size, or the size of its part along the cortex's normal.
COMPONENTS = ("magnitude", "normal")

Progress = Callable[[str, float], None]


@runtime_checkable
class Fields(Protocol):
    """What gives the field of one coil at fixed points, whatever the pose: a live field."""

    @property
    def points(self) -> FloatArray:
        """(m, 3) mm, head frame."""

    def field(self, placement: Placement, didt: float) -> FloatArray:
        """(m, 3) E at the points, V/m, of a placement and a slope in A/s."""


def cortex_around(head: HeadModel, center: FloatArray, reach: float) -> FloatArray:
    """(m, 3) points in the middle half of the cortical sheet within ``reach`` mm of a place, 2 mm apart.

    Raises
    ------
    InputError
        If there is no cortex, or none there.
    """
    grey, white = head.region("grey_matter"), head.region("white_matter")
    points = sheet_points(
        head.mesh, grey, white, head.region("lesion"), center=center, reach=reach, spacing=SPACING
    )  # fmt: skip
    if len(points) < 10:
        raise InputError(
            f"Within {reach:g} mm of {np.round(center, 1).tolist()} the head {head.name!r} has {len(points)} points in "
            "the middle of its cortex, and a map needs 10; check that the poses are in the frame of this head."
        )
    return points


def fields_at(
    source: Solver | Fields, coil: Coil, placements: Sequence[Placement], points: FloatArray, *,
    progress: Progress | None = None,
) -> AnyArray:  # fmt: skip
    """(p, m, 3) float32: E at points (m, 3) mm, V/m at 1 A/us, of every placement.

    Parameters
    ----------
    source : Solver or Fields
        Of the latter the points must be its own, or some of them.
    """
    out = np.empty((len(placements), len(points), 3), dtype=np.float32)
    each = (
        _solved(source, coil, placements, points) if isinstance(source, Solver) else _given(source, placements, points)
    )
    for index, values in enumerate(each):
        out[index] = values
        if progress is not None:
            progress("fields of the pulses", (index + 1) / len(placements))
    out.flags.writeable = False
    return out


def sizes_of(fields: AnyArray, component: str, head: HeadModel | None, points: FloatArray) -> FloatArray:
    """(m, p) what answers are regressed on, V/m, of fields (p, m, 3) at points (m, 3) mm.

    The normal part counts either way along the normal, as both halves of a biphasic pulse do.
    """
    if component == "magnitude":
        return np.linalg.norm(fields, axis=2).T.astype(np.float64)
    if head is None:
        raise InputError("Input head is needed for the part of the field along the cortex's normal.")
    brain = head.region("grey_matter") | head.region("white_matter") | head.region("lesion")
    normals = outwards(head.mesh, brain, points)
    return np.abs(np.einsum("pmd,md->mp", fields.astype(np.float64), normals))


def _solved(solver: Solver, coil: Coil, placements: Sequence[Placement], points: FloatArray) -> Iterator[FloatArray]:
    """Full solves in blocks, read at the points by one matrix for all of them."""
    elements, shares = locate(solver.head.mesh, points)
    if (elements < 0).any():
        raise InputError(f"{np.count_nonzero(elements < 0)} of {len(points)} points lie outside the head.")
    matrix = solver.system.gradient_matrix(elements, shares, divergence_free=coil.divergence_free)
    own = coil.simplified(error=_COIL_ERROR) if coil.divergence_free else coil
    for field in solver.solve_each(coil, placements, AMPERE_PER_MICROSECOND):
        dadt = own.carried(field.placement.head_from_coil).dadt(points, didt=field.didt)
        yield -dadt - (matrix @ field.potential).reshape(-1, 3)


def _given(source: Fields, placements: Sequence[Placement], points: FloatArray) -> Iterator[FloatArray]:
    """Of a live field, at its own points or some of them."""
    gap, which = cKDTree(source.points).query(points)
    if gap.max(initial=0.0) > 1e-6:
        raise InputError(f"The points must be those of the field that is given; one lies {gap.max():.2g} mm from any.")
    for placement in placements:
        yield np.asarray(source.field(placement, AMPERE_PER_MICROSECOND))[which]
