"""What people suggest is painted as edits of a picture, beside variations of it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pictures_sent import alike, last, references
from test_combinations import die_before_the_books, words_of
from test_family import details, paint
from test_gathering import place

from bot.demo.sandbox.rules import SAFETY_WORD
from bot.errors import BadRequest
from bot.imaging import recipe
from bot.imaging.request import COUNT_MAX, Size
from bot.store.schema import PICTURES_MAX
from bot.studio.gathering import Ours
from bot.studio.generation import Viewer
from bot.studio.intake import asks_first
from bot.studio.order import PROMPT_MAX, Order, Source, Variation
from bot.studio.remixing import Wishes, remixed
from bot.views.family import family_text
from bot.views.lineage import came_of, summary

if TYPE_CHECKING:
    from world import World

STRONG = Variation.STRONG
SOURCE = Source("key", Size(64, 64), "0123456789", 1, prompt="a red fox")
NIGHT, HAT = "make it night", "put a {red|blue} hat on it"


def order(*changes: str, **options: Any) -> Order:
    return Order("a red fox", **{"variation": STRONG, "count": 4, "changes": changes} | options)


@pytest.fixture
async def fox(world: World) -> str:
    """A picture by ann; its generation's id."""
    return await paint(world, world.ann, Order("a red fox", count=1, model="FLUX.2 [pro]"))


async def vote(world: World, fox: str, *changes: str, **options: Any) -> Any:
    """Bob has the winner painted on: the result's message."""
    await paint(world, world.bob, order(*changes, **options), Ours(fox, 1))
    return world.results()[-1]


@given(
    changes=st.lists(st.text("{|} ab\u200b", max_size=4), max_size=10),
    count=st.none() | st.integers(1, PICTURES_MAX),
)
def test_each_change_once_and_then_variations(changes: list[str], count: int | None) -> None:
    asked = order(*changes, count=count, sources=(SOURCE,))
    wanted = count or COUNT_MAX
    try:
        cleaned = asked.cleaned()
    except BadRequest:
        assert "" in {change.strip(" \u200b") for change in changes}
        return
    assert cleaned.wanted == wanted <= PICTURES_MAX
    edits = [part for part in cleaned.parts if part.variation is None]
    assert [part.prompt for part in edits] == list(cleaned.changes[:wanted]), "in their order"
    assert max(Counter(part.prompt for part in edits).values(), default=1) == 1
    assert {part.count for part in edits} <= {1}
    varied = cleaned.parts[len(edits) :]
    assert [(part.prompt, part.variation, part.count) for part in varied] == (
        [("a red fox", STRONG, wanted - len(edits))] if wanted > len(edits) else []
    )
    assert {part.sources for part in cleaned.parts} == {(SOURCE,)}
    assert Order.from_json(cleaned.to_json()) == cleaned


def test_what_is_typed_is_cleaned_and_never_spelt_out() -> None:
    asked = order(f" \u202e{HAT} ", HAT, "z" + "\u0300" * 9).cleaned()
    assert asked.changes == (HAT, "z\u0300\u0300")
    assert not asks_first(asked)
    assert not asks_first(Order(HAT, variation=STRONG)), "what comes of it has those words, too"
    assert [part.prompt for part in Order(HAT, variation=STRONG).parts] == [HAT]


REFUSED = {
    "nothing": (order(NIGHT, "\u200b"), "One of the changes has no words"),
    "very much": (order("x" * (PROMPT_MAX + 1)), "Your `change` is 2,001 characters long"),
    "no variation": (order(NIGHT, variation=None), "beside variations, from the same picture"),
    "of each": (order(NIGHT, each=True), "beside variations, from the same picture"),
    "models": (order(NIGHT, count=None, models=("a", "b")), "beside variations"),
}


@pytest.mark.parametrize("what", REFUSED)
async def test_what_cannot_be_painted_is_refused_for_nothing(world: World, what: str) -> None:
    asked, sentence = REFUSED[what]
    with pytest.raises(BadRequest) as refusal:
        await world.client.studio.intake.submit(asked, place(world, 1))
    assert sentence in refusal.value.sentence
    assert await world.generations() == []
    assert await world.usage(world.ann) is None


async def test_edits_and_variations_of_one_picture_in_one_message(world: World, fox: str) -> None:
    result = await vote(world, fox, NIGHT, HAT, seed=7)
    [original] = [await file.read() for file in world.results()[0].attachments]
    bodies = {str(request.body["prompt"]): request.body for request in world.painter.requests}
    [varied] = [prompt for prompt in bodies if prompt.startswith("Paint a new picture of the same")]
    assert varied.endswith("It shows: a red fox")
    assert bodies.keys() == {"a red fox", NIGHT, HAT, varied}, "an edit is told as it is"
    assert [bodies[prompt]["n"] for prompt in (NIGHT, HAT, varied)] == [1, 1, 2]
    assert {bodies[prompt]["seed"] for prompt in (NIGHT, HAT, varied)} == {7}
    assert all(alike(references(world, number)[0], original) for number in (1, 2, 3))
    assert result.content.splitlines()[:2] == [
        f"`a red fox` by {world.bob.mention}",
        f"-# 2 edits and 2 strong variations of {world.ann.mention}'s picture",
    ]
    assert [file.description for file in result.attachments] == [
        f"Picture 1 of 4. AI-generated with FLUX.2 [pro], edit 1 of “a red fox”: {NIGHT}",
        f"Picture 2 of 4. AI-generated with FLUX.2 [pro], edit 1 of “a red fox”: {HAT}",
        "Picture 3 of 4. AI-generated with FLUX.2 [pro], a strong variation: a red fox",
        "Picture 4 of 4. AI-generated with FLUX.2 [pro], a strong variation: a red fox",
    ]
    written = [recipe.read(await file.read()) for file in result.attachments]
    assert [each and each.prompt for each in written] == [NIGHT, HAT, varied, varied]


async def test_the_books_of_changes(world: World, fox: str) -> None:
    await vote(world, fox, NIGHT, HAT)
    _, row = await world.generations()
    assert (row.wanted, row.price, row.prompt) == (4, 120_000, "a red fox")
    assert (await world.usage(world.bob)).day_used == 4
    settled = (await world.ledger())[-1]
    assert (settled.entry, settled.pictures, settled.price) == ("settle", 4, 120_000)


async def test_more_changes_than_pictures(world: World, fox: str) -> None:
    result = await vote(world, fox, *"abc", count=2)
    assert words_of(result) == ["a", "b"]
    assert f"-# 2 edits of {world.ann.mention}'s picture" in result.content


async def test_of_one_picture_it_is_told_what_it_is(world: World, fox: str) -> None:
    result = await vote(world, fox, NIGHT)
    edit, variation = [(await details(world.bob, result, number)).content for number in (1, 2)]
    ann, bob = world.ann.mention, world.bob.mention
    assert edit.startswith(f"Edit 1 of {ann}'s `a red fox`, with {bob}\n")
    assert f"```\n{NIGHT}\n```" in edit
    assert variation.startswith(f"A strong variation of {ann}'s picture, with {bob}\n")
    assert "```\na red fox\n```" in variation
    for number, line, words in (
        (1, f"-# Edit 1 of {ann}'s `a red fox`", NIGHT),
        (2, f"-# A strong variation of {ann}'s picture", "a red fox"),
    ):
        panel = last(await world.bob.click(result, label=str(number)))
        assert f"`{words}`" in panel.content
        await world.bob.click(panel, label="Post alone")
        assert world.results()[-1].content.splitlines()[:2] == [f"`{words}` by {bob}", line]


async def test_the_family_goes_on_from_either(world: World, fox: str) -> None:
    await vote(world, fox, NIGHT, HAT)
    _, row = await world.generations()
    viewer = Viewer(world.ann.id, world.channel.id, world.guild.id)
    family = await world.client.studio.family(row.id, viewer, at_most=9)
    assert "**2** 2 edits and 2 strong variations · from 1 · " in family_text(family, row.id)
    panel = last(await world.ann.click(world.results()[-1], label="2"))
    await world.ann.click(panel, label="Vary subtly")
    again = Order.from_json((await world.generations())[-1].request)
    assert (again.prompt, again.changes, again.wanted) == (HAT, (), 4), "words, and no choice"
    assert again.lineage is not None
    assert (again.lineage.prompt, again.lineage.step) == ("a red fox", 2)
    assert "-# Subtle variations of edit 1 of " in world.results()[-1].content


def test_what_it_comes_to_in_a_few_words() -> None:
    assert summary(order(NIGHT, HAT)) == "2 edits and 2 strong variations"
    assert summary(order(NIGHT, HAT, "c")) == "3 edits and 1 strong variation"
    assert summary(order(*"abcd")) == "4 edits"
    assert summary(order(NIGHT, count=1)) == "1 edit"
    assert came_of(order(NIGHT, sources=(SOURCE,))) == "From a picture brought along"


async def test_a_reroll_paints_the_same_changes(world: World, fox: str) -> None:
    result = await vote(world, fox, NIGHT, HAT)
    await world.ann.click(result, label="Reroll")
    bodies = [request.body for request in world.painter.requests][1:]
    prompts = [str(body["prompt"]) for body in bodies]
    assert sorted(prompts[:3]) == sorted(prompts[3:])
    assert bodies[0]["seed"] != bodies[3]["seed"]
    assert words_of(world.results()[-1]) == words_of(result)


def test_a_remix_drops_the_changes() -> None:
    asked = order(NIGHT, HAT, model="m", sources=(SOURCE,))
    wishes = {"avoid": None, "seed": None, "model": "m", "shape": None}
    same = remixed(asked, Wishes(prompt="a red fox", **wishes))
    assert [(part.prompt, part.variation, part.count) for part in same.parts] == [
        ("a red fox", STRONG, 4)
    ]
    other = remixed(asked, Wishes(prompt="a {blue|red} fox", **wishes))
    assert [part.prompt for part in other.parts] == ["a blue fox", "a red fox"]
    assert (other.variation, other.changes) == (None, ())


async def test_a_change_that_the_filter_refuses_is_missing_and_free(world: World, fox: str) -> None:
    result = await vote(world, fox, NIGHT, SAFETY_WORD)
    assert words_of(result) == [NIGHT, "a red fox", "a red fox"]
    assert "3 of 4 pictures came back; what is missing was not charged." in result.content
    assert "-# Change 2: The image service's safety filter" in result.content
    assert (await world.ledger())[-1].price == 90_000
    panel = last(await world.bob.click(result, label="2"))
    told = last(await world.bob.click(panel, label="Details")).content
    assert told.startswith("A strong variation of "), "though its number is that of a change"


async def test_variations_that_the_filter_refuses_leave_the_changes(world: World, fox: str) -> None:
    asked = Order(SAFETY_WORD, variation=STRONG, changes=(NIGHT,))
    await paint(world, world.bob, asked, Ours(fox, 1))
    result = world.results()[-1]
    assert result.content.splitlines()[:2] == [
        f"`{NIGHT}` by {world.bob.mention}",
        f"-# Edit 1 of {world.ann.mention}'s `a red fox`",
    ], "of one that came alone, what it is"
    assert "-# The variations: The image service's safety filter" in result.content


async def test_what_was_kept_before_a_crash_is_what_it_was(world: World, fox: str) -> None:
    await vote(world, fox, NIGHT, count=2)
    renders = world.painter.renders
    await die_before_the_books(world)
    await world.restart()
    await world.env.settle()
    _, row = await world.generations()
    viewer = Viewer(world.bob.id, world.channel.id, world.guild.id)
    shown = await world.client.studio.see(row.id, viewer)
    assert [shown.generation.prompt_of(each) for each in shown.pictures] == [NIGHT, "a red fox"]
    assert (row.state, row.price) == ("delivered", 60_000)
    assert world.painter.renders == renders
