"""Slow NumPy twins of the kernels of quadratic elements, by quadrature of the basis functions themselves."""

import numpy as np
import reference_field
from numpy.polynomial.legendre import leggauss


def quadrature(order=4):
    """Barycentric coordinates (q, 4) and weights, summing to one, of a rule on a tetrahedron (collapsed Gauss)."""
    node, weight = leggauss(order)
    node, weight = (node + 1) / 2, weight / 2
    u, v, w = (axis.ravel() for axis in np.meshgrid(node, node, node, indexing="ij"))
    x, y, z = u, v * (1 - u), w * (1 - u) * (1 - v)
    weights = 6 * np.einsum("i,j,k->ijk", weight, weight, weight).ravel() * (1 - u) ** 2 * (1 - v)
    return np.stack([x, y, z, 1 - x - y - z], axis=1), weights


def edges():
    """The six pairs of local vertices, as `itertools` would make them."""
    return [(a, b) for a in range(4) for b in range(a + 1, 4)]


def unknowns(tets, order):
    """Unknowns (t, 10) by dictionary, and the pair of vertices, in the order, of each: vertex, then its later edges."""
    place = np.argsort(order)
    pairs = set()
    for tet in place[tets]:
        pairs |= {(int(i), int(i)) for i in tet}
        pairs |= {tuple(sorted((int(tet[a]), int(tet[b])))) for a, b in edges()}
    ends = sorted(pairs)
    number = {pair: u for u, pair in enumerate(ends)}
    rows = [
        [number[i, i] for i in tet.tolist()] + [number[tuple(sorted((int(tet[a]), int(tet[b]))))] for a, b in edges()]
        for tet in place[tets]
    ]
    return np.array(rows), np.array(ends)


def basis(share):
    """The ten basis functions at one point of barycentric coordinates."""
    return np.concatenate([share * (2 * share - 1), [4 * share[a] * share[b] for a, b in edges()]])


def basis_gradients(nodes, tet, share):
    """Their gradients (10, 3) there."""
    hats, _ = reference_field.hat_gradients(nodes, tet)
    vertices = (4 * share - 1)[:, None] * hats
    return np.vstack([vertices, [4 * (share[a] * hats[b] + share[b] * hats[a]) for a, b in edges()]])


def stiffness(nodes, tets, conductivity, numbers, count):
    """Dense K_ij = sum_t integral of grad(N_i) . sigma grad(N_j)."""
    out = np.zeros((count, count))
    for t, tet in enumerate(tets):
        volume = reference_field.hat_gradients(nodes, tet)[1]
        for share, weight in zip(*quadrature(), strict=True):
            slopes = basis_gradients(nodes, tet, share)
            sigma = reference_field.as_tensor(conductivity[t])
            out[np.ix_(numbers[t], numbers[t])] += volume * weight * slopes @ sigma @ slopes.T
    return out


def load(nodes, tets, conductivity, numbers, dadt):
    """b_i = -sum_t integral of grad(N_i) . sigma dA/dt, dA/dt interpolated by the same functions; dadt (u, k, 3)."""
    out = np.zeros(dadt.shape[:2])
    for t, tet in enumerate(tets):
        volume = reference_field.hat_gradients(nodes, tet)[1]
        for share, weight in zip(*quadrature(), strict=True):
            along = basis_gradients(nodes, tet, share) @ reference_field.as_tensor(conductivity[t])
            values = np.einsum("u,ukc->kc", basis(share), dadt[numbers[t]])
            out[numbers[t]] -= volume * weight * along @ values.T
    return out


def gradients(nodes, tets, numbers, values, elements, shares):
    """Gradient (m, 3) of a field at points."""
    return np.array(
        [basis_gradients(nodes, tets[t], s).T @ values[numbers[t]] for t, s in zip(elements, shares, strict=True)]
    )


def inverse_diagonal(dense, chunks, safe_share):
    """One over a_ii + max(0, sum of |a_ij| over other chunks - safe_share a_ii) / 2."""
    own = np.diag(dense)
    elsewhere = np.abs(dense - reference_field.in_chunks(dense, chunks)).sum(axis=1)
    return 1 / (own + np.maximum(0, elsewhere - safe_share * own) / 2)
