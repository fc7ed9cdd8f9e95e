"""Allowances under any order of events, beside a model that counts in plain Python."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select
from store_samples import MIDNIGHT

from bot.store import people
from bot.store.people import DAY_S, MINUTE_S, Limits, Usage
from bot.store.schema import people as table

#: Like a real clock, it never shows the same moment twice, not even when set back.
TICK_S = 1 / 1024


@dataclass(eq=False)
class Minute:
    start: float
    used: int = 0

    def covers(self, now):
        return now - MINUTE_S < self.start <= now + MINUTE_S


@dataclass(eq=False)
class Reservation:
    count: int
    minute: Minute


@dataclass
class Model:
    """One person's allowance as the sentences of the documentation tell it."""

    day: int
    minute: Minute
    used: int = 0
    open: list[Reservation] = field(default_factory=list)

    @classmethod
    def met(cls, now):
        """A person's first minute begins when they first ask, even if in vain."""
        return cls(day=int(now // DAY_S), minute=Minute(now))

    @property
    def reserved(self):
        return sum(each.count for each in self.open)

    def used_on(self, day):
        return 0 if day > self.day else self.used

    def used_in_minute(self, now):
        return self.minute.used if self.minute.covers(now) else 0

    def has_room(self, count, limits, now):
        return (
            self.used_on(now // DAY_S) + self.reserved + count <= limits.per_day
            and self.used_in_minute(now) + count <= limits.per_minute
            and len(self.open) + 1 <= limits.waiting
        )

    def reserve(self, count, now):
        self.used, self.day = self.used_on(now // DAY_S), max(self.day, int(now // DAY_S))
        if not self.minute.covers(now):
            self.minute = Minute(now)
        self.minute.used += count
        self.open.append(Reservation(count, self.minute))

    def end(self, reservation, used):
        self.open.remove(reservation)
        self.used += used
        reservation.minute.used -= reservation.count - used


LIMITS = st.builds(
    Limits,
    per_day=st.integers(1, 12),
    per_minute=st.integers(1, 8),
    waiting=st.integers(1, 4),
)


class Allowance(RuleBasedStateMachine):
    """Each example is a new person in the same database."""

    persons = iter(range(1, 10**9))

    def __init__(self, engine):
        super().__init__()
        self.engine = engine
        self.person = next(self.persons)
        self.set_to, self.ticks = MIDNIGHT - 90, 0
        self.limits = Limits(per_day=10, per_minute=6, waiting=3)
        self.reserved_under = self.limits
        self.model = Model.met(self.now)
        self.met = False

    @initialize(seconds=st.sampled_from([-90, 90, 1800]))
    def it_is_near_midnight(self, seconds):
        self.set_to = MIDNIGHT + seconds

    @property
    def now(self):
        return self.set_to + self.ticks * TICK_S

    def run(self, work, *args, **kwargs):
        with self.engine.begin() as connection:
            return work(connection, *args, **kwargs)

    def usage(self):
        return self.run(people.usage, self.person, self.now)

    @rule(count=st.integers(1, 4))
    def reserve(self, count):
        self.ticks += 1
        if not self.met:
            self.model, self.met = Model.met(self.now), True
        expected = self.model.has_room(count, self.limits, self.now)
        before = self.usage()
        minute = self.run(people.reserve, self.person, count, self.limits, self.now)
        assert (minute is not None) == expected, f"room for {count}: {expected}, in SQL: {minute}"
        if minute is None:
            assert self.usage() == before, "a refusal changed what is used"
            return
        self.model.reserve(count, self.now)
        self.reserved_under = self.limits
        assert minute == self.model.minute.start

    @precondition(lambda self: self.model.open)
    @rule(data=st.data())
    def deliver(self, data):
        reservation = data.draw(st.sampled_from(self.model.open))
        used = data.draw(st.integers(1, reservation.count))
        before = self.usage()
        self.end(reservation, used)
        unused = reservation.count - used
        if self.run(self.row).day >= self.now // DAY_S:
            assert self.usage().today == before.today - unused

    @precondition(lambda self: self.model.open)
    @rule(data=st.data())
    def fail(self, data):
        reservation = data.draw(st.sampled_from(self.model.open))
        before = self.usage()
        self.end(reservation, 0)
        after = self.usage()
        assert after.today == before.today - reservation.count
        assert after.waiting == before.waiting - 1
        if reservation.minute is self.model.minute and reservation.minute.covers(self.now):
            assert after.this_minute == before.this_minute - reservation.count

    def end(self, reservation, used):
        self.run(
            people.release,
            self.person,
            reserved=reservation.count,
            used=used,
            minute_start=reservation.minute.start,
        )
        self.model.end(reservation, used)

    @rule(seconds=st.sampled_from([1, 20, 59, 60, 61, 600, 3600]))
    def time_passes(self, seconds):
        self.set_to += seconds

    @rule(seconds=st.sampled_from([1, 59, 61, 3600]))
    def clock_is_set_back(self, seconds):
        self.ticks += 1
        self.set_to -= seconds

    @rule()
    def midnight_comes(self):
        self.set_to = (self.now // DAY_S + 1) * DAY_S

    @rule(limits=LIMITS)
    def limits_change(self, limits):
        self.limits = limits

    def row(self, connection):
        return connection.execute(select(table).where(table.c.id == self.person)).one_or_none()

    @invariant()
    def sql_and_model_agree(self):
        row = self.run(self.row)
        if row is None:
            return
        reserved, waiting = self.model.reserved, len(self.model.open)
        assert (row.day_reserved, row.waiting) == (reserved, waiting), "reserved, waiting"
        assert row.day_used + row.day_reserved <= self.reserved_under.per_day, "overrun"
        assert row.minute_used >= 0
        assert self.usage() == Usage(
            today=self.model.used_on(self.now // DAY_S) + reserved,
            this_minute=self.model.used_in_minute(self.now),
            minute_start=self.model.minute.start
            if self.model.minute.covers(self.now)
            else self.now,
            waiting=waiting,
            day_ends_at=(max(row.day, self.now // DAY_S) + 1) * DAY_S,
        )


def test_allowances_hold_in_any_order_of_events(engine):
    run_state_machine_as_test(
        lambda: Allowance(engine),
        settings=settings(max_examples=60, stateful_step_count=30, deadline=None),
    )
