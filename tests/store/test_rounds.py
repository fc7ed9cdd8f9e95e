"""Rounds of votes: who takes one that is due, until when, and what a late word changes."""

from __future__ import annotations

import pytest
from sqlalchemy import event, insert
from store_samples import NOON

from bot.store import rounds
from bot.store.rounds import NewRound
from bot.store.vote_schema import Stage, contests

LEASE_S, TEN_MINUTES_S = 60.0, 600.0


@pytest.fixture
def connection(steps):
    return steps.connection


@pytest.fixture
def opened(connection) -> str:
    """A ballot that has just opened, and is due to be looked at."""
    contest = {column.name: 1 for column in contests.c}
    connection.execute(insert(contests), contest | {"id": "c"})
    rounds.new(connection, NewRound("r", "c", 1, 7))
    times = {"opened_at": NOON, "closes_at": NOON + TEN_MINUTES_S, "due_at": NOON}
    rounds.move(connection, "r", Stage.WAITING, Stage.OPEN, **times)
    return "r"


def take(connection, now: float, **busy):
    return rounds.take_due(connection, now + LEASE_S, now, **busy)


def due_at(connection) -> float | None:
    return rounds.next_due(connection)


def test_one_is_taken_once_until_its_lease_ends(connection, opened):
    assert [row.id for row in take(connection, NOON)] == [opened]
    assert take(connection, NOON + 1) == []
    assert [row.id for row in take(connection, NOON + LEASE_S)] == [opened]


def test_one_that_is_busy_stays_due(connection, opened):
    assert take(connection, NOON, busy=[opened]) == []
    assert [row.id for row in take(connection, NOON)] == [opened]


def test_one_is_put_off_until_it_closes(connection, opened):
    [taken] = take(connection, NOON)
    rounds.put_off(connection, taken, taken.closes_at)
    assert due_at(connection) == NOON + TEN_MINUTES_S
    rounds.put_off(connection, rounds.get(connection, opened), None)
    assert due_at(connection) is None


def test_one_that_was_closed_meanwhile_is_not_put_off(connection, opened):
    [taken] = take(connection, NOON)
    rounds.move(connection, opened, Stage.OPEN, Stage.DECIDED, due_at=NOON + 1)
    rounds.put_off(connection, taken, taken.closes_at)
    assert due_at(connection) == NOON + 1


@pytest.mark.usefixtures("opened")
def test_what_is_due_next_is_read_from_its_index_alone(connection):
    asked = []
    event.listen(connection, "before_cursor_execute", lambda *args: asked.append(args[2]))
    assert rounds.next_due(connection) == NOON
    plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {asked[0]}").all()
    assert [row.detail for row in plan] == [
        "SEARCH rounds USING COVERING INDEX ix_rounds_due_at (due_at>?)"
    ]
