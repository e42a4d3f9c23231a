"""Live poses over the network, one program a function: bytes come in, sightings go out, and whatever breaks is mended.

Each yields what the newest bytes told, as long as it is asked, and connects again where a connection ends.  What is
older than the newest is left out here already: a slow page never lags behind a quick tracker.
"""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

from neuro_field.errors import FileFormatError, InputError
from neuro_field.findings import Finding, as_name
from neuro_field.navigation.addresses import Address
from neuro_field.navigation.files import read_navigator
from neuro_field.navigation.frames import ImageFrames
from neuro_field.navigation.igtl import IgtlReader
from neuro_field.navigation.invesalius import live_pose
from neuro_field.navigation.marks import bounded_text
from neuro_field.navigation.network_packets import BrainsightReader, LocaliteReader, navinibs_sighting, stream_requests
from neuro_field.navigation.own_sessions import MAGIC, timed_poses
from neuro_field.navigation.sightings import Sighting

#: What to install when python-socketio or pyzmq are missing.
EXTRA = "pip install 'neuro_field[track]'"

#: Seconds between two tries to connect, of one try, and between two questions to a sender that has to be asked.
AGAIN, CONNECT, ASKED = 0.3, 2.0, 0.05

#: A replay shows a pose again so often, s, as a tracker would.
STEADY = 0.05

#: Where InVesalius sends, and what of it is a pose.
_EVENT, _TOPIC = "from_neuronavigation", "From Neuronavigation: Send coil pose"


class Reader(Protocol):
    """Makes sightings of bytes."""

    met: set[str]

    def feed(self, data: bytes) -> Iterator[Sighting]:
        """Those that the next bytes complete."""


#: A tracker tells of sightings with the time of their arrival, or why none come.
News = Sighting | Finding


def check_tracker(address: Address, image: ImageFrames | None) -> None:
    """Raise InputError where a tracker cannot be followed, before any work: a missing library, image or file."""
    try:
        if address.kind == "invesalius":
            import socketio  # noqa: F401

            live_pose([0.0] * 6, image)
        if address.kind == "navinibs":
            import zmq.asyncio  # noqa: F401
    except ImportError:
        raise InputError(f"Following {address.kind} needs parts that are not installed: {EXTRA}") from None
    if address.kind == "replay":
        _recording(address, image)


def news(address: Address, image: ImageFrames | None) -> AsyncIterator[News]:
    """What a tracker tells, without an end."""
    if address.kind == "igtl":
        return _stream(address, lambda: IgtlReader(address.path, address.reference))
    if address.kind == "brainsight":
        hello = stream_requests(iter(lambda: str(uuid.uuid4()).upper(), ""))
        return _stream(address, lambda: BrainsightReader(address.path), hello)
    if address.kind == "localite":
        return _stream(address, lambda: LocaliteReader(address.path or "coil_0"))
    if address.kind == "navinibs":
        return _navinibs(address)
    if address.kind == "invesalius":
        return _invesalius(address, image)
    return _replay(address, image)


async def _stream(address: Address, reader_of: Callable[[], Reader], hello: bytes = b"") -> AsyncIterator[News]:
    """Of a server over TCP, connected to again and again."""
    while True:
        try:
            opened = asyncio.open_connection(address.host, address.port)
            source, sink = await asyncio.wait_for(opened, CONNECT)
        except (OSError, TimeoutError):
            yield Finding("track-no-connection", "warn", {"host": as_name(address.host), "port": address.port})
            await asyncio.sleep(AGAIN)
            continue
        reader = reader_of()
        asking = asyncio.create_task(_asking(sink, reader.questions())) if hasattr(reader, "questions") else None
        try:
            sink.write(hello)
            while data := await source.read(65_536):
                for told in _newest(reader, data):
                    yield told
            yield Finding("track-connection-ended", "warn")
        except FileFormatError:
            yield Finding("track-damaged", "stop", {"kind": address.kind})
        except OSError:
            yield Finding("track-connection-ended", "warn")
        finally:
            if asking is not None:
                asking.cancel()
            sink.close()
        await asyncio.sleep(AGAIN)


def _newest(reader: Reader, data: bytes) -> Iterator[News]:
    """The last pose of some bytes and all pulses, or which tools there are where none or several could be meant."""
    told = list(reader.feed(data))
    yield from (sighting for sighting in told if sighting.pulse)
    poses = [sighting for sighting in told if not sighting.pulse]
    named = getattr(reader, "device", getattr(reader, "tool", ""))
    if (named and named not in reader.met and reader.met) or (not named and len(reader.met) > 1):
        yield Finding("track-which-tool", "stop", {"met": tuple(sorted(as_name(name) for name in reader.met)[:8])})
    elif poses:
        yield poses[-1]


async def _asking(sink: asyncio.StreamWriter, questions: list[bytes]) -> None:
    with suppress(OSError):
        while True:
            for question in questions:
                sink.write(question)
                await sink.drain()
                await asyncio.sleep(ASKED / len(questions))


async def _navinibs(address: Address) -> AsyncIterator[News]:
    """Of a publisher of ZeroMQ, which connects again by itself."""
    import zmq
    import zmq.asyncio

    context = zmq.asyncio.Context()
    socket = context.socket(zmq.SUB)
    socket.setsockopt(zmq.CONFLATE, 1)  # the newest message alone is kept
    socket.setsockopt(zmq.SUBSCRIBE, b"")
    socket.connect(f"tcp://{address.host}:{address.port}")
    try:
        while True:
            data = await socket.recv()
            try:
                found = navinibs_sighting(data, address.path, address.reference)
            except FileFormatError:
                yield Finding("track-damaged", "stop", {"kind": address.kind})
                continue
            yield found if found is not None else Finding("track-no-tool", "warn", {"tool": as_name(address.path)})
    finally:
        socket.close(linger=0)
        context.term()


async def _invesalius(address: Address, image: ImageFrames | None) -> AsyncIterator[News]:
    """Of InVesalius, which is the client: it is given a relay to connect to."""
    import socketio
    from aiohttp import web

    relay: Any = socketio.AsyncServer(async_mode="aiohttp")  # pages of other addresses are refused by its default
    told: asyncio.Queue[News] = asyncio.Queue(maxsize=1)

    async def take(_: str, message: Any) -> None:
        if not isinstance(message, dict) or message.get("topic") != _TOPIC or not isinstance(message.get("data"), dict):
            return
        try:
            found: News = Sighting.of(live_pose(message["data"].get("coord"), image))
        except InputError:
            found = Sighting(None, "damaged")
        if told.full():
            told.get_nowait()
        told.put_nowait(found)

    relay.on(_EVENT, take)
    application = web.Application()
    relay.attach(application)
    runner = web.AppRunner(application, access_log=None, handle_signals=False, shutdown_timeout=0.5)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, address.host, address.port).start()
        except OSError:
            while True:
                yield Finding("track-port-taken", "stop", {"port": address.port})
                await asyncio.sleep(AGAIN)
        while True:
            yield await told.get()
    finally:
        await runner.cleanup()


async def _replay(address: Address, image: ImageFrames | None) -> AsyncIterator[News]:
    """Of a recorded session, once, at its own pace."""
    poses = _recording(address, image)
    began = time.monotonic()
    for (seconds, sighting), (until, _) in zip(poses, [*poses[1:], (poses[-1][0] + 1.0, None)], strict=True):
        await asyncio.sleep(max(0.0, began + seconds - time.monotonic()))
        while time.monotonic() < began + until:
            yield sighting
            await asyncio.sleep(min(STEADY, max(0.0, began + until - time.monotonic())))
    while True:
        yield Finding("track-replay-ended", "note")
        await asyncio.sleep(AGAIN)


def _recording(address: Address, image: ImageFrames | None) -> list[tuple[float, Sighting]]:
    """Seconds and sightings of a file, in our axes."""
    path = Path(address.path)
    text = bounded_text(path)
    if text.lstrip().startswith(MAGIC):
        rows = timed_poses(text.lstrip(), path.name)
    else:
        markers = read_navigator(path, image).markers
        rows = [(i / address.rate, marker.placement) for i, marker in enumerate(markers)]
    if not rows:
        raise InputError(f"{path} holds no pose to replay.")
    first = rows[0][0]
    return [
        (seconds - first, Sighting(None, "lost") if placement is None else Sighting(placement.head_from_coil))
        for seconds, placement in rows
    ]
