"""Whole lives under any order of events, crashes and comebacks included: G1 to G6."""

from __future__ import annotations

from enum import Enum
from itertools import count
from typing import TYPE_CHECKING, Any

import structlog
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
from life_books import ENDS_TOLD, Books
from life_ports import NONCE_S, Trouble, Weather
from life_world import LEASE_S, LifeWorld
from structlog.testing import capture_logs

from bot.errors import AllowanceSpent
from bot.imaging.request import COUNT_MAX
from bot.store.people import DAY_S, Limits
from bot.studio.circuit import PainterOut
from bot.studio.order import Order
from bot.studio.studio import TooLate

if TYPE_CHECKING:
    from pathlib import Path

    from life_ports import Call
    from life_world import Process

LIMITS = Limits(per_day=12, per_minute=1000, waiting=3)
#: Late enough that a long example sees midnight.
EVENING = 20_000.0 * DAY_S + 23 * 3600
PROCESSES_MAX, AT_ONCE_MAX = 8, 2
GRACE_S = 20
#: Of a third of a lease each: long before, everything has come to rest.
ROUNDS_MAX = 60

#: Of what has ended without a picture, until its asker has been told.
WHEN_TOLD = {"tell_at", "interaction_token"}

WHICH = st.integers(0, 100)
#: So many pictures at most, or trouble.
Comes = int | Trouble
COMES = st.sampled_from([1, 2, COUNT_MAX, *Trouble])
WEATHER = st.sampled_from([Weather.FINE, Weather.AWAY, Weather.DEAF, Weather.SHUT])


class Answer(Enum):
    """What its asker sees of an order that was accepted."""

    SHOWN = "that it is thought about"
    SHOWN_ALONE = "the same; and then the bot forgets of it"
    LOST = "nothing"


class End(Enum):
    """What becomes of a process."""

    STOPPED = "it is asked to, and has the time to do so"
    DEAD = "it may come back one day"
    TAKEN_OVER = "it is dead, and another starts when its leases are over"
    HUNG = "it is taken over, and comes back"


class Lives(RuleBasedStateMachine):
    """With every rule one thing happens, and then all goes on as far as it can."""

    def __init__(self, world: LifeWorld, log: list[Any]) -> None:
        super().__init__()
        self.world, self.log = world, log
        log.clear()
        world.begin_anew()
        self.books = Books(world.file)
        self.interactions = count(1)
        self.orders: dict[int, tuple[Order, int]] = {}
        self.known: dict[str, dict[str, Any]] = {}
        self.complaints: list[str] = []
        world.after_each_write = self.look

    def look(self, holder: str) -> None:
        """At every instant: G3, and G6 for the one that has just written."""
        self.complaints.extend(f"G3: {each}" for each in self.books.overspent())
        before, self.known = self.known, self.books.generations()
        for key, row in before.items():
            after = self.known[key]
            changed = {name: after[name] for name in row if after[name] != row[name]}
            if changed.keys() - WHEN_TOLD and self.is_lost(row, holder):
                self.complaints.append(f"G6: {holder} has changed {changed} of {row}")

    def is_lost(self, row: dict[str, Any], holder: str) -> bool:
        """For `holder`, whose lease may be over without it knowing."""
        if row["state"] == "painting":
            return row["holder"] != holder and row["lease_until"] > self.world.clock()
        # What is painted is delivered by whoever comes first to say so.
        return row["ended_at"] is not None

    @initialize(pictures=st.integers(1, 4))
    def begin(self, pictures: int) -> None:
        self.world.start()
        self.accept(
            which=0, person=1, order=Order("a red fox", count=pictures), answer=Answer.SHOWN
        )

    def living(self, which: int) -> Process:
        return self.world.living[which % len(self.world.living)]

    # What people do

    @precondition(lambda self: self.world.living)
    @rule(
        which=WHICH,
        person=st.integers(1, 2),
        order=st.builds(
            Order,
            st.sampled_from(["a red fox", "a {red|grey} fox"]),
            count=st.integers(1, 4),
            private=st.booleans(),
        ),
        answer=st.sampled_from(Answer),
    )
    def accept(self, which: int, person: int, order: Order, answer: Answer) -> None:
        number = next(self.interactions)
        self.orders[number] = order, person
        fits = self.fits(person, order.wanted)
        process = self.living(which)
        task = process.submit(order, self.world.place(number, person))
        if not task.done():
            return
        match task.exception():
            case None:
                assert fits, "G3: more than the limits allow"
                assert task.result().fresh
                if answer is not Answer.LOST:
                    self.world.discord.answered.add(number)
                if answer is Answer.SHOWN:
                    process.begin(task.result().generation)
            case AllowanceSpent():
                assert not fits, "there was room"
            case PainterOut():
                assert process.circuit.rest_s
            case error:
                raise error

    def fits(self, person: int, pictures: int) -> bool:
        for row in self.books.rows("SELECT * FROM people WHERE id = ?", person):
            new_day = row["day"] < self.world.clock() // DAY_S
            used = (0 if new_day else row["day_used"]) + row["day_reserved"]
            return used + pictures <= LIMITS.per_day and row["waiting"] < LIMITS.waiting
        return True

    @precondition(lambda self: self.world.living)
    @rule(which=WHICH, asked=WHICH, cancels=st.booleans())
    def press_again(self, which: int, asked: int, cancels: bool) -> None:
        """Discord tells of a command twice; or its asker thinks better of it."""
        number = list(self.orders)[asked % len(self.orders)]
        found = {row["interaction_id"]: row for row in self.books.generations().values()}
        if not cancels:
            self.replay(self.living(which), number, found.get(number))
        elif number in found:
            self.cancel(self.living(which), found[number])

    def replay(self, process: Process, number: int, row: dict[str, Any] | None) -> None:
        order, person = self.orders[number]
        task = process.submit(order, self.world.place(number, person))
        if not task.done() or isinstance(task.exception(), AllowanceSpent | PainterOut):
            return
        submitted = task.result()
        if row is not None:
            assert not submitted.fresh, f"G5: accepted twice: {submitted.generation}"
            assert submitted.generation.id == row["id"]

    def cancel(self, process: Process, row: dict[str, Any]) -> None:
        task = process.ask(process.studio.cancel(row["id"], row["person_id"]))
        if not task.done():
            return
        waited = row["state"] == "waiting"
        if isinstance(task.exception(), TooLate):
            assert not waited, "it still waited"
        else:
            assert task.result().id == row["id"]
            assert waited, f"it was {row['state']}"

    # What the world does

    @precondition(lambda self: self.world.api.waiting)
    @rule(which=WHICH, comes=COMES, weather=WEATHER)
    def the_api_answers(self, which: int, comes: Comes, weather: Weather) -> None:
        self.world.discord.weather = weather
        calls = self.world.api.waiting
        self.answer([calls[which % len(calls)]], comes)

    def answer(self, calls: list[Call], comes: Comes | None) -> None:
        for call in calls:
            if comes is not None and not call.answer.done():
                self.world.api.answer(call, comes)
        self.world.loop.settle()

    @rule(seconds=st.sampled_from([1, 6, 21, 61, 200, 900, 3600, DAY_S + 60]), weather=WEATHER)
    def time_passes(self, seconds: int, weather: Weather) -> None:
        """Minutes, second by second; more than that, as over a machine that slept."""
        self.world.discord.weather = weather
        pass_time = self.world.loop.live if seconds < 100 else self.world.loop.leap
        pass_time(seconds)

    # What becomes of processes

    def may_start(self) -> bool:
        few = len(self.world.processes) < PROCESSES_MAX
        return few and len(self.world.living) < AT_ONCE_MAX

    @precondition(may_start)
    @rule()
    def another_starts(self) -> None:
        self.world.start()

    @precondition(lambda self: self.world.living)
    @rule(
        which=WHICH,
        steps=st.integers(0, 10),
        comes=st.none() | COMES,
        end=st.sampled_from(End),
        weather=WEATHER,
        late=st.none() | COMES,
    )
    def a_process_ends(
        self,
        *,
        which: int,
        steps: int,
        comes: Comes | None,
        end: End,
        weather: Weather,
        late: Comes | None,
    ) -> None:
        """At once, or wherever so many steps lead it when its calls are answered."""
        process, calls = self.living(which), list(self.world.api.waiting)
        if end is End.STOPPED:
            process.stop(GRACE_S)
            self.world.loop.live(GRACE_S)
            return
        process.gate.shut_after(steps)
        self.answer(calls, comes)
        if end is End.DEAD:
            return
        process.gate.shut_after(0)
        self.world.discord.weather = weather
        self.world.loop.leap(LEASE_S + 1)
        if self.may_start():
            self.world.start()
        if end is End.HUNG:
            process.gate.reopen()
            self.world.loop.settle()
            self.answer(calls, late)

    @precondition(lambda self: self.comers)
    @rule(which=WHICH)
    def come_back(self, which: int) -> None:
        """Whoever was presumed dead goes on where it stood."""
        self.comers[which % len(self.comers)].gate.reopen()
        self.world.loop.settle()

    @property
    def comers(self) -> list[Process]:
        """Who can come back without posting twice.

        That is promised for as long as Discord knows a nonce again: whoever stood still for
        longer, with a picture in hand, may post what others have posted since.
        """
        return [p for p in self.world.stopped if not p.work.busy or p.gate.shut_for_s < NONCE_S]

    # What holds whenever nothing moves

    @invariant()
    def the_promises_hold(self) -> None:
        complaints = [
            *self.complaints,
            *(f"G1, G4: {each}" for each in self.books.miscounted()),
            *(f"G5: {each}" for each in self.books.doubled()),
            *(f"archive: {each}" for each in self.books.missing(self.world.pictures)),
            *(f"G2: {each}" for each in self.books.misposted(self.world.discord)),
            *(f"told: {each}" for each in self.books.mistold(self.world.discord)),
            *(f"raised: {line}" for line in self.log if line["log_level"] == "error"),
        ]
        assert not complaints, "\n".join(complaints)

    # What holds in the end

    def teardown(self) -> None:
        try:
            self.come_to_rest()
            self.the_promises_hold()
            self.all_is_accounted_for()
        finally:
            self.world.bury_all()
            self.books.close()

    def come_to_rest(self) -> None:
        """All is well again, and there is time."""
        self.world.discord.weather = Weather.FINE
        for process in self.world.living:
            process.gate.reopen()
        if not self.world.living:
            self.world.start()
        for _ in range(ROUNDS_MAX):
            if not self.books.open() and all(row["tell_at"] is None for row in self.rows()):
                return
            self.answer(self.world.api.waiting, COUNT_MAX)
            self.world.loop.live(LEASE_S / 3)
        raise AssertionError(f"G1: it never ends: {self.books.open()}")

    def rows(self) -> list[dict[str, Any]]:
        return list(self.books.generations().values())

    def all_is_accounted_for(self) -> None:
        for row in self.books.rows("SELECT * FROM people"):
            idle = (row["day_reserved"], row["waiting"]) == (0, 0)
            assert idle, f"G4: nothing is under way, and yet {dict(row)}"
        discord = self.world.discord
        for row in self.rows():
            # After a day without Discord, nobody waits there any more.
            given_up = self.world.clock() > row["created_at"] + DAY_S
            if row["state"] == "delivered" and row["message_id"] is None:
                assert given_up or row["id"] in discord.refused, f"G1: {row['id']} went nowhere"
            if row["state"] in ENDS_TOLD:
                assert given_up or row["id"] in discord.told, f"told: {row['id']} was not"


def test_lives_hold_in_any_order_of_events(tmp_path: Path) -> None:
    with (
        LifeWorld(tmp_path, LIMITS, begins_at=EVENING) as world,
        capture_logs([structlog.processors.format_exc_info]) as log,
    ):
        run_state_machine_as_test(
            lambda: Lives(world, log),
            settings=settings(max_examples=60, stateful_step_count=25, deadline=None),
        )
