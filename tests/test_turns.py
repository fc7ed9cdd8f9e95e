"""Turns: a bound on what is done at once, which a slow one cannot turn into a jam."""

import asyncio

import pytest

from bot.imaging.turns import Turns


class Room:
    """Counts who is in it at once."""

    def __init__(self, at_once: int, patience_s: float) -> None:
        self._turns = Turns(at_once, patience_s=patience_s)
        self.now = self.most = 0

    async def visit(self, until: asyncio.Event | None = None) -> None:
        async with self._turns.one():
            self.now += 1
            self.most = max(self.most, self.now)
            await (until.wait() if until else asyncio.sleep(0.002))
            self.now -= 1


async def test_no_more_at_once_than_there_are_turns():
    room = Room(2, patience_s=30)
    await asyncio.gather(*(room.visit() for _ in range(10)))
    assert (room.now, room.most) == (0, 2)


async def test_a_line_that_moves_lets_nobody_past():
    # All in all, they wait for far longer than anybody would be patient.
    room = Room(2, patience_s=0.05)
    await asyncio.gather(*(room.visit() for _ in range(200)))
    assert room.most == 2


async def test_slow_ones_hold_nobody_up_for_long_and_the_others_still_take_turns():
    room, done = Room(2, patience_s=0.02), asyncio.Event()
    slow = [asyncio.create_task(room.visit(done)) for _ in range(2)]
    await asyncio.sleep(0)
    async with asyncio.timeout(5):
        await asyncio.gather(*(room.visit() for _ in range(20)))
    assert room.most == 3, "one beside the slow ones, and not all at once"
    done.set()
    await asyncio.gather(*slow)


async def test_once_the_slow_ones_are_gone_there_are_as_many_turns_as_before():
    room, done = Room(1, patience_s=0.02), asyncio.Event()
    slow = asyncio.create_task(room.visit(done))
    await asyncio.sleep(0)
    await room.visit()
    done.set()
    await slow
    room.most = 0
    await asyncio.gather(*(room.visit() for _ in range(10)))
    assert room.most == 1


async def test_nobody_is_counted_twice_over_who_waits_alone():
    room, done = Room(1, patience_s=0.005), asyncio.Event()
    slow = [asyncio.create_task(room.visit(done)) for _ in range(2)]
    await asyncio.sleep(0.1)
    assert room.now == 2, "the other one was let in, and no more than that"
    done.set()
    await asyncio.gather(*slow)
    room.most = 0
    await asyncio.gather(*(room.visit() for _ in range(10)))
    assert room.most == 1


async def test_a_turn_comes_back_from_who_fails_or_is_cancelled():
    turns = Turns(1, patience_s=30)
    with pytest.raises(ZeroDivisionError):
        async with turns.one():
            raise ZeroDivisionError
    async with turns.one():
        waiting = asyncio.create_task(turns.one().__aenter__())
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
    async with asyncio.timeout(1), turns.one():
        pass
