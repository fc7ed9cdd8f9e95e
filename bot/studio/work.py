"""Who waits, who is being painted, and the tasks that do it: one each, and none that idle."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import structlog

from bot.errors import EaselError
from bot.studio.circuit import Health
from bot.studio.line import Line, Standing, Tempo

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bot.imaging.pacing import Pace
    from bot.studio.announcer import Announcer
    from bot.studio.circuit import Circuit
    from bot.studio.generation import Generation
    from bot.studio.life import Delivery, Life
    from bot.studio.shelf import Shelf

log = structlog.get_logger()


class Work:
    """Starts as many generations at once as the API bears, in the order of the line.

    What it holds in memory can be made anew from the rows: the order of those who wait, and
    the tasks.
    """

    def __init__(
        self,
        life: Life,
        pace: Pace,
        circuit: Circuit,
        announcer: Announcer,
        *,
        shelf: Shelf,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._life = life
        self._pace = pace
        self._circuit = circuit
        self._announcer = announcer
        self._shelf = shelf
        self._clock = clock
        self._line = Line()
        self._tempo = Tempo()
        self._waiting: dict[str, Generation] = {}
        self._painting: set[str] = set()
        self._delivering: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._delivery: Delivery | None = None
        self._probe: asyncio.TimerHandle | None = None

    @property
    def busy(self) -> frozenset[str]:
        """The ids of what is being painted or delivered here at this moment."""
        return frozenset(self._painting | self._delivering)

    def has(self, generation_id: str) -> bool:
        """Whether it waits or is painted here."""
        return generation_id in self._waiting or generation_id in self._painting

    def connect(self, delivery: Delivery) -> None:
        """From now on, results go out through `delivery`, and work may begin."""
        self._delivery = delivery
        self._announcer.connect(delivery, self.standing, self._let_go)
        self._shelf.connect(self._dispatch)
        self._dispatch()

    def take(self, generation: Generation) -> None:
        """Puts a waiting generation in line."""
        if self.has(generation.id):
            return
        self._waiting[generation.id] = generation
        place = generation.place
        self._line.join(generation.id, generation.number, place.person_id, place.server_id)
        self._dispatch()
        if generation.id in self._line:
            self._announcer.watch(generation)

    def take_painted(self, generation: Generation) -> None:
        """Brings a generation to people whose painter did not."""
        if generation.id not in self._delivering and self._delivery is not None:
            delivering = self._life.deliver_later(generation, self._delivery)
            self._start(self._deliver(generation.id, delivering), generation.id)

    async def cancel(self, generation: Generation, sentence: str) -> bool:
        """Takes it out of the line; False when painting has begun."""
        cancelled = await self._life.cancel(generation, sentence)
        if cancelled is not None:
            self._line.leave(generation.id)
            self._waiting.pop(generation.id, None)
            await self._announcer.settle(generation.id)
            if self._delivery is not None:
                await self._life.tell(cancelled, self._delivery)
        return cancelled is not None

    def standing(self, generation_id: str) -> Standing | None:
        """How long the line before it is; None when it does not wait here."""
        place = self._line.place(generation_id)
        if place is None:
            return None
        if self._circuit.health is not Health.WORKS:
            return Standing(place, None, halted=True)
        return self._tempo.standing(place, self._pace.limit)

    async def close(self, grace_s: float) -> None:
        """Begins nothing more, and lets what runs end within the grace."""
        self._delivery = None
        if self._probe is not None:
            self._probe.cancel()
        await self._announcer.close()
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=grace_s)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _let_go(self) -> None:
        """Takes out of the line what another process has begun, or ended."""
        # In this order: what comes meanwhile may be too new to be read.
        known = set(self._waiting)
        for generation_id in known - await self._life.waiting():
            self._line.drop(generation_id)
            self._waiting.pop(generation_id, None)
            await self._announcer.settle(generation_id)

    def _dispatch(self) -> None:
        delivery = self._delivery
        if delivery is None:
            return
        while len(self._painting) < self._room():
            generation_id = self._line.next()
            if generation_id is None:
                return
            self._waiting.pop(generation_id, None)
            self._painting.add(generation_id)
            self._start(self._paint(generation_id, delivery), generation_id)
        if self._circuit.health is Health.RESTS and len(self._line):
            self._probe_later()

    def _room(self) -> int:
        """How many may be painted at once: one alone while the API is to be tried."""
        if self._shelf.full:
            return 0
        match self._circuit.health:
            case Health.WORKS:
                return self._pace.limit
            case Health.MAY_BE_TRIED:
                return 1
            case Health.RESTS:
                return 0

    def _probe_later(self) -> None:
        if self._probe is not None:
            self._probe.cancel()
        loop = asyncio.get_running_loop()
        self._probe = loop.call_later(self._circuit.rest_s, self._dispatch)

    def _start(self, work: Awaitable[None], generation_id: str) -> None:
        task = asyncio.create_task(
            _guarded(work, generation_id), name=f"generation {generation_id}"
        )
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _paint(self, generation_id: str, delivery: Delivery) -> None:
        began = self._clock()
        try:
            await self._announcer.settle(generation_id)
            painted = await self._life.paint(generation_id, delivery)
        finally:
            self._painting.discard(generation_id)
            self._dispatch()
        if painted is not None:
            self._tempo.took(self._clock() - began)
            await self._deliver(painted.generation.id, self._life.deliver(painted, delivery))

    async def _deliver(self, generation_id: str, delivering: Awaitable[None]) -> None:
        self._delivering.add(generation_id)
        try:
            await delivering
        finally:
            self._delivering.discard(generation_id)


async def _guarded(work: Awaitable[None], generation_id: str) -> None:
    try:
        await work
    except EaselError as error:
        cause = error.operator or error.sentence
        log.warning("generation.stuck", id=generation_id, cause=cause)
    except Exception:  # a task's edge: the row is there, and a sweep finds it
        log.exception("generation.stuck", id=generation_id)
