"""`{red|blue|gold} fox`: every combination is painted once, with its own words, in one message."""

from __future__ import annotations

import random
import re
import time
from io import BytesIO
from itertools import product
from typing import TYPE_CHECKING, Any

import aiohttp
import discord
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from test_views import generation as made
from world import open_world

from bot.demo.sandbox.rules import SAFETY_WORD
from bot.errors import BadRequest
from bot.imaging import recipe
from bot.imaging.archive import key_for
from bot.imaging.pictures import MediaType
from bot.imaging.request import Size
from bot.store.schema import PICTURES_MAX, generations, ledger, people, pictures
from bot.studio.generation import Generation, KeptPicture
from bot.studio.order import Order, Source
from bot.studio.permutations import LOOKED_AT_MAX, combinations, ways
from bot.views.buttons import result_buttons
from bot.views.result import caption, files_of
from bot.views.wording import REQUEST_BYTES_MAX

if TYPE_CHECKING:
    from pathlib import Path

    from world import World

PROMPT = "{red|blue|gold} fox"


@pytest.mark.parametrize(
    ("prompt", "spelt"),
    [
        (PROMPT, ["red fox", "blue fox", "gold fox"]),
        ("{a|b} and {1|2}", ["a and 1", "a and 2", "b and 1", "b and 2"]),
        ("a {|red} fox", ["a fox", "a red fox"]),
        ("{a|a|b} fox", ["a fox", "b fox"]),
        ("{ red | blue } fox", ["red fox", "blue fox"]),
        ("{|}", [""]),
        # Nothing to choose from.
        ("red|blue  {fox}  {}", ["red|blue  {fox}  {}"]),
        ("{red|blue fox", ["{red|blue fox"]),
        ("red|blue} fox", ["red|blue} fox"]),
        ("}{", ["}{"]),
        # A brace that nobody closed holds nothing.
        ("{ {red|blue} fox", ["{ red fox", "{ blue fox"]),
        ("{a| {red|blue} fox", ["{a| red fox", "{a| blue fox"]),
        # JSON may hold choices.
        ('{"fox": {"in": "{red|blue}"}}', ['{"fox": {"in": "red"}}', '{"fox": {"in": "blue"}}']),
        # A choice that holds braces is words, with all that is in it.
        ("{red|{blue|gold}} fox", ["{red|{blue|gold}} fox"]),
        ("{red|{blue}} {fox|hare}", ["{red|{blue}} fox", "{red|{blue}} hare"]),
    ],
)
def test_what_a_prompt_comes_to(prompt: str, spelt: list[str]) -> None:
    assert list(combinations(prompt)) == spelt


#: Words without braces, and choices of such words.
_words = st.text("ab ,|", max_size=4)
_options = st.lists(st.text("ab ", max_size=3), min_size=2, max_size=4)


@given(st.lists(st.tuples(_words, _options), max_size=3), _words)
def test_each_combination_once_and_in_order(
    choices: list[tuple[str, list[str]]], after: str
) -> None:
    prompt = "".join(f"{before}{{{'|'.join(options)}}}" for before, options in choices) + after
    pieces = [piece for before, options in choices for piece in ([before], options)]
    spelt = ["".join(chosen) for chosen in product(*pieces, [after])]
    if choices:
        spelt = [re.sub(" +", " ", each).strip() for each in spelt]
    assert list(combinations(prompt)) == list(dict.fromkeys(spelt))


@given(st.text("{|}ab ", max_size=60))
def test_whatever_people_type(prompt: str) -> None:
    found = combinations(prompt)
    assert 1 <= len(found) <= min(LOOKED_AT_MAX, ways(prompt))
    assert len(set(found)) == len(found), "a combination would be painted twice"
    for each in found:
        assert combinations(each) == (each,), "a choice is left, which Vary would spell out"
    if not re.search(r"\{[^{}]*\|[^{}]*\}", prompt):
        assert found == (prompt,), "without a choice, words stay as they are"


@pytest.mark.parametrize(
    "hostile",
    [
        "{a|" * 500,
        "{a|b}" * 400,
        "{a|" * 500 + "}" * 500,
        "{" * 990 + "a|b" + "}" * 990,
        "{" + "|" * 1990 + "}",
        "{" + "a|" * 990 + "{a|",
        "|" * 2000,
        "{}" * 1000 + "|",
    ],
)
def test_what_is_meant_to_take_long_takes_none(hostile: str) -> None:
    began = time.process_time()
    combinations(hostile)
    ways(hostile)
    assert time.process_time() - began < 0.2, "the loop stands still meanwhile"


REFUSED = {
    "nine": ("{a|b|c}{1|2|3}", None, "9 combinations and 9 pictures; I paint at most 8"),
    "too many of each": (PROMPT, 3, "3 combinations and 9 pictures"),
    "very many": ("{a|b}" * 7, None, "more than 64 combinations"),
    "very many of the same": ("{a|a }" * 7 + "b", None, "more than 64 combinations"),
    "one without words": ("{|red}", None, "has no words at all"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_painted_is_said(what: str) -> None:
    prompt, count, sentence = REFUSED[what]
    with pytest.raises(BadRequest) as refusal:
        Order(prompt, count=count, style="ink").cleaned()
    assert sentence in refusal.value.sentence


def test_the_same_words_twice_are_no_choice() -> None:
    order = Order("{a|a} fox").cleaned()
    assert [(part.prompt, part.count) for part in order.parts] == [("a fox", 4)]


def test_of_each_picture_the_words_are_its_own_or_those_that_are_new() -> None:
    def source(n: int, prompt: str | None) -> Source:
        return Source(f"key-{n}", Size(64, 64), f"{n:010}", 1, prompt=prompt)

    own = Order("{a|b}", each=True, sources=(source(1, "one"), source(2, "two")))
    assert [part.prompt for part in own.parts] == ["one", "two"]
    assert not own.speaks
    new = Order("{a|b}", each=True, sources=(source(1, None), source(2, None)))
    assert [(part.prompt, *part.keys) for part in new.parts] == [
        ("a", "key-1"),
        ("b", "key-1"),
        ("a", "key-2"),
        ("b", "key-2"),
    ]
    assert new.speaks


async def painted(world: World, prompt: str = PROMPT, **options: Any) -> Any:
    """Asks for combinations, says yes, and returns the result's message."""
    asked = await world.imagine(prompt=prompt, **options)
    [row] = asked.response.components
    await world.ann.click(asked.response, custom_id=row["components"][0]["custom_id"])
    return world.results()[-1]


def last(answer: Any) -> Any:
    return answer.followups[-1] if answer.followups else answer.response


def words_of(message: Any) -> list[str]:
    """What each picture is said to show."""
    return [file.description.rpartition(": ")[2] for file in message.attachments]


def labels(message: Any) -> list[str]:
    return [item.label for row in message.components for item in row.children]


async def test_three_combinations_are_three_pictures_of_one_message(world: World) -> None:
    result = await painted(world, seed=7)
    assert len(world.results()) == 1
    bodies = [request.body for request in world.painter.requests]
    assert sorted(body["prompt"] for body in bodies) == ["blue fox", "gold fox", "red fox"]
    assert {body["seed"] for body in bodies} == {7}, "the words make the difference"
    assert {body["n"] for body in bodies} == {1}
    assert f"`{PROMPT}`" in result.content
    assert "about $0.09" in result.content
    assert labels(result)[:4] == ["1", "2", "3", "Vote"]
    for number, words in enumerate(["red fox", "blue fox", "gold fox"], start=1):
        file = result.attachments[number - 1]
        told = f"Picture {number} of 3. AI-generated with FLUX.2 [pro]: {words}"
        assert file.description == told
        written = recipe.read(await file.read())
        assert written is not None
        assert (written.prompt, written.seed) == (words, 7)
        panel = last(await world.bob.click(result, label=str(number)))
        assert f"`{words}`" in panel.content, "and not what all of them were"
        details = last(await world.bob.click(panel, label="Details"))
        assert f"/imagine prompt:{words} model:" in details.content
        assert "count:1 seed:7" in details.content
    alone = await world.bob.click(panel, label="Post alone")
    assert alone.acknowledged
    assert "`gold fox`" in world.results()[-1].content


async def test_the_books_of_combinations(world: World) -> None:
    await painted(world, count=2)
    [row] = await world.generations()
    assert (row.wanted, row.price, row.state) == (6, 180_000, "delivered")
    assert (await world.usage(world.ann)).day_used == 6
    assert [(line.entry, line.pictures, line.price) for line in await world.ledger()] == [
        ("reserve", 6, 180_000),
        ("settle", 6, 180_000),
    ]
    twice = ["red fox"] * 2 + ["blue fox"] * 2 + ["gold fox"] * 2
    assert words_of(world.results()[0]) == twice


async def test_a_reroll_paints_all_of_them_once_more(world: World) -> None:
    result = await painted(world)
    await world.bob.click(result, label="Reroll")
    assert words_of(world.results()[-1]) == ["red fox", "blue fox", "gold fox"]
    assert (await world.usage(world.bob)).day_used == 3


async def test_one_that_the_filter_refuses_is_missing_and_free(world: World) -> None:
    result = await painted(world, f"{{red|{SAFETY_WORD}|gold}} fox")
    assert [file.description for file in result.attachments] == [
        "Picture 1 of 2. AI-generated with FLUX.2 [pro]: red fox",
        "Picture 2 of 2. AI-generated with FLUX.2 [pro]: gold fox",
    ]
    assert labels(result)[:3] == ["1", "2", "Vote"]
    assert "2 of 3 pictures came back; what is missing was not charged." in result.content
    assert "Combination 2: The image service's safety filter" in result.content
    assert "about $0.06" in result.content
    usage = await world.usage(world.ann)
    assert (usage.day_used, usage.day_reserved, usage.minute_used) == (2, 0, 2)
    assert [(line.entry, line.pictures, line.price) for line in await world.ledger()] == [
        ("reserve", 3, 90_000),
        ("settle", 2, 60_000),
    ]


async def test_when_the_filter_refuses_all_nothing_is_charged(world: World) -> None:
    asked = await world.imagine(prompt=f"{{red|blue}} {SAFETY_WORD}")
    answer = await world.ann.click(asked.response, label="Paint 2 pictures")
    assert world.results() == []
    assert "safety filter" in last(answer).content
    usage = await world.usage(world.ann)
    assert (usage.day_used, usage.day_reserved, usage.minute_used) == (0, 0, 0)
    [row] = await world.generations()
    assert row.state == "refused"
    assert (await world.ledger())[-1].entry == "refund"


async def test_eight_are_the_most_and_their_numbers_stand_in_two_rows(tmp_path: Path) -> None:
    async with open_world(tmp_path, user_images_per_minute=8) as world:
        refused = await world.imagine(prompt="{1|2|3} {a|b|c}")
        assert refused.ephemeral
        assert "9 combinations and 9 pictures; I paint at most 8" in refused.response.content
        result = await painted(world, "{1|2|3|4} {a|b}")
        assert len(result.attachments) == 8
        assert [[item.label for item in row.children] for row in result.components] == [
            ["1", "2", "3", "4"],
            ["5", "6", "7", "8", "Vote"],
            ["Reroll", "Remix…", "Vary all", "Edit…", "Delete"],
        ]
        panel = last(await world.ann.click(result, label="8"))
        assert "`4 b`" in panel.content
        assert "a minute" in (await world.imagine(count=1)).response.content


async def test_what_was_kept_before_a_crash_keeps_its_own_words(world: World) -> None:
    await painted(world)
    [row] = await world.generations()
    await die_before_the_books(world)
    await world.restart()
    await world.env.settle()
    shown = await world.ann.slash(world.channel, "show", id=row.id)
    assert words_of(last(shown)) == ["red fox", "blue fox", "gold fox"]
    assert world.painter.renders == 3, "they were paid for once"


async def die_before_the_books(world: World) -> None:
    """Leaves what a process leaves whose pictures are in the archive, and not written down."""

    def change(connection: Any) -> None:
        over = time.time() - 1
        unfinished = {
            "state": "painting",
            "holder": "a dead process",
            "lease_until": over,
            "painted_at": None,
            "ended_at": None,
            "message_id": None,
            "way": None,
        }
        connection.execute(pictures.delete())
        connection.execute(ledger.delete().where(ledger.c.entry == "settle"))
        connection.execute(generations.update().values(**unfinished))
        connection.execute(people.update().values(day_used=0, day_reserved=3, waiting=1))

    await world.client._database.write(change)


@pytest.mark.parametrize("count", range(1, PICTURES_MAX + 1))
def test_the_rows_of_buttons(count: int) -> None:
    kept = [KeptPicture(n, "key", MediaType.PNG, Size(1, 1), 1, 1) for n in range(1, count + 1)]
    rows = [
        [button["label"] for button in row["components"]]
        for row in result_buttons(made(PROMPT), kept).to_components()
    ]
    *numbers, actions = rows
    voting = ["Vote"] if count > 1 else []
    named = [str(n) for n in range(1, count + 1)]
    assert [label for row in numbers for label in row] == [*named, *voting]
    assert len(numbers) == (2 if count > 4 else 1)
    assert max(len(row) for row in rows) <= 5
    assert actions == ["Reroll", "Remix…", *(["Vary all"] if count > 1 else []), "Edit…", "Delete"]


async def test_eight_large_pictures_fit_into_one_request(world: World) -> None:
    await world.imagine(prompt="🦊" * 2000, count=1)
    [row] = await world.generations()
    generation = Generation.from_row(row)
    heavy = noise(1100, 1100)
    # Those that just need not be made smaller are the most that there can be.
    nearly = noise(1023, 1024)
    assert len(nearly) <= REQUEST_BYTES_MAX // 8 < len(heavy)
    keys = [key_for(generation.id, n, MediaType.PNG) for n in range(1, 9)]
    files = dict.fromkeys(keys, nearly) | {keys[0]: heavy}
    await world.client.studio._archive.put(files)
    kept = [
        KeptPicture(n, key, MediaType.PNG, Size(1023, 1024), len(data), 1)
        for n, (key, data) in enumerate(files.items(), start=1)
    ]
    studio = world.client.studio
    async with files_of(studio, generation, kept, file_limit=50 * 1024 * 1024) as uploads:
        sent = discord.http.handle_message_parameters(
            content=caption(studio, generation, kept),
            files=uploads,
            view=result_buttons(generation, kept),
        )
        form = aiohttp.FormData()
        for field in sent.multipart or ():
            form.add_field(**field)
        size = form().size
    assert size is not None
    assert 21 * 1024 * 1024 < size <= 25 * 1024 * 1024, f"{size:,} bytes"


def noise(width: int, height: int) -> bytes:
    """A picture that no format makes small."""
    image = Image.frombytes("RGB", (width, height), random.Random(1).randbytes(3 * width * height))
    buffer = BytesIO()
    image.save(buffer, "PNG", compress_level=0)
    return buffer.getvalue()
