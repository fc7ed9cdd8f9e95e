"""`/imagine` as a person types it: what they see, what is painted, what is charged."""

from __future__ import annotations

import asyncio
import json
from io import BytesIO
from typing import TYPE_CHECKING, Any

import discord
import pytest
from PIL import Image
from world import open_world

from bot.demo.faults import Kind
from bot.imaging import recipe
from bot.imaging.request import SEED_MAX
from bot.studio.generation import Place
from bot.studio.order import Order

if TYPE_CHECKING:
    from pathlib import Path

    from world import World


def labels(message: Any) -> list[str]:
    return [item.label for row in message.components for item in row.children]


async def test_four_pictures_with_words_and_buttons(world: World) -> None:
    answer = await world.imagine()

    assert answer.deferred, "the command is acknowledged before painting begins"
    assert answer.response is None, "the waiting response gives way to the result"
    [result] = world.results()
    assert "`a red fox in fresh snow`" in result.content
    assert world.ann.mention in result.content
    assert "FLUX.2" in result.content
    assert "1024×1024" in result.content
    assert "seed " in result.content
    assert "about $0.12" in result.content
    shown = ["1", "2", "3", "4", "Vote", "Reroll", "Remix…", "Vary all", "Edit…", "Delete"]
    assert labels(result) == shown
    assert len(result.attachments) == 4
    for number, file in enumerate(result.attachments, start=1):
        assert file.description == (
            f"Picture {number} of 4. AI-generated with FLUX.2 [pro]: a red fox in fresh snow"
        )
        image = Image.open(BytesIO(await file.read()))
        image.load()
        assert image.size == (1024, 1024)


async def test_files_carry_their_recipe_and_the_name_of_their_generation(world: World) -> None:
    await world.imagine(prompt='quotes " & <tags> 🦊', seed=7)
    [generation] = await world.generations()
    for number, file in enumerate(world.results()[0].attachments, start=1):
        assert file.filename == f"{generation.id}-{number}.jpg"
        found = recipe.read(await file.read())
        assert found is not None
        assert (found.prompt, found.seed, found.id) == ('quotes " & <tags> 🦊', 7, generation.id)


async def test_what_is_sent_to_the_model(world: World) -> None:
    await world.imagine(prompt="a quiet harbour", shape="wide", count=2, seed=11, style="ink")
    [request] = world.painter.requests
    body = dict(request.body)
    assert body.pop("prompt").startswith("a quiet harbour, black ink drawing")
    assert body == {
        "model": "black-forest-labs/FLUX.2-pro",
        "n": 2,
        "seed": 11,
        "width": 1280,
        "height": 720,
        "prompt_upsampling": False,
        "response_format": "base64",
    }


async def test_the_ledger_and_the_allowance_after_one(world: World) -> None:
    await world.imagine(count=3)
    usage = await world.usage(world.ann)
    assert (usage.day_used, usage.day_reserved, usage.waiting) == (3, 0, 0)
    assert [(row.entry, row.pictures) for row in await world.ledger()] == [
        ("reserve", 3),
        ("settle", 3),
    ]
    [row] = await world.generations()
    assert row.state == "delivered"
    assert row.message_id == world.results()[0].id
    assert row.interaction_token is None, "a token is a secret that is kept no longer than needed"


async def test_options_that_a_model_does_not_take_are_said_and_not_sent(world: World) -> None:
    await world.imagine(avoid="people", quality="best", count=1)
    [request] = world.painter.requests
    assert "negative_prompt" not in request.body
    assert "steps" not in request.body
    [result] = world.results()
    assert "`avoid`" in result.content
    assert "`quality`" in result.content


async def test_a_private_result_is_for_its_asker_alone(world: World) -> None:
    answer = await world.imagine(private=True)
    assert world.results() == []
    assert answer.ephemeral
    assert len(answer.response.attachments) == 4
    [row] = await world.generations()
    assert row.way == "response"
    assert row.state == "delivered"
    refused = await world.bob.slash(world.channel, "show", id=row.id)
    assert refused.ephemeral
    assert "isn't yours to see" in refused.response.content


async def test_in_a_direct_message_the_command_itself_is_answered(world: World) -> None:
    cleo = world.env.create_user("cleo")
    answer = await cleo.slash("imagine", prompt="a small boat", count=1)
    assert len(answer.response.attachments) == 1
    assert (await world.generations())[0].server_id is None


async def test_where_the_bot_may_not_attach_files_the_command_itself_is_answered(
    world: World,
) -> None:
    me = world.guild.me
    assert me is not None
    overwrite = discord.PermissionOverwrite(attach_files=False)
    shut = world.guild.create_text_channel("shut", overwrites={me: overwrite})
    answer = await world.ann.slash(shut, "imagine", prompt="a small boat", count=1)
    assert len(answer.response.attachments) == 1
    assert (await world.generations())[0].way == "response"


HOSTILE = {
    "mentions": "@everyone @here <@1> <@&2> <#3>",
    "links": "a fox, https://example.com discord.gg/abc [x](https://example.com)",
    "code": "`a` ```b``` `",
    "markdown": "# big **bold** ||spoiler||\n> quote\n- list",
    "stacked marks": "z" + "\u0300" * 300,
    "right to left": "\u202ea\u202c b",
    "invisible": "a\u200b\u2060b\x00c",
    "long": "W" * 2000,
}


@pytest.mark.parametrize("kind", HOSTILE)
async def test_nothing_typed_disturbs_the_message(world: World, kind: str) -> None:
    await world.imagine(prompt=HOSTILE[kind], count=1)
    [result] = world.results()
    typed = result.content.splitlines()[0].removesuffix(f" by {world.ann.mention}")
    assert typed.startswith("`")
    assert typed.endswith("`")
    assert "`" not in typed[1:-1]
    assert [user.id for user in result.mentions] == [world.ann.id], "only the asker is mentioned"
    assert not result.mention_everyone
    assert not result.role_mentions
    assert "\u202e" not in result.content
    assert "\u200b" not in result.content
    sent = [
        r for r in world.env.http_requests if r.method == "POST" and r.path.endswith("/messages")
    ]
    assert sent[-1].json["allowed_mentions"]["parse"] == []


REFUSED = {
    "an unknown model": ({"model": "flux-9000"}, "I don't know a model called"),
    "an unknown style": ({"style": "baroque-ish"}, "I don't know a style called"),
    "a prompt of nothing": ({"prompt": "\u200b\u200b"}, "no words that I can read"),
    "a model that is gone": (
        {"model": "black-forest-labs/FLUX.1-schnell"},
        "I don't know a model called",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
async def test_refusals_are_private_and_cost_nothing(world: World, what: str) -> None:
    options, sentence = REFUSED[what]
    answer = await world.imagine(**options)
    assert answer.ephemeral
    assert not answer.deferred
    assert sentence in answer.response.content
    assert not world.painter.requests
    assert await world.generations() == []
    assert await world.usage(world.ann) is None


async def test_the_pictures_of_a_day_are_spent(tmp_path: Path) -> None:
    async with open_world(tmp_path, user_images_per_day=5) as world:
        await world.imagine(count=4)
        refused = await world.imagine(count=2)
        assert refused.ephemeral
        assert "You have 1 picture left today" in refused.response.content
        assert "<t:" in refused.response.content, "it says when all of them are free again"
        await world.imagine(count=1)
        refused = await world.imagine(count=1)
        assert "are spent" in refused.response.content
        assert len(world.results()) == 2
        await world.imagine(world.bob, count=1)
        assert len(world.results()) == 3, "one person's limit is nobody else's"


async def test_the_pictures_of_a_minute_are_spent(tmp_path: Path) -> None:
    async with open_world(tmp_path, user_images_per_minute=4) as world:
        await world.imagine(count=4)
        refused = await world.imagine(count=1)
        assert refused.ephemeral
        assert "a minute" in refused.response.content
        assert "<t:" in refused.response.content


async def test_models_are_found_as_one_types(world: World) -> None:
    found = await world.ann.autocomplete(world.channel, "imagine", "model", "nano")
    names = [choice["name"] for choice in choices(found)]
    assert any("Nano Banana" in name for name in names)
    everything = await world.ann.autocomplete(world.channel, "imagine", "model", "")
    assert choices(everything)[0]["name"].startswith("FLUX.2 [pro] · about $0.03 a picture")
    assert len(choices(everything)) == 25, "Discord shows 25"
    picked = choices(found)[0]["value"]
    await world.imagine(model=picked, count=1)
    assert world.painter.requests[-1].body["model"] == picked


async def test_styles_are_found_as_one_types(world: World) -> None:
    found = await world.ann.autocomplete(world.channel, "imagine", "style", "water")
    assert [choice["value"] for choice in choices(found)] == ["watercolour"]


def choices(found: Any) -> list[dict[str, Any]]:
    return found.autocomplete_choices if hasattr(found, "autocomplete_choices") else found


async def test_a_seed_is_drawn_and_known(world: World) -> None:
    await world.imagine(count=1)
    [row] = await world.generations()
    assert 0 <= row.seed <= SEED_MAX
    assert world.painter.requests[0].body["seed"] == row.seed
    assert f"seed {row.seed}" in world.results()[0].content


async def test_the_same_interaction_twice_is_one_generation(world: World) -> None:
    place = Place(
        interaction_id=1,
        person_id=world.ann.id,
        server_id=world.guild.id,
        application_id=world.client.application_id or 0,
        channel_id=world.channel.id,
        interaction_token="t",
        token_expires_at=0.0,
        may_post=True,
        file_limit=10_000_000,
    )
    order = Order("a red fox", count=2)
    both = await asyncio.gather(
        *(world.client.studio.intake.submit(order, place) for _ in range(5))
    )
    assert [submitted.fresh for submitted in both].count(True) == 1
    assert len({submitted.generation.id for submitted in both}) == 1
    assert (await world.usage(world.ann)).day_reserved == 2


async def test_a_model_that_is_gone_is_replaced_and_people_are_told(world: World) -> None:
    world.painter.faults.next(Kind.MODEL_GONE)
    await world.imagine(count=1)
    [result] = world.results()
    assert "FLUX.2 [pro] is away just now" in result.content
    tried = [request.body["model"] for request in world.painter.requests]
    assert tried[0] == "black-forest-labs/FLUX.2-pro"
    assert tried[1] != tried[0]
    await world.imagine(count=1, model="black-forest-labs/FLUX.2-pro")
    assert world.painter.requests[-1].body["model"] == tried[1], "it is left alone for an hour"
    assert json.loads((await world.generations())[-1].notes)
