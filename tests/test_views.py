"""Discord's limits hold for everything people see, whatever they typed."""

from __future__ import annotations

import inspect
import re
from dataclasses import replace
from itertools import combinations
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot import views
from bot.imaging.catalogue import Catalogue
from bot.imaging.pictures import MediaType
from bot.imaging.request import SEED_MAX, Quality, Shape, Size, clean_text
from bot.store.schema import State, Way
from bot.studio.contest import Board, Contest, Round
from bot.studio.generation import Generation, KeptPicture, Place, Shown
from bot.studio.order import PROMPT_MAX, Order
from bot.studio.prompts import STYLES
from bot.studio.viewing import Page
from bot.studio.voting import Rules, Stage, Suggestion
from bot.views import base, details, history, panel, result
from bot.views.ballot import ballot_buttons
from bot.views.buttons import result_buttons
from bot.views.confirm import Leave
from bot.views.proposal import StartVote
from bot.views.winner import winner_buttons
from bot.views.wording import (
    ALT_TEXT_MAX,
    CHOICE_MAX,
    CONTENT_MAX,
    CUSTOM_ID_MAX,
    LABEL_MAX,
    code,
    listed,
)

if TYPE_CHECKING:
    import discord

    from bot.studio.studio import Studio

CATALOGUE = Catalogue.load()


class NamesOnly:
    """What captions ask of the studio: how a model is called."""

    def model_name(self, generation: Generation, picture: KeptPicture | None = None) -> str:
        painted_by = generation.model if picture is None else generation.model_of(picture)
        return CATALOGUE.get(painted_by or "").name


STUDIO: Studio = NamesOnly()  # type: ignore[assignment]

texts = st.text(min_size=1, max_size=PROMPT_MAX).map(clean_text).filter(bool)
hostile = st.sampled_from(
    [
        "@everyone <@1> <@&2> <#3> </imagine:4> <t:1:R> <:a:5>",
        "`code` ``two`` ```three``` `",
        "[text](https://example.com) https://example.com discord.gg/abc",
        "# big\n> quote\n||spoiler|| **bold** ~~gone~~",
        "\u202eright to left\u202c",
        "z" + "\u0300" * 500,
        "🦊" * 1000,
        "W" * PROMPT_MAX,
        "\\`" * 500,
    ]
).map(clean_text)


def generation(prompt: str, **changed: Any) -> Generation:
    order = Order(
        prompt=prompt,
        model="black-forest-labs/FLUX.2-pro",
        shape=Shape.PHOTO_TALL,
        quality=Quality.BEST,
        style=max(STYLES, key=len),
        avoid=changed.pop("avoid", None),
        private=changed.pop("private", False),
    )
    values: dict[str, Any] = {
        "id": "0123456789",
        "number": 1,
        "order": order,
        "seed": SEED_MAX,
        "place": Place(1, 2**63, 2**63, 4, 5, "token", 1e12, may_post=True, file_limit=1),
        "state": State.DELIVERED,
        "attempt": 1,
        "model": max((m.id for m in CATALOGUE.offered()), key=len),
        "steps": 50,
        "price": 12_345_678,
        "notes": ("A note that says why something is otherwise than it was asked for.",) * 5,
        "way": Way.CHANNEL,
        "message_id": 2**63,
        "failure": None,
        "created_at": 1.8e9,
        "painting_at": 1.8e9,
        "painted_at": 1.8e9 + 100,
        "ended_at": 1.8e9 + 101,
    }
    return Generation(**values | changed)


def pictures(count: int) -> tuple[KeptPicture, ...]:
    return tuple(
        KeptPicture(n, f"01/0123456789-{n}.png", MediaType.PNG, Size(6336, 2688), 10, SEED_MAX - n)
        for n in range(1, count + 1)
    )


def check_layout(layout: discord.ui.View) -> None:
    rows = layout.to_components()
    assert len(rows) <= 5, "Discord shows five rows"
    items = [item for row in rows for item in row["components"]]
    for row in rows:
        assert len(row["components"]) <= 5, "a row holds five buttons"
    ids = [item["custom_id"] for item in items]
    assert len(set(ids)) == len(ids), f"a custom_id stands twice: {ids}"
    for item in items:
        assert 1 <= len(item["custom_id"]) <= CUSTOM_ID_MAX
        assert len(item.get("label") or "") <= LABEL_MAX
        options = item.get("options", ())
        assert len(options) <= 25
        for option in options:
            assert 1 <= len(option["label"]) <= CHOICE_MAX
            assert 1 <= len(option["value"]) <= 100
    assert layout.timeout is None, "buttons work for ever"
    assert layout.is_persistent()


@settings(max_examples=200, deadline=None)
@given(prompt=st.one_of(texts, hostile), count=st.integers(1, 4))
def test_a_result_fits_into_a_message(prompt: str, count: int) -> None:
    made = generation(prompt)
    text = result.caption(STUDIO, made, pictures(count))
    assert len(text) <= CONTENT_MAX
    for picture in pictures(count):
        alt = result.alt_text(STUDIO, made, picture, count)
        assert len(alt) <= ALT_TEXT_MAX
        assert "AI-generated" in alt


@settings(max_examples=200, deadline=None)
@given(prompt=st.one_of(texts, hostile), avoid=st.one_of(st.none(), texts, hostile))
def test_details_fit_into_a_message(prompt: str, avoid: str | None) -> None:
    shown = Shown(generation(prompt, avoid=avoid), pictures(4))
    text, files = details.details(STUDIO, shown, shown.pictures[3])
    assert len(text) <= CONTENT_MAX
    assert text.count("```") == (0 if files else 2), "nothing typed may end the block of code"


@settings(max_examples=100, deadline=None)
@given(prompts=st.lists(st.one_of(texts, hostile), min_size=1, max_size=history.PAGE_SIZE))
def test_a_page_of_history_fits_into_a_message(prompts: list[str]) -> None:
    shown = tuple(
        Shown(generation(prompt, id=f"{n:010}"), pictures(4)) for n, prompt in enumerate(prompts)
    )
    page = Page(shown, before=2**40, older=2**40)
    assert len(history.page_text(page)) <= CONTENT_MAX
    check_layout(history.page_buttons(page))


@given(prompt=st.one_of(texts, hostile))
def test_what_people_typed_stays_inside_its_code(prompt: str) -> None:
    shown = code(prompt, 300)
    assert shown.startswith("`")
    assert shown.endswith("`")
    assert "`" not in shown[1:-1], "a backtick would end the code, and what follows would act"
    assert "\n" not in shown


def test_the_buttons_of_a_result_and_of_a_panel() -> None:
    check_layout(result_buttons(generation("x"), pictures(4)))
    check_layout(panel.panel_buttons("0123456789", 4))


@pytest.mark.parametrize("painted_by", [1, 4, 5, 8])
def test_models_are_named_in_the_order_of_their_pictures(painted_by: int) -> None:
    models = CATALOGUE.offered()[:painted_by]
    made = generation("x", model=models[0].id)
    kept = [replace(each, model=m.id) for each, m in zip(pictures(8), models, strict=False)]
    names = [model.name for model in models]
    told = names if painted_by <= 4 else [*names[:4], f"{painted_by - 4} more"]
    assert f"-# {listed(told)} · " in result.caption(STUDIO, made, kept)
    for picture, name in zip(kept, names, strict=True):
        assert f"-# {name} · " in result.caption(STUDIO, made, [picture]), "of one, its own"
        assert f"generated with {name}: x" in result.alt_text(STUDIO, made, picture, painted_by)
        text, _ = details.details(STUDIO, Shown(made, tuple(kept)), picture)
        assert f"**Model:** {name}\n" in text
        assert f" model:{picture.model} " in text
        its_own = picture.model == made.model
        assert ("**Steps:** 50" in text) is its_own, "what the first took says nothing of others"


def test_pictures_from_before_are_of_their_generations_model() -> None:
    made = generation("x")
    name = CATALOGUE.get(made.model or "").name
    assert f"-# {name} · " in result.caption(STUDIO, made, pictures(2))
    text, _ = details.details(STUDIO, Shown(made, pictures(2)), pictures(2)[0])
    assert f"**Model:** {name}\n" in text
    assert f" model:{made.model} " in text
    assert "**Steps:** 50" in text


def subclasses(kind: type) -> set[type]:
    below = set(kind.__subclasses__())
    return below.union(*(subclasses(each) for each in below))


def test_every_persistent_item_is_listed_and_so_registered() -> None:
    concrete = {each for each in subclasses(base._Persistent) if not inspect.isabstract(each)}
    assert concrete == set(views.PERSISTENT)


def layouts() -> list[discord.ui.View]:
    """Of every kind of button."""
    shown = Shown(generation("x"), pictures(4))
    return [
        result_buttons(shown.generation, shown.pictures),
        panel.panel_buttons("0123456789", 4),
        history.page_buttons(Page((shown,), before=None, older=123)),
        *(ballot_buttons(ballot(shown, stage)) for stage in Stage),
        base.Layout(StartVote("0123456789"), Leave("0123456789")),
        winner_buttons("0123456789", "0123456789", 4),
    ]


def ballot(shown: Shown, stage: Stage) -> Board:
    place = shown.generation.place
    contest = Contest(
        "0123456789", 1, place.person_id, 1, 1, 1, 1, None, Rules(600, rounds=2), 1.8e9, None, None
    )
    one = Round(
        "0123456789", contest.id, 1, stage, 7, 1, 1.8e9, 1.9e9,
        extended=False, winner=None, drawn=False, announced_id=None,
    )  # fmt: skip
    tallies = {Stage.OPEN: {1: 0, 2: 1}, Stage.RUNOFF: {}}
    return Board(contest, one, shown, tallies, (Suggestion(5, "make it night", 1, 1.8e9),))


def test_no_custom_id_is_answered_by_two_items() -> None:
    examples = [
        item["custom_id"]
        for layout in layouts()
        for row in layout.to_components()
        for item in row["components"]
    ]
    for custom_id in examples:
        taken = [
            item.__name__
            for item in views.PERSISTENT
            if re.fullmatch(item.__discord_ui_compiled_template__, custom_id)
        ]
        assert len(taken) == 1, f"{custom_id} is answered by {taken}"


@pytest.mark.parametrize(("first", "second"), list(combinations(views.PERSISTENT, 2)))
def test_templates_begin_differently(first: type, second: type) -> None:
    one, other = (
        each.__discord_ui_compiled_template__.pattern.split("(")[0]  # type: ignore[attr-defined]
        for each in (first, second)
    )
    assert one != other
