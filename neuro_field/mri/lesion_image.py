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

#: Voxels of one grid lie on those of another if none is farther off than this, in voxels.
SAME_GRID = 0.25

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


def grid_findings(drawn: DrawnLesion, *affines: FloatArray) -> tuple[Finding, ...]:
    """That a mask does not lie on the voxels of the T1 or of its labels, and so was drawn on another image perhaps.

    Parameters
    ----------
    drawn : DrawnLesion
        As it was given, without the image that it was drawn on.
    affines : (4, 4) arrays
        Voxel index to mm of the images of the head; a part of one, and one stored the other way round, is its grid too.
    """
    if not affines or any(_on_grid(drawn, affine) for affine in affines):
        return ()
    sizes = np.linalg.norm(drawn.affine[:3, :3], axis=0)
    return (Finding("lesion-other-grid", "warn", {"sizes_mm": tuple(sizes.tolist())}),)


def _on_grid(drawn: DrawnLesion, affine: FloatArray) -> bool:
    """Whether the voxels of a mask, at all of its corners, are voxels of an image."""
    index = np.asarray(np.linalg.inv(affine), dtype=np.float64) @ drawn.affine
    whole = np.round(index)
    if not np.isclose(abs(np.linalg.det(whole[:3, :3])), 1.0):
        return False
    last = np.array(drawn.tags.shape, dtype=np.float64) - 1
    corners = np.array(np.meshgrid(*[(0.0, n) for n in last])).reshape(3, -1).T
    return bool(np.abs(transformed(corners, index) - transformed(corners, whole)).max() < SAME_GRID)


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
