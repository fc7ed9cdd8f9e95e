"""Every step of a generation's life, and that none can be taken twice or out of turn."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import func, select
from store_samples import CANARY, NOON, PERSON, ROOMY, finished, new_generation

from bot.store import generations, people
from bot.store.database import Database
from bot.store.generations import Accepted, Lease, OverLimit, Replayed
from bot.store.people import Limits
from bot.store.schema import Entry, State, Way, ledger

ENDS = (State.FAILED, State.REFUSED, State.CANCELLED)


def test_accepting_writes_everything_down(steps):
    new = new_generation(1)
    row = steps.accept(1).row
    for name in new.__dataclass_fields__:
        assert getattr(row, name) == getattr(new, name), name
    assert (row.state, row.attempt, row.created_at) == (State.WAITING, 0, NOON)
    assert steps.usage().today == 4
    assert steps.ledger() == [(row.id, Entry.RESERVE, 4, 3000)]
    assert steps.get(row.id) == row


def test_a_replay_finds_the_first_and_changes_nothing(steps):
    first = steps.accept(1).row
    before = steps.usage(), steps.ledger()
    again = steps.accept(1, id="another", prompt="another", wanted=1)
    assert isinstance(again, Replayed)
    assert again.row == first
    assert (steps.usage(), steps.ledger()) == before


def test_a_replay_is_known_when_nothing_is_left_and_after_the_end(steps):
    one = Limits(per_day=4, per_minute=4, waiting=1)
    id_ = steps.accept(1, limits=one).row.id
    assert isinstance(steps.accept(1, limits=one), Replayed)
    steps.fail(id_)
    replayed = steps.accept(1, limits=one)
    assert isinstance(replayed, Replayed)
    assert replayed.row.state == State.FAILED


async def test_replays_at_once_make_one_generation(url):
    async with Database.open(url) as one, Database.open(url) as other:
        answers = await asyncio.gather(
            *(
                database.write(generations.accept, new_generation(1, id=f"id {n}"), ROOMY, NOON)
                for n, database in enumerate((one, other) * 20)
            )
        )
        used = await one.read(people.usage, PERSON, NOON)
    assert sum(isinstance(answer, Accepted) for answer in answers) == 1
    assert len({answer.row.id for answer in answers}) == 1, "people would see two"
    assert (used.today, used.waiting) == (4, 1)


def test_over_a_limit_nothing_is_written(steps):
    refused = steps.accept(1, limits=Limits(per_day=3, per_minute=10, waiting=3))
    assert isinstance(refused, OverLimit)
    assert refused.usage == steps.usage()
    assert steps.usage().today == 0
    assert steps.ledger() == []
    assert steps.get(new_generation(1).id) is None


async def test_of_two_who_claim_one_has_it(url):
    async with Database.open(url) as one, Database.open(url) as other:
        await one.write(generations.accept, new_generation(1), ROOMY, NOON)
        claims = await asyncio.gather(
            *(
                database.write(generations.claim, "g000000001", f"holder {n}", NOON + 60, NOON)
                for n, database in enumerate((one, other) * 10)
            )
        )
        row = await one.read(generations.get, "g000000001")
    winners = [claim for claim in claims if claim is not None]
    assert len(winners) == 1, f"{len(winners)} paint it"
    assert (row.holder, row.attempt) == (winners[0].holder, 1)


def test_a_claim_takes_the_lease(steps):
    row = steps.claim(steps.waiting(1))
    assert (row.state, row.holder, row.attempt) == (State.PAINTING, "ann", 1)
    assert (row.lease_until, row.painting_at) == (NOON + 60, NOON + 1)


@pytest.mark.parametrize("stale", [Lease("bob", 1), Lease("ann", 0), Lease("ann", 2)])
def test_a_stale_lease_writes_nothing(steps, stale):
    id_, lease = steps.painting(1)
    before = steps.get(id_), steps.usage(), steps.ledger()
    assert steps.keep(id_, stale) is None
    assert steps.fail(id_, found=State.PAINTING, lease=stale) is None
    assert (steps.get(id_), steps.usage(), steps.ledger()) == before
    assert generations.pictures_of(steps.connection, id_) == []
    assert steps.keep(id_, lease) is not None, "the true holder was fenced out"


def test_keeping_writes_the_pictures_and_how_they_came_about(steps):
    id_, lease = steps.painting(1)
    told = {"model": "flux", "steps": 28, "price": None, "notes": ("one", "two")}
    row = steps.keep(id_, lease, way=Way.RESPONSE, **told)
    assert (row.state, row.holder) == (State.PAINTED, lease.holder), "who painted it delivers it"
    assert (row.model, row.steps, row.price, row.notes) == ("flux", 28, None, '["one", "two"]')
    assert row.interaction_token == CANARY, "the answer still needs it"
    assert row.way == Way.RESPONSE, "before the first try, so that no restart goes another"
    kept = generations.pictures_of(steps.connection, id_)
    assert [picture.position for picture in kept] == [1, 2, 3, 4]
    assert [picture.key for picture in kept] == [picture.key for picture in finished(id_, 4)]


def test_pictures_come_in_their_order_and_to_nobody_else(steps):
    id_, lease = steps.painting(1)
    generations.keep(
        steps.connection,
        id_,
        lease,
        finished(id_, 4)[::-1],
        model="m",
        steps=None,
        price=None,
        notes=(),
        way=Way.CHANNEL,
        now=NOON,
    )
    steps.painted(2)
    kept = generations.pictures_of(steps.connection, id_)
    assert [picture.position for picture in kept] == [1, 2, 3, 4]
    assert {picture.generation_id for picture in kept} == {id_}


@pytest.mark.parametrize("count", [1, 3, 4])
def test_delivery_charges_what_there_is(steps, count):
    id_ = steps.painted(1, count)
    row = steps.deliver(id_)
    assert (row.state, row.message_id, row.ended_at) == (State.DELIVERED, 99, NOON + 3)
    assert (steps.usage().today, steps.usage().this_minute) == (count, count)
    assert steps.usage().waiting == 0
    assert steps.ledger() == [(id_, Entry.RESERVE, 4, 3000), (id_, Entry.SETTLE, count, 4000)]


def test_delivery_settles_once(steps):
    id_ = steps.painted(1)
    steps.deliver(id_)
    before = steps.get(id_), steps.usage(), steps.ledger()
    assert steps.deliver(id_) is None
    assert (steps.get(id_), steps.usage(), steps.ledger()) == before


def test_only_what_is_painted_is_delivered(steps):
    waiting, (painting, _), failed = steps.waiting(1), steps.painting(2), steps.waiting(3)
    steps.fail(failed)
    for id_ in (waiting, painting, failed, "nobody's"):
        assert steps.deliver(id_) is None
    assert steps.usage().today == 8


@pytest.mark.parametrize("becomes", ENDS)
def test_an_end_without_a_picture_returns_the_allowance(steps, becomes):
    id_, lease = steps.painting(1)
    row = steps.fail(id_, found=State.PAINTING, becomes=becomes, lease=lease)
    assert (row.state, row.failure, row.holder) == (becomes, "That did not work.", None)
    assert (steps.usage().today, steps.usage().this_minute, steps.usage().waiting) == (0, 0, 0)
    assert steps.ledger() == [(id_, Entry.RESERVE, 4, 3000), (id_, Entry.REFUND, 4, 0)]


def test_it_fails_once_and_from_where_it_was_found(steps):
    id_ = steps.waiting(1)
    assert steps.fail(id_, found=State.PAINTING) is None
    assert steps.fail(id_) is not None
    before = steps.usage(), steps.ledger()
    assert steps.fail(id_) is None
    assert (steps.usage(), steps.ledger()) == before


def test_what_is_being_painted_is_not_cancelled(steps):
    id_, lease = steps.painting(1)
    assert steps.fail(id_, found=State.WAITING, becomes=State.CANCELLED) is None
    assert steps.keep(id_, lease) is not None


@pytest.mark.parametrize("end", [*ENDS, State.DELIVERED])
def test_the_token_is_gone_at_every_end(steps, end):
    if end is State.DELIVERED:
        row = steps.deliver(steps.painted(1))
    else:
        row = steps.fail(steps.waiting(1), becomes=end)
    assert row.state == end
    assert CANARY not in map(str, steps.get(row.id))
    assert CANARY not in map(str, row)


def test_numbers_follow_the_order_of_acceptance(steps):
    numbers = [steps.get(steps.waiting(n)).number for n in (5, 2, 9)]
    assert numbers == sorted(numbers)
    assert steps.connection.execute(select(func.count()).select_from(ledger)).scalar_one() == 3
