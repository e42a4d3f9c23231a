"""A skull that is open is told, with its side and area; one that is whole is not."""

from dataclasses import replace

import numpy as np
import pytest
from strokes import healthy
from tests_support import mirrored_head

import neuro_field as nf
from neuro_field.findings import Finding
from neuro_field.geometry.mesh import TetMesh
from neuro_field.head.doubts import open_area
from neuro_field.head.openings import skull_openings
from neuro_field.report.words import said

#: Where flaps were, MNI152 mm (the built-in head's own frame), and their radius, mm.
FLAPS = {"left": (-62.0, -15.0, 45.0), "right": (62.0, 5.0, 40.0)}
RADIUS = 35.0


def opened(head, side, radius=RADIUS):
    """The head with the bone of a flap made scalp."""
    flap = np.linalg.norm(head.mesh.centroids - np.array(FLAPS[side]), axis=1) < radius
    tags = np.where(flap & head.region("skull"), 5, head.mesh.tags)
    return nf.HeadModel.from_mesh(
        TetMesh(head.mesh.nodes, head.mesh.tets, tags), name="opened", mapping=head.mapping, known_fissure=head.fissure
    )


@pytest.mark.parametrize("side", FLAPS)
@pytest.mark.parametrize("turned", [False, True], ids=["as it is", "mirrored"])
def test_a_missing_bone_flap_is_told_with_its_side_and_area(side, turned):
    head = opened(healthy(), side)
    told = [found for found in (mirrored_head(head) if turned else head).findings if found.code == "head-open-skull"]
    assert [found.level for found in told] == ["warn"]
    expected = side if not turned else {"left": "right", "right": "left"}[side]
    assert told[0].values["opening_side"] == expected
    assert 20 < told[0].values["area_cm2"] < 45  # a disc of that radius on the dura has 38 cm2, a coarse mesh less
    assert expected in said(told[0])


def test_a_whole_skull_and_a_burr_hole_are_not_told():
    assert skull_openings(healthy()) == ()
    assert skull_openings(nf.sphere_head((80, 86, 92), edge=9.0)) == ()
    assert skull_openings(opened(healthy(), "left", radius=9.0)) == ()


def test_bone_that_labels_have_and_a_coarse_mesh_lacks_is_no_craniectomy():
    """It says how to mend the mesh, and nobody is asked about plates; bone that was to be missing stays an opening."""
    bare = opened(healthy(), "left")
    for answer, code, area in ((None, "head-bone-lost-in-mesh", 0.0), (True, "head-open-skull", 20.0)):
        head = replace(bare, provenance={"skull": {"open_skull": answer, "openings": []}})
        told = [found for found in head.findings if "opening_side" in found.values]
        assert [(found.code, found.values["opening_side"]) for found in told] == [(code, "left")]
        assert (open_area(head) > 0) == (area > 0)
    assert "shorter --edge" in said(Finding("head-bone-lost-in-mesh", "warn", told[0].values))


def test_openings_come_largest_first():
    both = opened(opened(healthy(), "left", radius=25.0), "right", radius=38.0)
    found = skull_openings(both)
    assert [opening.center[0] > 0 for opening in found] == [True, False]
    assert found[0].area > found[1].area
