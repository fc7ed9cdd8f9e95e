"""Time that stands still until it is told to move, and an event loop that lives by it."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

T = TypeVar("T")


class Clock:
    """The wall's clock, which can be set, over the loop's, which can only go on."""

    def __init__(self, begins_at: float) -> None:
        self.passed = self._began_at = 0.0
        self.set(begins_at)

    def __call__(self) -> float:
        return self._began_at + self.passed

    def set(self, at: float) -> None:
        """Timers go on as if nothing had happened."""
        self._began_at = at - self.passed


class Loop(asyncio.SelectorEventLoop):
    """Waits for nothing: time passes when it is told to, and all else is done at once.

    So every run takes the same course.
    """

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        super().__init__()
        # Else a timer that is due now would ring a moment later, and here there is none.
        self._clock_resolution = 0.001

    def time(self) -> float:
        return self.clock.passed

    def run_in_executor(
        self, _executor: Any, func: Callable[..., Any], *args: Any
    ) -> asyncio.Future[Any]:
        future = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as error:  # noqa: BLE001 - an edge, as any executor's: it is the caller's
            future.set_exception(error)
        return future

    def settle(self) -> None:
        """Until everything waits for time to pass, or for the world outside."""
        self.run_until_complete(self._settle())

    async def _settle(self) -> None:
        await asyncio.sleep(0)
        while self._ready:  # type: ignore[attr-defined] # noqa: ASYNC110 - nobody tells of nothing
            await asyncio.sleep(0)

    def live(self, seconds: float) -> None:
        """Time passes, and every timer rings when it is due."""
        until = self.clock.passed + seconds
        while (due := self._next_timer()) <= until:
            self.clock.passed = max(self.clock.passed, due)
            self.settle()
        self.leap(until - self.clock.passed)

    def leap(self, seconds: float) -> None:
        """Time passes at one stroke, as over a machine that sleeps."""
        self.clock.passed += seconds
        self.settle()

    def _next_timer(self) -> float:
        timers = self._scheduled  # type: ignore[attr-defined] - likewise
        return min((t.when() for t in timers if not t.cancelled()), default=float("inf"))


class Elsewhere:
    """An ordinary loop in a thread of its own; whoever wants something of it stands and waits."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
