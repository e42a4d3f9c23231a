"""The average cortex of FreeSurfer that fields of many people are compared on: fsaverage5, which nilearn brings."""

from functools import cache
from pathlib import Path

import nibabel as nib
import numpy as np
from scipy.spatial import cKDTree

from neuro_field.arrays import BoolArray, FloatArray, read_only, transformed
from neuro_field.errors import FileFormatError
from neuro_field.nouns import noun

#: Its name in spaces of BIDS, and its vertices of each hemisphere.
NAME, VERTICES = "fsaverage5", 10242

#: From MNI305, in which fsaverage lies, to MNI152, mm: FreeSurfer's wiki, CoordinateSystems [src].
MNI152_FROM_MNI305 = (
    (0.9975, -0.0073, 0.0176, -0.0429),
    (0.0146, 1.0009, -0.0024, 1.5496),
    (-0.0130, -0.0093, 0.9971, 1.1840),
    (0.0, 0.0, 0.0, 1.0),
)

#: The radius of registered spheres, mm, to which both are brought.
_SPHERE = 100.0

#: A larger surface is none that a person has, bytes.
_LARGEST = 500_000_000


@noun
class Average:
    """Both hemispheres, the left's vertices first.

    ``points`` (2 v, 3) the middle between its white and its pial surface, MNI152 mm; ``sphere`` (2 v, 3) the
    registered spheres, mm; ``left`` (2 v,) which vertices are of the left.
    """

    points: FloatArray
    sphere: FloatArray
    left: BoolArray


@cache
def fsaverage() -> Average:
    """fsaverage5 as nilearn carries it; nothing is downloaded."""
    from nilearn import datasets, surface

    files = datasets.fetch_surf_fsaverage(NAME)
    sides = ("left", "right")

    def both(kind: str) -> FloatArray:
        loaded = [surface.load_surf_mesh(files[f"{kind}_{side}"]).coordinates for side in sides]
        return np.concatenate(loaded).astype(np.float64)

    middle = (both("white") + both("pial")) / 2
    points = transformed(middle, np.array(MNI152_FROM_MNI305))
    return Average(read_only(points), read_only(both("sphere")), read_only(np.arange(2 * VERTICES) < VERTICES))


def registered_points(surf: Path) -> FloatArray:
    """Where the vertices of fsaverage5 lie in a person that FreeSurfer has registered.

    Each takes the middle of the cortex, between white and pial, at the person's vertex nearest on the registered
    sphere.

    Parameters
    ----------
    surf : Path
        The folder surf: white, pial and sphere.reg of both hemispheres.

    Returns
    -------
    (2 v, 3) array
        mm, the scanner's world of the T1 that FreeSurfer was given.

    Raises
    ------
    FileFormatError
        If a surface is damaged, or they do not belong together.
    """
    average, out = fsaverage(), []
    for side, first in (("l", 0), ("r", VERTICES)):
        surfaces = {kind: _surface(surf / f"{side}h.{kind}") for kind in ("white", "pial", "sphere.reg")}
        if len({len(points) for points, _ in surfaces.values()}) > 1:
            raise FileFormatError(f"The surfaces {surf / f'{side}h.*'} do not have the same vertices.")
        sphere = surfaces["sphere.reg"][0]
        sphere = _SPHERE * sphere / np.linalg.norm(sphere, axis=1, keepdims=True)
        wanted = average.sphere[first : first + VERTICES]
        wanted = _SPHERE * wanted / np.linalg.norm(wanted, axis=1, keepdims=True)
        nearest = cKDTree(sphere).query(wanted)[1]
        middle = (surfaces["white"][0] + surfaces["pial"][0])[nearest] / 2
        out.append(middle + surfaces["white"][1])
    return np.concatenate(out)


def _surface(path: Path) -> tuple[FloatArray, FloatArray]:
    """Vertices (n, 3) of a surface of FreeSurfer, and where its own origin lies in the scanner's world (3,), mm."""
    if path.stat().st_size > _LARGEST:
        raise FileFormatError(f"The surface {path} is larger than {_LARGEST / 1e6:.0f} MB.")
    try:
        points, _, about = nib.freesurfer.read_geometry(path, read_metadata=True)
    except (OSError, ValueError, KeyError, IndexError) as error:
        raise FileFormatError(f"The surface {path} is damaged: {str(error)[:120]}") from None
    points = np.asarray(points, dtype=np.float64)
    center = np.asarray(about.get("cras", np.zeros(3)), dtype=np.float64)
    if not (np.isfinite(points).all() and np.isfinite(center).all() and np.linalg.norm(points, axis=1).all()):
        raise FileFormatError(f"The surface {path} holds points that are none.")
    return points, center
