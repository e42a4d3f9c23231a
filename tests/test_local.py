"""Fields at very many points: boxes, their polynomials against a slow twin, and the error they promise."""

import numpy as np
import pytest
import reference_local as reference
from test_primary import ring_of_wire

import neuro_field as nf
from neuro_field.field.boxes import Boxes
from neuro_field.kernels import local
from neuro_field.kernels.biot import dipole_potential, dipole_sources, segment_potential, wire_sources

RNG = np.random.default_rng(8)
KINDS = {
    "dipole": (local.DIPOLE, dipole_sources, dipole_potential),
    "wire": (local.WIRE, wire_sources, segment_potential),
}
every_kind = pytest.mark.parametrize("kind", KINDS)


def ball(count, radius=0.08):
    points = RNG.normal(size=(count, 3))
    return radius * points * (RNG.random((count, 1)) ** (1 / 3) / np.linalg.norm(points, axis=1, keepdims=True))


def some_sources(kind, count=5, distance=0.1):
    """Around the ball, one of them far away: arrays with a row for each source."""
    places = RNG.normal(size=(count, 3))
    places *= distance / np.linalg.norm(places, axis=1, keepdims=True)
    places[0] *= 4
    vectors = RNG.normal(size=(count, 3)) * 0.01
    return (places, places + vectors, RNG.normal(size=count)) if kind == "wire" else (places, vectors)


def far_field(kind, sources, boxes):
    return far_fields(kind, [sources], boxes)[..., 0]


def far_fields(kind, several, boxes):
    out = np.zeros((len(boxes.points), 3, len(several)))
    boxes.add_fields(KINDS[kind][0], np.stack([KINDS[kind][1](*one) for one in several]), out, np.arange(len(several)))
    return out


def plain_field(kind, sources, points):
    out = np.empty_like(points)
    KINDS[kind][2](np.ascontiguousarray(points), *sources, out)
    return out


@pytest.mark.parametrize("count", [1, 40, 41, 3000])
def test_every_point_is_in_one_box_that_is_not_split(count):
    points = ball(count)
    boxes = Boxes.of(points, 40)
    np.testing.assert_array_equal(boxes.points, points[boxes.order])
    leaves = np.flatnonzero(boxes.counts == 0)
    covered = np.concatenate([np.arange(boxes.first[b], boxes.last[b]) for b in leaves])
    np.testing.assert_array_equal(np.sort(covered), np.arange(count))
    assert (boxes.last - boxes.first)[leaves].max() <= 40
    assert (boxes.last - boxes.first)[boxes.counts > 0].min(initial=41) > 40


def test_boxes_bound_their_points_and_hold_their_children():
    boxes = Boxes.of(ball(3000), 40)
    for box in range(len(boxes.first)):
        own = boxes.points[boxes.first[box] : boxes.last[box]]
        np.testing.assert_allclose(own.min(axis=0), boxes.centres[box] - boxes.halves[box], atol=1e-15)
        np.testing.assert_allclose(own.max(axis=0), boxes.centres[box] + boxes.halves[box], atol=1e-15)
        within = np.arange(boxes.children[box], boxes.children[box] + boxes.counts[box])
        assert (boxes.parents[within] == box).all()
        if len(within):
            assert boxes.first[within[0]] == boxes.first[box]
            assert boxes.last[within[-1]] == boxes.last[box]
            np.testing.assert_array_equal(boxes.first[within[1:]], boxes.last[within[:-1]])
            assert len(within) > 1


def test_points_of_one_place_stay_together():
    boxes = Boxes.of(np.concatenate([np.full((100, 3), 0.01), np.full((3, 3), 0.02)]), 10)
    assert sorted((boxes.last - boxes.first)[boxes.counts == 0].tolist()) == [3, 100]
    assert len(Boxes.of(np.zeros((50, 3)), 10).first) == 1


@every_kind
def test_polynomials_agree_with_their_slow_twin(kind):
    points, sources = ball(1200), some_sources(kind)
    boxes = Boxes.of(points, 60)
    found = far_field(kind, sources, boxes)[boxes.order]
    expected = reference.local_field(kind, list(zip(*sources, strict=True)), boxes)
    plain = plain_field(kind, sources, boxes.points)
    size = np.abs(plain).max()
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-10 * size)  # the twins integrate numerically
    assert np.abs(expected - plain).max() > 3e-10 * size  # polynomials were at work


@every_kind
def test_kernels_do_in_python_what_they_do_compiled(kind, monkeypatch):
    boxes, sources = Boxes.of(ball(60), 25), some_sources(kind, 3)
    expected = far_field(kind, sources, boxes)
    for name in ("expand", "add_at_points"):
        monkeypatch.setattr(local, name, getattr(local, name).py_func)
    np.testing.assert_allclose(far_field(kind, sources, boxes), expected, rtol=0, atol=1e-13 * np.abs(expected).max())


@pytest.fixture(scope="module")
def coil():
    """The figure-8 8 mm above a ball of 80 mm, its casing's face down; positions in m and moments."""
    positions, moments = nf.load_coil("figure8-70mm").dipoles
    return positions * [1e-3, 1e-3, -1e-3] + [0, 0, 0.088], moments * [1, 1, -1]


@every_kind
def test_field_of_a_coil_is_within_its_bound(kind, coil):
    if kind == "wire":
        ring = ring_of_wire()
        starts, ends = (part * 1e-3 + [0.02, 0, 0.1] for part in (ring.starts, ring.ends))
        sources = starts, ends, np.array(ring.currents)
    else:
        sources = coil
    points = ball(60_000)
    boxes = Boxes.of(points)
    expected = plain_field(kind, sources, points)
    error = np.linalg.norm(far_field(kind, sources, boxes) - expected, axis=1)
    size = np.linalg.norm(expected, axis=1)
    assert 1e-8 < np.linalg.norm(error) / np.linalg.norm(size) < 1e-5
    assert error.max() < 1e-5 * size.max()


def test_one_dipole_that_is_just_far_is_within_its_bound():
    points, centre = RNG.uniform(-0.005, 0.005, (400, 3)), np.array([0.01, 0.02, 0.06])
    assert 1e-6 < worst_of_dipoles(points, centre, RNG, 0.0301) < 1.5e-4  # 25.1 mm from a face: 2.5 sides


def test_one_dipole_at_the_opening_itself_is_within_its_bound():
    rng, centre = np.random.default_rng(9), np.array([0.01, 0.02, 0.06])
    points = rng.uniform(-0.005, 0.005, (400, 3))
    just_far = 0.005 + local.OPENING * 0.01 + 1e-4  # from the centre of a box with sides of 10 mm
    assert 1e-5 < worst_of_dipoles(points, centre, rng, just_far) < 5e-4


def worst_of_dipoles(points, centre, rng, distance):
    """The largest error, as a share of the largest value, of 40 dipoles that far from a box along an axis."""
    boxes, worst = Boxes.of(points + centre), 0.0
    for _ in range(40):
        towards = rng.normal(size=3) + np.array([0, 0, 1])
        towards *= distance / np.abs(towards).max()
        dipole = (points.max() / 0.005 * towards + centre)[None], rng.normal(size=(1, 3))
        expected = plain_field("dipole", dipole, points + centre)
        error = np.linalg.norm(far_field("dipole", dipole, boxes) - expected, axis=1)
        worst = max(worst, error.max() / np.linalg.norm(expected, axis=1).max())
    return worst


def test_field_is_as_linear_in_the_sources_as_the_plain_one(coil):
    boxes = Boxes.of(ball(20_000))
    whole = far_field("dipole", coil, boxes)
    halves = [far_field("dipole", tuple(part[half::2] for part in coil), boxes) for half in (0, 1)]
    np.testing.assert_allclose(sum(halves), whole, rtol=0, atol=1e-13 * np.abs(whole).max())


def test_columns_and_calls_add_up(coil):
    boxes = Boxes.of(ball(2000))
    out = np.zeros((2000, 3, 3))
    sources = dipole_sources(*coil)
    boxes.add_fields(local.DIPOLE, np.stack([sources, sources]), out, np.array([1, 2]))
    boxes.add_fields(local.DIPOLE, sources[None], out, np.array([2]))
    assert np.abs(out[..., 1]).max() > 0
    np.testing.assert_array_equal(out[..., 0], 0)
    np.testing.assert_array_equal(out[..., 2], 2 * out[..., 1])


def test_flat_clouds_of_points_have_fields():
    points = ball(4000) * [1, 1, 0]
    sources = some_sources("dipole")
    expected = plain_field("dipole", sources, points)
    found = far_field("dipole", sources, Boxes.of(points))
    np.testing.assert_allclose(found, expected, rtol=0, atol=2e-5 * np.abs(expected).max())  # single dipoles


@every_kind
def test_several_sources_at_once_are_each_as_alone(kind):
    boxes = Boxes.of(ball(3000), 60)
    several = [some_sources(kind, 7, distance) for distance in (0.09, 0.1, 0.15)]
    found = far_fields(kind, several, boxes)
    for k, sources in enumerate(several):
        np.testing.assert_array_equal(found[..., k], far_field(kind, sources, boxes))
