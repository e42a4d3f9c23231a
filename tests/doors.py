"""What a hospital may hand over: one known head as scanners, segmenters and people may leave it, right and wrong.

Each case knows where its hand knobs truly are, so what the package makes of it has an error in mm.  Used by tests and
by ``benchmarks/door.py``.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import nibabel as nib
import numpy as np
from scipy import ndimage
from scipy.spatial.transform import Rotation

SHELF = Path(__file__).parents[1] / "meshes" / "colin27"

#: The hand knobs, MNI152 mm, which is the world of Colin27 as it is published; left first.
HAND_KNOBS = np.array([(-37.0, -21.0, 58.0), (37.0, -21.0, 58.0)])

#: A cavity of a stroke grows from here, MNI152 mm.
STROKE = (-45.0, -18.0, 32.0)


@dataclass(frozen=True, eq=False)
class Scene:
    """Images of one head in a world: labels and T1 with their affines, a lesion mask, and where the head truly lies.

    ``head_from_colin`` (4, 4) takes mm of Colin27's published world to mm of the world that the affines claim: a lie of
    the affines is in it too, since it says where the anatomy comes to lie.
    """

    labels: np.ndarray
    affine: np.ndarray
    t1: np.ndarray
    t1_affine: np.ndarray
    lesion: np.ndarray | None = None
    lesion_affine: np.ndarray | None = None
    head_from_colin: np.ndarray | None = None

    def moved(self, world: np.ndarray) -> "Scene":
        """The same images, all said to lie elsewhere."""
        lesion = None if self.lesion_affine is None else world @ self.lesion_affine
        return replace(
            self, affine=world @ self.affine, t1_affine=world @ self.t1_affine, lesion_affine=lesion,
            head_from_colin=world @ self.world,
        )  # fmt: skip

    def with_lesion(self, mask: np.ndarray) -> "Scene":
        """With a mask on the grid of the labels."""
        return replace(self, lesion=mask.astype(np.uint8), lesion_affine=self.affine)

    @property
    def world(self) -> np.ndarray:
        """(4, 4) ``head_from_colin``."""
        return np.eye(4) if self.head_from_colin is None else self.head_from_colin

    @property
    def hand_knobs(self) -> np.ndarray:
        """(2, 3) mm of the claimed world, the anatomical left first."""
        return HAND_KNOBS @ self.world[:3, :3].T + self.world[:3, 3]


@dataclass(frozen=True)
class Case:
    """``expected``: "right" must be taken, "wrong" refused or told, "doubtful" may be told; ``made`` the scene."""

    name: str
    expected: str
    made: Callable[[int], Scene]


@lru_cache(maxsize=2)
def colin27(stride: int = 2) -> Scene:
    """Every how many-th voxel of the head on the shelf."""
    out = []
    for name in ("labels", "T1"):
        image = nib.load(SHELF / f"colin27_{name}.nii.gz")
        values = np.asarray(image.dataobj)
        if name == "T1" and stride > 1:
            values = ndimage.gaussian_filter(values.astype(np.float32), 0.4 * stride)
        values = values[::stride, ::stride, ::stride].copy()
        values.flags.writeable = False
        out += [values, image.affine @ np.diag([stride, stride, stride, 1.0])]
    labels, affine, t1, t1_affine = out
    return Scene(labels, affine, t1, t1_affine)


def places(scene: Scene) -> np.ndarray:
    """(i, j, k, 3) mm of the labels' voxels."""
    indices = np.moveaxis(np.indices(scene.labels.shape), 0, -1).astype(np.float64)
    return indices @ scene.affine[:3, :3].T + scene.affine[:3, 3]


def turned(axis: str, degrees: float, about=(0.0, -18.0, 8.0)) -> np.ndarray:
    """(4, 4) a turn about an axis through a place, mm."""
    out = np.eye(4)
    out[:3, :3] = Rotation.from_euler(axis, degrees, degrees=True).as_matrix()
    out[:3, 3] = np.asarray(about) - out[:3, :3] @ about
    return out


def flipped(*axes: int) -> np.ndarray:
    """(4, 4) that changes the sign of world axes."""
    out = np.eye(4)
    for axis in axes:
        out[axis, axis] = -1.0
    return out


def scaled(*factors: float) -> np.ndarray:
    return np.diag([*factors, 1.0])


def cut(stride: int, axis: int, low: float = -np.inf, high: float = np.inf) -> Scene:
    """The head, with what lies outside an interval of a world axis (mm) out of the image's view."""
    scene = colin27(stride)
    out = {}
    for values, affine in (("labels", "affine"), ("t1", "t1_affine")):
        array, matrix = getattr(scene, values), getattr(scene, affine).copy()
        at = matrix[axis, 3] + matrix[axis, axis] * np.arange(array.shape[axis])
        kept = np.flatnonzero((at >= low) & (at <= high))
        matrix[axis, 3] = at[kept[0]]
        out |= {values: np.take(array, kept, axis=axis), affine: matrix}
    return replace(scene, **out)


def ventricles(stride: int, grown: float) -> Scene:
    """The head with ventricles wider by some mm, as in atrophy and hydrocephalus."""
    scene = colin27(stride)
    labels, t1 = scene.labels.copy(), scene.t1.astype(np.float32)
    distance = np.linalg.norm((places(scene) - (0.0, -12.0, 12.0)) / (1.0, 1.7, 1.0), axis=-1)
    fluid, _ = ndimage.label((labels == 3) & (distance < 26))
    seeds = np.bincount(fluid.ravel())
    seeds[0] = 0
    inside = fluid == seeds.argmax()
    wide = ndimage.distance_transform_edt(~inside, sampling=stride) <= grown
    return _filled(replace(scene, labels=labels, t1=t1), wide & np.isin(labels, (1, 2)), 3)


def _filled(scene: Scene, mask: np.ndarray, tag: int) -> Scene:
    """With a tag in the labels, and the brightness of fluid in the T1, over a mask of the labels' grid."""
    labels, t1 = scene.labels.copy(), scene.t1.astype(np.float32)
    labels[mask] = tag
    back = np.linalg.inv(scene.affine) @ scene.t1_affine
    on_t1 = ndimage.affine_transform(mask.astype(np.float32), back[:3, :3], back[:3, 3], output_shape=t1.shape, order=1)
    fluid = float(np.percentile(t1[on_t1 == 0], 60)) * 0.3
    return replace(scene, labels=labels, t1=np.where(on_t1 > 0.5, fluid, t1).astype(np.float32))


def stroke_of(scene: Scene, cm3: float) -> np.ndarray:
    """(i, j, k) the voxels of brain and CSF of the left hemisphere nearest to a place, by volume."""
    at = places(scene)
    allowed = np.isin(scene.labels, (1, 2, 3)) & (at[..., 0] < -4) & (at[..., 2] > -30)
    distance = np.where(allowed, np.linalg.norm((at - STROKE) / (1.0, 1.4, 1.2), axis=-1), np.inf)
    voxels = int(cm3 * 1e3 / abs(np.linalg.det(scene.affine[:3, :3])))
    mask = np.zeros(scene.labels.shape, dtype=bool)
    mask.ravel()[np.argsort(distance, axis=None, kind="stable")[:voxels]] = True
    return mask


def cavity(stride: int, cm3: float, masked: bool) -> Scene:
    """A cavity that the segmenter took for fluid, with its mask or without."""
    scene = colin27(stride)
    mask = stroke_of(scene, cm3)
    out = _filled(scene, mask, 3)
    return out.with_lesion(mask) if masked else out


def relabelled(stride: int, numbers: dict[int, int]) -> Scene:
    """With tissue numbers exchanged."""
    scene = colin27(stride)
    table = np.arange(256, dtype=np.uint8)
    table[list(numbers)] = list(numbers.values())
    return replace(scene, labels=table[scene.labels])


def resampled(spacing: float) -> Scene:
    """On a grid of other voxels."""
    scene = colin27(1)
    out = {}
    for values, affine, order in (("labels", "affine", 0), ("t1", "t1_affine", 1)):
        array, matrix = getattr(scene, values), getattr(scene, affine)
        shape = tuple(int(n / spacing) for n in array.shape)
        out[values] = ndimage.affine_transform(array, np.full(3, spacing), output_shape=shape, order=order)
        out[affine] = matrix @ scaled(spacing, spacing, spacing)
    return replace(scene, **out)


def stored_mirrored(stride: int) -> Scene:
    """Stored from right to left, as the affine says: the same head."""
    scene = colin27(stride)
    out = {}
    for values, affine in (("labels", "affine"), ("t1", "t1_affine")):
        array, matrix = getattr(scene, values), getattr(scene, affine)
        back = np.diag([-1.0, 1.0, 1.0, 1.0])
        back[0, 3] = array.shape[0] - 1
        out |= {values: array[::-1], affine: matrix @ back}
    return replace(scene, **out)


def stored_sagittal(stride: int) -> Scene:
    """Stored front to back, top to bottom, left to right, as the affine says: the same head."""
    scene = colin27(stride)
    out = {}
    for values, affine in (("labels", "affine"), ("t1", "t1_affine")):
        array, matrix = getattr(scene, values), getattr(scene, affine)
        old_from_new = np.zeros((4, 4))
        old_from_new[[1, 2, 0, 3], [0, 1, 2, 3]] = -1.0, -1.0, 1.0, 1.0
        old_from_new[1, 3], old_from_new[2, 3] = array.shape[1] - 1, array.shape[2] - 1
        out |= {values: np.moveaxis(array, 0, 2)[::-1, ::-1], affine: matrix @ old_from_new}
    return replace(scene, **out)


def atrophied(stride: int) -> Scene:
    """Grey matter thinner by a layer of voxels, and wider fluid."""
    scene = colin27(stride)
    grey = scene.labels == 2
    near = ndimage.binary_dilation(scene.labels == 3) & grey
    return replace(scene, labels=np.where(near & (places(scene)[..., 2] > 0), 3, scene.labels).astype(np.uint8))


def labels_elsewhere(stride: int, world: np.ndarray) -> Scene:
    """The T1 in its place, its labels moved: they do not belong together."""
    scene = colin27(stride)
    return replace(scene, affine=world @ scene.affine)


def lost_header(stride: int, sagittal: bool) -> Scene:
    """A header that lost its place: one voxel one step, counted from a corner."""
    scene = stored_sagittal(stride) if sagittal else colin27(stride)
    bare = scaled(stride, stride, stride)
    shared = np.linalg.inv(scene.affine) @ scene.t1_affine
    return replace(
        scene, affine=bare, t1_affine=bare @ shared, head_from_colin=bare @ np.linalg.inv(scene.affine)
    )  # fmt: skip


def shifted(x: float, y: float, z: float) -> np.ndarray:
    """(4, 4) a shift, mm."""
    out = np.eye(4)
    out[:3, 3] = x, y, z
    return out


def cases() -> Iterator[Case]:
    """All of them: the right ones first."""
    right: dict[str, Callable[[int], Scene]] = {
        "as it is": colin27,
        "0.8 mm voxels": lambda stride: resampled(0.8),
        "stored from right to left": stored_mirrored,
        "stored in sagittal order": stored_sagittal,
        "chin up by 30 degrees": lambda stride: colin27(stride).moved(turned("x", 30)),
        "head turned by 30 degrees": lambda stride: colin27(stride).moved(turned("z", 30)),
        "head tilted by 30 degrees": lambda stride: colin27(stride).moved(turned("y", 30)),
        "far from the origin": lambda stride: colin27(stride).moved(shifted(30, -60, 80)),
        "a small head, 0.88": lambda stride: colin27(stride).moved(scaled(0.88, 0.88, 0.88)),
        "a large head, 1.1": lambda stride: colin27(stride).moved(scaled(1.1, 1.1, 1.1)),
        "a long narrow head": lambda stride: colin27(stride).moved(scaled(0.94, 1.08, 1.0)),
        "ventricles + 6 mm": lambda stride: ventricles(stride, 6),
        "ventricles + 12 mm": lambda stride: ventricles(stride, 12),
        "atrophy": atrophied,
        "cut below z = -50": lambda stride: cut(stride, 2, low=-50),
        **{
            f"cavity of {cm3} cm3, masked": lambda stride, cm3=cm3: cavity(stride, cm3, True)
            for cm3 in (50, 100, 150, 250, 400)
        },
    }
    doubtful: dict[str, Callable[[int], Scene]] = {
        "cut below z = -20": lambda stride: cut(stride, 2, low=-20),
        "cut above z = 45": lambda stride: cut(stride, 2, high=45),
        "cut in front of y = 30": lambda stride: cut(stride, 1, high=30),
        "cut right of x = 40": lambda stride: cut(stride, 0, high=40),
        **{
            f"cavity of {cm3} cm3, no mask": lambda stride, cm3=cm3: cavity(stride, cm3, False)
            for cm3 in (50, 150, 250, 400)
        },
        "cavity of 560 cm3, masked": lambda stride: cavity(stride, 560, True),
        "lost header, voxels in order": lambda stride: lost_header(stride, False),
    }
    wrong: dict[str, Callable[[int], Scene]] = {
        "LPS read as RAS": lambda stride: colin27(stride).moved(flipped(0, 1)),
        "front and back exchanged": lambda stride: colin27(stride).moved(flipped(1)),
        "up and down exchanged": lambda stride: colin27(stride).moved(flipped(2)),
        "upside down, left and right": lambda stride: colin27(stride).moved(flipped(0, 2)),
        "lost header, sagittal order": lambda stride: lost_header(stride, True),
        "lying, 90 degrees": lambda stride: colin27(stride).moved(turned("x", 90)),
        "voxels stated 42 % too large": lambda stride: colin27(stride).moved(scaled(1.42, 1.42, 1.42)),
        "white and grey exchanged": lambda stride: relabelled(stride, {1: 2, 2: 1}),
        "labels mirrored": lambda stride: labels_elsewhere(stride, flipped(0)),
        "labels LPS": lambda stride: labels_elsewhere(stride, flipped(0, 1)),
        "labels 40 mm too far right": lambda stride: labels_elsewhere(stride, shifted(40, 0, 0)),
        "labels 10 mm too high": lambda stride: labels_elsewhere(stride, shifted(0, 0, 10)),
        "labels 5 mm too far back": lambda stride: labels_elsewhere(stride, shifted(0, -5, 0)),
    }
    for expected, group in (("right", right), ("doubtful", doubtful), ("wrong", wrong)):
        for name, made in group.items():
            yield Case(name, expected, made)


def named(name: str, stride: int = 2) -> Scene:
    """The scene of a case."""
    return next(case.made(stride) for case in cases() if case.name == name)
