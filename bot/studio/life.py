"""The life of a generation: waiting, painting, painted, and one of its ends."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Protocol

import structlog

from bot.errors import ContentRefused, EaselError, StoreUnavailable
from bot.imaging.archive import ArchiveUnreadable
from bot.store import generations, leases
from bot.store.generations import Lease
from bot.store.schema import State
from bot.studio.circuit import TROUBLE
from bot.studio.generation import Generation, KeptPicture, Shown

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bot.store.database import Database
    from bot.store.schema import Way
    from bot.studio.alarm import Alarm
    from bot.studio.circuit import Circuit
    from bot.studio.line import Standing
    from bot.studio.painting import Painted, Painter

log = structlog.get_logger()

#: Discord may be away for an hour; after a day nobody waits in the channel any more.
TRIED_FOR_S = 24 * 60 * 60
_DELIVERY_RETRY_S = 60.0


class Undeliverable(Exception):
    """The result cannot reach people where they asked; `/history` still hands it out."""


class DiscordAway(Exception):
    """Discord cannot be reached just now: the result is kept, and brought later."""


class Delivery(Protocol):
    """Brings results to people; the Discord side implements it."""

    def way_for(self, generation: Generation) -> Way:
        """How the result should reach people, before the first try."""
        ...

    async def deliver(
        self, generation: Generation, pictures: Sequence[KeptPicture], *, tried_before: bool
    ) -> int | None:
        """Posts the result the way that is written down, and returns the message's id.

        Args:
            generation: with its way.
            pictures: what it became.
            tried_before: whether an earlier try may have posted it already.

        Raises:
            Undeliverable: it cannot be, now or later.
            DiscordAway: it cannot be now.
        """
        ...

    async def tell_failure(self, generation: Generation, sentence: str) -> None:
        """Tells the person, and nobody else where that can be, why there is no picture.

        Raises:
            DiscordAway: it cannot be told now.
        """
        ...

    async def is_awaited(self, generation: Generation) -> bool:
        """Whether its asker was answered, and will see what becomes of it."""
        ...

    async def tell_standing(self, generation: Generation, standing: Standing) -> None:
        """Shows in the waiting message how long the line before it is."""
        ...

    async def remove_waiting(self, generation: Generation) -> None:
        """Takes the waiting message away.

        Raises:
            DiscordAway: it cannot be taken away now.
        """
        ...


class Life:
    """Brings one generation after the other to its next state; all state is in its row."""

    def __init__(
        self,
        database: Database,
        painter: Painter,
        circuit: Circuit,
        alarm: Alarm,
        *,
        holder: str,
        lease_s: float,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._database = database
        self._painter = painter
        self._circuit = circuit
        self._alarm = alarm
        self._holder = holder
        self._lease_s = lease_s
        self._clock = clock

    async def waiting(self) -> frozenset[str]:
        """The ids of all that nobody has begun yet."""
        return await self._database.read(leases.waiting_ids)

    async def paint(self, generation_id: str, delivery: Delivery) -> Shown | None:
        """From `waiting` to `painted`; None when somebody else has it, or it ended."""
        now = self._clock()
        row = await self._database.write(
            generations.claim, generation_id, self._holder, now + self._lease_s, now
        )
        if row is None:
            return None
        generation = Generation.from_row(row)
        log_state(generation)
        lease = Lease(self._holder, generation.attempt)
        try:
            painted = await self._tried(generation)
        except EaselError as failure:
            if _may_be_kept(generation, failure) and self._in_time(generation):
                log.warning("generation.given_back", id=generation.id, cause=failure.operator)
                await self._database.write(leases.give_back, generation.id, lease)
                return None
            await self.give_up(generation, lease, failure, delivery)
            return None
        row = await self._database.write(
            generations.keep,
            generation.id,
            lease,
            painted.pictures,
            model=painted.model,
            steps=painted.steps,
            price=painted.price,
            notes=(*generation.notes, *painted.notes),
            way=delivery.way_for(generation),
            now=self._clock(),
        )
        if row is None or generation.attempt > 1:
            await self._clear_away(generation)
        if row is None:
            log.warning("generation.lease_lost", id=generation.id, attempt=lease.attempt)
            return None
        kept = Generation.from_row(row)
        log_state(kept)
        return Shown(kept, tuple(KeptPicture.from_row(each) for each in painted.pictures))

    async def _tried(self, generation: Generation) -> Painted:
        """What comes of painting it, by which is known how the API does."""
        asked_at = self._circuit.now()
        try:
            painted = await self._painter.paint(generation)
        except TROUBLE as failure:
            if self._circuit.failed(asked_at):
                log.warning("circuit.opened", cause=failure.operator)
            raise
        if self._circuit.succeeded():
            log.info("circuit.closed")
        return painted

    async def _clear_away(self, generation: Generation) -> None:
        """Forgets the pictures of attempts that came to nothing, once another one's are kept."""
        rows = await self._database.read(generations.pictures_of, generation.id)
        if not rows:
            return
        try:
            await self._painter.clear_away(generation, {row.key for row in rows})
        except StoreUnavailable as error:
            log.warning("generation.not_cleared_away", id=generation.id, cause=error.operator)

    async def deliver_later(self, generation: Generation, delivery: Delivery) -> None:
        """Delivers what an earlier try, perhaps of another process, did not or not to the end."""
        rows = await self._database.read(generations.pictures_of, generation.id)
        pictures = tuple(KeptPicture.from_row(row) for row in rows)
        await self.deliver(Shown(generation, pictures), delivery, tried_before=True)

    async def deliver(
        self, shown: Shown, delivery: Delivery, *, tried_before: bool = False
    ) -> None:
        """From `painted` to `delivered`, or put off while Discord is away."""
        generation = shown.generation
        if self._clock() > (generation.painted_at or 0.0) + self._lease_s:
            # This process stood still meanwhile, and somebody else may have done its work.
            tried_before = True
        try:
            message_id = await delivery.deliver(
                generation, shown.pictures, tried_before=tried_before
            )
        except Undeliverable as reason:
            log.warning("generation.undeliverable", id=generation.id, cause=str(reason))
            message_id = None
        except DiscordAway as reason:
            log.warning("generation.put_off", id=generation.id, cause=str(reason))
            if await self._put_off(generation):
                return
            message_id = None
        except StoreUnavailable:
            raise  # the archive does not answer: the next sweep tries again
        except EaselError as failure:
            await self.lose(generation, failure, delivery)
            return
        except Exception:  # what nobody foresaw is tried for as long as Discord is
            log.exception("generation.put_off", id=generation.id)
            if await self._put_off(generation):
                return
            message_id = None
        lease = Lease(self._holder, generation.attempt)
        row = await self._database.write(
            generations.deliver, generation.id, message_id, self._clock(), lease=lease
        )
        if row is not None:
            self._ended(row)

    async def _put_off(self, generation: Generation) -> bool:
        """Lets it be brought later; False when that has been tried for long enough."""
        if not self._in_time(generation):
            log.warning("generation.undelivered", id=generation.id)
            return False
        again_at = self._clock() + _DELIVERY_RETRY_S
        await self._database.write(leases.put_off, generation.id, self._holder, again_at)
        return True

    async def give_up(
        self, generation: Generation, lease: Lease, failure: EaselError, delivery: Delivery
    ) -> None:
        """Ends a generation without a picture; its allowance goes back, its asker is told."""
        refused = isinstance(failure, ContentRefused)
        row = await self._database.write(
            generations.fail,
            generation.id,
            found=State.PAINTING,
            becomes=State.REFUSED if refused else State.FAILED,
            sentence=failure.sentence,
            lease=lease,
            tell_at=self._clock() + self._lease_s,
            now=self._clock(),
        )
        if row is None:
            log.warning("generation.lease_lost", id=generation.id, attempt=lease.attempt)
            return
        ended = self._ended(row, cause=failure.operator, kind=type(failure).__name__)
        await self.tell(ended, delivery)

    async def tell(self, generation: Generation, delivery: Delivery) -> None:
        """Says why there is no picture; until that is done, a sweep tries again.

        Who cancelled knows it, and only sees the waiting message go.
        """
        try:
            if generation.state is State.CANCELLED:
                await delivery.remove_waiting(generation)
            else:
                await delivery.tell_failure(generation, generation.failure or "")
        except Exception as reason:  # as of a result: what nobody foresaw is tried for as long
            if isinstance(reason, DiscordAway):
                log.warning("generation.untold", id=generation.id, cause=str(reason))
            else:
                log.exception("generation.untold", id=generation.id)
            if self._in_time(generation):
                return
        await self._database.write(generations.told, generation.id)

    async def lose(self, generation: Generation, failure: EaselError, delivery: Delivery) -> None:
        """Ends what nobody can go on with; its allowance goes back, its asker is told."""
        row = await self._database.write(
            generations.fail,
            generation.id,
            found=generation.state,
            becomes=State.FAILED,
            sentence=failure.sentence,
            tell_at=self._clock() + self._lease_s,
            now=self._clock(),
        )
        if row is not None:
            lost = self._ended(row, cause=failure.operator, kind=type(failure).__name__)
            await self.tell(lost, delivery)

    async def cancel(self, generation: Generation, sentence: str) -> Generation | None:
        """Ends a generation that nobody paints yet; None when painting has begun."""
        row = await self._database.write(
            generations.fail,
            generation.id,
            found=State.WAITING,
            becomes=State.CANCELLED,
            sentence=sentence,
            tell_at=self._clock() + self._lease_s,
            now=self._clock(),
        )
        return None if row is None else self._ended(row)

    def _in_time(self, generation: Generation) -> bool:
        """Whether somebody may still wait for it."""
        return self._clock() < generation.created_at + TRIED_FOR_S

    def _ended(self, row: generations.GenerationRow, **cause: object) -> Generation:
        generation = Generation.known_of(row)
        log_state(generation, **cause)
        if generation.round_id is not None:
            # What it was painted for opens by this, or never will.
            self._alarm.look()
        return generation


def _may_be_kept(generation: Generation, failure: EaselError) -> bool:
    """Whether an earlier attempt may have pictures in the archive, which does not answer now."""
    return generation.attempt > 1 and isinstance(failure, ArchiveUnreadable)


def log_state(generation: Generation, **more: object) -> None:
    """One line for each state that a generation enters; failures are for the owner to see."""
    began, painted = generation.painting_at, generation.painted_at
    say = log.warning if generation.state is State.FAILED else log.info
    say(
        "generation",
        state=generation.state,
        id=generation.id,
        person=generation.person_id,
        server=generation.place.server_id,
        model=generation.model or generation.order.model,
        count=generation.order.wanted,
        waited_s=round(began - generation.created_at, 3) if began else None,
        painted_s=round(painted - began, 3) if painted and began else None,
        price_usd=generation.price / 1e6 if generation.price is not None else None,
        **more,
    )
