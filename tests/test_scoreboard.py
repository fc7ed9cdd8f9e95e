"""What ballots show while people vote, and the alarm that closes them; time is played."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from contextlib import contextmanager
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st
from life_loop import Clock, Loop
from sqlalchemy import StaticPool, create_engine, update
from structlog.testing import capture_logs

from bot.errors import StoreUnavailable
from bot.store.vote_schema import rounds
from bot.studio.alarm import Alarm
from bot.studio.life import DiscordAway
from bot.studio.scoreboard import Scoreboard

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import Connection

NOON = 1.8e9
EVERY_S, OLD_S, PAUSE_MAX_S = 1.0, 15.0, 60.0
#: But for what the sum of many small times loses.
AT_LEAST_S = EVERY_S - 1e-6
AWAY = DiscordAway("it is away")


class Wall:
    """Where ballots hang: each show reads what was counted, and after a while it is there."""

    def __init__(self, loop: Loop) -> None:
        self.loop, self.takes_s = loop, 0.0
        self.old = False
        self.counted: dict[str, int] = defaultdict(int)
        #: When each show began, and what it read.
        self.began: dict[str, list[float]] = defaultdict(list)
        self.there: dict[str, list[int]] = defaultdict(list)
        #: What the next shows come to grief over.
        self.troubles: list[Exception] = []
        self._showing: set[str] = set()
        self.scoreboard = Scoreboard(every_s=EVERY_S, clock=loop.time)
        self.scoreboard.connect(self.show)

    async def show(self, round_id: str) -> bool:
        assert round_id not in self._showing, "one edit of a message at a time"
        self._showing.add(round_id)
        try:
            self.began[round_id].append(self.loop.time())
            read = self.counted[round_id]
            await asyncio.sleep(self.takes_s)
            if self.troubles:
                raise self.troubles.pop(0)
            self.there[round_id].append(read)
        finally:
            self._showing.remove(round_id)
        return self.old

    def press(self, round_id: str = "a", times: int = 1) -> None:
        """Somebody votes; more often than not, many do."""

        async def press() -> None:
            for _ in range(times):
                self.counted[round_id] += 1
                self.scoreboard.touch(round_id)

        self.ask(press())

    def show_now(self, round_id: str = "a") -> asyncio.Task[None]:
        return self.ask(self.scoreboard.show(round_id))

    def ask(self, work: Any) -> asyncio.Task[Any]:
        task = self.loop.create_task(work)
        self.loop.settle()
        return task

    def gaps(self, round_id: str = "a") -> list[float]:
        began = self.began[round_id]
        return [later - before for before, later in pairwise(began)]

    def rests(self) -> bool:
        """Whether nothing runs, and nothing is going to."""
        timers = self.loop._next_timer() < float("inf")
        news = not all(entry.rests for entry in self.scoreboard._entries.values())
        return not (timers or asyncio.all_tasks(self.loop) or news)


@contextmanager
def played() -> Iterator[Loop]:
    loop = Loop(Clock(NOON))
    try:
        yield loop
    finally:
        left = asyncio.all_tasks(loop)
        loop.close()
        assert not left, f"they still run: {left}"


@pytest.fixture
def loop() -> Iterator[Loop]:
    with played() as loop:
        yield loop


@pytest.fixture
def wall(loop: Loop) -> Wall:
    return Wall(loop)


def test_what_is_counted_first_is_shown_at_once(wall: Wall) -> None:
    wall.press()
    assert wall.there["a"] == [1]


def test_however_many_press_a_message_is_edited_once_a_second(wall: Wall) -> None:
    for _ in range(200):
        wall.press()
        wall.loop.live(0.025)
    wall.loop.live(2 * EVERY_S)
    assert min(wall.gaps()) >= AT_LEAST_S
    assert len(wall.there["a"]) <= 7, "in the five seconds that they press, and after"
    assert wall.there["a"][-1] == 200, "the last count"


@given(
    pauses=st.lists(st.sampled_from([0.0, 0.3, 0.99, 1.0, 2.5]), max_size=20),
    takes_s=st.sampled_from([0.0, 0.4, 1.0, 3.0]),
    troubles=st.lists(st.just(AWAY), max_size=3),
)
def test_whenever_they_press_the_last_count_is_shown_and_then_nothing_runs(
    pauses: list[float], takes_s: float, troubles: list[Exception]
) -> None:
    with played() as loop:
        wall = Wall(loop)
        wall.takes_s, wall.troubles = takes_s, list(troubles)
        for pause in pauses:
            wall.press()
            loop.live(pause)
        loop.live(5 * PAUSE_MAX_S)
        assert min(wall.gaps(), default=EVERY_S) >= AT_LEAST_S
        assert wall.there["a"][-1:] == [len(pauses)] * bool(pauses), "the last count"
        assert wall.there["a"] == sorted(set(wall.there["a"])), "no earlier one, and none twice"
        assert wall.rests()


def test_what_is_counted_while_it_is_shown_is_shown_next(wall: Wall) -> None:
    wall.takes_s = 0.5
    wall.press()
    wall.loop.live(0.2)
    wall.press(times=3)
    wall.loop.live(5)
    assert wall.there["a"] == [1, 4]
    assert wall.gaps() == [pytest.approx(0.5 + EVERY_S)], "a second after it was there"


def test_ballots_do_not_wait_for_each_other(wall: Wall) -> None:
    for round_id in "abc":
        wall.press(round_id)
    assert all(wall.there[round_id] == [1] for round_id in "abc")


def test_a_message_of_over_an_hour_is_edited_rarely(wall: Wall) -> None:
    wall.old = True
    for _ in range(40):
        wall.press()
        wall.loop.live(1)
    assert wall.gaps() == [pytest.approx(OLD_S)] * 2
    wall.loop.live(OLD_S)
    assert wall.there["a"][-1] == 40


@pytest.mark.parametrize("old", [False, True])
def test_to_show_it_now_waits_for_its_second_alone_and_returns_when_it_is_there(
    wall: Wall, old: bool
) -> None:
    wall.old = old
    wall.press()
    wall.takes_s = 0.5
    wall.loop.live(0.1)
    wall.counted["a"] = 9
    showing = wall.show_now()
    wall.loop.live(EVERY_S - 0.2)
    assert wall.there["a"] == [1], "within a second of the edit before"
    wall.loop.live(0.5)
    assert not showing.done()
    wall.loop.live(0.2)
    assert showing.done()
    assert wall.there["a"] == [1, 9]
    wall.press()
    wall.loop.live(EVERY_S - 0.2)
    assert wall.there["a"] == [1, 9], "after it, too, there is a second"
    wall.loop.live(OLD_S if old else 1)
    assert wall.there["a"] == [1, 9, 10]


def test_to_show_it_now_waits_its_turn_and_nothing_older_comes_after_it(wall: Wall) -> None:
    wall.takes_s = 2.0
    wall.press()
    wall.press(times=4)
    showing = [wall.show_now(), wall.show_now()]
    wall.counted["a"] = 20
    wall.loop.live(4)
    assert wall.there["a"] == [1]
    wall.loop.live(1.1)
    assert wall.there["a"] == [1, 20], "read when its turn had come"
    wall.loop.live(10)
    assert all(each.done() for each in showing)
    assert wall.there["a"] == [1, 20], "what was read after both had asked serves both"
    assert min(wall.gaps()) >= AT_LEAST_S + wall.takes_s
    wall.loop.live(EVERY_S)
    assert wall.rests()


def test_when_a_touch_falls_into_a_show_it_is_shown_after_it(wall: Wall) -> None:
    wall.takes_s = 1.0
    wall.show_now()
    wall.press()
    wall.loop.live(5)
    assert wall.there["a"] == [0, 1]


def test_while_discord_is_away_it_is_tried_again_ever_less_often(wall: Wall) -> None:
    wall.troubles = [AWAY] * 9
    with capture_logs() as log:
        wall.press()
        wall.loop.live(600)
    assert wall.gaps() == pytest.approx([2, 4, 8, 16, 32, 60, 60, 60, 60])
    assert wall.there["a"] == [1]
    assert [line["event"] for line in log] == ["ballot.not_shown"] * 9
    wall.press()
    wall.press()
    wall.loop.live(EVERY_S)
    assert wall.there["a"] == [1, 2, 3], "and once it is back, every second"


def test_presses_while_discord_is_away_do_not_hurry_it(wall: Wall) -> None:
    wall.troubles = [AWAY, AWAY]
    for _ in range(60):
        wall.press()
        wall.loop.live(0.1)
    assert wall.gaps() == pytest.approx([2, 4])
    assert wall.there["a"] == [60]


@pytest.mark.parametrize("trouble", [AWAY, StoreUnavailable("the disk is full")])
def test_what_could_not_be_shown_now_is_said_and_shown_later(
    wall: Wall, trouble: Exception
) -> None:
    wall.counted["a"] = 7
    wall.troubles = [trouble]
    showing = wall.show_now()
    assert showing.exception() is trouble
    wall.loop.live(10)
    assert wall.there["a"] == [7]


def test_a_press_after_a_show_that_failed_is_shown(wall: Wall) -> None:
    wall.troubles = [AWAY]
    assert wall.show_now().exception() is AWAY
    wall.press()
    wall.loop.live(10)
    assert wall.there["a"] == [1]


def test_a_press_before_a_show_that_failed_is_shown(wall: Wall) -> None:
    wall.press()
    wall.loop.live(0.1)
    wall.press()
    wall.troubles = [AWAY]
    showing = wall.show_now()
    wall.loop.live(EVERY_S)
    assert showing.exception() is AWAY
    wall.loop.live(10)
    assert wall.there["a"] == [1, 2]


def test_a_mistake_of_ours_is_logged_and_tried_again_ever_less_often(wall: Wall) -> None:
    wall.troubles = [ZeroDivisionError() for _ in range(7)]
    with capture_logs([structlog.processors.format_exc_info]) as log:
        wall.press()
        wall.loop.live(0.1)
        wall.press()
        wall.loop.live(300)
    assert wall.gaps() == pytest.approx([2, 4, 8, 16, 32, 60, 60])
    assert wall.there["a"] == [2]
    assert [line["log_level"] for line in log] == ["error"] * 7
    assert "ZeroDivisionError" in log[0]["exception"]


def two_who_wait(wall: Wall) -> list[asyncio.Task[None]]:
    """They have asked while it was shown, and what the first of them reads serves both."""
    wall.takes_s = 1.0
    wall.show_now()
    wall.counted["a"] = 7
    waiting = [wall.show_now(), wall.show_now()]
    wall.loop.live(2.5)
    assert wall.there["a"] == [0]
    assert len(wall.began["a"]) == 2, "the first one's turn"
    return waiting


@pytest.mark.parametrize("trouble", [AWAY, ZeroDivisionError()])
def test_who_waits_behind_one_that_fails_is_shown_it_all_the_same(
    wall: Wall, trouble: Exception
) -> None:
    failing, waiting = two_who_wait(wall)
    wall.troubles = [trouble]
    wall.loop.live(0.6)
    assert failing.exception() is trouble
    assert not waiting.done(), "what it waits for was never there"
    wall.loop.live(10)
    assert waiting.done()
    assert wall.there["a"] == [0, 7]


def test_who_waits_behind_one_that_is_given_up_is_shown_it_all_the_same(wall: Wall) -> None:
    given_up, waiting = two_who_wait(wall)
    given_up.cancel()
    wall.loop.settle()
    assert given_up.cancelled()
    assert not waiting.done(), "what it waits for was never there"
    wall.loop.live(10)
    assert waiting.done()
    assert wall.there["a"] == [0, 7]


def test_what_nobody_waits_for_any_more_is_shown_later(wall: Wall) -> None:
    wall.takes_s, wall.counted["a"] = 1.0, 7
    given_up = wall.show_now()
    given_up.cancel()
    wall.loop.live(10)
    assert wall.there["a"] == [7]
    assert wall.rests()


def test_before_it_is_connected_nothing_is_shown(loop: Loop) -> None:
    wall = Wall(loop)
    wall.scoreboard = Scoreboard(clock=wall.loop.time)
    wall.press()
    assert isinstance(wall.show_now().exception(), DiscordAway)
    loop.live(10)
    assert not wall.began
    assert wall.rests()


def test_closed_it_shows_what_is_on_its_way_and_no_more(wall: Wall) -> None:
    wall.takes_s = 1.0
    wall.press("a")
    wall.press("a")
    wall.press("b")
    wall.loop.live(0.5)
    closing = wall.ask(wall.scoreboard.close())
    wall.press("b")
    wall.press("c")
    assert not closing.done(), "it is on its way"
    wall.loop.live(0.5)
    assert closing.done()
    wall.loop.live(100)
    assert wall.there == {"a": [1], "b": [1]}
    assert wall.rests()


# The alarm


class Store:
    """Rounds that are due, in a database in memory."""

    def __init__(self) -> None:
        self._engine = create_engine("sqlite://", poolclass=StaticPool)
        rounds.create(self._engine)
        self._numbers = iter(range(1, 6))
        self.troubles: list[Exception] = []

    async def read(self, work: Callable[[Connection], Any]) -> Any:
        if self.troubles:
            raise self.troubles.pop(0)
        with self._engine.begin() as connection:
            return work(connection)

    def due(self, at: float) -> None:
        number = next(self._numbers)
        row = {"id": f"{number}", "contest_id": "c", "number": number, "stage": "waiting"}
        with self._engine.begin() as connection:
            connection.execute(rounds.insert().values(**row, seed=1, due_at=at))

    def see_to_one(self, now: float) -> bool:
        first = rounds.select().where(rounds.c.due_at <= now).order_by(rounds.c.due_at)
        with self._engine.begin() as connection:
            row = connection.execute(first).first()
            if row is not None:
                done = update(rounds).where(rounds.c.id == row.id).values(due_at=None)
                connection.execute(done)
        return row is not None

    def close(self) -> None:
        self._engine.dispose()


class Bell:
    """Sees to one round at each ring."""

    def __init__(self, loop: Loop) -> None:
        self.loop, self.store = loop, Store()
        self.takes_s, self.troubles = 0.0, list[Exception]()
        self.rang: list[float] = []
        self.seen_to: list[float] = []
        self._ringing = False
        store: Any = self.store
        self.alarm = Alarm(store, every_s=60.0, clock=loop.clock)

    async def ring(self) -> None:
        assert not self._ringing, "one ring at a time"
        self._ringing = True
        try:
            self.rang.append(self.loop.time())
            await asyncio.sleep(self.takes_s)
            if self.troubles:
                raise self.troubles.pop(0)
            if self.store.see_to_one(self.loop.clock()):
                self.seen_to.append(self.loop.time())
        finally:
            self._ringing = False

    def connect(self) -> None:
        self.ask(lambda: self.alarm.connect(self.ring))

    def look(self) -> None:
        self.ask(self.alarm.look)

    def ask(self, work: Callable[[], None]) -> None:
        async def ask() -> None:
            work()

        self.loop.create_task(ask())
        self.loop.settle()


@pytest.fixture
def bell(loop: Loop) -> Iterator[Bell]:
    bell = Bell(loop)
    yield bell
    bell.store.close()


def test_it_rings_for_what_is_due_next_and_not_before(bell: Bell) -> None:
    bell.store.due(NOON + 25)
    bell.store.due(NOON + 40)
    bell.connect()
    bell.loop.live(24)
    assert bell.seen_to == []
    bell.loop.live(60)
    assert bell.seen_to == pytest.approx([25, 40])


def test_it_is_idle_only_where_nothing_is_due_now_or_later(bell: Bell) -> None:
    assert not bell.alarm.idle, "it has not looked yet"
    bell.connect()
    assert bell.alarm.idle
    bell.store.due(NOON + 30)
    bell.look()
    assert not bell.alarm.idle
    bell.loop.live(31)
    assert bell.seen_to == pytest.approx([30])
    bell.look()
    assert bell.alarm.idle
    bell.store.troubles = [StoreUnavailable("away")]
    bell.look()
    assert not bell.alarm.idle, "who cannot look does not know"


def test_what_is_due_already_is_seen_to_at_once_and_to_the_last(bell: Bell) -> None:
    for seconds in (5, 6, 7):
        bell.store.due(NOON - seconds)
    bell.connect()
    for _ in range(5):
        bell.loop.live(0.1)
    assert len(bell.seen_to) == 3
    assert len(bell.rang) == 3, "and for nothing besides"


def test_what_comes_to_be_due_earlier_is_seen_to_when_somebody_says_so(bell: Bell) -> None:
    bell.store.due(NOON + 50)
    bell.connect()
    bell.loop.live(5)
    bell.store.due(NOON + 10)
    bell.look()
    bell.loop.live(60)
    assert bell.seen_to == pytest.approx([10, 50])


def test_what_other_processes_leave_is_seen_to_within_a_minute(bell: Bell) -> None:
    bell.connect()
    bell.loop.live(5)
    bell.store.due(NOON + 10)
    bell.loop.live(56)
    assert bell.seen_to == pytest.approx([60])
    assert len(bell.rang) <= 3, "and in between nothing runs"


def test_whoever_looks_during_a_ring_has_it_ring_once_more(bell: Bell) -> None:
    bell.takes_s = 2.0
    bell.connect()
    for _ in range(10):
        bell.look()
    bell.loop.live(30)
    assert bell.rang == pytest.approx([0, 2]), "once more, and then no more"


@pytest.mark.parametrize("where", ["ring", "store"])
@pytest.mark.parametrize("trouble", [StoreUnavailable("locked"), ZeroDivisionError()])
def test_a_ring_that_fails_is_rung_again_in_a_minute(
    bell: Bell, where: str, trouble: Exception
) -> None:
    (bell.troubles if where == "ring" else bell.store.troubles).extend([trouble] * 3)
    with capture_logs() as log:
        bell.connect()
        bell.loop.live(179)
        assert bell.rang == pytest.approx([0, 60, 120])
        assert [line["event"] for line in log] == ["alarm.failed"] * 3
        bell.store.due(NOON + 175)
        bell.loop.live(2)
    assert bell.seen_to == pytest.approx([180])


def test_when_the_clock_is_set_back_it_looks_every_minute_and_closes_in_time(bell: Bell) -> None:
    bell.store.due(NOON + 30)
    bell.connect()
    bell.loop.clock.set(NOON - 100)
    bell.loop.live(129)
    assert bell.seen_to == []
    bell.loop.live(2)
    assert bell.seen_to == pytest.approx([130])


def test_before_it_is_connected_it_rings_for_nothing(bell: Bell) -> None:
    bell.store.due(NOON)
    bell.look()
    bell.loop.live(100)
    assert bell.rang == []


@pytest.mark.parametrize("during", [True, False])
def test_closed_it_rings_no_more(bell: Bell, *, during: bool) -> None:
    bell.takes_s = 2.0
    bell.store.due(NOON + 30)
    bell.connect()
    bell.loop.live(1 if during else 5)
    closing = bell.loop.create_task(bell.alarm.close())
    bell.look()
    assert closing.done() != during, "it waits for a ring under way"
    bell.loop.live(1)
    assert closing.done()
    bell.look()
    assert bell.loop._next_timer() == float("inf"), "no timer is left"
    bell.loop.live(300)
    assert len(bell.rang) == 1
