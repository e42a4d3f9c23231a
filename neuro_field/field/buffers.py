"""Blocks kept from one use to the next: memory touched for the first time is dear."""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any

import numpy as np

from neuro_field.arrays import AnyArray
from neuro_field.field.engine import Engine


class Buffers:
    """Blocks of an engine, lent and taken back; several threads may borrow, each gets its own.

    What is kept is as large as the widest blocks were: narrower ones take a part of it.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = Lock()
        self._free: dict[np.dtype, list[AnyArray]] = defaultdict(list)

    @contextmanager
    def lent(self, *shapes: tuple[tuple[int, int], Any]) -> Iterator[list[AnyArray]]:
        """Blocks of such shapes and kinds, with anything in them, for as long as the context lasts."""
        taken = [(np.dtype(kind), self._one(shape, np.dtype(kind))) for shape, kind in shapes]
        try:
            yield [
                whole.reshape(-1)[: shape[0] * shape[1]].reshape(shape)
                for (_, whole), (shape, _) in zip(taken, shapes, strict=True)
            ]
        finally:
            with self._lock:
                for kind, whole in taken:
                    self._free[kind].append(whole)

    def _one(self, shape: tuple[int, int], kind: np.dtype) -> AnyArray:
        """The smallest that is large enough, and not by far; else a new one, in the place of a smaller one."""
        size = shape[0] * shape[1]
        with self._lock:
            near = [block for block in self._free[kind] if size / _WASTE <= block.size <= _WASTE * size]
            fitting = [block for block in near if block.size >= size]
            chosen = min(fitting, key=_size) if fitting else max(near, key=_size, default=None)
            if chosen is not None:
                self._free[kind] = [block for block in self._free[kind] if block is not chosen]
        return chosen if chosen is not None and fitting else self._engine.empty(shape, kind)


#: A block may be so many times as large as what is asked for: blocks of one level are not those of another.
_WASTE = 16


def _size(block: AnyArray) -> int:
    return int(block.size)
