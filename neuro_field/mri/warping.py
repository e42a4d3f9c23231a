"""The non-linear map from a head to MNI152, from tissue labels, with the lesion left out; and how well maps fit."""

from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import numpy as np

from neuro_field.arrays import AnyArray, BoolArray, FloatArray
from neuro_field.errors import InputError
from neuro_field.geometry.voxels import as_affine
from neuro_field.head.mapping import AffineMapping, WarpedMapping
from neuro_field.mri.labels import as_labels
from neuro_field.mri.mapping import on_template
from neuro_field.mri.overlap import NOT_PADDED, Padding, tissue_overlap
from neuro_field.mri.template import template

#: Iterations of SyN on grids of 8, 4 and 2 mm.
ITERATIONS = (60, 40, 20)

#: Half the side of the cubes whose brightness is correlated, and the width of the smoothing of a step: grid points.
RADIUS = 2
SMOOTHING = 2.0

#: A grid point that is lesion to this share is hidden.
HIDDEN = 0.1


def check_installed() -> None:
    """Refuse at once, naming the remedy, where the library for non-linear maps is missing."""
    try:
        import dipy.align  # noqa: F401
    except ImportError:
        raise InputError(
            'A non-linear map to MNI needs dipy: pip install "neuro_field[nonlinear]", or leave it affine.'
        ) from None


def warp_to_mni(
    labels: AnyArray,
    affine: FloatArray,
    mapping: AffineMapping,
    progress: Callable[[float], Any] | None = None,
    *,
    padding: Padding = NOT_PADDED,
) -> WarpedMapping:
    """A non-linear map to MNI152 on top of an affine one, from tissue labels.

    White and grey matter of the labels, drawn as a T1 would show them, are matched to the white and grey matter maps of
    the symmetric ICBM152 2009 template by symmetric normalisation (Avants et al., Med Image Anal 2008;12:26) with local
    correlation, as dipy has it. A lesion shows, at every step, what the template shows there, so that it exerts no
    force and moves as what lies around it. Nothing is downloaded. The same labels give the same map.

    Parameters
    ----------
    labels : (i, j, k) uint8 array
        Tissue tags.
    affine : (4, 4) array
        Voxel index to world mm (RAS).
    mapping : AffineMapping
        As `register_to_mni` finds it.
    progress : callable, optional
        Called with the share that is done.
    padding : three pairs of int
        Voxels of the labels that were added around the image's view; there it shows what the template shows, as a
        lesion does.

    Returns
    -------
    WarpedMapping
        Its grid is the template's, 2 mm.

    Raises
    ------
    InputError
        If dipy is not installed, the map folds, or it fits grey or white matter worse than the affine one.
    """
    check_installed()
    labels = as_labels(labels, "labels of warp_to_mni").astype(np.uint8)
    affine = as_affine(affine, "affine of warp_to_mni")
    target = template()
    image, hidden = on_template(labels, affine, mapping, padding)
    field = _normalised(target.image, image, hidden > HIDDEN, target.affine, progress)
    source = f"{mapping.source}; non-linear by SyN (dipy {version('dipy')})"
    warped = WarpedMapping(mapping, field, target.affine, source)
    before, after = (tissue_overlap(labels, affine, found, padding) for found in (mapping, warped))
    worse = [name for name in before if after[name] < before[name]]
    if worse:
        shown = ", ".join(f"{name.replace('_', ' ')} {before[name]:.2f} to {after[name]:.2f}" for name in worse)
        raise InputError(f"The non-linear map to MNI fits worse than the affine one ({shown}); leave it affine.")
    return warped


def _normalised(
    static: AnyArray, moving: AnyArray, hidden: BoolArray, affine: FloatArray, progress: Callable[[float], Any] | None
) -> AnyArray:
    """(i, j, k, 3) displacement, mm, from points of one image to those of another on the same grid, by SyN."""
    from dipy.align.imwarp import SymmetricDiffeomorphicRegistration
    from dipy.align.metrics import CCMetric

    class HidingMetric(CCMetric):  # type: ignore[misc]
        """Local correlation of images in which the hidden part of the moving one shows what the static one shows."""

        moving_image: Any
        static_image: Any

        def use_moving_image_dynamics(self, original_moving_image: Any, transformation: Any) -> None:
            """Carry the hidden part to where the registration has the images now."""
            self.veil = transformation.transform(
                veil, interpolation="linear", image_world2grid=None,
                out_shape=np.array(self.moving_image.shape, dtype=np.int32), out_grid2world=self.moving_affine,
            )  # fmt: skip

        def initialize_iteration(self) -> None:
            """Hide, then go on as ever."""
            self.moving_image = self.moving_image + self.veil * (self.static_image - self.moving_image)
            super().initialize_iteration()

    veil, done = hidden.astype(np.float32), 0

    def tell(*_: Any) -> None:
        nonlocal done
        done += 1
        if progress is not None:
            progress(min(1.0, done / (2 * sum(ITERATIONS))))  # called at the start and at the end of each iteration

    kind = HidingMetric if hidden.any() else CCMetric
    registration = SymmetricDiffeomorphicRegistration(
        kind(3, radius=RADIUS, sigma_diff=SMOOTHING), level_iters=list(ITERATIONS), callback=tell
    )
    registration.verbosity = 0
    images = (image.astype(np.float32) for image in (static, moving))
    found = registration.optimize(*images, static_grid2world=affine, moving_grid2world=affine)
    return np.asarray(found.get_forward_field())
