"""Named cortical targets: MNI152 seeds, with the basis and trust mark of each.

Seeds, not answers: a target is searched for around them in the patient's own grey matter.  Marks: [src] read in the
cited source, [lit] known from the literature and not re-read, [calc] computed from public atlases.
"""

from dataclasses import dataclass

import numpy as np

from neuro_field.arrays import FloatArray
from neuro_field.errors import InputError
from neuro_field.names import resolved

SIDES = ("left", "right")


@dataclass(frozen=True)
class Site:
    """A named place on the cortex.

    ``left`` and ``right`` are MNI152 mm; ``right`` mirrors ``left`` where no own value is published.  ``source``
    carries the basis with its mark; ``note`` is what a planner should know of it.  ``current`` is the axis the induced
    current should run along, degrees in the scalp's plane from forwards to the midline, where one is known;
    ``current_source`` says from whom; ``across_sulcus``: it is meant to cross the sulcus there, and the patient's own
    comes before the number.
    """

    name: str
    title: str
    left: tuple[float, float, float]
    right: tuple[float, float, float] | None
    source: str
    note: str = ""
    current: float | None = None
    current_source: str = ""
    across_sulcus: bool = False

    def seed(self, side: str) -> FloatArray:
        """(3,) MNI152 mm of one side."""
        if side not in SIDES:
            raise InputError(f"Input side of a target must be left or right; instead received {side!r}.")
        if side == "left":
            return np.array(self.left, dtype=np.float64)
        x, y, z = self.left
        return np.array(self.right if self.right is not None else (-x, y, z), dtype=np.float64)


SITES = (
    Site("m1-hand", "primary motor cortex, hand", (-37, -21, 58), None, "Mayka 2006 mean [lit]",
         "a fixed coordinate was up to 19.5 mm off the hot spot and worked in 3 of 6 people [src]", 45.0,
         "across the central sulcus, handle back-lateral about 45 degrees to the midline (Brasil-Neto 1992 [src])",
         True),
    Site("m1-leg", "primary motor cortex, leg", (-7, -33, 71), (8, -34, 71), "paracentral parcel [calc]",
         "tibialis hot spot 1.29 cm lateral, 0.55 cm behind the vertex [src]; no current direction is published for a "
         "double cone"),
    Site("m1-pharynx", "primary motor cortex, pharynx", (-56, -13, 14), (55, -12, 13), "subcentral parcel [calc]",
         "scalp 10.4 cm lateral + 3.2 cm anterior of the vertex (left), 9.65 + 3.18 (right) [src]"),
    Site("ifg-triangularis", "inferior frontal gyrus, pars triangularis", (-53, 30, 4), (54, 32, 9), "[calc]",
         "stimulating it helped naming, pars opercularis slowed it (Naeser 2011 [src])"),
    Site("ifg-opercularis", "inferior frontal gyrus, pars opercularis", (-51, 11, 10), (53, 12, 8), "[calc]",
         "a region to avoid when aiming at pars triangularis"),
    Site("stg-posterior", "superior temporal gyrus, posterior", (-58, -39, 19), (61, -30, 19), "[calc]"),
    Site("stg-lateral", "superior temporal gyrus, lateral", (-62, -15, -3), (62, -10, -5), "[calc]"),
    Site("dlpfc", "dorsolateral prefrontal cortex", (-38, 44, 26), None,
         "MRI target of the 100-head Beam-F3 study [src]"),
    Site("sma", "supplementary motor area", (-2, -7, 55), None, "Mayka 2006 [lit]"),
    Site("pmd", "dorsal premotor cortex", (-30, -4, 58), None, "Mayka 2006 [lit]"),
    Site("cerebellum-lateral", "lateral cerebellum", (-30, -72, -38), None, "[lit], approximate",
         "stimulated on the paretic side"),
)  # fmt: skip

_BY_NAME = {entry.name: entry for entry in SITES}


def site(name: str) -> Site:
    """The named site, capitals and hyphens forgiven; UnknownNameError lists those that are known."""
    return _BY_NAME[resolved("target", name, _BY_NAME)]


def other_side(side: str) -> str:
    """left of right, right of left."""
    return SIDES[1 - SIDES.index(side)]
