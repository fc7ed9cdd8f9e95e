"""What a start finds unfinished, and what other processes left behind: nothing is lost."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import structlog

from bot.errors import EaselError, StoreUnavailable
from bot.store import leases
from bot.store.generations import Lease
from bot.studio.generation import Generation, Unreadable
from bot.studio.life import TRIED_FOR_S

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from bot.store.database import Database
    from bot.store.generations import GenerationRow
    from bot.studio.life import Delivery, Life
    from bot.studio.work import Work

    _Work = Callable[[GenerationRow, Delivery], Awaitable[None]]

log = structlog.get_logger()

#: Leases are renewed three times before they are over.
_ROUNDS_IN_A_LEASE = 3
#: Of each kind, those that may have to wait for Discord at a time.
_AT_ONCE = 5
_LOOK_MAX_S = 5.0


class Recovery:
    """Keeps this process's leases alive, and takes over those that are over."""

    def __init__(
        self,
        database: Database,
        life: Life,
        work: Work,
        *,
        holder: str,
        lease_s: float,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._database = database
        self._life = life
        self._work = work
        self._holder = holder
        self._lease_s = lease_s
        self._clock = clock
        self._sleep = sleep
        self._rounds: list[asyncio.Task[None]] = []

    def start(self, delivery: Delivery) -> None:
        """Renews and sweeps now, and from now on; a sweep may have to wait for Discord."""
        self._rounds = [
            asyncio.create_task(self._go_round(self.renew), name="leases"),
            asyncio.create_task(self._go_round(lambda: self.sweep(delivery)), name="recovery"),
        ]

    async def close(self) -> None:
        """Ends the rounds, and gives back what this process did not finish."""
        for task in self._rounds:
            task.cancel()
        await asyncio.gather(*self._rounds, return_exceptions=True)
        try:
            await self._database.write(leases.release, self._holder)
        except StoreUnavailable as error:
            log.warning("recovery.not_released", cause=error.operator)

    async def _go_round(self, work: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await work()
            except EaselError as error:
                log.warning("recovery.failed", cause=error.operator or error.sentence)
            except Exception:  # a loop's edge: the next round tries again
                log.exception("recovery.failed")
            await self._sleep(self._lease_s / _ROUNDS_IN_A_LEASE)

    async def renew(self) -> None:
        """Keeps what this process works on."""
        until = self._clock() + self._lease_s
        await self._database.write(leases.renew, self._holder, self._work.busy, until)

    async def sweep(self, delivery: Delivery) -> None:
        """Takes over what no living process holds."""
        await self.renew()
        hopeless: list[GenerationRow] = []
        untold: list[GenerationRow] = []
        more = True
        while more:
            found = await self._database.write(
                leases.sweep, self._holder, self._lease_s, self._clock
            )
            for row in found.painted:
                await self._see_to(row, self._take_painted, delivery)
            hopeless.extend(found.hopeless)
            untold.extend(found.untold)
            more = found.more
        line = await self._line()
        # No kind waits while another one has to wait for Discord.
        await asyncio.gather(
            self._see_to_each(hopeless, self._give_up, delivery),
            self._see_to_each(untold, self._tell, delivery),
            self._see_to_each(line, self._take_waiting, delivery),
        )

    async def _see_to_each(
        self, rows: Sequence[GenerationRow], work: _Work, delivery: Delivery
    ) -> None:
        """In their order, a few at a time."""
        turns = asyncio.Semaphore(_AT_ONCE)

        async def see_to(row: GenerationRow) -> None:
            async with turns:
                await self._see_to(row, work, delivery)

        await asyncio.gather(*map(see_to, rows))

    async def _line(self) -> list[GenerationRow]:
        """All that wait and are in no line here: who came before is to go before those to come."""
        found: list[GenerationRow] = []
        after = 0
        while page := await self._database.read(leases.waiting, self._clock(), after):
            found.extend(row for row in page if not self._work.has(row.id))
            after = page[-1].number
        return found

    async def _see_to(self, row: GenerationRow, work: _Work, delivery: Delivery) -> None:
        """One that cannot be helped keeps nobody else from it."""
        try:
            await work(row, delivery)
        except EaselError as error:
            log.warning("recovery.failed", id=row.id, cause=error.operator or error.sentence)
        except Exception:  # a row's edge: the others may be sound
            log.exception("recovery.failed", id=row.id)

    async def _take_waiting(self, row: GenerationRow, delivery: Delivery) -> None:
        """Into the line, unless the process died before anybody was told that it was heard."""
        generation = await self._read(row, delivery)
        if generation is None:
            return
        is_new = generation.attempt == 0 and not self._work.has(generation.id)
        if is_new and not await self._is_awaited(generation, delivery):
            await self._work.cancel(generation, "Discord lost the request before I could answer.")
        else:
            self._work.take(generation)

    async def _is_awaited(self, generation: Generation, delivery: Delivery) -> bool:
        """Yes, where Discord takes too long to say so: nobody else waits for that."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_LOOK_MAX_S):
                return await delivery.is_awaited(generation)
        return True

    async def _take_painted(self, row: GenerationRow, delivery: Delivery) -> None:
        generation = await self._read(row, delivery)
        if generation is not None:
            log.info("recovery.delivers", id=row.id)
            self._work.take_painted(generation)

    async def _give_up(self, row: GenerationRow, delivery: Delivery) -> None:
        lease = Lease(self._holder, row.attempt)
        await self._life.give_up(Generation.known_of(row), lease, Abandoned(), delivery)

    async def _tell(self, row: GenerationRow, delivery: Delivery) -> None:
        await self._life.tell(Generation.known_of(row), delivery)

    async def _read(self, row: GenerationRow, delivery: Delivery) -> Generation | None:
        """None where that cannot be done.

        Another version of this program may know how to, for as long as anybody waits for it.
        """
        try:
            return Generation.from_row(row)
        except Unreadable as error:
            log.warning("recovery.unreadable", id=row.id, cause=error.operator)
            if self._clock() > row.created_at + TRIED_FOR_S:
                await self._life.lose(Generation.known_of(row), error, delivery)
            return None


class Abandoned(EaselError):
    """Painting it was begun again and again, and each time the process died."""

    def __init__(self) -> None:
        super().__init__(
            "Something keeps going wrong on my side while I paint this one, so I gave up. "
            "Nothing was charged; other words may work better.",
            operator="the process died three times while it painted this",
        )
