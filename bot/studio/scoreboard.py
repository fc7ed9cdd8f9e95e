"""What ballots show while people vote: the last count always, and no edit for each press."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import structlog

from bot.errors import EaselError
from bot.studio.life import DiscordAway

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

log = structlog.get_logger()

#: A message is edited at most once in this time.
_EVERY_S = 1.0
#: Discord lets messages of over an hour be edited rarely (code 30046), and does not say how
#: rarely: https://discord.com/developers/docs/topics/opcodes-and-status-codes
_EVERY_WHEN_OLD_S = 15.0
#: While Discord is away, the pause grows up to this.
_PAUSE_MAX_S = 60.0


@dataclass(slots=True)
class _Entry:
    """A ballot that is kept up to date.

    Attributes:
        stale: whether something was counted since it was last read.
        pause_s: before it is shown again.
    """

    pause_s: float
    stale: bool = True
    task: asyncio.Task[None] | None = None
    timer: asyncio.TimerHandle | None = None
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)


class Scoreboard:
    """Holds nothing that cannot be read anew; between two edits there is a timer, and no task."""

    def __init__(self, *, every_s: float = _EVERY_S) -> None:
        self._every_s = every_s
        self._entries: dict[str, _Entry] = {}
        self._show: Callable[[str], Awaitable[bool]] | None = None

    def connect(self, show: Callable[[str], Awaitable[bool]]) -> None:
        """From now on, `show` shows a round as it is, and tells whether its message is old."""
        self._show = show

    def touch(self, round_id: str) -> None:
        """Something was counted: it is shown now, or as soon as it may be."""
        entry = self._entries.get(round_id)
        if entry is not None:
            entry.stale = True
        elif self._show is not None:
            self._entries[round_id] = _Entry(self._every_s)
            self._start(round_id)

    async def show(self, round_id: str) -> None:
        """Shows it now, whatever was shown a moment ago, and returns when it is there.

        What is read later is shown later, so that no earlier count takes its place.

        Raises:
            EaselError, DiscordAway: it cannot be.
        """
        if (show := self._show) is None:
            raise DiscordAway("it is not connected")
        entry = self._entries.setdefault(round_id, _Entry(self._every_s, stale=False))
        async with entry.turn:
            entry.stale = False
            is_old = await show(round_id)
            entry.pause_s = _EVERY_WHEN_OLD_S if is_old else self._every_s
        if entry.task is None:
            self._rest(round_id, entry)

    async def close(self) -> None:
        """Shows nothing more, but for what is on its way."""
        self._show = None
        entries, self._entries = self._entries, {}
        for entry in entries.values():
            if entry.timer is not None:
                entry.timer.cancel()
        if tasks := {entry.task for entry in entries.values() if entry.task is not None}:
            await asyncio.wait(tasks)

    def _start(self, round_id: str) -> None:
        """Shows it if there is news, and else forgets it."""
        entry = self._entries.get(round_id)
        if entry is None or entry.task is not None:
            return
        if entry.turn.locked():
            self._rest(round_id, entry)
        elif entry.stale:
            entry.task = asyncio.create_task(self._run(round_id, entry), name=f"ballot {round_id}")
        else:
            del self._entries[round_id]

    async def _run(self, round_id: str, entry: _Entry) -> None:
        try:
            await self._try(round_id, entry)
        finally:
            entry.task = None
            self._rest(round_id, entry)

    async def _try(self, round_id: str, entry: _Entry) -> None:
        try:
            await self.show(round_id)
        except (EaselError, DiscordAway) as error:
            entry.stale = True
            entry.pause_s = min(2 * entry.pause_s, _PAUSE_MAX_S)
            log.warning("ballot.not_shown", round=round_id, cause=str(error))
        except Exception:  # a task's edge: the next press shows it again
            log.exception("ballot.not_shown", round=round_id)

    def _rest(self, round_id: str, entry: _Entry) -> None:
        if entry.timer is not None:
            entry.timer.cancel()
        if self._show is not None:
            loop = asyncio.get_running_loop()
            entry.timer = loop.call_later(entry.pause_s, self._start, round_id)
