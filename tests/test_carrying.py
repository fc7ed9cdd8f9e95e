"""Pictures on their way to the API: in their order, and never too many bytes of them at once."""

from __future__ import annotations

import asyncio
from base64 import b64decode
from typing import TYPE_CHECKING

import pytest

from bot.imaging.archive import Archive, PictureMissing
from bot.imaging.references import References
from bot.imaging.request import Size
from bot.studio.carrying import Carrier
from bot.studio.order import Source

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

SIZE = Size(8, 8)
ROOM = 1000


class Crowd:
    """Orders that carry pictures; each has them until it is told to let go."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self.carrier = Carrier(archive, References(), most=ROOM)
        self.carried: dict[str, list[str]] = {}
        self.done: dict[str, asyncio.Event] = {}

    async def sources(self, name: str, sizes: Sequence[int]) -> list[Source]:
        keys = [f"xx/xx{name}-{n}.jpg" for n in range(len(sizes))]
        files = {
            key: bytes([65 + n]) * size
            for n, (key, size) in enumerate(zip(keys, sizes, strict=True))
        }
        await self._archive.put(files)
        return [Source(key, SIZE) for key in keys]

    async def begin(self, name: str, *sizes: int) -> asyncio.Task[None]:
        sources = await self.sources(name, sizes)
        self.done[name] = asyncio.Event()
        return asyncio.create_task(self._carry(name, sources))

    async def _carry(self, name: str, sources: list[Source]) -> None:
        async with self.carrier.carry(sources) as carried:
            self.carried[name] = carried
            await self.done[name].wait()
            del self.carried[name]

    async def until(self, *names: str) -> None:
        async with asyncio.timeout(10):
            while set(self.carried) != set(names):  # noqa: ASYNC110 - it tells nobody
                await asyncio.sleep(0.002)


@pytest.fixture
async def crowd(tmp_path: Path) -> AsyncIterator[Crowd]:
    async with Archive.open(str(tmp_path)) as archive:
        await archive.check()
        yield Crowd(archive)


async def test_pictures_come_in_their_order(crowd: Crowd) -> None:
    sources = await crowd.sources("a", (3, 1, 2))
    async with crowd.carrier.carry(sources) as carried:
        assert [b64decode(uri.partition(",")[2]) for uri in carried] == [b"AAA", b"B", b"CC"]
    async with crowd.carrier.carry([]) as carried:
        assert carried == []


async def test_what_finds_no_room_waits_for_it(crowd: Crowd) -> None:
    tasks = [await crowd.begin(name, 200, 200) for name in "ab"]
    await crowd.until("a", "b")
    tasks.append(await crowd.begin("c", 300))
    tasks.append(await crowd.begin("d", 200))
    await crowd.until("a", "b", "d")
    crowd.done["a"].set()
    await crowd.until("b", "c", "d")
    for done in crowd.done.values():
        done.set()
    await asyncio.gather(*tasks)


async def test_what_is_larger_than_all_the_room_goes_alone(crowd: Crowd) -> None:
    tasks = [await crowd.begin("a", 1), await crowd.begin("b", 5 * ROOM)]
    await crowd.until("a")
    crowd.done["a"].set()
    await crowd.until("b")
    tasks.append(await crowd.begin("c", 1))
    await asyncio.sleep(0.02)
    assert set(crowd.carried) == {"b"}
    crowd.done["b"].set()
    await crowd.until("c")
    crowd.done["c"].set()
    await asyncio.gather(*tasks)


async def test_room_comes_back_from_who_fails_or_is_cancelled(crowd: Crowd) -> None:
    full = await crowd.begin("a", ROOM)
    await crowd.until("a")
    waiting = await crowd.begin("b", ROOM)
    await asyncio.sleep(0.02)
    waiting.cancel()
    full.cancel()
    await asyncio.gather(waiting, full, return_exceptions=True)
    crowd.carried.clear()
    with pytest.raises(PictureMissing):
        async with crowd.carrier.carry([Source("xx/xxgone-1.jpg", SIZE)]):
            pass
    last = await crowd.begin("c", ROOM)
    await crowd.until("c")
    crowd.done["c"].set()
    await last
