"""Find the affine map from a head to MNI152 from its tissue labels, so no image contrast matters."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from scipy.spatial.transform import Rotation

from neuro_field.arrays import AnyArray, BoolArray, FloatArray, IntArray, transformed
from neuro_field.errors import InputError
from neuro_field.geometry.voxels import as_affine
from neuro_field.head.mapping import AffineMapping
from neuro_field.head.tissues import tags_of
from neuro_field.mri.labels import as_labels
from neuro_field.mri.overlap import NOT_PADDED, Overlap, Padding, overlap_of, unseen
from neuro_field.mri.template import BRIGHTNESS, GRID, Template, template
from neuro_field.nouns import noun

#: Ways an image may be turned, as proper rotations of the cube, the one its header claims first.
POSES = tuple(
    sorted((turn for turn in Rotation.create_group("O").as_matrix().round()), key=lambda turn: -float(np.trace(turn)))
)


class MapRefused(InputError):
    """No map to MNI can be right; ``kind`` names why: "axes-exchanged", "size", "tissues-exchanged" or "overlap"."""

    def __init__(self, kind: str, message: str) -> None:
        self.kind = kind
        super().__init__(message)

    def __reduce__(self) -> tuple[type, tuple[str, str]]:
        return MapRefused, (self.kind, str(self))


@dataclass(frozen=True)
class Stage:
    """One stage of fitting.

    ``width`` of the Gaussian, mm; every ``stride``-th voxel counts; ``affine_free``, or rotation, shift and one scale
    only; ``steps`` at most.
    """

    width: float
    stride: int
    affine_free: bool
    steps: int = 40


#: How the starting poses are compared, and the stages that follow, coarse to fine.
SCREEN = Stage(10.0, 9, False, 12)
COARSE = (Stage(10.0, 4, False), Stage(6.0, 4, False), Stage(6.0, 4, True))
FINE = (Stage(3.0, 3, True), Stage(2.0, 2, True))

#: The movement in mm below which a stage has arrived.
ARRIVED = 0.005

#: Another pose than the one claimed is looked into if it leaves less than this share of what that leaves unexplained.
CLEARLY_BETTER = 0.9

#: A head turned by less than this from upright, degrees, lies as its header claims.
UPRIGHT = 60.0

#: White matter and brain that overlap the template's by less (Dice) mean that the map is not to be used at all.
LEAST_WHITE = 0.45
LEAST_BRAIN = 0.70

#: White matter turned by exchanged axes must overlap by so much more (Dice) than as it is claimed to lie.
CLEARLY = 0.05

#: With exchanged axes the white matter must overlap at least so well before they are blamed.
LEAST_TURNED = 0.55

#: MNI152 over a person's head, lengths; an adult's is about 1.1.
SIZES = (0.8, 1.5)

#: MNI152 over an adult's head, lengths.
USUAL_SCALE = 1.1

#: A cut through more brain than this, mm2, hides where its centre is; how far away it may be is tried in these steps.
LEAST_CUT = 500.0
CUT_STEPS = (15.0, 30.0)


def _world_from_grid(low: FloatArray) -> FloatArray:
    """(4, 4) index to mm of a grid of 2 mm along the world axes that starts at ``low``."""
    world_from_grid = np.diag([GRID, GRID, GRID, 1.0])
    world_from_grid[:3, 3] = low
    return world_from_grid


def _on_world_grid(values: AnyArray, affine: FloatArray, low: FloatArray, shape: tuple[int, ...]) -> AnyArray:
    """Values of a voxel grid, averaged onto a grid of 2 mm along the world axes that starts at ``low``."""
    sizes = np.linalg.norm(affine[:3, :3], axis=0)
    blurred = ndimage.gaussian_filter(values.astype(np.float32), 0.4 * GRID / sizes)
    voxel_from_grid = np.linalg.inv(affine) @ _world_from_grid(low)
    return ndimage.affine_transform(
        blurred, voxel_from_grid[:3, :3], voxel_from_grid[:3, 3], output_shape=shape, order=1
    )


@noun
class _Drawn:
    """A head as it is compared, on a 2 mm grid along the world axes.

    ``image`` (i, j, k) brightness; ``brain``, ``lesion`` shares 0 to 1; ``unseen`` what the image that was labelled
    does not show: beyond an end of its view at which the head goes on; ``grid`` (4, 4) index to mm.
    """

    image: AnyArray
    brain: AnyArray
    lesion: AnyArray
    unseen: BoolArray
    grid: FloatArray


def _drawn(labels: AnyArray, affine: FloatArray, padding: Padding) -> _Drawn:
    """Labels as they are compared; ``padding`` voxels of them were added around the image's view."""
    brain = np.isin(labels, (*BRIGHTNESS, *tags_of("lesion")))
    corners = transformed(np.argwhere(brain).astype(np.float64), affine)
    low = corners.min(axis=0) - 20.0
    shape = tuple(int(n) for n in np.ceil((corners.max(axis=0) + 20.0 - low) / GRID).astype(int))
    brightness = np.zeros(256, dtype=np.float32)
    brightness[list(BRIGHTNESS)] = list(BRIGHTNESS.values())
    lesion = np.isin(labels, tags_of("lesion"))
    image, *shares = (_on_world_grid(values, affine, low, shape) for values in (brightness[labels], brain, lesion))
    grid = _world_from_grid(low)
    points = transformed(np.indices(shape).reshape(3, -1).T.astype(np.float64), grid)
    return _Drawn(image, shares[0], shares[1], unseen(labels, affine, padding, points).reshape(shape), grid)


def _first_guesses(drawn: _Drawn, target: Template) -> Iterator[FloatArray]:
    """Starting 4x4 maps: the brain turned by every one of `POSES`, its centre and size those of the template's.

    Where the image cuts the brain its centre and size are not known; then several places along the cut are tried.
    """
    seen = drawn.brain * ~drawn.unseen
    head_centre = transformed(np.array(ndimage.center_of_mass(seen))[None], drawn.grid)[0]
    mni_centre = transformed(np.array(ndimage.center_of_mass(target.brain))[None], target.affine)[0]
    scale = float(np.cbrt(np.count_nonzero(target.brain) / seen.sum()))
    steps = _along_cuts(drawn)
    if len(steps) > 1:
        scale = min(scale, USUAL_SCALE)
    for pose in POSES:
        for step in steps:
            guess = np.eye(4)
            guess[:3, :3] = scale * pose
            guess[:3, 3] = mni_centre - guess[:3, :3] @ (head_centre + step)
            yield guess


def _along_cuts(drawn: _Drawn) -> list[FloatArray]:
    """(3,) mm from the centre of the brain that is seen to where that of the whole one may be: 0 if nothing is cut."""
    out = [np.zeros(3)]
    touched = drawn.brain > 0.5
    for axis in range(3):
        for sign in (1, -1):
            beside = np.roll(drawn.unseen, -sign, axis=axis)
            if np.count_nonzero(touched & beside & ~drawn.unseen) * GRID**2 > LEAST_CUT:
                out += [sign * far * np.eye(3)[axis] for far in CUT_STEPS]
    return out


class _Blurred:
    """A blurred template that answers brightness and gradient at MNI points."""

    def __init__(self, image: AnyArray, affine: FloatArray, width: float) -> None:
        blurred = ndimage.gaussian_filter(image, width / GRID)
        self.layers = [blurred, *np.gradient(blurred, GRID)]
        self.voxel_from_mni = np.asarray(np.linalg.inv(affine), dtype=np.float64)

    def at(self, points: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Brightness (m,) and gradient (m, 3) per mm."""
        voxels = transformed(points, self.voxel_from_mni).T
        values = [ndimage.map_coordinates(layer, voxels, order=1) for layer in self.layers]
        return values[0].astype(np.float64), np.stack(values[1:], axis=1).astype(np.float64)


def _directions(matrix: FloatArray, affine_free: bool) -> FloatArray:
    """(d, 3, 4) ways in which a 3x4 map may change: all twelve, or rotation, one scale and shift of where it maps."""
    if affine_free:
        return np.eye(12).reshape(12, 3, 4)
    generators = np.zeros((4, 3, 3))
    for k in range(3):
        i, j = (k + 1) % 3, (k + 2) % 3
        generators[k, i, j], generators[k, j, i] = -1.0, 1.0
    generators[3] = np.eye(3)
    shifts = np.zeros((3, 3, 4))
    shifts[range(3), range(3), 3] = 1.0
    turned = np.zeros((4, 3, 4))
    turned[:, :, :3] = generators @ matrix[:, :3]
    return np.concatenate([turned, shifts])


def _fitted(
    blurred: _Blurred, points: FloatArray, wanted: FloatArray, matrix: FloatArray, affine_free: bool, steps: int
) -> FloatArray:
    """The 3x4 map that brings points to template places of the wanted brightness, by Levenberg-Marquardt.

    ``points`` (m, 3) are in units of their own spread about their own centre, so that the entries of the map
    have comparable effects. Minimises the squared difference of brightness (Friston et al., Hum Brain Mapp
    1995;3:165).
    """
    ones = np.concatenate([points, np.ones((len(points), 1))], axis=1)
    damping = 1e-3
    brightness, gradient = blurred.at(ones @ matrix.T)
    for _ in range(steps):
        directions = _directions(matrix, affine_free)
        slopes = np.einsum("mi,mj->mij", gradient, ones).reshape(-1, 12) @ directions.reshape(-1, 12).T
        residual = brightness - wanted
        normal, downhill = slopes.T @ slopes, -slopes.T @ residual
        while True:
            step = np.linalg.solve(normal + damping * np.diag(np.diag(normal)), downhill)
            tried = matrix + np.tensordot(step, directions, axes=1)
            new_brightness, new_gradient = blurred.at(ones @ tried.T)
            if ((new_brightness - wanted) ** 2).sum() < (residual**2).sum():
                break
            damping *= 10
            if damping > 1e6:
                return matrix
        moved = float(np.abs(tried - matrix).max())
        matrix, brightness, gradient, damping = tried, new_brightness, new_gradient, max(damping / 10, 1e-6)
        if moved < ARRIVED:
            break
    return matrix


class _Fit:
    """One stage of fitting a drawn head to the template: what is blurred and counted, once for every start.

    Every voxel counts alike that is seen and healthy.
    """

    def __init__(self, drawn: _Drawn, stage: Stage) -> None:
        target = template()
        self.stage = stage
        self.template_at = _Blurred(target.image, target.affine, stage.width)
        counted, blurred = _counted(drawn, stage.width, stage.stride)
        points = transformed(counted.astype(np.float64), drawn.grid)
        self.wanted = blurred[tuple(counted.T)].astype(np.float64)
        centre, spread = points.mean(axis=0), float(points.std())
        self.unit_from_head = np.diag([1 / spread, 1 / spread, 1 / spread, 1.0])
        self.unit_from_head[:3, 3] = -centre / spread
        self.points, self.units = points, transformed(points, self.unit_from_head)

    def __call__(self, mni_from_head: FloatArray) -> tuple[FloatArray, float]:
        """The 4x4 map from a start, and the share of the brightness' variance that it leaves unexplained."""
        start = (mni_from_head @ np.linalg.inv(self.unit_from_head))[:3]
        found = _fitted(self.template_at, self.units, self.wanted, start, self.stage.affine_free, self.stage.steps)
        out = np.vstack([found, [0, 0, 0, 1]]) @ self.unit_from_head
        brightness, _ = self.template_at.at(transformed(self.points, out))
        return out, float(((brightness - self.wanted) ** 2).mean() / self.wanted.var())


def _counted(drawn: _Drawn, width: float, stride: int) -> tuple[IntArray, AnyArray]:
    """(m, 3) voxels that count at a width of blurring, mm, and the blurred image; what is hidden does not bleed in."""
    shown = (~drawn.unseen & (drawn.lesion < 0.1)).astype(np.float32)
    weight = ndimage.gaussian_filter(shown, width / GRID)
    healthy = ndimage.gaussian_filter(drawn.image, width / GRID)
    if drawn.unseen.any():
        seen = (~drawn.unseen).astype(np.float32)
        healthy = ndimage.gaussian_filter(drawn.image * seen, width / GRID)
        healthy /= np.maximum(ndimage.gaussian_filter(seen, width / GRID), 0.05)
    chosen = ((shown > 0) & (weight > 0.9))[::stride, ::stride, ::stride]
    return (np.argwhere(chosen) * stride).astype(np.int32), healthy


def pose_of(mni_from_head: FloatArray) -> int:
    """The number in `POSES` of the position that a map finds a head in: 0 within `UPRIGHT` of what is claimed."""
    u, _, vt = np.linalg.svd(mni_from_head[:3, :3])
    turn = u @ vt
    closeness = [float(np.trace(pose.T @ turn)) for pose in POSES]
    return 0 if closeness[0] > 1 + 2 * np.cos(np.radians(UPRIGHT)) else int(np.argmax(closeness))


def _rough(drawn: _Drawn) -> list[tuple[int, FloatArray]]:
    """Rough 4x4 maps to MNI of the best position and, if that is another, of the one claimed, with their `pose_of`."""
    screen = _Fit(drawn, SCREEN)
    by_pose: dict[int, tuple[FloatArray, float]] = {}
    for guess in _first_guesses(drawn, template()):
        found, left = screen(guess)
        number = pose_of(found)
        if number not in by_pose or left < by_pose[number][1]:
            by_pose[number] = found, left
    best = min(by_pose, key=lambda number: by_pose[number][1])
    claimed = 0 if 0 in by_pose else best
    numbers = [claimed] if by_pose[best][1] > CLEARLY_BETTER * by_pose[claimed][1] else [claimed, best]
    starts = [by_pose[number][0] for number in numbers]
    for stage in COARSE:
        fit = _Fit(drawn, stage)
        starts = [fit(start)[0] for start in starts]
    return list(zip(numbers, starts, strict=True))


def on_template(
    labels: AnyArray, affine: FloatArray, mapping: AffineMapping, padding: Padding = NOT_PADDED
) -> tuple[AnyArray, AnyArray]:
    """A head's pseudo-image, and what of it is lesion or out of view (0 to 1), on the template's grid."""
    drawn, target = _drawn(labels, affine, padding), template()
    grid_from_template = np.linalg.inv(mapping.mni_from_head @ drawn.grid) @ target.affine
    hidden = np.maximum(drawn.lesion, drawn.unseen.astype(np.float32))
    image, out = (
        ndimage.affine_transform(
            values, grid_from_template[:3, :3], grid_from_template[:3, 3], output_shape=target.image.shape, order=1
        )
        for values in (drawn.image, hidden)
    )
    return image, out


def register_to_mni(labels: AnyArray, affine: FloatArray, *, padding: Padding = NOT_PADDED) -> AffineMapping:
    """The 12-parameter affine map from a head to MNI152, from its tissue labels.

    White and grey matter of the labels are drawn as a T1 would show them and matched, by correlation of every
    2 mm voxel from coarse to fine, to the white and grey matter maps of the symmetric ICBM152 2009 template
    that nilearn carries (Fonov et al., NeuroImage 2011;54:313). A lesion, and what the image does not show of the
    head, are left out of the cost, so they do not pull the map. Nothing is downloaded. The same labels give the same
    map.

    The head must lie within about 40 degrees of upright, as its affine tells: the brain is tried in every position that
    exchanged axes can give it, and one that fits clearly better than the one the affine claims is a lie of the affine.
    A mirror image alone is not seen by this, for brains are nearly symmetric.

    Parameters
    ----------
    labels : (i, j, k) uint8 array
        Tissue tags.
    affine : (4, 4) array
        Voxel index to world mm (RAS).
    padding : three pairs of int
        Voxels of the labels that were added around the image's view, at the low and high end of each axis.

    Returns
    -------
    AffineMapping
        Its ``source`` tells the overlap (Dice) of the mapped brain with the template's.

    Raises
    ------
    InputError
        If there is no brain.
    MapRefused
        If it fits better turned by exchanged axes; if its white matter is called grey; if its size
        is no person's; or if it misses the template's.
    """
    labels = as_labels(labels, "labels of register_to_mni").astype(np.uint8)
    affine = as_affine(affine, "affine of register_to_mni")
    if not np.isin(labels, (1, 2)).any():
        raise InputError("Input labels of register_to_mni must hold white or grey matter; instead they hold none.")
    drawn = _drawn(labels, affine, padding)
    candidates = _rough(drawn)
    overlaps = [_overlap_of(found, labels, affine, padding) for _, found in candidates]
    best = len(candidates) - 1 if _turned_over(candidates, overlaps) else 0
    (number, mni_from_head), overlap = candidates[best], overlaps[best]
    if number and overlap.white >= LEAST_TURNED:
        raise MapRefused("axes-exchanged", _turned(POSES[number], overlap, None if candidates[0][0] else overlaps[0]))
    for stage in FINE if not number else ():
        mni_from_head, _ = _Fit(drawn, stage)(mni_from_head)
    overlap = _overlap_of(mni_from_head, labels, affine, padding)
    _check(mni_from_head, overlap, upright=not number)
    source = f"12-parameter affine of the tissue labels to ICBM152 (overlap {overlap.brain:.3f})"
    return AffineMapping(mni_from_head, source)


def _turned_over(candidates: list[tuple[int, FloatArray]], overlaps: list[Overlap]) -> bool:
    """Whether the last candidate is to be believed and not the position claimed, which comes first.

    It must fit clearly better, or be where the position claimed itself came to lie.  Near-round brains fit about as
    well in any position: then the header is believed.
    """
    number, _ = candidates[-1]
    return pose_of(candidates[0][1]) == number or overlaps[-1].white >= overlaps[0].white + CLEARLY


def _overlap_of(mni_from_head: FloatArray, labels: AnyArray, affine: FloatArray, padding: Padding) -> Overlap:
    """None at all for what is not even a map."""
    try:
        return overlap_of(labels, affine, AffineMapping(mni_from_head), padding)
    except InputError:
        return Overlap(0.0, 0.0, 0.0, 0.0)


def _turned(pose: FloatArray, fits: Overlap, claimed: Overlap | None) -> str:
    """Why an image whose axes are exchanged is refused; ``pose`` takes what it claims to what is."""
    axis = int(np.argmax(np.diag(pose)))
    if np.trace(pose) == -1 and pose[axis, axis] == 1:
        pairs = ("left and right", "front and back", "up and down")
        exchanged = " and ".join(pair for pair, sign in zip(pairs, np.diag(pose), strict=True) if sign < 0)
        what = f"has {exchanged} exchanged" + (" (LPS read as RAS)" if axis == 2 else "")
    else:
        ends = ("left", "right"), ("back", "front"), ("bottom", "top")
        rows = [(int(np.argmax(np.abs(row))), row[np.argmax(np.abs(row))] > 0) for row in pose]
        shown = ", ".join(
            f"{ends[end][1]} is its {ends[column][int(positive)]}" for end, (column, positive) in enumerate(rows)
        )
        what = f"has its axes exchanged ({shown})"
    as_claimed = "in no way" if claimed is None else f"by {claimed.white:.2f}"
    return (
        f"The image's header {what}: turned so, its white matter overlaps MNI's by {fits.white:.2f}, as it claims to "
        f"lie {as_claimed}; convert it again from DICOM with dcm2niix, or give --mapping if it does lie so."
    )


def _check(mni_from_head: FloatArray, overlap: Overlap, *, upright: bool) -> None:
    """Refuse a map that cannot be right, by the kind of failure; one that turns the head over is none."""
    size = float(np.cbrt(np.linalg.det(mni_from_head[:3, :3])))
    if overlap.white >= LEAST_WHITE and not SIZES[0] <= size <= SIZES[1]:
        raise MapRefused(
            "size",
            f"The brain in the labels is {1 / size:.2f} times as long as MNI152's, {1 / SIZES[1]:.2f} to "
            f"{1 / SIZES[0]:.2f} is a person's: the voxel size in the image's header is wrong.",
        )
    if overlap.exchanged > (overlap.white + overlap.grey) / 2:
        raise MapRefused(
            "tissues-exchanged",
            f"The labels call white matter grey and grey white: exchanged, they fit by {overlap.exchanged:.2f}, "
            f"as given by {(overlap.white + overlap.grey) / 2:.2f}; say which numbers they use (table=).",
        )
    if not upright or overlap.white < LEAST_WHITE or overlap.brain < LEAST_BRAIN:
        raise MapRefused(
            "overlap",
            f"The head could not be mapped to MNI: its white matter overlaps MNI's by {overlap.white:.2f} "
            f"({LEAST_WHITE} is needed), its brain by {overlap.brain:.2f} ({LEAST_BRAIN}); check the labels and the "
            "image's orientation, give --lesion if there is one, --mapping FILE, or --no-mapping.",
        )
