"""Votes over the wire: whoever was told that they vote does, a ballot ends once, as does a vote."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio
from wire.faults import Fault, Kind
from wire.posting import NONCE_LIFE_S
from wire.powercut import PowerCuts, switch
from wire.town import open_town
from wire.voters import Voters
from wire.voting import Ballot, ballot_of, begin_vote, most_in, open_ballot, tally

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

    from wire.town import Town

    Scene = Callable[[Path], Awaitable[None]]

pytestmark = pytest.mark.asyncio(loop_scope="module")

HOUR_S = 60 * 60
#: By then, Discord has forgotten a nonce.
LONG_S = NONCE_LIFE_S + 60
#: More than the bot looks back for.
CHATTER = 250
POST = {"method": "POST", "path": "/channels/*/messages"}
EDIT = {"method": "PATCH", "path": "/channels/*/messages/*"}


async def a_crowd(folder: Path) -> None:
    """Two hundred vote in five seconds, and the bot dies when a vote is written, and not told."""
    async with open_town(folder, **switch(folder)) as town:
        ballot, cuts = await open_ballot(town), PowerCuts(town)
        voters = Voters(ballot)

        async def power_cut() -> None:
            cuts.order_signal("cast", 80)
            await cuts.obeyed("cast")
            assert len(ballot.stored) < voters.count
            await town.bot.restart()

        await asyncio.gather(voters.vote(), power_cut())
        await town.until(lambda: ballot.shown == tally(ballot.stored), "the last count", 3)
        assert len(voters.believed) == voters.count
        assert ballot.stored == voters.believed
        assert voters.failed > voters.unheard > 0
        for seconds in range(1, 10):
            assert most_in(seconds, ballot.edits) <= seconds + 1

        counted = ballot.shown
        assert (await died_over_the_close(town, ballot)) == max(counted, key=counted.__getitem__)


async def died_over_the_close(town: Town, ballot: Ballot) -> int:
    """It is down when the ballot closes; the winner, that all can read."""
    counted = ballot.shown
    await town.bot.kill()
    ballot.let_pass(HOUR_S)
    await town.bot.restart()
    await ballot.over()
    [winner] = ballot.winners
    won = ballot.round["winner"]
    assert winner.replied_to is ballot.message
    assert f"with {counted[won]} of {sum(counted.values())} votes" in winner.content
    assert f"**Picture {won} wins**" in ballot.message.content
    assert ballot.shown == {}, "its buttons are those of a result"
    return won


async def power_cuts(folder: Path) -> None:
    async with open_town(folder, **switch(folder)) as town:
        cuts = PowerCuts(town)
        for long_ago in (False, True):
            await cut_over_a_ballot(cuts, long_ago=long_ago)
            await cut_over_a_winner(cuts, long_ago=long_ago)
        await cut_over_a_close(cuts)


async def cut_over_a_ballot(cuts: PowerCuts, *, long_ago: bool) -> None:
    """It is posted, and its row not written."""
    town = cuts.town
    cuts.order_signal("posted", 1)
    begun = await begin_vote(town)
    await cuts.back_after("posted", dead_for_s=LONG_S if long_ago else 0)
    ballot = await ballot_of(town, begun)
    assert ballot.channel.results == [ballot.message]
    await town.until(lambda: not begun.thinking, "an end of the waiting response")
    assert await ballot.vote(town.person("bob"), 2) == 2


async def cut_over_a_winner(cuts: PowerCuts, *, long_ago: bool) -> None:
    """It is posted, and that is not written; long ago, behind more than one can look through."""
    town = cuts.town
    ballot, bob = await open_ballot(town), town.person("bob")
    assert await ballot.vote(bob, 3) == 3
    for number in range(CHATTER if long_ago else 0):
        await town.discord.people.say(ballot.channel, bob, f"I am for the third: {number}")
    cuts.order_signal("posted", 1)
    await ballot.close()
    await cuts.back_after("posted", dead_for_s=LONG_S if long_ago else 0)
    await ballot.over()
    [winner] = ballot.winners
    assert ballot.round["announced_id"] == winner.id
    assert ballot.contest["ending"] is None


async def cuts_over_rounds(folder: Path) -> None:
    """It dies when the second ballot is posted, and when the winner of both is."""
    async with open_town(folder, **switch(folder)) as town:
        cuts, bob = PowerCuts(town), town.person("bob")
        first = await open_ballot(town, rounds=2, count=2)
        await first.vote(bob, 2)
        await first.close()
        await town.until(lambda: "Start round 2 now" in first.message.labels, "an end of it")
        cuts.order_signal("posted", 1)
        await town.discord.people.click(first.message, first.opener, "Start round 2 now")
        await cuts.back_after("posted")
        second = Ballot(town, first.opener, first.channel.results[-1])
        await second.opened()
        assert first.channel.results == [first.message, second.message]
        await town.until(lambda: "Start round 2 now" not in first.message.labels, "a last edit")

        await second.vote(bob, 1)
        cuts.order_signal("posted", 1)
        await second.close()
        await cuts.back_after("posted")
        await second.over()
        [winner] = second.winners
        assert "Round 1: picture 2 with the only vote" in winner.content
        assert "Round 2: picture 1 with the only vote" in winner.content
        assert len(first.channel.results) == 3


async def cut_over_a_close(cuts: PowerCuts) -> None:
    """It is closed, and neither shown nor told."""
    town = cuts.town
    ballot = await open_ballot(town)
    await ballot.vote(town.person("bob"), 4)
    cuts.order_signal("settled", 1)
    ballot.let_pass(HOUR_S)
    # A second ballot makes the bot look.
    await begin_vote(town)
    await cuts.back_after("settled")
    await ballot.over()
    assert len(ballot.winners) == 1
    assert ballot.round["winner"] == 4


async def two_bots(folder: Path) -> None:
    """Both are told of every press, and both see to the close."""
    async with open_town(folder) as town, town.second_bot() as second:
        await second.wait_ready()
        ballot, other = await open_ballot(town), await open_ballot(town)
        voters = Voters(ballot, count=40, within_s=1.0, seed=3)
        await voters.vote()
        await town.until(lambda: voters.is_exact, "the last count", 5)
        assert voters.failed == 0
        ballot.let_pass(HOUR_S)
        # Both hear of it, and look what is due.
        await town.discord.people.delete(other.message)
        await ballot.over()
        await other.over()
        logs = town.bot.log + second.log
        assert len(ballot.winners) == 1
        assert other.winners == []
        closed = [json.loads(line) for line in logs.splitlines() if '"event": "ballot"' in line]
        assert [line["id"] for line in closed] == [ballot.id]
        messages = f"/channels/{ballot.channel.id}/messages"
        calls = [call.method for call in town.discord.calls if call.path == messages]
        assert calls == ["POST", "GET", "POST"], "one of them alone looks back, and posts"

        again = await open_ballot(town)
        await again.vote(town.person("bob"), 1)
        await asyncio.gather(town.bot.kill(), second.kill())
        again.let_pass(HOUR_S)
        await asyncio.gather(town.bot.restart(), second.restart())
        await again.over()
        assert len(again.winners) == 1


async def discord_away(folder: Path) -> None:
    """It answers late when a ballot is posted, and not at all when it closes; then it resets."""
    async with open_town(folder) as town:
        town.discord.faults.add(Fault(Kind.SLOW, **POST, after=True))
        begun = await begin_vote(town)
        ballot = Ballot(town, begun.interaction.person, await begun.result())
        early = await (await ballot.press(town.person("bob"), 2)).answer()
        assert early.content == "This ballot opens in a moment. Please press once more then."
        await ballot.opened()
        await ballot.vote(town.person("bob"), 2)
        for trouble in (POST, EDIT):
            town.discord.faults.add(Fault(Kind.STATUS, **trouble, status=503), times=None)
        assert (await (await ballot.close()).answer()).content.startswith("Closed.")
        await town.bot.logged(r"round\.put_off", within=25)
        assert ballot.winners == []
        assert ballot.round["stage"] == "decided"
        town.discord.faults.clear()
        town.let_leases_end()
        # A ballot that opens makes the bot look.
        second = await open_ballot(town)
        await ballot.over()
        assert len(ballot.winners) == 1

        await second.vote(town.person("bob"), 2)
        for trouble in (POST, EDIT):
            town.discord.faults.add(Fault(Kind.RESET, **trouble, after=True))
        await second.close()
        await second.over()
        assert town.discord.faults.left == 0
        assert len(second.winners) == 1


async def a_role(folder: Path) -> None:
    """The ballot closes when everybody of it has voted."""
    async with open_town(folder) as town:
        role = await town.role("jury")
        members = [town.person(f"member{number}") for number in range(12)]
        for member in members:
            member.roles.add(role)
        ballot = await open_ballot(town, voters=role)
        stranger = await (await ballot.press(town.person("bob"), 1)).answer()
        assert stranger.content == f"In this vote only <@&{role.id}> can vote."

        slow = Fault(Kind.SLOW, "GET", "/guilds/*/roles/member-counts", seconds=0.3)
        town.discord.faults.add(slow, times=None)
        *rest, last = members
        await asyncio.gather(*(ballot.vote(member, 1) for member in rest))
        assert await ballot.vote(rest[0], 1) is None
        assert await ballot.vote(last, 2) == 2
        assert ballot.round["stage"] == "open", "somebody has taken their vote back"
        assert await ballot.vote(rest[0], 3) == 3
        await ballot.over()
        assert len(ballot.winners) == 1
        assert ballot.round["winner"] == 1
        await asyncio.sleep(1)
        assert town.discord.faults.met <= 2, "asked once for all, and once when all have voted"


async def a_deleted_ballot(folder: Path) -> None:
    async with open_town(folder) as town:
        people, bob = town.discord.people, town.person("bob")
        ballot, unseen, closed = [await open_ballot(town) for _ in range(3)]
        for each in (ballot, unseen, closed):
            await each.vote(bob, 1)
        await people.delete(ballot.message)
        await ends_without_a_winner(ballot)

        await town.bot.kill()
        for each in (unseen, closed):
            await people.delete(each.message)
        closed.let_pass(HOUR_S)
        await town.bot.restart()
        await ends_without_a_winner(unseen)
        await ends_without_a_winner(closed)


async def ends_without_a_winner(ballot: Ballot) -> None:
    await ballot.over()
    assert ballot.contest["ending"] == "The ballot of round 1 was deleted."
    assert ballot.contest["ended_at"] is not None
    assert ballot.round["winner"] is None
    assert ballot.channel.shown == []
    late = await (await ballot.press(ballot.town.person("eve"), 1)).answer()
    assert late.content.startswith("The ballot of round 1 was deleted.")


SCENES: list[Scene] = [
    a_crowd,
    power_cuts,
    cuts_over_rounds,
    two_bots,
    discord_away,
    a_role,
    a_deleted_ballot,
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def played(
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[dict[str, asyncio.Task[None]]]:
    """All side by side: most of their time, they wait."""
    tasks = {
        scene.__name__: asyncio.ensure_future(scene(tmp_path_factory.mktemp(scene.__name__)))
        for scene in SCENES
    }
    yield tasks
    for task in tasks.values():
        task.cancel()
    await asyncio.gather(*tasks.values(), return_exceptions=True)


@pytest.mark.parametrize("scene", [scene.__name__ for scene in SCENES])
async def test_a_vote_with(played: dict[str, asyncio.Task[None]], scene: str) -> None:
    await played[scene]
