"""Points in the middle of the grey matter."""

import numpy as np
import pytest

from neuro_field.errors import InputError
from neuro_field.geometry.mesh import TetMesh
from neuro_field.head.model import HeadModel
from neuro_field.head.sphere import sphere_head


def test_middle_of_a_spherical_cortex_lies_midway():
    shells = sphere_head((30, 34, 38), edge=4.0)
    tags = np.array([0, 0, 1, 0, 2, 3])[shells.mesh.tags]  # white, grey, CSF
    head = HeadModel.from_mesh(TetMesh(shells.mesh.nodes, shells.mesh.tets, tags))
    points = head.mid_grey
    radius = np.linalg.norm(points, axis=1)
    # surfaces are flat between nodes 2 mm apart, 0.02 mm below the sphere, and seen as points 1 mm apart
    np.testing.assert_allclose(radius, 32.0, atol=0.15)
    outside = np.linalg.norm(head.scalp.points, axis=1).max()
    assert outside == pytest.approx(38.0)
    octants = np.bincount((points > 0) @ [1, 2, 4], minlength=8)
    assert octants.min() > 0.8 * octants.max()
    assert len(points) > 1000
    with pytest.raises(ValueError, match="read-only"):
        points[0] = 0.0


def test_head_without_white_matter_has_no_middle_of_its_cortex():
    with pytest.raises(InputError, match="need grey and white matter"):
        _ = sphere_head((30, 34), edge=8.0).mid_grey


@pytest.mark.slow
def test_middle_points_of_a_real_head_lie_in_its_grey_matter():
    import neuro_field as nf
    from neuro_field.geometry.locate import locate

    head = nf.example_head("colin27")
    elements = locate(head.mesh, head.mid_grey)[0]
    assert head.region("grey_matter")[elements].all()
    assert len(head.mid_grey) > 50_000
