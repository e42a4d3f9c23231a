"""The newest of what comes in, for who is slower than it comes: what was not taken in time is gone."""

import asyncio
from typing import Generic, TypeVar

Thing = TypeVar("Thing")


class Newest(Generic[Thing]):
    """A place for one thing."""

    def __init__(self) -> None:
        self._thing: Thing | None = None
        self._there = asyncio.Event()

    def put(self, thing: Thing) -> None:
        """In the place of what nobody has taken."""
        self._thing = thing
        self._there.set()

    def peek(self) -> Thing | None:
        """What waits, left where it is."""
        return self._thing

    def drop(self) -> None:
        """Nothing waits any more."""
        self._thing = None
        self._there.clear()

    async def take(self) -> Thing:
        """The newest, as soon as there is one."""
        while True:
            await self._there.wait()
            thing = self._thing
            self.drop()
            if thing is not None:
                return thing
