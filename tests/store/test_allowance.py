"""What people read when a limit is reached, and whether coming back then helps."""

from __future__ import annotations

import re
from itertools import count

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from store_samples import MIDNIGHT, NOON

from bot.store import people
from bot.store.people import DAY_S, Limits, Usage
from bot.studio.allowance import refusal

LIMITS = Limits(per_day=20, per_minute=8, waiting=3)
TOMORROW = MIDNIGHT + DAY_S


def used(today=0, this_minute=0, minute_start=NOON, waiting=0):
    return Usage(today, this_minute, minute_start, waiting, TOMORROW)


def when(at):
    return f"<t:{int(at)}:R>"


@pytest.mark.parametrize(
    ("usage", "wanted", "said", "free_at"),
    [
        (used(today=20), 1, ["20 pictures", when(TOMORROW)], TOMORROW),
        (used(today=18), 4, ["2 pictures left", "4", "`count`", "20", when(TOMORROW)], TOMORROW),
        (used(today=19), 4, ["1 picture left"], TOMORROW),
        (used(this_minute=8), 1, ["8 pictures a minute", when(NOON + 60)], NOON + 60),
        (used(minute_start=NOON + 0.2, this_minute=8), 1, [when(NOON + 61)], NOON + 60.2),
        (used(waiting=3), 1, ["3 requests under way", "as soon as one of them is done"], None),
    ],
    ids=["day spent", "day short", "one left", "minute spent", "rounded up", "waiting"],
)
def test_a_refusal_says_how_many_and_until_when(usage, wanted, said, free_at):
    told = refusal(usage, LIMITS, wanted)
    for words in said:
        assert words in told.sentence
    assert told.free_at == free_at


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        (Limits(per_day=3, per_minute=8, waiting=3), "3 a day"),
        (Limits(per_day=20, per_minute=3, waiting=3), "3 a minute"),
    ],
)
def test_a_request_above_a_limit_is_told_to_be_smaller_and_not_to_wait(limits, said):
    told = refusal(used(), limits, 4)
    assert "4 pictures" in told.sentence
    assert said in told.sentence
    assert "`count`" in told.sentence
    assert told.free_at is None


def test_what_is_left_of_the_minute_is_said():
    told = refusal(used(this_minute=6), LIMITS, 4)
    assert "2 pictures left" in told.sentence
    assert "`count`" in told.sentence
    assert told.free_at == NOON + 60


@pytest.mark.parametrize("number", [1, 2])
def test_it_speaks_of_one_and_of_many(number):
    limits = Limits(per_day=number, per_minute=number, waiting=number)
    for usage in (used(today=number), used(this_minute=number), used(waiting=number)):
        sentence = refusal(usage, limits, 1).sentence
        assert re.search(r"\b1 \w+s\b", sentence) is None, sentence


ALLOWED = st.builds(
    Limits, per_day=st.integers(1, 8), per_minute=st.integers(1, 6), waiting=st.just(100)
)
#: Seconds until the next request, its pictures, and whether they are delivered.
REQUESTS = st.lists(
    st.tuples(st.sampled_from([0.0, 0.25, 5.0, 30.5, 60.0]), st.integers(1, 4), st.booleans()),
    max_size=6,
)
#: Each example is a new person, so that one database serves them all.
PERSONS = count(1)


def use(connection, person, past, limits, now):
    """Lets a person ask for this and that; returns when the last was asked for."""
    for seconds, pictures, delivered in past:
        now += seconds
        minute = people.reserve(connection, person, pictures, limits, now)
        if minute is not None:
            done = pictures if delivered else 0
            people.release(connection, person, reserved=pictures, used=done, minute_start=minute)
    return now


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    limits=ALLOWED,
    before_midnight=st.sampled_from([10, 90, 3600]),
    past=REQUESTS,
    asked=st.integers(1, 4),
)
@example(
    limits=Limits(per_day=4, per_minute=4, waiting=100),
    before_midnight=10,
    past=[(0.0, 4, True)],
    asked=1,
)
def test_coming_back_when_it_says_does_help(engine, limits, before_midnight, past, asked):
    wanted = min(asked, limits.per_day, limits.per_minute)
    person = next(PERSONS)
    with engine.begin() as connection:
        now = use(connection, person, past, limits, MIDNIGHT - before_midnight)
        if people.reserve(connection, person, wanted, limits, now) is not None:
            return
        told = refusal(people.usage(connection, person, now), limits, wanted)
        assert told.free_at is not None, f"it can be waited for: {told.sentence}"
        assert told.free_at > now, f"free in the past: {told.sentence}"
        assert people.reserve(connection, person, wanted, limits, told.free_at) is not None, (
            f"still refused at the time that was said: {told.sentence}"
        )


@example(per_day=4, per_minute=1, today=4, this_minute=0, waiting=0)
@given(
    per_day=st.integers(1, 4),
    per_minute=st.integers(1, 4),
    today=st.integers(0, 4),
    this_minute=st.integers(0, 4),
    waiting=st.integers(0, 3),
)
def test_what_can_never_be_is_not_waited_for(per_day, per_minute, today, this_minute, waiting):
    limits = Limits(per_day, per_minute, waiting=3)
    more = min(per_day, per_minute) + 1
    told = refusal(used(today, this_minute, NOON, waiting), limits, more)
    assert told.free_at is None, f"waiting for it is in vain: {told.sentence}"
    assert "`count`" in told.sentence
