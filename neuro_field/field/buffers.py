"""Blocks kept from one use to the next: memory touched for the first time is dear."""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from neuro_field.arrays import AnyArray
from neuro_field.field.engine import Engine


class Buffers:
    """Blocks of an engine, lent and taken back; several threads may borrow, each gets its own."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._free: dict[tuple[tuple[int, int], np.dtype], list[AnyArray]] = defaultdict(list)

    @contextmanager
    def lent(self, *shapes: tuple[tuple[int, int], Any]) -> Iterator[list[AnyArray]]:
        """Blocks of such shapes and kinds, with anything in them, for as long as the context lasts."""
        keys = [(shape, np.dtype(kind)) for shape, kind in shapes]
        taken = [self._one(*key) for key in keys]
        try:
            yield taken
        finally:
            for key, block in zip(keys, taken, strict=True):
                self._free[key].append(block)

    def _one(self, shape: tuple[int, int], kind: np.dtype) -> AnyArray:
        try:
            return self._free[shape, kind].pop()
        except IndexError:
            return self._engine.empty(shape, kind)
