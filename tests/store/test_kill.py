"""kill -9 of the process that writes, at whatever moment it comes."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

import bot
from bot.store.database import Database
from bot.store.schema import metadata

HOUSE = Path(bot.__file__).parents[1]

#: Four writers at once; each says a pair's name when, and not before, it is acknowledged.
WRITING = """
import asyncio, sys
from bot.store import facts
from bot.store.database import Database

def remember_pair(connection, name):
    facts.remember(connection, f"{name} left", "x" * 2000)
    facts.remember(connection, f"{name} right", "x" * 2000)

async def write(database, lane):
    for number in range(100_000):
        name = f"{sys.argv[2]}-{lane}-{number}"
        await database.write(remember_pair, name)
        print(name, flush=True)

async def main():
    async with Database.open(sys.argv[1]) as database:
        await asyncio.gather(*(write(database, lane) for lane in range(4)))

asyncio.run(main())
"""

#: Dies before the statement of a migration that is given by its number.
MIGRATING = """
import asyncio, os, signal, sys
from sqlalchemy import Engine, event
from bot.store.database import Database

left = int(sys.argv[2])

@event.listens_for(Engine, "before_cursor_execute")
def count(connection, cursor, statement, *_):
    global left
    left -= statement.lstrip().startswith("CREATE")
    if left <= 0:
        os.kill(os.getpid(), signal.SIGKILL)

async def main():
    async with Database.open(sys.argv[1]):
        pass

asyncio.run(main())
"""


def start(program, *arguments):
    return subprocess.Popen(
        [sys.executable, "-c", program, *arguments],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(HOUSE)},
    )


def test_no_acknowledged_write_is_lost_or_half(url, file):
    acknowledged = []
    for life, enough in enumerate((1, 40, 150)):
        with start(WRITING, url, str(life)) as child:
            for line in child.stdout:
                acknowledged.append(line.strip())
                if len(acknowledged) >= enough:
                    child.kill()
                    break
            acknowledged += child.stdout.read().split()
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        there = {name for (name,) in connection.execute("SELECT name FROM facts")}
    assert len(acknowledged) >= 150
    for name in acknowledged:
        assert f"{name} left" in there, f"{name} was acknowledged and is lost"
    for name in there:
        pair, _side = name.rsplit(" ", 1)
        assert {f"{pair} left", f"{pair} right"} <= there, f"{pair} is half there"


@pytest.mark.parametrize("statement", [1, 5, 10])
async def test_a_migration_killed_in_the_middle_restarts(url, file, statement):
    with start(MIGRATING, url, str(statement)) as child:
        child.wait()
    assert child.returncode == -signal.SIGKILL, "it was not killed: are there fewer statements?"
    with closing(sqlite3.connect(file)) as connection:
        left = connection.execute("SELECT name FROM sqlite_master").fetchall()
    assert left == [], "half a schema is left"
    async with Database.open(url) as database:
        for table in metadata.sorted_tables:
            rows = await database.read(lambda reader, t=table: reader.execute(t.select()).all())
            assert rows == []
