"""Votes over several rounds: the winner goes on, as people suggest, on its opener's allowance."""

from __future__ import annotations

import time
from io import BytesIO
from typing import TYPE_CHECKING, Any

import discord
import pytest
from booth import (
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
)
from pictures_sent import alike, last, references
from PIL import Image
from sqlalchemy import update
from world import open_world

from bot.delivery import DiscordPresenter
from bot.demo.sandbox.rules import SAFETY_WORD
from bot.errors import NotAllowed
from bot.imaging import recipe
from bot.store.schema import people, pictures, sources
from bot.store.vote_schema import backings, contests, rounds, suggestions
from bot.studio.casting import SUGGESTIONS_MAX
from bot.studio.voting import Voter

if TYPE_CHECKING:
    from pathlib import Path

    import simcord
    from world import World


async def close(world: World, ballot: Any, winner: int) -> Any:
    """One person votes, and the time is over; the ballot as it is then."""
    await press(world.bob, ballot, winner)
    await let_pass(world, 600)
    return now(world, ballot)


async def suggest(who: simcord.MemberActor, ballot: Any, words: str) -> Any:
    message = await ballot.channel.fetch_message(ballot.id)
    form = await who.click(message, label="Suggest a change…")
    return last(await who.submit_modal(form, {"words": words}))


async def back(who: simcord.MemberActor, ballot: Any, author: simcord.MemberActor) -> Any:
    message = await ballot.channel.fetch_message(ballot.id)
    menu = next(i for row in message.components for i in row.children if hasattr(i, "options"))
    return last(await who.select(message, [str(author.id)], custom_id=menu.custom_id))


async def go_on(world: World) -> Any:
    """The time for suggestions is over; the next ballot."""
    before = len(world.results())
    await let_pass(world, 300)
    assert len(world.results()) == before + 1, world.channel.history()[-1].content
    return await newest(world)


async def test_what_the_rounds_cost_is_told_before(world: World) -> None:
    asked = last(await world.ann.slash(world.channel, "vote start", prompt="a fox", rounds=3))
    assert asked.content.startswith(
        "**A vote in 3 rounds** on `a fox`; each ballot is open for 10 minutes.\n"
        "Up to **12 pictures** are painted for about $"
    )
    assert "They count towards your allowance; you have 100 left today." in asked.content


async def test_too_small_an_allowance_is_told_before(tmp_path: Path) -> None:
    async with open_world(tmp_path, user_images_per_day=6) as world:
        asked = last(await world.ann.slash(world.channel, "vote start", prompt="fox", rounds=2))
        assert (
            "you have 6 left today.\n-# If it runs out, the vote ends with the last winner."
            in asked.content
        )


async def test_three_rounds_with_suggestions(world: World) -> None:
    first = await start(world, rounds=3, count=3)
    assert first.content.startswith("**Vote, round 1 of 3:**")
    shown = await close(world, first, 2)
    assert "**Picture 2 wins** with the only vote." in shown.content
    assert "round 2 begins <t:" in shown.content
    assert labels(shown) == ["Suggest a change…", "Start round 2 now", "End the vote here"]
    one, two, three, *_ = crowd(world)
    told = await suggest(one, first, "make it night")
    assert told.ephemeral
    assert told.content.startswith("It is on the list, and you back it.")
    await suggest(two, first, "give it a hat")
    await suggest(three, first, "put it on a boat")
    backed = await back(world.bob, first, two)
    assert backed.content == "You back `give it a hat`."
    await back(three, first, two)
    await happen(world)
    lines = now(world, first).content.splitlines()
    listed = [line for line in lines if line.startswith(("**1**", "**2**", "**3**"))]
    assert listed == [
        f"**1** `give it a hat` by {two.mention} · 3 people for it",
        f"**2** `make it night` by {one.mention} · 1 person for it",
        f"**3** `put it on a boat` by {three.mention} · 0 people for it",
    ]

    second = await go_on(world)
    assert second.reference.message_id == first.id
    assert second.content.startswith("**Vote, round 2 of 3:**")
    assert len(second.attachments) == 3, "as many as before"
    for credited in (
        f"**1** `give it a hat` by {two.mention}",
        f"**2** `make it night` by {one.mention}",
        f"**3** `put it on a boat` by {three.mention}",
    ):
        assert credited in second.content
    asked = {request.body["prompt"]: request for request in list(world.painter.requests)[-3:]}
    assert asked.keys() == {"give it a hat", "make it night", "put it on a boat"}
    winner = await first.attachments[1].read()
    for request in range(-3, 0):
        [sent] = references(world, request)
        assert alike(sent, winner), "each is an edit of the winner"
    assert labels(now(world, first))[:3] == ["1", "2", "3"], "the first one is a result by now"

    await close(world, second, 1)
    await suggest(one, second, "make it snow")
    third = await go_on(world)
    assert f"**1** `make it snow` by {one.mention}\n**2** `a strong" in third.content
    await close(world, third, 3)
    final = await newest(world)
    assert await stages(world) == [(1, "over"), (2, "over"), (3, "over")]
    picture, sheet = final.attachments
    assert picture.description.startswith("AI-generated with FLUX.2 [pro], a strong variation")
    assert sheet.filename == "how-we-got-here.jpg"
    assert "round 2: picture 1 won with the only vote" in sheet.description
    assert Image.open(BytesIO(await sheet.read())).format == "JPEG"
    assert (
        "**How we got here**\n"
        "Round 1: picture 2 with the only vote\n"
        f"Round 2: picture 1, `give it a hat` by {two.mention}, with the only vote\n"
        "Round 3: picture 3, `a strong variation`, with the only vote" in final.content
    )
    assert (await world.usage(world.ann)).day_used == 9, "its opener has paid for all"
    assert await world.usage(world.bob) is None
    parents = [row.parent_id for row in await world.rows(sources)]
    made = [row.id for row in await world.generations()]
    assert parents == made[:2], "the whole tree is kept"


async def test_later_rounds_are_named_by_the_words_with_which_it_began(world: World) -> None:
    await world.imagine(world.bob, count=2)
    asked = last(await open_on(world, world.results()[0], rounds=["3"]))
    await world.ann.click(asked, label="Start the vote")
    await happen(world)
    first = await newest(world)
    await close(world, first, 1)
    await suggest(crowd(world)[0], first, "give it a hat")
    second = await go_on(world)
    await close(world, second, 1)
    third = await go_on(world)
    began = f"`a red fox in fresh snow` by {world.bob.mention}\n"
    for number, ballot in ((2, second), (3, third)):
        assert ballot.content.startswith(f"**Vote, round {number} of 3:** {began}")
    standing = last(await world.bob.slash(world.channel, "vote standing"))
    assert "- `a red fox in fresh snow` · round 3," in standing.content
    await close(world, third, 2)
    assert now(world, third).content.startswith(f"**Vote, round 3 of 3, closed:** {began}")
    assert (await newest(world)).content.startswith(
        "**The vote has a winner:** `a red fox in fresh snow`\n"
        f"Asked for by {world.bob.mention}. It won with the only vote."
    )


async def test_without_suggestions_the_winner_is_varied(world: World) -> None:
    first = await start(world, rounds=2, count=2)
    await close(world, first, 1)
    second = await go_on(world)
    assert len(second.attachments) == 2
    assert "Strong variations of" in second.content
    [sent] = references(world)
    assert alike(sent, await first.attachments[0].read())


async def test_a_vote_on_a_result_goes_on_too(world: World) -> None:
    await world.imagine(world.bob, count=3)
    [result] = world.results()
    asked = last(await open_on(world, result, rounds=["2"]))
    assert asked.content.startswith("**A vote in 2 rounds**")
    assert "Up to **3 pictures** are painted" in asked.content
    assert len(world.results()) == 1, "nothing is posted before a yes"
    started = last(await world.ann.click(asked, label="Start the vote"))
    assert started.content.startswith("The ballot is on its way")
    await happen(world)
    first = await newest(world)
    await close(world, first, 3)
    second = await go_on(world)
    assert (await world.generations())[-1].person_id == world.ann.id, "who opened it pays"
    assert world.bob.mention in second.content, "who began is named"


async def test_one_suggestion_each_which_can_be_written_anew(world: World) -> None:
    first = await start(world, rounds=2, count=2)
    await close(world, first, 1)
    one = crowd(world)[0]
    await suggest(one, first, "make it night")
    form = await one.click(now(world, first), label="Suggest a change…")
    [label] = form.modal["components"]
    assert label["component"]["value"] == "make it night", "one goes on from what one wrote"
    await one.submit_modal(form, {"words": "make it day"})
    [row] = await world.rows(suggestions)
    assert (row.person_id, row.words) == (one.id, "make it day")
    [backing] = await world.rows(backings)
    assert (backing.person_id, backing.backs) == (one.id, one.id)


async def test_who_backed_other_words_backs_none_any_more(world: World) -> None:
    first = await start(world, rounds=2, count=2)
    await close(world, first, 1)
    one, two, *_ = crowd(world)
    await suggest(one, first, "make it night")
    await happen(world)
    await back(two, first, one)
    await suggest(one, first, "make it ugly")
    assert [(row.person_id, row.backs) for row in await world.rows(backings)] == [(one.id, one.id)]
    await suggest(two, first, "make it pretty")
    await happen(world)
    await back(one, first, two)
    told = await suggest(one, first, "make it nice")
    assert (
        told.content
        == "It is on the list. You still back another one; the menu there changes that."
    )


async def test_ones_own_suggestion_can_be_taken_back(world: World) -> None:
    first = await start(world, rounds=2, count=2)
    await close(world, first, 1)
    one, two, *_ = crowd(world)
    await suggest(one, first, "make it night")
    await suggest(two, first, "make it day")
    await happen(world)
    assert labels(await back(one, first, two)) == [], "it is not theirs to take off"
    asked = await back(one, first, one)
    assert asked.content == "You back `make it night`."
    told = last(await one.click(asked, label="Take it off the list"))
    assert told.content == "`make it night` is off the list, and nobody backs it any more."
    assert told.ephemeral
    await happen(world)
    shown = now(world, first)
    assert "make it night" not in shown.content
    assert "**1** `make it day`" in shown.content
    assert [(row.person_id, row.backs) for row in await world.rows(backings)] == [(two.id, two.id)]
    again = last(await one.click(asked, label="Take it off the list"))
    assert again.content == "That suggestion is not there any more."


async def test_who_has_no_vote_can_suggest_changes_all_the_same(world: World) -> None:
    role = world.guild.create_role("jury")
    one = world.guild.add_member(world.env.create_user("juror"), roles=[role])
    await world.client.studio.votes.let_vote(world.guild.id, opener_votes=False)
    first = await start(world, rounds=2, count=2, voters=role)
    await press(one, first, 1)
    await happen(world)
    assert (await suggest(world.ann, first, "make it night")).content.startswith("It is on the")
    assert (await suggest(world.bob, first, "give it a hat")).content.startswith("It is on the")
    await happen(world)
    assert (await back(world.ann, first, world.bob)).content == "You back `give it a hat`."
    second = await go_on(world)
    assert f"**1** `give it a hat` by {world.bob.mention}" in second.content


async def test_who_may_take_no_part_suggests_nothing(world: World) -> None:
    await world.client.studio.votes.let_vote(world.guild.id, account_days=3650)
    first = await start(world, rounds=2, count=2)
    [row] = await world.rows(rounds)
    old = Voter(77, world.guild.id)
    await world.client.studio.votes.cast(row.id, 1, old, 1)
    await let_pass(world, 600)
    told = last(await world.bob.click(now(world, first), label="Suggest a change…"))
    assert "accounts can take part in votes once they are 3650 days old" in told.content


async def test_a_moderator_takes_suggestions_off_even_without_a_vote(world: World) -> None:
    role = world.guild.create_role("jury")
    may = discord.Permissions(manage_messages=True)
    moderators = world.guild.create_role("moderators", permissions=may)
    one = world.guild.add_member(world.env.create_user("juror"), roles=[role])
    max_ = world.guild.add_member(world.env.create_user("max"), roles=[moderators])
    first = await start(world, rounds=2, count=2, voters=role)
    await press(one, first, 1)
    await happen(world)
    await suggest(one, first, "something rude")
    await happen(world)
    asked = await back(max_, first, one)
    assert asked.content == "You back `something rude`."
    last(await max_.click(asked, label="Take it off the list"))
    assert await world.rows(suggestions) == []
    await happen(world)
    assert "rude" not in now(world, first).content
    await go_on(world)
    assert "rude" not in world.painter.requests[-1].body["prompt"]


async def the_same_twice(world: World) -> tuple[Any, list[simcord.MemberActor]]:
    """Two have the same words, and a third one backs them; the ballot and those three."""
    first = await start(world, rounds=2, count=2)
    await close(world, first, 1)
    one, two, three, *_ = crowd(world)
    await suggest(one, first, "Ein größerer Hut")
    await suggest(two, first, "EIN GRÖSSERER HUT")
    await happen(world)
    await back(three, first, one)
    await happen(world)
    assert f"`Ein größerer Hut` by {one.mention} · 3 people for it" in now(world, first).content
    return first, [one, two, three]


async def test_who_writes_anew_leaves_those_who_back_it_to_others_with_the_same_words(
    world: World,
) -> None:
    first, [one, two, _] = await the_same_twice(world)
    await suggest(one, first, "make it night")
    await happen(world)
    shown = now(world, first).content
    assert f"**1** `EIN GRÖSSERER HUT` by {two.mention} · 2 people for it" in shown
    assert f"**2** `make it night` by {one.mention} · 1 person for it" in shown
    await suggest(two, first, "Ein Größerer Hut")
    await happen(world)
    shown = now(world, first).content
    assert f"**1** `Ein Größerer Hut` by {two.mention} · 2 people for it" in shown, "the same words"


async def test_what_others_suggest_too_stays_when_one_takes_it_back(world: World) -> None:
    first, [one, two, _] = await the_same_twice(world)
    asked = await back(one, first, one)
    told = last(await one.click(asked, label="Take it off the list"))
    assert told.content == (
        "`Ein größerer Hut` is not yours any more. It stays on the list: others suggest the same."
    )
    await happen(world)
    shown = now(world, first).content
    assert f"**1** `EIN GRÖSSERER HUT` by {two.mention} · 2 people for it" in shown


async def test_what_a_moderator_takes_off_is_off_whoever_had_the_words(world: World) -> None:
    may = discord.Permissions(manage_messages=True)
    role = world.guild.create_role("moderators", permissions=may)
    max_ = world.guild.add_member(world.env.create_user("max"), roles=[role])
    first, [one, *_] = await the_same_twice(world)
    asked = await back(max_, first, one)
    told = last(await max_.click(asked, label="Take it off the list"))
    assert told.content == "`Ein größerer Hut` is off the list, and nobody backs it any more."
    await happen(world)
    assert "HUT" not in now(world, first).content
    assert await world.rows(suggestions) == []
    assert await world.rows(backings) == []


async def test_nobody_else_takes_suggestions_off_nor_anybody_too_late(world: World) -> None:
    first = await start(world, rounds=2, count=2)
    await close(world, first, 1)
    one = crowd(world)[0]
    await suggest(one, first, "make it night")
    await happen(world)
    asked, votes = await back(one, first, one), world.client.studio.votes
    round_id = (await world.rows(suggestions))[0].round_id
    with pytest.raises(NotAllowed, match="Only its author"):
        await votes.take_off(round_id, one.id, Voter(world.ann.id, world.guild.id))
    await go_on(world)
    told = last(await one.click(asked, label="Take it off the list"))
    assert told.content.startswith("It is too late for suggestions here")
    assert [row.words for row in await world.rows(suggestions)] == ["make it night"]


async def test_the_list_tells_of_the_winner_that_stays(world: World) -> None:
    first = await start(world, rounds=2, count=2)
    await close(world, first, 2)
    await go_on(world)
    await let_pass(world, 600)
    await let_pass(world, 600)
    standing = last(await world.bob.slash(world.channel, "vote standing"))
    assert "· picture 2 won with the only vote ·" in standing.content
    assert f"/{world.results()[-1].id})" in standing.content


async def test_how_it_was_decided_is_told_to_whoever_asks(world: World) -> None:
    first = await start(world, rounds=2, count=2)
    await close(world, first, 2)
    second = await go_on(world)
    await close(world, second, 1)
    told = last(await world.bob.click(await newest(world), label="How it was decided"))
    assert told.ephemeral
    assert "**Vote, round 1 of 2, closed:**" in told.content
    assert "**Picture 1 wins** with the only vote." in told.content


async def test_suggestions_are_words_and_nothing_else(world: World) -> None:
    first = await start(world, rounds=2, count=2)
    await close(world, first, 1)
    one, two, *_ = crowd(world)
    await suggest(one, first, "@everyone `code` [link](https://example.com) {a|b}")
    refused = await suggest(two, first, "\u200b")
    assert "Write what should change" in refused.content
    await happen(world)
    shown = now(world, first).content
    assert "`@everyone ˋcodeˋ [link](https://example.com) {a|b}`" in shown
    second = await go_on(world)
    prompts = [request.body["prompt"] for request in world.painter.requests]
    assert any(p.endswith("{a|b}") for p in prompts), "braces are words there"
    assert len(second.attachments) == 2


async def test_a_link_in_a_suggestion_is_a_word_in_every_round(world: World) -> None:
    first = await start(world, rounds=3, count=2)
    await close(world, first, 1)
    words = "https://cats.invalid/cat.png like this cat"
    await suggest(crowd(world)[0], first, words)
    second = await go_on(world)
    assert f"**1** `{words}`" in second.content
    await close(world, second, 1)
    await go_on(world)
    assert world.painter.requests[-1].body["prompt"].endswith(words)
    assert len(await world.rows(sources)) == 2, "each round is painted from its winner alone"
    assert [number for number, _ in await stages(world)] == [1, 2, 3]


async def test_it_is_too_late_for_suggestions(world: World) -> None:
    first = await start(world, rounds=2, count=2)
    await close(world, first, 1)
    one = crowd(world)[0]
    form = await one.click(now(world, first), label="Suggest a change…")
    await go_on(world)
    told = last(await one.submit_modal(form, {"words": "make it night"}))
    assert told.ephemeral
    assert "It is too late for suggestions here" in told.content
    assert await world.rows(suggestions) == []


async def test_what_is_not_taken_is_handed_back(world: World) -> None:
    first = await start(world, rounds=2, count=2)
    await close(world, first, 1)
    [row] = await world.rows(rounds)
    for number in range(SUGGESTIONS_MAX):
        voter = Voter(100 + number, world.guild.id)
        await world.client.studio.votes.suggest(row.id, f"a hat of size {number}", voter)
    await happen(world)
    told = await suggest(world.bob, first, "make it night\nwith stars")
    assert told.content.startswith(f"There are {SUGGESTIONS_MAX} suggestions already")
    assert told.content.endswith("You had written:\n```\nmake it night\nwith stars\n```")


async def test_the_opener_begins_the_next_round_or_stops(world: World) -> None:
    first = await start(world, rounds=3, count=2)
    await close(world, first, 1)
    told = await push(world.bob, first, "Start round 2 now")
    assert "who opened the vote" in told.content
    told = await push(world.ann, first, "Start round 2 now")
    assert told.content == "The next round is on its way."
    await happen(world)
    second = await newest(world)
    assert second.content.startswith("**Vote, round 2 of 3:**")
    await close(world, second, 2)
    await push(world.ann, second, "End the vote here")
    await happen(world)
    final = await newest(world)
    assert final.content.startswith("**The vote has a winner:**")
    assert len(final.attachments) == 2, "and how it came to be"
    assert await stages(world) == [(1, "over"), (2, "over")]


async def test_the_allowance_ends_it_with_the_winner_there_is(tmp_path: Path) -> None:
    async with open_world(tmp_path, user_images_per_day=4) as world:
        first = await start(world, rounds=2, count=3)
        await close(world, first, 3)
        await let_pass(world, 300)
        final = await newest(world)
        assert final.content.startswith("**The vote has a winner:**")
        assert (
            f"The vote ended early. The allowance of {world.ann.mention} has no room for round 2."
            in final.content
        )
        assert await stages(world) == [(1, "over")]
        assert (await world.usage(world.ann)).day_used == 3


async def test_the_limit_of_a_minute_is_waited_for(tmp_path: Path) -> None:
    async with open_world(tmp_path, user_images_per_minute=4) as world:
        first = await start(world, rounds=2, count=3)
        await close(world, first, 3)
        await let_pass(world, 300)
        assert await stages(world) == [(1, "between")]
        earlier = {"minute_start": people.c.minute_start - 61}
        await world.client._database.write(lambda c: c.execute(update(people).values(**earlier)))
        await let_pass(world, 61)
        assert await stages(world) == [(1, "over"), (2, "open")]


async def test_a_round_that_cannot_be_painted_ends_it_with_the_winner_there_is(
    world: World,
) -> None:
    first = await start(world, rounds=2, count=2)
    await close(world, first, 2)
    for who in crowd(world)[:2]:
        await suggest(who, first, f"{SAFETY_WORD} {who.name}")
    await let_pass(world, 300)
    await happen(world)
    final = await newest(world)
    assert final.content.startswith("**The vote has a winner:**"), final.content
    assert final.reference.message_id == first.id
    told = "The image service refused to paint the pictures of round 2."
    assert (await world.rows(contests))[0].ending == told
    assert f"The vote ended early. {told}" in final.content
    assert await stages(world) == [(1, "over"), (2, "over")]
    assert (await world.usage(world.ann)).day_reserved == 0


async def test_the_only_picture_that_could_be_painted_wins_without_a_vote(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    show_at_once, shown = DiscordPresenter.show, list[Any]()

    async def show(presenter: Any, board: Any) -> None:
        shown.append(world.results()[-1])
        await show_at_once(presenter, board)

    monkeypatch.setattr(DiscordPresenter, "show", show)
    final = await start(world, prompt=f"{{a fox|{SAFETY_WORD}}} in snow", duration="7d")
    await happen(world)
    assert await stages(world) == [(1, "over")]
    first = world.results()[0]
    for ballot in (shown[0], now(world, first)):
        assert ballot.content.startswith("**Vote, closed:**")
        assert "**Picture 1 wins** as the only one that could be painted." in ballot.content
        assert "Press a number" not in ballot.content
        assert "0 votes" not in ballot.content
        assert "Close the vote" not in labels(ballot)
    assert final.reference.message_id == first.id
    assert "It won as the only one that could be painted." in final.content
    assert len(final.attachments) == 1


async def test_the_only_picture_goes_on_as_any_winner_does(world: World) -> None:
    first = await start(world, prompt=f"{{a fox|{SAFETY_WORD}}} in snow", rounds=2)
    await happen(world)
    assert await stages(world) == [(1, "between")]
    assert "Suggest a change…" in labels(now(world, first))
    one = crowd(world)[0]
    await suggest(one, first, "make it night")
    second = await go_on(world)
    assert len(second.attachments) == 2, "there is a choice again"
    await close(world, second, 1)
    final = await newest(world)
    assert "Round 1: picture 1, `a fox in snow`, as the only one that" in final.content
    assert final.attachments[1].filename == "how-we-got-here.jpg"


async def test_a_reply_to_the_winner_edits_it_and_not_the_drawing_beside_it(world: World) -> None:
    first = await start(world, rounds=2, count=2)
    await close(world, first, 2)
    await close(world, await go_on(world), 1)
    final = await newest(world)
    assert len(final.attachments) == 2
    await world.bob.send(world.channel, "make it snow", reply_to=final)
    edited = await newest(world)
    assert "`make it snow`" in edited.content, "it was asked which"
    [sent] = references(world)
    assert alike(sent, await final.attachments[0].read())


async def test_nobody_votes_in_a_later_round(world: World) -> None:
    first = await start(world, rounds=2, count=2)
    await close(world, first, 2)
    second = await go_on(world)
    await let_pass(world, 600)
    await let_pass(world, 600)
    assert "Nobody voted, so the winner of round 1 stays." in now(world, second).content
    final = await newest(world)
    assert "The vote ended early. Nobody voted in round 2." in final.content
    assert final.reference.message_id == first.id


async def test_where_it_may_not_read_what_was_said_the_next_ballot_stands_alone(
    world: World,
) -> None:
    unread = discord.PermissionOverwrite(read_message_history=False)
    world.channel = world.guild.create_text_channel("unread", overwrites={world.guild.me: unread})
    first = await start(world, rounds=2, count=2)
    await first_vote(world)
    await let_pass(world, 600)
    second = await go_on(world)
    assert second.reference is None
    assert second.content.startswith("**Vote, round 2 of 2:**")
    assert now(world, first).content.startswith("**Vote, round 1 of 2, closed:**")


async def first_vote(world: World) -> None:
    """Somebody's, for the first picture, in a channel that nobody else may look into."""
    [row] = await world.rows(rounds)
    voter = Voter(world.bob.id, world.guild.id)
    await world.client.studio.votes.cast(row.id, 1, voter, 1)


async def test_the_next_round_begins_once_whoever_begins_it(world: World) -> None:
    first = await start(world, rounds=2, count=2)
    await close(world, first, 1)
    await world.restart()
    await go_on(world)
    back_again = {"stage": "between", "due_at": time.time() - 1}
    change = update(rounds).where(rounds.c.number == 1).values(**back_again)
    await world.client._database.write(lambda c: c.execute(change))
    await happen(world)
    assert len(await world.generations()) == 2, "the same message leads to one thing"


async def models_of(world: World) -> list[str]:
    """Two that the sandbox has, by their ids."""
    offered = [model.id for model in world.client.studio.catalogue.offered()]
    return offered[:2]


async def test_which_model_stays_secret_until_the_end(world: World) -> None:
    one, two = await models_of(world)
    ballot = await start(world, model=one, model2=two)
    catalogue = world.client.studio.catalogue
    names = [catalogue.get(model).name for model in (one, two)]
    assert len(ballot.attachments) == 2
    assert {file.filename.rpartition(".")[2] for file in ballot.attachments} == {"jpg"}
    assert "Which model painted which one is told when the vote is closed." in ballot.content
    for number, file in enumerate(ballot.attachments, start=1):
        data = await file.read()
        told = [ballot.content, file.description, data.decode("latin-1")]
        assert recipe.read(data) is not None, "that a machine has made it, it says all the same"
        assert not any(name in text for name in (*names, one, two) for text in told)
        assert file.description == f"Picture {number} of 2. AI-generated: a red fox"
    [row] = await world.generations()
    shown = last(await world.ann.slash(world.channel, "show", id=row.id))
    assert "stays secret until the vote is closed" in shown.content
    await press(world.bob, ballot, 2)
    await let_pass(world, 600)
    closed = now(world, ballot).content
    [made] = await world.generations()
    painted = {row.position: row.model for row in await world.rows(pictures)}
    assert set(painted.values()) == {one, two}
    told = [catalogue.get(painted[position]).name for position in (1, 2)]
    assert f"**1** `{told[0]}`\n**2** `{told[1]}`" in closed
    final = await newest(world)
    assert told[1] in final.content
    assert told[1] in final.attachments[0].description
    assert made.id == row.id
    shown = last(await world.ann.slash(world.channel, "show", id=row.id))
    assert "a red fox" in shown.content


async def test_which_model_stays_secret_in_a_runoff(world: World) -> None:
    one, two = await models_of(world)
    names = [world.client.studio.catalogue.get(model).name for model in (one, two)]
    ballot = await start(world, model=one, model2=two)
    for who, position in zip(crowd(world), (1, 2), strict=False):
        await press(who, ballot, position)
    await let_pass(world, 600)
    shown = now(world, ballot).content
    assert shown.startswith("**Runoff** between 1 and 2, which were tied:")
    assert "Which model painted which one is told when the vote is closed." in shown
    assert not any(name in shown for name in names)
    [row] = await world.generations()
    told = last(await world.ann.slash(world.channel, "show", id=row.id))
    assert "stays secret until the vote is closed" in told.content
    await press(world.bob, ballot, 2)
    await let_pass(world, 300)
    assert all(name in now(world, ballot).content for name in names)


async def test_models_and_a_count_do_not_go_together(world: World) -> None:
    one, two = await models_of(world)
    options = {"prompt": "a fox", "model": one, "model2": two, "count": 3}
    told = last(await world.ann.slash(world.channel, "vote start", **options))
    assert told.ephemeral
    assert "each" in told.content


@pytest.mark.parametrize("count", [2, 4])
async def test_every_round_has_as_many_candidates(world: World, count: int) -> None:
    first = await start(world, rounds=2, count=count)
    await close(world, first, count)
    assert len((await go_on(world)).attachments) == count
