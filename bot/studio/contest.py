"""A vote, its rounds, and a ballot as people see it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from bot.store import ballots, contests, generations, rounds
from bot.store.vote_schema import Stage
from bot.studio.generation import Generation, Place
from bot.studio.viewing import shown_of
from bot.studio.voting import Rules, Suggestion, Won, decide, most_backed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Connection

    from bot.store.rounds import RoundRow
    from bot.studio.generation import KeptPicture, Shown

#: Of the votes of a server, those under way that are listed, and those that are over.
_LISTED, _RECENT = 25, 5
_RULES = tuple(Rules.__dataclass_fields__)


@dataclass(frozen=True, slots=True)
class Contest:
    """A vote over one or more rounds.

    Attributes:
        opener_id: who began it, and is charged for what is painted for it.
        reply_to: the result that it is about; None where it began with an order.
        ending: the sentence why it ended before its time.
        created_at, ended_at: Unix seconds.
    """

    id: str
    interaction_id: int
    opener_id: int
    server_id: int
    channel_id: int
    application_id: int
    file_limit: int
    reply_to: int | None
    rules: Rules
    created_at: float
    ended_at: float | None
    ending: str | None

    @classmethod
    def from_row(cls, row: Any) -> Contest:  # noqa: ANN401 - a row's columns are told in vote_schema.py
        columns: Mapping[str, Any] = row._mapping  # noqa: SLF001 - SQLAlchemy's public name for it
        rules: dict[str, Any] = {name: columns[name] for name in _RULES}
        for name in ("secret", "opener_votes"):
            rules[name] = bool(rules[name])
        own = {name: columns[name] for name in cls.__dataclass_fields__ if name in columns}
        return cls(**own, opener_id=columns["person_id"], rules=Rules(**rules))

    @property
    def opening(self) -> Place:
        """Where its first ballot is posted, under the result that it is about."""
        return self._place(self.interaction_id, self.reply_to)

    def place(self, message_id: int) -> Place:
        """Where something is posted that follows from one of its messages, as a reply to it.

        Each message leads to one thing, and so stands in the place of an interaction.
        """
        return self._place(message_id, message_id)

    def _place(self, interaction_id: int, reply_to: int | None) -> Place:
        return Place(
            interaction_id=interaction_id,
            person_id=self.opener_id,
            server_id=self.server_id,
            application_id=self.application_id,
            channel_id=self.channel_id,
            interaction_token="",
            token_expires_at=0,
            may_post=True,
            file_limit=self.file_limit,
            reply_to=reply_to,
        )


@dataclass(frozen=True, slots=True)
class Round:
    """One ballot of a vote; the columns are told in `bot/store/vote_schema.py`."""

    id: str
    contest_id: str
    number: int
    stage: Stage
    seed: int
    message_id: int | None
    opened_at: float | None
    closes_at: float | None
    extended: bool
    winner: int | None
    drawn: bool
    announced_id: int | None

    @classmethod
    def from_row(cls, row: Any) -> Round:  # noqa: ANN401 - a row's columns are told in vote_schema.py
        columns: Mapping[str, Any] = row._mapping  # noqa: SLF001 - SQLAlchemy's public name for it
        own: dict[str, Any] = {name: columns[name] for name in cls.__dataclass_fields__}
        own["stage"] = Stage(columns["stage"])
        own["extended"], own["drawn"] = bool(columns["extended"]), bool(columns["drawn"])
        return cls(**own)


@dataclass(frozen=True, slots=True)
class Board:
    """A ballot with all that it shows.

    Attributes:
        shown: what is voted on: the pictures of one generation.
        tallies: the votes for each position that stands, of each stage.
        suggestions: what people would change of the winner, the most backed first.
        suggesters: who had the words, where the round before led to them.
        first: the generation that was voted on in the first round; None where this is that.
    """

    contest: Contest
    round: Round
    shown: Shown
    tallies: Mapping[Stage, Mapping[int, int]]
    suggestions: tuple[Suggestion, ...] = ()
    suggesters: Mapping[str, int] = field(default_factory=dict[str, int])
    first: Generation | None = None

    @property
    def began_with(self) -> Generation:
        """What people have asked for, before any vote was cast."""
        return self.first or self.shown.generation

    @property
    def voting(self) -> Stage:
        """The stage whose votes count, or counted last."""
        return Stage.RUNOFF if self.tallies[Stage.RUNOFF] else Stage.OPEN

    @property
    def tally(self) -> Mapping[int, int]:
        """The votes that count, or counted last."""
        return self.tallies[self.voting]

    @property
    def turnout(self) -> int:
        return sum(self.tally.values())

    @property
    def unopposed(self) -> bool:
        """Whether there is but one picture: the others could not be painted."""
        return len(self.tallies[Stage.OPEN]) == 1

    @property
    def blind(self) -> bool:
        """Whether nobody is to know yet which model painted what."""
        generation = self.shown.generation
        painted_for_it = generation.round_id == self.round.id
        return painted_for_it and generation.order.compares_models and self.round.stage.undecided

    @property
    def winner(self) -> KeptPicture | None:
        won = (each for each in self.shown.pictures if each.position == self.round.winner)
        return next(won, None)


@dataclass(frozen=True, slots=True)
class Finale:
    """The end of a vote: the boards that had a winner, the last one's last."""

    boards: tuple[Board, ...]

    @property
    def last(self) -> Board:
        return self.boards[-1]


@dataclass(frozen=True, slots=True)
class Listed:
    """A vote and the round that says how it stands.

    Attributes:
        board: None until its ballot is there.
        message_id: where to look: the ballot, or later the winner.
    """

    contest: Contest
    round: Round
    board: Board | None
    message_id: int | None


def board_of(connection: Connection, round_id: str) -> Board | None:
    """None where there is no such round, or it has no pictures yet."""
    row = rounds.get(connection, round_id)
    return None if row is None else _board(connection, Round.from_row(row))


def contest_of(connection: Connection, contest_id: str) -> Contest:
    """The vote that a round belongs to, which is always there."""
    row = contests.get(connection, contest_id)
    if row is None:
        raise AssertionError(contest_id)
    return Contest.from_row(row)


def blank_board(connection: Connection, round_id: str, shown: Shown, now: float) -> Board | None:
    """A ballot as it will be once it is there, with the pictures that were painted for it."""
    row = rounds.get(connection, round_id)
    if row is None or row.stage != Stage.WAITING:
        return None
    one, contest = Round.from_row(row), contest_of(connection, row.contest_id)
    standing = {picture.position: 0 for picture in shown.pictures}
    tallies: dict[Stage, dict[int, int]] = {Stage.OPEN: standing, Stage.RUNOFF: {}}
    board = Board(
        contest,
        one,
        shown,
        tallies,
        suggesters=_suggesters(connection, one),
        first=_first(connection, one),
    )
    return once_there(board, now)


def once_there(board: Board, now: float) -> Board:
    """A ballot that waits, as its message has it: when that is written, it is not open yet.

    Where it has one picture, that has won by then.
    """
    one = board.round
    match decide(board.tally, Stage.OPEN, one.seed, may_extend=True):
        case Won(position):
            coming = replace(one, stage=Stage.DECIDED, winner=position)
        case _:
            closes_at = now + board.contest.rules.duration_s
            coming = replace(one, stage=Stage.OPEN, closes_at=closes_at)
    return replace(board, round=coming)


def finale_of(connection: Connection, contest_id: str) -> Finale | None:
    """None where no round of a vote had a winner."""
    won = [row for row in contests.rounds_of(connection, contest_id) if row.winner is not None]
    boards = [_board(connection, Round.from_row(row)) for row in won]
    found = tuple(board for board in boards if board is not None)
    return Finale(found) if found else None


def finale_due(connection: Connection, round_id: str) -> Finale | None:
    """What is to be told of a vote with its last round; None where that has come to nothing."""
    last = rounds.get(connection, round_id)
    if last is None or last.stage != Stage.DECIDED:
        return None
    return finale_of(connection, last.contest_id)


def _board(connection: Connection, one: Round) -> Board | None:
    standing = ballots.candidates_of(connection, one.id)
    shown = shown_of(connection, standing[0].generation_id) if standing else None
    if shown is None:
        return None
    return Board(
        contest_of(connection, one.contest_id),
        one,
        shown,
        ballots.tallies(connection, one.id),
        () if one.winner is None else tuple(most_backed(suggested_in(connection, one.id))),
        _suggesters(connection, one),
        _first(connection, one),
    )


def _first(connection: Connection, one: Round) -> Generation | None:
    first = contests.round_of(connection, one.contest_id, 1) if one.number > 1 else None
    stood = ballots.candidates_of(connection, first.id) if first is not None else ()
    row = generations.get(connection, stood[0].generation_id) if stood else None
    return None if row is None else Generation.from_row(row)


def _suggesters(connection: Connection, one: Round) -> dict[str, int]:
    before = contests.round_of(connection, one.contest_id, one.number - 1)
    found = ballots.suggested(connection, before.id) if before is not None else ()
    # Of those who had the same words, the first.
    return {row.words: row.person_id for row in sorted(found, key=lambda row: -row.made_at)}


def suggested_in(connection: Connection, round_id: str) -> list[Suggestion]:
    """Everybody's, also where several have the same words."""
    return [
        Suggestion(row.person_id, row.words, row.backers, row.made_at)
        for row in ballots.suggested(connection, round_id)
    ]


def standing_in(connection: Connection, server_id: int) -> list[Listed]:
    """What is under way in a server, and what was decided last; the newest first."""
    rows = [
        *contests.running_in(connection, server_id, _LISTED),
        *contests.ended_in(connection, server_id, _RECENT),
    ]
    return [_listed(connection, Contest.from_row(row)) for row in rows]


def _listed(connection: Connection, contest: Contest) -> Listed:
    rows = contests.rounds_of(connection, contest.id)
    telling = _telling(rows, over=contest.ended_at is not None)
    announced = [row.announced_id for row in rows if row.announced_id is not None]
    seen_in = announced[-1] if announced else telling.message_id
    return Listed(contest, Round.from_row(telling), board_of(connection, telling.id), seen_in)


def _telling(rows: Sequence[RoundRow], *, over: bool) -> RoundRow:
    """Of a vote that is over, the last round with a winner; of others, the last of all."""
    won = [row for row in rows if over and row.winner is not None]
    return (won or rows)[-1]
