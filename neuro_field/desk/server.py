"""The package's one server, on which pages are mounted.

What anybody may fetch are the pages' own files, which hold nothing of a patient.  All else is given to who has the
token alone: it stands behind the "#" of the address, so that no browser sends it anywhere by itself, and the page's
script shows it with every request.
"""

import asyncio
import hmac
import json
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

from neuro_field.errors import InputError

#: What to install when aiohttp is missing.
EXTRA = "pip install 'neuro_field[serve]'"

#: Files that every page may use.
FILES = Path(__file__).parent / "pages"

#: Messages of a browser are shorter, bytes; a socket shows its token within so many seconds.
LARGEST, PATIENCE = 65_536, 10.0

#: Sockets at one page; more belong to nobody who looks.
MOST = 12

_KINDS = {
    ".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".json": "application/json",
    ".svg": "image/svg+xml",
}  # fmt: skip


class Page(Protocol):
    """What is mounted.

    ``files`` are given to anybody by name, "index.html" first of all: paths, or their content; ``data`` only to who
    has the token, made when asked for.  ``talk`` has a socket whose token was shown.
    """

    @property
    def name(self) -> str:
        """In its address."""

    @property
    def files(self) -> Mapping[str, Path | bytes]:
        """By name."""

    @property
    def data(self) -> Mapping[str, Callable[[], bytes]]:
        """By name, JSON."""

    async def begin(self) -> None:
        """Before the first request."""

    async def end(self) -> None:
        """After the last one."""

    async def talk(self, socket: Any) -> None:
        """Until the socket is closed."""


def check_aiohttp() -> None:
    """Raise InputError where the server's parts are not installed; the message names what to install."""
    try:
        import aiohttp  # noqa: F401
    except ImportError:
        raise InputError(f"Serving needs aiohttp, which is not installed: {EXTRA}") from None


def serve_pages(pages: Sequence[Page], host: str, port: int, ready: Callable[[str], None]) -> None:
    """Serve until interrupted.

    Parameters
    ----------
    pages : sequence of Page
        The first is the one that the address leads to.
    host : str
        "localhost", or the name or address of this machine under which others may reach it.
    port : int
    ready : callable
        Called with the address, token included, when it can be opened.

    Raises
    ------
    InputError
        If the port cannot be used, or as `check_aiohttp`.
    """
    check_aiohttp()
    with suppress(KeyboardInterrupt):
        asyncio.run(serving(pages, host, port, ready))


async def serving(pages: Sequence[Page], host: str, port: int, ready: Callable[[str], None]) -> None:
    """The same as a coroutine, until it is cancelled."""
    from aiohttp import web

    site = Site(pages, host, port)
    runner = web.AppRunner(site.application(), access_log=None, handle_signals=False, shutdown_timeout=1.0)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as error:
            raise InputError(
                f"The page cannot be served at {host}:{port}: {error.strerror}; give another --port."
            ) from None
        for page in pages:
            await page.begin()
        ready(site.address)
        await asyncio.Event().wait()
    finally:
        for page in pages:
            await page.end()
        await runner.cleanup()


class Site:
    """Who may have what.

    ``token`` is new at every start.
    """

    def __init__(self, pages: Sequence[Page], host: str, port: int) -> None:
        self.pages = {page.name: page for page in pages}
        self.token = secrets.token_urlsafe(24)
        names = {host, "localhost", "127.0.0.1", "[::1]"} if host in ("localhost", "127.0.0.1", "::1") else {host}
        names = {f"[{name}]" if ":" in name and not name.startswith("[") else name for name in names}
        self.hosts = {f"{name}:{port}" for name in names} | (names if port == 80 else set())
        self.address = f"http://{host if ':' not in host else f'[{host}]'}:{port}/{pages[0].name}/#{self.token}"
        self._talking = dict.fromkeys(self.pages, 0)

    def application(self) -> Any:
        """For aiohttp."""
        from aiohttp import web

        application = web.Application(middlewares=[self._guard()], client_max_size=LARGEST)
        application.add_routes(
            [
                web.get("/", self._first),
                web.get("/{page}/", self._file),
                web.get("/{page}/socket", self._socket),
                web.get("/{page}/data/{name}", self._data),
                web.get("/{page}/{name}", self._file),
            ]
        )
        return application

    def knows(self, token: Any) -> bool:
        """Whether this is the token; how long that takes tells nothing of it."""
        return isinstance(token, str) and hmac.compare_digest(token.encode("utf-8"), self.token.encode("utf-8"))

    def _guard(self) -> Any:
        from aiohttp import web

        @web.middleware
        async def guard(request: Any, handler: Callable[[Any], Awaitable[Any]]) -> Any:
            """Refuses other names than ours, and foreign pages; says what a browser may do with the answer."""
            host, origin = request.headers.get("Host", ""), request.headers.get("Origin")
            if host not in self.hosts or origin not in (None, f"http://{host}"):
                answer: Any = web.Response(status=403, text="This server answers to its own address alone.")
            else:
                try:
                    answer = await handler(request)
                except web.HTTPException as error:
                    answer = error
            if not answer.prepared:
                answer.headers.update(_headers(host if host in self.hosts else ""))
            if isinstance(answer, web.HTTPException):
                raise answer
            return answer

        return guard

    async def _first(self, request: Any) -> Any:
        from aiohttp import web

        return web.HTTPFound(f"/{next(iter(self.pages))}/")

    async def _file(self, request: Any) -> Any:
        from aiohttp import web

        name = request.match_info.get("name") or "index.html"
        content = self._page(request).files.get(name)
        if content is None:
            raise web.HTTPNotFound()
        body = content if isinstance(content, bytes) else content.read_bytes()
        return web.Response(body=body, content_type=_KINDS[Path(name).suffix], charset="utf-8")

    async def _data(self, request: Any) -> Any:
        from aiohttp import web

        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        if kind != "Bearer" or not self.knows(token):
            raise web.HTTPUnauthorized(text="The address that was printed at the start has the key to this.")
        made = self._page(request).data.get(request.match_info["name"])
        if made is None:
            raise web.HTTPNotFound()
        body = await asyncio.get_running_loop().run_in_executor(None, made)
        return web.Response(body=body, content_type="application/json")

    async def _socket(self, request: Any) -> Any:
        from aiohttp import WSMsgType, web

        page = self._page(request)
        socket = web.WebSocketResponse(heartbeat=15.0, max_msg_size=LARGEST, compress=False)
        if self._talking[page.name] >= MOST or not socket.can_prepare(request).ok:
            raise web.HTTPServiceUnavailable()
        await socket.prepare(request)
        self._talking[page.name] += 1
        try:
            shown = await socket.receive(timeout=PATIENCE)
            if shown.type != WSMsgType.TEXT or not self.knows(_token(shown.data)):
                await socket.close(code=4401, message=b"wrong key")
                return socket
            await page.talk(socket)
        except (TimeoutError, ConnectionError):
            pass
        finally:
            self._talking[page.name] -= 1
        return socket

    def _page(self, request: Any) -> Page:
        from aiohttp import web

        page = self.pages.get(request.match_info["page"])
        if page is None:
            raise web.HTTPNotFound()
        return page


def _token(text: str) -> Any:
    try:
        shown = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return shown.get("token") if isinstance(shown, dict) else None


def _headers(host: str) -> dict[str, str]:
    """Nothing from elsewhere, nothing written into the page itself, nothing kept, and no frame around it."""
    policy = (
        f"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self' ws://{host}; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return {
        "Content-Security-Policy": policy,
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-store",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    }
