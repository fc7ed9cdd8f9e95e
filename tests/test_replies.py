"""A reply to a picture is an edit of it: who is heard, what is painted, and what is said."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import discord
import pytest
from pictures_sent import check_sent, last, png
from simcord.backend.models import Overwrite
from simcord.backend.serializers import message_payload
from simcord.enums import OverwriteType
from world import World, open_world

from bot.demo.faults import Kind
from bot.store.schema import drafts, people
from bot.store.schema import sources as sources_table

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from world import Log

RED, BLUE, GREEN = png("red"), png("blue", 64, 96), png("green", 80, 80)
BROKEN = "Something broke on my side"


@pytest.fixture
async def reading(tmp_path: Path) -> AsyncIterator[World]:
    """A world whose operator has switched the intent on."""
    async with open_world(tmp_path, message_content_intent="on") as opened:
        yield opened


def words(world: World) -> str:
    """What calls the bot."""
    return f"<@{world.client.user.id}>"


async def reply(
    world: World, to: Any, text: str, *files: bytes, who: Any = None
) -> list[discord.Message]:
    """Replies, and returns what the bot has said since; the oldest first."""
    channel = world.channel
    before = {message.id for message in channel.history()}
    named = [(f"{number}.png", data) for number, data in enumerate(files, start=1)]
    await (who or world.bob).send(channel, text, reply_to=to, attachments=named)
    said = [m for m in channel.history() if m.id not in before and m.author.id == me(world)]
    assert not [m for m in said if BROKEN in m.content], "an error of ours was met"
    return said


def me(world: World) -> int:
    return world.client.user.id


def asking(world: World) -> discord.Message:
    """The reply that was written last."""
    return [m for m in world.channel.history() if m.author.id != me(world)][-1]


async def result(world: World, **options: Any) -> discord.Message:
    """A result by ann, of one picture unless told otherwise."""
    await world.imagine(**{"count": 1} | options)
    return world.results()[-1]


async def upload(world: World, *files: bytes, text: str = "look") -> discord.Message:
    named = [(f"{number}.png", data) for number, data in enumerate(files, start=1)]
    return await world.ann.send(world.channel, text, attachments=named)


def may_ping(world: World) -> dict[str, Any]:
    """Whom Discord was allowed to tell of what was posted last."""
    posts = [call for call in world.env.http_requests if call.method == "POST"]
    return [call.json for call in posts if call.path.endswith("/messages")][-1]["allowed_mentions"]


def the_asker(world: World) -> dict[str, Any]:
    return {"parse": [], "users": [world.bob.id], "replied_user": True}


# An edit


async def test_a_reply_to_a_result_edits_it(world: World) -> None:
    fox = await result(world)
    [edited] = await reply(world, fox, "make it night")
    assert edited.reference.message_id == asking(world).id, "the answer is a reply in its turn"
    [file] = edited.attachments
    assert file.description.endswith("make it night")
    assert "`make it night`" in edited.content
    assert may_ping(world) == {"parse": [], "users": [world.bob.id]}
    check_sent(world, await fox.attachments[0].read())
    assert (await world.usage(world.bob)).day_used == 1
    _, second = await world.generations()
    assert (second.reply_to, second.person_id) == (asking(world).id, world.bob.id)
    assert second.wanted == 1, "the next reply needs no number"
    assert ("POST", f"/channels/{world.channel.id}/typing") in [
        (call.method, call.path) for call in world.env.http_requests
    ], "who asks sees that they were heard"


async def test_five_edits_in_a_row_and_a_branch(world: World) -> None:
    steps = [await result(world)]
    for number in range(1, 6):
        [edited] = await reply(world, steps[-1], f"change {number}")
        steps.append(edited)
    [branch] = await reply(world, steps[2], "another way", who=world.ann)
    check_sent(world, await steps[2].attachments[0].read())
    rows = {row.message_id: row.id for row in await world.generations()}
    ids = [rows[message.id] for message in steps]
    edges = {(row.parent_id, row.generation_id) for row in await world.rows(sources_table)}
    assert edges == {*pairwise(ids), (ids[2], rows[branch.id])}
    assert f"Edit 5 of <@{world.ann.id}>'s" in steps[5].content
    assert f"Edit 3 of <@{world.ann.id}>'s" in branch.content


async def test_where_only_links_are_taken_replies_to_results_send_theirs(world: World) -> None:
    step = await result(world, count=2)
    world.painter._hand._data_uris = False
    for text in ("#2 make it night", "put a moon in the sky"):
        link = step.attachments[-1].url
        [step] = await reply(world, step, text)
        assert world.painter.requests[-1].body["reference_images"] == [link]
    assert f"Edit 2 of <@{world.ann.id}>'s" in step.content


async def test_a_reply_to_a_forwarded_result_edits_the_result(reading: World) -> None:
    fox = await result(reading, prompt="a red fox", count=2)
    forwarded = await reading.bob.forward(fox, reading.channel)
    [edited] = await reply(reading, forwarded, f"{words(reading)} #2 make it night")
    check_sent(reading, await fox.attachments[1].read())
    assert f"Edit 1 of <@{reading.ann.id}>'s `a red fox`" in edited.content
    await reply(reading, forwarded, f"{words(reading)} make it snow")
    asked = reading.channel.history()[-1]
    await reading.bob.click(asked, label="1")
    [*_, chosen] = [m for m in reading.channel.history() if m.attachments]
    assert f"Edit 1 of <@{reading.ann.id}>'s `a red fox`" in chosen.content


async def test_attachments_are_the_further_pictures_in_their_order(world: World) -> None:
    fox = await result(world)
    [edited] = await reply(world, fox, "the fox in the sky of image 2 and 3", BLUE, RED)
    assert len(edited.attachments) == 1
    check_sent(world, await fox.attachments[0].read(), BLUE, RED)


async def test_a_number_picks_one_of_several(world: World) -> None:
    four = await result(world, count=4)
    [edited] = await reply(world, four, f"{words(world)} #3 make it night")
    assert "`make it night`" in edited.content, "neither the call nor the number is painted"
    check_sent(world, await four.attachments[2].read())
    [refused] = await reply(world, four, "#5 make it night")
    assert refused.content == "There is no picture 5: I count 4 pictures there."
    [kept] = await reply(world, edited, "#1a is its number plate")
    assert "`#1a is its number plate`" in kept.content


async def test_in_a_thread_its_own_right_counts(world: World) -> None:
    allow(world, send_messages=False)
    world.env.backend.create_thread(world.channel.id, "foxes", world.ann.id)
    [world.channel] = world.channel.threads
    fox = await result(world)
    [edited] = await reply(world, fox, "make it night")
    assert edited.channel.id == world.channel.id
    assert edited.attachments


async def test_in_direct_messages_nobody_need_be_called(world: World) -> None:
    channel = world.bob.user.dm_channel
    files = world.env.backend.store_attachments(channel.id, [("a.png", RED), ("b.png", BLUE)])
    asked = await world.bob.send_dm("one of both", attachments=files)
    first = channel.history()[-1]
    check_sent(world, RED, BLUE)
    assert first.reference.message_id == asked.id
    reference = {"message_id": str(first.id), "channel_id": str(channel.id)}
    await world.bob.send_dm("make it night", reference=reference)
    second = channel.history()[-1]
    check_sent(world, await first.attachments[0].read())
    assert second.attachments
    assert [row.server_id for row in await world.generations()] == [None, None]


async def test_pictures_and_words_for_the_bot_need_no_reply(world: World) -> None:
    named = [("a.png", RED), ("notes.txt", b"no picture"), ("b.png", GREEN)]
    calling = f"{words(world)} blend these"
    await world.bob.send(world.channel, calling, attachments=named)
    check_sent(world, RED, GREEN)
    await world.bob.send(world.channel, f"{words(world)} #2 only this", attachments=named)
    check_sent(world, GREEN)
    assert len(world.results()) == 2 + 2, "two that were asked for, and what they came from"


async def test_a_reply_to_words_edits_what_it_brings(world: World) -> None:
    said = await world.ann.send(world.channel, "show us your cat")
    [edited] = await reply(world, said, f"{words(world)} with a hat", RED)
    assert edited.attachments
    check_sent(world, RED)


# What Discord shows, and to whom


async def test_somebody_elses_upload(reading: World) -> None:
    cat = await upload(reading, RED)
    [edited] = await reply(reading, cat, f"give it a hat, {words(reading)}!")
    assert "`give it a hat, !`" in edited.content
    check_sent(reading, RED)
    assert await reply(reading, cat, "not for a bot") == []


async def test_somebody_elses_upload_that_discord_hides(world: World) -> None:
    cat = await upload(world, RED)
    [told] = await reply(world, cat, f"{words(world)} give it a hat")
    assert "Edit this picture" in told.content
    assert told.reference.message_id == asking(world).id
    assert may_ping(world) == the_asker(world)
    assert await reply(world, told, "thanks, I'll try") == []
    assert await world.generations() == []


async def answered(world: World) -> discord.Message:
    """A result that is the answer to a command, where messages could be posted later."""
    allow(world, attach_files=False)
    answer = await world.imagine(count=1)
    allow(world, attach_files=None)
    return answer.response.message


def allow(world: World, **changed: bool | None) -> None:
    """What the bot may do in the channel, besides what its roles say."""
    may, may_not = discord.PermissionOverwrite(**changed).pair()
    overwrite = Overwrite(me(world), OverwriteType.MEMBER, allow=may.value, deny=may_not.value)
    world.env.backend.set_overwrite(world.channel.id, overwrite)


async def test_replies_to_answers_of_commands_are_heard_where_discord_tells_of_them(
    world: World,
) -> None:
    fox = await answered(world)
    assert await reply(world, fox, "make it night") == [], "its text is withheld"
    [edited] = await reply(world, fox, f"make it night, {words(world)}")
    assert "`make it night,`" in edited.content
    check_sent(world, await fox.attachments[0].read())


async def test_replies_to_answers_of_commands_are_heard_with_the_intent(reading: World) -> None:
    [edited] = await reply(reading, await answered(reading), "make it night")
    assert "`make it night`" in edited.content


async def test_what_is_not_for_the_bot(world: World) -> None:
    fox = await result(world)
    said = await world.ann.send(world.channel, "good morning")
    webhook = world.guild.create_webhook(world.channel)
    robot = world.guild.add_member(world.env.create_user("robot", bot=True))
    assert await reply(world, said, "and to you") == []
    assert await reply(world, said, words(world)) == []
    assert await reply(world, fox, "", RED) == [], "a picture without words may be a joke"
    for joke in ("👍 😂", "https://tenor.com/view/fox-1", "<:kek:123456789012345678>", "!!!"):
        assert await reply(world, fox, joke) == [], f"{joke} asks for nothing"
    assert await reply(world, fox, "make it night", who=robot) == []
    before = len(world.channel.history())
    await world.ann.send(world.channel, f"hello {words(world)}")
    await world.ann.send(world.channel, words(world), attachments=[("notes.txt", b"no picture")])
    await world.ann.send(world.channel, "for ourselves", attachments=[("a.png", RED)])
    await webhook.send(f"{words(world)} paint", attachments=[("a.png", RED)])
    await world.bob.forward(fox, world.channel)
    assert len(world.channel.history()) == before + 5, "and each of these is left alone"
    event = write(world, "make it night", fox) | {"webhook_id": "1"}
    assert await hear(world, **event) == [], "not all webhooks say that they are no person"
    assert len(await world.generations()) == 1


async def test_an_edit_of_the_words_does_nothing(world: World) -> None:
    await reply(world, await result(world), "make it night")
    await world.bob.edit(asking(world), "make it day")
    assert len(await world.generations()) == 2


# Several pictures and no number


async def question(world: World, *files: bytes, text: str = "make it night") -> discord.Message:
    """What the bot asks when bob replies to four pictures."""
    [asked] = await reply(world, await result(world, count=4), text, *files)
    assert asked.content.startswith("Which of the 4 pictures?")
    return asked


def four(world: World) -> discord.Message:
    return world.results()[0]


@pytest.mark.parametrize("restarted", [False, True], ids=["same process", "after a restart"])
async def test_it_asks_which_and_only_the_asker_may_say(world: World, restarted: bool) -> None:
    asked = await question(world, BLUE)
    wanted = asking(world)
    assert asked.reference.message_id == wanted.id
    assert may_ping(world) == the_asker(world)
    assert [button.label for row in asked.components for button in row.children] == list("1234")
    if restarted:
        await world.restart()
    refused = last(await world.ann.click(asked, label="2"))
    assert refused.ephemeral
    assert refused.content.startswith(f"Only {world.bob.mention}, who asked, can choose.")
    await world.bob.click(asked, label="2")
    edited = world.results()[-1]
    assert edited.reference.message_id == wanted.id
    check_sent(world, await four(world).attachments[1].read(), BLUE)
    assert asked.id not in [message.id for message in world.channel.history()]
    assert (await world.usage(world.bob)).day_used == 1


async def test_a_message_may_have_more_pictures_than_there_are_buttons(reading: World) -> None:
    ten = await upload(reading, *[png(f"#0000{10 * number:02x}") for number in range(9)], GREEN)
    [asked] = await reply(reading, ten, f"{words(reading)} make it night")
    assert [b.label for row in asked.components for b in row.children] == list("12345678")
    await reply(reading, ten, f"{words(reading)} #10 make it night")
    check_sent(reading, GREEN)


async def test_in_direct_messages_it_asks_too(world: World) -> None:
    channel = world.bob.user.dm_channel
    files = world.env.backend.store_attachments(channel.id, [("a.png", RED), ("b.png", BLUE)])
    both = await world.bob.send_dm("", attachments=files)
    reference = {"message_id": str(both.id), "channel_id": str(channel.id)}
    wanted = await world.bob.send_dm("make it night", reference=reference)
    asked = channel.history()[-1]
    await world.bob.user.click(asked, label="2")
    edited = channel.history()[-1]
    check_sent(world, BLUE)
    assert edited.reference.message_id == wanted.id


async def test_what_was_chosen_may_be_chosen_again_after_a_refusal(tmp_path: Path) -> None:
    async with open_world(tmp_path, user_images_per_minute=4, user_waiting_max=1) as world:
        asked = await question(world)
        await world.imagine(world.bob, count=4, prompt="all of them")
        refused = last(await world.bob.click(asked, label="1"))
        assert refused.ephemeral
        assert "minute" in refused.content
        assert asked.id in [message.id for message in world.channel.history()]
        await people_forget(world)
        await world.bob.click(asked, label="1")
        assert "`make it night`" in world.results()[-1].content


async def people_forget(world: World) -> None:
    """As if a minute had gone by."""
    await world.client._database.write(lambda c: c.execute(people.update().values(minute_used=0)))


async def test_a_question_that_nobody_answers_is_forgotten_after_a_day(world: World) -> None:
    asked = await question(world)
    day_ago = drafts.update().values(created_at=drafts.c.created_at - 25 * 60 * 60)
    await world.client._database.write(lambda connection: connection.execute(day_ago))
    told = last(await world.bob.click(asked, label="1"))
    assert told.ephemeral
    assert told.content.startswith("That question is closed")
    await reply(world, four(world), "make it day")
    [kept] = await world.rows(drafts)
    assert "make it day" in kept.request


async def test_a_message_that_is_deleted_before_one_is_chosen(world: World) -> None:
    asked = await question(world)
    world.env.backend.delete_message(world.channel.id, four(world).id)
    told = last(await world.bob.click(asked, label="1"))
    assert told.ephemeral
    assert told.content.startswith("That message is gone")
    assert len(await world.generations()) == 1


async def test_what_was_brought_along_is_deleted_before_one_is_chosen(world: World) -> None:
    asked = await question(world, BLUE)
    await world.bob.delete(asking(world))
    told = last(await world.bob.click(asked, label="1"))
    assert told.content.startswith("That message is gone")
    assert len(await world.generations()) == 1


# Replies to what the bot asked


async def test_a_reply_to_the_question_takes_the_picture(world: World) -> None:
    asked = await question(world, BLUE)
    [edited] = await reply(world, asked, "#2 make it day")
    assert "`make it day`" in edited.content
    assert edited.reference.message_id == asking(world).id
    check_sent(world, await four(world).attachments[1].read(), BLUE)
    assert (await world.usage(world.bob)).day_used == 1


@pytest.mark.parametrize("number", ["#3", "3", " #3, "])
async def test_a_number_alone_leaves_the_words_as_they_were(world: World, number: str) -> None:
    [edited] = await reply(world, await question(world), number)
    assert "`make it night`" in edited.content
    check_sent(world, await four(world).attachments[2].read())


async def test_a_reply_to_a_wrong_number_is_right_by_another(world: World) -> None:
    [refused] = await reply(world, await result(world, count=4), "#9 make it night", BLUE)
    [again] = await reply(world, refused, "#8")
    assert again.content == "There is no picture 8: I count 4 pictures there."
    [edited] = await reply(world, again, "4", GREEN)
    assert "`make it night`" in edited.content
    check_sent(world, await four(world).attachments[3].read(), BLUE, GREEN)


async def test_a_reply_to_the_question_without_a_number_is_asked_once_more(world: World) -> None:
    [again] = await reply(world, await question(world), "make it day")
    await world.bob.click(again, label="1")
    assert "`make it day`" in world.results()[-1].content
    check_sent(world, await four(world).attachments[0].read())


async def test_what_came_with_the_first_words_is_not_forgotten(world: World) -> None:
    [told] = await reply(world, await question(world, BLUE), "make it dawn")
    assert told.content.startswith("Which of the 4 pictures?")
    assert not told.components, "by a button, what came with the first words would be forgotten"
    [edited] = await reply(world, told, "#2")
    assert "`make it dawn`" in edited.content
    check_sent(world, await four(world).attachments[1].read(), BLUE)


async def test_a_reply_to_the_hint_is_the_edit(world: World) -> None:
    [hint] = await reply(world, await result(world, count=4), "#2")
    [edited] = await reply(world, hint, "make it night")
    assert "`make it night`" in edited.content
    check_sent(world, await four(world).attachments[1].read())


async def test_a_number_after_pictures_that_came_without_a_reply(world: World) -> None:
    named = [("a.png", RED), ("b.png", GREEN)]
    await world.bob.send(world.channel, f"{words(world)} #3 with a hat", attachments=named)
    refused = world.channel.history()[-1]
    assert refused.content == "There is no picture 3: I count 2 pictures there."
    [edited] = await reply(world, refused, "2")
    assert "`with a hat`" in edited.content
    check_sent(world, GREEN)


async def test_thanks_for_a_failure_are_no_order(world: World) -> None:
    fox = await result(world)
    world.painter.faults.next(Kind.UNSAFE)
    [told] = await reply(world, fox, "make it night")
    asked = len(world.env.http_requests)
    assert await reply(world, told, "oh well, thanks") == []
    assert len(world.env.http_requests) == asked, "nothing was looked for"
    [edited] = await reply(world, told, f"{words(world)} make it dawn")
    assert "`make it dawn`" in edited.content


async def test_a_question_that_leads_nowhere_says_so(world: World) -> None:
    asked = await question(world)
    await world.bob.delete(asking(world))
    [told] = await reply(world, asked, "#2")
    assert told.content.startswith("That message is gone, and its picture with it.")
    [hidden] = await reply(world, await upload(world, RED), f"{words(world)} give it a hat")
    [told] = await reply(world, hidden, "#1")
    assert "Edit this picture" in told.content
    allow(world, read_message_history=False)
    [alone] = await hear(world, **write(world, "#9 make it night", four(world)))
    allow(world, read_message_history=None)
    [told] = await reply(world, alone, "2")
    assert told.content.startswith("I can't find a picture in that message.")
    assert len(await world.generations()) == 1


# Numbers, names and links before the words


@pytest.mark.parametrize(
    "text", ["#2, make it night", "#2: make it night", "#2 - make it night", "#2. make it night"]
)
async def test_no_point_behind_a_number_is_painted(world: World, text: str) -> None:
    [edited] = await reply(world, await result(world, count=4), text)
    assert "`make it night`" in edited.content
    check_sent(world, await four(world).attachments[1].read())


@pytest.mark.parametrize("numbers", ["#3 #1", "#3, #1 and #3:", "#3+#1 –"])
async def test_several_numbers_take_several_pictures(world: World, numbers: str) -> None:
    [edited] = await reply(world, await result(world, count=4), f"{numbers} blend them", BLUE)
    assert "`blend them`" in edited.content
    files = [await four(world).attachments[place].read() for place in (2, 0)]
    check_sent(world, *files, BLUE)


@pytest.mark.parametrize(("text", "number"), [("#0 make it", 0), ("#1 #5 mix", 5), ("#100 x", 100)])
async def test_numbers_that_are_not_there(world: World, text: str, number: int) -> None:
    [refused] = await reply(world, await result(world, count=4), text)
    assert refused.content == f"There is no picture {number}: I count 4 pictures there."
    assert len(await world.generations()) == 1


async def test_people_are_named_and_not_numbered(world: World) -> None:
    fox = await result(world)
    [edited] = await reply(world, fox, f"put {world.ann.mention} and <@!{world.bob.id}> in it")
    assert "`put ann and bob in it`" in edited.content
    assert await reply(world, fox, f"{world.ann.mention} 👀") == [], "a name is no instruction"


@pytest.fixture
def fetched(world: World, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The links that were followed; behind each is a blue picture, or by its name another."""
    followed: list[str] = []

    async def fetch(url: str) -> bytes:
        followed.append(url)
        return GREEN if "green" in url else BLUE

    monkeypatch.setattr(world.client.studio.intake._gatherer._links, "fetch", fetch)
    return followed


CAT, HAT = "https://x.example/c.png", "https://x.example/green.png"


@pytest.mark.usefixtures("fetched")
async def test_links_before_the_words_count_as_attached(world: World) -> None:
    said = await world.ann.send(world.channel, "show us your cat")
    [edited] = await reply(world, said, f"{words(world)} {CAT} make it blue")
    assert "`make it blue`" in edited.content
    check_sent(world, BLUE)
    await world.bob.send(world.channel, f"{words(world)} <{CAT}> {HAT} put the hat on the cat")
    check_sent(world, BLUE, GREEN)
    await reply(world, said, f"{words(world)} #2 {CAT} {HAT} only this", RED)
    check_sent(world, BLUE)
    await reply(world, edited, f"{HAT} with this hat", RED)
    check_sent(world, await edited.attachments[0].read(), RED, GREEN)
    assert len(await world.generations()) == 4


@pytest.mark.usefixtures("fetched")
async def test_a_link_stays_with_its_words_while_it_is_asked_which(world: World) -> None:
    asked = await question(world, text=f"{HAT} with this hat")
    await reply(world, asked, "3")
    check_sent(world, await four(world).attachments[2].read(), GREEN)
    await world.bob.click(asked, label="2")
    check_sent(world, await four(world).attachments[1].read(), GREEN)


async def test_links_alone_and_links_for_others_are_not_followed(
    world: World, fetched: list[str]
) -> None:
    fox, said = await result(world), await world.ann.send(world.channel, "hello")
    [told] = await reply(world, fox, f"{words(world)} {CAT}")
    assert told.content.startswith("Write what to change")
    [told] = await reply(world, said, f"{words(world)} {CAT} {HAT}")
    assert told.content.startswith("Write what to change")
    assert await reply(world, fox, CAT) == []
    assert await reply(world, said, f"{CAT} make it blue") == []
    before, asked = len(world.channel.history()), len(world.env.http_requests)
    await world.ann.send(world.channel, f"{CAT} make it blue")
    await world.ann.send(world.channel, f"{words(world)} look at {CAT}")
    assert len(world.channel.history()) == before + 2, "a link among the words is one of them"
    assert len(world.env.http_requests) == asked
    assert fetched == []
    assert len(await world.generations()) == 1


# What does not go well


async def hear(world: World, **event: object) -> list[discord.Message]:
    """Discord tells of a message of bob's, perhaps not for the first time; what the bot says."""
    before = {message.id for message in world.channel.history()}
    world.env.backend.emit("MESSAGE_CREATE", event)
    await world.env.settle()
    return [m for m in world.channel.history() if m.id not in before]


def write(world: World, text: str, to: discord.Message) -> dict[str, Any]:
    """A reply of bob's; the event that tells of it is still to come."""
    backend = world.env.backend
    reference = {"message_id": str(to.id), "channel_id": str(to.channel.id)}
    reference = backend.normalize_message_reference(to.channel.id, reference)
    message = backend.create_message(
        to.channel.id, world.bob.id, text, reference=reference, broadcast=False
    )
    return dict(message_payload(backend, message))


async def test_a_message_that_is_deleted_meanwhile(world: World) -> None:
    fox = await result(world)
    events = [write(world, "make it night", fox) for _ in range(2)]
    world.env.backend.delete_message(world.channel.id, fox.id)
    [told] = await hear(world, **events[0] | {"referenced_message": None})
    assert told.content.startswith("That message is gone, and its picture with it.")
    unresolved = {key: value for key, value in events[1].items() if key != "referenced_message"}
    [told] = await hear(world, **unresolved)
    assert told.content.startswith("That message is gone, and its picture with it.")
    assert len(await world.generations()) == 1


async def test_a_message_that_comes_along_unresolved_is_looked_for(world: World) -> None:
    fox = await result(world)
    event = write(world, "make it night", fox)
    del event["referenced_message"]
    [edited] = await hear(world, **event)
    assert edited.attachments
    world.env.inject_error("GET", f"/channels/*/messages/{fox.id}", status=503)
    event = write(world, "make it day", fox)
    del event["referenced_message"]
    [told] = await hear(world, **event)
    assert told.content.startswith("Discord doesn't show me that message just now.")


async def test_repeated_events_are_one_edit_and_one_question(world: World) -> None:
    fox = await result(world)
    event = write(world, "make it night", fox)
    assert len(await hear(world, **event)) == 1
    assert await hear(world, **event) == []
    assert len(await world.generations()) == 2
    assert (await world.usage(world.bob)).day_used == 1
    kept = [path for path in (world.tmp_path / "pictures").rglob("*.*") if path.is_file()]
    assert len(kept) == 2, "nothing is left of the second event"


async def test_whoever_replies_without_end_meets_the_limits(tmp_path: Path) -> None:
    async with open_world(tmp_path, user_images_per_minute=2) as world:
        fox = await result(world)
        told = [said for _ in range(4) for said in await reply(world, fox, "make it night")]
        assert [bool(message.attachments) for message in told] == [True, True, False, False]
        assert "minute" in told[2].content
        assert told[2].reference.message_id != told[3].reference.message_id
        assert may_ping(world) == the_asker(world), "nobody but the asker is pinged"


@pytest.mark.parametrize("missing", ["send_messages", "attach_files", "view_channel"])
async def test_where_it_may_not_answer_it_is_silent(log: Log, world: World, missing: str) -> None:
    fox = await result(world)
    event = write(world, "make it night", fox)
    allow(world, **{missing: False})
    assert await hear(world, **event) == []
    assert len(await world.generations()) == 1
    [line] = [line for line in log.lines if line["event"] == "message.no_place"]
    assert line["message"] == int(event["id"])


async def test_where_it_may_not_look_back_it_answers_without_a_reference(world: World) -> None:
    fox = await result(world)
    event = write(world, "make it night", fox)
    hopeless = write(world, "#9 make it night", fox)
    unresolved = write(world, "make it night", fox)
    del unresolved["referenced_message"]
    allow(world, read_message_history=False)
    [edited] = await hear(world, **event)
    assert edited.attachments
    assert edited.reference is None
    [told] = await hear(world, **hopeless)
    assert told.reference is None
    assert told.content.startswith(f"{world.bob.mention} There is no picture 9")
    [told] = await hear(world, **unresolved)
    assert "I may not read what was written here earlier" in told.content


async def test_a_hint_for_whoever_calls_and_says_nothing(world: World) -> None:
    fox = await result(world)
    for nothing in (words(world), f"{words(world)} #1", "#1"):
        [told] = await reply(world, fox, nothing)
        assert told.content.startswith("Write what to change, such as `make it night`.")
        assert told.reference.message_id == asking(world).id
    [told] = await reply(
        world, await world.ann.send(world.channel, "hello"), f"{words(world)} make it night"
    )
    assert "menu" in told.content, "from here, it looks as if Discord withheld it"


async def test_no_picture_where_discord_hides_nothing(reading: World) -> None:
    said = await reading.ann.send(reading.channel, "hello")
    [told] = await reply(reading, said, f"{words(reading)} make it night")
    assert told.content.startswith("I can't find a picture in that message.")


async def test_refusals_and_failures_are_replies(world: World) -> None:
    fox = await result(world)
    [told] = await reply(world, fox, "make it night", b"no picture")
    assert "I can't tell what that file is" in told.content
    assert told.reference.message_id == asking(world).id
    world.painter.faults.next(Kind.UNSAFE)
    [told] = await reply(world, fox, "make it night")
    assert told.content.startswith(world.bob.mention)
    assert told.reference.message_id == asking(world).id
    assert (await world.usage(world.bob)).day_used == 0


async def test_errors_of_ours_are_told_and_logged(
    log: Log, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    fox = await result(world)
    event = write(world, "make it night", fox)

    async def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(world.client.studio.intake, "submit", fail)
    [told] = await hear(world, **event)
    assert BROKEN in told.content
    [line] = [line for line in log.lines if line["event"] == "interaction.failed"]
    assert line["message"] == int(event["id"])
    assert line["incident"] in told.content


async def test_what_cannot_be_said_is_logged(log: Log, world: World) -> None:
    fox = await result(world)
    world.env.inject_error("POST", f"/channels/{world.channel.id}/messages", status=500, times=None)
    event = write(world, "#9 make it night", fox)
    assert await hear(world, **event) == []
    [line] = [line for line in log.lines if line["event"] == "message.unanswered"]
    assert line["message"] == int(event["id"])


async def test_nothing_that_people_say_is_kept_in_memory(world: World) -> None:
    await world.ann.send(world.channel, "between you and me")
    assert list(world.client.cached_messages) == []
