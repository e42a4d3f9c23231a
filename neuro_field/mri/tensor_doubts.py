"""Whether diffusion tensors are a head's: positive in its brain, anisotropic in its white matter, along fibres."""

from typing import TYPE_CHECKING

import numpy as np

from neuro_field.arrays import AnyArray, FloatArray, IntArray, transformed
from neuro_field.errors import InputError
from neuro_field.findings import Finding
from neuro_field.geometry.locate import locate
from neuro_field.head.anisotropy import is_positive
from neuro_field.head.tissues import tags_of
from neuro_field.mri.agreement import BETTER, STEP, Fit, fits_of
from neuro_field.mri.fiber_coherence import coherence_doubts
from neuro_field.mri.tensor_axes import matrices
from neuro_field.mri.volume import Volume
from neuro_field.nouns import noun

if TYPE_CHECKING:
    from neuro_field.head.model import HeadModel

#: Of the brain's voxels with a tensor so many may have one that is not positive: noise makes a few.
MOST_WRONG = 0.2

#: More of them than this is to be read first.
MANY_WRONG = 0.05

#: A better place this near, mm, is told; one farther away is refused: echo-planar images are bent by some millimetres.
NEAR = 1.5 * STEP

#: Anisotropy of which the head's tissues explain less than this tells nothing of where it lies.
LEAST_RATIO = 0.02

#: A mirror image must fit better than a shift by this to be named.
ALIKE = 0.02

#: Anisotropy that varies by less than this (standard deviation) shows no tissue.
LEAST_SPREAD = 1e-3


@noun
class BrainVoxels:
    """Voxels of a tensor image that lie in white or grey matter: ``index`` (m, 3), ``white`` (m,), tensors (m, 6)."""

    index: IntArray
    white: AnyArray
    values: FloatArray


def doubts_of(
    values: AnyArray, affine: FloatArray, readings: FloatArray, axes: str, head: "HeadModel"
) -> tuple[Finding, ...]:
    """What has to be said of tensors in a head; see `neuro_field.mri.tensor_image.TensorImage.doubts`.

    Parameters
    ----------
    values : (i, j, k, 6) array
        Along the axes of the head frame.
    affine : (4, 4) array
        Voxel index to mm of the head frame.
    readings : (4, 3, 3) array
        To the head frame from each of `neuro_field.mri.tensor_axes.AXES`.
    axes : str
        The one along which the components were stored.
    head : HeadModel
    """
    brain = brain_voxels(values, affine, head)
    if not len(brain.index):
        return ()  # whoever looks for tensors in the elements says so
    return (
        *_of_values(brain),
        *_of_place(values, affine, head),
        *coherence_doubts(brain.index[brain.white], brain.values[brain.white], affine, readings, axes),
    )


def brain_voxels(values: AnyArray, affine: FloatArray, head: "HeadModel") -> BrainVoxels:
    """Voxels in white or grey matter with a tensor, be it a wrong one."""
    index = _voxels_about(head, affine, values.shape)
    given = values[tuple(index.T)]
    some = ~(np.isnan(given).all(axis=1) | (given == 0).all(axis=1))
    index, given = index[some], given[some]
    elements = locate(head.mesh, transformed(index.astype(np.float64), affine))[0]
    tags = np.where(elements >= 0, head.mesh.tags[elements], 0)
    brain = np.isin(tags, tags_of("brain"))
    white = tags[brain] == tags_of("white_matter")[0]
    return BrainVoxels(index[brain], white, given[brain].astype(np.float64))


def _voxels_about(head: "HeadModel", affine: FloatArray, shape: tuple[int, ...]) -> IntArray:
    """(m, 3) voxels of an image in the box of the head's brain."""
    nodes = head.mesh.nodes[np.unique(head.mesh.tets[head.region("brain")])]
    voxels = transformed(nodes, np.asarray(np.linalg.inv(affine), dtype=np.float64))
    low = np.clip(np.floor(voxels.min(axis=0)), 0, shape[:3]).astype(int)
    high = np.clip(np.ceil(voxels.max(axis=0)) + 1, low, shape[:3]).astype(int)
    return (np.indices(tuple(high - low)).reshape(3, -1).T + low).astype(np.int32)


def _of_values(brain: BrainVoxels) -> tuple[Finding, ...]:
    """Refuse where many tensors are none; tell of a few."""
    finite = np.isfinite(brain.values).all(axis=1)
    eigenvalues = np.asarray(np.linalg.eigvalsh(matrices(brain.values[finite])), dtype=np.float64)
    positive = is_positive(eigenvalues)
    none = int(np.count_nonzero(~finite) + np.count_nonzero(~positive))
    part = int(np.count_nonzero((eigenvalues[:, 0] <= 0) & positive))
    count = len(brain.index)
    wrong = (none + part) / count
    if wrong > MOST_WRONG:
        raise InputError(
            f"Diffusion tensors must be finite and positive; instead {none + part} of {count} voxels of the brain hold "
            f"none that is ({wrong:.0%}; {MOST_WRONG:.0%} is allowed for noise): check the order of the components "
            "(--tensor-order), or fit them again."
        )
    if not none + part:
        return ()
    level = "warn" if wrong > MANY_WRONG else "note"
    return (Finding("tensor-not-positive", level, {"part": part, "none": none, "voxels": count, "share": wrong}),)


def _of_place(values: AnyArray, affine: FloatArray, head: "HeadModel") -> tuple[Finding, ...]:
    """Refuse tensors whose anisotropy fits the head's tissues clearly better elsewhere, or mirrored."""
    anisotropy = Volume(fractional_anisotropy(values), affine)
    if anisotropy.values.std() < LEAST_SPREAD:
        return (Finding("tensor-place-unchecked", "warn", {"ratio": 0.0, "least": LEAST_RATIO}),)
    given, *others = fits_of(_tissues(head), anisotropy)
    moved = others[0]
    best = max(others, key=lambda fit: fit.ratio)
    best = moved if moved.ratio > best.ratio - ALIKE else best  # a shift is the plainer reason
    if best.ratio < LEAST_RATIO:
        return (Finding("tensor-place-unchecked", "warn", {"ratio": best.ratio, "least": LEAST_RATIO}),)
    if best.ratio <= BETTER[0] * given.ratio + BETTER[1]:
        return ()
    if best.turned != "as-given" or best.away > NEAR:
        raise InputError(
            f"The diffusion tensors must lie on this head; instead their anisotropy fits its white matter"
            f"{_way(best)} ({best.ratio:.2f} against {given.ratio:.2f} as given): give an image that lies with them "
            "(--tensor-image), so that they are brought to the T1, or mend the image's header."
        )
    told = {"away": best.away, "ratio": given.ratio, "better": best.ratio}
    return (Finding("tensor-place-off", "warn", told),)


def _way(fit: Fit) -> str:
    turned = "" if fit.turned == "as-given" else f" {fit.turned.replace('-', ' ')}"
    return f"{turned} better" + (f" moved by {fit.away:.0f} mm" if fit.away >= STEP else "")


def _tissues(head: "HeadModel") -> Volume:
    """White matter, grey matter and fluid of a head on a grid of `STEP` mm."""
    low, high = (bound(head.mesh.nodes[np.unique(head.mesh.tets[head.region("intracranial")])], axis=0)
                 for bound in (np.min, np.max))  # fmt: skip
    shape = tuple(int(n) for n in np.ceil((high - low) / STEP) + 1)
    affine = np.diag([STEP, STEP, STEP, 1.0])
    affine[:3, 3] = low
    places = transformed(np.indices(shape).reshape(3, -1).T.astype(np.float64), affine)
    elements = locate(head.mesh, places)[0]
    tags = np.where(elements >= 0, head.mesh.tags[elements], 0)
    tags = np.where(np.isin(tags, tags_of("brain") + tags_of("csf")), tags, 0)
    return Volume(tags.reshape(shape).astype(np.uint8), affine)


def fractional_anisotropy(values: AnyArray) -> AnyArray:
    """(...) of tensors (..., 6), 0 (all ways alike) to 1, by their entries alone; 0 where there is no tensor."""
    xx, xy, xz, yy, yz, zz = np.moveaxis(np.nan_to_num(values, posinf=0.0, neginf=0.0), -1, 0)
    mean = (xx + yy + zz) / 3
    off = 2 * (xy**2 + xz**2 + yz**2)
    apart = (xx - mean) ** 2 + (yy - mean) ** 2 + (zz - mean) ** 2 + off
    whole = xx**2 + yy**2 + zz**2 + off
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(whole > 0, np.minimum(1.0, np.sqrt(1.5 * apart / whole)), 0.0).astype(np.float32)
