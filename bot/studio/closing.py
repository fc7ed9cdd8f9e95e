"""How a ballot ends, in one transaction each, and what is painted next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import structlog

from bot.errors import AllowanceSpent
from bot.imaging.request import COUNT_MAX
from bot.store import ballots, rounds
from bot.store.vote_schema import Stage
from bot.studio.contest import contest_of
from bot.studio.order import Order, Variation
from bot.studio.voting import Extended, Tied, Unanswered, Won, between_s, decide, runoff_s

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from bot.errors import Refusal
    from bot.store.rounds import RoundRow
    from bot.studio.contest import Board

log = structlog.get_logger()

_CHOICE_MIN = 2
#: How often those are counted anew who may vote, while some of them have.
RECOUNT_S: Final = 60.0

#: Why a vote ends before its time.
NOT_POSTED = "The ballot of round {number} could not be posted in that channel."
DELETED = "The ballot of round {number} was deleted."


def settle(
    connection: Connection, round_id: str, now: float, *, by_hand: bool = False
) -> Stage | None:
    """Closes a ballot whose time has come, or that somebody closes.

    Returns:
        The stage that this leads to; None when it is not open, or not to be closed yet.
    """
    row = rounds.get(connection, round_id)
    if row is None or not (stage := Stage(row.stage)).votes:
        return None
    if now < row.closes_at and not by_hand:
        return None
    rules = contest_of(connection, row.contest_id).rules
    tally = ballots.tallies(connection, round_id)[stage]
    decision = decide(tally, stage, row.seed, may_extend=not (row.extended or by_hand))
    log.info("ballot", id=round_id, votes=sum(tally.values()), decision=type(decision).__name__)
    values: dict[str, object] = {}
    match decision:
        case Extended():
            becomes = stage
            values = {"extended": 1, "closes_at": now + rules.duration_s}
        case Tied(positions):
            becomes = Stage.RUNOFF
            rounds.run_off(connection, round_id, positions)
            values = {"closes_at": now + runoff_s(rules.duration_s)}
        case Unanswered():
            becomes = Stage.DECIDED
            rounds.give_reason(connection, row.contest_id, f"Nobody voted in round {row.number}.")
        case Won(position, drawn_from):
            becomes = Stage.DECIDED
            values = {"winner": position, "drawn": bool(drawn_from)}
            if row.number < rules.rounds:
                becomes = Stage.BETWEEN
                values["closes_at"] = now + between_s(rules.duration_s)
    rounds.move(connection, round_id, stage, becomes, due_at=now, **values)
    return becomes


def rest(connection: Connection, taken: RoundRow, now: float) -> bool:
    """Lets a ballot rest whose time has not come; whether to count those who may vote till then.

    Their role may have fewer by now, or Discord did not tell before.
    """
    stage, rules = Stage(taken.stage), contest_of(connection, taken.contest_id).rules
    counts = stage.votes and rules.voters_role is not None
    counts = counts and any(ballots.tallies(connection, taken.id)[stage].values())
    until = min(taken.closes_at, now + RECOUNT_S) if counts else taken.closes_at
    rounds.put_off(connection, taken, until)
    return counts


def close_if_all_voted(connection: Connection, round_id: str, expected: int, now: float) -> bool:
    """Closes a ballot on which as many have voted as were expected to."""
    row = rounds.get(connection, round_id)
    if row is None or not (stage := Stage(row.stage)).votes:
        return False
    voted = sum(ballots.tallies(connection, round_id)[stage].values())
    return voted >= expected and settle(connection, round_id, now, by_hand=True) is not None


def end_early(connection: Connection, round_id: str, why: str | None, now: float) -> bool:
    """Makes the winner of a round the last one, although more were to come."""
    moved = rounds.move(connection, round_id, Stage.BETWEEN, Stage.DECIDED, due_at=now)
    if moved is not None and why is not None:
        rounds.give_reason(connection, moved.contest_id, why)
    return moved is not None


def wait_on(connection: Connection, round_id: str, until: float) -> None:
    """Puts the next round off; people can suggest changes until then."""
    rounds.due(connection, round_id, Stage.BETWEEN, until, closes_at=until)


def end(
    connection: Connection, round_id: str, announced_id: int | None, now: float, *, shown: bool
) -> None:
    """The last word is said; where the ballot does not show it yet, that is due."""
    ended = rounds.move(
        connection,
        round_id,
        Stage.DECIDED,
        Stage.OVER,
        announced_id=announced_id,
        due_at=None if shown else now,
    )
    if ended is not None:
        rounds.end_contest(connection, ended.contest_id, None, now)


def next_order(board: Board) -> Order:
    """As many pictures as before: what people back most, and else variations of the winner.

    Raises:
        ValueError: the board has no winner.
    """
    winner, generation = board.winner, board.shown.generation
    if winner is None:
        raise ValueError(board.round.id)
    before = generation.order
    # A choice again, also where the others of this round could not be painted.
    count = min(max(_CHOICE_MIN, len(board.tallies[Stage.OPEN])), COUNT_MAX)
    return Order(
        prompt=generation.prompt_of(winner),
        quality=before.quality,
        style=before.style,
        avoid=before.avoid,
        variation=Variation.STRONG,
        count=count,
        changes=tuple(each.words for each in board.suggestions[:count]),
    )


def why_no_round(refusal: Refusal, number: int, opener_id: int) -> str:
    """Why a further round does not come, for all who read of the last winner."""
    if isinstance(refusal, AllowanceSpent):
        return f"The allowance of <@{opener_id}> has no room for round {number}."
    return f"Round {number} can't be painted: {refusal.sentence}"
