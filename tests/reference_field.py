"""Slow NumPy twins of the kernels of assembly, sphere, recovery, locate and multigrid, written from the formulas."""

import numpy as np


def hat_gradients(nodes, tet):
    """(4, 3) gradients of the hat functions of one element, from the inverse of its edge matrix, and its volume."""
    edges = nodes[tet[1:]] - nodes[tet[0]]
    others = np.linalg.inv(edges).T
    return np.vstack([-others.sum(axis=0), others]), np.linalg.det(edges) / 6


def as_tensor(conductivity):
    """(3, 3) conductivity of a number or of a tensor."""
    return np.eye(3) * conductivity if np.ndim(conductivity) == 0 else np.asarray(conductivity)


def stiffness(nodes, tets, conductivity):
    """Dense K_ij = sum_t V grad(l_i) . sigma grad(l_j)."""
    out = np.zeros((len(nodes), len(nodes)))
    for t, tet in enumerate(tets):
        gradients, volume = hat_gradients(nodes, tet)
        out[np.ix_(tet, tet)] += volume * gradients @ as_tensor(conductivity[t]) @ gradients.T
    return out


def edge_mean(nodes, tet, values):
    """Mean over an element of the Whitney form whose integral along each edge is the mean of both ends times it."""
    gradients, _ = hat_gradients(nodes, tet)
    out = np.zeros(3)
    for i in range(4):
        for j in range(i):
            along = (values[i] + values[j]) / 2 @ (nodes[tet[j]] - nodes[tet[i]])
            out += along * (gradients[j] - gradients[i]) / 4  # the form's: l_i grad(l_j) - l_j grad(l_i)
    return out


def load(nodes, tets, conductivity, dadt):
    """b_i = -sum_t V grad(l_i) . sigma dA/dt, dA/dt as the edges give it; dadt (n, k, 3)."""
    out = np.zeros(dadt.shape[:2])
    for t, tet in enumerate(tets):
        gradients, volume = hat_gradients(nodes, tet)
        for k in range(dadt.shape[1]):
            out[tet, k] -= volume * gradients @ as_tensor(conductivity[t]) @ edge_mean(nodes, tet, dadt[tet, k])
    return out


def element_gradients(nodes, tets, values):
    """Gradient (t, 3) of a nodal field."""
    return np.array([hat_gradients(nodes, tet)[0].T @ values[tet] for tet in tets])


def incidence(tets, n):
    """For each node the ascending list of 4 * element + local index."""
    return [sorted(4 * t + a for t, tet in enumerate(tets) for a in range(4) if tet[a] == i) for i in range(n)]


def sphere_field(points, positions, moments, order=80):
    """E = r x integral_0^1 t (dB/dt)(t r) dt, the radial-gauge integral, by Gauss quadrature."""
    node, weight = np.polynomial.legendre.leggauss(order)
    out = np.zeros((len(points), 3))
    for share, w in zip((node + 1) / 2, weight / 2, strict=True):
        s = share * points[:, None] - positions
        distance = np.linalg.norm(s, axis=2, keepdims=True)
        along = np.einsum("msi,si->ms", s, moments)[..., None]
        flux = 1e-7 * (3 * s * along / distance**5 - moments / distance**3).sum(axis=1)
        out += w * share * np.cross(points, flux)
    return out


def barycentric(nodes, tet, point):
    """Barycentric coordinates of a point in an element."""
    return np.linalg.solve(np.vstack([nodes[tet].T, np.ones(4)]), np.append(point, 1.0))


def locate(nodes, tets, points):
    """First element that holds each point (-1 outside), and its barycentric coordinates, by trying them all."""
    found, shares = np.full(len(points), -1), np.zeros((len(points), 4))
    for m, point in enumerate(points):
        for t, tet in enumerate(tets):
            share = barycentric(nodes, tet, point)
            if share.min() >= -1e-9:
                found[m], shares[m] = t, share
                break
    return found, shares


def ring(tets, tags, tag, nodes):
    """All nodes of the elements of a tissue that touch a set of nodes."""
    touched = np.isin(tets, sorted(nodes)).any(axis=1) & (tags == tag)
    return set(nodes) | set(tets[touched].ravel().tolist())


def in_chunks(matrix, chunks):
    """The entries of a dense matrix whose row and column lie in one chunk of consecutive rows."""
    size = -(-len(matrix) // chunks)
    chunk = np.arange(len(matrix)) // size
    return np.where(chunk[:, None] == chunk, matrix, 0.0)


def relax_forwards(matrix, diagonal, b, chunks):
    """(D + L)^-1 b, L the lower triangle inside the chunks."""
    return np.linalg.solve(np.tril(in_chunks(matrix, chunks), -1) + np.diag(diagonal), b)


def relax_backwards(matrix, diagonal, b, old, chunks):
    """old + (D + U)^-1 (b - A old), U the upper triangle inside the chunks."""
    return old + np.linalg.solve(np.triu(in_chunks(matrix, chunks), 1) + np.diag(diagonal), b - matrix @ old)


def reordered(matrix, order):
    """A dense matrix with rows and columns in another order."""
    return matrix[np.ix_(order, order)]
