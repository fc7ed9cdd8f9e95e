"""Discord's own troubles on the way to people: one message, in the right place, charged once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import discord
import pytest
import simcord.interactions
from world import open_world

from bot.demo.faults import Kind
from bot.imaging import recipe
from bot.views import asking

if TYPE_CHECKING:
    from pathlib import Path

    from world import Log, World

MESSAGES = "/channels/*/messages"
ORIGINAL = "/webhooks/*/messages/@original"
FOLLOW_UP = "/webhooks/*/simcord_interaction_*[0-9]"


def sent(world: World, method: str, ending: str) -> list[Any]:
    return [
        request
        for request in world.env.http_requests
        if request.method == method and request.path.endswith(ending)
    ]


def with_token(world: World) -> list[str]:
    """What was asked of Discord with an interaction's token, the acknowledgement aside."""
    return [
        f"{request.method} {request.path}"
        for request in world.env.http_requests
        if request.path.startswith("/webhooks/")
    ]


def shut_channel(world: World) -> simcord.ChannelHandle:
    """Where the bot may not post files of its own."""
    assert world.guild.me is not None
    overwrite = discord.PermissionOverwrite(attach_files=False)
    return world.guild.create_text_channel("shut", overwrites={world.guild.me: overwrite})


def last(answer: Any) -> Any:
    return answer.followups[-1] if answer.followups else answer.response


async def check_settled(world: World, pictures: int) -> Any:
    """The one generation is delivered and charged once; its row."""
    [row] = await world.generations()
    assert row.state == "delivered"
    usage = await world.usage(world.ann)
    assert (usage.day_used, usage.day_reserved, usage.waiting) == (pictures, 0, 0)
    assert [entry.entry for entry in await world.ledger()] == ["reserve", "settle"]
    return row


async def check_in_history(world: World, pictures: int) -> None:
    page = await world.ann.slash(world.channel, "history")
    assert "a red fox in fresh snow" in page.response.content
    [row] = await world.generations()
    shown = await world.ann.slash(world.channel, "show", id=row.id)
    assert len(last(shown).attachments) == pictures


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_a_message_that_fails_once_is_posted_once(world: World, status: int) -> None:
    world.env.inject_error("POST", MESSAGES, status=status)
    answer = await world.imagine(count=2)
    [result] = world.results()
    assert result.id == (await check_settled(world, 2)).message_id
    assert answer.response is None

    tried = [request.json for request in sent(world, "POST", f"/{world.channel.id}/messages")]
    [row] = await world.generations()
    # https://discord.com/developers/docs/resources/message#create-message: at most 25
    # characters, and without `enforce_nonce` the second would be another message.
    assert [each["nonce"] for each in tried] == [f"easel-{row.id}"] * 2
    assert all(each["enforce_nonce"] for each in tried)
    assert len(tried[0]["nonce"]) <= 25


@pytest.mark.parametrize(
    ("status", "code"), [(403, 50013), (404, 10003), (400, 50035), (413, 40005)]
)
async def test_a_channel_that_is_shut_has_the_result_in_the_response(
    world: World, status: int, code: int
) -> None:
    world.env.inject_error("POST", MESSAGES, status=status, code=code)
    answer = await world.imagine(count=2)
    assert len(answer.response.attachments) == 2
    assert [message.id for message in world.channel.history()] == [answer.response.id]
    row = await check_settled(world, 2)
    assert row.message_id == answer.response.id
    assert len(sent(world, "POST", f"/{world.channel.id}/messages")) == 1
    assert last(await world.bob.click(answer.response, label="2")).ephemeral


async def test_a_waiting_response_that_stays_is_no_failure(log: Log, tmp_path: Path) -> None:
    async with open_world(tmp_path) as world:
        world.env.inject_error("DELETE", ORIGINAL, status=500)
        await world.imagine(count=1)
        assert len(world.results()) == 1
        await check_settled(world, 1)
    assert "delivery.waiting_remains" in log.text
    log.check()


async def test_a_response_that_fails_once_is_edited_again(world: World) -> None:
    shut = shut_channel(world)
    world.env.inject_error("PATCH", ORIGINAL, status=503)
    answer = await world.ann.slash(shut, "imagine", prompt="a red fox in fresh snow", count=2)
    assert len(answer.response.attachments) == 2
    assert (await check_settled(world, 2)).message_id == answer.response.id
    assert len(sent(world, "PATCH", "/messages/@original")) == 2


@pytest.mark.parametrize(("status", "code"), [(404, 10008), (404, 10015), (401, 50027)])
async def test_a_response_that_is_gone_leaves_the_pictures_in_the_history(
    log: Log, tmp_path: Path, status: int, code: int
) -> None:
    async with open_world(tmp_path) as world:
        shut = shut_channel(world)
        world.env.inject_error("PATCH", ORIGINAL, status=status, code=code)
        await world.ann.slash(shut, "imagine", prompt="a red fox in fresh snow", count=2)
        assert len(with_token(world)) == 1, "Discord counts such requests towards a ban"
        row = await check_settled(world, 2)
        assert row.message_id is None
        await check_in_history(world, 2)
    assert "generation.undeliverable" in log.text
    log.check()


async def test_while_discord_is_down_the_pictures_wait_in_the_archive(
    log: Log, tmp_path: Path
) -> None:
    async with open_world(tmp_path) as world:
        world.env.inject_error("POST", MESSAGES, status=500, times=None)
        await world.imagine(count=2)
        await world.env.advance_time(60)
        [row] = await world.generations()
        assert (row.state, row.way) == ("painted", "channel")
        assert world.results() == []
        assert len({r.json["nonce"] for r in sent(world, "POST", "/messages")}) == 1
        assert (await world.usage(world.ann)).day_reserved == 2
        await check_in_history(world, 2)
    assert "generation.put_off" in log.text
    log.check()


@pytest.fixture
def small_uploads(monkeypatch: pytest.MonkeyPatch) -> int:
    """What a file may weigh, as Discord says with every interaction."""
    payload, limit = simcord.interactions.base_payload, 60_000

    def limited(*args: Any, **kwargs: Any) -> Any:
        record, content = payload(*args, **kwargs)
        return record, content | {"attachment_size_limit": limit}

    monkeypatch.setattr(simcord.interactions, "base_payload", limited)
    return limit


@pytest.mark.parametrize("private", [False, True])
async def test_files_are_made_to_fit_the_place_and_keep_their_recipe(
    world: World, small_uploads: int, *, private: bool
) -> None:
    answer = await world.imagine(count=2, seed=7, private=private)
    files = answer.response.attachments if private else world.results()[0].attachments
    assert len(files) == 2
    kept = [path.stat().st_size for path in (world.tmp_path / "pictures").rglob("*.jpg")]
    assert min(kept) > small_uploads, "the pictures are too small for this test"
    for file in files:
        data = await file.read()
        assert len(data) <= small_uploads
        found = recipe.read(data)
        assert found is not None
        assert found.prompt == "a red fox in fresh snow"
    [row] = await world.generations()
    shown = await world.ann.slash(world.channel, "show", id=row.id)
    for file in last(shown).attachments:
        assert len(await file.read()) <= small_uploads


@pytest.fixture
def expired(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tokens are over before anything is painted, as after 15 minutes in the line."""
    monkeypatch.setattr(asking, "_TOKEN_LIFE_S", -1)


@pytest.mark.usefixtures("expired")
async def test_without_a_token_a_message_of_its_own_still_comes(world: World) -> None:
    await world.imagine(count=2)
    [result] = world.results()
    assert (await check_settled(world, 2)).message_id == result.id
    assert with_token(world) == []


@pytest.mark.usefixtures("expired")
@pytest.mark.parametrize("private", [False, True])
async def test_without_a_token_or_a_channel_the_pictures_are_in_the_history(
    world: World, *, private: bool
) -> None:
    place = world.channel if private else shut_channel(world)
    prompt = "a red fox in fresh snow"
    await world.ann.slash(place, "imagine", prompt=prompt, count=2, private=private)
    assert with_token(world) == []
    assert sent(world, "POST", "/messages") == []
    assert (await check_settled(world, 2)).message_id is None
    await check_in_history(world, 2)


@pytest.mark.usefixtures("expired")
async def test_without_a_token_a_failure_is_told_to_its_asker_in_the_channel(
    world: World,
) -> None:
    world.painter.faults.next(Kind.UNSAFE)
    await world.imagine(count=2)
    assert with_token(world) == []
    await check_called_out(world)


async def check_called_out(world: World) -> None:
    """The channel's one new message tells the asker why, and pings nobody else."""
    [request] = sent(world, "POST", f"/{world.channel.id}/messages")
    assert request.json["content"].startswith(f"{world.ann.mention} The image service's safety")
    allowed = request.json["allowed_mentions"]
    assert [int(user) for user in allowed["users"]] == [world.ann.id]
    assert allowed["parse"] == []
    [row] = await world.generations()
    assert row.state == "refused"
    assert request.json["nonce"] == f"easel-{row.id}-no", "Discord would give the result for it"
    assert (await world.usage(world.ann)).day_reserved == 0


@pytest.mark.usefixtures("expired")
@pytest.mark.parametrize("private", [False, True])
async def test_a_failure_that_can_be_told_nowhere_is_kept_to_oneself(
    world: World, *, private: bool
) -> None:
    place = world.channel if private else shut_channel(world)
    world.painter.faults.next(Kind.UNSAFE)
    await world.ann.slash(place, "imagine", prompt="a boat", count=2, private=private)
    assert with_token(world) == []
    assert sent(world, "POST", "/messages") == [], "others read what was asked in private"
    assert [row.state for row in await world.generations()] == ["refused"]
    assert (await world.usage(world.ann)).day_reserved == 0


async def test_a_failure_whose_response_somebody_deleted_is_told_in_the_channel(
    world: World,
) -> None:
    world.painter.faults.next(Kind.UNSAFE)
    world.env.inject_error("PATCH", ORIGINAL, status=404, code=10008)
    await world.imagine(count=2)
    await check_called_out(world)


@pytest.mark.parametrize(
    ("method", "path"), [("PATCH", ORIGINAL), ("POST", FOLLOW_UP), ("DELETE", ORIGINAL)]
)
async def test_a_failure_is_told_once_and_in_private_though_discord_stumbles(
    world: World, method: str, path: str
) -> None:
    world.painter.faults.next(Kind.UNSAFE)
    world.env.inject_error(method, path, status=503)
    answer = await world.imagine(count=2)
    [told] = answer.followups
    assert told.ephemeral
    assert "safety filter" in told.content
    left = [message.content for message in world.channel.history()]
    assert left == (["No picture came of this."] if method == "DELETE" else [])
    assert world.env.backend.faults == [], "nothing went wrong"


async def test_a_picture_is_posted_alone_where_the_bot_has_no_message_of_its_own(
    world: World,
) -> None:
    cleo = world.env.create_user("cleo")
    answer = await cleo.slash("imagine", prompt="a small boat", count=2)
    panel = last(await cleo.click(answer.response, label="2"))
    alone = last(await cleo.click(panel, label="Post alone"))
    assert not alone.ephemeral
    [file] = alone.attachments
    assert await file.read() == await answer.response.attachments[1].read()
