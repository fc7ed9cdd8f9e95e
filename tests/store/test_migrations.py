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
from sqlalchemy import Engine, StaticPool, create_engine, event, inspect, select

from bot.store import facts, migrate
from bot.store.database import Database
from bot.store.schema import generations, metadata, pictures, servers

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
            # Without their names, which SQLAlchemy does not find where a column brought them.
            "points to": sorted(
                (c["constrained_columns"], c["referred_table"], c["referred_columns"])
                for c in inspector.get_foreign_keys(name)
            ),
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


FIRST = """
INSERT INTO people VALUES (7, 0, 0, 0, 2, 100, 0, 0, 1, 9);
INSERT INTO servers VALUES (5, 1.5);
INSERT INTO generations (id, interaction_id, person_id, server_id, request, prompt, wanted, seed,
 private, application_id, channel_id, token_expires_at, may_post, file_limit, state, attempt,
 orphaned, minute_start, created_at, notes)
 VALUES ('posted', 1, 7, 5, '{}', 'a fox', 2, 3, 0, 1, 1, 0, 1, 9, 'painted', 1, 0, 0, 0, '[]'),
 ('private', 2, 7, NULL, '{}', 'a fox', 2, 3, 1, 1, 1, 0, 1, 9, 'painted', 1, 0, 0, 0, '[]');
INSERT INTO pictures VALUES ('posted', 1, 'po/posted-1.jpg', 'image/jpeg', 8, 8, 99, 3);
INSERT INTO ledger VALUES (1, 'posted', 7, 5, 'reserve', 2, 0, 0);
"""


def test_what_the_first_release_stored_is_kept(tmp_path):
    engine = create_engine(f"sqlite:///{tmp_path}/first.db")
    with engine.begin() as connection:
        command.upgrade(alembic(connection), "0001")
    with closing(sqlite3.connect(tmp_path / "first.db")) as first:
        first.executescript(FIRST)
    with engine.begin() as connection:
        migrate.to_newest(connection)
    with engine.connect() as connection:
        picture = connection.execute(select(pictures)).one()
        assert (picture.part, picture.model) == (0, None), "what the generation says holds"
        assert connection.execute(select(servers)).one() == (5, 1.5, "everyone", 1, 0, 0)
        ways = connection.execute(select(generations.c.id, generations.c.way)).all()
        assert dict(map(tuple, ways)) == {"posted": "channel", "private": "response"}
        assert connection.exec_driver_sql("PRAGMA foreign_key_check").all() == []
    engine.dispose()


def test_there_is_no_way_back_and_nothing_is_lost_by_trying(engine):
    with engine.begin() as connection:
        before = shape(connection)
    with pytest.raises(NotImplementedError, match="backup"), engine.begin() as connection:
        command.downgrade(alembic(connection), "0001")
    with engine.begin() as connection:
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
