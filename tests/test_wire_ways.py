"""Ways in over the wire that begin with a form, a question, a menu, or a forwarded message."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from pictures_sent import check_sent_to, kept, png
from wire.books import rows
from wire.orders import bytes_of, end_of, id_of, painted, parent_of

if TYPE_CHECKING:
    from wire.asked import Asked
    from wire.messages import Message
    from wire.town import Town
    from wire.world import Channel, Person

    from bot.demo.painter import Painter

pytestmark = pytest.mark.asyncio(loop_scope="module")

RED = png("red", 300, 200)
DEV = "black-forest-labs/FLUX.2-dev"
QUESTION = (
    "**2 pictures**, one of each combination:\n1. `red fox`\n2. `blue fox`\n"
    "FLUX.2 [pro] would paint them for about $0.06 in all."
)


def charged(town: Town, person: Person) -> list[tuple[int, int]]:
    """How many pictures somebody has had, and how many are reserved; nothing before the first."""
    sql = f"SELECT day_used, day_reserved FROM people WHERE id = {person.id}"
    return [tuple(row) for row in rows(town, sql)]


# Remix…


def filled_in(sent: Asked) -> dict[str, Any]:
    """What stood in a form when it was sent."""
    fields = (label["component"] for label in sent.interaction.data["components"])
    return {each["custom_id"]: each.get("value", each.get("values")) for each in fields}


async def test_a_remix_is_filled_in_with_the_order_and_charged_as_a_new_one(
    town: Town, painter: Painter
) -> None:
    people, bob = town.discord.people, town.person("bob")
    fox = await painted(town, seed=5, shape="wide", model=DEV, avoid="people")
    sent = await people.submit(await people.click(fox, bob, "Remix…"), prompt="a blue fox")
    blue = await end_of(town, sent)
    assert filled_in(sent) == {
        "prompt": "a blue fox",
        "avoid": "people",
        "seed": "5",
        "model": [DEV],
        "shape": ["wide"],
    }
    first, second = (painter.requests[number].body for number in (-2, -1))
    assert second == first | {"prompt": second["prompt"]}
    assert second["prompt"].startswith("a blue fox")
    assert (second["model"], second["seed"]) == (DEV, 5)
    assert second["width"] > second["height"]
    assert blue.mentions == [bob]
    assert fox.channel.shown == [fox, blue]
    assert charged(town, bob) == charged(town, fox.mentions[0]) == [(1, 0)]


# Combinations


async def asked_about(town: Town, painter: Painter, channel: Channel) -> tuple[Asked, Message]:
    """A question that nobody has answered, and that has cost nothing."""
    ann, before = town.person("ann"), kept(town.folder, painter)
    asked = await town.discord.people.slash(channel, ann, "imagine", prompt="{red|blue} fox")
    question = await asked.whisper()
    assert question.content == QUESTION
    assert question.labels == ["Paint 2 pictures", "Leave it"]
    assert channel.shown == [], "nobody else sees anything of it"
    after = kept(town.folder, painter)
    assert after["drafts"] != before["drafts"]
    assert after | {"drafts": before["drafts"]} == before
    return asked, question


async def test_combinations_that_are_confirmed_are_painted_once(
    town: Town, painter: Painter
) -> None:
    channel, people = town.channel(), town.discord.people
    asked, question = await asked_about(town, painter, channel)
    ann = asked.interaction.person
    pressed = [await people.click(question, ann, "Paint 2 pictures") for _ in range(2)]
    both = await pressed[0].result()
    await town.until(lambda: charged(town, ann) == [(2, 0)], "an end of what was reserved")
    for press in pressed:
        await press.acknowledged()
    assert [town.state(press) for press in pressed].count(None) == 1
    assert [file.description.rpartition(": ")[2] for file in both.files] == ["red fox", "blue fox"]
    prompts = {painter.requests[number].body["prompt"] for number in (-2, -1)}
    assert prompts == {"red fox", "blue fox"}
    await channel.pulse.until(lambda: question.deleted_at, within=5, what="an end of the question")
    # A private message belongs to the interaction that made it.
    path = f"/webhooks/{town.discord.world.application_id}/{asked.interaction.token}"
    calls = [(call.method, call.path, call.status) for call in town.discord.calls]
    assert calls.count(("DELETE", f"{path}/messages/@original", 204)) == 1
    assert channel.shown == [both]
    assert "interaction.failed" not in town.bot.log, "the press that came too late"


async def test_combinations_that_are_left_cost_nothing(town: Town, painter: Painter) -> None:
    channel, before = town.channel(), kept(town.folder, painter)
    asked, question = await asked_about(town, painter, channel)
    await town.discord.people.click(question, asked.interaction.person, "Leave it")
    await channel.pulse.until(lambda: question.edits > 0, within=5, what="an answer")
    assert question.content == "Left alone; nothing was charged."
    assert question.labels == []
    assert channel.shown == []
    assert kept(town.folder, painter) == before


# Picture details


async def details(town: Town, message: Message) -> Message:
    asked = await town.discord.people.menu(message, town.person("bob"), "Picture details")
    return await asked.whisper()


async def test_details_of_a_result(town: Town) -> None:
    said = await details(town, await painted(town, seed=5))
    assert "**Seed:** 5" in said.content
    assert "/imagine prompt:a red fox in fresh snow" in said.content


async def test_details_of_one_of_several(town: Town, painter: Painter) -> None:
    people = town.discord.people
    asked, question = await asked_about(town, painter, town.channel())
    ann = asked.interaction.person
    both = await end_of(town, await people.click(question, ann, "Paint 2 pictures"))
    which = await details(town, both)
    bob = which.asked.person
    said = await (await people.select(which, bob, "Which picture?", "2")).whisper()
    assert "/imagine prompt:blue fox" in said.content
    assert f"`{id_of(both)}`" in said.content


async def test_details_of_somebodys_file(town: Town) -> None:
    people, fox = town.discord.people, await painted(town, seed=5)
    for data, sentences in (
        (RED, ["I didn't paint that picture"]),
        (bytes_of(fox.files[0]), ["says the file itself", "seed 5", id_of(fox)]),
    ):
        files = [people.file("look.jpg", data)]
        shown = await people.say(town.channel(), town.person("cleo"), "look", files=files)
        said = await details(town, shown)
        assert [words for words in sentences if words not in said.content] == []


# Forwarded


async def edited_by_menu(town: Town, message: Message) -> Message:
    people, bob = town.discord.people, town.person("bob")
    form = await people.menu(message, bob, "Edit this picture")
    return await end_of(town, await people.submit(form, words="make it night"))


async def test_a_forwarded_result_is_edited_as_the_result_itself(
    town: Town, painter: Painter
) -> None:
    fox = await painted(town, prompt="a red fox")
    forwarded = await town.discord.people.forward(fox, town.person("cleo"), town.channel())
    # The archive has it all the same.
    del town.discord.world.files[fox.files[0].id]
    night = await edited_by_menu(town, forwarded)
    check_sent_to(painter, bytes_of(fox.files[0]))
    assert night.channel is forwarded.channel
    assert f"Edit 1 of {fox.mentions[0].mention}'s `a red fox`" in night.content
    assert parent_of(town, night) == id_of(fox)


async def test_a_forwarded_file_with_a_name_of_ours_is_what_it_shows(
    town: Town, painter: Painter
) -> None:
    people, cleo, fox = town.discord.people, town.person("cleo"), await painted(town)
    files = [people.file(fox.files[0].name, RED)]
    said = await people.say(fox.channel, cleo, "look", files=files)
    night = await edited_by_menu(town, await people.forward(said, cleo, town.channel()))
    check_sent_to(painter, RED)
    assert parent_of(town, night) is None
