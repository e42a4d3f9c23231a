"""Laws that hold in every head, whatever its shape, for the validation suite; each as a relative difference."""

from collections.abc import Iterator

import numba
import numpy as np

from neuro_field.arrays import FloatArray, transformed
from neuro_field.coil.coil import Coil
from neuro_field.coil.placement import Placement
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
    yield "rigid motion", _moved(head, coil, placement, field.E) / size, 1e-6
    yield "reciprocity", _reciprocity(solver, field.E, field.nodal_dadt), 1e-6
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


def _reciprocity(solver: Solver, field: FloatArray, dadt: FloatArray) -> float:
    """A functional of E by its adjoint and dA/dt at the nodes, against the functional of the forward field."""
    mesh, system = solver.head.mesh, solver.system
    near = np.linalg.norm(mesh.centroids - mesh.centroids[np.argmax(np.linalg.norm(field, axis=1))], axis=1) < 15.0
    weight = (near * mesh.volumes)[:, None] * np.array([0.3, -0.5, 0.8])
    corners = system.nodes[mesh.tets[near]]
    inverse = np.linalg.inv(corners[:, 1:] - corners[:, :1])
    gradients = np.concatenate([-inverse.sum(axis=2, keepdims=True), inverse], axis=2)
    load = np.zeros(len(system.nodes))
    np.add.at(load, mesh.tets[near], np.einsum("tca,tc->ta", gradients, weight[near]))
    adjoint = solver.potentials(load[:, None])[0]
    found = np.sum(system.adjoint_sources(adjoint)[:, 0] * dadt) - np.sum(weight * system.element_mean(dadt))
    expected = np.sum(weight * field)
    return float(abs(found / expected - 1))
