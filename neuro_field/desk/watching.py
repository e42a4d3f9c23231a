"""Browsers that watch: each is sent the newest picture when it has drawn the one before, and short news at once."""

import asyncio
import json
from collections import deque
from contextlib import suppress
from typing import Any

from neuro_field.arrays import FloatArray
from neuro_field.desk.frames import Picture, packed_picture

#: Short news that may wait for one browser; older ones are gone.
_MOST = 50


class Watcher:
    """One browser.

    Nothing grows for one that is slow, hidden or gone: a picture waits at most, and a few lines of news.
    """

    def __init__(self, socket: Any) -> None:
        self._socket = socket
        self._news: deque[str] = deque(maxlen=_MOST)
        self._beat: str | None = None
        self._picture: Picture | None = None
        self._values: FloatArray | None = None
        self._drawn = True
        self._wake = asyncio.Event()

    def show(self, picture: Picture) -> None:
        """A picture, if no newer one comes before it is its turn."""
        self._picture = picture
        self._wake.set()

    def drawn(self) -> None:
        """The browser has drawn what it was sent."""
        self._drawn = True
        self._wake.set()

    def forget(self) -> None:
        """What waits, and the values that the browser has, must not be shown any more."""
        self._picture = self._values = None

    def tell(self, news: dict[str, Any]) -> None:
        """News of a few letters, before any picture that waits."""
        self._news.append(json.dumps(news))
        self._wake.set()

    def beat(self, news: dict[str, Any]) -> None:
        """News of which the newest alone counts."""
        self._beat = json.dumps(news)
        self._wake.set()

    async def run(self) -> None:
        """Send until the socket is closed."""
        with suppress(ConnectionError, RuntimeError):
            while True:
                await self._wake.wait()
                self._wake.clear()
                while self._news:
                    await self._socket.send_str(self._news.popleft())
                if self._beat is not None:
                    beat, self._beat = self._beat, None
                    await self._socket.send_str(beat)
                if self._drawn and self._picture is not None and not self._news:
                    picture, self._picture, self._drawn = self._picture, None, False
                    same = picture.values is not None and picture.values is self._values
                    self._values = picture.values
                    await self._socket.send_bytes(packed_picture(picture, same=same))
