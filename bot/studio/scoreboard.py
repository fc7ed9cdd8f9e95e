"""What ballots show while people vote: the last count always, and no edit for each press."""

from __future__ import annotations

import asyncio
import math
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import structlog

from bot.errors import EaselError
from bot.studio.life import DiscordAway

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

log = structlog.get_logger()

#: A message is edited at most once in this time.
EVERY_S: Final = 1.0
#: Discord lets messages of over an hour be edited rarely (code 30046), and does not say how
#: rarely: https://discord.com/developers/docs/topics/opcodes-and-status-codes
_EVERY_WHEN_OLD_S = 15.0
#: While it cannot be shown, the pause grows up to this.
_PAUSE_MAX_S = 60.0


@dataclass(slots=True)
class _Entry:
    """A ballot that is kept up to date.

    Attributes:
        pause_s: between two edits of it.
        stale: whether it has to be read anew, since something was counted perhaps.
        shown_at: when it was last edited, or that was tried.
    """

    pause_s: float
    stale: bool = False
    shown_at: float = -math.inf
    task: asyncio.Task[None] | None = None
    timer: asyncio.TimerHandle | None = None
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def rests(self) -> bool:
        return not (self.stale or self.task or self.timer or self.turn.locked())


class Scoreboard:
    """Holds nothing that cannot be read anew; where nothing is to be shown, nothing runs."""

    def __init__(
        self, *, every_s: float = EVERY_S, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._every_s = every_s
        self._clock = clock
        self._entries: dict[str, _Entry] = {}
        self._show: Callable[[str], Awaitable[bool]] | None = None

    def connect(self, show: Callable[[str], Awaitable[bool]]) -> None:
        """From now on, `show` shows a round as it is, and tells whether its message is old."""
        self._show = show

    def touch(self, round_id: str) -> None:
        """Something was counted: it is shown now, or as soon as it may be."""
        if self._show is not None:
            entry = self._entry(round_id)
            entry.stale = True
            self._show_soon(round_id, entry)

    async def show(self, round_id: str) -> None:
        """Shows it as soon as a second has passed since its last edit, and returns then.

        However old the message is: this one is waited for. What is read later is shown later, so
        that no earlier count takes its place. What cannot be shown now is shown later.

        Raises:
            EaselError, DiscordAway: it cannot be.
        """
        if (show := self._show) is None:
            raise DiscordAway("it is not connected")
        entry = self._entry(round_id)
        entry.stale = True
        try:
            async with entry.turn:
                # Whoever had the turn before may have read it since this was asked for.
                if entry.stale:
                    await asyncio.sleep(max(0.0, entry.shown_at + self._every_s - self._clock()))
                    await self._edit(round_id, entry, show)
        finally:
            if entry.stale:
                self._show_soon(round_id, entry)

    async def _edit(
        self, round_id: str, entry: _Entry, show: Callable[[str], Awaitable[bool]]
    ) -> None:
        entry.stale, shown = False, False
        try:
            is_old = await show(round_id)
            entry.pause_s, shown = _EVERY_WHEN_OLD_S if is_old else self._every_s, True
        finally:
            entry.shown_at = self._clock()
            # Whatever it was, and also where nobody waits for it any more.
            if not shown:
                entry.stale = True
                entry.pause_s = min(2 * entry.pause_s, _PAUSE_MAX_S)

    async def close(self) -> None:
        """Shows nothing more, but for what is on its way."""
        self._show = None
        entries, self._entries = self._entries, {}
        for entry in entries.values():
            if entry.timer is not None:
                entry.timer.cancel()
        if tasks := {entry.task for entry in entries.values() if entry.task is not None}:
            await asyncio.wait(tasks)

    def _entry(self, round_id: str) -> _Entry:
        if round_id not in self._entries:
            self._forget_old()
            self._entries[round_id] = _Entry(self._every_s)
        return self._entries[round_id]

    def _forget_old(self) -> None:
        now = self._clock()
        for round_id, entry in list(self._entries.items()):
            if entry.rests and now > entry.shown_at + entry.pause_s:
                del self._entries[round_id]

    def _show_soon(self, round_id: str, entry: _Entry) -> None:
        if self._show is None or entry.task is not None or entry.timer is not None:
            return
        wait_s = entry.shown_at + entry.pause_s - self._clock()
        if wait_s > 0:
            loop = asyncio.get_running_loop()
            entry.timer = loop.call_later(wait_s, self._start, round_id, entry)
        else:
            self._start(round_id, entry)

    def _start(self, round_id: str, entry: _Entry) -> None:
        entry.timer = None
        entry.task = asyncio.create_task(self._run(round_id, entry), name=f"ballot {round_id}")

    async def _run(self, round_id: str, entry: _Entry) -> None:
        try:
            if entry.stale:
                await self._try(round_id)
        finally:
            entry.task = None
        if entry.stale:
            self._show_soon(round_id, entry)

    async def _try(self, round_id: str) -> None:
        try:
            await self.show(round_id)
        except (EaselError, DiscordAway) as error:
            log.warning("ballot.not_shown", round=round_id, cause=str(error))
        except Exception:  # a task's edge: it is tried again
            log.exception("ballot.not_shown", round=round_id)
