"""The face on pages: said where it is shown, left out where asked, and refused where nothing says where it is."""

import re
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from phantoms import phantom_labels
from tests_support import small_head
from tiny_plan import tiny_plan
from tiny_study import tiny_head, tiny_study

from neuro_field.arrays import transformed
from neuro_field.cli import main
from neuro_field.errors import InputError
from neuro_field.head.face import ABOVE_NASION, KEPT, Face
from neuro_field.head.landmarks import landmarks_1010
from neuro_field.mri.faceless import faceless
from neuro_field.mri.volume import Volume
from neuro_field.report import page
from neuro_field.report.head_page import head_page
from neuro_field.report.interactive import unpacked, unpacked_surface, view_of, without_face
from neuro_field.report.scene import Anatomy
from neuro_field.store.heads import write_head
from neuro_field.store.plans import read_kept, render

#: The 10-10 positions on the forehead and the temples, where coils and electrodes stand.
FOREHEAD = ("Fp1", "Fpz", "Fp2", "AF7", "AF8", "F7", "F8", "FT7", "FT8", "T7", "T8")


@cache
def face():
    return Face.of(small_head())


def t1():
    labels, affine = phantom_labels(4.0)
    return Volume(40 * labels, affine)


def test_the_face_is_before_the_ears_and_below_the_brows():
    places = landmarks_1010(small_head())
    nose, ears = places["Nz"], (places["LPA"] + places["RPA"]) / 2
    up = np.array([0, 0, 1.0])
    for inside in (
        nose,
        nose - 40 * up,
        nose + (ABOVE_NASION - 4) * up,
        ears + np.array([40, 30, -15.0]),
        ears + np.array([-40, 30, -15.0]),
    ):
        assert face().holds(inside[None]).all()
    others = [places[name] for name in (*FOREHEAD, "Iz", "Cz", "Oz")]
    outside = np.array([*others, nose + (ABOVE_NASION + 4) * up, ears - [0, 8, 20.0]])
    assert not face().holds(outside).any()


def held(record, tags=None):
    """Values of the voxels of a view that lie in the face, but for those that are kept."""
    values = unpacked(record["values"])
    places = np.moveaxis(np.indices(values.shape), 0, -1).reshape(-1, 3) * record["step"] + record["origin"]
    inside = face().holds(places)
    if tags is not None:
        grid = np.diag([tags["step"]] * 3 + [1.0])
        grid[:3, 3] = tags["origin"]
        inside &= ~np.isin(Volume(unpacked(tags["values"]), grid).at(places, 0), KEPT)
    return values.reshape(-1)[inside]


def test_a_view_without_the_face_holds_none_of_it_and_all_else():
    shown = view_of(small_head(), {}, t1())
    made = without_face(shown, face())
    assert not np.isin(held(made["tissues"]), (0, *KEPT), invert=True).any()
    assert not held(made["image"], shown["tissues"]).any()
    assert not face().holds(unpacked_surface(made["scalp"]).points).any()
    for what in ("tissues", "image"):
        before, after = unpacked(shown[what]["values"]), unpacked(made[what]["values"])
        assert np.array_equal(before[after > 0], after[after > 0])
        assert 0.02 < 1 - np.count_nonzero(after) / np.count_nonzero(before) < 0.3
    assert held(shown["image"], shown["tissues"]).any()
    assert face().holds(unpacked_surface(shown["scalp"]).points).any()
    assert made["cortex"] == shown["cortex"]


def test_a_picture_without_the_face_has_a_scalp_without_it_and_the_forehead():
    whole, cut = Anatomy.of(small_head()), Anatomy.of(small_head(), face())
    assert face().holds(np.asarray(whole.scalp.points)).any()
    assert not face().holds(np.asarray(cut.scalp.points)).any()
    places = landmarks_1010(small_head())
    left = np.asarray(cut.scalp.points)
    for name in FOREHEAD:
        assert np.linalg.norm(left - places[name], axis=1).min() < 8.0


def test_an_image_without_the_face_keeps_the_base_of_the_brain():
    labels = Volume(phantom_labels(4.0)[0], phantom_labels(4.0)[1])
    cut = faceless(labels, face(), labels)
    places = transformed(np.argwhere(labels.values > 0).astype(float), labels.affine)
    blanked = face().holds(places) & ~np.isin(labels.values[labels.values > 0], KEPT)
    assert blanked.any()
    assert np.array_equal(cut.values[labels.values > 0] == 0, blanked)
    assert labels.values.max() == 5  # the one that was given is as it was


def test_the_page_of_a_head_says_what_shows_a_face():
    labels = Volume(*phantom_labels(4.0))
    shown = head_page(small_head(), labels=labels, t1=t1(), no_picture="not asked for", made="now")
    cut = head_page(small_head(), labels=labels, t1=t1(), no_picture="not asked for", made="now", face=face())
    assert "This page shows the patient&#39;s face, and so does T1.nii.gz in the same folder" in shown
    assert "The face is left out of the pictures on this page" in cut
    assert "T1.nii.gz and head.msh in the same folder still hold it" in cut
    slices = [re.findall(r'alt="\w+ slice" src="([^"]+)"', text) for text in (shown, cut)]
    assert len(slices[0]) == 3
    assert slices[0][2] != slices[1][2]  # sagittal
    nothing = head_page(small_head(), no_picture="not asked for")
    assert "patient&#39;s face" not in nothing


def test_the_page_of_a_plan_says_that_it_shows_a_face_or_is_made_without():
    kept = read_kept(tiny_plan())
    assert "This page shows the patient&#39;s face" in page.study_page(kept)
    places = {"Nz": np.array([0, 86.0, -30]), "LPA": np.array([-86.0, -5, -30]), "RPA": np.array([86.0, -5, -30])}
    known = replace(kept, facts=replace(kept.facts, head=replace(kept.facts.head, landmarks=places)))
    cut = page.without_face(known)
    text = page.study_page(cut)
    assert "This page shows the patient&#39;s face" not in text
    assert text.count("The face is left out of this page") == 1
    assert "Pictures that show the face were left out" in text
    assert sorted(cut.pictures) == ["contralesional_cortex", "ipsilesional_cortex"]
    where = Face.between(places)
    assert where.holds(unpacked_surface(kept.view["scalp"]).points).any()
    assert not where.holds(unpacked_surface(cut.view["scalp"]).points).any()
    assert page.without_face(cut) is cut


def test_what_does_not_tell_where_the_face_is_is_refused(tmp_path, capsys):
    bare = replace(tiny_head(), mapping=None)
    with pytest.raises(InputError, match=r"The face of 'tiny' cannot be left out, for nothing says where it is.*MNI"):
        write_head(bare, tmp_path / "HEAD", faceless=True)
    assert not (tmp_path / "HEAD").exists()
    with pytest.raises(InputError, match=r"nothing in the plan's folder says where it is.*Nz is missing"):
        render(tiny_plan(), faceless=True)
    write_head(bare, tmp_path / "BARE", qc=False)
    command = ["plan", str(tmp_path / "BARE"), "--target", "head:-40,0,60", "--coil", "figure8-70mm", "--faceless"]
    assert main([*command, "-o", str(tmp_path / "PLAN")]) == 2
    assert "The face of 'tiny' cannot be left out" in capsys.readouterr().err
    assert not (tmp_path / "PLAN").exists()


def test_a_folder_written_without_the_face_says_so_and_keeps_none(tmp_path, monkeypatch):
    """The view and pictures of it are made without: nothing has to be taken out of them later."""
    from neuro_field.store import plans

    asked = []
    monkeypatch.setattr(plans, "study_pictures", lambda study, face=None: asked.append(face) or {})
    plans.write_study(tiny_study().contralesional, tmp_path / "PLAN", faceless=True)
    read = read_kept(tmp_path / "PLAN")
    assert [type(one) for one in asked] == [Face]
    assert not asked[0].holds(unpacked_surface(read.view["scalp"]).points).any()
    assert [found.code for found in read.remarks] == ["page-faceless"]
    assert render(tmp_path / "PLAN", faceless=True) == render(tmp_path / "PLAN")
