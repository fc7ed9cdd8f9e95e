"""Hostile pictures and links through simcord: a sentence, and nothing painted, charged or kept.

The bot's own defences are at work on the same web as over the wire, with no other resolver and no
other rule.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import discord
import pytest
from hostile import (
    BAD_EMBEDS,
    BAD_FILE,
    BAD_FILES,
    FILES,
    GOOD_LINK,
    HARMLESS,
    INSIDE_LINK,
    INSIDE_SENTENCE,
    LINKS,
    SLOW_LINKS,
    SLOW_SENTENCE,
    WORDS,
    check_harmless,
    open_web,
)
from pictures_sent import kept, last, png
from wire import internet
from world import open_world

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator
    from pathlib import Path

    from hostile import Web
    from world import World

RED, BLUE = png("red", 300, 200), png("blue", 96, 160)
#: Well within what the simulated Discord waits for the bot to come to rest.
PATIENCE_S = 1.0


@pytest.fixture
async def web(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Web]:
    async with open_web() as opened:
        ports = opened.public.port, opened.inside.port
        internet.install(*ports, patience_s=PATIENCE_S, replace=monkeypatch.setattr)
        yield opened


@pytest.fixture
async def world(web: Web, tmp_path: Path) -> AsyncIterator[World]:
    assert web.public.port, "it is there before the bot is"
    async with open_world(tmp_path) as opened:
        yield opened


@asynccontextmanager
async def nothing_remains(world: World, web: Web) -> AsyncGenerator[None]:
    """Of what is done within, nothing was painted, charged or kept, and nobody inside asked."""
    before = kept(world.tmp_path, world.painter), len(world.results())
    asked = len(web.inside.requests)
    yield
    assert (kept(world.tmp_path, world.painter), len(world.results())) == before
    assert [request.url for request in web.inside.requests[asked:]] == []


def check_refused(answer: Any, sentence: str, kind: str = "") -> None:
    told = last(answer)
    assert told.ephemeral, kind
    assert sentence in told.content, kind


async def edit(world: World, **files: bytes) -> Any:
    named = {name: ("cat.png", data) for name, data in files.items()}
    return await world.ann.slash(world.channel, "edit", prompt="make it night", **named)


# Files


@pytest.mark.parametrize("group", FILES)
async def test_bad_files(world: World, web: Web, group: str) -> None:
    for kind, bad in FILES[group].items():
        async with nothing_remains(world, web):
            answer = await edit(world, image=RED, image2=bad.make())
            check_refused(answer, bad.sentence, kind)


async def test_a_file_larger_than_discord_said(world: World, web: Web) -> None:
    bad = BAD_FILES["too many bytes"]
    message = await world.bob.send(world.channel, "my cat", attachments=[("cat.png", RED)])
    world.env.backend.cdn._blobs[message.attachments[0].url] = bad.make()
    async with nothing_remains(world, web):
        check_refused(await by_menu(world, message), bad.sentence)


# Links


@pytest.mark.parametrize("group", LINKS)
async def test_bad_links(world: World, web: Web, group: str) -> None:
    for kind, (link, sentence) in LINKS[group].items():
        async with nothing_remains(world, web):
            check_refused(await world.imagine(prompt=f"{link} a fox"), sentence, kind)


async def test_slow_links(world: World, web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    links = world.client.studio.intake._gatherer._links
    fetch = links.fetch

    async def waited_for(link: str) -> bytes:
        """The simulated Discord's clock would stand still for what it does not know of."""
        return await world.env.external_wait(fetch(link), reason="a slow site")

    monkeypatch.setattr(links, "fetch", waited_for)
    for kind, link in SLOW_LINKS.items():
        async with nothing_remains(world, web):
            check_refused(await world.imagine(prompt=f"{link} a fox"), SLOW_SENTENCE, kind)


async def test_of_too_many_links_none_is_followed(world: World, web: Web) -> None:
    async with nothing_remains(world, web):
        answer = await world.imagine(prompt=f"{GOOD_LINK} " * 9 + "a fox")
        check_refused(answer, "Those are 9 pictures; 8 are the most that I can work from.")
    assert web.public.requests == []


# Other ways in


@pytest.mark.parametrize("what", ["file", "link"])
@pytest.mark.parametrize("command", ["imagine", "edit", "blend"])
async def test_commands(world: World, web: Web, command: str, what: str) -> None:
    data, prompt, sentence = {
        "file": (BAD_FILE.make(), "a fox", BAD_FILE.sentence),
        "link": (RED, f"{INSIDE_LINK} a fox", INSIDE_SENTENCE),
    }[what]
    options: dict[str, Any] = {"image1": ("red.png", RED)} if command == "blend" else {}
    option = {"imagine": "reference", "edit": "image", "blend": "image2"}[command]
    options |= {option: ("cat.png", data), "prompt": prompt}
    async with nothing_remains(world, web):
        check_refused(await world.ann.slash(world.channel, command, **options), sentence)


async def by_menu(world: World, message: discord.Message) -> Any:
    form = await world.ann.context_menu(world.channel, "Edit this picture", message)
    return await world.ann.submit_modal(form, {"words": "make it night"})


async def embedded(world: World, link: str) -> discord.Message:
    """A message that shows what is behind a link."""
    webhook = world.guild.create_webhook(world.channel)
    return await webhook.send("my cat", embed=discord.Embed().set_image(url=link))


async def test_links_that_messages_show(world: World, web: Web) -> None:
    for kind, (link, sentence) in BAD_EMBEDS.items():
        message = await embedded(world, link)
        async with nothing_remains(world, web):
            check_refused(await by_menu(world, message), sentence, kind)


async def test_a_file_that_a_message_has(world: World, web: Web) -> None:
    files = [("cat.png", BAD_FILE.make())]
    message = await world.bob.send(world.channel, "my cat", attachments=files)
    async with nothing_remains(world, web):
        check_refused(await by_menu(world, message), BAD_FILE.sentence)


@pytest.mark.parametrize("what", ["file", "link"])
async def test_replies(world: World, web: Web, what: str) -> None:
    """Nobody can be answered in private there: it is said where everybody reads it."""
    files = [("cat.png", BLUE)]
    message = await world.bob.send(world.channel, "my cat", attachments=files)
    words, more, sentence = {
        "file": ("image 2 on it", [("dog.png", BAD_FILE.make())], BAD_FILE.sentence),
        "link": (f"{INSIDE_LINK} on it", [], INSIDE_SENTENCE),
    }[what]
    mention = world.client.user.mention if world.client.user else ""
    before = kept(world.tmp_path, world.painter)
    await world.bob.send(world.channel, f"{mention} {words}", reply_to=message, attachments=more)
    assert sentence in world.channel.history()[-1].content
    assert kept(world.tmp_path, world.painter) == before
    assert web.inside.requests == []


@pytest.mark.parametrize("what", ["file", "link"])
async def test_the_form_of_a_result(world: World, web: Web, what: str) -> None:
    await world.imagine(count=1)
    form = await world.ann.click(world.results()[-1], label="Edit…")
    fields, sentence = {
        "file": ({"words": "x", "more": [("cat.png", BAD_FILE.make())]}, BAD_FILE.sentence),
        "link": ({"words": f"{INSIDE_LINK} on it"}, INSIDE_SENTENCE),
    }[what]
    async with nothing_remains(world, web):
        check_refused(await world.ann.submit_modal(form, fields), sentence)


# What is taken


async def test_of_harmless_files_only_the_pixels_go_on(world: World) -> None:
    for kind, make in HARMLESS.items():
        await edit(world, image=make())
        check_harmless(world.painter, kind)


async def test_a_good_link_is_followed(world: World, web: Web) -> None:
    """Else the refusals would prove nothing."""
    await world.imagine(prompt=f"<{GOOD_LINK}> a fox", count=1)
    check_harmless(world.painter, "by a link")
    assert len(web.public.requests) == 1


async def test_a_good_link_that_a_message_shows(world: World) -> None:
    await by_menu(world, await embedded(world, GOOD_LINK))
    check_harmless(world.painter, "by an embed")


async def test_what_is_no_link_before_the_words_is_words(world: World, web: Web) -> None:
    for words in WORDS.values():
        await world.imagine(prompt=words, count=1)
        assert not {"reference_images", "image_url"} & world.painter.requests[-1].body.keys(), words
    assert len(world.results()) == len(WORDS)
    assert web.public.requests + web.inside.requests == []
