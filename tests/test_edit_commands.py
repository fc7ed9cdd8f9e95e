"""`/edit`, `/blend`, and the references of `/imagine`: what is sent, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pytest
from pictures_sent import check_nothing_happened, check_sent, last, png, references
from PIL import Image, ImageChops, ImageStat

from bot.demo.sandbox.menu import MODELS
from bot.imaging.catalogue import Catalogue
from bot.imaging.model import Confidence, Parameter, Role
from bot.studio import painting

if TYPE_CHECKING:
    from world import World

    from bot.imaging.model import Model

RED, BLUE = png("red", 300, 200), png("blue", 96, 160)
GREEN, WHITE = png("green"), png("white", 64, 64)

CATALOGUE = Catalogue.load()
USUAL = CATALOGUE.for_role(Role.EDIT).id
ANOTHER = CATALOGUE.get("black-forest-labs/FLUX.1-kontext-pro")
BLIND = next(model for model in CATALOGUE.offered() if not model.works_from(1))
SAID_TO_EDIT = [
    model
    for model in CATALOGUE.editors(1)
    if model.confidence(Parameter.REFERENCE_IMAGES) in (Confidence.UPSTREAM, Confidence.INFERRED)
]


async def command(world: World, name: str, **options: Any) -> Any:
    """A command of ann's; bytes are files."""
    for option, value in options.items():
        if isinstance(value, bytes):
            options[option] = f"{option}.png", value
    return await world.ann.slash(world.channel, name, **options)


async def test_edit_works_from_the_picture_and_paints_one(world: World) -> None:
    answer = await command(world, "edit", prompt="make it night", image=RED)
    assert answer.response is None, "the waiting response gives way to the result"
    check_sent(world, RED)
    [request] = world.painter.requests
    assert str(request.body["prompt"]).startswith("make it night")
    assert request.body["model"] == USUAL
    width, height = request.body["width"], request.body["height"]
    assert isinstance(width, int)
    assert isinstance(height, int)
    assert width / height == pytest.approx(1.5, abs=0.05), "the form of the picture"
    [result] = world.results()
    assert len(result.attachments) == 1, "one is enough where one is corrected"
    assert (await world.usage(world.ann)).day_used == 1


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
async def test_edit_takes_forty_megapixels_and_sends_four_at_most(world: World, kind: str) -> None:
    picture, buffer = Image.new("RGB", (8000, 5000), "red"), BytesIO()
    picture.paste("blue", (0, 0, 4000, 5000))
    picture.save(buffer, kind)
    large = f"large.{kind.lower()}", buffer.getvalue()
    answer = await command(world, "edit", prompt="make it night", image=large)
    assert answer.response is None, "the waiting response gives way to the result"
    [result] = world.results()
    assert len(result.attachments) == 1
    [sent] = references(world)
    assert 3_200_000 < sent.width * sent.height <= 4_000_000
    assert sent.width / sent.height == pytest.approx(1.6, abs=0.01)
    small = picture.resize((64, 40)), sent.convert("RGB").resize((64, 40))
    apart = ImageStat.Stat(ImageChops.difference(*small)).mean
    assert max(apart) < 12, "it is another picture"


async def test_edit_counts_its_pictures_in_their_order(world: World) -> None:
    options = {"image3": GREEN, "image": RED, "image4": WHITE, "image2": BLUE}
    await command(world, "edit", prompt="image 2 on image 1", count=2, seed=3, **options)
    check_sent(world, RED, BLUE, GREEN, WHITE)
    assert world.painter.requests[-1].body["seed"] == 3
    assert len(world.results()[0].attachments) == 2


async def test_edit_in_private(world: World) -> None:
    answer = await command(world, "edit", prompt="make it night", image=RED, private=True)
    assert world.results() == []
    assert len(last(answer).attachments) == 1


async def test_models_that_work_from_pictures_are_offered_first(world: World) -> None:
    choices = await world.ann.autocomplete(world.channel, "edit", "model", "")
    able = [world.client.studio.catalogue.get(each["value"]).works_from(1) for each in choices]
    assert 1 < sum(able) < len(able) == 25
    assert able == sorted(able, reverse=True), "those that can come first"
    assert all(("work from pictures" in c["name"]) != a for c, a in zip(choices, able, strict=True))
    found = await world.ann.autocomplete(world.channel, "edit", "model", BLIND.name)
    assert BLIND.id in [each["value"] for each in found], "the others can be found, too"


@pytest.mark.parametrize(
    ("name", "option"),
    [("imagine", "model"), ("edit", "model"), ("vote start", "model"), ("vote start", "model3")],
)
async def test_models_are_offered_for_the_links_before_the_words(
    world: World, name: str, option: str
) -> None:
    prompt = "https://example.com/1.png https://example.com/2.png image 2 on https://image.1"
    choices = await world.ann.autocomplete(world.channel, name, option, "kontext", prompt=prompt)
    assert choices
    for each in choices:
        assert each["name"].endswith("· works from 1 picture, not from 2")


async def test_a_model_that_cannot_is_refused_with_names_of_some_that_can(world: World) -> None:
    answer = await command(world, "edit", prompt="night", image=RED, model=BLIND.id)
    assert last(answer).ephemeral
    assert BLIND.name in last(answer).content
    assert CATALOGUE.editors(1)[0].name in last(answer).content
    await check_nothing_happened(world)


async def test_more_pictures_than_the_model_takes_are_refused(world: World) -> None:
    refused = await command(world, "edit", prompt="night", image=RED, image2=BLUE, model=ANOTHER.id)
    assert "works from 1 picture, not from 2" in last(refused).content
    await check_nothing_happened(world)


@pytest.mark.parametrize("model", SAID_TO_EDIT, ids=lambda model: model.name)
async def test_a_model_that_is_said_to_edit_is_sent_the_pictures(
    world: World, model: Model
) -> None:
    await command(world, "edit", prompt="night", image=RED, image2=BLUE, model=model.id)
    check_sent(world, RED, BLUE)
    assert world.painter.requests[-1].body["model"] == model.id
    assert len(world.results()[0].attachments) == 1


async def test_a_model_that_is_wrongly_said_to_edit_is_found_out_before_it_paints(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = SAID_TO_EDIT[-1]
    no_editor = replace(MODELS[model.id], takes=frozenset(), references=0)
    monkeypatch.setitem(MODELS, model.id, no_editor)
    monkeypatch.setattr(painting, "_PAUSE_AFTER_REFUSAL_S", 0.01)
    world.painter.terms.pacing = False
    told = f"{model.name} can't work from pictures. {CATALOGUE.editors(1)[0].name}, "
    answer = await command(world, "edit", prompt="night", image=RED, model=model.id)
    assert told in last(answer).content
    assert world.painter.renders == 0
    usage = await world.usage(world.ann)
    assert (usage.day_used, usage.day_reserved) == (0, 0)
    asked = len(world.painter.requests)
    again = await command(world, "edit", prompt="night", image=RED, model=model.id)
    assert last(again).content.startswith(told)
    assert len(world.painter.requests) == asked, "it is remembered"
    choices = await world.ann.autocomplete(world.channel, "edit", "model", model.id)
    [choice] = [each for each in choices if each["value"] == model.id]
    assert choice["name"] == f"{model.name} · can't work from pictures"


async def test_blend_has_words_of_its_own(world: World) -> None:
    await command(world, "blend", image1=RED, image2=BLUE)
    check_sent(world, RED, BLUE)
    assert "Blend image 1 and image 2 into" in str(world.painter.requests[-1].body["prompt"])
    assert len(world.results()[0].attachments) == 4
    await command(world, "blend", image1=RED, image2=BLUE, image3=GREEN, image4=WHITE)
    check_sent(world, RED, BLUE, GREEN, WHITE)
    assert "Blend image 1, image 2, image 3 and image 4 into" in world.results()[1].content


async def test_blend_by_ones_own_words_and_in_another_form(world: World) -> None:
    words = "the cat of image 1 in the kitchen of image 2"
    await command(world, "blend", image1=RED, image2=BLUE, prompt=words, shape="square")
    body = world.painter.requests[-1].body
    assert body["prompt"] == words
    assert body["width"] == body["height"]


async def test_imagine_takes_references(world: World) -> None:
    options = {"reference2": BLUE, "reference": RED, "reference4": WHITE, "reference3": GREEN}
    await command(world, "imagine", prompt="the fox of image 1", count=1, **options)
    check_sent(world, RED, BLUE, GREEN, WHITE)


@pytest.mark.parametrize("name", ["imagine", "edit", "blend"])
@pytest.mark.parametrize(
    "links",
    ["https://example.com/cat.png", "<https://example.com/1.png> https://example.com/2.png "],
)
async def test_links_without_words_are_refused_for_nothing(
    world: World, name: str, links: str
) -> None:
    files = {"imagine": {}, "edit": {"image": RED}, "blend": {"image1": RED, "image2": BLUE}}
    answer = await command(world, name, prompt=links, **files[name])
    assert last(answer).ephemeral
    assert last(answer).content.startswith("A link alone doesn't tell me what to paint.")
    await check_nothing_happened(world)
