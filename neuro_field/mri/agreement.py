"""Whether a T1 and the labels or the lesion mask said to belong to it do: by the brightness of what they mark."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import fft, ndimage

from neuro_field.arrays import AnyArray, BoolArray, FloatArray, transformed
from neuro_field.errors import InputError
from neuro_field.findings import Finding
from neuro_field.geometry.voxels import voxel_sizes
from neuro_field.head.mapping import MniMapping
from neuro_field.mri.volume import Volume

#: Edge of the voxels in which a T1 and labels are compared, mm.
STEP = 4.0

#: Another place or way must explain so many times as much of the T1 as the one given, and so much more, to be believed.
BETTER = (1.05, 0.02)

#: A T1 of which labels explain less than this is not the image that was labelled, or is no T1.
LEAST_RATIO = 0.1

#: How far around a lesion its T1 is compared with that within, and in which steps, mm.
AROUND = 8.0
FINE = 2.0

#: As one drawn in MNI space a mask must explain so many times as much of the T1 as where it is said to lie, and more.
TWICE = 2.0
MORE = 0.1

#: Fewer voxels of an overlap than this share of the labels tell nothing.
LEAST_SHARED = 0.5


@dataclass(frozen=True)
class Fit:
    """How well labels explain a T1 when they lie in one way: ``ratio``, the share of its variance within the head.

    ``turned`` names the way, one of `WAYS`; ``shift`` (3,) mm along the world's axes, from where they are said to lie.
    """

    turned: str
    ratio: float
    shift: tuple[float, float, float]

    @property
    def away(self) -> float:
        """Length of the shift, mm."""
        return float(np.linalg.norm(self.shift))


#: Ways labels can have come to lie wrong: the signs of the world's axes that were exchanged.
WAYS = {
    "as-given": (1, 1, 1),
    "mirrored-left-right": (-1, 1, 1),
    "lps": (-1, -1, 1),
    "mirrored-front-back": (1, -1, 1),
    "upside-down": (1, 1, -1),
}


def _on_grid(volume: Volume, low: FloatArray, shape: tuple[int, ...], order: int) -> AnyArray:
    """Averages (order 1) or values (order 0) of an image on a grid of `STEP` along the world's axes from ``low``."""
    world_from_grid = np.diag([STEP, STEP, STEP, 1.0])
    world_from_grid[:3, 3] = low
    voxel_from_grid = np.linalg.inv(volume.affine) @ world_from_grid
    values = volume.values
    if order:
        values = ndimage.gaussian_filter(values.astype(np.float32), 0.3 * STEP / voxel_sizes(volume.affine))
    return ndimage.affine_transform(
        values, voxel_from_grid[:3, :3], voxel_from_grid[:3, 3], output_shape=shape, order=order, cval=0
    )


def _box(volume: Volume) -> tuple[FloatArray, FloatArray]:
    ends = np.array(np.meshgrid(*[(0, n - 1) for n in volume.values.shape])).reshape(3, -1).T
    corners = transformed(ends.astype(np.float64), volume.affine)
    return corners.min(axis=0), corners.max(axis=0)


def fits_of(labels: Volume, t1: Volume) -> Iterator[Fit]:
    """The best shift of the labels on the T1 for each of `WAYS`, and first as they are said to lie, without a shift.

    ``ratio`` is the correlation ratio of the T1 given the labels (Roche et al., MICCAI 1998): the share of the T1's
    variance, within the labelled head, that the mean brightness of each label explains.  Every shift on the grid is
    tried at once, by Fourier transforms.
    """
    (low, high), (own_low, own_high) = _box(t1), _box(labels)
    # the grids share their points, so that no shift is among those tried, and start at a voxel of the labels, so that
    # taking the nearest of coarse voxels does not shift them
    first = -np.floor((low - own_low) / STEP).astype(int)
    view = _shares(t1, own_low - STEP * first, high)
    shape = view[0].shape
    own_shape = tuple(int(n) for n in np.floor((own_high - own_low) / STEP) + 1)
    drawn = _on_grid(labels, own_low, own_shape, 0)
    size = [fft.next_fast_len(a + b, real=True) for a, b in zip(shape, own_shape, strict=True)]
    spectra = [fft.rfftn(part, size) for part in view]
    for name, signs in WAYS.items():
        axes = tuple(axis for axis, sign in enumerate(signs) if sign < 0)
        ratios = _ratios(np.flip(drawn, axes) if axes else drawn, spectra, size)
        if name == "as-given":
            yield Fit(name, float(ratios[tuple(first % size)]), (0.0, 0.0, 0.0))
        best = np.array(np.unravel_index(int(np.argmax(ratios)), ratios.shape))
        away = (best - first + np.array(size) // 2) % size - np.array(size) // 2
        shift = STEP * float(away[0]), STEP * float(away[1]), STEP * float(away[2])
        yield Fit(name, float(ratios[tuple(best)]), shift)


def _shares(t1: Volume, low: FloatArray, high: FloatArray) -> tuple[AnyArray, AnyArray, AnyArray]:
    """Ones, brightness and its square on the grid within the view of a T1."""
    shape = tuple(int(n) for n in np.floor((high - low) / STEP) + 1)
    values = _on_grid(t1, low, shape, 1).astype(np.float32)
    values = np.clip(values, *np.percentile(values, (0.5, 99.5)))
    values = (values / max(float(values.std()), 1e-9)).astype(np.float32)
    inside = Volume(np.ones(t1.values.shape, dtype=np.uint8), t1.affine)
    seen = _on_grid(inside, low, shape, 0).astype(np.float32)
    return seen, values * seen, values**2 * seen


def _ratios(drawn: AnyArray, spectra: list[AnyArray], size: list[int]) -> AnyArray:
    """Correlation ratio at every shift; 0 where too little of the labels lies within the view."""
    counted, within, total, squares = (np.zeros(size, dtype=np.float32) for _ in range(4))
    for tag in np.unique(drawn[drawn > 0]):
        mask = np.conj(fft.rfftn((drawn == tag).astype(np.float32), size))
        count, sums, square = (fft.irfftn(spectrum * mask, size) for spectrum in spectra)
        counted, total, squares = counted + count, total + sums, squares + square
        within = within + np.where(count > 0.5, sums**2 / np.maximum(count, 0.5), 0)
    enough = counted > LEAST_SHARED * np.count_nonzero(drawn)
    counted = np.maximum(counted, 1.0)
    variance = squares / counted - (total / counted) ** 2
    between = within / counted - (total / counted) ** 2
    return np.where(enough, between / np.maximum(variance, 1e-9), 0.0)


def check_labels(labels: Volume, t1: Volume, where: str) -> tuple[Finding, ...]:
    """Refuse labels that explain a T1 better when they are moved or mirrored; what else has to be said of both.

    ``where`` names both for the message.  A mirror image of a head and its labels together is not seen by this.

    Raises
    ------
    InputError
        If less than half of the labels lie within the T1, or another place or way explains clearly more.
    """
    shared = _shared(labels, t1)
    if shared < LEAST_SHARED:
        raise InputError(
            f"{where} must show one head in one world; instead {shared:.0%} of the labels lie within the T1: give the "
            "labels that were made of this very T1, or convert both again."
        )
    given, *others = fits_of(labels, t1)
    best = max(others, key=lambda fit: fit.ratio)
    if best.ratio > BETTER[0] * given.ratio + BETTER[1]:
        way = {
            "as-given": "",
            "mirrored-left-right": " mirrored left-right",
            "lps": " with left and right, front and back exchanged (LPS read as RAS)",
            "mirrored-front-back": " mirrored front-back",
            "upside-down": " upside down",
        }[best.turned]
        moved = f" moved by {best.away:.0f} mm" if best.away >= STEP else ""
        how = f"{way}{' and' if way and moved else ''}{moved}"
        raise InputError(
            f"{where} must show one head in one world; instead the labels fit the T1{how} ({best.ratio:.2f} against "
            f"{given.ratio:.2f} as given): give the labels that were made of this very T1, or convert both again."
        )
    if given.ratio < LEAST_RATIO:
        return (Finding("image-labels-unlike-t1", "warn", {"ratio": given.ratio, "least": LEAST_RATIO}),)
    return ()


def _shared(labels: Volume, t1: Volume) -> float:
    """Share of the labelled head that lies within the view of a T1."""
    inside = 2.0 * np.argwhere(labels.values[::2, ::2, ::2] > 0).astype(np.float64)
    voxels = transformed(transformed(inside, labels.affine), np.asarray(np.linalg.inv(t1.affine), dtype=np.float64))
    return float(((voxels > -1) & (voxels < np.array(t1.values.shape))).all(axis=1).mean()) if len(inside) else 1.0


def check_lesion(mask: Volume, t1: Volume, brain: Volume, mapping: MniMapping) -> tuple[Finding, ...]:
    """What has to be said of a lesion mask that explains the T1 better as one drawn in MNI space.

    Compared is the brightness of the mask's places with that of the brain around it, within `AROUND`.  A lesion that
    the T1 does not show, as a fresh one, tells nothing either way.

    Parameters
    ----------
    mask, t1 : Volume
    brain : Volume
        Not 0 where the brain and its lesion are.
    mapping : AffineMapping or WarpedMapping
        Of the head to MNI152.
    """
    points = transformed(np.argwhere(mask.values > 0).astype(np.float64), mask.affine)
    low = points.min(axis=0) - AROUND
    shape = tuple(int(n) for n in np.ceil((points.max(axis=0) + AROUND - low) / FINE) + 1)
    drawn_from_grid = np.diag([FINE, FINE, FINE, 1.0])
    drawn_from_grid[:3, 3] = low
    places = transformed(np.indices(shape).reshape(3, -1).T.astype(np.float64), drawn_from_grid)
    inside = mask.at(places, 0) > 0
    near = ndimage.distance_transform_edt(~inside.reshape(shape), sampling=FINE).ravel() <= AROUND
    places, inside = places[near], inside[near]
    elsewhere = mapping.from_mni(places)
    given, in_atlas = (_explained(inside, at, t1, brain) for at in (places, elsewhere))
    if in_atlas < TWICE * given + MORE:
        return ()
    apart = float(np.linalg.norm((elsewhere - places)[inside].mean(axis=0)))
    return (Finding("lesion-in-atlas", "warn", {"given": given, "in_atlas": in_atlas, "apart": apart}),)


def _explained(inside: BoolArray, at: FloatArray, t1: Volume, brain: Volume) -> float:
    """The share of the variance of a T1 at places within the brain that being inside explains."""
    counted = brain.at(at, 0) > 0
    inside, bright = inside[counted], t1.at(at[counted], 1).astype(np.float64)
    if not inside.any() or inside.all() or not bright.var():
        return 0.0
    means = np.where(inside, bright[inside].mean(), bright[~inside].mean())
    return float(means.var() / bright.var())
