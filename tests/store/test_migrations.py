"""The migrations lead to the tables of schema.py, and a start is safe at any of their steps."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, StaticPool, create_engine, event, inspect

from bot.store import facts, migrate
from bot.store.database import Database
from bot.store.schema import metadata

OURS = sorted(metadata.tables)


def alembic(connection=None):
    config = Config()
    config.set_main_option("script_location", str(Path(migrate.__file__).with_name("migrations")))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def shape(connection):
    """What SQLite itself says of the tables, whatever way they were made."""
    inspector = inspect(connection)
    found = {}
    for name in OURS:
        kinds = connection.exec_driver_sql(f"PRAGMA table_list('{name}')").mappings().one()
        indexes = connection.exec_driver_sql(
            "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = ?", (name,)
        )
        found[name] = {
            "strict": kinds["strict"],
            "columns": {
                column["name"]: (column["type"], column["notnull"], column["pk"])
                for column in connection.exec_driver_sql(f"PRAGMA table_info('{name}')").mappings()
            },
            "checks": {c["name"]: c["sqltext"] for c in inspector.get_check_constraints(name)},
            "unique": {
                c["name"]: c["column_names"] for c in inspector.get_unique_constraints(name)
            },
            "points to": {
                c["name"]: (c["constrained_columns"], c["referred_table"], c["referred_columns"])
                for c in inspector.get_foreign_keys(name)
            },
            "indexes": {row.name: row.sql for row in indexes if row.sql},
        }
    return found


@pytest.fixture
def migrated(engine):
    with engine.connect() as connection:
        yield connection


@pytest.fixture
def created():
    """The tables as schema.py tells them, without a migration."""
    engine = create_engine("sqlite://", poolclass=StaticPool)
    with engine.connect() as connection:
        metadata.create_all(connection)
        yield connection
    engine.dispose()


def test_up_from_nothing_is_the_schema(migrated, created):
    differences = compare_metadata(
        MigrationContext.configure(migrated, opts={"compare_type": True}), metadata
    )
    assert differences == []
    migrated_shape, created_shape = shape(migrated), shape(created)
    for name in OURS:
        assert migrated_shape[name] == created_shape[name], f"the table {name} differs"


def test_sqlite_holds_the_types_and_rules(migrated):
    """What a comparison of two wrongs would pass over."""
    found = shape(migrated)
    assert {name for name in OURS if not found[name]["strict"]} == set(), "not STRICT"
    assert set(found["people"]["checks"]) >= {
        "ck_people_day_limit",
        "ck_people_day_reserved",
        "ck_people_day_used",
        "ck_people_minute_used",
        "ck_people_waiting",
    }
    assert "WHERE ended_at IS NULL" in found["generations"]["indexes"]["ix_generations_open"]
    assert "WHERE entry != 'reserve'" in found["ledger"]["indexes"]["uq_ledger_ended"]


def test_there_is_one_newest_schema():
    assert len(ScriptDirectory.from_config(alembic()).get_heads()) == 1


def test_down_leaves_nothing_and_up_again_all(engine):
    with engine.begin() as connection:
        before = shape(connection)
        command.downgrade(alembic(connection), "base")
        left = inspect(connection).get_table_names()
        assert left == ["alembic_version"]
    with engine.begin() as connection:
        migrate.to_newest(connection)
        assert shape(connection) == before


def test_twice_is_harmless(engine):
    with engine.begin() as connection:
        facts.remember(connection, "kept", "1")
        before = shape(connection)
    with engine.begin() as connection:
        migrate.to_newest(connection)
    with engine.begin() as connection:
        assert shape(connection) == before
        assert facts.recall(connection, "kept") == "1"


class Broken(Exception):
    pass


class BreakAt:
    """Breaks off before the CREATE statement of a number; counts them all."""

    def __init__(self, number):
        self.number, self.seen = number, 0

    def __call__(self, _connection, _cursor, statement, *_):
        self.seen += statement.lstrip().startswith("CREATE")
        if self.seen == self.number:
            raise Broken

    def __enter__(self):
        event.listen(Engine, "before_cursor_execute", self)
        return self

    def __exit__(self, *_):
        event.remove(Engine, "before_cursor_execute", self)


async def test_broken_off_before_any_statement_it_leaves_nothing_and_restarts(tmp_path):
    url = f"sqlite+aiosqlite:///{tmp_path}/counted.db"
    with BreakAt(None) as counted:
        async with Database.open(url):
            pass
    assert counted.seen > len(OURS)
    for number in range(1, counted.seen + 1):
        file = tmp_path / f"{number}.db"
        url = f"sqlite+aiosqlite:///{file}"
        with BreakAt(number), pytest.raises(Broken):
            async with Database.open(url):
                pass
        with closing(sqlite3.connect(file)) as connection:
            left = connection.execute("SELECT name FROM sqlite_master").fetchall()
        assert left == [], f"broken off before statement {number}, it left {left}"
        async with Database.open(url) as database:
            await database.write(facts.remember, "a", "b")
