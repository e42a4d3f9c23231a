"""A finished head takes another lesion: in its mesh where that is fine enough, else in one made again; it says so."""

from dataclasses import replace

import numpy as np
import pytest
from phantoms import phantom_labels
from tests_support import refusal

import neuro_field as nf
from neuro_field.arrays import transformed
from neuro_field.errors import InputError
from neuro_field.head.lesion import lesion_summary
from neuro_field.head.mapping import AffineMapping
from neuro_field.head.model import HeadModel
from neuro_field.io.images import Image, write_image
from neuro_field.mri.another_lesion import relesioned
from neuro_field.mri.build import meshed, silent
from neuro_field.mri.drawn_lesion import drawn_lesion
from neuro_field.mri.volume import Volume
from neuro_field.store.building import head_given_lesion

LABELS, AFFINE = phantom_labels(4.0)
WORLD = transformed(np.indices(LABELS.shape).reshape(3, -1).T.astype(float), AFFINE).reshape(*LABELS.shape, 3)
TISSUES = Volume(LABELS, AFFINE)
IDENTITY = AffineMapping(np.eye(4), "the phantom's own")


def ball(centre, radius):
    return np.linalg.norm(WORLD - centre, axis=-1) < radius


@pytest.fixture(scope="module")
def head():
    record = {"seconds": {}, "cleaning": None, "findings": [{"code": "lesion-clipped", "level": "note", "values": {}}]}
    mesh = meshed(LABELS, AFFINE, 7.0, {"white_matter": 7.0}, record, silent)
    return HeadModel.from_mesh(mesh, name="phantom", mapping=IDENTITY, provenance=record)


def codes(head):
    return {row["code"]: row for row in head.provenance["findings"]}


BIG = ball((-30, -18, 12), 24)


def test_a_large_lesion_goes_into_the_mesh_as_it_is(head):
    made = relesioned(head, drawn_lesion(BIG, AFFINE), TISSUES)
    hurt = made.head
    assert hurt.mesh.tets is head.mesh.tets or np.array_equal(hurt.mesh.tets, head.mesh.tets)
    summary = lesion_summary(hurt)
    assert summary.volume_cm3 == pytest.approx(BIG.sum() * 0.064, rel=0.1)
    assert summary.side == "left"
    np.testing.assert_allclose(summary.centroid, WORLD[BIG].mean(axis=0), atol=1.0)
    lesion = hurt.region("lesion_cavity")
    np.testing.assert_array_equal(hurt.conductivity[lesion], 1.654)
    np.testing.assert_array_equal(hurt.conductivity[~lesion], head.conductivity[~lesion])
    np.testing.assert_array_equal(made.labels.values, np.where(BIG, 21, LABELS))
    assert "lesion-in-old-mesh" in codes(hurt)
    assert "lesion-clipped" not in codes(hurt)  # was said of the lesion that is gone
    assert hurt.provenance["lesion"]["placed_cm3"] == pytest.approx(BIG.sum() * 0.064, abs=0.01)
    assert not head.region("lesion").any()


def test_a_small_lesion_is_meshed_again_with_the_map_and_the_fissure_kept(head):
    small = ball((-30, -18, 12), 5)
    made = relesioned(head, drawn_lesion(small, AFFINE), TISSUES)
    hurt = made.head
    assert len(hurt.mesh.tets) != len(head.mesh.tets)
    assert hurt.tissue_volumes["lesion_cavity"] == pytest.approx(small.sum() * 0.064, rel=0.1)
    assert {"lesion-meshed-again", "lesion-meshed-finer"} <= set(codes(hurt))
    assert hurt.mapping is IDENTITY
    assert hurt.provenance["tissue_edges_mm"] == {"white_matter": 7.0}
    with pytest.raises(InputError, match="too coarse for this lesion"):
        nf.head_with_lesion(head, small, AFFINE)
    with pytest.raises(InputError, match="conductivities that were set"):
        nf.head_with_lesion(head.with_conductivity({"bone": 0.006}), small, AFFINE, labels=TISSUES)


def test_a_mesh_without_labels_takes_a_lesion_and_says_what_was_cut_off(head):
    outside = ball((-82, -18, 12), 18) & ~np.isin(LABELS, (1, 2, 3))  # bone, scalp and air
    mask = BIG | outside
    hurt = nf.head_with_lesion(head, mask, AFFINE)
    wanted = (mask & np.isin(LABELS, (1, 2, 3))).sum() * 0.064
    assert hurt.tissue_volumes["lesion_cavity"] == pytest.approx(wanted, rel=0.1)
    told = codes(hurt)["lesion-clipped"]["values"]
    assert told["lost_cm3"] == pytest.approx((outside | BIG & (LABELS > 3)).sum() * 0.064, rel=0.1)
    for tissue in ("bone", "scalp"):
        assert hurt.tissue_volumes[tissue] == pytest.approx(head.tissue_volumes[tissue])
    with pytest.raises(InputError, match="A rim needs the tissues"):
        nf.head_with_lesion(head, BIG, AFFINE, rim=3.0)
    assert "outside brain and CSF" in refusal(nf.head_with_lesion, head, ball((0, -18, 92), 6), AFFINE)
    with pytest.raises(InputError, match="at most 40%"):
        nf.head_with_lesion(head, np.isin(LABELS, (1, 2)), AFFINE)
    with pytest.raises(InputError, match="affine of head_with_lesion"):
        nf.head_with_lesion(head, BIG)


@pytest.mark.parametrize("tissues", [TISSUES, None], ids=["labels", "mesh"])
def test_a_lesion_takes_the_place_of_one_that_lies_within_it_and_of_no_other(head, tissues):
    first = relesioned(head, drawn_lesion(ball((-30, -18, 12), 18), AFFINE), tissues)
    second = relesioned(first.head, drawn_lesion(BIG, AFFINE), first.labels)
    assert second.head.tissue_volumes["lesion_cavity"] == pytest.approx(BIG.sum() * 0.064, rel=0.1)
    with pytest.raises(InputError, match="not known: build the head again"):
        relesioned(first.head, drawn_lesion(ball((30, -18, 12), 24), AFFINE), first.labels)


def test_a_rim_is_drawn_where_there_are_labels(head):
    made = relesioned(head, drawn_lesion(BIG, AFFINE), TISSUES, rim=6.0)
    assert (made.labels.values == 22).any()
    assert made.head.tissue_volumes["lesion_rim"] == pytest.approx((made.labels.values == 22).sum() * 0.064, rel=0.15)


def test_images_and_hashes_travel_with_the_new_head(head, tmp_path):
    tissues = Image(LABELS, AFFINE, tmp_path / "tissues.nii.gz")
    t1 = Image(LABELS * 10.0, AFFINE, tmp_path / "T1.nii.gz")
    write_image(tmp_path / "mask.nii.gz", BIG.astype(np.uint8), AFFINE)
    old = replace(head, provenance=dict(head.provenance) | {"inputs": {"t1": "abc"}})
    hurt, images = head_given_lesion(old, {"t1": t1, "labels": tissues}, tmp_path / "mask.nii.gz")
    assert images["t1"] is t1
    assert (images["labels"].values == 21).sum() == BIG.sum()
    assert set(hurt.provenance["inputs"]) == {"t1", "lesion"}
    with pytest.raises(InputError, match="no T1 beside this head"):
        head_given_lesion(old, {}, tmp_path / "mask.nii.gz", lesion_image=tmp_path / "mask.nii.gz")
