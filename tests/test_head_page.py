"""The page for checking a head: what it shows is the head's, on the right side, and it warns."""

import base64
import io
import re
from html import unescape

import numpy as np
import pytest
from phantoms import phantom_labels
from PIL import Image as Picture

from neuro_field.aim.target import Target
from neuro_field.geometry.mesh import TetMesh
from neuro_field.head.mapping import AffineMapping
from neuro_field.head.model import HeadModel
from neuro_field.io.images import Image
from neuro_field.mri.build import build_prepared, prepare_labels
from neuro_field.mri.volume import Volume
from neuro_field.report.directions import point_words
from neuro_field.report.head_page import head_page
from neuro_field.report.mosaic import BEYOND, MARK, SLICES, heights_of, mosaic
from neuro_field.report.opengl import PictureError
from neuro_field.report.sentences import head_lines
from neuro_field.report.slices import OPENING, slice_pictures
from neuro_field.store.heads import write_head

MAPPING = AffineMapping(np.eye(4), "the phantom lies in MNI space")


@pytest.fixture(scope="module")
def ready():
    labels, affine = phantom_labels(4.0)
    world = np.moveaxis(np.indices(labels.shape), 0, -1) @ affine[:3, :3].T + affine[:3, 3]
    return prepare_labels(labels, affine, np.linalg.norm(world - [-35, -18, 40], axis=-1) < 18)


@pytest.fixture(scope="module")
def head(ready):
    return build_prepared(ready, 8.0, mapping=MAPPING, name="phantom")


@pytest.fixture(scope="module")
def page(head, ready):
    labels = Volume(ready.labels, ready.affine)
    return head_page(head, labels=labels, t1=Volume(ready.labels * 10, ready.affine), no_picture="not asked for")


def test_the_page_asks_nothing_of_any_network_and_carries_the_disclaimer(page):
    assert not re.findall(r'(?:src|href)="(?!data:)', page)
    assert "Not a medical device" in page


def test_volumes_of_labels_and_mesh_stand_side_by_side_and_large_differences_are_told(page, head):
    assert f"{head.tissue_volumes['grey_matter']:.1f}" in page
    assert f"{head.provenance['label_volumes_cm3']['grey_matter']:.1f}" in page
    warned = re.findall(r"<li>The mesh holds \d+ % (?:less|more) (\w+ \w+|\w+) than the labels", page)
    expected = {
        {"csf": "CSF"}.get(name, name.replace("_", " "))
        for name, cm3 in head.provenance["label_volumes_cm3"].items()
        if abs(head.tissue_volumes[name] / cm3 - 1) > 0.05
    }
    assert set(warned) == expected
    assert expected


def test_agreement_is_that_of_places_not_of_elements(page):
    rows = dict(re.findall(r"<tr><td>([a-z ]+)</td>.*?%</td><td class=\"number\">([\d.]+)</td>", page))
    # edges of 8 mm on shells of 5 mm and more, drawn at 4 mm
    assert float(rows["white matter"]) > 0.93
    assert float(rows["scalp"]) > 0.9
    assert all(0.6 < float(share) < 1 for share in rows.values())


def test_the_lesion_the_targets_it_took_and_the_cleaning_are_shown(page):
    assert "<td>left</td>" in page
    assert "Lesion and targets" in page
    hand = re.search(r"m1-hand[^<]*</td><td>[^<]*, (\d+) % lost</td><td>[^<]*, (\d+) % lost</td>", page)
    assert int(hand[1]) > 0
    assert int(hand[2]) == 0
    assert "What cleaning changed" in page


def test_slices_show_the_patients_left_on_the_left():
    labels = np.zeros((40, 40, 40), dtype=np.uint8)
    labels[5:35, 5:35, 5:35] = 5
    t1 = np.where(labels > 0, 10.0, 0.0)
    t1[6:12, 10:30, 10:30] = 200.0  # bright on the low-x side, the patient's left
    affine = np.eye(4)
    affine[:3, 3] = -20
    made = slice_pictures(Volume(labels, affine), Volume(t1, affine), np.zeros(3), None)
    for plane in ("axial", "coronal"):
        shown = np.asarray(Picture.open(io.BytesIO(made[plane])).convert("L"), dtype=float)
        middle = shown[shown.shape[0] // 3 : 2 * shown.shape[0] // 3]
        left, right = np.array_split(middle, 2, axis=1)
        assert (left > 180).sum() > 4 * (right[:, : right.shape[1] * 3 // 4] > 180).sum()


def test_a_flipped_image_is_shown_the_same_way(ready):
    flipped = ready.affine @ np.diag([-1.0, 1, 1, 1])
    flipped[:3, 3] = ready.affine[:3, 3] + ready.affine[:3, 0] * (ready.labels.shape[0] - 1)
    focus = np.array([-35.0, -18, 40])
    one = slice_pictures(Volume(ready.labels, ready.affine), None, focus, MAPPING)
    two = slice_pictures(Volume(ready.labels[::-1], flipped), None, focus, MAPPING)
    assert one == two


def test_a_head_without_images_or_mapping_still_has_a_page(head):
    from dataclasses import replace

    made = head_page(replace(head, mapping=None), no_picture="not asked for")
    assert "no label image" in made
    assert "This head has no map to MNI" in made
    assert "MNI152 brain" not in made
    assert "lesion&#39;s side are not known" not in made  # the fissure tells it


def test_the_folder_of_a_head_holds_the_page_also_where_nothing_can_be_drawn(head, ready, tmp_path, monkeypatch):
    labels = Image(ready.labels, ready.affine, tmp_path / "labels.nii.gz")
    write_head(head, tmp_path / "HEAD", labels=labels)
    page = (tmp_path / "HEAD/qc.html").read_text()
    picture = re.search(r'alt="The head in 3D" src="data:image/png;base64,([^"]+)"', page)
    shown = np.asarray(Picture.open(io.BytesIO(base64.b64decode(picture[1]))).convert("RGB"))
    assert len(np.unique(shown.reshape(-1, 3), axis=0)) > 1000

    def none(head, face=None):
        raise PictureError("no OpenGL here")

    monkeypatch.setattr("neuro_field.store.heads.head_picture", none)
    write_head(head, tmp_path / "HEAD2", labels=labels)
    assert "no OpenGL here" in (tmp_path / "HEAD2/qc.html").read_text()


def test_a_conductivity_that_was_changed_is_not_given_the_standard_source(head):
    made = head_page(head.with_conductivity({"bone": 0.02}), no_picture="not asked for")
    row = re.search(r"<tr><td>bone</td>.*?</tr>", made)[0]
    assert "0.020" in row
    assert "set for this head" in row


def test_what_is_found_of_a_head_is_looked_at_first(head):
    """On the page and on the terminal; a head that nothing is found of warns of nothing more."""
    for side in ("left", "right"):
        mirror = np.diag([-1.0 if side == "left" else 1.0, 1.0, 1.0])
        flap = np.linalg.norm(head.mesh.centroids @ mirror - [60.0, 0.0, 45.0], axis=1) < 35
        tags = np.where(flap & head.region("skull"), 5, head.mesh.tags)
        opened = HeadModel.from_mesh(TetMesh(head.mesh.nodes, head.mesh.tets, tags), mapping=MAPPING)
        told = f"the skull is open over .* on the {side}"
        assert re.search(told, head_page(opened, no_picture="not asked for"), flags=re.IGNORECASE)
        assert any(re.search(told, line, flags=re.IGNORECASE) for line in head_lines(opened))
    assert "skull is open" not in head_page(head, no_picture="not asked for")


def test_targets_are_ringed_where_they_lie_on_the_slices_through_lesion_and_targets():
    values = np.zeros((50, 50, 50), dtype=np.uint8)
    values[5:45, 5:45, 5:45] = 2
    affine = np.diag([4.0, 4.0, 4.0, 1.0])
    affine[:3, 3] = -100
    labels, none = Volume(values, affine), np.zeros((0, 3))
    lesion = np.array([[-30.0, -10.0, 20.0], [-30.0, -10.0, 31.0], [-30.0, -10.0, 45.0]])
    left, right, hole = np.array([-40.0, -20.0, 10.0]), np.array([40.0, 30.0, 60.0]), np.array([[50.0, 0.0, 75.0]])
    heights = heights_of(lesion, np.array([left, right]), none)
    assert (heights[0], heights[-1], len(heights)) == (10.0 - BEYOND, 60.0 + BEYOND, SLICES)
    assert 31.0 in heights  # through the lesion's middle

    def marked(targets, openings, colour):
        """Rightwards and downwards in panels, where a colour is seen."""
        drawn = np.asarray(Picture.open(io.BytesIO(mosaic(labels, None, lesion, targets, openings))).convert("RGB"))
        wanted = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
        rows, columns = np.nonzero(np.abs(drawn.astype(int) - wanted).sum(axis=2) < 60)
        return 4 * columns / drawn.shape[1], 3 * rows / drawn.shape[0]

    assert not len(marked({}, none, MARK)[0])
    assert not len(marked({1: left}, none, OPENING)[0])
    for targets, openings, colour, place in (
        ({1: left}, none, MARK, left), ({2: right}, none, MARK, right), ({1: left}, hole, OPENING, hole[0]),
    ):  # fmt: skip
        heights = heights_of(lesion, np.array(list(targets.values())), openings)
        row, column = divmod(np.abs(heights - place[2]).argmin(), 4)
        x, y = marked(targets, openings, colour)
        assert set(x.astype(int)) == {column}  # on the nearest slice alone
        assert set(y.astype(int)) == {row}
        assert np.sign(np.mean(x) - column - 0.5) == np.sign(place[0])  # the patient's left is on the left


def test_the_table_of_targets_tells_place_number_and_what_is_left(page, head):
    target = Target.named(head, "m1-leg", "right")
    row = re.search(r"<tr><td>m1-leg: .*?</tr>", page)[0]
    assert f"4: {point_words(target.center, 0)}, {100 * (1 - target.viable_share):.0f} % lost" in unescape(row)
    far = re.search(r"<tr><td>m1-hand: .*?</tr>", page)[0]
    moved = Target.named(head, "m1-hand", "left")
    assert (f"{moved.moved:.0f} mm from it" in far) == (moved.name != "m1-hand")
    whole = head_page(head.without_lesion(), no_picture="not asked for")
    assert "lost" not in re.search(r"<tr><td>m1-leg: .*?</tr>", whole)[0]
