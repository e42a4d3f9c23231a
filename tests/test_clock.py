"""The handle by the clock: against closed form, on both sides of the head, there and back."""

import numpy as np
import pytest

from neuro_field.coil.clock import clock_of, direction_at, hour_of
from neuro_field.coil.placement import Placement
from neuro_field.head.sphere import sphere_head

FRONT = np.array([0.0, 1.0, 0.0])
TOP, LEFT, RIGHT = np.array([0.0, 0.0, 1.0]), np.array([-1.0, 0.0, 0.0]), np.array([1.0, 0.0, 0.0])


@pytest.mark.parametrize(
    ("outward", "direction", "hour"),
    [
        (TOP, (0, 1, 0), "12:00"), (TOP, (1, 0, 0), "3:00"), (TOP, (0, -1, 0), "6:00"), (TOP, (-1, 0, 0), "9:00"),
        (TOP, (1, -1, 0), "4:30"), (TOP, (-1, -1, 0), "7:30"),
        (LEFT, (0, 0, -1), "9:00"), (LEFT, (0, -1, 0), "6:00"),  # seen from the left the nose is up, the ground left
        (RIGHT, (0, 0, -1), "3:00"), (RIGHT, (0, -1, -1), "4:30"),
    ],
)  # fmt: skip
def test_hours_run_as_on_a_clock_seen_from_outside(outward, direction, hour):
    assert hour_of(clock_of(np.array(direction, float), outward, FRONT)) == hour


def test_the_usual_hand_placements_are_half_past_four_and_half_past_seven():
    """Handle back and outwards by 45 degrees: on the right towards the right, on the left towards the left."""
    head = sphere_head((70, 80, 90), edge=12.0)
    for side, hour in ((1, "4:30"), (-1, "7:30")):
        place = Placement.on(head.scalp, above=(side * 25, 0, 90), handle_towards=(side * 95, -70, 60))
        assert hour_of(clock_of(place.handle_direction, -place.axis, FRONT)) == hour


def test_turning_a_coil_clockwise_runs_the_clock_forwards():
    placed = Placement.on(sphere_head((70, 80, 90), edge=12.0).scalp, (40, 10, 80), (40, -90, 80))
    first = clock_of(placed.handle_direction, -placed.axis, FRONT)
    turned = placed.moved(turned=30.0)
    assert clock_of(turned.handle_direction, -turned.axis, FRONT) == pytest.approx((first + 30.0) % 360.0)


@pytest.mark.parametrize("degrees", [0.0, 44.0, 135.0, 180.0, 271.5])
def test_a_direction_at_an_hour_is_read_as_that_hour(degrees):
    outward = np.array([0.5, -0.3, 0.8]) / np.linalg.norm([0.5, -0.3, 0.8])
    direction = direction_at(degrees, outward, FRONT)
    assert np.linalg.norm(direction) == pytest.approx(1.0)
    assert direction @ outward == pytest.approx(0.0, abs=1e-12)
    assert clock_of(direction, outward, FRONT) == pytest.approx(degrees)


def test_where_the_scalp_faces_straight_to_the_front_there_is_no_clock():
    assert clock_of(TOP, FRONT, FRONT) is None
    assert direction_at(90.0, -FRONT, FRONT) is None
