"""The menus of messages: edit the picture in one, and what is known of it."""

from __future__ import annotations

import asyncio
import dataclasses
from typing import TYPE_CHECKING, Any

import pytest
from pictures_sent import check_nothing_happened, check_sent, last, png

from bot.imaging import recipe
from bot.imaging.pictures import inspect
from bot.imaging.recipe import Recipe
from bot.store.schema import Editors
from bot.views import provenance
from bot.views.pictures_in import pictures_in

if TYPE_CHECKING:
    import discord
    from world import World

RED, BLUE = png("red", 300, 200), png("blue", 96, 160)
RECIPE = Recipe(
    id="0123456789",
    prompt="a lighthouse in a storm",
    model="black-forest-labs/FLUX.2-pro",
    seed=77,
    width=1024,
    height=768,
)


def written(*changed: Recipe) -> list[tuple[str, bytes]]:
    """Files that say how they were painted."""
    plain = inspect(RED)
    return [(f"{n}.png", recipe.embed(plain, each).data) for n, each in enumerate(changed)]


async def post(world: World, *files: tuple[str, bytes]) -> discord.Message:
    return await world.bob.send(world.channel, "look", attachments=files)


async def edit(world: World, message: Any, who: Any = None) -> Any:
    return await (who or world.ann).context_menu(world.channel, "Edit this picture", message)


async def details(world: World, message: Any, who: Any = None) -> Any:
    answer = await (who or world.ann).context_menu(world.channel, "Picture details", message)
    assert answer.acknowledged, "silence"
    assert last(answer).ephemeral
    return last(answer)


def asked(form: Any) -> list[str]:
    return [label["component"]["custom_id"] for label in form.modal["components"]]


def forget_files(world: World, message: Any) -> None:
    for file in message.attachments:
        del world.env.backend.cdn._blobs[file.url]


# Edit this picture


async def test_a_forwarded_result_is_edited_as_the_result_itself(world: World) -> None:
    await world.imagine(prompt="a red fox", count=1)
    [fox] = world.results()
    form = await edit(world, await world.bob.forward(fox, world.channel), world.bob)
    await world.bob.submit_modal(form, {"words": "make it night"})
    check_sent(world, await fox.attachments[0].read())
    assert f"Edit 1 of {world.ann.mention}'s `a red fox`" in world.results()[-1].content


@pytest.mark.parametrize("by_forward", [False, True], ids=["itself", "forwarded"])
async def test_where_only_links_are_taken_the_link_of_a_result_is_sent(
    world: World, *, by_forward: bool
) -> None:
    await world.imagine(count=1)
    [fox] = world.results()
    world.painter._hand._data_uris = False
    form = await edit(world, await world.bob.forward(fox, world.channel) if by_forward else fox)
    await world.ann.submit_modal(form, {"words": "make it night"})
    assert world.painter.requests[-1].body["reference_images"] == [fox.attachments[0].url]
    assert "`make it night`" in world.results()[-1].content


async def test_a_forwarded_result_is_its_authors_where_only_the_author_may_edit(
    world: World,
) -> None:
    await world.imagine(count=1)
    await world.client.studio.let_edit(world.guild.id, Editors.AUTHOR)
    forwarded = await world.bob.forward(world.results()[0], world.channel)
    refused = await edit(world, forwarded, world.bob)
    assert refused.modal is None
    assert f"only {world.ann.mention}" in last(refused).content


async def test_somebody_elses_picture_is_edited(world: World) -> None:
    form = await edit(world, await post(world, ("cat.png", RED)))
    assert asked(form) == ["words", "model", "more"]
    values = {"words": "image 2 behind the cat", "more": [("wall.png", BLUE)]}
    await world.ann.submit_modal(form, values)
    check_sent(world, RED, BLUE)
    [result] = world.results()[1:]
    assert world.ann.mention in result.content
    assert (await world.usage(world.ann)).day_used == 1
    assert await world.usage(world.bob) is None


async def test_one_of_several_pictures_is_chosen(world: World) -> None:
    form = await edit(world, await post(world, ("cat.png", RED), ("dog.png", BLUE)))
    [which, *_] = form.modal["components"]
    labels = [option["label"] for option in which["component"]["options"]]
    assert labels == ["Picture 1: cat.png", "Picture 2: dog.png"]
    await world.ann.submit_modal(form, {"which": ["1"], "words": "make it night"})
    check_sent(world, BLUE)


async def test_our_own_picture_is_known_for_what_it_is(world: World) -> None:
    await world.imagine(count=1)
    await world.restart()
    [result] = world.results()
    form = await edit(world, result, world.bob)
    forget_files(world, result)
    await world.restart()
    await world.bob.submit_modal(form, {"words": "make it night"})
    first, second = await world.generations()
    assert second.state == "delivered", "its file comes out of the archive, not from Discord"
    assert first.id in second.request


@pytest.mark.parametrize("menu", [edit, details])
async def test_a_message_without_a_picture_says_so(world: World, menu: Any) -> None:
    answer = await menu(world, await post(world, ("a.txt", b"words")))
    said = answer if menu is details else last(answer)
    assert said.ephemeral
    assert "I see no picture in that message" in said.content


async def test_what_only_claims_to_be_a_picture_is_refused_for_nothing(world: World) -> None:
    form = await edit(world, await post(world, ("cat.png", b"no picture at all, but words")))
    answer = await world.ann.submit_modal(form, {"words": "make it night"})
    assert last(answer).ephemeral
    assert "I can't tell what that file is" in last(answer).content
    await check_nothing_happened(world)


async def test_a_message_that_is_gone_when_the_form_is_sent(world: World) -> None:
    message = await post(world, ("cat.png", RED))
    form = await edit(world, message)
    await world.bob.delete(message)
    forget_files(world, message)
    answer = await world.ann.submit_modal(form, {"words": "make it night"})
    assert last(answer).ephemeral
    assert "That message is gone, and its picture with it." in last(answer).content
    await check_nothing_happened(world)


async def test_a_link_that_expires_while_one_writes(world: World) -> None:
    message = await post(world, ("cat.png", RED))
    form = await edit(world, message)
    [file] = world.env.backend.get_message(world.channel.id, message.id).attachments
    blobs, old = world.env.backend.cdn._blobs, file["url"]
    file["url"] = f"{old}?ex=2"
    blobs[file["url"]] = blobs.pop(old)
    await world.ann.submit_modal(form, {"words": "make it night"})
    check_sent(world, RED)


async def test_after_a_restart_the_words_are_given_back(world: World) -> None:
    form = await edit(world, await post(world, ("cat.png", RED)))
    await world.restart()
    answer = await world.ann.submit_modal(form, {"words": "make it ```night @everyone"})
    assert last(answer).ephemeral
    assert "Please open it once more" in last(answer).content
    told = last(answer).content.split("```")
    assert len(told) == 3, "what was written stays inside its code"
    assert "night" in told[1]
    await check_nothing_happened(world)


# Picture details


async def test_details_of_a_single_picture_of_ours(world: World) -> None:
    await world.imagine(count=1, seed=5)
    said = await details(world, world.results()[0], world.bob)
    assert "**Seed:** 5" in said.content


async def test_details_of_several_ask_which(world: World) -> None:
    await world.imagine(count=2, seed=5)
    await world.restart()
    said = await details(world, world.results()[0], world.bob)
    assert "2 pictures" in said.content
    chosen = await world.bob.select(said, values=["2"])
    assert last(chosen).ephemeral
    assert "/imagine prompt:a red fox in fresh snow" in last(chosen).content


async def test_a_private_picture_that_was_posted_is_a_file_for_others(world: World) -> None:
    private = await world.imagine(private=True, count=2)
    panel = last(await world.ann.click(private.response, label="2"))
    await world.ann.click(panel, label="Post alone")
    [posted] = world.results()
    [file] = [await each.read() for each in posted.attachments]
    assert "a red fox in fresh snow" in (await details(world, posted, world.bob)).content
    form = await edit(world, posted, world.bob)
    await world.bob.submit_modal(form, {"words": "make it night"})
    check_sent(world, file)


async def test_a_file_tells_how_it_was_painted(world: World) -> None:
    said = await details(world, await post(world, *written(RECIPE)))
    for told in ("a lighthouse in a storm", "FLUX.2 [pro]", "1024×768", "seed 77", "0123456789"):
        assert told in said.content
    assert "anybody could have written that" in said.content


async def test_several_files_tell_each_for_itself(world: World) -> None:
    files = written(RECIPE, dataclasses.replace(RECIPE, seed=78))
    said = await details(world, await post(world, ("cat.png", BLUE), *files))
    assert "**1**" not in said.content
    second, third = said.content.split("**3**")
    assert "seed 77" in second.split("**2**")[1]
    assert "seed 78" in third


HOSTILE = "@everyone ` <@1> ```\n# big\u202e [x](https://example.com)"


async def test_what_a_stranger_wrote_into_a_file_does_nothing(world: World) -> None:
    wild = dataclasses.replace(
        RECIPE, id=HOSTILE, prompt=HOSTILE * 60, model=HOSTILE, seed=10**300, width=10**300
    )
    said = await details(world, await post(world, *written(*[wild] * 8)))
    assert len(said.content) <= 2000
    assert said.content.count("\n") <= 16, "what was written stays on its line"
    for line in said.content.splitlines()[1:]:
        assert line.count("`") == 2, "what was written stays inside its code"
    assert "\u202e" not in said.content


async def test_a_picture_of_somebody_else(world: World) -> None:
    said = await details(world, await post(world, ("cat.png", RED)))
    assert "I didn't paint that picture" in said.content
    said = await details(world, await post(world, ("cat.png", RED), ("dog.png", BLUE)))
    assert "I didn't paint those pictures" in said.content


async def test_a_picture_whose_file_is_gone(world: World) -> None:
    message = await post(world, ("cat.png", RED))
    forget_files(world, message)
    said = await details(world, message)
    assert "expired" in said.content


async def test_a_file_that_is_nothing_but_empty_parts_is_a_strangers(world: World) -> None:
    crowd = b"\xff\xd8" + b"\xff\xe0\0\2" * 1_000_000 + b"\xff\xd9"
    said = await details(world, await post(world, ("cat.jpg", crowd)))
    assert "I didn't paint that picture" in said.content


async def test_two_files_at_most_are_held_and_read_at_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetch, parse = provenance.read, recipe.read
    held: list[object] = []
    counts: list[int] = []

    async def fetch_and_count(file: Any) -> Any:
        held.append(file)
        counts.append(len(held))
        return await fetch(file)

    def parse_and_let_go(data: bytes) -> Recipe | None:
        found = parse(data)
        held.pop()
        return found

    monkeypatch.setattr(provenance, "read", fetch_and_count)
    monkeypatch.setattr(recipe, "read", parse_and_let_go)
    message = await post(world, *written(RECIPE))
    files: Any = pictures_in(message, world.client.user)
    told = await asyncio.gather(*(provenance._told_by(files, world.client) for _ in range(6)))
    assert all("seed 77" in each for each in told)
    assert max(counts) == 2
