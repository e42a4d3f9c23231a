"""Closed wires as dipoles: few, where the windings are, with the wires' own field; and such coils solve and plan."""

import numpy as np
import pytest

import neuro_field as nf
from neuro_field.clinic.ledger import delivered
from neuro_field.coil.coil import Coil
from neuro_field.coil.loops import loops_of, merged, turns_of
from neuro_field.coil.sources import Dipoles, Segments
from neuro_field.errors import InputError

RNG = np.random.default_rng(31)


def ring(center, radius, pieces=48, sense=1.0, tilt=0.0):
    """Corners (pieces + 1, 3) of a closed ring, its axis turned about y."""
    angle = sense * 2 * np.pi * np.arange(pieces + 1) / pieces
    flat = np.stack([radius * np.cos(angle), radius * np.sin(angle), 0 * angle], axis=1)
    turn = np.array([[np.cos(tilt), 0, np.sin(tilt)], [0, 1, 0], [-np.sin(tilt), 0, np.cos(tilt)]])
    out = flat @ turn.T + center
    out[-1] = out[0]
    return out


def wires(paths, currents=None):
    currents = np.ones(len(paths)) if currents is None else currents
    starts, ends = (np.concatenate([path[part] for path in paths]) for part in (slice(None, -1), slice(1, None)))
    return Segments(
        starts, ends, np.concatenate([np.full(len(p) - 1, c) for p, c in zip(paths, currents, strict=True)])
    )


def figure_8(tilt=0.0, height=-8.0, reach=45.0):
    radii = range(28, 45, 2)
    return wires([ring([s * reach, 0, height], r, sense=-s, tilt=s * tilt) for s in (-1, 1) for r in radii])


def spiral(turns=9):
    """Both wings wound in one wire, with its way back."""
    angle = 2 * np.pi * np.arange(48 * turns + 1) / 48
    radius = 28 + 16 * np.arange(len(angle)) / len(angle)
    wing = np.stack([radius * np.cos(angle), radius * np.sin(angle), np.full_like(angle, -8.0)], axis=1)
    path = np.concatenate([wing - [45, 0, 0], (wing * [-1, 1, 1] + [45, 0, 0])[::-1]])
    return wires([np.concatenate([path, path[:1]])])


def in_the_head(count=300):
    points = RNG.normal(size=(count, 3))
    return points / np.linalg.norm(points, axis=1)[:, None] * 80 * RNG.random((count, 1)) ** (1 / 3) + [0, 0, 86]


@pytest.mark.parametrize(
    ("wire", "most"),
    [(figure_8(), 3000), (figure_8(tilt=0.6, height=-40.0, reach=60.0), 3500), (spiral(), 3000)],
    ids=["rings", "double cone", "spiral"],
)
def test_dipoles_are_few_and_have_the_field_of_the_wires(wire, most):
    """A cell of 3 mm over the wings' area, whatever the number of segments and turns."""
    dipoles, points = wire.as_dipoles(), in_the_head()
    assert len(dipoles.positions) <= most
    for what in ("potential", "flux_density"):
        wanted, found = getattr(wire, what)(points), getattr(dipoles, what)(points)
        assert np.linalg.norm(found - wanted) <= 3e-3 * np.linalg.norm(wanted)


@pytest.mark.parametrize("tilt", [0.0, 0.6, -0.6])
def test_dipoles_stay_within_the_plane_of_their_turn(tilt):
    """No surface is spanned from one wing to the other, where the head may be."""
    wire = figure_8(tilt=tilt, height=-40.0, reach=60.0)
    for side in (-1, 1):
        normal = np.array([np.sin(side * tilt), 0, np.cos(side * tilt)])
        mine = wire.as_dipoles().positions
        mine = mine[np.sign(mine[:, 0]) == side]
        assert np.abs((mine - [side * 60.0, 0, -40.0]) @ normal).max() < 1e-6
        assert np.linalg.norm(mine - [side * 60.0, 0, -40.0], axis=1).max() <= 44.0


def test_branching_wires_are_shared_out_among_closed_paths():
    """Two half rings that share a bridge: what the paths carry together is what the wires carry."""
    left, right, bridge = ([0.0, 0, 0], [10.0, 0, 0], [5.0, 5, 0])
    starts = np.array([left, right, right, bridge])
    ends = np.array([right, left, bridge, left])
    paths = loops_of(starts, ends, np.array([3.0, 1.0, 2.0, 2.0]))
    carried = {}
    for corners, current in paths:
        for a, b in zip(corners, np.roll(corners, -1, axis=0), strict=True):
            key = tuple(np.round(np.concatenate([a, b]), 6))
            carried[key] = carried.get(key, 0.0) + current
    wanted = {tuple(np.concatenate([a, b])): c for a, b, c in zip(starts, ends, (3.0, 1.0, 2.0, 2.0), strict=True)}
    assert carried == pytest.approx(wanted)


def test_a_negative_current_runs_backwards():
    path = ring([0, 0, 0], 20.0)
    forwards, backwards = wires([path]), wires([path[::-1]], [-1.0])
    np.testing.assert_allclose(
        forwards.as_dipoles().moments.sum(axis=0), backwards.as_dipoles().moments.sum(axis=0), atol=1e-12
    )


def test_open_wires_are_no_dipoles():
    with pytest.raises(InputError, match="close"):
        loops_of(np.array([[0.0, 0, 0]]), np.array([[1.0, 0, 0]]), np.ones(1))


def test_a_spiral_is_cut_into_its_turns():
    wire = spiral(turns=5)
    turns = [turn for path, _ in loops_of(wire.starts, wire.ends, wire.currents) for turn in turns_of(path)]
    lengths = [np.linalg.norm(np.roll(turn, -1, axis=0) - turn, axis=1).sum() for turn in turns]
    assert 9 <= len(turns) <= 16
    assert max(lengths) < 2 * np.pi * 46 * 1.3


def test_merged_dipoles_keep_their_sum_and_drop_what_cancels():
    positions = np.array([[0.1, 0.1, 0.1], [0.9, 0.1, 0.1], [5.1, 0.1, 0.1], [5.2, 0.1, 0.1]])
    moments = np.array([[0, 0, 1.0], [0, 0, 3.0], [0, 1.0, 0], [0, -1.0, 0]])
    middle, total = merged(positions, moments, 1.0)
    np.testing.assert_allclose(total, [[0, 0, 4.0]])
    np.testing.assert_allclose(middle, [[0.7, 0.1, 0.1]])


def test_many_dipoles_are_simplified_within_bounds(monkeypatch):
    """Pairs of all dipoles would take memory without end: those of a cell stand for them, and the error is measured."""
    monkeypatch.setattr("neuro_field.coil.simplify.MOST_CANDIDATES", 900)
    full = figure_8().as_dipoles(spacing=2.0)
    assert len(full.positions) > 2000
    coil = Coil("many", full)
    fewer = coil.simplified(0.005)
    note = fewer.provenance["simplified"]
    assert note["dipoles"] <= 900
    points = in_the_head() + np.array([0, 0, 4.0])
    wanted, found = coil.dadt(points), fewer.dadt(points)
    assert np.linalg.norm(found - wanted) <= 0.01 * np.linalg.norm(wanted)


def test_wires_solve_plan_and_count_like_their_dipoles():
    """The same winding twice, as wires and as dipoles of a far finer surface: field, best placement and ledger."""
    head = nf.sphere_head((70, 80, 90), edge=9.0)
    wire = figure_8()
    fine = wire.as_dipoles(spacing=1.5)
    coils = Coil("wires", wire), Coil("dipoles", Dipoles(fine.positions, fine.moments))
    solver = nf.Solver(head)
    at = nf.Placement.on(head.scalp, above=(0, 0, 92), handle_towards=(0, -90, 92))
    first, second = (solver.solve(coil, at).E for coil in coils)
    assert np.linalg.norm(first - second) <= 5e-3 * np.linalg.norm(second)
    target = nf.Target.ball(head, center=(0, 0, 60), radius=12.0, tissue=next(iter(head.tissue_volumes)))
    plans = [nf.plan(solver, coil, target) for coil in coils]
    assert plans[0].best.strength == pytest.approx(plans[1].best.strength, rel=5e-3)
    markers = [nf.Marker(f"pulse {i}", at.moved(along_x=3.0 * i, turned=10.0 * i), recorded=True) for i in range(3)]
    ledgers = [delivered(solver, coil, target, at, markers) for coil in coils]
    np.testing.assert_allclose(ledgers[0].strengths, ledgers[1].strengths, rtol=5e-3)
