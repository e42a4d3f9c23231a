"""What crosses a process border comes back the same: nouns sealed and light, errors with their numbers."""

import os
import pickle
import subprocess
import sys
import textwrap
from dataclasses import fields, is_dataclass

import numpy as np
import pytest

import neuro_field as nf
from neuro_field.errors import FileFormatError, UnknownNameError
from neuro_field.findings import Finding
from neuro_field.geometry.mesh import TetMesh
from neuro_field.head.mapping import AffineMapping

COIL = nf.load_coil("figure8-70mm")


@pytest.fixture(scope="module")
def head():
    made = nf.sphere_head((70, 80, 90), edge=9.0)
    tags = np.array(made.mesh.tags)
    tags[tags == tags.min()] = 2
    return nf.HeadModel.from_mesh(
        TetMesh(made.mesh.nodes, made.mesh.tets, tags), mapping=AffineMapping(np.eye(4)), name="ball"
    )


@pytest.fixture(scope="module")
def placement(head):
    return nf.Placement.on(head.scalp, above=(0, 0, 92), handle_towards=(0, -90, 92))


@pytest.fixture(scope="module")
def solver(head):
    return nf.Solver(head)


@pytest.fixture(scope="module")
def field(solver, placement):
    return solver.solve(COIL, placement)


def arrays_of(noun):
    for each in fields(noun):
        value = getattr(noun, each.name)
        if isinstance(value, np.ndarray):
            yield f"{type(noun).__name__}.{each.name}", value
        elif is_dataclass(value):
            yield from arrays_of(value)


def test_nouns_come_back_the_same_and_sealed(head, placement, field):
    target = nf.Target.ball(head, center=(0, 0, 60), radius=12.0)
    for noun in (head, COIL, placement, field, target):
        again = pickle.loads(pickle.dumps(noun))
        assert repr(again) == repr(noun)
        before = dict(arrays_of(noun))
        after = list(arrays_of(again))
        assert after
        for name, array in after:
            assert not array.flags.writeable, (type(noun).__name__, name)
            assert np.array_equal(array, before[name]), (type(noun).__name__, name)


def test_a_field_answers_alike_where_it_is_unpickled(field):
    again = pickle.loads(pickle.dumps(field))
    points = np.array([[0.0, 0.0, 60.0], [20.0, 10.0, 40.0]])
    assert np.array_equal(again.E, field.E)
    assert np.array_equal(again.nodal_dadt, field.nodal_dadt)
    assert np.array_equal(again.at(points), field.at(points))


def test_a_field_is_its_potential_and_its_head(head, field):
    """What can be derived again is not carried: 8 bytes a node beside head and coil."""
    _ = field.E, field.magnE, field.at(np.array([[0.0, 0.0, 60.0]]))
    beside = len(pickle.dumps(head)) + len(pickle.dumps(COIL))
    assert len(pickle.dumps(field)) < beside + 8 * len(head.mesh.nodes) + 5000


def test_second_order_fields_cross_as_well(solver, placement):
    field = solver.raised().solve(COIL, placement)
    again = pickle.loads(pickle.dumps(field))
    assert np.array_equal(again.E, field.E)


def test_a_solver_is_made_anew_and_gives_the_same(solver, placement, field):
    again = pickle.loads(pickle.dumps(solver))
    assert (again.order, again.tolerance) == (solver.order, solver.tolerance)
    assert np.array_equal(again.solve(COIL, placement).potential, field.potential)


def test_a_plan_crosses(solver, head):
    target = nf.Target.ball(head, center=(0, 0, 60), radius=12.0)
    plan = nf.plan(solver, COIL, target)
    again = pickle.loads(pickle.dumps(plan))
    assert again.best.strength == plan.best.strength
    assert np.array_equal(again.best.placement.head_from_coil, plan.best.placement.head_from_coil)
    with pytest.raises(ValueError, match="read-only"):
        again.best.placement.head_from_coil[0, 0] = 2.0


@pytest.mark.parametrize(
    "error",
    [
        nf.InputError("no"),
        nf.ConvergenceError(7, (1e-3, 2e-3), 1e-5),
        UnknownNameError("coil", "x", ["a", "b"], "a"),
        FileFormatError("damaged"),
        nf.Refusal(Finding("intake-out-of-range", "stop", {"field": "rmt", "given": 120, "low": 1, "high": 100})),
    ],
    ids=lambda error: type(error).__name__,
)
def test_errors_come_back_with_their_numbers(error):
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert str(again) == str(error)
    assert vars(again) == vars(error)


def test_nouns_are_told_in_a_line(head, placement, solver, field):
    plan = nf.plan(solver, COIL, nf.Target.ball(head, center=(0, 0, 60), radius=12.0))
    for noun in (head, head.mesh, COIL, COIL.elements[0], placement, solver, field, plan, plan.best, plan.target):
        told = repr(noun)
        assert type(noun).__name__ in told
        assert len(told) <= 250, told
        assert "\n" not in told
    assert f"({len(head.mesh.nodes)}, 3)" in repr(head.mesh)
    assert "'figure8-70mm'" in repr(COIL)


def test_solve_each_gives_what_solve_many_gives_a_block_at_a_time(solver, placement, monkeypatch):
    monkeypatch.setattr(type(solver), "_columns", property(lambda self: 2))
    poses = [placement.moved(along_z=-float(mm)) for mm in range(5)]
    asked = []

    def one_by_one():
        for pose in poses:
            asked.append(pose)
            yield pose

    fields = solver.solve_each(COIL, one_by_one())
    first = next(fields)
    assert len(asked) <= 3
    rest = list(fields)
    for one, many in zip([first, *rest], solver.solve_many(COIL, poses), strict=True):
        assert np.array_equal(one.potential, many.potential)


def test_solve_each_refuses_before_it_is_asked_for_a_field(solver, placement):
    with pytest.raises(nf.InputError, match="coil"):
        solver.solve_each("figure8-70mm", [placement])
    inside = placement.moved(along_z=40.0)
    with pytest.raises(nf.InputError, match="outside the head"):
        list(solver.solve_each(COIL, [inside]))


@pytest.mark.parametrize("layer", ["workqueue", "omp"])
def test_threads_may_solve_side_by_side(layer):
    """Numba's own workers end the process when two threads enter them; kernels take turns."""
    script = """
        import threading, numpy as np, numba, neuro_field as nf
        head, coil = nf.sphere_head((40, 46, 52), edge=9.0), nf.load_coil("figure8-70mm")
        at = nf.Placement.on(head.scalp, above=(0, 0, 54), handle_towards=(0, -50, 54))
        solver, found = nf.Solver(head), {}
        alone = solver.solve(coil, at).potential
        def work(name):
            found[name] = [solver.solve(coil, at).potential for _ in range(4)]
        threads = [threading.Thread(target=work, args=(name,)) for name in range(3)]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
        assert numba.threading_layer() == LAYER
        assert all(np.array_equal(alone, each) for many in found.values() for each in many)
        print("side by side")
    """
    program = textwrap.dedent(script).replace("LAYER", repr(layer))
    environment = os.environ | {"NUMBA_THREADING_LAYER": layer, "NUMBA_NUM_THREADS": "2"}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment, timeout=300)
    if "No threading layer could be loaded" in done.stderr:
        pytest.skip(f"numba has no layer {layer} here")
    assert done.stdout.strip() == "side by side", done.stderr[-2000:]
