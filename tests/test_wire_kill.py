"""kill -9 at random moments under load, every event told twice: nothing is lost or doubled."""

from __future__ import annotations

import asyncio
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from wire.town import open_town

if TYPE_CHECKING:
    from wire.asked import Asked
    from wire.town import Town

KILLS = 5
_AT_ONCE = 4
_ENDS = ("delivered", "failed", "refused", "cancelled")


def rows(town: Town, sql: str) -> list[Any]:
    with closing(sqlite3.connect(f"file:{town.folder}/easel.db?mode=ro", uri=True)) as reader:
        return reader.execute(sql).fetchall()


async def ask(town: Town, random: Random) -> list[Asked]:
    town.discord.gateway.twice = _AT_ONCE
    return [await town.imagine(town.channel(), count=random.randint(1, 2)) for _ in range(_AT_ONCE)]


def all_ended(town: Town) -> bool:
    return not rows(town, f"SELECT 1 FROM generations WHERE state NOT IN {_ENDS}")


@pytest.mark.parametrize("seed", [1])
async def test_nothing_is_lost_or_doubled(tmp_path: Path, seed: int) -> None:
    random, asked = Random(seed), []
    async with open_town(tmp_path, pace=0.2, channels=_AT_ONCE * (KILLS + 1)) as town:
        for _ in range(KILLS):
            asked += await ask(town, random)
            await asyncio.sleep(random.uniform(0.0, 0.6))
            await town.bot.kill()
            # As if it had been dead for longer: leases are over, and whoever asked was answered.
            town.let_leases_end()
            with closing(sqlite3.connect(tmp_path / "easel.db", isolation_level=None)) as other:
                other.execute("UPDATE generations SET created_at = created_at - 10")
            await town.bot.restart()
        asked += await ask(town, random)
        for one in asked[-_AT_ONCE:]:
            await one.result()
        await town.until(lambda: all_ended(town), "an end of every generation", within=30)

        check_messages(town, asked)
        check_books(town)
        check_archive(town)


def check_messages(town: Town, asked: list[Asked]) -> None:
    """Who was accepted has one result; who was not has none, and was charged nothing."""
    states = dict(rows(town, "SELECT interaction_id, state FROM generations"))
    for one in asked:
        with_files = [m for m in one.interaction.channel.shown if m.files]
        expected = 1 if states.get(one.interaction.id) == "delivered" else 0
        assert len(with_files) == expected, f"{states.get(one.interaction.id)}: {with_files}"
    assert Counter(states.values())["delivered"] >= _AT_ONCE


def check_books(town: Town) -> None:
    """The ledger is what was delivered, and nothing is reserved any more."""
    [(delivered,)] = rows(
        town,
        "SELECT count(*) FROM pictures JOIN generations ON generations.id = generation_id"
        " WHERE state = 'delivered'",
    )
    [(settled,)] = rows(town, "SELECT sum(pictures) FROM ledger WHERE entry = 'settle'")
    assert settled == delivered
    [(reserved, waiting, used)] = rows(
        town, "SELECT sum(day_reserved), sum(waiting), sum(day_used) FROM people"
    )
    assert (reserved, waiting, used) == (0, 0, delivered)
    doubled = rows(
        town,
        "SELECT generation_id FROM ledger WHERE entry != 'reserve' GROUP BY 1 HAVING count(*) > 1",
    )
    assert doubled == []


def check_archive(town: Town) -> None:
    """Every picture that a row names is there, whole."""
    for key, size in rows(town, "SELECT key, bytes FROM pictures"):
        file = Path(town.folder) / "pictures" / key
        assert file.stat().st_size == size, key
