"""The cortex as a sheet: a point of grey matter for every vertex of its outer surface, and the volume it stands for."""

import numpy as np
from scipy.spatial import cKDTree

from neuro_field.arrays import AnyArray, FloatArray, read_only, sealed
from neuro_field.errors import InputError
from neuro_field.field.sampling import cortex
from neuro_field.geometry.locate import locate
from neuro_field.geometry.mesh import Surface
from neuro_field.head.cortex import towards_middle
from neuro_field.head.model import HeadModel
from neuro_field.kernels.morton import morton_codes
from neuro_field.nouns import noun

#: Grey matter farther than this from every point lies in a nucleus, mm.
REACH = 6.0


@noun
class Sheet:
    """The cortex of a head.

    Points lie in the middle of the grey matter, where fields are read for statistics; where a vertex has no middle
    (two banks of a sulcus that the mesh joins, thin grey matter) its point lies just inside the surface.

    Parameters
    ----------
    surface : Surface
        Outer surface of the grey matter, mm, both hemispheres and the cerebellum; vertices along a Morton curve.
    points : (n, 3) array
        mm, one for each vertex.
    normals : (n, 3) array
        Of the surface at its vertices, outwards.
    volumes : (n,) array
        mm3 of the grey matter that is nearest to each point.
    """

    surface: Surface
    points: FloatArray
    normals: FloatArray
    volumes: FloatArray

    @classmethod
    def of(cls, head: HeadModel) -> "Sheet":
        """Of a head; raises InputError where it has no grey matter."""
        surface, points = cortex(head)
        mesh, grey, white = head.mesh, head.region("grey_matter"), head.region("white_matter")
        if white.any():
            middle, elements = towards_middle(mesh, surface, grey, white)
            points = np.where((elements >= 0)[:, None], middle, points)
        order = np.argsort(morton_codes(points), kind="stable")
        place = np.empty(len(order), np.int32)
        place[order] = np.arange(len(order))
        points = np.ascontiguousarray(points[order])
        centroids = mesh.nodes[mesh.tets[grey]].mean(axis=1)
        distance, nearest = cKDTree(points).query(centroids, workers=-1)
        near = distance <= REACH
        volumes = np.bincount(nearest[near], mesh.volumes[grey][near], len(points))
        shown = Surface(surface.points[order], place[surface.triangles])
        return cls(shown, sealed(points), shown.vertex_normals, sealed(volumes))

    def elements(self, head: HeadModel) -> tuple[AnyArray, FloatArray]:
        """The elements (n,) that hold the points, and barycentric coordinates (n, 4)."""
        elements, shares = locate(head.mesh, self.points)
        if (elements < 0).any():
            raise InputError(f"{np.count_nonzero(elements < 0)} points of the cortex lie outside the head's mesh.")
        return elements, shares

    def spread(self, count: int) -> AnyArray:
        """Indices (m,) of at most ``count`` points, evenly along the curve, ascending."""
        return read_only(np.unique(np.linspace(0, len(self.points) - 1, min(count, len(self.points))).astype(int)))

    def thinned(self, chosen: AnyArray) -> "Sheet":
        """Some of the points (m,), ascending, without triangles, with the volumes of those around them."""
        points = read_only(self.points[chosen])
        nearest = cKDTree(points).query(self.points, workers=-1)[1]
        bare = Surface(self.surface.points[chosen], np.empty((0, 3), np.int32))
        volumes = np.bincount(nearest, self.volumes, len(points))
        return Sheet(bare, points, read_only(self.normals[chosen]), sealed(volumes))
