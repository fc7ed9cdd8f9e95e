"""Where a process can stop, wherever it is, and perhaps go on one day."""

from __future__ import annotations

import asyncio
from functools import partial
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from life_loop import Clock


class Gate:
    """Between a process and everything else: while it is shut, the process stands still.

    A kill -9 is a gate that never opens again; a machine that hung is one that does.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._open = asyncio.Event()
        self._open.set()
        self._shut_at = 0.0
        self._left: int | None = None
        self._over = False

    @property
    def shut(self) -> bool:
        return not self._open.is_set()

    @property
    def shut_for_s(self) -> float:
        return self._clock.passed - self._shut_at

    def shut_after(self, passes: int) -> None:
        """So many times yet it may do something or hear of something."""
        self._left = passes
        if not passes:
            self._shut_at = self._clock.passed
            self._open.clear()

    def reopen(self) -> None:
        self._left = None
        self._open.set()

    def end(self) -> None:
        """Whoever stands before it comes no further."""
        self._over = True
        self.reopen()

    async def passed(self) -> None:
        while self.shut:
            await self._open.wait()
        if self._over:
            raise asyncio.CancelledError
        if self._left:
            self.shut_after(self._left - 1)


class Gated:
    """Something of the world, as a process reaches it: through its gate, there and back."""

    def __init__(self, gate: Gate, thing: Any) -> None:
        self._gate, self._thing = gate, thing

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._thing, name)
        return partial(self._there_and_back, found) if iscoroutinefunction(found) else found

    async def _there_and_back(self, work: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        await self._gate.passed()
        try:
            return await work(*args, **kwargs)
        finally:
            await self._gate.passed()
