"""The stages of a long computation: their seconds, and what is told of them while they run."""

import time
from collections.abc import Callable

#: Called with a stage's name and the share of it that is done.
Progress = Callable[[str, float], None]


class Clock:
    """Times named stages and passes their progress on."""

    def __init__(self, progress: Progress | None) -> None:
        self.seconds: dict[str, float] = {}
        self._progress = progress

    def __call__(self, stage: str) -> "Clock":
        self._stage, self._start = stage, time.perf_counter()
        return self

    def __enter__(self) -> Callable[[float], None]:
        stage = self._stage
        if self._progress is None:
            return lambda share: None
        report = self._progress
        report(stage, 0.0)
        return lambda share: report(stage, share)

    def __exit__(self, *error: object) -> None:
        self.seconds[self._stage] = time.perf_counter() - self._start
        if self._progress and error[0] is None:
            self._progress(self._stage, 1.0)
