"""Targets from masks, labels and coordinates, of both sides and of the other one; the axis across a sulcus."""

from dataclasses import replace

import nibabel
import numpy as np
import pytest
from tests_support import small_head
from tiny_study import LESION, tiny_head

import neuro_field as nf
from neuro_field.aim.aims import at_mni, homologous, joint, labelled, masked
from neuro_field.aim.sulcus import sulcal_axis
from neuro_field.commands.targets import direction_form, region_forms, target_form
from neuro_field.geometry.mesh import TetMesh
from neuro_field.reciprocity.response import response
from neuro_field.search.areas import of_areas

#: Voxels of 2 mm that hold the whole head, turned and shifted.
AFFINE = np.array([[-2.0, 0, 0, 100], [0, 0, 2, -110], [0, 2, 0, -100], [0, 0, 0, 1]])
SHAPE = (100, 100, 110)


def ball_mask(center, radius):
    voxels = np.stack(np.meshgrid(*[np.arange(n) for n in SHAPE], indexing="ij"), axis=-1)
    points = voxels @ AFFINE[:3, :3].T + AFFINE[:3, 3]
    return np.linalg.norm(points - center, axis=-1) <= radius


@pytest.fixture(scope="module")
def head():
    return small_head()


def test_a_mask_of_a_ball_is_nearly_that_ball(head):
    center = np.array([40.0, -20.0, 52.0])
    drawn, exact = masked(head, ball_mask(center, 8.0), AFFINE), nf.Target.ball(head, center, 8.0)
    shared = np.intersect1d(drawn.elements, exact.elements)
    assert len(shared) > 0.75 * max(len(drawn.elements), len(exact.elements))
    assert head.region("grey_matter")[drawn.elements].all()
    assert drawn.weights.sum() == pytest.approx(1)
    assert np.linalg.norm(drawn.center - exact.weights @ head.mesh.centroids[exact.elements]) < 1.0
    assert drawn.viable_share == 1


def test_masks_in_mni_space_go_through_the_heads_mapping(head):
    shifted = replace(head, mapping=replace(head.mapping, mni_from_head=np.eye(4) + np.eye(4, k=3) * 10.0))
    center = np.array([40.0, -20.0, 52.0])
    there = masked(shifted, ball_mask(center + np.array([10.0, 0, 0]), 8.0), AFFINE, space="mni")
    here = masked(head, ball_mask(center, 8.0), AFFINE)
    assert np.linalg.norm(there.center - here.center) < 0.7  # voxels of 2 mm


@pytest.mark.parametrize(
    ("mask", "affine", "says"),
    [
        (np.zeros(SHAPE), AFFINE, "empty"),
        (np.ones(SHAPE), AFFINE + np.eye(4, k=3) * 1000, "outside the head"),
        (np.ones(SHAPE), np.zeros((4, 4)), "singular"),
        (np.ones((3, 3)), AFFINE, r"\(i, j, k\)"),
        (ball_mask((40, -20, 52), 8.0), np.full((4, 4), np.nan), "finite"),
    ],
)
def test_bad_masks_are_refused_in_one_line(head, mask, affine, says):
    with pytest.raises(nf.InputError, match=says) as caught:
        masked(head, mask, affine)
    assert "\n" not in str(caught.value)


def test_a_mask_in_the_lesion_is_refused_with_its_figures():
    with pytest.raises(nf.InputError, match=r"cm3 of them in the lesion"):
        masked(tiny_head(), ball_mask(LESION[0], 8.0), AFFINE)


def test_a_mask_half_lost_tells_how_much_is_viable():
    half = masked(tiny_head(), ball_mask(np.array(LESION[0]) + np.array([0, LESION[1], 0]), 10.0), AFFINE)
    assert 0.2 < half.viable_share < 0.9


def test_labels_are_masks_by_value(head):
    labels = 3 * ball_mask((40, -20, 52), 8.0) + 5 * ball_mask((-40, -20, 52), 8.0)
    right, left = (labelled(head, labels, AFFINE, value, space="head") for value in (3, 5))
    assert right.center[0] > 20
    assert left.center[0] < -20
    with pytest.raises(nf.InputError, match="holds 0, 3, 5"):
        labelled(head, labels, AFFINE, 7)


def test_a_coordinate_is_searched_for_as_a_name_is(head):
    named = nf.Target.named(head, "m1-hand", "left")
    typed = at_mni(head, named.seed_mni)
    assert np.array_equal(typed.elements, named.elements)
    assert typed.moved == named.moved
    assert typed.side == "left"


def test_the_other_side_is_the_other_side(head):
    named = nf.Target.named(head, "m1-leg", "left")
    other = homologous(head, named)
    assert (other.name, other.side) == ("m1-leg", "right")
    assert other.seed_mni.tolist() == [8, -34, 71]  # its own published seed, not the mirrored one
    ball = nf.Target.ball(head, (40, -20, 52), 6.0)
    mirrored = homologous(head, ball)
    assert mirrored.center[0] < -20
    assert np.allclose(mirrored.seed, [-40, -20, 52])


def test_two_targets_are_joined_with_half_the_weight_each(head):
    left, right = nf.Target.named(head, "m1-leg", "left"), nf.Target.named(head, "m1-leg", "right")
    both = joint(left, right)
    assert both.weights.sum() == pytest.approx(1)
    assert both.weights[: len(left.elements)].sum() == pytest.approx(0.5)
    assert both.side is None
    assert both.part_names == ("left", "right")
    assert both.radius == left.radius
    assert np.array_equal(both.centers, [left.center, right.center])
    assert both.distances(np.array([left.center, right.center])).max() == 0
    with pytest.raises(nf.InputError, match="same current direction"):
        joint(left, replace(right, direction=(1.0, 0, 0)))


@pytest.mark.parametrize("moved", ["left", "right"])
def test_areas_of_one_site_keep_its_name_and_say_when_one_lies_beside_it(head, moved):
    """As after a stroke of one leg area; what is found of such a target can be told."""
    areas = {side: nf.Target.named(head, "m1-leg", side) for side in ("left", "right")}
    areas[moved] = replace(areas[moved], name="near:m1-leg")
    both = joint(*areas.values())
    assert (both.name, both.site) == ("near:m1-leg", "m1-leg")
    rng = np.random.default_rng(3)
    field = UnevenField(rng.normal(size=(len(head.mesh.tets), 3)))
    field.didt = 1e6
    assert of_areas(both, field)[0].values["site"] == "near:m1-leg"
    strangers = joint(areas["left"], replace(areas["right"], name="m1-hand"))
    assert of_areas(strangers, field)[0].values["site"].endswith("+m1-hand")


def test_targets_that_overlap_are_refused_with_what_they_share(head):
    """As after a stroke of one leg area, whose target has moved into the other hemisphere's."""
    right = nf.Target.named(head, "m1-leg", "right")
    moved = replace(right, side="left", moved=9.2)
    count = len(right.elements)
    with pytest.raises(nf.InputError, match=rf"left m1-leg at .*moved 9.2 mm.* hold the same {count} elements"):
        joint(moved, right)


class UnevenField:
    """A field in which each element has an |E| and a direction of its own."""

    def __init__(self, values):
        self._values = values

    def recovered(self, elements):
        return self._values[elements]


@pytest.mark.parametrize("weaker", ["left", "right"])
def test_what_a_joint_target_measures_is_that_of_its_weaker_area(head, weaker):
    left, right = nf.Target.named(head, "m1-leg", "left"), nf.Target.named(head, "m1-leg", "right", radius=6.0)
    both = joint(left, right)
    rng = np.random.default_rng(3)
    values = rng.normal(size=(len(head.mesh.tets), 3))
    values[(left if weaker == "left" else right).elements] *= 0.5
    field = UnevenField(values)
    means = [left.magnitude(field), right.magnitude(field)]
    assert both.part_means(field) == pytest.approx(means)
    assert both.magnitude(field) == both.mean(field) == pytest.approx(min(means))
    assert min(means) == means[("left", "right").index(weaker)]
    along = [replace(target, direction=(1.0, 0, 0), either_way=True) for target in (left, right)]
    assert joint(*along).mean(field) == pytest.approx(min(target.mean(field) for target in along))


@pytest.mark.parametrize("wanted", [None, (1.0, 0.0, 0.0)], ids=["|E|", "along"])
def test_a_response_ranks_two_areas_by_the_weaker_one(head, wanted):
    """As each area's own response says, with an axis and without, under poses that favour either."""
    coil, solver = nf.load_coil("figure8-ideal"), nf.Solver(head)
    areas = [
        replace(nf.Target.named(head, "m1-leg", side), direction=wanted, either_way=wanted is not None)
        for side in ("left", "right")
    ]
    top = nf.Placement.on(head.scalp, above=(0.0, -20.0, 90.0), handle_towards=(0.0, -90.0, 90.0), coil=coil)
    poses = [top.moved(along_x=shift, turned=turn) for shift in (-25.0, 25.0) for turn in (0.0, 40.0)]
    both, *alone = (response(solver, coil, target, poses) for target in (joint(*areas), *areas))
    stack = np.stack([pose.head_from_coil for pose in poses])
    each = np.array([one.strengths(stack) for one in alone])
    assert set(each.argmin(axis=0)) == {0, 1}
    assert both.strengths(stack) == pytest.approx(each.min(axis=0), rel=5e-3)


@pytest.mark.parametrize(
    "wrong",
    [
        {"parts": None},
        {"parts": np.zeros(3, dtype=int)},
        {"part_names": ("left",)},
        {"part_centers": np.zeros((1, 3))},
    ],
)
def test_areas_that_do_not_fit_their_elements_are_refused(head, wrong):
    both = joint(*(nf.Target.named(head, "m1-leg", side) for side in ("left", "right")))
    with pytest.raises(nf.InputError, match="one of the areas"):
        replace(both, **wrong)


def folded_slab(turn):
    """Grey matter with one straight sulcus of fluid cut into it, turned about z."""
    steps = np.arange(-20.0, 20.1, 2.5)
    points = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1).reshape(-1, 3)
    n = len(steps)
    index = np.arange(n**3).reshape(n, n, n)
    corner = index[:-1, :-1, :-1].ravel()
    i, j, k = n * n, n, 1
    paths = [(i, j, k), (j, k, i), (k, i, j), (j, i, k), (i, k, j), (k, j, i)]  # Kuhn's six tetrahedra of a cube
    tets = np.concatenate(
        [np.stack([corner, corner + a, corner + a + b, corner + a + b + c], axis=1) for a, b, c in paths]
    )
    volumes = np.linalg.det(points[tets[:, 1:]] - points[tets[:, :1]])
    tets[volumes < 0] = tets[volumes < 0][:, [0, 1, 3, 2]]
    middle = points[tets].mean(axis=1)
    tags = np.where((np.abs(middle[:, 0]) < 2.5) & (middle[:, 2] > -5), 3, np.where(middle[:, 2] > 12.5, 5, 2))
    c, s = np.cos(turn), np.sin(turn)
    return nf.HeadModel.from_mesh(TetMesh(points @ np.array([[c, s, 0], [-s, c, 0], [0, 0, 1.0]]), tets, tags))


@pytest.mark.parametrize("degrees", [0.0, 30.0, 75.0])
def test_the_axis_across_a_straight_sulcus_is_found(degrees):
    turn = np.radians(degrees)
    found = sulcal_axis(folded_slab(turn), (0.0, 0.0, 4.0))
    assert abs(found.axis @ [np.cos(turn), np.sin(turn), 0]) > 0.99
    assert found.distinct > 0.8


def test_no_axis_is_told_where_there_is_none():
    with pytest.raises(nf.InputError, match="No outer surface"):
        sulcal_axis(nf.sphere_head((78, 81, 87, 92), edge=9.0), (0, 0, 20.0))
    with pytest.raises(nf.InputError, match="no sulcal wall"):
        sulcal_axis(tiny_head(), (0.0, 0.0, 80.0))


def test_targets_are_read_as_people_type_them(head, tmp_path):
    path = tmp_path / "roi.nii.gz"
    nibabel.save(nibabel.Nifti1Image(4 * ball_mask((40, -20, 52), 8.0).astype(np.int16), AFFINE), path)
    drawn = target_form(f"mask:{path}")(head)
    assert drawn.name == "roi"
    assert np.array_equal(target_form(f"label:{path}:4")(head).elements, drawn.elements)
    assert target_form("left:m1-hand")(head).side == "left"
    assert np.allclose(target_form("head:40,-20,52", radius=8)(head).center, [40, -20, 52])
    assert target_form("mni:-37,-21,58")(head).side == "left"
    assert [region.name for region in region_forms(["dlpfc"])(head)] == ["left dlpfc", "right dlpfc"]
    assert direction_form("0,1,0")(head, drawn).signed
    assert direction_form("none")(head, drawn).direction is None


@pytest.mark.parametrize(
    "text", ["m1-hand", "head:1,2", "mni:a,b,c", "label:x.nii", "mask:none.nii.gz", "left:nose", ""]
)
def test_other_texts_are_refused_in_one_line(head, text):
    with pytest.raises(nf.InputError) as caught:
        target_form(text)(head)
    assert "\n" not in str(caught.value)
