"""Hostile pictures and links over the wire: a sentence, and nothing painted, charged or kept."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio
from hostile import (
    BAD_EMBEDS,
    BAD_FILE,
    BAD_FILES,
    BAD_LINKS,
    CANARY,
    GOOD_LINK,
    HARMLESS,
    INSIDE_LINK,
    INSIDE_SENTENCE,
    PATIENCE_S,
    SLOW_LINKS,
    SLOW_SENTENCE,
    WORDS,
    check_harmless,
    open_web,
)
from pictures_sent import kept, png
from sites import leads
from wire.orders import check_refused, end_of, opened, painted
from wire.town import Town, open_town

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

    from hostile import Web
    from wire.asked import Asked
    from wire.messages import Message

    from bot.demo.painter import Painter

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    # This Discord opens the bombs, too, as far as it must.
    pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning"),
]

RED, BLUE = png("red", 300, 200), png("blue", 96, 160)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def web() -> AsyncIterator[Web]:
    async with open_web() as opened:
        yield opened


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def town(
    painter: Painter, web: Web, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Town]:
    folder = tmp_path_factory.mktemp("town")
    internet = f"{web.public.port} {web.inside.port} {PATIENCE_S}"
    async with open_town(
        folder, together_base_url=painter.url, channels=200, wire_internet=internet
    ) as opened:
        opened.discord.world.channel_limit = None
        yield opened


@asynccontextmanager
async def nothing_remains(town: Town, painter: Painter, web: Web) -> AsyncGenerator[None]:
    """Of what is done within, nothing was painted, charged or kept, and nobody inside asked."""
    before = kept(town.folder, painter)
    asked = len(web.inside.requests)
    yield
    assert kept(town.folder, painter) == before
    assert [request.url for request in web.inside.requests[asked:]] == []


# Files


async def edit(town: Town, **files: bytes) -> Asked:
    people = town.discord.people
    options = {name: people.file("cat.png", data) for name, data in files.items()}
    return await people.slash(
        town.channel(), town.person("ann"), "edit", prompt="make it night", **options
    )


@pytest.mark.parametrize("kind", BAD_FILES)
async def test_bad_files(town: Town, painter: Painter, web: Web, kind: str) -> None:
    bad = BAD_FILES[kind]
    async with nothing_remains(town, painter, web):
        await check_refused(await edit(town, image=RED, image2=bad.make()), bad.sentence)


@pytest.mark.parametrize("there", [True, False], ids=["told too late", "told in time"])
async def test_too_many_bytes(town: Town, painter: Painter, web: Web, there: bool) -> None:
    """Discord tells of fewer, or of all: then the file, which is not there, is not asked for."""
    people, bad = town.discord.people, BAD_FILES["too many bytes"]
    file = people.file("cat.png", RED if there else bad.make())
    if there:
        town.discord.world.files[file.id] = replace(file, data=bad.make())
    else:
        del town.discord.world.files[file.id]
    async with nothing_remains(town, painter, web):
        asked = await people.slash(
            town.channel(), town.person("ann"), "edit", prompt="make it night", image=file
        )
        await check_refused(asked, bad.sentence)


# Links


@pytest.mark.parametrize("kind", BAD_LINKS)
async def test_bad_links(town: Town, painter: Painter, web: Web, kind: str) -> None:
    link, sentence = BAD_LINKS[kind]
    async with nothing_remains(town, painter, web):
        asked = await town.imagine(town.channel(), prompt=f"{link} a fox")
        await check_refused(asked, sentence)


async def test_slow_links(town: Town, painter: Painter, web: Web) -> None:
    """All at the same time, for two are followed at once and the others wait."""
    async with nothing_remains(town, painter, web):
        links = SLOW_LINKS.values()
        asked = [await town.imagine(town.channel(), prompt=f"{link} a fox") for link in links]
        await asyncio.gather(*(check_refused(each, SLOW_SENTENCE) for each in asked))


async def test_of_too_many_links_none_is_followed(town: Town, painter: Painter, web: Web) -> None:
    followed = len(web.public.requests)
    async with nothing_remains(town, painter, web):
        asked = await town.imagine(town.channel(), prompt=f"{GOOD_LINK} " * 9 + "a fox")
        await check_refused(asked, "Those are 9 pictures; 8 are the most that I can work from.")
    assert len(web.public.requests) == followed


async def test_a_server_that_is_there_is_not_asked(town: Town, painter: Painter, web: Web) -> None:
    """This Discord itself listens on loopback, as much else may beside the bot."""
    there = f"{town.discord.url}/probe"
    web.public.pages["/to-discord"] = leads(there)
    for link in (there, "http://pictures.example/to-discord"):
        async with nothing_remains(town, painter, web):
            asked = await town.imagine(town.channel(), prompt=f"<{link}> a fox")
            await check_refused(asked, "That link leads to an unusual port")
    assert "/probe" not in [call.path for call in town.discord.calls]


# Other ways in


@pytest.mark.parametrize("what", ["file", "link"])
@pytest.mark.parametrize("command", ["imagine", "edit", "blend"])
async def test_commands(town: Town, painter: Painter, web: Web, command: str, what: str) -> None:
    people = town.discord.people
    data, prompt, sentence = {
        "file": (BAD_FILE.make(), "a fox", BAD_FILE.sentence),
        "link": (RED, f"{INSIDE_LINK} a fox", INSIDE_SENTENCE),
    }[what]
    options = {"image1": people.file("red.png", RED)} if command == "blend" else {}
    option = {"imagine": "reference", "edit": "image", "blend": "image2"}[command]
    options |= {option: people.file("cat.png", data), "prompt": prompt}
    async with nothing_remains(town, painter, web):
        asked = await people.slash(town.channel(), town.person("ann"), command, **options)
        await check_refused(asked, sentence)


async def by_menu(town: Town, message: Message) -> Asked:
    people, ann = town.discord.people, town.person("ann")
    form = await opened(await people.menu(message, ann, "Edit this picture"))
    return await people.submit(form, words="make it night")


async def embedded(town: Town, link: str) -> Message:
    """Somebody's message that shows what is behind a link."""
    message = await town.discord.people.say(town.channel(), town.person("bob"), "my cat")
    message.embeds = [{"type": "rich", "image": {"url": link}}]
    return message


@pytest.mark.parametrize("kind", BAD_EMBEDS)
async def test_a_link_that_a_message_shows(
    town: Town, painter: Painter, web: Web, kind: str
) -> None:
    link, sentence = BAD_EMBEDS[kind]
    message = await embedded(town, link)
    async with nothing_remains(town, painter, web):
        assert sentence in (await (await by_menu(town, message)).whisper()).content


async def test_a_file_that_a_message_has(town: Town, painter: Painter, web: Web) -> None:
    people = town.discord.people
    files = [people.file("cat.png", BAD_FILE.make())]
    message = await people.say(town.channel(), town.person("bob"), "my cat", files=files)
    async with nothing_remains(town, painter, web):
        assert BAD_FILE.sentence in (await (await by_menu(town, message)).whisper()).content


@pytest.mark.parametrize("what", ["file", "link"])
async def test_replies(town: Town, painter: Painter, web: Web, what: str) -> None:
    """Nobody can be answered in private there: it is said where everybody reads it."""
    people, bob, channel = town.discord.people, town.person("bob"), town.channel()
    message = await people.say(channel, bob, "my cat", files=[people.file("cat.png", BLUE)])
    bad = people.file("dog.png", BAD_FILE.make())
    words, more, sentence = {
        "file": ("image 2 on it", [bad], BAD_FILE.sentence),
        "link": (f"{INSIDE_LINK} on it", [], INSIDE_SENTENCE),
    }[what]
    async with nothing_remains(town, painter, web):
        mention = town.discord.world.bot.mention
        reply = await people.reply(message, bob, f"{mention} {words}", files=more)
        said = await channel.pulse.until(
            lambda: next((m for m in channel.shown if m.author.bot), None),
            within=10,
            what="an answer",
        )
    assert sentence in said.content
    assert said.replied_to is reply


@pytest.mark.parametrize("what", ["file", "link"])
async def test_the_form_of_a_result(town: Town, painter: Painter, web: Web, what: str) -> None:
    people, bob = town.discord.people, town.person("bob")
    form = await opened(await people.click(await painted(town), bob, "Edit…"))
    bad = people.file("cat.png", BAD_FILE.make())
    fields, sentence = {
        "file": ({"words": "image 2 on it", "more": [bad]}, BAD_FILE.sentence),
        "link": ({"words": f"{INSIDE_LINK} on it"}, INSIDE_SENTENCE),
    }[what]
    async with nothing_remains(town, painter, web):
        refused = await people.submit(form, **fields)
        assert sentence in (await refused.whisper()).content


# What is taken


@pytest.mark.parametrize("kind", HARMLESS)
async def test_of_harmless_files_only_the_pixels_go_on(
    town: Town, painter: Painter, kind: str
) -> None:
    await end_of(town, await edit(town, image=HARMLESS[kind]()))
    check_harmless(painter, kind)


async def test_a_good_link_is_followed(town: Town, painter: Painter, web: Web) -> None:
    """Else the refusals would prove nothing."""
    followed = len(web.public.requests)
    asked = await town.imagine(town.channel(), prompt=f"<{GOOD_LINK}> a fox")
    assert await town.ended(asked) == "delivered"
    check_harmless(painter, "by a link")
    assert len(web.public.requests) == followed + 1


async def test_a_good_link_that_a_message_shows(town: Town, painter: Painter) -> None:
    await end_of(town, await by_menu(town, await embedded(town, GOOD_LINK)))
    check_harmless(painter, "by an embed")


@pytest.mark.parametrize("kind", WORDS)
async def test_what_is_no_link_before_the_words_is_words(
    town: Town, painter: Painter, web: Web, kind: str
) -> None:
    followed = len(web.public.requests), len(web.inside.requests)
    await painted(town, prompt=WORDS[kind])
    assert not {"reference_images", "image_url"} & painter.requests[-1].body.keys()
    assert (len(web.public.requests), len(web.inside.requests)) == followed


# In the end


async def test_no_link_reaches_the_log(town: Town) -> None:
    """Whoever reads it could fetch what was meant for the bot alone."""
    told = [part for part in (CANARY, "?sig=", "secret") if part in town.bot.log]
    assert told == []
    assert [secret for secret in town.secrets() if secret in town.bot.log] == []
