"""Slow NumPy twins of the kernels of charges, turning, table, patches and clearance, written from the formulas."""

import numpy as np


def charge_fields(points, places, strengths):
    """(m, 3, k) sum of strength (x - s) / |x - s|^3."""
    offsets = points[:, None] - places
    return np.einsum("mjd,jk->mdk", offsets / np.linalg.norm(offsets, axis=2, keepdims=True) ** 3, strengths)


def coil_potential(points, positions, moments):
    """(m,) sum of moment . (r - x) / |r - x|^3."""
    offsets = positions - points[:, None]
    return (np.einsum("msd,sd->ms", offsets, moments) / np.linalg.norm(offsets, axis=2) ** 3).sum(axis=1)


def mean_magnitude(coefficients, basis, roots):
    """(p,) sum of root |sum of coefficient times basis (3, k, r)|."""
    return np.linalg.norm(np.einsum("pk,dkr->pdr", coefficients, basis), axis=1) @ roots


def patch_normals(chosen, vertices, normals, areas, radius):
    """Unit mean normals (q, 3) and evenness (q,) of the patches around some vertices."""
    out, even = [], []
    for middle in chosen:
        near = np.linalg.norm(vertices - vertices[middle], axis=1) <= radius
        facing = near & (normals @ normals[middle] > 0)
        mean = (normals * areas[:, None])[facing].sum(axis=0)
        out.append(mean / np.linalg.norm(mean))
        even.append(np.linalg.norm((normals * areas[:, None])[near].sum(axis=0)) / areas[near].sum())
    return np.array(out), np.array(even)


def sharers_of_faces(tets):
    """(t, 4) how many elements have the face opposite to each node."""
    faces = [tuple(sorted(np.delete(tet, opposite))) for tet in tets for opposite in range(4)]
    return np.array([faces.count(face) for face in faces]).reshape(-1, 4)
