"""The life of a generation: waiting, painting, painted, and one of its ends."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol
from uuid import uuid4

import structlog

from bot.errors import ContentRefused, EaselError
from bot.store import generations
from bot.store.generations import Lease
from bot.store.schema import State
from bot.studio.generation import Generation, KeptPicture

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bot.store.database import Database
    from bot.store.schema import Way
    from bot.studio.painting import Painter

log = structlog.get_logger()


class Undeliverable(Exception):
    """The result cannot reach people where they asked; `/history` still hands it out."""


class Delivery(Protocol):
    """Brings results to people; the Discord side implements it."""

    def way_for(self, generation: Generation) -> Way:
        """How the result should reach people, before the first try."""
        ...

    async def deliver(self, generation: Generation, pictures: Sequence[KeptPicture]) -> int | None:
        """Posts the result the way that is written down, and returns the message's id.

        Raises:
            Undeliverable: it cannot be, now or later.
        """
        ...

    async def tell_failure(self, generation: Generation, sentence: str) -> None:
        """Tells the person, and nobody else where that can be, why there is no picture."""
        ...


class Life:
    """Brings each generation to one of its ends, one task each; no state lives here alone."""

    def __init__(
        self,
        database: Database,
        painter: Painter,
        *,
        lease_s: float,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._database = database
        self._painter = painter
        self._lease_s = lease_s
        self._clock = clock
        self._holder = uuid4().hex
        self._running: set[asyncio.Task[None]] = set()
        self._delivery: Delivery | None = None

    def connect(self, delivery: Delivery) -> None:
        """From now on, results go out through `delivery`."""
        self._delivery = delivery

    def begin(self, generation: Generation) -> None:
        """Starts the task that lives a waiting generation to its end."""
        task = asyncio.create_task(self._live(generation), name=f"generation {generation.id}")
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def cancel(self, generation: Generation, sentence: str) -> bool:
        """Ends a generation that nobody paints yet; False when painting has begun."""
        row = await self._database.write(
            generations.fail,
            generation.id,
            found=State.WAITING,
            becomes=State.CANCELLED,
            sentence=sentence,
            now=self._clock(),
        )
        if row is not None:
            log_state(Generation.from_row(row))
        return row is not None

    async def close(self, grace_s: float) -> None:
        """Lets running generations end within the grace; the rest stay written down."""
        if self._running:
            _, late = await asyncio.wait(self._running, timeout=grace_s)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _live(self, waiting: Generation) -> None:
        try:
            await self._paint_and_deliver(waiting)
        except EaselError as error:
            cause = error.operator or error.sentence
            log.warning("generation.stuck", id=waiting.id, cause=cause)
        except Exception:  # a task's edge: the row is still there for the next start
            log.exception("generation.stuck", id=waiting.id)

    async def _paint_and_deliver(self, waiting: Generation) -> None:
        now = self._clock()
        lease_until = now + self._lease_s
        row = await self._database.write(
            generations.claim, waiting.id, self._holder, lease_until, now
        )
        if row is None:
            return
        generation = Generation.from_row(row)
        log_state(generation)
        lease = Lease(self._holder, generation.attempt)
        try:
            painted = await self._painter.paint(generation)
        except EaselError as failure:
            await self._give_up(generation, lease, failure)
            return
        row = await self._database.write(
            generations.keep,
            generation.id,
            lease,
            painted.pictures,
            model=painted.model,
            steps=painted.steps,
            price=painted.price,
            notes=(*generation.notes, *painted.notes),
            now=self._clock(),
        )
        if row is None:
            log.warning("generation.lease_lost", id=generation.id, attempt=lease.attempt)
            return
        log_state(Generation.from_row(row))
        await self._deliver(Generation.from_row(row))

    async def _deliver(self, generation: Generation) -> None:
        delivery = self._delivery
        if delivery is None:
            log.error("generation.undelivered", id=generation.id, cause="nobody delivers yet")
            return
        way = await self._database.write(
            generations.choose_way, generation.id, delivery.way_for(generation)
        )
        rows = await self._database.read(generations.pictures_of, generation.id)
        pictures = [KeptPicture.from_row(row) for row in rows]
        try:
            message_id = await delivery.deliver(replace(generation, way=way), pictures)
        except Undeliverable as reason:
            log.warning("generation.undeliverable", id=generation.id, cause=str(reason))
            message_id = None
        row = await self._database.write(
            generations.deliver, generation.id, message_id, self._clock()
        )
        if row is not None:
            log_state(Generation.from_row(row))

    async def _give_up(self, generation: Generation, lease: Lease, failure: EaselError) -> None:
        refused = isinstance(failure, ContentRefused)
        row = await self._database.write(
            generations.fail,
            generation.id,
            found=State.PAINTING,
            becomes=State.REFUSED if refused else State.FAILED,
            sentence=failure.sentence,
            lease=lease,
            now=self._clock(),
        )
        if row is None:
            log.warning("generation.lease_lost", id=generation.id, attempt=lease.attempt)
            return
        log_state(Generation.from_row(row), cause=failure.operator, kind=type(failure).__name__)
        if self._delivery is not None:
            await self._delivery.tell_failure(generation, failure.sentence)


def log_state(generation: Generation, **more: object) -> None:
    """One line for each state that a generation enters."""
    began, painted = generation.painting_at, generation.painted_at
    log.info(
        "generation",
        state=generation.state,
        id=generation.id,
        person=generation.person_id,
        server=generation.place.server_id,
        model=generation.model or generation.order.model,
        count=generation.order.count,
        waited_s=round(began - generation.created_at, 3) if began else None,
        painted_s=round(painted - began, 3) if painted and began else None,
        price_usd=generation.price / 1e6 if generation.price is not None else None,
        **more,
    )
