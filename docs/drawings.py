"""Drawings of frames and signs, from the package's own coils, labels and matrices: docs/made/*.svg."""

from pathlib import Path

import nibabel as nib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.spatial import ConvexHull

import neuro_field as nf
from neuro_field.head.tissues import tags_of
from neuro_field.navigation import brainsight, localite, softaxic
from neuro_field.shelf.coils import coil_card
from neuro_field.shelf.library import folder_on

#: Colours of x, y, z, told apart by colour-blind eyes too, and of what the coil does.
AXES = {"x": "#c0504d", "y": "#3a7d44", "z": "#3b6fb6"}
COPPER, CASING, CURRENT, HANDLE = "#b87333", "#e9e9e4", "#0072b2", "#444444"

#: Depth below the casing face at which arrows of the field are drawn, mm.
DEPTH = 20.0

NAVIGATORS = {
    "neuro_field, SimNIBS,\nANT visor2, NIBS-BIDS": np.eye(4),
    "Localite": localite.AXES,
    "Brainsight, InVesalius": brainsight.AXES,
    "SofTaxic": softaxic.AXES,
}


def draw_all(folder: Path) -> None:
    """Write every drawing."""
    folder.mkdir(exist_ok=True)
    for name, draw in (("coil-frame", coil_frame), ("head-frame", head_frame), ("navigators", navigators)):
        figure = draw()
        figure.savefig(folder / f"{name}.svg", transparent=False, facecolor="white", metadata={"Date": None})


def arrow(axes: Axes, start: tuple[float, float], step: tuple[float, float], colour: str, label: str = "") -> None:
    """An arrow with its name beyond its tip."""
    end = np.add(start, step)
    axes.annotate(
        "",
        end,
        start,
        annotation_clip=False,
        arrowprops={"arrowstyle": "-|>", "color": colour, "lw": 2.2, "shrinkA": 0, "shrinkB": 0},
    )
    if label:
        beyond = end + 4 * np.array(step) / np.linalg.norm(step)
        flat = abs(step[0]) > abs(step[1])
        across = ("left" if step[0] > 0 else "right") if flat else "center"
        up = "center" if flat else ("bottom" if step[1] > 0 else "top")
        axes.text(*beyond, label, color=colour, ha=across, va=up, fontsize=11, weight="bold")


def coil_frame() -> Figure:
    """Two coils from behind, as the operator sees them: windings, handle, axes, and the field at rising current."""
    figure = Figure(figsize=(10, 5.6), layout="constrained")
    for axes, name in zip(figure.subplots(1, 2), ("figure8-70mm", "c-b60"), strict=True):
        coil, card = nf.load_coil(name), coil_card(name)
        _coil(axes, coil, card)
        x, y = np.meshgrid(np.arange(-75, 76, 25.0), np.arange(-50, 51, 25.0))
        field = -coil.dadt(np.stack([x.ravel(), y.ravel(), np.full(x.size, DEPTH)], axis=1))
        axes.quiver(
            -x.ravel(),
            y.ravel(),
            -field[:, 0],
            field[:, 1],
            color=CURRENT,
            scale=14,
            width=0.007,
            pivot="mid",
            zorder=4,
        )
        for axis, step in (("x", (-96, 0)), ("y", (0, 66))):
            arrow(axes, (0, 0), step, AXES[axis], f"+{axis}")
        axes.plot(0, 0, "o", ms=13, mfc="white", mec=AXES["z"], mew=2, zorder=6)
        axes.plot(0, 0, "x", ms=8, color=AXES["z"], mew=2, zorder=7)
        axes.text(0, -66, "⊗ +z, into the head", color=AXES["z"], ha="center", fontsize=10, weight="bold", zorder=7)
        towards = "away from" if coil.initial_e_direction[1] > 0 else "towards"
        axes.set_title(f"{name}: at dI/dt > 0 the current under it\nfirst runs {towards} the handle", fontsize=11)
    figure.suptitle(
        "Seen from behind the coil, the head beyond it. Blue: the induced field 20 mm below the face", fontsize=11
    )
    return figure


def _coil(axes: Axes, coil: nf.Coil, card: dict) -> None:
    outline = coil.casing.points[:, :2] * [-1, 1]
    hull = outline[ConvexHull(outline).vertices]
    axes.fill(*hull.T, color=CASING, zorder=0)
    axes.fill([-9, 9, 9, -9], [-hull[:, 1].max() * 0.5, -hull[:, 1].max() * 0.5, -118, -118], color=CASING, zorder=0)
    axes.text(0, -104, "handle\n(−y)", ha="center", va="center", fontsize=10, color=HANDLE)
    turn = np.linspace(0, 2 * np.pi, 90)
    for wing in card["winding"]["wings"]:
        for radius in card["winding"]["radii"]:
            axes.plot(-wing + radius * np.cos(turn), radius * np.sin(turn), color=COPPER, lw=0.8, zorder=1)
    axes.set(xlim=(-122, 105), ylim=(-125, 85), aspect="equal")
    axes.axis("off")


def head_frame() -> Figure:
    """The head from above and from the right, its axes, and a coil over each hand area."""
    image = nib.load(folder_on("meshes", "colin27") / "colin27_labels.nii.gz")
    labels, affine = np.asarray(image.dataobj), image.affine
    figure = Figure(figsize=(10, 5.2), layout="constrained")
    above, side = figure.subplots(1, 2)
    for axes, (across, up, along) in ((above, (0, 1, 2)), (side, (1, 2, 0))):
        for mask, colour in ((labels > 0, "#e8d5c4"), (np.isin(labels, tags_of("brain")), "#cfc7bd")):
            flat = mask.any(axis=along).astype(float)
            places = [affine[a, 3] + affine[a, a] * np.arange(labels.shape[a]) for a in (across, up)]
            axes.contourf(*places, flat.T, levels=[0.5, 2], colors=[colour])
        axes.set_aspect("equal")
        axes.axis("off")
    arrow(above, (0, 10), (88, 0), AXES["x"], "+x\nright")
    arrow(above, (0, 10), (0, 75), AXES["y"], "+y front")
    for side_of, outwards in (("left", -1.0), ("right", 1.0)):
        place = np.array([outwards * 40, -14.0])
        handle = 55 * np.array([outwards, -1.0]) / np.sqrt(2)
        above.plot(*np.transpose([place, place + handle]), color=HANDLE, lw=6, solid_capstyle="round", alpha=0.75)
        for wing in (-1, 1):
            ring = place + wing * 17 * np.array([1.0, outwards]) / np.sqrt(2)
            above.add_patch(_ring(ring))
        arrow(above, tuple(place), tuple(-0.75 * handle), CURRENT)
        above.text(*(place + 1.2 * handle), f"handle,\n{side_of}", color=HANDLE, ha="center", va="center", fontsize=9)
    above.set_title(
        "From above: the patient's right is on the right.\nBlue: the axis that the current should run along",
        fontsize=11,
    )
    arrow(side, (0, -20), (100, 0), AXES["y"], "+y\nfront")
    arrow(side, (0, -20), (0, 50), AXES["z"], "+z up")
    top = affine[2, 3] + affine[2, 2] * np.flatnonzero((labels > 0).any(axis=(0, 1))).max()
    side.plot([-45, 45], [top + 6] * 2, color=COPPER, lw=6, solid_capstyle="round")
    arrow(side, (0, top + 6), (0, -32), AXES["z"])
    side.text(5, top - 17, "coil's +z", color=AXES["z"], fontsize=10, weight="bold", va="center")
    side.set_title("From the patient's right.\nThe coil's +z points into the head, the head's +z up", fontsize=11)
    return figure


def _ring(centre: np.ndarray):
    from matplotlib.patches import Annulus

    return Annulus(centre, 16, 7, color=COPPER, alpha=0.55)


def navigators() -> Figure:
    """One coil, and the axes that each navigator's file gives it."""
    figure = Figure(figsize=(11, 3.6), layout="constrained")
    for axes, (name, turn) in zip(figure.subplots(1, len(NAVIGATORS)), NAVIGATORS.items(), strict=True):
        for wing in (-20, 20):
            axes.add_patch(_ring(np.array([wing, 0.0])))
        axes.fill([-6, 6, 6, -6], [-12, -12, -62, -62], color=HANDLE, alpha=0.35)
        axes.text(0, -70, "handle", ha="center", color=HANDLE, fontsize=9)
        for axis, direction in zip("xyz", np.linalg.inv(turn)[:3, :3].T, strict=True):
            arrow(axes, (0, 0), tuple(_seen(direction)), AXES[axis], axis)
        axes.set(xlim=(-75, 75), ylim=(-78, 78), aspect="equal", title=name)
        axes.title.set_fontsize(10)
        axes.axis("off")
    figure.suptitle(
        "From behind the coil; up and to the right is into the head, down and to the left out of it", fontsize=10
    )
    return figure


def _seen(direction: np.ndarray) -> np.ndarray:
    """A direction of our coil frame on paper: x to the left, y up, z obliquely into it."""
    x, y, z = direction
    return 52 * (x * np.array([-1.0, 0.0]) + y * np.array([0.0, 1.0]) + z * np.array([0.62, 0.45]))
