"""Somebody sets the clock, an hour forward or back: no window opens twice, no lease is stolen."""

from __future__ import annotations

import time
from itertools import count
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from life_books import Books
from life_ports import Trouble, Weather
from life_world import CALLS, LEASE_S, LifeWorld
from world import KEY, settings_for

from bot import app
from bot.app import open_easel
from bot.demo.painter import Painter
from bot.errors import AllowanceSpent
from bot.imaging.request import COUNT_MAX
from bot.store.people import DAY_S, MINUTE_S, Limits
from bot.studio.circuit import Health
from bot.studio.order import Order

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from life_world import Process

HOUR_S = 3600
MIDNIGHT = 20_000.0 * DAY_S
NOON = MIDNIGHT + DAY_S / 2
#: Pictures a day, or a minute, where that is what matters.
MOST = 4
ROOMY = Limits(per_day=1000, per_minute=1000, waiting=100)
JUMPS = [HOUR_S, -HOUR_S]
_numbers = count(1)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LifeWorld]:
    with LifeWorld(tmp_path_factory.mktemp("clock"), ROOMY, begins_at=NOON) as opened:
        yield opened


@pytest.fixture
def world(shared: LifeWorld) -> Iterator[LifeWorld]:
    shared.limits = ROOMY
    shared.begin_anew()
    yield shared
    shared.bury_all()


def jump(world: LifeWorld, seconds: float) -> None:
    world.clock.set(world.clock() + seconds)


def ask(world: LifeWorld, process: Process, person: int = 1) -> bool:
    """Whether one more picture is accepted; it is begun then, and not yet painted."""
    place = world.place(next(_numbers), person)
    task = process.submit(Order("a red fox", count=1), place)
    if isinstance(task.exception(), AllowanceSpent):
        return False
    process.begin(task.result().generation)
    return True


def paint(world: LifeWorld) -> None:
    """Everything that is asked of the API is painted, and what waits behind it."""
    while world.api.waiting:
        for call in world.api.waiting:
            world.api.answer(call, COUNT_MAX)
        world.loop.settle()


def ends(world: LifeWorld) -> list[tuple[str, int]]:
    """How far each came, and how often it was begun."""
    books = Books(world.file)
    found = [(row["state"], row["attempt"]) for row in books.generations().values()]
    wrong = [*books.overspent(), *books.miscounted()]
    books.close()
    assert not wrong
    return found


# Windows


def use_up(world: LifeWorld, process: Process) -> int:
    """How many more pictures there are now."""
    accepted = 0
    while ask(world, process):
        accepted += 1
        paint(world)
    return accepted


def used_over(world: LifeWorld, begins: float, steps: list[float]) -> tuple[int, int, int]:
    """All that somebody gets; the days that they have seen, and minutes begun by the clock."""
    world.begin_anew()
    world.clock.set(begins)
    process = world.start()
    used, days, minutes = use_up(world, process), {begins // DAY_S}, 1
    for seconds in steps:
        if seconds in JUMPS:
            jump(world, seconds)
        else:
            world.loop.live(seconds)
        days.add(world.clock() // DAY_S)
        minutes += abs(seconds) > MINUTE_S
        used += use_up(world, process)
    world.bury_all()
    return used, len(days), minutes


STEPS = st.lists(st.sampled_from([*JUMPS, 61.0, 1.0]), max_size=6)


@settings(max_examples=15)
@given(steps=STEPS, begins=st.sampled_from([MIDNIGHT - 60, MIDNIGHT + 60]))
@example(steps=[-HOUR_S, HOUR_S], begins=MIDNIGHT + 60)
def test_no_day_opens_twice(shared: LifeWorld, steps: list[float], begins: float) -> None:
    shared.limits = Limits(per_day=MOST, per_minute=1000, waiting=100)
    used, days, _ = used_over(shared, begins, steps)
    assert used <= MOST * days, f"{used} on {days} days"


@settings(max_examples=15)
@given(steps=STEPS)
@example(steps=[-HOUR_S, HOUR_S])
def test_no_minute_opens_twice_unless_the_clock_says_that_it_is_over(
    shared: LifeWorld, steps: list[float]
) -> None:
    """That it can say after each jump: people wait for a minute, and not for an hour."""
    shared.limits = Limits(per_day=1000, per_minute=MOST, waiting=100)
    used, _, minutes = used_over(shared, NOON, steps)
    assert used <= MOST * minutes, f"{used} in {minutes} minutes"


# Leases


@pytest.mark.parametrize(
    ("phase_s", "seconds"),
    [
        (0, 0),
        (0, -HOUR_S),
        (7, 0),
        (7, -HOUR_S),
    ],
)
def test_nothing_is_taken_from_one_who_lives(
    world: LifeWorld, phase_s: float, seconds: float
) -> None:
    """However long it paints, and whenever another process looks for work."""
    world.start()
    world.loop.live(phase_s)
    painter = world.start()
    assert ask(world, painter)
    jump(world, seconds)
    world.loop.live(LEASE_S * 3)
    paint(world)
    assert ends(world) == [("delivered", 1)]
    assert len(world.discord.messages) == 1


def test_what_is_taken_from_one_who_lives_is_delivered_once(world: LifeWorld) -> None:
    """Forward, all leases are over at once; who looks before they are renewed takes it over."""
    world.start()
    painter = world.start()
    assert ask(world, painter)
    jump(world, HOUR_S)
    world.loop.live(LEASE_S)
    paint(world)
    assert ends(world) in ([("delivered", 1)], [("delivered", 2)])
    assert len(world.discord.messages) == 1


def test_one_alone_takes_nothing_from_itself(world: LifeWorld) -> None:
    assert ask(world, world.start())
    jump(world, HOUR_S)
    world.loop.live(LEASE_S)
    paint(world)
    assert ends(world) == [("delivered", 1)]


# Work

SOON_S = LEASE_S * 4


@pytest.mark.parametrize("seconds", JUMPS)
def test_what_waits_in_line_is_painted(world: LifeWorld, seconds: float) -> None:
    process = world.start()
    for person in range(1, CALLS + 4):
        assert ask(world, process, person)
    jump(world, seconds)
    paint(world)
    assert ends(world) == [("delivered", 1)] * (CALLS + 3)


@pytest.mark.parametrize(
    "seconds",
    [HOUR_S, -HOUR_S],
)
@pytest.mark.parametrize("steps", [2, 20], ids=["waiting", "painting"])
def test_what_the_dead_left_is_painted(world: LifeWorld, seconds: float, steps: int) -> None:
    process = world.start()
    process.gate.shut_after(steps)
    assert ask(world, process)
    process.gate.shut_after(0)
    jump(world, seconds)
    world.start()
    world.loop.live(SOON_S)
    paint(world)
    assert ends(world)[0][0] == "delivered"


@pytest.mark.parametrize(
    "seconds",
    [HOUR_S, -HOUR_S],
)
def test_what_was_put_off_is_delivered(world: LifeWorld, seconds: float) -> None:
    assert ask(world, world.start())
    world.discord.weather = Weather.AWAY
    paint(world)
    world.discord.weather = Weather.FINE
    jump(world, seconds)
    world.loop.live(SOON_S)
    assert ends(world) == [("delivered", 1)]


@pytest.mark.parametrize(
    "seconds",
    [HOUR_S, -HOUR_S],
)
def test_who_is_to_be_told_is_told(world: LifeWorld, seconds: float) -> None:
    assert ask(world, world.start())
    world.discord.weather = Weather.AWAY
    [call] = world.api.waiting
    world.api.answer(call, Trouble.CONTENT)
    world.loop.settle()
    world.discord.weather = Weather.FINE
    jump(world, seconds)
    world.loop.live(SOON_S)
    assert len(world.discord.told) == 1


# The circuit


class Settable:
    """What `time` is to a module, with a clock that can be set."""

    monotonic = staticmethod(time.monotonic)

    def __init__(self) -> None:
        self.ahead = 0.0

    def time(self) -> float:
        return time.time() + self.ahead


async def test_the_painter_is_not_out_of_order_for_an_hour(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Settable()
    monkeypatch.setattr(app, "time", clock)
    async with (
        Painter(api_key=KEY) as painter,
        open_easel(settings_for(tmp_path, painter.url)) as easel,
    ):
        circuit = easel.studio.intake._circuit
        while circuit.health is Health.WORKS:
            circuit.failed()
        rests_for_s = circuit.rest_s
        clock.ahead = -HOUR_S
        assert circuit.rest_s <= rests_for_s
