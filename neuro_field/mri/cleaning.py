"""Make tissue labels fit to be meshed: one head, no specks, closed layers; the brain keeps its border."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from neuro_field.arrays import BoolArray, FloatArray, read_only, transformed
from neuro_field.errors import InputError
from neuro_field.findings import Finding, Value
from neuro_field.geometry.voxels import as_affine, voxel_sizes
from neuro_field.head.tissues import BY_TAG, tags_of
from neuro_field.mri.islands import join_islands, join_outer_islands, one_brain, one_head, present
from neuro_field.mri.labels import Labels, as_labels
from neuro_field.mri.layers import close_csf, close_scalp, close_skull, fill_dura
from neuro_field.mri.regions import BRAIN, EYES, INTRACRANIAL, SCALP, SKULL, mask_of, volume_of
from neuro_field.nouns import noun

#: Width of the Gaussian that smooths the borders of skull, scalp and air, mm.
SMOOTHING = 0.8

#: Free space kept around the head, mm, so that a layer cut by the image border can be closed.
MARGIN = 6.0

#: Share of a tissue's volume that cleaning may change without a word, and the volume, cm3, that is told whatever its
#: share; changes below the least are not.
NOTEWORTHY_CHANGE, LARGE_CHANGE, LEAST_CHANGE = 0.1, 40.0, 5.0

#: Bone or scalp that layers may be closed with without a word, cm3: in all (the base of any skull has gaps in labels),
#: and above the middle of the brain.
NOTEWORTHY_INVENTED, NOTEWORTHY_ABOVE = 40.0, 5.0

#: Brain that may be taken away without a word, cm3.
NOTEWORTHY_BRAIN = 0.5

#: Brain that reaches the border of the image over more than this, cm2, is no spinal cord: the image cuts the brain.
LARGEST_STEM = 8.0


@dataclass(frozen=True)
class CleaningReport:
    """What cleaning did.

    ``before_cm3`` and ``after_cm3`` hold the volume of each tissue by name, ``moved_cm3`` the volume that
    each step relabelled, ``invented_cm3`` the bone and scalp that layers were closed with, ``padding`` the voxels
    added before and after each axis, ``seconds`` the time it took.
    """

    before_cm3: dict[str, float]
    after_cm3: dict[str, float]
    moved_cm3: dict[str, float]
    invented_cm3: dict[str, float]
    padding: tuple[tuple[int, int], ...]
    seconds: float
    findings: tuple[Finding, ...]

    @property
    def change_cm3(self) -> dict[str, float]:
        """Volume gained by each tissue, cm3."""
        names = self.before_cm3 | self.after_cm3
        return {name: self.after_cm3.get(name, 0.0) - self.before_cm3.get(name, 0.0) for name in names}


@noun
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


def _smooth_outside(labels: Labels, sizes: FloatArray) -> None:
    """Smooth the borders between skull, scalp and air, in place; brain, CSF, blood and eyes do not move."""
    fixed = mask_of(labels, (*INTRACRANIAL, EYES))
    sigma = SMOOTHING / sizes
    most = ndimage.gaussian_filter(fixed.astype(np.float32), sigma)
    smooth = labels.copy()
    for tag in present(labels[~fixed]):
        share = ndimage.gaussian_filter((labels == tag).astype(np.float32), sigma)
        more = share > most
        smooth[more] = tag
        most[more] = share[more]
    np.copyto(labels, smooth, where=~fixed)


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


def _cut_brain(labels: Labels, affine: FloatArray) -> list[Finding]:
    """Whether the border of the image cut the brain, and over what area."""
    sizes, brain = voxel_sizes(affine), mask_of(labels, BRAIN)
    area = sum(
        np.count_nonzero(np.take(brain, -end, axis=axis)) * sizes.prod() / sizes[axis] / 100
        for axis in range(3)
        for end in (0, 1)
    )
    return [Finding("build-image-cuts-brain", "warn", {"area_cm2": float(area)})] if area > LARGEST_STEM else []


def _large_changes(before: dict[str, float], after: dict[str, float]) -> list[Finding]:
    """Tissues whose volume cleaning changed so much that a person should look."""
    out = []
    for name in before | after:
        was, cm3 = before.get(name, 0.0), after.get(name, 0.0)
        if abs(cm3 - was) > min(max(NOTEWORTHY_CHANGE * was, LEAST_CHANGE), LARGE_CHANGE):
            values: dict[str, Value] = {"tissue": name, "before_cm3": was, "after_cm3": cm3, "change_cm3": cm3 - was}
            out.append(Finding("build-volume-changed", "warn", values))
    return out


def _densest(mask: BoolArray, affine: FloatArray) -> dict[str, float]:
    """x, y and z, mm, of where most of a mask lies."""
    thick = ndimage.gaussian_filter(mask.astype(np.float32), 6.0 / voxel_sizes(affine))
    place = np.array(np.unravel_index(int(thick.argmax()), mask.shape), dtype=np.float64)
    return dict(zip("xyz", transformed(place[None], affine)[0].tolist(), strict=True))


def _invented(
    changed: Mapping[str, BoolArray], brain: BoolArray, affine: FloatArray
) -> tuple[dict[str, float], list[Finding]]:
    """How much bone and scalp the layers were closed with, cm3, and where most of it, if it is much."""
    sizes, cm3, found = voxel_sizes(affine), {}, []
    middle = transformed(np.argwhere(brain).mean(axis=0)[None], affine)[0, 2]
    for name, step in (("bone", "skull layer"), ("scalp", "scalp layer")):
        mask = changed[step]
        cm3[name] = volume_of(mask, sizes)
        above = np.count_nonzero(transformed(np.argwhere(mask).astype(np.float64), affine)[:, 2] > middle)
        above_cm3 = float(above * sizes.prod() / 1e3)
        if cm3[name] > NOTEWORTHY_INVENTED or above_cm3 > NOTEWORTHY_ABOVE:
            values: dict[str, Value] = {
                "tissue": name,
                "cm3": cm3[name],
                "above_cm3": above_cm3,
                **_densest(mask, affine),
            }
            found.append(Finding("build-layers-invented", "warn", values))
    return cm3, found


def _brain_removed(given: Labels, mask: BoolArray, affine: FloatArray) -> list[Finding]:
    """Brain that was taken away for lying apart from the brain, if it is more than specks."""
    brain = mask & mask_of(given, tags_of("brain"))
    cm3 = volume_of(brain, voxel_sizes(affine))
    if cm3 < NOTEWORTHY_BRAIN:
        return []
    return [Finding("build-brain-removed", "warn", {"cm3": cm3, **_densest(brain, affine)})]


def clean_labels(
    labels: Labels,
    affine: FloatArray,
    *,
    skull: float = 2.0,
    scalp: float = 2.0,
    opening: BoolArray | None = None,
) -> CleanedLabels:
    """Tissue labels made fit to be meshed.

    One head is kept, and the brain with the islands of half a cubic centimetre and more inside the dura; the borders
    of skull, scalp and air are smoothed (those of brain and CSF are not), and smaller islands join their neighbours;
    holes inside the dura become CSF; then layers are closed from inside out: at least one voxel of CSF around the
    brain, ``skull`` mm of bone around the dura, ``scalp`` mm of scalp towards the air outside. Where the head reaches
    the border of the image, other than below at the neck, the image is padded with air first, so that a scalp cut off
    at the top is closed as well.

    Parameters
    ----------
    labels : (i, j, k) uint8 array
        Tissue tags, 0 air (`neuro_field.mri.labels.to_tissues`); a lesion in them stays.
    affine : (4, 4) array
        Voxel index to world mm (RAS); voxels may be anisotropic.
    skull, scalp : float
        Least thickness, mm; a voxel at least.
    opening : (i, j, k) bool array, optional
        Where no bone is made: over an open skull (`neuro_field.mri.skull_holes.over`).

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
    _check_tissues(given, affine)
    work = given.copy()
    one_head(work, voxel_sizes(affine))
    moved = {"one head": volume_of((given > 0) & (work == 0), voxel_sizes(affine))}
    work, moved_affine, padding = _padded(work, affine)
    kept_open = np.zeros(work.shape, dtype=bool) if opening is None else np.pad(opening, padding)
    padded = work.copy()
    changed = _through_steps(work, voxel_sizes(affine), skull, scalp, kept_open)
    moved |= {name: volume_of(mask, voxel_sizes(affine)) for name, mask in changed.items()}
    volumes = tissue_volumes(given, affine), tissue_volumes(work, affine)
    invented, told = _invented(changed, mask_of(work, BRAIN), moved_affine)
    findings = (
        *_cuts(given, affine, padding), *_cut_brain(given, affine), *_large_changes(*volumes), *told,
        *_brain_removed(padded, changed["one brain"], moved_affine),
    )  # fmt: skip
    report = CleaningReport(*volumes, moved, invented, padding, time.perf_counter() - start, findings)
    work.flags.writeable = False
    return CleanedLabels(work, read_only(moved_affine), report)


def _check_tissues(labels: Labels, affine: FloatArray) -> None:
    for name, tags in (("grey matter", (2,)), ("bone", SKULL), ("scalp", (SCALP,))):
        if not mask_of(labels, tags).any():
            raise InputError(
                f"Input labels must hold {name}; instead found {sorted(tissue_volumes(labels, affine))} "
                "(segment with SAMSEG or SimNIBS charm, which draw skull and scalp)."
            )


def _through_steps(
    work: Labels, sizes: FloatArray, skull: float, scalp: float, kept_open: BoolArray
) -> dict[str, BoolArray]:
    """The steps of cleaning one after another, in place; the voxels that each changed."""
    steps: list[tuple[str, Callable[[Labels, FloatArray], None]]] = [
        ("one brain", one_brain),
        ("smoothing", _smooth_outside),
        ("islands", join_islands),
        ("holes in the dura", fill_dura),
        ("CSF layer", close_csf),
        ("skull layer", lambda work, sizes: close_skull(work, sizes, skull, kept_open)),
        ("scalp layer", lambda work, sizes: close_scalp(work, sizes, scalp)),
        ("islands again", join_outer_islands),
        ("one head again", one_head),
    ]
    changed = {}
    for name, step in steps:
        before = work.copy()
        step(work, sizes)
        changed[name] = work != before
    return changed
