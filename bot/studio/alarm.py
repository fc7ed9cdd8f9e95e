"""One timer for whatever is due next in the store."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import structlog

from bot.errors import EaselError
from bot.store import rounds

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bot.store.database import Database

log = structlog.get_logger()

_LEAST_S = 0.25


class Alarm:
    """Rings when a round of a vote is due, and from time to time for what other processes left.

    Until it is connected, and between two rings, nothing runs.
    """

    def __init__(
        self, database: Database, *, every_s: float, clock: Callable[[], float] = time.time
    ) -> None:
        self._database = database
        self._every_s = every_s
        self._clock = clock
        self._ring: Callable[[], Awaitable[None]] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._looking: asyncio.Task[None] | None = None
        self._again = False
        #: Whether nothing is due, now or later, for all that is known here.
        self.idle = False

    def connect(self, ring: Callable[[], Awaitable[None]]) -> None:
        """From now on, `ring` sees to what is due."""
        self._ring = ring
        self.look()

    def look(self) -> None:
        """Something may be due: it is looked for at once."""
        self._again, self.idle = True, False
        if self._ring is not None and self._looking is None:
            self._looking = asyncio.create_task(self._look(self._ring), name="alarm")

    async def close(self) -> None:
        """Rings no more."""
        self._ring = None
        if self._timer is not None:
            self._timer.cancel()
        if self._looking is not None:
            await asyncio.wait({self._looking})

    async def _look(self, ring: Callable[[], Awaitable[None]]) -> None:
        wait_s = self._every_s
        while self._again and self._ring is not None:
            self._again = False
            wait_s = await self._ring_and_wait(ring)
        self._looking = None
        if self._timer is not None:
            self._timer.cancel()
        if self._ring is not None:
            self._timer = asyncio.get_running_loop().call_later(wait_s, self.look)

    async def _ring_and_wait(self, ring: Callable[[], Awaitable[None]]) -> float:
        """For how long, until the next ring."""
        try:
            await ring()
            due_at = await self._database.read(rounds.next_due)
        except EaselError as error:
            log.warning("alarm.failed", cause=error.operator or error.sentence)
            return self._every_s
        except Exception:  # a loop's edge: it rings again
            log.exception("alarm.failed")
            return self._every_s
        self.idle = due_at is None and not self._again
        until_due = self._every_s if due_at is None else due_at - self._clock()
        # What is due, and was not taken, is being seen to: whoever does looks when it is done.
        return min(max(until_due, _LEAST_S), self._every_s)
