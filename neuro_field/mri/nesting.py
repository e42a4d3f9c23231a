"""Whether tissues lie in a head as tissues do, scalp outside and white matter inside; what numbers mean is for others.

A tissue *begins* at the depth below the air outside within which a tenth of it lies.  Where tissues begin rises from
scalp to bone, CSF, grey and white matter, and does so with large ventricles, cavities, a skull that is open, in views
that cut the head and in heads that are tilted; the mean depth of CSF, which ventricles raise, does not.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from scipy.spatial import cKDTree

from neuro_field.arrays import AnyArray, FloatArray
from neuro_field.geometry.mesh import Surface, TetMesh
from neuro_field.geometry.voxels import voxel_sizes
from neuro_field.head.tissues import tags_of

#: From outside in.
SHELLS = ("scalp", "skull", "csf", "grey_matter", "white_matter")

#: Share of a tissue above where it is said to begin.
OUTERMOST = 0.1

#: Tissues that begin this much in the wrong order, mm, contradict it; this much in the right one, they confirm it.
MARGIN = 0.5

#: Of less than this, cm3, nothing is said.
LEAST_CM3 = 10.0

#: Depths are taken every so many mm.
SPACING = 2.0

#: Largest share of the white matter's volume that CSF may have and yet begin deeper than grey matter: in ventricles.
MOST_VENTRICLES = 0.5

#: Volumes of a head of any age with any stroke, cm3: ours, wide about brain charts (Bethlehem 2022, Nature 604:525
#: [lit]: grey matter up to 0.8, white 0.6 litres), with ventricles, atrophy, large cavities and cuts of the view.
VOLUMES = {
    "white_matter": (100.0, 1300.0),
    "grey_matter": (150.0, 1300.0),
    "csf": (20.0, 1600.0),
    "skull": (100.0, 1800.0),
    "scalp": (100.0, 6000.0),
    "eyes": (0.0, 25.0),  # two hold 10 to 17 in adults
}

#: Two pieces hold this share of eyes, fill this share of the boxes about them (balls 0.52, the built-in head's eyes
#: 0.46), and are no longer than this many times their width, which so many voxels at least can tell.
LEAST_IN_TWO, LEAST_FILLED, LONGEST, TELLING = 0.7, 0.35, 2.0, 64


@dataclass(frozen=True)
class Reversal:
    """Two tissues in the wrong order: ``outer`` should begin above ``inner``, yet begins deeper; depths in mm."""

    outer: str
    inner: str
    outer_begins: float
    inner_begins: float


@dataclass(frozen=True)
class Nesting:
    """Where tissues begin below the air outside.

    ``begins`` and ``middles`` (half of it lies above) mm by name of `SHELLS` and ``volumes`` cm3 by name of `VOLUMES`,
    of those that are there; both depths are empty where no air outside is in view.
    """

    begins: Mapping[str, float]
    middles: Mapping[str, float]
    volumes: Mapping[str, float]

    @property
    def reversals(self) -> tuple[Reversal, ...]:
        """Pairs in the wrong order, the worst first."""
        found = [
            Reversal(outer, inner, self.begins[outer], self.begins[inner])
            for place, outer in enumerate(SHELLS)
            for inner in SHELLS[place + 1 :]
            if self._gap(outer, inner) <= -MARGIN
            and not self._in_ventricles_alone(outer)
            and not self._laid_bare(outer, inner)
        ]
        return tuple(sorted(found, key=lambda pair: pair.inner_begins - pair.outer_begins))

    @property
    def tells_grey_from_white(self) -> bool:
        """Whether grey matter clearly begins above white matter, bone above brain and CSF, and scalp above bone."""
        pairs = (("grey_matter", "white_matter"), ("skull", "grey_matter"), ("skull", "csf"), ("scalp", "skull"))
        return all(self._gap(outer, inner) >= MARGIN for outer, inner in pairs)

    def _gap(self, outer: str, inner: str) -> float:
        """How much deeper the inner one begins, mm; 0 where one of them is not there."""
        if outer not in self.begins or inner not in self.begins:
            return 0.0
        return self.begins[inner] - self.begins[outer]

    def _laid_bare(self, outer: str, inner: str) -> bool:
        """Where a face was removed the brain meets the air; what is taken for bone is bone if half of it lies above."""
        return outer == "skull" and self.middles[outer] < self.middles[inner]

    def _in_ventricles_alone(self, outer: str) -> bool:
        """A swollen brain may have little fluid around it, and grey and white matter are in order all the same.

        Grey matter that was taken for fluid has more than half of the volume of white matter.
        """
        return (
            outer == "csf"
            and self._gap("grey_matter", "white_matter") >= MARGIN
            and self.volumes["csf"] < MOST_VENTRICLES * self.volumes["white_matter"]
        )


def nesting_of_labels(tissues: AnyArray, affine: FloatArray) -> Nesting:
    """How the tissues of a label image are nested.

    Parameters
    ----------
    tissues : (i, j, k) array
        Tags of `neuro_field.head.tissues`, 0 air.
    affine : (4, 4) array
        Voxel index to mm.

    Examples
    --------
    >>> shells = np.zeros((60, 60, 60), dtype=np.uint8)
    >>> radius = np.linalg.norm(np.moveaxis(np.indices(shells.shape), 0, -1) - 29.5, axis=-1)
    >>> for tag, size in ((5, 28), (4, 25), (3, 22), (2, 20), (1, 15)):
    ...     shells[radius < size] = tag
    >>> nesting_of_labels(shells, np.diag([3.0, 3, 3, 1])).reversals
    ()
    >>> swapped = np.array([0, 2, 1, 3, 4, 5])[shells]
    >>> nesting_of_labels(swapped, np.diag([3.0, 3, 3, 1])).reversals[0].outer
    'grey_matter'
    """
    sizes = voxel_sizes(affine)
    steps = np.maximum(1, (SPACING / sizes).astype(int))
    coarse = np.asarray(tissues)[tuple(slice(None, None, step) for step in steps)]
    pieces, _ = ndimage.label(coarse == 0)
    walls = [np.take(pieces, end, axis=axis).ravel() for axis in range(3) for end in (0, -1)]
    outside = np.unique(np.concatenate(walls))
    air = np.isin(pieces, outside[outside > 0])
    cm3 = float((steps * sizes).prod()) / 1e3
    inside = ~air
    depths = ndimage.distance_transform_edt(inside, sampling=steps * sizes)[inside] if air.any() else None
    return _nesting(coarse[inside], np.full(np.count_nonzero(inside), cm3), depths)


def nesting_of_mesh(mesh: TetMesh, outer: Surface) -> Nesting:
    """How the tissues of a mesh are nested, by depths of elements below its outer surface."""
    step = max(1, len(mesh.tets) // 200_000)
    centers = mesh.centroids[::step]
    depths = cKDTree(outer.points).query(centers)[0]
    return _nesting(mesh.tags[::step], mesh.volumes[::step] * step / 1e3, np.asarray(depths))


def _nesting(tags: AnyArray, cm3: FloatArray, depths: FloatArray | None) -> Nesting:
    """Of voxels or elements (m,): their tags, volumes and depths."""
    begins: dict[str, float] = {}
    middles: dict[str, float] = {}
    volumes: dict[str, float] = {}
    for name in VOLUMES:
        here = np.isin(tags, tags_of(name))
        volume = float(cm3[here].sum())
        if volume == 0:
            continue
        volumes[name] = volume
        if depths is not None and name in SHELLS and volume >= LEAST_CM3:
            order = np.argsort(depths[here])
            above = np.cumsum(cm3[here][order])
            for share, depth_of in ((OUTERMOST, begins), (0.5, middles)):
                depth_of[name] = float(depths[here][order][np.argmax(above >= share * volume)])
    return Nesting(begins, middles, volumes)


def unusual_volumes(nesting: Nesting) -> dict[str, tuple[float, float, float]]:
    """Tissues with a volume that no head has: volume, least and most, cm3, by name of `VOLUMES`."""
    return {
        name: (volume, *VOLUMES[name])
        for name, volume in nesting.volumes.items()
        if not VOLUMES[name][0] <= volume <= VOLUMES[name][1]
    }


def are_eyes(mask: AnyArray, affine: FloatArray) -> bool:
    """Whether a mask (i, j, k) may be two eyes: small, and two compact pieces; such as air is not."""
    if not mask.any():
        return True
    voxel = voxel_sizes(affine)
    if np.count_nonzero(mask) * float(voxel.prod()) / 1e3 > VOLUMES["eyes"][1]:
        return False
    pieces, _ = ndimage.label(mask)
    sizes = np.bincount(pieces.ravel())
    sizes[0] = 0
    largest = np.argsort(sizes)[-2:]
    boxes = ndimage.find_objects(pieces)
    for piece in largest[sizes[largest] >= TELLING]:
        sides = np.array([side.stop - side.start for side in boxes[piece - 1]])
        if sizes[piece] < LEAST_FILLED * sides.prod() or (sides * voxel).max() > LONGEST * (sides * voxel).min():
            return False
    return bool(sizes[largest].sum() >= LEAST_IN_TWO * sizes.sum())
