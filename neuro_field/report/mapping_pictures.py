"""Pictures of a head in MNI152 space, over the template: whether its mapping can be trusted; as PNG bytes."""

from functools import cache
from typing import Any

import numpy as np

from neuro_field.arrays import AnyArray, FloatArray
from neuro_field.head.mapping import MniMapping, WarpedMapping
from neuro_field.head.tissues import tags_of
from neuro_field.mri.volume import Volume
from neuro_field.report.slices import OUTLINES, PLANES, as_png, new_figure

#: What is shown of MNI space, mm: lowest and highest x, y and z.
BOX = ((-80.0, 80.0), (-112.0, 80.0), (-60.0, 88.0))

#: Lines of the head's grid are this far apart, mm.
GRID = 10.0

#: Samples of a slice are this far apart, mm.
_STEP = 1.0


def mapping_pictures(labels: Volume, mapping: MniMapping, focus: FloatArray) -> dict[str, bytes]:
    """Three planes of MNI152 with the template's T1 and a head's brain over it.

    Outlined are the head's brain, its white matter and its lesion. A non-linear map is drawn below its
    affine part, with lines that are straight and 10 mm apart under the affine part.

    Parameters
    ----------
    labels : Volume
        Tissue tags, head frame.
    mapping : AffineMapping or WarpedMapping
    focus : (3,) array
        Where the planes cross, mm, head frame.

    Returns
    -------
    dict of str to bytes
        PNG by plane; the patient's left is on the left.
    """
    panels: tuple[MniMapping, ...] = (mapping.affine, mapping) if isinstance(mapping, WarpedMapping) else (mapping,)
    centre = mapping.to_mni(focus[None])[0]
    out = {}
    for name, across, up, through, *_ in PLANES:
        x, y = (np.arange(BOX[axis][0], BOX[axis][1], _STEP) for axis in (across, up))
        points = np.empty((len(y), len(x), 3))
        points[..., across], points[..., up], points[..., through] = x, y[:, None], centre[through]
        figure, axes = new_figure(5.0, len(panels) * (5.0 * len(y) / len(x) + 0.4), rows=len(panels))
        for panel, used in zip(np.atleast_1d(axes), panels, strict=True):
            title = f"MNI152 {'xyz'[through]} = {centre[through]:.0f} mm"
            _draw(panel, (x, y), points, labels, used, title)
            if isinstance(used, WarpedMapping):
                _grid(panel, (x, y), used.affine.to_mni(used.from_mni(points.reshape(-1, 3))), (across, up))
        out[name] = as_png(figure)
    return out


def _draw(
    axes: Any, sides: tuple[AnyArray, AnyArray], points: AnyArray, labels: Volume, mapping: MniMapping, title: str
) -> None:
    """The template, and the outlines of a head over it."""
    flat, shape = points.reshape(-1, 3), points.shape[:2]
    extent = (sides[0][0], sides[0][-1], sides[1][0], sides[1][-1])
    axes.imshow(_template().at(flat, 1).reshape(shape), cmap="gray", origin="lower", extent=extent)
    tags = labels.at(mapping.from_mni(flat), 0).reshape(shape)
    brain, white, lesion = (np.isin(tags, tags_of(name)) for name in ("brain", "white_matter", "lesion"))
    for mask, colour, width in (
        (brain | lesion, OUTLINES["grey_matter"], 1.0), (white, OUTLINES["csf"], 0.7), (lesion, OUTLINES["lesion"], 1.8)
    ):  # fmt: skip
        if mask.any():
            axes.contour(*sides, mask, levels=[0.5], colors=[colour], linewidths=width)
    axes.set_title(title, fontsize=10)
    axes.set_axis_off()


def _grid(axes: Any, sides: tuple[AnyArray, AnyArray], before: FloatArray, plane: tuple[int, int]) -> None:
    """Where the lines of a grid come to lie whose points ``before`` the displacement are given."""
    for axis in plane:
        levels = np.arange(BOX[axis][0], BOX[axis][1], GRID)
        values = before[:, axis].reshape(len(sides[1]), len(sides[0]))
        axes.contour(*sides, values, levels=levels, colors=["white"], linewidths=0.5, alpha=0.7)


@cache
def _template() -> Volume:
    """nilearn's packaged MNI152 T1 at 2 mm."""
    from nilearn import datasets

    image = datasets.load_mni152_template(resolution=2)
    return Volume(np.asarray(image.dataobj, dtype=np.float32), np.asarray(image.affine, dtype=np.float64))
