"""Inductance of a winding: what the stimulator feels of it, and a check that its turns are counted right."""

import numpy as np
from scipy.special import ellipe, ellipkm1

from neuro_field.arrays import FloatArray
from neuro_field.coil.sources import Segments
from neuro_field.coil.winding import Winding
from neuro_field.units import MU0_OVER_4PI, metres

#: Geometric mean distance of a rectangle from itself over the sum of its sides (Grover 1946, chapter 3).
_SELF_DISTANCE = 0.2235


def inductance(winding: Winding, wire: tuple[float, float] | None = None) -> float:
    """Low-frequency inductance of a winding, H, without leads, housing and skin effect.

    Parameters
    ----------
    winding : Winding
    wire : (2,) tuple of float, optional
        Width (along the radius) and height of the wire, mm; when omitted the pitch of the turns and the distance of
        the layers, that is a winding packed full.

    Notes
    -----
    The sum over all pairs of turns of Maxwell's mutual inductance of coaxial circles, a turn with itself being two
    circles a geometric mean distance apart, and Neumann's integral between wings (Grover, Inductance Calculations,
    1946).  A bend inside a wing is ignored there.
    """
    width, height = wire if wire is not None else _packed(winding)
    radii, depths = (axis.ravel() for axis in np.meshgrid(winding.radii, winding.depths, indexing="ij"))
    apart = np.hypot(radii[:, None] - radii, depths[:, None] - depths)
    np.fill_diagonal(apart, _SELF_DISTANCE * (width + height))
    own = float(_coaxial(metres(radii)[:, None], metres(radii), metres(apart)).sum())
    total = own * len(winding.wings) * winding.layer_current**2
    pieces = 144
    wires = winding.wires(pieces)
    wing = np.tile(np.repeat(np.arange(len(winding.wings)), len(winding.radii) * pieces), len(winding.depths))
    for this in range(len(winding.wings)):
        inside, outside = _part(wires, wing == this), _part(wires, wing != this)
        if outside is not None and inside is not None:
            middle, along = (inside.starts + inside.ends) / 2, metres(inside.ends - inside.starts)
            linked = np.einsum("mi,mi->m", outside.potential(middle), along)
            total += float(linked @ inside.currents)
    return total


def _packed(winding: Winding) -> tuple[float, float]:
    """Pitch of turns and of layers; each stands for the other where there is one turn or one layer."""
    pitches = [float(np.diff(np.sort(values)).mean()) if len(values) > 1 else 0.0
               for values in (winding.radii, winding.depths)]  # fmt: skip
    width, height = pitches[0] or pitches[1] or 2.0, pitches[1] or pitches[0] or 2.0
    return width, height


def _coaxial(a: FloatArray, b: FloatArray, apart: FloatArray) -> FloatArray:
    """Mutual inductance of coaxial circles of radii a and b, m, whose nearest points lie ``apart``, H (Maxwell)."""
    farthest = np.sqrt(apart**2 + 4 * a * b)
    complement = (apart / farthest) ** 2  # 1 - k^2
    k = np.sqrt(1 - complement)
    return 4 * np.pi * MU0_OVER_4PI * np.sqrt(a * b) * ((2 / k - k) * ellipkm1(complement) - 2 / k * ellipe(k**2))


def _part(wires: Segments, kept: FloatArray) -> Segments | None:
    if not kept.any():
        return None
    return Segments(wires.starts[kept], wires.ends[kept], wires.currents[kept])
