"""A coil that a tracker sees: its newest pose in the image, or why there is none, and never an old one as new."""

import asyncio
import time
from collections.abc import Callable
from contextlib import aclosing
from typing import Any, cast

from neuro_field.coil.placement import Placement
from neuro_field.desk.trackers import news
from neuro_field.findings import Finding, Refusal
from neuro_field.geometry.mesh import Surface
from neuro_field.navigation.addresses import Address
from neuro_field.navigation.receiving import Frames, check_seat
from neuro_field.navigation.sightings import Clock, Sighting

#: A pose older than this, s, is none any more; looked at so often.
OLD, TICK = 0.3, 0.05

#: After these a sender is met anew.
_APART = ("track-no-connection", "track-connection-ended")


class Follower:
    """Follows a tracker.

    Parameters
    ----------
    address : Address
    frames : Frames
    scalp : Surface
    """

    def __init__(self, address: Address, frames: Frames, scalp: Surface) -> None:
        self.address, self.frames, self.scalp = address, frames, scalp
        self.why: Finding | None = Finding("track-nothing-yet", "note")
        self._clock = Clock()
        self._last = 0.0

    async def run(
        self, seen: Callable[[Placement, float, float], None], lost: Callable[[Finding], None],
        pulse: Callable[[], None],
    ) -> None:  # fmt: skip
        """Tell of every pose (placement, gap in mm, when it arrived), of every pulse, and once when none is seen."""
        watching = asyncio.create_task(self._watch(lost))
        try:
            async with aclosing(cast("Any", news(self.address, self.frames.image))) as told:
                async for each in told:
                    arrived = time.monotonic()
                    if isinstance(each, Finding):
                        if each.code in _APART:
                            self._clock = Clock()  # a new connection has a new delay
                        self._lose(each, lost)
                    elif each.pulse:
                        if self.why is None:
                            pulse()
                    else:
                        self._take(each, arrived, seen, lost)
        finally:
            watching.cancel()

    def _take(
        self, sighting: Sighting, arrived: float, seen: Callable[[Placement, float, float], None],
        lost: Callable[[Finding], None],
    ) -> None:  # fmt: skip
        try:
            late = self._clock.late(sighting.stamp, arrived)
            if late > OLD:
                raise Refusal(Finding("track-late", "warn", {"seconds": late}))
            placement = self.frames.placement(sighting)
            gap = check_seat(self.scalp, placement)
        except Refusal as refusal:
            self._lose(refusal.findings[0], lost)
            return
        self._last, self.why = arrived, None
        seen(placement, gap, arrived)

    async def _watch(self, lost: Callable[[Finding], None]) -> None:
        """Say so when nothing comes any more."""
        while True:
            await asyncio.sleep(TICK)
            if self.why is None and time.monotonic() - self._last > OLD:
                self._lose(Finding("track-silent", "warn", {"seconds": OLD}), lost)

    def _lose(self, why: Finding, lost: Callable[[Finding], None]) -> None:
        before, self.why = self.why, why
        if before is None or (before.code, before.values) != (why.code, why.values):
            lost(why)
