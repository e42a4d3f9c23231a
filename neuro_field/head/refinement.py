"""Finer elements where they matter: the error of a field on a folded cortex is made by the folds beside it."""

import numpy as np
from scipy.spatial import cKDTree

from neuro_field.arrays import BoolArray, FloatArray, as_points, read_only
from neuro_field.errors import InputError
from neuro_field.geometry.bisection import bisected, edge_lengths
from neuro_field.geometry.locate import locate
from neuro_field.geometry.mesh import TetMesh
from neuro_field.head.mesher import ordered
from neuro_field.head.tissues import tags_of
from neuro_field.nouns import noun

#: Limits of a refinement's radius, mm, and of its levels.
RADII, LEVELS = (2.0, 60.0), (1, 2, 3)

#: What is refined: brain, lesion and the fluid around them.  Skull and scalp are smooth, and far from the target.
INSIDE = tags_of("intracranial")

#: Edges of which share of the elements there are halved at every level; the rest are short already.
_LONG = 0.9

#: Most new nodes, as a share of the mesh's.
MOST_NODES = 0.6


@noun
class Refinement:
    """A recipe: edges inside the skull halved ``levels`` times (1 to 3) within ``radius`` mm (2 to 60) of points.

    ``near`` (3,) or (k, 3), mm, head frame.

    Raises
    ------
    InputError
        If an argument is beyond its limits.
    """

    near: FloatArray
    radius: float = 20.0
    levels: int = 1

    def __post_init__(self) -> None:
        points = as_points([self.near] if np.ndim(self.near) == 1 else self.near, "near of HeadModel.refined")
        if not len(points):
            raise InputError("Input near of HeadModel.refined must name one place or more; instead there is none.")
        object.__setattr__(self, "near", read_only(points))
        radius, levels = self.radius, self.levels
        if not (isinstance(radius, int | float) and RADII[0] <= radius <= RADII[1]):
            raise InputError(f"Input radius of HeadModel.refined must be 2 to 60 mm; instead received {radius!r:.40}.")
        if isinstance(levels, bool) or levels not in LEVELS:
            raise InputError(f"Input levels of HeadModel.refined must be 1, 2 or 3; instead received {levels!r:.40}.")


def refined_mesh(mesh: TetMesh, recipe: Refinement) -> TetMesh:
    """The mesh refined by a recipe.

    By bisection of longest edges: it conforms, elements keep their tissue and the tissues their shape.

    Raises
    ------
    InputError
        If no element inside the skull lies there, or more than 60 % of the nodes would be added.
    """
    near, radius, levels = recipe.near, float(recipe.radius), recipe.levels
    places = cKDTree(near)

    def beside(elements: TetMesh) -> BoolArray:
        return np.isin(elements.tags, INSIDE) & (places.query(elements.centroids)[0] <= radius)

    chosen = beside(mesh)
    if not chosen.any():
        nearest = places.query(mesh.centroids[np.isin(mesh.tags, INSIDE)])[0].min(initial=np.inf)
        raise InputError(
            f"Nothing inside the skull lies within {radius:g} mm of {np.round(near, 1).tolist()} to be refined; the "
            f"nearest is {nearest:.0f} mm off."
        )
    longest = float(np.quantile(edge_lengths(mesh.nodes, mesh.tets[chosen]).max(axis=1), _LONG))
    out = mesh
    for level in range(1, levels + 1):
        out = bisected(out, beside, longest / 2**level)
        added = len(out.nodes) - len(mesh.nodes)
        if added > MOST_NODES * len(mesh.nodes):
            raise InputError(
                f"Refining {radius:g} mm around {len(near)} places {level} times adds {added:,} nodes to "
                f"{len(mesh.nodes):,}, more than {100 * MOST_NODES:g} %; take a smaller radius or fewer levels."
            )
    return ordered(out.nodes, out.tets, out.tags)


def carried_conductivity(mesh: TetMesh, conductivity: FloatArray, finer: TetMesh) -> FloatArray:
    """Conductivities (t,) or (t, 3, 3) of a mesh in the elements that a finer one cuts its elements into."""
    there, first, which = np.unique(mesh.tags, return_index=True, return_inverse=True)
    if (conductivity == conductivity[first][which]).all():
        return np.asarray(conductivity[first][np.searchsorted(there, finer.tags)])
    return np.asarray(conductivity[locate(mesh, finer.centroids)[0]])
