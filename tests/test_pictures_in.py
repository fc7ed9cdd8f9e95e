"""Which pictures a message holds, and how their bytes are had when links have expired."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import aiohttp
import discord
import pytest
from pictures_sent import last, png

from bot.errors import BadRequest
from bot.imaging.references import BYTES_MAX, BadReference
from bot.studio.gathering import SOURCES_MAX, Elsewhere, Linked, Ours, Upload
from bot.studio.generation import Viewer
from bot.views import pictures_in as module
from bot.views.pictures_in import Attached, attached, bring, pictures_for, pictures_in

if TYPE_CHECKING:
    from world import World

    from bot.studio.gathering import Given
    from bot.views.pictures_in import Found

RED, BLUE = png("red"), png("blue", 64, 96)


async def post(world: World, *files: tuple[str, bytes], words: str = "look") -> discord.Message:
    return await world.bob.send(world.channel, words, attachments=files)


def found_in(world: World, message: discord.Message) -> list[Any]:
    return pictures_in(message, world.client.user)


def stored(world: World, message: discord.Message) -> Any:
    """The message as the simulated Discord keeps it."""
    return world.env.backend.get_message(message.channel.id, message.id)


def expire(world: World, message: discord.Message) -> None:
    """Discord's links to the files change, and the old ones lead nowhere."""
    blobs, kept = world.env.backend.cdn._blobs, stored(world, message)
    forwarded = [file for each in kept.snapshots for file in each["message"]["attachments"]]
    for file in [*kept.attachments, *forwarded]:
        old = file["url"]
        file["url"] = file["proxy_url"] = f"{old}?ex=2"
        blobs[file["url"]] = blobs.pop(old)


def lose(world: World, message: discord.Message) -> None:
    for file in message.attachments:
        del world.env.backend.cdn._blobs[file.url]


# Which


async def test_our_own_are_known_by_their_names(world: World) -> None:
    await world.imagine()
    [row] = await world.generations()
    [result] = world.results()
    links = [file.url for file in result.attachments]
    assert found_in(world, result) == [Ours(row.id, n, links[n - 1]) for n in (1, 2, 3, 4)]


async def test_a_name_like_ours_in_somebody_elses_message_proves_nothing(world: World) -> None:
    message = await post(world, ("0123456789-1.png", RED))
    [found] = found_in(world, message)
    assert found == Attached(message.attachments[0], message)


async def test_our_other_files_are_files(world: World) -> None:
    await world.imagine(count=1)
    page = await world.ann.slash(world.channel, "history")
    [found] = found_in(world, page.response.message)
    assert isinstance(found, Attached)
    assert found.attachment.filename == "history.jpg"


async def test_only_pictures_count_and_their_order_is_kept(world: World) -> None:
    files = [
        ("notes.txt", b"no picture"),
        ("a.png", RED),
        ("b.bin", b""),
        ("c.webp", BLUE),
        ("d.mp4", b""),
    ]
    message = await post(world, *files)
    names = [found.attachment.filename for found in found_in(world, message)]
    assert names == ["a.png", "c.webp"]


def embed(**pictures: dict[str, str]) -> discord.Embed:
    return discord.Embed.from_dict({"type": "rich", **pictures})  # type: ignore[typeddict-item]


async def test_embeds_show_pictures_by_discords_own_copy(world: World) -> None:
    message = await post(world, ("a.png", RED))
    there, copy = "https://example.com/a.png", "https://images-ext-1.discordapp.net/a.png"
    message.embeds = [
        embed(image={"url": there, "proxy_url": copy}, thumbnail={"url": "https://x.example/"}),
        embed(thumbnail={"url": there}),
        embed(),
    ]
    assert found_in(world, message)[1:] == [Linked(copy), Linked(there)]


async def test_a_forwarded_message_shows_what_it_forwards(world: World) -> None:
    await world.imagine(count=2)
    forwarded = await world.bob.forward(world.results()[0], world.channel)
    found = found_in(world, forwarded)
    assert [each.message for each in found] == [forwarded, forwarded]
    given = await brought(found)
    assert [each.data for each in given] == [  # type: ignore[union-attr]
        await file.read() for file in world.results()[0].attachments
    ]


# Ours, forwarded


async def known(world: World, message: discord.Message, who: Any, guild: Any = None) -> list[Any]:
    """What it is for somebody who points at it."""
    viewer = Viewer(who.id, message.channel.id, (guild or world.guild).id)
    return await pictures_for(viewer, message, world.client)


async def test_our_own_are_known_again_when_they_are_forwarded(world: World) -> None:
    await world.imagine(count=2)
    [row] = await world.generations()
    forwarded = await world.bob.forward(world.results()[0], world.channel)
    links = [file.url for file in forwarded.message_snapshots[0].attachments]
    assert await known(world, forwarded, world.bob) == [
        Ours(row.id, 1, links[0]),
        Ours(row.id, 2, links[1]),
    ]


async def test_a_result_that_was_made_smaller_is_known_by_its_message(world: World) -> None:
    await world.imagine(count=1)
    [row] = await world.generations()
    forwarded = await world.bob.forward(world.results()[0], world.channel)
    [snapshot] = forwarded.message_snapshots
    [file] = snapshot.attachments
    file.size //= 2
    assert await known(world, forwarded, world.bob) == [Ours(row.id, 1, file.url)]


async def test_one_that_was_posted_alone_is_known_when_it_is_forwarded(world: World) -> None:
    await world.imagine(count=2)
    [row] = await world.generations()
    panel = last(await world.ann.click(world.results()[0], label="2"))
    await world.ann.click(panel, label="Post alone")
    forwarded = await world.bob.forward(world.results()[-1], world.channel)
    [file] = forwarded.message_snapshots[0].attachments
    assert await known(world, forwarded, world.bob) == [Ours(row.id, 2, file.url)]


async def test_a_name_like_ours_proves_nothing_when_it_is_forwarded(world: World) -> None:
    await world.imagine(count=1)
    [row] = await world.generations()
    for name in (f"{row.id}-1.png", f"{row.id}-2.png", "0123456789-1.png"):
        forwarded = await world.bob.forward(await post(world, (name, RED)), world.channel)
        [found] = await known(world, forwarded, world.bob)
        assert isinstance(found, Attached), name


async def test_what_stands_beside_ours_in_somebody_elses_message_is_not_left_out(
    world: World,
) -> None:
    await world.imagine(count=1)
    [row] = await world.generations()
    [file] = world.results()[0].attachments
    message = await post(world, ("cat.png", RED), (file.filename, await file.read()))
    cat, fox = await known(world, await world.bob.forward(message, world.channel), world.bob)
    assert isinstance(cat, Attached)
    assert fox == Ours(row.id, 1, fox.link), "by its bytes"


async def test_where_ours_are_not_theirs_to_see_they_are_files(world: World) -> None:
    await world.imagine(count=1)
    elsewhere = world.env.create_guild("Potters")
    member = elsewhere.add_member(world.bob)
    channel = elsewhere.create_text_channel("kiln")
    forwarded = await member.forward(world.results()[0], channel)
    [found] = await known(world, forwarded, member, elsewhere)
    assert isinstance(found, Attached)
    [given] = await brought([found])
    assert given.data == await world.results()[0].attachments[0].read()  # type: ignore[union-attr]


# Their bytes


async def brought(found: list[Found]) -> list[Given]:
    """What the studio gets in the end."""
    return [await e.read() if isinstance(e, Elsewhere) else e for e in bring(found)]


async def test_files_are_read_and_the_rest_is_handed_on(world: World) -> None:
    message = await post(world, ("a.png", RED), ("b.png", BLUE))
    first, second = message.attachments
    rest = [Ours("0123456789", 3), Linked("https://example.com/a.png")]
    given = await brought([*found_in(world, message), *rest])
    assert given == [Upload(RED, first.url), Upload(BLUE, second.url), *rest]


def test_what_was_left_out_of_a_command_is_no_file() -> None:
    assert attached(None, None) == []


async def test_what_is_too_large_is_not_even_fetched(world: World) -> None:
    message = await post(world, ("a.png", RED))
    message.attachments[0].size = BYTES_MAX + 1
    lose(world, message)
    with pytest.raises(BadReference, match="more than 25 MB"):
        await brought(found_in(world, message))


async def test_too_many_are_not_even_fetched(world: World) -> None:
    message = await post(world, ("a.png", RED))
    lose(world, message)
    with pytest.raises(BadRequest, match="Those are 9 pictures"):
        await brought(found_in(world, message) * (SOURCES_MAX + 1))


async def test_an_expired_link_is_renewed_once(world: World) -> None:
    message = await post(world, ("a.png", RED), ("b.png", BLUE))
    found = found_in(world, message)
    expire(world, message)
    [given] = await brought(found[1:])
    assert given == Upload(BLUE, f"{message.attachments[1].url}?ex=2")
    gets = [r for r in world.env.http_requests if r.method == "GET" and "/messages/" in r.path]
    assert len(gets) == 1


async def test_an_expired_link_of_a_forwarded_picture_is_renewed(world: World) -> None:
    original = await post(world, ("a.png", RED))
    forwarded = await world.bob.forward(original, world.channel)
    found = found_in(world, forwarded)
    expire(world, forwarded)
    [given] = await brought(found)
    assert given == Upload(RED, f"{original.attachments[0].url}?ex=2")


async def test_a_deleted_message_is_said_to_be_gone(world: World) -> None:
    message = await post(world, ("a.png", RED))
    found = found_in(world, message)
    await world.bob.delete(message)
    lose(world, message)
    with pytest.raises(BadReference, match="message is gone, and its picture with it"):
        await brought(found)


async def test_what_discord_withholds_is_said_to_have_expired(world: World) -> None:
    message = await post(world, ("a.png", RED))
    found = found_in(world, message)
    expire(world, message)
    world.client.http.message_content_access = False  # type: ignore[attr-defined]
    with pytest.raises(BadReference, match="link to that picture has expired"):
        await brought(found)


@pytest.mark.parametrize(
    ("status", "code"), [(403, 50001), (404, 10003)], ids=["no access", "no such channel"]
)
async def test_where_the_bot_may_not_look_the_link_has_expired(
    world: World, status: int, code: int
) -> None:
    message = await post(world, ("a.png", RED))
    found = found_in(world, message)
    expire(world, message)
    world.env.inject_error("GET", "/channels/*/messages/*", status=status, code=code)
    with pytest.raises(BadReference, match="link to that picture has expired"):
        await brought(found)


async def test_a_file_without_a_message_is_not_asked_for_twice(world: World) -> None:
    message = await post(world, ("a.png", RED))
    lose(world, message)
    with pytest.raises(BadReference, match="upload the picture again"):
        await brought(attached(*message.attachments))


async def test_trouble_with_discord_is_not_the_persons(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = await post(world, ("a.png", RED))
    found = found_in(world, message)

    async def reset(_url: str) -> bytes:
        raise aiohttp.ClientConnectionError

    monkeypatch.setattr(world.client.http, "get_from_cdn", reset)
    with pytest.raises(BadReference, match="try again in a minute"):
        await brought(found)


async def test_trouble_with_discord_while_a_link_is_renewed(world: World) -> None:
    message = await post(world, ("a.png", RED))
    found = found_in(world, message)
    expire(world, message)
    world.env.inject_error("GET", "/channels/*/messages/*", status=503)
    with pytest.raises(BadReference, match="try again in a minute"):
        await brought(found)


async def test_nobody_waits_for_ever_for_a_file(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = await post(world, ("a.png", RED))
    found = found_in(world, message)

    async def slow(_url: str) -> bytes:
        await asyncio.sleep(30)
        raise AssertionError

    monkeypatch.setattr(world.client.http, "get_from_cdn", slow)
    monkeypatch.setattr(module, "_READ_MAX_S", 0.01)
    with pytest.raises(BadReference, match="try again in a minute"):
        await brought(found)
