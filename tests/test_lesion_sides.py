"""Lesions by hemisphere: cut at the patient's fissure, cerebellum and pons apart, two-sided ones never on one side."""

from dataclasses import replace

import numpy as np
import pytest
from strokes import STROKES, Stroke, healthy, lesion_of, stroke_head
from tests_support import mirrored_head

import neuro_field as nf
from neuro_field.aim.atlas import other_side
from neuro_field.geometry.mesh import TetMesh
from neuro_field.head.lesion import distance_to_lesion, infratentorial, lesion_sides, lesion_summary
from neuro_field.report.words import said

EXPECTED = {"cerebellum": "infratentorial", "pons": "infratentorial", "two-sided": "both"}


def codes(head):
    return {finding.code: finding for finding in head.findings}


@pytest.mark.parametrize("stroke", STROKES, ids=str)
def test_a_stroke_lies_where_it_was_put(stroke):
    summary = lesion_summary(stroke_head(stroke))
    assert summary.side == EXPECTED.get(stroke.kind, stroke.side)
    parts = (summary.left_cm3, summary.right_cm3, summary.infratentorial_cm3)
    assert sum(parts) == pytest.approx(summary.volume_cm3)
    if stroke.kind == "two-sided":
        assert summary.smaller_side == other_side(stroke.side)
        assert summary.smaller_cm3 == pytest.approx(0.3 * stroke.cm3, rel=0.05)


@pytest.mark.parametrize("side", ["left", "right"])
def test_a_medial_stroke_of_a_head_without_labels_is_not_on_both_sides(side):
    head = stroke_head(Stroke("aca", side, 70), known=False)
    summary = lesion_summary(head)
    assert summary.side == side
    assert summary.smaller_cm3 < 1
    assert (lesion_sides(head)[head.region("lesion")] == side).mean() > 0.97


def test_two_sided_lesions_are_told_with_their_volumes_and_not_as_one_side():
    for side in ("left", "right"):
        told = codes(stroke_head(Stroke("two-sided", side, 50)))["lesion-both-sides"]
        larger, smaller = (f"{told.values[each + '_cm3']:.1f}" for each in (side, other_side(side)))
        assert float(larger) > float(smaller) > 10
        assert f"{larger} cm³" in said(told)
        assert f"{smaller} cm³" in said(told)


def test_a_little_beyond_the_fissure_is_a_note():
    head = healthy()
    speck = lesion_of(Stroke("mca", "right", 0.6))
    tags = np.where(lesion_of(Stroke("mca", "left", 12)) | speck, 21, head.mesh.tags)
    hurt = replace(head, mesh=TetMesh(head.mesh.nodes, head.mesh.tets, tags))
    summary, told = lesion_summary(hurt), codes(hurt)["lesion-small-other-side"]
    assert summary.side == "left"
    assert 0.3 < summary.smaller_cm3 < 1
    assert told.level == "note"
    assert told.values["other"] == "right"


@pytest.mark.parametrize("beside", [0.0, -14.0, 14.0])
def test_what_reaches_below_the_tentorium_has_no_say_in_the_side(beside):
    head = healthy()
    away = head.to_mni(head.mesh.centroids) - np.array([beside, -28.0, -18.0])
    away[:, 0] -= np.where(infratentorial(head.to_mni(head.mesh.centroids)), 9.0, 0.0)
    tags = np.where((np.abs(away) < [5.0, 7.0, 14.0]).all(axis=1), 21, head.mesh.tags)
    summary = lesion_summary(replace(head, mesh=TetMesh(head.mesh.nodes, head.mesh.tets, tags)))
    assert summary.infratentorial_cm3 > 0.3
    assert max(summary.left_cm3, summary.right_cm3) > 0.3
    assert min(summary.left_cm3, summary.right_cm3) < 1
    assert summary.side == {0.0: "midline", -14.0: "left", 14.0: "right"}[beside]


def test_the_mirrored_lesion_lies_on_the_other_side():
    for kind in ("mca", "two-sided", "cerebellum"):
        here = stroke_head(Stroke(kind, "left", 15))
        one, other = lesion_summary(here), lesion_summary(mirrored_head(here))
        assert other.left_cm3 == pytest.approx(one.right_cm3)
        assert other.right_cm3 == pytest.approx(one.left_cm3)
        assert other.infratentorial_cm3 == pytest.approx(one.infratentorial_cm3)


def test_nothing_tells_sides_without_fissure_and_map():
    sphere = nf.sphere_head((70, 80, 90), edge=9.0)
    inside = np.linalg.norm(sphere.mesh.centroids - [-40, 0, 20], axis=1) < 15
    tags = np.where(inside & sphere.region("brain"), 21, sphere.mesh.tags)
    hurt = nf.HeadModel.from_mesh(TetMesh(sphere.mesh.nodes, sphere.mesh.tets, tags))
    summary = lesion_summary(hurt)
    assert (summary.side, summary.left_cm3, summary.smaller_cm3) == (None, None, None)
    assert "lesion-side-unknown" in codes(hurt)


def test_a_head_without_a_map_has_sides_by_its_fissure():
    head = stroke_head(Stroke("mca", "right", 60), known=False)
    assert lesion_summary(replace(head, mapping=None)).side == "right"


def test_how_near_a_lesion_of_either_side_comes_is_told():
    head = stroke_head(Stroke("two-sided", "left", 50))
    points = head.from_mni(np.array([[-37.0, -21, 58], [37.0, -21, 58]]))
    left, right, both = (distance_to_lesion(head, points, side) for side in ("left", "right", None))
    assert left[0] < 20 < left[1]
    assert np.allclose(both, np.minimum(left, right))
    assert right[1] > 30  # a PCA stroke, far from the hand area
    assert np.isinf(distance_to_lesion(healthy(), points)).all()
    with pytest.raises(nf.InputError, match="side of distance_to_lesion"):
        distance_to_lesion(head, points, "up")


def test_a_bad_map_is_told_with_its_overlap():
    good = {"affine": {"white_matter": 0.71, "grey_matter": 0.7}}
    bad = {"affine": {"white_matter": 0.52, "grey_matter": 0.6}}
    warped = bad | {"nonlinear": {"white_matter": 0.8, "grey_matter": 0.8}}
    for overlaps, told in ((good, False), (bad, True), (warped, False)):
        head = replace(healthy(), provenance={"mapping_overlap": overlaps})
        assert ("head-map-doubtful" in codes(head)) == told
    assert "0.52" in said(codes(replace(healthy(), provenance={"mapping_overlap": bad}))["head-map-doubtful"])
