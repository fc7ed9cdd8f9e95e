"""Turns: a bound on what is done at once, which a slow one cannot turn into a jam."""

import asyncio

import pytest

from bot.imaging.turns import Turns


async def test_no_more_at_once_than_there_are_turns():
    turns, now, most = Turns(2, wait_s=30), 0, 0

    async def work():
        nonlocal now, most
        async with turns.one():
            now += 1
            most = max(most, now)
            await asyncio.sleep(0.001)
            now -= 1

    await asyncio.gather(*(work() for _ in range(10)))
    assert (now, most) == (0, 2)


async def test_a_slow_one_holds_nobody_up_for_long():
    turns, never = Turns(1, wait_s=0.01), asyncio.Event()

    async def slow():
        async with turns.one():
            await never.wait()

    holding = asyncio.create_task(slow())
    await asyncio.sleep(0)
    async with asyncio.timeout(5), turns.one():
        pass
    holding.cancel()
    await asyncio.gather(holding, return_exceptions=True)
    # Who went ahead without a turn gave none back: there is still one, and no second.
    async with turns.one():
        assert not await turns._has_come()


async def test_a_turn_comes_back_from_who_fails_or_is_cancelled():
    turns = Turns(1, wait_s=5)
    with pytest.raises(ZeroDivisionError):
        async with turns.one():
            raise ZeroDivisionError
    async with turns.one():
        waiting = asyncio.create_task(turns._has_come())
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
    assert await turns._has_come(), "it was lost"
