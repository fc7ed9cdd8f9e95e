"""Troubles of the image API that pass: pictures come all the same, and are charged once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from world import open_world

from bot.demo.faults import Fault, Kind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from world import World

PRO = "black-forest-labs/FLUX.2-pro"
DEV = "black-forest-labs/FLUX.2-dev"
OLD_PRO = "black-forest-labs/FLUX.1.1-pro"


async def check_charged(world: World, pictures: int) -> None:
    """Every generation so far is delivered, and its pictures are paid for once."""
    usage = await world.usage(world.ann)
    assert (usage.day_used, usage.day_reserved, usage.waiting) == (pictures, 0, 0)
    rows = await world.generations()
    assert {row.state for row in rows} == {"delivered"}
    entries = [entry.entry for entry in await world.ledger()]
    assert entries == ["reserve", "settle"] * len(rows)


PASSING = {
    "429": Fault(Kind.RATE_LIMITED),
    "429 that names its wait": Fault(Kind.RATE_LIMITED, retry_after=0.3),
    "429 that names when it resets": Fault(Kind.RATE_LIMITED, reset=0.3),
    "500": Fault(Kind.SERVER_ERROR),
    "503": Fault(Kind.OVERLOADED),
    "503 that names its wait": Fault(Kind.OVERLOADED, retry_after=0.2),
}


@pytest.mark.parametrize("name", PASSING)
async def test_what_passes_is_tried_again_and_nobody_notices(world: World, name: str) -> None:
    world.painter.faults.next(PASSING[name])
    answer = await world.imagine(count=2)
    [result] = world.results()
    assert len(result.attachments) == 2
    assert answer.followups == []
    assert len(world.painter.requests) == 2
    assert world.painter.renders == 1, "paid for more than once"
    await check_charged(world, 2)


@pytest.mark.parametrize(
    "kind", [Kind.TYPE_NULL, Kind.NO_OBJECT, Kind.UNORDERED, Kind.WEBP, Kind.NAN]
)
async def test_an_odd_answer_with_pictures_is_as_good_as_any(world: World, kind: Kind) -> None:
    world.painter.faults.next(kind)
    await world.imagine(count=2)
    [result] = world.results()
    assert len(result.attachments) == 2
    assert len(world.painter.requests) == 1
    await check_charged(world, 2)


async def test_fewer_pictures_than_asked_are_delivered_and_only_they_are_charged(
    world: World,
) -> None:
    world.painter.faults.next(Fault(Kind.FEWER, size=1))
    await world.imagine(count=3)
    [result] = world.results()
    assert len(result.attachments) == 1
    assert "1 of 3 pictures came back; what is missing was not charged." in result.content
    await check_charged(world, 1)
    settled = (await world.ledger())[-1]
    assert (settled.pictures, settled.price) == (1, 30_000), "the price of what did not come"


@dataclass(frozen=True, slots=True)
class Refused:
    """A parameter that a model turns down, in the API's own words.

    Attributes:
        message: what the API says.
        options: what the person asked for.
        without: what the next call has no more.
        instead: what it has, and had otherwise before.
        told: what the person reads with the result.
    """

    message: str
    options: Mapping[str, Any]
    told: str
    without: str = ""
    instead: Mapping[str, Any] = field(default_factory=dict[str, Any])


REFUSED = {
    "avoid": Refused(
        "Invalid parameter detected. The parameter \"'negative_prompt'\" is not recognized or "
        "supported.",
        {"model": OLD_PRO, "avoid": "people"},
        "FLUX1.1 [pro] doesn't follow `avoid`",
        without="negative_prompt",
    ),
    "steps": Refused(
        "Unsupported use of 'steps' parameter. This parameter is not supported for the selected "
        "model.",
        {"model": DEV, "quality": "high"},
        "so `quality` changes nothing there",
        without="steps",
    ),
    "so many steps": Refused(
        "steps must be between 1 and 12",
        {"model": DEV, "quality": "high"},
        "FLUX.2 [dev] takes at most 12 steps, so this was painted with 7.",
        instead={"steps": 7},
    ),
    "seed": Refused(
        "Invalid value for 'seed' parameter. Seed must be an integer value between 0 and "
        "2147483647. Default: Random.",
        {"model": PRO, "seed": 7},
        "FLUX.2 [pro] takes no `seed`, so this can't be painted again the same.",
        without="seed",
    ),
    "what nobody asked for": Refused(
        "Invalid parameter detected. The parameter \"'prompt_upsampling'\" is not recognized or "
        "supported.",
        {"model": PRO},
        "",
        without="prompt_upsampling",
    ),
    "sizes beyond a menu": Refused(
        "Unsupported use of width/height parameters. The specified dimensions are not supported "
        "for the selected model. Supported values are: '1264x848', '848x1264', '1376x768'.",
        {"model": PRO, "shape": "wide"},
        "1376×768",
        instead={"width": 1376, "height": 768},
    ),
    "sizes outside an area": Refused(
        "Invalid dimensions. The total area (width × height) must be within the range of "
        "1265×1265 to 1440×1440. The aspect ratio must be between 1:4 and 4:1. For example, "
        "768*2700 is a valid resolution.",
        {"model": PRO},
        "FLUX.2 [pro] has sizes of its own; the nearest is 1280×1280.",
        instead={"width": 1280, "height": 1280},
    ),
}


def check_body(refused: Refused, body: Mapping[str, Any]) -> None:
    assert not refused.without or refused.without not in body
    assert {name: body[name] for name in refused.instead} == refused.instead


@pytest.mark.parametrize("name", REFUSED)
async def test_what_a_model_turns_down_is_left_out_told_and_remembered(
    world: World, name: str
) -> None:
    refused = REFUSED[name]
    world.painter.faults.next(Fault(Kind.BAD_REQUEST, message=refused.message))
    await world.imagine(count=1, **refused.options)

    first, second = (request.body for request in world.painter.requests)
    assert not refused.without or refused.without in first, "it was never asked for"
    assert all(first[option] != value for option, value in refused.instead.items())
    check_body(refused, second)
    assert world.painter.records.statuses == {400: 1, 200: 1}, "it was sent again too soon"
    [result] = world.results()
    assert refused.told in result.content
    if not refused.told:
        assert refused.without not in result.content

    await world.imagine(count=1, **refused.options)
    assert world.painter.records.statuses == {400: 1, 200: 2}, "nothing was learnt"
    check_body(refused, world.painter.requests[-1].body)
    await check_charged(world, 2)


@pytest.mark.parametrize("name", ["avoid", "sizes beyond a menu"])
async def test_the_same_in_private(world: World, name: str) -> None:
    refused = REFUSED[name]
    world.painter.faults.next(Fault(Kind.BAD_REQUEST, message=refused.message))
    answer = await world.imagine(count=1, private=True, **refused.options)
    assert answer.ephemeral
    assert len(answer.response.attachments) == 1
    assert refused.told in answer.response.content
    assert world.channel.history() == []
    assert world.painter.records.statuses == {400: 1, 200: 1}
    await check_charged(world, 1)


async def test_what_is_turned_down_even_without_it_is_given_up(world: World) -> None:
    refused = REFUSED["avoid"]
    world.painter.faults.next(Fault(Kind.BAD_REQUEST, message=refused.message), times=None)
    answer = await world.imagine(count=1, **refused.options)
    [told] = answer.followups
    assert told.ephemeral
    assert told.content == (
        "FLUX.1.1-pro can't use `avoid`. Please leave it out; nothing was charged."
    )
    assert world.painter.records.statuses == {400: 2}
    assert (await world.usage(world.ann)).day_reserved == 0


async def test_a_model_with_limits_of_its_own_is_asked_within_them(tmp_path: Any) -> None:
    """The sandbox's menu was written apart from the catalogue: no refusal, so both agree."""
    async with open_world(tmp_path) as world:
        for model in ("Wan-AI/Wan2.6-image", "google/flash-image-2.5"):
            for shape in ("square", "panorama"):
                await world.imagine(count=1, model=model, shape=shape)
        assert world.painter.records.statuses == {200: 4}
        await check_charged(world, 4)
