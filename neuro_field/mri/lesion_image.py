"""A lesion drawn on another image of the same person, such as a FLAIR: carried to the T1 by rigid registration."""

from dataclasses import replace

import numpy as np

from neuro_field.arrays import FloatArray, read_only, transformed
from neuro_field.errors import InputError
from neuro_field.findings import Finding
from neuro_field.mri.drawn_lesion import DrawnLesion
from neuro_field.mri.rigid import RigidFit, register_rigid
from neuro_field.mri.volume import Volume

#: Share of a lesion that must lie within the image it is said to be drawn on.
LEAST_WITHIN = 0.95

#: A lesion that moves farther than this, mm, is told first.
FAR = 10.0


def carried_to_t1(drawn: DrawnLesion, image: Volume, t1: Volume) -> DrawnLesion:
    """A lesion in the world of the T1.

    Parameters
    ----------
    drawn : DrawnLesion
        In the world of the image it was drawn on, whatever its grid.
    image : Volume
        That image.
    t1 : Volume

    Returns
    -------
    DrawnLesion
        On its own voxels, which now lie elsewhere; its findings tell how far they moved.

    Raises
    ------
    InputError
        If the lesion does not lie within the image, or the image does not show the head of the T1.
    """
    places = transformed(np.argwhere(drawn.tags).astype(np.float64), drawn.affine)
    _check_within(places, image)
    fit = register_rigid(image, t1)
    affine = read_only(fit.t1_from_image @ drawn.affine)
    return replace(drawn, affine=affine, findings=(*drawn.findings, _moved(places, fit)))


def _check_within(places: FloatArray, image: Volume) -> None:
    voxels = transformed(places, np.asarray(np.linalg.inv(image.affine), dtype=np.float64))
    within = float(((voxels > -1) & (voxels < image.values.shape)).all(axis=1).mean())
    if within < LEAST_WITHIN:
        raise InputError(
            f"Input lesion must lie within the image it was drawn on; instead {within:.0%} of it does: give the image "
            "that was open when it was drawn."
        )


def _moved(places: FloatArray, fit: RigidFit) -> Finding:
    """How far the lesion moved, and how much better both images now fit."""
    steps = np.linalg.norm(transformed(places, fit.t1_from_image) - places, axis=1)
    values = {
        "moved": float(steps.mean()),
        "most": float(steps.max()),
        "angle": fit.angle,
        "as_given": fit.as_given,
        "shared": fit.shared,
    }
    return Finding("lesion-image-moved", "warn" if values["moved"] > FAR else "note", values)
