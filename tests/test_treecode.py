"""The treecode: its sums against the plain ones."""

import os
import subprocess
import sys

import numba
import numpy as np
import pytest
from tests_support import all_threads

from neuro_field.field.probe import Probe
from neuro_field.field.solver import Solver
from neuro_field.field.treecode import Treecode
from neuro_field.head.sphere import sphere_head


def plain_magnetic_sum(targets, points, weights):
    """Q_k(x) = sum_n W_nk x (x - r_n) / |x - r_n|^3, term by term in NumPy."""
    offsets = targets[:, None] - points[None]
    kernels = offsets / np.linalg.norm(offsets, axis=2, keepdims=True) ** 3
    return np.cross(weights[None], kernels[:, :, None]).sum(axis=1)


@pytest.fixture(scope="module")
def sources():
    rng = np.random.default_rng(3)
    points = rng.random((4000, 3)) * 0.1
    return points, rng.normal(size=(4000, 2, 3)) + 1.0


@pytest.mark.parametrize(("opening", "limit"), [(0.6, 1e-2), (0.33, 1e-3), (0.2, 3e-4), (0.1, 1e-4)])
def test_the_sum_is_as_accurate_as_the_opening_allows(sources, opening, limit):
    points, weights = sources
    targets = np.random.default_rng(4).random((40, 3)) * 0.1 + [0.11, 0.0, 0.0]
    expected = plain_magnetic_sum(targets, points, weights)
    found = Treecode.of(points, weights).magnetic_sum(targets, opening)
    assert np.linalg.norm(found - expected) / np.linalg.norm(expected) < limit


def test_the_usual_opening_holds_for_currents_that_cancel():
    """Adjoint currents nearly cancel: a sum of them errs by far more than its boxes do."""
    head = sphere_head((40, 46, 52), edge=6.0)
    solver, near = Solver(head), np.argsort(np.linalg.norm(head.mesh.centroids - [0, 0, 30.0], axis=1))[:60]
    probe, weights = Probe(solver.system, near.astype(np.int32)), np.ones((60, 3, 1)) / 60
    tree = probe.currents(weights, solver.potentials(probe.adjoint_loads(weights))[0])
    targets = np.array([[0, 0, 60.0], [20.0, 0, 56.0], [-15.0, 25.0, 52.0]]) * 1e-3
    weights_of = tree.densities.astype(np.float64)
    expected = plain_magnetic_sum(targets, probe.sources, weights_of)
    assert np.linalg.norm(expected) < 0.2 * np.linalg.norm(np.abs(weights_of).sum(axis=0)) / 0.03**2
    error, wide = (
        np.linalg.norm(tree.magnetic_sum(targets, *opening) - expected) / np.linalg.norm(expected)
        for opening in ((), (0.3,))
    )
    assert error < 1e-3 < wide


def test_moments_are_those_of_each_box(sources):
    points, weights = sources
    tree = Treecode.of(points, weights)
    first, last, _, _, centres, radii, moments = tree.boxes
    box = len(first) // 2
    offsets = tree.points[first[box] : last[box]] - centres[box]
    density = tree.weights[first[box] : last[box]]
    assert np.allclose(moments[box, 0], density.sum(axis=0), rtol=1e-4, atol=1e-4)
    assert np.allclose(moments[box, 1:4], offsets.T @ density, rtol=1e-3, atol=1e-6)
    assert np.allclose(moments[box, 7], (offsets[:, 0] * offsets[:, 1]) @ density, rtol=1e-3, atol=1e-8)
    assert np.isclose(radii[box], np.linalg.norm(offsets, axis=1).max())


def test_one_thread_and_two_give_the_same_bits(sources):
    points, weights = sources
    targets = np.random.default_rng(4).random((40, 3)) * 0.1 + [0.11, 0.0, 0.0]
    tree = Treecode.of(points, weights)
    before = numba.get_num_threads()
    assert before == all_threads()
    many = tree.magnetic_sum(targets)
    try:
        numba.set_num_threads(1)
        one = tree.magnetic_sum(targets)
    finally:
        numba.set_num_threads(before)
    assert np.array_equal(one, many)


#: Prints a digest of a sum over points scattered from a seed.
SUM = """
import hashlib, numpy as np
from neuro_field.field.probe import Probe
from neuro_field.field.solver import Solver
from neuro_field.field.treecode import Treecode
from neuro_field.head.sphere import sphere_head
rng = np.random.default_rng(3)
tree = Treecode.of(rng.normal(size=(20000, 3)) * 0.05, rng.normal(size=(20000, 8, 3)))
targets = np.array([0.0, 0.0, 0.2]) + rng.normal(size=(400, 3)) * 0.03
print(hashlib.sha256(tree.magnetic_sum(targets).tobytes()).hexdigest())
"""


def test_a_sum_is_the_same_to_the_bit_by_kernels_just_compiled_and_by_kept_ones(tmp_path):
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    runs = [
        subprocess.run([sys.executable, "-c", SUM], env=environment, capture_output=True, text=True, check=True).stdout
        for _ in range(2)
    ]
    assert list(tmp_path.rglob("*.nbc"))  # kept by the first, used by the second
    assert runs[0] == runs[1]
