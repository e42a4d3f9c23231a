"""Left and right exchanged throughout: a mirrored head with its lesion mirrored has the mirrored plan."""

from dataclasses import replace

import numpy as np
import pytest
from tests_support import mirrored_head, small_head

import neuro_field as nf
from neuro_field.aim.aims import homologous
from neuro_field.aim.atlas import other_side
from neuro_field.findings import Refusal
from neuro_field.geometry.mesh import TetMesh
from neuro_field.search.candidates import Grid

MIRROR = np.array([-1.0, 1.0, 1.0])
ROLES = ("contralesional", "ipsilesional")

#: Fine steps of the search, in which two placements as good as one another may change places: mm and degrees.
STEP, TURN = 1.0, 2.5


def with_lesion(head, centre, radius):
    """A ball of cavity in the brain."""
    inside = (np.linalg.norm(head.mesh.centroids - centre, axis=1) < radius) & head.region("brain")
    mesh = TetMesh(head.mesh.nodes, head.mesh.tets, np.where(inside, 21, head.mesh.tags))
    return nf.HeadModel.from_mesh(mesh, name=head.name, mapping=head.mapping)


@pytest.fixture(scope="module")
def heads():
    """A head with a lesion that takes part of the left hand area, and its mirror image."""
    head = with_lesion(small_head(), (-46, -24, 48), 11)
    return head, mirrored_head(head)


def studies(heads, preset, grid, **keywords):
    """The same preset on a head and on its mirror image."""
    coil = nf.load_coil("figure8-ideal")  # the one that is its own mirror image
    return [nf.study(head, preset=preset, coil=coil, grid=grid, draws=0, **keywords) for head in heads]


def assert_mirrored(here, there, rel):
    """Strengths to ``rel``, centres and handles to the steps of the search."""
    assert there.affected == other_side(here.affected)
    assert there.own_side == here.own_side
    for role in ROLES:
        one, other = getattr(here, role), getattr(there, role)
        assert other.target.side == other_side(one.target.side)
        assert np.allclose(other.target.center, one.target.center * MIRROR, atol=1e-9)
        assert other.target.viable_share == pytest.approx(one.target.viable_share, abs=1e-9)
        assert other.report.placements == one.report.placements
        assert np.allclose(np.sort(other.strengths), np.sort(one.strengths), rtol=rel, atol=rel * one.strengths.max())
        assert len(other.ranking) == len(one.ranking)
        assert other.best.verified == pytest.approx(one.best.verified, rel=rel)
        expected = one.best.placement.mirrored()
        assert np.linalg.norm(other.best.placement.center - expected.center) <= 1.5 * STEP
        between = other.best.placement.handle_direction @ expected.handle_direction
        assert np.degrees(np.arccos(np.clip(abs(between), -1, 1))) <= 1.5 * TURN
        verified = np.array([[c.verified for c in plan.ranking] for plan in (one, other)])
        assert np.allclose(*np.sort(verified, axis=1), rtol=10 * rel)  # more than one may be the next best


def test_a_mirrored_study_is_the_study_mirrored(heads):
    grid = Grid(radius=15, spacing=7.5, angle_step=22.5)
    here, there = studies(heads, "contralesional-1hz-hand", grid, tolerance=1e-7)
    assert here.affected == "left"
    assert_mirrored(here, there, rel=2e-4)


def test_targets_of_either_side_mirror_each_other(heads):
    here, there = heads
    for name in ("m1-hand", "dlpfc", "pmd"):  # sites whose right seed is the left one mirrored
        one, other = nf.Target.named(here, name, "left"), nf.Target.named(there, name, "right")
        assert np.allclose(other.center, one.center * MIRROR, atol=1e-9)
        assert np.array_equal(other.elements, one.elements)
        assert homologous(there, other).center == pytest.approx(homologous(here, one).center * MIRROR)


def test_a_target_moved_aside_by_a_lesion_says_so():
    whole = nf.Target.named(small_head(), "m1-hand", "left")
    head = with_lesion(small_head(), whole.center, 9)
    named = nf.Target.named(head, "m1-hand", "left")
    assert named.moved > whole.moved
    assert named.viable_share < 1.0
    assert not head.region("lesion")[named.elements].any()


def test_a_hand_area_inside_a_cavity_is_not_planned_and_the_reason_given():
    lost = with_lesion(small_head(), nf.Target.named(small_head(), "m1-hand", "left").seed, 28)
    made = nf.study(
        lost, preset="contralesional-1hz-hand", coil=nf.load_coil("figure8-70mm"), draws=0,
        grid=Grid(radius=8, spacing=8, angle_step=90),
    )  # fmt: skip
    assert made.ipsilesional is None
    why = made.why["ipsilesional"]
    assert (why.level, why.values["side"], why.values["site"]) == ("stop", "left", "m1-hand")
    assert why in made.findings
    assert made.contralesional.target.viable_share == 1.0
    with pytest.raises(Refusal) as refused:
        nf.study(lost, preset="ipsilesional-10hz-hand", coil=nf.load_coil("figure8-70mm"))
    assert refused.value.findings == (why,)


@pytest.mark.slow
def test_a_mirrored_patient_has_the_mirrored_study():
    """Colin27 with its stroke, coarse: ears, folds and a lesion that no phantom has."""
    head = nf.example_head("colin27-stroke", edge=4.0)
    there = replace(mirrored_head(head), provenance={})
    grid = Grid(radius=20, spacing=5, angle_step=15)
    assert_mirrored(*studies((head, there), "contralesional-1hz-hand", grid, tolerance=1e-7), rel=5e-4)
