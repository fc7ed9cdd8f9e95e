"""So many at once, and nobody kept waiting for long by some that are slow."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator


class Turns:
    """Bounds what is done at once, for as long as those who do it come to an end.

    A hard bound would let a few slow answers hold up all the others until they time out: where
    none has ended for `patience_s` seconds, one more is let in, and stays so while others wait.
    """

    def __init__(self, at_once: int, *, patience_s: float) -> None:
        self._free = asyncio.Semaphore(at_once)
        self._patience_s = patience_s
        self._ended = 0
        self._beyond = 0
        self._timer: asyncio.TimerHandle | None = None

    @asynccontextmanager
    async def one(self) -> AsyncGenerator[None]:
        if self._free.locked() and self._timer is None:
            self._watch()
        await self._free.acquire()
        try:
            yield
        finally:
            self._ended += 1
            if self._beyond and not self._free.locked():
                self._beyond -= 1
            else:
                self._free.release()

    def _watch(self) -> None:
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(self._patience_s, self._look, self._ended)

    def _look(self, ended_before: int) -> None:
        self._timer = None
        if self._free.locked():
            if self._ended == ended_before:
                self._beyond += 1
                self._free.release()
            self._watch()
