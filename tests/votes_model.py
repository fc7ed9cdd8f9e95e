"""Votes as they should go, in plain Python and in memory: what the real ones are held against."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bot.store.vote_schema import Stage

if TYPE_CHECKING:
    from bot.studio.voting import Rules, Voter

DAY_S = 24 * 60 * 60
VOTING = (Stage.OPEN, Stage.RUNOFF)


@dataclass(eq=False)
class Contest:
    """A vote; its rounds in their order."""

    id: str
    server_id: int
    opener_id: int
    rules: Rules
    ballots: list[Ballot] = field(default_factory=list)
    ended_at: float | None = None
    ended_early: bool = False

    def end(self, now: float, *, early: bool) -> None:
        assert self.ended_at is None, "a vote ends once"
        self.ended_at, self.ended_early = now, self.ended_early or early

    def entitled(self, voter: Voter, now: float) -> bool:
        """Whether somebody has a vote."""
        rules = self.rules
        return (
            self.heard(voter, now)
            and (rules.voters_role is None or rules.voters_role in voter.roles)
            and (voter.person_id != self.opener_id or rules.opener_votes)
        )

    def heard(self, voter: Voter, now: float) -> bool:
        """Whether somebody can suggest changes, with a vote or without one."""
        rules = self.rules
        return (
            not voter.is_bot
            and voter.server_id == self.server_id
            and now - voter.account_since >= rules.account_days * DAY_S
            and now - (voter.member_since or 0.0) >= rules.member_days * DAY_S
        )

    def led_by(self, voter: Voter) -> bool:
        here = voter.server_id == self.server_id
        return here and (voter.person_id == self.opener_id or voter.moderates)


@dataclass(eq=False)
class Ballot:
    """A round.

    Attributes:
        generation_id: what is painted for it; None where its pictures were there before.
        painting: whether that has not ended.
        presses: of each stage, everybody's last press that was accepted, and what it left.
        made: when each suggestion was.
    """

    id: str
    contest: Contest
    seed: int
    candidates: tuple[int, ...]
    generation_id: str | None = None
    painting: bool = False
    stage: Stage = Stage.WAITING
    message_id: int | None = None
    opened_at: float = 0.0
    closes_at: float | None = None
    extended: bool = False
    runoff: tuple[int, ...] = ()
    winner: int | None = None
    drawn: bool = False
    presses: dict[Stage, dict[int, tuple[int, int | None]]] = field(
        default_factory=lambda: {Stage.OPEN: {}, Stage.RUNOFF: {}}
    )
    suggestions: dict[int, str] = field(default_factory=dict)
    made: dict[int, float] = field(default_factory=dict)
    backings: dict[int, int] = field(default_factory=dict)

    @property
    def number(self) -> int:
        return self.contest.ballots.index(self) + 1

    @property
    def standing(self) -> tuple[int, ...]:
        return self.runoff if self.stage is Stage.RUNOFF else self.candidates

    def tally(self, stage: Stage) -> dict[int, int]:
        stand = self.runoff if stage is Stage.RUNOFF else self.candidates
        cast = Counter(position for _, position in self.presses[stage].values() if position)
        return {position: cast[position] for position in stand}

    def takes(self, position: int, voter: Voter, now: float) -> bool:
        """Whether a press is answered with anything but a refusal."""
        in_time = self.stage in VOTING and now < (self.closes_at or 0.0)
        return in_time and self.contest.entitled(voter, now) and position in self.standing

    def press(self, position: int, person: int, press_id: int) -> None:
        cast = self.presses[self.stage]
        last, before = cast.get(person, (0, None))
        if press_id > last:
            cast[person] = press_id, None if position == before else position

    def open(self, message_id: int, now: float) -> None:
        if self.stage is Stage.WAITING:
            self.stage, self.message_id = Stage.OPEN, message_id
            self.opened_at = now
            alone = len(self.candidates) == 1
            self.closes_at = now + (0 if alone else self.contest.rules.duration_s)

    def close(self, now: float) -> None:
        if self.stage in VOTING and now >= (self.closes_at or 0.0):
            self.settle(now, may_extend=not self.extended)

    def settle(self, now: float, *, may_extend: bool) -> None:
        """The most votes win, or the only one; a tie is voted on once more, and then drawn."""
        tally, duration_s = self.tally(self.stage), self.contest.rules.duration_s
        most = max(tally.values())
        leading = sorted(position for position, votes in tally.items() if votes == most)
        if self.stage is Stage.OPEN and most == 0 and len(tally) > 1:
            if may_extend:
                self.extended, self.closes_at = True, now + duration_s
            else:
                self.stage, self.contest.ended_early = Stage.DECIDED, True
        elif self.stage is Stage.OPEN and len(leading) > 1:
            self.stage, self.runoff = Stage.RUNOFF, tuple(leading)
            self.closes_at = now + max(30, duration_s // 2)
        else:
            self.winner = leading[self.seed % len(leading)]
            self.drawn = len(leading) > 1
            goes_on = self.number < self.contest.rules.rounds
            self.stage = Stage.BETWEEN if goes_on else Stage.DECIDED
            if goes_on:
                self.closes_at = now + min(max(30, duration_s // 2), 600)

    def end_early(self, *, told_why: bool) -> bool:
        """Its winner is the last one, although more rounds were to come."""
        if self.stage is not Stage.BETWEEN:
            return False
        self.stage = Stage.DECIDED
        self.contest.ended_early |= told_why
        return True

    def wait(self, now: float) -> None:
        """For what hinders the next round, but not for ever."""
        if self.stage is not Stage.BETWEEN:
            return
        if now < self.opened_at + 3 * self.contest.rules.duration_s + 3600:
            self.closes_at = now + 60
        else:
            self.end_early(told_why=True)

    def suggest(self, person: int, words: str, now: float) -> None:
        """Who was for other words is for none any more, unless somebody else has them too."""
        if self.suggestions.get(person, words).casefold() != words.casefold():
            self._pass_on(person)
        self.suggestions[person] = words
        self.made.setdefault(person, now)
        self.backings.setdefault(person, person)

    def take_off(self, author: int, *, own: bool) -> None:
        """One's own goes to whoever has the same words; a moderator takes all of them off."""
        if own:
            self._pass_on(author)
        for each in [author] if own else self._authors(self.suggestions[author]):
            del self.suggestions[each], self.made[each]
            self.backings = {one: of for one, of in self.backings.items() if of != each}

    def _pass_on(self, author: int) -> None:
        others = [each for each in self._authors(self.suggestions[author]) if each != author]
        for each, of in list(self.backings.items()):
            if of == author and each != author:
                del self.backings[each]
                if others:
                    self.backings[each] = others[0]

    def _authors(self, words: str) -> list[int]:
        """The oldest first."""
        of = [
            each for each, said in self.suggestions.items() if said.casefold() == words.casefold()
        ]
        return sorted(of, key=lambda each: (self.made[each], each))

    def abandon(self, now: float) -> None:
        """Its ballot never comes, or is taken away; unless it is the last one by this already."""
        if self.stage is Stage.OVER or (self.stage is Stage.DECIDED and self.contest.ended_early):
            return
        self.stage, self.winner = Stage.OVER, None
        won = [each for each in self.contest.ballots if each.winner is not None]
        if won:
            won[-1].stage, self.contest.ended_early = Stage.DECIDED, True
        else:
            self.contest.end(now, early=True)

    def announce(self, now: float) -> None:
        if self.stage is Stage.DECIDED:
            self.stage = Stage.OVER
            self.contest.end(now, early=False)

    def as_row(self) -> dict[str, Any]:
        """As the store should have it."""
        return {
            "contest_id": self.contest.id,
            "number": self.number,
            "stage": self.stage,
            "seed": self.seed,
            "message_id": self.message_id,
            "extended": self.extended,
            "winner": self.winner,
            "drawn": self.drawn,
        }
