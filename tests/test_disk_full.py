"""Full disks, from the command to the picture: new work is refused, and nothing is lost."""

from __future__ import annotations

import asyncio
import resource
import shutil
import sqlite3
import subprocess
import time
from contextlib import asynccontextmanager, closing, contextmanager, suppress
from typing import TYPE_CHECKING, Any, Protocol

import pytest
from discord.http import HTTPClient
from sqlalchemy import update
from world import open_world

from bot.app import open_easel
from bot.errors import EaselError
from bot.store.schema import generations

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator
    from pathlib import Path

    from world import Log, World

    from bot.client import Easel

REFUSED = "I can't write anything down just now"
_BLOCK = bytes(4096)


class Disk(Protocol):
    """Where the database and the archive are."""

    folder: Path

    async def fill(self, easel: Easel) -> None: ...
    async def free(self, easel: Easel) -> None: ...


class SmallDisk:
    """One of a few megabytes, which a large file fills to the last."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    async def fill(self, easel: Easel) -> None:  # noqa: ARG002 - see Disk
        if (database := self.folder / "easel.db").exists():
            # What its log has room for within itself needs no more of the disk.
            with closing(sqlite3.connect(database)) as other:
                other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        with (self.folder / "ballast").open("wb", buffering=0) as file, suppress(OSError):
            while file.write(_BLOCK):
                pass

    async def free(self, easel: Easel) -> None:  # noqa: ARG002 - see Disk
        (self.folder / "ballast").unlink(missing_ok=True)


class NoFileGrows:
    """Any disk, and a limit of the system's on what may be written; it takes no rights."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._before = resource.getrlimit(resource.RLIMIT_FSIZE)

    async def fill(self, easel: Easel) -> None:  # noqa: ARG002 - see Disk
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, self._before[1]))

    async def free(self, easel: Easel) -> None:  # noqa: ARG002 - see Disk
        resource.setrlimit(resource.RLIMIT_FSIZE, self._before)


class ReadOnly:
    """Any disk, and a database that takes nothing more; the archive does."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    async def fill(self, easel: Easel) -> None:
        await easel._database._writer.execute("PRAGMA query_only = 1")

    async def free(self, easel: Easel) -> None:
        await easel._database._writer.execute("PRAGMA query_only = 0")


@contextmanager
def small_disk(folder: Path) -> Generator[SmallDisk]:
    mount, umount = shutil.which("mount"), shutil.which("umount")
    if mount is None or umount is None:
        pytest.skip("this system mounts otherwise")
    folder.mkdir()
    size = ["-t", "tmpfs", "-o", "size=8m", "tmpfs", str(folder)]
    if subprocess.run([mount, *size], capture_output=True, check=False).returncode:
        pytest.skip("to mount a disk takes rights that this process does not have")
    try:
        yield SmallDisk(folder)
    finally:
        subprocess.run([umount, str(folder)], check=True)


@pytest.fixture(params=["small disk", "no file grows", "read-only"])
def disk(request: pytest.FixtureRequest, tmp_path: Path) -> Generator[Disk]:
    match request.param:
        case "no file grows":
            yield NoFileGrows(tmp_path)
        case "read-only":
            yield ReadOnly(tmp_path)
        case _:
            with small_disk(tmp_path / "disk") as mounted:
                yield mounted


@asynccontextmanager
async def full(disk: Disk, world: World) -> AsyncGenerator[None]:
    await disk.fill(world.client)
    try:
        yield
    finally:
        await disk.free(world.client)


async def until(condition: Any) -> None:
    ends = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < ends, "it never came to that"
        await asyncio.sleep(0.01)


async def a_lease_later(world: World) -> None:
    """Whoever works on nothing has let go of it by then."""
    over = update(generations).where(generations.c.lease_until.is_not(None))
    at = over.values(lease_until=time.time() - 1)
    await world.client._database.write(lambda connection: connection.execute(at))
    await world.env.advance_time(30)


async def check_books(world: World, delivered: int) -> None:
    usage = await world.usage(world.ann)
    assert (usage.day_used, usage.day_reserved, usage.waiting) == (delivered, 0, 0)
    settled = [entry.pictures for entry in await world.ledger() if entry.entry == "settle"]
    assert sum(settled) == delivered
    assert len(world.results()) == delivered


async def test_new_work_is_refused_until_there_is_room(log: Log, disk: Disk) -> None:
    async with open_world(disk.folder) as world:
        await world.imagine(count=1)
        async with full(disk, world):
            for _ in range(2):
                refused = await world.imagine(count=1)
                assert refused.ephemeral
                assert REFUSED in refused.response.content
            page = await world.ann.slash(world.channel, "history")
            assert "red fox" in page.response.content, "what is there can be read"
        assert len(await world.generations()) == 1
        assert world.painter.renders == 1
        await world.imagine(count=1)
        await check_books(world, delivered=2)
    log.check()


async def test_what_is_being_painted_is_painted_when_there_is_room(log: Log, disk: Disk) -> None:
    async with open_world(disk.folder) as world:
        world.painter.terms.pace = 0.2
        asked = asyncio.create_task(world.imagine(count=1))
        await until(lambda: world.painter.records.in_flight == 1)
        async with full(disk, world):
            await until(lambda: "archive.full" in log.text or "generation.stuck" in log.text)
            await asked
        [row] = await world.generations()
        assert (row.state, row.failure) == ("painting", None), "nothing could be written down"
        await a_lease_later(world)
        [row] = await world.generations()
        assert row.state == "delivered"
        await check_books(world, delivered=1)


async def test_what_was_posted_is_not_posted_again_when_there_is_room(
    log: Log, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    post = HTTPClient.send_message

    async with open_world(disk.folder) as world:

        async def post_and_fill(*args: Any, **kwargs: Any) -> Any:
            answer = await post(*args, **kwargs)
            await disk.fill(world.client)
            return answer

        monkeypatch.setattr(HTTPClient, "send_message", post_and_fill)
        try:
            await world.imagine(count=1)
            await until(lambda: "generation.stuck" in log.text)
        finally:
            await disk.free(world.client)
        [row] = await world.generations()
        assert row.state == "painted", "it is posted, and that could not be written down"
        monkeypatch.setattr(HTTPClient, "send_message", post)
        await a_lease_later(world)
        assert [row.state for row in await world.generations()] == ["delivered"]
        await check_books(world, delivered=1)


@asynccontextmanager
async def full_archive(log: Log, tmp_path: Path) -> AsyncGenerator[tuple[World, SmallDisk]]:
    """Met by what is being painted, while two others wait in line."""
    with small_disk(tmp_path / "disk") as disk:
        async with open_world(tmp_path, archive_url=disk.folder, max_concurrent_calls=1) as world:
            work = world.client.studio._work
            room, work._room = work._room, lambda: 0
            for _ in range(2):
                await world.imagine(count=1)
            await disk.fill(world.client)
            work._room = room
            await world.imagine(count=1)
            await until(lambda: "archive.full" in log.text)
            yield world, disk


async def states(world: World) -> list[str]:
    return [row.state for row in await world.generations()]


async def check_refused(world: World) -> None:
    before = len(await world.generations())
    refused = await world.imagine(count=1)
    assert refused.ephemeral
    assert REFUSED in refused.response.content
    assert len(await world.generations()) == before


async def test_a_full_archive_is_waited_for_with_what_is_painted(log: Log, tmp_path: Path) -> None:
    async with full_archive(log, tmp_path) as (world, disk):
        assert await states(world) == ["painting", "waiting", "waiting"]
        await check_refused(world)
        await disk.free(world.client)
        await world.env.advance_time(20)
        await world.env.settle()
        assert await states(world) == ["delivered"] * 3
        assert world.painter.renders == 3, "nothing is painted twice"
        await world.imagine(count=1)
        await check_books(world, delivered=4)
    log.check()


async def test_an_archive_that_stays_full_costs_nobody_anything(log: Log, tmp_path: Path) -> None:
    async with full_archive(log, tmp_path) as (world, disk):
        # In steps, since each of them may take only seconds of real time.
        for _ in range(24):
            await world.env.advance_time(15)
        assert await states(world) == ["failed", "waiting", "waiting"]
        await check_refused(world)
        assert world.painter.renders == 1, "what waits in line is not painted for nothing"
        await disk.free(world.client)
        await world.env.advance_time(20)
        await world.env.settle()
        assert await states(world) == ["failed", "delivered", "delivered"]
        await check_books(world, delivered=2)
    log.check()


async def test_a_start_on_a_full_disk_says_so_and_loses_nothing(tmp_path: Path) -> None:
    disk = NoFileGrows(tmp_path)
    async with open_world(tmp_path) as world:
        await world.imagine(count=1)
        await world.house.aclose()
        async with full(disk, world):
            with pytest.raises(EaselError, match="can't write"):
                async with open_easel(world.settings):
                    pass
        async with open_easel(world.settings) as easel:
            assert (await easel.studio.usage(world.ann.id)).today == 1
