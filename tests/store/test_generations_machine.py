"""Generations under any order of steps, right ones and wrong ones: G1 to G6 of the promises."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import count

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select
from store_samples import CANARY, NOON, finished, new_generation

from bot.store import generations
from bot.store.generations import Accepted, Lease, OverLimit, Replayed
from bot.store.people import Limits
from bot.store.schema import OPEN_STATES, Entry, State, Way, ledger, people, pictures
from bot.store.schema import generations as table

LIMITS = Limits(per_day=14, per_minute=1000, waiting=4)
ENDS_WITHOUT = (State.FAILED, State.REFUSED, State.CANCELLED)


@dataclass(eq=False)
class Told:
    """What the model knows of a generation."""

    number: int
    person: int
    wanted: int
    state: State = State.WAITING
    lease: Lease | None = None
    attempts: int = 0
    made: int = 0

    @property
    def id(self):
        return new_generation(self.number).id


class Lives(RuleBasedStateMachine):
    """Each example has two new people in the same database."""

    numbers = count(1)
    told = Bundle("told")

    def __init__(self, engine):
        super().__init__()
        self.engine = engine
        self.people = (next(self.numbers), next(self.numbers))
        self.all = []

    def run(self, step, *args, **kwargs):
        with self.engine.begin() as connection:
            return step(connection, *args, **kwargs)

    def open_of(self, person):
        return [each for each in self.all if each.person == person and each.state.open]

    def delivered_to(self, person):
        return sum(
            each.made
            for each in self.all
            if each.person == person and each.state is State.DELIVERED
        )

    @rule(target=told, who=st.integers(0, 1), wanted=st.integers(1, 4), server=st.booleans())
    def accept(self, who, wanted, server):
        told = Told(next(self.numbers), self.people[who], wanted)
        place = {} if server else {"server_id": None}
        new = new_generation(told.number, person_id=told.person, wanted=wanted, **place)
        waiting = self.open_of(told.person)
        taken = self.delivered_to(told.person) + sum(each.wanted for each in waiting)
        fits = taken + wanted <= LIMITS.per_day and len(waiting) < LIMITS.waiting
        answer = self.run(generations.accept, new, LIMITS, NOON)
        assert isinstance(answer, Accepted if fits else OverLimit), f"{taken} taken: {answer}"
        if not fits:
            told.state = State.REFUSED
            return told
        self.all.append(told)
        return told

    @rule(told=told, who=st.integers(0, 1), wanted=st.integers(1, 4))
    def replay(self, told, who, wanted):
        if told not in self.all:
            return
        again = new_generation(
            told.number, id=f"again{next(self.numbers)}", person_id=self.people[who], wanted=wanted
        )
        answer = self.run(generations.accept, again, LIMITS, NOON)
        assert isinstance(answer, Replayed)
        assert (answer.row.id, answer.row.state) == (told.id, told.state)

    @rule(told=told, holder=st.sampled_from(["ann", "bob"]))
    def claim(self, told, holder):
        row = self.run(generations.claim, told.id, holder, NOON + 60, NOON)
        free = told in self.all and told.state is State.WAITING
        assert (row is not None) == free, f"claimed from {told.state}"
        if free:
            told.attempts += 1
            told.state, told.lease = State.PAINTING, Lease(holder, told.attempts)
            assert row.attempt == told.attempts

    @rule(
        told=told,
        holder=st.sampled_from(["ann", "bob"]),
        attempt=st.sampled_from([1, 1, 1, 0, 2]),
        made=st.integers(1, 4),
    )
    def keep(self, told, holder, attempt, made):
        lease, made = Lease(holder, attempt), min(made, told.wanted)
        row = self.run(
            generations.keep,
            told.id,
            lease,
            finished(told.id, made),
            model="m",
            steps=4,
            price=made * 1000,
            notes=(),
            way=Way.CHANNEL,
            now=NOON,
        )
        holds = told.state is State.PAINTING and told.lease == lease
        assert (row is not None) == holds, f"{lease} kept what {told.lease} holds, {told.state}"
        if holds:
            told.state, told.made = State.PAINTED, made

    @rule(
        told=told,
        found=st.sampled_from([State.WAITING, State.PAINTING, State.PAINTED]),
        becomes=st.sampled_from(ENDS_WITHOUT),
        lease=st.none() | st.builds(Lease, st.sampled_from(["ann", "bob"]), st.integers(0, 2)),
    )
    def fail(self, told, found, becomes, lease):
        row = self.run(
            generations.fail,
            told.id,
            found=found,
            becomes=becomes,
            sentence="That did not work.",
            lease=lease,
            now=NOON,
        )
        holds = lease is None or told.lease == lease
        ends = told in self.all and told.state is found and holds
        assert (row is not None) == ends, f"{lease} failed what {told.lease} holds, {told.state}"
        if ends:
            told.state, told.lease = becomes, None

    @rule(told=told)
    def deliver(self, told):
        row = self.run(generations.deliver, told.id, 99, NOON)
        assert (row is not None) == (told.state is State.PAINTED), f"from {told.state}"
        if row is not None:
            told.state, told.lease = State.DELIVERED, None

    @rule(told=consumes(told))
    def forget(self, told):
        """So that long examples do not only stir what has ended."""

    def rows(self, connection, of):
        column = of.c.id if of is people else of.c.person_id
        return connection.execute(select(of).where(column.in_(self.people))).all()

    @invariant()
    def one_row_for_each_interaction(self):
        rows = {row.id: row for row in self.run(self.rows, table)}
        assert sorted(rows) == sorted(told.id for told in self.all)
        for told in self.all:
            row = rows[told.id]
            assert (row.state, row.attempt) == (told.state, told.attempts)
            held = None if row.holder is None else Lease(row.holder, row.attempt)
            assert held == told.lease
            token = CANARY if row.state in OPEN_STATES else None
            assert row.interaction_token == token, f"the token of one that is {row.state}"

    @invariant()
    def allowances_are_what_is_open_and_what_was_delivered(self):
        for row in self.run(self.rows, people):
            waiting = self.open_of(row.id)
            assert row.waiting == len(waiting)
            assert row.day_reserved == sum(each.wanted for each in waiting)
            assert row.day_used == self.delivered_to(row.id)
            assert row.day_used + row.day_reserved <= LIMITS.per_day
            assert row.minute_used == row.day_used + row.day_reserved

    @invariant()
    def the_ledger_has_a_beginning_and_an_end_for_each(self):
        entries = self.run(self.rows, ledger)
        counted = Counter((row.generation_id, row.entry) for row in entries)
        expected = Counter()
        for told in self.all:
            expected[told.id, Entry.RESERVE] = 1
            if told.state is State.DELIVERED:
                expected[told.id, Entry.SETTLE] = 1
            elif not told.state.open:
                expected[told.id, Entry.REFUND] = 1
        assert counted == expected
        for person in self.people:
            settled = [e for e in entries if e.person_id == person and e.entry == Entry.SETTLE]
            assert sum(entry.pictures for entry in settled) == self.delivered_to(person)
            assert sum(entry.price for entry in settled) == 1000 * self.delivered_to(person)

    @invariant()
    def pictures_are_those_that_were_kept(self):
        with self.engine.connect() as connection:
            ids = [told.id for told in self.all]
            found = connection.execute(
                select(pictures.c.generation_id).where(pictures.c.generation_id.in_(ids))
            )
            assert Counter(found.scalars()) == +Counter({t.id: t.made for t in self.all})


def test_lives_hold_in_any_order_of_steps(engine):
    run_state_machine_as_test(
        lambda: Lives(engine),
        settings=settings(max_examples=30, stateful_step_count=40, deadline=None),
    )
