"""Constants and the one conversion between a person's millimetres and a kernel's metres."""

import numpy as np

from neuro_field.arrays import FloatArray

#: Magnetic constant over 4 pi, in T m/A (SI before 2019; the difference is 1e-9).
MU0_OVER_4PI = 1e-7

#: One ampere per microsecond, as coil makers quote dI/dt, in A/s.
AMPERE_PER_MICROSECOND = 1e6

MILLIMETRES_PER_METRE = 1e3


def metres(millimetres: FloatArray | float) -> FloatArray:
    """Lengths in m of lengths in mm; a new C-ordered float64 array."""
    return np.ascontiguousarray(np.asarray(millimetres, dtype=np.float64) / MILLIMETRES_PER_METRE)
