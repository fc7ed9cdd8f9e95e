"""The steps of a generation's life, with what does not matter filled in."""

from __future__ import annotations

from sqlalchemy import select
from store_samples import NOON, PERSON, ROOMY, finished, new_generation

from bot.store import generations, people
from bot.store.generations import Accepted, Lease
from bot.store.schema import State, Way, ledger


class Steps:
    """Taken in the transaction of one connection."""

    def __init__(self, connection):
        self.connection = connection

    def accept(self, number, limits=ROOMY, **changed):
        return generations.accept(self.connection, new_generation(number, **changed), limits, NOON)

    def waiting(self, number, **changed):
        accepted = self.accept(number, **changed)
        assert isinstance(accepted, Accepted)
        return accepted.row.id

    def claim(self, id_, holder="ann"):
        return generations.claim(self.connection, id_, holder, NOON + 60, NOON + 1)

    def painting(self, number, **changed):
        id_ = self.waiting(number, **changed)
        row = self.claim(id_)
        return id_, Lease(row.holder, row.attempt)

    def keep(self, id_, lease, count=4, **changed):
        values = {"model": "m", "steps": 4, "price": 4000, "notes": ["a note"], "way": Way.CHANNEL}
        values |= {"now": NOON + 2} | changed
        return generations.keep(self.connection, id_, lease, finished(id_, count), **values)

    def painted(self, number, count=4, **changed):
        id_, lease = self.painting(number, **changed)
        assert self.keep(id_, lease, count) is not None
        return id_

    def deliver(self, id_):
        return generations.deliver(self.connection, id_, 99, NOON + 3)

    def fail(self, id_, found=State.WAITING, becomes=State.FAILED, lease=None):
        return generations.fail(
            self.connection,
            id_,
            found=found,
            becomes=becomes,
            sentence="That did not work.",
            lease=lease,
            now=NOON + 3,
        )

    def get(self, id_):
        return generations.get(self.connection, id_)

    def usage(self):
        return people.usage(self.connection, PERSON, NOON)

    def ledger(self):
        rows = self.connection.execute(select(ledger).order_by(ledger.c.number))
        return [(row.generation_id, row.entry, row.pictures, row.price) for row in rows]
