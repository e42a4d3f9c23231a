"""The plane about which a head's T1 is most nearly its own mirror image, and how far the midline lies beside it.

Found from brightness alone, before anything is segmented; what a lesion changed is left out.
"""

from functools import cached_property

import numpy as np
from scipy import ndimage, optimize

from neuro_field.arrays import AnyArray, BoolArray, FloatArray, read_only, transformed
from neuro_field.errors import InputError
from neuro_field.geometry.voxels import voxel_sizes
from neuro_field.mri.volume import Volume
from neuro_field.nouns import noun

#: Grids on which the plane is searched, mm: coarse, then fine.
COARSE, FINE = 6.0, 4.0

#: First tries: tilt of the plane (tangents) and its distance from the head's middle, mm.
TILTS, OFFSETS = (-0.3, -0.15, 0.0, 0.15, 0.3), (-12.0, -4.0, 4.0, 12.0)

#: Of the head so much counts from its top, mm: neck, jaw and face are not symmetric, nor in every image.
FROM_TOP = 140.0

#: Share of white matter's brightness above which a voxel belongs to the head, and at which brightness is capped (fat).
HEAD, CAP = 0.25, 1.3

#: So deep (mm) below the head's surface there is brain; white matter is this percentile of its brightness.
DEEP, WHITE = 30.0, 80.0

#: The middle of the brain, where a shift of the midline is measured: mm beside the plane, in front of and behind the
#: middle in bands, above and below it; and the largest shift looked for, in steps.
BESIDE, BANDS, BAND, HIGH = 30.0, (-35.0, -15.0, 5.0, 25.0), 20.0, 25.0
MOST_SHIFT, STEP = 20.0, 0.5

#: A band whose halves are less alike than this (correlation) about any plane tells nothing of a shift.
LEAST_ALIKE = 0.5


@noun
class Mirror:
    """A plane of symmetry: points p with ``normal`` . p = ``offset`` (mm of the world), ``normal`` (3,) towards +x.

    ``alike`` is the correlation of the head with its mirror image about it.
    """

    normal: FloatArray
    offset: float
    alike: float = 1.0

    def __post_init__(self) -> None:
        normal = np.asarray(self.normal, dtype=np.float64)
        length = float(np.linalg.norm(normal))
        if normal.shape != (3,) or not length > 0 or not np.isfinite([length, self.offset]).all():
            raise InputError(f"Input normal of Mirror must be three finite numbers, not all 0; instead {self.normal}.")
        object.__setattr__(self, "normal", read_only(normal / length))

    def reflected(self, points: FloatArray) -> FloatArray:
        """Points (m, 3) mm on the other side of the plane."""
        return points - 2 * (points @ self.normal - self.offset)[:, None] * self.normal

    @cached_property
    def world_from_frame(self) -> FloatArray:
        """(4, 4) mm to mm: the first axis across the plane, the third up, the origin on the plane next to 0."""
        up = np.array([0.0, 0.0, 1.0]) - self.normal[2] * self.normal
        up /= np.linalg.norm(up)
        out = np.eye(4)
        out[:3, :3] = np.stack([self.normal, np.cross(up, self.normal), up], axis=1)
        out[:3, 3] = self.offset * self.normal
        return read_only(out)


@noun
class Bearings:
    """What brightness alone tells of a head: ``white`` matter's brightness, the ``middle`` (3,) of the upper head in
    world mm, and its ``outline``, a volume of 1 and 0 on a coarse world grid."""

    white: float
    middle: FloatArray
    outline: Volume


def bearings(image: Volume, left_out: BoolArray) -> Bearings:
    """White matter's brightness, middle and outline of a head.

    Parameters
    ----------
    image : Volume
        A T1.
    left_out : (i, j, k) bool array
        What does not count: a lesion.

    Raises
    ------
    InputError
        If no head is seen.
    """
    coarse, known = _coarse(image, left_out, FINE)
    bright = coarse.values[coarse.values > coarse.values.mean()]
    if not len(bright):
        raise InputError("The T1 must show a head; instead all of it is equally bright.")
    rough = float(np.median(bright))
    outline = _outline(coarse.values > HEAD * rough)
    depth = ndimage.distance_transform_edt(outline, sampling=FINE)
    points = transformed(np.argwhere(outline).astype(np.float64), coarse.affine)
    if not len(points):
        raise InputError("The T1 must show a head; instead nothing in it is bright.")
    upper = points[:, 2] > points[:, 2].max() - FROM_TOP
    deep = (depth > DEEP) & known
    if not deep.any():
        raise InputError(f"The T1 must show a whole head; instead nothing lies {DEEP:.0f} mm below its surface.")
    white = float(np.percentile(coarse.values[deep], WHITE))
    return Bearings(white, points[upper].mean(axis=0), Volume(outline.astype(np.uint8), coarse.affine))


def _coarse(image: Volume, left_out: BoolArray, step: float) -> tuple[Volume, BoolArray]:
    """An image averaged onto a grid along the world axes, and which of its voxels hold nothing that is left out."""
    shape = np.array(image.values.shape)
    corners = np.array(np.meshgrid(*[(0, n - 1) for n in shape], indexing="ij")).reshape(3, -1).T.astype(np.float64)
    world = transformed(corners, image.affine)
    grid = np.diag([step, step, step, 1.0])
    grid[:3, 3] = world.min(axis=0)
    size = tuple(int(n) for n in np.floor(np.ptp(world, axis=0) / step) + 1)
    voxel_from_grid = np.linalg.inv(image.affine) @ grid
    out = []
    for values in (image.values, left_out):
        blurred = ndimage.gaussian_filter(values.astype(np.float32), 0.4 * step / voxel_sizes(image.affine))
        matrix, shift = voxel_from_grid[:3, :3], voxel_from_grid[:3, 3]
        out.append(ndimage.affine_transform(blurred, matrix, shift, output_shape=size, order=1))
    return Volume(out[0], grid), out[1] < 0.05


def _outline(bright: BoolArray) -> BoolArray:
    """The largest bright piece with its holes filled, seen from each of three sides."""
    pieces, _ = ndimage.label(ndimage.binary_opening(bright))
    sizes = np.bincount(pieces.ravel())
    sizes[0] = 0
    head = pieces == int(sizes.argmax()) if sizes.max() else np.zeros_like(bright)
    filled = head.copy()
    for axis in range(3):
        for slab, into in zip(np.moveaxis(head, axis, 0), np.moveaxis(filled, axis, 0), strict=True):
            into |= ndimage.binary_fill_holes(slab)
    return filled


def symmetry_plane(image: Volume, left_out: BoolArray, seen: Bearings) -> Mirror:
    """The plane of best mirror symmetry (largest correlation of brightness with its mirror image) of the upper head.

    Searched over two tilts up to about 20 degrees from the world's x axis and one offset, from coarse to fine, by
    the simplex method.  A voxel counts where neither it nor its mirror place is left out or outside the image.

    Parameters
    ----------
    image : Volume
        A T1; its x axis runs about from ear to ear.
    left_out : (i, j, k) bool array
        What does not count: a lesion, on the image's grid.
    seen : Bearings
    """
    unlike = _Unlike(image, left_out, seen, COARSE)
    tries = [np.array([a, b, d]) for a in TILTS for b in TILTS for d in OFFSETS]
    best = min(tries, key=unlike)
    for step, reach in ((COARSE, (0.1, 5.0)), (FINE, (0.02, 1.0))):
        unlike = _Unlike(image, left_out, seen, step)
        simplex = best + np.vstack([np.zeros(3), np.diag([reach[0], reach[0], reach[1]])])
        found = optimize.minimize(
            unlike, best, method="Nelder-Mead", options={"initial_simplex": simplex, "xatol": 1e-3, "fatol": 1e-5}
        )
        best = found.x
    mirror = unlike.mirror(best)
    return Mirror(mirror.normal, mirror.offset, 1 - float(unlike(best)))


class _Unlike:
    """How little the head is like its mirror image, of two tilts and an offset: 1 minus the correlation."""

    def __init__(self, image: Volume, left_out: BoolArray, seen: Bearings, step: float) -> None:
        coarse, self.known = _coarse(image, left_out, step)
        self.image = Volume(np.minimum(coarse.values, CAP * seen.white), coarse.affine)
        inside = seen.outline.at(self._places(coarse), 0).reshape(coarse.values.shape) > 0
        places = self._places(coarse).reshape(*coarse.values.shape, 3)
        top = places[inside][:, 2].max()
        chosen = inside & self.known & (places[..., 2] > top - FROM_TOP)
        self.points, self.values = places[chosen], self.image.values[chosen].astype(np.float64)
        self.middle = seen.middle
        self.voxel_from_world = np.asarray(np.linalg.inv(coarse.affine), dtype=np.float64)

    @staticmethod
    def _places(volume: Volume) -> FloatArray:
        indices = np.moveaxis(np.indices(volume.values.shape), 0, -1).reshape(-1, 3).astype(np.float64)
        return transformed(indices, volume.affine)

    def mirror(self, parameters: FloatArray) -> Mirror:
        """The plane of two tilts and a distance from the middle."""
        normal = np.array([1.0, parameters[0], parameters[1]])
        normal /= np.linalg.norm(normal)
        return Mirror(normal, float(normal @ self.middle + parameters[2]))

    def __call__(self, parameters: FloatArray) -> float:
        there = transformed(self.mirror(parameters).reflected(self.points), self.voxel_from_world).T
        known = ndimage.map_coordinates(self.known, there, order=0, cval=False)
        if np.count_nonzero(known) < 0.3 * len(known):
            return 2.0
        other = ndimage.map_coordinates(self.image.values, there[:, known], order=1)
        return 1 - _correlation(self.values[known], other)


def _correlation(a: AnyArray, b: AnyArray) -> float:
    a, b = a - a.mean(), b - b.mean()
    size = float(np.sqrt((a * a).sum() * (b * b).sum()))  # no @: threads of BLAS wait for one another on a busy machine
    return float((a * b).sum()) / size if size > 0 else 0.0


def midline_shift(values: AnyArray, known: BoolArray, step: float) -> float:
    """How far the brain's midline lies beside the head's plane of symmetry, mm; towards +x where positive.

    In bands across the middle of the brain (basal ganglia, ventricles, thalami) the plane is sought, parallel to the
    head's, about which the two sides are most alike (correlation of brightness up to 30 mm beside it); the band
    that shifted most tells.  0 where no band's sides are alike.

    Parameters
    ----------
    values : (i, j, k) array
        Brightness in the frame of a `Mirror`, centred on the middle of the head: the first axis across the plane.
    known : (i, j, k) bool array
        What counts: not a lesion.
    step : float
        Size of the voxels, mm.
    """
    middle = (np.array(values.shape) - 1) / 2
    side = np.arange(1.0, BESIDE + 1, 1.5)
    shifts = np.arange(-MOST_SHIFT, MOST_SHIFT + STEP, STEP)
    most = 0.0
    for band in BANDS:
        forward, up = np.arange(band - BAND / 2, band + BAND / 2, step), np.arange(-HIGH, HIGH + step, step)
        alike = []
        for shift in shifts:
            halves = []
            for sign in (-1.0, 1.0):
                places = np.stack(np.meshgrid(shift + sign * side, forward, up, indexing="ij")).reshape(3, -1)
                there = places / step + middle[:, None]
                counts = ndimage.map_coordinates(known, there, order=0, cval=False)
                halves.append((ndimage.map_coordinates(values, there, order=1), counts))
            both = halves[0][1] & halves[1][1]
            enough = np.count_nonzero(both) > 0.3 * len(both)
            alike.append(_correlation(halves[0][0][both], halves[1][0][both]) if enough else -1.0)
        best = int(np.argmax(alike))
        if alike[best] > LEAST_ALIKE and abs(shifts[best]) > abs(most):
            most = float(shifts[best])
    return most
