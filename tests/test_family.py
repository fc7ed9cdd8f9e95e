"""Families as people meet them: what a result came of, details, the tree, and the ways in it."""

from __future__ import annotations

import asyncio
import json
import re
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pytest
from pictures_sent import alike, check_sent, last, png
from PIL import Image
from sqlalchemy import update

from bot.demo import gaps
from bot.store.schema import generations
from bot.studio.gathering import Ours, Upload
from bot.studio.generation import Place
from bot.studio.order import Order

if TYPE_CHECKING:
    import simcord
    from world import World

RED = png("red", 200, 100)

gaps.fill()


async def reply(world: World, who: simcord.MemberActor, to: Any, words: str) -> Any:
    """An edit by reply: the result."""
    await who.send(world.channel, words, reply_to=to)
    return world.results()[-1]


async def paint(
    world: World, who: simcord.MemberActor, order: Order, *given: Any, reply_to: int | None = None
) -> str:
    """An order as if it had come by some way; its generation's id."""
    number = len(await world.generations()) + 1
    place = Place(
        interaction_id=number,
        person_id=who.id,
        server_id=world.guild.id,
        application_id=world.client.application_id or 0,
        channel_id=world.channel.id,
        interaction_token="",
        token_expires_at=0,
        may_post=not order.private,
        file_limit=10**7,
        reply_to=reply_to,
    )
    submitted = await world.client.studio.intake.submit(order, place, given)
    world.client.studio.intake.begin(submitted.generation)
    while True:
        rows = {row.id: row for row in await world.generations()}
        if (row := rows[submitted.generation.id]).ended_at:
            assert row.state == "delivered", row.failure
            return row.id
        await asyncio.sleep(0.01)


async def id_of(world: World, message: Any) -> str:
    return {row.message_id: row.id for row in await world.generations()}[message.id]


def buttons(message: Any) -> list[str]:
    """The labels of the buttons under a message."""
    items = [item for row in message.components for item in row["components"]]
    return [item["label"] for item in items if item["type"] == 2]


def menu(message: Any) -> list[Any]:
    """The options of the menu under a message."""
    items = [item for row in message.components for item in row["components"]]
    [found] = [item for item in items if item["type"] == 3]
    return found["options"]


async def opened(file: Any) -> Image.Image:
    return Image.open(BytesIO(await file.read())).convert("RGB")


async def details(who: simcord.MemberActor, result: Any, number: int = 1) -> Any:
    panel = last(await who.click(result, label=str(number)))
    return last(await who.click(panel, label="Details"))


async def tree(world: World, who: simcord.MemberActor, generation_id: str) -> Any:
    """What `/show` says below the result; None where it says no more."""
    answer = await who.slash(world.channel, "show", id=generation_id)
    assert answer.ephemeral
    return answer.followups[-1] if answer.followups else None


# The chain


@pytest.fixture
async def chain(world: World) -> list[Any]:
    """A fox of two pictures by ann, and edits by bob, bob and ann."""
    await world.imagine(prompt="a red fox", count=2)
    results = world.results()
    await paint(world, world.bob, Order("edit 1", count=1), Ours(await only(world), 2))
    results.append(world.results()[-1])
    for number, who in ((2, world.bob), (3, world.ann)):
        results.append(await reply(world, who, results[-1], f"edit {number}"))
    return results


async def only(world: World) -> str:
    [row] = await world.generations()
    return row.id


async def test_each_result_says_what_it_came_of(world: World, chain: list[Any]) -> None:
    assert len(chain[0].content.splitlines()) == 2, "what came of words alone says no more"
    for step, result in enumerate(chain[1:], start=1):
        asked, origin, facts = result.content.splitlines()
        assert asked.startswith(f"`edit {step}` by <@")
        assert origin == f"-# Edit {step} of {world.ann.mention}'s `a red fox`"
        assert "seed" in facts
        [file] = result.attachments
        assert f", edit {step} of “a red fox”: edit {step}" in file.description
    posts = [
        call.json["allowed_mentions"]
        for call in world.env.http_requests
        if call.method == "POST" and call.path.endswith("/messages")
    ]
    asked = [world.ann.id, world.bob.id, world.bob.id, world.ann.id]
    assert [each["users"] for each in posts] == [[person] for person in asked], "none but the asker"
    assert all(each["parse"] == [] for each in posts)


async def test_details_show_the_chain_and_before_beside_after(
    world: World, chain: list[Any]
) -> None:
    told = await details(world.ann, chain[3])
    assert told.ephemeral
    assert told.content.startswith(
        f"Edit 3 of {world.ann.mention}'s `a red fox`, with {world.bob.mention}\n"
    )
    assert "```\nedit 3\n```" in told.content
    assert "/imagine" not in told.content, "no command could bring its pictures along"
    assert "`Reroll`" in told.content
    [pair] = told.attachments
    assert pair.description == "On the left, before: edit 2. On the right, AI-generated: edit 3"
    drawn = await opened(pair)
    left, right = (0, drawn.height), (drawn.width - drawn.height, drawn.width)
    for (start, end), result in zip((left, right), chain[2:], strict=True):
        half, painted = drawn.crop((start, 0, end, drawn.height)), BytesIO()
        (await opened(result.attachments[0])).resize(half.size).save(painted, "PNG")
        assert alike(half, painted.getvalue()), "another picture"


async def test_five_edits_two_steps_back_and_a_branch(world: World, chain: list[Any]) -> None:
    for number in (4, 5):
        chain.append(await reply(world, world.bob, chain[-1], f"edit {number}"))
    told = await details(world.bob, chain[5])
    assert buttons(told) == ["Back", "Family"]
    for step in (4, 3):
        panel = last(await world.bob.click(told, label="Back"))
        assert panel.ephemeral
        assert panel.content == f"Picture 1 of 1 · `edit {step}`"
        assert await panel.attachments[0].read() == await chain[step].attachments[0].read()
        told = last(await world.bob.click(panel, label="Details"))
    first = last(await world.bob.click(await details(world.bob, chain[1]), label="Back"))
    assert first.content == "Picture 2 of 2 · `a red fox`", "the one of both that was edited"
    assert await first.attachments[0].read() == await chain[0].attachments[1].read()
    form = await world.bob.click(panel, label="Edit…")
    await world.bob.submit_modal(form, {"words": "another way"})
    branch = world.results()[-1]
    assert f"Edit 4 of {world.ann.mention}'s `a red fox`" in branch.content
    check_sent(world, await chain[3].attachments[0].read())
    below = await tree(world, world.ann, await id_of(world, branch))
    assert below.content.splitlines()[-1].startswith("**7** `another way` · from 4 · ")
    assert below.content.endswith(" · you are here")


async def test_show_draws_the_tree_and_leads_to_any_member(world: World, chain: list[Any]) -> None:
    middle = await id_of(world, chain[2])
    answer = await world.bob.slash(world.channel, "show", id=middle)
    assert "`edit 2`" in answer.response.content, "the result itself, as ever"
    assert "Reroll" in buttons(answer.response)
    [below] = answer.followups
    lines = below.content.splitlines()
    assert len(lines) == 4
    when = r" · <t:\d+:R>"
    first = rf"\*\*1\*\* `a red fox` · {world.ann.mention}{when}"
    assert re.fullmatch(first, lines[0])
    for step in range(1, 4):
        who = (world.ann if step == 3 else world.bob).mention
        here = " · you are here" if step == 2 else ""
        line = rf"\*\*{step + 1}\*\* `edit {step}` · from {step} · {who}{when}{here}"
        assert re.fullmatch(line, lines[step]), lines[step]
    [sheet] = below.attachments
    assert sheet.description.startswith(
        "Family tree of AI-generated pictures. 1: a red fox; 2, from 1: edit 1; 3, from 2: edit 2"
    )
    assert min((await opened(sheet)).size) > 300
    assert [option["label"] for option in menu(below)] == [
        "1. a red fox",
        *(f"{step + 1}. edit {step}" for step in range(1, 4)),
    ]
    values = [option["value"] for option in menu(below)]
    panel = last(await world.bob.select(below, values=[values[1]]))
    assert panel.content == "Picture 1 of 1 · `edit 1`", "its panel, where it has one picture"
    result = last(await world.bob.select(below, values=[values[0]]))
    assert buttons(result)[:2] == ["1", "2"], "where it has several, they are to choose from"
    assert len(result.attachments) == 2


async def test_a_family_outlives_the_process(world: World, chain: list[Any]) -> None:
    told = await details(world.bob, chain[3])
    below = await tree(world, world.bob, await id_of(world, chain[3]))
    await world.restart()
    panel = last(await world.bob.click(told, label="Back"))
    assert panel.content == "Picture 1 of 1 · `edit 2`"
    again = last(await world.bob.click(panel, label="Family"))
    assert len(again.content.splitlines()) == 4
    assert "**3** `edit 2`" in again.content
    chosen = menu(below)[1]["value"]
    panel = last(await world.bob.select(below, values=[chosen]))
    assert panel.content == "Picture 1 of 1 · `edit 1`"
    fourth = await reply(world, world.ann, chain[3], "edit 4")
    assert f"Edit 4 of {world.ann.mention}'s `a red fox`" in fourth.content


async def test_a_picture_that_is_gone_leaves_a_gap_in_the_tree(
    world: World, chain: list[Any]
) -> None:
    gone = await id_of(world, chain[2])
    [file] = (world.tmp_path / "pictures").rglob(f"{gone}-1.*")
    file.unlink()
    below = await tree(world, world.bob, await id_of(world, chain[3]))
    assert len(below.content.splitlines()) == 4
    told = await details(world.bob, chain[3])
    assert told.attachments == [], "there is no before to be shown"
    assert told.content.startswith("Edit 3 of ")


# Those who have no family, and who may see it


async def test_of_one_without_relatives_show_says_no_more(world: World) -> None:
    await world.imagine(count=1)
    [result] = world.results()
    assert await tree(world, world.bob, await only(world)) is None
    panel = last(await world.bob.click(result, label="1"))
    assert "no relatives yet" in last(await world.bob.click(panel, label="Family")).content
    told = last(await world.bob.click(panel, label="Details"))
    assert buttons(told) == []
    assert "/imagine prompt:" in told.content


async def test_private_members_are_shown_to_nobody_else(world: World) -> None:
    await world.imagine(prompt="a red fox", count=1)
    fox = await only(world)
    secret = await paint(world, world.ann, Order("a secret", count=1, private=True), Ours(fox, 1))
    public = await paint(world, world.bob, Order("make it night", count=1), Ours(fox, 1))
    seen = {}
    for who in (world.ann, world.bob):
        below = await tree(world, who, fox)
        seen[who.name] = [option["value"] for option in menu(below)]
        told_of_secret = "secret" in below.content + below.attachments[0].description
        assert told_of_secret == (who is world.ann)
    assert seen == {"ann": [fox, secret, public], "bob": [fox, public]}


async def test_what_came_of_a_private_one_gives_nothing_of_it_away(world: World) -> None:
    secret = await paint(world, world.ann, Order("a secret fox", count=1, private=True))
    await paint(world, world.ann, Order("make it night", count=1), Ours(secret, 1))
    result = world.results()[-1]
    assert f"Edit 1 of {world.ann.mention}'s picture" in result.content
    spread = await reply(world, world.bob, result, "put a hat on it")
    for message in (result, spread):
        told = await details(world.bob, message)
        said = [message.content, told.content]
        said += [file.description for file in (*message.attachments, *told.attachments)]
        assert "secret" not in " ".join(said)
    first = await details(world.bob, result)
    assert first.attachments == []
    assert "Back" not in buttons(first)
    own = await details(world.ann, result)
    assert "Back" in buttons(own)
    assert "before: a secret fox" in own.attachments[0].description


@pytest.mark.parametrize("by_reply", [False, True], ids=["by command", "by reply"])
async def test_what_was_brought_with_a_command_only_the_asker_sees_again(
    world: World, *, by_reply: bool
) -> None:
    await world.ann.send(world.channel, "look")
    asked_in = world.channel.history()[-1].id if by_reply else None
    await paint(world, world.ann, Order("make it night", count=1), Upload(RED), reply_to=asked_in)
    result = world.results()[-1]
    assert result.content.splitlines()[1] == "-# From a picture brought along"
    assert " from a picture brought along: make it night" in result.attachments[0].description
    own, others = [await details(who, result) for who in (world.ann, world.bob)]
    drawn = await opened(own.attachments[0])
    assert drawn.getpixel((drawn.width // 8, drawn.height // 2))[0] > 200, "red, on the left"
    assert len(others.attachments) == by_reply
    assert others.content.startswith("From a picture brought along\n")


async def test_what_was_brought_along_stays_unseen_when_others_work_from_it(world: World) -> None:
    await world.ann.slash(world.channel, "edit", prompt="make it night", image=("me.png", RED))
    [first] = world.results()
    await world.bob.click(first, label="Reroll")
    form = await world.bob.click(first, label="Remix…")
    model = world.client.studio.catalogue.editors(1)[0].id
    filled = {"prompt": "make it dawn", "model": [model], "shape": ["square"]}
    await world.bob.submit_modal(form, filled)
    results = world.results()
    assert len(results) == 3
    for result in results:
        assert (await details(world.bob, result)).attachments == []
        assert len((await details(world.ann, result)).attachments) == 1


async def test_who_brought_a_picture_along_is_known_of_orders_that_do_not_say(world: World) -> None:
    old = await paint(world, world.ann, Order("make it night", count=1), Upload(RED))
    await world.bob.click(world.results()[-1], label="Reroll")
    rows = {row.id: json.loads(row.request) for row in await world.generations()}
    for request in rows.values():
        assert request["sources"][0].pop("brought_by") == world.ann.id
    for generation_id, request in rows.items():
        values = {"request": json.dumps(request)}
        unsaid = update(generations).where(generations.c.id == generation_id).values(**values)
        await world.client._database.write(lambda connection, s=unsaid: connection.execute(s))
    for result in world.results():
        own = await id_of(world, result) == old
        assert len((await details(world.ann, result)).attachments) == own
        assert (await details(world.bob, result)).attachments == []


async def test_a_blend_leads_back_to_each_of_its_pictures(world: World) -> None:
    await world.imagine(prompt="a red fox", count=2)
    fox = await only(world)
    hut = await paint(world, world.bob, Order("a hut", count=1))
    both = [Ours(fox, 2), Ours(hut, 1), Ours(fox, 1)]
    await paint(world, world.bob, Order("the fox of image 1 in image 2", count=1), *both)
    blend = world.results()[-1]
    assert f"Edit 1 of {world.ann.mention}'s `a red fox` and 2 more pictures" in blend.content
    told = await details(world.bob, blend)
    assert told.content.startswith(
        f"Edit 1 of {world.ann.mention}'s `a red fox` and 2 more pictures, with {world.bob.mention}"
    )
    assert buttons(told) == ["Back to image 1", "Back to image 2", "Back to image 3", "Family"]
    panel = last(await world.bob.click(told, label="Back to image 2"))
    assert panel.content == "Picture 1 of 1 · `a hut`"
    below = await tree(world, world.bob, await id_of(world, blend))
    assert " · from 1 and 2 · " in below.content.splitlines()[2]


async def test_an_edit_of_one_of_several_combinations_names_its_words(world: World) -> None:
    fox = await paint(world, world.ann, Order("a {red|blue} fox", count=1))
    await paint(world, world.bob, Order("make it night", count=1), Ours(fox, 2))
    assert f"Edit 1 of {world.ann.mention}'s `a blue fox`" in world.results()[-1].content
