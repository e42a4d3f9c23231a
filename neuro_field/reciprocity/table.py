"""Q on the nodes of a regular grid, kept and extended as coils come to new places."""

from collections.abc import Callable

import numpy as np

from neuro_field.arrays import BoolArray, FloatArray
from neuro_field.kernels import table as kernel
from neuro_field.reciprocity.charges import Charges

#: Of the grid, mm.  Dipoles come no nearer to charges than five times this.
SPACING = 4.0

#: Nodes evaluated between two calls of ``progress``.
_NODES_AT_ONCE = 20_000

Progress = Callable[[float], None]


class Table:
    """Grid nodes around the places where dipoles have been asked for; others cost nothing.

    ``row`` (a, b, c) int32 names each node's row of ``values`` (q, 3, k), minus one for a node without.
    """

    def __init__(self, charges: Charges) -> None:
        self.charges = charges
        self.origin = np.zeros(3)
        self.row = np.empty((0, 0, 0), dtype=np.int32)
        self.values = np.empty((0, 3, charges.strengths.shape[1]))

    def contracted(
        self, head_from_coil: FloatArray, positions: FloatArray, moments: FloatArray, progress: Progress | None = None
    ) -> FloatArray:
        """Sums (p, k) of moment . Q_k over a coil's dipoles (s, 3), mm and A m2, under poses (p, 4, 4)."""
        rotations = np.ascontiguousarray(head_from_coil[:, :3, :3])
        centres = np.ascontiguousarray(head_from_coil[:, :3, 3])
        out = np.empty((len(centres), self.values.shape[2]))
        if not len(centres):
            return out
        positions, moments = np.array(positions), np.array(moments)
        self._reach(centres, float(np.linalg.norm(positions, axis=1).max()))
        cells = np.zeros(self.row.shape, dtype=bool)
        kernel.mark(rotations, centres, positions, self.origin, SPACING, cells)
        self._fill(_stencils(cells), progress)
        kernel.contract(rotations, centres, positions, moments, self.origin, SPACING, self.row, self.values, out)
        return out

    def _reach(self, centres: FloatArray, radius: float) -> None:
        """Extend the grid, still without values, so that it holds balls around the centres."""
        low = np.floor((centres.min(axis=0) - radius) / SPACING).astype(np.int64) - 2
        high = np.ceil((centres.max(axis=0) + radius) / SPACING).astype(np.int64) + 4
        if self.row.size:
            before = np.round(self.origin / SPACING).astype(np.int64)
            low, high = np.minimum(low, before), np.maximum(high, before + self.row.shape)
        row = np.full(high - low, -1, dtype=np.int32)
        if self.row.size:
            inside = tuple(slice(a, a + n) for a, n in zip(before - low, self.row.shape, strict=True))
            row[inside] = self.row
        self.row, self.origin = row, SPACING * low

    def _fill(self, needed: BoolArray, progress: Progress | None) -> None:
        new = np.argwhere(needed & (self.row < 0))
        self.row[tuple(new.T)] = np.arange(len(self.values), len(self.values) + len(new), dtype=np.int32)
        values = [self.values]
        for first in range(0, len(new), _NODES_AT_ONCE):
            nodes = self.origin + SPACING * new[first : first + _NODES_AT_ONCE]
            values.append(self.charges.field(nodes))
            if progress:
                progress(min(1.0, (first + _NODES_AT_ONCE) / len(new)))
        self.values = np.concatenate(values) if len(new) else self.values


def _stencils(cells: BoolArray) -> BoolArray:
    """The 4 x 4 x 4 nodes around each marked cell: from one below it to two above."""
    for axis in range(3):
        wide = cells.copy()
        for shift in (-1, 1, 2):
            source = [slice(None)] * 3
            target = [slice(None)] * 3
            source[axis] = slice(max(0, -shift), cells.shape[axis] - max(0, shift))
            target[axis] = slice(max(0, shift), cells.shape[axis] - max(0, -shift))
            wide[tuple(target)] |= cells[tuple(source)]
        cells = wide
    return cells
