"""Pictures from pictures over the wire: each way in, long chains, large files, and kills."""

from __future__ import annotations

import asyncio
import itertools
import os
import re
import zlib
from contextlib import asynccontextmanager, suppress
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from pictures_sent import alike, check_sent_to, kept, png, sent_to
from PIL import Image
from wire.books import rows
from wire.orders import (
    bytes_of,
    check_refused,
    end_of,
    id_of,
    opened,
    painted,
    parent_of,
)

from bot.imaging.catalogue import Catalogue

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator, Sequence

    from wire.messages import Message
    from wire.town import Town
    from wire.world import Person

    from bot.demo.painter import Painter

pytestmark = pytest.mark.asyncio(loop_scope="module")

DAY_S = 24 * 60 * 60
RED, BLUE = png("red", 300, 200), png("blue", 96, 160)
GREEN, WHITE = png("green"), png("white", 64, 64)
CATALOGUE = Catalogue.load()
KONTEXT = CATALOGUE.get("black-forest-labs/FLUX.1-kontext-pro")


def tell(figures: str) -> None:
    """For those who run the tests with `-s`."""
    print(f"\n{figures}")  # noqa: T201 - figures are worth nothing unread


async def panel(town: Town, result: Message, who: Person, number: int = 1) -> Message:
    return await (await town.discord.people.click(result, who, str(number))).answer()


async def edit(town: Town, message: Message, who: Person, words: str, **fields: object) -> Message:
    """By the form behind `Edit…`, under a result or in a panel."""
    form = await town.discord.people.click(message, who, "Edit…")
    return await end_of(town, await town.discord.people.submit(form, words=words, **fields))


# Each way in


async def test_commands(town: Town, painter: Painter) -> None:
    people, ann = town.discord.people, town.person("ann")
    red, blue = people.file("red.png", RED), people.file("blue.png", BLUE)
    for command, options, expected in (
        ("edit", {"prompt": "make it night", "image": red}, [RED]),
        ("edit", {"prompt": "image 2 on image 1", "image": blue, "image2": red}, [BLUE, RED]),
        ("blend", {"image1": red, "image2": blue}, [RED, BLUE]),
        ("imagine", {"prompt": "the fox of image 1", "count": 1, "reference": blue}, [BLUE]),
    ):
        asked = await people.slash(town.channel(), ann, command, **options)
        result = await end_of(town, asked)
        assert ann.mention in result.content, command
        check_sent_to(painter, *expected)


async def test_the_menu_of_somebodys_message(town: Town, painter: Painter) -> None:
    channel, people = town.channel(), town.discord.people
    ann, bob = town.person("ann"), town.person("bob")
    files = [people.file("cat.png", RED), people.file("dog.png", BLUE)]
    message = await people.say(channel, bob, "my two", files=files)
    form = await people.menu(message, ann, "Edit this picture")
    more = [people.file("wall.png", GREEN)]
    asked = await people.submit(form, which="1", words="image 2 behind the dog", more=more)
    result = await end_of(town, asked)
    assert result.mentions == [ann]
    check_sent_to(painter, BLUE, GREEN)


async def test_where_the_bot_is_no_member(town: Town, painter: Painter) -> None:
    world, people, ann = town.discord.world, town.discord.people, town.person("ann")
    elsewhere = world.channel(world.guild("elsewhere", joined=False))
    files = [people.file("cat.png", BLUE)]
    message = await people.say(elsewhere, town.person("bob"), "my cat", files=files)
    asked = await people.submit(await people.menu(message, ann, "Edit this picture"), words="x")
    first = await end_of(town, asked)
    check_sent_to(painter, BLUE)
    second = await edit(town, first, ann, "make it night")
    check_sent_to(painter, bytes_of(first.files[0]))
    assert second.asked is not None, "there are no messages of its own"


async def test_the_form_of_a_result_takes_more_pictures(town: Town, painter: Painter) -> None:
    result, bob = await painted(town, count=2), town.person("bob")
    more = [town.discord.people.file(f"{n}.png", data) for n, data in enumerate((BLUE, WHITE))]
    await edit(town, result, bob, "image 2 and image 3 on it", which="1", more=more)
    check_sent_to(painter, bytes_of(result.files[1]), BLUE, WHITE)


async def test_variations(town: Town, painter: Painter) -> None:
    people, ann = town.discord.people, town.person("ann")
    result = await painted(town, count=2)
    second = await panel(town, result, ann, 2)
    for label, words in (
        ("Vary subtly", "change only small details"),
        ("Vary strongly", "another composition"),
    ):
        varied = await end_of(town, await people.click(second, ann, label))
        assert len(varied.files) == 4
        check_sent_to(painter, bytes_of(result.files[1]))
        assert words in painter.requests[-1].body["prompt"]
        assert parent_of(town, varied) == id_of(result)
    both = await end_of(town, await people.click(result, ann, "Vary all"))
    assert len(both.files) == 2
    for file in result.files:
        worked_from = [alike(sent_to(painter, request)[0], bytes_of(file)) for request in (-1, -2)]
        assert worked_from.count(True) == 1, "each is varied once"


@pytest.mark.parametrize(
    ("command", "given", "pictures"),
    [
        ("imagine", {}, 0),
        ("imagine", {"reference3": RED}, 1),
        ("imagine", {"reference": RED, "reference2": BLUE, "reference4": WHITE}, 3),
        ("imagine", {"prompt": "https://example.com/1.png a fox", "reference": RED}, 2),
        ("edit", {}, 1),
        ("edit", {"image": RED}, 1),
        ("edit", {"image": RED, "image2": BLUE}, 2),
        ("edit", {"image": RED, "image2": BLUE, "image3": GREEN, "image4": WHITE}, 4),
        ("vote start", {"prompt": "https://example.com/1.png a fox"}, 1),
    ],
)
async def test_models_are_offered_for_the_pictures_that_are_there(
    town: Town, command: str, given: dict[str, Any], pictures: int
) -> None:
    people, ann = town.discord.people, town.person("ann")
    filled_in = {
        name: people.file(f"{name}.png", value) if isinstance(value, bytes) else value
        for name, value in given.items()
    }
    typing = {"option": "model", "typed": ""}
    typed = await people.complete(town.channel(), ann, command, **filled_in, **typing)
    told = {choice["value"]: choice["name"] for choice in await typed.choices()}
    assert len(told) == 25, "Discord shows 25"
    able = [not pictures or CATALOGUE.get(model_id).works_from(pictures) for model_id in told]
    assert sum(able) == (len(CATALOGUE.editors(pictures)) if pictures else 25)
    assert able == sorted(able, reverse=True), "those that can come first"
    why = [("work from" in name or "works from" in name) for name in told.values()]
    assert why == [not each for each in able], "each of the others says why not"
    if pictures > 1:
        assert told[KONTEXT.id] == f"{KONTEXT.name} · works from 1 picture, not from {pictures}"


async def test_a_reference_for_a_new_picture(town: Town, painter: Painter) -> None:
    people, bob = town.discord.people, town.person("bob")
    result = await painted(town)
    form = await people.click(await panel(town, result, bob), bob, "Use as reference")
    new = await end_of(town, await people.submit(form, words="the fox of image 1 on a train"))
    assert len(new.files) == 4, "a new picture is a choice again"
    check_sent_to(painter, bytes_of(result.files[0]))


# Chains


async def test_a_chain_of_five_with_a_kill_a_branch_and_the_way_back(
    town: Town, painter: Painter
) -> None:
    people, channel = town.discord.people, town.channel()
    ann, bob = town.person("ann"), town.person("bob")
    chain = [await painted(town, channel)]
    for who, words in ((ann, "make it night"), (bob, "let it snow")):
        chain.append(await edit(town, chain[-1], who, words))
        check_sent_to(painter, bytes_of(chain[-2].files[0]))

    form = await opened(await people.click(chain[2], bob, "Edit…"))
    chain.append(await killed_while_painting(town, painter, chain[2], ann))
    check_sent_to(painter, bytes_of(chain[2].files[0]))
    branch = await end_of(town, await people.submit(form, words="a lantern"))
    check_sent_to(painter, bytes_of(chain[2].files[0]))
    assert parent_of(town, branch) == id_of(chain[2])
    assert "Edit 3 of " in branch.content

    for who, words in ((bob, "and a hat"), (ann, "a larger hat")):
        chain.append(await edit(town, chain[-1], who, words))
        check_sent_to(painter, bytes_of(chain[-2].files[0]))
    for number, (parent, child) in enumerate(itertools.pairwise(chain), start=1):
        assert f"Edit {number} of " in child.content
        assert parent_of(town, child) == id_of(parent)

    details = await walk_back(town, chain, ann)
    aside = await (await people.select(details, ann, "Branch from…", id_of(branch))).answer()
    assert aside.files[0].sha256 == branch.files[0].sha256
    await edit(town, aside, ann, "make it morning")
    check_sent_to(painter, bytes_of(branch.files[0]))


async def killed_while_painting(
    town: Town, painter: Painter, message: Message, who: Person
) -> Message:
    """An edit that another process ends."""
    people, painter.terms.pace = town.discord.people, 30.0
    form = await people.click(message, who, "Edit…")
    asked = await people.submit(form, words="a red door")
    try:
        await town.until(lambda: town.state(asked) == "painting", "a brush on canvas")
        await town.bot.kill()
    finally:
        painter.terms.pace = 0.0
    town.let_leases_end()
    await town.bot.restart()
    return await end_of(town, asked)


async def walk_back(town: Town, chain: Sequence[Message], who: Person) -> Message:
    """From the last of a chain to the first, by its details; those of the last but one."""
    people = town.discord.people
    shown = details = await panel(town, chain[-1], who)
    for here, parent in itertools.pairwise(reversed(chain)):
        details = await (await people.click(shown, who, "Details")).answer()
        assert f"`{id_of(here)}`" in details.content
        assert [file.name for file in details.files] == ["before-and-after.jpg"]
        shown = await (await people.click(details, who, "Back")).answer()
        assert shown.files[0].sha256 == parent.files[0].sha256
    return details


# Messages that age


async def test_a_link_that_expires_while_one_writes_is_renewed(
    town: Town, painter: Painter
) -> None:
    world, people, cleo = town.discord.world, town.discord.people, town.person("cleo")
    direct = world.direct(cleo)
    message = await people.say(direct, cleo, "", files=[people.file("cat.png", RED)])
    form = await opened(await people.menu(message, cleo, "Edit this picture"))
    world.clock.forward(2 * DAY_S)
    await end_of(town, await people.submit(form, words="make it night"))
    check_sent_to(painter, RED)
    assert [c.status for c in town.discord.calls if c.path == path_of(message)] == [200]


def path_of(message: Message) -> str:
    return f"/channels/{message.channel.id}/messages/{message.id}"


async def test_a_link_that_discord_does_not_renew(town: Town, painter: Painter) -> None:
    """Without the privileged intent, it does not show what others wrote, once asked for."""
    people, ann = town.discord.people, town.person("ann")
    files = [people.file("cat.png", RED)]
    message = await people.say(town.channel(), town.person("bob"), "my cat", files=files)
    form = await opened(await people.menu(message, ann, "Edit this picture"))
    town.discord.world.clock.forward(2 * DAY_S)
    before = kept(town.folder, painter)
    refused = await people.submit(form, words="make it night")
    assert "Discord's link to that picture has expired" in (await refused.whisper()).content
    assert kept(town.folder, painter) == before


async def test_a_message_that_is_gone(town: Town, painter: Painter) -> None:
    people, ann, bob = town.discord.people, town.person("ann"), town.person("bob")
    files = [people.file("cat.png", RED)]
    message = await people.say(town.channel(), bob, "my cat", files=files)
    form = await opened(await people.menu(message, ann, "Edit this picture"))
    await people.delete(message)
    before = kept(town.folder, painter)
    refused = await people.submit(form, words="make it night")
    assert "That message is gone, and its picture" in (await refused.whisper()).content
    assert kept(town.folder, painter) == before


async def test_a_file_of_a_command_that_is_gone(town: Town, painter: Painter) -> None:
    people, before = town.discord.people, kept(town.folder, painter)
    file = people.file("cat.png", RED)
    del town.discord.world.files[file.id]
    asked = await people.slash(
        town.channel(), town.person("ann"), "edit", prompt="make it night", image=file
    )
    await check_refused(asked, "Discord's link to that picture has expired")
    assert kept(town.folder, painter) == before


async def test_our_own_message_is_looked_at_again(town: Town, painter: Painter) -> None:
    """A private picture that was posted alone is a file to others, and its link expires."""
    world, people, bob = town.discord.world, town.discord.people, town.person("bob")
    asked = await town.imagine(town.channel(), private=True)
    await end_of(town, asked)
    ann = asked.interaction.person
    await people.click(await panel(town, asked.said[0], ann), ann, "Post alone")
    channel = asked.interaction.channel
    posted = await channel.pulse.until(
        lambda: next(iter(channel.results), None), within=10, what="a picture by itself"
    )
    form = await opened(await people.menu(posted, bob, "Edit this picture"))
    world.clock.forward(2 * DAY_S)
    await end_of(town, await people.submit(form, words="make it night"))
    check_sent_to(painter, bytes_of(posted.files[0]))
    assert [c.status for c in town.discord.calls if c.path == path_of(posted)] == [200]


async def test_a_result_that_is_gone_is_in_the_archive(town: Town, painter: Painter) -> None:
    people, bob = town.discord.people, town.person("bob")
    result = await painted(town)
    form = await opened(await people.click(await panel(town, result, bob), bob, "Edit…"))
    await people.delete(result)
    await end_of(town, await people.submit(form, words="make it night"))
    check_sent_to(painter, bytes_of(result.files[0]))


# What is refused


async def test_beyond_the_allowance_no_picture_is_kept(town: Town, painter: Painter) -> None:
    people, ann = town.discord.people, town.person("ann")
    options = {"prompt": "make it night", "image": people.file("red.png", RED), "count": 4}
    accepted = [await people.slash(town.channel(), ann, "edit", **options) for _ in range(5)]
    await asyncio.gather(*(end_of(town, asked) for asked in accepted))
    before = kept(town.folder, painter)
    refused = await people.slash(town.channel(), ann, "edit", **options)
    await check_refused(refused, "a minute; the next one is free")
    assert kept(town.folder, painter) == before


# What is large


def forty_megapixels(kind: str, **options: object) -> bytes:
    """As heavy as a large screenshot or photograph: noise of many megabytes, the rest plain."""
    colours = "L" if kind == "GIF" else "RGB"
    picture = Image.new(colours, (8000, 5000), 99)
    noise = Image.frombytes(colours, (4000, 4000), os.urandom(16_000_000 * len(colours)))
    picture.paste(noise.resize((3000, 2000)) if kind == "PNG" else noise, (500, 500))
    buffer = BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


LARGE: dict[str, dict[str, object]] = {
    # The quickest: https://pillow.readthedocs.io/en/stable/handbook/image-file-formats.html#png
    "PNG": {"compress_level": 1, "compress_type": zlib.Z_RLE},
    "JPEG": {"quality": 75},
    "GIF": {},
}


@pytest.mark.parametrize("kind", LARGE)
async def test_forty_megapixels(town: Town, painter: Painter, kind: str) -> None:
    data = await asyncio.to_thread(forty_megapixels, kind, **LARGE[kind])
    people, ann = town.discord.people, town.person("ann")
    file = people.file(f"large.{kind.lower()}", data)
    async with watched(town.bot.process.pid) as most:
        asked = await people.slash(town.channel(), ann, "edit", prompt="make it night", image=file)
        result = await end_of(town, asked)
    tell(
        f"{kind} of {len(data) / 1e6:.0f} MB, 40 megapixels: delivered after "
        f"{asked.took(result):.1f} s; the bot {most['bot']:.0f} MB at most, its child "
        f"{most['children']:.0f} MB, both at once {most['both']:.0f} MB"
    )
    worked_from = sent_to(painter)[-1]
    assert worked_from.width / worked_from.height == pytest.approx(1.6, abs=0.01)
    assert worked_from.width * worked_from.height <= 4_000_000
    assert most["children"] > 30, "it was seen at work"
    assert most["both"] < 200


@asynccontextmanager
async def watched(pid: int) -> AsyncGenerator[dict[str, float]]:
    """The most memory of a process, of its children, and of all together, in MB; Linux only."""
    most = {"bot": 0.0, "children": 0.0, "both": 0.0}

    async def look() -> None:
        while True:
            children = sum(map(held, children_of(pid)))
            bot = held(pid)
            for name, now in (("bot", bot), ("children", children), ("both", bot + children)):
                most[name] = max(most[name], now)
            await asyncio.sleep(0.01)

    looking = asyncio.create_task(look())
    try:
        yield most
    finally:
        looking.cancel()


def children_of(pid: int) -> Iterator[int]:
    """Those that have begun: before, they are the process itself by another number."""
    own = Path(f"/proc/{pid}/cmdline").read_bytes()
    for task in Path(f"/proc/{pid}/task").iterdir():
        with suppress(OSError):  # it has just ended
            for child in map(int, (task / "children").read_text().split()):
                if Path(f"/proc/{child}/cmdline").read_bytes() != own:
                    yield child


def held(pid: int) -> float:
    """In MB; what two share counts half: https://docs.kernel.org/filesystems/proc.html."""
    with suppress(OSError):  # it has just ended
        told = Path(f"/proc/{pid}/smaps_rollup").read_text()
        found = re.search(r"\bPss:\s+(\d+) kB", told)
        return int(found[1]) * 1024 / 1e6 if found else 0.0
    return 0.0


# In the end


async def test_the_books_and_the_archive_agree(town: Town) -> None:
    """After all that these tests did."""
    unsettled = """
        SELECT generations.id, state, group_concat(entry) FROM generations
        LEFT JOIN ledger ON generation_id = generations.id GROUP BY generations.id
        HAVING state != 'delivered' OR count(entry) != 2 OR sum(entry = 'settle') != 1
    """
    assert [tuple(row) for row in rows(town, unsettled)] == []
    assert rows(town, "SELECT * FROM people WHERE day_reserved OR waiting") == []
    named = {
        row["key"] for row in rows(town, "SELECT key FROM pictures UNION SELECT key FROM sources")
    }
    folder = town.folder / "pictures"
    files = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert named <= files, "a picture is lost"
    assert files <= named, "a file was left over"


async def test_no_link_and_no_secret_reaches_the_log(town: Town) -> None:
    assert [secret for secret in town.secrets() if secret in town.bot.log] == []
    assert "/cdn/attachments" not in town.bot.log, "with it, anybody could fetch the picture"
