"""`{night|dawn}` in a reply: it asks first, in the open, and the one who wrote answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from pictures_sent import check_sent, last, png

from bot.store.schema import drafts

if TYPE_CHECKING:
    import discord
    from world import World

RED, BLUE = png("red"), png("blue", 64, 96)
WORDS = "make it {night|dawn}"


async def replied(world: World, text: str = WORDS, *files: bytes, count: int = 1) -> None:
    """By bob, to a result of ann's."""
    await world.imagine(count=count)
    named = [(f"{number}.png", data) for number, data in enumerate(files, start=1)]
    await world.bob.send(world.channel, text, reply_to=world.results()[-1], attachments=named)


def newest(world: World) -> discord.Message:
    return world.channel.history()[-1]


def by_the_bot(world: World) -> list[int]:
    """Messages there that are its own."""
    own = world.client.user.id
    return [message.id for message in world.channel.history() if message.author.id == own]


@pytest.mark.parametrize("restarted", [False, True], ids=["at once", "after a restart"])
async def test_it_asks_and_paints_each(world: World, restarted: bool) -> None:
    await replied(world, WORDS, BLUE)
    fox, asked = world.results()[0], newest(world)
    wanted = asked.reference.message_id
    assert asked.content == (
        "**2 pictures**, one of each combination:\n1. `make it night`\n2. `make it dawn`\n"
        "FLUX.2 [pro] would paint them for about $0.06 in all."
    )
    labels = [button.label for row in asked.components for button in row.children]
    assert labels == ["Paint 2 pictures", "Leave it"]
    assert await world.usage(world.bob) is None, "asking costs nothing"
    if restarted:
        await world.restart()
    await world.bob.click(asked, label="Paint 2 pictures")
    edited = world.results()[-1]
    assert edited.reference.message_id == wanted
    told = [file.description.rpartition(": ")[2] for file in edited.attachments]
    assert told == ["make it night", "make it dawn"]
    check_sent(world, await fox.attachments[0].read(), BLUE)
    assert asked.id not in by_the_bot(world), "the question stays"
    assert (await world.usage(world.bob)).day_used == 2


@pytest.mark.parametrize("label", ["Paint 2 pictures", "Leave it"])
async def test_nobody_else_can_answer_it(world: World, label: str) -> None:
    await replied(world)
    asked = newest(world)
    refused = last(await world.ann.click(asked, label=label))
    assert refused.ephemeral
    assert refused.content.startswith(f"Only {world.bob.mention}, who asked, can choose.")
    assert newest(world).content == asked.content, "the question is another one now"
    await world.bob.click(asked, label="Paint 2 pictures")
    assert len(world.results()[-1].attachments) == 2
    assert (await world.usage(world.ann)).day_used == 1, "only what she had asked for herself"


async def test_it_can_be_left(world: World) -> None:
    await replied(world, WORDS, BLUE)
    await world.bob.click(newest(world), label="Leave it")
    assert newest(world).content == "Left alone; nothing was charged."
    assert not newest(world).components
    assert await world.rows(drafts) == []
    assert len(await world.generations()) == 1


async def test_of_several_pictures_a_number_is_asked_for_first(world: World) -> None:
    await replied(world, count=4)
    four, told = world.results()[-1], newest(world)
    assert told.content.startswith("Which of the 4 pictures? Reply with its number")
    assert not told.components
    await world.bob.send(world.channel, "#2", reply_to=told)
    await world.bob.click(newest(world), label="Paint 2 pictures")
    assert "make it {night|dawn}" in world.results()[-1].content
    check_sent(world, await four.attachments[1].read())


@pytest.mark.parametrize("words", ["no, leave it", "2", "#2", "haha, six fingers"])
async def test_what_is_said_to_the_question_is_no_order(world: World, words: str) -> None:
    await replied(world)
    asked = newest(world)
    for who in (world.bob, world.ann):
        await who.send(world.channel, words, reply_to=asked)
        assert newest(world).content.startswith("Whoever asked can press a button there.")
    assert len(await world.generations()) == 1
    assert len(await world.rows(drafts)) == 1
    await world.bob.click(asked, label="Paint 2 pictures")
    assert len(world.results()[-1].attachments) == 2


@pytest.mark.parametrize("label", ["Paint 2 pictures", "Leave it"])
async def test_a_question_that_is_too_old_stays_as_it_is_for_others(
    world: World, label: str
) -> None:
    await replied(world)
    asked = newest(world)
    await world.client._database.write(lambda connection: connection.execute(drafts.delete()))
    for who in (world.ann, world.bob):
        told = last(await who.click(asked, label=label))
        assert told.ephemeral
        assert told.content.startswith("That question is closed: it was answered, or it is too old")
    assert newest(world).content == asked.content


async def test_what_is_asked_again_and_again_takes_no_more_room(world: World) -> None:
    await world.imagine(count=1)
    fox = world.results()[-1]
    for number in range(14):
        files = [("1.png", png(f"#0000{number:02x}"))]
        await world.bob.send(world.channel, WORDS, reply_to=fox, attachments=files)
    assert len(await world.rows(drafts)) == 10
    kept = [path for path in (world.tmp_path / "pictures").rglob("*") if path.is_file()]
    assert len(kept) == 1 + 10, "pictures that nobody can ask for any more"
    first = next(m for m in world.channel.history() if m.components and m.id != fox.id)
    told = last(await world.bob.click(first, label="Paint 2 pictures"))
    assert told.content.startswith("That question is closed")
    await world.bob.click(newest(world), label="Paint 2 pictures")
    assert len(world.results()[-1].attachments) == 2


async def test_in_direct_messages(world: World) -> None:
    channel = world.bob.user.dm_channel
    files = world.env.backend.store_attachments(channel.id, [("a.png", RED)])
    picture = await world.bob.send_dm("", attachments=files)
    reference = {"message_id": str(picture.id), "channel_id": str(channel.id)}
    wanted = await world.bob.send_dm(WORDS, reference=reference)
    await world.bob.user.click(channel.history()[-1], label="Paint 2 pictures")
    edited = channel.history()[-1]
    assert len(edited.attachments) == 2
    assert edited.reference.message_id == wanted.id
    check_sent(world, RED)


async def test_what_cannot_be_painted_is_said_at_once(world: World) -> None:
    await replied(world, "{a|b|c}{1|2|3}")
    assert "9 combinations and 9 pictures; I paint at most 8" in newest(world).content
    assert not newest(world).components
