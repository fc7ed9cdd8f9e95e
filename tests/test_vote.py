"""One round of a vote: opened, cast, changed, closed, and its winner posted."""

from __future__ import annotations

import re
from io import BytesIO
from typing import TYPE_CHECKING, Any

import discord
import pytest
from booth import (
    cast,
    crowd,
    happen,
    labels,
    let_pass,
    newest,
    now,
    open_on,
    press,
    push,
    stages,
    start,
    the_contest,
    the_round,
    vote,
)
from pictures_sent import last
from PIL import Image, ImageChops, ImageStat
from sqlalchemy import update

from bot.delivery import DiscordPresenter
from bot.demo.sandbox.rules import SAFETY_WORD
from bot.store.vote_schema import ballots, candidates, contests, rounds
from bot.studio.casting import VoteOver
from bot.studio.voting import Voter

if TYPE_CHECKING:
    from world import World


async def picture(attachment: Any) -> Image.Image:
    return Image.open(BytesIO(await attachment.read())).convert("RGB")


async def test_what_it_comes_to_is_told_before(world: World) -> None:
    asked = last(await world.ann.slash(world.channel, "vote start", prompt="a red fox", count=3))
    assert asked.ephemeral
    assert asked.content == (
        "**A vote** on `a red fox`, open for 10 minutes.\n"
        "**3 pictures** are painted for about $0.09 in all.\n"
        "They count towards your allowance; you have 100 left today."
    )
    assert labels(asked) == ["Start the vote", "Leave it"]
    assert not world.painter.requests
    assert await world.rows(contests) == []
    await world.ann.click(asked, label="Leave it")
    assert asked.content == "Left alone; nothing was charged."


async def test_a_ballot_is_the_message_with_the_pictures(world: World) -> None:
    ballot = await start(world, count=3, duration="1h30m")
    assert len(world.channel.history()) == 1, "one message, and no other"
    assert len(ballot.attachments) == 3
    assert all("AI-generated" in file.description for file in ballot.attachments)
    assert labels(now(world, ballot)) == [
        "1 · 0 votes",
        "2 · 0 votes",
        "3 · 0 votes",
        "Close the vote",
    ]
    one = await the_round(world)
    assert one.closes_at - one.opened_at == pytest.approx(5400)
    for told in (
        f"**Vote:** `a red fox` by {world.ann.mention}",
        "**Press a number to vote.** It closes",
        "No votes so far.",
        f"It closes <t:{int(one.closes_at)}:R>",
        "Everyone here can vote",
        f"opened by {world.ann.mention}",
        f"if it is a tie, there is a runoff, and then the number {one.seed:,} decides",
        "FLUX.2 [pro]",
    ):
        assert told in now(world, ballot).content, told
    assert (await world.usage(world.ann)).day_used == 3


async def test_each_vote_is_acknowledged_alone_counted_and_shown(world: World) -> None:
    ballot = await start(world, count=3)
    answer = await press(world.bob, ballot, 2)
    assert answer.ephemeral
    assert answer.content == "You vote for picture 2. Press it again to take that back."
    await happen(world)
    assert "1 vote so far." in now(world, ballot).content
    assert labels(now(world, ballot))[:3] == ["1 · 0 votes", "2 · 1 vote", "3 · 0 votes"]


async def test_a_person_has_one_ballot_that_can_be_changed_and_taken_back(world: World) -> None:
    ballot = await start(world, count=3)
    await press(world.bob, ballot, 2)
    changed = await press(world.bob, ballot, 3)
    assert changed.content == "You now vote for picture 3, no longer for picture 2."
    assert await cast(world) == {world.bob.id: 3}
    back = await press(world.bob, ballot, 3)
    assert back.content == ("Your vote for picture 3 is taken back. Press a number to vote again.")
    assert await cast(world) == {world.bob.id: None}
    again = await press(world.bob, ballot, 1)
    assert again.content.startswith("You vote for picture 1.")
    assert await cast(world) == {world.bob.id: 1}


async def test_at_its_time_it_closes_and_the_winner_is_posted(world: World) -> None:
    ballot = await start(world, count=3)
    await vote(world, ballot, 2, 2, 3, 2, 1)
    await let_pass(world, 600)
    assert "**Picture 2 wins** with 3 of 5 votes." in now(world, ballot).content
    assert "picture 1: 1 vote, picture 2: 3 votes, picture 3: 1 vote." in now(world, ballot).content
    assert labels(now(world, ballot))[:4] == ["1", "2", "3", "Vote"], (
        "it is a result like any other now"
    )
    winner = world.results()[-1]
    assert winner.reference.message_id == ballot.id
    assert winner.content.startswith(
        "**The vote has a winner:** `a red fox`\n"
        f"Asked for by {world.ann.mention}. It won with 3 of 5 votes."
    )
    [file] = winner.attachments
    apart = ImageChops.difference(await picture(file), await picture(ballot.attachments[1]))
    assert max(ImageStat.Stat(apart).mean) == 0, "it is the second picture"
    assert await stages(world) == [(1, "over")]
    assert (await the_contest(world)).ended_at is not None
    await let_pass(world, 600)
    assert len(world.results()) == 2, "and it is posted once"


async def test_before_its_time_nothing_closes(world: World) -> None:
    ballot = await start(world, count=2)
    await vote(world, ballot, 1)
    await let_pass(world, 590)
    assert await stages(world) == [(1, "open")]


async def test_in_secret_nobody_sees_who_leads(world: World) -> None:
    ballot = await start(world, count=3, secret=True)
    await vote(world, ballot, 2, 2, 1)
    await happen(world)
    assert labels(now(world, ballot)) == ["1", "2", "3", "Close the vote"]
    assert "3 votes so far; who leads stays secret until the end." in now(world, ballot).content
    await let_pass(world, 600)
    assert "**Picture 2 wins** with 2 of 3 votes." in now(world, ballot).content


async def test_its_opener_or_a_moderator_closes_it_and_nobody_else(world: World) -> None:
    ballot = await start(world, count=2)
    await vote(world, ballot, 2)
    refused = await push(world.bob, ballot, "Close the vote")
    assert refused.content == (
        f"Only {world.ann.mention}, who opened the vote, and people who may manage messages where "
        "it is held can do that."
    )
    assert await stages(world) == [(1, "open")]
    moderators = world.guild.create_role(
        "moderators", permissions=discord.Permissions(manage_messages=True)
    )
    max_ = world.guild.add_member(world.env.create_user("max"), roles=[moderators])
    assert (await push(max_, ballot, "Close the vote")).content.startswith("Closed.")
    await happen(world)
    assert await stages(world) == [(1, "over")]


async def test_the_command_closes_the_one_in_the_channel(world: World) -> None:
    nothing = await world.ann.slash(world.channel, "vote close")
    assert "No vote is open in this channel." in nothing.response.content
    ballot = await start(world, count=2)
    await vote(world, ballot, 1)
    closed = await world.ann.slash(world.channel, "vote close")
    assert closed.response.content == "Closed. What came of it follows."
    await happen(world)
    assert await stages(world) == [(1, "over")]


async def test_of_several_it_asks_which(world: World) -> None:
    for prompt in ("a red fox", "a blue fox"):
        await start(world, count=2, prompt=prompt)
    unsure = await world.ann.slash(world.channel, "vote close")
    assert "Several votes are open" in unsure.response.content
    offered = await world.ann.autocomplete(world.channel, "vote close", "vote", "blue")
    assert [choice["name"] for choice in offered] == ["round 1: a blue fox"]
    await world.ann.slash(world.channel, "vote close", vote=offered[0]["value"])
    standing = await world.ann.slash(world.channel, "vote standing")
    assert "`a red fox` · round 1, 0 votes, closes" in standing.response.content
    assert (
        "**Decided last:**\n- `a blue fox` · Nobody voted in round 1." in standing.response.content
    )


async def test_nothing_stands_where_there_was_none(world: World) -> None:
    answer = await world.bob.slash(world.channel, "vote standing")
    assert answer.ephemeral
    assert answer.response.content == (
        "No vote is open here.\n`/vote start` opens one, and so does `Vote` under any result."
    )


async def test_a_vote_on_a_result_costs_nothing(world: World) -> None:
    await world.imagine(count=3)
    [result] = world.results()
    answer = await open_on(world, result, world.bob)
    assert last(answer).ephemeral
    assert last(answer).content == "The ballot is on its way; it is open for 10 minutes."
    await happen(world)
    ballot = await newest(world)
    assert ballot.id != result.id
    assert ballot.reference.message_id == result.id
    assert len(ballot.attachments) == 3
    assert f"opened by {world.bob.mention}" in now(world, ballot).content
    assert f"by {world.ann.mention}" in now(world, ballot).content, "credit stays with who asked"
    assert await world.usage(world.bob) is None
    await vote(world, ballot, 3)
    await let_pass(world, 600)
    assert "**Picture 3 wins**" in now(world, ballot).content
    assert len(await world.generations()) == 1


async def test_a_ballot_on_a_result_is_one_from_the_first_moment(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.imagine(count=2)

    async def show(*_: Any) -> None:
        """Its first edit, at once, does not come."""

    monkeypatch.setattr(DiscordPresenter, "show", show)
    await open_on(world, world.results()[0])
    await happen(world)
    ballot = await newest(world)
    assert ballot.content.startswith("**Vote:** `a red fox in fresh snow`")
    assert "**Press a number to vote.** It closes <t:" in ballot.content
    assert labels(ballot) == ["1 · 0 votes", "2 · 0 votes", "Close the vote"]


async def test_a_form_after_a_restart(world: World) -> None:
    await world.imagine(count=2)
    form = await world.ann.click(world.results()[0], label="Vote")
    await world.restart()
    filled = {"duration": "30s", "rounds": ["1"], "counts": ["secret"]}
    await world.ann.submit_modal(form, filled)
    await happen(world)
    assert labels(await newest(world)) == ["1", "2", "Close the vote"]


async def test_everything_survives_a_restart(world: World) -> None:
    ballot = await start(world, count=2)
    await vote(world, ballot, 2, 2, 1)
    await world.restart()
    await press(crowd(world)[3], ballot, 2)
    await happen(world)
    assert labels(now(world, ballot))[:2] == ["1 · 1 vote", "2 · 3 votes"]
    await let_pass(world, 600)
    assert "**Picture 2 wins** with 3 of 4 votes." in now(world, ballot).content


async def test_what_came_due_while_it_was_down_closes_at_the_start(world: World) -> None:
    ballot = await start(world, count=2)
    await vote(world, ballot, 1)
    past = {"closes_at": rounds.c.closes_at - 900, "due_at": rounds.c.due_at - 900}
    await world.client._database.write(lambda c: c.execute(update(rounds).values(**past)))
    await world.restart()
    await happen(world)
    assert await stages(world) == [(1, "over")]
    assert len(world.results()) == 2


async def test_a_count_that_was_not_shown_is_shown_after_a_restart(world: World) -> None:
    ballot = await start(world, count=2)
    one = await the_round(world)
    values = {"round_id": one.id, "stage": "open", "person_id": 5, "position": 2}
    written = ballots.insert().values(**values, press_id=1, cast_at=1.0)
    await world.client._database.write(lambda c: c.execute(written))
    await world.restart()
    await happen(world)
    assert "2 · 1 vote" in labels(now(world, ballot))


async def test_a_prompt_with_choices_asks_which_words(world: World) -> None:
    ballot = await start(world, prompt="{red|blue|gold} fox")
    assert len(ballot.attachments) == 3
    assert "**1** `red fox`\n**2** `blue fox`\n**3** `gold fox`" in now(world, ballot).content
    assert len({request.body["seed"] for request in world.painter.requests}) == 1
    await vote(world, ballot, 2)
    await let_pass(world, 600)
    assert "`blue fox`" in world.results()[-1].content


async def test_a_picture_alone_is_no_choice(world: World) -> None:
    await world.imagine(count=1)
    [result] = world.results()
    assert "Vote" not in labels(result)
    form_less = await world.ann.slash(world.channel, "vote start", prompt="{red} fox", count=2)
    assert "Start the vote" in labels(last(form_less))


async def test_private_pictures_are_not_put_to_a_vote(world: World) -> None:
    answer = await world.imagine(count=2, private=True)
    assert "Vote" not in labels(answer.response)


async def test_where_the_bot_may_not_post_it_says_so(world: World) -> None:
    closed = world.guild.create_text_channel(
        "closed", overwrites={world.client.user: discord.PermissionOverwrite(attach_files=False)}
    )
    answer = last(await world.ann.slash(closed, "vote start", prompt="a red fox"))
    assert answer.ephemeral
    assert "I may not post pictures in this channel" in answer.content
    assert not world.painter.requests


@pytest.mark.parametrize("typed", ["soon", "10", "5s", "8d"])
async def test_a_duration_that_cannot_be(world: World, typed: str) -> None:
    answer = last(
        await world.ann.slash(world.channel, "vote start", prompt="a fox", duration=typed)
    )
    assert answer.ephemeral
    assert "1h30m" in answer.content


async def test_three_votes_at_a_time_are_as_many_as_one_may_have(world: World) -> None:
    for number in range(3):
        await start(world, count=2, prompt=f"fox {number}")
    asked = await world.ann.slash(world.channel, "vote start", prompt="fox 4", count=2)
    refused = last(await world.ann.click(last(asked), label="Start the vote"))
    assert "You have 3 votes under way in this server" in refused.content
    assert len(world.painter.requests) == 3, "and nothing is painted for it"
    assert (await world.usage(world.ann)).day_used == 6
    assert (await world.usage(world.ann)).day_reserved == 0
    await start(world, world.bob, count=2, prompt="bob's")


async def test_no_ballot_comes_where_no_picture_does(world: World) -> None:
    asked = await world.ann.slash(world.channel, "vote start", prompt=f"a {SAFETY_WORD} fox")
    await world.ann.click(last(asked), label="Start the vote")
    await happen(world)
    assert world.results() == []
    assert await stages(world) == [(1, "over")]
    ended = await the_contest(world)
    assert ended.ended_at is not None
    assert ended.ending == "The image service refused to paint the pictures of round 1."
    standing = await world.ann.slash(world.channel, "vote standing")
    assert "No vote is open here." in standing.response.content
    assert (await world.usage(world.ann)).day_used == 0


async def test_a_ballot_whose_message_is_deleted_is_over(world: World) -> None:
    ballot = await start(world, count=2)
    await press(world.bob, ballot, 1)
    await world.env.settle()
    await ballot.delete()
    await happen(world)
    assert await stages(world) == [(1, "over")]
    await let_pass(world, 600)
    assert world.results() == [], "no winner of what was taken away"
    assert (await the_contest(world)).ending == "The ballot of round 1 was deleted."
    one = await the_round(world)
    late = Voter(world.bob.id, world.guild.id)
    with pytest.raises(VoteOver, match="The ballot of round 1 was deleted"):
        await world.client.studio.votes.cast(one.id, 2, late, 2**62)
    assert await cast(world) == {world.bob.id: 1}


async def test_without_a_vote_no_deleted_message_is_looked_for(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.imagine(count=1)
    [result], database = world.results(), world.client._database
    asked: list[str] = []

    async def read(work: Any, *args: Any, **kwargs: Any) -> Any:
        asked.append(work.__name__)
        return await type(database).read(database, work, *args, **kwargs)

    monkeypatch.setattr(database, "read", read)
    await result.delete()
    await world.env.settle()
    assert asked == [], "every message that anybody deletes would cost as much"
    ballot = await start(world, count=2)
    await ballot.delete()
    await world.env.settle()
    assert "by_message" in asked


async def test_the_candidates_are_the_pictures(world: World) -> None:
    await start(world, count=3)
    [generation] = await world.generations()
    stand = [(row.position, row.generation_id) for row in await world.rows(candidates)]
    assert stand == [(n, generation.id) for n in (1, 2, 3)]
    assert generation.round_id == (await the_round(world)).id
    assert re.fullmatch(r"[0-9a-z]{10}", generation.round_id)
