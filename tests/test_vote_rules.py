"""Whose vote counts, what a tie leads to, and what is refused with nothing counted."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

import discord
import pytest
from booth import (
    cast,
    crowd,
    happen,
    let_pass,
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
from sqlalchemy import update

from bot.app import open_easel
from bot.delivery import DiscordDelivery, DiscordPresenter
from bot.errors import NotAllowed, Refusal
from bot.store import rounds as store
from bot.store.schema import servers
from bot.store.vote_schema import ballots, contests, rounds
from bot.studio import closing
from bot.studio.casting import UnknownVote, VoteOver
from bot.studio.contest import board_of
from bot.studio.voting import Voter
from bot.views.ballot import cast_text
from bot.views.base import UNKNOWN_INTERACTION

if TYPE_CHECKING:
    import simcord
    from world import World

DAY_S = 24 * 60 * 60


async def change(world: World, statement: Any) -> None:
    await world.client._database.write(lambda connection: connection.execute(statement))


async def refused(world: World, who: simcord.MemberActor, ballot: Any, position: int = 1) -> str:
    """What somebody reads whose press is not counted."""
    before = await cast(world)
    answer = await press(who, ballot, position)
    assert answer.ephemeral
    assert await cast(world) == before, "nothing is counted"
    return answer.content


def somebody(world: World, person_id: int = 77, **changed: Any) -> Voter:
    known = {"server_id": world.guild.id, "account_since": 0.0, "member_since": 0.0}
    return Voter(person_id, **known | changed)


async def test_after_the_close_nothing_counts(world: World) -> None:
    ballot = await start(world, count=2)
    await vote(world, ballot, 1)
    one = await the_round(world)
    await change(world, update(rounds).values(closes_at=time.time() - 1))
    told = await refused(world, world.bob, ballot, 2)
    assert told == "This ballot is closed. `/vote standing` lists what is open."
    await happen(world)
    with pytest.raises(VoteOver):
        await world.client.studio.votes.cast(one.id, 2, somebody(world), 2**62)
    assert set((await cast(world)).values()) == {1}


async def test_only_those_of_the_role_vote(world: World) -> None:
    painters = world.guild.create_role("painters")
    pia, max_ = (
        world.guild.add_member(world.env.create_user(name), roles=[painters])
        for name in ("pia", "max")
    )
    ballot = await start(world, count=2, voters=painters)
    assert f"<@&{painters.id}> can vote" in ballot.content
    assert (
        await refused(world, world.bob, ballot) == f"In this vote only <@&{painters.id}> can vote."
    )
    assert "You vote for picture 2" in (await press(pia, ballot, 2)).content
    assert await stages(world) == [(1, "open")], "one of them has not voted yet"
    await press(max_, ballot, 2)
    await happen(world)
    assert await stages(world) == [(1, "over")], "all of them have"
    assert "**Picture 2 wins** with 2 of 2 votes." in now(world, ballot).content


async def test_who_joins_the_role_is_waited_for(world: World) -> None:
    painters = world.guild.create_role("painters")
    pia = world.guild.add_member(world.env.create_user("pia"), roles=[painters])
    ballot = await start(world, count=2, voters=painters)
    max_ = world.guild.add_member(world.env.create_user("max"), roles=[painters])
    await press(pia, ballot, 1)
    await happen(world)
    assert await stages(world) == [(1, "open")]
    await press(max_, ballot, 1)
    await happen(world)
    assert await stages(world) == [(1, "over")]


async def test_an_opener_who_has_no_vote_is_not_waited_for(world: World) -> None:
    painters = world.guild.create_role("painters")
    opener, pia = (
        world.guild.add_member(world.env.create_user(name), roles=[painters])
        for name in ("olga", "pia")
    )
    await world.client.studio.votes.let_vote(world.guild.id, opener_votes=False)
    ballot = await start(world, opener, count=2, voters=painters)
    assert "leaves it to the others" in await refused(world, opener, ballot)
    await press(pia, ballot, 2)
    await happen(world)
    assert await stages(world) == [(1, "over")]


async def a_vote_of_painters(world: World, *names: str) -> tuple[Any, list[simcord.MemberActor]]:
    """A ballot for a role, and those who have it."""
    painters = world.guild.create_role("painters")
    people = [world.guild.add_member(world.env.create_user(n), roles=[painters]) for n in names]
    return await start(world, count=2, voters=painters), people


def cannot_count(world: World, times: int | None = 1) -> None:
    counts = f"/guilds/{world.guild.id}/roles/member-counts"
    world.env.inject_error("GET", counts, status=404, times=times)


async def test_where_discord_does_not_tell_how_many_they_are_time_closes_it(world: World) -> None:
    ballot, [pia] = await a_vote_of_painters(world, "pia")
    cannot_count(world, times=None)
    await press(pia, ballot, 2)
    await happen(world)
    for _ in range(3):
        await let_pass(world, 61)
        assert await stages(world) == [(1, "open")]
    await let_pass(world, 600)
    assert await stages(world) == [(1, "over")]


async def test_what_discord_did_not_tell_is_asked_again_a_minute_later(world: World) -> None:
    ballot, [pia] = await a_vote_of_painters(world, "pia")
    cannot_count(world)
    await press(pia, ballot, 2)
    await happen(world)
    assert await stages(world) == [(1, "open")]
    await let_pass(world, 61)
    assert await stages(world) == [(1, "over")]


async def test_what_discord_did_not_tell_is_asked_after_a_restart(world: World) -> None:
    ballot, [pia] = await a_vote_of_painters(world, "pia")
    cannot_count(world)
    await press(pia, ballot, 2)
    await world.restart()
    await happen(world)
    assert await stages(world) == [(1, "over")]


async def test_who_leaves_the_role_is_not_waited_for(world: World) -> None:
    ballot, [pia, max_] = await a_vote_of_painters(world, "pia", "max")
    await press(pia, ballot, 2)
    await happen(world)
    world.guild.remove_member(max_)
    await happen(world)
    assert await stages(world) == [(1, "open")]
    await let_pass(world, 61)
    assert await stages(world) == [(1, "over")]


async def test_while_those_of_a_role_are_waited_for_little_is_asked_of_discord(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ballot, [pia, _] = await a_vote_of_painters(world, "pia", "max")
    asked: list[str] = []
    for name in ("show", "count_voters"):
        as_ever = getattr(DiscordPresenter, name)

        async def noted(presenter: Any, board: Any, *, name: str = name, do: Any = as_ever) -> Any:
            asked.append(name)
            return await do(presenter, board)

        monkeypatch.setattr(DiscordPresenter, name, noted)
    due_now = update(rounds).values(due_at=1.0)
    for _ in range(3):
        await change(world, due_now)
        await happen(world)
    assert asked == [], "nobody has voted"
    await press(pia, ballot, 2)
    await happen(world)
    assert sorted(asked) == ["count_voters", "show"]
    for _ in range(3):
        await change(world, due_now)
        await happen(world)
    assert sorted(asked) == ["count_voters"] * 4 + ["show"]
    assert (await the_round(world)).due_at == pytest.approx(time.time() + 60, abs=20)


async def test_a_server_can_ask_for_age(world: World) -> None:
    await change(world, servers.insert().values(id=world.guild.id, first_seen_at=0.0))
    votes = world.client.studio.votes
    await votes.let_vote(world.guild.id, account_days=3650)
    ballot = await start(world, count=2)
    told = await refused(world, world.bob, ballot)
    assert told.startswith(
        "In this server, accounts can take part in votes once they are 3650 days old."
    )
    assert (await the_contest(world)).account_days == 3650
    await votes.let_vote(world.guild.id, account_days=0, member_days=3650)
    assert "3650 days old" in await refused(world, world.bob, ballot), "its rules stay"
    young = await start(world, world.bob, count=2)
    told = await refused(world, world.ann, young)
    assert "one can take part in votes after 3650 days as a member" in told


async def test_a_server_decides_by_its_settings(world: World) -> None:
    votes = world.client.studio.votes
    voters = await votes.let_vote(world.guild.id, opener_votes=False)
    assert (voters.opener_votes, voters.voter_account_days) == (False, 0)
    voters = await votes.let_vote(world.guild.id, account_days=7)
    assert (voters.opener_votes, voters.voter_account_days) == (False, 7), "the other one stays"


async def test_a_press_in_another_server_counts_nowhere(world: World) -> None:
    await start(world, count=2)
    one = await the_round(world)
    with pytest.raises(NotAllowed, match="another server"):
        await world.client.studio.votes.cast(one.id, 1, somebody(world, server_id=5), 2**62)
    assert await cast(world) == {}


async def test_bots_have_no_vote(world: World) -> None:
    await start(world, count=2)
    one = await the_round(world)
    with pytest.raises(NotAllowed, match="Bots have no vote"):
        await world.client.studio.votes.cast(one.id, 1, somebody(world, is_bot=True), 2**62)


async def test_a_round_that_never_was(world: World) -> None:
    with pytest.raises(UnknownVote):
        await world.client.studio.votes.cast("0123456789", 1, somebody(world), 2**62)


async def test_an_event_that_comes_twice_or_late_changes_nothing(world: World) -> None:
    await start(world, count=3)
    one, votes = await the_round(world), world.client.studio.votes
    for press_id, position, expected in [
        (100, 2, 2),
        (100, 2, 2),  # told twice: it is not taken back
        (102, 2, None),  # pressed again: it is
        (101, 3, None),  # an earlier press that comes late
        (102, 2, None),  # told twice
        (103, 3, 3),
    ]:
        told = await votes.cast(one.id, position, somebody(world), press_id)
        assert told.position == expected
        assert (await cast(world))[77] == expected


async def test_a_tie_leads_to_a_runoff_of_half_the_time(world: World) -> None:
    ballot = await start(world, count=3)
    await vote(world, ballot, 1, 1, 3, 3, 2)
    await let_pass(world, 600)
    shown = now(world, ballot)
    assert "**Runoff** between 1 and 3, which were tied:" in shown.content
    one = await the_round(world)
    assert one.stage == "runoff"
    assert one.closes_at == pytest.approx(time.time() + 300, abs=5)
    assert [b.label for row in shown.components for b in row.children] == [
        "1 · 0 votes",
        "3 · 0 votes",
        "Close the vote",
    ]
    await press(world.bob, ballot, 3)
    await let_pass(world, 300)
    shown = now(world, ballot).content
    assert "**Picture 3 wins** in a runoff, with the only vote." in shown
    assert "First: picture 1: 2 votes, picture 2: 1 vote, picture 3: 2 votes." in shown
    assert "Runoff: picture 1: 0 votes, picture 3: 1 vote." in shown


async def test_a_runoff_lasts_half_a_minute_at_least(world: World) -> None:
    ballot = await start(world, count=2, duration="40s")
    await vote(world, ballot, 1, 2)
    await let_pass(world, 40)
    assert (await the_round(world)).closes_at == pytest.approx(time.time() + 30, abs=5)


async def test_who_is_out_gets_no_votes_in_a_runoff(world: World) -> None:
    ballot = await start(world, count=3)
    stale = now(world, ballot)
    await vote(world, ballot, 1, 3)
    await let_pass(world, 600)
    one = await the_round(world)
    before = await cast(world)
    with pytest.raises(Refusal, match="Picture 2 is out: this is a runoff"):
        await world.client.studio.votes.cast(one.id, 2, somebody(world), 2**62)
    assert await cast(world) == before
    assert stale.id == ballot.id


async def test_who_presses_one_that_is_out_before_the_ballot_shows_it_reads_so(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ballot = await start(world, count=3)
    await vote(world, ballot, 1, 3)

    async def show(*_: Any) -> None:
        """Discord is slow, and the buttons are those of before."""

    monkeypatch.setattr(DiscordPresenter, "show", show)
    await let_pass(world, 600)
    assert await stages(world) == [(1, "runoff")]
    told = await refused(world, world.bob, ballot, 2)
    assert told == "Picture 2 is out: this is a runoff. Choose 1 or 3."


async def test_what_stays_tied_is_drawn_by_the_seed_that_was_shown(world: World) -> None:
    ballot = await start(world, count=3)
    one = await the_round(world)
    assert f"the number {one.seed:,} decides" in ballot.content
    await vote(world, ballot, 1, 3)
    await let_pass(world, 600)
    await vote(world, ballot, 3, 1)
    await let_pass(world, 300)
    expected = [1, 3][one.seed % 2]
    shown = now(world, ballot).content
    how = f"by lot, since 1 and 3 stayed tied: the seed {one.seed:,} divided by 2 leaves"
    how += f" {one.seed % 2}, and counted from 0 that is picture {expected}"
    assert f"**Picture {expected} wins** {how}." in shown
    final = world.results()[-1].content
    assert f"It won {how}." in final, "who reads of the winner reads of the draw"
    decided = await the_round(world)
    assert (decided.winner, decided.drawn) == (expected, 1)


async def test_without_votes_it_is_extended_once_and_then_over(world: World) -> None:
    ballot = await start(world, count=2)
    await let_pass(world, 600)
    shown = now(world, ballot).content
    assert "Nobody had voted, so it stays open for as long again." in shown
    assert await stages(world) == [(1, "open")]
    await let_pass(world, 600)
    shown = now(world, ballot).content
    assert "Nobody voted, so there is no winner." in shown
    assert await stages(world) == [(1, "over")]
    assert len(world.results()) == 1, "no winner is posted"
    assert (await the_contest(world)).ended_at is not None


async def test_closed_by_hand_without_votes_it_is_over_at_once(world: World) -> None:
    ballot = await start(world, count=2)
    await push(world.ann, ballot, "Close the vote")
    await happen(world)
    assert await stages(world) == [(1, "over")]
    assert "Nobody voted, so there is no winner." in now(world, ballot).content


async def test_closed_by_hand_a_tie_is_a_tie(world: World) -> None:
    ballot = await start(world, count=2)
    await vote(world, ballot, 1, 2)
    told = await push(world.ann, ballot, "Close the vote")
    assert told.content == "Closed. It is a tie, so a runoff has begun."
    await happen(world)
    assert await stages(world) == [(1, "runoff")]


async def test_what_was_decided_meanwhile_is_not_put_off(world: World) -> None:
    ballot = await start(world, count=2)
    await vote(world, ballot, 1)
    one, write = await the_round(world), world.client._database.write
    await change(world, update(rounds).values(due_at=5.0))
    [taken] = await write(store.take_due, 10.0, 5.0)
    await write(closing.settle, one.id, time.time(), by_hand=True)
    await write(store.put_off, taken, 2e9)
    assert (await the_round(world)).due_at < 2e9, "a winner would wait until then"


async def test_two_processes_close_it_once(world: World) -> None:
    ballot = await start(world, count=2)
    await vote(world, ballot, 1)
    async with open_easel(world.settings) as other:
        delivery = DiscordDelivery(world.client)
        other._begin_work(delivery, DiscordPresenter(world.client, delivery))
        past = {"closes_at": rounds.c.closes_at - 900, "due_at": time.time() - 1}
        await change(world, update(rounds).values(**past))
        await happen(world, other)
    assert await stages(world) == [(1, "over")]
    assert len(world.results()) == 2, "one ballot, and one winner"


async def test_a_winner_whose_announcement_was_not_written_down_is_posted_once(
    world: World,
) -> None:
    ballot = await start(world, count=2)
    await vote(world, ballot, 1)
    await let_pass(world, 600)
    again = {"stage": "decided", "due_at": 1.0, "announced_id": None}
    await change(world, update(rounds).values(**again))
    await change(world, update(contests).values(ended_at=None))
    await world.restart()
    await happen(world)
    assert await stages(world) == [(1, "over")]
    assert len(world.results()) == 2
    assert (await the_round(world)).announced_id == world.results()[-1].id


async def test_presses_at_the_same_moment_all_count(world: World) -> None:
    await start(world, count=2)
    one, votes = await the_round(world), world.client.studio.votes
    people = range(1, 101)
    await asyncio.gather(*(votes.cast(one.id, 1 + n % 2, somebody(world, n), n) for n in people))
    assert await cast(world) == {n: 1 + n % 2 for n in people}
    board = await world.client._database.read(board_of, one.id)
    assert board is not None
    assert dict(board.tally) == {1: 50, 2: 50}


async def test_a_press_that_took_a_vote_back_and_comes_twice_says_so_again(world: World) -> None:
    await start(world, count=2)
    one, votes = await the_round(world), world.client.studio.votes
    who = somebody(world, 1)
    said = [cast_text(await votes.cast(one.id, 1, who, press_id)) for press_id in (1, 2, 2)]
    assert said == [
        "You vote for picture 1. Press it again to take that back.",
        "Your vote for picture 1 is taken back. Press a number to vote again.",
        "Your vote is taken back. Press a number to vote again.",
    ]


async def test_a_ballot_that_discord_does_not_take_is_over(world: World) -> None:
    await world.imagine(count=2)
    [result] = world.results()
    world.env.inject_error("POST", f"/channels/{world.channel.id}/messages", status=403)
    form = await world.ann.click(result, label="Vote")
    filled = {"duration": "10m", "rounds": ["1"], "counts": ["shown"]}
    await world.ann.submit_modal(form, filled)
    await happen(world)
    assert await stages(world) == [(1, "over")]
    assert (
        await the_contest(world)
    ).ending == "The ballot of round 1 could not be posted in that channel."
    standing = last(await world.ann.slash(world.channel, "vote standing"))
    assert (
        "**Decided last:**\n- `a red fox in fresh snow` · The ballot of round 1 could"
        in standing.content
    )


async def test_the_settings_command(world: World) -> None:
    managers = world.guild.create_role(
        "managers", permissions=discord.Permissions(manage_guild=True)
    )
    max_ = world.guild.add_member(world.env.create_user("max"), roles=[managers])
    shown = await max_.slash(world.channel, "settings votes")
    assert shown.response.content.startswith("Everybody can vote, also whoever opens the vote.")
    saved = await max_.slash(
        world.channel, "settings votes", account_days=30, member_days=1, opener=False
    )
    assert saved.response.content == (
        "Saved; votes that are open keep their rules. Those whose account is 30 days old and who "
        "have been members for 1 day can vote, but not whoever opens the vote."
    )


async def test_people_are_named_and_nobody_is_pinged(world: World) -> None:
    ballot = await start(world, world.bob, count=2, prompt="@everyone <@&5> a fox")
    await vote(world, ballot, 1)
    await let_pass(world, 600)
    for message in world.results():
        assert {person.id for person in message.mentions} <= {world.bob.id}
        assert not message.mention_everyone
        assert not message.role_mentions


async def test_ten_people_and_every_count_is_the_ballots(world: World) -> None:
    ballot = await start(world, count=4)
    choices = [1, 2, 3, 4, 1, 2, 1, 1, 4, 4]
    await vote(world, ballot, *choices)
    await press(crowd(world)[0], ballot, 3)
    await press(crowd(world)[9], ballot, 4)
    stored = [row.position for row in await world.rows(ballots) if row.position]
    await let_pass(world, 600)
    shown = now(world, ballot).content
    for position in (1, 2, 3, 4):
        count = stored.count(position)
        assert f"picture {position}: {count} vote{'' if count == 1 else 's'}" in shown
    assert sum(stored.count(p) for p in (1, 2, 3, 4)) == 9


async def test_two_votes_on_the_same_pictures_have_a_winner_each(world: World) -> None:
    await world.imagine(count=2)
    [result] = world.results()
    for opener in (world.ann, world.bob):
        await open_on(world, result, opener)
        await happen(world)
    first, second = world.results()[1:]
    for ballot in (first, second):
        await press(world.ann, ballot, 2)
    await let_pass(world, 600)
    winners = world.results()[3:]
    assert {each.reference.message_id for each in winners} == {first.id, second.id}
    assert len({row.announced_id for row in await world.rows(rounds)}) == 2


async def test_a_ballot_in_a_thread_that_sleeps_is_closed_once_it_wakes(world: World) -> None:
    """The winner's message wakes it: https://discord.com/developers/docs/topics/threads"""
    ballot = await start(world, count=2)
    await vote(world, ballot, 1)
    await world.env.settle()
    message = f"/channels/{world.channel.id}/messages/{ballot.id}"
    world.env.inject_error("PATCH", message, status=400, code=50083)
    await let_pass(world, 600)
    assert len(world.results()) == 2, "the winner does not wait for the ballot's edit"
    await let_pass(world, 61)
    assert "**Picture 1 wins**" in now(world, ballot).content
    assert (await the_round(world)).due_at is None


async def test_a_slow_store_is_not_waited_for(world: World, monkeypatch: Any) -> None:
    ballot = await start(world, count=2)
    votes, happened = world.client.studio.votes, []
    cast_at_once, defer_at_once = votes.cast, discord.InteractionResponse.defer

    async def slow(*args: Any) -> Any:
        await asyncio.sleep(0.4)
        happened.append("cast")
        return await cast_at_once(*args)

    async def noted(*args: Any, **options: Any) -> None:
        happened.append("acknowledged")
        await defer_at_once(*args, **options)

    monkeypatch.setattr(votes, "cast", slow)
    monkeypatch.setattr(discord.InteractionResponse, "defer", noted)
    answer = await world.bob.click(now(world, ballot), label="2 · 0 votes")
    assert happened == ["acknowledged", "cast"]
    assert last(answer).ephemeral
    assert last(answer).content.startswith("You vote for picture 2.")


async def test_what_others_cannot_see_is_not_listed_for_them(world: World) -> None:
    hidden = discord.PermissionOverwrite(view_channel=False)
    moderators = world.guild.create_role("moderators")
    max_ = world.guild.add_member(world.env.create_user("max"), roles=[moderators])
    seen = discord.PermissionOverwrite(view_channel=True)
    studio = world.channel
    world.channel = world.guild.create_text_channel(
        "closed", overwrites={world.bob: hidden, moderators: seen}
    )
    await start(world, max_, count=2, prompt="ban bob or not")
    told = await world.bob.slash(studio, "vote standing")
    assert "ban bob" not in told.response.content
    assert await world.bob.autocomplete(studio, "vote close", "vote", "ban") == []
    assert "ban bob" in (await max_.slash(studio, "vote standing")).response.content


async def test_a_moderator_of_another_channel_closes_nothing(world: World) -> None:
    role = world.guild.create_role("moderators of one channel")
    max_ = world.guild.add_member(world.env.create_user("max"), roles=[role])
    there = discord.PermissionOverwrite(manage_messages=True)
    lobby = world.guild.create_text_channel("lobby", overwrites={role: there})
    await start(world, count=2)
    one = await the_round(world)
    assert await max_.autocomplete(lobby, "vote close", "vote", "") == []
    told = last(await max_.slash(lobby, "vote close", vote=one.id))
    assert "people who may manage messages where it is held can do that" in told.content
    assert await stages(world) == [(1, "open")]
    studio, world.channel = world.channel, lobby
    await start(world, count=2, prompt="theirs")
    [offered] = await max_.autocomplete(studio, "vote close", "vote", "")
    assert offered["name"] == "round 1: theirs"
    told = last(await max_.slash(studio, "vote close", vote=offered["value"]))
    assert told.content.startswith("Closed."), "from wherever they say so"


async def test_an_opener_closes_their_vote_from_any_channel(world: World) -> None:
    await start(world, count=2)
    elsewhere = world.guild.create_text_channel("elsewhere")
    assert await world.bob.autocomplete(world.channel, "vote close", "vote", "") == []
    [offered] = await world.ann.autocomplete(elsewhere, "vote close", "vote", "")
    told = last(await world.ann.slash(elsewhere, "vote close", vote=offered["value"]))
    assert told.content.startswith("Closed.")


async def test_everyone_is_no_role_to_wait_for(world: World) -> None:
    await start(world, count=2, voters=world.guild.default_role)
    assert (await the_contest(world)).voters_role is None


async def test_a_start_that_discord_lost_can_be_repeated(world: World) -> None:
    asked = last(await world.ann.slash(world.channel, "vote start", prompt="a fox", count=2))
    lost = "/interactions/*/callback"
    world.env.inject_error("POST", lost, status=404, code=UNKNOWN_INTERACTION)
    await world.ann.click(asked, label="Start the vote")
    assert world.results() == []
    await world.ann.click(asked, label="Start the vote")
    await happen(world)
    assert len(world.results()) == 1
