"""Allowances, case by case; test_people_machine.py mixes the cases."""

from __future__ import annotations

import asyncio

import pytest
from store_samples import MIDNIGHT, NOON, PERSON, ROOMY

from bot.store import people
from bot.store.database import Database
from bot.store.people import DAY_S, MINUTE_S, Limits, Usage

HOUR_S = 3600
TEN_A_DAY = Limits(per_day=10, per_minute=1000, waiting=1000)
TEN_A_MINUTE = Limits(per_day=1000, per_minute=10, waiting=1000)
TWO_WAITING = Limits(per_day=1000, per_minute=1000, waiting=2)


@pytest.fixture
def connection(engine):
    with engine.begin() as opened:
        yield opened


def reserve(connection, count, limits, now):
    return people.reserve(connection, PERSON, count, limits, now)


def deliver(connection, count, limits, now):
    """Reserved and delivered at once."""
    minute = reserve(connection, count, limits, now)
    assert minute is not None
    people.release(connection, PERSON, reserved=count, used=count, minute_start=minute)


def usage(connection, now):
    return people.usage(connection, PERSON, now)


@pytest.mark.parametrize(
    ("limits", "count", "granted"),
    [
        (Limits(per_day=100, per_minute=1000, waiting=1000), 1, 100),
        (Limits(per_day=100, per_minute=1000, waiting=1000), 3, 33),
        (Limits(per_day=1000, per_minute=50, waiting=1000), 4, 12),
        (Limits(per_day=1000, per_minute=1000, waiting=20), 1, 20),
    ],
    ids=["day", "day, not even", "minute", "waiting"],
)
async def test_many_at_once_get_exactly_the_limit(url, limits, count, granted):
    """Two databases on one file stand for two processes."""
    async with Database.open(url) as one, Database.open(url) as other:
        asked = [
            database.write(people.reserve, PERSON, count, limits, NOON)
            for database in (one, other) * 80
        ]
        answers = await asyncio.gather(*asked)
        used = await one.read(people.usage, PERSON, NOON)
    assert sum(answer is not None for answer in answers) == granted
    assert used.today == used.this_minute == granted * count
    assert used.waiting == granted


def test_one_who_was_never_seen_has_used_nothing(connection):
    assert usage(connection, NOON) == Usage(0, 0, NOON, 0, MIDNIGHT + DAY_S)


def test_people_do_not_share_an_allowance(connection):
    assert people.reserve(connection, 1, 10, TEN_A_DAY, NOON) is not None
    assert people.reserve(connection, 2, 10, TEN_A_DAY, NOON) is not None
    assert people.reserve(connection, 1, 1, TEN_A_DAY, NOON) is None


@pytest.mark.parametrize("limits", [TEN_A_DAY, TEN_A_MINUTE])
def test_a_refund_returns_what_was_reserved(connection, limits):
    deliver(connection, 6, limits, NOON)
    before = usage(connection, NOON)
    minute = reserve(connection, 4, limits, NOON)
    assert reserve(connection, 1, limits, NOON) is None
    people.release(connection, PERSON, reserved=4, used=0, minute_start=minute)
    assert usage(connection, NOON) == before
    assert reserve(connection, 4, limits, NOON) is not None, "the refund cannot be used"


def test_only_what_was_delivered_is_charged(connection):
    minute = reserve(connection, 4, ROOMY, NOON)
    people.release(connection, PERSON, reserved=4, used=3, minute_start=minute)
    assert usage(connection, NOON) == Usage(3, 3, NOON, 0, MIDNIGHT + DAY_S)


def test_a_refund_of_an_earlier_minute_frees_nothing_in_this_one(connection):
    early = reserve(connection, 8, TEN_A_MINUTE, NOON)
    later = NOON + MINUTE_S
    assert reserve(connection, 10, TEN_A_MINUTE, later) == later
    people.release(connection, PERSON, reserved=8, used=0, minute_start=early)
    assert usage(connection, later).this_minute == 10
    assert reserve(connection, 1, TEN_A_MINUTE, later) is None


def test_a_minute_ends_after_sixty_seconds(connection):
    deliver(connection, 10, TEN_A_MINUTE, NOON)
    assert reserve(connection, 1, TEN_A_MINUTE, NOON + MINUTE_S - 0.001) is None
    assert usage(connection, NOON + MINUTE_S - 0.001).this_minute == 10
    assert usage(connection, NOON + MINUTE_S).this_minute == 0
    assert reserve(connection, 10, TEN_A_MINUTE, NOON + MINUTE_S) is not None


def test_a_day_ends_at_midnight(connection):
    deliver(connection, 10, TEN_A_DAY, NOON)
    assert reserve(connection, 1, TEN_A_DAY, MIDNIGHT + DAY_S - 0.001) is None
    assert usage(connection, MIDNIGHT + DAY_S).today == 0
    assert reserve(connection, 10, TEN_A_DAY, MIDNIGHT + DAY_S) is not None


def test_what_is_reserved_over_midnight_counts_on_the_new_day(connection):
    """It will be delivered then, and the day's limit is to hold whatever comes of it."""
    minute = reserve(connection, 4, TEN_A_DAY, MIDNIGHT - 1)
    deliver(connection, 6, TEN_A_DAY, MIDNIGHT + 1)
    assert reserve(connection, 1, TEN_A_DAY, MIDNIGHT + 2) is None
    people.release(connection, PERSON, reserved=4, used=4, minute_start=minute)
    assert usage(connection, MIDNIGHT + 3).today == 10


@pytest.mark.parametrize("back_s", [1, HOUR_S, DAY_S])
def test_a_clock_set_back_and_forward_opens_no_second_day(connection, back_s):
    now = MIDNIGHT + HOUR_S / 2
    deliver(connection, 10, TEN_A_DAY, now)
    assert reserve(connection, 1, TEN_A_DAY, now - back_s) is None, "set back"
    assert usage(connection, now - back_s).today == 10
    assert usage(connection, now - back_s).day_ends_at == MIDNIGHT + DAY_S
    assert reserve(connection, 1, TEN_A_DAY, now) is None, "and forward again"


def test_what_is_used_while_the_clock_is_back_counts_on_the_day_that_had_begun(connection):
    deliver(connection, 6, TEN_A_DAY, MIDNIGHT + HOUR_S / 2)
    deliver(connection, 4, TEN_A_DAY, MIDNIGHT - HOUR_S / 2)
    assert reserve(connection, 1, TEN_A_DAY, MIDNIGHT + HOUR_S / 2) is None, "a second window"
    assert usage(connection, MIDNIGHT + HOUR_S / 2).today == 10


def test_a_clock_that_was_wrong_for_an_hour_opens_no_second_day(connection):
    """Fast before midnight: the new day begins early, and only once."""
    deliver(connection, 10, TEN_A_DAY, MIDNIGHT - HOUR_S / 2)
    deliver(connection, 10, TEN_A_DAY, MIDNIGHT + HOUR_S / 2)
    assert reserve(connection, 1, TEN_A_DAY, MIDNIGHT - HOUR_S / 2) is None, "set right"
    assert reserve(connection, 1, TEN_A_DAY, MIDNIGHT) is None, "a second window"
    assert reserve(connection, 1, TEN_A_DAY, MIDNIGHT + HOUR_S) is None, "a second window"
    assert reserve(connection, 10, TEN_A_DAY, MIDNIGHT + DAY_S) is not None


def test_a_clock_set_back_does_not_shut_the_minute_for_an_hour(connection):
    deliver(connection, 10, TEN_A_MINUTE, NOON)
    assert reserve(connection, 10, TEN_A_MINUTE, NOON - HOUR_S) is not None


def test_only_so_many_wait_at_once(connection):
    minute = reserve(connection, 1, TWO_WAITING, NOON)
    reserve(connection, 1, TWO_WAITING, NOON)
    assert reserve(connection, 1, TWO_WAITING, NOON) is None
    people.release(connection, PERSON, reserved=1, used=1, minute_start=minute)
    assert reserve(connection, 1, TWO_WAITING, NOON) is not None


def test_a_lowered_limit_holds_at_once_and_lets_go_of_what_was_reserved(connection):
    low = Limits(per_day=5, per_minute=5, waiting=1)
    minutes = [reserve(connection, 4, ROOMY, NOON) for _ in range(3)]
    assert reserve(connection, 1, low, NOON) is None
    for minute in minutes:
        people.release(connection, PERSON, reserved=4, used=4, minute_start=minute)
    assert usage(connection, NOON).today == 12
    assert reserve(connection, 1, low, NOON + MINUTE_S) is None
    assert reserve(connection, 5, low, MIDNIGHT + DAY_S) is not None


def test_a_raised_limit_gives_more_the_same_day(connection):
    deliver(connection, 10, TEN_A_DAY, NOON)
    assert reserve(connection, 4, ROOMY, NOON) is not None
    assert usage(connection, NOON).today == 14
