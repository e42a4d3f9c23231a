"""Closed forms of currents in concentric shells, where every conductivity counts, for the validation suite."""

import numpy as np
from numpy.polynomial import legendre

from neuro_field.arrays import AnyArray, FloatArray
from neuro_field.field.analytic import radial_slope, shell_terms
from neuro_field.geometry.locate import locate
from neuro_field.head.model import HeadModel
from neuro_field.units import metres

#: Degrees summed; terms fall at least as (brain / scalp)^l.
DEGREES = 60

#: Sharpness of the electrode exp(k (cos theta - 1)): about 30 mm across on a scalp of 92 mm.
SHARPNESS = 40.0

#: Depth of the current dipole, as a share of the innermost radius from the centre.
ECCENTRICITY = 0.6


def shell_conductivities(head: HeadModel) -> FloatArray:
    """S/m of the four shells of a `sphere_head`, from inside out."""
    return np.array([float(head.conductivity[head.mesh.tags == tag][0]) for tag in (2, 3, 4, 5)])


def electrode_current(points: FloatArray) -> FloatArray:
    """Current density (m, 3) out of the scalp, A/m2, radial: an electrode about +z, the rest of it spread evenly."""
    radius = np.linalg.norm(points, axis=1, keepdims=True)
    cosine = points[:, 2:] / radius
    even = (1 - np.exp(-2 * SHARPNESS)) / (2 * SHARPNESS)
    return points / radius * (np.exp(SHARPNESS * (cosine - 1)) - even)


def electrode_field(points: FloatArray, radii: FloatArray, conductivities: FloatArray) -> FloatArray:
    """E (m, 3) V/m in the innermost shell, points in m, while `electrode_current` leaves through the scalp."""
    scale = radii[-1]
    nodes, weights = legendre.leggauss(200)
    r = np.linalg.norm(points, axis=1)
    cosine, outwards = points[:, 2] / r, points / r[:, None]
    across = np.array([0.0, 0.0, 1.0]) - cosine[:, None] * outwards
    out = np.zeros(points.shape)
    for degree in range(1, DEGREES + 1):
        series = np.eye(degree + 1)[degree]
        strength = (degree + 0.5) * np.sum(weights * np.exp(SHARPNESS * (nodes - 1)) * legendre.legval(nodes, series))
        outer = shell_terms(degree, radii / scale, conductivities, (1.0, 0.0))[-1]
        share = -strength * scale / (conductivities[-1] * radial_slope(degree, outer, 1.0))
        slope = share * (r / scale) ** (degree - 1) / scale
        out -= slope[:, None] * (
            degree * legendre.legval(cosine, series)[:, None] * outwards
            + legendre.legval(cosine, legendre.legder(series))[:, None] * across
        )
    return out


def dipole_load(head: HeadModel, nodes: FloatArray, place: FloatArray, moment: FloatArray) -> FloatArray:
    """Right-hand side (n,) A of a current dipole (A m) at a place (mm): moment . grad(l_i) of its element."""
    element = int(locate(head.mesh, place[None])[0][0])
    corners = nodes[head.mesh.tets[element]]
    gradients = np.linalg.inv(corners[1:] - corners[0])  # its columns are the gradients of l_1, l_2, l_3
    out = np.zeros(len(nodes))
    out[head.mesh.tets[element]] = np.append(-(moment @ gradients).sum(), moment @ gradients)
    return out


def dipole_scalp_potential(
    points: FloatArray, place: FloatArray, moment: float, radii: FloatArray, conductivities: FloatArray
) -> FloatArray:
    """phi (m,) V at scalp points (m, 3) of a radial current dipole (A m) in the innermost shell; lengths in m.

    In the innermost shell p / (4 pi sigma) sum l r0^(l-1) P_l / r^(l+1) belongs to the source itself.
    """
    scale, r0 = radii[-1], np.linalg.norm(place)
    cosine = points @ place / (r0 * np.linalg.norm(points, axis=1))
    coefficients = np.zeros(DEGREES + 1)
    for degree in range(1, DEGREES + 1):
        source = degree * (r0 / scale) ** (degree - 1)
        free = shell_terms(degree, radii / scale, conductivities, (1.0, 0.0))[-1]
        forced = shell_terms(degree, radii / scale, conductivities, (0.0, source))[-1]
        a = -radial_slope(degree, forced, 1.0) / radial_slope(degree, free, 1.0)  # no current leaves the scalp
        coefficients[degree] = sum(forced) + a * sum(free)
    return moment / (4 * np.pi * conductivities[0] * scale**2) * legendre.legval(cosine, coefficients)


def radial_dipole(radii_mm: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Place (3,) mm and moment (3,) A m of the dipole that is tested: radial, off every axis of the mesh."""
    direction = np.array([0.48, -0.36, 0.8])
    return ECCENTRICITY * radii_mm[0] * direction, 1e-8 * direction


def scalp_places(head: HeadModel, radius: float) -> AnyArray:
    """Indices of the nodes on the outer sphere, radius in mm."""
    return np.flatnonzero(np.abs(np.linalg.norm(metres(head.mesh.nodes), axis=1) * 1e3 - radius) < 1e-6)
