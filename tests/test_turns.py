"""Turns: a bound on what is done at once, which slow ones cannot turn into a jam."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from life_loop import Clock, Loop

from bot.imaging.turns import Turns

if TYPE_CHECKING:
    from collections.abc import Iterator

PATIENCE_S = 1.0


@pytest.fixture
def loop() -> Iterator[Loop]:
    loop = Loop(Clock(0.0))
    yield loop
    left = asyncio.all_tasks(loop)
    loop.close()
    assert not left, f"they still wait: {left}"


class Room:
    """Counts who is in it at once, and writes down who was."""

    def __init__(self, loop: Loop, at_once: int) -> None:
        self._loop, self.turns = loop, Turns(at_once, patience_s=PATIENCE_S)
        self.now = self.most = 0
        self.came: list[str] = []

    def visit(self, for_s: float, of: str = "ann") -> asyncio.Task[None]:
        task = self._loop.create_task(self._visit(for_s, of))
        self._loop.settle()
        return task

    async def _visit(self, for_s: float, of: str) -> None:
        async with self.turns.one(of):
            self.came.append(of)
            self.now += 1
            self.most = max(self.most, self.now)
            try:
                await asyncio.sleep(for_s)
            finally:
                self.now -= 1


def test_no_more_at_once_than_there_are_turns(loop: Loop) -> None:
    room = Room(loop, 2)
    for _ in range(10):
        room.visit(0.5)
    loop.live(2.6)
    assert (room.now, room.most, len(room.came)) == (0, 2, 10)


def test_a_line_that_moves_lets_nobody_past(loop: Loop) -> None:
    room = Room(loop, 2)
    for _ in range(100):
        room.visit(0.5)
    loop.live(26)
    assert (room.now, room.most) == (0, 2), "they waited for long, but never in vain"


def test_slow_ones_hold_nobody_up_for_long_and_the_others_still_take_turns(loop: Loop) -> None:
    room = Room(loop, 2)
    for _ in range(2):
        room.visit(60)
    for _ in range(20):
        room.visit(0.5)
    loop.live(PATIENCE_S + 10.1)
    assert (len(room.came), room.most) == (22, 3), "one beside the slow ones, and not all at once"
    loop.live(60)


def test_once_the_slow_ones_are_gone_there_are_as_many_turns_as_before(loop: Loop) -> None:
    room = Room(loop, 1)
    for _ in range(20):
        room.visit(60)
    loop.live(30)
    assert room.now == 20, "each was let in in the end"
    loop.live(60)
    room.most = 0
    for _ in range(30):
        room.visit(0.5)
    loop.live(16)
    assert (room.now, room.most) == (0, 1)


def test_nobody_is_let_in_beyond_who_has_not_waited(loop: Loop) -> None:
    room = Room(loop, 1)
    for _ in range(2):
        room.visit(60)
    loop.live(PATIENCE_S + 0.1)
    assert room.now == 2
    room.visit(60)
    loop.live(PATIENCE_S - 0.2)
    assert room.now == 2, "the one that was let in beyond has left no room behind"
    loop.live(0.3)
    assert room.now == 3
    loop.live(70)


def test_whoever_has_the_fewest_turns_is_next(loop: Loop) -> None:
    room = Room(loop, 2)
    for of in ("ann",) * 6 + ("bob", "cleo"):
        room.visit(0.5, of)
    loop.live(3)
    assert room.came[2] == "bob", "one with many stood before others"
    assert room.came[4] == "cleo"


def test_a_turn_comes_back_from_who_fails_or_is_cancelled(loop: Loop) -> None:
    room = Room(loop, 1)

    async def fail() -> None:
        async with room.turns.one():
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        loop.run_until_complete(fail())
    for task in (room.visit(60), room.visit(60)):
        task.cancel()
        loop.settle()
    room.visit(0.5)
    assert room.now == 1
    loop.live(1)


@pytest.mark.parametrize("first", ["the waiter", "its turn"])
def test_a_turn_that_comes_to_one_who_is_being_cancelled_is_not_lost(
    loop: Loop, first: str
) -> None:
    room = Room(loop, 1)
    inside, waiting = room.visit(60), room.visit(60)

    async def both() -> None:
        for task in (waiting, inside) if first == "the waiter" else (inside, waiting):
            task.cancel()
            if first == "its turn":
                await asyncio.sleep(0)

    loop.run_until_complete(both())
    loop.settle()
    room.visit(0.5)
    assert room.now == 1
    loop.live(1)
