"""How votes begin: with an order that is painted for them, or with pictures that are there."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Protocol

from sqlalchemy import Row, bindparam, func, insert, select, update

from bot.errors import TooManyVotes
from bot.store import rounds
from bot.store.generations import Accepted, NewGeneration, NewSource, OverLimit, Replayed
from bot.store.schema import generations
from bot.store.vote_schema import Stage, contests
from bot.store.vote_schema import rounds as rounds_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from bot.store.people import Limits
    from bot.store.rounds import NewRound

ContestRow = Row[Any]

_GET = select(contests).where(contests.c.id == bindparam("the_id"))
_KNOWN = select(contests).where(contests.c.interaction_id == bindparam("the_interaction"))
_BEGIN = insert(contests)
_FOR_ROUND = (
    update(generations)
    .where(generations.c.id == bindparam("the_id"))
    .values(round_id=bindparam("the_round"))
    .returning(*generations.c)
)
_RUNNING = (
    select(func.count())
    .select_from(contests)
    .where(
        contests.c.server_id == bindparam("the_server"),
        contests.c.person_id == bindparam("the_person"),
        contests.c.ended_at.is_(None),
    )
)
_ROUNDS_OF = (
    select(rounds_table)
    .where(rounds_table.c.contest_id == bindparam("the_contest"))
    .order_by(rounds_table.c.number)
)
_ROUND_OF = select(rounds_table).where(
    rounds_table.c.contest_id == bindparam("the_contest"),
    rounds_table.c.number == bindparam("the_number"),
)
_IN_SERVER = (
    select(contests)
    .where(contests.c.server_id == bindparam("the_server"))
    .order_by(contests.c.created_at.desc())
    .limit(bindparam("most"))
)
_RUNNING_IN = _IN_SERVER.where(contests.c.ended_at.is_(None))
_ENDED_IN = _IN_SERVER.where(contests.c.ended_at.is_not(None))


@dataclass(frozen=True, slots=True)
class NewContest:
    """What is written when a vote begins; the columns are told in vote_schema.py."""

    id: str
    interaction_id: int
    person_id: int
    server_id: int
    channel_id: int
    application_id: int
    file_limit: int
    reply_to: int | None
    duration_s: int
    rounds: int
    secret: bool
    voters_role: int | None
    opener_votes: bool
    account_days: int
    member_days: int
    created_at: float


class Accept(Protocol):
    """How an order is accepted; see `bot.store.generations.accept`."""

    def __call__(
        self,
        connection: Connection,
        /,
        *,
        new: NewGeneration,
        limits: Limits,
        now: float,
        sources: Sequence[NewSource] = (),
    ) -> Accepted | Replayed | OverLimit | None: ...


def accept_first(
    connection: Connection,
    accept: Accept,
    contest: NewContest,
    first: NewRound,
    most: int,
    **order: Any,  # noqa: ANN401 - what `accept` takes
) -> Accepted | Replayed | OverLimit | None:
    """Begins a vote whose first pictures are still to be painted.

    Raises:
        TooManyVotes: this person has `most` of them under way already.
    """
    outcome = accept(connection, **order)
    if isinstance(outcome, Accepted):
        _begin(connection, contest, first, most)
        return _assign(connection, outcome, first)
    return outcome


def accept_next(
    connection: Connection,
    accept: Accept,
    before_id: str,
    following: NewRound,
    **order: Any,  # noqa: ANN401 - what `accept` takes
) -> Accepted | Replayed | OverLimit | None:
    """Goes on from a round that is decided; None when it went on before, or has ended."""
    before = rounds.get(connection, before_id)
    if before is None or before.stage != Stage.BETWEEN:
        return None
    outcome = accept(connection, **order)
    if isinstance(outcome, Accepted):
        rounds.new(connection, following)
        # At once, to be shown a last time.
        rounds.move(connection, before_id, Stage.BETWEEN, Stage.OVER, due_at=order["now"])
        return _assign(connection, outcome, following)
    return outcome


def open_on(
    connection: Connection, contest: NewContest, first: NewRound, generation_id: str, most: int
) -> None:
    """Begins a vote on pictures that are there; its ballot is due at once.

    Raises:
        TooManyVotes: this person has `most` of them under way already.
    """
    _begin(connection, contest, first, most)
    rounds.stand(connection, first.id, generation_id)
    rounds.due(connection, first.id, Stage.WAITING, contest.created_at)


def known(connection: Connection, interaction_id: int) -> ContestRow | None:
    """What an interaction has begun before; None when it is new."""
    return connection.execute(_KNOWN, {"the_interaction": interaction_id}).one_or_none()


def get(connection: Connection, contest_id: str) -> ContestRow | None:
    return connection.execute(_GET, {"the_id": contest_id}).one_or_none()


def rounds_of(connection: Connection, contest_id: str) -> Sequence[rounds.RoundRow]:
    """All of a vote's, from the first on."""
    return connection.execute(_ROUNDS_OF, {"the_contest": contest_id}).all()


def round_of(connection: Connection, contest_id: str, number: int) -> rounds.RoundRow | None:
    """One of a vote's, by its number."""
    which = {"the_contest": contest_id, "the_number": number}
    return connection.execute(_ROUND_OF, which).one_or_none()


def running_in(connection: Connection, server_id: int, most: int) -> Sequence[ContestRow]:
    """The votes that are under way in a server, the newest first."""
    return connection.execute(_RUNNING_IN, {"the_server": server_id, "most": most}).all()


def ended_in(connection: Connection, server_id: int, most: int) -> Sequence[ContestRow]:
    """Those that are over, the newest first."""
    return connection.execute(_ENDED_IN, {"the_server": server_id, "most": most}).all()


def _begin(connection: Connection, contest: NewContest, first: NewRound, most: int) -> None:
    whose = {"the_server": contest.server_id, "the_person": contest.person_id}
    if connection.execute(_RUNNING, whose).scalar_one() >= most:
        raise TooManyVotes(most)
    connection.execute(_BEGIN, asdict(contest))
    rounds.new(connection, first)


def _assign(connection: Connection, outcome: Accepted, of: NewRound) -> Accepted:
    ids = {"the_id": outcome.row.id, "the_round": of.id}
    return Accepted(connection.execute(_FOR_ROUND, ids).one())
