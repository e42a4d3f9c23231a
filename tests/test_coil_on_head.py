"""Left, right, handle and current on a head with grey matter, its mirror image, and both polarities of the shelf."""

import numpy as np
import pytest
from tests_support import mirrored_head, small_head

from neuro_field.coil.bearing import bearing
from neuro_field.coil.placement import Placement
from neuro_field.field.solver import Solver
from neuro_field.shelf.coils import coil_card, load_coil

MIRROR = np.array([-1.0, 1.0, 1.0])
NAMES = ["figure8-70mm", "mc-b70"]


@pytest.fixture(scope="module")
def heads():
    head = small_head()
    return head, mirrored_head(head)


@pytest.fixture(scope="module")
def solvers(heads):
    return [Solver(head, tolerance=1e-7) for head in heads]


def on_the_left(head, coil):
    """Over the left motor cortex, the handle back and to the left."""
    centre = head.scalp.points.mean(axis=0)
    top = centre + (head.scalp.points.max(axis=0) - centre) * [-0.5, 0, 0.85]
    return Placement.on(head.scalp, above=top, handle_towards=top - np.array([80, 80, 0]), coil=coil)


@pytest.mark.parametrize("name", NAMES)
def test_mirrored_pose_on_a_mirrored_head_gives_the_mirrored_field(heads, solvers, name):
    coil = load_coil(name)
    pose = on_the_left(heads[0], coil)
    here = solvers[0].solve(coil, pose)
    there = solvers[1].solve(coil, pose.mirrored())
    np.testing.assert_allclose(heads[1].mesh.centroids, heads[0].mesh.centroids * MIRROR, atol=1e-9)
    error = np.linalg.norm(there.E - here.E * MIRROR) / np.linalg.norm(here.E)
    assert error < 1e-5  # the solver's tolerance, and sums in another order
    above = pose.center * MIRROR
    same_handle = Placement.on(heads[1].scalp, above=above, handle_towards=above - np.array([80, 80, 0]), coil=coil)
    unmirrored = solvers[1].solve(coil, same_handle)
    assert np.linalg.norm(unmirrored.E - here.E * MIRROR) > 0.1 * np.linalg.norm(here.E)


def test_bearings_of_handle_and_current_change_sides(heads):
    """Back and left becomes back and right, and the current stays against it."""
    coil = load_coil("figure8-70mm")
    pose = on_the_left(heads[0], coil)
    told = [
        (bearing(p.handle_direction, -p.axis), bearing(p.initial_e_direction(coil), -p.axis))
        for p in (pose, pose.mirrored())
    ]
    for (handle, current), side, other in zip(told, ("left", "right"), ("right", "left"), strict=True):
        assert "back" in handle
        assert side in handle
        assert "front" in current
        assert other in current


@pytest.mark.parametrize("name", NAMES)
def test_induced_current_under_the_coil_first_runs_as_the_card_says(heads, solvers, name):
    """The whole field in the head, charges and all, along or against +y of the coil in the tissue below it."""
    head, coil = heads[0], load_coil(name)
    pose = on_the_left(head, coil)
    field = solvers[0].solve(coil, pose)
    local = pose.coil_points(head.mesh.centroids)
    below = np.linalg.norm(local - [0, 0, local[:, 2].min() + 15], axis=1) < 15
    along = float((field.E[below] @ pose.head_from_coil[:3, 1]).mean())
    assert np.sign(along) == {"+y": 1, "-y": -1}[coil_card(name)["polarity"]]
