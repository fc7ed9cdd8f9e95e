"""Web servers that pictures may come from, or should not: what each says, and in what way."""

from __future__ import annotations

import asyncio
import gzip
import socket
import struct
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from aiohttp import web
from pixels import noisy

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

PICTURE = noisy((60, 40))
BOMB = gzip.compress(PICTURE + bytes(30_000_000), 1)


class Site:
    """One handler for each path; every request is kept.

    Attributes:
        other: the handler of all paths that have none of their own.
        sent: bytes of bodies without end.
    """

    def __init__(self, other: Handler | None = None) -> None:
        self.pages: dict[str, Handler] = {}
        self.requests: list[web.Request] = []
        self.port = 0
        self.sent = 0
        self._other = other

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request)
        handler = self.pages.get(request.path, self._other)
        if handler is None:
            raise web.HTTPNotFound
        return await handler(request)

    def url(self, path: str = "/", host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}{path}"

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Site]:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self.handle)
        runner = web.AppRunner(
            app, access_log=None, shutdown_timeout=0.1, handler_cancellation=True
        )
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.port = runner.addresses[0][1]
        try:
            yield self
        finally:
            await runner.cleanup()


# What is said as HTTP has it


def page(body: bytes = PICTURE, status: int = 200, **headers: str) -> Handler:
    async def answer(_: web.Request) -> web.StreamResponse:
        kind = {"Content-Type": "image/png"}
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return web.Response(status=status, body=body, headers=kind | named)

    return answer


def leads(to: str, status: int = 302) -> Handler:
    return page(b"", status, Location=to)


def endless(site: Site, head: bytes, more: bytes, kind: str = "image/png") -> Handler:
    """A body that only those who read it can end."""

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": kind})
        await response.prepare(request)
        await response.write(head)
        while True:
            await response.write(more)
            site.sent += len(more)

    return answer


async def boasting(request: web.Request) -> web.StreamResponse:
    """A length that is too much, and nothing behind it."""
    response = web.StreamResponse(headers={"Content-Length": str(100_000_000)})
    await response.prepare(request)
    await response.write(PICTURE)
    await asyncio.sleep(30)
    return response


# What is slow


async def _drop_by_drop(request: web.Request, head: bytes, drop: bytes) -> web.StreamResponse:
    transport = _transport(request)
    transport.write(head)
    while True:
        transport.write(drop)
        await asyncio.sleep(0.05)


async def drip(request: web.Request) -> web.StreamResponse:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n" + PICTURE[:30]
    return await _drop_by_drop(request, head, b"x")


async def slow_headers(request: web.Request) -> web.StreamResponse:
    return await _drop_by_drop(request, b"HTTP/1.1 200 OK\r\n", b"X-More: x\r\n")


async def silence(_: web.Request) -> web.StreamResponse:
    await asyncio.sleep(30)
    return web.Response()


def hesitates(seconds: float) -> Handler:
    """Leads to itself, each time after a while."""

    async def answer(request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(seconds)
        return await leads(request.path)(request)

    return answer


# What no HTTP library will say


BROKEN = {
    "cut off": b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n" + PICTURE,
    "chunks cut off": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n" + PICTURE[:5],
    "no head": b"HTTP/1.1 200 OK\r\nContent-Le",
    "nothing": b"",
    "no HTTP": b"SSH-2.0-OpenSSH_9.2\r\n",
    "a long line": b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000 + b"\r\n\r\n",
    "many lines": b"HTTP/1.1 200 OK\r\n" + b"X: x\r\n" * 100_000 + b"\r\n",
    "a wrong length": b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n" + PICTURE,
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n" + PICTURE,
    "a wrong chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n" + PICTURE,
    "a wrong redirect": b"HTTP/1.1 302 Found\r\nLocation: http://\xff\xfe/\r\n\r\n",
}


def says(answer: bytes) -> Handler:
    """These bytes and no more."""

    async def talk(request: web.Request) -> web.StreamResponse:
        transport = _transport(request)
        transport.write(answer)
        transport.close()
        return web.Response()

    return talk


async def reset(request: web.Request) -> web.StreamResponse:
    """In the middle of a picture, and without a goodbye."""
    transport = _transport(request)
    transport.write(BROKEN["cut off"])
    linger = struct.pack("ii", 1, 0)
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    transport.abort()
    return web.Response()


def _transport(request: web.Request) -> asyncio.Transport:
    transport = request.transport
    assert isinstance(transport, asyncio.Transport)
    return transport
