"""Orders that wait for a yes, which is said once, in time, and by the one who wrote them."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import func, select
from store_samples import NOON, PERSON, ROOMY, new_generation

from bot.store import drafts, generations
from bot.store.database import Database
from bot.store.generations import Accepted, NewSource, OverLimit, Replayed
from bot.store.people import DAY_S, Limits
from bot.store.schema import drafts as table
from bot.store.schema import sources

REQUEST = '{"prompt": "a {red|blue} fox"}'
OTHER = PERSON + 1


@pytest.fixture
def connection(steps):
    return steps.connection


@pytest.fixture
def draft(connection) -> str:
    assert drafts.keep(connection, "d1", PERSON, REQUEST, NOON) == []
    return "d1"


def say_yes(connection, draft_id, number=1, *, now=NOON + 5, limits=ROOMY, **changed):
    return drafts.accept(connection, draft_id, new_generation(number, **changed), limits, now)


def kept(connection):
    return connection.scalars(select(table.c.id).order_by(table.c.id)).all()


def test_a_draft_is_found_by_the_one_who_wrote_it(connection, draft):
    assert drafts.find(connection, draft, PERSON, NOON + 5) == REQUEST
    assert drafts.find(connection, draft, PERSON, NOON + 5) == REQUEST, "to look takes nothing"
    assert drafts.find(connection, draft, OTHER, NOON + 5) is None
    assert drafts.find(connection, "d2", PERSON, NOON + 5) is None
    assert drafts.owner_of(connection, draft) == PERSON
    assert drafts.owner_of(connection, "d2") is None


def test_a_draft_is_taken_once_and_by_nobody_else(connection, draft):
    assert drafts.take(connection, draft, OTHER, NOON + 5) is None
    assert drafts.take(connection, draft, PERSON, NOON + 5) == REQUEST
    assert drafts.take(connection, draft, PERSON, NOON + 5) is None
    assert kept(connection) == []


def test_of_many_drafts_the_oldest_give_way(connection):
    for number in range(12):
        # Two come in every second: which of those gives way is all the same.
        gone = drafts.keep(connection, f"d{number:02}", PERSON, REQUEST, NOON + number // 2)
        assert [request for _, request in gone] == [REQUEST] * (number > 9)
        drafts.keep(connection, f"other-{number}", OTHER + number, REQUEST, NOON)
    left = [draft_id for draft_id in kept(connection) if draft_id.startswith("d")]
    assert len(left) == 10
    assert left[1:] == [f"d{number:02}" for number in range(3, 12)]
    assert len(kept(connection)) == 10 + 12, "others' stay"


@pytest.mark.parametrize(("after_s", "there"), [(DAY_S, True), (DAY_S + 1, False)])
def test_a_draft_waits_for_a_day(connection, draft, after_s, there):
    now = NOON + after_s
    assert (drafts.find(connection, draft, PERSON, now) is not None) == there
    accepted = say_yes(connection, draft, now=now)
    assert isinstance(accepted, Accepted) == there
    assert (drafts.take(connection, draft, PERSON, now) is not None) is False, "answered, or over"


def test_what_nobody_came_back_to_goes_when_the_next_is_kept(connection, draft):
    drafts.keep(connection, "d2", OTHER, "{}", NOON + DAY_S)
    assert kept(connection) == ["d1", "d2"], "a day to the second is not over a day"
    gone = drafts.keep(connection, "d3", OTHER, "{}", NOON + DAY_S + 1)
    assert gone == [(draft, REQUEST)], "with what its pictures are found by"
    assert kept(connection) == ["d2", "d3"]


def test_a_yes_makes_a_generation_of_it(connection, draft):
    given = [NewSource(1, "d1-11.png", None, None)]
    accepted = drafts.accept(connection, draft, new_generation(1), ROOMY, NOON + 5, sources=given)
    assert isinstance(accepted, Accepted)
    assert accepted.row.created_at == NOON + 5
    assert connection.scalars(select(sources.c.key)).all() == ["d1-11.png"]
    assert kept(connection) == []


def test_a_second_yes_makes_nothing(connection, steps, draft):
    say_yes(connection, draft)
    before = steps.usage(), steps.ledger()
    assert say_yes(connection, draft, 2) is None
    assert (steps.usage(), steps.ledger()) == before
    assert steps.get(new_generation(2).id) is None


def test_the_same_yes_told_again_is_the_same_generation(connection, draft):
    first = say_yes(connection, draft)
    again = say_yes(connection, draft)
    assert isinstance(again, Replayed)
    assert again.row.id == first.row.id


def test_somebody_elses_yes_makes_nothing_and_takes_nothing(connection, steps, draft):
    assert say_yes(connection, draft, person_id=OTHER) is None
    assert steps.get(new_generation(1).id) is None
    assert kept(connection) == [draft]


def test_a_draft_stays_where_a_limit_has_no_room(connection, draft):
    narrow = Limits(per_day=3, per_minute=100, waiting=100)
    assert isinstance(say_yes(connection, draft, limits=narrow), OverLimit)
    assert kept(connection) == [draft]
    assert isinstance(say_yes(connection, draft), Accepted), "and can be said yes to later"


async def test_of_many_presses_at_once_one_is_a_yes(url):
    """Two databases on one file stand for two processes."""
    async with Database.open(url) as one, Database.open(url) as other:
        await one.write(drafts.keep, "d1", PERSON, REQUEST, NOON)
        presses = [
            database.write(drafts.accept, "d1", new_generation(number), ROOMY, NOON + 5)
            for number, database in enumerate((one, other) * 10)
        ]
        answers = await asyncio.gather(*presses)
        waiting = await one.read(generations.count_open)
        left = await one.read(lambda c: c.scalar(select(func.count()).select_from(table)))
    assert sum(isinstance(answer, Accepted) for answer in answers) == 1
    assert sum(answer is None for answer in answers) == 19
    assert (waiting.waiting, left) == (1, 0)
