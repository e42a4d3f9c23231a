"""Axial slices through a head's lesion and targets beside one another, the targets marked, as PNG bytes."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from neuro_field.arrays import FloatArray
from neuro_field.mri.volume import Volume
from neuro_field.report.slices import as_png, draw_slice, new_figure, plane_points

#: Slices, how many of them stand in a row, and how far below and above what they show they reach, mm.
SLICES, IN_A_ROW, BEYOND = 12, 4, 4.0

#: Samples of a slice are this far apart, mm.
_STEP = 1.2

#: Colour of the mark of a target: bright on every image, and dark around it.
MARK = "#78DCFF"


def mosaic(
    labels: Volume, t1: Volume | None, lesion: FloatArray, targets: Mapping[int, FloatArray], openings: FloatArray
) -> bytes:
    """A picture of slices from the lowest of lesion, targets and openings of the skull to the highest.

    Parameters
    ----------
    labels : Volume
        Tissue tags.
    t1 : Volume, optional
    lesion : (m, 3) array
        Points of the lesion, mm, head frame; none of a head without.
    targets : mapping of int to (3,) array
        Centres by the number that is written beside them: each stands on the slice nearest to it.
    openings : (m, 3) array
        Points of openings of the skull, mm, head frame.

    Returns
    -------
    bytes
        PNG; the patient's left is on the left.
    """
    heights = heights_of(lesion, np.array(list(targets.values())).reshape(-1, 3), openings)
    half = np.diff(heights).max() / 2
    low, high = labels.box
    x, y = (np.arange(low[axis], high[axis], _STEP) for axis in (0, 1))
    rows = SLICES // IN_A_ROW
    figure, axes = new_figure(11.0, rows * (11.0 / IN_A_ROW * len(y) / len(x) + 0.25), rows, IN_A_ROW)
    for panel, height in zip(axes.ravel(), heights, strict=True):
        flat = plane_points(x, y, (0, 1, 2), height).reshape(-1, 3)
        tags = labels.at(flat, 0).reshape(len(y), len(x))
        grey = tags if t1 is None else t1.at(flat, 1).reshape(len(y), len(x))
        near = openings[np.abs(openings[:, 2] - height) < half][:, :2]
        draw_slice(panel, x, y, grey, tags, None, near, f"z = {height:.0f} mm", "L", "R")
        for number, place in targets.items():
            if heights[np.abs(heights - place[2]).argmin()] == height:
                _mark(panel, number, place, outwards=1 if place[0] > (low[0] + high[0]) / 2 else -1)
    return as_png(figure)


def heights_of(lesion: FloatArray, targets: FloatArray, openings: FloatArray) -> FloatArray:
    """(SLICES,) heights of the slices, mm, lowest first: even over all of these, one in the lesion's middle."""
    every = np.concatenate([lesion[:, 2], targets[:, 2], openings[:, 2]])
    out = np.linspace(every.min() - BEYOND, every.max() + BEYOND, SLICES)
    if len(lesion):
        middle = float(np.median(lesion[:, 2]))
        out[np.abs(out - middle).argmin()] = middle
    return out


def _mark(axes: Any, number: int, place: FloatArray, outwards: int) -> None:
    """A ring of 5 mm, and the target's number on its outer side: those of both hemispheres may nearly touch."""
    from matplotlib.patches import Circle

    for colour, width in (("black", 3.0), (MARK, 1.4)):
        axes.add_patch(Circle((place[0], place[1]), 5.0, fill=False, color=colour, linewidth=width))
    axes.annotate(
        str(number), (place[0], place[1]), xytext=(8 * outwards, 0), textcoords="offset points", color=MARK,
        fontsize=8, ha="left" if outwards > 0 else "right", va="center", weight="bold",
        bbox={"facecolor": "black", "pad": 1.0, "linewidth": 0},
    )  # fmt: skip
