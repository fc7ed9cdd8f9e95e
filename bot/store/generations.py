"""A generation's rows: every step of its life is one function, each inside one transaction."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import Row, bindparam, func, insert, select, update
from sqlalchemy.dialects import sqlite

from bot.store import people, rounds
from bot.store.schema import Entry, State, Way, generations, ledger, pictures, servers
from bot.store.schema import sources as sources_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from bot.store.people import Limits, Usage

GenerationRow = Row[Any]
PictureRow = Row[Any]

# Statements are built once: to build one takes ten times as long as to run it. What `values`
# does not name is set from the parameters, by the names of the columns.
_THE_ONE = generations.c.id == bindparam("the_id")
_HELD = (
    generations.c.holder == bindparam("lease_holder"),
    generations.c.attempt == bindparam("lease_attempt"),
)
_GET = select(generations).where(_THE_ONE)
_KNOWN = select(generations).where(generations.c.interaction_id == bindparam("the_interaction"))
_MEET_SERVER = sqlite.insert(servers).on_conflict_do_nothing()
_WRITE_DOWN = insert(generations).returning(*generations.c)
_WORK_FROM = insert(sources_table)
_CLAIM = (
    update(generations)
    .where(_THE_ONE, generations.c.state == State.WAITING)
    .values(attempt=generations.c.attempt + 1)
    .returning(*generations.c)
)
_KEEP = (
    update(generations)
    .where(_THE_ONE, generations.c.state == State.PAINTING, *_HELD)
    .returning(*generations.c)
)
_KEEP_PICTURES = insert(pictures)
_COUNT_PICTURES = select(func.count()).where(pictures.c.generation_id == bindparam("the_id"))
_END = (
    update(generations)
    .where(
        _THE_ONE,
        generations.c.state == bindparam("found"),
        generations.c.ended_at.is_(None),
    )
    .returning(*generations.c)
)
_END_HELD = _END.where(*_HELD)
_TOLD = update(generations).where(_THE_ONE).values(tell_at=None, interaction_token=None)
_ENTER = insert(ledger)


@dataclass(frozen=True, slots=True)
class NewSource:
    """A picture to work from; its parent is the picture of ours that it is, if it is one."""

    position: int
    key: str
    parent_id: str | None
    parent_position: int | None


@dataclass(frozen=True, slots=True)
class NewGeneration:
    """What is written when a generation is accepted; the columns are told in schema.py."""

    id: str
    interaction_id: int
    person_id: int
    server_id: int | None
    request: str
    prompt: str
    wanted: int
    seed: int
    private: bool
    application_id: int
    channel_id: int
    interaction_token: str = field(repr=False)
    token_expires_at: float
    may_post: bool
    file_limit: int
    notes: str
    price: int | None
    reply_to: int | None = None


@dataclass(frozen=True, slots=True)
class NewPicture:
    """A finished picture that is safely in the archive under `key`."""

    position: int
    key: str
    media_type: str
    width: int
    height: int
    bytes: int
    seed: int
    part: int = 0
    model: str | None = None


@dataclass(frozen=True, slots=True)
class Accepted:
    """The generation is written down and its pictures are reserved."""

    row: GenerationRow


@dataclass(frozen=True, slots=True)
class Replayed:
    """Discord told us of this interaction before: the generation it made then."""

    row: GenerationRow


@dataclass(frozen=True, slots=True)
class OverLimit:
    """Nothing was written: a limit has no room."""

    usage: Usage


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to paint a generation; `attempt` fences out earlier holders."""

    holder: str
    attempt: int


def accept(
    connection: Connection,
    new: NewGeneration,
    limits: Limits,
    now: float,
    *,
    sources: Sequence[NewSource] = (),
) -> Accepted | Replayed | OverLimit:
    """Reserves the pictures and writes the generation down, once for each interaction."""
    if known := replayed(connection, new.interaction_id):
        return known
    minute_start = people.reserve(connection, new.person_id, new.wanted, limits, now)
    if minute_start is None:
        return OverLimit(people.usage(connection, new.person_id, now))
    if new.server_id is not None:
        connection.execute(_MEET_SERVER, {"id": new.server_id, "first_seen_at": now})
    values = _values(new) | {"minute_start": minute_start, "created_at": now}
    fresh = {"state": State.WAITING, "attempt": 0, "orphaned": 0}
    row = connection.execute(_WRITE_DOWN, values | fresh).one()
    if sources:
        given = [_values(source) | {"generation_id": new.id} for source in sources]
        connection.execute(_WORK_FROM, given)
    _enter(connection, row, Entry.RESERVE, count=new.wanted, price=new.price or 0, now=now)
    return Accepted(row)


def replayed(connection: Connection, interaction_id: int) -> Replayed | None:
    """What an interaction has made before; None when it is new."""
    known = connection.execute(_KNOWN, {"the_interaction": interaction_id})
    row = known.one_or_none()
    return None if row is None else Replayed(row)


def usage_before(
    connection: Connection, interaction_id: int, person_id: int, now: float
) -> Usage | None:
    """What somebody has used before an interaction; None where that was accepted already."""
    known = replayed(connection, interaction_id)
    return None if known else people.usage(connection, person_id, now)


def claim(
    connection: Connection, generation_id: str, holder: str, until: float, now: float
) -> GenerationRow | None:
    """Takes a waiting generation to paint it; None when somebody else has it, or it ended."""
    values = {
        "state": State.PAINTING,
        "holder": holder,
        "lease_until": until,
        "painting_at": now,
    }
    return connection.execute(_CLAIM, values | {"the_id": generation_id}).one_or_none()


def keep(
    connection: Connection,
    generation_id: str,
    lease: Lease,
    finished: Sequence[NewPicture],
    *,
    model: str,
    steps: int | None,
    price: int | None,
    notes: Sequence[str],
    way: Way,
    now: float,
) -> GenerationRow | None:
    """Says `painted`, for pictures that are in the archive; None when the lease is lost.

    The way to people is written down with it, before the first try, and never changes.
    """
    values = {
        "state": State.PAINTED,
        "painted_at": now,
        "model": model,
        "steps": steps,
        "price": price,
        "notes": json.dumps(list(notes)),
        "way": way,
    }
    row = connection.execute(_KEEP, values | _held(generation_id, lease)).one_or_none()
    if row is not None:
        kept = [_values(picture) | {"generation_id": generation_id} for picture in finished]
        connection.execute(_KEEP_PICTURES, kept)
    return row


def deliver(
    connection: Connection,
    generation_id: str,
    message_id: int | None,
    now: float,
    *,
    lease: Lease | None = None,
) -> GenerationRow | None:
    """Says `delivered` and settles the allowance; None when it had ended, or the lease is lost."""
    made = connection.execute(_COUNT_PICTURES, {"the_id": generation_id}).scalar_one()
    values = {"state": State.DELIVERED, "message_id": message_id}
    return _end(connection, generation_id, State.PAINTED, values, used=made, now=now, lease=lease)


def fail(
    connection: Connection,
    generation_id: str,
    *,
    found: State,
    becomes: State,
    sentence: str,
    lease: Lease | None = None,
    tell_at: float | None = None,
    now: float,
) -> GenerationRow | None:
    """Ends it without a picture and returns the allowance.

    None when it is no longer in the state `found`, or the lease is lost. From `tell_at` on
    somebody else tells the person, unless `told` says that it is done; None: nobody need be told.
    """
    values = {"state": becomes, "failure": sentence, "tell_at": tell_at}
    return _end(connection, generation_id, found, values, lease=lease, used=0, now=now)


def told(connection: Connection, generation_id: str) -> None:
    """The person knows why there is no picture, or cannot be told."""
    connection.execute(_TOLD, {"the_id": generation_id})


def get(connection: Connection, generation_id: str) -> GenerationRow | None:
    return connection.execute(_GET, {"the_id": generation_id}).one_or_none()


def pictures_of(connection: Connection, *generation_ids: str) -> Sequence[PictureRow]:
    """Those of some generations; each one's in the order of their positions."""
    found = connection.execute(
        select(pictures)
        .where(pictures.c.generation_id.in_(generation_ids))
        .order_by(pictures.c.generation_id, pictures.c.position)
    )
    return found.all()


def page_of(
    connection: Connection, person_id: int, *, before: int | None, size: int
) -> Sequence[GenerationRow]:
    """A person's generations that have pictures, newest first, older than number `before`."""
    query = (
        select(generations)
        .where(
            generations.c.person_id == person_id,
            generations.c.state.in_((State.PAINTED, State.DELIVERED)),
        )
        .order_by(generations.c.number.desc())
        .limit(size)
    )
    if before is not None:
        query = query.where(generations.c.number < before)
    return (connection.execute(query)).all()


@dataclass(frozen=True, slots=True)
class Counts:
    """Generations that have not ended."""

    waiting: int
    painting: int


def open_of(connection: Connection, person_id: int) -> Sequence[GenerationRow]:
    """A person's generations that have not ended, oldest first."""
    found = connection.execute(
        select(generations)
        .where(generations.c.ended_at.is_(None), generations.c.person_id == person_id)
        .order_by(generations.c.number)
    )
    return found.all()


def count_open(connection: Connection, server_id: int | None = None) -> Counts:
    """How many wait and are painted, in one server or everywhere."""
    query = (
        select(generations.c.state, func.count())
        .where(generations.c.ended_at.is_(None))
        .group_by(generations.c.state)
    )
    if server_id is not None:
        query = query.where(generations.c.server_id == server_id)
    by_state: dict[str, int] = {row[0]: row[1] for row in connection.execute(query)}
    return Counts(by_state.get(State.WAITING, 0), by_state.get(State.PAINTING, 0))


def _end(
    connection: Connection,
    generation_id: str,
    found: State,
    values: dict[str, Any],
    *,
    used: int,
    now: float,
    lease: Lease | None = None,
) -> GenerationRow | None:
    """Ends a generation and its reservation together; None when it is not as `found`."""
    over: dict[str, Any] = {"ended_at": now, "holder": None, "lease_until": None}
    if values.get("tell_at") is None:
        # Else it is the one way to tell the person alone.
        over["interaction_token"] = None
    which = {"the_id": generation_id} if lease is None else _held(generation_id, lease)
    statement = _END if lease is None else _END_HELD
    ended = connection.execute(statement, over | values | which | {"found": found})
    row = ended.one_or_none()
    if row is None:
        return None
    people.release(
        connection, row.person_id, reserved=row.wanted, used=used, minute_start=row.minute_start
    )
    if row.round_id is not None:
        rounds.generation_ended(connection, row, now)
    entry = Entry.SETTLE if used else Entry.REFUND
    price = (row.price or 0) if used else 0
    _enter(connection, row, entry, count=used or row.wanted, price=price, now=now)
    return row


def _enter(
    connection: Connection,
    generation: GenerationRow,
    entry: Entry,
    *,
    count: int,
    price: int,
    now: float,
) -> None:
    connection.execute(
        _ENTER,
        {
            "generation_id": generation.id,
            "person_id": generation.person_id,
            "server_id": generation.server_id,
            "entry": entry,
            "pictures": count,
            "price": price,
            "at": now,
        },
    )


def _values(new: NewGeneration | NewSource | NewPicture) -> dict[str, Any]:
    """By the names of the columns; `asdict` would make a deep copy of each."""
    return {name: getattr(new, name) for name in new.__dataclass_fields__}


def _held(generation_id: str, lease: Lease) -> dict[str, Any]:
    return {
        "the_id": generation_id,
        "lease_holder": lease.holder,
        "lease_attempt": lease.attempt,
    }
