"""A crash loop stays under Discord's 1,000 connections a day."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wire.town import Town, open_town

from bot.restarts import Budget

if TYPE_CHECKING:
    from pathlib import Path

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


def starts_left(town: Town) -> float:
    with closing(sqlite3.connect(town.folder / "easel.db")) as other:
        [[budget]] = other.execute("SELECT value FROM facts WHERE name = 'starts left'")
    return json.loads(budget)["left"]


async def test_each_connection_counts_of_as_many_as_discord_recommends(tmp_path: Path) -> None:
    async with open_town(tmp_path, shard_count="") as town:
        gateway, before = town.discord.gateway, starts_left(town)
        await town.bot.kill()
        gateway.shards, identified = 2, gateway.identifies
        await town.bot.restart()
        assert starts_left(town) == pytest.approx(before - 2, abs=0.9)
        await town.until(lambda: gateway.identifies == identified + 2, "both of them", 30)
        asked = [call for call in town.discord.calls if call.path == "/gateway/bot"]
        assert len(asked) == 2, "once at each start"


async def test_where_discord_takes_no_more_that_day_it_is_not_tried(tmp_path: Path) -> None:
    async with open_town(tmp_path) as town:
        gateway = town.discord.gateway
        await town.bot.kill()
        gateway.identifies_a_day = identified = gateway.identifies
        await town.bot.start()
        await town.bot.logged(rf"discord\.start_put_off.*{DAY_S}|{DAY_S}.*discord\.start_put_off")
        assert gateway.identifies == identified
