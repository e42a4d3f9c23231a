"""The ledger of delivered fields: against full solves, against turning the coil, and what it refuses."""

import csv
import time
from dataclasses import replace

import numpy as np
import pytest

from neuro_field.aim.target import Target
from neuro_field.clinic import ledger as module
from neuro_field.clinic.ledger import Ledger, LedgerReport, delivered
from neuro_field.coil.marker import Marker
from neuro_field.coil.placement import Placement
from neuro_field.errors import InputError
from neuro_field.field.solver import Solver
from neuro_field.head.sphere import sphere_head
from neuro_field.report.ledger import ledger_lines
from neuro_field.shelf.coils import load_coil
from neuro_field.store.ledgers import COLUMNS, write_ledger


@pytest.fixture(scope="module")
def course():
    """A sphere, a coil, a target below the vertex, the planned pose, and 60 pulses around it in two sessions."""
    head = sphere_head(radii=(70, 76, 82), edge=8.0)
    solver, coil = Solver(head), replace(load_coil("figure8-70mm"), didt_max=1e8)
    target = Target.ball(head, (0, 0, 62.0), 9.0, tissue="grey_matter")
    planned = Placement.on(head.scalp, above=(0, 0, 82), handle_towards=(0, -90, 82), gap=4, coil=coil)
    rng = np.random.default_rng(7)
    pulses = [
        Marker(
            f"pulse {i}",
            planned.moved(*rng.normal(0, 5, 2), -abs(rng.normal(0, 2)), turned=rng.normal(0, 15)),
            recorded=True, session="monday" if i < 40 else "tuesday", output=50.0 if i < 50 else None,
        )
        for i in range(60)
    ]  # fmt: skip
    return solver, coil, target, planned, pulses


def test_every_pulse_gets_the_field_of_its_own_full_solve(course):
    solver, coil, target, planned, pulses = course
    made = delivered(solver, coil, target, planned, pulses, planned_didt=0.5e8)
    exact = [target.mean(field) for field in solver.solve_many(coil, [m.placement for m in pulses[::4]])]
    assert (made.lifts == 0).all()
    assert made.planned == pytest.approx(target.mean(solver.solve(coil, planned)), rel=5e-3)
    assert np.allclose(made.strengths[::4], exact, rtol=5e-3)
    assert made.report.modes > 0
    assert made.report.largest_difference < 5e-3
    assert np.allclose(made.fields[:50], made.strengths[:50] * 50)  # 50 % of 100 A/us
    assert np.isnan(made.fields[50:]).all()
    assert made.planned_field == pytest.approx(50 * made.planned)


def test_few_pulses_are_all_solved_in_full_and_repeats_once(course):
    solver, coil, target, planned, pulses = course
    made = delivered(solver, coil, target, planned, [*pulses[:3], *pulses[:3], Marker("as planned", planned)])
    assert made.report == replace(made.report, modes=0, checked=4, largest_difference=0.0)
    assert np.array_equal(made.strengths[:3], made.strengths[3:6])
    assert made.shares[-1] == 1.0
    assert (made.distances[-1], made.turns[-1]) == pytest.approx((0.0, 0.0), abs=1e-5)


def test_sessions_hold_mean_and_worst(course):
    solver, coil, target, planned, pulses = course
    away = Marker("put down", planned.moved(along_z=-200), session="tuesday")
    made = delivered(solver, coil, target, planned, [*pulses[30:45], away])
    monday, tuesday = made.sessions()
    assert (monday.name, monday.pulses, monday.off_head) == ("monday", 10, 0)
    assert (tuesday.name, tuesday.pulses, tuesday.off_head) == ("tuesday", 6, 1)
    assert monday.mean == pytest.approx(made.shares[:10].mean())
    assert monday.worst == made.shares[monday.worst_pulse] == made.shares[:10].min()
    assert np.isnan(made.strengths[-1])
    lines = ledger_lines(made)
    assert "V/m in the target at 1 A/µs (mean |E|)" in lines[0]
    assert any("tuesday: 6 pulses" in line and "1 with the coil off the head" in line for line in lines)


def test_a_pose_inside_the_scalp_is_lifted_till_it_clears_and_says_so(course):
    solver, coil, target, planned, _ = course
    clear = planned.moved(along_z=4.0)  # the gap was 4 mm
    made = delivered(solver, coil, target, planned, [Marker("pressed", clear.moved(along_z=6.0)), Marker("x", clear)])
    assert made.lifts[0] == pytest.approx(6.0, abs=0.3)
    assert made.strengths[0] == pytest.approx(made.strengths[1], rel=0.02)
    assert any("cut the scalp" in line for line in ledger_lines(made))
    bare = delivered(solver, replace(coil, casing=None), target, planned, [Marker("pressed", clear.moved(along_z=6.0))])
    assert bare.lifts[0] == pytest.approx(6.0, abs=0.6)


def test_poses_by_another_convention_or_of_another_head_are_refused(course):
    solver, coil, target, planned, pulses = course
    turned = np.diag([1.0, -1.0, -1.0, 1.0])
    flipped = [Marker(m.name, Placement(m.placement.head_from_coil @ turned)) for m in pulses[:4]]
    with pytest.raises(InputError, match="4 of 4 poses points out of the head"):
        delivered(solver, coil, target, planned, flipped)
    with pytest.raises(InputError, match="None of 2 poses lies within 40 mm"):
        delivered(solver, coil, target, planned, [Marker("", planned.moved(along_z=-300))] * 2)
    with pytest.raises(InputError, match="no recorded poses"):
        delivered(solver, coil, target, planned, [])
    other = sphere_head(radii=(70, 76, 82), edge=9.0)
    with pytest.raises(InputError, match="another mesh"):
        module.check_same_mesh(other, target)


def test_a_target_with_a_direction_counts_along_it(course):
    solver, coil, target, planned, pulses = course
    along = replace(target, direction=planned.initial_e_direction(coil), either_way=True)
    made = delivered(solver, coil, along, planned, pulses)
    exact = [along.mean(field) for field in solver.solve_many(coil, [m.placement for m in pulses[:6]])]
    assert np.allclose(made.strengths[:6], exact, rtol=5e-3)
    assert "along the wanted current axis" in ledger_lines(made)[0]
    across = delivered(solver, coil, along, planned, [Marker("across", planned.moved(turned=90))])
    assert across.shares[0] < 0.2
    assert across.turns[0] == pytest.approx(90)


def small_ledger():
    spot = Placement(np.eye(4))
    marks = (Marker("a,b", spot, session="one", didt=5e7), Marker("", spot))
    numbers = [np.array(pair) for pair in ([1.0, np.nan], [5e7, np.nan], [2.0, 3.0], [4.0, 5.0], [0.0, 0.0])]
    target = Target("spot", np.zeros(3), 5.0, np.array([0]), np.array([1.0]), None)
    return Ledger(target, marks, 2.0, np.nan, *numbers, LedgerReport(3, 8, 1e-3, {}), np.array([30.0, 30.0]))


@pytest.mark.parametrize(("ending", "delimiter"), [(".tsv", "\t"), (".csv", ",")])
def test_the_table_has_a_row_per_pulse(tmp_path, ending, delimiter):
    path = tmp_path / f"ledger{ending}"
    write_ledger(small_ledger(), path)
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file, delimiter=delimiter))
    assert tuple(rows[0]) == COLUMNS
    assert (rows[0]["name"], rows[0]["share_of_planned"], rows[0]["didt_A_per_us"]) == ("a,b", "0.5", "50")
    assert (rows[1]["on_head"], rows[1]["V_per_m"], rows[1]["session"]) == ("no", "n/a", "n/a")
    with pytest.raises(FileExistsError, match="nothing was overwritten"):
        write_ledger(small_ledger(), path)


def test_the_table_is_named_tsv_or_csv(tmp_path):
    with pytest.raises(InputError, match=r"\.tsv or \.csv"):
        write_ledger(small_ledger(), tmp_path / "ledger.xlsx")
    with pytest.raises(InputError, match="does not exist"):
        write_ledger(small_ledger(), tmp_path / "nowhere" / "ledger.csv")


@pytest.mark.slow
def test_a_thousand_pulses_on_the_built_in_head_take_less_than_a_minute():
    import neuro_field as nf

    head = nf.example_head("colin27-stroke")
    solver, coil = Solver(head), load_coil("figure8-70mm")
    target = Target.named(head, "m1-hand", "right")
    x, y, z = target.center
    planned = Placement.on(head.scalp, above=(x + 10, y, z + 40), handle_towards=(x + 30, y - 80, z + 40), coil=coil)
    rng = np.random.default_rng(1)
    pulses = [
        Marker("", planned.moved(*shift, -abs(away), turned=turn), session=f"{i % 5}")
        for i, (*shift, away, turn) in enumerate(rng.normal(0, (5, 5, 2, 12), (1000, 4)))
    ]
    began = time.process_time()
    made = delivered(solver, coil, target, planned, pulses)
    assert time.process_time() - began < 60  # of the processor, which on a quiet machine is more than passes
    assert made.report.largest_difference < 0.01
    assert len(made.sessions()) == 5
    assert 0.5 < made.shares.mean() < 1.1
