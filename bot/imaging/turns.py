"""So many at once, and nobody kept waiting for long by some that are slow."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Hashable


@dataclass(eq=False, slots=True)
class _Waiting:
    of: Hashable
    turn: asyncio.Future[None]


class Turns:
    """Bounds what is done at once, for as long as those who do it come to an end.

    A hard bound would let a few slow answers hold up all the others until they time out: where
    none has ended for `patience_s` seconds, one more is let in, for as long as others wait.
    Whoever has the fewest turns is next, and of equals whoever came first.
    """

    def __init__(self, at_once: int, *, patience_s: float) -> None:
        self._at_once = self._bound = at_once
        self._patience_s = patience_s
        self._inside: Counter[Hashable] = Counter()
        self._waiting: list[_Waiting] = []
        self._timer: asyncio.TimerHandle | None = None

    @asynccontextmanager
    async def one(self, of: Hashable = None) -> AsyncGenerator[None]:
        """Waits for a turn, and has it inside; `of` tells whose it is."""
        waiting = _Waiting(of, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        self._admit()
        try:
            await waiting.turn
        except asyncio.CancelledError:
            if not waiting.turn.cancelled():
                self._leave(of)  # it had just come
            elif waiting in self._waiting:
                self._waiting.remove(waiting)
            raise
        try:
            yield
        finally:
            self._leave(of)

    def _leave(self, of: Hashable) -> None:
        self._inside[of] -= 1
        # The line moves: patience begins anew.
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._admit()

    def _admit(self) -> None:
        while self._waiting and self._inside.total() < self._bound:
            following = min(self._waiting, key=lambda each: self._inside[each.of])
            self._waiting.remove(following)
            if not following.turn.cancelled():
                self._inside[following.of] += 1
                following.turn.set_result(None)
        self._inside += Counter()  # which forgets who has none
        if not self._waiting:
            self._bound = self._at_once
        elif self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(self._patience_s, self._let_one_more)

    def _let_one_more(self) -> None:
        self._timer = None
        self._bound = max(self._bound, self._inside.total()) + 1
        self._admit()
