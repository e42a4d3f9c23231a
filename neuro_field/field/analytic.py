"""Closed forms to hold the solver against."""

import numpy as np

from neuro_field.arrays import FloatArray, as_points, as_vector, transformed
from neuro_field.coil.coil import Coil
from neuro_field.coil.placement import Placement
from neuro_field.errors import InputError
from neuro_field.kernels import sphere as kernel
from neuro_field.units import metres


def sphere_field(
    points: FloatArray,
    coil: Coil,
    placement: Placement,
    didt: float = 1e6,
    *,
    center: FloatArray | tuple[float, float, float] = (0.0, 0.0, 0.0),
) -> FloatArray:
    """The field a coil induces in a sphere, whatever the conductivities of its concentric shells.

    Parameters
    ----------
    points : (m, 3) array
        mm, head frame, inside the sphere.
    coil : Coil
        Must consist of dipoles or be convertible to them.
    placement : Placement
    didt : float
        A/s.
    center : (3,) array
        Of the sphere, mm.

    Returns
    -------
    (m, 3) array
        E in V/m; its radial component is zero everywhere, and E is zero at the centre.

    Raises
    ------
    InputError
        If a source of the coil is closer to the centre than a point: the formula holds inside the sphere only.

    Notes
    -----
    Heller & van Hulsteyn, Biophys J 1992;63:129; by reciprocity from Sarvas, Phys Med Biol 1987;32:11.

    Examples
    --------
    >>> import neuro_field as nf
    >>> head = nf.sphere_head((70, 80, 90), edge=9.0)
    >>> coil = nf.load_coil("figure8-70mm")
    >>> placement = nf.Placement.on(head.scalp, above=(0, 0, 92), handle_towards=(0, -90, 92))
    >>> bool(abs(nf.analytic.sphere_field([(0, 0, 70)], coil, placement)[0, 2]) < 1e-9)
    True
    """
    centre = as_vector(center, "center of sphere_field")
    inside = as_points(points, "points of sphere_field") - centre
    positions, moments = coil.dipoles
    outside = transformed(positions, placement.head_from_coil) - centre
    farthest, nearest = np.linalg.norm(inside, axis=1).max(initial=0.0), np.linalg.norm(outside, axis=1).min()
    if nearest <= farthest:
        raise InputError(
            f"Points of sphere_field must be nearer to the centre than every source; instead one lies {farthest:.1f} "
            f"and the nearest source {nearest:.1f} mm from it."
        )
    out = np.empty_like(inside)
    rates = np.ascontiguousarray(moments @ placement.head_from_coil[:3, :3].T) * float(didt)
    kernel.sphere_field(metres(inside), metres(outside), rates, out)
    return out


def shell_terms(
    degree: int, radii: FloatArray, conductivities: FloatArray, inner: tuple[float, float]
) -> list[tuple[float, float]]:
    """Coefficients (a, b) of phi = (a r^l + b r^-(l+1)) Y_l in each shell of concentric spheres, from inside out.

    phi and sigma dphi/dr are alike on both sides of each boundary (Rush & Driscoll 1969; de Munck 1988).

    Parameters
    ----------
    degree : int
        l, 1 or more.
    radii : (k,) array
        Outer radius of each shell; in units of the largest, powers stay in range.
    conductivities : (k,) array
        S/m.
    inner : pair of float
        a and b of the innermost shell; b is 0 but for sources in it.
    """
    terms = [inner]
    for r, below, above in zip(radii, conductivities, conductivities[1:], strict=False):
        a, b = terms[-1]
        value = a * r**degree + b * r ** -(degree + 1)
        slope = below / above * (degree * a * r ** (degree - 1) - (degree + 1) * b * r ** -(degree + 2))
        share = 2 * degree + 1
        terms.append(
            (((degree + 1) * value / r + slope) / (share * r ** (degree - 1)),
             (degree * value / r - slope) * r ** (degree + 2) / share)
        )  # fmt: skip
    return terms


def radial_slope(degree: int, term: tuple[float, float], r: float) -> float:
    """dphi/dr of a term of `shell_terms` at r."""
    return degree * term[0] * r ** (degree - 1) - (degree + 1) * term[1] * r ** -(degree + 2)
