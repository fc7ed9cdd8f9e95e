"""`/settings`: who may decide, and what a decision changes for everybody else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import discord
import pytest
from pictures_sent import last
from simcord.backend.errors import SetupError

from bot.demo import gaps
from bot.store.schema import Editors
from bot.studio.generation import Viewer

if TYPE_CHECKING:
    import simcord
    from world import World

gaps.fill()


@pytest.fixture
def manager(world: World) -> simcord.MemberActor:
    """Somebody who may manage the server."""
    managers = world.guild.create_role(
        "managers", permissions=discord.Permissions(manage_guild=True)
    )
    return world.guild.add_member(world.env.create_user("max"), roles=[managers])


async def decide(manager: simcord.MemberActor, world: World, who: str | None = None) -> str:
    options = {} if who is None else {"who": who}
    answer = await manager.slash(world.channel, "settings edits", **options)
    assert answer.ephemeral, "what a server decides is its managers' talk"
    return answer.response.content


async def test_it_is_shown_and_decided_and_kept(world: World, manager: simcord.MemberActor) -> None:
    assert "Everybody here can edit" in await decide(manager, world), "unless told otherwise"
    assert "Saved. Only whoever asked" in await decide(manager, world, "author")
    await world.restart()
    shown = await decide(manager, world)
    assert "Only whoever asked" in shown
    assert "Saved" not in shown
    assert "Saved. Everybody" in await decide(manager, world, "everyone")
    assert await world.client.studio.editors(world.guild.id) is Editors.EVERYONE


async def test_only_who_manages_the_server_is_offered_it(
    world: World, manager: simcord.MemberActor
) -> None:
    assert "settings edits" in manager.available_commands(world.channel)
    assert "settings edits" not in world.ann.available_commands(world.channel)
    with pytest.raises(SetupError, match="default-member-permissions"):
        await decide(world.ann, world, "author")


@pytest.fixture
async def anns(world: World, manager: simcord.MemberActor) -> list[Any]:
    """Pictures by ann and her edit of one, in a server where nobody else may edit them."""
    await world.imagine(prompt="a red fox", count=2)
    await world.ann.send(world.channel, "#1 make it night", reply_to=world.results()[-1])
    await decide(manager, world, "author")
    return world.results()


async def test_no_way_leads_to_an_edit_of_somebody_elses_picture(
    world: World, anns: list[Any]
) -> None:
    fox, edit = anns
    panel = last(await world.bob.click(fox, label="1"))
    said = [
        last(await world.bob.click(fox, label="Edit…")),
        last(await world.bob.click(fox, label="Vary all")),
        last(await world.bob.click(panel, label="Edit…")),
        last(await world.bob.click(panel, label="Use as reference")),
        last(await world.bob.click(panel, label="Vary subtly")),
        last(await world.bob.click(edit, label="Reroll")),
        last(await world.bob.context_menu(world.channel, "Edit this picture", fox)),
    ]
    before = {message.id for message in world.channel.history()}
    await world.bob.send(world.channel, "#2 put a hat on it", reply_to=fox)
    me = world.client.user
    said += [
        message
        for message in world.channel.history()
        if message.id not in before and me is not None and message.author.id == me.id
    ]
    assert len(said) == 8, "each was answered"
    for number, answer in enumerate(said, start=1):
        assert f"only {world.ann.mention}" in answer.content, f"way {number}: {answer.content}"
        assert "paints a new one" in answer.content, f"way {number} says what would do"
    assert len(world.painter.requests) == 2, "nothing was painted"
    assert await world.usage(world.bob) is None, "nor charged"


async def test_everything_else_stays_for_everybody(world: World, anns: list[Any]) -> None:
    fox, _ = anns
    await world.bob.click(fox, label="Reroll")
    again = world.results()[-1]
    assert again.content.startswith(f"`a red fox` by {world.bob.mention}")
    panel = last(await world.bob.click(again, label="1"))
    await world.bob.click(panel, label="Vary subtly")
    assert "-# Subtle variations of" in world.results()[-1].content, "of one's own"


async def test_the_author_goes_on_as_before(world: World, anns: list[Any]) -> None:
    fox, edit = anns
    await world.ann.send(world.channel, "put a hat on it", reply_to=edit)
    assert "Edit 2 of" in world.results()[-1].content
    await world.ann.click(edit, label="Reroll")
    assert "`make it night`" in world.results()[-1].content
    panel = last(await world.ann.click(fox, label="1"))
    await world.ann.click(panel, label="Vary strongly")
    assert len(await world.generations()) == 5


async def test_where_everybody_may_everybody_does(
    world: World, manager: simcord.MemberActor, anns: list[Any]
) -> None:
    await decide(manager, world, "everyone")
    await world.bob.send(world.channel, "#2 put a hat on it", reply_to=anns[0])
    assert f"Edit 1 of {world.ann.mention}'s `a red fox`" in world.results()[-1].content
    await world.bob.click(anns[1], label="Reroll")
    assert f"`make it night` by {world.bob.mention}" in world.results()[-1].content


async def test_another_server_decides_for_itself(world: World, anns: list[Any]) -> None:
    [fox, _] = await world.generations()
    elsewhere = Viewer(world.bob.id, fox.channel_id, world.guild.id + 1)
    await world.client.studio.see_to_edit(fox.id, elsewhere)
    assert anns
