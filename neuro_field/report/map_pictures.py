"""Pictures of a motor map: R2 on the cortex, the curve at the site with its data, and how the site settled."""

from typing import Any

import numpy as np

from neuro_field.arrays import FloatArray
from neuro_field.hotspot.curves import CRITERION, FLOOR
from neuro_field.hotspot.motor_map import MotorMap
from neuro_field.report.slices import as_png, new_figure

#: Colours that every reader tells apart (Okabe and Ito): site, area, data, curve, what never doses.
SITE, AREA, DATA, CURVE, MIDPOINT = "#D55E00", "#111111", "#56B4E9", "#0072B2", "#777777"

#: Points of the convergence that are worth a line, at least.
_STEPS = 2


def map_pictures(found: MotorMap) -> dict[str, bytes]:
    """PNGs by name: "cortex", and with a site "curve" and "convergence"; numbers and units only, in any language."""
    out = {"cortex": _cortex(found)}
    if found.best is not None:
        out["curve"] = _curve(found)
        if len(found.convergence) >= _STEPS:
            out["convergence"] = _convergence(found)
    return out


def planes(found: MotorMap) -> FloatArray:
    """(3, 3) rows: across and up as the coil sees the cortex (up is the head's front), and into the head."""
    into = found.pulses.poses[:, :3, 2].mean(axis=0)
    into = into / max(float(np.linalg.norm(into)), 1e-12)
    front = np.array([0.0, 1.0, 0.0])
    if abs(into @ front) > np.cos(np.radians(20)):  # over the forehead or the back of the head the vertex is up
        front = np.array([0.0, 0.0, 1.0])
    up = front - (front @ into) * into
    up /= np.linalg.norm(up)
    return np.stack([np.cross(into, up), up, into])


def _cortex(found: MotorMap) -> bytes:
    """The points of the cortex, coloured by R2, from where the coil was and from beside it."""
    figure, axes = _pair()
    middle = found.points.mean(axis=0)
    across, up, into = planes(found)
    order = np.argsort(found.r2)  # what explains most lies on top
    shown = None
    for axis, (first, second), names in (
        (axes[0], (across, up), ("mm", "mm")), (axes[1], (across, -into), ("mm", "mm")),
    ):  # fmt: skip
        flat = (found.points - middle) @ np.stack([first, second], axis=1)
        shown = axis.scatter(*flat[order].T, c=found.r2[order], s=14, cmap="viridis", vmin=0, linewidths=0)
        inside = flat[found.area]
        axis.scatter(*inside.T, s=26, facecolors="none", edgecolors=AREA, linewidths=0.8)
        if found.best is not None:
            place = (found.best - middle) @ np.stack([first, second], axis=1)
            axis.plot(*place, "+", color=SITE, markersize=16, markeredgewidth=2.5)
        axis.set_aspect("equal")
        axis.set_xlabel(names[0])
        axis.set_ylabel(names[1])
    figure.colorbar(shown, ax=axes, label="R²", shrink=0.8)
    return as_png(figure)


def _pair() -> tuple[Any, Any]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10.5, 4.6), layout="constrained")
    return figure, figure.subplots(1, 2)


def _curve(found: MotorMap) -> bytes:
    """Amplitudes under the fields at the site, the fitted curve, the threshold, and apart from it the midpoint."""
    assert found.curve is not None
    figure, axes = new_figure(6.0, 4.2)
    amplitudes = np.maximum(found.pulses.amplitudes, FLOOR)
    axes.plot(found.fields, amplitudes, "o", color=DATA, markersize=4, markeredgewidth=0)
    along = np.linspace(0.9 * float(found.fields.min()), 1.05 * float(found.fields.max()), 200)
    axes.plot(along, np.maximum(found.curve.at(along), FLOOR / 4), color=CURVE, linewidth=2)
    axes.axhline(CRITERION, color=SITE, linewidth=0.8, linestyle=":")
    if found.threshold is not None:
        axes.axvline(found.threshold, color=SITE, linewidth=1.6)
    axes.axvline(found.curve.midpoint, color=MIDPOINT, linewidth=1.2, linestyle="--")
    axes.set_xlim(along[0], along[-1])
    axes.set_yscale("log")
    axes.set_xlabel("V/m")
    axes.set_ylabel("µV")
    return as_png(figure)


def _convergence(found: MotorMap) -> bytes:
    """How far from the site fewer pulses would have put it."""
    figure, axes = new_figure(6.0, 4.2)
    counts, distances = np.array(found.convergence).T
    axes.plot(counts, distances, "o-", color=CURVE)
    axes.set_ylim(bottom=0)
    axes.set_xlabel("n")
    axes.set_ylabel("mm")
    return as_png(figure)
