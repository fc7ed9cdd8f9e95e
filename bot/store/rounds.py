"""The rounds of a vote: how each opens, closes, and leads on. Every step is one transaction."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Row, Text, bindparam, func, insert, select, update
from sqlalchemy.dialects import sqlite

from bot.store.schema import State, pictures
from bot.store.vote_schema import VOTING_STAGES, Stage, candidates, contests, rounds

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sqlalchemy import Connection

    from bot.store.generations import GenerationRow

RoundRow = Row[Any]

#: Of those that are due at once, so many are seen to at a time.
_AT_ONCE = 50

# Statements are built once: to build one takes ten times as long as to run it.
_THE_ONE = rounds.c.id == bindparam("the_id")
_GET = select(rounds).where(_THE_ONE)
_BY_MESSAGE = select(rounds).where(rounds.c.message_id == bindparam("the_message"))
_STAND = (
    sqlite.insert(candidates)
    .from_select(
        ["round_id", "position", "generation_id"],
        select(
            bindparam("the_round", type_=Text), pictures.c.position, pictures.c.generation_id
        ).where(pictures.c.generation_id == bindparam("the_generation")),
    )
    .on_conflict_do_nothing()
)
_STANDING = (
    select(func.count())
    .select_from(candidates)
    .where(candidates.c.round_id == bindparam("the_round"))
)
_MOVE = update(rounds).where(_THE_ONE, rounds.c.stage == bindparam("found")).returning(*rounds.c)
_DUE_BY = (
    update(rounds).where(_THE_ONE, rounds.c.due_at > bindparam("at")).values(due_at=bindparam("at"))
)
_DURATION = select(contests.c.duration_s).where(contests.c.id == bindparam("the_contest"))
_END_CONTEST = (
    update(contests)
    .where(contests.c.id == bindparam("the_contest"), contests.c.ended_at.is_(None))
    .values(ended_at=bindparam("now"), ending=func.coalesce(contests.c.ending, bindparam("why")))
)
_REASON = select(contests.c.ending).where(contests.c.id == bindparam("the_contest"))
_GIVE_REASON = update(contests).where(contests.c.id == bindparam("the_contest"))
_BEFORE = (
    select(rounds)
    .where(
        rounds.c.contest_id == bindparam("the_contest"),
        rounds.c.number < bindparam("below"),
        rounds.c.winner.is_not(None),
    )
    .order_by(rounds.c.number.desc())
    .limit(1)
)
_NEW = insert(rounds)
#: What all who voted before may read of it; the asker is told more.
_WHY_NO_BALLOT = {
    State.DELIVERED: "The ballot of round {number} could not be posted.",
    State.FAILED: "The pictures of round {number} could not be painted.",
    State.REFUSED: "The image service refused to paint the pictures of round {number}.",
    State.CANCELLED: "The pictures of round {number} were cancelled.",
}
# The index has those alone that are due at some time.
_NEXT_DUE = select(func.min(rounds.c.due_at)).where(rounds.c.due_at.is_not(None))


@dataclass(frozen=True, slots=True)
class NewRound:
    """A ballot to come."""

    id: str
    contest_id: str
    number: int
    seed: int


def get(connection: Connection, round_id: str) -> RoundRow | None:
    return connection.execute(_GET, {"the_id": round_id}).one_or_none()


def by_message(connection: Connection, message_id: int) -> RoundRow | None:
    """The round whose ballot this message is."""
    return connection.execute(_BY_MESSAGE, {"the_message": message_id}).one_or_none()


def stand(connection: Connection, round_id: str, generation_id: str) -> None:
    """Makes the pictures of a generation the candidates."""
    connection.execute(_STAND, {"the_round": round_id, "the_generation": generation_id})


def move(
    connection: Connection, round_id: str, found: Stage, becomes: Stage, **values: object
) -> RoundRow | None:
    """To another stage; None when it is no longer in the one that was found.

    Args:
        connection: to write with.
        round_id: which one.
        found: the stage that it should be in.
        becomes: the stage that it comes to.
        values: of its other columns.
    """
    told = {"the_id": round_id, "found": found, "stage": becomes, **values}
    return connection.execute(_MOVE, told).one_or_none()


def opened(
    connection: Connection, round_id: str, generation_id: str, message_id: int, now: float
) -> RoundRow | None:
    """Its ballot is there: from now on people vote. None when it was opened before, or is over."""
    row = get(connection, round_id)
    if row is None or row.stage != Stage.WAITING:
        return None
    stand(connection, round_id, generation_id)
    duration = connection.scalar(_DURATION, {"the_contest": row.contest_id}) or 0
    # Of one picture there is no choice.
    if connection.scalar(_STANDING, {"the_round": round_id}) == 1:
        duration = 0
    return move(
        connection,
        round_id,
        Stage.WAITING,
        Stage.OPEN,
        message_id=message_id,
        opened_at=now,
        closes_at=now + duration,
        # At once, to show when it closes: the message was written before that was known.
        due_at=now,
    )


def generation_ended(connection: Connection, ended: GenerationRow, now: float) -> None:
    """Of the one that is to be a round's ballot: it is that by now, or there is none."""
    if ended.message_id is not None:
        opened(connection, ended.round_id, ended.id, ended.message_id, now)
    else:
        abandon(connection, ended.round_id, _WHY_NO_BALLOT[ended.state], now)


def abandon(connection: Connection, round_id: str, why: str, now: float) -> None:
    """Its ballot never comes, or is gone: the winner of the round before is the last one then.

    Its own is shown to nobody again, since somebody has taken it away; but where it is the last
    one already, of a round after which there came no other, it stays that.

    Args:
        connection: to write with.
        round_id: which one.
        why: a sentence with its `{number}`.
        now: when.
    """
    row = get(connection, round_id)
    if row is None or row.stage == Stage.OVER:
        return
    contest = {"the_contest": row.contest_id}
    if row.stage == Stage.DECIDED and connection.scalar(_REASON, contest) is not None:
        return
    reason = why.format(number=row.number)
    move(connection, round_id, Stage(row.stage), Stage.OVER, winner=None, due_at=None)
    before = connection.execute(_BEFORE, contest | {"below": row.number}).one_or_none()
    if before is None:
        end_contest(connection, row.contest_id, reason, now)
        return
    give_reason(connection, row.contest_id, reason)
    move(connection, before.id, Stage(before.stage), Stage.DECIDED, due_at=now)


def end_contest(connection: Connection, contest_id: str, why: str | None, now: float) -> None:
    """No round of it will open any more; `why`, where it is before its time."""
    connection.execute(_END_CONTEST, {"the_contest": contest_id, "why": why, "now": now})


def give_reason(connection: Connection, contest_id: str, why: str) -> None:
    """Why no further round follows, for those who read of the last winner."""
    connection.execute(_GIVE_REASON, {"the_contest": contest_id, "ending": why})


def due(
    connection: Connection, round_id: str, found: Stage, at: float, **values: object
) -> RoundRow | None:
    """Has it seen to then; None when it is no longer in the stage that was found."""
    return move(connection, round_id, found, found, due_at=at, **values)


def due_by(connection: Connection, round_id: str, at: float) -> None:
    """Has it seen to then, where it is not sooner."""
    connection.execute(_DUE_BY, {"the_id": round_id, "at": at})


def run_off(connection: Connection, round_id: str, positions: Collection[int]) -> None:
    """Leaves these candidates alone on the ballot."""
    connection.execute(
        update(candidates)
        .where(candidates.c.round_id == round_id, candidates.c.position.in_(positions))
        .values(in_runoff=1)
    )


def put_off(connection: Connection, taken: RoundRow, until: float | None) -> None:
    """Lets it rest until it is time to see to it again; for ever, where that is None.

    Where it came to something else since it was taken, it is due as that says.
    """
    connection.execute(
        update(rounds)
        .where(rounds.c.id == taken.id, rounds.c.due_at == taken.due_at)
        .values(due_at=until)
    )


def take_due(
    connection: Connection, until: float, now: float, busy: Collection[str] = ()
) -> Sequence[RoundRow]:
    """Those that have to be seen to; nobody else takes them before `until`.

    Those that are `busy` are left, to be taken when they are not.
    """
    ids = connection.scalars(
        select(rounds.c.id)
        .where(rounds.c.due_at <= now, rounds.c.id.not_in(busy))
        .order_by(rounds.c.due_at)
        .limit(_AT_ONCE)
    ).all()
    taken = update(rounds).where(rounds.c.id.in_(ids)).values(due_at=until).returning(*rounds.c)
    return connection.execute(taken).all()


def next_due(connection: Connection) -> float | None:
    """When the next one has to be seen to."""
    return connection.scalar(_NEXT_DUE)


def look_at_all(connection: Connection, now: float) -> None:
    """Has every ballot that people can see looked at: what it shows may be of yesterday."""
    shown = rounds.c.stage.in_((*VOTING_STAGES, Stage.BETWEEN))
    connection.execute(update(rounds).where(rounds.c.due_at.is_not(None), shown).values(due_at=now))


def new(connection: Connection, coming: NewRound) -> None:
    """A round that waits for its pictures."""
    connection.execute(_NEW, asdict(coming) | {"stage": Stage.WAITING})
