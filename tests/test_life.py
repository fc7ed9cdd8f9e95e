"""Starting, stopping, two processes at once: no generation is lost, none is painted twice."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

import discord
import pytest
from world import open_world

from bot import app, client
from bot.app import open_easel
from bot.delivery import DiscordDelivery, DiscordPresenter
from bot.demo.faults import Kind
from bot.store.database import Database
from bot.store.schema import generations, ledger, people
from bot.studio.generation import Generation, Place
from bot.studio.order import Order
from bot.tree import sync_if_changed

if TYPE_CHECKING:
    from pathlib import Path

    from world import Log, World


async def stop(world: World) -> None:
    await world.env.settle()
    await world.house.aclose()


async def start(world: World) -> None:
    world.house = AsyncExitStack()
    world.client = await world.house.enter_async_context(open_easel(world.settings))
    await world.env.restart_bot(world.client)


async def submitted(world: World, number: int = 1, **options: Any) -> Generation:
    """An accepted order that nobody has begun, and whose token is over."""
    place = Place(
        interaction_id=number,
        person_id=world.ann.id,
        server_id=world.guild.id,
        application_id=world.client.application_id or 0,
        channel_id=world.channel.id,
        interaction_token="simcord_interaction_0",
        token_expires_at=0.0,
        may_post=True,
        file_limit=10_000_000,
    )
    order = Order(f"a small boat, the {number}th", count=1, **options)
    return (await world.client.studio.intake.submit(order, place)).generation


async def until(condition: Any, seconds: float = 30) -> None:
    ends = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends, "it never came to that"
        await asyncio.sleep(0.01)


async def stored(world: World, table: Any) -> list[Any]:
    """What the next start will find."""
    async with Database.open(world.settings.database_url) as database:
        return await database.read(lambda connection: list(connection.execute(table.select())))


async def test_what_was_painted_before_is_there_after_two_more_starts(world: World) -> None:
    for number in range(3):
        await world.imagine(prompt=f"start number {number}", count=1)
        await stop(world)
        await start(world)
    assert len(world.results()) == 3
    page = await world.ann.slash(world.channel, "history")
    assert page.response.content.count("start number") == 3
    assert (await world.usage(world.ann)).day_used == 3


async def test_a_stop_lets_what_is_being_painted_be_delivered(world: World) -> None:
    world.painter.terms.pace = 1
    asked = asyncio.create_task(world.imagine(count=1))
    await until(lambda: world.painter.records.in_flight == 1)
    began = time.monotonic()
    await world.house.aclose()
    assert time.monotonic() - began < 10, "it waits for more than the picture"
    await asked
    assert len(world.results()) == 1
    assert [row.state for row in await stored(world, generations)] == ["delivered"]
    assert [row.day_reserved for row in await stored(world, people)] == [0]


async def test_a_stop_waits_no_longer_than_its_grace_and_leaves_the_rest_written_down(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "_GRACE_S", 0.2)
    world.painter.terms.pace = 20
    world.client.studio.intake.begin(await submitted(world))
    await until(lambda: world.painter.records.in_flight == 1)
    began = time.monotonic()
    await world.house.aclose()
    assert time.monotonic() - began < 10
    [row] = await stored(world, generations)
    assert (row.state, row.attempt) == ("waiting", 1), "given back, for the next start to take"
    assert row.holder is None
    assert [row.day_reserved for row in await stored(world, people)] == [1]
    assert [entry.entry for entry in await stored(world, ledger)] == ["reserve"]
    assert world.results() == []


async def test_what_is_asked_for_during_a_stop_is_refused_with_a_sentence(world: World) -> None:
    world.painter.terms.pace = 1
    world.client.studio.intake.begin(await submitted(world))
    await until(lambda: world.painter.records.in_flight == 1)
    closing = asyncio.create_task(world.house.aclose())
    await asyncio.sleep(0)
    late = await world.imagine(world.bob, count=1)
    await closing
    assert late.ephemeral
    assert "being restarted" in late.response.content
    [only] = await stored(world, generations)
    assert only.state == "delivered"


async def test_of_two_processes_one_paints(world: World) -> None:
    async with open_easel(world.settings) as other:
        delivery = DiscordDelivery(world.client)
        other._begin_work(delivery, DiscordPresenter(world.client, delivery))
        rows = [await submitted(world, number) for number in range(1, 7)]
        ways = [world.client.studio, other.studio]
        for generation in rows:
            for studio in ways:
                studio.intake.begin(generation)
            ways.reverse()
        await until(lambda: len(world.results()) >= len(rows))
        await until(lambda: not any(way._work.busy or way._work._waiting for way in ways))
    assert len(world.results()) == len(world.painter.requests) == len(rows)
    painted = await world.generations()
    assert {(row.state, row.attempt) for row in painted} == {("delivered", 1)}
    assert (await world.usage(world.ann)).day_used == len(rows)


async def test_of_two_processes_none_speaks_of_the_line_when_the_other_has_delivered(
    log: Log, tmp_path: Path
) -> None:
    async with open_world(tmp_path) as world:
        idle = world.client.studio._work
        idle._room = lambda: 0
        asked = await world.imagine(count=1, private=True)
        [row] = await world.generations()
        assert idle.standing(row.id)
        async with open_easel(world.settings) as other:
            delivery = DiscordDelivery(world.client)
            other._begin_work(delivery, DiscordPresenter(world.client, delivery))
            other.studio.intake.begin(Generation.from_row(row))
            await until(lambda: log.states()[-1]["state"] == "delivered")
            await world.env.advance_time(6)
        assert "in line" not in asked.response.content
        assert len(asked.response.attachments) == 1
        assert idle.standing(row.id) is None
        assert not idle.has(row.id)


async def test_eight_that_fail_at_once_shut_the_painter_for_as_long_as_three(
    log: Log, tmp_path: Path
) -> None:
    roomy = {"user_waiting_max": 20, "user_images_per_minute": 20}
    async with open_world(tmp_path, max_concurrent_calls=8, **roomy) as world:
        circuit = world.client.studio.intake._circuit
        circuit._clock = lambda: 1_000.0
        world.painter.terms.pace = 0.5
        world.painter.faults.next(Kind.TIMEOUT_524, times=8)
        orders = [await submitted(world, number) for number in range(1, 9)]
        for generation in orders:
            world.client.studio.intake.begin(generation)
        await until(lambda: [line["state"] for line in log.states()].count("failed") == 8)
        assert circuit.rest_s == 15


@pytest.mark.parametrize("fault", [None, Kind.HTML])
async def test_whose_lease_is_over_writes_nothing_and_says_nothing(
    log: Log, tmp_path: Path, fault: Kind | None
) -> None:
    async with open_world(tmp_path) as world:
        world.painter.terms.pace = 0.5
        if fault:
            world.painter.faults.next(fault)
        world.client.studio.intake.begin(await submitted(world))
        await until(lambda: len(world.painter.requests) == 1)
        taken_over = generations.update().values(holder="another", attempt=2)
        await world.client._database.write(lambda connection: connection.execute(taken_over))
        await until(lambda: "generation.lease_lost" in log.text)
        [row] = await world.generations()
        assert (row.state, row.holder, row.attempt) == ("painting", "another", 2)
        assert world.channel.history() == []
        assert (await world.usage(world.ann)).day_reserved == 1
        assert [entry.entry for entry in await world.ledger()] == ["reserve"]


async def test_an_acknowledgement_that_discord_does_not_take_costs_nothing(
    world: World,
) -> None:
    world.provoked = (discord.NotFound,)
    world.env.inject_error("POST", "/interactions/*/callback", status=404, code=10062)
    answer = await world.imagine(count=2)
    assert not answer.acknowledged
    assert not world.painter.requests
    [row] = await world.generations()
    assert row.state == "cancelled"
    assert row.interaction_token is None
    usage = await world.usage(world.ann)
    assert (usage.day_used, usage.day_reserved, usage.waiting) == (0, 0, 0)
    assert [entry.entry for entry in await world.ledger()] == ["reserve", "refund"]


async def test_what_another_process_has_acknowledged_is_painted(world: World) -> None:
    world.env.inject_error("POST", "/interactions/*/callback", status=400, code=40060)
    await world.imagine(count=2)
    assert len(world.results()) == 1


def syncs(world: World) -> list[Any]:
    path = f"/applications/{world.client.application_id}/commands"
    return [r for r in world.env.http_requests if r.method != "GET" and r.path.startswith(path)]


async def test_commands_are_registered_when_they_differ(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert len(syncs(world)) == 1
    for _ in range(2):
        await world.restart()
    assert len(syncs(world)) == 1, "a sync that changes nothing slows the start"
    everything = client._COGS
    monkeypatch.setattr(client, "_COGS", [each for each in everything if each != "cogs.limits"])
    for _ in range(2):
        await world.restart()
    assert len(syncs(world)) == 2, "what has changed is registered, once"
    names = {command["name"] for command in syncs(world)[-1].json}
    assert "limits" not in names
    monkeypatch.setattr(client, "_COGS", everything)
    await world.restart()
    assert "limits" in {command["name"] for command in syncs(world)[-1].json}


async def test_a_sync_that_failed_is_made_again(world: World) -> None:
    await world.client._database.write(
        lambda connection: connection.exec_driver_sql("DELETE FROM facts")
    )
    world.env.inject_error("PUT", "/applications/*/commands", status=500)
    with pytest.raises(discord.HTTPException):
        await sync_if_changed(world.client.tree, world.client._database)
    before = len(syncs(world))
    await world.restart()
    assert len(syncs(world)) == before + 1


async def test_a_line_for_each_state(log: Log, tmp_path: Path) -> None:
    async with open_world(tmp_path) as world:
        await world.imagine(count=2)
        world.painter.faults.next(Kind.NO_CREDIT)
        await world.imagine(count=1, private=True)
        first, second = await world.generations()
        lines = log.states()
        assert [(line["id"], line["state"]) for line in lines] == [
            *((first.id, state) for state in ("waiting", "painting", "painted", "delivered")),
            *((second.id, state) for state in ("waiting", "painting", "failed")),
        ]
        for line in lines:
            assert line["person"] == world.ann.id
            assert line["server"] == world.guild.id
            assert line["model"] == "black-forest-labs/FLUX.2-pro"
            assert line["price_usd"] == (0.06 if line["id"] == first.id else 0.03)
        assert lines[3]["painted_s"] > 0
        assert "add credit" in lines[-1]["cause"]
    log.check()
