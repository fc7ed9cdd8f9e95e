"""How an answer leaves: whole, late, in drops, cut short, endless, or as a reset."""

from __future__ import annotations

import asyncio
import socket
import struct
import zlib
from contextlib import suppress
from typing import TYPE_CHECKING

from aiohttp import web

from bot.demo.faults import Fault, Kind

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from bot.demo.sandbox.answers import Answer

    Sleep = Callable[[float], Awaitable[object]]
    Sender = Callable[[web.Request, Answer, Fault, Sleep], Awaitable[web.StreamResponse]]

_BLOCK = 65_536
#: What HUGE and GZIP_BOMB amount to unless the fault says a size.
_HUGE = 64 * 1024 * 1024
_HUGE_START = b'{"id":"x","object":"list","data":[{"index":0,"b64_json":"'


async def send(
    request: web.Request, answer: Answer, fault: Fault | None, sleep: Sleep
) -> web.StreamResponse:
    """Never raises because of a client that has gone."""
    if fault is not None:
        sender = _SENDERS.get(fault.kind)
        if sender is not None:
            with suppress(ConnectionError):
                return await sender(request, answer, fault, sleep)
            return web.Response()
    return whole(answer)


def whole(answer: Answer) -> web.Response:
    return web.Response(
        status=answer.status,
        body=answer.body,
        content_type=answer.content_type,
        headers=answer.headers,
    )


async def _late(_: web.Request, answer: Answer, fault: Fault, sleep: Sleep) -> web.StreamResponse:
    await sleep(fault.seconds)
    return whole(answer)


async def _drip(
    request: web.Request, answer: Answer, fault: Fault, sleep: Sleep
) -> web.StreamResponse:
    response = await _begin(request, answer)
    for start in range(0, len(answer.body), fault.size):
        await response.write(answer.body[start : start + fault.size])
        await sleep(fault.seconds)
    return response


async def _cut_short(
    request: web.Request, answer: Answer, _: Fault, __: Sleep
) -> web.StreamResponse:
    """A declared length, half of it, and the end of the connection."""
    response = await _begin(request, answer)
    await response.write(answer.body[: len(answer.body) // 2])
    if request.transport is not None:
        request.transport.close()
    return response


async def _begin(request: web.Request, answer: Answer) -> web.StreamResponse:
    response = web.StreamResponse(status=answer.status, headers=answer.headers)
    response.content_type = answer.content_type
    response.content_length = len(answer.body)
    await response.prepare(request)
    return response


async def _endless(
    request: web.Request, answer: Answer, fault: Fault, _: Sleep
) -> web.StreamResponse:
    """A picture that does not end, of no declared length."""
    response = web.StreamResponse(status=answer.status, headers=answer.headers)
    response.content_type = answer.content_type
    await response.prepare(request)
    await response.write(_HUGE_START)
    for _block in range(_amount(fault) // _BLOCK):
        await response.write(b"A" * _BLOCK)
    await response.write(b'"}]}')
    return response


async def _gzip_bomb(
    request: web.Request, answer: Answer, fault: Fault, _: Sleep
) -> web.StreamResponse:
    response = web.StreamResponse(
        status=answer.status, headers={**answer.headers, "content-encoding": "gzip"}
    )
    response.content_type = answer.content_type
    await response.prepare(request)
    await response.write(await asyncio.to_thread(_gzipped, _amount(fault)))
    return response


def _amount(fault: Fault) -> int:
    return fault.size if fault.size > 1 else _HUGE


def _gzipped(size: int) -> bytes:
    packer = zlib.compressobj(wbits=31)
    parts = [packer.compress(_HUGE_START)]
    parts += [packer.compress(b"A" * _BLOCK) for _ in range(size // _BLOCK)]
    return b"".join(parts) + packer.flush()


async def _reset(request: web.Request, _: Answer, __: Fault, ___: Sleep) -> web.StreamResponse:
    """RST, as a crashed peer or a dropped route gives: no goodbye, and nothing unsent is sent."""
    transport = request.transport
    if transport is not None:
        peer: socket.socket | None = transport.get_extra_info("socket")
        if peer is not None:
            # Lingering for zero seconds turns the closing into a reset: socket(7).
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
    return web.Response()


async def _hang_up(request: web.Request, _: Answer, __: Fault, ___: Sleep) -> web.StreamResponse:
    """A polite end of the connection, without an answer."""
    if request.transport is not None:
        request.transport.close()
    return web.Response()


_SENDERS: Mapping[Kind, Sender] = {
    Kind.SLOW: _late,
    Kind.DRIP: _drip,
    Kind.TRUNCATED: _cut_short,
    Kind.HUGE: _endless,
    Kind.GZIP_BOMB: _gzip_bomb,
    Kind.RESET_BEFORE: _reset,
    Kind.RESET_AFTER: _reset,
    Kind.CLOSED: _hang_up,
}
