"""Transactions: whole, apart from one another, and on the disk when they are acknowledged."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import event

from bot.store import database as store
from bot.store import facts
from bot.store.database import Database

PATIENCE_S = 5


async def soon(awaited):
    """Fails, instead of waiting for ever, where nobody answers any more."""
    return await asyncio.wait_for(awaited, PATIENCE_S)


def remember_pair(connection, name):
    """Two rows that only come together."""
    facts.remember(connection, f"{name} left", "1")
    facts.remember(connection, f"{name} right", "1")


def pair(connection, name):
    return [facts.recall(connection, f"{name} {side}") for side in ("left", "right")]


WHOLE, NOTHING = ["1", "1"], [None, None]


class Halfway:
    """A transaction that stops between its two rows until it is let go."""

    def __init__(self, *, fails=False):
        self.reached, self.go, self.fails = threading.Event(), threading.Event(), fails

    def work(self, connection):
        facts.remember(connection, "halfway left", "1")
        self.reached.set()
        assert self.go.wait(PATIENCE_S), "nobody let the transaction go on"
        if self.fails:
            raise RuntimeError("it fails halfway")
        facts.remember(connection, "halfway right", "1")


@asynccontextmanager
async def halfway(database, *, fails=False):
    """A write that is halfway, as a task; let go at the end of the block."""
    half = Halfway(fails=fails)
    task = asyncio.create_task(database.write(half.work))
    assert await asyncio.to_thread(half.reached.wait, PATIENCE_S), "the write did not begin"
    try:
        yield task
    finally:
        half.go.set()
        await asyncio.wait({task})


@pytest.mark.parametrize(("fails", "left"), [(False, WHOLE), (True, NOTHING)])
async def test_a_write_whose_caller_is_cancelled_ends_as_a_whole(database, fails, left):
    async with halfway(database, fails=fails) as task:
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    await soon(database.write(remember_pair, "next"))
    assert await database.read(pair, "halfway") == left, "the cancelled write is half there"
    assert await database.read(pair, "next") == WHOLE, "the next write is not there"


async def test_a_write_cancelled_in_the_queue_disturbs_nobody(database):
    async with halfway(database):
        queued = [asyncio.create_task(database.write(remember_pair, n)) for n in range(9)]
        await asyncio.sleep(0)
        for task in queued[::2]:
            task.cancel()
        await asyncio.sleep(0)
    await soon(asyncio.gather(*queued, return_exceptions=True))
    await database.drain()
    for number, task in enumerate(queued):
        left = await database.read(pair, number)
        allowed = [WHOLE, NOTHING] if task.cancelled() else [WHOLE]
        assert left in allowed, f"write {number} left {left}"


async def test_closing_waits_for_what_was_asked_for(url):
    async with Database.open(url) as database:
        tasks = [asyncio.create_task(database.write(remember_pair, n)) for n in range(200)]
        await asyncio.sleep(0)
    await asyncio.gather(*tasks)
    async with Database.open(url) as database:
        for number in range(200):
            assert await database.read(pair, number) == WHOLE, f"write {number} is lost"


async def test_writers_never_interleave(url):
    """Each adds one to what it read; two databases on one file stand for two processes."""

    def add_one(connection):
        facts.remember(connection, "sum", str(int(facts.recall(connection, "sum") or 0) + 1))

    async with Database.open(url) as one, Database.open(url) as other:
        await asyncio.gather(*(each.write(add_one) for each in (one, other) * 100))
        assert await one.read(facts.recall, "sum") == "200", "an addition was overwritten"


async def test_a_read_neither_waits_for_a_write_nor_sees_it_before_its_end(database):
    async with halfway(database):
        assert await database.read(pair, "halfway") == NOTHING, "a read saw what may yet fail"
    assert await database.read(pair, "halfway") == WHOLE


async def test_a_read_sees_one_moment(database):
    """A write that is acknowledged in the middle of a read stays out of its sight."""
    begun, go = threading.Event(), threading.Event()

    def look_twice(connection):
        first = pair(connection, "new")
        begun.set()
        assert go.wait(PATIENCE_S)
        return first, pair(connection, "new")

    reading = asyncio.create_task(database.read(look_twice))
    assert await asyncio.to_thread(begun.wait, PATIENCE_S)
    await database.write(remember_pair, "new")
    go.set()
    assert await reading == (NOTHING, NOTHING), "the snapshot changed under the reader"
    assert await database.read(pair, "new") == WHOLE


async def test_a_cancelled_read_leaves_the_reader_free(database):
    def slow(connection):
        connection.exec_driver_sql(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)"
            " SELECT max(i) FROM n"
        ).all()

    for _ in range(5):
        reading = asyncio.create_task(database.read(slow))
        await asyncio.sleep(0.001)
        reading.cancel()
    await database.write(remember_pair, "later")
    assert await database.read(pair, "later") == WHOLE


async def test_a_write_that_fails_leaves_nothing(database):
    def breaks(connection):
        remember_pair(connection, "broken")
        raise LookupError("of its own making")

    with pytest.raises(LookupError, match="of its own making"):
        await database.write(breaks)
    await database.write(remember_pair, "next")
    assert await database.read(pair, "broken") == NOTHING
    assert await database.read(pair, "next") == WHOLE


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO facts VALUES ('a', NULL)",
        "INSERT INTO nowhere VALUES (1)",
        "this is no SQL",
        "RAISE",
    ],
)
async def test_one_that_fails_undoes_nothing_but_itself(database, statement):
    def breaks(connection):
        remember_pair(connection, "broken")
        if statement == "RAISE":
            raise LookupError
        connection.exec_driver_sql(statement)

    async with halfway(database):  # so that the others meet in one batch
        writes = [database.write(remember_pair, n) for n in range(6)]
        writes.insert(3, database.write(breaks))
        tasks = [asyncio.create_task(write) for write in writes]
        await asyncio.sleep(0)
    failed = [
        isinstance(o, Exception) for o in await asyncio.gather(*tasks, return_exceptions=True)
    ]
    assert failed == [False, False, False, True, False, False, False]
    assert await database.read(pair, "broken") == NOTHING
    for number in range(6):
        assert await database.read(pair, number) == WHOLE, f"neighbour {number} was undone"


async def test_a_commit_that_fails_is_told_and_ends(database):
    """A deferred constraint is checked by COMMIT itself."""

    def prepare(connection):
        connection.exec_driver_sql("CREATE TABLE parents (id INTEGER PRIMARY KEY)")
        connection.exec_driver_sql(
            "CREATE TABLE children (id REFERENCES parents (id) DEFERRABLE INITIALLY DEFERRED)"
        )

    def orphan(connection):
        remember_pair(connection, "orphan")
        connection.exec_driver_sql("INSERT INTO children VALUES (7)")

    await database.write(prepare)
    with pytest.raises(Exception, match="FOREIGN KEY constraint failed"):
        await soon(database.write(orphan))
    await soon(database.write(remember_pair, "next"))
    assert await database.read(pair, "orphan") == NOTHING
    assert await database.read(pair, "next") == WHOLE, "the failed transaction stayed open"


async def test_writes_that_wait_share_a_commit(database):
    commits = []
    event.listen(database._writer._engine, "commit", commits.append)
    async with halfway(database):
        tasks = [asyncio.create_task(database.write(remember_pair, n)) for n in range(50)]
        await asyncio.sleep(0)
    await asyncio.gather(*tasks)
    assert len(commits) == 2, f"{len(commits)} commits for one write and 50 that waited"


async def test_a_batch_has_an_end(database):
    """One commit for all that ever waits would let the first wait for the last."""
    commits = []
    event.listen(database._writer._engine, "commit", commits.append)
    await asyncio.gather(*(database.write(remember_pair, n) for n in range(3 * store._BATCH)))
    assert len(commits) == 3


async def test_it_keeps_to_what_it_promises_of_the_disk(database, file):
    def pragmas(connection):
        names = ("journal_mode", "synchronous", "foreign_keys")
        return [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in names]

    full = 2
    assert await database.write(pragmas) == ["wal", full, 1]
    assert sqlite3.connect(file).execute("PRAGMA journal_mode").fetchone() == ("wal",)


async def test_it_makes_its_folder(tmp_path):
    async with Database.open(f"sqlite+aiosqlite:///{tmp_path}/new/data/easel.db") as database:
        await database.write(remember_pair, "first")
    assert (tmp_path / "new/data/easel.db").exists()


@pytest.mark.parametrize("error", [OSError("Discord is away"), sqlite3.Error("not ours")])
async def test_errors_of_those_who_use_it_are_not_its_own(url, error):
    with pytest.raises(type(error)) as raised:
        async with Database.open(url):
            raise error
    assert raised.value is error
