"""Parallel kernels take turns: numba's own workers bear a call from one thread at a time.

Of numba's threading layers only TBB and OpenMP may be entered by several threads at once; the one that is there
everywhere ("workqueue") ends the process.  Two kernels side by side would share the same cores anyway.
"""

import threading
from collections.abc import Callable
from typing import Any

from numba import njit

#: Held while a parallel kernel runs, whoever called it.
TURN = threading.RLock()


class Kernel:
    """A compiled parallel kernel; its `py_func` is the plain function."""

    def __init__(self, compiled: Any) -> None:
        self._compiled = compiled
        self.__doc__, self.__name__, self.__module__ = compiled.__doc__, compiled.__name__, compiled.__module__
        self.py_func = compiled.py_func

    def __call__(self, *arguments: Any) -> Any:
        with TURN:
            return self._compiled(*arguments)


def parallel(**options: Any) -> Callable[[Any], Kernel]:
    """Compile a function whose `prange` loops run on several threads, and keep what was compiled; numba's options."""
    return lambda function: Kernel(njit(cache=True, parallel=True, **options)(function))
