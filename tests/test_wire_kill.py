"""kill -9, at every step and at any moment, every event told twice: nothing is lost or doubled."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio
from wire.books import RULES
from wire.powercut import LABELS, PAID_TWICE, PowerCuts, at_every_step, at_random, switch
from wire.town import open_town

if TYPE_CHECKING:
    from wire.launch import Bot
    from wire.powercut import Report


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def runs(tmp_path_factory: pytest.TempPathFactory) -> list[Report]:
    """Side by side: most of their time, one processor starts a bot and the other is idle."""
    return await asyncio.gather(
        at_every_step(tmp_path_factory.mktemp("steps")),
        at_random(tmp_path_factory.mktemp("moments"), kills=4, seed=1),
    )


@pytest.fixture(scope="module")
def steps(runs: list[Report]) -> Report:
    return runs[0]


@pytest.fixture(scope="module")
def moments(runs: list[Report]) -> Report:
    return runs[1]


@pytest.mark.parametrize("rule", RULES)
def test_a_kill_at_any_step_breaks_no_rule(steps: Report, rule: str) -> None:
    assert steps.books.breaches[rule] == []


def test_every_step_was_reached_and_every_end(steps: Report) -> None:
    assert steps.kills == len(LABELS)
    assert set(steps.books.ends) == {"delivered", "failed", "refused", "cancelled"}


def test_what_is_on_the_disk_is_paid_for_once(steps: Report) -> None:
    paid_twice = {label: calls for (label, _), calls in steps.wasted.items() if calls}
    assert paid_twice == dict.fromkeys(PAID_TWICE, 1)


def test_who_got_no_picture_is_told_why(steps: Report) -> None:
    assert steps.books.silent == []


def test_what_is_charged_is_seen(steps: Report) -> None:
    assert steps.books.unseen == []


@pytest.mark.parametrize("rule", RULES)
def test_a_kill_at_any_moment_breaks_no_rule(moments: Report, rule: str) -> None:
    assert moments.books.breaches[rule] == []


def test_work_went_on_between_the_kills(moments: Report) -> None:
    assert moments.books.ends["delivered"] > moments.kills


async def test_who_slept_past_the_lease_changes_nothing(tmp_path: Path) -> None:
    """One bot stands still over two paintings, and a second one takes them over meanwhile."""
    async with open_town(tmp_path, **switch(tmp_path)) as town:
        cuts = PowerCuts(town)
        cuts.order_signal("claimed", 2, "SIGSTOP")
        # Not told twice: who stands still in a transaction would lock all others out.
        asked = [await town.imagine(town.channel()) for _ in range(2)]
        cuts.asked += asked
        await town.until(lambda: stands_still(town.bot), "a standstill")
        town.let_leases_end()
        await cuts.order_fault("slow", times=2, seconds=1.0)
        await cuts.order_fault("no_data")
        async with town.second_bot():
            await both_are_with_the_second(cuts)
            town.bot.process.send_signal(signal.SIGCONT)
            assert [await town.ended(one) for one in asked] == ["delivered", "delivered"]
            await town.until(lambda: town.bot.log.count("lease_lost") == 2, "two lost leases")
            # From now on both are told of everything.
            for one in [await cuts.ask() for _ in range(4)]:
                await one.result()
                await town.ended(one)
            assert town.bot.log.count("interaction.replayed") >= 4
            books = (await cuts.report()).books
    assert not any(books.breaches.values()), books.breaches


def stands_still(bot: Bot) -> bool:
    state = Path(f"/proc/{bot.process.pid}/stat").read_text().rpartition(")")[2].split()[0]
    return state == "T"


async def both_are_with_the_second(cuts: PowerCuts) -> None:
    async with asyncio.timeout(10):
        while await cuts.painter("faults_waiting") > 1:  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.02)
