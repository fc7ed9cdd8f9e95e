"""A vote as people hold it: opened, pressed, and followed by what is there to be seen."""

from __future__ import annotations

import re
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from wire.books import connect, rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wire.asked import Asked
    from wire.messages import Message
    from wire.town import Town
    from wire.world import Channel, Person

_COUNT = re.compile(r"(\d) · (\d+) votes?")
_SAID = re.compile(r"You (?:now )?vote for picture (\d)|is taken back")
_WON = "**The vote has a winner:**"


@dataclass(eq=False, slots=True)
class Ballot:
    """One that is there, in a channel of its own."""

    town: Town
    opener: Person
    message: Message
    id: str = field(init=False)

    def __post_init__(self) -> None:
        self.id = self.message.component("Close the vote")["custom_id"].rpartition(":")[2]

    @property
    def channel(self) -> Channel:
        return self.message.channel

    async def press(self, person: Person, position: int) -> Asked:
        """The button by its id: what it says changes with every vote."""
        button = f"cast:{self.id}:{position}"
        return await self.town.discord.people.click(self.message, person, button)

    async def vote(self, person: Person, position: int) -> int | None:
        """Presses, and what one is told: the picture that one votes for, or None."""
        return told_by(await (await self.press(person, position)).answer())

    async def close(self) -> Asked:
        """By the hand of whoever opened it."""
        return await self.town.discord.people.click(self.message, self.opener, "Close the vote")

    @property
    def shown(self) -> dict[int, int]:
        """The counts on its buttons."""
        found = (_COUNT.fullmatch(label) for label in self.message.labels)
        return {int(each[1]): int(each[2]) for each in found if each}

    @property
    def stored(self) -> dict[int, int | None]:
        """What each person's ballot is for."""
        sql = f"SELECT person_id, position FROM ballots WHERE round_id = '{self.id}'"
        return {row["person_id"]: row["position"] for row in rows(self.town, sql)}

    @property
    def round(self) -> dict[str, Any]:
        [row] = rows(self.town, f"SELECT * FROM rounds WHERE id = '{self.id}'")
        return dict(row)

    @property
    def contest(self) -> dict[str, Any]:
        [row] = rows(self.town, f"SELECT * FROM contests WHERE id = '{self.round['contest_id']}'")
        return dict(row)

    @property
    def winners(self) -> list[Message]:
        """The messages that tell of one."""
        return [each for each in self.channel.shown if each.content.startswith(_WON)]

    @property
    def edits(self) -> list[float]:
        """When its message was edited, in monotonic seconds."""
        path = f"/channels/{self.channel.id}/messages/{self.message.id}"
        calls = self.town.discord.calls
        return [call.at for call in calls if (call.method, call.path) == ("PATCH", path)]

    @property
    def is_over(self) -> bool:
        return self.round["stage"] == "over"

    async def opened(self) -> None:
        await self.town.until(lambda: self.round["stage"] == "open", "an open ballot")

    async def over(self, within: float = 15.0) -> None:
        await self.town.until(lambda: self.is_over, "an end of the vote", within)

    def let_pass(self, seconds: float) -> None:
        """So much time goes by for it; the bot learns of that when it looks next."""
        with closing(connect(self.town, mode="rw")) as other, other:
            other.execute(
                "UPDATE rounds SET opened_at = opened_at - :s, closes_at = closes_at - :s,"
                " due_at = due_at - :s WHERE id = :id",
                {"s": seconds, "id": self.id},
            )


async def begin_vote(
    town: Town, channel: Channel | None = None, opener: Person | None = None, **options: object
) -> Asked:
    """`/vote start`, confirmed; by somebody new, who has all of their allowance."""
    people, opener = town.discord.people, opener or town.person("ann")
    wanted = {"prompt": "a red fox in fresh snow", "duration": "1h", "count": 4, **options}
    asked = await people.slash(channel or town.channel(), opener, "vote start", **wanted)
    question = await asked.answer()
    return await people.click(question, opener, "Start the vote")


async def open_ballot(town: Town, **options: Any) -> Ballot:
    """One that people see, and that takes their votes."""
    begun = await begin_vote(town, **options)
    return await ballot_of(town, begun)


async def ballot_of(town: Town, begun: Asked) -> Ballot:
    ballot = Ballot(town, begun.interaction.person, await begun.result())
    await ballot.opened()
    return ballot


def told_by(answer: Message) -> int | None:
    """What a whisper says that one votes for."""
    said = _SAID.search(answer.content)
    assert said, answer.content
    assert "None" not in answer.content
    assert answer.ephemeral
    return int(said[1]) if said[1] else None


def tally(stored: dict[int, int | None]) -> dict[int, int]:
    """The votes for each of four pictures."""
    counted = Counter(stored.values())
    return {position: counted[position] for position in (1, 2, 3, 4)}


def most_in(seconds: float, moments: Sequence[float]) -> int:
    """How many of them are in any so many seconds, at most."""
    return max((sum(s <= at < s + seconds for at in moments) for s in moments), default=0)
