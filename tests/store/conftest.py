"""A database of one's own, with the newest schema."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import StaticPool, create_engine, event
from store_steps import Steps

from bot.store import migrate
from bot.store.database import Database

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from sqlalchemy import Connection, Engine


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "easel.db"


@pytest.fixture
def url(file: Path) -> str:
    return f"sqlite+aiosqlite:///{file}"


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    async with Database.open(url) as opened:
        yield opened


@pytest.fixture
def engine() -> Iterator[Engine]:
    """The tables in memory, for the thousands of steps of a state machine."""
    engine = create_engine(
        "sqlite://", poolclass=StaticPool, connect_args={"isolation_level": None}
    )

    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    def connect(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute("PRAGMA foreign_keys = ON")
        # What comes in an order by chance alone comes in the other one here.
        connection.execute("PRAGMA reverse_unordered_selects = ON")

    event.listen(engine, "begin", begin)
    event.listen(engine, "connect", connect)
    with engine.begin() as connection:
        migrate.to_newest(connection)
    yield engine
    engine.dispose()


@pytest.fixture
def steps(engine: Engine) -> Iterator[Steps]:
    with engine.begin() as connection:
        yield Steps(connection)
