"""Whether a coil's casing cuts the scalp, and how far it must be lifted along its axis if it does.

The side of the casing that faces the head is taken as a height field over its outline: for a flat coil the plane
z = 0, for a bent one the largest z of its triangles.
"""

from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from neuro_field.arrays import FloatArray, as_points, read_only
from neuro_field.errors import InputError
from neuro_field.geometry.mesh import Surface
from neuro_field.kernels.clearance import lifts, turning_lifts
from neuro_field.nouns import noun

#: Side of the squares of the height field, mm.
STEP = 2.0

#: Scalp points farther from the coil than its casing reaches plus this, mm, cannot matter.
DEPTH = 60.0


@noun
class CasingFace:
    """The head-facing side of a casing: z over squares in x and y.

    Parameters
    ----------
    heights : (i, j) array
        Largest z of the casing over each square, mm; NaN where there is no casing.
    low : (2,) array
        x and y of the first square's corner, mm.
    """

    heights: FloatArray
    low: FloatArray

    def __post_init__(self) -> None:
        object.__setattr__(self, "heights", read_only(self.heights, np.float64))
        object.__setattr__(self, "low", read_only(self.low, np.float64))

    @classmethod
    def of(cls, casing: Surface) -> "CasingFace":
        """The face of a casing, from points spread over its triangles no farther apart than half a square."""
        points = _spread(casing, STEP / 2)
        low = points[:, :2].min(axis=0)
        cells = ((points[:, :2] - low) // STEP).astype(np.int64)
        heights = np.full(cells.max(axis=0) + 1, -np.inf)
        np.maximum.at(heights, (cells[:, 0], cells[:, 1]), points[:, 2])
        return cls(np.where(np.isfinite(heights), heights, np.nan), low)

    @property
    def reach(self) -> float:
        """Largest distance of the casing from the coil's axis, mm."""
        corners = np.abs(np.stack([self.low, self.low + STEP * np.array(self.heights.shape)]))
        return float(np.linalg.norm(corners.max(axis=0)))

    @cached_property
    def rings(self) -> tuple[FloatArray, FloatArray]:
        """Bounds (r,), (r,) of the heights on circles about the axis, radii from r to r + 1 squares' sides.

        The lower one is minus infinity where a circle leaves the casing; the upper one where it never meets it.
        """
        count = int(self.reach / STEP) + 1
        least = np.ceil(np.abs(self.low).max() / STEP) + 1
        pad = np.full((2, 2), int(max(count, least)) + 1)
        heights = np.pad(self.heights, pad, constant_values=np.nan)
        x, y = (self.low[i] + STEP * (np.arange(heights.shape[i] + 1) - pad[i, 0]) for i in range(2))
        far = np.hypot(*np.meshgrid(*(np.maximum(np.abs(a[:-1]), np.abs(a[1:])) for a in (x, y)), indexing="ij"))
        near = np.hypot(*np.meshgrid(*(np.maximum(np.maximum(a[:-1], -a[1:]), 0.0) for a in (x, y)), indexing="ij"))
        lowest, highest = np.full(count, np.inf), np.full(count, -np.inf)
        for r in range(count):
            met = heights[(far >= r * STEP) & (near <= (r + 1) * STEP)]
            lowest[r] = -np.inf if np.isnan(met).any() else met.min()
            highest[r] = np.nanmax(met) if not np.isnan(met).all() else -np.inf
        return read_only(lowest), read_only(highest)


@lru_cache(maxsize=16)
def _face(casing: Surface) -> CasingFace:
    """The face of a casing, kept for the next placement of the same coil."""
    return CasingFace.of(casing)


def _spread(casing: Surface, spacing: float) -> FloatArray:
    """Points over every triangle, on a lattice fine enough for its longest edge."""
    corners = casing.points[casing.triangles]
    edges = np.linalg.norm(np.roll(corners, 1, axis=1) - corners, axis=2).max(axis=1)
    counts = np.maximum(np.ceil(edges / spacing), 1).astype(np.int64)
    out = []
    for count in np.unique(counts):
        i, j = np.meshgrid(np.arange(count + 1), np.arange(count + 1), indexing="ij")
        inside = i + j <= count
        a, b = i[inside] / count, j[inside] / count
        weights = np.stack([1 - a - b, a, b], axis=1)
        out.append(np.einsum("qc,tcx->tqx", weights, corners[counts == count]).reshape(-1, 3))
    return np.concatenate(out)


def lifts_to_clear(scalp_points: Any, casing: Surface, head_from_coils: Any, clearance: float = 0.0) -> FloatArray:
    """Distance by which a casing must move back along its axis so that it does not cut the scalp, for many poses.

    Parameters
    ----------
    scalp_points : (m, 3) array
        Vertices of the scalp, mm, head frame; all of them, or those near the coil.
    casing : Surface
        mm, coil frame.
    head_from_coils : (p, 4, 4) array
        Poses, as `Placement.head_from_coil`.
    clearance : float
        Distance along the axis to keep between casing and scalp, mm.

    Returns
    -------
    (p,) array
        mm, 0 where it is clear already.  To apply: ``placement.moved(along_z=-lift)``.
    """
    points = as_points(scalp_points, "scalp_points of lifts_to_clear")
    if not np.isfinite(clearance):
        raise InputError(f"Input clearance of lifts_to_clear must be finite, in mm; instead received {clearance}.")
    poses = np.ascontiguousarray(head_from_coils, dtype=np.float64)
    if poses.ndim != 3 or poses.shape[1:] != (4, 4) or not np.isfinite(poses).all():
        raise InputError(f"Input head_from_coils of lifts_to_clear must be finite (p, 4, 4); not {poses.shape}.")
    if not len(poses):
        return np.zeros(0)
    face = _face(casing)
    centre = poses[:, :3, 3].mean(axis=0)
    spread = float(np.linalg.norm(poses[:, :3, 3] - centre, axis=1).max())
    near = np.linalg.norm(points - centre, axis=1) <= spread + face.reach + DEPTH
    out = np.empty(len(poses))
    lifts(points[near], poses, np.array(face.heights), np.array(face.low), STEP, out)
    return np.maximum(out + clearance, 0.0)


def lifts_while_turning(
    scalp_points: FloatArray, casing: Surface, head_from_coils: FloatArray, turns: FloatArray, clearance: float = 0.0
) -> FloatArray:
    """`lifts_to_clear` of poses (q, 4, 4), each turned about its own z axis by angles (a,), radians; (q, a) mm.

    Much faster than asking for every turned pose: what a turn does not change is done once.
    """
    poses = np.ascontiguousarray(head_from_coils, dtype=np.float64)
    out = np.empty((len(poses), len(turns)))
    if not out.size:
        return out
    face = _face(casing)
    centre = poses[:, :3, 3].mean(axis=0)
    spread = float(np.linalg.norm(poses[:, :3, 3] - centre, axis=1).max())
    near = np.linalg.norm(scalp_points - centre, axis=1) <= spread + face.reach + DEPTH
    lowest, highest = face.rings
    turning_lifts(
        scalp_points[near], np.ascontiguousarray(poses[:, :3, 3]), np.ascontiguousarray(poses[:, :3, :3]),
        np.cos(turns), np.sin(turns), np.array(face.heights), np.array(face.low), STEP, np.array(lowest),
        np.array(highest), out,
    )  # fmt: skip
    return np.maximum(out + clearance, 0.0)


def depths_in_casing(scalp_points: FloatArray, casing: Surface, head_from_coil: FloatArray) -> FloatArray:
    """Depth (m,) of scalp points inside a casing's face along the coil's axis, mm; 0 for those outside the casing.

    Arguments as those of `lifts_to_clear`, for one pose.  Points behind the casing's back do not lie in it.
    """
    face = _face(casing)
    local = (scalp_points - head_from_coil[:3, 3]) @ head_from_coil[:3, :3]
    cells = np.floor((local[:, :2] - face.low) / STEP).astype(np.int64)
    over = ((cells >= 0) & (cells < face.heights.shape)).all(axis=1) & (local[:, 2] > casing.points[:, 2].min())
    out = np.zeros(len(local))
    out[over] = np.fmax(face.heights[tuple(cells[over].T)] - local[over, 2], 0.0)
    return out
