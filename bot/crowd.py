"""How much Discord bears: in one channel, of the whole bot, and while it is in trouble."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

import structlog

from bot.answers import until_answered
from bot.studio.circuit import Circuit, Health

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

log = structlog.get_logger()

#: What a channel bears in practice; Discord tells it in headers, and discord.py obeys those.
_CHANNEL = (5, 5.0)
#: What a bot may ask in all, interactions and their webhooks aside; discord.py obeys that only
#: once it is broken. It is longer than Discord's second, for clocks:
#: https://discord.com/developers/docs/topics/rate-limits#global-rate-limit
_OVERALL_MAX, _OVERALL_S = 50, 1.05
#: Where all of them are under way.
_LOOK_S = 0.05
_CHANNELS_KEPT = 10_000
#: A stumble passes by then; longer trouble is for `bot.studio.life` to wait out.
_TRIES = 5
#: Of a Discord that comes back, some answers may still be errors.
LONG_S, _MOMENT_S = 60 * 60, 5 * 60


class _Window:
    """So many in any so many seconds."""

    def __init__(self, most: int, seconds: float) -> None:
        self._most, self._seconds = most, seconds
        self._booked: deque[float] = deque(maxlen=most)

    def next_at(self, now: float) -> float:
        """When there is room for one more."""
        if len(self._booked) < self._most:
            return now
        return max(now, self._booked[0] + self._seconds)

    def book(self, now: float) -> float:
        """Takes that place."""
        at = self.next_at(now)
        self._booked.append(at)
        return at


class Crowd:
    """Messages that were sent, or will be as soon as they may."""

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._clock, self._sleep = clock, sleep
        self._channels: dict[int, _Window] = {}
        self._lines: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()
        self._expected = _Window(_OVERALL_MAX, _OVERALL_S)
        self._door = asyncio.Lock()
        self._asking = 0
        self._answered: deque[float] = deque()

    def wait_s(self, channel_id: int) -> float:
        """How long the next message to the channel would wait."""
        now, channel = self._clock(), self._channels.get(channel_id)
        own = channel.next_at(now) if channel else now
        return max(own, self._expected.next_at(now)) - now

    def book(self, channel_id: int) -> None:
        """Takes the next place there."""
        now = self._clock()
        channel = self._channels.pop(channel_id, None) or _Window(*_CHANNEL)
        self._channels[channel_id] = channel
        channel.book(now)
        self._expected.book(now)
        if len(self._channels) > _CHANNELS_KEPT:
            del self._channels[next(iter(self._channels))]

    @asynccontextmanager
    async def line(self, channel_id: int) -> AsyncGenerator[None]:
        """Waits until those are done who posted in the channel before.

        Else they would wait within discord.py, with all that they keep from others meanwhile.
        """
        line = self._lines.setdefault(channel_id, asyncio.Lock())
        async with line:
            yield

    @asynccontextmanager
    async def turn(self) -> AsyncGenerator[None]:
        """Waits until the bot may ask one thing more of Discord, which is answered at the end.

        It counts until a second after its answer: when on its way Discord counted it, nobody
        here can know.
        """
        async with self._door:
            while (wait_s := self._until_room_s()) > 0:
                await self._sleep(wait_s)
            self._asking += 1
        with until_answered(self._count_answer):
            yield

    def _count_answer(self) -> None:
        self._asking -= 1
        self._answered.append(self._clock())

    def _until_room_s(self) -> float:
        now = self._clock()
        while self._answered and self._answered[0] <= now - _OVERALL_S:
            self._answered.popleft()
        if self._asking + len(self._answered) < _OVERALL_MAX:
            return 0.0
        return self._answered[0] + _OVERALL_S - now if self._answered else _LOOK_S


class Outage:
    """Whether Discord answers at all; while it does not, few ask, and each of them once.

    However many results wait, their tries are no storm, neither for a Discord that comes back
    nor in what Cloudflare counts: https://discord.com/developers/docs/topics/rate-limits
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._circuit, self._met_at = Circuit(time.monotonic), 0.0
        self._answered_at, self._back_at = 0.0, clock()

    def hinders(self, asked_at: float) -> bool:
        """Whether it lasts, for all that is known: who has asked since shows that it is over."""
        return self._circuit.health is Health.RESTS and asked_at < self._met_at

    @property
    def is_long_over(self) -> bool:
        """Whether Discord has answered a moment ago, and was not away for long."""
        now, works = self._clock(), self._circuit.health is Health.WORKS
        return works and self._answered_at > now - _MOMENT_S and self._back_at < now - LONG_S

    @property
    def tries(self) -> int:
        """How often a call should be tried in a row."""
        return _TRIES if self._circuit.health is Health.WORKS else 1

    def met(self, cause: str) -> None:
        """A call has failed, after all of its tries."""
        # Those that were on their way together are one failure.
        if self._circuit.health is not Health.RESTS:
            self._met_at = self._clock()
            if self._circuit.failed():
                log.warning("discord.away", cause=cause)

    def over(self) -> None:
        """Discord has answered, whatever it said."""
        self._answered_at = self._clock()
        if self._circuit.succeeded():
            self._back_at = self._answered_at
            log.info("discord.back")
