"""Label tables: every family is recognised by its own numbers, and doubt is refused."""

import numpy as np
import pytest
from phantoms import phantom_labels

from neuro_field.errors import InputError, UnknownNameError
from neuro_field.mri.labels import TABLES, label_table, to_tissues


def test_tissue_tags_pass_through_unchanged():
    labels, _ = phantom_labels(8.0, eyes=True)
    assert label_table(labels).name == "simnibs"
    np.testing.assert_array_equal(to_tissues(labels), labels)


def test_samseg_numbers_become_the_tissues_they_name():
    numbers = [0, 2, 41, 7, 46, 16, 3, 42, 8, 47, 10, 49, 28, 60, 4, 43, 24, 72, 165, 258, 259]
    expected = [0, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 3, 3, 3, 3, 4, 5, 6]
    image = np.zeros((7, 3, 2), dtype=np.int32)
    image.reshape(-1)[: len(numbers)] = numbers
    assert label_table(image).name == "freesurfer"
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
    with pytest.raises(UnknownNameError, match="simnibs, freesurfer"):
        to_tissues(image, table="fsl")


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


def test_a_trailing_singleton_axis_and_whole_floats_are_accepted():
    assert to_tissues(np.full((3, 3, 3, 1), 41.0)).shape == (3, 3, 3)


def test_no_table_maps_to_a_tag_that_is_no_tissue():
    for table in TABLES.values():
        assert set(table.tags.values()) <= set(TABLES["simnibs"].tags)
