"""Diffusion tensors in a head: between voxels, turned with their image, checked, and made into conductivities."""

from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest
from diffusion import along_axes, fibres, oblique, random_tensors, six
from scipy.spatial.transform import Rotation
from tests_support import small_head

import neuro_field as nf
from neuro_field.arrays import transformed
from neuro_field.errors import InputError
from neuro_field.findings import Finding
from neuro_field.geometry.mesh import TetMesh
from neuro_field.head import anisotropy
from neuro_field.head.anisotropy import conducting
from neuro_field.mri import tensor_image
from neuro_field.mri.fiber_coherence import coherence_doubts
from neuro_field.mri.rigid import RigidFit
from neuro_field.mri.tensor_axes import AXES, matrices, world_from_axes
from neuro_field.mri.tensor_image import TensorImage
from neuro_field.mri.volume import Volume
from neuro_field.report.words import said

WAY = np.array([0.48, 0.6, 0.64])


def stick(along, across, way=WAY):
    return across * np.eye(3) + (along - across) * np.outer(way, way)


@lru_cache(maxsize=1)
def tiny_head():
    """A sphere of white matter, grey matter, bone and scalp; coarse."""
    head = nf.sphere_head((70, 80, 90), edge=14.0)
    deep = np.linalg.norm(head.mesh.centroids, axis=1) < 55
    return nf.HeadModel.from_mesh(TetMesh(head.mesh.nodes, head.mesh.tets, np.where(deep, 1, head.mesh.tags)))


class Given:
    """Tensors on the elements of a head, in the order of white and grey matter; no doubts."""

    def __init__(self, tensors):
        self.tensors, self.start = tensors, 0

    def at(self, points):
        out = self.tensors[self.start : self.start + len(points)]
        self.start += len(points)
        return out

    def doubts(self, head):
        return ()


def brain(head):
    return np.flatnonzero(head.region("white_matter") | head.region("grey_matter"))


def given(head, tensor):
    return Given(np.tile(tensor, (len(brain(head)), 1, 1)))


# --- images -----------------------------------------------------------------------------------------------------------


def test_between_voxels_the_logarithms_are_interpolated():
    """Arsigny 2006: of two commuting tensors the geometric mean, and the determinant never swells."""
    one, other = stick(2e-3, 0.4e-3), stick(0.5e-3, 0.4e-3)
    values = np.stack([one, other])[:, None, None].repeat(2, 1).repeat(2, 2)
    image = TensorImage(six(values), np.eye(4))
    (half,) = image.at(np.array([[0.5, 0.3, 0.6]]))
    np.testing.assert_allclose(half, stick(1e-3, 0.4e-3), rtol=1e-9)
    turned = np.stack([one, stick(2e-3, 0.4e-3, np.array([0.6, -0.8, 0.0]))])[:, None, None].repeat(2, 1).repeat(2, 2)
    (between,) = TensorImage(six(turned), np.eye(4)).at(np.array([[0.3, 0.0, 0.0]]))
    assert np.linalg.det(between) == pytest.approx(np.linalg.det(one), rel=1e-9)


def test_voxels_without_a_tensor_do_not_weigh():
    values = six(np.tile(stick(1e-3, 0.4e-3), (3, 3, 3, 1, 1)))
    values[2] = 0.0
    values[:, 2] = np.nan
    image = TensorImage(values, np.eye(4))
    found = image.at(np.array([[1.4, 0.5, 1], [1.6, 0.5, 1], [0.5, 1.4, 1], [0.5, 1.6, 1], [-0.6, 0, 0], [50, 0, 0]]))
    known = np.isfinite(found).all(axis=(1, 2))
    assert known.tolist() == [True, False, True, False, False, False]
    np.testing.assert_allclose(found[known], np.tile(stick(1e-3, 0.4e-3), (2, 1, 1)), rtol=1e-9)


def test_eigenvalues_below_a_tenth_are_raised_and_tensors_without_a_positive_one_are_none():
    values = np.zeros((3, 2, 2, 6))
    values[0], values[1], values[2] = six(np.diag([1e-3, -2e-4, 5e-5])), six(np.diag([1e-3, 4e-4, 3e-4])), -1e-3
    found = TensorImage(values, np.eye(4)).at(np.array([[0.0, 0, 0], [1, 0, 0], [2, 0, 0]]))
    np.testing.assert_allclose(found[0], np.diag([1e-3, 1e-4, 1e-4]), atol=1e-15)
    np.testing.assert_allclose(found[1], np.diag([1e-3, 4e-4, 3e-4]), atol=1e-15)
    assert np.isnan(found[2]).all()


@pytest.mark.parametrize("determinant", [1, -1])
def test_tensors_turn_with_their_image(determinant):
    affine = oblique(determinant)
    image = TensorImage(six(random_tensors((4, 4, 4))[0]), affine, axes="voxel")
    move = np.eye(4)
    move[:3, :3], move[:3, 3] = Rotation.from_euler("zyx", [25, 40, -10], degrees=True).as_matrix(), (8, -3, 20)
    moved = image.carried(move)
    places = transformed(np.random.default_rng(0).uniform(0.5, 2.5, (20, 3)), affine)
    turn = move[:3, :3]
    np.testing.assert_allclose(moved.at(transformed(places, move)), turn @ image.at(places) @ turn.T, atol=1e-12)
    np.testing.assert_allclose(moved.readings[AXES.index("voxel")], world_from_axes("voxel", moved.affine), atol=1e-6)
    np.testing.assert_allclose(moved.readings[AXES.index("world")], turn, atol=1e-12)


@pytest.mark.parametrize(
    ("mm", "code", "level"), [(0.4, "stayed", "note"), (4, "moved", "note"), (15, "moved", "warn")]
)
def test_tensors_move_to_the_t1_with_the_image_that_lies_with_them(monkeypatch, mm, code, level):
    truth = np.eye(4)
    truth[:3, :3], truth[:3, 3] = Rotation.from_euler("x", 0.5 * mm, degrees=True).as_matrix(), (mm, 0, 0)
    fit = RigidFit(truth, 0.5 * mm, float(mm), 1.1, 1.02, 0.08)
    monkeypatch.setattr(tensor_image, "register_rigid", lambda image, t1, **words: fit)
    affine = np.diag([2.0, 2, 2, 1])
    image = TensorImage(six(random_tensors((5, 5, 5))[0]), affine, image=Volume(np.zeros((5, 5, 5)), affine))
    moved = image.moved_to(Volume(np.zeros((5, 5, 5)), affine))
    (told,) = moved.findings
    assert (told.code, told.level) == (f"tensor-{code}", level)
    assert f"{told.values['moved']:.1f} mm" in said(told)
    wanted = image if code == "stayed" else image.carried(truth)
    np.testing.assert_allclose(moved.affine, wanted.affine)
    np.testing.assert_allclose(moved.values, wanted.values)
    alone = replace(image, image=None)
    assert alone.moved_to(Volume(np.zeros((5, 5, 5)), affine)) is alone


# --- whether they are the head's --------------------------------------------------------------------------------------


def head_tensors(spacing=4.0, shift=(0.0, 0.0, 0.0), white=(1.5e-3, 0.4e-3)):
    """Tensors of the phantom: sticks of one direction in its white matter, nearly alike all ways elsewhere."""
    head = small_head()
    low, high = head.mesh.nodes.min(axis=0) - 4, head.mesh.nodes.max(axis=0) + 4
    shape = tuple(np.ceil((high - low) / spacing).astype(int))
    affine = np.diag([spacing, spacing, spacing, 1.0])
    affine[:3, 3] = low
    places = transformed(np.indices(shape).reshape(3, -1).T.astype(float), affine) - shift
    inside = (((places - (0.0, -18.0, 8.0)) / (54.0, 70.0, 56.0)) ** 2).sum(axis=1) < 1
    values = np.where(inside[:, None], six(stick(*white)), six(stick(0.85e-3, 0.8e-3)))
    return TensorImage(values.reshape(*shape, 6), affine)


def codes(findings):
    return {found.code: found for found in findings}


def told_of(head):
    """What was found on the way, without what a head finds in itself, which takes seconds."""
    return codes(Finding.of_plain(row) for row in head.provenance["findings"])


def test_anisotropy_must_lie_in_the_heads_white_matter():
    assert not {"tensor-place-off", "tensor-place-unchecked"} & set(codes(head_tensors().doubts(small_head())))
    with pytest.raises(InputError, match=r"fits its white matter better moved by (12|16|20) mm"):
        head_tensors(shift=(0, 0, 15.0)).doubts(small_head())
    near = codes(head_tensors(shift=(0, 0, 4.5)).doubts(small_head()))
    assert near["tensor-place-off"].level == "warn"
    assert "4 mm away" in said(near["tensor-place-off"])


def test_anisotropy_that_shows_no_tissue_is_told():
    same = head_tensors(white=(0.85e-3, 0.8e-3)).doubts(small_head())
    assert codes(same)["tensor-place-unchecked"].level == "warn"
    assert codes(same)["tensor-axes-unchecked"].level == "warn"  # nothing has a direction


def test_tensors_that_are_not_positive_are_told_and_where_many_refused():
    image = head_tensors()
    few = np.array(image.values)
    few[::6, ::6, ::6] = six(np.diag([1e-3, 1e-3, -1e-4]))
    few[1::6, ::6, ::6] = six(np.diag([-1e-3, -1e-3, 0.0]))
    told = codes(replace(image, values=few).doubts(small_head()))["tensor-not-positive"]
    part, none, voxels = (told.values[name] for name in ("part", "none", "voxels"))
    assert part == pytest.approx(voxels / 216, rel=0.3)
    assert none == pytest.approx(voxels / 216, rel=0.3)
    many = np.array(image.values)
    many[::3] = six(np.diag([1e-3, 1e-3, -1e-4]))
    with pytest.raises(InputError, match=r"voxels of the brain hold none that is \(3\d%; 20% is allowed"):
        replace(image, values=many).doubts(small_head())


def doubts(tensors, index, affine, axes="fsl"):
    readings = np.array([world_from_axes(name, affine) for name in AXES])
    return coherence_doubts(index, six(tensors), affine, readings, axes)


def bundles(affine, changed=None):
    """Voxels in bundles and their tensors in the world, as read along FSL's axes, wrongly where these were changed."""
    index, tensors = fibres()
    turn = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    world = turn @ tensors @ turn.T
    stored = along_axes(np.swapaxes(along_axes(world, "fsl", affine), -1, -2), "fsl", affine)
    if changed is not None:
        stored = changed @ stored @ changed.T
    back = world_from_axes("fsl", affine)
    return back @ stored @ back.T, index


@pytest.mark.parametrize("determinant", [1, -1])
def test_directions_along_fibres_pass(determinant):
    affine = oblique(determinant, sizes=(2.0, 2.0, 2.0))
    (told,) = doubts(*bundles(affine), affine)
    assert told.code == "tensor-axes-checked"
    assert told.values["next"] < 0.97


@pytest.mark.parametrize("determinant", [1, -1])
@pytest.mark.parametrize(
    ("changed", "words"),
    [
        (np.diag([-1.0, 1, 1]), "with x reversed|along voxel axes"),
        (np.diag([1.0, -1, 1]), "with y reversed"),
        (np.diag([1.0, 1, -1]), "with z reversed"),
        (np.eye(3)[[1, 0, 2]], "with axes in the order yxz"),
    ],
)
def test_a_flipped_or_exchanged_axis_is_refused_and_named(determinant, changed, words):
    affine = oblique(determinant, sizes=(2.0, 2.0, 2.0))
    with pytest.raises(InputError, match=rf"times as well ({words}): the axes of the tensors or b-vectors are not"):
        doubts(*bundles(affine, changed), affine)


def test_axes_taken_for_others_are_refused_with_those_that_fit():
    affine = oblique(1, sizes=(2.0, 2.0, 2.0))
    tensors, index = bundles(affine)
    fsl, voxel = (world_from_axes(name, affine) for name in ("fsl", "voxel"))
    wrong = voxel @ fsl.T @ tensors @ fsl @ voxel.T
    with pytest.raises(InputError, match="times as well along fsl axes"):
        doubts(wrong, index, affine, axes="voxel")


def test_directions_that_tell_nothing_are_told():
    index, _ = fibres(size=(14, 14, 14))
    alike = np.tile(stick(1.5e-3, 0.4e-3, np.array([0.0, 0.0, 1.0])), (len(index), 1, 1))
    (told,) = doubts(alike, index, np.diag([-2.0, 2, 2, 1]))
    assert (told.code, told.level) == ("tensor-axes-doubtful", "warn")
    assert "not sure" in said(told)
    (told,) = doubts(alike[:200], index[:200], np.diag([-2.0, 2, 2, 1]))
    assert (told.code, told.level) == ("tensor-axes-unchecked", "warn")


# --- conductivities ---------------------------------------------------------------------------------------------------


def test_volume_normalised_tensors_keep_the_tissues_value_as_geometric_mean():
    head = tiny_head()
    out = head.with_tensors(given(head, stick(1.7, 0.3)))
    white, grey = head.region("white_matter"), head.region("grey_matter")
    values = np.linalg.eigvalsh(out.conductivity)
    np.testing.assert_allclose(np.cbrt(values.prod(axis=1)), head.conductivity, rtol=1e-12)
    np.testing.assert_allclose(values[white, 2] / values[white, 0], 1.7 / 0.3, rtol=1e-9)
    share = 1.7 / np.cbrt(1.7 * 0.3**2)
    np.testing.assert_allclose(values[grey, 2], 0.275 * share, rtol=1e-9)
    np.testing.assert_allclose(out.conductivity[white][0] @ WAY, 0.126 * share * WAY, rtol=1e-9)
    rest = ~(white | grey)
    np.testing.assert_array_equal(out.conductivity[rest], head.conductivity[rest][:, None, None] * np.eye(3))
    told = told_of(out)["tensor-used"]
    assert dict(told.values) == {"rule": "vn", "share": 1.0, "ratio": pytest.approx(1.7 / 0.3)}
    assert out.provenance["tensors"]["rule"] == "vn"


def test_direct_tensors_share_one_factor():
    """Rullmann 2009: s = sum c d / sum d^2, d the cube root of the mean product of eigenvalues in a tissue."""
    head = tiny_head()
    at = brain(head)
    white = head.region("white_matter")[at]
    tensors = np.where(white[:, None, None], stick(1.7e-3, 0.3e-3), stick(1.0e-3, 0.8e-3))
    tensors *= np.random.default_rng(2).uniform(0.8, 1.2, len(at))[:, None, None]
    out = head.with_tensors(Given(tensors), rule="dir")
    product, volumes = np.linalg.det(tensors), head.mesh.volumes[at]
    d = [np.cbrt(np.average(product[part], weights=volumes[part])) for part in (white, ~white)]
    scale = (0.126 * d[0] + 0.275 * d[1]) / (d[0] ** 2 + d[1] ** 2)
    np.testing.assert_allclose(out.conductivity[at], scale * tensors, rtol=1e-9, atol=1e-12)
    assert out.provenance["tensors"]["scale"] == pytest.approx(scale)
    mean = head.with_tensors(Given(tensors), rule="mc").conductivity
    assert mean.shape == head.conductivity.shape
    np.testing.assert_allclose(mean[at], scale * np.cbrt(product), rtol=1e-9)
    np.testing.assert_array_equal(np.delete(mean, at), np.delete(head.conductivity, at))


def test_the_unit_of_diffusivities_does_not_matter():
    head = tiny_head()
    for rule in anisotropy.RULES:
        one, other = (head.with_tensors(given(head, unit * stick(1.7, 0.3)), rule=rule) for unit in (1.0, 1e-3))
        np.testing.assert_allclose(one.conductivity, other.conductivity, rtol=1e-9, atol=1e-15)


def test_ratios_and_sizes_are_limited_and_told():
    head = tiny_head()
    out = head.with_tensors(given(head, stick(1.7, 0.01)))
    values = np.linalg.eigvalsh(out.conductivity[brain(head)])
    np.testing.assert_allclose(values[:, 2] / values[:, 0], 10.0, rtol=1e-9)
    np.testing.assert_allclose(np.cbrt(values.prod(axis=1)), head.conductivity[brain(head)], rtol=1e-9)
    told = told_of(out)["tensor-limited"]
    assert dict(told.values) == {"raised": pytest.approx(1.0), "capped": 0.0, "ratio": 10.0, "most": 2.0}
    assert told.level == "warn"
    tensors = np.tile(stick(0.9, 0.7), (len(brain(head)), 1, 1))
    tensors[:3] *= 15
    out = head.with_tensors(Given(tensors), rule="dir")
    assert np.linalg.eigvalsh(out.conductivity[brain(head)]).max() <= 2.0 * (1 + 1e-12)
    told = told_of(out)["tensor-limited"]
    share = head.mesh.volumes[brain(head)][:3].sum() / head.mesh.volumes[brain(head)].sum()
    assert told.values["capped"] == pytest.approx(share)


def test_what_no_tensor_is_known_of_and_lesions_conduct_alike_all_ways():
    head = tiny_head()
    left = head.mesh.centroids[:, 0] < -30
    tags = np.where(left & head.region("white_matter"), 21, head.mesh.tags)
    head = nf.HeadModel.from_mesh(TetMesh(head.mesh.nodes, head.mesh.tets, tags))
    at = brain(head)
    tensors = np.tile(stick(1.7, 0.3), (len(at), 1, 1))
    bare = head.mesh.centroids[at][:, 2] > 50
    tensors[bare] = np.nan
    out = head.with_tensors(Given(tensors))
    alike = np.concatenate([at[bare], np.flatnonzero(head.region("lesion"))])
    np.testing.assert_array_equal(out.conductivity[alike], head.conductivity[alike][:, None, None] * np.eye(3))
    told = told_of(out)["tensor-none-there"]
    lost = head.mesh.volumes[at[bare]].sum()
    assert told.values["white_cm3"] + told.values["grey_cm3"] == pytest.approx(lost / 1e3)
    assert told.values["share"] == pytest.approx(lost / head.mesh.volumes[at].sum())
    assert told.level == ("warn" if told.values["share"] > 0.05 else "note")


def _asymmetric(tensors):
    tensors[:3, 0, 1] += 0.3


def _not_a_number(tensors):
    tensors[:3, 2, 2] = np.nan


def _negative(tensors):
    tensors[:3] *= -1


def _none(tensors):
    tensors[:] = np.nan


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (_asymmetric, "symmetric and finite; instead 3 of"),
        (_not_a_number, "symmetric and finite; instead 3 of"),
        (_negative, "must be positive; instead 3 of"),
        (_none, "none of its elements has one"),
    ],
)
def test_tensors_that_are_none_are_refused(change, words):
    head = tiny_head()
    tensors = np.tile(stick(1.7, 0.3), (len(brain(head)), 1, 1))
    change(tensors)
    with pytest.raises(InputError, match=words):
        head.with_tensors(Given(tensors))


def test_a_head_that_has_tensors_gets_no_others():
    head = tiny_head()
    out = head.with_tensors(given(head, stick(1.7, 0.3)))
    with pytest.raises(InputError, match="have a tensor already"):
        out.with_tensors(given(head, stick(1.7, 0.3)))
    plain = out.with_conductivity({"white_matter": 0.126, "grey_matter": 0.275})
    again = plain.with_tensors(given(head, stick(1.7, 0.3)))
    np.testing.assert_allclose(again.conductivity, out.conductivity, rtol=1e-12)
    assert [row["code"] for row in again.provenance["findings"]].count("tensor-used") == 1
    with pytest.raises(InputError, match="rule of diffusion tensors must be one of vn, dir, mc"):
        head.with_tensors(given(head, stick(1.7, 0.3)), rule="vm")


def test_blocks_of_elements_do_not_show(monkeypatch):
    head = tiny_head()
    tensors = matrices(six(random_tensors((len(brain(head)),))[0]))
    whole = conducting(head.mesh, head.conductivity, Given(tensors), "vn").conductivity
    monkeypatch.setattr(anisotropy, "_BLOCK", 777)
    np.testing.assert_array_equal(conducting(head.mesh, head.conductivity, Given(tensors), "vn").conductivity, whole)
