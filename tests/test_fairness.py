"""Fair from the order to the picture: the whole bot but Discord, and the painter on loopback."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING

from sqlalchemy import select
from world import KEY, settings_for

from bot.app import open_easel
from bot.demo.painter import Painter
from bot.store import leases
from bot.store.schema import Way, generations
from bot.studio.generation import Generation, Place
from bot.studio.order import Order

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence
    from pathlib import Path

    import pytest

    from bot.client import Easel
    from bot.studio.generation import KeptPicture
    from bot.studio.line import Standing

CALLS = 4
PACE_S = 0.02
MANY = {"user_waiting_max": 100, "user_images_per_minute": 100}


class NoVotes:
    """A `Presenter`, where no vote is held."""


@dataclass
class Letterbox:
    """A `Delivery` that notes what people got."""

    prompts: list[str] = field(default_factory=list)
    news: asyncio.Condition = field(default_factory=asyncio.Condition)

    def way_for(self, generation: Generation) -> Way:  # noqa: ARG002 - all go the same way
        return Way.CHANNEL

    async def deliver(
        self, generation: Generation, pictures: Sequence[KeptPicture], *, tried_before: bool
    ) -> int:
        assert pictures
        assert not tried_before
        async with self.news:
            self.prompts.append(generation.order.prompt)
            self.news.notify_all()
        return len(self.prompts)

    async def tell_failure(self, generation: Generation, sentence: str) -> None:
        raise AssertionError(f"{generation.order.prompt}: {sentence}")

    async def is_awaited(self, generation: Generation) -> bool:  # noqa: ARG002 - all are
        return True

    async def tell_standing(self, generation: Generation, standing: Standing) -> None:
        """Nobody asks."""

    async def remove_waiting(self, generation: Generation) -> None:
        """There is none."""


class Door:
    """Where people ask; nothing is painted before it opens."""

    def __init__(
        self, easel: Easel, letterbox: Letterbox, opened: asyncio.Event, first: int
    ) -> None:
        """`first` is the number of the first interaction and person; the others follow."""
        self.letterbox, self._easel, self._opened = letterbox, easel, opened
        self._numbers, self._first = count(first), first
        self._people: dict[str, int] = {}

    async def ask(self, who: str, prompt: str, *, server_id: int = 1) -> None:
        place = Place(
            interaction_id=next(self._numbers),
            person_id=self._people.setdefault(who, len(self._people) + self._first),
            server_id=server_id,
            application_id=1,
            channel_id=1,
            interaction_token="none",
            token_expires_at=0.0,
            may_post=True,
            file_limit=10_000_000,
        )
        intake = self._easel.studio.intake
        submitted = await intake.submit(Order(prompt, count=1), place)
        intake.begin(submitted.generation)

    async def begun(self) -> None:
        """As many are painted as may be at once."""
        async with asyncio.timeout(20):
            while len(self._easel.studio._work.busy) < CALLS:  # noqa: ASYNC110 - nobody tells of it
                await asyncio.sleep(0.01)

    async def painted(self, *prompts: str) -> list[str]:
        """All that was painted, in the order in which that was begun, as soon as these came."""
        self._opened.set()
        async with asyncio.timeout(60), self.letterbox.news:
            await self.letterbox.news.wait_for(lambda: set(prompts) <= set(self.letterbox.prompts))
        began = generations.c.painting_at
        query = select(generations.c.prompt).where(began.is_not(None)).order_by(began)
        return list(await self._easel._database.read(lambda c: c.scalars(query).all()))


@asynccontextmanager
async def open_door(folder: Path, *, works: bool = True, first: int = 1) -> AsyncGenerator[Door]:
    opened, letterbox = asyncio.Event(), Letterbox()

    async def sleep(seconds: float) -> None:
        await opened.wait()
        await asyncio.sleep(seconds)

    async with Painter(api_key=KEY, pace=PACE_S, bears=CALLS, reuse=True, sleep=sleep) as painter:
        settings = settings_for(folder, painter.url, **MANY, max_concurrent_calls=CALLS)
        async with open_easel(settings) as easel:
            if works:
                easel._begin_work(letterbox, NoVotes())  # type: ignore[arg-type]
            yield Door(easel, letterbox, opened, first)
            opened.set()


NINE = [f"person {number}'s" for number in range(1, 10)]


async def all_ask(door: Door) -> None:
    """One has forty requests, and a moment later nine others have one each."""
    for number in range(1, 41):
        await door.ask("ann", f"ann's {number}")
    for prompt in NINE:
        await door.ask(prompt, prompt)


def check(painted: list[str]) -> None:
    late = [prompt for prompt in NINE if painted.index(prompt) > painted.index("ann's 8")]
    assert not late, f"they waited for ann's eighth: {painted}"


async def test_forty_requests_of_one_delay_nine_others_by_no_more_than_a_round(
    tmp_path: Path,
) -> None:
    async with open_door(tmp_path) as door:
        await all_ask(door)
        check(await door.painted("ann's 8", *NINE))


async def test_a_line_that_a_start_finds_is_as_fair(tmp_path: Path) -> None:
    async with open_door(tmp_path, works=False) as door:
        await all_ask(door)
    with closing(sqlite3.connect(tmp_path / "easel.db", isolation_level=None)) as other:
        # By now, whoever asked must have been answered.
        other.execute("UPDATE generations SET created_at = created_at - 60")
    async with open_door(tmp_path) as door:
        check(await door.painted("ann's 8", *NINE))


async def test_a_long_line_that_a_start_finds_goes_before_who_comes_then(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases, "PAGE", 10)
    old = [f"old {number}" for number in range(1, 31)]
    new = [f"new {number}" for number in range(1, 6)]
    async with open_door(tmp_path, works=False) as door:
        for number, prompt in enumerate(old, start=1):
            await door.ask(prompt, prompt, server_id=number)
    with closing(sqlite3.connect(tmp_path / "easel.db", isolation_level=None)) as other:
        other.execute("UPDATE generations SET created_at = created_at - 60")
    async with open_door(tmp_path, first=1000) as door:
        await door.begun()
        for number, prompt in enumerate(new, start=1000):
            await door.ask(prompt, prompt, server_id=number)
        painted = await door.painted(*old, *new)
    assert painted == [*old, *new], "newcomers went first"


async def test_servers_take_turns_as_well(tmp_path: Path) -> None:
    large = [f"large {number}" for number in range(1, 13)]
    small = [f"small {number}" for number in range(1, 3)]
    async with open_door(tmp_path) as door:
        for prompt in large:
            await door.ask(prompt, prompt, server_id=1)
        for prompt in small:
            await door.ask(prompt, prompt, server_id=2)
        painted = await door.painted(*large, *small)
    before = [prompt for prompt in large if painted.index(prompt) < painted.index(small[-1])]
    # Those that were begun before the small one asked, and as many by turns.
    most = CALLS + len(small)
    assert len(before) <= most, f"the small server waited for {len(before)}: {painted}"
