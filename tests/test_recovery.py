"""What a process left unfinished, the next one finishes: once, and with the same seed."""

from __future__ import annotations

import errno
import time
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import delete, update
from world import open_world

from bot.delivery import DiscordDelivery
from bot.demo.faults import Kind
from bot.imaging.places import _Folder
from bot.store import leases
from bot.store.people import DAY_S
from bot.store.schema import generations, ledger, people, pictures
from bot.studio.generation import Place
from bot.studio.order import Order

if TYPE_CHECKING:
    from pathlib import Path

    from world import Log, World


async def accepted(world: World, **order: Any) -> str:
    """What a process leaves that dies right after accepting."""
    place = Place(
        interaction_id=time.time_ns(),
        person_id=world.ann.id,
        server_id=world.guild.id,
        application_id=world.client.application_id or 0,
        channel_id=world.channel.id,
        interaction_token="expired",
        token_expires_at=0.0,
        may_post=True,
        file_limit=10_000_000,
    )
    submitted = await world.client.studio.intake.submit(Order("a red fox", **order), place)
    await change(world, submitted.generation.id, created_at=time.time() - 60)
    return submitted.generation.id


async def change(world: World, generation_id: str, **values: Any) -> None:
    statement = update(generations).where(generations.c.id == generation_id).values(**values)
    await world.client._database.write(lambda connection: connection.execute(statement))


async def held_by_the_dead(world: World, generation_id: str, **values: Any) -> None:
    over = time.time() - 1
    await change(world, generation_id, holder="a dead process", lease_until=over, **values)


async def test_what_was_accepted_is_painted_after_a_restart(world: World) -> None:
    await accepted(world, count=2, seed=7)
    await world.restart()
    await world.env.settle()
    [result] = world.results()
    assert len(result.attachments) == 2
    assert world.painter.requests[-1].body["seed"] == 7
    [row] = await world.generations()
    assert row.state == "delivered"


async def test_what_was_being_painted_is_painted_again_with_the_same_seed(world: World) -> None:
    generation_id = await accepted(world, count=1)
    await held_by_the_dead(world, generation_id, state="painting", attempt=1, painting_at=1.0)
    await world.restart()
    await world.env.settle()
    [row] = await world.generations()
    assert (row.state, row.attempt, row.orphaned) == ("delivered", 2, 1)
    assert world.painter.requests[-1].body["seed"] == row.seed
    assert len(world.results()) == 1


async def test_a_row_that_cannot_be_read_keeps_no_other_from_its_end(
    log: Log, tmp_path: Path
) -> None:
    async with open_world(tmp_path) as world:
        broken = await accepted(world, count=1)
        sound = [await accepted(world, count=1) for _ in range(2)]
        await change(world, broken, request='{"of a newer version": 1}')
        await world.restart()
        await world.env.settle()
        states = {row.id: row.state for row in await world.generations()}
        assert states == {broken: "waiting"} | dict.fromkeys(sound, "delivered")
        assert broken in [line["id"] for line in log.lines if "unreadable" in line["event"]]


@pytest.mark.parametrize("state", ["waiting", "painted"])
async def test_what_nobody_has_read_for_a_day_is_given_up(world: World, state: str) -> None:
    broken = await accepted(world, count=3)
    a_day_ago = time.time() - DAY_S - 60
    await change(world, broken, request="{", notes="{", created_at=a_day_ago, state=state)
    await world.restart()
    await world.env.settle()
    [row] = await world.generations()
    assert (row.state, row.tell_at) == ("failed", None)
    assert [entry.entry for entry in await world.ledger()] == ["reserve", "refund"]
    assert (await world.usage(world.ann)).waiting == 0
    told = world.channel.last_message
    assert [user.id for user in told.mentions] == [world.ann.id]
    assert "can't read" in told.content


async def test_what_cannot_be_read_is_still_told_of(world: World) -> None:
    broken = await accepted(world, count=3)
    await held_by_the_dead(
        world, broken, state="painting", attempt=3, orphaned=leases.ORPHANED_MAX, request="{}"
    )
    await world.restart()
    await world.env.settle()
    [row] = await world.generations()
    assert (row.state, row.tell_at) == ("failed", None)
    assert "gave up" in world.channel.last_message.content


async def test_a_living_holder_is_left_alone(world: World) -> None:
    generation_id = await accepted(world, count=1)
    until = time.time() + 60
    await change(
        world, generation_id, state="painting", attempt=1, holder="alive", lease_until=until
    )
    await world.restart()
    await world.env.settle()
    assert (await world.generations())[0].holder == "alive"
    assert not world.painter.requests


async def test_what_kills_the_process_again_and_again_is_given_up(world: World) -> None:
    generation_id = await accepted(world, count=3)
    await held_by_the_dead(
        world, generation_id, state="painting", attempt=3, orphaned=leases.ORPHANED_MAX
    )
    await world.restart()
    await world.env.settle()
    [row] = await world.generations()
    assert row.state == "failed"
    assert not world.painter.requests
    usage = await world.usage(world.ann)
    assert (usage.day_used, usage.day_reserved, usage.waiting) == (0, 0, 0)
    told = world.channel.last_message
    assert "gave up" in told.content, "its token had expired, so the channel is told"
    assert [user.id for user in told.mentions] == [world.ann.id]


async def test_pictures_that_reached_the_disk_are_not_paid_for_again(world: World) -> None:
    await world.imagine(count=2, seed=3)
    [first] = world.results()
    [row] = await world.generations()
    # As if the process had died between keeping the pictures and writing that down.
    await world.client._database.write(forget_pictures, row)
    await held_by_the_dead(world, row.id, state="painting", ended_at=None, message_id=None)
    await first.delete()
    await world.restart()
    await world.env.settle()
    [again] = world.results()
    assert world.painter.renders == 1, "they were on the disk"
    assert len(again.attachments) == 2
    [row] = await world.generations()
    assert (row.state, row.price) == ("delivered", 60_000)
    assert {picture.model for picture in await world.rows(pictures)} == {row.model}


async def test_pictures_on_a_disk_that_stumbles_are_looked_for_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.imagine(count=2)
    [row] = await world.generations()
    await world.client._database.write(forget_pictures, row)
    await held_by_the_dead(world, row.id, state="painting", ended_at=None, message_id=None)
    stumbles, read = iter(range(leases.ORPHANED_MAX + 2)), _Folder.get

    def get(folder: _Folder, key: str) -> bytes:
        if next(stumbles, None) is not None:
            raise OSError(errno.EIO, "Input/output error")
        return read(folder, key)

    monkeypatch.setattr(_Folder, "get", get)
    await world.restart()
    for _ in range(leases.ORPHANED_MAX + 3):
        await world.env.settle()
        await world.env.advance_time(30)
    [row] = await world.generations()
    assert (row.state, row.attempt, row.orphaned) == ("delivered", 2, 1)
    assert next(stumbles, None) is None
    assert world.painter.renders == 1, "they were on the disk"


async def test_pictures_that_nobody_could_read_for_a_day_are_given_up(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.imagine(count=2)
    [row] = await world.generations()
    await world.client._database.write(forget_pictures, row)
    a_day_ago = {"created_at": time.time() - DAY_S - 60}
    undone = {"state": "painting", "ended_at": None, "message_id": None}
    await held_by_the_dead(world, row.id, **undone, **a_day_ago)

    def exists(folder: _Folder, key: str) -> bool:
        raise OSError(errno.EIO, f"Input/output error: {folder} {key}")

    monkeypatch.setattr(_Folder, "exists", exists)
    await world.restart()
    await world.env.settle()
    [row] = await world.generations()
    assert row.state == "failed"
    assert (await world.usage(world.ann)).waiting == 0


def forget_pictures(connection: Any, row: Any) -> None:
    connection.execute(delete(pictures))
    undo_settlement(connection, row)


async def test_what_was_painted_is_delivered_and_not_painted_again(world: World) -> None:
    await world.imagine(count=2)
    [first] = world.results()
    [row] = await world.generations()
    renders = world.painter.renders
    # As if the process had died between painting and delivering.
    await change(
        world,
        row.id,
        state="painted",
        ended_at=None,
        message_id=None,
        holder=None,
        lease_until=None,
    )
    await world.client._database.write(undo_settlement, row)
    await first.delete()
    await world.restart()
    await world.env.settle()
    assert world.painter.renders == renders
    [again] = world.results()
    assert len(again.attachments) == 2
    assert (await world.generations())[0].state == "delivered"


def undo_settlement(connection: Any, row: Any) -> None:
    connection.execute(delete(ledger).where(ledger.c.entry == "settle"))
    connection.execute(
        update(people)
        .where(people.c.id == row.person_id)
        .values(day_used=0, day_reserved=row.wanted, waiting=1)
    )


async def test_however_much_was_painted_all_of_it_is_delivered_at_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        await world.imagine(prompt=f"number {number}", count=1)
    for message in world.results():
        await message.delete()
    for row in await world.generations():
        back = {"state": "painted", "ended_at": None, "message_id": None, "holder": None}
        await change(world, row.id, **back, lease_until=None)
    await sql(world, "DELETE FROM ledger WHERE entry = 'settle'")
    await sql(world, "UPDATE people SET day_used = 0, day_reserved = 3, waiting = 3")
    monkeypatch.setattr(leases, "PAGE", 1)
    await world.restart()
    await world.env.settle()
    assert [row.state for row in await world.generations()] == ["delivered"] * 3


async def test_a_result_that_was_posted_before_is_found_and_not_posted_twice(world: World) -> None:
    await world.imagine(count=1)
    [first] = world.results()
    [row] = await world.generations()
    # As if the process had died after posting, and before writing that down.
    await change(world, row.id, state="painted", ended_at=None, message_id=None, holder=None)
    await world.client._database.write(undo_settlement, row)
    await world.restart()
    await world.env.settle()
    assert [message.id for message in world.results()] == [first.id]
    assert (await world.generations())[0].message_id == first.id


async def test_what_a_living_process_could_not_write_down_is_taken_up_again(world: World) -> None:
    await sql(
        world,
        "CREATE TRIGGER broken BEFORE INSERT ON pictures BEGIN"
        " SELECT RAISE(ABORT, 'the disk is full'); END",
    )
    await world.imagine(count=1)
    [row] = await world.generations()
    assert row.state == "painting", "it was painted, and that could not be written down"
    await sql(world, "DROP TRIGGER broken")
    await change(world, row.id, lease_until=time.time() - 1)
    await world.env.advance_time(30)
    [row] = await world.generations()
    assert (row.state, row.orphaned) == ("delivered", 1)
    assert world.painter.renders == 1, "its picture had reached the disk"
    assert len(world.results()) == 1


async def sql(world: World, statement: str) -> None:
    await world.client._database.write(lambda connection: connection.exec_driver_sql(statement))


async def test_discord_away_keeps_the_result_for_later(world: World) -> None:
    world.env.inject_error("POST", "/channels/*/messages", status=503, times=100)
    await world.imagine(count=1)
    await world.env.advance_time(60)
    [row] = await world.generations()
    assert (row.state, row.holder) == ("painted", None), "kept, and free to be taken later"
    assert world.results() == []
    world.env.backend.faults.clear()
    await change(world, row.id, lease_until=time.time() - 1)
    await world.env.advance_time(30)
    assert len(world.results()) == 1
    assert (await world.generations())[0].state == "delivered"
    assert (await world.usage(world.ann)).day_used == 1


async def test_a_delivery_that_breaks_is_tried_for_a_day_and_then_kept(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def bring(*_: object, **__: object) -> int:
        raise ZeroDivisionError

    monkeypatch.setattr(DiscordDelivery, "bring", bring)
    await world.imagine(count=1)
    [row] = await world.generations()
    assert (row.state, row.holder) == ("painted", None), "kept, and free to be taken later"
    a_day_ago = time.time() - DAY_S - 60
    await change(world, row.id, lease_until=time.time() - 1, created_at=a_day_ago)
    await world.env.advance_time(30)
    [row] = await world.generations()
    assert (row.state, row.message_id) == ("delivered", None)
    assert (await world.usage(world.ann)).waiting == 0
    assert [entry.entry for entry in await world.ledger()] == ["reserve", "settle"]


async def test_a_word_that_breaks_is_tried_for_a_day(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries = 0

    async def tell_failure(*_: object) -> None:
        nonlocal tries
        tries += 1
        raise ZeroDivisionError

    monkeypatch.setattr(DiscordDelivery, "tell_failure", tell_failure)
    world.painter.faults.next(Kind.UNSAFE)
    await world.imagine(count=1)
    for asked_at, expected in ((time.time(), 2), (time.time() - DAY_S - 60, 3)):
        [row] = await world.generations()
        assert (row.state, row.tell_at is None) == ("refused", False)
        await change(world, row.id, tell_at=time.time() - 1, created_at=asked_at)
        await world.env.advance_time(30)
        assert tries == expected
    [row] = await world.generations()
    assert row.tell_at is None, "it would be tried for ever"


async def test_what_is_asked_for_while_the_process_ends_is_refused_with_a_sentence(
    world: World,
) -> None:
    world.client.studio.intake.close()
    answer = await world.imagine()
    assert answer.ephemeral
    assert "being restarted" in answer.response.content
    assert await world.generations() == []
