"""Diffusion tensors from a series of diffusion-weighted images, by weighted linear least squares on their logarithms.

The weights are the squared signals first, then those that the first fit predicts (Veraart et al., NeuroImage
2013;81:335).  The images pass by one at a time, twice; they are taken as they are: what moves, bends or brightens them
is for other programs.
"""

from collections.abc import Callable, Iterator
from itertools import islice

import numpy as np

from neuro_field.arrays import AnyArray, BoolArray, FloatArray
from neuro_field.errors import InputError
from neuro_field.findings import Finding
from neuro_field.mri.gradients import Gradients
from neuro_field.mri.tensor_axes import turned, world_from_axes
from neuro_field.mri.tensor_image import TensorImage
from neuro_field.mri.volume import Volume
from neuro_field.nouns import noun

#: Up to this, s/mm2, the signal decays as the tensor says; stronger images are left out where the others are enough.
GAUSSIAN = 1600.0

#: The design of a fit: its worst determined tensor is at most so many times less sure than its best.
MOST_CONDITION = 100.0

#: Voxels brighter than this share of the bright ones are fitted.
DARK = 0.1

#: Share of a voxel's signals that may be 0, negative or NaN.
MOST_LOST = 0.1

#: Voxels that are fitted at most: their sums take 300 bytes each.
MOST_VOXELS = 4_000_000

#: Images that are summed at a time, and voxels that are solved at a time.
_TOGETHER, _BLOCK = 8, 100_000

#: A series' images (i, j, k), one after the other; may be asked for several times.
Images = Callable[[], Iterator[AnyArray]]


@noun
class _Chosen:
    """Which images of a series are fitted, (n,), and their design (n, 7): -6 components, and the unweighted signal."""

    used: BoolArray
    design: FloatArray


def fitted_tensors(images: Images, gradients: Gradients, affine: FloatArray, axes: str = "fsl") -> TensorImage:
    """Tensors of a series of diffusion-weighted images.

    Parameters
    ----------
    images : callable
        Gives the images (i, j, k) in the order of the gradients; asked three times.
    gradients : Gradients
    affine : (4, 4) array
        Voxel index to world mm of the images.
    axes : {"fsl", "voxel", "world", "lps"}
        Of the b-vectors; see `neuro_field.mri.tensor_axes`.

    Returns
    -------
    TensorImage
        mm2/s, along the world's axes; its ``image`` is the mean of the images without diffusion weighting.

    Raises
    ------
    InputError
        If the directions do not determine a tensor, or too many voxels are to be fitted.
    """
    turn = world_from_axes(axes, affine)
    chosen = _chosen(gradients)
    mean, mask = _reference(images, gradients)
    first = _fit(images, chosen, mean, mask, None)
    values = np.zeros((*mean.shape, 6), dtype=np.float32)
    values[mask] = turned(1e-3 * _fit(images, chosen, mean, mask, first)[:, :6], turn)
    return TensorImage(
        values, affine, image=Volume(mean, affine), axes=axes, findings=_told(gradients, chosen)
    )  # fmt: skip


def _chosen(gradients: Gradients) -> _Chosen:
    """The images up to `GAUSSIAN` where these determine a tensor, else all."""
    design = np.column_stack([-gradients.design, np.ones(len(gradients.b))])
    weak = gradients.b <= GAUSSIAN
    for used in (weak, np.ones(len(weak), dtype=bool)):
        if _condition(design[used]) <= MOST_CONDITION:
            return _Chosen(used, design)
    directions = len(np.unique(np.round(np.abs(gradients.directions[~gradients.unweighted]), 2), axis=0))
    raise InputError(
        f"Diffusion images must be weighted along at least six directions that do not lie in few planes, and one be "
        f"weighted less than the others; instead {len(gradients.b)} images along {directions} directions determine no "
        "tensor: give the whole series."
    )


def _condition(design: FloatArray) -> float:
    """How far apart the surest and the least sure of a fit's seven unknowns are, each in the unit of its column."""
    if len(design) < 7:
        return np.inf
    sizes = np.linalg.norm(design, axis=0)
    return float(np.linalg.cond(design / sizes)) if (sizes > 0).all() else np.inf


def _reference(images: Images, gradients: Gradients) -> tuple[FloatArray, BoolArray]:
    """The mean (i, j, k) of the least weighted images, and where it is bright enough to be fitted."""
    low = gradients.b <= max(float(gradients.b.min()), 50.0)
    total: AnyArray | None = None
    for image, counted in zip(images(), low, strict=True):
        if counted:
            shown = np.nan_to_num(np.asarray(image, dtype=np.float32), posinf=0.0, neginf=0.0)
            total = shown if total is None else total + shown
    assert total is not None  # the smallest is among them
    mean = total / float(low.sum())
    mask = mean > DARK * np.percentile(mean[mean > 0], 98) if (mean > 0).any() else np.zeros(mean.shape, dtype=bool)
    count = int(np.count_nonzero(mask))
    if not count:
        raise InputError("Diffusion images must show something; instead those without diffusion weighting are dark.")
    if count > MOST_VOXELS:
        raise InputError(
            f"Diffusion images must show at most {MOST_VOXELS} voxels of a head; instead {count} are bright: set what "
            "lies outside the brain to 0, or resample them more coarsely."
        )
    return mean, mask


def _fit(
    images: Images, chosen: _Chosen, mean: FloatArray, mask: BoolArray, first: FloatArray | None
) -> FloatArray:  # fmt: skip
    """Tensors and log signals (v, 7), um2/ms, of the masked voxels; 0 where too many signals are lost."""
    rows, columns = np.triu_indices(7)
    count = int(np.count_nonzero(mask))
    sums, right, lost = np.zeros((count, len(rows))), np.zeros((count, 7)), np.zeros(count)
    own = mean[mask].astype(np.float64)
    design = chosen.design[chosen.used]
    taken = _used(images, chosen)
    for start in range(0, len(design), _TOGETHER):
        part = design[start : start + _TOGETHER]
        with np.errstate(invalid="ignore"):  # NaN of any kind is a signal that is lost
            signals = np.array([image[mask] for image in islice(taken, len(part))], dtype=np.float64) / own
        good = np.isfinite(signals) & (signals > 0)
        signals = np.where(good, signals, 1.0)
        weights = signals**2 if first is None else np.exp(2 * np.clip(part @ first.T, -20, 5))
        weights = np.where(good, weights, 0.0)
        sums += weights.T @ (part[:, rows] * part[:, columns])
        right += (weights * np.log(signals)).T @ part
        lost += (~good).sum(axis=0)
    out = np.zeros((count, 7))
    kept = np.flatnonzero(lost <= MOST_LOST * chosen.used.sum())
    for start in range(0, len(kept), _BLOCK):
        at = kept[start : start + _BLOCK]
        normal = np.zeros((len(at), 7, 7))
        normal[:, rows, columns] = normal[:, columns, rows] = sums[at]
        normal += 1e-12 * np.trace(normal, axis1=1, axis2=2)[:, None, None] * np.eye(7)
        out[at] = np.linalg.solve(normal, right[at][..., None])[..., 0]
    return out


def _used(images: Images, chosen: _Chosen) -> Iterator[AnyArray]:
    return (image for image, used in zip(images(), chosen.used, strict=True) if used)


def _told(gradients: Gradients, chosen: _Chosen) -> tuple[Finding, ...]:
    """What was fitted, and that nothing was corrected."""
    used = gradients.b[chosen.used]
    told = {"used": len(used), "images": len(gradients.b), "strongest": float(used.max())}
    out = [Finding("tensor-fitted", "note", told)]
    if used.max() > GAUSSIAN:
        out.append(Finding("tensor-strong-weighting", "warn", {"strongest": float(used.max()), "most": GAUSSIAN}))
    return tuple(out)
