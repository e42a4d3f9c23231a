"""Which of a person's series a head is made of, by headers alone: no converter, no files."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests_support import accepted, refusal

from neuro_field.io.dicom_headers import Header, Person
from neuro_field.segment.series import persons_of, series_of
from neuro_field.segment.series_choice import beside, chosen_series, findings_of, rows_of
from neuro_field.segment.series_kinds import kind_of

HEDWIG = Person("4711", "katzhedwig", "19391224")
AXIAL = np.array([1.0, 0, 0, 0, 1, 0])
MPRAGE = {
    "scanning": ("GR", "IR"), "acquisition": "3D", "echo_time": 2.98, "repetition_time": 2300, "inversion_time": 900,
    "flip_angle": 9,
}  # fmt: skip


def slices(description="t1_mprage", number=3, count=160, step=1.0, **more):
    """Headers of a series of axial slices, 256 x 256 of 1 mm."""
    told = {"modality": "MR", "image_type": ("ORIGINAL", "PRIMARY", "M", "ND"), "in_plane": (1.0, 1.0)} | MPRAGE | more
    base = Header(
        Path(f"s{number}"), "", f"1.2.{number}", HEDWIG, number=number, description=description, columns=256,
        rows=256, **told,
    )  # fmt: skip
    orientations = AXIAL[None]
    return [
        replace(
            base, instance=f"{number}.{k}", positions=np.array([[-128.0, -128, step * k]]), orientations=orientations
        )
        for k in range(count)
    ]


FLAIR = {"scanning": ("SE", "IR"), "echo_time": 388, "repetition_time": 5000, "inversion_time": 1800}
T2 = {"scanning": ("SE",), "echo_time": 408, "repetition_time": 3200, "inversion_time": None}


def taken(*headers, asked=None):
    return accepted(chosen_series, series_of([each for group in headers for each in group]), asked)


def refused(*headers, asked=None):
    """The line that refuses series."""
    return refusal(chosen_series, series_of([each for group in headers for each in group]), asked)


@pytest.mark.parametrize(
    ("told", "kind"),
    [
        ({}, "t1"),
        ({"description": "", "inversion_time": None, "repetition_time": 8.2, "flip_angle": 12}, "t1"),  # BRAVO, TFE
        ({"description": "Sag T1 SPACE", "scanning": ("SE",), "echo_time": 7, "repetition_time": 700}, "t1"),
        ({"description": "T1 FLAIR", "scanning": ("SE", "IR"), "echo_time": 9, "repetition_time": 2100}, "t1"),
        ({"description": "t2_spc", **T2}, "t2"),
        ({"description": "3D CUBE T2 FLAIR", **FLAIR}, "flair"),
        ({"description": "t2_spc_dark-fluid", **FLAIR}, "flair"),
        ({"description": "", **FLAIR}, "flair"),
        ({"description": "Sag CUBE FLAIR", **T2}, "flair"),  # its inversion time is not told
        ({"description": "AAHead_Scout"}, "localizer"),
        ({"description": "3Plane Loc"}, "localizer"),
        ({"description": "whole", "image_type": ("ORIGINAL", "PRIMARY", "LOCALIZER")}, "localizer"),
        ({"description": "TOF_3D", "inversion_time": None, "repetition_time": 22, "flip_angle": 18}, "angiography"),
        ({"description": "SWI_Images", "echo_time": 20, "repetition_time": 28}, "susceptibility"),
        ({"description": "x", "echo_time": 20, "repetition_time": 28, "inversion_time": None}, "susceptibility"),
        ({"description": "t1_mp2rage_sag_p3_iso_INV1"}, "mp2rage-inv1"),
        ({"description": "t1_mp2rage_sag_p3_iso_INV2"}, "mp2rage-inv2"),
        ({"description": "t1_mp2rage_sag_p3_iso_UNI_Images"}, "mp2rage-uni"),
        ({"description": "t1_mp2rage_sag_p3_iso_UNI-DEN"}, "mp2rage-denoised"),
        ({"description": "t1_mp2rage_sag_p3_iso_T1_Images"}, "t1-map"),
        ({"description": "ep2d_diff_mddw_64"}, "diffusion"),
        ({"description": "rest", "image_type": ("ORIGINAL", "PRIMARY", "M", "MOSAIC")}, "functional"),
        ({"description": "t1_mprage", "image_type": ("ORIGINAL", "PRIMARY", "P", "ND")}, "phase"),
        ({"description": "t1_mprage", "picture": True}, "picture"),
        ({"description": "t2_odd"}, "unclear"),  # words against times
        ({"description": "x", "echo_time": None}, "unclear"),
        ({"description": "t1", "echo_time": None}, "t1"),
        ({"description": "x", "echo_time": None, "contrast": "FLUID_ATTENUATED"}, "flair"),
        ({"description": "head", "modality": "CT"}, "ct"),
        ({"description": "report", "modality": "SR"}, "other"),
    ],
)
def test_kinds_are_told_by_times_and_words(told, kind):
    assert kind_of(slices(**told)[0]).code == kind


@pytest.mark.parametrize(
    ("description", "agent"),
    [
        ("t1_mprage +C", True), ("T1 3D Gd", True), ("t1_mpr_KM", True), ("T1 post contrast", True), ("造影T1", True),
        ("t1_mprage", False), ("T1 pre Gd", False), ("t1 ohne KM", False), ("非造影T1", False),
        ("without contrast", False),
    ],
)  # fmt: skip
def test_a_contrast_agent_is_told_by_words_too(description, agent):
    assert kind_of(slices(description)[0]).agent is agent
    assert kind_of(slices("t1_mprage", agent=True)[0]).agent


def test_the_one_t1_is_taken_among_others_and_they_are_named():
    folder = [
        slices("localizer", 1, 5, 10), slices("t2_spc", 4, **T2), slices("spc_dark_fluid", 5, **FLAIR),
        slices("head", 6, 30, 5.0, modality="CT"), slices("t1_mprage", 3), slices("t1_mprage_gd", 7),
    ]  # fmt: skip
    all_of_them = series_of([each for group in folder for each in group])
    found = accepted(chosen_series, all_of_them)
    assert (found.number, found.kind.code, findings_of(found)) == (3, "t1", ())
    assert [other.number for other in beside(all_of_them, found)] == [4, 5, 6, 7]
    headings, rows = rows_of(all_of_them)
    assert headings == ("series", "description", "voxels", "mm", "what it is")
    assert rows[1] == ("3", "t1_mprage", "256 x 256 x 160", "1 x 1 x 1", "3-D T1")


def test_a_t1_with_an_agent_is_taken_if_there_is_no_other_and_warns():
    found = taken(slices("t1_mprage", 3, agent=True))
    assert [(finding.code, finding.level) for finding in findings_of(found)] == [("scan-contrast", "warn")]


def test_several_t1s_are_asked_about_and_named_by_number_uid_or_description():
    folder = [slices("t1_mprage", 3), slices("t1_mprage_ND", 4)]
    assert "Series 3 and 4" in refused(*folder)
    assert "--series" in refused(*folder)
    assert taken(*folder, asked="4").number == 4
    assert taken(*folder, asked="1.2.4").number == 4
    assert taken(*folder, asked="T1_MPRAGE").number == 3  # a whole description before a part of one
    assert taken(*folder, asked="_nd").number == 4
    assert "none is '9'" in refused(*folder, asked="9")
    assert "fits Series 3 and 4" in refused(*folder, asked="t1")


def test_series_of_two_visits_with_one_number_are_told_apart_by_uid():
    again = [replace(header, series="9.9") for header in slices()]
    assert "1.2.3 and 9.9" in refused(slices(), again, asked="3")
    assert rows_of(series_of(slices() + again))[0][-1] == "UID"
    assert taken(slices(), again, asked="9.9").uid == "9.9"


def test_of_mp2rage_the_denoised_image_is_taken_else_the_noisy_one_with_a_warning():
    parts = [slices(f"t1_mp2rage_{part}", n) for n, part in enumerate(("INV1", "INV2", "T1_Images"), 10)]
    uni = slices("t1_mp2rage_UNI_Images", 14, image_type=("DERIVED", "PRIMARY", "M", "ND", "UNI"))
    clean = slices("t1_mp2rage_UNI-DEN", 15)
    assert [finding.code for finding in findings_of(taken(*parts, uni))] == ["scan-noisy-background"]
    found = taken(*parts, uni, clean)
    assert (found.number, findings_of(found)) == (15, ())
    assert "MP2RAGE INV2" in refused(*parts, asked="11")
    assert "No T1 is among these series" in refused(*parts)


def test_thick_slices_are_refused_with_what_to_order():
    said = refused(
        slices("t1_se_tra", 2, 24, 5.5, scanning=("SE",), echo_time=9, repetition_time=550, acquisition="2D")
    )
    assert "5.5 mm slices: order a 3-D T1 of 1 mm (docs/mri-order.md)" in said
    assert "5.5 mm slices" in refused(slices("t1", 2, 30, 5.5), asked="2")
    assert taken(slices("t1_mprage", 2, 80, 2.0)).number == 2
    assert "2.1 mm slices" in refused(slices("t1_mprage", 2, 80, 2.1))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda all_: all_[:70] + all_[73:], "3 of its 160 slices are missing"),
        (lambda all_: [replace(each, whole=k != 5) for k, each in enumerate(all_)], "1 of its 160 files are cut short"),
        (lambda all_: all_ + all_, "it holds 2 images of the same place"),
        (lambda all_: all_ + all_[:9], "not lie in one even row"),
        (lambda all_: all_[:64], "it covers 64 mm of the head only"),
        (lambda all_: [replace(each, in_plane=(2.5, 2.5)) for each in all_], "2.5 mm wide"),
        (
            lambda all_: [replace(each, positions=each.positions + (k == 80) * np.array([0, 3.0, 0])) for k, each in
                          enumerate(all_)],
            "not lie in one even row",
        ),
        (lambda all_: [replace(each, positions=np.empty((0, 3))) for each in all_], "where it lies"),
        (
            lambda all_: [replace(each, orientations=np.roll(each.orientations, k < 3, axis=1)) for k, each in
                          enumerate(all_)],
            "its slices lie in 2 directions or sizes",
        ),
    ],
)  # fmt: skip
def test_what_is_no_whole_even_volume_is_refused(change, said):
    headers = change(slices())
    assert said in refused(headers) or "No T1" in refused(headers)
    (series,) = series_of(headers)
    assert said in series.obstacle()


def test_2d_slices_however_thin_are_taken_only_when_asked_for():
    thin = slices("t1_tse", 2, 90, 2.0, scanning=("SE",), echo_time=9, repetition_time=550, acquisition="2D")
    assert "2-D slices" in refused(thin)
    assert "scan-two-dimensional" in {finding.code for finding in findings_of(taken(thin, asked="2"))}


def test_reformats_and_unclear_series_are_taken_only_when_asked_for():
    reformat = slices("t1_mprage_MPR_cor", 8, image_type=("DERIVED", "SECONDARY", "MPR"))
    assert "computed of other images" in refused(reformat)
    assert [finding.code for finding in findings_of(taken(reformat, asked="8"))] == ["scan-derived"]
    assert taken(slices(), reformat).number == 3
    unclear = slices("volume", 9, echo_time=None)
    assert "No T1" in refused(unclear)
    assert [finding.code for finding in findings_of(taken(unclear, asked="9"))] == ["scan-unclear"]
    assert "T2" in refused(slices("t2_spc", 4, **T2), asked="4")


def test_persons_are_counted_by_number_name_and_birth():
    def all_of(*persons):
        return persons_of([replace(slices()[0], person=person) for person in persons])

    assert all_of(HEDWIG, replace(HEDWIG, name="katz"), replace(HEDWIG, ident="9")) == 1
    assert all_of(HEDWIG, replace(HEDWIG, birth="")) == 1
    assert all_of(HEDWIG, replace(HEDWIG, birth="19400101")) == 2
    assert all_of(HEDWIG, Person("5000", "other", "19391224"), Person("1", "third", "")) == 3
    assert "Hedwig".lower() not in repr(slices()[0]).lower()
