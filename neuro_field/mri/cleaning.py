"""Make tissue labels fit to be meshed: one head, no specks, closed layers; the brain keeps its border."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from scipy.spatial import cKDTree

from neuro_field.arrays import BoolArray, FloatArray, read_only
from neuro_field.errors import InputError
from neuro_field.findings import Finding
from neuro_field.head.tissues import BY_TAG, tags_of
from neuro_field.mri.labels import Labels, as_labels
from neuro_field.mri.volume import as_affine, voxel_sizes

AIR, CSF, BONE, SCALP, EYES, BLOOD = 0, 3, 4, 5, 6, 9
LESION = tags_of("lesion")
BRAIN = (*tags_of("brain"), *LESION)
INTRACRANIAL = (*BRAIN, CSF, BLOOD)
SKULL = tags_of("skull")

#: Islands smaller than this join their neighbours, mm3; lesions are the physician's drawing and are kept.
SMALLEST_ISLAND = {AIR: 1000.0, 1: 50.0, 2: 50.0, EYES: 1000.0, SCALP: 1000.0} | dict.fromkeys(LESION, 0.0)
SMALLEST_OTHER_ISLAND = 200.0

#: Width of the Gaussian that smooths the borders of skull, scalp and air, mm.
SMOOTHING = 0.8

#: Free space kept around the head, mm, so that a layer cut by the image border can be closed.
MARGIN = 6.0

#: Share of a tissue's volume that cleaning may change without a word.
NOTEWORTHY_CHANGE = 0.1

FACE = ndimage.generate_binary_structure(3, 1)
EVERY_NEIGHBOUR = ndimage.generate_binary_structure(3, 3)


@dataclass(frozen=True)
class CleaningReport:
    """What cleaning did.

    ``before_cm3`` and ``after_cm3`` hold the volume of each tissue by name, ``moved_cm3`` the volume that
    each step relabelled, ``padding`` the voxels added before and after each axis, ``seconds`` the time it
    took.
    """

    before_cm3: dict[str, float]
    after_cm3: dict[str, float]
    moved_cm3: dict[str, float]
    padding: tuple[tuple[int, int], ...]
    seconds: float
    findings: tuple[Finding, ...]

    @property
    def change_cm3(self) -> dict[str, float]:
        """Volume gained by each tissue, cm3."""
        names = self.before_cm3 | self.after_cm3
        return {name: self.after_cm3.get(name, 0.0) - self.before_cm3.get(name, 0.0) for name in names}


@dataclass(frozen=True, eq=False)
class CleanedLabels:
    """Cleaned tissue labels, the affine of their (possibly padded) grid, and the report."""

    labels: Labels
    affine: FloatArray
    report: CleaningReport


def tissue_volumes(labels: Labels, affine: FloatArray) -> dict[str, float]:
    """Volume of each tissue of a label image, cm3, by name; air is left out."""
    counts = np.bincount(labels.ravel(), minlength=1)
    voxel = abs(float(np.linalg.det(affine[:3, :3]))) / 1e3
    return {BY_TAG[tag].name: float(counts[tag] * voxel) for tag in np.flatnonzero(counts).tolist() if tag in BY_TAG}


def _in(labels: Labels, tags: Sequence[int]) -> BoolArray:
    """Mask of the voxels that carry one of the tags."""
    table = np.zeros(256, dtype=bool)
    table[list(tags)] = True
    return table[labels]


def _largest(mask: BoolArray) -> BoolArray:
    """The largest face-connected piece of a mask."""
    pieces, count = ndimage.label(mask, FACE)
    if count <= 1:
        return mask
    sizes = np.bincount(pieces.ravel())
    sizes[0] = 0
    return np.asarray(pieces == sizes.argmax())


def _padded(labels: Labels, affine: FloatArray) -> tuple[Labels, FloatArray, tuple[tuple[int, int], ...]]:
    """Labels with free space on every side but the one below, where the neck is cut and stays open.

    Which side lies below is read from the affine: the end of the axis most aligned with world z that points
    down.
    """
    sizes = voxel_sizes(affine)
    vertical = int(np.argmax(np.abs(affine[2, :3]) / sizes))
    below = 0 if affine[2, vertical] > 0 else 1
    filled = [np.flatnonzero((labels > 0).any(axis=tuple(b for b in range(3) if b != a))) for a in range(3)]
    padding = []
    for axis in range(3):
        free = (int(filled[axis][0]), labels.shape[axis] - 1 - int(filled[axis][-1]))
        needed = int(np.ceil(MARGIN / sizes[axis]))
        padding.append(tuple(0 if (axis, end) == (vertical, below) else max(0, needed - free[end]) for end in (0, 1)))
    moved = affine.copy()
    moved[:3, 3] -= affine[:3, :3] @ [before for before, _ in padding]
    return np.pad(labels, padding), moved, tuple((int(a), int(b)) for a, b in padding)


def _to_neighbours(labels: Labels, bad: BoolArray, sizes: FloatArray) -> None:
    """Give every voxel of a mask the label of the nearest voxel outside it, in place."""
    if not bad.any():
        return
    rim = ndimage.binary_dilation(bad, FACE) & ~bad
    donors = np.argwhere(rim)
    nearest = cKDTree(donors * sizes).query(np.argwhere(bad) * sizes)[1]
    labels[bad] = labels[tuple(donors[nearest].T)]


def _present(labels: Labels) -> list[int]:
    """Tags that occur, in order."""
    return [int(tag) for tag in np.flatnonzero(np.bincount(labels.ravel()))]


def _join_islands(labels: Labels, sizes: FloatArray) -> None:
    """Small islands of every label take the labels around them, in place; the largest piece always stays."""
    _join_islands_of(labels, _present(labels), sizes, FACE)


def _join_outer_islands(labels: Labels, sizes: FloatArray) -> None:
    """The same for air and soft tissue, which layers may have broken; thin ones may hang on by a corner."""
    tags = [tag for tag in _present(labels) if tag not in (*INTRACRANIAL, *SKULL, EYES)]
    _join_islands_of(labels, tags, sizes, EVERY_NEIGHBOUR)


def _join_islands_of(labels: Labels, tags: list[int], sizes: FloatArray, neighbours: BoolArray) -> None:
    bad = np.zeros(labels.shape, dtype=bool)
    for tag in tags:
        smallest = SMALLEST_ISLAND.get(tag, SMALLEST_OTHER_ISLAND) / sizes.prod()
        pieces, count = ndimage.label(labels == tag, FACE if tag == AIR else neighbours)
        if count > 1:
            voxels = np.bincount(pieces.ravel())
            island = voxels < smallest
            island[0] = island[1 + voxels[1:].argmax()] = False
            bad |= island[pieces]
    _to_neighbours(labels, bad, sizes)


def _one_head(labels: Labels, sizes: FloatArray) -> None:
    """Drop what floats outside the head, in place."""
    labels[~_largest(labels > 0)] = AIR


def _one_brain(labels: Labels, sizes: FloatArray) -> None:
    """Turn brain away from the brain into CSF, in place; a lesion stays where it was drawn."""
    brain = _in(labels, BRAIN)
    labels[brain & ~_largest(brain) & ~_in(labels, LESION)] = CSF


def _smooth_outside(labels: Labels, sizes: FloatArray) -> None:
    """Smooth the borders between skull, scalp and air, in place; brain, CSF, blood and eyes do not move."""
    fixed = _in(labels, (*INTRACRANIAL, EYES))
    sigma = SMOOTHING / sizes
    most = ndimage.gaussian_filter(fixed.astype(np.float32), sigma)
    smooth = labels.copy()
    for tag in _present(labels[~fixed]):
        share = ndimage.gaussian_filter((labels == tag).astype(np.float32), sigma)
        more = share > most
        smooth[more] = tag
        most[more] = share[more]
    np.copyto(labels, smooth, where=~fixed)


def _fill_dura(labels: Labels, sizes: FloatArray) -> None:
    """Bone, soft tissue or air enclosed by brain and CSF becomes CSF, in place."""
    inside = _in(labels, INTRACRANIAL)
    labels[ndimage.binary_fill_holes(inside) & ~inside] = CSF


def _within(mask: BoolArray, distance: float, sizes: FloatArray) -> BoolArray:
    """Voxels outside a mask with their centre within a distance (mm) of it, at least its face neighbours."""
    reach = np.maximum(np.floor(distance / sizes + 1e-9), 1).astype(int)
    offsets = np.meshgrid(*(np.arange(-r, r + 1) for r in reach), indexing="ij")
    squares = sum((offset * size) ** 2 for offset, size in zip(offsets, sizes, strict=True))
    ball = squares <= (distance + 1e-6) ** 2
    ball |= sum(np.abs(offset) for offset in offsets) <= 1
    rim = mask & ~ndimage.binary_erosion(mask, FACE, border_value=1)
    grown = np.zeros(np.array(mask.shape) + 2 * reach, dtype=bool)
    points = np.flatnonzero(np.pad(rim, [(r, r) for r in reach]))
    strides = np.array([grown.shape[1] * grown.shape[2], grown.shape[2], 1])
    for step in np.argwhere(ball) - reach:
        grown.ravel()[points + int(step @ strides)] = True
    inner = grown[tuple(slice(r, -r) for r in reach)]
    return np.asarray(inner & ~mask)


def _outside(labels: Labels) -> BoolArray:
    """Air that reaches the border of the image, so not the sinuses."""
    pieces, _ = ndimage.label(np.pad(labels == AIR, 1, constant_values=True), FACE)
    return np.asarray(pieces == pieces[0, 0, 0])[1:-1, 1:-1, 1:-1]


def _close_csf(labels: Labels, sizes: FloatArray) -> None:
    """At least one voxel of CSF around the brain, in place; eyes stay."""
    near = _within(_in(labels, BRAIN), 1.5 * float(sizes.min()), sizes)
    labels[near & (labels != EYES) & (labels != BLOOD)] = CSF


def _close_skull(labels: Labels, sizes: FloatArray, thickness: float) -> None:
    """At least ``thickness`` mm of bone around brain and CSF, in place; bone of any kind counts."""
    near = _within(_in(labels, INTRACRANIAL), thickness, sizes)
    labels[near & ~_in(labels, SKULL)] = BONE


def _close_scalp(labels: Labels, sizes: FloatArray, thickness: float) -> None:
    """At least ``thickness`` mm of scalp between bone and the air outside, in place."""
    near = _within(_in(labels, (*INTRACRANIAL, *SKULL)), thickness, sizes)
    labels[near & _outside(labels)] = SCALP


def _cuts(labels: Labels, affine: FloatArray, padding: tuple[tuple[int, int], ...]) -> list[Finding]:
    """Where the border of the image cut the head."""
    voxel = abs(float(np.linalg.det(affine[:3, :3])))
    sizes = voxel_sizes(affine)
    out = []
    for axis in range(3):
        for end in (0, 1):
            cut = np.count_nonzero(np.take(labels, -end, axis=axis))
            if cut and padding[axis][end]:
                direction = affine[:3, axis] * (1 if end else -1)
                world = int(np.argmax(np.abs(direction)))
                end_named = (("left", "right"), ("back", "front"), ("bottom", "top"))[world][int(direction[world] > 0)]
                area = cut * voxel / sizes[axis] / 100
                out.append(Finding("build-image-cuts-head", "warn", {"end": end_named, "area_cm2": float(area)}))
    return out


def _large_changes(before: dict[str, float], after: dict[str, float]) -> list[Finding]:
    """Tissues whose volume cleaning changed so much that a person should look."""
    return [
        Finding("build-volume-changed", "warn", {"tissue": name, "before_cm3": before.get(name, 0.0), "after_cm3": cm3})
        for name, cm3 in after.items()
        if abs(cm3 - before.get(name, 0.0)) > max(NOTEWORTHY_CHANGE * before.get(name, 0.0), 5.0)
    ]


def clean_labels(labels: Labels, affine: FloatArray, *, skull: float = 2.0, scalp: float = 2.0) -> CleanedLabels:
    """Tissue labels made fit to be meshed.

    One head and one brain are kept; the borders of skull, scalp and air are
    smoothed (those of brain and CSF are not), and islands join their neighbours; holes inside the dura become
    CSF; then layers are closed from inside out: at least one voxel of CSF around the brain, ``skull`` mm of
    bone around that, ``scalp`` mm of scalp towards the air outside. Where the head reaches the border of the
    image, other than below at the neck, the image is padded with air first, so that a scalp cut off at the
    top is closed as well.

    Parameters
    ----------
    labels : (i, j, k) uint8 array
        Tissue tags, 0 air (`neuro_field.mri.labels.to_tissues`).
    affine : (4, 4) array
        Voxel index to world mm (RAS); voxels may be anisotropic.
    skull, scalp : float
        Least thickness, mm; a voxel at least.

    Returns
    -------
    CleanedLabels
        With the affine of the padded grid.

    Raises
    ------
    InputError
        If there is no grey matter, no bone or no scalp.
    """
    start = time.perf_counter()
    given = as_labels(labels, "labels of clean_labels").astype(np.uint8)
    affine = as_affine(affine, "affine of clean_labels")
    for name, tags in (("grey matter", (2,)), ("bone", SKULL), ("scalp", (SCALP,))):
        if not _in(given, tags).any():
            raise InputError(
                f"Input labels must hold {name}; instead found {sorted(tissue_volumes(given, affine))} "
                "(segment with SAMSEG or SimNIBS charm, which draw skull and scalp)."
            )
    work = given.copy()
    _one_head(work, voxel_sizes(affine))
    work, moved_affine, padding = _padded(work, affine)
    sizes = voxel_sizes(affine)
    steps: list[tuple[str, Callable[[Labels, FloatArray], None]]] = [
        ("one brain", _one_brain),
        ("smoothing", _smooth_outside),
        ("islands", _join_islands),
        ("holes in the dura", _fill_dura),
        ("CSF layer", _close_csf),
        ("skull layer", lambda work, sizes: _close_skull(work, sizes, skull)),
        ("scalp layer", lambda work, sizes: _close_scalp(work, sizes, scalp)),
        ("islands again", _join_outer_islands),
        ("one head again", _one_head),
    ]
    voxel = abs(float(np.linalg.det(affine[:3, :3]))) / 1e3
    moved = {"one head": float(np.count_nonzero(given) - np.count_nonzero(work)) * voxel}
    for name, step in steps:
        before = work.copy()
        step(work, sizes)
        moved[name] = float(np.count_nonzero(work != before) * voxel)
    volumes = tissue_volumes(given, affine), tissue_volumes(work, affine)
    findings = (*_cuts(given, affine, padding), *_large_changes(*volumes))
    report = CleaningReport(*volumes, moved, padding, time.perf_counter() - start, findings)
    work.flags.writeable = False
    return CleanedLabels(work, read_only(moved_affine), report)
