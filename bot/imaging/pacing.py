"""As many calls at once as the API bears, and which failed ones are made again, and when."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from collections import Counter
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Final, TypeVar

import structlog

from bot.errors import Busy, Overloaded, PaintingFailed, Unreachable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

log = structlog.get_logger()

T = TypeVar("T")

#: What is left of the limit after a 429, and after a sign of trouble that is not about it.
_BUSY_LEAVES: Final = 0.5
_OVERLOADED_LEAVES: Final = 0.9


@dataclass(frozen=True, slots=True)
class Patience:
    """How often a call is made for one kind of failure, and the waits between.

    Attributes:
        tries: the first one included.
        in_all_s: what the waits may come to.
        first_s, longest_s: each wait is three times the one before, from the one to the other.
    """

    tries: int
    in_all_s: float
    first_s: float
    longest_s: float

    def wait(self, tried: int, random: Random) -> float:
        """Between half of the wait and all of it, so that not all come back at once."""
        return min(self.longest_s, self.first_s * 3 ** (tried - 1)) * random.uniform(0.5, 1)


PATIENCE: Final[dict[type[PaintingFailed], Patience]] = {
    Busy: Patience(tries=8, in_all_s=90, first_s=0.1, longest_s=10),
    Overloaded: Patience(tries=3, in_all_s=90, first_s=1, longest_s=10),
    Unreachable: Patience(tries=3, in_all_s=30, first_s=0.5, longest_s=5),
}


class Pace:
    """The limit starts at the cap, is halved by a 429 and raised again by success.

    It halves once for all calls that were under way together: of fifty at once, forty
    may be refused, and that is one piece of news. The level that was borne meanwhile is
    remembered: up to it the limit grows by one with every success, beyond it by one with
    every round of successes, as TCP does (https://www.rfc-editor.org/rfc/rfc5681#section-3.1).

    Whoever came first starts first, those who come back from a refusal included.
    """

    def __init__(
        self,
        cap: int,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        random: Random | None = None,
    ) -> None:
        self._cap = max(1, cap)
        self._clock = clock
        self._sleep = sleep
        self._random = random or Random()  # noqa: S311 - spreads waits, guards nothing
        self._limit = float(self._cap)
        self._borne = self._cap
        self._arrivals = itertools.count()
        self._line: list[tuple[int, asyncio.Future[None]]] = []
        self._held = 0
        self._running = 0
        self._started = 0
        #: How many calls had been started when the limit was lowered last.
        self._lowered_at = 0
        #: The end of the pause that the API asked for; None when there is none.
        self._opens_at: float | None = None
        #: Who waits out the pause, first in line, for all behind.
        self._doorkeeper: int | None = None

    @property
    def limit(self) -> int:
        """Calls that may be under way at once."""
        return int(self._limit)

    @property
    def running(self) -> int:
        """Calls that are under way."""
        return self._running

    async def run(self, attempt: Callable[[], Awaitable[T]], *, model: str | None = None) -> T:
        """What the attempt returns, after as many tries as its failures deserve.

        Args:
            attempt: makes the call, anew each time.
            model: for the log.

        Raises:
            PaintingFailed: the last failure, or the first that is no use to repeat.
        """
        arrival = next(self._arrivals)
        tries = _Tries(self._random)
        while True:
            try:
                return await self._try(arrival, attempt)
            except PaintingFailed as error:
                wait = tries.wait_after(error)
                if wait is None:
                    raise
                log.info(
                    "api.retry",
                    model=model,
                    kind=type(error).__name__,
                    attempt=tries.made + 1,
                    wait=round(wait, 2),
                    limit=self.limit,
                )
                # What the API asks for holds up everybody, so it is waited for in line.
                wait = wait if wait > (error.retry_after or 0) else 0
            if wait:
                await self._sleep(wait)

    async def _try(self, arrival: int, attempt: Callable[[], Awaitable[T]]) -> T:
        await self._enter(arrival)
        self._started += 1
        self._running += 1
        number = self._started
        try:
            result = await attempt()
        except Busy as error:
            self._lower(number, _BUSY_LEAVES)
            self._pause(error)
            raise
        except Overloaded as error:
            self._lower(number, _OVERLOADED_LEAVES)
            self._pause(error)
            raise
        else:
            self._raise()
            return result
        finally:
            self._running -= 1
            self._leave(arrival)

    def _lower(self, number: int, leaves: float) -> None:
        """Once for all calls that were under way together; each of them was one too many."""
        if number <= self._lowered_at:
            self._borne = max(1, self._borne - 1)
            return
        self._lowered_at = self._started
        self._borne = max(1, self._running - 1)
        self._limit = max(1.0, self._limit * leaves)

    def _raise(self) -> None:
        if self._limit < self._borne:
            self._limit = min(self._limit + 1, self._borne)
        else:
            self._limit = min(self._limit + 1 / self._limit, self._cap)

    def _pause(self, error: PaintingFailed) -> None:
        """Nobody starts before the API wants to be asked again."""
        if error.retry_after:
            opens_at = self._clock() + error.retry_after
            self._opens_at = max(self._opens_at or opens_at, opens_at)

    async def _enter(self, arrival: int) -> None:
        """Returns in the moment in which the call may start."""
        while True:
            await self._take_place(arrival)
            if self._doorkeeper == arrival:
                await self._wait_out(arrival)
            elif self._opens_at is None and self._held <= self.limit:
                return
            # Something has changed since the place was given: back into the line, as the first.
            self._step_down(arrival)
            self._held -= 1

    async def _wait_out(self, arrival: int) -> None:
        """To the end of the pause, as it was when this wait began."""
        opens_at = self._opens_at or 0.0
        try:
            await self._sleep(max(0.0, opens_at - self._clock()))
        except asyncio.CancelledError:
            self._leave(arrival)
            raise
        if self._opens_at == opens_at:  # nobody has prolonged it
            self._opens_at = None

    async def _take_place(self, arrival: int) -> None:
        place = asyncio.get_running_loop().create_future()
        heapq.heappush(self._line, (arrival, place))
        self._admit()
        try:
            await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled():
                self._leave(arrival)  # the place came in the same moment as the cancellation
            raise

    def _leave(self, arrival: int) -> None:
        self._step_down(arrival)
        self._held -= 1
        self._admit()

    def _step_down(self, arrival: int) -> None:
        if self._doorkeeper == arrival:
            self._doorkeeper = None

    def _admit(self) -> None:
        while self._line and self._held < self.limit and self._doorkeeper is None:
            arrival, place = heapq.heappop(self._line)
            if place.done():
                continue  # its call was cancelled
            place.set_result(None)
            self._held += 1
            if self._opens_at is not None:
                self._doorkeeper = arrival


class _Tries:
    """What one call has been through, by kind of failure."""

    def __init__(self, random: Random) -> None:
        self.made = 0
        self._random = random
        self._failures: Counter[type[PaintingFailed]] = Counter()
        self._waited: dict[type[PaintingFailed], float] = {}

    def wait_after(self, error: PaintingFailed) -> float | None:
        """How long to wait before the next try; None when there is to be none."""
        self.made += 1
        kind = next((kind for kind in PATIENCE if isinstance(error, kind)), None)
        if kind is None or not error.repeatable:
            return None
        self._failures[kind] += 1
        patience, failures = PATIENCE[kind], self._failures[kind]
        wait = max(error.retry_after or 0.0, patience.wait(failures, self._random))
        self._waited[kind] = self._waited.get(kind, 0.0) + wait
        patient = failures < patience.tries and self._waited[kind] <= patience.in_all_s
        return wait if patient else None
