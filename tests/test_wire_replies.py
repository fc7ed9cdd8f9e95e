"""Replies over the wire: what Discord tells of them, repeats, and withholds."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from pictures_sent import alike, check_sent_to, kept, png, sent_to
from wire.launch import Bot, settings_for
from wire.orders import bytes_of
from wire.server import Server
from wire.town import KEY, Town
from wire.world import BOT_MAY, Can

if TYPE_CHECKING:
    from pathlib import Path

    from wire.messages import Message
    from wire.world import Channel, Person

    from bot.demo.painter import Painter

pytestmark = pytest.mark.asyncio(loop_scope="module")

SILENCE_S = 0.3
RED, BLUE, WHITE = png("red", 300, 200), png("blue", 96, 160), png("white", 64, 64)


async def painted(town: Town, count: int = 1) -> Message:
    """An ordinary message with pictures."""
    asked = await town.imagine(town.channel(), count=count)
    result = await asked.result()
    await asked.gone()
    return result


async def answered(discord: Server, channel: Channel) -> Message:
    """The answer to a command, with pictures, where messages can be posted from now on."""
    channel.bot_may = BOT_MAY & ~Can.ATTACH_FILES
    ann = discord.world.person("ann")
    asked = await discord.people.slash(channel, ann, "imagine", prompt="a fox", count=1)
    result = await asked.result()
    assert result is asked.interaction.original
    channel.bot_may = BOT_MAY
    return result


async def answer_to(message: Message, *, files: bool = True, within: float = 10.0) -> Message:
    """The bot's reply to it."""

    def find() -> Message | None:
        for said in message.channel.shown:
            if said.author.bot and said.replied_to is message and bool(said.files) == files:
                return said
        return None

    return await message.channel.pulse.until(find, within=within, what="a reply")


async def ask_for_edit(
    town: Town, to: Message, words: str, *brought: bytes
) -> tuple[Person, Message]:
    somebody, people = town.person("bob"), town.discord.people
    files = [people.file(f"{number}.png", data) for number, data in enumerate(brought)]
    return somebody, await people.reply(to, somebody, words, files=files)


def calls(town: Town, method: str, path: str) -> int:
    return sum(1 for call in town.discord.calls if (call.method, call.path) == (method, path))


async def test_a_reply_is_answered_in_the_same_place_and_can_be_replied_to(
    town: Town, painter: Painter
) -> None:
    fox = await painted(town)
    bob, wanted = await ask_for_edit(town, fox, "make it night")
    night = await answer_to(wanted)
    assert night.mentions[0] is bob
    assert night.kind == 19, "it is a reply, and an ordinary message"
    assert "`make it night`" in night.content
    check_sent_to(painter, bytes_of(fox.files[0]))
    assert calls(town, "POST", f"/channels/{fox.channel.id}/typing") == 1
    _, further = await ask_for_edit(town, night, "and let it snow")
    snow = await answer_to(further)
    assert "Edit 2 of" in snow.content
    check_sent_to(painter, bytes_of(night.files[0]))


async def test_the_attachments_of_a_reply_are_image_2_and_image_3(
    town: Town, painter: Painter
) -> None:
    four = await painted(town, count=4)
    _, wanted = await ask_for_edit(town, four, "#3 image 2 beside image 3 on it", BLUE, WHITE)
    await answer_to(wanted)
    check_sent_to(painter, bytes_of(four.files[2]), BLUE, WHITE)


async def test_repeated_events_are_one_edit_one_question_and_one_refusal(
    town: Town, painter: Painter
) -> None:
    four, people = await painted(town, count=4), town.discord.people
    channel = four.channel
    for words, files in (
        ("#2 make it night", True),
        ("make it night", False),
        ("#2 make it {night|dawn}", False),
        ("#9 x", False),
    ):
        before = len(channel.shown)
        _, wanted = await ask_for_edit(town, four, words)
        await people.repeat(wanted)
        await answer_to(wanted, files=files)
        await people.repeat(wanted)
        await asyncio.sleep(SILENCE_S)
        assert len(channel.shown) == before + 2, f"{words} and one answer to it"
    check_sent_to(painter, bytes_of(four.files[1]))


async def test_a_repeated_event_leaves_no_second_question_behind(
    town: Town, painter: Painter
) -> None:
    fox, people = await painted(town), town.discord.people
    before = kept(town.folder, painter)
    bob, wanted = await ask_for_edit(town, fox, "{night|dawn}", RED)
    question = await answer_to(wanted, files=False)
    posts = len(town.posts(fox.channel))
    await people.repeat(wanted)
    await town.until(lambda: len(town.posts(fox.channel)) > posts, "a second try to ask")

    def grown(name: str) -> int:
        now: Any = kept(town.folder, painter)
        then: Any = before
        return len(now[name]) - len(then[name])

    await town.until(lambda: (grown("drafts"), grown("files")) == (1, 1), "one of each")
    await people.click(question, bob, "Paint 2 pictures")
    await answer_to(wanted)
    check_sent_to(painter, bytes_of(fox.files[0]), RED)


async def test_it_asks_which_one_and_what_came_along_is_image_2(
    town: Town, painter: Painter
) -> None:
    four = await painted(town, count=4)
    bob, wanted = await ask_for_edit(town, four, "image 2 on it", BLUE)
    question = await answer_to(wanted, files=False)
    await town.discord.people.click(question, bob, "2")
    await answer_to(wanted)
    check_sent_to(painter, bytes_of(four.files[1]), BLUE)


async def test_it_asks_which_one_and_is_answered_by_another_process(
    town: Town, painter: Painter
) -> None:
    four = await painted(town, count=4)
    bob, wanted = await ask_for_edit(town, four, "make it night", BLUE)
    question = await answer_to(wanted, files=False)
    assert question.labels == ["1", "2", "3", "4"]
    await town.bot.kill()
    await town.bot.restart()
    refused = await town.discord.people.click(question, town.person("cleo"), "3")
    assert (await refused.whisper()).content.startswith(f"Only {bob.mention}, who asked")
    pressed = [await town.discord.people.click(question, bob, label) for label in ("3", "4")]
    night = await answer_to(wanted)
    assert night.asked is None, "it is an ordinary message"
    await four.channel.pulse.until(lambda: question.deleted_at, within=5, what="a deletion")
    refused = await four.channel.pulse.until(
        lambda: next((m for each in pressed for m in each.said), None), within=5, what="a no"
    )
    assert refused.ephemeral
    assert refused.content.startswith("That question is closed")
    [taken] = [index for index, each in enumerate(pressed, start=2) if refused not in each.said]
    check_sent_to(painter, bytes_of(four.files[taken]), BLUE)
    left = [four, wanted, night]
    await four.channel.pulse.until(
        lambda: four.channel.shown == left, within=10, what="an end of all questions"
    )


async def test_combinations_are_asked_about_and_answered_by_another_process(
    town: Town, painter: Painter
) -> None:
    fox = await painted(town)
    bob, wanted = await ask_for_edit(town, fox, "make it {night|dawn}")
    question = await answer_to(wanted, files=False)
    assert question.labels == ["Paint 2 pictures", "Leave it"]
    await town.bot.kill()
    await town.bot.restart()
    refused = await town.discord.people.click(question, town.person("cleo"), "Leave it")
    assert (await refused.whisper()).content.startswith(f"Only {bob.mention}, who asked")
    await town.discord.people.click(question, bob, "Paint 2 pictures")
    both = await answer_to(wanted)
    assert (len(both.files), both.asked) == (2, None), "it is an ordinary message"
    for request in (-2, -1):
        [worked_from] = sent_to(painter, request)
        assert alike(worked_from, bytes_of(fox.files[0]))
    left = [fox, wanted, both]
    await fox.channel.pulse.until(
        lambda: fox.channel.shown == left, within=10, what="an end of the question"
    )


async def test_direct_messages(town: Town, painter: Painter) -> None:
    people, cleo = town.discord.people, town.person("cleo")
    direct = town.discord.world.direct(cleo)
    wanted = await people.say(direct, cleo, "a hat on it", files=[people.file("a.png", RED)])
    hat = await answer_to(wanted)
    check_sent_to(painter, RED)
    further = await people.reply(hat, cleo, "a larger hat", ping=False)
    await answer_to(further)
    check_sent_to(painter, bytes_of(hat.files[0]))


async def test_what_discord_withholds_is_not_guessed(town: Town, painter: Painter) -> None:
    people, bot = town.discord.people, town.discord.world.bot
    channel, ann = town.channel(), town.person("ann")
    cat = await people.say(channel, ann, "my cat", files=[people.file("a.png", RED)])
    told = await answer_to(await people.reply(cat, ann, f"{bot.mention} a hat"), files=False)
    assert "Edit this picture" in told.content
    fox = await answered(town.discord, channel)
    before = len(channel.shown)
    await people.reply(cat, ann, "a hat on it")
    await people.reply(fox, ann, "make it night")
    await people.reply(told, ann, "nice!", ping=False)
    await asyncio.sleep(SILENCE_S)
    assert len(channel.shown) == before + 3, "three replies, and silence"
    await answer_to(await people.reply(fox, ann, f"{bot.mention} make it night"))
    check_sent_to(painter, bytes_of(fox.files[0]))
    dog = people.file("dog.png", BLUE)
    await answer_to(await people.reply(cat, ann, f"{bot.mention} a hat", files=[dog]))
    check_sent_to(painter, BLUE)
    assert "CommandNotFound" not in town.bot.log, "nobody looks for prefix commands"


async def test_with_the_intent_every_reply_is_read(painter: Painter, tmp_path: Path) -> None:
    async with Server(keep_bytes=True) as discord:
        channel, people = discord.world.channel(discord.world.guild()), discord.people
        environ = settings_for(
            tmp_path,
            token=discord.token,
            painter=painter.url,
            key=KEY,
            message_content_intent="on",
        )
        async with Bot(discord.url, discord.id, tmp_path, environ) as bot:
            await bot.logged("MESSAGE_CONTENT_INTENT is on, but Discord doesn't grant it")
            assert await bot.process.wait() != 0
            discord.world.content_granted = True
            await bot.restart()
            fox = await answered(discord, channel)
            ann = fox.mentions[0]
            await answer_to(await people.reply(fox, ann, "make it night"))
            check_sent_to(painter, bytes_of(fox.files[0]))
            two = [people.file("cat.png", RED), people.file("dog.png", BLUE)]
            pets = await people.say(channel, discord.world.person("bob"), "my two", files=two)
            mention = discord.world.bot.mention
            await answer_to(await people.reply(pets, ann, f"{mention} #2 a hat"))
            check_sent_to(painter, BLUE)
