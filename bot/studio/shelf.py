"""Where finished pictures go; while there is no room for any, none is painted."""

from __future__ import annotations

import asyncio
from functools import cache
from typing import TYPE_CHECKING, TypeVar

import structlog

from bot.errors import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from bot.imaging.archive import Archive

T = TypeVar("T")

log = structlog.get_logger()

#: Pictures that come here are paid for: they are held for minutes before they are given up.
_PAUSES_S = (1.0, 2.0, 5.0, *[15.0] * 20)
_LOOK_EVERY_S = 15.0


class Shelf:
    """Keeps pictures in the archive, and knows whether it can."""

    def __init__(
        self, archive: Archive, *, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        self._archive = archive
        self._sleep = sleep
        self._full = False
        self._looking: asyncio.Task[None] | None = None
        self._once_free: Callable[[], None] = lambda: None

    @property
    def full(self) -> bool:
        """Whether the archive took nothing when it was tried last."""
        return self._full

    def connect(self, once_free: Callable[[], None]) -> None:
        """From now on, calls this whenever there is room again."""
        self._once_free = once_free

    async def keep(self, make: Callable[[], tuple[T, Mapping[str, bytes]]]) -> T:
        """Keeps what `make` returns, as `Archive.put_made` does, though it may take minutes.

        Raises:
            StoreUnavailable: in all that time there was no room; and whatever `make` raises.
        """
        make_once = cache(make)
        for pause_s in _PAUSES_S:
            try:
                return await self._put(make_once)
            except StoreUnavailable:
                await self._sleep(pause_s)
        return await self._put(make_once)

    async def close(self) -> None:
        """Looks for room no more."""
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)

    async def _put(self, make: Callable[[], tuple[T, Mapping[str, bytes]]]) -> T:
        try:
            kept = await self._archive.put_made(make)
        except StoreUnavailable as error:
            if not self._full:
                self._full = True
                log.warning("archive.full", cause=error.operator)
            if self._looking is None or self._looking.done():
                self._looking = asyncio.create_task(self._look(), name="archive")
            raise
        self._has_room()
        return kept

    async def _look(self) -> None:
        """Whoever holds pictures may have given up before there is room."""
        while self._full:
            await self._sleep(_LOOK_EVERY_S)
            try:
                await self._archive.probe()
            except StoreUnavailable as error:
                log.debug("archive.still_full", cause=error.operator)
            else:
                self._has_room()

    def _has_room(self) -> None:
        if self._full:
            self._full = False
            log.info("archive.has_room")
            self._once_free()
