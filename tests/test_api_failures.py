"""What the image API can answer instead of pictures, as the person who asked meets it."""

from __future__ import annotations

import asyncio
import contextvars
import re
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from world import KEY, open_world

from bot import app
from bot.demo.faults import Fault, Kind
from bot.imaging.pacing import Pace
from bot.imaging.together import Painting, Together

if TYPE_CHECKING:
    from pathlib import Path

    from world import Log, World

#: The sandbox's request ids, which are in the form of the API's own.
REQUEST_ID = re.compile(r"\b\w{7}-\w{6}-[0-9a-f]{16}-LOC\b")
#: What nobody should have to read who only wants a picture.
JARGON = re.compile(r"\b[345]\d\d\b|HTTP|JSON|base64|[a-z]Error|Exception|_|\bNone\b|\bAPI\b")
WHAT_TO_DO = re.compile(
    r"[Pp]lease (?:try again|try another|change|describe|pick|leave|let them know)"
)


@dataclass(frozen=True, slots=True)
class Row:
    """A fault that does not pass, and what comes of it.

    Attributes:
        says: a part of what the person reads.
        kind: the error as the log names it.
        advice: a part of what only the operator reads.
        requests: how often the call is made.
        renders: how often it is painted, and so paid for.
        state: how the generation ends.
        traced: whether an id came that the API's support could look up.
    """

    fault: Fault
    says: str
    kind: str
    advice: str = ""
    requests: int = 1
    renders: int = 0
    state: str = "failed"
    traced: bool = True


OWNER = partial(Row, says="my owner", kind="OwnerNeeded")
REFUSED = partial(Row, says="safety filter", kind="ContentRefused", state="refused")
TROUBLE = partial(Row, says="is in trouble just now", kind="Overloaded", requests=3)
LOST = partial(Row, says="its answer never came", kind="AnswerLost", traced=False)
USELESS = partial(Row, says="without a picture that I can read", kind="BadAnswer", renders=1)
DAMAGED = partial(Row, says="is damaged", kind="BadAnswer", renders=1, traced=False)

ROWS = {
    "400": Row(
        Fault(Kind.BAD_REQUEST), "`Input validation error`. Please change it", "RequestRefused"
    ),
    "400 with a trap in its words": Row(
        Fault(Kind.BAD_REQUEST, message="@everyone `see` https://example.com/x <@1>"),
        "(at)everyone 'see' (a link) <(at)1>",
        "RequestRefused",
    ),
    "401": OWNER(Fault(Kind.UNAUTHORISED), advice="TOGETHER_API_KEY"),
    "401 that repeats the key": OWNER(
        Fault(Kind.UNAUTHORISED, message=f"Invalid API key {KEY}."), advice="(the key)"
    ),
    "402": OWNER(Fault(Kind.NO_CREDIT), advice="Settings > Billing"),
    "403 sharing blocked": OWNER(Fault(Kind.SHARING_BLOCKED), advice="allow passthrough models"),
    "302": OWNER(Fault(Kind.REDIRECTED), advice="TOGETHER_BASE_URL"),
    "422": REFUSED(Fault(Kind.UNSAFE)),
    "400 against a policy": REFUSED(Fault(Kind.AGAINST_POLICY)),
    "500 against a policy": REFUSED(Fault(Kind.AGAINST_POLICY, status=500)),
    "500": TROUBLE(Fault(Kind.SERVER_ERROR)),
    "502": TROUBLE(Fault(Kind.BAD_GATEWAY)),
    "503": TROUBLE(Fault(Kind.OVERLOADED)),
    "520": TROUBLE(Fault(Kind.UNKNOWN_ERROR)),
    "529": TROUBLE(Fault(Kind.OVERLOADED_529)),
    "504": LOST(Fault(Kind.GATEWAY_TIMEOUT), renders=1, traced=True),
    "524": LOST(Fault(Kind.TIMEOUT_524), renders=1, traced=True),
    "reset before painting": LOST(Fault(Kind.RESET_BEFORE)),
    "reset after painting": LOST(Fault(Kind.RESET_AFTER), renders=1),
    "closed": LOST(Fault(Kind.CLOSED), renders=1),
    "truncated": LOST(Fault(Kind.TRUNCATED), renders=1),
    "html": USELESS(Fault(Kind.HTML)),
    "empty": USELESS(Fault(Kind.EMPTY)),
    "huge": USELESS(Fault(Kind.HUGE), traced=False),
    "a bomb": USELESS(Fault(Kind.GZIP_BOMB, size=66 * 2**20), traced=False),
    "deep": USELESS(Fault(Kind.DEEP)),
    "bad base64": USELESS(Fault(Kind.BAD_BASE64)),
    "no data": USELESS(Fault(Kind.NO_DATA)),
    "no fields": USELESS(Fault(Kind.NO_FIELDS)),
    "not a picture": DAMAGED(Fault(Kind.NOT_A_PICTURE)),
    "a picture that is a bomb": DAMAGED(Fault(Kind.PICTURE_BOMB)),
}


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The waits between tries, noted instead of waited."""
    noted: list[float] = []

    async def note(seconds: float) -> None:
        noted.append(seconds)
        await asyncio.sleep(0)

    monkeypatch.setattr(app, "Pace", partial(Pace, sleep=note))
    return noted


async def check_told(world: World, log: Log, answer: Any, row: Row) -> None:
    """The person knows, nobody else does, nothing is charged, the operator can look it up."""
    assert answer.acknowledged
    assert answer.response is None, "the public “thinking” stays for ever"
    assert world.channel.history() == [], "others read of a failure that is not theirs"
    [told] = answer.followups
    assert told.ephemeral
    assert row.says in told.content
    assert WHAT_TO_DO.search(told.content), f"it does not say what to do: {told.content}"
    assert re.search(r"\b[Nn]othing was charged\b", told.content)
    assert not JARGON.search(told.content), f"jargon: {told.content}"
    assert not told.message.mention_everyone
    assert told.message.mentions == []

    await check_refunded(world, row.state, told.content)
    check_log(log, row)


async def check_refunded(world: World, state: str, sentence: str) -> None:
    [generation] = await world.generations()
    assert (generation.state, generation.failure) == (state, sentence)
    assert generation.interaction_token is None
    assert generation.holder is None
    usage = await world.usage(world.ann)
    left = (usage.day_used, usage.day_reserved, usage.minute_used, usage.waiting)
    assert left == (0, 0, 0, 0), "the allowance is not back"
    entries = [(entry.entry, entry.pictures, entry.price) for entry in await world.ledger()]
    wanted = generation.wanted
    assert entries == [("reserve", wanted, generation.price), ("refund", wanted, 0)]


def check_log(log: Log, row: Row) -> None:
    log.check()
    ended = log.states()[-1]
    assert (ended["state"], ended["kind"]) == (row.state, row.kind)
    assert row.advice in ended["cause"]
    if row.traced:
        assert REQUEST_ID.search(ended["cause"]), f"no request id: {ended['cause']}"


@pytest.mark.parametrize("name", ROWS)
@pytest.mark.usefixtures("waits")
async def test_what_does_not_pass_is_told_in_private_and_costs_nothing(
    log: Log, tmp_path: Path, name: str
) -> None:
    row = ROWS[name]
    async with open_world(tmp_path) as world:
        world.painter.faults.next(row.fault, times=None)
        answer = await world.imagine(count=2)
        await check_told(world, log, answer, row)
        assert len(world.painter.requests) == row.requests
        assert world.painter.renders == row.renders, "a call that may be paid for is made again"


@pytest.mark.usefixtures("waits")
async def test_the_same_in_private_replaces_what_only_the_person_saw(
    log: Log, tmp_path: Path
) -> None:
    async with open_world(tmp_path) as world:
        world.painter.faults.next(Kind.UNSAFE)
        answer = await world.imagine(private=True, count=1)
        assert answer.ephemeral
        assert answer.followups == []
        assert "safety filter" in answer.response.content
        await check_refunded(world, "refused", answer.response.content)
        assert world.channel.history() == []
        log.check()


async def test_a_model_that_is_gone_and_nobody_to_stand_in(log: Log, tmp_path: Path) -> None:
    async with open_world(tmp_path) as world:
        world.painter.faults.next(Kind.MODEL_GONE, times=None)
        answer = await world.imagine(count=2)
        row = Row(Fault(Kind.MODEL_GONE), "is not on offer just now", "ModelGone")
        await check_told(world, log, answer, row)
        tried = [request.body["model"] for request in world.painter.requests]
        assert len(tried) > 1
        assert len(set(tried)) == len(tried), "a model that is away is asked again"
        assert world.painter.renders == 0


BUSY = Row(Fault(Kind.RATE_LIMITED), "too much to do just now", "Busy")


async def test_429_until_patience_ends(log: Log, tmp_path: Path, waits: list[float]) -> None:
    async with open_world(tmp_path) as world:
        world.painter.faults.next(BUSY.fault, times=None)
        answer = await world.imagine(count=2)
        await check_told(world, log, answer, replace(BUSY, says="in a moment"))
        assert len(world.painter.requests) == len(waits) + 1 > 3
        assert waits[-1] > 10 * waits[0] > 0, "the waits do not grow"
        assert sum(waits) < 90, "nobody waits that long for a refusal"


async def test_429_that_names_its_wait_until_patience_ends(
    log: Log, tmp_path: Path, waits: list[float]
) -> None:
    async with open_world(tmp_path) as world:
        world.painter.faults.next(Fault(Kind.RATE_LIMITED, retry_after=20), times=None)
        answer = await world.imagine(count=2)
        await check_told(world, log, answer, replace(BUSY, says="in 20 seconds"))
        assert len(world.painter.requests) == len(waits) + 1
        assert waits == pytest.approx([20] * 4, abs=1), "it asked for 20 seconds, 90 are too many"


@pytest.fixture
def real_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Simcord moves its clock once all sockets are quiet, so no time-out of theirs would come."""
    paint = Together.paint

    async def unwatched(*call: Any) -> Painting:
        start = asyncio.get_running_loop().create_task
        return await contextvars.Context().run(start, paint(*call))

    monkeypatch.setattr(Together, "paint", unwatched)


@pytest.mark.usefixtures("real_time")
async def test_an_answer_that_is_not_waited_for_any_longer(log: Log, tmp_path: Path) -> None:
    async with open_world(tmp_path, call_timeout_seconds=5) as world:
        world.env.settle_timeout = 9
        world.painter.faults.next(Fault(Kind.SLOW, seconds=6))
        answer = await world.imagine(count=2)
        row = LOST(Fault(Kind.SLOW), renders=1)
        await check_told(world, log, answer, row)
        assert len(world.painter.requests) == 1, "a call that timed out is made again"


async def test_after_a_failure_the_next_one_is_painted(tmp_path: Path) -> None:
    async with open_world(tmp_path, user_images_per_day=2, user_waiting_max=1) as world:
        world.painter.faults.next(Kind.UNSAFE)
        await world.imagine(count=2)
        await world.imagine(count=2)
        [result] = world.results()
        assert len(result.attachments) == 2
        assert (await world.usage(world.ann)).day_used == 2
