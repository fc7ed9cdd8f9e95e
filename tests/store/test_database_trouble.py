"""When the disk, the file or another process stands in the way."""

from __future__ import annotations

import asyncio
import resource
import sqlite3
import threading
import traceback
from contextlib import closing, contextmanager

import pytest
from store_samples import CANARY, NOON, ROOMY, new_generation

from bot.errors import StoreUnavailable
from bot.store import database as store
from bot.store import facts, generations
from bot.store.database import Database


@contextmanager
def no_file_may_grow(*files):
    """As on a full disk: what is written beyond the size of the largest file fails."""
    size = max(file.stat().st_size for file in files)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def pragma(connection, text):
    result = connection.exec_driver_sql(f"PRAGMA {text}")
    return result.scalar() if result.returns_rows else None


async def test_a_full_disk_refuses_new_work_and_loses_none(database, file):
    await database.write(facts.remember, "before", "1")
    with no_file_may_grow(*file.parent.iterdir()):
        for _ in range(2):
            with pytest.raises(StoreUnavailable) as raised:
                await database.write(facts.remember, "large", "x" * 1_000_000)
        assert raised.value.operator == "The database says: disk I/O error"
        assert await database.read(facts.recall, "before") == "1"
    await database.write(facts.remember, "after", "1")
    assert await database.read(facts.recall, "after") == "1", "room again, but no use of it"
    assert await database.read(facts.recall, "large") is None


async def test_in_a_full_database_whoever_is_told_yes_is_written_down(database):
    """In one batch SQLite may drop the transaction under those who went before."""
    pages = await database.write(pragma, "page_count")
    await database.write(pragma, f"max_page_count = {pages + 20}")
    sizes = [10, 10, 30_000, 10, 10_000_000, 10, 30_000, 30_000, 10, 10]
    outcomes = await asyncio.gather(
        *(database.write(facts.remember, str(n), "x" * size) for n, size in enumerate(sizes)),
        return_exceptions=True,
    )
    for number, outcome in enumerate(outcomes):
        there = await database.read(facts.recall, str(number)) is not None
        assert there == (outcome is None), f"{number} was told {outcome!r}, there: {there}"
    refusals = [outcome for outcome in outcomes if outcome is not None]
    assert refusals, "ten megabytes found room"
    for refusal in refusals:
        assert isinstance(refusal, StoreUnavailable)
        assert refusal.operator == "The database says: database or disk is full"


async def test_a_read_only_database_refuses_new_work(database):
    await database.write(facts.remember, "before", "1")
    await database.write(pragma, "query_only = 1")
    with pytest.raises(StoreUnavailable) as raised:
        await database.write(facts.remember, "after", "1")
    assert raised.value.operator == "The database says: attempt to write a readonly database"
    assert await database.read(facts.recall, "before") == "1"


async def test_a_database_locked_by_another_process_refuses_new_work(monkeypatch, url, file):
    monkeypatch.setattr(store, "_BUSY_TIMEOUT_S", 0.05)
    async with Database.open(url) as database:
        with closing(sqlite3.connect(file, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StoreUnavailable, match="I can't write") as raised:
                await database.write(facts.remember, "name", "while locked")
            assert raised.value.operator == "The database says: database is locked"
            assert await database.read(facts.recall, "name") is None
            other.execute("ROLLBACK")
        await database.write(facts.remember, "name", "after")
        assert await database.read(facts.recall, "name") == "after"


def overwrite(file, pages):
    """Nonsense in place of some pages, counted from 1 as SQLite does."""
    size = 4096
    with file.open("r+b") as opened:
        for page in pages:
            opened.seek((page - 1) * size)
            opened.write(b"\xa5" * size)


async def test_a_corrupt_table_is_told_and_hinders_no_other(url, file):
    async with Database.open(url):
        pass
    with closing(sqlite3.connect(file)) as connection:
        found = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'facts'")
        (page,) = found.fetchone()
    overwrite(file, [page])
    async with Database.open(url) as database:
        with pytest.raises(StoreUnavailable) as raised:
            await database.write(facts.remember, "name", "value")
        assert raised.value.operator == "The database says: database disk image is malformed"
        with pytest.raises(StoreUnavailable):
            await database.read(lambda reader: reader.exec_driver_sql("SELECT * FROM facts").all())
        await database.write(generations.accept, new_generation(1), ROOMY, NOON)


def _nonsense(file):
    file.write_bytes(b"no database at all " * 1000)


def _folder_is_a_file(file):
    file.parent.rmdir()
    file.parent.write_bytes(b"")


def _corrupt(file):
    asyncio.run(_make(file))
    overwrite(file, range(2, 1 + file.stat().st_size // 4096))


async def _make(file):
    async with Database.open(f"sqlite+aiosqlite:///{file}"):
        pass


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (_nonsense, "file is not a database"),
        (_corrupt, "database disk image is malformed"),
        (lambda file: file.mkdir(), "unable to open database file"),
        (_folder_is_a_file, "File exists"),
    ],
    ids=["nonsense", "corrupt", "a folder", "folder is a file"],
)
def test_what_cannot_be_opened_is_told_and_leaves_nothing_open(tmp_path, spoil, said):
    file = tmp_path / "data" / "easel.db"
    file.parent.mkdir()
    spoil(file)
    before = set(threading.enumerate())
    with pytest.raises(StoreUnavailable) as raised:
        asyncio.run(_make(file))
    assert said in (raised.value.operator or "")
    for thread in set(threading.enumerate()) - before:
        thread.join(timeout=5)
        assert not thread.is_alive(), "a connection's thread lives on"


def _binds_no_type(connection):
    facts.remember(connection, CANARY, object())  # type: ignore[arg-type]


def _is_too_large(connection):
    changed = new_generation(2, channel_id=2**80)
    generations.accept(connection, changed, ROOMY, NOON)


def _is_there_already(connection):
    generations.accept(connection, new_generation(1, interaction_id=9), ROOMY, NOON)


def _breaks_a_rule(connection):
    generations.accept(connection, new_generation(2, wanted=9), ROOMY, NOON)


def _has_the_wrong_type(connection):
    generations.accept(connection, new_generation(2, file_limit="ten"), ROOMY, NOON)


def _has_no_room(connection):
    pragma(connection, f"max_page_count = {pragma(connection, 'page_count')}")
    for number in range(1000):
        generations.accept(connection, new_generation(100 + number), ROOMY, NOON)


@pytest.mark.parametrize(
    "work",
    [
        _binds_no_type,
        _is_too_large,
        _is_there_already,
        _breaks_a_rule,
        _has_the_wrong_type,
        _has_no_room,
    ],
)
async def test_no_error_carries_a_parameter(database, work):
    await database.write(generations.accept, new_generation(1), ROOMY, NOON)
    with pytest.raises(Exception) as raised:  # noqa: PT011 - whatever comes, it is silent
        await database.write(work)
    told = "".join(traceback.format_exception(raised.value))
    told += str(getattr(raised.value, "operator", "")) + repr(raised.value)
    assert CANARY not in told


def test_what_is_written_down_shows_no_token():
    assert CANARY not in repr(new_generation(1)), "a log of it would tell the token"
