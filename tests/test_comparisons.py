"""Several models paint the same words from the same seed, one picture each, in one message."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from pictures_sent import last, png, references
from test_combinations import die_before_the_books
from test_family import paint
from test_gathering import place

from bot.demo.faults import Fault, Kind
from bot.errors import BadRequest, UnknownModel
from bot.imaging import recipe
from bot.imaging.request import COUNT_MAX, Shape
from bot.store.schema import PICTURES_MAX, pictures
from bot.studio.gathering import Upload
from bot.studio.order import Order
from bot.studio.remixing import Wishes, remixed

if TYPE_CHECKING:
    from world import World

PRO, DEV = "black-forest-labs/FLUX.2-pro", "black-forest-labs/FLUX.2-dev"
FLEX, SEEDREAM = "black-forest-labs/FLUX.2-flex", "ByteDance-Seed/Seedream-4.0"
QWEN = "Qwen/Qwen-Image"
THREE = ("FLUX.2 [pro]", "flux.2-dev", SEEDREAM)
NAMES = ["FLUX.2 [pro]", "FLUX.2 [dev]", "Seedream 4.0"]
#: 0.03, 0.0154 and 0.03 dollars.
PRICE = 75_400


def asked(*models: str, **options: Any) -> Order:
    return Order("a red fox", models=models, **options)


async def told(world: World, order: Order) -> str:
    """Why an order is refused; nothing has come of it."""
    with pytest.raises((BadRequest, UnknownModel)) as refusal:
        await world.client.studio.intake.submit(order, place(world, 1))
    assert await world.generations() == []
    assert await world.usage(world.ann) is None
    assert not world.painter.requests
    return refusal.value.sentence


async def models_of(world: World) -> list[str]:
    return [picture.model for picture in await world.rows(pictures)]


async def test_each_paints_one_picture_of_one_message(world: World) -> None:
    await paint(world, world.ann, asked(*THREE, seed=7))
    bodies = {request.body["model"]: request.body for request in world.painter.requests}
    assert bodies.keys() == {PRO, DEV, SEEDREAM}
    assert {body["prompt"] for body in bodies.values()} == {"a red fox"}
    assert {body["seed"] for body in bodies.values()} == {7}, "the models make the difference"
    assert {body.get("n", 1) for body in bodies.values()} == {1}
    [result] = world.results()
    assert "-# FLUX.2 [pro], FLUX.2 [dev] and Seedream 4.0 · 1024×1024 · seed 7" in result.content
    assert "about $0.075" in result.content
    assert await models_of(world) == [PRO, DEV, SEEDREAM]
    for number, (name, file) in enumerate(zip(NAMES, result.attachments, strict=True), start=1):
        assert file.description == f"Picture {number} of 3. AI-generated with {name}: a red fox"
        written = recipe.read(await file.read())
        assert written is not None
        assert (written.model, written.seed) == ([PRO, DEV, SEEDREAM][number - 1], 7)


async def test_the_books_of_several_models(world: World) -> None:
    await paint(world, world.ann, asked(*THREE))
    [row] = await world.generations()
    assert (row.wanted, row.price, row.model, row.prompt) == (3, PRICE, PRO, "a red fox")
    assert (await world.usage(world.ann)).day_used == 3
    assert [(line.entry, line.pictures, line.price) for line in await world.ledger()] == [
        ("reserve", 3, PRICE),
        ("settle", 3, PRICE),
    ]


async def test_of_one_picture_its_own_model_is_named(world: World) -> None:
    await paint(world, world.ann, asked(*THREE, seed=7))
    [result] = world.results()
    for number, (name, model) in enumerate(zip(NAMES, [PRO, DEV, SEEDREAM], strict=True), start=1):
        panel = last(await world.bob.click(result, label=str(number)))
        assert panel.content == f"Picture {number} of 3 · `a red fox` · {name}"
        details = last(await world.bob.click(panel, label="Details"))
        assert f"**Model:** {name}\n" in details.content
        assert f"/imagine prompt:a red fox model:{model} count:1 seed:7" in details.content
        await world.bob.click(panel, label="Post alone")
        assert f"-# {name} · 1024×1024 · seed 7" in world.results()[-1].content


async def test_sizes_that_differ_are_left_to_the_details(world: World) -> None:
    await paint(world, world.ann, asked(PRO, SEEDREAM, shape=Shape.WIDE))
    [result] = world.results()
    assert "-# FLUX.2 [pro] and Seedream 4.0 · seed" in result.content
    panel = last(await world.bob.click(result, label="2"))
    assert "1344×768" in last(await world.bob.click(panel, label="Details")).content


async def test_a_reroll_asks_the_same_models(world: World) -> None:
    await paint(world, world.ann, asked(*THREE, seed=7))
    await world.bob.click(world.results()[0], label="Reroll")
    bodies = [request.body for request in world.painter.requests]
    assert {body["model"] for body in bodies[:3]} == {PRO, DEV, SEEDREAM}
    assert {body["model"] for body in bodies[3:]} == {PRO, DEV, SEEDREAM}
    assert len({body["seed"] for body in bodies[3:]}) == 1
    assert len(world.results()[-1].attachments) == 3
    assert (await world.usage(world.bob)).day_used == 3


async def test_a_remix_goes_back_to_one_model(world: World) -> None:
    await paint(world, world.ann, asked(*THREE, seed=7))
    form = await world.bob.click(world.results()[0], label="Remix…")
    shown = {each["component"]["custom_id"]: each["component"] for each in form.modal["components"]}
    assert [each["value"] for each in shown["model"]["options"] if each["default"]] == [PRO]
    wishes = {"prompt": "a blue fox", "model": [DEV], "shape": ["square"]}
    await world.bob.submit_modal(form, wishes)
    body = world.painter.requests[-1].body
    assert (body["model"], body["prompt"], body["n"]) == (DEV, "a blue fox", COUNT_MAX)
    assert len(world.painter.requests) == 4


def test_a_remix_of_any_has_none_to_compare() -> None:
    order = asked(PRO, DEV, model=PRO)
    wishes = Wishes(prompt=order.prompt, avoid=None, seed=3, model=DEV, shape=None)
    assert remixed(order, wishes) == Order("a red fox", model=DEV, seed=3)


async def test_one_alone_is_the_one_that_paints(world: World) -> None:
    await paint(world, world.ann, asked("Seedream 4.0", count=2))
    [row] = await world.generations()
    assert (Order.from_json(row.request).models, row.model, row.wanted) == ((), SEEDREAM, 2)
    assert await models_of(world) == [SEEDREAM] * 2


async def test_each_edits_the_same_picture(world: World) -> None:
    await paint(world, world.ann, asked(PRO, DEV), Upload(png("red")))
    assert {request.body["model"] for request in world.painter.requests} == {PRO, DEV}
    assert all(len(references(world, request)) == 1 for request in (0, 1))


REFUSED = {
    "an unknown one": (asked(PRO, "Flux 3"), "I don't know a model called “Flux 3”"),
    "one twice": (asked(PRO, DEV, "FLUX.2 [pro]"), "You named FLUX.2 [pro] twice"),
    "words to choose from": (
        Order("{red|blue} fox", models=(PRO, DEV)),
        "Choose between words or between models",
    ),
    "words without end": (
        Order("{a|b}" * 9, models=(PRO, DEV)),
        "Choose between words or between models",
    ),
    "each of several pictures": (
        asked(PRO, DEV, each=True),
        "Choose between words or between models",
    ),
    "a number": (asked(PRO, DEV, count=2), "each paints one picture: leave `count` out"),
    "too many": (asked(*"123456789"), "Those are 9 models; I paint at most 8 pictures"),
}


@pytest.mark.parametrize("what", REFUSED)
async def test_what_cannot_be_compared_is_refused_for_nothing(world: World, what: str) -> None:
    order, sentence = REFUSED[what]
    assert sentence in await told(world, order)


async def test_one_that_takes_no_pictures_is_refused_with_those_that_do(world: World) -> None:
    order = asked(PRO, "FLUX1.1 [pro]")
    with pytest.raises(BadRequest, match=r"FLUX1.1 \[pro\] can't work from pictures"):
        await world.client.studio.intake.submit(order, place(world, 1), [Upload(png("red"))])
    assert await world.generations() == []


async def test_one_that_turns_pictures_down_only_now_leaves_the_others(world: World) -> None:
    message = (
        "Invalid parameter detected. The parameter \"'reference_images'\" is not recognized or "
        "supported."
    )
    world.painter.faults.next(Fault(Kind.BAD_REQUEST, model=DEV, message=message))
    await paint(world, world.ann, asked(PRO, DEV), Upload(png("red")))
    assert await models_of(world) == [PRO]
    content = world.results()[0].content
    assert "-# FLUX.2 [dev]: FLUX.2 [dev] can't work from pictures." in content
    assert "1 of 2 pictures came back; what is missing was not charged." in content
    assert (await world.usage(world.ann)).day_used == 1


def test_the_same_words_twice_are_no_choice_between_words() -> None:
    order = Order("{a|a} fox", models=(PRO, DEV), count=1).cleaned()
    assert [(part.prompt, part.model, part.count) for part in order.parts] == [
        ("a fox", PRO, 1),
        ("a fox", DEV, 1),
    ]


async def test_one_that_is_away_is_replaced_by_one_that_does_not_paint_yet(world: World) -> None:
    world.client.studio.catalogue.mark_away(PRO)
    await paint(world, world.ann, asked(PRO, FLEX, SEEDREAM))
    assert await models_of(world) == [DEV, FLEX, SEEDREAM]
    [result] = world.results()
    assert "FLUX.2 [pro] is away just now, so FLUX.2 [dev] paints instead." in result.content
    assert "-# FLUX.2 [dev], FLUX.2 [flex] and Seedream 4.0 ·" in result.content


async def test_who_stands_in_is_none_of_the_others(world: World) -> None:
    catalogue = world.client.studio.catalogue
    for model in (PRO, FLEX):
        catalogue.mark_away(model)
    assert catalogue.substitute(catalogue.get(PRO)) == catalogue.get(DEV)
    await paint(world, world.ann, asked(SEEDREAM, PRO, DEV))
    assert await models_of(world) == [SEEDREAM, QWEN, DEV]


async def test_where_nobody_is_left_to_stand_in_none_paints_twice(world: World) -> None:
    catalogue = world.client.studio.catalogue
    for model in catalogue.offered():
        if model.id != DEV:
            catalogue.mark_away(model.id)
    await paint(world, world.ann, asked(PRO, DEV))
    assert await models_of(world) == [PRO, DEV], "it may be back"
    assert "away" not in world.results()[0].content


async def test_one_that_is_found_gone_is_replaced_and_its_picture_says_so(world: World) -> None:
    world.painter.faults.next(Fault(Kind.MODEL_GONE, model=PRO))
    await paint(world, world.ann, asked(PRO, FLEX))
    assert await models_of(world) == [DEV, FLEX]
    [result] = world.results()
    assert "FLUX.2 [pro] is away just now, so FLUX.2 [dev] paints instead." in result.content
    assert result.attachments[0].description.startswith(
        "Picture 1 of 2. AI-generated with FLUX.2 [dev]: "
    )
    written = recipe.read(await result.attachments[0].read())
    assert written is not None
    assert written.model == DEV


async def test_an_ordinary_picture_says_who_stood_in(world: World) -> None:
    world.painter.faults.next(Fault(Kind.MODEL_GONE, model=PRO))
    await world.imagine(count=2)
    assert await models_of(world) == [FLEX] * 2
    assert "-# FLUX.2 [flex] · " in world.results()[0].content


async def test_one_that_fails_is_missing_and_free(world: World) -> None:
    world.painter.faults.next(Fault(Kind.UNSAFE, model=DEV))
    await paint(world, world.ann, asked(*THREE))
    [result] = world.results()
    assert [file.description for file in result.attachments] == [
        "Picture 1 of 2. AI-generated with FLUX.2 [pro]: a red fox",
        "Picture 2 of 2. AI-generated with Seedream 4.0: a red fox",
    ]
    assert "-# FLUX.2 [pro] and Seedream 4.0 · " in result.content
    assert "2 of 3 pictures came back; what is missing was not charged." in result.content
    assert "-# FLUX.2 [dev]: The image service's safety filter" in result.content
    assert [(line.entry, line.price) for line in await world.ledger()] == [
        ("reserve", PRICE),
        ("settle", 60_000),
    ]


async def test_what_was_kept_before_a_crash_keeps_its_models_and_price(world: World) -> None:
    await paint(world, world.ann, asked(*THREE))
    [row] = await world.generations()
    await die_before_the_books(world)
    await world.restart()
    await world.env.settle()
    assert await models_of(world) == [PRO, DEV, SEEDREAM]
    [again] = await world.generations()
    assert (again.state, again.model, again.price) == ("delivered", PRO, row.price)
    assert world.painter.renders == 3, "they were paid for once"


def test_an_order_comes_back_out_of_the_store() -> None:
    for order in (asked(PRO, DEV, model=PRO), asked()):
        assert Order.from_json(order.to_json()) == order
    before = '{"prompt": "a red fox", "model": "m", "count": 2}'
    assert Order.from_json(before) == Order("a red fox", model="m", count=2)


def test_as_many_models_as_there_can_be_pictures() -> None:
    order = replace(asked(*"12345678"), count=1).cleaned()
    assert order.wanted == PICTURES_MAX
