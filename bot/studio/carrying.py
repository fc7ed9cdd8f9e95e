"""Pictures to work from on their way to the API: clean, and never too many megabytes of them."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

from bot.imaging.references import data_uri

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from bot.imaging.archive import Archive
    from bot.imaging.references import References
    from bot.studio.order import Source

#: Of all orders that are being painted: in a request, each byte takes almost three.
_CARRIED_MAX = 32 * 1024 * 1024
#: Orders whose pictures are read, or have been and wait for room.
_READ_AT_ONCE = 2


class Carrier:
    """Reads pictures from the archive when there is room for them: `most` bytes in all."""

    def __init__(
        self, archive: Archive, references: References, *, most: int = _CARRIED_MAX
    ) -> None:
        self._archive = archive
        self._references = references
        self._reading = asyncio.Semaphore(_READ_AT_ONCE)
        self._room = _Room(most)

    @asynccontextmanager
    async def carry(self, sources: Sequence[Source]) -> AsyncGenerator[list[str]]:
        """The pictures as data URIs, in their order; a link is fetched by others, and expires.

        Raises:
            Refusal: one of them is gone, or cannot be read any more.
            StoreUnavailable: the archive does not answer.
        """
        if not sources:
            yield []
            return
        async with AsyncExitStack() as held:
            async with self._reading:
                files = await asyncio.gather(*(self._clean(source) for source in sources))
                await held.enter_async_context(self._room.hold(sum(map(len, files))))
            carried = [await asyncio.to_thread(data_uri, data) for data in files]
            del files
            yield carried

    async def _clean(self, source: Source) -> bytes:
        [data] = await self._archive.get(source.key)
        # What was brought along was made clean when it came.
        if source.parent_id is not None:
            data = (await self._references.clean_own(data)).data
        return data


class _Room:
    """For so many bytes at once; whoever has more than that comes alone."""

    def __init__(self, most: int) -> None:
        self._most = self._free = most
        self._changed = asyncio.Condition()

    @asynccontextmanager
    async def hold(self, size: int) -> AsyncGenerator[None]:
        size = min(size, self._most)
        async with self._changed:
            await self._changed.wait_for(lambda: self._free >= size)
            self._free -= size
        try:
            yield
        finally:
            self._free += size
            async with self._changed:
                self._changed.notify_all()
