"""The validation head: shells that are spheres, with the volume of spheres, out of good elements."""

import numpy as np
import pytest

from neuro_field.errors import InputError
from neuro_field.geometry.quality import bending_angles, non_manifold_edges, smallest_dihedral_angles
from neuro_field.head.sphere import SHELL_TAGS, sphere_head
from neuro_field.head.tissues import BY_TAG

RADII = (78, 81, 87, 92)


@pytest.fixture(scope="module")
def head():
    return sphere_head(RADII, edge=4.5)


def test_shell_volumes_match_the_closed_form(head):
    inner = 0.0
    for tag, outer in zip(SHELL_TAGS[4], RADII, strict=True):
        volume = head.mesh.volumes[head.mesh.tags == tag].sum()
        assert volume == pytest.approx(4 / 3 * np.pi * (outer**3 - inner**3), rel=0.005)
        inner = outer


def test_every_boundary_node_lies_on_its_sphere(head):
    for count, radius in enumerate(RADII, start=1):
        surface = head.mesh.boundary(np.isin(head.mesh.tags, SHELL_TAGS[4][:count]))
        np.testing.assert_allclose(np.linalg.norm(surface.points, axis=1), radius, rtol=1e-12)


def test_boundaries_are_smooth_and_simple(head):
    for count in range(1, 5):
        surface = head.mesh.boundary(np.isin(head.mesh.tags, SHELL_TAGS[4][:count]))
        # 4.5 mm on a radius of 78 mm bend 3.3 degrees
        assert bending_angles(surface)[1].max() < 8
        assert len(non_manifold_edges(surface)) == 0
        vertices, faces = len(surface.points), len(surface.triangles)
        assert vertices - faces // 2 == 2  # Euler: V - E + F = 2 with E = 3 F / 2


def test_elements_are_well_shaped(head):
    assert head.mesh.volumes.min() > 0
    assert smallest_dihedral_angles(head.mesh).min() > 12


def test_mesh_is_even(head):
    edges = np.linalg.norm(head.mesh.nodes[head.mesh.tets[:, 0]] - head.mesh.nodes[head.mesh.tets[:, 1]], axis=1)
    assert edges.max() < 2.5 * 4.5


@pytest.mark.parametrize("radii", [(12,), (10, 14), (10, 13, 17)])
def test_fewer_shells_take_their_documented_tissues(radii):
    head = sphere_head(radii, edge=3.0)
    assert sorted(np.unique(head.mesh.tags).tolist()) == sorted(SHELL_TAGS[len(radii)])
    assert head.region("grey_matter").any()
    assert head.mapping is None
    assert np.linalg.norm(head.scalp.points, axis=1).max() == pytest.approx(radii[-1])


def test_conductivity_is_standard_unless_given():
    tags = SHELL_TAGS[3]
    standard = sphere_head((10, 13, 17), edge=3.0)
    given = sphere_head((10, 13, 17), edge=3.0, conductivity=(0.33, 0.0042, 0.5))
    for tag, value in zip(tags, (0.33, 0.0042, 0.5), strict=True):
        assert (standard.conductivity[standard.mesh.tags == tag] == BY_TAG[tag].conductivity).all()
        assert (given.conductivity[given.mesh.tags == tag] == value).all()


@pytest.mark.parametrize(
    ("radii", "edge", "conductivity", "word"),
    [
        ((80, 78), 3.0, None, "increase"),
        ((80, 80), 3.0, None, "increase"),
        ((-1, 80), 3.0, None, "positive"),
        ((0, 80), 3.0, None, "positive"),
        ((np.nan, 80), 3.0, None, "positive"),
        ((), 3.0, None, "one to four"),
        ((1, 2, 3, 4, 5), 1.0, None, "one to four"),
        ("sphere", 3.0, None, "one to four"),
        ((78, 80), 25.0, None, "thinnest"),
        ((78, 92), 0.0, None, "positive length"),
        ((78, 92), 0.1, None, "million points"),
        ((78, 92), 3.0, (0.3,), "each of 2 shells"),
        ((78, 92), 5.0, (0.3, -1.0), "positive"),
    ],
)
def test_unusable_input_is_refused_in_one_line(radii, edge, conductivity, word):
    with pytest.raises(InputError, match=word) as refusal:
        sphere_head(radii, edge, conductivity=conductivity)
    assert "\n" not in str(refusal.value)


def test_a_coarse_edge_is_refined_where_shells_are_thin():
    head = sphere_head(radii=(78, 81, 87, 92), edge=8.0)
    volumes = np.bincount(head.mesh.tags, head.mesh.volumes)[2:]
    exact = 4 / 3 * np.pi * np.diff(np.array([0, 78, 81, 87, 92.0]) ** 3)
    assert np.abs(volumes / exact - 1).max() < 0.005
    deep = np.linalg.norm(head.mesh.centroids, axis=1) < 50
    assert head.mesh.volumes[deep].mean() > 5 * head.mesh.volumes[head.region("csf")].mean()
