"""A crash loop stays under Discord's 1,000 connections a day."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bot.restarts import Budget

DAY_S = 86_400


@given(alive=st.floats(0, 300), shards=st.integers(1, 4))
def test_a_day_of_crashes_is_within_the_limit(alive: float, shards: int) -> None:
    budget, now, identified = Budget(150, 0.0), 0.0, 0
    while now < DAY_S and identified <= 1_000:
        budget, wait = budget.spend(shards, now)
        now += wait
        if now < DAY_S:
            identified += shards
        now += max(alive, 1.0)
    assert identified < 1_000


def test_a_start_now_and_then_waits_for_nothing() -> None:
    budget, now = Budget(150, 0.0), 0.0
    for _ in range(100):
        budget, wait = budget.spend(1, now)
        assert wait == 0
        now += 3_600


def test_a_clock_that_was_set_back_earns_nothing_and_takes_nothing() -> None:
    budget, wait = Budget(10, 1_000.0).spend(1, 500.0)
    assert (budget.left, wait) == (9, 0)
