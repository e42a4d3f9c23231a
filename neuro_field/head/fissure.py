"""The patient's own fissure between the hemispheres: a surface by which a point of the head is left or right.

A height over the mid-sagittal plane, x(y, z), found either between what a segmenter labelled left and right, or along
the sheet of fluid between the hemispheres.  Nothing is said where neither is seen: a sphere has no fissure.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.ndimage import convolve1d, gaussian_filter, map_coordinates

from neuro_field.arrays import AnyArray, FloatArray, IntArray, as_points, as_rigid, read_only, transformed
from neuro_field.errors import InputError
from neuro_field.geometry.locate import locate
from neuro_field.geometry.mesh import TetMesh
from neuro_field.head.mapping import MniMapping
from neuro_field.head.tissues import tags_of

#: Tissue tags, or sides (-1 left, 1 right, 0 neither), of points (m, 3), mm, head frame.
Sampler = Callable[[FloatArray], AnyArray]

#: From what was sampled (2, i, j, k): what the surface costs, where hemispheres are, where what is between them is.
_Judge = Callable[[AnyArray], tuple[FloatArray, FloatArray, FloatArray]]

#: Cells of the mid-sagittal plane, mm, and of the way across it.
STEP, ACROSS = 4.0, 1.0

#: The fissure is looked for within this distance of the mid-sagittal plane, mm: shifts of the midline reach 15.
REACH = 20.0

#: What a mm through a tissue costs the surface: it keeps to fluid, and a cavity says little of where it runs.
_COSTS = {"brain": 1.0, "lesion": 0.5, "csf": 0.0, "blood": 0.0}
_COST_OUTSIDE = 0.3

#: What a step of 1 mm to the side from one cell to the next costs (its square counts), and 1 mm off the plane.
_BENDING, _STRAYING = 0.06, 0.003

#: Where labels have left and right, no column counts for more than this much of the wrong side, mm.
_MOST_WRONG = 5.0

#: Middle of the brain in MNI152, mm, and how far the grid goes from it forwards and back, up and down.
_MIDDLE_MNI, _EXTENT = (0.0, -18.0, 8.0), (104.0, 96.0)

#: Planes tried at first: shifts (mm, steps a way), turns (degrees, steps a way), cell (mm); then closer about the best.
_TRIED = (((24.0, 6), (20.0, 4), 8.0), ((2.0, 1), (2.5, 1), 4.0))

#: Rounds of finding the surface and laying the mid-sagittal plane through it.
_ROUNDS = 2

#: Fluid is a sheet between hemispheres when brain lies on both its sides within this distance, mm.
_SHEET = 12.0

#: With less of the fissure seen than this, cm2, there is none: of a whole head 60 to 100 are seen.
LEAST_SEEN = 15.0


@dataclass(frozen=True, eq=False)
class Fissure:
    """The surface between the hemispheres.

    Parameters
    ----------
    head_from_grid : (4, 4) array
        Rigid; axes right, anterior and superior of the mid-sagittal plane, which is x = 0 of the grid.
    start : (float, float)
        y and z of the first cell in the grid's frame, mm.
    step : float
        From cell to cell, mm.
    offsets : (j, k) array
        How far right of the mid-sagittal plane the fissure lies, mm, by y and z.
    seen_cm2 : float
        How much of it was seen, not bridged.
    source : {"labels", "csf"}
        Whether a segmenter's left and right, or the sheet of fluid, was followed.
    """

    head_from_grid: FloatArray
    start: tuple[float, float]
    step: float
    offsets: FloatArray
    seen_cm2: float
    source: str

    def __post_init__(self) -> None:
        frame = read_only(as_rigid(self.head_from_grid, "head_from_grid of Fissure"))
        offsets = read_only(self.offsets, np.float64)
        if offsets.ndim != 2 or min(offsets.shape) < 2 or not np.isfinite(offsets).all():
            raise InputError(f"Input offsets of Fissure must be a finite (j, k) array; instead {offsets.shape}.")
        object.__setattr__(self, "head_from_grid", frame)
        object.__setattr__(self, "offsets", offsets)

    def right_of(self, points: AnyArray) -> FloatArray:
        """How far right of the fissure points (m, 3) of the head frame lie, mm; (m,), negative on the left."""
        grid_from_head = np.linalg.inv(self.head_from_grid).astype(np.float64)
        local = transformed(as_points(points, "points of right_of"), grid_from_head)
        cells = (local[:, 1:] - self.start).T / self.step
        return local[:, 0] - map_coordinates(self.offsets, cells, order=1, mode="nearest")

    def plain(self) -> dict[str, Any]:
        """As values that JSON knows."""
        return {
            "head_from_grid": self.head_from_grid.tolist(),
            "start": list(self.start),
            "step": self.step,
            "offsets": self.offsets.tolist(),
            "seen_cm2": self.seen_cm2,
            "source": self.source,
        }

    @classmethod
    def of_plain(cls, record: Mapping[str, Any]) -> "Fissure":
        """The fissure that `plain` told."""
        y, z = map(float, record["start"])
        return cls(
            np.array(record["head_from_grid"]), (y, z), float(record["step"]), np.array(record["offsets"]),
            float(record["seen_cm2"]), str(record["source"]),
        )  # fmt: skip


def fissure_of_tissues(tags_at: Sampler, middle: FloatArray, mapping: MniMapping | None = None) -> Fissure | None:
    """The fissure along the sheet of fluid between the hemispheres; None where none is seen.

    Parameters
    ----------
    tags_at : callable
        Tissue tags (m,) of points (m, 3) of the head, 0 outside.
    middle : (3,) array
        Of the brain, mm: the first guess at a point of the fissure where there is no mapping.
    mapping : MniMapping, optional
        Its plane x = 0 is the first guess, no more: planes turned by 20 degrees and shifted by 24 mm are tried as well,
        and the surface is laid through what is seen.  Without one the head must lie upright to 20 degrees.
    """
    costs = np.full(256, _COST_OUTSIDE)
    for tissue, cost in _COSTS.items():
        costs[list(tags_of(tissue))] = cost
    solid, fluid = tags_of("brain") + tags_of("lesion"), tags_of("csf") + tags_of("blood")

    def judged(tags: AnyArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        cost = convolve1d(costs[tags].mean(axis=0), np.array([1, 2, 3, 2, 1]) / 9, axis=0)
        return cost, np.isin(tags, solid).mean(axis=0), np.isin(tags, fluid).mean(axis=0)

    plane = _best_plane(tags_at, _first_plane(middle, mapping), solid, fluid)
    return _laid(tags_at, judged, plane, "csf")


def fissure_of_sides(sides_at: Sampler, left: FloatArray, right: FloatArray) -> Fissure | None:
    """The fissure between what a segmenter labelled left and right; None where they do not face each other.

    Parameters
    ----------
    sides_at : callable
        -1 (left), 1 (right) or 0 (neither, or not to be trusted, as in a lesion) of points (m, 3) of the head.
    left, right : (3,) arrays
        Middles of the two, mm.
    """

    def judged(sides: AnyArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        mean = sides.mean(axis=0)
        right_before = np.cumsum(np.maximum(mean, 0), axis=0)
        left_after = np.cumsum(np.maximum(-mean, 0)[::-1], axis=0)[::-1]
        wrong = np.minimum(ACROSS * (right_before + left_after), _MOST_WRONG)
        return wrong, np.abs(mean), np.ones_like(mean)

    return _laid(sides_at, judged, _plane((left + right) / 2, right - left), "labels")


def fissure_of_mesh(mesh: TetMesh, mapping: MniMapping | None = None) -> Fissure | None:
    """`fissure_of_tissues` of a mesh."""
    brain = np.isin(mesh.tags, tags_of("brain") + tags_of("lesion"))
    if not brain.any():
        return None

    def tags_at(points: FloatArray) -> AnyArray:
        elements, _ = locate(mesh, points)
        return np.where(elements < 0, 0, mesh.tags[elements])

    middle = np.average(mesh.centroids[brain], axis=0, weights=mesh.volumes[brain])
    return fissure_of_tissues(tags_at, middle, mapping)


def voxel_sampler(values: AnyArray, affine: FloatArray) -> Sampler:
    """Values of the voxels (i, j, k) that points lie in, 0 outside; ``affine`` (4, 4) voxel index to mm."""
    voxel_from_head = np.linalg.inv(affine).astype(np.float64)

    def at(points: FloatArray) -> AnyArray:
        voxels = np.rint(transformed(points, voxel_from_head)).astype(np.int64)
        inside = ((voxels >= 0) & (voxels < values.shape)).all(axis=1)
        out = np.zeros(len(points), dtype=values.dtype)
        out[inside] = values[tuple(voxels[inside].T)]
        return out

    return at


def _plane(point: FloatArray, normal: FloatArray, forwards: FloatArray | None = None) -> FloatArray:
    """(4, 4) head_from_grid of the plane through a point: x its normal, y forwards in it."""
    right = normal / np.linalg.norm(normal)
    forwards = np.array([0.0, 1.0, 0.0]) if forwards is None else forwards
    anterior = forwards - (forwards @ right) * right
    anterior /= np.linalg.norm(anterior)
    out = np.eye(4)
    out[:3, :3] = np.stack([right, anterior, np.cross(right, anterior)], axis=1)
    out[:3, 3] = point
    return out


def _first_plane(middle: FloatArray, mapping: MniMapping | None) -> FloatArray:
    if mapping is None:
        return _plane(middle, np.array([1.0, 0.0, 0.0]))
    arms = 50.0 * np.array([[0, 0, 0], [1.0, 0, 0], [-1.0, 0, 0], [0, 1.0, 0], [0, -1.0, 0]])
    point, right, left, front, back = mapping.from_mni(np.array(_MIDDLE_MNI) + arms)
    return _plane(point, right - left, front - back)


def _best_plane(at: Sampler, frame: FloatArray, solid: tuple[int, ...], fluid: tuple[int, ...]) -> FloatArray:
    """The plane near a first one that shows most fluid between brain on both sides, to 2 mm and 2.5 degrees."""
    across, *along = (np.arange(-extent, extent + 1.0, 2.0) for extent in (74.0, *_EXTENT))
    grid = np.stack(np.meshgrid(across, *along, indexing="ij"), axis=-1)
    tags = at(transformed(grid.reshape(-1, 3), frame)).reshape(grid.shape[:-1])
    kinds = np.isin(tags, solid) + 2 * np.isin(tags, fluid).astype(np.int8)
    grid_from_voxel = np.diag([2.0, 2.0, 2.0, 1.0])
    grid_from_voxel[:3, 3] = grid[0, 0, 0]
    kinds_at, best = voxel_sampler(kinds, grid_from_voxel), np.eye(4)
    for shift, turn, cell in _TRIED:
        shifts, turns = (np.linspace(-most, most, 2 * steps + 1) for most, steps in (shift, turn))
        tried = [_turned(best, x, yaw, roll) for x in shifts for yaw in turns for roll in turns]
        best = max(tried, key=lambda plane: _fluid_seen(kinds_at, plane, cell))
    return frame @ best


def _turned(plane: FloatArray, shift: float, yaw: float, roll: float) -> FloatArray:
    """(4, 4) a plane shifted along its normal, mm, and turned about its other two axes, degrees."""
    y, z = np.radians([roll, yaw])
    step = _plane(np.array([shift, 0.0, 0.0]), np.array([np.cos(y) * np.cos(z), np.sin(z), np.sin(y)]))
    return plane @ step


def _fluid_seen(kinds_at: Sampler, plane: FloatArray, cell: float) -> float:
    """Cells of a plane that hold fluid and have brain on both sides; a hair more near where it was first guessed."""
    y, z = (np.arange(-extent, extent + 1, cell) for extent in _EXTENT)
    x = np.array([-_SHEET, -8.0, -4.0, -2.0, 0.0, 2.0, 4.0, 8.0, _SHEET])
    grid = np.stack(np.meshgrid(x, y, z, indexing="ij"), axis=-1)
    kinds = kinds_at(transformed(grid.reshape(-1, 3), plane)).reshape(grid.shape[:-1])
    left, right = (kinds[:3] == 1).any(axis=0), (kinds[6:] == 1).any(axis=0)
    fluid = np.count_nonzero(kinds[3:6] == 2, axis=0) * (left & right)
    return float(fluid.sum()) - 1e-3 * float(abs(plane[0, 3]))


def _laid(at: Sampler, judged: _Judge, frame: FloatArray, source: str) -> Fissure | None:
    """The surface of least cost, sought anew after the mid-sagittal plane was laid through what was seen of it."""
    x = np.arange(-REACH - _SHEET, REACH + _SHEET + ACROSS / 2, ACROSS)
    y, z = (np.arange(-extent, extent + STEP / 2, STEP) for extent in _EXTENT)
    for last in [False] * (_ROUNDS - 1) + [True]:
        cost, solid, between = judged(_sampled(at, x, y, z, frame))
        within = np.abs(x) <= REACH
        paths = _path_costs(cost[within] + _STRAYING * x[within, None, None] ** 2)
        best = paths.argmin(axis=0)
        facing, seen = _seen(solid, between, best + int(_SHEET / ACROSS))
        trust = 0.05 * facing + seen + 1e-3
        offsets = gaussian_filter(trust * x[within][best], 1.0) / gaussian_filter(trust, 1.0)
        area = float(np.count_nonzero(seen)) * STEP**2 / 100
        if area < LEAST_SEEN:
            return None
        if not last:
            frame = frame @ _through(offsets, y, z, seen)
    return Fissure(frame, (float(y[0]), float(z[0])), STEP, offsets, area, source)


def _sampled(at: Sampler, x: FloatArray, y: FloatArray, z: FloatArray, frame: FloatArray) -> AnyArray:
    """(2, i, j, k) what lies at two points of every cell."""
    quarters = STEP / 4 * np.array([(0.0, -1.0, -1.0), (0.0, 1.0, 1.0)])
    grid = np.stack(np.meshgrid(x, y, z, indexing="ij"), axis=-1)
    points = grid + quarters[:, None, None, None]
    return at(transformed(points.reshape(-1, 3), frame)).reshape(points.shape[:-1])


def _path_costs(cost: FloatArray) -> FloatArray:
    """(i, j, k) least cost of a way through each place along rows and columns, summed over both ways along both.

    Semi-global matching (Hirschmueller, IEEE PAMI 2008;30:328) with a quadratic cost of bending.
    """
    places = np.arange(len(cost)) * ACROSS
    bending = _BENDING * (places[:, None] - places) ** 2
    total = -3 * cost
    for axis in (1, 2):
        lines = np.moveaxis(cost, axis, 0)
        for way in (1, -1):
            sums = np.array(lines[::way])
            for i in range(1, len(sums)):
                before = sums[i - 1]
                sums[i] += (before[None] + bending[:, :, None]).min(axis=1) - before.min(axis=0)
            total += np.moveaxis(sums[::way], 0, axis)
    return total


def _seen(solid: FloatArray, between: FloatArray, best: IntArray) -> tuple[AnyArray, AnyArray]:
    """(j, k) where the surface runs between brain on both sides, and where what is between them is there as well."""
    j, k = np.indices(best.shape)
    steps = range(2, int(_SHEET / ACROSS) + 1)
    left, right = (np.max([solid[best + way * step, j, k] for step in steps], axis=0) > 0.5 for way in (-1, 1))
    fluid = np.max([between[best + step, j, k] for step in (-1, 0, 1)], axis=0)
    return left & right, (fluid > 0.5) & left & right


def _through(offsets: FloatArray, y: FloatArray, z: FloatArray, seen: AnyArray) -> FloatArray:
    """(4, 4) from the plane that fits the seen part of a surface to the grid it was found in."""
    j, k = np.nonzero(seen)
    ones = np.ones(len(j))
    (shift, along_y, along_z), *_ = np.linalg.lstsq(np.stack([ones, y[j], z[k]], axis=1), offsets[j, k], rcond=None)
    return _plane(np.array([shift, 0.0, 0.0]), np.array([1.0, -along_y, -along_z]))
