"""Label tables: every family is recognised by its own numbers, and doubt is refused."""

import numpy as np
import pytest
from phantoms import phantom_labels
from tests_support import accepted

from neuro_field.errors import InputError, UnknownNameError
from neuro_field.mri.labels import TABLES, as_labels, recognised, to_sides, to_tissues


def test_tissue_tags_pass_through_unchanged():
    labels, affine = phantom_labels(8.0, eyes=True)
    found = recognised(labels, affine)
    assert (found.table.name, found.findings) == ("simnibs", ())
    np.testing.assert_array_equal(to_tissues(labels, affine=affine), labels)


def test_samseg_numbers_become_the_tissues_they_name():
    numbers = [0, 2, 41, 7, 46, 16, 3, 42, 8, 47, 10, 49, 28, 60, 4, 43, 24, 72, 165, 258, 259]
    expected = [0, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 3, 3, 3, 3, 4, 5, 6]
    image = np.zeros((7, 3, 2), dtype=np.int32)
    image.reshape(-1)[: len(numbers)] = numbers
    assert recognised(image).table.name == "freesurfer"
    np.testing.assert_array_equal(to_tissues(image).ravel()[: len(numbers)], expected)


def test_cortical_parcels_are_grey_and_white_matter_parcels_white():
    image = np.full((2, 2, 2), 1024)
    image[0], image[1, 1, 1] = 2035, 3010
    assert sorted(np.unique(to_tissues(image)).tolist()) == [1, 2]


def test_numbers_that_both_families_use_are_refused_unless_the_table_is_named():
    image = np.array([[[0, 2], [3, 4]], [[5, 2], [3, 4]]])
    with pytest.raises(InputError, match="table='simnibs'"):
        to_tissues(image)
    np.testing.assert_array_equal(to_tissues(image, table="simnibs"), image)
    assert to_tissues(image, table="freesurfer")[0, 0, 1] == 1
    with pytest.raises(UnknownNameError, match=r"simnibs, freesurfer, charm, roast, spm, fieldtrip, .*outside-in"):
        to_tissues(image, table="fsl")
    with pytest.raises(UnknownNameError, match=r"did you mean spm\?"):
        to_tissues(image, table="spm12")
    assert to_tissues(image, table="FreeSurfer")[0, 0, 1] == 1
    with pytest.raises(UnknownNameError, match="label table must be one of white_matter"):
        to_tissues(image, table={2: "brain"})


def test_unknown_numbers_are_named_with_their_counts():
    image = np.full((4, 4, 4), 41)
    image[0, 0, :3] = 999
    with pytest.raises(InputError, match=r"999 \(3 voxels\)"):
        to_tissues(image)
    with pytest.raises(InputError, match=r"999 \(3 voxels\)"):
        to_tissues(image, table="freesurfer")


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (np.zeros((4, 4, 4)), "every voxel is 0"),
        (np.ones((4, 4)), r"three-dimensional.*\(4, 4\)"),
        (np.ones((4, 4, 4, 2)), "three-dimensional"),
        (np.full((4, 4, 4), 1.5), "64 of 64 voxels"),
        (np.full((4, 4, 4), np.nan), "whole numbers"),
        (np.full((4, 4, 4), -1), "-1 to -1"),
        (np.full((4, 4, 4), 1e6), "1e\\+06"),
        (np.full((4, 4, 4), "a"), "type"),
    ],
)
def test_images_without_labels_are_refused_in_one_line(image, message):
    with pytest.raises(InputError, match=message) as caught:
        to_tissues(image)
    assert "\n" not in str(caught.value)


#: A number of every kind, its tissue, and its side: -1 left, 1 right.
FREESURFER = [
    (2, 1, -1), (41, 1, 1), (77, 1, 0), (78, 1, -1), (79, 1, 1), (85, 1, 0), (253, 1, 0), (16, 1, 0), (174, 1, 0),
    (3007, 1, -1), (4007, 1, 1), (5001, 1, -1), (5002, 1, 1), (13175, 1, -1), (14101, 1, 1), (3204, 1, -1), (25, 1, 0),
    (57, 1, 0), (99, 1, 0), (3, 2, -1), (42, 2, 1), (26, 2, -1), (58, 2, 1), (28, 2, -1), (60, 2, 1), (80, 2, 0),
    (81, 2, -1), (82, 2, 1), (1035, 2, -1), (2000, 2, 1), (11101, 2, -1), (11175, 2, -1), (12174, 2, 1), (1181, 2, -1),
    (2110, 2, 1), (10, 2, -1), (54, 2, 1), (4, 3, 0), (43, 3, 0), (24, 3, 0), (30, 3, 0), (63, 3, 0), (165, 4, 0),
    (258, 5, 0), (259, 6, 0), (915, 7, 0), (916, 8, 0), (914, 9, 0), (911, 5, 0), (262, 0, 0),
]  # fmt: skip
CHARM = [
    (501, 0), (502, 9), (506, 6), (507, 5), (508, 10), (509, 5), (511, 5), (512, 1), (514, 9), (515, 7), (516, 8),
    (517, 0), (520, 3), (530, 5),
]  # fmt: skip


@pytest.mark.parametrize("table", ["freesurfer", "charm"])
def test_every_family_of_freesurfer_is_known_with_its_sides(table):
    numbers = np.resize([number for number, _, _ in FREESURFER], (2, 5, 5))
    assert accepted(to_tissues, numbers, table).ravel().tolist() == [tissue for _, tissue, _ in FREESURFER]
    assert to_sides(numbers, TABLES[table]).ravel().tolist() == [side for *_, side in FREESURFER]


def test_charms_own_numbers_are_told_by_themselves():
    numbers = np.resize([number for number, _ in CHARM], (2, 2, 7))
    assert accepted(recognised, np.where(numbers == 512, 515, numbers)).table.name == "charm"
    assert accepted(to_tissues, numbers, "charm").ravel().tolist() == 2 * [tissue for _, tissue in CHARM]
    with pytest.raises(InputError, match=r"FreeSurfer.* instead found 501"):
        to_tissues(numbers, "freesurfer")


def test_no_number_is_of_both_sides_and_all_sided_numbers_are_brain():
    for table in TABLES.values():
        assert not set(table.left) & set(table.right)
        assert {table.tags[number] for number in (*table.left, *table.right)} <= {1, 2}


def test_labels_that_come_back_almost_whole_are_whole():
    assert as_labels(np.full((3, 3, 3), 41.0004), "labels").max() == 41
    for value in (0.0005, 41.002):  # a mask scaled to nothing, and what is no number of ours
        with pytest.raises(InputError, match="27 of 27 voxels"):
            as_labels(np.full((3, 3, 3), value), "labels")


def test_what_a_program_calls_a_lesion_is_told():
    image = np.full((20, 20, 20), 41)
    image[:2] = 99
    found = recognised(image, np.diag([2.0, 2, 2, 1])).findings[-1]
    assert (found.code, found.level) == ("build-labels-lesion", "warn")
    assert found.values["numbers"] == (99,)
    assert found.values["cm3"] == pytest.approx(6.4)
    assert recognised(image, np.eye(4)).findings[-1].level == "note"


def test_a_trailing_singleton_axis_and_whole_floats_are_accepted():
    assert to_tissues(np.full((3, 3, 3, 1), 41.0)).shape == (3, 3, 3)


def test_no_table_maps_to_a_tag_that_is_no_tissue():
    for table in TABLES.values():
        assert set(table.tags.values()) <= set(TABLES["simnibs"].tags)
