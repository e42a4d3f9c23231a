"""Along which way a head's brain conducts best, on slices: whether tensors run along the fibres; as PNG bytes."""

from collections.abc import Callable
from typing import Any

import numpy as np

from neuro_field.arrays import AnyArray, FloatArray
from neuro_field.geometry.locate import locate
from neuro_field.head.model import HeadModel
from neuro_field.mri.volume import Volume
from neuro_field.report.slices import PLANES, as_png, new_figure

#: Samples of a slice, and the lines drawn in it, are this far apart, mm; lines are this long.
_STEP, _APART, _LONG = 0.8, 2.4, 2.2

#: Anisotropy from which on a line is drawn, and at which a colour is full.
_LEAST, _FULL = 0.2, 0.6

#: Around the brain, mm.
_MARGIN = 4.0

#: Planes that are drawn a second time with left and right of every direction exchanged: in the axial one this looks
#: as front and back exchanged, in the coronal one as up and down, so that every wrong sign is seen in one of them.
MIRRORED = ("axial", "coronal")


def has_directions(head: HeadModel) -> bool:
    """Whether any element conducts better along one way than along another."""
    sigma = head.conductivity
    if sigma.ndim == 1:
        return False
    size = sigma[:, 0, 0][:, None, None] * np.eye(3)
    return bool(np.abs(sigma - size).max() > 1e-6 * np.abs(sigma).max())


def direction_pictures(head: HeadModel, t1: Volume | None) -> dict[str, bytes]:
    """Three planes through the middle of the white matter, with the principal direction of each place as a line.

    Colours are the usual ones: red to left and right, green to front and back, blue up and down; pale where all
    directions are nearly alike. Lines are as long as they lie in the plane.

    Parameters
    ----------
    head : HeadModel
        With conductivity tensors.
    t1 : Volume, optional
        Beneath them.

    Returns
    -------
    dict of str to bytes
        PNG by plane: "axial", "coronal", "sagittal", and behind the first two "axial-mirrored" and "coronal-mirrored",
        with left and right of every direction exchanged: what a wrong b-vector table looks like. The patient's left is
        on the left.
    """
    white = head.region("white_matter") if head.region("white_matter").any() else head.region("brain")
    focus = np.average(head.mesh.centroids[white], axis=0, weights=head.mesh.volumes[white])
    out = {}
    for plane in PLANES:
        out[plane[0]] = _plane(head, t1, focus, plane, lambda along: along)
        if plane[0] in MIRRORED:
            out[f"{plane[0]}-mirrored"] = _plane(head, t1, focus, plane, lambda along: along * [-1.0, 1.0, 1.0], True)
    return out


def _plane(
    head: HeadModel, t1: Volume | None, focus: FloatArray, plane: tuple[str, int, int, int, str, str],
    change: Callable[[FloatArray], FloatArray], wrong: bool = False,
) -> bytes:  # fmt: skip
    _, across, up, through, left, right = plane
    nodes = head.mesh.nodes[np.unique(head.mesh.tets[head.region("brain")])]
    low, high = nodes.min(axis=0) - _MARGIN, nodes.max(axis=0) + _MARGIN
    grid = _grid(low, high, focus, (across, up, through), _STEP)
    x, y, points = grid
    along, anisotropy = _directions(head, points.reshape(-1, 3))
    colours = (np.abs(change(along)) * np.clip(anisotropy / _FULL, 0, 1)[:, None]).reshape(len(y), len(x), 3)
    figure, axes = new_figure(8.0, 8.0 * len(y) / len(x) + 0.4)
    axes.imshow(
        np.clip(_grey(t1, points) * (1 - colours.max(axis=2, keepdims=True)) + colours, 0, 1), origin="lower",
        extent=(x[0], x[-1], y[0], y[-1]), interpolation="nearest",
    )  # fmt: skip
    _lines(axes, head, _grid(low, high, focus, (across, up, through), _APART)[2], (across, up), change)
    for words, place, side in ((left, 0.02, "left"), (right, 0.98, "right")):
        axes.text(place, 0.97, words, transform=axes.transAxes, color="white", ha=side, va="top", weight="bold")
    title = f"{'xyz'[through]} = {focus[through]:.0f} mm"
    if wrong:
        axes.set_title(f"✗ L ⇄ R: {title}", fontsize=10, color="#c00000", weight="bold")
    else:
        axes.set_title(title, fontsize=10)
    axes.set_axis_off()
    return as_png(figure)


def _grid(
    low: FloatArray, high: FloatArray, focus: FloatArray, axes: tuple[int, int, int], step: float
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Places along both sides of a plane, and its points (y, x, 3), mm."""
    across, up, through = axes
    x, y = (np.arange(low[axis], high[axis], step) for axis in (across, up))
    points = np.empty((len(y), len(x), 3))
    points[..., across], points[..., up], points[..., through] = x, y[:, None], focus[through]
    return x, y, points


def _grey(t1: Volume | None, points: FloatArray) -> AnyArray:
    """The T1 at points (y, x, 3) as dark greys (y, x, 1)."""
    if t1 is None:
        return np.zeros((*points.shape[:2], 1))
    values = t1.at(points.reshape(-1, 3), 1).reshape(*points.shape[:2], 1)
    top = float(np.percentile(values, 99))
    return np.clip(0.6 * values / max(top, 1e-9), 0, 1)


def _directions(head: HeadModel, points: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Unit principal directions (m, 3) and anisotropies (m,), 0 to 1, of the conductivity at points (m, 3) mm."""
    elements = locate(head.mesh, points)[0]
    along, anisotropy = np.zeros((len(points), 3)), np.zeros(len(points))
    inside = np.flatnonzero(elements >= 0)
    inside = inside[head.region("brain")[elements[inside]]]
    values, vectors = np.linalg.eigh(head.conductivity[elements[inside]])
    apart = values - values.mean(axis=1, keepdims=True)
    anisotropy[inside] = np.sqrt(1.5 * (apart**2).sum(axis=1) / (values**2).sum(axis=1))
    along[inside] = vectors[:, :, 2]
    return along, anisotropy


def _lines(
    axes: Any, head: HeadModel, points: FloatArray, plane: tuple[int, int], change: Callable[[FloatArray], FloatArray]
) -> None:
    """A white line along the principal direction at each point that has one."""
    from matplotlib.collections import LineCollection

    flat = points.reshape(-1, 3)
    along, anisotropy = _directions(head, flat)
    shown = anisotropy > _LEAST
    middle, half = flat[shown][:, plane], 0.5 * _LONG * change(along[shown])[:, plane]
    axes.add_collection(
        LineCollection(list(np.stack([middle - half, middle + half], axis=1)), colors="white", linewidths=1.1)
    )
