"""Whether it stays as fast as it was when a million generations are stored."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from bot.store import generations
from bot.store.database import Database
from bot.store.generations import NewGeneration
from bot.store.people import Limits
from bot.studio import casting
from bot.studio.generation import Viewer
from bot.studio.viewing import family_of, page_of
from bot.studio.voting import Voter

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

SIZES = (1_000, 100_000, 1_000_000)
#: So few that a page of history is full at every size.
_PEOPLE = 100
_LIMITS = Limits(10**9, 10**9, 10**9)
_VIEWER = Viewer(1, 1, 1)
#: Each picture is an edit of the one before it, but for the first of so many.
_FAMILY = 12
_MEMBERS = 24
#: One generation of so many was voted on, by so many people.
_VOTED_ON, _VOTERS = 20, 12
#: The round on which votes are timed, and the people who have voted there before.
_OPEN, _BEFORE = f"{_VOTED_ON:010}", 200


async def growth() -> list[str]:
    figures = [await _measure(size) for size in SIZES]
    rows = [
        "| generations stored | accept, ms | history page, ms | family, ms | vote, ms |",
        "|---|---|---|---|---|",
    ]
    rows += [_row(f"{size:,}", took) for size, took in zip(SIZES, figures, strict=True)]
    ratios = [last / first for first, last in zip(figures[0], figures[-1], strict=True)]
    rows.append(_row("ratio of the last to the first", ratios))
    print("\n".join(rows), flush=True)
    return rows


def _row(name: str, figures: list[float]) -> str:
    return " | ".join((f"| {name}", *(f"{figure:.2f}" for figure in figures))) + " |"


async def _measure(size: int) -> list[float]:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "easel.db"
        async with Database.open(f"sqlite+aiosqlite:///{file}"):
            pass
        _fill(file, size)
        async with Database.open(f"sqlite+aiosqlite:///{file}") as database:
            accept = await _time(
                lambda n: database.write(generations.accept, _new(n), _LIMITS, time.time())
            )
            page = await _time(lambda n: database.read(page_of, n % _PEOPLE, None, 6))
            family = await _time(
                lambda n: database.read(family_of, _id(n * 37 % size), _VIEWER, _MEMBERS)
            )
            vote = await _time(
                lambda n: database.write(
                    casting.cast, _OPEN, 1 + n % 4, Voter(10**6 + n, 1), press_id=n, now=1.0
                )
            )
    return [accept, page, family, vote]


async def _time(work: Callable[[int], Awaitable[Any]], times: int = 300) -> float:
    """The median of single calls, in milliseconds."""
    took: list[float] = []
    for number in range(times):
        began = time.perf_counter()
        await work(number)
        took.append((time.perf_counter() - began) * 1e3)
    return median(took)


def _new(number: int) -> NewGeneration:
    return NewGeneration(
        id=f"new{number:07}",
        interaction_id=10**12 + number,
        person_id=number % _PEOPLE,
        server_id=1,
        request="{}",
        prompt="a red fox in fresh snow",
        wanted=4,
        seed=1,
        private=False,
        application_id=1,
        channel_id=1,
        interaction_token="token",
        token_expires_at=0.0,
        may_post=True,
        file_limit=10**7,
        notes="[]",
        price=120_000,
    )


def _id(number: int) -> str:
    return f"{number + 1:010}"


def _fill(file: Path, size: int) -> None:
    """Delivered generations with their pictures and ledger, as if the years had passed."""
    request = (
        '{"prompt": "a red fox", "model": null, "shape": "square", "count": 4, "quality": null, '
        '"style": null, "avoid": null, "seed": null, "private": false}'
    )
    series = f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {size}) "
    with sqlite3.connect(file) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("INSERT INTO servers (id, first_seen_at) VALUES (1, 0)")
        connection.executemany(
            "INSERT INTO people VALUES (?, 0, 0, 0, 0, 1000000000, 0, 0, 0, 1000000000)",
            [(number,) for number in range(_PEOPLE)],
        )
        connection.execute(
            "INSERT INTO generations (id, interaction_id, person_id, server_id, request, prompt,"
            " wanted, seed, private, application_id, channel_id, token_expires_at, may_post,"
            " file_limit, state, attempt, orphaned, minute_start, created_at, ended_at, notes)"
            f" {series} SELECT printf('%010d', i), i, i % {_PEOPLE}, 1, ?, 'a red fox', 4, 1, 0,"
            " 1, 1, 0, 1, 1, 'delivered', 1, 0, 0, i, i, '[]' FROM n",
            (request,),
        )
        connection.execute(
            "INSERT INTO pictures SELECT id, 1, id, 'image/jpeg', 1024, 1024, 200000, 1, 0,"
            " NULL FROM generations"
        )
        connection.execute(
            "INSERT INTO sources SELECT id, 1, id, printf('%010d', number - 1), 1"
            f" FROM generations WHERE number % {_FAMILY} != 1"
        )
        connection.execute(
            "INSERT INTO ledger (generation_id, person_id, server_id, entry, pictures, price, at)"
            " SELECT id, person_id, 1, 'settle', 4, 120000, created_at FROM generations"
        )
        _fill_votes(connection)
    connection.close()


def _fill_votes(connection: sqlite3.Connection) -> None:
    """Votes that are over, but for one."""
    voted_on = f"FROM generations WHERE number % {_VOTED_ON} = 0"
    connection.execute(
        "WITH p(n) AS (VALUES (2), (3), (4)) INSERT INTO pictures SELECT id, n, id || n,"
        f" 'image/jpeg', 1024, 1024, 200000, 1, 0, NULL {voted_on.replace('WHERE', ', p WHERE')}"
    )
    connection.execute(
        "INSERT INTO contests (id, interaction_id, person_id, server_id, channel_id,"
        " application_id, file_limit, duration_s, rounds, secret, opener_votes, account_days,"
        " member_days, created_at, ended_at) SELECT id, number, person_id, 1, 1, 1, 1, 600, 1, 0,"
        f" 1, 0, 0, created_at, created_at {voted_on}"
    )
    connection.execute(
        "INSERT INTO rounds (id, contest_id, number, stage, seed, message_id, opened_at,"
        " closes_at, winner, announced_id) SELECT id, id, 1, 'over', 1, number, created_at,"
        f" created_at, 1, number {voted_on}"
    )
    connection.execute(
        "INSERT INTO candidates SELECT rounds.id, position, generation_id, 0"
        " FROM rounds JOIN pictures ON generation_id = rounds.id"
    )
    connection.execute(
        f"WITH RECURSIVE p(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM p WHERE n < {_BEFORE})"
        " INSERT INTO ballots SELECT id, 'open', n, 1 + n % 4, n, 0 FROM rounds, p"
        f" WHERE n <= {_VOTERS} OR id = '{_OPEN}'"
    )
    connection.execute(
        "UPDATE rounds SET stage = 'open', closes_at = 10, due_at = 10, winner = NULL,"
        f" announced_id = NULL WHERE id = '{_OPEN}'"
    )
    connection.execute(f"UPDATE contests SET ended_at = NULL WHERE id = '{_OPEN}'")
