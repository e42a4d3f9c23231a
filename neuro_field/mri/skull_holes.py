"""Openings of the skull in labels, and in the T1 where a segmenter drew bone that is not there.

A segmenter made for whole heads closes a craniectomy with bone: its prior says that there is some.  Bone is dark in a
T1, and every ray out of the head crosses at least one dark table of it, however bright the marrow between: where all of
what is called bone is as bright as soft tissue, there is none.  Areas are judged, not single rays.
"""

import numpy as np
from scipy import ndimage
from scipy.spatial import cKDTree

from neuro_field.arrays import BoolArray, FloatArray, IntArray, read_only, transformed
from neuro_field.geometry.voxels import voxel_sizes
from neuro_field.head.openings import BASE, LEAST, Opening
from neuro_field.head.tissues import tags_of
from neuro_field.mri.labels import Labels
from neuro_field.mri.regions import AIR, EVERY_NEIGHBOUR, EYES, SKULL, inside_dura, mask_of, outside_air
from neuro_field.mri.volume import Volume
from neuro_field.nouns import noun

#: How far the brain's middle must lie above the head's, mm, to tell how the head is tilted, and the most it is,
#: radians.
_TELLING, _MOST_TILTED = 4.0, np.radians(45)

#: Rays go out this far from the dura, mm: what is not in the open air by then is not the vault.
REACH = 32.0

#: Bone thicker than this, mm, over an opening is not taken away.
THICKEST = 20.0

#: Places along a ray, mm from the dura, and what stands for the open air there.
_STEPS = np.arange(0.25, REACH, 0.5)
_OPEN_AIR = 255

#: Width of the Gaussian over which neighbouring rays are judged together, mm.
TOGETHER = 3.0

#: Width of the Gaussian that takes the noise from a T1 before its darkest voxel is looked for, mm.
NOISE = 0.6

#: What is called bone is none where its darkest part is brighter than this share of the way from bone to grey matter.
#: 0.3 tells it from fluid as well, for a segmenter may draw its bone in the fluid under the flap; in Colin27's skull
#: 99 % of rays stay below 0.15.
AS_SOFT_TISSUE = 0.3

#: An opening found so reaches as far as this share, which the segmenter's bone in the fluid still exceeds, or as far as
#: the brightest in a hundred rays through bone at least so far from any opening, mm: in large voxels thin bone is mixed
#: with what lies beside it, and would be taken into an opening next to it.
AS_FLUID = 0.18
AWAY, BRIGHTEST = 25.0, 99

#: Images are brighter near some coils than near others: the width over which that is evened out, mm, and by how much.
EVEN_OVER, MOST_UNEVEN = 25.0, (0.5, 2.0)

#: Bone that is not darker than this share of grey matter is not seen in an image: it is no T1, or has no contrast.
LEAST_CONTRAST = 0.6


@noun
class Hole:
    """An opening of the skull in an image.

    Parameters
    ----------
    opening : Opening
        Area and middle.
    source : {"labels", "t1"}
        Where most of it is seen: no bone is drawn there, or the T1 shows that what is drawn is none.
    voxels : (v, 3) array
        Those just outside the dura.
    points : (v, 3) array
        Their places, mm.
    """

    opening: Opening
    source: str
    voxels: IntArray
    points: FloatArray


@noun
class _Dura:
    """The dura over the vault, face by face of its voxels.

    ``voxels`` (f, 3) just outside each face, ``points`` (f, 3) mm, ``normals`` (f, 3) outwards, ``areas`` (f,) cm2 of
    the smooth surface, not of its steps.
    """

    voxels: IntArray
    points: FloatArray
    normals: FloatArray
    areas: FloatArray

    def of(self, chosen: BoolArray) -> "_Dura":
        return _Dura(self.voxels[chosen], self.points[chosen], self.normals[chosen], self.areas[chosen])


def skull_holes(labels: Labels, affine: FloatArray, t1: Volume | None = None, least: float = LEAST) -> tuple[Hole, ...]:
    """Openings of the vault, largest first.

    Parameters
    ----------
    labels : (i, j, k) uint8 array
        Tissue tags as a segmenter drew them, before any layer is closed.
    affine : (4, 4) array
        Voxel index to world mm (RAS).
    t1 : Volume, optional
        The image that was labelled: where it shows no bone, none is believed.
    least : float
        cm2; smaller ones are burr holes and specks.
    """
    if not mask_of(labels, SKULL).any():
        return ()
    dura = _vault(inside_dura(labels), labels > 0, affine)
    tags = _along_rays(dura, labels, affine)
    outside = tags == _OPEN_AIR
    seen = outside.any(axis=1)
    dura, tags = dura.of(seen), tags[seen]
    reached = np.arange(tags.shape[1]) < outside[seen].argmax(axis=1)[:, None]
    bone = reached & mask_of(tags, SKULL)
    soft = (reached & (tags != AIR)).any(axis=1) & ~(reached & (tags == EYES)).any(axis=1)
    undrawn = ~bone.any(axis=1) & soft
    bright = np.zeros(len(undrawn)) if t1 is None else _brightness(dura, bone, labels, affine, t1)
    return _pieces(dura, undrawn, bright, labels.shape, affine, least)


def over(holes: tuple[Hole, ...], labels: Labels, affine: FloatArray) -> BoolArray:
    """(i, j, k) what lies over holes, outside the dura: the voxels that are nearest to them of all the dura."""
    mask, sizes = np.zeros(labels.shape, dtype=bool), voxel_sizes(affine)
    if not holes:
        return mask
    inside = inside_dura(labels)
    shell = ndimage.binary_dilation(inside) & ~inside
    hole = np.zeros(labels.shape, dtype=bool)
    for each in holes:
        hole[tuple(each.voxels.T)] = True
    reach = np.ceil(THICKEST / sizes).astype(int)
    found = np.argwhere(hole)
    first, last = np.maximum(found.min(axis=0) - reach, 0), found.max(axis=0) + reach + 1
    box = tuple(slice(a, b) for a, b in zip(first, last, strict=True))
    near = np.argwhere(~inside[box]) + first
    skin = np.argwhere(shell[box]) + first
    distance, nearest = cKDTree(skin * sizes).query(near * sizes, distance_upper_bound=THICKEST)
    near, nearest = near[np.isfinite(distance)], nearest[np.isfinite(distance)]
    chosen = hole[tuple(skin[nearest].T)]
    mask[tuple(near[chosen].T)] = True
    return mask


def shows_bone(labels: Labels, affine: FloatArray, t1: Volume) -> bool:
    """Whether an image shows bone darker than grey matter, as a T1 does."""
    bone, grey = _bone_and_grey(labels, affine, _without_noise(t1))
    return bone < LEAST_CONTRAST * grey


def _without_noise(t1: Volume) -> Volume:
    """An image in which single voxels are neither brighter nor darker than what they show."""
    return Volume(ndimage.gaussian_filter(t1.values.astype(np.float32), NOISE / voxel_sizes(t1.affine)), t1.affine)


def _bone_and_grey(labels: Labels, affine: FloatArray, t1: Volume) -> tuple[float, float]:
    """Brightness of the tables of the skull (the darker quarter of its bone) and of grey matter."""
    out = []
    for tags, share in ((SKULL, 25), (tags_of("grey_matter"), 50)):
        places = np.argwhere(mask_of(labels, tags))[::31].astype(np.float64)
        out.append(float(np.percentile(t1.at(transformed(places, affine), 1), share)) if len(places) else 0.0)
    return out[0], out[1]


def _vault(inside: BoolArray, head: BoolArray, affine: FloatArray) -> _Dura:
    """The faces between a mask and what is around it, above the base of the skull, however the head is tilted."""
    sizes = voxel_sizes(affine)
    depth = ndimage.gaussian_filter(inside.astype(np.float32), 2.0 / sizes)
    slope = -np.stack(np.gradient(depth, *sizes), axis=-1)
    rotation = affine[:3, :3] / sizes
    parts = []
    for axis in range(3):
        step = np.diff(inside.astype(np.int8), axis=axis)
        for sign in (1, -1):
            lower = np.argwhere(step == -sign)
            upper = lower + np.eye(3, dtype=int)[axis]
            outer = upper if sign > 0 else lower
            normals = slope[tuple(lower.T)] + slope[tuple(upper.T)]
            normals /= np.maximum(np.linalg.norm(normals, axis=1), 1e-12)[:, None]
            areas = sizes.prod() / sizes[axis] / 100 * np.maximum(sign * normals[:, axis], 0.0)
            points = transformed((lower + upper) / 2.0, affine)
            parts.append((outer.astype(np.int32), points, normals @ rotation.T, areas))
    dura = _Dura(*(np.concatenate(part) for part in zip(*parts, strict=True)))
    middle = np.average(dura.points, axis=0, weights=dura.areas)
    radius = float(np.sqrt(dura.areas.sum() * 100 / (4 * np.pi)))
    above = [
        (dura.points - middle) @ up > -BASE * radius
        for up in (np.array([0.0, 0.0, 1.0]), _tilted(inside, head, affine))
    ]
    return dura.of(above[0] & above[1])


def _tilted(inside: BoolArray, head: BoolArray, affine: FloatArray) -> FloatArray:
    """(3,) upwards in a head that is tilted to a side: from the middle of the head, which has a neck, to the brain's.

    Views that end at a side of the head shift this too, so that it serves beside the world's own axis, not instead.
    """
    brain, whole = (transformed(np.argwhere(mask).mean(axis=0)[None], affine)[0] for mask in (inside, head))
    rightwards, upwards = (brain - whole)[[0, 2]]
    roll = np.arctan2(rightwards, upwards) if upwards > _TELLING else 0.0
    roll = float(np.clip(roll, -_MOST_TILTED, _MOST_TILTED))
    return np.array([np.sin(roll), 0.0, np.cos(roll)])


def _along_rays(dura: _Dura, labels: Labels, affine: FloatArray) -> Labels:
    """(f, steps) tags along rays from faces outwards; `_OPEN_AIR` from where the air outside, or no image, is met."""
    shown = np.where(outside_air(labels), np.uint8(_OPEN_AIR), labels)
    voxel_from_world = np.asarray(np.linalg.inv(affine), dtype=np.float64)
    start = transformed(dura.points, voxel_from_world)
    along = dura.normals @ voxel_from_world[:3, :3].T
    out = np.full((len(start), len(_STEPS)), _OPEN_AIR, dtype=np.uint8)
    for number, distance in enumerate(_STEPS):
        voxels = np.rint(start + distance * along).astype(np.int32)
        within = ((voxels >= 0) & (voxels < labels.shape)).all(axis=1)
        out[within, number] = shown[tuple(voxels[within].T)]
    return out


def _brightness(dura: _Dura, bone: BoolArray, labels: Labels, affine: FloatArray, t1: Volume) -> FloatArray:
    """(f,) the darkest of what is called bone along each ray: 0 as bone, 1 as grey matter; 0 where none is."""
    t1 = _without_noise(t1)
    dark, grey = _bone_and_grey(labels, affine, t1)
    if dark >= LEAST_CONTRAST * grey:
        return np.zeros(len(bone))
    ray, step = np.nonzero(bone)
    values = t1.at(dura.points[ray] + _STEPS[step, None] * dura.normals[ray], 1)
    darkest = np.full(len(bone), np.inf)
    np.minimum.at(darkest, ray, values)
    darkest /= _unevenness(labels, affine, t1).at(dura.points, 1)
    return np.asarray(np.where(bone.any(axis=1), (darkest - dark) / (grey - dark), 0.0), dtype=np.float64)


def _unevenness(labels: Labels, affine: FloatArray, t1: Volume) -> Volume:
    """How bright the image is in each part of the head, over the mean, as its white matter shows; on a coarse grid."""
    stride = np.maximum(np.rint(4.0 / voxel_sizes(affine)), 1).astype(int)
    coarse = affine @ np.diag([*stride, 1.0])
    white = labels[:: stride[0], :: stride[1], :: stride[2]] == tags_of("white_matter")[0]
    image = np.zeros(white.shape, dtype=np.float32)
    image[white] = t1.at(transformed(np.argwhere(white).astype(np.float64), coarse), 1)
    mean = float(image[white].mean()) if white.any() else 1.0
    width = EVEN_OVER / voxel_sizes(coarse)
    light, weight = (ndimage.gaussian_filter(each.astype(np.float32), width, mode="nearest") for each in (image, white))
    ratio = (light + 1e-4 * mean) / ((weight + 1e-4) * mean)
    return Volume(np.pad(np.clip(ratio, *MOST_UNEVEN), 1, mode="edge"), _one_earlier(coarse))


def _one_earlier(affine: FloatArray) -> FloatArray:
    """The affine of a grid with one more voxel before the first of each axis."""
    out = affine.copy()
    out[:3, 3] -= affine[:3, :3].sum(axis=1)
    return out


def _pieces(
    dura: _Dura, undrawn: BoolArray, bright: FloatArray, shape: tuple[int, ...], affine: FloatArray, least: float
) -> tuple[Hole, ...]:
    """Where most of the dura around is open: connected pieces with some size of them beyond doubt."""
    certain = _together(dura, undrawn | (bright > AS_SOFT_TISSUE), shape, affine) > 0.5
    chosen = _together(dura, undrawn | (bright > _least_bright(dura, certain, bright)), shape, affine) > 0.5
    opened = dura.of(chosen)
    drawn, sure = ((dura.areas * each)[chosen] for each in (undrawn, certain))
    mask = np.zeros(shape, dtype=bool)
    mask[tuple(opened.voxels.T)] = True
    piece = ndimage.label(mask, EVERY_NEIGHBOUR)[0][tuple(opened.voxels.T)]
    holes = []
    for number in np.unique(piece):
        mine = opened.of(piece == number)
        area = float(mine.areas.sum())
        if sure[piece == number].sum() >= least:
            middle = read_only(np.average(mine.points, axis=0, weights=mine.areas))
            source = "labels" if drawn[piece == number].sum() > area / 2 else "t1"
            holes.append(Hole(Opening(area, middle), source, mine.voxels, mine.points))
    return tuple(sorted(holes, key=lambda hole: -hole.opening.area))


def _least_bright(dura: _Dura, certain: BoolArray, bright: FloatArray) -> float:
    """The brightness that bone stays below in this image, between `AS_FLUID` and `AS_SOFT_TISSUE`."""
    if not certain.any():
        return AS_FLUID
    nearest, _ = cKDTree(dura.points[certain]).query(dura.points, distance_upper_bound=AWAY)
    away = bright[np.isinf(nearest)]
    return float(np.clip(np.percentile(away, BRIGHTEST), AS_FLUID, AS_SOFT_TISSUE)) if len(away) else AS_FLUID


def _together(dura: _Dura, chosen: BoolArray, shape: tuple[int, ...], affine: FloatArray) -> FloatArray:
    """(f,) share of the dura around each face, by area, that is chosen."""
    where, sizes = tuple(dura.voxels.T), voxel_sizes(affine)
    both = []
    for areas in (dura.areas * chosen, dura.areas):
        image = np.zeros(shape, dtype=np.float32)
        np.add.at(image, where, areas)
        both.append(ndimage.gaussian_filter(image, TOGETHER / sizes)[where])
    return np.asarray(both[0] / np.maximum(both[1], 1e-12), dtype=np.float64)
