"""The pace of calls, in a time that passes only where somebody sleeps."""

from __future__ import annotations

import asyncio
import selectors
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, TypeVar

import pytest
import structlog
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.errors import (
    AnswerLost,
    BadAnswer,
    Busy,
    ContentRefused,
    ModelGone,
    Overloaded,
    OwnerNeeded,
    PaintingFailed,
    RequestRefused,
    Unreachable,
)
from bot.imaging.pacing import PATIENCE, Pace

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

T = TypeVar("T")


class _Selector(selectors.SelectSelector):
    """Where a loop would wait, the clock is put forward."""

    now = 0.0

    def select(self, timeout=None):
        ready = super().select(0)
        if not ready:
            assert timeout is not None, "everybody waits, and nobody will ever wake them"
            self.now += timeout
        return ready


class _Loop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._virtual = _Selector()
        super().__init__(self._virtual)

    def time(self) -> float:
        return self._virtual.now


def virtually(coroutine: Coroutine[object, object, T]) -> T:
    with asyncio.Runner(loop_factory=_Loop) as runner:
        return runner.run(coroutine)


def now() -> float:
    return asyncio.get_running_loop().time()


def pace_of(cap: int, seed: int = 1) -> Pace:
    return Pace(cap, clock=now, random=Random(seed))


@dataclass
class Api:
    """Bears so many calls at once, and refuses the others on the spot."""

    bears: int
    seconds: Callable[[], float] = lambda: 1.0
    retry_after: float | None = None
    latency: float = 0.0
    running: int = 0
    refused: int = 0
    starts: list[float] = field(default_factory=list)

    async def __call__(self) -> None:
        self.starts.append(now())
        await asyncio.sleep(self.latency)
        if self.running >= self.bears:
            self.refused += 1
            raise Busy("later", retry_after=self.retry_after)
        self.running += 1
        try:
            await asyncio.sleep(self.seconds())
        finally:
            self.running -= 1


async def all_done(calls: int, cap: int, api: Api, seed: int = 1) -> float:
    pace = pace_of(cap, seed)
    await asyncio.gather(*(pace.run(api) for _ in range(calls)))
    assert_at_rest(pace)
    return now()


def assert_at_rest(pace: Pace) -> None:
    assert pace.running == 0, "a call is said to be under way still"
    assert pace._held == 0, f"{pace._held} places were never given back"
    assert not [place for _, place in pace._line if not place.done()], "somebody waits still"
    assert pace._doorkeeper is None
    assert len(asyncio.all_tasks()) == 1, "a task was left behind"


# As fast as the API bears


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("latency", [0, 0.01])
@pytest.mark.parametrize("retry_after", [None, 0.2, 1.0])
def test_fifty_calls_on_an_api_that_bears_eight(seed, latency, retry_after):
    api = Api(8, latency=latency, retry_after=retry_after)
    assert virtually(all_done(50, 50, api, seed)) <= 1.1 * 7


@pytest.mark.parametrize("seed", range(5))
def test_calls_of_uneven_length_keep_the_api_as_busy(seed):
    random = Random(seed)
    api = Api(8, seconds=lambda: random.uniform(0.5, 1.5))
    assert virtually(all_done(50, 50, api, seed)) <= 1.1 * 7


def test_fifty_calls_on_an_api_that_bears_fifty():
    api = Api(50)
    assert virtually(all_done(50, 50, api)) <= 1.2
    assert api.refused == 0


def test_an_api_that_bears_one_serves_everybody():
    api = Api(1)
    assert virtually(all_done(30, 50, api)) <= 1.1 * 30


def test_what_was_learnt_serves_the_next_ones():
    async def scenario() -> tuple[int, int]:
        api, pace = Api(8), pace_of(50)
        await asyncio.gather(*(pace.run(api) for _ in range(50)))
        first = api.refused
        await asyncio.gather(*(pace.run(api) for _ in range(50)))
        return first, api.refused - first

    first, second = virtually(scenario())
    assert first >= 42
    assert second <= 5, f"{second} calls ran into the same wall again"


# The limit


def failing_with(*outcomes: PaintingFailed | None) -> Callable[[], Awaitable[None]]:
    """Calls that end like this, one after the other."""
    left = list(outcomes)

    async def attempt() -> None:
        outcome = left.pop(0)
        if outcome is not None:
            raise outcome

    return attempt


async def nothing() -> None:
    pass


def test_the_limit_starts_at_the_cap_and_never_leaves_its_bounds():
    async def scenario() -> None:
        pace = pace_of(4)
        assert pace.limit == 4
        for _ in range(20):
            await pace.run(nothing)
        assert pace.limit == 4
        for _ in range(6):
            await pace.run(failing_with(Busy("x"), Busy("x"), Busy("x"), None))
        assert pace.limit >= 1

    virtually(scenario())
    assert Pace(0).limit == 1, "a pace that lets nobody through is no pace"


def test_one_burst_of_refusals_halves_the_limit_once():
    async def scenario() -> int:
        pace, api = pace_of(50), Api(8)
        running = [asyncio.create_task(pace.run(api)) for _ in range(50)]
        await asyncio.sleep(0.01)
        assert api.refused == 42
        limit = pace.limit
        await asyncio.gather(*running)
        return limit

    assert virtually(scenario()) == 25


def test_the_next_burst_halves_it_again():
    async def scenario() -> list[int]:
        pace = pace_of(40)
        await pace.run(failing_with(Busy("x"), Busy("x"), None))
        return [pace.limit]

    assert virtually(scenario()) == [10]


def test_trouble_lowers_it_gently():
    async def scenario() -> tuple[int, int]:
        pace = pace_of(50)
        with pytest.raises(Overloaded):
            await pace.run(failing_with(*[Overloaded("x")] * 3))
        after = pace.limit
        await pace.run(failing_with(Unreachable("x"), None))
        return after, pace.limit

    assert virtually(scenario()) == (36, 36), "0.9 of it, three times"


def test_success_raises_it_fast_to_what_was_borne_and_slowly_beyond():
    async def scenario() -> tuple[list[float], list[float]]:
        pace, api = pace_of(50), Api(20)
        done = [asyncio.create_task(pace.run(api)) for _ in range(21)]
        await asyncio.sleep(0.05)
        assert (pace._limit, pace._borne) == (25, 20)
        for each in done:
            each.cancel()
        await asyncio.gather(*done, return_exceptions=True)
        pace._limit = 17.0
        fast, slow = [], []
        for _ in range(4):
            await pace.run(nothing)
            fast.append(pace._limit)
        for _ in range(2):
            await pace.run(nothing)
            slow.append(pace._limit)
        return fast, slow

    fast, slow = virtually(scenario())
    assert fast == [18, 19, 20, 20 + 1 / 20]
    assert slow[0] == pytest.approx(20.05 + 1 / 20.05)


# Who is next


def test_who_comes_first_starts_first():
    async def scenario() -> list[int]:
        pace, order = pace_of(2), []

        async def attempt(number: int) -> None:
            order.append(number)
            await asyncio.sleep(1)

        await asyncio.gather(*(pace.run(lambda n=n: attempt(n)) for n in range(9)))
        return order

    assert virtually(scenario()) == list(range(9))


@pytest.mark.parametrize("retry_after", [None, 0.3])
def test_who_was_refused_starts_before_those_who_wait(retry_after):
    async def scenario() -> list[int]:
        pace, order = pace_of(1), []

        async def attempt(number: int) -> None:
            order.append(number)
            await asyncio.sleep(1)
            if number == 0 and order.count(0) == 1:
                raise Busy("x", retry_after=retry_after)

        await asyncio.gather(*(pace.run(lambda n=n: attempt(n)) for n in range(4)))
        return order

    order = virtually(scenario())
    if retry_after:
        assert order == [0, 0, 1, 2, 3]
    else:  # its place served somebody else while it waited
        assert order == [0, 1, 0, 2, 3]


def test_a_place_is_not_held_while_a_call_waits_for_its_next_try():
    async def scenario() -> float:
        pace = pace_of(1)
        waiting = asyncio.create_task(pace.run(failing_with(Unreachable("x"), None)))
        await asyncio.sleep(0.01)
        await pace.run(nothing)
        ended = now()
        await waiting
        return ended

    assert virtually(scenario()) < 0.02


# Pauses


@pytest.mark.parametrize("kind", [Busy, Overloaded])
def test_nobody_starts_before_the_api_wants_it(kind):
    async def scenario() -> tuple[list[float], list[float]]:
        starts: list[float] = []
        sleeps: list[float] = []

        async def sleep(seconds: float) -> None:
            sleeps.append(seconds)
            await asyncio.sleep(seconds)

        async def attempt() -> None:
            starts.append(now())
            if len(starts) == 1:
                raise kind("x", retry_after=5)

        pace = Pace(10, clock=now, sleep=sleep)

        early = [asyncio.create_task(pace.run(attempt))]
        for _ in range(4):
            await asyncio.sleep(1)
            early.append(asyncio.create_task(pace.run(attempt)))
        await asyncio.gather(*early)
        assert_at_rest(pace)
        return starts, sleeps

    starts, sleeps = virtually(scenario())
    assert starts == [0, *[pytest.approx(5)] * 5]
    assert sleeps == [5], "one waits for all"


def test_a_longer_pause_counts_and_a_shorter_one_does_not():
    async def scenario() -> list[float]:
        pace = pace_of(10)
        starts: list[float] = []

        async def refused(after: float, wait: float) -> None:
            starts.append(now())
            if now() < 2:
                await asyncio.sleep(after)
                raise Busy("x", retry_after=wait)

        await asyncio.gather(
            pace.run(lambda: refused(0.1, 2)),
            pace.run(lambda: refused(0.2, 6)),
            pace.run(lambda: refused(0.3, 1)),
        )
        return starts

    assert virtually(scenario()) == [0, 0, 0, *[pytest.approx(6.2)] * 3]


def test_a_pause_ends_for_all_though_its_doorkeeper_is_gone():
    async def scenario() -> list[float]:
        pace = pace_of(3)
        starts: list[float] = []

        async def attempt() -> None:
            starts.append(now())

        refused = asyncio.create_task(pace.run(failing_with(Busy("x", retry_after=4), None)))
        await asyncio.sleep(0.1)
        waiting = [asyncio.create_task(pace.run(attempt)) for _ in range(4)]
        await asyncio.sleep(0.1)
        assert pace._doorkeeper == 0
        refused.cancel()
        await asyncio.sleep(0.1)
        assert pace._doorkeeper == 1
        waiting.pop(0).cancel()
        await asyncio.gather(*waiting)
        await asyncio.gather(refused, return_exceptions=True)
        assert_at_rest(pace)
        return starts

    assert virtually(scenario()) == [pytest.approx(4)] * 3


def test_a_sleep_that_returns_at_once_ends_a_pause_too():
    """Whoever brings their own sleep to tests brings perhaps no clock."""

    async def scenario() -> int:
        slept: list[float] = []

        async def sleep(seconds: float) -> None:
            slept.append(seconds)

        pace = Pace(2, clock=lambda: 0.0, sleep=sleep)
        await pace.run(failing_with(Busy("x", retry_after=7), None))
        assert_at_rest(pace)
        return max(slept)

    assert virtually(scenario()) == 7


# What is tried again


@pytest.mark.parametrize(
    ("kind", "tries", "most_s"),
    [(Busy, 8, 45), (Overloaded, 3, 6), (Unreachable, 3, 3)],
)
def test_at_some_point_the_last_failure_is_told(kind, tries, most_s):
    async def scenario() -> float:
        pace = pace_of(5)
        failures = [kind(f"number {number}") for number in range(tries)]
        with pytest.raises(kind) as caught:
            await pace.run(failing_with(*failures))
        assert caught.value is failures[-1], f"it gave up after “{caught.value}”"
        assert_at_rest(pace)
        return now()

    assert 0 < virtually(scenario()) < most_s


@pytest.mark.parametrize("kind", [Busy, Overloaded, Unreachable])
def test_waits_grow_and_differ(kind):
    async def scenario(seed: int) -> list[float]:
        slept: list[float] = []

        async def sleep(seconds: float) -> None:
            slept.append(seconds)

        pace = Pace(5, clock=now, sleep=sleep, random=Random(seed))
        with pytest.raises(kind):
            await pace.run(failing_with(*[kind("x")] * PATIENCE[kind].tries))
        return slept

    slept = virtually(scenario(1))
    patience = PATIENCE[kind]
    assert len(slept) == patience.tries - 1
    for tried, wait in enumerate(slept):
        whole = min(patience.longest_s, patience.first_s * 3**tried)
        assert whole / 2 <= wait <= whole
    assert slept != virtually(scenario(2)), "all would come back at once"


def test_nobody_waits_much_over_a_minute_and_a_half():
    async def scenario() -> tuple[float, int]:
        tries = 0

        async def attempt() -> None:
            nonlocal tries
            tries += 1
            raise Busy("x", retry_after=40)

        with pytest.raises(Busy):
            await pace_of(5).run(attempt)
        return now(), tries

    assert virtually(scenario()) == (pytest.approx(80), 3)


@pytest.mark.parametrize(
    "kind", [AnswerLost, BadAnswer, ContentRefused, ModelGone, OwnerNeeded, RequestRefused]
)
def test_what_may_be_paid_for_or_will_not_change_is_never_tried_again(kind):
    async def scenario() -> float:
        pace, failure = pace_of(5), kind("x", retry_after=3)
        with pytest.raises(kind) as caught:
            await pace.run(failing_with(failure))
        assert caught.value is failure
        assert pace.limit == 5
        await pace.run(nothing)
        return now()

    assert virtually(scenario()) == 0


def test_kinds_of_trouble_are_counted_apart():
    trouble = [Busy("x"), Overloaded("x"), Unreachable("x"), Overloaded("x"), Unreachable("x")]
    virtually(pace_of(5).run(failing_with(*trouble, Busy("x"), None)))


def test_a_mistake_of_ours_passes_and_gives_the_place_back():
    async def scenario() -> None:
        pace = pace_of(1)

        def broken() -> Awaitable[None]:
            raise ZeroDivisionError

        for _ in range(2):
            with pytest.raises(ZeroDivisionError):
                await pace.run(broken)
        assert_at_rest(pace)

    virtually(scenario())


def test_what_a_call_returns_is_returned():
    async def answer() -> str:
        return "picture"

    assert virtually(pace_of(1).run(answer)) == "picture"


def test_a_retry_leaves_a_line_in_the_log():
    with structlog.testing.capture_logs() as lines:
        virtually(pace_of(8).run(failing_with(Busy("secret text"), None), model="a/b"))
    (line,) = lines
    assert line["event"] == "api.retry"
    assert (line["model"], line["kind"], line["attempt"], line["limit"]) == ("a/b", "Busy", 2, 4)
    assert 0 < line["wait"] <= 0.1
    assert "secret text" not in repr(lines)


# Cancellation


def test_a_waiter_that_goes_away_takes_no_place_with_it():
    async def scenario() -> float:
        pace, api = pace_of(1), Api(1)
        first = asyncio.create_task(pace.run(api))
        await asyncio.sleep(0.1)
        waiters = [asyncio.create_task(pace.run(api)) for _ in range(5)]
        await asyncio.sleep(0.1)
        for each in waiters[:4]:
            each.cancel()
        await asyncio.gather(first, waiters[4])
        assert_at_rest(pace)
        return now()

    assert virtually(scenario()) == pytest.approx(2)


def test_a_place_that_comes_with_the_cancellation_is_given_on():
    async def scenario() -> None:
        pace = pace_of(1)
        tasks: list[asyncio.Task[None]] = []

        async def attempt() -> None:
            await asyncio.sleep(1)
            # Due between the moment in which the second gets the place and its next step.
            asyncio.get_running_loop().call_soon(tasks[1].cancel)

        tasks += [asyncio.create_task(pace.run(each)) for each in (attempt, nothing, nothing)]
        first, second, third = await asyncio.gather(*tasks, return_exceptions=True)
        assert (first, third) == (None, None)
        assert isinstance(second, asyncio.CancelledError)
        assert_at_rest(pace)

    virtually(scenario())


def test_a_call_that_is_cancelled_gives_its_place_back():
    async def scenario() -> None:
        pace = pace_of(1)
        task = asyncio.create_task(pace.run(lambda: asyncio.sleep(100)))
        await asyncio.sleep(0.1)
        task.cancel()
        await pace.run(nothing)
        with pytest.raises(asyncio.CancelledError):
            await task
        assert now() < 1
        assert_at_rest(pace)

    virtually(scenario())


# Whatever happens


@dataclass(frozen=True)
class Part:
    """One call: when it comes, what its tries come to, when it is cancelled."""

    comes: float
    tries: tuple[tuple[float, str, float | None], ...]
    leaves: float | None


KINDS = {
    "busy": Busy,
    "overloaded": Overloaded,
    "unreachable": Unreachable,
    "lost": AnswerLost,
}
TIMES = st.sampled_from([0.0, 0.05, 0.1, 0.5, 1.0, 2.0])
PARTS = st.builds(
    Part,
    comes=TIMES,
    tries=st.lists(
        st.tuples(
            TIMES, st.sampled_from(["fine", *KINDS]), st.sampled_from([None, None, 0.1, 2.0])
        ),
        max_size=6,
    ).map(tuple),
    leaves=st.none() | st.none() | TIMES,
)


async def play(cap: int, parts: list[Part]) -> None:
    pace = pace_of(cap)
    running = 0

    async def attempt(tries: list[tuple[float, str, float | None]]) -> None:
        nonlocal running
        running += 1
        assert running == pace.running <= cap, "more than the cap is under way"
        assert running <= pace.limit, f"{running} started, and {pace.limit} may"
        assert pace._held <= cap
        seconds, outcome, retry_after = tries.pop(0) if tries else (0.1, "fine", None)
        try:
            await asyncio.sleep(seconds)
            if kind := KINDS.get(outcome):
                raise kind("x", retry_after=retry_after)
        finally:
            running -= 1

    async def part(each: Part) -> None:
        await asyncio.sleep(each.comes)
        tries = list(each.tries)
        async with asyncio.timeout(each.leaves):
            await pace.run(lambda: attempt(tries))

    ends = await asyncio.gather(*(part(each) for each in parts), return_exceptions=True)
    for end in ends:
        assert end is None or isinstance(end, (PaintingFailed, TimeoutError)), repr(end)
    assert_at_rest(pace)
    assert 1 <= pace.limit <= cap


@given(cap=st.integers(1, 6), parts=st.lists(PARTS, min_size=1, max_size=14))
@example(
    cap=2,
    parts=[Part(0.0, ((0.1, "busy", 2.0),), 0.1), Part(0.0, ((0.1, "busy", 2.0),), 0.1)] * 3,
)
@example(  # the limit falls in the very moment in which a place is given
    cap=3,
    parts=[
        Part(0.0, (), None),
        *[Part(0.05, (), None)] * 2,
        Part(0.05, ((0.05, "busy", None),), None),
    ],
)
@settings(max_examples=150, deadline=None)
def test_no_order_of_events_breaks_the_pace(cap, parts):
    virtually(play(cap, parts))
