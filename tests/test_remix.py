"""`Remix…`: an order as a form, changed by somebody, and charged to whoever sends it."""

from __future__ import annotations

import asyncio
import time
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from sqlalchemy import update
from world import open_world

from bot.errors import ParameterRefused
from bot.imaging.model import Parameter
from bot.imaging.request import SEED_MAX, Quality, Shape, Size
from bot.store.schema import generations
from bot.studio.gathering import Ours, Upload
from bot.studio.generation import Place
from bot.studio.order import PROMPT_MAX, Order, Source, Variation
from bot.studio.remixing import Wishes, remixed

if TYPE_CHECKING:
    from pathlib import Path

    from world import World

PRO, DEV = "black-forest-labs/FLUX.2-pro", "black-forest-labs/FLUX.2-dev"
KONTEXT = "black-forest-labs/FLUX.1-kontext-pro"


def last(answer: Any) -> Any:
    return answer.followups[-1] if answer.followups else answer.response


def controls(shown: Any) -> dict[str, dict[str, Any]]:
    """What a form holds, by custom_id."""
    return {
        label["component"]["custom_id"]: label["component"] for label in shown.modal["components"]
    }


def filled_in(shown: Any) -> dict[str, str]:
    """What is sent by one who changes nothing."""
    values: dict[str, str] = {}
    for custom_id, control in controls(shown).items():
        if "options" in control:
            chosen = [each["value"] for each in control["options"] if each.get("default")]
            values |= {custom_id: chosen[0]} if chosen else {}
        else:
            values[custom_id] = control.get("value") or ""
    return values


async def opened(world: World) -> Any:
    return await world.bob.click(world.results()[-1], label="Remix…")


async def sent(who: Any, shown: Any, **changed: str) -> Any:
    """The form, with some of it changed."""
    chosen = filled_in(shown) | changed
    menus = {custom_id for custom_id, control in controls(shown).items() if "options" in control}
    values = {name: [value] if name in menus else value for name, value in chosen.items()}
    return await who.submit_modal(shown, values)


async def test_the_form_is_filled_in_with_the_order(world: World) -> None:
    await world.imagine(avoid="people", seed=5, shape="wide", model=DEV, count=1)
    shown = await opened(world)
    assert filled_in(shown) == {
        "prompt": "a red fox in fresh snow",
        "avoid": "people",
        "seed": "5",
        "model": DEV,
        "shape": "wide",
    }
    assert len(shown.modal["components"]) == 5, "Discord takes no more"
    models = controls(shown)["model"]["options"]
    assert models[0]["value"] == DEV, "its own comes first"
    assert len(models) == 25
    assert [each["label"] for each in controls(shown)["shape"]["options"]][1] == "landscape 4:3"


async def test_what_was_not_said_is_filled_in_as_it_was_painted(world: World) -> None:
    await world.imagine(count=1)
    [row] = await world.generations()
    values = filled_in(await opened(world))
    assert values["seed"] == str(row.seed)
    assert values["model"] == PRO
    assert values["shape"] == "square"
    assert values["avoid"] == ""


async def test_what_is_sent_unchanged_is_painted_the_same(world: World) -> None:
    await world.imagine(seed=5, style="ink", quality="high", count=2, model=DEV)
    shown = await opened(world)
    await sent(world.bob, shown)
    first, second = world.painter.requests
    assert first.body == second.body
    one, two = [Order.from_json(row.request) for row in await world.generations()]
    assert one == two
    assert world.bob.mention in world.results()[-1].content
    assert (await world.usage(world.bob)).day_used == 2
    assert (await world.usage(world.ann)).day_used == 2


async def test_the_longest_words_fit_into_the_form(world: World) -> None:
    await world.imagine(prompt="W" * PROMPT_MAX, avoid="v" * PROMPT_MAX, seed=SEED_MAX, count=1)
    shown = await opened(world)
    for control in controls(shown).values():
        assert control.get("max_length", 1) <= 4000, "Discord takes no longer text"
    await sent(world.bob, shown)
    first, second = world.painter.requests
    assert first.body == second.body


async def test_what_is_changed_is_changed_and_the_rest_stays(world: World) -> None:
    await world.imagine(seed=5, style="ink", quality="high", count=2, avoid="people")
    shown = await opened(world)
    changed = {"prompt": "a blue fox", "avoid": "", "seed": "", "model": DEV, "shape": "tall"}
    answer = await sent(world.bob, shown, **changed)
    assert answer.deferred
    assert not answer.ephemeral
    row = (await world.generations())[-1]
    assert Order.from_json(row.request) == Order(
        prompt="a blue fox",
        model=DEV,
        shape=Shape.TALL,
        count=2,
        quality=Quality.HIGH,
        style="ink",
    )
    assert row.seed != 5, "an empty seed is a new one"
    assert len(world.results()[-1].attachments) == 2


async def test_a_private_one_stays_private(world: World) -> None:
    answer = await world.imagine(private=True, count=1)
    shown = await world.ann.click(answer.response, label="Remix…")
    again = await sent(world.ann, shown, prompt="a blue fox")
    assert again.ephemeral
    assert len(again.response.attachments) == 1
    assert world.results() == []


async def test_a_form_that_was_opened_before_a_restart(world: World) -> None:
    await world.imagine(count=1)
    shown = await opened(world)
    await world.restart()
    await sent(world.bob, shown, prompt="a blue fox")
    assert world.painter.requests[-1].body["prompt"] == "a blue fox"
    assert len(world.results()) == 2


async def test_combinations_are_asked_about_first(world: World) -> None:
    await world.imagine(count=4, seed=5)
    shown = await opened(world)
    asked = await sent(world.bob, shown, prompt="{red|blue|gold} fox")
    assert asked.ephemeral
    assert asked.response.content.startswith("**3 pictures**, one of each combination:")
    await world.bob.click(asked.response, label="Paint 3 pictures")
    assert len(world.results()[-1].attachments) == 3


REFUSED = {
    "no number": ({"seed": "twelve"}, "Leave it empty for a new one."),
    "too large": ({"seed": str(SEED_MAX + 1)}, "A `seed` is a whole number from 0 to"),
    "no words": ({"prompt": "\u200b"}, "no words that I can read"),
}


@pytest.mark.parametrize("what", REFUSED)
async def test_refusals_are_private_and_cost_nothing(world: World, what: str) -> None:
    changed, sentence = REFUSED[what]
    await world.imagine(count=1)
    shown = await opened(world)
    answer = await sent(world.bob, shown, **changed)
    assert answer.ephemeral
    assert sentence in last(answer).content
    assert await world.usage(world.bob) is None


async def test_whoever_is_refused_gets_the_words_back(world: World) -> None:
    await world.imagine(count=1)
    shown = await opened(world)
    changed = {"seed": "twelve", "prompt": "a ```blue fox", "avoid": "rain @everyone"}
    said = last(await sent(world.bob, shown, **changed)).content
    refusal, words, rest = said.split("```")
    assert refusal.endswith("Leave it empty for a new one. You had written:\n")
    assert words.splitlines()[2:] == ["rain @everyone"]
    assert words.splitlines()[1].endswith("blue fox")
    assert not rest, "what was written stays inside its code"


@pytest.mark.parametrize("typed", ["2,147,483", "2 147 483", "2.147.483", " 2147483 "])
async def test_a_seed_as_people_write_it(world: World, typed: str) -> None:
    await world.imagine(count=1)
    shown = await opened(world)
    await sent(world.bob, shown, seed=typed)
    assert world.painter.requests[-1].body["seed"] == 2_147_483


async def test_ones_own_limits_hold(tmp_path: Path) -> None:
    async with open_world(tmp_path, user_images_per_minute=1) as world:
        await world.imagine(count=1)
        for pictures in (2, 2):
            shown = await opened(world)
            answer = await sent(world.bob, shown)
            assert len(world.results()) == pictures
        assert answer.ephemeral
        assert "a minute" in last(answer).content


async def test_whoever_may_not_see_it_any_more_gets_nothing(world: World) -> None:
    await world.imagine(count=1)
    shown = await opened(world)
    hide = update(generations).values(server_id=None, channel_id=1)
    await world.client._database.write(lambda connection: connection.execute(hide))
    answer = await sent(world.bob, shown)
    assert "isn't yours to see" in last(answer).content


def png() -> bytes:
    buffer = BytesIO()
    Image.new("RGB", (96, 64), "orange").save(buffer, "PNG")
    return buffer.getvalue()


def place(world: World, number: int = 1) -> Place:
    return Place(
        interaction_id=number,
        person_id=world.ann.id,
        server_id=world.guild.id,
        application_id=world.client.application_id or 0,
        channel_id=world.channel.id,
        interaction_token="over",
        token_expires_at=0.0,
        may_post=True,
        file_limit=10_000_000,
    )


async def edited(world: World, order: Order, *given: Upload | Ours) -> None:
    intake = world.client.studio.intake
    submitted = await intake.submit(order, place(world), given)
    before = len(world.results())
    intake.begin(submitted.generation)
    ends = time.monotonic() + 10
    while len(world.results()) == before:
        assert time.monotonic() < ends, "it was never painted"
        await asyncio.sleep(0.01)


async def test_an_edit_is_remixed_with_the_pictures_it_works_from(world: World) -> None:
    await edited(world, Order("a hat on it", count=1), Upload(png()), Upload(png()))
    shown = await opened(world)
    values = filled_in(shown)
    assert values["shape"] == "same", "it follows the picture"
    await sent(world.bob, shown, prompt="two hats on it")
    first, second = world.painter.requests
    assert second.body["reference_images"] == first.body["reference_images"]
    assert len(second.body["reference_images"]) == 2
    assert second.body["width"] == first.body["width"] > first.body["height"]


async def test_models_are_offered_for_the_pictures_it_works_from(world: World) -> None:
    await edited(world, Order("a hat on it", count=1), Upload(png()), Upload(png()))
    shown = await opened(world)
    options = controls(shown)["model"]["options"]
    catalogue = world.client.studio.catalogue
    able = [catalogue.get(each["value"]).works_from(2) for each in options]
    assert sum(able) == len(catalogue.editors(2)), "none that can is left out"
    assert able == sorted(able, reverse=True)
    assert len(able) == 25
    [kontext] = [each for each in options if each["value"] == KONTEXT]
    assert kontext["description"] == "works from 1 picture, not from 2"
    assert filled_in(shown)["model"] == PRO, "its own stays chosen"
    changed = {"model": KONTEXT, "prompt": "two hats on it", "avoid": "rain"}
    refused = await sent(world.bob, shown, **changed)
    assert refused.ephemeral
    said = last(refused).content
    assert said.startswith("FLUX.1 Kontext [pro] works from 1 picture, not from 2. FLUX.2 [pro],")
    assert said.endswith(" can. You had written:\n```\ntwo hats on it\nrain\n```")
    assert len(world.painter.requests) == 1
    assert await world.usage(world.bob) is None


async def test_a_model_that_has_come_to_refuse_pictures_is_not_chosen(world: World) -> None:
    await edited(world, Order("a hat on it", model=PRO, count=1), Upload(png()))
    catalogue = world.client.studio.catalogue
    for field in (Parameter.REFERENCE_IMAGES, Parameter.IMAGE_URL):
        catalogue.learn(PRO, ParameterRefused("It takes no pictures.", parameter=field))
    shown = await opened(world)
    assert "model" not in filled_in(shown)
    [own] = [each for each in controls(shown)["model"]["options"] if each["value"] == PRO]
    assert own["description"] == "can't work from pictures"


async def test_an_edit_can_take_a_shape_of_its_own(world: World) -> None:
    await edited(world, Order("a hat on it", count=1), Upload(png()))
    shown = await opened(world)
    await sent(world.bob, shown, shape="tall")
    body = world.painter.requests[-1].body
    assert body["height"] > body["width"]


async def test_lineage_stays(world: World) -> None:
    await world.imagine(count=1)
    [parent] = await world.generations()
    await edited(world, Order("make it night", count=1), Ours(parent.id, 1))
    shown = await opened(world)
    await sent(world.bob, shown, prompt="make it dawn")
    *_, edit, remix = [Order.from_json(row.request) for row in await world.generations()]
    assert remix.lineage == edit.lineage
    assert remix.lineage is not None
    assert remix.sources == edit.sources


async def test_a_model_that_is_away_is_still_the_one_that_is_chosen(world: World) -> None:
    await world.imagine(count=1)
    world.client.studio.catalogue.mark_away(PRO)
    shown = await opened(world)
    assert filled_in(shown)["model"] == PRO
    await sent(world.bob, shown)
    assert "FLUX.2 [pro] is away just now" in world.results()[-1].content


async def test_a_model_that_is_no_longer_offered_is_to_be_chosen_anew(world: World) -> None:
    await world.imagine(count=1, model="Seedream 4.0")
    catalogue = world.client.studio.catalogue
    catalogue._offered.discard(catalogue.find("Seedream 4.0").id)
    shown = await opened(world)
    assert "model" not in filled_in(shown)
    assert controls(shown)["model"]["required"]
    await sent(world.bob, shown, model=DEV)
    assert world.painter.requests[-1].body["model"] == DEV


async def test_when_nobody_can_paint_it_there_is_no_form(world: World) -> None:
    kontext = "FLUX.1 Kontext [max]"
    await edited(world, Order("a hat on it", model=kontext, count=1), Upload(png()))
    catalogue = world.client.studio.catalogue
    catalogue._offered.discard(catalogue.find(kontext).id)
    for model in catalogue.editors(1):
        catalogue.mark_away(model.id)
    refused = await opened(world)
    assert refused.ephemeral
    assert "None of the models that could paint this" in last(refused).content


SOURCE = Source("key", Size(64, 64), "0123456789", 1, prompt="a fox")


def wishes_for(order: Order, **changed: Any) -> Wishes:
    same = {name: getattr(order, name) for name in ("prompt", "avoid", "seed", "model", "shape")}
    return Wishes(**same | changed)


@given(
    st.builds(
        Order,
        prompt=st.sampled_from(["a fox", "{a|b} fox"]),
        model=st.just(PRO),
        shape=st.none() | st.sampled_from(Shape),
        count=st.none() | st.just(2),
        private=st.booleans(),
        sources=st.sampled_from([(), (SOURCE,), (SOURCE, SOURCE)]),
        variation=st.none() | st.sampled_from(Variation),
    )
)
def test_an_order_of_which_nothing_is_changed_stays_as_it_is(order: Order) -> None:
    assert remixed(order, wishes_for(order)) == order


def test_new_words_are_no_variation_any_more() -> None:
    order = Order("a fox", model=PRO, sources=(SOURCE,), variation=Variation.SUBTLE)
    remix = remixed(order, wishes_for(order, prompt="a hare"))
    assert (remix.variation, remix.sources) == (None, (SOURCE,))
    assert remixed(order, wishes_for(order, seed=3)).variation is Variation.SUBTLE


def test_new_words_are_for_each_of_several_pictures() -> None:
    varied = Order(
        "a fox", model=PRO, each=True, sources=(SOURCE, SOURCE), variation=Variation.STRONG
    )
    same = remixed(varied, wishes_for(varied, seed=3))
    assert same.variation is Variation.STRONG
    assert [part.prompt for part in same.parts] == ["a fox", "a fox"]
    remix = remixed(varied, wishes_for(varied, prompt="make it night"))
    assert [part.prompt for part in remix.parts] == ["make it night"] * 2
    assert remix.variation is None


def test_as_many_of_each_as_there_is_room_for() -> None:
    order = Order("a fox", model=PRO, count=4)
    two, three = (
        remixed(order, wishes_for(order, prompt=prompt)) for prompt in ("{a|b}", "{a|b|c}")
    )
    assert (two.count, two.wanted) == (4, 8)
    assert (three.count, three.wanted) == (None, 3)
