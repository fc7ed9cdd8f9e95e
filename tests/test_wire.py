"""The bot as a process of its own, over real sockets: what simulations in process cannot show."""

from __future__ import annotations

import asyncio
from statistics import quantiles
from time import process_time
from typing import TYPE_CHECKING

import aiohttp
import pytest
import pytest_asyncio
from wire.town import Town, open_town
from wire.world import BOT_MAY, Can

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

pytestmark = pytest.mark.asyncio(loop_scope="module")

ACKNOWLEDGED_WITHIN_S = 3.0
CROWD = 50


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def town(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    folder = tmp_path_factory.mktemp("town")
    async with open_town(folder, user_images_per_minute=8) as opened:
        yield opened


def tell(figures: str) -> None:
    """For those who run the tests with `-s`."""
    print(f"\n{figures}")  # noqa: T201 - figures are worth nothing unread


async def test_it_is_acknowledged_at_once_and_delivered(town: Town) -> None:
    asked = await town.imagine(town.channel(), count=4)
    latency = await asked.acknowledged()
    assert latency < ACKNOWLEDGED_WITHIN_S
    assert asked.thinking
    assert not asked.interaction.original.ephemeral

    result = await asked.result()
    tell(f"acknowledged after {latency * 1e3:.0f} ms, delivered after {asked.took(result):.2f} s")
    assert len(result.files) == 4
    for number, file in enumerate(result.files, start=1):
        told = f"Picture {number} of 4. AI-generated with FLUX.2 [pro]: a red fox in fresh snow"
        assert file.description == told
        assert file.name.endswith(f"-{number}.jpg")
        assert file.pixels == (1024, 1024)
    actions = ["Reroll", "Remix…", "Vary all", "Edit…", "Delete"]
    assert result.labels == ["1", "2", "3", "4", "Vote", *actions]
    assert asked.interaction.person.mention in result.content
    await asked.gone()
    assert asked.said == [], "the waiting response gives way to the result"
    assert asked.interaction.channel.shown == [result]


async def test_a_refusal_is_for_its_asker_alone(town: Town) -> None:
    asked = await town.imagine(town.channel(), model="no such model")
    said = await asked.answer()
    assert said.ephemeral
    assert "model" in said.content
    assert asked.interaction.channel.shown == []


async def test_a_failure_is_told_to_its_asker_alone(town: Town) -> None:
    url = f"{town.painter_url}/sandbox/faults"
    order = {"kind": "unsafe"}
    async with aiohttp.ClientSession() as session, session.post(url, json=order) as ordered:
        assert ordered.status == 201
    asked = await town.imagine(town.channel())
    told = await asked.whisper()
    await asked.gone()
    assert await town.ended(asked) == "refused"
    assert asked.said == [told]
    assert asked.interaction.channel.shown == []


async def test_a_private_result_changes_the_response(town: Town) -> None:
    channel = town.channel()
    asked = await town.imagine(channel, count=2, private=True)
    result = await asked.result()
    assert result is asked.interaction.original
    assert result.ephemeral
    assert (len(result.files), result.edits) == (2, 1)
    assert town.posts(channel) == []


async def test_in_direct_messages_the_response_is_the_result(town: Town) -> None:
    direct = town.discord.world.direct(town.person("cleo"))
    asked = await town.imagine(direct)
    result = await asked.result()
    assert result is asked.interaction.original
    assert town.posts(direct) == []


async def test_a_bot_that_somebody_brought_along_answers_them(town: Town) -> None:
    world = town.discord.world
    elsewhere = world.channel(world.guild("elsewhere", joined=False))
    asked = await town.imagine(elsewhere)
    result = await asked.result()
    assert result is asked.interaction.original
    panel = await town.discord.people.click(result, asked.interaction.person, "1")
    assert (await panel.answer()).ephemeral
    assert town.posts(elsewhere) == []


async def test_where_no_files_may_be_attached_the_response_is_the_result(town: Town) -> None:
    channel = town.channel()
    channel.bot_may = BOT_MAY & ~Can.ATTACH_FILES
    result = await (await town.imagine(channel)).result()
    assert result.asked is not None
    assert town.posts(channel) == [], "it is known beforehand, and not tried"


async def test_where_rights_were_taken_meanwhile_the_response_is_the_result(town: Town) -> None:
    channel = town.channel()
    asked = await town.imagine(channel)
    await asked.acknowledged()
    channel.bot_may = BOT_MAY & ~Can.SEND_MESSAGES
    assert await asked.result() is asked.interaction.original
    assert town.posts(channel) == [403]


async def test_a_slow_store_is_not_waited_for(town: Town) -> None:
    with town.locked_store():
        asked = await town.imagine(town.channel())
        assert await asked.acknowledged() < ACKNOWLEDGED_WITHIN_S
        assert asked.thinking
    await asked.result()


async def test_a_slow_refusal_is_private_all_the_same(town: Town) -> None:
    channel, ann, people = town.channel(), town.person("ann"), town.discord.people
    for _ in range(2):
        await (await people.slash(channel, ann, "imagine", prompt="a lake", count=4)).result()
    with town.locked_store():
        asked = await people.slash(channel, ann, "imagine", prompt="a lake", count=4)
        await asked.acknowledged()
        assert asked.thinking
        assert not asked.interaction.original.ephemeral
    told = await asked.whisper()
    await asked.gone()
    assert asked.said == [told]
    assert len(channel.shown) == 2


async def test_buttons_work_after_a_kill(town: Town) -> None:
    channel, people = town.channel(), town.discord.people
    asked = await town.imagine(channel, count=4)
    ann, bob, result = asked.interaction.person, town.person("bob"), await asked.result()
    await asked.gone()
    await town.bot.kill()
    await town.bot.restart()

    panel = await (await people.click(result, bob, "2")).answer()
    assert panel.ephemeral
    assert [file.sha256 for file in panel.files] == [result.files[1].sha256]
    again = await (await people.click(result, bob, "Reroll")).result()
    assert again is not result
    assert bob.mention in again.content
    refused = await (await people.click(result, bob, "Delete")).answer()
    assert refused.ephemeral
    await people.click(result, ann, "Delete")
    await channel.pulse.until(lambda: result.deleted_at, within=5, what="a deletion")
    assert channel.shown == [again]


async def test_no_secret_reaches_the_log(town: Town) -> None:
    asked = await town.imagine(town.channel())
    await asked.result()
    assert str(asked.interaction.person.id) in town.bot.log, "it is the log of this bot"
    assert [secret for secret in town.secrets() if secret in town.bot.log] == []


async def test_fifty_at_once(tmp_path: Path) -> None:
    async with open_town(tmp_path, pace=1.0, channels=CROWD) as town:
        idle = process_time(), town.bot.cpu_s
        asked = await asyncio.gather(*(town.imagine(town.channel()) for _ in range(CROWD)))
        latencies = sorted(await asyncio.gather(*(a.acknowledged(10) for a in asked)))
        results = await asyncio.gather(*(a.result() for a in asked))
        took = sorted(a.took(m) for a, m in zip(asked, results, strict=True))
        percentiles = quantiles(latencies, n=100)
        tell(
            f"{CROWD} at once: acknowledged p50 {percentiles[49] * 1e3:.0f} ms, "
            f"p99 {percentiles[98] * 1e3:.0f} ms; delivered first after {took[0]:.2f} s, last "
            f"{took[-1]:.2f} s; processor time: bot {town.bot.cpu_s - idle[1]:.2f} s, Discord "
            f"{process_time() - idle[0]:.2f} s; the bot's memory {town.bot.peak_mib:.0f} MiB"
        )
        assert latencies[-1] < ACKNOWLEDGED_WITHIN_S
        assert len({message.id for message in results}) == CROWD


async def test_asked_to_stop_it_finishes_and_exits(tmp_path: Path) -> None:
    async with open_town(tmp_path, pace=1.0, log_level="DEBUG") as town:
        asked = await town.imagine(town.channel(), count=2)
        await asked.acknowledged()
        assert await town.bot.terminate(within=20) == 0
        assert len((await asked.result(1)).files) == 2
        assert not asked.thinking
        log = town.bot.log
        assert "Dispatching event interaction" in log, "this is everything at DEBUG"
        assert [secret for secret in town.secrets() if secret in log] == []
