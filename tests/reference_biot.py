"""Slow NumPy twins of `neuro_field.kernels.biot`, written from the integrals rather than from the closed forms."""

import numpy as np

K = 1e-7


def dipole_potential(points, positions, moments):
    s = points[:, None] - positions
    return K * (np.cross(moments, s) / np.linalg.norm(s, axis=2, keepdims=True) ** 3).sum(axis=1)


def dipole_flux_density(points, positions, moments):
    s = points[:, None] - positions
    distance = np.linalg.norm(s, axis=2, keepdims=True)
    along = np.einsum("msi,si->ms", s, moments)[..., None]
    return K * (3 * s * along / distance**5 - moments / distance**3).sum(axis=1)


def _quadrature(starts, ends, order=60):
    node, weight = np.polynomial.legendre.leggauss(order)
    share = (node + 1) / 2
    where = starts[:, None] + share[None, :, None] * (ends - starts)[:, None]
    return where, weight / 2


def segment_potential(points, starts, ends, currents):
    """A = K I integral dl / |s|."""
    where, weight = _quadrature(starts, ends)
    distance = np.linalg.norm(points[:, None, None] - where, axis=3)
    return K * np.einsum("msq,q,s,si->mi", 1 / distance, weight, currents, ends - starts)


def segment_flux_density(points, starts, ends, currents):
    """B = K I integral dl x s / |s|^3."""
    where, weight = _quadrature(starts, ends)
    s = points[:, None, None] - where
    turning = np.cross((ends - starts)[None, :, None], s) / np.linalg.norm(s, axis=3, keepdims=True) ** 3
    return K * np.einsum("msqi,q,s->mi", turning, weight, currents)
