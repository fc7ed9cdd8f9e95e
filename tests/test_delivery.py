"""Discord's own troubles on the way to people: one message, in the right place, charged once."""

from __future__ import annotations

import asyncio
import time
from io import BytesIO
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from unittest.mock import AsyncMock

import discord
import pytest
import simcord.interactions
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import update
from wire.faults import Fault
from wire.faults import Kind as Trouble
from wire.limits import Limit
from wire.server import Server
from world import open_world

from bot.answers import answers
from bot.crowd import Crowd, Outage
from bot.delivery import DiscordDelivery, posts, words
from bot.delivery.posts import Drawing, Post
from bot.demo.faults import Kind
from bot.imaging import recipe
from bot.store.schema import generations
from bot.studio.line import Standing
from bot.views import asking
from bot.views.base import Layout

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
    [row] = [row for row in await world.generations() if row.person_id == world.ann.id]
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


@pytest.mark.parametrize(("status", "code"), [(403, 50013), (404, 10003), (400, 50035)])
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
        world.env.inject_error("DELETE", ORIGINAL, status=500, times=None)
        await world.imagine(count=1)
        await world.env.advance_time(20)
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


@pytest.mark.parametrize(("status", "code"), [(404, 10003), (404, 10015), (401, 50027)])
async def test_a_response_that_is_gone_leaves_the_pictures_in_the_history(
    log: Log, tmp_path: Path, status: int, code: int
) -> None:
    async with open_world(tmp_path) as world:
        shut = shut_channel(world)
        world.env.inject_error("PATCH", ORIGINAL, status=status, code=code)
        await world.ann.slash(shut, "imagine", prompt="a red fox in fresh snow", count=2)
        row = await check_settled(world, 2)
        assert row.message_id is None
        assert f"`/show id:{row.id}`" in shut.last_message.content
        assert len(with_token(world)) == 1, "Discord counts such requests towards a ban"
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
    row = await check_settled(world, 2)
    assert row.message_id is None
    told = [request.json["content"] for request in sent(world, "POST", "/messages")]
    kept = (
        f"{world.ann.mention} What you asked for is painted, but I couldn't post it here. It is "
        f"kept for you: `/show id:{row.id}` brings it, and `/history` lists it."
    )
    assert told == ([] if private else [kept]), "what is private is nobody else's business"
    await check_in_history(world, 2)


@pytest.mark.usefixtures("expired")
@pytest.mark.parametrize(("status", "code"), [(400, 50083), (404, 10003), (403, 50001)])
async def test_what_no_further_try_can_bring_is_not_tried_for_a_day(
    world: World, status: int, code: int
) -> None:
    world.env.inject_error("POST", MESSAGES, status=status, code=code, times=None)
    await world.imagine(count=2)
    assert (await check_settled(world, 2)).message_id is None
    tried = sent(world, "POST", f"/{world.channel.id}/messages")
    assert len([request for request in tried if "easel" in request.json["nonce"]]) <= 2


@pytest.mark.usefixtures("expired")
async def test_who_cannot_be_reached_for_a_day_has_the_pictures_in_the_history(
    log: Log, tmp_path: Path
) -> None:
    async with open_world(tmp_path) as world:
        world.env.inject_error("POST", MESSAGES, status=503, times=None)
        await world.imagine(count=2)
        await world.env.advance_time(20)
        [row] = await world.generations()
        assert row.state == "painted"
        day = update(generations).values(created_at=row.created_at - 24 * 60 * 60, lease_until=0)
        await world.client._database.write(lambda connection: connection.execute(day))
        await world.env.advance_time(40)
        assert (await check_settled(world, 2)).message_id is None
        await check_in_history(world, 2)
    log.check()


@pytest.mark.usefixtures("expired")
async def test_without_a_token_a_failure_is_told_to_its_asker_in_the_channel(
    world: World,
) -> None:
    world.painter.faults.next(Kind.UNSAFE)
    await world.imagine(count=2)
    assert with_token(world) == []
    await check_called_out(world)


async def an_hour_later(world: World) -> None:
    """Whatever is not delivered by then is tried again."""
    [row] = [row for row in await world.generations() if row.state == "painted"]
    aged = update(generations).where(generations.c.id == row.id)
    aged = aged.values(painted_at=row.painted_at - 2 * 60 * 60, lease_until=0)
    await world.client._database.write(lambda connection: connection.execute(aged))
    await world.env.advance_time(40)


@pytest.mark.usefixtures("expired")
@pytest.mark.parametrize("others", ["come through", "come through again", "do not"])
async def test_what_discord_breaks_over_alone_is_given_up_sooner(
    log: Log, tmp_path: Path, others: str
) -> None:
    alone = others == "come through"
    async with open_world(tmp_path) as world:
        broken = f"/channels/{world.channel.id}/messages"
        world.env.inject_error("POST", broken, status=500, times=None)
        await world.imagine(count=2)
        await world.env.advance_time(20)
        outage = world.client.studio._work._delivery.outage
        if others != "come through again":
            outage._back_at -= 2 * 60 * 60
        if others != "do not":
            other = world.guild.create_text_channel("other")
            await world.bob.slash(other, "imagine", prompt="a small boat", count=1)
        await an_hour_later(world)
        row = next(row for row in await world.generations() if row.person_id == world.ann.id)
        assert row.state == ("delivered" if alone else "painted")
        assert row.message_id is None
        await check_in_history(world, 2)
    assert ("generation.undeliverable" in log.text) is alone
    log.check()


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


async def test_a_failure_that_no_whisper_can_tell_is_told_in_the_channel(world: World) -> None:
    world.painter.faults.next(Kind.UNSAFE)
    world.env.inject_error("PATCH", ORIGINAL, status=404, code=10008)
    world.env.inject_error("POST", FOLLOW_UP, status=404, code=10008)
    await world.imagine(count=2)
    await check_called_out(world)


async def test_nothing_is_left_to_cancel_under_a_private_failure(world: World) -> None:
    world.painter.faults.next(Kind.UNSAFE)
    await world.imagine(count=2, private=True)
    [edit] = sent(world, "PATCH", "/messages/@original")
    assert edit.json["components"] == []


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
    assert world.channel.history() == []
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


@pytest.mark.parametrize("fault", [Trouble.RATE_LIMITED, Trouble.SLOW])
@pytest.mark.parametrize("word", ["standing", "removal"])
async def test_a_discord_that_holds_a_word_back_holds_up_nothing_else(
    monkeypatch: pytest.MonkeyPatch, fault: Trouble, word: str
) -> None:
    place = SimpleNamespace(application_id=1, interaction_token="token", token_expires_at=1e12)
    order = SimpleNamespace(prompt="a red fox")
    generation: Any = SimpleNamespace(id="0123456789", place=place, order=order)
    monkeypatch.setattr(words, "_WORD_MAX_S", 0.2)
    async with Server() as server, discord.Client(intents=discord.Intents.none()) as client:
        monkeypatch.setattr(discord.http.Route, "BASE", f"{server.url}/api/v10")
        await client.login(server.token)
        server.faults.add(Fault(fault, path="/webhooks/**", retry_after=900, seconds=900))
        bringing = DiscordDelivery(client)  # type: ignore[arg-type]
        async with asyncio.timeout(5):
            if word == "standing":
                await bringing.tell_standing(generation, Standing(1, None))
            else:
                await bringing.try_to_remove_waiting(generation)
        assert server.faults.left == 0, "Discord was not asked"


async def test_what_is_posted_keeps_nothing_from_others_while_discord_py_sleeps(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    place = SimpleNamespace(channel_id=0, server_id=None, reply_to=None)
    generation: Any = SimpleNamespace(id="0123456789", person_id=1, place=place)
    drawing = Drawing(b"a picture", "fox.jpg", "a red fox")
    post = Post("0123456789", "", "a red fox", Layout(), pictures=(), drawing=drawing)
    buffers: list[BytesIO] = []
    monkeypatch.setattr(posts, "BytesIO", lambda data: buffers.append(BytesIO(data)) or buffers[-1])
    studio: Any = SimpleNamespace(files=AsyncMock(return_value=[]))
    intents = discord.Intents.none()
    async with Server() as server, discord.Client(intents=intents, http_trace=answers()) as client:
        client.studio = studio  # type: ignore[attr-defined]
        monkeypatch.setattr(discord.http.Route, "BASE", f"{server.url}/api/v10")
        await client.login(server.token)
        channel = server.world.channel(server.world.guild())
        channel.window.limit, place.channel_id = Limit(1, 50.0), channel.id
        bringing = DiscordDelivery(client)  # type: ignore[arg-type]
        sending = asyncio.create_task(bringing._send(generation, post, 10_000))
        ends = time.monotonic() + 10
        while not bringing.crowd._answered:
            assert time.monotonic() < ends, "nobody heard of the answer"
            await asyncio.sleep(0.01)
        assert len(channel.results) == 1
        assert bringing.crowd._asking == 0, "others may ask"
        assert [buffer.closed for buffer in buffers] == [True]
        assert not sending.done(), "discord.py was expected to sleep"
        sending.cancel()


class Nights:
    """A clock that only sleep moves on."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


@given(st.lists(st.tuples(st.floats(0, 0.3), st.floats(0, 2)), min_size=51, max_size=200))
def test_no_second_has_more_requests_than_discord_takes_of_a_bot(
    asked: list[tuple[float, float]],
) -> None:
    """Whenever Discord counts them, between their sending and their answer."""
    clock, sent, answered = Nights(), list[float](), list[float]()

    async def ask() -> None:
        crowd = Crowd(clock, clock.sleep)
        for pause, takes_s in asked:
            clock.now += pause
            async with crowd.turn():
                sent.append(clock())
                clock.now += takes_s
                answered.append(clock())

    asyncio.run(ask())
    pairs = zip(answered, sent[50:], strict=False)
    assert all(later - earlier > 1 for earlier, later in pairs)


def test_a_crowd_in_many_channels_is_known_before_anybody_waits() -> None:
    crowd = Crowd(lambda: 1000.0)
    assert crowd.wait_s(1) == 0
    for channel in range(200):
        crowd.book(channel)
    assert crowd.wait_s(200) == pytest.approx(4.2)


def test_an_outage_is_met_by_few_and_over_with_the_first_answer() -> None:
    clock = Nights()
    outage = Outage(clock)
    for _ in range(2):
        outage.met("503")
        assert outage.tries > 1
        assert not outage.hinders(clock() - 5), "that may be one channel's trouble"
    outage.met("503")
    assert outage.tries == 1
    assert outage.hinders(clock() - 5)
    assert not outage.hinders(clock() + 5), "who asks now was let through by Discord"
    outage.over()
    assert outage.tries > 1
    assert not outage.hinders(clock() - 5)
