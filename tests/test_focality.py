"""Depth and spread in a spherical head, held against a closed form and a plain count of voxels."""

import numpy as np
import pytest

from neuro_field.coil.coil import Coil
from neuro_field.coil.placement import Placement
from neuro_field.coil.sources import Dipoles
from neuro_field.coil.winding import Winding
from neuro_field.errors import InputError
from neuro_field.field.analytic import sphere_field
from neuro_field.field.focality import BRAIN_RADIUS, HEAD_RADIUS, focality

FIGURE_8 = Winding(tuple(range(28, 45, 2)), (9.37,), ((-45.0, -1), (45.0, 1)))


def test_uniform_flux_reaches_half_the_radius():
    """|E| grows as the distance from the axis: half of it on a cylinder of half the radius, around it a napkin ring."""
    found = focality(Coil("far away", Dipoles([[0, 0, -1e6]], [[0, 0, 1e6]])))
    volume = 4 * np.pi / 3 * (0.75 * BRAIN_RADIUS**2) ** 1.5
    assert found.half_depth == pytest.approx(BRAIN_RADIUS / 2, rel=1e-4)
    assert found.spread == pytest.approx(volume / (BRAIN_RADIUS / 2), rel=1e-3)


def test_depth_and_spread_are_those_of_counted_voxels():
    coil = Coil("figure-8", FIGURE_8.dipoles())
    pose = np.diag([1.0, -1, -1, 1])
    pose[2, 3] = HEAD_RADIUS
    step = 1.5
    x, y, z = (axis.ravel() for axis in np.mgrid[-60:60:step, -60:60:step, 20:72:step] + step / 2)
    points = np.stack([x, y, z], axis=1)
    radius = np.linalg.norm(points, axis=1)
    points, radius = points[radius <= BRAIN_RADIUS], radius[radius <= BRAIN_RADIUS]
    strength = np.linalg.norm(sphere_field(points, coil, Placement(pose)), axis=1)
    found = focality(coil)
    above = 2 * strength >= found.strongest
    assert 0.93 * found.strongest < strength.max() < found.strongest  # centres lie up to 1.5 mm below the surface
    assert BRAIN_RADIUS - radius[above].min() == pytest.approx(found.half_depth, abs=step)
    assert above.sum() * step**3 == pytest.approx(found.spread * found.half_depth, rel=0.02)


def test_casing_that_would_cut_the_head_is_lifted():
    bent = Winding((50.0, 55.0), (6.0,), ((-60.0, 1), (60.0, -1)), bend_angle=40, bend_start=6, bend_radius=6)
    wings = focality(Coil("cone", bent.dipoles(), casing=bent.casing()), gap=2.0)
    assert wings.lift > 10
    flat = focality(Coil("flat", FIGURE_8.dipoles(), casing=FIGURE_8.casing()), gap=2.0)
    assert flat.lift == pytest.approx(2.0, abs=0.01)
    assert flat.half_depth > focality(Coil("flat", FIGURE_8.dipoles())).half_depth  # farther off is deeper and wider


def test_coil_inside_the_head_is_refused():
    with pytest.raises(InputError, match="nearer to the centre"):
        focality(Coil("inside", Dipoles([[0, 0, 40.0]], [[1.0, 0, 0]])))
    with pytest.raises(InputError, match="0 to 100 mm"):
        focality(Coil("c", FIGURE_8.dipoles()), gap=-1.0)
