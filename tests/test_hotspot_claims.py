"""What motor mapping must hold at full size: sites found, areas that hold them, next pulses, seconds and memory."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))
import hotspot as benchmark

pytestmark = pytest.mark.full

#: Poses of a side, sessions of each of nine sites, and a seed that nothing was chosen by.
POSES, SESSIONS, SEED = 1500, 12, 2027


@pytest.fixture(scope="module")
def pools():
    return benchmark.kept_pools(None, benchmark.EDGES, POSES, SEED)


@pytest.mark.parametrize(("pulses", "farthest"), [(200, 4.0), (60, 8.0)])
def test_sites_are_found_and_their_areas_hold_them(pools, pulses, farthest):
    row, shares = benchmark.accuracy(pools, pulses, 1.0, SESSIONS, SEED)
    assert row.error <= farthest
    assert 0.90 <= shares["held"] <= 0.99
    assert shares["shuffled"] <= 0.05


def test_suggested_pulses_reach_the_site_with_fewer(pools):
    random, suggested = benchmark.suggestions(pools, SESSIONS, SEED)
    assert suggested.error <= 0.7 * random.error


def test_a_map_takes_no_longer_than_it_may():
    live, solved = benchmark.speed(benchmark.EDGES, processor=False)
    assert live.seconds <= 60
    assert solved.error <= 1.3  # of as many block solves of the same run
    assert max(live.peak_mb, solved.peak_mb) <= 5000
    assert np.isfinite(live.error)
