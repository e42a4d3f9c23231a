"""The placements that a plan compares: a grid of scalp positions around a target, and all handle directions."""

from dataclasses import dataclass

import numpy as np
from scipy.interpolate import LinearNDInterpolator

from neuro_field.arrays import FloatArray, IntArray
from neuro_field.coil.coil import Coil
from neuro_field.coil.fit import lifts_to_clear
from neuro_field.errors import InputError
from neuro_field.geometry.mesh import Surface
from neuro_field.head.model import HeadModel
from neuro_field.planning.target import Target

#: Positions steeper than this against the patch's normal (cosine) are on an ear or a fold, not on the patch.
_FACING = 0.3


@dataclass(frozen=True)
class Grid:
    """How candidates are spread.

    Parameters
    ----------
    radius : float
        Of the patch of scalp around the point nearest to the target, mm.
    spacing : float
        Of its positions, mm.
    angle_step : float
        Degrees between handle directions; must divide 360.
    gap : float
        Smallest distance from the scalp to the casing, mm (hair, cap).
    """

    radius: float = 30.0
    spacing: float = 5.0
    angle_step: float = 15.0
    gap: float = 4.0

    def __post_init__(self) -> None:
        if not (0 < self.spacing <= self.radius <= 150):
            raise InputError(
                f"Input spacing and radius of Grid must satisfy 0 < spacing <= radius <= 150 mm; "
                f"instead received {self.spacing} and {self.radius}."
            )
        if not 0 < self.angle_step <= 360 or abs(360 / self.angle_step - round(360 / self.angle_step)) > 1e-9:
            raise InputError(f"Input angle_step of Grid must divide 360 degrees; instead received {self.angle_step}.")
        if not 0 <= self.gap <= 50:
            raise InputError(f"Input gap of Grid must be 0 to 50 mm; instead received {self.gap}.")


@dataclass(frozen=True, eq=False)
class Candidates:
    """Placements to compare.

    Parameters
    ----------
    head_from_coil : (p, 4, 4) array
        mm.
    positions : (p,) int array
        Which scalp position each belongs to.
    angles : (p,) array
        Of the handle, degrees from straight back, towards the patient's left positive.
    lifts : (p,) array
        mm by which each stands farther than the gap, so that the casing does not cut the scalp.
    """

    head_from_coil: FloatArray
    positions: IntArray
    angles: FloatArray
    lifts: FloatArray

    def __len__(self) -> int:
        return len(self.angles)


def anatomical_axes(head: HeadModel) -> FloatArray:
    """(3, 3) unit vectors right, anterior and superior in the head frame: MNI's axes where the head has a mapping."""
    if head.mapping is None:
        return np.eye(3)
    ends = head.from_mni(np.vstack([np.zeros(3), np.eye(3)]))
    axes = ends[1:] - ends[0]
    return axes / np.linalg.norm(axes, axis=1, keepdims=True)


def candidates(head: HeadModel, coil: Coil, target: Target, grid: Grid | None = None) -> Candidates:
    """Placements of a coil on the scalp around a target.

    Positions form a square grid in the plane that touches the scalp over the target, carried onto the scalp along
    the plane's normal; at each, the coil lies on the smoothed normal and its handle takes every direction.

    A coil without a casing is taken to be flat and stands at the gap.

    Raises
    ------
    InputError
        If the scalp near the target offers no position.
    """
    grid = grid or Grid()
    points = _scalp_grid(head.scalp, target.center, grid)
    right, anterior, _ = anatomical_axes(head)
    turns = np.radians(np.arange(0.0, 360.0, grid.angle_step))
    matrices = np.empty((len(points), len(turns), 4, 4))
    for i, point in enumerate(points):
        normal = head.scalp.smoothed_normal(point)
        back = -anterior + (anterior @ normal) * normal
        if np.linalg.norm(back) < 0.1:  # on the forehead or the occiput straight back is up
            back = right - (right @ normal) * normal
        back /= np.linalg.norm(back)
        left = np.cross(back, normal)  # seen from outside, at the vertex: the patient's left
        for j, turn in enumerate(turns):
            handle = np.cos(turn) * back + np.sin(turn) * left
            y, z = -handle, -normal
            matrices[i, j] = np.eye(4)
            matrices[i, j, :3] = np.stack([np.cross(y, z), y, z, point + grid.gap * normal], axis=1)
    flat = matrices.reshape(-1, 4, 4)
    lifts = np.zeros(len(flat))
    if coil.casing is not None:
        lifts = lifts_to_clear(head.scalp.points, coil.casing, flat, clearance=grid.gap)
    flat[:, :3, 3] -= lifts[:, None] * flat[:, :3, 2]
    return Candidates(
        flat,
        np.repeat(np.arange(len(points), dtype=np.int32), len(turns)),
        np.tile(np.degrees(turns), len(points)),
        lifts,
    )


def _scalp_grid(scalp: Surface, center: FloatArray, grid: Grid) -> FloatArray:
    """(q, 3) positions on the scalp around the point nearest to ``center``, that point first."""
    nearest = scalp.points[scalp.tree.query(center)[1]]
    normal = scalp.smoothed_normal(nearest)
    near = np.array(scalp.tree.query_ball_point(nearest, 1.5 * grid.radius + 10.0))
    near = near[scalp.vertex_normals[near] @ normal > _FACING]
    first = np.cross(normal, [0.0, 0.0, 1.0] if abs(normal[2]) < 0.9 else [0.0, 1.0, 0.0])
    first /= np.linalg.norm(first)
    second = np.cross(normal, first)
    offsets = scalp.points[near] - nearest
    plane = np.stack([offsets @ first, offsets @ second], axis=1)
    height = LinearNDInterpolator(plane, offsets @ normal)
    reach = int(grid.radius // grid.spacing)
    u, v = np.meshgrid(*[grid.spacing * np.arange(-reach, reach + 1)] * 2, indexing="ij")
    places = np.stack([u.ravel(), v.ravel()], axis=1).astype(np.float64)
    places = places[np.linalg.norm(places, axis=1) <= grid.radius]
    places = places[np.argsort(np.linalg.norm(places, axis=1), kind="stable")]
    heights = height(places)
    on_scalp = np.isfinite(heights)
    if not on_scalp.any():
        raise InputError(f"No scalp was found within {grid.radius:g} mm of the point over the target; check the mesh.")
    places, heights = places[on_scalp], heights[on_scalp]
    return nearest + places[:, :1] * first + places[:, 1:] * second + heights[:, None] * normal
