"""Waiting for something that another task will have done."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class Pulse:
    """Beats at each change; those who wait look again."""

    def __init__(self) -> None:
        self._waiting: set[asyncio.Future[None]] = set()

    def beat(self) -> None:
        waiting, self._waiting = self._waiting, set()
        for future in waiting:
            if not future.done():
                future.set_result(None)

    async def until(self, find: Callable[[], T | None], *, within: float, what: str) -> T:
        """What `find` finds, now or after some beat; neither None nor False is anything.

        Raises:
            TimeoutError: it did not in `within` seconds; the words say `what` was missing.
        """
        try:
            async with asyncio.timeout(within):
                while (found := find()) is None or found is False:
                    await self._next()
                return found
        except TimeoutError:
            raise TimeoutError(f"in {within:g} s there was not {what}") from None

    async def _next(self) -> None:
        future = asyncio.get_running_loop().create_future()
        self._waiting.add(future)
        try:
            await future
        finally:
            self._waiting.discard(future)
