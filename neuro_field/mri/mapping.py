"""Find the affine map from a head to MNI152 from its tissue labels, so no image contrast matters."""

from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy import ndimage

from neuro_field.arrays import AnyArray, BoolArray, FloatArray, read_only, transformed
from neuro_field.errors import InputError
from neuro_field.head.mapping import AffineMapping
from neuro_field.head.tissues import tags_of
from neuro_field.mri.labels import as_labels
from neuro_field.mri.volume import as_affine

#: Voxel of the images that are compared, mm.
GRID = 2.0

#: Brightness of the pseudo-image: white over grey as in a T1, CSF and all else dark.
BRIGHTNESS = {1: 1.0, 2: 0.6}

#: Stages, coarse to fine: Gaussian width in mm, every how many-th voxel counts, and whether the affine is
#: free (or only rotation, shift and one scale).
STAGES = ((10.0, 4, False), (6.0, 4, False), (6.0, 4, True), (3.0, 3, True), (2.0, 2, True))

#: Steps of a stage at most, and the movement in mm below which it has arrived.
MOST_STEPS = 40
ARRIVED = 0.005

#: Share (Dice) of the mapped brain that must fall on the template's brain.
LEAST_OVERLAP = 0.85


@dataclass(frozen=True, eq=False)
class Template:
    """The symmetric ICBM152 2009 template that nilearn carries (Fonov et al., NeuroImage 2011;54:313), at 2 mm.

    ``image`` (i, j, k) drawn from its white and grey matter maps as heads are; ``brain`` (i, j, k) mask; ``tissues``
    (i, j, k) the more likely of white and grey matter in the brain, as tags; ``affine`` (4, 4) voxel index to MNI mm.
    """

    image: AnyArray
    brain: BoolArray
    tissues: AnyArray
    affine: FloatArray


@cache
def template() -> Template:
    """The template that heads are mapped to."""
    from nilearn import datasets

    images = (datasets.load_mni152_wm_template(resolution=2), datasets.load_mni152_gm_template(resolution=2))
    white, grey = (read_only(image.dataobj, np.float32) for image in images)
    brain = white + grey > 0.5
    tissues = np.where(brain, np.where(white > grey, 1, 2), 0).astype(np.uint8)
    affine = read_only(images[0].affine, np.float64)
    return Template(
        read_only(BRIGHTNESS[1] * white + BRIGHTNESS[2] * grey), read_only(brain), read_only(tissues), affine
    )


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


def _pseudo_images(labels: AnyArray, affine: FloatArray) -> tuple[AnyArray, AnyArray, AnyArray, FloatArray]:
    """Pseudo-image, brain and lesion (0 to 1) of labels on a 2 mm world grid, and the grid's first point."""
    brain = np.isin(labels, (*BRIGHTNESS, *tags_of("lesion")))
    corners = transformed(np.argwhere(brain).astype(np.float64), affine)
    low = corners.min(axis=0) - 20.0
    shape = tuple(int(n) for n in np.ceil((corners.max(axis=0) + 20.0 - low) / GRID).astype(int))
    brightness = np.zeros(256, dtype=np.float32)
    brightness[list(BRIGHTNESS)] = list(BRIGHTNESS.values())
    lesion = np.isin(labels, tags_of("lesion"))
    image = _on_world_grid(brightness[labels], affine, low, shape)
    on_grid = [_on_world_grid(mask, affine, low, shape) for mask in (brain, lesion)]
    return image, on_grid[0], on_grid[1], low


def _first_guess(brain: AnyArray, grid: FloatArray, target: Template) -> FloatArray:
    """4x4 that moves the brain's centroid onto the template's and scales it to the same volume."""
    head_centre = transformed(np.array(ndimage.center_of_mass(brain))[None], grid)[0]
    mni_centre = transformed(np.array(ndimage.center_of_mass(target.brain))[None], target.affine)[0]
    scale = float(np.cbrt(np.count_nonzero(target.brain) / brain.sum()))
    guess = np.diag([scale, scale, scale, 1.0])
    guess[:3, 3] = mni_centre - scale * head_centre
    return guess


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
    blurred: _Blurred, points: FloatArray, wanted: FloatArray, matrix: FloatArray, affine_free: bool
) -> FloatArray:
    """The 3x4 map that brings points to template places of the wanted brightness, by Levenberg-Marquardt.

    ``points`` (m, 3) are in units of their own spread about their own centre, so that the entries of the map
    have comparable effects. Minimises the squared difference of brightness (Friston et al., Hum Brain Mapp
    1995;3:165).
    """
    ones = np.concatenate([points, np.ones((len(points), 1))], axis=1)
    damping = 1e-3
    brightness, gradient = blurred.at(ones @ matrix.T)
    for _ in range(MOST_STEPS):
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


def _registered(image: AnyArray, healthy: BoolArray, grid: FloatArray, guess: FloatArray) -> FloatArray:
    """4x4 map to MNI of a pseudo-image on a world grid, every voxel of its healthy part counting alike."""
    target = template()
    mni_from_head = guess
    for width, stride, affine_free in STAGES:
        blurred = ndimage.gaussian_filter(image, width / GRID)
        weight = ndimage.gaussian_filter(healthy.astype(np.float32), width / GRID)
        counted = (healthy & (weight > 0.9))[::stride, ::stride, ::stride]
        chosen = np.argwhere(counted) * stride
        points = transformed(chosen.astype(np.float64), grid)
        centre, spread = points.mean(axis=0), float(points.std())
        unit_from_head = np.diag([1 / spread, 1 / spread, 1 / spread, 1.0])
        unit_from_head[:3, 3] = -centre / spread
        start = (mni_from_head @ np.linalg.inv(unit_from_head))[:3]
        found = _fitted(
            _Blurred(target.image, target.affine, width),
            transformed(points, unit_from_head),
            blurred[tuple(chosen.T)].astype(np.float64),
            start,
            affine_free,
        )
        mni_from_head = np.vstack([found, [0, 0, 0, 1]]) @ unit_from_head
    return mni_from_head


def _resampled(image: AnyArray, low: FloatArray, mni_from_head: FloatArray) -> AnyArray:
    """An image on a world grid that starts at ``low``, on the template's grid."""
    target = template()
    grid_from_template = np.linalg.inv(mni_from_head @ _world_from_grid(low)) @ target.affine
    return ndimage.affine_transform(
        image, grid_from_template[:3, :3], grid_from_template[:3, 3], output_shape=target.image.shape, order=1
    )


def on_template(labels: AnyArray, affine: FloatArray, mapping: AffineMapping) -> tuple[AnyArray, AnyArray]:
    """A head's pseudo-image and its lesion (0 to 1) on the template's grid, carried there by an affine map."""
    image, _, lesion, low = _pseudo_images(labels, affine)
    return _resampled(image, low, mapping.mni_from_head), _resampled(lesion, low, mapping.mni_from_head)


def _overlap(brain: AnyArray, low: FloatArray, mni_from_head: FloatArray) -> float:
    """Dice share of the mapped brain and the template's brain, on the template's grid."""
    mapped, wanted = _resampled(brain, low, mni_from_head) > 0.5, template().brain
    return float(2 * np.count_nonzero(mapped & wanted) / (np.count_nonzero(mapped) + np.count_nonzero(wanted)))


def register_to_mni(labels: AnyArray, affine: FloatArray) -> AffineMapping:
    """The 12-parameter affine map from a head to MNI152, from its tissue labels.

    White and grey matter of the labels are drawn as a T1 would show them and matched, by correlation of every
    2 mm voxel from coarse to fine, to the white and grey matter maps of the symmetric ICBM152 2009 template
    that nilearn carries (Fonov et al., NeuroImage 2011;54:313). A lesion is left out of the cost, so it does
    not pull the map. Nothing is downloaded. The same labels give the same map.

    The head must lie within about 30 degrees of upright; left and right are taken from the affine.

    Parameters
    ----------
    labels : (i, j, k) uint8 array
        Tissue tags; the brain must be whole.
    affine : (4, 4) array
        Voxel index to world mm (RAS).

    Returns
    -------
    AffineMapping
        Its ``source`` tells the overlap (Dice) of the mapped brain with the template's.

    Raises
    ------
    InputError
        If there is no brain, or the mapped brain misses the template's.
    """
    labels = as_labels(labels, "labels of register_to_mni").astype(np.uint8)
    affine = as_affine(affine, "affine of register_to_mni")
    if not np.isin(labels, (1, 2)).any():
        raise InputError("Input labels of register_to_mni must hold white or grey matter; instead they hold none.")
    image, brain, lesion, low = _pseudo_images(labels, affine)
    grid = _world_from_grid(low)
    mni_from_head = _registered(image, lesion < 0.1, grid, _first_guess(brain, grid, template()))
    overlap = _overlap(brain, low, mni_from_head)
    if overlap < LEAST_OVERLAP:
        raise InputError(
            f"The head could not be mapped to MNI: its brain overlaps the template's by {overlap:.2f}, "
            f"{LEAST_OVERLAP} is needed; check the image's orientation, or give the mapping yourself."
        )
    return AffineMapping(mni_from_head, f"12-parameter affine of the tissue labels to ICBM152 (overlap {overlap:.3f})")
