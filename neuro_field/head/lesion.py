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

    ``volume_cm3``; ``centroid`` (3,) mm in the head frame; ``centroid_mni`` (3,) mm, None for a head without a mapping;
    ``side`` is "left", "right", "both", "midline" or "infratentorial", None where nothing tells left from right;
    ``tissues_cm3`` splits the volume by kind of lesion; ``left_cm3`` and ``right_cm3`` are the parts of it in either
    hemisphere, ``infratentorial_cm3`` what lies in cerebellum and pons: None where `side` is.
    """

    volume_cm3: float
    centroid: FloatArray
    centroid_mni: FloatArray | None
    side: str | None
    tissues_cm3: dict[str, float]
    left_cm3: float | None = None
    right_cm3: float | None = None
    infratentorial_cm3: float | None = None

    @property
    def smaller_cm3(self) -> float | None:
        """What lies in the hemisphere that has less of it, cm3; None where nothing tells left from right."""
        return None if self.left_cm3 is None or self.right_cm3 is None else min(self.left_cm3, self.right_cm3)


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
