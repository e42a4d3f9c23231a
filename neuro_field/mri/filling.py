"""Fill a lesion in a T1 with healthy tissue, so that programs made for healthy brains see one.

Enantiomorphic: the tissue of the other hemisphere, mirrored (Nachev et al., NeuroImage 2008;39:1215).  Where the other
hemisphere cannot serve, brightness spreads in from the lesion's own surroundings.  What is filled is for segmenters
and registrations alone: no head is built of it, the lesion goes back into the labels.
"""

import numpy as np
from scipy import ndimage

from neuro_field.arrays import AnyArray, BoolArray, FloatArray, read_only, transformed
from neuro_field.errors import InputError
from neuro_field.findings import Finding
from neuro_field.geometry.voxels import as_affine, voxel_sizes
from neuro_field.mri.mirror import Bearings, Mirror, bearings, midline_shift, symmetry_plane
from neuro_field.mri.volume import Volume
from neuro_field.nouns import noun

#: A midline farther from the plane of symmetry than this, mm, says that the hemispheres are no mirror images.
MOST_SHIFT = 5.0

#: A head less like its mirror image than this (correlation) has no other side to take tissue from.
LEAST_ALIKE = 0.6

#: Filling goes whole to this distance beyond the mask, mm, for partial volumes, and ends `EDGE` mm farther.
BEYOND, EDGE = 1.0, 1.0

#: Surroundings in which the two sides' brightness is compared: from and to, mm beyond the mask.
RING = (3.0, 12.0)

#: Brightness of brain as shares of white matter's, and of bone: darker than this.
BRAIN, BONE = (0.6, 1.2), 0.30

#: The skull as a ray outward sees it: so much that is dark, mm, within so far; by most of the rays within this width.
SKULL, REACH, SMOOTH = 2, 110, 4.0

#: Grid on which the two sides are held against each other, mm, and half its size: mm across, along and up.
STEP, HALF = 2.0, (100.0, 120.0, 100.0)

#: Widths over which brightness spreads in, mm, each weighing a tenth of the one before.
SPREADS = (3.0, 6.0, 12.0, 24.0)

#: Farther than these widths reach, where less than this share is known, stands the mean.
FAINT = 1e-6

#: So many pairs of voxels opposite to one another tell how bright the two sides are.
LEAST_PAIRS = 50

#: Voxels around a place whose brightness a cubic spline needs.
SPLINE = 12

#: So much filled from its surroundings, cm3, has to be looked at: a segmenter sees tissue without folds there.
NOTEWORTHY = 1.0

#: Why a part was filled from its surroundings.
WHY = ("lesion-opposite", "skull-open-opposite", "midline-shifted", "no-symmetry")


@noun
class Filling:
    """How a lesion is filled: `applied` does it to the T1, or to another image of the same person in the same world.

    Parameters
    ----------
    mirror : Mirror
    shift : float
        Midline's distance from the plane where it is farthest, mm.
    lesion : Volume
        Mask on the T1's grid.
    mirrored : Volume
        Share of each voxel, 0 to 1, that takes the other side's tissue where it is filled.
    brain : Volume
        Mask of voxels with the brightness of healthy brain, inside the skull.
    mirrored_cm3, nearby_cm3 : float
        Volumes of the lesion filled by either.
    why : tuple of str
        Of `WHY`: what forbade the mirror where the surroundings serve.
    """

    mirror: Mirror
    shift: float
    lesion: Volume
    mirrored: Volume
    brain: Volume
    mirrored_cm3: float
    nearby_cm3: float
    why: tuple[str, ...]

    def applied(self, values: AnyArray, affine: FloatArray) -> AnyArray:
        """An image with the lesion filled, in its own type.

        Parameters
        ----------
        values : (i, j, k) array
            The T1, or a T2 of the same world; on any grid.
        affine : (4, 4) array
            Its voxel index to world mm.
        """
        image = Volume(np.asarray(values), affine)
        lesion = _on(image, self.lesion, 0) > 0
        if not lesion.any():
            raise InputError("The image to fill must show the lesion; instead the lesion lies outside it.")
        box = _around(lesion, np.ceil(RING[1] / voxel_sizes(affine)).astype(int))
        near, lesion = _cut(image, box), lesion[box]
        beyond = ndimage.distance_transform_edt(~lesion, sampling=voxel_sizes(affine))
        chosen = np.nonzero(beyond < BEYOND + EDGE)
        places = transformed(np.stack(chosen, axis=1).astype(np.float64), near.affine)
        opposite = self.mirror.reflected(places)
        mirrored = _on(near, self.mirrored, 1)[chosen]
        new = mirrored * _brightness(image, opposite) * self._gain(image, near, beyond)
        if mirrored.min() < 1:
            known = _on(image, self.brain, 0) > 0
            new += (1 - mirrored) * _spread_in(image, known, places)
        faded = np.clip((BEYOND + EDGE - beyond[chosen]) / EDGE, 0, 1) * mirrored * (self.brain.at(opposite, 0) > 0)
        weight = np.where(lesion[chosen], 1.0, faded)
        out = image.values.astype(np.float64)
        out[box][chosen] += weight * (new - near.values[chosen])
        return _in_type(out, image.values)

    def _gain(self, image: Volume, near: Volume, beyond: AnyArray) -> float:
        """What the other side's brightness is multiplied with: by medians of brain around the lesion and opposite."""
        ring = np.argwhere((beyond > RING[0]) & (beyond < RING[1]))
        places = transformed(ring.astype(np.float64), near.affine)
        opposite = self.mirror.reflected(places)
        pair = (self.brain.at(places, 0) > 0) & (self.brain.at(opposite, 0) > 0)
        if np.count_nonzero(pair) < LEAST_PAIRS:
            return 1.0
        here, there = (float(np.median(image.at(points[pair], 1))) for points in (places, opposite))
        return here / there if there > 0 else 1.0

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What has to be said: how much was filled how, and a midline that lies elsewhere."""
        parts = {"mirrored_cm3": self.mirrored_cm3, "nearby_cm3": self.nearby_cm3}
        level = "warn" if self.nearby_cm3 >= NOTEWORTHY else "note"
        out = [Finding("lesion-filled", level, parts | {"why": self.why})]
        if abs(self.shift) > MOST_SHIFT:
            out.append(Finding("lesion-midline-shifted", "warn", {"shift": abs(self.shift), "most": MOST_SHIFT}))
        return tuple(out)

    def plain(self) -> dict[str, object]:
        """As JSON holds it, for the record: plane, volumes and reasons."""
        return {
            "plane_normal": [float(x) for x in self.mirror.normal],
            "plane_offset_mm": self.mirror.offset,
            "alike": self.mirror.alike,
            "midline_shift_mm": self.shift,
            "mirrored_cm3": self.mirrored_cm3,
            "nearby_cm3": self.nearby_cm3,
            "why": list(self.why),
        }


def plan_filling(t1: Volume, lesion: Volume) -> Filling:
    """How to fill a lesion in a T1.

    The plane of symmetry is searched in the T1, the lesion left out.  Never mirrored is tissue that has a lesion or no
    skull on the other side, nor any at all where the midline lies more than 5 mm beside the plane, or the head is not
    like its mirror image.

    Parameters
    ----------
    t1 : Volume
    lesion : Volume
        A mask, on any grid: everything above 0.5 is filled.

    Raises
    ------
    InputError
        If the mask marks nothing in the T1, or the T1 shows no head.

    Examples
    --------
    Ellipsoids stand in for a T1, with a dark lesion on one side:

    >>> import numpy as np
    >>> from neuro_field.mri.filling import plan_filling
    >>> from neuro_field.mri.volume import Volume
    >>> affine = np.diag([3.0, 3.0, 3.0, 1.0])
    >>> affine[:3, 3] = -105
    >>> points = np.moveaxis(np.indices((71, 71, 71)), 0, -1) * 3.0 - 105
    >>> t1 = np.zeros((71, 71, 71))
    >>> scalp, bone, white = (86, 100, 90), (79, 93, 83), (70, 84, 74)
    >>> for brightness, axes in ((150, scalp), (15, bone), (100, white)):
    ...     t1[((points / axes) ** 2).sum(axis=-1) < 1] = brightness
    >>> lesion = ((points - (40, 0, 20)) ** 2).sum(axis=-1) < 15**2
    >>> filling = plan_filling(Volume(np.where(lesion, 20, t1), affine), Volume(lesion, affine))
    >>> filled = filling.applied(np.where(lesion, 20, t1), affine)
    >>> bool(abs(filled[lesion] - 100).max() < 1)
    True
    """
    affine = as_affine(t1.affine, "affine of the T1")
    t1 = Volume(np.asarray(t1.values), affine)
    mask = _on(t1, Volume(np.asarray(lesion.values) > 0.5, lesion.affine), 0) > 0
    if not mask.any():
        raise InputError(
            "The lesion mask must mark at least one voxel of the T1; instead it marks none: check that both show the "
            "same patient in the same world coordinates."
        )
    seen = bearings(t1, mask)
    mirror = symmetry_plane(t1, mask, seen)
    sides = _Sides(t1, Volume(mask, affine), seen, mirror)
    shift = midline_shift(sides.values, ~sides.lesion, STEP)
    allowed, why = sides.mirrored(shift)
    share = np.round(_on(t1, Volume(allowed.astype(np.float32), sides.affine), 1), 3)
    brain = _on(t1, Volume(sides.covered, sides.affine), 0) > 0
    brain &= (t1.values > BRAIN[0] * seen.white) & (t1.values < BRAIN[1] * seen.white) & ~mask
    voxel = abs(float(np.linalg.det(affine[:3, :3]))) / 1e3
    taken = share[mask].astype(np.float64)
    by_mirror, rest = float(taken.sum() * voxel), float((1 - taken).sum() * voxel)
    lesion, mirrored, healthy = (Volume(read_only(each), affine) for each in (mask, share, brain))
    return Filling(mirror, shift, lesion, mirrored, healthy, by_mirror, rest, why)


class _Sides:
    """A T1 and a lesion on a grid that is its own mirror image: the first axis, turned round, is the other side."""

    def __init__(self, t1: Volume, lesion: Volume, seen: Bearings, mirror: Mirror) -> None:
        self.mirror = mirror
        middle = seen.middle - (seen.middle @ mirror.normal - mirror.offset) * mirror.normal
        self.affine = np.eye(4)
        self.affine[:3, :3] = STEP * mirror.world_from_frame[:3, :3]
        half = np.array(HALF) / STEP
        self.affine[:3, 3] = middle - self.affine[:3, :3] @ half
        self.shape = tuple(int(2 * n + 1) for n in half)
        grid = Volume(np.empty(self.shape, dtype=np.uint8), self.affine)
        self.values = _on(grid, t1, 1)
        self.lesion = _on(grid, lesion, 0) > 0
        self.outline = _on(grid, seen.outline, 0) > 0
        self.covered = self._covered((self.values < BONE * seen.white) & self.outline & ~self.lesion)

    def _covered(self, dark: BoolArray) -> BoolArray:
        """Voxels that have skull outward of them: enough that is dark between them and the scalp."""
        cells = np.argwhere(self.outline)
        outward = cells - (np.array(self.shape) - 1) / 2
        outward = outward / np.maximum(np.linalg.norm(outward, axis=1), 1e-9)[:, None]
        seen, passed = np.zeros((2, len(cells)), dtype=np.int32)
        going = np.arange(len(cells))
        far = 0
        while len(going) and far < REACH:
            far += 1
            there = np.rint(cells[going] + far / STEP * outward[going]).astype(np.int32)
            inside = ((there >= 0) & (there < self.shape)).all(axis=1)
            going, there = going[inside], tuple(there[inside].T)
            passed[going] += dark[there]
            seen[going] = np.where(dark[there], seen[going], passed[going])  # the air after all that is bright is none
            going = going[self.outline[there] & (seen[going] < SKULL)]
        out = np.zeros(self.shape, dtype=np.float32)
        out[tuple(cells[seen >= SKULL].T)] = 1
        return np.asarray(ndimage.gaussian_filter(out, SMOOTH / STEP) > 0.5)

    def mirrored(self, shift: float) -> tuple[BoolArray, tuple[str, ...]]:
        """Where the other side's tissue may be taken, and why not in the lesion's other voxels."""
        everywhere = np.ones(self.shape, dtype=bool)
        ball = np.linalg.norm(np.indices((5, 5, 5)) - 2.0, axis=0) * STEP
        opposite = ndimage.binary_dilation(self.lesion, ball <= BEYOND + EDGE)[::-1]
        reasons = (
            opposite,
            ~self.covered[::-1],
            everywhere if abs(shift) > MOST_SHIFT else ~everywhere,
            everywhere if self.mirror.alike < LEAST_ALIKE else ~everywhere,
        )
        why = tuple(name for name, where in zip(WHY, reasons, strict=True) if (where & self.lesion).any())
        return ~np.logical_or.reduce(reasons), why


def _on(grid: Volume, volume: Volume, order: int) -> AnyArray:
    """A volume on another's grid; 0 outside it."""
    if volume.values.shape == grid.values.shape and np.allclose(volume.affine, grid.affine, atol=1e-6):
        return volume.values
    voxel_from_voxel = np.linalg.inv(volume.affine) @ grid.affine
    values = volume.values.astype(np.float32 if order else np.uint8)
    matrix, shift = voxel_from_voxel[:3, :3], voxel_from_voxel[:3, 3]
    return ndimage.affine_transform(values, matrix, shift, output_shape=grid.values.shape, order=order)


def _around(chosen: BoolArray, margin: AnyArray) -> tuple[slice, ...]:
    """The box of what is chosen, wider by a margin of voxels on each side."""
    box = ndimage.find_objects(chosen.astype(np.uint8))[0]
    return tuple(slice(max(s.start - int(m), 0), s.stop + int(m)) for s, m in zip(box, margin, strict=True))


def _cut(image: Volume, box: tuple[slice, ...]) -> Volume:
    """The part of an image in a box, where it lies."""
    affine = np.array(image.affine)
    affine[:3, 3] += affine[:3, :3] @ [s.start for s in box]
    return Volume(image.values[box], affine)


def _brightness(image: Volume, places: FloatArray) -> FloatArray:
    """(m,) brightness at points by cubic splines, between the extremes of their surroundings."""
    voxels = transformed(places, np.asarray(np.linalg.inv(image.affine), dtype=np.float64)).T
    ends = [(v.min() - SPLINE, v.max() + SPLINE + 1, n) for v, n in zip(voxels, image.values.shape, strict=True)]
    box = tuple(slice(*(int(x) for x in np.clip((low, high), 0, n))) for low, high, n in ends)
    cut = image.values[box].astype(np.float64)
    if not cut.size:
        return np.zeros(len(places))
    first = np.array([s.start for s in box], dtype=np.float64)[:, None]
    found = ndimage.map_coordinates(cut, voxels - first, order=3, mode="nearest")
    return np.asarray(np.clip(found, cut.min(), cut.max()), dtype=np.float64)


def _spread_in(image: Volume, known: BoolArray, places: FloatArray) -> FloatArray:
    """(m,) brightness of known voxels spread to points: means under Gaussians, the narrow ones weighing most."""
    strides = np.maximum(1, np.round(STEP / voxel_sizes(image.affine))).astype(int)
    thin = tuple(slice(None, None, int(stride)) for stride in strides)
    if not known[thin].any():
        raise InputError("The lesion must lie in brain; instead nothing around it is as bright as brain.")
    thinned = np.array(image.affine)
    thinned[:3, :3] *= strides
    weight = known[thin].astype(np.float32)
    bright = weight * image.values[thin]
    above, below = np.zeros(weight.shape, dtype=np.float32), np.zeros(weight.shape, dtype=np.float32)
    for number, width in enumerate(SPREADS):
        narrow = width / voxel_sizes(thinned)
        above += 0.1**number * ndimage.gaussian_filter(bright, narrow, truncate=3)
        below += 0.1**number * ndimage.gaussian_filter(weight, narrow, truncate=3)
    spread = np.where(below > FAINT, above / np.maximum(below, FAINT), bright.sum() / weight.sum())
    voxels = transformed(places, np.asarray(np.linalg.inv(thinned), dtype=np.float64)).T
    return np.asarray(ndimage.map_coordinates(spread, voxels, order=1, mode="nearest"), dtype=np.float64)


def _in_type(values: FloatArray, like: AnyArray) -> AnyArray:
    """Values in an image's own type and range."""
    if like.dtype.kind == "f":
        return values.astype(like.dtype)
    ends = np.iinfo(like.dtype) if like.dtype.kind in "iu" else None
    low, high = (ends.min, ends.max) if ends is not None else (0, 1)
    return np.clip(np.rint(values), low, high).astype(like.dtype)
