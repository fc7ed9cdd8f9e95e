"""Every press in a vote: checked and written in one transaction, or refused in a sentence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bot.errors import NotAllowed, Refusal
from bot.store import ballots, rounds
from bot.store.vote_schema import Stage
from bot.studio.closing import DELETED, RECOUNT_S, end_early, settle
from bot.studio.contest import contest_of, suggested_in
from bot.studio.voting import authors_of, check_heard, check_leader, check_voter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from bot.store.rounds import RoundRow
    from bot.studio.contest import Contest
    from bot.studio.voting import Suggestion, Voter

#: As many as a menu has options.
SUGGESTIONS_MAX: Final = 25

TOO_LATE: Final = "It is too late for suggestions here: the next round is on its way."
GONE: Final = "That suggestion is not there any more."


@dataclass(frozen=True, slots=True)
class Cast:
    """What has become of somebody's ballot.

    Attributes:
        position: that it is for; None when it was taken back.
        before: that it was for.
        turnout: how many have voted by now.
        for_role: whether those of a role alone may vote.
    """

    position: int | None
    before: int | None
    turnout: int
    for_role: bool


@dataclass(frozen=True, slots=True)
class TakenOff:
    """A suggestion that somebody has taken off the list.

    Attributes:
        stays: whether somebody else suggests the same.
    """

    words: str
    stays: bool


class UnknownVote(Refusal):
    def __init__(self) -> None:
        super().__init__("I don't know that vote. Pick one from the list that opens as you type.")


class VoteOver(Refusal):
    def __init__(self, why: str = "") -> None:
        super().__init__(f"{why or 'This ballot is closed.'} `/vote standing` lists what is open.")


def _found(connection: Connection, round_id: str, voter: Voter) -> tuple[RoundRow, Contest]:
    """A round of the server that somebody presses in.

    Raises:
        UnknownVote: there is no such round.
        NotAllowed: it is of another server.
    """
    row = rounds.get(connection, round_id)
    if row is None:
        raise UnknownVote
    contest = contest_of(connection, row.contest_id)
    if contest.server_id != voter.server_id:
        raise NotAllowed("That vote is held in another server, and only there one can vote.")
    return row, contest


def cast(
    connection: Connection, round_id: str, position: int, voter: Voter, *, press_id: int, now: float
) -> Cast:
    row, contest = _found(connection, round_id, voter)
    stage = Stage(row.stage)
    if stage is Stage.WAITING:
        # People see its message a moment before that is written down.
        raise Refusal("This ballot opens in a moment. Please press once more then.")
    if not stage.votes or now >= row.closes_at:
        raise VoteOver("" if contest.ending is None else contest.ending)
    check_voter(contest.rules, contest.opener_id, voter, now)
    tally = ballots.tallies(connection, round_id)[stage]
    if position not in tally:
        left = " or ".join(str(each) for each in sorted(tally))
        raise Refusal(f"Picture {position} is out: this is a runoff. Choose {left}.")
    own = ballots.own(connection, round_id, stage, voter.person_id)
    before = own.position if own else None
    chosen = None if position == before else position
    if own is not None and own.press_id >= press_id:
        chosen = before
    else:
        ballots.cast(
            connection, round_id, stage, voter.person_id, chosen, press_id=press_id, now=now
        )
    turnout = sum(tally.values()) + (chosen is not None) - (before is not None)
    if for_role := contest.rules.voters_role is not None:
        rounds.due_by(connection, round_id, now + RECOUNT_S)
    return Cast(chosen, before, turnout, for_role)


def close(connection: Connection, round_id: str, voter: Voter, now: float) -> Stage:
    row, contest = _found(connection, round_id, voter)
    check_leader(contest.opener_id, voter)
    if row.stage == Stage.WAITING:
        raise Refusal("Its pictures are still on their way. Close it once its ballot is here.")
    closed = settle(connection, round_id, now, by_hand=True)
    if closed is not None:
        return closed
    if not end_early(connection, round_id, None, now):
        raise VoteOver
    return Stage.DECIDED


def go_on(connection: Connection, round_id: str, voter: Voter, now: float) -> None:
    _, contest = _found(connection, round_id, voter)
    check_leader(contest.opener_id, voter)
    if rounds.due(connection, round_id, Stage.BETWEEN, now, closes_at=now) is None:
        raise VoteOver


def check_suggesting(connection: Connection, round_id: str, voter: Voter, now: float) -> None:
    """Whether somebody may suggest something now, or back what others did.

    Raises:
        Refusal: not now, or not this one.
    """
    row, contest = _found(connection, round_id, voter)
    if row.stage != Stage.BETWEEN or now >= row.closes_at:
        raise VoteOver(TOO_LATE)
    check_heard(contest.rules, voter, now)


def suggest(connection: Connection, round_id: str, words: str, voter: Voter, now: float) -> bool:
    """Whether its author is for it, and not for another one."""
    check_suggesting(connection, round_id, voter, now)
    made = suggested_in(connection, round_id)
    before = _words_of(voter.person_id, made)
    if before is None and len(made) >= SUGGESTIONS_MAX:
        raise Refusal(
            f"There are {SUGGESTIONS_MAX} suggestions already, and no room for more. Back one of "
            "them instead."
        )
    if before is not None and voter.person_id not in authors_of(words, made):
        # Those who were for other words are not for these.
        ballots.pass_on(connection, round_id, voter.person_id, _heir(voter.person_id, before, made))
    ballots.suggest(connection, round_id, voter.person_id, words, now)
    return ballots.backed_by(connection, round_id, voter.person_id) == voter.person_id


def back(connection: Connection, round_id: str, author_id: int, voter: Voter, now: float) -> str:
    check_suggesting(connection, round_id, voter, now)
    words = ballots.words_of(connection, round_id, author_id)
    if words is None:
        raise Refusal(GONE)
    ballots.back(connection, round_id, voter.person_id, author_id)
    return words


def take_off(
    connection: Connection, round_id: str, author_id: int, voter: Voter, now: float
) -> TakenOff:
    """Takes a suggestion off the list, for its author and for moderators.

    Not for whoever opened the vote: what people suggest there is not theirs to choose from.
    """
    row, _ = _found(connection, round_id, voter)
    own = voter.person_id == author_id
    if not own and not voter.moderates:
        raise NotAllowed("Only its author, and people who may manage messages here, can do that.")
    if row.stage != Stage.BETWEEN or now >= row.closes_at:
        raise VoteOver(TOO_LATE)
    made = suggested_in(connection, round_id)
    words = _words_of(author_id, made)
    if words is None:
        raise Refusal(GONE)
    # What a moderator sees is one line, however many have written it.
    heir_id = _heir(author_id, words, made) if own else None
    ballots.pass_on(connection, round_id, author_id, heir_id)
    ballots.take_off(connection, round_id, [author_id] if own else authors_of(words, made))
    return TakenOff(words, stays=heir_id is not None)


def _words_of(author_id: int, made: Sequence[Suggestion]) -> str | None:
    return next((each.words for each in made if each.person_id == author_id), None)


def _heir(author_id: int, words: str, made: Sequence[Suggestion]) -> int | None:
    """The oldest of the others who suggest the same."""
    return next((each for each in authors_of(words, made) if each != author_id), None)


def forget(connection: Connection, message_id: int, now: float) -> None:
    row = rounds.by_message(connection, message_id)
    if row is not None:
        rounds.abandon(connection, row.id, DELETED, now)
