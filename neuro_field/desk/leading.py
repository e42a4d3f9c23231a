"""The page on which a coil is led over the patient's scalp, or followed: live at once, then exact."""

import asyncio
import json
import logging
import time
from collections import deque
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from neuro_field.coil.placement import Placement
from neuro_field.desk.following import Follower
from neuro_field.desk.frames import Picture, near
from neuro_field.desk.keeping import Keeper
from neuro_field.desk.newest import Newest
from neuro_field.desk.scene import lead_files, scene_json
from neuro_field.desk.shown import EXACT, Shown
from neuro_field.desk.telling import Teller
from neuro_field.desk.watching import Watcher
from neuro_field.errors import ConvergenceError, InputError
from neuro_field.field.solver import Solver
from neuro_field.findings import Finding
from neuro_field.live.exact import TOLERANCE
from neuro_field.live.reading import Reading
from neuro_field.report.words import said, said_short
from neuro_field.search.plan import Plan
from neuro_field.search.steering import Held

#: The coil must rest this long, s, before its field is solved in full.
REST = 0.4

#: A browser hears of the server at least so often, s.
BEAT = 0.15

#: A followed coil is drawn within this, s, or is not shown.
SLOW = 0.45

#: One press moves by at most so much: mm, degrees.
_FARTHEST = 60.0

#: Where no field is shown.
UNKNOWN = "unknown"

logger = logging.getLogger(__name__)

#: How a wish becomes the coil as it is held.
Wish = Callable[[Held | None], "Held | Placement"]


class LeadPage:
    """The page, mounted on the server.

    Parameters
    ----------
    solver : Solver
    shown : Shown
    plan : Plan
        Whose target, and whose placements are offered.
    keeper : Keeper
    follower : Follower, optional
        Given one, the coil is followed and not led.
    language : str
    """

    name = "lead"

    def __init__(
        self, solver: Solver, shown: Shown, plan: Plan, keeper: Keeper, *, follower: Follower | None = None,
        language: str = "en",
    ) -> None:  # fmt: skip
        self.solver, self.shown, self.plan, self.keeper, self.follower = solver, shown, plan, keeper, follower
        self.language = language
        self.teller = Teller(shown.steering, language)
        self.reading = Reading(shown.sheet, shown.steering.coil, solver)
        self.files: Mapping[str, Path | bytes] = lead_files(language)
        self.data: Mapping[str, Callable[[], bytes]] = {
            "scene": lambda: scene_json(self.shown, self.plan, self.teller, self.follower)
        }
        #: Of the newest pictures: when their pose came, when their values were there, when a browser had drawn them.
        self.times: deque[tuple[float, float, float]] = deque(maxlen=5000)
        replayed = follower is not None and follower.address.kind == "replay"
        self.recorder = None if replayed else keeper.session(shown.steering.coil.name)  # what is replayed is on file
        self._watchers: set[Watcher] = set()
        self._wishes: Newest[tuple[Wish, float, int]] = Newest()
        self._moves = 0
        self._steps = np.zeros(3)
        self._planned, self._number = 0, 0
        self._held: Held | None = None
        self._last_seen: tuple[Placement, float] | None = None
        self._picture: Picture | None = None
        self._exact: Picture | None = None
        self._why: Finding | None = None
        self._broken = False
        self._values_at: dict[int, tuple[float, float]] = {}
        self._moved = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="live")
        self._solving = ThreadPoolExecutor(1, thread_name_prefix="solve")

    # ---- as the server has it

    async def begin(self) -> None:
        """Start to draw and to solve, with the coil at the plan's best, or where it is followed."""
        jobs = [self._drawing(), self._certifying(), self._beating()]
        if self.follower is None:
            best = self.shown.steering.ranked[0]
            self._wish(lambda _: self.shown.steering.holding(best))
        else:
            self._why = self.follower.why
            jobs.append(self.follower.run(self._seen, self._lost, self._pulse))
        self._tasks = [asyncio.create_task(self._kept(job)) for job in jobs]

    async def end(self) -> None:
        """Stop, with what was seen on the disk."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._solving.shutdown(wait=False, cancel_futures=True)
        if self.recorder is not None:
            self.recorder.close()

    async def talk(self, socket: Any) -> None:
        """One browser, until it goes."""
        from aiohttp import WSMsgType

        watcher = Watcher(socket)
        self._watchers.add(watcher)
        sending = asyncio.create_task(watcher.run())
        try:
            if self._picture is not None:
                watcher.show(self._picture)
            elif self._why is not None:
                watcher.tell(self._news(self._why))
            async for message in socket:
                if message.type == WSMsgType.TEXT:
                    await self._asked(message.data, watcher)
        finally:
            self._watchers.discard(watcher)
            sending.cancel()

    # ---- what people and trackers do

    async def _asked(self, text: str, watcher: Watcher) -> None:
        """A message of a browser; what is none is passed over."""
        try:
            asked = json.loads(text)
            what = asked["do"]
            if what == "drawn":
                self._was_drawn(int(asked["number"]))
                watcher.drawn()
            elif what == "save":
                watcher.tell(await self._save())
            elif what == "rank":
                self._choose(int(asked["rank"]))
            elif self.follower is None and what == "step":
                self._step(*(float(asked.get(name, 0.0)) for name in ("forwards", "right", "turned")))
            elif self.follower is None and what == "at":
                self._point(np.array(asked["point"], dtype=np.float64))
        except (ValueError, KeyError, TypeError, RecursionError, OverflowError):
            logger.debug("a browser said something that means nothing")

    def _step(self, *by: float) -> None:
        """Steps add up while the coil is on its way."""
        if not np.isfinite(by).all():
            return
        self._steps = np.clip(self._steps + by, -_FARTHEST, _FARTHEST)

        def move(held: Held | None) -> Held:
            steps, self._steps = self._steps, np.zeros(3)
            assert held is not None
            return self.shown.steering.stepped(held, forwards=steps[0], right=steps[1], turned=steps[2])

        self._wish(move)

    def _point(self, point: np.ndarray) -> None:
        """To a point of the scalp."""
        if point.shape == (3,) and np.isfinite(point).all() and np.abs(point).max() < 1000:
            self._steps = np.zeros(3)
            angle = self._held.angle if self._held is not None else 0.0
            scalp = self.shown.steering.head.scalp  # the page has a lighter one
            self._wish(lambda _: self.shown.steering.at(scalp.nearest(point), angle))

    def _choose(self, rank: int) -> None:
        """The planned placement that is aimed at; a coil that is led goes there."""
        ranked = self.shown.steering.ranked
        if not 0 <= rank < len(ranked):
            return
        self._planned = rank
        if self.follower is None:
            self._steps = np.zeros(3)
            self._wish(lambda _: self.shown.steering.holding(ranked[rank]))
        else:
            self._again()

    def _seen(self, placement: Placement, gap: float, arrived: float) -> None:
        """A tracker sees the coil."""
        if self._broken:
            return
        self._why = None
        self._last_seen = placement, gap
        if self.recorder is not None and self.recorder.ready:  # a strength takes time, and most poses are not written
            self.recorder.seen(placement, gap, self.shown.steering.strength(placement))
        self._wish(lambda _: placement, arrived)

    def _pulse(self) -> None:
        """A pulse was given where the coil was seen last."""
        if self._last_seen is not None and self.recorder is not None:  # which may be ahead of what is drawn
            placement, gap = self._last_seen
            self.recorder.pulse(placement, gap, self.shown.steering.strength(placement))

    def _lost(self, why: Finding) -> None:
        """Nothing is seen: nothing old is shown."""
        self._why = why
        if self.recorder is not None:
            self.recorder.lost()
        self._wishes.drop()
        self._picture = self._exact = self._last_seen = None
        self._number += 1
        for watcher in self._watchers:
            watcher.forget()
        self._tell(self._news(why))

    async def _save(self) -> dict[str, Any]:
        """Keep the coil as it is shown, for navigators."""
        if self._picture is None:
            return {"saved": said(Finding("lead-nothing-to-save", "warn"), self.language)}
        placement = self._picture.placement  # as it is now, not when the folder answers
        try:
            loop = asyncio.get_running_loop()
            paths = await loop.run_in_executor(None, self.keeper.pose, placement)
        except (InputError, OSError) as error:
            logger.warning("a pose could not be saved: %s", error)
            return {"saved": said(Finding("lead-not-saved", "stop"), self.language)}
        return {"saved": ", ".join(path.name for path in paths), "folder": str(self.keeper.folder)}

    def _wish(self, wish: Wish, arrived: float | None = None) -> None:
        """The coil is to be elsewhere."""
        self._moves += 1
        self._wishes.put((wish, time.monotonic() if arrived is None else arrived, self._moves))

    # ---- what they are shown

    async def _drawing(self) -> None:
        """Draw the newest wish, again and again."""
        loop = asyncio.get_running_loop()
        while True:
            wish, arrived, moves = await self._wishes.take()
            number = self._number
            try:
                picture = await loop.run_in_executor(self._pool, self._drawn, wish, arrived)
            except InputError:
                self._steps = np.zeros(3)
                self._tell({"note": said(Finding("lead-no-scalp", "note"), self.language)})
                continue
            if number != self._number:
                continue  # it was lost meanwhile
            self._show(replace(picture, told=picture.told | {"moves": moves}))

    def _drawn(self, wish: Wish, arrived: float) -> Picture:
        """The field and the words of a wish."""
        made = wish(self._held)
        placement = made.placement if isinstance(made, Held) else made
        lift = made.lift if isinstance(made, Held) else None
        if isinstance(made, Held):
            self._held = made
        exact = self._exact
        if exact is not None and near(exact.placement, placement):
            told = self.teller.told(placement, exact.strength, self._planned, lift)
            kept = {key: exact.told[key] for key in ("difference", "seconds")}
            return Picture(0, placement, EXACT, exact.values, exact.strength, told | kept, arrived)
        values, strength = self.shown.at_once(placement), self.shown.steering.strength(placement)
        told = self.teller.told(placement, strength, self._planned, lift)
        kind = self.shown.kind if values is not None else UNKNOWN
        return Picture(0, placement, kind, values, strength, told, arrived)

    def _show(self, picture: Picture) -> None:
        """To every browser."""
        self._number += 1
        self._picture = replace(picture, number=self._number)
        self._values_at.pop(self._number - 100, None)
        self._values_at[self._number] = picture.arrived, time.monotonic()
        self._moved.set()
        for watcher in self._watchers:
            watcher.show(self._picture)

    async def _certifying(self) -> None:
        """Solve in full where the coil rests."""
        loop = asyncio.get_running_loop()
        while True:
            await self._moved.wait()
            self._moved.clear()
            start = self._picture
            if start is None or start.kind == EXACT:
                continue
            await asyncio.sleep(REST)
            if not self._rests(start):
                self._moved.set()
                continue
            self._tell({"solving": True})
            try:
                exact = await loop.run_in_executor(self._solving, self._solved, start)
            except (InputError, ConvergenceError):
                self._tell({"note": said(Finding("lead-not-solved", "warn"), self.language)})
                continue
            self._exact = exact
            if self._rests(start):
                self._again()
            else:
                self._moved.set()

    def _again(self) -> None:
        """Draw the coil once more where it is, by what is known now; a wish that waits does the same."""
        if self._picture is None or self._wishes.peek() is not None:
            return
        shown = self._picture
        again: Wish = lambda held: held if held is not None else shown.placement  # noqa: E731
        self._wishes.put((again, shown.arrived, shown.told["moves"]))

    def _rests(self, start: Picture) -> bool:
        return self._picture is not None and near(self._picture.placement, start.placement)

    def _solved(self, start: Picture) -> Picture:
        """A picture's placement in full."""
        began = time.perf_counter()
        field = self.solver.loosened(TOLERANCE).solve(self.shown.steering.coil, start.placement)
        values = np.linalg.norm(self.reading.of(field), axis=1)
        strength = self.shown.steering.target.mean(field)
        told = self.teller.told(start.placement, strength, self._planned, start.told["lift"])
        told["difference"] = None if start.values is None else self.shown.difference(start.values, values)
        told["seconds"] = time.perf_counter() - began
        return Picture(0, start.placement, EXACT, values, strength, told, start.arrived)

    def _was_drawn(self, number: int) -> None:
        times = self._values_at.pop(number, None)
        if times is not None:
            self.times.append((*times, time.monotonic()))

    async def _beating(self) -> None:
        """Let every browser know that the server lives, and look after the drawing."""
        while True:
            seen = self.follower is not None and self.follower.why is None and self._picture is not None
            if seen and self._picture is not None and time.monotonic() - self._picture.arrived > SLOW:
                self._lost(Finding("lead-slow", "warn"))
            for watcher in self._watchers:
                watcher.beat({"beat": self._number})
            await asyncio.sleep(BEAT)

    def _news(self, why: Finding) -> dict[str, Any]:
        brief = said(why, self.language) if why.level == "note" else said_short(why, self.language)
        return {"lost": said(why, self.language), "brief": brief, "level": why.level, "number": self._number}

    def _tell(self, news: dict[str, Any]) -> None:
        for watcher in self._watchers:
            watcher.tell(news)

    async def _kept(self, job: Coroutine[Any, Any, None]) -> None:
        """A job of the page; where it fails nothing is shown any more, and why is on the page and in the log."""
        try:
            await job
        except Exception:
            logger.exception("a part of the page failed")
            self._lost(Finding("lead-broken", "stop"))
            self._broken = True
