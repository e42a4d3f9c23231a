"""Finer tetrahedra where they are wanted, by bisection of longest edges; what needs them is for others.

An element is halved at its longest edge, and so is every element that shares this edge, whose own longest edge goes
first (Rivara, Int J Numer Methods Eng 1984;20:745).  The mesh conforms throughout; far from what is wanted nothing
changes.
"""

from collections.abc import Callable

import numpy as np

from neuro_field.arrays import AnyArray, BoolArray, FloatArray, IntArray
from neuro_field.geometry.mesh import TetMesh
from neuro_field.kernels.lattice_cut import bisect_tetrahedra
from neuro_field.kernels.lattice_stars import EDGES

#: Rounds at most: every three of them halve the edges.
_MOST_ROUNDS = 18

#: Rings of elements around what is wanted that halving is tried within, before it is done in the whole mesh.
_RINGS = (6, 20)


def bisected(mesh: TetMesh, near: Callable[[TetMesh], BoolArray], longest: float) -> TetMesh:
    """The mesh with no edge longer than ``longest`` mm in the elements that lie near something.

    Parameters
    ----------
    mesh : TetMesh
    near : callable
        Gives (t,) which elements of a mesh count.
    longest : float
        mm.

    Returns
    -------
    TetMesh
        Parts bear the tag of what they were cut from; untouched elements come first, in their order.

    Examples
    --------
    >>> one = TetMesh(np.vstack([np.zeros(3), 2 * np.eye(3)]), np.array([[0, 1, 2, 3]]), np.array([2]))
    >>> fine = bisected(one, lambda mesh: np.ones(len(mesh.tets), dtype=bool), 1.5)
    >>> len(fine.tets), round(float(fine.volumes.sum()), 3)
    (10, 1.333)
    """
    beside = near(mesh)
    for rings in _RINGS:  # nothing changes far away: most of a large mesh need not be looked at
        part = _grown(mesh, beside, rings)
        if part.all():
            break
        done = _rounds(TetMesh(mesh.nodes, mesh.tets[part], mesh.tags[part]), near, longest)
        if not _reaches(mesh, part, done):
            return _put_back(mesh, part, done)
    return _rounds(mesh, near, longest)


def _grown(mesh: TetMesh, beside: BoolArray, rings: int) -> BoolArray:
    """(t,) some elements, and so many rings of elements around them."""
    part = beside
    for _ in range(rings):
        part = np.asarray(mesh.touched(part)[mesh.tets].any(axis=1))
    return part


def _reaches(mesh: TetMesh, part: BoolArray, done: TetMesh) -> bool:
    """Whether an edge that the rest of the mesh shares was halved in a part of it."""
    rest = mesh.tets[~part]
    rest = rest[mesh.touched(part)[rest].sum(axis=1) >= 2]
    shared = np.intersect1d(_edge_keys(rest), _edge_keys(mesh.tets[part]))
    return not np.isin(shared, _edge_keys(done.tets)).all()


def _put_back(mesh: TetMesh, part: BoolArray, done: TetMesh) -> TetMesh:
    """The mesh with a part of it as it was cut; what was cut holds a new node each."""
    new = (done.tets >= len(mesh.nodes)).any(axis=1)
    kept = ~part
    untouched = np.ascontiguousarray(done.tets[~new]).view("i4,i4,i4,i4")
    kept[part] = np.isin(np.ascontiguousarray(mesh.tets[part]).view("i4,i4,i4,i4"), untouched)[:, 0]
    tets, tags = (
        np.concatenate(both) for both in ((mesh.tets[kept], done.tets[new]), (mesh.tags[kept], done.tags[new]))
    )
    return TetMesh(done.nodes, tets, tags)


def _rounds(mesh: TetMesh, near: Callable[[TetMesh], BoolArray], longest: float) -> TetMesh:
    for _ in range(_MOST_ROUNDS):
        lengths = edge_lengths(mesh.nodes, mesh.tets)
        wanted = np.flatnonzero(lengths.max(axis=1) > longest)
        wanted = wanted[near(TetMesh(mesh.nodes, mesh.tets[wanted], mesh.tags[wanted]))] if len(wanted) else wanted
        if not len(wanted):
            break
        mesh = _halved(mesh, _closed(mesh, _longest_edges(mesh.nodes, mesh.tets[wanted])))
    return mesh


def edge_lengths(nodes: FloatArray, tets: IntArray) -> FloatArray:
    """(t, 6) lengths of the edges of elements, mm."""
    out = np.empty((len(tets), len(EDGES)))
    for at, (a, b) in enumerate(EDGES):
        along = nodes[tets[:, b]] - nodes[tets[:, a]]
        out[:, at] = np.sqrt(np.einsum("ti,ti->t", along, along))
    return out


def _edge_keys(tets: IntArray) -> AnyArray:
    """(t, 6) one number an edge: its lower node above 32 bits, its higher node below."""
    ends = tets[:, EDGES].astype(np.int64)
    return (ends.min(axis=2) << 32) | ends.max(axis=2)


def _lengths_of(keys: AnyArray, nodes: FloatArray) -> FloatArray:
    along = nodes[keys & 0xFFFFFFFF] - nodes[keys >> 32]
    return np.asarray(np.sqrt(np.einsum("...i,...i->...", along, along)))


def _order(keys: AnyArray, nodes: FloatArray) -> FloatArray:
    """The order in which edges are halved, the highest first: by length in classes of 5 %, at random within one.

    Many edges of a lattice are as long as one another. In any regular order of these, halving one would call for the
    next, and so on through the mesh.
    """
    lengths = _lengths_of(keys, nodes)
    mixed = keys.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)  # Fibonacci hashing; wraps around
    mixed ^= mixed >> np.uint64(29)
    return np.floor(np.log(lengths) / np.log(1.05)) + (mixed * np.uint64(0xBF58476D1CE4E5B9)) / 2.0**64


def _longest_edges(nodes: FloatArray, tets: IntArray) -> AnyArray:
    """(t,) keys of the longest edge of each element."""
    keys = _edge_keys(tets)
    order = _order(keys, nodes)
    return np.take_along_axis(keys, order.argmax(axis=1)[:, None], axis=1)[:, 0]


def _around(mesh: TetMesh, keys: AnyArray) -> AnyArray:
    """Elements that have one of some edges (keys, rising)."""
    on_edge = np.zeros(len(mesh.nodes), dtype=bool)
    on_edge[keys >> 32] = True
    on_edge[keys & 0xFFFFFFFF] = True
    near = np.flatnonzero(on_edge[mesh.tets].sum(axis=1) >= 2).astype(np.int32)
    return near[np.isin(_edge_keys(mesh.tets[near]), keys).any(axis=1)]


def _closed(mesh: TetMesh, keys: AnyArray) -> AnyArray:
    """Edges to halve, with the longest edges of all elements around them."""
    keys = np.unique(keys)
    while True:
        more = np.union1d(keys, _longest_edges(mesh.nodes, mesh.tets[_around(mesh, keys)]))
        if len(more) == len(keys):
            return keys
        keys = more


def _halved(mesh: TetMesh, keys: AnyArray) -> TetMesh:
    """The mesh with a node in the middle of each edge."""
    new_nodes = np.arange(len(mesh.nodes), len(mesh.nodes) + len(keys), dtype=np.int32)
    nodes = np.concatenate([mesh.nodes, (mesh.nodes[keys >> 32] + mesh.nodes[keys & 0xFFFFFFFF]) / 2])
    order = _order(keys, mesh.nodes)
    on_cut = np.zeros(len(nodes), dtype=bool)
    on_cut[keys >> 32] = True
    on_cut[keys & 0xFFFFFFFF] = True
    cut = _around(mesh, keys)
    whole = np.ones(len(mesh.tets), dtype=bool)
    whole[cut] = False
    tets, tags = [mesh.tets[whole]], [mesh.tags[whole]]
    for tag in np.unique(mesh.tags[cut]).tolist():  # parts do not tell what they were cut from
        parents = mesh.tets[cut[mesh.tags[cut] == tag]]
        count = bisect_tetrahedra(parents, keys, order, new_nodes, on_cut, np.empty((0, 4), dtype=np.int32))
        parts = np.empty((count, 4), dtype=np.int32)
        bisect_tetrahedra(parents, keys, order, new_nodes, on_cut, parts)
        tets.append(parts)
        tags.append(np.full(count, tag, dtype=np.int32))
    return TetMesh(nodes, np.concatenate(tets), np.concatenate(tags))
