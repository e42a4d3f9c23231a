"""What a coil in a file can be: slopes in the file's own unit, lengths in mm, samples that fit in memory.

Each limit is wide: what lies beyond is a coil in another unit, or damage.  Which unit was meant is left to the person.
"""

from pathlib import Path

import numpy as np

from neuro_field.arrays import AnyArray, FloatArray
from neuro_field.coil.coil import Coil
from neuro_field.coil.sources import Grid
from neuro_field.errors import FileFormatError, InputError
from neuro_field.geometry.mesh import Surface
from neuro_field.units import AMPERE_PER_MICROSECOND

#: Largest slope of a coil current at full output, A/s: those of stimulators are 2e7 to 3e8.
SLOPES = (1e5, 1e10)

#: Longest side of a sampled potential or of a housing, mm: in metres or micrometres it is a thousand times off.
SIDES = (20.0, 5000.0)

#: Samples of a potential, three numbers each counted: as float64, with their splines, they take a gigabyte.
MOST_SAMPLES = 40_000_000

#: Largest coil file, or file beside one, bytes: a number takes about 20 in a text and 60 once it is read.
MOST_FILE_BYTES = 250_000_000

#: How far apart (mm) two positions that one header states may put a corner of the grid.
FORMS_AGREE = 0.1


def bounded_bytes(path: Path) -> bytes:
    """The bytes of a file of a size that can be a coil's."""
    size = path.stat().st_size
    if size > MOST_FILE_BYTES:
        raise FileFormatError(f"{path.name} is {size / 1e6:.0f} MB; at most {MOST_FILE_BYTES / 1e6:.0f} MB are read.")
    return path.read_bytes()


def text_of(data: bytes) -> str:
    """A text in UTF-8, with a byte-order mark or without, or in Latin-1."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def checked_slope(value: float, unit: float, where: str) -> float:
    """A largest slope in A/s of one in the file's unit, 1 (A/s) or 1e6 (A/us); refuses what must be in another."""
    name, other = ("A/us", "A/s") if unit == AMPERE_PER_MICROSECOND else ("A/s", "A/us")
    slope = value * unit
    if not (np.isfinite(slope) and slope > 0):
        raise InputError(f"{where} must be positive, in {name}; instead it is {value:g}.")
    if not SLOPES[0] <= slope <= SLOPES[1]:
        swapped = value / unit if unit != 1 else value * AMPERE_PER_MICROSECOND
        meant = f" (given in {other}? Then write {swapped:g}.)" if SLOPES[0] <= swapped * unit <= SLOPES[1] else ""
        raise InputError(
            f"{where} must be in {name}, {SLOPES[0] / unit:g} to {SLOPES[1] / unit:g}; instead it is {value:g}.{meant}"
        )
    return slope


def checked_sides(corners: AnyArray, where: str) -> None:
    """Refuse points (m, 3) of a grid or housing whose longest side cannot be in mm."""
    side = float(np.ptp(corners, axis=0).max())
    if not SIDES[0] <= side <= SIDES[1]:
        raise InputError(
            f"{where} must be in mm, its longest side {SIDES[0]:g} to {SIDES[1]:g}; instead it is {side:g} (metres, or "
            "another unit?)."
        )


def checked_casing(casing: Surface | None, where: str) -> Surface | None:
    """A housing whose size can be in mm."""
    if casing is not None and len(casing.points):
        checked_sides(casing.points, where)
    return casing


def checked_samples(shape: tuple[int, ...], where: str) -> None:
    """Refuse a potential too large for memory, by its shape alone."""
    if np.prod([float(size) for size in shape]) > MOST_SAMPLES:
        raise InputError(
            f"{where} states {shape} samples; at most {MOST_SAMPLES / 1e6:g} million are read, for they take a "
            "gigabyte: sample it more coarsely."
        )


def grid_corners(affine: FloatArray, shape: tuple[int, ...]) -> FloatArray:
    """(8, 3) corners of a grid of voxels, mm."""
    ends = np.array(np.meshgrid(*[(0, size - 1) for size in shape[:3]], indexing="ij")).reshape(3, -1)
    return np.asarray((affine[:3, :3] @ ends).T + affine[:3, 3], dtype=np.float64)


def checked_coil(coil: Coil) -> None:
    """Refuse to write what would be refused when it is read again."""
    for slope in (coil.didt_max, *(stimulator.didt_max for stimulator in coil.stimulators)):
        if slope is not None:
            checked_slope(slope, 1.0, f"didt_max of the coil {coil.name!r}")
    checked_casing(coil.casing, f"The housing of the coil {coil.name!r}")
    for element in coil.elements:
        if isinstance(element, Grid):
            checked_samples(element.data.shape, f"The coil {coil.name!r}")
            checked_sides(grid_corners(element.affine, element.data.shape), f"The grid of the coil {coil.name!r}")
