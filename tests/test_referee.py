"""What a referee does while Discord takes its time."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from votes_house import OPENER, SERVER, House, begun, come_to_nothing

from bot.store.schema import State
from bot.studio import casting
from bot.studio.voting import Rules, Voter

if TYPE_CHECKING:
    from pathlib import Path


def test_a_winner_waits_for_nothing_that_is_still_being_shown(tmp_path: Path) -> None:
    """Round 2 comes to nothing while round 1 is shown a last time: its winner is the last one."""
    with House(tmp_path / "easel.db") as house:
        contest_id, first_id = begun(house, Rules(600, rounds=2))
        opener = Voter(OPENER, SERVER)
        shows, referee = asyncio.Event(), house.referees[0]

        async def show(_round_id: str) -> bool:
            await shows.wait()
            return False

        referee._scoreboard.connect(show)
        house.look(referee)
        house.write(casting.cast, first_id, 2, opener, press_id=1, now=house.now)
        house.write(casting.close, first_id, opener, house.now)
        house.write(casting.go_on, first_id, opener, house.now)
        house.look(referee)
        house.look(referee, waits=False)
        [painted] = house.books(SERVER).generations
        house.write(come_to_nothing, painted.id, State.REFUSED, house.now)
        house.look(referee, waits=False)
        assert not house.discord.won, "what leads to it is not shown yet"
        shows.set()
        house.look(referee)
        house.look(referee)
        assert house.discord.won == {contest_id: {first_id}}
        assert house.books(SERVER).contests[contest_id].ended_at is not None
