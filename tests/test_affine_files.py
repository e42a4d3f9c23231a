"""Affine maps of other programs: read whatever their form, and used in the direction that fits the head."""

import json

import doors
import numpy as np
import pytest
from scipy.io import savemat
from tests_support import accepted

from neuro_field.errors import FileFormatError, InputError
from neuro_field.head.mapping import AffineMapping
from neuro_field.io.affine_files import read_affine
from neuro_field.mri.given_mapping import given_mapping

LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
MATRIX = doors.turned("z", 12) @ doors.scaled(1.05, 0.97, 1.02) @ doors.shifted(5, -7, 9)


def itk(matrix, center=(3.0, -4.0, 5.0)):
    """The twelve numbers of ITK about a centre."""
    lps, center = LPS @ matrix @ LPS, np.array(center)
    return [*lps[:3, :3].ravel(), *(lps[:3, 3] - center + lps[:3, :3] @ center)], center


@pytest.fixture
def files(tmp_path):
    numbers, center = itk(MATRIX)
    written = "\n".join(" ".join(f"{x:.12f}" for x in row) for row in MATRIX)
    (tmp_path / "plain.txt").write_text(written)
    (tmp_path / "comma.csv").write_text(written.replace(" ", ", "))
    (tmp_path / "bom.txt").write_text("\ufeff" + written, encoding="utf-8")
    (tmp_path / "card.json").write_text(json.dumps({"mapping": {"mni_from_head": MATRIX.tolist(), "source": "x"}}))
    (tmp_path / "bare.json").write_text(json.dumps({"mni_from_head": MATRIX.tolist()}))
    (tmp_path / "itk.tfm").write_text(
        "#Insight Transform File V1.0\n#Transform 0\nTransform: AffineTransform_double_3_3\n"
        f"Parameters: {' '.join(map(repr, map(float, numbers)))}\n"
        f"FixedParameters: {' '.join(map(repr, map(float, center)))}\n"
    )
    rows = {"AffineTransform_double_3_3": np.reshape(numbers, (12, 1)), "fixed": np.reshape(center, (3, 1))}
    savemat(tmp_path / "ants.mat", rows, format="4")
    return tmp_path


def test_each_form_of_the_same_map_is_read(files):
    for path in sorted(files.iterdir()):
        np.testing.assert_allclose(read_affine(path), MATRIX, atol=1e-9, err_msg=path.name)


def test_what_is_no_map_is_refused_in_one_line(tmp_path):
    singular = np.diag([1.0, 1.0, 0.0, 1.0])
    bad = {
        "few.txt": "1 2 3",
        "words.txt": "one two " * 8,
        "singular.txt": " ".join(map(str, singular.ravel())),
        "nan.txt": " ".join(["nan"] * 16),
        "row.txt": " ".join(map(str, np.arange(16.0))),
        "list.json": "[1]",
        "other.json": '{"a": 1}',
        "half.tfm": "#Insight Transform File V1.0\nParameters: 1 2\n",
        "ants.mat": "\u00ff\u00fe" * 100,
    }
    for name, text in bad.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
        with pytest.raises(FileFormatError, match=name) as caught:
            read_affine(tmp_path / name)
        assert "\n" not in str(caught.value)
    with pytest.raises(InputError, match="does not exist"):
        read_affine(tmp_path / "none.txt")


@pytest.mark.parametrize("inverted", [False, True])
def test_the_direction_of_a_map_is_told_by_where_it_brings_the_brain(inverted):
    scene = doors.colin27(4).moved(doors.shifted(12, -20, 30))
    mni_from_head = np.linalg.inv(scene.world)
    matrix = scene.world if inverted else mni_from_head
    found = accepted(given_mapping, matrix, "x.txt", scene.labels, scene.affine)
    np.testing.assert_allclose(found.mni_from_head, mni_from_head, atol=1e-9)
    assert isinstance(found, AffineMapping)
    assert ("inverted" in found.source) == inverted


@pytest.mark.parametrize("matrix", [doors.shifted(60, 0, 0), doors.flipped(0), doors.flipped(0, 1)])
def test_a_map_that_fits_in_no_direction_is_refused(matrix):
    scene = doors.colin27(4)
    with pytest.raises(InputError, match=r"white matter onto MNI's.*fsl2ras"):
        given_mapping(matrix, "x.txt", scene.labels, scene.affine)
