"""A crowd that votes within seconds as people do: some think again, and some are told of twice."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING

from wire.interactions import ANSWER_WITHIN_S
from wire.voting import tally, told_by

if TYPE_CHECKING:
    from wire.voting import Ballot
    from wire.world import Person

#: Of 100 people, so many vote for each picture at first; no two counts are to be the same.
_LIKED = {1: 40, 2: 30, 3: 20, 4: 10}
_TRIES = 6


@dataclass(eq=False, slots=True)
class Voters:
    """So many people, and what each of them knows.

    Attributes:
        within_s: by then, everybody has pressed once.
        believed: what each is for, as they were told last, or saw for themselves.
        waits: how long each answer took, in seconds.
        failed: presses that Discord called failed, since nothing was answered.
        unheard: those of them that were counted all the same.
    """

    ballot: Ballot
    count: int = 200
    within_s: float = 5.0
    seed: int = 1
    believed: dict[int, int | None] = field(default_factory=dict)
    waits: list[float] = field(default_factory=list)
    failed: int = 0
    unheard: int = 0

    async def vote(self) -> None:
        """Until everybody knows what they vote for."""
        random, town = Random(self.seed), self.ballot.town
        people = [town.person(f"voter{number}") for number in range(self.count)]
        moments = [random.uniform(0, self.within_s) for _ in people]
        plans = [_plan(random) for _ in people]
        await asyncio.gather(*map(self._one, people, moments, plans))

    @property
    def is_exact(self) -> bool:
        """Whether the store, the ballot and the people say the same."""
        stored = self.ballot.stored
        return stored == self.believed and self.ballot.shown == tally(stored)

    async def _one(self, person: Person, moment: float, plan: list[int]) -> None:
        await asyncio.sleep(moment)
        for position in plan:
            # Each event of a fifth of those who come late.
            if moment > self.within_s / 2 and person.id % 5 == 0:
                self.ballot.town.discord.gateway.twice += 1
            await self._press(person, position)

    async def _press(self, person: Person, position: int) -> None:
        wanted = None if self.believed.get(person.id) == position else position
        for _ in range(_TRIES):
            asked = await self.ballot.press(person, position)
            try:
                self.believed[person.id] = told_by(await asked.answer(ANSWER_WITHIN_S))
            except TimeoutError:
                self.failed += 1
            else:
                assert self.believed[person.id] == wanted
                self.waits.append(await asked.acknowledged())
                return
            # Whoever finds their vote there does not take it back.
            if self.ballot.stored.get(person.id) == wanted:
                self.believed[person.id], self.unheard = wanted, self.unheard + 1
                return
        raise TimeoutError(f"{_TRIES} presses were not answered\n{self.ballot.town.bot.tail}")


def _plan(random: Random) -> list[int]:
    """The buttons that somebody presses one after the other."""
    first, other = random.choices(list(_LIKED), weights=list(_LIKED.values()), k=2)
    match random.randrange(20):
        case 0 | 1 | 2 | 3:
            return [first, other]
        case 4 | 5:
            return [first, first]
        case 6:
            return [first, first, other]
        case _:
            return [first]
