"""Laws that hold in every head, whatever its shape, for the validation suite; each as a relative difference."""

from collections.abc import Iterator

import numba
import numpy as np

from neuro_field.arrays import FloatArray, transformed
from neuro_field.coil.coil import Coil
from neuro_field.coil.placement import Placement
from neuro_field.field.field import Field
from neuro_field.field.probe import Probe
from neuro_field.field.solver import Solver
from neuro_field.geometry.mesh import TetMesh
from neuro_field.head.model import HeadModel

#: Residual at which the laws are asked.
TOLERANCE = 1e-10


def laws(head: HeadModel, coil: Coil, placement: Placement) -> Iterator[tuple[str, float, float]]:
    """(law, relative difference, limit) of each law for a coil on a head whose conductivity is scalar."""
    solver = Solver(head, tolerance=TOLERANCE)
    field = solver.solve(coil, placement)
    size = float(np.abs(field.E).max())

    def differs(found: FloatArray, expected: FloatArray = field.E) -> float:
        return float(np.abs(found - expected).max() / size)

    yield "linear in the current", differs(solver.solve(coil, placement, didt=-3e6).E / -3), 1e-12
    scaled = Solver(HeadModel(head.mesh, 7.3 * head.conductivity), tolerance=TOLERANCE)
    yield "same for scaled conductivity", differs(scaled.solve(coil, placement).E), 1e-7
    shifted = placement.moved(along_x=9.0, turned=40.0)
    both = Coil(
        "both", (*coil.carried(placement.head_from_coil).elements, *coil.carried(shifted.head_from_coil).elements)
    )
    alone, other = solver.solve_many(coil, [placement, shifted])
    together = solver.solve(both, Placement(np.eye(4)))
    yield "sum of two coils", differs(together.E, alone.E + other.E), 1e-7
    yield "alike alone and in a block", differs(alone.E), 0.0
    # far boxes of nodes lie otherwise in a moved head, and dA/dt is summed to 1e-5 there
    yield "rigid motion", _moved(head, coil, placement, field.E) / size, 3e-5
    yield "reciprocity", _reciprocity(solver, field), 1e-6
    threads = numba.get_num_threads()
    numba.set_num_threads(1)
    try:
        yield "one thread as many", differs(solver.solve(coil, placement).E), 0.0
    finally:
        numba.set_num_threads(threads)


def _moved(head: HeadModel, coil: Coil, placement: Placement, expected: FloatArray) -> float:
    motion = np.array([[0.0, -1, 0, 120], [0.6, 0, -0.8, -40], [0.8, 0, 0.6, 15], [0, 0, 0, 1]])
    mesh = TetMesh(transformed(head.mesh.nodes, motion), head.mesh.tets, head.mesh.tags)
    moved = Solver(HeadModel(mesh, head.conductivity), tolerance=TOLERANCE)
    found = moved.solve(coil, Placement(motion @ placement.head_from_coil)).E
    return float(np.abs(found - expected @ motion[:3, :3].T).max())


def _reciprocity(solver: Solver, field: Field) -> float:
    """A functional of E by its adjoint and dA/dt, against the functional of the forward field."""
    mesh, system = solver.head.mesh, solver.system
    strongest = mesh.centroids[np.argmax(field.magnE)]
    near = np.flatnonzero(np.linalg.norm(mesh.centroids - strongest, axis=1) < 15.0).astype(np.int32)
    probe, weights = Probe(system, near), mesh.volumes[near][:, None] * np.array([0.3, -0.5, 0.8])
    adjoint = solver.potentials(probe.adjoint_loads(weights[:, :, None]))[0]
    conducted = np.sum(system.load_transpose(adjoint)[:, 0] * field.nodal_dadt)
    found = -conducted - np.sum(weights * field.dadt(probe.points))
    return float(abs(found / np.sum(weights * field.recovered(near)) - 1))
