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
from skulls import bleeding_outside, faceless, flap_of, world

from neuro_field.mri.tables import TABLES

SHELF = Path(__file__).parents[1] / "meshes" / "colin27"

#: The hand knobs, MNI152 mm, which is the world of Colin27 as it is published; left first.
HAND_KNOBS = np.array([(-37.0, -21.0, 58.0), (37.0, -21.0, 58.0)])

#: A cavity of a stroke grows from here, MNI152 mm.
STROKE = (-45.0, -18.0, 32.0)


@dataclass(frozen=True, eq=False)
class Scene:
    """Images of one head in a world: labels and T1 with their affines, a lesion mask, and where the head truly lies.

    ``head_from_colin`` (4, 4) takes mm of Colin27's published world to mm of the world that the affines claim: a lie of
    the affines is in it too, since it says where the anatomy comes to lie.  ``table`` is given with the labels;
    ``atlas`` (4, 4) takes mm of the world to those of an atlas, which the files state ``beside`` the world or alone;
    ``island`` (i, j, k) is living brain within a stroke, on the grid of the labels.
    """

    labels: np.ndarray
    affine: np.ndarray
    t1: np.ndarray
    t1_affine: np.ndarray
    lesion: np.ndarray | None = None
    lesion_affine: np.ndarray | None = None
    head_from_colin: np.ndarray | None = None
    table: str | None = None
    atlas: np.ndarray | None = None
    beside: bool = False
    island: np.ndarray | None = None

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
    """``expected``: "right" must be taken, "wrong" refused or told, "doubtful" may be told, "unseen" no one can tell.

    ``made`` the scene by the stride; ``says`` the code of what must be said of it, ``area`` of an opening, cm2.
    """

    name: str
    expected: str
    made: Callable[[int], Scene]
    says: str = ""
    area: float = 0.0


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
    return world(scene.labels.shape, scene.affine)


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
    labels = scene.labels.copy()
    labels[mask] = tag
    return _painted(replace(scene, labels=labels), mask, 0.3)


def _painted(scene: Scene, mask: np.ndarray, share: float) -> Scene:
    """With a share of the T1's bright parts over a mask of the labels' grid."""
    t1 = scene.t1.astype(np.float32)
    back = np.linalg.inv(scene.affine) @ scene.t1_affine
    on_t1 = ndimage.affine_transform(mask.astype(np.float32), back[:3, :3], back[:3, 3], output_shape=t1.shape, order=1)
    value = share * float(np.percentile(t1[on_t1 == 0], 60))
    return replace(scene, t1=np.where(on_t1 > 0.5, value, t1).astype(np.float32))


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


def with_island(stride: int, cm3: float, masked: bool) -> Scene:
    """A stroke of 150 cm3 with an island of living brain in its middle, which no mask covers."""
    scene = colin27(stride)
    whole = stroke_of(scene, 150 + cm3)
    brain = whole & np.isin(scene.labels, (1, 2))
    distance = np.where(brain, np.linalg.norm(places(scene) - STROKE, axis=-1), np.inf)
    voxels = int(cm3 * 1e3 / abs(np.linalg.det(scene.affine[:3, :3])))
    island = np.zeros(whole.shape, dtype=bool)
    island.ravel()[np.argsort(distance, axis=None, kind="stable")[:voxels]] = True
    out = replace(_filled(scene, whole & ~island, 3), island=island)
    return out.with_lesion(whole & ~island) if masked else out


def opened(stride: int, area: float, side: str, drawn_closed: bool) -> Scene:
    """After a craniectomy: soft tissue for bone in the T1, and in the labels unless the segmenter drew bone there.

    The tables of the skull are thin: voxels of 2 mm mix them with what lies beside them.
    """
    scene = colin27(stride)
    gone, _ = flap_of(scene.labels, scene.affine, area, side)
    labels = scene.labels if drawn_closed else np.where(gone, np.uint8(5), scene.labels)
    return _painted(replace(scene, labels=labels), gone, 1.0)


def defaced(stride: int) -> Scene:
    """Without a face, in labels and T1."""
    scene = colin27(stride)
    gone = faceless(scene.labels, scene.affine)
    return _painted(replace(scene, labels=np.where(gone, np.uint8(0), scene.labels)), gone, 0.0)


def bled(stride: int) -> Scene:
    """With blood under the scalp, outside the skull."""
    scene = colin27(stride)
    return replace(scene, labels=bleeding_outside(scene.labels, scene.affine))


def in_table(stride: int, name: str) -> Scene:
    """In the numbers of another program, which has fewer tissues: eyes are scalp where it draws none."""
    scene, table = colin27(stride), TABLES[name]
    left = places(scene)[..., 0] < 0
    out = np.zeros(scene.labels.shape, dtype=np.uint16)
    for tag in range(1, 7):
        meant = next(t for t in ((tag, 7) if tag == 4 else (tag, 5)) if t in table.tags.values())
        numbers = [number for number, of in table.tags.items() if of == meant]
        for side, others in ((left, table.right), (~left, table.left)):
            here = min(number for number in numbers if number not in others)
            out[(scene.labels == tag) & side] = here
    return replace(scene, labels=out)


def in_atlas(stride: int, matrix: np.ndarray, beside: bool) -> Scene:
    """Stated to lie in an atlas, beside the scanner's world or alone: then its own world is not known."""
    scene = colin27(stride).moved(shifted(12, -20, 30))
    out = replace(scene, atlas=matrix @ np.linalg.inv(scene.world), beside=beside)
    return out if beside else replace(out, head_from_colin=matrix)


def relabelled(stride: int, numbers: dict[int, int], table: str | None = None) -> Scene:
    """With tissue numbers exchanged, and said to be of a table or not."""
    scene = colin27(stride)
    to = np.arange(256, dtype=np.uint8)
    to[list(numbers)] = list(numbers.values())
    return replace(scene, labels=to[scene.labels], table=table)


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
    groups = {"right": _right(), "doubtful": _doubtful(), "wrong": _wrong(), "unseen": _unseen()}
    for expected, group in groups.items():
        for name, made in group.items():
            yield Case(name, expected, made)
    for area in (20.0, 50.0, 80.0):
        for side in ("left", "right"):
            for closed, how in ((False, "open in labels and T1"), (True, "labels closed, T1 open")):
                yield Case(
                    f"craniectomy of {area:g} cm2, {side}, {how}",
                    "right",
                    lambda stride, it=(area, side, closed): opened(1, *it),
                    says="build-skull-open",
                    area=area,
                )
    yield Case("bleeding under the scalp", "right", bled)
    yield Case("defaced", "right", defaced, says="build-face-removed")
    large, own = scaled(1.42, 1.42, 1.42), np.eye(4)
    for name, expected, matrix, beside, says in (
        ("scanner's form and an atlas's, 42 % larger", "right", large, True, "image-atlas-form"),
        ("an atlas's form alone", "doubtful", own, False, "image-atlas-only"),
        ("an atlas's form alone, 42 % larger", "wrong", large, False, ""),
    ):
        yield Case(name, expected, lambda stride, it=(matrix, beside): in_atlas(stride, *it), says=says)


def _right() -> dict[str, Callable[[int], Scene]]:
    return {
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
        **{
            f"island of {cm3} cm3, stroke masked": lambda stride, cm3=cm3: with_island(stride, cm3, True)
            for cm3 in (10, 25)
        },
        **{f"numbers of {name}": lambda stride, name=name: in_table(stride, name) for name in TABLES},
    }


def _doubtful() -> dict[str, Callable[[int], Scene]]:
    return {
        "cut below z = -20": lambda stride: cut(stride, 2, low=-20),
        "cut above z = 45": lambda stride: cut(stride, 2, high=45),
        "cut in front of y = 30": lambda stride: cut(stride, 1, high=30),
        "cut right of x = 40": lambda stride: cut(stride, 0, high=40),
        **{
            f"cavity of {cm3} cm3, no mask": lambda stride, cm3=cm3: cavity(stride, cm3, False)
            for cm3 in (50, 150, 250, 400)
        },
        "cavity of 560 cm3, masked": lambda stride: cavity(stride, 560, True),
        **{
            f"island of {cm3} cm3, no mask": lambda stride, cm3=cm3: with_island(stride, cm3, False) for cm3 in (10, 25)
        },
        "lost header, voxels in order": lambda stride: lost_header(stride, False),
        "white and grey exchanged, as SPM numbers them": lambda stride: relabelled(stride, {1: 2, 2: 1}),
    }


def _wrong() -> dict[str, Callable[[int], Scene]]:
    return {
        "LPS read as RAS": lambda stride: colin27(stride).moved(flipped(0, 1)),
        "front and back exchanged": lambda stride: colin27(stride).moved(flipped(1)),
        "up and down exchanged": lambda stride: colin27(stride).moved(flipped(2)),
        "upside down, left and right": lambda stride: colin27(stride).moved(flipped(0, 2)),
        "lost header, sagittal order": lambda stride: lost_header(stride, True),
        "lying, 90 degrees": lambda stride: colin27(stride).moved(turned("x", 90)),
        "voxels stated 42 % too large": lambda stride: colin27(stride).moved(scaled(1.42, 1.42, 1.42)),
        "white and grey exchanged, table given": lambda stride: relabelled(stride, {1: 2, 2: 1}, "simnibs"),
        "bone and CSF exchanged": lambda stride: relabelled(stride, {3: 4, 4: 3}),
        "bone and CSF exchanged, table given": lambda stride: relabelled(stride, {3: 4, 4: 3}, "simnibs"),
        "labels mirrored": lambda stride: labels_elsewhere(stride, flipped(0)),
        "labels LPS": lambda stride: labels_elsewhere(stride, flipped(0, 1)),
        "labels 40 mm too far right": lambda stride: labels_elsewhere(stride, shifted(40, 0, 0)),
        "labels 10 mm too high": lambda stride: labels_elsewhere(stride, shifted(0, 0, 10)),
        "labels 5 mm too far back": lambda stride: labels_elsewhere(stride, shifted(0, -5, 0)),
    }


def _unseen() -> dict[str, Callable[[int], Scene]]:
    return {"left and right exchanged in both": lambda stride: colin27(stride).moved(flipped(0))}


def written(scene: Scene, folder: Path) -> dict[str, Path]:
    """The scene as files, by the names of what `neuro_field.store.building.prepared_images` takes."""
    out = {}
    images = {"t1": (scene.t1, scene.t1_affine), "labels": (scene.labels, scene.affine)}
    if scene.lesion is not None:
        images["lesion"] = (scene.lesion, scene.lesion_affine)
    for name, (values, affine) in images.items():
        image = nib.Nifti1Image(np.ascontiguousarray(values), affine)
        image.set_qform(None, 0)
        image.set_sform(affine, 1)
        if scene.atlas is not None:
            image.set_sform(scene.atlas @ affine, 4)
            image.set_qform(affine if scene.beside else None, 1 if scene.beside else 0)
        out[name] = folder / f"{name}.nii"
        nib.save(image, out[name])
    return out


def named(name: str, stride: int = 2) -> Scene:
    """The scene of a case."""
    return next(case.made(stride) for case in cases() if case.name == name)
