"""Where the best placement of a plan may be held and still keep most of its field: positions and handles, as data."""

from dataclasses import dataclass

import numpy as np

from neuro_field.arrays import FloatArray, IntArray, read_only
from neuro_field.errors import InputError

#: A zone holds all that keeps this share of the best.
KEPT = 0.95


@dataclass(frozen=True, eq=False)
class Zone:
    """The poses around the best that keep a share of it, joined to it without a gap, on a fine lattice.

    Places of the lattice are a square grid in the plane that touches the scalp under the best placement, carried onto
    the scalp along the plane's normal; at each the coil lies flat at the plan's gap, lifted to clear the scalp, its
    handle turned in steps from the best one's angle.

    Parameters
    ----------
    poses : (p, 4, 4) array
        Those that keep the share, mm, head frame; the best of the lattice first.
    strengths : (p,) array
        What each is ranked by: V/m in the target at 1 A/us, or the ratio.
    kept : float
        The share of the best, 0 to 1.
    share : float
        Of the positions of the patch that was searched, those in the zone with some handle, 0 to 1.
    area_cm2 : float
        Of the scalp on which the coil's centre may stand.
    handle_low, handle_high : float, optional
        Handles that keep the share at the best one's own position: degrees from straight back, positive to the
        patient's left, low below high, around the best's own angle; None for a coil of continuous symmetry.
    closed : bool
        False where the zone reaches the rim of the search and may go on.
    beyond : (q, 4, 4) array
        The neighbours of the zone on the lattice, that keep less, and
    beyond_strengths : (q,) array
        what they are ranked by.
    cells : (p + q, 3) int array
        Steps of every pose, those of the zone first, from the best's place along the plane's two axes, and of its
        handle.
    heights : (p + q,) array
        Of the coil's face above the scalp along its own axis, mm: gap and lift.
    spacing, angle_step : float
        Of the lattice, mm and degrees.
    period : float, optional
        Degrees after which a turned handle is the same one: 360, 180 (two-fold coil), None (continuous).
    """

    poses: FloatArray
    strengths: FloatArray
    kept: float
    share: float
    area_cm2: float
    handle_low: float | None
    handle_high: float | None
    closed: bool
    beyond: FloatArray
    beyond_strengths: FloatArray
    cells: IntArray
    heights: FloatArray
    spacing: float
    angle_step: float
    period: float | None

    def __post_init__(self) -> None:
        for name in ("poses", "strengths", "beyond", "beyond_strengths", "heights"):
            object.__setattr__(self, name, read_only(getattr(self, name), np.float64))
        object.__setattr__(self, "cells", read_only(self.cells, np.int64))
        p, q = len(self.strengths), len(self.beyond_strengths)
        if not p or self.poses.shape != (p, 4, 4) or self.beyond.shape != (q, 4, 4):
            raise InputError(f"A Zone needs poses (p, 4, 4) with strengths (p,); not {self.poses.shape} and {p}.")
        if self.cells.shape != (p + q, 3) or self.heights.shape != (p + q,):
            raise InputError(f"A Zone needs a cell and a height for each of its {p + q} poses; not {self.cells.shape}.")
        if not 0 < self.kept < 1:
            raise InputError(f"Input kept of Zone must be a share between 0 and 1; instead received {self.kept!r}.")
