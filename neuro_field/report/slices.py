"""Slices through a head's images with its tissues outlined, and histograms, as PNG bytes."""

import io
from functools import cache
from typing import Any

import numpy as np

from neuro_field.arrays import AnyArray, BoolArray, FloatArray
from neuro_field.head.mapping import MniMapping
from neuro_field.head.tissues import tags_of
from neuro_field.mri.volume import Volume

#: Outlines of tissues, outside in, in colours that stay apart for colour-blind eyes (Okabe and Ito).
OUTLINES = {
    "scalp": "#E69F00",
    "skull": "#F0E442",
    "csf": "#56B4E9",
    "grey_matter": "#D55E00",
    "white_matter": "#FFFFFF",
    "lesion": "#CC79A7",
}

#: Colour of openings of the skull, and how near a slice, mm, a point of one is drawn on it.
OPENING, NEAR_SLICE = "#E41A1C", 3.0

#: Colour of the MNI152 brain's outline.
TEMPLATE = "#009E73"

#: The planes: name, the head-frame axes that run rightwards and upwards in the picture, the axis across,
#: and the letters of its left and right edges.
PLANES = (
    ("axial", 0, 1, 2, "L", "R"),
    ("coronal", 0, 2, 1, "L", "R"),
    ("sagittal", 1, 2, 0, "P", "A"),
)

#: Samples of a slice are this far apart, mm.
_STEP = 0.8


def slice_pictures(
    labels: Volume,
    t1: Volume | None,
    focus: FloatArray,
    mapping: MniMapping | None,
    openings: FloatArray | None = None,
) -> dict[str, bytes]:
    """Three planes through a point: the T1 (or the labels) with tissue outlines and the MNI152 brain's outline.

    Parameters
    ----------
    labels : Volume
        Tissue tags.
    t1 : Volume, optional
    focus : (3,) array
        mm, head frame.
    mapping : AffineMapping or WarpedMapping, optional
        Without one the template's outline is left out.
    openings : (m, 3) array, optional
        Points of openings of the skull, mm, head frame: marked where a slice meets them.

    Returns
    -------
    dict of str to bytes
        PNG by plane: "axial", "coronal", "sagittal"; the patient's left is on the left.
    """
    low, high = labels.box
    out = {}
    for name, across, up, through, left, right in PLANES:
        x, y = (np.arange(low[axis] - 5, high[axis] + 5, _STEP) for axis in (across, up))
        flat = plane_points(x, y, (across, up, through), focus[through]).reshape(-1, 3)
        tags = labels.at(flat, 0).reshape(len(y), len(x))
        grey = tags if t1 is None else t1.at(flat, 1).reshape(len(y), len(x))
        template = None if mapping is None else _template_at(mapping.to_mni(flat)).reshape(len(y), len(x))
        title = f"{'xyz'[through]} = {focus[through]:.0f} mm"
        near = np.zeros((0, 3)) if openings is None else openings
        near = near[np.abs(near[:, through] - focus[through]) < NEAR_SLICE][:, [across, up]]
        out[name] = _slice(x, y, grey, tags, template, near, title, left, right)
    return out


def plane_points(x: FloatArray, y: FloatArray, axes: tuple[int, int, int], height: float) -> FloatArray:
    """(len(y), len(x), 3) points of a plane, mm: ``axes`` are those along x, along y, and across at ``height``."""
    points = np.empty((len(y), len(x), 3))
    across, up, through = axes
    points[..., across], points[..., up], points[..., through] = x, y[:, None], height
    return points


def _template_at(points: FloatArray) -> AnyArray:
    """Share (m,) of brain in the MNI152 template at points of MNI space, mm."""
    mask, affine = _template()
    return Volume(mask, affine).at(points, 1)


@cache
def _template() -> tuple[BoolArray, FloatArray]:
    """nilearn's packaged MNI152 brain mask at 2 mm, and its affine."""
    from nilearn import datasets

    image = datasets.load_mni152_brain_mask(resolution=2)
    return np.asarray(image.dataobj) > 0, np.asarray(image.affine, dtype=np.float64)


def _slice(
    x: FloatArray, y: FloatArray, grey: AnyArray, tags: AnyArray, template: AnyArray | None, marks: FloatArray,
    title: str, left: str, right: str,
) -> bytes:  # fmt: skip
    figure, axes = new_figure(6.0, 6.0 * len(y) / len(x) + 0.4)
    draw_slice(axes, x, y, grey, tags, template, marks, title, left, right)
    return as_png(figure)


def draw_slice(
    axes: Any, x: FloatArray, y: FloatArray, grey: AnyArray, tags: AnyArray, template: AnyArray | None,
    marks: FloatArray, title: str, left: str, right: str,
) -> None:  # fmt: skip
    """The image of a slice on a figure's axes, with outlines of tissues, marked points and the letters of its sides."""
    top = float(np.percentile(grey[tags > 0], 99)) if (tags > 0).any() else 1.0
    axes.imshow(
        grey, cmap="gray", vmin=0, vmax=top, origin="lower", extent=(x[0], x[-1], y[0], y[-1]), interpolation="nearest"
    )
    for name, colour in OUTLINES.items():
        mask = np.isin(tags, tags_of(name))
        if mask.any() and not mask.all():
            axes.contour(x, y, mask, levels=[0.5], colors=[colour], linewidths=1.6 if name == "lesion" else 0.7)
    if template is not None and (template > 0.5).any():
        axes.contour(x, y, template, levels=[0.5], colors=[TEMPLATE], linewidths=1.4, linestyles="dashed")
    if len(marks):
        axes.plot(*marks.T, "s", color=OPENING, markersize=3.0)
    for words, place, side in ((left, 0.02, "left"), (right, 0.98, "right")):
        axes.text(place, 0.96, words, transform=axes.transAxes, color="white", ha=side, va="top", weight="bold")
    axes.set_title(title, fontsize=10)
    axes.set_axis_off()


def histogram(values: FloatArray, bins: FloatArray, x_label: str, y_label: str) -> bytes:
    """A PNG of how many values fall between bins, on a logarithmic scale."""
    figure, axes = new_figure(6.0, 3.2)
    axes.hist(values, bins=bins, color="#0072B2")
    axes.set_yscale("log")
    axes.set_xlabel(x_label)
    axes.set_ylabel(y_label)
    return as_png(figure)


def new_figure(width: float, height: float, rows: int = 1, columns: int = 1) -> tuple[Any, Any]:
    """A figure of a size in inches, with axes in rows and columns."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots(rows, columns)


def as_png(figure: Any) -> bytes:
    """What a figure looks like."""
    out = io.BytesIO()
    figure.savefig(out, format="png", dpi=110)
    return out.getvalue()
