"""Series of DICOM images as a scanner numbers them: where their slices lie and what stands against a head of them."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from neuro_field.arrays import FloatArray, read_only
from neuro_field.io.dicom_headers import Header
from neuro_field.segment.series_kinds import Kind, kind_of

#: Widest spacing of slices, or of voxels in a slice, mm, that shows folds and skull well enough for a head.
WIDEST_SPACING = 2.0

#: Least extent of an image of a whole head along any of its axes, mm.
LEAST_EXTENT = 100.0

#: Share of a slice spacing by which slices may lie off an even row: headers round to 0.001 mm or so.
UNEVEN = 0.05

#: Slices that lean more than this against their row, degrees, were made with a tilted gantry.
LEANING = 0.3

#: What an order for radiology says.
ORDER = "order a 3-D T1 of 1 mm (docs/mri-order.md)"

#: From DICOM's axes (leftwards, backwards, upwards) to ours, RAS.
_RAS_FROM_DICOM = np.array([-1.0, -1.0, 1.0])


@dataclass(frozen=True)
class Row:
    """How the slices of a series lie behind one another.

    ``slices`` places, ``spacing`` mm between them (the median), ``missing`` places left empty, ``volumes`` images a
    place, ``even`` whether all places have as many and lie in one straight row; ``lean`` degrees of that row against
    the normal of its slices; ``stacks`` directions or sizes of slices.
    """

    slices: int
    spacing: float
    missing: int = 0
    volumes: int = 1
    even: bool = True
    lean: float = 0.0
    stacks: int = 1


@dataclass(frozen=True)
class Series:
    """One series of images of one person.

    ``number``, ``description`` and ``uid`` are the scanner's; ``spacing`` mm along rows, columns and slices;
    ``corners`` (8, 3) mm RAS are the centres of its outermost voxels, none where it does not say where it lies.
    """

    uid: str
    number: int | None
    description: str
    kind: Kind
    size: tuple[int, int]
    in_plane: tuple[float, float]
    row: Row
    files: tuple[Path, ...]
    cut: int = 0
    corners: tuple[tuple[float, float, float], ...] = ()

    @property
    def spacing(self) -> tuple[float, float, float]:
        return (*self.in_plane, self.row.spacing)

    @property
    def shape(self) -> tuple[int, int, int]:
        return (*self.size, self.row.slices)

    @cached_property
    def name(self) -> str:
        """As people speak of it: "series 5"."""
        return f"series {self.number}" if self.number is not None else f"series {self.uid}"

    def damage(self) -> str | None:
        """Why it is no whole image in one place, as the end of a line with the remedy; None if it is."""
        row = self.row
        if not self.corners:
            return "it does not say where it lies in the patient: ask for the original images"
        if self.cut:
            return f"{self.cut} of its {len(self.files)} files are cut short: copy them again"
        if row.stacks > 1:
            return f"its slices lie in {row.stacks} directions or sizes, as a localizer's: {ORDER}"
        if row.missing:
            places = row.slices + row.missing
            return f"{row.missing} of its {places} slices are missing: export the whole series again"
        if not row.even:
            return "its slices do not lie in one even row: export the original series again, whole and not reformatted"
        if row.volumes > 1:
            return f"it holds {row.volumes} images of the same place (echoes or times): export one of them alone"
        return None

    def obstacle(self) -> str | None:
        """What stands against a head made of it, as the end of a line with the remedy; None if nothing does."""
        damage, row = self.damage(), self.row
        if damage is not None:
            return damage
        if row.spacing > WIDEST_SPACING or row.slices == 1:
            return f"{row.spacing:.1f} mm slices: {ORDER}" if row.slices > 1 else f"a single slice: {ORDER}"
        if max(self.in_plane) > WIDEST_SPACING:
            return f"its voxels are {max(self.in_plane):.1f} mm wide: {ORDER}"
        extents = [count * step for count, step in zip(self.shape, self.spacing, strict=True)]
        if min(extents) < LEAST_EXTENT:
            return f"it covers {min(extents):.0f} mm of the head only, nose to neck must be in view: {ORDER}"
        return None


def series_of(headers: Iterable[Header]) -> list[Series]:
    """Headers gathered into series, by number."""
    gathered: dict[str, list[Header]] = {}
    for header in headers:
        gathered.setdefault(header.series, []).append(header)
    found = [_series(sorted(group, key=lambda header: header.path)) for group in gathered.values()]
    return sorted(found, key=lambda each: (each.number is None, each.number or 0, each.uid))


def persons_of(headers: Iterable[Header]) -> int:
    """How many persons the headers speak of."""
    groups: list[list[Header]] = []
    once = {header.person: header for header in headers}
    for header in once.values():
        same = [group for group in groups if any(header.person.is_same(other.person) for other in group)]
        groups = [group for group in groups if group not in same] + [[header, *(h for group in same for h in group)]]
    return len(groups)


def _series(headers: Sequence[Header]) -> Series:
    files, cut = tuple(header.path for header in headers), sum(not header.whole for header in headers)
    headers = [header for header in headers if header.whole] or headers
    first = headers[0]
    stacks = Counter(_stack(header, frame) for header in headers for frame in range(len(header.positions)))
    placed = all(len(header.positions) for header in headers)
    row, corners = _row(headers, len(stacks)) if placed else (Row(len(headers), 0.0), ())
    return Series(
        first.series,
        first.number,
        first.description or first.protocol,
        kind_of(first, stacks=row.stacks, volumes=row.volumes),
        (first.columns, first.rows),
        first.in_plane,
        row,
        files,
        cut,
        corners,
    )


def _stack(header: Header, frame: int) -> tuple[object, ...]:
    """Direction and size of a slice, alike for slices of one stack."""
    orientation = tuple(float(x) for x in np.round(header.orientations[frame], 2) + 0.0)
    return orientation, header.columns, header.rows, tuple(round(step, 3) for step in header.in_plane)


def _row(headers: Sequence[Header], stacks: int) -> tuple[Row, tuple[tuple[float, float, float], ...]]:
    """How slices lie behind one another, and the corners of the whole."""
    positions = np.concatenate([header.positions for header in headers])
    along, down = headers[0].orientations[0].reshape(2, 3)
    depths = positions @ np.cross(along, down)
    order = np.argsort(depths, kind="stable")
    positions, depths = positions[order], depths[order]
    new = np.diff(depths, prepend=-np.inf) > _same_place(depths)
    places, counts = positions[new], np.diff(np.flatnonzero(np.append(new, True)))
    steps = np.diff(depths[new])
    if not len(steps):
        row = Row(1, 0.0, volumes=int(counts[0]), stacks=stacks)
        return row, _corners(headers[0], places)
    spacing = float(np.median(steps))
    missing = int(sum(round(step / spacing) - 1 for step in steps if step > 1.5 * spacing))
    line = np.linspace(places[0], places[-1], len(places))
    even = bool(np.abs(places - line).max() < UNEVEN * spacing and (counts == counts[0]).all())
    drift = (places[-1] - places[0]) / (depths[new][-1] - depths[new][0])
    lean = float(np.degrees(np.arctan(np.hypot(drift @ along, drift @ down))))
    row = Row(len(places), spacing, missing, int(counts.max()), even, lean if lean > LEANING else 0.0, stacks)
    return row, _corners(headers[0], places)


def _same_place(depths: FloatArray) -> float:
    """How near two slices lie that are images of one place, mm."""
    steps = np.diff(depths)
    real = steps[steps > 1e-3]
    return float(0.1 * np.median(real)) if len(real) else 1e-3


def _corners(header: Header, places: FloatArray) -> tuple[tuple[float, float, float], ...]:
    """Centres of the outermost voxels of a stack, mm RAS."""
    along, down = header.orientations[0].reshape(2, 3)
    wide = along * header.in_plane[0] * (header.columns - 1)
    deep = down * header.in_plane[1] * (header.rows - 1)
    ends = [place + i * wide + j * deep for place in (places[0], places[-1]) for i in (0, 1) for j in (0, 1)]
    x = read_only(np.array(ends) * _RAS_FROM_DICOM)
    return tuple((float(a), float(b), float(c)) for a, b, c in x)
