"""Tetrahedral meshes and triangle surfaces as shapes; what they conduct is for the room ``head``."""

import hashlib
from functools import cached_property

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import ConvexHull, cKDTree

from neuro_field.arrays import AnyArray, BoolArray, FloatArray, IntArray, as_vector, read_only
from neuro_field.errors import InputError
from neuro_field.kernels import assembly as kernel
from neuro_field.kernels import faces
from neuro_field.nouns import noun

#: Faces of a tetrahedron, opposite its nodes 0..3, wound so that normals point outwards.
FACES = np.array([[1, 2, 3], [0, 3, 2], [0, 1, 3], [0, 2, 1]])

#: Planes of a convex hull that are tried on all points before every plane is on those left.
_PLANES = 8


@noun
class Surface:
    """A triangle surface; normals point to the right-hand side of its winding (outwards, when it encloses).

    Parameters
    ----------
    points : (m, 3) array
        Vertices in mm.
    triangles : (f, 3) array
        Vertex indices.
    """

    points: FloatArray
    triangles: IntArray

    def __post_init__(self) -> None:
        object.__setattr__(self, "points", read_only(self.points, np.float64))
        object.__setattr__(self, "triangles", read_only(self.triangles, np.int32))
        if self.points.ndim != 2 or self.points.shape[1] != 3:
            raise InputError(f"Input points of Surface must have shape (m, 3); instead received {self.points.shape}.")
        if self.triangles.ndim != 2 or self.triangles.shape[1] != 3:
            raise InputError(f"Input triangles of Surface must have shape (f, 3); not {self.triangles.shape}.")
        if self.triangles.size and (self.triangles.min() < 0 or self.triangles.max() >= len(self.points)):
            raise InputError(f"Input triangles of Surface must index its {len(self.points)} points.")

    @cached_property
    def area_vectors(self) -> FloatArray:
        """(f, 3) normals times area, mm2."""
        a, b, c = (self.points[self.triangles[:, i]] for i in range(3))
        return read_only(np.cross(b - a, c - a) / 2)

    @cached_property
    def areas(self) -> FloatArray:
        """(f,) triangle areas, mm2."""
        return read_only(np.linalg.norm(self.area_vectors, axis=1))

    @cached_property
    def vertex_areas(self) -> FloatArray:
        """(m,) a third of the area of the triangles around each vertex, mm2."""
        return read_only(np.bincount(self.triangles.ravel(), np.repeat(self.areas / 3, 3), len(self.points)))

    @cached_property
    def vertex_normals(self) -> FloatArray:
        """(m, 3) unit normals, weighted by the area of the triangles around each vertex."""
        normals = np.stack(
            [
                np.bincount(self.triangles.ravel(), np.repeat(self.area_vectors[:, i], 3), len(self.points))
                for i in range(3)
            ],
            axis=1,
        )
        return read_only(normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-30))

    @cached_property
    def tree(self) -> cKDTree:
        """Nearest-neighbour tree of the vertices."""
        return cKDTree(self.points)

    @cached_property
    def _triangle_tree(self) -> cKDTree:
        return cKDTree(self.points[self.triangles].mean(axis=1))

    def nearest(self, point: FloatArray) -> FloatArray:
        """(3,) the point of the surface nearest to a point, mm, among the 32 triangles with the nearest centres."""
        close = np.atleast_1d(self._triangle_tree.query(point, k=min(32, len(self.triangles)))[1])
        candidates = _nearest_on_triangles(point, self.points[self.triangles[close]])
        return np.asarray(candidates[np.argmin(np.linalg.norm(candidates - point, axis=1))])

    def encloses(self, points: FloatArray) -> BoolArray:
        """(m,) which points (m, 3) lie within a closed surface: those all around which it lies.

        By the solid angle of its triangles (Van Oosterom and Strackee, IEEE Trans Biomed Eng 1983;30:125), which is
        4 pi within and 0 without; points outside its convex hull are known at once.
        """
        out = np.zeros(len(points), dtype=bool)
        for index in np.flatnonzero(self.within_hull(points)):
            a, b, c = (self.points[self.triangles[:, i]] - points[index] for i in range(3))
            la, lb, lc = (np.linalg.norm(r, axis=1) for r in (a, b, c))
            below = la * lb * lc + _dot(a, b) * lc + _dot(b, c) * la + _dot(c, a) * lb
            out[index] = 2 * np.arctan2(_dot(a, np.cross(b, c)), below).sum() > 2 * np.pi
        return out

    def within_hull(self, points: FloatArray) -> BoolArray:
        """(m,) which points (m, 3) lie within its convex hull."""
        normals, offsets = self._hull[:, :3], self._hull[:, 3]
        out = np.ones(len(points), dtype=bool)
        out[~np.isfinite(points).all(axis=1)] = False
        for _ in range(_PLANES):  # one plane of a thousand tells most points of a coil from a head
            left = np.flatnonzero(out)
            if len(left) < _PLANES:
                break
            plane = int(np.argmax(normals @ points[left].mean(axis=0) + offsets))
            out[left] = points[left] @ normals[plane] + offsets[plane] <= 0
        left = np.flatnonzero(out)
        out[left] = (points[left] @ normals.T + offsets <= 0).all(axis=1)
        return out

    @cached_property
    def _hull(self) -> FloatArray:
        """(h, 4) planes of the convex hull: outward normal, and minus its distance from the origin."""
        return read_only(ConvexHull(self.points).equations)

    def smoothed_normal(self, point: FloatArray, radius: float = 15.0) -> FloatArray:
        """(3,) unit normal of the patch of surface within ``radius`` mm of a point, weighted by area.

        Only vertices whose own normal lies within 90 degrees of the nearest vertex's count, so that an ear or
        the other side of a thin part does not turn it.
        """
        point = as_vector(point, "point of Surface.smoothed_normal")
        nearest = int(self.tree.query(point)[1])
        near = np.array(self.tree.query_ball_point(self.points[nearest], radius), dtype=np.int64)
        normals = self.vertex_normals[near]
        facing = normals @ self.vertex_normals[nearest] > 0
        mean = (normals * self.vertex_areas[near, None])[facing].sum(axis=0)
        return mean / np.linalg.norm(mean)

    def compacted(self) -> "Surface":
        """The same surface without vertices that no triangle uses."""
        used = np.zeros(len(self.points), dtype=bool)
        used[self.triangles.ravel()] = True
        new = np.cumsum(used) - 1
        return Surface(self.points[used], new[self.triangles])

    def largest_piece(self) -> "Surface":
        """The connected piece of largest area."""
        t = self.triangles
        rows, columns = np.concatenate([t[:, 0], t[:, 1]]), np.concatenate([t[:, 1], t[:, 2]])
        graph = coo_array((np.ones(len(rows), dtype=np.int8), (rows, columns)), shape=(len(self.points),) * 2)
        piece = connected_components(graph, directed=False)[1][t[:, 0]]
        largest = int(np.argmax(np.bincount(piece, self.areas)))
        return Surface(self.points, t[piece == largest]).compacted()


@noun
class TetMesh:
    """A tetrahedral mesh with a tissue tag per element.

    Parameters
    ----------
    nodes : (n, 3) array
        Node positions, mm, head frame.
    tets : (t, 4) array
        Node indices, zero-based; positively oriented: det(b-a, c-a, d-a) > 0.
    tags : (t,) array
        Tissue tag of each element (`neuro_field.head.tissues`).

    Raises
    ------
    InputError
        On wrong shapes, indices out of range, or nodes that are not finite.
    """

    nodes: FloatArray
    tets: IntArray
    tags: IntArray

    def __post_init__(self) -> None:
        object.__setattr__(self, "nodes", read_only(self.nodes, np.float64))
        for name in ("tets", "tags"):
            object.__setattr__(self, name, read_only(_whole(getattr(self, name), name), np.int32))
        if self.nodes.ndim != 2 or self.nodes.shape[1] != 3:
            raise InputError(f"Input nodes of TetMesh must have shape (n, 3); instead received {self.nodes.shape}.")
        if self.tets.ndim != 2 or self.tets.shape[1] != 4 or not len(self.tets):
            raise InputError(f"Input tets of TetMesh must have shape (t, 4); instead received {self.tets.shape}.")
        if self.tags.shape != (len(self.tets),):
            raise InputError(f"Input tags of TetMesh must have shape ({len(self.tets)},); not {self.tags.shape}.")
        if self.tags.min() < 0:
            raise InputError(f"Input tags of TetMesh must be 0 or more; instead the lowest is {self.tags.min()}.")
        if self.tets.min() < 0 or self.tets.max() >= len(self.nodes):
            raise InputError(
                f"Input tets of TetMesh must index its {len(self.nodes)} nodes; "
                f"instead indices run from {self.tets.min()} to {self.tets.max()}."
            )
        bad = np.flatnonzero(~np.isfinite(self.nodes).all(axis=1))
        if len(bad):
            raise InputError(f"Nodes of TetMesh must be finite; instead {len(bad)} are not, the first is {bad[0]}.")

    @cached_property
    def volumes(self) -> FloatArray:
        """(t,) signed volumes, mm3."""
        out = np.empty(len(self.tets))
        kernel.volumes(self.nodes, self.tets, out)
        return read_only(out)

    @cached_property
    def centroids(self) -> FloatArray:
        """(t, 3) element centroids, mm."""
        return read_only(sum(self.nodes[self.tets[:, i]] for i in range(4)) / 4)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of nodes and tetrahedra, whatever their tags: by it a record tells whose elements it means."""
        state = hashlib.sha256(f"{self.nodes.shape} {self.tets.shape}".encode())
        state.update(self.nodes.data)
        state.update(self.tets.data)
        return state.hexdigest()

    def touched(self, elements: BoolArray) -> BoolArray:
        """(n,) which nodes some elements (t,) have."""
        out = np.zeros(len(self.nodes), dtype=bool)
        out[self.tets[elements]] = True
        return out

    def boundary(self, inside: BoolArray | None = None) -> Surface:
        """Surface between the elements of a mask and everything else, normals outwards.

        Parameters
        ----------
        inside : (t,) bool array, optional
            Elements to enclose; all when omitted.

        Returns
        -------
        Surface
            Its vertices are a subset of the mesh nodes, in their order.
        """
        tets = self.tets if inside is None else self.tets[inside]
        shared = self._shared if inside is None else _sharers(tets, len(self.nodes))
        element, opposite = np.divmod(np.flatnonzero(shared == 1), 4)
        return Surface(self.nodes, tets[element[:, None], FACES[opposite]]).compacted()

    @cached_property
    def _shared(self) -> AnyArray:
        return read_only(_sharers(self.tets, len(self.nodes)))

    def conformity(self) -> tuple[IntArray, IntArray]:
        """What keeps elements from fitting together: both empty for a mesh that can be solved on.

        Returns
        -------
        doubled : (d,) int array
            Elements with a face that three or more have.
        torn : (m,) int array
            Nodes of the surface that lie where another one lies: a slit, across which nothing flows.
        """
        doubled = np.unique(np.flatnonzero(self._shared > 2) // 4)
        element, opposite = np.divmod(np.flatnonzero(self._shared == 1), 4)
        outer = np.unique(self.tets[element[:, None], FACES[opposite]])
        _, which, count = np.unique(self.nodes[outer], axis=0, return_inverse=True, return_counts=True)
        return doubled.astype(np.int32), outer[count[which.ravel()] > 1].astype(np.int32)


def _whole(values: AnyArray, name: str) -> AnyArray:
    """Numbers that single-width integers hold as they are."""
    array = np.asarray(values)
    limits = np.iinfo(np.int32)
    if array.dtype.kind not in "biuf" or (
        array.size
        and not ((array == np.round(array)) & (array >= limits.min) & (array <= limits.max)).all()  # false for NaN
    ):
        raise InputError(f"Input {name} of TetMesh must be whole numbers; instead some are not ({array.dtype}).")
    return array


def _sharers(tets: IntArray, n: int) -> AnyArray:
    """(4 t,) how many of the elements have each face, by 4 * element + the local node it lies opposite to."""
    counts, slots = np.zeros(n + 1, dtype=np.int64), np.empty(4 * len(tets), dtype=np.int32)
    others, out = np.empty((4 * len(tets), 2), dtype=np.int32), np.empty(4 * len(tets), dtype=np.uint8)
    faces.sorted_into_bins(tets, counts, others, slots)
    faces.sharers(counts, others, slots, out)
    return out


def _dot(a: FloatArray, b: FloatArray) -> FloatArray:
    return np.asarray(np.einsum("fi,fi->f", a, b))


def _nearest_on_triangles(point: FloatArray, corners: FloatArray) -> FloatArray:
    """(f, 3) the point of each triangle (f, 3, 3) nearest to a point."""
    a, b, c = corners[:, 0], corners[:, 1], corners[:, 2]
    normals = np.cross(b - a, c - a)
    squares = np.maximum((normals**2).sum(axis=1), 1e-30)
    foot = point - ((point - a) * normals).sum(axis=1)[:, None] * normals / squares[:, None]
    inside = np.ones(len(corners), dtype=bool)
    on_edges = []
    for start, end in ((a, b), (b, c), (c, a)):
        inside &= (np.cross(end - start, foot - start) * normals).sum(axis=1) >= 0
        along = ((point - start) * (end - start)).sum(axis=1)
        along = np.clip(along / np.maximum(((end - start) ** 2).sum(axis=1), 1e-30), 0, 1)
        on_edges.append(start + along[:, None] * (end - start))
    edges = np.stack(on_edges, axis=1)
    best = np.argmin(np.linalg.norm(edges - point, axis=2), axis=1)
    return np.where(inside[:, None], foot, edges[np.arange(len(edges)), best])
