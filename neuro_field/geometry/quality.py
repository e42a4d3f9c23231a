"""How well a mesh is shaped: dihedral angles of its elements, and how sharply its surfaces bend."""

import numpy as np

from neuro_field.arrays import AnyArray, FloatArray, IntArray
from neuro_field.geometry.mesh import FACES, Surface, TetMesh

#: Elements looked at together; bounds the memory to about 300 MB.
_CHUNK = 400_000


def smallest_dihedral_angles(mesh: TetMesh) -> FloatArray:
    """(t,) smallest angle between two faces of each element, degrees (70.53 in a regular tetrahedron).

    An element with a face of no area has angle 0.
    """
    out = np.empty(len(mesh.tets))
    for start in range(0, len(out), _CHUNK):
        corners = mesh.nodes[mesh.tets[start : start + _CHUNK]]
        normals = []
        for a, b, c in FACES:
            normal = np.cross(corners[:, b] - corners[:, a], corners[:, c] - corners[:, a])
            normals.append(normal / np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-300))
        largest = np.full(len(corners), -1.0)  # cosine of the smallest angle
        for i in range(4):
            for j in range(i):
                flat = (normals[i] == 0).all(axis=1) | (normals[j] == 0).all(axis=1)
                cosine = np.where(flat, 1.0, -np.einsum("ti,ti->t", normals[i], normals[j]))
                largest = np.maximum(largest, cosine)
        out[start : start + _CHUNK] = np.degrees(np.arccos(np.clip(largest, -1, 1)))
    return out


def _sorted_edges(surface: Surface) -> tuple[AnyArray, AnyArray, AnyArray, AnyArray]:
    """Edge keys, where each begins in the sorted list, how many triangles share it, and those triangles."""
    edges = np.sort(surface.triangles[:, [[0, 1], [1, 2], [0, 2]]].reshape(-1, 2), axis=1).astype(np.int64)
    keys = (edges[:, 0] << 32) | edges[:, 1]
    order = np.argsort(keys, kind="stable")
    unique, first, count = np.unique(keys[order], return_index=True, return_counts=True)
    return unique, first, count, order // 3


def bending_angles(surface: Surface) -> tuple[IntArray, FloatArray]:
    """How sharply a surface bends at each edge that two triangles share.

    Returns
    -------
    edges : (e, 2) int32 array
        Vertices at the ends of each edge.
    angles : (e,) array
        Angle between the normals of the two triangles, degrees: 0 where flat, 180 where folded onto itself.
    """
    keys, first, count, triangles = _sorted_edges(surface)
    keys, first = keys[count == 2], first[count == 2]
    one, two = surface.area_vectors[triangles[first]], surface.area_vectors[triangles[first + 1]]
    cosine = np.einsum("ei,ei->e", one, two)
    sine = np.linalg.norm(np.cross(one, two), axis=1)
    edges = np.stack([keys >> 32, keys & 0xFFFFFFFF], axis=1).astype(np.int32)
    return edges, np.degrees(np.arctan2(sine, cosine))


def non_manifold_edges(surface: Surface) -> IntArray:
    """(e, 2) edges that more than two triangles share: where a surface meets itself."""
    keys, _, count, _ = _sorted_edges(surface)
    keys = keys[count > 2]
    return np.stack([keys >> 32, keys & 0xFFFFFFFF], axis=1).astype(np.int32)
