"""Boxes of neighbouring points, made once for points at which many fields are wanted."""

from functools import cached_property

import numpy as np

from neuro_field.arrays import AnyArray, FloatArray
from neuro_field.kernels import boxes as kernel
from neuro_field.kernels import local
from neuro_field.kernels.morton import morton_codes
from neuro_field.nouns import noun

#: Levels of an octree of Morton codes.
_LEVELS = 21

#: Neighbouring boxes that stay together when boxes are dealt out to threads.
_RUN = 16


@noun
class Boxes:
    """An octree over points; what its arrays hold is told by `neuro_field.kernels.boxes`.

    Parameters
    ----------
    order : (n,) array
        Morton order of the points.
    points : (n, 3) array
        In that order, m.
    first, last, parents, children, counts : (b,) arrays
    centres, halves : (b, 3) arrays
        m.
    """

    order: AnyArray
    points: FloatArray
    first: AnyArray
    last: AnyArray
    parents: AnyArray
    children: AnyArray
    counts: AnyArray
    centres: FloatArray
    halves: FloatArray

    @classmethod
    def of(cls, points: FloatArray, leaf: int = local.LEAF) -> "Boxes":
        """Boxes of points (n, 3) m, split while more than ``leaf`` are in one."""
        codes = morton_codes(points)
        order = np.argsort(codes, kind="stable")
        in_order = np.ascontiguousarray(points[order])
        room = min(2 * len(points), 8 * _LEVELS * (len(points) // leaf)) + 1  # paged in as far as it is used
        whole = [np.empty(room, np.int64) for _ in range(5)]
        sides = [np.empty((room, 3)) for _ in range(2)]
        boxes = kernel.build(codes[order], in_order, leaf, *whole, *sides)
        first, last, parents, children, counts = (part[:boxes].copy() for part in whole)
        centres, halves = (part[:boxes].copy() for part in sides)
        return cls(order, in_order, first, last, parents, children, counts, centres, halves)

    @cached_property
    def _dealt(self) -> tuple[AnyArray, AnyArray, AnyArray, AnyArray]:
        """Split boxes by level, where each level begins, each box's place among them, and the other boxes.

        Runs of neighbours are shuffled: a thread takes one end of a list, and boxes near a coil take longest.
        """
        levels, inner = [0], []
        level = np.zeros(1, dtype=np.int64)
        while len(level):
            split = level[self.counts[level] > 0]
            inner.append(_shuffled(split))
            levels.append(levels[-1] + len(split))
            ends = (
                (self.children[split[0]], self.children[split[-1]] + self.counts[split[-1]]) if len(split) else (0, 0)
            )
            level = np.arange(*ends)  # the boxes of a level follow one another
        place = np.full(len(self.counts), -1)
        place[np.concatenate(inner)] = np.arange(levels[-1])
        return np.concatenate(inner), np.array(levels), place, _shuffled(np.flatnonzero(self.counts == 0))

    def add_fields(self, kind: int, sources: FloatArray, out: FloatArray, columns: AnyArray) -> int:
        """Add the fields of k tables of sources to out (n, 3, .) at ``columns``, rows in the order the points came in.

        Returns at how many points they are not finite, in sum.

        Parameters
        ----------
        kind : `kernels.local.DIPOLE` or `WIRE`
        sources : (k, ., s) array
            Tables as `dipole_sources` or `wire_sources` makes them, m.
        columns : (k,) int array
        """
        inner, levels, place, leaves = self._dealt
        tables, _, width = sources.shape
        coefficients = np.empty((len(inner), tables, 3, local.TERMS))
        near, counts = np.empty((len(inner), tables, width), np.int32), np.empty((len(inner), tables), np.int64)
        local.expand(
            kind, sources, self.parents, self.centres, self.halves, inner, levels, place,
            coefficients, near, counts,
        )  # fmt: skip
        singular = np.empty(len(leaves), np.int64)
        local.add_at_points(
            kind, sources, self.points, self.order, self.first, self.last, self.parents, self.centres,
            self.halves, leaves, place, coefficients, near, counts, columns, out, singular,
        )  # fmt: skip
        return int(singular.sum())


def _shuffled(boxes: AnyArray) -> AnyArray:
    """In another order, the same every time, runs of neighbours kept."""
    runs = np.split(boxes, np.arange(_RUN, len(boxes), _RUN))
    return np.concatenate([runs[i] for i in np.random.default_rng(0).permutation(len(runs))])
