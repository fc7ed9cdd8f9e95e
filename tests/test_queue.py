"""The line as people meet it: their place, how busy it is, and the way out."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import update

from bot.crowd import Crowd
from bot.demo.faults import Kind
from bot.errors import Busy, OwnerNeeded, StoreUnavailable
from bot.store.schema import generations
from bot.studio.announcer import Announcer
from bot.studio.circuit import TROUBLE, Circuit, Health
from bot.studio.line import Standing, Tempo
from bot.views.waiting import _place

if TYPE_CHECKING:
    from world import Log, World


class Clock:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
async def waiting(world: World) -> World:
    """ann has two requests in line, and nothing moves."""
    circuit = world.client.studio.intake._circuit
    world.client.studio._work._room = lambda: 0
    for prompt in ("a red fox", "a small boat"):
        await world.imagine(prompt=prompt, count=1)
    assert circuit.health is Health.WORKS
    return world


async def test_queue_shows_ones_place_and_the_server(waiting: World) -> None:
    answer = await waiting.ann.slash(waiting.channel, "queue")
    assert answer.ephemeral
    assert "`a red fox` is next in line" in answer.response.content
    assert "`a small boat` is number 2 in line" in answer.response.content
    assert "**In this server:** 2 waiting, 0 being painted." in answer.response.content
    answer = await waiting.bob.slash(waiting.channel, "queue")
    assert "You have nothing in the line." in answer.response.content


async def test_cancel_takes_all_out_of_the_line_and_returns_the_allowance(waiting: World) -> None:
    answer = await waiting.ann.slash(waiting.channel, "cancel")
    assert answer.ephemeral
    assert "Cancelled 2 requests" in (answer.response or answer.followups[-1]).content
    usage = await waiting.usage(waiting.ann)
    assert (usage.day_reserved, usage.waiting, usage.minute_used) == (0, 0, 0)
    assert [row.state for row in await waiting.generations()] == ["cancelled", "cancelled"]
    assert waiting.channel.history() == [], "the waiting messages are taken away"


async def test_a_waiting_message_goes_once_discord_lets_it(waiting: World) -> None:
    waiting.env.inject_error("DELETE", "/webhooks/*/messages/@original", status=503, times=None)
    await waiting.ann.slash(waiting.channel, "cancel")
    await waiting.env.advance_time(60)
    assert len(waiting.channel.history()) == 2
    waiting.env.backend.faults.clear()
    soon = update(generations).where(generations.c.tell_at.is_not(None)).values(tell_at=0)
    await waiting.client._database.write(lambda connection: connection.execute(soon))
    await waiting.env.advance_time(30)
    assert waiting.channel.history() == []


async def test_cancel_of_one(waiting: World) -> None:
    first, second = await waiting.generations()
    await waiting.ann.slash(waiting.channel, "cancel", request=second.id)
    assert [row.state for row in await waiting.generations()] == ["waiting", "cancelled"]
    refused = await waiting.bob.slash(waiting.channel, "cancel", request=first.id)
    assert "can cancel it" in (refused.response or refused.followups[-1]).content


async def test_after_a_while_the_waiting_message_tells_the_place_and_the_way_out(
    waiting: World,
) -> None:
    await waiting.env.advance_time(6)
    first, second = waiting.channel.history()
    assert "`a red fox` is next in line" in first.content
    assert "`a small boat` is number 2 in line" in second.content
    pressed = await waiting.bob.click(second, label="Cancel")
    refused = pressed.response or pressed.followups[-1]
    assert "can cancel it" in refused.content, "it is not his"
    pressed = await waiting.ann.click(second, label="Cancel")
    assert (pressed.response or pressed.followups[-1]).ephemeral
    assert [row.state for row in await waiting.generations()] == ["waiting", "cancelled"]


async def test_whoever_is_in_line_reads_that_it_halts_and_that_it_goes_on(
    waiting: World,
) -> None:
    await waiting.env.advance_time(6)
    assert "is next in line" in waiting.channel.history()[0].content
    circuit = waiting.client.studio.intake._circuit
    while circuit.health is Health.WORKS:
        circuit.failed()
    await waiting.env.advance_time(6)
    told = waiting.channel.history()[0].content
    assert "next in line" not in told
    assert "you keep your place" in told
    answer = await waiting.ann.slash(waiting.channel, "queue")
    assert "number 2 in line. The image service is having trouble" in answer.response.content
    circuit.succeeded()
    await waiting.env.advance_time(6)
    assert "is next in line" in waiting.channel.history()[0].content


async def test_too_late_to_cancel(world: World) -> None:
    await world.imagine(count=1)
    [row] = await world.generations()
    refused = await world.ann.slash(world.channel, "cancel", request=row.id)
    assert "Nothing of yours is waiting" in (refused.response or refused.followups[-1]).content


async def test_after_long_trouble_people_read_it_at_once_and_it_ends_by_itself(
    world: World,
) -> None:
    clock = Clock()
    circuit = world.client.studio.intake._circuit
    circuit._clock = clock
    world.painter.faults.next(Kind.TIMEOUT_524, times=3)
    for _ in range(3):
        await world.imagine(count=1)
    refused = await world.imagine(count=1)
    assert refused.ephemeral
    assert "out of order" in refused.response.content
    assert len(await world.generations()) == 3, "and it is not even written down"
    clock.now += 16
    await world.imagine(count=1)
    assert len(world.results()) == 1
    assert circuit.health is Health.WORKS


def test_a_circuit_rests_longer_each_time_and_success_closes_it() -> None:
    clock = Clock()
    circuit = Circuit(clock)
    assert [circuit.failed() for _ in range(3)] == [False, False, True]
    rests = []
    for _ in range(5):
        rests.append(circuit.rest_s)
        assert circuit.health is Health.RESTS
        clock.now += circuit.rest_s
        assert circuit.health is Health.MAY_BE_TRIED
        assert not circuit.failed(), "it is no news that it is open"
    assert rests == [15, 30, 60, 120, 120]
    clock.now += 120
    assert circuit.succeeded()
    assert circuit.health is Health.WORKS
    assert not circuit.failed(), "it takes trouble in a row to open it"


def test_what_was_under_way_together_is_one_failure() -> None:
    clock = Clock()
    circuit = Circuit(clock)
    asked_at = circuit.now()
    clock.now += 1
    assert [circuit.failed(asked_at) for _ in range(8)].count(True) == 1
    assert circuit.rest_s == 15
    clock.now += 16
    probed_at = circuit.now()
    circuit.failed(asked_at)
    assert circuit.health is Health.MAY_BE_TRIED, "what hung for longer tells of the same time"
    circuit.failed(probed_at)
    assert circuit.rest_s == 30


def test_what_is_one_request_s_own_fault_does_not_open_it() -> None:
    assert isinstance(Busy(""), TROUBLE)
    assert not isinstance(OwnerNeeded(""), TROUBLE)


def test_a_crowded_channel_is_known_before_anybody_waits() -> None:
    clock = Clock()
    crowd = Crowd(clock)
    for _ in range(5):
        assert crowd.wait_s(1) == 0
        crowd.book(1)
    assert crowd.wait_s(1) == 5
    assert crowd.wait_s(2) == 0, "each channel has a limit of its own"
    clock.now += 3
    assert crowd.wait_s(1) == 2
    crowd.book(1)
    clock.now += 2
    assert crowd.wait_s(1) == 0, "the four of the first second are over"


async def test_in_a_crowded_channel_results_come_through_the_command_itself(world: World) -> None:
    for number in range(7):
        await world.imagine(world.bob, prompt=f"number {number}", count=1)
    ways = [row.way for row in await world.generations()]
    assert ways[:5] == ["channel"] * 5
    assert set(ways[5:]) <= {"response", "channel"}
    assert len(world.results()) == 7


def test_an_honest_guess_of_the_wait() -> None:
    tempo = Tempo()
    assert tempo.standing(3, 2) == Standing(3, None), "nothing was painted yet"
    tempo.took(10)
    assert tempo.standing(1, 2).wait_s == 10
    assert tempo.standing(3, 2).wait_s == 20
    for _ in range(50):
        tempo.took(20)
    assert tempo.standing(1, 2).wait_s == pytest.approx(20, abs=0.1)


@pytest.mark.parametrize(
    ("standing", "words"),
    [
        (Standing(1, None), "next in line"),
        (Standing(2, 3), "number 2 in line, about 5 seconds"),
        (Standing(7, 41), "number 7 in line, about 45 seconds"),
        (Standing(40, 61), "number 40 in line, about 2 minutes"),
    ],
)
def test_a_place_in_words(standing: Standing, words: str) -> None:
    assert _place(standing) == words


class Told:
    """A delivery that remembers who was told what, and when; of `broken`, it cannot tell."""

    def __init__(self, broken: str = "") -> None:
        self.broken = broken
        self.words: list[tuple[str, int]] = []
        self.slow = asyncio.Event()
        self.slow.set()
        self.asked = asyncio.Event()

    async def tell_standing(self, generation: Any, standing: Standing) -> None:
        self.asked.set()
        await self.slow.wait()
        if generation.id == self.broken:
            raise ZeroDivisionError
        self.words.append((generation.id, standing.place))


async def nobody_left() -> None:
    """Whoever is watched still waits."""


async def test_words_about_the_line_are_few() -> None:
    told, naps, places = Told(), [], {str(n): n for n in range(1, 21)}

    async def sleep(seconds: float) -> None:
        naps.append(seconds)
        for key in places:
            places[key] += 1  # so that there is always news
        if len(naps) == 40:
            for key in list(places):
                await announcer.settle(key)

    announcer = Announcer(sleep=sleep)
    announcer.connect(told, lambda key: Standing(places[key], None), nobody_left)  # type: ignore[arg-type]
    for key in places:
        announcer.watch(SimpleNamespace(id=key))  # type: ignore[arg-type]
    await asyncio.wait_for(announcer._rounds, 5)  # type: ignore[arg-type]
    assert set(naps) == {5.0}, "no message changes more often than once in 5 s"
    assert len(told.words) <= 20 * 6, "and each a few times in all"
    assert {key for key, _ in told.words} == set(places), "and nobody is forgotten"


async def test_a_word_that_breaks_ends_no_other(log: Log) -> None:
    told, naps, places = Told(broken="b"), [], {"a": 1, "b": 2, "c": 3}

    async def sleep(seconds: float) -> None:
        naps.append(seconds)
        for key in places:
            places[key] += 1
        if len(naps) == 4:
            for key in places:
                await announcer.settle(key)

    announcer = Announcer(sleep=sleep)
    announcer.connect(told, lambda key: Standing(places[key], None), nobody_left)  # type: ignore[arg-type]
    for key in places:
        announcer.watch(SimpleNamespace(id=key))  # type: ignore[arg-type]
    await asyncio.wait_for(announcer._rounds, 5)  # type: ignore[arg-type]
    assert [key for key, _ in told.words] == ["a", "c"] * 3
    assert {line["id"] for line in log.lines if line["event"] == "announcer.failed"} == {"b"}


async def test_a_round_that_breaks_is_not_the_last(log: Log) -> None:
    told, troubles = Told(), iter([StoreUnavailable("locked"), ZeroDivisionError()])

    async def let_go() -> None:
        if trouble := next(troubles, None):
            raise trouble

    announcer = Announcer(sleep=lambda _: asyncio.sleep(0))
    announcer.connect(told, lambda _: Standing(1, None), let_go)  # type: ignore[arg-type]
    announcer.watch(SimpleNamespace(id="a"))  # type: ignore[arg-type]
    await asyncio.wait_for(told.asked.wait(), 5)
    await announcer.close()
    assert told.words == [("a", 1)]
    assert len([line for line in log.lines if line["event"] == "announcer.failed"]) == 2


async def test_a_word_on_its_way_never_takes_the_place_of_the_result() -> None:
    told = Told()
    told.slow.clear()
    announcer = Announcer(sleep=lambda _: asyncio.sleep(0))
    announcer.connect(told, lambda _: Standing(1, None), nobody_left)  # type: ignore[arg-type]
    announcer.watch(SimpleNamespace(id="a"))  # type: ignore[arg-type]
    await told.asked.wait()
    settling = asyncio.create_task(announcer.settle("a"))
    await asyncio.sleep(0.01)
    assert not settling.done(), "painting waits for the word"
    told.slow.set()
    await settling
    assert told.words == [("a", 1)]
    await announcer.close()
