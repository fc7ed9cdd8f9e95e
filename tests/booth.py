"""What people do in votes, and a clock that can be told to run ahead."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from pictures_sent import last
from sqlalchemy import select, update

from bot.store.vote_schema import ballots, contests, rounds

if TYPE_CHECKING:
    import simcord
    from world import World

    from bot.client import Easel


async def start(world: World, who: simcord.MemberActor | None = None, **options: object) -> Any:
    """`/vote start`, confirmed; the ballot's message."""
    options.setdefault("prompt", "a red fox")
    opener = who or world.ann
    asked = await opener.slash(world.channel, "vote start", **options)
    await opener.click(last(asked), label="Start the vote")
    return await newest(world)


async def open_on(
    world: World, result: Any, who: simcord.MemberActor | None = None, **filled: object
) -> Any:
    """`Vote` under a result, and its form; what is said to the one who sent it."""
    opener = who or world.ann
    form = await opener.click(result, label="Vote")
    usual = {"duration": "10m", "rounds": ["1"], "counts": ["shown"]}
    return await opener.submit_modal(form, usual | filled)


async def newest(world: World) -> Any:
    """The last message with pictures."""
    await world.env.settle()
    return world.results()[-1]


async def press(who: simcord.MemberActor, ballot: Any, position: int) -> Any:
    """Presses a candidate's number; what is said to the one who did."""
    return await push(who, ballot, str(position))


async def push(who: simcord.MemberActor, message: Any, label: str) -> Any:
    """Presses a button by how its label begins, as it is by now; what is said."""
    message = await message.channel.fetch_message(message.id)
    found = next(each for each in labels(message) if each.startswith(label))
    return last(await who.click(message, label=found))


def now(world: World, message: Any) -> Any:
    """The message as it is by now."""
    return next(each for each in world.channel.history() if each.id == message.id)


async def vote(world: World, ballot: Any, *positions: int) -> None:
    """Different people vote for these, one each."""
    for number, position in enumerate(positions):
        answer = await press(crowd(world)[number], ballot, position)
        assert f"You vote for picture {position}" in answer.content, answer.content


def crowd(world: World) -> list[simcord.MemberActor]:
    """Ten people besides ann, the same ones each time."""
    known = getattr(world, "crowd", None)
    if known is None:
        made = (world.env.create_user(f"voter{number}") for number in range(10))
        known = [world.guild.add_member(each) for each in made]
        world.crowd = known  # type: ignore[attr-defined]
    return known


def labels(message: Any) -> list[str]:
    rows = [getattr(row, "children", None) or row["components"] for row in message.components]
    items = [item if isinstance(item, dict) else item.to_dict() for row in rows for item in row]
    return [item["label"] for item in items if item.get("label")]


async def let_pass(world: World, seconds: float) -> None:
    """So much time goes by for every vote, and what is due by then happens."""
    times = {column: rounds.c[column] - seconds for column in ("opened_at", "closes_at", "due_at")}
    await world.client._database.write(lambda c: c.execute(update(rounds).values(**times)))
    await happen(world)


async def happen(world: World, *others: Easel) -> None:
    """Lets what is due happen, to the end, in other processes too."""
    easels = (world.client, *others)
    for easel in easels:
        easel.studio.votes._referee.moved()
    quiet = 0
    async with asyncio.timeout(20):
        while quiet < 3:
            await asyncio.sleep(0.03)
            await world.env.settle()
            quiet = 0 if any(map(_busy, easels)) else quiet + 1


def _busy(easel: Easel) -> bool:
    studio = easel.studio
    referee = studio.votes._referee
    entries = referee._scoreboard._entries.values()
    showing = any(entry.task or entry.stale for entry in entries)
    painting = studio._work.busy or studio._work._waiting
    counting = referee._counts or referee._alarm._looking
    return bool(referee._tasks or counting or showing or painting)


async def stages(world: World) -> list[tuple[int, str]]:
    """Number and stage of every round."""
    query = select(rounds.c.number, rounds.c.stage).order_by(rounds.c.number)
    found = await world.client._database.read(lambda c: c.execute(query).all())
    return [(number, stage) for number, stage in found]


async def cast(world: World) -> dict[int, int | None]:
    """What each person's ballot is for, of all rounds."""
    return {row.person_id: row.position for row in await world.rows(ballots)}


async def the_round(world: World) -> Any:
    [row] = await world.rows(rounds)
    return row


async def the_contest(world: World) -> Any:
    [row] = await world.rows(contests)
    return row
