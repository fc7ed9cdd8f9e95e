"""Leases, by whose clock they are measured."""

from __future__ import annotations

import asyncio

from store_samples import NOON, ROOMY, new_generation

from bot.store import generations, leases
from bot.store.database import Database


async def test_a_sweep_reads_the_clock_when_its_turn_to_write_has_come(url):
    now = NOON

    def a_hundred_seconds_of_standing_still(connection):
        nonlocal now
        now += 100
        leases.renew(connection, "ann", [id_], now + 60)

    async with Database.open(url) as database:
        id_ = (await database.write(generations.accept, new_generation(1), ROOMY, NOON)).row.id
        await database.write(generations.claim, id_, "ann", NOON + 60, NOON)
        await asyncio.gather(
            database.write(a_hundred_seconds_of_standing_still),
            database.write(leases.sweep, "bob", 60.0, lambda: now),
        )
        row = await database.read(generations.get, id_)
    assert (row.holder, row.lease_until) == ("ann", NOON + 160), "a living holder lost its lease"
