"""The rules of a vote with ten people who press, through the whole bot."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from booth import (
    cast,
    crowd,
    happen,
    labels,
    let_pass,
    newest,
    now,
    press,
    stages,
    start,
    the_round,
)
from pictures_sent import last

from bot.store.vote_schema import suggestions

if TYPE_CHECKING:
    from world import World


async def all_vote(world: World, ballot: Any, *positions: int) -> None:
    """Each of the ten, in turns for these."""
    for number, person in enumerate(crowd(world)):
        position = positions[number % len(positions)]
        told = await press(person, ballot, position)
        assert told.ephemeral
        assert f"You vote for picture {position}." in told.content


async def test_five_against_five_twice_is_drawn_by_the_seed_that_was_shown(world: World) -> None:
    ballot = await start(world, count=3)
    seed = (await the_round(world)).seed
    assert f"the number {seed:,} decides" in now(world, ballot).content
    await all_vote(world, ballot, 1, 3)
    await let_pass(world, 600)
    assert await stages(world) == [(1, "runoff")]
    assert [name for name in labels(now(world, ballot)) if name[0].isdigit()] == [
        "1 · 0 votes",
        "3 · 0 votes",
    ]
    await all_vote(world, ballot, 3, 1)
    await let_pass(world, 300)
    shown = now(world, ballot).content
    assert await stages(world) == [(1, "over")]
    assert f"**Picture {(1, 3)[seed % 2]} wins** by lot, since 1 and 3 stayed tied" in shown
    assert "Runoff: picture 1: 5 votes, picture 3: 5 votes." in shown


async def test_a_role_of_ten_closes_it_with_its_tenth_vote_and_nobody_elses(world: World) -> None:
    role = world.guild.create_role("jury")
    jury = [
        world.guild.add_member(world.env.create_user(f"juror{n}"), roles=[role]) for n in range(10)
    ]
    ballot = await start(world, count=2, voters=role)
    for stranger in crowd(world):
        refused = await press(stranger, ballot, 2)
        assert refused.content == f"In this vote only <@&{role.id}> can vote."
    for juror in jury[:-1]:
        await press(juror, ballot, 1)
        assert await stages(world) == [(1, "open")]
    await press(jury[-1], ballot, 2)
    await happen(world)
    assert await stages(world) == [(1, "over")]
    assert "**Picture 1 wins** with 9 of 10 votes." in now(world, ballot).content


async def test_ten_who_take_their_votes_back_have_not_voted(world: World) -> None:
    ballot = await start(world, count=2)
    for _ in range(2):
        for person in crowd(world):
            await press(person, ballot, 1)
    assert set((await cast(world)).values()) == {None}
    await let_pass(world, 600)
    assert await stages(world) == [(1, "open")], "it stays open once more"
    await let_pass(world, 600)
    assert await stages(world) == [(1, "over")]
    assert "Nobody voted, so there is no winner." in now(world, ballot).content


async def test_what_ten_vote_in_secret_shows_at_the_end_alone(world: World) -> None:
    ballot = await start(world, count=2, secret=True)
    await all_vote(world, ballot, 2, 2, 1)
    await happen(world)
    open_ = now(world, ballot)
    assert "10 votes so far; who leads stays secret until the end." in open_.content
    assert not any("vote" in name for name in labels(open_)[:2])
    await let_pass(world, 600)
    assert "picture 1: 3 votes, picture 2: 7 votes" in now(world, ballot).content


async def test_of_ten_suggestions_the_most_backed_is_painted(world: World) -> None:
    ballot = await start(world, count=2, rounds=2)
    await all_vote(world, ballot, 2)
    await let_pass(world, 600)
    people = crowd(world)
    for number, person in enumerate(people):
        form = await person.click(now(world, ballot), label="Suggest a change…")
        told = last(await person.submit_modal(form, {"words": f"add a boat, the {number}th"}))
        assert told.content.startswith("It is on the list")
    await happen(world)
    assert len(await world.rows(suggestions)) == 10
    for person in people:
        shown = await ballot.channel.fetch_message(ballot.id)
        menu = next(i for row in shown.components for i in row.children if hasattr(i, "options"))
        await person.select(shown, [str(people[7].id)], custom_id=menu.custom_id)
    await happen(world)
    assert "`add a boat, the 7th`" in now(world, ballot).content
    assert "10 people for it" in now(world, ballot).content
    await let_pass(world, 300)
    assert f"`add a boat, the 7th` by <@{people[7].id}>" in (await newest(world)).content
