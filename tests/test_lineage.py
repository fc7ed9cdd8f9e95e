"""How families are told of in words, whatever people typed and however many they are."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from test_views import STUDIO, check_layout, generation, hostile, pictures, texts

from bot.imaging.family import MEMBERS_MAX
from bot.imaging.request import Size
from bot.store.families import Edge
from bot.studio.generation import Generation, Shown, Viewer
from bot.studio.order import Lineage, Order, Source, Variation
from bot.studio.viewing import Family
from bot.views import PERSISTENT, details, family, lineage, result
from bot.views.wording import ALT_TEXT_MAX, CONTENT_MAX

ANN, BOB, CY = 1, 2, 3
SUBTLE, STRONG = Variation.SUBTLE, Variation.STRONG
FOX = Lineage("a red fox", (ANN,), 1)


def sources(ours: int = 1, brought: int = 0) -> tuple[Source, ...]:
    """So many of ours, and then so many that were brought along."""
    own = [Source(f"k{n}", Size(8, 8), f"{n:010}", 1, prompt="a red fox") for n in range(ours)]
    return (*own, *(Source(f"b{n}", Size(8, 8)) for n in range(brought)))


def order(prompt: str = "make it night", **options: Any) -> Order:
    return Order(prompt, **{"count": 1, "sources": sources(), "lineage": FOX} | options)


@pytest.mark.parametrize(
    ("asked", "line", "aloud"),
    [
        (order(sources=(), lineage=None), None, ""),
        (
            order(),
            "Edit 1 of <@1>'s `a red fox`",
            ", edit 1 of “a red fox”",
        ),
        (
            order(lineage=Lineage("a red fox", (ANN, BOB), 3)),
            "Edit 3 of <@1>'s `a red fox`",
            ", edit 3 of “a red fox”",
        ),
        (
            order(lineage=Lineage("", (ANN,), 2)),
            "Edit 2 of <@1>'s picture",
            ", edit 2 of a picture",
        ),
        (
            order(sources=sources(1, brought=1)),
            "Edit 1 of <@1>'s `a red fox` and 1 more picture",
            ", edit 1 of “a red fox”",
        ),
        (
            order(sources=sources(0, brought=1), lineage=None),
            "From a picture brought along",
            " from a picture brought along",
        ),
        (
            order(sources=sources(0, brought=2), lineage=None),
            "From 2 pictures brought along",
            " from 2 pictures brought along",
        ),
        (
            order("a red fox", variation=SUBTLE, count=4),
            "Subtle variations of <@1>'s picture",
            ", a subtle variation",
        ),
        (
            order("a red fox", variation=STRONG),
            "A strong variation of <@1>'s picture",
            ", a strong variation",
        ),
        (
            order("a red fox", variation=STRONG, each=True, sources=sources(4)),
            "Strong variations of <@1>'s pictures",
            ", a strong variation",
        ),
        (
            order(variation=SUBTLE, lineage=Lineage("a red fox", (ANN, BOB), 3), count=4),
            "Subtle variations of edit 2 of <@1>'s `a red fox`",
            ", a subtle variation",
        ),
    ],
)
def test_what_a_picture_came_of(asked: Order, line: str | None, aloud: str) -> None:
    assert lineage.came_of(asked) == line
    assert lineage.aloud(asked) == aloud


@pytest.mark.parametrize(
    ("authors", "asker", "more"),
    [
        ((ANN,), ANN, ""),
        ((ANN,), BOB, ", with <@2>"),
        ((ANN, BOB), ANN, ", with <@2>"),
        ((ANN, BOB), BOB, ", with <@2>"),
        ((ANN, BOB), CY, ", with <@2> and <@3>"),
        (tuple(range(1, 9)), ANN, ", with <@2>, <@3>, <@4>, <@5>, <@6> and 2 more"),
    ],
)
def test_everybody_who_had_a_part_is_named_once(
    authors: tuple[int, ...], asker: int, more: str
) -> None:
    asked = order(lineage=Lineage("a red fox", authors, 2))
    made = of(asked, asker)
    assert lineage.chain(made, pictures(1)[0]) == f"Edit 2 of <@1>'s `a red fox`{more}"


def of(asked: Order, asker: int = ANN, **changed: Any) -> Generation:
    made = generation("x", **changed)
    return replace(made, order=asked, place=replace(made.place, person_id=asker))


@settings(max_examples=100)
@given(
    first=st.one_of(texts, hostile),
    words=st.one_of(texts, hostile),
    avoid=hostile,
    suggested=st.booleans(),
)
def test_an_edit_fits_into_its_messages(
    first: str, words: str, avoid: str, *, suggested: bool
) -> None:
    people = tuple(2**63 + n for n in range(30))
    asked = order(words, avoid=avoid, lineage=Lineage(first, people, 999), sources=sources(4, 4))
    if suggested:
        asked = replace(asked, prompt=first, variation=STRONG, changes=(words,), count=4)
    shown = Shown(of(asked, 2**63), pictures(1))
    assert len(result.caption(STUDIO, shown.generation, shown.pictures)) <= CONTENT_MAX
    alt = result.alt_text(STUDIO, shown.generation, shown.pictures[0], 4)
    assert len(alt) <= ALT_TEXT_MAX
    assert "AI-generated" in alt
    text, files = details.details(STUDIO, shown, shown.pictures[0])
    assert len(text) <= CONTENT_MAX
    assert text.count("```") == (0 if files else 2), "nothing typed may end the block of code"


@st.composite
def families(draw: st.DrawFn) -> Family:
    """Every one after the first came of up to eight before it."""
    words = draw(st.lists(st.one_of(texts, hostile), min_size=2, max_size=MEMBERS_MAX))
    members: list[Shown] = []
    edges: list[Edge] = []
    for number, prompt in enumerate(words):
        asked = order(prompt, variation=draw(st.sampled_from([None, *Variation])))
        made = of(asked, 2**63, id=f"{number:010}")
        members.append(Shown(made, pictures(draw(st.integers(1, 8)))))
        parents = draw(st.lists(st.integers(0, number - 1), max_size=8)) if number else []
        edges += [Edge(made.id, f"{parent:010}", 1) for parent in parents]
    return Family(tuple(members), tuple(edges), draw(st.sampled_from([0, 1, 1234])))


def blends() -> Family:
    """As many as there can be, of as many as there can be, in the longest words."""
    members = tuple(
        Shown(of(order("W" * 2000), 2**63, id=f"{number:010}"), pictures(8))
        for number in range(MEMBERS_MAX)
    )
    edges = tuple(
        Edge(f"{number:010}", f"{parent:010}", 1)
        for number in range(MEMBERS_MAX)
        for parent in range(number)[-8:]
    )
    return Family(members, edges, 1000)


@settings(max_examples=60)
@example(found=blends(), place=5)
@given(found=families(), place=st.integers(0, MEMBERS_MAX - 1))
def test_a_family_fits_into_a_message(found: Family, place: int) -> None:
    here = found.members[place % len(found.members)]
    lines = family.family_text(found, here.generation.id).splitlines()
    more = 1 if found.left_out else 0
    assert len(lines) == len(found.members) + more, "a line for each"
    assert len("\n".join(lines)) <= CONTENT_MAX
    assert [line.split()[0] for line in lines[: len(lines) - more]] == [
        f"**{number}**" for number in range(1, len(found.members) + 1)
    ]
    buttons = family.relatives_buttons(found, here.generation, here.pictures[0])
    check_layout(buttons)
    assert len(family._aloud(found)) <= ALT_TEXT_MAX


def test_the_ways_through_a_family_are_each_answered_by_one_item() -> None:
    found = blends()
    sources = tuple(Source(f"k{number}", Size(8, 8), f"{number:010}", 1) for number in range(3))
    here = of(order(sources=sources), id=f"{9:010}")
    rows = family.relatives_buttons(found, here, pictures(1)[0]).to_components()
    ids = [item["custom_id"] for row in rows for item in row["components"]]
    assert ids == [
        *(f"back:{number:010}:1" for number in range(3)),
        f"family:{here.id}",
        "branch",
    ]
    for custom_id in ids:
        answers = [
            item.__name__
            for item in PERSISTENT
            if item.__discord_ui_compiled_template__.fullmatch(custom_id)
        ]
        assert len(answers) == 1, f"{custom_id} is answered by {answers}"


def test_a_list_says_what_each_came_of_and_how_many_are_missing() -> None:
    asked = [order("a red fox", lineage=None, sources=()), order(), order(variation=STRONG)]
    members = tuple(
        Shown(of(each, BOB, id=f"{number:010}", created_at=7.0), pictures(1))
        for number, each in enumerate(asked)
    )
    ties = [("2", "0"), ("2", "1"), ("2", "0"), ("1", "0")]
    edges = tuple(Edge(f"{child:0>10}", f"{parent:0>10}", 1) for child, parent in ties)
    text = family.family_text(Family(members, edges, 5), "0000000001")
    assert text.splitlines() == [
        "**1** `a red fox` · <@2> · <t:7:R>",
        "**2** `make it night` · from 1 · <@2> · <t:7:R> · you are here",
        "**3** strong variation · from 1 and 2 · <@2> · <t:7:R>",
        "-# 5 more, not shown.",
    ]


people, places = st.integers(1, 3), st.one_of(st.none(), st.integers(1, 2))


@given(
    viewer=st.builds(Viewer, people, st.integers(1, 2), places),
    person=people,
    server=places,
    channel=st.integers(1, 2),
    private=st.booleans(),
)
def test_in_the_store_one_may_see_what_one_may_see(
    viewer: Viewer, person: int, server: int | None, channel: int, *, private: bool
) -> None:
    made = generation("x", private=private)
    place = replace(made.place, person_id=person, server_id=server, channel_id=channel)

    class Row:
        person_id, server_id, channel_id = person, server, channel

    Row.private = int(private)  # type: ignore[attr-defined]
    assert viewer.may_see_row(Row) == viewer.may_see(replace(made, place=place))
