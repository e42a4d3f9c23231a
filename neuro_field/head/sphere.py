"""Concentric spherical shells: the head whose field is known in closed form, for validation."""

from collections.abc import Sequence

import numpy as np

from neuro_field.arrays import AnyArray, FloatArray
from neuro_field.errors import InputError
from neuro_field.geometry.mesh import FACES, TetMesh
from neuro_field.head.mesher import checked_edge, mesh_fields
from neuro_field.head.mesher_cut import face_keys
from neuro_field.head.model import HeadModel
from neuro_field.kernels.lattice_stars import collect_label_sets

#: Cells of thin shells may be 2**-3 of the edge.
MOST_LEVELS = 3

#: Tags of the shells, from inside out, by how many there are.
SHELL_TAGS = {1: (2,), 2: (2, 5), 3: (2, 4, 5), 4: (2, 3, 4, 5)}
#: Points of the grid that carries the shells' fields; they cost 24 bytes each.
GRID_LIMIT = 60_000_000


def sphere_head(
    radii: Sequence[float] = (78, 81, 87, 92),
    edge: float = 3.0,
    *,
    conductivity: Sequence[float] | None = None,
) -> HeadModel:
    """Concentric spherical shells around the origin, meshed as evenly as their thickness allows.

    Parameters
    ----------
    radii : one to four numbers
        Outer radius of each shell, mm, from inside out.  Four are grey matter, CSF, bone and scalp; three
        grey matter, bone and scalp; two grey matter and scalp; one grey matter.
    edge : float
        Edge of the cells, mm (`mesher.mesh_labels`).  Where it is more than 1.5 times the thinnest shell the shells
        get cells of a half, a quarter or an eighth of it, and only the innermost keeps it.
    conductivity : sequence of float, optional
        S/m of each shell; the tissues' standard values when omitted.

    Returns
    -------
    HeadModel
        Nodes of every boundary lie on its sphere to rounding; no mapping to MNI.

    Raises
    ------
    InputError
        On radii that do not increase from above zero, another count of them, a conductivity of another
        length, or an edge too coarse for the thinnest shell.

    Examples
    --------
    >>> head = sphere_head(radii=(20, 24), edge=4.0)
    >>> round(float(np.linalg.norm(head.scalp.points, axis=1).max()), 9)
    24.0
    """
    shells = _checked_radii(radii)
    edge = checked_edge(edge)
    thinnest = float(np.diff(shells, prepend=0).min())
    level = max(0, int(np.ceil(np.log2(edge / (1.5 * thinnest)))))
    if level > MOST_LEVELS:
        raise InputError(
            f"Input edge of sphere_head must be at most {1.5 * 2**MOST_LEVELS:g} times its thinnest shell "
            f"({thinnest:g} mm), that is {1.5 * 2**MOST_LEVELS * thinnest:g} mm; instead received {edge:g}."
        )
    if conductivity is not None and np.shape(conductivity) != shells.shape:
        raise InputError(
            f"Input conductivity of sphere_head must have one value for each of {len(shells)} shells; "
            f"instead received {conductivity!r:.80}."
        )
    finest = edge / 2**level
    fields, grid = _shell_fields(shells, finest)
    mesh = mesh_fields(fields, grid, edge=finest, wanted_level=_levels(fields.shape[1:], grid, shells[0], edge, level))
    nodes = _on_spheres(mesh, shells)
    tags = np.array((0, *SHELL_TAGS[len(shells)]))[mesh.tags]
    provenance = {"source": "concentric spheres", "radii": shells.tolist(), "edge": float(edge)}
    head = HeadModel.from_mesh(TetMesh(nodes, mesh.tets, tags), name="sphere", provenance=provenance)
    if conductivity is None:
        return head
    sigma = np.asarray(conductivity, dtype=np.float64)[mesh.tags - 1]
    return HeadModel(head.mesh, sigma, name="sphere", provenance=provenance)


def _checked_radii(radii: Sequence[float]) -> FloatArray:
    """One to four increasing positive radii."""
    try:
        shells = np.array(radii, dtype=np.float64)
    except (TypeError, ValueError):
        shells = np.empty(0)
    if shells.ndim != 1 or not 1 <= len(shells) <= 4:
        raise InputError(f"Input radii of sphere_head must be one to four numbers; not {radii!r:.80}.")
    if not np.isfinite(shells).all() or shells[0] <= 0 or (np.diff(shells) <= 0).any():
        raise InputError(f"Input radii of sphere_head must be positive and increase outwards; not {radii!r:.80}.")
    return shells


def _levels(shape: tuple[int, ...], grid: FloatArray, radius: float, edge: float, level: int) -> AnyArray | None:
    """Cells of the whole edge inside the innermost shell, finer ones towards the shells; None where all are alike."""
    if not level:
        return None
    square = [(np.arange(count) * grid[0, 0] + grid[axis, 3]) ** 2 for axis, count in enumerate(shape)]
    distance = np.sqrt(square[0][:, None, None] + square[1][:, None] + square[2])
    return np.where(distance < radius - edge, level, 0).astype(np.int8)


def _shell_fields(radii: FloatArray, edge: float) -> tuple[AnyArray, FloatArray]:
    """One field per region, (shells + 1, i, i, i), the outside first, and the affine of their grid of cubes.

    From inside out they are 0, r - R1, 2 r - R1 - R2, ... in voxels: each is the largest in its own shell, two
    neighbours are equal exactly on the sphere between them, and none has a kink that interpolation would blur.
    """
    spacing = edge / 2  # any coarser and the level sets between grid points stray from the spheres
    half = int(np.ceil(radii[-1] / spacing)) + 10
    if (2 * half + 1) ** 3 > GRID_LIMIT:
        finest = 4 * radii[-1] / (GRID_LIMIT ** (1 / 3) - 24)
        raise InputError(
            f"Input edge of {edge:g} mm would need a field grid of {(2 * half + 1) ** 3 / 1e6:.0f} million points, "
            f"over the limit of {GRID_LIMIT / 1e6:.0f} million; use an edge of at least {finest:.2g} mm."
        )
    square = np.arange(-half, half + 1, dtype=np.float64) ** 2
    distance = np.sqrt(square[:, None, None] + square[:, None] + square).astype(np.float32)
    fields = np.zeros((len(radii) + 1, *distance.shape), dtype=np.float32)
    inner_to_outer = [*range(1, len(radii) + 1), 0]
    for step, radius in enumerate(radii):
        inside, outside = inner_to_outer[step], inner_to_outer[step + 1]
        fields[outside] = fields[inside] + distance - np.float32(radius / spacing)
    affine = np.diag([spacing, spacing, spacing, 1.0])
    affine[:3, 3] = -half * spacing
    return fields, affine


def _on_spheres(mesh: TetMesh, radii: FloatArray) -> FloatArray:
    """Nodes (n, 3) of a mesh of shells, those of boundaries moved along their radius onto the sphere.

    Nodes whose move would invert an element stay.
    """
    sets = np.zeros(len(mesh.nodes), dtype=np.int32)
    collect_label_sets(mesh.tets, mesh.tags.astype(np.int8), sets)
    sets[_outer_nodes(mesh)] |= 1 << (len(radii) + 1)
    home = np.array(mesh.nodes)
    nodes = home.copy()
    for shell, radius in enumerate(radii, start=1):
        on = sets == (1 << shell) | (1 << (shell + 1))
        nodes[on] *= (radius / np.linalg.norm(home[on], axis=1))[:, None]
    while (inverted := TetMesh(nodes, mesh.tets, mesh.tags).volumes <= 0).any():
        back = np.unique(mesh.tets[inverted])
        nodes[back] = home[back]
    return nodes


def _outer_nodes(mesh: TetMesh) -> AnyArray:
    """Nodes of the boundary of a mesh, rising."""
    triangles = mesh.tets[:, FACES].reshape(-1, 3)
    _, first, count = np.unique(face_keys(triangles), return_index=True, return_counts=True)
    return np.unique(triangles[first[count == 1]])
