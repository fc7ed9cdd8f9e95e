"""So many at once, and nobody kept waiting for long by one that is slow."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator


class Turns:
    """Bounds what is done at once, as far as that costs nobody more than `wait_s` seconds.

    A hard bound would let a few slow answers hold up all the others until they time out.
    """

    def __init__(self, at_once: int, *, wait_s: float) -> None:
        self._free = asyncio.Semaphore(at_once)
        self._wait_s = wait_s

    @asynccontextmanager
    async def one(self) -> AsyncGenerator[None]:
        held = await self._has_come()
        try:
            yield
        finally:
            if held:
                self._free.release()

    async def _has_come(self) -> bool:
        try:
            async with asyncio.timeout(self._wait_s):
                return await self._free.acquire()
        except TimeoutError:
            return False
