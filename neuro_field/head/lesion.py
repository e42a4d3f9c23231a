"""What a head's lesion amounts to: its volume, place and side."""

from dataclasses import dataclass

import numpy as np

from neuro_field.arrays import FloatArray, read_only
from neuro_field.head.model import HeadModel

#: A centroid nearer to the midline of MNI space than this, mm, belongs to neither side.
MIDLINE = 3.0


@dataclass(frozen=True, eq=False)
class LesionSummary:
    """A lesion in figures.

    ``volume_cm3``; ``centroid`` (3,) mm in the head frame; ``centroid_mni`` (3,) mm and ``side`` ("left",
    "right" or "midline", by the MNI x of the centroid) are None for a head without a mapping; ``tissues_cm3``
    splits the volume by kind of lesion.
    """

    volume_cm3: float
    centroid: FloatArray
    centroid_mni: FloatArray | None
    side: str | None
    tissues_cm3: dict[str, float]


def lesion_summary(head: HeadModel) -> LesionSummary | None:
    """Volume, centroid and side of a head's lesion; None when the head has no lesion.

    The centroid is the mean of the lesion's elements weighted by their volume, so it may lie outside a bent
    lesion.
    """
    lesion = head.region("lesion")
    if not lesion.any():
        return None
    volumes = head.mesh.volumes[lesion]
    centroid = np.average(head.mesh.centroids[lesion], axis=0, weights=volumes)
    centroid_mni, side = None, None
    if head.mapping is not None:
        centroid_mni = read_only(head.to_mni(centroid[None])[0])
        x = float(centroid_mni[0])
        side = "midline" if abs(x) < MIDLINE else "left" if x < 0 else "right"
    kinds = {name: cm3 for name, cm3 in head.tissue_volumes.items() if name.startswith("lesion_")}
    return LesionSummary(float(volumes.sum() / 1e3), read_only(centroid), centroid_mni, side, kinds)
