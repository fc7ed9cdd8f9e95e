"""The rules of a vote: who may, what wins, what a tie leads to. Pure; the clock is an argument."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from bot.errors import BadRequest, NotAllowed
from bot.store.vote_schema import ROUNDS_MAX, Stage

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

DAY_S: Final = 24 * 60 * 60
DURATION_MIN_S: Final = 30
DURATION_MAX_S: Final = 7 * DAY_S
#: Of a runoff, and of the time to suggest changes.
HALF_MIN_S: Final = 30
BETWEEN_MAX_S: Final = 10 * 60
#: A seed is drawn below it; any number of candidates divides it almost evenly.
SEED_LIMIT: Final = 1_000_000

_UNITS = {"d": DAY_S, "h": 60 * 60, "m": 60, "s": 1}
#: `10m`, and as others write it: `10 min`, `1 hour and 30 minutes`.
_UNIT = r"d(?:ays?)?|h(?:ours?|rs?)?|m(?:in(?:ute)?s?)?|s(?:ec(?:ond)?s?)?"
_STEP = re.compile(rf"([0-9]{{1,7}})({_UNIT})(?:,|and)?", re.ASCII)
_DURATION = re.compile(rf"(?:{_STEP.pattern})+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Rules:
    """How a vote is held; they stay as they are when it begins.

    Attributes:
        duration_s: how long each ballot is open.
        rounds: the winner of each but the last is painted on.
        secret: whether counts are hidden until the end.
        voters_role: who may vote; None for everyone who can see it.
        opener_votes: whether that includes the one who opened it.
        account_days, member_days: how old an account, and its membership of the server, must be.
    """

    duration_s: int
    rounds: int = 1
    secret: bool = False
    voters_role: int | None = None
    opener_votes: bool = True
    account_days: int = 0
    member_days: int = 0


@dataclass(frozen=True, slots=True)
class Voter:
    """Somebody who votes or suggests, as Discord tells of them.

    Attributes:
        account_since, member_since: Unix seconds; None where Discord does not say.
        moderates: whether they may manage messages.
    """

    person_id: int
    server_id: int | None
    is_bot: bool = False
    roles: frozenset[int] = frozenset()
    account_since: float = 0.0
    member_since: float | None = None
    moderates: bool = False


def check_rules(rules: Rules) -> None:
    """Whether a vote can be held by them.

    Raises:
        BadRequest: no vote can be held by them.
    """
    if not DURATION_MIN_S <= rules.duration_s <= DURATION_MAX_S:
        raise BadRequest("A vote can be open for 30 seconds up to 7 days: `90s`, `10m` or `1h30m`.")
    if not 1 <= rules.rounds <= ROUNDS_MAX:
        raise BadRequest(f"A vote has 1 to {ROUNDS_MAX} rounds.")


def check_voter(rules: Rules, opener_id: int, voter: Voter, now: float) -> None:
    """Whether somebody has a vote.

    Raises:
        NotAllowed: this one has no vote here.
    """
    check_heard(rules, voter, now)
    if rules.voters_role is not None and rules.voters_role not in voter.roles:
        raise NotAllowed(f"In this vote only <@&{rules.voters_role}> can vote.")
    if voter.person_id == opener_id and not rules.opener_votes:
        raise NotAllowed("In this server, whoever opens a vote leaves it to the others.")


def check_heard(rules: Rules, voter: Voter, now: float) -> None:
    """Whether somebody can suggest changes, which also those can who have no vote.

    Raises:
        NotAllowed: this one takes no part here.
    """
    if voter.is_bot:
        raise NotAllowed("Bots have no vote.")
    if now - voter.account_since < rules.account_days * DAY_S:
        raise NotAllowed(
            "In this server, accounts can take part in votes once they are "
            f"{_days(rules.account_days)} old. "
            f"Yours is on <t:{_whole(voter.account_since + rules.account_days * DAY_S)}:D>."
        )
    since = voter.member_since
    if rules.member_days and (since is None or now - since < rules.member_days * DAY_S):
        when = "" if since is None else _whole(since + rules.member_days * DAY_S)
        raise NotAllowed(
            f"In this server, one can take part in votes after {_days(rules.member_days)} as a "
            "member" + (f": for you that is from <t:{when}:D> on." if when else ".")
        )


def check_leader(opener_id: int, voter: Voter) -> None:
    """Whether somebody may close a ballot before its time, and lead on from it.

    Raises:
        NotAllowed: this one may not.
    """
    if voter.person_id != opener_id and not voter.moderates:
        raise NotAllowed(
            f"Only <@{opener_id}>, who opened the vote, and people who may manage messages where "
            "it is held can do that."
        )


@dataclass(frozen=True, slots=True)
class Won:
    """A candidate, by its position.

    Attributes:
        drawn_from: those that stayed tied with it, and itself; empty where it had the most.
    """

    position: int
    drawn_from: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Tied:
    """They have the most, and are voted on once more."""

    positions: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Extended:
    """Nobody has voted, and it stays open for as long again."""


@dataclass(frozen=True, slots=True)
class Unanswered:
    """Nobody has voted, and it is over without a winner."""


Decision = Won | Tied | Extended | Unanswered


def decide(
    tally: Mapping[int, int], stage: Stage, seed: int, *, may_extend: bool = False
) -> Decision:
    """What a ballot that closes leads to.

    Args:
        tally: the votes for each candidate that stands, by its position; at least one.
        stage: open, or a runoff.
        seed: published when the round began.
        may_extend: whether it may stay open for longer, which it does once.
    """
    if len(tally) == 1:
        # Of several pictures, the others could not be painted: there is nothing to vote on.
        return Won(min(tally))
    most = max(tally.values())
    if not most and stage is Stage.OPEN:
        return Extended() if may_extend else Unanswered()
    leading = tuple(sorted(position for position, votes in tally.items() if votes == most))
    match leading:
        case (winner,):
            return Won(winner)
        case _ if stage is Stage.OPEN:
            return Tied(leading)
        case _:
            return Won(drawn(leading, seed), drawn_from=leading)


def drawn(positions: Sequence[int], seed: int) -> int:
    """One of them, as anybody can work out by hand: the seed's remainder counts from 0."""
    return sorted(positions)[seed % len(positions)]


def runoff_s(duration_s: int) -> int:
    return max(HALF_MIN_S, duration_s // 2)


def between_s(duration_s: int) -> int:
    """For how long people can suggest changes before the next round."""
    return min(runoff_s(duration_s), BETWEEN_MAX_S)


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What somebody would change of the winner.

    Attributes:
        backers: how many are for it.
        made_at: Unix seconds.
    """

    person_id: int
    words: str
    backers: int
    made_at: float


def most_backed(suggestions: Sequence[Suggestion]) -> list[Suggestion]:
    """The most backed first; of equals, the oldest. The same words are one suggestion."""
    joined = [
        replace(those[0], backers=sum(each.backers for each in those))
        for those in _by_words(suggestions).values()
    ]
    return sorted(joined, key=lambda each: -each.backers)


def authors_of(words: str, suggestions: Sequence[Suggestion]) -> list[int]:
    """Who suggests the same words, the oldest first."""
    return [each.person_id for each in _by_words(suggestions).get(words.casefold(), ())]


def _by_words(suggestions: Sequence[Suggestion]) -> dict[str, list[Suggestion]]:
    same: dict[str, list[Suggestion]] = {}
    for each in sorted(suggestions, key=lambda each: (each.made_at, each.person_id)):
        same.setdefault(each.words.casefold(), []).append(each)
    return same


def parse_duration(typed: str) -> int:
    """`90s`, `10m` or `1h30m`, in seconds.

    Raises:
        BadRequest: it is none.
    """
    told = "".join(typed.split()).lower()
    if not _DURATION.fullmatch(told):
        raise BadRequest("I can't read that as a duration. Write it as in `90s`, `10m` or `1h30m`.")
    return sum(int(number) * _UNITS[unit[0]] for number, unit in _STEP.findall(told))


def _days(count: int) -> str:
    return "a day" if count == 1 else f"{count} days"


def _whole(seconds: float) -> int:
    return int(seconds)
