"""What goes wrong next with a request, by method and path."""

from __future__ import annotations

import asyncio
import re
import socket
import struct
from dataclasses import dataclass, field
from enum import StrEnum

from aiohttp import web

from wire.limits import too_many
from wire.rejected import answer


class Kind(StrEnum):
    """What the client meets."""

    STATUS = "status"  # an answer without JSON, of the machines in between, or Discord's code
    RATE_LIMITED = "rate_limited"  # 429
    RESET = "reset"  # RST instead of an answer
    SLOW = "slow"  # the answer, late


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong.

    Attributes:
        method: of the requests that meet it, or `*`.
        path: of them, below `/api/v10`; `*` stands for one segment of it, `**` for any rest.
        after: whether the request takes effect first.
        status, code: of STATUS; with a code it is Discord itself that refuses.
        retry_after, via, everywhere: of RATE_LIMITED; `everywhere` is the global limit.
        seconds: of SLOW; with a `gate` it lasts until that is opened.
    """

    kind: Kind
    method: str = "*"
    path: str = "/**"
    after: bool = False
    status: int = 503
    code: int | None = None
    retry_after: float = 0.5
    via: bool = True
    everywhere: bool = False
    seconds: float = 1.0
    gate: asyncio.Event | None = None

    def meets(self, method: str, path: str) -> bool:
        return self.method in ("*", method) and bool(_pattern(self.path).fullmatch(path))

    async def spoil(self, request: web.Request) -> web.Response | None:
        """The answer instead; None where the request goes on as usual."""
        match self.kind:
            case Kind.SLOW:
                await (self.gate.wait() if self.gate else asyncio.sleep(self.seconds))
                return None
            case Kind.RESET:
                reset(request)
                return web.Response()
            case Kind.RATE_LIMITED:
                return too_many(self.retry_after, everywhere=self.everywhere, via=self.via)
            case Kind.STATUS if self.code is not None:
                return answer({"message": "Refused", "code": self.code}, status=self.status)
            case Kind.STATUS:
                return web.Response(status=self.status, text="upstream connect error")


@dataclass(eq=False, slots=True)
class _Waiting:
    fault: Fault
    left: int | None


@dataclass(slots=True)
class Faults:
    """What waits to go wrong, oldest first, and how often something did."""

    met: int = 0
    _waiting: list[_Waiting] = field(default_factory=list)

    def add(self, fault: Fault, *, times: int | None = 1) -> None:
        """The next `times` requests that fit meet it; None: all, until `clear`."""
        self._waiting.append(_Waiting(fault, times))

    def clear(self) -> None:
        self._waiting.clear()

    @property
    def left(self) -> int:
        return len(self._waiting)

    def take(self, method: str, path: str) -> Fault | None:
        for waiting in self._waiting:
            if waiting.fault.meets(method, path):
                self._count(waiting)
                return waiting.fault
        return None

    def _count(self, waiting: _Waiting) -> None:
        self.met += 1
        if waiting.left is not None:
            waiting.left -= 1
            if not waiting.left:
                self._waiting.remove(waiting)


def reset(request: web.BaseRequest) -> None:
    """RST, as a crashed peer or a dropped route gives: no goodbye, and nothing unsent is sent."""
    transport = request.transport
    if transport is None:
        return
    peer: socket.socket | None = transport.get_extra_info("socket")
    if peer is not None:
        # Lingering for zero seconds turns the closing into a reset: socket(7).
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


def _pattern(path: str) -> re.Pattern[str]:
    quoted = re.escape(path).replace(r"\*\*", ".*").replace(r"\*", "[^/]+")
    return re.compile(quoted)
