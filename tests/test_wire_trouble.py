"""What goes wrong between the bot and Discord: lost answers, drops, repeats, limits."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio
from wire.faults import Fault, Kind
from wire.interactions import ANSWER_WITHIN_S
from wire.posting import remove
from wire.town import Town, open_town

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from wire.messages import Message

pytestmark = pytest.mark.asyncio(loop_scope="module")

POST = {"method": "POST", "path": "/channels/*/messages"}
PATCH = {"method": "PATCH", "path": "/webhooks/*/*/messages/@original"}
ACKNOWLEDGE = {"method": "POST", "path": "/interactions/*/*/callback"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def open_for_all(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    async with open_town(tmp_path_factory.mktemp("town")) as opened:
        yield opened


@pytest.fixture
def town(open_for_all: Town) -> Town:
    open_for_all.discord.faults.clear()
    return open_for_all


@pytest.mark.parametrize(
    "fault",
    [
        Fault(Kind.STATUS, **POST, status=503),
        Fault(Kind.STATUS, **POST, status=503, after=True),
        Fault(Kind.RESET, **POST),
        Fault(Kind.RESET, **POST, after=True),
        Fault(Kind.RATE_LIMITED, **POST, retry_after=0.3),
        Fault(Kind.RATE_LIMITED, **POST, via=False),
    ],
    ids=["503", "503 after", "reset", "reset after", "429", "429 of a machine in between"],
)
async def test_a_stumble_in_posting_makes_one_message(town: Town, fault: Fault) -> None:
    channel = town.channel()
    town.discord.faults.add(fault)
    asked = await town.imagine(channel)
    await asked.result()
    assert await town.ended(asked) == "delivered"
    assert town.discord.faults.left == 0, "the fault was not met"
    assert len(town.posts(channel)) == 2
    assert len(channel.shown) == 1
    assert asked.said == []


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
async def test_a_stumble_in_editing_is_tried_again(town: Town, after: bool) -> None:
    town.discord.faults.add(Fault(Kind.STATUS, **PATCH, status=500, after=after))
    asked = await town.imagine(town.channel(), count=2, private=True)
    assert await town.ended(asked) == "delivered"
    assert town.discord.faults.left == 0, "the fault was not met"
    original = asked.interaction.original
    assert original.edits == (2 if after else 1)
    assert len(original.files) == 2, "an edit names all of its files, and can be repeated"
    assert asked.said == [original]


async def test_an_event_that_comes_twice_makes_one_result(town: Town) -> None:
    town.discord.gateway.twice = 1
    asked = await town.imagine(town.channel())
    await asked.result()
    await town.bot.logged(rf'"interaction": {asked.interaction.id}.*interaction\.replayed')
    assert await town.ended(asked) == "delivered"
    assert len(asked.interaction.channel.shown) == 1
    assert asked.said == []


async def test_a_dropped_gateway_is_resumed_and_nothing_is_missed(town: Town) -> None:
    gateway = town.discord.gateway
    identified, resumed = gateway.identifies, gateway.resumes
    before = await town.imagine(town.channel())
    await before.acknowledged()
    assert gateway.drop() == 1
    during = await town.imagine(town.channel())
    await before.result()
    assert await during.acknowledged() < ANSWER_WITHIN_S
    await during.result()
    assert (gateway.identifies, gateway.resumes) == (identified, resumed + 1)


async def test_discord_restarts_and_the_session_goes_on(town: Town) -> None:
    gateway = town.discord.gateway
    identified, resumed = gateway.identifies, gateway.resumes
    await gateway.ask_to_reconnect()
    await gateway.pulse.until(
        lambda: gateway.resumes > resumed or None, within=20, what="a session that goes on"
    )
    await (await town.imagine(town.channel())).result()
    assert gateway.identifies == identified


@pytest.mark.parametrize(
    "fault",
    [
        None,
        Fault(Kind.SLOW, **POST, seconds=5),
        Fault(Kind.SLOW, **POST, seconds=5, after=True),
    ],
    ids=["painting", "posting", "posted, and not told so"],
)
async def test_a_kill_loses_and_repeats_nothing(town: Town, fault: Fault | None) -> None:
    channel = town.channel()
    if fault is not None:
        town.discord.faults.add(fault)
    asked = await town.imagine(channel)
    await asked.acknowledged()
    await town.until(lambda: town.state(asked) != "waiting", "a beginning")
    if fault is not None:
        await town.until(lambda: town.discord.faults.left == 0, "a message on its way")
    await town.bot.kill()
    town.let_leases_end()
    await town.bot.restart()
    assert await town.ended(asked) == "delivered"
    await asked.result()
    await asked.gone()
    assert len(channel.shown) == 1


async def test_what_was_acknowledged_too_late_is_not_painted(town: Town) -> None:
    late = Fault(Kind.SLOW, **ACKNOWLEDGE, seconds=ANSWER_WITHIN_S + 0.1)
    town.discord.faults.add(late)
    asked = await town.imagine(town.channel())
    assert await town.ended(asked) == "cancelled"
    assert asked.interaction.channel.shown == []


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
async def test_a_lost_acknowledgement_leaves_nothing_reserved(town: Town, after: bool) -> None:
    town.discord.faults.add(Fault(Kind.RESET, **ACKNOWLEDGE, after=after))
    asked = await town.imagine(town.channel())
    assert await town.ended(asked, within=20) in ("delivered", "cancelled")
    assert not asked.thinking


def refused(town: Town, path: str) -> bool:
    return any(call.status == 404 and call.path.startswith(path) for call in town.discord.calls)


async def test_a_slow_store_and_a_late_answer_leave_nothing_reserved(town: Town) -> None:
    with town.locked_store():
        asked = await town.imagine(town.channel())
        town.discord.world.clock.forward(ANSWER_WITHIN_S + 0.1)
        late = f"/interactions/{asked.interaction.id}/"
        await town.until(lambda: refused(town, late), "a refusal of the late answer")
    assert await town.ended(asked, within=20) == "cancelled"


async def test_a_channel_that_is_shut_for_long_leaves_the_response(town: Town) -> None:
    town.discord.faults.add(Fault(Kind.RATE_LIMITED, **POST, retry_after=900))
    asked = await town.imagine(town.channel())
    assert await asked.result(within=20) is asked.interaction.original


async def test_what_a_moderator_deleted_is_not_posted_again(town: Town) -> None:
    town.discord.faults.add(Fault(Kind.RESET, **POST, after=True))
    asked = await town.imagine(town.channel())
    remove(await asked.result())
    assert await town.ended(asked) == "delivered"
    assert asked.interaction.channel.shown == []


async def test_a_press_that_comes_twice_is_no_failure(town: Town) -> None:
    asked = await town.imagine(town.channel())
    result: Message = await asked.result()
    before = len(town.bot.log)
    town.discord.gateway.twice = 1
    pressed = await town.discord.people.click(result, asked.interaction.person, "1")
    await pressed.answer()
    await town.bot.logged(rf'"interaction": {pressed.interaction.id}.*interaction\.repeated')
    assert "interaction.failed" not in town.bot.log[before:]


async def test_nobody_waits_for_a_busy_channel(town: Town) -> None:
    channel = town.channel()
    asked = [await town.imagine(channel) for _ in range(6)]
    results = [await one.result() for one in asked]
    slowest = max(a.took(m) for a, m in zip(asked, results, strict=True))
    assert slowest < 4.5, "after two seconds, the response is the result"


async def test_a_press_on_cancel_is_answered_though_discord_is_slow(tmp_path: Path) -> None:
    async with open_town(tmp_path, pace=60.0, max_concurrent_calls=1) as town:
        first = await town.imagine(town.channel())
        await town.until(lambda: town.state(first) == "painting", "a beginning")
        second = await town.imagine(town.channel())
        told, gate = await second.answer(30), asyncio.Event()
        town.discord.faults.add(Fault(Kind.SLOW, "DELETE", PATCH["path"], gate=gate))
        pressed = await town.discord.people.click(told, second.interaction.person, "Cancel")
        await pressed.acknowledged()
        gate.set()
        assert "Cancelled" in (await pressed.answer()).content
        await second.gone()
        assert town.state(second) == "cancelled"
