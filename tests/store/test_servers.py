"""What a server has decided for itself."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from store_samples import NOON, SERVER

from bot.store import servers
from bot.store.database import Database
from bot.store.schema import Editors
from bot.store.schema import servers as table


@pytest.fixture
def connection(steps):
    return steps.connection


def test_everyone_edits_where_nothing_was_decided(connection, steps):
    assert servers.editors_in(connection, SERVER) is Editors.EVERYONE, "of a server never seen"
    steps.waiting(1)
    assert servers.editors_in(connection, SERVER) is Editors.EVERYONE, "of one that was met"


@pytest.mark.parametrize("met", [False, True], ids=["never seen", "met before"])
def test_a_decision_holds_until_the_next(connection, met):
    if met:
        connection.execute(table.insert(), {"id": SERVER, "first_seen_at": NOON - 5})
    for editors in (Editors.AUTHOR, Editors.AUTHOR, Editors.EVERYONE):
        servers.let_edit(connection, SERVER, editors, NOON)
        assert servers.editors_in(connection, SERVER) is editors
    [row] = connection.execute(select(table))
    assert row.first_seen_at == (NOON - 5 if met else NOON), "when it was met is not rewritten"


def test_each_server_decides_for_itself(connection):
    servers.let_edit(connection, SERVER, Editors.AUTHOR, NOON)
    assert servers.editors_in(connection, SERVER + 1) is Editors.EVERYONE


def test_a_decision_outlives_what_is_painted_after_it(connection, steps):
    servers.let_edit(connection, SERVER, Editors.AUTHOR, NOON)
    steps.waiting(1)
    assert servers.editors_in(connection, SERVER) is Editors.AUTHOR


async def test_it_outlives_the_process(url):
    async with Database.open(url) as database:
        await database.write(servers.let_edit, SERVER, Editors.AUTHOR, NOON)
    async with Database.open(url) as database:
        assert await database.read(servers.editors_in, SERVER) is Editors.AUTHOR


def test_the_table_takes_no_other_word(connection):
    with pytest.raises(IntegrityError, match="ck_servers_editors"):
        connection.exec_driver_sql(
            "INSERT INTO servers (id, first_seen_at, editors) VALUES (1, 0, 'nobody')"
        )
